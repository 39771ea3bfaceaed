"""The time of an update in which the station gives no service, and the wait for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from app.kernel.activity import Wakeup
from app.kernel.text import Text
from app.ocpp.context import Context
from app.station.commands import SetReaderLamp, ShowText
from app.station.kinds import ReaderLamp


class Withhold(Protocol):
    """Takes what is free out of service for the time of the update; or all, the station too."""

    def __call__(self, *, everything: bool) -> None: ...


class Standstill:
    """One a power cycle: whoever needs it closes again after the next boot."""

    def __init__(
        self,
        ctx: Context,
        sessions_run: Callable[[], bool],
        withhold: Withhold,
        give_back: Callable[[], None],
    ) -> None:
        self._ctx = ctx
        self._sessions_run, self._withhold, self._give_back = sessions_run, withhold, give_back
        self._partly = False
        self._wholly = False
        self._changed: Wakeup | None = None

    async def until_idle(self) -> None:
        """All sessions end; whatever is free meanwhile is Unavailable."""
        while self._sessions_run():
            self.keep_free()
            self._changed = self._ctx.activity.wakeup()
            await self._changed.wait()

    def look_again(self) -> None:
        """A session may have ended."""
        if self._changed is not None:
            self._changed.set()

    def keep_free(self) -> None:
        """What is free is to stay so."""
        self._partly = True
        self._withhold(everything=False)

    def close(self) -> None:
        """Nothing begins any more, and everybody sees why."""
        self._partly = self._wholly = True
        self._withhold(everything=True)
        self._show("updating")

    def end(self) -> None:
        """Back to normal service."""
        if self._partly:
            self._partly = False
            self._give_back()
        if self._wholly:
            self._wholly = False
            self._show(None)

    def _show(self, key: str | None) -> None:
        text = Text(f"transfer.screen.{key}") if key else None
        snapshot = self._ctx.station.snapshot()
        for evse in (0, *(each.id for each in snapshot.evses)):
            self._ctx.station.handle(ShowText(evse, text))
        for reader in snapshot.readers:
            lamp = ReaderLamp.OFF if key else ReaderLamp.WAITING
            self._ctx.station.handle(SetReaderLamp(reader.id, lamp))
