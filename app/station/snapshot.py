"""What the machine looks like at one instant, for any view. Nothing in it can change the machine.

Power in W, current in A per phase (L1, L2, L3), voltage in V, energy in Wh, percentages 0 to 100.
DC has one current, voltage and power: they stand in the first place of three. `operative` counts all parts
above as well: out of service is whatever hangs below something that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.kernel.text import Text
from app.station.kinds import (
    BayStatus,
    Current,
    Fault,
    Flow,
    LockState,
    PilotState,
    Plug,
    ReaderLamp,
)

Phases = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class FaultSnapshot:
    fault: Fault
    evse: int
    connector: int
    since: datetime
    error_code: str | None = None
    vendor_error_code: str | None = None
    info: str | None = None


@dataclass(frozen=True, slots=True)
class ReservationSnapshot:
    holder: str
    until: datetime | None
    connector: int = 0


@dataclass(frozen=True, slots=True)
class Cap:
    """One rung of the ladder of limits: what caps the power, at how much, and does it bind now."""

    name: Text
    watts: float
    amps: float
    binding: bool


@dataclass(frozen=True, slots=True)
class VehicleSnapshot:
    id: str
    name: str
    soc: float
    target_soc: float
    capacity: float
    ac_phases: int
    max_ac_current: float
    max_dc_power: float
    paused: bool
    ready: bool
    seconds_left: float | None
    """Until the target state of charge at the present power; None while not charging."""


@dataclass(frozen=True, slots=True)
class ConnectorSnapshot:
    id: int
    plug: Plug
    tethered: bool
    max_current: float
    plugged: bool
    pilot: PilotState
    lock: LockState
    operative: bool
    faults: tuple[FaultSnapshot, ...] = ()


@dataclass(frozen=True, slots=True)
class MeterReading:
    """All an EVSE's meter can tell at one instant. Registers never fall."""

    at: datetime
    energy_import: float
    energy_import_phases: Phases
    power: float
    power_phases: Phases
    currents: Phases
    voltages: Phases
    power_factor: float
    frequency: float
    offered_current: float
    offered_power: float
    temperature: float
    soc: float | None
    fan_speed: float = 0.0
    """Revolutions a minute of the fan that cools the housing."""


@dataclass(frozen=True, slots=True)
class EvseSnapshot:
    id: int
    current: Current
    max_power: float
    phases: int
    connectors: tuple[ConnectorSnapshot, ...]
    status: BayStatus
    flow: Flow
    operative: bool
    permitted: bool
    suspended: bool
    contactor_closed: bool
    power: float
    currents: Phases
    voltages: Phases
    phases_used: int
    limit_power: float
    limit_current: float
    line_voltage: float
    """V that power is current times of: to neutral on AC, of the plugged battery on DC."""
    caps: tuple[Cap, ...]
    """The ladder of limits, tightest first; `caps[0]` binds while energy flows."""
    energy: float
    """Register, Wh."""
    session_energy: float
    session_since: datetime | None
    """Since the cable went in (or the permission was given, if earlier); of a second session in the same
    visit since its permission."""
    vehicle: VehicleSnapshot | None
    reservation: ReservationSnapshot | None
    faults: tuple[FaultSnapshot, ...]
    """Faults of the EVSE itself and of its connectors."""
    screen: Text | None
    temperature: float
    reader: int | None
    """Id of the reader that serves this EVSE."""


@dataclass(frozen=True, slots=True)
class ReaderSnapshot:
    id: int
    evses: tuple[int, ...]
    lamp: ReaderLamp
    faulty: bool
    blinks: int = 0
    """How often the lamp blinks, once a second; 0: it shines steadily."""


@dataclass(frozen=True, slots=True)
class StationSnapshot:
    name: str
    at: datetime
    mains: bool
    network: bool
    door_open: bool
    operative: bool
    emergency_stop: bool
    supply_current: float
    """A per phase that the grid connection can give."""
    evses: tuple[EvseSnapshot, ...]
    readers: tuple[ReaderSnapshot, ...]
    faults: tuple[FaultSnapshot, ...]
    """Faults of the station as a whole."""
    screen: Text | None
    free_vend: bool
    supply_voltage: float = 230.0
    """V, line to neutral, as built: what limits in W are converted with."""
    light: int = 100
    """How bright the lights are, in percent."""

    def evse(self, number: int) -> EvseSnapshot:
        """The EVSE with this id. Raises KeyError when there is none."""
        for evse in self.evses:
            if evse.id == number:
                return evse
        raise KeyError(number)
