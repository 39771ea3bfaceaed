"""The station as a whole: a state that fails, and what its settings come to."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app.kernel.catalogue import Catalogue
from app.ocpp.events import (
    LinkClosed,
    LinkOpened,
)
from app.runtime.events import (
    StateTold,
)
from app.runtime.problems import ConfigError
from app.runtime.session import STATE_FILE
from app.runtime.store import StoreLocked
from app.runtime.views import PowerState
from app.station.commands import Permit
from app.station.events import FaultRaised
from app.station.intents import (
    PlugIn,
)
from app.station.kinds import Fault
from tests.app.runtime.session_rig import Make, make

__all__ = ["make"]


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
