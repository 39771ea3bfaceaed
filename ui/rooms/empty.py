"""What a room shows while it has nothing to show: a shape, a sentence, and what to do about it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ui.rooms.form import button, label
from ui.theme import Theme
from ui.widgets.glyphs import paint_glyph

WIDEST = 420


class Glyph(QWidget):
    """One painted shape; it says nothing to screen readers, the words beside it do."""

    def __init__(self, name: str, token: str, theme: Theme, size: int = 16) -> None:
        super().__init__()
        self._name, self._token, self._theme, self._size = name, token, theme, size
        self.setFixedSize(QSize(size, size))

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def show_glyph(self, name: str, token: str) -> None:
        self._name, self._token = name, token
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        middle = self._size / 2
        paint_glyph(
            painter,
            self._name,
            QPointF(middle, middle),
            middle - 1,
            self._theme.colour(self._token),
            self._theme.colour("onink"),
        )


class EmptyState(QWidget):
    """A title and a sentence in the middle, with at most one button."""

    def __init__(
        self, glyph: str, title: str, sentence: str, theme: Theme, action: str = ""
    ) -> None:
        super().__init__()
        self._glyph = Glyph(glyph, "text3", theme, 28)
        self.title = label(title, "heading")
        self.title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.title.setWordWrap(True)
        self.sentence = label(sentence, "secondary", wrap=True)
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.action: QPushButton = button(action, "primary")
        inner = QWidget()
        inner.setMaximumWidth(WIDEST)
        box = QVBoxLayout(inner)
        box.setContentsMargins(16, 16, 16, 16)
        box.setSpacing(8)
        box.addStretch(1)
        box.addWidget(self._glyph, 0, Qt.AlignmentFlag.AlignHCenter)
        box.addWidget(self.title)
        box.addWidget(self.sentence)
        box.addSpacing(4)
        box.addWidget(self.action, 0, Qt.AlignmentFlag.AlignHCenter)
        self.action.setVisible(bool(action))  # not before it has its place: it would be a window
        box.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch(1)
        row.addWidget(inner, 100)
        row.addStretch(1)

    def set_theme(self, theme: Theme) -> None:
        self._glyph.set_theme(theme)

    def say(self, title: str, sentence: str) -> None:
        self.title.setText(title)
        self.sentence.setText(sentence)
