"""The window opens before the program is read, and says so while it is."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from PySide6.QtCore import Qt

from app.kernel.bus import Bus
from app.kernel.catalogue import Catalogue
from app.trace.exchange import Exchanges
from tests.ui.shell.conftest import play, until  # noqa: F401 - a fixture
from ui.shell.below import MESSAGES_SHARE
from ui.shell.outline import BOTTOM, TOP, Outline
from ui.shell.window import INSPECTOR_WIDTH, MainWindow
from ui.theme import Theme
from ui.widgets.turns import at_once

LOADED = """
import json, os, sys
from app.runtime.cli import main
from ui.shell.below import MESSAGES_SHARE
from ui.shell.outline import Outline
paint = Outline.paintEvent
def seen(self, event):
    paint(self, event)
    print(json.dumps(sorted(sys.modules)), flush=True)
    os._exit(0)
Outline.paintEvent = seen
from ui.__main__ import open_window
main(["--state-dir", sys.argv[1]], open_window=open_window)
"""
LATER = {"numpy", "pyqtgraph", "ocpp", "jsonschema", "jsonschema_rs", "websockets"}


def test_nothing_heavy_is_read_before_the_window_is_seen(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LOADED, str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        check=False,
        timeout=60,
    )
    assert done.stdout, done.stderr
    assert not LATER & set(json.loads(done.stdout))


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_outline_says_what_happens_in_the_colours_of_the_theme(qtbot, theme):
    window = MainWindow(Theme.load(theme), Catalogue.load())
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    image = window.outline.grab().toImage()
    colours = Theme.load(theme)
    assert image.pixelColor(10, 10) == colours.colour("panel")
    assert image.pixelColor(10, 55) == colours.colour("line")
    assert "station" in window.outline.accessibleName()
    window.finish()
    assert not window.isVisible(), "it can be closed before it is filled"


def test_the_rooms_come_where_the_outline_showed_them(play):  # noqa: F811
    async def story(room):
        window = room.window
        window.resize(1440, 900)
        window.share_out()
        share = round(900 * MESSAGES_SHARE)
        await until(lambda: abs(window.inspector.width() - INSPECTOR_WIDTH) <= 2)
        await until(lambda: abs(window.messages.height() - share) <= 2)
        assert window.top.height() == TOP
        below = 900 - window.messages.mapTo(window, window.messages.rect().bottomLeft()).y()
        assert abs(below - BOTTOM) <= 2
        assert not window.findChildren(Outline)

    play(story)


def test_the_rooms_come_back_as_large_as_they_were(qtbot):
    """The window is shown first and furnished then, as at each start."""

    def opened(layout: str) -> MainWindow:
        window = MainWindow(Theme.load("dark"), Catalogue.load())
        qtbot.addWidget(window)
        window.restore_place(layout)
        with qtbot.waitExposed(window):
            window.show()
        at_once(window.furnish(Exchanges(Bus(lambda: datetime(2026, 1, 1, tzinfo=UTC))), []))
        at_once(window.reveal(layout))
        qtbot.wait(50)
        return window

    def sizes(window: MainWindow) -> list[int]:
        return [window.inspector_dock.width(), window.messages_dock.height()]

    first = opened("")
    first.resize(1024, 760)  # the screen of a test is small
    qtbot.wait(50)
    first.resizeDocks([first.messages_dock], [260], Qt.Orientation.Vertical)
    qtbot.wait(50)
    before = sizes(first)
    assert sizes(opened(first.layout_text())) == before
