"""The message panel: head with search and export, table, detail."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QItemSelection, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.trace.exchange import Exchange, Exchanges
from app.trace.export import export_exchanges
from ui.files import FileQuestion, file_to_save
from ui.messages import model as m
from ui.messages.delegate import ROW_HEIGHT, MessageDelegate
from ui.messages.detail import HEAD_HEIGHT, ExchangeDetail
from ui.rooms.ring import RingTable
from ui.rooms.search import SearchField
from ui.theme import Theme
from ui.widgets.buttons import PushButton
from ui.widgets.turns import Work

SEARCH_MS = 150
WIDTHS = {
    m.NUMBER: 56,
    m.TIME: 104,
    m.DIRECTION: 36,
    m.ACTION: 184,
    m.EVSE: 48,
    m.LATENCY: 84,
    m.VERDICT: 124,
}
TIGHT = {m.NUMBER: 44, m.TIME: 98, m.ACTION: 170, m.LATENCY: 66, m.VERDICT: 104}
NARROW = 900
"""px of the table below which the columns beside the sentence get narrower."""
TAIL_SLACK = 2
"""Rows from the end at which the table still counts as followed."""


class _Table(RingTable):
    """Tells its new width in px. Whose end is followed shows its end in any size."""

    resized = Signal(int)

    def __init__(self, theme: Theme, nothing: str) -> None:
        super().__init__(theme)
        self._nothing = QLabel(nothing, self.viewport())
        self._nothing.setProperty("role", "hint")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing.hide()

    def say_nothing(self, *, found: bool) -> None:
        """No row has what is looked for."""
        self._nothing.setVisible(not found)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._nothing.resize(self.viewport().size())
        self.resized.emit(self.viewport().width())
        follows = self.follows()
        super().resizeEvent(event)
        if follows:
            self.scrollToBottom()

    def follows(self) -> bool:
        """It shows its end."""
        bar = self.verticalScrollBar()
        return bar.value() >= bar.maximum() - TAIL_SLACK


class MessagePanel(QWidget):
    """`exported` and `export_failed` carry a sentence for a toast; `chosen` the exchange.

    To be furnished before anything else.
    """

    exported = Signal(str)
    export_failed = Signal(str)
    chosen = Signal(object)

    def __init__(
        self,
        exchanges: Exchanges,
        theme: Theme,
        catalogue: Catalogue,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._catalogue = catalogue
        self._model = m.ExchangeModel(exchanges, catalogue, self)
        self._delegate = MessageDelegate(theme, self._model, self)
        self._theme = theme
        self._follow = True
        self._number: int | None = None

    def furnish(self) -> Work:
        """Make what it holds, in steps."""
        yield from self._build()
        self._model.rowsAboutToBeInserted.connect(self._before_rows)
        self._model.rowsInserted.connect(self._after_rows)
        self._model.modelReset.connect(self._recount)
        self._model.dataChanged.connect(self._on_changed)
        self._recount()
        yield
        self._detail = ExchangeDetail(self._theme, self._catalogue)
        yield from self._detail.furnish()
        yield
        self._splitter.addWidget(self._detail)
        self._splitter.setStretchFactor(0, 2)
        self._splitter.setStretchFactor(1, 1)
        self._splitter.setSizes([1000, 470])
        self._splitter.setChildrenCollapsible(False)
        self._table.selectionModel().selectionChanged.connect(self._on_selection)

    @property
    def model(self) -> m.ExchangeModel:
        return self._model

    @property
    def table(self) -> QTableView:
        return self._table

    @property
    def detail(self) -> ExchangeDetail:
        return self._detail

    @property
    def search_field(self) -> QLineEdit:
        return self._search

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._delegate.set_theme(theme)
        self._detail.set_theme(theme)
        self._table.set_theme(theme)

    def close_model(self) -> None:
        """The window is about to go."""
        self._model.close()

    def select(self, number: int) -> None:
        """Choose the row of an exchange, if the search shows it."""
        row = self._model.row_of(number)
        if row is not None:
            self._table.selectRow(row)
            self._table.scrollTo(self._model.index(row, 0))

    def export_to(self, path: Path) -> None:
        """Write the rows that are shown as JSONL."""
        try:
            count = export_exchanges(self._model.shown(), path, self._catalogue)
        except OSError as error:
            self.export_failed.emit(
                self._say(
                    "messages.export.failed", path=str(path), why=error.strerror or str(error)
                )
            )
            return
        self.exported.emit(self._say("messages.export.done", count=count, name=path.name))

    # ------------------------------------------------------------------ building

    def _build(self) -> Work:
        """From the outside in: what is given a place is styled anew with all that it holds."""
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        outer.addWidget(self._splitter)
        left = QWidget()
        self._splitter.addWidget(left)
        box = QVBoxLayout(left)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        head = QFrame()
        box.addWidget(head)
        yield
        self._fill_head(head)
        yield
        box.addWidget(self._make_table(), 1)

    def _fill_head(self, head: QFrame) -> None:
        head.setProperty("role", "bar")
        head.setFixedHeight(HEAD_HEIGHT)
        title = QLabel(self._say("messages.title"))
        title.setProperty("role", "strong")
        self._search = SearchField(self._say("messages.search"), None)
        self._search.setProperty("role", "mono")
        self._search_timer = QTimer(self)
        self._search_timer.setSingleShot(True)
        self._search_timer.setInterval(SEARCH_MS)
        self._search_timer.timeout.connect(self._apply_search)
        self._search.textChanged.connect(self._on_search_text)
        self._count = QLabel()
        self._count.setProperty("role", "secondary")
        self._clear = self._button("messages.clear", self._model.clear)
        self._export = self._button("messages.export", self._ask_export)
        row = QHBoxLayout(head)
        row.setContentsMargins(16, 0, 12, 0)
        row.setSpacing(8)
        row.addWidget(title)
        row.addSpacing(8)
        row.addWidget(self._search, 1)
        row.addWidget(self._count)
        row.addWidget(self._clear)
        row.addWidget(self._export)

    def _button(self, text_id: str, slot: object) -> QPushButton:
        button = PushButton(self._say(text_id))
        button.setProperty("kind", "quiet")
        button.clicked.connect(slot)
        return button

    def _make_table(self) -> QTableView:
        table = _Table(self._theme, self._say("messages.not_found"))
        self._table = table
        table.setModel(self._model)
        table.setItemDelegate(self._delegate)
        table.setAccessibleName(self._say("messages.title"))
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setFixedHeight(24)
        header.setMinimumSectionSize(32)
        header.setSectionResizeMode(m.SUMMARY, QHeaderView.ResizeMode.Stretch)
        self._tight: bool | None = None
        table.resized.connect(self._share_columns)
        self._share_columns(table.width())
        return table

    def _share_columns(self, width: int) -> None:
        """In a narrow table the sentence gets what the other columns can spare."""
        tight = width < NARROW
        if tight != self._tight:
            self._tight = tight
            for column, wide in (WIDTHS | (TIGHT if tight else {})).items():
                self._table.horizontalHeader().resizeSection(column, wide)

    # ------------------------------------------------------------------ events

    def _on_search_text(self) -> None:
        self._search_timer.start()

    def _apply_search(self) -> None:
        self._model.search(self._search.text())
        self._table.scrollToBottom()
        if self._number is not None:
            self.select(self._number)

    def _before_rows(self) -> None:
        self._follow = self._table.follows()

    def _after_rows(self) -> None:
        if self._follow:
            self._table.scrollToBottom()
        self._recount()

    def _recount(self) -> None:
        shown, total = self._model.rowCount(), self._model.total
        self._table.say_nothing(found=shown > 0 or total == 0)
        if shown == total:
            self._count.setText(self._say("messages.count", total=f"{total:,}"))
        else:
            self._count.setText(
                self._say("messages.count_of", shown=f"{shown:,}", total=f"{total:,}")
            )

    def _current(self) -> Exchange | None:
        rows = self._table.selectionModel().selectedRows()
        return self._model.exchange(rows[0].row()) if rows else None

    def _on_selection(self, _: QItemSelection, __: QItemSelection) -> None:
        exchange = self._current()
        self._detail.show_exchange(exchange)
        if exchange is not None:
            self._number = exchange.number
            self.chosen.emit(exchange)

    def _on_changed(self, first: object, last: object) -> None:
        exchange = self._current()
        if exchange is None:
            return
        row = self._model.row_of(exchange.number)
        if row is not None and first.row() <= row <= last.row():  # type: ignore[attr-defined]
            self._detail.show_exchange(exchange)

    def _ask_export(self) -> None:
        if self.findChild(FileQuestion) is not None:
            return
        question = file_to_save(
            self,
            self._say("messages.export"),
            "messages.jsonl",
            suffix="jsonl",
            filters="JSONL (*.jsonl)",
        )
        question.answered.connect(self._export_file)
        question.open()

    def _export_file(self, name: str) -> None:
        if name:
            self.export_to(Path(name))

    def _say(self, text_id: str, **params: object) -> str:
        return self._catalogue.render(Text(text_id, params))
