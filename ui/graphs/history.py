"""The recent past of one EVSE, in one preallocated ring: a sample at most every half second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.station.kinds import Flow
from app.station.snapshot import EvseSnapshot

CAPACITY = 57_600
"""Samples kept: eight hours at two a second."""

SPACING = 0.5
"""Seconds between two samples, at least."""

TIME, POWER, LIMIT, CURRENT, LIMIT_CURRENT, SOC = range(6)
COLUMNS = 6

Samples = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Marker:
    """An exchange about this EVSE: when (epoch seconds), which row, and was it sent by the station."""

    time: float
    number: int
    outgoing: bool


class History:
    """Samples of one EVSE: time (epoch s), kW, kW, A, A, percent; what is not known is NaN."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._data = np.full((COLUMNS, capacity), np.nan)
        self._capacity = capacity
        self._count = 0
        self._start = 0
        self.session_start: float | None = None
        self.markers: list[Marker] = []

    def __len__(self) -> int:
        return self._count

    def add(self, when: float, evse: EvseSnapshot) -> bool:
        """Note how it stands. False when the last sample is too fresh and nothing stands out."""
        self._note_session(when, evse)
        if self._count:
            last = self._at(self._count - 1)
            calm = abs(self._data[POWER, last] - evse.power / 1000) < 0.5
            age = when - self._data[TIME, last]
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
        self._data[:, index] = (
            when,
            evse.power / 1000,
            evse.limit_power / 1000,
            max(evse.currents),
            evse.limit_current,
            car.soc if car is not None and evse.flow is not Flow.IDLE else np.nan,
        )
        return True

    def mark(self, marker: Marker) -> None:
        self.markers.append(marker)
        if len(self.markers) > 2_000:
            del self.markers[:500]

    def clear(self) -> None:
        self._count = self._start = 0
        self.session_start = None

    def since(self, when: float | None) -> Samples:
        """The samples from `when` on (None: all), oldest first, one before it for the line's start."""
        if self._start == 0:
            data = self._data[:, : self._count]
        else:
            data = np.roll(self._data, -self._start, axis=1)[:, : self._count]
        if when is None or not self._count:
            return data
        first = int(np.searchsorted(data[TIME], when))
        return data[:, max(0, first - 1) :]

    def _at(self, place: int) -> int:
        return (self._start + place) % self._capacity

    def _note_session(self, when: float, evse: EvseSnapshot) -> None:
        if evse.session_since is not None:
            self.session_start = evse.session_since.timestamp()
        elif evse.flow is not Flow.IDLE and self.session_start is None:
            self.session_start = when
