"""Deadlines of one power cycle: none of them outlives it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from app.kernel.clock import Clock, Timer

_MANY = 64


class Timers:
    """Sets deadlines on the station's clock and can drop them all at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._set: list[Timer] = []

    def call_in(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """As `Clock.call_in`."""
        return self._keep(self._clock.call_in(seconds, callback))

    def call_at(self, when: datetime, callback: Callable[[], None]) -> Timer:
        """As `Clock.call_at`."""
        return self._keep(self._clock.call_at(when, callback))

    def cancel_all(self) -> None:
        """The power cycle is over."""
        for timer in self._set:
            timer.cancel()
        self._set.clear()

    def _keep(self, timer: Timer) -> Timer:
        if len(self._set) > _MANY:
            self._set = [each for each in self._set if not each.cancelled]
        self._set.append(timer)
        return timer
