"""Collects garbage in the window's thread only.

Python's collector runs in whichever thread happens to allocate. A dialog or timer in a reference cycle
would then be destroyed in the thread of the training CSMS or of the journal, and Qt ends the process for
that. So the automatic collection is switched off while a window is open, and a timer does its work here.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS = 1_000

THOROUGH_EVERY = 30
"""Full rounds until one looks at everything again: about an hour."""


class Collector(QObject):
    """Takes garbage collection over from `start()` to `stop()`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self.collect_due)
        self._was_on = False
        self._full_rounds = 0

    def start(self) -> None:
        """Take over."""
        self._was_on = gc.isenabled()
        gc.disable()
        self._timer.start()

    def settle(self) -> None:
        """What is there now counts as there to stay, so that later rounds are short."""
        gc.collect()
        gc.freeze()

    def stop(self) -> None:
        """Give back."""
        self._timer.stop()
        gc.unfreeze()
        gc.collect()
        if self._was_on:
            gc.enable()

    def collect_due(self) -> int | None:
        """Collect the oldest generation that is due; returns which, None when none was."""
        counts, limits = gc.get_count(), gc.get_threshold()
        for generation in (2, 1, 0):
            if counts[generation] > limits[generation]:
                if generation == 2:
                    self._collect_all()
                else:
                    gc.collect(generation)
                return generation
        return None

    def _collect_all(self) -> None:
        """A full round over what came since the last one; what outlives it is set aside.

        A long session keeps a hundred thousand messages and events: to look at all of them each time
        would hold up the window for longer than people overlook.
        """
        self._full_rounds += 1
        if self._full_rounds % THOROUGH_EVERY == 0:
            gc.unfreeze()
        gc.collect()
        gc.freeze()
