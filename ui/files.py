"""The dialog that asks for a file: Qt's own, for a system's may bring a loop of its own along."""

from __future__ import annotations

from PySide6.QtWidgets import QFileDialog, QWidget


def file_to_open(parent: QWidget, title: str, filters: str, path: str = "") -> QFileDialog:
    """Asks for a file that is there. To be opened by `ask()` or `open_in_turns()`."""
    dialog = _file_dialog(parent, title, path, filters)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    return dialog


def file_to_save(
    parent: QWidget, title: str, name: str, *, suffix: str = "", filters: str = ""
) -> QFileDialog:
    """Asks where something shall go. To be opened by `ask()` or `open_in_turns()`."""
    dialog = _file_dialog(parent, title, name, filters)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(suffix)
    dialog.selectFile(name)
    return dialog


def _file_dialog(parent: QWidget, title: str, path: str, filters: str) -> QFileDialog:
    dialog = QFileDialog(parent, title, path, filters)
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    return dialog
