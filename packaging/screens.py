"""Keeps pictures of the window, to be looked at and for the README.

    .venv/bin/python packaging/screens.py [--folder screens] [--only dc-2x150]
    .venv/bin/python packaging/screens.py --readme

Three blueprints, dark and light, idle, charging and faulted, at 1280x800 and 2560x1440, offscreen, with a
real session and the training CSMS. `--readme` makes `resources/help/window-dark.png` alone.
"""
# ruff: noqa: E402 - the checkout has to be found before it is imported

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtWidgets import QAbstractButton, QApplication

from app.kernel.catalogue import Catalogue
from app.ocpp.context import BootState
from app.runtime.options import StationOptions, WindowOptions
from app.runtime.session import Session
from app.station.intents import PlugIn, PresentCard, RaiseFault
from app.station.kinds import Fault, Flow
from app.training.thread import TrainingCsmsThread
from ui.application import make_application, make_session, run_in_loop
from ui.bridge import Bridge
from ui.main_room import Room
from ui.preferences import Preferences
from ui.theme import ThemeSwitch

BLUEPRINTS = ("home-ac-11", "public-ac-2x22", "dc-2x150")
SIZES = ((1280, 800), (2560, 1440))
README = (ROOT / "resources" / "help" / "window-dark.png", (1600, 1000))
PACE = {"home-ac-11": 15.0, "public-ac-2x22": 15.0, "dc-2x150": 6.0}
"""Station seconds between two points of the graph."""
POINTS = 70
CARDS = ("04A29F1C", "0477B0E3")
SETTINGS = "[vehicle]\nready_delay = 0\nsoc = 34\n"


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - part of it happens in the thread of the CSMS
            await asyncio.sleep(0.05)


class Stage:
    """One station in its window, brought from state to state."""

    def __init__(self, room: Room, session: Session, blueprint: str) -> None:
        self.room, self.session, self.blueprint = room, session, blueprint

    @property
    def evses(self) -> list[int]:
        return [evse.id for evse in self.session.snapshot().station.evses]

    async def idle(self) -> None:
        await until(lambda: self.session.snapshot().boot is BootState.ACCEPTED)

    async def charging(self) -> None:
        """Every EVSE charges; the second one came later."""
        for evse, card in zip(self.evses, CARDS, strict=False):
            await self.pass_time(4)
            self.session.intend(PlugIn(evse, 1))
            await self.pass_time(2)
            self.session.intend(PresentCard(card, evse=evse))
            await until(lambda evse=evse: self._flow(evse) is Flow.CHARGING)
            await self.pass_time(14)
        self._whole_session_in_the_graph()
        await self.pass_time(POINTS)

    def _whole_session_in_the_graph(self) -> None:
        button = self.room.window.inspector.findChild(QAbstractButton, "graph.span.session")
        if button is not None:
            button.click()

    async def faulted(self) -> None:
        self.session.intend(RaiseFault(Fault.RCD, 1, 1))
        await self.pass_time(2)

    async def pass_time(self, points: int) -> None:
        """Let the graph see the time that passes."""
        for _ in range(points):
            await self.session.clock.travel(PACE[self.blueprint])
            await asyncio.sleep(0.12)

    async def settle(self) -> None:
        """Toasts have gone, a message is looked at, all is painted."""
        await until(lambda: not self.room.window.toasts.texts(), 30)
        model = self.room.window.messages.model
        rows = self.session.exchanges.rows()
        wanted = ("TransactionEvent", "MeterValues", "StatusNotification", "BootNotification")
        best = min(rows, key=lambda row: (wanted.index(row.action), -row.number)
                   if row.action in wanted else (9, 0))  # fmt: skip
        await until(lambda: model.rowCount() >= best.number)
        self.room.window.messages.select(best.number)
        self.room.window.setFocus()
        await asyncio.sleep(0.4)
        await until(lambda: self.room.switch.settled and self.room.window.canvas.ready)

    def shoot(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not self.room.window.grab().save(str(file)):
            raise OSError(f"{file} cannot be written")
        sys.stdout.write(f"{file}\n")

    def _flow(self, evse: int) -> Flow:
        return self.session.station.snapshot().evse(evse).flow


async def with_stage(app: QApplication, blueprint: str, play: Callable[[Stage], object]) -> None:
    """Open the window on a fresh state, play, close."""
    training = TrainingCsmsThread()
    url = training.start()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "settings.toml").write_text(SETTINGS, "utf-8")
        options = StationOptions(
            id="CP-0042", version="2.0.1", blueprint=blueprint, config=folder / "settings.toml"
        )
        session = make_session(WindowOptions(options), folder, url, Catalogue.load())
        switch = ThemeSwitch(app, "dark")
        preferences = Preferences.load(folder)
        room = Room(session, Bridge(session), switch, training, url, preferences, folder)
        await room.open()
        try:
            await play(Stage(room, session, blueprint))
        finally:
            await room.close()
            await session.stop()
            training.stop()
            room.window.finish()
            room.window.deleteLater()


async def all_states(stage: Stage, folder: Path) -> None:
    for state in ("idle", "charging", "faulted"):
        await getattr(stage, state)()
        for theme in ("dark", "light"):
            stage.room.switch.use(theme)
            for width, height in SIZES:
                stage.room.window.resize(width, height)
                await stage.settle()
                stage.shoot(folder / f"{stage.blueprint}-{state}-{theme}-{width}x{height}.png")


async def readme(stage: Stage) -> None:
    stage.room.window.resize(*README[1])
    await stage.idle()
    await stage.charging()
    await stage.settle()
    stage.shoot(README[0])


async def run(app: QApplication, chosen: argparse.Namespace) -> None:
    if chosen.readme:
        await with_stage(app, "public-ac-2x22", readme)
        return
    for blueprint in chosen.only or BLUEPRINTS:
        await with_stage(app, blueprint, lambda stage: all_states(stage, chosen.folder))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "screens")
    parser.add_argument("--only", action="append", choices=BLUEPRINTS)
    parser.add_argument("--readme", action="store_true", help=f"make {README[0].name} alone")
    app = make_application()
    run_in_loop(app, lambda _: run(app, parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
