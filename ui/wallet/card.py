"""A card of the wallet and how it is painted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from ui.theme.theme import Theme
from ui.widgets.glyphs import line_pen, paint_glyph
from ui.widgets.scribe import Scribe
from ui.widgets.svgpath import outline

WIDTH, HEIGHT = 136.0, 72.0
LOW_HEIGHT = 48.0
"""Of a card that shows its name and what it is good for, and not its number."""
EDGE = 14.0


class CardState(Enum):
    """What the card is known to be good for: glyph and colour role."""

    IN_USE = ("charging", "charge")
    HOLDS = ("reserved", "reserve")
    ACCEPTED = ("available", "avail")
    EXPIRED = ("unavailable", "unavail")
    BLOCKED = ("faulted", "fault")
    UNKNOWN = ("warning", "warn")
    PLAIN = ("card", "text2")


@dataclass(frozen=True, slots=True)
class Card:
    """A card: name on it, its UID as sent, kind of token, colour of its edge, state and the word for it.

    `colour` is a name of the theme's `[card]` table; `note` takes the UID's place on its face
    (a group, for instance).
    """

    uid: str
    name: str
    kind: str = "ISO14443"
    colour: str = "grey"
    state: CardState = CardState.PLAIN
    status: str = ""
    note: str = ""

    @property
    def printed(self) -> str:
        """The UID in pairs, as people read it; other identifiers as they are."""
        text = self.uid
        if len(text) in (8, 14, 20) and all(c in "0123456789abcdefABCDEF" for c in text):
            return " ".join(text[i : i + 2].upper() for i in range(0, len(text), 2))
        return text


def paint_card(
    painter: QPainter,
    scribe: Scribe,
    theme: Theme,
    card: Card,
    rect: QRectF,
    *,
    chosen: bool = False,
    hovered: bool = False,
) -> None:
    """Paint a card's face into `rect`."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    shade = theme.colour("shadow")
    shade.setAlphaF(0.22 if theme.dark else 0.14)
    painter.setBrush(shade)
    painter.drawRoundedRect(rect.translated(0, 2), 8, 8)
    face = rect.adjusted(0.5, 0.5, -0.5, -0.5)
    painter.setBrush(theme.colour("card1"))
    painter.drawRoundedRect(face, 8, 8)
    _stripe(painter, face, theme.card(card.colour))
    border = theme.colour("ink") if chosen else theme.colour("text3" if hovered else "line2")
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(border, 1.8 if chosen else 1))
    painter.drawRoundedRect(face, 8, 8)
    _print(painter, scribe, theme, card, rect)


def _print(painter: QPainter, scribe: Scribe, theme: Theme, card: Card, rect: QRectF) -> None:
    """What stands on it; the number only where there is room for three lines."""
    low = rect.height() < HEIGHT
    left, right, top = rect.left() + 22, rect.right() - 8, rect.top() - (3 if low else 0)
    _waves(painter, QPointF(rect.right() - 17, top + 16), theme.colour("text3"))
    scribe.write(left, top + 22, card.name, 13, 600, theme.colour("text"), room=right - left - 16)
    if not low:
        scribe.write(
            left, top + 39, card.note or card.printed, 11, 400, theme.colour("text3"),
            room=right - left, mono=not card.note,
        )  # fmt: skip
    if not card.status:
        return
    glyph, token = card.state.value
    colour = theme.colour(token)
    base = top + (42 if low else 60)
    paint_glyph(painter, glyph, QPointF(left + 6, base - 4), 5.6, colour, theme.colour("onink"))
    words = theme.colour("text2") if card.state is CardState.EXPIRED else colour
    scribe.write(left + 18, base, card.status, 11, 500, words, room=right - left - 18)


def _stripe(painter: QPainter, face: QRectF, colour: QColor) -> None:
    painter.save()
    clip = QPainterPath()
    clip.addRoundedRect(face, 8, 8)
    painter.setClipPath(clip, Qt.ClipOperation.IntersectClip)
    painter.fillRect(QRectF(face.left(), face.top(), EDGE, face.height()), colour)
    painter.restore()


def _waves(painter: QPainter, at: QPointF, colour: QColor) -> None:
    painter.save()
    painter.translate(at)
    painter.setPen(line_pen(colour, 1.4))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(outline("M0 4a5 5 0 0 0 0 -7M3.5 6.6a9 9 0 0 0 0 -12.2"))
    painter.restore()
