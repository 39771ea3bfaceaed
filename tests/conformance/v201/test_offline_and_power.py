"""What survives: lost links, kills, power cuts, resets, faults. Part 2, E04, E08, E11 to E13, B11, B12."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.kernel.units import parse_stamp
from app.ocpp.context import BootReason
from app.ocpp.events import MessageDropped, TransactionEnded
from app.ocpp.personality import Block
from app.ocpp.v201.transactions import Transactions
from app.station.intents import (
    ArriveCar,
    ClearFault,
    CutMains,
    PlugIn,
    PresentCard,
    RaiseFault,
    RestoreMains,
    SetVehicle,
    Unplug,
)
from app.station.kinds import Fault, LockState, UnplugSide
from app.station.snapshot import MeterReading
from app.station.station import Station
from tests.conformance.v201.conftest import Make, events, set_variable
from tests.support.harness import MUTE, USUAL, Bench, Refuse

A1 = PresentCard("A", evse=1)
A2 = PresentCard("A", evse=2)


async def booted(bench201: Make, variables: dict[str, str] | None = None, **options: Any) -> Bench:
    bench: Bench = bench201(variables=variables, **options)
    await bench.boot()
    bench.skip()
    return bench


async def charging(bench201: Make, *args: Any, **options: Any) -> Bench:
    bench = await booted(bench201, *args, **options)
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), A1)
    bench.skip()
    return bench


# ---- the disk


async def test_201_TX_02_an_event_that_the_disk_did_not_take_leaves_no_gap_and_costs_no_token(
    bench201: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await booted(bench201, {"TxCtrlr.TxStartPoint": "EVConnected"})
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1))
    bench.expect("> StatusNotification\n> TransactionEvent eventType=Started seqNo=0")
    put = bench.store.put

    def no_room(table: str, key: str, row: Any) -> None:
        if table == "outbox":
            raise OSError("the disk is full")
        put(table, key, row)

    monkeypatch.setattr(bench.store, "put", no_room)
    await bench.do(A1)
    with contextlib.suppress(OSError):  # of the timer that was due
        await bench.advance(60)
    assert len(bench.sent("TransactionEvent")) == 1
    monkeypatch.undo()
    bench.faults.clear()  # the disk was full on purpose
    await bench.advance(60)
    told = bench.sent("TransactionEvent")[1]
    assert (told["seqNo"], told["idToken"]["idToken"]) == (1, "A")


# ---- offline


async def test_session_goes_on_without_the_link_and_is_told_afterwards(bench201: Make) -> None:
    """OFF-01, 201-TX-02, 201-TX-04, E11.FR.01, E11.FR.02."""
    bench = await charging(bench201)
    await bench.offline()
    await bench.advance(130)
    await bench.do(A1)
    assert bench.lines == []
    await bench.online()
    bench.expect(
        """
        > StatusNotification
        > StatusNotification
        > TransactionEvent seqNo=2 offline=true triggerReason=MeterValuePeriodic \
 timestamp=2026-01-15T08:01:00Z
        > TransactionEvent seqNo=3 offline=true
        > TransactionEvent eventType=Ended seqNo=4 offline=true timestamp=2026-01-15T08:02:10Z
        """.replace("\\\n", "")
    )


async def test_whole_session_offline_is_told_from_seq_0(bench201: Make) -> None:
    """E04, E08, E12, OFF-02."""
    bench = await booted(bench201, {"AuthCtrlr.OfflineTxForUnknownIdEnabled": "true"})
    await bench.offline()
    await bench.do(PlugIn(1), A1)
    await bench.advance(10)
    await bench.do(A1, Unplug(1))
    await bench.online()
    told = bench.sent("TransactionEvent")
    assert [event["eventType"] for event in told] == ["Started", "Updated", "Updated", "Ended"]
    assert [event["seqNo"] for event in told] == [0, 1, 2, 3]
    assert all(event["offline"] for event in told)


async def test_event_that_happened_online_and_is_resent_is_not_offline(bench201: Make) -> None:
    """201-TX-04: offline says that it happened offline."""
    bench = await booted(bench201)
    hold = bench.csms.hold("TransactionEvent")
    bench.intend(PlugIn(1))
    bench.intend(A1)
    await hold.arrived()
    await bench.offline()
    await bench.online()
    told = bench.sent("TransactionEvent")
    assert told[0] == told[1]
    assert all("offline" not in event for event in told)


async def test_queue_survives_a_kill_and_keeps_its_order(bench201: Make) -> None:
    """OFF-04, E12: after Accepted, one at a time, oldest first."""
    bench = await booted(bench201, {"AuthCtrlr.OfflineTxForUnknownIdEnabled": "true"})
    await bench.offline()
    await bench.do(PlugIn(1), A1, A1, Unplug(1))
    waiting = len(bench.personality.queue())
    assert waiting == 3
    await bench.kill_and_restart()
    assert [event["seqNo"] for event in bench.sent("TransactionEvent")] == [0, 1, 2]
    assert bench.personality.queue() == []


async def test_refused_event_is_repeated_and_then_dropped(bench201: Make) -> None:
    """OFF-06, E13.FR.02, E13.FR.03, E13.FR.04: 60 s, 120 s, then the next."""
    bench = await booted(bench201, {"SampledDataCtrlr.TxUpdatedInterval": "0"})
    bench.csms.on("TransactionEvent", [Refuse(), Refuse(), Refuse(), USUAL])
    await bench.do(PlugIn(1), A1)
    await bench.advance(59)
    assert len(bench.sent("TransactionEvent")) == 1
    await bench.advance(2)
    assert len(bench.sent("TransactionEvent")) == 2
    await bench.advance(118)
    assert len(bench.sent("TransactionEvent")) == 2
    await bench.advance(2)
    told = bench.sent("TransactionEvent")
    assert [event["seqNo"] for event in told[:4]] == [0, 0, 0, 1]
    assert told[0] == told[2]
    assert len(bench.happened(MessageDropped)) == 1


async def test_attempts_and_interval_are_variables(bench201: Make) -> None:
    """OFF-06: MessageAttempts and MessageAttemptInterval[TransactionEvent]."""
    bench = await booted(
        bench201,
        {
            "OCPPCommCtrlr.MessageAttempts[TransactionEvent]": "2",
            "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]": "5",
        },
    )
    bench.csms.on("TransactionEvent", [Refuse(), Refuse(), USUAL])
    await bench.do(PlugIn(1), A1)
    await bench.advance(5)
    assert [event["seqNo"] for event in bench.sent("TransactionEvent")][:3] == [0, 0, 1]


@pytest.mark.parametrize(
    ("choice", "told"),
    [("drop-and-continue", [0, 1]), ("halt-and-alert", [0])],
)
async def test_refusal_of_a_queued_event_is_a_choice(
    bench201: Make, choice: str, told: list[int]
) -> None:
    """Open point ocpp201-replay-rejected."""
    bench = await booted(bench201, points={"ocpp201-replay-rejected": choice})
    bench.csms.on("TransactionEvent", [Refuse(), USUAL])
    await bench.do(PlugIn(1), A1)
    assert [event["seqNo"] for event in bench.sent("TransactionEvent")] == told


# ---- power


async def test_power_cut_in_a_session_ends_it_after_the_boot(bench201: Make) -> None:
    """201-TX-23, ReasonEnumType PowerLoss: nothing is said in the dark."""
    bench = await charging(bench201)
    await bench.advance(10)
    said = len(bench.sent())
    bench.intend(CutMains())
    await bench.rest()
    await bench.advance(60)
    assert len(bench.sent()) == said
    bench.intend(RestoreMains())
    await bench.rest()
    told = bench.sent("TransactionEvent")[-1]
    assert events(bench)[-1] == "Ended AbnormalCondition EVConnected PowerLoss"
    assert told["offline"] is True
    assert told["seqNo"] == 2
    assert told["timestamp"] == "2026-01-15T08:00:10Z"  # when it went dark, not when it booted
    assert told["meterValue"][-1]["timestamp"] == "2026-01-15T08:00:10Z"
    assert [v["sampledValue"][0]["context"] for v in told["meterValue"]] == [
        "Transaction.Begin",
        "Transaction.End",
    ]
    assert bench.sent("BootNotification")[-1]["reason"] == "PowerUp"
    assert bench.personality.sessions() == ()
    assert not bench.station.snapshot().evse(1).permitted


async def test_power_cut_unlocks_the_cable_after_the_boot(bench201: Make) -> None:
    """E06.FR.10."""
    bench = await booted(bench201)
    await bench.do(PlugIn(2), A2)
    await bench.kill_and_restart()
    assert bench.station.snapshot().evse(2).connectors[0].lock is LockState.OPEN


async def test_connected_car_starts_a_new_transaction_after_a_power_cut(bench201: Make) -> None:
    """E01.FR.02: TxStartPoint EVConnected, the old one ends first."""
    bench = await booted(
        bench201,
        {"TxCtrlr.TxStartPoint": "EVConnected", "TxCtrlr.TxStopPoint": "EVConnected"},
    )
    await bench.do(PlugIn(1))
    await bench.kill_and_restart()
    assert events(bench) == [
        "Started CablePluggedIn EVConnected",
        "Ended AbnormalCondition EVConnected PowerLoss",
        "Started CablePluggedIn EVConnected",
    ]
    assert bench.happened(TransactionEnded)[-1].reason == "PowerLoss"


async def test_waiting_transaction_without_an_evse_ends_after_a_power_cut(bench201: Make) -> None:
    """201-TX-01: also the one whose EVSE is not known."""
    bench = await booted(bench201, {"TxCtrlr.TxStartPoint": "Authorized"})
    await bench.do(PresentCard("A"))
    await bench.kill_and_restart()
    assert events(bench)[-1] == "Ended AbnormalCondition Idle PowerLoss"


async def test_reset_equals_kill_and_restart(bench201: Make) -> None:
    """An idle station is the same station after a reset and after a kill."""

    async def story(kill: bool) -> tuple[Any, Any]:
        bench = await booted(bench201)
        await set_variable(bench, "TxCtrlr", "EVConnectionTimeOut", "33")
        await bench.do(PlugIn(1), A1, A1, ArriveCar(2))
        await bench.request(
            "ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 2}}
        )
        bench.skip()
        if kill:
            await bench.kill_and_restart()
        else:
            await bench.request("Reset", {"type": "OnIdle"})
        await bench.do(PresentCard("B", evse=1))
        lines = [line for line in bench.lines if line.action not in ("Reset",)]
        said = [
            str(line).replace("RemoteReset", "PowerUp")
            for line in lines
            if line.action not in ("TransactionEvent", "SecurityEventNotification")
        ]
        tables = ("v201.variables", "v201.availability", "v201.scheduled")
        return said, [bench.store.rows(table) for table in tables]

    assert await story(kill=True) == await story(kill=False)


# ---- reset


async def test_immediate_reset_ends_sessions_and_boots_anew(bench201: Make) -> None:
    """RE-03, B12.FR.04 (errata 2.16): the last events are delivered before the station goes down."""
    bench = await charging(bench201)
    assert await bench.request("Reset", {"type": "Immediate"}) == {"status": "Accepted"}
    bench.expect(
        """
        < Reset
        = Reset status=Accepted
        > TransactionEvent eventType=Ended triggerReason=ResetCommand \
 transactionInfo.stoppedReason=ImmediateReset
        > BootNotification reason=RemoteReset
        > StatusNotification evseId=1 connectorStatus=Occupied
        > StatusNotification evseId=2 connectorStatus=Available
        > SecurityEventNotification type=ResetOrReboot techInfo=RemoteReset
        > SecurityEventNotification type=StartupOfTheDevice
        """.replace("\\\n", "")
    )
    assert bench.reboots == [BootReason.REMOTE_RESET]


async def test_unanswered_last_event_is_sent_again_after_the_boot(bench201: Make) -> None:
    """B12.FR.05."""
    bench = await charging(bench201)
    bench.csms.on("TransactionEvent", [MUTE, USUAL])
    await bench.request("Reset", {"type": "Immediate"})
    await bench.advance(61)  # the wait after an attempt without an answer goes on
    told = [e for e in bench.sent("TransactionEvent") if e["eventType"] == "Ended"]
    assert len(told) == 2
    assert told[0] == told[1]
    boots = [heard.action for heard in bench.csms.heard].index("BootNotification", 1)
    assert bench.csms.heard[boots].payload["reason"] == "RemoteReset"


async def test_refused_last_event_does_not_hold_the_reset_up(bench201: Make) -> None:
    """B12.FR.05."""
    bench = await charging(bench201)
    bench.csms.on("TransactionEvent", [Refuse(), USUAL])
    await bench.request("Reset", {"type": "Immediate"})
    assert bench.reboots == [BootReason.REMOTE_RESET]
    await bench.advance(60)
    assert bench.personality.queue() == []


async def test_reset_without_a_link_goes_down_at_once(bench201: Make) -> None:
    """B12.FR.05: the link breaks while the last event waits for its answer."""
    bench = await charging(bench201)
    hold = bench.csms.hold("TransactionEvent")
    bench.start_request("Reset", {"type": "Immediate"})
    await hold.arrived()
    await bench.offline()
    assert bench.reboots == [BootReason.REMOTE_RESET]
    await bench.online()
    assert bench.personality.queue() == []


async def test_second_reset_while_going_down_is_rejected(bench201: Make) -> None:
    """RE-06, B11.FR.06."""
    bench = await charging(bench201)
    hold = bench.csms.hold("TransactionEvent")
    bench.start_request("Reset", {"type": "Immediate"})
    await hold.arrived()
    second = await bench.start_request("Reset", {"type": "Immediate"})
    assert second[2]["status"] == "Rejected"
    hold.answer({})
    await bench.rest()


@pytest.mark.parametrize(("retries", "reboots"), [("3", 1), ("1", 0)])
async def test_reset_of_a_station_that_is_stuck_for_a_while(
    bench201: Make, retries: str, reboots: int
) -> None:
    """RE-06, OCPPCommCtrlr.ResetRetries: tried again so often, and then the station goes on."""
    bench = await booted(bench201, {"OCPPCommCtrlr.ResetRetries": retries})
    await bench.do(RaiseFault(Fault.RESTART))
    assert await bench.request("Reset", {"type": "Immediate"}) == {"status": "Accepted"}
    await bench.advance(2.5)
    await bench.do(ClearFault(fault=Fault.RESTART))
    await bench.advance(5)
    assert len(bench.reboots) == reboots
    assert await bench.request("Reset", {"type": "Immediate"}) == {"status": "Accepted"}
    assert len(bench.reboots) == reboots + 1


async def test_reset_on_idle_of_an_idle_station(bench201: Make) -> None:
    """RE-04: Accepted at once."""
    bench = await booted(bench201)
    assert await bench.request("Reset", {"type": "OnIdle"}) == {"status": "Accepted"}
    assert bench.reboots == [BootReason.REMOTE_RESET]


async def test_reset_on_idle_waits_for_the_session_and_the_cable(bench201: Make) -> None:
    """RE-04, B12.FR.01, B11.FR.07, errata 2.14: a locked cable is not idle."""
    bench = await booted(bench201)
    await bench.do(PlugIn(2), A2)
    assert await bench.request("Reset", {"type": "OnIdle"}) == {"status": "Scheduled"}
    assert bench.reboots == []
    await bench.do(A2)
    assert bench.reboots == [BootReason.SCHEDULED_RESET]
    assert bench.sent("BootNotification")[-1]["reason"] == "ScheduledReset"


async def test_reset_of_one_evse_keeps_the_station_up(bench201: Make) -> None:
    """RE-05, B11.FR.08, B12.FR.08, B11.FR.10: no BootNotification."""
    bench = await charging(bench201)
    await bench.do(PlugIn(2), A2)
    answer = await bench.request("Reset", {"type": "Immediate", "evseId": 1})
    assert answer == {"status": "Accepted"}
    assert events(bench)[-1] == "Ended ResetCommand EVConnected ImmediateReset"
    assert bench.reboots == []
    assert [view.evse for view in bench.personality.sessions()] == [2]
    assert len(bench.sent("BootNotification")) == 1


async def test_scheduled_reset_of_one_evse(bench201: Make) -> None:
    """B12.FR.07."""
    bench = await charging(bench201)
    answer = await bench.request("Reset", {"type": "OnIdle", "evseId": 1})
    assert answer == {"status": "Scheduled"}
    await bench.do(A1)
    assert bench.reboots == []


async def test_reset_of_an_evse_that_cannot_is_rejected(bench201: Make) -> None:
    """RE-05, B11.FR.09."""
    bench = await booted(bench201, {"EVSE@1.AllowReset": "false"})
    assert (await bench.request("Reset", {"type": "Immediate", "evseId": 1}))[
        "status"
    ] == "Rejected"
    assert (await bench.request("Reset", {"type": "Immediate", "evseId": 9}))[
        "status"
    ] == "Rejected"


# ---- faults


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (RaiseFault(Fault.EMERGENCY_STOP), "EmergencyStop"),
        (RaiseFault(Fault.RCD, 1), "GroundFault"),
        (RaiseFault(Fault.OVERCURRENT, 1), "OvercurrentFault"),
        (RaiseFault(Fault.OVERVOLTAGE, 1), "PowerQuality"),
        (RaiseFault(Fault.INTERNAL, 1), "Other"),
        (RaiseFault(Fault.METER_LOST, 1), "Other"),
    ],
)
async def test_fault_ends_the_session_with_its_reason(
    bench201: Make, fault: RaiseFault, reason: str
) -> None:
    """201-TX-23, E06.FR.16."""
    bench = await charging(bench201)
    await bench.advance(5)
    await bench.do(fault)
    assert events(bench)[-1] == f"Ended AbnormalCondition EVConnected {reason}"
    assert bench.personality.sessions() == ()


async def test_fault_that_derates_or_warns_lets_the_session_go_on(bench201: Make) -> None:
    """201-TX-23."""
    bench = await charging(bench201)
    await bench.do(RaiseFault(Fault.OVER_TEMPERATURE, 1), RaiseFault(Fault.WEAK_SIGNAL))
    assert len(bench.personality.sessions()) == 1


async def test_fault_elsewhere_does_not_matter(bench201: Make) -> None:
    """201-TX-23."""
    bench = await charging(bench201)
    await bench.do(RaiseFault(Fault.RCD, 2))
    assert len(bench.personality.sessions()) == 1


async def test_nothing_starts_over_a_fault(bench201: Make) -> None:
    """F01.FR.23, 201-LOCK-01."""
    bench = await booted(bench201)
    await bench.do(RaiseFault(Fault.RCD, 1), PlugIn(1), A1)
    assert events(bench) == []
    await bench.do(ClearFault(1), A1)
    assert events(bench)[0].startswith("Started")


# ---- the EV side of the cable


@pytest.mark.parametrize("unlocks", ["true", "false"])
async def test_unplugged_at_the_car_the_cable_is_given_or_kept(
    bench201: Make, unlocks: str
) -> None:
    """201-TX-18, E09.FR.02, E09.FR.03: UnlockOnEVSideDisconnect."""
    bench = await booted(bench201, {"OCPPCommCtrlr.UnlockOnEVSideDisconnect": unlocks})
    await bench.do(PlugIn(2), A2)
    await bench.advance(5)
    await bench.do(Unplug(2, side=UnplugSide.EV))
    assert events(bench)[-1] == "Ended EVCommunicationLost Idle EVDisconnected"
    assert not bench.station.snapshot().evse(2).permitted


async def test_suspended_session_goes_on_when_the_car_is_back(bench201: Make) -> None:
    """201-TX-18, E10: StopTxOnEVSideDisconnect false and no stop point that minds."""
    bench = await booted(
        bench201,
        {"TxCtrlr.StopTxOnEVSideDisconnect": "false", "TxCtrlr.TxStopPoint": "Authorized"},
    )
    await bench.do(PlugIn(1), A1)
    await bench.advance(5)
    await bench.do(Unplug(1))
    assert events(bench)[-1] == "Updated EVCommunicationLost Idle"
    await bench.do(PlugIn(1))
    await bench.advance(5)
    assert events(bench)[-1] == "Updated ChargingStateChanged Charging"
    assert len(bench.sent("Authorize")) == 1
    assert "evse" not in bench.sent("TransactionEvent")[-1]


async def test_suspended_session_on_a_fixed_cable_ends_after_the_timeout(bench201: Make) -> None:
    """E10.FR.02."""
    bench = await booted(
        bench201,
        {
            "TxCtrlr.StopTxOnEVSideDisconnect": "false",
            "TxCtrlr.TxStopPoint": "Authorized",
            "TxCtrlr.EVConnectionTimeOut": "20",
            "SampledDataCtrlr.TxUpdatedInterval": "0",
        },
    )
    await bench.do(PlugIn(1), A1)
    await bench.advance(5)
    await bench.do(Unplug(1))
    await bench.advance(20)
    assert events(bench)[-1] == "Ended EVConnectTimeout Idle Timeout"


async def test_suspended_session_on_a_socket_waits_for_the_card(bench201: Make) -> None:
    """E10.FR.01: the cable stays locked until the token is shown."""
    bench = await booted(
        bench201,
        {
            "TxCtrlr.StopTxOnEVSideDisconnect": "false",
            "TxCtrlr.TxStopPoint": "Authorized",
            "SampledDataCtrlr.TxUpdatedInterval": "0",
        },
    )
    await bench.do(PlugIn(2), A2)
    await bench.advance(5)
    await bench.do(Unplug(2, side=UnplugSide.EV))
    await bench.advance(500)
    assert len(bench.personality.sessions()) == 1
    await bench.do(A2)
    assert events(bench)[-1] == "Ended StopAuthorized Idle Local"


async def test_killed_session_ends_with_its_last_event_and_not_with_the_next_boot(
    bench201: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """201-TX-01, E12: a kill leaves no last breath; the dark time is not part of the session."""
    bench = await charging(bench201)
    await bench.advance(130)
    monkeypatch.setattr(Transactions, "stop", Block.stop)
    await bench.kill_and_restart()
    ended = bench.sent("TransactionEvent")[-1]
    assert ended["eventType"] == "Ended"
    assert ended["timestamp"] == "2026-01-15T08:02:00Z"
    assert ended["meterValue"][-1]["timestamp"] == "2026-01-15T08:02:00Z"


async def test_session_killed_as_it_begins_ends_no_earlier_than_it_began(
    bench201: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """J01.FR.17: an event and what is read for it are of one instant, although time goes on meanwhile."""
    bench = await booted(bench201)
    read = Station.meter

    def read_later(station: Station, evse: int) -> MeterReading:
        reading = read(station, evse)
        return replace(reading, at=reading.at + timedelta(milliseconds=9))

    monkeypatch.setattr(Station, "meter", read_later)
    monkeypatch.setattr(Transactions, "stop", Block.stop)
    await bench.do(PlugIn(1), A1)
    await bench.kill_and_restart()
    ended = bench.sent("TransactionEvent")[-1]
    assert ended["eventType"] == "Ended"
    times = [parse_stamp(value["timestamp"]) for value in ended["meterValue"]]
    assert times == sorted(times)
