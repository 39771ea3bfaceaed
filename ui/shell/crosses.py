"""How rooms are closed with the mouse: a cross at the end of their tabs, or of a head without any."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from PySide6.QtCore import QEvent, QObject, QPointF, QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QTabBar,
    QWidget,
)
from shiboken6 import isValid

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from ui.widgets.buttons import PushButton
from ui.widgets.glyphs import paint_glyph

SIDE, GLYPH = 32, 8.0
EDGE = 8
"""px between a cross and the right edge of the room."""
CHANGES = {QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide}


class Cross(PushButton):
    """Closes a room. It takes no place on the way by Tab: the room's key does the same."""

    def __init__(self, parent: QWidget, close: Callable[[QDockWidget], None]) -> None:
        super().__init__("", parent)
        self._close = close
        self._dock: QDockWidget | None = None
        self.setProperty("kind", "quiet")
        self.setFixedSize(SIDE, SIDE)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.clicked.connect(self._on_clicked)

    def mean(self, dock: QDockWidget | None, name: str, keys: str) -> None:
        """Which room it closes; None for none."""
        self._dock = dock
        self.setVisible(dock is not None)
        self.setAccessibleName(name)
        self.setToolTip(f"{name} ({keys})" if keys else name)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = self.palette().color(QPalette.ColorRole.ButtonText)
        paint_glyph(painter, "close", QPointF(SIDE / 2, SIDE / 2), GLYPH, colour)

    def _on_clicked(self) -> None:
        if self._dock is not None:
            self._close(self._dock)


class Head(QWidget):
    """The title of a room that has its place for itself, and so no tab; of no height where it has one."""

    def __init__(self, close: Callable[[QDockWidget], None]) -> None:
        super().__init__()
        self._close = close
        self._shown = False

    @cached_property
    def cross(self) -> Cross:
        """Made with the title beside it when they are wanted first: most rooms never are without a tab."""
        title = QLabel(self.parentWidget().windowTitle())
        title.setProperty("role", "strong")
        cross = Cross(self, self._close)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, EDGE, 0)
        row.addWidget(title, 1)
        row.addWidget(cross)
        return cross

    def set_shown(self, shown: bool) -> None:
        if shown is not self._shown:
            self._shown = shown
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        return super().sizeHint() if self._shown else QSize(0, 0)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()


class Crosses(QObject):
    """Gives each room and each row of tabs its cross.

    Qt makes and changes the rows of tabs by itself, without a signal. So all is looked at anew, in the next
    turn of the loop, when a room comes, goes, moves or changes its size.
    """

    def __init__(
        self, window: QMainWindow, catalogue: Catalogue, close: Callable[[QDockWidget], None]
    ) -> None:
        super().__init__(window)
        self._window, self._catalogue, self._close = window, catalogue, close
        self._keys: dict[QDockWidget, str] = {}
        self._ends: list[tuple[QTabBar, Cross]] = []
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._look)

    def add(self, dock: QDockWidget, keys: str) -> None:
        """A room that can be closed, by these keys too."""
        self._keys[dock] = keys
        dock.setTitleBarWidget(Head(self._close))
        for news in (dock.visibilityChanged, dock.topLevelChanged, dock.dockLocationChanged):
            news.connect(self._later)
        dock.installEventFilter(self)

    def watch(self, tabs: QTabBar) -> None:
        """The tabs of rooms that share a place."""
        tabs.setDrawBase(False)  # the line would end before the cross
        cross = Cross(self._window, self._close)
        tabs.destroyed.connect(cross.deleteLater)
        self._ends.append((tabs, cross))
        tabs.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in CHANGES:
            self._later()
        return False

    def _later(self) -> None:
        self._soon.start()

    def _look(self) -> None:
        self._ends = [end for end in self._ends if isValid(end[0])]  # Qt needs the others no more
        for tabs, cross in self._ends:
            self._place(tabs, cross)
        for dock in self._keys:
            head = dock.titleBarWidget()
            assert isinstance(head, Head)
            alone = not dock.isHidden() and self._is_alone(dock)
            if alone:
                self._name(head.cross, dock)
            head.set_shown(alone)

    def _is_alone(self, dock: QDockWidget) -> bool:
        sharing = self._window.tabifiedDockWidgets(dock)
        return dock.isFloating() or all(one.isHidden() for one in sharing)

    def _place(self, tabs: QTabBar, cross: Cross) -> None:
        """At the right end of the room in front, where no tab comes to lie under it."""
        title = tabs.tabText(tabs.currentIndex())
        front = next((one for one in self._keys if one.windowTitle() == title), None)
        self._name(cross, front if tabs.isVisible() else None)
        if front is not None:
            tabs.setMaximumWidth(max(0, front.width() - SIDE - 2 * EDGE))
            right = front.x() + front.width() - EDGE
            cross.move(right - SIDE, tabs.y() + (tabs.height() - SIDE) // 2)
            cross.raise_()

    def _name(self, cross: Cross, dock: QDockWidget | None) -> None:
        params = {"room": dock.windowTitle() if dock is not None else ""}
        name = self._catalogue.render(Text("room.close", params))
        cross.mean(dock, name, self._keys.get(dock, "") if dock is not None else "")
