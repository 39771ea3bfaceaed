"""The text of a frame, coloured, one line lit: the one of the field chosen in the tree."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QTextCursor, QTextFormat
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QWidget

from ui.messages.pretty import Line
from ui.rooms.json_edit import JsonColours
from ui.theme import Theme, mono_font


class RawText(QPlainTextEdit):
    """Read-only JSON. `path_clicked` tells the field of the line that was clicked."""

    path_clicked = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setFont(mono_font(11))
        self.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._theme = theme
        self._lines: list[Line] = []
        self._lit: str | None = None
        self._colours = JsonColours(self.document(), theme)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._colours.set_theme(theme)
        self.light(self._lit)

    def show_lines(self, lines: list[Line]) -> None:
        self._lines = lines
        self.setPlainText("\n".join(line.text for line in lines))
        self.light(None)

    def light(self, path: str | None) -> None:
        """Light the first line of this field; None lights none."""
        self._lit = path
        number = next((n for n, line in enumerate(self._lines) if line.path == path), None)
        if path is None or number is None:
            self.setExtraSelections([])
            return
        cursor = QTextCursor(self.document().findBlockByNumber(number))
        mark = QTextEdit.ExtraSelection()
        mark.cursor = cursor
        mark.format.setBackground(self._theme.colour("sel"))
        mark.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
        self.setExtraSelections([mark])
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    def mouseReleaseEvent(self, event: object) -> None:
        super().mouseReleaseEvent(event)  # type: ignore[arg-type]
        number = self.textCursor().blockNumber()
        if 0 <= number < len(self._lines) and not self.textCursor().hasSelection():
            self.path_clicked.emit(self._lines[number].path)
