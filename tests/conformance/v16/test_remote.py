"""Remote start and stop, unlock, trigger, reset, data transfer, free vend (1.6 part 5)."""

from __future__ import annotations

from typing import Any

import pytest

from app.ocpp.context import BootReason, CallRefused, Reply
from app.ocpp.v16 import Personality16
from app.station.events import RestartOrdered
from app.station.intents import (
    ClearFault,
    PlugIn,
    PresentCard,
    PressStart,
    PressStop,
    RaiseFault,
    SetVehicle,
    Unplug,
)
from app.station.kinds import Fault, RestartKind
from tests.conformance.v16.conftest import Make
from tests.support.harness import MUTE, Bench


async def status(bench: Bench, action: str, **payload: Any) -> str:
    answer: dict[str, Any] = await bench.request(action, payload)
    return str(answer["status"])


async def test_remote_start_is_authorized_like_a_card(bench16: Make) -> None:
    """16-TX-05: AuthorizeRemoteTxRequests=true."""
    bench = bench16()
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1))
    bench.skip()
    assert await status(bench, "RemoteStartTransaction", idTag="R", connectorId=1) == "Accepted"
    bench.expect(
        """
        < RemoteStartTransaction
        = RemoteStartTransaction status=Accepted
        > Authorize idTag=R
        > StartTransaction connectorId=1 idTag=R
        > StatusNotification connectorId=1 status=Charging
        """
    )


async def test_remote_start_without_authorization(bench16: Make) -> None:
    """16-TX-05: AuthorizeRemoteTxRequests=false."""
    bench = bench16(keys={"AuthorizeRemoteTxRequests": "false"})
    await bench.boot()
    await bench.do(PlugIn(1))
    bench.skip()
    payload = {"idTag": "R", "connectorId": 1}
    assert await bench.request("RemoteStartTransaction", payload) == {"status": "Accepted"}
    assert not bench.saw("> Authorize")
    assert bench.saw("> StartTransaction idTag=R")


async def test_remote_start_of_a_refused_token_starts_nothing(bench16: Make) -> None:
    """16-TX-05."""
    bench = bench16()
    bench.csms.token_status["R"] = "Blocked"
    await bench.boot()
    await bench.do(PlugIn(1))
    assert await status(bench, "RemoteStartTransaction", idTag="R", connectorId=1) == "Accepted"
    assert bench.personality.sessions() == ()


async def test_remote_start_waits_for_the_plug_and_gives_up(bench16: Make) -> None:
    """16-TX-05, 16-ST-09."""
    bench = bench16(keys={"ConnectionTimeOut": "30"})
    await bench.boot()
    bench.skip()
    assert await status(bench, "RemoteStartTransaction", idTag="R", connectorId=2) == "Accepted"
    assert bench.saw("> StatusNotification connectorId=2 status=Preparing")
    await bench.advance(30)
    assert bench.saw("> StatusNotification connectorId=2 status=Available")
    await bench.do(PlugIn(2))
    assert bench.personality.sessions() == ()


@pytest.mark.parametrize("trouble", ["unknown", "zero", "fault", "unavailable", "busy", "claimed"])
async def test_remote_start_is_rejected_where_nothing_can_start(
    bench16: Make, trouble: str
) -> None:
    """16-TX-05, 16-TX-11."""
    bench = bench16()
    await bench.boot()
    number = {"unknown": 9, "zero": 0}.get(trouble, 1)
    if trouble == "fault":
        await bench.do(RaiseFault(Fault.RCD, evse=1))
    elif trouble == "unavailable":
        await status(bench, "ChangeAvailability", connectorId=1, type="Inoperative")
    elif trouble == "busy":
        await bench.do(PlugIn(1), PresentCard("A", evse=1))
    elif trouble == "claimed":
        await bench.do(PresentCard("A", evse=1))
    word = await status(bench, "RemoteStartTransaction", idTag="R", connectorId=number)
    assert word == "Rejected"


@pytest.mark.parametrize(
    ("choice", "answer", "connector"),
    [("pick-free", "Accepted", 1), ("reject", "Rejected", None), ("wait-plug", "Accepted", 2)],
)
async def test_remote_start_without_connector(
    bench16: Make, choice: str, answer: str, connector: int | None
) -> None:
    """16-TX-06, ocpp16-remote-start-no-connector."""
    bench = bench16(points={"ocpp16-remote-start-no-connector": choice})
    await bench.boot()
    assert await status(bench, "RemoteStartTransaction", idTag="R") == answer
    await bench.do(PlugIn(2))
    await bench.do(PlugIn(1))
    starts = [item["connectorId"] for item in bench.sent("StartTransaction")]
    assert starts == ([] if connector is None else [connector])


async def test_remote_start_takes_the_cable_that_is_in(bench16: Make) -> None:
    """16-TX-06: pick-free."""
    bench = bench16()
    await bench.boot()
    await bench.do(PlugIn(2))
    assert await status(bench, "RemoteStartTransaction", idTag="R") == "Accepted"
    assert bench.sent("StartTransaction")[0]["connectorId"] == 2


async def test_remote_stop(bench16: Make) -> None:
    """16-TX-07: reason Remote, the cable is freed."""
    bench = bench16()
    await bench.boot()
    await bench.do(PlugIn(2), PresentCard("A", evse=2))
    assert await status(bench, "RemoteStopTransaction", transactionId=9) == "Rejected"
    bench.skip()
    assert await status(bench, "RemoteStopTransaction", transactionId=1) == "Accepted"
    bench.expect(
        """
        < RemoteStopTransaction
        = RemoteStopTransaction status=Accepted
        > StopTransaction transactionId=1 reason=Remote !idTag
        > StatusNotification connectorId=2 status=Finishing
        """
    )
    await bench.do(Unplug(2))
    assert await status(bench, "RemoteStopTransaction", transactionId=1) == "Rejected"


async def test_unlock_frees_a_cable(bench16: Make) -> None:
    """RC-07."""
    bench = bench16()
    await bench.boot()
    assert await status(bench, "UnlockConnector", connectorId=2) == "Unlocked"


@pytest.mark.parametrize("number", [1, 3, 0])
async def test_unlock_without_a_lock_is_not_supported(bench16: Make, number: int) -> None:
    """16-TX-08, errata 3.87."""
    bench = bench16()
    await bench.boot()
    assert await status(bench, "UnlockConnector", connectorId=number) == "NotSupported"


async def test_jammed_lock_fails(bench16: Make) -> None:
    """RC-07."""
    bench = bench16()
    await bench.boot()
    await bench.do(PlugIn(2), RaiseFault(Fault.LOCK_JAM, evse=2, connector=1))
    assert await status(bench, "UnlockConnector", connectorId=2) == "UnlockFailed"


async def test_unlock_stops_a_running_transaction_first(bench16: Make) -> None:
    """16-TX-08, ocpp16-connector-unlock-during-tx: stop-then-unlock."""
    bench = bench16()
    await bench.boot()
    await bench.do(PlugIn(2), PresentCard("A", evse=2))
    assert await status(bench, "UnlockConnector", connectorId=2) == "Unlocked"
    assert bench.sent("StopTransaction")[0]["reason"] == "UnlockCommand"
    await bench.do(Unplug(2))


async def test_unlock_may_be_refused_while_charging(bench16: Make) -> None:
    """ocpp16-connector-unlock-during-tx: unlock-failed."""
    bench = bench16(points={"ocpp16-connector-unlock-during-tx": "unlock-failed"})
    await bench.boot()
    await bench.do(PlugIn(2), PresentCard("A", evse=2))
    assert await status(bench, "UnlockConnector", connectorId=2) == "UnlockFailed"
    assert len(bench.personality.sessions()) == 1


async def test_unlock_frees_a_cable_that_was_kept_for_its_owner(bench16: Make) -> None:
    """16-AU-10, RC-07."""
    bench = bench16()
    bench.csms.on("StartTransaction", {"transactionId": 1, "idTagInfo": {"status": "Blocked"}})
    await bench.boot()
    await bench.do(PlugIn(2), PresentCard("A", evse=2))
    assert await status(bench, "UnlockConnector", connectorId=2) == "Unlocked"
    await bench.do(Unplug(2))
    assert bench.saw("> StatusNotification connectorId=2 status=Available")


@pytest.mark.parametrize("name", ["Heartbeat", "StatusNotification", "MeterValues"])
async def test_extended_trigger(bench16: Make, name: str) -> None:
    """Whitepaper 5.5: answers first, then sends (RC-01)."""
    bench = bench16()
    await bench.boot()
    bench.skip()
    word = await status(bench, "ExtendedTriggerMessage", requestedMessage=name, connectorId=1)
    assert word == "Accepted"
    bench.expect(
        f"""
        < ExtendedTriggerMessage
        = ExtendedTriggerMessage status=Accepted
        > {name}
        """
    )


async def test_extended_trigger_of_the_boot(bench16: Make) -> None:
    """RC-04: advised to be refused once accepted; before, it comes at once."""
    bench = bench16()
    bench.csms.boot_status = "Pending"
    await bench.online()
    bench.csms.boot_status = "Accepted"
    name = "BootNotification"
    assert await status(bench, "ExtendedTriggerMessage", requestedMessage=name) == "Accepted"
    assert len(bench.sent("BootNotification")) == 2
    assert await status(bench, "ExtendedTriggerMessage", requestedMessage=name) == "Rejected"


async def test_extended_trigger_of_what_is_not_there(bench16: Make) -> None:
    """RC-01: without the security extension there are no certificates."""
    bench = bench16(settings={"features": frozenset({"Core", "RemoteTrigger"})})
    await bench.boot()
    name = "SignChargePointCertificate"
    assert await status(bench, "ExtendedTriggerMessage", requestedMessage=name) == "NotImplemented"


async def test_other_blocks_may_send_what_is_triggered(bench16: Make) -> None:
    """The two messages mean different ones by the same word (whitepaper 6.16)."""
    bench = bench16()
    await bench.boot()
    assert isinstance(bench.personality, Personality16)
    triggers, done = bench.personality.triggers, []
    name = "FirmwareStatusNotification"
    for table, word in ((triggers.others, "plain"), (triggers.extended, "signed")):
        table[name] = lambda word=word: Reply({"status": "Accepted"}, lambda: done.append(word))
    for action in ("TriggerMessage", "ExtendedTriggerMessage"):
        assert await status(bench, action, requestedMessage=name) == "Accepted"
    assert done == ["plain", "signed"]


@pytest.mark.parametrize("name", ["DiagnosticsStatusNotification", "FirmwareStatusNotification"])
async def test_trigger_of_what_is_not_there(bench16: Make, name: str) -> None:
    """RC-01: without FirmwareManagement there are neither."""
    bench = bench16(settings={"features": frozenset({"Core", "RemoteTrigger"})})
    await bench.boot()
    assert await status(bench, "TriggerMessage", requestedMessage=name) == "NotImplemented"


async def test_triggered_states_of_all_and_of_one(bench16: Make) -> None:
    """RC-01, RC-03."""
    bench = bench16()
    await bench.boot()
    bench.skip()
    name = "StatusNotification"
    assert await status(bench, "TriggerMessage", requestedMessage=name) == "Accepted"
    word = await status(bench, "TriggerMessage", requestedMessage=name, connectorId=0)
    assert word == "Accepted"
    bench.expect(
        """
        < TriggerMessage
        = TriggerMessage status=Accepted
        > StatusNotification connectorId=0
        > StatusNotification connectorId=1
        > StatusNotification connectorId=2
        < TriggerMessage
        = TriggerMessage status=Accepted
        > StatusNotification connectorId=0
        """
    )
    word = await status(bench, "TriggerMessage", requestedMessage=name, connectorId=7)
    assert word == "Rejected"
    word = await status(bench, "TriggerMessage", requestedMessage="MeterValues", connectorId=7)
    assert word == "Rejected"


async def test_connector_that_is_not_relevant_is_ignored(bench16: Make) -> None:
    """RC-03."""
    bench = bench16()
    await bench.boot()
    word = await status(bench, "TriggerMessage", requestedMessage="Heartbeat", connectorId=7)
    assert word == "Accepted"
    assert bench.saw("> Heartbeat")


async def test_trigger_is_not_supported_where_the_profile_is_off(bench16: Make) -> None:
    bench = bench16(settings={"features": frozenset({"Core"})})
    await bench.boot()
    assert bench.personality.get_setting("SupportedFeatureProfiles") == "Core"
    with pytest.raises(CallRefused, match="NotSupported"):
        await bench.request("TriggerMessage", {"requestedMessage": "Heartbeat"})


async def test_soft_reset_stops_sessions_and_boots_again(bench16: Make) -> None:
    """RE-01, RE-02."""
    bench = bench16()
    await bench.boot()
    await bench.do(PlugIn(2), PresentCard("A", evse=2))
    bench.skip()
    assert await status(bench, "Reset", type="Soft") == "Accepted"
    bench.expect(
        """
        < Reset type=Soft
        = Reset status=Accepted
        > StopTransaction reason=SoftReset !idTag
        ...
        > BootNotification
        > StatusNotification connectorId=0
        > StatusNotification connectorId=1
        > StatusNotification connectorId=2 status=Finishing
        > SecurityEventNotification type=ResetOrReboot techInfo=RemoteReset
        > SecurityEventNotification type=StartupOfTheDevice
        """
    )
    assert bench.reboots == [BootReason.REMOTE_RESET]
    assert bench.happened(RestartOrdered)[0].kind is RestartKind.SOFT


@pytest.mark.parametrize(
    ("choice", "script"),
    [
        ("before", "> StopTransaction reason=HardReset\n...\n> BootNotification\n..."),
        ("after-boot", "> BootNotification\n...\n> StopTransaction reason=HardReset\n..."),
    ],
)
async def test_hard_reset_stops_before_or_after_the_boot(
    bench16: Make, choice: str, script: str
) -> None:
    """RE-01, ocpp16-hard-reset-stop."""
    bench = bench16(points={"ocpp16-hard-reset-stop": choice})
    await bench.boot()
    await bench.do(PlugIn(2), PresentCard("A", evse=2))
    bench.skip()
    assert await status(bench, "Reset", type="Hard") == "Accepted"
    bench.expect(f"< Reset\n= Reset status=Accepted\n{script}")


async def test_reset_does_not_wait_for_ever(bench16: Make) -> None:
    """RE-01: an unanswered StopTransaction is queued."""
    bench = bench16()
    await bench.boot()
    await bench.do(PlugIn(2), PresentCard("A", evse=2))
    bench.csms.on("StopTransaction", MUTE)
    assert await status(bench, "Reset", type="Soft") == "Accepted"
    assert await status(bench, "Reset", type="Soft") == "Rejected"
    await bench.do(PresentCard("B", evse=1))  # nobody is served any more
    await bench.advance(31)
    assert bench.reboots == [BootReason.REMOTE_RESET]
    bench.csms.default("StopTransaction")
    await bench.advance(120)
    assert bench.personality.queue() == []


@pytest.mark.parametrize("kind", ["Soft", "Hard"])
async def test_reset_that_fails_is_retried_and_told(bench16: Make, kind: str) -> None:
    """RE-02: ResetRetries, errorCode ResetFailure, which goes when the station is repaired."""
    bench = bench16(keys={"ResetRetries": "2"}, points={"ocpp16-hard-reset-stop": "after-boot"})
    await bench.boot()
    bench.skip()
    await bench.do(RaiseFault(Fault.RESTART))
    assert bench.lines == []  # nobody knows yet
    assert await status(bench, "Reset", type=kind) == "Accepted"
    assert await status(bench, "Reset", type=kind) == "Rejected"  # it is being tried
    await bench.advance(10)
    assert bench.saw("> StatusNotification connectorId=0 status=Available errorCode=ResetFailure")
    assert bench.reboots == []
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    assert len(bench.personality.sessions()) == 1
    bench.skip()
    await bench.do(ClearFault(fault=Fault.RESTART))
    assert bench.saw("> StatusNotification connectorId=0 status=Available errorCode=NoError")
    assert await status(bench, "Reset", type=kind) == "Accepted"
    assert len(bench.reboots) == 1


async def test_station_repaired_in_time_restarts_at_a_later_try(bench16: Make) -> None:
    """RE-02: ResetRetries."""
    bench = bench16()
    await bench.boot()
    await bench.do(RaiseFault(Fault.RESTART))
    await status(bench, "Reset", type="Soft")
    await bench.advance(1.5)
    await bench.do(ClearFault(fault=Fault.RESTART))
    await bench.advance(2)
    assert len(bench.reboots) == 1


async def test_failed_hard_reset_does_not_date_a_later_end(bench16: Make) -> None:
    """RE-01, 16-TX-09: what was noted for the end goes with the reset that did not happen."""
    bench = bench16(points={"ocpp16-hard-reset-stop": "after-boot"})
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1), RaiseFault(Fault.RESTART))
    await status(bench, "Reset", type="Hard")
    await bench.advance(600)
    await bench.kill_and_restart()
    stop = bench.sent("StopTransaction")[0]
    assert stop["reason"] == "PowerLoss"
    assert stop["timestamp"] > bench.sent("StartTransaction")[0]["timestamp"]


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        ({"vendorId": "com.unknown"}, {"status": "UnknownVendorId"}),
        ({"vendorId": "Forecourt"}, {"status": "UnknownMessageId"}),
        ({"vendorId": "forecourt", "messageId": "Nope"}, {"status": "UnknownMessageId"}),
        (
            {"vendorId": "Forecourt", "messageId": "Echo", "data": "hello"},
            {"status": "Accepted", "data": "hello"},
        ),
        ({"vendorId": "Forecourt", "messageId": "Echo"}, {"status": "Accepted"}),
    ],
)
async def test_data_transfer(
    bench16: Make, payload: dict[str, str], answer: dict[str, str]
) -> None:
    """DT-01, DT-02, DT-03."""
    bench = bench16()
    await bench.boot()
    assert await bench.request("DataTransfer", payload) == answer


async def test_free_vend_starts_with_the_plug(bench16: Make) -> None:
    """16-ST-03: A3, a station without authorization means."""
    bench = bench16("home-ac-11", settings={"free_vend": True, "free_vend_token": "HOME"})
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0))
    bench.skip()
    await bench.do(PlugIn(1))
    bench.expect(
        """
        > StatusNotification connectorId=1 status=Preparing
        > StartTransaction idTag=HOME connectorId=1
        > StatusNotification connectorId=1 status=Charging
        """
    )
    await bench.do(PressStop(1))
    await bench.advance(300)
    assert len(bench.sent("StartTransaction")) == 1


async def test_free_vend_begins_once_accepted(bench16: Make) -> None:
    """16-BOOT-11."""
    bench = bench16("home-ac-11", settings={"free_vend": True})
    await bench.do(PlugIn(1))
    assert bench.personality.sessions() == ()
    await bench.boot()
    assert bench.saw("> StartTransaction idTag=FREE")


async def test_start_button(bench16: Make) -> None:
    bench = bench16(READERLESS)
    await bench.boot()
    await bench.do(PlugIn(1), PressStart(1))
    assert bench.sent("StartTransaction")[0]["idTag"] == "FREE"


async def test_what_is_switched_off_is_not_supported(bench16: Make) -> None:
    """RPC-07."""
    bench = bench16(settings={"features": frozenset({"Core"})})
    await bench.boot()
    for action, payload in (("GetDiagnostics", {"location": "ftp://x/"}),):
        with pytest.raises(CallRefused, match="NotSupported"):
            await bench.request(action, payload)


READERLESS = """
name = "Button"
vendor = "Forecourt"
model = "Button"

[supply]
current = 40
voltage = 230

[[evses]]
current = "ac"
max_power = 11040
phases = 3
vehicle = "city-52"

[[evses.connectors]]
plug = "type2"
tethered = true
lock = false
max_current = 16
"""
