"""What it takes to replay 10,000 queued messages after a long time offline: time, bytes, memory.

    python -m tests.benchmarks.bench_replay [--messages N] [--json FILE]

Everything is real: the durable queue on disk, schemas, a WebSocket over loopback, and a back office in a
process of its own that answers at once. The messages are TransactionEvents with 12 samples.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.ocpp.context import Payload
from app.ocpp.outbox import Outbox, OutboxRow
from app.runtime.store import Store
from tests.benchmarks.bench_endpoint import _SERVER, EVENT, _Rules, _Station

MESSAGES = 10_000


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `value` in `unit`."""

    name: str
    value: float
    unit: str


class _Replay(_Rules):
    """Tells when the last message has been delivered."""

    def __init__(self) -> None:
        super().__init__()
        self.delivered = 0
        self.wanted = 0
        self.done = asyncio.Event()
        self.ready = False

    def may_send(self) -> bool:
        return self.ready

    def answered(self, row: OutboxRow, answer: Payload) -> None:
        self.delivered += 1
        if self.delivered >= self.wanted:
            self.done.set()


async def run(messages: int = MESSAGES) -> list[Figure]:
    """Fill a queue without a link, start anew as after a power cut, and deliver all of it."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _SERVER, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    url = f"ws://127.0.0.1:{int(await server.stdout.readline())}/CS-1"
    try:
        with tempfile.TemporaryDirectory() as folder:
            return await _measure(url, Path(folder) / "state.sqlite", messages)
    finally:
        server.kill()
        await server.wait()


async def _measure(url: str, path: Path, messages: int) -> list[Figure]:
    with closing(Store(path)) as store:
        filling = await _fill(store, messages)
    disk = sum(file.stat().st_size for file in path.parent.iterdir())
    with closing(Store(path)) as store:
        began = time.perf_counter()
        station = _Station(store)
        rules = _Replay()
        rules.wanted = messages
        outbox = Outbox(station.context, rules)
        opening = time.perf_counter() - began
        sent = _count_bytes(station)
        await station.open(url)
        try:
            replay, cpu = await _deliver(outbox, rules)
        finally:
            await station.close()
        left = outbox.count()
    if left:
        raise RuntimeError(f"{left} messages were not delivered")
    return [
        Figure("messages", messages, ""),
        Figure("queueing, a message", filling / messages * 1e6, "us"),
        Figure("state on disk", disk / 1024 / 1024, "MiB"),
        Figure("start with a full queue", opening * 1000, "ms"),
        Figure("replay", replay, "s"),
        Figure("replay, messages a second", messages / replay, "1/s"),
        Figure("replay, CPU a message", cpu / messages * 1e6, "us"),
        Figure("bytes on the wire, a message", sent() / messages, "B"),
        Figure("bytes on the wire", sent() / 1024 / 1024, "MiB"),
    ]


async def _fill(store: Store, messages: int) -> float:
    station = _Station(store)
    outbox = Outbox(station.context, _Replay())
    began = time.perf_counter()
    for number in range(messages):
        with store.step():
            outbox.put("TransactionEvent", {**EVENT, "seqNo": number}, ref="tx")
        if number % 100 == 0:
            await asyncio.sleep(0)  # what was put is told after its step
    filling = time.perf_counter() - began
    await station.close()
    return filling


def _count_bytes(station: Any) -> Callable[[], int]:
    """Bytes of the texts that leave, counted where they leave the dialogue."""
    total = 0
    attach = station.dialogue.attach

    def counting(send: Callable[[str], None], *rest: Any) -> None:
        def count(text: str) -> None:
            nonlocal total
            total += len(text.encode())
            send(text)

        attach(count, *rest)

    station.dialogue.attach = counting
    return lambda: total


async def _deliver(outbox: Outbox, rules: _Replay) -> tuple[float, float]:
    outbox.start()
    wall, cpu = time.perf_counter(), time.process_time()
    rules.ready = True
    outbox.kick()
    await rules.done.wait()
    await asyncio.sleep(0)
    return time.perf_counter() - wall, time.process_time() - cpu


def table(figures: list[Figure]) -> str:
    return "\n".join(f"{figure.name:<32}{figure.value:>12.1f} {figure.unit}" for figure in figures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    options = parser.parse_args()
    figures = asyncio.run(run(options.messages))
    print(table(figures))
    text = json.dumps([asdict(figure) for figure in figures])
    print(text)
    if options.json:
        options.json.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
