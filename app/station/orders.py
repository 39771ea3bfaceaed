"""What the controller orders: permission, limits, locks, service, screens. One function a command."""

from __future__ import annotations

import math

from app.station.acts import find_connector, find_evse
from app.station.commands import (
    Lock,
    MarkReserved,
    OfferLimit,
    Permit,
    Restart,
    SetLight,
    SetOperative,
    SetReaderLamp,
    ShowText,
    Suspend,
    Unlock,
    Withdraw,
)
from app.station.connector import Connector
from app.station.events import (
    LightChanged,
    LockChanged,
    OperativeChanged,
    Permitted,
    ReservationMarked,
    RestartOrdered,
    Withdrawn,
)
from app.station.evse import Evse
from app.station.faults import fault_name
from app.station.intents import Done, Outcome, Refused
from app.station.kinds import Fault, LockState
from app.station.machine import Machine, refused
from app.station.snapshot import ReservationSnapshot

DONE = Done()


def permit(machine: Machine, order: Permit) -> Outcome:
    evse = find_evse(machine, order.evse)
    if isinstance(evse, Refused):
        return evse
    if order.connector is not None and not 1 <= order.connector <= len(evse.connectors):
        return refused("no_such_connector", evse=order.evse, connector=order.connector)
    if evse.permission is not None and evse.permission.connector == order.connector:
        return DONE
    connector = order.connector or evse.focus
    if evse.permission is None:
        blocking = machine.conditions(evse).blocking(connector)
        if blocking is not None:
            return refused("faulted", fault=fault_name(blocking.fault))
        if not machine.in_service(evse, connector):
            return refused("out_of_service")
    evse.permission = machine.permission(order.connector)
    evse.was_permitted = True
    evse.begin_stay(machine.today)
    machine.emit(Permitted(evse.number, order.connector))
    evse.lock_up(machine.emit)
    return DONE


def withdraw(machine: Machine, order: Withdraw) -> Outcome:
    evse = find_evse(machine, order.evse)
    if isinstance(evse, Refused):
        return evse
    evse.suspended = False
    if evse.permission is None:
        return DONE
    evse.end_session()
    machine.emit(Withdrawn(evse.number))
    return DONE


def suspend(machine: Machine, order: Suspend) -> Outcome:
    evse = find_evse(machine, order.evse)
    if isinstance(evse, Refused):
        return evse
    evse.suspended = order.suspended
    return DONE


def offer_limit(machine: Machine, order: OfferLimit) -> Outcome:
    evse = find_evse(machine, order.evse)
    if isinstance(evse, Refused):
        return evse
    for name, value in (("amps", order.amps), ("watts", order.watts)):
        if value is not None and not (math.isfinite(value) and value >= 0):
            return refused("bad_limit", name=name, value=value)
    if order.phases is not None and order.phases not in (1, 2, 3):
        return refused("bad_limit", name="phases", value=order.phases)
    evse.offer = OfferLimit(
        order.evse,
        None if order.amps is None else float(order.amps),
        None if order.watts is None else float(order.watts),
        order.phases,
        order.source,
    )
    return DONE


def find_lock(machine: Machine, number: int, connector: int) -> tuple[Evse, Connector] | Refused:
    """A connector whose bolt there is and can be moved."""
    found = find_connector(machine, number, connector)
    if isinstance(found, Refused):
        return found
    if found[1].lock is LockState.NONE:
        return refused("no_lock")
    return refused("lock_jammed") if found[1].jammed else found


def lock(machine: Machine, order: Lock) -> Outcome:
    found = find_lock(machine, order.evse, order.connector)
    if isinstance(found, Refused):
        return found
    evse, connector = found
    if not connector.plugged:
        return refused("not_plugged")
    if not connector.bolt_out:
        connector.bolt_out = True
        machine.emit(LockChanged(evse.number, connector.number, connector.lock))
    return DONE


def unlock(machine: Machine, order: Unlock) -> Outcome:
    found = find_lock(machine, order.evse, order.connector)
    if isinstance(found, Refused):
        return found
    evse, connector = found
    if connector.bolt_out:
        connector.bolt_out = False
        machine.emit(LockChanged(evse.number, connector.number, connector.lock))
    return DONE


def set_operative(machine: Machine, order: SetOperative) -> Outcome:
    part: Machine | Evse | Connector = machine
    if order.evse != 0:
        evse = find_evse(machine, order.evse)
        if isinstance(evse, Refused):
            return evse
        part = evse
        if order.connector != 0:
            found = find_connector(machine, order.evse, order.connector)
            if isinstance(found, Refused):
                return found
            part = found[1]
    elif order.connector != 0:
        return refused("no_such_connector", evse=0, connector=order.connector)
    if part.operative is not order.operative:
        part.operative = order.operative
        machine.emit(OperativeChanged(order.evse, order.connector, order.operative))
    return DONE


def mark_reserved(machine: Machine, order: MarkReserved) -> Outcome:
    evse = find_evse(machine, order.evse)
    if isinstance(evse, Refused):
        return evse
    if not 0 <= order.connector <= len(evse.connectors):
        return refused("no_such_connector", evse=order.evse, connector=order.connector)
    mark = None
    if order.holder is not None:
        mark = ReservationSnapshot(order.holder, order.until, order.connector)
    if mark != evse.reservation:
        evse.reservation = mark
        machine.emit(ReservationMarked(evse.number, order.connector, order.holder, order.until))
    return DONE


def show_text(machine: Machine, order: ShowText) -> Outcome:
    if order.evse == 0:
        machine.ordered_text = order.text
        return DONE
    evse = find_evse(machine, order.evse)
    if isinstance(evse, Refused):
        return evse
    evse.ordered_text = order.text
    return DONE


def set_reader_lamp(machine: Machine, order: SetReaderLamp) -> Outcome:
    if not 1 <= order.reader <= len(machine.readers):
        return refused("no_reader")
    reader = machine.readers[order.reader - 1]
    if reader.faulty:
        return refused("reader_lost")
    reader.light(order.lamp, machine.at, max(0, order.blinks))
    return DONE


def set_light(machine: Machine, order: SetLight) -> Outcome:
    percent = min(100, max(0, order.percent))
    if percent != machine.light:
        machine.light = percent
        machine.emit(LightChanged(percent))
    return DONE


def restart(machine: Machine, order: Restart) -> Outcome:
    if order.evse is not None:
        evse = find_evse(machine, order.evse)
        if isinstance(evse, Refused):
            return evse
        machine.emit(RestartOrdered(order.kind, order.evse))
        machine.forget_orders(evse)
        return DONE
    if not order.inevitable and machine.faults.get(Fault.RESTART, 0, 0) is not None:
        return refused("cannot_restart")
    machine.emit(RestartOrdered(order.kind))
    machine.forget_all_orders()
    return DONE
