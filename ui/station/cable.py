"""Cables as hanging curves, plugs, holsters and sockets, and the energy that runs along a cable."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPainterPath, QPen

from ui.station.geometry import GROUND, Plan
from ui.station.scenery import ellipse_glow, soft
from ui.station.views import BayView, PlugView
from ui.theme.theme import Theme
from ui.widgets.glyphs import line_pen

NO_PEN = Qt.PenStyle.NoPen
AC_WIDTH = 7.0
DC_WIDTH = 9.0


def to_car(plan: Plan, evse: int, plug: PlugView, slot: int) -> QPainterPath:
    """The curve of a plugged cable, from the cabinet to the car; energy runs in its direction."""
    side = plan.bay(evse).side
    end = plan.inlet(evse, slot) + QPointF(0, 14)
    start = plan.anchor(evse, slot)
    if not plug.tethered:
        start = plan.holster(evse, slot) + QPointF(side * 14, 1)
    reach = 42.0 if plug.dc else 32.0
    low = 506.0 if plug.dc else 505.0
    path = QPainterPath(start)
    if not plug.tethered:
        middle = QPointF((start.x() + end.x()) / 2, low)
        path.cubicTo(
            QPointF(start.x() + side * 16, start.y() + 2),
            QPointF(start.x() + side * 6, low),
            middle,
        )
        path.cubicTo(QPointF(end.x() - side * 14, low), QPointF(end.x() - side * 1, 488), end)
        return path
    middle = QPointF(start.x() + (end.x() - start.x()) * 0.53, low)
    path.cubicTo(
        QPointF(start.x() + side * reach, start.y() + 5),
        QPointF(start.x() + side * 4, low),
        middle,
    )
    bend = end.x() + (middle.x() - end.x()) * 0.28
    path.cubicTo(QPointF(bend, low), QPointF(end.x() - side, 490), end)
    return path


def to_holster(plan: Plan, evse: int, plug: PlugView, slot: int) -> QPainterPath:
    """The loop of a cable whose plug hangs in its holster."""
    side = plan.bay(evse).side
    start, home = plan.anchor(evse, slot), plan.holster(evse, slot)
    low = 503.0 if plug.dc else 500.0
    wide = 52.0 if plug.dc else 38.0
    path = QPainterPath(start)
    path.cubicTo(
        QPointF(start.x() + side * wide, start.y() + 4),
        QPointF(start.x() + side * (wide - 6), low),
        QPointF(start.x() + side * (wide * 0.42), low),
    )
    path.cubicTo(
        QPointF(start.x() + side * 1, low),
        QPointF(home.x() + side * 1.5, low - 62),
        QPointF(home.x(), home.y() + 16),
    )
    return path


def to_pointer(start: QPointF, end: QPointF, side: int) -> QPainterPath:
    """A cable that is being carried: it sags less the further it is pulled."""
    distance = abs(end.x() - start.x()) + abs(end.y() - start.y())
    sag = max(24.0, 190.0 - 0.45 * distance)
    low = min(GROUND + 20.0, max(start.y(), end.y()) + sag)
    path = QPainterPath(start)
    path.cubicTo(QPointF(start.x() + side * 34, low), QPointF(end.x(), low), end)
    return path


@dataclass(frozen=True, slots=True)
class Wire:
    """A plugged cable that carries energy: its curve, its kind and its pace."""

    path: QPainterPath
    dc: bool
    share: float


class CablePainter:
    """Paints cables, plugs, holsters and sockets of one theme."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme

    def jacket(self, painter: QPainter, path: QPainterPath, *, dc: bool) -> None:
        """Shadow, outline, jacket and highlight of a cable."""
        theme, width = self.theme, DC_WIDTH if dc else AC_WIDTH
        painter.setBrush(Qt.BrushStyle.NoBrush)
        shadow = theme.colour("shadow")
        shadow.setAlphaF(theme.light("cable_shadow"))
        for colour, pen_width, dx, dy in (
            (shadow, width + 3, 2.0, 4.0),
            (_alpha("#04070A", theme.light("cable_outline")), width + 2, 0.0, 0.0),
            (theme.colour("cable"), width, 0.0, 0.0),
            (theme.colour("cablehi", 0.75), 1.4, -1.4, -1.2),
        ):
            painter.save()
            painter.translate(dx, dy)
            painter.setPen(line_pen(colour, pen_width))
            painter.drawPath(path)
            painter.restore()

    def halo(self, painter: QPainter, path: QPainterPath, *, dc: bool) -> None:
        """The still part of energy on a cable."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(line_pen(self._energy(0.18), 14 if dc else 12))
        painter.drawPath(path)

    def energy(self, painter: QPainter, wire: Wire, phase: float) -> None:
        """What moves: dots for AC, dashes for DC; `phase` in scene units."""
        width = 3.0 if wire.dc else 3.2
        pattern = [9 / width, 8 / width] if wire.dc else [0.1 / width, 10 / width]
        pen = line_pen(self._energy(1.0), width)
        pen.setDashPattern(pattern)
        pen.setDashOffset(-phase / width)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen)
        painter.drawPath(wire.path)

    def arrows(self, painter: QPainter, path: QPainterPath) -> None:
        """Energy without motion: arrowheads along the cable."""
        painter.setPen(line_pen(self._energy(1.0), 2.4))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        length = path.length()
        count = max(3, int(length / 46))
        for i in range(1, count):
            at = path.percentAtLength(length * i / count)
            point, angle = path.pointAtPercent(at), path.angleAtPercent(at)
            painter.save()
            painter.translate(point)
            painter.rotate(-angle)
            painter.drawPolyline([QPointF(-2.4, -3.4), QPointF(1.6, 0), QPointF(-2.4, 3.4)])
            painter.restore()

    def holster(self, painter: QPainter, plan: Plan, evse: int, slot: int) -> None:
        """The box a plug hangs in, and where its cable leaves the cabinet."""
        theme = self.theme
        home, anchor = plan.holster(evse, slot), plan.anchor(evse, slot)
        side = plan.bay(evse).side
        painter.setPen(NO_PEN)
        painter.setBrush(theme.colour("cab3"))
        painter.drawRoundedRect(QRectF(home.x() - 7, home.y() - 20, 14, 40), 4, 4)
        painter.setBrush(_alpha("#0B1015", 0.85))
        painter.drawRoundedRect(QRectF(home.x() - 4, home.y() - 16, 8, 32), 3, 3)
        painter.setBrush(theme.colour("cable"))
        painter.drawRoundedRect(QRectF(anchor.x() - 4 - side * 2, anchor.y() - 7, 8, 14), 3, 3)

    def plug_at_home(self, painter: QPainter, home: QPointF, *, dc: bool) -> None:
        """A plug in its holster."""
        theme = self.theme
        painter.setPen(NO_PEN)
        painter.setBrush(theme.colour("cable"))
        painter.drawRoundedRect(QRectF(home.x() - 6, home.y() - 14, 12, 26), 4, 4)
        if dc:
            painter.drawRoundedRect(QRectF(home.x() - 7.5, home.y() - 6, 15, 10), 3, 3)
        painter.setBrush(theme.colour("cablehi"))
        painter.drawRoundedRect(QRectF(home.x() - 4, home.y() - 12, 2.2, 20), 1, 1)
        painter.drawRoundedRect(QRectF(home.x() - 4, home.y() - 19, 8, 6), 1.5, 1.5)

    def socket(
        self, painter: QPainter, home: QPointF, side: int, plug: PlugView, *, used: bool
    ) -> None:
        """A socket in the cabinet's side; `used` with the plug of the car's own cable in it."""
        theme = self.theme
        painter.setPen(NO_PEN)
        painter.setBrush(theme.colour("cab3"))
        painter.drawRoundedRect(QRectF(home.x() - 8, home.y() - 17, 16, 34), 5, 5)
        painter.setBrush(QColor("#0B1015"))
        painter.drawEllipse(home, 6.4, 10.5)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.colour("cablehi", 0.9), 1.3))
        painter.drawEllipse(home, 6.4, 10.5)
        painter.setPen(NO_PEN)
        if not used:
            painter.setBrush(theme.colour("cablehi"))
            for dx, dy in ((-2, -4), (2, -4), (-3, 0), (3, 0), (0, 0), (-2, 4), (2, 4)):
                painter.drawEllipse(QPointF(home.x() + dx, home.y() + dy), 0.9, 0.9)
            return
        painter.setBrush(theme.colour("cable"))
        body = QRectF(min(home.x(), home.x() + side * 20), home.y() - 6, 20, 13)
        painter.drawRoundedRect(body, 5, 5)
        painter.setBrush(theme.colour("cablehi"))
        painter.drawRoundedRect(QRectF(body.left() + 4, home.y() - 3.6, 12, 2.0), 1, 1)

    def latch(self, painter: QPainter, at: QPointF, plug: PlugView) -> None:
        """A small padlock, closed; struck through in the fault colour where it is jammed."""
        theme = self.theme
        colour = theme.colour("fault") if plug.jammed else theme.lit.colour("scrtext")
        painter.setPen(NO_PEN)
        painter.setBrush(QColor("#0B1015"))
        painter.drawEllipse(at, 7.5, 7.5)
        painter.setBrush(colour)
        painter.drawRoundedRect(QRectF(at.x() - 3.4, at.y() - 0.8, 6.8, 5), 1.2, 1.2)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, 1.3))
        painter.drawArc(QRectF(at.x() - 2.1, at.y() - 4, 4.2, 6), 0, 180 * 16)

    def plug_in_car(self, painter: QPainter, inlet: QPointF, *, lit: bool, dc: bool) -> None:
        """The inlet of a car with a plug in it; `lit` while energy flows."""
        theme = self.theme
        if lit:
            glow = soft(theme.colour("charge"), theme.light("glow"))
            ellipse_glow(painter, inlet, 17, 17, QBrush(glow))
        painter.setBrush(QColor("#0B1015"))
        ring = theme.colour("charge") if lit else theme.colour("cablehi")
        painter.setPen(QPen(ring, 1.5))
        painter.drawRoundedRect(QRectF(inlet.x() - 8.5, inlet.y() - 11.5, 17, 18), 5, 5)
        painter.setPen(NO_PEN)
        painter.setBrush(theme.colour("cable"))
        wide = 13 if dc else 11
        painter.drawRoundedRect(QRectF(inlet.x() - wide / 2, inlet.y() - 5, wide, 22), 4, 4)
        painter.setBrush(theme.colour("cablehi"))
        painter.drawRoundedRect(QRectF(inlet.x() - 3.6, inlet.y() - 3, 2, 17), 1, 1)

    def inlet(self, painter: QPainter, inlet: QPointF) -> None:
        """The closed flap of a car's inlet."""
        painter.setBrush(_alpha("#0B1015", 0.30))
        painter.setPen(QPen(_alpha("#000000", 0.30), 1))
        painter.drawRoundedRect(QRectF(inlet.x() - 7.5, inlet.y() - 10, 15, 16), 4.5, 4.5)

    def carried(self, painter: QPainter, at: QPointF, *, dc: bool, ready: bool) -> None:
        """A plug in the hand; `ready` over a place where it fits."""
        if ready:
            glow = soft(self.theme.colour("charge"), self.theme.light("glow"))
            ellipse_glow(painter, at, 30, 30, QBrush(glow))
        self.plug_at_home(painter, at, dc=dc)

    def _energy(self, alpha: float) -> QColor:
        """Energy is light: the bright blue on the dark jacket in both themes."""
        token = self.theme.lit.colour("charge") if alpha == 1.0 else self.theme.colour("charge")
        token.setAlphaF(alpha)
        return token


def wires(plan: Plan, view: BayView) -> list[Wire]:
    """The cables of a bay that carry energy now."""
    if not view.flowing:
        return []
    return [
        Wire(to_car(plan, view.evse, plug, slot), plug.dc, view.share)
        for slot, plug in enumerate(view.plugs)
        if plug.plugged
    ]


def bounds(path: QPainterPath, grow: float = 12.0) -> QRectF:
    """What has to be painted anew when something moves on a cable."""
    return path.boundingRect().adjusted(-grow, -grow, grow, grow)


def _alpha(name: str, alpha: float) -> QColor:
    colour = QColor(name)
    colour.setAlphaF(alpha)
    return colour
