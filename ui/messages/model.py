"""The rows of the message table: a filtered view of the exchanges, fed in batches."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
)

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.ocpp.events import Direction
from app.trace.exchange import Exchange, Exchanges, Verdict
from app.trace.query import haystack

BATCH_MS = 50
"""How long new rows are collected: the table is told once a batch, not once a row."""

NUMBER, TIME, DIRECTION, ACTION, EVSE, SUMMARY, LATENCY, VERDICT = range(8)
HEADERS = ("number", "time", "direction", "action", "evse", "summary", "latency", "verdict")

Index = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()


class ExchangeModel(QAbstractTableModel):
    """Rows are numbers of exchanges, so that a change finds its row at once."""

    def __init__(
        self, exchanges: Exchanges, catalogue: Catalogue, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._exchanges = exchanges
        self._catalogue = catalogue
        self._words: list[str] = []
        self._numbers: list[int] = []
        self._place: dict[int, int] = {}
        self._texts: dict[int, str] = {}
        self._new: list[Exchange] = []
        self._changed: set[int] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(BATCH_MS)
        self._timer.timeout.connect(self.flush)
        self._remove = exchanges.listen(self._on_exchange)
        self._refill()

    def close(self) -> None:
        """Hear of nothing any more."""
        self._remove()
        self._timer.stop()

    def clear(self) -> None:
        """Forget all rows."""
        self.beginResetModel()
        self._exchanges.clear()
        self._forget()
        self.endResetModel()

    @property
    def total(self) -> int:
        return len(self._exchanges)

    def search(self, words: str) -> None:
        """Show only rows that contain all these words."""
        wanted = words.casefold().split()
        if wanted == self._words:
            return
        self._words = wanted
        self.beginResetModel()
        self._refill()
        self.endResetModel()

    def exchange(self, row: int) -> Exchange | None:
        """The exchange in a row; None when it has made room meanwhile."""
        if not 0 <= row < len(self._numbers):
            return None
        try:
            return self._exchanges.row(self._numbers[row])
        except KeyError:
            return None

    def row_of(self, number: int) -> int | None:
        """Where an exchange is shown, None when the search hides it."""
        return self._place.get(number)

    def shown(self) -> list[Exchange]:
        """All rows that pass the search."""
        rows = (self.exchange(row) for row in range(len(self._numbers)))
        return [row for row in rows if row is not None]

    def summary(self, exchange: Exchange) -> str:
        return self._catalogue.render(exchange.summary)

    def verdict_word(self, exchange: Exchange) -> str:
        return self._catalogue.render(Text(f"messages.verdict.{exchange.verdict.value}"))

    # ------------------------------------------------------------------ Qt's side

    def rowCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._numbers)

    def columnCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(HEADERS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return alignment(section)
        if role == Qt.ItemDataRole.DisplayRole:
            return self._catalogue.render(Text(f"messages.column.{HEADERS[section]}"))
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        exchange = self.exchange(index.row())
        if exchange is None:
            return None
        if role == Qt.ItemDataRole.UserRole:
            return exchange
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole}:
            return self.cell(exchange, index.column())
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(exchange, index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return alignment(index.column())
        return None

    def cell(self, exchange: Exchange, column: int) -> str:
        """What a cell says."""
        if column == NUMBER:
            return str(exchange.number)
        if column == TIME:
            return exchange.at.astimezone().strftime("%H:%M:%S.%f")[:-3]
        if column == DIRECTION:
            return "→" if exchange.direction is Direction.OUT else "←"
        if column == ACTION:
            return exchange.action or "–"
        if column == EVSE:
            return "–" if exchange.evse is None else str(exchange.evse)
        if column == SUMMARY:
            return self.summary(exchange)
        if column == LATENCY:
            return latency_text(exchange.latency_ms)
        return self.verdict_word(exchange)

    def _spoken(self, exchange: Exchange, column: int) -> str:
        if column == DIRECTION:
            return self._catalogue.render(Text(f"messages.direction.{exchange.direction.value}"))
        return self.cell(exchange, column)

    # ------------------------------------------------------------------ rows

    def _on_exchange(self, exchange: Exchange, new: bool) -> None:
        if new:
            self._new.append(exchange)
        else:
            self._changed.add(exchange.number)
            self._texts.pop(exchange.number, None)
        if not self._timer.isActive():
            self._timer.start()

    def flush(self) -> None:
        """Show what has come since the last batch."""
        new, self._new = self._new, []
        changed, self._changed = self._changed, set()
        if self._numbers and self._numbers[0] < self._exchanges.first_number:
            self._drop_oldest()
        fresh = [row.number for row in new if self._passes_number(row.number)]
        hidden = {
            number
            for number in changed
            if number not in self._place and number not in fresh and self._passes_number(number)
        }
        if hidden and min(hidden) < (self._numbers[-1] if self._numbers else 0):
            self.beginResetModel()
            self._refill()
            self.endResetModel()
            return
        fresh = sorted({*fresh, *hidden})
        if fresh:
            first = len(self._numbers)
            self.beginInsertRows(NOWHERE, first, first + len(fresh) - 1)
            for number in fresh:
                self._place[number] = len(self._numbers)
                self._numbers.append(number)
            self.endInsertRows()
        for number in changed:
            row = self._place.get(number)
            if row is not None:
                self.dataChanged.emit(self.index(row, 0), self.index(row, VERDICT))

    def _drop_oldest(self) -> None:
        first = self._exchanges.first_number
        count = sum(1 for number in self._numbers if number < first)
        self.beginRemoveRows(NOWHERE, 0, count - 1)
        for number in self._numbers[:count]:
            self._place.pop(number, None)
            self._texts.pop(number, None)
        del self._numbers[:count]
        self._place = {number: row for row, number in enumerate(self._numbers)}
        self.endRemoveRows()

    def _refill(self) -> None:
        self._numbers = [row.number for row in self._exchanges.rows() if self._passes(row)]
        self._place = {number: row for row, number in enumerate(self._numbers)}

    def _forget(self) -> None:
        self._numbers.clear()
        self._place.clear()
        self._texts.clear()
        self._new.clear()
        self._changed.clear()

    def _passes_number(self, number: int) -> bool:
        try:
            return self._passes(self._exchanges.row(number))
        except KeyError:
            return False

    def _passes(self, exchange: Exchange) -> bool:
        if not self._words:
            return True
        text = self._texts.get(exchange.number)
        if text is None:
            text = haystack(exchange, self._catalogue)
            self._texts[exchange.number] = text
        return all(word in text for word in self._words)


def alignment(column: int) -> Qt.AlignmentFlag:
    """Figures to the right, arrows and EVSE in the middle, words to the left."""
    if column in {NUMBER, LATENCY}:
        return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    if column in {DIRECTION, EVSE}:
        return Qt.AlignmentFlag.AlignCenter
    return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


def latency_text(milliseconds: float | None) -> str:
    """ "31 ms", "1,912 ms"; nothing while it is not known."""
    if milliseconds is None:
        return ""
    return f"{milliseconds:,.0f} ms" if milliseconds >= 1 else "<1 ms"


BAD = {Verdict.SCHEMA_ERROR, Verdict.CALL_ERROR, Verdict.TIMEOUT, Verdict.DISCONNECTED}
ODD = {Verdict.SLOW, Verdict.FORCED, Verdict.IGNORED}
