"""GetLog of the security extension: both logs, each status, a newer request, triggers (N01)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.ocpp.context import TransferTrouble
from app.ocpp.shared.jobs.faults import LogFault
from tests.conformance.v16.conftest import Make
from tests.conformance.v16.file_bench import UP, Servers, ports, trouble
from tests.support.harness import Bench

STATUS = "LogStatusNotification"


def request(
    request_id: int = 3, kind: str = "DiagnosticsLog", url: str = UP, **fields: Any
) -> dict[str, Any]:
    log = {"remoteLocation": url}
    for name in ("oldestTimestamp", "latestTimestamp"):
        if name in fields:
            log[name] = fields.pop(name)
    return {"logType": kind, "requestId": request_id, "log": log, **fields}


async def ask(bench: Bench, *arguments: Any, **fields: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await bench.request("GetLog", request(*arguments, **fields))
    return answer


def told(bench: Bench) -> list[tuple[str, int | None]]:
    return [(item["status"], item.get("requestId")) for item in bench.sent(STATUS)]


async def triggered(bench: Bench) -> dict[str, Any]:
    answer = await bench.request("ExtendedTriggerMessage", {"requestedMessage": STATUS})
    assert answer == {"status": "Accepted"}
    return bench.sent(STATUS)[-1]


@pytest.mark.parametrize(
    ("kind", "word"), [("DiagnosticsLog", "diagnostics"), ("SecurityLog", "security")]
)
async def test_DG_03_both_logs_are_sent_under_the_name_that_was_told(
    bench16: Make, tmp_path: Path, kind: str, word: str
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    name = f"station-{word}-20260115T080000Z.tar.gz"
    assert await ask(bench, 3, kind) == {"status": "Accepted", "filename": name}
    assert told(bench) == [("Uploading", 3), ("Uploaded", 3)]
    assert bench.ports["transfer"].uploads == [(UP, name, b"the log")]
    assert bench.ports["logs"].asked[0][0] == kind


async def test_DG_03_without_a_log_it_is_rejected(bench16: Make, tmp_path: Path) -> None:
    bench = bench16(ports=ports(tmp_path))
    bench.ports["logs"].empty = True
    await bench.boot()
    assert await ask(bench) == {"status": "Rejected"}
    assert told(bench) == []


async def test_DG_05_the_timestamps_are_the_period(bench16: Make, tmp_path: Path) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    await ask(bench, latestTimestamp="2026-01-15T07:30:00Z")
    until = datetime(2026, 1, 15, 7, 30, tzinfo=UTC)
    assert bench.ports["logs"].asked == [("DiagnosticsLog", None, until)]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (TransferTrouble.DENIED, "PermissionDenied"),
        (TransferTrouble.BAD_MESSAGE, "BadMessage"),
        (TransferTrouble.NOT_SUPPORTED, "NotSupportedOperation"),
        (TransferTrouble.CUT_OFF, "UploadFailure"),
        (TransferTrouble.NOT_FOUND, "UploadFailure"),
        (TransferTrouble.UNREACHABLE, "UploadFailure"),
    ],
)
async def test_DG_04_a_failure_is_told_as_precisely_as_there_are_words(
    bench16: Make, tmp_path: Path, kind: TransferTrouble, status: str
) -> None:
    bench = bench16(ports=ports(tmp_path, Servers([trouble(kind)])))
    await bench.boot()
    await ask(bench, retries=0)
    assert told(bench) == [("Uploading", 3), (status, 3)]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (LogFault.UPLOAD, "UploadFailure"),
        (LogFault.DENIED, "PermissionDenied"),
        (LogFault.BAD_MESSAGE, "BadMessage"),
        (LogFault.NOT_SUPPORTED, "NotSupportedOperation"),
    ],
)
async def test_failures_that_a_person_chooses(
    bench16: Make, tmp_path: Path, fault: LogFault, status: str
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    bench.ports["faults"].log.choose(fault, None)
    await ask(bench, retries=1, retryInterval=1)
    await bench.advance(5)
    assert told(bench)[-1] == (status, 3)
    bench.ports["faults"].log.choose(None)
    await ask(bench, 4)
    assert told(bench)[-1] == ("Uploaded", 4)


async def test_DG_04_a_newer_request_cancels_the_older_one(bench16: Make, tmp_path: Path) -> None:
    servers = Servers([asyncio.Event(), b""])
    bench = bench16(ports=ports(tmp_path, servers))
    await bench.boot()
    bench.start_request("GetLog", request(1))
    await servers.begun.wait()
    answer = await ask(bench, 2, "SecurityLog")
    assert answer["status"] == "AcceptedCanceled"
    assert answer["filename"].startswith("station-security-")
    assert told(bench) == [("Uploading", 1), ("Uploading", 2), ("Uploaded", 2)]


async def test_a_power_cut_in_the_middle_sends_it_anew(bench16: Make, tmp_path: Path) -> None:
    servers = Servers([asyncio.Event(), b""])
    bench = bench16(ports=ports(tmp_path, servers))
    await bench.boot()
    bench.start_request("GetLog", request(1))
    await servers.begun.wait()
    while bench.store.count("job_notices"):
        await asyncio.sleep(0)  # Uploading has been answered
    await bench.kill_and_restart()
    assert told(bench) == [("Uploading", 1), ("Uploading", 1), ("Uploaded", 1)]


async def test_N01_FR_12_a_trigger_tells_uploading_with_and_idle_without_an_id(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    assert await triggered(bench) == {"status": "Idle"}
    bench.ports["faults"].upload_seconds = 60.0
    await ask(bench, 9)
    assert await triggered(bench) == {"status": "Uploading", "requestId": 9}
    await bench.advance(61)
    assert await triggered(bench) == {"status": "Idle"}


async def test_diagnostics_and_a_log_may_be_sent_at_the_same_time(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    bench.ports["faults"].upload_seconds = 60.0
    await ask(bench, 9)
    await bench.request("GetDiagnostics", {"location": UP})
    assert {(job.kind, job.running) for job in bench.personality.jobs()} == {
        ("log", True),
        ("diagnostics", True),
    }
    await bench.advance(61)
    assert told(bench)[-1] == ("Uploaded", 9)
    assert bench.sent("DiagnosticsStatusNotification")[-1] == {"status": "Uploaded"}
