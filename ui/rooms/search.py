"""A field of words to look for."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit


class SearchField(QLineEdit):
    """Words to look for; Ctrl+F comes here from anywhere in the room, Escape empties it."""

    def __init__(self, hint: str, width: int | None = 260) -> None:
        super().__init__()
        self.setProperty("find", True)
        self.setPlaceholderText(hint)
        self.setAccessibleName(hint)
        self.setClearButtonEnabled(True)
        if width is not None:
            self.setFixedWidth(width)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            return
        super().keyPressEvent(event)

    def finds(self, *texts: str | None) -> bool:
        """Each of the words stands in one of the texts, small or large."""
        whole = "\n".join(text for text in texts if text).casefold()
        return all(word in whole for word in self.text().casefold().split())
