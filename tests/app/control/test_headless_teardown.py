"""A headless station whose loop is given up, or that is cancelled while it ends, does end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.kernel.catalogue import Catalogue
from app.runtime.control.channels import StdioChannel
from app.runtime.exit_codes import Exit
from app.runtime.headless import run_headless
from app.runtime.options import HeadlessOptions, StationOptions
from app.runtime.power_cycle import PowerCycle
from app.runtime.store import Store

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
def stdio(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A stdin that stays open and says nothing, and a stdout that nobody reads."""
    read, keep_open = os.pipe()
    keep_reading, write = os.pipe()
    stdin = os.fdopen(os.dup(read), encoding="utf-8")
    stdout = os.fdopen(write, "w", encoding="utf-8")
    monkeypatch.setattr(StdioChannel, "claim", lambda: StdioChannel(stdin, stdout))
    yield
    os.close(keep_open)  # the end of stdin ends the thread that reads it
    stdout.close()
    stdin.close()
    for descriptor in (read, keep_reading):
        os.close(descriptor)


def begin(state: Path) -> asyncio.Task[Exit]:
    station = StationOptions(csms="ws://127.0.0.1:9/", id="CP-1", version="1.6", state_dir=state)
    return asyncio.create_task(run_headless(HeadlessOptions(station), Catalogue.load()))


@pytest.mark.parametrize("turns", [1, 2, 3, 5, 10, 200])
def test_a_loop_that_is_given_up_ends_the_station(stdio: None, tmp_path: Path, turns: int) -> None:
    """All tasks are cancelled at once, in any order: the one that works off orders, too."""

    async def abandon() -> asyncio.Task[Exit]:
        task = begin(tmp_path)
        for _ in range(turns):
            await asyncio.sleep(0)
        return task

    with asyncio.Runner() as runner:
        task = runner.run(abandon())
    assert task.cancelled()
    Store(tmp_path / "state.sqlite3").close()  # let go of


async def test_a_cancellation_while_it_ends_lets_go_of_the_state(
    stdio: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending = asyncio.Event()

    async def never(self: PowerCycle, *, orderly: bool) -> None:
        ending.set()
        await asyncio.Event().wait()

    task = begin(tmp_path)
    await asyncio.sleep(0.2)
    monkeypatch.setattr(PowerCycle, "end", never)
    task.cancel()
    await ending.wait()
    assert not task.done()
    monkeypatch.undo()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    Store(tmp_path / "state.sqlite3").close()
