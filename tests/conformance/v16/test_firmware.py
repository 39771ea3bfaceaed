"""UpdateFirmware of 1.6: each status on the wire, retries, power cuts, sessions, failures on purpose."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.kernel.units import stamp
from app.ocpp.context import BootReason, CallRefused, Progress, TransferTrouble
from app.ocpp.events import FirmwareProgress
from app.ocpp.shared.jobs.faults import FirmwareFault
from app.ocpp.shared.jobs.image import build_image
from app.station.intents import (
    CutMains,
    PlugIn,
    PresentCard,
    RestoreMains,
    SetVehicle,
    Unplug,
)
from tests.conformance.v16.conftest import Make
from tests.conformance.v16.file_bench import IMAGE, UP, URL, Servers, at, ports, trouble, words
from tests.support.harness import MUTE, Bench, Refuse

STATUS = "FirmwareStatusNotification"
ALL = ["Downloading", "Downloaded", "Installing", "Installed"]


def servers_of(bench: Bench) -> Servers:
    found: Servers = bench.ports["transfer"]
    return found


async def update(bench: Bench, **fields: Any) -> dict[str, Any]:
    request = {"location": URL, "retrieveDate": stamp(bench.now), **fields}
    answer: dict[str, Any] = await bench.request("UpdateFirmware", request)
    return answer


def status_of(bench: Bench, number: int) -> str:
    told = [x for x in bench.sent("StatusNotification") if x["connectorId"] == number]
    return str(told[-1]["status"])


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_FW_01_all_steps_in_their_order_and_FW_14_the_new_version_boots(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    bench.skip()
    assert await update(bench) == {}
    await bench.advance(10)
    assert words(bench, STATUS) == ALL
    assert bench.reboots == [BootReason.FIRMWARE_UPDATE]
    assert [boot["firmwareVersion"] for boot in bench.sent("BootNotification")] == [
        "1.0.0",
        "2.1.0",
    ]
    # the boot came before the word that all is well (errata 3.47)
    actions = [line.action for line in bench.lines if line.mark == ">"]
    assert actions.index("BootNotification") < len(actions) - actions[::-1].index(STATUS)
    assert servers_of(bench).asked == [URL]
    assert leftovers(tmp_path) == []


async def test_the_new_version_stays_over_later_boots(bench16: Make, tmp_path: Path) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    await update(bench)
    await bench.advance(10)
    await bench.kill_and_restart()
    assert bench.sent("BootNotification")[-1]["firmwareVersion"] == "2.1.0"
    assert words(bench, STATUS) == ALL


async def test_FW_02_while_it_installs_the_station_is_out_of_service_and_says_so(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    await update(bench)
    assert [status_of(bench, number) for number in (0, 1, 2)] == ["Unavailable"] * 3
    screens = bench.station.snapshot()
    assert "transfer.screen.updating" in repr(screens)
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    assert bench.personality.sessions() == ()
    await bench.advance(10)
    assert status_of(bench, 0) == "Available"
    assert status_of(bench, 1) == "Preparing"
    assert "transfer.screen.updating" not in repr(bench.station.snapshot())


async def test_FW_01_nothing_begins_before_the_retrieve_date(bench16: Make, tmp_path: Path) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    date = bench.now + timedelta(hours=2)
    await update(bench, retrieveDate=stamp(date))
    await bench.advance(7199)
    assert words(bench, STATUS) == []
    assert bench.personality.jobs()[0].due == date
    await bench.advance(20)
    assert at(bench, STATUS, "Downloading") == [date]
    assert words(bench, STATUS) == ALL


async def test_a_retrieve_date_survives_a_power_cut(bench16: Make, tmp_path: Path) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    date = bench.now + timedelta(hours=2)
    await update(bench, retrieveDate=stamp(date))
    await bench.advance(3600)
    await bench.kill_and_restart()
    await bench.advance(3500)
    assert words(bench, STATUS) == []
    await bench.advance(120)
    assert at(bench, STATUS, "Downloading") == [date]
    assert words(bench, STATUS) == ALL


async def test_a_retrieve_date_that_passes_in_the_dark_is_made_up_for(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    await update(bench, retrieveDate=stamp(bench.now + timedelta(hours=2)))
    await bench.do(CutMains())
    await bench.advance(3 * 3600)
    assert servers_of(bench).asked == []
    await bench.do(RestoreMains())
    await bench.online()
    await bench.advance(10)
    assert words(bench, STATUS) == ALL


async def test_FW_07_retries_come_so_often_and_so_far_apart(bench16: Make, tmp_path: Path) -> None:
    bench = bench16(ports=ports(tmp_path, Servers([trouble()])))
    await bench.boot()
    begun = bench.now
    await update(bench, retries=2, retryInterval=30)
    await bench.advance(1000)
    assert words(bench, STATUS) == ["Downloading"] * 3 + ["DownloadFailed"]
    gaps = [moment - begun for moment in at(bench, STATUS, "Downloading")]
    assert gaps == [timedelta(0), timedelta(seconds=30), timedelta(seconds=60)]
    (job,) = bench.personality.jobs()
    assert (job.running, job.status, job.attempts) == (False, "DownloadFailed", 3)
    assert job.detail is not None
    assert job.detail.id == "transfer.cut_off"
    assert "secret" not in repr(job)
    assert bench.reboots == []


async def test_FW_07_a_retry_that_gets_through_goes_on(bench16: Make, tmp_path: Path) -> None:
    bench = bench16(ports=ports(tmp_path, Servers([trouble(), IMAGE])))
    await bench.boot()
    await update(bench, retries=1, retryInterval=5)
    await bench.advance(20)
    assert words(bench, STATUS) == ["Downloading", *ALL]


@pytest.mark.parametrize("interval", [10**9, 10**15, 10**400])
async def test_FW_07_an_interval_beyond_all_calendars_is_a_long_wait(
    bench16: Make, tmp_path: Path, interval: int
) -> None:
    """And neither update nor upload dies of it (DG-02)."""
    bench = bench16(ports=ports(tmp_path, Servers([trouble(), trouble(), IMAGE])))
    await bench.boot()
    await bench.request("GetDiagnostics", {"location": UP, "retries": 1, "retryInterval": interval})
    await update(bench, retries=1, retryInterval=interval)
    await bench.kill_and_restart()
    await bench.advance(3600)
    assert words(bench, STATUS) == ["Downloading"]
    assert words(bench, "DiagnosticsStatusNotification") == ["Uploading"]
    assert [job.due is not None for job in bench.personality.jobs()] == [True, True]


async def test_what_the_request_leaves_open_is_two_retries_a_minute_apart(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path, Servers([trouble()])))
    await bench.boot()
    begun = bench.now
    await update(bench)
    await bench.advance(300)
    assert words(bench, STATUS) == ["Downloading"] * 3 + ["DownloadFailed"]
    assert at(bench, STATUS, "DownloadFailed") == [begun + timedelta(minutes=2)]


async def test_a_scheme_that_nobody_speaks_is_not_tried_again(
    bench16: Make, tmp_path: Path
) -> None:
    servers = Servers([trouble(TransferTrouble.NOT_SUPPORTED)])
    bench = bench16(ports=ports(tmp_path, servers))
    await bench.boot()
    await update(bench, retries=5)
    assert words(bench, STATUS) == ["Downloading", "DownloadFailed"]


async def test_a_station_without_a_way_to_move_files_fails(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    await update(bench)
    assert words(bench, STATUS) == ["Downloading", "DownloadFailed"]
    (job,) = bench.personality.jobs()
    assert job.detail is not None
    assert job.detail.id == "transfer.none"


async def test_a_power_cut_while_it_waits_to_try_again(bench16: Make, tmp_path: Path) -> None:
    bench = bench16(ports=ports(tmp_path, Servers([trouble(), IMAGE])))
    await bench.boot()
    begun = bench.now
    await update(bench, retries=1, retryInterval=600)
    await bench.advance(100)
    await bench.kill_and_restart()
    await bench.advance(1000)
    assert words(bench, STATUS) == ["Downloading", *ALL]
    assert at(bench, STATUS, "Downloading")[1] == begun + timedelta(seconds=600)


async def test_a_power_cut_while_it_downloads_begins_anew_and_is_no_failed_try(
    bench16: Make, tmp_path: Path
) -> None:
    servers = Servers([asyncio.Event(), trouble(), IMAGE])
    bench = bench16(ports=ports(tmp_path, servers))
    await bench.boot()
    payload = {"location": URL, "retrieveDate": stamp(bench.now), "retries": 1, "retryInterval": 5}
    asked = bench.start_request("UpdateFirmware", payload)
    await servers.begun.wait()
    assert (await asked)[2] == {}
    while bench.store.count("job_notices"):
        await asyncio.sleep(0)  # Downloading has been answered
    await bench.kill_and_restart()
    await bench.advance(30)
    assert words(bench, STATUS) == ["Downloading"] * 2 + ALL


async def test_a_power_cut_while_it_installs_begins_the_installation_anew(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    await update(bench)
    await bench.advance(5)
    await bench.kill_and_restart()
    assert bench.sent("BootNotification")[-1]["firmwareVersion"] == "1.0.0"
    assert status_of(bench, 1) == "Unavailable"
    await bench.advance(10)
    assert words(bench, STATUS) == [
        "Downloading",
        "Downloaded",
        "Installing",
        "Installing",
        "Installed",
    ]
    assert bench.sent("BootNotification")[-1]["firmwareVersion"] == "2.1.0"
    assert len(servers_of(bench).asked) == 1


async def test_a_power_cut_after_which_the_file_is_gone_downloads_it_again(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    await charge(bench)
    await update(bench)
    await bench.do(CutMains())
    (tmp_path / "firmware.bin").unlink()
    await bench.do(RestoreMains())
    await bench.online()
    await bench.advance(20)
    assert words(bench, STATUS) == ["Downloading", "Downloaded", *ALL]


async def charge(bench: Bench, evse: int = 1) -> None:
    await bench.do(SetVehicle(evse, ready_delay=0.0, soc=10.0))
    await bench.do(PlugIn(evse), PresentCard("A", evse=evse))
    assert bench.personality.sessions()


async def test_FW_12_it_waits_for_sessions_and_keeps_what_is_free_out_of_service(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    await charge(bench)
    await update(bench)
    assert words(bench, STATUS) == ["Downloading", "Downloaded"]
    assert status_of(bench, 1) == "Charging"
    assert status_of(bench, 2) == "Unavailable"
    assert status_of(bench, 0) == "Available"
    await bench.advance(600)
    assert words(bench, STATUS) == ["Downloading", "Downloaded"]
    await bench.do(PresentCard("A", evse=1))
    assert words(bench, STATUS)[-1] == "Installing"
    await bench.advance(10)
    assert words(bench, STATUS) == ALL
    assert [status_of(bench, number) for number in (0, 2)] == ["Available"] * 2
    await bench.do(Unplug(1))
    assert status_of(bench, 1) == "Available"


async def test_FW_12_it_waits_for_the_last_of_several_sessions(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    await charge(bench, 1)
    await bench.do(SetVehicle(2, ready_delay=0.0, soc=10.0))
    await bench.do(PlugIn(2), PresentCard("B", evse=2))
    await update(bench)
    await bench.do(PresentCard("A", evse=1))
    assert words(bench, STATUS)[-1] == "Downloaded"
    assert status_of(bench, 1) == "Unavailable"
    await bench.do(PresentCard("B", evse=2))
    await bench.advance(10)
    assert words(bench, STATUS) == ALL


async def test_a_power_cut_while_it_waits_for_a_session(bench16: Make, tmp_path: Path) -> None:
    """The power cut ends the session, so that nothing is left to wait for."""
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    await charge(bench)
    await update(bench)
    await bench.do(CutMains(), RestoreMains())
    await bench.online()
    await bench.advance(20)
    assert words(bench, STATUS) == ALL
    assert len(servers_of(bench).asked) == 1


async def test_FW_13_an_installation_that_fails_gives_the_station_back(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path, Servers([b""])))
    await bench.boot()
    await update(bench)
    assert words(bench, STATUS) == ["Downloading", "Downloaded", "Installing", "InstallationFailed"]
    assert [status_of(bench, number) for number in (0, 1, 2)] == ["Available"] * 3
    assert bench.reboots == []
    await charge(bench)


async def test_FW_13_an_image_that_breaks_its_checksum_is_not_installed(
    bench16: Make, tmp_path: Path
) -> None:
    broken = build_image("2.1.0", b"good")[:-1] + b"x"
    bench = bench16(ports=ports(tmp_path, Servers([broken])))
    await bench.boot()
    await update(bench)
    await bench.advance(60)
    assert words(bench, STATUS)[-1] == "InstallationFailed"
    (job,) = bench.personality.jobs()
    assert job.detail is not None
    assert job.detail.id == "transfer.job.checksum"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (FirmwareFault.DOWNLOAD, ["Downloading", "DownloadFailed"]),
        (FirmwareFault.VERIFICATION, [*ALL[:3], "InstallationFailed"]),
        (FirmwareFault.INSTALLATION, [*ALL[:3], "InstallationFailed"]),
        (FirmwareFault.PAUSE, ["Downloading", *ALL]),
    ],
)
async def test_failures_that_a_person_chooses_happen_once(
    bench16: Make, tmp_path: Path, fault: FirmwareFault, told: list[str]
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    bench.ports["faults"].firmware.choose(fault)
    await update(bench, retries=0)
    await bench.advance(60)
    assert words(bench, STATUS) == told
    await update(bench, retries=0)
    await bench.advance(60)
    assert words(bench, STATUS) == [*told, *ALL]


async def test_a_failure_for_two_tries_is_got_over_by_the_third(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    bench.ports["faults"].firmware.choose(FirmwareFault.DOWNLOAD, 2)
    await update(bench, retries=5, retryInterval=1)
    await bench.advance(30)
    assert words(bench, STATUS) == ["Downloading", "Downloading", *ALL]


async def test_a_slow_download_and_a_long_installation_take_their_time(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    faults = bench.ports["faults"]
    faults.download_seconds, faults.install_seconds = 100.0, 200.0
    begun = bench.now
    await update(bench)
    await bench.advance(301)
    told = [at(bench, STATUS, word)[0] - begun for word in ALL]
    assert told == [timedelta(seconds=seconds) for seconds in (0, 100, 100, 300)]


async def test_FW_10_a_second_request_takes_the_place_of_the_first(
    bench16: Make, tmp_path: Path
) -> None:
    servers = Servers([asyncio.Event(), IMAGE])
    bench = bench16(ports=ports(tmp_path, servers))
    await bench.boot()
    request = {"location": URL, "retrieveDate": stamp(bench.now)}
    bench.start_request("UpdateFirmware", request)
    await servers.begun.wait()
    await update(bench, location="http://other.example/fw-3.0.bin")
    await bench.advance(10)
    assert words(bench, STATUS) == ["Downloading", *ALL]
    assert servers.asked == [URL, "http://other.example/fw-3.0.bin"]


async def test_FW_10_a_request_that_waits_for_its_date_is_replaced(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    await update(bench, retrieveDate=stamp(bench.now + timedelta(hours=1)))
    await update(bench)
    await bench.advance(2 * 3600)
    assert words(bench, STATUS) == ALL


async def test_FW_10_a_request_while_it_installs_comes_afterwards(
    bench16: Make, tmp_path: Path
) -> None:
    newer = build_image("3.0.0", b"newer")
    bench = bench16(ports=ports(tmp_path, Servers([IMAGE, newer])))
    await bench.boot()
    await update(bench)
    assert await update(bench, location="http://x.example/fw.bin") == {}
    await bench.advance(30)
    assert words(bench, STATUS) == [*ALL, *ALL]
    versions = [boot["firmwareVersion"] for boot in bench.sent("BootNotification")]
    assert versions == ["1.0.0", "2.1.0", "3.0.0"]


async def test_FW_10_a_request_that_waited_is_carried_out_once_when_the_first_one_fails(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    bench.ports["faults"].firmware.choose(FirmwareFault.INSTALLATION)
    await update(bench)
    later = "http://x.example/fw.bin"
    assert await update(bench, location=later) == {}
    await bench.advance(30)
    failed = ["Downloading", "Downloaded", "Installing", "InstallationFailed"]
    assert words(bench, STATUS) == [*failed, *ALL]
    assert servers_of(bench).asked == [URL, later]


@dataclass
class SlowToStop(Servers):
    """A server whose first transfer takes its time to end once it is given up."""

    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    running: int = 0
    most: int = 0

    async def download(self, url: str, into: Path, *, progress: Progress) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await super().download(url, into, progress=progress)
        except asyncio.CancelledError:
            await self.stopped.wait()
            raise
        finally:
            self.running -= 1


async def test_FW_10_a_download_begins_when_the_one_before_has_let_go_of_the_file(
    bench16: Make, tmp_path: Path
) -> None:
    servers = SlowToStop([asyncio.Event(), IMAGE])
    bench = bench16(ports=ports(tmp_path, servers))
    await bench.boot()
    bench.start_request("UpdateFirmware", {"location": URL, "retrieveDate": stamp(bench.now)})
    await servers.begun.wait()
    bench.start_request("UpdateFirmware", {"location": URL, "retrieveDate": stamp(bench.now)})
    asyncio.get_running_loop().call_later(0.05, servers.stopped.set)
    await bench.advance(10)
    assert servers.most == 1
    assert words(bench, STATUS) == ["Downloading", *ALL]


async def test_a_link_that_is_lost_holds_up_the_reports_and_not_the_update(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    await update(bench, retrieveDate=stamp(bench.now + timedelta(seconds=30)))
    await bench.offline()
    await bench.advance(60)
    assert words(bench, STATUS) == []
    assert bench.reboots == [BootReason.FIRMWARE_UPDATE]
    await bench.online()
    assert words(bench, STATUS) == ALL


async def test_reports_that_are_refused_or_unanswered_are_sent_once(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    bench.csms.on(STATUS, [Refuse("NotSupported"), MUTE, {}])
    await update(bench)
    await bench.advance(10)
    assert words(bench, STATUS) == ALL


async def test_RC_05_a_trigger_tells_what_is_being_done_and_otherwise_idle(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()

    async def triggered() -> str:
        answer = await bench.request("TriggerMessage", {"requestedMessage": STATUS})
        assert answer == {"status": "Accepted"}
        return words(bench, STATUS)[-1]

    assert await triggered() == "Idle"
    await update(bench, retrieveDate=stamp(bench.now + timedelta(seconds=30)))
    assert await triggered() == "Idle"
    await bench.advance(31)
    assert await triggered() == "Installing"
    await bench.advance(10)
    assert await triggered() == "Idle"


async def test_errata_27_secure_firmware_only_refuses_plain_updates(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path), keys={"SecureFirmwareOnly": "true"})
    await bench.boot()
    with pytest.raises(CallRefused, match="NotSupported"):
        await update(bench)
    await bench.advance(100)
    assert words(bench, STATUS) == []
    assert servers_of(bench).asked == []


async def test_without_the_profile_the_message_is_not_supported(bench16: Make) -> None:
    bench = bench16(settings={"features": frozenset({"Core"})})
    await bench.boot()
    with pytest.raises(CallRefused, match="NotSupported"):
        await update(bench)


async def test_progress_is_published_for_views_without_secrets(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    await update(bench)
    await bench.advance(10)
    told = bench.happened(FirmwareProgress)
    assert [item.done for item in told if item.status == "Downloading"] == [None, 0, len(IMAGE)]
    assert told[-1].version == "2.1.0"
    assert told[-1].status == "Installed"
    assert "secret" not in repr(bench.events)
    assert "secret" not in repr(bench.personality.jobs())


async def test_a_plain_update_whose_date_lies_behind_begins_at_once(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    await update(bench, retrieveDate="2020-01-01T00:00:00+02:00")
    await bench.advance(10)
    assert words(bench, STATUS) == ALL


@pytest.mark.parametrize("kind", ["Soft", "Hard"])
async def test_RE_06_no_reset_while_a_new_version_is_written_over_the_old_one(
    bench16: Make, tmp_path: Path, kind: str
) -> None:
    """Before that it may be reset: the download begins anew."""
    servers = Servers([asyncio.Event(), IMAGE])
    bench = bench16(ports=ports(tmp_path, servers))
    await bench.boot()
    asked = bench.start_request(
        "UpdateFirmware", {"location": URL, "retrieveDate": stamp(bench.now)}
    )
    await servers.begun.wait()
    reset = bench.start_request("Reset", {"type": kind})
    await asyncio.gather(asked, reset)
    assert reset.result()[2] == {"status": "Accepted"}
    await bench.advance(5)
    assert words(bench, STATUS)[-1] == "Installing"
    assert await bench.request("Reset", {"type": kind}) == {"status": "Rejected"}
    await bench.advance(20)
    assert words(bench, STATUS) == ["Downloading", *ALL]
    assert bench.reboots == [BootReason.REMOTE_RESET, BootReason.FIRMWARE_UPDATE]
    assert await bench.request("Reset", {"type": kind}) == {"status": "Accepted"}


async def test_what_back_office_took_out_of_service_stays_so_after_an_update(
    bench16: Make, tmp_path: Path
) -> None:
    bench = bench16(ports=ports(tmp_path))
    await bench.boot()
    await bench.request("ChangeAvailability", {"connectorId": 2, "type": "Inoperative"})
    await update(bench)
    await bench.advance(10)
    assert (status_of(bench, 1), status_of(bench, 2)) == ("Available", "Unavailable")
