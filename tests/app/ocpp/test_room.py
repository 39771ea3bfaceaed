"""What leaves a full queue (OFF-07, open point both-offline-queue-capacity)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ocpp.context import OcppSettings
from app.ocpp.events import MessageDropped, QueueChanged
from app.ocpp.outbox import OutboxRow, Refusal
from app.ocpp.outbox.room import Head, Room, Spare
from app.ocpp.version import Version
from tests.app.ocpp.test_outbox import put, values
from tests.support.harness import USUAL, Bench, Refuse
from tests.support.tiny import TinyRules, tiny, tiny_options

MakeBench = Callable[..., Bench]
K, L, S, U = Spare.KEEP, Spare.LOOSE, Spare.SAMPLE, Spare.UPDATE


def emptied(kinds: str, option: str = "drop-intermediate", count: int = 99) -> str:
    """What is left of a queue, a letter a message, after so many victims."""
    spares = {"k": K, "l": L, "s": S, "u": U}
    waiting = {str(index): Head("-", "tx", spares[letter]) for index, letter in enumerate(kinds)}
    room = Room(lambda: option)
    for _ in range(count):
        key = room.victim(waiting, None)
        if key is None:
            break
        del waiting[key]
    return " ".join(f"{key}{kinds[int(key)]}" for key in waiting)


def test_OFF_07_first_third_and_fifth_of_the_intermediate_values_go_first() -> None:
    assert emptied("kssssssk", count=3) == "0k 2s 4s 6s 7k"


def test_OFF_07_however_often_it_is_thinned_no_part_of_a_session_is_emptied() -> None:
    """A session with a value at each step, in a queue of 20: none of it is far from a value."""
    waiting = {"0": Head("-", "tx", K)}
    room = Room(lambda: "drop-intermediate")
    for number in range(1, 500):
        if len(waiting) >= 20:
            key = room.victim(waiting, None)
            assert key is not None
            del waiting[key]
        waiting[str(number)] = Head("-", "tx", S)
    gaps = [int(b) - int(a) for a, b in pairwise(waiting)]
    assert max(gaps) <= 3 * 500 / 20


def test_OFF_07_two_sessions_are_thinned_alike() -> None:
    waiting = {"0": Head("-", "a", K), "1": Head("-", "b", K)}
    waiting |= {str(n): Head("-", "ab"[n % 2], S) for n in range(2, 40)}
    room = Room(lambda: "drop-intermediate")
    for _ in range(18):
        del waiting[str(room.victim(waiting, None))]
    refs = [head.ref for head in waiting.values()]
    assert abs(refs.count("a") - refs.count("b")) <= 1


def test_OFF_07_no_transaction_before_samples_before_other_updates() -> None:
    assert emptied("kuslk", count=1) == "0k 1u 2s 4k"
    assert emptied("kuslk", count=2) == "0k 1u 4k"
    assert emptied("kuslk", count=3) == "0k 4k"


@given(st.text("klsu", max_size=60), st.integers(0, 80))
def test_OFF_07_starts_and_ends_are_never_left_out(kinds: str, count: int) -> None:
    left = emptied(kinds, count=count)
    assert left.count("k") == kinds.count("k")
    spare = len(kinds) - kinds.count("k")
    assert len(left.split()) == len(kinds) - min(count, spare)


@pytest.mark.parametrize("option", ["unbounded", "stop-accepting"])
def test_nothing_leaves_where_the_point_says_so(option: str) -> None:
    assert len(emptied("kllssk", option).split()) == 6


def test_a_ring_buffer_loses_the_oldest_whatever_it_is() -> None:
    assert emptied("kssk", "drop-oldest", count=2) == "2s 3k"


@pytest.mark.parametrize("option", ["drop-intermediate", "drop-oldest"])
def test_what_is_on_its_way_is_never_left_out(option: str) -> None:
    room = Room(lambda: option)
    one, two = Head("-", "a", S), Head("-", "a", S)
    assert room.victim({"1": one}, "1") is None
    assert room.victim({"1": one, "2": two}, "1") == "2"


def test_what_was_delivered_meanwhile_is_not_asked_for_again() -> None:
    room = Room(lambda: "drop-intermediate")
    waiting = {str(number): Head("-", "tx", S) for number in range(5)}
    assert room.victim(waiting, None) == "0"
    del waiting["0"], waiting["2"]  # delivered: the doomed third one is gone
    assert room.victim(waiting, None) == "3"


# ---- in the outbox


class SparingRules(TinyRules):
    def spare(self, action: str, payload: dict[str, Any]) -> Spare:
        return Spare.SAMPLE if action == "MeterValues" else Spare.KEEP


def full_bench(make_bench: MakeBench, option: str, capacity: int = 4) -> Bench:
    settings = OcppSettings(queue_capacity=capacity)
    points = {"both-offline-queue-capacity": option}
    bench = make_bench(Version.V16, **tiny_options(settings=settings, points=points))
    tiny(bench).outbox._rules = tiny(bench).rules = SparingRules(bench.ctx)
    return bench


async def test_OFF_07_a_full_queue_keeps_every_second_value_and_tells_what_it_lost(
    make_bench: MakeBench,
) -> None:
    bench = full_bench(make_bench, "drop-intermediate")
    put(bench, 1, 2, 3, 4, 5, 6)
    await bench.rest()
    assert tiny(bench).outbox.count() == 4
    dropped = bench.happened(MessageDropped)
    assert [event.why for event in dropped] == ["NoRoom", "NoRoom"]
    assert tiny(bench).rules.dropped == [("tx1", "NoRoom")] * 2
    assert bench.happened(QueueChanged)[-1].waiting == 4
    await bench.online()
    assert values(bench) == [2, 4, 5, 6]


@pytest.mark.parametrize(
    ("option", "left"), [("unbounded", [1, 2, 3, 4, 5]), ("drop-oldest", [2, 3, 4, 5])]
)
async def test_a_full_queue_follows_the_open_point(
    make_bench: MakeBench, option: str, left: list[int]
) -> None:
    bench = full_bench(make_bench, option)
    put(bench, 1, 2, 3, 4, 5)
    await bench.online()
    assert values(bench) == left


async def test_a_queue_that_refuses_sessions_says_so_only_while_it_is_full(
    make_bench: MakeBench,
) -> None:
    bench = full_bench(make_bench, "stop-accepting", capacity=2)
    outbox = tiny(bench).outbox
    put(bench, 1)
    assert not outbox.refuses_sessions
    put(bench, 2)
    assert outbox.refuses_sessions
    await bench.online()
    assert not outbox.refuses_sessions


async def test_a_step_that_is_undone_leaves_no_trace_in_the_count(make_bench: MakeBench) -> None:
    bench = full_bench(make_bench, "unbounded")
    outbox = tiny(bench).outbox

    def fail() -> None:
        with bench.store.step():
            outbox.put("Heartbeat", {}, ref="tx1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    put(bench, 1)
    await bench.online()
    assert values(bench) == [1]
    assert outbox.waiting_for("tx1") == 0
    assert bench.happened(QueueChanged)[-1].waiting == 0


# ---- the pause between two of a backlog, and what may be overtaken


async def test_a_backlog_is_delivered_with_the_pause_that_was_configured(
    make_bench: MakeBench,
) -> None:
    """OFF-04: throttled, and other CALLs are not held up by it."""
    settings = OcppSettings(queue_pause=2.0)
    bench = make_bench(Version.V16, **tiny_options(settings=settings))
    put(bench, 1, 2, 3)
    await bench.online()
    assert values(bench) == [1]
    await bench.dialogue.call("Heartbeat", {})
    assert values(bench) == [1]
    await bench.advance(2)
    assert values(bench) == [1, 2]
    await bench.advance(2)
    assert values(bench) == [1, 2, 3]


class SecurityRules(SparingRules):
    def may_be_overtaken(self, action: str) -> bool:
        return action == "SecurityEventNotification"

    def may_give_up(self, row: OutboxRow) -> bool:
        return row.action != "SecurityEventNotification"

    async def after_refusal(self, row: OutboxRow, code: str) -> Refusal:
        overtaken = self.may_be_overtaken(row.action)
        return Refusal.TO_TAIL if overtaken else Refusal.RETRY


SECURITY = {"type": "TamperDetectionActivated", "timestamp": "2026-01-15T08:00:00Z"}


async def test_OFF_06_a_security_event_that_nobody_takes_neither_goes_away_nor_blocks(
    make_bench: MakeBench,
) -> None:
    """A04.FR.02, errata 14."""
    bench = make_bench(Version.V16, **tiny_options())
    tiny(bench).outbox._rules = tiny(bench).rules = SecurityRules(bench.ctx)
    bench.csms.on("SecurityEventNotification", Refuse("NotImplemented"))
    outbox = tiny(bench).outbox
    with bench.store.step():
        outbox.put("SecurityEventNotification", SECURITY, ref="security")
    put(bench, 1)
    await bench.online()
    assert values(bench) == [1]
    await bench.advance(30)
    put(bench, 2)
    await bench.rest()
    assert values(bench) == [1, 2]
    await bench.advance(36_000)
    assert outbox.holds("SecurityEventNotification")
    assert len(bench.sent("SecurityEventNotification")) > 10
    bench.csms.default("SecurityEventNotification")
    await bench.advance(600)
    assert outbox.count() == 0


# ---- as people see it


def states(bench: Bench) -> list[str]:
    return [row.state.id.rsplit(".", 1)[-1] for row in tiny(bench).outbox.view()]


async def test_the_queue_shows_each_message_its_age_its_attempts_and_why_it_waits(
    make_bench: MakeBench,
) -> None:
    bench = make_bench(Version.V16, **tiny_options())
    put(bench, 1, 2)
    await bench.advance(90)
    first, second = tiny(bench).outbox.view()
    assert (first.action, first.ref, first.age, first.attempts) == ("MeterValues", "tx1", 90.0, 0)
    assert (first.at, second.id) == (bench.now.replace(hour=8, minute=0, second=0), "0000000002")
    assert states(bench) == ["waiting", "waiting"]
    bench.csms.on("MeterValues", [Refuse()])
    hold = bench.csms.hold("Heartbeat")
    await bench.online()
    assert states(bench) == ["retry", "behind"]
    (row,) = tiny(bench).outbox.view(1)
    assert row.attempts == 1
    assert dict(row.state.params) == {"tries": 1, "failures": 1, "attempts": 3, "seconds": 60}
    del hold


async def test_the_queue_shows_what_is_on_its_way_and_what_goes_next(
    make_bench: MakeBench,
) -> None:
    bench = make_bench(Version.V16, **tiny_options())
    await bench.online()
    hold = bench.csms.hold("MeterValues")
    put(bench, 1, 2)
    await hold.arrived()
    assert states(bench) == ["sent", "behind"]
    hold.answer({})
    await bench.rest()
    assert states(bench) == []


async def test_a_halted_queue_says_so(make_bench: MakeBench) -> None:
    bench = make_bench(Version.V16, **tiny_options())
    tiny(bench).rules.refusal = Refusal.HALT
    bench.csms.on("MeterValues", [Refuse(), USUAL])
    put(bench, 1)
    await bench.online()
    assert states(bench) == ["halted"]
    tiny(bench).outbox.resume()
    await bench.rest()
    assert states(bench) == []
