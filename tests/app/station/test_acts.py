"""What people and hardware do: what it answers and what is told."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from app.kernel.bus import Event, Origin, because
from app.kernel.text import Text
from app.station import events as ev
from app.station.commands import (
    MarkReserved,
    OfferLimit,
    Permit,
    Restart,
    SetLight,
    SetOperative,
    SetReaderLamp,
    ShowText,
    Suspend,
    Unlock,
    Withdraw,
)
from app.station.intents import (
    ArriveCar,
    ClearFault,
    CloseDoor,
    CutMains,
    CutNetwork,
    LeaveCar,
    OpenDoor,
    PauseVehicle,
    PlugIn,
    PresentCard,
    PressStart,
    PressStop,
    RaiseFault,
    RestoreMains,
    RestoreNetwork,
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
    ReaderLamp,
    RestartKind,
)
from tests.app.station.bench import SOCKET, START, Bench, kinds

A, B, C, D, E, F = PilotState
FREE = SOCKET.format(free_vend="true")
PAID = SOCKET.format(free_vend="false")


# ---- cars


def test_cars_come_and_go() -> None:
    bench = Bench()
    assert bench.refused(LeaveCar(1)) == "bay_empty"
    assert bench.refused(ArriveCar(1, "rocket")) == "no_such_vehicle"
    assert bench.do(ArriveCar(1, "van")) == [ev.CarArrived(1, "van")]
    assert bench.refused(ArriveCar(1)) == "bay_taken"
    bench.do(PlugIn(1))
    assert bench.refused(LeaveCar(1)) == "still_plugged"
    bench.do(Unplug(1))
    assert bench.do(LeaveCar(1)) == [ev.CarLeft(1, "van")]
    assert bench.evse().vehicle is None


def test_setting_a_car_that_is_not_there_brings_it() -> None:
    bench = Bench()
    told = bench.do(SetVehicle(1, soc=80, target_soc=90, capacity=40_000, ready_delay=0))
    assert told == [ev.CarArrived(1, "city-52"), ev.VehicleChanged(1)]
    car = bench.evse().vehicle
    assert car is not None
    assert (car.soc, car.target_soc, car.capacity) == (80, 90, 40_000)


def test_a_car_can_be_swapped_only_while_it_is_not_plugged() -> None:
    bench = Bench()
    bench.do(SetVehicle(1, vehicle="van"), SetVehicle(1, vehicle="classic-24", soc=10))
    car = bench.evse().vehicle
    assert car is not None
    assert (car.id, car.soc) == ("classic-24", 10)
    bench.do(PlugIn(1))
    assert bench.refused(SetVehicle(1, vehicle="van")) == "still_plugged"
    bench.do(SetVehicle(1, vehicle="classic-24", max_ac_current=10))
    assert bench.refused(SetVehicle(1, vehicle="rocket")) == "no_such_vehicle"


@pytest.mark.parametrize(
    "order",
    [
        SetVehicle(1, soc=101),
        SetVehicle(1, soc=-1),
        SetVehicle(1, soc=math.nan),
        SetVehicle(1, target_soc=200),
        SetVehicle(1, capacity=0),
        SetVehicle(1, max_ac_current=1000),
        SetVehicle(1, ac_phases=0),
        SetVehicle(1, max_dc_power=-5),
        SetVehicle(1, ready_delay=-1),
    ],
)
def test_a_car_cannot_be_set_to_the_impossible(order: SetVehicle) -> None:
    assert Bench().refused(order) == "out_of_range"


def test_a_delay_set_while_the_car_waits_counts_from_the_plug() -> None:
    bench = Bench()
    bench.do(PlugIn(1), Permit(1))
    bench.wait(1)
    bench.do(SetVehicle(1, ready_delay=20))
    bench.wait(18)
    assert bench.evse().flow is Flow.SUSPENDED_EV
    car = bench.evse().vehicle
    assert car is not None
    assert not car.ready
    bench.wait(1)
    assert bench.evse().flow is Flow.CHARGING


def test_limits_of_the_car_count_at_once() -> None:
    bench = Bench()
    bench.charge()
    bench.do(SetVehicle(1, max_ac_current=12, ac_phases=1))
    assert bench.evse().currents == (12.0, 0.0, 0.0)
    bench.do(SetVehicle(1, max_ac_current=0))
    why = bench.told(ev.FlowChanged)[-1]
    assert why.after is Flow.SUSPENDED_EV
    assert why.why is not None
    assert why.why.id == "station.why.car_takes_none"


def test_a_car_pauses_and_resumes_and_says_so_once() -> None:
    bench = Bench()
    assert bench.refused(PauseVehicle(1)) == "bay_empty"
    bench.charge()
    assert kinds(bench.do(PauseVehicle(1)))[0] == "VehicleChanged"
    assert bench.do(PauseVehicle(1)) == []
    bench.do(ResumeVehicle(1))
    assert bench.evse().flow is Flow.CHARGING


def test_a_car_that_wants_ventilation_gets_none_here() -> None:
    from app.station.vehicle import VehicleLibrary, VehicleSpec

    gassy = VehicleSpec(id="gassy", name="Gassy", capacity=20_000, ventilation=True)
    library = VehicleLibrary.standard() | VehicleLibrary([gassy])
    bench = Bench(library=library)
    bench.do(ArriveCar(1, "gassy"))
    bench.charge()
    now = bench.evse()
    assert (now.flow, now.contactor_closed) == (Flow.SUSPENDED_EVSE, False)
    assert now.connectors[0].pilot is D


# ---- cards, buttons, lamps, screens


def test_a_card_is_read_by_the_reader_that_serves_the_place() -> None:
    bench = Bench("dc-2x150")
    assert bench.do(PresentCard("04A1", evse=2)) == [
        ev.CardPresented(2, "04A1", "ISO14443", 2),
    ]
    assert bench.do(PresentCard("04A1", "ISO15693")) == [
        ev.CardPresented(1, "04A1", "ISO15693", 1),
    ]


def test_a_reader_of_two_places_does_not_know_which_is_meant_unless_told() -> None:
    bench = Bench("public-ac-2x22")
    assert bench.do(PresentCard("04A1")) == [ev.CardPresented(1, "04A1", "ISO14443", None)]
    assert bench.do(PresentCard("04A1", evse=2)) == [ev.CardPresented(1, "04A1", "ISO14443", 2)]


def test_a_card_needs_a_reader_and_a_number() -> None:
    bench = Bench()
    assert bench.refused(PresentCard(" ")) == "empty_card"
    assert bench.refused(PresentCard("04A1", evse=3)) == "no_such_evse"
    bare = Bench(PAID.replace("[[readers]]", ""))
    assert bare.refused(PresentCard("04A1")) == "no_reader"
    assert bare.refused(PresentCard("04A1", evse=1)) == "no_reader"


def test_the_ring_shows_a_verdict_for_three_seconds() -> None:
    bench = Bench()
    assert bench.do(SetReaderLamp(1, ReaderLamp.ASKING)) == [
        ev.ReaderLampChanged(1, ReaderLamp.ASKING)
    ]
    assert bench.wait(60) == []
    bench.do(SetReaderLamp(1, ReaderLamp.REFUSED))
    assert bench.wait(2.9) == []
    assert bench.wait(0.2) == [ev.ReaderLampChanged(1, ReaderLamp.WAITING)]
    assert bench.entries[-1].at == START + timedelta(seconds=63)
    bench.do(SetReaderLamp(1, ReaderLamp.ACCEPTED), SetReaderLamp(1, ReaderLamp.ASKING))
    assert bench.wait(10) == []
    assert bench.refused(SetReaderLamp(2, ReaderLamp.OFF)) == "no_reader"


def test_a_verdict_may_blink_instead() -> None:
    bench = Bench()
    bench.do(SetReaderLamp(1, ReaderLamp.ACCEPTED, blinks=5))
    assert bench.station.snapshot().readers[0].blinks == 5
    assert bench.wait(4.9) == []
    assert bench.wait(0.2) == [ev.ReaderLampChanged(1, ReaderLamp.WAITING)]
    assert bench.station.snapshot().readers[0].blinks == 0


def test_the_lights_can_be_dimmed() -> None:
    bench = Bench()
    assert bench.station.snapshot().light == 100
    assert bench.do(SetLight(40)) == [ev.LightChanged(40)]
    assert bench.do(SetLight(40)) == []
    bench.do(SetLight(400))
    assert bench.station.snapshot().light == 100


def test_the_start_button_is_there_only_where_no_card_is_needed() -> None:
    assert Bench().refused(PressStart(1)) == "no_start_button"
    assert Bench(FREE).do(PressStart(1)) == [ev.StartPressed(1)]
    bare = Bench(PAID.replace("[[readers]]", ""))
    assert bare.do(PressStart(1)) == [ev.StartPressed(1)]
    assert bare.refused(PressStart(2)) == "no_such_evse"


def test_the_stop_button_is_always_there() -> None:
    bench = Bench()
    assert bench.do(PressStop(1)) == [ev.StopPressed(1)]
    assert bench.refused(PressStop(2)) == "no_such_evse"


def test_a_screen_shows_what_was_ordered_until_it_is_taken_back() -> None:
    bench = Bench()
    price, other = Text("x.price", {"cents": 52}), Text("x.price", {"cents": 60})
    assert bench.do(ShowText(1, price)) == [ev.ScreenChanged(1, price)]
    assert bench.do(ShowText(1, price)) == []
    assert bench.do(ShowText(1, other)) == [ev.ScreenChanged(1, other)]
    bench.do(PlugIn(1))
    assert bench.evse().screen == other
    told = bench.do(ShowText(1, None))
    assert told == [ev.ScreenChanged(1, Text("station.screen.connected_card"))]
    assert bench.do(ShowText(0, price)) == [ev.ScreenChanged(0, price)]
    assert bench.station.snapshot().screen == price
    assert bench.refused(ShowText(2, price)) == "no_such_evse"


def test_figures_on_a_screen_run_on_without_an_event() -> None:
    bench = Bench()
    bench.charge()
    first = bench.evse().screen
    told = bench.wait(600)
    assert [e for e in told if isinstance(e, ev.ScreenChanged)] == []
    assert bench.evse().screen != first


@pytest.mark.parametrize(
    ("blueprint", "idle", "connected"),
    [(PAID, "card", "card"), (FREE, "button", "button")],
)
def test_the_usual_screens_tell_the_driver_what_to_do(
    blueprint: str, idle: str, connected: str
) -> None:
    bench = Bench(blueprint)

    def shows() -> str:
        screen = bench.evse().screen
        assert screen is not None
        return screen.id.removeprefix("station.screen.")

    assert shows() == f"idle_{idle}"
    bench.do(MarkReserved(1, 0, "Ada"))
    assert shows() == "reserved"
    bench.do(MarkReserved(1), SetOperative(1, 0, operative=False))
    assert shows() == "out_of_service"
    bench.do(SetOperative(1, 0, operative=True), Permit(1))
    assert shows() == "plug_in_now"
    bench.do(PlugIn(1))
    assert shows() == "waits_for_car"
    bench.wait(10)
    assert shows() == "charging"
    bench.do(Suspend(1))
    assert shows() == "waits_for_power"
    bench.do(Suspend(1, suspended=False), SetVehicle(1, soc=100))
    assert shows() == "car_full"
    bench.do(Withdraw(1))
    assert shows() == "finished"
    bench.do(Unlock(1, 1), Unplug(1), PlugIn(1))
    assert shows() == f"connected_{connected}"
    bench.do(RaiseFault(Fault.RCD, 1))
    assert shows() == "faulted"


def test_the_stations_own_screen() -> None:
    bench = Bench()

    def shows() -> str | None:
        screen = bench.station.snapshot().screen
        return screen.id.removeprefix("station.screen.") if screen is not None else None

    assert shows() == "welcome"
    bench.do(SetOperative(0, 0, operative=False))
    assert shows() == "out_of_service"
    bench.do(RaiseFault(Fault.EMERGENCY_STOP))
    assert shows() == "emergency_stop"
    bench.do(CutMains())
    assert shows() is None


# ---- switches


def test_cutting_the_mains_is_told_first_and_takes_permission_light_and_current() -> None:
    bench = Bench("dc-2x150")
    bench.charge()
    bench.do(MarkReserved(2, 0, "Ada"))
    told = bench.do(CutMains())
    assert told[0] == ev.MainsCut()
    assert ev.PilotChanged(1, 1, C, E) in told
    assert ev.ContactorChanged(1, closed=False) in told
    assert ev.ReaderLampChanged(1, ReaderLamp.OFF) in told
    assert ev.ScreenChanged(1, None) in told
    assert ev.ReservationMarked(2, 0, None) in told
    now = bench.evse()
    assert (now.status, now.power, now.permitted) == (BayStatus.OFF, 0.0, False)
    assert now.limit_power == 0.0
    assert now.connectors[0].plugged
    assert now.connectors[0].lock is LockState.LOCKED
    reading = bench.station.meter(1)
    assert (reading.voltages, reading.frequency) == ((0.0, 0.0, 0.0), 0.0)
    main = bench.station.main_meter()
    assert main is not None
    assert (main.voltages, main.offered_power) == ((0.0, 0.0, 0.0), 0.0)


def test_a_dark_station_refuses_all_but_what_happens_around_it() -> None:
    bench = Bench()
    bench.do(CutMains())
    for order in (
        PresentCard("04A1"),
        PressStop(1),
        PressStart(1),
        RaiseFault(Fault.RCD),
        ClearFault(),
        CutMains(),
        Permit(1),
        Withdraw(1),
        SetOperative(0, 0, operative=False),
        ShowText(0, None),
        Restart(RestartKind.HARD),
    ):
        assert bench.refused(order) == "no_power"
    bench.do(
        ArriveCar(1),
        SetVehicle(1, soc=50),
        PlugIn(1),
        PauseVehicle(1),
        ResumeVehicle(1),
        Unplug(1),
        LeaveCar(1),
        CutNetwork(),
        RestoreNetwork(),
        OpenDoor(),
        CloseDoor(),
        PlugIn(1),
    )
    told = bench.do(RestoreMains())
    assert told[0] == ev.MainsRestored()
    assert ev.PilotChanged(1, 1, E, B) in told
    assert bench.evse().flow is Flow.CONNECTED
    assert bench.refused(RestoreMains()) == "mains_on"


def test_a_restart_is_told_first_and_ends_all_that_was_ordered() -> None:
    bench = Bench()
    bench.charge()
    bench.do(OfferLimit(1, amps=8), ShowText(1, Text("x.y")))
    told = bench.do(Restart(RestartKind.HARD))
    assert told[0] == ev.RestartOrdered(RestartKind.HARD, None)
    assert ev.ContactorChanged(1, closed=False) in told
    now = bench.evse()
    assert (now.flow, now.permitted) == (Flow.CONNECTED, False)
    assert now.limit_current == pytest.approx(16)
    assert now.screen is not None
    assert now.screen.id == "station.screen.finished"


def test_a_restart_of_one_evse_leaves_the_other_alone() -> None:
    bench = Bench("public-ac-2x22")
    bench.charge(1)
    bench.charge(2)
    told = bench.do(Restart(RestartKind.SOFT, 1))
    assert told[0] == ev.RestartOrdered(RestartKind.SOFT, 1)
    assert [bench.evse(n).flow for n in (1, 2)] == [Flow.CONNECTED, Flow.CHARGING]


def test_network_and_door_are_switches_that_know_their_place() -> None:
    bench = Bench()
    for there, back, told, undone in (
        (CutNetwork(), RestoreNetwork(), ev.NetworkCut(), ev.NetworkRestored()),
        (OpenDoor(), CloseDoor(), ev.DoorOpened(), ev.DoorClosed()),
    ):
        assert bench.refused(back) in ("network_on", "door_closed")
        assert bench.do(there) == [told]
        assert bench.refused(there) in ("network_off", "door_open")
        assert bench.do(back) == [undone]
    bench.do(CutNetwork(), OpenDoor())
    now = bench.station.snapshot()
    assert (now.network, now.door_open) == (False, True)


# ---- the aggregate


def test_what_is_no_order_is_a_mistake_of_the_program() -> None:
    with pytest.raises(TypeError, match="not an order"):
        Bench().station.handle("plug in")  # type: ignore[arg-type]


def test_orders_carry_their_origin_and_physics_its_own() -> None:
    bench = Bench()
    with because(Origin.SCRIPT, 99):
        bench.do(PlugIn(1), Permit(1))
    assert {(e.origin, e.cause) for e in bench.entries} == {(Origin.SCRIPT, 99)}
    before = len(bench.entries)
    bench.wait(10)
    assert {(e.origin, e.cause) for e in bench.entries[before:]} == {(Origin.PHYSICS, None)}


def test_a_subscriber_may_give_orders_while_events_are_handed_round() -> None:
    bench = Bench()
    seen: list[Event] = []

    def on_plug(entry: object) -> None:
        bench.station.handle(Permit(1))
        assert bench.evse().permitted
        assert bench.station.meter(1).energy_import == 0.0

    bench.bus.subscribe(on_plug, ev.CablePlugged)
    bench.bus.subscribe(lambda entry: seen.append(entry.event))
    bench.do(PlugIn(1))
    # all that the plug led to stands before what the answer to it led to
    assert kinds(seen)[:4] == ["CarArrived", "CablePlugged", "PilotChanged", "FlowChanged"]
    assert kinds(seen).index("Permitted") > kinds(seen).index("FlowChanged")
    permitted = next(e for e in bench.entries if isinstance(e.event, ev.Permitted))
    plugged = next(e for e in bench.entries if isinstance(e.event, ev.CablePlugged))
    assert permitted.cause == plugged.seq


def test_an_evse_that_does_not_exist_has_no_meter_and_no_snapshot() -> None:
    bench = Bench()
    with pytest.raises(KeyError):
        bench.station.meter(2)
    with pytest.raises(KeyError):
        bench.evse(2)
