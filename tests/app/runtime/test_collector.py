"""Garbage is collected in the thread of the loop, in short rounds, and only there while a station runs."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator

import pytest

from app.runtime import collector as module
from app.runtime.collector import BURST, LONG, SET_ASIDE_AT, Collector, Still


class Knot:
    """Garbage in a cycle that tells in which thread it went."""

    def __init__(self, told: list[threading.Thread]) -> None:
        self.me = self
        self._told = told

    def __del__(self) -> None:
        self._told.append(threading.current_thread())


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    """Its rounds are those a test asks for: on a busy computer a second passes before the test begins."""
    monkeypatch.setattr(module, "INTERVAL", 3600.0)
    gc.enable()
    made = Collector()
    made.start()
    made.settle()
    yield made
    made.stop()


def enough() -> list[list[int]]:
    """So many new objects that a round is due; how many that takes depends on the Python."""
    return [[number] for number in range(gc.get_threshold()[0] + 1_000)]


def is_looked_at(thing: object) -> bool:
    return any(other is thing for other in gc.get_objects())


async def test_another_thread_that_allocates_collects_nothing(collector: Collector) -> None:
    told: list[threading.Thread] = []
    Knot(told)

    def allocate() -> None:
        kept = [[number] for number in range(100_000)]
        assert kept

    thread = threading.Thread(target=allocate)
    thread.start()
    thread.join()
    assert told == []


async def test_what_is_due_is_collected_in_the_own_thread(collector: Collector) -> None:
    told: list[threading.Thread] = []
    Knot(told)
    kept = enough()
    collector.collect_due()
    assert told == [threading.main_thread()]
    assert is_looked_at(kept)


async def test_the_loop_starts_the_rounds(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INTERVAL", 0.001)
    collector.stop()
    collector.start()
    told: list[threading.Thread] = []
    kept: list[object] = []  # all of it: what goes again counts against what is new
    for _ in range(2):
        Knot(told)
        kept += enough()
        async with asyncio.timeout(5):
            while not told:
                await asyncio.sleep(0.001)
        told.clear()
    assert len(kept) == 2 * len(enough())


async def test_nothing_is_done_while_there_is_little(collector: Collector) -> None:
    told: list[threading.Thread] = []
    Knot(told)
    collector.collect_due()
    assert told == []


async def test_what_outlives_many_others_is_not_looked_at_again(collector: Collector) -> None:
    kept = []
    for _ in range(1 + SET_ASIDE_AT // len(enough())):
        assert not kept or is_looked_at(kept[0])
        kept += enough()
        collector.collect_due()
    assert not is_looked_at(kept[0])


async def test_a_burst_is_set_aside_without_a_look(collector: Collector) -> None:
    """The program reads a part of itself: to look at it would hold up the loop, and it stays anyway."""
    told: list[threading.Thread] = []
    Knot(told)
    kept = [[number] for number in range(BURST + 1_000)]
    collector.collect_due()
    assert told == []
    assert not is_looked_at(kept)


class Mood:
    """Whether somebody would mind, and how often that was asked."""

    def __init__(self) -> None:
        self.quiet, self.asked = True, 0

    def __call__(self) -> bool:
        self.asked += 1
        return self.quiet


async def set_aside(collector: Collector, times: int) -> list[object]:
    """So many rounds, each of which sets aside what it finds."""
    kept: list[object] = []
    for _ in range(times):
        kept += [[number] for number in range(SET_ASIDE_AT + 1_000)]
        collector.collect_due()
    return kept


@pytest.fixture
def mood(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> Mood:
    monkeypatch.setattr(module, "THOROUGH_AT", 3 * SET_ASIDE_AT)
    monkeypatch.setattr(collector, "_thorough_at", 3 * SET_ASIDE_AT)
    mood = Mood()
    collector.settle(mood)
    return mood


async def test_what_dies_after_it_was_set_aside_goes_when_as_much_again_was_set_aside(
    collector: Collector, mood: Mood
) -> None:
    told: list[threading.Thread] = []
    knot = Knot(told)
    collector.settle(mood)
    del knot
    kept = await set_aside(collector, 2)
    assert (told, mood.asked) == ([], 0)
    kept += await set_aside(collector, 1)
    assert told == [threading.main_thread()]


async def test_the_more_there_is_the_rarer_everything_is_looked_at(
    collector: Collector, mood: Mood
) -> None:
    """It takes the longer, and memory is at most doubled meanwhile."""
    kept = await set_aside(collector, 3)
    assert mood.asked == 1
    assert gc.get_freeze_count() > 3 * SET_ASIDE_AT
    kept += await set_aside(collector, 3)
    assert mood.asked == 1


async def test_everything_is_looked_at_when_nobody_minds_or_memory_would_run_out(
    collector: Collector, mood: Mood, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ANY_PRICE", 2)
    told: list[threading.Thread] = []
    for quiet in (True, False):
        monkeypatch.setattr(collector, "_thorough_at", 3 * SET_ASIDE_AT)
        knot = Knot(told)
        mood.quiet = False
        collector.settle(mood)
        del knot
        kept = await set_aside(collector, 4)
        assert told == []
        mood.quiet = quiet
        kept += await set_aside(collector, 1 if quiet else 2)
        assert told == [threading.main_thread()]
        told.clear()


async def test_at_the_end_python_collects_by_itself_again() -> None:
    gc.enable()
    kept = [[]]
    collector = Collector()
    collector.start()
    collector.settle()
    assert not gc.isenabled()
    assert not is_looked_at(kept)
    collector.stop()
    assert gc.isenabled()
    assert is_looked_at(kept)


def test_it_is_still_when_nothing_has_changed_for_a_minute() -> None:
    seen, now = 1, 0.0
    still = Still(lambda: seen, lambda: now)
    assert not still()
    now = LONG
    assert still()
    seen = 2
    assert not still(), "something has happened"
    now = 2 * LONG - 1
    assert not still()
    now = 2 * LONG
    assert still()
