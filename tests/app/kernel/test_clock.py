"""Station time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from app.kernel.activity import Activity
from app.kernel.bus import Bus, Entry, Event, Origin, because
from app.kernel.clock import Clock, Missed, SystemClock, VirtualClock

START = datetime(2025, 3, 1, 12, tzinfo=UTC)


class Hand:
    """The computer's monotonic clock, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hand() -> Hand:
    return Hand()


@contextlib.contextmanager
def system_clock(hand: Hand, rate: float = 1.0) -> Iterator[SystemClock]:
    clock = SystemClock(rate=rate, start=START, monotonic=hand)
    try:
        yield clock
    finally:
        clock.close()


async def catch_up(clock: SystemClock) -> None:
    """Let the loop fire what is due (one deadline a turn)."""
    for _ in range(200):
        await asyncio.sleep(0)


# ---- virtual


def test_virtual_time_stands_still_until_moved() -> None:
    clock = VirtualClock(START)
    assert (clock.elapsed(), clock.now()) == (0.0, START)
    clock.advance_now(90)
    assert (clock.elapsed(), clock.now()) == (90.0, START + timedelta(seconds=90))


def test_deadlines_fire_in_order_each_at_its_time() -> None:
    clock, seen = VirtualClock(START), list[tuple[str, float]]()
    for name, seconds in (("late", 5.0), ("early", 2.0), ("second early", 2.0), ("never", 11.0)):
        clock.call_in(seconds, lambda name=name: seen.append((name, clock.elapsed())))
    clock.advance_now(10)
    assert seen == [("early", 2.0), ("second early", 2.0), ("late", 5.0)]
    assert clock.next_due() == 11.0


def test_a_cancelled_deadline_does_not_fire() -> None:
    clock, seen = VirtualClock(START), list[int]()
    timer = clock.call_in(1, lambda: seen.append(1))
    timer.cancel()
    assert clock.next_due() is None
    clock.advance_now(5)
    assert seen == []


def test_a_deadline_set_by_a_deadline_fires_in_the_same_move() -> None:
    clock, seen = VirtualClock(START), list[float]()
    clock.call_in(1, lambda: clock.call_in(1, lambda: seen.append(clock.elapsed())))
    clock.advance_now(2)
    assert seen == [2.0]


def test_call_when_takes_an_exact_reading_and_call_at_a_calendar() -> None:
    clock, seen = VirtualClock(START), list[float]()
    clock.advance_now(0.1)
    clock.call_when(0.3, lambda: seen.append(clock.elapsed()))
    clock.call_at(START + timedelta(seconds=7), lambda: seen.append(clock.elapsed()))
    clock.call_at(START - timedelta(hours=1), lambda: seen.append(clock.elapsed()))
    clock.advance_now(10)
    assert seen == [0.1, 0.3, 7.0]


def test_every_beats_until_it_is_cancelled_also_by_itself() -> None:
    clock, seen = VirtualClock(START), list[float]()

    def beat() -> None:
        seen.append(clock.elapsed())
        if len(seen) == 3:
            timer.cancel()

    timer = clock.every(10, beat)
    clock.advance_now(100)
    assert seen == [10.0, 20.0, 30.0]


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_period_must_be_longer_than_nothing(seconds: float) -> None:
    with pytest.raises(ValueError, match="longer than 0"):
        VirtualClock(START).every(seconds, print)


def test_a_correction_moves_the_calendar_and_no_interval() -> None:
    clock, seen = VirtualClock(START), list[str]()
    clock.call_in(10, lambda: seen.append("interval"))
    clock.call_at(START + timedelta(hours=1), lambda: seen.append("calendar"))
    assert clock.correct(START + timedelta(minutes=59, seconds=55)) == timedelta(seconds=3595)
    assert clock.elapsed() == 0.0
    clock.advance_now(6)
    assert seen == ["calendar"]
    clock.advance_now(4)
    assert seen == ["calendar", "interval"]


def test_a_correction_past_a_calendar_deadline_fires_it_at_the_next_move() -> None:
    clock, seen = VirtualClock(START), list[float]()
    clock.call_at(START + timedelta(minutes=1), lambda: seen.append(clock.elapsed()))
    clock.correct(START + timedelta(hours=1))
    clock.advance_now(0)
    assert seen == [0.0]


def test_a_correction_keeps_the_order_of_deadlines_of_one_instant() -> None:
    clock, seen = VirtualClock(START), list[int]()
    for number in (5, 3, 4, 0, 1, 2):
        clock.call_in(10, lambda number=number: seen.append(number))
    clock.call_in(1, lambda: None)
    clock.correct(START + timedelta(hours=2))
    clock.advance_now(10)
    assert seen == [5, 3, 4, 0, 1, 2]


def test_a_beat_tied_to_the_calendar_stays_aligned_when_the_calendar_is_set_back() -> None:
    clock, seen = VirtualClock(START), list[datetime]()
    quarter = START + timedelta(minutes=15)
    clock.every(900, lambda: seen.append(clock.now()), first=quarter)
    clock.correct(START - timedelta(hours=3, minutes=5))
    clock.advance_now(1300)
    assert seen == [START - timedelta(hours=3), START - timedelta(hours=2, minutes=45)]


@pytest.mark.parametrize(("missed", "beats"), [(Missed.ALL, 4), (Missed.LAST, 1), (Missed.SKIP, 0)])
def test_beats_that_a_calendar_set_forward_passed_over_follow_the_policy(
    missed: Missed, beats: int
) -> None:
    clock, seen = VirtualClock(START), list[datetime]()
    clock.every(
        900, lambda: seen.append(clock.now()), first=START + timedelta(minutes=15), missed=missed
    )
    clock.correct(START + timedelta(hours=1))
    clock.advance_now(0)
    assert len(seen) == beats
    clock.advance_now(900)
    assert seen[-1] == START + timedelta(minutes=75)
    assert len(seen) == beats + 1


def test_a_deadline_publishes_with_the_origin_of_the_one_who_set_it() -> None:
    clock, seen = VirtualClock(START), list[Entry]()
    bus = Bus(clock.now)
    bus.subscribe(seen.append)
    with because(Origin.PERSON, 7):
        clock.call_in(5, lambda: bus.publish(Event()))
    with because(Origin.CONTROL):
        clock.advance_now(10)
    assert [(entry.origin, entry.cause) for entry in seen] == [(Origin.PERSON, 7)]


def test_a_periodic_callback_may_itself_move_virtual_time() -> None:
    clock, seen = VirtualClock(START), list[float]()

    def beat() -> None:
        seen.append(clock.elapsed())
        if len(seen) == 1:
            clock.advance_now(25)

    clock.every(10, beat)
    clock.advance_now(30)
    assert seen == [10.0, 20.0, 30.0]


async def test_advance_waits_for_the_station_to_rest_between_deadlines() -> None:
    activity = Activity()
    clock, seen = VirtualClock(START, activity), list[float]()

    async def walk() -> None:
        for _ in range(3):
            await clock.sleep(10)
            with activity.busy():
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            seen.append(clock.elapsed())

    activity.begin()
    task = asyncio.create_task(walk())
    task.add_done_callback(lambda _: activity.end())
    await clock.advance(100)
    assert seen == [10.0, 20.0, 30.0]
    await task


async def test_travel_is_the_same_for_both_clocks(hand: Hand) -> None:
    readings = []
    with system_clock(hand) as system:
        for clock in (VirtualClock(START), system):
            seen: list[float] = []
            clock.every(10, lambda clock=clock, seen=seen: seen.append(clock.elapsed()))
            await clock.travel(35)
            readings.append((seen, clock.elapsed(), clock.now()))
    assert readings[0] == readings[1]
    assert readings[0][0] == [10.0, 20.0, 30.0]


async def test_a_journey_begins_where_the_one_before_it_ends(hand: Hand) -> None:
    """Two who let time pass at once let both times pass; a moment on the calendar is no distance."""
    with system_clock(hand) as system:
        for clock in (VirtualClock(START), system):
            clock.every(10, lambda: None)
            await asyncio.gather(
                clock.travel(35), clock.travel(100), clock.travel_to(START + timedelta(seconds=200))
            )
            assert (clock.elapsed(), clock.now()) == (200.0, START + timedelta(seconds=200))


async def test_sleep_until_follows_the_calendar_and_cleans_up_when_cancelled() -> None:
    activity = Activity()
    clock = VirtualClock(START, activity)
    activity.begin()
    task = asyncio.create_task(clock.sleep_until(START + timedelta(seconds=30)))
    task.add_done_callback(lambda _: activity.end())
    await clock.advance(10)
    clock.correct(START + timedelta(seconds=29))
    await clock.advance(1)
    assert task.done()
    activity.begin()
    other = asyncio.create_task(clock.sleep(50))
    other.add_done_callback(lambda _: activity.end())
    await activity.idle()
    other.cancel()
    await activity.idle()
    assert other.cancelled()
    assert clock.next_due() is None
    assert activity.count == 0


# ---- system


async def test_system_time_runs_with_the_computer_at_its_rate(hand: Hand) -> None:
    with system_clock(hand, rate=60) as clock:
        hand.now += 2
        assert clock.elapsed() == 120.0
        clock.set_rate(1)
        hand.now += 2
        assert (clock.elapsed(), clock.rate) == (122.0, 1)
        assert clock.now() == START + timedelta(seconds=122)


@pytest.mark.parametrize("rate", [0, -1, 3601, float("nan")])
async def test_a_rate_outside_its_range_is_refused(hand: Hand, rate: float) -> None:
    with system_clock(hand) as clock, pytest.raises(ValueError, match="rate"):
        clock.set_rate(rate)


async def test_a_system_deadline_fires_when_the_computer_gets_there(hand: Hand) -> None:
    with system_clock(hand) as clock:
        seen: list[float] = []
        clock.call_in(0.001, lambda: seen.append(clock.elapsed()))
        await asyncio.sleep(0.01)
        assert seen == []  # the loop woke, the computer's time has not moved: it waits on
        hand.now += 1
        await asyncio.sleep(0.01)
        assert seen == [1.0]


async def test_a_failing_callback_does_not_stop_the_system_clock(hand: Hand) -> None:
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: errors.append(told))
    with system_clock(hand) as clock:
        seen: list[str] = []

        def broken() -> None:
            raise RuntimeError("oops")

        clock.call_in(0, broken)
        clock.call_in(0, lambda: seen.append("after"))
        await catch_up(clock)
    assert seen == ["after"]
    assert len(errors) == 1


@pytest.mark.parametrize(
    ("missed", "beats"),
    [(Missed.ALL, [10, 20, 30]), (Missed.LAST, [30]), (Missed.SKIP, [])],
)
async def test_beats_missed_while_the_computer_slept_follow_the_policy(
    hand: Hand, missed: Missed, beats: list[int]
) -> None:
    with system_clock(hand) as clock:
        seen: list[float] = []
        clock.every(10, lambda: seen.append(clock.elapsed()), missed=missed)
        hand.now += 35
        clock.call_in(0, lambda: None)  # looks at the time again, as the loop does when it wakes
        await catch_up(clock)
        assert len(seen) == len(beats)
        hand.now += 5
        clock.call_in(0, lambda: None)
        await catch_up(clock)
        assert len(seen) == len(beats) + 1
        assert seen[-1] == 40.0


async def test_jump_fires_all_on_the_way_each_at_its_time_and_needs_no_rest(hand: Hand) -> None:
    with system_clock(hand) as clock:
        seen: list[float] = []
        clock.every(10, lambda: seen.append(clock.elapsed()))
        clock.call_at(START + timedelta(seconds=25), lambda: seen.append(clock.elapsed()))
        clock.jump(30)
        assert seen == [10.0, 20.0, 25.0, 30.0]
        assert clock.elapsed() == 30.0
        assert clock.now() == START + timedelta(seconds=30)
        assert not clock.follow_server


async def test_time_travel_goes_forward_only(hand: Hand) -> None:
    with system_clock(hand) as clock:
        with pytest.raises(ValueError, match="forward"):
            clock.jump(-1)
        with pytest.raises(ValueError, match="forward"):
            await clock.travel(-1)
        assert clock.follow_server


async def test_a_closed_clock_fires_nothing(hand: Hand) -> None:
    with system_clock(hand) as clock:
        seen: list[int] = []
        clock.call_in(0, lambda: seen.append(1))
        clock.close()
        clock.call_in(0, lambda: seen.append(2))
        await catch_up(clock)
        assert seen == []


async def test_a_correction_of_the_system_clock_changes_the_calendar_only(hand: Hand) -> None:
    with system_clock(hand) as clock:
        hand.now += 10
        assert clock.correct(START) == timedelta(seconds=-10)
        assert (clock.elapsed(), clock.now()) == (10.0, START)


async def test_a_deadline_months_away_is_not_handed_to_the_loop_in_one_piece(hand: Hand) -> None:
    with system_clock(hand) as clock:
        seen: list[float] = []
        clock.call_in(90 * 86_400, lambda: seen.append(clock.elapsed()))
        assert clock._handle is not None
        assert clock._handle.when() <= asyncio.get_running_loop().time() + 86_400
        clock._handle.cancel()
        clock._fire_due()  # what the loop does after a day: too early, so it waits again
        assert seen == []
        hand.now += 90 * 86_400
        clock._fire_due()
        assert len(seen) == 1


def test_people_who_moved_or_sped_time_up_take_the_calendar_from_the_server() -> None:
    clock = SystemClock(rate=2.0, start=START)
    assert not clock.follow_server
    assert VirtualClock(START).follow_server


async def test_what_a_deadline_raises_is_told_and_time_goes_on() -> None:
    hand, seen = Hand(), list[object]()

    def fail() -> None:
        raise OSError("disk")

    with system_clock(hand) as clock:
        clock.on_failure = seen.append
        clock.call_in(1, fail)
        clock.call_in(2, lambda: seen.append("next"))
        hand.now += 3
        await catch_up(clock)
        clock.call_in(1, fail)
        clock.jump(2)
        assert [str(item) for item in seen] == ["disk", "next", "disk"]
        clock.on_failure = None
        clock.call_in(1, fail)
        with pytest.raises(OSError, match="disk"):
            clock.jump(2)


def test_a_clock_is_a_contract() -> None:
    with pytest.raises(TypeError):
        Clock()  # type: ignore[abstract]
