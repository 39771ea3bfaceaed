"""The open points of the specification: what the station does at each, and what it shall do from now on."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QButtonGroup,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.runtime.point_rows import PointRow
from ui.rooms.form import QuietCombo, bar, button, column, label
from ui.rooms.search import SearchField
from ui.rooms.split import TurningSplitter
from ui.rooms.table import Column, Mark, RecordModel, RecordTable
from ui.station_rooms.room import LiveRoom, clock
from ui.theme import Theme
from ui.widgets.turns import Work

TURN_AT = 900
SHOWN = ("all", "met", "chosen")


class PointsRoom(LiveRoom):
    """A choice made here acts when the point is met next, also in a session that runs."""

    def build(self) -> Work:
        say = self._say
        self._rows: tuple[PointRow, ...] = ()
        self._shown: object = None
        self.search = SearchField(say("points.search"))
        self.search.textChanged.connect(self._filter)
        self.which = QuietCombo(say("points.which"))
        self.which.setMinimumContentsLength(12)
        for which in SHOWN:
            self.which.addItem(say(f"points.show.{which}"), which)
        self.which.currentIndexChanged.connect(self._filter)
        self._count = label("", "secondary")
        yield
        columns = (
            Column[PointRow](
                say("points.question"), lambda r: r.point.question, strong=True, mark=_mark
            ),
            Column[PointRow](say("points.choice"), lambda r: r.option.key, 184, mark=_fault),
            Column[PointRow](say("points.by"), self._by, 92),
            Column[PointRow](say("points.met"), lambda r: str(r.met), 52, right=True),
            Column[PointRow](
                say("points.last"), lambda r: clock(r.last), 84, mono=True, from_width=900
            ),
        )
        self._model = RecordModel[PointRow](
            columns, lambda r: r.point.id, self._theme, self, lambda r: (r.chosen, r.met)
        )
        self.table = RecordTable[PointRow](self._model, columns, say("room.points"))
        self.table.selectionModel().selectionChanged.connect(self._show_chosen)
        yield
        detail = self._detail()
        yield
        body = TurningSplitter(TURN_AT, [62, 38], [55, 45], self.table, detail, low=10_000)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(bar(self.search, self.which, self._count, stretch_after=2))
        box.addWidget(self.notice)
        box.addWidget(body, 1)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._model.set_theme(theme)

    def refresh(self) -> None:
        self._rows = self._feed.points.rows(self._feed.rooms.version)
        self._fill(quiet=False)

    def choose(self, point: str, option: str | None) -> None:
        """Fix what is done at a point from now on; None gives it back to the default."""
        self._feed.points.choose(point, option)
        row = next(row for row in self._feed.points.rows(None) if row.point.id == point)
        key = "points.chosen" if row.option.conformant else "points.chosen_fault"
        self.notice.tell(self._say(key, option=row.option.key), good=row.option.conformant)
        self.refresh()

    # ------------------------------------------------------------------ building

    def _detail(self) -> QWidget:
        """Beside the table: the question in full, its options, and what is seen of it."""
        say = self._say
        self._title = label("", "mono")
        self.lift = button(say("points.lift"), "quiet")
        self.lift.setToolTip(say("points.lift_hint"))
        self.lift.clicked.connect(self._lift)
        self._question = label("", "strong", wrap=True)
        self._kind = label("", "secondary", wrap=True)
        self._seen = label("", "secondary", wrap=True)
        self.options = QButtonGroup(self)
        self.options.idClicked.connect(self._on_option)
        self._choices = QVBoxLayout()
        self._choices.setSpacing(2)
        inner = QWidget()
        box = QVBoxLayout(inner)
        box.setContentsMargins(16, 10, 16, 12)
        box.setSpacing(8)
        box.addWidget(self._question)
        box.addWidget(self._kind)
        box.addLayout(self._choices)
        box.addWidget(self._seen)
        box.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(inner)
        area.setAccessibleName(say("points.detail"))
        return column(bar(self._title, self.lift), area)

    # ------------------------------------------------------------------ what is shown

    def _filter(self) -> None:
        self._fill(quiet=True)

    def _fill(self, *, quiet: bool) -> None:
        shown = [row for row in self._rows if self._wanted(row)]
        self._model.show(shown, quiet=quiet)
        params = {"shown": len(shown), "count": len(self._rows)}
        self._count.setText(self._say("points.count", **params))
        if self.table.chosen() is None and shown:
            self.table.choose(shown[0].point.id)
        self._show_chosen()

    def _wanted(self, row: PointRow) -> bool:
        which, point = self.which.currentData(), row.point
        if (which == "met" and not row.met) or (which == "chosen" and row.chosen is None):
            return False
        return self.search.finds(point.id, point.question, row.option.key, *point.messages)

    def _by(self, row: PointRow) -> str:
        return self._say("points.by.default" if row.chosen is None else "points.by.choice")

    def _show_chosen(self) -> None:
        row = self.table.chosen()
        shown = None if row is None else (row.point.id, row.chosen)
        if shown == self._shown:
            return
        self._shown = shown
        self._forget_options()
        self.lift.setEnabled(row is not None and row.chosen is not None)
        if row is None:
            for each in (self._title, self._question, self._kind, self._seen):
                each.clear()
            return
        point = row.point
        self._title.setText(point.id)
        self._question.setText(point.question)
        messages = ", ".join(point.messages)
        self._kind.setText(self._say("points.kind", kind=point.kind, messages=messages))
        self._seen.setText(point.observable)
        for number in range(len(point.options)):
            self._add_option(number, row)

    def _add_option(self, number: int, row: PointRow) -> None:
        option = row.point.options[number]
        words = option.key
        if option.key == row.point.default:
            words += self._say("points.is_default")
        if not option.conformant:
            words += self._say("points.is_fault")
        radio = QRadioButton(words)
        radio.setToolTip(option.summary)
        radio.setChecked(option == row.option)
        summary = label(option.summary, "secondary", wrap=True)
        summary.setContentsMargins(26, 0, 0, 8)
        self.options.addButton(radio, number)
        self._choices.addWidget(radio)
        self._choices.addWidget(summary)

    def _forget_options(self) -> None:
        while (item := self._choices.takeAt(0)) is not None:
            widget = item.widget()
            if isinstance(widget, QRadioButton):
                self.options.removeButton(widget)
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    # ------------------------------------------------------------------ acts

    def _on_option(self, number: int) -> None:
        row = self.table.chosen()
        if row is not None:
            self.choose(row.point.id, row.point.options[number].key)

    def _lift(self) -> None:
        row = self.table.chosen()
        if row is not None:
            self.choose(row.point.id, None)


def _mark(row: PointRow) -> Mark:
    if row.chosen is not None:
        return Mark("edit", "text")
    return Mark("tick", "text3") if row.met else Mark("waiting", "text3")


def _fault(row: PointRow) -> Mark | None:
    return None if row.option.conformant else Mark("warning", "warn")
