"""The control methods over a real session that talks to a real training CSMS."""

import asyncio
import json
import re
from datetime import UTC, datetime

import pytest

from app.kernel.resources import resource
from app.runtime.control.dispatch import Dispatcher
from app.runtime.control.errors import MEANING, Code
from app.runtime.control.methods import QUESTIONS, Methods
from app.runtime.exit_codes import MEANING as EXITS
from app.runtime.headless import ready_params
from app.runtime.session import Session
from app.runtime.settings import resolve
from app.station.kinds import Fault
from tests.support.csms import csms  # noqa: F401 - a fixture


class Channel:
    """One control connection in the test's own loop."""

    def __init__(self, session):
        self.lines = []
        self.quits = 0
        self.methods = Methods(session, self._notify, self._quit)
        self.dispatcher = Dispatcher(self.methods.table(), self._send)
        self._next = 0
        self._waiting = {}

    def _send(self, line):
        message = json.loads(line)
        self.lines.append(message)
        if (future := self._waiting.pop(message.get("id"), None)) is not None:
            future.set_result(message)

    def _notify(self, method, params):
        self.dispatcher.notify(method, params)

    def _quit(self):
        self.quits += 1

    async def ask(self, method, **params):
        self._next += 1
        future = asyncio.get_running_loop().create_future()
        self._waiting[self._next] = future
        request = {"jsonrpc": "2.0", "id": self._next, "method": method, "params": params}
        await self.dispatcher.receive(json.dumps(request))
        return await asyncio.wait_for(future, 10)

    async def get(self, method, **params):
        answer = await self.ask(method, **params)
        assert "result" in answer, answer
        return answer["result"]

    async def fail(self, method, **params):
        answer = await self.ask(method, **params)
        return Code(answer["error"]["code"])


@pytest.fixture(params=["1.6", "2.0.1"])
async def session(request, csms):  # noqa: F811
    flags = {"csms.url": csms.url, "csms.id": "CS-1", "csms.version": request.param}
    session = Session(resolve(flags=flags).config)
    await session.start()
    yield session
    await session.stop()


@pytest.fixture
async def channel(session):
    channel = Channel(session)
    record = {"event": "BootStateChanged", "data.state": "accepted"}
    await channel.get("journal.wait", filter=record, timeout=5, after=0)
    yield channel
    channel.methods.close()
    await channel.dispatcher.close()


async def test_a_whole_session_by_control(channel, csms):  # noqa: F811
    assert await channel.get("station.plug_in", evse=1) == {"accepted": True}
    assert (await channel.get("station.present_card", id_token="04A29F1C", evse=1))["accepted"]
    await channel.get("journal.wait", filter={"event": "TransactionStarted"}, timeout=5)
    await channel.get("clock.jump", seconds=120)
    snapshot = await channel.get("station.snapshot")
    assert snapshot["sessions"][0]["id_token"] == "04A29F1C"
    assert snapshot["station"]["evses"][0]["power"] > 10_000
    assert (await channel.get("station.press_stop"))["accepted"]
    ended = await channel.get("journal.wait", filter={"event": "TransactionEnded"}, timeout=5)
    assert ended["record"]["data"]["energy"] > 100
    assert (await channel.get("station.unplug"))["accepted"]
    assert len(csms.csms.snapshot().transactions) == 1


async def test_RPC_16_the_password_of_an_address_is_not_told():
    flags = {"csms.url": "ws://CS-1:s3cr3t-in-url@127.0.0.1:1/ocpp", "csms.id": "CS-1"}
    session = Session(resolve(flags=flags).config)
    channel = Channel(session)
    told = [await channel.get("station.snapshot"), ready_params(session, None)]
    channel.methods.close()
    await channel.dispatcher.close()
    await session.stop()
    assert "s3cr3t" not in json.dumps(told)
    assert told[1]["stations"][0]["csms"] == "ws://CS-1@127.0.0.1:1/ocpp"


async def test_a_refused_intent_says_why_and_keeps_its_code(channel):
    answer = await channel.get("station.unplug")
    assert answer["accepted"] is False
    assert answer["code"].startswith("station.refused.")
    assert answer["reason"] != answer["code"]


async def test_a_kind_of_card_that_is_none_is_told_with_those_there_are(channel):
    answer = await channel.ask("station.present_card", id_token="A", type="Nonsense")
    assert answer["error"]["code"] == Code.INVALID_PARAMS
    assert "eMAID" in answer["error"]["message"]
    assert (await channel.get("station.present_card", id_token="A", type="eMAID"))["accepted"]


@pytest.mark.parametrize("fault", list(Fault))
async def test_each_fault_can_be_raised_and_cleared(channel, fault):
    station = fault is Fault.EMERGENCY_STOP
    place = {} if station or fault is Fault.READER_LOST else {"evse": 2, "connector": 1}
    assert (await channel.get("station.raise_fault", fault=fault.value, **place))["accepted"]
    assert (await channel.get("station.clear_fault", fault=fault.value, **place))["accepted"]


async def test_everything_a_person_can_do_has_a_method(channel):
    for method, params in [
        ("station.arrive_car", {"evse": 2}),
        ("vehicle.set", {"evse": 2, "soc": 10.0}),
        ("vehicle.pause", {"evse": 2}),
        ("vehicle.resume", {"evse": 2}),
        ("station.leave_car", {"evse": 2}),
        ("station.open_door", {}),
        ("station.close_door", {}),
        ("network.cut", {}),
        ("network.restore", {}),
        ("station.cut_mains", {}),
        ("station.restore_mains", {}),
    ]:
        assert (await channel.get(method, **params)) == {"accepted": True}, method
    answer = await channel.get("station.press_start")
    assert answer["accepted"] is False  # this station has a reader


async def test_cutting_the_mains_silences_the_station_at_once(channel, csms):  # noqa: F811
    await channel.get("station.cut_mains")
    mark = csms.mark()
    snapshot = await channel.get("station.snapshot")
    assert (snapshot["power"], snapshot["station"]["mains"]) == ("dark", False)
    await channel.get("clock.jump", seconds=1000)
    assert csms.mark() == mark
    await channel.get("station.restore_mains")
    record = {"event": "BootStateChanged", "data.state": "accepted"}
    await channel.get("journal.wait", filter=record, timeout=5)


async def test_a_dark_station_has_no_settings_and_says_why(channel):
    await channel.get("station.cut_mains")
    for method, params in (
        ("variables.get", {"name": "A"}),
        ("variables.set", {"name": "A", "value": "1"}),
    ):
        answer = await channel.ask(method, **params)
        assert answer["error"]["code"] == Code.UNKNOWN_NAME
        assert "no power" in answer["error"]["message"]


async def test_a_call_by_hand_is_answered_with_its_payload(channel):
    answer = await channel.get("ocpp.call", action="Heartbeat", payload={})
    assert "currentTime" in answer["payload"]


async def test_a_wrong_call_is_not_sent_unless_asked_for(channel, own_frame_faults):
    wrong = {"action": "DataTransfer", "payload": {"vendor": 5}}
    assert await channel.fail("ocpp.call", **wrong) is Code.INVALID_OWN_FRAME
    own_frame_faults.clear()  # it was wrong on purpose
    await channel.ask("ocpp.call", **wrong, validate=False)
    sent = {"event": "FramePassed", "data.forced": True, "data.action": "DataTransfer"}
    record = (await channel.get("journal.wait", filter=sent, timeout=2))["record"]
    assert record["data"]["violations"]


@pytest.mark.parametrize("payload", [[], 5, None, True, "{}", "\ud83d"])
async def test_RPC_11_what_is_no_object_is_no_payload_unless_asked_for(
    channel, own_frame_faults, payload
):
    call = {"action": "Heartbeat", "payload": payload}
    mark = (await channel.get("journal.read"))["last"]
    assert await channel.fail("ocpp.call", **call) is Code.INVALID_OWN_FRAME
    own_frame_faults.clear()  # it was wrong on purpose
    sent = {"event": "FramePassed", "data.direction": "out", "data.action": "Heartbeat"}
    assert (await channel.get("journal.read", first=mark + 1, filter=sent))["records"] == []
    if payload == "\ud83d":  # half a character, which no frame can carry
        assert await channel.fail("ocpp.call", **call, validate=False) is Code.INVALID_OWN_FRAME
    else:
        await channel.ask("ocpp.call", **call, validate=False)
        record = (await channel.get("journal.read", first=mark + 1, filter=sent))["records"][0]
        written = payload if isinstance(payload, str) else json.dumps(payload)
        assert record["data"]["forced"]
        assert record["data"]["text"].endswith(f',"Heartbeat",{written}]')
    assert (await channel.get("ocpp.call", action="Heartbeat"))["payload"]["currentTime"]


async def test_without_a_link_a_call_says_so(channel):
    await channel.get("network.cut")
    assert await channel.fail("ocpp.call", action="Heartbeat") is Code.NOT_CONNECTED
    assert await channel.fail("ocpp.send_raw", text="[]") is Code.NOT_CONNECTED


async def test_raw_text_goes_out_as_typed(channel, csms):  # noqa: F811
    await channel.get("ocpp.send_raw", text="[2, broken")
    sent = {"event": "FramePassed", "data.text": "[2, broken"}
    record = (await channel.get("journal.wait", filter=sent, timeout=5))["record"]
    assert record["data"]["forced"] is True


async def test_an_answer_can_be_forced_once(channel, csms):  # noqa: F811
    await channel.get("ocpp.override", action="Reset", status="Rejected")
    version = (await channel.get("station.snapshot"))["version"]
    payload = {"type": "Soft" if version == "1.6" else "Immediate"}
    outcome = await csms.call("CS-1", "Reset", payload)
    assert outcome.payload["status"] == "Rejected"
    assert await channel.get("ocpp.clear_overrides") == {"accepted": True}
    assert await channel.fail("ocpp.override", action="Reset") is Code.INVALID_PARAMS


async def test_settings_are_read_and_set_by_name(channel):
    version = (await channel.get("station.snapshot"))["version"]
    name = "HeartbeatInterval" if version == "1.6" else "OCPPCommCtrlr.HeartbeatInterval"
    assert (await channel.get("variables.set", name=name, value="77"))["status"] == "Accepted"
    assert (await channel.get("variables.get", name=name))["value"] == "77"
    assert len((await channel.get("variables.get"))["variables"]) > 30
    assert await channel.fail("variables.get", name="Nothing") is Code.UNKNOWN_NAME
    assert await channel.fail("variables.set", name="Nothing", value="") is Code.UNKNOWN_NAME


async def test_the_journal_is_read_by_place_and_filter(channel):
    page = await channel.get("journal.read", filter={"event": "FramePassed"}, limit=2)
    assert [record["event"] for record in page["records"]] == ["FramePassed"] * 2
    accepted = {"event": "BootStateChanged", "data.state": "accepted"}
    page = await channel.get("journal.read", filter=accepted, limit=2)
    assert [record["event"] for record in page["records"]] == ["BootStateChanged"]
    one = await channel.get("journal.read", first=1, last=1)
    assert [record["seq"] for record in one["records"]] == [1]


async def test_a_subscription_tells_until_it_is_ended(channel):
    number = (await channel.get("journal.subscribe", filter={"event": "DoorOpened"}))[
        "subscription"
    ]
    await channel.get("station.open_door")
    told = [line for line in channel.lines if line.get("method") == "journal.event"]
    assert [line["params"]["record"]["event"] for line in told] == ["DoorOpened"]
    await channel.get("journal.unsubscribe", subscription=number)
    assert await channel.fail("journal.unsubscribe", subscription=number) is Code.UNKNOWN_NAME


async def test_waiting_in_vain_ends_in_time(channel):
    wait = {"filter": {"event": "Never"}, "timeout": 0.05}
    assert await channel.fail("journal.wait", **wait) is Code.WAIT_TIMED_OUT


async def test_what_happened_between_command_and_wait_is_not_missed(channel):
    await channel.get("station.open_door")
    record = await channel.get("journal.wait", filter={"event": "DoorOpened"}, timeout=0.1)
    again = {"filter": {"event": "DoorOpened"}, "timeout": 0.05}
    assert record["record"]["event"] == "DoorOpened"
    assert await channel.fail("journal.wait", **again) is Code.WAIT_TIMED_OUT


async def test_a_channel_opened_later_finds_what_happened_since_the_power_up(channel, session):
    """A script that connects when the station is up already need not know where its journal stands."""
    late = Channel(session)
    accepted = {"event": "BootStateChanged", "data.state": "accepted"}
    assert (await late.get("journal.wait", filter=accepted, timeout=0.1))["record"]
    await channel.get("station.repower")
    began = {"event": "PowerCycleBegan"}
    later = Channel(session)
    record = (await later.get("journal.wait", filter=began, timeout=0.1))["record"]
    assert record["data"]["number"] == 2
    for one in (late, later):
        one.methods.close()
        await one.dispatcher.close()


@pytest.mark.parametrize(
    ("command", "params"),
    [
        ("station.repower", {}),
        ("station.restart", {}),
        ("link.retry", {}),
        ("ocpp.call", {"action": "Heartbeat"}),
        ("clock.set", {"to": "2030-01-01T00:00:00Z"}),
        ("station.plug_in", {"evse": 2}),
    ],
)
async def test_a_wait_never_finds_what_happened_before_the_last_command(channel, command, params):
    await channel.get("station.open_door")
    await channel.get(command, **params)
    wait = {"filter": {"event": "DoorOpened"}, "timeout": 0.05}
    assert await channel.fail("journal.wait", **wait) is Code.WAIT_TIMED_OUT


async def test_looking_between_command_and_wait_costs_nothing(channel):
    """The questions are those of the documentation; each leaves the place of the wait alone."""
    text = resource("help", "control.md").read_text("utf-8")
    said = text.partition("methods but those that only look:")[2].partition("\n\n")[0]
    names = set(re.findall(r"`([a-z.*_]+)`", said))
    table = channel.methods.table()
    found = {name for name in table if name in names or f"{name.partition('.')[0]}.*" in names}
    assert found == QUESTIONS
    assert set(table) >= QUESTIONS
    await channel.get("station.open_door")
    for name in sorted(QUESTIONS - {"journal.wait", "journal.unsubscribe"}):
        await channel.get(name)
    await channel.get("journal.wait", filter={"event": "DoorOpened"}, timeout=0.1)


async def test_time_travel_by_seconds_and_to_a_moment(channel):
    before = await channel.get("clock.now")
    after = await channel.get("clock.jump", seconds=3600)
    assert after["elapsed"] - before["elapsed"] >= 3600
    assert await channel.fail("clock.jump", to="2001-01-01T00:00:00Z") is Code.CLOCK
    assert await channel.fail("clock.jump", to="2900-01-01T00:00:00Z") is Code.CLOCK
    for method in (
        "clock.jump",
        "clock.set",
    ):  # local time, of which UTC may be out of the calendar
        for edge in ("0001-01-01T00:00:00", "9999-12-31T23:59:59"):
            assert await channel.fail(method, to=edge) is Code.CLOCK
    assert await channel.fail("clock.jump") is Code.INVALID_PARAMS
    back = await channel.get("clock.set", to="2001-01-01T00:00:00Z")
    assert back["now"].startswith("2001-01-01T00:00:00")
    assert back["change"] < -20 * 365 * 86_400
    assert back["elapsed"] == pytest.approx(after["elapsed"], abs=30)
    assert await channel.fail("clock.set", to="9999-01-01T00:00:00Z") is Code.CLOCK
    assert (await channel.get("clock.rate", rate=10))["rate"] == 10


async def test_jumps_ordered_side_by_side_add_up(channel):
    before = (await channel.get("clock.now"))["elapsed"]
    jumps = [channel.get("clock.jump", seconds=seconds) for seconds in (7200, 100)]
    first, second = await asyncio.gather(*jumps)
    assert first["elapsed"] - before == pytest.approx(7200, abs=5)
    assert second["elapsed"] - before == pytest.approx(7300, abs=5)


async def test_the_back_office_is_asked_for_the_time_and_may_be_kept_from_setting_it(channel):
    real = datetime.now(UTC)
    await channel.get("clock.set", to="2001-01-01T00:00:00Z")
    assert await channel.get("clock.follow", follows=False) == {"follows": False}
    for follows, year in ((False, 2001), (True, real.year)):
        await channel.get("clock.follow", follows=follows)
        assert await channel.get("clock.ask") == {"accepted": True}
        await channel.get("journal.wait", filter={"event": "HeartbeatAnswered"}, timeout=5)
        assert (await channel.get("clock.now"))["now"].startswith(str(year))
    await channel.get("network.cut")
    await channel.get("journal.wait", filter={"event": "LinkClosed"}, timeout=5)
    assert await channel.get("clock.ask") == {"accepted": False}


async def test_repower_and_factory_reset(channel):
    record = {"event": "BootStateChanged", "data.state": "accepted"}
    assert (await channel.get("station.repower"))["accepted"]
    await channel.get("journal.wait", filter=record, timeout=5)
    assert (await channel.get("station.factory_reset"))["accepted"]
    await channel.get("journal.wait", filter=record, timeout=5)


@pytest.mark.parametrize("cause", ["button", "watchdog"])
async def test_restart_by_the_button_or_by_the_watchdog(channel, cause):
    assert (await channel.get("station.restart", cause=cause))["accepted"]
    record = {"event": "BootStateChanged", "data.state": "accepted"}
    await channel.get("journal.wait", filter=record, timeout=5)
    assert await channel.fail("station.restart", cause="boredom") is Code.INVALID_PARAMS


async def test_quit_is_answered_before_it_happens(channel):
    assert await channel.get("app.quit") == {"accepted": True}
    await asyncio.sleep(0)
    assert channel.quits == 1


async def test_the_documentation_has_each_method_error_and_exit_code(channel):
    text = resource("help", "control.md").read_text("utf-8")
    documented = set(re.findall(r"^\| `([a-z]+\.[a-z_]+)`", text, re.MULTILINE))
    assert documented == set(channel.methods.table())
    for code, meaning in MEANING.items():
        assert f"| {int(code)} | {meaning} |" in text
    for exit_code, meaning in EXITS.items():
        assert f"| {int(exit_code)} | {meaning} |" in text
    for fault in Fault:
        assert f"`{fault.value}`" in text
