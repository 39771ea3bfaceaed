"""The way in over a WebSocket on loopback; read only where it is asked for."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from collections.abc import Callable
from http import HTTPStatus

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from app.runtime.control.dispatch import Dispatcher, Send

MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of one request."""

MakeDispatcher = Callable[[Send], tuple[Dispatcher, Callable[[], None]]]
"""Gives the protocol for a new channel and what to call when the channel is gone."""


class WebSocketChannel:
    """Requests as messages; wants the token, refuses pages of a browser."""

    def __init__(self, host: str, port: int, token: str, make: MakeDispatcher) -> None:
        self._host, self._port = host, port
        self._token = token
        self._make = make
        self._server: Server | None = None

    @property
    def port(self) -> int:
        """The port really listened on."""
        assert self._server is not None
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        self._server = await serve(
            self._serve,
            self._host,
            self._port,
            process_request=self._admit,
            max_size=MAX_MESSAGE,
            compression=None,
        )

    async def close(self) -> None:
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if "Origin" in request.headers:
            return connection.respond(HTTPStatus.FORBIDDEN, "no pages of a browser here\n")
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            return connection.respond(
                HTTPStatus.UNAUTHORIZED, "send Authorization: Bearer and the token\n"
            )
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        out: asyncio.Queue[str] = asyncio.Queue()
        dispatcher, gone = self._make(out.put_nowait)
        writer = asyncio.create_task(_pump(out, connection))
        try:
            async for message in connection:
                text = message if isinstance(message, str) else message.decode("utf-8", "replace")
                await dispatcher.receive(text)
        except ConnectionClosed:
            pass  # the other end went without a word, or reads in its close code what it did wrong
        finally:
            gone()
            writer.cancel()
            await dispatcher.close()


async def _pump(out: asyncio.Queue[str], connection: ServerConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        while True:
            await connection.send(await out.get())
