"""HTTP and HTTPS transfers against a real server on loopback."""

from __future__ import annotations

import asyncio
import errno
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from app.ocpp.context import TransferTrouble
from app.transfer.port import Terms, Transfers
from tests.app.transfer.conftest import Watched, failure
from tests.support.file_servers import closed_port, http_server, rude_server

IMAGE = b"Forecourt firmware 2.0\n" + bytes(range(256)) * 1000


def transfers(**terms: Any) -> Transfers:
    return Transfers(terms=Terms(**{"connect": 5.0, "silence": 5.0, **terms}))


def nothing(done: int, total: int | None) -> None:
    return None


# ---------------------------------------------------------------- downloads


async def test_a_file_comes_whole_and_tells_how_far_it_is(
    shelf: Path, tmp_path: Path, watched: Watched
) -> None:
    (shelf / "fw.bin").write_bytes(IMAGE)
    async with http_server(shelf) as server:
        await transfers().download(server.url("fw.bin"), tmp_path / "in", progress=watched)
    assert (tmp_path / "in").read_bytes() == IMAGE
    assert watched.told[0] == (0, len(IMAGE))
    assert watched.told[-1] == (len(IMAGE), len(IMAGE))
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


async def test_https_with_the_root_of_the_station(
    shelf: Path, tmp_path: Path, server_tls: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    (shelf / "fw.bin").write_bytes(IMAGE)
    async with http_server(shelf, server_tls) as server:
        port = Transfers(lambda: lambda: trust)
        await port.download(server.url("fw.bin"), tmp_path / "in", progress=nothing)
    assert (tmp_path / "in").read_bytes() == IMAGE


async def test_roots_are_read_beside_the_loop(
    shelf: Path, tmp_path: Path, trust: ssl.SSLContext
) -> None:
    (shelf / "fw.bin").write_bytes(IMAGE)
    threads: list[int] = []

    def read() -> ssl.SSLContext:
        threads.append(threading.get_ident())
        return trust

    async with http_server(shelf) as server:
        port = Transfers(lambda: read)
        await port.download(server.url("fw.bin"), tmp_path / "in", progress=nothing)
    assert threads
    assert threading.get_ident() not in threads


async def test_https_without_its_root_says_that_it_is_not_trusted(
    shelf: Path, tmp_path: Path, server_tls: ssl.SSLContext
) -> None:
    async with http_server(shelf, server_tls) as server:
        work = transfers().download(server.url("fw.bin"), tmp_path / "in", progress=nothing)
        failed = await failure(work)
    assert failed.text.id == "transfer.not_trusted"
    assert failed.trouble is TransferTrouble.UNREACHABLE


async def test_https_to_a_port_that_speaks_no_tls(shelf: Path, tmp_path: Path) -> None:
    async with http_server(shelf) as server:
        url = server.url("fw.bin").replace("http:", "https:")
        failed = await failure(transfers().download(url, tmp_path / "in", progress=nothing))
    assert failed.text.id == "transfer.tls"


async def test_user_and_password_of_the_url_are_shown_to_the_server(
    shelf: Path, tmp_path: Path
) -> None:
    (shelf / "fw.bin").write_bytes(IMAGE)
    async with http_server(shelf) as server:
        url = server.url("fw.bin", login="me:top%20secret@")
        await transfers().download(url, tmp_path / "in", progress=nothing)
        assert server.seen[0].headers["Authorization"] == "Basic bWU6dG9wIHNlY3JldA=="


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (401, TransferTrouble.DENIED),
        (403, TransferTrouble.DENIED),
        (404, TransferTrouble.NOT_FOUND),
        (400, TransferTrouble.BAD_MESSAGE),
        (500, TransferTrouble.REFUSED),
        (501, TransferTrouble.NOT_SUPPORTED),
    ],
)
async def test_each_no_of_the_server_has_its_reason(
    shelf: Path, tmp_path: Path, status: int, trouble: TransferTrouble
) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with http_server(shelf) as server:
        server.on("GET", refuse)
        url = server.url("fw.bin", login="me:secret@")
        failed = await failure(transfers().download(url, tmp_path / "in", progress=nothing))
    assert failed.trouble is trouble
    assert failed.text.params["code"] == status
    assert not list(tmp_path.glob("in*"))


async def test_a_file_that_is_cut_short_leaves_nothing(tmp_path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")
        await writer.drain()

    async with rude_server(talk) as port:
        url = f"http://127.0.0.1:{port}/fw.bin"
        failed = await failure(transfers().download(url, tmp_path / "in", progress=nothing))
    assert failed.trouble is TransferTrouble.CUT_OFF
    assert not list(tmp_path.glob("in*"))


async def test_a_server_that_hangs_up_at_once(tmp_path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with rude_server(talk) as port:
        url = f"http://127.0.0.1:{port}/fw.bin"
        failed = await failure(transfers().download(url, tmp_path / "in", progress=nothing))
    assert failed.text.id == "transfer.cut_off"


async def test_a_server_that_speaks_something_else(tmp_path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 I am an FTP server\r\n")
        await writer.drain()
        await reader.read(100)

    async with rude_server(talk) as port:
        url = f"http://127.0.0.1:{port}/fw.bin"
        failed = await failure(transfers().download(url, tmp_path / "in", progress=nothing))
    assert failed.trouble is TransferTrouble.BAD_MESSAGE


async def test_a_server_that_falls_silent_is_given_up(tmp_path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")
        await writer.drain()
        await reader.read(100)

    async with rude_server(talk) as port:
        url = f"http://127.0.0.1:{port}/fw.bin"
        work = transfers(silence=0.1).download(url, tmp_path / "in", progress=nothing)
        failed = await failure(work)
    assert (failed.text.id, failed.trouble) == ("transfer.silent", TransferTrouble.CUT_OFF)


async def test_a_port_that_nobody_listens_on(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{await closed_port()}/fw.bin"
    failed = await failure(transfers().download(url, tmp_path / "in", progress=nothing))
    assert failed.trouble is TransferTrouble.UNREACHABLE
    assert failed.text.id == "transfer.unreachable"


async def test_a_name_that_nobody_knows(tmp_path: Path) -> None:
    url = "http://nowhere.invalid/fw.bin"
    failed = await failure(transfers().download(url, tmp_path / "in", progress=nothing))
    assert failed.text.id in ("transfer.no_such_host", "transfer.unreachable")


@pytest.mark.parametrize("told", [True, False])
async def test_a_file_that_is_too_large_is_refused_before_or_while_it_comes(
    shelf: Path, tmp_path: Path, told: bool
) -> None:
    async def send(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        if told:
            answer.content_length = len(IMAGE)
        await answer.prepare(request)
        await answer.write(IMAGE)
        return answer

    async with http_server(shelf) as server:
        server.on("GET", send)
        port = transfers(max_size=1000)
        failed = await failure(port.download(server.url("x"), tmp_path / "in", progress=nothing))
    assert (failed.text.id, failed.trouble) == ("transfer.too_large", TransferTrouble.LOCAL)
    assert not list(tmp_path.glob("in*"))


class FullDisk:
    """A file on a disk without room."""

    def write(self, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def close(self) -> None:
        return None


async def test_a_full_disk_is_our_own_fault(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shelf / "fw.bin").write_bytes(IMAGE)
    real = Path.open

    def no_room(path: Path, *arguments: Any, **named: Any) -> Any:
        return FullDisk() if path.suffix == ".part" else real(path, *arguments, **named)

    async with http_server(shelf) as server:
        monkeypatch.setattr(Path, "open", no_room)
        work = transfers().download(server.url("fw.bin"), tmp_path / "in", progress=nothing)
        failed = await failure(work)
    assert (failed.text.id, failed.trouble) == ("transfer.own_disk", TransferTrouble.LOCAL)
    assert failed.text.params["why"] == "No space left on device"


async def test_a_folder_that_cannot_be_written_is_our_own_fault(
    shelf: Path, tmp_path: Path
) -> None:
    (shelf / "fw.bin").write_bytes(IMAGE)
    (tmp_path / "in").write_text("a file where a folder should be")
    async with http_server(shelf) as server:
        work = transfers().download(server.url("fw.bin"), tmp_path / "in" / "x", progress=nothing)
        failed = await failure(work)
    assert failed.trouble is TransferTrouble.LOCAL


async def test_redirections_are_followed_but_the_password_stays_with_its_server(
    shelf: Path, tmp_path: Path
) -> None:
    (shelf / "fw.bin").write_bytes(IMAGE)
    async with http_server(shelf) as here, http_server(shelf) as there:

        async def elsewhere(request: web.Request) -> web.Response:
            goal = there.url("fw.bin") if request.path == "/moved" else "/moved"
            return web.Response(status=302, headers={"Location": goal})

        here.on("GET", elsewhere)
        url = here.url("fw.bin", login="me:secret@")
        await transfers().download(url, tmp_path / "in", progress=nothing)
        assert [("Authorization" in one.headers) for one in here.seen] == [True, True]
        assert "Authorization" not in there.seen[0].headers
    assert (tmp_path / "in").read_bytes() == IMAGE


@pytest.mark.parametrize(
    ("goal", "trouble"),
    [
        ("/again", TransferTrouble.BAD_MESSAGE),
        ("ftp://127.0.0.1/x", TransferTrouble.NOT_SUPPORTED),
        ("file:///etc/passwd", TransferTrouble.NOT_SUPPORTED),
    ],
)
async def test_redirections_without_end_or_to_another_protocol_are_refused(
    shelf: Path, tmp_path: Path, goal: str, trouble: TransferTrouble
) -> None:
    async def away(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": goal})

    async with http_server(shelf) as server:
        server.on("GET", away)
        work = transfers().download(server.url("x"), tmp_path / "in", progress=nothing)
        failed = await failure(work)
    assert failed.trouble is trouble


async def test_a_cancelled_download_leaves_nothing(shelf: Path, tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def send(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(IMAGE)
        await asyncio.sleep(60)
        return answer

    def told(done: int, total: int | None) -> None:
        if done:
            begun.set()

    async with http_server(shelf) as server:
        server.on("GET", send)
        work = transfers().download(server.url("x"), tmp_path / "in", progress=told)
        task = asyncio.ensure_future(work)
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not list(tmp_path.glob("in*"))


# ---------------------------------------------------------------- uploads


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.tar.gz"
    path.write_bytes(IMAGE)
    return path


async def test_DG_06_an_upload_is_put_into_the_folder(
    shelf: Path, log: Path, watched: Watched
) -> None:
    async with http_server(shelf) as server:
        await transfers().upload(server.url("up/"), log, "station.tgz", progress=watched)
        assert server.seen[0].headers["Content-Length"] == str(len(IMAGE))
    assert (shelf / "up" / "station.tgz").read_bytes() == IMAGE
    assert watched.told[-1] == (len(IMAGE), len(IMAGE))


async def test_an_upload_over_https_with_a_password(
    shelf: Path, log: Path, server_tls: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    async with http_server(shelf, server_tls) as server:
        port = Transfers(lambda: lambda: trust)
        await port.upload(server.url("up", login="me:secret@"), log, "a.tgz", progress=nothing)
        assert server.seen[0].headers["Authorization"].startswith("Basic ")
    assert (shelf / "up" / "a.tgz").read_bytes() == IMAGE


async def test_a_server_without_put_gets_a_form_by_post(
    shelf: Path, log: Path, watched: Watched
) -> None:
    async def take(request: web.Request) -> web.Response:
        form = await request.post()
        sent = form["file"]
        assert isinstance(sent, web.FileField)
        (shelf / sent.filename).write_bytes(sent.file.read())
        return web.Response(status=200)

    async def no_put(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=405)

    async with http_server(shelf) as server:
        server.on("PUT", no_put)
        server.on("POST", take)
        await transfers().upload(server.url("form"), log, "a.tgz", progress=watched)
        assert [(one.method, one.path) for one in server.seen] == [
            ("PUT", "/form/a.tgz"),
            ("POST", "/form"),
        ]
    assert (shelf / "a.tgz").read_bytes() == IMAGE


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (401, TransferTrouble.DENIED),
        (413, TransferTrouble.REFUSED),
        (405, TransferTrouble.NOT_SUPPORTED),
        (422, TransferTrouble.BAD_MESSAGE),
        (404, TransferTrouble.NOT_FOUND),
    ],
)
async def test_an_upload_that_is_refused(
    shelf: Path, log: Path, status: int, trouble: TransferTrouble
) -> None:
    async def refuse(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=status)

    async with http_server(shelf) as server:
        server.on("PUT", refuse)
        server.on("POST", refuse)
        failed = await failure(transfers().upload(server.url(), log, "a", progress=nothing))
    assert failed.trouble is trouble


async def test_an_upload_follows_a_redirection_with_its_body(shelf: Path, log: Path) -> None:
    async with http_server(shelf) as here, http_server(shelf) as there:

        async def elsewhere(request: web.Request) -> web.Response:
            await request.read()
            return web.Response(status=307, headers={"Location": there.url("a.tgz")})

        here.on("PUT", elsewhere)
        await transfers().upload(here.url("a.tgz"), log, "unused", progress=nothing)
    assert (shelf / "a.tgz").read_bytes() == IMAGE


async def test_an_upload_of_a_file_that_is_not_there(shelf: Path, tmp_path: Path) -> None:
    async with http_server(shelf) as server:
        work = transfers().upload(server.url(), tmp_path / "gone", "a", progress=nothing)
        failed = await failure(work)
    assert failed.trouble is TransferTrouble.LOCAL


async def test_a_server_that_hangs_up_in_the_middle_of_an_upload(tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(8 * 1024 * 1024))

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.read(1000)
        writer.transport.abort()

    async with rude_server(talk) as port:
        url = f"http://127.0.0.1:{port}/up/"
        failed = await failure(transfers().upload(url, large, "a", progress=nothing))
    assert failed.trouble is TransferTrouble.CUT_OFF


@pytest.mark.parametrize("scheme", ["sftp", "scp", "file"])
async def test_a_scheme_that_nobody_speaks(log: Path, scheme: str) -> None:
    url = f"{scheme}://me:secret@127.0.0.1/up/"
    failed = await failure(transfers().upload(url, log, "a", progress=nothing))
    assert failed.trouble is TransferTrouble.NOT_SUPPORTED


async def test_the_way_leads_over_a_proxy_where_there_is_one(shelf: Path, tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()

    async with rude_server(talk) as port:
        over = Transfers(proxy=lambda where: f"http://127.0.0.1:{port}")
        url = "http://files.invalid/fw.bin"
        await over.download(url, tmp_path / "in", progress=nothing)
    assert asked[0].startswith(b"GET http://files.invalid/fw.bin HTTP/1.1\r\n")
    assert (tmp_path / "in").read_bytes() == b"ok"
