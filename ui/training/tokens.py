"""The tokens the training CSMS knows: what it thinks of each, changed in place."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import UTC, datetime

from PySide6.QtCore import QItemSelection, QModelIndex, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.kernel.catalogue import Catalogue
from app.training.tokens import Token, TokenStatus
from ui.ask import open_in_turns
from ui.rooms.empty import EmptyState
from ui.rooms.form import QuietCombo, Words, add_stack, bar, button, label
from ui.rooms.table import Column, Mark, RecordModel, RecordTable
from ui.theme import Theme
from ui.training.feed import TrainingFeed, TrainingView
from ui.training.token_dialog import TokenDialog
from ui.widgets.glyphs import glyph_icon
from ui.widgets.turns import Turns, Work

STORED = tuple(status for status in TokenStatus if status is not TokenStatus.UNKNOWN)
MARKS = {
    TokenStatus.ACCEPTED: Mark("available", "avail"),
    TokenStatus.BLOCKED: Mark("faulted", "fault"),
    TokenStatus.EXPIRED: Mark("unavailable", "unavail"),
    TokenStatus.INVALID: Mark("warning", "warn"),
    TokenStatus.CONCURRENT_TX: Mark("occupied", "charge"),
}
STATUS = 1
ROW_HEIGHT = 40


class TokensTab(QWidget):
    """A table with a combo box for the status of each token; add, edit and remove above it."""

    def __init__(self, feed: TrainingFeed, theme: Theme, catalogue: Catalogue) -> None:
        super().__init__()
        self._feed = feed
        self._theme = theme
        self._catalogue = catalogue
        self._say = Words(catalogue, "training_panel")
        self._dialog: TokenDialog | None = None
        self._shown: tuple[Token, ...] | None = None
        self._bare: deque[int] = deque()
        self._turns = Turns(self)

    def build(self) -> Work:
        """In steps of a few milliseconds; nothing else is called before its end."""
        theme = self._theme
        self._count = label("", "secondary")
        self._add = button(self._say("tokens.add"))
        self._edit = button(self._say("tokens.edit"), "quiet")
        self._remove = button(self._say("tokens.remove"), "quiet")
        self._add.clicked.connect(self.add_token)
        self._edit.clicked.connect(self.edit_token)
        self._remove.clicked.connect(self.remove_token)
        yield
        self._make_table(theme)
        yield
        self._empty = EmptyState(
            "card", self._say("tokens.none"), self._say("tokens.none_hint"), theme
        )
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(bar(self._count, self._remove, self._edit, self._add))
        self._stack = add_stack(box, self._empty, self._table)
        self._delete = QShortcut(QKeySequence(Qt.Key.Key_Delete), self._table)
        self._delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        self._delete.activated.connect(self.remove_token)
        self._on_selection()

    @property
    def table(self) -> RecordTable[Token]:
        return self._table

    @property
    def dialog(self) -> TokenDialog | None:
        """The open form, if any."""
        return self._dialog

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._empty.set_theme(theme)
        self._model.set_theme(theme)
        self._dress()

    def show_view(self, view: TrainingView) -> None:
        tokens = view.snapshot.tokens
        if tokens == self._shown:
            return  # an open combo box must not be disturbed by what stations say
        self._shown = tokens
        self._model.show(tokens)
        self._count.setText(self._say("tokens.count", count=len(tokens)))
        self._stack.setCurrentIndex(1 if tokens else 0)
        self._dress()
        self._on_selection()

    def status_combo(self, token_id: str) -> QuietCombo | None:
        """The combo box in the row of a token."""
        row = self._model.row_of(token_id.casefold())
        if row in self._bare:  # its turn has not come
            self._bare.remove(row)
            self._dress_row(row)
        return self._combo_in(row) if row >= 0 else None

    def _combo_in(self, row: int) -> QuietCombo | None:
        cell = self._cell_in(row)
        return cell.findChild(QuietCombo) if cell is not None else None

    def _cell_in(self, row: int) -> QWidget | None:
        return self._table.indexWidget(self._model.index(row, STATUS))

    def add_token(self) -> None:
        """Open an empty form."""
        self._open(None)

    def edit_token(self) -> None:
        """Open the form of the chosen token."""
        token = self._table.chosen()
        if token is not None:
            self._open(token)

    def remove_token(self) -> None:
        """Forget the chosen token."""
        token = self._table.chosen()
        if token is not None:
            self._feed.csms.remove_token(token.id)
            self._feed.refresh()

    def _make_table(self, theme: Theme) -> None:
        say = self._say
        columns = (
            Column[Token](say("tokens.name"), lambda t: t.name or "–", 190, strong=True),
            Column[Token](say("tokens.status"), lambda t: self._word(t.status), 160),
            Column[Token](say("tokens.id"), lambda t: t.id, 170, mono=True),
            Column[Token](say("tokens.group"), lambda t: t.group, 110),
            Column[Token](say("tokens.type"), lambda t: t.type, 110),
            Column[Token](say("tokens.remark"), self._remark, mark=_expiry_mark),
        )
        self._model = RecordModel[Token](columns, lambda t: t.id.casefold(), theme, self)
        self._table = RecordTable[Token](self._model, columns, say("tokens.title"))
        self._table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self._table.selectionModel().selectionChanged.connect(self._on_selection)
        self._table.doubleClicked.connect(self._on_double_click)
        self._table.activated.connect(self._on_double_click)

    def _dress(self) -> None:
        """A combo box in each row shows the status and changes it: a few in each turn of the loop.

        Until its turn comes a new row says its status in words.
        """
        self._bare = deque(range(len(self._model.rows)))
        self._turns.start(self._dressing())

    def _dressing(self) -> Work:
        while self._bare:
            self._dress_row(self._bare.popleft())
            yield

    def _dress_row(self, row: int) -> None:
        token = self._model.record(row)
        if token is None:
            return
        combo = self._combo_in(row)
        if combo is None:
            combo = QuietCombo()
            combo.currentIndexChanged.connect(self._on_status)
            self._table.setIndexWidget(self._model.index(row, STATUS), _cell(combo))
        combo.blockSignals(True)
        combo.clear()
        for status in STORED:
            mark = MARKS[status]
            icon = glyph_icon(
                mark.glyph, self._theme.colour(mark.token), self._theme.colour("onink")
            )
            combo.addItem(icon, self._word(status), status)
        combo.choose(token.status)
        combo.setProperty("token", token.id)
        combo.setAccessibleName(self._say("tokens.status_of", name=token.name or token.id))
        combo.blockSignals(False)

    def _on_status(self) -> None:
        combo = self.sender()
        if not isinstance(combo, QuietCombo):
            return
        token = self._model.record(self._model.row_of(str(combo.property("token")).casefold()))
        status = combo.currentData()
        if token is not None and status is not token.status:
            self._feed.csms.put_token(replace(token, status=status))
            self._feed.refresh()

    def _on_selection(self, _: QItemSelection | None = None, __: object = None) -> None:
        chosen = self._table.chosen() is not None
        self._edit.setEnabled(chosen)
        self._remove.setEnabled(chosen)

    def _on_double_click(self, _: QModelIndex) -> None:
        self.edit_token()

    def _open(self, token: Token | None) -> None:
        if self._dialog is not None:
            return
        taken = frozenset(one.id.casefold() for one in self._model.rows)
        dialog = TokenDialog(token, taken, self._catalogue, self)
        self._dialog = dialog
        dialog.finished.connect(self._on_closed)
        open_in_turns(dialog)

    def _on_closed(self, result: int) -> None:
        dialog, self._dialog = self._dialog, None
        if dialog is None:
            return
        if result == TokenDialog.DialogCode.Accepted.value:
            before, token = dialog.before, dialog.token()
            if before is not None and before.id.casefold() != token.id.casefold():
                self._feed.csms.remove_token(before.id)
            self._feed.csms.put_token(token)
            self._feed.refresh()
        dialog.deleteLater()

    def _word(self, status: TokenStatus) -> str:
        return self._say(f"token_status.{status.value}")

    def _remark(self, token: Token) -> str:
        parts = []
        if token.expiry is not None:
            key = "tokens.expired" if _is_over(token) else "tokens.expires"
            parts.append(self._say(key, date=token.expiry.astimezone().date()))
        if token.single_session:
            parts.append(self._say("tokens.single"))
        if token.message:
            parts.append(f"“{token.message}”")
        return ", ".join(parts)


def _is_over(token: Token) -> bool:
    return token.expiry is not None and token.expiry <= datetime.now(UTC)


def _expiry_mark(token: Token) -> Mark | None:
    return Mark("warning", "warn") if _is_over(token) else None


def _cell(combo: QuietCombo) -> QWidget:
    """A combo box with air above and below."""
    cell = QWidget()
    box = QHBoxLayout(cell)
    box.setContentsMargins(4, 4, 8, 4)
    box.addWidget(combo)
    return cell
