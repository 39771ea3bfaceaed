"""Real file servers on loopback for tests: HTTP by aiohttp, FTP by aioftp, with or without TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aioftp
from aiohttp import web

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]
HOST = "127.0.0.1"


class HttpServer:
    """A folder over HTTP: GET and PUT; `on` replaces what a method does, `seen` is what was asked."""

    def __init__(self, folder: Path, tls: ssl.SSLContext | None) -> None:
        self.folder = folder
        self.tls = tls
        self.port = 0
        self.seen: list[web.Request] = []
        self._special: dict[str, Handle] = {}

    def on(self, method: str, handle: Handle) -> None:
        self._special[method] = handle

    def url(self, path: str = "", *, login: str = "") -> str:
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{login}{HOST}:{self.port}/{path}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        special = self._special.get(request.method)
        if special is not None:
            return await special(request)
        path = self.folder / request.path.lstrip("/")
        if request.method == "GET":
            return web.FileResponse(path) if path.is_file() else web.Response(status=404)
        if request.method == "PUT":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(await request.read())
            return web.Response(status=201)
        return web.Response(status=405)


@asynccontextmanager
async def http_server(folder: Path, tls: ssl.SSLContext | None = None) -> AsyncIterator[HttpServer]:
    server = HttpServer(folder, tls)
    runner = web.ServerRunner(web.Server(server.handle), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0, ssl_context=tls)
    await site.start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        await runner.cleanup()


class FtpServer:
    """A folder over FTP for the user `station`, password `charge`."""

    def __init__(self, folder: Path, tls: ssl.SSLContext | None, *, writable: bool) -> None:
        self.folder = folder
        self.tls = tls
        permission = aioftp.Permission("/", readable=True, writable=writable)
        user = aioftp.User("station", "charge", base_path=folder, permissions=[permission])
        self.server = aioftp.Server([user], ssl=tls)

    def url(self, path: str = "", *, login: str = "station:charge@") -> str:
        scheme = "ftps" if self.tls else "ftp"
        return f"{scheme}://{login}{HOST}:{self.server.server_port}/{path}"


@asynccontextmanager
async def ftp_server(
    folder: Path, tls: ssl.SSLContext | None = None, *, writable: bool = True
) -> AsyncIterator[FtpServer]:
    server = FtpServer(folder, tls, writable=writable)
    await server.server.start(HOST, 0)
    try:
        yield server
    finally:
        await server.server.close()


@asynccontextmanager
async def rude_server(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """A bare socket that says what the test wants; yields its port."""

    busy: list[tuple[asyncio.StreamWriter, asyncio.Task[None]]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        busy.append((writer, task))
        try:
            await talk(reader, writer)
        except OSError:
            pass  # the station was quicker to hang up
        finally:
            writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer, task in busy:
            writer.transport.abort()
            await asyncio.wait([task])


async def closed_port() -> int:
    """A port that nobody listens on."""
    server = await asyncio.start_server(lambda r, w: None, HOST, 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port
