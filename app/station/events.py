"""What happened to the machine, in the past tense. Published in order on the bus.

`evse` and `connector` count from 1; power in W, current in A, energy in Wh.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.kernel.bus import Event
from app.kernel.text import Text
from app.station.kinds import (
    Fault,
    Flow,
    LockState,
    PilotState,
    ReaderLamp,
    RestartKind,
    UnplugSide,
)


@dataclass(frozen=True, slots=True)
class CarArrived(Event):
    evse: int
    vehicle: str


@dataclass(frozen=True, slots=True)
class CarLeft(Event):
    evse: int
    vehicle: str


@dataclass(frozen=True, slots=True)
class CablePlugged(Event):
    evse: int
    connector: int


@dataclass(frozen=True, slots=True)
class CableUnplugged(Event):
    """`side` says which end came out; `forced` that it was pulled out of a locked socket."""

    evse: int
    connector: int
    side: UnplugSide = UnplugSide.EV
    forced: bool = False


@dataclass(frozen=True, slots=True)
class PilotChanged(Event):
    evse: int
    connector: int
    before: PilotState
    after: PilotState


@dataclass(frozen=True, slots=True)
class LockChanged(Event):
    evse: int
    connector: int
    state: LockState


@dataclass(frozen=True, slots=True)
class ContactorChanged(Event):
    evse: int
    closed: bool


@dataclass(frozen=True, slots=True)
class FlowChanged(Event):
    """The state of energy flow of an EVSE changed; `why` says it in words."""

    evse: int
    before: Flow
    after: Flow
    why: Text | None = None


@dataclass(frozen=True, slots=True)
class PowerChanged(Event):
    """Power or limit of an EVSE changed. Up to 10 a second and EVSE: views coalesce it."""

    evse: int
    power: float
    currents: tuple[float, float, float]
    limit: float


@dataclass(frozen=True, slots=True)
class PhasesChanged(Event):
    """Energy began to flow, or now flows, on this number of phases (0: DC)."""

    evse: int
    phases: int


@dataclass(frozen=True, slots=True)
class CardPresented(Event):
    """A card was held to a reader. `evse` is set when the reader, or the person, names one."""

    reader: int
    uid: str
    kind: str
    evse: int | None = None


@dataclass(frozen=True, slots=True)
class StopPressed(Event):
    evse: int


@dataclass(frozen=True, slots=True)
class StartPressed(Event):
    """The start button of a free-vend or reader-less EVSE was pressed."""

    evse: int


@dataclass(frozen=True, slots=True)
class Permitted(Event):
    """The controller allowed energy to flow as soon as the car asks for it."""

    evse: int
    connector: int | None


@dataclass(frozen=True, slots=True)
class Withdrawn(Event):
    """The controller took the permission back."""

    evse: int


@dataclass(frozen=True, slots=True)
class FaultRaised(Event):
    """`evse` 0 is the whole station; `ended` says that a running charge was cut off by it."""

    evse: int
    connector: int
    fault: Fault
    ended: bool = False
    error_code: str | None = None
    vendor_error_code: str | None = None
    info: str | None = None


@dataclass(frozen=True, slots=True)
class FaultCleared(Event):
    evse: int
    connector: int
    fault: Fault


@dataclass(frozen=True, slots=True)
class OperativeChanged(Event):
    """An order took a part into or out of service. evse 0: station; connector 0: whole EVSE."""

    evse: int
    connector: int
    operative: bool


@dataclass(frozen=True, slots=True)
class ReservationMarked(Event):
    """`holder` is what the picture shows; None lifts the mark. connector 0: any of the EVSE."""

    evse: int
    connector: int
    holder: str | None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ScreenChanged(Event):
    """evse 0: the station's own screen."""

    evse: int
    text: Text | None


@dataclass(frozen=True, slots=True)
class ReaderLampChanged(Event):
    reader: int
    lamp: ReaderLamp


@dataclass(frozen=True, slots=True)
class LightChanged(Event):
    """The lights are brighter or darker now, in percent of the brightest."""

    percent: int


@dataclass(frozen=True, slots=True)
class VehicleChanged(Event):
    """The car was swapped, or its battery, limits or mood were set."""

    evse: int


@dataclass(frozen=True, slots=True)
class MainsCut(Event):
    """All goes dark. Whatever was not written down is gone."""


@dataclass(frozen=True, slots=True)
class MainsRestored(Event):
    pass


@dataclass(frozen=True, slots=True)
class RestartOrdered(Event):
    """The controller restarts the station (or one EVSE)."""

    kind: RestartKind
    evse: int | None = None


@dataclass(frozen=True, slots=True)
class NetworkCut(Event):
    """The network plug was pulled."""


@dataclass(frozen=True, slots=True)
class NetworkRestored(Event):
    pass


@dataclass(frozen=True, slots=True)
class DoorOpened(Event):
    pass


@dataclass(frozen=True, slots=True)
class DoorClosed(Event):
    pass
