"""The window's composition root: application, loop, theme, training CSMS, session, window, orderly end.

What a window needs to be seen is imported here; all else is read in a thread while its outline is shown.
"""

from __future__ import annotations

import asyncio
import importlib
import linecache
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import qasync
from PySide6 import QtCore, QtWidgets
from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication

from app.kernel.catalogue import Catalogue
from app.kernel.resources import resource
from app.kernel.text import Text
from app.runtime.collector import Collector, Still
from app.runtime.exit_codes import Exit
from app.runtime.options import WindowOptions
from app.runtime.problems import ConfigError
from ui.preferences import Preferences
from ui.shell.window import PARTS, MainWindow
from ui.theme import ThemeSwitch, load_fonts, put_on_style

if TYPE_CHECKING:
    from app.runtime.config import Config
    from app.runtime.session import Session
    from app.training.thread import TrainingCsmsThread
    from ui.main_room import Room
    from ui.points import PointAsker

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
        return int(run_in_loop(app, lambda own: window_main(app, options, catalogue, own)))
    except KeyboardInterrupt:
        return int(Exit.INTERRUPTED)


def run_in_loop(app: QApplication, work: Callable[[Collector], Coroutine[Any, Any, T]]) -> T:
    """Do it to its end in the one loop that Qt and asyncio share, with garbage collected there only."""

    async def collected() -> T:
        collector = Collector()
        collector.start()
        try:
            return await work(collector)
        finally:
            collector.stop()

    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
        return runner.run(collected())


def make_application() -> QApplication:
    """The one QApplication, with fonts and style; closing a dialog never ends it."""
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
    put_on_style(app)
    return app


async def window_main(
    app: QApplication, options: WindowOptions, catalogue: Catalogue, collector: Collector
) -> Exit:
    """Run the window within the loop. What stands in the way is a sentence, on stderr and in a box."""
    folder = options.station.state_dir or default_folder(options.station.blueprint)
    preferences = Preferences.load(folder)
    await asyncio.sleep(0)  # a theme takes most of a turn
    switch = ThemeSwitch(app, options.theme or preferences.theme)
    await asyncio.sleep(0)
    window = MainWindow(switch.theme, catalogue)
    window.restore_place(preferences.layout)
    end = asyncio.Event()
    window.closing.connect(end.set)
    try:
        with _signals(end.set):
            await show_outline(window)
            await asyncio.to_thread(read_program)
            from app.runtime import opening
            from ui.away import Away
            from ui.bridge import Bridge
            from ui.main_room import Room
            from ui.points import PointAsker

            with _training_csms() as (training, url):
                asker = PointAsker(catalogue)
                with _in_words():
                    config = await asyncio.to_thread(opening.read_config, options.station)
                    session = make_session(options, folder, url, catalogue, asker, config)
                    await asyncio.sleep(0)
                    bridge = Bridge(session)
                    room = Room(session, bridge, switch, training, url, preferences, folder, window)
                    asker.set_window(window, session.choose_point)
                    await room.open()
                away, still = Away(), Still(lambda: session.bus.last_seq)
                collector.settle(quiet=lambda: still() and away())
                await _live(room, end)
    except _CannotStart as problem:
        window.hide()
        return _give_up(catalogue, problem.text, problem.code)
    finally:
        window.finish()
    return Exit.OK


async def show_outline(window: MainWindow) -> None:
    """Show the outline and wait until it is painted, so that reading the program does not hold it up."""
    seen = asyncio.Event()
    window.outline.painted.connect(seen.set)
    window.show()
    with suppress(TimeoutError):  # minimised, or a desktop that shows nothing yet
        await asyncio.wait_for(seen.wait(), 2.0)
    window.outline.painted.disconnect(seen.set)


def read_program() -> None:
    """Import what the window is made of; in a thread, while the outline is on the screen."""
    for name in ("app.runtime.opening", "ui.main_room", *PARTS):
        importlib.import_module(name)
    # PySide makes a class when it is met, and all of a module, which takes 15 ms, where it meets one that it
    # has no name for, such as the private ones in a table.
    for module in (QtCore, QtWidgets):
        for name in dir(module):
            getattr(module, name)


def read_rest() -> None:
    """What is not needed before somebody asks for it: then it opens at once."""
    from ui.station_rooms.docks import read_rooms

    read_rooms()
    for name in ("ui.connect.dialog", "ui.cards.dialog", "ui.training.tabs"):
        importlib.import_module(name)
    linecache.clearcache()  # PySide looks for its name in the source of every module: 10 MB of text


async def _live(room: Room, end: asyncio.Event) -> None:
    """Wait until a person, or a signal, closes the window; then end everything in order."""
    coming = asyncio.create_task(_start_training(room))
    try:
        await end.wait()
    finally:
        await room.close()
        await room.session.stop()
        await coming


async def _start_training(room: Room) -> None:
    """The training CSMS reads its own half second of program after the window is there."""
    try:
        await asyncio.to_thread(room.training.start)
        await asyncio.to_thread(read_rest)
    except Exception as error:  # noqa: BLE001 - whatever it is, people see it and the window lives on
        room.report(error)


class _CannotStart(Exception):
    """The sentence that says why there is no window, and the exit code."""

    def __init__(self, text: Text, code: Exit) -> None:
        super().__init__(text.id)
        self.text, self.code = text, code


@contextmanager
def _training_csms() -> Iterator[tuple[TrainingCsmsThread, str]]:
    """The training CSMS with its port, not yet running; stopped in the end."""
    from app.training.thread import TrainingCsmsThread

    training = TrainingCsmsThread()
    try:
        url = training.reserve()
    except OSError as error:
        why = Text("window.no_training", {"why": str(error)})
        raise _CannotStart(why, Exit.CONTROL) from error
    try:
        yield training, url
    finally:
        training.stop()


@contextmanager
def _in_words() -> Iterator[None]:
    """What keeps a session from starting. Raises _CannotStart."""
    from app.runtime.session import StateUnfit
    from app.runtime.store import StoreError, StoreLocked

    try:
        yield
    except ConfigError as error:
        raise _CannotStart(error.text, Exit.CONFIG) from error
    except StoreLocked as error:
        raise _CannotStart(error.text, Exit.STATE_LOCKED) from error
    except (StoreError, StateUnfit) as error:
        raise _CannotStart(error.text, Exit.STATE) from error


def default_folder(blueprint: str | None) -> Path:
    """Where the state lies when nobody says: each hardware has its own, so that all can be tried."""
    from platformdirs import user_data_path

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


def make_session(
    options: WindowOptions,
    folder: Path,
    training_url: str,
    catalogue: Catalogue,
    asker: PointAsker | None = None,
    config: Config | None = None,
) -> Session:
    """The session of the window, which starts it. A fresh state begins with the training CSMS.

    Raises ConfigError, StoreError, StateUnfit.
    """
    from app.runtime import opening

    station = replace(options.station, state_dir=folder)
    return opening.make_session(
        station, config, default_url=training_url, catalogue=catalogue, asker=asker
    )


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
