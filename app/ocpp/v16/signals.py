"""What the driver sees: the ring of the reader and a sentence on the screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.kernel.clock import Timer
from app.kernel.text import Text
from app.ocpp.context import Context
from app.ocpp.v16.timers import Timers
from app.station.commands import SetReaderLamp, ShowText
from app.station.kinds import ReaderLamp

SECONDS = 5.0
"""How long a sentence stays before the screen goes back to the usual one."""


class Signals:
    """Lamps and sentences; sentences fall back by themselves."""

    def __init__(self, ctx: Context, timers: Timers) -> None:
        self._ctx = ctx
        self._deadlines = timers
        self._timers: dict[int, Timer] = {}

    def lamp(self, reader: int | None, lamp: ReaderLamp) -> None:
        if reader is not None:
            self._ctx.station.handle(SetReaderLamp(reader, lamp))

    def say(
        self,
        evses: Iterable[int],
        key: str,
        params: Mapping[str, Any] | None = None,
        *,
        seconds: float | None = SECONDS,
    ) -> None:
        """Show `v16.screen.<key>` on these EVSEs; for good where `seconds` is None."""
        for evse in sorted(set(evses)):
            self._drop(evse)
            self._ctx.station.handle(ShowText(evse, Text(f"v16.screen.{key}", params or {})))
            if seconds is not None:
                self._timers[evse] = self._deadlines.call_in(
                    seconds,
                    lambda evse=evse: self.clear((evse,)),  # type: ignore[misc]
                )

    def clear(self, evses: Iterable[int]) -> None:
        """Back to the usual sentence."""
        for evse in sorted(set(evses)):
            self._drop(evse)
            self._ctx.station.handle(ShowText(evse, None))

    def _drop(self, evse: int) -> None:
        timer = self._timers.pop(evse, None)
        if timer is not None:
            timer.cancel()
