"""Tables of immutable records: a model that is handed the new list and tells Qt only what changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QBrush,
    QFont,
    QFontMetrics,
    QIcon,
    QPainter,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from ui.rooms.ring import RingTable
from ui.theme import Theme, mono_font, ui_font
from ui.widgets.glyphs import glyph_icon

ROW_HEIGHT = 32
LOWEST = 60
"""Height of a table that shows its head and one row."""
FIRST_MARGIN, MARGIN, ICON = 16, 8, 14
LOUD = frozenset({"fault", "warn", "charge"})
"""Colour roles that words take over from the shape beside them."""
FLASH_MS = 1_600
FLASH_LIGHT = 0.12
"""How strongly a row that changed shines: words on it stay readable."""
FLASH = Qt.ItemDataRole.UserRole + 1
MOST_RUNS = 40
"""Separate places that are taken out one by one; above it the table is filled anew."""
NOWHERE = QModelIndex()
Index = QModelIndex | QPersistentModelIndex
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Mark:
    """A shape with its colour role, so that colour never speaks alone."""

    glyph: str
    token: str


@dataclass(frozen=True)  # a generic class with slots cannot be made by its alias
class Column(Generic[R]):
    """One column: its title, what a cell says, and how. `width` 0 takes what is left.

    `from_width`: it is shown where the table has at least this width.
    """

    title: str
    text: Callable[[R], str]
    width: int = 0
    mono: bool = False
    strong: bool = False
    right: bool = False
    mark: Callable[[R], Mark | None] | None = None
    tip: Callable[[R], str] | None = None
    from_width: int = 0


class RecordModel(QAbstractTableModel, Generic[R]):
    """Rows of records; `key` tells which record of the new list replaces which."""

    themed = Signal(object)

    def __init__(
        self,
        columns: Sequence[Column[R]],
        key: Callable[[R], Hashable],
        theme: Theme,
        parent: QObject | None = None,
        seen: Callable[[R], Hashable] | None = None,
    ) -> None:
        """`seen`: what of a record a person takes for a change; such rows flash. Without it none do."""
        super().__init__(parent)
        self._columns = tuple(columns)
        self._key = key
        self._seen = seen
        self._theme = theme
        self._rows: list[R] = []
        self._filled = False
        self._flash: set[Hashable] = set()
        self._flash_timer = QTimer(self)
        self._flash_timer.setSingleShot(True)
        self._flash_timer.setInterval(FLASH_MS)
        self._flash_timer.timeout.connect(self._end_flash)

    @property
    def theme(self) -> Theme:
        return self._theme

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.themed.emit(theme)
        if self._rows:
            self._changed(0, len(self._rows) - 1)

    @property
    def rows(self) -> tuple[R, ...]:
        return tuple(self._rows)

    def record(self, row: int) -> R | None:
        """The record in a row."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def row_of(self, key: Hashable) -> int:
        """Where a record is, -1 if nowhere."""
        return next((n for n, one in enumerate(self._rows) if self._key(one) == key), -1)

    def show(self, records: Sequence[R], *, quiet: bool = False) -> None:
        """Replace the rows; what came, went or changed keeps selection and scroll position.

        What came or changed since the last time may flash, unless `quiet` (a search, another list).
        """
        fresh = self._news(records) if self._filled and not quiet else {}
        self._filled = True
        wanted = [self._key(one) for one in records]
        there = set(wanted)
        runs = _runs([self._key(one) not in there for one in self._rows])
        kept = [self._key(one) for one in self._rows if self._key(one) in there]
        known = set(kept)
        if kept != [key for key in wanted if key in known] or len(runs) > MOST_RUNS:
            self.beginResetModel()
            self._rows = list(records)
            self.endResetModel()
        else:
            for first, last in reversed(runs):
                self.beginRemoveRows(NOWHERE, first, last)
                del self._rows[first : last + 1]
                self.endRemoveRows()
            for first, last in _runs([key not in known for key in wanted]):
                self._insert(first, list(records[first : last + 1]))
            self._update(list(records))
        self._begin_flash(fresh)

    def flashes(self, row: int) -> bool:
        """The row came or changed a moment ago."""
        return bool(self._flash) and self._key(self._rows[row]) in self._flash

    def _news(self, records: Sequence[R]) -> dict[Hashable, R]:
        """Records that came, or say something else than before."""
        seen = self._seen
        if seen is None:
            return {}
        before = {self._key(one): seen(one) for one in self._rows}
        return {
            self._key(one): one
            for one in records
            if self._key(one) not in before or before[self._key(one)] != seen(one)
        }

    def _begin_flash(self, fresh: Mapping[Hashable, R]) -> None:
        if fresh:
            self._flash |= fresh.keys()
            self._flash_timer.start()

    def _end_flash(self) -> None:
        self._flash.clear()
        if self._rows:
            self._changed(0, len(self._rows) - 1)

    def _insert(self, at: int, records: list[R]) -> None:
        self.beginInsertRows(NOWHERE, at, at + len(records) - 1)
        self._rows[at:at] = records
        self.endInsertRows()

    def _update(self, records: list[R]) -> None:
        for row, record in enumerate(records):
            if self._rows[row] is not record and self._rows[row] != record:
                self._rows[row] = record
                self._changed(row, row)

    def _changed(self, first: int, last: int) -> None:
        self.dataChanged.emit(self.index(first, 0), self.index(last, len(self._columns) - 1))

    # ------------------------------------------------------------------ Qt's side

    def rowCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._columns[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(section)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        record = self.record(index.row())
        if record is None:
            return None
        column = self._columns[index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.text(record)
            case Qt.ItemDataRole.ToolTipRole:
                return (column.tip or column.text)(record)
            case Qt.ItemDataRole.DecorationRole:
                return self._icon(column, record)
            case Qt.ItemDataRole.FontRole:
                return _font(column)
            case Qt.ItemDataRole.ForegroundRole:
                return QBrush(self._theme.colour(self._token(column, record)))
            case Qt.ItemDataRole.TextAlignmentRole:
                return self._alignment(index.column())
            case Qt.ItemDataRole.UserRole:
                return record
        if role == FLASH:
            return self.flashes(index.row())
        return None

    def _icon(self, column: Column[R], record: R) -> QIcon | None:
        mark = column.mark(record) if column.mark is not None else None
        if mark is None:
            return None
        return glyph_icon(mark.glyph, self._theme.colour(mark.token), self._theme.colour("onink"))

    def _token(self, column: Column[R], record: R) -> str:
        mark = column.mark(record) if column.mark is not None else None
        if mark is not None and mark.token in LOUD and not column.strong:
            return mark.token
        return "text" if column.strong else "text3" if column.mono else "text2"

    def _alignment(self, column: int) -> Qt.AlignmentFlag:
        side = (
            Qt.AlignmentFlag.AlignRight
            if self._columns[column].right
            else Qt.AlignmentFlag.AlignLeft
        )
        return side | Qt.AlignmentFlag.AlignVCenter


class RowDelegate(QStyledItemDelegate):
    """Paints cells as the message table does: zebra, ink bar at the chosen row, shape before words."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        rect: QRect = option.rect
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        token = "sel" if selected else ("panel2" if index.row() % 2 else "panel")
        painter.fillRect(rect, self._theme.colour(token))
        if index.data(FLASH):
            painter.fillRect(rect, self._theme.colour("charge", FLASH_LIGHT))
        first = index.column() == 0
        if first and selected:
            bar = QRect(rect.left(), rect.top(), 3, rect.height())
            painter.fillRect(bar, self._theme.colour("ink"))
        inner = rect.adjusted(FIRST_MARGIN if first else MARGIN, 0, -MARGIN, 0)
        icon = index.data(Qt.ItemDataRole.DecorationRole)
        if isinstance(icon, QIcon):
            top = rect.center().y() - ICON // 2 + 1
            icon.paint(painter, QRect(inner.left(), top, ICON, ICON))
            inner.adjust(ICON + 6, 0, 0, 0)
        font = index.data(Qt.ItemDataRole.FontRole)
        painter.setFont(font)
        painter.setPen(index.data(Qt.ItemDataRole.ForegroundRole).color())
        text = QFontMetrics(font).elidedText(
            index.data(Qt.ItemDataRole.DisplayRole), Qt.TextElideMode.ElideRight, inner.width()
        )
        painter.drawText(inner, int(index.data(Qt.ItemDataRole.TextAlignmentRole)), text)


class RecordTable(RingTable, Generic[R]):
    """A table of records that keeps the chosen record chosen, wherever its row goes."""

    def __init__(self, model: RecordModel[R], columns: Sequence[Column[R]], name: str) -> None:
        super().__init__(model.theme)
        # Before it has sections: what styles them looks for their margins then.
        self.horizontalHeader().setProperty("margins", "records")
        self._columns = tuple(columns)
        self._records = model
        self._chosen: Hashable | None = None
        self.setModel(model)
        self._delegate = RowDelegate(model.theme, self)
        self.setItemDelegate(self._delegate)
        self.setMinimumHeight(LOWEST)
        self.setAccessibleName(name)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setFixedHeight(24)
        header.setMinimumSectionSize(40)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for number, column in enumerate(columns):
            if column.width:
                header.resizeSection(number, column.width)
            else:
                header.setSectionResizeMode(number, QHeaderView.ResizeMode.Stretch)
        model.modelReset.connect(self._restore)
        model.themed.connect(self.set_theme)
        model.themed.connect(self._delegate.set_theme)
        self.selectionModel().selectionChanged.connect(self._remember)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What a narrow table has no room for is left out rather than scrolled to.

        Rows go to the edge all the same: where what takes the room is left out, the last column does.
        """
        filled = False
        for number, column in enumerate(self._columns):
            hidden = event.size().width() < column.from_width
            self.setColumnHidden(number, hidden)
            filled = filled or not (hidden or column.width)
        self.horizontalHeader().setStretchLastSection(not filled)
        super().resizeEvent(event)

    def chosen(self) -> R | None:
        """The record of the selected row."""
        rows = self.selectionModel().selectedRows()
        return self._records.record(rows[0].row()) if rows else None

    def choose(self, key: Hashable) -> bool:
        """Select a record; False if it is not shown."""
        row = self._records.row_of(key)
        if row < 0:
            return False
        index = self._records.index(row, 0)
        flags = QItemSelectionModel.SelectionFlag
        self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self.scrollTo(index)
        return True

    def _remember(self) -> None:
        record = self.chosen()
        if record is not None:
            self._chosen = self._records._key(record)

    def _restore(self) -> None:
        # A reset clears the selection only after this signal has gone round.
        QTimer.singleShot(0, self, self._choose_again)

    def _choose_again(self) -> None:
        if self._chosen is not None and self.chosen() is None:
            self.choose(self._chosen)


def _font(column: Column[Any]) -> QFont:
    if column.mono:
        return mono_font(11)
    return ui_font(12, 500 if column.strong else 400)


def _runs(marks: Sequence[bool]) -> list[tuple[int, int]]:
    """First and last place of each run of marked places."""
    found: list[tuple[int, int]] = []
    for place, marked in enumerate(marks):
        if marked and found and found[-1][1] == place - 1:
            found[-1] = (found[-1][0], place)
        elif marked:
            found.append((place, place))
    return found
