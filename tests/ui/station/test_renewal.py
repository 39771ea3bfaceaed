"""A picture of another size or theme is painted in turns of the loop; meanwhile the old one is seen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QSize
from pytestqt.qtbot import QtBot

from app.kernel.catalogue import Catalogue
from app.station.snapshot import StationSnapshot
from tests.ui.station import scenes
from tests.ui.station.conftest import Show
from ui.station.canvas import StationCanvas
from ui.theme import Theme

Change = Callable[[StationCanvas], None]
LARGE = (1200, 640)

CHANGES: dict[str, Change] = {
    "size": lambda canvas: canvas.resize(*LARGE),
    "theme": lambda canvas: canvas.set_theme(Theme.load("light")),
    "zoom": lambda canvas: canvas.set_zoom(150),
}


def opening(qtbot: QtBot, snapshot: StationSnapshot) -> StationCanvas:
    """As in a window that opens: nothing is painted yet."""
    canvas = StationCanvas(Theme.load("dark"), Catalogue.load())
    qtbot.addWidget(canvas)
    canvas.resize(*LARGE)
    canvas.set_reduced_motion(True)
    canvas.set_snapshot(snapshot, scenes.extra(snapshot))
    canvas.open_in_turns()
    canvas.show()
    return canvas


@pytest.mark.parametrize("change", CHANGES)
def test_the_old_picture_is_seen_until_the_new_one_is_ready(
    show: Show, qtbot: QtBot, change: str
) -> None:
    canvas = show(scenes.mixed())
    body = canvas.picture.plan.cabinets[0].rect.center()
    seen = canvas.grab().toImage().pixelColor(canvas.picture.point(body).toPoint())
    CHANGES[change](canvas)
    assert not canvas.ready
    between = canvas.grab().toImage()
    assert between.pixelColor(canvas.picture.point(body).toPoint()) == seen
    qtbot.waitUntil(lambda: canvas.ready)
    assert canvas.grab().toImage() != between


def test_the_new_picture_is_the_one_that_is_painted_at_once(show: Show, qtbot: QtBot) -> None:
    canvas = show(scenes.mixed(), still=True)
    canvas.resize(*LARGE)
    canvas.set_theme(Theme.load("light"))
    qtbot.waitUntil(lambda: canvas.ready)
    renewed = canvas.grab().toImage()
    assert renewed.size() == QSize(*LARGE)
    assert renewed == show(scenes.mixed(), LARGE, "light", still=True).grab().toImage()


def test_a_picture_that_opens_in_turns_is_the_one_that_is_painted_at_once(
    qtbot: QtBot, show: Show
) -> None:
    canvas = opening(qtbot, scenes.mixed())
    assert not canvas.ready
    empty = canvas.grab().toImage()
    assert not canvas.picture.renders(), "only wall and floor are seen at first"
    qtbot.waitUntil(lambda: canvas.ready)
    opened = canvas.grab().toImage()
    assert opened != empty
    assert opened == show(scenes.mixed(), LARGE, still=True).grab().toImage()


def test_what_opens_in_turns_may_become_another_station_meanwhile(qtbot: QtBot, show: Show) -> None:
    canvas = opening(qtbot, scenes.mixed())
    canvas.grab()
    canvas.set_snapshot(scenes.home(), scenes.extra(scenes.home()))
    assert not canvas.ready
    qtbot.waitUntil(lambda: canvas.ready)
    assert canvas.grab().toImage() == show(scenes.home(), LARGE, still=True).grab().toImage()


def test_what_is_painted_in_turns_is_painted_once(show: Show, qtbot: QtBot) -> None:
    canvas = show(scenes.mixed())
    canvas.resize(*LARGE)
    qtbot.waitUntil(lambda: canvas.ready)
    canvas.grab()
    assert set(canvas.picture.renders().values()) == {1}


def test_a_canvas_that_is_hidden_meanwhile_paints_at_once_when_it_is_back(show: Show) -> None:
    canvas = show(scenes.mixed())
    canvas.resize(*LARGE)
    canvas.hide()
    assert canvas.ready
    canvas.show()
    assert canvas.ready


def test_what_has_changed_is_painted_in_turns_of_the_loop_before_it_is_seen(
    show: Show, qtbot: QtBot
) -> None:
    canvas = show(scenes.station(scenes.make_evse(1)))
    canvas.grab()
    before = canvas.picture.renders()
    canvas.set_snapshot(scenes.station(scenes.charging(scenes.make_evse(1))))
    assert canvas.picture.renders() == before
    qtbot.waitUntil(lambda: not canvas._turns.running)
    painted = canvas.picture.renders()
    assert {"car1", "bay1", "words1", "screen0"} <= {
        name for name, times in painted.items() if times != before.get(name)
    }
    canvas.grab()
    assert canvas.picture.renders() == painted


def test_a_picture_that_is_asked_for_at_once_is_the_newest(show: Show) -> None:
    canvas = show(scenes.station(scenes.make_evse(1)), still=True)
    charging = scenes.station(scenes.charging(scenes.make_evse(1)))
    canvas.set_snapshot(charging, scenes.extra(charging))
    assert canvas.grab().toImage() == show(charging, still=True).grab().toImage()
