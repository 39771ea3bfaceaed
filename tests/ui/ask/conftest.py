"""A window with a field that has the keyboard, and stories that are played in the loop of the program."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
import qasync
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import delete, isValid

from ui.ask import Spawner

Story = Callable[[Spawner], Awaitable[None]]


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[QWidget]:
    window = QWidget()
    QVBoxLayout(window).addWidget(QLineEdit())
    window.show()
    qtbot.waitExposed(window)
    yield window
    if isValid(window):
        delete(window)


@pytest.fixture
def below(window: QWidget) -> QLineEdit:
    """What has the keyboard in the window."""
    field = window.findChild(QLineEdit)
    field.setFocus()
    return field


@pytest.fixture
def play(qapp: QApplication) -> Callable[[Story], None]:
    async def whole(story: Story) -> None:
        errors: list[BaseException] = []
        spawner = Spawner(errors.append)
        try:
            await story(spawner)
        finally:
            await spawner.close()
        assert [str(error) for error in errors] == getattr(story, "errors", [])

    def run(story: Story) -> None:
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(qapp)) as runner:
            runner.run(whole(story))

    return run


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


def press(window: QWidget, letter: str) -> None:
    """As it comes from the screen: to the window, and from there to what has the keyboard."""
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        key = QKeyEvent(kind, ord(letter), Qt.KeyboardModifier.NoModifier, letter)
        QApplication.sendEvent(window.windowHandle(), key)
