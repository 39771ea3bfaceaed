"""BootNotification, Heartbeat and the clock (1.6 part 4.2 and 4.6)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.kernel.catalogue import Catalogue
from app.kernel.units import stamp
from app.ocpp.context import BootState, CallRefused, Identity
from app.ocpp.events import BootDelayed, BootStateChanged, HeartbeatAnswered
from app.station.intents import PlugIn, PresentCard
from tests.conformance.v16.conftest import Make
from tests.support.harness import MUTE, START, NoAnswer, Refuse


async def test_boot_notification_tells_the_whole_identity_cut_to_size(bench16: Make) -> None:
    """16-BOOT-01: vendor and model at most 20 characters."""
    me = Identity("A very long vendor name", "Model", "S1", "B1", "2.0", "8949", "2620", "MT", "M1")
    bench = bench16(settings={"identity": me})
    await bench.boot()
    assert bench.sent("BootNotification") == [
        {
            "chargePointVendor": "A very long vendor n",
            "chargePointModel": "Model",
            "chargePointSerialNumber": "S1",
            "chargeBoxSerialNumber": "B1",
            "firmwareVersion": "2.0",
            "iccid": "8949",
            "imsi": "2620",
            "meterType": "MT",
            "meterSerialNumber": "M1",
        }
    ]


async def test_accepted_sets_heartbeat_interval_and_clock(bench16: Make) -> None:
    """16-BOOT-02, 16-BOOT-03 (errata 3.22)."""
    bench = bench16()
    later = bench.now + timedelta(hours=1)
    bench.csms.on(
        "BootNotification",
        {"status": "Accepted", "currentTime": stamp(later), "interval": 77},
    )
    await bench.boot()
    assert bench.now == later
    assert bench.personality.get_setting("heartbeatinterval") == "77"
    assert [item["connectorId"] for item in bench.sent("StatusNotification")] == [0, 1, 2]
    states = [event.state for event in bench.happened(BootStateChanged)]
    assert states == [BootState.BOOTING, BootState.ACCEPTED]


@pytest.mark.parametrize("status", ["Accepted", "Pending", "Rejected"])
async def test_an_interval_beyond_all_measure_keeps_no_station_from_booting(
    bench16: Make, status: str
) -> None:
    bench = bench16()
    bench.csms.boot_status, bench.csms.boot_interval = status, 10**400
    await bench.online()
    await bench.advance(3600)
    assert bench.personality.boot_state.name == status.upper()
    bench.csms.boot_status, bench.csms.boot_interval = "Accepted", 300
    await bench.kill_and_restart()
    assert bench.personality.boot_state is BootState.ACCEPTED


async def test_pending_repeats_after_the_interval_and_says_nothing_else(bench16: Make) -> None:
    """16-BOOT-04, 16-BOOT-06."""
    bench = bench16()
    bench.csms.boot_status, bench.csms.boot_interval = "Pending", 30
    await bench.online()
    await bench.do(PlugIn(1))
    await bench.advance(29)
    bench.expect("> BootNotification")
    answer = await bench.request("GetConfiguration", {"key": ["HeartbeatInterval"]})
    assert answer["configurationKey"][0]["value"] == "300"
    start = {"idTag": "A", "connectorId": 1}
    assert await bench.request("RemoteStartTransaction", start) == {"status": "Rejected"}
    stop = {"transactionId": 1}
    assert await bench.request("RemoteStopTransaction", stop) == {"status": "Rejected"}
    bench.skip()
    bench.csms.boot_status = "Accepted"
    await bench.advance(1)
    bench.expect(
        """
        > BootNotification
        > StatusNotification connectorId=0
        > StatusNotification connectorId=1 status=Preparing
        > StatusNotification connectorId=2
        > SecurityEventNotification type=StartupOfTheDevice
        """
    )


async def test_pending_station_sends_what_is_triggered(bench16: Make) -> None:
    """16-BOOT-05; a triggered BootNotification does not wait for the interval."""
    bench = bench16()
    bench.csms.boot_status, bench.csms.boot_interval = "Pending", 600
    await bench.online()
    bench.skip()
    trigger = {"requestedMessage": "StatusNotification", "connectorId": 1}
    assert await bench.request("TriggerMessage", trigger) == {"status": "Accepted"}
    bench.csms.boot_status = "Accepted"
    boot = {"requestedMessage": "BootNotification"}
    assert await bench.request("TriggerMessage", boot) == {"status": "Accepted"}
    bench.expect(
        """
        < TriggerMessage
        = TriggerMessage status=Accepted
        > StatusNotification connectorId=1 status=Available
        < TriggerMessage
        = TriggerMessage status=Accepted
        > BootNotification
        > StatusNotification connectorId=0
        ...
        """
    )
    # RC-04, errata 3.35
    assert await bench.request("TriggerMessage", boot) == {"status": "Rejected"}


async def test_pending_station_may_report_its_states(bench16: Make) -> None:
    """Open point ocpp16-pending-status-notification: send."""
    bench = bench16(points={"ocpp16-pending-status-notification": "send"})
    bench.csms.boot_status = "Pending"
    await bench.online()
    bench.expect(
        """
        > BootNotification
        > StatusNotification connectorId=0
        > StatusNotification connectorId=1
        > StatusNotification connectorId=2
        """
    )


async def test_rejected_station_is_silent_until_the_interval_is_over(bench16: Make) -> None:
    """16-BOOT-07, 16-BOOT-08."""
    bench = bench16()
    bench.csms.boot_status, bench.csms.boot_interval = "Rejected", 120
    await bench.online()
    with pytest.raises(NoAnswer):
        await bench.request("GetConfiguration", {})
    await bench.advance(119)
    assert len(bench.sent()) == 1
    bench.csms.boot_status = "Accepted"
    await bench.advance(1)
    assert bench.personality.boot_state is BootState.ACCEPTED


async def test_rejected_station_may_answer_with_an_error(bench16: Make) -> None:
    """16-BOOT-08, open point ocpp16-rejected-answering: callerror."""
    bench = bench16(points={"ocpp16-rejected-answering": "callerror"})
    bench.csms.boot_status = "Rejected"
    await bench.online()
    with pytest.raises(CallRefused, match="SecurityError"):
        await bench.request("GetConfiguration", {})


async def test_rejected_station_may_close_the_link(bench16: Make) -> None:
    """16-BOOT-07, open point ocpp16-rejected-answering: closed."""
    bench = bench16(points={"ocpp16-rejected-answering": "closed"})
    bench.csms.boot_status, bench.csms.boot_interval = "Rejected", 100
    await bench.online()
    links = bench.csms.connection
    assert links > 1
    await bench.advance(99)
    assert len(bench.sent("BootNotification")) == 1


async def test_interval_zero_means_a_wait_of_our_own(bench16: Make) -> None:
    """16-BOOT-09: 60 s."""
    bench = bench16()
    bench.csms.boot_status, bench.csms.boot_interval = "Pending", 0
    await bench.online()
    await bench.advance(59)
    assert len(bench.sent("BootNotification")) == 1
    await bench.advance(1)
    assert len(bench.sent("BootNotification")) == 2


@pytest.mark.parametrize("trouble", [Refuse("InternalError"), MUTE])
async def test_unanswered_boot_notification_is_repeated(bench16: Make, trouble: object) -> None:
    """16-BOOT-09: an error or silence is no reason to flood."""
    bench = bench16()
    bench.csms.on("BootNotification", trouble)  # type: ignore[arg-type]
    await bench.online()
    assert bench.personality.boot_state is BootState.BOOTING
    bench.csms.default("BootNotification")
    await bench.advance(61)
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
    bench16: Make, answer: object, why: str, wait: float
) -> None:
    bench = bench16()
    bench.csms.on("BootNotification", answer)  # type: ignore[arg-type]
    await bench.online()
    (delayed,) = bench.happened(BootDelayed)
    assert (delayed.why.id, delayed.retry_in) == (why, wait)
    said = Catalogue.load().render(delayed.why)
    assert f"again in {wait} s" in said
    bench.csms.faults.clear()  # one of the answers is broken on purpose


async def test_no_boot_notification_after_a_mere_loss_of_the_link(bench16: Make) -> None:
    """RPC-14, both-boot-on-reconnect: only-if-changed."""
    bench = bench16()
    await bench.boot()
    bench.skip()
    await bench.offline()
    await bench.online()
    bench.expect("")


async def test_boot_notification_on_each_reconnect_where_the_open_point_says_so(
    bench16: Make,
) -> None:
    """both-boot-on-reconnect: always."""
    bench = bench16(points={"both-boot-on-reconnect": "always"})
    await bench.boot()
    bench.skip()
    await bench.offline()
    await bench.online()
    assert bench.saw("> BootNotification")


@pytest.mark.parametrize(("seconds", "boots"), [(299.0, 1), (301.0, 2)])
async def test_boot_notification_after_a_long_time_offline(
    bench16: Make, seconds: float, boots: int
) -> None:
    """both-boot-on-reconnect: after-threshold."""
    bench = bench16(points={"both-boot-on-reconnect": "after-threshold"})
    await bench.boot()
    await bench.offline()
    bench.link.advance(seconds)
    await bench.online()
    assert len(bench.sent("BootNotification")) == boots


async def test_boot_goes_on_after_the_link_broke_in_the_middle(bench16: Make) -> None:
    """16-BOOT-01: the answer never came, so it is asked again on the next link."""
    bench = bench16()
    hold = bench.csms.hold("BootNotification")
    bench.network = True
    bench._link_up()
    await hold.arrived()
    await bench.offline()
    assert bench.personality.boot_state is not BootState.ACCEPTED
    await bench.boot()
    assert len(bench.sent("BootNotification")) == 2


async def test_queued_messages_wait_until_accepted(bench16: Make) -> None:
    """16-BOOT-10, OFF-04."""
    bench = bench16()
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    await bench.offline()
    await bench.do(PresentCard("A", evse=1))
    bench.csms.boot_status = "Pending"
    await bench.kill_and_restart()
    assert len(bench.sent("StopTransaction")) == 0
    bench.csms.boot_status = "Accepted"
    await bench.advance(300)
    assert len(bench.sent("StopTransaction")) == 1


async def test_no_transaction_before_the_first_accepted(bench16: Make) -> None:
    """16-BOOT-11."""
    bench = bench16()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    assert bench.personality.sessions() == ()


async def test_transaction_before_accepted_where_it_is_turned_on(bench16: Make) -> None:
    """16-BOOT-11."""
    keys = {"TxBeforeAcceptedEnabled": "true", "AllowOfflineTxForUnknownId": "true"}
    bench = bench16(keys=keys)
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    assert len(bench.personality.sessions()) == 1
    await bench.boot()
    assert bench.saw("> StartTransaction idTag=A")


async def test_heartbeat_after_silence_only(bench16: Make) -> None:
    """16-HB-01."""
    bench = bench16(keys={"ConnectionTimeOut": "0"})
    bench.csms.boot_interval = 100
    await bench.boot()
    bench.skip()
    await bench.advance(90)
    await bench.do(PlugIn(1))
    await bench.advance(90)
    assert not bench.saw("> Heartbeat")
    await bench.advance(10)
    assert bench.saw("> Heartbeat")
    assert bench.happened(HeartbeatAnswered)


async def test_changed_heartbeat_interval_acts_at_once(bench16: Make) -> None:
    """16-HB-01."""
    bench = bench16()
    await bench.boot()
    change = {"key": "HeartbeatInterval", "value": "10"}
    assert await bench.request("ChangeConfiguration", change) == {"status": "Accepted"}
    await bench.advance(30)
    assert len(bench.sent("Heartbeat")) == 3


async def test_one_heartbeat_a_day_with_long_traffic(bench16: Make) -> None:
    """16-HB-02: for the clock."""
    bench = bench16(keys={"ClockAlignedDataInterval": "60"})
    await bench.boot()
    await bench.advance(23.9 * 3600)
    assert bench.sent("Heartbeat") == []
    await bench.advance(0.2 * 3600)
    assert len(bench.sent("Heartbeat")) == 1


async def test_no_heartbeat_while_offline(bench16: Make) -> None:
    """16-HB-01."""
    bench = bench16()
    bench.csms.boot_interval = 0
    await bench.boot()
    await bench.offline()
    await bench.advance(26 * 3600)
    await bench.online()
    await bench.advance(61)
    assert len(bench.sent("Heartbeat")) == 1


@pytest.mark.parametrize(
    ("choice", "gained"), [("set-at-once", 500.0), ("slew", 10.0), ("ignore", 0.0)]
)
async def test_heartbeat_sets_the_clock(bench16: Make, choice: str, gained: float) -> None:
    """16-HB-03, both-clock-drift."""
    bench = bench16(points={"both-clock-drift": choice})
    await bench.boot()
    before = bench.now
    late = before + timedelta(seconds=500)
    bench.csms.on("Heartbeat", {"currentTime": stamp(late)})
    trigger = {"requestedMessage": "Heartbeat"}
    assert await bench.request("TriggerMessage", trigger) == {"status": "Accepted"}
    assert (bench.now - before).total_seconds() == gained
    assert bench.happened(HeartbeatAnswered)[-1].drift == 500.0


@pytest.mark.parametrize("end", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
async def test_16_HB_03_the_end_of_all_dates_is_shown_but_not_followed(
    bench16: Make, end: str
) -> None:
    """16-HB-03: a calendar that stands there would fail at its next second, and with it the station."""
    bench = bench16()
    await bench.boot()
    before = bench.now
    bench.csms.on("Heartbeat", {"currentTime": end})
    await bench.request("TriggerMessage", {"requestedMessage": "Heartbeat"})
    assert bench.now == before
    assert bench.happened(HeartbeatAnswered)[-1].server_time.year in {1, 9999}


async def test_moved_clock_does_not_follow_the_back_office(bench16: Make) -> None:
    """16-HB-03: whoever moved time does not want it set back."""
    bench = bench16()
    await bench.boot()
    bench.clock.follow_server = False
    before = bench.now
    bench.csms.on("Heartbeat", {"currentTime": "2020-01-01T00:00:00Z"})
    await bench.request("TriggerMessage", {"requestedMessage": "Heartbeat"})
    assert bench.now == before


async def test_heartbeat_without_answer_is_no_trouble(bench16: Make) -> None:
    """16-HB-01."""
    bench = bench16()
    bench.csms.boot_interval = 60
    await bench.boot()
    bench.csms.on("Heartbeat", MUTE)
    await bench.advance(130)
    assert len(bench.sent("Heartbeat")) == 2
