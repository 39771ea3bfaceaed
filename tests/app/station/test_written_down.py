"""Blueprints, cars and stored states: what parses, and the sentence for what does not."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.station import commands, events, intents
from app.station.blueprint import Blueprint, BlueprintError
from app.station.commands import Permit, SetOperative, Unlock
from app.station.intents import (
    ClearFault,
    CutMains,
    CutNetwork,
    OpenDoor,
    PauseVehicle,
    PlugIn,
    RaiseFault,
    SetVehicle,
    Unplug,
)
from app.station.kinds import Current, Fault, Flow, LockState, Plug
from app.station.specs import SpecError
from app.station.state import StateError
from app.station.station import ACTS
from app.station.vehicle import VehicleLibrary, VehicleSpec
from tests.app.station.bench import SOCKET, START, TWO_CABLES, Bench

CATALOGUE = Catalogue.load()
SOUND = SOCKET.format(free_vend="false")


def sentence(text: Text) -> str:
    rendered = CATALOGUE.render(text)
    assert text.id in CATALOGUE
    assert "{" not in rendered
    assert "station." not in rendered.replace("station.toml", "")
    return rendered


# ---- blueprints


def test_the_blueprints_of_the_program_are_what_they_say() -> None:
    assert Blueprint.names() == ("dc-2x150", "home-ac-11", "public-ac-2x22")
    home, public, fast = (
        Blueprint.builtin(name) for name in ("home-ac-11", "public-ac-2x22", "dc-2x150")
    )
    assert [(e.current, len(e.connectors)) for e in home.evses] == [(Current.AC, 1)]
    assert (home.evses[0].connectors[0].tethered, home.evses[0].connectors[0].lock) == (True, False)
    assert [e.connectors[0].tethered for e in public.evses] == [True, False]
    assert [e.connectors[0].lock for e in public.evses] == [False, True]
    assert [e.max_power for e in fast.evses] == [150_000, 150_000]
    assert {e.connectors[0].plug for e in fast.evses} == {Plug.CCS2}
    assert all(e.connectors[0].lock for e in fast.evses)


@pytest.mark.parametrize("name", Blueprint.names())
def test_each_blueprint_charges_on_each_of_its_evses(name: str) -> None:
    bench = Bench(name)
    for number in range(1, len(bench.station.blueprint.evses) + 1):
        assert bench.charge(number).flow is Flow.CHARGING


def test_a_reader_without_a_list_serves_all() -> None:
    bench = Bench(TWO_CABLES)
    assert bench.station.snapshot().readers[0].evses == (1,)


BROKEN = [
    ("name = ", "name = =", "is not valid TOML"),
    ('model = "Socket"', "", "model: this is missing"),
    ('model = "Socket"', 'model = "S"\ncolour = "red"', "colour: nobody knows this key"),
    ('model = "Socket"', 'model = ""', "model: "),
    ('current = "ac"', 'current = "ad"', "evses[1].current: this can only be 'ac' or 'dc'"),
    ('plug = "type2"', 'plug = "schuko"', "evses[1].connectors[1].plug: this can only be"),
    ('plug = "type2"', 'plug = "ccs2"', "fixed cable"),
    ("tethered = false\nlock = true", "tethered = true", None),
    ("max_current = 20", "max_current = 5", "at least 6 A"),
    ("max_current = 20", "max_current = 0", "evses[1].connectors[1].max_current"),
    ("max_current = 20", "max_current = nan", "evses[1].connectors[1].max_current"),
    ("max_current = 20", 'max_current = "much"', "evses[1].connectors[1].max_current"),
    ('current = "ac"', 'current = "dc"', "“ccs2”"),
    ("[[readers]]", "[[readers]]\nevses = [2]", "reader 1 serves EVSE 2, but there are only 1"),
    ("[[readers]]", "[[readers]]\n[[readers]]", "two readers serve EVSE 1"),
    ("max_power = 22080", "max_power = -1", "evses[1].max_power"),
    ("current = 32", "volts = 230", "supply.current: this is missing"),
    ("[[evses]]", "[evses]", "evses"),
]


@pytest.mark.parametrize(("part", "instead", "says"), BROKEN)
def test_a_broken_blueprint_gets_a_sentence_with_what_where_and_what_to_do(
    part: str, instead: str, says: str | None
) -> None:
    assert part in SOUND
    text = SOUND.replace(part, instead)
    if says is None:
        assert Blueprint.parse(text, "mine.toml").evses
        return
    with pytest.raises(BlueprintError) as caught:
        Blueprint.parse(text, "mine.toml")
    told = sentence(caught.value.text)
    assert told.startswith("mine.toml ")
    assert says in told
    assert told.rstrip(")").endswith(".")
    assert "mine.toml" in str(caught.value)


def test_further_mistakes_are_counted() -> None:
    with pytest.raises(BlueprintError) as caught:
        Blueprint.parse('name = "x"', "mine.toml")
    assert "2 more" in sentence(caught.value.text)


def test_a_part_of_a_larger_file_is_checked_the_same_way() -> None:
    assert Blueprint.check({"name": "n", "model": "m", **_hardware()}, "config.toml").name == "n"
    with pytest.raises(BlueprintError) as caught:
        Blueprint.check({"name": "n"}, "config.toml")
    assert sentence(caught.value.text).startswith("config.toml cannot be used: model: ")


def test_something_that_is_no_table_is_refused() -> None:
    with pytest.raises(BlueprintError) as caught:
        Blueprint.check([], "config.toml")  # type: ignore[arg-type]
    assert sentence(caught.value.text).startswith("config.toml cannot be used: /: ")


def test_a_blueprint_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(BlueprintError) as caught:
        Blueprint.builtin("home")
    assert "home-ac-11" in sentence(caught.value.text)


@pytest.mark.parametrize("vehicle", ["rocket", "plug-in-hybrid"])
def test_a_usual_car_that_is_unknown_or_does_not_fit_is_refused(vehicle: str) -> None:
    text = Blueprint.builtin("dc-2x150")
    evse = replace(text.evses[1], vehicle=vehicle)
    with pytest.raises(BlueprintError) as caught:
        Bench(replace(text, evses=(text.evses[0], evse)))
    assert "EVSE 2" in sentence(caught.value.text)
    assert vehicle in sentence(caught.value.text)


def _hardware() -> dict[str, Any]:
    connector = {"plug": "type2", "max_current": 16}
    evse = {"current": "ac", "max_power": 11_040, "connectors": [connector]}
    return {"supply": {"current": 16}, "evses": [evse]}


# ---- cars


def test_the_library_has_the_cars_it_names() -> None:
    library = VehicleLibrary.standard()
    ids = [spec.id for spec in library.specs()]
    assert ids == ["city-52", "tourer-800", "plug-in-hybrid", "van", "classic-24"]
    assert "city-52" in library
    assert library["classic-24"].max_ac_current == 32
    assert library["plug-in-hybrid"].max_dc_power == 0


def test_own_cars_come_on_top_of_the_library() -> None:
    own = VehicleLibrary.parse(
        '[[vehicles]]\nid = "city-52"\nname = "Mine"\ncapacity = 1000\n', "cars.toml"
    )
    library = VehicleLibrary.standard() | own
    assert library["city-52"].name == "Mine"
    assert "van" in library


CAR = '[[vehicles]]\nid = "mine"\nname = "Mine"\ncapacity = 50000\n'


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("dc_curve = [[0, 1.0], [50, 0.5]]", "dc_curve must begin at 0 %, end at 100 %"),
        ("ac_curve = [[0, 1.0], [60, 0.5], [50, 0.4], [100, 0.1]]", "rise in between"),
        ("ac_curve = [[0, 1.0], [100, 0.0]]", "vehicles[1].ac_curve[2]"),
        ("pack_voltage = [400, 300]", "two voltages"),
        ("soc = 120", "vehicles[1].soc"),
        ("ac_phases = 4", "this can only be 1, 2 or 3"),
        ("wheels = 4", "nobody knows this key"),
        (CAR, "two cars with the id mine"),
        ("soc = ", "is not valid TOML"),
    ],
)
def test_a_broken_car_gets_a_sentence(more: str, says: str) -> None:
    with pytest.raises(SpecError) as caught:
        VehicleLibrary.parse(CAR + more, "cars.toml")
    told = sentence(caught.value.text)
    assert says in told
    assert told.startswith("cars.toml ")


def test_a_car_is_sound_by_its_defaults() -> None:
    assert VehicleLibrary.parse(CAR, "cars.toml")["mine"] == VehicleSpec(
        id="mine", name="Mine", capacity=50_000
    )


# ---- stored state


def eventful() -> Bench:
    bench = Bench("dc-2x150", seed=1)
    bench.do(SetVehicle(1, soc=40, target_soc=90, ready_delay=1))
    bench.charge(1)
    bench.charge(2)
    bench.wait(100.5)
    bench.do(
        PauseVehicle(2),
        RaiseFault(Fault.LOCK_JAM, 2, 1, "E", "V", "note"),
        RaiseFault(Fault.WEAK_SIGNAL),
        SetOperative(2, 1, operative=False),
        CutNetwork(),
        OpenDoor(),
    )
    bench.wait(0.25)
    return bench


def test_the_physical_world_outlives_the_program() -> None:
    before = eventful()
    state = json.loads(json.dumps(before.station.export_state()))
    after = Bench("dc-2x150", seed=1)
    after.station.import_state(state)
    assert after.entries == []
    old, new = before.station.snapshot(), after.station.snapshot()
    assert (new.network, new.door_open, new.mains) == (False, True, True)
    assert [f.fault for f in new.faults] == [Fault.WEAK_SIGNAL]
    for one, other in zip(old.evses, new.evses, strict=True):
        assert other.energy == one.energy > 0
        assert other.session_energy == one.session_energy
        assert other.session_since == one.session_since
        assert other.vehicle is not None
        assert one.vehicle is not None
        assert (other.vehicle.soc, other.vehicle.target_soc) == (
            one.vehicle.soc,
            one.vehicle.target_soc,
        )
        assert other.vehicle.paused == one.vehicle.paused
        assert other.faults == one.faults
        assert [(c.plugged, c.lock, c.operative) for c in other.connectors] == [
            (c.plugged, c.lock, c.operative) for c in one.connectors
        ]
        # permissions lived in the controller's memory: nothing flows until it permits again
        assert (other.permitted, other.power, other.flow) == (False, 0.0, Flow.CONNECTED)
    assert new.evse(2).connectors[0].lock is LockState.JAMMED
    after.do(ClearFault(2, 1), Permit(1))
    assert after.evse(1).flow is Flow.CHARGING


def test_a_state_brought_in_again_changes_nothing() -> None:
    bench = eventful()
    state = bench.station.export_state()
    other = Bench("dc-2x150")
    other.station.import_state(state)
    again = other.station.export_state()
    other.station.import_state(again)
    assert other.station.export_state() == again


def test_a_delay_that_was_running_goes_on() -> None:
    bench = Bench()
    bench.do(SetVehicle(1, ready_delay=10), PlugIn(1))
    bench.wait(4)
    other = Bench()
    other.station.import_state(bench.station.export_state())
    other.do(Permit(1))
    other.wait(5)
    assert other.evse().flow is Flow.SUSPENDED_EV
    other.wait(1)
    assert other.evse().flow is Flow.CHARGING


def test_a_dark_station_is_still_dark() -> None:
    bench = Bench()
    bench.do(PlugIn(1), CutMains())
    other = Bench()
    other.station.import_state(bench.station.export_state())
    assert not other.station.snapshot().mains
    assert other.refused(Permit(1)) == "no_power"


def test_mv_11_registers_never_fall_when_an_older_state_is_brought_in() -> None:
    bench = Bench()
    bench.charge()
    old = bench.station.export_state()
    bench.wait(100)
    now = bench.station.meter(1).energy_import
    bench.station.import_state(old)
    assert bench.station.meter(1).energy_import == now
    assert bench.evse().flow is Flow.CONNECTED


def test_a_lock_that_the_hardware_lacks_is_not_brought_back() -> None:
    bench = Bench()
    state = bench.station.export_state()
    state["evses"][0]["connectors"][0]["locked"] = True
    bench.station.import_state(state)
    assert bench.evse().connectors[0].lock is LockState.NONE
    bench.do(PlugIn(1), Unplug(1))


def test_times_without_an_offset_are_utc() -> None:
    bench = Bench()
    bench.do(RaiseFault(Fault.RCD, 1))
    state = bench.station.export_state()
    state["faults"][0]["since"] = "2025-03-01T12:00:00"
    other = Bench()
    other.clock.advance_now(5)
    other.station.import_state(state)
    assert other.evse().faults[0].since == START
    assert other.station.snapshot().at == START + timedelta(seconds=5)


def _damage(state: dict[str, Any], path: tuple[Any, ...], value: Any) -> None:
    for step in path[:-1]:
        state = state[step]
    state[path[-1]] = value


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("evses",), [], "other hardware"),
        (("evses", 0, "registers"), [-1, 0, 0], "evses[1].registers[1]"),
        (("evses", 0, "registers"), [float("nan"), 0, 0], "evses[1].registers[1]"),
        (("evses", 0, "vehicle", "id"), "rocket", "rocket"),
        (("evses", 0, "vehicle", "soc"), 120, "soc"),
        (("evses", 0, "vehicle"), None, "1 plugs in one car"),
        (("version",), 2, "version"),
        (("faults", 0, "evse"), 7, "place that does not exist"),
        (("faults", 0, "evse"), -1, "place that does not exist"),
        (("faults", 0, "connector"), 3, "place that does not exist"),
        (("faults", 0, "connector"), 0, "place that does not exist"),
        (("faults", 0, "fault"), "gremlins", "faults[1].fault"),
        (("faults", 1, "connector"), 1, "place that does not exist"),
        (("mood",), "good", "nobody knows this key"),
    ],
)
def test_a_state_that_does_not_fit_gets_a_sentence_and_changes_nothing(
    path: tuple[Any, ...], value: Any, says: str
) -> None:
    bench = eventful()
    state = copy.deepcopy(bench.station.export_state())
    before = bench.station.snapshot()
    _damage(state, path, value)
    with pytest.raises(StateError) as caught:
        bench.station.import_state(state)
    assert says in sentence(caught.value.text)
    assert bench.station.snapshot() == before


# ---- the catalogue


def test_every_reason_sentence_and_order_is_known() -> None:
    orders = {
        kind
        for module, base in ((intents, intents.Intent), (commands, commands.Command))
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, base) and kind is not base
    }
    assert set(ACTS) == orders


def test_all_texts_that_the_machine_gives_have_sentences() -> None:
    bench = eventful()
    bench.do(Unlock(1, 1))
    told = [e.event for e in bench.entries]
    texts = [e.why for e in told if isinstance(e, events.FlowChanged)]
    texts += [e.text for e in told if isinstance(e, events.ScreenChanged)]
    texts += [cap.name for n in (1, 2) for cap in bench.evse(n).caps]
    given = [text for text in texts if text is not None]
    assert given
    for text in given:
        sentence(text)  # raises where there is none
