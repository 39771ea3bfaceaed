"""The station as a whole: power cycles, memory, versions, failures."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.kernel.bus import Origin
from app.kernel.catalogue import Catalogue
from app.kernel.clock import VirtualClock
from app.kernel.link_clock import ManualLinkClock
from app.ocpp.context import BootReason, BootState, Context, NotConnected, SessionView
from app.ocpp.events import (
    LinkClosed,
    LinkFailed,
    LinkOpened,
    RebootOrdered,
    TaskFailed,
)
from app.ocpp.version import Version
from app.runtime.address import AddressBad
from app.runtime.events import (
    PowerCycleBegan,
    PowerCycleEnded,
    StateReset,
    StateTold,
    VersionSettled,
)
from app.runtime.problems import ConfigError
from app.runtime.session import STATE_FILE, Parts, Session, StateUnfit
from app.runtime.settings import resolve
from app.runtime.store import Store, StoreLocked
from app.runtime.views import LinkState, PowerState
from app.runtime.wishes import LinkWish
from app.station.commands import Permit, SetOperative
from app.station.events import FaultRaised
from app.station.intents import (
    CutMains,
    CutNetwork,
    PlugIn,
    RestoreMains,
    RestoreNetwork,
)
from app.station.kinds import Fault
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


# ---------------------------------------------------------------- versions


async def test_auto_offers_both_and_becomes_what_the_server_picks(make: Make) -> None:
    rig = make(csms__version="auto")
    rig.office.subprotocols = ["ocpp1.6"]
    await rig.session.start()
    assert rig.session.snapshot().version is None
    assert rig.session.personality is None
    assert rig.session.settings() == []
    with pytest.raises(KeyError):
        rig.session.get_setting("Colour")
    with pytest.raises(KeyError):
        rig.session.set_setting("Colour", "red")
    fake = await rig.accepted()
    assert fake.version is Version.V16
    assert rig.hears.all(VersionSettled) == [VersionSettled(Version.V16)]
    assert offered(rig.office) == [["ocpp2.0.1", "ocpp1.6"]]
    assert rig.session.snapshot().version is Version.V16


async def test_auto_remembers_its_version_and_offers_only_it_while_something_waits(
    make: Make,
) -> None:
    rig = make(csms__version="auto")
    rig.office.subprotocols = ["ocpp1.6"]
    await rig.session.start()
    fake = await rig.accepted()
    rig.session.intend(CutNetwork())
    fake.outbox.put("Heartbeat", {}, ref="x")
    await rig.session.repower()
    assert rig.fakes[-1].version is Version.V16  # it works offline, as what it was
    rig.session.intend(RestoreNetwork())
    await rig.accepted()
    await rig.delivered()
    await rig.session.repower()
    await rig.accepted()
    assert offered(rig.office)[1:] == [["ocpp1.6"], ["ocpp1.6", "ocpp2.0.1"]]


async def test_auto_offers_only_its_version_while_a_transaction_runs(make: Make) -> None:
    rig = make(csms__version="auto")
    await rig.session.start()
    fake = await rig.accepted()
    fake.running = (SessionView(1, 1, "tx", "AB", START, 0.0, "charging"),)
    rig.office.guests[0].transport.abort()
    closed = await rig.hears.next(LinkClosed)
    assert closed.retry_in is not None
    rig.link.advance(closed.retry_in)
    await rig.hears.next(LinkOpened)
    assert offered(rig.office)[1] == ["ocpp2.0.1"]


async def test_auto_starts_again_in_the_other_version_when_the_server_changed_its_mind(
    make: Make,
) -> None:
    rig = make(csms__version="auto")
    rig.office.subprotocols = ["ocpp1.6"]
    await rig.session.start()
    await rig.accepted()
    rig.office.subprotocols = ["ocpp2.0.1"]
    rig.office.guests[0].transport.abort()
    closed = await rig.hears.next(LinkClosed)
    assert closed.retry_in is not None
    rig.link.advance(closed.retry_in)
    await rig.hears.next(VersionSettled)
    await rig.hears.next(PowerCycleBegan)
    fake = await rig.accepted()
    assert fake.version is Version.V201
    assert [event.version for event in rig.hears.all(VersionSettled)] == [
        Version.V16,
        Version.V201,
    ]
    # nothing of the new language was said by the old personality
    calls = [json.loads(text) for text in rig.office.texts]
    assert [sorted(call[3]) for call in calls] == [
        ["chargePointModel", "chargePointVendor"],
        ["chargingStation", "reason"],
    ]


async def test_messages_of_one_version_are_not_sent_in_the_other(
    make: Make, catalogue: Catalogue
) -> None:
    rig = make()
    await rig.session.start()
    fake = await rig.accepted()
    rig.session.intend(CutNetwork())
    fake.outbox.put("Heartbeat", {}, ref="x")
    with pytest.raises(StateUnfit):
        await rig.session.connect_to(rig.office.url, version="2.0.1")
    await rig.session.stop()
    with pytest.raises(StateUnfit) as caught:
        make(csms__version="2.0.1")
    assert "1 messages of OCPP 1.6" in catalogue.render(caught.value.text)


# ---------------------------------------------------------------- what people choose


async def test_another_back_office_is_gone_to_and_remembered(
    make: Make, unused_tcp_port: int
) -> None:
    rig = make(csms__url=f"ws://127.0.0.1:{unused_tcp_port}/old")
    await rig.session.start()
    await rig.hears.next(LinkFailed)
    await rig.session.connect_to(rig.office.url, "CS-9", password="pass word", security_profile=1)
    await rig.accepted()
    assert rig.office.requests[0].path == "/ocpp/CS-9"
    assert "Authorization" in rig.office.requests[0].headers
    await rig.session.stop()
    again = make(csms__url=f"ws://127.0.0.1:{unused_tcp_port}/old")
    view = again.session.snapshot()
    assert (view.csms_url, view.station_id) == (rig.office.url, "CS-9")
    await again.session.start()
    await again.accepted()
    await again.session.stop()
    # a configuration that says something new since then wins
    newer = make(csms__url="ws://127.0.0.1:1/new", csms__id="CS-1")
    assert newer.session.snapshot().csms_url == "ws://127.0.0.1:1/new"
    assert newer.session.snapshot().station_id == "CS-1"


async def test_another_host_is_shown_no_password_that_was_meant_for_the_first(
    make: Make, office: Office
) -> None:
    rig = make(
        csms__url=office.url.replace("localhost", "127.0.0.1"),
        security__profile=1,
        security__password="for the first",
    )
    await rig.session.start()
    await rig.accepted()
    await rig.session.connect_to(office.url)  # another host, as far as names tell
    await rig.accepted()
    await rig.session.connect_to(office.url, password="second", security_profile=1)
    await rig.accepted()
    await rig.session.connect_to_default()
    await rig.accepted()
    shown = [request.headers.get("Authorization") for request in office.requests]
    assert shown[1] is None
    assert None not in (shown[0], shown[2], shown[3])
    assert shown[0] == shown[3] != shown[2]


async def test_a_default_back_office_counts_while_none_is_named_and_is_not_remembered(
    make: Make, office: Office
) -> None:
    rig = make(csms__url=None, more={"default_url": office.url})
    await rig.session.start()
    await rig.accepted()
    assert rig.session.snapshot().csms_url == office.url
    await rig.session.stop()
    again = make(csms__url=None)
    assert again.session.snapshot().csms_url is None
    await again.session.start()
    steps = [step async for step in again.session.diagnose()]
    assert [step.text.id for step in steps] == ["runtime.address.unset"]


async def test_the_version_changes_on_demand_but_not_over_a_running_transaction(
    make: Make,
) -> None:
    rig = make()
    await rig.session.start()
    fake = await rig.accepted()
    fake.running = (SessionView(1, 1, "tx", "AB", START, 0.0, "charging"),)
    with pytest.raises(StateUnfit):
        await rig.session.speak("2.0.1")
    fake.running = ()
    await rig.session.speak("2.0.1")
    assert (await rig.accepted()).version is Version.V201


async def test_the_present_address_and_another_one_can_be_diagnosed(make: Make) -> None:
    rig = make()
    await rig.session.start()
    await rig.accepted()
    steps = [step async for step in rig.session.diagnose(boot=True)]
    assert [step.name for step in steps] == ["dns", "tcp", "http", "subprotocol", "boot"]
    assert all(step.ok for step in steps)
    other = [step async for step in rig.session.diagnose(LinkWish(url="http://x"))]
    assert [step.name for step in other] == ["url"]


async def test_a_personality_that_cannot_start_is_told_and_the_station_can_be_switched_on_again(
    make: Make,
) -> None:
    rig = make()
    make_fake = rig._make

    def broken(version: Version, ctx: Context) -> Fake:
        raise ZeroDivisionError

    rig.session._board.make_personality = broken
    await rig.session.start()
    assert "ZeroDivisionError" in rig.hears.all(TaskFailed)[0].error
    rig.session._board.make_personality = make_fake
    await rig.session.repower()
    await rig.accepted()
    rig.hears.entries.clear()


async def test_an_address_that_cannot_be_is_refused_and_changes_nothing(make: Make) -> None:
    rig = make()
    await rig.session.start()
    await rig.accepted()
    with pytest.raises(AddressBad):
        await rig.session.connect_to("http://example.org")
    assert rig.session.snapshot().csms_url == rig.office.url
    assert rig.session.snapshot().reboots == 0


async def test_a_factory_reset_forgets_what_was_set_and_keeps_the_meter(make: Make) -> None:
    rig = make()
    await rig.session.start()
    await rig.accepted()
    assert rig.session.set_setting("Colour", "red") == "Accepted"
    rig.session.choose_point("both-clock-drift", "ignore")
    rig.session.station.handle(SetOperative(0, 0, False))
    rig.session.station.handle(SetOperative(2, 0, False))
    rig.session.station.handle(SetOperative(2, 1, False))
    rig.session.intend(PlugIn(1))
    assert rig.session.get_setting("Colour") == "red"
    await rig.session.factory_reset()
    await rig.accepted()
    assert rig.session.settings() == [{"name": "Colour", "value": "grey"}]
    station = rig.session.snapshot().station
    assert station.operative
    assert station.evse(2).operative
    assert station.evse(2).connectors[0].operative
    assert station.evse(1).connectors[0].plugged
    assert rig.hears.all(StateReset) == [StateReset()]
    assert rig.session.points.chosen == {}


@pytest.mark.parametrize("mains", [True, False])
async def test_a_personality_that_fails_to_stop_does_not_keep_the_station_down(
    make: Make, mains: bool
) -> None:
    """A fault of the program is told, the power goes and comes all the same."""
    rig = make()
    await rig.session.start()
    fake = await rig.accepted()
    fake.stop = lambda: 1 / 0  # type: ignore[method-assign, assignment]
    if mains:
        await rig.session.restart()
    else:
        await rig.session.repower()
    assert await rig.accepted() is not fake
    assert len(rig.fakes) == 2
    (failed,) = rig.hears.all(TaskFailed)
    assert failed == TaskFailed("power down", "ZeroDivisionError: division by zero")
    rig.hears.entries.clear()


async def test_a_factory_reset_is_not_lost_in_a_restart_that_was_ordered_before(make: Make) -> None:
    rig = make()
    await rig.session.start()
    await rig.accepted()
    rig.session.set_setting("Colour", "red")
    await asyncio.gather(rig.session.restart(), rig.session.factory_reset())
    await rig.accepted()
    assert rig.hears.all(StateReset) == [StateReset()]
    assert rig.session.get_setting("Colour") == "grey"


async def test_a_factory_reset_takes_nothing_from_under_a_station_that_just_comes_up(
    make: Make,
) -> None:
    rig = make()
    await rig.session.start()
    await rig.accepted()
    rig.session.set_setting("Colour", "red")
    rig.session.intend(CutMains())
    await rig.session.settled()
    rig.session.intend(RestoreMains())
    await rig.session.factory_reset()
    await rig.accepted()
    turns = (PowerCycleBegan, PowerCycleEnded, StateReset)
    told = [type(one.event) for one in rig.hears.entries if isinstance(one.event, turns)]
    assert told[-3:] == [PowerCycleEnded, StateReset, PowerCycleBegan]
    assert rig.session.get_setting("Colour") == "grey"


async def test_a_choice_at_an_open_point_survives_a_restart(make: Make) -> None:
    rig = make()
    rig.session.choose_point("both-clock-drift", "ignore")
    await rig.session.stop()
    again = make()
    assert again.session.points.chosen == {"both-clock-drift": "ignore"}
    again.session.choose_point("both-clock-drift", None)
    assert again.session.points.chosen == {}


async def test_a_choice_that_is_offered_no_longer_counts_as_none(
    make: Make, tmp_path: Path
) -> None:
    rig = make()
    rig.session.choose_point("both-clock-drift", "slew")
    await rig.session.start()
    await rig.session.stop()
    store = Store(tmp_path / "state" / STATE_FILE)
    row = store.get("runtime.wishes", "points")
    assert row == {"both-clock-drift": "slew"}
    old = {"both-clock-drift": "sideways", "no-such-point": "x", "both-retry-message-id": "new-id"}
    store.put("runtime.wishes", "points", old)
    store.close()
    assert make().session.points.chosen == {"both-retry-message-id": "new-id"}


async def test_intents_carry_who_is_behind_them(make: Make) -> None:
    rig = make()
    await rig.session.start()
    rig.session.intend(PlugIn(1), Origin.SCRIPT)
    rig.session.intend(PlugIn(2))
    origins = [e.origin for e in rig.hears.entries if type(e.event).__name__ == "CablePlugged"]
    assert origins == [Origin.SCRIPT, Origin.PERSON]


async def test_what_comes_later_by_itself_is_not_put_down_to_the_person_at_the_switch(
    make: Make,
) -> None:
    rig = make()
    await rig.session.start()
    await rig.accepted()
    await rig.session.repower()
    await rig.accepted()
    opened = [e for e in rig.hears.entries if isinstance(e.event, LinkOpened)]
    assert [entry.origin for entry in opened] == [Origin.STATION, Origin.STATION]


async def test_calls_overrides_and_raw_text_by_hand(make: Make) -> None:
    rig = make()
    await rig.session.start()
    await rig.accepted()
    assert await rig.session.call("Heartbeat", {}) == {"currentTime": "2026-01-01T00:00:00Z"}
    rig.session.send_raw("anything at all")
    assert await asyncio.wait_for(last_said(rig.office, "anything at all"), 5)
    key = rig.session.override("Reset", "in", status="Rejected")
    await rig.office.guests[0].send('[2,"r1","Reset",{"type":"Hard"}]')
    assert await asyncio.wait_for(last_said(rig.office, '[3,"r1",{"status":"Rejected"}]'), 5)
    assert not rig.session.overrides.remove(key)  # used up
    assert rig.session.snapshot().reboots == 0


# ---------------------------------------------------------------- failures


async def test_a_store_that_fails_faults_the_station_until_it_is_switched_on_again(
    make: Make, catalogue: Catalogue
) -> None:
    rig = make()
    await rig.session.start()
    fake = await rig.accepted()
    rig.session.intend(PlugIn(1))
    rig.session.station.handle(Permit(1))
    rig.session.store._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(OSError, match="failed"):
        fake.ctx.store.put("fake.rows", "1", {})
    fault = await rig.hears.next(FaultRaised)
    assert fault.fault is Fault.INTERNAL
    assert "state.sqlite3" in (fault.info or "")
    view = rig.session.snapshot()
    assert view.power is PowerState.FAILED
    assert "read" in catalogue.render(view.problems[0])
    assert not view.station.evse(1).contactor_closed
    assert len(rig.hears.all(StateTold)) == 1
    rig.session.store._connection.execute("PRAGMA query_only = OFF")
    await rig.session.repower()
    assert rig.session.snapshot().power is PowerState.ON
    assert rig.session.snapshot().problems == ()
    assert rig.session.snapshot().station.faults == ()


async def test_a_second_session_on_the_same_state_is_refused(make: Make) -> None:
    rig = make()
    with pytest.raises(StoreLocked):
        make()
    await rig.session.start()


async def test_a_damaged_state_is_told_and_the_station_starts(
    make: Make, tmp_path: Path, catalogue: Catalogue
) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / STATE_FILE).write_bytes(b"junk" * 1000)
    rig = make()
    await rig.session.start()
    told = await rig.hears.next(StateTold)
    assert "broken" in catalogue.render(told.what)
    await rig.accepted()


async def test_an_unknown_choice_or_car_is_refused_with_a_sentence(
    make: Make, catalogue: Catalogue
) -> None:
    cases: list[dict[str, Any]] = [
        {"open_points": {"both-clock-drift": "sideways"}},
        {"open_points": {"no-such-point": "x"}},
        {"vehicle__id": "horse"},
    ]
    for flags in cases:
        with pytest.raises(ConfigError) as caught:
            make(**flags)
        assert "{" not in catalogue.render(caught.value.text)
    make()  # nothing is left locked


async def test_a_password_from_the_protocol_wins_over_the_configured_one(make: Make) -> None:
    rig = make(security__profile=1, security__password="first")
    await rig.session.start()
    fake = await rig.accepted()
    fake.password = b"\x01second"
    fake.ctx.calls.close_link("new password")
    await rig.hears.next(LinkClosed)
    await rig.hears.next(LinkOpened)
    headers = [request.headers["Authorization"] for request in rig.office.requests]
    assert headers[0] != headers[1]


async def test_a_changed_setting_reaches_the_pings(make: Make) -> None:
    rig = make()
    await rig.session.start()
    fake = await rig.accepted()
    await asyncio.wait_for(rig.office.came.wait(), 5)
    rig.office.guests[0].deaf = True
    fake.policy = type(fake.policy)(ping_interval=5)
    rig.session.set_setting("Colour", "blue")
    for _ in range(2):
        for _ in range(20):
            await asyncio.sleep(0)
        rig.link.advance(5)
    closed = await rig.hears.next(LinkClosed)
    assert closed.why.id == "runtime.link.mute"
    rig.session.retry_now()
    await rig.hears.next(LinkOpened)


async def test_vehicle_defaults_reach_the_cars(make: Make) -> None:
    rig = make(vehicle__id="plug-in-hybrid", vehicle__ready_delay=7, vehicle__soc=12)
    await rig.session.start()
    rig.session.intend(PlugIn(1))
    car = rig.session.snapshot().station.evse(1).vehicle
    assert car is not None
    assert (car.id, car.soc) == ("plug-in-hybrid", 12)
    assert rig.session.station.handle(Permit(1)).accepted
    await rig.clock.advance(6.5)
    assert not rig.session.snapshot().station.evse(1).contactor_closed
    await rig.clock.advance(1)
    assert rig.session.snapshot().station.evse(1).contactor_closed


# ---------------------------------------------------------------- helpers


def offered(office: Office) -> list[list[str]]:
    """The subprotocols of each handshake."""
    return [request.headers["Sec-WebSocket-Protocol"].split(", ") for request in office.requests]


async def last_said(office: Office, text: str) -> bool:
    while True:
        if await office.said.get() == text:
            return True
