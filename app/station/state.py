"""What of the physical world outlives the program, as JSON: registers, cars, plugs, faults, switches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from app.kernel.forms import Limits, as_data, form
from app.kernel.text import Text
from app.station.evse import Evse
from app.station.faults import Lying
from app.station.kinds import Fault
from app.station.machine import Machine
from app.station.specs import SpecError, check_spec
from app.station.vehicle import Vehicle, VehicleState

WHERE = "the stored state"

Register = Annotated[float, Limits(ge=0)]


class StateError(SpecError):
    """A stored state does not fit this station. `text` says what, where and what to do."""


@form
class FaultState:
    fault: Fault
    evse: int
    connector: int
    since: datetime
    error_code: str | None = None
    vendor_error_code: str | None = None
    info: str | None = None


@form
class ConnectorState:
    plugged: bool = False
    locked: bool = False
    operative: bool = True


@form
class EvseState:
    registers: tuple[Register, Register, Register]
    """Wh a phase."""
    operative: bool = True
    vehicle: VehicleState | None = None
    ready_in: Annotated[float, Limits(ge=0)] = 0.0
    session_since: datetime | None = None
    session_start: Register = 0.0
    session_over: bool = False
    connectors: tuple[ConnectorState, ...]


@form
class StationState:
    version: Literal[1] = 1
    mains: bool = True
    network: bool = True
    door_open: bool = False
    operative: bool = True
    faults: tuple[FaultState, ...] = ()
    evses: tuple[EvseState, ...]


def export_state(machine: Machine, elapsed: float) -> dict[str, Any]:
    """The state as of `elapsed`, drawn on from the last instant."""
    state = StationState(
        mains=machine.mains,
        network=machine.network,
        door_open=machine.door_open,
        operative=machine.operative,
        faults=tuple(_export_fault(lying) for lying in machine.faults),
        evses=tuple(_export_evse(machine, evse, elapsed) for evse in machine.evses),
    )
    data: dict[str, Any] = as_data(state)
    return data


def _export_fault(lying: Lying) -> FaultState:
    return FaultState(
        fault=lying.fault,
        evse=lying.evse,
        connector=lying.connector,
        since=lying.since,
        error_code=lying.error_code,
        vendor_error_code=lying.vendor_error_code,
        info=lying.info,
    )


def _export_evse(machine: Machine, evse: Evse, elapsed: float) -> EvseState:
    soc = evse.soc_after(elapsed - machine.at)
    return EvseState(
        registers=evse.meter.after(evse.powers, elapsed - machine.at),
        operative=evse.operative,
        vehicle=evse.vehicle.export(soc) if evse.vehicle is not None and soc is not None else None,
        ready_in=max(0.0, evse.ready_at - elapsed),
        session_since=evse.session_since if evse.plugged is not None else None,
        session_start=evse.session_start,
        session_over=evse.session_over or evse.permission is not None,  # it ends with the memory
        connectors=tuple(
            ConnectorState(
                plugged=connector.plugged,
                locked=connector.bolt_out,
                operative=connector.operative,
            )
            for connector in evse.connectors
        ),
    )


def check_state(machine: Machine, data: Mapping[str, Any]) -> StationState:
    """A stored state that fits this station. Raises StateError."""
    try:
        state = check_spec(StationState, data, WHERE)
    except SpecError as error:
        raise StateError(error.text) from error
    _check_fit(machine, state)
    return state


def take_state(machine: Machine, state: StationState) -> None:
    """Go on from a state. What the controller ordered lived in its memory and is gone."""
    machine.forget_all_orders()
    machine.mains, machine.network = state.mains, state.network
    machine.door_open, machine.operative = state.door_open, state.operative
    for evse, stored in zip(machine.evses, state.evses, strict=True):
        _restore(machine, evse, stored)
    for lying in machine.faults:
        machine.faults.drop(lying)
    for fault in state.faults:
        since = fault.since if fault.since.tzinfo else fault.since.replace(tzinfo=UTC)
        machine.faults.put(
            Lying(
                fault.fault,
                fault.evse,
                fault.connector,
                since,
                fault.error_code,
                fault.vendor_error_code,
                fault.info,
            )
        )
        if fault.fault is Fault.LOCK_JAM:
            machine.evses[fault.evse - 1].connectors[fault.connector - 1].jammed = True


def _check_fit(machine: Machine, state: StationState) -> None:
    """The hardware is the one the state was written for."""
    shape = [len(evse.connectors) for evse in machine.evses]
    stored = [len(evse.connectors) for evse in state.evses]
    if stored != shape:
        raise _unfit("hardware", f"{stored}", f"{shape}")
    for number, evse in enumerate(state.evses, 1):
        plugged = sum(connector.plugged for connector in evse.connectors)
        if evse.vehicle is not None and evse.vehicle.id not in machine.library:
            raise _unfit("vehicle", evse.vehicle.id, f"EVSE {number}")
        if plugged > (1 if evse.vehicle is not None else 0):
            raise _unfit("plugs", str(plugged), f"EVSE {number}")
    for fault in state.faults:
        evses = [0] * (fault.evse == 0) or shape[fault.evse - 1 : fault.evse]
        if fault.evse < 0 or not evses or not 0 <= fault.connector <= evses[0]:
            raise _unfit("fault", fault.fault.value, f"{fault.evse}/{fault.connector}")
        if fault.fault is Fault.LOCK_JAM and fault.connector == 0:
            raise _unfit("fault", fault.fault.value, f"{fault.evse}/{fault.connector}")


def _unfit(key: str, stored: str, here: str) -> StateError:
    return StateError(Text(f"station.state.unfit_{key}", {"stored": stored, "here": here}))


def _restore(machine: Machine, evse: Evse, stored: EvseState) -> None:
    evse.meter.raise_to(stored.registers)
    evse.operative = stored.operative
    evse.vehicle = None
    if stored.vehicle is not None:
        evse.vehicle = Vehicle(machine.library[stored.vehicle.id])
        evse.vehicle.restore(stored.vehicle)
    evse.ready_at = machine.at + stored.ready_in
    evse.plugged_at = machine.at
    evse.connect(None)
    for connector, row in zip(evse.connectors, stored.connectors, strict=True):
        if row.plugged:
            evse.connect(connector)
        connector.bolt_out = row.locked and connector.spec.lock
        connector.operative = row.operative
    evse.end_stay()
    if evse.plugged is not None:
        evse.begin_stay(stored.session_since or machine.today)
        if stored.session_since is not None:
            evse.session_start = min(stored.session_start, evse.meter.energy)
            evse.session_over = stored.session_over
