"""Collects garbage at moments that the program chooses, in the thread of its loop only.

Python's collector runs in whichever thread happens to allocate, and looks at all there is whenever enough
has come in: in the middle of a frame, for 50 ms and more. In a window it also destroys a dialog or timer of
a reference cycle in the thread of the training CSMS or of the journal, and Qt ends the process for that.
So the automatic collection is switched off while a station runs, and a timer of the loop does its work
here: each round looks only at what is new, and what outlives it is set aside.
"""

from __future__ import annotations

import asyncio
import gc

INTERVAL = 1.0
"""Seconds between two rounds."""

SET_ASIDE_AT = 10_000
"""New objects after which those that are still there count as there to stay."""

THOROUGH_EVERY = 3600
"""Rounds until one looks at everything again, for what died after it was set aside."""


class Collector:
    """Takes garbage collection over from `start()` to `stop()`; the loop runs meanwhile."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None
        self._was_on = False
        self._new = 0
        self._rounds = 0

    def start(self) -> None:
        """Take over."""
        self._was_on = gc.isenabled()
        gc.disable()
        self._later()

    def settle(self) -> None:
        """What is there now counts as there to stay, so that later rounds are short."""
        gc.collect()
        gc.freeze()
        self._new = 0

    def stop(self) -> None:
        """Give back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        gc.unfreeze()
        gc.collect()
        if self._was_on:
            gc.enable()

    def collect_due(self) -> None:
        """One round: short, for a long session keeps a hundred thousand messages and events."""
        self._rounds += 1
        if self._rounds % THOROUGH_EVERY == 0:
            gc.unfreeze()
            self.settle()
            return
        new = gc.get_count()[0]
        if new <= gc.get_threshold()[0]:
            return
        self._new += new
        if self._new > SET_ASIDE_AT:
            self.settle()
        else:
            gc.collect(0)

    def _later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._round)

    def _round(self) -> None:
        self._later()
        self.collect_due()
