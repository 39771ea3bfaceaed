"""GetDiagnostics of 1.6: the file's name, each status, retries, periods, power cuts."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.ocpp.context import CallRefused, TransferTrouble
from app.ocpp.events import LogProgress
from app.ocpp.shared.jobs.faults import LogFault
from app.transfer.port import Transfers
from tests.conformance.v16.conftest import Make
from tests.conformance.v16.file_bench import UP, Servers, at, ports, trouble, words
from tests.support.file_servers import ftp_server, http_server
from tests.support.harness import Bench

STATUS = "DiagnosticsStatusNotification"


async def ask(bench: Bench, **fields: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await bench.request("GetDiagnostics", {"location": UP, **fields})
    return answer


async def triggered(bench: Bench) -> str:
    answer = await bench.request("TriggerMessage", {"requestedMessage": STATUS})
    assert answer == {"status": "Accepted"}
    return words(bench, STATUS)[-1]


async def test_DG_01_the_name_is_told_and_the_file_goes_there_by_that_name(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    answer = await ask(bench)
    assert answer == {"fileName": "station-diagnostics-20260115T080000Z.tar.gz"}
    assert words(bench, STATUS) == ["Uploading", "Uploaded"]
    assert bench.ports["transfer"].uploads == [(UP, answer["fileName"], b"the log")]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("protocol", ["HTTP", "HTTPS", "FTP", "FTPS"])
async def test_DG_06_the_file_arrives_at_a_real_server_of_each_protocol_that_is_told(
    bench16: Make,
    tmp_path: Path,
    server_tls: ssl.SSLContext,
    trust: ssl.SSLContext,
    protocol: str,
) -> None:
    (tmp_path / "shelf" / "up").mkdir(parents=True)
    bench = bench16(ports=ports(tmp_path, Transfers(lambda: lambda: trust)))
    await bench.boot()
    offered = bench.personality.get_setting("SupportedFileTransferProtocols") or ""
    assert protocol in offered.split(",")
    serve = ftp_server if protocol.startswith("FTP") else http_server
    async with serve(tmp_path / "shelf", server_tls if protocol.endswith("S") else None) as server:
        name = (await ask(bench, location=server.url("up/")))["fileName"]
    assert words(bench, STATUS) == ["Uploading", "Uploaded"]
    assert (tmp_path / "shelf" / "up" / name).read_bytes() == b"the log"


async def test_DG_01_where_there_is_nothing_no_name_is_told(bench16: Make, tmp_path: Path) -> None:
    bench = bench16(ports=ports(tmp_path))
    bench.ports["logs"].empty = True
    await bench.boot()
    assert await ask(bench) == {}
    await bench.advance(600)
    assert words(bench, STATUS) == []


async def test_DG_01_a_station_without_a_log_has_nothing(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    assert await ask(bench) == {}


async def test_DG_05_start_and_stop_time_are_the_period_of_the_log(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    await ask(bench, startTime="2026-01-14T10:00:00+02:00", stopTime="2026-01-15T00:00:00Z")
    since = datetime(2026, 1, 14, 8, tzinfo=UTC)
    until = datetime(2026, 1, 15, tzinfo=UTC)
    assert bench.ports["logs"].asked == [("DiagnosticsLog", since, until)]


async def test_DG_02_retries_count_what_follows_the_first_try(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path, Servers([trouble()])))
    await bench.boot()
    begun = bench.now
    await ask(bench, retries=2, retryInterval=20)
    await bench.advance(300)
    assert words(bench, STATUS) == ["Uploading"] * 3 + ["UploadFailed"]
    gaps = [moment - begun for moment in at(bench, STATUS, "Uploading")]
    assert gaps == [timedelta(seconds=seconds) for seconds in (0, 20, 40)]
    (job,) = bench.personality.jobs()
    assert (job.kind, job.running, job.status) == ("diagnostics", False, "UploadFailure")
    assert job.detail is not None
    assert "secret" not in repr(job)


async def test_DG_02_a_retry_that_gets_through(bench16: Make, tmp_path: Path) -> None:
    bench = bench16(ports=ports(tmp_path, Servers([trouble(), b""])))
    await bench.boot()
    await ask(bench, retries=1, retryInterval=20)
    await bench.advance(30)
    assert words(bench, STATUS) == ["Uploading", "Uploading", "Uploaded"]


@pytest.mark.parametrize(
    "kind",
    [TransferTrouble.DENIED, TransferTrouble.BAD_MESSAGE, TransferTrouble.NOT_SUPPORTED],
)
async def test_each_failure_has_the_one_word_that_there_is(
    bench16: Make, tmp_path: Path, kind: TransferTrouble
) -> None:
    bench = bench16(ports=ports(tmp_path, Servers([trouble(kind)])))
    await bench.boot()
    await ask(bench, retries=0)
    assert words(bench, STATUS) == ["Uploading", "UploadFailed"]


async def test_a_failure_that_a_person_chooses(bench16: Make, tmp_path: Path) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    bench.ports["faults"].log.choose(LogFault.UPLOAD)
    await ask(bench, retries=0)
    bench.ports["faults"].log.choose(LogFault.EMPTY)
    assert await ask(bench) == {}
    await ask(bench)
    assert words(bench, STATUS) == ["Uploading", "UploadFailed", "Uploading", "Uploaded"]


async def test_a_slow_upload_takes_its_time(bench16: Make, tmp_path: Path) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    bench.ports["faults"].upload_seconds = 90.0
    begun = bench.now
    await ask(bench)
    assert await triggered(bench) == "Uploading"
    await bench.advance(100)
    assert at(bench, STATUS, "Uploaded") == [begun + timedelta(seconds=90)]


async def test_a_power_cut_in_the_middle_sends_it_anew(bench16: Make, tmp_path: Path) -> None:
    servers = Servers([asyncio.Event(), b""])
    bench = bench16(ports=ports(tmp_path, servers))
    await bench.boot()
    bench.start_request("GetDiagnostics", {"location": UP, "retries": 0})
    await servers.begun.wait()
    while bench.store.count("job_notices"):
        await asyncio.sleep(0)  # Uploading has been answered
    await bench.kill_and_restart()
    assert words(bench, STATUS) == ["Uploading", "Uploading", "Uploaded"]
    assert len(servers.uploads) == 1


async def test_a_power_cut_while_it_waits_to_try_again(bench16: Make, tmp_path: Path) -> None:
    bench = bench16(ports=ports(tmp_path, Servers([trouble(), b""])))
    await bench.boot()
    begun = bench.now
    await ask(bench, retries=1, retryInterval=600)
    await bench.kill_and_restart()
    await bench.advance(700)
    assert words(bench, STATUS) == ["Uploading", "Uploading", "Uploaded"]
    assert at(bench, STATUS, "Uploaded") == [begun + timedelta(seconds=600)]


async def test_a_second_request_takes_the_place_of_the_first(bench16: Make, tmp_path: Path) -> None:
    servers = Servers([asyncio.Event(), b""])
    bench = bench16(ports=ports(tmp_path, servers))
    await bench.boot()
    bench.start_request("GetDiagnostics", {"location": UP})
    await servers.begun.wait()
    await ask(bench, location="http://other.example/")
    assert words(bench, STATUS) == ["Uploading", "Uploading", "Uploaded"]
    assert [url for url, _, _ in servers.uploads] == ["http://other.example/"]
    assert list(tmp_path.iterdir()) == []


async def test_a_link_that_is_lost_holds_up_the_reports_only(bench16: Make, tmp_path: Path) -> None:
    bench = bench16(ports=ports(tmp_path, Servers([trouble(), b""])))
    await bench.boot()
    await ask(bench, retries=1, retryInterval=60)
    await bench.offline()
    await bench.advance(100)
    assert len(bench.ports["transfer"].uploads) == 1
    assert words(bench, STATUS) == ["Uploading"]
    await bench.online()
    assert words(bench, STATUS) == ["Uploading", "Uploading", "Uploaded"]


async def test_a_log_that_cannot_be_packed_fails(bench16: Make, tmp_path: Path) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    bench.ports["logs"].folder = tmp_path / "gone"
    await ask(bench, retries=0)
    assert words(bench, STATUS) == ["Uploading", "UploadFailed"]
    assert bench.personality.jobs()[0].detail.id == "transfer.own_disk"  # type: ignore[union-attr]


async def test_RC_05_a_trigger_while_nothing_is_uploaded_tells_idle(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    assert await triggered(bench) == "Idle"
    await ask(bench)
    assert await triggered(bench) == "Idle"


async def test_without_the_profile_the_message_is_not_supported(bench16: Make) -> None:
    bench = bench16(settings={"features": frozenset({"Core"})})
    await bench.boot()
    with pytest.raises(CallRefused, match="NotSupported"):
        await ask(bench)


async def test_progress_is_published_for_views_without_secrets(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    await ask(bench)
    told = bench.happened(LogProgress)
    assert [(item.status, item.done, item.total) for item in told] == [
        ("Uploading", None, None),
        ("Uploading", 0, 7),
        ("Uploading", 7, 7),
        ("Uploaded", None, None),
    ]
    assert "secret" not in repr(bench.events)
