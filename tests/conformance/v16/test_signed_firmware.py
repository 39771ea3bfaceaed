"""SignedUpdateFirmware of the security extension: certificate, signature, and all its states (L01)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from app.kernel.units import stamp
from app.ocpp.context import BootReason
from app.ocpp.shared.certificates.book import CertificateBook
from app.ocpp.shared.jobs.faults import FirmwareFault
from app.ocpp.shared.jobs.image import build_image
from app.station.intents import PlugIn, PresentCard, SetVehicle
from tests.conformance.v16.conftest import Make
from tests.conformance.v16.file_bench import IMAGE, URL, Servers, at, ports, trouble, words
from tests.support.harness import Bench
from tests.support.maker import Maker, Signer, edwards, short_rsa

STATUS = "SignedFirmwareStatusNotification"
ALL = [
    "Downloading",
    "Downloaded",
    "SignatureVerified",
    "Installing",
    "InstallRebooting",
    "Installed",
]
FAR = datetime(2049, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def maker() -> Maker:
    return Maker()


@pytest.fixture(scope="module")
def signer(maker: Maker) -> Signer:
    return maker.signer()


@pytest.fixture
def bench_of(bench16: Make, tmp_path: Path, maker: Maker) -> Callable[..., Bench]:
    """Makes benches that trust the maker."""

    def make(*answers: Any, trusting: bool = True, **options: Any) -> Bench:
        servers = Servers(list(answers)) if answers else Servers()
        bench = bench16(ports=ports(tmp_path, servers), **options)
        if trusting:
            CertificateBook(bench.store, lambda: bench.now).install_root("Manufacturer", maker.root)
        return bench

    return make


async def update(
    bench: Bench, signer: Signer, request_id: int = 7, image: bytes = IMAGE, **fields: Any
) -> str:
    """Returns the status of the answer; `fields` go over the usual request."""
    top = {key: fields.pop(key) for key in ("retries", "retryInterval") if key in fields}
    firmware = {
        "location": URL,
        "retrieveDateTime": stamp(bench.now),
        "signingCertificate": signer.pem,
        "signature": signer.sign(image),
        **fields,
    }
    request = {"requestId": request_id, "firmware": firmware, **top}
    answer = await bench.request("SignedUpdateFirmware", request)
    return str(answer["status"])


def events(bench: Bench) -> list[tuple[str, str]]:
    return [
        (event["type"], event.get("techInfo", ""))
        for event in bench.sent("SecurityEventNotification")
    ]


def logged(bench: Bench, kind: str) -> list[str]:
    """Why, for each event of this kind in the security log."""
    found = bench.personality.security.log.entries()  # type: ignore[attr-defined]
    return [entry.tech_info for entry in found if entry.type == kind]


async def test_FW_03_all_steps_in_their_order_each_with_the_request_id(
    bench_of: Callable[..., Bench], signer: Signer
) -> None:
    bench = bench_of()
    await bench.boot()
    assert await update(bench, signer) == "Accepted"
    await bench.advance(10)
    assert words(bench, STATUS) == ALL
    assert {item["requestId"] for item in bench.sent(STATUS)} == {7}
    assert bench.reboots == [BootReason.FIRMWARE_UPDATE]
    assert bench.sent("BootNotification")[-1]["firmwareVersion"] == "2.1.0"
    # FW-09: a critical event, so it is told as well
    assert ("FirmwareUpdated", "2.1.0") in events(bench)
    assert bench.sent("FirmwareStatusNotification") == []


async def test_an_rsa_key_signs_with_pss(bench_of: Callable[..., Bench], maker: Maker) -> None:
    bench = bench_of()
    await bench.boot()
    signer = maker.signer(rsa.generate_private_key(65537, 2048))
    assert await update(bench, signer) == "Accepted"
    await bench.advance(10)
    assert words(bench, STATUS) == ALL


@pytest.mark.parametrize("signature", ["of another file", "no base64!", ""])
async def test_FW_08_a_bad_signature_ends_it_with_an_event(
    bench_of: Callable[..., Bench], signer: Signer, signature: str
) -> None:
    bench = bench_of()
    await bench.boot()
    given = signer.sign(b"x") if signature == "of another file" else signature
    assert await update(bench, signer, signature=given) == "Accepted"
    await bench.advance(60)
    assert words(bench, STATUS) == ["Downloading", "Downloaded", "InvalidSignature"]
    assert len(logged(bench, "InvalidFirmwareSignature")) == 1
    assert bench.reboots == []
    assert not (bench.ports["files"] / "firmware.bin").exists()


async def test_FW_08_the_signature_of_another_signer_is_bad(
    bench_of: Callable[..., Bench], maker: Maker, signer: Signer
) -> None:
    bench = bench_of()
    await bench.boot()
    await update(bench, signer, signature=maker.signer().sign(IMAGE))
    assert words(bench, STATUS)[-1] == "InvalidSignature"


def of_nobody(maker: Maker) -> Signer:
    return Maker("Somebody else").signer()


def expired(maker: Maker) -> Signer:
    return maker.signer(end=datetime(2025, 1, 1, tzinfo=UTC))


def too_early(maker: Maker) -> Signer:
    return maker.signer(begin=datetime(2027, 1, 1, tzinfo=UTC))


def short(maker: Maker) -> Signer:
    return maker.signer(short_rsa())


def for_other_use(maker: Maker) -> Signer:
    return maker.signer(usage="key_agreement")


def same_name_other_key(maker: Maker) -> Signer:
    return Maker().signer()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (of_nobody, "not of a known Manufacturer root"),
        (same_name_other_key, "not of a known Manufacturer root"),
        (expired, "expired"),
        (too_early, "not yet valid"),
        (short, "the key is too short"),
        (for_other_use, "key usage forbids signatures"),
    ],
)
async def test_FW_08_a_bad_certificate_is_refused_with_an_event(
    bench_of: Callable[..., Bench], maker: Maker, make: Callable[[Maker], Signer], why: str
) -> None:
    bench = bench_of()
    await bench.boot()
    assert await update(bench, make(maker)) == "InvalidCertificate"
    await bench.advance(60)
    assert words(bench, STATUS) == []
    assert logged(bench, "InvalidFirmwareSigningCertificate") == [why]
    assert bench.ports["transfer"].asked == []


@pytest.mark.parametrize(
    ("pem", "why"),
    [
        ("none", "no PEM certificate"),
        ("two", "more than one certificate"),
        ("edwards", "neither an RSA nor an EC key"),
    ],
)
async def test_FW_08_what_is_no_usable_certificate(
    bench_of: Callable[..., Bench], maker: Maker, signer: Signer, pem: str, why: str
) -> None:
    bench = bench_of()
    await bench.boot()
    texts = {"none": "x", "two": signer.pem * 2, "edwards": maker.signer(edwards()).pem}
    assert await update(bench, signer, signingCertificate=texts[pem]) == "InvalidCertificate"
    assert logged(bench, "InvalidFirmwareSigningCertificate") == [why]


async def test_FW_08_without_a_manufacturer_root_nobody_is_trusted(
    bench_of: Callable[..., Bench], signer: Signer
) -> None:
    bench = bench_of(trusting=False)
    await bench.boot()
    assert await update(bench, signer) == "InvalidCertificate"
    assert logged(bench, "InvalidFirmwareSigningCertificate") == [
        "no Manufacturer root is installed"
    ]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (FirmwareFault.REVOKED, "RevokedCertificate"),
        (FirmwareFault.CERTIFICATE, "InvalidCertificate"),
    ],
)
async def test_a_certificate_that_a_person_wants_to_be_bad(
    bench_of: Callable[..., Bench], signer: Signer, fault: FirmwareFault, status: str
) -> None:
    bench = bench_of()
    await bench.boot()
    bench.ports["faults"].firmware.choose(fault)
    assert await update(bench, signer) == status
    assert len(logged(bench, "InvalidFirmwareSigningCertificate")) == 1
    assert await update(bench, signer) == "Accepted"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (FirmwareFault.DOWNLOAD, ["Downloading", "DownloadFailed"]),
        (FirmwareFault.SIGNATURE, ["Downloading", "Downloaded", "InvalidSignature"]),
        (FirmwareFault.VERIFICATION, [*ALL[:4], "InstallVerificationFailed"]),
        (FirmwareFault.INSTALLATION, [*ALL[:4], "InstallationFailed"]),
        (FirmwareFault.PAUSE, ["Downloading", "DownloadPaused", *ALL]),
    ],
)
async def test_FW_13_each_step_fails_where_a_person_wants_it(
    bench_of: Callable[..., Bench], signer: Signer, fault: FirmwareFault, told: list[str]
) -> None:
    bench = bench_of()
    await bench.boot()
    bench.ports["faults"].firmware.choose(fault)
    await update(bench, signer, retries=0)
    await bench.advance(60)
    assert words(bench, STATUS) == told


async def test_FW_13_a_checksum_that_is_broken_though_it_is_signed(
    bench_of: Callable[..., Bench], signer: Signer
) -> None:
    broken = build_image("2.1.0", b"good")[:-1] + b"x"
    bench = bench_of(broken)
    await bench.boot()
    await update(bench, signer, image=broken)
    await bench.advance(60)
    assert words(bench, STATUS) == [*ALL[:4], "InstallVerificationFailed"]


async def test_FW_06_dates_ahead_are_told_as_scheduled(
    bench_of: Callable[..., Bench], signer: Signer
) -> None:
    bench = bench_of()
    await bench.boot()
    fetch, install = bench.now + timedelta(hours=1), bench.now + timedelta(hours=2)
    await update(bench, signer, retrieveDateTime=stamp(fetch), installDateTime=stamp(install))
    assert words(bench, STATUS) == ["DownloadScheduled"]
    await bench.advance(3 * 3600)
    assert words(bench, STATUS) == [
        "DownloadScheduled",
        "Downloading",
        "Downloaded",
        "SignatureVerified",
        "InstallScheduled",
        "Installing",
        "InstallRebooting",
        "Installed",
    ]
    assert at(bench, STATUS, "Downloading") == [fetch]
    assert at(bench, STATUS, "Installing") == [install]


async def test_L01_FR_18_the_install_date_comes_while_a_session_runs(
    bench_of: Callable[..., Bench], signer: Signer
) -> None:
    bench = bench_of()
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0, soc=10.0))
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    install = bench.now + timedelta(minutes=10)
    await update(bench, signer, installDateTime=stamp(install))
    states = bench.sent("StatusNotification")
    assert "Unavailable" not in {item["status"] for item in states}
    await bench.advance(900)
    assert words(bench, STATUS)[-1] == "InstallScheduled"
    assert bench.sent("StatusNotification")[-1]["status"] == "Unavailable"
    await bench.do(PresentCard("A", evse=1))
    await bench.advance(10)
    assert words(bench, STATUS)[-1] == "Installed"


@pytest.mark.parametrize("wait", [1800, 5400])
async def test_a_power_cut_before_each_date_tells_nothing_twice(
    bench_of: Callable[..., Bench], signer: Signer, wait: float
) -> None:
    bench = bench_of()
    await bench.boot()
    fetch, install = bench.now + timedelta(hours=1), bench.now + timedelta(hours=2)
    await update(bench, signer, retrieveDateTime=stamp(fetch), installDateTime=stamp(install))
    await bench.advance(wait)
    await bench.kill_and_restart()
    await bench.advance(3 * 3600)
    assert words(bench, STATUS) == ["DownloadScheduled", *ALL[:3], "InstallScheduled", *ALL[3:]]
    assert len(bench.ports["transfer"].asked) == 1


async def test_a_power_cut_after_the_reboot_and_before_the_boot_is_accepted(
    bench_of: Callable[..., Bench], signer: Signer
) -> None:
    """All was in place: the first boot that is accepted tells that it is installed."""
    bench = bench_of()
    await bench.boot()
    await update(bench, signer)
    await bench.offline()
    await bench.advance(10)
    assert bench.reboots == [BootReason.FIRMWARE_UPDATE]
    await bench.kill_and_restart()
    assert bench.sent("BootNotification")[-1]["firmwareVersion"] == "2.1.0"
    assert words(bench, STATUS) == ALL


async def test_FW_10_a_new_request_cancels_the_old_one(
    bench_of: Callable[..., Bench], signer: Signer
) -> None:
    held = asyncio.Event()
    bench = bench_of(held, IMAGE)
    await bench.boot()
    firmware = {
        "location": URL,
        "retrieveDateTime": stamp(bench.now),
        "signingCertificate": signer.pem,
        "signature": signer.sign(IMAGE),
    }
    bench.start_request("SignedUpdateFirmware", {"requestId": 1, "firmware": firmware})
    await bench.ports["transfer"].begun.wait()
    assert await update(bench, signer, 2) == "AcceptedCanceled"
    await bench.advance(10)
    told = [(item["requestId"], item["status"]) for item in bench.sent(STATUS)]
    assert told == [(1, "Downloading"), *((2, word) for word in ALL)]


async def test_FW_10_one_that_installs_cannot_be_cancelled(
    bench_of: Callable[..., Bench], signer: Signer
) -> None:
    bench = bench_of()
    await bench.boot()
    await update(bench, signer, 1)
    assert await update(bench, signer, 2) == "Rejected"
    await bench.advance(10)
    assert words(bench, STATUS) == ALL
    assert await update(bench, signer, 3) == "Accepted"


async def test_FW_07_retries_of_a_signed_update(
    bench_of: Callable[..., Bench], signer: Signer
) -> None:
    bench = bench_of(trouble())
    await bench.boot()
    begun = bench.now
    await update(bench, signer, retries=1, retryInterval=45)
    await bench.advance(200)
    assert words(bench, STATUS) == ["Downloading", "Downloading", "DownloadFailed"]
    assert at(bench, STATUS, "DownloadFailed") == [begun + timedelta(seconds=45)]


async def test_L01_FR_28_29_a_trigger_tells_what_was_told_last(
    bench_of: Callable[..., Bench], signer: Signer
) -> None:
    bench = bench_of(trouble(), IMAGE)
    await bench.boot()

    async def triggered() -> dict[str, Any]:
        name = "FirmwareStatusNotification"
        answer = await bench.request("ExtendedTriggerMessage", {"requestedMessage": name})
        assert answer == {"status": "Accepted"}
        return bench.sent(STATUS)[-1]

    assert await triggered() == {"status": "Idle"}
    await update(bench, signer, 5, retries=0)
    assert await triggered() == {"status": "DownloadFailed", "requestId": 5}
    await bench.kill_and_restart()
    assert await triggered() == {"status": "DownloadFailed", "requestId": 5}
    await update(bench, signer, 6)
    assert await triggered() == {"status": "Installing", "requestId": 6}
    await bench.advance(10)
    assert await triggered() == {"status": "Idle"}


async def test_errata_27_a_signed_update_is_taken_where_plain_ones_are_refused(
    bench_of: Callable[..., Bench], signer: Signer
) -> None:
    bench = bench_of(keys={"SecureFirmwareOnly": "true"})
    await bench.boot()
    assert await update(bench, signer) == "Accepted"
    await bench.advance(10)
    assert words(bench, STATUS) == ALL


async def test_FW_10_one_that_waits_for_a_session_is_cancelled_and_gives_the_station_back(
    bench_of: Callable[..., Bench], signer: Signer
) -> None:
    bench = bench_of(IMAGE, trouble())
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0, soc=10.0))
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    await update(bench, signer, 1)
    assert words(bench, STATUS)[-1] == "SignatureVerified"
    assert bench.sent("StatusNotification")[-1]["status"] == "Unavailable"
    assert await update(bench, signer, 2, retries=0) == "AcceptedCanceled"
    assert bench.sent("StatusNotification")[-1]["status"] == "Available"
    told = [(item["requestId"], item["status"]) for item in bench.sent(STATUS)]
    assert told[-2:] == [(2, "Downloading"), (2, "DownloadFailed")]
    await bench.do(PresentCard("A", evse=1))
    await bench.advance(60)
    assert bench.reboots == []


async def test_FW_02_a_driver_with_a_cable_in_waits_until_the_update_is_over(
    bench_of: Callable[..., Bench], signer: Signer
) -> None:
    """16-ST-03: from Preparing to Unavailable there is no way but over Available."""
    bench = bench_of(b"not signed")
    await bench.boot()
    bench.ports["faults"].firmware.choose(FirmwareFault.INSTALLATION)
    await bench.do(PlugIn(1))
    await update(bench, signer, image=b"not signed")
    mine = [x["status"] for x in bench.sent("StatusNotification") if x["connectorId"] == 1]
    assert mine[-3:] == ["Preparing", "Available", "Unavailable"]
    await bench.do(PresentCard("A", evse=1))
    assert bench.personality.sessions() == ()
    answer = await bench.request("RemoteStartTransaction", {"idTag": "A", "connectorId": 1})
    assert answer == {"status": "Rejected"}
    await bench.advance(10)
    assert words(bench, STATUS)[-1] == "InstallationFailed"
    mine = [x["status"] for x in bench.sent("StatusNotification") if x["connectorId"] == 1]
    assert mine[-1] == "Preparing"
    await bench.do(PresentCard("A", evse=1))
    assert len(bench.personality.sessions()) == 1
