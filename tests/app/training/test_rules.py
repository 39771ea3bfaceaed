"""Faults on demand."""

from __future__ import annotations

import asyncio

import pytest
from websockets.exceptions import ConnectionClosedError

from app.training.rules import Effect, Refusal, Rule, Rules
from tests.app.training.client import V16, V201, bench
from tests.support.csms import CsmsProbe

START = {
    "connectorId": 1,
    "idTag": "0477B0E3",
    "meterStart": 1000,
    "timestamp": "2026-03-01T12:00:00Z",
}


async def test_a_muted_message_was_processed_all_the_same(csms: CsmsProbe) -> None:
    """The lost answer: the start is in the books and its repetition gets the same id."""
    csms.rules.add(Rule("StartTransaction", Effect.MUTE))
    async with bench(csms.url, "CS-1", V16) as station:
        await station.tell("StartTransaction", START)
        await station.result("Heartbeat")
        assert len(csms.transactions("CS-1")) == 1
        assert (await station.result("StartTransaction", START))["transactionId"] == 1
    assert csms.transactions("CS-1")[0].resent == 1


async def test_a_muted_message_can_be_lost_before_it_is_processed(csms: CsmsProbe) -> None:
    csms.rules.add(Rule("StartTransaction", Effect.MUTE, processed=False))
    async with bench(csms.url, "CS-1", V16) as station:
        await station.tell("StartTransaction", START)
        await station.result("Heartbeat")
    assert csms.transactions("CS-1") == ()


async def test_a_delayed_answer_does_not_hold_up_the_next(csms: CsmsProbe) -> None:
    csms.rules.add(Rule("BootNotification", delay_s=0.05))
    async with bench(csms.url, "CS-1", V16) as station:
        slow = await station.tell(
            "BootNotification", {"chargePointVendor": "v", "chargePointModel": "m"}
        )
        quick = await station.tell("Heartbeat")
        assert [(await station.next())[1] for _ in range(2)] == [quick, slow]


async def test_an_error_is_answered_so_many_times(csms: CsmsProbe) -> None:
    csms.rules.add(
        Rule("StartTransaction", Effect.ERROR, count=2, code="GenericError", description="no")
    )
    async with bench(csms.url, "CS-1", V16) as station:
        for _ in range(2):
            assert (await station.ask("StartTransaction", START))[2:4] == ["GenericError", "no"]
        assert csms.transactions("CS-1") == ()
        assert (await station.ask("StartTransaction", START))[0] == 3
    assert csms.rules.active() == ()


async def test_an_answer_is_replaced(csms: CsmsProbe) -> None:
    rule = Rule("Heartbeat", Effect.ANSWER, payload={"currentTime": "never"}, count=None)
    remove = csms.rules.add(rule)
    async with bench(csms.url, "CS-1", V201) as station:
        for _ in range(2):
            assert await station.result("Heartbeat") == {"currentTime": "never"}
        assert csms.rules.active() == (rule,)
        remove()
        remove()
        assert (await station.result("Heartbeat"))["currentTime"] != "never"


async def test_a_raw_answer_may_be_anything(csms: CsmsProbe) -> None:
    csms.rules.add(Rule("Heartbeat", Effect.RAW, text='[3, "{id}", '))
    async with bench(csms.url, "CS-1", V16) as station:
        id_ = await station.tell("Heartbeat")
        assert await station.next_text() == f'[3, "{id_}", '


async def test_an_unknown_action_can_be_disturbed_too(csms: CsmsProbe) -> None:
    csms.rules.add(Rule("Nonsense", Effect.ANSWER, payload={"a": 1}))
    async with bench(csms.url, "CS-1", V16) as station:
        assert await station.result("Nonsense") == {"a": 1}


async def test_the_connection_is_closed_instead_of_an_answer(csms: CsmsProbe) -> None:
    csms.rules.add(Rule(effect=Effect.CLOSE, close_code=1013, description="later"))
    async with bench(csms.url, "CS-1", V16) as station:
        await station.tell("Heartbeat")
        with pytest.raises(ConnectionClosedError):
            await station.next()
        assert station.socket.close_code == 1013


async def test_an_answer_that_is_held_back_does_not_hold_up_the_end(
    csms: CsmsProbe,
) -> None:
    csms.rules.add(Rule("Heartbeat", delay_s=60))
    async with bench(csms.url, "CS-1", V16) as station:
        await station.tell("Heartbeat")
        await csms.wait_for("Heartbeat")
    async with asyncio.timeout(5):
        await csms.csms.stop()


def test_rules_act_in_order_for_their_station_and_action() -> None:
    rules = Rules()
    first, second = Rule("A", count=1), Rule("A", count=1, delay_s=1)
    other = Rule("A", station="CS-2")
    for rule in (other, first, second):
        rules.add(rule)
    assert rules.take("CS-1", "B") is None
    assert [rules.take("CS-1", "A") for _ in range(3)] == [first, second, None]
    rules.refuse(Refusal(station="CS-1"))
    assert rules.take_refusal("CS-2") is None
    rules.clear()
    assert (rules.active(), rules.take_refusal("CS-1")) == ((), None)
    remove = rules.refuse(Refusal())
    remove()
    assert rules.take_refusal("CS-1") is None
