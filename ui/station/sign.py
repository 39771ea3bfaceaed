"""A sign that hangs under the canopy: what holds for the whole station."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPen

from ui.theme.theme import Theme
from ui.widgets.glyphs import paint_glyph
from ui.widgets.scribe import Scribe, text_width


def paint_sign(painter: QPainter, scribe: Scribe, theme: Theme, text: str, room: QRectF) -> None:
    """Paint the sign in the middle of `room`, with a warning shape before the words."""
    width = min(room.width() - 32, text_width(text, 13, 600) + 50)
    rect = QRectF(room.center().x() - width / 2, room.top(), width, room.height())
    painter.setPen(QPen(theme.colour("line2"), 1.4))
    for x in (rect.left() + 20, rect.right() - 20):
        painter.drawLine(QPointF(x, rect.top() - 8), QPointF(x, rect.top()))
    painter.setPen(QPen(theme.colour("warn"), 1.2))
    painter.setBrush(theme.colour("panel"))
    painter.drawRoundedRect(rect, 8, 8)
    paint_glyph(
        painter, "warning", QPointF(rect.left() + 20, rect.center().y()), 7, theme.colour("warn")
    )
    scribe.write(
        rect.left() + 35, rect.center().y() + 4.6, text, 13, 600, theme.colour("text"),
        room=rect.width() - 46,
    )  # fmt: skip
