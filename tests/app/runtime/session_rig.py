"""A whole station with a personality of few words, and the back office it speaks to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.kernel.clock import VirtualClock
from app.kernel.link_clock import ManualLinkClock
from app.ocpp.context import Context
from app.ocpp.events import (
    TaskFailed,
)
from app.ocpp.version import Version
from app.runtime.session import Parts, Session
from app.runtime.settings import resolve
from tests.app.runtime.fakes import Fake, answers
from tests.app.runtime.office import Hears, Office, our_tasks

START = datetime(2026, 1, 1, tzinfo=UTC)


class Rig:
    """A session with a personality of few words, its office, and what it said on the bus."""

    def __init__(
        self, office: Office, folder: Path | None, flags: dict[str, Any], **more: Any
    ) -> None:
        self.office = office
        self.fakes: list[Fake] = []
        self.clock = VirtualClock(START)
        self.link = ManualLinkClock()
        given = {"csms.url": office.url, "csms.id": "CS-1", "csms.version": "1.6", **flags}
        blueprint = more.pop("blueprint", None)
        self.session = Session(
            resolve(flags=given, blueprint=blueprint).config,
            state_dir=folder,
            clock=self.clock,
            link=self.link,
            parts=Parts(make_personality=self._make),
            **more,
        )
        self.hears = Hears(self.session.bus)

    def _make(self, version: Version, ctx: Context) -> Fake:
        self.fakes.append(Fake(version, ctx))
        return self.fakes[-1]

    async def accepted(self) -> Fake:
        """Until the newest personality was accepted by the office."""
        async with asyncio.timeout(5):
            while not self.fakes or not self.fakes[-1].alive_and_accepted:
                await asyncio.sleep(0.001)
        return self.fakes[-1]

    async def delivered(self) -> None:
        """Until the outbox is empty."""
        async with asyncio.timeout(5):
            while self.session.snapshot().queue:
                await asyncio.sleep(0.001)


Make = Callable[..., Rig]


@pytest.fixture
async def make(office: Office, tmp_path: Path) -> AsyncIterator[Make]:
    rigs: list[Rig] = []
    office.answer = answers

    def make(folder: Path | None = tmp_path / "state", *, more: Any = None, **flags: Any) -> Rig:
        named = {name.replace("__", "."): value for name, value in flags.items()}
        rigs.append(Rig(office, folder, named, **(more or {})))
        return rigs[-1]

    yield make
    for rig in rigs:
        await rig.session.stop()
        assert rig.session.activity.count == 0
        assert rig.hears.all(TaskFailed) == []
    assert our_tasks() == set()


def offered(office: Office) -> list[list[str]]:
    """The subprotocols of each handshake."""
    return [request.headers["Sec-WebSocket-Protocol"].split(", ") for request in office.requests]


async def last_said(office: Office, text: str) -> bool:
    while True:
        if await office.said.get() == text:
            return True
