"""A window with one sentence, for what keeps the real window from opening."""

from __future__ import annotations

from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication, QDialog, QDialogButtonBox, QLabel, QVBoxLayout

from ui.theme import Theme


def show_problem(title: str, sentence: str) -> QDialog | None:
    """Show the sentence until it is closed; nothing on a screen that nobody sees."""
    app = QApplication.instance()
    if not isinstance(app, QApplication) or app.platformName() in {"offscreen", "minimal"}:
        return None
    if not app.styleSheet():  # else it wears the person's own theme
        Theme.load("dark").apply(app)
    dialog = QDialog()
    dialog.setWindowTitle(title)
    head = QLabel(title)
    head.setProperty("role", "title")
    words = QLabel(sentence.replace("--", "\u2060-\u2060-\u2060"))  # options are not broken
    words.setWordWrap(True)
    words.setMinimumWidth(420)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    box = QVBoxLayout(dialog)
    box.setContentsMargins(24, 20, 24, 16)
    box.setSpacing(16)
    box.addWidget(head)
    box.addWidget(words)
    box.addWidget(buttons)
    dialog.show()
    while dialog.isVisible():  # the program ends after this: no task is left to starve
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    return dialog
