"""The conversation over the link: turns, time-outs, answers, races (RPC-03 to RPC-11, decision 8)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from app.kernel.bus import Entry, Origin
from app.ocpp.context import (
    CallFailed,
    CallRefused,
    CallTimedOut,
    HandlerError,
    InvalidAnswer,
    InvalidOwnFrame,
    NotConnected,
    Payload,
    Reply,
    TooLarge,
)
from app.ocpp.dialogue import Dialogue
from app.ocpp.events import (
    CallEnded,
    Direction,
    FramePassed,
    OpenPointMet,
    OwnFrameRefused,
    TaskFailed,
)
from app.ocpp.frames import MAX_FRAME
from app.ocpp.personality import LinkPolicy, Silence
from app.ocpp.version import Version
from tests.support.harness import FLOOD, MUTE, Bench, NoAnswer, RawAnswer, Refuse
from tests.support.tiny import BOTH, tiny, tiny_options

MakeBench = Callable[..., Bench]
NOW = "2026-01-15T08:00:00Z"
SOFT = {Version.V16: {"type": "Soft"}, Version.V201: {"type": "Immediate"}}


@pytest.fixture(params=BOTH, ids=lambda version: version.value)
async def bench(request: Any, make_bench: MakeBench) -> Bench:
    bench = make_bench(request.param, **tiny_options())
    await bench.online()
    return bench


def start(bench: Bench, action: str = "Heartbeat", payload: Payload | None = None) -> Any:
    """Begin a CALL; the task ends with its answer or its error."""
    return asyncio.ensure_future(bench.dialogue.call(action, payload or {}))


async def outcome(task: Any) -> Any:
    """The answer, or the error that it ended with."""
    try:
        return await task
    except CallFailed as error:
        return error


def serve(bench: Bench, action: str, handler: Any) -> None:
    tiny(bench).served[action] = handler
    bench.dialogue.serve(tiny(bench).served, tiny(bench).admit)


# ---------------------------------------------------------------- own CALLs


async def test_a_call_returns_the_payload_of_its_answer(bench: Bench) -> None:
    assert await bench.dialogue.call("Heartbeat", {}) == {"currentTime": NOW}


async def test_a_frame_is_told_before_it_leaves(bench: Bench) -> None:
    """What has to be on the disk before it is sent is written when it is told."""
    order: list[str] = []

    def told(entry: Entry) -> None:
        if isinstance(entry.event, FramePassed) and entry.event.direction is Direction.OUT:
            order.append("told")

    bench.bus.subscribe(told, FramePassed)
    bench.dialogue.attach(lambda text: order.append("sent"))
    asking = start(bench)
    await asyncio.sleep(0)
    assert order == ["told", "sent"]
    asking.cancel()


async def test_nothing_leaves_when_telling_of_it_ended_the_link(bench: Bench) -> None:
    sent: list[str] = []
    bench.bus.subscribe(lambda _: bench.dialogue.detach(), FramePassed)
    bench.dialogue.attach(sent.append)
    assert isinstance(await outcome(start(bench)), NotConnected)
    assert sent == []


async def test_RPC_03_calls_wait_their_turn_and_leave_in_order(bench: Bench) -> None:
    hold = bench.csms.hold("Heartbeat")
    tasks = [start(bench) for _ in range(3)]
    await hold.arrived()
    assert len(bench.sent()) == 1
    hold.answer({"currentTime": NOW})
    assert await asyncio.gather(*tasks) == [{"currentTime": NOW}] * 3
    assert len({heard.message_id for heard in bench.csms.heard}) == 3


async def test_what_an_answer_changes_is_done_before_the_next_call_leaves(bench: Bench) -> None:
    """Errata 2: a kill between the two must not repeat a message that was followed by another one."""
    hold = bench.csms.hold("Heartbeat")
    left: list[int] = []

    def outgoing() -> int:
        return sum(frame.direction is Direction.OUT for frame in bench.happened(FramePassed))

    async def ask() -> None:
        await bench.dialogue.call("Heartbeat", {})
        left.append(outgoing())

    first, second = asyncio.ensure_future(ask()), start(bench)
    await hold.arrived()
    hold.answer({"currentTime": NOW})
    await asyncio.gather(first, second)
    assert (left, outgoing()) == ([1], 2)


async def test_RPC_05_a_call_times_out_by_link_time_alone(bench: Bench) -> None:
    hold = bench.csms.hold("Heartbeat")
    task = start(bench)
    await hold.arrived()
    bench.clock.advance_now(1000)
    bench.link.advance(29.9)
    assert not task.done()
    bench.link.advance(0.2)
    assert isinstance(await outcome(task), CallTimedOut)
    (ended,) = bench.happened(CallEnded)
    assert (ended.action, ended.how) == ("Heartbeat", "timeout")


async def test_RPC_05_after_a_time_out_the_next_call_has_its_turn(bench: Bench) -> None:
    bench.csms.on("Heartbeat", [MUTE, {"currentTime": NOW}])
    first, second = start(bench), start(bench)
    assert isinstance(await outcome(first), CallTimedOut)
    assert await second == {"currentTime": NOW}


async def test_a_reply_that_comes_too_late_is_shown_and_changes_nothing(bench: Bench) -> None:
    hold = bench.csms.hold("Heartbeat")
    task = start(bench)
    await hold.arrived()
    bench.link.advance(31)
    assert isinstance(await outcome(task), CallTimedOut)
    hold.answer({"currentTime": NOW})
    late = bench.happened(FramePassed)[-1]
    assert late.note.id == "ocpp.note.answer_timeout"
    assert late.action == "Heartbeat"
    assert await bench.dialogue.call("Heartbeat", {}) == {"currentTime": NOW}


async def test_a_second_answer_is_shown_and_changes_nothing(bench: Bench) -> None:
    hold = bench.csms.hold("Heartbeat")
    task = start(bench)
    await hold.arrived()
    hold.answer({"currentTime": NOW})
    hold.refuse("GenericError")
    assert await task == {"currentTime": NOW}
    assert bench.happened(FramePassed)[-1].note.id == "ocpp.note.answer_answered"


async def test_an_error_becomes_an_exception_with_all_it_says(bench: Bench) -> None:
    bench.csms.on("Heartbeat", Refuse("InternalError", "too busy", {"queue": 5}))
    error = await outcome(start(bench))
    assert isinstance(error, CallRefused)
    assert (error.code, error.description, error.details) == (
        "InternalError",
        "too busy",
        {"queue": 5},
    )


@pytest.mark.parametrize("odd", ["null", '""', '"-1"'])
async def test_an_error_without_id_ends_the_open_call(bench: Bench, odd: str) -> None:
    bench.csms.on("Heartbeat", RawAnswer(f'[4,{odd},"GenericError","cannot read that",{{}}]'))
    assert isinstance(await outcome(start(bench)), CallRefused)


async def test_without_a_link_a_call_fails_at_once(bench: Bench) -> None:
    await bench.offline()
    assert isinstance(await outcome(start(bench)), NotConnected)
    with pytest.raises(NotConnected):
        bench.dialogue.send_raw("[]")


async def test_a_break_of_the_link_ends_the_open_call_and_those_in_the_line(bench: Bench) -> None:
    hold = bench.csms.hold("Heartbeat")
    tasks = [start(bench) for _ in range(3)]
    await hold.arrived()
    await bench.offline()
    assert [type(await outcome(task)) for task in tasks] == [NotConnected] * 3
    (ended,) = bench.happened(CallEnded)
    assert ended.how == "disconnected"
    await bench.online()
    assert await bench.dialogue.call("Heartbeat", {}) == {"currentTime": NOW}


async def test_a_link_that_a_too_large_message_ended_fails_the_open_call_and_not_those_in_the_line(
    bench: Bench,
) -> None:
    bench.csms.on("Heartbeat", FLOOD)
    tasks = [start(bench) for _ in range(2)]
    assert [type(await outcome(task)) for task in tasks] == [TooLarge, NotConnected]
    (ended,) = bench.happened(CallEnded)
    assert ended.how == "too_large"


async def test_an_answer_from_the_last_connection_is_nobodys(bench: Bench) -> None:
    hold = bench.csms.hold("Heartbeat")
    task = start(bench)
    await hold.arrived()
    message_id = bench.csms.heard[0].message_id
    await bench.offline()
    await bench.online()
    assert isinstance(await outcome(task), NotConnected)
    await bench.inject(json.dumps([3, message_id, {"currentTime": NOW}]))
    assert bench.happened(FramePassed)[-1].note.id == "ocpp.note.answer_disconnected"


async def test_a_caller_that_is_gone_leaves_the_turn_only_when_its_call_is_over(
    bench: Bench,
) -> None:
    """The other side does not know that nobody waits: a second CALL would break RPC-03."""
    hold = bench.csms.hold("Heartbeat")
    first = start(bench)
    await hold.arrived()
    first.cancel()
    second = start(bench)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(bench.sent()) == 1
    hold.answer({"currentTime": NOW})
    assert await second == {"currentTime": NOW}


async def test_a_caller_that_is_gone_leaves_the_line(bench: Bench) -> None:
    hold = bench.csms.hold("Heartbeat")
    first, second = start(bench), start(bench)
    await hold.arrived()
    second.cancel()
    await asyncio.sleep(0)
    hold.answer({"currentTime": NOW})
    await first
    await bench.rest()
    assert len(bench.sent()) == 1


async def test_while_a_call_is_open_virtual_time_stands_still(bench: Bench) -> None:
    hold = bench.csms.hold("Heartbeat")
    task = start(bench)
    await hold.arrived()
    moving = asyncio.ensure_future(bench.advance(10))
    for _ in range(5):
        await asyncio.sleep(0)
    assert bench.clock.elapsed() == 0
    hold.answer({"currentTime": NOW})
    await asyncio.gather(task, moving)
    assert bench.clock.elapsed() == 10


async def test_RPC_11_a_call_of_ours_that_breaks_the_schema_is_not_sent(bench: Bench) -> None:
    error = await outcome(start(bench, "Heartbeat", {"x": 1}))
    assert isinstance(error, InvalidOwnFrame)
    assert "x unknown field" in str(error)
    assert bench.sent() == []
    (refused,) = bench.happened(OwnFrameRefused)
    assert (refused.action, refused.kind) == ("Heartbeat", "request")
    bench.forgive("OwnFrameRefused")


async def test_RPC_11_a_call_of_ours_that_is_no_json_is_not_sent(bench: Bench) -> None:
    payload = {"vendorId": "v", "data": "\ud800"}
    assert isinstance(await outcome(start(bench, "DataTransfer", payload)), InvalidOwnFrame)
    assert bench.sent() == []
    bench.forgive("OwnFrameRefused")
    assert await bench.dialogue.call("Heartbeat", {}) == {"currentTime": NOW}


# ---------------------------------------------------------------- sent wrong on purpose


async def test_RPC_11_a_broken_call_can_be_sent_on_purpose(bench: Bench) -> None:
    bench.csms.on("Heartbeat", Refuse("FormatViolation"))
    with pytest.raises(CallRefused):
        await bench.dialogue.call_unchecked("Heartbeat", {"x": 1})
    out = bench.happened(FramePassed)[0]
    assert out.forced
    assert out.violations[0].path == "x"
    bench.forgive("the station's CALL Heartbeat")


async def test_RPC_11_a_payload_can_be_sent_as_it_was_typed(bench: Bench) -> None:
    await bench.dialogue.call_unchecked("Heartbeat", '{ "x" : 1.50 }')
    out = bench.happened(FramePassed)[0]
    assert '{ "x" : 1.50 }]' in out.text
    assert [violation.path for violation in out.violations] == ["x"]
    bench.forgive("the station's CALL Heartbeat")


async def test_even_on_purpose_only_json_can_be_a_payload(bench: Bench) -> None:
    with pytest.raises(InvalidOwnFrame):
        await bench.dialogue.call_unchecked("Heartbeat", {"x": float("nan")})
    assert await bench.dialogue.call("Heartbeat", {}) == {"currentTime": NOW}
    assert bench.happened(OwnFrameRefused) == []


@pytest.mark.parametrize(
    ("text", "path", "rule"),
    [
        ("hello", "", "frame"),
        ('[2,"r","Heartbeat",{"x":1}]', "x", "additionalProperties"),
        ('[2,"r","Nonsense",{}]', "", "action"),
        ('[3,"r",{},1]', "", "frame"),
    ],
)
async def test_RPC_11_what_is_sent_raw_is_judged_too(
    bench: Bench, text: str, path: str, rule: str
) -> None:
    """Each frame is judged where it leaves; one that is wrong on purpose leaves all the same."""
    sent: list[str] = []
    send, bench.dialogue._send = bench.dialogue._send, sent.append
    bench.dialogue.send_raw(text)
    bench.dialogue._send = send
    assert sent == [text]
    (violation,) = bench.happened(FramePassed)[-1].violations
    assert (violation.path, violation.rule) == (path, rule)


async def test_the_answer_to_a_forced_call_is_judged_and_never_bent(bench: Bench) -> None:
    bench.csms.on("Heartbeat", RawAnswer('[3,"{id}",{"currentTime":"x"}]'))
    with pytest.raises(InvalidAnswer):
        await bench.dialogue.call_unchecked("Heartbeat", {})
    assert bench.happened(OpenPointMet) == []


async def test_raw_text_is_sent_at_once_beside_an_open_call(bench: Bench) -> None:
    hold = bench.csms.hold("Heartbeat")
    task = start(bench)
    await hold.arrived()
    sent: list[str] = []
    send, bench.dialogue._send = bench.dialogue._send, sent.append
    for text in ("hello", '[2,"r","Heartbeat",{}]', '[3,"r",{}]', '[4,"r","GenericError","",{}]'):
        bench.dialogue.send_raw(text)
    bench.dialogue._send = send
    assert len(sent) == 4
    passed = bench.happened(FramePassed)[-4:]
    assert [frame.kind for frame in passed] == [0, 2, 3, 4]
    assert all(frame.forced for frame in passed)
    assert [frame.violations != () for frame in passed] == [True, False, False, False]
    bench.dialogue.receive('[3,"r",{"currentTime":"2026-01-15T08:00:00Z"}]')
    answer = bench.happened(FramePassed)[-1]
    assert (answer.action, answer.note.id) == ("Heartbeat", "ocpp.note.answer_raw")
    hold.answer({"currentTime": NOW})
    await task


# ---------------------------------------------------------------- answers that break the schema

BROKEN = '[3,"{id}",{"currentTime":"2026-01-15T08:00:00Z","extra":1}]'
HOPELESS = '[3,"{id}",{"extra":1}]'
ENDLESS = '[3,"{id}",{"currentTime":"' + "2" * MAX_FRAME + '"}]'


@pytest.mark.parametrize(
    ("option", "answer", "ending"),
    [
        ("use-usable", BROKEN, {"currentTime": NOW}),
        ("use-usable", HOPELESS, InvalidAnswer),
        ("use-usable", ENDLESS, InvalidAnswer),
        ("failure", BROKEN, InvalidAnswer),
        ("time-out", BROKEN, CallTimedOut),
    ],
)
@pytest.mark.parametrize("version", BOTH)
async def test_an_answer_that_breaks_the_schema_is_an_open_point(
    make_bench: MakeBench, version: Version, option: str, answer: str, ending: Any
) -> None:
    """Two options of one point give different conversations (both-invalid-response)."""
    bench = make_bench(version, **tiny_options(points={"both-invalid-response": option}))
    await bench.online()
    bench.csms.on("Heartbeat", RawAnswer(answer))
    task = start(bench)
    if option == "time-out":
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not task.done()
        bench.link.advance(31)
    got = await outcome(task)
    assert got == ending or isinstance(got, ending)
    (met,) = bench.happened(OpenPointMet)
    assert (met.point, met.option, met.conformant) == ("both-invalid-response", option, True)


# ---------------------------------------------------------------- CALLs of the back office


async def test_a_call_of_the_back_office_is_answered(bench: Bench) -> None:
    serve(bench, "Reset", lambda payload: Reply({"status": "Accepted"}))
    assert await bench.request("Reset", SOFT[bench.version]) == {"status": "Accepted"}


async def test_RPC_03_an_open_call_of_ours_never_delays_an_answer(bench: Bench) -> None:
    serve(bench, "Reset", lambda payload: Reply({"status": "Accepted"}))
    hold = bench.csms.hold("Heartbeat")
    task = start(bench)
    await hold.arrived()
    answer = bench.start_request("Reset", SOFT[bench.version])
    assert (await answer)[2] == {"status": "Accepted"}
    assert not task.done()
    hold.answer({"currentTime": NOW})
    await task


async def test_decision_8_the_answer_leaves_before_what_follows_from_it(bench: Bench) -> None:
    async def act() -> None:
        await bench.dialogue.call("Heartbeat", {})

    serve(bench, "Reset", lambda payload: Reply({"status": "Accepted"}, then=act))
    await bench.request("Reset", SOFT[bench.version])
    bench.expect("""
        < Reset
        = Reset status=Accepted
        > Heartbeat
    """)


async def test_decision_8_a_plain_function_may_follow_too(bench: Bench) -> None:
    done: list[int] = []

    def act() -> None:
        done.append(len(bench.happened(FramePassed)))

    serve(bench, "Reset", lambda payload: Reply({"status": "Accepted"}, then=act))
    await bench.request("Reset", SOFT[bench.version])
    assert done == [2]


@pytest.mark.parametrize("minds", [False, True])
async def test_what_follows_from_an_answer_that_could_not_leave_is_done_unless_it_minds(
    bench: Bench, minds: bool
) -> None:
    gate = asyncio.get_running_loop().create_future()
    done: list[str] = []

    async def slow(payload: Payload) -> Reply:
        await gate
        unheard = (lambda: done.append("unheard")) if minds else None
        return Reply({"status": "Accepted"}, then=lambda: done.append("then"), unheard=unheard)

    serve(bench, "Reset", slow)
    bench.start_request("Reset", SOFT[bench.version])
    await asyncio.sleep(0)
    bench.dialogue.detach()
    bench.dialogue.attach(bench.csms.take)
    gate.set_result(None)
    await bench.rest()
    assert done == ["unheard" if minds else "then"]
    bench.expect("< Reset")  # the new link hears nothing of it


async def test_a_handler_may_take_its_time_while_others_are_answered(bench: Bench) -> None:
    gate = asyncio.get_running_loop().create_future()

    async def slow(payload: Payload) -> Reply:
        await gate
        return Reply({"status": "Accepted"})

    serve(bench, "Reset", slow)
    serve(bench, "ClearCache", lambda payload: Reply({"status": "Accepted"}))
    first = bench.start_request("Reset", SOFT[bench.version])
    second = bench.start_request("ClearCache", {})
    await second
    assert not first.done()
    gate.set_result(None)
    assert (await first)[2] == {"status": "Accepted"}


async def test_handlers_start_in_the_order_in_which_the_calls_came(bench: Bench) -> None:
    started: list[str] = []

    def handler(name: str) -> Any:
        async def handle(payload: Payload) -> Reply:
            return Reply({"status": "Accepted"})

        def begin(payload: Payload) -> Any:
            started.append(name)
            return handle(payload)

        return begin

    serve(bench, "Reset", handler("Reset"))
    serve(bench, "ClearCache", handler("ClearCache"))
    bench.start_request("ClearCache", {})
    bench.start_request("Reset", SOFT[bench.version])
    await bench.rest()
    assert started == ["ClearCache", "Reset"]


@pytest.mark.parametrize(
    ("action", "payload", "code16", "code201"),
    [
        ("MakeCoffee", {}, "NotImplemented", "NotImplemented"),
        ("ClearCache", {}, "NotSupported", "NotSupported"),
        ("ClearCache", {"x": 1}, "NotSupported", "NotSupported"),
        ("Reset", {}, "OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
        ("Reset", {"type": 5}, "TypeConstraintViolation", "TypeConstraintViolation"),
        ("Reset", {"type": "X"}, "PropertyConstraintViolation", "PropertyConstraintViolation"),
        ("Reset", [], "FormationViolation", "FormatViolation"),
    ],
)
async def test_RPC_07_RPC_10_what_cannot_be_done_is_refused_with_the_right_code(
    bench: Bench, action: str, payload: Any, code16: str, code201: str
) -> None:
    serve(bench, "Reset", lambda payload: Reply({"status": "Accepted"}))
    frame = await bench.ask(action, payload, check=False)
    assert frame[0] == 4
    assert frame[2] == (code16 if bench.version is Version.V16 else code201)
    assert frame[4] == {}


async def test_RPC_07_the_security_extension_of_16_is_known(make_bench: MakeBench) -> None:
    bench = make_bench(Version.V16, **tiny_options())
    await bench.online()
    frame = await bench.ask("GetLog", {}, check=False)
    assert frame[2] == "NotSupported"


async def test_RPC_10_the_description_names_the_place(bench: Bench) -> None:
    serve(bench, "Reset", lambda payload: Reply({"status": "Accepted"}))
    frame = await bench.ask("Reset", {"type": "X"}, check=False)
    assert frame[3].startswith("type is none of ")
    frame = await bench.ask("Reset", {"type": "Soft", "x" * 300: 1}, check=False)
    assert len(frame[3]) <= 255


async def test_a_handler_may_refuse_with_a_code_of_its_own(bench: Bench) -> None:
    def refuse(payload: Payload) -> Reply:
        raise HandlerError("OccurrenceConstraintViolation", "too many", {"most": 4})

    serve(bench, "ClearCache", refuse)
    with pytest.raises(CallRefused) as raised:
        await bench.request("ClearCache")
    one_r = bench.version is Version.V16
    assert raised.value.code == f"Occur{'' if one_r else 'r'}enceConstraintViolation"
    assert (raised.value.description, raised.value.details) == ("too many", {"most": 4})


@pytest.mark.parametrize("slow", [False, True])
async def test_a_handler_that_fails_is_an_internal_error_and_told(bench: Bench, slow: bool) -> None:
    def fail(payload: Payload) -> Reply:
        raise ZeroDivisionError("secret detail")

    async def fail_later(payload: Payload) -> Reply:
        return fail(payload)

    serve(bench, "ClearCache", fail_later if slow else fail)
    frame = await bench.ask("ClearCache", {})
    assert frame[2] == "InternalError"
    assert "secret" not in frame[3]
    assert "ZeroDivisionError" in bench.happened(TaskFailed)[0].error
    bench.forgive("ZeroDivisionError")


@pytest.mark.parametrize("slow", [False, True])
async def test_what_follows_may_fail_without_harm_to_the_link(bench: Bench, slow: bool) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    async def fail_later() -> None:
        fail()

    then = fail_later if slow else fail
    serve(bench, "ClearCache", lambda payload: Reply({"status": "Accepted"}, then=then))
    assert await bench.request("ClearCache") == {"status": "Accepted"}
    assert bench.happened(TaskFailed)[0].task == "after ClearCache"
    bench.forgive("ZeroDivisionError")


async def test_RPC_11_an_answer_of_ours_that_breaks_the_schema_is_not_sent(bench: Bench) -> None:
    acted: list[int] = []
    serve(
        bench,
        "ClearCache",
        lambda payload: Reply({"status": "Perhaps"}, then=lambda: acted.append(1)),
    )
    frame = await bench.ask("ClearCache", {})
    assert frame[2] == "InternalError"
    assert acted == []
    (refused,) = bench.happened(OwnFrameRefused)
    assert (refused.action, refused.kind) == ("ClearCache", "response")
    bench.forgive("OwnFrameRefused")


@pytest.mark.parametrize("late", [False, True])
async def test_silence_is_no_answer_at_all(bench: Bench, late: bool) -> None:
    """1.6 4.2: a station that was rejected does not answer."""

    def silent(action: str) -> None:
        raise Silence

    async def silent_handler(payload: Payload) -> Reply:
        raise Silence

    if late:
        serve(bench, "ClearCache", silent_handler)
    else:
        tiny(bench).gate = silent
    with pytest.raises(NoAnswer):
        await bench.request("ClearCache")
    assert [frame.direction for frame in bench.happened(FramePassed)] == [Direction.IN]


async def test_silence_covers_frames_that_are_wrong_too(bench: Bench) -> None:
    def silent(action: str) -> None:
        raise Silence

    tiny(bench).gate = silent
    await bench.inject('[2,"a","Reset"]')
    assert len(bench.happened(FramePassed)) == 1


async def test_admission_may_refuse_before_anything_else_is_looked_at(bench: Bench) -> None:
    """2.0.1 B03.FR.08: CALLERROR SecurityError in the state Rejected."""

    def refuse(action: str) -> None:
        raise HandlerError("SecurityError", "not accepted")

    tiny(bench).gate = refuse
    for action in ("ClearCache", "MakeCoffee"):
        assert (await bench.ask(action, {}, check=False))[2] == "SecurityError"
    await bench.inject('[2,"a","Reset"]')
    assert json.loads(bench.happened(FramePassed)[-1].text)[2] == "ProtocolError"


async def test_an_answer_after_the_link_broke_is_not_given_on_the_next_one(bench: Bench) -> None:
    gate = asyncio.get_running_loop().create_future()

    async def slow(payload: Payload) -> Reply:
        await gate
        return Reply({"status": "Accepted"})

    serve(bench, "ClearCache", slow)
    answer = bench.start_request("ClearCache", {})
    bench.network = False
    bench._link_down()
    bench._link_up()
    gate.set_result(None)
    await bench.rest()
    assert not answer.done()


async def test_a_duplicate_id_is_refused_while_the_first_is_handled(bench: Bench) -> None:
    gate = asyncio.get_running_loop().create_future()

    async def slow(payload: Payload) -> Reply:
        await gate
        return Reply({"status": "Accepted"})

    serve(bench, "ClearCache", slow)
    bench.dialogue.receive('[2,"same","ClearCache",{}]')
    bench.dialogue.receive('[2,"same","ClearCache",{}]')
    out = [f for f in bench.happened(FramePassed) if f.direction is Direction.OUT]
    assert [json.loads(frame.text)[0] for frame in out] == [4]
    gate.set_result(None)
    await bench.rest()


async def test_what_follows_from_a_call_carries_its_origin_and_cause(bench: Bench) -> None:
    async def handle(payload: Payload) -> Reply:
        return Reply({"status": "Accepted"})

    serve(bench, "ClearCache", handle)
    await bench.request("ClearCache")
    call, answer = (entry for entry in bench.events if isinstance(entry.event, FramePassed))
    assert call.origin is Origin.BACK_OFFICE
    assert (answer.origin, answer.cause) == (Origin.BACK_OFFICE, call.seq)


async def test_frames_say_how_long_the_answer_took(bench: Bench) -> None:
    hold = bench.csms.hold("Heartbeat")
    task = start(bench)
    await hold.arrived()
    bench.link.advance(1.5)
    hold.answer({"currentTime": NOW})
    await task
    assert bench.happened(FramePassed)[-1].latency_ms == pytest.approx(1500)


async def test_after_the_end_of_the_power_cycle_nothing_is_heard_or_said(bench: Bench) -> None:
    async def slow(payload: Payload) -> Reply:
        await asyncio.get_running_loop().create_future()
        raise AssertionError("never")

    async def act() -> None:
        raise AssertionError("acted after the end")

    serve(bench, "ClearCache", slow)
    serve(bench, "Reset", lambda payload: Reply({"status": "Accepted"}, then=act))
    bench.start_request("ClearCache", {})
    bench.start_request("Reset", SOFT[bench.version])
    bench.dialogue.stop()  # before the follow-up had its first turn
    await bench.dialogue.ended()
    before = len(bench.events)
    bench.dialogue.receive('[2,"x","ClearCache",{}]')
    assert len(bench.events) == before
    await bench.rest()


async def test_the_link_can_be_closed_from_our_side(bench: Bench) -> None:
    closed: list[str] = []
    bench.dialogue.attach(bench.csms.take, closed.append)
    bench.dialogue.close_link("a new password")
    assert closed == ["a new password"]
    bench.dialogue.detach()
    bench.dialogue.close_link("again")
    assert closed == ["a new password"]


async def test_a_dialogue_needs_no_points_and_no_overrides(make_bench: MakeBench) -> None:
    bench = make_bench(Version.V16, **tiny_options())
    sent: list[str] = []
    dialogue = Dialogue(
        version=Version.V16,
        bus=bench.bus,
        link=bench.link,
        activity=bench.activity,
        ids=bench.ids,
        policy=LinkPolicy,
    )
    dialogue.attach(sent.append)
    task = asyncio.ensure_future(dialogue.call("Heartbeat", {}))
    await asyncio.sleep(0)
    dialogue.receive(json.dumps([3, json.loads(sent[0])[1], {}]))
    assert isinstance(await outcome(task), InvalidAnswer)
    dialogue.receive('[2,"a","ClearCache",{}]')
    assert json.loads(sent[1])[2] == "NotSupported"


async def test_lenient_output_is_sent_and_still_told(make_bench: MakeBench) -> None:
    bench = make_bench(Version.V16, **tiny_options())
    await bench.online()
    bench.dialogue._strict = bench.dialogue._answering._strict = False
    serve(bench, "ClearCache", lambda payload: Reply({"status": "Perhaps"}))
    assert await bench.request("ClearCache") == {"status": "Perhaps"}
    assert await bench.dialogue.call("Heartbeat", {"x": 1}) == {"currentTime": NOW}
    assert len(bench.happened(OwnFrameRefused)) == 2
    bench.faults.clear()
    bench.csms.faults.clear()
