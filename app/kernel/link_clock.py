"""Link time, which is real: nobody can speed it up. For CALL time-outs, pings, back-off and transfers."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol

from app.kernel.clock import Timer


class LinkTimer(Protocol):
    def cancel(self) -> None: ...


class LinkClock(Protocol):
    """Real monotonic time."""

    def monotonic(self) -> float: ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> LinkTimer: ...

    async def sleep(self, seconds: float) -> None: ...


LONGEST_WAIT = 20 * 86_400.0
"""Seconds of link time: a Qt loop counts its timers in milliseconds of 32 bits, which is 24 days."""


class RealLinkClock:
    """The running loop's own time. What is to happen later than LONGEST_WAIT happens then."""

    def monotonic(self) -> float:
        return time.monotonic()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> LinkTimer:
        return asyncio.get_running_loop().call_later(min(seconds, LONGEST_WAIT), callback)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, LONGEST_WAIT))


class ManualLinkClock:
    """Link time that stands still until it is moved: for tests of time-outs and back-off."""

    def __init__(self) -> None:
        self._now = 0.0
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()

    def monotonic(self) -> float:
        return self._now

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(self._now + max(0.0, seconds), callback)
        heapq.heappush(self._heap, (timer.due, next(self._order), timer))
        return timer

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not future.done():
                future.set_result(None)

        timer = self.call_later(seconds, wake)
        try:
            await future
        finally:
            timer.cancel()

    def advance(self, seconds: float) -> None:
        """Move and fire what becomes due, in order."""
        target = self._now + seconds
        while self._heap and self._heap[0][0] <= target:
            due, _, timer = heapq.heappop(self._heap)
            self._now = max(self._now, due)
            if not timer.cancelled:
                timer.fire()
        self._now = target
