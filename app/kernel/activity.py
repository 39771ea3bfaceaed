"""Counts what is still in motion, so that virtual time moves only when the station is quiescent.

A coroutine counts as running from its start to its end, except while it is parked in a port (a clock, an
event queue). Who wakes or cancels it counts it in again *before* it runs, so there is no moment at which a
wakened coroutine looks idle. Open CALLs, transfers and workers simply stay counted while they last.

Count a task out in its done callback: one that is cancelled before its first step runs no `finally`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Activity:
    """The counter: begin, end, park, and wait until nothing is in motion."""

    def __init__(self) -> None:
        self.count = 0
        self._idle_waiters: list[asyncio.Future[None]] = []

    def begin(self) -> None:
        self.count += 1

    def end(self) -> None:
        self.count -= 1
        if self.count <= 0:
            for waiter in self._idle_waiters:
                if not waiter.done():
                    waiter.set_result(None)
            self._idle_waiters.clear()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count a stretch of work that holds virtual time still."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    async def idle(self) -> None:
        """Wait until nothing is in motion. The caller itself must not be counted."""
        while self.count > 0:
            waiter = asyncio.get_running_loop().create_future()
            self._idle_waiters.append(waiter)
            await waiter

    def wakeup(self) -> Wakeup:
        return Wakeup(self)


class Wakeup:
    """A one-shot signal a counted coroutine parks on."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity
        self._parked: _Parked | None = None
        self._set = False

    @property
    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        """Wake the parked coroutine, counting it in at once."""
        if self._set:
            return
        self._set = True
        if self._parked is not None and not self._parked.done():
            self._activity.begin()
            self._parked.set_result(None)

    async def wait(self) -> None:
        """Park until `set()`; returns at once when it was set before."""
        if self._set:
            return
        self._parked = _Parked(self._activity)
        self._activity.end()
        await self._parked


class _Parked(asyncio.Future[None]):
    """What a parked coroutine awaits. Cancelling its task cancels this first: the moment to count it in."""

    def __init__(self, activity: Activity) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self._activity = activity

    def cancel(self, msg: Any | None = None) -> bool:
        if not super().cancel(msg=msg):
            return False
        self._activity.begin()
        return True
