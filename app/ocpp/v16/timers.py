"""Deadlines of one power cycle: none of them outlives it."""

from __future__ import annotations

from collections.abc import Callable

from app.kernel.clock import Clock, Timer

_MANY = 64


class Timers:
    """Sets deadlines on the station's clock and can drop them all at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._set: list[Timer] = []

    def call_in(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """As `Clock.call_in`."""
        if len(self._set) > _MANY:
            self._set = [timer for timer in self._set if not timer.cancelled]
        timer = self._clock.call_in(seconds, callback)
        self._set.append(timer)
        return timer

    def cancel_all(self) -> None:
        """The power cycle is over."""
        for timer in self._set:
            timer.cancel()
        self._set.clear()
