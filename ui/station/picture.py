"""The picture itself, apart from the widget that shows it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QBrush, QColor, QPainter, QPainterPath, QPen, QPixmap, QTransform

from app.kernel.catalogue import Catalogue
from app.station.kinds import Current, ReaderLamp
from app.station.snapshot import StationSnapshot
from ui.station.cabinet import asking_ring
from ui.station.cable import to_pointer
from ui.station.content import Content, compose
from ui.station.geometry import GROUND, Cabinet, plan_station
from ui.station.mood import Carried
from ui.station.still import Still, bay_key, words_key
from ui.station.views import PictureExtra, Wording
from ui.theme.theme import Theme
from ui.widgets.turns import Work

Shape = tuple[tuple[int, Current, int | None, int], ...]


class Picture(Still):
    """What is shown of a snapshot, in which order, and what moves over all that stands still."""

    def __init__(self, theme: Theme, catalogue: Catalogue) -> None:
        super().__init__(theme, Wording(catalogue))
        self.snapshot: StationSnapshot | None = None
        self.extra = PictureExtra()
        self._shape: Shape = ()

    @property
    def night(self) -> QColor:
        """What lies over everything while the mains are off."""
        return QColor(0, 0, 0, round(255 * self.theme.light("night")))

    # ------------------------------------------------------------------ what is shown

    def show(self, snapshot: StationSnapshot, extra: PictureExtra) -> list[QRectF] | None:
        """Take over a snapshot; returns what has to be painted anew (widget px), None for everything."""
        before = self.content
        self.snapshot, self.extra = snapshot, extra
        shape = tuple((e.id, e.current, e.reader, len(e.connectors)) for e in snapshot.evses)
        fresh = shape != self._shape
        if fresh:
            self._shape = shape
            self.plan = plan_station(snapshot) if snapshot.evses else None
        if self.mood.selected not in {evse.id for evse in snapshot.evses}:
            self.mood.selected = snapshot.evses[0].id if snapshot.evses else 0
        self._compose()
        if fresh:
            self.refit()
            return None
        return list(self._changed(before))

    def _compose(self) -> None:
        if self.snapshot is not None:
            self.content = compose(
                self.words,
                self.snapshot,
                self.extra,
                self.plan,
                zoom=self.zoom,
                selected=self.mood.selected,
            )

    def choose(self, evse: int) -> None:
        """Select another EVSE."""
        self.mood.selected = evse
        self._compose()

    def offered(self) -> Hashable:
        """What the acts on the picture, their places and their names depend on."""
        snapshot = self.snapshot
        if snapshot is None:
            return None
        switches = (snapshot.mains, snapshot.network, snapshot.door_open, snapshot.emergency_stop)
        bays = tuple(
            (v.evse, v.word, v.plugs, v.car and (v.car.name, v.car.soc))
            for v in self.views.values()
        )
        return (switches, bays)

    def _changed(self, before: Content) -> Iterator[QRectF]:
        if self.frame is None or self.plan is None:
            return
        now = self.content
        if before.lit != now.lit or before.sign != now.sign:
            yield self.whole
            return
        for number, view in now.views.items():
            old = before.views[number]
            if old == view:
                continue
            if bay_key(old) != bay_key(view):
                yield self.bay_rect(number)
            if words_key(old) != words_key(view):
                yield self.words_rect(number)
        for cabinet in self.plan.cabinets:
            if before.faces[cabinet.index] != now.faces[cabinet.index]:
                yield self.face_rect(cabinet)
            elif before.screens[cabinet.index] != now.screens[cabinet.index]:
                yield self.screen_rect(cabinet)
        if before.bar != now.bar or before.bubbles != now.bubbles:
            yield self.head_rect

    def resize(self, width: float, height: float, ratio: float) -> None:
        """Fit the picture into a widget of this size and device pixel ratio."""
        if (width, height, ratio) != (self.width, self.height, self.ratio):
            self.width, self.height, self.ratio = width, height, ratio
            self.refit()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.refit()

    def set_zoom(self, percent: int) -> None:
        self.zoom = percent
        self._compose()
        self.refit()

    def asking(self) -> list[Cabinet]:
        """Cabinets whose reader waits for an answer."""
        if self.plan is None:
            return []
        faces = self.content.faces
        return [
            c
            for c in self.plan.cabinets
            if c.reader is not None
            and faces[c.index].lit
            and faces[c.index].lamp is ReaderLamp.ASKING
        ]

    # ------------------------------------------------------------------ painting

    def paint(self, painter: QPainter, dirty: QRectF) -> None:
        """Paint what lies in `dirty` (widget px)."""
        if self.frame is None or self.plan is None or self._bays is None:
            painter.fillRect(dirty, self.theme.colour("wall1"))
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        away = -self.scroll
        if dirty.bottom() > self.head_height:
            self._scenery().draw(painter, away, dirty)
            self._scene(painter, dirty, away)
        if dirty.top() < self.head_height:
            self._bar().draw(painter, QPointF(0, 0), dirty)
            for layer in self._bubbles():
                layer.draw(painter, QPointF(0, 0), dirty)

    def photograph(self) -> QPixmap:
        """What is seen below the head, unscrolled; only for a picture that will be placed anew.

        The rest is painted onto the scenery itself: a pixmap of the same size takes longer to come by than
        all of that.
        """
        pixmap = self._scenery().give_away()
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(self.scroll)
        self._scene(painter, self.whole, -self.scroll)
        painter.end()
        return pixmap

    def steps(self) -> Work:
        """All that `paint` would have to make first, in steps of a few ms."""
        if self.frame is None or self.plan is None:
            return
        self._bar()  # first, for the head is shown while the rest is not ready
        yield
        for _ in self._bubbles():
            yield
        yield from self._scenery_steps()
        for number in self.views:
            if self.bay_rect(number).intersects(self.whole):
                self._bay(number)
                yield
                self._floor(number)
                yield
            if number in self.mood.moving:
                self._car(number)
                yield
        for cabinet in self.plan.cabinets:
            if self.face_rect(cabinet).intersects(self.whole):
                self._face(cabinet)
                yield
                self._screen(cabinet)
                yield

    def _scene(self, painter: QPainter, dirty: QRectF, away: QPointF) -> None:
        """All that stands before the scenery."""
        assert self.plan is not None
        self._select(painter, dirty)
        for number in self.views:
            if self.bay_rect(number).intersects(dirty):
                self._bay(number).draw(painter, away, dirty)
                self._drive(painter, number)
        for cabinet in self.plan.cabinets:
            if self.face_rect(cabinet).intersects(dirty):
                self._face(cabinet).draw(painter, away, dirty)
            if self.screen_rect(cabinet).intersects(dirty):
                self._screen(cabinet).draw(painter, away, dirty)
        with self._in_scene(painter):
            self._live(painter, dirty)
        if not self.content.lit:
            painter.fillRect(dirty, self.night)
        for number in self.views:
            if self.words_rect(number).intersects(dirty):
                self._floor(number).draw(painter, away, dirty)
        if self.mood.carried is not None:
            with self._in_scene(painter):
                self._carry(painter, self.mood.carried)
        self._sign(painter, dirty)
        self._hovered(painter)
        self._scroll_mark(painter)

    @contextmanager
    def _in_scene(self, painter: QPainter) -> Iterator[None]:
        """Paint in scene units."""
        painter.save()
        away = QTransform.fromTranslate(-self.scroll.x(), -self.scroll.y())
        painter.setTransform(self.world * away, True)
        yield
        painter.restore()

    def _select(self, painter: QPainter, dirty: QRectF) -> None:
        evse = self.mood.selected
        if self._bays is not None and evse in self.views and self.bay_rect(evse).intersects(dirty):
            with self._in_scene(painter):
                self._bays.selection(painter, evse)

    # ------------------------------------------------------------------ what moves

    def _live(self, painter: QPainter, dirty: QRectF) -> None:
        """Energy on cables, the ring of a reader that waits, the halo of a reader under a card."""
        assert self._bays is not None
        assert self.plan is not None
        mood = self.mood
        busy = {*mood.moving, mood.carried.evse if mood.carried else 0}
        for number in () if mood.still else self.views:
            if number not in busy and self.cable_rect(number).intersects(dirty):
                for wire in self._flow(number)[1]:
                    self._bays.cable.energy(painter, wire, mood.phases.get(number, 0.0))
        for cabinet in self.asking():
            if self.ring_rect(cabinet).intersects(dirty):
                asking_ring(painter, cabinet.ring, self.theme.lit.colour("charge"), mood.turn)
        for cabinet in self.plan.cabinets:
            if mood.glow == f"reader{cabinet.index}":
                painter.setPen(QPen(self.theme.lit.colour("ink"), 2.2))
                painter.setBrush(QBrush())
                painter.drawEllipse(cabinet.ring, 21.5, 21.5)

    def _hovered(self, painter: QPainter) -> None:
        """A thin line around what the pointer is on."""
        if self.mood.hover is None or self.mood.carried is not None:
            return
        shape, circle = self.mood.hover
        painter.setPen(QPen(self.theme.colour("text3"), 1.4))
        painter.setBrush(QBrush())
        if circle:
            reach = min(shape.width(), shape.height()) / 2 + 2.5
            painter.drawEllipse(shape.center(), reach, reach)
        else:
            painter.drawRoundedRect(shape.adjusted(-2, -2, 2, 2), 6, 6)

    def _drive(self, painter: QPainter, evse: int) -> None:
        """A car on its way: it comes from the viewer into the bay, or the other way round."""
        layer = self._car(evse)
        if layer is None or self.plan is None:
            return
        moving, axis = self.mood.moving[evse], self.plan.bay(evse).axis
        inside = moving.progress if moving.arriving else 1 - moving.progress
        eased = 1 - (1 - inside) ** 3
        size = 1.22 - 0.22 * eased
        foot = self.point(QPointF(axis, GROUND))
        painter.save()
        painter.setOpacity(min(1.0, eased * 1.4))
        painter.translate(foot.x(), foot.y() + (1 - eased) * 60)
        painter.scale(size, size)
        painter.translate(-foot.x(), -foot.y())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        layer.draw(painter, -self.scroll)
        painter.restore()

    def carried_path(self) -> QPainterPath:
        """The cable that is in the hand, in scene units; it comes from the cabinet, or from the car."""
        assert self.plan is not None
        assert self.mood.carried is not None
        carried = self.mood.carried
        view = self.views[carried.evse]
        side = self.plan.bay(carried.evse).side
        hand = self.scene(carried.at) + QPointF(0, 14)
        if view.plugs[carried.slot].tethered:
            return to_pointer(self.plan.anchor(carried.evse, carried.slot), hand, side)
        if view.car is not None:
            inlet = self.plan.inlet(carried.evse, carried.slot) + QPointF(0, 10)
            return to_pointer(inlet, hand, -side)
        return to_pointer(self.plan.holster(carried.evse, carried.slot), hand, side)

    def _carry(self, painter: QPainter, carried: Carried) -> None:
        assert self._bays is not None
        dc = self.views[carried.evse].plugs[carried.slot].dc
        self._bays.cable.jacket(painter, self.carried_path(), dc=dc)
        self._bays.cable.carried(painter, self.scene(carried.at), dc=dc, ready=carried.ready)

    def _scroll_mark(self, painter: QPainter) -> None:
        """How much of the picture is shown, where it scrolls."""
        if not self.scrolls or self.frame is None:
            return
        room = self.width - 16
        left = 8 + room * self.scroll.x() / self.frame.content
        painter.setPen(QPen(QColor(0, 0, 0, 0)))
        painter.setBrush(self.theme.colour("text3", 0.8))
        painter.drawRoundedRect(
            QRectF(left, self.height - 7, room * self.width / self.frame.content, 4), 2, 2
        )
