"""A room is made in turns of the loop and shown as a whole, whatever happens meanwhile."""

from __future__ import annotations

from typing import Any, cast

import pytest
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.kernel.catalogue import Catalogue
from ui.rooms.split import TurningSplitter
from ui.station_rooms.room import LazyRoom, LiveRoom
from ui.theme import Theme
from ui.widgets.turns import Work

STEPS = 5
DARK, LIGHT = Theme.load("dark"), Theme.load("light")


class News(QObject):
    """The part of a feed that a room listens to."""

    changed, ticked = Signal(), Signal()


class Sketch(LiveRoom):
    """Labels in a splitter, one more in each step; each says what it was told when."""

    def build(self) -> Work:
        self.told: list[str] = []
        self.labels = [QLabel(f"{number}") for number in range(STEPS)]
        for number in range(STEPS):
            self.told.append(f"step {number}")
            yield
        split = TurningSplitter(100, [1] * STEPS, [1] * STEPS, *self.labels)
        self.labels[-1].setVisible(False)
        box = QVBoxLayout(self)
        box.addWidget(split)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.told.append(theme.name)

    def refresh(self) -> None:
        self.told.append("seen" if self.isVisible() else "filled")


@pytest.fixture
def lazy(qtbot: QtBot) -> LazyRoom:
    news, catalogue = News(), Catalogue.load()
    made = LazyRoom(lambda theme: Sketch(cast("Any", news), theme, catalogue), DARK)
    made.setProperty("news", news)
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    return made


def sketch(lazy: LazyRoom) -> Sketch:
    assert isinstance(lazy.room, Sketch)
    return lazy.room


def shown(lazy: LazyRoom) -> bool:
    return any(one.isVisible() for one in lazy.findChildren(LiveRoom))


def turn(lazy: LazyRoom, steps: int = 1) -> None:
    """Let it go on by so many steps."""
    for _ in range(steps):
        work = lazy._turns._work
        assert work is not None
        lazy._turns._step(work)


def test_a_room_is_filled_before_it_is_seen(lazy: LazyRoom, qtbot: QtBot) -> None:
    lazy.set_live(True)
    while lazy._turns.running:
        assert not shown(lazy)
        turn(lazy)
    assert shown(lazy)
    assert sketch(lazy).told[-1] == "filled"


def test_each_part_has_its_style_before_it_is_seen(lazy: LazyRoom) -> None:
    lazy.set_live(True)
    polished = []
    while lazy._turns.running:
        parts = [one for one in lazy.findChildren(LiveRoom) for one in one.findChildren(QWidget)]
        polished = [one.testAttribute(Qt.WidgetAttribute.WA_WState_Polished) for one in parts]
        turn(lazy)
    assert len(polished) > STEPS
    assert all(polished)


def test_what_a_room_hides_of_a_splitter_stays_hidden(lazy: LazyRoom) -> None:
    lazy.set_live(True)
    lazy._turns.finish()
    assert [one.isVisible() for one in sketch(lazy).labels] == [True] * (STEPS - 1) + [False]


def test_who_asks_for_a_room_in_the_middle_gets_all_of_it(lazy: LazyRoom) -> None:
    lazy.set_live(True)
    turn(lazy, 3)
    assert sketch(lazy).told[: STEPS + 1] == [*(f"step {n}" for n in range(STEPS)), "filled"]


def test_a_theme_that_comes_in_the_middle_is_worn(lazy: LazyRoom) -> None:
    lazy.set_live(True)
    turn(lazy, 3)
    lazy.set_theme(LIGHT)
    assert sketch(lazy).told[-2:] == ["light", "filled"]


def test_a_room_that_is_left_and_opened_again_in_its_last_turns_goes_on_reading(
    lazy: LazyRoom,
) -> None:
    lazy.set_live(True)
    while not any(one._live for one in lazy.findChildren(Sketch)):
        turn(lazy)
    assert lazy._turns.running  # it is filled and still to be shown
    lazy.set_live(False)
    lazy.set_live(True)
    lazy._turns.finish()
    told = len(sketch(lazy).told)
    lazy.property("news").changed.emit()
    assert len(sketch(lazy).told) == told + 1


def test_a_room_that_is_closed_in_the_middle_is_there_when_it_is_opened_again(
    lazy: LazyRoom,
) -> None:
    lazy.set_live(True)
    turn(lazy, 3)
    lazy.set_live(False)
    lazy._turns.finish()
    assert lazy._room is not None
    assert "filled" not in sketch(lazy).told
    lazy.set_live(True)
    lazy._turns.finish()
    assert sketch(lazy).told.count("step 0") == 1
    assert sketch(lazy)._live


def test_a_room_that_nobody_sees_wears_another_theme_a_turn_later(
    lazy: LazyRoom, qtbot: QtBot
) -> None:
    lazy.set_live(True)
    lazy._turns.finish()
    lazy.set_live(False)
    lazy.set_theme(LIGHT)
    assert "light" not in sketch(lazy).told
    qtbot.waitUntil(lambda: "light" in sketch(lazy).told)


def test_a_theme_that_comes_just_before_a_room_is_shown_is_worn_too(lazy: LazyRoom) -> None:
    lazy.set_live(True)
    while lazy._room is None or "filled" not in sketch(lazy).told:
        turn(lazy)
    lazy.set_live(False)
    lazy.set_theme(LIGHT)
    lazy._turns.finish()
    assert sketch(lazy).theme == LIGHT


def test_nothing_is_made_for_a_session_that_ends(lazy: LazyRoom, qtbot: QtBot) -> None:
    lazy.set_live(True)
    turn(lazy, 2)
    lazy.leave()
    qtbot.wait(30)
    assert not lazy.findChildren(LiveRoom)
