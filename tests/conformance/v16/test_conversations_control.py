"""Conversations that the back office leads, in the style of certification cases: boot, remote control,
settings, lists, reservations, availability, resets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.kernel.units import stamp
from app.station.intents import PlugIn, PresentCard, SetVehicle, Unplug
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


async def ask(bench: Bench, action: str, **payload: Any) -> None:
    """A CALL of the back office; the playbook tells what came of it."""
    await bench.request(action, payload)


# ---------------------------------------------------------------- cold boot


async def test_cold_boot_pending_is_configured_and_then_accepted(bench16: Make) -> None:
    """16-BOOT-04, 16-BOOT-05, 16-BOOT-06: the back office prepares the station before it lets it in."""
    bench = bench16()
    bench.csms.boot_status, bench.csms.boot_interval = "Pending", 600
    await bench.online()
    await ask(bench, "GetConfiguration", key=["MeterValueSampleInterval"])
    await ask(bench, "ChangeConfiguration", key="MeterValueSampleInterval", value="10")
    await ask(bench, "RemoteStartTransaction", idTag="ANNA", connectorId=1)
    await ask(bench, "RemoteStopTransaction", transactionId=1)
    await bench.advance(300)
    await ask(bench, "TriggerMessage", requestedMessage="StatusNotification", connectorId=1)
    bench.csms.boot_status = "Accepted"
    await ask(bench, "TriggerMessage", requestedMessage="BootNotification")
    bench.expect(
        """
        > BootNotification
        < GetConfiguration
        = GetConfiguration configurationKey.0.value=60
        < ChangeConfiguration
        = ChangeConfiguration status=Accepted
        < RemoteStartTransaction
        = RemoteStartTransaction status=Rejected
        < RemoteStopTransaction
        = RemoteStopTransaction status=Rejected
        < TriggerMessage
        = TriggerMessage status=Accepted
        > StatusNotification connectorId=1 status=Available
        < TriggerMessage
        = TriggerMessage status=Accepted
        > BootNotification
        > StatusNotification connectorId=0 status=Available
        > StatusNotification connectorId=1 status=Available
        > StatusNotification connectorId=2 status=Available
        > SecurityEventNotification type=StartupOfTheDevice
        """
    )


async def test_cold_boot_rejected_and_accepted_at_the_second_try(bench16: Make) -> None:
    """16-BOOT-07, 16-BOOT-08: silence in between, whatever the back office asks."""
    bench = bench16()
    bench.csms.boot_status, bench.csms.boot_interval = "Rejected", 120
    await bench.online()
    asked = bench.start_request("GetConfiguration", {})
    await bench.advance(119)
    assert not asked.done()
    bench.csms.boot_status = "Accepted"
    await bench.advance(1)
    bench.expect(
        """
        > BootNotification
        < GetConfiguration
        > BootNotification
        > StatusNotification connectorId=0
        > StatusNotification connectorId=1
        > StatusNotification connectorId=2
        > SecurityEventNotification type=StartupOfTheDevice
        """
    )


# ---------------------------------------------------------------- remote start and stop


async def test_remote_start_cable_first_and_remote_stop(bench16: Make) -> None:
    """16-TX-05, 16-TX-07, 16-ST-02."""
    bench = await station(bench16)
    await bench.do(CABLE)
    await ask(bench, "RemoteStartTransaction", idTag="ANNA", connectorId=2)
    await ask(bench, "RemoteStopTransaction", transactionId=1)
    await bench.do(Unplug(2))
    bench.expect(
        """
        > StatusNotification connectorId=2 status=Preparing
        < RemoteStartTransaction
        = RemoteStartTransaction status=Accepted
        > Authorize idTag=ANNA
        > StartTransaction connectorId=2 idTag=ANNA
        > StatusNotification connectorId=2 status=Charging
        < RemoteStopTransaction
        = RemoteStopTransaction status=Accepted
        > StopTransaction transactionId=1 reason=Remote !idTag
        > StatusNotification connectorId=2 status=Finishing
        > StatusNotification connectorId=2 status=Available
        """
    )


async def test_remote_start_first_and_the_cable_later(bench16: Make) -> None:
    """16-TX-05, 16-ST-09: the driver has the time of ConnectionTimeOut."""
    bench = await station(bench16, keys={"ConnectionTimeOut": "60"})
    await ask(bench, "RemoteStartTransaction", idTag="ANNA", connectorId=2)
    await bench.advance(59)
    await bench.do(CABLE)
    bench.expect(
        """
        < RemoteStartTransaction
        = RemoteStartTransaction status=Accepted
        > Authorize idTag=ANNA
        > StatusNotification connectorId=2 status=Preparing
        > StartTransaction connectorId=2 idTag=ANNA
        > StatusNotification connectorId=2 status=Charging
        """
    )


async def test_remote_start_and_nobody_comes(bench16: Make) -> None:
    """16-ST-09: back to Available, and a cable afterwards starts nothing."""
    bench = await station(bench16, keys={"ConnectionTimeOut": "60"})
    await ask(bench, "RemoteStartTransaction", idTag="ANNA", connectorId=2)
    bench.skip()
    await bench.advance(60)
    await bench.do(CABLE)
    bench.expect(
        """
        > StatusNotification connectorId=2 status=Available
        > StatusNotification connectorId=2 status=Preparing
        """
    )


@pytest.mark.parametrize(
    ("kind", "extra", "limit"),
    [
        ("Relative", {}, 10.0),
        ("Absolute", {"startSchedule": "2026-01-15T08:00:00Z"}, 10.0),
        ("Recurring", {"startSchedule": "2026-01-14T08:00:00Z"}, 10.0),
    ],
)
async def test_remote_start_with_a_charging_profile_and_its_composite(
    bench16: Make, kind: str, extra: dict[str, Any], limit: float
) -> None:
    """16-TX-05, SC-08, SC-18: what came with the start limits this transaction, and ends with it."""
    bench = await station(bench16)
    await bench.do(SetVehicle(2, soc=10.0, max_ac_current=32.0), CABLE)
    profile = {
        "chargingProfileId": 7,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": kind,
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
            **extra,
        },
    }
    if kind == "Recurring":
        profile["recurrencyKind"] = "Daily"
    await ask(bench, "RemoteStartTransaction", idTag="ANNA", connectorId=2, chargingProfile=profile)
    await bench.advance(2)
    bench.skip()
    composite = {"connectorId": 2, "duration": 600, "chargingRateUnit": "A"}
    await ask(bench, "GetCompositeSchedule", **composite)
    await ask(bench, "RemoteStopTransaction", transactionId=1)
    await ask(bench, "GetCompositeSchedule", **composite)
    period = "chargingSchedule.chargingSchedulePeriod.0.limit"
    bench.expect(
        f"""
        < GetCompositeSchedule
        = GetCompositeSchedule status=Accepted connectorId=2 {period}={limit}
        < RemoteStopTransaction
        = RemoteStopTransaction status=Accepted
        > StopTransaction reason=Remote
        > StatusNotification status=Finishing
        < GetCompositeSchedule
        = GetCompositeSchedule status=Accepted {period}=32.0
        """
    )


async def test_remote_start_at_a_busy_connector_disturbs_nobody(bench16: Make) -> None:
    """16-TX-05."""
    bench = await station(bench16)
    await bench.do(CABLE, CARD)
    bench.skip()
    await ask(bench, "RemoteStartTransaction", idTag="BERT", connectorId=2)
    await bench.advance(60)
    bench.expect(
        """
        < RemoteStartTransaction
        = RemoteStartTransaction status=Rejected
        > MeterValues transactionId=1
        """
    )


# ---------------------------------------------------------------- unlock


async def test_unlock_in_a_session_and_afterwards(bench16: Make) -> None:
    """16-TX-08, RC-07: stopped first, then unlocked; again with nothing in."""
    bench = await station(bench16)
    await bench.do(CABLE, CARD)
    bench.skip()
    await ask(bench, "UnlockConnector", connectorId=2)
    await bench.do(Unplug(2))
    await ask(bench, "UnlockConnector", connectorId=2)
    bench.expect(
        """
        < UnlockConnector connectorId=2
        > StopTransaction transactionId=1 reason=UnlockCommand
        = UnlockConnector status=Unlocked
        > StatusNotification connectorId=2 status=Finishing
        > StatusNotification connectorId=2 status=Available
        < UnlockConnector connectorId=2
        = UnlockConnector status=Unlocked
        """
    )


# ---------------------------------------------------------------- settings and triggers


async def test_settings_are_read_changed_and_read_again(bench16: Make) -> None:
    """CF-01, CF-02: all keys, one key, an unknown one, a bad value, a read-only key."""
    bench = await station(bench16)
    everything = await bench.request("GetConfiguration", {})
    assert len(everything["configurationKey"]) > 40
    bench.skip()
    await ask(bench, "ChangeConfiguration", key="ConnectionTimeOut", value="25")
    await ask(bench, "ChangeConfiguration", key="ConnectionTimeOut", value="soon")
    await ask(bench, "ChangeConfiguration", key="NumberOfConnectors", value="3")
    await ask(bench, "ChangeConfiguration", key="NoSuchKey", value="1")
    await ask(bench, "GetConfiguration", key=["ConnectionTimeOut", "NoSuchKey"])
    bench.expect(
        """
        < ChangeConfiguration
        = ChangeConfiguration status=Accepted
        < ChangeConfiguration value=soon
        = ChangeConfiguration status=Rejected
        < ChangeConfiguration key=NumberOfConnectors
        = ChangeConfiguration status=Rejected
        < ChangeConfiguration key=NoSuchKey
        = ChangeConfiguration status=NotSupported
        < GetConfiguration
        = GetConfiguration configurationKey.0.value=25 unknownKey.0=NoSuchKey
        """
    )


async def test_triggered_messages_of_a_running_session(bench16: Make) -> None:
    """RC-01, RC-02, RC-03, MV-14: each is answered first and then sent, with the transaction's number."""
    bench = await station(bench16)
    await bench.do(CABLE, CARD)
    bench.skip()
    await ask(bench, "TriggerMessage", requestedMessage="MeterValues", connectorId=2)
    await ask(bench, "TriggerMessage", requestedMessage="StatusNotification", connectorId=2)
    await ask(bench, "TriggerMessage", requestedMessage="Heartbeat")
    await ask(bench, "TriggerMessage", requestedMessage="BootNotification")
    bench.expect(
        """
        < TriggerMessage
        = TriggerMessage status=Accepted
        > MeterValues connectorId=2 transactionId=1 meterValue.0.sampledValue.0.context=Trigger
        < TriggerMessage
        = TriggerMessage status=Accepted
        > StatusNotification connectorId=2 status=Charging
        < TriggerMessage
        = TriggerMessage status=Accepted
        > Heartbeat
        < TriggerMessage
        = TriggerMessage status=Rejected
        """
    )


async def test_cache_is_cleared_and_forgets_the_driver(bench16: Make) -> None:
    """16-AU-03, 16-AU-06: known offline before, unknown offline afterwards."""
    bench = await station(bench16)
    await bench.do(CABLE, CARD, CARD, Unplug(2))
    await bench.offline()
    await bench.do(CABLE, CARD)
    assert len(bench.personality.sessions()) == 1
    await bench.do(CARD, Unplug(2))
    await bench.online()
    bench.skip()
    await ask(bench, "ClearCache")
    bench.expect("< ClearCache\n= ClearCache status=Accepted")
    await bench.offline()
    await bench.do(CABLE, CARD)
    assert bench.personality.sessions() == ()


# ---------------------------------------------------------------- local list


async def test_local_list_full_then_differential_then_used_offline(bench16: Make) -> None:
    """16-LL-01, 16-LL-03, 16-LL-04, 16-AU-03."""
    bench = await station(bench16)
    accepted = {"status": "Accepted"}
    both = [
        {"idTag": "ANNA", "idTagInfo": accepted},
        {"idTag": "BERT", "idTagInfo": {"status": "Blocked"}},
    ]
    await ask(bench, "GetLocalListVersion")
    await ask(bench, "SendLocalList", listVersion=1, updateType="Full", localAuthorizationList=both)
    change = [{"idTag": "ANNA"}, {"idTag": "BERT", "idTagInfo": accepted}]
    await ask(
        bench,
        "SendLocalList",
        listVersion=2,
        updateType="Differential",
        localAuthorizationList=change,
    )
    await ask(bench, "SendLocalList", listVersion=2, updateType="Differential")
    await ask(bench, "GetLocalListVersion")
    bench.expect(
        """
        < GetLocalListVersion
        = GetLocalListVersion listVersion=0
        < SendLocalList updateType=Full
        = SendLocalList status=Accepted
        < SendLocalList updateType=Differential
        = SendLocalList status=Accepted
        < SendLocalList updateType=Differential
        = SendLocalList status=VersionMismatch
        < GetLocalListVersion
        = GetLocalListVersion listVersion=2
        """
    )
    await bench.offline()
    await bench.do(CABLE, CARD)
    assert bench.personality.sessions() == ()
    await bench.do(PresentCard("BERT", evse=2))
    assert [one.id_token for one in bench.personality.sessions()] == ["BERT"]


# ---------------------------------------------------------------- reservations


async def reserve(bench: Bench, number: int = 2, ident: int = 3, **more: Any) -> None:
    expiry = stamp(bench.now + timedelta(seconds=more.pop("seconds", 900)))
    await ask(
        bench,
        "ReserveNow",
        connectorId=number,
        expiryDate=expiry,
        idTag="ANNA",
        reservationId=ident,
        **more,
    )


async def test_reservation_is_used_by_its_holder(bench16: Make) -> None:
    """RS-01, RS-03, RS-05, 16-TX-03: a stranger is turned away, then the holder charges."""
    bench = await station(bench16)
    await reserve(bench)
    await bench.do(PresentCard("BERT", evse=2), CARD, CABLE, CARD, Unplug(2))
    await ask(bench, "CancelReservation", reservationId=3)
    bench.expect(
        """
        < ReserveNow
        = ReserveNow status=Accepted
        > StatusNotification connectorId=2 status=Reserved
        ...
        > Authorize idTag=ANNA
        > StatusNotification connectorId=2 status=Preparing
        > StartTransaction idTag=ANNA reservationId=3
        > StatusNotification connectorId=2 status=Charging
        > StopTransaction
        > StatusNotification connectorId=2 status=Finishing
        > StatusNotification connectorId=2 status=Available
        < CancelReservation
        = CancelReservation status=Rejected
        """
    )


async def test_reservation_is_used_by_the_family(bench16: Make) -> None:
    """RS-05: another card with the parent of the reservation."""
    bench = await station(bench16)
    bench.csms.on("Authorize", {"idTagInfo": {"status": "Accepted", "parentIdTag": "FAMILY"}})
    await reserve(bench, parentIdTag="FAMILY")
    bench.skip()
    await bench.do(PresentCard("BERT", evse=2), CABLE)
    bench.expect(
        """
        > Authorize idTag=BERT
        > StatusNotification connectorId=2 status=Preparing
        > StartTransaction idTag=BERT reservationId=3
        > StatusNotification connectorId=2 status=Charging
        """
    )


async def test_reservation_is_cancelled(bench16: Make) -> None:
    """RS-08: anybody may charge afterwards."""
    bench = await station(bench16)
    await reserve(bench)
    bench.skip()
    await ask(bench, "CancelReservation", reservationId=3)
    await bench.do(PresentCard("BERT", evse=2), CABLE)
    bench.expect(
        """
        < CancelReservation
        = CancelReservation status=Accepted
        > StatusNotification connectorId=2 status=Available
        > Authorize idTag=BERT
        > StatusNotification connectorId=2 status=Preparing
        > StartTransaction idTag=BERT !reservationId
        > StatusNotification connectorId=2 status=Charging
        """
    )


async def test_reservation_expires_unused(bench16: Make) -> None:
    """RS-06."""
    bench = await station(bench16)
    await reserve(bench, seconds=300)
    bench.skip()
    await bench.advance(300)
    await ask(bench, "CancelReservation", reservationId=3)
    bench.expect(
        """
        > StatusNotification connectorId=2 status=Available
        < CancelReservation
        = CancelReservation status=Rejected
        """
    )


async def test_remote_start_uses_the_reservation(bench16: Make) -> None:
    """RS-05, 16-TX-03, 16-TX-05."""
    bench = await station(bench16)
    await reserve(bench)
    bench.skip()
    await ask(bench, "RemoteStartTransaction", idTag="BERT", connectorId=2)
    await ask(bench, "RemoteStartTransaction", idTag="ANNA", connectorId=2)
    await bench.do(CABLE)
    bench.expect(
        """
        < RemoteStartTransaction idTag=BERT
        = RemoteStartTransaction status=Rejected
        < RemoteStartTransaction idTag=ANNA
        = RemoteStartTransaction status=Accepted
        > Authorize idTag=ANNA
        > StatusNotification connectorId=2 status=Preparing
        > StartTransaction idTag=ANNA reservationId=3
        > StatusNotification connectorId=2 status=Charging
        """
    )


async def test_any_connector_is_kept_for_the_holder(bench16: Make) -> None:
    """RS-04: the last free one shows Reserved as soon as the other one is taken."""
    bench = await station(bench16)
    await reserve(bench, number=0)
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), PresentCard("BERT", evse=1))
    await bench.do(CARD, CABLE)
    bench.expect(
        """
        < ReserveNow connectorId=0
        = ReserveNow status=Accepted
        > StatusNotification connectorId=2 status=Reserved
        > StatusNotification connectorId=1 status=Preparing
        > Authorize idTag=BERT
        > StartTransaction connectorId=1 idTag=BERT !reservationId
        > StatusNotification connectorId=1 status=Charging
        > Authorize idTag=ANNA
        > StatusNotification connectorId=2 status=Preparing
        > StartTransaction connectorId=2 idTag=ANNA reservationId=3
        > StatusNotification connectorId=2 status=Charging
        """
    )


# ---------------------------------------------------------------- availability


async def test_out_of_service_after_the_session_and_back(bench16: Make) -> None:
    """16-AV-01, 16-AV-02."""
    bench = await station(bench16)
    await bench.do(CABLE, CARD)
    bench.skip()
    await ask(bench, "ChangeAvailability", connectorId=2, type="Inoperative")
    await bench.do(CARD)
    await ask(bench, "RemoteStartTransaction", idTag="ANNA", connectorId=2)
    await bench.do(Unplug(2))
    await ask(bench, "ChangeAvailability", connectorId=2, type="Operative")
    bench.expect(
        """
        < ChangeAvailability
        = ChangeAvailability status=Scheduled
        > StopTransaction reason=Local
        > StatusNotification connectorId=2 status=Unavailable
        < RemoteStartTransaction
        = RemoteStartTransaction status=Rejected
        < ChangeAvailability
        = ChangeAvailability status=Accepted
        > StatusNotification connectorId=2 status=Available
        """
    )


async def test_whole_station_out_of_service(bench16: Make) -> None:
    """16-AV-02, 16-AV-03, 16-AV-01: already so is Accepted, too."""
    bench = await station(bench16)
    for kind in ("Inoperative", "Inoperative", "Operative"):
        await ask(bench, "ChangeAvailability", connectorId=0, type=kind)
    bench.expect(
        """
        < ChangeAvailability
        = ChangeAvailability status=Accepted
        > StatusNotification connectorId=0 status=Unavailable
        > StatusNotification connectorId=1 status=Unavailable
        > StatusNotification connectorId=2 status=Unavailable
        < ChangeAvailability
        = ChangeAvailability status=Accepted
        < ChangeAvailability
        = ChangeAvailability status=Accepted
        > StatusNotification connectorId=0 status=Available
        > StatusNotification connectorId=1 status=Available
        > StatusNotification connectorId=2 status=Available
        """
    )


# ---------------------------------------------------------------- reset


@pytest.mark.parametrize("kind", ["Soft", "Hard"])
async def test_reset_without_and_with_a_session(bench16: Make, kind: str) -> None:
    """RE-01, RE-02: the same car may charge again afterwards."""
    bench = await station(bench16)
    await ask(bench, "Reset", type=kind)
    bench.expect(
        f"""
        < Reset type={kind}
        = Reset status=Accepted
        > BootNotification
        > StatusNotification connectorId=0
        > StatusNotification connectorId=1
        > StatusNotification connectorId=2 status=Available
        > SecurityEventNotification type=ResetOrReboot
        > SecurityEventNotification type=StartupOfTheDevice
        """
    )
    await bench.do(CABLE, CARD)
    bench.skip()
    await ask(bench, "Reset", type=kind)
    await bench.do(Unplug(2), CABLE, CARD)
    bench.expect(
        f"""
        < Reset type={kind}
        = Reset status=Accepted
        > StopTransaction transactionId=1 reason={kind}Reset
        ...
        > BootNotification
        > StatusNotification connectorId=0 status=Available
        > StatusNotification connectorId=1 status=Available
        > StatusNotification connectorId=2 status=Finishing
        > SecurityEventNotification type=ResetOrReboot
        > SecurityEventNotification type=StartupOfTheDevice
        > StatusNotification connectorId=2 status=Available
        > StatusNotification connectorId=2 status=Preparing
        > Authorize idTag=ANNA
        > StartTransaction idTag=ANNA
        > StatusNotification connectorId=2 status=Charging
        """
    )


# ---------------------------------------------------------------- smart charging


def profile(ident: int, purpose: str, limit: float, **more: Any) -> dict[str, Any]:
    schedule = {
        "chargingRateUnit": more.pop("unit", "A"),
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
        **more.pop("schedule", {}),
    }
    return {
        "chargingProfileId": ident,
        "stackLevel": more.pop("level", 0),
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": more.pop("kind", "Absolute"),
        "chargingSchedule": schedule,
        **more,
    }


async def test_central_default_and_transaction_profiles_together(bench16: Make) -> None:
    """SC-01, SC-03, SC-04, SC-05, SC-17: the transaction's replaces the default, the maximum caps both."""
    bench = await station(bench16)
    await bench.do(SetVehicle(2, soc=10.0, max_ac_current=32.0), CABLE, CARD)
    await bench.advance(2)

    async def limit() -> float:
        answer = await bench.request("GetCompositeSchedule", {"connectorId": 2, "duration": 60})
        periods = answer["chargingSchedule"]["chargingSchedulePeriod"]
        return float(periods[0]["limit"])

    steps = [
        (0, profile(1, "ChargePointMaxProfile", 20.0), 20.0),
        (0, profile(2, "TxDefaultProfile", 16.0), 16.0),
        (2, profile(3, "TxDefaultProfile", 12.0), 12.0),
        (2, profile(4, "TxProfile", 30.0, transactionId=1), 20.0),
    ]
    for number, what, expected in steps:
        await ask(bench, "SetChargingProfile", connectorId=number, csChargingProfiles=what)
        assert await limit() == expected
        assert round(bench.station.meter(2).offered_current, 1) == expected
    for ident, expected in ((4, 12.0), (3, 16.0), (2, 20.0), (1, 32.0)):
        await ask(bench, "ClearChargingProfile", id=ident)
        assert await limit() == expected


async def test_the_highest_level_that_has_something_to_say_wins(bench16: Make) -> None:
    """SC-02: and the next one when its time is over."""
    bench = await station(bench16)
    low = profile(1, "TxDefaultProfile", 20.0)
    window = {"startSchedule": "2026-01-15T08:00:00Z", "duration": 600}
    high = profile(2, "TxDefaultProfile", 10.0, level=3, schedule=window)
    for what in (low, high):
        await ask(bench, "SetChargingProfile", connectorId=2, csChargingProfiles=what)
    answer = await bench.request("GetCompositeSchedule", {"connectorId": 2, "duration": 1200})
    periods = answer["chargingSchedule"]["chargingSchedulePeriod"]
    assert [(one["startPeriod"], one["limit"]) for one in periods] == [(0, 10.0), (600, 20.0)]


async def test_a_limit_for_three_phases_holds_for_a_car_with_one(bench16: Make) -> None:
    """SC-11: amperes are per phase, so they are taken as they are."""
    bench = await station(bench16)
    await bench.do(SetVehicle(2, soc=10.0, max_ac_current=32.0, ac_phases=1), CABLE, CARD)
    three = profile(1, "TxDefaultProfile", 12.0)
    three["chargingSchedule"]["chargingSchedulePeriod"][0]["numberPhases"] = 3
    await ask(bench, "SetChargingProfile", connectorId=2, csChargingProfiles=three)
    await bench.advance(5)
    assert round(bench.station.meter(2).offered_current, 1) == 12.0


async def test_default_profile_of_each_week(bench16: Make) -> None:
    """SC-08: Recurring Weekly begins on its weekday, 15 January 2026 is a Thursday."""
    bench = await station(bench16)
    weekly = profile(
        1,
        "TxDefaultProfile",
        8.0,
        kind="Recurring",
        recurrencyKind="Weekly",
        schedule={"startSchedule": "2026-01-08T09:00:00Z", "duration": 3600},
    )
    await ask(bench, "SetChargingProfile", connectorId=0, csChargingProfiles=weekly)
    answer = await bench.request("GetCompositeSchedule", {"connectorId": 2, "duration": 10800})
    periods = answer["chargingSchedule"]["chargingSchedulePeriod"]
    assert [(one["startPeriod"], one["limit"]) for one in periods] == [
        (0, 32.0),
        (3600, 8.0),
        (7200, 32.0),
    ]


# ---------------------------------------------------------------- data transfer


@pytest.mark.parametrize("word", ["Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"])
async def test_data_transfer_of_the_station(bench16: Make, word: str) -> None:
    """DT-01, DT-02: sent by hand, whatever the back office thinks of it."""
    bench = await station(bench16)
    bench.csms.on("DataTransfer", {"status": word})
    request = {"vendorId": "Forecourt", "messageId": "Hello", "data": "{}"}
    answer = await bench.ctx.calls.call("DataTransfer", request)
    assert answer == {"status": word}
    bench.expect("> DataTransfer vendorId=Forecourt messageId=Hello data={}")
