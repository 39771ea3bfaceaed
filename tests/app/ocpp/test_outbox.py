"""The queue of what must not be lost (OFF-02 to OFF-06, errata 1, 2, 13, 14)."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import MagicMock

import pytest

from app.ocpp.events import MessageDropped, OpenPointMet, QueueChanged
from app.ocpp.outbox import Outbox, OutboxRow, Refusal, Unsendable
from app.ocpp.outbox.rows import AT_ONCE, RECENT
from app.ocpp.version import Version
from app.runtime.store import MEMORY, Store
from tests.support.harness import FLOOD, MUTE, Bench, Refuse
from tests.support.memory_store import MemoryStore
from tests.support.tiny import tiny, tiny_options

MakeBench = Callable[..., Bench]


def meter(value: int) -> dict[str, Any]:
    stamp = "2026-01-15T08:00:00Z"
    return {
        "connectorId": 1,
        "transactionId": 7,
        "meterValue": [{"timestamp": stamp, "sampledValue": [{"value": str(value)}]}],
    }


def values(bench: Bench) -> list[int]:
    """The readings that the back office has seen, in order."""
    return [
        int(payload["meterValue"][0]["sampledValue"][0]["value"])
        for payload in bench.sent("MeterValues")
    ]


def put(bench: Bench, *numbers: int, ref: str = "tx1") -> None:
    for number in numbers:
        with bench.store.step():
            tiny(bench).outbox.put("MeterValues", meter(number), ref=ref)


@pytest.fixture
async def bench(make_bench: MakeBench) -> Bench:
    return make_bench(Version.V16, **tiny_options())


async def test_OFF_02_messages_leave_in_the_order_they_were_put(bench: Bench) -> None:
    await bench.online()
    put(bench, 1, 2, 3)
    await bench.rest()
    assert values(bench) == [1, 2, 3]
    assert tiny(bench).outbox.count() == 0
    assert [ref for ref, _ in tiny(bench).rules.answers] == ["tx1"] * 3


async def test_OFF_03_new_messages_go_to_the_tail_while_others_overtake(bench: Bench) -> None:
    await bench.online()
    hold = bench.csms.hold("MeterValues")
    put(bench, 1)
    await hold.arrived()
    put(bench, 2)
    beat = bench.dialogue.call("Heartbeat", {})
    bench.spawn(beat, "a heartbeat")
    hold.answer({})
    await bench.rest()
    assert [line.action for line in bench.lines] == ["MeterValues", "Heartbeat", "MeterValues"]
    assert values(bench) == [1, 2]


async def test_OFF_04_nothing_leaves_before_the_rules_allow_it(bench: Bench) -> None:
    tiny(bench).rules.ready = False
    await bench.online()
    put(bench, 1)
    await bench.advance(3600)
    assert values(bench) == []
    tiny(bench).rules.ready = True
    tiny(bench).outbox.kick()
    await bench.rest()
    assert values(bench) == [1]


async def test_OFF_04_the_queue_survives_a_kill_and_is_replayed_oldest_first(bench: Bench) -> None:
    put(bench, 1, 2, 3)
    await bench.rest()
    await bench.kill_and_restart()
    assert values(bench) == [1, 2, 3]


@pytest.mark.parametrize("failures", [1, 2])
async def test_OFF_05_a_refused_message_is_repeated_after_the_interval_times_the_tries(
    bench: Bench, failures: int
) -> None:
    bench.csms.on("MeterValues", [*[Refuse("InternalError")] * failures, {}])
    await bench.online()
    put(bench, 1, 2)
    await bench.rest()
    for attempt in range(1, failures + 1):
        assert values(bench) == [1] * attempt
        await bench.advance(60 * attempt - 1)
        assert values(bench) == [1] * attempt
        await bench.advance(1)
    assert values(bench) == [1] * (failures + 1) + [2]


async def test_OFF_05_a_message_whose_answer_is_too_large_for_the_link_is_given_up_like_another(
    bench: Bench,
) -> None:
    """It ends each link that it is tried on: sent again at every link-up it would never come to an end."""
    bench.csms.on("MeterValues", [FLOOD, FLOOD, FLOOD, {}])
    await bench.online()
    put(bench, 1, 2)
    await bench.rest()
    assert values(bench) == [1]
    await bench.advance(60)
    assert values(bench) == [1, 1]
    await bench.advance(120)
    assert values(bench) == [1, 1, 1, 2]
    assert tiny(bench).rules.dropped == [("tx1", "TooLarge")]


async def test_OFF_05_after_the_last_attempt_the_message_is_dropped_and_the_next_one_goes(
    bench: Bench,
) -> None:
    """3 attempts 60 s apart: again after 60 s, again after 120 s, then it is given up."""
    bench.csms.on("MeterValues", [Refuse(), Refuse(), Refuse(), {}])
    await bench.online()
    put(bench, 1, 2)
    await bench.advance(180)
    assert values(bench) == [1, 1, 1, 2]
    assert tiny(bench).rules.dropped == [("tx1", "InternalError")]
    (dropped,) = bench.happened(MessageDropped)
    assert (dropped.action, dropped.why) == ("MeterValues", "InternalError")
    assert json.loads(dropped.text) == meter(1)


@pytest.mark.parametrize("attempts", [0, 1, -1])
async def test_OFF_05_less_than_one_attempt_counts_as_one(bench: Bench, attempts: int) -> None:
    tiny(bench).rules.tries = attempts
    bench.csms.on("MeterValues", Refuse())
    await bench.online()
    put(bench, 1)
    await bench.rest()
    assert values(bench) == [1]
    assert tiny(bench).outbox.count() == 0


async def test_OFF_05_a_lost_link_never_counts_as_a_failure(bench: Bench) -> None:
    """Errata 13: three flaky connections must not delete a message."""
    hold = bench.csms.hold("MeterValues")
    put(bench, 1)
    for _ in range(5):
        bench.network = True
        bench._link_up()
        await hold.arrived()
        await bench.offline()
        hold = bench.csms.hold("MeterValues")
    bench.csms.default("MeterValues")
    await bench.online()
    assert values(bench) == [1] * 6
    assert tiny(bench).rules.dropped == []
    assert tiny(bench).outbox.count() == 0


async def test_OFF_05_by_default_a_time_out_is_repeated_but_never_drops_a_message(
    bench: Bench,
) -> None:
    bench.csms.on("MeterValues", MUTE)
    await bench.online()
    put(bench, 1)
    await bench.advance(60 + 120 + 180 + 180)
    assert values(bench) == [1] * 5
    assert tiny(bench).outbox.count() == 1
    assert {event.point for event in bench.happened(OpenPointMet)} == {
        "both-timeout-counts-as-failure",
        "both-retry-message-id",
    }
    bench.csms.default("MeterValues")
    await bench.advance(180)
    assert tiny(bench).outbox.count() == 0


async def test_OFF_05_time_outs_count_where_that_was_chosen(make_bench: MakeBench) -> None:
    points = {"both-timeout-counts-as-failure": "counts"}
    bench = make_bench(Version.V16, **tiny_options(points=points))
    bench.csms.on("MeterValues", MUTE)
    await bench.online()
    put(bench, 1)
    await bench.advance(1000)
    assert values(bench) == [1] * 3
    assert tiny(bench).rules.dropped == [("tx1", "CallTimedOut")]


async def test_OFF_06_what_is_delivered_at_any_price_is_never_dropped(bench: Bench) -> None:
    """Errata 14: critical security events have guaranteed delivery."""
    tiny(bench).rules.droppable = False
    bench.csms.on("MeterValues", Refuse())
    await bench.online()
    put(bench, 1)
    await bench.advance(60 + 120 + 180 + 180)
    assert values(bench) == [1] * 5
    assert tiny(bench).rules.dropped == []


@pytest.mark.parametrize(
    ("refusal", "seen", "left"),
    [
        (Refusal.RETRY, [1, 1, 1, 2], 0),
        (Refusal.DROP, [1, 2], 0),
        (Refusal.TO_TAIL, [1, 2, 1, 1, 1, 1], 1),
        (Refusal.HALT, [1], 2),
    ],
)
async def test_OFF_06_a_refusal_has_the_consequence_that_the_rules_give_it(
    bench: Bench, refusal: Refusal, seen: list[int], left: int
) -> None:
    """Open point ocpp201-replay-rejected, the mechanism."""
    tiny(bench).rules.refusal = refusal
    refused = json.dumps(meter(1))
    bench.csms.on("MeterValues", lambda got: Refuse() if json.dumps(got) == refused else {})
    await bench.online()
    put(bench, 1, 2)
    await bench.advance(600)
    assert values(bench) == seen
    assert tiny(bench).outbox.count() == left


async def test_OFF_06_a_halted_queue_goes_on_when_it_is_told_to(bench: Bench) -> None:
    tiny(bench).rules.refusal = Refusal.HALT
    bench.csms.on("MeterValues", [Refuse(), {}])
    await bench.online()
    put(bench, 1, 2)
    await bench.advance(600)
    assert tiny(bench).outbox.halted
    tiny(bench).outbox.resume()
    await bench.rest()
    assert values(bench) == [1, 1, 2]
    assert not tiny(bench).outbox.halted


async def test_RPC_04_a_repeat_keeps_its_id_and_its_payload_byte_by_byte(bench: Bench) -> None:
    """Errata 1 and 2: at least once on the wire, the same bytes each time."""
    bench.csms.on("MeterValues", [Refuse(), MUTE, {}])
    await bench.online()
    put(bench, 1)
    await bench.advance(600)
    heard = bench.csms.heard
    assert len(heard) == 3
    assert len({call.message_id for call in heard}) == 1
    assert len({json.dumps(call.payload) for call in heard}) == 1


async def test_RPC_04_a_repeat_gets_a_new_id_where_that_was_chosen(make_bench: MakeBench) -> None:
    bench = make_bench(Version.V16, **tiny_options(points={"both-retry-message-id": "new-id"}))
    bench.csms.on("MeterValues", [Refuse(), Refuse(), {}])
    await bench.online()
    put(bench, 1)
    await bench.advance(600)
    assert len({call.message_id for call in bench.csms.heard}) == 3
    assert len({json.dumps(call.payload) for call in bench.csms.heard}) == 1


async def test_a_message_killed_between_sending_and_answer_is_sent_again_the_same(
    bench: Bench,
) -> None:
    hold = bench.csms.hold("MeterValues")
    await bench.online()
    put(bench, 1)
    await hold.arrived()
    await bench.kill_and_restart()
    first, second = bench.csms.heard
    assert (first.message_id, first.payload) == (second.message_id, second.payload)
    assert tiny(bench).outbox.count() == 0


async def test_what_bind_puts_in_is_frozen_at_the_first_attempt(bench: Bench) -> None:
    learnt = iter([11, 12, 13])
    rules = tiny(bench).rules
    rules.binder = lambda row: {**row.payload, "transactionId": next(learnt)}
    bench.csms.on("MeterValues", [Refuse(), {}])
    await bench.online()
    put(bench, 1)
    await bench.advance(59)
    await bench.kill_and_restart()
    tiny(bench).rules.binder = rules.binder
    await bench.advance(60)
    assert [payload["transactionId"] for payload in bench.sent()] == [11, 11]


async def test_a_message_that_lost_its_sense_is_given_up(bench: Bench) -> None:
    def refuse(row: OutboxRow) -> Any:
        raise Unsendable("no transaction")

    tiny(bench).rules.binder = refuse
    await bench.online()
    put(bench, 1)
    await bench.rest()
    assert values(bench) == []
    assert tiny(bench).rules.dropped == [("tx1", "no transaction")]


async def test_a_message_of_ours_that_breaks_the_schema_is_dropped_loudly(bench: Bench) -> None:
    await bench.online()
    with bench.store.step():
        tiny(bench).outbox.put("MeterValues", {"connectorId": "one"}, ref="tx1")
    await bench.rest()
    assert tiny(bench).rules.dropped == [("tx1", "InvalidOwnFrame")]
    bench.forgive("OwnFrameRefused")


async def test_the_wait_after_a_failure_goes_on_over_a_restart(bench: Bench) -> None:
    bench.csms.on("MeterValues", [Refuse(), {}])
    await bench.online()
    put(bench, 1)
    await bench.advance(20)
    await bench.kill_and_restart()
    await bench.advance(39)
    assert values(bench) == [1]
    await bench.advance(1)
    assert values(bench) == [1, 1]


async def test_a_calendar_that_was_set_back_does_not_hold_the_queue_for_years(
    bench: Bench,
) -> None:
    bench.csms.on("MeterValues", [Refuse(), {}])
    await bench.online()
    put(bench, 1)
    await bench.rest()
    bench.clock.correct(bench.clock.now().replace(year=2020))
    await bench.kill_and_restart()
    await bench.advance(60)
    assert values(bench) == [1, 1]


async def test_rows_and_refs_tell_what_waits(bench: Bench) -> None:
    put(bench, 1, 2, ref="a")
    put(bench, 3, ref="b")
    outbox = tiny(bench).outbox
    assert [row.ref for row in outbox.rows()] == ["a", "a", "b"]
    assert (outbox.waiting_for("a"), outbox.waiting_for("b"), outbox.count()) == (2, 1, 3)


async def test_the_number_that_waits_is_told_after_it_is_durable(bench: Bench) -> None:
    await bench.online()
    told = []
    with bench.store.step():
        tiny(bench).outbox.put("MeterValues", meter(1), ref="tx1")
        told.append(len(bench.happened(QueueChanged)))
    await bench.rest()
    assert told == [1]  # only that of the start
    assert [event.waiting for event in bench.happened(QueueChanged)] == [0, 1, 0]


@pytest.fixture
def sqlite() -> Iterator[Store]:
    with contextlib.closing(Store(MEMORY)) as made:
        yield made


async def test_a_step_that_failed_leaves_no_message(make_bench: MakeBench, sqlite: Store) -> None:
    for store in (MemoryStore(), sqlite):
        bench = make_bench(Version.V16, **tiny_options(store=store))
        await bench.online()

        def fail(bench: Bench = bench) -> None:
            with bench.store.step():
                tiny(bench).outbox.put("MeterValues", meter(1), ref="tx1")
                raise RuntimeError("the disk is full")

        with pytest.raises(RuntimeError):
            fail()
        await bench.rest()
        assert values(bench) == []


async def test_a_step_that_left_one_out_and_was_undone_leaves_the_queue_as_it_was(
    make_bench: MakeBench, sqlite: Store
) -> None:
    """What the queue knows of its rows follows the store back, in order and content."""
    for store in (MemoryStore(), sqlite):
        bench = make_bench(Version.V16, **tiny_options(store=store))
        put(bench, 1, 2)
        outbox = tiny(bench).outbox

        def fail(bench: Bench = bench, outbox: Outbox = outbox) -> None:
            with bench.store.step():
                outbox.put("MeterValues", meter(3), ref="tx1")
                first, second, _ = outbox.rows()
                bench.store.delete("outbox", first.key)
                outbox._rows.write(replace(second, payload=meter(99)))
                raise RuntimeError("the disk is full")

        with pytest.raises(RuntimeError):
            fail()
        put(bench, 4)
        assert outbox.waiting_for("tx1") == 3
        await bench.online()
        await bench.rest()
        assert values(bench) == [1, 2, 4]
        assert outbox.count() == 0


async def test_more_rows_than_are_kept_in_memory_leave_in_order_too(bench: Bench) -> None:
    numbers = range(1, 3 * RECENT)
    put(bench, *numbers)
    await bench.online()
    await bench.rest()
    assert values(bench) == list(numbers)


async def test_a_burst_is_announced_once_and_when_it_is_durable(bench: Bench) -> None:
    put(bench, 1, 2, 3)
    assert bench.happened(QueueChanged)[-1:] != [QueueChanged(3)]
    await bench.rest()
    told = [event.waiting for event in bench.happened(QueueChanged)]
    assert told[-1] == 3
    assert not {1, 2} & set(told)


@pytest.mark.parametrize("at_once", [True, False])
async def test_rows_of_an_earlier_power_cycle_are_looked_at_little_by_little_or_when_asked_for(
    bench: Bench, at_once: bool
) -> None:
    """Ten thousand rows must not hold up the loop at the start."""
    many = 2 * AT_ONCE + 1
    put(bench, *range(many))
    put(bench, 5, ref="tx2")
    looked = MagicMock(wraps=bench.store.heads_of)
    bench.store.heads_of = looked  # type: ignore[method-assign]
    fresh = Outbox(tiny(bench).outbox._ctx, tiny(bench).rules)
    assert not looked.called
    assert not fresh.refuses_sessions
    if not at_once:
        await fresh._learn_all()
        assert [len(call.args[1]) for call in looked.call_args_list] == [AT_ONCE, AT_ONCE, 2]
    assert fresh.waiting_for("tx1") == many
    assert fresh.waiting_for("tx2") == 1
    assert fresh.holds("MeterValues")
    assert looked.call_count == 3


async def test_a_row_that_went_before_it_was_looked_at_is_not_missed(bench: Bench) -> None:
    put(bench, 1, 2)
    fresh = Outbox(tiny(bench).outbox._ctx, tiny(bench).rules)
    bench.store.delete("outbox", bench.store.heads("outbox")[0][0])
    assert fresh.waiting_for("tx1") == 1
