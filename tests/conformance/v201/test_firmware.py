"""UpdateFirmware: each status with its request id, signatures, sessions, power cuts. Part 2, L01 and L02."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.kernel.units import stamp
from app.ocpp.context import BootReason
from app.ocpp.shared.certificates.book import CertificateBook
from app.ocpp.shared.jobs.faults import FirmwareFault
from app.ocpp.shared.jobs.image import build_image
from app.station.intents import CutMains, PlugIn, PresentCard, RestoreMains, SetVehicle, Unplug
from app.transfer.port import Transfers
from tests.conformance.v16.file_bench import IMAGE, URL, Servers, at, ports, trouble, words
from tests.conformance.v201.conftest import Make, events, set_variable
from tests.support.file_servers import http_server
from tests.support.harness import Bench, Hold
from tests.support.maker import Maker, Signer

STATUS = "FirmwareStatusNotification"
END = ["Installing", "InstallRebooting", "Installed"]
PLAIN = ["Downloading", "Downloaded", *END]
SIGNED = ["Downloading", "Downloaded", "SignatureVerified", *END]
ALLOW = ("ChargingStation", "AllowNewSessionsPendingFirmwareUpdate")


@pytest.fixture(scope="module")
def maker() -> Maker:
    return Maker()


@pytest.fixture(scope="module")
def signer(maker: Maker) -> Signer:
    return maker.signer()


BenchOf = Callable[..., Bench]


@pytest.fixture
def bench_of(bench201: Make, tmp_path: Path, maker: Maker) -> BenchOf:
    """Makes benches whose file servers give these answers, and which trust the maker."""

    def make(*answers: Any, **options: Any) -> Bench:
        servers = Servers(list(answers)) if answers else Servers()
        bench = bench201(ports=options.pop("ports", None) or ports(tmp_path, servers), **options)
        CertificateBook(bench.store, lambda: bench.now).install_root("Manufacturer", maker.root)
        return bench

    return make


def request(bench: Bench, request_id: int = 7, **fields: Any) -> dict[str, Any]:
    top = {key: fields.pop(key) for key in ("retries", "retryInterval") if key in fields}
    firmware = {"location": URL, "retrieveDateTime": stamp(bench.now), **fields}
    return {"requestId": request_id, "firmware": firmware, **top}


async def update(bench: Bench, request_id: int = 7, **fields: Any) -> str:
    """Returns the status of the answer; `fields` go over the usual request."""
    answer = await bench.request("UpdateFirmware", request(bench, request_id, **fields))
    return str(answer["status"])


def by(signer: Signer, image: bytes = IMAGE) -> dict[str, str]:
    return {"signingCertificate": signer.pem, "signature": signer.sign(image)}


def told(bench: Bench) -> list[tuple[int | None, str]]:
    return [(item.get("requestId"), item["status"]) for item in bench.sent(STATUS)]


async def triggered(bench: Bench) -> dict[str, Any]:
    before = len(bench.sent(STATUS))
    answer = await bench.request("TriggerMessage", {"requestedMessage": STATUS})
    assert answer == {"status": "Accepted"}
    (found,) = bench.sent(STATUS)[before:]
    return found


def state_of(bench: Bench, evse: int) -> str:
    found = [x for x in bench.sent("StatusNotification") if x["evseId"] == evse]
    return str(found[-1]["connectorStatus"])


def logged(bench: Bench, kind: str) -> list[str]:
    """Why, for each event of this kind in the security log."""
    found = bench.personality.security.log.entries()  # type: ignore[attr-defined]
    return [entry.tech_info for entry in found if entry.type == kind]


async def charge(bench: Bench, evse: int = 1) -> None:
    await bench.do(SetVehicle(evse, ready_delay=0.0, soc=10.0))
    await bench.do(PlugIn(evse), PresentCard(f"A{evse}", evse=evse))
    assert evse in {session.evse for session in bench.personality.sessions()}


async def leave(bench: Bench, evse: int = 1) -> None:
    await bench.do(PresentCard(f"A{evse}", evse=evse), Unplug(evse))


# ---------------------------------------------------------------- the whole of it


async def test_FW_04_and_11_all_steps_of_a_signed_update_each_with_the_request_id(
    bench_of: BenchOf, signer: Signer, tmp_path: Path
) -> None:
    bench = bench_of()
    await bench.boot()
    assert await update(bench, **by(signer)) == "Accepted"
    await bench.advance(10)
    assert told(bench) == [(7, word) for word in SIGNED]
    assert bench.reboots == [BootReason.FIRMWARE_UPDATE]
    # FW-14
    boot = bench.sent("BootNotification")[-1]
    assert boot["reason"] == "FirmwareUpdate"
    assert boot["chargingStation"]["firmwareVersion"] == "2.1.0"
    # L01.FR.31: FW-09
    assert logged(bench, "FirmwareUpdated") == ["2.1.0"]
    kinds = [event["type"] for event in bench.sent("SecurityEventNotification")]
    assert "FirmwareUpdated" in kinds
    assert list(tmp_path.iterdir()) == []


async def test_L01_FR_32_the_new_version_boots_before_it_says_that_it_is_installed(
    bench_of: BenchOf, signer: Signer
) -> None:
    bench = bench_of()
    await bench.boot()
    bench.skip()
    await update(bench, **by(signer))
    await bench.advance(10)
    bench.expect(
        """
        ...
        > FirmwareStatusNotification status=InstallRebooting requestId=7
        ...
        > BootNotification reason=FirmwareUpdate
        ...
        > FirmwareStatusNotification status=Installed requestId=7
        ...
        """
    )


async def test_FW_05_without_a_signature_none_is_verified(bench_of: BenchOf) -> None:
    bench = bench_of()
    await bench.boot()
    assert await update(bench) == "Accepted"
    await bench.advance(10)
    assert told(bench) == [(7, word) for word in PLAIN]
    (job,) = bench.personality.jobs()
    assert (job.kind, job.running, job.version, job.signed) == ("firmware", False, "2.1.0", False)
    assert "secret" not in repr(job)


async def test_FW_14_the_new_version_stays_over_later_boots(bench_of: BenchOf) -> None:
    bench = bench_of()
    await bench.boot()
    await update(bench)
    await bench.advance(10)
    await bench.kill_and_restart()
    boot = bench.sent("BootNotification")[-1]
    assert boot["chargingStation"]["firmwareVersion"] == "2.1.0"
    assert words(bench, STATUS) == PLAIN


async def test_the_file_comes_from_a_real_server(
    bench_of: BenchOf, signer: Signer, tmp_path: Path
) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / "fw-2.1.0.bin").write_bytes(IMAGE)
    bench = bench_of(ports=ports(tmp_path, Transfers(lambda: ssl.create_default_context)))
    await bench.boot()
    async with http_server(shelf) as server:
        answer = await update(bench, location=server.url("fw-2.1.0.bin"), **by(signer))
        assert answer == "Accepted"
        async with asyncio.timeout(10):
            while "Installing" not in words(bench, STATUS):
                await asyncio.sleep(0.01)
        missing = server.url("gone.bin")
        await bench.advance(10)
        assert words(bench, STATUS) == SIGNED
        await update(bench, 8, location=missing, retries=0)
        async with asyncio.timeout(10):
            while (8, "DownloadFailed") not in told(bench):
                await asyncio.sleep(0.01)
    assert told(bench)[-2:] == [(8, "Downloading"), (8, "DownloadFailed")]


# ---------------------------------------------------------------- dates and tries


async def test_FW_06_dates_ahead_are_told_as_scheduled(bench_of: BenchOf, signer: Signer) -> None:
    bench = bench_of()
    await bench.boot()
    fetch, install = bench.now + timedelta(hours=1), bench.now + timedelta(hours=2)
    dates = {"retrieveDateTime": stamp(fetch), "installDateTime": stamp(install)}
    await update(bench, **dates, **by(signer))
    assert words(bench, STATUS) == ["DownloadScheduled"]
    await bench.advance(3 * 3600)
    assert words(bench, STATUS) == ["DownloadScheduled", *SIGNED[:3], "InstallScheduled", *END]
    assert at(bench, STATUS, "Downloading") == [fetch]
    assert at(bench, STATUS, "Installing") == [install]


async def test_L01_FR_30_it_fails_only_after_the_last_try(bench_of: BenchOf) -> None:
    bench = bench_of(trouble())
    await bench.boot()
    begun = bench.now
    await update(bench, retries=2, retryInterval=30)
    await bench.advance(1000)
    assert words(bench, STATUS) == ["Downloading"] * 3 + ["DownloadFailed"]
    assert at(bench, STATUS, "DownloadFailed") == [begun + timedelta(seconds=60)]
    assert bench.reboots == []


# ---------------------------------------------------------------- certificate and signature


async def test_L01_FR_22_a_bad_certificate_is_refused_with_its_reason_and_an_event(
    bench_of: BenchOf,
) -> None:
    bench = bench_of()
    await bench.boot()
    stranger = Maker("Somebody else").signer()
    answer = await bench.request("UpdateFirmware", request(bench, **by(stranger)))
    why = "not of a known Manufacturer root"
    assert answer == {
        "status": "InvalidCertificate",
        "statusInfo": {"reasonCode": "InvalidCertificate", "additionalInfo": why},
    }
    await bench.advance(60)
    assert words(bench, STATUS) == []
    assert logged(bench, "InvalidFirmwareSigningCertificate") == [why]
    assert bench.ports["transfer"].asked == []


@pytest.mark.parametrize("part", ["signingCertificate", "signature"])
async def test_half_a_signature_is_no_plain_update(
    bench_of: BenchOf, signer: Signer, part: str
) -> None:
    """Leaving out the other half must not be a way round the check."""
    bench = bench_of()
    await bench.boot()
    answer = await update(bench, **{part: by(signer)[part]})
    await bench.advance(60)
    if part == "signature":
        assert (answer, words(bench, STATUS)) == ("InvalidCertificate", [])
    else:
        assert answer == "Accepted"
        assert words(bench, STATUS) == ["Downloading", "Downloaded", "InvalidSignature"]
    assert bench.reboots == []


async def test_FW_08_a_bad_signature_ends_it_with_an_event(
    bench_of: BenchOf, signer: Signer
) -> None:
    bench = bench_of()
    await bench.boot()
    assert await update(bench, **by(signer, b"another file")) == "Accepted"
    await bench.advance(60)
    assert words(bench, STATUS) == ["Downloading", "Downloaded", "InvalidSignature"]
    assert logged(bench, "InvalidFirmwareSignature") == ["the signature does not fit the file"]
    assert bench.reboots == []


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (FirmwareFault.REVOKED, "RevokedCertificate"),
        (FirmwareFault.CERTIFICATE, "InvalidCertificate"),
    ],
)
async def test_a_certificate_that_a_person_wants_to_be_bad(
    bench_of: BenchOf, signer: Signer, fault: FirmwareFault, status: str
) -> None:
    bench = bench_of()
    await bench.boot()
    bench.ports["faults"].firmware.choose(fault)
    assert await update(bench, **by(signer)) == status
    assert len(logged(bench, "InvalidFirmwareSigningCertificate")) == 1
    assert await update(bench, **by(signer)) == "Accepted"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (FirmwareFault.DOWNLOAD, ["Downloading", "DownloadFailed"]),
        (FirmwareFault.SIGNATURE, ["Downloading", "Downloaded", "InvalidSignature"]),
        (FirmwareFault.VERIFICATION, [*SIGNED[:4], "InstallVerificationFailed"]),
        (FirmwareFault.INSTALLATION, [*SIGNED[:4], "InstallationFailed"]),
        (FirmwareFault.PAUSE, ["Downloading", "DownloadPaused", *SIGNED]),
    ],
)
async def test_FW_13_each_step_fails_where_a_person_wants_it_and_gives_the_station_back(
    bench_of: BenchOf, signer: Signer, fault: FirmwareFault, expected: list[str]
) -> None:
    bench = bench_of()
    await bench.boot()
    bench.ports["faults"].firmware.choose(fault)
    await update(bench, retries=0, **by(signer))
    await bench.advance(60)
    assert words(bench, STATUS) == expected
    assert [state_of(bench, evse) for evse in (1, 2)] == ["Available"] * 2
    await charge(bench)


async def test_L01_FR_29_an_image_that_breaks_its_checksum_is_not_installed(
    bench_of: BenchOf, signer: Signer
) -> None:
    broken = build_image("2.1.0", b"good")[:-1] + b"x"
    bench = bench_of(broken)
    await bench.boot()
    await update(bench, **by(signer, broken))
    await bench.advance(60)
    assert words(bench, STATUS) == [*SIGNED[:4], "InstallVerificationFailed"]


# ---------------------------------------------------------------- a second request


async def test_FW_10_a_new_request_cancels_the_old_one(bench_of: BenchOf) -> None:
    held = asyncio.Event()
    bench = bench_of(held, IMAGE)
    await bench.boot()
    bench.start_request("UpdateFirmware", request(bench, 1))
    await bench.ports["transfer"].begun.wait()
    assert await update(bench, 2) == "AcceptedCanceled"
    await bench.advance(10)
    assert told(bench) == [(1, "Downloading"), *((2, word) for word in PLAIN)]


async def test_FW_10_one_that_waits_for_a_session_is_cancelled_and_gives_the_station_back(
    bench_of: BenchOf,
) -> None:
    bench = bench_of(IMAGE, trouble())
    await bench.boot()
    await charge(bench)
    await update(bench, 1)
    assert state_of(bench, 2) == "Unavailable"
    assert await update(bench, 2, retries=0) == "AcceptedCanceled"
    assert state_of(bench, 2) == "Available"
    assert told(bench)[-2:] == [(2, "Downloading"), (2, "DownloadFailed")]
    await leave(bench)
    await bench.advance(60)
    assert bench.reboots == []


async def test_L01_FR_27_one_that_installs_cannot_be_cancelled(bench_of: BenchOf) -> None:
    bench = bench_of()
    await bench.boot()
    await update(bench, 1)
    answer = await bench.request("UpdateFirmware", request(bench, 2))
    assert answer == {"status": "Rejected", "statusInfo": {"reasonCode": "FwUpdateInProgress"}}
    await bench.advance(10)
    assert told(bench) == [(1, word) for word in PLAIN]


# ---------------------------------------------------------------- sessions


async def test_L01_FR_06_and_07_it_waits_for_sessions_and_keeps_what_is_free_out_of_service(
    bench_of: BenchOf,
) -> None:
    bench = bench_of()
    await bench.boot()
    await charge(bench)
    await update(bench)
    assert words(bench, STATUS) == ["Downloading", "Downloaded", "InstallScheduled"]
    assert (state_of(bench, 1), state_of(bench, 2)) == ("Occupied", "Unavailable")
    token = {"idToken": "R", "type": "ISO14443"}
    start = {"remoteStartId": 1, "idToken": token, "evseId": 2}
    answer = await bench.request("RequestStartTransaction", start)
    assert answer["status"] == "Rejected"
    await bench.advance(3600)
    assert words(bench, STATUS)[-1] == "InstallScheduled"
    await leave(bench)
    assert state_of(bench, 1) == "Unavailable"
    await bench.advance(10)
    assert words(bench, STATUS) == ["Downloading", "Downloaded", "InstallScheduled", *END]
    assert [state_of(bench, evse) for evse in (1, 2)] == ["Available"] * 2
    await charge(bench, 2)


async def test_FW_12_it_waits_for_the_last_of_several_sessions(bench_of: BenchOf) -> None:
    bench = bench_of()
    await bench.boot()
    await charge(bench, 1)
    await charge(bench, 2)
    await update(bench)
    await leave(bench, 1)
    assert words(bench, STATUS)[-1] == "InstallScheduled"
    assert state_of(bench, 1) == "Unavailable"
    await leave(bench, 2)
    await bench.advance(10)
    assert words(bench, STATUS)[-1] == "Installed"


async def test_L01_FR_07_where_it_is_allowed_new_sessions_begin_and_hold_it_up(
    bench_of: BenchOf,
) -> None:
    bench = bench_of(variables={".".join(ALLOW): "true"})
    await bench.boot()
    await charge(bench, 1)
    await update(bench)
    assert state_of(bench, 2) == "Available"
    await charge(bench, 2)
    await leave(bench, 1)
    await bench.advance(600)
    assert words(bench, STATUS)[-1] == "InstallScheduled"
    # changed while it waits, it counts at once, both ways
    assert await set_variable(bench, *ALLOW, "false") == "Accepted"
    assert state_of(bench, 1) == "Unavailable"
    assert await set_variable(bench, *ALLOW, "true") == "Accepted"
    assert state_of(bench, 1) == "Available"
    await leave(bench, 2)
    await bench.advance(10)
    assert words(bench, STATUS)[-1] == "Installed"


async def test_a_card_that_waits_for_its_cable_is_waited_for(bench_of: BenchOf) -> None:
    bench = bench_of()
    await bench.boot()
    await bench.do(PresentCard("A1", evse=1))
    await update(bench)
    assert words(bench, STATUS)[-1] == "InstallScheduled"
    await bench.advance(200)  # nobody plugs in
    assert words(bench, STATUS)[-1] == "Installed"


async def test_while_it_installs_nothing_begins_and_the_screens_say_why(bench_of: BenchOf) -> None:
    bench = bench_of()
    await bench.boot()
    await update(bench)
    assert [state_of(bench, evse) for evse in (1, 2)] == ["Unavailable"] * 2
    assert "transfer.screen.updating" in repr(bench.station.snapshot())
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    assert bench.personality.sessions() == ()
    await bench.advance(10)
    assert state_of(bench, 1) == "Occupied"
    assert "transfer.screen.updating" not in repr(bench.station.snapshot())


async def test_G03_what_the_back_office_orders_meanwhile_counts_afterwards(
    bench_of: BenchOf,
) -> None:
    bench = bench_of()
    await bench.boot()

    async def order(evse: int, status: str) -> None:
        payload = {"operationalStatus": status, "evse": {"id": evse}}
        answer = await bench.request("ChangeAvailability", payload)
        assert answer == {"status": "Accepted"}

    await order(1, "Inoperative")
    await update(bench)
    await order(1, "Operative")
    await order(2, "Inoperative")
    assert [state_of(bench, evse) for evse in (1, 2)] == ["Unavailable"] * 2
    assert bench.station.snapshot().evse(1).operative is False
    await bench.advance(10)
    assert words(bench, STATUS)[-1] == "Installed"
    assert [state_of(bench, evse) for evse in (1, 2)] == ["Available", "Unavailable"]


async def test_G03_what_the_station_as_a_whole_waits_with_stays_out_of_service_after_an_update(
    bench_of: BenchOf,
) -> None:
    """L01.FR.07 and G03.FR.05 both hold EVSE 2; the end of one of them is not the end of the other."""
    bench = bench_of(IMAGE, trouble())
    await bench.boot()
    await charge(bench)
    await update(bench, 1)
    payload = {"operationalStatus": "Inoperative"}
    assert await bench.request("ChangeAvailability", payload) == {"status": "Scheduled"}
    assert await update(bench, 2, retries=0) == "AcceptedCanceled"
    assert told(bench)[-1] == (2, "DownloadFailed")
    assert bench.station.snapshot().evse(2).operative is False
    await leave(bench)
    assert [state_of(bench, evse) for evse in (1, 2)] == ["Unavailable"] * 2
    payload = {"operationalStatus": "Operative"}
    assert await bench.request("ChangeAvailability", payload) == {"status": "Accepted"}
    assert [state_of(bench, evse) for evse in (1, 2)] == ["Available"] * 2


async def test_FW_12_after_the_time_out_what_still_charges_is_ended(bench_of: BenchOf) -> None:
    bench = bench_of(points={"ocpp201-firmware-vs-active-tx": "force-after-timeout"})
    await bench.boot()
    await charge(bench)
    await update(bench)
    await bench.advance(899)
    assert words(bench, STATUS)[-1] == "InstallScheduled"
    await bench.advance(20)
    assert words(bench, STATUS)[-1] == "Installed"
    assert events(bench)[-1].split()[::3] == ["Ended", "Other"]


async def test_FW_12_a_maintenance_window_is_a_time_of_day(bench_of: BenchOf) -> None:
    bench = bench_of(points={"ocpp201-firmware-vs-active-tx": "maintenance-window"})
    await bench.boot()
    await charge(bench)
    await update(bench)
    assert state_of(bench, 2) == "Available"
    await bench.advance(24 * 3600)
    (installing,) = at(bench, STATUS, "Installing")
    assert (installing.hour, installing.minute, installing.second) == (3, 0, 0)
    assert words(bench, STATUS)[-1] == "Installed"


async def test_L01_FR_33_installed_in_the_background_it_reboots_when_the_last_session_ends(
    bench_of: BenchOf,
) -> None:
    bench = bench_of(points={"ocpp201-firmware-vs-active-tx": "install-in-background"})
    await bench.boot()
    await charge(bench)
    await update(bench)
    await bench.advance(600)
    assert words(bench, STATUS) == ["Downloading", "Downloaded", "Installing"]
    assert "transfer.screen.updating" not in repr(bench.station.snapshot())
    assert (state_of(bench, 1), state_of(bench, 2)) == ("Occupied", "Unavailable")
    assert bench.reboots == []
    await leave(bench)
    assert words(bench, STATUS) == PLAIN
    assert bench.reboots == [BootReason.FIRMWARE_UPDATE]


async def test_L01_FR_33_nothing_begins_any_more_where_the_last_session_ended_in_the_middle(
    bench_of: BenchOf,
) -> None:
    """The reboot follows as soon as the back office has heard of it: a session would be cut off."""
    bench = bench_of(
        variables={".".join(ALLOW): "true"},
        points={"ocpp201-firmware-vs-active-tx": "install-in-background"},
    )
    await bench.boot()
    await charge(bench)
    await update(bench)
    await leave(bench)
    answer = Hold(bench.csms)
    bench.csms.on(STATUS, lambda told: answer if told["status"] == "InstallRebooting" else {})
    rest = asyncio.ensure_future(bench.advance(10))
    async with asyncio.timeout(5):
        await answer.arrived()
    assert not any(evse.operative for evse in bench.station.snapshot().evses)
    assert "transfer.screen.updating" in repr(bench.station.snapshot())
    answer.answer({})
    await rest
    assert words(bench, STATUS) == PLAIN


# ---------------------------------------------------------------- power and link


@pytest.mark.parametrize("wait", [1800, 5400])
async def test_a_power_cut_before_each_date_tells_nothing_twice(
    bench_of: BenchOf, signer: Signer, wait: float
) -> None:
    bench = bench_of()
    await bench.boot()
    fetch, install = bench.now + timedelta(hours=1), bench.now + timedelta(hours=2)
    dates = {"retrieveDateTime": stamp(fetch), "installDateTime": stamp(install)}
    await update(bench, **dates, **by(signer))
    await bench.advance(wait)
    await bench.kill_and_restart()
    await bench.advance(3 * 3600)
    assert words(bench, STATUS) == ["DownloadScheduled", *SIGNED[:3], "InstallScheduled", *END]
    assert len(bench.ports["transfer"].asked) == 1


async def test_a_power_cut_while_it_waits_for_a_session_leaves_nothing_out_of_service(
    bench_of: BenchOf,
) -> None:
    """The power cut ends the session, so that nothing is left to wait for."""
    bench = bench_of()
    await bench.boot()
    await charge(bench)
    await update(bench)
    await bench.do(CutMains(), RestoreMains())
    await bench.online()
    await bench.advance(20)
    assert words(bench, STATUS)[-1] == "Installed"
    assert len(bench.ports["transfer"].asked) == 1
    await bench.do(Unplug(1))
    assert [state_of(bench, evse) for evse in (1, 2)] == ["Available"] * 2


async def test_a_power_cut_while_it_installs_begins_the_installation_anew(
    bench_of: BenchOf,
) -> None:
    bench = bench_of()
    await bench.boot()
    await update(bench)
    await bench.advance(5)
    await bench.kill_and_restart()
    boot = bench.sent("BootNotification")[-1]["chargingStation"]
    assert boot["firmwareVersion"] == "1.0.0"
    assert state_of(bench, 1) == "Unavailable"
    await bench.advance(10)
    assert words(bench, STATUS) == ["Downloading", "Downloaded", "Installing", *END]
    assert [state_of(bench, evse) for evse in (1, 2)] == ["Available"] * 2


async def test_a_power_cut_after_the_reboot_and_before_the_boot_is_accepted(
    bench_of: BenchOf,
) -> None:
    """All was in place: the first boot that is accepted tells that it is installed."""
    bench = bench_of()
    await bench.boot()
    await update(bench)
    await bench.offline()
    await bench.advance(10)
    assert bench.reboots == [BootReason.FIRMWARE_UPDATE]
    await bench.kill_and_restart()
    assert words(bench, STATUS) == PLAIN


async def test_reports_that_wait_for_the_link_go_out_once_in_their_order(
    bench_of: BenchOf,
) -> None:
    bench = bench_of()
    await bench.boot()
    await update(bench, retrieveDateTime=stamp(bench.now + timedelta(seconds=30)))
    await bench.offline()
    await bench.advance(60)
    assert words(bench, STATUS) == ["DownloadScheduled"]
    await bench.online()
    assert words(bench, STATUS) == ["DownloadScheduled", *PLAIN]


# ---------------------------------------------------------------- triggers


async def test_errata_26_a_trigger_tells_what_was_told_last_and_idle_only_after_installed(
    bench_of: BenchOf,
) -> None:
    """L01.FR.20, .25 and .26: only Idle has no request id."""
    bench = bench_of(trouble(), IMAGE)
    await bench.boot()
    assert await triggered(bench) == {"status": "Idle"}
    await update(bench, 5, retries=0)
    assert await triggered(bench) == {"status": "DownloadFailed", "requestId": 5}
    await bench.kill_and_restart()
    assert await triggered(bench) == {"status": "DownloadFailed", "requestId": 5}
    await update(bench, 6)
    assert await triggered(bench) == {"status": "Installing", "requestId": 6}
    await bench.advance(10)
    assert await triggered(bench) == {"status": "Idle"}


async def test_F06_FR_16_idle_whenever_nothing_runs_where_that_is_chosen(
    bench_of: BenchOf,
) -> None:
    bench = bench_of(trouble(), points={"ocpp201-firmware-trigger-idle": "idle"})
    await bench.boot()
    await update(bench, 5, retries=1, retryInterval=60)
    assert await triggered(bench) == {"status": "Downloading", "requestId": 5}
    await bench.advance(61)
    assert told(bench)[-1] == (5, "DownloadFailed")
    assert await triggered(bench) == {"status": "Idle"}


# ---------------------------------------------------------------- resets


async def test_B11_FR_06_no_reset_while_a_new_version_is_written_over_the_old_one(
    bench_of: BenchOf,
) -> None:
    """RE-06. Before that it may be reset: the download begins anew."""
    bench = bench_of(asyncio.Event(), IMAGE)
    await bench.boot()
    bench.start_request("UpdateFirmware", request(bench))
    await bench.ports["transfer"].begun.wait()
    answer = await bench.start_request("Reset", {"type": "Immediate"})
    assert answer[2] == {"status": "Accepted"}
    await bench.advance(5)
    assert words(bench, STATUS)[-1] == "Installing"
    refused = {"status": "Rejected", "statusInfo": {"reasonCode": "FwUpdateInProgress"}}
    assert await bench.request("Reset", {"type": "Immediate"}) == refused
    assert await bench.request("Reset", {"type": "Immediate", "evseId": 1}) == refused
    await bench.advance(20)
    assert words(bench, STATUS) == ["Downloading", *PLAIN]
    assert bench.reboots == [BootReason.REMOTE_RESET, BootReason.FIRMWARE_UPDATE]


async def test_errata_28_a_reset_on_idle_waits_for_the_download(bench_of: BenchOf) -> None:
    gate = asyncio.Event()
    bench = bench_of(gate, trouble())
    await bench.boot()
    bench.start_request("UpdateFirmware", request(bench, retries=0))
    await bench.ports["transfer"].begun.wait()
    answer = await bench.start_request("Reset", {"type": "OnIdle"})
    assert answer[2] == {"status": "Scheduled"}
    assert bench.reboots == []
    gate.set()
    await bench.rest()
    assert bench.reboots == [BootReason.SCHEDULED_RESET]
    # a report whose answer the reset did not wait for is told once more
    assert set(words(bench, STATUS)) == {"Downloading", "DownloadFailed"}
    assert words(bench, STATUS)[-1] == "DownloadFailed"


@pytest.mark.parametrize("fails", [False, True])
async def test_errata_28_a_reset_on_idle_while_it_installs_is_done_by_it_or_after_it(
    bench_of: BenchOf, fails: bool
) -> None:
    bench = bench_of()
    await bench.boot()
    if fails:
        bench.ports["faults"].firmware.choose(FirmwareFault.INSTALLATION)
    await update(bench)
    assert await bench.request("Reset", {"type": "OnIdle"}) == {"status": "Scheduled"}
    await bench.advance(60)
    reason = BootReason.SCHEDULED_RESET if fails else BootReason.FIRMWARE_UPDATE
    assert bench.reboots == [reason]


async def test_a_reset_on_idle_does_not_wait_for_a_date(bench_of: BenchOf) -> None:
    bench = bench_of()
    await bench.boot()
    await update(bench, installDateTime=stamp(bench.now + timedelta(days=1)))
    assert words(bench, STATUS)[-1] == "InstallScheduled"
    assert await bench.request("Reset", {"type": "OnIdle"}) == {"status": "Accepted"}
    await bench.rest()
    assert bench.reboots == [BootReason.REMOTE_RESET]
    await bench.advance(86_500)
    assert words(bench, STATUS) == ["Downloading", "Downloaded", "InstallScheduled", *END]
