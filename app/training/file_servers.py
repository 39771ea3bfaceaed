"""What is behind the file ports of the training CSMS: aiohttp and aioftp over one folder."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

import aioftp
from aiohttp import web

from app.training.files import FIRMWARE, PASSWORD, UPLOADS, USER

Uploaded = Callable[[Path, str], None]
LARGEST = 64 * 1024 * 1024
"""Bytes of one upload."""


class FileServer(Protocol):
    async def start(self, door: socket.socket) -> None: ...

    async def close(self) -> None: ...


class HttpServer:
    """GET under /firmware, GET, PUT and POST (a form with `file`) under /uploads."""

    def __init__(self, folder: Path, uploaded: Uploaded, tls: ssl.SSLContext | None) -> None:
        self._folder, self._uploaded, self._tls = folder, uploaded, tls
        app = web.Application(client_max_size=LARGEST)
        app.router.add_get(f"/{FIRMWARE}/{{name}}", self._send)
        app.router.add_get(f"/{UPLOADS}/{{station}}/{{name}}", self._send)
        app.router.add_put(f"/{UPLOADS}/{{station}}/{{name}}", self._take)
        app.router.add_post(f"/{UPLOADS}/{{station}}/", self._take_form)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)

    async def start(self, door: socket.socket) -> None:
        await self._runner.setup()
        await web.SockSite(self._runner, door, ssl_context=self._tls).start()

    async def close(self) -> None:
        await self._runner.cleanup()

    def _path(self, request: web.Request, name: str | None = None) -> Path:
        """The file that is meant, inside the folder. Raises HTTPNotFound."""
        parts = [*request.path.strip("/").split("/")]
        if name is not None:
            parts.append(name)
        if any(part in ("", ".", "..") or "\\" in part for part in parts):
            raise web.HTTPNotFound
        path = self._folder.joinpath(*parts)
        if not path.resolve().is_relative_to(self._folder.resolve()):
            raise web.HTTPNotFound
        return path

    async def _send(self, request: web.Request) -> web.StreamResponse:
        path = self._path(request)
        if not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path)

    async def _take(self, request: web.Request) -> web.Response:
        path = self._path(request)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        count = 0
        try:
            with part.open("wb") as file:
                async for data in request.content.iter_chunked(64 * 1024):
                    count += len(data)
                    if count > LARGEST:
                        raise web.HTTPRequestEntityTooLarge(LARGEST, count)
                    file.write(data)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        self._uploaded(path, request.scheme)
        return web.Response(status=201)

    async def _take_form(self, request: web.Request) -> web.Response:
        form = await request.post()
        sent = form.get("file")
        if not isinstance(sent, web.FileField):
            raise web.HTTPBadRequest(text="The form has no file.\n")
        path = self._path(request, Path(unquote(sent.filename)).name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sent.file.read())
        self._uploaded(path, request.scheme)
        return web.Response(status=201)


class FtpServer:
    """The same folder; only /uploads can be written."""

    def __init__(self, folder: Path, uploaded: Uploaded) -> None:
        uploads = folder / UPLOADS

        class Noting(aioftp.PathIO):
            """Tells of each file that has been written."""

            async def close(self, file: Any) -> None:
                await super().close(file)
                if file.mode != "rb" and Path(file.name).is_relative_to(uploads):
                    uploaded(Path(file.name), "ftp")

        permissions = [
            aioftp.Permission("/", readable=True, writable=False),
            aioftp.Permission(f"/{UPLOADS}", readable=True, writable=True),
        ]
        users = [
            aioftp.User(login, password, base_path=folder, permissions=permissions)
            for login, password in ((USER, PASSWORD), (None, None))
        ]
        self._server = aioftp.Server(
            users, path_io_factory=Noting, idle_timeout=300, maximum_connections=20
        )

    async def start(self, door: socket.socket) -> None:
        await self._server.start(None, None, sock=door)  # type: ignore[arg-type]
        # else it would open the ports for data with the same arguments
        self._server._start_server_extra_arguments = {}

    async def close(self) -> None:
        await self._server.close()
