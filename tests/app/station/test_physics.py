"""Current, energy and time: the same at any speed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from app.kernel.bus import Bus, Entry
from app.kernel.clock import SystemClock
from app.station import events as ev
from app.station.blueprint import Blueprint
from app.station.commands import OfferLimit, Permit, Suspend, Unlock, Withdraw
from app.station.intents import ArriveCar, CutMains, PlugIn, SetVehicle, Unplug
from app.station.kinds import Current, Flow
from app.station.meter import Meter, noise
from app.station.power import Limit, Line, ladder, tightest
from app.station.snapshot import MeterReading
from app.station.station import Station
from app.station.supply import Want, allocate, shares
from app.station.vehicle import VehicleLibrary, share_at
from tests.app.station.bench import START, Bench

BLUEPRINTS = Blueprint.names()


# ---- readings do not depend on who looks when

Step = Callable[[Bench, float], None]
SAMPLES = [0.5, 60.0, 61.25, 300.0, 600.0, 900.0, 1200.0]


def in_one_go(bench: Bench, until: float) -> None:
    bench.clock.advance_now(until - bench.clock.elapsed())


def as_a_window_does(bench: Bench, until: float) -> None:
    tick = bench.clock.elapsed()
    while (tick := tick + 0.2) < until:
        bench.clock.advance_now(tick - bench.clock.elapsed())
        bench.station.advance()
        if round(tick * 10) % 30 == 0:
            bench.station.snapshot()
            bench.station.meter(1)
    bench.clock.step(until)
    in_one_go(bench, until)


def by_random_steps(bench: Bench, until: float) -> None:
    chance = random.Random(4711)
    while bench.clock.elapsed() < until:
        step = chance.choice([0.001, 0.33, 1.0, 7.77, 120.0]) * chance.random()
        bench.clock.step(min(until, bench.clock.elapsed() + step))
        bench.station.meter(1)


def session(step: Step, blueprint: str, seed: int = 3) -> list[MeterReading]:
    """Plug, permit, change limits and samples at the same instants, however time is moved."""
    bench = Bench(blueprint, seed=seed)
    evses = range(1, len(bench.station.blueprint.evses) + 1)
    plan = {
        2.5: PlugIn(1),
        3.0: Permit(1),
        100.0: PlugIn(evses[-1]) if len(evses) > 1 else Suspend(1),
        101.7: Permit(evses[-1]) if len(evses) > 1 else Suspend(1, suspended=False),
        400.3: OfferLimit(1, amps=9.5),
        700.0: OfferLimit(1, watts=4444.4, phases=2),
        1000.0: OfferLimit(1),
    }
    readings = []
    for moment in sorted([*plan, *SAMPLES]):
        step(bench, moment)
        assert bench.clock.elapsed() == moment
        if moment in plan:
            bench.do(plan[moment])
        if moment in SAMPLES:
            readings += [bench.station.meter(n) for n in evses]
            main = bench.station.main_meter()
            readings += [main] if main is not None else []
    return readings


@pytest.mark.parametrize("blueprint", BLUEPRINTS)
def test_readings_are_identical_however_time_is_cut(blueprint: str) -> None:
    once = session(in_one_go, blueprint)
    assert once[-1].energy_import > 1000
    assert session(as_a_window_does, blueprint) == once
    assert session(by_random_steps, blueprint) == once
    other = session(in_one_go, blueprint, seed=4)
    assert [r.energy_import for r in other] == [r.energy_import for r in once]
    assert [r.power for r in other] != [r.power for r in once]


async def test_a_leap_of_the_system_clock_gives_the_same_energy_as_steps() -> None:
    class Hand:
        now = 0.0

        def __call__(self) -> float:
            return self.now

    hand = Hand()
    clock = SystemClock(start=START, monotonic=hand)
    entries: list[Entry] = []
    bus = Bus(clock.now)
    bus.subscribe(entries.append)
    station = Station(Blueprint.builtin("home-ac-11"), clock, bus, seed=3)
    stepped = Bench("home-ac-11", seed=3)
    station.handle(SetVehicle(1, soc=99))
    station.handle(PlugIn(1))
    station.handle(Permit(1))
    stepped.do(SetVehicle(1, soc=99), PlugIn(1), Permit(1))
    hand.now = 7200.0
    stepped.wait(7200)
    assert station.meter(1) == stepped.station.meter(1)
    assert [e.event for e in entries if isinstance(e.event, ev.FlowChanged)] == stepped.told(
        ev.FlowChanged
    )
    await asyncio.sleep(0)
    clock.close()


def test_looking_changes_nothing() -> None:
    bench = Bench()
    bench.charge()
    bench.wait(0.35)
    before = bench.station.export_state()
    readings = {bench.station.meter(1) for _ in range(3)}
    assert len(readings) == 1
    assert bench.station.export_state() == before
    assert bench.station.snapshot() == bench.station.snapshot()


def test_between_seconds_energy_is_drawn_on_in_a_straight_line() -> None:
    bench = Bench()
    bench.charge()
    energies = []
    for _ in range(5):
        energies.append(bench.station.meter(1).energy_import)
        bench.wait(0.2)
    steps = [b - a for a, b in pairwise(energies)]
    assert steps == pytest.approx([11040 * 0.2 / 3600] * 4)


# ---- noise


def test_noise_depends_on_seed_register_and_time_alone() -> None:
    assert noise(1, "power1", 12.5) == noise(1, "power1", 12.5)
    values = {noise(1, "a", 1), noise(2, "a", 1), noise(1, "b", 1), noise(1, "a", 1.001)}
    assert len(values) == 4
    many = [noise(7, "x", t / 10) for t in range(5000)]
    assert all(-1 <= value <= 1 for value in many)
    assert abs(sum(many) / len(many)) < 0.05
    assert min(many) < -0.98
    assert max(many) > 0.98


def test_a_meter_without_noise_is_exact() -> None:
    text = replace(Blueprint.builtin("home-ac-11"), meter_noise=False)
    bench = Bench(text)
    bench.charge()
    reading = bench.station.meter(1)
    assert reading.voltages == (230.0, 230.0, 230.0)
    assert reading.power == 11040.0
    assert reading.frequency == 50.0


def test_an_idle_meter_reads_no_current_and_live_voltages() -> None:
    reading = Bench("public-ac-2x22").station.meter(2)
    assert (reading.power, reading.currents, reading.energy_import) == (0.0, (0.0, 0.0, 0.0), 0.0)
    assert all(228 < volt < 232 for volt in reading.voltages)
    assert reading.soc is None
    assert reading.at == START


def test_a_single_phase_evse_has_one_voltage() -> None:
    one = Blueprint.parse(
        'name = "One"\nmodel = "One"\n[supply]\ncurrent = 16\n[[evses]]\ncurrent = "ac"\n'
        'max_power = 3680\nphases = 1\n[[evses.connectors]]\nplug = "type2"\nmax_current = 16',
        "one",
    )
    bench = Bench(one)
    assert bench.charge().currents == (16.0, 0.0, 0.0)
    assert bench.station.meter(1).voltages[1:] == (0.0, 0.0)


# ---- the car


def test_the_target_is_met_exactly_and_at_its_own_instant() -> None:
    bench = Bench()
    bench.do(SetVehicle(1, soc=50, target_soc=50.5, ready_delay=0), PlugIn(1), Permit(1))
    now = bench.evse()
    assert now.vehicle is not None
    left = now.vehicle.seconds_left
    assert left == pytest.approx(0.5 / 100 * 52_000 * 3600 / (11_040 * 0.92))
    bench.wait(600)
    told = next(e for e in bench.entries if e.event in bench.told(ev.FlowChanged)[-1:])
    assert told.at == START + timedelta(seconds=left or 0)
    now = bench.evse()
    assert now.vehicle is not None
    assert (now.flow, now.vehicle.soc) == (Flow.SUSPENDED_EV, 50.5)
    assert now.vehicle.seconds_left is None
    assert bench.station.meter(1).energy_import == pytest.approx(0.005 * 52_000 / 0.92)


def test_a_car_that_wants_more_again_goes_on() -> None:
    bench = Bench()
    bench.do(SetVehicle(1, soc=80, target_soc=80), PlugIn(1), Permit(1))
    bench.wait(5)
    assert bench.evse().flow is Flow.SUSPENDED_EV
    bench.do(SetVehicle(1, target_soc=90))
    assert bench.evse().flow is Flow.CHARGING


@pytest.mark.parametrize("vehicle", [s.id for s in VehicleLibrary.standard().specs()])
@pytest.mark.parametrize("blueprint", ["home-ac-11", "dc-2x150"])
def test_every_car_of_the_library_becomes_full_with_power_falling_at_the_end(
    blueprint: str, vehicle: str
) -> None:
    bench = Bench(blueprint)
    spec = VehicleLibrary.standard()[vehicle]
    dc = bench.station.blueprint.evses[0].current is Current.DC
    bench.do(ArriveCar(1, vehicle))
    if dc and spec.max_dc_power == 0:
        assert bench.refused(PlugIn(1)) == "no_inlet"
        return
    bench.do(SetVehicle(1, soc=92), PlugIn(1), Permit(1))
    powers = []
    for _ in range(3000):
        bench.wait(10)
        powers.append(bench.evse().power)
        if powers[-1] == 0 and len(powers) > 2:
            break
    now = bench.evse()
    assert now.vehicle is not None
    assert now.vehicle.soc == 100
    flowing = [power for power in powers if power > 0]
    assert flowing == sorted(flowing, reverse=True)
    assert flowing[-1] < 0.6 * flowing[0]


def test_curves_are_straight_between_knots() -> None:
    curve = ((0.0, 0.5), (50.0, 1.0), (100.0, 0.1))
    readings = [share_at(curve, soc) for soc in (-1, 0, 25, 50, 75, 100, 101)]
    assert readings == pytest.approx([0.5, 0.5, 0.75, 1.0, 0.55, 0.1, 0.1])


def test_a_dc_battery_rises_in_voltage_as_it_fills() -> None:
    bench = Bench("dc-2x150")
    bench.charge()
    before = bench.station.meter(1)
    assert bench.evse().limit_current == pytest.approx(150_000 / before.voltages[0], rel=1e-3)
    bench.wait(600)
    after = bench.station.meter(1)
    assert after.voltages[0] > before.voltages[0]
    assert after.voltages[1:] == (0.0, 0.0)
    assert after.soc is not None
    assert before.soc is not None
    assert after.soc > before.soc
    main = bench.station.main_meter()
    assert main is not None
    assert main.power == pytest.approx(bench.evse().power / 0.95, rel=1e-3)
    assert main.energy_import == pytest.approx(after.energy_import / 0.95)


def test_the_housing_warms_with_the_load_and_cools_again() -> None:
    bench = Bench()
    cold = bench.evse().temperature
    bench.charge()
    bench.wait(3000)
    warm = bench.evse().temperature
    bench.do(Withdraw(1))
    bench.wait(6000)
    assert cold == pytest.approx(22)
    assert warm == pytest.approx(50, abs=1)
    assert bench.evse().temperature == pytest.approx(22, abs=1)


def test_power_is_told_once_a_second_while_it_changes_and_not_while_it_does_not() -> None:
    bench = Bench("dc-2x150")
    bench.do(SetVehicle(1, soc=85))
    bench.charge()
    told = [e for e in bench.wait(30) if isinstance(e, ev.PowerChanged) and e.evse == 1]
    assert len(told) == 30
    steady = Bench()
    steady.charge()
    assert steady.wait(600) == []


# ---- pure parts


def test_the_tightest_limit_wins_in_whatever_unit() -> None:
    from app.kernel.text import Text

    three = Line(Current.AC, 230.0, 3)
    one = Limit(Text("one"), amps=16)
    two = Limit(Text("two"), watts=6900)
    assert tightest(three, [one, two]) == 10
    assert tightest(Line(Current.AC, 230.0, 1), [one, two]) == 16
    assert tightest(three, [Limit(Text("negative"), amps=-3)]) == 0
    assert tightest(three, []) == float("inf")
    rungs = ladder(three, [one, two], in_force=True)
    assert [(rung.name.id, rung.amps, rung.binding) for rung in rungs] == [
        ("two", 10, True),
        ("one", 16, False),
    ]
    assert not any(rung.binding for rung in ladder(three, [one, two], in_force=False))


@pytest.mark.parametrize(
    ("phases", "currents"),
    [(1, (10.0, 0.0, 0.0)), (2, (10.0, 10.0, 0.0)), (3, (10.0, 10.0, 10.0))],
)
def test_current_is_spread_over_the_phases_in_use(
    phases: int, currents: tuple[float, float, float]
) -> None:
    spread, powers = Line(Current.AC, 230.0, phases).spread(10.0)
    assert spread == currents
    assert sum(powers) == pytest.approx(2300 * phases)
    assert Line(Current.DC, 400.0, 1).spread(10.0) == ((10.0, 0.0, 0.0), (4000.0, 0.0, 0.0))


def test_shares_are_equal_and_what_one_leaves_goes_to_the_others() -> None:
    wants = {1: Want(32, 6), 2: Want(10, 6), 3: Want(32, 6)}
    assert allocate(40, wants, [1, 2, 3]) == {1: 15, 2: 10, 3: 15}
    limits = shares(40, wants, [1, 2, 3], [1, 2, 3, 4])
    assert limits == {1: 15, 2: 10, 3: 15, 4: 10}
    assert shares(40, {1: Want(10)}, [1], [1, 2]) == {1: 40, 2: 30}
    assert allocate(40, {}, []) == {}


def test_who_came_last_waits_when_the_equal_share_would_be_too_small() -> None:
    wants = {n: Want(16, 6) for n in (1, 2, 3)}
    assert allocate(16, wants, [2, 3, 1]) == {1: 0, 2: 8, 3: 8}
    assert allocate(5, wants, [2, 3, 1]) == {1: 0, 2: 0, 3: 0}
    assert allocate(18, wants, [1, 2, 3]) == {1: 6, 2: 6, 3: 6}


def test_two_cars_share_the_grid_connection_and_one_alone_has_it_all() -> None:
    bench = Bench("public-ac-2x22")
    for evse in (1, 2):
        bench.do(SetVehicle(evse, vehicle="city-52", max_ac_current=32, soc=20))
    alone = bench.charge(1)
    assert alone.currents == (32.0, 32.0, 32.0)
    bench.charge(2)
    assert [bench.evse(n).currents[0] for n in (1, 2)] == [20.0, 20.0]
    assert bench.evse(1).caps[0].name.id == "station.cap.supply"
    bench.do(Withdraw(1))
    assert bench.evse(2).currents[0] == 32.0


def test_the_later_car_waits_for_a_supply_too_small_for_both() -> None:
    small = replace(
        Blueprint.builtin("public-ac-2x22"),
        supply=replace(Blueprint.builtin("home-ac-11").supply, current=10),
    )
    bench = Bench(small)
    bench.charge(1)
    bench.charge(2)
    assert [bench.evse(n).flow for n in (1, 2)] == [Flow.CHARGING, Flow.SUSPENDED_EVSE]
    bench.do(Unplug(1))
    assert bench.evse(2).flow is Flow.CHARGING


def test_registers_go_on_from_what_was_written_down_wherever_that_is_more() -> None:
    meter = Meter(0, "m")
    meter.count((3600.0, 0.0, 7200.0), 1.0)
    meter.raise_to((0.5, 5.0, 2.5))
    assert meter.registers == (1.0, 5.0, 2.5)
    assert meter.energy == 8.5


def test_the_figures_of_a_stay_begin_with_the_plug() -> None:
    bench = Bench("dc-2x150")
    bench.charge()
    bench.wait(60)
    first = bench.evse()
    assert first.session_energy == first.energy > 0
    bench.do(Withdraw(1), Unlock(1, 1), Unplug(1))
    bench.charge()
    again = bench.evse()
    assert 0 < again.session_energy < again.energy
    bench.do(CutMains())
    assert bench.evse().session_energy > 0
