"""The station's clock: against the computer's, set, put off, let run on, and put right by the back office."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from app.runtime.clock_desk import ClockStep, ClockView
from ui.rooms.empty import EmptyState
from ui.rooms.form import bar, button, column, label
from ui.rooms.split import TurningSplitter
from ui.rooms.table import Column, Mark, RecordModel, RecordTable
from ui.station_rooms.room import LiveRoom, span
from ui.theme import Theme, mono_font
from ui.widgets.turns import Work

TURN_AT = 900
MOVES = (-3600, -60, -10, 10, 60, 3600)
"""Seconds that the clock can be put off by."""
PASSES = (60, 900, 3600, 8 * 3600, 86_400)
"""Seconds that can be let pass."""
SAME = 0.5
"""Seconds of a difference that nobody sees."""
SHOWN = "%Y-%m-%d %H:%M:%S"


class ClockRoom(LiveRoom):
    """All times are local ones, as everywhere in the window."""

    def build(self) -> Work:
        say = self._say
        self._passing = self._halted = False
        self.station, self.computer = label("", "strong"), label("", "secondary")
        for each in (self.station, self.computer):
            each.setFont(mono_font(13))
        self.difference, self.told = label("", wrap=True), label("", "hint", wrap=True)
        yield
        yield from self._make_acts()
        yield
        yield from self._make_steps()
        yield
        form = QWidget()
        box = QVBoxLayout(form)
        box.setContentsMargins(16, 8, 12, 8)
        box.setSpacing(8)
        box.addLayout(self._rows())
        box.addWidget(self.told)
        box.addStretch(1)
        yield
        steps = column(bar(label(say("clock.steps"), "strong")), self._past)
        body = TurningSplitter(TURN_AT, [58, 42], [1, 1], form, steps, low=10_000)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(bar(self.difference, stretch_after=0))
        box.addWidget(self.notice)
        box.addWidget(body, 1)
        self.setFocusProxy(self.wanted)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._none.set_theme(theme)
        self._model.set_theme(theme)

    def refresh(self) -> None:
        desk = self._feed.rooms.clock
        steps = desk.steps()
        self._model.show(steps)
        self._stack.setCurrentIndex(1 if steps else 0)
        self._show_view(desk.view())

    def tick(self) -> None:
        self._show_view(self._feed.rooms.clock.view())

    # ------------------------------------------------------------------ building

    def _make_acts(self) -> Work:
        say = self._say
        self.wanted = QLineEdit()
        self.wanted.setFont(mono_font(13))
        self.wanted.setFixedWidth(196)
        self.wanted.setAccessibleName(say("clock.set_to"))
        self.wanted.setPlaceholderText(datetime.now().astimezone().strftime(SHOWN))
        self.wanted.returnPressed.connect(self._set)
        self.set = button(say("clock.set"))
        self.set.setToolTip(say("clock.set_hint"))
        self.set.clicked.connect(self._set)
        self.right = button(say("clock.computer_time"))
        self.right.clicked.connect(self._set_right)
        yield
        self.moves = [self._step(seconds, _signed(seconds), "move") for seconds in MOVES]
        self.passes = [self._step(seconds, _short(seconds), "pass") for seconds in PASSES]
        for each in self.moves:
            each.clicked.connect(self._move)
        for each in self.passes:
            each.setToolTip(say("clock.pass_hint"))
            each.clicked.connect(self._let_pass)
        yield
        self.halt = button(say("clock.stop"))
        self.halt.clicked.connect(self._halt)
        self.follow = QCheckBox(say("clock.follow"))
        self.follow.setToolTip(say("clock.follow_hint"))
        self.follow.clicked.connect(self._follow)
        self.ask = button(say("clock.ask"))
        self.ask.setToolTip(say("clock.ask_hint"))
        self.ask.clicked.connect(self._ask)

    def _step(self, seconds: int, words: str, what: str) -> QPushButton:
        made = button(words)
        made.setProperty("seconds", seconds)
        made.setAccessibleName(f"{self._say(f'clock.{what}')} {words}")
        return made

    def _rows(self) -> QGridLayout:
        rows = (
            ("clock.station", (self.station,)),
            ("clock.computer", (self.computer,)),
            ("clock.set_to", (self.wanted, self.set, self.right)),
            ("clock.move", self.moves),
            ("clock.pass", [*self.passes, self.halt]),
            ("", (self.follow, self.ask)),
        )
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        for number, (key, widgets) in enumerate(rows):
            if key:
                grid.addWidget(label(self._say(key), "secondary"), number, 0)
            row = QHBoxLayout()
            row.setSpacing(4 if len(widgets) > 4 else 8)
            for widget in widgets:
                row.addWidget(widget)
            row.addStretch(1)
            grid.addLayout(row, number, 1)
        grid.setColumnStretch(1, 1)
        return grid

    def _make_steps(self) -> Work:
        say = self._say
        columns = (
            Column[ClockStep](say("clock.at"), lambda s: _local(s.at), 172, mono=True),
            Column[ClockStep](say("clock.change"), _change, 120, right=True),
            Column[ClockStep](say("clock.by"), self._by, strong=True, mark=_mark),
        )
        self._model = RecordModel[ClockStep](columns, lambda s: s.number, self._theme, self)
        self.steps = RecordTable[ClockStep](self._model, columns, say("clock.steps"))
        yield
        none, hint = say("clock.steps.none"), say("clock.steps.none_hint")
        self._none = EmptyState("waiting", none, hint, self._theme)
        self._past = QWidget()
        self._stack = QStackedLayout(self._past)
        self._stack.addWidget(self._none)
        self._stack.addWidget(self.steps)

    # ------------------------------------------------------------------ what is shown

    def _show_view(self, view: ClockView) -> None:
        self.station.setText(_local(view.at))
        self.computer.setText(datetime.now().astimezone().strftime(SHOWN))
        self.difference.setText(self._against("clock", view.ahead))
        if view.told is None:
            self.told.setText(self._say("clock.told.none"))
        else:
            self.told.setText(self._against("clock.told", view.told))
        self.follow.setChecked(view.follows)
        for each in (*self.moves, *self.passes, self.set, self.right, self.ask):
            each.setEnabled(not self._passing)
        self.halt.setEnabled(self._passing)

    def _against(self, key: str, ahead: float) -> str:
        if abs(ahead) < SAME:
            return self._say(f"{key}.same")
        way = "ahead" if ahead > 0 else "behind"
        return self._say(f"{key}.{way}", span=span(timedelta(seconds=abs(ahead))))

    def _by(self, step: ClockStep) -> str:
        return self._say("clock.by.own" if step.own else "clock.by.back_office")

    # ------------------------------------------------------------------ acts

    def _set(self) -> None:
        text = self.wanted.text().strip()
        try:
            to = datetime.fromisoformat(text)
        except ValueError:
            example = datetime.now().astimezone().strftime(SHOWN)
            self.notice.tell(self._say("clock.unreadable", text=text, example=example))
            return
        self._told(done=self._feed.rooms.clock.set_to(to))

    def _set_right(self) -> None:
        self._told(done=self._feed.rooms.clock.set_to(datetime.now(UTC)))

    def _move(self) -> None:
        self._told(done=self._feed.rooms.clock.move(self._seconds()))

    def _told(self, *, done: bool) -> None:
        self.notice.tell(self._say("clock.done" if done else "clock.impossible"), good=done)
        self.refresh()

    def _follow(self, follows: bool) -> None:
        self._feed.rooms.clock.follow(follows=follows)

    def _ask(self) -> None:
        asked = self._feed.rooms.clock.ask()
        self.notice.tell(self._say("clock.asked" if asked else "clock.not_asked"), good=asked)

    def _let_pass(self) -> None:
        pressed = self.sender()
        assert isinstance(pressed, QPushButton), "a button was pressed"
        self._feed.spawner.spawn(self._pass(pressed, self._seconds()), "time passes")

    async def _pass(self, pressed: QPushButton, seconds: int) -> None:
        whole = span(timedelta(seconds=seconds))

        def goes_on(gone: float) -> bool:
            past = span(timedelta(seconds=gone))
            self.notice.tell(self._say("clock.passing", gone=past, span=whole), good=True)
            return not self._halted

        self._passing, self._halted = True, False
        self.halt.setEnabled(True)
        if pressed.hasFocus():
            self.halt.setFocus()  # the button itself rests now
        self.refresh()
        try:
            gone = await self._feed.rooms.clock.let_pass(seconds, goes_on)
        finally:
            self._passing = False
        if gone is None:
            self.notice.tell(self._say("clock.impossible"))
        else:
            past = span(timedelta(seconds=gone))
            self.notice.tell(self._say("clock.passed", span=past), good=True)
        back = self.halt.hasFocus()
        self.refresh()
        if back:
            pressed.setFocus()

    def _halt(self) -> None:
        self._halted = True

    def _seconds(self) -> int:
        sender = self.sender()
        assert isinstance(sender, QPushButton), "a button was pressed"
        return int(sender.property("seconds"))


def _local(moment: datetime) -> str:
    return moment.astimezone().strftime(SHOWN)


def _short(seconds: int) -> str:
    """1 min, 8 h, 1 d."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _signed(seconds: int) -> str:
    return f"{'+' if seconds > 0 else '−'}{_short(abs(seconds))}"


def _change(step: ClockStep) -> str:
    sign = "+" if step.change >= 0 else "−"
    if abs(step.change) < 60:
        return f"{sign}{abs(step.change):.1f} s"
    return sign + span(timedelta(seconds=abs(step.change)))


def _mark(step: ClockStep) -> Mark:
    return Mark("edit", "text2") if step.own else Mark("in", "text2")
