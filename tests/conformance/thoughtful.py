"""A person who thinks until the test says what they say, and the station that asks them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from app.ocpp.events import OpenPointMet
from app.ocpp.points import Point, registry
from app.ocpp.version import Version
from app.station.intents import PlugIn, PresentCard
from tests.support.harness import Bench

V16, V201 = Version.V16, Version.V201
BOTH = pytest.mark.parametrize("version", Version, ids=lambda version: version.value)
MakeBench = Callable[..., Bench]


class Thoughtful:
    """A person who thinks until the test says what they say."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._open: list[asyncio.Future[str | None]] = []

    async def ask(self, point: Point) -> str | None:
        self.asked.append(point.id)
        self._open.append(asyncio.get_running_loop().create_future())
        return await self._open[-1]

    async def says(self, option: str | None) -> None:
        """The answer to the oldest question, and what follows from it."""
        self._open.pop(0).set_result(option)
        await moment()


async def moment() -> None:
    """All that can happen happens, but for what waits for a person."""
    for _ in range(30):
        await asyncio.sleep(0)


def strict_bench(
    make_bench: MakeBench, version: Version, *points: str, **options: Any
) -> tuple[Bench, Thoughtful]:
    """A station that asks about these points alone."""
    others = {point.id: point.default for point in registry().values() if point.id not in points}
    person = Thoughtful()
    return make_bench(version, points=others, strict=True, asker=person, **options), person


def how(bench: Bench) -> list[str]:
    """How the points were decided that the configuration does not decide."""
    return [event.how for event in bench.happened(OpenPointMet) if event.how != "config"]


async def link_up(bench: Bench) -> None:
    """Connect, and all happens that waits for nobody."""
    bench.network = True
    bench._link_up()
    await moment()


def link_down(bench: Bench) -> None:
    """Break the link, and nothing has happened yet."""
    bench.network = False
    bench._link_down()


async def plug_and_card(bench: Bench) -> None:
    """A driver comes to the first place, and all happens that waits for nobody."""
    bench.intend(PlugIn(1))
    bench.intend(PresentCard("A", evse=1))
    await moment()
