"""What happens to a session as a program: its power cycles and its memory."""

from __future__ import annotations

from dataclasses import dataclass

from app.kernel.bus import Event
from app.kernel.text import Text
from app.ocpp.context import BootReason
from app.ocpp.version import Version


@dataclass(frozen=True, slots=True)
class PowerCycleBegan(Event):
    """The controller is up. `version` None: the back office will decide it (`auto`)."""

    number: int
    reason: BootReason
    version: Version | None


@dataclass(frozen=True, slots=True)
class PowerCycleEnded(Event):
    """The controller is down: no task of it is left."""

    number: int


@dataclass(frozen=True, slots=True)
class VersionSettled(Event):
    """The back office chose the version; it is remembered."""

    version: Version


@dataclass(frozen=True, slots=True)
class StateTold(Event):
    """Something about the state file that people must know: damaged, migrated, failed."""

    what: Text


@dataclass(frozen=True, slots=True)
class ComputerWoke(Event):
    """The computer slept, for so many seconds as far as that is known; the link is opened anew."""

    seconds: float


@dataclass(frozen=True, slots=True)
class StateReset(Event):
    """All that the protocol and people had changed is forgotten."""
