"""Station time, which people can speed up and jump. What is real is the time of the link (`link_clock`).

It has two readings. `elapsed()` counts the seconds the station has lived: physics and
intervals use it. `now()` is the calendar the station believes in: elapsed time plus an offset. A *jump*
is time travel: time passes, all deadlines on the way fire in order. A *correction* sets the calendar
only (the back office told the time): intervals keep what is left of them, no energy is made up, and only
deadlines tied to the calendar move.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum

from app.kernel.activity import Activity

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)


def showable(when: datetime) -> bool:
    """Whether a calendar may read this: far enough from both ends of what a date can hold.

    A calendar at the very end would fail at its next second, and at each deadline that is reckoned from it.
    """
    return EARLIEST <= when <= LATEST


class Missed(Enum):
    """What a periodic deadline does with beats that lie behind when it comes to fire.

    That happens when the computer slept or the calendar was set forward; time travel stops at every beat.
    """

    ALL = "all"
    LAST = "last"
    """One beat for all that lie behind."""
    SKIP = "skip"
    """None; it goes on with the next."""


def _nothing() -> None:
    """What a cancelled deadline calls."""


_NO_CONTEXT = Context()


@dataclass(slots=True, eq=False)
class Timer:
    """A deadline that can be cancelled. `due` is in elapsed seconds; `at` is set for calendar ones.

    The callback runs in the context it was set in, whoever moves the clock: what it publishes names the
    origin and the cause of the one who set it.
    """

    due: float
    callback: Callable[[], None]
    at: datetime | None = None
    period: float | None = None
    cancelled: bool = False
    context: Context = field(default_factory=copy_context, repr=False)

    def cancel(self) -> None:
        self.cancelled = True
        # it may lie among the deadlines for hours: what it would have called need not live as long
        self.callback = _nothing
        self.context = _NO_CONTEXT

    def fire(self) -> None:
        # a copy, because a context cannot be entered twice, and a callback may move the clock
        self.context.copy().run(self.callback)


class Clock(ABC):
    """Station time."""

    def __init__(self, activity: Activity | None = None) -> None:
        self.activity = activity or Activity()
        self.follow_server = True
        """Whether a back office may set the calendar: not once people sped time up or moved it."""
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._journey = asyncio.Lock()

    @abstractmethod
    def elapsed(self) -> float:
        """Seconds of station time since this clock was made. Never falls."""

    @abstractmethod
    def now(self) -> datetime:
        """The calendar the station believes in (aware, UTC)."""

    async def travel(self, seconds: float) -> None:
        """Let `seconds` pass at once; deadlines on the way fire in order, the station at rest between.

        Begins when journeys that were asked for before are over. Raises ValueError for one backwards.
        """
        async with self._journey:
            await self._travel(seconds)

    async def travel_to(self, when: datetime) -> None:
        """The same until the calendar reads `when`."""
        async with self._journey:
            await self._travel((when - self.now()).total_seconds())

    @abstractmethod
    async def _travel(self, seconds: float) -> None: ...

    @abstractmethod
    def _set_offset(self, change: timedelta) -> None: ...

    @abstractmethod
    def _rearm(self) -> None:
        """The nearest deadline may have changed."""

    def call_in(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call after an interval of station time. Calendar corrections do not move it."""
        return self._add(Timer(self.elapsed() + max(0.0, seconds), callback))

    def call_when(self, elapsed: float, callback: Callable[[], None]) -> Timer:
        """Call when `elapsed()` reads exactly this (at once if it has passed)."""
        return self._add(Timer(elapsed, callback))

    def call_at(self, when: datetime, callback: Callable[[], None]) -> Timer:
        """Call when the calendar reads `when` (at once if it has passed)."""
        return self._add(Timer(self._due_of(when), callback, at=when))

    def every(
        self,
        seconds: float,
        callback: Callable[[], None],
        *,
        first: datetime | None = None,
        missed: Missed = Missed.ALL,
    ) -> Timer:
        """Call again and again, `seconds` apart; with `first` tied to the calendar."""
        return _Periodic(self, seconds, callback, first, missed).timer

    async def sleep(self, seconds: float) -> None:
        """Park the calling (counted) coroutine for `seconds` of station time."""
        wakeup = self.activity.wakeup()
        timer = self.call_in(seconds, wakeup.set)
        try:
            await wakeup.wait()
        finally:
            timer.cancel()

    async def sleep_until(self, when: datetime) -> None:
        """Park the calling (counted) coroutine until the calendar reads `when`."""
        wakeup = self.activity.wakeup()
        timer = self.call_at(when, wakeup.set)
        try:
            await wakeup.wait()
        finally:
            timer.cancel()

    def correct(self, now: datetime) -> timedelta:
        """Set the calendar. Returns by how much it changed. Passed calendar deadlines fire."""
        change = now - self.now()
        self._set_offset(change)
        # sorted, so that deadlines of the same instant keep their order
        entries = [timer for _, _, timer in sorted(self._heap[:]) if not timer.cancelled]
        self._heap.clear()
        for timer in entries:
            if timer.at is not None:
                timer.at = _next_beat(timer, now)
                timer.due = self._due_of(timer.at)
            self._push(timer)
        self._rearm()
        return change

    def next_due(self) -> float | None:
        """Elapsed seconds of the nearest deadline, None if there is none."""
        while self._heap and self._heap[0][2].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def _due_of(self, when: datetime) -> float:
        return self.elapsed() + (when - self.now()).total_seconds()

    def _add(self, timer: Timer) -> Timer:
        self._push(timer)
        self._rearm()
        return timer

    def _push(self, timer: Timer) -> None:
        heapq.heappush(self._heap, (timer.due, next(self._order), timer))

    def _fire_next(self) -> None:
        _, _, timer = heapq.heappop(self._heap)
        if not timer.cancelled:
            timer.cancelled = True
            timer.fire()


def _next_beat(timer: Timer, now: datetime) -> datetime:
    """When a calendar deadline fires after the calendar was set to `now`.

    One that beats every 15 minutes still does when the calendar was set back by hours.
    """
    assert timer.at is not None
    ahead = (timer.at - now).total_seconds()
    if timer.period is None or ahead <= timer.period:
        return timer.at
    return timer.at - timedelta(seconds=(math.ceil(ahead / timer.period) - 1) * timer.period)


class _Periodic:
    """A deadline that sets itself again."""

    def __init__(
        self,
        clock: Clock,
        seconds: float,
        callback: Callable[[], None],
        first: datetime | None,
        missed: Missed,
    ) -> None:
        if seconds <= 0:
            raise ValueError(f"a period must be longer than 0 s, not {seconds}")
        self._clock, self._seconds, self._callback = clock, seconds, callback
        self._missed = missed
        due = clock._due_of(first) if first else clock.elapsed() + seconds
        self.timer = Timer(due, self._beat, at=first, period=seconds)
        clock._add(self.timer)

    def _beat(self) -> None:
        timer, clock = self.timer, self._clock
        late = clock.elapsed() - timer.due
        passed = int(late // self._seconds) if self._missed is not Missed.ALL else 0
        if timer.at is not None:
            timer.at += timedelta(seconds=self._seconds * (passed + 1))
            timer.due = clock._due_of(timer.at)
        else:
            timer.due += self._seconds * (passed + 1)
        timer.cancelled = False
        clock._add(timer)
        if self._missed is Missed.SKIP and late >= self._seconds:
            return
        self._callback()


class VirtualClock(Clock):
    """Station time that stands still until it is moved: for tests, scripts and replays."""

    def __init__(self, start: datetime, activity: Activity | None = None) -> None:
        super().__init__(activity)
        self._start = start.astimezone(UTC)
        self._offset = timedelta(0)
        self._elapsed = 0.0

    def elapsed(self) -> float:
        return self._elapsed

    def now(self) -> datetime:
        return self._start + self._offset + timedelta(seconds=self._elapsed)

    def _set_offset(self, change: timedelta) -> None:
        self._offset += change

    def _rearm(self) -> None:
        pass

    def step(self, until: float) -> bool:
        """Move to the next deadline up to `until` (elapsed seconds) and fire it; False: none left."""
        due = self.next_due()
        if due is None or due > until:
            self._elapsed = max(self._elapsed, until)
            return False
        self._elapsed = max(self._elapsed, due)
        self._fire_next()
        return True

    def advance_now(self, seconds: float) -> None:
        """Move without waiting for coroutines: only where none take part."""
        until = self._elapsed + seconds
        while self.step(until):
            pass

    async def advance(self, seconds: float) -> None:
        """Move, letting the station come to rest before and after each deadline."""
        until = self._elapsed + seconds
        await self.activity.idle()
        while self.step(until):
            await self.activity.idle()

    async def _travel(self, seconds: float) -> None:
        await self.advance(seconds)


class SystemClock(Clock):
    """Station time that runs with the computer's, `rate` times as fast."""

    def __init__(
        self,
        activity: Activity | None = None,
        *,
        rate: float = 1.0,
        start: datetime | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(activity)
        self._monotonic = monotonic
        self._rate = rate
        self.follow_server = rate == 1.0
        self._base_real = monotonic()
        self._base_elapsed = 0.0
        self._zero = (start or datetime.now(UTC)).astimezone(UTC)
        self._handle: asyncio.TimerHandle | None = None
        self._closed = False
        self.on_failure: Callable[[Exception], None] | None = None
        """Told of what a deadline raises; None: it is raised to whoever lets time pass."""

    @property
    def rate(self) -> float:
        """Seconds of station time a real second."""
        return self._rate

    def set_rate(self, rate: float) -> None:
        """Run faster or slower from now on (0 < rate <= 3600)."""
        if not 0 < rate <= 3600:
            raise ValueError(f"rate must be above 0 and at most 3600, not {rate}")
        self._rebase()
        self._rate = rate
        self.follow_server = self.follow_server and rate == 1.0
        self._rearm()

    def elapsed(self) -> float:
        return self._base_elapsed + (self._monotonic() - self._base_real) * self._rate

    def now(self) -> datetime:
        return self._zero + timedelta(seconds=self.elapsed())

    def jump(self, seconds: float) -> None:
        """Let `seconds` pass at once: all deadlines on the way fire in order, each at its time."""
        if seconds < 0:
            raise ValueError("time travel goes forward only")
        self.follow_server = self.follow_server and seconds == 0
        target = self.elapsed() + seconds
        while (due := self.next_due()) is not None and due <= target:
            self._rebase(due)
            self._fire_next()
        self._rebase(target)
        self._rearm()

    async def _travel(self, seconds: float) -> None:
        """As `jump`, but the station comes to rest after each deadline before time goes on."""
        if seconds < 0:
            raise ValueError("time travel goes forward only")
        self.follow_server = self.follow_server and seconds == 0
        target = self.elapsed() + seconds
        await self.activity.idle()
        while (due := self.next_due()) is not None and due <= target:
            self._rebase(due)
            self._fire_next()
            await self.activity.idle()
        self._rebase(target)
        self._rearm()

    def _fire_next(self) -> None:
        try:
            super()._fire_next()
        except Exception as error:
            if self.on_failure is None:
                raise
            self.on_failure(error)

    def close(self) -> None:
        """Fire nothing any more."""
        self._closed = True
        if self._handle:
            self._handle.cancel()

    def _rebase(self, at_least: float = 0.0) -> None:
        """Count from this instant on, in which so many seconds have elapsed."""
        self._base_elapsed = max(self.elapsed(), at_least)
        self._base_real = self._monotonic()

    def _set_offset(self, change: timedelta) -> None:
        self._zero += change

    def _rearm(self) -> None:
        if self._handle:
            self._handle.cancel()
            self._handle = None
        due = self.next_due()
        if due is None or self._closed:
            return
        # a Qt loop counts its timers in milliseconds of 32 bits: nearly a month at most
        delay = min(max(0.0, (due - self.elapsed()) / self._rate), 86_400.0)
        self._handle = asyncio.get_running_loop().call_later(delay, self._fire_due)

    def _fire_due(self) -> None:
        self._handle = None
        due = self.next_due()
        try:
            if due is not None and due <= self.elapsed():
                self._fire_next()
        finally:
            # one a turn of the loop: a burst after a suspend must not stall the picture
            self._rearm()
