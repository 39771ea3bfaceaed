"""Strict mode: what happens while a person thinks, and that what they say is looked at in that light."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from app.kernel.units import stamp
from app.ocpp.context import KeySetting, OcppSettings
from app.ocpp.events import CallEnded
from app.ocpp.points import registry
from app.ocpp.version import Version
from app.station.intents import PlugIn, PresentCard, PressStop, SetVehicle, Unplug
from app.station.kinds import Flow
from tests.conformance.open_points import STORIES, begin
from tests.conformance.thoughtful import (
    BOTH,
    V16,
    V201,
    MakeBench,
    Thoughtful,
    how,
    link_down,
    link_up,
    moment,
    plug_and_card,
    strict_bench,
)
from tests.conformance.v16.file_bench import URL
from tests.support.harness import MUTE, USUAL, Refuse, make_bench

__all__ = ["make_bench"]

NOON, EVENING = "2026-01-15T12:00:00Z", "2026-01-15T18:00:00Z"


async def test_a_connector_that_became_busy_meanwhile_is_not_started_at(
    make_bench: MakeBench,
) -> None:
    bench, person = strict_bench(make_bench, V16, "ocpp16-remote-start-no-connector")
    await bench.boot()
    answer = bench.start_request("RemoteStartTransaction", {"idTag": "R"})
    await plug_and_card(bench)
    await person.says("pick-free")
    assert answer.result()[2] == {"status": "Accepted"}
    await bench.do(PlugIn(2))
    assert [each.id_token for each in bench.personality.sessions()] == ["A", "R"]


async def test_a_session_that_ended_meanwhile_does_not_keep_a_connector_locked(
    make_bench: MakeBench,
) -> None:
    bench, person = strict_bench(make_bench, V16, "ocpp16-connector-unlock-during-tx")
    await bench.boot()
    await bench.do(PlugIn(2), PresentCard("A", evse=2))
    answer = bench.start_request("UnlockConnector", {"connectorId": 2})
    await moment()
    bench.intend(PressStop(2))
    await moment()
    await person.says("unlock-failed")
    assert answer.result()[2] == {"status": "Unlocked"}


async def test_a_hard_reset_without_a_session_asks_nobody(make_bench: MakeBench) -> None:
    bench, person = strict_bench(make_bench, V16, "ocpp16-hard-reset-stop")
    await bench.boot()
    await bench.request("Reset", {"type": "Hard"})
    assert (person.asked, len(bench.reboots)) == ([], 1)


async def test_a_card_is_not_served_any_more_when_a_reset_has_begun_meanwhile(
    make_bench: MakeBench,
) -> None:
    bench, person = strict_bench(make_bench, V16, "ocpp16-offline-unknown-id")
    await bench.boot()
    await bench.do(PlugIn(1))
    bench.csms.on("Authorize", MUTE)
    bench.intend(PresentCard("A", evse=1))
    await moment()
    assert person.asked == ["ocpp16-offline-unknown-id"]
    bench.personality.drivers.closed = True  # type: ignore[attr-defined]
    await person.says("accept-capped")
    assert bench.personality.sessions() == ()


@pytest.mark.parametrize(
    ("version", "point"),
    [(V16, "ocpp16-offline-unknown-id"), (V201, "ocpp201-offline-unknown-token")],
)
async def test_a_link_that_came_back_meanwhile_is_used_to_ask_about_the_card(
    make_bench: MakeBench, version: Version, point: str
) -> None:
    bench, person = strict_bench(make_bench, version, point)
    await bench.boot()
    await bench.offline()
    await plug_and_card(bench)
    assert person.asked == [point]
    await link_up(bench)
    await person.says("reject")
    await bench.rest()
    assert len(bench.sent("Authorize")) == 1
    assert len(bench.personality.sessions()) == 1


async def test_a_rejected_station_answers_once_it_was_accepted_meanwhile(
    make_bench: MakeBench,
) -> None:
    bench, person = strict_bench(make_bench, V16, "ocpp16-rejected-answering")
    bench.csms.boot_status, bench.csms.boot_interval = "Rejected", 60
    await link_up(bench)
    await person.says("silent")  # whether the socket is closed
    answer = bench.start_request("GetConfiguration", {"key": ["HeartbeatInterval"]})
    await moment()
    assert person.asked == ["ocpp16-rejected-answering"] * 2
    bench.csms.boot_status = "Accepted"
    bench.personality.boot.again()  # type: ignore[attr-defined]
    await moment()
    await person.says("silent")
    assert answer.done()


async def test_a_rejected_station_asks_before_it_objects_to_a_wrong_frame(
    make_bench: MakeBench,
) -> None:
    bench, person = strict_bench(make_bench, V16, "ocpp16-rejected-answering")
    bench.csms.boot_status = "Rejected"
    await link_up(bench)
    await person.says("silent")
    for number, option in enumerate(["silent", "callerror"]):
        bench.dialogue.receive(f'[2,"{number}","Reset"]')
        await moment()
        await person.says(option)
    errors = [line for line in bench.csms.lines if line.mark == "!"]
    assert len(errors) == 1


async def test_what_was_told_on_acceptance_is_not_told_again_when_a_person_answers(
    make_bench: MakeBench,
) -> None:
    bench, person = strict_bench(make_bench, V16, "ocpp16-pending-status-notification")
    bench.csms.boot_status = "Pending"
    await link_up(bench)
    bench.csms.boot_status = "Accepted"
    bench.personality.boot.again()  # type: ignore[attr-defined]
    await moment()
    told = len(bench.sent("StatusNotification"))
    await person.says("send")
    await bench.rest()
    assert len(bench.sent("StatusNotification")) == told == 3


async def test_no_connector_shows_preparing_when_the_driver_has_plugged_in_meanwhile(
    make_bench: MakeBench,
) -> None:
    bench, person = strict_bench(make_bench, V16, "ocpp16-card-first-connector")
    await bench.boot()
    bench.intend(PresentCard("A"))
    await moment()
    bench.intend(PlugIn(2))
    await moment()
    assert [each.evse for each in bench.personality.sessions()] == [2], "nobody waits with a plug"
    await person.says("all-free")
    await bench.rest()
    assert [each["connectorId"] for each in bench.sent("StatusNotification")[3:]] == [2, 2]


async def test_the_car_charges_while_a_person_thinks_which_message_goes_first(
    make_bench: MakeBench,
) -> None:
    bench, person = strict_bench(make_bench, V16, "ocpp16-status-order")
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1))
    bench.skip()
    bench.intend(PresentCard("A", evse=1))
    await moment()
    assert bench.station.snapshot().evse(1).flow is Flow.CHARGING
    assert not bench.saw("> StartTransaction")
    assert not bench.saw("> StatusNotification")
    (waiting,) = bench.personality.queue()
    assert waiting.state.id == "queue.state.asked"
    await person.says("status-first")
    await bench.rest()
    bench.expect("""
        > Authorize idTag=A
        > StatusNotification status=Charging
        > StartTransaction idTag=A
    """)


async def test_a_message_that_waited_for_a_person_outlives_the_power(
    make_bench: MakeBench,
) -> None:
    bench, person = strict_bench(make_bench, V16, "ocpp16-status-order")
    await bench.boot()
    await plug_and_card(bench)
    assert person.asked == ["ocpp16-status-order"]
    await bench.kill_and_restart()
    assert [each["idTag"] for each in bench.sent("StartTransaction")] == ["A"]
    assert len(bench.sent("StopTransaction")) == 1


async def test_what_was_to_be_told_late_goes_with_the_link(make_bench: MakeBench) -> None:
    keys = (KeySetting("MinimumStatusDuration", "5"),)
    point = "ocpp16-minimum-status-duration"
    bench, person = strict_bench(make_bench, V16, point, settings=OcppSettings(keys=keys))
    await bench.boot()
    bench.intend(PlugIn(1))
    await moment()
    assert person.asked == [point]
    link_down(bench)
    bench.intend(Unplug(1))
    await person.says("selected-transitions")
    before = len(bench.sent("StatusNotification"))
    await bench.online()
    await bench.advance(20)
    later = [each["status"] for each in bench.sent("StatusNotification")[before:]]
    assert "Preparing" not in later


async def test_the_time_that_a_person_thought_counts_towards_the_shortest_state(
    make_bench: MakeBench,
) -> None:
    keys = (KeySetting("MinimumStatusDuration", "5"),)
    point = "ocpp16-minimum-status-duration"
    bench, person = strict_bench(make_bench, V16, point, settings=OcppSettings(keys=keys))
    await bench.boot()
    bench.intend(PlugIn(1))
    await moment()
    bench.clock.advance_now(4)
    await person.says("suppress-short")
    await bench.advance(1)
    assert bench.sent("StatusNotification")[-1]["status"] == "Preparing"


@BOTH
async def test_two_answers_with_the_time_set_the_clock_once(
    make_bench: MakeBench, version: Version
) -> None:
    bench, person = strict_bench(make_bench, version, "both-clock-drift")
    await bench.boot()
    ahead = bench.now + timedelta(seconds=60)
    bench.csms.on("Heartbeat", {"currentTime": stamp(ahead)})
    for _ in range(2):
        assert bench.personality.ask_time()
        await moment()
    assert person.asked == ["both-clock-drift"] * 2
    await person.says("set-at-once")
    await person.says("set-at-once")
    assert bench.now == ahead


@BOTH
async def test_what_follows_the_acceptance_carries_the_time_that_was_decided_upon(
    make_bench: MakeBench, version: Version
) -> None:
    bench, person = strict_bench(make_bench, version, "both-clock-drift")
    ahead = bench.now + timedelta(seconds=60)
    boot = {"currentTime": stamp(ahead), "interval": 300, "status": "Accepted"}
    bench.csms.on("BootNotification", boot)
    await link_up(bench)
    assert bench.sent("StatusNotification") == []
    await person.says("set-at-once")
    await bench.rest()
    assert {each["timestamp"] for each in bench.sent("StatusNotification")} == {stamp(ahead)}


@BOTH
async def test_a_repeat_is_not_sent_into_a_link_that_is_gone_when_a_person_has_chosen_its_id(
    make_bench: MakeBench, version: Version
) -> None:
    bench, person = strict_bench(make_bench, version, "both-retry-message-id")
    action = "StartTransaction" if version is V16 else "TransactionEvent"
    bench.csms.on(action, [Refuse(), USUAL])
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), PresentCard("A", evse=1))
    bench.clock.advance_now(61)
    await moment()
    assert person.asked == ["both-retry-message-id"]
    link_down(bench)
    await person.says("new-id")
    assert len(bench.sent(action)) == 1
    await link_up(bench)
    await person.says("new-id")
    await bench.rest()
    first, second = bench.csms.heard_of(action)[:2]
    assert first.payload == second.payload
    assert first.message_id != second.message_id


@BOTH
async def test_a_message_whose_failure_a_person_thinks_about_outlives_the_power(
    make_bench: MakeBench, version: Version
) -> None:
    bench, person = strict_bench(make_bench, version, "both-timeout-counts-as-failure")
    action = "StartTransaction" if version is V16 else "TransactionEvent"
    bench.csms.on(action, [MUTE, USUAL])
    await bench.boot()
    await plug_and_card(bench)
    assert person.asked == ["both-timeout-counts-as-failure"]
    assert bench.personality.queue()[0].state.id == "queue.state.asked"
    await bench.kill_and_restart()
    first, second = bench.csms.heard_of(action)[:2]
    assert first.payload == second.payload


@BOTH
async def test_a_right_answer_that_comes_while_a_person_thinks_about_a_broken_one_is_taken(
    make_bench: MakeBench, version: Version
) -> None:
    bench, person = strict_bench(make_bench, version, "both-invalid-response")
    await bench.boot()
    hold = bench.csms.hold("Heartbeat")
    asking = asyncio.ensure_future(bench.dialogue.call("Heartbeat", {}))
    call = await hold.arrived()
    bench.dialogue.receive(f'[3,"{call.message_id}",{{"currentTime":"{NOON}","extra":1}}]')
    await moment()
    assert (person.asked, asking.done()) == (["both-invalid-response"], False)
    hold.answer({"currentTime": EVENING})
    assert await asking == {"currentTime": EVENING}
    await person.says("use-usable")
    assert not bench.happened(CallEnded)


async def test_the_cable_that_comes_while_a_person_thinks_about_its_being_late_is_served(
    make_bench: MakeBench,
) -> None:
    point = "ocpp201-ev-connection-timeout"
    bench, person = strict_bench(make_bench, V201, point)
    await bench.boot()
    await bench.do(PresentCard("A", evse=1))
    bench.clock.advance_now(61)
    await moment()
    assert person.asked == [point]
    bench.intend(PlugIn(1))
    await moment()
    await person.says("end-with-event")
    await bench.rest()
    (session,) = bench.personality.sessions()
    assert (session.evse, session.id_token) == (1, "A")


async def test_the_next_driver_does_not_read_the_bill_of_the_one_before(
    make_bench: MakeBench,
) -> None:
    bench, person = strict_bench(make_bench, V201, "ocpp201-totalcost-omitted")
    bench.csms.on("TransactionEvent", {})
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), PresentCard("A", evse=1))
    bench.intend(PressStop(1))
    await moment()
    assert person.asked == ["ocpp201-totalcost-omitted"]
    bench.intend(Unplug(1))
    bench.intend(PlugIn(1))
    bench.intend(PresentCard("B", evse=1))
    await moment()
    shown = bench.station.snapshot().evse(1).screen
    await person.says("treat-as-free")
    assert bench.station.snapshot().evse(1).screen == shown


async def test_firmware_is_not_scheduled_behind_sessions_that_ended_meanwhile(
    make_bench: MakeBench, tmp_path: Path
) -> None:
    story = next(each for each in STORIES if each.point == "ocpp201-firmware-vs-active-tx")
    others = {point.id: point.default for point in registry().values()}
    del others[story.point]
    person = Thoughtful()
    bench = await begin(story, make_bench, tmp_path, points=others, strict=True, asker=person)
    firmware = {"location": URL, "retrieveDateTime": stamp(bench.now)}
    bench.start_request("UpdateFirmware", {"requestId": 1, "firmware": firmware})
    while not person.asked:
        await asyncio.sleep(0.01)
    bench.intend(PressStop(1))
    bench.intend(Unplug(1))
    await moment()
    await person.says("wait-all-ended")
    await bench.rest()
    told = [each["status"] for each in bench.sent("FirmwareStatusNotification")]
    assert "InstallScheduled" not in told
    assert "Installing" in told


async def test_a_car_draws_by_the_default_until_a_person_has_said_what_it_may_draw(
    make_bench: MakeBench,
) -> None:
    """What is offered cannot wait, but nor does the answer: it acts when it comes."""
    bench, person = strict_bench(make_bench, V16, "ocpp16-no-profile-online")
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0, soc=10.0), PlugIn(1), PresentCard("A", evse=1))
    assert bench.station.snapshot().evse(1).flow is Flow.CHARGING
    assert set(how(bench)) == {"unasked"}
    await person.says("deny")
    await bench.rest()
    assert bench.station.snapshot().evse(1).flow is Flow.SUSPENDED_EVSE
    assert how(bench)[-1] == "person"
