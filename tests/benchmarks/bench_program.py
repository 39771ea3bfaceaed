"""The program as a whole: memory of a headless station, frames of the window, start to first paint.

    python -m tests.benchmarks.bench_program [--json FILE]

Memory is the proportional set size of the process, connected and charging (Linux). A frame is all
that the window's thread does from one painting to the next while energy flows. The start is compared
with a bare PySide6 window with three docks in the same run, since only ratios mean something here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

TARGET_MEMORY = 45.0
TARGET_FRAME = 10.0
LIVES = 5.0
"""Seconds a window is watched."""
WINDOW = (1440, 900)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure; `target` None where only the ratio to another one counts."""

    name: str
    value: float
    unit: str
    target: float | None = None


def memory() -> list[Figure]:
    """MiB of a headless station that charges, and what of it is no file that others may share.

    Files count in parts, one for each process that has them open: the fewer run, the more it is.
    """
    from app.client import Station
    from app.training.thread import TrainingCsmsThread

    csms = TrainingCsmsThread()
    url = csms.start()
    try:
        with Station("--csms", url, "--id", "BENCH", "--version", "2.0.1") as station:
            station.wait({"event": "BootStateChanged", "data.state": "accepted"}, after=0)
            station.do("station.plug_in", evse=1)
            station.do("station.present_card", id_token="04A29F1C", evse=1)
            station.wait({"event": "FlowChanged", "data.after": "charging"})
            station.call("clock.jump", seconds=1800)
            text = Path(f"/proc/{station.pid}/smaps_rollup").read_text()
    finally:
        csms.stop()
    lines = (line.split() for line in text.splitlines()[1:])
    mib = {name: int(kib) / 1024 for name, kib, *_ in lines}
    return [
        Figure("headless station, PSS", mib["Pss:"], "MiB", TARGET_MEMORY),
        Figure("of it of its own", mib["Anonymous:"], "MiB"),
    ]


_BARE = """
import sys, time
began, worked = time.perf_counter(), time.process_time()
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow, QWidget
app = QApplication([])
class Window(QMainWindow):
    def paintEvent(self, event):
        print(time.perf_counter() - began, time.process_time() - worked, flush=True)
        QTimer.singleShot(0, app.quit)
window = Window()
window.setCentralWidget(QWidget())
for area in (Qt.RightDockWidgetArea, Qt.BottomDockWidgetArea, Qt.LeftDockWidgetArea):
    window.addDockWidget(area, QDockWidget("dock"))
window.resize(1440, 900)
window.show()
app.exec()
"""

_OURS = """
import sys, time
began, worked = time.perf_counter(), time.process_time()
from app.runtime.cli import main
from ui import application
from ui.shell.outline import Outline
def watched(kind, after):
    paint = kind.paintEvent
    def seen(self, event):
        paint(self, event)
        after(self)
    kind.paintEvent = seen
def passed():
    print(time.perf_counter() - began, time.process_time() - worked, flush=True)
def outline(_):
    if not seen:
        seen.append(passed())
def picture(canvas):
    if canvas.ready:
        passed()
        import os
        os._exit(0)
seen = []
watched(Outline, outline)
read = application.read_program
def read_and_watch():
    read()
    from ui.station.canvas import StationCanvas
    watched(StationCanvas, picture)
application.read_program = read_and_watch
from ui.__main__ import open_window
main(["--state-dir", sys.argv[1]], open_window=open_window)
"""


def _seconds(code: str, *arguments: str) -> list[float]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=120,
    )
    return [float(word) for word in done.stdout.split()]


def first_paint() -> list[Figure]:
    """From the interpreter's start of work to the first paint, the best of three each.

    First the window is an outline; "the station's picture" is when all of it stands there. Seconds are
    what a person waits, but the processor's seconds are what other programs hardly disturb.
    """
    with tempfile.TemporaryDirectory() as folder:
        runs = [_seconds(_OURS, f"{folder}/{number}") for number in range(3)]
    ours, ours_cpu, picture, picture_cpu = (min(column) for column in zip(*runs, strict=True))
    bare_runs = [_seconds(_BARE) for _ in range(3)]
    bare, bare_cpu = (min(column) for column in zip(*bare_runs, strict=True))
    return [
        Figure("start to first paint", ours, "s"),
        Figure("start to the station's picture", picture, "s"),
        Figure("bare window with docks", bare, "s"),
        Figure("first paint to the bare window", ours / bare, "x"),
        Figure("the same, of the processor", ours_cpu / bare_cpu, "x"),
        Figure("picture, of the processor", picture_cpu / bare_cpu, "x"),
    ]


_MANY = """
name = "Eight"
vendor = "Forecourt"
model = "Eight"
[supply]
current = 400
voltage = 230
[[readers]]
evses = [1, 2, 3, 4, 5, 6, 7, 8]
""" + "".join(
    """
[[evses]]
current = "ac"
max_power = 11040
phases = 3
vehicle = "city-52"
[[evses.connectors]]
plug = "type2"
tethered = true
lock = false
max_current = 32
"""
    for _ in range(8)
)


def _frame_costs() -> Any:
    """Notes the processor time of the window's thread whenever a frame is about to be painted.

    What lies between two of them is what a frame costs with all that leads to it: physics, protocol,
    snapshot, views, animation and painting.
    """
    from PySide6.QtCore import QEvent, QObject

    class Frames(QObject):
        def __init__(self) -> None:
            super().__init__()
            self.marks: list[float] = []

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() is QEvent.Type.UpdateRequest:
                self.marks.append(time.thread_time())
            return False

        def costs(self) -> list[float]:
            """Milliseconds of each frame, the cheapest first."""
            return sorted((after - before) * 1000 for before, after in pairwise(self.marks))

    return Frames()


@dataclass(frozen=True, slots=True)
class _Living:
    """A window that lives: ms a frame on average and for one in twenty, the thread's share of a core."""

    mean: float
    slow: float
    share: float


async def _live(blueprint: str, evses: int) -> _Living:
    """A window over a whole station with every EVSE charging and a graph in sight, left to itself."""
    from PySide6.QtWidgets import QApplication

    from app.kernel.catalogue import Catalogue
    from app.runtime.options import StationOptions, WindowOptions
    from app.station.commands import Permit
    from app.station.intents import PlugIn
    from app.station.kinds import Flow
    from app.training.thread import TrainingCsmsThread
    from ui.application import make_application, make_session
    from ui.bridge import Bridge
    from ui.main_room import Room
    from ui.preferences import Preferences
    from ui.theme import ThemeSwitch

    app = make_application()
    assert isinstance(app, QApplication)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        training = TrainingCsmsThread()
        url = training.start()
        options = WindowOptions(StationOptions(blueprint=blueprint))
        session = make_session(options, folder, url, Catalogue.load())
        switch = ThemeSwitch(app, "dark")
        preferences = Preferences(folder=folder)
        room = Room(session, Bridge(session), switch, training, url, preferences, folder)
        room.window.resize(*WINDOW)
        await room.open()
        for evse in range(1, evses + 1):
            session.intend(PlugIn(evse, 1))
            session.station.handle(Permit(evse, 1))
        await asyncio.sleep(4)
        flows = [evse.flow for evse in session.snapshot().station.evses]
        assert flows == [Flow.CHARGING] * evses
        assert _sees_a_graph(room.window)
        _fill_graphs(room.window.inspector, session.snapshot().station)
        living = await _watch(room.window)
        await room.close()
        await session.stop()
        training.stop()
        room.window.finish()
    return living


def _sees_a_graph(window: Any) -> bool:
    from ui.graphs.kit import Plot

    return any(graph.isVisible() for graph in window.findChildren(Plot))


def _fill_graphs(inspector: Any, station: Any) -> None:
    """Five minutes of past, the most that a graph shows unless it is asked for more."""
    now = station.at.timestamp()
    for evse in station.evses:
        history = inspector._history(evse.id)
        history.clear()
        for half_seconds in range(600, 0, -1):
            power = evse.power + 200 * (half_seconds % 7)
            history.add(now - half_seconds / 2, replace(evse, power=power))


async def _watch(window: Any) -> _Living:
    frames = _frame_costs()
    window.installEventFilter(frames)
    passed, worked = time.perf_counter(), time.thread_time()
    await asyncio.sleep(LIVES)
    passed, worked = time.perf_counter() - passed, time.thread_time() - worked
    window.removeEventFilter(frames)
    costs = frames.costs()
    return _Living(sum(costs) / len(costs), costs[len(costs) * 19 // 20], worked / passed * 100)


def frames() -> list[Figure]:
    """What a frame costs while one and while eight EVSEs charge."""
    import qasync

    from ui.application import make_application

    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = make_application()
    with tempfile.TemporaryDirectory() as folder:
        many = Path(folder) / "eight.toml"
        many.write_text(_MANY, "utf-8")
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
            one = runner.run(_live("home-ac-11", 1))
            eight = runner.run(_live(str(many), 8))
    return [
        Figure("frame, 1 EVSE charging", one.mean, "ms CPU", TARGET_FRAME),
        Figure("frame, 8 EVSEs charging", eight.mean, "ms CPU", TARGET_FRAME),
        Figure("1 frame in 20, 1 EVSE", one.slow, "ms CPU", TARGET_FRAME),
        Figure("1 frame in 20, 8 EVSEs", eight.slow, "ms CPU", TARGET_FRAME),
        Figure("window's thread, 1 EVSE", one.share, "% core"),
        Figure("window's thread, 8 EVSEs", eight.share, "% core"),
    ]


def table(figures: list[Figure]) -> str:
    lines = [f"{'figure':<30}{'value':>10}  {'unit':<8}{'target':>8}"]
    for figure in figures:
        target = f"{figure.target:8.1f}" if figure.target else ""
        lines.append(f"{figure.name:<30}{figure.value:>10.2f}  {figure.unit:<8}{target}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    options = parser.parse_args()
    figures = [*memory(), *first_paint(), *frames()]
    print(table(figures))
    text = json.dumps([asdict(figure) for figure in figures])
    print(text)
    if options.json:
        options.json.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
