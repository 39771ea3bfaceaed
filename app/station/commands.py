"""What the controller orders the machine to do. Same `handle()`, same result as an intent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.kernel.text import Text
from app.station.kinds import ReaderLamp, RestartKind


class Command:
    """Base of all commands."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Permit(Command):
    """Allow energy: lock the cable, close the contactor when the car asks. Refused over a fault."""

    evse: int
    connector: int | None = None


@dataclass(frozen=True, slots=True)
class Withdraw(Command):
    """Take the permission back: the contactor opens. The cable stays locked until `Unlock`."""

    evse: int


@dataclass(frozen=True, slots=True)
class Suspend(Command):
    """Give no energy for now, the permission stays (True), or give it again (False)."""

    evse: int
    suspended: bool = True


@dataclass(frozen=True, slots=True)
class OfferLimit(Command):
    """Offer the car at most this, in A per phase or W (None: no such limit), and say why."""

    evse: int
    amps: float | None = None
    watts: float | None = None
    phases: int | None = None
    source: Text | None = None


@dataclass(frozen=True, slots=True)
class Lock(Command):
    evse: int
    connector: int = 1


@dataclass(frozen=True, slots=True)
class Unlock(Command):
    """Refused with `station.refused.lock_jammed` or `station.refused.no_lock`."""

    evse: int
    connector: int = 1


@dataclass(frozen=True, slots=True)
class SetOperative(Command):
    """Take into or out of service. evse 0: the station; connector 0: the whole EVSE."""

    evse: int
    connector: int
    operative: bool


@dataclass(frozen=True, slots=True)
class MarkReserved(Command):
    """Show a reservation on the picture; holder None lifts it."""

    evse: int
    connector: int = 0
    holder: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShowText(Command):
    """Put a sentence on the screen (evse 0: of the station); None goes back to the usual one."""

    evse: int
    text: Text | None


@dataclass(frozen=True, slots=True)
class SetReaderLamp(Command):
    """Light the ring of a reader. ACCEPTED and REFUSED fall back to WAITING after 3 s.

    `blinks`: they blink so many times instead, once a second, and then fall back.
    """

    reader: int
    lamp: ReaderLamp
    blinks: int = 0


@dataclass(frozen=True, slots=True)
class SetLight(Command):
    """How bright the station's lights are, in percent of the brightest."""

    percent: int


@dataclass(frozen=True, slots=True)
class Restart(Command):
    """Go down and come up again; evse None: the whole station.

    `inevitable`: it happens anyway, as with the power; otherwise the machine may fail to.
    """

    kind: RestartKind
    evse: int | None = None
    inevitable: bool = False
