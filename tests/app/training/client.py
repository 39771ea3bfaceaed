"""A hand-written station: a bare WebSocket that knows how to ask and how to answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

V16 = "ocpp1.6"
V201 = "ocpp2.0.1"
BOOT_16 = {"chargePointVendor": "Forecourt", "chargePointModel": "Bench"}
BOOT_201 = {
    "reason": "PowerUp",
    "chargingStation": {"vendorName": "Forecourt", "model": "Bench", "firmwareVersion": "1.0"},
}


class Bench:
    """One open connection."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._count = 0

    async def ask(self, action: str, payload: Any = None) -> list[Any]:
        """Send a CALL and return the next frame."""
        await self.tell(action, payload)
        return await self.next()

    async def result(self, action: str, payload: Any = None) -> dict[str, Any]:
        """The payload of the CALLRESULT to a CALL."""
        answer = await self.ask(action, payload)
        assert answer[0] == 3, answer
        return answer[2]

    async def tell(self, action: str, payload: Any = None) -> str:
        """Send a CALL, return its id."""
        self._count += 1
        id_ = f"bench-{self._count}"
        await self.send(json.dumps([2, id_, action, payload or {}]))
        return id_

    async def send(self, text: str | bytes) -> None:
        await self.socket.send(text)

    async def next(self) -> list[Any]:
        return json.loads(await self.next_text())

    async def next_text(self) -> str:
        async with asyncio.timeout(5):
            text = await self.socket.recv()
        assert isinstance(text, str)
        return text


@asynccontextmanager
async def bench(
    url: str, id_: str = "CS-1", *protocols: str, **options: Any
) -> AsyncIterator[Bench]:
    """A connected station; no protocol named means both."""
    offered = [Subprotocol(one) for one in protocols or (V16, V201)]
    async with connect(
        f"{url}/{id_}", subprotocols=offered, compression=None, proxy=None, **options
    ) as socket:
        yield Bench(socket)
