"""A headless station loads what it needs for its work, and no more: that is its memory and its start."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from app.client import Station
from app.training.thread import TrainingCsmsThread

RUN = """
import atexit, json, runpy, sys
from pathlib import Path
out = Path(sys.argv.pop(1))
atexit.register(lambda: out.write_text(json.dumps(sorted(sys.modules)), "utf-8"))
runpy.run_module("ui", run_name="__main__", alter_sys=True)
"""

HEAVY = {
    "aioftp": "file servers only",
    "aiohttp": "file servers only",
    "cryptography": "certificates only",
    "difflib": "near words for a mistyped one",
    "jsonschema": "explains broken frames only",
    "numpy": "the window only",
    "ocpp": "the training CSMS only; its schemas are read as files",
    "PySide6": "the window only",
    "pyqtgraph": "the window only",
    "qasync": "the window only",
    "tarfile": "a log that is asked for",
}


@pytest.mark.parametrize(
    ("version", "other"), [("1.6", "app.ocpp.v201"), ("2.0.1", "app.ocpp.v16")]
)
def test_a_station_that_charges_has_loaded_nothing_heavy_and_one_personality(
    version: str, other: str, tmp_path: Path
) -> None:
    out = tmp_path / "modules.json"
    csms = TrainingCsmsThread()
    url = csms.start()
    try:
        command = [sys.executable, "-c", RUN, str(out)]
        options = ("--csms", url, "--id", "LIGHT", "--version", version)
        with Station(*options, command=command) as station:
            station.wait({"event": "BootStateChanged", "data.state": "accepted"}, after=0)
            station.do("station.plug_in", evse=1)
            station.do("station.present_card", id_token="04A29F1C", evse=1)
            station.wait({"event": "FlowChanged", "data.after": "charging"})
    finally:
        csms.stop()
    loaded = set(json.loads(out.read_text("utf-8")))
    assert "app.runtime.session" in loaded, "the list is that of a station at work"
    assert {name.partition(".")[0] for name in loaded} & set(HEAVY) == set()
    assert [name for name in loaded if name.startswith("app.training")] == []
    assert "app.runtime.control.websocket" not in loaded, "it is driven over stdio"
    assert [name for name in loaded if name == other or name.startswith(f"{other}.")] == []
