"""Which acts the picture offers, where they lie, what they are called and which intent each makes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF

from app.station.intents import (
    ArriveCar,
    ClearFault,
    CloseDoor,
    CutMains,
    CutNetwork,
    Intent,
    LeaveCar,
    OpenDoor,
    PlugIn,
    PresentCard,
    PressStart,
    PressStop,
    RaiseFault,
    RestoreMains,
    RestoreNetwork,
    Unplug,
)
from app.station.kinds import Fault, UnplugSide
from ui.station.header import RADIUS, chip_slots, zoom_slots
from ui.station.hotspots import Act, Spot
from ui.station.picture import Picture
from ui.station.views import PlugView


@dataclass(frozen=True, slots=True)
class HeldCard:
    """The card chosen in the wallet: what a click on a reader presents."""

    uid: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Place:
    """A hotspot's painted shape in the widget."""

    spot: Spot
    shape: QRectF
    circle: bool = False


def places(picture: Picture) -> Iterator[Place]:
    """All hotspots in the order of the keyboard: EVSE by EVSE, then the station's own."""
    plan, frame = picture.plan, picture.frame
    if plan is None or frame is None:
        return
    scale = frame.scale
    for bay, bubble in zip(plan.bays, picture.bubble_points(), strict=True):
        view, cabinet = picture.views[bay.evse], plan.cabinet(bay.evse)
        yield Place(Spot(Act.SELECT, bay.evse), _around(bubble, RADIUS + 1), circle=True)
        for slot, plug in enumerate(view.plugs):
            yield from _plug_places(picture, bay.evse, slot, plug)
        if cabinet.reader is not None:
            if bay.evse == cabinet.evses[0]:
                ring = picture.point(cabinet.ring)
                yield Place(Spot(Act.READER, bay.evse), _around(ring, 20 * scale), circle=True)
        else:
            start = picture.point(cabinet.start(bay.evse))
            yield Place(Spot(Act.START, bay.evse), _around(start, 18 * scale), circle=True)
        stop = picture.point(cabinet.stop(bay.evse))
        yield Place(Spot(Act.STOP, bay.evse), _around(stop, 12 * scale), circle=True)
        yield Place(Spot(Act.CAR, bay.evse), picture.words_rect(bay.evse))
    for cabinet in plan.cabinets:
        at = picture.point(cabinet.emergency)
        spot = Spot(Act.EMERGENCY, 0, cabinet.index)
        yield Place(spot, _around(at, 19 * scale), circle=True)
    yield from head_places(picture, frame.width)


def head_places(picture: Picture, width: float) -> Iterator[Place]:
    """The chips."""
    view = picture.content.bar
    for slot in (*chip_slots(view.chips, width, view.title), *zoom_slots(width)):
        yield Place(Spot(Act(slot.name)), slot.rect)


def _plug_places(picture: Picture, evse: int, slot: int, plug: PlugView) -> Iterator[Place]:
    plan, frame = picture.plan, picture.frame
    assert plan is not None
    assert frame is not None
    scale, side = frame.scale, plan.bay(evse).side
    home = picture.point(plan.holster(evse, slot) + QPointF(side * 5, 0))
    inlet = picture.point(plan.inlet(evse, slot))
    box = QRectF(-9 * scale, -20 * scale, 18 * scale, 40 * scale)
    if plug.plugged:
        yield Place(Spot(Act.PLUG, evse, slot), _around(inlet, 15 * scale))
        if not plug.tethered:
            yield Place(Spot(Act.SOCKET, evse, slot), box.translated(home))
    else:
        yield Place(Spot(Act.PLUG, evse, slot), box.translated(home))


def _around(centre: QPointF, radius: float) -> QRectF:
    return QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius)


def spot_name(picture: Picture, spot: Spot, card: HeldCard | None) -> tuple[str, str]:
    """The name of an act and a hint for its tooltip."""
    say, snapshot = picture.words.say, picture.snapshot
    assert snapshot is not None
    view = picture.views.get(spot.evse)
    if view is None:
        return _station_name(picture, spot), ""
    match spot.act:
        case Act.SELECT:
            return say("act.select", n=spot.evse, state=view.word), ""
        case Act.PLUG | Act.SOCKET:
            plug = view.plugs[spot.slot]
            if plug.plugged:
                key = "act.unplug" if spot.act is Act.PLUG else "act.unplug_socket"
                return say(key, n=spot.evse), say("act.unplug_hint") if plug.locked else ""
            if len(view.plugs) > 1:
                return say("act.plug_in_connector", n=spot.evse, c=plug.connector), ""
            return say("act.plug_in", n=spot.evse), ""
        case Act.READER:
            if card is None:
                return say("act.reader", n=spot.evse), ""
            return say("act.reader_with", n=spot.evse, card=card.name), ""
        case Act.CAR:
            if view.car is None:
                return say("act.car_arrive", n=spot.evse), ""
            hint = say("act.charge_hint")
            if any(plug.plugged for plug in view.plugs):
                name = view.car.name
                return say("act.car_stays", n=spot.evse, name=name, percent=view.car.soc), hint
            return say("act.car_leave", n=spot.evse), hint
    return say(f"act.{spot.act.value}", n=spot.evse), ""


def _station_name(picture: Picture, spot: Spot) -> str:
    say, snapshot = picture.words.say, picture.snapshot
    assert snapshot is not None
    match spot.act:
        case Act.EMERGENCY:
            return say(f"act.emergency_{'release' if snapshot.emergency_stop else 'press'}")
        case Act.MAINS:
            return say(f"act.mains_{'cut' if snapshot.mains else 'restore'}")
        case Act.NETWORK:
            return say(f"act.network_{'cut' if snapshot.network else 'restore'}")
        case Act.DOOR:
            return say(f"act.door_{'close' if snapshot.door_open else 'open'}")
    return say(f"act.{spot.act.value}")


def reader_target(picture: Picture, evse: int) -> int:
    """The EVSE a card at this cabinet's reader is meant for: the selected one if it stands there."""
    assert picture.plan is not None
    served = picture.plan.cabinet(evse).evses
    return picture.mood.selected if picture.mood.selected in served else served[0]


def spot_intent(
    picture: Picture, spot: Spot, card: HeldCard | None, *, force: bool = False
) -> Intent | None:
    """What a click means; None where it is no act on the machine."""
    snapshot = picture.snapshot
    assert snapshot is not None
    match spot.act:
        case Act.PLUG | Act.SOCKET:
            return plug_intent(picture, spot, force=force)
        case Act.READER if card is not None:
            return PresentCard(card.uid, card.kind, reader_target(picture, spot.evse))
        case Act.STOP:
            return PressStop(spot.evse)
        case Act.START:
            return PressStart(spot.evse)
        case Act.CAR:
            return _car_intent(picture, spot.evse)
        case Act.EMERGENCY:
            stop = Fault.EMERGENCY_STOP
            return ClearFault(fault=stop) if snapshot.emergency_stop else RaiseFault(stop)
        case Act.MAINS:
            return CutMains() if snapshot.mains else RestoreMains()
        case Act.NETWORK:
            return CutNetwork() if snapshot.network else RestoreNetwork()
        case Act.DOOR:
            return CloseDoor() if snapshot.door_open else OpenDoor()
    return None


def plug_intent(picture: Picture, spot: Spot, *, force: bool = False) -> Intent:
    """Connect what is loose, pull what is connected."""
    plug = picture.views[spot.evse].plugs[spot.slot]
    if not plug.plugged:
        return PlugIn(spot.evse, plug.connector)
    side = UnplugSide.STATION if spot.act is Act.SOCKET else UnplugSide.EV
    return Unplug(spot.evse, plug.connector, side, force)


def _car_intent(picture: Picture, evse: int) -> Intent | None:
    view = picture.views[evse]
    if view.car is None:
        return ArriveCar(evse)
    if any(plug.plugged for plug in view.plugs):
        return None
    return LeaveCar(evse)


def drop_fits(picture: Picture, spot: Spot, at: QPointF) -> bool:
    """Would letting go of the plug here change anything: over the car's place, or well off the inlet."""
    plan = picture.plan
    assert plan is not None
    bay, plug = plan.bay(spot.evse), picture.views[spot.evse].plugs[spot.slot]
    here = picture.scene(at)
    if plug.plugged:
        end = plan.inlet(spot.evse, spot.slot)
        if spot.act is Act.SOCKET:
            end = plan.holster(spot.evse, spot.slot)
        return (here - end).manhattanLength() > 46
    # down to the end of the bay: an empty place is aimed at on its floor
    assert picture.frame is not None
    inside = abs(here.x() - bay.axis) <= 104 and 320 <= here.y() <= picture.frame.floor_end
    if not plug.tethered and picture.views[spot.evse].car is not None:
        home = plan.holster(spot.evse, spot.slot)
        return inside or (here - home).manhattanLength() < 40
    return inside
