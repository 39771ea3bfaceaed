"""Smart charging over the wire and at the socket (1.6 part 3.13, 5.5, 5.7, 5.16; behaviours 7).

The schedules themselves are computed by app/ocpp/shared/charging and tested there.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.kernel.units import stamp
from app.ocpp.context import CallRefused
from app.ocpp.events import ChargingProfileRefused, ChargingProfilesChanged, OpenPointMet
from app.ocpp.shared.charging.model import Unit
from app.ocpp.v16 import Personality16
from app.station.intents import PauseVehicle, PlugIn, PresentCard, PressStop, SetVehicle, Unplug
from tests.conformance.v16.conftest import MIXED, Make
from tests.support.harness import Bench

Periods = list[tuple[int, float]] | list[tuple[int, float, int]]

AC = "public-ac-2x22"


def profile(
    ident: int = 1,
    purpose: str = "TxDefaultProfile",
    *,
    level: int = 0,
    kind: str = "Relative",
    periods: Any = ((0, 10.0),),
    unit: str = "A",
    transaction: int | None = None,
    start: str | None = None,
    duration: int | None = None,
    **more: Any,
) -> dict[str, Any]:
    listed = []
    for period in periods:
        entry = {"startPeriod": period[0], "limit": period[1]}
        if len(period) > 2:
            entry["numberPhases"] = period[2]
        listed.append(entry)
    schedule: dict[str, Any] = {"chargingRateUnit": unit, "chargingSchedulePeriod": listed}
    if start is not None:
        schedule["startSchedule"] = start
    if duration is not None:
        schedule["duration"] = duration
    payload = {
        "chargingProfileId": ident,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
        "chargingSchedule": schedule,
        **more,
    }
    return payload if transaction is None else payload | {"transactionId": transaction}


def maximum(limit: float, ident: int = 9, **more: Any) -> dict[str, Any]:
    options = {"kind": "Absolute", "periods": ((0, limit),)} | more
    return profile(ident, "ChargePointMaxProfile", **options)


async def put(bench: Bench, number: int, what: dict[str, Any]) -> str:
    payload = {"connectorId": number, "csChargingProfiles": what}
    answer: dict[str, Any] = await bench.request("SetChargingProfile", payload)
    return str(answer["status"])


async def clear(bench: Bench, **filters: Any) -> str:
    answer = await bench.request("ClearChargingProfile", filters)
    return str(answer["status"])


async def composite(bench: Bench, number: int, duration: int = 3600, **more: Any) -> dict[str, Any]:
    payload = {"connectorId": number, "duration": duration, **more}
    answer: dict[str, Any] = await bench.request("GetCompositeSchedule", payload)
    return answer


async def charging(bench: Bench, *evses: int) -> None:
    """Boot, and let cars charge on these EVSEs (transactions 1, 2, ...)."""
    await bench.boot()
    for evse in evses or (1,):
        await bench.do(SetVehicle(evse, ready_delay=0.0, soc=10.0, max_ac_current=32.0))
        await bench.do(PlugIn(evse), PresentCard(f"T{evse}", evse=evse))
    await bench.advance(2)


def amps(bench: Bench, evse: int = 1) -> float:
    """A per phase that the EVSE offers."""
    return round(bench.station.meter(evse).offered_current, 2)


def cause(bench: Bench, evse: int = 1) -> tuple[str, dict[str, Any]]:
    """What caps the power now, as the picture says it."""
    binding = bench.station.snapshot().evse(evse).caps[0].name
    return binding.id, dict(binding.params)


def status_of(bench: Bench, number: int = 1) -> str:
    heard = [item for item in bench.sent("StatusNotification") if item["connectorId"] == number]
    return str(heard[-1]["status"])


def installed(bench: Bench) -> list[int]:
    assert isinstance(bench.personality, Personality16)
    return [item.profile.id for item in bench.personality.charging.installed()]


# ---------------------------------------------------------------- SetChargingProfile


async def test_SC_06_profile_of_a_transaction_takes_effect_after_the_answer(bench16: Make) -> None:
    """SC-32; the ladder names the profile."""
    bench = bench16(AC)
    await charging(bench)
    before = amps(bench)
    assert before > 10
    bench.skip()
    wanted = profile(5, "TxProfile", level=3, transaction=1, periods=((0, 10.0),))
    assert await put(bench, 1, wanted) == "Accepted"
    assert amps(bench) == 10.0
    assert cause(bench) == (
        "v16.limit.profile",
        {"purpose": "TxProfile", "id": 5, "level": 3},
    )
    await bench.advance(5)
    assert bench.station.meter(1).currents[0] == pytest.approx(10.0, abs=0.3)
    assert bench.happened(ChargingProfilesChanged)[-1] == ChargingProfilesChanged(1)
    assert await clear(bench, id=5) == "Accepted"
    assert amps(bench) == before


async def test_SC_15_zero_suspends_and_more_resumes(bench16: Make) -> None:
    """C5, E3; below 6 A nothing flows on AC."""
    bench = bench16(AC)
    await charging(bench)
    for limit, word in ((0.0, "SuspendedEVSE"), (16.0, "Charging"), (5.9, "SuspendedEVSE")):
        await put(bench, 1, profile(1, "TxProfile", transaction=1, periods=((0, limit),)))
        await bench.advance(2)
        assert status_of(bench) == word


async def test_SC_09_each_period_begins_at_its_edge(bench16: Make) -> None:
    bench = bench16(AC)
    await charging(bench)
    started = bench.personality.sessions()[0].started
    steps = profile(
        1,
        "TxProfile",
        transaction=1,
        periods=((0, 8.0), (60, 12.0), (120, 0.0), (180, 10.0)),
        duration=240,
    )
    assert await put(bench, 1, steps) == "Accepted"
    free = 32.0
    seen = []
    for edge in (60, 120, 180, 240):
        await bench.advance((started - bench.now).total_seconds() + edge - 0.5)
        before = amps(bench)
        await bench.advance(1)
        seen.append((before, amps(bench)))
    assert seen == [(8.0, 12.0), (12.0, 0.0), (0.0, 10.0), (10.0, free)]


async def test_SC_08_edges_of_an_absolute_schedule_follow_a_corrected_clock(bench16: Make) -> None:
    bench = bench16(AC)
    await charging(bench)
    steps = profile(1, kind="Absolute", periods=((0, 8.0), (3600, 12.0)), start=stamp(bench.now))
    await put(bench, 1, steps)
    assert amps(bench) == 8.0
    ahead = stamp(bench.now + timedelta(hours=1))
    bench.csms.on("Heartbeat", {"currentTime": ahead})
    await bench.request("TriggerMessage", {"requestedMessage": "Heartbeat"})
    await bench.advance(0.1)
    assert amps(bench) == 12.0
    bench.csms.on("Heartbeat", {"currentTime": stamp(bench.now - timedelta(minutes=30))})
    await bench.request("TriggerMessage", {"requestedMessage": "Heartbeat"})
    await bench.advance(0.1)
    assert amps(bench) == 8.0


async def test_SC_06_profile_goes_with_its_transaction(bench16: Make) -> None:
    bench = bench16(AC)
    await charging(bench)
    await put(bench, 1, profile(1))
    await put(bench, 1, profile(2, "TxProfile", transaction=1, periods=((0, 6.0),)))
    await bench.do(PressStop(1))
    assert installed(bench) == [1]
    assert bench.happened(ChargingProfilesChanged)[-1].installed == 1
    await bench.do(Unplug(1), PlugIn(1), PresentCard("NEXT", evse=1))
    await bench.advance(2)
    assert amps(bench) == 10.0


async def test_SC_20_profiles_survive_kill_and_restart(bench16: Make) -> None:
    """Errata 3.37; those of transactions go with them."""
    bench = bench16(AC)
    await charging(bench)
    daily = {"recurrencyKind": "Daily", "start": "2026-01-01T00:00:00Z"}
    await put(bench, 2, profile(3, kind="Recurring", periods=((0, 7.0),), level=4, **daily))
    await put(bench, 0, maximum(20.0))
    await put(bench, 1, profile(2, "TxProfile", transaction=1))
    assert installed(bench) == [3, 9, 2]
    schedule = await composite(bench, 2)
    await bench.kill_and_restart()
    assert installed(bench) == [3, 9]
    assert await composite(bench, 2) == schedule
    await bench.do(PlugIn(2), PresentCard("A", evse=2))
    await bench.advance(5)
    assert amps(bench, 2) == 7.0


async def test_SC_07_same_id_or_same_rung_replaces(bench16: Make) -> None:
    bench = bench16(AC)
    await bench.boot()
    await put(bench, 1, profile(1, level=0))
    await put(bench, 1, profile(2, level=1))
    await put(bench, 1, profile(3, level=0))
    assert installed(bench) == [2, 3]
    await put(bench, 2, profile(2, level=1))
    assert installed(bench) == [3, 2]
    await bench.kill_and_restart()
    assert installed(bench) == [3, 2]


async def test_SC_31_new_default_acts_on_a_running_session(bench16: Make) -> None:
    bench = bench16(AC)
    await charging(bench)
    before = amps(bench)
    await put(bench, 0, profile(1, periods=((0, 13.0),)))
    assert amps(bench) == 13.0
    await put(bench, 1, profile(2, periods=((0, 11.0),)))  # SC-05: the connector's own
    assert amps(bench) == 11.0
    await put(bench, 1, profile(3, "TxProfile", transaction=1, periods=((0, 20.0),)))
    assert amps(bench) == 20.0  # SC-03: replaces the default
    assert await clear(bench) == "Accepted"
    assert amps(bench) == before


async def test_limit_in_watts_and_number_of_phases(bench16: Make) -> None:
    """SC-10: total power over all phases; fewer phases where the station can switch."""
    bench = bench16(AC)
    await charging(bench)
    await put(bench, 1, profile(1, unit="W", periods=((0, 6900.0),)))
    assert amps(bench) == 10.0
    await put(bench, 1, profile(1, periods=((0, 16.0, 1),)))
    await bench.advance(3)
    assert bench.station.snapshot().evse(1).phases_used == 1
    assert bench.station.meter(1).currents[0] == pytest.approx(16.0, abs=0.5)


async def test_phases_are_left_alone_where_they_cannot_be_switched(bench16: Make) -> None:
    """ConnectorSwitch3to1PhaseSupported=false."""
    bench = bench16(AC, keys={"ConnectorSwitch3to1PhaseSupported": "false"})
    await charging(bench)
    await put(bench, 1, profile(1, periods=((0, 16.0, 1),)))
    await bench.advance(3)
    assert bench.station.snapshot().evse(1).phases_used == 3
    assert amps(bench) == 16.0


async def test_dc_is_limited_in_watts(bench16: Make) -> None:
    bench = bench16("dc-2x150")
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0, soc=20.0))
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    await put(bench, 1, profile(1, unit="W", periods=((0, 30_000.0),)))
    await bench.advance(30)
    assert bench.station.meter(1).power == pytest.approx(30_000, rel=0.02)
    await put(bench, 0, maximum(12_000.0, unit="W"))
    await bench.advance(10)
    assert bench.station.meter(1).power == pytest.approx(12_000, rel=0.02)


async def test_SC_10_A_of_the_whole_station_are_those_of_the_grid_also_for_dc(
    bench16: Make,
) -> None:
    """20 A on three phases of 230 V; what the cable carries has another voltage."""
    bench = bench16("dc-2x150")
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0, soc=20.0))
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    await put(bench, 0, maximum(20.0))
    await bench.advance(10)
    assert bench.station.meter(1).offered_power == pytest.approx(13_800)
    answer = await composite(bench, 1, chargingRateUnit="W")
    assert answer["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] == 13_800
    assert isinstance(bench.personality, Personality16)
    ladder = bench.personality.charging.ladder(1, Unit.W)
    assert ladder is not None
    assert ladder.limit == 13_800


async def test_SC_21_A_of_the_maximum_hold_on_each_phase_of_unlike_outlets(bench16: Make) -> None:
    """20 A on three phases are 13.8 kW, which is more than 20 A on the one phase of another outlet."""
    bench = bench16(MIXED)
    await charging(bench, 2)
    assert amps(bench, 2) == 32.0
    await put(bench, 0, maximum(20.0))
    await bench.advance(2)
    assert amps(bench, 2) == 20.0


# ---------------------------------------------------------------- refusals

REFUSALS: dict[str, tuple[int, dict[str, Any], str]] = {
    "SC-04 maximum on a connector": (1, maximum(10.0), "max_place"),
    "SC-06 transaction on 0": (0, profile(1, "TxProfile"), "tx_place"),
    "SC-06 no transaction": (2, profile(1, "TxProfile", transaction=1), "no_transaction"),
    "SC-06 other transaction": (1, profile(1, "TxProfile", transaction=77), "other_transaction"),
    "SC-12 stack level": (1, profile(1, level=11), "stack_level"),
    "SC-12 periods": (1, profile(1, periods=[(n, 8.0) for n in range(25)]), "periods"),
    "SC-12 no period": (1, profile(1, periods=()), "no_period"),
    "SC-09 first period": (1, profile(1, periods=((5, 8.0),)), "first_period"),
    "SC-09 order": (1, profile(1, periods=((0, 8.0), (9, 8.0), (7, 8.0))), "period_order"),
    "negative limit": (1, profile(1, periods=((0, -1.0),)), "limit"),
    "four phases": (1, profile(1, periods=((0, 8.0, 4),)), "phases"),
    "negative duration": (1, profile(1, duration=-1), "duration"),
    "errata 3.56 recurrency": (1, profile(1, kind="Recurring"), "recurrency"),
    "validity": (
        1,
        profile(1, validFrom="2026-02-01T00:00:00Z", validTo="2026-01-01T00:00:00Z"),
        "validity",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_refused_with_a_reason(bench16: Make, name: str) -> None:
    bench = bench16(AC)
    await charging(bench)
    number, what, reason = REFUSALS[name]
    if name == "SC-12 no period":
        payload = {"connectorId": number, "csChargingProfiles": what}
        assert await bench.request("SetChargingProfile", payload) == {"status": "Rejected"}
    else:
        assert await put(bench, number, what) == "Rejected"
    told = bench.happened(ChargingProfileRefused)[-1]
    assert (told.place, told.why.id) == (number, f"smart.refused.{reason}")
    assert installed(bench) == []
    assert bench.happened(ChargingProfilesChanged) == []


async def test_SC_12_so_many_profiles_and_no_more(bench16: Make) -> None:
    """MaxChargingProfilesInstalled; one that replaces another needs no room."""
    bench = bench16(AC, keys={"MaxChargingProfilesInstalled": "2"})
    await bench.boot()
    assert await put(bench, 1, profile(1, level=1)) == "Accepted"
    assert await put(bench, 1, profile(2, level=2)) == "Accepted"
    assert await put(bench, 1, profile(3, level=3)) == "Rejected"
    assert await put(bench, 1, profile(3, level=2)) == "Accepted"
    assert installed(bench) == [1, 3]


@pytest.mark.parametrize("number", [3, -1])
async def test_16_TX_11_unknown_connector_is_a_callerror(bench16: Make, number: int) -> None:
    """Errata 3.39."""
    bench = bench16(AC)
    await bench.boot()
    with pytest.raises(CallRefused, match="PropertyConstraintViolation"):
        await put(bench, number, profile(1))
    assert installed(bench) == []


@pytest.mark.parametrize(
    ("choice", "answer", "limit"),
    [
        ("reject", "Rejected", 32.0),
        ("convert", "Accepted", 10.0),
        ("accept-ignore", "Accepted", 32.0),
    ],
)
async def test_SC_13_unit_that_the_station_does_not_list(
    bench16: Make, choice: str, answer: str, limit: float
) -> None:
    """ocpp16-unsupported-rate-unit; ChargingScheduleAllowedChargingRateUnit."""
    bench = bench16(
        AC,
        keys={"ChargingScheduleAllowedChargingRateUnit": "Current"},
        points={"ocpp16-unsupported-rate-unit": choice},
    )
    await charging(bench)
    assert await put(bench, 1, profile(1, unit="W", periods=((0, 6900.0),))) == answer
    assert amps(bench) == limit
    await put(bench, 1, profile(2, periods=((0, 9.0),), level=1))
    assert amps(bench) == 9.0


async def test_profile_that_is_off_is_not_supported(bench16: Make) -> None:
    """RPC-07; a profile in a remote start is ignored then (part 5.11)."""
    bench = bench16(AC, settings={"features": frozenset({"Core"})})
    await bench.boot()
    for action, payload in (
        ("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile(1)}),
        ("ClearChargingProfile", {}),
        ("GetCompositeSchedule", {"connectorId": 1, "duration": 10}),
    ):
        with pytest.raises(CallRefused, match="NotSupported"):
            await bench.request(action, payload)
    await bench.do(PlugIn(1))
    payload = {"idTag": "R", "connectorId": 1, "chargingProfile": profile(1, periods=((0, 6.0),))}
    assert await bench.request("RemoteStartTransaction", payload) == {"status": "Accepted"}
    assert len(bench.personality.sessions()) == 1
    assert installed(bench) == []


# ---------------------------------------------------------------- RemoteStartTransaction


async def test_16_TX_05_profile_of_a_remote_start(bench16: Make) -> None:
    """It gets the id of the transaction; errata 3.42: the same level replaces it later."""
    bench = bench16(AC)
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0, max_ac_current=32.0), PlugIn(1))
    wanted = profile(4, "TxProfile", periods=((0, 9.0),))
    payload = {"idTag": "R", "connectorId": 1, "chargingProfile": wanted}
    assert await bench.request("RemoteStartTransaction", payload) == {"status": "Accepted"}
    await bench.advance(2)
    assert amps(bench) == 9.0
    assert isinstance(bench.personality, Personality16)
    assert bench.personality.charging.installed()[0].profile.transaction_id == 1
    later = profile(5, "TxProfile", transaction=1, periods=((0, 11.0),))
    assert await put(bench, 1, later) == "Accepted"
    assert installed(bench) == [5]
    await bench.do(PressStop(1))
    assert installed(bench) == []


async def test_16_TX_05_profile_waits_for_the_plug(bench16: Make) -> None:
    bench = bench16(AC)
    await bench.boot()
    await bench.do(SetVehicle(2, ready_delay=0.0))
    wanted = profile(4, "TxProfile", periods=((0, 9.0),))
    payload = {"idTag": "R", "connectorId": 2, "chargingProfile": wanted}
    assert await bench.request("RemoteStartTransaction", payload) == {"status": "Accepted"}
    assert installed(bench) == []
    await bench.do(PlugIn(2))
    assert installed(bench) == [4]
    assert amps(bench, 2) == 9.0


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (profile(1, "TxDefaultProfile"), "start_purpose"),
        (profile(1, "ChargePointMaxProfile"), "start_purpose"),
        (profile(1, "TxProfile", transaction=3), "start_transaction"),  # errata 3.41
        (profile(1, "TxProfile", level=99), "stack_level"),
    ],
)
async def test_16_TX_05_wrong_profile_rejects_the_remote_start(
    bench16: Make, wanted: dict[str, Any], reason: str
) -> None:
    bench = bench16(AC)
    await bench.boot()
    await bench.do(PlugIn(1))
    payload = {"idTag": "R", "connectorId": 1, "chargingProfile": wanted}
    assert await bench.request("RemoteStartTransaction", payload) == {"status": "Rejected"}
    assert bench.personality.sessions() == ()
    assert bench.happened(ChargingProfileRefused)[-1].why.id == f"smart.refused.{reason}"


async def test_zero_from_the_start_never_shows_charging(bench16: Make) -> None:
    """The limit is there before the permission: B5."""
    bench = bench16(AC)
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1))
    await put(bench, 1, profile(1, periods=((0, 0.0),)))
    bench.skip()
    await bench.do(PresentCard("A", evse=1))
    await bench.advance(5)
    assert bench.saw("> StatusNotification connectorId=1 status=SuspendedEVSE")
    assert not bench.saw("> StatusNotification connectorId=1 status=Charging")


# ---------------------------------------------------------------- ClearChargingProfile


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ({}, []),
        ({"id": 2}, [1, 3, 9]),
        ({"connectorId": 1}, [3, 9]),
        ({"connectorId": 0}, [1, 2, 3]),
        ({"chargingProfilePurpose": "ChargePointMaxProfile"}, [1, 2, 3]),
        ({"chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 1}, [1, 9]),
        ({"connectorId": 1, "stackLevel": 1}, [1, 3, 9]),
        ({"id": 77}, None),
        ({"connectorId": 2, "stackLevel": 0}, None),
        ({"chargingProfilePurpose": "TxProfile"}, None),
    ],
)
async def test_SC_17_clear_by_id_or_by_all_of_the_filters(
    bench16: Make, filters: dict[str, Any], left: list[int] | None
) -> None:
    """Errata 3.25."""
    bench = bench16(AC)
    await bench.boot()
    for number, what in (
        (1, profile(1, level=0)),
        (1, profile(2, level=1)),
        (2, profile(3, level=1)),
        (0, maximum(20.0)),
    ):
        assert await put(bench, number, what) == "Accepted"
    answer = "Unknown" if left is None else "Accepted"
    assert await clear(bench, **filters) == answer
    expected = [1, 2, 3, 9] if left is None else left
    assert installed(bench) == expected
    await bench.kill_and_restart()
    assert installed(bench) == expected


# ---------------------------------------------------------------- GetCompositeSchedule


async def test_SC_18_composite_of_a_connector(bench16: Make) -> None:
    """Errata 3.57: no startSchedule in it."""
    bench = bench16(AC)
    await bench.boot()
    await put(bench, 0, maximum(12.0))
    await put(bench, 1, profile(1, periods=((0, 8.0), (600, 16.0)), duration=1200))
    assert await composite(bench, 1, 1800) == {
        "status": "Accepted",
        "connectorId": 1,
        "scheduleStart": stamp(bench.now),
        "chargingSchedule": {
            "duration": 1800,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": 8.0},
                {"startPeriod": 600, "limit": 12.0},
            ],
        },
    }
    watts = await composite(bench, 1, 1800, chargingRateUnit="W")
    limits = [entry["limit"] for entry in watts["chargingSchedule"]["chargingSchedulePeriod"]]
    assert limits == [8 * 690.0, 12 * 690.0]
    assert await composite(bench, 7) == {"status": "Rejected"}


async def test_SC_18_relative_schedule_counts_from_the_start_of_the_transaction(
    bench16: Make,
) -> None:
    bench = bench16(AC)
    await charging(bench)
    await put(bench, 1, profile(1, periods=((0, 8.0), (600, 16.0))))
    await bench.advance(98)
    periods = (await composite(bench, 1))["chargingSchedule"]["chargingSchedulePeriod"]
    assert periods == [{"startPeriod": 0, "limit": 8.0}, {"startPeriod": 500, "limit": 16.0}]


@pytest.mark.parametrize(
    ("choice", "zero", "bare"),
    [
        ("full-support", "Accepted", 32.0),
        ("reject-connector-zero", "Rejected", 32.0),
        ("empty-when-no-profile", "Accepted", "empty"),
        ("reject-when-no-profile", "Rejected", None),
    ],
)
async def test_SC_18_vendors_differ(bench16: Make, choice: str, zero: str, bare: Any) -> None:
    """ocpp16-composite-vendor-variance."""
    bench = bench16(AC, points={"ocpp16-composite-vendor-variance": choice})
    await bench.boot()
    assert (await composite(bench, 0))["status"] == zero
    answer = await composite(bench, 1)
    if bare is None:
        assert answer == {"status": "Rejected"}
    elif bare == "empty":
        assert answer == {"status": "Accepted"}
    else:
        limits = answer["chargingSchedule"]["chargingSchedulePeriod"]
        assert limits == [{"startPeriod": 0, "limit": bare}]
    await put(bench, 1, profile(1))
    answer = await composite(bench, 1)
    assert answer["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] == 10.0


@pytest.mark.parametrize(("choice", "count"), [("exclusive", 1), ("inclusive", 2)])
async def test_SC_18_period_at_the_edge_of_the_window(
    bench16: Make, choice: str, count: int
) -> None:
    """ocpp16-composite-vendor-variance.period-edge."""
    bench = bench16(AC, points={"ocpp16-composite-vendor-variance.period-edge": choice})
    await bench.boot()
    await put(bench, 1, profile(1, periods=((0, 8.0), (600, 16.0))))
    answer = await composite(bench, 1, 600)
    assert len(answer["chargingSchedule"]["chargingSchedulePeriod"]) == count


# ---------------------------------------------------------------- no profile at all


@pytest.mark.parametrize(
    ("choice", "limit", "text"),
    [
        ("hardware-max", 32.0, None),
        ("site-default", 13.0, "v16.limit.site"),
        ("deny", 0.0, "v16.limit.deny"),
    ],
)
async def test_SC_19_no_profile_online(
    bench16: Make, choice: str, limit: float, text: str | None
) -> None:
    """ocpp16-no-profile-online; SC-30: offline there is no such limit."""
    bench = bench16(
        AC, keys={"SiteDefaultCurrent": "13"}, points={"ocpp16-no-profile-online": choice}
    )
    await charging(bench)
    assert amps(bench) == limit
    assert bench.happened(OpenPointMet)
    if text is not None:
        assert cause(bench)[0] == text
    schedule = (await composite(bench, 1))["chargingSchedule"]["chargingSchedulePeriod"]
    assert schedule[0]["limit"] == limit
    await bench.offline()
    assert amps(bench) == 32.0
    await bench.online()
    assert amps(bench) == limit
    await put(bench, 1, profile(1))
    assert amps(bench) == 10.0
    await clear(bench)
    if choice == "site-default":
        bench.personality.set_setting("SiteDefaultCurrent", "8")
        assert amps(bench) == 8.0


# ---------------------------------------------------------------- several connectors, one maximum


@pytest.mark.parametrize(
    ("choice", "first", "second"),
    [
        ("equal-share", 15.0, 15.0),
        ("first-come", 20.0, 10.0),
        ("proportional", 11.5, 18.4),
        ("priority", 0.0, 30.0),
    ],
)
async def test_SC_21_connectors_share_the_maximum(
    bench16: Make, choice: str, first: float, second: float
) -> None:
    """ocpp16-max-profile-allocation."""
    bench = bench16(
        AC,
        keys={"ConnectorPriority": "0,5"},
        points={"ocpp16-max-profile-allocation": choice},
    )
    await charging(bench, 1)
    await put(bench, 1, profile(1, periods=((0, 20.0),)))
    await bench.do(SetVehicle(2, ready_delay=0.0, soc=10.0, max_ac_current=32.0))
    await bench.do(PlugIn(2), PresentCard("T2", evse=2))
    await bench.advance(2)
    await put(bench, 0, maximum(30.0))
    await bench.advance(2)
    assert (amps(bench, 1), amps(bench, 2)) == (first, second)
    assert (cause(bench, 2)[0], cause(bench, 2)[1].get("count")) == ("v16.limit.shared", 2)
    assert status_of(bench, 1) == ("SuspendedEVSE" if first == 0 else "Charging")


async def test_SC_21_shared_out_again_when_one_pauses_or_ends(bench16: Make) -> None:
    """At every start, stop and suspend."""
    bench = bench16(AC)
    await charging(bench, 1, 2)
    await put(bench, 0, maximum(24.0))
    assert (amps(bench, 1), amps(bench, 2)) == (12.0, 12.0)
    await bench.do(PauseVehicle(1))
    await bench.advance(2)
    assert amps(bench, 2) == 24.0
    assert cause(bench, 2)[0] == "v16.limit.profile"
    await bench.do(PressStop(1))
    assert amps(bench, 2) == 24.0
    await bench.do(Unplug(1), PressStop(2))
    assert await clear(bench, id=9) == "Accepted"
    await bench.do(Unplug(2), PlugIn(2), PresentCard("T2", evse=2))
    await bench.advance(2)
    assert amps(bench, 2) == 32.0


async def test_ladder_says_why_each_profile_stands_where_it_does(bench16: Make) -> None:
    bench = bench16(AC)
    await bench.boot()
    await put(bench, 0, maximum(12.0))
    await put(bench, 1, profile(1))
    assert isinstance(bench.personality, Personality16)
    ladder = bench.personality.charging.ladder(1, Unit.A)
    assert ladder is not None
    assert ladder.limit == 10.0
    standings = {rung.installed.profile.id: rung.standing.value for rung in ladder.rungs}
    assert standings == {9: "higher", 1: "wins"}
    assert bench.personality.charging.ladder(0, Unit.A) is None
