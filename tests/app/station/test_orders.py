"""Plugs, and what the controller orders: what it answers and what is told."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from app.kernel.bus import Origin
from app.kernel.text import Text
from app.station import events as ev
from app.station.commands import (
    Lock,
    MarkReserved,
    OfferLimit,
    Permit,
    Restart,
    SetOperative,
    Suspend,
    Unlock,
    Withdraw,
)
from app.station.intents import (
    ArriveCar,
    ClearFault,
    LeaveCar,
    PauseVehicle,
    PlugIn,
    RaiseFault,
    ResumeVehicle,
    SetVehicle,
    Unplug,
)
from app.station.kinds import (
    BayStatus,
    Fault,
    Flow,
    LockState,
    PilotState,
    RestartKind,
    UnplugSide,
)
from tests.app.station.bench import SOCKET, START, TWO_CABLES, Bench, kinds

A, B, C, D, E, F = PilotState
PAID = SOCKET.format(free_vend="false")


# ---- plugs and permission


def test_plugging_in_brings_the_usual_car_and_tells_in_order() -> None:
    bench = Bench()
    told = bench.do(PlugIn(1))
    assert told[:3] == [
        ev.CarArrived(1, "city-52"),
        ev.CablePlugged(1, 1),
        ev.PilotChanged(1, 1, A, B),
    ]
    assert kinds(told[3:]) == ["FlowChanged", "ScreenChanged"]
    assert isinstance(told[3], ev.FlowChanged)
    assert (told[3].before, told[3].after) == (Flow.IDLE, Flow.CONNECTED)
    assert bench.evse().status is BayStatus.OCCUPIED


def test_a_permitted_car_that_is_ready_charges_at_once_and_tells_in_order() -> None:
    bench = Bench("dc-2x150")
    bench.do(PlugIn(1))
    bench.wait(5)
    told = bench.do(Permit(1))
    assert kinds(told) == [
        "Permitted",
        "LockChanged",
        "PilotChanged",
        "ContactorChanged",
        "PhasesChanged",
        "FlowChanged",
        "PowerChanged",  # of the EVSE that charges
        "PowerChanged",  # of its neighbour, whose limit fell
        "ScreenChanged",
    ]
    assert told[1] == ev.LockChanged(1, 1, LockState.LOCKED)
    assert told[2] == ev.PilotChanged(1, 1, B, C)
    assert told[4] == ev.PhasesChanged(1, 0)
    now = bench.evse()
    assert (now.flow, now.permitted, now.contactor_closed) == (Flow.CHARGING, True, True)
    assert now.status is BayStatus.CHARGING


def test_a_permission_may_come_before_the_plug_and_energy_waits_until_the_car_is_ready() -> None:
    bench = Bench()
    told = bench.do(Permit(1, 1))
    assert kinds(told) == ["Permitted", "ScreenChanged"]
    assert bench.evse().session_since == START
    bench.wait(30)
    told = bench.do(PlugIn(1))
    flow = bench.told(ev.FlowChanged)[-1]
    assert flow.after is Flow.SUSPENDED_EV
    assert flow.why is not None
    assert flow.why.id == "station.why.car_not_ready"
    assert bench.station.next_instant() == 32.0
    told = bench.wait(2)
    assert kinds(told)[:3] == ["PilotChanged", "ContactorChanged", "PhasesChanged"]
    assert bench.evse().flow is Flow.CHARGING
    assert bench.evse().session_since == START
    assert {entry.origin for entry in bench.entries[-5:]} == {Origin.PHYSICS}


def test_a_permission_for_another_connector_does_not_count() -> None:
    bench = Bench(TWO_CABLES)
    bench.do(Permit(1, 2), PlugIn(1, 1))
    bench.wait(10)
    assert bench.evse().flow is Flow.CONNECTED
    bench.do(Unplug(1, 1), PlugIn(1, 2))
    bench.wait(10)
    assert bench.evse().flow is Flow.CHARGING
    assert bench.evse().connectors[1].lock is LockState.LOCKED


def test_withdrawing_opens_the_contactor_and_leaves_the_plug_locked() -> None:
    bench = Bench("dc-2x150")
    bench.charge()
    told = bench.do(Withdraw(1))
    assert kinds(told)[:4] == ["Withdrawn", "PilotChanged", "ContactorChanged", "FlowChanged"]
    now = bench.evse()
    assert (now.flow, now.power, now.permitted) == (Flow.CONNECTED, 0.0, False)
    assert now.connectors[0].lock is LockState.LOCKED
    assert now.screen is not None
    assert now.screen.id == "station.screen.finished"
    assert bench.do(Withdraw(1)) == []


def test_a_second_session_of_the_same_visit_has_figures_of_its_own() -> None:
    """On the screen and in the session's figures; those of the first one stand until then."""
    bench = Bench()
    bench.charge()
    bench.wait(600)
    bench.do(Withdraw(1))
    first = bench.evse()
    bench.wait(600)
    assert (bench.evse().session_energy, bench.evse().session_since) == (
        first.session_energy,
        START,
    )
    bench.do(Permit(1))
    assert bench.evse().session_energy == 0.0
    assert bench.evse().session_since == START + bench.clock.elapsed() * timedelta(seconds=1)
    bench.wait(60)
    bench.do(Withdraw(1))
    second = bench.evse()
    assert 0 < second.session_energy < first.session_energy
    assert second.session_energy == pytest.approx(second.energy - first.energy)
    assert second.screen is not None
    assert second.screen.params["kwh"] == pytest.approx(second.session_energy / 1000, abs=0.01)


def test_a_fault_in_the_middle_leaves_the_figures_of_the_session_alone() -> None:
    """The controller decides whether it was the end: it goes on with the same one by permitting it anew."""
    bench = Bench()
    bench.charge()
    bench.wait(600)
    before = bench.evse().session_energy
    bench.do(RaiseFault(Fault.OVERVOLTAGE, 1), ClearFault(1, 0, Fault.OVERVOLTAGE), Permit(1))
    assert bench.evse().session_energy >= before


def test_permitting_twice_is_one_permission() -> None:
    bench = Bench()
    bench.do(Permit(1))
    assert bench.do(Permit(1)) == []


def test_withdrawing_before_the_plug_ends_the_stay() -> None:
    bench = Bench()
    bench.do(Permit(1), Withdraw(1))
    assert bench.evse().session_since is None


def test_unplugging_ends_the_flow_and_the_car_stays_in_its_bay() -> None:
    bench = Bench()
    bench.charge()
    told = bench.do(Unplug(1))
    assert kinds(told)[:4] == [
        "CableUnplugged",
        "PilotChanged",
        "ContactorChanged",
        "FlowChanged",
    ]
    assert told[0] == ev.CableUnplugged(1, 1, UnplugSide.EV, forced=False)
    now = bench.evse()
    assert (now.flow, now.power, now.session_energy) == (Flow.IDLE, 0.0, 0.0)
    assert now.vehicle is not None
    assert now.vehicle.soc > 32.0
    assert now.permitted  # the controller decides whether a car plugged next may go on


def test_a_permission_that_stands_lets_the_car_go_on_after_it_is_plugged_again() -> None:
    bench = Bench()
    bench.charge()
    bench.do(Unplug(1), PlugIn(1))
    bench.wait(5)
    assert bench.evse().flow is Flow.CHARGING


def test_only_one_connector_of_an_evse_takes_a_car() -> None:
    bench = Bench(TWO_CABLES)
    bench.do(PlugIn(1, 1))
    assert bench.refused(PlugIn(1, 1)) == "already_plugged"
    assert bench.refused(PlugIn(1, 2)) == "already_plugged"


def test_a_car_without_an_inlet_cannot_be_plugged() -> None:
    bench = Bench("dc-2x150")
    bench.do(ArriveCar(1, "plug-in-hybrid"))
    assert bench.refused(PlugIn(1)) == "no_inlet"


@pytest.mark.parametrize("order", [PlugIn, Unplug])
def test_plugs_that_do_not_exist_are_refused(order: type[PlugIn] | type[Unplug]) -> None:
    bench = Bench()
    assert bench.refused(order(2)) == "no_such_evse"
    assert bench.refused(order(0)) == "no_such_evse"
    assert bench.refused(order(1, 2)) == "no_such_connector"
    assert bench.refused(order(1, 0)) == "no_such_connector"


# ---- locks


def test_a_locked_tethered_plug_holds_unless_it_is_forced() -> None:
    bench = Bench("dc-2x150")
    bench.charge()
    assert bench.refused(Unplug(1)) == "locked"
    told = bench.do(Unplug(1, force=True))
    assert told[0] == ev.CableUnplugged(1, 1, UnplugSide.EV, forced=True)
    assert told[1] == ev.LockChanged(1, 1, LockState.OPEN)
    assert bench.evse().flow is Flow.IDLE


def test_the_car_end_of_a_loose_cable_comes_out_of_a_locked_socket_and_goes_in_again() -> None:
    bench = Bench(PAID)
    bench.charge()
    assert bench.refused(Unplug(1, side=UnplugSide.STATION)) == "locked"
    told = bench.do(Unplug(1))
    assert told[0] == ev.CableUnplugged(1, 1, UnplugSide.EV, forced=False)
    assert bench.evse().connectors[0].lock is LockState.LOCKED
    bench.do(PlugIn(1), Withdraw(1))
    assert bench.do(Unlock(1, 1)) == [ev.LockChanged(1, 1, LockState.OPEN)]
    bench.do(Unplug(1, side=UnplugSide.STATION))


def test_the_station_end_of_a_fixed_cable_does_not_come_out() -> None:
    bench = Bench()
    bench.do(PlugIn(1))
    assert bench.refused(Unplug(1, side=UnplugSide.STATION, force=True)) == "tethered"


def test_lock_and_unlock_by_order() -> None:
    bench = Bench(PAID)
    assert bench.refused(Lock(1, 1)) == "not_plugged"
    assert bench.do(Unlock(1, 1)) == []
    bench.do(PlugIn(1))
    assert bench.do(Lock(1, 1)) == [ev.LockChanged(1, 1, LockState.LOCKED)]
    assert bench.do(Lock(1, 1)) == []
    assert bench.do(Unlock(1, 1)) == [ev.LockChanged(1, 1, LockState.OPEN)]
    assert bench.refused(Lock(1, 7)) == "no_such_connector"
    assert bench.refused(Unlock(9, 1)) == "no_such_evse"


def test_a_connector_without_a_lock_says_so() -> None:
    bench = Bench()
    assert bench.refused(Lock(1, 1)) == "no_lock"
    assert bench.refused(Unlock(1, 1)) == "no_lock"
    assert bench.evse().connectors[0].lock is LockState.NONE


def test_unplugging_nothing_is_refused() -> None:
    assert Bench().refused(Unplug(1)) == "not_plugged"


def test_a_tethered_plug_that_was_locked_in_mid_air_does_not_go_in() -> None:
    bench = Bench("dc-2x150")
    bench.charge()
    state = bench.station.export_state()
    state["evses"][0]["connectors"][0]["plugged"] = False
    other = Bench("dc-2x150")
    other.station.import_state(state)
    assert other.refused(PlugIn(1)) == "locked"
    other.do(Unlock(1, 1), PlugIn(1))


# ---- limits and pauses


def test_a_limit_caps_the_current_and_says_why() -> None:
    bench = Bench()
    bench.charge()
    source = Text("station.cap.offer", {"amps": 10})
    told = bench.do(OfferLimit(1, amps=10, source=source))
    assert told == [ev.PowerChanged(1, 6900.0, (10.0, 10.0, 10.0), 6900.0)]
    now = bench.evse()
    assert (now.caps[0].name, now.caps[0].amps, now.caps[0].binding) == (source, 10.0, True)
    assert [cap.amps for cap in now.caps] == sorted(cap.amps for cap in now.caps)
    assert not any(cap.binding for cap in now.caps[1:])
    bench.do(OfferLimit(1, watts=6900.0))
    assert bench.evse().currents == (10.0, 10.0, 10.0)
    bench.do(OfferLimit(1))
    assert bench.evse().currents == (16.0, 16.0, 16.0)


@pytest.mark.parametrize(
    "limit", [OfferLimit(1, amps=0), OfferLimit(1, amps=5.9), OfferLimit(1, watts=4100)]
)
def test_sc_15_a_limit_of_nothing_or_below_6_a_suspends_on_the_station_side(
    limit: OfferLimit,
) -> None:
    bench = Bench()
    bench.charge()
    told = bench.do(limit)
    assert kinds(told)[:3] == ["PilotChanged", "ContactorChanged", "FlowChanged"]
    now = bench.evse()
    assert (now.flow, now.power) == (Flow.SUSPENDED_EVSE, 0.0)
    assert now.connectors[0].pilot is B
    assert bench.station.meter(1).offered_current == 0.0
    why = bench.told(ev.FlowChanged)[-1].why
    assert why is not None
    assert why.id == "station.why.limit"
    bench.do(OfferLimit(1))
    assert bench.evse().flow is Flow.CHARGING


def test_6_a_written_in_watts_is_6_a() -> None:
    bench = Bench()
    bench.charge()
    bench.do(OfferLimit(1, watts=6 * 230 * 3))
    assert bench.evse().flow is Flow.CHARGING


def test_dc_goes_below_6_a() -> None:
    bench = Bench("dc-2x150")
    bench.charge()
    bench.do(OfferLimit(1, amps=2))
    assert bench.evse().flow is Flow.CHARGING
    assert bench.evse().currents == (2.0, 0.0, 0.0)


def test_fewer_phases_are_told() -> None:
    bench = Bench()
    bench.charge()
    told = bench.do(OfferLimit(1, amps=10, phases=1))
    assert ev.PhasesChanged(1, 1) in told
    assert bench.evse().currents == (10.0, 0.0, 0.0)
    bench.do(OfferLimit(1, amps=10, phases=2))
    assert bench.evse().phases_used == 2


def test_the_same_power_on_other_phases_is_told_as_another_current() -> None:
    bench = Bench()
    bench.charge()
    bench.do(OfferLimit(1, watts=3450, phases=1))
    told = bench.do(OfferLimit(1, watts=3450, phases=2))
    assert [e for e in told if isinstance(e, ev.PowerChanged)] == [
        ev.PowerChanged(1, 3450.0, (7.5, 7.5, 0.0), 3450.0)
    ]


@pytest.mark.parametrize(
    "order",
    [
        OfferLimit(1, amps=-1),
        OfferLimit(1, amps=math.nan),
        OfferLimit(1, watts=math.inf),
        OfferLimit(1, phases=4),
    ],
)
def test_what_is_no_limit_is_refused(order: OfferLimit) -> None:
    assert Bench().refused(order) == "bad_limit"


def test_16_st_04_the_station_side_wins_when_both_pause() -> None:
    bench = Bench()
    bench.charge()
    bench.do(PauseVehicle(1))
    assert bench.evse().flow is Flow.SUSPENDED_EV
    bench.do(Suspend(1))
    assert bench.evse().flow is Flow.SUSPENDED_EVSE
    assert bench.evse().suspended
    bench.do(ResumeVehicle(1))
    assert bench.evse().flow is Flow.SUSPENDED_EVSE
    bench.do(Suspend(1, suspended=False))
    assert bench.evse().flow is Flow.CHARGING


def test_withdrawing_forgets_the_suspension() -> None:
    bench = Bench()
    bench.charge()
    bench.do(Suspend(1), Withdraw(1), Permit(1))
    assert bench.evse().flow is Flow.CHARGING


# ---- service and reservation


def test_a_part_is_in_service_if_all_above_it_are() -> None:
    bench = Bench(TWO_CABLES)
    assert bench.do(SetOperative(1, 2, operative=False)) == [ev.OperativeChanged(1, 2, False)]
    assert [c.operative for c in bench.evse().connectors] == [True, False]
    assert bench.refused(Permit(1, 2)) == "out_of_service"
    bench.do(Permit(1, 1), Withdraw(1))
    bench.do(SetOperative(0, 0, operative=False))
    assert not bench.station.snapshot().operative
    assert [c.operative for c in bench.evse().connectors] == [False, False]
    assert bench.evse().status is BayStatus.UNAVAILABLE
    assert bench.refused(Permit(1, 1)) == "out_of_service"
    bench.do(SetOperative(0, 0, operative=True))
    assert [c.operative for c in bench.evse().connectors] == [True, False]
    assert bench.do(SetOperative(1, 2, operative=False)) == []


def test_taking_a_part_out_of_service_does_not_end_a_charge() -> None:
    bench = Bench()
    bench.charge()
    bench.do(SetOperative(1, 0, operative=False))
    assert bench.evse().flow is Flow.CHARGING


def test_parts_that_do_not_exist_cannot_be_set() -> None:
    bench = Bench()
    assert bench.refused(SetOperative(2, 0, operative=True)) == "no_such_evse"
    assert bench.refused(SetOperative(1, 2, operative=True)) == "no_such_connector"
    assert bench.refused(SetOperative(0, 1, operative=True)) == "no_such_connector"
    assert bench.refused(Permit(2)) == "no_such_evse"
    assert bench.refused(Permit(1, 2)) == "no_such_connector"
    assert bench.refused(Withdraw(2)) == "no_such_evse"
    assert bench.refused(Suspend(2)) == "no_such_evse"
    assert bench.refused(OfferLimit(2)) == "no_such_evse"
    assert bench.refused(MarkReserved(2)) == "no_such_evse"
    assert bench.refused(MarkReserved(1, 5)) == "no_such_connector"
    assert bench.refused(ArriveCar(2)) == "no_such_evse"
    assert bench.refused(LeaveCar(2)) == "no_such_evse"
    assert bench.refused(SetVehicle(2)) == "no_such_evse"
    assert bench.refused(PauseVehicle(2)) == "no_such_evse"
    assert bench.refused(Restart(RestartKind.HARD, 2)) == "no_such_evse"


def test_a_reservation_is_shown_until_it_is_lifted() -> None:
    bench = Bench()
    until = START + timedelta(hours=1)
    told = bench.do(MarkReserved(1, 1, "Ada", until))
    assert told[0] == ev.ReservationMarked(1, 1, "Ada", until)
    assert bench.evse().status is BayStatus.RESERVED
    assert bench.do(MarkReserved(1, 1, "Ada", until)) == []
    assert bench.do(MarkReserved(1, 1))[0] == ev.ReservationMarked(1, 1, None, None)
    assert bench.evse().status is BayStatus.AVAILABLE
