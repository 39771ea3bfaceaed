"""Forced answers and forced CALLs (ocpp.override)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from app.ocpp.context import CallRefused, CallTimedOut, Payload, Reply
from app.ocpp.events import Direction, FramePassed
from app.ocpp.overrides import Overrides
from app.ocpp.version import Version
from tests.support.harness import Bench, NoAnswer
from tests.support.tiny import tiny, tiny_options

STATUS = {
    "connectorId": 1,
    "errorCode": "NoError",
    "status": "Available",
    "timestamp": "2026-01-15T08:00:00Z",
}


@pytest.fixture
async def bench(make_bench: Callable[..., Bench]) -> Bench:
    bench = make_bench(Version.V16, **tiny_options())
    bench.carried_out = []  # type: ignore[attr-defined]

    def clear(payload: Payload) -> Reply:
        return Reply({"status": "Accepted"}, then=lambda: bench.carried_out.append(1))  # type: ignore[attr-defined]

    tiny(bench).served["ClearCache"] = clear
    await bench.online()
    return bench


def carried_out(bench: Bench) -> int:
    return len(bench.carried_out)  # type: ignore[attr-defined]


def last_out(bench: Bench) -> FramePassed:
    frames: list[FramePassed] = bench.happened(FramePassed)
    return [frame for frame in frames if frame.direction is Direction.OUT][-1]


# ---------------------------------------------------------------- the list


def test_the_oldest_that_fits_is_taken_and_counted_down() -> None:
    changes: list[int] = []
    overrides = Overrides(lambda: changes.append(1))
    overrides.add("Reset", "in", status="Rejected", count=2)
    overrides.add("*", "in", status="Failed", count=None)
    taken = [overrides.take(action, Direction.IN) for action in ("Reset", "Reset", "Reset", "X")]
    assert [row.status for row in taken if row] == ["Rejected", "Rejected", "Failed", "Failed"]
    assert overrides.take("Reset", Direction.OUT) is None
    (left,) = overrides.rows()
    assert left.count is None
    assert overrides.remove(left.key)
    assert not overrides.remove(left.key)
    assert overrides.take("Reset", Direction.IN) is None
    assert len(changes) == 8
    overrides.add("Reset", "in", drop=True)
    overrides.clear()
    assert overrides.rows() == ()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"status": "A", "error": "B"},
        {"answer": {}, "drop": True},
        {"delay": -1, "drop": True},
        {"drop": True, "count": 0},
        {"error": "InternalError", "direction": "out"},
        {"drop": True, "direction": "sideways"},
        {"answer": {"x": float("nan")}},
        {"answer": {"x": "half a character: \ud83d"}},
    ],
)
def test_nonsense_is_refused(options: Any) -> None:
    direction = options.pop("direction", "in")
    with pytest.raises(ValueError, match=r".+"):
        Overrides().add("Reset", direction, **options)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [("clearcache", "did you mean ClearCache?"), ("Teapot", "\\* stands for any")],
)
def test_an_action_that_no_version_has_is_refused_and_not_waited_for(typed: str, hint: str) -> None:
    with pytest.raises(ValueError, match=f"{typed} is no action.*{hint}".replace("?", "[?]")):
        Overrides().add(typed, "in", drop=True)


# ---------------------------------------------------------------- CALLs of the back office


@pytest.mark.parametrize(
    ("forced", "answer", "wrong"),
    [
        ({"answer": {"status": "Rejected"}}, [3, "ask-1", {"status": "Rejected"}], False),
        ({"status": "Rejected"}, [3, "ask-1", {"status": "Rejected"}], False),
        ({"answer": {"odd": True}}, [3, "ask-1", {"odd": True}], True),
        ({"answer": {}}, [3, "ask-1", {}], True),
        ({"raw": '[3, "{id}", 5]'}, [3, "ask-1", 5], True),
    ],
)
async def test_a_forced_answer_replaces_the_real_one_which_is_not_carried_out(
    bench: Bench, forced: Any, answer: Any, wrong: bool
) -> None:
    bench.overrides.add("ClearCache", "in", **forced)
    assert await bench.ask("ClearCache", {}) == answer
    out = last_out(bench)
    assert out.forced
    assert json.loads(out.text) == answer
    assert carried_out(bench) == 0
    if wrong:
        while bench.csms.faults:
            bench.forgive("the station's answer")
    assert await bench.request("ClearCache") == {"status": "Accepted"}
    assert carried_out(bench) == 1


async def test_a_forced_error_is_spelt_as_it_was_ordered(bench: Bench) -> None:
    bench.overrides.add("ClearCache", "in", error="TeapotError")
    with pytest.raises(CallRefused) as raised:
        await bench.request("ClearCache")
    assert raised.value.code == "TeapotError"
    assert carried_out(bench) == 0


async def test_a_dropped_answer_never_comes_and_the_id_is_free_again(bench: Bench) -> None:
    bench.overrides.add("ClearCache", "in", drop=True)
    with pytest.raises(NoAnswer):
        await bench.request("ClearCache")
    assert carried_out(bench) == 0
    await bench.inject('[2,"ask-1","ClearCache",{}]')
    assert json.loads(last_out(bench).text)[0] == 3


@pytest.mark.parametrize("forced", [{}, {"status": "Rejected"}, {"error": "GenericError"}])
async def test_an_answer_is_held_up_by_link_time(bench: Bench, forced: Any) -> None:
    bench.overrides.add("ClearCache", "in", delay=5.0, **forced)
    answer = bench.start_request("ClearCache", {})
    await asyncio.sleep(0)
    bench.link.advance(4.9)
    await asyncio.sleep(0)
    assert not answer.done()
    assert carried_out(bench) == 0
    bench.link.advance(0.2)
    await bench.rest()
    assert answer.done()
    assert carried_out(bench) == (0 if forced else 1)


async def test_a_real_refusal_can_be_held_up_too(bench: Bench) -> None:
    bench.overrides.add("Reset", "in", delay=5.0)
    answer = bench.start_request("Reset", {"type": "Soft"})
    await asyncio.sleep(0)
    assert not answer.done()
    bench.link.advance(5.1)
    await bench.rest()
    assert answer.result()[2] == "NotSupported"


# ---------------------------------------------------------------- CALLs of the station


@pytest.mark.parametrize(
    ("forced", "payload", "wrong"),
    [
        ({"answer": {**STATUS, "status": "Faulted"}}, {**STATUS, "status": "Faulted"}, False),
        ({"status": "Faulted"}, {**STATUS, "status": "Faulted"}, False),
        ({"status": "Melted"}, {**STATUS, "status": "Melted"}, True),
        ({"raw": '[2,"{id}","StatusNotification",{}]'}, {}, True),
    ],
)
async def test_a_call_of_ours_is_changed(
    bench: Bench, forced: Any, payload: Any, wrong: bool
) -> None:
    bench.overrides.add("StatusNotification", "out", **forced)
    assert await bench.dialogue.call("StatusNotification", STATUS) == {}
    assert bench.sent() == [payload]
    assert last_out(bench).forced
    if wrong:
        assert last_out(bench).violations
        while bench.csms.faults:
            bench.forgive("the station's CALL")
    await bench.dialogue.call("StatusNotification", STATUS)
    assert bench.sent()[1] == STATUS


async def test_a_call_of_ours_is_held_up_and_keeps_its_turn(bench: Bench) -> None:
    bench.overrides.add("StatusNotification", "out", delay=10.0)
    first = asyncio.ensure_future(bench.dialogue.call("StatusNotification", STATUS))
    second = asyncio.ensure_future(bench.dialogue.call("Heartbeat", {}))
    await asyncio.sleep(0)
    bench.link.advance(9.9)
    await asyncio.sleep(0)
    assert bench.sent() == []
    bench.link.advance(0.2)
    await asyncio.gather(first, second)
    assert [heard.action for heard in bench.csms.heard] == ["StatusNotification", "Heartbeat"]


async def test_a_call_that_is_held_up_ends_with_the_link(bench: Bench) -> None:
    bench.overrides.add("Heartbeat", "out", delay=10.0)
    call = asyncio.ensure_future(bench.dialogue.call("Heartbeat", {}))
    await asyncio.sleep(0)
    bench._link_down()
    with pytest.raises(Exception, match="the link broke"):
        await call
    bench.link.advance(20)
    assert bench.sent() == []


async def test_a_call_of_ours_that_is_kept_back_times_out(bench: Bench) -> None:
    bench.overrides.add("Heartbeat", "out", drop=True)
    call = asyncio.ensure_future(bench.dialogue.call("Heartbeat", {}))
    await asyncio.sleep(0)
    bench.link.advance(31)
    with pytest.raises(CallTimedOut):
        await call
    assert bench.sent() == []
    held = last_out(bench)
    assert held.note is not None
    assert held.note.id == "ocpp.note.held_back"
