"""Each room, empty and busy, dark and light: text fits, targets are large enough, all can be read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from unittest.mock import Mock

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QScrollArea, QTabBar, QWidget

from tests.ui.station_rooms.conftest import ask, later, profile, until
from tests.ui.test_walk import cut_texts, hidden_columns, idle, small_targets, unreadable
from ui.main_room import Room
from ui.station_rooms.docks import HELP, ROOMS

IDENTS = [ident for ident, _, _ in (*ROOMS, *HELP)]


async def busy(room: Room) -> None:
    """Something in every room, refusals among it."""
    rooms = room.rooms
    for key, value in (("HeartbeatInterval", "120"), ("ConnectionTimeOut", "90")):
        await ask(room, "ChangeConfiguration", {"key": key, "value": value})
    for number, purpose in ((0, "ChargePointMaxProfile"), (1, "TxDefaultProfile")):
        body = profile(number + 1, 16.0, purpose)
        await ask(room, "SetChargingProfile", {"connectorId": number, "csChargingProfiles": body})
    body = profile(9, 16.0, level=99)
    await ask(room, "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": body})
    entry = {"idTag": "04A29F1C", "idTagInfo": {"status": "Blocked", "expiryDate": later(days=9)}}
    request = {"listVersion": 5, "updateType": "Full", "localAuthorizationList": [entry]}
    await ask(room, "SendLocalList", request)
    for number in (1, 2):
        body = {
            "connectorId": 1,
            "expiryDate": later(hours=1),
            "idTag": "X",
            "reservationId": number,
        }
        await ask(room, "ReserveNow", body)
    await ask(room, "CancelReservation", {"reservationId": 1})
    log = {"remoteLocation": "http://127.0.0.1:1/logs"}
    body = {"log": log, "logType": "SecurityLog", "requestId": 1, "retries": 0}
    await ask(room, "GetLog", body)
    rooms.feed.rooms.set_setting("HeartbeatInterval", "soon")


@pytest.mark.parametrize("state", ["empty", "busy"])
def test_every_room_fits_and_can_be_read(play, state):
    wrong: list[str] = []

    async def story(room: Room) -> None:
        await idle(room)
        room.window.resize(1280, 800)
        if state == "busy":
            await busy(room)
        for theme in ("dark", "light"):
            room.switch.use(theme)
            await until(lambda: room.switch.settled)
            async for ident in each_room(room):
                faults = cut_texts(room) + small_targets(room) + unreadable(room)
                wrong.extend(f"{theme} {ident}: {one}" for one in faults)

    play(story, version="1.6")
    new = list(dict.fromkeys(wrong))
    assert not new, f"{len(new)}:\n" + "\n".join(new)


def test_in_the_smallest_window_rooms_scroll_rather_than_squeeze_what_they_hold(play):
    wrong: list[str] = []

    async def story(room: Room) -> None:
        await idle(room)
        room.window.resize(room.window.minimumSize())
        for fill in (None, busy):
            if fill is not None:
                await fill(room)
            async for ident in each_room(room):
                faults = small_targets(room) + hidden_columns(room)
                wrong.extend(f"{ident}: {one}" for one in faults)

    play(story, version="1.6")
    new = list(dict.fromkeys(wrong))
    assert not new, f"{len(new)}:\n" + "\n".join(new)


def test_a_room_in_the_commonest_window_shows_all_without_scrolling(play):
    """Also under a line that says what was turned down."""
    scrolling: list[str] = []

    async def story(room: Room) -> None:
        await idle(room)
        room.window.resize(1280, 800)
        await busy(room)
        async for ident in each_room(room):
            (area,) = room.rooms._rooms[ident].findChildren(
                QScrollArea, options=Qt.FindChildOption.FindDirectChildrenOnly
            )
            if area.verticalScrollBar().maximum():
                scrolling.append(f"{ident}: {area.verticalScrollBar().maximum()} px")

    play(story, version="1.6")
    assert scrolling == []


def is_filled(room: Room, ident: str) -> bool:
    """The turns of the loop that it takes to open a room are over."""
    made = room.rooms._rooms[ident]._room
    return made is not None and made._live


async def each_room(room: Room) -> AsyncIterator[str]:
    """One after the other is opened, looked at, and closed."""
    for ident in IDENTS:
        room.controller.commands.run(f"room_{ident}")
        await until(partial(is_filled, room, ident))
        await asyncio.sleep(0.25)
        await until(lambda: room.window.canvas.ready)
        yield ident
        room.controller.commands.run(f"room_{ident}")
        await until(lambda: not any(d.isVisible() for d in room.rooms.docks.values()))


def test_all_rooms_can_be_open_at_once_and_are_put_away_by_the_layout(play):
    async def story(room: Room) -> None:
        room.window.resize(1280, 800)
        for ident in IDENTS:
            room.controller.commands.run(f"room_{ident}")
        await asyncio.sleep(0.2)
        assert all(dock.isVisible() for dock in room.rooms.docks.values())
        assert [one for one in small_targets(room) if "tabs" in one or "tab " in one] == []
        last = room.rooms.docks[IDENTS[-1]]
        assert last.height() >= 0.36 * room.window.height()
        room.controller.commands.run(f"room_{IDENTS[0]}")  # behind the others: comes to the front
        await until(lambda: not room.rooms.docks[IDENTS[0]].visibleRegion().isEmpty())
        room.controller.commands.run("reset_layout")
        await until(lambda: not any(dock.isVisible() for dock in room.rooms.docks.values()))

    play(story, version="1.6")


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_rooms_that_float_or_are_hidden_go_back_to_their_first_places(play):
    async def story(room: Room) -> None:
        window, docks = room.window, room.rooms.docks

        def places() -> list[object]:
            return [one.geometry() for one in (window.messages_dock, window.inspector_dock)]

        window.reset_layout()
        await asyncio.sleep(0.2)
        first = places()
        for ident in IDENTS:
            room.controller.commands.run(f"room_{ident}")
        for dock in (docks["tokens"], window.inspector_dock):
            dock.setFloating(True)
        window.messages_dock.hide()
        await asyncio.sleep(0.2)
        assert places() != first
        window.reset_layout()
        await until(lambda: places() == first)
        assert not any(dock.isVisible() or dock.isFloating() for dock in docks.values())

    play(story)


def test_the_messages_get_their_height_back_with_the_last_room(play):
    async def story(room: Room) -> None:
        await idle(room)
        room.window.resize(1280, 800)
        room.window.reset_layout()
        await asyncio.sleep(0.1)
        messages = room.window.messages_dock
        before = messages.height()
        commands, docks = room.controller.commands, room.rooms.docks
        commands.run("room_queue")
        commands.run("room_tokens")
        await until(lambda: docks["tokens"].height() > before + 50)
        commands.run("room_tokens")
        await until(lambda: not docks["tokens"].isVisible())
        shared = (messages, docks["queue"])  # only what is in front has the size of the place
        await until(lambda: any(not one.visibleRegion().isEmpty() for one in shared))
        front = next(one for one in shared if not one.visibleRegion().isEmpty())
        assert front.height() > before + 50
        commands.run("room_queue")
        if docks["queue"].isVisible():  # it was behind and came to the front
            commands.run("room_queue")
        await until(lambda: abs(messages.height() - before) < 5)

    play(story, version="1.6")


def test_ctrl_f_goes_to_the_search_of_the_room_in_front(play):
    async def story(room: Room) -> None:
        window = room.window

        def find() -> QWidget | None:
            QTest.keyClick(window.focusWidget(), Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
            return window.focusWidget()

        assert find() is window.messages._search
        room.controller.commands.run("room_tokens")
        tokens = room.rooms.room("tokens")
        await until(lambda: tokens.search.isVisible())
        tokens.listed.table.setFocus()
        assert find() is tokens.search
        window.canvas.setFocus()
        assert find() is tokens.search

    play(story, version="1.6")


@pytest.mark.qt_log_ignore("This plugin does not support")  # of every popup
def test_a_room_is_closed_by_the_menu_of_its_tab(play):
    async def story(room: Room) -> None:
        room.controller.commands.run("room_queue")
        room.controller.commands.run("room_tokens")
        await until(lambda: room.rooms.room("tokens").search.isVisible())
        bar = next(bar for bar in room.window.findChildren(QTabBar) if "Queue" in titles(bar))
        place = bar.tabRect(titles(bar).index("Queue")).center()
        bar.customContextMenuRequested.emit(place)
        await until(lambda: QApplication.activePopupWidget() is not None)
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        assert [action.text() for action in menu.actions()] == ["Close “Queue”"]
        QTest.keyClick(menu, Qt.Key.Key_Down)
        QTest.keyClick(menu, Qt.Key.Key_Return)
        await until(lambda: not room.rooms.docks["queue"].isVisible())
        assert room.rooms.docks["tokens"].isVisible()

    play(story, version="1.6")


def titles(bar: QTabBar) -> list[str]:
    return [bar.tabText(number) for number in range(bar.count())]


def test_tab_does_not_go_into_rooms_behind_another_one(play):
    async def story(room: Room) -> None:
        commands, window = room.controller.commands, room.window
        commands.run("room_queue")
        commands.run("room_tokens")
        await until(lambda: room.rooms.room("tokens").search.isVisible())
        passed = []
        for _ in range(60):
            QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
            passed.append(window.focusWidget())
        assert room.rooms.room("tokens").search in passed
        behind = (room.rooms.docks["queue"], window.messages_dock)
        assert not any(dock.isAncestorOf(one) for dock in behind for one in passed)

    play(story, version="1.6")


@pytest.mark.parametrize("ident", [ident for ident, _, _ in (*ROOMS, *HELP)])
def test_a_room_opens_in_several_turns_of_the_loop(play, ident):
    """So that none holds it up; the keyboard is there in the end. The fixture watches the loop."""

    async def story(room: Room) -> None:
        room.controller.commands.run(f"room_{ident}")
        lazy = room.rooms._rooms[ident]
        assert lazy._room is None
        await until(partial(is_filled, room, ident))
        await until(lambda: lazy.isAncestorOf(room.window.focusWidget()))

    play(story, version="1.6")


def test_a_room_that_nobody_sees_reads_nothing(play, monkeypatch):
    async def story(room: Room) -> None:
        feed, reads = room.rooms.feed, Mock(wraps=room.rooms.feed.rooms.queue)
        monkeypatch.setattr(feed.rooms, "queue", reads)

        def reads_when_something_happens() -> bool:
            reads.reset_mock()
            feed.changed.emit()
            feed.ticked.emit()
            return reads.called

        room.rooms.open("queue")
        await until(partial(is_filled, room, "queue"))
        assert reads_when_something_happens()
        room.rooms.open("reservations")  # a tab before it
        await until(lambda: not is_filled(room, "queue"))
        assert not reads_when_something_happens()
        room.rooms.open("queue")
        await until(partial(is_filled, room, "queue"))
        room.rooms.docks["queue"].hide()
        await until(lambda: not is_filled(room, "queue"))
        assert not reads_when_something_happens()

    play(story, version="1.6")
