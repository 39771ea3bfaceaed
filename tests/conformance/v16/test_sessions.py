"""Whole conversations: a car, a card, energy, an end (1.6 part 4.8, 4.9, 4.10)."""

from __future__ import annotations

import pytest

from app.ocpp.events import TransactionEnded, TransactionIdLearnt, TransactionStarted
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
from tests.support.harness import USUAL, Refuse


async def test_cable_first_session_reads_like_the_specification(bench16: Make) -> None:
    """16-ST-02, 16-TX-01, 16-TX-04, 16-AU-01, MV-01."""
    bench = bench16()
    await bench.boot()
    bench.expect(
        """
        > BootNotification chargePointVendor=Forecourt chargePointModel=Simulator
        > StatusNotification connectorId=0 status=Available errorCode=NoError
        > StatusNotification connectorId=1 status=Available
        > StatusNotification connectorId=2 status=Available
        > SecurityEventNotification type=StartupOfTheDevice
        """
    )
    await bench.do(SetVehicle(2, ready_delay=0.0), PlugIn(2))
    bench.expect("> StatusNotification connectorId=2 status=Preparing errorCode=NoError")
    await bench.do(PresentCard("04A1B2C3", evse=2))
    bench.expect(
        """
        > Authorize idTag=04A1B2C3
        > StartTransaction connectorId=2 idTag=04A1B2C3 meterStart=0 timestamp=2026-01-15T08:00:00Z
        > StatusNotification connectorId=2 status=Charging
        """
    )
    await bench.advance(120)
    bench.expect(
        """
        > MeterValues connectorId=2 transactionId=1 meterValue.0.timestamp=2026-01-15T08:01:00Z
        > MeterValues connectorId=2 transactionId=1 meterValue.0.timestamp=2026-01-15T08:02:00Z
        """
    )
    await bench.do(PresentCard("04a1b2c3", evse=2))
    bench.expect(
        """
        > StopTransaction transactionId=1 reason=Local idTag=04a1b2c3 !transactionData
        > StatusNotification connectorId=2 status=Finishing
        """
    )
    await bench.do(Unplug(2))
    bench.expect("> StatusNotification connectorId=2 status=Available")
    stop = bench.sent("StopTransaction")[0]
    assert stop["meterStop"] > 100
    assert [event.transaction_id for event in bench.happened(TransactionIdLearnt)] == ["1"]
    assert bench.happened(TransactionStarted)[0].token == "04A1B2C3"
    assert bench.happened(TransactionEnded)[0].energy == stop["meterStop"]


async def test_card_first_session_waits_for_the_plug(bench16: Make) -> None:
    """16-TX-01: authorized and plugged; 16-ST-02."""
    bench = bench16()
    await bench.boot()
    bench.skip()
    await bench.do(PresentCard("A", evse=1))
    bench.expect(
        """
        > Authorize idTag=A
        > StatusNotification connectorId=1 status=Preparing
        """
    )
    await bench.do(PlugIn(1))
    bench.expect(
        """
        > StartTransaction connectorId=1 idTag=A
        > StatusNotification connectorId=1 status=SuspendedEV
        """
    )
    await bench.advance(5)
    bench.expect("> StatusNotification connectorId=1 status=Charging")


async def test_status_may_come_before_the_transaction_messages(bench16: Make) -> None:
    """Open point ocpp16-status-order: status-first."""
    bench = bench16(points={"ocpp16-status-order": "status-first"})
    await bench.boot()
    await bench.do(SetVehicle(2, ready_delay=0.0), PlugIn(2))
    bench.skip()
    await bench.do(PresentCard("A", evse=2))
    bench.expect(
        """
        > Authorize
        > StatusNotification connectorId=2 status=Charging
        > StartTransaction
        """
    )
    await bench.do(PressStop(2))
    bench.expect(
        """
        > StatusNotification status=Finishing
        > StopTransaction reason=Local !idTag
        """
    )


async def test_status_waits_no_longer_than_a_time_out_for_start_transaction(bench16: Make) -> None:
    """ocpp16-status-order: a refused StartTransaction does not hide Charging for ever."""
    bench = bench16()
    await bench.boot()
    await bench.do(SetVehicle(2, ready_delay=0.0), PlugIn(2))
    bench.csms.on(
        "StartTransaction",
        [Refuse("InternalError"), {"transactionId": 9, "idTagInfo": {"status": "Accepted"}}],
    )
    bench.skip()
    await bench.do(PresentCard("A", evse=2))
    await bench.advance(31)
    bench.expect(
        """
        > Authorize
        > StartTransaction
        > StatusNotification status=Charging
        """
    )


async def test_state_that_is_asked_for_comes_after_those_that_waited(bench16: Make) -> None:
    """16-ST-03, RC-01: what waits for StartTransaction is older, and is not told again."""
    bench = bench16()
    await bench.boot()
    await bench.do(SetVehicle(2, ready_delay=0.0), PlugIn(2))
    bench.csms.on("StartTransaction", [Refuse("InternalError"), USUAL])
    bench.skip()
    await bench.do(PresentCard("A", evse=2), PresentCard("A", evse=2))
    asked = {"requestedMessage": "StatusNotification", "connectorId": 2}
    await bench.request("TriggerMessage", asked)
    await bench.advance(100)
    bench.expect(
        """
        > Authorize
        > StartTransaction
        < TriggerMessage
        = TriggerMessage status=Accepted
        > StatusNotification connectorId=2 status=Charging
        > StatusNotification connectorId=2 status=Finishing
        > StatusNotification connectorId=2 status=Finishing
        > StartTransaction
        > StopTransaction
        """
    )


async def test_car_and_station_pause_and_resume(bench16: Make) -> None:
    """16-ST-02: Charging <-> SuspendedEV."""
    bench = bench16()
    await bench.boot()
    await bench.do(SetVehicle(2, ready_delay=0.0), PlugIn(2), PresentCard("A", evse=2))
    bench.skip()
    await bench.do(PauseVehicle(2))
    await bench.do(ResumeVehicle(2))
    bench.expect(
        """
        > StatusNotification connectorId=2 status=SuspendedEV
        > StatusNotification connectorId=2 status=Charging
        """
    )


async def test_full_car_suspends(bench16: Make) -> None:
    """16-ST-02, MV-01: an 8-hour session in seconds."""
    bench = bench16(keys={"MeterValueSampleInterval": "900"})
    await bench.boot()
    await bench.do(SetVehicle(2, ready_delay=0.0, soc=20.0), PlugIn(2), PresentCard("A", evse=2))
    bench.skip()
    await bench.advance(8 * 3600)
    assert bench.saw("> StatusNotification connectorId=2 status=SuspendedEV")
    values = bench.sent("MeterValues")
    assert len(values) == 32
    registers = [int(value["meterValue"][0]["sampledValue"][0]["value"]) for value in values]
    assert registers == sorted(registers)  # MV-11
    assert registers[-1] > 9_000


async def test_stop_button_stops_locally(bench16: Make) -> None:
    """16-TX-04: reason Local; no idTag, because none was shown."""
    bench = bench16()
    await bench.boot()
    await bench.do(PlugIn(2), PresentCard("A", evse=2))
    bench.skip()
    await bench.do(PressStop(2))
    assert bench.saw("> StopTransaction reason=Local !idTag transactionId=1")


async def test_emergency_stop_ends_every_transaction(bench16: Make) -> None:
    """16-TX-09: reason EmergencyStop; connector 0 and all connectors are Faulted."""
    bench = bench16()
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1), PlugIn(2), PresentCard("B", evse=2))
    bench.skip()
    await bench.do(RaiseFault(Fault.EMERGENCY_STOP))
    stops = bench.sent("StopTransaction")
    assert [stop["reason"] for stop in stops] == ["EmergencyStop", "EmergencyStop"]
    for number in (0, 1, 2):
        assert bench.saw(
            f"> StatusNotification connectorId={number} status=Faulted errorCode=OtherError "
            'info="Emergency stop"'
        )


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.RCD, "GroundFailure"),
        (Fault.METER_LOST, "PowerMeterFailure"),
        (Fault.CONTACTOR_WELD, "PowerSwitchFailure"),
        (Fault.OVERCURRENT, "OverCurrentFailure"),
        (Fault.OVERVOLTAGE, "OverVoltage"),
        (Fault.UNDERVOLTAGE, "UnderVoltage"),
        (Fault.INTERNAL, "InternalError"),
    ],
)
async def test_tripping_fault_ends_the_transaction(bench16: Make, fault: Fault, code: str) -> None:
    """16-ST-05, 16-TX-04: reason Other; Faulted with the code, then Finishing (I6)."""
    bench = bench16()
    await bench.boot()
    await bench.do(PlugIn(2), PresentCard("A", evse=2))
    bench.skip()
    await bench.do(RaiseFault(fault, evse=2))
    bench.expect(
        f"""
        > StatusNotification connectorId=2 status=Faulted errorCode={code}
        > StopTransaction reason=Other
        """
    )
    await bench.do(ClearFault(2))
    bench.expect("> StatusNotification connectorId=2 status=Finishing errorCode=NoError")
