"""Only what changed is painted anew: what is on the screen then is the picture all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.ui.station import scenes
from tests.ui.station.conftest import Show
from ui.station.canvas import StationCanvas
from ui.station.hotspots import Act

Step = Callable[[StationCanvas], object]


def shows(canvas: StationCanvas, *evses: object) -> None:
    snapshot = scenes.station(*evses)
    canvas.set_snapshot(snapshot, scenes.extra(snapshot))


def points_at(canvas: StationCanvas, act: Act | None, evse: int = 0) -> None:
    """The pointer is on an act, or on none."""
    for button in canvas.hotspots():
        button.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, False)
    if act is not None:
        canvas.hotspot(act, evse).setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    canvas.hover_changed()


def first(number: int = 1):
    return scenes.make_evse(number)


STEPS: dict[str, Step] = {
    "a car comes and charges": lambda c: shows(c, scenes.charging(first()), first(2)),
    "the other one is chosen": lambda c: c.set_selected(2),
    "the pointer is on a chip": lambda c: points_at(c, Act.MAINS),
    "it is on a plug": lambda c: points_at(c, Act.PLUG, 2),
    "it is on a bubble": lambda c: points_at(c, Act.SELECT, 2),
    "it has gone": lambda c: points_at(c, None),
    "a fault": lambda c: shows(c, scenes.charging(first()), scenes.faulted(first(2))),
    "a reservation": lambda c: shows(c, scenes.reserved(first()), scenes.plugged(first(2))),
    "the first one again": lambda c: c.set_selected(1),
    "out of service": lambda c: shows(c, scenes.unavailable(first()), scenes.parked(first(2))),
}


def on_screen(canvas: StationCanvas) -> QImage:
    """What has been painted so far, and nothing more than that."""
    pixmap = canvas.screen().grabWindow(canvas.winId())
    return pixmap.toImage().convertToFormat(QImage.Format.Format_RGB32)


@pytest.mark.parametrize("zoom", [100, 150])
def test_what_is_on_the_screen_is_the_whole_picture(show: Show, qtbot: QtBot, zoom: int) -> None:
    canvas = show(scenes.station(first(), first(2)), still=True)
    canvas.set_zoom(zoom)
    qtbot.waitUntil(lambda: canvas.ready)
    for name, step in STEPS.items():
        step(canvas)
        qtbot.waitUntil(lambda: canvas.ready and not canvas._turns.running)
        QTest.qWait(20)
        seen = on_screen(canvas)
        whole = canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
        assert seen.size() == whole.size()
        assert seen == whole, name
