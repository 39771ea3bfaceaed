"""How much of the window lies below the picture: a part of its height, which it keeps in any size."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDockWidget, QMainWindow

BELOW = Qt.DockWidgetArea.BottomDockWidgetArea
MESSAGES = "messages"
MESSAGES_SHARE = 0.245
"""Of the window's height, usually."""
ROOM_SHARE = 0.43
"""Of the window's height: what a room gets at least when it is opened below the picture."""


class Below(QObject):
    """The messages and the rooms that are opened beside them have one height.

    It is the usual one until a person drags its edge. While a room is open it is enough for that; with the
    last one the messages get back what they had before.
    """

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._docks: list[QDockWidget] = []
        self._part = MESSAGES_SHARE
        self._before: float | None = None

    def add(self, dock: QDockWidget) -> None:
        """One that may lie there, or be moved there."""
        self._docks.append(dock)
        dock.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Whatever changes while a button of the mouse is down is dragged there."""
        dragged = event.type() is QEvent.Type.Resize and QGuiApplication.mouseButtons()
        if dragged and isinstance(watched, QDockWidget) and self._is_here(watched):
            self._part = watched.height() / self._window.height()
        return False

    def take(self) -> None:
        """A layout has come back: what it gives is what it was."""
        front = self._front()
        if front is not None:
            self._part = front.height() / self._window.height()

    def share_out(self) -> None:
        """The usual part."""
        self._part, self._before = MESSAGES_SHARE, None
        self.keep()

    def keep(self) -> None:
        """The part that it had, in a window of another height.

        Qt would give all that is new to the picture.
        """
        front = self._front()
        if front is not None:
            height = round(self._window.height() * self._part)
            self._window.resizeDocks([front], [height], Qt.Orientation.Vertical)

    def open(self, dock: QDockWidget) -> None:
        """Show a room in front, high enough to be used."""
        dock.show()
        dock.raise_()
        if self._is_here(dock) and self._part < ROOM_SHARE:
            if self._before is None:
                self._before = self._part
            self._part = ROOM_SHARE
            self.keep()

    def close(self, dock: QDockWidget) -> None:
        """Hide a room."""
        dock.hide()
        rooms = (one for one in self._docks if one.objectName() != MESSAGES)
        if self._before is not None and not any(map(self._is_here, rooms)):
            self._part, self._before = self._before, None
            self.keep()

    def _front(self) -> QDockWidget | None:
        """The one that is in front has the size that all have; behind it they keep an old one."""
        here = [dock for dock in self._docks if self._is_here(dock)]
        seen = [dock for dock in here if not dock.visibleRegion().isEmpty()]
        return next(iter(seen or here), None)

    def _is_here(self, dock: QDockWidget) -> bool:
        return (
            dock.isVisible()
            and not dock.isFloating()
            and self._window.dockWidgetArea(dock) is BELOW
        )
