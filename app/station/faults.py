"""What can break: its effect on a charge, where it can lie, and what the driver is told.

A fault lies at the whole station (evse 0), at an EVSE (connector 0) or at a connector, and hits everything
below that place. One that trips ends a running charge and takes the permission away; one that derates
lets it go on with less; neither lets a new charge start. One that warns does nothing but be told.

Decisions that the table alone does not show:

* Over-temperature derates to half of what EVSE, cable, offer and car would make of it, on AC to no less than
  6 A. Raised with the info "critical" it trips, also when it was raised without before.
* A welded contactor stays closed in the picture (`contactor_closed`), but no current flows any more: the
  breaker upstream opens. It opens when the fault is cleared.
* Without its meter an EVSE delivers nothing: energy that cannot be counted may not be sold.
* A station that cannot restart shows that only when it is told to.
* A driver cannot end a charge at a lost reader, so what runs goes on at the least the standard knows (6 A
  on AC, a tenth of the rating on DC). Where charging needs no reader (free vend) nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from app.kernel.text import Text
from app.station.kinds import Effect, Fault
from app.station.snapshot import FaultSnapshot

CRITICAL = "critical"
HOT_SHARE = 0.5
READERLESS_DC_SHARE = 0.1


class Place(Enum):
    """Where a fault lies."""

    STATION = "station"
    EVSE = "evse"
    CONNECTOR = "connector"


ANYWHERE = (Place.STATION, Place.EVSE, Place.CONNECTOR)


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table."""

    effect: Effect
    places: tuple[Place, ...] = ANYWHERE


RULES: dict[Fault, Rule] = {
    Fault.EMERGENCY_STOP: Rule(Effect.TRIP, (Place.STATION,)),
    Fault.OVER_TEMPERATURE: Rule(Effect.DERATE),
    Fault.RCD: Rule(Effect.TRIP),
    Fault.LOCK_JAM: Rule(Effect.TRIP, (Place.CONNECTOR,)),
    Fault.CONTACTOR_WELD: Rule(Effect.TRIP, (Place.EVSE, Place.CONNECTOR)),
    Fault.METER_LOST: Rule(Effect.TRIP),
    Fault.READER_LOST: Rule(Effect.DERATE, (Place.STATION, Place.EVSE)),
    Fault.OVERCURRENT: Rule(Effect.TRIP),
    Fault.OVERVOLTAGE: Rule(Effect.TRIP),
    Fault.UNDERVOLTAGE: Rule(Effect.TRIP),
    Fault.PILOT: Rule(Effect.TRIP, (Place.CONNECTOR,)),
    Fault.INTERNAL: Rule(Effect.TRIP),
    Fault.WEAK_SIGNAL: Rule(Effect.WARN),
    Fault.RESTART: Rule(Effect.WARN, (Place.STATION,)),
    Fault.OTHER: Rule(Effect.WARN),
}


def effect_of(fault: Fault, info: str | None = None) -> Effect:
    """What it does to a running charge."""
    if fault is Fault.OVER_TEMPERATURE and (info or "").strip().lower() == CRITICAL:
        return Effect.TRIP
    return RULES[fault].effect


def fault_name(fault: Fault) -> Text:
    return Text(f"station.fault.{fault.value}")


def consequence(fault: Fault, info: str | None = None) -> Text:
    """What it does, in words."""
    if RULES[fault].effect is not effect_of(fault, info):
        return Text(f"station.consequence.{fault.value}_critical")
    return Text(f"station.consequence.{fault.value}")


@dataclass(frozen=True, slots=True)
class Lying:
    """A fault that lies somewhere, since then."""

    fault: Fault
    evse: int
    connector: int
    since: datetime
    error_code: str | None = None
    vendor_error_code: str | None = None
    info: str | None = None

    @property
    def place(self) -> tuple[int, int]:
        return self.evse, self.connector

    @property
    def effect(self) -> Effect:
        return effect_of(self.fault, self.info)

    def hits(self, evse: int, connector: int) -> bool:
        """It lies at this connector or above it."""
        return self.evse == 0 or (
            self.evse == evse and (self.connector == 0 or self.connector == connector)
        )

    def snapshot(self) -> FaultSnapshot:
        return FaultSnapshot(
            self.fault,
            self.evse,
            self.connector,
            self.since,
            self.error_code,
            self.vendor_error_code,
            self.info,
        )


class FaultBook:
    """All faults that lie now, in the order they came."""

    def __init__(self) -> None:
        self._lying: dict[tuple[Fault, int, int], Lying] = {}
        self.version = 0
        """Grows with each change."""

    def __iter__(self) -> Iterator[Lying]:
        return iter(tuple(self._lying.values()))

    def put(self, lying: Lying) -> None:
        self._lying[lying.fault, lying.evse, lying.connector] = lying
        self.version += 1

    def get(self, fault: Fault, evse: int, connector: int) -> Lying | None:
        return self._lying.get((fault, evse, connector))

    def drop(self, lying: Lying) -> None:
        del self._lying[lying.fault, lying.evse, lying.connector]
        self.version += 1

    def at(self, evse: int, connector: int | None = None) -> tuple[Lying, ...]:
        """Those that lie exactly there; connector None: at the EVSE and its connectors."""
        return tuple(
            lying
            for lying in self._lying.values()
            if lying.evse == evse and connector in (None, lying.connector)
        )

    def hitting(self, evse: int, connector: int) -> tuple[Lying, ...]:
        """Those that hit a connector, worst effect first."""
        hits = [lying for lying in self._lying.values() if lying.hits(evse, connector)]
        return tuple(sorted(hits, key=lambda lying: _ORDER[lying.effect]))

    def any(self, fault: Fault, evse: int, connector: int) -> bool:
        return any(lying.fault is fault for lying in self.hitting(evse, connector))


_ORDER = {Effect.TRIP: 0, Effect.DERATE: 1, Effect.WARN: 2}
