"""Small stations for the panel: a plain WebSocket client that blocks, and sends what it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

V16 = "ocpp1.6"
V201 = "ocpp2.0.1"
METER = "Energy.Active.Import.Register"


class TinyStation:
    """One connection; it answers nothing by itself."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._count = 0

    def ask(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The payload of the answer to a CALL."""
        self._count += 1
        self.socket.send(json.dumps([2, f"tiny-{self._count}", action, payload]))
        answer = self.next()
        assert answer[0] == 3, answer
        return answer[2]

    def tell(self, action: str, payload: dict[str, Any]) -> None:
        """Send a CALL and wait for nothing."""
        self._count += 1
        self.socket.send(json.dumps([2, f"tiny-{self._count}", action, payload]))

    def next(self, timeout: float = 5.0) -> list[Any]:
        """The next frame."""
        return json.loads(self.socket.recv(timeout))

    def answer(self, payload: dict[str, Any]) -> list[Any]:
        """Wait for a CALL of the back office and answer it."""
        call = self.next()
        self.socket.send(json.dumps([3, call[1], payload]))
        return call

    def boot16(self) -> dict[str, Any]:
        return self.ask(
            "BootNotification", {"chargePointVendor": "Forecourt", "chargePointModel": "Home 11"}
        )

    def boot201(self) -> dict[str, Any]:
        station = {"vendorName": "Forecourt", "model": "Public 22"}
        return self.ask("BootNotification", {"reason": "PowerUp", "chargingStation": station})

    def status201(self, evse: int, connector: int, status: str) -> None:
        self.ask(
            "StatusNotification",
            {
                "timestamp": "2026-05-04T10:00:00Z",
                "connectorStatus": status,
                "evseId": evse,
                "connectorId": connector,
            },
        )

    def event201(
        self,
        kind: str,
        seq: int,
        transaction: str,
        *,
        trigger: str,
        state: str = "Charging",
        energy_wh: float | None = None,
        token: str = "",
        at: str = "2026-05-04T10:00:00Z",
        **more: Any,
    ) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "eventType": kind,
            "timestamp": at,
            "triggerReason": trigger,
            "seqNo": seq,
            "transactionInfo": {"transactionId": transaction, "chargingState": state, **more},
            "evse": {"id": 1, "connectorId": 1},
        }
        if energy_wh is not None:
            value = {"value": energy_wh, "measurand": METER, "unitOfMeasure": {"unit": "Wh"}}
            payload["meterValue"] = [{"timestamp": at, "sampledValue": [value]}]
        if token:
            payload["idToken"] = {"idToken": token, "type": "ISO14443"}
        return self.ask("TransactionEvent", payload)


@contextmanager
def tiny_station(url: str, id_: str = "CS-1", protocol: str = V201) -> Iterator[TinyStation]:
    """A connected station."""
    with (
        connect(
            f"{url}/{id_}",
            subprotocols=[Subprotocol(protocol)],
            compression=None,
            proxy=None,
            close_timeout=1,
        ) as socket,
        suppress(ConnectionClosed),
    ):
        yield TinyStation(socket)
