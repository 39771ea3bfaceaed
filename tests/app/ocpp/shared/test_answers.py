"""What GetCompositeSchedule is answered; each answer is valid in its version."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.ocpp.schema import Schemas
from app.ocpp.shared.charging_profiles import (
    Answer,
    Book,
    CompositeVariance,
    MixedPhases,
    Options,
    Outlet,
    PeriodEdge,
    Purpose,
    Question,
    Rate,
    Reason,
    Recurrency,
    StationComposite,
    Unit,
    answer_16,
    answer_201,
    composite,
    exceeds,
    make_site,
    periods,
)
from app.ocpp.version import Version
from tests.app.ocpp.shared.build import NOON, later, put

SITE = make_site(
    [Outlet(1, rating=Rate(32, Unit.A)), Outlet(2, rating=Rate(16, Unit.A))], voltage=230
)
DEFAULT = put(1, Purpose.TX_DEFAULT, [(0, 16.1), (60, 8, 1)], place=1, start=NOON)
BOOK = Book((DEFAULT,))


def ask_16(
    place: int, duration: int = 120, book: Book = BOOK, unit: Unit | None = None, **options: Any
) -> Answer:
    question = Question(place, duration, later(0.25), unit)
    answer = answer_16(question, book, SITE, Options(**options))
    assert not Schemas.of(Version.V16).check("GetCompositeSchedule", "response", answer.payload)
    return answer


def ask_201(
    place: int, duration: int = 120, book: Book = BOOK, unit: Unit | None = None, **options: Any
) -> Answer:
    question = Question(place, duration, later(0.25), unit)
    answer = answer_201(question, book, SITE, Options(**options))
    assert not Schemas.of(Version.V201).check("GetCompositeSchedule", "response", answer.payload)
    return answer


def test_16_answer_leaves_start_schedule_out() -> None:
    """1.6 errata 3.57 (errata #22)."""
    assert ask_16(1).payload == {
        "status": "Accepted",
        "connectorId": 1,
        "scheduleStart": "2026-02-11T12:00:00Z",
        "chargingSchedule": {
            "duration": 120,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": 16.1},
                {"startPeriod": 60, "limit": 8, "numberPhases": 1},
            ],
        },
    }


def test_201_answer_carries_the_schedule() -> None:
    assert ask_201(1, unit=Unit.W).payload == {
        "status": "Accepted",
        "schedule": {
            "evseId": 1,
            "duration": 120,
            "scheduleStart": "2026-02-11T12:00:00Z",
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": 11_109},
                {"startPeriod": 60, "limit": 1840, "numberPhases": 1},
            ],
        },
    }


def test_phase_to_use_is_told() -> None:
    item = put(1, Purpose.TX_DEFAULT, [(0, 16, 1, 2)], place=1)
    schedule = composite([item], SITE.outlets[0], NOON, 60, Unit.A)
    assert periods(schedule) == [
        {"startPeriod": 0, "limit": 16, "numberPhases": 1, "phaseToUse": 2}
    ]


def test_no_limit_at_all_is_written_as_a_very_high_one() -> None:
    schedule = composite([], Outlet(1), NOON, 60, Unit.A)
    assert periods(schedule) == [{"startPeriod": 0, "limit": 999_999.0}]


def test_station_as_a_whole_is_answered_in_both_versions() -> None:
    assert ask_16(0).payload["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] == 32.1
    assert ask_201(0).payload["schedule"]["chargingSchedulePeriod"][0]["limit"] == 32.1


def test_unknown_places_are_rejected() -> None:
    """1.6 5.7; K08.FR.05."""
    assert ask_16(3).payload == {"status": "Rejected"}
    answer = ask_201(3)
    assert answer.payload == {
        "status": "Rejected",
        "statusInfo": {"reasonCode": "UnknownEvse"},
    }
    assert answer.refusal is not None
    assert answer.schedule is None


def test_sc_18_201_unit_that_is_not_listed_is_rejected() -> None:
    """K08.FR.07."""
    answer = ask_201(1, unit=Unit.W, units=frozenset({Unit.A}))
    assert answer.refusal is not None
    assert answer.refusal.reason is Reason.UNSUPPORTED_RATE_UNIT
    assert ask_201(1, units=frozenset({Unit.A})).payload["status"] == "Accepted"
    assert ask_16(1, unit=Unit.W, units=frozenset({Unit.A})).payload["status"] == "Accepted"


def test_ocpp16_composite_vendor_variance_makes_four_stations() -> None:
    full, no_zero, bare, strict = CompositeVariance
    found = {
        variance: [
            ask_16(place, book=book, variance=variance).payload
            for place, book in ((0, BOOK), (1, BOOK), (1, Book()), (2, BOOK), (0, Book()))
        ]
        for variance in CompositeVariance
    }
    status = {key: [answer["status"][0] for answer in row] for key, row in found.items()}
    assert status == {
        full: ["A", "A", "A", "A", "A"],
        no_zero: ["R", "A", "A", "A", "R"],
        bare: ["A", "A", "A", "A", "A"],
        strict: ["A", "A", "R", "R", "R"],
    }
    assert found[bare][2] == {"status": "Accepted"}
    assert found[full][2]["chargingSchedule"]["chargingSchedulePeriod"] == [
        {"startPeriod": 0, "limit": 32}
    ]


def test_period_edge_is_listed_if_chosen() -> None:
    found = ask_16(1, 60, period_edge=PeriodEdge.INCLUSIVE).payload["chargingSchedule"]
    assert [item["startPeriod"] for item in found["chargingSchedulePeriod"]] == [0, 60]
    assert found["duration"] == 60


def test_ocpp201_composite_evse_zero_makes_three_stations() -> None:
    most = put(5, Purpose.MAX, 60, place=0)
    book = Book((DEFAULT, most))
    assert ask_201(0, book=book).payload["schedule"]["chargingSchedulePeriod"][0] == {
        "startPeriod": 0,
        "limit": 32.1,
    }
    only = ask_201(0, book=book, station_composite=StationComposite.STATION_ONLY)
    assert only.payload["schedule"]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 60}]
    refused = ask_201(0, book=book, station_composite=StationComposite.REJECT)
    assert refused.payload["status"] == "Rejected"
    assert ask_201(1, station_composite=StationComposite.REJECT).payload["status"] == "Accepted"


def test_mixed_phases_choose_the_unit_of_an_answer() -> None:
    mixed = replace(SITE, outlets=(SITE.outlets[0], replace(SITE.outlets[1], phases=1)))
    for choice, unit in ((MixedPhases.FORCE_WATTS, "W"), (MixedPhases.WORST_PHASE, "A")):
        answer = answer_201(Question(0, 60, NOON), BOOK, mixed, Options(mixed_phases=choice))
        assert answer.payload["schedule"]["chargingRateUnit"] == unit


@pytest.mark.parametrize("ask", [ask_16, ask_201])
def test_windows_that_make_no_sense_are_rejected(ask: Any) -> None:
    assert ask(1, -1).payload["status"] == "Rejected"
    assert ask(1, 0).payload["status"] == "Accepted"
    assert ask(1, 2**31 - 1).payload["status"] == "Accepted"


@pytest.mark.parametrize("ask", [ask_16, ask_201])
def test_window_with_too_many_steps_is_rejected_rather_than_computed_for_minutes(ask: Any) -> None:
    steps = [(hour * 3600, hour) for hour in range(24)]
    daily = put(1, Purpose.TX_DEFAULT, steps, every=Recurrency.DAILY)
    ending = put(1, Purpose.TX_DEFAULT, steps, every=Recurrency.DAILY, valid=(None, later(86_400)))
    assert ask(1, 2**31 - 1, Book((daily,))).payload["status"] == "Rejected"
    assert ask(1, 86_400, Book((daily,))).payload["status"] == "Accepted"
    assert ask(1, 2**31 - 1, Book((ending,))).payload["status"] == "Accepted"


def test_schedule_of_a_car_is_compared_with_what_is_allowed() -> None:
    """K15.FR.09."""
    allowed = composite([DEFAULT], SITE.outlets[0], NOON, 120, Unit.A)

    def wish(*steps: tuple[int, float]) -> int | None:
        item = put(9, Purpose.TX_DEFAULT, steps, place=1, start=NOON)
        return exceeds(composite([item], Outlet(1), NOON, 120, Unit.A), allowed)

    assert wish((0, 16.1), (60, 8)) is None
    assert wish((0, 10), (59, 8)) is None
    assert wish((0, 10)) == 60
    assert wish((0, 16.2)) == 0
    free = composite([], Outlet(1), NOON, 120, Unit.A)
    assert exceeds(free, allowed) == 0
    assert exceeds(allowed, free) is None
