"""A whole window over a real session and the real training CSMS, run in Qt's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import qasync

from app.kernel.catalogue import Catalogue
from app.ocpp.context import BootState
from app.runtime.options import StationOptions, WindowOptions
from app.training.thread import TrainingCsmsThread
from tests.support.event_watch import WatchedApplication
from tests.support.loop_watch import LoopWatch
from tests.support.strays import Strays
from ui import application
from ui.application import make_session
from ui.bridge import Bridge
from ui.main_room import Room
from ui.points import PointAsker
from ui.preferences import Preferences
from ui.shell.window import MainWindow
from ui.theme import ThemeSwitch

Story = Callable[[Room], Awaitable[None]]
PATIENCE = 10.0


async def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until something is so, letting the window live meanwhile."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.fixture
def play(qapp: WatchedApplication, tmp_path: Path, loop_watch: LoopWatch) -> Callable[..., None]:
    """Open a window, let a story happen in it, close it again; nothing of ours may freeze it.

    Nor may anything flash up as a window of its own. To see that takes up to twice as long as what is done:
    only what takes three times as long is listed. Where time itself is the matter a story is played without.
    """

    async def run(story: Story, options: StationOptions, folder: Path, strays: bool) -> None:
        application.read_program()  # the program does it in a thread
        application.read_rest()
        training = TrainingCsmsThread()
        url = training.reserve()  # as the program does: it starts behind the window
        catalogue = Catalogue.load()
        asker = PointAsker(catalogue)
        session = make_session(WindowOptions(options), folder, url, catalogue, asker)
        preferences = Preferences.load(folder)
        switch = ThemeSwitch(qapp, preferences.theme)
        window = MainWindow(switch.theme, catalogue)
        await application.show_outline(window)
        room = Room(session, Bridge(session), switch, training, url, preferences, folder, window)
        asker.set_window(window, session.choose_point)
        with loop_watch, qapp.watched_by(loop_watch):
            await asyncio.create_task(room.open())  # a task of its own is measured as a whole
            # what is seen first; a thread reads the charts meanwhile
            await until(lambda: room.window.canvas.ready)
        try:
            await asyncio.to_thread(training.start)
            if session.snapshot().csms_url == url:
                await until(lambda: session.snapshot().boot is BootState.ACCEPTED)
            with loop_watch, qapp.watched_by(loop_watch):  # people look at it now
                if strays:
                    loop_watch.report_over *= 3
                    with Strays(qapp, room.window) as seen:
                        await story(room)
                    assert seen.shown == []
                else:
                    await story(room)
        finally:
            asker.set_window(None)
            await room.close()
            await session.stop()
            training.stop()
            room.window.finish()
            room.window.deleteLater()

    def start(
        story: Story, folder: Path = tmp_path, *, strays: bool = True, **options: object
    ) -> None:
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(qapp)) as runner:
            runner.run(run(story, StationOptions(**options), folder, strays))  # type: ignore[arg-type]

    return start
