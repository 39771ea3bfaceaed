"""A canvas on the screen, with a snapshot."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.kernel.catalogue import Catalogue
from app.station.intents import Intent
from app.station.snapshot import StationSnapshot
from tests.ui.station import scenes
from ui.station.canvas import StationCanvas
from ui.theme import Theme

Show = Callable[..., StationCanvas]


@pytest.fixture
def show(qtbot: QtBot, qapp: QApplication) -> Show:
    """Makes a canvas that shows a snapshot: `show(snapshot, size=(900, 420), theme="dark")`."""

    def make(
        snapshot: StationSnapshot,
        size: tuple[int, int] = (900, 420),
        theme: str = "dark",
        still: bool = False,
    ) -> StationCanvas:
        look = Theme.load(theme)
        look.apply(qapp)
        canvas = StationCanvas(look, Catalogue.load())
        canvas.set_reduced_motion(still)
        qtbot.addWidget(canvas)
        canvas.resize(*size)
        canvas.set_snapshot(snapshot, scenes.extra(snapshot))
        canvas.show()
        with qtbot.waitActive(canvas):
            canvas.activateWindow()
        canvas.grab()
        return canvas

    return make


@pytest.fixture
def intents() -> Callable[[StationCanvas], list[Intent]]:
    """Collects what a canvas emits."""

    def collect(canvas: StationCanvas) -> list[Intent]:
        found: list[Intent] = []
        canvas.intent.connect(found.append)
        return found

    return collect
