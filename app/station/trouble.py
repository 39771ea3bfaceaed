"""Faults come and go: where they come to lie, whom they hit, what they end."""

from __future__ import annotations

from app.station.events import FaultCleared, FaultRaised, LockChanged
from app.station.evse import Evse
from app.station.faults import RULES, Lying, Place, effect_of, fault_name
from app.station.intents import ClearFault, Done, Outcome, RaiseFault, Refused
from app.station.kinds import Effect, Fault
from app.station.machine import Machine, refused

DONE = Done()


def raise_fault(machine: Machine, order: RaiseFault) -> Outcome:
    place = _place(machine, order.fault, order.evse, order.connector)
    if isinstance(place, Refused):
        return place
    evse, connector = place
    known = machine.faults.get(order.fault, evse, connector)
    lying = Lying(
        order.fault,
        evse,
        connector,
        known.since if known else machine.today,
        order.error_code,
        order.vendor_error_code,
        order.info,
    )
    if lying == known:
        return DONE
    if order.fault is Fault.LOCK_JAM and not _has_lock(machine, evse, connector):
        return refused("no_lock")
    ended = effect_of(order.fault, order.info) is Effect.TRIP and _runs(machine, lying)
    machine.faults.put(lying)
    machine.emit(
        FaultRaised(
            evse,
            connector,
            order.fault,
            ended,
            order.error_code,
            order.vendor_error_code,
            order.info,
        )
    )
    if order.fault is Fault.LOCK_JAM:
        _jam(machine, evse, connector, jammed=True)
    return DONE


def clear_fault(machine: Machine, order: ClearFault) -> Outcome:
    if order.fault is None:
        gone = machine.faults.at(order.evse, order.connector)
    else:
        place = _place(machine, order.fault, order.evse, order.connector)
        if isinstance(place, Refused):
            return place
        lying = machine.faults.get(order.fault, *place)
        gone = (lying,) if lying is not None else ()
    if not gone:
        return refused("no_such_fault")
    for lying in gone:
        machine.faults.drop(lying)
        machine.emit(FaultCleared(lying.evse, lying.connector, lying.fault))
        if lying.fault is Fault.LOCK_JAM:
            _jam(machine, lying.evse, lying.connector, jammed=False)
    return DONE


def _place(
    machine: Machine, fault: Fault, number: int, connector: int
) -> tuple[int, int] | Refused:
    """Where this fault comes to lie: as told, else the nearest place its kind can lie at."""
    if number == 0 and connector == 0:
        evse = machine.evses[0] if len(machine.evses) == 1 else None
    else:
        evse = machine.evse(number)
        if evse is None:
            return refused("no_such_evse", evse=number)
        if not 0 <= connector <= len(evse.connectors):
            return refused("no_such_connector", evse=number, connector=connector)
    told = Place.STATION if number == 0 else Place.CONNECTOR if connector else Place.EVSE
    places = RULES[fault].places
    if told in places:
        return number, connector
    if told is not Place.STATION and Place.EVSE in places:
        return number, 0
    if Place.STATION in places:
        return 0, 0
    # it lies further down than was told: only where there is no doubt
    if evse is not None and (Place.EVSE in places or evse.focus):
        return evse.number, 0 if Place.EVSE in places else evse.focus
    return refused("fault_place", fault=fault_name(fault))


def _runs(machine: Machine, lying: Lying) -> bool:
    """A running charge is hit."""
    return any(_hit(evse, lying) for evse in machine.evses)


def _hit(evse: Evse, lying: Lying) -> bool:
    return evse.running and lying.hits(evse.number, evse.focus)


def _has_lock(machine: Machine, number: int, connector: int) -> bool:
    evse = machine.evse(number)
    return evse is not None and evse.connectors[connector - 1].spec.lock


def _jam(machine: Machine, number: int, connector: int, *, jammed: bool) -> None:
    evse = machine.evse(number)
    if evse is not None:
        part = evse.connectors[connector - 1]
        part.jammed = jammed
        machine.emit(LockChanged(number, connector, part.lock))
