"""The pure parts of jobs with files: images, signatures, faults, progress, views."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ocpp.shared.certificates.model import BadCertificate
from app.ocpp.shared.jobs.faults import Chosen, FirmwareFault
from app.ocpp.shared.jobs.image import BadImage, build_image, read_image, version_of_name
from app.ocpp.shared.jobs.job import FirmwareJob
from app.ocpp.shared.jobs.progress import BLIND_STEP, Ticks
from app.ocpp.shared.jobs.signing import check_file, check_signer
from app.ocpp.shared.jobs.upload import UploadJob
from app.ocpp.shared.jobs.views import ahead, file_name, shown
from tests.support.maker import Maker, Signer

NOW = datetime(2026, 1, 15, tzinfo=UTC)


def image(folder: Path, data: bytes, name: str = "fw.bin") -> str:
    path = folder / "image"
    path.write_bytes(data)
    return read_image(path, name).version


def test_an_image_as_we_build_it_gives_its_version(tmp_path: Path) -> None:
    data = build_image("2.1.0-rc1", b"content")
    path = tmp_path / "image"
    path.write_bytes(data)
    found = read_image(path, "other-9.9.9.bin")
    assert (found.version, found.size) == ("2.1.0-rc1", len(data))


@pytest.mark.parametrize(
    ("data", "name", "version"),
    [
        (b"anything", "vendor_fw_v1.20.3.bin", "1.20.3"),
        (b"anything", "fw-2024.11-rc1.tar.gz", "2024.11-rc1"),
        (b"anything", "newest.img", "newest"),
        (b"anything", "", "unknown"),
        (b"Forecourt firmware 7\r\nrest", "x-1.0.bin", "7"),
        (b"Forecourt firmware \nrest", "x-1.0.bin", "1.0"),
        (b"Forecourt firmware " + b"9" * 60 + b"\n", "x-1.0.bin", "1.0"),
    ],
)
def test_the_version_comes_from_the_header_or_from_the_name(
    tmp_path: Path, data: bytes, name: str, version: str
) -> None:
    assert image(tmp_path, data, name) == version


def test_a_version_is_never_longer_than_a_boot_notification_takes(tmp_path: Path) -> None:
    assert len(image(tmp_path, b"x", "a" * 90 + ".bin")) == 50


def test_a_checksum_without_a_header_counts_too(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"content").hexdigest().encode()
    assert image(tmp_path, b"sha256 " + digest + b"\ncontent", "a-1.2.bin") == "1.2"
    with pytest.raises(BadImage, match="checksum"):
        image(tmp_path, b"sha256 " + digest + b"\nother")


def test_an_empty_image_is_none(tmp_path: Path) -> None:
    with pytest.raises(BadImage, match="empty"):
        image(tmp_path, b"")


@given(st.binary(min_size=1, max_size=400), st.text(max_size=60))
def test_no_file_and_no_name_is_too_odd(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "odd"
    path.write_bytes(data)
    assert 0 < len(read_image(path, name).version) <= 50


def test_one_changed_byte_breaks_a_signature(tmp_path: Path) -> None:
    signer = Maker().signer()
    path = tmp_path / "image"
    data = build_image("1.0", b"content")
    path.write_bytes(data)
    signature = signer.sign(data)
    assert check_file(path, signer.pem, signature) is None
    assert check_file(path, signer.pem, signature[:40] + "\n" + signature[40:]) is None
    path.write_bytes(data[:-1] + b"x")
    assert check_file(path, signer.pem, signature) == "the signature does not fit the file"
    assert check_file(path, "no certificate", signature) == "unreadable signature"


def test_roots_that_cannot_be_read_or_are_out_of_date_vouch_for_nobody() -> None:
    maker = Maker()
    old = Maker("Old", end=datetime(2025, 1, 1, tzinfo=UTC))
    check_signer(maker.signer().pem, ["garbage", maker.root], NOW)
    for signer, roots in ((maker.signer(), ["garbage"]), (old.signer(), [old.root])):
        with pytest.raises(BadCertificate, match="not of a known"):
            check_signer(signer.pem, roots, NOW)


def test_an_edwards_key_signs_no_firmware(tmp_path: Path) -> None:
    from tests.support.maker import edwards

    pem = Maker().signer(edwards()).pem
    path = tmp_path / "image"
    path.write_bytes(b"x")
    assert check_file(path, pem, "AAAA") == "neither an RSA nor an EC key"


def test_a_signer_of_the_test_is_a_signer() -> None:
    assert isinstance(Maker().signer(), Signer)


def test_a_fault_happens_so_often_and_no_other_does() -> None:
    chosen: Chosen[FirmwareFault] = Chosen()
    assert not chosen.take(FirmwareFault.DOWNLOAD)
    chosen.choose(FirmwareFault.DOWNLOAD, 2)
    assert not chosen.take(FirmwareFault.PAUSE)
    assert [chosen.take(FirmwareFault.DOWNLOAD) for _ in range(3)] == [True, True, False]
    chosen.choose(FirmwareFault.PAUSE, None)
    assert all(chosen.take(FirmwareFault.PAUSE) for _ in range(5))
    chosen.choose(None)
    assert not chosen.take(FirmwareFault.PAUSE)


def test_progress_is_told_in_twenty_steps_and_at_the_end() -> None:
    told: list[tuple[int, int | None]] = []
    ticks = Ticks(lambda done, total: told.append((done, total)))
    for done in range(1001):
        ticks(done, 1000)
    assert len(told) == 21
    assert (told[0], told[-1]) == ((0, 1000), (1000, 1000))
    assert (ticks.done, ticks.total) == (1000, 1000)


def test_progress_without_a_total_is_told_for_each_mebibyte() -> None:
    told: list[int] = []
    ticks = Ticks(lambda done, total: told.append(done))
    for done in range(0, 3 * BLIND_STEP + 1, BLIND_STEP // 8):
        ticks(done, None)
    assert told == [0, BLIND_STEP, 2 * BLIND_STEP, 3 * BLIND_STEP]


def test_rows_of_a_newer_program_can_be_read() -> None:
    shared: dict[str, Any] = {"location": "http://x/", "retries": 1, "interval": 2.0}
    job = FirmwareJob(retrieve_at="2026-01-01T00:00:00Z", **shared)
    assert FirmwareJob.of(job.row() | {"newer": 1}).row() == job.row()
    upload = UploadJob(log="SecurityLog", name="a", **shared)
    assert UploadJob.of(upload.row() | {"newer": 1}).row() == upload.row()


def test_locations_are_shown_without_secrets() -> None:
    assert shown("ftp://u:p@h:21/a/b?key=1") == "ftp://h:21/a/b"
    assert file_name("http://h/a/fw-1.0.bin?x=1") == "fw-1.0.bin"
    assert file_name("http://h/a/") == "a"


def test_a_date_is_ahead_until_it_has_come() -> None:
    assert ahead("2026-01-15T00:00:01Z", NOW) is not None
    assert ahead("2026-01-15T00:00:00Z", NOW) is None
    assert ahead(None, NOW) is None


def test_names_of_versions_stay_whole() -> None:
    assert version_of_name("charger_3.0.0.swu") == "3.0.0"
