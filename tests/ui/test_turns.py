"""Work in turns of the loop: short turns, one piece at a time, and a clean end however it comes."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from ui.widgets.turns import ALONE, TURN, Turns, Work


@pytest.fixture
def turns(qapp: object) -> Iterator[Turns]:
    owner = QObject()
    yield Turns(owner)
    del owner


def counted(to: int, seen: list[object], seconds: float = 0.0) -> Work:
    try:
        for number in range(to):
            seen.append(number)
            time.sleep(seconds)
            yield
    finally:
        seen.append("end")


def test_nothing_is_done_before_the_next_turn(turns: Turns, qtbot: QtBot) -> None:
    seen: list[object] = []
    turns.start(counted(2, seen))
    assert turns.running
    assert not seen
    qtbot.waitUntil(lambda: not turns.running)
    assert seen == [0, 1, "end"]


def test_no_step_begins_in_a_turn_whose_time_has_passed(turns: Turns) -> None:
    seen: list[object] = []
    turns.start(counted(3, seen, TURN))
    lengths = []
    while turns.running:
        before = len(seen)
        turns._turn()
        lengths.append(len(seen) - before)
    assert lengths == [1, 1, 1, 1]


def test_many_short_steps_share_a_turn(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.widgets.turns.TURN", 60.0)  # a busy computer stops us for milliseconds
    seen: list[object] = []
    turns.start(counted(5, seen))
    turns._turn()
    assert seen == [0, 1, 2, 3, 4, "end"]


def test_a_long_step_has_a_turn_of_its_own(turns: Turns) -> None:
    seen: list[object] = []

    def work() -> Work:
        seen.append("short")
        yield ALONE
        seen.append("long")
        yield ALONE
        seen.append("end")

    turns.start(work())
    for expected in ("short", "long", "end"):
        assert turns.running
        turns._turn()
        assert seen[-1] == expected
    assert not turns.running


def test_other_work_ends_what_was_begun(turns: Turns, qtbot: QtBot) -> None:
    first: list[object] = []
    second: list[object] = []
    turns.start(counted(2, first, TURN))
    turns._turn()
    turns.start(counted(1, second))
    assert first == [0, "end"]
    qtbot.waitUntil(lambda: not turns.running)
    assert second == [0, "end"]


def test_the_last_step_may_begin_other_work(turns: Turns, qtbot: QtBot) -> None:
    seen: list[object] = []

    def first() -> Work:
        yield
        turns.start(counted(1, seen))

    turns.start(first())
    qtbot.waitUntil(lambda: not turns.running)
    assert seen == [0, "end"]


def test_what_is_left_can_be_finished_at_once(turns: Turns) -> None:
    seen: list[object] = []
    turns.start(counted(3, seen, TURN))
    turns.finish()
    assert seen == [0, 1, 2, "end"]
    assert not turns.running


def test_a_fault_in_a_step_is_told_and_ends_the_work(turns: Turns, qtbot: QtBot) -> None:
    def faulty() -> Work:
        yield
        raise ValueError("no")

    with qtbot.captureExceptions() as told:
        turns.start(faulty())
        qtbot.waitUntil(lambda: not turns.running)
    assert [str(value) for _, value, _ in told] == ["no"]
