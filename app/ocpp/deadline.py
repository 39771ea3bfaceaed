"""How long the answer to a CALL is waited for, in link time."""

from __future__ import annotations

from collections.abc import Callable

from app.kernel.link_clock import LinkClock, LinkTimer


class Deadline:
    """One timer for the time-outs of all CALLs, one after the other.

    A CALL is answered long before its time is up, so a timer of its own would be made and cancelled for
    nothing (and lie in the loop's heap until its time). This one runs on; when it is done too early, it
    is set for what is left.
    """

    def __init__(self, link: LinkClock, passed: Callable[[], None]) -> None:
        self._link, self._passed = link, passed
        self._due: float | None = None
        self._timer: LinkTimer | None = None
        self._timer_due = 0.0

    def set(self, seconds: float) -> None:
        """Call `passed` in so many seconds of link time, unless it is cleared before."""
        self._due = self._link.monotonic() + seconds
        if self._timer is not None and self._timer_due > self._due:
            self._cancel()
        if self._timer is None:
            self._start(self._due)

    def clear(self) -> float | None:
        """Nothing is waited for at the moment. Returns until when something was."""
        due, self._due = self._due, None
        return due

    def resume(self, due: float) -> None:
        """Wait again for what `clear` interrupted; what is over by now is over at once."""
        left = due - self._link.monotonic()
        if left > 0:
            self.set(left)
        else:
            self._passed()

    def drop(self) -> None:
        """Nothing is waited for any more: leave no timer behind."""
        self._due = None
        self._cancel()

    def _start(self, due: float) -> None:
        self._timer_due = due
        self._timer = self._link.call_later(max(0.0, due - self._link.monotonic()), self._ring)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        rung_at, self._timer = self._timer_due, None
        if self._due is None:
            return
        if self._due > rung_at:
            self._start(self._due)
            return
        self._due = None
        self._passed()
