"""A link with all that it needs: over real sockets, the waits between attempts on a clock that we move."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from random import Random

import pytest

from app.kernel.bus import Bus
from app.kernel.link_clock import ManualLinkClock
from app.ocpp.personality import LinkPolicy
from app.ocpp.version import Version
from app.runtime.connection import Connection, Target
from tests.app.runtime.office import Office

BOTH = (Version.V201, Version.V16)


class User:
    """Who lives on the link: notes what it is told."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.heard: asyncio.Queue[str | bytes] = asyncio.Queue()

    def link_opened(self, version: Version) -> None:
        self.log.append(f"opened {version.value}")

    def link_closed(self, *, too_large: bool) -> None:
        self.log.append("closed, too large" if too_large else "closed")

    def received(self, text: str | bytes) -> None:
        self.heard.put_nowait(text)


class Bench:
    """A connection with all that it needs."""

    def __init__(self, bus: Bus, url: str) -> None:
        self.bus = bus
        self.link = ManualLinkClock()
        self.user = User()
        self.policy = LinkPolicy(ping_interval=0)
        self.target: Target | None = Target(url, "CS-1", BOTH)
        self.connection = Connection(
            bus=bus,
            link=self.link,
            target=lambda: self.target,
            policy=lambda: self.policy,
            user=self.user,
            random=Random(1),
        )

    def aim(self, **changes: object) -> None:
        assert self.target is not None
        self.target = replace(self.target, **changes)  # type: ignore[arg-type]


def failing_for(*faults: Exception) -> Callable[[Version], None]:
    """What is told of each link: the first ones are answered with these faults."""
    left = list(faults)

    def link_opened(_: Version) -> None:
        if left:
            raise left.pop(0)

    return link_opened


Make = Callable[[str], Bench]


@pytest.fixture
async def make(bus: Bus) -> AsyncIterator[Make]:
    benches: list[Bench] = []

    def make(url: str) -> Bench:
        benches.append(Bench(bus, url))
        return benches[-1]

    yield make
    for bench in benches:
        await bench.connection.stop()
        assert not bench.connection._tasks
    left = [t for t in asyncio.all_tasks() if t.get_name().startswith(("link", "connection"))]
    assert left == []


async def rest(turns: int = 20) -> None:
    """Let the tasks of the link run as far as they come without the network."""
    for _ in range(turns):
        await asyncio.sleep(0)


async def exchange(bench: Bench, office: Office) -> None:
    """A text there and one back: all that was sent before has arrived."""
    bench.connection.send("there")
    await asyncio.wait_for(office.said.get(), 5)
    await office.guests[-1].send("back")
    await asyncio.wait_for(bench.user.heard.get(), 5)
    await rest()
