"""The program as a whole: memory of a headless station, frames of the window, start to first paint.

    python -m tests.benchmarks.bench_program [--json FILE]

Memory is the proportional set size of the process, connected and charging (Linux). A frame is what one
snapshot costs the window while energy flows, painting included. The start is compared with a bare
PySide6 window with three docks in the same run, since only ratios mean something here.
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
from dataclasses import asdict, dataclass
from pathlib import Path

TARGET_MEMORY = 45.0
TARGET_FRAME = 10.0
FRAMES = 60


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure; `target` None where only the ratio to another one counts."""

    name: str
    value: float
    unit: str
    target: float | None = None


def memory() -> Figure:
    """MiB of a headless station that charges."""
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
    kib = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return Figure("headless station, PSS", kib / 1024, "MiB", TARGET_MEMORY)


_BARE = """
import sys, time
began = time.perf_counter()
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow, QWidget
app = QApplication([])
class Window(QMainWindow):
    def paintEvent(self, event):
        print(time.perf_counter() - began, flush=True)
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
began = time.perf_counter()
from app.runtime.cli import main
from ui import application
from ui.shell.outline import Outline
def watched(kind, after):
    paint = kind.paintEvent
    def seen(self, event):
        paint(self, event)
        after()
    kind.paintEvent = seen
times = []
def outline():
    times.append(time.perf_counter() - began)
def picture():
    print(times[0], time.perf_counter() - began, flush=True)
    import os
    os._exit(0)
watched(Outline, outline)
read = application._read_program
def read_and_watch():
    read()
    from ui.station.canvas import StationCanvas
    watched(StationCanvas, picture)
application._read_program = read_and_watch
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
    """Seconds from the interpreter's start of work to the first paint, the better of three each.

    First the window is an outline; "the station's picture" is when all of it stands there.
    """
    with tempfile.TemporaryDirectory() as folder:
        runs = [_seconds(_OURS, f"{folder}/{number}") for number in range(3)]
    ours, picture = (min(column) for column in zip(*runs, strict=True))
    bare = min(_seconds(_BARE)[0] for _ in range(3))
    return [
        Figure("start to first paint", ours, "s"),
        Figure("start to the station's picture", picture, "s"),
        Figure("bare window with docks", bare, "s"),
        Figure("ratio to the bare window", ours / bare, "x"),
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


async def _frame_ms(blueprint: str, evses: int) -> tuple[float, float]:
    """Milliseconds a frame: snapshot, all views, painting, with every EVSE charging.

    The median, and what one frame in twenty exceeds.
    """
    from PySide6.QtWidgets import QApplication

    from app.kernel.catalogue import Catalogue
    from app.runtime.options import StationOptions, WindowOptions
    from app.station.commands import Permit
    from app.station.intents import PlugIn
    from app.training.thread import TrainingCsmsThread
    from ui.application import make_application, open_session
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
        session = await open_session(options, folder, url, Catalogue.load())
        switch = ThemeSwitch(app, "dark")
        preferences = Preferences(folder=folder)
        room = Room(session, Bridge(session), switch, training, url, preferences, folder)
        room.open()
        for evse in range(1, evses + 1):
            session.intend(PlugIn(evse, 1))
            session.station.handle(Permit(evse, 1))
        await asyncio.sleep(3)
        costs = []
        for _ in range(FRAMES):
            await asyncio.sleep(0.02)
            began = time.process_time()
            session.station.advance()
            room.bridge._publish()
            app.processEvents()
            costs.append((time.process_time() - began) * 1000)
        await room.close()
        await session.stop()
        training.stop()
        room.window.finish()
    costs.sort()
    return costs[len(costs) // 2], costs[len(costs) * 19 // 20]


def frames() -> list[Figure]:
    """The median frame for one and for eight EVSEs charging, graph in sight."""
    import qasync

    from ui.application import make_application

    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = make_application()
    with tempfile.TemporaryDirectory() as folder:
        many = Path(folder) / "eight.toml"
        many.write_text(_MANY, "utf-8")
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
            one = runner.run(_frame_ms("home-ac-11", 1))
            eight = runner.run(_frame_ms(str(many), 8))
    return [
        Figure("frame, 1 EVSE charging", one[0], "ms CPU", TARGET_FRAME),
        Figure("frame, 8 EVSEs charging", eight[0], "ms CPU", TARGET_FRAME),
        Figure("1 frame in 20, 1 EVSE", one[1], "ms CPU", TARGET_FRAME),
        Figure("1 frame in 20, 8 EVSEs", eight[1], "ms CPU", TARGET_FRAME),
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
    figures = [memory(), *first_paint(), *frames()]
    print(table(figures))
    text = json.dumps([asdict(figure) for figure in figures])
    print(text)
    if options.json:
        options.json.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
