"""The time budget of the suites: who is charged, and when a run fails."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.support.suite_clock import SLOW_CALLBACK, SuiteClock, SuiteReport

BUDGETS = {"tests": 1.0, "tests/app": 10.0, "tests/app/kernel": 2.0}


def clock_with(**seconds: float) -> SuiteClock:
    clock = SuiteClock(BUDGETS, tolerance=3.0)
    for folder, spent in seconds.items():
        clock.charge(f"tests/{folder.replace('_', '/')}/test_x.py::test_y", spent)
    return clock


@pytest.mark.parametrize(
    ("nodeid", "suite"),
    [
        ("tests/app/kernel/test_bus.py::test_x", "tests/app/kernel"),
        ("tests/app/kernel/deeper/test_bus.py::test_x[a/b]", "tests/app/kernel"),
        ("tests/app/station/test_meter.py::test_x", "tests/app"),
        ("tests/test_dev.py::test_x", "tests"),
        ("elsewhere/test_x.py::test_x", None),
    ],
)
def test_the_closest_folder_is_charged(nodeid: str, suite: str | None) -> None:
    assert clock_with().suite_of(nodeid) == suite


def test_a_suite_may_take_three_times_its_budget() -> None:
    assert clock_with(app_kernel=6.0).over_budget() == []
    assert clock_with(app_kernel=6.1).over_budget() == ["tests/app/kernel"]


def test_a_suite_over_its_budget_is_named_before_it_fails() -> None:
    (line,) = clock_with(app_kernel=2.5).lines()
    assert line.split() == ["tests/app/kernel", "2.5", "s", "of", "2", "s", "over", "budget"]


@pytest.mark.parametrize(
    ("fails", "spent", "before", "after"),
    [
        (True, 7.0, pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED),
        (True, 5.0, pytest.ExitCode.OK, pytest.ExitCode.OK),
        (False, 7.0, pytest.ExitCode.OK, pytest.ExitCode.OK),
        (True, 7.0, pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERRUPTED),
    ],
)
def test_only_a_deciding_run_fails_for_being_slow(
    fails: bool, spent: float, before: pytest.ExitCode, after: pytest.ExitCode
) -> None:
    session = SimpleNamespace(exitstatus=before)
    SuiteReport(clock_with(app_kernel=spent), fails).pytest_sessionfinish(session)
    assert session.exitstatus == after


def report_of(when: str, **keywords: int) -> SimpleNamespace:
    return SimpleNamespace(
        nodeid="tests/app/test_x.py::test_y",
        keywords=keywords,
        duration=2.0,
        when=when,
        user_properties=[(SLOW_CALLBACK, "beat held the loop"), ("other", "x")],
    )


def test_long_tests_are_not_charged() -> None:
    report = SuiteReport(clock_with(), fails=True)
    report.pytest_runtest_logreport(report_of("call", full=1))
    assert report.clock.spent == {}
    report.pytest_runtest_logreport(report_of("call"))
    assert report.clock.spent == {"tests/app": 2.0}


def test_a_slow_callback_is_listed_once_with_its_test() -> None:
    report = SuiteReport(clock_with(), fails=True)
    for when in ("setup", "call", "teardown"):
        report.pytest_runtest_logreport(report_of(when))
    assert report.slow_callbacks == ["tests/app/test_x.py::test_y: beat held the loop"]
