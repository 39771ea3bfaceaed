"""What never moves: wall, canopy and its lamps, floor with painted lines, columns, cabinets' bodies.

Painted once into a pixmap per theme, size, device pixel ratio and plan.
"""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QLinearGradient,
    QPainter,
    QPen,
    QPolygonF,
    QRadialGradient,
    QTransform,
)

from ui.station.geometry import FLOOR_END, GROUND, Build, Cabinet, Plan
from ui.theme.theme import Theme
from ui.widgets.svgpath import outline

NO_PEN = Qt.PenStyle.NoPen


def vertical(top: float, bottom: float, *stops: tuple[float, QColor]) -> QLinearGradient:
    """A gradient from above to below."""
    gradient = QLinearGradient(0, top, 0, bottom)
    for at, colour in stops:
        gradient.setColorAt(at, colour)
    return gradient


def soft(colour: QColor, strength: float, middle: float = 0.35) -> QRadialGradient:
    """A glow of radius 1 around 0, 0 that fades to nothing; `middle` is where a third is left."""
    gradient = QRadialGradient(QPointF(0, 0), 1.0)
    for at, part in ((0.0, 1.0), (middle, 0.35 if middle < 0.5 else 0.5), (1.0, 0.0)):
        tone = QColor(colour)
        tone.setAlphaF(strength * part)
        gradient.setColorAt(at, tone)
    return gradient


def ellipse_glow(painter: QPainter, centre: QPointF, rx: float, ry: float, brush: QBrush) -> None:
    """Fill an ellipse with a glow made by `soft`."""
    painter.save()
    painter.translate(centre)
    painter.scale(rx, ry)
    painter.setPen(NO_PEN)
    painter.setBrush(brush)
    painter.drawEllipse(QPointF(0, 0), 1.0, 1.0)
    painter.restore()


def floor_x(x: float, y: float, middle: float) -> float:
    """Where a line that stands at `x` on the ground line runs to on the floor in front."""
    return middle + (x - middle) * (1 + 0.0003 * (y - GROUND))


def floor_quad(left: float, right: float, end: float, middle: float) -> QPolygonF:
    """A strip of floor from the ground line to `end`."""
    return QPolygonF(
        [
            QPointF(left, GROUND),
            QPointF(right, GROUND),
            QPointF(floor_x(right, end, middle), end),
            QPointF(floor_x(left, end, middle), end),
        ]
    )


class Scenery:
    """Paints the still part of the picture between scene x `left` and `right`."""

    def __init__(
        self, theme: Theme, plan: Plan, canopy: float, end: float, span: tuple[float, float]
    ) -> None:
        self.theme = theme
        self.plan = plan
        self.canopy = canopy
        self.end = end
        self.left, self.right = span

    def paint(self, painter: QPainter, *, lit: bool) -> Iterator[None]:
        """Paint everything, in steps of a few ms; `lit` says that the mains are on."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._wall(painter)
        yield
        self._entourage(painter)
        yield
        for x in self._lamps() if lit else ():
            self._cone(painter, x)
            yield
        self._lines(painter)
        yield
        self._canopy(painter, lit=lit)
        yield
        self._columns(painter)
        ground = self.theme.colour("line2")
        painter.fillRect(QRectF(self.left, GROUND - 1, self.right - self.left, 2), ground)
        for cabinet in self.plan.cabinets:
            self._base(painter, cabinet)
            yield
        for cabinet in self.plan.cabinets:
            self._body(painter, cabinet)
            yield

    def _lamps(self) -> list[float]:
        """A lamp over each bay and each cabinet, and on over what is left of the wall."""
        xs = [bay.axis for bay in self.plan.bays]
        xs += [cabinet.rect.center().x() for cabinet in self.plan.cabinets]
        xs.sort()
        step = 184.0
        while xs[0] - step > self.left + 20:
            xs.insert(0, xs[0] - step)
        while xs[-1] + step < self.right - 20:
            xs.append(xs[-1] + step)
        return xs

    def _wall(self, painter: QPainter) -> None:
        theme, width = self.theme, self.right - self.left
        wall = vertical(self.canopy, GROUND, (0, theme.colour("wall1")), (1, theme.colour("wall2")))
        painter.fillRect(QRectF(self.left, self.canopy - 4, width, GROUND - self.canopy + 4), wall)
        joint = theme.colour("wallj", 0.55)
        x = self.plan.width / 2 - 604 - 144 * 20
        while x < self.right:
            if x >= self.left - 1:
                painter.fillRect(QRectF(x, self.canopy + 12, 1, GROUND - self.canopy - 12), joint)
            x += 144
        joint = theme.colour("wallj", 0.45)
        y = GROUND - 114
        while y > self.canopy + 30:
            painter.fillRect(QRectF(self.left, y, width, 1), joint)
            y -= 114
        floor = vertical(
            GROUND,
            max(FLOOR_END, self.end),
            (0, theme.colour("floor1")),
            (1, theme.colour("floor2")),
        )
        painter.fillRect(QRectF(self.left, GROUND, width, self.end - GROUND + 4), floor)

    def _entourage(self, painter: QPainter) -> None:
        """Greenery beside the bays, as architects draw it, where the wall would stand bare."""
        tone = self.theme.colour("line2" if self.theme.dark else "wallj", 0.85)
        first, last = self.plan.bays[0].left, self._content_end()
        if first - self.left > 150:
            self._tree(painter, first - 78, 1.0, tone)
        if first - self.left > 300:
            self._tree(painter, first - 210, 0.8, tone)
        if self.right - last > 150:
            self._tree(painter, last + 84, 0.9, tone)
        if self.right - last > 300:
            self._tree(painter, last + 206, 1.08, tone)

    def _content_end(self) -> float:
        return max(self.plan.bays[-1].right, self.plan.cabinets[-1].rect.right())

    def _tree(self, painter: QPainter, x: float, size: float, tone: QColor) -> None:
        painter.save()
        painter.translate(x, GROUND)
        painter.scale(size, size)
        painter.setPen(QPen(tone, 2.4))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(
            outline("M0 0C-1 -30 1 -60 0 -128M0 -62L-17 -92M0 -78L18 -112M0 -50L12 -70")
        )
        leaf = QColor(tone)
        leaf.setAlphaF(tone.alphaF() * 0.42)
        painter.setPen(NO_PEN)
        painter.setBrush(leaf)
        for cx, cy, r in (
            (0, -132, 34), (-24, -104, 25), (25, -112, 27), (-10, -92, 22), (14, -84, 20), (4, -156, 22)
        ):  # fmt: skip
            painter.drawEllipse(QPointF(cx, cy), r, r * 0.94)
        painter.setBrush(tone)
        painter.drawPath(outline("M-30 0L-26 -22H26L30 0z"))
        painter.restore()

    def _cone(self, painter: QPainter, x: float) -> None:
        strength, tone = self.theme.light("cone"), self.theme.colour("cone_colour")
        top = self.canopy + 12
        stops = ((0.0, 1.0), (0.75, 0.25), (1.0, 0.0))
        gradient = QLinearGradient(0, top, 0, GROUND)
        for at, part in stops:
            colour = QColor(tone)
            colour.setAlphaF(strength * 0.26 * part)
            gradient.setColorAt(at, colour)
        painter.setPen(NO_PEN)
        painter.setBrush(gradient)
        for half in (140, 118, 96, 72, 48):
            painter.drawPolygon(
                QPolygonF(
                    [
                        QPointF(x - 22, top),
                        QPointF(x + 22, top),
                        QPointF(x + half, GROUND),
                        QPointF(x - half, GROUND),
                    ]
                )
            )

    def _lines(self, painter: QPainter) -> None:
        """Painted lines beside the bays, in the drawing's mild perspective."""
        middle = self.plan.width / 2
        painter.setPen(NO_PEN)
        painter.setBrush(self.theme.colour("paint", self.theme.light("paint_line")))
        xs = {bay.left for bay in self.plan.bays} | {bay.right for bay in self.plan.bays}
        for x in xs:
            front = floor_x(x, self.end, middle)
            painter.drawPolygon(
                QPolygonF(
                    [
                        QPointF(x - 1.5, GROUND + 3),
                        QPointF(x + 1.5, GROUND + 3),
                        QPointF(front + 2.2, self.end),
                        QPointF(front - 2.2, self.end),
                    ]
                )
            )

    def _canopy(self, painter: QPainter, *, lit: bool) -> None:
        theme, top, width = self.theme, self.canopy, self.right - self.left
        body = vertical(top, top + 12, (0, theme.colour("can1")), (1, theme.colour("can2")))
        painter.fillRect(QRectF(self.left, top, width, 12), body)
        painter.fillRect(QRectF(self.left, top, width, 1), theme.colour("edge", 0.5))
        black = theme.colour("shadow")
        for y, height, alpha in ((top + 11, 1.5, 0.35), (top + 12, 10, 0.10)):
            black.setAlphaF(alpha)
            painter.fillRect(QRectF(self.left, y, width, height), black)
        lamp = theme.colour("lampc") if lit else theme.colour("slot")
        for x in self._lamps():
            painter.setPen(NO_PEN)
            painter.setBrush(lamp)
            painter.drawRoundedRect(QRectF(x - 24, top + 9, 48, 3), 1.5, 1.5)
            if lit:
                glow = soft(theme.colour("lampc"), theme.light("lamp") * 0.6, 0.5)
                ellipse_glow(painter, QPointF(x, top + 11), 46, 12, QBrush(glow))

    def _columns(self, painter: QPainter) -> None:
        """A column between groups of bays."""
        for i, cabinet in enumerate(self.plan.cabinets[:-1]):
            following = self.plan.cabinets[i + 1]
            end = max(
                [bay.right for bay in self.plan.bays if bay.cabinet == cabinet.index]
                + [cabinet.rect.right()]
            )
            start = min(bay.left for bay in self.plan.bays if bay.cabinet == following.index)
            x = (start + end) / 2
            rect = QRectF(x - 4, self.canopy + 12, 8, GROUND - self.canopy - 12)
            painter.fillRect(rect, self._metal(rect))

    def _metal(self, rect: QRectF) -> QLinearGradient:
        gradient = QLinearGradient(rect.left(), 0, rect.right(), 0)
        for at, token in ((0, "cab1"), (0.1, "cab2"), (0.86, "cab2"), (1, "cab3")):
            gradient.setColorAt(at, self.theme.colour(token))
        return gradient

    def _base(self, painter: QPainter, cabinet: Cabinet) -> None:
        theme, rect = self.theme, cabinet.rect
        centre = QPointF(rect.center().x(), GROUND + 12)
        shadow = soft(theme.colour("shadow"), theme.light("contact_shadow"), 0.55)
        ellipse_glow(painter, centre, rect.width() / 2 + 24, 14, QBrush(shadow))
        left, right = rect.left() - 6, rect.right() + 6
        painter.setPen(NO_PEN)
        painter.setBrush(theme.colour("can2"))
        painter.drawPolygon(
            QPolygonF(
                [
                    QPointF(left, GROUND),
                    QPointF(right, GROUND),
                    QPointF(right + 2, GROUND + 10),
                    QPointF(left - 2, GROUND + 10),
                ]
            )
        )
        painter.fillRect(
            QRectF(left - 2, GROUND + 10, right - left + 4, 3), theme.colour("plinth", 0.8)
        )
        painter.fillRect(QRectF(left, GROUND, right - left, 1), theme.colour("edge", 0.5))

    def _body(self, painter: QPainter, cabinet: Cabinet) -> None:
        theme, rect = self.theme, cabinet.rect
        painter.setPen(NO_PEN)
        painter.setBrush(theme.colour("shadow", theme.light("cast_shadow")))
        for i in range(6):
            grow = 2.0 * i
            shade = QRectF(
                rect.left() + 6 - grow,
                rect.top() + 12 - grow,
                rect.width() + 8 + 2 * grow,
                rect.height() - 14 + grow,
            )
            painter.drawRoundedRect(shade, 12 + i, 12 + i)
        painter.setBrush(self._metal(rect))
        painter.drawRoundedRect(rect, 10, 10)
        gloss, dim = QColor(255, 255, 255), QColor(0, 0, 0)
        gloss.setAlphaF(theme.light("gloss"))
        dim.setAlphaF(theme.light("gloss_dark"))
        clear, clear_dim = QColor(255, 255, 255, 0), QColor(0, 0, 0, 0)
        painter.setBrush(
            vertical(
                rect.top(),
                rect.bottom(),
                (0, gloss),
                (0.35, clear),
                (0.75, clear_dim),
                (1, dim),
            )
        )
        painter.drawRoundedRect(rect, 10, 10)
        self._bevel(painter, rect)
        painter.setPen(NO_PEN)
        painter.setBrush(theme.colour("plinth"))
        painter.drawRoundedRect(QRectF(rect.left() - 2, GROUND - 8, rect.width() + 4, 8), 1, 1)
        self._vents(painter, cabinet)

    def _bevel(self, painter: QPainter, rect: QRectF) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self.theme.colour("edge", 0.8), 1.2))
        width = rect.width() - 20
        bevel = outline(f"M1 {rect.height()}V10a9 9 0 0 1 9 -9H{width + 10}")
        painter.drawPath(QTransform.fromTranslate(rect.left(), rect.top()).map(bevel))
        shade = QColor(0, 0, 0)
        shade.setAlphaF(0.22)
        painter.setPen(QPen(shade, 1.6))
        x = rect.right() - 0.8
        painter.drawLine(QPointF(x, rect.top() + 12), QPointF(x, rect.bottom() - 2))

    def _vents(self, painter: QPainter, cabinet: Cabinet) -> None:
        if cabinet.build is Build.POST:
            return
        painter.setBrush(self.theme.colour("slot"))
        alone = len(cabinet.evses) == 1
        for i in range(3):
            y = 274 + 8 * i
            spans = ((22, 40), (106, 40)) if alone else ((60, 48),)
            for x, width in spans:
                at = cabinet.place(x, y)
                painter.drawRoundedRect(QRectF(at.x(), at.y(), width, 3), 1.5, 1.5)
