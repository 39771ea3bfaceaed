"""Headless stations as programs of their own: whole sessions, power cuts, restarts, the control channel."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.client import Refused, Station, StationError
from app.training.settings import CsmsSettings
from tests.e2e.office import Office, kinds, last

Forecourt = Callable[..., Station]

ANNA = "04A29F1C"
CHARGING = {"event": "FlowChanged", "data.after": "charging"}


@pytest.fixture
def ready_car(tmp_path: Path) -> str:
    """A configuration whose cars are ready as soon as they are plugged in."""
    file = tmp_path / "ready.toml"
    file.write_text("[vehicle]\nready_delay = 0\nsoc = 30\n", "utf-8")
    return str(file)


def begin_session(station: Station, office: Office, name: str) -> None:
    """Plug, card, and energy flows."""
    office.wait_accepted(name)
    station.do("station.plug_in", evse=1)
    station.do("station.present_card", id_token=ANNA, evse=1)
    station.wait(CHARGING, timeout=15)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_session_from_plug_to_unplug(
    forecourt: Forecourt, office: Office, ready_car: str, version: str
) -> None:
    station = forecourt(
        "--csms", office.url, "--id", "CP-1", "--version", version, "--config", ready_car
    )
    begin_session(station, office, "CP-1")
    office.wait_transaction("CP-1", lambda one: one.active and one.id_token == ANNA)
    station.call("clock.jump", seconds=600)
    station.do("station.press_stop", evse=1)
    ended = station.wait({"event": "TransactionEnded"}, timeout=10)
    station.do("station.unplug", evse=1)
    transaction = office.wait_transaction("CP-1", lambda one: not one.active)
    assert transaction.version == version
    assert kinds(transaction)[0] == "Started"
    assert "Ended" in kinds(transaction)
    assert transaction.stop_reason in ("Local", "")  # what OCPP assumes where none is told
    # ten minutes at 11 kW; both ends of the wire agree to the Wh that 1.6 rounds away
    assert transaction.energy_wh == pytest.approx(1840, rel=0.05)
    assert transaction.energy_wh == pytest.approx(ended["data"]["energy"], abs=1.5)
    assert transaction.missing_seq_nos == ()
    assert station.close() == 0
    office.wait_gone("CP-1")


@pytest.mark.parametrize("offered", ["ocpp1.6", "ocpp2.0.1"])
def test_auto_becomes_what_the_server_picks(
    forecourt: Forecourt, tmp_path: Path, offered: str
) -> None:
    office = Office(CsmsSettings(subprotocols=(offered,)))
    try:
        arguments = ("--csms", office.url, "--id", "CP-1", "--version", "auto")
        station = forecourt(*arguments, "--state-dir", str(tmp_path / "state"))
        office.wait_accepted("CP-1")
        assert station.ready["stations"][0]["version"] == "auto"
        assert station.call("station.snapshot")["version"] == offered.removeprefix("ocpp")
        assert station.close() == 0
    finally:
        office.close()


@pytest.mark.parametrize(
    ("version", "how"), [("1.6", "kill"), ("2.0.1", "kill"), ("2.0.1", "quit")]
)
def test_a_station_started_again_has_been_repowered(
    forecourt: Forecourt, office: Office, ready_car: str, tmp_path: Path, version: str, how: str
) -> None:
    """Orderly end and kill -9 alike: the session of before ends with PowerLoss, the register goes on."""
    arguments = ("--csms", office.url, "--version", version, "--config", ready_car)
    state = ("--state-dir", str(tmp_path / "state"))
    first = forecourt(*arguments, *state)
    name = first.ready["stations"][0]["id"]  # made up once, since none was given
    begin_session(first, office, name)
    office.wait_transaction(name, lambda one: one.active)
    first.call("clock.jump", seconds=300)
    before = first.call("station.snapshot")["station"]["evses"][0]["energy"]
    if how == "quit":
        assert first.close() == 0
    else:
        first.kill()
    office.wait_gone(name)
    mark = office.mark()
    again = forecourt(*arguments, *state)
    assert again.ready["stations"][0]["id"] == name
    office.wait_accepted(name)
    ended = office.wait_transaction(name, lambda one: not one.active)
    assert ended.stop_reason == "PowerLoss"
    assert kinds(ended).count("Ended") == 1
    assert ended.energy_wh == pytest.approx(920, rel=0.1)
    boot = office.wait_call(name, "BootNotification", after=mark)
    assert version == "1.6" or boot.payload["reason"] == "PowerUp"
    snapshot = again.call("station.snapshot")
    assert snapshot["station"]["evses"][0]["energy"] >= before - 1
    assert snapshot["station"]["evses"][0]["connectors"][0]["plugged"]
    assert not snapshot["station"]["evses"][0]["permitted"]


def test_what_happened_offline_is_told_after_a_kill(
    forecourt: Forecourt, office: Office, ready_car: str, tmp_path: Path
) -> None:
    """The outbox is on disk: messages that never left before the kill are delivered afterwards."""
    arguments = ("--csms", office.url, "--id", "CP-1", "--version", "2.0.1")
    more = ("--config", ready_car, "--state-dir", str(tmp_path / "state"))
    station = forecourt(*arguments, *more)
    begin_session(station, office, "CP-1")
    office.wait_transaction("CP-1", lambda one: one.active)
    station.do("network.cut")
    office.wait_gone("CP-1")
    station.call("clock.jump", seconds=120)
    station.do("station.press_stop", evse=1)
    station.wait({"event": "TransactionEnded"}, timeout=10)
    assert station.call("station.snapshot")["queue"] > 0
    station.kill()
    again = forecourt(*arguments, *more)
    if not again.call("station.snapshot")["station"]["network"]:
        again.do("network.restore")
    ended = office.wait_transaction("CP-1", lambda one: not one.active, timeout=15)
    assert last(ended).kind == "Ended"
    assert last(ended).offline
    assert ended.missing_seq_nos == ()
    assert ended.stop_reason != "PowerLoss"


def test_power_of_the_station_cut_and_restored_by_control(
    forecourt: Forecourt, office: Office, ready_car: str
) -> None:
    arguments = ("--csms", office.url, "--id", "CP-1", "--version", "1.6")
    station = forecourt(*arguments, "--config", ready_car)
    begin_session(station, office, "CP-1")
    office.wait_transaction("CP-1", lambda one: one.active)
    station.do("station.cut_mains")
    office.wait_gone("CP-1")
    mark = office.mark()
    with pytest.raises(Refused):
        station.do("station.present_card", id_token=ANNA)
    assert office.calls("CP-1", after=mark) == []
    station.do("station.restore_mains")
    office.wait_call("CP-1", "BootNotification", after=mark)
    ended = office.wait_transaction("CP-1", lambda one: not one.active)
    assert ended.stop_reason == "PowerLoss"


def test_commands_of_the_back_office_reach_the_program(
    forecourt: Forecourt, office: Office, ready_car: str
) -> None:
    """Remote start, unknown actions and a reset, over real sockets."""
    arguments = ("--csms", office.url, "--id", "CP-1", "--version", "2.0.1")
    station = forecourt(*arguments, "--config", ready_car)
    office.wait_accepted("CP-1")
    station.do("station.plug_in", evse=1)
    start = {
        "remoteStartId": 7,
        "evseId": 1,
        "idToken": {"idToken": ANNA, "type": "ISO14443"},
    }
    outcome = office.thread.call("CP-1", "RequestStartTransaction", start).result(10)
    assert outcome.payload["status"] == "Accepted"
    started = office.wait_transaction("CP-1", lambda one: one.active)
    assert started.events[0].payload["transactionInfo"]["remoteStartId"] == 7
    refused = office.thread.call("CP-1", "CostUpdated", {"totalCost": 1.0, "transactionId": "x"})
    assert refused.result(10).code == "NotSupported"
    mark = office.mark()
    reset = office.thread.call("CP-1", "Reset", {"type": "Immediate"}).result(10)
    assert reset.payload["status"] == "Accepted"
    boot = office.wait_call("CP-1", "BootNotification", after=mark)
    assert boot.payload["reason"] == "RemoteReset"
    ended = office.wait_transaction("CP-1", lambda one: not one.active)
    assert ended.stop_reason == "ImmediateReset"


def test_the_other_end_of_the_pipe_decides_how_it_ends(
    forecourt: Forecourt, office: Office
) -> None:
    """The end of stdin and `app.quit` are orderly, code 0; SIGTERM is orderly too, code 130."""
    quitting = forecourt("--csms", office.url, "--id", "CP-1", "--version", "1.6")
    office.wait_accepted("CP-1")
    assert quitting.call("app.quit") == {"accepted": True}
    assert quitting.close() == 0
    office.wait_gone("CP-1")
    stopped = forecourt("--csms", office.url, "--id", "CP-2", "--version", "1.6")
    office.wait_accepted("CP-2")
    os.kill(stopped.pid, signal.SIGTERM)
    with pytest.raises(StationError, match="has ended"):
        stopped.wait({"event": "NeverThis"}, timeout=15)
    assert stopped.close() == 130
    assert stopped.log == ""
    office.wait_gone("CP-2")


BLOCKER = """
import sys
from importlib.abc import MetaPathFinder

BLOCKED = ("PySide6", "shiboken6", "qasync", "pyqtgraph", "numpy")


class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            sys.stderr.write(f"{name} was imported\\n")
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Missing())
"""


def test_headless_runs_where_no_part_of_the_window_can_be_imported(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blocker.py").write_text(BLOCKER, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    start = "import blocker, runpy; runpy.run_module('ui', run_name='__main__', alter_sys=True)"
    blocked = subprocess.run(
        [sys.executable, "-c", "import blocker, PySide6"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert "No module named 'PySide6'" in blocked.stderr
    arguments = ("--csms", office.url, "--id", "CP-1", "--version", "2.0.1")
    with Station(*arguments, command=[sys.executable, "-c", start]) as station:
        office.wait_accepted("CP-1")
        station.do("station.plug_in", evse=1)
        assert station.close() == 0
    assert station.log == ""
