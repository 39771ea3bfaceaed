"""The other end of the wire: frames that no station should send do the training CSMS no harm.

Over a real socket. A normal run shoots 2,000 times for both versions together, `--full` 20,000 times.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from itertools import count, islice
from random import Random
from typing import Any

import pytest

from app.ocpp.rpc import ErrorCode
from app.ocpp.schema import Schemas
from app.ocpp.version import Version
from app.runtime.address import address
from app.runtime.wire import OpenRequest, WebSocketWire, Wire, WireClosed, open_websocket
from app.training.server import TrainingCsms
from app.training.settings import CsmsSettings
from tests.app.training.client import BOOT_16, BOOT_201
from tests.fuzz.shots import Shots
from tests.fuzz.test_fuzz import BOTH, SEED, SESSION_EVERY
from tests.support import suite_clock

NORMAL, FULL = 2_000, 20_000
TOO_BIG = 1009
NOW = "2026-01-15T08:00:00Z"


class Gun:
    """A station that says anything, and now and then a CALL that is right."""

    def __init__(self, wire: Wire, version: Version) -> None:
        self._wire, self._version = wire, version
        self._numbers = count(1)

    async def shoot(self, text: str | bytes) -> None:
        """Raises WireClosed."""
        if isinstance(text, str):
            await self._wire.send(text)
        else:
            assert isinstance(self._wire, WebSocketWire)
            await self._wire._socket.send(text)

    async def ask(self, action: str, payload: dict[str, Any]) -> None:
        """A CALL that is answered as its schema wants; whatever else comes before is OCPP."""
        ident = f"gun-{next(self._numbers)}"
        await self._wire.send(json.dumps([2, ident, action, payload]))
        while True:
            async with asyncio.timeout(10):
                text = await self._wire.receive()
            frame = json.loads(text)
            if frame[0] == 4:
                assert len(frame) == 5, text
                assert ErrorCode.read(frame[2]) is not None, text
                assert len(frame[3]) <= 255, text
            else:
                assert frame[0] == 3, text
            if frame[1] == ident:
                assert frame[0] == 3, text
                wrong = Schemas.of(self._version).check(action, "response", frame[2])
                assert not wrong, (text, wrong)
                return


async def fire(version: Version, many: int, seed: int) -> str:
    """Returns in words what was shot."""
    shots = enumerate(islice(Shots(version, Random(seed)), many), 1)
    fired: Counter[str] = Counter()
    async with TrainingCsms(CsmsSettings(frame_limit=500)) as csms:
        where = address(csms.url, "CS-1")
        while sum(fired.values()) < many:
            wire = await open_websocket(OpenRequest(where, (version.subprotocol,)))
            gun = Gun(wire, version)
            try:
                for number, shot in shots:
                    fired[shot.kind] += 1
                    await gun.shoot(shot.text)
                    await gun.ask("Heartbeat", {})
                    if number % SESSION_EVERY == 0:
                        for action, payload in _session(version):
                            await gun.ask(action, payload)
            except WireClosed as closed:
                too_big = len(shot.text) > csms.settings.max_frame_bytes // 4
                if closed.code != TOO_BIG or not too_big:
                    raise
            finally:
                await wire.close(1000, "")
    kinds = ", ".join(f"{kind} {times}" for kind, times in sorted(fired.items()))
    return f"FORECOURT_FUZZ_SEED={seed}, training CSMS, {version.value}: {many} shots ({kinds})"


def _session(version: Version) -> list[tuple[str, dict[str, Any]]]:
    token = "04A29F1C"
    if version is Version.V16:
        start = {"connectorId": 1, "idTag": token, "meterStart": 0, "timestamp": NOW}
        status = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
        return [
            ("BootNotification", BOOT_16),
            ("StatusNotification", status),
            ("Authorize", {"idTag": token}),
            ("StartTransaction", start),
            ("StopTransaction", {"transactionId": 1, "meterStop": 9, "timestamp": NOW}),
        ]
    identity = {"idToken": token, "type": "ISO14443"}
    status = {"timestamp": NOW, "connectorStatus": "Available", "evseId": 1, "connectorId": 1}
    event = {
        "timestamp": NOW,
        "transactionInfo": {"transactionId": "session"},
        "triggerReason": "Authorized",
    }
    return [
        ("BootNotification", BOOT_201),
        ("StatusNotification", status),
        ("Authorize", {"idToken": identity}),
        ("TransactionEvent", {**event, "eventType": "Started", "seqNo": 0, "idToken": identity}),
        ("TransactionEvent", {**event, "eventType": "Ended", "seqNo": 1}),
    ]


@BOTH
async def test_wrong_frames_of_a_station_do_the_training_csms_no_harm(
    version: Version, request: pytest.FixtureRequest
) -> None:
    suite_clock.tell_seed(request, await fire(version, NORMAL // 2, SEED))


@pytest.mark.full
@BOTH
@pytest.mark.timeout(1800)
async def test_thousands_of_wrong_frames_of_a_station_do_the_training_csms_no_harm(
    version: Version, request: pytest.FixtureRequest
) -> None:
    suite_clock.tell_seed(request, await fire(version, FULL // 2, SEED))
