"""A restart of the controller leaves and says the same as killing the program and starting it again."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.kernel.clock import VirtualClock
from app.ocpp.context import BootReason, BootState
from app.ocpp.events import TaskFailed
from app.runtime.session import Session
from app.runtime.settings import resolve
from app.station.intents import CutMains, CutNetwork, PlugIn, PresentCard, RestoreNetwork
from tests.app.runtime.office import Hears, our_tasks
from tests.support.csms import CsmsProbe, csms  # noqa: F401

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTING = {"1.6": "HeartbeatInterval", "2.0.1": "OCPPCommCtrlr.HeartbeatInterval"}
INOPERATIVE: dict[str, dict[str, Any]] = {
    "1.6": {"connectorId": 2, "type": "Inoperative"},
    "2.0.1": {"operationalStatus": "Inoperative", "evse": {"id": 2}},
}


def session_on(folder: Path, probe: CsmsProbe, version: str, now: datetime) -> Session:
    clock = VirtualClock(now)
    clock.follow_server = False
    flags = {"csms.url": probe.url, "csms.id": "CS-1", "csms.version": version}
    file = folder.parent / "station.toml"
    file.write_text('blueprint = "public-ac-2x22"\nmeter_noise = false\n')
    config = resolve(file, flags=flags).config
    return Session(config, state_dir=folder, clock=clock)


async def accepted(session: Session) -> None:
    async with asyncio.timeout(10):
        while session.snapshot().boot is not BootState.ACCEPTED:
            await asyncio.sleep(0.002)
        await session.activity.idle()


async def delivered(session: Session) -> None:
    async with asyncio.timeout(10):
        while session.snapshot().queue:
            await asyncio.sleep(0.002)
        await session.activity.idle()


async def lived(session: Session, probe: CsmsProbe, version: str) -> None:
    """A station in the middle of its life: charging, offline with a queue, things changed."""
    await session.start()
    await accepted(session)
    await probe.call("CS-1", "ChangeAvailability", INOPERATIVE[version])
    assert session.set_setting(SETTING[version], "7777") == "Accepted"
    assert session.intend(PlugIn(1)).accepted
    assert session.intend(PresentCard("04A29F1C", evse=1)).accepted
    await probe.wait_until(lambda state: len(state.transactions_of("CS-1")) == 1)
    await session.activity.idle()
    await session.clock.travel(120)
    await delivered(session)
    assert session.intend(CutNetwork()).accepted
    await session.clock.travel(600)
    assert session.snapshot().queue > 0
    assert session.snapshot().station.evse(1).contactor_closed


async def said_after(session: Session, probe: CsmsProbe, mark: int) -> list[tuple[str, Any]]:
    """What the station calls out for once its network is back, and five minutes later."""
    assert session.intend(RestoreNetwork()).accepted
    session.retry_now()
    await accepted(session)
    await delivered(session)
    await session.clock.travel(300)
    await delivered(session)
    return [(call.action, call.payload) for call in probe.received(after=mark)]


def kept(session: Session) -> dict[str, Any]:
    """All that lies in the store; ids of messages that the restart itself queued are random."""
    store = session.store
    return {
        table: [(key, {**row, "message_id": None, "id": None}) for key, row in store.rows(table)]
        for table in store.tables()
    }


def looks(session: Session) -> Any:
    view = session.snapshot()
    return (
        view.boot,
        view.sessions,
        view.queue,
        view.version,
        session.settings(),
        [(e.permitted, e.flow, e.energy, e.operative, e.status) for e in view.station.evses],
    )


@pytest.fixture(params=["1.6", "2.0.1"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_a_restart_equals_kill_and_start(
    csms: CsmsProbe,  # noqa: F811
    tmp_path: Path,
    version: str,
) -> None:
    probe = csms
    first = session_on(tmp_path / "state", probe, version, START)
    hears = Hears(first.bus)
    await lived(first, probe, version)
    shutil.copytree(tmp_path / "state", tmp_path / "killed")  # what a kill leaves behind

    assert first.personality is not None
    first.personality.ctx.reboot(BootReason.POWER_UP)
    await first.settled()
    await first.activity.idle()
    restarted_looks, restarted_rows = looks(first), kept(first)
    now, mark = first.clock.now(), probe.mark()
    restarted = await said_after(first, probe, mark)
    assert hears.all(TaskFailed) == []
    await first.stop()
    assert our_tasks() == set()

    second = session_on(tmp_path / "killed", probe, version, now)
    mark = probe.mark()
    await second.start()
    await second.activity.idle()
    assert looks(second) == restarted_looks
    assert kept(second) == restarted_rows
    killed = await said_after(second, probe, mark)
    await second.stop()

    assert [action for action, _ in killed] == [action for action, _ in restarted]
    assert killed == restarted
    assert "BootNotification" in [action for action, _ in killed]


async def test_cutting_the_mains_in_full_charge_leaves_no_task_and_says_nothing_more(
    csms: CsmsProbe,  # noqa: F811
    tmp_path: Path,
    version: str,
) -> None:
    probe = csms
    session = session_on(tmp_path / "state", probe, version, START)
    await lived(session, probe, version)
    assert session.intend(RestoreNetwork()).accepted
    session.retry_now()
    await probe.wait_connected("CS-1")
    mark = probe.mark()
    session.intend(CutMains())
    await session.settled()
    assert our_tasks() == {"supervisor"}
    await probe.wait_disconnected("CS-1")
    await session.clock.travel(3600)
    assert probe.received(after=mark) == []
    assert session.activity.count == 0
    await session.stop()
