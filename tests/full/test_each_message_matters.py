"""Each message of 1.6 is broken once, and a test must notice: long, so with `--full` only.

Which test files are tried, and in which order, comes from the recording of coverage: those in which most
tests looked at the message go first.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.ocpp.version import Version
from tests.support.coverage_page import ACTIONS, ARROWS, Files, load
from tests.support.coverage_record import OFFICE, STATION, Recording
from tests.support.harness import Bench
from tests.support.mutation import ANSWERS, HIDES, VARIABLE

SENT_BY = {ANSWERS: OFFICE, HIDES: STATION}
MUTANTS = [
    (how, action)
    for how, sender in SENT_BY.items()
    for action, arrow in ACTIONS.items()
    if sender in ARROWS[arrow]
]
NOTICED, UNNOTICED = 1, 0
"""Exit codes of pytest."""


@pytest.fixture(scope="module")
def recording(checkout: Path) -> Recording:
    return load(Files(checkout))


def run_mutant(checkout: Path, mutant: str, files: list[str]) -> subprocess.CompletedProcess[str]:
    """The tests of these files against a station with one thing broken, up to the first failure."""
    options = ["-x", "-q", "-p", "tests.support.mutation", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *files],
        cwd=checkout,
        env={**os.environ, VARIABLE: mutant},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.full
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("how", "action"), MUTANTS, ids=[" ".join(each) for each in MUTANTS])
async def test_a_broken_message_is_noticed(
    checkout: Path, recording: Recording, how: str, action: str
) -> None:
    bench = Bench(Version.V16)
    handled = action in bench.personality.handlers()
    await bench.close()
    bench.let_go()
    seen = recording.seen.get((action, SENT_BY[how]))
    if how == ANSWERS and not handled:
        pytest.skip("the station does not answer this yet")
    assert seen is not None, "no test sees this message"
    assert seen.tests, "no test looks at this message"
    files = sorted(seen.tests, key=lambda file: -seen.tests[file])
    run = run_mutant(checkout, f"{how} {action}", files)
    assert run.returncode in (NOTICED, UNNOTICED), run.stdout + run.stderr
    assert run.returncode == NOTICED, f"survived: {how} {action}, against {', '.join(files)}"


@pytest.mark.full
@pytest.mark.timeout(300)
@pytest.mark.parametrize("how", [ANSWERS, HIDES])
def test_a_station_with_nothing_broken_passes(checkout: Path, how: str) -> None:
    """What the job calls noticed is not the job itself."""
    run = run_mutant(checkout, f"{how} NoSuchMessage", ["tests/conformance/v16/test_sessions.py"])
    assert run.returncode == UNNOTICED, run.stdout + run.stderr
