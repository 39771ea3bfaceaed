"""Garbage is collected in the window's thread, and only there while a window is open."""

import gc
import threading

import pytest

from ui.collector import THOROUGH_EVERY, Collector


class Knot:
    """Garbage in a cycle that tells in which thread it went."""

    def __init__(self, told):
        self.me = self
        self._told = told

    def __del__(self):
        self._told.append(threading.current_thread())


@pytest.fixture
def collector(qapp):
    gc.enable()
    made = Collector()
    made.start()
    yield made
    made.stop()


def test_another_thread_that_allocates_collects_nothing(collector):
    told = []
    Knot(told)

    def allocate():
        kept = [[number] for number in range(100_000)]
        assert kept

    thread = threading.Thread(target=allocate)
    thread.start()
    thread.join()
    assert told == []


def test_what_is_due_is_collected_in_the_own_thread(collector):
    told = []
    Knot(told)
    kept = [[number] for number in range(2_000)]
    assert collector.collect_due() is not None
    assert told == [threading.main_thread()]
    assert len(kept) == 2_000


def test_nothing_is_done_when_nothing_is_due(collector):
    gc.collect()
    assert collector.collect_due() is None


def test_what_outlives_a_full_round_is_not_looked_at_in_the_next(collector, monkeypatch):
    monkeypatch.setattr(gc, "get_count", lambda: (0, 0, 11))
    kept = [[number] for number in range(50_000)]
    assert collector.collect_due() == 2
    assert not any(thing is kept for thing in gc.get_objects())
    assert len(kept) == 50_000


def test_what_dies_after_a_full_round_goes_with_a_thorough_one(collector, monkeypatch):
    monkeypatch.setattr(gc, "get_count", lambda: (0, 0, 11))
    told = []
    knot = Knot(told)
    collector.collect_due()
    assert told == []
    del knot
    for _ in range(THOROUGH_EVERY):
        collector.collect_due()
    assert told == [threading.main_thread()]


def test_at_the_end_python_collects_by_itself_again(qapp):
    gc.enable()
    collector = Collector()
    collector.start()
    collector.settle()
    assert not gc.isenabled()
    collector.stop()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
