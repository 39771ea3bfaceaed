"""Charging profiles as the two versions write them, and back.

Payloads come here after their schema was checked; what the schema cannot see (a day that does not exist)
raises MalformedProfile. What is written back says the same as what was received, tariffs and custom data
included.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.kernel.units import parse_stamp, stamp
from app.ocpp.shared.charging.model import (
    ChargingProfile,
    Installed,
    Kind,
    Period,
    Purpose,
    Recurrency,
    Schedule,
    Source,
    Unit,
)

Payload = dict[str, Any]

_MAX_16 = "ChargePointMaxProfile"


class MalformedProfile(ValueError):
    """A payload that is no charging profile."""


def purpose_16(name: str) -> Purpose:
    """The purpose by its name in 1.6. Raises ValueError for a name that 1.6 has not."""
    if name == _MAX_16:
        return Purpose.MAX
    purpose = Purpose(name)
    if purpose not in (Purpose.TX, Purpose.TX_DEFAULT):
        raise ValueError(f"1.6 has no purpose {name!r}")
    return purpose


def purpose_name_16(purpose: Purpose) -> str:
    """The name that 1.6 gives a purpose; that of 2.0.1 for what 1.6 has not."""
    return _MAX_16 if purpose is Purpose.MAX else purpose.value


def parse_16(payload: Mapping[str, Any]) -> ChargingProfile:
    """`csChargingProfiles` of 1.6, or the `chargingProfile` of RemoteStartTransaction."""
    try:
        return _profile(
            payload,
            id_field="chargingProfileId",
            purpose=purpose_16(payload["chargingProfilePurpose"]),
            schedules=(payload["chargingSchedule"],),
        )
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise MalformedProfile(str(error)) from error


def parse_201(payload: Mapping[str, Any]) -> ChargingProfile:
    """`chargingProfile` of 2.0.1."""
    try:
        return _profile(
            payload,
            id_field="id",
            purpose=Purpose(payload["chargingProfilePurpose"]),
            schedules=tuple(payload["chargingSchedule"]),
        )
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise MalformedProfile(str(error)) from error


def _profile(
    payload: Mapping[str, Any], *, id_field: str, purpose: Purpose, schedules: tuple[Any, ...]
) -> ChargingProfile:
    recurrency = payload.get("recurrencyKind")
    if not schedules:
        raise ValueError("a profile without a schedule")
    return ChargingProfile(
        id=payload[id_field],
        stack_level=payload["stackLevel"],
        purpose=purpose,
        kind=Kind(payload["chargingProfileKind"]),
        schedules=tuple(_schedule(item) for item in schedules),
        recurrency=None if recurrency is None else Recurrency(recurrency),
        valid_from=_moment(payload.get("validFrom")),
        valid_to=_moment(payload.get("validTo")),
        transaction_id=payload.get("transactionId"),
        custom=payload.get("customData"),
    )


def parse_schedule(payload: Mapping[str, Any]) -> Schedule:
    """A chargingSchedule that stands alone, such as one that a car proposes (2.0.1)."""
    try:
        return _schedule(payload)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise MalformedProfile(str(error)) from error


def _schedule(payload: Mapping[str, Any]) -> Schedule:
    periods = tuple(
        Period(
            start=item["startPeriod"],
            limit=item["limit"],
            phases=item.get("numberPhases"),
            phase_to_use=item.get("phaseToUse"),
            custom=item.get("customData"),
        )
        for item in payload["chargingSchedulePeriod"]
    )
    return Schedule(
        unit=Unit(payload["chargingRateUnit"]),
        periods=periods,
        duration=payload.get("duration"),
        start=_moment(payload.get("startSchedule")),
        min_rate=payload.get("minChargingRate"),
        id=payload.get("id", 0),
        sales_tariff=payload.get("salesTariff"),
        custom=payload.get("customData"),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else parse_stamp(text)


def write_16(profile: ChargingProfile) -> Payload:
    """The profile as `csChargingProfiles` of 1.6."""
    payload = {
        "chargingProfileId": profile.id,
        "transactionId": profile.transaction_id,
        "stackLevel": profile.stack_level,
        "chargingProfilePurpose": purpose_name_16(profile.purpose),
        **_common(profile),
    }
    schedule = write_schedule(profile.schedule)
    for field in ("id", "salesTariff", "customData"):
        schedule.pop(field, None)
    payload["chargingSchedule"] = schedule
    return _present(payload)


def write_201(profile: ChargingProfile) -> Payload:
    """The profile as `chargingProfile` of 2.0.1."""
    return _present(
        {
            "id": profile.id,
            "stackLevel": profile.stack_level,
            "chargingProfilePurpose": profile.purpose.value,
            **_common(profile),
            "transactionId": profile.transaction_id,
            "chargingSchedule": [write_schedule(schedule) for schedule in profile.schedules],
            "customData": profile.custom,
        }
    )


def _common(profile: ChargingProfile) -> Payload:
    return {
        "chargingProfileKind": profile.kind.value,
        "recurrencyKind": profile.recurrency and profile.recurrency.value,
        "validFrom": _stamp(profile.valid_from),
        "validTo": _stamp(profile.valid_to),
    }


def write_schedule(schedule: Schedule) -> Payload:
    """A chargingSchedule as 2.0.1 has it."""
    periods = [
        _present(
            {
                "startPeriod": period.start,
                "limit": period.limit,
                "numberPhases": period.phases,
                "phaseToUse": period.phase_to_use,
                "customData": period.custom,
            }
        )
        for period in schedule.periods
    ]
    return _present(
        {
            "id": schedule.id,
            "startSchedule": _stamp(schedule.start),
            "duration": schedule.duration,
            "chargingRateUnit": schedule.unit.value,
            "minChargingRate": schedule.min_rate,
            "chargingSchedulePeriod": periods,
            "salesTariff": schedule.sales_tariff,
            "customData": schedule.custom,
        }
    )


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else stamp(moment)


def _present(payload: Payload) -> Payload:
    """Without the fields that say nothing."""
    return {field: value for field, value in payload.items() if value is not None}


def export(item: Installed) -> Payload:
    """An installed profile as plain JSON, for the store. `restore` reads it."""
    return {
        "place": item.place,
        "received": stamp(item.received),
        "source": item.source.value,
        "profile": write_201(item.profile),
    }


def restore(data: Mapping[str, Any]) -> Installed:
    """An installed profile from the store. Raises MalformedProfile."""
    try:
        return Installed(
            place=data["place"],
            profile=parse_201(data["profile"]),
            received=parse_stamp(data["received"]),
            source=Source(data["source"]),
        )
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise MalformedProfile(str(error)) from error
