"""The recent past of one EVSE, in a ring: a sample at most every half second.

The ring grows to its full length as it fills: to lay out eight hours at once takes 2 ms for each EVSE, in the
turn of the loop in which a window shows its first picture.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass
from math import nan

from app.station.kinds import Flow
from app.station.snapshot import EvseSnapshot

CAPACITY = 57_600
"""Samples kept: eight hours at two a second."""

SPACING = 0.5
"""Seconds between two samples, at least."""

TIME, POWER, LIMIT, CURRENT, LIMIT_CURRENT, SOC = range(6)
COLUMNS = 6

Column = array
"""Doubles, oldest first."""


@dataclass(frozen=True, slots=True)
class Marker:
    """An exchange about this EVSE: when (epoch seconds), which row, and was it sent by the station."""

    time: float
    number: int
    outgoing: bool


class History:
    """Samples of one EVSE: time (epoch s), kW, kW, A, A, percent; what is not known is NaN.

    `version` grows with each change, so that a view knows whether there is something new to draw.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._data = tuple(array("d") for _ in range(COLUMNS))
        self._capacity = capacity
        self._count = 0
        self._start = 0
        self.version = 0
        self.session_start: float | None = None
        self.markers: list[Marker] = []

    def __len__(self) -> int:
        return self._count

    def add(self, when: float, evse: EvseSnapshot) -> bool:
        """Note how it stands. False when the last sample is too fresh and nothing stands out."""
        self._note_session(when, evse)
        if self._count:
            last = self._at(self._count - 1)
            calm = abs(self._data[POWER][last] - evse.power / 1000) < 0.5
            age = when - self._data[TIME][last]
            if age < 0:  # somebody set the calendar back: the past no longer fits
                self.clear()
            elif age < SPACING and calm:
                return False
        index = self._at(self._count)
        if self._count == self._capacity:
            self._start = (self._start + 1) % self._capacity
        else:
            self._count += 1
        car = evse.vehicle
        sample = (
            when,
            evse.power / 1000,
            evse.limit_power / 1000,
            max(evse.currents),
            evse.limit_current,
            car.soc if car is not None and evse.flow is not Flow.IDLE else nan,
        )
        for column, value in zip(self._data, sample, strict=True):
            if index < len(column):
                column[index] = value
            else:
                column.append(value)
        self.version += 1
        return True

    def mark(self, marker: Marker) -> None:
        self.markers.append(marker)
        self.version += 1
        if len(self.markers) > 2_000:
            del self.markers[:500]

    def clear(self) -> None:
        self._count = self._start = 0
        self.version += 1
        self.session_start = None

    def since(self, when: float | None) -> tuple[Column[float], ...]:
        """The columns from `when` on (None: all), oldest first, one before it for the line's start."""
        first = 0
        if when is not None and self._count:
            first = max(0, bisect_left(_Times(self), when) - 1)
        begin, end = self._start + first, self._start + self._count
        if end <= self._capacity:
            return tuple(column[begin:end] for column in self._data)
        if begin >= self._capacity:
            begin, end = begin - self._capacity, end - self._capacity
            return tuple(column[begin:end] for column in self._data)
        return tuple(column[begin:] + column[: end - self._capacity] for column in self._data)

    def time_at(self, place: int) -> float:
        """When the sample at this place was taken, counted from the oldest, epoch seconds."""
        return self._data[TIME][self._at(place)]

    def _at(self, place: int) -> int:
        return (self._start + place) % self._capacity

    def _note_session(self, when: float, evse: EvseSnapshot) -> None:
        if evse.session_since is not None:
            self.session_start = evse.session_since.timestamp()
        elif evse.flow is not Flow.IDLE and self.session_start is None:
            self.session_start = when


class _Times:
    """The times of a ring as a sequence, for a search that copies nothing."""

    def __init__(self, ring: History) -> None:
        self._ring = ring

    def __len__(self) -> int:
        return len(self._ring)

    def __getitem__(self, place: int) -> float:
        return self._ring.time_at(place)
