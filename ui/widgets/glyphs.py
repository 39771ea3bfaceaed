"""Shapes that say a state without its colour, and the line icons of buttons."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap

from app.station.kinds import BayStatus
from ui.theme.theme import Theme
from ui.widgets.svgpath import outline

STATE_TOKEN = {
    BayStatus.AVAILABLE: "avail",
    BayStatus.CHARGING: "charge",
    BayStatus.OCCUPIED: "charge",
    BayStatus.RESERVED: "reserve",
    BayStatus.UNAVAILABLE: "unavail",
    BayStatus.FAULTED: "fault",
    BayStatus.OFF: "unavail",
}
"""The colour role of each state of a bay."""

_BOLT = "M0.9 -4.8l-3.7 5.3h2.5l-0.7 4.3l3.8 -5.5h-2.6z"
_TICK = "M-2.8 0.2l2 2l3.6 -4"
_HANDS = "M0 -3v3.2l2.2 1.4"
_DIAMOND = "M0 -7.65L7.65 0L0 7.65L-7.65 0z"
_TRIANGLE = "M0 -6.8L7 5.3L-7 5.3z"

Draw = Callable[[QPainter, QColor, QColor], None]


def line_pen(colour: QColor, width: float) -> QPen:
    """A pen with round ends and joints."""
    return QPen(
        colour,
        width,
        Qt.PenStyle.SolidLine,
        Qt.PenCapStyle.RoundCap,
        Qt.PenJoinStyle.RoundJoin,
    )


def _bang(painter: QPainter, colour: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRoundedRect(QRectF(-0.85, -2.4, 1.7, 4.0), 0.85, 0.85)
    painter.drawEllipse(QPointF(0, 3.5), 1.0, 1.0)


def _charging(painter: QPainter, colour: QColor, hole: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawEllipse(QPointF(0, 0), 7, 7)
    painter.setBrush(hole)
    painter.drawPath(outline(_BOLT))


def _occupied(painter: QPainter, colour: QColor, hole: QColor) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(line_pen(colour, 1.8))
    painter.drawEllipse(QPointF(0, 0), 6.1, 6.1)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPath(outline(_BOLT))


def _reserved(painter: QPainter, colour: QColor, hole: QColor) -> None:
    painter.setPen(line_pen(colour, 1.0))
    painter.setBrush(colour)
    painter.drawPath(outline(_DIAMOND))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(line_pen(hole, 1.5))
    painter.drawPath(outline(_HANDS))


def _faulted(painter: QPainter, colour: QColor, hole: QColor) -> None:
    painter.setPen(line_pen(colour, 1.7))
    painter.setBrush(colour)
    painter.drawPath(outline(_TRIANGLE))
    _bang(painter, hole)


def _warning(painter: QPainter, colour: QColor, hole: QColor) -> None:
    painter.setPen(line_pen(colour, 1.7))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(outline(_TRIANGLE))
    _bang(painter, colour)


def _available(painter: QPainter, colour: QColor, hole: QColor) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(line_pen(colour, 1.8))
    painter.drawEllipse(QPointF(0, 0), 6.1, 6.1)
    painter.drawPath(outline(_TICK))


def _unavailable(painter: QPainter, colour: QColor, hole: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRoundedRect(QRectF(-6.4, -6.4, 12.8, 12.8), 2.5, 2.5)
    painter.setBrush(hole)
    painter.drawRect(QRectF(-3.4, -1.1, 6.8, 2.2))


def _off(painter: QPainter, colour: QColor, hole: QColor) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(line_pen(colour, 1.8))
    painter.drawPath(outline("M-3.4 -5A6.1 6.1 0 1 0 3.4 -5M0 -7v5.5"))


def _waiting(painter: QPainter, colour: QColor, hole: QColor) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    ring = QColor(colour)
    ring.setAlphaF(0.3)
    painter.setPen(line_pen(ring, 1.8))
    painter.drawEllipse(QPointF(0, 0), 6.1, 6.1)
    painter.setPen(line_pen(colour, 1.8))
    painter.drawPath(outline("M0 -6.1A6.1 6.1 0 0 1 6.1 0"))


def _stroked(data: str, width: float = 1.6) -> Draw:
    def draw(painter: QPainter, colour: QColor, hole: QColor) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(line_pen(colour, width))
        painter.drawPath(outline(data))

    return draw


def _filled(data: str) -> Draw:
    def draw(painter: QPainter, colour: QColor, hole: QColor) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawPath(outline(data))

    return draw


def _record(painter: QPainter, colour: QColor, hole: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawEllipse(QPointF(0, 0), 5, 5)


_STATES: dict[str, Draw] = {
    BayStatus.CHARGING.value: _charging,
    BayStatus.OCCUPIED.value: _occupied,
    BayStatus.RESERVED.value: _reserved,
    BayStatus.FAULTED.value: _faulted,
    BayStatus.AVAILABLE.value: _available,
    BayStatus.UNAVAILABLE.value: _unavailable,
    BayStatus.OFF.value: _off,
    "warning": _warning,
    "waiting": _waiting,
}

_ICONS: dict[str, Draw] = {
    "plus": _stroked("M-5 0h10M0 -5v10"),
    "minus": _stroked("M-5 0h10"),
    "close": _stroked("M-4 -4L4 4M4 -4L-4 4"),
    "tick": _stroked("M-5 0.5l3.2 3.2L5 -4", 1.8),
    "chevron-down": _stroked("M-4 -2L0 2L4 -2"),
    "chevron-right": _stroked("M-2 -4L2 0L-2 4"),
    "out": _stroked("M-6 0h12M2 -4l4 4l-4 4"),
    "in": _stroked("M6 0h-12M-2 -4l-4 4l4 4"),
    "search": _stroked("M1.5 -1.5m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0M-1.8 1.8L-5.5 5.5"),
    "filter": _stroked("M-6 -4h12M-4 0h8M-2 4h4"),
    "export": _stroked("M0 -6v8M-3.5 -1L0 2.5L3.5 -1M-6 5.5h12"),
    "pause": _stroked("M-2.5 -4v8M2.5 -4v8", 2.0),
    "play": _filled("M-4 -5.5v11l9 -5.5z"),
    "stop": _filled("M-4.5 -4.5h9v9h-9z"),
    "record": _record,
    "lock": _stroked("M-5 -1h10v7h-10zM-3 -1v-2.5a3 3 0 0 1 6 0V-1"),
    "network": _stroked("M-6 -2a8.5 8.5 0 0 1 12 0M-3.4 1.1a4.8 4.8 0 0 1 6.8 0", 1.6),
    "sun": _stroked(
        "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0M0 -7v1.5M0 5.5v1.5M-7 0h1.5M5.5 0h1.5"
        "M-5 -5l1 1M4 4l1 1M-5 5l1 -1M4 -4l1 -1",
        1.5,
    ),
    "moon": _stroked("M5.5 2A6 6 0 1 1 -2 -5.5A5 5 0 0 0 5.5 2z", 1.5),
    "bolt": _filled("M1.2 -6.8l-5.3 7.6h3.6l-1 6.2l5.4 -7.9h-3.7z"),
    "card": _stroked("M-6.5 -4.5h13v9h-13zM-6.5 -1.5h13", 1.5),
    "gear": _stroked(
        "M-2.2 0a2.2 2.2 0 1 0 4.4 0a2.2 2.2 0 1 0 -4.4 0M0 -6.5v2M0 4.5v2M-6.5 0h2M4.5 0h2"
        "M-4.6 -4.6l1.4 1.4M3.2 3.2l1.4 1.4M-4.6 4.6l1.4 -1.4M3.2 -3.2l1.4 -1.4",
        1.6,
    ),
    "copy": _stroked("M-2.5 -2.5h8v8h-8zM-5.5 2.5v-8h8", 1.5),
    "more": _filled("M-6.4 0a1.4 1.4 0 1 0 2.8 0a1.4 1.4 0 1 0 -2.8 0zM-1.4 0a1.4 1.4 0 1 0 2.8 0"
                    "a1.4 1.4 0 1 0 -2.8 0zM3.6 0a1.4 1.4 0 1 0 2.8 0a1.4 1.4 0 1 0 -2.8 0z"),
    "link": _stroked("M-1.5 2.5l-1.8 1.8a2.9 2.9 0 0 1 -4.1 -4.1l2.6 -2.6M1.5 -2.5l1.8 -1.8"
                     "a2.9 2.9 0 0 1 4.1 4.1l-2.6 2.6M-2.2 2.2L2.2 -2.2", 1.5),
    "edit": _stroked("M-5.5 5.5l1 -3.4l7.4 -7.4l2.4 2.4l-7.4 7.4zM1 -3.4l2.4 2.4", 1.4),
    "palette": _stroked("M-5.5 -3h6M-5.5 0h11M-5.5 3h8"),
}  # fmt: skip


def glyph_names() -> tuple[str, ...]:
    """All glyphs that can be painted."""
    return (*_STATES, *_ICONS)


def paint_glyph(
    painter: QPainter,
    name: str,
    centre: QPointF,
    radius: float,
    colour: QColor,
    hole: QColor | None = None,
) -> None:
    """Paint a glyph around `centre`; `hole` is the colour of what is cut out of a filled one."""
    draw = _STATES.get(name) or _ICONS[name]
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(centre)
    painter.scale(radius / 7, radius / 7)
    draw(painter, colour, hole if hole is not None else QColor(0, 0, 0))
    painter.restore()


def paint_state(
    painter: QPainter, status: BayStatus, centre: QPointF, radius: float, theme: Theme
) -> None:
    """The shape of a bay's state in its colour."""
    paint_glyph(
        painter,
        status.value,
        centre,
        radius,
        theme.colour(STATE_TOKEN[status]),
        theme.colour("onink"),
    )


def glyph_icon(name: str, colour: QColor, hole: QColor | None = None) -> QIcon:
    """A glyph as an icon of 16 logical pixels, sharp up to 300 %."""
    return _icon(name, colour.name(QColor.NameFormat.HexArgb), hole.name() if hole else "")


@cache
def _icon(name: str, colour: str, hole: str) -> QIcon:
    icon = QIcon()
    for ratio in (1, 2, 3):
        pixmap = QPixmap(QSize(16, 16) * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        paint_glyph(painter, name, QPointF(8, 8), 7, QColor(colour), QColor(hole) if hole else None)
        painter.end()
        icon.addPixmap(pixmap)
    return icon
