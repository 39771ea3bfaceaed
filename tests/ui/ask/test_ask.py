"""How a dialog comes to be shown: made in turns of the loop, whole when it appears, and once."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import delete, isValid

from tests.ui.ask.conftest import Story, press, until
from ui.ask import Dialog, Spawner, ask, open_in_turns
from ui.widgets.turns import TURN, Work


class Question(Dialog):
    """Takes a few turns of the loop to be made; `failing`: one of its steps fails."""

    def __init__(self, parent: QWidget | None, *, failing: bool = False) -> None:
        super().__init__(parent)
        self._failing = failing
        self.fields: list[QLineEdit] = []
        self.seen_early = self.shows = 0

    def build(self) -> Work:
        box = QVBoxLayout(self)
        for _ in range(3):
            self.fields.append(QLineEdit())
            self.seen_early += self.isVisible()
            box.addWidget(self.fields[-1])
            time.sleep(TURN)
            yield
        if self._failing:
            raise ValueError("a step failed")
        self.fields[0].setFocus()

    def event(self, event: QEvent) -> bool:
        self.shows += event.type() is QEvent.Type.Show
        return super().event(event)


def test_a_question_that_went_with_its_window_ends_without_a_fault(
    window: QWidget, play: Callable[[Story], None]
) -> None:
    async def story(spawner: Spawner) -> None:
        question = Question(window)
        asking = spawner.spawn(ask(question))
        await until(question.isVisible)
        delete(question)
        asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled()

    play(story)


def test_a_dialog_is_whole_when_it_appears_and_the_loop_turns_until_then(
    window: QWidget, play: Callable[[Story], None]
) -> None:
    async def story(spawner: Spawner) -> None:
        question = Question(window)
        asking = spawner.spawn(ask(question))
        turns = 0
        while not question.isVisible() and not asking.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns > len(question.fields)
        assert question.seen_early == 0
        assert all(edit.isVisible() for edit in question.fields)
        question.accept()
        assert await asking is True

    play(story)


def test_keys_that_are_pressed_while_it_is_made_are_its_own(
    window: QWidget, below: QLineEdit, play: Callable[[Story], None]
) -> None:
    async def story(spawner: Spawner) -> None:
        question = Question(window)
        asking = spawner.spawn(ask(question))
        await until(lambda: question.fields)
        assert not question.isVisible()
        press(window, "7")
        press(window, "8")
        await until(question.isVisible)
        await until(lambda: question.fields[0].text() == "78")
        assert below.text() == ""
        question.reject()
        assert await asking is False
        press(window, "9")
        assert below.text() == "9"

    play(story)


def test_escape_pressed_while_it_is_made_closes_it(
    window: QWidget, play: Callable[[Story], None]
) -> None:
    async def story(spawner: Spawner) -> None:
        question = Question(window)
        asking = spawner.spawn(ask(question))
        await until(lambda: question.fields)
        escape = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(window.windowHandle(), escape)
        assert await asking is False

    play(story)


def test_who_wants_a_dialog_twice_gets_one_and_another_one_when_it_is_answered(
    window: QWidget, play: Callable[[Story], None]
) -> None:
    made: list[Question] = []

    async def wanted() -> None:
        made.append(Question(window))
        await ask(made[-1])

    async def story(spawner: Spawner) -> None:
        for _ in range(2):
            spawner.once(wanted(), "question")
            await asyncio.sleep(0)
        await until(lambda: made and made[0].isVisible())
        spawner.once(wanted(), "question")
        await asyncio.sleep(0.05)
        assert len(made) == 1
        made[0].accept()
        spawner.once(wanted(), "question")
        await until(lambda: len(made) == 2 and made[1].isVisible())

    play(story)


def test_a_step_that_fails_is_told_and_the_window_has_its_keys_again(
    window: QWidget, below: QLineEdit, play: Callable[[Story], None]
) -> None:
    async def story(spawner: Spawner) -> None:
        asking = spawner.spawn(ask(Question(window, failing=True)))
        await asyncio.wait([asking])
        press(window, "1")
        assert below.text() == "1"

    story.errors = ["a step failed"]  # type: ignore[attr-defined]
    play(story)


def test_a_window_that_goes_takes_a_dialog_with_it_that_was_being_made(
    qtbot: QtBot, window: QWidget
) -> None:
    question = Question(window)
    open_in_turns(question)
    qtbot.waitUntil(lambda: bool(question.fields))
    delete(window)
    gc.collect()
    QTest.qWait(20)
    assert not isValid(question)


def test_signals_tell_how_a_dialog_was_closed_where_nobody_awaits_it(
    qtbot: QtBot, window: QWidget
) -> None:
    question = Question(window)
    open_in_turns(question)
    assert not question.isVisible()
    qtbot.waitUntil(question.isVisible)
    with qtbot.waitSignal(question.finished) as closed:
        question.accept()
    assert closed.args == [QDialog.DialogCode.Accepted.value]
    assert question.shows == 1
