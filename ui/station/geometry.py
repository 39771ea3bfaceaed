"""Where things stand in the picture: bays, cabinets and their fittings, in scene units.

The ground lies at y 512. A `Plan` depends on the station alone, a `Frame` places it in a widget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QTransform

from app.station.kinds import Current
from app.station.snapshot import EvseSnapshot, StationSnapshot

GROUND = 512.0
CANOPY_TOWER = 160.0
CANOPY_POST = 194.0
FLOOR_END = 616.0
BAY = 208.0
GAP = 8.0
MARGIN = 16.0
CAR_HALF = 98.0
MOST_THAT_FIT = 4


class Build(Enum):
    """How a cabinet is built: width, height."""

    POST = (120.0, 272.0)
    TOWER = (168.0, 320.0)


@dataclass(frozen=True, slots=True)
class Bay:
    """A parking bay; `side` -1 lies left of its cabinet, +1 right of it."""

    evse: int
    left: float
    right: float
    axis: float
    side: int
    cabinet: int


@dataclass(frozen=True, slots=True)
class Cabinet:
    """A post (AC) or a tower (DC) with what is fitted to it."""

    index: int
    build: Build
    x: float
    evses: tuple[int, ...]
    reader: int | None
    """The reader in its front; None where its EVSEs have none."""

    @property
    def rect(self) -> QRectF:
        width, height = self.build.value
        return QRectF(self.x, GROUND - height, width, height)

    def place(self, x: float, y: float) -> QPointF:
        """A point given from the cabinet's upper left corner."""
        return QPointF(self.x + x, self.rect.top() + y)

    @property
    def glass(self) -> QRectF:
        at = (8.5, 18.5, 103, 178) if self.build is Build.POST else (10.5, 19.5, 147, 221)
        return QRectF(*at).translated(self.rect.topLeft())

    @property
    def screen(self) -> QRectF:
        at = (12.5, 23, 95, 113) if self.build is Build.POST else (18, 27, 132, 146)
        return QRectF(*at).translated(self.rect.topLeft())

    @property
    def ring(self) -> QPointF:
        """Centre of the reader's ring."""
        return self.place(60, 161) if self.build is Build.POST else self.place(50, 201)

    @property
    def emergency(self) -> QPointF:
        if self.build is Build.TOWER:
            return self.place(118, 201)
        return self.place(60 if len(self.evses) > 1 else 86, 237)

    def stop(self, evse: int) -> QPointF:
        """Centre of the stop button of an EVSE."""
        second = self.evses.index(evse) == 1
        if self.build is Build.TOWER:
            return self.place(84 if len(self.evses) == 1 else (132 if second else 36), 283)
        if len(self.evses) == 1:
            return self.place(34, 237)
        return self.place(98 if second else 22, 237)

    def start(self, evse: int) -> QPointF:
        """Centre of the start button of an EVSE that has no reader."""
        if len(self.evses) == 1:
            return self.ring
        offset = 24.0 if self.evses.index(evse) == 1 else -24.0
        return self.ring + QPointF(offset, 0)

    def lamp(self, evse: int) -> QRectF:
        """The light bar of an EVSE."""
        width = self.rect.width()
        side = 8.0 if self.build is Build.POST else 10.0
        if len(self.evses) == 1:
            return QRectF(self.x + side, self.rect.top() + 7, width - 2 * side, 5)
        half = (width - 2 * side - 4) / 2
        left = self.x + side + (half + 4) * self.evses.index(evse)
        return QRectF(left, self.rect.top() + 7, half, 5)


@dataclass(frozen=True, slots=True)
class Plan:
    """Bays and cabinets of a station in a row."""

    bays: tuple[Bay, ...]
    cabinets: tuple[Cabinet, ...]
    width: float
    fit_width: float
    """How much of it is shown at once: all, up to four bays."""
    canopy: float
    """Where the canopy's upper edge lies by default."""

    def bay(self, evse: int) -> Bay:
        return next(bay for bay in self.bays if bay.evse == evse)

    def cabinet(self, evse: int) -> Cabinet:
        return self.cabinets[self.bay(evse).cabinet]

    def anchor(self, evse: int, slot: int = 0) -> QPointF:
        """Where a cable leaves the cabinet."""
        bay, cabinet = self.bay(evse), self.cabinet(evse)
        drop = 86.0 - 62.0 * slot if cabinet.build is Build.POST else 98.0 - 40.0 * slot
        x = cabinet.x - 6 if bay.side < 0 else cabinet.rect.right() + 6
        return QPointF(x, cabinet.rect.top() + drop)

    def holster(self, evse: int, slot: int = 0) -> QPointF:
        """Centre of the holster, or of the socket, at the side of the cabinet; further ones are above."""
        bay, cabinet = self.bay(evse), self.cabinet(evse)
        drop = 152.0 - 100.0 * slot if cabinet.build is Build.POST else 192.0 - 60.0 * slot
        x = cabinet.x - 7 if bay.side < 0 else cabinet.rect.right() + 7
        return QPointF(x, cabinet.rect.top() + drop)

    def inlet(self, evse: int, slot: int = 0) -> QPointF:
        """Centre of the charging inlet of the car of a bay."""
        bay = self.bay(evse)
        return QPointF(bay.axis - bay.side * (52.0 - 26.0 * slot), 452.0)


def plan_station(snapshot: StationSnapshot) -> Plan:
    """Pair the EVSEs: a pair of the same current shares a cabinet, one that is left stands alone.

    Nor does one with a reader share with one that has a start button: a front has either.
    """
    groups = _groups(snapshot.evses)
    bays: list[Bay] = []
    cabinets: list[Cabinet] = []
    x, fit = MARGIN, 0.0
    for group in groups:
        build = Build.TOWER if group[0].current is Current.DC else Build.POST
        index = len(cabinets)
        bays.append(Bay(group[0].id, x, x + BAY, x + BAY / 2 - 2, -1, index))
        cabinet_x = x + BAY + GAP
        x = cabinet_x + build.value[0]
        if len(group) == 2:
            left = x + GAP
            bays.append(Bay(group[1].id, left, left + BAY, left + BAY / 2 + 2, 1, index))
            x = left + BAY
        reader = next((evse.reader for evse in group if evse.reader is not None), None)
        evses = tuple(evse.id for evse in group)
        cabinets.append(Cabinet(index, build, cabinet_x, evses, reader))
        x += MARGIN
        if len(bays) <= MOST_THAT_FIT:
            fit = x
    tower = any(cabinet.build is Build.TOWER for cabinet in cabinets)
    canopy = CANOPY_TOWER if tower else CANOPY_POST
    return Plan(tuple(bays), tuple(cabinets), x, fit or x, canopy)


def _groups(evses: Sequence[EvseSnapshot]) -> list[list[EvseSnapshot]]:
    groups: list[list[EvseSnapshot]] = []
    for evse in evses:
        last = groups[-1] if groups else []
        if len(last) == 1 and _front(last[0]) == _front(evse):
            last.append(evse)
        else:
            groups.append([evse])
    return groups


def _front(evse: EvseSnapshot) -> tuple[Current, bool]:
    return evse.current, evse.reader is None


@dataclass(frozen=True, slots=True)
class Frame:
    """A plan placed in a widget: scale, where scene x 0 lies, canopy and end of the floor in scene units."""

    scale: float
    origin: float
    """Widget x of scene x 0, before scrolling."""
    top: float
    """Widget y of the canopy."""
    canopy: float
    floor_end: float
    content: float
    """Width of the whole scene in widget px; more than the widget where it scrolls."""
    width: float
    height: float

    @property
    def overflow(self) -> float:
        """How far the picture can be scrolled sideways, px."""
        return _beyond(self.content - self.width)

    @property
    def overflow_down(self) -> float:
        """How far it can be scrolled down, px."""
        return _beyond(self.top + (self.floor_end - self.canopy) * self.scale - self.height)

    def transform(self, scroll: QPointF) -> QTransform:
        """Scene to widget."""
        lift = self.top - self.canopy * self.scale - scroll.y()
        return QTransform(
            self.scale, 0, 0, self.scale, self.origin - scroll.x(), lift
        )  # fmt: skip


def _beyond(pixels: float) -> float:
    """How much does not fit; less than half a pixel does."""
    return pixels if pixels > 0.5 else 0.0


def frame(plan: Plan, width: float, height: float, head: float, zoom: int = 100) -> Frame:
    """Fit `plan` under a head of `head` px into a widget; `zoom` in percent of that fit."""
    room = max(60.0, height - head)
    need = FLOOR_END - plan.canopy
    scale = min(width / plan.fit_width, room / need) * zoom / 100
    slack = max(0.0, room / scale - need)
    floor = min(0.30 * slack, 40.0)
    wall = min(slack - floor, 130.0)
    floor += slack - floor - wall
    content = plan.width * scale
    origin = max(0.0, (width - content) / 2)
    return Frame(
        scale,
        origin,
        head,
        plan.canopy - wall,
        FLOOR_END + floor,
        content,
        width,
        height,
    )
