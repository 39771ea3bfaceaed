"""The certificate lab: buttons that walk through the security profiles, and what came of each step."""

from __future__ import annotations

from collections.abc import Awaitable

from PySide6.QtWidgets import (
    QApplication,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.runtime.lab import SERVER_FLAWS, STATION_FLAWS, LabResult
from ui.rooms.form import QuietCombo, Words, button, label
from ui.rooms.table import Column, Mark, RecordModel, RecordTable
from ui.station_rooms.feed import RoomFeed
from ui.station_rooms.room import Notice, clock
from ui.theme import Theme
from ui.widgets.turns import Work

PROFILES = range(4)


class LabPanel(QWidget):
    """The newest result stands as a sentence above the list of all."""

    def __init__(self, feed: RoomFeed, theme: Theme, say: Words) -> None:
        super().__init__()
        self._feed, self._say = feed, say
        self._pressed: QPushButton | None = None
        self._begun = False
        """A step was ordered, and is not over yet: for an instant the lab is not busy with it."""
        self.notice = Notice(theme)
        columns = (
            Column[LabResult](say("lab.at"), lambda r: clock(r.at), 120, mono=True, mark=_mark),
            Column[LabResult](say("lab.result"), lambda r: say.catalogue.render(r.words)),
        )
        self._model = RecordModel[LabResult](columns, lambda r: r.number, theme, self)
        self.table = RecordTable[LabResult](self._model, columns, say("lab.results"))

    def build(self) -> Work:
        """Make all there is to press, in steps, and put it in its place."""
        say = self._say
        yield
        self.profiles = [self._profile_button(number) for number in PROFILES]
        self.server_flaw = self._flaws("lab.server", SERVER_FLAWS)
        self.station_flaw = self._flaws("lab.station", STATION_FLAWS)
        yield
        self.serve = button(say("lab.serve"))
        self.serve.setToolTip(say("lab.serve_hint"))
        self.serve.clicked.connect(self._serve)
        self.ask = button(say("lab.ask"))
        self.ask.setToolTip(say("lab.ask_hint"))
        self.ask.clicked.connect(self._ask)
        self.renew = button(say("lab.renew"), "quiet")
        self.renew.setToolTip(say("lab.renew_hint"))
        self.renew.clicked.connect(self._renew)
        yield
        self._arrange()

    def set_theme(self, theme: Theme) -> None:
        self.notice.set_theme(theme)
        self._model.set_theme(theme)

    def refresh(self, profile: int) -> None:
        """`profile` is the one in force."""
        lab = self._feed.lab
        for number, each in enumerate(self.profiles):
            each.setEnabled(not lab.busy)
            each.setChecked(number == profile)
        for each in (self.serve, self.ask, self.renew):
            each.setEnabled(not lab.busy)
        if not lab.busy and not self._begun:
            self._give_focus_back()
        results = lab.results()
        self._model.show(results)
        if lab.busy:
            self.notice.tell(self._say("lab.busy"), good=True)
        elif results:
            newest = results[0]
            self.notice.tell(self._say.catalogue.render(newest.words), good=newest.good)

    # ------------------------------------------------------------------ building

    def _arrange(self) -> None:
        say = self._say
        walk = QHBoxLayout()
        walk.setSpacing(4)
        for each in self.profiles:
            walk.addWidget(each)
        walk.addStretch(1)
        grid = QGridLayout()
        grid.setContentsMargins(16, 8, 12, 8)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        for row, key in enumerate(("lab.walk", "lab.server", "lab.station")):
            grid.addWidget(label(say(key), "secondary"), row, 0)
        grid.addLayout(walk, 0, 1, 1, 2)
        grid.addWidget(self.server_flaw, 1, 1)
        grid.addWidget(self.serve, 1, 2)
        grid.addWidget(self.station_flaw, 2, 1)
        grid.addWidget(self.ask, 2, 2)
        grid.setColumnStretch(1, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addLayout(grid)
        box.addWidget(self.notice)
        box.addWidget(self.table, 1)

    def _profile_button(self, number: int) -> QPushButton:
        made = button(self._say("lab.profile", number=number), "segment")
        made.setCheckable(True)
        made.setObjectName(str(number))
        made.setToolTip(self._say(f"lab.profile.{number}"))
        made.setAccessibleName(self._say("lab.go", number=number))
        made.clicked.connect(self._go)
        return made

    def _flaws(self, key: str, flaws: tuple[str, ...]) -> QuietCombo:
        combo = QuietCombo(self._say(key))
        for flaw in flaws:
            combo.addItem(self._say(f"lab.flaw.{flaw}"), flaw)
        return combo

    # ------------------------------------------------------------------ acts

    def _go(self) -> None:
        sender = self.sender()
        if isinstance(sender, QPushButton):
            self._do(self._feed.lab.go(int(sender.objectName())))

    def _serve(self) -> None:
        self._do(self._feed.lab.serve(self.server_flaw.currentData()))

    def _ask(self) -> None:
        self._do(self._feed.lab.ask_for_certificate(self.station_flaw.currentData()))

    def _renew(self) -> None:
        self._do(self._feed.lab.new_authority())

    def _give_focus_back(self) -> None:
        """A button that cannot be pressed for a while loses the focus: it goes back there."""
        pressed, self._pressed = self._pressed, None
        focus = QApplication.focusWidget()
        if pressed is not None and focus is not None and self.isAncestorOf(focus):
            pressed.setFocus()

    def _do(self, step: Awaitable[object]) -> None:
        sender = self.sender()
        self._pressed = sender if isinstance(sender, QPushButton) else None
        self._begun = True
        self._feed.spawner.spawn(self._run(step), "certificate lab")
        self._feed.poke()

    async def _run(self, step: Awaitable[object]) -> None:
        try:
            await step
        finally:
            self._begun = False
            self._feed.poke()


def _mark(result: LabResult) -> Mark:
    return Mark("tick", "avail") if result.good else Mark("warning", "warn")
