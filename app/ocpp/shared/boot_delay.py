"""Why the back office does not know the station yet, in words: people wait for it, and so do scripts."""

from __future__ import annotations

from app.kernel.text import Text
from app.ocpp.context import BootState, CallFailed, CallRefused, CallTimedOut
from app.ocpp.events import BootDelayed


def without_answer(error: CallFailed, retry_in: float) -> BootDelayed:
    """BootNotification got no answer that could be used."""
    if isinstance(error, CallTimedOut):
        return _delayed("mute", retry_in)
    if isinstance(error, CallRefused):
        return _delayed("refused", retry_in, code=error.code)
    return _delayed("failed", retry_in, why=str(error))


def not_accepted(state: BootState, retry_in: float) -> BootDelayed:
    """The answer was Pending or Rejected."""
    return _delayed(state.value, retry_in)


def _delayed(name: str, retry_in: float, **params: str) -> BootDelayed:
    text = Text(f"ocpp.boot.{name}", {**params, "seconds": f"{retry_in:.0f}"})
    return BootDelayed(text, retry_in)
