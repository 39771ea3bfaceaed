"""A back office that can misbehave, a proxy, and a listener on the bus: real sockets on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Any, TypeVar

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State

from app.kernel.bus import Bus, Entry, Event

E = TypeVar("E", bound=Event)

BOTH = ["ocpp2.0.1", "ocpp1.6"]


class Hears:
    """Remembers all events of a bus; waits for the next one of a kind."""

    def __init__(self, bus: Bus) -> None:
        self.entries: list[Entry] = []
        self._place = 0
        self._more = asyncio.Event()
        bus.subscribe(self._add)

    def _add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._more.set()

    def all(self, kind: type[E]) -> list[E]:
        return [entry.event for entry in self.entries if isinstance(entry.event, kind)]

    async def next(
        self, kind: type[E], when: Callable[[E], bool] = lambda _: True, within: float = 10.0
    ) -> E:
        """The next event of this kind behind the one that was found last."""
        async with asyncio.timeout(within):
            while True:
                while self._place < len(self.entries):
                    event = self.entries[self._place].event
                    self._place += 1
                    if isinstance(event, kind) and when(event):
                        return event
                self._more.clear()
                await self._more.wait()


def our_tasks() -> set[str]:
    """The names of all living tasks whose code is the program's, or its client library's."""
    found = set()
    for task in asyncio.all_tasks():
        code = getattr(task.get_coro(), "cr_code", None)
        path = code.co_filename.replace("\\", "/") if code else ""
        if ("/app/" in path and "/tests/" not in path) or "websockets/asyncio/client" in path:
            found.add(task.get_name())
    return found


class _Guest(ServerConnection):
    """A connection that can turn deaf: neither frames nor pings are noticed."""

    deaf = False

    def data_received(self, data: bytes) -> None:
        if self.deaf and self.state is State.OPEN:
            return
        super().data_received(data)


class Office:
    """Accepts stations and keeps what they say."""

    def __init__(self) -> None:
        self.subprotocols: list[str] | None = BOTH
        self.refuse: tuple[HTTPStatus, str] | None = None
        self.redirect = ""
        self.close_with: tuple[int, str] | None = None
        self.requests: list[Request] = []
        self.guests: list[_Guest] = []
        self.texts: list[str | bytes] = []
        self.came = asyncio.Event()
        self.left: asyncio.Queue[ServerConnection] = asyncio.Queue()
        self.said: asyncio.Queue[str | bytes] = asyncio.Queue()
        self.answer: Callable[[str], str | None] = lambda _: None
        self.port = 0
        self.secure = False

    @property
    def url(self) -> str:
        return f"{'wss' if self.secure else 'ws'}://localhost:{self.port}/ocpp"

    @contextlib.asynccontextmanager
    async def open(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[Office]:
        self.secure = tls is not None
        async with serve(
            self._meet,
            "127.0.0.1",
            self.port or None,
            ssl=tls,
            process_request=self._judge,
            select_subprotocol=self._select,
            create_connection=_Guest,
            compression=None,
            ping_interval=None,
            close_timeout=0.2,
        ) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            yield self

    def _judge(self, guest: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        if self.redirect and request.path != self.redirect:
            moved = guest.respond(HTTPStatus.FOUND, "")
            moved.headers["Location"] = self.redirect
            return moved
        if self.refuse is None:
            return None
        status, body = self.refuse
        return guest.respond(status, body)

    def _select(self, _: ServerConnection, offered: Any) -> Any:
        return next((name for name in self.subprotocols or () if name in offered), None)

    async def _meet(self, guest: _Guest) -> None:
        self.guests.append(guest)
        self.came.set()
        if self.close_with is not None:
            await guest.close(*self.close_with)
        with contextlib.suppress(ConnectionClosed):
            async for text in guest:
                self.texts.append(text)
                self.said.put_nowait(text)
                answer = self.answer(str(text))
                if answer is not None:
                    # a guest that has gone has said more than what is answered now
                    with contextlib.suppress(ConnectionClosed):
                        await guest.send(answer)
        self.left.put_nowait(guest)


class Proxy:
    """A tiny HTTP proxy that knows CONNECT only."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.headers: list[str] = []
        self.refuse: str | None = None
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Proxy]:
        server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.headers.append(head)
            where = head.split()[1]
            self.asked.append(where)
            if self.refuse:
                writer.write(f"HTTP/1.1 {self.refuse}\r\nContent-Length: 0\r\n\r\n".encode())
                return
            port = int(where.rsplit(":", 1)[1])
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            try:
                await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
            finally:
                far_writer.close()
        finally:
            writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
