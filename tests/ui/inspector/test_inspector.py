"""The inspector shows what is, and its buttons mean what they say."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.ocpp.context import BootState, SessionView
from app.runtime.views import LinkState, LinkView, PowerState, SessionSnapshot
from app.station.faults import consequence
from app.station.intents import (
    ArriveCar,
    ClearFault,
    LeaveCar,
    PauseVehicle,
    PlugIn,
    PressStart,
    PressStop,
    RaiseFault,
    ResumeVehicle,
    SetVehicle,
    Unplug,
)
from app.station.kinds import BayStatus, Current, Fault
from app.station.snapshot import Cap, FaultSnapshot, MeterReading
from tests.ui.station.scenes import charging, faulted, make_evse, parked, plugged, station
from ui.inspector import panel as p
from ui.inspector import words
from ui.inspector.ladder import figure_of
from ui.inspector.panel import Inspector
from ui.station.views import PictureExtra, Wording, rating
from ui.theme import Theme
from ui.widgets.turns import at_once

LEFT = Qt.MouseButton.LeftButton
CARS = [("city-52", "City 52"), ("van", "Van")]


def whole(*evses, sessions=()):
    return SessionSnapshot(
        name="Test",
        station_id="CS",
        csms_url=None,
        version=None,
        version_wish="auto",
        security_profile=0,
        strict=False,
        power=PowerState.ON,
        link=LinkView(LinkState.ONLINE),
        boot=BootState.ACCEPTED,
        sessions=tuple(sessions),
        queue=0,
        station=station(*evses),
    )


@pytest.fixture
def inspector(qtbot, qapp):
    theme = Theme.load("dark")
    theme.apply(qapp)
    made = Inspector(theme, Catalogue.load(), CARS)
    at_once(made.furnish())
    qtbot.addWidget(made)
    made.resize(400, 640)
    made.show()
    made.intents = []
    made.intent.connect(made.intents.append)
    return made


def test_figures_and_limits_of_a_running_session(inspector):
    evse = charging(make_evse(1))
    view = SessionView(
        1,
        1,
        "17",
        "04A29F1C",
        station(evse).at - timedelta(minutes=22, seconds=58),
        evse.energy - 4210.0,
        "Charging",
        "2.19 €",
    )
    inspector.show_snapshot(whole(evse, sessions=[view]), None)
    tab = inspector.session_tab
    assert tab.figure("energy") == "4.21 kWh"
    assert tab.figure("cost") == "2.19 €"
    assert tab.figure("duration") == "00:22:58"
    assert tab.figure("power").endswith("kW")
    assert "%" in tab.figure("battery")


def test_after_the_end_duration_and_cost_stand_still_until_the_plug_is_out(inspector):
    evse = charging(make_evse(1))
    begun = station(evse).at - timedelta(minutes=5)
    view = SessionView(1, 1, "17", "04A29F1C", begun, evse.energy, "Charging", "2.19 €")
    inspector.show_snapshot(whole(evse, sessions=[view]), None)
    over = dataclasses.replace(plugged(parked(make_evse(1))), session_since=begun)
    later = whole(over)
    later = dataclasses.replace(
        later, station=dataclasses.replace(later.station, at=later.station.at + timedelta(hours=1))
    )
    inspector.show_snapshot(later, None)
    assert inspector.session_tab.figure("duration") == "00:05:00"
    assert inspector.session_tab.figure("cost") == "2.19 €"
    inspector.show_snapshot(whole(parked(make_evse(1))), None)
    assert inspector.session_tab.figure("duration") == "–"
    assert inspector.session_tab.figure("cost") == "–"


def test_a_price_that_is_told_at_the_end_is_shown_until_the_plug_is_out(inspector):
    evse = charging(make_evse(1))
    begun = station(evse).at - timedelta(minutes=5)
    view = SessionView(1, 1, "17", "04A29F1C", begun, evse.energy, "Charging")
    inspector.show_snapshot(whole(evse, sessions=[view]), None)
    assert inspector.session_tab.figure("cost") == "–"
    over = dataclasses.replace(plugged(parked(make_evse(1))), session_since=begun)
    inspector.show_snapshot(dataclasses.replace(whole(over), paid={1: "2.31 EUR"}), None)
    assert inspector.session_tab.figure("cost") == "2.31 EUR"
    gone = dataclasses.replace(whole(parked(make_evse(1))), paid={1: "2.31 EUR"})
    inspector.show_snapshot(gone, None)
    assert inspector.session_tab.figure("cost") == "–"


def test_a_price_that_is_told_after_a_power_cut_is_shown_too(inspector):
    seen = whole(plugged(parked(make_evse(1))))
    inspector.show_snapshot(dataclasses.replace(seen, paid={1: "2.31 EUR"}), None)
    assert inspector.session_tab.figure("cost") == "2.31 EUR"
    inspector.show_snapshot(whole(parked(make_evse(1))), None)
    assert inspector.session_tab.figure("cost") == "–"
    inspector.show_snapshot(seen, None)
    assert inspector.session_tab.figure("cost") == "–"


def test_a_plug_without_a_session_counts_no_time(inspector):
    evse = plugged(parked(make_evse(1)))
    since = station(evse).at - timedelta(minutes=5)
    inspector.show_snapshot(whole(dataclasses.replace(evse, session_since=since)), None)
    assert inspector.session_tab.figure("duration") == "–"


def test_a_click_on_a_tab_leaves_no_frame_of_focus(inspector):
    tabs = inspector.tabs
    inspector.main_button.setFocus()
    QTest.mouseClick(tabs, LEFT, pos=tabs.tabRect(1).center())
    assert tabs.currentIndex() == 1
    assert not tabs.hasFocus()


def test_an_empty_bay_shows_dashes_and_offers_to_plug_in(inspector):
    inspector.show_snapshot(whole(make_evse(1)), None)
    assert inspector.session_tab.figure("battery") == "–"
    QTest.mouseClick(inspector.main_button, LEFT)
    assert inspector.intents == [PlugIn(1, 1)]


@pytest.mark.parametrize("how", ["no reader", "free vend"])
def test_where_no_card_is_asked_for_start_is_pressed(inspector, how):
    evse = plugged(parked(make_evse(1)))
    if how == "no reader":
        evse = dataclasses.replace(evse, reader=None)
    seen = whole(evse)
    if how == "free vend":
        seen = dataclasses.replace(seen, station=dataclasses.replace(seen.station, free_vend=True))
    inspector.show_snapshot(seen, None)
    assert inspector.main_button.text() == "Press start"
    QTest.mouseClick(inspector.main_button, LEFT)
    assert inspector.intents == [PressStart(1)]
    words = Wording(Catalogue.load())
    view = words.bay(seen.station.evse(1), seen.station, PictureExtra())
    assert view.subline == "Type 2, press start"
    assert words.hint(seen.station.evse(1), seen.station) == "Now press start"
    going = dataclasses.replace(charging(make_evse(1)), reader=seen.station.evse(1).reader)
    assert words.hint(going, seen.station) == "Press stop to end it"


def test_a_connected_car_wants_a_card_and_a_charging_one_can_be_stopped(inspector, qtbot):
    inspector.show_snapshot(whole(plugged(parked(make_evse(1)))), None)
    with qtbot.waitSignal(inspector.card_wanted) as wanted:
        QTest.mouseClick(inspector.main_button, LEFT)
    assert wanted.args == [1]
    inspector.show_snapshot(whole(charging(make_evse(1))), None)
    QTest.mouseClick(inspector.main_button, LEFT)
    assert inspector.intents == [PressStop(1)]


def test_unplug_and_pause(inspector):
    evse = charging(make_evse(1))
    inspector.show_snapshot(whole(evse), None)
    QTest.mouseClick(inspector._unplug, LEFT)
    QTest.mouseClick(inspector._pause, LEFT)
    asleep = dataclasses.replace(evse, vehicle=dataclasses.replace(evse.vehicle, paused=True))
    inspector.show_snapshot(whole(asleep), None)
    QTest.mouseClick(inspector._pause, LEFT)
    assert inspector.intents == [Unplug(1, 1), PauseVehicle(1), ResumeVehicle(1)]


def test_selecting_another_evse_shows_that_one(inspector):
    snapshot = whole(make_evse(1), charging(make_evse(2)))
    inspector.select(2)
    inspector.show_snapshot(snapshot, None)
    assert inspector.evse == 2
    assert inspector._title.text() == "EVSE 2"
    inspector.select(9)
    inspector.show_snapshot(snapshot, None)  # there is none: the last one stays
    assert inspector._title.text() == "EVSE 2"


def test_the_meter_tab_shows_each_reading(inspector):
    evse = charging(make_evse(1))
    reading = MeterReading(
        at=datetime(2026, 1, 15, tzinfo=UTC),
        energy_import=1234567.0,
        energy_import_phases=(1.0, 2.0, 3.0),
        power=11040.0,
        power_phases=(3680.0, 3680.0, 3680.0),
        currents=(16.0, 16.0, 16.0),
        voltages=(230.0, 231.0, 229.0),
        power_factor=0.98,
        frequency=50.01,
        offered_current=32.0,
        offered_power=22080.0,
        temperature=31.0,
        soc=64.0,
    )
    inspector.tabs.setCurrentIndex(p.METER)
    inspector.show_snapshot(whole(evse), reading)
    shown = {name: label.text() for name, label in inspector.page(p.METER)._values.items()}
    assert shown["register"] == "1,234.567 kWh"
    assert shown["currents"] == "16.00 · 16.00 · 16.00 A"
    assert shown["frequency"] == "50.01 Hz"


def test_a_meter_of_direct_current_has_no_phases(inspector):
    reading = MeterReading(
        at=datetime(2026, 1, 15, tzinfo=UTC),
        energy_import=1000.0,
        energy_import_phases=(1000.0, 0.0, 0.0),
        power=150_000.0,
        power_phases=(150_000.0, 0.0, 0.0),
        currents=(222.6, 0.0, 0.0),
        voltages=(673.9, 0.0, 0.0),
        power_factor=1.0,
        frequency=50.0,
        offered_current=222.6,
        offered_power=150_000.0,
        temperature=23.0,
        soc=64.0,
    )
    inspector.tabs.setCurrentIndex(p.METER)
    for current, phases in ((Current.DC, False), (Current.AC, True), (Current.DC, False)):
        evse = dataclasses.replace(charging(make_evse(1)), current=current)
        inspector.show_snapshot(whole(evse), reading)
        page = inspector.page(p.METER)
        named = {
            page._form.labelForField(value).text(): value.text()
            for value in page._values.values()
            if page._form.isRowVisible(value)
        }
        assert ("Frequency" in named) is phases
        assert ("Power L1 · L2 · L3" in named) is phases
        if not phases:
            assert (named["Current"], named["Voltage"]) == ("222.60 A", "673.9 V")
        else:
            assert named["Current L1 · L2 · L3"] == "222.60 · 0.00 · 0.00 A"


def test_the_car_is_changed_by_its_tab(inspector):
    inspector.tabs.setCurrentIndex(p.VEHICLE)
    inspector.show_snapshot(whole(parked(make_evse(1))), None)
    tab = inspector.page(p.VEHICLE)
    tab._soc.setValue(55)
    tab._soc.sliderReleased.emit()
    tab._target.setValue(90)
    tab._target.sliderReleased.emit()
    tab._amps.setValue(10)
    tab._amps.editingFinished.emit()
    tab._delay.setValue(5)
    tab._delay.editingFinished.emit()
    QTest.mouseClick(tab._drive, LEFT)
    assert inspector.intents == [
        SetVehicle(1, soc=55.0),
        SetVehicle(1, target_soc=90.0),
        SetVehicle(1, max_ac_current=10.0),
        SetVehicle(1, ready_delay=5.0),
        LeaveCar(1),
    ]


def test_a_car_drives_into_an_empty_bay(inspector):
    inspector.tabs.setCurrentIndex(p.VEHICLE)
    inspector.show_snapshot(whole(make_evse(1)), None)
    tab = inspector.page(p.VEHICLE)
    tab._car.setCurrentIndex(1)
    tab._car.activated.emit(1)
    QTest.mouseClick(tab._drive, LEFT)
    assert inspector.intents == [ArriveCar(1, "van"), ArriveCar(1, "van")]


def test_faults_are_raised_and_repaired_with_one_click_each(inspector):
    inspector.tabs.setCurrentIndex(p.FAULTS)
    inspector.show_snapshot(whole(make_evse(1)), None)
    buttons = inspector.page(p.FAULTS)._buttons
    buttons[Fault.RCD].click()
    buttons[Fault.EMERGENCY_STOP].click()
    assert inspector.intents == [RaiseFault(Fault.RCD, 1, 1), RaiseFault(Fault.EMERGENCY_STOP)]
    inspector.intents.clear()
    broken = faulted(make_evse(1))
    lying = broken.faults[0]
    inspector.show_snapshot(whole(broken), None)
    assert buttons[lying.fault].isChecked()
    buttons[lying.fault].click()
    assert inspector.intents == [ClearFault(lying.evse, lying.connector, lying.fault)]


def test_what_comes_of_a_fault_is_told_before_and_while_it_lies(inspector):
    inspector.tabs.setCurrentIndex(p.FAULTS)
    inspector.show_snapshot(whole(make_evse(1)), None)
    tab = inspector.page(p.FAULTS)
    words = Catalogue.load()
    for fault, button in tab._buttons.items():
        assert button.toolTip() == words.render(consequence(fault))
    assert tab.follows() == ""
    hot = FaultSnapshot(Fault.OVER_TEMPERATURE, 1, 1, datetime(2026, 1, 1, tzinfo=UTC))
    evse = dataclasses.replace(charging(make_evse(1)), faults=(hot,))
    seen = whole(evse)
    inspector.show_snapshot(seen, None)
    goes_on = "Charging goes on at half power; no new charge can start."
    assert tab.follows() == f"Over-temperature: {goes_on}"
    assert Wording(words).hint(evse, seen.station) == goes_on
    inspector.show_snapshot(whole(make_evse(1)), None)
    assert tab.follows() == ""


def test_nothing_is_offered_over_a_fault_but_to_clear_it(inspector):
    """An emergency stop lies at the station, and yet it is what stands in the way here."""
    button = make_evse(1)
    stop = FaultSnapshot(Fault.EMERGENCY_STOP, 0, 0, datetime(2026, 1, 1, tzinfo=UTC))
    seen = whole(dataclasses.replace(button, status=BayStatus.FAULTED))
    station = dataclasses.replace(seen.station, faults=(stop,))
    inspector.show_snapshot(dataclasses.replace(seen, station=station), None)
    assert inspector.main_button.text() == "Clear fault"
    ladder = inspector.session_tab._ladder
    assert (ladder._sentence.text(), ladder._figure.text()) == ("Emergency stop", "0 A")
    QTest.mouseClick(inspector.main_button, LEFT)
    assert inspector.intents == [ClearFault(0, 0, Fault.EMERGENCY_STOP)]


def test_a_warning_keeps_nobody_from_plugging_in(inspector):
    weak = FaultSnapshot(Fault.WEAK_SIGNAL, 1, 1, datetime(2026, 1, 1, tzinfo=UTC))
    inspector.show_snapshot(whole(dataclasses.replace(make_evse(1), faults=(weak,))), None)
    assert inspector.main_button.text() == "Plug in"


@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_theme_can_change_at_any_time(inspector, name):
    inspector.show_snapshot(whole(charging(make_evse(1))), None)
    before = inspector.grab().toImage()
    inspector.set_theme(Theme.load(name))
    assert (inspector.grab().toImage() == before) is (name == "dark")  # it wore that already
    for index in range(4):
        inspector.tabs.setCurrentIndex(index)
        inspector.show_snapshot(whole(charging(make_evse(1))), None)


@pytest.mark.parametrize(
    ("watts", "shown"),
    [(0, "0.0 kW"), (60, "60 W"), (11_040, "11.0 kW"), (142_300, "142 kW")],
)
def test_power_as_people_read_it(watts, shown):
    assert " ".join(words.power(watts)) == shown


def test_durations_currents_and_ratings_as_people_read_them():
    assert words.duration(timedelta(seconds=1378)) == "00:22:58"
    assert words.duration(timedelta(days=2, seconds=5)) == "2 d 00:00:05"
    evse = make_evse(1)
    assert words.current(evse) == "0 A"
    assert words.current(dataclasses.replace(evse, currents=(16.0, 16.0, 16.1))) == "3 × 16.0 A"
    assert words.current(dataclasses.replace(evse, currents=(20.0, 0.0, 0.0))) == "20.0 A"
    assert words.current(dataclasses.replace(evse, currents=(20.0, 9.0, 0.0))) == "20.0 / 9.0 A"
    assert [rating(w) for w in (22_080, 11_000, 7_360, 3_700)] == ["22", "11", "7.4", "3.7"]


def test_caps_in_amperes_on_ac_and_kilowatts_on_dc():
    cap = Cap(Text("station.cap.offer"), 7_360.0, 32.0, True)
    assert figure_of(cap, Current.AC) == "32 A"
    assert figure_of(cap, Current.DC) == "7.4 kW"
    assert figure_of(dataclasses.replace(cap, watts=150_000.0), Current.DC) == "150 kW"


def test_a_broken_evse_offers_to_be_repaired_first(inspector):
    broken = faulted(make_evse(1))
    inspector.show_snapshot(whole(broken), None)
    QTest.mouseClick(inspector.main_button, LEFT)
    lying = broken.faults[0]
    assert inspector.intents == [ClearFault(lying.evse, lying.connector, lying.fault)]


@pytest.mark.parametrize("height", [420, 800])
def test_a_long_name_of_what_limits_does_not_push_the_rest_out_of_sight(inspector, height):
    evse = charging(make_evse(1))
    long = Text(
        "v16.limit.shared",
        {"purpose": "TxDefaultProfile of the forecourt", "id": 12, "level": 3, "count": 8},
    )
    caps = tuple(dataclasses.replace(cap, name=long) for cap in evse.caps[:1]) + evse.caps[1:]
    inspector.resize(400, height)
    inspector.show_snapshot(whole(dataclasses.replace(evse, caps=caps)), None)
    QApplication.processEvents()
    tab, ladder = inspector.session_tab, inspector.session_tab._ladder
    assert tab.width() <= tab.parentWidget().width()
    assert ladder._figure.geometry().right() < ladder.width()
    assert ladder._sentence.toolTip() == Catalogue.load().render(long)
    assert ladder._sentence.shown().endswith("…")
