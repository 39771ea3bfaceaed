"""Asks for a file, by Qt's own dialog: a system's may bring a loop of its own along."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from PySide6.QtCore import QDir, QFileInfo, QObject, QSize, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QFileIconProvider,
    QFileSystemModel,
    QHeaderView,
    QSplitter,
    QTreeView,
    QWidget,
)
from shiboken6 import isValid

from ui.ask import HeldKeys, opening
from ui.widgets.turns import ALONE, Turns, Work, in_turns

SIZE = QSize(860, 520)
PLACES = 150
COLUMNS = (90, 140, 150)
"""px, of a file's size, type and date."""

Arrange = Callable[[QFileDialog], None]


class FileQuestion(QObject):
    """One question for one file. To be put by `open()` or by `await ask()`, once."""

    answered = Signal(str)
    """The file's path; empty when none was chosen."""

    def __init__(self, parent: QWidget, title: str, arrange: Arrange) -> None:
        super().__init__(parent)
        self._parent, self._title, self._arrange = parent, title, arrange
        self._dialog: QFileDialog | None = None

    def open(self) -> None:
        """Show the dialog soon; `answered` tells what was chosen."""
        Turns(self).start(self._opening())

    async def ask(self) -> str:
        """Show the dialog and wait until it is closed. The path, or nothing."""
        chosen: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.answered.connect(lambda path: chosen.done() or chosen.set_result(path))
        try:
            await in_turns(self._opening())
            return await chosen
        finally:
            self._leave()

    def _opening(self) -> Work:
        """Qt makes its dialog in one go, so what the first one has to load is loaded before that."""
        keys = HeldKeys(self)
        try:
            yield ALONE
            QFileIconProvider().icon(QFileIconProvider.IconType.Folder)
            yield ALONE
            QFileSystemModel().setRootPath(QDir.currentPath())
            yield ALONE
            self._dialog = QFileDialog(self._parent, self._title)
            yield ALONE
            self._dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
            yield
            self._arrange(self._dialog)
            _widen(self._dialog)
            self._dialog.finished.connect(self._on_finished)
            yield
            yield from opening(self._dialog, keys)
        finally:
            keys.let_go()

    def _on_finished(self, result: int) -> None:
        if self._dialog is not None:
            chosen = self._dialog.selectedFiles() if result else []
            self._leave()
            self.answered.emit(chosen[0] if chosen else "")

    def _leave(self) -> None:
        for one in (self._dialog, self):
            if one is not None and isValid(one):  # they go with their window, too
                one.deleteLater()
        self._dialog = None


def _widen(dialog: QFileDialog) -> None:
    """Room for what the columns and the places beside them say: Qt's own widths cut both."""
    dialog.resize(SIZE)
    sides = dialog.findChild(QSplitter)
    sides.setSizes([PLACES, SIZE.width() - PLACES])
    header = dialog.findChild(QTreeView).header()
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    for column, wide in enumerate(COLUMNS, 1):
        header.resizeSection(column, wide)


def file_to_open(parent: QWidget, title: str, filters: str, path: str = "") -> FileQuestion:
    """Asks for a file that is there; the dialog begins at `path`, a file or a folder."""

    def arrange(dialog: QFileDialog) -> None:
        dialog.setNameFilter(filters)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        if QFileInfo(path).isDir():
            dialog.setDirectory(path)
        elif path:
            dialog.selectFile(path)

    return FileQuestion(parent, title, arrange)


def file_to_save(
    parent: QWidget, title: str, name: str, *, suffix: str = "", filters: str = ""
) -> FileQuestion:
    """Asks where something shall go: a file of this name, or another."""

    def arrange(dialog: QFileDialog) -> None:
        if filters:
            dialog.setNameFilter(filters)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(suffix)
        dialog.selectFile(name)

    return FileQuestion(parent, title, arrange)
