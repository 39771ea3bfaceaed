"""The station as a whole: which version it speaks, and what people choose."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from app.kernel.bus import Origin
from app.kernel.catalogue import Catalogue
from app.ocpp.context import Context, SessionView
from app.ocpp.events import (
    LinkClosed,
    LinkFailed,
    LinkOpened,
    TaskFailed,
)
from app.ocpp.version import Version
from app.runtime.address import AddressBad
from app.runtime.events import (
    PowerCycleBegan,
    PowerCycleEnded,
    StateReset,
    VersionSettled,
)
from app.runtime.session import STATE_FILE, StateUnfit
from app.runtime.store import Store
from app.runtime.wishes import LinkWish
from app.station.commands import SetOperative
from app.station.intents import (
    CutMains,
    CutNetwork,
    PlugIn,
    RestoreMains,
    RestoreNetwork,
)
from tests.app.runtime.fakes import Fake
from tests.app.runtime.office import Office
from tests.app.runtime.session_rig import START, Make, last_said, make, offered

__all__ = ["make"]


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
