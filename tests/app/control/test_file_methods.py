"""Firmware and logs by the control API: what is to fail, how long it takes, and what is to be seen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.kernel.units import stamp
from app.runtime.control.errors import Code
from app.runtime.session import Session
from app.runtime.settings import resolve
from tests.app.control.test_methods import Channel
from tests.support.csms import CsmsProbe, running_csms


@pytest.fixture
async def probe() -> AsyncIterator[CsmsProbe]:
    async with running_csms() as probe:
        yield probe


@pytest.fixture
async def session(probe: CsmsProbe, tmp_path: Path) -> AsyncIterator[Session]:
    flags = {"csms.url": probe.url, "csms.id": "CS-1", "csms.version": "1.6"}
    session = Session(resolve(flags=flags).config, state_dir=tmp_path)
    await session.start()
    await probe.wait_for("StatusNotification")
    yield session
    await session.stop()


@pytest.fixture
async def channel(session: Session) -> AsyncIterator[Channel]:
    channel = Channel(session)
    yield channel
    channel.methods.close()
    await channel.dispatcher.close()


async def finished(channel: Channel, event: str, status: str) -> dict[str, Any]:
    wanted = {"event": event, "data.status": status}
    found: dict[str, Any] = await channel.get("journal.wait", filter=wanted, timeout=10, after=0)
    return found


async def test_an_update_that_fails_once_and_then_gets_through(
    probe: CsmsProbe, session: Session, channel: Channel
) -> None:
    times = await channel.get("station.set_file_times", install=0, pause=1.5)
    assert times == {"download": 0.0, "pause": 1.5, "install": 0.0, "upload": 0.0}
    assert await channel.get("station.set_firmware_fault", fault="download") == {"accepted": True}
    request = {
        "location": probe.csms.files.firmware_url(),
        "retrieveDate": stamp(session.clock.now()),
        "retries": 0,
    }
    await probe.call("CS-1", "UpdateFirmware", request)
    await finished(channel, "FirmwareProgress", "DownloadFailed")
    (job,) = (await channel.get("station.jobs"))["jobs"]
    assert (job["kind"], job["status"], job["running"]) == ("firmware", "DownloadFailed", False)
    assert job["detail"] == {"text": "transfer.chosen"}
    await probe.call("CS-1", "UpdateFirmware", request)
    await finished(channel, "FirmwareProgress", "Installed")
    snapshot = await channel.get("station.snapshot")
    assert [(one["status"], one["version"]) for one in snapshot["jobs"]] == [("Installed", "2.0.0")]


async def test_an_upload_that_is_denied_until_the_fault_is_lifted(
    probe: CsmsProbe, session: Session, channel: Channel
) -> None:
    await channel.get("station.set_log_fault", fault="denied", times=None)
    request = {
        "logType": "DiagnosticsLog",
        "requestId": 4,
        "retries": 0,
        "log": {"remoteLocation": probe.csms.files.upload_url("CS-1")},
    }
    for _ in range(2):
        await probe.call("CS-1", "GetLog", request)
        denied = await finished(channel, "LogProgress", "PermissionDenied")
        assert denied["record"]["data"]["request_id"] == 4
    await channel.get("station.set_log_fault")
    await probe.call("CS-1", "GetLog", request)
    await finished(channel, "LogProgress", "Uploaded")
    assert len(probe.snapshot().uploads) == 1


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("station.set_firmware_fault", {"fault": "meteor"}),
        ("station.set_firmware_fault", {"fault": "download", "times": 0}),
        ("station.set_log_fault", {"fault": "download"}),
        ("station.set_file_times", {"install": -1}),
    ],
)
async def test_what_cannot_be_chosen(channel: Channel, method: str, params: dict[str, Any]) -> None:
    answer = await channel.ask(method, **params)
    assert answer["error"]["code"] == Code.INVALID_PARAMS
