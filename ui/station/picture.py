"""The picture itself, apart from the widget that shows it: views, layers and the order of painting."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QBrush, QColor, QPainter, QPainterPath, QPen, QPixmap, QTransform

from app.kernel.catalogue import Catalogue
from app.station.kinds import Current, ReaderLamp
from app.station.snapshot import StationSnapshot
from ui.station.bay import BayPainter
from ui.station.cabinet import FacePainter, asking_ring
from ui.station.cable import Wire, bounds, to_pointer, wires
from ui.station.content import Content, compose
from ui.station.geometry import BAY, GAP, GROUND, Cabinet, plan_station
from ui.station.header import BubbleView, HeadPainter, bubble_reach, text_sides
from ui.station.layers import Layer
from ui.station.mood import Carried, Mood
from ui.station.placing import Placing
from ui.station.scenery import Scenery
from ui.station.screen import ScreenPainter
from ui.station.sign import paint_sign
from ui.station.views import BayView, PictureExtra, Wording
from ui.theme.theme import Theme
from ui.widgets.scribe import PaintedLabel, Scribe

Place = tuple[BubbleView, QPointF, int, float]
"""A bubble, its centre, on which side its words stand and in how much room."""

Shape = tuple[tuple[int, Current, int | None, int], ...]


class Picture(Placing):
    """Everything painted, cached by what it shows."""

    def __init__(self, theme: Theme, catalogue: Catalogue) -> None:
        super().__init__()
        self.words = Wording(catalogue)
        self.theme = theme
        self.mood = Mood()
        self.snapshot: StationSnapshot | None = None
        self.extra = PictureExtra()
        self.content = Content()
        self._shape: Shape = ()
        self._layers: dict[str, Layer] = {}
        self._bays: BayPainter | None = None
        self._wires: dict[int, tuple[Hashable, list[Wire], QRectF]] = {}

    @property
    def views(self) -> dict[int, BayView]:
        return self.content.views

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
            if _bay_key(old) != _bay_key(view):
                yield self.bay_rect(number)
            if _words_key(old) != _words_key(view):
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

    def refit(self) -> None:
        """Place the plan anew; all layers are painted again."""
        self._layers.clear()
        self._wires.clear()
        self.place()
        if self.frame is not None and self.plan is not None:
            self._bays = BayPainter(
                self.theme,
                self.plan,
                self.frame.canopy,
                self.frame.floor_end,
                self.frame.scale * self.ratio,
            )

    def labels(self) -> list[PaintedLabel]:
        """All text on the picture, where it is now."""
        found: list[PaintedLabel] = []
        for layer in self._layers.values():
            shift = QPointF(0, 0) if layer.fixed else -self.scroll
            found += [replace(label, rect=label.rect.translated(shift)) for label in layer.labels]
        return found

    def renders(self) -> dict[str, int]:
        """How often each layer was painted, for the tests of caching."""
        return {name: layer.renders for name, layer in self._layers.items()}

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

    def cable_rect(self, evse: int) -> QRectF:
        """Where something moves while this EVSE charges; empty when nothing does."""
        _, found, rect = self._flow(evse)
        return self.to_widget(rect) if found else QRectF()

    def _flow(self, evse: int) -> tuple[Hashable, list[Wire], QRectF]:
        assert self.plan is not None
        view = self.views[evse]
        known = self._wires.get(evse)
        key = (view.flowing, view.share, view.plugs)
        if known is None or known[0] != key:
            found, rect = wires(self.plan, view), QRectF()
            for wire in found:
                rect = rect.united(bounds(wire.path, 4))
            known = self._wires[evse] = (key, found, rect)
        return known

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

    def steps(self) -> Iterator[None]:
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

    def _layer(self, name: str) -> Layer:
        return self._layers.setdefault(name, Layer(name))

    def _scenery(self) -> Layer:
        for _ in self._scenery_steps():
            pass
        return self._layer("scenery")

    def _scenery_steps(self) -> Iterator[None]:
        assert self.frame is not None
        assert self.plan is not None
        layer, plan, fit, theme = self._layer("scenery"), self.plan, self.frame, self.theme
        lit = self.content.lit
        rect = QRectF(0, 0, max(fit.width, fit.content), fit.height + fit.overflow_down)
        inverse, _ = self.world.inverted()
        span = (inverse.map(QPointF(0, 0)).x() - 2, inverse.map(rect.topRight()).x() + 2)

        def draw(painter: QPainter, scribe: Scribe) -> Iterator[None]:
            return Scenery(theme, plan, fit.canopy, fit.floor_end, span).paint(painter, lit=lit)

        return layer.painting(lit, rect, self.ratio, self.world, draw, opaque=True)

    def _select(self, painter: QPainter, dirty: QRectF) -> None:
        evse = self.mood.selected
        if self._bays is not None and evse in self.views and self.bay_rect(evse).intersects(dirty):
            with self._in_scene(painter):
                self._bays.selection(painter, evse)

    def _bay(self, evse: int) -> Layer:
        assert self._bays is not None
        bays, view, mood = self._bays, self.views[evse], self.mood
        layer = self._layer(f"bay{evse}")
        carried = mood.carried.slot if mood.carried and mood.carried.evse == evse else None
        parked = evse not in mood.moving

        def draw(painter: QPainter, scribe: Scribe) -> None:
            bays.light(painter, view)
            bays.things(painter, view, with_car=parked, carried=carried)
            if mood.still and parked:
                for wire in self._flow(evse)[1]:
                    bays.cable.arrows(painter, wire.path)

        key = (_bay_key(view), parked, carried, mood.still)
        layer.render(key, self.world.mapRect(self.bay_scene(evse)), self.ratio, self.world, draw)
        return layer

    def _floor(self, evse: int) -> Layer:
        assert self._bays is not None
        assert self.frame is not None
        bays, view = self._bays, self.views[evse]
        if self.mood.charge is not None and self.mood.charge[0] == evse and view.car is not None:
            view = replace(view, car=replace(view.car, soc=self.mood.charge[1]))
        layer, say, rect = self._layer(f"words{evse}"), self.words.say, self.floor_scene(evse)
        size = min(15.0, max(12.0, 10.5 / self.frame.scale))
        target = say("target", percent=view.car.target) if view.car else ""
        percent = say("percent", percent=view.car.soc) if view.car else ""

        def draw(painter: QPainter, scribe: Scribe) -> None:
            bays.words(painter, scribe, rect, view, size, target=target, percent=percent)

        area = self.words_rect(evse).translated(self.scroll)
        layer.render(_words_key(view), area, self.ratio, self.world, draw)
        return layer

    def _face(self, cabinet: Cabinet) -> Layer:
        assert self.frame is not None
        layer, view = self._layer(f"face{cabinet.index}"), self.content.faces[cabinet.index]
        theme, scale = self.theme, self.frame.scale

        def draw(painter: QPainter, scribe: Scribe) -> None:
            FacePainter(theme, scale).paint(painter, scribe, cabinet, view)

        rect = self.face_rect(cabinet).translated(self.scroll)
        layer.render(view, rect, self.ratio, self.world, draw)
        return layer

    def _screen(self, cabinet: Cabinet) -> Layer:
        assert self.frame is not None
        layer, view = self._layer(f"screen{cabinet.index}"), self.content.screens[cabinet.index]
        theme, scale = self.theme, self.frame.scale

        def draw(painter: QPainter, scribe: Scribe) -> None:
            ScreenPainter(theme, scale).paint(painter, scribe, cabinet.screen, view)

        rect = self.screen_rect(cabinet).translated(self.scroll)
        layer.render(view, rect, self.ratio, self.world, draw)
        return layer

    def _bar(self) -> Layer:
        layer, view, theme, width = self._layer("bar"), self.content.bar, self.theme, self.width
        hovered, rect = self.mood.hovered, self.head_rect
        layer.fixed = True

        def draw(painter: QPainter, scribe: Scribe) -> None:
            painter.fillRect(rect, theme.colour("wall1"))
            HeadPainter(theme).bar(painter, scribe, view, width, hovered)

        layer.render((view, hovered), rect, self.ratio, QTransform(), draw)
        return layer

    def _bubbles(self) -> Iterator[Layer]:
        bubbles, points = self.content.bubbles, self.bubble_points()
        sides = text_sides(bubbles, points, self.width)
        theme, fixed, foot = self.theme, self.scrolls, self.head_height
        for bubble, centre, (side, room) in zip(bubbles, points, sides, strict=True):
            layer = self._layer(f"bubble{bubble.evse}")
            layer.fixed = True
            chosen = bubble.evse == self.mood.selected
            hovered = self.mood.hovered == f"bubble{bubble.evse}"
            key: Hashable = (bubble, centre.toTuple(), side, room, chosen, hovered, fixed)
            place: Place = (bubble, centre, side, room)

            def draw(
                painter: QPainter,
                scribe: Scribe,
                place: Place = place,
                flags: tuple[bool, bool] = (chosen, hovered),
            ) -> None:
                head = HeadPainter(theme)
                head.bubble(painter, scribe, *place, chosen=flags[0], hovered=flags[1])
                if not fixed:
                    head.axis(painter, place[0], place[1], foot)

            layer.render(
                key, bubble_reach(bubble, centre, side, foot), self.ratio, QTransform(), draw
            )
            yield layer

    def _sign(self, painter: QPainter, dirty: QRectF) -> None:
        if not self.content.sign:
            self._layers.pop("sign", None)
            return
        assert self.frame is not None
        assert self.plan is not None
        layer, theme, text = self._layer("sign"), self.theme, self.content.sign
        layer.fixed = True
        scale, first = self.frame.scale, self.plan.cabinets[0]
        alone = len(self.plan.cabinets) == 1
        middle, edge = self.plan.bays[0].axis, self.width - 8
        if not alone:
            middle = first.rect.right() + GAP + (BAY + GAP if len(first.evses) > 1 else 0)
        elif not self.scrolls:
            edge = self.point(first.rect.topLeft()).x() - 8
        x = self.width / 2 if self.scrolls else self.point(QPointF(middle, 0)).x()
        top = self.head_height + 11 * scale
        rect = QRectF(0, top, self.width, 44 * scale + 40)

        def draw(brush: QPainter, scribe: Scribe) -> None:
            paint_sign(brush, scribe, theme, text, QPointF(x, top), 40 * scale, edge)

        layer.render((text, x), rect, self.ratio, QTransform(), draw)
        layer.draw(painter, QPointF(0, 0), dirty)

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

    def _car(self, evse: int) -> Layer | None:
        """The car that is on its way to a bay, or from it."""
        moving = self.mood.moving.get(evse)
        if moving is None or moving.view.car is None or self._bays is None or self.plan is None:
            return None
        axis, bays, car = self.plan.bay(evse).axis, self._bays, moving.view.car
        layer = self._layer(f"car{evse}")

        def draw(brush: QPainter, scribe: Scribe) -> None:
            bays.car.paint(brush, axis, car, lights=True)

        rect = self.world.mapRect(QRectF(axis - 122, 296, 244, 252))
        layer.render(car.id, rect, self.ratio, self.world, draw)
        return layer

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


def _bay_key(view: BayView) -> Hashable:
    """What the still part of a bay depends on."""
    car = (view.car.id, view.car.name) if view.car else None
    return (view.status, car, view.flowing, view.plugs, view.dark)


def _words_key(view: BayView) -> Hashable:
    """What the words on the floor depend on."""
    return (view.status, view.car, view.title, view.note, view.word, view.flowing, view.dark)
