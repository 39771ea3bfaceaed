"""Lets the loop watch see what Qt delivers: painting, timers, clicks, and the slots they set off.

They reach our code past asyncio, which is all that the watch sees by itself. What paints the whole window
is many callbacks: each widget counts for itself, and their sum is a figure of the benchmarks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QGraphicsScene
from shiboken6 import isValid

from tests.support.loop_watch import LoopWatch
from ui.widgets.turns import Turns

PAINTING = {QEvent.Type.UpdateRequest, QEvent.Type.Expose}


class WatchedApplication(QApplication):
    """While a watch looks, the work of every event that the loop delivers is measured.

    Qt asks Python for each event then. Of the hundreds that one callback leads to that would take as long as
    they themselves: a dialog would be made at half its speed. So Python's `notify` is taken away while
    something is measured as a whole; a method that is set on the object itself can be.
    """

    @contextmanager
    def watched_by(self, watch: LoopWatch) -> Iterator[None]:
        """Until it is left, this watch hears how long each event took, with all that it led to."""

        def notify(receiver: QObject, event: QEvent) -> bool:
            if _holds_others(receiver, event):
                return QApplication.notify(self, receiver, event)
            with watch.timing(lambda: _name(receiver, event)):
                return QApplication.notify(self, receiver, event)

        def look(closely: bool) -> None:
            if closely:
                self.notify = notify
            else:
                del self.notify

        watch.look = look
        look(True)
        try:
            yield
        finally:
            look(False)
            watch.look = None

    @contextmanager
    def unwatched(self) -> Iterator[None]:
        """What a test does here with a window, no person does: it is no time of the window's."""
        notify = vars(self).pop("notify", None)
        try:
            yield
        finally:
            if notify is not None:
                self.notify = notify


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
