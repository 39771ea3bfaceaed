"""A charging profile, where it is installed, and the outlet that it limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from app.kernel.units import NOMINAL_VOLTAGE

STATION = 0
"""The place of profiles for the station as a whole: connectorId 0 of 1.6, evseId 0 of 2.0.1."""

DEFAULT_PHASES = 3
"""numberPhases where a period names none (2.0.1 K01.FR.49; 1.6 errata 3.69)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)

TransactionId = str | int
"""2.0.1 makes text of the station, 1.6 a number of the back office."""

Extra = Mapping[str, Any] | None


class Unit(StrEnum):
    """chargingRateUnit: A per phase, or W in total."""

    A = "A"
    W = "W"


class Purpose(StrEnum):
    """chargingProfilePurpose; the values are those of 2.0.1. The order is that of equal limits."""

    EXTERNAL = "ChargingStationExternalConstraints"
    MAX = "ChargingStationMaxProfile"
    TX = "TxProfile"
    TX_DEFAULT = "TxDefaultProfile"


class Kind(StrEnum):
    """chargingProfileKind: what second 0 of the schedule is."""

    ABSOLUTE = "Absolute"
    RECURRING = "Recurring"
    RELATIVE = "Relative"


class Recurrency(StrEnum):
    """recurrencyKind: every 24 hours, or every 7 days; never by local time."""

    DAILY = "Daily"
    WEEKLY = "Weekly"

    @property
    def seconds(self) -> int:
        """Length of a cycle."""
        return 86_400 if self is Recurrency.DAILY else 604_800


class Source(StrEnum):
    """chargingLimitSource: who installed a profile. CSO is the back office."""

    CSO = "CSO"
    EMS = "EMS"
    SO = "SO"
    OTHER = "Other"


@dataclass(frozen=True, slots=True)
class Period:
    """A step of a schedule: from second `start` on, until the next step."""

    start: int
    limit: float
    phases: int | None = None
    phase_to_use: int | None = None
    custom: Extra = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Limits over time, in `unit`. `duration` in seconds; `min_rate` in `unit`, a hint for sharing."""

    unit: Unit
    periods: tuple[Period, ...]
    duration: int | None = None
    start: datetime | None = None
    min_rate: float | None = None
    id: int = 0
    sales_tariff: Extra = field(default=None, hash=False)
    custom: Extra = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class ChargingProfile:
    """One set of limits with its purpose, rank and validity. 1.6 always has exactly one schedule."""

    id: int
    stack_level: int
    purpose: Purpose
    kind: Kind
    schedules: tuple[Schedule, ...]
    recurrency: Recurrency | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    transaction_id: TransactionId | None = None
    custom: Extra = field(default=None, hash=False)

    @property
    def schedule(self) -> Schedule:
        """The first schedule: the only one outside ISO 15118."""
        return self.schedules[0]


@dataclass(frozen=True, slots=True)
class Installed:
    """A profile at its place: 0 the station, else a connector (1.6) or an EVSE (2.0.1)."""

    place: int
    profile: ChargingProfile
    received: datetime
    source: Source = Source.CSO

    @property
    def ours(self) -> bool:
        """Set by the back office, which may therefore replace and clear it."""
        return self.source is Source.CSO and self.profile.purpose is not Purpose.EXTERNAL


@dataclass(frozen=True, slots=True)
class Rate:
    """A limit with its unit: A per phase, or W in total."""

    limit: float
    unit: Unit


@dataclass(frozen=True, slots=True)
class Transaction:
    """A running transaction. `started` is second 0 of relative schedules, None while nothing flows.

    In 1.6 that is the start of the transaction, in 2.0.1 the moment the power path closed. `id` is None
    as long as the back office has not given one (1.6).
    """

    id: TransactionId | None = None
    started: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outlet:
    """A connector (1.6) or an EVSE (2.0.1) as charging profiles see it. `id` counts from 1."""

    id: int
    phases: int = DEFAULT_PHASES
    """What it can deliver, or what is in use if that is known. DC: those of the grid side."""
    voltage: float = NOMINAL_VOLTAGE
    """The set voltage, line to neutral (DC: of the output)."""
    measured_voltage: float | None = None
    grid_voltage: float | None = None
    """DC: the voltage of the grid side, line to neutral, in which A of the whole station count; None: as
    `voltage`."""
    dc: bool = False
    rating: Rate | None = None
    """What the hardware can deliver."""
    transaction: Transaction | None = None
    limits_phases: bool = True
    """It can make sure that no more than numberPhases are used (2.0.1 K01.FR.43)."""
    switches_phase: bool = False
    """It can choose which phase the car gets: ACPhaseSwitchingSupported."""
    wired_phase: int | None = None
    """The one phase that it has, or uses for a car on one phase."""
    high_level: bool = False
    """The car talks ISO 15118 and has told its needs: several schedules are allowed."""
    needs_awaited: bool = False
    """The car talks ISO 15118, its needs are not told yet (2.0.1 K15.FR.17)."""

    @property
    def native_unit(self) -> Unit:
        """The unit that its electronics count in."""
        return Unit.W if self.dc else Unit.A


def second(moment: datetime) -> int:
    """Whole seconds since 1970 in UTC, the fraction cut off. A moment without offset counts as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _SECOND


def moment_of(seconds: int) -> datetime:
    """The moment, in UTC, of a second of the axis."""
    return _EPOCH + timedelta(seconds=seconds)
