"""What was sent by hand: the answer to the chosen message, and all of them, newest first."""

from __future__ import annotations

from PySide6.QtCore import QItemSelection, QModelIndex, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.training.outcome import CallOutcome
from ui.messages.pretty import pretty
from ui.messages.raw import RawText
from ui.rooms.empty import Glyph
from ui.rooms.form import Words, bar, button, column, label
from ui.rooms.json_edit import LOWEST, MARGIN
from ui.rooms.split import TurningSplitter
from ui.rooms.table import Column, RecordModel, RecordTable
from ui.theme import Theme
from ui.training.answer import Sent, latency_words, outcome_mark, outcome_words

MOST_SENT = 200


class SentPane(QWidget):
    """`again_wanted` carries a `Sent` that a person takes back into the editor."""

    again_wanted = Signal(object)

    def __init__(self, theme: Theme, say: Words) -> None:
        super().__init__()
        self._say = say
        self._sent: list[Sent] = []
        self._mark = Glyph("waiting", "text3", theme)
        self.outcome = label("", "strong")
        self.latency = label("", "secondary")
        self.raw = RawText(theme)
        self.raw.setAccessibleName(say("composer.answer"))
        self.raw.setMinimumHeight(LOWEST)
        self.raw.document().setDocumentMargin(MARGIN)
        columns = (
            Column[Sent](say("history.action"), lambda s: s.action, strong=True),
            Column[Sent](
                say("history.outcome"), lambda s: outcome_words(s, say), mark=outcome_mark
            ),
            Column[Sent](
                say("history.at"), lambda s: s.at.strftime("%H:%M:%S"), 76, mono=True, right=True
            ),
        )
        self._model = RecordModel[Sent](columns, lambda s: s.number, theme, self)
        self.history = RecordTable[Sent](self._model, columns, say("history.title"))
        self.history.selectionModel().selectionChanged.connect(self._on_chosen)
        self.history.doubleClicked.connect(self._on_again)
        self.again = button(say("history.again"), "quiet")
        self.again.setToolTip(say("history.again_hint"))
        self.again.clicked.connect(self._on_again)

    def put_together(self) -> None:
        """Give all its places; it shows that nothing was sent yet."""
        head = bar(self._mark, self.outcome, self.latency, stretch_after=1, left=12)
        history_head = bar(label(self._say("history.title"), "strong"), self.again, left=12)
        answer, history = column(head, self.raw), column(history_head, self.history)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(TurningSplitter(10_000, [1, 1], [5, 5], answer, history))
        self._show_chosen()

    def set_theme(self, theme: Theme) -> None:
        self.raw.set_theme(theme)
        self._model.set_theme(theme)
        self._mark.set_theme(theme)

    def add(self, sent: Sent) -> None:
        """One more, and the chosen one from now on."""
        self._show([sent, *self._sent[: MOST_SENT - 1]])
        self.history.choose(sent.number)

    def take_outcome(self, sent: Sent, outcome: CallOutcome) -> None:
        """What became of a message; nothing where it has left the list since."""
        known = [
            one.with_outcome(outcome) if one.number == sent.number else one for one in self._sent
        ]
        self._show(known)

    def _show(self, sent: list[Sent]) -> None:
        self._sent = sent
        self._model.show(sent)
        self._show_chosen()

    def _show_chosen(self) -> None:
        sent = self.history.chosen()
        self.again.setEnabled(sent is not None)
        self._mark.setVisible(sent is not None)
        if sent is None:
            self.outcome.setText(self._say("composer.answer"))
            self.latency.setText("")
            self.raw.show_lines([])
            return
        mark = outcome_mark(sent)
        self._mark.show_glyph(mark.glyph, mark.token)
        self.outcome.setText(outcome_words(sent, self._say))
        self.latency.setText(latency_words(sent, self._say))
        raw = "" if sent.outcome is None else sent.outcome.raw
        self.raw.show_lines(pretty(raw) if raw else [])

    def _on_chosen(self, _: QItemSelection, __: QItemSelection) -> None:
        self._show_chosen()

    def _on_again(self, _: QModelIndex | None = None) -> None:
        sent = self.history.chosen()
        if sent is not None:
            self.again_wanted.emit(sent)
