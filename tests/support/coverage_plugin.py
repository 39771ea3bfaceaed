"""The part of pytest that records what tests of OCPP 1.6 see, and fails a run whose page is out of date.

A run is compared with the page only if it was whole: every file of the recorded folders, nothing
deselected, nothing failed. With xdist the workers hand their recordings to the controller.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.coverage_page import FOLDERS, OVER_SOCKETS, Files, Page
from tests.support.coverage_record import RECORDER, Recording, rules_in

OUTPUT = "coverage of OCPP 1.6"
ROOT = Path(__file__).resolve().parent.parent.parent


def add_option(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-coverage-page",
        action="store_true",
        help="write the page about coverage of OCPP 1.6 from what this run saw",
    )


def recorded_files() -> set[str]:
    """The test files of the recorded folders, relative to the checkout."""
    return {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("test_*.py")
    }


def counts(item: pytest.Item) -> bool:
    """Whether a test counts for the page: each run of it sees the same, and what it sees is what it is for.

    What random days come across is luck, and would be other luck after any change.
    """
    return (
        item.nodeid.startswith(tuple(f"{folder}/" for folder in FOLDERS))
        and "/test_random_" not in item.nodeid
        and item.get_closest_marker("full") is None
        and not getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
    )


def rules_of(item: pytest.Item) -> set[str]:
    """The rules that a test names, in its name or docstring; else those of its file's docstring."""
    own = getattr(getattr(item, "obj", None), "__doc__", None) or ""
    found = rules_in(item.name) | rules_in(own)
    if not found:
        module = getattr(item, "module", None)
        found = rules_in(getattr(module, "__doc__", None) or "")
    return found


class CoverageReport:
    """Knows which test runs; at the end of a whole run compares, or writes the page."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.write = bool(config.getoption("--write-coverage-page"))
        self.total = Recording()
        self.wanted = recorded_files()
        self.files: set[str] = set()
        self.deselected = 0
        self.skipped = 0
        self.unheld: set[str] = set()
        """Why sessions over sockets were skipped."""
        self.verdict: list[str] = []
        self.wrote = False

    # ------------------------------------------------------------ each test

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        if not counts(item):
            return (yield)
        RECORDER.begin(item.nodeid.partition("::")[0], rules_of(item))
        try:
            return (yield)
        finally:
            RECORDER.end()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.skipped or "full" in report.keywords or hasattr(report, "wasxfail"):
            return
        self.skipped += report.nodeid.startswith(FOLDERS)
        if report.nodeid.startswith(OVER_SOCKETS):
            self.unheld.add(report.longrepr[2] if isinstance(report.longrepr, tuple) else "skipped")

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self.deselected += sum(counts(item) for item in items)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.files |= {item.nodeid.partition("::")[0] for item in session.items}

    # ------------------------------------------------------------ the whole run

    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of xdist is done."""
        output = getattr(node, "workeroutput", {}).get(OUTPUT)
        if output is not None:
            self.total.add(Recording.from_json(output["recording"]))
            self.files |= set(output["files"])
            self.deselected = max(self.deselected, output["deselected"])

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        workeroutput = getattr(self.config, "workeroutput", None)
        if workeroutput is not None:
            workeroutput[OUTPUT] = {
                "recording": RECORDER.recording.as_json(),
                "files": sorted(self.files),
                "deselected": self.deselected,
            }
            return
        self.total.add(RECORDER.recording)
        if not self.whole or session.exitstatus != pytest.ExitCode.OK:
            return
        files = Files(ROOT)
        if self.write:
            self.wrote = True
            Page(self.total).write(files)
        sockets = OVER_SOCKETS in self.files and not self.unheld
        self.verdict = Page(self.total).differences(files, sockets=sockets)
        if self.verdict:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @property
    def whole(self) -> bool:
        """Did this run go through everything that is recorded?"""
        parts = any("::" in str(argument) for argument in self.config.args)
        return not parts and not self.deselected and not self.skipped and self.wanted <= self.files

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.skipped and self.wanted <= self.files:
            why = f"{self.skipped} of the tests that it is made of were skipped"
            terminalreporter.section(
                f"the page about coverage of OCPP 1.6 was not looked at: {why}"
            )
        for why in sorted(self.unheld):
            terminalreporter.section("no session was held with an independent back office")
            terminalreporter.line(why)
        if self.write:
            done = "written" if self.wrote else "NOT written: the run was not whole, or not green"
            terminalreporter.section(f"the page about coverage of OCPP 1.6 was {done}")
        if self.verdict:
            terminalreporter.section("the page about coverage of OCPP 1.6 is out of date", red=True)
            for line in self.verdict:
                terminalreporter.line(line)
            python = Path(sys.executable).name
            terminalreporter.line(f"write it again: {python} -m tests.support.coverage_page")
