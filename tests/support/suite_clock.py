"""What the tests of each folder take, against a budget; the slow callbacks they met, the seeds they used."""

from __future__ import annotations

import pytest

# The name under which a test hands a slow callback of the event loop to the closing report.
SLOW_CALLBACK = "slow loop callback"

# The name under which a random test hands over its seed and what it met, for the closing report.
SEED = "seed"


def tell_seed(request: pytest.FixtureRequest, words: str) -> None:
    """Have the end of the run tell the seed; not by `record_property`, which a report of JUnit refuses."""
    request.node.user_properties.append((SEED, words))


class SuiteClock:
    """Adds up what the tests of each suite take and compares it with its budget."""

    def __init__(self, budgets: dict[str, float], tolerance: float) -> None:
        self.budgets = budgets
        self.tolerance = tolerance
        self.spent: dict[str, float] = {}

    def suite_of(self, nodeid: str) -> str | None:
        """The closest folder with a budget."""
        folder = nodeid.partition("::")[0]
        while "/" in folder:
            folder = folder.rpartition("/")[0]
            if folder in self.budgets:
                return folder
        return None

    def charge(self, nodeid: str, seconds: float) -> None:
        """Count time against the suite of a test."""
        suite = self.suite_of(nodeid)
        if suite is not None:
            self.spent[suite] = self.spent.get(suite, 0.0) + seconds

    def over_budget(self) -> list[str]:
        """The suites that took more than their budget and its tolerance."""
        return [
            suite
            for suite, seconds in sorted(self.spent.items())
            if seconds > self.budgets[suite] * self.tolerance
        ]

    def lines(self) -> list[str]:
        """A table of all suites that ran."""
        return [
            f"{suite:<24} {seconds:7.1f} s of {self.budgets[suite]:5.0f} s"
            + ("  over budget" if seconds > self.budgets[suite] else "")
            for suite, seconds in sorted(self.spent.items())
        ]


class SuiteReport:
    """Charges the suites, prints the table, and fails a CI run that became too slow."""

    def __init__(self, clock: SuiteClock, fails: bool) -> None:
        self.clock = clock
        self.fails = fails
        self.slow_callbacks: list[str] = []
        self.seeds: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if "full" not in report.keywords:
            self.clock.charge(report.nodeid, report.duration)
        if report.when == "teardown":
            for name, value in report.user_properties:
                if name == SLOW_CALLBACK:
                    self.slow_callbacks.append(f"{report.nodeid}: {value}")
                if name == SEED:
                    self.seeds.append(str(value))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.fails and self.clock.over_budget() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.seeds:
            terminalreporter.section("seeds")
            for line in self.seeds:
                terminalreporter.line(line)
        if self.slow_callbacks:
            terminalreporter.section("slow callbacks in the event loop")
            for line in self.slow_callbacks:
                terminalreporter.line(line)
        if len(self.clock.spent) < 2 and not self.clock.over_budget():
            return  # a single suite, as while working on it: its time stands in the last line
        terminalreporter.section("time of the suites")
        for line in self.clock.lines():
            terminalreporter.line(line)
        for suite in self.clock.over_budget():
            terminalreporter.line(
                f"{suite} took more than {self.clock.tolerance:g} times its budget", red=True
            )
