"""What a room shows while it has nothing to show: a shape, a sentence, and what to do about it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from ui.rooms.form import button, label
from ui.theme import Theme
from ui.widgets.glyphs import paint_glyph

WIDEST = 420
MARGIN, GAP = 12, 8


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
        self._inner = QWidget(self)
        box = QVBoxLayout(self._inner)
        box.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        box.setSpacing(GAP)
        box.addStretch(1)
        box.addWidget(self._glyph, 0, Qt.AlignmentFlag.AlignHCenter)
        box.addWidget(self.title)
        box.addWidget(self.sentence)
        box.addWidget(self.action, 0, Qt.AlignmentFlag.AlignHCenter)
        self.action.setVisible(bool(action))  # not before it has its place: it would be a window
        box.addStretch(1)

    def minimumSizeHint(self) -> QSize:
        """What cannot be left out: the title and the button."""
        parts = [self.title, self.action] if not self.action.isHidden() else [self.title]
        hints = [part.sizeHint() for part in parts]
        height = sum(hint.height() + GAP for hint in hints) - GAP + 2 * MARGIN
        return QSize(max(hint.width() for hint in hints) + 2 * MARGIN, height)

    def sizeHint(self) -> QSize:
        return self._inner.sizeHint().expandedTo(self.minimumSizeHint())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def set_theme(self, theme: Theme) -> None:
        self._glyph.set_theme(theme)

    def say(self, title: str, sentence: str) -> None:
        self.title.setText(title)
        self.sentence.setText(sentence)
        self._place()

    def _place(self) -> None:
        """In the middle. Where it is low the shape goes first, then the sentence."""
        width = min(WIDEST, self.width())
        room = self.height() - 2 * MARGIN - self._height(self.title, width)
        if not self.action.isHidden():
            room -= self.action.sizeHint().height() + GAP
        room -= self._height(self.sentence, width) + GAP
        self.sentence.setVisible(bool(self.sentence.text()) and room >= 0)
        self._glyph.setVisible(room >= self._glyph.height() + GAP)
        self._inner.setGeometry((self.width() - width) // 2, 0, width, self.height())

    @staticmethod
    def _height(words: QLabel, width: int) -> int:
        return words.heightForWidth(width - 2 * MARGIN)
