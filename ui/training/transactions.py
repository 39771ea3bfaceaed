"""The transactions as the training CSMS knows them; the chosen one with its messages."""

from __future__ import annotations

import json

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.kernel.catalogue import Catalogue
from app.training.records import TransactionEventRecord, TransactionRecord
from app.training.settings import Tariff
from ui.messages.pretty import pretty
from ui.messages.raw import RawText
from ui.rooms.empty import EmptyState
from ui.rooms.form import Words, add_stack, bar, column, label
from ui.rooms.json_edit import LOWEST as JSON_LOWEST
from ui.rooms.json_edit import MARGIN as JSON_MARGIN
from ui.rooms.split import TurningSplitter
from ui.rooms.table import Column, Mark, RecordModel, RecordTable
from ui.theme import Theme
from ui.training.feed import TrainingView
from ui.training.stations import LOW, LOW_FROM, clock
from ui.widgets.turns import Work

TURN_AT = 760


class TransactionsTab(QWidget):
    """Live, newest first; one selected shows its events and the text of each."""

    def __init__(self, theme: Theme, catalogue: Catalogue) -> None:
        super().__init__()
        self._theme = theme
        self._say = Words(catalogue, "training_panel")
        self._tariff: Tariff | None = None

    def build(self) -> Work:
        """In steps of a few milliseconds; nothing else is called before its end."""
        theme = self._theme
        self._empty = EmptyState(
            "bolt", self._say("transactions.none"), self._say("transactions.none_hint"), theme
        )
        self._remarks = label("", "warning")
        self._raw = RawText(theme)
        self._raw.setAccessibleName(self._say("transactions.payload"))
        self._raw.setMinimumHeight(JSON_LOWEST)
        self._raw.document().setDocumentMargin(JSON_MARGIN)
        yield
        yield from self._make_tables(theme)
        yield
        events = column(
            bar(label(self._say("transactions.events"), "strong"), self._remarks), self._event_table
        )
        text = column(bar(label(self._say("transactions.payload"), "strong")), self._raw)
        yield
        details = TurningSplitter(TURN_AT, [6, 4], [5, 5], events, text, low=10_000)
        whole = TurningSplitter(LOW_FROM, [5, 5], [4, 6], self._table, details, low=LOW)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        self._stack = add_stack(box, self._empty, whole)

    @property
    def table(self) -> RecordTable[TransactionRecord]:
        return self._table

    @property
    def events(self) -> RecordTable[TransactionEventRecord]:
        return self._event_table

    def set_theme(self, theme: Theme) -> None:
        self._empty.set_theme(theme)
        self._raw.set_theme(theme)
        self._model.set_theme(theme)
        self._event_model.set_theme(theme)

    def show_view(self, view: TrainingView) -> None:
        self._tariff = view.tariff
        transactions = view.snapshot.transactions[::-1]
        self._model.show(transactions)
        self._stack.setCurrentIndex(1 if transactions else 0)
        if self._table.chosen() is None and transactions:
            self._table.choose(transactions[0].key)
        self._show_chosen()

    def _make_tables(self, theme: Theme) -> Work:
        say = self._say
        columns = (
            Column[TransactionRecord](
                say("transactions.state"), self._state, 132, strong=True, mark=_mark
            ),
            Column[TransactionRecord](
                say("transactions.station"), lambda t: t.station_id, 120, from_width=800
            ),
            Column[TransactionRecord](say("transactions.evse"), _evse, 52),
            Column[TransactionRecord](
                say("transactions.token"), lambda t: t.id_token, 110, mono=True
            ),
            Column[TransactionRecord](say("transactions.energy"), self._energy, 88, right=True),
            Column[TransactionRecord](say("transactions.cost"), self._cost, 80, right=True),
            Column[TransactionRecord](
                say("transactions.started"), lambda t: clock(t.started_at), 80, mono=True
            ),
            Column[TransactionRecord](
                say("transactions.ended"),
                lambda t: clock(t.ended_at),
                80,
                mono=True,
                from_width=680,
            ),
            Column[TransactionRecord](say("transactions.id"), lambda t: t.id, mono=True),
        )
        self._model = RecordModel[TransactionRecord](columns, lambda t: t.key, theme, self)
        self._table = RecordTable[TransactionRecord](
            self._model, columns, say("transactions.title")
        )
        self._table.selectionModel().selectionChanged.connect(self._show_chosen)
        yield
        events = (
            Column[TransactionEventRecord](
                say("events.at"), lambda e: clock(e.at or e.received_at), 84, mono=True
            ),
            Column[TransactionEventRecord](
                say("events.seq"),
                lambda e: "–" if e.seq_no is None else str(e.seq_no),
                56,
                mono=True,
                right=True,
            ),
            Column[TransactionEventRecord](
                say("events.kind"), lambda e: say.maybe(f"events.{e.kind}", e.kind), 92, strong=True
            ),
            Column[TransactionEventRecord](say("events.trigger"), self._trigger),
        )
        self._event_model = RecordModel[TransactionEventRecord](events, id, theme, self)
        self._event_table = RecordTable[TransactionEventRecord](
            self._event_model, events, say("transactions.events")
        )
        self._event_table.selectionModel().selectionChanged.connect(self._show_event)

    def _show_chosen(self) -> None:
        transaction = self._table.chosen()
        events = () if transaction is None else transaction.events
        self._event_model.show(events)
        if self._event_table.chosen() is None and events:
            self._event_table.choose(id(events[-1]))
        self._remarks.setText("" if transaction is None else self._remarks_on(transaction))
        self._show_event()

    def _show_event(self) -> None:
        event = self._event_table.chosen()
        text = None if event is None else json.dumps(dict(event.payload), ensure_ascii=False)
        lines = pretty(text)
        if [line.text for line in lines] != self._raw.toPlainText().split("\n"):
            self._raw.show_lines(lines)

    # ------------------------------------------------------------------ words

    def _state(self, transaction: TransactionRecord) -> str:
        if transaction.active:
            state = transaction.charging_state or "Active"
            return self._say.maybe(f"state.{state}", state)
        if transaction.stop_reason:
            return self._say("state.ended_by", reason=transaction.stop_reason)
        return self._say("state.Ended")

    def _energy(self, transaction: TransactionRecord) -> str:
        energy = transaction.energy_wh
        return "–" if energy is None else self._say("kwh", value=f"{energy / 1000:,.2f}")

    def _cost(self, transaction: TransactionRecord) -> str:
        if transaction.cost is None:
            return "–"
        currency = "" if self._tariff is None else self._tariff.currency
        return self._say("money", amount=f"{transaction.cost:,.2f}", currency=currency)

    def _trigger(self, event: TransactionEventRecord) -> str:
        parts = [event.trigger]
        parts += [self._say("events.offline")] if event.offline else []
        parts += [self._say("events.resent")] if event.resent else []
        return ", ".join(part for part in parts if part)

    def _remarks_on(self, transaction: TransactionRecord) -> str:
        remarks = []
        if transaction.missing_seq_nos:
            numbers = ", ".join(map(str, transaction.missing_seq_nos[:5]))
            remarks.append(self._say("transactions.missing", numbers=numbers))
        if transaction.resent:
            remarks.append(self._say("transactions.resent", count=transaction.resent))
        return "  ".join(remarks)


def _mark(transaction: TransactionRecord) -> Mark:
    if not transaction.active:
        return Mark("tick", "text3")
    charging = transaction.charging_state in {"Charging", ""}
    return Mark("charging" if charging else "occupied", "charge")


def _evse(transaction: TransactionRecord) -> str:
    return "–" if transaction.evse is None else str(transaction.evse)
