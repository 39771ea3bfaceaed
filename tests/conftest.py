"""What all tests share: a clean desk, long tests on request, and a time budget per suite."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import coverage_plugin
from tests.support.loop_watch import LoopWatch, can_judge
from tests.support.own_frames import own_frame_faults  # noqa: F401 - for every test
from tests.support.suite_clock import SLOW_CALLBACK, SuiteClock, SuiteReport

# Seconds a suite may take on a two-core machine. A run under CI fails when one takes more than
# three times as long; the closest folder counts. Tests marked `full` are not charged.
SUITE_BUDGETS = {
    "tests": 30.0,
    "tests/app": 60.0,
    "tests/app/kernel": 10.0,
    "tests/app/station": 60.0,
    "tests/app/ocpp": 120.0,
    "tests/app/runtime": 200.0,
    "tests/app/trace": 20.0,
    "tests/app/training": 60.0,
    "tests/app/control": 60.0,
    "tests/app/transfer": 30.0,
    "tests/ui": 240.0,
    "tests/conformance": 300.0,
    "tests/e2e": 240.0,
    "tests/fuzz": 90.0,
    "tests/benchmarks": 90.0,
}
BUDGET_TOLERANCE = 3.0


def in_ci() -> bool:
    """Whether this run decides about a change."""
    return os.environ.get("CI", "").lower() in ("1", "true")


# ---------------------------------------------------------------- a desk of our own


def _clear_the_desk() -> None:
    """Keep settings and state of the person at this computer out of the tests, and the reverse.

    Has to happen before Qt is imported: it warns about a missing runtime folder or an odd
    character set, and every Qt warning fails a test.
    """
    desk = Path(tempfile.mkdtemp(prefix="forecourt-tests-"))
    atexit.register(shutil.rmtree, desk, ignore_errors=True)
    for name in ("CONFIG_HOME", "DATA_HOME", "STATE_HOME", "CACHE_HOME", "RUNTIME_DIR"):
        folder = desk / name.lower()
        folder.mkdir(mode=0o700)
        os.environ[f"XDG_{name}"] = str(folder)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    language = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG", "")
    if sys.platform.startswith("linux") and "utf" not in language.lower():
        os.environ["LC_ALL"] = "C.UTF-8"


_clear_the_desk()


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The folder that holds `app`, `ui`, `resources` and these tests."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture
def terminal() -> Iterator[None]:
    """A terminal that is closed is heard of, also where the tests run under nohup."""
    hangup = getattr(signal, "SIGHUP", None)  # not on Windows
    before = None if hangup is None else signal.signal(hangup, signal.SIG_DFL)
    yield
    if hangup is not None:
        signal.signal(hangup, before)


# ---------------------------------------------------------------- which tests run


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-full", action="store_true", help="run the tests marked `full`, too")
    coverage_plugin.add_option(parser)


def missing_display_tools() -> list[str]:
    """What tests in a real window need and this computer lacks."""
    if not sys.platform.startswith("linux"):
        return ["Xvfb, which is for Linux"]
    return [tool for tool in ("Xvfb", "xdotool") if shutil.which(tool) is None]


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    missing = missing_display_tools()
    for item in items:
        if "loop_watch" in getattr(item, "fixturenames", ()):
            item.add_marker("loop_time")
        if item.get_closest_marker("full") and not config.getoption("--run-full"):
            item.add_marker(pytest.mark.skip(reason="long test: --full runs it"))
        # Under CI a missing tool has to show as a failure, not as a quiet skip.
        if missing and item.get_closest_marker("display") and not in_ci():
            item.add_marker(pytest.mark.skip(reason=f"needs {', '.join(missing)}"))


# ---------------------------------------------------------------- the loop watch


@pytest.fixture
def loop_watch(request: pytest.FixtureRequest) -> Iterator[LoopWatch]:
    """Measures every callback of the event loop while it is entered: `with loop_watch: ...`.

    Slow ones of our own are listed at the end of the run; those that freeze the picture fail the
    test under CI. Nothing is said of them while coverage is measured: `dev.py test` has a run of its own,
    without that burden, for the tests that use this.
    """
    watch = LoopWatch()
    yield watch
    if not can_judge():
        return
    for slow in watch.slow:
        request.node.user_properties.append((SLOW_CALLBACK, str(slow)))
    if in_ci():
        watch.check()


@pytest.fixture(scope="session")
def qapp_cls() -> type:
    """The application of all tests is one whose events the loop watch can see."""
    from tests.support.event_watch import WatchedApplication

    return WatchedApplication


# ---------------------------------------------------------------- time budgets


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(coverage_plugin.CoverageReport(config), "coverage-1.6")
    if not hasattr(config, "workerinput"):  # with xdist only the controller hears of all tests
        clock = SuiteClock(SUITE_BUDGETS, BUDGET_TOLERANCE)
        config.pluginmanager.register(SuiteReport(clock, fails=in_ci()), "suite-report")
