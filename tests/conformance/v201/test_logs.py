"""GetLog: both logs, each status, a newer request, triggers. Part 2, N01 and F06."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.ocpp.context import BootReason, TransferTrouble
from tests.conformance.v16.file_bench import UP, Servers, ports, trouble
from tests.conformance.v201.conftest import Make, get_variable
from tests.support.harness import Bench

STATUS = "LogStatusNotification"


def request(request_id: int = 3, kind: str = "SecurityLog", **fields: Any) -> dict[str, Any]:
    log = {"remoteLocation": UP}
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
    answer = await bench.request("TriggerMessage", {"requestedMessage": STATUS})
    assert answer == {"status": "Accepted"}
    return bench.sent(STATUS)[-1]


@pytest.mark.parametrize(
    ("kind", "word"), [("DiagnosticsLog", "diagnostics"), ("SecurityLog", "security")]
)
async def test_N01_FR_01_to_09_both_logs_are_sent_under_the_name_that_was_told(
    bench201: Make, tmp_path: Path, kind: str, word: str
) -> None:
    bench = bench201(ports=ports(tmp_path))
    await bench.boot()
    answer = await ask(bench, 3, kind)
    assert answer["status"] == "Accepted"
    assert f"-{word}-" in answer["filename"]
    assert told(bench) == [("Uploading", 3), ("Uploaded", 3)]
    assert bench.ports["transfer"].uploads == [(UP, answer["filename"], b"the log")]
    assert bench.ports["logs"].asked[0][0] == kind


async def test_N01_FR_05_without_a_log_it_is_rejected(bench201: Make, tmp_path: Path) -> None:
    bench = bench201(ports=ports(tmp_path))
    bench.ports["logs"].empty = True
    await bench.boot()
    assert await ask(bench) == {"status": "Rejected"}
    assert told(bench) == []


async def test_DG_05_the_timestamps_are_the_period(bench201: Make, tmp_path: Path) -> None:
    bench = bench201(ports=ports(tmp_path))
    await bench.boot()
    await ask(bench, oldestTimestamp="2026-01-15T07:30:00Z")
    since = datetime(2026, 1, 15, 7, 30, tzinfo=UTC)
    assert bench.ports["logs"].asked == [("SecurityLog", since, None)]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (TransferTrouble.DENIED, "PermissionDenied"),
        (TransferTrouble.BAD_MESSAGE, "BadMessage"),
        (TransferTrouble.UNREACHABLE, "UploadFailure"),
    ],
)
async def test_N01_FR_10_a_failure_is_told_after_all_retries(
    bench201: Make, tmp_path: Path, kind: TransferTrouble, status: str
) -> None:
    bench = bench201(ports=ports(tmp_path, Servers([trouble(kind)])))
    await bench.boot()
    await ask(bench, retries=1, retryInterval=10)
    assert told(bench) == [("Uploading", 3)]
    await bench.advance(11)
    assert told(bench) == [("Uploading", 3), ("Uploading", 3), (status, 3)]


@pytest.mark.parametrize("interval", [10**15, 10**400])
async def test_an_interval_beyond_any_calendar_is_a_long_wait(
    bench201: Make, tmp_path: Path, interval: int
) -> None:
    bench = bench201(ports=ports(tmp_path, Servers([trouble()])))
    await bench.boot()
    answer = await ask(bench, retries=1, retryInterval=interval)
    assert answer["status"] == "Accepted"
    (job,) = bench.personality.jobs()
    assert (job.running, job.attempt) == (True, 2)
    assert job.due is not None


async def test_N01_FR_10_what_will_never_work_is_not_tried_again(
    bench201: Make, tmp_path: Path
) -> None:
    bench = bench201(ports=ports(tmp_path, Servers([trouble(TransferTrouble.NOT_SUPPORTED)])))
    await bench.boot()
    await ask(bench, retries=1, retryInterval=10)
    assert told(bench) == [("Uploading", 3), ("NotSupportedOperation", 3)]


async def test_N01_FR_12_and_20_a_newer_request_cancels_the_older_one_which_is_told(
    bench201: Make, tmp_path: Path
) -> None:
    servers = Servers([asyncio.Event(), b""])
    bench = bench201(ports=ports(tmp_path, servers))
    await bench.boot()
    bench.start_request("GetLog", request(1))
    await servers.begun.wait()
    answer = await ask(bench, 2, "DiagnosticsLog")
    assert answer["status"] == "AcceptedCanceled"
    assert "-diagnostics-" in answer["filename"]
    assert told(bench) == [
        ("Uploading", 1),
        ("AcceptedCanceled", 1),
        ("Uploading", 2),
        ("Uploaded", 2),
    ]


async def test_a_power_cut_in_the_middle_sends_it_anew(bench201: Make, tmp_path: Path) -> None:
    servers = Servers([asyncio.Event(), b""])
    bench = bench201(ports=ports(tmp_path, servers))
    await bench.boot()
    bench.start_request("GetLog", request(1))
    await servers.begun.wait()
    while bench.store.count("job_notices"):
        await asyncio.sleep(0)  # Uploading has been answered
    await bench.kill_and_restart()
    assert told(bench) == [("Uploading", 1), ("Uploading", 1), ("Uploaded", 1)]


async def test_an_upload_that_ends_while_offline_is_told_when_the_link_is_back(
    bench201: Make, tmp_path: Path
) -> None:
    bench = bench201(ports=ports(tmp_path))
    await bench.boot()
    bench.ports["faults"].upload_seconds = 60.0
    await ask(bench)
    await bench.offline()
    await bench.advance(61)
    assert told(bench) == [("Uploading", 3)]
    await bench.online()
    assert told(bench) == [("Uploading", 3), ("Uploaded", 3)]


async def test_F06_FR_14_and_15_a_trigger_tells_uploading_with_and_idle_without_an_id(
    bench201: Make, tmp_path: Path
) -> None:
    bench = bench201(ports=ports(tmp_path))
    await bench.boot()
    assert await triggered(bench) == {"status": "Idle"}
    bench.ports["faults"].upload_seconds = 60.0
    await ask(bench, 9)
    assert await triggered(bench) == {"status": "Uploading", "requestId": 9}
    (job,) = bench.personality.jobs()
    assert (job.kind, job.running) == ("log", True)
    await bench.advance(61)
    assert await triggered(bench) == {"status": "Idle"}


async def test_DG_06_the_protocols_of_transfers_are_told(bench201: Make) -> None:
    bench = bench201()
    await bench.boot()
    found = await get_variable(bench, "OCPPCommCtrlr", "FileTransferProtocols")
    assert found["attributeValue"] == "FTP,FTPS,HTTP,HTTPS"


async def test_B11_FR_07_a_reset_on_idle_waits_for_the_upload(
    bench201: Make, tmp_path: Path
) -> None:
    """Errata 2.14: an upload of a log is under way, so the station is not idle."""
    gate = asyncio.Event()
    bench = bench201(ports=ports(tmp_path, Servers([gate, b""])))
    await bench.boot()
    bench.start_request("GetLog", request())
    await bench.ports["transfer"].begun.wait()
    answer = await bench.start_request("Reset", {"type": "OnIdle"})
    assert answer[2] == {"status": "Scheduled"}
    assert bench.reboots == []
    gate.set()
    await bench.rest()
    assert bench.reboots == [BootReason.SCHEDULED_RESET]
    assert told(bench)[-1] == ("Uploaded", 3)
