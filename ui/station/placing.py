"""A plan placed in a widget: scale, zoom, scroll, and where each part lies in pixels."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QTransform

from ui.station.geometry import FLOOR_END, GROUND, Cabinet, Frame, Plan, frame
from ui.station.header import HEAD, HEAD_LOW, RADIUS, bubble_centres

LOW = 420.0
"""Below this height the head of the picture is a little lower."""


class Placing:
    """Where things are. `plan` and `frame` are None until there is a station and a size."""

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self.frame: Frame | None = None
        self.scroll = QPointF(0, 0)
        self.zoom = 100
        self.ratio = 1.0
        self.width = 0.0
        self.height = 0.0
        self.world = QTransform()
        """Scene to widget, unscrolled."""
        self._bay_places: dict[int, QRectF] = {}
        self._words_places: dict[int, QRectF] = {}
        self._face_places: dict[int, QRectF] = {}
        self._screen_places: dict[int, QRectF] = {}

    def place(self) -> None:
        """Fit the plan into the widget."""
        self.frame = None
        if self.plan is None or self.width < 1:
            return
        self.frame = frame(self.plan, self.width, self.height, self.head_height, self.zoom)
        self.world = self.frame.transform(QPointF(0, 0))
        # What is too tall shows its foot: there are the cars and the words.
        self.scroll_to(self.scroll.x(), self.scroll.y() or self.frame.overflow_down)

    @property
    def head_height(self) -> float:
        return HEAD if self.height >= LOW else HEAD_LOW

    @property
    def scrolls(self) -> bool:
        """Is the picture wider than the widget."""
        return self.frame is not None and self.frame.overflow > 0

    def scroll_to(self, x: float, y: float) -> None:
        """Scroll, held within the picture and on whole device pixels."""
        if self.frame is None:
            return
        x = min(max(0.0, x), self.frame.overflow)
        y = min(max(0.0, y), self.frame.overflow_down)
        self.scroll = QPointF(
            round(x * self.ratio) / self.ratio, round(y * self.ratio) / self.ratio
        )
        self._locate()

    def _locate(self) -> None:
        """Where things lie in the widget: painting asks for it again and again."""
        assert self.plan is not None
        for bay in self.plan.bays:
            words = self.floor_scene(bay.evse).adjusted(-10, -10, 10, 14)
            self._bay_places[bay.evse] = self.to_widget(self.bay_scene(bay.evse))
            self._words_places[bay.evse] = self.to_widget(words)
        for one in self.plan.cabinets:
            self._face_places[one.index] = self.to_widget(one.rect.adjusted(-24, -20, 24, 0))
            self._screen_places[one.index] = self.to_widget(one.screen.adjusted(-1, -1, 1, 1))

    def to_widget(self, rect: QRectF) -> QRectF:
        """A rectangle of the scene in the widget, scrolled."""
        return self.world.mapRect(rect).translated(-self.scroll)

    def point(self, at: QPointF) -> QPointF:
        """A point of the scene in the widget, scrolled."""
        return self.world.map(at) - self.scroll

    def scene(self, at: QPointF) -> QPointF:
        """A point of the widget in the scene."""
        inverse, _ = self.world.inverted()
        return inverse.map(at + self.scroll)

    @property
    def whole(self) -> QRectF:
        return QRectF(0, 0, self.width, self.height)

    @property
    def head_rect(self) -> QRectF:
        return QRectF(0, 0, self.width, self.head_height)

    def bay_scene(self, evse: int) -> QRectF:
        """A bay with its cables and its floor, in scene units."""
        assert self.plan is not None
        assert self.frame is not None
        bay = self.plan.bay(evse)
        top = self.frame.canopy + 11
        rect = QRectF(bay.left - 8, top, bay.right - bay.left + 16, self.frame.floor_end - top)
        grown = rect.adjusted(-4 if bay.side < 0 else -14, 0, 14 if bay.side < 0 else 4, 0)
        lean = 0.0003 * (self.frame.floor_end - GROUND) * abs(bay.axis - self.plan.width / 2) + 4
        return grown.adjusted(-lean, 0, lean, 0)

    def bay_rect(self, evse: int) -> QRectF:
        return self._bay_places[evse]

    def cabinet_rect(self, evse: int) -> QRectF:
        """Where the cabinet that serves a bay is painted."""
        assert self.plan is not None
        rect = self.plan.cabinet(evse).rect
        return QRectF(self.point(rect.topLeft()), self.point(rect.bottomRight()))

    def floor_scene(self, evse: int) -> QRectF:
        """Where the words on the floor of a bay lie, in scene units."""
        assert self.plan is not None
        assert self.frame is not None
        bay = self.plan.bay(evse)
        slack = min(18.0, max(0.0, (self.frame.floor_end - FLOOR_END) * 0.4))
        lean = (bay.axis - self.plan.width / 2) * 0.0003 * (60 + slack)
        return QRectF(bay.left + 14 + lean, 540 + slack, bay.right - bay.left - 28, 56)

    def charge_at(self, evse: int, at: QPointF) -> int:
        """Which state of charge a point of the widget means on a bay's battery bar, percent."""
        bar = self.floor_scene(evse)
        part = (self.scene(at).x() - bar.left()) / bar.width()
        return round(100 * min(1.0, max(0.0, part)))

    def words_rect(self, evse: int) -> QRectF:
        """The words on the floor with what is behind them, in the widget."""
        return self._words_places[evse]

    def face_rect(self, cabinet: Cabinet) -> QRectF:
        """The front of a cabinet with the glow of its lamps."""
        return self._face_places[cabinet.index]

    def screen_rect(self, cabinet: Cabinet) -> QRectF:
        return self._screen_places[cabinet.index]

    def ring_rect(self, cabinet: Cabinet) -> QRectF:
        return self.to_widget(QRectF(cabinet.ring.x() - 22, cabinet.ring.y() - 22, 44, 44))

    def bubble_points(self) -> list[QPointF]:
        """Centres of the bubbles, in the order of the EVSEs."""
        if self.plan is None:
            return []
        axes = [self.point(QPointF(bay.axis, 0)).x() for bay in self.plan.bays]
        return bubble_centres(axes, self.width, self.head_height, fixed=self.scrolls)

    def bay_at(self, at: QPointF) -> int:
        """The EVSE whose bay, cabinet half or bubble lies at a point of the widget; 0 for none."""
        if self.plan is None or self.frame is None:
            return 0
        if at.y() < self.head_height:
            for bay, centre in zip(self.plan.bays, self.bubble_points(), strict=True):
                if -RADIUS <= at.x() - centre.x() <= 110 and abs(at.y() - centre.y()) < 26:
                    return bay.evse
            return 0
        x = self.scene(at).x()
        for bay in self.plan.bays:
            if bay.left <= x <= bay.right:
                return bay.evse
        for cabinet in self.plan.cabinets:
            if cabinet.rect.left() <= x <= cabinet.rect.right():
                second = x > cabinet.rect.center().x() and len(cabinet.evses) > 1
                return cabinet.evses[1 if second else 0]
        return 0

    def reader_under(self, at: QPointF) -> int | None:
        """The cabinet whose reader is near a point of the widget."""
        if self.plan is None or self.frame is None or at.y() < self.head_height:
            return None
        here, reach = self.scene(at), max(52.0, 40 / self.frame.scale)
        for cabinet in self.plan.cabinets:
            if cabinet.reader is not None and (here - cabinet.ring).manhattanLength() <= reach:
                return cabinet.index
        return None
