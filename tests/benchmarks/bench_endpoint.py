"""CALL round trips a second over a real loopback socket: bare, with our endpoint, with the outbox.

    python -m tests.benchmarks.bench_endpoint [--calls N] [--links N ...] [--json FILE]

The three share one server, in a process of its own as a back office is, and the same bytes: a
TransactionEvent with 12 samples there, `[3, id, {}]` back. They take turns in short slices. Only ratios
mean something, and only those of one run. The same with several links at once, each of a station with a
state of its own: then nothing is waited for, and the processor alone decides.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    closing,
    suppress,
)
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from websockets.asyncio.client import connect

from app.kernel.activity import Activity
from app.kernel.bus import Bus
from app.kernel.clock import VirtualClock
from app.kernel.ids import random_ids
from app.kernel.link_clock import RealLinkClock
from app.ocpp.context import Context, OcppSettings, Payload
from app.ocpp.dialogue import Dialogue
from app.ocpp.outbox import Outbox, OutboxRow, OutboxRules
from app.ocpp.personality import LinkPolicy
from app.ocpp.points import OpenPoints
from app.ocpp.version import Version
from app.runtime.live_link import LiveLink
from app.runtime.store import Store
from app.runtime.wire import WebSocketWire

TARGET_ENDPOINT = 0.5
TARGET_OUTBOX = 0.35

QUEUED = 4
"""Messages that wait in the outbox: the next is written while the one before is on its way."""

SLICE, LEAST = 100, 20
"""Round trips before it is the next one's turn, and how many of them each link makes at least."""

LINKS = (1, 10)
"""How many links are busy at once."""

WARM_UP = 50

_PHASES = ("L1", "L2", "L3", "N")
_MEASURANDS = ("Current.Import", "Voltage", "Power.Active.Import")
EVENT: Payload = {
    "eventType": "Updated",
    "timestamp": "2026-01-15T08:00:00Z",
    "triggerReason": "MeterValuePeriodic",
    "seqNo": 5,
    "transactionInfo": {
        "transactionId": "3f0ab0e6-7d3a-4ae7-8b0c-0d8a3c1b5f11",
        "chargingState": "Charging",
    },
    "evse": {"id": 1, "connectorId": 1},
    "meterValue": [
        {
            "timestamp": "2026-01-15T08:00:00Z",
            "sampledValue": [
                {
                    "value": 16.1,
                    "context": "Sample.Periodic",
                    "measurand": measurand,
                    "phase": phase,
                    "location": "Outlet",
                    "unitOfMeasure": {"unit": "A", "multiplier": 0},
                }
                for measurand in _MEASURANDS
                for phase in _PHASES
            ],
        }
    ],
}


@dataclass(frozen=True, slots=True)
class Result:
    """`rate` round trips a second, `cpu` microseconds of the client's process a round trip.

    `ratio` of the rate to that of bare websockets is what has a target; `cpu_ratio` is the same of the
    CPU time, which other programs on the computer disturb less.
    """

    name: str
    links: int
    rate: float
    cpu: float
    ratio: float = 1.0
    cpu_ratio: float = 1.0
    target: float | None = None


_SERVER = """
import asyncio
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

async def answer(socket):
    try:
        async for text in socket:
            await socket.send('[3,"' + text[4:40] + '",{}]')  # [2,"<36 characters>",...
    except ConnectionClosed:
        pass

async def main():
    async with serve(answer, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()

asyncio.run(main())
"""


class _Station:
    """Our client over a real socket: link, dialogue, and what the outbox needs around it."""

    def __init__(self, store: Store) -> None:
        activity = Activity()
        clock = VirtualClock(datetime(2026, 1, 15, 8, tzinfo=UTC), activity)
        bus = Bus(clock.now)
        points = OpenPoints(bus)
        self.link = RealLinkClock()
        self.bus = bus
        self.dialogue = Dialogue(
            version=Version.V201,
            bus=bus,
            link=self.link,
            activity=activity,
            ids=random_ids(),
            policy=LinkPolicy,
            points=points,
        )
        self.tasks: list[asyncio.Task[Any]] = []
        self.context = Context(
            bus=bus,
            clock=clock,
            link=self.link,
            activity=activity,
            station=None,  # type: ignore[arg-type]  # no hardware takes part
            store=store,
            calls=self.dialogue,
            points=points,
            settings=OcppSettings(),
            ids=random_ids(),
            spawn=self._spawn,
            reboot=lambda reason: None,
        )

    def _spawn(self, work: Any, name: str) -> None:
        self.context.activity.begin()
        self.tasks.append(asyncio.get_running_loop().create_task(work, name=name))

    async def open(self, url: str) -> None:
        socket = await connect(url, compression=None, ping_interval=None, proxy=None)
        live = LiveLink(
            WebSocketWire(socket),
            bus=self.bus,
            link=self.link,
            policy=LinkPolicy,
            received=self.dialogue.receive,
        )
        self.dialogue.attach(live.send)
        self.tasks.append(asyncio.get_running_loop().create_task(live.run()))

    async def close(self) -> None:
        self.dialogue.stop()
        for task in self.tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*self.tasks, return_exceptions=True)


class _Rules(OutboxRules):
    def __init__(self) -> None:
        self.room = asyncio.Semaphore(QUEUED)

    def may_send(self) -> bool:
        return True

    def attempts(self) -> int:
        return 3

    def interval(self) -> float:
        return 60.0

    def bind(self, row: OutboxRow) -> Payload:
        return row.payload

    def answered(self, row: OutboxRow, answer: Payload) -> None:
        self.room.release()

    def gave_up(self, row: OutboxRow, why: str) -> None:
        raise AssertionError(why)


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to make round trips: `one` makes one, `finish` waits until all are over."""

    one: Callable[[], Awaitable[Any]]
    finish: Callable[[], Awaitable[Any]]

    async def go(self, calls: int) -> None:
        for _ in range(calls):
            await self.one()
        await self.finish()


_Maker = Callable[[str, Store], AbstractAsyncContextManager[_Way]]


@dataclass(frozen=True, slots=True)
class _Slice:
    """What some round trips in a row took: seconds a round trip, of time and of this process's CPU."""

    wall: float
    cpu: float


async def _measure(ways: list[_Way], calls: int) -> _Slice:
    """`calls` round trips of each of these, at the same time."""
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(way.go(calls) for way in ways))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    total = calls * len(ways)
    return _Slice(wall / total, cpu / total)


async def _nothing() -> None:
    """Each call has ended when it returns."""


@asynccontextmanager
async def _bare(url: str, store: Store) -> AsyncIterator[_Way]:
    text = json.dumps([2, "x" * 36, "TransactionEvent", EVENT], separators=(",", ":"))
    async with connect(url, compression=None, ping_interval=None, proxy=None) as socket:

        async def one() -> None:
            await socket.send(text)
            await socket.recv()

        yield _Way(one, _nothing)


@asynccontextmanager
async def _endpoint(url: str, store: Store) -> AsyncIterator[_Way]:
    station = _Station(store)
    await station.open(url)

    async def one() -> None:
        await station.dialogue.call("TransactionEvent", EVENT)

    try:
        yield _Way(one, _nothing)
    finally:
        await station.close()


@asynccontextmanager
async def _outbox(url: str, store: Store) -> AsyncIterator[_Way]:
    station = _Station(store)
    rules = _Rules()
    outbox = Outbox(station.context, rules)
    await station.open(url)
    outbox.start()

    async def one() -> None:
        await rules.room.acquire()
        with store.step():
            outbox.put("TransactionEvent", EVENT, ref="tx")

    async def finish() -> None:
        for _ in range(QUEUED):
            await rules.room.acquire()
        for _ in range(QUEUED):
            rules.room.release()
        assert outbox.count() == 0

    try:
        yield _Way(one, finish)
    finally:
        await station.close()


@asynccontextmanager
async def _server() -> AsyncIterator[str]:
    """A back office in a process of its own; gives its URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _SERVER, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield f"ws://127.0.0.1:{int(await process.stdout.readline())}/CS-1"
    finally:
        process.kill()
        await process.wait()


WAYS: tuple[tuple[str, _Maker, float | None], ...] = (
    ("bare websockets", _bare, None),
    ("endpoint with validation", _endpoint, TARGET_ENDPOINT),
    ("endpoint with durable outbox", _outbox, TARGET_OUTBOX),
)


async def run(calls: int, links: int = 1) -> list[Result]:
    """The three by turns, in short slices; medians over all rounds.

    A ratio is made of slices that lie side by side, so that what else the computer does hits both; the
    order changes from round to round, so that none of them always has the same neighbour.
    """
    each = max(LEAST, SLICE // links)
    rounds = max(3, calls // (each * links))
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = await stack.enter_async_context(_server())

        async def one(way: int, link: int) -> _Way:
            store = stack.enter_context(closing(Store(folder / f"{way}-{link}.sqlite")))
            return await stack.enter_async_context(WAYS[way][1](url, store))

        ways = [[await one(way, link) for link in range(links)] for way in range(len(WAYS))]
        taken: list[list[_Slice]] = [[] for _ in ways]
        for way in ways:
            await _measure(way, WARM_UP)
        for number in range(rounds):
            for index in _rotated(len(ways), number):
                taken[index].append(await _measure(ways[index], each))
    return [
        # the targets are those of one link: with several there is no waiting that could hide the work
        _result(name, links, slices, taken[0], target if links == 1 else None)
        for (name, _, target), slices in zip(WAYS, taken, strict=True)
    ]


def _rotated(count: int, by: int) -> list[int]:
    return [(index + by) % count for index in range(count)]


def _result(
    name: str, links: int, own: list[_Slice], bare: list[_Slice], target: float | None
) -> Result:
    pairs = list(zip(bare, own, strict=True))
    return Result(
        name,
        links,
        1 / median(slice_.wall for slice_ in own),
        median(slice_.cpu for slice_ in own) * 1e6,
        median(reference.wall / slice_.wall for reference, slice_ in pairs),
        median(reference.cpu / slice_.cpu for reference, slice_ in pairs),
        target,
    )


def table(results: list[Result]) -> str:
    head = (
        f"{'CALL round trips':<30}{'links':>6}{'per s':>8}{'us CPU':>9}{'of CPU':>8}"
        f"{'ratio':>8}{'target':>8}"
    )
    lines = [head]
    for result in results:
        target = f"{result.target:8.2f}" if result.target else ""
        lines.append(
            f"{result.name:<30}{result.links:>6}{result.rate:>8.0f}{result.cpu:>9.0f}"
            f"{result.cpu_ratio:>8.2f}{result.ratio:>8.2f}{target}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--links", type=int, nargs="+", default=LINKS)
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    options = parser.parse_args()
    results: list[Result] = []
    for links in options.links:
        results += asyncio.run(run(options.calls, links))
    print(table(results))
    figures = json.dumps([asdict(result) for result in results])
    print(figures)
    if options.json:
        options.json.write_text(figures + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
