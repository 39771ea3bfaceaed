"""The station as a whole: how it lives, loses its power, restarts and remembers its world."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from app.kernel.catalogue import Catalogue
from app.ocpp.context import BootReason, BootState, NotConnected
from app.ocpp.events import (
    LinkClosed,
    LinkOpened,
    RebootOrdered,
    TaskFailed,
)
from app.ocpp.version import Version
from app.runtime.events import (
    PowerCycleBegan,
    PowerCycleEnded,
)
from app.runtime.session import STATE_FILE, StateUnfit
from app.runtime.store import Store
from app.runtime.views import LinkState, PowerState
from app.station.commands import Permit, SetOperative
from app.station.intents import (
    CutMains,
    CutNetwork,
    PlugIn,
    RestoreMains,
    RestoreNetwork,
)
from tests.app.runtime.fakes import Fake
from tests.app.runtime.office import our_tasks
from tests.app.runtime.session_rig import Make, make

__all__ = ["make"]


# ---------------------------------------------------------------- life


async def test_a_started_session_boots_and_its_snapshot_tells_it(make: Make) -> None:
    rig = make(csms__version="1.6")
    dark = rig.session.snapshot()
    assert (dark.link.state, dark.boot) == (LinkState.OFF, BootState.OFF)
    await rig.session.start()
    await rig.accepted()
    view = rig.session.snapshot()
    assert (view.station_id, view.name) == ("CS-1", "Public AC 2x22")
    assert (view.version, view.version_wish) == (Version.V16, "1.6")
    assert (view.power, view.link.state) == (PowerState.ON, LinkState.ONLINE)
    assert (view.boot, view.queue, view.reboots) == (BootState.ACCEPTED, 0, 0)
    assert view.link.url == f"{rig.office.url}/CS-1"
    assert rig.fakes[0].log == ["restore", "start", "up True"]
    assert rig.fakes[0].ctx.boot_reason is BootReason.POWER_UP
    await rig.session.stop()
    assert rig.fakes[0].log[-1] == "stop"
    guest = await asyncio.wait_for(rig.office.left.get(), 5)
    assert guest.close_code == 1001


async def test_link_loss_and_return_are_told_and_are_no_new_power_cycle(make: Make) -> None:
    rig = make()
    await rig.session.start()
    fake = await rig.accepted()
    rig.office.guests[0].transport.abort()
    closed = await rig.hears.next(LinkClosed)
    assert closed.retry_in is not None
    rig.link.advance(closed.retry_in)
    await rig.hears.next(LinkOpened)
    await asyncio.sleep(0)  # told in a turn of its own
    assert fake.log == ["restore", "start", "up True", "down", "up False"]
    assert rig.session.snapshot().reboots == 0


async def test_what_has_to_be_known_before_a_link_is_waited_for_and_may_come_to_nothing(
    make: Make,
) -> None:
    """A person may be asked before an attempt to connect; the network may go meanwhile."""
    rig = make(csms__version="1.6")
    gate, waiting = asyncio.Event(), asyncio.Event()

    async def before_link(_: Fake) -> None:
        waiting.set()
        await gate.wait()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fake, "before_link", before_link)
        await rig.session.start()
        await asyncio.wait_for(waiting.wait(), 5)
        assert rig.session.intend(CutNetwork()).accepted
        gate.set()
        for _ in range(10):
            await asyncio.sleep(0)
        assert rig.office.requests == []
        assert rig.session.intend(RestoreNetwork()).accepted
        await rig.accepted()


async def test_a_fault_before_a_link_does_not_keep_the_station_from_connecting(make: Make) -> None:
    rig = make(csms__version="1.6")

    async def before_link(_: Fake) -> None:
        raise RuntimeError("the window is gone")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fake, "before_link", before_link)
        await rig.session.start()
        await rig.accepted()
    (failed,) = rig.hears.all(TaskFailed)
    assert failed == TaskFailed("before the link", "RuntimeError: the window is gone")
    rig.hears.entries.clear()


async def test_a_made_up_id_stays_the_same(make: Make) -> None:
    rig = make(csms__id=None)
    name = rig.session.snapshot().station_id
    assert name.startswith("FC-")
    await rig.session.start()
    await rig.session.factory_reset()
    await rig.session.stop()
    assert make(csms__id=None).session.snapshot().station_id == name


async def test_event_numbers_go_on_after_a_restart(make: Make) -> None:
    rig = make()
    await rig.session.start()
    await rig.session.stop()
    last = rig.hears.entries[-1].seq
    again = make()
    await again.session.start()
    assert again.hears.entries[0].seq > last


# ---------------------------------------------------------------- mains


async def test_cutting_the_mains_silences_the_station_at_once_and_leaves_no_task(
    make: Make,
) -> None:
    rig = make()
    await rig.session.start()
    fake = await rig.accepted()
    assert our_tasks() > {"supervisor", "outbox", "link read", "link ping"}
    fake.outbox.put("Heartbeat", {}, ref="x")
    said = len(rig.office.texts)
    rig.session.intend(CutMains())
    fake.ctx.calls.close_link("too late")
    assert not fake.ctx.calls.online
    with pytest.raises(NotConnected):
        await fake.ctx.calls.call("Heartbeat", {})
    fake.ctx.spawn(fake._boot(), "after the end")  # is not even begun
    await rig.session.settled()
    guest = await asyncio.wait_for(rig.office.left.get(), 5)
    assert guest.close_code == 1006
    assert len(rig.office.texts) == said
    assert our_tasks() == {"supervisor"}
    view = rig.session.snapshot()
    assert (view.power, view.boot, view.link.state) == (
        PowerState.DARK,
        BootState.OFF,
        LinkState.OFF,
    )
    assert rig.hears.all(PowerCycleEnded) == [PowerCycleEnded(1)]
    assert view.queue == 1  # a row survives
    with pytest.raises(NotConnected):
        rig.session.send_raw("x")
    with pytest.raises(NotConnected):
        await rig.session.call("Heartbeat", {})


async def test_restored_mains_boot_from_the_store_only_and_send_what_waited(make: Make) -> None:
    rig = make()
    await rig.session.start()
    fake = await rig.accepted()
    rig.session.intend(CutNetwork())
    fake.outbox.put("Heartbeat", {}, ref="x")
    fake.ctx.store.put("fake.rows", "1", {"n": 1})
    await rig.session.repower()
    assert len(rig.fakes) == 2
    assert rig.fakes[1].seen == [{"n": 1}]
    assert rig.session.snapshot().link.state is LinkState.OFFLINE  # the plug is still pulled
    rig.session.intend(RestoreNetwork())
    await rig.accepted()
    await rig.delivered()
    assert [json.loads(text)[2] for text in rig.office.texts] == [
        "BootNotification",
        "BootNotification",
        "Heartbeat",
    ]
    assert rig.session.snapshot().reboots == 1


async def test_mains_cut_and_restored_many_times_end_in_one_living_cycle(make: Make) -> None:
    rig = make()
    await rig.session.start()
    for _ in range(5):
        rig.session.intend(CutMains())
        rig.session.intend(RestoreMains())
    rig.session.intend(CutMains())
    rig.session.intend(RestoreMains())
    await rig.session.settled()
    await rig.accepted()
    assert rig.session.snapshot().power is PowerState.ON
    alive = [fake for fake in rig.fakes if "stop" not in fake.log]
    assert alive == [rig.fakes[-1]]


async def test_a_restart_takes_its_boot_seconds_too(make: Make) -> None:
    rig = make(clock__boot_seconds=10)
    await rig.session.start()
    await rig.clock.advance(10)
    fake = await rig.accepted()
    fake.ctx.reboot(BootReason.REMOTE_RESET)
    await rig.session.settled()
    assert rig.session.snapshot().power is PowerState.STARTING
    await rig.clock.advance(10)
    assert (await rig.accepted()).ctx.boot_reason is BootReason.REMOTE_RESET


async def test_boot_seconds_pass_before_the_controller_is_up_and_a_cut_meanwhile_stops_it(
    make: Make,
) -> None:
    rig = make(clock__boot_seconds=30)
    await rig.session.start()
    await rig.clock.advance(29)
    assert rig.session.snapshot().power is PowerState.STARTING
    assert rig.fakes == []
    rig.session.intend(CutMains())
    await rig.clock.advance(60)
    assert rig.fakes == []
    rig.session.intend(RestoreMains())
    await rig.clock.advance(30)
    await rig.session.settled()
    assert len(rig.fakes) == 1
    assert rig.session.snapshot().power is PowerState.ON


# ---------------------------------------------------------------- reset


async def test_a_reset_is_answered_first_and_then_a_new_cycle_begins(make: Make) -> None:
    rig = make()
    await rig.session.start()
    await rig.accepted()
    await rig.office.guests[0].send('[2,"r1","Reset",{"type":"Hard"}]')
    await rig.hears.next(RebootOrdered)
    await rig.hears.next(PowerCycleBegan)
    await rig.accepted()
    frames = [json.loads(text) for text in rig.office.texts]
    assert [frame[:2] for frame in frames if frame[0] == 3] == [[3, "r1"]]
    assert rig.fakes[1].ctx.boot_reason is BootReason.REMOTE_RESET
    guest = await asyncio.wait_for(rig.office.left.get(), 5)
    assert guest.close_code == 1001


async def test_a_permission_does_not_outlive_the_controller(make: Make) -> None:
    rig = make()
    await rig.session.start()
    fake = await rig.accepted()
    rig.session.intend(PlugIn(1))
    assert rig.session.station.handle(Permit(1)).accepted
    fake.ctx.reboot(BootReason.LOCAL_RESET)
    await rig.session.settled()
    evse = rig.session.snapshot().station.evse(1)
    assert not evse.permitted
    assert evse.connectors[0].plugged


async def test_two_reasons_for_one_restart_make_one(make: Make) -> None:
    rig = make()
    await rig.session.start()
    fake = await rig.accepted()
    fake.ctx.reboot(BootReason.LOCAL_RESET)
    fake.ctx.reboot(BootReason.SCHEDULED_RESET)
    await rig.session.settled()
    assert [event.number for event in rig.hears.all(PowerCycleBegan)] == [1, 2]


# ---------------------------------------------------------------- the world


async def test_the_world_comes_back_as_it_was_and_registers_go_on(
    make: Make, tmp_path: Path
) -> None:
    rig = make()
    await rig.session.start()
    await rig.accepted()
    rig.session.intend(PlugIn(1))
    assert rig.session.station.handle(Permit(1)).accepted
    rig.session.station.handle(SetOperative(2, 1, False))
    await rig.clock.advance(605)
    register = rig.session.station.meter(1).energy_import
    assert register > 1000
    await rig.accepted()
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / "state", copy)  # what a kill leaves behind
    again = make(copy)
    await again.session.start()
    station = again.session.snapshot().station
    assert station.evse(1).connectors[0].plugged
    assert not station.evse(2).connectors[0].operative
    # written every 10 s: at most the last 5 s are missing
    lost = register - again.session.station.meter(1).energy_import
    assert 0 <= lost <= 22_080 * 5 / 3600


async def test_no_register_is_below_what_was_reported_before_a_kill(
    make: Make, tmp_path: Path
) -> None:
    rig = make()
    await rig.session.start()
    fake = await rig.accepted()
    rig.session.intend(PlugIn(1))
    assert rig.session.station.handle(Permit(1)).accepted
    await rig.clock.advance(607.5)
    reported = rig.session.station.meter(1).energy_import
    with rig.session.store.step():
        fake.outbox.put("Heartbeat", {}, ref="reports it")
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / "state", copy)
    await asyncio.sleep(0)
    again = make(copy)
    await again.session.start()
    assert again.session.station.meter(1).energy_import == pytest.approx(reported, abs=1e-6)
    rig.session.intend(CutMains())
    rig.session.store.delete("outbox", "0000000001")


async def test_dark_at_the_kill_is_powered_at_the_start_but_a_pulled_network_stays_pulled(
    make: Make,
) -> None:
    rig = make()
    await rig.session.start()
    rig.session.intend(CutMains())
    rig.session.intend(CutNetwork())
    await rig.session.settled()
    await rig.session.stop()
    again = make()
    await again.session.start()
    view = again.session.snapshot()
    assert view.station.mains
    assert view.power is PowerState.ON
    await asyncio.sleep(0)
    assert again.session.snapshot().link.state is LinkState.OFFLINE


async def test_other_hardware_on_the_same_state_is_refused_with_a_sentence(
    make: Make, catalogue: Catalogue
) -> None:
    rig = make()
    await rig.session.start()
    await rig.session.stop()
    with pytest.raises(StateUnfit) as caught:
        make(more={"blueprint": "home-ac-11"})
    sentence = catalogue.render(caught.value.text)
    assert "type2 socket" in sentence
    assert "--reset-state" in sentence
    other = make(more={"blueprint": "home-ac-11", "reset_state": True})
    await other.session.start()


async def test_a_world_that_cannot_be_read_is_refused(make: Make, tmp_path: Path) -> None:
    rig = make()
    await rig.session.start()
    await rig.session.stop()
    store = Store(tmp_path / "state" / STATE_FILE)
    store.put("runtime.world", "station", {"version": 1, "evses": "?"})
    store.close()
    again = make()
    with pytest.raises(StateUnfit):
        await again.session.start()


@pytest.mark.parametrize(
    ("table", "key", "row"),
    [
        ("runtime.calendar", "offset", {"offset": "?"}),
        ("runtime.link", "version", {"version": "9"}),
        ("runtime.world", "hardware", {}),
    ],
)
async def test_rows_that_say_something_else_are_told_and_left_alone(
    make: Make, tmp_path: Path, catalogue: Catalogue, table: str, key: str, row: dict[str, Any]
) -> None:
    rig = make()
    await rig.session.start()
    await rig.session.stop()
    store = Store(tmp_path / "state" / STATE_FILE)
    store.put(table, key, row)
    store.close()
    with pytest.raises(StateUnfit) as caught:
        make()
    assert str(tmp_path / "state") in catalogue.render(caught.value.text)
    assert "--reset-state" in catalogue.render(caught.value.text)
    store = Store(tmp_path / "state" / STATE_FILE)  # nothing is left locked
    assert store.get(table, key) == row
    store.close()
