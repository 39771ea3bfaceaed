"""States of connectors and ChangeAvailability (1.6 part 4.9 and 5.2)."""

from __future__ import annotations

from typing import Any

import pytest

from app.ocpp.events import ConnectorStatusChanged
from app.station.intents import (
    ClearFault,
    PauseVehicle,
    PlugIn,
    PresentCard,
    PressStop,
    RaiseFault,
    ResumeVehicle,
    SetVehicle,
    Unplug,
)
from app.station.kinds import Fault
from tests.conformance.v16.conftest import Make
from tests.support.harness import Bench


async def change(bench: Bench, number: int, kind: str) -> str:
    payload = {"connectorId": number, "type": kind}
    answer: dict[str, Any] = await bench.request("ChangeAvailability", payload)
    return str(answer["status"])


async def test_plug_without_token_ends_in_finishing(bench16: Make) -> None:
    """16-ST-09: B6 after ConnectionTimeOut."""
    bench = bench16(keys={"ConnectionTimeOut": "20"})
    await bench.boot()
    bench.skip()
    await bench.do(PlugIn(1))
    await bench.advance(19.9)
    bench.expect("> StatusNotification connectorId=1 status=Preparing")
    await bench.advance(0.1)
    bench.expect("> StatusNotification connectorId=1 status=Finishing")
    await bench.do(Unplug(1))
    bench.expect("> StatusNotification connectorId=1 status=Available")


async def test_token_without_plug_goes_back_to_available(bench16: Make) -> None:
    """16-ST-09: B1 after ConnectionTimeOut."""
    bench = bench16(keys={"ConnectionTimeOut": "20"})
    await bench.boot()
    await bench.do(PresentCard("A", evse=1))
    bench.skip()
    await bench.advance(20)
    bench.expect("> StatusNotification connectorId=1 status=Available")
    await bench.do(PlugIn(1))
    bench.expect("> StatusNotification connectorId=1 status=Preparing")


async def test_no_time_limit_where_connection_time_out_is_zero(bench16: Make) -> None:
    """16-ST-09."""
    bench = bench16(keys={"ConnectionTimeOut": "0"})
    await bench.boot()
    await bench.do(PresentCard("A", evse=1), PlugIn(2))
    bench.skip()
    await bench.advance(299)
    bench.expect("")


async def test_second_presentation_of_the_card_cancels(bench16: Make) -> None:
    """16-ST-03: B1."""
    bench = bench16()
    await bench.boot()
    await bench.do(PresentCard("A", evse=1))
    bench.skip()
    await bench.do(PresentCard("a", evse=1))
    bench.expect("> StatusNotification connectorId=1 status=Available")


async def test_stop_button_cancels_a_waiting_driver(bench16: Make) -> None:
    """16-ST-03: B1."""
    bench = bench16()
    await bench.boot()
    await bench.do(PresentCard("A", evse=1))
    bench.skip()
    await bench.do(PressStop(2), PressStop(1))
    bench.expect("> StatusNotification connectorId=1 status=Available")


async def test_card_at_a_finished_cable_starts_anew(bench16: Make) -> None:
    """16-ST-03: F2."""
    bench = bench16()
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), PresentCard("A", evse=1))
    await bench.do(PresentCard("A", evse=1))
    bench.skip()
    await bench.do(PresentCard("B", evse=1))
    bench.expect(
        """
        > Authorize idTag=B
        > StatusNotification connectorId=1 status=Preparing
        > StartTransaction idTag=B connectorId=1
        > StatusNotification connectorId=1 status=Charging
        """
    )


async def test_disconnect_on_ev_side_ends_the_transaction(bench16: Make) -> None:
    """16-ST-10: true."""
    bench = bench16("home-ac-11")
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    bench.skip()
    await bench.do(Unplug(1))
    bench.expect(
        """
        > StatusNotification connectorId=1 status=Finishing errorCode=NoError info="EV side disconnected"
        > StopTransaction reason=EVDisconnected
        > StatusNotification connectorId=1 status=Available
        """
    )


async def test_disconnect_on_ev_side_only_pauses_the_transaction(bench16: Make) -> None:
    """16-ST-10: false; energy flows again after the car came back."""
    bench = bench16("home-ac-11", keys={"StopTransactionOnEVSideDisconnect": "false"})
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), PresentCard("A", evse=1))
    bench.skip()
    await bench.do(Unplug(1))
    bench.expect(
        '> StatusNotification connectorId=1 status=SuspendedEV errorCode=NoError info="EV side disconnected"'
    )
    await bench.do(PlugIn(1))
    bench.expect("> StatusNotification connectorId=1 status=Charging")
    assert len(bench.personality.sessions()) == 1


async def test_socket_stays_locked_while_only_the_car_is_unplugged(bench16: Make) -> None:
    """16-TX-10: StopTransactionOnEVSideDisconnect=false keeps the cable locked."""
    bench = bench16(keys={"StopTransactionOnEVSideDisconnect": "false"})
    await bench.boot()
    await bench.do(PlugIn(2), PresentCard("A", evse=2), Unplug(2))
    assert bench.station.snapshot().evse(2).connectors[0].lock.value == "locked"
    assert bench.saw("> StatusNotification connectorId=2 status=SuspendedEV")


@pytest.mark.parametrize(("unlock", "lock"), [("true", "open"), ("false", "locked")])
async def test_unlock_connector_on_ev_side_disconnect(
    bench16: Make, unlock: str, lock: str
) -> None:
    """16-TX-10: the same card frees a cable that stayed locked."""
    bench = bench16(keys={"UnlockConnectorOnEVSideDisconnect": unlock})
    await bench.boot()
    await bench.do(PlugIn(2), PresentCard("A", evse=2), Unplug(2))
    assert bench.station.snapshot().evse(2).connectors[0].lock.value == lock
    last = [item for item in bench.sent("StatusNotification") if item["connectorId"] == 2][-1]
    assert last["status"] == ("Available" if unlock == "true" else "Finishing")
    if lock == "locked":
        bench.skip()
        await bench.do(PresentCard("A", evse=2))
        assert bench.station.snapshot().evse(2).connectors[0].lock.value == "open"
        bench.expect("> StatusNotification connectorId=2 status=Available")


async def test_fault_and_its_end_bring_back_the_state_before(bench16: Make) -> None:
    """16-ST-03: I1, I2; 16-ST-05."""
    bench = bench16()
    await bench.boot()
    bench.skip()
    await bench.do(RaiseFault(Fault.LOCK_JAM, evse=2, connector=1), ClearFault(2, 1))
    bench.expect(
        """
        > StatusNotification connectorId=2 status=Faulted errorCode=ConnectorLockFailure
        > StatusNotification connectorId=2 status=Available errorCode=NoError
        """
    )
    await bench.do(PlugIn(2), RaiseFault(Fault.RCD, evse=2), ClearFault(2))
    bench.expect(
        """
        > StatusNotification connectorId=2 status=Preparing
        > StatusNotification connectorId=2 status=Faulted errorCode=GroundFailure
        > StatusNotification connectorId=2 status=Preparing errorCode=NoError
        """
    )


async def test_derating_fault_is_a_warning_while_charging(bench16: Make) -> None:
    """16-ST-06: a code with another status than Faulted."""
    bench = bench16()
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), PresentCard("A", evse=1))
    bench.skip()
    await bench.do(RaiseFault(Fault.OVER_TEMPERATURE, evse=1))
    bench.expect("> StatusNotification connectorId=1 status=Charging errorCode=HighTemperature")
    await bench.do(PressStop(1))
    bench.expect(
        """
        > StopTransaction
        > StatusNotification connectorId=1 status=Faulted errorCode=HighTemperature
        """
    )


async def test_warning_leaves_the_state(bench16: Make) -> None:
    """16-ST-06; the codes given with a fault are passed on."""
    bench = bench16()
    await bench.boot()
    bench.skip()
    await bench.do(RaiseFault(Fault.WEAK_SIGNAL))
    assert bench.saw("> StatusNotification connectorId=0 status=Available errorCode=WeakSignal")
    bench.skip()
    await bench.do(
        RaiseFault(
            Fault.OTHER,
            evse=1,
            error_code="EVCommunicationError",
            vendor_error_code="E-17",
            info="x" * 60,
        )
    )
    # EVCommunicationError does not go with Available (16-ST-06)
    bench.expect("")
    await bench.do(PlugIn(1))
    bench.expect(
        f"""
        > StatusNotification connectorId=1 status=Preparing errorCode=EVCommunicationError \
vendorErrorCode=E-17 vendorId=Forecourt info={"x" * 50}
        """
    )


async def test_code_of_no_specification_goes_into_the_vendor_field(bench16: Make) -> None:
    """16-ST-05."""
    bench = bench16()
    await bench.boot()
    bench.skip()
    await bench.do(RaiseFault(Fault.RCD, evse=1, error_code="Leak42"))
    bench.expect(
        "> StatusNotification connectorId=1 status=Faulted errorCode=OtherError vendorErrorCode=Leak42"
    )


async def test_lost_pilot_pauses_and_does_not_end(bench16: Make) -> None:
    """16-ST-06: EVCommunicationError is a warning with SuspendedEVSE."""
    bench = bench16()
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), PresentCard("A", evse=1))
    bench.skip()
    await bench.do(RaiseFault(Fault.PILOT, evse=1, connector=1))
    bench.expect(
        "> StatusNotification connectorId=1 status=SuspendedEVSE errorCode=EVCommunicationError"
    )
    await bench.do(ClearFault(1, 1))
    await bench.advance(3)
    assert bench.saw("> StatusNotification connectorId=1 status=Charging errorCode=NoError")


@pytest.mark.parametrize(
    ("choice", "lines"),
    [
        ("suppress-short", [("Charging", "08:00:04")]),
        (
            "delay-all",
            [("Preparing", "08:00:00"), ("SuspendedEV", "08:00:00"), ("Charging", "08:00:04")],
        ),
        ("selected-transitions", [("Preparing", "08:00:00"), ("Charging", "08:00:04")]),
    ],
)
async def test_minimum_status_duration(
    bench16: Make, choice: str, lines: list[tuple[str, str]]
) -> None:
    """16-ST-07, ocpp16-minimum-status-duration: three options, three conversations."""
    points = {"ocpp16-minimum-status-duration": choice}
    bench = bench16(keys={"MinimumStatusDuration": "5"}, points=points, judge=False)
    await bench.boot()
    bench.skip()
    await bench.do(SetVehicle(1, ready_delay=4.0), PlugIn(1), PresentCard("A", evse=1))
    await bench.advance(30)
    told = [
        (line.payload["status"], line.payload["timestamp"][11:19])
        for line in bench.lines
        if line.action == "StatusNotification"
    ]
    assert told == lines


async def test_what_was_put_off_before_a_break_of_the_link_is_history(bench16: Make) -> None:
    """16-ST-07 with `delay-all`, 16-ST-08: the last word of the station is its present state."""
    points = {"ocpp16-minimum-status-duration": "delay-all"}
    bench = bench16(keys={"MinimumStatusDuration": "5"}, points=points, judge=False)
    await bench.boot()
    await bench.do(PlugIn(1))
    await bench.offline()
    await bench.do(Unplug(1))
    await bench.online()
    bench.skip()
    await bench.advance(30)
    bench.expect("")


async def test_state_that_lasts_is_told_after_the_minimum(bench16: Make) -> None:
    """16-ST-07."""
    bench = bench16(keys={"MinimumStatusDuration": "5"})
    await bench.boot()
    bench.skip()
    await bench.do(PlugIn(1))
    await bench.advance(4.9)
    bench.expect("")
    await bench.advance(0.2)
    bench.expect("> StatusNotification connectorId=1 status=Preparing")
    # back before it was told: nothing to tell
    await bench.do(Unplug(1), PlugIn(1))
    await bench.advance(20)
    bench.expect("")


async def test_only_the_present_state_is_told_after_an_offline_time(bench16: Make) -> None:
    """16-ST-08, OFF-08."""
    bench = bench16()
    await bench.boot()
    await bench.offline()
    bench.skip()
    await bench.do(PlugIn(1), Unplug(1), PlugIn(2))
    await bench.do(RaiseFault(Fault.RCD, evse=1))
    await bench.online()
    bench.expect(
        """
        > StatusNotification connectorId=1 status=Faulted errorCode=GroundFailure
        > StatusNotification connectorId=2 status=Preparing
        """
    )


async def test_out_of_service_at_once_and_back(bench16: Make) -> None:
    """16-AV-01, 16-AV-02."""
    bench = bench16()
    await bench.boot()
    bench.skip()
    assert await change(bench, 1, "Inoperative") == "Accepted"
    bench.expect(
        """
        < ChangeAvailability
        = ChangeAvailability status=Accepted
        > StatusNotification connectorId=1 status=Unavailable
        """
    )
    assert not bench.station.snapshot().evse(1).connectors[0].operative
    assert await change(bench, 1, "Inoperative") == "Accepted"
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    assert bench.personality.sessions() == ()
    bench.skip()
    assert await change(bench, 1, "Operative") == "Accepted"
    assert bench.saw("> StatusNotification connectorId=1 status=Preparing")  # H2


async def test_unknown_connector_is_rejected(bench16: Make) -> None:
    """16-TX-11."""
    bench = bench16()
    await bench.boot()
    assert await change(bench, 3, "Inoperative") == "Rejected"


async def test_change_during_a_transaction_is_scheduled(bench16: Make) -> None:
    """16-AV-01: applied when the transaction ends (C8)."""
    bench = bench16()
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    assert await change(bench, 1, "Inoperative") == "Scheduled"
    bench.skip()
    await bench.do(PressStop(1))
    bench.expect(
        """
        > StopTransaction
        > StatusNotification connectorId=1 status=Unavailable
        """
    )


async def test_scheduled_change_can_be_taken_back(bench16: Make) -> None:
    """16-AV-01."""
    bench = bench16()
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    assert await change(bench, 1, "Inoperative") == "Scheduled"
    assert await change(bench, 1, "Operative") == "Accepted"
    await bench.do(PressStop(1))
    assert bench.saw("> StatusNotification connectorId=1 status=Finishing")


async def test_connector_zero_covers_all_free_ones_at_once(bench16: Make) -> None:
    """16-AV-02, 16-AV-03."""
    bench = bench16()
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    bench.skip()
    assert await change(bench, 0, "Inoperative") == "Scheduled"
    bench.expect(
        """
        < ChangeAvailability
        = ChangeAvailability status=Scheduled
        > StatusNotification connectorId=2 status=Unavailable
        """
    )
    await bench.do(PressStop(1))
    assert bench.saw("> StatusNotification connectorId=0 status=Unavailable")
    assert bench.saw("> StatusNotification connectorId=1 status=Unavailable")
    bench.skip()
    assert await change(bench, 0, "Operative") == "Accepted"
    bench.expect(
        """
        < ChangeAvailability
        = ChangeAvailability status=Accepted
        > StatusNotification connectorId=0 status=Available
        > StatusNotification connectorId=1 status=Preparing
        > StatusNotification connectorId=2 status=Available
        """
    )


async def test_unavailable_survives_reset_and_power_cut(bench16: Make) -> None:
    """16-AV-02, RE-07."""
    bench = bench16()
    await bench.boot()
    await change(bench, 0, "Inoperative")
    for _ in range(2):
        bench.skip()
        await bench.request("Reset", {"type": "Hard"})
        assert bench.saw("> StatusNotification connectorId=0 status=Unavailable")
        assert bench.saw("> StatusNotification connectorId=2 status=Unavailable")
    bench.skip()
    await bench.kill_and_restart()
    assert bench.saw("> StatusNotification connectorId=1 status=Unavailable")
    assert not bench.station.snapshot().evse(1).connectors[0].operative


async def test_scheduled_change_is_applied_after_a_power_cut(bench16: Make) -> None:
    """16-AV-01: the transaction ended with the power."""
    bench = bench16()
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    await change(bench, 1, "Inoperative")
    bench.skip()
    await bench.kill_and_restart()
    assert bench.saw("> StatusNotification connectorId=1 status=Unavailable")


@pytest.mark.parametrize(
    ("choice", "answer", "states"),
    [
        ("scheduled", "Scheduled", []),
        ("accepted-at-once", "Accepted", ["Unavailable"]),
        ("via-available", "Accepted", ["Available", "Unavailable"]),
    ],
)
async def test_out_of_service_while_preparing(
    bench16: Make, choice: str, answer: str, states: list[str]
) -> None:
    """ocpp16-inoperative-in-preparing: there is no B8."""
    points = {"ocpp16-inoperative-in-preparing": choice}
    bench = bench16(points=points, judge=choice != "accepted-at-once")
    await bench.boot()
    await bench.do(PlugIn(1))
    bench.skip()
    assert await change(bench, 1, "Inoperative") == answer
    told = [line.payload["status"] for line in bench.lines if line.mark == ">"]
    assert told == states
    if choice == "scheduled":
        await bench.do(Unplug(1))
        assert bench.saw("> StatusNotification connectorId=1 status=Unavailable")


async def test_scheduled_change_comes_when_a_waiting_driver_gives_up(bench16: Make) -> None:
    """16-AV-01, ocpp16-inoperative-in-preparing: scheduled."""
    bench = bench16(keys={"ConnectionTimeOut": "10"})
    await bench.boot()
    await bench.do(PresentCard("A", evse=1))
    assert await change(bench, 1, "Inoperative") == "Scheduled"
    await bench.advance(10)
    assert bench.saw("> StatusNotification connectorId=1 status=Unavailable")


async def test_kept_cable_back_in_service_is_told_by_way_of_preparing(bench16: Make) -> None:
    """16-ST-03: no way leads from Unavailable to Finishing."""
    bench = bench16(points={"ocpp16-inoperative-in-preparing": "accepted-at-once"})
    invalid = {"transactionId": 1, "idTagInfo": {"status": "Invalid"}}
    bench.csms.on("StartTransaction", invalid)
    await bench.boot()
    await bench.do(PlugIn(2), PresentCard("A", evse=2))
    for kind in ("Inoperative", "Operative"):
        assert await change(bench, 2, kind) == "Accepted"
    told = [each["status"] for each in bench.sent("StatusNotification") if each["connectorId"] == 2]
    assert told[-4:] == ["Finishing", "Unavailable", "Preparing", "Finishing"]


async def test_state_changes_are_events(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    await bench.do(PlugIn(2), PauseVehicle(2), ResumeVehicle(2))
    told = [
        (event.evse, event.connector, event.status)
        for event in bench.happened(ConnectorStatusChanged)
    ]
    assert told[-1] == (2, 1, "Preparing")
