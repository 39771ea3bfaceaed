"""Work that would hold the window up is done in turns of the loop, a few milliseconds in each.

Such work is a generator that says by `yield` where it may be interrupted; what it has to clean up, however it
ends, it does in a `finally`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from typing import TypeVar, cast

from PySide6.QtCore import QObject, QTimer

TURN = 0.003
"""Seconds after which no further step begins in this turn."""

ALONE = "alone"
"""Yielded before a step that takes long and cannot be cut: it begins in a turn of its own."""
OVER = "over"
Work = Generator[str | None, None, object]
Result = TypeVar("Result")


async def in_turns(work: Work) -> None:
    """Do it to its end; the loop turns in between."""
    over = False
    try:
        while not over:
            over = _turn(work)
            await asyncio.sleep(0)
    finally:
        work.close()


def at_once(work: Generator[str | None, None, Result]) -> Result:
    """Do it to its end without a turn of the loop; what comes of it."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return cast("Result", end.value)


def _turn(work: Work) -> bool:
    """A few milliseconds of it. True when it is over."""
    end = time.perf_counter() + TURN
    while time.perf_counter() < end:
        said = next(work, OVER)
        if said is not None:
            return said == OVER
    return False


class Turns(QObject):
    """Does one piece of work after the other; another one ends what is not finished."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._work: Work | None = None
        self._stepping = False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._turn)

    @property
    def running(self) -> bool:
        """Whether there is something still to be done."""
        return self._work is not None

    def start(self, work: Work) -> None:
        """Begin with it in the next turn."""
        self.stop()
        self._work = work
        self._timer.start()

    def finish(self) -> None:
        """Do all that is left now."""
        while self._work is not None:
            self._step(self._work)

    def stop(self) -> None:
        """Leave the rest undone; a step that asks for this is the last one."""
        work, self._work = self._work, None
        self._timer.stop()
        if work is not None and not self._stepping:
            work.close()

    def _turn(self) -> None:
        end = time.perf_counter() + TURN
        work = self._work
        while work is not None and self._work is work:
            if self._step(work) == ALONE or time.perf_counter() >= end:
                return

    def _step(self, work: Work) -> str | None:
        """What is said at its end."""
        said: str | None = OVER
        self._stepping = True
        try:
            said = next(work, OVER)
        finally:
            self._stepping = False
            if self._work is not work:  # the step itself has stopped it
                work.close()
            elif said == OVER:
                self._work = None
                self._timer.stop()
        return said
