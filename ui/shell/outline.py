"""What is seen in the first second: where the rooms will be, in the colours of the theme."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui.theme import Theme, ui_font

TOP, BOTTOM, WALLET, HEAD = 56, 30, 96, 40
"""px: top bar, status bar, the strip of cards, the head of the messages."""


class Outline(QWidget):
    """Stands in for the whole window while the program is still being read. `painted`: it can be seen."""

    painted = Signal()

    def __init__(
        self, theme: Theme, words: str, side: int, share: float, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme, self._words = theme, words
        self._side, self._share = side, share
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(words)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme, width, height = self._theme, float(self.width()), float(self.height())
        below = round(height * self._share) + BOTTOM
        picture = QRectF(0, TOP, width - self._side, height - TOP - below - WALLET)
        painter.fillRect(self.rect(), theme.colour("panel"))
        wall = QLinearGradient(picture.topLeft(), picture.bottomLeft())
        wall.setColorAt(0, theme.colour("wall1"))
        wall.setColorAt(1, theme.colour("wall2"))
        painter.fillRect(picture, wall)
        painter.fillRect(QRectF(0, height - below + HEAD, width, below), theme.colour("win"))
        painter.fillRect(QRectF(0, height - BOTTOM, width, BOTTOM), theme.colour("panel"))
        line = theme.colour("line")
        for edge in (
            QRectF(0, TOP - 1, width, 1),
            QRectF(picture.right(), TOP, 1, height - TOP - below),
            QRectF(0, picture.bottom(), picture.width(), 1),
            QRectF(0, height - below, width, 1),
            QRectF(0, height - BOTTOM, width, 1),
        ):
            painter.fillRect(edge, line)
        painter.setPen(theme.colour("text3"))
        painter.setFont(ui_font(13, 500))
        painter.drawText(picture, Qt.AlignmentFlag.AlignCenter, self._words)
        painter.end()
        self.painted.emit()
