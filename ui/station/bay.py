"""A bay: light of its state on floor and wall, car, cables, hatch and cones, and the words on the floor."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QPixmap, QPolygonF, QTransform

from app.station.kinds import BayStatus
from ui.station.cable import CablePainter, to_car, to_holster
from ui.station.car import CarPainter, ghost
from ui.station.geometry import GROUND, Plan
from ui.station.scenery import ellipse_glow, floor_quad, soft, vertical
from ui.station.views import BayView, CarView
from ui.theme.theme import Theme
from ui.widgets.glyphs import STATE_TOKEN
from ui.widgets.scribe import RIGHT, Scribe, text_width
from ui.widgets.svgpath import outline

NO_PEN = Qt.PenStyle.NoPen
PLAIN = (BayStatus.AVAILABLE, BayStatus.OFF)


class BayPainter:
    """Paints bays of one theme and plan."""

    def __init__(self, theme: Theme, plan: Plan, canopy: float, end: float, ratio: float) -> None:
        self.theme = theme
        self.plan = plan
        self.canopy = canopy
        self.end = end
        self.ratio = ratio
        self.car = CarPainter(theme)
        self.cable = CablePainter(theme)

    # ------------------------------------------------------------------ what stands still

    def light(self, painter: QPainter, view: BayView) -> None:
        """The colour of the state on wall and floor, and the axis line."""
        bay, theme = self.plan.bay(view.evse), self.theme
        middle = self.plan.width / 2
        colour = theme.colour(STATE_TOKEN[view.status])
        if view.status not in PLAIN:
            strong, none = QColor(colour), QColor(colour)
            quad = floor_quad(bay.left, bay.right, self.end, middle)
            strong.setAlphaF(theme.light("floor_tint"))
            none.setAlphaF(0.02)
            painter.setPen(NO_PEN)
            painter.setBrush(vertical(GROUND, self.end, (0, strong), (1, none)))
            painter.drawPolygon(quad)
            if view.status is BayStatus.FAULTED:
                self._hatch(painter, quad, colour)
            strong.setAlphaF(theme.light("wall_tint"))
            none.setAlphaF(0.0)
            wall = QRectF(bay.left, 300, bay.right - bay.left, GROUND - 300)
            painter.fillRect(wall, vertical(300, GROUND, (0, none), (1, strong)))
        axis = QColor(colour)
        axis.setAlphaF(0.55)
        pen = QPen(axis, 1)
        pen.setDashPattern([10, 4, 2, 4])
        painter.setPen(pen)
        painter.drawLine(QPointF(bay.axis, self.canopy - 14), QPointF(bay.axis, GROUND))

    def _hatch(self, painter: QPainter, quad: QPolygonF, colour: QColor) -> None:
        """Diagonal stripes, made at the device's resolution."""
        side = max(4, round(14.0 * self.ratio))
        tile = QPixmap(side, side)
        tile.fill(Qt.GlobalColor.transparent)
        stripe = QColor(colour)
        stripe.setAlphaF(0.26)
        brush = QPainter(tile)
        brush.setRenderHint(QPainter.RenderHint.Antialiasing)
        brush.setPen(QPen(stripe, side * 0.22))
        for shift in (-side, 0, side):
            brush.drawLine(QPointF(shift - side, 2 * side), QPointF(shift + 2 * side, -side))
        brush.end()
        texture = QBrush(tile)
        texture.setTransform(QTransform.fromScale(1 / self.ratio, 1 / self.ratio))
        painter.setPen(NO_PEN)
        painter.setBrush(texture)
        painter.drawPolygon(quad)

    def things(
        self, painter: QPainter, view: BayView, *, with_car: bool = True, carried: int | None = None
    ) -> None:
        """Car, ghost, cones, holsters and cables at rest; the plug `carried` is in somebody's hand."""
        bay = self.plan.bay(view.evse)
        if view.car is not None and with_car:
            self.car.paint(painter, bay.axis, view.car, lights=view.flowing)
        elif view.car is None and view.status is BayStatus.RESERVED:
            ghost(painter, bay.axis, self.theme.colour("reserve"))
        if view.car is None and view.status in (BayStatus.FAULTED, BayStatus.UNAVAILABLE):
            self._cones(painter, bay.axis)
        for slot, plug in enumerate(view.plugs):
            home = self.plan.holster(view.evse, slot)
            plugged = plug.plugged and with_car and slot != carried
            if plug.tethered:
                self.cable.holster(painter, self.plan, view.evse, slot)
            else:
                self.cable.socket(painter, home, bay.side, plug, used=plugged)
        for slot in range(len(view.plugs)):
            if slot == carried:
                continue
            self._plug(painter, view, slot, with_car=with_car)

    def _plug(self, painter: QPainter, view: BayView, slot: int, *, with_car: bool) -> None:
        plug, plan = view.plugs[slot], self.plan
        home, inlet = plan.holster(view.evse, slot), plan.inlet(view.evse, slot)
        if plug.plugged and with_car:
            path = to_car(plan, view.evse, plug, slot)
            self.cable.jacket(painter, path, dc=plug.dc)
            if view.flowing:
                self.cable.halo(painter, path, dc=plug.dc)
            self.cable.plug_in_car(painter, inlet, lit=view.flowing, dc=plug.dc)
            if plug.locked:
                at = inlet + QPointF(0, -20) if plug.tethered else home + QPointF(0, -26)
                self.cable.latch(painter, at, plug)
            return
        if view.car is not None and with_car:
            self.cable.inlet(painter, inlet)
        if plug.tethered:
            path = to_holster(plan, view.evse, plug, slot)
            self.cable.jacket(painter, path, dc=plug.dc)
            self.cable.plug_at_home(painter, home, dc=plug.dc)

    def _cones(self, painter: QPainter, axis: float) -> None:
        """Two traffic cones with a ribbon between them."""
        half = 40.0
        painter.save()
        painter.translate(axis - 1096, 0)
        for x in (1096 - half, 1096 + half):
            shadow = soft(self.theme.colour("shadow"), self.theme.light("contact_shadow"), 0.55)
            ellipse_glow(painter, QPointF(x, 516), 22, 5, QBrush(shadow))
            painter.save()
            painter.translate(x - 1056, 0)
            for data, name, alpha in (
                ("M1038 514h36l-3 -5h-30z", "#C2452F", 1.0),
                ("M1045 509L1053.4 470Q1056 467 1058.6 470L1067 509z", "#E4583D", 1.0),
                ("M1047.4 498L1049.4 488.5H1062.6L1064.6 498z", "#F6F3EE", 1.0),
                ("M1051 481L1052.3 475H1059.7L1061 481z", "#F6F3EE", 1.0),
                ("M1058.6 470L1067 509h-6L1056 468z", "#000000", 0.14),
            ):
                colour = QColor(name)
                colour.setAlphaF(alpha)
                painter.fillPath(outline(data), colour)
            painter.restore()
        painter.setPen(QPen(QColor("#B9B2A6"), 0.8))
        painter.setBrush(QColor("#F6F3EE"))
        painter.drawPath(outline("M1060 481Q1096 490 1132 481v6Q1096 496 1060 487z"))
        for x, y, lean in ((1064, 482.5, 1.6), (1078, 484.4, 1.6), (1092, 486.3, 0.0),
                           (1106, 486.0, -1.6), (1120, 484.1, -1.6)):  # fmt: skip
            painter.fillPath(outline(f"M{x} {y}l7 {lean}v6l-7 {-lean}z"), QColor("#D8432F"))
        painter.restore()

    # ------------------------------------------------------------------ words on the floor

    def words(self, painter: QPainter, scribe: Scribe, rect: QRectF, view: BayView, size: float, *,
              target: str, percent: str) -> None:  # fmt: skip
        """Battery and target of the car, or why the bay is not free; `size` is one of 12 px letters."""
        if view.car is not None and view.status is not BayStatus.FAULTED:
            self._battery(painter, scribe, rect, view.car, view, size, target, percent)
        elif view.title:
            self._note(painter, scribe, rect, view, size)

    def _battery(
        self, painter: QPainter, scribe: Scribe, rect: QRectF, car: CarView, view: BayView,
        size: float, target: str, percent: str,
    ) -> None:  # fmt: skip
        theme = self.theme
        text = theme.colour("text")
        if view.dark:
            self._callout(painter, rect.adjusted(-6, -4, 6, 2))
        base = rect.top() + size * 0.95
        width = text_width(percent, size, 600)
        scribe.write(rect.left(), base, car.name, size, 600, text, room=rect.width() - width - 8)
        scribe.write(rect.right(), base, percent, size, 600, text, align=RIGHT)
        bar = QRectF(rect.left(), base + 7, rect.width(), 8)
        painter.setPen(NO_PEN)
        painter.setBrush(theme.colour("panel"))
        painter.drawRoundedRect(bar, 4, 4)
        filled = QRectF(bar)
        filled.setWidth(max(8.0, bar.width() * car.soc / 100))
        painter.setBrush(theme.colour("charge" if view.flowing else "unavail"))
        painter.drawRoundedRect(filled, 4, 4)
        tick = bar.left() + bar.width() * car.target / 100
        painter.fillRect(QRectF(tick - 1, bar.top() - 2, 2, 12), text)
        small = size - 1
        line = bar.bottom() + 6 + small * 0.95
        used = scribe.write(rect.left(), line, target, small, 400, text, room=rect.width())
        left = "" if view.dark else car.left or view.word
        scribe.write(
            rect.right(), line, left, small, 400, text, align=RIGHT, room=rect.width() - used - 10
        )

    def _note(
        self, painter: QPainter, scribe: Scribe, rect: QRectF, view: BayView, size: float
    ) -> None:
        theme = self.theme
        if view.status is BayStatus.FAULTED or view.dark:
            self._callout(
                painter, QRectF(rect.left() - 2, rect.top() - 4, rect.width() + 4, size * 3.5)
            )
            rect = rect.adjusted(8, 3, -8, 0)
        base = rect.top() + size * 0.95
        scribe.write(
            rect.left(), base, view.title, size, 600, theme.colour("text"), room=rect.width()
        )
        if view.note:
            scribe.write(
                rect.left(), base + size * 1.45, view.note, size - 1, 400, theme.colour("text"),
                room=rect.width(),
            )  # fmt: skip

    def _callout(self, painter: QPainter, rect: QRectF) -> None:
        painter.setPen(NO_PEN)
        painter.setBrush(self.theme.colour("panel", 0.88))
        painter.drawRoundedRect(rect, 6, 6)

    # ------------------------------------------------------------------ selection

    def selection(self, painter: QPainter, evse: int) -> None:
        """Crop marks under the canopy and the outline of the bay, in ink."""
        bay = self.plan.bay(evse)
        middle = self.plan.width / 2
        ink = self.theme.colour("ink")
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(ink, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        top = self.canopy + 32
        for x, way in ((bay.left, 1), (bay.right, -1)):
            painter.drawPolyline(
                [QPointF(x, top + 14), QPointF(x, top), QPointF(x + way * 14, top)]
            )
        quad = floor_quad(bay.left, bay.right, self.end - 2, middle)
        painter.setPen(QPen(ink, 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap,
                            Qt.PenJoinStyle.RoundJoin))  # fmt: skip
        lower = QPointF(0, 4)
        points = [quad.at(0) + lower, quad.at(3), quad.at(2), quad.at(1) + lower]
        painter.drawPolyline(points)
