"""What the picture says about a snapshot."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest

from app.kernel.catalogue import Catalogue
from app.kernel.resources import resource
from app.kernel.text import Text
from app.ocpp.context import BootState
from app.station.kinds import BayStatus, Fault, Flow, LockState, Plug, ReaderLamp
from app.station.snapshot import EvseSnapshot
from tests.ui.station import scenes
from ui.station.views import BayView, EvseExtra, PictureExtra, Wording, kilowatts, rating


def view_of(evse: EvseSnapshot, **station: object) -> BayView:
    snapshot = replace(scenes.station(evse), **station)
    return Wording(Catalogue.load()).bay(evse, snapshot, scenes.extra(snapshot))


@pytest.mark.parametrize(
    ("watts", "text"),
    [(0, "0.0"), (7360, "7.4"), (11_040, "11.0"), (99_940, "99.9"), (142_300, "142")],
)
def test_power_has_three_figures(watts: float, text: str) -> None:
    assert kilowatts(watts) == text


def test_ratings_drop_needless_decimals() -> None:
    assert (rating(22_080), rating(11_040), rating(3_680)) == ("22", "11", "3.7")
    assert rating(150_000) == "150"


def test_a_charging_bay_tells_power_energy_cost_and_time() -> None:
    view = view_of(scenes.charging(scenes.make_evse(1)))
    assert (view.word, view.subline) == ("Charging", "11.0 kW, Type 2")
    assert (view.power, view.energy, view.cost) == ("11.0", "4.21 kWh", "2.19 €")
    assert view.car is not None
    assert (view.car.left, view.remaining) == ("46 min left", "46 min")
    assert view.flowing
    assert 0 < view.share <= 1


def test_suspended_sides_have_words_of_their_own() -> None:
    evse = scenes.charging(scenes.make_evse(1))
    car = replace(evse, flow=Flow.SUSPENDED_EV, power=0.0)
    station = replace(evse, flow=Flow.SUSPENDED_EVSE, power=0.0)
    assert view_of(car).word == "Car paused"
    assert view_of(station).word == "Held back"
    assert not view_of(car).flowing


def test_a_plugged_car_without_permission_is_asked_for_a_card() -> None:
    evse = scenes.plugged(scenes.make_evse(1))
    assert view_of(evse).prompt == "Show your card"
    assert view_of(replace(evse, permitted=True)).prompt == "Waiting for the car"


def test_a_permission_without_a_car_asks_to_plug_in() -> None:
    evse = replace(scenes.make_evse(1), status=BayStatus.OCCUPIED, permitted=True)
    view = view_of(evse)
    assert (view.word, view.subline) == ("Preparing", "Type 2, plug in now")
    assert view.title == "Bay 1"


def test_the_screen_counts_the_session_and_not_what_the_plug_brought_before() -> None:
    evse = replace(scenes.charging(scenes.make_evse(1)), energy=9_000.0, session_energy=510.0)
    snapshot = scenes.station(evse)
    words = Wording(Catalogue.load())
    for began, shown in ((None, "0.51 kWh"), (8_990.0, "0.01 kWh"), (9_001.0, "0.00 kWh")):
        known = PictureExtra(evses={1: EvseExtra(meter_start=began)})
        assert words.bay(evse, snapshot, known).energy == shown


def test_a_reservation_names_its_holder_and_end() -> None:
    view = view_of(scenes.reserved(scenes.make_evse(2)))
    assert "Fleet 12" in view.subline
    assert view.title == "Bay 2 is reserved"


def test_a_fault_says_what_since_when_and_whether_the_cable_is_locked() -> None:
    evse = scenes.faulted(scenes.make_evse(1), Fault.OVER_TEMPERATURE, car=0)
    assert view_of(evse).title == "Over-temperature"
    locked = replace(evse, connectors=(replace(evse.connectors[0], lock=LockState.LOCKED),))
    assert view_of(locked).note.endswith("cable locked")


def test_without_mains_everything_is_off_and_the_screen_is_empty() -> None:
    view = view_of(scenes.charging(scenes.make_evse(1)), mains=False)
    assert view.status is BayStatus.OFF
    assert (view.word, view.prompt, view.flowing) == ("Off", "", False)


def test_the_controllers_text_wins_on_the_screen() -> None:
    evse = scenes.charging(scenes.make_evse(1))
    told = view_of(replace(evse, screen=Text("picture.prompt.booting")))
    assert (told.prompt, told.told) == ("Starting", True)
    own = view_of(replace(evse, screen=Text("station.screen.idle_card")))
    assert (own.prompt, own.told) == ("Plug in or show your card", False)


def test_the_machines_own_text_gives_way_to_starting_up() -> None:
    evse = replace(scenes.make_evse(1), screen=Text("station.screen.idle_card"))
    snapshot = scenes.station(evse)
    extra = scenes.extra(snapshot, boot=BootState.BOOTING)
    assert Wording(Catalogue.load()).bay(evse, snapshot, extra).prompt == "Starting"


def test_what_every_place_says_is_not_said_once_more_for_the_station() -> None:
    from ui.station.content import compose
    from ui.station.geometry import plan_station

    words, closed = Wording(Catalogue.load()), Text("picture.prompt.booting")
    snapshot = scenes.mixed()
    evses = tuple(replace(evse, screen=closed) for evse in snapshot.evses)
    for places, shown in ((evses, ""), (snapshot.evses, words.render(closed))):
        told = replace(snapshot, screen=closed, evses=places)
        content = compose(words, told, scenes.extra(told), plan_station(told), zoom=100, selected=1)
        assert {screen.message for screen in content.screens.values()} == {shown}


def test_a_message_for_the_station_is_shown_on_every_screen_but_its_own_name_is_not() -> None:
    from ui.station.content import compose
    from ui.station.geometry import plan_station

    for text, shown in (
        (Text("picture.sign.door"), "Door open"),
        (Text("station.screen.welcome", {"name": "Forecourt"}), ""),
    ):
        snapshot = replace(scenes.mixed(), screen=text)
        content = compose(
            Wording(Catalogue.load()), snapshot, scenes.extra(snapshot), plan_station(snapshot),
            zoom=100, selected=1,
        )  # fmt: skip
        assert {screen.message for screen in content.screens.values()} == {shown}


def test_a_booting_station_says_so() -> None:
    evse = scenes.make_evse(1)
    snapshot = scenes.station(evse)
    extra = scenes.extra(snapshot, boot=BootState.BOOTING)
    assert Wording(Catalogue.load()).bay(evse, snapshot, extra).prompt == "Starting"


def test_times_over_ninety_minutes_are_given_in_hours() -> None:
    words = Wording(Catalogue.load())
    assert words.duration(60) == "1 min"
    assert words.duration(2 * 3600 + 61) == "2 h 02"


@pytest.mark.parametrize("kinds", [BayStatus, Flow, Fault, ReaderLamp, Plug])
def test_every_state_has_a_word(kinds: type[BayStatus]) -> None:
    area = {
        BayStatus: "state", Flow: "flow", Fault: "fault", ReaderLamp: "reader", Plug: "plug"
    }[kinds]  # fmt: skip
    catalogue = Catalogue.load()
    for kind in kinds:
        assert f"picture.{area}.{kind.value}" in catalogue


def test_the_area_file_holds_only_its_own_sentences() -> None:
    text = resource("translations", "en", "picture.toml").read_text("utf-8")
    assert all(key.startswith("picture.") for key in tomllib.loads(text))


def test_nobody_is_told_to_show_a_card_while_the_one_they_showed_is_asked_about() -> None:
    words = Wording(Catalogue.load())
    evse = scenes.plugged(scenes.parked(scenes.make_evse(1)))
    waiting = scenes.station(evse, lamps=(ReaderLamp.WAITING,))
    asking = scenes.station(evse, lamps=(ReaderLamp.ASKING,))
    assert words.hint(evse, waiting) == "Now click a card below, or drag it to the reader"
    assert words.hint(evse, asking) == "The back office is asked about the card"
