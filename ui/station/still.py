"""What stands still on the picture, as layers: each is painted anew only when what it shows has changed."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QTransform

from ui.station.bay import BayPainter
from ui.station.cabinet import FacePainter
from ui.station.cable import Wire, bounds, wires
from ui.station.content import Content
from ui.station.geometry import BAY, GAP, Cabinet
from ui.station.header import BubbleView, HeadPainter, bubble_reach, text_sides
from ui.station.layers import Layer
from ui.station.mood import Mood
from ui.station.placing import Placing
from ui.station.scenery import Scenery
from ui.station.screen import ScreenPainter
from ui.station.sign import clear_place, paint_sign
from ui.station.views import BayView, Wording
from ui.theme.theme import Theme
from ui.widgets.scribe import PaintedLabel, Scribe
from ui.widgets.turns import Work

Place = tuple[BubbleView, QPointF, int, float]
"""A bubble, its centre, on which side its words stand and in how much room."""


class Still(Placing):
    """Scenery, bays, words, faces, screens and the head, of what `content` and `mood` say."""

    def __init__(self, theme: Theme, words: Wording) -> None:
        super().__init__()
        self.theme, self.words = theme, words
        self.content, self.mood = Content(), Mood()
        self._layers: dict[str, Layer] = {}
        self._bays: BayPainter | None = None
        self._wires: dict[int, tuple[Hashable, list[Wire], QRectF]] = {}

    @property
    def views(self) -> dict[int, BayView]:
        return self.content.views

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

    # ------------------------------------------------------------------ the layers

    def _layer(self, name: str) -> Layer:
        return self._layers.setdefault(name, Layer(name))

    def _scenery(self) -> Layer:
        for _ in self._scenery_steps():
            pass
        return self._layer("scenery")

    def _scenery_steps(self) -> Work:
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

        key = (bay_key(view), parked, carried, mood.still)
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
        layer.render(words_key(view), area, self.ratio, self.world, draw)
        return layer

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
        x = self.point(QPointF(middle, 0)).x()
        if self.scrolls:
            cabinets = [self.cabinet_rect(cabinet.evses[0]) for cabinet in self.plan.cabinets]
            x = clear_place(text, self.width / 2, cabinets, self.width)
        top = self.head_height + 11 * scale
        rect = QRectF(0, top, self.width, 44 * scale + 40)

        def draw(brush: QPainter, scribe: Scribe) -> None:
            paint_sign(brush, scribe, theme, text, QPointF(x, top), 40 * scale, edge)

        layer.render((text, x), rect, self.ratio, QTransform(), draw)
        layer.draw(painter, QPointF(0, 0), dirty)


def bay_key(view: BayView) -> Hashable:
    """What the still part of a bay depends on."""
    car = (view.car.id, view.car.name) if view.car else None
    return (view.status, car, view.flowing, view.plugs, view.dark)


def words_key(view: BayView) -> Hashable:
    """What the words on the floor depend on."""
    return (view.status, view.car, view.title, view.note, view.word, view.flowing, view.dark)
