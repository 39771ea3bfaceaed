"""Buttons as a keyboard expects them, and a picture: Enter presses the one that has the focus, as Space does,
and a press is painted with the next frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QPushButton, QToolButton, QWidget
from shiboken6 import isValid

ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class PushButton(QPushButton):
    """Not the default one of a dialog unless it is said to be.

    Without this Qt gives Enter to the default one, whichever button is framed.
    """

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setAutoDefault(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(_spaced(event))

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        super().keyReleaseEvent(_spaced(event))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        with self._painted_later():
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        with self._painted_later():
            super().mouseReleaseEvent(event)

    @contextmanager
    def _painted_later(self) -> Iterator[None]:
        """Qt would paint the button at once, and with it all of the window that waits to be painted."""
        self.setUpdatesEnabled(False)
        try:
            yield
        finally:
            if isValid(self):  # what is clicked may go
                self.setUpdatesEnabled(True)


class ToolButton(QToolButton):
    """A button with a glyph, or with a menu."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(_spaced(event))

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        super().keyReleaseEvent(_spaced(event))


def _spaced(event: QKeyEvent) -> QKeyEvent:
    if event.key() not in ENTER:
        return event
    space = Qt.Key.Key_Space
    return QKeyEvent(event.type(), space, event.modifiers(), " ", event.isAutoRepeat())
