"""A running training CSMS for integration tests, with assertions that wait for messages.

from tests.support.csms import csms  # the fixture; noqa: F401

async def test_...(csms: CsmsProbe) -> None:
    boot = await csms.wait_for("BootNotification", station="CS-1")
    later = await csms.wait_for("StatusNotification", after=boot)
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from app.training.records import CsmsChange, CsmsSnapshot, Direction, FrameRecord, TransactionRecord
from app.training.rules import Rules
from app.training.server import TrainingCsms
from app.training.settings import CsmsSettings
from app.training.tokens import TokenList

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Received:
    """A CALL that a station sent. `seq` orders all frames of the CSMS."""

    seq: int
    station: str
    version: str
    action: str
    id: str
    payload: dict[str, Any]
    at: datetime
    text: str


class CsmsProbe:
    """The CSMS under a test: everything of `TrainingCsms` (by `csms`), and waiting."""

    def __init__(self, csms: TrainingCsms) -> None:
        self.csms = csms
        self._news = asyncio.Event()
        self._remove = csms.subscribe(self._changed)

    @property
    def url(self) -> str:
        """Where stations connect; they append "/<id>"."""
        return self.csms.url

    @property
    def rules(self) -> Rules:
        """Faults on demand."""
        return self.csms.rules

    @property
    def settings(self) -> CsmsSettings:
        """Boot answers, passwords, tariff; changes act at once."""
        return self.csms.settings

    @property
    def call(self) -> Callable[..., Any]:
        """`await csms.call(station, action, payload)`: see `TrainingCsms.call`."""
        return self.csms.call

    @property
    def send_raw(self) -> Callable[..., Any]:
        """`await csms.send_raw(station, text)`: see `TrainingCsms.send_raw`."""
        return self.csms.send_raw

    def snapshot(self) -> CsmsSnapshot:
        """Stations, transactions, tokens, log."""
        return self.csms.snapshot()

    def transactions(self, station: str) -> tuple[TransactionRecord, ...]:
        """The transactions of a station, oldest first."""
        return self.csms.snapshot().transactions_of(station)

    def frames(self, station: str | None = None, after: int = 0) -> tuple[FrameRecord, ...]:
        """The raw frames of both directions."""
        return self.csms.frames(station, after)

    def mark(self) -> int:
        """A place in the order of frames, for `after=`."""
        frames = self.csms.frames()
        return frames[-1].seq if frames else 0

    def received(
        self, action: str | None = None, station: str | None = None, after: int | Received = 0
    ) -> list[Received]:
        """The CALLs that came so far, oldest first."""
        start = after.seq if isinstance(after, Received) else after
        calls = (
            _as_call(frame)
            for frame in self.csms.frames(station, start)
            if frame.direction is Direction.FROM_STATION
        )
        return [one for one in calls if one is not None and action in {None, one.action}]

    def answer_to(self, call: Received) -> list[Any] | None:
        """The CSMS's answer frame to a CALL, None while there is none."""
        for frame in self.csms.frames(call.station, call.seq):
            if frame.direction is Direction.TO_STATION:
                data = _json(frame.text)
                if isinstance(data, list) and data[0] in {3, 4} and data[1] == call.id:
                    return data
        return None

    async def wait_for(
        self,
        action: str,
        station: str | None = None,
        where: Callable[[dict[str, Any]], bool] = lambda payload: True,
        timeout: float = 5.0,
        after: int | Received = 0,
    ) -> Received:
        """The first CALL of this kind, also one that came before; `after` looks only behind that.

        Fails the test with what did come when `timeout` (seconds) is over.
        """

        def found() -> Received | None:
            calls = self.received(action, station, after)
            return next((one for one in calls if where(one.payload)), None)

        result = await self._until(found, timeout)
        if result is None:
            came = [
                f"{one.station} {one.action} {one.payload}" for one in self.received(after=after)
            ]
            pytest.fail(f"no {action} within {timeout} s; came: {came or 'nothing'}")
        return result

    async def wait_until(
        self, condition: Callable[[CsmsSnapshot], bool], timeout: float = 5.0
    ) -> CsmsSnapshot:
        """The first snapshot for which the condition holds."""

        def found() -> CsmsSnapshot | None:
            snapshot = self.csms.snapshot()
            return snapshot if condition(snapshot) else None

        result = await self._until(found, timeout)
        if result is None:
            pytest.fail(f"not within {timeout} s; last: {self.csms.snapshot()}")
        return result

    async def wait_connected(self, station: str, timeout: float = 5.0) -> None:
        """Until the station is connected."""
        await self.wait_until(lambda _: station in self.csms.connected(), timeout)

    async def wait_disconnected(self, station: str, timeout: float = 5.0) -> None:
        """Until the station is not connected."""
        await self.wait_until(lambda _: station not in self.csms.connected(), timeout)

    def close(self) -> None:
        """Stop listening to the CSMS."""
        self._remove()

    async def _until(self, find: Callable[[], T | None], timeout: float) -> T | None:
        try:
            async with asyncio.timeout(timeout):
                while True:
                    self._news.clear()
                    result = find()
                    if result is not None:
                        return result
                    await self._news.wait()
        except TimeoutError:
            return find()

    def _changed(self, _change: CsmsChange) -> None:
        self._news.set()


@asynccontextmanager
async def running_csms(
    settings: CsmsSettings | None = None,
    tokens: TokenList | None = None,
    now: Callable[[], datetime] | None = None,
    port: int = 0,
) -> AsyncIterator[CsmsProbe]:
    """A training CSMS on a loopback port (free one by default), closed at the end."""
    csms = TrainingCsms(settings, tokens, now or _real_time)
    await csms.start(port=port)
    probe = CsmsProbe(csms)
    try:
        yield probe
    finally:
        probe.close()
        await csms.stop()


@pytest.fixture
async def csms() -> AsyncIterator[CsmsProbe]:
    """A training CSMS with the shipped tokens."""
    async with running_csms() as probe:
        yield probe


def _real_time() -> datetime:
    return datetime.now(UTC)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _as_call(frame: FrameRecord) -> Received | None:
    data = _json(frame.text)
    if not isinstance(data, list) or len(data) != 4 or data[0] != 2:
        return None
    return Received(
        frame.seq, frame.station_id, frame.version, data[2], data[1], data[3], frame.at, frame.text
    )
