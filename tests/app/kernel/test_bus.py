"""The ordered bus: one order for all, with origin and cause."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from app.kernel.bus import Bus, Entry, Event, Origin, SubscriberFailed, because, current_origin

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rang(Event):
    name: str


@dataclass(frozen=True, slots=True)
class Knocked(Event):
    name: str


def make_bus(first_seq: int = 1) -> Bus:
    return Bus(lambda: NOW, real=lambda: 17.5, first_seq=first_seq)


def names(entries: list[Entry]) -> list[str]:
    return [getattr(entry.event, "name", type(entry.event).__name__) for entry in entries]


def test_an_entry_carries_seq_times_origin_and_event() -> None:
    bus, seen = make_bus(first_seq=41), list[Entry]()
    bus.subscribe(seen.append)
    assert bus.publish(Rang("a")) == 41
    assert seen == [Entry(41, NOW, 17.5, Origin.STATION, None, Rang("a"))]


def test_a_subscriber_hears_only_the_kinds_it_asked_for() -> None:
    bus, rings, both = make_bus(), list[Entry](), list[Entry]()
    bus.subscribe(rings.append, Rang)
    bus.subscribe(both.append, Rang, Knocked)
    bus.publish(Knocked("k"))
    bus.publish(Rang("r"))
    assert names(rings) == ["r"]
    assert names(both) == ["k", "r"]


def test_all_subscribers_see_the_same_order_also_of_what_others_publish_meanwhile() -> None:
    bus, first, last = make_bus(), list[Entry](), list[Entry]()
    bus.subscribe(first.append)

    def answer(entry: Entry) -> None:
        if entry.event == Rang("question"):
            bus.publish(Rang("answer"))

    bus.subscribe(answer)
    bus.subscribe(last.append)
    bus.publish(Rang("question"))
    assert names(first) == names(last) == ["question", "answer"]
    assert [entry.seq for entry in last] == [1, 2]


def test_the_events_of_one_step_stay_together() -> None:
    bus, seen = make_bus(), list[Entry]()

    def answer(entry: Entry) -> None:
        if entry.event == Rang("a"):
            bus.publish(Knocked("answer to a"))

    bus.subscribe(answer)
    bus.subscribe(seen.append)
    bus.publish_all([Rang("a"), Rang("b"), Rang("c")])
    assert names(seen) == ["a", "b", "c", "answer to a"]
    assert [entry.cause for entry in seen] == [None, None, None, 1]


def test_what_is_published_while_an_event_is_handled_names_it_as_its_cause() -> None:
    bus, seen = make_bus(), list[Entry]()

    def answer(entry: Entry) -> None:
        if isinstance(entry.event, Rang):
            assert current_origin() is Origin.PERSON
            bus.publish(Knocked("because"))

    bus.subscribe(answer)
    bus.subscribe(seen.append)
    with because(Origin.PERSON):
        bus.publish(Rang("a"))
    assert [(e.origin, e.cause) for e in seen] == [(Origin.PERSON, None), (Origin.PERSON, 1)]
    assert current_origin() is Origin.STATION


async def test_a_task_started_in_a_handler_keeps_origin_and_cause() -> None:
    bus, seen, tasks = make_bus(), list[Entry](), list[asyncio.Task[None]]()

    async def later() -> None:
        await asyncio.sleep(0)
        bus.publish(Knocked("later"))

    bus.subscribe(lambda _: tasks.append(asyncio.create_task(later())), Rang)
    bus.subscribe(seen.append, Knocked)
    bus.publish(Rang("a"), origin=Origin.BACK_OFFICE)
    await tasks[0]
    assert (seen[0].origin, seen[0].cause) == (Origin.BACK_OFFICE, 1)


def test_a_failing_subscriber_is_told_and_stops_nobody() -> None:
    bus, seen = make_bus(), list[Entry]()

    def broken(entry: Entry) -> None:
        raise ZeroDivisionError("oops")

    bus.subscribe(broken, Rang)
    bus.subscribe(seen.append)
    bus.publish(Rang("a"))
    failure = seen[1]
    assert isinstance(failure.event, SubscriberFailed)
    assert "broken" in failure.event.subscriber
    assert (failure.event.event, failure.event.error) == ("Rang", "ZeroDivisionError: oops")
    assert failure.cause == 1


def test_a_subscriber_that_fails_on_everything_does_not_go_round_in_circles() -> None:
    bus, seen = make_bus(), list[Entry]()

    def broken(entry: Entry) -> None:
        raise RuntimeError("always")

    bus.subscribe(broken)
    bus.subscribe(seen.append)
    bus.publish(Rang("a"))
    assert names(seen) == ["a", "SubscriberFailed"]


def test_who_comes_later_hears_of_a_kind_that_was_published_before() -> None:
    bus, seen = make_bus(), list[Entry]()
    bus.publish(Rang("nobody hears"))
    bus.subscribe(seen.append, Rang)
    bus.publish(Rang("a"))
    bus.publish(Knocked("b"))
    remove = bus.subscribe(seen.append)
    bus.publish(Knocked("c"))
    remove()
    bus.publish(Knocked("d"))
    assert names(seen) == ["a", "c"]


def test_removing_ends_a_subscription_once_and_leaves_its_twin() -> None:
    bus, seen = make_bus(), list[Entry]()
    remove = bus.subscribe(seen.append)
    bus.subscribe(seen.append)
    remove()
    remove()
    bus.publish(Rang("a"))
    assert len(seen) == 1


def test_a_subscriber_removed_by_an_earlier_one_hears_nothing_more_not_even_this_event() -> None:
    bus, seen = make_bus(), list[Entry]()
    bus.subscribe(lambda _: remove())
    remove = bus.subscribe(seen.append)
    bus.publish_all([Rang("a"), Rang("b")])
    assert seen == []
