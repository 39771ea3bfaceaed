"""The picture itself, apart from the widget that shows it: views, layers and the order of painting."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QBrush, QColor, QLinearGradient, QPainter, QPainterPath, QPen, QTransform

from app.kernel.catalogue import Catalogue
from app.ocpp.context import BootState
from app.station.kinds import BayStatus, Current, ReaderLamp
from app.station.snapshot import StationSnapshot
from ui.station.bay import BayPainter
from ui.station.cabinet import FacePainter, FaceView, asking_ring
from ui.station.cable import Wire, bounds, to_car, to_pointer, wires
from ui.station.geometry import BAY, GAP, GROUND, Cabinet, Frame, Plan, frame, plan_station
from ui.station.header import (
    HEAD,
    HEAD_LOW,
    BubbleView,
    ChipView,
    HeadPainter,
    HeadView,
    bubble_centres,
)
from ui.station.layers import Layer
from ui.station.scenery import Scenery
from ui.station.screen import ScreenView
from ui.station.sign import paint_sign
from ui.station.views import BayView, PictureExtra, Wording, rating
from ui.theme.theme import Theme
from ui.widgets.scribe import PaintedLabel, Scribe

Shape = tuple[tuple[int, Current, int | None, int], ...]


@dataclass(slots=True)
class Carried:
    """A plug in the hand: of which connector, from where its cable comes, where it is now (widget px)."""

    evse: int
    slot: int
    at: QPointF
    ready: bool = False


@dataclass(slots=True)
class Moving:
    """A car that drives in or away; `progress` 0 to 1, how far it is in the bay."""

    car: BayView
    arriving: bool
    progress: float = 0.0


@dataclass(slots=True)
class Mood:
    """What is shown beside the state of the station: selection, pointer, drag, motion."""

    selected: int = 0
    hovered: str = ""
    glow: str = ""
    """The reader that a card is being held over, as "reader<cabinet>"."""
    carried: Carried | None = None
    still: bool = False
    moving: dict[int, Moving] = field(default_factory=dict)
    phases: dict[int, float] = field(default_factory=dict)
    turn: float = 0.0


class Picture:
    """Everything painted, cached by what it shows."""

    def __init__(self, theme: Theme, catalogue: Catalogue) -> None:
        self.words = Wording(catalogue)
        self.theme = theme
        self.mood = Mood()
        self.scroll = QPointF(0, 0)
        self.plan: Plan | None = None
        self.frame: Frame | None = None
        self.snapshot: StationSnapshot | None = None
        self.extra = PictureExtra()
        self.views: dict[int, BayView] = {}
        self.faces: dict[int, FaceView] = {}
        self.sign = ""
        self.zoom = 100
        self._size = (0.0, 0.0, 1.0)
        self._shape: Shape = ()
        self._layers: dict[str, Layer] = {}
        self._bays: BayPainter | None = None
        self._wires: dict[int, list[Wire]] = {}

    # ------------------------------------------------------------------ what is shown

    def show(self, snapshot: StationSnapshot, extra: PictureExtra) -> list[QRectF] | None:
        """Take over a snapshot; returns what has to be painted anew (widget px), None for everything."""
        before, faces, sign = self.views, self.faces, self.sign
        head = self._head_key()
        self.snapshot, self.extra = snapshot, extra
        shape = tuple((e.id, e.current, e.reader, len(e.connectors)) for e in snapshot.evses)
        self.views = {e.id: self.words.bay(e, snapshot, extra) for e in snapshot.evses}
        if self.mood.selected not in self.views:
            self.mood.selected = next(iter(self.views), 0)
        fresh = shape != self._shape
        if fresh:
            self._shape = shape
            self.plan = plan_station(snapshot) if snapshot.evses else None
        assert self.plan is not None or not snapshot.evses
        self.faces = {c.index: self._face(c) for c in self.plan.cabinets} if self.plan else {}
        self.sign = self._sign()
        if fresh:
            self._layers.clear()
            self.refit()
            return None
        return list(self._changed(before, faces, head, sign))

    def _changed(
        self, before: dict[int, BayView], faces: dict[int, FaceView], head: Hashable, sign: str
    ) -> Iterator[QRectF]:
        if self.frame is None or self.plan is None:
            return
        if any(before[n].dark != view.dark for n, view in self.views.items()) or sign != self.sign:
            yield QRectF(0, 0, *self._size[:2])
            return
        for number, view in self.views.items():
            old = before[number]
            if old == view:
                continue
            if self._bay_key(old) != self._bay_key(view):
                yield self.bay_rect(number)
            if self._words_key(old) != self._words_key(view):
                yield self.words_rect(number)
        for cabinet in self.plan.cabinets:
            if faces.get(cabinet.index) != self.faces[cabinet.index]:
                yield self.face_rect(cabinet)
        if head != self._head_key():
            yield QRectF(0, 0, self._size[0], self.head_height)

    def _face(self, cabinet: Cabinet) -> FaceView:
        assert self.snapshot is not None
        snapshot, say = self.snapshot, self.words.say
        bays = tuple(self.views[number] for number in cabinet.evses)
        readers = {reader.id: reader for reader in snapshot.readers}
        reader = readers.get(cabinet.reader) if cabinet.reader is not None else None
        lamp = reader.lamp if reader is not None and snapshot.mains else ReaderLamp.OFF
        faulty = reader is not None and reader.faulty
        key = "faulty" if faulty else lamp.value
        message = self.words.render(snapshot.screen) if snapshot.screen is not None else ""
        evses = [snapshot.evse(number) for number in cabinet.evses]
        name = say(
            "cabinet_many" if len(evses) > 1 else "cabinet",
            current=say(f"current.{evses[0].current.value}"),
            kw=rating(evses[0].max_power),
            n=len(evses),
        )
        screen = ScreenView(
            bays=bays,
            message=message,
            boot=self.extra.boot,
            online=self.extra.online,
            please=say("screen.out") if len(self.views) > 1 else "",
            out_of_order=say("screen.faulted"),
            percent=tuple(say("percent", percent=b.car.soc) if b.car else "" for b in bays),
        )
        return FaceView(
            screen=screen,
            lamp=lamp,
            faulty=faulty,
            reader_label=say(f"reader.{key}"),
            reader_short=say("reader.waiting_short" if key == "waiting" else f"reader.{key}"),
            emergency=snapshot.emergency_stop,
            emergency_label=say("emergency"),
            stop_label=say("stop"),
            start_label=say("start"),
            name=name,
            lit=snapshot.mains,
            inserts=tuple(bay.free for bay in bays),
        )

    def _sign(self) -> str:
        """What holds for the whole station, worst first."""
        assert self.snapshot is not None
        say = self.words.say
        if not self.snapshot.mains:
            return say("sign.off")
        if self.snapshot.emergency_stop:
            return say("sign.emergency")
        if self.extra.boot is BootState.BOOTING:
            return say("sign.booting")
        if not self.extra.online or not self.snapshot.network:
            if self.extra.queue:
                return say("sign.offline_queue", n=self.extra.queue)
            return say("sign.offline")
        if self.extra.boot in (BootState.PENDING, BootState.REJECTED):
            return say(f"sign.{self.extra.boot.value}")
        return "" if self.snapshot.operative else say("sign.unavailable")

    def head_view(self) -> HeadView:
        """The head as it is now."""
        say, snapshot = self.words.say, self.snapshot
        chips: tuple[ChipView, ...] = ()
        if snapshot is not None:
            states = (
                ("mains", "on" if snapshot.mains else "off", snapshot.mains),
                ("network", "on" if snapshot.network else "off", snapshot.network),
                ("door", "open" if snapshot.door_open else "closed", not snapshot.door_open),
            )
            chips = tuple(ChipView(n, say(f"chip.{n}_{state}"), good) for n, state, good in states)
            chips = (*chips, ChipView("faults", say("chip.faults"), good=True))
        bubbles = tuple(
            BubbleView(v.evse, v.status, v.word, v.subline) for v in self.views.values()
        )
        return HeadView(
            say("title"),
            say("hint"),
            chips,
            f"{self.zoom}",
            bubbles,
            self.mood.selected,
            self.mood.hovered,
        )

    # ------------------------------------------------------------------ where it lies

    def resize(self, width: float, height: float, ratio: float) -> None:
        if (width, height, ratio) != self._size:
            self._size = (width, height, ratio)
            self.refit()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.refit()

    def set_zoom(self, percent: int) -> None:
        self.zoom = percent
        self.refit()

    def refit(self) -> None:
        """Place the plan anew; all layers are painted again."""
        self._layers.clear()
        if self.plan is None or self._size[0] < 1:
            self.frame = None
            return
        width, height, ratio = self._size
        self.frame = frame(self.plan, width, height, self.head_height, self.zoom)
        self._bays = BayPainter(
            self.theme, self.plan, self.frame.canopy, self.frame.floor_end, self.frame.scale * ratio
        )
        self.scroll_to(self.scroll.x(), self.scroll.y())

    @property
    def head_height(self) -> float:
        return HEAD if self._size[1] >= 420 else HEAD_LOW

    @property
    def scrolls(self) -> bool:
        return self.frame is not None and self.frame.overflow > 0.5

    def scroll_to(self, x: float, y: float) -> None:
        """Scroll, held within the picture and on whole device pixels."""
        if self.frame is None:
            return
        ratio = self._size[2]
        x = min(max(0.0, x), self.frame.overflow)
        y = min(max(0.0, y), self.frame.overflow_down)
        self.scroll = QPointF(round(x * ratio) / ratio, round(y * ratio) / ratio)

    @property
    def world(self) -> QTransform:
        """Scene to widget, unscrolled."""
        assert self.frame is not None
        return self.frame.transform(QPointF(0, 0))

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

    def _bay_scene(self, evse: int) -> QRectF:
        assert self.plan is not None
        assert self.frame is not None
        bay = self.plan.bay(evse)
        top = self.frame.canopy + 11
        rect = QRectF(bay.left - 8, top, bay.right - bay.left + 16, self.frame.floor_end - top)
        grown = rect.adjusted(-4 if bay.side < 0 else -14, 0, 14 if bay.side < 0 else 4, 0)
        spread = 0.0003 * (self.frame.floor_end - GROUND) * abs(bay.axis - self.plan.width / 2) + 4
        return grown.adjusted(-spread, 0, spread, 0)

    def bay_rect(self, evse: int) -> QRectF:
        return self.to_widget(self._bay_scene(evse))

    def _words_scene(self, evse: int) -> QRectF:
        assert self._bays is not None
        return self._bays.floor_rect(evse).adjusted(-10, -10, 10, 14)

    def words_rect(self, evse: int) -> QRectF:
        return self.to_widget(self._words_scene(evse))

    def face_rect(self, cabinet: Cabinet) -> QRectF:
        return self.to_widget(cabinet.rect.adjusted(-24, -20, 24, 0))

    def cable_rect(self, evse: int) -> QRectF:
        """Where something moves while this EVSE charges; empty when nothing does."""
        rect = QRectF()
        for wire in self._wires_of(evse):
            rect = rect.united(bounds(wire.path, 4))
        return self.to_widget(rect) if not rect.isEmpty() else rect

    def ring_rect(self, cabinet: Cabinet) -> QRectF:
        return self.to_widget(QRectF(cabinet.ring.x() - 20, cabinet.ring.y() - 20, 40, 40))

    def asking(self) -> list[Cabinet]:
        """Cabinets whose reader waits for an answer."""
        if self.plan is None:
            return []
        return [
            c
            for c in self.plan.cabinets
            if c.index in self.faces
            and self.faces[c.index].lit
            and self.faces[c.index].lamp is ReaderLamp.ASKING
        ]

    def bubble_points(self) -> list[QPointF]:
        """Centres of the bubbles, in the order of the EVSEs."""
        if self.plan is None:
            return []
        fixed = self.scrolls
        axes = [self.point(QPointF(bay.axis, 0)).x() for bay in self.plan.bays]
        return bubble_centres(axes, self._size[0], self.head_height, fixed=fixed)

    def _wires_of(self, evse: int) -> list[Wire]:
        assert self.plan is not None
        view = self.views[evse]
        known = self._wires.get(evse)
        if (
            known is not None
            and [w.share for w in known] == [view.share] * len(known)
            and bool(known) == view.flowing
        ):
            return known
        self._wires[evse] = wires(self.plan, view)
        return self._wires[evse]

    # ------------------------------------------------------------------ keys

    def _bay_key(self, view: BayView) -> Hashable:
        car = (view.car.id, view.car.name) if view.car else None
        return (view.status, car, view.flowing, view.plugs, view.dark)

    def _words_key(self, view: BayView) -> Hashable:
        return (view.status, view.car, view.title, view.note, view.word, view.flowing, view.dark)

    def _head_key(self) -> Hashable:
        return self.head_view()

    # ------------------------------------------------------------------ painting

    def paint(self, painter: QPainter, dirty: QRectF) -> None:
        """Paint what lies in `dirty` (widget px)."""
        if self.frame is None or self.plan is None or self._bays is None:
            painter.fillRect(dirty, self.theme.colour("wall1"))
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        away = -self.scroll
        self._scenery().draw(painter, away, dirty)
        if self.mood.selected in self.views:
            self._in_scene(painter, lambda: self._select(painter))
        for number in self.views:
            if self.bay_rect(number).intersects(dirty):
                self._bay(number).draw(painter, away, dirty)
                self._drive(painter, number)
        for cabinet in self.plan.cabinets:
            if self.face_rect(cabinet).intersects(dirty):
                self._face_layer(cabinet).draw(painter, away, dirty)
        self._in_scene(painter, lambda: self._live(painter, dirty))
        if self._dark():
            night = QColor(0, 0, 0)
            night.setAlphaF(self.theme.light("night"))
            painter.fillRect(dirty, night)
        for number in self.views:
            if self.words_rect(number).intersects(dirty):
                self._floor(number).draw(painter, away, dirty)
        if self.mood.carried is not None:
            self._in_scene(painter, lambda: self._carry(painter))
        self._sign_layer(painter, dirty)
        self._scroll_mark(painter)
        if dirty.top() < self.head_height:
            self._head().draw(painter, QPointF(0, 0), dirty)

    def labels(self) -> list[PaintedLabel]:
        """All text on the picture, where it is now."""
        found: list[PaintedLabel] = []
        for name, layer in self._layers.items():
            shift = QPointF(0, 0) if name in ("head", "sign") else -self.scroll
            found += [replace(label, rect=label.rect.translated(shift)) for label in layer.labels]
        return found

    def renders(self) -> dict[str, int]:
        """How often each layer was painted, for the tests of caching."""
        return {name: layer.renders for name, layer in self._layers.items()}

    def _in_scene(self, painter: QPainter, paint: object) -> None:
        painter.save()
        painter.setTransform(
            self.world * QTransform.fromTranslate(-self.scroll.x(), -self.scroll.y()), True
        )
        paint()  # type: ignore[operator]
        painter.restore()

    def _dark(self) -> bool:
        return self.snapshot is not None and not self.snapshot.mains

    def _layer(self, name: str) -> Layer:
        return self._layers.setdefault(name, Layer(name))

    def _scenery(self) -> Layer:
        assert self.frame is not None
        assert self.plan is not None
        layer, plan, world = self._layer("scenery"), self.plan, self.world
        fit, theme, lit = self.frame, self.theme, not self._dark()
        width = max(fit.width, fit.content)
        height = max(fit.height, fit.height + fit.overflow_down)
        inverse, _ = world.inverted()
        span = (inverse.map(QPointF(0, 0)).x() - 2, inverse.map(QPointF(width, 0)).x() + 2)
        key = (lit, theme.name)
        if not layer.matches(key):

            def draw(painter: QPainter, scribe: Scribe) -> None:
                Scenery(theme, plan, fit.canopy, fit.floor_end, span).paint(painter, lit=lit)

            rect = QRectF(0, 0, width, height)
            layer.render(key, rect, self._size[2], world, draw, opaque=True)
        return layer

    def _bay(self, evse: int) -> Layer:
        assert self._bays is not None
        bays, view, mood = self._bays, self.views[evse], self.mood
        layer = self._layer(f"bay{evse}")
        carried = mood.carried.slot if mood.carried and mood.carried.evse == evse else None
        parked = evse not in mood.moving
        key = (self._bay_key(view), parked, carried, mood.still)

        def draw(painter: QPainter, scribe: Scribe) -> None:
            bays.light(painter, view)
            bays.things(painter, view, with_car=parked, carried=carried)
            if mood.still and parked:
                for wire in self._wires_of(evse):
                    bays.cable.arrows(painter, wire.path)

        layer.render(
            key, self.world.mapRect(self._bay_scene(evse)), self._size[2], self.world, draw
        )
        return layer

    def _floor(self, evse: int) -> Layer:
        assert self._bays is not None
        assert self.frame is not None
        bays, view = self._bays, self.views[evse]
        layer = self._layer(f"words{evse}")
        say = self.words.say
        size = min(15.0, max(12.0, 10.5 / self.frame.scale))
        target = say("target", percent=view.car.target) if view.car else ""
        percent = say("percent", percent=view.car.soc) if view.car else ""

        def draw(painter: QPainter, scribe: Scribe) -> None:
            bays.words(painter, scribe, view, size, target=target, percent=percent)

        rect = self.world.mapRect(self._words_scene(evse))
        layer.render(self._words_key(view), rect, self._size[2], self.world, draw)
        return layer

    def _face_layer(self, cabinet: Cabinet) -> Layer:
        assert self.frame is not None
        layer, view = self._layer(f"face{cabinet.index}"), self.faces[cabinet.index]
        theme, scale = self.theme, self.frame.scale

        def draw(painter: QPainter, scribe: Scribe) -> None:
            FacePainter(theme, scale).paint(painter, scribe, cabinet, view)

        rect = self.face_rect(cabinet).translated(self.scroll)
        layer.render(view, rect, self._size[2], self.world, draw)
        return layer

    def _head(self) -> Layer:
        assert self.frame is not None
        layer, view = self._layer("head"), self.head_view()
        width, height, fit = self._size[0], self.head_height, self.frame
        points, fixed, theme = self.bubble_points(), self.scrolls, self.theme
        key = (view, tuple((p.x(), p.y()) for p in points), self._dark())

        def draw(painter: QPainter, scribe: Scribe) -> None:
            wall = QLinearGradient(0, 0, 0, fit.height * 0.9)
            wall.setColorAt(0, theme.colour("wall1"))
            wall.setColorAt(1, theme.colour("wall1"))
            painter.fillRect(QRectF(0, 0, width, height), QBrush(wall))
            head = HeadPainter(theme)
            head.bar(painter, scribe, view, width)
            head.bubbles(painter, scribe, view, points, width, fixed=fixed, canopy=height)

        layer.render(key, QRectF(0, 0, width, height), self._size[2], QTransform(), draw)
        return layer

    def _sign_layer(self, painter: QPainter, dirty: QRectF) -> None:
        if not self.sign:
            self._layers.pop("sign", None)
            return
        assert self.frame is not None
        assert self.plan is not None
        layer, theme, text, scale = self._layer("sign"), self.theme, self.sign, self.frame.scale
        first = self.plan.cabinets[0]
        alone = len(self.plan.cabinets) == 1 or self.scrolls
        middle = self.plan.bays[0].axis if alone else first.rect.right() + BAY + 2 * GAP
        if not alone and len(first.evses) == 1:
            middle = first.rect.right() + GAP
        centre = self.point(QPointF(middle, 0)).x() if not self.scrolls else self._size[0] / 2
        top = self.head_height + 11 * scale
        rect = QRectF(0, top, self._size[0], 44 * scale + 40)
        edge = (
            self.point(first.rect.topLeft()).x() - 8 if alone and not self.scrolls else rect.right()
        )

        def draw(brush: QPainter, scribe: Scribe) -> None:
            paint_sign(brush, scribe, theme, text, QPointF(centre, top), 40 * scale, edge)

        layer.render((text, theme.name, centre), rect, self._size[2], QTransform(), draw)
        layer.draw(painter, QPointF(0, 0), dirty)

    def _select(self, painter: QPainter) -> None:
        if self._bays is not None:
            self._bays.selection(painter, self.mood.selected)

    def _live(self, painter: QPainter, dirty: QRectF) -> None:
        """What moves: energy on cables, the ring of a reader that waits, the halo under a card."""
        assert self._bays is not None
        assert self.plan is not None
        if not self.mood.still:
            for number in self.views:
                if number in self.mood.moving or not self.cable_rect(number).intersects(dirty):
                    continue
                if self.mood.carried and self.mood.carried.evse == number:
                    continue
                for wire in self._wires_of(number):
                    self._bays.cable.energy(painter, wire, self.mood.phases.get(number, 0.0))
        for cabinet in self.asking():
            if self.ring_rect(cabinet).intersects(dirty):
                asking_ring(painter, cabinet.ring, self.theme.lit.colour("charge"), self.mood.turn)
        for cabinet in self.plan.cabinets:
            if f"reader{cabinet.index}" in (self.mood.glow, self.mood.hovered):
                painter.setPen(QPen(self.theme.lit.colour("ink"), 1.6))
                painter.setBrush(QBrush())
                painter.drawEllipse(cabinet.ring, 21.5, 21.5)

    def _drive(self, painter: QPainter, evse: int) -> None:
        """A car on its way: it comes from the viewer into the bay, or the other way round."""
        moving = self.mood.moving.get(evse)
        if moving is None or self._bays is None or self.plan is None or moving.car.car is None:
            return
        bay, bays, car = self.plan.bay(evse), self._bays, moving.car
        layer = self._layer(f"car{evse}")
        rect = QRectF(bay.axis - 122, 296, 244, 252)

        def draw(brush: QPainter, scribe: Scribe) -> None:
            assert car.car is not None
            bays.car.paint(brush, bay.axis, car.car, lights=True)

        layer.render((car.car.id,), self.world.mapRect(rect), self._size[2], self.world, draw)
        inside = moving.progress if moving.arriving else 1 - moving.progress
        eased = 1 - (1 - inside) ** 3
        foot = self.point(QPointF(bay.axis, GROUND))
        painter.save()
        painter.setOpacity(min(1.0, eased * 1.4))
        size = 1.22 - 0.22 * eased
        painter.translate(foot.x(), foot.y() + (1 - eased) * 60)
        painter.scale(size, size)
        painter.translate(-foot.x(), -foot.y())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        layer.draw(painter, -self.scroll)
        painter.restore()

    def carried_path(self) -> QPainterPath:
        """The cable that is in the hand, in scene units."""
        assert self.plan is not None
        assert self.mood.carried is not None
        carried = self.mood.carried
        plug = self.views[carried.evse].plugs[carried.slot]
        side = self.plan.bay(carried.evse).side
        hand = self.scene(carried.at)
        if plug.tethered:
            return to_pointer(
                self.plan.anchor(carried.evse, carried.slot), hand + QPointF(0, 14), side
            )
        inlet = self.plan.inlet(carried.evse, carried.slot) + QPointF(0, 10)
        home = self.plan.holster(carried.evse, carried.slot)
        from_car = self.views[carried.evse].car is not None
        return to_pointer(
            inlet if from_car else home, hand + QPointF(0, 14), -side if from_car else side
        )

    def _carry(self, painter: QPainter) -> None:
        assert self._bays is not None
        assert self.mood.carried is not None
        carried = self.mood.carried
        plug = self.views[carried.evse].plugs[carried.slot]
        self._bays.cable.jacket(painter, self.carried_path(), dc=plug.dc)
        self._bays.cable.carried(painter, self.scene(carried.at), dc=plug.dc, ready=carried.ready)

    def _scroll_mark(self, painter: QPainter) -> None:
        """How much of the picture is shown, where it scrolls."""
        if not self.scrolls or self.frame is None:
            return
        width, height = self._size[:2]
        part = width / self.frame.content
        left = 8 + (width - 16) * (self.scroll.x() / self.frame.content)
        painter.setPen(QPen(self.theme.colour("text3", 0.0)))
        painter.setBrush(self.theme.colour("text3", 0.8))
        painter.drawRoundedRect(QRectF(left, height - 7, (width - 16) * part, 4), 2, 2)

    def bay_at(self, at: QPointF) -> int:
        """The EVSE whose bay, cabinet half or bubble lies at a point of the widget; 0 for none."""
        if self.plan is None or self.frame is None:
            return 0
        if at.y() < self.head_height:
            for bay, centre in zip(self.plan.bays, self.bubble_points(), strict=True):
                if -24 <= at.x() - centre.x() <= 120 and abs(at.y() - centre.y()) < 26:
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

    def faulted(self) -> bool:
        return any(view.status is BayStatus.FAULTED for view in self.views.values())

    def plugged_path(self, evse: int, slot: int) -> QPainterPath:
        assert self.plan is not None
        return to_car(self.plan, evse, self.views[evse].plugs[slot], slot)
