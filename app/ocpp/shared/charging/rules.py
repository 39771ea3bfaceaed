"""What a charging profile must fulfil in either version."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

from app.ocpp.shared.charging.book import Book
from app.ocpp.shared.charging.model import (
    STATION,
    ChargingProfile,
    Installed,
    Kind,
    Outlet,
    Purpose,
    Schedule,
)
from app.ocpp.shared.charging.options import Conversion, Options
from app.ocpp.shared.charging.refusal import Reason, Refusal, refuse
from app.ocpp.shared.charging.station import Site


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a station can keep.

    1.6: ChargeProfileMaxStackLevel, ChargingScheduleMaxPeriods, MaxChargingProfilesInstalled. 2.0.1:
    ProfileStackLevel, PeriodsPerSchedule, Entries[ChargingProfiles].
    """

    stack_level: int
    periods: int
    profiles: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A profile that asks to be installed, and what it would meet."""

    new: Installed
    book: Book
    site: Site
    limits: Limits
    options: Options
    starting: bool = False
    """It comes with a remote start: its transaction does not run yet."""

    @property
    def profile(self) -> ChargingProfile:
        return self.new.profile

    @property
    def place(self) -> int:
        return self.new.place

    @property
    def outlet(self) -> Outlet | None:
        """The outlet it is for; None for the station."""
        return self.site.outlet(self.new.place)

    @property
    def outlets(self) -> tuple[Outlet, ...]:
        """All outlets that it would act on."""
        return self.site.outlets if self.place == STATION else tuple(filter(None, (self.outlet,)))


Rule = Callable[[Offer], Refusal | None]


def first_refusal(offer: Offer, rules: Iterable[Rule]) -> Refusal | None:
    """The first rule that the offer breaks."""
    for rule in rules:
        refusal = rule(offer)
        if refusal is not None:
            return refusal
    return None


def stack_level(offer: Offer, rule: str) -> Refusal | None:
    """SC-12: 0 to the highest level that the station keeps."""
    level, highest = offer.profile.stack_level, offer.limits.stack_level
    if 0 <= level <= highest:
        return None
    return refuse(rule, Reason.INVALID_STACK_LEVEL, "stack_level", level=level, highest=highest)


def period_count(offer: Offer, rule: str) -> Refusal | None:
    """SC-12: no more periods a schedule than the station keeps, and at least one."""
    for schedule in offer.profile.schedules:
        count, most = len(schedule.periods), offer.limits.periods
        if not count:
            return refuse(rule, Reason.INVALID_SCHEDULE, "no_period")
        if count > most:
            return refuse(rule, Reason.TOO_MANY_ELEMENTS, "periods", count=count, most=most)
    return None


def period_order(offer: Offer, rule: str) -> Refusal | None:
    """SC-09: the first period starts at 0, the others in ascending order (K01.FR.31, K01.FR.35)."""
    for schedule in offer.profile.schedules:
        starts = [period.start for period in schedule.periods]
        if starts[0] != 0:
            return refuse(rule, Reason.INVALID_SCHEDULE, "first_period", start=starts[0])
        for before, after in pairwise(starts):
            if after <= before:
                return refuse(
                    rule, Reason.INVALID_SCHEDULE, "period_order", before=before, after=after
                )
    return None


def sane_numbers(offer: Offer, rule: str) -> Refusal | None:
    """Limits and durations are not negative, phases are 1 to 3."""
    for schedule in offer.profile.schedules:
        if schedule.duration is not None and schedule.duration < 0:
            return refuse(rule, Reason.INVALID_SCHEDULE, "duration", duration=schedule.duration)
        refusal = _sane_periods(schedule, rule)
        if refusal is not None:
            return refusal
    return None


def _sane_periods(schedule: Schedule, rule: str) -> Refusal | None:
    for period in schedule.periods:
        if period.limit < 0:
            return refuse(rule, Reason.INVALID_SCHEDULE, "limit", limit=period.limit)
        if period.phases is not None and not 1 <= period.phases <= 3:
            return refuse(rule, Reason.INVALID_SCHEDULE, "phases", phases=period.phases)
    return None


def sane_dates(offer: Offer, rule: str) -> Refusal | None:
    """A validity that ends before it begins is never valid."""
    profile = offer.profile
    if profile.valid_from is None or profile.valid_to is None:
        return None
    if profile.valid_from < profile.valid_to:
        return None
    return refuse(rule, Reason.INVALID_PROFILE, "validity")


def recurrency(offer: Offer, rule: str) -> Refusal | None:
    """A recurring profile says how often."""
    profile = offer.profile
    if profile.kind is Kind.RECURRING and profile.recurrency is None:
        return refuse(rule, Reason.INVALID_PROFILE, "recurrency")
    return None


def max_place(offer: Offer, rule: str) -> Refusal | None:
    """SC-04: the maximum of the station belongs to the station."""
    profile = offer.profile
    if profile.purpose is not Purpose.MAX or offer.place == STATION or offer.options.max_on_outlet:
        return None
    return refuse(rule, Reason.INVALID_PROFILE, "max_place", place=offer.place)


def tx_place(offer: Offer, rule: str) -> Refusal | None:
    """SC-06: a profile for a transaction belongs to one outlet."""
    if offer.profile.purpose is Purpose.TX and offer.place == STATION and not offer.starting:
        return refuse(rule, Reason.INVALID_PROFILE, "tx_place")
    return None


def transaction(offer: Offer, idle_rule: str, unknown_rule: str) -> Refusal | None:
    """SC-06: a profile for a transaction needs that very transaction to run there."""
    profile, outlet = offer.profile, offer.outlet
    if profile.purpose is not Purpose.TX or offer.starting or outlet is None:
        return None
    running = outlet.transaction
    if running is None:
        return refuse(idle_rule, Reason.TX_NOT_FOUND, "no_transaction", place=offer.place)
    if profile.transaction_id in (None, running.id):
        return None
    return refuse(
        unknown_rule,
        Reason.TX_NOT_FOUND,
        "other_transaction",
        transaction=profile.transaction_id,
        place=offer.place,
    )


def remote_start(offer: Offer, purpose_rule: str, id_rule: str) -> Refusal | None:
    """A profile in a remote start is one for the transaction to come, which has no id yet."""
    if not offer.starting:
        return None
    profile = offer.profile
    if profile.purpose is not Purpose.TX:
        return refuse(
            purpose_rule, Reason.INVALID_PROFILE, "start_purpose", purpose=profile.purpose.value
        )
    if profile.transaction_id is not None:
        return refuse(
            id_rule, Reason.INVALID_PROFILE, "start_transaction", transaction=profile.transaction_id
        )
    return None


def one_unit(offer: Offer, rule: str) -> Refusal | None:
    """A station that cannot convert, or does not mix, refuses what is in another unit.

    This is a choice of the open points on mixed units, and no rule of either version.
    """
    options = offer.options
    units = {schedule.unit for schedule in offer.profile.schedules}
    if options.conversion is Conversion.NONE:
        for outlet in offer.outlets:
            if units - {outlet.native_unit}:
                return refuse(
                    rule,
                    Reason.UNSUPPORTED_RATE_UNIT,
                    "no_conversion",
                    unit=outlet.native_unit.value,
                )
    if options.one_unit:
        known = {
            schedule.unit
            for item in offer.book
            if item.profile.id != offer.profile.id
            for schedule in item.profile.schedules
        }
        if known and units - known:
            return refuse(rule, Reason.UNSUPPORTED_RATE_UNIT, "mixed_units")
    return None


def room(offer: Offer, after: Book, rule: str) -> Refusal | None:
    """SC-12: no more profiles than the station keeps; a replacement needs no room."""
    most = offer.limits.profiles
    if len(after) <= most or len(after) <= len(offer.book):
        return None
    return refuse(rule, Reason.TOO_MANY_ELEMENTS, "profiles", most=most)
