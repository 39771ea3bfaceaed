"""Text on painted things: measured, elided, never shrunk, and remembered for the fit and contrast tests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from ui.theme.fonts import mono_font, ui_font

LEFT, CENTRE, RIGHT = -1, 0, 1


@dataclass(frozen=True, slots=True)
class PaintedLabel:
    """One painted piece of text: what was shown, of which full text, where in the widget (logical px)."""

    text: str
    full: str
    rect: QRectF
    colour: QColor
    pixels: float
    owner: str

    @property
    def elided(self) -> bool:
        return self.text != self.full


@cache
def _font(pixels: int, weight: int, mono: bool) -> QFont:
    font = QFont(mono_font(pixels, weight) if mono else ui_font(pixels, weight))
    if pixels >= 18 and not mono:
        # Large figures stand alone: their natural widths look better than columns of equal width.
        font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, -0.016 * pixels)
        if hasattr(font, "setFeature"):
            font.setFeature(QFont.Tag("tnum"), 0)
    return font


@cache
def _metrics(pixels: int, weight: int, mono: bool) -> QFontMetricsF:
    return QFontMetricsF(_font(pixels, weight, mono))


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, weight: int = 400, *, mono: bool = False) -> float:
    """How wide `text` is, in the unit of `size`."""
    whole = max(1, round(size))
    return _metrics(whole, weight, mono).horizontalAdvance(text) * size / whole


def elided(text: str, room: float, size: float, weight: int = 400, *, mono: bool = False) -> str:
    """`text`, cut with an ellipsis to `room`; empty where not even two letters fit."""
    if text_width(text, size, weight, mono=mono) <= room + 0.01:
        return text
    whole = max(1, round(size))
    cut = _metrics(whole, weight, mono).elidedText(
        text, Qt.TextElideMode.ElideRight, max(0.0, room * whole / size)
    )
    return cut if len(cut) > 2 else ""


class Scribe:
    """Writes on a painter in its present coordinates and keeps a list of what it wrote.

    `origin` is where the painter's device lies in the widget (layers are painted into pixmaps).
    """

    def __init__(
        self,
        painter: QPainter,
        labels: list[PaintedLabel],
        owner: str,
        origin: QPointF | None = None,
    ) -> None:
        self.painter = painter
        self.owner = owner
        self._labels = labels
        self._origin = origin or QPointF(0, 0)

    def write(
        self,
        x: float,
        baseline: float,
        text: str,
        size: float,
        weight: int,
        colour: QColor,
        *,
        align: int = LEFT,
        room: float | None = None,
        mono: bool = False,
    ) -> float:
        """Paint one line; returns the width it took. `room` cuts it, `align` says what `x` is."""
        shown = text if room is None else elided(text, room, size, weight, mono=mono)
        if not shown:
            return 0.0
        width = text_width(shown, size, weight, mono=mono)
        left = x if align == LEFT else x - width if align == RIGHT else x - width / 2
        whole = max(1, round(size))
        painter = self.painter
        painter.save()
        painter.setPen(colour)
        painter.setFont(_font(whole, weight, mono))
        painter.translate(left, baseline)
        if whole != size:
            painter.scale(size / whole, size / whole)
        painter.drawText(QPointF(0, 0), shown)
        painter.restore()
        place = QRectF(left, baseline - size * 0.76, width, size * 0.98)
        place = painter.worldTransform().mapRect(place).translated(self._origin)
        scale = painter.worldTransform().m22()
        self._labels.append(PaintedLabel(shown, text, place, colour, size * scale, self.owner))
        return width
