"""A whole station on real sockets, with back offices that look at passwords and can ask it for things."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from app.kernel.clock import Clock, VirtualClock
from app.kernel.link_clock import LinkClock, ManualLinkClock
from app.runtime.session import Session
from app.runtime.settings import resolve
from app.runtime.views import LinkState
from tests.app.runtime.office import Hears, Office

NOW = "2026-01-01T00:00:00Z"
START = datetime(2026, 1, 1, tzinfo=UTC)


def says(text: str) -> str | None:
    """A back office that accepts everything."""
    frame = json.loads(text)
    if frame[0] != 2:
        return None
    payload: dict[str, Any] = {}
    if frame[2] == "Heartbeat":
        payload = {"currentTime": NOW}
    if frame[2] == "BootNotification":
        payload = {"status": "Accepted", "currentTime": NOW, "interval": 3600}
    return json.dumps([3, frame[1], payload])


class StrictOffice(Office):
    """Lets in only those passwords that it knows; `None` among them: everybody."""

    def __init__(self) -> None:
        super().__init__()
        self.passwords: set[bytes | None] = {None}
        self.shown: list[bytes | None] = []
        self.answer = says
        self._calls = 0

    def _judge(self, guest: ServerConnection, request: Request) -> Response | None:
        header = request.headers.get("Authorization", "")
        secret = base64.b64decode(header.removeprefix("Basic ")) if header else None
        password = secret.partition(b":")[2] if secret is not None else None
        self.shown.append(password)
        refusal = super()._judge(guest, request)
        if refusal is None and None not in self.passwords and password not in self.passwords:
            return guest.respond(HTTPStatus.UNAUTHORIZED, "no")
        return refusal

    async def ask(self, action: str, payload: Any) -> Any:
        """A CALL to the station that came last: the answer's payload, or the whole CALLERROR."""
        self._calls += 1
        number = f"office-{self._calls}"
        await self.guests[-1].send(json.dumps([2, number, action, payload]))
        async with asyncio.timeout(5):
            while True:
                for text in self.texts:
                    frame = json.loads(text)
                    if frame[0] in (3, 4) and frame[1] == number:
                        return frame[2] if frame[0] == 3 else frame
                await asyncio.sleep(0.002)

    def calls(self, action: str) -> list[dict[str, Any]]:
        """What the stations said with this action."""
        frames = (json.loads(text) for text in self.texts)
        return [frame[3] for frame in frames if frame[0] == 2 and frame[2] == action]


@contextlib.asynccontextmanager
async def office(tls: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[StrictOffice]:
    made = StrictOffice()
    made.port = port
    async with made.open(tls):
        yield made


class Station:
    """A session in 1.6 or 2.0.1 whose waits between attempts pass at once."""

    def __init__(
        self,
        url: str,
        version: str,
        folder: Path | None,
        *,
        clock: Clock | None = None,
        link: LinkClock | None = None,
        config_file: Path | None = None,
        **flags: Any,
    ) -> None:
        named = {name.replace("__", "."): value for name, value in flags.items()}
        given = {"csms.url": url, "csms.id": "CS-1", "csms.version": version, **named}
        self.session = Session(
            resolve(config_file, flags=given).config,
            state_dir=folder,
            clock=clock or VirtualClock(START),
            link=link or ManualLinkClock(),
        )
        self.hears = Hears(self.session.bus)
        self.waits: list[float] = []

    async def until(self, done: Callable[[], object], within: float = 10.0) -> None:
        """Attempts follow each other without their waits until this holds."""
        try:
            async with asyncio.timeout(within):
                while not done():
                    link = self.session.snapshot().link
                    if link.state is LinkState.WAITING:
                        self.session.retry_now()
                    await asyncio.sleep(0.003)
        except TimeoutError:
            raise AssertionError(f"never came: {self.session.snapshot().link}") from None

    @property
    def online(self) -> bool:
        return self.session.snapshot().link.state is LinkState.ONLINE

    async def accepted(self) -> None:
        await self.until(lambda: self.online and self.session.snapshot().boot.value == "accepted")

    def setting(self, name: str) -> str | None:
        return self.session.get_setting(name)


@contextlib.asynccontextmanager
async def station(
    url: str, version: str, folder: Path | None = None, **flags: Any
) -> AsyncIterator[Station]:
    made = Station(url, version, folder, **flags)
    try:
        await made.session.start()
        yield made
    finally:
        await made.session.stop()
