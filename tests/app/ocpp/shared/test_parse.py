"""Charging profiles of both versions come in and go out unchanged."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from app.ocpp.schema import Schemas
from app.ocpp.shared.charging_profiles import (
    Installed,
    MalformedProfile,
    Purpose,
    Source,
    export,
    parse_16,
    parse_201,
    parse_schedule,
    purpose_16,
    purpose_name_16,
    restore,
    write_16,
    write_201,
    write_schedule,
)
from app.ocpp.version import Version
from tests.app.ocpp.shared.build import NOON

FULL_16: dict[str, Any] = {
    "chargingProfileId": 7,
    "transactionId": 33,
    "stackLevel": 2,
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Recurring",
    "recurrencyKind": "Weekly",
    "validFrom": "2026-02-01T00:00:00Z",
    "validTo": "2026-03-01T00:00:00.500Z",
    "chargingSchedule": {
        "duration": 7200,
        "startSchedule": "2026-02-02T08:00:00Z",
        "chargingRateUnit": "A",
        "minChargingRate": 6.5,
        "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 16.1, "numberPhases": 1},
            {"startPeriod": 60, "limit": 8},
        ],
    },
}
FULL_201: dict[str, Any] = {
    "id": -4,
    "stackLevel": 0,
    "chargingProfilePurpose": "ChargingStationExternalConstraints",
    "chargingProfileKind": "Absolute",
    "validFrom": "2026-02-01T00:00:00Z",
    "transactionId": "abc",
    "customData": {"vendorId": "a"},
    "chargingSchedule": [
        {
            "id": 1,
            "startSchedule": "2026-02-02T08:00:00Z",
            "duration": 60,
            "chargingRateUnit": "W",
            "minChargingRate": 1000,
            "chargingSchedulePeriod": [
                {
                    "startPeriod": 0,
                    "limit": 4000,
                    "numberPhases": 1,
                    "phaseToUse": 2,
                    "customData": {"vendorId": "b"},
                }
            ],
            "salesTariff": {
                "id": 1,
                "salesTariffEntry": [{"relativeTimeInterval": {"start": 0}, "ePriceLevel": 1}],
            },
            "customData": {"vendorId": "c"},
        },
        {
            "id": 2,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}],
        },
    ],
}


def test_16_profile_comes_back_as_it_was() -> None:
    assert write_16(parse_16(FULL_16)) == FULL_16
    request = {"connectorId": 1, "csChargingProfiles": write_16(parse_16(FULL_16))}
    assert not Schemas.of(Version.V16).check("SetChargingProfile", "request", request)


def test_201_profile_comes_back_as_it_was() -> None:
    assert write_201(parse_201(FULL_201)) == FULL_201
    request = {"evseId": 1, "chargingProfile": write_201(parse_201(FULL_201))}
    assert not Schemas.of(Version.V201).check("SetChargingProfile", "request", request)


def test_smallest_profiles_come_back_without_anything_added() -> None:
    payload = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "ChargePointMaxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0}],
        },
    }
    profile = parse_16(payload)
    assert profile.purpose is Purpose.MAX
    assert write_16(profile) == payload


def test_moments_with_an_offset_are_moved_to_utc() -> None:
    payload = copy.deepcopy(FULL_16)
    payload["validFrom"] = "2026-02-01T01:00:00+01:00"
    assert write_16(parse_16(payload))["validFrom"] == "2026-02-01T00:00:00Z"


def test_schedule_can_stand_alone() -> None:
    payload = FULL_201["chargingSchedule"][0]
    assert write_schedule(parse_schedule(payload)) == payload


def test_purposes_have_the_names_of_16() -> None:
    assert purpose_16("ChargePointMaxProfile") is Purpose.MAX
    assert purpose_name_16(Purpose.MAX) == "ChargePointMaxProfile"
    assert purpose_name_16(Purpose.TX) == "TxProfile"
    for stranger in ("ChargingStationExternalConstraints", "Nonsense"):
        with pytest.raises(ValueError, match=stranger):
            purpose_16(stranger)


@pytest.mark.parametrize(
    "spoil",
    [
        {"validFrom": "2026-13-45T00:00:00Z"},
        {"chargingProfileKind": "Sometimes"},
        {"chargingSchedule": []},
        {"chargingSchedule": None},
        {"chargingSchedule": [{"chargingRateUnit": "A"}]},
    ],
)
def test_what_is_no_profile_is_told(spoil: dict[str, Any]) -> None:
    with pytest.raises(MalformedProfile):
        parse_201({**FULL_201, **spoil})
    with pytest.raises(MalformedProfile):
        parse_16({**FULL_16, **spoil})


def test_broken_schedule_and_broken_row_are_told() -> None:
    with pytest.raises(MalformedProfile):
        parse_schedule({"chargingRateUnit": "V", "chargingSchedulePeriod": []})
    with pytest.raises(MalformedProfile):
        restore({"place": 1})


@pytest.mark.parametrize("payload", [FULL_16, FULL_201], ids=["1.6", "2.0.1"])
def test_sc_20_installed_profile_survives_in_the_store(payload: dict[str, Any]) -> None:
    profile = parse_16(payload) if payload is FULL_16 else parse_201(payload)
    item = Installed(2, profile, NOON, Source.EMS)
    assert restore(export(item)) == item
