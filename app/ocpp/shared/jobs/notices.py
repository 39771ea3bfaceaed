"""Reports on jobs, in the order of what they tell, over breaks of the link and power cuts.

A report is a row from the step in which its state began until it was sent. Unlike messages of
transactions it is sent once: an error as the answer ends it too.
"""

from __future__ import annotations

from collections.abc import Callable

from app.kernel.activity import Wakeup
from app.ocpp.context import CallFailed, Context, NotConnected, Payload

TABLE = "job_notices"


class Notices:
    """The reports that wait. One a power cycle, over the same rows."""

    def __init__(self, ctx: Context, may_speak: Callable[[], bool]) -> None:
        self._ctx, self._may_speak = ctx, may_speak
        self._running = False
        self._quiet: list[Wakeup] = []
        self._next = 1 + max((int(key) for key, _ in ctx.store.rows(TABLE)), default=0)

    def put(self, action: str, payload: Payload) -> None:
        """Write a report down: in the step of what it tells. `kick()` after it."""
        self._ctx.store.put(TABLE, f"{self._next:010d}", {"action": action, "payload": payload})
        self._next += 1

    def kick(self) -> None:
        """Send what waits, if we may."""
        if not self._running and self._may_speak() and self._ctx.store.count(TABLE):
            self._running = True
            self._ctx.spawn(self._pump(), "job notices")

    async def flushed(self) -> None:
        """Wait until all has been sent, or cannot be sent now."""
        self.kick()
        if self._running:
            wakeup = self._ctx.activity.wakeup()
            self._quiet.append(wakeup)
            await wakeup.wait()

    async def _pump(self) -> None:
        try:
            while self._may_speak() and (first := self._ctx.store.first(TABLE)) is not None:
                key, row = first
                try:
                    await self._ctx.calls.call(row["action"], row["payload"])
                except NotConnected:
                    break
                except CallFailed:
                    pass  # refused or unanswered: it was sent, and the next one will tell more
                self._ctx.store.delete(TABLE, key)
        finally:
            self._running = False
            for wakeup in self._quiet:
                wakeup.set()
            self._quiet.clear()
