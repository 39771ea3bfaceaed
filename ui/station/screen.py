"""The station's screen: what a driver reads, one section an EVSE.

Screens are lit glass: their colours are those of the dark theme in both themes. Letters grow against a
picture that shrinks, lines that then find no room are left out, the most important stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from app.station.kinds import BayStatus
from ui.station.views import BayView
from ui.theme.theme import Theme
from ui.widgets.glyphs import paint_state
from ui.widgets.scribe import RIGHT, Scribe, text_width

NO_PEN = Qt.PenStyle.NoPen
BUSY = (BayStatus.CHARGING, BayStatus.OCCUPIED)
TRACK = "#1D3342"
NOTHING_YET = "0.00 kWh"
ERROR_STRIP = "#3A1512"
ERROR_TEXT = "#FFE4E0"
ERROR_TEXT2 = "#F3BDB6"
SMALLEST = 9.0
"""Least height of letters on screens, in px of the widget."""
FOOT = 0.4
"""Of the screen's height: what words for the whole station may take from the places."""
SHRINK = 0.82
"""A sentence that does not fit may have letters this much smaller."""


@dataclass(frozen=True, slots=True)
class ScreenView:
    """All that a cabinet's screen shows."""

    bays: tuple[BayView, ...]
    message: str
    """A message for the whole station; empty for none."""
    please: str
    """Under "out of order": what to do instead."""
    out_of_order: str
    percent: tuple[str, ...]


class ScreenPainter:
    """Paints screens at one scale."""

    def __init__(self, theme: Theme, scale: float) -> None:
        self.theme = theme.lit
        least = SMALLEST / max(scale, 0.2)
        self._grow = min(1.45, max(1.0, least / 10.0))
        self.text = self.theme.colour("scrtext")
        self.text2 = self.theme.colour("scr2")

    def paint(self, painter: QPainter, scribe: Scribe, rect: QRectF, view: ScreenView) -> None:
        """Paint the screen into `rect`; sections in the order of the EVSEs."""
        painter.setPen(NO_PEN)
        painter.setBrush(self.theme.colour("scr"))
        painter.drawRoundedRect(rect, 4, 4)
        if view.bays and view.bays[0].dark:
            return
        body = QRectF(rect)
        if view.message:
            body.setBottom(body.bottom() - self._message(painter, scribe, rect, view.message))
        for i, (bay, part) in enumerate(zip(view.bays, _split(body, view.bays), strict=True)):
            if bay.status is BayStatus.FAULTED:
                self._error(painter, scribe, part, bay, view)
                continue
            if i > 0 and view.bays[i - 1].status is not BayStatus.FAULTED:
                painter.fillRect(
                    QRectF(part.left() + 6, part.top(), part.width() - 12, 1), QColor(TRACK)
                )
            self._section(painter, scribe, part, bay, view)

    def _size(self, size: float) -> float:
        return size * self._grow

    def _head(
        self, painter: QPainter, scribe: Scribe, rect: QRectF, bay: BayView, word: str,
        colour: QColor, corner: str = "", short: str = "", least: float = 0.8,
    ) -> float:  # fmt: skip
        """State glyph, number and word (or a shorter one) on the first line; returns the baseline."""
        size = self._size(11 if rect.width() > 110 else 10)
        label, least = f"{bay.evse}  {word}", size * least
        if short and text_width(label, least, 600) > rect.width() - 14 - size * 1.2:
            label = f"{bay.evse}  {short}"
        while size > least and text_width(label, size, 600) > rect.width() - 14 - size * 1.2:
            size -= 0.25
        radius = size * 0.6
        base = rect.top() + 6 + size
        centre = QPointF(rect.left() + 5 + radius, base - size * 0.36)
        paint_state(painter, bay.status, centre, radius, self.theme)
        x, right = centre.x() + radius + 4, rect.right() - 5
        room = right - x
        if corner:
            width = text_width(corner, size - 1, 500)
            if text_width(label, size, 600) + width + 6 <= room:
                scribe.write(right, base, corner, size - 1, 500, self.text2, align=RIGHT)
                room -= width + 6
        scribe.write(x, base, label, size, 600, colour, room=room)
        return base

    def _section(
        self, painter: QPainter, scribe: Scribe, rect: QRectF, bay: BayView, view: ScreenView
    ) -> None:
        if bay.told and bay.flowing and not self._fits_under_figures(rect, bay.prompt):
            base = self._head(painter, scribe, rect, bay, bay.energy, self.text, least=0.7)
            self._prompt(scribe, rect, base, bay)
            return
        corner = bay.remaining if bay.flowing else ""
        base = self._head(painter, scribe, rect, bay, bay.word, self.text, corner, short=bay.state)
        counts = bay.flowing or bay.energy != NOTHING_YET
        if bay.status in BUSY and counts and not bay.ended and (bay.flowing or not bay.told):
            self._figures(painter, scribe, rect, bay, base, view)
        else:
            self._prompt(scribe, rect, base, bay)

    def _fits_under_figures(self, rect: QRectF, told: str) -> bool:
        """Is there a line for power and energy, and enough below it for an ordered text."""
        small = self._size(10.0)
        below = rect.bottom() - 2 - (rect.top() + 6 + small * 2.35)
        least = small * SHRINK
        lines, fit = _fitted(told, rect.width() - 13, least, below)
        return len(lines) <= fit and _widest(lines, least) <= rect.width() - 13

    def _prompt(self, scribe: Scribe, rect: QRectF, base: float, bay: BayView) -> None:
        roomy = rect.height() > 90
        size = self._size(12.5 if roomy else 10)
        colour = self.text if bay.told else self.text2
        base += 5 if roomy else 0
        lines, fit = _fitted(bay.prompt, rect.width() - 13, size * SHRINK, rect.bottom() - 2 - base)
        text = bay.brief if bay.brief and len(lines) > fit else bay.prompt
        self._lines(scribe, rect, base, text, size, colour)

    def _lines(
        self, scribe: Scribe, rect: QRectF, base: float, text: str, size: float, colour: QColor
    ) -> float:
        """A sentence in as many lines as there is room for; returns its baseline.

        Letters shrink a little before words are cut.
        """
        room, least = rect.width() - 13, size * SHRINK
        parts, fit = _fitted(text, room, size, rect.bottom() - 2 - base)
        while size > least and (len(parts) > fit or _widest(parts, size) > room):
            size -= 0.25
            parts, fit = _fitted(text, room, size, rect.bottom() - 2 - base)
        step = size * 1.35
        if len(parts) > fit > 0:
            parts = [*parts[: fit - 1], " ".join(parts[fit - 1 :])]
        for part in parts[: max(0, fit)]:
            base += step
            scribe.write(rect.left() + 7, base, part, size, 500, colour, room=room)
        return base

    def _figures(
        self, painter: QPainter, scribe: Scribe, rect: QRectF, bay: BayView, base: float, view: ScreenView
    ) -> None:  # fmt: skip
        """Power, battery, energy and cost: as much as the section holds, spread over it.

        An ordered text stands below them; what a driver pays for stays in sight.
        """
        left, right = rect.left() + 6, rect.right() - 5
        alone = len(view.bays) == 1
        small = self._size(11.0 if alone else 10.0)
        percent = view.percent[view.bays.index(bay)]
        room = rect.bottom() - base - 5
        line, bar = small * 1.3, 15.0
        told = bay.prompt if bay.told and bay.prompt else ""
        counted = bay.energy != NOTHING_YET
        told_lines = _wrap(told, right - left - 2, small * SHRINK)
        below = line * len(told_lines)
        both = bool(told) and room >= 13 * 1.25 + line + below
        if told and not both and (counted or room < 13 * 1.25 + line):
            self._compact(scribe, rect, bay, base, small)
            return
        with_small = both or room >= (13 if told else 16) * 1.25 + line
        extra = below if both else 0.0
        with_bar = with_small and bool(percent) and room >= 18 * 1.25 + line + bar + extra
        text, price = (told, "") if told and not both else (bay.energy, bay.cost)
        cost = text_width(price, small, 500) if price else 0.0
        beside = text_width(text, small, 500) + cost + 3 <= right - left
        two = bool(price) and not beside and with_bar
        two = two and room >= 24 * 1.25 + 2 * line + bar + extra
        spent = (line if with_small else 0) + (bar if with_bar else 0) + (line if two else 0)
        spent += extra
        big = (
            40.0 if alone and rect.width() > 110 else 32.0 if rect.width() > 110 or alone else 20.0
        )
        widest = (right - left - small * 2.3) / max(0.1, text_width(bay.power, 20, 600) / 20)
        big = max(13.0, min(big, widest, (room - spent) / 1.2))
        lead = min(5.0, max(0.0, room - spent - big * 1.2) / 4)
        y = base + lead + big * 1.08
        width = scribe.write(left, y, bay.power, big, 600, QColor("#FFFFFF"), room=right - left)
        unit = small * (1.2 if big >= 28 else 1.0)
        scribe.write(left + width + unit * 0.45, y, "kW", unit, 500, self.text2)
        if percent and not with_bar:
            size = small * 1.1
            if width + unit * 2.4 + text_width(percent, size, 600) + 6 <= right - left:
                scribe.write(right, y, percent, size, 600, self.text, align=RIGHT)
        if with_bar:
            y = self._battery(
                painter, scribe, QRectF(left, y + 7 + lead, right - left, 8), bay, percent
            )
        if with_small:
            y += line + lead
            colour = self.text if told and not both else self.text2
            size = small
            while size > small * 0.8 and text_width(text, size, 500) > right - left:
                size -= 0.25
            scribe.write(left, y, text, size, 500, colour, room=right - left)
            if two:
                scribe.write(left, y + line, price, small, 500, self.text2, room=right - left)
            elif price and beside:
                scribe.write(right, y, price, small, 500, self.text2, align=RIGHT)
            if both:
                y += line if two else 0.0
                self._lines(scribe, rect, y, told, small, self.text)

    def _compact(
        self, scribe: Scribe, rect: QRectF, bay: BayView, base: float, small: float
    ) -> None:
        """Power and energy in one line of small letters, and under it the ordered text.

        Where even the smallest have no gap between the two, the energy stays: it is what is paid for.
        """
        left, right = rect.left() + 7, rect.right() - 5
        size = small
        if rect.bottom() - base < 2 * size * 1.35 + 3:  # one line only: the ordered text
            self._prompt(scribe, rect, base, bay)
            return

        def both_fit() -> bool:
            beside = text_width(bay.power + bay.energy + " kW", size, 600)
            return beside + max(5.0, size * 0.6) <= right - left

        while size > small * 0.75 and not both_fit():
            size -= 0.25
        y = base + small * 1.35
        white = QColor("#FFFFFF")
        if not both_fit():
            scribe.write(left, y, bay.energy, small, 600, white, room=right - left)
        else:
            width = scribe.write(left, y, bay.power, size, 600, white, room=right - left)
            # As bright as the figures: letters this small lose half of their contrast.
            scribe.write(left + width + size * 0.3, y, "kW", size, 600, self.text)
            scribe.write(right, y, bay.energy, size, 600, white, align=RIGHT)
        self._lines(scribe, rect, y, bay.prompt, small, self.text)

    def _battery(
        self, painter: QPainter, scribe: Scribe, rect: QRectF, bay: BayView, percent: str
    ) -> float:
        """The car's battery with its target; returns the lower edge."""
        assert bay.car is not None
        size = self._size(11)
        label = text_width("100 %", size, 600) + 6
        track = QRectF(rect.left(), rect.top() + 1, rect.width() - label, 6)
        painter.setPen(NO_PEN)
        painter.setBrush(QColor(TRACK))
        painter.drawRoundedRect(track, 3, 3)
        filled = QRectF(track)
        filled.setWidth(max(6.0, track.width() * bay.car.soc / 100))
        painter.setBrush(self.theme.colour("charge"))
        painter.drawRoundedRect(filled, 3, 3)
        tick = track.left() + track.width() * bay.car.target / 100
        painter.fillRect(QRectF(tick, track.top() - 2, 1.5, 10), self.theme.colour("scrtext", 0.8))
        scribe.write(
            rect.right(), track.bottom() + size * 0.12, percent, size, 600, self.text, align=RIGHT
        )
        return rect.bottom() + 2

    def _error(
        self, painter: QPainter, scribe: Scribe, rect: QRectF, bay: BayView, view: ScreenView
    ) -> None:
        painter.setPen(NO_PEN)
        painter.setBrush(QColor(ERROR_STRIP))
        painter.drawRoundedRect(rect, 4, 4)
        base = self._head(
            painter, scribe, rect, bay, view.out_of_order, QColor(ERROR_TEXT), short=bay.word
        )
        size, colour = self._size(10), QColor(ERROR_TEXT2)
        base = self._lines(scribe, rect, base, bay.subline, size, colour)
        room = (rect.bottom() - 2 - size * 0.25 - base) / (size * 1.35)
        if view.please and len(_wrap(view.please, rect.width() - 13, size)) <= int(room):
            self._lines(scribe, rect, base, view.please, size, colour)

    def _message(self, painter: QPainter, scribe: Scribe, rect: QRectF, text: str) -> float:
        """Words for the whole station at the foot, in a few lines if they are long; returns their height."""
        size = self._size(10)
        step, room = size * 1.3, rect.width() - 16
        lines = _wrap(text, room, size)
        most = max(1, int((rect.height() * FOOT - size * 0.6) / step))
        if len(lines) > most:
            lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
        height = step * len(lines) + size * 0.6
        foot = QRectF(rect.left(), rect.bottom() - height, rect.width(), height)
        painter.setPen(NO_PEN)
        painter.setBrush(QColor("#10293A"))
        painter.drawRoundedRect(foot, 4, 4)
        base = foot.top() + size * 1.28
        for number, line in enumerate(lines):
            y = base + step * number
            scribe.write(foot.left() + 8, y, line, size, 500, self.text, room=room)
        return height


def _split(rect: QRectF, bays: Sequence[BayView]) -> list[QRectF]:
    """Divide the screen: a session needs a little more room than two lines of words."""
    weights = [1.22 if bay.status in BUSY and bay.flowing else 1.0 for bay in bays]
    total, top, parts = sum(weights), rect.top(), list[QRectF]()
    for weight in weights:
        height = rect.height() * weight / total
        parts.append(QRectF(rect.left(), top, rect.width(), height))
        top += height
    return parts


def _fitted(text: str, room: float, size: float, height: float) -> tuple[list[str], int]:
    """The lines of a sentence at this size, and how many lines there is room for."""
    return _wrap(text, room, size), int((height - size * 0.25) / (size * 1.35))


def _widest(lines: Sequence[str], size: float) -> float:
    return max((text_width(line, size, 500) for line in lines), default=0.0)


def _wrap(text: str, room: float, size: float) -> list[str]:
    """Break a sentence into lines of at most `room`."""
    lines: list[str] = []
    for word in text.split():
        candidate = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(candidate, size, 500) <= room:
            lines[-1] = candidate
        else:
            lines.append(word)
    return lines
