"""A sign that hangs under the canopy: what holds for the whole station."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPen

from ui.theme.theme import Theme
from ui.widgets.glyphs import paint_glyph
from ui.widgets.scribe import Scribe, text_width

HEIGHT = 32.0
AROUND = 50.0
"""px that a sign is wider than its words."""
AWAY = 8.0


def clear_place(text: str, wanted: float, screens: Sequence[QRectF], width: float) -> float:
    """The middle of a sign near `wanted` that covers no screen and fits in; where there is none `wanted`."""
    half = text_width(text, 13, 600) / 2 + AROUND / 2
    beside = [x for s in screens for x in (s.left() - half - AWAY, s.right() + half + AWAY)]
    good = [
        x
        for x in (wanted, *beside)
        if half + AWAY <= x <= width - half - AWAY
        and not any(s.left() < x + half and x - half < s.right() for s in screens)
    ]
    return min(good, key=lambda x: abs(x - wanted), default=wanted)


def paint_sign(
    painter: QPainter, scribe: Scribe, theme: Theme, text: str, hook: QPointF, drop: float,
    edge: float,
) -> None:  # fmt: skip
    """Paint the sign `drop` below `hook` on two wires, left of `edge`; a warning shape before the words."""
    width = text_width(text, 13, 600) + AROUND
    rect = QRectF(hook.x() - width / 2, hook.y() + drop, width, HEIGHT)
    rect.moveRight(min(rect.right(), edge))
    rect.moveLeft(max(8.0, rect.left()))
    painter.setPen(QPen(theme.colour("text3"), 1.2))
    for x in (rect.left() + 18, rect.right() - 18):
        painter.drawLine(QPointF(x, hook.y()), QPointF(x, rect.top()))
    painter.setPen(QPen(theme.colour("warn"), 1.2))
    painter.setBrush(theme.colour("panel"))
    painter.drawRoundedRect(rect, 8, 8)
    middle = rect.center().y()
    paint_glyph(painter, "warning", QPointF(rect.left() + 20, middle), 7, theme.colour("warn"))
    scribe.write(rect.left() + 35, middle + 4.6, text, 13, 600, theme.colour("text"))
