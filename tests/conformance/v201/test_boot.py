"""Boot, heartbeat, clock: part 2, B01 to B03, G02."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from app.kernel.catalogue import Catalogue
from app.kernel.units import stamp
from app.ocpp.context import BootReason, BootState, CallRefused, Identity
from app.ocpp.events import BootDelayed, BootStateChanged, HeartbeatAnswered
from app.station.intents import PlugIn, PresentCard
from tests.conformance.v201.conftest import Make, get_variable, set_variable
from tests.support.harness import MUTE, START, USUAL, Refuse


async def test_boot_reads_like_the_specification(bench201: Make) -> None:
    """201-BOOT-01, 201-BOOT-02, 201-BOOT-03, B01.FR.05."""
    identity = Identity("Maker", "Model X", "SN-1", None, "2.3", "8931", "2041")
    bench = bench201(settings={"identity": identity})
    assert bench.personality.boot_state is BootState.BOOTING
    await bench.boot()
    bench.expect(
        """
        > BootNotification reason=PowerUp chargingStation.model="Model X" \
          chargingStation.vendorName=Maker chargingStation.serialNumber=SN-1 \
          chargingStation.firmwareVersion=2.3 chargingStation.modem.iccid=8931
        > StatusNotification evseId=1 connectorId=1 connectorStatus=Available
        > StatusNotification evseId=2 connectorId=1 connectorStatus=Available
        > SecurityEventNotification type=StartupOfTheDevice
        """.replace("\\\n          ", "")
    )
    told = [event.state for event in bench.happened(BootStateChanged)]
    assert told == [BootState.BOOTING, BootState.ACCEPTED]


@pytest.mark.parametrize(
    "reason", [BootReason.REMOTE_RESET, BootReason.SCHEDULED_RESET, BootReason.WATCHDOG]
)
async def test_boot_names_its_reason(bench201: Make, reason: BootReason) -> None:
    """201-BOOT-02, B01.FR.09."""
    bench = bench201(boot_reason=reason)
    await bench.boot()
    assert bench.sent("BootNotification")[0]["reason"] == reason.value


@pytest.mark.parametrize("status", ["Accepted", "Pending", "Rejected"])
async def test_an_interval_beyond_all_measure_keeps_no_station_from_booting(
    bench201: Make, status: str
) -> None:
    bench = bench201()
    bench.csms.boot_status, bench.csms.boot_interval = status, 10**400
    await bench.online()
    await bench.advance(3600)
    assert bench.personality.boot_state.name == status.upper()
    bench.csms.boot_status, bench.csms.boot_interval = "Accepted", 300
    await bench.kill_and_restart()
    assert bench.personality.boot_state is BootState.ACCEPTED


async def test_pending_station_asks_again_after_the_interval_and_says_nothing_else(
    bench201: Make,
) -> None:
    """201-BOOT-04, B02.FR.02, B02.FR.08."""
    bench = bench201()
    bench.csms.boot_status, bench.csms.boot_interval = "Pending", 20
    await bench.online()
    await bench.do(PlugIn(1))
    await bench.advance(19)
    assert bench.personality.boot_state is BootState.PENDING
    bench.expect("> BootNotification reason=PowerUp")
    bench.csms.boot_status = "Accepted"
    await bench.advance(1)
    bench.expect(
        """
        > BootNotification reason=PowerUp
        > StatusNotification evseId=1 connectorStatus=Occupied
        > StatusNotification evseId=2 connectorStatus=Available
        > SecurityEventNotification type=StartupOfTheDevice
        """
    )


async def test_pending_station_answers_and_sends_what_it_is_asked_for(bench201: Make) -> None:
    """201-BOOT-04, B02.FR.01, B02.FR.02: triggers and reports only."""
    bench = bench201()
    bench.csms.boot_status, bench.csms.boot_interval = "Pending", 600
    await bench.online()
    bench.skip()
    assert await set_variable(bench, "TxCtrlr", "EVConnectionTimeOut", "30") == "Accepted"
    await bench.request("TriggerMessage", {"requestedMessage": "Heartbeat"})
    await bench.request("GetBaseReport", {"requestId": 7, "reportBase": "SummaryInventory"})
    await bench.request("TriggerMessage", {"requestedMessage": "BootNotification"})
    bench.expect(
        """
        < SetVariables
        = SetVariables
        < TriggerMessage
        = TriggerMessage status=Accepted
        > Heartbeat
        < GetBaseReport
        = GetBaseReport status=Accepted
        > NotifyReport requestId=7
        < TriggerMessage requestedMessage=BootNotification
        = TriggerMessage status=Accepted
        > BootNotification reason=Triggered
        """
    )


async def test_pending_station_starts_and_stops_nothing_from_afar(bench201: Make) -> None:
    """201-BOOT-05, B02.FR.05."""
    bench = bench201()
    bench.csms.boot_status = "Pending"
    await bench.online()
    start = {"idToken": {"idToken": "A", "type": "Central"}, "remoteStartId": 1, "evseId": 1}
    for action, payload in (
        ("RequestStartTransaction", start),
        ("RequestStopTransaction", {"transactionId": "x"}),
    ):
        answer = await bench.request(action, payload)
        assert answer["status"] == "Rejected"
        assert answer["statusInfo"]["reasonCode"] == "CSNotAccepted"


async def test_rejected_station_is_silent_and_answers_with_a_security_error(
    bench201: Make,
) -> None:
    """201-BOOT-06, B03.FR.02, B03.FR.08."""
    bench = bench201()
    bench.csms.boot_status, bench.csms.boot_interval = "Rejected", 45
    await bench.online()
    with pytest.raises(CallRefused) as error:
        await bench.request("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"})
    assert error.value.code == "SecurityError"
    bench.skip()
    await bench.advance(44)
    bench.expect("")
    await bench.advance(1)
    bench.expect("> BootNotification")
    for _ in range(5):
        await bench.advance(45)
    assert len(bench.sent("BootNotification")) == 7


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
async def test_interval_zero_gets_an_own_wait(bench201: Make, status: str) -> None:
    """201-BOOT-07, B02.FR.07, B03.FR.05."""
    bench = bench201()
    bench.csms.boot_status, bench.csms.boot_interval = status, 0
    await bench.online()
    await bench.advance(59)
    assert len(bench.sent("BootNotification")) == 1
    await bench.advance(1)
    assert len(bench.sent("BootNotification")) == 2


@pytest.mark.parametrize("answer", [MUTE, Refuse("InternalError")])
async def test_boot_without_an_answer_is_repeated(bench201: Make, answer: object) -> None:
    """B03, error handling."""
    bench = bench201()
    bench.csms.on("BootNotification", [answer, USUAL])
    await bench.online()
    assert bench.personality.boot_state is BootState.BOOTING
    await bench.advance(60)
    assert bench.personality.boot_state is BootState.ACCEPTED


@pytest.mark.parametrize(
    ("answer", "why", "wait"),
    [
        (MUTE, "ocpp.boot.mute", 60),
        (Refuse("InternalError"), "ocpp.boot.refused", 60),
        ({}, "ocpp.boot.failed", 60),
        ({"status": "Pending", "currentTime": stamp(START), "interval": 7}, "ocpp.boot.pending", 7),
        (
            {"status": "Rejected", "currentTime": stamp(START), "interval": 0},
            "ocpp.boot.rejected",
            60,
        ),
    ],
)
async def test_people_are_told_why_the_station_is_not_accepted_and_when_it_tries_again(
    bench201: Make, answer: object, why: str, wait: float
) -> None:
    bench = bench201()
    bench.csms.on("BootNotification", answer)  # type: ignore[arg-type]
    await bench.online()
    (delayed,) = bench.happened(BootDelayed)
    assert (delayed.why.id, delayed.retry_in) == (why, wait)
    said = Catalogue.load().render(delayed.why)
    assert f"again in {wait} s" in said
    bench.csms.faults.clear()  # one of the answers is broken on purpose


async def test_retry_that_falls_due_offline_waits_for_the_link(bench201: Make) -> None:
    """B02.FR.08."""
    bench = bench201()
    bench.csms.boot_status, bench.csms.boot_interval = "Pending", 10
    await bench.online()
    await bench.offline()
    await bench.advance(30)
    bench.csms.boot_status = "Accepted"
    await bench.online()
    assert bench.personality.boot_state is BootState.ACCEPTED


async def test_link_back_before_the_retry_does_not_hurry_it(bench201: Make) -> None:
    """B02.FR.04."""
    bench = bench201()
    bench.csms.boot_status, bench.csms.boot_interval = "Pending", 100
    await bench.online()
    await bench.offline()
    await bench.online()
    assert len(bench.sent("BootNotification")) == 1
    await bench.advance(100)
    assert len(bench.sent("BootNotification")) == 2


async def test_accepted_boot_sets_heartbeat_interval_and_clock(bench201: Make) -> None:
    """201-BOOT-03, B01.FR.04, B01.FR.06, 201-HB-01."""
    bench = bench201()
    ahead = bench.now + timedelta(hours=1)
    bench.csms.on(
        "BootNotification",
        {"status": "Accepted", "currentTime": stamp(ahead), "interval": 25},
    )
    await bench.online()
    assert bench.now == ahead
    result = await get_variable(bench, "OCPPCommCtrlr", "HeartbeatInterval")
    assert result["attributeValue"] == "25"
    bench.skip()
    await bench.advance(50)
    bench.expect("> Heartbeat\n> Heartbeat")


@pytest.mark.parametrize("end", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
async def test_B01_FR_06_the_end_of_all_dates_is_not_followed(bench201: Make, end: str) -> None:
    """B01.FR.06: a calendar that stands there would fail at its next second, and with it the station."""
    bench = bench201()
    before = bench.now
    bench.csms.on("BootNotification", {"status": "Accepted", "currentTime": end, "interval": 25})
    await bench.online()
    assert bench.now == before


async def test_clock_stays_where_heartbeats_are_no_source_of_time(bench201: Make) -> None:
    """B01.FR.06: only with TimeSource Heartbeat."""
    bench = bench201(variables={"ClockCtrlr.TimeSource": "RealTimeClock"})
    before = bench.now
    bench.csms.on(
        "BootNotification",
        {"status": "Accepted", "currentTime": "2030-01-01T00:00:00Z", "interval": 25},
    )
    await bench.online()
    assert bench.now == before


async def test_clock_is_not_set_back_for_less_than_a_second(bench201: Make) -> None:
    """B01.FR.06: a time in whole seconds, and its travel, are no drift; stamps never run backwards."""
    bench = bench201()
    await bench.advance(0.7)
    before = bench.now
    bench.csms.on(
        "BootNotification",
        {"status": "Accepted", "currentTime": "2026-01-15T08:00:00Z", "interval": 60},
    )
    await bench.online()
    assert bench.now == before


@pytest.mark.parametrize(("choice", "share"), [("ignore", 0.0), ("slew", 0.1)])
async def test_clock_drift_is_a_choice(bench201: Make, choice: str, share: float) -> None:
    """Open point both-clock-drift."""
    bench = bench201(points={"both-clock-drift": choice})
    before = bench.now
    bench.csms.on(
        "BootNotification",
        {
            "status": "Accepted",
            "currentTime": stamp(before + timedelta(seconds=100)),
            "interval": 25,
        },
    )
    await bench.online()
    assert (bench.now - before).total_seconds() == pytest.approx(100 * share)


async def test_before_the_first_answer_nothing_is_promised(bench201: Make) -> None:
    """B01.FR.08: what is asked for could not be sent, so it is rejected."""
    bench = bench201()
    hold = bench.csms.hold("BootNotification")
    link = bench.online()
    task = asyncio.ensure_future(link)
    await hold.arrived()
    trigger = await bench.start_request("TriggerMessage", {"requestedMessage": "Heartbeat"})
    assert trigger[2] == {"status": "Rejected"}
    report = await bench.start_request(
        "GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"}
    )
    assert report[2]["status"] == "Rejected"
    hold.answer({"status": "Accepted", "currentTime": stamp(bench.now), "interval": 60})
    await task


async def test_interval_zero_accepted_keeps_the_heartbeat_interval(bench201: Make) -> None:
    """201-BOOT-03: only if greater than 0."""
    bench = bench201()
    bench.csms.boot_interval = 0
    await bench.boot()
    result = await get_variable(bench, "OCPPCommCtrlr", "HeartbeatInterval")
    assert result["attributeValue"] == "300"


async def test_each_message_puts_the_heartbeat_off(bench201: Make) -> None:
    """201-HB-02, G02.FR.05."""
    bench = bench201(variables={"OCPPCommCtrlr.HeartbeatInterval": "100"})
    bench.csms.boot_interval = 0
    await bench.boot()
    await bench.advance(60)
    await bench.do(PlugIn(1))
    bench.skip()
    await bench.advance(99)
    bench.expect("")
    await bench.advance(1)
    bench.expect("> Heartbeat")
    assert bench.happened(HeartbeatAnswered)[-1].drift == 0


async def test_busy_station_beats_once_a_day_for_the_clock(bench201: Make) -> None:
    """201-HB-02, G02.FR.07."""
    bench = bench201(variables={"SampledDataCtrlr.TxUpdatedInterval": "250"})
    bench.csms.boot_interval = 300
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    await bench.advance(86_399)
    assert bench.sent("Heartbeat") == []
    await bench.advance(2)
    assert len(bench.sent("Heartbeat")) == 1


async def test_changed_heartbeat_interval_counts_at_once(bench201: Make) -> None:
    """201-HB-01."""
    bench = bench201()
    await bench.boot()
    await set_variable(bench, "OCPPCommCtrlr", "HeartbeatInterval", "10")
    bench.skip()
    await bench.advance(10)
    bench.expect("> Heartbeat")


async def test_no_heartbeat_while_offline(bench201: Make) -> None:
    """201-HB-01."""
    bench = bench201()
    bench.csms.boot_interval = 10
    await bench.boot()
    await bench.offline()
    await bench.advance(60)
    assert bench.sent("Heartbeat") == []
    await bench.online()
    assert len(bench.sent("Heartbeat")) == 1  # overdue (E12: first thing after the break)
    await bench.advance(10)
    assert len(bench.sent("Heartbeat")) == 2


@pytest.mark.parametrize(
    ("choice", "seconds", "boots"),
    [
        ("only-if-changed", 500, 1),
        ("always", 1, 2),
        ("after-threshold", 30, 1),
        ("after-threshold", 61, 2),
    ],
)
async def test_boot_after_a_lost_link_is_a_choice(
    bench201: Make, choice: str, seconds: float, boots: int
) -> None:
    """RPC-14, open point both-boot-on-reconnect."""
    bench = bench201(points={"both-boot-on-reconnect": choice})
    await bench.boot()
    await bench.offline()
    await bench.advance(seconds)
    await bench.online()
    assert len(bench.sent("BootNotification")) == boots


async def test_nobody_charges_before_the_boot_was_accepted(bench201: Make) -> None:
    """201-BOOT-10."""
    bench = bench201(variables={"AuthCtrlr.OfflineTxForUnknownIdEnabled": "true"})
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    await bench.advance(10)
    assert not bench.station.snapshot().evse(1).permitted


async def test_charging_before_the_boot_was_accepted_is_told_afterwards(bench201: Make) -> None:
    """201-BOOT-10, B02.FR.03, E04.FR.03."""
    bench = bench201(
        variables={
            "AuthCtrlr.OfflineTxForUnknownIdEnabled": "true",
            "TxCtrlr.TxBeforeAcceptedEnabled": "true",
        }
    )
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    await bench.advance(10)
    assert bench.station.snapshot().evse(1).contactor_closed
    assert bench.sent("TransactionEvent") == []
    await bench.boot()
    told = bench.sent("TransactionEvent")
    assert [event["seqNo"] for event in told] == [0, 1, 2]
    assert all(event["offline"] for event in told)
