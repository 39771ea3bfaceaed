"""JSON to be written by hand: coloured, the place of a mistake underlined, never corrected."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import (
    QKeyEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QWidget

from ui.theme import Theme, mono_font

_WORD = re.compile(
    r'(?P<text>"(?:[^"\\]|\\.)*")(?P<colon>\s*:)?'
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b|\b(?:true|false|null)\b)"
)
LONGEST = 2_000
"""Characters of a line that are coloured; longer ones stay plain."""
INDENT = "  "
MARGIN = 10
LOWEST = 52


@dataclass(frozen=True, slots=True)
class Mistake:
    """Where a text stops being JSON; line and column count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A text read as JSON: its value, or where it is none."""

    value: Any = None
    mistake: Mistake | None = None


def read_json(text: str) -> Reading:
    """Never raises; what is nested too deeply to be read counts as a mistake at the start."""
    try:
        return Reading(json.loads(text))
    except json.JSONDecodeError as error:
        return Reading(mistake=Mistake(error.lineno, error.colno))
    except (ValueError, RecursionError):
        return Reading(mistake=Mistake(1, 1))


class JsonColours(QSyntaxHighlighter):
    """Keys, texts and numbers in their colours."""

    def __init__(self, document: QTextDocument, theme: Theme) -> None:
        super().__init__(document)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        self._forms = {token: _format(theme, token) for token in ("num", "str", "key")}
        self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        if len(text) > LONGEST:
            return
        for match in _WORD.finditer(text):
            word = "num" if match["number"] else "key" if match["colon"] else "str"
            start, end = match.span("number" if word == "num" else "text")
            self.setFormat(start, end - start, self._forms[word])


class JsonEdit(QPlainTextEdit):
    """`edited` comes when a person, not the program, changed the text, `submitted` with Ctrl+Enter."""

    edited = Signal()
    submitted = Signal()

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._quiet = False
        self.setFont(mono_font(12))
        self.setAccessibleName(name)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTabChangesFocus(True)
        self.setMinimumHeight(LOWEST)
        self.document().setDocumentMargin(MARGIN)
        self._colours = JsonColours(self.document(), theme)
        self.textChanged.connect(self._on_changed)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._quiet = True
        self._colours.set_theme(theme)
        self._quiet = False

    def put(self, text: str) -> None:
        """Show another text."""
        self._quiet = True
        self.setPlainText(text)
        self._quiet = False

    def mark(self, mistake: Mistake | None) -> None:
        """Underline where the text stops being JSON."""
        if mistake is None:
            self.setExtraSelections([])
            return
        cursor = QTextCursor(self.document().findBlockByNumber(mistake.line - 1))
        cursor.movePosition(
            QTextCursor.MoveOperation.Right, QTextCursor.MoveMode.MoveAnchor, mistake.column - 1
        )
        if cursor.atBlockEnd():
            cursor.movePosition(QTextCursor.MoveOperation.Left, QTextCursor.MoveMode.KeepAnchor)
        else:
            cursor.movePosition(QTextCursor.MoveOperation.Right, QTextCursor.MoveMode.KeepAnchor)
        selection = QTextEdit.ExtraSelection()
        selection.cursor = cursor
        form = QTextCharFormat()
        form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
        form.setUnderlineColor(self._theme.colour("warn"))
        selection.format = form
        self.setExtraSelections([selection])

    def event(self, event: QEvent) -> bool:
        """Ctrl+Enter is ours while we have the focus, whatever it does in the window."""
        if event.type() == QEvent.Type.ShortcutOverride and _is_submit(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if _is_submit(event):
            self.submitted.emit()
            return
        super().keyPressEvent(event)

    def _on_changed(self) -> None:
        if not self._quiet:
            self.edited.emit()


def pretty_json(value: Any) -> str:
    """Readable JSON: two blanks a level, nothing escaped that need not be."""
    return json.dumps(value, indent=INDENT, ensure_ascii=False)


def _is_submit(event: QEvent) -> bool:
    if not isinstance(event, QKeyEvent):
        return False
    enter = event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}
    return enter and bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)


def _format(theme: Theme, token: str) -> QTextCharFormat:
    form = QTextCharFormat()
    form.setForeground(theme.colour(token))
    return form
