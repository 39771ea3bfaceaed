"""A state as a chip: shape, colour and word."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.station.kinds import BayStatus
from ui.theme import Theme, ui_font
from ui.widgets.glyphs import STATE_TOKEN, paint_state

HEIGHT = 28
FONT = (13, 600)


class StateChip(QWidget):
    """Shows the state of a bay."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._status = BayStatus.OFF
        self._word = ""
        self.setFixedHeight(HEIGHT)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def show_state(self, status: BayStatus, word: str) -> None:
        if (status, word) == (self._status, self._word):
            return
        self._status, self._word = status, word
        self.setAccessibleName(word)
        self.setFixedWidth(self.sizeHint().width())
        self.update()

    def sizeHint(self) -> QSize:
        width = QFontMetricsF(ui_font(*FONT)).horizontalAdvance(self._word)
        return QSize(round(width) + 46, HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        token = STATE_TOKEN[self._status]
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(self._theme.colour(token, 0.7), 1))
        painter.setBrush(self._theme.colour(token, 0.14))
        painter.drawRoundedRect(box, HEIGHT / 2, HEIGHT / 2)
        paint_state(painter, self._status, QPointF(18, HEIGHT / 2), 7, self._theme)
        painter.setFont(ui_font(*FONT))
        painter.setPen(self._theme.colour(token))
        painter.drawText(box.adjusted(32, 0, -8, 0), int(Qt.AlignmentFlag.AlignVCenter), self._word)
