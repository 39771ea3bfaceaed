"""The way in over a WebSocket on loopback; read only where it is asked for."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from app.runtime.control.dispatch import Dispatcher, Send

MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of one request."""

PATIENCE = 3.0
"""Seconds that the other end, on this computer as we are, has to make its request and, when the program ends,
to read what is left and to say goodbye."""

MakeDispatcher = Callable[[Send], tuple[Dispatcher, Callable[[], None]]]
"""Gives the protocol for a new channel and what to call when the channel is gone."""


class WebSocketChannel:
    """Requests as messages; wants the token, refuses pages of a browser."""

    def __init__(self, host: str, port: int, token: str, make: MakeDispatcher) -> None:
        self._host, self._port = host, port
        self._token = token
        self._make = make
        self._server: Server | None = None
        self._ends: set[Callable[[], Awaitable[None]]] = set()
        """For each channel: answer what is open, write what is left."""

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
            open_timeout=PATIENCE,
            close_timeout=PATIENCE,
        )

    async def close(self) -> None:
        """What was asked and is not answered yet gets its answer, then each channel is closed."""
        if self._server:
            await asyncio.gather(*(end() for end in list(self._ends)))
            self._server.close()
            await self._server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if "Origin" in request.headers:
            return connection.respond(HTTPStatus.FORBIDDEN, "no pages of a browser here\n")
        if not self._is_known(request.headers.get_all("Authorization")):
            return connection.respond(
                HTTPStatus.UNAUTHORIZED, "send Authorization: Bearer and the token\n"
            )
        return None

    def _is_known(self, given: list[str]) -> bool:
        """One header with the token; the scheme's name in any case (RFC 9110, 11.1)."""
        if len(given) != 1:
            return False
        scheme, _, token = given[0].partition(" ")
        same = hmac.compare_digest(token.strip().encode("utf-8", "replace"), self._token.encode())
        return same and scheme.lower() == "bearer"

    async def _serve(self, connection: ServerConnection) -> None:
        out: asyncio.Queue[str | None] = asyncio.Queue()
        dispatcher, gone = self._make(out.put_nowait)
        writer = asyncio.create_task(_pump(out, connection))

        async def end() -> None:
            gone()
            await dispatcher.close()
            out.put_nowait(None)
            await asyncio.wait([writer], timeout=PATIENCE)

        self._ends.add(end)
        try:
            async for message in connection:
                text = message if isinstance(message, str) else message.decode("utf-8", "replace")
                await dispatcher.receive(text)
        except ConnectionClosed:
            pass  # the other end went without a word, or reads in its close code what it did wrong
        finally:
            self._ends.discard(end)
            await end()
            writer.cancel()


async def _pump(out: asyncio.Queue[str | None], connection: ServerConnection) -> None:
    """Until None comes."""
    with contextlib.suppress(ConnectionClosed):
        while (line := await out.get()) is not None:
            await connection.send(line)
