"""Every worked case of smart charging: schedules, shares, and what is taken or refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.kernel.units import parse_stamp
from app.ocpp.shared.charging_profiles import (
    STATION,
    Book,
    Demand,
    Installed,
    Limits,
    Offer,
    Options,
    Outlet,
    Purpose,
    Question,
    Rate,
    Reason,
    Refusal,
    Sharing,
    Site,
    Transaction,
    Unit,
    allocate,
    answer_201,
    check_16,
    check_201,
    compute,
    decide,
    make_site,
    parse_16,
    parse_201,
)
from app.ocpp.version import Version

CASES: dict[str, list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("examples.json").read_text("utf-8")
)
NOW = datetime(2026, 2, 11, 10, 0, tzinfo=UTC)


def book_of(case: dict[str, Any], now: datetime) -> Book:
    if case["version"] == "1.6":
        items = [(e["connectorId"], parse_16(e["csChargingProfiles"])) for e in case["installed"]]
    else:
        items = [(e["evseId"], parse_201(e["chargingProfile"])) for e in case["installed"]]
    return Book(tuple(Installed(place, profile, now) for place, profile in items))


def site_of(case: dict[str, Any], book: Book) -> Site:
    context, query = case["context"], case["query"]
    place = query.get("evseId", query.get("connectorId"))
    rating = None
    if "noLimitValue" in context:
        rating = Rate(context["noLimitValue"], Unit(query["chargingRateUnit"]))
    if place == STATION:
        return make_site((), voltage=context["voltage"], phases=context["phases"], rating=rating)
    transaction = None
    if "txStart" in context:
        own = [i.profile.transaction_id for i in book if i.profile.purpose is Purpose.TX]
        transaction = Transaction(own[0] if own else None, parse_stamp(context["txStart"]))
    outlet = Outlet(
        place,
        phases=context["phases"],
        voltage=context["voltage"],
        rating=rating,
        transaction=transaction,
    )
    return make_site([outlet], voltage=context["voltage"])


def computed(case: dict[str, Any], options: Options) -> dict[str, Any]:
    query, now = case["query"], parse_stamp(case["context"]["now"])
    book = book_of(case, now)
    place = query.get("evseId", query.get("connectorId"))
    question = Question(place, query["duration"], now, Unit(query["chargingRateUnit"]))
    schedule = compute(question, book, site_of(case, book), options)
    return {
        "chargingRateUnit": schedule.unit.value,
        "scheduleStart": schedule.start,
        "duration": schedule.duration,
        "chargingSchedulePeriod": [
            {"startPeriod": piece.start, "limit": piece.limit} for piece in schedule.pieces
        ],
    }


@pytest.mark.parametrize("case", CASES["composite"], ids=lambda case: case["id"])
def test_composite_schedule_of_the_worked_case(case: dict[str, Any]) -> None:
    expected = dict(case["expected"])
    expected["scheduleStart"] = parse_stamp(expected["scheduleStart"])
    assert computed(case, Options()) == expected


ALTERNATES = [
    pytest.param(case, alternate, id=f"{case['id']}-{alternate['option']}")
    for case in CASES["composite"]
    for alternate in case.get("alternates", ())
]


@pytest.mark.parametrize(("case", "alternate"), ALTERNATES)
def test_another_option_gives_the_other_schedule(
    case: dict[str, Any], alternate: dict[str, Any]
) -> None:
    options = decide(Version(case["version"]), {alternate["escalation"]: alternate["option"]})
    found = computed(case, options)["chargingSchedulePeriod"]
    assert found == alternate["expected_periods"]
    assert found != computed(case, Options())["chargingSchedulePeriod"]


SHARES = [
    pytest.param(case, Sharing(sharing), id=f"{case['id']}-{sharing}")
    for case in CASES["allocation"]
    for sharing in case["expected"]
]


@pytest.mark.parametrize(("case", "sharing"), SHARES)
def test_sc_21_busy_outlets_share_the_maximum(case: dict[str, Any], sharing: Sharing) -> None:
    demands = [Demand(int(place), limit) for place, limit in case["demand"].items()]
    shares = allocate(case["limit"], demands, sharing)
    assert {str(place): share for place, share in shares.items()} == case["expected"][sharing]
    assert sum(shares.values()) <= case["limit"]


# ---------------------------------------------------------------- taken or refused


def schedule(**more: Any) -> dict[str, Any]:
    period = {"startPeriod": 0, "limit": 16.0}
    return {"chargingRateUnit": "A", "chargingSchedulePeriod": [period], **more}


def offer_16(connector: int, purpose: str, **more: Any) -> Offer:
    profile = {
        "chargingProfileId": 5,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule(startSchedule="2026-02-11T00:00:00Z"),
    }
    book = more.pop("book", Book())
    outlet = Outlet(1, transaction=more.pop("running", None))
    new = Installed(connector, parse_16({**profile, **more}), NOW)
    return Offer(new, book, make_site([outlet], voltage=230), Limits(5, 10, 2), Options())


def offer_201(evse: int, purpose: str, **more: Any) -> Offer:
    profile = {
        "id": 5,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [schedule(id=1, startSchedule="2026-02-11T00:00:00Z")],
    }
    options = more.pop("options", Options())
    outlet = Outlet(1, transaction=more.pop("running", None))
    new = Installed(evse, parse_201({**profile, **more}), NOW)
    return Offer(new, Book(), make_site([outlet], voltage=230), Limits(5, 10, 2), options)


def full_book() -> Book:
    one = Installed(1, offer_16(1, "TxDefaultProfile", chargingProfileId=1).profile, NOW)
    two = offer_16(1, "TxDefaultProfile", chargingProfileId=2, stackLevel=1).profile
    return Book((one, Installed(1, two, NOW)))


RUNNING = Transaction("TX-1", NOW)
REFUSED_16 = {
    "ocpp16-rej-tx-no-transaction": offer_16(1, "TxProfile", transactionId=7),
    "ocpp16-rej-max-on-connector": offer_16(1, "ChargePointMaxProfile"),
    "ocpp16-rej-tx-on-zero": offer_16(0, "TxProfile", running=Transaction(7, NOW)),
    "ocpp16-rej-stack-too-high": offer_16(1, "TxDefaultProfile", stackLevel=6),
    "ocpp16-rej-too-many-profiles": offer_16(1, "TxDefaultProfile", stackLevel=2, book=full_book()),
    "ocpp16-rej-wrong-transaction": offer_16(
        1, "TxProfile", transactionId=8, running=Transaction(7, NOW)
    ),
}
REFUSED_201 = {
    "ocpp201-rej-tx-unknown": (offer_201(1, "TxProfile", transactionId="T"), Reason.TX_NOT_FOUND),
    "ocpp201-rej-external-from-csms": (
        offer_201(0, "ChargingStationExternalConstraints"),
        Reason.INVALID_PROFILE,
    ),
    "ocpp201-rej-unit": (
        offer_201(1, "TxDefaultProfile", options=Options(units=frozenset({Unit.W}))),
        Reason.UNSUPPORTED_RATE_UNIT,
    ),
    "ocpp201-rej-unknown-evse": (offer_201(9, "TxDefaultProfile"), Reason.UNKNOWN_EVSE),
}
OTHERWISE = {
    "ocpp16-clear-by-id",
    "ocpp16-clear-purpose",
    "ocpp16-clear-all",
    "ocpp201-composite-idle-evse",
}


def test_every_case_of_taking_and_refusing_is_tried() -> None:
    known = {case["id"] for case in CASES["accept_reject"]}
    assert known == {*REFUSED_16, *REFUSED_201, *OTHERWISE}


@pytest.mark.parametrize("case", REFUSED_16)
def test_16_station_refuses_the_profile(case: str) -> None:
    assert isinstance(check_16(REFUSED_16[case]), Refusal)


@pytest.mark.parametrize("case", REFUSED_201)
def test_201_station_refuses_the_profile_with_its_reason(case: str) -> None:
    offer, reason = REFUSED_201[case]
    refusal = check_201(offer)
    assert refusal is not None
    assert refusal.reason is reason


def test_201_transaction_of_another_id_is_unknown() -> None:
    refusal = check_201(offer_201(1, "TxProfile", transactionId="T", running=RUNNING))
    assert refusal is not None
    assert refusal.rule == "K01.FR.33"


def test_external_constraints_of_the_back_office_can_be_allowed() -> None:
    options = Options(external_from_csms=True)
    offer = offer_201(0, "ChargingStationExternalConstraints", options=options)
    assert check_201(offer) is None


def test_ocpp16_clear_by_id_ignores_the_other_filters() -> None:
    change = full_book().clear(profile_id=2, place=9, purpose=Purpose.MAX, level=4)
    assert [item.profile.id for item in change.removed] == [2]
    assert not full_book().clear(profile_id=77).cleared


def test_ocpp16_clear_purpose_reaches_all_connectors() -> None:
    elsewhere = Installed(2, offer_16(1, "TxDefaultProfile", chargingProfileId=3).profile, NOW)
    most = Installed(0, offer_16(0, "ChargePointMaxProfile", chargingProfileId=4).profile, NOW)
    book = Book((*full_book(), elsewhere, most))
    change = book.clear(purpose=Purpose.TX_DEFAULT)
    assert [item.profile.id for item in change.removed] == [1, 2, 3]
    assert list(change.book) == [most]


def test_ocpp16_clear_all_is_unknown_for_an_empty_book() -> None:
    assert len(full_book().clear().removed) == 2
    assert not Book().clear().cleared


def test_201_idle_evse_is_reported_as_if_a_transaction_used_the_default() -> None:
    """K08.FR.06."""
    default = offer_201(
        1,
        "TxDefaultProfile",
        chargingProfileKind="Relative",
        chargingSchedule=[
            schedule(
                id=1,
                chargingSchedulePeriod=[
                    {"startPeriod": 0, "limit": 16.0},
                    {"startPeriod": 60, "limit": 8.0},
                ],
            )
        ],
    ).new
    site = make_site([Outlet(1)], voltage=230)
    answer = answer_201(Question(1, 120, NOW), Book((default,)), site, Options())
    assert answer.payload["schedule"]["chargingSchedulePeriod"] == [
        {"startPeriod": 0, "limit": 16.0},
        {"startPeriod": 60, "limit": 8.0},
    ]
