"""Every fault: what it does to a running charge, and that none begins over it."""

from __future__ import annotations

import pytest

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.station import events as ev
from app.station.commands import OfferLimit, Permit, SetReaderLamp, Unlock, Withdraw
from app.station.faults import RULES, Place, consequence, effect_of, fault_name
from app.station.intents import (
    ClearFault,
    CutMains,
    PlugIn,
    PresentCard,
    RaiseFault,
    RestoreMains,
    Unplug,
)
from app.station.kinds import (
    BayStatus,
    Effect,
    Fault,
    Flow,
    LockState,
    PilotState,
    ReaderLamp,
)
from tests.app.station.bench import SOCKET, TWO_CABLES, Bench, kinds

DC = "dc-2x150"
PLACES = [
    pytest.param(fault, place, id=f"{fault.value}-{place.value}")
    for fault, rule in RULES.items()
    for place in rule.places
]
WHERE = {Place.STATION: (0, 0), Place.EVSE: (1, 0), Place.CONNECTOR: (1, 1)}


def test_the_table_has_every_fault() -> None:
    assert set(RULES) == set(Fault)


@pytest.mark.parametrize("blueprint", [DC, SOCKET.format(free_vend="false")])
@pytest.mark.parametrize(("fault", "place"), PLACES)
def test_a_fault_ends_or_derates_a_running_charge_and_none_begins_over_it(
    fault: Fault, place: Place, blueprint: str
) -> None:
    bench = Bench(blueprint)
    before = bench.charge()
    assert before.flow is Flow.CHARGING
    evse, connector = WHERE[place]
    told = bench.do(RaiseFault(fault, evse, connector, "E-1", "V-2", "note"))
    raised = told[0]
    effect = effect_of(fault, "note")
    assert raised == ev.FaultRaised(
        evse, connector, fault, effect is Effect.TRIP, "E-1", "V-2", "note"
    )
    bench.wait(5)
    now = bench.evse()
    if effect is Effect.TRIP:
        assert (now.flow, now.power, now.permitted) == (Flow.CONNECTED, 0.0, False)
        assert now.status is BayStatus.FAULTED
        assert now.connectors[0].pilot is PilotState.F
        assert now.limit_power == 0.0
        assert now.contactor_closed is (fault is Fault.CONTACTOR_WELD)
        changed = bench.told(ev.FlowChanged)[-1]
        assert changed.why == Text("station.why.fault", {"fault": fault_name(fault)})
    elif effect is Effect.DERATE:
        assert now.flow is Flow.CHARGING
        assert 0 < now.power < before.power
        assert now.caps[0].name == fault_name(fault)
        assert now.status is BayStatus.CHARGING
    else:
        assert now.flow is Flow.CHARGING
        assert now.power == pytest.approx(before.power, rel=0.01)
    # a charge that ended, for whatever reason, does not begin again over the fault
    bench.do(Withdraw(1))
    if effect is Effect.WARN:
        bench.do(Permit(1))
        return
    assert bench.refused(Permit(1)) == "faulted"
    assert bench.refused(Permit(1, 1)) == "faulted"
    assert bench.evse().status is BayStatus.FAULTED
    told = bench.do(ClearFault(evse, connector, fault))
    assert told[0] == ev.FaultCleared(evse, connector, fault)
    bench.wait(5)
    assert bench.evse().flow is Flow.CONNECTED  # it does not go on by itself
    bench.do(Permit(1))
    bench.wait(5)
    assert bench.evse().flow is Flow.CHARGING
    assert bench.refused(ClearFault(evse, connector, fault)) == "no_such_fault"


@pytest.mark.parametrize(("fault", "place"), PLACES)
def test_a_permission_given_before_the_plug_is_lost_to_a_fault(fault: Fault, place: Place) -> None:
    bench = Bench(DC)
    bench.do(Permit(1))
    bench.do(RaiseFault(fault, *WHERE[place]))
    bench.do(PlugIn(1))
    bench.wait(10)
    charging = bench.evse().flow is Flow.CHARGING
    assert charging is (effect_of(fault) is Effect.WARN)
    if not charging:
        assert bench.evse().power == 0.0
        assert bench.told(ev.FaultRaised)[0].ended is False
        assert bench.evse().connectors[0].lock is not LockState.LOCKED


def test_a_fault_at_a_connector_keeps_a_permission_from_beginning_there() -> None:
    bench = Bench(TWO_CABLES)
    bench.do(RaiseFault(Fault.OVER_TEMPERATURE, 1, 2), Permit(1))
    bench.do(PlugIn(1, 2))
    bench.wait(10)
    assert bench.evse().flow is Flow.CONNECTED
    bench.do(Unplug(1, 2))
    bench.charge(1, 1)
    assert bench.evse().flow is Flow.CHARGING
    assert bench.evse().power == pytest.approx(11040)


def test_a_derated_charge_that_is_unplugged_does_not_begin_again() -> None:
    bench = Bench()
    bench.charge()
    bench.do(RaiseFault(Fault.OVER_TEMPERATURE, 1))
    assert bench.evse().permitted
    bench.do(Unplug(1), PlugIn(1))
    bench.wait(10)
    assert bench.evse().flow is Flow.CONNECTED


def test_a_fault_of_the_station_ends_all_charges_and_one_of_an_evse_its_own() -> None:
    bench = Bench("public-ac-2x22")
    bench.charge(1)
    bench.charge(2)
    bench.do(RaiseFault(Fault.RCD, 2))
    assert [bench.evse(n).flow for n in (1, 2)] == [Flow.CHARGING, Flow.CONNECTED]
    bench.do(RaiseFault(Fault.EMERGENCY_STOP))
    assert [bench.evse(n).flow for n in (1, 2)] == [Flow.CONNECTED, Flow.CONNECTED]
    assert bench.station.snapshot().emergency_stop
    assert [f.fault for f in bench.station.snapshot().faults] == [Fault.EMERGENCY_STOP]
    assert [f.fault for f in bench.evse(2).faults] == [Fault.RCD]


def test_emergency_stop_stays_until_it_is_released() -> None:
    bench = Bench()
    bench.do(RaiseFault(Fault.EMERGENCY_STOP), CutMains(), RestoreMains())
    assert bench.refused(Permit(1)) == "faulted"
    bench.do(ClearFault(fault=Fault.EMERGENCY_STOP), Permit(1))


def test_an_emergency_stop_pressed_at_an_evse_is_that_of_the_station() -> None:
    bench = Bench()
    told = bench.do(RaiseFault(Fault.EMERGENCY_STOP, 1, 1))
    assert told[0] == ev.FaultRaised(0, 0, Fault.EMERGENCY_STOP)
    bench.do(ClearFault(1, 1, Fault.EMERGENCY_STOP))


def test_over_temperature_halves_the_power_and_trips_when_it_becomes_critical() -> None:
    bench = Bench()
    bench.charge()
    cool = bench.evse().temperature
    bench.do(RaiseFault(Fault.OVER_TEMPERATURE, 1))
    assert bench.evse().power == pytest.approx(5520)
    assert bench.evse().temperature > cool + 40
    told = bench.do(RaiseFault(Fault.OVER_TEMPERATURE, 1, info="Critical"))
    assert told[0] == ev.FaultRaised(1, 0, Fault.OVER_TEMPERATURE, ended=True, info="Critical")
    assert bench.evse().flow is Flow.CONNECTED
    assert len(bench.evse().faults) == 1
    assert consequence(Fault.OVER_TEMPERATURE, "critical").id.endswith("_critical")


def test_over_temperature_leaves_no_less_than_6_a_on_ac() -> None:
    bench = Bench()
    bench.charge()
    bench.do(OfferLimit(1, amps=9), RaiseFault(Fault.OVER_TEMPERATURE, 1))
    assert bench.evse().currents == (6.0, 6.0, 6.0)


def test_over_temperature_on_dc_halves_the_power() -> None:
    bench = Bench(DC)
    bench.charge()
    bench.do(RaiseFault(Fault.OVER_TEMPERATURE, 1))
    assert bench.evse().power == pytest.approx(75_000)


def test_a_lost_reader_leaves_the_least_the_standard_knows_and_goes_dark() -> None:
    bench = Bench()
    bench.charge()
    told = bench.do(RaiseFault(Fault.READER_LOST, 1))
    assert ev.ReaderLampChanged(1, ReaderLamp.OFF) in told
    assert bench.evse().currents == (6.0, 6.0, 6.0)
    assert bench.refused(PresentCard("04A1")) == "reader_lost"
    assert bench.refused(SetReaderLamp(1, ReaderLamp.ASKING)) == "reader_lost"
    assert bench.station.snapshot().readers[0].faulty
    assert ev.ReaderLampChanged(1, ReaderLamp.WAITING) in bench.do(ClearFault(1))
    dc = Bench(DC)
    dc.charge()
    dc.do(RaiseFault(Fault.READER_LOST, 1))
    assert dc.evse().power == pytest.approx(15_000)
    assert not dc.station.snapshot().readers[1].faulty


def test_where_charging_needs_no_card_a_lost_reader_changes_nothing() -> None:
    bench = Bench(SOCKET.format(free_vend="true"))
    bench.do(RaiseFault(Fault.READER_LOST, 1))
    assert bench.charge().power == pytest.approx(11_040)


def test_a_welded_contactor_stays_closed_until_the_fault_is_cleared() -> None:
    bench = Bench()
    bench.charge()
    told = bench.do(RaiseFault(Fault.CONTACTOR_WELD, 1))
    assert "ContactorChanged" not in kinds(told)
    assert bench.evse().contactor_closed
    before = bench.evse().energy
    bench.wait(60)
    assert bench.evse().energy == before
    bench.do(Unplug(1))
    assert bench.evse().contactor_closed
    assert ev.ContactorChanged(1, closed=False) in bench.do(ClearFault(1))


def test_a_contactor_that_is_open_cannot_be_welded_shut() -> None:
    bench = Bench()
    bench.do(RaiseFault(Fault.CONTACTOR_WELD, 1))
    assert not bench.evse().contactor_closed


def test_201_lock_01_a_jammed_lock_refuses_to_open_and_holds_what_it_held() -> None:
    bench = Bench(DC)
    bench.charge()
    told = bench.do(RaiseFault(Fault.LOCK_JAM, 1, 1))
    assert ev.LockChanged(1, 1, LockState.JAMMED) in told
    assert bench.refused(Unlock(1, 1)) == "lock_jammed"
    assert bench.refused(Unplug(1)) == "locked"
    assert ev.LockChanged(1, 1, LockState.LOCKED) in bench.do(ClearFault(1, 1))
    bench.do(Unlock(1, 1), RaiseFault(Fault.LOCK_JAM, 1, 1), Unplug(1))
    assert bench.evse().connectors[0].lock is LockState.JAMMED


def test_a_plug_pulled_out_of_a_jammed_lock_by_force_leaves_it_jammed() -> None:
    bench = Bench(DC)
    bench.charge()
    bench.do(RaiseFault(Fault.LOCK_JAM, 1, 1))
    told = bench.do(Unplug(1, force=True))
    assert "LockChanged" not in kinds(told)
    assert ev.LockChanged(1, 1, LockState.OPEN) in bench.do(ClearFault(1, 1))


def test_only_a_lock_can_jam() -> None:
    assert Bench().refused(RaiseFault(Fault.LOCK_JAM, 1, 1)) == "no_lock"


def test_a_lost_meter_keeps_its_register() -> None:
    bench = Bench()
    bench.charge()
    bench.wait(600)
    bench.do(RaiseFault(Fault.METER_LOST, 1))
    before = bench.station.meter(1).energy_import
    bench.wait(600)
    assert bench.station.meter(1).energy_import == before > 0


def test_the_same_fault_is_told_once_and_again_when_its_codes_change() -> None:
    bench = Bench()
    bench.do(RaiseFault(Fault.OTHER, 1, 1, "A"))
    assert bench.do(RaiseFault(Fault.OTHER, 1, 1, "A")) == []
    told = bench.do(RaiseFault(Fault.OTHER, 1, 1, "B"))
    assert told == [ev.FaultRaised(1, 1, Fault.OTHER, error_code="B")]
    (fault,) = bench.evse().connectors[0].faults
    assert fault.error_code == "B"


def test_clearing_without_a_name_clears_all_that_lie_there() -> None:
    bench = Bench()
    bench.do(RaiseFault(Fault.RCD, 1), RaiseFault(Fault.OTHER, 1), RaiseFault(Fault.RCD, 1, 1))
    told = bench.do(ClearFault(1, 0))
    assert told[:2] == [ev.FaultCleared(1, 0, Fault.RCD), ev.FaultCleared(1, 0, Fault.OTHER)]
    assert [f.fault for f in bench.evse().faults] == [Fault.RCD]
    assert bench.refused(ClearFault(1, 0)) == "no_such_fault"


def test_a_fault_comes_to_lie_where_its_kind_can() -> None:
    bench = Bench(DC)
    assert bench.do(RaiseFault(Fault.READER_LOST, 1, 1))[0] == ev.FaultRaised(
        1, 0, Fault.READER_LOST
    )
    assert bench.do(RaiseFault(Fault.PILOT, 2))[0] == ev.FaultRaised(2, 1, Fault.PILOT)
    assert bench.refused(RaiseFault(Fault.PILOT)) == "fault_place"
    assert bench.refused(RaiseFault(Fault.CONTACTOR_WELD)) == "fault_place"
    assert bench.refused(ClearFault(fault=Fault.PILOT)) == "fault_place"
    assert bench.refused(RaiseFault(Fault.RCD, 3)) == "no_such_evse"
    assert bench.refused(RaiseFault(Fault.RCD, 1, 2)) == "no_such_connector"
    assert bench.refused(RaiseFault(Fault.RCD, 0, 1)) == "no_such_evse"
    single = Bench()
    assert single.do(RaiseFault(Fault.PILOT))[0] == ev.FaultRaised(1, 1, Fault.PILOT)
    assert single.do(RaiseFault(Fault.CONTACTOR_WELD))[0] == ev.FaultRaised(
        1, 0, Fault.CONTACTOR_WELD
    )
    twin = Bench(TWO_CABLES)
    assert twin.refused(RaiseFault(Fault.PILOT, 1)) == "fault_place"
    twin.do(PlugIn(1, 2))
    assert twin.do(RaiseFault(Fault.PILOT, 1))[0] == ev.FaultRaised(1, 2, Fault.PILOT)


def test_the_tripped_wire_of_an_empty_connector_shows_f_and_comes_back_to_a() -> None:
    bench = Bench()
    assert ev.PilotChanged(1, 1, PilotState.A, PilotState.F) in bench.do(RaiseFault(Fault.RCD, 1))
    bench.do(CutMains())
    told = bench.do(RestoreMains())
    pilots = [event.after for event in told if isinstance(event, ev.PilotChanged)]
    assert pilots == [PilotState.A, PilotState.F]
    assert ev.PilotChanged(1, 1, PilotState.F, PilotState.A) in bench.do(ClearFault(1))


def test_every_fault_has_its_sentences() -> None:
    catalogue = Catalogue.load()
    for fault in Fault:
        assert fault_name(fault).id in catalogue
        assert consequence(fault).id in catalogue
    assert consequence(Fault.OVER_TEMPERATURE, "critical").id in catalogue
