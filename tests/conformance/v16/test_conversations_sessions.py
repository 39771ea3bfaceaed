"""Conversations of charging sessions, from the first word to the last, in the style of certification cases.

Each is one story with everything the back office hears in it, in its order.
"""

from __future__ import annotations

import pytest

from app.station.intents import (
    ClearFault,
    CutMains,
    PauseVehicle,
    PlugIn,
    PresentCard,
    PressStop,
    RaiseFault,
    RestoreMains,
    ResumeVehicle,
    SetVehicle,
    Unplug,
)
from app.station.kinds import Fault, UnplugSide
from tests.conformance.v16.conftest import Make
from tests.support.harness import Bench

READY = SetVehicle(2, ready_delay=0.0)
CABLE, CARD = PlugIn(2), PresentCard("ANNA", evse=2)


async def station(bench16: Make, **options: object) -> Bench:
    """Booted, quiet, and with a car that wants energy at connector 2."""
    bench: Bench = bench16(**options)
    bench.csms.boot_interval = 86400  # no Heartbeat in between
    await bench.boot()
    await bench.do(READY)
    bench.skip()
    return bench


# ---------------------------------------------------------------- regular sessions


async def test_regular_session_cable_first(bench16: Make) -> None:
    """16-ST-02, 16-TX-01, 16-TX-04: from plug to unplug, with two samples."""
    bench = await station(bench16)
    await bench.do(CABLE, CARD)
    await bench.advance(150)
    await bench.do(CARD, Unplug(2))
    bench.expect(
        """
        > StatusNotification connectorId=2 status=Preparing errorCode=NoError
        > Authorize idTag=ANNA
        > StartTransaction connectorId=2 idTag=ANNA meterStart=0 !reservationId
        > StatusNotification connectorId=2 status=Charging
        > MeterValues connectorId=2 transactionId=1
        > MeterValues connectorId=2 transactionId=1
        > StopTransaction transactionId=1 idTag=ANNA reason=Local
        > StatusNotification connectorId=2 status=Finishing
        > StatusNotification connectorId=2 status=Available
        """
    )


async def test_regular_session_card_first(bench16: Make) -> None:
    """16-ST-02, 16-TX-01, 16-TX-10: the card waits for the cable; the stop frees it."""
    bench = await station(bench16)
    await bench.do(CARD, CABLE)
    await bench.advance(30)
    await bench.do(CARD, Unplug(2))
    bench.expect(
        """
        > Authorize idTag=ANNA
        > StatusNotification connectorId=2 status=Preparing
        > StartTransaction connectorId=2 idTag=ANNA
        > StatusNotification connectorId=2 status=Charging
        > StopTransaction transactionId=1 idTag=ANNA reason=Local
        > StatusNotification connectorId=2 status=Finishing
        > StatusNotification connectorId=2 status=Available
        """
    )


async def test_two_sessions_at_once_have_their_own_numbers(bench16: Make) -> None:
    """16-TX-01, 16-TX-07: each message carries the number of its own transaction."""
    bench = await station(bench16)
    await bench.do(CABLE, CARD)
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), PresentCard("BERT", evse=1))
    bench.skip()
    assert (await bench.request("RemoteStopTransaction", {"transactionId": 1}))["status"] == (
        "Accepted"
    )
    await bench.do(PresentCard("BERT", evse=1))
    bench.expect(
        """
        < RemoteStopTransaction transactionId=1
        = RemoteStopTransaction status=Accepted
        > StopTransaction transactionId=1 reason=Remote
        > StatusNotification connectorId=2 status=Finishing
        > StopTransaction transactionId=2 reason=Local idTag=BERT
        > StatusNotification connectorId=1 status=Finishing
        """
    )


async def test_session_stopped_with_another_card_of_the_family(bench16: Make) -> None:
    """16-AU-09: the same parent stops, and is the one named in the stop."""
    bench = await station(bench16)
    family = {"idTagInfo": {"status": "Accepted", "parentIdTag": "FAMILY"}}
    bench.csms.on("Authorize", family)
    await bench.do(CABLE, CARD)
    bench.skip()
    await bench.do(PresentCard("BERT", evse=2))
    bench.expect(
        """
        > Authorize idTag=BERT
        > StopTransaction transactionId=1 idTag=BERT reason=Local
        > StatusNotification connectorId=2 status=Finishing
        """
    )


async def test_stranger_and_the_parent_itself_stop_nothing(bench16: Make) -> None:
    """16-AU-09: only a card of the group, not its name."""
    bench = await station(bench16)
    bench.csms.on(
        "Authorize",
        lambda request: {
            "idTagInfo": {"status": "Accepted", "parentIdTag": "FAMILY"}
            if request["idTag"] == "ANNA"
            else {"status": "Accepted", "parentIdTag": "OTHERS"}
        },
    )
    await bench.do(CABLE, CARD)
    bench.skip()
    await bench.do(PresentCard("STRANGER", evse=2), PresentCard("FAMILY", evse=2))
    bench.expect("> Authorize idTag=STRANGER\n> Authorize idTag=FAMILY")


async def test_car_pauses_and_resumes(bench16: Make) -> None:
    """16-ST-02: a full stop of the flow by the car is no end of the transaction."""
    bench = await station(bench16)
    await bench.do(CABLE, CARD, PauseVehicle(2), ResumeVehicle(2), PressStop(2))
    bench.expect(
        """
        > StatusNotification status=Preparing
        > Authorize
        > StartTransaction
        > StatusNotification status=Charging
        > StatusNotification status=SuspendedEV
        > StatusNotification status=Charging
        > StopTransaction reason=Local !idTag
        > StatusNotification status=Finishing
        """
    )


async def test_both_sides_pause_and_the_station_is_the_one_told_of(bench16: Make) -> None:
    """16-ST-04: SuspendedEVSE wins, whoever came first, and goes when the station goes on."""
    bench = await station(bench16)
    await bench.do(CABLE, CARD, PauseVehicle(2))
    bench.skip()
    nothing = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0.0}],
        },
    }
    await bench.request("SetChargingProfile", {"connectorId": 2, "csChargingProfiles": nothing})
    await bench.request("ClearChargingProfile", {"id": 1})
    bench.expect(
        """
        < SetChargingProfile
        = SetChargingProfile status=Accepted
        > StatusNotification connectorId=2 status=SuspendedEVSE
        < ClearChargingProfile
        = ClearChargingProfile status=Accepted
        > StatusNotification connectorId=2 status=SuspendedEV
        """
    )


# ---------------------------------------------------------------- the car's end of the cable


async def test_ev_side_disconnect_ends_and_frees(bench16: Make) -> None:
    """16-ST-10: StopTransactionOnEVSideDisconnect=true, UnlockConnectorOnEVSideDisconnect=true."""
    bench = await station(bench16)
    await bench.do(CABLE, CARD)
    bench.skip()
    await bench.do(Unplug(2, side=UnplugSide.EV))
    bench.expect(
        """
        > StatusNotification connectorId=2 status=Finishing info="EV side disconnected"
        > StopTransaction transactionId=1 reason=EVDisconnected
        > StatusNotification connectorId=2 status=Available
        """
    )


async def test_ev_side_disconnect_only_suspends_and_charging_goes_on(bench16: Make) -> None:
    """16-ST-10: StopTransactionOnEVSideDisconnect=false."""
    bench = await station(bench16, keys={"StopTransactionOnEVSideDisconnect": "false"})
    await bench.do(CABLE, CARD)
    bench.skip()
    await bench.do(Unplug(2, side=UnplugSide.EV))
    await bench.advance(30)
    await bench.do(CABLE)
    await bench.advance(5)
    await bench.do(CARD)
    bench.expect(
        """
        > StatusNotification connectorId=2 status=SuspendedEV info~disconnected
        > StatusNotification connectorId=2 status=Charging
        > StopTransaction transactionId=1 reason=Local idTag=ANNA
        > StatusNotification connectorId=2 status=Finishing
        """
    )


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize("word", ["Blocked", "Expired", "Invalid", "ConcurrentTx"])
async def test_refused_card_starts_nothing(bench16: Make, word: str) -> None:
    """16-AU-01: the cable waits on, and its time runs out."""
    bench = await station(bench16, keys={"ConnectionTimeOut": "60"})
    bench.csms.token_status["ANNA"] = word
    await bench.do(CABLE, CARD)
    await bench.advance(61)
    await bench.do(Unplug(2))
    bench.expect(
        """
        > StatusNotification connectorId=2 status=Preparing
        > Authorize idTag=ANNA
        > StatusNotification connectorId=2 status=Finishing
        > StatusNotification connectorId=2 status=Available
        """
    )


@pytest.mark.parametrize("word", ["Blocked", "Expired", "Invalid", "ConcurrentTx"])
async def test_start_that_is_answered_with_a_refusal_is_stopped(bench16: Make, word: str) -> None:
    """16-AU-10: StopTransactionOnInvalidId=true; the card that was refused frees its cable."""
    bench = await station(bench16)
    bench.csms.on("StartTransaction", {"transactionId": 5, "idTagInfo": {"status": word}})
    await bench.do(CABLE, CARD)
    await bench.do(CARD, Unplug(2))
    bench.expect(
        """
        > StatusNotification status=Preparing
        > Authorize idTag=ANNA
        > StartTransaction idTag=ANNA
        ...
        > StopTransaction transactionId=5 reason=DeAuthorized
        > StatusNotification connectorId=2 status=Finishing
        > StatusNotification connectorId=2 status=Available
        """
    )


@pytest.mark.parametrize("word", ["Blocked", "Expired", "Invalid", "ConcurrentTx"])
async def test_start_that_is_answered_with_a_refusal_only_stops_the_energy(
    bench16: Make, word: str
) -> None:
    """16-AU-10: StopTransactionOnInvalidId=false."""
    bench = await station(bench16, keys={"StopTransactionOnInvalidId": "false"})
    bench.csms.on("StartTransaction", {"transactionId": 5, "idTagInfo": {"status": word}})
    await bench.do(CABLE, CARD)
    assert bench.saw("> StatusNotification connectorId=2 status=SuspendedEVSE")
    assert not bench.sent("StopTransaction")
    bench.skip()
    await bench.do(CARD)
    bench.expect(
        """
        > StopTransaction transactionId=5 reason=Local
        > StatusNotification connectorId=2 status=Finishing
        """
    )


@pytest.mark.parametrize("word", ["Blocked", "Expired", "Invalid", "ConcurrentTx"])
async def test_what_the_stop_says_of_the_card_is_remembered(bench16: Make, word: str) -> None:
    """16-AU-06, 16-AU-04: the card charged for the last time; offline it is refused from now on."""
    bench = await station(bench16)
    bench.csms.on("StopTransaction", {"idTagInfo": {"status": word}})
    await bench.do(CABLE, CARD, CARD, Unplug(2))
    await bench.offline()
    bench.skip()
    await bench.do(CABLE, CARD)
    await bench.online()
    bench.expect("> StatusNotification connectorId=2 status=Preparing")


# ---------------------------------------------------------------- offline


async def test_known_card_starts_and_stops_offline(bench16: Make) -> None:
    """16-AU-03, OFF-01, OFF-02, OFF-09: start and stop of the past, in their order, then the present."""
    bench = await station(bench16)
    await bench.do(CABLE, CARD, CARD, Unplug(2))
    await bench.offline()
    bench.skip()
    await bench.do(CABLE, CARD)
    await bench.advance(90)
    await bench.do(CARD)
    await bench.advance(600)
    await bench.online()
    bench.expect(
        """
        > StatusNotification connectorId=2 status=Finishing
        > StartTransaction idTag=ANNA timestamp=2026-01-15T08:00:00Z
        > MeterValues transactionId=2 meterValue.0.timestamp=2026-01-15T08:01:00Z
        > StopTransaction transactionId=2 timestamp=2026-01-15T08:01:30Z reason=Local
        """
    )


async def test_session_begun_online_ends_offline(bench16: Make) -> None:
    """OFF-01, OFF-08: the present status first, then what waited."""
    bench = await station(bench16, keys={"MeterValueSampleInterval": "0"})
    await bench.do(CABLE, CARD)
    await bench.offline()
    bench.skip()
    await bench.do(CARD, Unplug(2))
    await bench.advance(100)
    await bench.online()
    bench.expect(
        """
        > StatusNotification connectorId=2 status=Available
        > StopTransaction transactionId=1 timestamp=2026-01-15T08:00:00Z
        """
    )


async def test_session_begun_offline_is_refused_once_it_is_known(bench16: Make) -> None:
    """16-AU-10, OFF-09: the answer to the late StartTransaction ends it."""
    bench = await station(bench16)
    await bench.do(CABLE, CARD, CARD, Unplug(2))
    await bench.offline()
    await bench.do(CABLE, CARD)
    await bench.advance(50)
    bench.csms.token_status["ANNA"] = "Invalid"
    bench.skip()
    await bench.online()
    bench.expect(
        """
        > StatusNotification connectorId=2 status=Charging
        > StartTransaction idTag=ANNA timestamp=2026-01-15T08:00:00Z
        ...
        > StopTransaction reason=DeAuthorized timestamp=2026-01-15T08:00:50Z
        > StatusNotification connectorId=2 status=Finishing
        """
    )


# ---------------------------------------------------------------- power


async def test_power_comes_back_while_the_back_office_is_away(bench16: Make) -> None:
    """16-TX-09, OFF-04: PowerLoss waits until the boot is accepted, days later if need be."""
    bench = await station(bench16)
    await bench.do(CABLE, CARD)
    await bench.advance(30)
    await bench.do(CutMains())
    bench.network = False
    await bench.advance(600)
    await bench.do(RestoreMains())
    await bench.advance(86400)
    bench.skip()
    await bench.online()
    bench.expect(
        """
        > BootNotification
        > StatusNotification connectorId=0 status=Available
        > StatusNotification connectorId=1 status=Available
        > StatusNotification connectorId=2 status=Finishing
        > SecurityEventNotification type=StartupOfTheDevice
        > StopTransaction transactionId=1 reason=PowerLoss timestamp=2026-01-15T08:00:30Z
        """
    )


async def test_fault_ends_the_session_and_goes_away(bench16: Make) -> None:
    """16-ST-05, 16-ST-03: Faulted with its code, then back."""
    bench = await station(bench16)
    await bench.do(CABLE, CARD)
    bench.skip()
    await bench.do(RaiseFault(Fault.RCD, evse=2))
    assert bench.saw("> StatusNotification connectorId=2 status=Faulted errorCode=GroundFailure")
    assert bench.saw("> StopTransaction transactionId=1 reason=Other")
    bench.skip()
    await bench.do(ClearFault(2, fault=Fault.RCD), Unplug(2))
    bench.expect(
        """
        > StatusNotification connectorId=2 status=Finishing errorCode=NoError
        > StatusNotification connectorId=2 status=Available
        """
    )


async def test_emergency_stop_shows_at_the_station_itself(bench16: Make) -> None:
    """16-ST-01: connector 0 knows Available, Unavailable and Faulted, and no state of a session."""
    bench = await station(bench16)
    await bench.do(CABLE, CARD, RaiseFault(Fault.EMERGENCY_STOP))
    assert bench.sent("StopTransaction")[0]["reason"] == "EmergencyStop"
    await bench.do(ClearFault(fault=Fault.EMERGENCY_STOP), Unplug(2))
    await bench.request("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"})
    told = [one["status"] for one in bench.sent("StatusNotification") if one["connectorId"] == 0]
    assert told == ["Available", "Faulted", "Available", "Unavailable"]


# ---------------------------------------------------------------- meter values


async def test_sampled_and_clock_aligned_values_side_by_side(bench16: Make) -> None:
    """MV-01, MV-02, MV-03, MV-06: each with its own measurands and contexts, and both in the stop."""
    bench = await station(
        bench16,
        keys={
            "MeterValueSampleInterval": "350",
            "MeterValuesSampledData": "Power.Active.Import",
            "ClockAlignedDataInterval": "900",
            "MeterValuesAlignedData": "Energy.Active.Import.Register",
            "StopTxnSampledData": "Current.Import.L1",
            "StopTxnAlignedData": "Voltage.L1",
        },
    )
    await bench.advance(100)
    await bench.do(CABLE, CARD)
    bench.skip()
    await bench.advance(1000)
    await bench.do(CARD)
    value = "meterValue.0.sampledValue.0"
    bench.expect(
        f"""
        > MeterValues connectorId=2 transactionId=1 {value}.measurand=Power.Active.Import
        > MeterValues connectorId=2 transactionId=1 {value}.measurand=Power.Active.Import
        > MeterValues connectorId=1 !transactionId {value}.context=Sample.Clock
        > MeterValues connectorId=0 !transactionId {value}.context=Sample.Clock
        > MeterValues connectorId=2 transactionId=1 {value}.context=Sample.Clock
        > StopTransaction transactionId=1 transactionData
        > StatusNotification status=Finishing
        """
    )
    found = {
        (one.get("context"), one["measurand"], one.get("phase"))
        for each in bench.sent("StopTransaction")[0]["transactionData"]
        for one in each["sampledValue"]
    }
    assert ("Sample.Clock", "Voltage", "L1") in found
    assert ("Sample.Periodic", "Current.Import", "L1") in found
    assert {context for context, _, _ in found} >= {"Transaction.Begin", "Transaction.End"}
