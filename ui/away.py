"""Is anybody at the window?"""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QCursor, QGuiApplication

LONG = 60.0
"""Seconds without a move of the pointer after which nobody sits there."""


class Away:
    """True when called while another program is in front, or the pointer has long not moved.

    Looks only when it is asked: it is of use for what can wait for such a moment, and asks again and again.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._place: QPoint | None = None
        self._since = 0.0

    def __call__(self) -> bool:
        place, now = QCursor.pos(), self._now()
        if place != self._place:
            self._place, self._since = place, now
        if QGuiApplication.applicationState() is not Qt.ApplicationState.ApplicationActive:
            return True
        return now - self._since >= LONG
