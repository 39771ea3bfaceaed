"""Each room can be closed with the mouse, where people look for it and can hit it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDockWidget, QTabBar

from tests.ui.shell.conftest import until
from ui.main_room import Room
from ui.shell.crosses import Cross, Head
from ui.shell.window import MainWindow
from ui.station_rooms.docks import HELP, ROOMS

KEYS = {"training": "Ctrl+T"} | {ident: keys for ident, _, keys in (*ROOMS, *HELP)}


def dock_of(room: Room, ident: str) -> QDockWidget:
    return room.training_dock if ident == "training" else room.rooms.docks[ident]


def run(room: Room, ident: str) -> None:
    room.controller.commands.run(ident if ident in {"training", "messages"} else f"room_{ident}")


async def opened(room: Room, ident: str) -> None:
    run(room, ident)
    await until(lambda: not dock_of(room, ident).visibleRegion().isEmpty())
    await asyncio.sleep(0.1)


def crosses(room: Room) -> list[Cross]:
    """Those that can be seen."""
    found = room.window.findChildren(Cross)
    return [one for one in found if one.isVisible() and not one.visibleRegion().isEmpty()]


def place(room: Room, cross: Cross) -> QRect:
    return QRect(cross.mapTo(room.window, QPoint()), cross.size())


def click(cross: Cross) -> None:
    QTest.mouseClick(cross, Qt.MouseButton.LeftButton)


def test_each_room_has_a_cross_that_can_be_hit_and_says_what_it_closes(
    play: Callable[..., None],
) -> None:
    async def story(room: Room) -> None:
        room.window.resize(1280, 800)
        for ident, keys in KEYS.items():
            await opened(room, ident)
            (cross,) = crosses(room)
            title = dock_of(room, ident).windowTitle()
            assert cross.accessibleName() == f"Close “{title}”"
            assert cross.toolTip() == f"Close “{title}” ({keys})"
            assert cross.width() >= 32
            assert cross.height() >= 32
            assert room.window.rect().contains(place(room, cross))
            assert cross.visibleRegion().boundingRect() == cross.rect()
            click(cross)
            await until(lambda ident=ident: not dock_of(room, ident).isVisible())

    play(story, version="1.6")


def test_the_cross_closes_the_room_in_front_and_not_the_messages(
    play: Callable[..., None],
) -> None:
    async def story(room: Room) -> None:
        await opened(room, "queue")
        await opened(room, "tokens")
        run(room, "messages")
        await until(lambda: crosses(room) == [])
        run(room, "queue")
        await until(lambda: crosses(room))
        click(crosses(room)[0])
        await until(lambda: not dock_of(room, "queue").isVisible())
        assert dock_of(room, "tokens").isVisible()

    play(story, version="1.6")


def test_a_room_that_has_its_place_for_itself_has_a_head_with_a_cross(
    play: Callable[..., None],
) -> None:
    async def story(room: Room) -> None:
        room.window.messages_dock.hide()
        await opened(room, "queue")
        (cross,) = crosses(room)
        assert isinstance(cross.parent(), Head)
        assert room.window.rect().contains(place(room, cross))
        room.window.messages_dock.show()  # from now on there are tabs
        room.window.below.open(dock_of(room, "queue"))
        await until(lambda: [type(one.parent()) for one in crosses(room)] == [MainWindow])
        room.window.messages_dock.hide()
        await until(lambda: [type(one.parent()) for one in crosses(room)] == [Head])
        click(crosses(room)[0])
        await until(lambda: not dock_of(room, "queue").isVisible())

    play(story, version="1.6")


def test_a_layout_that_comes_back_with_a_room_in_it_has_its_cross(
    play: Callable[..., None],
) -> None:
    async def story(room: Room) -> None:
        await opened(room, "queue")
        layout = room.window.layout_text()
        room.window.reset_layout()
        await until(lambda: crosses(room) == [])
        assert room.window.restore_layout(layout)
        await until(lambda: [one.toolTip() for one in crosses(room)] == ["Close “Queue” (Ctrl+4)"])
        click(crosses(room)[0])
        await until(lambda: not dock_of(room, "queue").isVisible())

    play(story, version="1.6")


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_a_room_that_floats_has_a_cross_too(play: Callable[..., None]) -> None:
    async def story(room: Room) -> None:
        await opened(room, "queue")
        dock_of(room, "queue").setFloating(True)
        await until(lambda: [one.window() for one in crosses(room)] == [dock_of(room, "queue")])
        click(crosses(room)[0])
        await until(lambda: not dock_of(room, "queue").isVisible())

    play(story, version="1.6", strays=False)


@pytest.mark.parametrize("size", [(1280, 800), (1024, 640)], ids=["1280x800", "1024x640"])
def test_no_tab_lies_under_the_cross_however_many_there_are(
    play: Callable[..., None], size: tuple[int, int]
) -> None:
    async def story(room: Room) -> None:
        room.window.resize(*size)
        for ident in KEYS:
            await opened(room, ident)
        (cross,) = crosses(room)
        (tabs,) = (one for one in room.window.findChildren(QTabBar) if one.count() == len(KEYS) + 1)
        tab = tabs.tabRect(len(KEYS))
        last = QRect(tabs.mapTo(room.window, tab.topLeft()), tab.size())
        assert last.right() < cross.x()
        assert abs(last.center().y() - place(room, cross).center().y()) <= 1

    play(story, version="1.6")
