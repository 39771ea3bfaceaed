"""What people do to the picture, by pointer and by key, becomes intents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.station.intents import (
    ArriveCar,
    ClearFault,
    CloseDoor,
    CutMains,
    CutNetwork,
    Intent,
    LeaveCar,
    OpenDoor,
    PlugIn,
    PresentCard,
    PressStart,
    PressStop,
    RaiseFault,
    RestoreMains,
    RestoreNetwork,
    SetVehicle,
    Unplug,
)
from app.station.kinds import Fault, UnplugSide
from app.station.snapshot import StationSnapshot
from tests.ui.station import scenes
from tests.ui.station.conftest import Show
from ui.station.canvas import StationCanvas
from ui.station.hotspots import Act
from ui.station.naming import HeldCard

LEFT = Qt.MouseButton.LeftButton
Collect = Callable[[StationCanvas], list[Intent]]


def drag(canvas: StationCanvas, act: Act, evse: int, to: QPointF) -> None:
    """Take a plug and carry it to a point of the canvas in ten steps."""
    button = canvas.hotspot(act, evse)
    start = button.rect().center()
    QTest.mousePress(button, LEFT, Qt.KeyboardModifier.NoModifier, start)
    goal = button.mapFromParent(to.toPoint())
    for i in range(1, 11):
        QTest.mouseMove(button, start + (goal - start) * i / 10)
    QTest.mouseRelease(button, LEFT, Qt.KeyboardModifier.NoModifier, goal)


def car_place(canvas: StationCanvas, evse: int) -> QPointF:
    plan = canvas.picture.plan
    assert plan is not None
    return canvas.picture.point(QPointF(plan.bay(evse).axis, 440))


def test_a_click_on_a_plug_connects_it(qtbot: QtBot, show: Show, intents: Collect) -> None:
    canvas = show(scenes.row(2, lambda evse, i: evse))
    found = intents(canvas)
    qtbot.mouseClick(canvas.hotspot(Act.PLUG, 2), LEFT)
    assert found == [PlugIn(2, 1)]
    assert canvas.selected == 2


def test_a_click_on_a_connected_plug_pulls_it(qtbot: QtBot, show: Show, intents: Collect) -> None:
    canvas = show(scenes.row(2, scenes.plugged))
    found = intents(canvas)
    qtbot.mouseClick(canvas.hotspot(Act.PLUG, 1), LEFT)
    qtbot.mouseClick(canvas.hotspot(Act.SOCKET, 2), LEFT)
    assert found == [Unplug(1, 1), Unplug(2, 1, UnplugSide.STATION)]


def test_shift_pulls_by_force(qtbot: QtBot, show: Show, intents: Collect) -> None:
    canvas = show(scenes.row(2, scenes.charging))
    found = intents(canvas)
    qtbot.mouseClick(canvas.hotspot(Act.PLUG, 1), LEFT, Qt.KeyboardModifier.ShiftModifier)
    assert found == [Unplug(1, 1, UnplugSide.EV, force=True)]


def test_a_plug_dragged_to_the_car_connects_it(show: Show, intents: Collect) -> None:
    canvas = show(scenes.row(2, scenes.parked))
    found = intents(canvas)
    drag(canvas, Act.PLUG, 1, car_place(canvas, 1))
    assert found == [PlugIn(1, 1)]
    assert canvas.picture.mood.carried is None


def test_a_plug_let_go_elsewhere_goes_back(show: Show, intents: Collect) -> None:
    canvas = show(scenes.row(2, scenes.parked))
    found = intents(canvas)
    drag(canvas, Act.PLUG, 1, car_place(canvas, 2))
    assert found == []
    assert canvas.picture.mood.carried is None


def test_a_plug_dragged_out_of_the_car_unplugs(show: Show, intents: Collect) -> None:
    canvas = show(scenes.row(2, scenes.plugged))
    found = intents(canvas)
    assert canvas.picture.plan is not None
    home = canvas.picture.point(canvas.picture.plan.holster(1))
    drag(canvas, Act.PLUG, 1, home)
    assert found == [Unplug(1, 1)]


def test_while_dragged_the_cable_follows_the_pointer(show: Show) -> None:
    canvas = show(scenes.row(2, scenes.parked))
    button = canvas.hotspot(Act.PLUG, 1)
    before = canvas.grab().toImage()
    QTest.mousePress(button, LEFT, Qt.KeyboardModifier.NoModifier, button.rect().center())
    goal = button.mapFromParent(car_place(canvas, 1).toPoint())
    QTest.mouseMove(button, button.rect().center() + QPoint(-20, 10))
    QTest.mouseMove(button, goal)
    carried = canvas.picture.mood.carried
    assert carried is not None
    assert carried.ready
    end = canvas.picture.carried_path().currentPosition()
    hand = canvas.picture.scene(carried.at)
    assert (end - hand).manhattanLength() < 20
    assert canvas.grab().toImage() != before
    QTest.mouseRelease(button, LEFT, Qt.KeyboardModifier.NoModifier, goal)


def test_a_reader_shows_the_chosen_card_for_the_selected_evse(
    qtbot: QtBot, show: Show, intents: Collect
) -> None:
    canvas = show(scenes.row(2, lambda evse, i: evse))
    canvas.set_card(HeldCard("04A29F1C", "ISO14443", "Anna Berg"))
    canvas.set_selected(2)
    found = intents(canvas)
    qtbot.mouseClick(canvas.hotspot(Act.READER, 1), LEFT)
    assert found == [PresentCard("04A29F1C", "ISO14443", 2)]
    assert "Anna Berg" in canvas.hotspot(Act.READER, 1).accessibleName()


def test_a_reader_without_a_chosen_card_asks_for_one(qtbot: QtBot, show: Show) -> None:
    canvas = show(scenes.home())
    with qtbot.waitSignal(canvas.card_wanted) as wanted:
        qtbot.mouseClick(canvas.hotspot(Act.READER, 1), LEFT)
    assert wanted.args == [1]


def test_the_emergency_stop_is_pressed_and_released(
    qtbot: QtBot, show: Show, intents: Collect
) -> None:
    scene = scenes.home()
    canvas = show(scene)
    found = intents(canvas)
    button = canvas.hotspot(Act.EMERGENCY)
    qtbot.mouseClick(button, LEFT)
    canvas.set_snapshot(replace(scene, emergency_stop=True))
    qtbot.mouseClick(button, LEFT)
    stop = Fault.EMERGENCY_STOP
    assert found == [RaiseFault(stop), ClearFault(fault=stop)]


def test_mains_network_and_door_are_switched_both_ways(
    qtbot: QtBot, show: Show, intents: Collect
) -> None:
    scene = scenes.home()
    canvas = show(scene)
    found = intents(canvas)
    for act in (Act.MAINS, Act.NETWORK, Act.DOOR):
        qtbot.mouseClick(canvas.hotspot(act), LEFT)
    canvas.set_snapshot(replace(scene, mains=False, network=False, door_open=True))
    for act in (Act.MAINS, Act.NETWORK, Act.DOOR):
        qtbot.mouseClick(canvas.hotspot(act), LEFT)
    assert found == [
        CutMains(), CutNetwork(), OpenDoor(), RestoreMains(), RestoreNetwork(), CloseDoor()
    ]  # fmt: skip


def test_stop_and_start_buttons(qtbot: QtBot, show: Show, intents: Collect) -> None:
    canvas = show(scenes.station(replace(scenes.make_evse(1), reader=None)))
    found = intents(canvas)
    qtbot.mouseClick(canvas.hotspot(Act.START, 1), LEFT)
    qtbot.mouseClick(canvas.hotspot(Act.STOP, 1), LEFT)
    assert found == [PressStart(1), PressStop(1)]
    with pytest.raises(KeyError):
        canvas.hotspot(Act.READER, 1)


def test_a_car_comes_and_goes_but_not_while_it_is_plugged_in(
    qtbot: QtBot, show: Show, intents: Collect
) -> None:
    evse = scenes.make_evse(1)
    canvas = show(scenes.station(evse))
    found = intents(canvas)
    qtbot.mouseClick(canvas.hotspot(Act.CAR, 1), LEFT)
    canvas.set_snapshot(scenes.station(scenes.parked(evse)))
    qtbot.mouseClick(canvas.hotspot(Act.CAR, 1), LEFT)
    canvas.set_snapshot(scenes.station(scenes.plugged(evse)))
    qtbot.mouseClick(canvas.hotspot(Act.CAR, 1), LEFT)
    assert found == [ArriveCar(1), LeaveCar(1)]


def test_a_bubble_selects_its_evse(qtbot: QtBot, show: Show) -> None:
    canvas = show(scenes.mixed())
    with qtbot.waitSignal(canvas.evse_selected) as chosen:
        qtbot.mouseClick(canvas.hotspot(Act.SELECT, 3), LEFT)
    assert chosen.args == [3]
    assert canvas.selected == 3


def test_a_click_into_a_bay_selects_it(qtbot: QtBot, show: Show) -> None:
    canvas = show(scenes.mixed())
    at = car_place(canvas, 2).toPoint()
    with qtbot.waitSignal(canvas.evse_selected) as chosen:
        qtbot.mouseClick(canvas, LEFT, pos=at)
    assert chosen.args == [2]


def test_the_faults_chip_and_a_right_click_ask_for_the_menu(qtbot: QtBot, show: Show) -> None:
    canvas = show(scenes.mixed())
    with qtbot.waitSignal(canvas.fault_menu_requested) as asked:
        qtbot.mouseClick(canvas.hotspot(Act.FAULTS), LEFT)
    assert asked.args is not None
    assert asked.args[0] == 0
    at = car_place(canvas, 4).toPoint()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, canvas.mapToGlobal(at))
    with qtbot.waitSignal(canvas.fault_menu_requested) as asked:
        QApplication.sendEvent(canvas, event)
    assert asked.args == [4, canvas.mapToGlobal(at)]


def test_a_right_click_or_the_menu_key_on_the_floor_label_asks_for_the_vehicle(
    qtbot: QtBot, show: Show
) -> None:
    canvas = show(scenes.mixed())
    label = canvas.hotspot(Act.CAR, 3)
    middle, corner = label.geometry().center(), QPoint(2, 2)  # the key knows no place
    label.setFocus(Qt.FocusReason.TabFocusReason)
    for reason, at in (
        (QContextMenuEvent.Reason.Mouse, middle),
        (QContextMenuEvent.Reason.Keyboard, corner),
    ):
        event = QContextMenuEvent(reason, at, canvas.mapToGlobal(at))
        with qtbot.waitSignal(canvas.vehicle_menu_requested) as asked:
            QApplication.sendEvent(canvas, event)
        assert asked.args == [3, canvas.mapToGlobal(middle)]


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_every_key_that_means_press_works(
    qtbot: QtBot, show: Show, intents: Collect, key: Qt.Key
) -> None:
    canvas = show(scenes.home())
    found = intents(canvas)
    button = canvas.hotspot(Act.PLUG, 1)
    button.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(button, key)
    assert found == [PlugIn(1, 1)]


def test_a_session_can_be_started_by_keyboard_alone(
    qtbot: QtBot, show: Show, intents: Collect
) -> None:
    canvas = show(scenes.home())
    canvas.activateWindow()
    canvas.set_card(HeldCard("04A29F1C", "ISO14443", "Anna Berg"))
    found = intents(canvas)
    canvas.hotspot(Act.SELECT, 1).setFocus(Qt.FocusReason.TabFocusReason)
    for _ in range(2):
        widget = QApplication.focusWidget()
        assert widget is not None
        qtbot.keyClick(widget, Qt.Key.Key_Tab)
        widget = QApplication.focusWidget()
        assert widget is not None
        qtbot.keyClick(widget, Qt.Key.Key_Return)
    assert found == [PlugIn(1, 1), PresentCard("04A29F1C", "ISO14443", 1)]


def test_the_focus_stays_with_the_plug_when_it_is_plugged_in(qtbot: QtBot, show: Show) -> None:
    evse = scenes.make_evse(1)
    canvas = show(scenes.station(evse))
    button = canvas.hotspot(Act.PLUG, 1)
    button.setFocus(Qt.FocusReason.TabFocusReason)
    canvas.set_snapshot(scenes.station(scenes.plugged(evse)))
    assert canvas.hotspot(Act.PLUG, 1) is button
    assert button.hasFocus()
    assert button.accessibleName() == "Unplug from the car at EVSE 1"


def test_tab_goes_evse_by_evse_and_then_to_the_chips(qtbot: QtBot, show: Show) -> None:
    canvas = show(scenes.row(2, lambda evse, i: evse))
    order = [b.spot.evse for b in canvas.hotspots()]
    assert order == sorted(order, key=lambda n: n or 99)
    button = canvas.hotspot(Act.SELECT, 1)
    button.setFocus(Qt.FocusReason.TabFocusReason)
    walked = []
    for _ in canvas.hotspots():
        widget = QApplication.focusWidget()
        assert widget is not None
        walked.append(widget)
        qtbot.keyClick(widget, Qt.Key.Key_Tab)
    assert walked == canvas.hotspots()


def test_digits_and_arrows_select_evses(qtbot: QtBot, show: Show) -> None:
    canvas = show(scenes.mixed())
    qtbot.keyClick(canvas, Qt.Key.Key_3)
    assert canvas.selected == 3
    qtbot.keyClick(canvas, Qt.Key.Key_Left)
    assert canvas.selected == 2


def test_a_card_over_a_reader_lights_it_and_finds_its_evse(show: Show) -> None:
    canvas = show(scenes.mixed())
    assert canvas.picture.plan is not None
    ring = canvas.picture.point(canvas.picture.plan.cabinets[1].ring).toPoint()
    assert canvas.reader_at(canvas.mapToGlobal(ring)) == 3
    assert canvas.hover_card(canvas.mapToGlobal(ring))
    assert canvas.picture.mood.glow == "reader1"
    assert canvas.reader_at(canvas.mapToGlobal(QPoint(5, 200))) is None
    assert not canvas.hover_card(None)


def test_zoom_steps_and_reset(qtbot: QtBot, show: Show) -> None:
    canvas = show(scenes.mixed())
    with qtbot.waitSignal(canvas.zoom_changed) as zoomed:
        qtbot.mouseClick(canvas.hotspot(Act.ZOOM_IN), LEFT)
    assert zoomed.args == [125]
    assert canvas.picture.scrolls
    qtbot.mouseClick(canvas.hotspot(Act.ZOOM_RESET), LEFT)
    assert canvas.picture.zoom == 100
    qtbot.mouseClick(canvas.hotspot(Act.ZOOM_OUT), LEFT)
    assert canvas.picture.zoom == 75


def test_focus_on_a_far_evse_scrolls_it_into_view(show: Show) -> None:
    canvas = show(scenes.row(8, scenes.charging))
    plug = canvas.hotspot(Act.PLUG, 8)
    assert not canvas.rect().contains(plug.geometry())
    plug.setFocus(Qt.FocusReason.TabFocusReason)
    assert canvas.rect().contains(plug.geometry())


def test_an_evse_that_is_chosen_is_seen_with_its_cabinet(show: Show) -> None:
    canvas = show(scenes.row(8, lambda evse, i: evse), size=(900, 420))
    for evse in (8, 5, 2, 7, 1, 4):
        canvas.set_selected(evse)
        cabinet = canvas.picture.cabinet_rect(evse)
        assert cabinet.left() >= 0, evse
        assert cabinet.right() <= canvas.width(), evse
        assert canvas.rect().contains(canvas.picture.words_rect(evse).toRect()), evse


def test_what_is_scrolled_under_the_head_is_reached_by_key_and_not_by_pointer(show: Show) -> None:
    canvas = show(scenes.mixed())
    canvas.set_zoom(200)
    plug = canvas.hotspot(Act.PLUG, 4)
    assert plug.geometry().center().y() < canvas.picture.head_height
    assert canvas.childAt(plug.geometry().center()) is not plug
    plug.setFocus(Qt.FocusReason.TabFocusReason)
    assert plug.geometry().top() >= canvas.picture.head_height
    assert canvas.childAt(plug.geometry().center()) is plug


def test_every_act_has_a_name_that_is_its_own(show: Show) -> None:
    canvas = show(scenes.mixed())
    names = [b.accessibleName() for b in canvas.hotspots() if b.spot.act is not Act.EMERGENCY]
    assert all(names)
    assert len(set(names)) == len(names)


def test_a_station_that_changes_its_build_gets_new_buttons(show: Show) -> None:
    canvas = show(scenes.home())
    scene: StationSnapshot = scenes.mixed()
    canvas.set_snapshot(scene)
    assert {b.spot.evse for b in canvas.hotspots()} == {0, 1, 2, 3, 4}


def test_the_battery_bar_is_dragged_to_a_charge(show: Show, intents: Collect) -> None:
    canvas = show(scenes.row(2, scenes.plugged))
    found = intents(canvas)
    bar = canvas.picture.to_widget(canvas.picture.floor_scene(1))
    button = canvas.hotspot(Act.CAR, 1)
    start = button.rect().center()
    goal = button.mapFromParent(QPointF(bar.left() + bar.width() * 0.9, bar.center().y()).toPoint())
    QTest.mousePress(button, LEFT, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(button, start + QPoint(20, 0))
    QTest.mouseMove(button, goal)
    assert canvas.picture.mood.charge is not None
    canvas.grab()
    assert any(
        label.text == f"{canvas.picture.mood.charge[1]} %" for label in canvas.painted_labels()
    )
    QTest.mouseRelease(button, LEFT, Qt.KeyboardModifier.NoModifier, goal)
    assert len(found) == 1
    assert isinstance(found[0], SetVehicle)
    assert found[0].soc == pytest.approx(90, abs=2)


def test_plus_and_minus_change_the_charge(qtbot: QtBot, show: Show, intents: Collect) -> None:
    canvas = show(scenes.row(1, scenes.plugged))
    found = intents(canvas)
    button = canvas.hotspot(Act.CAR, 1)
    button.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(button, Qt.Key.Key_Plus)
    qtbot.keyClick(button, Qt.Key.Key_Minus)
    assert found == [SetVehicle(1, soc=69.0), SetVehicle(1, soc=59.0)]


def test_an_empty_bay_has_no_battery_to_drag(show: Show, intents: Collect) -> None:
    canvas = show(scenes.home())
    found = intents(canvas)
    drag(canvas, Act.CAR, 1, QPointF(300, 380))
    assert found == []


def test_screen_readers_are_told_the_state_of_every_evse(show: Show) -> None:
    canvas = show(scenes.mixed())
    text = canvas.accessibleDescription()
    assert "EVSE 1: Charging, 11.0 kW, Type 2" in text
    assert "EVSE 4: Faulted, Ground fault" in text


def turn(canvas: StationCanvas, x: int, y: int, key: Qt.KeyboardModifier) -> QWheelEvent:
    """A wheel event in the middle of the canvas."""
    at = QPointF(canvas.rect().center())
    event = QWheelEvent(
        at, QPointF(canvas.mapToGlobal(at.toPoint())), QPoint(), QPoint(x, y),
        Qt.MouseButton.NoButton, key, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas, event)
    return event


def test_the_wheel_scrolls_a_wide_picture_sideways_and_zooms_with_control(show: Show) -> None:
    canvas = show(scenes.row(8, scenes.charging))
    turn(canvas, 0, -240, Qt.KeyboardModifier.NoModifier)
    assert canvas.picture.scroll.x() == 240
    bubbles = canvas.picture.bubble_points()
    turn(canvas, 0, -9999, Qt.KeyboardModifier.NoModifier)
    assert canvas.picture.frame is not None
    assert canvas.picture.scroll.x() == pytest.approx(canvas.picture.frame.overflow, abs=1)
    assert canvas.picture.bubble_points() == bubbles
    turn(canvas, 0, 120, Qt.KeyboardModifier.ControlModifier)
    assert canvas.picture.zoom == 125


def test_the_wheel_is_left_to_others_where_everything_fits(show: Show) -> None:
    canvas = show(scenes.home())
    event = turn(canvas, 0, -120, Qt.KeyboardModifier.NoModifier)
    assert not event.isAccepted()
    assert canvas.picture.scroll == QPointF(0, 0)


def test_the_background_can_be_dragged(qtbot: QtBot, show: Show) -> None:
    canvas = show(scenes.row(8, scenes.charging))
    wall = QPoint(420, 130)
    qtbot.mousePress(canvas, LEFT, pos=wall)
    QTest.mouseMove(canvas, wall - QPoint(150, 0))
    qtbot.mouseRelease(canvas, LEFT, pos=wall - QPoint(150, 0))
    assert canvas.picture.scroll.x() == 150
    QTest.mouseMove(canvas, wall)
    assert canvas.picture.scroll.x() == 150


def test_the_menu_key_asks_for_the_menu_of_what_has_the_focus(qtbot: QtBot, show: Show) -> None:
    canvas = show(scenes.mixed())
    button = canvas.hotspot(Act.PLUG, 4)
    button.setFocus(Qt.FocusReason.TabFocusReason)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(2, 2), QPoint(0, 0))
    with qtbot.waitSignal(canvas.fault_menu_requested) as asked:
        QApplication.sendEvent(canvas, event)
    assert asked.args == [4, button.mapToGlobal(button.rect().center())]


def test_a_new_language_renames_everything(show: Show) -> None:
    from app.kernel.catalogue import Catalogue

    canvas = show(scenes.mixed())
    canvas.set_selected(3)
    canvas.set_catalogue(Catalogue({"picture.act.stop": "Halt {n}", "picture.name": "Bild"}, "xx"))
    assert canvas.hotspot(Act.STOP, 2).accessibleName() == "Halt 2"
    assert canvas.accessibleName() == "Bild"
    assert canvas.selected == 3


def test_a_station_without_evses_is_an_empty_wall(show: Show) -> None:
    canvas = show(scenes.station())
    assert canvas.hotspots() == []
    image = canvas.grab().toImage()
    assert image.pixelColor(10, 10) == image.pixelColor(400, 300)
