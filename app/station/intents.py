"""What people, scripts and hardware do to the machine, in the imperative. Only these are recorded.

`evse` and `connector` count from 1. The machine answers each with `Done` or `Refused(reason)`.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.kernel.text import Text
from app.station.kinds import Fault, UnplugSide


class Intent:
    """Base of all intents."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Done:
    """The machine did it."""

    @property
    def accepted(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Refused:
    """The machine could not do it, and why."""

    reason: Text

    @property
    def accepted(self) -> bool:
        return False


Outcome = Done | Refused


@dataclass(frozen=True, slots=True)
class ArriveCar(Intent):
    """A car drives in: `vehicle` is an id of the vehicle library, None the bay's usual one."""

    evse: int
    vehicle: str | None = None


@dataclass(frozen=True, slots=True)
class LeaveCar(Intent):
    evse: int


@dataclass(frozen=True, slots=True)
class PlugIn(Intent):
    """Connect the car; a car drives in first where the bay is empty."""

    evse: int
    connector: int = 1


@dataclass(frozen=True, slots=True)
class Unplug(Intent):
    """Pull the plug; refused while locked, unless forced."""

    evse: int
    connector: int = 1
    side: UnplugSide = UnplugSide.EV
    force: bool = False


@dataclass(frozen=True, slots=True)
class PresentCard(Intent):
    """Hold a card to the reader that serves `evse` (the only, or the first reader where None)."""

    uid: str
    kind: str = "ISO14443"
    evse: int | None = None


@dataclass(frozen=True, slots=True)
class PressStop(Intent):
    evse: int = 1


@dataclass(frozen=True, slots=True)
class PressStart(Intent):
    evse: int = 1


@dataclass(frozen=True, slots=True)
class RaiseFault(Intent):
    """evse 0 is the station, connector 0 the whole EVSE; the codes are passed on as they are."""

    fault: Fault
    evse: int = 0
    connector: int = 0
    error_code: str | None = None
    vendor_error_code: str | None = None
    info: str | None = None


@dataclass(frozen=True, slots=True)
class ClearFault(Intent):
    """`fault` None clears all that lie at that place."""

    evse: int = 0
    connector: int = 0
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class CutMains(Intent):
    pass


@dataclass(frozen=True, slots=True)
class RestoreMains(Intent):
    pass


@dataclass(frozen=True, slots=True)
class CutNetwork(Intent):
    pass


@dataclass(frozen=True, slots=True)
class RestoreNetwork(Intent):
    pass


@dataclass(frozen=True, slots=True)
class OpenDoor(Intent):
    pass


@dataclass(frozen=True, slots=True)
class CloseDoor(Intent):
    pass


@dataclass(frozen=True, slots=True)
class SetVehicle(Intent):
    """Change the car of a bay; None leaves a thing as it is.

    soc and target_soc in percent, capacity in Wh, max_ac_current in A, max_dc_power in W, delays in s.
    """

    evse: int
    vehicle: str | None = None
    soc: float | None = None
    target_soc: float | None = None
    capacity: float | None = None
    max_ac_current: float | None = None
    ac_phases: int | None = None
    max_dc_power: float | None = None
    ready_delay: float | None = None


@dataclass(frozen=True, slots=True)
class PauseVehicle(Intent):
    evse: int


@dataclass(frozen=True, slots=True)
class ResumeVehicle(Intent):
    evse: int
