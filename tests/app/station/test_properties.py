"""What holds at every step of any sequence of orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.kernel.bus import Event, SubscriberFailed
from app.station import commands as co
from app.station import events as ev
from app.station import intents as it
from app.station.blueprint import Blueprint
from app.station.faults import effect_of
from app.station.intents import Done, Refused
from app.station.kinds import (
    Current,
    Effect,
    Fault,
    Flow,
    LockState,
    PilotState,
    ReaderLamp,
    RestartKind,
    UnplugSide,
)
from app.station.snapshot import EvseSnapshot, StationSnapshot
from app.station.station import SAME_MOMENT
from app.station.vehicle import VehicleLibrary, VehicleSpec, share_at
from tests.app.station.bench import TWO_CABLES, Bench

TOLERANCE = 1e-6
BIG = VehicleSpec(
    id="big",
    name="Big",
    capacity=400_000,
    max_ac_current=63,
    max_dc_power=400_000,
    pack_voltage=(600, 900),
    ready_delay=0,
)
LIBRARY = VehicleLibrary.standard() | VehicleLibrary([BIG])
"""With a car that takes whatever the station gives, so that each other limit gets its turn."""

TIGHT = """
name = "Tight"
model = "Tight"
[supply]
current = 30
main_meter = true
[[readers]]
[[evses]]
current = "ac"
max_power = 43470
vehicle = "big"
[[evses.connectors]]
plug = "type2"
max_current = 25
[[evses]]
current = "ac"
max_power = 11040
vehicle = "big"
[[evses.connectors]]
plug = "type2"
tethered = false
lock = true
max_current = 63
"""
TIGHT_DC = """
name = "Tight DC"
model = "Tight DC"
[supply]
current = 200
main_meter = true
[[readers]]
[[evses]]
current = "dc"
max_power = 150000
vehicle = "big"
[[evses.connectors]]
plug = "ccs2"
lock = true
max_current = 150
[[evses]]
current = "dc"
max_power = 60000
vehicle = "big"
[[evses.connectors]]
plug = "ccs2"
lock = true
max_current = 500
"""
BLUEPRINTS = [*(Blueprint.builtin(name) for name in Blueprint.names())]
BLUEPRINTS += [Blueprint.parse(text, "test") for text in (TWO_CABLES, TIGHT, TIGHT_DC)]

evses = st.integers(1, 2)
connectors = st.integers(1, 2)
places = st.integers(0, 2)
amps = st.one_of(st.none(), st.floats(0, 500), st.sampled_from([0.0, 5.999, 6.0, 10.0, 16.0, 32.0]))
watts = st.one_of(st.none(), st.floats(0, 200_000), st.sampled_from([0.0, 4140.0, 11_000.0]))


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


orders = st.one_of(
    # what leads to energy comes up more often than its equal share
    st.builds(it.PlugIn, evses, connectors),
    st.builds(it.PlugIn, evses, st.just(1)),
    st.builds(co.Permit, evses, maybe(connectors)),
    st.builds(co.Permit, evses),
    st.builds(co.Withdraw, evses),
    st.builds(co.Suspend, evses, st.booleans()),
    st.builds(co.OfferLimit, evses, amps, watts, maybe(st.integers(1, 3))),
    st.builds(co.Lock, evses, connectors),
    st.builds(co.Unlock, evses, connectors),
    st.builds(co.SetOperative, places, places, st.booleans()),
    st.builds(co.MarkReserved, evses, places, maybe(st.just("Ada"))),
    st.builds(co.SetReaderLamp, evses, st.sampled_from(ReaderLamp)),
    st.builds(co.Restart, st.sampled_from(RestartKind), maybe(evses)),
    st.builds(it.Unplug, evses, connectors, st.sampled_from(UnplugSide), st.booleans()),
    st.builds(it.ArriveCar, evses, st.sampled_from([s.id for s in LIBRARY.specs()])),
    st.builds(it.LeaveCar, evses),
    st.builds(
        it.SetVehicle,
        evses,
        maybe(st.sampled_from([s.id for s in LIBRARY.specs()])),
        soc=maybe(st.floats(0, 100)),
        target_soc=maybe(st.floats(0, 100)),
        capacity=maybe(st.floats(100, 200_000)),
        max_ac_current=maybe(st.floats(0, 80)),
        ac_phases=maybe(st.integers(1, 3)),
        max_dc_power=maybe(st.floats(0, 400_000)),
        ready_delay=maybe(st.floats(0, 20)),
    ),
    st.builds(it.PauseVehicle, evses),
    st.builds(it.ResumeVehicle, evses),
    st.builds(
        it.RaiseFault,
        st.sampled_from(Fault),
        places,
        places,
        info=st.sampled_from([None, "critical"]),
    ),
    st.builds(it.ClearFault, places, places, maybe(st.sampled_from(Fault))),
    st.just(it.CutMains()),
    st.just(it.RestoreMains()),
    st.just(it.RestoreMains()),
)
waits = st.one_of(st.floats(0, 5), st.sampled_from([1.0, 60.0, 300.0]))
BOTH_CHARGE = [it.PlugIn(1), co.Permit(1), it.PlugIn(2), co.Permit(2), 3.0]
offers = st.lists(
    st.builds(
        co.OfferLimit,
        evses,
        maybe(st.floats(6, 70)),
        maybe(st.floats(4140, 200_000)),
        maybe(st.integers(1, 3)),
    ),
    min_size=1,
    max_size=3,
)
"""Limits that leave something to charge with."""
steps = st.builds(
    lambda first, rest: [*first, *rest],
    st.one_of(
        st.just([]), st.just(BOTH_CHARGE), offers.map(lambda limits: [*BOTH_CHARGE, *limits])
    ),
    st.lists(st.one_of(orders, orders, waits), max_size=40),
)


class Watch:
    """Looks at a bench after each step and holds it to what must be true."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.registers: dict[int, tuple[float, ...]] = {}
        self.main = 0.0
        self.flows: dict[int, Flow] = {}

    def look(self) -> None:
        bench = self.bench
        now = bench.station.snapshot()
        self._is_fresh(now)
        for evse in now.evses:
            self._never_exceeds(now, evse)
            self._parts_agree(now, evse)
            self._registers_rise(evse.id)
        self._supply_holds(now)
        next_instant = bench.station.next_instant()
        assert next_instant is None or next_instant > bench.clock.elapsed()
        if next_instant is not None:
            due = bench.clock.next_due()
            assert due is not None
            assert due <= next_instant

    def _is_fresh(self, now: StationSnapshot) -> None:
        """What is shared by those who look at the same moment is what a new look would show."""
        self.bench.station._seen = None
        fresh = self.bench.station.snapshot()
        assert self.bench.station.snapshot() is fresh
        assert fresh == now or 0 < (fresh.at - now.at).total_seconds() < SAME_MOMENT

    def _never_exceeds(self, now: StationSnapshot, evse: EvseSnapshot) -> None:
        top = max(evse.currents)
        assert min(evse.currents) >= 0
        assert evse.power <= evse.max_power + TOLERANCE
        assert evse.power <= evse.limit_power + TOLERANCE
        for cap in evse.caps:
            assert top <= cap.amps + TOLERANCE or evse.flow is not Flow.CHARGING
        if evse.power == 0:
            return
        car = evse.vehicle
        assert car is not None
        connector = next(c for c in evse.connectors if c.plugged)
        assert top <= connector.max_current + TOLERANCE
        assert top <= now.supply_current * 10  # a DC current may be higher than the grid's
        if evse.current is Current.AC:
            assert top >= 0
            assert top <= car.max_ac_current + TOLERANCE
            assert top <= now.supply_current + TOLERANCE
            assert sum(current > 0 for current in evse.currents) <= car.ac_phases
            spec = LIBRARY[car.id]
            curve = share_at(spec.ac_curve, car.soc) * car.max_ac_current
            # the curve is followed second by second
            assert top <= curve + 0.05 * car.max_ac_current + TOLERANCE
        else:
            assert evse.power <= car.max_dc_power + TOLERANCE
        offer = OFFERS.get((id(self.bench), evse.id))
        if offer is not None:
            if offer.amps is not None:
                assert top <= offer.amps + TOLERANCE
            if offer.watts is not None:
                assert evse.power <= offer.watts + TOLERANCE
            if offer.phases is not None and evse.current is Current.AC:
                assert evse.phases_used <= offer.phases

    def _supply_holds(self, now: StationSnapshot) -> None:
        voltage = self.bench.station.blueprint.supply.voltage
        drawn = [0.0, 0.0, 0.0]
        for evse in now.evses:
            for phase in range(3):
                if evse.current is Current.AC:
                    drawn[phase] += evse.currents[phase]
                else:
                    drawn[phase] += evse.power / 0.95 / evse.phases / voltage
        assert max(drawn) <= now.supply_current + TOLERANCE

    def _parts_agree(self, now: StationSnapshot, evse: EvseSnapshot) -> None:
        charging = evse.flow is Flow.CHARGING
        plugged = [c for c in evse.connectors if c.plugged]
        assert len(plugged) <= 1
        assert (evse.flow is Flow.IDLE) is (not plugged)
        assert (evse.power > 0) is charging
        if charging:
            assert now.mains
            assert evse.permitted
            assert evse.contactor_closed
            assert plugged[0].pilot is PilotState.C
            if plugged[0].lock is not LockState.NONE:
                assert plugged[0].lock is not LockState.JAMMED
        for connector in evse.connectors:
            if not now.mains:
                assert connector.pilot is PilotState.E
            elif connector.pilot is PilotState.C:
                assert charging
        faults = [*now.faults, *(f for f in evse.faults if f.connector in (0, *_ids(plugged)))]
        effects = {effect_of(fault.fault, fault.info) for fault in faults}
        if Effect.TRIP in effects:
            assert not charging
            assert not (evse.permitted and plugged)
        if evse.flow in RUNNING and self.flows.get(evse.id) not in RUNNING:
            assert effects <= {Effect.WARN}  # no charge begins over a fault
        self.flows[evse.id] = evse.flow
        welded = any(fault.fault is Fault.CONTACTOR_WELD for fault in evse.faults)
        assert evse.contactor_closed is charging or welded

    def _registers_rise(self, number: int) -> None:
        reading = self.bench.station.meter(number)
        now = (reading.energy_import, *reading.energy_import_phases)
        for before, after in zip(self.registers.get(number, (0.0,) * 4), now, strict=True):
            assert after >= before
        self.registers[number] = now
        main = self.bench.station.main_meter()
        if main is not None:
            assert main.energy_import >= self.main
            self.main = main.energy_import


RUNNING = (Flow.CHARGING, Flow.SUSPENDED_EV, Flow.SUSPENDED_EVSE)
OFFERS: dict[tuple[int, int], co.OfferLimit] = {}


def _ids(parts: list[Any]) -> list[int]:
    return [part.id for part in parts]


def _note_offers(bench: Bench, order: object, outcome: object) -> None:
    if not isinstance(outcome, Done):
        return
    if isinstance(order, co.OfferLimit):
        OFFERS[id(bench), order.evse] = order
    elif isinstance(order, it.CutMains) or (isinstance(order, co.Restart) and order.evse is None):
        OFFERS.clear()
    elif isinstance(order, co.Restart):
        OFFERS.pop((id(bench), order.evse or 0), None)


def run(bench: Bench, plan: list[Any], after_each: Callable[[], None]) -> None:
    OFFERS.clear()
    for step in plan:
        if isinstance(step, float):
            bench.wait(step)
        else:
            outcome = bench.station.handle(step)
            assert isinstance(outcome, Done | Refused)
            _note_offers(bench, step, outcome)
        after_each()


many = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@many
@given(st.sampled_from(BLUEPRINTS), steps)
def test_current_never_exceeds_cable_car_supply_or_limit_at_any_step(
    blueprint: Blueprint, plan: list[Any]
) -> None:
    bench = Bench(blueprint, library=LIBRARY)
    run(bench, plan, Watch(bench).look)


@pytest.mark.full
@settings(many, max_examples=3000)
@given(st.sampled_from(BLUEPRINTS), steps)
def test_current_never_exceeds_cable_car_supply_or_limit_at_any_step_of_many_more(
    blueprint: Blueprint, plan: list[Any]
) -> None:
    bench = Bench(blueprint, library=LIBRARY)
    run(bench, plan, Watch(bench).look)


@many
@given(st.sampled_from(BLUEPRINTS), steps, st.integers(0, 40))
def test_registers_never_fall_over_a_power_cut_of_the_program(
    blueprint: Blueprint, plan: list[Any], cut: int
) -> None:
    bench = Bench(blueprint, library=LIBRARY)
    watch = Watch(bench)
    run(bench, plan[:cut], watch.look)
    again = Bench(blueprint, library=LIBRARY)
    again.station.import_state(bench.station.export_state())
    assert again.entries == []
    watch.bench = again
    watch.flows.clear()
    OFFERS.clear()
    watch.look()
    run(again, plan[cut:], watch.look)


class Listener:
    """Knows of the station only what was told since the beginning."""

    def __init__(self, bench: Bench) -> None:
        first = bench.station.snapshot()
        self.flows = {e.id: e.flow for e in first.evses}
        self.closed = {e.id: e.contactor_closed for e in first.evses}
        self.powers = {e.id: e.power for e in first.evses}
        self.screens = {e.id: e.screen for e in first.evses}
        self.lamps = {r.id: r.lamp for r in first.readers}
        places = [(e.id, c) for e in first.evses for c in e.connectors]
        self.pilots = {(n, c.id): c.pilot for n, c in places}
        self.locks = {(n, c.id): c.lock for n, c in places}
        self.plugs = {(n, c.id): c.plugged for n, c in places}

    def hear(self, event: Event) -> None:
        """Every change is one: nothing is told twice."""
        match event:
            case ev.FlowChanged(evse, before, after):
                assert (self.flows[evse], before is after) == (before, False)
                self.flows[evse] = after
            case ev.PilotChanged(evse, connector, before, after):
                assert (self.pilots[evse, connector], before is after) == (before, False)
                self.pilots[evse, connector] = after
            case ev.ContactorChanged(evse, state):
                assert self.closed[evse] is not state
                self.closed[evse] = state
            case ev.LockChanged(evse, connector, lock):
                assert self.locks[evse, connector] is not lock
                self.locks[evse, connector] = lock
            case ev.ReaderLampChanged(reader, lamp):
                assert self.lamps[reader] is not lamp
                self.lamps[reader] = lamp
            case _:
                self._hear_more(event)

    def _hear_more(self, event: Event) -> None:
        match event:
            case ev.CablePlugged(evse, connector):
                self.plugs[evse, connector] = True
            case ev.CableUnplugged(evse, connector):
                self.plugs[evse, connector] = False
            case ev.ScreenChanged(evse, text):
                self.screens[evse] = text
            case ev.PowerChanged(evse, power):
                self.powers[evse] = power

    def agrees(self, now: StationSnapshot) -> None:
        for evse in now.evses:
            assert self.flows[evse.id] is evse.flow
            assert self.closed[evse.id] is evse.contactor_closed
            assert self.powers[evse.id] == pytest.approx(evse.power, abs=1.0)
            told, shown = self.screens[evse.id], evse.screen
            assert (told.id if told else None) == (shown.id if shown else None)
            for connector in evse.connectors:
                place = evse.id, connector.id
                assert self.pilots[place] is connector.pilot
                assert self.locks[place] is connector.lock
                assert self.plugs[place] is connector.plugged
        assert self.lamps == {reader.id: reader.lamp for reader in now.readers}


@many
@given(st.sampled_from(BLUEPRINTS), steps)
def test_who_only_listens_knows_the_state_at_every_step(
    blueprint: Blueprint, plan: list[Any]
) -> None:
    bench = Bench(blueprint, library=LIBRARY)
    listener = Listener(bench)
    bench.bus.subscribe(lambda entry: listener.hear(entry.event))
    run(bench, plan, lambda: listener.agrees(bench.station.snapshot()))
    assert not bench.told(SubscriberFailed)
