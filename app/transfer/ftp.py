"""Files over FTP and FTPS, always in passive mode.

`ftps` is TLS from the first byte (port 990); on port 21 the connection is upgraded by AUTH TLS.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aioftp

from app.kernel.text import Text
from app.ocpp.context import Progress, TransferFailed, TransferTrouble
from app.transfer.places import PORTS, Place
from app.transfer.sink import PIECE, Sink, pieces

if TYPE_CHECKING:
    from app.transfer.port import Terms

ANONYMOUS = ("anonymous", "anon@")
_LOGIN = frozenset({"530", "332", "331"})
_UNKNOWN = frozenset({"502", "504", "202"})
_SYNTAX = frozenset({"500", "501", "503"})


class _Client(aioftp.Client):
    """Knows each connection it opened: the library forgets the one for data if the server then says no."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.opened: list[asyncio.StreamWriter] = []

    async def _open_connection(
        self, host: str, port: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await super()._open_connection(host, port)
        self.opened.append(writer)
        return reader, writer

    def close_all(self) -> None:
        self.close()
        for writer in self.opened:
            writer.close()


async def download(
    where: Place, into: Path, tls: ssl.SSLContext | None, terms: Terms, progress: Progress
) -> None:
    """RETR a file. Raises TransferFailed."""
    with Sink(into, terms.max_size, progress) as sink:
        async with _client(where, tls, terms, storing=False) as client:
            path = where.file_path()
            sink.expect(await _size(client, path))
            async with client.download_stream(path) as stream:
                while data := await stream.read(PIECE):
                    sink.take(data)
        sink.complete(where)


async def upload(
    where: Place,
    source: Path,
    name: str,
    tls: ssl.SSLContext | None,
    terms: Terms,
    progress: Progress,
) -> None:
    """STOR a file. Raises TransferFailed."""
    async with (
        _client(where, tls, terms, storing=True) as client,
        client.upload_stream(where.file_path(name)) as stream,
    ):
        for data in pieces(source, progress):
            await stream.write(data)


@contextlib.asynccontextmanager
async def _client(
    where: Place, tls: ssl.SSLContext | None, terms: Terms, *, storing: bool
) -> AsyncIterator[aioftp.Client]:
    """A client that is logged in; what goes wrong with it becomes a sentence."""
    explicit = tls is not None and where.port == PORTS["ftp"]
    client = _Client(
        socket_timeout=terms.silence,
        connection_timeout=terms.connect,
        ssl=None if explicit else tls,
    )
    try:
        await client.connect(where.host, where.port)
        if explicit:
            await client.upgrade_to_tls(tls)
        user, password = ANONYMOUS if where.user is None else (where.user, where.password or "")
        await client.login(user, password)
        yield client
        with contextlib.suppress(aioftp.AIOFTPException, OSError, TimeoutError):
            await (
                client.quit()
            )  # the file is through; a server that forgets its manners is forgiven
    except TransferFailed:
        raise
    except (aioftp.AIOFTPException, OSError, TimeoutError, ValueError, EOFError) as error:
        raise _failed(error, where, connected=bool(client.opened), storing=storing) from error
    finally:
        client.close_all()


async def _size(client: aioftp.Client, path: str) -> int | None:
    """How large the file is, None where the server does not tell."""
    try:
        info = await client.stat(path)
        return int(info["size"])
    except (aioftp.AIOFTPException, KeyError, ValueError):
        return None


def _failed(error: Exception, where: Place, *, connected: bool, storing: bool) -> TransferFailed:
    if isinstance(error, aioftp.StatusCodeError):
        return _refused(error, where, storing=storing)

    def told(key: str, trouble: TransferTrouble, why: str = "") -> TransferFailed:
        return TransferFailed(
            Text(f"transfer.{key}", {"server": where.server, "why": why}), trouble
        )

    unreachable, cut = TransferTrouble.UNREACHABLE, TransferTrouble.CUT_OFF
    match error:
        case socket.gaierror():
            return told("no_such_host", unreachable)
        case ssl.SSLCertVerificationError():
            return told("not_trusted", unreachable, error.verify_message)
        case ssl.SSLError():
            return told("tls", unreachable, error.reason or "TLS")
        case asyncio.TimeoutError():
            return told(
                "silent" if connected else "no_connection_in_time",
                cut if connected else unreachable,
            )
        case OSError() if not connected:
            return told("unreachable", unreachable, error.strerror or str(error))
        case ValueError():
            return told("not_understood", TransferTrouble.BAD_MESSAGE)
        case _:
            return told("cut_off", cut)


def _refused(error: aioftp.StatusCodeError, where: Place, *, storing: bool) -> TransferFailed:
    code = str(error.received_codes[-1])
    info = [error.info] if isinstance(error.info, str) else list(error.info)
    reason = (info[-1].strip() if info else "")[:80]
    if where.password and where.password in reason:
        reason = ""  # there are servers that repeat what they were told
    params = {"server": where.server, "code": code, "reason": reason, "path": where.path or "/"}
    if code in _LOGIN or (storing and code in ("550", "553", "532")):
        return TransferFailed(Text("transfer.denied", params), TransferTrouble.DENIED)
    if code == "550":
        return TransferFailed(Text("transfer.not_found", params), TransferTrouble.NOT_FOUND)
    if code in _UNKNOWN:
        return TransferFailed(Text("transfer.not_supported", params), TransferTrouble.NOT_SUPPORTED)
    if code in _SYNTAX:
        return TransferFailed(Text("transfer.refused", params), TransferTrouble.BAD_MESSAGE)
    if code in ("426", "425", "421"):
        return TransferFailed(
            Text("transfer.cut_off", {"server": where.server}), TransferTrouble.CUT_OFF
        )
    return TransferFailed(Text("transfer.refused", params), TransferTrouble.REFUSED)
