"""Is anybody at the window?"""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QCursor, QGuiApplication

from app.runtime.collector import Still


class Away:
    """True when called while another program is in front, or the pointer has long not moved."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._pointer_rests = Still(QCursor.pos, now)

    def __call__(self) -> bool:
        rests = self._pointer_rests()
        return rests or (
            QGuiApplication.applicationState() is not Qt.ApplicationState.ApplicationActive
        )
