"""Installed profiles laid on an axis of whole seconds."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter

from app.ocpp.shared.charging.model import (
    DEFAULT_PHASES,
    Installed,
    Kind,
    Outlet,
    Purpose,
    Recurrency,
    Unit,
    second,
)

ALWAYS = 1 << 60
"""Further than any moment, in either direction."""

_PERIOD_START = attrgetter("start")

_MONDAY = 4 * 86_400
"""Seconds from the first of January 1970, a Thursday, to the first Monday."""


@dataclass(slots=True, eq=False)
class Term:
    """What one period of an installed profile demands. Never changed; not frozen as thousands are made."""

    installed: Installed
    limit: float
    unit: Unit
    phases: int
    phase_to_use: int | None


Segment = tuple[int, int, Term]
"""From the one second up to before the other, this is demanded."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """The steps of one installed profile on the axis.

    `base` is second 0 of its schedule (of any cycle, if it recurs); it demands something from `since` on
    at the earliest, and is valid in [`valid_from`, `valid_to`). Steps are relative to the start of a
    cycle; without `cycle` there is one only.
    """

    installed: Installed
    base: int
    since: int
    valid_from: int
    valid_to: int
    cycle: int | None
    steps: tuple[Segment, ...]

    @property
    def span(self) -> int:
        """Seconds that the steps of a cycle cover."""
        return self.steps[-1][1] if self.steps else 0

    def blocks(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """Where within [begin, end) it has a period, without gaps inside a block."""
        begin = max(begin, self.valid_from, self.since)
        end = min(end, self.valid_to)
        if begin >= end or not self.steps:
            return
        lead = self.steps[0][0]
        if self.cycle is None:
            yield from _clip(self.base + lead, self.base + self.span, begin, end)
        elif lead == 0 and self.span == self.cycle:
            yield begin, end
        else:
            first = self.base + (begin - self.base) // self.cycle * self.cycle
            for start in range(first, end, self.cycle):
                yield from _clip(start + lead, start + self.span, begin, end)

    def lay(self, begin: int, end: int, out: list[Segment]) -> None:
        """Append what it demands in [begin, end), which must lie inside a block."""
        if self.cycle is None:
            self._lay_cycle(self.base, begin, end, out)
            return
        first = self.base + (begin - self.base) // self.cycle * self.cycle
        for start in range(first, end, self.cycle):
            self._lay_cycle(start, begin, end, out)

    def _lay_cycle(self, start: int, begin: int, end: int, out: list[Segment]) -> None:
        if start >= begin and start + self.span <= end:
            out.extend([(start + on, start + off, term) for on, off, term in self.steps])
            return
        for on, off, term in self.steps:
            on += start
            off += start
            if on >= end:
                return
            if off > begin:
                out.append((max(on, begin), min(off, end), term))


def _clip(on: int, off: int, begin: int, end: int) -> Iterator[tuple[int, int]]:
    on, off = max(on, begin), min(off, end)
    if on < off:
        yield on, off


def track(installed: Installed, outlet: Outlet, now: int, index: int = 0) -> Track | None:
    """The track of a profile for this outlet; None if it has no schedule at `index`.

    `now` is second 0 of relative schedules while no transaction has begun to charge: an idle outlet is
    seen as if one began now (2.0.1 K08.FR.06). Only profiles for transactions have more than one schedule
    to choose from (2.0.1 K15.FR.22); of others the one that they have is taken.
    """
    profile = installed.profile
    if index >= len(profile.schedules):
        if profile.purpose is Purpose.TX:
            return None
        index = 0
    cycle, base, since = None, _base(installed, outlet, now, index), -ALWAYS
    if profile.kind is Kind.RECURRING:
        cycle = (profile.recurrency or Recurrency.DAILY).seconds
        if profile.schedules[index].start is not None:
            since = base
    return Track(
        installed=installed,
        base=base,
        since=since,
        valid_from=-ALWAYS if profile.valid_from is None else second(profile.valid_from),
        valid_to=ALWAYS if profile.valid_to is None else second(profile.valid_to),
        cycle=cycle,
        steps=_steps(installed, index, cycle),
    )


def _base(installed: Installed, outlet: Outlet, now: int, index: int) -> int:
    """Second 0 of a schedule (SC-08)."""
    profile = installed.profile
    if profile.kind is Kind.RELATIVE:
        if profile.purpose not in (Purpose.TX, Purpose.TX_DEFAULT):
            return second(installed.received)
        started = outlet.transaction and outlet.transaction.started
        return second(started) if started else now
    start = profile.schedules[index].start
    if start is not None:
        return second(start)
    if profile.kind is Kind.RECURRING:
        # Neither version says where such a cycle begins: with the day, or with the week.
        return _MONDAY if profile.recurrency is Recurrency.WEEKLY else 0
    return second(profile.valid_from or installed.received)


def _steps(installed: Installed, index: int, cycle: int | None) -> tuple[Segment, ...]:
    """The periods that are executed, cut at the duration and at the cycle (SC-09)."""
    schedule = installed.profile.schedules[index]
    end = ALWAYS if schedule.duration is None else schedule.duration
    if cycle is not None and cycle < end:
        end = cycle
    steps: list[Segment] = []
    off = end
    unit = schedule.unit
    for period in sorted(schedule.periods, key=_PERIOD_START, reverse=True):
        on = period.start if period.start > 0 else 0
        if on < off:
            phases = period.phases or DEFAULT_PHASES
            term = Term(installed, period.limit, unit, phases, period.phase_to_use)
            steps.append((on, off, term))
            off = on
    steps.reverse()
    return tuple(steps)


class Free:
    """The part of some windows that nobody has taken yet."""

    __slots__ = ("_begins", "_ends")

    def __init__(self, windows: Iterable[tuple[int, int]]) -> None:
        """`windows` in order, apart from each other."""
        self._begins: list[int] = []
        self._ends: list[int] = []
        for begin, end in windows:
            self._begins.append(begin)
            self._ends.append(end)

    def __bool__(self) -> bool:
        return bool(self._begins)

    def take(self, begin: int, end: int) -> list[tuple[int, int]]:
        """What of [begin, end) was free; it is not any more."""
        low = bisect_right(self._ends, begin)
        high = bisect_left(self._begins, end)
        if low >= high:
            return []
        begins, ends = self._begins[low:high], self._ends[low:high]
        keep_begins, keep_ends = [], []
        if begins[0] < begin:
            keep_begins.append(begins[0])
            keep_ends.append(begin)
            begins[0] = begin
        if ends[-1] > end:
            keep_begins.append(end)
            keep_ends.append(ends[-1])
            ends[-1] = end
        self._begins[low:high] = keep_begins
        self._ends[low:high] = keep_ends
        return list(zip(begins, ends, strict=True))
