"""Strict mode: a person is asked when an open point is met, and what they say is done there and then.

The station asks for at most half of the message time-out, and looks at what has happened meanwhile before it
acts. Only where waiting would be wrong the default acts at once, and the answer counts from the next time on.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.kernel.units import stamp
from app.ocpp.context import KeySetting, OcppSettings
from app.ocpp.events import CallEnded, OpenPointMet
from app.ocpp.points import Point, registry
from app.ocpp.version import Version
from app.station.intents import PlugIn, PresentCard, PressStop, SetVehicle, Unplug
from app.station.kinds import Flow
from tests.conformance.open_points import STORIES, Story, begin, trace
from tests.conformance.v16.file_bench import URL
from tests.conformance.v201.conftest import setting
from tests.support.harness import MUTE, USUAL, Bench, Refuse, make_bench

__all__ = ["make_bench"]

V16, V201 = Version.V16, Version.V201
NOON, EVENING = "2026-01-15T12:00:00Z", "2026-01-15T18:00:00Z"
MakeBench = Callable[..., Bench]


class Prompt:
    """A person who takes a moment to say what the test wants."""

    def __init__(self, option: str) -> None:
        self.option = option

    async def ask(self, point: Point) -> str | None:
        for _ in range(3):
            await asyncio.sleep(0)
        return self.option


IN_PARALLEL = {"both-local-preauthorize-request"}

NOT_WAITED_FOR = {
    "both-offline-queue-capacity": "a message becomes durable in the step of what it tells",
    "ocpp16-max-profile-allocation": "the machine must be told at once what it may draw",
    "ocpp16-unsupported-rate-unit": "as above, once the profile is installed",
    "ocpp16-no-profile-online": "the machine must be told at once what it may draw",
    "ocpp201-tx-start-stop-point": "the cable is in, and the car may draw at once",
}
"""Where the default acts at once, and why."""


@pytest.mark.parametrize("story", STORIES, ids=lambda story: f"{story.point}-{story.version.value}")
async def test_what_a_person_says_is_done_as_if_it_had_been_configured(
    make_bench: MakeBench, tmp_path: Path, story: Story
) -> None:
    others = {point.id: point.default for point in registry().values()}
    others = {**others, **story.also}
    del others[story.point]
    ways: set[str] = set()
    for option in story.options():
        bench = await begin(story, make_bench, tmp_path, points={**others, story.point: option})
        await story.then(bench)
        configured = trace(bench)
        bench = await begin(
            story, make_bench, tmp_path, points=others, strict=True, asker=Prompt(option)
        )
        await story.then(bench)
        met = [event for event in bench.happened(OpenPointMet) if event.point == story.point]
        ways |= {event.how for event in met}
        if story.point not in NOT_WAITED_FOR:
            assert _ordered(story, trace(bench)) == _ordered(story, configured)
    if story.point in NOT_WAITED_FOR:
        assert "unasked" in ways
    else:
        assert ways == {"person"}


def _ordered(story: Story, said: list[str]) -> list[str]:
    """What is sent in parallel may leave sooner or later."""
    if story.point not in IN_PARALLEL:
        return said
    return sorted(re.sub("#[0-9]+", "#", line) for line in said)


# ---------------------------------------------------------------- what happens while a person thinks


class Thoughtful:
    """A person who thinks until the test says what they say."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._open: list[asyncio.Future[str | None]] = []

    async def ask(self, point: Point) -> str | None:
        self.asked.append(point.id)
        self._open.append(asyncio.get_running_loop().create_future())
        return await self._open[-1]

    async def says(self, option: str | None) -> None:
        """The answer to the oldest question, and what follows from it."""
        self._open.pop(0).set_result(option)
        await moment()


async def moment() -> None:
    """All that can happen happens, but for what waits for a person."""
    for _ in range(30):
        await asyncio.sleep(0)


def strict_bench(
    make_bench: MakeBench, version: Version, *points: str, **options: Any
) -> tuple[Bench, Thoughtful]:
    """A station that asks about these points alone."""
    others = {point.id: point.default for point in registry().values() if point.id not in points}
    person = Thoughtful()
    return make_bench(version, points=others, strict=True, asker=person, **options), person


def how(bench: Bench) -> list[str]:
    """How the points were decided that the configuration does not decide."""
    return [event.how for event in bench.happened(OpenPointMet) if event.how != "config"]


REMOTE_START = {
    V16: ("RemoteStartTransaction", {"idTag": "R"}, "ocpp16-remote-start-no-connector"),
    V201: (
        "RequestStartTransaction",
        {"remoteStartId": 1, "idToken": {"idToken": "R", "type": "ISO14443"}},
        "ocpp201-remote-start-no-evse",
    ),
}


@pytest.mark.parametrize("version", Version, ids=lambda version: version.value)
async def test_other_calls_are_answered_while_a_person_thinks_about_one(
    make_bench: MakeBench, version: Version
) -> None:
    action, payload, point = REMOTE_START[version]
    bench, person = strict_bench(make_bench, version, point)
    await bench.boot()
    answer = bench.start_request(action, payload)
    other = bench.start_request("ClearCache", {})
    await moment()
    assert (answer.done(), other.done(), person.asked) == (False, True, [point])
    await person.says("pick-free")
    assert answer.result()[2] == {"status": "Accepted"}


@pytest.mark.parametrize("version", Version, ids=lambda version: version.value)
async def test_without_an_answer_the_default_acts_at_half_of_the_message_time_out_and_is_marked(
    make_bench: MakeBench, version: Version
) -> None:
    action, payload, point = REMOTE_START[version]
    bench, _ = strict_bench(make_bench, version, point)
    await bench.boot()
    answer = bench.start_request(action, payload)
    await moment()
    half = bench.policy().message_timeout / 2
    bench.link.advance(half - 0.1)
    await moment()
    assert not answer.done()
    bench.link.advance(0.2)
    await moment()
    assert answer.result()[2] == {"status": "Accepted"}
    assert how(bench) == ["timeout"]


@pytest.mark.parametrize("version", Version, ids=lambda version: version.value)
async def test_a_remote_start_is_not_done_when_the_link_breaks_while_a_person_thinks(
    make_bench: MakeBench, version: Version
) -> None:
    action, payload, point = REMOTE_START[version]
    bench, person = strict_bench(make_bench, version, point)
    await bench.boot()
    answer = bench.start_request(action, payload)
    await moment()
    bench._link_down()
    bench._link_up()
    await moment()
    await person.says("pick-free")
    await bench.do(PlugIn(1))
    assert not answer.done()
    assert bench.personality.sessions() == ()


@pytest.mark.parametrize("version", Version, ids=lambda version: version.value)
async def test_the_power_may_go_while_a_person_thinks(
    make_bench: MakeBench, version: Version
) -> None:
    action, payload, point = REMOTE_START[version]
    bench, _ = strict_bench(make_bench, version, point)
    await bench.boot()
    answer = bench.start_request(action, payload)
    await moment()
    await bench.kill_and_restart()
    await bench.do(PlugIn(1))
    assert not answer.done()
    assert bench.personality.sessions() == ()


async def test_a_connector_that_became_busy_meanwhile_is_not_started_at(
    make_bench: MakeBench,
) -> None:
    bench, person = strict_bench(make_bench, V16, "ocpp16-remote-start-no-connector")
    await bench.boot()
    answer = bench.start_request("RemoteStartTransaction", {"idTag": "R"})
    bench.intend(PlugIn(1))
    bench.intend(PresentCard("A", evse=1))
    await moment()
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
    bench.intend(PlugIn(1))
    bench.intend(PresentCard("A", evse=1))
    await moment()
    assert person.asked == [point]
    bench.network = True
    bench._link_up()
    await moment()
    await person.says("reject")
    await bench.rest()
    assert len(bench.sent("Authorize")) == 1
    assert len(bench.personality.sessions()) == 1


async def test_a_rejected_station_answers_once_it_was_accepted_meanwhile(
    make_bench: MakeBench,
) -> None:
    bench, person = strict_bench(make_bench, V16, "ocpp16-rejected-answering")
    bench.csms.boot_status, bench.csms.boot_interval = "Rejected", 60
    bench.network = True
    bench._link_up()
    await moment()
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
    bench.network = True
    bench._link_up()
    await moment()
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
    bench.network = True
    bench._link_up()
    await moment()
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
    bench.intend(PlugIn(1))
    bench.intend(PresentCard("A", evse=1))
    await moment()
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
    bench.network = False
    bench._link_down()
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


@pytest.mark.parametrize("version", Version, ids=lambda version: version.value)
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


@pytest.mark.parametrize("version", Version, ids=lambda version: version.value)
async def test_what_follows_the_acceptance_carries_the_time_that_was_decided_upon(
    make_bench: MakeBench, version: Version
) -> None:
    bench, person = strict_bench(make_bench, version, "both-clock-drift")
    ahead = bench.now + timedelta(seconds=60)
    boot = {"currentTime": stamp(ahead), "interval": 300, "status": "Accepted"}
    bench.csms.on("BootNotification", boot)
    bench.network = True
    bench._link_up()
    await moment()
    assert bench.sent("StatusNotification") == []
    await person.says("set-at-once")
    await bench.rest()
    assert {each["timestamp"] for each in bench.sent("StatusNotification")} == {stamp(ahead)}


@pytest.mark.parametrize("version", Version, ids=lambda version: version.value)
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
    bench.network = False
    bench._link_down()
    await person.says("new-id")
    assert len(bench.sent(action)) == 1
    bench.network = True
    bench._link_up()
    await moment()
    await person.says("new-id")
    await bench.rest()
    first, second = bench.csms.heard_of(action)[:2]
    assert first.payload == second.payload
    assert first.message_id != second.message_id


@pytest.mark.parametrize("version", Version, ids=lambda version: version.value)
async def test_a_message_whose_failure_a_person_thinks_about_outlives_the_power(
    make_bench: MakeBench, version: Version
) -> None:
    bench, person = strict_bench(make_bench, version, "both-timeout-counts-as-failure")
    action = "StartTransaction" if version is V16 else "TransactionEvent"
    bench.csms.on(action, [MUTE, USUAL])
    await bench.boot()
    bench.intend(PlugIn(1))
    bench.intend(PresentCard("A", evse=1))
    await moment()
    assert person.asked == ["both-timeout-counts-as-failure"]
    assert bench.personality.queue()[0].state.id == "queue.state.asked"
    await bench.kill_and_restart()
    first, second = bench.csms.heard_of(action)[:2]
    assert first.payload == second.payload


@pytest.mark.parametrize("version", Version, ids=lambda version: version.value)
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


# ---------------------------------------------------------------- what is asked ahead


async def test_a_point_that_is_asked_about_ahead_counts_as_met_when_it_is_met(
    make_bench: MakeBench,
) -> None:
    point = "ocpp201-aligned-during-tx"
    every_minute = (setting("AlignedDataCtrlr.Interval", "60"),)
    settings = OcppSettings(variables=every_minute)
    bench, person = strict_bench(make_bench, V201, point, settings=settings)
    await bench.boot()
    bench.intend(PlugIn(1))
    bench.intend(PresentCard("A", evse=1))
    await moment()
    assert (person.asked, how(bench)) == ([point], [])
    await person.says("metervalues")
    before = len(bench.sent("MeterValues"))
    bench.clock.advance_now(60)
    await moment()
    assert how(bench) == ["person"]
    assert 1 in [each["evseId"] for each in bench.sent("MeterValues")[before:]]
    assert person.asked == [point] * 2, "the next beat is foreseen"
    bench.clock.advance_now(60)
    await moment()
    assert how(bench) == ["person", "unasked"]
    await person.says(None)


async def test_a_driver_who_unplugs_while_a_person_thinks_about_the_session_starts_none(
    make_bench: MakeBench,
) -> None:
    point = "ocpp16-metervalues-begin-context"
    bench, person = strict_bench(make_bench, V16, point)
    await bench.boot()
    bench.intend(PlugIn(1))
    bench.intend(PresentCard("A", evse=1))
    await moment()
    assert (person.asked, bench.sent("StartTransaction")) == ([point], [])
    bench.intend(Unplug(1))
    await moment()
    await person.says("begin-in-first")
    assert bench.personality.sessions() == ()
    bench.intend(PlugIn(1))
    await moment()
    assert len(bench.personality.sessions()) == 1, "the driver was told to plug in"
    assert how(bench) == ["person"]
    await person.says(None)


@pytest.mark.parametrize("version", Version, ids=lambda version: version.value)
async def test_whether_to_boot_again_is_asked_once_a_loss_however_often_it_tries_to_connect(
    make_bench: MakeBench, version: Version
) -> None:
    bench, person = strict_bench(make_bench, version, "both-boot-on-reconnect")
    await bench.boot()
    assert person.asked == [], "the first BootNotification is no open point"
    for answer, boots in (("always", 2), ("only-if-changed", 2), ("always", 3)):
        await bench.offline()
        trying = asyncio.ensure_future(bench.personality.before_link())
        await moment()
        await person.says(answer)
        await trying
        await bench.personality.before_link()  # the first attempt failed
        await bench.online()
        assert len(bench.sent("BootNotification")) == boots
    assert person.asked == ["both-boot-on-reconnect"] * 3


async def test_what_is_fixed_while_the_link_is_down_wins_over_what_was_said(
    make_bench: MakeBench,
) -> None:
    bench, person = strict_bench(make_bench, V16, "both-boot-on-reconnect")
    await bench.boot()
    await bench.offline()
    trying = asyncio.ensure_future(bench.personality.before_link())
    await moment()
    await person.says("always")
    await trying
    bench.points.set("both-boot-on-reconnect", "only-if-changed")
    await bench.online()
    assert len(bench.sent("BootNotification")) == 1


async def test_how_the_password_is_spelled_is_asked_before_each_handshake(
    make_bench: MakeBench,
) -> None:
    point = "ocpp16-authorization-key-encoding"
    keys = (KeySetting("AuthorizationKey", "00" * 16),)
    bench, person = strict_bench(make_bench, V16, point, settings=OcppSettings(keys=keys))
    for answer, password in (("decoded-bytes", bytes(16)), ("text-as-is", b"00" * 16)):
        opening = asyncio.ensure_future(bench.online())
        await moment()
        assert len(bench.logins) == len(person.asked) - 1, "not without an answer"
        await person.says(answer)
        await opening
        assert bench.logins[-1] == (password,)
        await bench.offline()


async def test_another_network_profile_is_reason_to_ask_which_text_is_followed(
    make_bench: MakeBench,
) -> None:
    """Errata B10.FR.10: only where the next link may lead to another profile than the last one."""
    bench, person = strict_bench(make_bench, V201, "ocpp201-baseline")
    await bench.boot()
    await bench.offline()
    await bench.online()
    assert person.asked == []
