"""The queue: each message that waits for the back office, its age, its attempts and why it waits."""

from __future__ import annotations

from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from app.runtime.rooms import LostMessage, QueuedRow, QueueView
from ui.messages.pretty import pretty
from ui.messages.raw import RawText
from ui.rooms.empty import EmptyState
from ui.rooms.form import bar, button, column, label
from ui.rooms.json_edit import LOWEST as JSON_LOWEST
from ui.rooms.json_edit import MARGIN as JSON_MARGIN
from ui.rooms.search import SearchField
from ui.rooms.split import TurningSplitter
from ui.rooms.table import Column, Mark, RecordModel, RecordTable
from ui.station_rooms.room import LiveRoom, clock, span
from ui.theme import Theme
from ui.widgets.turns import Work

TURN_AT = 900
HALTED = "queue.state.halted"
"""Why all wait while the queue stands still after a refusal."""
_ACTIONS = {
    "StartTransaction": "play",
    "StopTransaction": "stop",
    "MeterValues": "bolt",
    "TransactionEvent": "bolt",
    "SecurityEventNotification": "lock",
}


class QueueRoom(LiveRoom):
    """Newest at the end, as they will be sent; what was given up stands below."""

    def build(self) -> Work:
        say = self._say
        self._view = QueueView(0, ())
        self._shown = ""
        self.search = SearchField(say("queue.search"))
        self.search.textChanged.connect(self._filter)
        self._count = label("", "secondary")
        yield
        columns = (
            Column[QueuedRow](say("queue.place"), lambda q: str(q.place), 64, mono=True),
            Column[QueuedRow](
                say("queue.action"), lambda q: q.action, 196, strong=True, mark=_mark
            ),
            Column[QueuedRow](say("queue.age"), self._age, 104, right=True),
            Column[QueuedRow](say("queue.attempts"), lambda q: str(q.attempts), 84, right=True),
            Column[QueuedRow](say("queue.why"), lambda q: self._catalogue.render(q.why)),
            Column[QueuedRow](say("queue.at"), lambda q: clock(q.at), 124, mono=True),
        )
        self._model = RecordModel[QueuedRow](
            columns, lambda q: q.key, self._theme, self, lambda q: q.attempts
        )
        self.table = RecordTable[QueuedRow](self._model, columns, say("room.queue"))
        self.table.selectionModel().selectionChanged.connect(self._show_chosen)
        self.resume = button(say("queue.resume"), "primary")
        self.resume.setToolTip(say("queue.resume_hint"))
        self.resume.clicked.connect(self._resume)
        yield
        self._make_lost()
        yield
        self._raw = RawText(self._theme)
        self._raw.setAccessibleName(say("queue.payload"))
        self._raw.setMinimumHeight(JSON_LOWEST)
        self._raw.document().setDocumentMargin(JSON_MARGIN)
        self._empty = EmptyState("tick", say("queue.none"), say("queue.none_hint"), self._theme)
        yield
        self._place()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for part in (self._empty, self._model, self._lost_model, self._raw):
            part.set_theme(theme)

    def refresh(self) -> None:
        self._view = self._feed.rooms.queue()
        lost = self._feed.rooms.lost_messages()
        self._lost_model.show(lost)
        self._lost.setVisible(bool(lost))
        self.resume.setVisible(any(row.why.id == HALTED for row in self._view.rows))
        self._fill(quiet=False)
        self._stack.setCurrentIndex(1 if self._view.rows or lost else 0)

    def tick(self) -> None:
        """Ages grow, waits pass, and bursts of messages are announced but once."""
        self.refresh()
        self.table.viewport().update()

    # ------------------------------------------------------------------ building

    def _make_lost(self) -> None:
        say = self._say
        columns = (
            Column[LostMessage](say("queue.lost.at"), lambda m: clock(m.at), 132, mono=True),
            Column[LostMessage](
                say("queue.action"),
                lambda m: m.action,
                196,
                strong=True,
                mark=lambda _: Mark("faulted", "fault"),
            ),
            Column[LostMessage](say("queue.lost.why"), lambda m: m.why),
        )
        self._lost_model = RecordModel[LostMessage](
            columns, lambda m: m.number, self._theme, self, lambda m: m.number
        )
        self.lost = RecordTable[LostMessage](self._lost_model, columns, say("queue.lost"))
        self.lost.selectionModel().selectionChanged.connect(self._show_lost)
        self._lost = column(bar(label(say("queue.lost"), "strong")), self.lost)

    def _place(self) -> None:
        left = TurningSplitter(10_000, [1, 1], [6, 4], self.table, self._lost)
        text = column(bar(label(self._say("queue.payload"), "strong")), self._raw)
        whole = TurningSplitter(TURN_AT, [68, 32], [60, 40], left, text, low=10_000)
        body = QWidget()
        self._stack = QStackedLayout(body)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(whole)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(bar(self.search, self._count, self.resume, stretch_after=1))
        box.addWidget(body, 1)

    def _resume(self) -> None:
        self._feed.rooms.views.resume_queue()
        self._feed.poke()

    # ------------------------------------------------------------------ what is shown

    def _filter(self) -> None:
        self._fill(quiet=True)

    def _fill(self, *, quiet: bool) -> None:
        view = self._view
        shown = [row for row in view.rows if self._wanted(row)]
        self._model.show(shown, quiet=quiet)
        self._count.setText(self._summary(view, len(shown)))
        if self.table.chosen() is None and shown and self.lost.chosen() is None:
            self.table.choose(shown[0].key)
        self._show_chosen()

    def _wanted(self, row: QueuedRow) -> bool:
        if not self.search.text():
            return True
        return self.search.finds(row.action, row.ref, self._catalogue.render(row.why))

    def _summary(self, view: QueueView, shown: int) -> str:
        if not view.waiting:
            return self._say("queue.summary.none")
        age = span(self._feed.rooms.now() - view.rows[0].at) if view.rows else ""
        words = self._say("queue.summary", count=view.waiting, age=age)
        if shown < view.waiting:
            words += " " + self._say("queue.shown", count=shown)
        return words

    def _age(self, row: QueuedRow) -> str:
        return span(self._feed.rooms.now() - row.at)

    def _show_chosen(self) -> None:
        row = self.table.chosen()
        if row is not None:
            self.lost.clearSelection()
            self._show_text(row.key, self._feed.rooms.queued_text(row.key))
        elif self.lost.chosen() is None:
            self._show_text("", None)

    def _show_lost(self) -> None:
        message = self.lost.chosen()
        if message is not None:
            self.table.clearSelection()
            self._show_text(str(message.number), message.text)

    def _show_text(self, key: str, text: str | None) -> None:
        mark = f"{key} {text}"
        if mark != self._shown:
            self._shown = mark
            self._raw.show_lines(pretty(text))


def _mark(row: QueuedRow) -> Mark:
    return Mark(_ACTIONS.get(row.action, "out"), "warn" if row.attempts else "text2")
