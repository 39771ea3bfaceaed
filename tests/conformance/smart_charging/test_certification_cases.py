"""Composite schedules as the certification test cases for 2.0.1 stations ask for them (TC_K_*)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.ocpp.schema import Schemas
from app.ocpp.shared.charging_profiles import (
    Book,
    Installed,
    Options,
    Outlet,
    Question,
    Rate,
    Site,
    Transaction,
    Unit,
    answer_201,
    make_site,
    parse_201,
)
from app.ocpp.version import Version

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
RATING = Rate(32, Unit.A)
IDLE = make_site([Outlet(1, rating=RATING), Outlet(2, rating=RATING)], voltage=230)
CHARGING = make_site(
    [Outlet(1, rating=RATING, transaction=Transaction("T", NOW)), Outlet(2, rating=RATING)],
    voltage=230,
)


def at(seconds: int) -> str:
    return (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def profile(
    evse: int,
    number: int,
    purpose: str,
    starts: tuple[int, ...],
    limits: tuple[float, ...],
    *,
    kind: str = "Absolute",
    level: int = 0,
    start: int | None = 0,
    **more: Any,
) -> Installed:
    schedule: dict[str, Any] = {
        "id": number,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [
            {"startPeriod": when, "limit": limit, "numberPhases": 3}
            for when, limit in zip(starts, limits, strict=True)
        ],
    }
    if start is not None:
        schedule["startSchedule"] = at(start)
    if "duration" in more:
        schedule["duration"] = more.pop("duration")
    payload = {
        "id": number,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
        "chargingSchedule": [schedule],
        **more,
    }
    return Installed(evse, parse_201(payload), NOW)


def answered(
    evse: int, duration: int, site: Site, *items: Installed, later: int = 0
) -> list[tuple[int, float]]:
    question = Question(evse, duration, NOW + timedelta(seconds=later), Unit.A)
    payload = answer_201(question, Book(items), site, Options()).payload
    assert not Schemas.of(Version.V201).check("GetCompositeSchedule", "response", payload)
    schedule = payload["schedule"]
    assert (schedule["evseId"], schedule["duration"]) == (evse, duration)
    return [(item["startPeriod"], item["limit"]) for item in schedule["chargingSchedulePeriod"]]


def test_tc_k_21_relative_default_becomes_valid_later() -> None:
    """K01.FR.36."""
    item = profile(
        1, 1, "TxDefaultProfile", (0,), (6,), kind="Relative", start=None, validFrom=at(300)
    )
    assert answered(1, 400, IDLE, item, later=3) == [(0, 32), (297, 6)]


@pytest.mark.parametrize(("evse", "factor"), [(0, 2), (1, 1), (2, 1)])
def test_tc_k_22_default_for_all_ceases_to_be_valid(evse: int, factor: int) -> None:
    """K01.FR.37: on EVSE 0 the limit counts for each EVSE."""
    item = profile(0, 1, "TxDefaultProfile", (0,), (6,), validFrom=at(-5), validTo=at(300))
    found = answered(evse, 400, IDLE, item, later=2)
    assert found == [(0, 6 * factor), (298, 32 * factor)]


def test_tc_k_23_schedule_starts_later() -> None:
    """K01.FR.30."""
    item = profile(
        1, 1, "TxDefaultProfile", (0,), (6,), start=60, validFrom=at(50), validTo=at(400)
    )
    assert answered(1, 300, IDLE, item, later=1) == [(0, 32), (59, 6)]


def test_tc_k_39_no_profile_installed() -> None:
    assert answered(0, 300, IDLE) == [(0, 64)]


def test_tc_k_40_stacked_profiles() -> None:
    low = profile(1, 1, "TxDefaultProfile", (0, 100, 200), (6, 8, 10), duration=400)
    high = profile(1, 2, "TxDefaultProfile", (0, 100), (7, 9), level=1, duration=150)
    expected = [(0, 7), (95, 9), (145, 8), (195, 10)]
    assert answered(1, 350, IDLE, low, high, later=5) == expected


def test_tc_k_41_combined_purposes() -> None:
    most = profile(0, 1, "ChargingStationMaxProfile", (0,), (10,), duration=86_400)
    starts = (0, 60, 120, 180, 260)
    default = profile(1, 2, "TxDefaultProfile", starts, (6, 10, 8, 15, 8), duration=300)
    own = profile(
        1,
        3,
        "TxProfile",
        (0, 50, 140, 200, 240),
        (8, 11, 16, 6, 12),
        duration=260,
        transactionId="T",
    )
    expected = [(0, 8), (50, 10), (200, 6), (240, 10), (260, 8), (300, 10)]
    assert answered(1, 400, CHARGING, most, default, own) == expected
