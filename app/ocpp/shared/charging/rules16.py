"""Which charging profiles a 1.6 station takes (SetChargingProfile, RemoteStartTransaction)."""

from __future__ import annotations

from app.ocpp.shared.charging import rules
from app.ocpp.shared.charging.model import STATION
from app.ocpp.shared.charging.options import UnsupportedUnit
from app.ocpp.shared.charging.refusal import Reason, Refusal, refuse
from app.ocpp.shared.charging.rules import Offer, Rule

_SC_09 = "1.6 SC-09"
_SC_12 = "1.6 SC-12"


def check_16(offer: Offer) -> Refusal | None:
    """Why the offer is refused; None if it is taken."""
    return rules.first_refusal(offer, _RULES)


def _known_connector(offer: Offer) -> Refusal | None:
    """Errata 3.39: a connector that does not exist is no matter of Rejected."""
    if offer.place == STATION or offer.outlet is not None:
        return None
    return refuse(
        "1.6 errata 3.39",
        Reason.UNKNOWN_EVSE,
        "unknown_connector",
        call_error="PropertyConstraintViolation",
        place=offer.place,
    )


def _unit(offer: Offer) -> Refusal | None:
    """SC-13: ChargingScheduleAllowedChargingRateUnit; other choices than to refuse are open."""
    options, unit = offer.options, offer.profile.schedule.unit
    if unit in options.units or options.unsupported_unit is not UnsupportedUnit.REJECT:
        return None
    return refuse(
        "1.6 SC-13, errata 3.88", Reason.UNSUPPORTED_RATE_UNIT, "rate_unit", unit=unit.value
    )


_RULES: tuple[Rule, ...] = (
    _known_connector,
    lambda offer: rules.remote_start(offer, "1.6 5.16.2", "1.6 errata 3.41"),
    lambda offer: rules.max_place(offer, "1.6 SC-04"),
    lambda offer: rules.tx_place(offer, "1.6 SC-06"),
    lambda offer: rules.stack_level(offer, _SC_12),
    lambda offer: rules.period_count(offer, _SC_12),
    lambda offer: rules.period_order(offer, _SC_09),
    lambda offer: rules.sane_numbers(offer, _SC_09),
    lambda offer: rules.sane_dates(offer, "1.6 SC-02"),
    lambda offer: rules.recurrency(offer, "1.6 errata 3.56"),
    _unit,
    lambda offer: rules.one_unit(offer, "1.6 SC-10"),
    lambda offer: rules.transaction(offer, "1.6 SC-06", "1.6 SC-06"),
    lambda offer: rules.room(offer, offer.book.install_16(offer.new).book, _SC_12),
)
