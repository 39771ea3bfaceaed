"""The main window: the picture with its wallet, the inspector, the messages, and what frames them."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QChildEvent, QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence, QResizeEvent, QScreen, QShortcut
from PySide6.QtWidgets import (
    QDockWidget,
    QLineEdit,
    QMainWindow,
    QMenu,
    QStatusBar,
    QTabBar,
    QTabWidget,
    QWidget,
)

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from ui.shell.below import BELOW, MESSAGES, MESSAGES_SHARE, Below
from ui.shell.crosses import Crosses
from ui.shell.outline import Outline
from ui.theme import Theme
from ui.widgets.turns import ALONE, Work

if TYPE_CHECKING:
    from app.trace.exchange import Exchanges

PARTS = (
    "ui.shell.top_bar",
    "ui.shell.status_bar",
    "ui.shell.toasts",
    "ui.shell.centre",
    "ui.station.canvas",
    "ui.wallet",
    "ui.inspector.panel",
    "ui.messages.panel",
)
"""The modules that `furnish()` takes the parts from."""

INSPECTOR_WIDTH = 400
SMALLEST = QSize(1024, 640)
FIRST_SIZE = QSize(1440, 900)
FRAME = QSize(16, 40)
"""Room for the frame that the desktop draws around the window, at least."""


class MainWindow(QMainWindow):
    """Holds the parts; the controller (`ui.shell.controller`) connects them.

    It can be shown at once, as an outline; `furnish()` puts the parts in when the program is read and the
    session made.

    The window does not close by itself: it says `closing`, and whoever runs the session calls `finish()`
    when all is written.
    """

    closing = Signal()

    def __init__(self, theme: Theme, catalogue: Catalogue) -> None:
        super().__init__()
        self._theme, self._catalogue = theme, catalogue
        self._may_close = self._furnished = False
        self.below = Below(self)
        self._crosses = Crosses(self, catalogue, self.below.close)
        self.setWindowTitle("Forecourt")
        self.setMinimumSize(SMALLEST)
        screen = self._screen()
        room = FIRST_SIZE if screen is None else screen.availableSize()
        self.resize(FIRST_SIZE.boundedTo(room - FRAME))
        self.setDockNestingEnabled(True)
        self.setTabPosition(BELOW, QTabWidget.TabPosition.North)
        words = catalogue.render(Text("window.opening"))
        self.outline = Outline(theme, words, INSPECTOR_WIDTH, MESSAGES_SHARE)
        self.setCentralWidget(self.outline)

    def _screen(self) -> QScreen | None:
        """None while every screen is unplugged."""
        return self.screen()

    def furnish(self, exchanges: Exchanges, vehicles: list[tuple[str, str]]) -> Work:
        """Make the parts behind the outline, in steps; `reveal()` shows them."""
        from ui.inspector.panel import Inspector
        from ui.messages.panel import MessagePanel
        from ui.shell.centre import Centre
        from ui.shell.status_bar import StatusBar
        from ui.shell.toasts import Toasts
        from ui.shell.top_bar import TopBar
        from ui.station.canvas import StationCanvas
        from ui.wallet import Wallet

        theme, catalogue = self._theme, self._catalogue
        self._centre = Centre(self)  # before the rooms, for the way by Tab begins here
        self.canvas = StationCanvas(theme, catalogue)
        self.wallet = Wallet(theme, catalogue)
        self._centre.hold(self.canvas, self.wallet)
        self.toasts = Toasts(theme, self.canvas, catalogue.render(Text("toast.close")))
        yield
        self.top = TopBar(theme, catalogue)
        self.status = StatusBar(theme, catalogue)
        yield ALONE
        self.inspector = Inspector(theme, catalogue, vehicles)
        yield ALONE
        # Docked before it is furnished: what changes its window finds its style anew, and all in it does.
        right = Qt.DockWidgetArea.RightDockWidgetArea
        self.inspector_dock = self.add_room("inspector", self.inspector, right)
        yield ALONE
        yield from self.inspector.furnish()
        yield ALONE
        self.messages = MessagePanel(exchanges, theme, catalogue)
        yield ALONE
        self.messages_dock = self.add_room(MESSAGES, self.messages, BELOW)
        yield ALONE
        yield from self.messages.furnish()
        yield ALONE
        self.setCorner(Qt.Corner.BottomRightCorner, BELOW)
        find = QShortcut(QKeySequence.StandardKey.Find, self)
        find.activated.connect(self._find)

    def reveal(self, layout: str) -> Work:
        """Put the parts in the outline's place, as `layout` says, and show all at once.

        Only the picture comes a few turns of the loop later.
        """
        yield from self.canvas.make_spots()
        self.setUpdatesEnabled(False)
        try:
            self.setMenuWidget(self.top)
            bar = QStatusBar()
            bar.setSizeGripEnabled(False)
            bar.addWidget(self.status, 1)
            bar.setContentsMargins(0, 0, 0, 0)
            self.setStatusBar(bar)
            yield ALONE
            self.inspector_dock.show()
            yield ALONE
            self.messages_dock.show()
            yield ALONE
            self.setCentralWidget(self._centre)
            # A child of a window that is shown already appears by a posted event; a layout that is restored
            # before would give the room of what is hidden to the inspector.
            self._centre.show()
            yield ALONE
            self._furnished = True
            self.share_out()
            if layout:
                self.restore_layout(layout)
            yield ALONE
            self.canvas.open_in_turns()
        finally:
            self.setUpdatesEnabled(True)
        self.show()

    def _find(self) -> None:
        """To the search of the room that has the keyboard, else of one that is in front."""
        focus = self.focusWidget()
        rooms = [room for room in self._docks() if _in_front(room)]
        rooms.sort(key=lambda room: focus is None or not room.isAncestorOf(focus))
        fields = (field for room in rooms for field in room.findChildren(QLineEdit))
        field = next((one for one in fields if one.property("find") and one.isVisible()), None)
        if field is not None:
            field.setFocus(Qt.FocusReason.ShortcutFocusReason)
            field.selectAll()

    def add_room(
        self, name: str, widget: QWidget, area: Qt.DockWidgetArea, keys: str | None = None
    ) -> QDockWidget:
        """Put a widget into a dock, hidden at first; `keys` open and close it, and a cross closes it."""
        dock = QDockWidget(self._catalogue.render(Text(f"room.{name}")), self)
        dock.hide()
        dock.setObjectName(name)
        dock.setWidget(widget)
        dock.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetMovable
            | QDockWidget.DockWidgetFeature.DockWidgetClosable
            | QDockWidget.DockWidgetFeature.DockWidgetFloatable
        )
        if keys is None:
            dock.setTitleBarWidget(QWidget())
        else:
            self._crosses.add(dock, keys)
        self.addDockWidget(area, dock)
        self.below.add(dock)
        return dock

    def wear(self, theme: Theme) -> Work:
        """Put another theme on the parts, one after the other."""
        self._theme = theme
        for part in (
            self.canvas,
            self.wallet,
            self.inspector,
            self.messages,
            self.top,
            self.status,
            self.toasts,
        ):
            part.set_theme(theme)
            yield

    def childEvent(self, event: QChildEvent) -> None:
        """Qt makes the tabs of rooms that share a place; it gives them no name and no way to be closed."""
        super().childEvent(event)
        if event.type() is not QEvent.Type.ChildPolished:
            return  # to ask for a child that is no widget makes PySide read all classes of QtCore
        child = event.child()
        if isinstance(child, QTabBar):
            child.setAccessibleName(self._catalogue.render(Text("room.tabs")))
            child.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            child.customContextMenuRequested.connect(self._tab_menu)
            self._crosses.watch(child)

    def _tab_menu(self, at: QPoint) -> None:
        """What can be done with the room of this tab."""
        tabs = self.sender()
        assert isinstance(tabs, QTabBar)
        number = tabs.tabAt(at)
        title = tabs.tabText(number if number >= 0 else tabs.currentIndex())
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        close = menu.addAction(self._catalogue.render(Text("room.close", {"room": title})))
        close.setData(title)
        menu.triggered.connect(self._on_tab_menu)
        menu.popup(tabs.mapToGlobal(at))

    def _on_tab_menu(self, action: QAction) -> None:
        for dock in self._docks():
            if dock.windowTitle() == action.data():
                self.below.close(dock)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab passes over rooms behind another one: Qt does not hide those, so it would go there."""
        first = None
        while super().focusNextPrevChild(forward):
            widget = self.focusWidget()
            if widget is None or widget is first or _in_front(widget):
                return True
            first = first or widget
        return False

    # ------------------------------------------------------------------ layout

    def layout_text(self) -> str:
        """Sizes and places of all rooms, as text for a settings file."""
        state = self.saveState().data()
        geometry = self.saveGeometry().data()
        return ".".join(base64.b64encode(part).decode() for part in (geometry, state))

    def restore_place(self, text: str) -> bool:
        """Put the window where it was. False when the text is not of this program."""
        parts = _layout_parts(text)
        return parts is not None and self.restoreGeometry(parts[0])

    def restore_layout(self, text: str) -> bool:
        """Put the rooms where they were, too. False when the text is not of this program."""
        parts = _layout_parts(text)
        if parts is None or not self.restoreGeometry(parts[0]) or not self.restoreState(parts[1]):
            return False
        self.below.take()
        return True

    def reset_layout(self) -> None:
        """All rooms where they were at first: all but inspector and messages behind these, and closed."""
        self.layout().setEnabled(False)  # so that it is laid out once, in the next turn of the loop
        try:
            self._put_back()
        finally:
            self.layout().setEnabled(True)
        self.share_out()

    def _put_back(self) -> None:
        first = {self.inspector_dock, self.messages_dock}
        others = [dock for dock in self._docks() if dock not in first]
        for dock in others:
            dock.hide()  # before they are moved: each that is seen takes its place in the tabs at each step
        for dock, area in (
            (self.inspector_dock, Qt.DockWidgetArea.RightDockWidgetArea),
            (self.messages_dock, BELOW),
        ):
            _settle(dock)
            self.addDockWidget(area, dock)
            dock.show()
        for dock in others:
            _settle(dock)
            self.addDockWidget(BELOW, dock)
            self.tabifyDockWidget(self.messages_dock, dock)
            dock.hide()

    def _docks(self) -> list[QDockWidget]:
        return self.findChildren(QDockWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)

    def share_out(self) -> None:
        """Give inspector and messages their usual part of the window."""
        self.resizeDocks([self.inspector_dock], [INSPECTOR_WIDTH], Qt.Orientation.Horizontal)
        self.below.share_out()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._furnished and event.oldSize().height() != event.size().height():
            self.below.keep()

    def toggle(self, dock: QDockWidget) -> None:
        """Show a room, bring it to the front, or hide it if it is in front already."""
        if dock.isVisible() and _in_front(dock):
            dock.hide()
        else:
            dock.show()
            dock.raise_()

    # ------------------------------------------------------------------ end

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._may_close:
            event.accept()
            return
        event.ignore()
        self.closing.emit()

    def finish(self) -> None:
        """Close for good."""
        if self._furnished:
            self.messages.close_model()
        self._may_close = True
        self.close()


def _settle(dock: QDockWidget) -> None:
    """Back into the window; one that is there would be laid out anew for nothing."""
    if dock.isFloating():
        dock.setFloating(False)


def _in_front(widget: QWidget) -> bool:
    """It lies in no room, or in one that is not behind another."""
    part: QWidget | None = widget
    while part is not None and not isinstance(part, QDockWidget):
        part = part.parentWidget()
    return part is None or not part.visibleRegion().isEmpty()


def _layout_parts(text: str) -> tuple[QByteArray, QByteArray] | None:
    """Geometry and state out of a settings file; None when it is neither."""
    try:
        geometry, state = (base64.b64decode(part, validate=True) for part in text.split("."))
    except (ValueError, binascii.Error):
        return None
    return QByteArray(geometry), QByteArray(state)
