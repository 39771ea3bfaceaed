"""Firmware and logs between a whole station and the training CSMS, over real sockets."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import tarfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.kernel.bus import Bus
from app.kernel.units import stamp
from app.ocpp.context import BootState, Progress, TransferFailed, TransferTrouble
from app.ocpp.events import FileFaultChosen, FirmwareProgress
from app.ocpp.shared.jobs.faults import FirmwareFault, LogFault
from app.ocpp.shared.security_log import SecurityLog
from app.runtime.files import FOLDER, StationTransfers
from app.runtime.session import Session
from app.runtime.settings import resolve
from app.station.events import NetworkCut
from app.station.intents import CutNetwork, RestoreNetwork
from tests.support.csms import CsmsProbe, running_csms


@pytest.fixture
async def probe() -> AsyncIterator[CsmsProbe]:
    async with running_csms() as probe:
        yield probe


@pytest.fixture
async def session(probe: CsmsProbe, tmp_path: Path) -> AsyncIterator[Session]:
    flags = {"csms.url": probe.url, "csms.id": "CS-1", "csms.version": "1.6"}
    session = Session(resolve(flags=flags).config, state_dir=tmp_path / "state")
    session.files.faults.install_seconds = 0.05
    await session.start()
    await probe.wait_for("StatusNotification")
    assert session.snapshot().boot is BootState.ACCEPTED
    yield session
    await session.stop()


async def by_example(probe: CsmsProbe, action: str, **changes: Any) -> dict[str, Any]:
    """Send what the composer shows; `changes` go over its top level."""
    payload = probe.csms.example("CS-1", action) | changes
    outcome = await probe.call("CS-1", action, payload)
    assert outcome.payload is not None, outcome
    return dict(outcome.payload)


def now() -> str:
    return stamp(datetime.now(UTC))


async def test_update_firmware_from_the_composer_really_updates(
    probe: CsmsProbe, session: Session
) -> None:
    await by_example(probe, "UpdateFirmware", retrieveDate=now())
    done = await probe.wait_for(
        "FirmwareStatusNotification", where=lambda p: p["status"] == "Installed"
    )
    told = [one.payload["status"] for one in probe.received("FirmwareStatusNotification")]
    assert told == ["Downloading", "Downloaded", "Installing", "Installed"]
    assert probe.received("BootNotification")[-1].payload["firmwareVersion"] == "2.0.0"
    assert probe.received("BootNotification")[-1].seq < done.seq
    (job,) = session.snapshot().jobs
    assert (job.status, job.version, job.running) == ("Installed", "2.0.0", False)
    assert list((session.state_dir or Path()).joinpath(FOLDER).iterdir()) == []


async def test_the_root_and_then_signed_firmware_from_the_composer(
    probe: CsmsProbe, session: Session
) -> None:
    refused = await by_example(probe, "SignedUpdateFirmware")
    assert refused == {"status": "InvalidCertificate"}
    assert await by_example(probe, "InstallCertificate") == {"status": "Accepted"}
    payload = probe.csms.example("CS-1", "SignedUpdateFirmware")
    payload["firmware"]["retrieveDateTime"] = now()
    outcome = await probe.call("CS-1", "SignedUpdateFirmware", payload)
    assert outcome.payload == {"status": "Accepted"}
    await probe.wait_for(
        "SignedFirmwareStatusNotification", where=lambda p: p["status"] == "Installed"
    )
    told = [one.payload["status"] for one in probe.received("SignedFirmwareStatusNotification")]
    assert told == [
        "Downloading",
        "Downloaded",
        "SignatureVerified",
        "Installing",
        "InstallRebooting",
        "Installed",
    ]


def parts_of(data: bytes) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        found = {}
        for member in archive.getmembers():
            file = archive.extractfile(member)
            assert file is not None
            found[member.name] = file.read().decode()
        return found


async def test_diagnostics_are_an_archive_of_the_log_without_secrets(
    probe: CsmsProbe, session: Session
) -> None:
    key = {"key": "AuthorizationKey", "value": "too short to be taken"}
    await probe.call("CS-1", "ChangeConfiguration", key)
    url = probe.csms.files.upload_url("CS-1", "ftp")
    answer = await by_example(probe, "GetDiagnostics", location=url)
    await probe.wait_for("DiagnosticsStatusNotification", where=lambda p: p["status"] == "Uploaded")
    await probe.wait_until(lambda snapshot: len(snapshot.uploads) > 0)
    (record,) = probe.snapshot().uploads
    assert (record.name, record.protocol) == (answer["fileName"], "ftp")
    parts = parts_of(probe.csms.files.read(record))
    assert set(parts) == {"journal.jsonl", "exchanges.jsonl", "security.jsonl", "snapshot.json"}
    events = [json.loads(line)["event"] for line in parts["journal.jsonl"].splitlines()]
    assert "LinkOpened" in events
    exchanges = [json.loads(line) for line in parts["exchanges.jsonl"].splitlines()]
    assert "BootNotification" in {row["action"] for row in exchanges}
    assert all("summary" in row for row in exchanges)
    assert json.loads(parts["snapshot.json"])["station_id"] == "CS-1"
    everything = "\n".join(parts.values())
    assert key["value"] not in everything
    assert "training@" not in everything  # the password of the FTP server


async def test_https_is_trusted_with_the_root_that_the_back_office_installed(
    probe: CsmsProbe, session: Session
) -> None:
    told, up = "DiagnosticsStatusNotification", probe.csms.files.upload_url("CS-1", "https")
    ask = {"location": up, "retries": 0}
    await by_example(probe, "GetDiagnostics", **ask)
    await probe.wait_for(told, where=lambda p: p["status"] == "UploadFailed")
    (job,) = session.snapshot().jobs
    assert job.detail is not None
    assert job.detail.id == "transfer.not_trusted"
    authority = probe.settings.authority
    assert authority is not None
    root = {
        "certificateType": "CentralSystemRootCertificate",
        "certificate": authority.certificate_pem,
    }
    assert await by_example(probe, "InstallCertificate", **root) == {"status": "Accepted"}
    await by_example(probe, "GetDiagnostics", **ask)
    await probe.wait_for(told, where=lambda p: p["status"] == "Uploaded")
    (record,) = probe.snapshot().uploads
    assert record.protocol == "https"
    assert "journal.jsonl" in parts_of(probe.csms.files.read(record))


async def test_a_log_of_a_time_before_there_was_one_is_rejected(
    probe: CsmsProbe, session: Session
) -> None:
    early = {"latestTimestamp": "2001-01-01T00:00:00Z"}
    payload = probe.csms.example("CS-1", "GetLog") | {"logType": "DiagnosticsLog"}
    payload["log"] |= early
    outcome = await probe.call("CS-1", "GetLog", payload)
    assert outcome.payload == {"status": "Rejected"}


async def test_the_security_log_alone_and_of_its_time(probe: CsmsProbe, session: Session) -> None:
    log = SecurityLog(session.store)
    log.clear()
    assert await by_example(probe, "GetLog") == {"status": "Rejected"}
    when = datetime.now(UTC)
    log.add("TamperDetectionActivated", "door", when - timedelta(hours=2))
    log.add("MemoryExhaustion", "", when)
    payload = probe.csms.example("CS-1", "GetLog")
    payload["log"]["oldestTimestamp"] = stamp(when - timedelta(hours=1))
    outcome = await probe.call("CS-1", "GetLog", payload)
    assert outcome.payload is not None
    assert outcome.payload["status"] == "Accepted"
    await probe.wait_for("LogStatusNotification", where=lambda p: p["status"] == "Uploaded")
    (record,) = probe.snapshot().uploads
    parts = parts_of(probe.csms.files.read(record))
    assert set(parts) == {"security.jsonl"}
    (line,) = parts["security.jsonl"].splitlines()
    assert json.loads(line)["type"] == "MemoryExhaustion"


async def test_the_journal_is_cut_to_the_time_that_was_asked_for(session: Session) -> None:
    assert session.files.ports.logs is not None
    first = datetime.now(UTC) + timedelta(hours=1)
    logs = session.files.ports.logs
    assert not logs.holds("DiagnosticsLog", first, None)
    assert not logs.holds("DiagnosticsLog", first, first - timedelta(hours=2))
    path = await logs.archive("DiagnosticsLog", first, None)
    assert sys.platform == "win32" or path.stat().st_mode & 0o777 == 0o600
    parts = parts_of(path.read_bytes())
    assert (parts["journal.jsonl"], parts["exchanges.jsonl"]) == ("", "")
    path.unlink()


async def test_a_period_that_begins_at_a_whole_second_holds_what_came_within_it(
    session: Session,
) -> None:
    assert session.files.ports.logs is not None
    entries = session.journal.tail(1000)
    second = entries[-1].at.replace(microsecond=0)
    path = await session.files.ports.logs.archive("DiagnosticsLog", second, None)
    kept = parts_of(path.read_bytes())["journal.jsonl"].splitlines()
    path.unlink()
    within = [entry.seq for entry in entries if entry.at >= second]
    assert [json.loads(line)["seq"] for line in kept][: len(within)] == within


async def test_a_station_in_memory_has_a_log_and_a_folder_too(probe: CsmsProbe) -> None:
    flags = {"csms.url": probe.url, "csms.id": "CS-2", "csms.version": "1.6"}
    session = Session(resolve(flags=flags).config)
    await session.start()
    await probe.wait_for("StatusNotification", "CS-2")
    url = probe.csms.files.upload_url("CS-2")
    await probe.call("CS-2", "GetDiagnostics", {"location": url})
    await probe.wait_for("DiagnosticsStatusNotification", where=lambda p: p["status"] == "Uploaded")
    parts = parts_of(probe.csms.files.read(probe.snapshot().uploads[0]))
    assert "PowerCycleBegan" in parts["journal.jsonl"]
    folder = session.files.ports.files
    assert folder is not None
    assert folder.is_dir()
    await session.stop()
    assert not folder.exists()


async def test_a_cut_network_ends_a_download_and_it_is_tried_again(
    probe: CsmsProbe, session: Session
) -> None:
    cut = asyncio.Event()

    def look(entry: Any) -> None:
        if entry.event.status == "Downloading" and not cut.is_set():
            cut.set()
            asyncio.get_running_loop().call_soon(session.intend, CutNetwork())

    session.bus.subscribe(look, FirmwareProgress)
    await by_example(probe, "UpdateFirmware", retrieveDate=now(), retries=1, retryInterval=1)
    await cut.wait()
    while (job := session.snapshot().jobs[0]).due is None:
        await asyncio.sleep(0.01)
    assert job.detail is not None
    assert job.detail.id == "transfer.no_network"
    session.intend(RestoreNetwork())
    session.retry_now()
    await probe.wait_for(
        "FirmwareStatusNotification", where=lambda p: p["status"] == "Installed", timeout=10
    )


async def test_failures_are_chosen_and_told_in_the_journal(
    probe: CsmsProbe, session: Session
) -> None:
    session.files.choose_firmware_fault(FirmwareFault.DOWNLOAD, 3)
    session.files.choose_log_fault(LogFault.DENIED)
    session.files.choose_log_fault(None)
    told = [
        record["data"]
        for record in session.journal.range(1, session.journal.last_seq)
        if record["event"] == FileFaultChosen.__name__
    ]
    assert told == [
        {"kind": "firmware", "fault": "download", "times": 3},
        {"kind": "log", "fault": "denied", "times": 1},
        {"kind": "log", "fault": None, "times": 1},
    ]
    with pytest.raises(ValueError, match="at least once"):
        session.files.choose_log_fault(LogFault.EMPTY, 0)
    await by_example(probe, "UpdateFirmware", retrieveDate=now(), retries=0)
    await probe.wait_for(
        "FirmwareStatusNotification", where=lambda p: p["status"] == "DownloadFailed"
    )


async def test_what_an_earlier_run_left_is_cleared_but_not_the_image(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    for name in ("firmware.bin", "firmware.bin.part", "log-1.tar.gz"):
        (folder / name).write_bytes(b"x")
    session = Session(resolve(flags={"csms.version": "1.6"}).config, state_dir=tmp_path)
    assert [path.name for path in folder.iterdir()] == ["firmware.bin"]
    await session.start()
    await session.stop()


# ---------------------------------------------------------------- the network


class Slow:
    """A transfer that takes until it is let go."""

    def __init__(self) -> None:
        self.begun, self.go = asyncio.Event(), asyncio.Event()
        self.cancelled = False

    async def download(self, url: str, into: Path, *, progress: Progress) -> None:
        self.begun.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise

    async def upload(self, url: str, source: Path, name: str, *, progress: Progress) -> None:
        await self.download(url, source, progress=progress)


def no_progress(done: int, total: int | None) -> None:
    return None


async def test_without_a_network_nothing_begins(bus: Bus) -> None:
    slow = Slow()
    transfers = StationTransfers(bus, lambda: False, slow)
    with pytest.raises(TransferFailed) as failed:
        await transfers.upload("http://x/", Path("x"), "x", progress=no_progress)
    assert failed.value.trouble is TransferTrouble.UNREACHABLE
    assert not slow.begun.is_set()


async def test_a_cut_ends_what_is_under_way(bus: Bus) -> None:
    slow = Slow()
    transfers = StationTransfers(bus, lambda: True, slow)
    task = asyncio.ensure_future(transfers.download("http://x/", Path("x"), progress=no_progress))
    await slow.begun.wait()
    bus.publish(NetworkCut())
    with pytest.raises(TransferFailed):
        await task
    assert slow.cancelled


async def test_a_power_cut_ends_what_is_under_way(bus: Bus) -> None:
    slow = Slow()
    transfers = StationTransfers(bus, lambda: True, slow)
    task = asyncio.ensure_future(transfers.download("http://x/", Path("x"), progress=no_progress))
    await slow.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert slow.cancelled
