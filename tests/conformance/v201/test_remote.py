"""Remote start, stop, unlock, triggers, data transfer: part 2, F01 to F06, P."""

from __future__ import annotations

from typing import Any

import pytest

from app.station.intents import PlugIn, PresentCard, RaiseFault, Unplug
from app.station.kinds import Fault, LockState
from tests.conformance.v201.conftest import Make, events, set_variable
from tests.support.harness import Bench

A1 = PresentCard("A", evse=1)
APP = {"idToken": "APP-7", "type": "Central"}
CARD = {"idToken": "A", "type": "ISO14443"}


async def booted(bench201: Make, **options: Any) -> Bench:
    bench: Bench = bench201(**options)
    await bench.boot()
    bench.skip()
    return bench


async def start(
    bench: Bench, evse: int | None = 1, token: dict[str, str] = APP, **more: Any
) -> Any:
    request = {"idToken": token, "remoteStartId": 42, **more}
    if evse is not None:
        request["evseId"] = evse
    return await bench.request("RequestStartTransaction", request)


async def test_cable_first_remote_start(bench201: Make) -> None:
    """F01, 201-TX-14: answered, then RemoteStart with remoteStartId and token, once."""
    bench = await booted(bench201)
    await bench.do(PlugIn(1))
    bench.skip()
    assert await start(bench) == {"status": "Accepted"}
    bench.expect(
        """
        < RequestStartTransaction
        = RequestStartTransaction status=Accepted
        > TransactionEvent eventType=Started triggerReason=RemoteStart \
 transactionInfo.remoteStartId=42 idToken.idToken=APP-7 evse.id=1
        > TransactionEvent triggerReason=ChargingStateChanged !idToken \
 !transactionInfo.remoteStartId
        """.replace("\\\n", "")
    )


async def test_remote_start_first(bench201: Make) -> None:
    """F02.FR.01, F02.FR.21: the cable starts it, the trigger says RemoteStart."""
    bench = await booted(bench201)
    await start(bench)
    assert events(bench) == []
    await bench.do(PlugIn(1))
    first = bench.sent("TransactionEvent")[0]
    assert first["triggerReason"] == "RemoteStart"
    assert first["transactionInfo"]["chargingState"] == "EVConnected"
    assert first["transactionInfo"]["remoteStartId"] == 42


async def test_remote_start_into_a_running_unauthorized_transaction(bench201: Make) -> None:
    """201-TX-13, F01.FR.13, F01.FR.25: the transactionId is in the answer."""
    bench = await booted(bench201, variables={"TxCtrlr.TxStartPoint": "EVConnected"})
    await bench.do(PlugIn(1))
    transaction = bench.sent("TransactionEvent")[0]["transactionInfo"]["transactionId"]
    assert await start(bench) == {"status": "Accepted", "transactionId": transaction}
    told = bench.sent("TransactionEvent")[1]
    assert told["triggerReason"] == "RemoteStart"
    assert told["transactionInfo"]["remoteStartId"] == 42
    assert "evse" not in told


async def test_remote_start_authorizes_first_where_that_is_on(bench201: Make) -> None:
    """201-TX-15, F01.FR.01; C05.FR.01: a Central token is not asked about."""
    bench = await booted(bench201)
    await start(bench, token=CARD)
    assert len(bench.sent("Authorize")) == 1
    await start(bench, 2)
    assert len(bench.sent("Authorize")) == 1


async def test_remote_start_with_a_refused_token_starts_nothing(bench201: Make) -> None:
    """F02.FR.09."""
    bench = await booted(bench201)
    bench.csms.token_status["A"] = "Blocked"
    await bench.do(PlugIn(1))
    assert (await start(bench, token=CARD))["status"] == "Accepted"
    assert events(bench) == []
    assert (await start(bench))["status"] == "Accepted"
    assert len(events(bench)) > 0


async def test_remote_start_asks_nobody_where_that_is_off(bench201: Make) -> None:
    """201-TX-15, F01.FR.02."""
    bench = await booted(bench201, variables={"AuthCtrlr.AuthorizeRemoteStart": "false"})
    await bench.do(PlugIn(1))
    await start(bench, token=CARD)
    assert bench.sent("Authorize") == []
    assert events(bench)[0] == "Started RemoteStart EVConnected"


async def test_group_of_a_remote_start_may_stop_it(bench201: Make) -> None:
    """C09: groupIdToken of the request."""
    bench = await booted(bench201)
    group = {"idToken": "FLEET", "type": "Central"}
    await bench.do(PlugIn(1))
    await start(bench, groupIdToken=group)
    bench.csms.on("Authorize", {"idTokenInfo": {"status": "Accepted", "groupIdToken": group}})
    await bench.do(A1)
    assert events(bench)[-1] == "Ended StopAuthorized EVConnected Local"


async def test_remote_start_is_rejected_where_it_cannot_work(bench201: Make) -> None:
    """201-TX-13, F01.FR.23, F01.FR.24."""
    bench = await booted(bench201)
    assert (await start(bench, 9))["statusInfo"]["reasonCode"] == "UnknownEvse"
    await bench.do(RaiseFault(Fault.RCD, 2))
    assert (await start(bench, 2))["status"] == "Rejected"
    await bench.do(PlugIn(1), A1)
    assert (await start(bench, 1))["statusInfo"]["reasonCode"] == "TxInProgress"


async def test_out_of_service_evse_rejects_a_remote_start(bench201: Make) -> None:
    """F01.FR.23."""
    bench = await booted(bench201)
    await bench.request("ChangeAvailability", {"operationalStatus": "Inoperative"})
    assert (await start(bench))["status"] == "Rejected"


async def test_two_remote_starts_at_once_only_one_is_taken(bench201: Make) -> None:
    """F01.FR.24: while the first is being authorized."""
    bench = await booted(bench201)
    hold = bench.csms.hold("Authorize")
    request = {"idToken": CARD, "remoteStartId": 1, "evseId": 1}
    bench.start_request("RequestStartTransaction", request)
    await hold.arrived()
    second = bench.start_request("RequestStartTransaction", {**request, "remoteStartId": 2})
    frame = await second
    assert frame[2]["status"] == "Rejected"
    hold.answer({"idTokenInfo": {"status": "Accepted"}})
    await bench.rest()


@pytest.mark.parametrize(
    ("choice", "plug", "told"),
    [("pick-free", 2, 2), ("pick-free", None, 1), ("wait-plug", None, 2), ("reject", None, None)],
)
async def test_remote_start_without_an_evse_is_a_choice(
    bench201: Make, choice: str, plug: int | None, told: int | None
) -> None:
    """Open point ocpp201-remote-start-no-evse, F01.FR.07, F01.FR.20."""
    bench = await booted(bench201, points={"ocpp201-remote-start-no-evse": choice})
    if plug is not None:
        await bench.do(PlugIn(plug))
    answer = await start(bench, None)
    if told is None:
        assert answer["status"] == "Rejected"
        return
    assert answer["status"] == "Accepted"
    if plug is None:
        await bench.do(PlugIn(told))
    assert bench.sent("TransactionEvent")[0]["evse"]["id"] == told
    assert bench.sent("TransactionEvent")[0]["triggerReason"] == "RemoteStart"


async def test_charging_profile_in_the_request_is_ignored_without_smart_charging(
    bench201: Make,
) -> None:
    """201-TX-15, F01.FR.12."""
    bench = await booted(bench201)
    profile = {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": [
            {
                "id": 1,
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}],
            }
        ],
    }
    assert (await start(bench, chargingProfile=profile))["status"] == "Accepted"


# ---- stop


@pytest.mark.parametrize(
    ("stop", "told"),
    [
        ("Authorized", ["Ended RemoteStop EVConnected Remote"]),
        ("PowerPathClosed", ["Ended RemoteStop EVConnected Remote"]),
        (
            "EVConnected",
            [
                "Updated RemoteStop -",
                "Updated ChargingStateChanged EVConnected",
                "Ended EVCommunicationLost Idle Remote",
            ],
        ),
    ],
)
async def test_remote_stop(bench201: Make, stop: str, told: list[str]) -> None:
    """201-TX-16, F03.FR.02, F03.FR.03, F03.FR.07."""
    bench = await booted(bench201, variables={"TxCtrlr.TxStopPoint": stop})
    await bench.do(PlugIn(1), A1)
    await bench.advance(5)
    before = len(events(bench))
    transaction = bench.personality.sessions()[0].transaction_id
    answer = await bench.request("RequestStopTransaction", {"transactionId": transaction})
    assert answer == {"status": "Accepted"}
    await bench.do(Unplug(1))
    assert events(bench)[before:] == told


async def test_unknown_transaction_is_not_stopped(bench201: Make) -> None:
    """201-TX-16, F03.FR.08."""
    bench = await booted(bench201)
    answer = await bench.request("RequestStopTransaction", {"transactionId": "nope"})
    assert answer["status"] == "Rejected"


async def test_transaction_status(bench201: Make) -> None:
    """201-TX-21, E14."""
    bench = await booted(bench201)
    unknown = await bench.request("GetTransactionStatus", {"transactionId": "x"})
    assert unknown == {"ongoingIndicator": False, "messagesInQueue": False}
    assert await bench.request("GetTransactionStatus") == {"messagesInQueue": False}
    hold = bench.csms.hold("TransactionEvent")
    bench.intend(PlugIn(1))
    bench.intend(A1)
    await hold.arrived()
    transaction = bench.personality.sessions()[0].transaction_id
    with_id = await bench.start_request("GetTransactionStatus", {"transactionId": transaction})
    assert with_id[2] == {"ongoingIndicator": True, "messagesInQueue": True}
    without = await bench.start_request("GetTransactionStatus", {})
    assert without[2] == {"messagesInQueue": True}
    hold.answer({})
    await bench.rest()
    await bench.do(A1)
    over = await bench.request("GetTransactionStatus", {"transactionId": transaction})
    assert over == {"ongoingIndicator": False, "messagesInQueue": False}


# ---- unlock


async def unlock(bench: Bench, evse: int, connector: int = 1) -> Any:
    return await bench.request("UnlockConnector", {"evseId": evse, "connectorId": connector})


async def test_unlock_connector(bench201: Make) -> None:
    """RC-06, F05.FR.03, F05.FR.04, F05.FR.06: also with no cable in."""
    bench = await booted(bench201)
    assert (await unlock(bench, 2))["status"] == "Unlocked"
    assert (await unlock(bench, 2, 5))["status"] == "UnknownConnector"
    assert (await unlock(bench, 7))["status"] == "UnknownConnector"


async def test_fixed_cable_cannot_be_unlocked(bench201: Make) -> None:
    """RC-06, appendix 5: FixedCable."""
    bench = await booted(bench201)
    answer = await unlock(bench, 1)
    assert answer == {"status": "UnlockFailed", "statusInfo": {"reasonCode": "FixedCable"}}


async def test_jammed_lock_fails(bench201: Make) -> None:
    """RC-06, F05.FR.05."""
    bench = await booted(bench201)
    await bench.do(PlugIn(2), RaiseFault(Fault.LOCK_JAM, 2, 1))
    assert (await unlock(bench, 2))["status"] == "UnlockFailed"


async def test_running_session_is_not_unlocked(bench201: Make) -> None:
    """RC-06, F05.FR.02: no stop."""
    bench = await booted(bench201)
    await bench.do(PlugIn(2), PresentCard("A", evse=2))
    assert (await unlock(bench, 2))["status"] == "OngoingAuthorizedTransaction"
    assert bench.station.snapshot().evse(2).connectors[0].lock is LockState.LOCKED


async def test_unlocking_an_unauthorized_transaction_is_told(bench201: Make) -> None:
    """201-TX-10: UnlockCommand."""
    bench = await booted(bench201, variables={"TxCtrlr.TxStartPoint": "EVConnected"})
    await bench.do(PlugIn(2))
    assert (await unlock(bench, 2))["status"] == "Unlocked"
    assert events(bench)[-1].startswith("Updated UnlockCommand")


# ---- triggers


async def trigger(bench: Bench, message: str, evse: int | None = None, connector: int = 0) -> str:
    request: dict[str, Any] = {"requestedMessage": message}
    if evse is not None:
        request["evse"] = {"id": evse} | ({"connectorId": connector} if connector else {})
    answer = await bench.request("TriggerMessage", request)
    status: str = answer["status"]
    return status


async def test_triggered_status_of_one_connector(bench201: Make) -> None:
    """RC-01, RC-03, F06.FR.04, F06.FR.12."""
    bench = await booted(bench201)
    assert await trigger(bench, "StatusNotification", 2, 1) == "Accepted"
    bench.expect(
        """
        < TriggerMessage
        = TriggerMessage status=Accepted
        > StatusNotification evseId=2 connectorId=1 connectorStatus=Available
        """
    )
    assert await trigger(bench, "StatusNotification") == "Rejected"
    assert await trigger(bench, "StatusNotification", 1) == "Rejected"
    assert await trigger(bench, "StatusNotification", 3, 1) == "Rejected"


async def test_triggered_boot_after_the_accepted_one_is_rejected(bench201: Make) -> None:
    """RC-04, F06.FR.17."""
    bench = await booted(bench201)
    assert await trigger(bench, "BootNotification") == "Rejected"


async def test_triggered_meter_values(bench201: Make) -> None:
    """MV-14, F06.FR.06, F06.FR.11: AlignedDataCtrlr.Measurands of one EVSE, or of all."""
    bench = await booted(bench201)
    assert await trigger(bench, "MeterValues", 1) == "Accepted"
    [told] = bench.sent("MeterValues")
    assert told["evseId"] == 1
    assert told["meterValue"][0]["sampledValue"][0]["context"] == "Trigger"
    assert await trigger(bench, "MeterValues") == "Accepted"
    assert [event["evseId"] for event in bench.sent("MeterValues")] == [1, 0, 1, 2]
    assert await trigger(bench, "MeterValues", 8) == "Rejected"
    await set_variable(bench, "AlignedDataCtrlr", "Measurands", "")
    assert await trigger(bench, "MeterValues") == "Rejected"


async def test_triggered_transaction_event(bench201: Make) -> None:
    """MV-14, F06.FR.07: Trigger, the state and TxUpdatedMeasurands."""
    bench = await booted(bench201)
    assert await trigger(bench, "TransactionEvent") == "Rejected"
    await bench.do(PlugIn(1), A1)
    await bench.advance(10)
    assert await trigger(bench, "TransactionEvent", 1) == "Accepted"
    told = bench.sent("TransactionEvent")[-1]
    assert told["triggerReason"] == "Trigger"
    assert told["transactionInfo"]["chargingState"] == "Charging"
    measurands = {s["measurand"] for s in told["meterValue"][0]["sampledValue"]}
    assert measurands == {"Energy.Active.Import.Register", "Power.Active.Import"}


async def test_message_that_is_not_built_is_not_implemented(bench201: Make) -> None:
    """F06.FR.08."""
    bench = await booted(bench201)
    assert await trigger(bench, "PublishFirmwareStatusNotification") == "NotImplemented"
