"""On a projector and a small laptop a session and its graph are in sight, with a room open, too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QScrollArea, QWidget

from tests.ui.shell.conftest import until
from tests.ui.shell.test_room import charge
from ui.graphs.chart import FOOT, HEAD, MARKS
from ui.main_room import Room

COMMONEST, LAPTOP, SMALLEST = (1280, 800), (1366, 768), (1024, 640)
MAXIMIZED = (1366, 705)
"""What the laptop leaves beside a bar of tasks and a title; a screen of 1920x1080 at 150 % leaves as much."""


async def resized(room: Room, size: tuple[int, int]) -> None:
    room.window.resize(*size)
    await asyncio.sleep(0.2)
    await until(lambda: room.window.canvas.ready)


async def opened(room: Room, ident: str) -> None:
    room.controller.commands.run(f"room_{ident}")
    await until(lambda: room.rooms._rooms[ident]._live)
    await asyncio.sleep(0.2)


def plot_height(room: Room) -> int:
    """Of the graph itself, without the words above it and the times below."""
    return room.window.inspector.session_tab.graph.chart.height() - HEAD - MARKS - FOOT


def hidden(room: Room, *names: str) -> list[str]:
    """What of the graph, the figures with these names and the ladder is not wholly in sight."""
    tab = room.window.inspector.session_tab
    parts: dict[str, QWidget] = {"graph": tab.graph}
    parts |= {name: tab.part(name) for name in names}
    area = tab.parentWidget().parentWidget()
    assert isinstance(area, QScrollArea)
    seen = area.viewport().rect()
    return [
        name
        for name, part in parts.items()
        if not seen.contains(QRect(part.mapTo(area.viewport(), QPoint()), part.size()))
    ]


ALL = ("power", "energy", "cost", "duration", "current", "battery", "limits")
FIRST = ALL[:3]


@pytest.mark.parametrize(
    ("size", "least"),
    [(COMMONEST, 130), (LAPTOP, 105), (MAXIMIZED, 95)],
    ids=["1280x800", "1366x768", "1366x705"],
)
def test_all_of_a_session_is_in_sight_and_its_graph_can_be_read(
    play: Callable[..., None], size: tuple[int, int], least: int
) -> None:
    async def story(room: Room) -> None:
        await charge(room)
        await resized(room, size)
        assert hidden(room, *ALL) == []
        assert plot_height(room) >= least

    play(story)


@pytest.mark.parametrize("size", [COMMONEST, LAPTOP], ids=["1280x800", "1366x768"])
def test_beside_an_open_room_the_first_figures_and_the_graph_are_in_sight(
    play: Callable[..., None], size: tuple[int, int]
) -> None:
    async def story(room: Room) -> None:
        await charge(room)
        await resized(room, size)
        await opened(room, "configuration")
        assert hidden(room, *FIRST) == []
        assert plot_height(room) >= 75

    play(story)


def test_in_the_smallest_window_the_first_figures_and_the_graph_are_in_sight(
    play: Callable[..., None],
) -> None:
    async def story(room: Room) -> None:
        await charge(room)
        await resized(room, SMALLEST)
        assert hidden(room, *FIRST) == []
        assert plot_height(room) >= 75

    play(story)


def test_a_large_window_shows_all_as_it_is_best(play: Callable[..., None]) -> None:
    """Whatever it was before."""

    async def story(room: Room) -> None:
        await charge(room)
        places = []
        for _ in range(2):
            await resized(room, (1600, 1000))
            tab = room.window.inspector.session_tab
            places.append([tab.part(name).geometry() for name in ALL])
            assert plot_height(room) >= 150
            await resized(room, SMALLEST)
        assert places[0] == places[1]

    play(story)


def test_where_the_picture_has_little_room_the_cards_make_some(play: Callable[..., None]) -> None:
    async def story(room: Room) -> None:
        await charge(room)
        wallet = room.window.wallet
        await resized(room, COMMONEST)
        whole = wallet.height()
        await opened(room, "configuration")
        assert wallet.height() <= whole - 30
        assert all(button.height() >= 32 for button in wallet.buttons())
        room.controller.commands.run("room_configuration")
        await until(lambda: wallet.height() == whole)

    play(story)
