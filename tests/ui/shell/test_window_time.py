"""A tour of the window with the loop watched: whatever is opened, resized or coloured, nothing freezes.

The fixture `play` fails a story under CI in which a callback took 50 ms. What a test does in a step of its
own is nobody's, so each command is measured here by name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from PySide6.QtWidgets import QDialog

from app.ocpp.points import registry
from tests.support.loop_watch import LoopWatch
from tests.ui.shell.conftest import until
from tests.ui.shell.test_room import charge
from ui.main_room import Room
from ui.points import PointAsker
from ui.station_rooms.docks import HELP, ROOMS
from ui.training.tabs import TABS

Tour = Callable[[Room, "Person"], Awaitable[None]]
REST = 0.3
"""Seconds in which the turns of the loop that something takes come and go."""


class Person:
    """Somebody at the window, whose acts are measured."""

    def __init__(self, room: Room, watch: LoopWatch) -> None:
        self._room, self._watch = room, watch

    async def does(self, what: str, act: Callable[[], object]) -> None:
        with self._watch.timing(what):
            act()
        await asyncio.sleep(REST)

    async def runs(self, command: str) -> None:
        await self.does(command, lambda: self._room.controller.commands.run(command))

    async def closes_the_dialog(self) -> None:
        await until(lambda: self._dialogs())
        await asyncio.sleep(REST)
        await self.does("closing a dialog", self._dialogs()[0].reject)
        await until(lambda: not self._dialogs())

    def _dialogs(self) -> list[QDialog]:
        return [one for one in self._room.window.findChildren(QDialog) if one.isVisible()]


async def all_rooms(room: Room, person: Person) -> None:
    for ident, _, _ in (*ROOMS, *HELP):
        await person.runs(f"room_{ident}")


async def the_training_panel(room: Room, person: Person) -> None:
    await person.runs("training")
    tabs = room.training_panel.rooms.tabs
    for number, tab in enumerate(TABS):
        await person.does(f"tab {tab}", lambda number=number: tabs.setCurrentIndex(number))


async def themes(room: Room, person: Person) -> None:
    for _ in range(2):
        await person.runs("theme")
        await until(lambda: room.switch.settled and room.window.canvas.ready)


async def themes_with_all_open(room: Room, person: Person) -> None:
    await all_rooms(room, person)
    await the_training_panel(room, person)
    await themes(room, person)
    await person.runs("reset_layout")


async def dialogs(room: Room, person: Person) -> None:
    for command in ("connect", "hand_over", "take_in", "factory_reset"):
        await person.runs(command)
        await person.closes_the_dialog()
    await person.does("a new card", room.controller.card_add_wanted.emit)
    await person.closes_the_dialog()
    await person.does("an export", room.window.messages._export.click)
    await person.closes_the_dialog()
    await person.runs("training")
    tabs = room.training_panel.rooms
    await person.does("tab tokens", lambda: tabs.tabs.setCurrentIndex(TABS.index("tokens")))
    await person.does("a new token", tabs.tokens.add_token)
    await person.closes_the_dialog()
    asker = PointAsker(room.session.catalogue)
    asker.set_window(room.window)
    point = registry()["ocpp16-remote-start-no-connector"]
    asking = room.spawner.spawn(asker.ask(point))
    await person.closes_the_dialog()
    assert await asking is None


async def sizes(room: Room, person: Person) -> None:
    for size in ((1024, 640), (2560, 1440), (1440, 900)):
        await person.does(f"{size}", lambda size=size: room.window.resize(*size))
        await until(lambda: room.window.canvas.ready)


TOURS = (all_rooms, the_training_panel, themes, themes_with_all_open, dialogs, sizes)


@pytest.mark.qt_log_ignore("This plugin does not support")
@pytest.mark.parametrize("tour", TOURS, ids=lambda tour: tour.__name__)
def test_nothing_freezes_the_window(
    play: Callable[..., None], loop_watch: LoopWatch, tour: Tour
) -> None:
    async def story(room: Room) -> None:
        await charge(room)
        await asyncio.sleep(REST)
        before = loop_watch.callbacks
        await tour(room, Person(room, loop_watch))
        assert loop_watch.callbacks > before

    play(story, strays=False)


@pytest.mark.qt_log_ignore("This plugin does not support")
@pytest.mark.parametrize(
    "tour", [all_rooms, the_training_panel, dialogs], ids=lambda tour: tour.__name__
)
def test_nothing_flashes_up_as_a_window_of_its_own(
    play: Callable[..., None], loop_watch: LoopWatch, tour: Tour
) -> None:
    async def story(room: Room) -> None:
        await charge(room)
        await tour(room, Person(room, loop_watch))

    play(story)
