"""FTP and FTPS transfers against a real server on loopback."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from app.ocpp.context import TransferTrouble
from app.transfer.port import Terms, Transfers
from tests.app.transfer.conftest import Watched, failure
from tests.support.file_servers import closed_port, ftp_server, rude_server

IMAGE = bytes(range(256)) * 1000


def transfers(trust: ssl.SSLContext | None = None, **terms: Any) -> Transfers:
    settings = Terms(**{"connect": 5.0, "silence": 5.0, **terms})
    return Transfers(lambda: lambda: trust, terms=settings) if trust else Transfers(terms=settings)


def nothing(done: int, total: int | None) -> None:
    return None


async def test_a_file_comes_whole_and_tells_how_far_it_is(
    shelf: Path, tmp_path: Path, watched: Watched
) -> None:
    (shelf / "sub").mkdir()
    (shelf / "sub" / "fw 1.bin").write_bytes(IMAGE)
    async with ftp_server(shelf) as server:
        url = server.url("sub/fw%201.bin")
        await transfers().download(url, tmp_path / "in", progress=watched)
    assert (tmp_path / "in").read_bytes() == IMAGE
    assert watched.told[0] == (0, len(IMAGE))
    assert watched.told[-1] == (len(IMAGE), len(IMAGE))


async def test_an_upload_is_stored_in_the_folder(
    shelf: Path, tmp_path: Path, watched: Watched
) -> None:
    (shelf / "up").mkdir()
    log = tmp_path / "log"
    log.write_bytes(IMAGE)
    async with ftp_server(shelf) as server:
        await transfers().upload(server.url("up"), log, "station.tgz", progress=watched)
    assert (shelf / "up" / "station.tgz").read_bytes() == IMAGE
    assert watched.told[-1] == (len(IMAGE), len(IMAGE))


async def test_ftps_both_ways_with_the_root_of_the_station(
    shelf: Path, tmp_path: Path, server_tls: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    (shelf / "fw.bin").write_bytes(IMAGE)
    async with ftp_server(shelf, server_tls) as server:
        port = transfers(trust)
        await port.download(server.url("fw.bin"), tmp_path / "in", progress=nothing)
        await port.upload(server.url(), tmp_path / "in", "back.bin", progress=nothing)
    assert (shelf / "back.bin").read_bytes() == IMAGE


async def test_ftps_without_its_root_says_that_it_is_not_trusted(
    shelf: Path, tmp_path: Path, server_tls: ssl.SSLContext
) -> None:
    async with ftp_server(shelf, server_tls) as server:
        work = transfers().download(server.url("fw.bin"), tmp_path / "in", progress=nothing)
        failed = await failure(work)
    assert (failed.text.id, failed.trouble) == (
        "transfer.not_trusted",
        TransferTrouble.UNREACHABLE,
    )


async def test_a_wrong_password_is_denied(shelf: Path, tmp_path: Path) -> None:
    async with ftp_server(shelf) as server:
        url = server.url("fw.bin", login="station:secret@")
        failed = await failure(transfers().download(url, tmp_path / "in", progress=nothing))
    assert failed.trouble is TransferTrouble.DENIED


async def test_without_a_user_it_comes_as_anonymous(shelf: Path, tmp_path: Path) -> None:
    async with ftp_server(shelf) as server:
        url = server.url("fw.bin", login="")
        failed = await failure(transfers().download(url, tmp_path / "in", progress=nothing))
    assert failed.trouble is TransferTrouble.DENIED  # this server knows no such user


async def test_a_file_that_is_not_there(shelf: Path, tmp_path: Path) -> None:
    async with ftp_server(shelf) as server:
        work = transfers().download(server.url("fw.bin"), tmp_path / "in", progress=nothing)
        failed = await failure(work)
    assert failed.trouble is TransferTrouble.NOT_FOUND
    assert not list(tmp_path.glob("in*"))


async def test_a_folder_that_may_not_be_written_is_denied(shelf: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(IMAGE)
    async with ftp_server(shelf, writable=False) as server:
        failed = await failure(transfers().upload(server.url(), log, "a", progress=nothing))
    assert failed.trouble is TransferTrouble.DENIED


async def test_a_port_that_nobody_listens_on(tmp_path: Path) -> None:
    url = f"ftp://127.0.0.1:{await closed_port()}/x"
    failed = await failure(transfers().download(url, tmp_path / "in", progress=nothing))
    assert (failed.text.id, failed.trouble) == ("transfer.unreachable", TransferTrouble.UNREACHABLE)


async def test_a_server_that_hangs_up(tmp_path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 welcome\r\n")
        await writer.drain()
        await reader.readline()

    async with rude_server(talk) as port:
        url = f"ftp://127.0.0.1:{port}/x"
        failed = await failure(transfers().download(url, tmp_path / "in", progress=nothing))
    assert (failed.text.id, failed.trouble) == ("transfer.cut_off", TransferTrouble.CUT_OFF)


async def test_a_server_that_falls_silent(tmp_path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 welcome\r\n")
        await writer.drain()
        await reader.read()

    async with rude_server(talk) as port:
        work = transfers(silence=0.1).download(
            f"ftp://127.0.0.1:{port}/x", tmp_path / "in", progress=nothing
        )
        failed = await failure(work)
    assert (failed.text.id, failed.trouble) == ("transfer.silent", TransferTrouble.CUT_OFF)


async def test_a_server_that_speaks_something_else(tmp_path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with rude_server(talk) as port:
        url = f"ftp://127.0.0.1:{port}/x"
        failed = await failure(transfers().download(url, tmp_path / "in", progress=nothing))
    assert failed.trouble in (TransferTrouble.BAD_MESSAGE, TransferTrouble.CUT_OFF)


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (b"502 no such command", TransferTrouble.NOT_SUPPORTED),
        (b"501 what?", TransferTrouble.BAD_MESSAGE),
        (b"421 going home", TransferTrouble.CUT_OFF),
        (b"452 no room for secret", TransferTrouble.REFUSED),
        (b"530 secret is wrong", TransferTrouble.DENIED),
    ],
)
async def test_each_no_of_the_server_has_its_reason_and_never_repeats_the_password(
    tmp_path: Path, reply: bytes, trouble: TransferTrouble
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 welcome\r\n")
        await reader.readline()
        writer.write(b"331 password please\r\n")
        await reader.readline()
        writer.write(reply + b"\r\n")
        await writer.drain()

    async with rude_server(talk) as port:
        url = f"ftp://me:secret@127.0.0.1:{port}/x"
        failed = await failure(transfers().download(url, tmp_path / "in", progress=nothing))
    assert failed.trouble is trouble


async def test_a_file_that_is_cut_short_leaves_nothing(tmp_path: Path) -> None:
    """The server closes the data connection early and calls that complete."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def data(_: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
            await ready.wait()
            out.write(b"only this")
            out.close()

        ready = asyncio.Event()
        server = await asyncio.start_server(data, "127.0.0.1", 0)
        place = server.sockets[0].getsockname()[1]
        answers = {
            b"USER": b"230 in",
            b"MLST": b"250-begin\r\n Type=file;Size=1000; x\r\n250 end",
            b"TYPE": b"200 ok",
            b"EPSV": b"229 ready (|||%d|)" % place,
            b"RETR": b"150 here it comes\r\n226 done",
            b"QUIT": b"221 bye",
        }
        writer.write(b"220 welcome\r\n")
        while line := await reader.readline():
            writer.write(answers.get(line[:4], b"502 what") + b"\r\n")
            if line.startswith(b"RETR"):
                ready.set()
        server.close()

    async with rude_server(talk) as port:
        url = f"ftp://127.0.0.1:{port}/x"
        failed = await failure(transfers().download(url, tmp_path / "in", progress=nothing))
    assert (failed.text.id, failed.trouble) == ("transfer.truncated", TransferTrouble.CUT_OFF)
    assert not list(tmp_path.glob("in*"))


async def test_on_the_usual_port_ftps_upgrades_the_connection(
    tmp_path: Path,
    server_tls: ssl.SSLContext,
    trust: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """AUTH TLS, then the password and the data under TLS."""
    under_tls: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def data(_: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
            await ready.wait()
            out.write(IMAGE)
            await out.drain()
            out.close()

        ready = asyncio.Event()
        server = await asyncio.start_server(data, "127.0.0.1", 0, ssl=server_tls)
        place = server.sockets[0].getsockname()[1]
        answers = {
            b"PBSZ": b"200 ok",
            b"PROT": b"200 ok",
            b"USER": b"331 password please",
            b"PASS": b"230 in",
            b"TYPE": b"200 ok",
            b"EPSV": b"229 ready (|||%d|)" % place,
            b"RETR": b"150 here it comes\r\n226 done",
            b"QUIT": b"221 bye",
        }
        writer.write(b"220 welcome\r\n")
        assert await reader.readline() == b"AUTH TLS\r\n"
        writer.write(b"234 go on\r\n")
        await writer.start_tls(server_tls)
        while line := await reader.readline():
            under_tls.append(line[:4])
            writer.write(answers.get(line[:4], b"502 what") + b"\r\n")
            if line.startswith(b"RETR"):
                ready.set()
        server.close()

    async with rude_server(talk) as port:
        monkeypatch.setattr("app.transfer.ftp.PORTS", {"ftp": port})
        url = f"ftps://me:secret@127.0.0.1:{port}/x"
        await transfers(trust).download(url, tmp_path / "in", progress=nothing)
    assert (tmp_path / "in").read_bytes() == IMAGE
    assert under_tls[:4] == [b"PBSZ", b"PROT", b"USER", b"PASS"]
