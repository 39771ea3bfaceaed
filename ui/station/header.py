"""The head of the picture: its title, the chips of mains, network, door and faults, zoom, and the bubbles.

The head does not scale with the scene; its measures are pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.station.kinds import BayStatus
from ui.theme.theme import Theme
from ui.widgets.glyphs import STATE_TOKEN, line_pen, paint_glyph, paint_state
from ui.widgets.scribe import CENTRE, Scribe, text_width
from ui.widgets.svgpath import outline

NO_PEN = Qt.PenStyle.NoPen
HEAD = 104.0
HEAD_LOW = 96.0
CHIP_Y, CHIP_HEIGHT = 10.0, 32.0
RADIUS = 17.0
EDGE = 16.0
TEXT_AT = 26.0
MANY = 5
GAP = 16.0


@dataclass(frozen=True, slots=True)
class ChipView:
    """A chip: which one, its words, and whether the thing is in its usual state."""

    name: str
    text: str
    good: bool


@dataclass(frozen=True, slots=True)
class BubbleView:
    """The selector of an EVSE."""

    evse: int
    status: BayStatus
    word: str
    subline: str


@dataclass(frozen=True, slots=True)
class BarView:
    """What the bar above the bubbles shows."""

    title: str
    hint: str
    chips: tuple[ChipView, ...]
    zoom: str


@dataclass(frozen=True, slots=True)
class Slot:
    """Where something of the head lies; `text` says whether its words are shown."""

    name: str
    rect: QRectF
    text: bool = True


def zoom_slots(width: float) -> list[Slot]:
    """Less, number, more: at the right end."""
    right = width - EDGE
    return [
        Slot("zoom_out", QRectF(right - 104, CHIP_Y, 34, CHIP_HEIGHT)),
        Slot("zoom_reset", QRectF(right - 70, CHIP_Y, 36, CHIP_HEIGHT)),
        Slot("zoom_in", QRectF(right - 34, CHIP_Y, 34, CHIP_HEIGHT)),
    ]


def chip_slots(chips: Sequence[ChipView], width: float, title: str) -> list[Slot]:
    """Chips from right to left; their words go when there is no room for them and the title."""
    widths = [text_width(chip.text, 12, 500) + 42 for chip in chips]
    room = width - 2 * EDGE - 104 - 8 * len(chips) - text_width(title, 13, 600) - 20
    words = sum(widths) <= room
    if not words:
        widths = [34.0] * len(chips)
    slots: list[Slot] = []
    x = width - EDGE - 104
    for chip, wide in zip(reversed(chips), reversed(widths), strict=True):
        x -= 8 + wide
        slots.append(Slot(chip.name, QRectF(x, CHIP_Y, wide, CHIP_HEIGHT), words))
    slots.reverse()
    return slots


def bubble_centres(
    axes: Sequence[float], width: float, height: float, *, fixed: bool
) -> list[QPointF]:
    """Above the bays; where the scene scrolls (`fixed`) evenly over the width."""
    if not fixed:
        return [QPointF(x, height - 32) for x in axes]
    step = (width - 2 * EDGE) / max(1, len(axes))
    return [QPointF(EDGE + RADIUS + 2 + step * i, height - 32) for i in range(len(axes))]


def bubble_width(bubble: BubbleView) -> float:
    """How much room the words of a bubble want."""
    return max(20 + text_width(bubble.word, 13, 600), text_width(bubble.subline, 12)) + 1


def text_sides(
    bubbles: Sequence[BubbleView], centres: Sequence[QPointF], width: float
) -> list[tuple[int, float]]:
    """On which side of each bubble its words stand, and in how much room; right if they fit there.

    In a row of many the last has no more room than the others: its words alone would look like a choice.
    """
    sides: list[tuple[int, float]] = []
    taken = 8.0
    edge = width - 8
    if len(centres) >= MANY:
        edge = min(edge, 2 * centres[-1].x() - centres[-2].x() - RADIUS - 8)
    for i, (bubble, centre) in enumerate(zip(bubbles, centres, strict=True)):
        wanted = bubble_width(bubble)
        end = centres[i + 1].x() - RADIUS - 8 if i + 1 < len(centres) else edge
        right = end - centre.x() - TEXT_AT
        left = centre.x() - TEXT_AT - taken - 8
        clear = i == 0 or left >= wanted + GAP  # else they could be those of the bubble before
        side = -1 if right < wanted and left >= min(wanted, right + 24) and clear else 1
        room = min(wanted, left) if side < 0 else right
        sides.append((side, room))
        taken = centre.x() + (RADIUS if side < 0 else TEXT_AT + min(wanted, right))
    return sides


def bubble_reach(bubble: BubbleView, centre: QPointF, side: int, foot: float) -> QRectF:
    """What a bubble and its words cover."""
    words = bubble_width(bubble) + TEXT_AT + 4
    left = centre.x() - (words if side < 0 else RADIUS + 3)
    right = centre.x() + (RADIUS + 3 if side < 0 else words)
    return QRectF(left, centre.y() - 22, right - left, foot - centre.y() + 22)


class HeadPainter:
    """Paints the head in one theme."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme

    def bar(
        self, painter: QPainter, scribe: Scribe, view: BarView, width: float, hovered: str
    ) -> None:
        """Title, hint, chips and zoom."""
        theme = self.theme
        slots = chip_slots(view.chips, width, view.title)
        left_end = slots[0].rect.left() if slots else width
        base = CHIP_Y + CHIP_HEIGHT / 2 + 4.5
        used = scribe.write(
            EDGE, base, view.title, 13, 600, theme.colour("text"), room=left_end - EDGE - 12
        )
        hint_x = EDGE + used + 12
        if text_width(view.hint, 12) <= left_end - hint_x - 12:
            scribe.write(hint_x, base, view.hint, 12, 400, theme.colour("text2"))
        for chip, slot in zip(view.chips, slots, strict=True):
            self._chip(painter, scribe, chip, slot, hovered=hovered == chip.name)
        self._zoom(painter, scribe, view.zoom, width, hovered)

    def _box(self, painter: QPainter, rect: QRectF, *, hovered: bool, alert: bool = False) -> None:
        theme = self.theme
        edge = theme.colour("warn") if alert else theme.colour("text3" if hovered else "line2")
        painter.setPen(QPen(edge, 1.4 if alert else 1))
        painter.setBrush(theme.colour("sel") if hovered else theme.colour("raised"))
        painter.drawRoundedRect(rect.adjusted(0.5, 2.5, -0.5, -2.5), 6, 6)

    def _chip(
        self, painter: QPainter, scribe: Scribe, chip: ChipView, slot: Slot, *, hovered: bool
    ) -> None:
        theme, rect = self.theme, slot.rect
        alert = not chip.good
        self._box(painter, rect, hovered=hovered, alert=alert)
        centre = QPointF(rect.left() + (17.5 if slot.text else rect.width() / 2), rect.center().y())
        line = theme.colour("warn") if alert else theme.colour("text2")
        getattr(self, f"_icon_{chip.name}")(painter, centre, line, good=chip.good)
        if slot.text:
            scribe.write(
                rect.left() + 29.5,
                rect.center().y() + 4.3,
                chip.text,
                12,
                500,
                theme.colour("text"),
            )

    def _icon_mains(self, painter: QPainter, at: QPointF, line: QColor, *, good: bool) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(line_pen(line, 1.5))
        painter.drawRoundedRect(QRectF(at.x() - 5, at.y() - 6.5, 10, 13), 2, 2)
        painter.setPen(NO_PEN)
        painter.setBrush(self.theme.colour("avail") if good else line)
        painter.drawRoundedRect(QRectF(at.x() - 2, at.y() + (-4 if good else 0), 4, 4.5), 1, 1)

    def _icon_network(self, painter: QPainter, at: QPointF, line: QColor, *, good: bool) -> None:
        painter.save()
        painter.translate(at)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(line_pen(line, 1.6))
        painter.drawPath(outline("M-6 -1.5a8.5 8.5 0 0 1 12 0M-3.4 1.6a4.8 4.8 0 0 1 6.8 0"))
        if not good:
            painter.drawPath(outline("M-5.5 -6L5.5 6"))
        painter.setPen(NO_PEN)
        painter.setBrush(self.theme.colour("avail") if good else line)
        painter.drawEllipse(QPointF(0, 4.6), 1.5, 1.5)
        painter.restore()

    def _icon_door(self, painter: QPainter, at: QPointF, line: QColor, *, good: bool) -> None:
        painter.save()
        painter.translate(at)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(line_pen(line, 1.5))
        if good:
            painter.drawRoundedRect(QRectF(-5, -6.5, 10, 13), 1.5, 1.5)
        else:
            painter.drawPath(outline("M-5 6.5V-6.5H5V6.5M-5 -6.5L1 -3.5V8.5L-5 6.5"))
        painter.setPen(NO_PEN)
        painter.setBrush(line)
        painter.drawEllipse(QPointF(2.2 if good else -1.2, 0 if good else 1.5), 1.3, 1.3)
        painter.restore()

    def _icon_faults(self, painter: QPainter, at: QPointF, line: QColor, *, good: bool) -> None:
        paint_glyph(painter, "warning", at, 6.6, line)

    def _zoom(
        self, painter: QPainter, scribe: Scribe, zoom: str, width: float, hovered: str
    ) -> None:
        theme = self.theme
        slots = zoom_slots(width)
        whole = slots[0].rect.united(slots[2].rect)
        self._box(painter, whole, hovered=False)
        for slot, name in ((slots[0], "minus"), (slots[2], "plus")):
            if hovered == slot.name:
                painter.setPen(NO_PEN)
                painter.setBrush(theme.colour("sel"))
                painter.drawRoundedRect(slot.rect.adjusted(2, 4, -2, -4), 4, 4)
            paint_glyph(painter, name, slot.rect.center(), 7, theme.colour("text2"))
        middle = slots[1].rect
        for x in (middle.left(), middle.right()):
            painter.fillRect(QRectF(x, middle.top() + 6, 1, 20), theme.colour("line"))
        scribe.write(
            middle.center().x(), middle.center().y() + 4.3, zoom, 12, 500, theme.colour("text"),
            align=CENTRE, room=middle.width() - 4,
        )  # fmt: skip

    def axis(self, painter: QPainter, bubble: BubbleView, centre: QPointF, foot: float) -> None:
        """The grid axis from a bubble down to the canopy."""
        pen = QPen(self.theme.colour(STATE_TOKEN[bubble.status], 0.55), 1)
        pen.setDashPattern([10, 4, 2, 4])
        painter.setPen(pen)
        painter.drawLine(QPointF(centre.x(), centre.y() + RADIUS + 1), QPointF(centre.x(), foot))

    def bubble(
        self, painter: QPainter, scribe: Scribe, bubble: BubbleView, centre: QPointF, side: int,
        room: float, *, chosen: bool, hovered: bool,
    ) -> None:  # fmt: skip
        """A bubble with its state, word and subline; where the word has no room, with its shape alone."""
        theme = self.theme
        colour = theme.colour(STATE_TOKEN[bubble.status])
        painter.setPen(QPen(theme.colour("ink") if chosen else colour, 2))
        fill = theme.colour("ink") if chosen else theme.colour("sel" if hovered else "panel")
        painter.setBrush(fill)
        painter.drawEllipse(centre, RADIUS, RADIUS)
        scribe.write(
            centre.x(), centre.y() + 5.3, str(bubble.evse), 15, 600,
            theme.colour("onink" if chosen else "text"), align=CENTRE,
        )  # fmt: skip
        if room < 20 + text_width(bubble.word, 13, 600):
            if room >= 15:
                paint_state(painter, bubble.status, centre + QPointF(TEXT_AT + 8, 0), 7.5, theme)
            return
        left = centre.x() + TEXT_AT
        if side < 0:
            left = centre.x() - TEXT_AT - min(room, bubble_width(bubble))
        paint_state(painter, bubble.status, QPointF(left + 7, centre.y() - 8), 6.5, theme)
        scribe.write(left + 20, centre.y() - 3.5, bubble.word, 13, 600, colour, room=room - 20)
        scribe.write(
            left, centre.y() + 14, bubble.subline, 12, 400, theme.colour("text2"), room=room
        )
