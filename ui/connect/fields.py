"""Fields of the dialog: a path with a button that looks for it, the list of former connections."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from ui.connect.request import ConnectRequest
from ui.files import FileQuestion, file_to_open
from ui.rooms.form import button
from ui.rooms.ring import Ringed
from ui.theme import Theme, mono_font, ui_font

ENTRY_HEIGHT = 52
REQUEST = Qt.ItemDataRole.UserRole


class PathField(QWidget):
    """A path to a file, typed or chosen. `changed` comes with every change."""

    changed = Signal()

    def __init__(self, name: str, choose: str, filters: str) -> None:
        super().__init__()
        self._name, self._filters = name, filters
        self.edit = QLineEdit()
        self.edit.setFont(mono_font(11))
        self.edit.setAccessibleName(name)
        self.edit.textChanged.connect(self._on_text)
        self.choose = button(choose)
        self.choose.setAccessibleName(f"{choose} {name}")
        self.choose.clicked.connect(self._ask)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.edit, 1)
        row.addWidget(self.choose)
        self.setFocusProxy(self.edit)

    def text(self) -> str:
        return self.edit.text().strip()

    def set_text(self, path: str) -> None:
        self.edit.setText(path)

    def _on_text(self) -> None:
        self.changed.emit()

    def _ask(self) -> None:
        if self.findChild(FileQuestion) is not None:
            return
        question = file_to_open(self, self._name, self._filters, self.text())
        question.answered.connect(self._on_chosen)
        question.open()

    def _on_chosen(self, path: str) -> None:
        if path:
            self.edit.setText(path)


class RecentList(Ringed, QListWidget):
    """Former connections; `picked` carries the ConnectRequest of the one that was chosen."""

    picked = Signal(object)

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._delegate = _Entry(theme, self)
        self.setItemDelegate(self._delegate)
        self.setProperty("ring", "own")
        self.set_theme(theme)
        self.setAccessibleName(name)
        self.setUniformItemSizes(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.itemClicked.connect(self._on_item)
        self.itemActivated.connect(self._on_item)

    def set_theme(self, theme: Theme) -> None:
        self._delegate.theme = theme
        super().set_theme(theme)

    def show_requests(self, requests: tuple[ConnectRequest, ...]) -> None:
        self.clear()
        for request in requests:
            item = QListWidgetItem(f"{request.station_id}, {request.url}")
            item.setData(REQUEST, request)
            item.setSizeHint(QSize(100, ENTRY_HEIGHT))
            item.setToolTip(request.url)
            self.addItem(item)

    def _on_item(self, item: QListWidgetItem) -> None:
        self.picked.emit(item.data(REQUEST))


class _Entry(QStyledItemDelegate):
    """Two lines: the id, and where."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        request: ConnectRequest = index.data(REQUEST)
        rect: QRect = option.rect
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        token = "sel" if selected else "panel2" if hovered else "panel"
        painter.fillRect(rect, self.theme.colour(token))
        if selected:
            bar = QRect(rect.left(), rect.top(), 3, rect.height())
            painter.fillRect(bar, self.theme.colour("ink"))
        inner = rect.adjusted(16, 8, -12, -8)
        half = inner.height() // 2
        lines = (
            (request.station_id, ui_font(13, 500), "text", inner.top()),
            (_place(request.url), mono_font(11), "text3", inner.top() + half),
        )
        for text, font, token, top in lines:
            painter.setFont(font)
            painter.setPen(self.theme.colour(token))
            shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideMiddle, inner.width())
            box = QRect(inner.left(), top, inner.width(), half)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter), shown)


def _place(url: str) -> str:
    return url.partition("://")[2] or url
