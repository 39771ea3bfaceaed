"""A person who is asked for a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from ui.files import FileQuestion


@contextmanager
def choosing(qtbot: QtBot, parent: QWidget) -> Iterator[QFileDialog]:
    """The dialog that `parent` opens, shown; at the end it has to be gone."""

    def shown() -> list[QFileDialog]:
        return [one for one in parent.findChildren(QFileDialog) if one.isVisible()]

    qtbot.waitUntil(lambda: bool(shown()))
    yield shown()[0]
    qtbot.waitUntil(lambda: not questions(parent))


def choose(dialog: QFileDialog, path: Path) -> None:
    """Write the file's name and press Enter."""
    dialog.findChild(QLineEdit).setText(str(path))
    dialog.accept()


def questions(parent: QWidget) -> list[QObject]:
    """What is left of questions for files."""
    return [*parent.findChildren(QFileDialog), *parent.findChildren(FileQuestion)]
