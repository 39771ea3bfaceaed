"""The top bar: who the station is, how it is connected, and the few things one always needs."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QIcon, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.kernel.catalogue import Catalogue
from app.kernel.resources import resource
from app.kernel.text import Text
from app.ocpp.context import BootState
from app.ocpp.redaction import without_url_password
from app.runtime.views import LinkState, PowerState, SessionSnapshot
from ui.theme import Theme, mono_font
from ui.widgets.buttons import PushButton, ToolButton
from ui.widgets.glyphs import glyph_icon
from ui.widgets.line import Line

HEIGHT = 56
DOT = "●"


class Column(QWidget):
    """Two lines: a word and what stands under it."""

    def __init__(self, *, mono: bool = False, yields: bool = False) -> None:
        super().__init__()
        self.first = QLabel()
        self.first.setProperty("role", "strong")
        self.second = Line() if yields else QLabel()
        self.second.setProperty("role", "hint")
        if mono:
            self.second.setFont(mono_font(11))
            self.second.setProperty("role", "mono")
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(1)
        box.addStretch(1)
        box.addWidget(self.first)
        box.addWidget(self.second)
        box.addStretch(1)

    def show_lines(self, first: str, second: str) -> None:
        if self.first.text() != first:
            self.first.setText(first)
        if self.second.text() != second:
            self.second.setText(second)
            self.second.setToolTip(second)


class TopBar(QFrame):
    """Shows a snapshot; its buttons are the window's actions."""

    def __init__(self, theme: Theme, catalogue: Catalogue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._catalogue = catalogue
        self.setProperty("role", "bar")
        self.setFixedHeight(HEIGHT)
        self._name = Column(mono=True)
        self._version = Column()
        self._security = Column()
        self._link = Column(mono=True, yields=True)
        logo = QLabel()
        icon = QIcon(str(resource("icons", "forecourt.svg")))
        logo.setPixmap(icon.pixmap(QSize(28, 28), self.devicePixelRatioF()))
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(16, 0, 12, 0)
        self._row.setSpacing(14)
        self._row.addWidget(logo)
        for number, column in enumerate((self._name, self._version, self._security, self._link)):
            if number:
                self._row.addWidget(_vline())
            self._row.addWidget(column)
        self._row.addStretch(1)
        self._stretch = self._row.count() - 1
        self._icons: list[tuple[QToolButton, str]] = []

    def add_button(
        self, action: QAction, *, primary: bool = False, first: bool = False
    ) -> QPushButton:
        """A button with words for an action; `first`: left of the others."""
        button = PushButton(action.text())
        button.setToolTip(_tip(action))
        button.setAccessibleName(action.text())
        if primary:
            button.setProperty("kind", "primary")
        if action.isCheckable():
            button.setCheckable(True)
            button.setChecked(action.isChecked())
            action.toggled.connect(button.setChecked)
        button.clicked.connect(action.trigger)
        if first:
            self._row.insertWidget(self._stretch + 1, button)
        else:
            self._row.addWidget(button)
        return button

    def add_icon(self, action: QAction, glyph: str) -> QToolButton:
        """A square button with a glyph for an action."""
        button = ToolButton()
        button.setToolTip(_tip(action))
        button.setAccessibleName(action.text())
        button.clicked.connect(action.trigger)
        return self._place_icon(button, glyph)

    def add_menu(self, menu: QMenu, glyph: str, name: str) -> QToolButton:
        """A square button that opens a menu."""
        button = ToolButton()
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setProperty("menuless", True)
        return self._place_icon(button, glyph)

    def _place_icon(self, button: QToolButton, glyph: str) -> QToolButton:
        button.setFixedSize(34, 34)
        button.setIconSize(QSize(16, 16))
        self._icons.append((button, glyph))
        self._row.addWidget(button)
        self._paint_icons()
        return button

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._paint_icons()

    def show_snapshot(self, snapshot: SessionSnapshot) -> None:
        self._name.show_lines(snapshot.name, snapshot.station_id)
        version = snapshot.version.value if snapshot.version else self._say("top.version.open")
        self._version.show_lines(
            self._say("top.version", version=version), self._say("top.checked")
        )
        profile = snapshot.security_profile
        self._security.show_lines(
            self._say("top.profile", number=profile),
            self._say(f"top.profile.{snapshot.protection}"),
        )
        word, token = link_word(snapshot)
        colour = self._theme.css(token)
        line = f'<span style="color:{colour}">{DOT}</span>&nbsp; {self._say(word)}'
        self._link.show_lines(line, self._link_detail(snapshot))

    def _link_detail(self, snapshot: SessionSnapshot) -> str:
        if snapshot.link.problem is not None and snapshot.link.state is not LinkState.ONLINE:
            return self._catalogue.render(snapshot.link.problem)
        return snapshot.link.url or without_url_password(snapshot.csms_url or "")

    def _paint_icons(self) -> None:
        for button, glyph in self._icons:
            button.setIcon(glyph_icon(glyph, self._theme.colour("text")))

    def _say(self, text_id: str, **params: object) -> str:
        return self._catalogue.render(Text(text_id, params))


class CornerMenu(QMenu):
    """A menu that stays over its window: Qt would let it stick out to the right of a button in the corner."""

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        window = self.parentWidget().window()
        beyond = self.x() + self.width() - window.mapToGlobal(window.rect().topRight()).x()
        if beyond > 0:
            self.move(self.x() - beyond - 8, self.y())


def link_word(snapshot: SessionSnapshot) -> tuple[str, str]:
    """The id of the word for the link, and the colour role of its dot."""
    if snapshot.power is not PowerState.ON:
        return f"top.power.{snapshot.power.value}", "unavail"
    if snapshot.link.state is LinkState.ONLINE:
        if snapshot.boot is BootState.ACCEPTED:
            return "top.link.online", "avail"
        return f"top.boot.{snapshot.boot.value}", "warn"
    token = "fault" if snapshot.link.state is LinkState.WAITING else "warn"
    return f"top.link.{snapshot.link.state.value}", token


def _tip(action: QAction) -> str:
    keys = action.shortcut().toString()
    return f"{action.text()} ({keys})" if keys else action.text()


def _vline() -> QFrame:
    line = QFrame()
    line.setProperty("role", "vline")
    line.setFixedHeight(32)
    line.setFixedWidth(1)
    line.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    return line
