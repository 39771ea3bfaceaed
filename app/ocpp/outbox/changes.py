"""What a pump waits for while there is nothing that it can do."""

from __future__ import annotations

from app.kernel.activity import Wakeup
from app.ocpp.context import Context


class Changes:
    """Wakes a pump when something has changed, also where that was while it looked around:

    while True:
        changes.look()
        ...look around, and do what can be done...
        await changes.wait()
    """

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._wakeup: Wakeup | None = None
        self._unseen = False

    def kick(self) -> None:
        """Something changed."""
        self._unseen = True
        if self._wakeup is not None:
            self._wakeup.set()

    def look(self) -> None:
        """A new look begins: it sees all that has changed so far."""
        self._unseen = False

    async def wait(self, seconds: float | None = None) -> None:
        """Rest until something changes, or for so many seconds of station time."""
        if self._unseen:
            return
        wakeup = self._wakeup = self._ctx.activity.wakeup()
        timer = self._ctx.clock.call_in(seconds, wakeup.set) if seconds is not None else None
        try:
            await wakeup.wait()
        finally:
            self._wakeup = None
            if timer is not None:
                timer.cancel()
