"""Collects garbage at moments that the program chooses, in the thread of its loop only.

Python's collector runs in whichever thread happens to allocate, and looks at all there is whenever enough
has come in: in the middle of a frame, for 50 ms and more. In a window it also destroys a dialog or timer of
a reference cycle in the thread of the training CSMS or of the journal, and Qt ends the process for that.
So the automatic collection is switched off while a station runs, and a timer of the loop does its work
here: each round looks only at what is new, and what outlives it is set aside.

What dies in a cycle after it was set aside, such as the controller of a power cycle, is found by looking at
everything, and with a history of a hundred thousand messages that takes most of a second. So it is done
only when what was set aside has doubled, as memory grows no further than that, and only when nobody minds.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable

INTERVAL = 1.0
"""Seconds between two rounds."""

SET_ASIDE_AT = 5_000
"""New objects after which those that are still there count as there to stay."""

BURST = 5_000
"""So many new objects of one round are not looked at, but count as there to stay: it is the program that was
read, or a flood of messages, and a millisecond is enough for two thousand."""

THOROUGH_AT = 100_000
"""Objects that are set aside, at least, before a round looks at everything again."""

AT_ANY_PRICE = 8
"""So many times as many, and it is done though somebody minds: better a jerk than no memory."""


LONG = 60.0
"""Seconds without a change after which nothing is going on."""


class Still:
    """True when called after what `look` tells has been the same for long.

    Looks only when it is asked: it is of use for what can wait for such a moment, and asks again and again.
    """

    def __init__(
        self, look: Callable[[], object], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._look, self._now = look, now
        self._seen: object = None
        self._since = 0.0

    def __call__(self) -> bool:
        seen, now = self._look(), self._now()
        if seen != self._seen:
            self._seen, self._since = seen, now
        return now - self._since >= LONG


def always() -> bool:
    """Nobody minds."""
    return True


class Collector:
    """Takes garbage collection over from `start()` to `stop()`; the loop runs meanwhile."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None
        self._was_on = False
        self._new = 0
        self._set_aside = 0
        """About how many since everything was looked at."""
        self._thorough_at = THOROUGH_AT
        self._quiet: Callable[[], bool] = always

    def start(self) -> None:
        """Take over."""
        self._was_on = gc.isenabled()
        gc.disable()
        self._later()

    def settle(self, quiet: Callable[[], bool] = always) -> None:
        """What is there now counts as there to stay, so that later rounds are short.

        `quiet`: would nobody notice now if the program stood still for a second? Asked when there is need.
        """
        gc.freeze()
        self._quiet = quiet

    def stop(self) -> None:
        """Give back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        gc.unfreeze()
        if self._was_on:
            gc.enable()

    def collect_due(self) -> None:
        """One round: short, for a long session keeps a hundred thousand messages and events."""
        new = gc.get_count()[0]
        if new > gc.get_threshold()[0]:
            self._look_at_new(new)
        due = self._set_aside - self._thorough_at
        if due >= 0 and (self._quiet() or due >= (AT_ANY_PRICE - 1) * self._thorough_at):
            self._look_at_all()

    def _look_at_new(self, count: int) -> None:
        self._new += count
        burst = count >= BURST
        if not burst and self._new <= SET_ASIDE_AT:
            self._new -= gc.collect(0)
            return
        if not burst:
            self._new -= gc.collect()
        gc.freeze()
        self._set_aside += max(0, self._new)
        self._new = 0

    def _look_at_all(self) -> None:
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._new = self._set_aside = 0
        self._thorough_at = max(THOROUGH_AT, gc.get_freeze_count())

    def _later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._round)

    def _round(self) -> None:
        self._later()
        self.collect_due()
