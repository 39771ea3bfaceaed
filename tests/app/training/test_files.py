"""The file servers of the training CSMS: what they serve, what they take, and what they cost unused."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from app.ocpp.context import TransferFailed, TransferTrouble
from app.ocpp.shared.jobs.image import read_image
from app.ocpp.shared.jobs.signing import check_file, check_signer
from app.training.certificates import make_authority
from app.training.files import FILE, PROTOCOLS, VERSION, TrainingFiles, safe
from app.training.records import Topic, UploadRecord
from app.training.thread import TrainingCsmsThread
from app.transfer.port import Transfers
from tests.support.csms import running_csms

NOW = datetime(2026, 5, 1, tzinfo=UTC)


class Shelf(TrainingFiles):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[UploadRecord] = []
        self.authority = make_authority()
        super().__init__(lambda: NOW, self.told.append, lambda: self.authority)

    def transfers(self) -> Transfers:
        """Of a station that has the root."""
        return Transfers(
            lambda: lambda: ssl.create_default_context(cadata=self.authority.certificate_pem)
        )


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    shelf = Shelf()
    await shelf.open("127.0.0.1")
    yield shelf
    await shelf.close()


def nothing(done: int, total: int | None) -> None:
    return None


@pytest.mark.parametrize("kind", PROTOCOLS)
async def test_the_firmware_can_be_fetched_and_read(
    shelf: Shelf, tmp_path: Path, kind: str
) -> None:
    url = shelf.firmware_url(kind)
    assert url.endswith(f"/firmware/{FILE}")
    await shelf.transfers().download(url, tmp_path / "fw", progress=nothing)
    image = read_image(tmp_path / "fw", FILE)
    assert image.version == VERSION
    assert image.size > 500_000


async def test_signature_and_certificate_fit_firmware_and_root(
    shelf: Shelf, tmp_path: Path
) -> None:
    signed = shelf.signed()
    check_signer(signed.certificate, [signed.root], NOW)
    await Transfers().download(shelf.firmware_url(), tmp_path / "fw", progress=nothing)
    assert check_file(tmp_path / "fw", signed.certificate, signed.signature) is None
    assert shelf.signed() is signed


@pytest.mark.parametrize("kind", PROTOCOLS)
async def test_an_upload_is_kept_and_told_until_the_end(
    shelf: Shelf, tmp_path: Path, kind: str
) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"what happened")
    url = shelf.upload_url("CS 1/ä", kind)
    for _ in range(2):
        await shelf.transfers().upload(url, log, "log.tar.gz", progress=nothing)
    await asyncio.sleep(0.05)  # the FTP server closes its file after it has answered
    (record,) = shelf.uploads()
    assert (record.station_id, record.name, record.size) == ("CS-1--", "log.tar.gz", 13)
    assert (record.at, record.protocol) == (NOW, kind)
    assert shelf.read(record) == b"what happened"
    assert len(shelf.told) == 2
    folder = shelf.folder
    await shelf.close()
    assert not folder.exists()


async def test_https_shows_the_authority_of_the_moment(shelf: Shelf, tmp_path: Path) -> None:
    url, path = shelf.firmware_url("https"), tmp_path / "fw"
    await shelf.transfers().download(url, path, progress=nothing)
    with pytest.raises(TransferFailed) as failed:
        await Transfers().download(url, path, progress=nothing)
    assert failed.value.text.id == "transfer.not_trusted"
    shelf.authority = make_authority("Another root")
    await shelf.transfers().download(url, path, progress=nothing)


async def test_a_form_is_taken_as_well(shelf: Shelf) -> None:
    async with aiohttp.ClientSession() as session:
        form = aiohttp.FormData()
        form.add_field("file", b"abc", filename="../../x.tgz")
        async with session.post(shelf.upload_url("CS-1"), data=form) as answer:
            assert answer.status == 201
        async with session.post(shelf.upload_url("CS-1"), data={"a": "b"}) as answer:
            assert answer.status == 400
        async with session.get(f"{shelf.upload_url('CS-1')}x.tgz") as answer:
            assert await answer.read() == b"abc"
    assert [one.name for one in shelf.uploads()] == ["x.tgz"]


@pytest.mark.parametrize("path", ["..%2F..%2Fetc%2Fpasswd", "none", "%2E%2E", "a%5Cb"])
async def test_nothing_outside_of_the_folder_can_be_read(shelf: Shelf, path: str) -> None:
    url = f"{shelf.upload_url('CS-1')}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 404


async def test_firmware_cannot_be_replaced(shelf: Shelf, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"bad")
    for kind in PROTOCOLS:
        with pytest.raises(TransferFailed) as failed:
            await shelf.transfers().upload(shelf.firmware_url(kind), log, "x", progress=nothing)
        assert failed.value.trouble in (TransferTrouble.NOT_SUPPORTED, TransferTrouble.DENIED)


async def test_older_uploads_make_room(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.training.files.MOST_BYTES", 25)
    log = tmp_path / "log"
    log.write_bytes(bytes(10))
    for name in ("a.tgz", "b.tgz", "c.tgz"):
        await Transfers().upload(shelf.upload_url("CS-1"), log, name, progress=nothing)
    assert [one.name for one in shelf.uploads()] == ["b.tgz", "c.tgz"]
    with pytest.raises(FileNotFoundError):
        shelf.read(shelf.told[0])


async def test_an_upload_that_is_too_large_is_refused(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    log.write_bytes(bytes(10))
    await Transfers().upload(shelf.upload_url("CS-1"), log, "a", progress=nothing)
    monkeypatch.setattr("app.training.file_servers.LARGEST", 5)
    with pytest.raises(TransferFailed):
        await Transfers().upload(shelf.upload_url("CS-1"), log, "b", progress=nothing)
    assert [one.name for one in shelf.uploads()] == ["a"]


async def test_nobody_knocks_nothing_is_made() -> None:
    """The servers behind the ports cost nothing until they are used."""
    shelf = Shelf()
    await shelf.open("127.0.0.1")
    before = {task.get_name() for task in asyncio.all_tasks()}
    assert {"http", "ftp"}.isdisjoint(before)
    await shelf.close()


async def test_a_loop_that_cannot_watch_ports_makes_the_servers_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def cannot(*_: object) -> None:
        raise NotImplementedError

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "add_reader", cannot)
    shelf = Shelf()
    await shelf.open("127.0.0.1")
    monkeypatch.undo()
    try:
        await Transfers().download(shelf.firmware_url(), tmp_path / "fw", progress=nothing)
    finally:
        await shelf.close()


async def test_a_csms_offers_its_files_and_tells_of_uploads(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"x")
    async with running_csms() as probe:
        topics: list[Topic] = []
        remove = probe.csms.subscribe(lambda change: topics.append(change.topic))
        url = probe.csms.files.upload_url("CS-1")
        await Transfers().upload(url, log, "a.tgz", progress=nothing)
        assert [one.name for one in probe.snapshot().uploads] == ["a.tgz"]
        assert topics == [Topic.LOG, Topic.FILES]
        remove()


async def test_the_thread_of_a_window_serves_files_too(tmp_path: Path) -> None:
    thread = TrainingCsmsThread()
    await asyncio.to_thread(thread.start)
    try:
        url = await asyncio.wrap_future(thread.perform(lambda csms: csms.files.firmware_url()))
        await Transfers().download(url, tmp_path / "fw", progress=nothing)
    finally:
        await asyncio.to_thread(thread.stop)
    assert (tmp_path / "fw").stat().st_size > 500_000


@pytest.mark.parametrize(("name", "folder"), [("CS-1", "CS-1"), ("../x", "-x"), ("..", "station")])
def test_ids_become_names_of_folders(name: str, folder: str) -> None:
    assert safe(name) == folder


def test_the_training_csms_does_not_import_its_file_servers_by_itself() -> None:
    import subprocess

    code = "import sys, app.training.server; print('aiohttp' in sys.modules or 'aioftp' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
