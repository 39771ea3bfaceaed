"""What people get wrong: each gets a sentence on stderr and an exit code of the table, never a traceback."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from app.client import Station, StationError
from app.ocpp.points import registry
from app.training.settings import BootAnswer, BootStatus, CsmsSettings
from tests.e2e.conftest import Program
from tests.e2e.office import Office

Forecourt = Callable[..., Station]
NOWHERE = ("--csms", "ws://127.0.0.1:9/", "--id", "CP-1")


def one_sentence(result: subprocess.CompletedProcess[str]) -> str:
    """What stderr says; stdout had JSON or nothing."""
    for line in result.stdout.splitlines():
        json.loads(line)
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) <= 4, result.stderr
    return result.stderr


def test_a_broken_configuration_is_named_with_its_place(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "station.toml"
    file.write_text('[csms]\nversoin = "1.6"\n', "utf-8")
    result = program("headless", *NOWHERE, "--config", str(file))
    assert result.returncode == 3
    assert result.stdout == ""
    sentence = one_sentence(result)
    assert str(file) in sentence
    assert "csms.versoin" in sentence


def test_a_broken_blueprint_is_named(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "pole.toml"
    file.write_text("name = 3\n", "utf-8")
    result = program("headless", *NOWHERE, "--blueprint", str(file))
    assert result.returncode == 3
    assert str(file) in one_sentence(result)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--csms", "http://example.org/"),
        ("--csms", "ws://127.0.0.1:9/", "--ca", "missing.pem"),
        ("--csms", "wss://127.0.0.1:9/", "--cert", "missing.pem", "--key", "missing.key"),
    ],
)
def test_what_can_never_work_ends_at_once(program: Program, arguments: tuple[str, ...]) -> None:
    result = program("headless", "--id", "CP-1", *arguments)
    assert result.returncode == 3
    assert arguments[-1].removesuffix(".key") in one_sentence(result)
    assert result.stdout == ""


def test_a_wrong_option_is_told_with_where_to_look(program: Program) -> None:
    result = program("headless", *NOWHERE, "--verison", "1.6")
    assert result.returncode == 2
    assert "--verison" in one_sentence(result)
    assert "--help" in result.stderr


def test_a_broken_state_file_is_kept_and_a_fresh_one_begun(
    program: Program, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "state.sqlite3").write_bytes(b"no database " * 500)
    result = program("headless", *NOWHERE, "--state-dir", str(state))
    assert result.returncode == 0
    kept = next(state.glob("state.sqlite3.broken-*"))
    assert kept.name in one_sentence(result)
    assert kept.read_bytes() == b"no database " * 500


def test_a_state_that_cannot_be_made_is_told(program: Program, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    result = program("headless", *NOWHERE, "--state-dir", str(tmp_path / "file" / "state"))
    assert result.returncode == 5
    assert str(tmp_path / "file" / "state") in one_sentence(result)


@pytest.mark.skipif(sys.platform != "linux", reason="needs to limit the files of another program")
@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_full_disk_ends_the_charging_is_told_and_costs_no_message(
    office: Office, tmp_path: Path, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
        monkeypatch.delenv(name, raising=False)  # what measures coverage writes files, too

    config = tmp_path / "station.toml"
    config.write_text(
        "[vehicle]\nready_delay = 0\n[keys]\nMeterValueSampleInterval = 1\n"
        '[[variables]]\ncomponent = "SampledDataCtrlr"\nvariable = "TxUpdatedInterval"\nvalue = 1\n',
        "utf-8",
    )
    arguments = ("--csms", office.url, "--id", "CP-1", "--version", version)
    arguments += ("--config", str(config), "--state-dir", str(tmp_path / "state"))
    with Station(*arguments) as station:
        office.wait_accepted("CP-1")
        station.do("station.plug_in", evse=1)
        station.do("station.present_card", id_token="04A29F1C", evse=1)
        station.wait({"event": "FlowChanged", "data.after": "charging"})
        full = (tmp_path / "state" / "state.sqlite3-wal").stat().st_size
        resource.prlimit(station.pid, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
        station.wait({"event": "FaultRaised", "data.fault": "internal"})
        evse = station.call("station.snapshot")["station"]["evses"][0]
        assert not evse["contactor_closed"]
        assert station.close() == 0
    assert "Free space or mend the disk" in station.log
    assert "please report" not in station.log
    assert "Traceback" not in station.log
    with Station(*arguments) as station:
        ended = office.wait_transaction("CP-1", lambda one: not one.active)
        assert station.close() == 0
    assert ended.stop_reason == "PowerLoss"


def test_a_second_program_on_the_same_state_is_refused(
    forecourt: Forecourt, program: Program, tmp_path: Path
) -> None:
    state = ("--state-dir", str(tmp_path / "state"))
    first = forecourt(*NOWHERE, "--version", "1.6", *state)
    result = program("headless", *NOWHERE, "--version", "1.6", *state)
    assert result.returncode == 4
    assert str(first.pid) in one_sentence(result)
    assert str(tmp_path / "state") in result.stderr
    assert first.call("station.snapshot")["station_id"] == "CP-1"  # and the first goes on
    assert first.close() == 0


def test_no_connection_in_time_ends_with_the_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"ws://127.0.0.1:{port}/"
    with Station("--csms", url, "--id", "CP-1", "--connect-timeout", "1") as station:
        with pytest.raises(StationError, match="has ended"):
            station.wait({"event": "LinkOpened"}, timeout=15)
        assert station.close() == 6
    assert f"nothing listens on port {port}" in station.log
    assert "Traceback" not in station.log


def test_a_mute_server_is_told_as_such() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"ws://127.0.0.1:{mute.getsockname()[1]}/"
        with Station("--csms", url, "--id", "CP-1", "--connect-timeout", "1") as station:
            with pytest.raises(StationError, match="has ended"):
                station.wait({"event": "LinkOpened"}, timeout=15)
            assert station.close() == 6
    assert "No connection within 1 s. 127.0.0.1, port" in station.log
    assert "accepted the connection but did not answer" in station.log


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (BootStatus.REJECTED, "register it there under this id. It is asked again in 30 s"),
        (BootStatus.PENDING, "has not accepted the station yet (Pending)"),
    ],
)
def test_a_back_office_that_does_not_accept_the_station_is_told(
    answer: BootStatus, said: str
) -> None:
    office = Office(CsmsSettings(boot=BootAnswer(answer, interval_s=30)))
    try:
        with Station("--csms", office.url, "--id", "CP-1", "--version", "2.0.1") as station:
            with pytest.raises(
                StationError, match="not accepted within 1 s: The back office"
            ) as no:
                station.wait_accepted(timeout=1)
            assert said in str(no.value)
    finally:
        office.close()


def test_strict_mode_ends_at_a_point_that_nobody_decided(
    forecourt: Forecourt, office: Office, tmp_path: Path
) -> None:
    arguments = ("--csms", office.url, "--id", "CP-1", "--version", "2.0.1", "--strict")
    station = forecourt(*arguments)
    with pytest.raises(StationError):
        station.wait({"event": "NeverThis"}, timeout=15)
    assert station.close() == 7
    assert "ocpp201-tx-start-stop-point" in station.log
    decided = tmp_path / "decided.toml"
    points = [point for point in registry().values() if point.awaits is None]
    choices = "".join(f'"{point.id}" = "{point.default}"\n' for point in points)
    decided.write_text(f"[open_points]\n{choices}", "utf-8")
    station = forecourt(*arguments, "--config", str(decided))
    office.wait_accepted("CP-1")
    met = station.call("journal.read", filter={"event": "OpenPointMet"})["records"]
    assert {record["data"]["how"] for record in met} == {"config"}
    assert station.close() == 0


# ------------------------------------------------------------------ the WebSocket control channel


class Listening:
    """A station that is driven over a WebSocket."""

    def __init__(self, process: subprocess.Popen[str], token: str) -> None:
        assert process.stdout is not None
        self.process, self.token = process, token
        self.ready = json.loads(process.stdout.readline())
        self.url = f"ws://127.0.0.1:{self.ready['params']['port']}"

    def open(self, token: str, **more: Any) -> ClientConnection:
        headers = {"Authorization": f"Bearer {token}"}
        return connect(self.url, additional_headers=headers, proxy=None, **more)


@contextmanager
def listening(environment: dict[str, str], folder: Path) -> Iterator[Listening]:
    command = [sys.executable, "-m", "ui", "headless", *NOWHERE, "--version", "1.6"]
    more = ["--control", "ws://127.0.0.1:0", "--control-token-file", str(folder / "token")]
    process = subprocess.Popen(
        [*command, *more],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
        cwd=folder,
    )
    watchdog = threading.Timer(30, process.kill)
    watchdog.start()
    try:
        found = Listening(process, "")
        found.token = (folder / "token").read_text("utf-8").strip()
        yield found
        process.wait(15)
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


def ask(connection: ClientConnection, method: str, **params: Any) -> Any:
    request = {"jsonrpc": "2.0", "id": method, "method": method, "params": params}
    connection.send(json.dumps(request))
    while True:
        answer = json.loads(connection.recv(10))
        if answer.get("id") == method:
            return answer["result"]


def test_the_websocket_channel_wants_its_token_and_no_page(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with listening(environment, tmp_path) as station:
        assert station.ready["method"] == "ready"
        assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600
        for token, more, status in (
            ("guess", {}, 401),
            ("", {}, 401),
            (station.token, {"origin": "http://127.0.0.1"}, 403),
        ):
            with pytest.raises(InvalidStatus) as caught, station.open(token, **more):
                pass
            assert caught.value.response.status_code == status
        with station.open(station.token) as one, station.open(station.token) as two:
            assert ask(one, "station.plug_in", evse=2) == {"accepted": True}
            snapshot = ask(two, "station.snapshot")
            assert snapshot["station"]["evses"][1]["connectors"][0]["plugged"]
            assert ask(two, "app.quit") == {"accepted": True}
    assert station.process.returncode == 0


def test_a_taken_control_port_is_told(program: Program, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        control = ("--control", f"ws://127.0.0.1:{port}")
        state = ("--state-dir", str(tmp_path / "state"))
        result = program("headless", *NOWHERE, *control, *state)
    assert result.returncode == 8
    assert str(port) in one_sentence(result)
    assert result.stdout == ""
