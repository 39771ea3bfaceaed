"""Lets the loop watch see what Qt delivers: painting, timers, clicks, and the slots they set off.

They reach our code past asyncio, which is all that the watch sees by itself. What paints the whole window
is many callbacks: each widget counts for itself, and their sum is a figure of the benchmarks.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QGraphicsScene
from shiboken6 import isValid

from tests.support.loop_watch import LoopWatch
from ui.widgets.turns import Turns

PAINTING = {QEvent.Type.UpdateRequest, QEvent.Type.Expose}


class WatchedApplication(QApplication):
    """Every event of every object passes here; while a watch looks, its work is measured."""

    _watch: LoopWatch | None = None
    _inside = False

    @contextmanager
    def watched_by(self, watch: LoopWatch) -> Iterator[None]:
        """Until it is left, this watch hears how long each event took, with all that it led to."""
        self._watch = watch
        try:
            yield
        finally:
            self._watch = None

    def notify(self, receiver: QObject, event: QEvent) -> bool:
        """Each event of the program comes by here: what is done for it is done for thousands a second."""
        watch = self._watch
        if watch is None or self._inside or _holds_others(receiver, event):
            return super().notify(receiver, event)
        self._inside = True
        began = time.thread_time()
        try:
            return super().notify(receiver, event)
        finally:
            work = time.thread_time() - began
            self._inside = False
            watch.callbacks += 1
            if work >= watch.report_over:
                watch.keep(_name(receiver, event), work)


def _holds_others(receiver: QObject, event: QEvent) -> bool:
    """It leads to callbacks that are watched one by one: a painting, or one of qasync's own timers."""
    if event.type() in PAINTING or isinstance(receiver, QGraphicsScene):
        return True
    return type(receiver).__module__.startswith("qasync")


def _name(receiver: QObject, event: QEvent) -> str:
    names = [type(receiver).__name__]
    owner = receiver
    # It may have been its end.
    while isinstance(owner, QTimer | Turns) and isValid(owner) and owner.parent() is not None:
        owner = owner.parent()
        names.append(type(owner).__name__)
    return f"{event.type().name} for {' of '.join(names)}"
