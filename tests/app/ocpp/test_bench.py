"""The bench itself: a test tool that lies would make every conversation test worthless."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from app.ocpp import personalities
from app.ocpp.context import BootReason, CallRefused, InvalidAnswer, Payload, Reply
from app.ocpp.events import LinkClosed, LinkOpened, RebootOrdered
from app.ocpp.version import Version
from app.station.intents import CutMains, PlugIn, RestoreMains
from tests.support.harness import USUAL, Bench, NoAnswer, RawAnswer, Refuse
from tests.support.playbook import Line, compare, fits, value_at
from tests.support.tiny import BOTH, TinyPersonality, tiny, tiny_options

MakeBench = Callable[..., Bench]


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("> A", True),
        ("< A", False),
        ("> B", False),
        ("> A n=1 t=x flag=true", True),
        ("> A n=2", False),
        ("> A t", True),
        ("> A nope", False),
        ("> A !nope", True),
        ("> A !t", False),
        ("> A list.0.k=v list.1.k=w", True),
        ("> A list.2", False),
        ("> A text~'two words'", True),
        ("> A text~three", False),
        ("> A 'text=some two words'", True),
        ('> A nested={"a":1}', False),
    ],
)
def test_a_line_of_a_playbook_looks_at_what_it_names(pattern: str, says: bool) -> None:
    payload = {
        "n": 1,
        "t": "x",
        "flag": True,
        "list": [{"k": "v"}, {"k": "w"}],
        "text": "some two words",
    }
    assert fits(pattern, Line(">", "A", payload)) == says


def test_a_playbook_allows_gaps_only_where_it_says_so() -> None:
    lines = [Line(">", name, {}) for name in "ABC"] + [Line("!", "D", "NotSupported")]
    assert compare("> A\n> B\n> C\n! D NotSupported", lines) is None
    assert compare("> A\n...\n! D", lines) is None
    assert compare("...\n> B  # a comment\n...", lines) is None
    assert compare("> A\n! D", lines) is not None
    assert compare("> A\n...\n> A\n...", lines) is not None
    assert "! D NotSupported" in str(compare(["> X"], lines))
    assert "(nothing)" in str(compare("> X", []))
    with pytest.raises(ValueError, match="not a line"):
        fits("nonsense", lines[0])
    assert value_at({"a": [1]}, "a.0") == 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[2,"i","Heartbeat",{"x":1}]', "the station's CALL Heartbeat"),
        ('[2,"i","MakeCoffee",{}]', "unknown action MakeCoffee"),
        (f'[2,"{"i" * 37}","Heartbeat",{{}}]', "message id too long"),
        ("{", "the scripted back office failed"),
        (
            '[2,"i","Heartbeat",{"timestamp":"2026-01-15T09:00:00+01:00"}]',
            "time stamp",
        ),
    ],
)
async def test_the_bench_fails_a_test_whose_station_sends_what_it_must_not(
    make_bench: MakeBench, text: str, fault: str
) -> None:
    bench = make_bench(Version.V16, **tiny_options())
    await bench.online()
    bench.dialogue.send_raw(text)
    await bench.rest()
    with pytest.raises(AssertionError):
        await bench.close()
    bench.forgive(fault)
    bench.csms.faults.clear()


async def test_the_bench_sees_two_open_calls_and_ids_used_twice(make_bench: MakeBench) -> None:
    bench = make_bench(Version.V16, **tiny_options())
    await bench.online()
    hold = bench.csms.hold("Heartbeat")
    task = asyncio.ensure_future(bench.dialogue.call("Heartbeat", {}))
    heard = await hold.arrived()
    bench.dialogue.send_raw(f'[2,"{heard.message_id}","DataTransfer",{{"vendorId":"v"}}]')
    await asyncio.sleep(0)
    hold.answer({"currentTime": "2026-01-15T08:00:00Z"})
    with pytest.raises(InvalidAnswer):  # the answer to the second one bears the same id
        await task
    await bench.rest()
    bench.forgive("used for two messages")
    bench.forgive("was sent while Heartbeat was open")


async def test_the_bench_fails_for_failed_tasks_and_subscribers(make_bench: MakeBench) -> None:
    bench = make_bench(Version.V16, **tiny_options())

    async def fail() -> None:
        raise ZeroDivisionError

    bench.spawn(fail(), "a task")
    await bench.rest()
    await asyncio.sleep(0)
    bench.forgive("task a task: ZeroDivisionError()")
    bench.bus.subscribe(lambda entry: 1 / 0, LinkOpened)  # type: ignore[arg-type, return-value]
    await bench.online()
    bench.forgive("division by zero")
    with pytest.raises(AssertionError, match="no fault with"):
        bench.forgive("division by zero")


async def test_a_slip_in_a_script_fails_the_test(make_bench: MakeBench) -> None:
    bench = make_bench(Version.V16, **tiny_options())
    await bench.online()
    bench.csms.on("Heartbeat", {"currentTime": 5})
    with pytest.raises(Exception, match="currentTime"):
        await bench.dialogue.call("Heartbeat", {})
    bench.forgive("the script's answer")
    await_answer = bench.csms.ask("Reset", {"type": "Warm"})
    await await_answer
    bench.forgive("the test's CALL")


@pytest.mark.parametrize("version", BOTH)
async def test_usual_answers_are_valid_for_every_call_a_station_may_send(
    make_bench: MakeBench, version: Version
) -> None:
    bench = make_bench(version, **tiny_options())
    token = {"idToken": "A", "type": "Central"}
    requests: dict[str, Any] = {
        "Authorize": {"idTag": "A"} if version is Version.V16 else {"idToken": token},
        "StartTransaction": {"idTag": "A"},
        "StopTransaction": {"idTag": "A"},
        "TransactionEvent": {"idToken": token},
    }
    schemas = bench.csms.schemas
    from_station = {
        Version.V16: "Authorize BootNotification DataTransfer DiagnosticsStatusNotification "
        "FirmwareStatusNotification Heartbeat LogStatusNotification MeterValues "
        "SecurityEventNotification SignedFirmwareStatusNotification StartTransaction "
        "StatusNotification StopTransaction",
        Version.V201: "Authorize BootNotification DataTransfer FirmwareStatusNotification Heartbeat "
        "LogStatusNotification MeterValues NotifyEvent NotifyReport NotifyMonitoringReport "
        "SecurityEventNotification StatusNotification TransactionEvent SignCertificate "
        "NotifyChargingLimit ReportChargingProfiles ReservationStatusUpdate "
        "NotifyEVChargingNeeds NotifyEVChargingSchedule NotifyCustomerInformation "
        "NotifyDisplayMessages ClearedChargingLimit PublishFirmwareStatusNotification",
    }
    for action in from_station[version].split():
        answer = bench.csms.usual_answer(action, requests.get(action, {}))
        assert schemas.check(action, "response", answer) == ()


async def test_answers_can_be_scripted_one_after_the_other(make_bench: MakeBench) -> None:
    bench = make_bench(Version.V16, **tiny_options())
    await bench.online()
    bench.csms.token_status["BAD"] = "Blocked"
    raw = RawAnswer('[3,"{id}",{"idTagInfo":{"status":"Expired"}}]')
    bench.csms.on("Authorize", [lambda request: {"idTagInfo": {"status": "Invalid"}}, raw, USUAL])
    status = [
        (await bench.dialogue.call("Authorize", {"idTag": "BAD"}))["idTagInfo"]["status"]
        for _ in range(4)
    ]
    assert status == ["Invalid", "Expired", "Blocked", "Blocked"]
    bench.csms.on("Authorize", Refuse("GenericError", "no"))
    with pytest.raises(CallRefused):
        await bench.dialogue.call("Authorize", {"idTag": "BAD"})
    bench.csms.default("Authorize")
    await bench.dialogue.call("Authorize", {"idTag": "BAD"})
    assert bench.sent("Authorize") == [{"idTag": "BAD"}] * 6


async def test_a_reboot_ends_the_power_cycle_and_begins_the_next_from_the_store(
    make_bench: MakeBench,
) -> None:
    bench = make_bench(Version.V16, **tiny_options())

    def reset(payload: Payload) -> Reply:
        return Reply({"status": "Accepted"}, then=lambda: bench.ctx.reboot(BootReason.REMOTE_RESET))

    tiny(bench).served["Reset"] = reset
    await bench.online()
    before = bench.personality
    bench.store.put("kept", "a", {"x": 1})
    assert await bench.request("Reset", {"type": "Soft"}) == {"status": "Accepted"}
    assert bench.personality is not before
    assert bench.ctx.boot_reason is BootReason.REMOTE_RESET
    assert bench.reboots == [BootReason.REMOTE_RESET]
    assert bench.dialogue.online
    assert bench.store.get("kept", "a") == {"x": 1}
    kinds = [type(event) for event in bench.happened(LinkOpened, LinkClosed, RebootOrdered)]
    assert kinds == [LinkOpened, RebootOrdered, LinkClosed, LinkOpened]


async def test_the_machine_outlives_a_kill_and_the_mains_switch_the_personality(
    make_bench: MakeBench,
) -> None:
    bench = make_bench(Version.V201, personality=lambda version, ctx: TinyPersonality(ctx))
    await bench.online()
    await bench.do(PlugIn(1))
    await bench.kill_and_restart()
    assert bench.station.snapshot().evse(1).connectors[0].plugged
    await bench.do(CutMains())
    assert not bench.powered
    with pytest.raises(NoAnswer):
        await bench.request("ClearCache")
    await bench.do(RestoreMains())
    assert bench.dialogue.online
    assert bench.station.snapshot().evse(1).connectors[0].plugged


async def test_an_intent_that_is_refused_fails_the_test(make_bench: MakeBench) -> None:
    bench = make_bench(Version.V16, **tiny_options(station=None))
    await bench.do(PlugIn(1))
    with pytest.raises(AssertionError, match="was refused"):
        await bench.do(PlugIn(1))


async def test_the_link_closed_by_the_station_comes_back(make_bench: MakeBench) -> None:
    bench = make_bench(Version.V16, **tiny_options())
    await bench.online()
    connection = bench.csms.connection
    bench.dialogue.close_link("a new password")
    await bench.rest()
    assert bench.dialogue.online
    assert bench.csms.connection > connection


@pytest.mark.parametrize("version", BOTH)
async def test_each_version_has_its_personality(make_bench: MakeBench, version: Version) -> None:
    bench = make_bench(version)
    assert bench.personality.version is version
    assert bench.ctx.settings == bench.settings
    assert personalities.make(version, bench.ctx).version is version


async def test_what_the_back_office_said_is_only_heard_on_its_own_connection(
    make_bench: MakeBench,
) -> None:
    bench = make_bench(Version.V16, **tiny_options())
    await bench.online()
    before = len(bench.events)
    bench.into_station(json.dumps([2, "a", "ClearCache", {}]), connection=99)
    assert len(bench.events) == before
