"""The machine as others see it: snapshots and meter readings, drawn on from the last instant to now."""

from __future__ import annotations

from datetime import datetime

from app.station.connector import Connector
from app.station.evse import Evse
from app.station.kinds import BayStatus, Current, Fault, Flow
from app.station.machine import Machine
from app.station.meter import (
    FREQUENCY,
    FREQUENCY_NOISE,
    POWER_NOISE,
    VOLTAGE_NOISE,
    ZERO,
    noise,
)
from app.station.power import ladder
from app.station.snapshot import (
    Cap,
    ConnectorSnapshot,
    EvseSnapshot,
    MeterReading,
    Phases,
    StationSnapshot,
    VehicleSnapshot,
)
from app.station.supply import CONVERTER_EFFICIENCY

FAN_STARTS_AT, FAN_PER_DEGREE, FAN_FASTEST = 28.0, 120.0, 3600.0
"""Degrees Celsius, revolutions a minute for each more, and the most it can."""

OVERHEATED = 50.0
"""Degrees that an over-temperature fault adds to the reading."""


def meter_reading(machine: Machine, evse: Evse, elapsed: float, at: datetime) -> MeterReading:
    """What the EVSE's meter tells. DC figures lie in the first phase."""
    registers = evse.meter.after(evse.powers, elapsed - machine.at)
    powers = _noisy(machine, evse, evse.powers, elapsed)
    offering = evse.running and evse.flow is not Flow.SUSPENDED_EVSE
    line = evse.line()
    offered = evse.limit if offering else 0.0
    return MeterReading(
        at=at,
        energy_import=sum(registers),
        energy_import_phases=registers,
        power=sum(powers),
        power_phases=powers,
        currents=evse.currents,
        voltages=voltages(machine, evse, elapsed),
        power_factor=1.0,
        frequency=_frequency(machine, evse.meter.seed, elapsed),
        offered_current=offered,
        offered_power=line.watts(offered),
        temperature=temperature(machine, evse, elapsed),
        soc=_soc(machine, evse, elapsed) if evse.plugged is not None else None,
        fan_speed=_fan_speed(temperature(machine, evse, elapsed)) if machine.mains else 0.0,
    )


def main_meter_reading(machine: Machine, elapsed: float, at: datetime) -> MeterReading:
    """The grid connection: all EVSEs together, converters' losses included."""
    registers, powers = ZERO, ZERO
    for evse in machine.evses:
        drawn = evse.meter.after(evse.powers, elapsed - machine.at)
        registers = _sum(registers, _on_grid(evse, drawn))
        powers = _sum(powers, _on_grid(evse, evse.powers))
    nominal = machine.blueprint.supply.voltage
    live = nominal if machine.mains else 0.0
    supply = machine.blueprint.supply.current if machine.mains else 0.0
    return MeterReading(
        at=at,
        energy_import=sum(registers),
        energy_import_phases=registers,
        power=sum(powers),
        power_phases=powers,
        currents=(powers[0] / nominal, powers[1] / nominal, powers[2] / nominal),
        voltages=(live, live, live),
        power_factor=1.0,
        frequency=_frequency(machine, machine.evses[0].meter.seed, elapsed),
        offered_current=supply,
        offered_power=supply * nominal * 3,
        temperature=max(evse.temperature(elapsed) for evse in machine.evses),
        soc=None,
    )


def voltages(machine: Machine, evse: Evse, elapsed: float) -> Phases:
    """V: of the grid on AC; of the battery, in the first place, while DC flows."""
    if not machine.mains:
        return ZERO
    if evse.spec.current is Current.DC:
        return (evse.line().voltage if evse.power > 0 else 0.0, 0.0, 0.0)
    nominal = machine.blueprint.supply.voltage
    one, two, three = (
        nominal * (1.0 + VOLTAGE_NOISE * _noise(machine, evse, f"voltage{phase}", elapsed))
        if phase <= evse.spec.phases
        else 0.0
        for phase in (1, 2, 3)
    )
    return one, two, three


def temperature(machine: Machine, evse: Evse, elapsed: float) -> float:
    hot = machine.faults.any(Fault.OVER_TEMPERATURE, evse.number, evse.focus)
    return evse.temperature(elapsed) + (OVERHEATED if hot else 0.0)


def _fan_speed(degrees: float) -> float:
    """Revolutions a minute: still while it is cool, then faster with every degree."""
    return min(FAN_FASTEST, max(0.0, degrees - FAN_STARTS_AT) * FAN_PER_DEGREE)


def station_snapshot(machine: Machine, elapsed: float, at: datetime) -> StationSnapshot:
    return StationSnapshot(
        name=machine.blueprint.name,
        at=at,
        mains=machine.mains,
        network=machine.network,
        door_open=machine.door_open,
        operative=machine.operative,
        emergency_stop=machine.faults.get(Fault.EMERGENCY_STOP, 0, 0) is not None,
        supply_current=machine.blueprint.supply.current,
        evses=tuple(evse_snapshot(machine, evse, elapsed) for evse in machine.evses),
        readers=tuple(reader.snapshot() for reader in machine.readers),
        faults=tuple(lying.snapshot() for lying in machine.faults.at(0)),
        screen=machine.station_screen(),
        free_vend=machine.blueprint.free_vend,
        supply_voltage=machine.blueprint.supply.voltage,
        light=machine.light,
    )


def evse_snapshot(machine: Machine, evse: Evse, elapsed: float) -> EvseSnapshot:
    energy = sum(evse.meter.after(evse.powers, elapsed - machine.at))
    stay = energy - evse.session_start if evse.session_since is not None else 0.0
    line = evse.line()
    limit = machine.limit_watts(evse)
    reader = machine.reader_of(evse.number)
    return EvseSnapshot(
        id=evse.number,
        current=evse.spec.current,
        max_power=evse.spec.max_power,
        phases=evse.spec.phases,
        connectors=tuple(_connector(machine, evse, one) for one in evse.connectors),
        status=status(machine, evse),
        flow=evse.flow,
        operative=machine.in_service(evse),
        permitted=evse.permission is not None,
        suspended=evse.suspended,
        contactor_closed=evse.contactor_closed,
        power=evse.power,
        currents=evse.currents,
        voltages=voltages(machine, evse, elapsed),
        phases_used=evse.phases_used,
        limit_power=limit,
        limit_current=line.amps(limit),
        line_voltage=line.voltage,
        caps=caps(machine, evse),
        energy=energy,
        session_energy=stay,
        session_since=evse.session_since,
        vehicle=_vehicle(machine, evse, elapsed),
        reservation=evse.reservation,
        faults=tuple(lying.snapshot() for lying in machine.faults.at(evse.number)),
        screen=machine.screen(evse, stay),
        temperature=temperature(machine, evse, elapsed),
        reader=reader.number if reader is not None else None,
    )


def caps(machine: Machine, evse: Evse) -> tuple[Cap, ...]:
    """The ladder: all that caps the power here, tightest first."""
    line = evse.line()
    limits = [
        *evse.prospect(machine.conditions(evse)).limits,
        evse.caps.share(evse.share),
    ]
    if evse.plugged is not None and evse.vehicle is not None:
        limits += evse.vehicle.limits(line)
    in_force = evse.flow in (Flow.CHARGING, Flow.SUSPENDED_EVSE) and not evse.suspended
    return ladder(line, limits, in_force=in_force)


def status(machine: Machine, evse: Evse) -> BayStatus:
    """The one state that the picture shows, worst first."""
    if not machine.mains:
        return BayStatus.OFF
    if machine.worst(evse) is not None:
        return BayStatus.FAULTED
    if not machine.in_service(evse, evse.focus):
        return BayStatus.UNAVAILABLE
    if evse.flow is Flow.CHARGING:
        return BayStatus.CHARGING
    if evse.plugged is not None or evse.permission is not None:
        return BayStatus.OCCUPIED
    return BayStatus.RESERVED if evse.reservation is not None else BayStatus.AVAILABLE


def _connector(machine: Machine, evse: Evse, connector: Connector) -> ConnectorSnapshot:
    spec = connector.spec
    return ConnectorSnapshot(
        id=connector.number,
        plug=spec.plug,
        tethered=spec.tethered,
        max_current=spec.max_current,
        plugged=connector.plugged,
        pilot=connector.pilot,
        lock=connector.lock,
        operative=machine.in_service(evse, connector.number),
        faults=tuple(
            lying.snapshot() for lying in machine.faults.at(evse.number, connector.number)
        ),
    )


def _vehicle(machine: Machine, evse: Evse, elapsed: float) -> VehicleSnapshot | None:
    car = evse.vehicle
    soc = _soc(machine, evse, elapsed)
    if car is None or soc is None:
        return None
    left = None
    if evse.power > 0:
        left = car.seconds_to_target(evse.spec.current, evse.power)
    if left is not None:
        left = max(0.0, left - (elapsed - machine.at))
    ready = evse.plugged is not None and elapsed >= evse.ready_at
    return car.snapshot(ready=ready, soc=soc, seconds_left=left)


def _soc(machine: Machine, evse: Evse, elapsed: float) -> float | None:
    return evse.soc_after(elapsed - machine.at)


def _noise(machine: Machine, evse: Evse, register: str, elapsed: float) -> float:
    return evse.meter.noise(register, elapsed) if machine.blueprint.meter_noise else 0.0


def _noisy(machine: Machine, evse: Evse, powers: Phases, elapsed: float) -> Phases:
    one, two, three = (
        power * (1.0 + POWER_NOISE * _noise(machine, evse, f"power{phase}", elapsed))
        for phase, power in enumerate(powers, 1)
    )
    return one, two, three


def _frequency(machine: Machine, seed: int, elapsed: float) -> float:
    if not machine.mains:
        return 0.0
    swing = noise(seed, "frequency", elapsed) if machine.blueprint.meter_noise else 0.0
    return FREQUENCY + FREQUENCY_NOISE * swing


def _on_grid(evse: Evse, values: Phases) -> Phases:
    """W or Wh of an EVSE as the grid sees them."""
    if evse.spec.current is Current.AC:
        return values
    count = evse.spec.phases
    each = sum(values) / CONVERTER_EFFICIENCY / count
    return each, each if count > 1 else 0.0, each if count > 2 else 0.0


def _sum(a: Phases, b: Phases) -> Phases:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]
