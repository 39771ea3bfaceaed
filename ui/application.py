"""The window's composition root: application, loop, theme, training CSMS, session, window, orderly end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import qasync
from platformdirs import user_data_path
from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication

from app.kernel.catalogue import Catalogue
from app.kernel.resources import resource
from app.kernel.text import Text
from app.runtime.exit_codes import Exit
from app.runtime.headless import make_session
from app.runtime.options import WindowOptions
from app.runtime.problems import ConfigError
from app.runtime.session import Session, StateUnfit
from app.runtime.store import StoreError, StoreLocked
from app.training.thread import TrainingCsmsThread
from ui.bridge import Bridge
from ui.collector import Collector
from ui.main_room import Room
from ui.points import PointAsker
from ui.preferences import Preferences
from ui.theme import ThemeSwitch, load_fonts

log = logging.getLogger(__name__)
T = TypeVar("T")


def run_window(options: WindowOptions) -> int:
    """Open the window and run until it is closed. Returns the exit code."""
    catalogue = Catalogue.load(options.language or _language())
    if not _has_screen():
        sys.stderr.write(catalogue.render(Text("window.no_screen")) + "\n")
        return int(Exit.WINDOW)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    app = make_application()
    try:
        return int(run_in_loop(app, window_main(app, options, catalogue)))
    except KeyboardInterrupt:
        return int(Exit.INTERRUPTED)


def run_in_loop(app: QApplication, work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in the one loop that Qt and asyncio share."""
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
        return runner.run(work)


def make_application() -> QApplication:
    """The one QApplication, with the fonts loaded; closing a dialog never ends it."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(
        Qt.HighDpiScaleFactorRoundingPolicy.PassThrough
    )
    app = QApplication(sys.argv[:1])
    app.setApplicationName("Forecourt")
    app.setDesktopFileName("forecourt")
    app.setQuitOnLastWindowClosed(False)
    app.setWindowIcon(QIcon(str(resource("icons", "forecourt.svg"))))
    load_fonts()
    return app


async def window_main(app: QApplication, options: WindowOptions, catalogue: Catalogue) -> Exit:
    """Run the window within the loop. What stands in the way is a sentence, on stderr and in a box."""
    collector = Collector()
    collector.start()
    try:
        return await _run(app, options, catalogue, collector)
    finally:
        collector.stop()


async def _run(
    app: QApplication, options: WindowOptions, catalogue: Catalogue, collector: Collector
) -> Exit:
    folder = options.station.state_dir or default_folder(options.station.blueprint)
    training = TrainingCsmsThread()
    try:
        training_url = training.start()
    except OSError as error:
        return _give_up(catalogue, Text("window.no_training", {"why": str(error)}), Exit.CONTROL)
    asker = PointAsker(catalogue)
    try:
        session = await open_session(options, folder, training_url, catalogue, asker)
    except ConfigError as error:
        training.stop()
        return _give_up(catalogue, error.text, Exit.CONFIG)
    except StoreLocked as error:
        training.stop()
        return _give_up(catalogue, error.text, Exit.STATE_LOCKED)
    except (StoreError, StateUnfit) as error:
        training.stop()
        return _give_up(catalogue, error.text, Exit.STATE)
    preferences = Preferences.load(folder)
    switch = ThemeSwitch(app, options.theme or preferences.theme)
    room = Room(session, Bridge(session), switch, training, training_url, preferences, folder)
    asker.set_window(room.window, session.choose_point)
    room.open()
    collector.settle()
    try:
        with _signals(room.ask_to_close):
            await room.closed()
    finally:
        asker.set_window(None)
        await room.close()
        await session.stop()
        training.stop()
        room.window.finish()
    return Exit.OK


def default_folder(blueprint: str | None) -> Path:
    """Where the state lies when nobody says: each hardware has its own, so that all can be tried."""
    name = f"station-{Path(blueprint).stem}" if blueprint else "station"
    return user_data_path("forecourt", False) / name


@contextmanager
def _signals(end: Callable[[], None]) -> Iterator[None]:
    """A polite kill and Ctrl+C end in order, as a closed window does."""
    loop = asyncio.get_running_loop()

    def handle(number: int, frame: object) -> None:
        loop.call_soon_threadsafe(end)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


async def open_session(
    options: WindowOptions,
    folder: Path,
    training_url: str,
    catalogue: Catalogue,
    asker: PointAsker | None = None,
) -> Session:
    """The session of the window. A fresh state begins with the training CSMS."""
    station = replace(options.station, state_dir=folder)
    session = make_session(station, default_url=training_url, catalogue=catalogue, asker=asker)
    await session.start()
    return session


def _give_up(catalogue: Catalogue, text: Text, code: Exit) -> Exit:
    sentence = catalogue.render(text)
    sys.stderr.write(sentence + "\n")
    _show_problem(catalogue, sentence)
    return code


def _show_problem(catalogue: Catalogue, sentence: str) -> None:
    """A windowed program has no stderr that anybody reads: say it in a window too."""
    from ui.shell.problem import show_problem

    show_problem(catalogue.render(Text("window.problem")), sentence)


def _has_screen() -> bool:
    if not sys.platform.startswith("linux"):
        return True
    if os.environ.get("QT_QPA_PLATFORM", "") in {"offscreen", "minimal", "vnc"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _language() -> str:
    return QLocale.system().name().split("_")[0]
