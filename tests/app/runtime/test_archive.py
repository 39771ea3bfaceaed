"""A station in a file: what goes in, what stays out, and what is refused."""

from __future__ import annotations

import hashlib
import json
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.runtime.archive import (
    CONFIG,
    LIMITS,
    MANIFEST,
    STATE,
    STATE_FILE,
    ArchiveError,
    export_station,
    import_station,
    redacted_row,
)
from app.runtime.collector import Collector
from app.runtime.session import Session
from app.runtime.settings import load, resolve
from app.runtime.store import Store
from app.trace.journal import FILE_NAME as JOURNAL
from tests.support.loop_watch import LoopWatch

SECRET = "S3cret-Passw0rd!"
KEY = "-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----"


def rows() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        ("outbox", "0000000001"): {"action": "MeterValues", "payload": {"a": [1, "ü😀"]}},
        ("outbox", "0000000002"): {"action": "StopTransaction", "payload": {"idTag": "04A29F1C"}},
        ("v16.configuration", "authorizationkey"): {"value": SECRET},
        ("v16.configuration", "heartbeatinterval"): {"value": "77"},
        ("v201.variables", "SecurityCtrlr.BasicAuthPassword"): {"Actual": SECRET},
        ("keys", "k1"): {"pem": KEY},
        ("certificates", "c1"): {"use": "root", "pem": "-----BEGIN CERTIFICATE-----"},
        ("certificates", "c2"): {"use": "chain", "pem": "-----BEGIN CERTIFICATE-----"},
        ("runtime.wishes", "link"): {"wish": {"url": f"ws://u:{SECRET}@h/x", "password": SECRET}},
        ("outbox", "0000000003"): {
            "action": "DataTransfer",
            "payload": {"vendorId": "x", "data": json.dumps({"password": SECRET})},
        },
        ("logs", "job"): {"location": f"https://files/put?sig={SECRET}&a=1"},
        ("firmware", "job"): {"location": f"ftp://me:{SECRET}@files/fw.bin"},
    }


@pytest.fixture
def station(tmp_path: Path) -> Path:
    """A state folder with a bit of everything."""
    folder = tmp_path / "old"
    with_rows = Store(folder / STATE_FILE)
    for (table, key), row in rows().items():
        with_rows.put(table, key, row)
    with_rows.close()
    (folder / JOURNAL).write_text('{"seq":1}\n{"seq":2}\n')
    return folder


def exported(station: Path, target: Path) -> Path:
    flags = {"csms.url": "ws://127.0.0.1:9/ocpp", "csms.id": "CS-7", "security.password": SECRET}
    store = Store(station / STATE_FILE)
    try:
        found = export_station(target, resolve(flags=flags).config, store, station)
    finally:
        store.close()
    assert (found.rows, found.events) == (8, 2)
    return target


def test_what_went_in_comes_out_in_its_order_but_for_secrets(station: Path, tmp_path: Path) -> None:
    archive = exported(station, tmp_path / "station.zip")
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    new = tmp_path / "new" / "state"
    found = import_station(archive, new)
    assert (found.rows, found.events) == (8, 2)
    assert sorted(path.name for path in new.iterdir() if not path.name.endswith(".lock")) == [
        CONFIG,
        JOURNAL,
        STATE_FILE,
    ]
    assert stat.S_IMODE(new.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in new.iterdir()} == {0o600}
    store = Store(new / STATE_FILE)
    assert [key for key, _ in store.rows("outbox")] == [*("0000000001", "0000000002", "0000000003")]
    assert store.get("outbox", "0000000001") == rows()["outbox", "0000000001"]
    assert store.get("v16.configuration", "heartbeatinterval") == {"value": "77"}
    assert store.get("runtime.wishes", "link") == {"wish": {"url": "ws://u@h/x"}}
    assert store.get("firmware", "job") == {"location": "ftp://me@files/fw.bin"}
    store.close()
    config = load(new / CONFIG)
    assert (config.csms.id, config.security.password) == ("CS-7", None)
    assert config.hardware == resolve().config.hardware


def test_no_secret_is_in_any_byte_of_it(station: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(exported(station, tmp_path / "station.zip")) as archive:
        texts = b"".join(archive.read(name) for name in archive.namelist())
    assert SECRET.encode() not in texts
    assert b"PRIVATE KEY" not in texts


def test_a_row_keeps_words_that_only_look_like_secrets() -> None:
    row = {"idTag": "password", "status": "Accepted", "values": [1, None, True]}
    assert redacted_row("v16.cache", "04A29F1C", row) == row


async def test_thousands_of_messages_that_wait_do_not_hold_up_the_loop(
    tmp_path: Path, loop_watch: LoopWatch
) -> None:
    """To look through them takes a second; the archive is of one instant all the same."""
    session = Session(resolve().config, state_dir=tmp_path / "state")
    with session.store.step():
        for number in range(5_000):
            row = {"action": "MeterValues", "payload": {"password": SECRET, "at": number}}
            session.store.put("outbox", f"{number:010d}", row)
    collector = Collector()
    collector.start()
    collector.settle()
    try:
        with loop_watch:
            found = await session.export_station(tmp_path / "station.zip")
    finally:
        collector.stop()
        await session.stop()
    assert found.rows > 5_000
    with zipfile.ZipFile(tmp_path / "station.zip") as archive:
        state = archive.read(STATE)
    assert state.count(b"MeterValues") == 5_000
    assert SECRET.encode() not in state


async def test_a_state_in_memory_is_exported_too(tmp_path: Path) -> None:
    session = Session(resolve().config)
    session.store.put("outbox", "1", {"action": "MeterValues", "payload": {}})
    try:
        await session.export_station(tmp_path / "station.zip")
    finally:
        await session.stop()
    with zipfile.ZipFile(tmp_path / "station.zip") as archive:
        assert b"MeterValues" in archive.read(STATE)


# ---- what is refused


def remade(archive: Path, change: Callable[[dict[str, bytes]], None], *, seal: bool = True) -> Path:
    """The archive with something changed; `seal`: with a manifest that fits again."""
    with zipfile.ZipFile(archive) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    change(parts)
    if seal and MANIFEST in parts:
        manifest = json.loads(parts[MANIFEST])
        for name, part in manifest["parts"].items():
            data = parts.get(name, b"")
            part |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        parts[MANIFEST] = json.dumps(manifest).encode()
    target = archive.with_name("changed.zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in parts.items():
            new.writestr(name, data)
    return target


def put(name: str, data: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda parts: parts.update({name: data})


def newer(parts: dict[str, bytes]) -> None:
    manifest = json.loads(parts[MANIFEST])
    parts[MANIFEST] = json.dumps(manifest | {"version": 99, "program": "9.9"}).encode()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (put("../../evil", b"x"), "archive.foreign"),
        (put("/etc/passwd", b"x"), "archive.foreign"),
        (put("config.json/../x", b"x"), "archive.foreign"),
        (lambda parts: parts.pop(MANIFEST), "archive.foreign"),
        (lambda parts: parts.pop(STATE), "archive.foreign"),
        (put(MANIFEST, b"[]"), "archive.foreign"),
        (
            put(MANIFEST, b'{"format":"forecourt-station","version":1,"parts":{}}'),
            "archive.foreign",
        ),
        (put(MANIFEST, b"[" * 60_000), "archive.foreign"),
        (newer, "archive.newer"),
        (put(STATE, b"no json\n"), "archive.broken"),
        (put(STATE, b'{"table":1,"key":"a","row":{}}\n'), "archive.broken"),
        (put(STATE, b"[" * 100_000), "archive.broken"),
        (put(CONFIG, b"{"), "runtime.config.syntax"),
        (put(CONFIG, b'{"nonsense": 1}'), "runtime.config.unknown"),
        (put(CONFIG, b" " * (LIMITS[CONFIG] + 1)), "archive.too_large"),
    ],
)
def test_what_is_no_archive_of_ours_is_refused_with_a_sentence(
    station: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None], why: str
) -> None:
    sealed = why not in {"archive.foreign", "archive.newer"}
    changed = remade(exported(station, tmp_path / "station.zip"), change, seal=sealed)
    with pytest.raises(ArchiveError) as caught:
        import_station(changed, tmp_path / "new")
    assert caught.value.text.id.startswith(why.rsplit(".", 1)[0])
    if why.startswith("archive"):
        assert caught.value.text.id == why
    assert not (tmp_path / "new").exists(), "all of it or nothing"
    assert not list(tmp_path.glob(".forecourt-*"))


def test_a_part_that_was_changed_on_the_way_is_noticed(station: Path, tmp_path: Path) -> None:
    archive = exported(station, tmp_path / "station.zip")
    changed = remade(archive, put(JOURNAL, b'{"seq":1}\n{"seq":3}\n'), seal=False)
    with pytest.raises(ArchiveError, match=r"archive\.broken"):
        import_station(changed, tmp_path / "new")


def test_a_zip_bomb_that_lies_about_its_size_is_stopped(station: Path, tmp_path: Path) -> None:
    """The directory of the zip says 10 bytes; what comes out is not believed."""
    bomb = b"0" * (LIMITS[CONFIG] * 4)
    changed = remade(exported(station, tmp_path / "station.zip"), put(CONFIG, bomb))
    data = changed.read_bytes()
    true_size = len(bomb).to_bytes(4, "little")
    assert data.count(true_size) >= 2
    changed.write_bytes(data.replace(true_size, (10).to_bytes(4, "little")))
    with pytest.raises(ArchiveError) as caught:
        import_station(changed, tmp_path / "new")
    assert caught.value.text.id in {"archive.broken", "archive.too_large"}


@pytest.mark.parametrize("cut", [0, 1, 30, 200, -1, -30])
def test_half_an_archive_is_refused(station: Path, tmp_path: Path, cut: int) -> None:
    archive = exported(station, tmp_path / "station.zip")
    archive.write_bytes(archive.read_bytes()[:cut])
    with pytest.raises(ArchiveError):
        import_station(archive, tmp_path / "new")


def test_a_folder_in_use_is_left_alone(station: Path, tmp_path: Path) -> None:
    archive = exported(station, tmp_path / "station.zip")
    with pytest.raises(ArchiveError, match=r"archive\.folder_in_use"):
        import_station(archive, station)
    with pytest.raises(ArchiveError, match=r"archive\.unreadable"):
        import_station(tmp_path / "none.zip", tmp_path / "new")
    with pytest.raises(ArchiveError, match=r"archive\.unreadable"):
        import_station(tmp_path, tmp_path / "new")  # a folder


def test_a_folder_that_cannot_be_made_is_a_sentence(station: Path, tmp_path: Path) -> None:
    store = Store(station / STATE_FILE)
    export_station(tmp_path / "good.zip", resolve().config, store, station)
    store.close()
    with pytest.raises(ArchiveError, match=r"archive\.cannot_make"):
        import_station(tmp_path / "good.zip", tmp_path / ("a" * 300))


@pytest.mark.parametrize("name", ["no/such.zip", "", "a" * 5000, "half\0name"])
def test_a_target_that_cannot_be_written_is_a_sentence(
    station: Path, tmp_path: Path, name: str
) -> None:
    store, before = Store(station / STATE_FILE), set(tmp_path.iterdir())
    with pytest.raises(ArchiveError, match=r"archive\.cannot_write"):
        export_station(tmp_path / name, resolve().config, store, station)
    store.close()
    assert set(tmp_path.iterdir()) == before


# ---- with real processes


class Headless:
    """A headless station as a process, spoken to over stdio."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "ui", "headless", *arguments]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._next = 0
        assert self._process.stdout is not None
        assert json.loads(self._process.stdout.readline())["method"] == "ready"

    def ask(self, method: str, **params: Any) -> Any:
        self._next += 1
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"jsonrpc": "2.0", "id": self._next, "method": method, "params": params}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        while True:
            answer = json.loads(self._process.stdout.readline())
            if answer.get("id") == self._next:
                return answer.get("result", answer.get("error"))

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def until(self, find: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if found := find():
                return found
            time.sleep(0.05)
        raise AssertionError(f"in vain; {self.ask('station.snapshot')}")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ui", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_station_moves_in_the_middle_of_its_work(tmp_path: Path) -> None:
    """Queue, settings, session and journal are those of before; a running session goes on as after a
    power cut, with what the first life had queued."""
    config = tmp_path / "config.toml"
    config.write_text(
        '[csms]\nurl = "ws://127.0.0.1:9/ocpp"\nid = "CS-7"\nversion = "1.6"\n'
        f'[security]\npassword = "{SECRET}"\n'
        "[keys]\nTxBeforeAcceptedEnabled = true\nAllowOfflineTxForUnknownId = true\n"
        "[vehicle]\nready_delay = 0\n"
    )
    old = tmp_path / "old"
    flags = ("--config", str(config), "--state-dir", str(old))
    first = Headless(*flags)
    assert first.ask("station.plug_in", evse=1)["accepted"]
    first.ask("station.present_card", id_token="04A29F1C", evse=1)
    first.until(lambda: first.ask("station.snapshot")["sessions"])
    assert first.ask("variables.set", name="HeartbeatInterval", value="77")["status"] == "Accepted"
    queue = first.ask("queue.read")
    assert queue["messages"][0]["action"] == "StartTransaction"
    assert queue["messages"][0]["state"] == "offline"
    live = first.ask("station.export", file=str(tmp_path / "live.zip"))
    assert live["rows"] > 5
    busy = run("export-station", str(tmp_path / "busy.zip"), *flags)
    assert busy.returncode == 4, "another program uses this state"
    snapshot = first.ask("station.snapshot")
    last = first.ask("journal.read", limit=1)["last"]
    first.end()

    done = run("export-station", str(tmp_path / "station.zip"), *flags)
    assert (done.returncode, done.stderr) == (0, "")
    for archive in ("live.zip", "station.zip"):
        new = tmp_path / f"from-{archive}"
        made = run("import-station", str(tmp_path / archive), "--state-dir", str(new))
        assert (made.returncode, made.stderr) == (0, "")
        assert f"--config {new / CONFIG}" in made.stdout
        second = Headless("--config", str(new / CONFIG), "--state-dir", str(new))
        after = second.ask("station.snapshot")
        waiting = second.ask("queue.read")["messages"]
        assert waiting[0]["id"] == queue["messages"][0]["id"]
        assert waiting[0]["at"] == queue["messages"][0]["at"]
        assert after["station_id"] == snapshot["station_id"] == "CS-7"
        before_plugs = snapshot["station"]["evses"][0]["connectors"]
        assert after["station"]["evses"][0]["connectors"][0]["plugged"]
        assert before_plugs[0]["plugged"]
        assert second.ask("variables.get", name="HeartbeatInterval")["value"] == "77"
        records = (new / JOURNAL).read_text().splitlines()
        assert len(records) >= last * 0.9
        assert SECRET.encode() not in (new / JOURNAL).read_bytes()
        second.end()
    again = run("import-station", str(tmp_path / "live.zip"), "--state-dir", str(new))
    assert again.returncode == 5
    assert "not empty" in again.stderr
