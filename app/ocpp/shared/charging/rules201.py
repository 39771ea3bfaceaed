"""Which charging profiles a 2.0.1 station takes (SetChargingProfile, RequestStartTransaction)."""

from __future__ import annotations

from app.ocpp.shared.charging import rules
from app.ocpp.shared.charging.model import (
    STATION,
    Installed,
    Kind,
    Outlet,
    Period,
    Purpose,
    Source,
)
from app.ocpp.shared.charging.options import Baseline
from app.ocpp.shared.charging.phases import phase_conflict
from app.ocpp.shared.charging.refusal import Reason, Refusal, refuse
from app.ocpp.shared.charging.rules import Offer, Rule
from app.ocpp.shared.charging.timeline import ALWAYS


def check_201(offer: Offer) -> Refusal | None:
    """Why the offer is refused; None if it is taken."""
    return rules.first_refusal(offer, _RULES)


def _known_evse(offer: Offer) -> Refusal | None:
    if offer.place == STATION or offer.outlet is not None:
        return None
    return refuse("K01.FR.28", Reason.UNKNOWN_EVSE, "unknown_evse", place=offer.place)


def _external(offer: Offer) -> Refusal | None:
    """Neither may the back office set an external limit, nor replace one (K01.FR.22, K01.FR.05)."""
    profile, options = offer.profile, offer.options
    if profile.purpose is Purpose.EXTERNAL and not options.external_from_csms:
        return refuse("K01.FR.22", Reason.INVALID_PROFILE, "external")
    known = offer.book.find(profile.id)
    if known is not None and known.source is not Source.CSO:
        return refuse("K01.FR.05", Reason.INVALID_PROFILE, "external_id", id=profile.id)
    return None


def _transaction_id(offer: Offer) -> Refusal | None:
    """Only a TxProfile has a transactionId, and it must have one (K01.FR.03)."""
    profile = offer.profile
    if profile.purpose is not Purpose.TX:
        if profile.transaction_id is None:
            return None
        return refuse("2.10 ChargingProfileType", Reason.INVALID_PROFILE, "stray_transaction")
    if profile.transaction_id is None and not offer.starting:
        return refuse("K01.FR.03", Reason.MISSING_PARAM, "transaction_missing")
    return None


def _too_early(offer: Offer) -> Refusal | None:
    """A car that talks ISO 15118 tells its needs first (K15.FR.17)."""
    outlet = offer.outlet
    if offer.profile.purpose is Purpose.TX and outlet is not None and outlet.needs_awaited:
        return refuse("K15.FR.17", Reason.INVALID_MESSAGE_SEQ, "before_needs", place=offer.place)
    return None


def _schedules(offer: Offer) -> Refusal | None:
    """SC-26: one schedule, up to three for a car that has told its needs (K01.FR.34)."""
    profile, outlet = offer.profile, offer.outlet
    if len(profile.schedules) == 1:
        return None
    if profile.purpose is Purpose.TX and outlet is not None and outlet.high_level:
        return None
    return refuse("K01.FR.34", Reason.INVALID_PROFILE, "schedules", count=len(profile.schedules))


def _kind(offer: Offer) -> Refusal | None:
    """SC-08: what has a start needs one, what begins with the charging must not have one."""
    profile = offer.profile
    relative = profile.kind is Kind.RELATIVE
    if relative and profile.purpose is Purpose.MAX:
        return refuse("K01.FR.38", Reason.INVALID_PROFILE, "max_relative")
    for schedule in profile.schedules:
        if relative and schedule.start is not None:
            return refuse("K01.FR.41", Reason.INVALID_SCHEDULE, "start_given")
        if not relative and schedule.start is None:
            return refuse("K01.FR.40", Reason.INVALID_SCHEDULE, "start_missing")
    return None


def _unit(offer: Offer) -> Refusal | None:
    for schedule in offer.profile.schedules:
        if schedule.unit not in offer.options.units:
            return refuse(
                "K01.FR.26",
                Reason.UNSUPPORTED_RATE_UNIT,
                "rate_unit",
                unit=schedule.unit.value,
            )
    return None


def _phases(offer: Offer) -> Refusal | None:
    """SC-11 with errata #20: phases that the outlets cannot keep to. DC ignores them (K01.FR.44)."""
    for outlet in offer.outlets:
        if outlet.dc:
            continue
        for schedule in offer.profile.schedules:
            for period in schedule.periods:
                refusal = _period_phases(period, outlet)
                if refusal is not None:
                    return refusal
    return None


def _period_phases(period: Period, outlet: Outlet) -> Refusal | None:
    wanted = period.phase_to_use
    if wanted is not None:
        if not 1 <= wanted <= 3:
            return refuse("2.11", Reason.INVALID_SCHEDULE, "phase_to_use", phase=wanted)
        if period.phases != 1:
            return refuse("K01.FR.19", Reason.INVALID_SCHEDULE, "phase_without_one")
        if not outlet.switches_phase and outlet.wired_phase != wanted:
            return refuse(
                "K01.FR.48",
                Reason.UNSUPPORTED_PARAM,
                "no_phase_switching",
                phase=wanted,
                place=outlet.id,
            )
    if period.phases is not None and period.phases < outlet.phases and not outlet.limits_phases:
        return refuse(
            "K01.FR.43",
            Reason.UNSUPPORTED_PARAM,
            "phases_not_kept",
            phases=period.phases,
            place=outlet.id,
        )
    return None


def _duplicate(offer: Offer) -> Refusal | None:
    """Two profiles that would lead at once (K01.FR.06, .39, .52, .53). The same id is a replacement."""
    for old in offer.book:
        if not old.ours or old.profile.id == offer.profile.id:
            continue
        rule = _clash(old, offer.new)
        if rule is not None:
            return refuse(
                rule,
                Reason.DUPLICATE_PROFILE,
                "duplicate",
                id=old.profile.id,
                level=old.profile.stack_level,
            )
    return None


def _clash(old: Installed, new: Installed) -> str | None:
    """The rule by which the two cannot both be installed."""
    one, other = old.profile, new.profile
    if one.purpose is not other.purpose or one.stack_level != other.stack_level:
        return None
    if one.purpose is Purpose.TX:
        same = old.place == new.place and one.transaction_id == other.transaction_id
        return "K01.FR.39" if same else None
    if old.place == new.place:
        return "K01.FR.06" if _overlap(old, new) else None
    if one.purpose is Purpose.TX_DEFAULT and STATION in (old.place, new.place):
        return "K01.FR.52" if new.place == STATION else "K01.FR.53"
    return None


def _overlap(old: Installed, new: Installed) -> bool:
    """Their validities have an instant in common."""

    def edges(item: Installed) -> tuple[float, float]:
        profile = item.profile
        return (
            -ALWAYS if profile.valid_from is None else profile.valid_from.timestamp(),
            ALWAYS if profile.valid_to is None else profile.valid_to.timestamp(),
        )

    (begin, end), (from_, to) = edges(old), edges(new)
    return begin < to and from_ < end


def _phase_conflict(offer: Offer) -> Refusal | None:
    """Errata 2.36: nobody could tell which phase has precedence."""
    if offer.options.baseline is Baseline.EDITION_3:
        return None
    after = offer.book.install_201(offer.new).book
    rival = phase_conflict(after, offer.new, offer.outlets, offer.options)
    if rival is None:
        return None
    return refuse(
        "3.7 (errata 2.36)", Reason.INVALID_SCHEDULE, "phase_conflict", id=rival.profile.id
    )


_RULES: tuple[Rule, ...] = (
    _known_evse,
    _external,
    lambda offer: rules.remote_start(offer, "K05.FR.02", "F01.FR.11"),
    lambda offer: rules.max_place(offer, "K04.FR.03"),
    lambda offer: rules.tx_place(offer, "K01.FR.16"),
    _transaction_id,
    lambda offer: rules.stack_level(offer, "2.9.4 ProfileStackLevel"),
    lambda offer: rules.period_count(offer, "2.9.6 PeriodsPerSchedule"),
    lambda offer: rules.period_order(offer, "K01.FR.31, K01.FR.35"),
    lambda offer: rules.sane_numbers(offer, "2.11"),
    lambda offer: rules.sane_dates(offer, "K01.FR.36, K01.FR.37"),
    lambda offer: rules.recurrency(offer, "K01.FR.40"),
    _kind,
    _unit,
    lambda offer: rules.one_unit(offer, "3.5"),
    _phases,
    lambda offer: rules.transaction(offer, "K01.FR.09", "K01.FR.33"),
    _too_early,
    _schedules,
    _duplicate,
    lambda offer: rules.room(
        offer, offer.book.install_201(offer.new).book, "2.9.10 ChargingProfileEntries"
    ),
    _phase_conflict,
)
