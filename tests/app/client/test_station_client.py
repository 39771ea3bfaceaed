"""The client of the control API against a stand-in; real stations are met in tests/e2e."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.client import Refused, Station, StationError, pytest_plugin
from app.client.station import ENDED, NOT_IN_TIME, interpreter
from app.runtime.control.errors import Code

STAND_IN = """
import json, sys, time

READY = {"jsonrpc": "2.0", "method": "ready", "params": {"control": "1.0", "argv": sys.argv[1:]}}
kept = []


def say(**message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


print(json.dumps(READY), flush=True)
print("a log line", file=sys.stderr, flush=True)
for line in sys.stdin:
    request = json.loads(line)
    ident, method, params = request["id"], request["method"], request["params"]
    if method == "keep":
        kept.append(ident)
    elif method == "fail":
        say(id=ident, error={"code": -32004, "message": "broken", "data": {"rule": "type"}})
    elif method == "refuse":
        say(id=ident, result={"accepted": False, "reason": "The door is open.", "code": "door"})
    elif method == "end":
        sys.exit(9)
    elif method == "deaf":
        time.sleep(60)
    else:
        say(method="journal.event", params={"record": {"seq": 1}})
        say(id=99999, result="for nobody")
        say(id=ident, result={"accepted": True, "record": params, "method": method})
        for late in kept:
            say(id=late, result="late")
        kept.clear()
sys.exit(3)
"""

Start = Callable[..., Station]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    made: list[Station] = []

    def run(*arguments: str, script: str = STAND_IN) -> Station:
        file = tmp_path / "stand_in.py"
        file.write_text(script, "utf-8")
        made.append(Station(*arguments, command=[sys.executable, str(file)], start_timeout=10))
        return made[-1]

    yield run
    for station in made:
        station.close()


def test_it_starts_the_program_with_its_arguments_on_stdio(start: Start) -> None:
    station = start("--id", "CP-1")
    assert station.ready["argv"] == ["headless", "--id", "CP-1", "--control", "stdio"]
    assert station.pid > 0


def test_a_result_an_error_and_a_refusal(start: Start) -> None:
    station = start()
    assert station.call("ask", evse=2)["record"] == {"evse": 2}
    with pytest.raises(StationError) as failed:
        station.call("fail")
    assert (failed.value.code, failed.value.data) == (-32004, {"rule": "type"})
    assert str(failed.value) == "broken (-32004)"
    with pytest.raises(Refused) as refused:
        station.do("refuse")
    assert (str(refused.value), refused.value.data) == ("The door is open.", "door")
    station.do("anything")


def test_answers_find_their_requests_in_any_order(start: Start) -> None:
    station = start()
    early = station.begin("keep")
    assert station.call("ask")["method"] == "ask"
    assert station.result(early) == "late"


def test_notifications_wait_in_order(start: Start) -> None:
    station = start()
    station.call("ask")
    assert station.notifications.get(timeout=5)["params"] == {"record": {"seq": 1}}


def test_wait_asks_the_journal(start: Start) -> None:
    station = start()
    wanted = {"event": "CablePlugged"}
    assert station.wait(wanted, timeout=5) == {"filter": wanted, "timeout": 5}
    assert station.wait(wanted, timeout=5, after=7)["after"] == 7


@pytest.mark.parametrize(("boot", "asked"), [("accepted", 0), ("pending", 1)])
def test_it_waits_for_the_back_office_where_that_has_not_accepted_it_yet(
    start: Start, boot: str, asked: int
) -> None:
    script = STAND_IN.replace(
        'if method == "keep":',
        f"""if method == "station.snapshot":
        say(id=ident, result={{"boot": "{boot}"}})
    elif method == "keep":""",
    )
    station = start(script=script)
    station.wait_accepted(timeout=5)
    assert station.notifications.qsize() == asked  # the stand-in tells one beside the record


def test_an_answer_that_does_not_come_is_an_error(start: Start) -> None:
    station = start()
    with pytest.raises(StationError, match=r"no answer within 0\.05 s"):
        station.call("keep", answer_timeout=0.05)
    assert station.call("ask")["method"] == "ask"  # what comes too late disturbs nobody


def test_the_end_of_the_program_is_told_to_whoever_waits(start: Start) -> None:
    station = start()
    with pytest.raises(StationError, match="the station has ended"):
        station.call("end")
    assert station.close() == 9
    assert station.close() == 9
    assert station.log == "a log line"
    with pytest.raises(StationError, match="the station has ended"):
        station.call("ask")


def test_a_request_that_the_end_cut_short_tells_the_last_words(start: Start) -> None:
    script = STAND_IN.replace(
        'if method == "keep":',
        """if method == "cut":
        say(id=ident, error={"code": -32008, "message": "The program ends."})
        print("No connection within 1 s.", file=sys.stderr, flush=True)
        sys.exit(6)
    if method == "keep":""",
    )
    station = start(script=script)
    with pytest.raises(StationError, match=r"has ended[^$]*No connection within 1 s") as caught:
        station.call("cut")
    assert caught.value.code == ENDED == Code.ENDED
    assert NOT_IN_TIME == Code.WAIT_TIMED_OUT
    assert station.close() == 6


def test_close_ends_stdin_and_tells_the_exit_code(start: Start) -> None:
    assert start().close() == 3


def test_as_a_context_it_is_closed_at_the_end(start: Start) -> None:
    with start() as station:
        station.call("ask")
    assert station._process.returncode == 3


def test_a_program_that_does_not_end_is_killed(start: Start) -> None:
    station = start()
    station.begin("deaf")
    with pytest.raises(StationError, match="did not end"):
        station.close(timeout=0.2)


def test_kill_is_a_power_cut(start: Start) -> None:
    station = start()
    station.kill()
    assert station.close() == -9


def test_a_program_that_never_gets_ready_tells_its_code_and_its_words(start: Start) -> None:
    script = textwrap.dedent("""
        import sys
        print("no such file", file=sys.stderr)
        sys.exit(3)
    """)
    with pytest.raises(StationError, match="before it was ready: no such file") as caught:
        start(script=script)
    assert caught.value.code == 3


def test_a_program_that_hangs_at_the_start_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with pytest.raises(StationError, match=r"not ready within 0\.2 s"):
        Station(command=command, start_timeout=0.2)


PLUGIN_TEST = """
def test_a_station_of_the_fixture(forecourt):
    station = forecourt("--csms", "ws://127.0.0.1:9/", "--id", "CP-1", "--version", "1.6")
    station.do("station.plug_in", evse=1)
    assert station.ready["stations"][0]["id"] == "CP-1"
"""


def test_the_plugin_gives_others_a_fixture(tmp_path: Path, checkout: Path) -> None:
    """As someone else's project uses it: another folder, which has packages of the same names."""
    (tmp_path / "test_theirs.py").write_text(PLUGIN_TEST, "utf-8")
    for name in ("ui", "tests"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('not this one')", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "app.client.pytest_plugin", "-q", str(tmp_path)],
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_a_station_that_does_not_end_leaves_no_other_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Stubborn(Station):
        def __init__(self, name: str) -> None:
            self.name = name

        def close(self, timeout: float = 20.0) -> int:
            closed.append(self.name)
            raise StationError(None, f"{self.name} did not end")

    closed: list[str] = []
    monkeypatch.setattr(pytest_plugin, "Station", Stubborn)
    fixture = pytest_plugin.forecourt.__wrapped__()  # type: ignore[attr-defined]
    start = next(fixture)
    assert [start(name).name for name in "ab"] == ["a", "b"]
    with pytest.raises(StationError, match="a did not end"):
        next(fixture)
    assert closed == ["b", "a"]


@pytest.mark.parametrize("place", ["bin/python", "Scripts/python.exe"])
def test_the_environment_of_the_checkout_runs_the_program(tmp_path: Path, place: str) -> None:
    """Whoever drives it has a Python of their own, without Forecourt's libraries."""
    assert interpreter(tmp_path) == sys.executable
    python = tmp_path / ".venv" / place
    python.parent.mkdir(parents=True)
    python.touch()
    assert interpreter(tmp_path) == str(python)
