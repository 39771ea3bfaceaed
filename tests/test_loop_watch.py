"""The loop watch itself: what it sees, whom it blames, and what it leaves alone."""

from __future__ import annotations

import asyncio
import functools
import os
import subprocess
import sys
import time
import types
from collections.abc import Generator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QMouseEvent, QPaintEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

import dev
from tests.support.event_watch import WatchedApplication
from tests.support.loop_watch import CHECKOUT, OUR_FOLDERS, LoopWatch
from ui.widgets.turns import Work, in_turns

HERE = (Path(__file__).parent,)
ELSEWHERE = (Path(__file__).parent / "nowhere",)


def work(seconds: float) -> None:
    """Keep the processor busy, as parsing or painting would."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


async def busy_after_a_turn(seconds: float) -> None:
    await asyncio.sleep(0)
    work(seconds)


async def test_a_callback_that_works_too_long_is_reported_with_its_place() -> None:
    with LoopWatch(HERE) as watch:
        asyncio.get_running_loop().call_soon(functools.partial(work, 0.02))
        await asyncio.sleep(0.001)
    (slow,) = watch.slow
    assert slow.place.startswith("work (tests/test_loop_watch.py:")
    assert slow.seconds >= 0.02
    assert "held the loop for" in str(slow)


async def test_a_step_of_a_task_is_blamed_on_its_coroutine() -> None:
    with LoopWatch(HERE) as watch:
        await asyncio.create_task(busy_after_a_turn(0.02))
    assert [slow.place.partition(" ")[0] for slow in watch.slow] == ["busy_after_a_turn"]


async def test_waiting_in_a_callback_counts_like_working() -> None:
    def block() -> None:
        time.sleep(0.03)

    with LoopWatch(HERE, report_over=0.02) as watch:
        asyncio.get_running_loop().call_soon(block)
        await asyncio.sleep(0.001)
    assert [slow.place.partition(" ")[0].rpartition(".")[2] for slow in watch.slow] == ["block"]


async def test_awaiting_is_not_slow() -> None:
    with LoopWatch(HERE) as watch:
        await asyncio.sleep(0.03)
    assert watch.slow == []
    assert watch.callbacks > 0


async def test_code_of_others_is_not_blamed_on_us() -> None:
    with LoopWatch(ELSEWHERE) as watch:
        asyncio.get_running_loop().call_soon(work, 0.02)
        await asyncio.sleep(0.001)
    assert watch.slow == []
    assert watch.callbacks > 0


async def test_what_a_test_does_between_two_calls_of_ours_is_its_own() -> None:
    """`ours` is another file's code: the loop's own sleep stands for it."""
    ours = (Path(asyncio.__file__).parent,)

    @types.coroutine
    def turn() -> Generator[None, None, None]:
        yield

    async def test() -> None:
        await asyncio.sleep(0.001)  # ours
        work(0.03)
        await turn()

    with LoopWatch(ours) as watch:
        await asyncio.create_task(test())
    assert watch.slow == []


async def test_only_a_callback_over_the_limit_fails_the_check() -> None:
    with LoopWatch(HERE, fail_over=0.03) as watch:
        await asyncio.create_task(busy_after_a_turn(0.012))
        watch.check()
        await asyncio.create_task(busy_after_a_turn(0.035))
    with pytest.raises(AssertionError, match="busy_after_a_turn"):
        watch.check()


async def test_leaving_the_watch_leaves_asyncio_as_it_was() -> None:
    before = asyncio.Handle._run
    with LoopWatch(HERE):
        assert asyncio.Handle._run is not before
    assert asyncio.Handle._run is before


def test_the_watch_looks_into_a_qt_loop_too(qapp: object) -> None:
    qasync = pytest.importorskip("qasync")
    loop = qasync.QEventLoop(qapp)
    try:
        with LoopWatch(HERE) as watch:
            loop.run_until_complete(busy_after_a_turn(0.02))
    finally:
        loop.close()
    assert [slow.place.partition(" ")[0] for slow in watch.slow] == ["busy_after_a_turn"]


def test_the_watch_sees_what_qt_delivers(qapp: WatchedApplication) -> None:
    class Slow(QWidget):
        def mousePressEvent(self, event: QMouseEvent) -> None:
            work(0.02)

    widget = Slow()
    with LoopWatch() as watch, qapp.watched_by(watch):
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)
    assert [slow.place for slow in watch.slow] == ["MouseButtonPress for Slow"]


async def test_of_work_in_turns_the_one_who_wanted_it_is_blamed() -> None:
    def steps() -> Work:
        work(0.02)
        yield None

    async def wanted() -> None:
        await asyncio.sleep(0)
        await in_turns(steps())

    with LoopWatch((*HERE, *OUR_FOLDERS)) as watch:
        await asyncio.create_task(wanted())
    names = [slow.place.partition(" (")[0].rpartition(".")[2] for slow in watch.slow]
    assert names == ["wanted"]


def test_of_a_painting_the_widget_that_is_slow_is_blamed(qapp: WatchedApplication) -> None:
    class Slow(QWidget):
        def paintEvent(self, event: QPaintEvent) -> None:
            work(0.02)

    window = QWidget()
    slow = Slow(window)
    slow.resize(50, 50)
    with LoopWatch() as watch, qapp.watched_by(watch):
        window.show()
        qapp.processEvents()
    window.close()
    assert [slow.place for slow in watch.slow] == ["Paint for Slow"]


def test_what_an_event_leads_to_is_not_slowed_down_by_the_watch(qapp: WatchedApplication) -> None:
    """Python is asked for the event of the loop, not for the hundreds that making a dialog sends."""
    asked: list[bool] = []

    class Maker(QWidget):
        def mousePressEvent(self, event: QMouseEvent) -> None:
            asked.append("notify" in vars(qapp))
            work(0.02)

    maker = Maker()
    with LoopWatch() as watch, qapp.watched_by(watch):
        for _ in range(2):  # it looks again after the first
            QTest.mouseClick(maker, Qt.MouseButton.LeftButton)
    assert asked == [False, False]
    assert [slow.place for slow in watch.slow] == ["MouseButtonPress for Maker"] * 2
    assert "notify" not in vars(qapp)


def test_what_a_callback_of_ours_leads_to_is_part_of_it(qapp: WatchedApplication) -> None:
    qasync = pytest.importorskip("qasync")

    class Slow(QWidget):
        def mousePressEvent(self, event: QMouseEvent) -> None:
            work(0.02)

    async def clicks() -> None:
        QTest.mouseClick(slow, Qt.MouseButton.LeftButton)

    slow = Slow()
    found = []
    for folders in (HERE, ELSEWHERE):  # it is ours, or a test's
        loop = qasync.QEventLoop(qapp)
        with LoopWatch(folders) as watch, qapp.watched_by(watch):
            loop.run_until_complete(clicks())
        loop.close()
        found.append([one.place.partition(" (")[0].rpartition(".")[2] for one in watch.slow])
    assert found == [["clicks"], ["MouseButtonPress for Slow"]]


# ---------------------------------------------------------------- what a run makes of it

STORY = """
import time

def hold(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass

def test_of_a_quick_window(loop_watch):
    with loop_watch.timing("a click"):
        hold(0.040)

def test_of_a_slow_window(loop_watch):
    with loop_watch.timing("another click"):
        hold(0.051)

def test_of_something_else():
    pass
"""


def run_under_ci(name: str, folder: Path, *more: str) -> str:
    """One of the runs of `dev.py test`, over a folder with a story of its own; what it said."""
    story = folder / "test_story.py"
    story.write_text(STORY)
    run = next(run for run in dev.pytest_runs(dev.TestOptions()) if run.name == name)
    # coverage of this very test run goes on in the programs that it starts: not in this one
    environment = {name: value for name, value in os.environ.items() if "COV" not in name}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider"),
            *("-c", str(CHECKOUT / "pyproject.toml"), "--rootdir", str(folder)),
            *(*run.command, *more, str(story)),
        ],
        cwd=CHECKOUT,
        env=environment | {"CI": "true", "COVERAGE_FILE": str(folder / "coverage")},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.stdout


def test_the_run_that_judges_time_fails_at_50_ms(tmp_path: Path) -> None:
    said = run_under_ci("loop time", tmp_path)
    assert "a click held the loop for 40." in said, said
    assert "test_story.py::test_of_a_slow_window - AssertionError: the event loop" in said, said
    assert "2 passed, 1 deselected, 1 error in" in said, said


def test_the_run_that_measures_coverage_leaves_time_to_the_other(tmp_path: Path) -> None:
    said = run_under_ci("pytest", tmp_path, "--cov-fail-under=0")
    assert "1 passed, 2 deselected in" in said, said


def test_time_is_not_judged_while_coverage_is_measured(tmp_path: Path) -> None:
    said = run_under_ci("loop time", tmp_path, "--cov", "--cov-fail-under=0")
    assert "2 passed, 1 deselected in" in said, said
    assert "held the loop" not in said
