"""What the machine remembers is never behind what anybody was told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from app.kernel.bus import Bus
from app.kernel.clock import VirtualClock
from app.ocpp.events import Direction, FramePassed
from app.ocpp.version import Version
from app.runtime.store import MEMORY, Store
from app.runtime.world import EVERY, KEY, TABLE, WorldKeeper
from app.station.events import CablePlugged


class Machine:
    """A register that counts how often it was read."""

    reads = 0

    def export_state(self) -> dict[str, Any]:
        self.reads += 1
        return {"register": self.reads}


class Desk:
    def __init__(self) -> None:
        self.clock = VirtualClock(datetime(2026, 3, 1, tzinfo=UTC))
        self.bus = Bus(self.clock.now)
        self.store = Store(MEMORY)
        self.machine = Machine()
        self.keeper = WorldKeeper(self.bus, self.clock, self.store, self.machine)

    def known(self) -> int:
        row = self.store.get(TABLE, KEY)
        return row["register"] if row else 0

    def frame(self, action: str, direction: Direction = Direction.OUT, kind: int = 2) -> None:
        self.bus.publish(FramePassed(direction, Version.V16, kind, "1", action, "[]"))


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    yield desk
    desk.keeper.close()
    desk.store.close()


@pytest.mark.parametrize("table", ["outbox", "v201.samples", "v16.transactions"])
async def test_a_step_that_may_tell_a_register_holds_the_register(desk: Desk, table: str) -> None:
    with desk.store.step():
        desk.store.put(table, "1", {})
    assert desk.known() == 1


async def test_its_own_row_is_not_written_twice(desk: Desk) -> None:
    with desk.store.step():
        desk.keeper.write()
    assert desk.machine.reads == 1


async def test_meter_values_that_no_queue_holds_leave_after_their_register_is_written(
    desk: Desk,
) -> None:
    """MV-11: a register that was told on demand is not below that after a kill."""
    desk.frame("MeterValues")
    assert desk.known() == 1
    desk.frame("Heartbeat")
    desk.frame("MeterValues", Direction.IN, kind=3)
    assert desk.known() == 1


async def test_changes_of_one_turn_are_written_once(desk: Desk) -> None:
    desk.bus.publish(CablePlugged(1, 1))
    desk.bus.publish(CablePlugged(2, 1))
    assert desk.known() == 0
    await asyncio.sleep(0)
    assert desk.machine.reads == desk.known() == 1


async def test_while_energy_flows_it_is_written_every_ten_seconds(desk: Desk) -> None:
    await desk.clock.advance(EVERY)
    await asyncio.sleep(0)
    assert desk.known() == 1


async def test_after_the_end_nothing_is_written(desk: Desk) -> None:
    desk.bus.publish(CablePlugged(1, 1))
    desk.keeper.close()
    await asyncio.sleep(0)
    desk.frame("MeterValues")
    with desk.store.step():
        desk.store.put("outbox", "1", {})
    assert desk.known() == 0
