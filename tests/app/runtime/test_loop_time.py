"""A whole station with its real personality, timed callback by callback, while it does its daily work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.ocpp.context import BootState
from app.runtime.collector import Collector
from app.runtime.session import Session
from app.runtime.settings import resolve
from app.station.intents import PlugIn, PresentCard, PressStop, Unplug
from app.station.kinds import Flow
from app.training.thread import TrainingCsmsThread
from tests.support.loop_watch import LoopWatch

CALLBACKS_OF_A_DAY = 100


@pytest.fixture
def office() -> Iterator[str]:
    """A training CSMS in a thread of its own: its work is not the station's."""
    training = TrainingCsmsThread()
    yield training.start()
    training.stop()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_no_callback_of_a_station_at_work_freezes_the_loop(
    version: str, office: str, tmp_path: Path, loop_watch: LoopWatch
) -> None:
    """Charge, lose the network in the middle, end, and reboot: all of it beside a living window."""
    flags = {"csms.url": office, "csms.id": "CS-1", "csms.version": version}
    config = tmp_path / "config.toml"
    config.write_text("[vehicle]\nready_delay = 0\nsoc = 20\n")
    session = Session(resolve(config, flags=flags).config, state_dir=tmp_path / "state")
    collector = Collector()
    collector.start()
    collector.settle()
    await session.start()
    try:
        await until(lambda: session.snapshot().boot is BootState.ACCEPTED)
        with loop_watch:
            await _a_day(session)
    finally:
        await session.stop()
        collector.stop()
    assert loop_watch.callbacks > CALLBACKS_OF_A_DAY


async def _a_day(session: Session) -> None:
    def flow() -> Flow:
        return session.snapshot().station.evses[0].flow

    session.intend(PlugIn(1, 1))
    session.intend(PresentCard("04A29F1C", evse=1))
    await until(lambda: flow() is Flow.CHARGING)
    await session.repower()
    await until(lambda: session.snapshot().boot is BootState.ACCEPTED)
    session.intend(PresentCard("04A29F1C", evse=1))
    await until(lambda: flow() is Flow.CHARGING)
    session.intend(PressStop(1))
    await until(lambda: not session.snapshot().sessions and not session.snapshot().queue)
    session.intend(Unplug(1))
