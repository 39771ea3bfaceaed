"""Facts and points, measurands, cache and tokens by themselves (2.0.1 part 2, E01, E06, J, C10)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ocpp.schema import Schemas
from app.ocpp.token_types import TOKEN_TYPES
from app.ocpp.v201.auth_cache import CAPACITY, TABLE, AuthCache
from app.ocpp.v201.facts import OPTIONS, Facts, charging_state, ends, starts
from app.ocpp.v201.measurands import SUPPORTED, ReadingContext, meter_value
from app.ocpp.v201.metering import next_aligned
from app.ocpp.v201.tokens import ANONYMOUS, IdToken
from app.ocpp.version import Version
from app.station.kinds import Flow
from app.station.snapshot import MeterReading
from tests.support.memory_store import MemoryStore

NOW = datetime(2026, 1, 15, 8, 0, tzinfo=UTC)
MEMBERS = ("ParkingBayOccupancy", "EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer")
FACTS = st.builds(Facts, st.booleans(), st.booleans(), st.booleans(), st.booleans())


# ---- facts


@given(FACTS, FACTS, st.sets(st.sampled_from(MEMBERS)))
def test_start_and_end_are_mirrors(before: Facts, after: Facts, members: set[str]) -> None:
    """201-TX-05: what starts in one direction ends in the other; nothing changes, nothing happens."""
    assert starts(members, before, after) == ends(members, after, before)
    assert not starts(members, before, before)
    assert not ends(members, after, after)


@given(FACTS)
def test_power_path_is_connected_and_authorized(facts: Facts) -> None:
    """201-TX-05."""
    both = facts.holds("EVConnected") and facts.holds("Authorized")
    assert facts.holds("PowerPathClosed") == both
    assert not facts.holds("DataSigned")


def test_options_are_made_of_known_members() -> None:
    for start, stop in OPTIONS.values():
        assert set(start.split(",") + stop.split(",")) <= set(MEMBERS)


@pytest.mark.parametrize(
    ("facts", "flow", "state"),
    [
        (Facts(), Flow.IDLE, "Idle"),
        (Facts(connected=True), Flow.CONNECTED, "EVConnected"),
        (Facts(connected=True), Flow.CHARGING, "EVConnected"),
        (Facts(connected=True, authorized=True), Flow.CONNECTED, "EVConnected"),
        (Facts(connected=True, authorized=True), Flow.CHARGING, "Charging"),
        (Facts(connected=True, authorized=True), Flow.SUSPENDED_EV, "SuspendedEV"),
        (Facts(connected=True, authorized=True), Flow.SUSPENDED_EVSE, "SuspendedEVSE"),
        (Facts(authorized=True), Flow.IDLE, "Idle"),
    ],
)
def test_charging_state(facts: Facts, flow: Flow, state: str) -> None:
    """201-TX-08."""
    assert charging_state(facts, flow) == state


# ---- measurands


def reading(soc: float | None = 51.23) -> MeterReading:
    return MeterReading(
        NOW,
        1234.56,
        (411.5, 411.5, 411.56),
        11000.0,
        (3666.6, 3666.7, 3666.7),
        (16.0, 15.9, 16.1),
        (230.1, 229.9, 230.0),
        0.99,
        50.01,
        16.0,
        11040.0,
        31.0,
        soc,
    )


def value(*measurands: str, phases: int = 3, **more: object) -> dict[str, object] | None:
    options = {"register_by_phase": False, **more}
    return meter_value(
        reading(),
        measurands,
        ReadingContext.PERIODIC,
        phases=phases,
        **options,  # type: ignore[arg-type]
    )


def test_value_is_a_number_with_its_unit() -> None:
    """MV-08."""
    assert value("Energy.Active.Import.Register") == {
        "timestamp": "2026-01-15T08:00:00Z",
        "sampledValue": [
            {
                "value": 1234.6,
                "unitOfMeasure": {"unit": "Wh"},
                "measurand": "Energy.Active.Import.Register",
                "context": "Sample.Periodic",
            }
        ],
    }


def test_nothing_to_say_is_no_value() -> None:
    """PDU: no empty array."""
    assert value() is None
    assert value("Power.Reactive.Import") is None
    silent = meter_value(
        reading(None), ("SoC",), ReadingContext.TRIGGER, phases=3, register_by_phase=True
    )
    assert silent is None


def test_single_phase_meter_has_only_l1() -> None:
    """J01.FR.11."""
    found = value("Current.Import", "Power.Active.Import", phases=1, register_by_phase=True)
    assert found is not None
    samples = found["sampledValue"]
    assert isinstance(samples, list)
    assert [sample.get("phase") for sample in samples] == ["L1", None]


def test_all_supported_measurands_give_values() -> None:
    """MV-15: what the device model offers can be had."""
    for measurand in SUPPORTED:
        assert value(measurand) is not None


@given(
    st.datetimes(NOW.replace(tzinfo=None), NOW.replace(tzinfo=None, year=2027)),
    st.integers(1, 86_400),
)
def test_next_aligned_instant_lies_on_the_grid_of_the_day(moment: datetime, interval: int) -> None:
    """MV-10: evenly spaced from midnight."""
    now = moment.replace(tzinfo=UTC)
    following = next_aligned(now, interval)
    assert now < following <= now + timedelta(seconds=interval)
    midnight = following.replace(hour=0, minute=0, second=0, microsecond=0)
    assert (following - midnight).total_seconds() % interval == 0


# ---- cache


def test_full_cache_drops_refused_ones_first() -> None:
    """C10.FR.07."""
    store = MemoryStore()
    cache = AuthCache(store)
    long = "x" * 36
    count = 0
    cache.learn(IdToken("good"), {"status": "Accepted"}, NOW)
    while cache.bytes() < CAPACITY - 1200:
        count += 1
        refused = {"status": "Blocked", "groupIdToken": {"idToken": long, "type": "Central"}}
        cache.learn(IdToken(f"{count:036d}"), refused, NOW + timedelta(seconds=count))
    for number in range(20):
        cache.learn(IdToken(f"new{number:033d}"), {"status": "Accepted"}, NOW + timedelta(days=1))
    assert cache.bytes() < CAPACITY
    assert cache.find(IdToken("GOOD"), NOW + timedelta(days=1), 0) == {"status": "Accepted"}
    assert cache.find(IdToken(f"{1:036d}"), NOW + timedelta(days=1), 0) is None


def test_cache_keeps_no_personal_message() -> None:
    """C10.FR.09: what belongs to one visit."""
    cache = AuthCache(MemoryStore())
    cache.learn(
        IdToken("a"),
        {"status": "Accepted", "personalMessage": {"format": "UTF8", "content": "hi"}},
        NOW,
    )
    assert cache.find(IdToken("a"), NOW, 10) == {"status": "Accepted"}


@pytest.mark.parametrize("token", [ANONYMOUS, IdToken("x", "Central")])
def test_cache_keeps_no_anonymous_or_central_token(token: IdToken) -> None:
    """201-AU-10, C02.FR.03, C05.FR.02."""
    store = MemoryStore()
    AuthCache(store).learn(token, {"status": "Accepted"}, NOW)
    assert store.rows(TABLE) == []


def test_expired_entry_is_removed() -> None:
    """C10.FR.10."""
    store = MemoryStore()
    cache = AuthCache(store)
    cache.learn(IdToken("a"), {"status": "Accepted"}, NOW)
    assert cache.find(IdToken("a"), NOW + timedelta(seconds=11), 10) is None
    assert store.rows(TABLE) == []


# ---- tokens


def test_tokens_compare_by_text_and_type() -> None:
    """C01.FR.25."""
    assert IdToken.shown("AB", "iso14443").key == IdToken("ab", "ISO14443").key
    assert IdToken("ab", "KeyCode").key != IdToken("ab").key
    assert IdToken.shown("x" * 36, "unheard of") == IdToken("x" * 36, "ISO14443")
    assert IdToken.shown("x" * 36, "ISO14443").fits
    assert not IdToken.shown("x" * 37, "ISO14443").fits


def test_types_of_tokens_are_those_of_the_schema() -> None:
    schema = Schemas.of(Version.V201).document("Authorize", "request")
    assert set(TOKEN_TYPES) == set(schema["definitions"]["IdTokenEnumType"]["enum"])
