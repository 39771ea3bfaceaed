"""The pure parts of 1.6: cache, measurands, states, keys, deadlines."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.kernel.clock import VirtualClock
from app.kernel.resources import resource
from app.kernel.units import stamp
from app.ocpp.schema import Schemas
from app.ocpp.v16.cache import Cache
from app.ocpp.v16.keys import KEYS
from app.ocpp.v16.measurands import PHASED, UNITS, Wish, meter_value, parse
from app.ocpp.v16.metering import next_beat, thinned
from app.ocpp.v16.rows import CACHE, Transaction, same_token
from app.ocpp.v16.status import ERROR_CODES, NEXT, error_of
from app.ocpp.v16.timers import Timers
from app.ocpp.version import Version
from app.station.kinds import Fault
from app.station.snapshot import FaultSnapshot, MeterReading
from tests.support.memory_store import MemoryStore

START = datetime(2026, 1, 15, 8, 0, tzinfo=UTC)


def make_cache(capacity: int = 3) -> tuple[Cache, VirtualClock, MemoryStore]:
    clock, store = VirtualClock(START), MemoryStore()
    return Cache(store, clock, lambda: capacity), clock, store


def test_full_cache_drops_what_is_not_valid_first() -> None:
    """16-AU-06."""
    cache, clock, store = make_cache()
    soon = stamp(clock.now() + timedelta(seconds=10))
    cache.put("A", {"status": "Accepted"})
    cache.put("B", {"status": "Accepted", "expiryDate": soon})
    cache.put("C", {"status": "Blocked"})
    clock.advance_now(11)
    cache.put("D", {"status": "Accepted"})
    assert [key for key, _ in store.rows(CACHE)] == ["a", "d"]


def test_full_cache_then_drops_the_oldest() -> None:
    """16-AU-06; a token that is heard of again is young again."""
    cache, _, store = make_cache()
    for token in "ABC":
        cache.put(token, {"status": "Accepted"})
    cache.put("a", {"status": "Accepted"})
    cache.put("D", {"status": "Accepted"})
    assert [key for key, _ in store.rows(CACHE)] == ["c", "a", "d"]
    assert len(cache) == 3


def test_cache_knows_tokens_without_case() -> None:
    """RPC-19."""
    cache, _, _ = make_cache()
    cache.put("AbC", {"status": "Accepted", "parentIdTag": "P"})
    found = cache.find("aBc")
    assert found is not None
    assert found["parentIdTag"] == "P"
    cache.clear()
    assert cache.find("abc") is None


def test_tokens_compare_without_case() -> None:
    """RPC-19."""
    assert same_token("Abc", "aBC")
    assert not same_token(None, None)
    assert not same_token("a", None)


def test_row_of_a_newer_program_is_read() -> None:
    item = Transaction("r", 1, 1, 1, "A", None, "cache", "t", 5)
    assert Transaction.of(item.row() | {"new": 1}).row() == item.row()


@pytest.mark.parametrize(
    ("now", "interval", "due"),
    [
        ("08:00:00", 900, "2026-01-15T08:15:00Z"),
        ("08:14:59", 900, "2026-01-15T08:15:00Z"),
        ("23:59:59", 3600, "2026-01-16T00:00:00Z"),
        ("20:00:00", 50_000, "2026-01-16T00:00:00Z"),
        ("00:00:00", 86_400, "2026-01-16T00:00:00Z"),
    ],
)
def test_next_beat(now: str, interval: int, due: str) -> None:
    """MV-02."""
    moment = datetime.fromisoformat(f"2026-01-15T{now}+00:00")
    assert stamp(next_beat(moment, interval)) == due


def test_thinning_keeps_first_and_last() -> None:
    """MV-05."""
    values = [{"n": number} for number in range(101)]
    assert thinned(values, 200) == values
    few = thinned(values, 10)
    assert len(few) <= 10
    assert (few[0], few[-1]) == ({"n": 0}, {"n": 100})
    assert [each["n"] for each in few] == sorted(each["n"] for each in few)
    assert len(thinned(values, 0)) == 2


def reading(**changes: Any) -> MeterReading:
    facts: dict[str, Any] = {
        "at": START,
        "energy_import": 1234.9,
        "energy_import_phases": (400.0, 400.0, 434.9),
        "power": 11_000.04,
        "power_phases": (3666.0, 3667.0, 3667.04),
        "currents": (15.987, 16.0, 16.0),
        "voltages": (230.0, 231.0, 229.0),
        "power_factor": 1.0,
        "frequency": 50.01,
        "offered_current": 16.0,
        "offered_power": 11_040.0,
        "temperature": 31.5,
        "soc": 55.5,
    }
    return MeterReading(**(facts | changes))


def test_values_are_texts_cut_and_rounded() -> None:
    """MV-07: the register is cut, so that it never says more than was delivered."""
    value = meter_value(reading(), [Wish("Energy.Active.Import.Register")], "Trigger")
    assert value is not None
    assert value["sampledValue"][0]["value"] == "1234"
    current = meter_value(reading(), [Wish("Current.Import", "L1")], "Trigger")
    assert current is not None
    assert current["sampledValue"] == [
        {
            "value": "15.99",
            "context": "Trigger",
            "measurand": "Current.Import",
            "location": "Outlet",
            "unit": "A",
            "phase": "L1",
        }
    ]


def test_outlet_of_one_phase_tells_one_phase() -> None:
    """MV-15."""
    one = reading(voltages=(230.0, 0.0, 0.0), currents=(16.0, 0.0, 0.0))
    value = meter_value(one, [Wish("Current.Import"), Wish("Voltage")], "Trigger")
    assert value is not None
    assert [item["phase"] for item in value["sampledValue"]] == ["L1", "L1-N"]


def test_no_car_no_state_of_charge() -> None:
    assert meter_value(reading(soc=None), [Wish("SoC")], "Trigger") is None
    assert meter_value(reading(), [], "Trigger") is None


def test_every_value_fits_the_schema() -> None:
    """MV-06, MV-07: all measurands, in MeterValues and in transactionData."""
    wishes = [Wish(name) for name in UNITS]
    for context in ("Sample.Periodic", "Sample.Clock", "Trigger", "Transaction.Begin"):
        value = meter_value(reading(), wishes, context, since=1000.0)
        schemas = Schemas.of(Version.V16)
        message = {"connectorId": 1, "meterValue": [value]}
        assert schemas.check("MeterValues", "request", message) == ()
        stop = {
            "transactionId": 1,
            "meterStop": 1,
            "timestamp": stamp(START),
            "transactionData": [value],
        }
        assert schemas.check("StopTransaction", "request", stop) == ()


@pytest.mark.parametrize(
    ("item", "wish"),
    [
        ("SoC", Wish("SoC")),
        ("Voltage.L1", Wish("Voltage", "L1")),
        ("Voltage.L1-N", Wish("Voltage", "L1-N")),
        ("Current.Import.L3", Wish("Current.Import", "L3")),
        ("SoC.L1", None),
        ("Current.Import.N", None),
        ("Voltage.L1-L2", None),
        ("RPM", Wish("RPM")),
        ("RPM.L1", None),
        ("Power.Factor.L2", Wish("Power.Factor", "L2")),
        ("Energy.Apparent.Import", None),
        ("", None),
    ],
)
def test_measurands_of_a_list(item: str, wish: Wish | None) -> None:
    """MV-04."""
    assert parse(item) == wish


def test_the_meter_has_every_measurand_of_the_version() -> None:
    """MV-06: all 22 of the schema, in units that the schema knows."""
    assert set(PHASED) <= set(UNITS)
    schema = Schemas.of(Version.V16).document("MeterValues", "request")
    sample = schema["properties"]["meterValue"]["items"]["properties"]["sampledValue"]["items"]
    assert set(UNITS) == set(sample["properties"]["measurand"]["enum"])
    assert len(UNITS) == 22
    assert {unit for unit in UNITS.values() if unit} <= set(sample["properties"]["unit"]["enum"])


def test_table_of_states_is_the_one_of_the_specification() -> None:
    """16-ST-03: 45 ways plus the 8 out of Faulted, B6 and G8 among them, no B8."""
    letters = {
        "Available": "Preparing Charging SuspendedEV SuspendedEVSE Reserved Unavailable Faulted",
        "Preparing": "Available Charging SuspendedEV SuspendedEVSE Finishing Faulted",
        "Charging": "Available SuspendedEV SuspendedEVSE Finishing Unavailable Faulted",
        "SuspendedEV": "Available Charging SuspendedEVSE Finishing Unavailable Faulted",
        "SuspendedEVSE": "Available Charging SuspendedEV Finishing Unavailable Faulted",
        "Finishing": "Available Preparing Unavailable Faulted",
        "Reserved": "Available Preparing Unavailable Faulted",
        "Unavailable": "Available Preparing Charging SuspendedEV SuspendedEVSE Faulted",
    }
    for state, following in letters.items():
        assert NEXT[state] == frozenset(following.split()), state
    assert NEXT["Faulted"] == frozenset(letters)


def test_error_codes_are_those_of_the_schema() -> None:
    """16-ST-05."""
    schemas = Schemas.of(Version.V16)
    for code in ERROR_CODES:
        payload = {"connectorId": 1, "errorCode": code, "status": "Faulted"}
        assert schemas.check("StatusNotification", "request", payload) == ()
    assert len(ERROR_CODES) == 16


@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_has_a_code(fault: Fault) -> None:
    """16-ST-05."""
    code, _, _ = error_of(FaultSnapshot(fault, 0, 0, START))
    assert code in ERROR_CODES - {"NoError"}


def test_keys_are_told_once() -> None:
    names = [key.name.casefold() for key in KEYS]
    assert len(set(names)) == len(names)
    assert all(len(key.name) <= 50 for key in KEYS)


def test_timers_end_together() -> None:
    clock = VirtualClock(START)
    timers, fired = Timers(clock), []
    for number in range(70):
        timer = timers.call_in(number, lambda: fired.append(1))
        if number < 66:
            timer.cancel()
    timers.cancel_all()
    clock.advance_now(100)
    assert fired == []
    assert clock.next_due() is None


def test_every_sentence_is_in_the_catalogue_and_used() -> None:
    folder = Path(__file__).parents[4] / "app" / "ocpp" / "v16"
    source = "\n".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    known = tomllib.loads(resource("translations", "en", "v16.toml").read_text("utf-8"))
    for name in known:
        assert re.search(rf'"({re.escape(name)}|{name.rpartition(".")[2]})"', source), name
    said = set(re.findall(r'(?:say|_refuse)\([^\n]*?, "(\w+)"', source))
    assert said
    assert {f"v16.screen.{key}" for key in said} <= set(known)
