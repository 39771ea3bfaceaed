"""Notices that the computer slept: what stood before is not to be trusted, and the calendar went on alone.

Monotonic time stands still while most computers sleep, wall time does not; where it goes on, a beat that
comes far too late tells the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from app.kernel.link_clock import LinkClock, LinkTimer

EVERY = 5.0
"""Seconds between two looks."""

LEAST = 10.0
"""Seconds of sleep that count. Shorter ones the next ping finds."""


def time_with_sleep() -> float:
    """Seconds that go on while the computer sleeps; set by nobody where the system has such a clock."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.time() if boot is None else time.clock_gettime(boot)


class SleepWatch:
    """Calls `woke` with the seconds that link time has missed (0: it missed none) after each sleep."""

    def __init__(
        self,
        link: LinkClock,
        woke: Callable[[float], None],
        *,
        whole: Callable[[], float] = time_with_sleep,
    ) -> None:
        self._link, self._woke, self._whole = link, woke, whole
        self._timer: LinkTimer | None = None
        self._link_then = self._whole_then = 0.0

    def start(self) -> None:
        self._look_again()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_again(self) -> None:
        self._link_then, self._whole_then = self._link.monotonic(), self._whole()
        self._timer = self._link.call_later(EVERY, self._look)

    def _look(self) -> None:
        passed = self._link.monotonic() - self._link_then
        missed = self._whole() - self._whole_then - passed
        late = passed - EVERY
        self._look_again()
        if missed >= LEAST:
            self._woke(missed)
        elif late >= LEAST:
            self._woke(0.0)
