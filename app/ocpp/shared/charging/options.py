"""How the open points of smart charging are decided. Values are the option keys of the registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from app.ocpp.shared.charging.model import Rate, Unit
from app.ocpp.version import Version


class StackFallback(StrEnum):
    """The schedule on the highest valid level has no period for this instant."""

    FALL_BACK = "fall-back"
    GAP = "gap"


class Algorithm(StrEnum):
    """How purposes and levels are merged."""

    TX_OVERRIDES = "spec-tx-overrides"
    MIN_OF_ALL = "docs-min-of-all"
    HIGHEST_ONLY = "highest-stack-only"


class Rounding(StrEnum):
    """What becomes of more than one decimal."""

    DOWN = "one-decimal-down"
    NEAREST = "one-decimal-nearest"
    RAW = "raw"


class Coalesce(StrEnum):
    """Neighbouring periods with the same limit."""

    JOIN = "join"
    KEEP = "keep"


class Conversion(StrEnum):
    """The voltage between W and A."""

    NOMINAL = "configured-nominal"
    MEASURED = "measured"
    NONE = "no-conversion"


class UnitsAcross(StrEnum):
    """Whether profiles may differ in their units."""

    CONVERT = "convert"
    REJECT = "reject"


class MixedUnits(StrEnum):
    """Profiles in A and in W together."""

    CONVERT_NOMINAL = "convert-nominal"
    CONVERT_MEASURED = "convert-measured"
    REJECT_SECOND = "reject-second"
    IGNORE_FOREIGN = "ignore-foreign"


class UnsupportedUnit(StrEnum):
    """A profile in a unit that the station does not list (1.6)."""

    REJECT = "reject"
    CONVERT = "convert"
    ACCEPT_IGNORE = "accept-ignore"


class NoProfile(StrEnum):
    """No profile applies."""

    HARDWARE_MAX = "hardware-max"
    SITE_DEFAULT = "site-default"
    BLOCK = "block"

    @classmethod
    def _missing_(cls, value: object) -> NoProfile | None:
        """1.6 calls it deny."""
        return cls.BLOCK if value == "deny" else None


class StationComposite(StrEnum):
    """GetCompositeSchedule for place 0 (2.0.1)."""

    SUM_CAPPED = "sum-capped"
    STATION_ONLY = "station-profile-only"
    REJECT = "reject"


class MixedPhases(StrEnum):
    """Outlets that differ in unit or phases, added up."""

    FORCE_WATTS = "force-watts"
    WORST_PHASE = "per-phase-worst"


class CompositeVariance(StrEnum):
    """What a 1.6 station makes of GetCompositeSchedule."""

    FULL = "full-support"
    REJECT_ZERO = "reject-connector-zero"
    EMPTY_WITHOUT_PROFILE = "empty-when-no-profile"
    REJECT_WITHOUT_PROFILE = "reject-when-no-profile"


class PeriodEdge(StrEnum):
    """A period that starts where the requested window ends."""

    EXCLUSIVE = "exclusive"
    INCLUSIVE = "inclusive"


class RatingRole(StrEnum):
    """What the rating of the hardware does to a composite schedule."""

    FALLBACK = "fallback"
    """It stands in where no profile applies."""
    WITHOUT_OWN = "without-own"
    """Also where nothing but the station's own profiles apply, which then cap it."""
    CAP = "cap"
    """No limit is ever above it."""


class Sharing(StrEnum):
    """How busy outlets share one limit."""

    EQUAL_SHARE = "equal-share"
    FIRST_COME = "first-come"
    PROPORTIONAL = "proportional"
    PRIORITY = "priority"


class Baseline(StrEnum):
    """Which text of 2.0.1 is followed."""

    ERRATA = "errata-2025-09"
    EDITION_3 = "edition-3"


@dataclass(frozen=True, slots=True)
class Options:
    """What was chosen; the defaults are those of the registry."""

    stack_fallback: StackFallback = StackFallback.FALL_BACK
    algorithm: Algorithm = Algorithm.TX_OVERRIDES
    rounding: Rounding = Rounding.DOWN
    coalesce: Coalesce = Coalesce.JOIN
    conversion: Conversion = Conversion.NOMINAL
    units_across: UnitsAcross = UnitsAcross.CONVERT
    mixed_units: MixedUnits = MixedUnits.CONVERT_NOMINAL
    unsupported_unit: UnsupportedUnit = UnsupportedUnit.REJECT
    no_profile: NoProfile = NoProfile.HARDWARE_MAX
    station_composite: StationComposite = StationComposite.SUM_CAPPED
    mixed_phases: MixedPhases = MixedPhases.FORCE_WATTS
    variance: CompositeVariance = CompositeVariance.FULL
    period_edge: PeriodEdge = PeriodEdge.EXCLUSIVE
    sharing: Sharing = Sharing.EQUAL_SHARE
    baseline: Baseline = Baseline.ERRATA
    site_default: Rate | None = None
    """The cap of NoProfile.SITE_DEFAULT."""
    units: frozenset[Unit] = frozenset(Unit)
    """What the station lists as its units."""
    rating: RatingRole = RatingRole.FALLBACK
    max_on_outlet: bool = False
    """Take the station's maximum on an outlet, too (not conformant: K04.FR.03)."""
    external_from_csms: bool = False
    """Take external constraints from the back office (not conformant: K01.FR.22)."""

    @property
    def measured(self) -> bool:
        """Convert with the metered voltage (not conformant: K01.FR.50)."""
        return (
            self.conversion is Conversion.MEASURED
            or self.mixed_units is MixedUnits.CONVERT_MEASURED
        )

    @property
    def one_unit(self) -> bool:
        """A profile in another unit than those installed is refused."""
        return (
            self.mixed_units is MixedUnits.REJECT_SECOND or self.units_across is UnitsAcross.REJECT
        )


POINTS_16: Mapping[str, str] = {
    "sharing": "ocpp16-max-profile-allocation",
    "variance": "ocpp16-composite-vendor-variance",
    "period_edge": "ocpp16-composite-vendor-variance.period-edge",
    "unsupported_unit": "ocpp16-unsupported-rate-unit",
    "no_profile": "ocpp16-no-profile-online",
}
"""Field of `Options` -> open point of 1.6."""

POINTS_201: Mapping[str, str] = {
    "algorithm": "ocpp201-composite-algorithm",
    "rounding": "ocpp201-composite-algorithm.rounding",
    "coalesce": "ocpp201-composite-algorithm.coalesce",
    "conversion": "ocpp201-conversion-voltage",
    "units_across": "ocpp201-conversion-voltage.mixed-units",
    "no_profile": "ocpp201-no-profile-any-purpose",
    "mixed_units": "ocpp201-mixed-rate-units",
    "station_composite": "ocpp201-composite-evse-zero",
    "mixed_phases": "ocpp201-composite-evse-zero.mixed-phases",
    "stack_fallback": "ocpp201-stack-fallback-after-duration",
    "baseline": "ocpp201-baseline",
}
"""Field of `Options` -> open point of 2.0.1."""

_TYPES: Mapping[str, type[StrEnum]] = {
    item.name: type(item.default) for item in fields(Options) if isinstance(item.default, StrEnum)
}


def decide(version: Version, chosen: Mapping[str, str], base: Options | None = None) -> Options:
    """`base` with the choices of `chosen` (open point -> option key); other points are left alone.

    Raises ValueError for an option that a point has not.
    """
    points = POINTS_16 if version is Version.V16 else POINTS_201
    picked: dict[str, Any] = {
        name: _TYPES[name](chosen[point]) for name, point in points.items() if point in chosen
    }
    return replace(base or Options(), **picked)
