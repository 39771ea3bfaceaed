"""A question for a file: Qt's own dialog, made in turns of the loop."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QDateTime, QLocale, QSettings, QStandardPaths
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLineEdit, QListView, QTreeView, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import delete, isValid

from tests.ui.ask.conftest import Story, press, until
from tests.ui.choosing import choose, choosing, questions
from ui.ask import Spawner
from ui.files import file_to_open, file_to_save

MARGINS = 16
"""px beside the words of a cell."""


def test_what_was_chosen_is_told_with_the_suffix_that_such_files_have(
    window: QWidget, qtbot: QtBot, tmp_path: Path
) -> None:
    question = file_to_save(window, "Save", "mine.zip", suffix="zip", filters="Zip (*.zip)")
    with qtbot.waitSignal(question.answered) as answered:
        question.open()
        with choosing(qtbot, window) as dialog:
            assert dialog.windowTitle() == "Save"
            choose(dialog, tmp_path / "other")
    assert answered.args == [str(tmp_path / "other.zip")]


@pytest.mark.parametrize("path", ["folder", "folder/there.pem"])
def test_it_begins_where_the_last_choice_was(
    window: QWidget, qtbot: QtBot, tmp_path: Path, path: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "there.pem").touch()
    question = file_to_open(window, "Open", "All (*)", str(tmp_path / path))
    question.open()
    with choosing(qtbot, window) as dialog:
        assert dialog.directory().path() == str(tmp_path / "folder")
        if path.endswith("pem"):
            assert dialog.selectedFiles() == [str(tmp_path / path)]
        dialog.reject()


@pytest.fixture
def first_time(tmp_path: Path) -> Iterator[None]:
    """Nobody has used Qt's dialog before: it keeps its widths for all programs of a person."""
    native, user = QSettings.Format.NativeFormat, QSettings.Scope.UserScope
    QSettings.setPath(native, user, str(tmp_path))
    yield
    usual = QStandardPaths.StandardLocation.GenericConfigLocation
    QSettings.setPath(native, user, QStandardPaths.writableLocation(usual))


@pytest.mark.usefixtures("first_time")
def test_dates_and_the_places_at_the_side_are_read_in_full(window: QWidget, qtbot: QtBot) -> None:
    file_to_open(window, "Open", "All (*)").open()
    with choosing(qtbot, window) as dialog:
        files = dialog.findChild(QTreeView)
        day = dialog.locale().toString(QDateTime.currentDateTime(), QLocale.FormatType.ShortFormat)
        assert files.columnWidth(3) > files.fontMetrics().horizontalAdvance(day) + MARGINS
        places = dialog.findChild(QListView, "sidebar")
        assert places.width() > places.sizeHintForColumn(0)
        dialog.reject()


def test_nothing_is_told_when_it_is_closed_without_a_choice(window: QWidget, qtbot: QtBot) -> None:
    question = file_to_open(window, "Open", "All (*)")
    with qtbot.waitSignal(question.answered) as answered:
        question.open()
        with choosing(qtbot, window) as dialog:
            dialog.reject()
    assert answered.args == [""]


def test_who_awaits_it_gets_the_path(
    window: QWidget, play: Callable[[Story], None], tmp_path: Path
) -> None:
    (tmp_path / "there.zip").touch()

    async def story(spawner: Spawner) -> None:
        asking = spawner.spawn(file_to_open(window, "Open", "All (*)").ask())
        dialog = await shown(window)
        choose(dialog, tmp_path / "there.zip")
        assert await asyncio.wait_for(asking, 5) == str(tmp_path / "there.zip")

    play(story)


def test_a_question_that_nobody_awaits_any_more_goes(
    window: QWidget, play: Callable[[Story], None]
) -> None:
    async def story(spawner: Spawner) -> None:
        spawner.spawn(file_to_open(window, "Open", "All (*)").ask())
        await shown(window)
        await spawner.close()
        await asyncio.sleep(0.02)
        assert not questions(window)

    play(story)


def test_keys_that_are_pressed_while_it_is_being_made_name_the_file(
    window: QWidget, below: QLineEdit, play: Callable[[Story], None]
) -> None:
    async def story(spawner: Spawner) -> None:
        asking = spawner.spawn(file_to_save(window, "Save", "").ask())
        await asyncio.sleep(0)
        for letter in "mine":
            press(window, letter)
        dialog = await shown(window)
        await asyncio.sleep(0.05)
        assert dialog.findChild(QLineEdit).text() == "mine"
        assert below.text() == ""
        dialog.reject()
        assert await asyncio.wait_for(asking, 5) == ""

    play(story)


def test_a_window_that_goes_takes_a_question_with_it_that_was_being_made(
    window: QWidget,
) -> None:
    question = file_to_open(window, "Open", "All (*)")
    question.open()
    QTest.qWait(1)
    delete(window)
    gc.collect()
    QTest.qWait(20)
    assert not isValid(question)


async def shown(window: QWidget) -> QFileDialog:
    def there() -> list[QFileDialog]:
        return [one for one in window.findChildren(QFileDialog) if one.isVisible()]

    await until(there)
    return there()[0]
