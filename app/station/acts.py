"""What people do to the machine: plugs, cars, cards, buttons, switches, faults. One function an intent."""

from __future__ import annotations

from app.station.connector import Connector
from app.station.events import (
    CablePlugged,
    CableUnplugged,
    CardPresented,
    CarLeft,
    DoorClosed,
    DoorOpened,
    LockChanged,
    MainsCut,
    MainsRestored,
    NetworkCut,
    NetworkRestored,
    StartPressed,
    StopPressed,
    VehicleChanged,
)
from app.station.evse import Evse
from app.station.intents import (
    ArriveCar,
    CloseDoor,
    CutMains,
    CutNetwork,
    Done,
    LeaveCar,
    OpenDoor,
    Outcome,
    PauseVehicle,
    PlugIn,
    PresentCard,
    PressStart,
    PressStop,
    Refused,
    RestoreMains,
    RestoreNetwork,
    ResumeVehicle,
    SetVehicle,
    Unplug,
)
from app.station.kinds import UnplugSide
from app.station.machine import Machine, refused
from app.station.vehicle import Vehicle

DONE = Done()


def find_evse(machine: Machine, number: int) -> Evse | Refused:
    evse = machine.evse(number)
    return evse if evse is not None else refused("no_such_evse", evse=number)


def find_connector(
    machine: Machine, number: int, connector: int
) -> tuple[Evse, Connector] | Refused:
    evse = find_evse(machine, number)
    if isinstance(evse, Refused):
        return evse
    if not 1 <= connector <= len(evse.connectors):
        return refused("no_such_connector", evse=number, connector=connector)
    return evse, evse.connectors[connector - 1]


# ---- cars


def arrive(machine: Machine, order: ArriveCar) -> Outcome:
    evse = find_evse(machine, order.evse)
    if isinstance(evse, Refused):
        return evse
    if evse.vehicle is not None:
        return refused("bay_taken", name=evse.vehicle.spec.name)
    if order.vehicle is not None and order.vehicle not in machine.library:
        return refused("no_such_vehicle", id=order.vehicle)
    machine.bring_car(evse, order.vehicle)
    return DONE


def leave(machine: Machine, order: LeaveCar) -> Outcome:
    evse = find_evse(machine, order.evse)
    if isinstance(evse, Refused):
        return evse
    if evse.vehicle is None:
        return refused("bay_empty")
    if evse.plugged is not None:
        return refused("still_plugged", name=evse.vehicle.spec.name)
    machine.emit(CarLeft(evse.number, evse.vehicle.spec.id))
    evse.vehicle = None
    return DONE


def set_vehicle(machine: Machine, order: SetVehicle) -> Outcome:
    evse = find_evse(machine, order.evse)
    if isinstance(evse, Refused):
        return evse
    wrong = _vehicle_mistake(machine, evse, order)
    if wrong is not None:
        return wrong
    if evse.vehicle is None:
        machine.bring_car(evse, order.vehicle)
    elif order.vehicle is not None and order.vehicle != evse.vehicle.spec.id:
        evse.vehicle = Vehicle(machine.library[order.vehicle])
    car = evse.vehicle
    assert car is not None
    for name in (
        "soc",
        "target_soc",
        "capacity",
        "max_ac_current",
        "ac_phases",
        "max_dc_power",
        "ready_delay",
    ):
        value = getattr(order, name)
        if value is not None:
            setattr(car, name, value)
    if order.ready_delay is not None and machine.at < evse.ready_at:
        evse.ready_at = evse.plugged_at + order.ready_delay
    machine.emit(VehicleChanged(evse.number))
    return DONE


RANGES = {
    "soc": (0.0, 100.0),
    "target_soc": (0.0, 100.0),
    "capacity": (100.0, 2_000_000.0),
    "max_ac_current": (0.0, 80.0),
    "ac_phases": (1, 3),
    "max_dc_power": (0.0, 2_000_000.0),
    "ready_delay": (0.0, 86_400.0),
}
"""What a car can be set to, in the units of `SetVehicle`."""


def _vehicle_mistake(machine: Machine, evse: Evse, order: SetVehicle) -> Refused | None:
    if order.vehicle is not None:
        if order.vehicle not in machine.library:
            return refused("no_such_vehicle", id=order.vehicle)
        other = evse.vehicle is not None and evse.vehicle.spec.id != order.vehicle
        if other and evse.plugged is not None:
            return refused("still_plugged", name=evse.vehicle.spec.name if evse.vehicle else "")
    for name, (low, high) in RANGES.items():
        value = getattr(order, name)
        # the comparison is false for nan as well
        if value is not None and not low <= value <= high:
            return refused("out_of_range", name=name, value=value, low=low, high=high)
    return None


def pause(machine: Machine, order: PauseVehicle) -> Outcome:
    return _set_paused(machine, order.evse, paused=True)


def resume(machine: Machine, order: ResumeVehicle) -> Outcome:
    return _set_paused(machine, order.evse, paused=False)


def _set_paused(machine: Machine, number: int, *, paused: bool) -> Outcome:
    evse = find_evse(machine, number)
    if isinstance(evse, Refused):
        return evse
    if evse.vehicle is None:
        return refused("bay_empty")
    if evse.vehicle.paused is not paused:
        evse.vehicle.paused = paused
        machine.emit(VehicleChanged(evse.number))
    return DONE


# ---- plugs


def plug_in(machine: Machine, order: PlugIn) -> Outcome:
    found = find_connector(machine, order.evse, order.connector)
    if isinstance(found, Refused):
        return found
    evse, connector = found
    if evse.plugged is not None:
        return refused("already_plugged", connector=evse.plugged.number)
    car = evse.vehicle or Vehicle(machine.library[evse.spec.vehicle])
    if not car.fits(evse.spec.current):
        return refused("no_inlet", name=car.spec.name)
    if connector.spec.tethered and connector.bolt_out:
        return refused("locked")
    if evse.vehicle is None:
        car = machine.bring_car(evse)
    evse.connect(connector)
    evse.plugged_at = machine.at
    evse.ready_at = machine.at + car.ready_delay
    evse.begin_stay(machine.today)
    evse.was_permitted = evse.permission is not None
    machine.emit(CablePlugged(evse.number, connector.number))
    if machine.conditions(evse).blocking(connector.number) is not None:
        evse.permission = None  # no charge begins over a fault, whatever was allowed before it came
    evse.lock_up(machine.emit)
    return DONE


def unplug(machine: Machine, order: Unplug) -> Outcome:
    found = find_connector(machine, order.evse, order.connector)
    if isinstance(found, Refused):
        return found
    evse, connector = found
    if not connector.plugged:
        return refused("not_plugged")
    if connector.spec.tethered and order.side is UnplugSide.STATION:
        return refused("tethered")
    held = connector.held(order.side)
    if held and not order.force:
        return refused("locked")
    evse.connect(None)
    machine.emit(CableUnplugged(evse.number, connector.number, order.side, forced=held))
    if held:
        connector.bolt_out = False
        if not connector.jammed:
            machine.emit(LockChanged(evse.number, connector.number, connector.lock))
    evse.end_stay()
    if evse.permission is not None:
        evse.begin_stay(machine.today)
    return DONE


# ---- cards and buttons


def present_card(machine: Machine, order: PresentCard) -> Outcome:
    if not order.uid.strip():
        return refused("empty_card")
    if order.evse is not None:
        evse = find_evse(machine, order.evse)
        if isinstance(evse, Refused):
            return evse
        reader = machine.reader_of(order.evse)
    else:
        reader = machine.readers[0] if machine.readers else None
    if reader is None:
        return refused("no_reader")
    if reader.faulty:
        return refused("reader_lost")
    named = reader.evses[0] if len(reader.evses) == 1 else order.evse
    machine.emit(CardPresented(reader.number, order.uid, order.kind, named))
    return DONE


def press_start(machine: Machine, order: PressStart) -> Outcome:
    evse = find_evse(machine, order.evse)
    if isinstance(evse, Refused):
        return evse
    if not machine.has_button(order.evse):
        return refused("no_start_button")
    machine.emit(StartPressed(order.evse))
    return DONE


def press_stop(machine: Machine, order: PressStop) -> Outcome:
    evse = find_evse(machine, order.evse)
    if isinstance(evse, Refused):
        return evse
    machine.emit(StopPressed(order.evse))
    return DONE


# ---- switches


def cut_mains(machine: Machine, _: CutMains) -> Outcome:
    machine.mains = False
    # first of all: who hears it must not act on what follows from it any more
    machine.emit(MainsCut())
    machine.forget_all_orders()
    return DONE


def restore_mains(machine: Machine, _: RestoreMains) -> Outcome:
    if machine.mains:
        return refused("mains_on")
    machine.mains = True
    machine.emit(MainsRestored())
    return DONE


def cut_network(machine: Machine, _: CutNetwork) -> Outcome:
    if not machine.network:
        return refused("network_off")
    machine.network = False
    machine.emit(NetworkCut())
    return DONE


def restore_network(machine: Machine, _: RestoreNetwork) -> Outcome:
    if machine.network:
        return refused("network_on")
    machine.network = True
    machine.emit(NetworkRestored())
    return DONE


def open_door(machine: Machine, _: OpenDoor) -> Outcome:
    if machine.door_open:
        return refused("door_open")
    machine.door_open = True
    machine.emit(DoorOpened())
    return DONE


def close_door(machine: Machine, _: CloseDoor) -> Outcome:
    if not machine.door_open:
        return refused("door_closed")
    machine.door_open = False
    machine.emit(DoorClosed())
    return DONE
