"""`forecourt --self-test`: does this installation work? A session in both versions by real buttons.

Offscreen, with a training CSMS in its thread and a state that is thrown away. What counts is what the
back office has seen.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.ocpp.context import BootState
from app.runtime.exit_codes import Exit
from app.runtime.options import StationOptions, WindowOptions
from app.station.kinds import Flow
from app.trace.exchange import Verdict
from app.training.records import TransactionRecord
from app.training.thread import TrainingCsmsThread
from ui.application import make_application, make_session, run_in_loop
from ui.bridge import Bridge
from ui.main_room import Room
from ui.preferences import Preferences
from ui.station.hotspots import Act
from ui.theme import ThemeSwitch

VERSIONS = ("1.6", "2.0.1")
PATIENCE_S = 20.0
ENOUGH_WH = 3.0
STATION = "SELF-TEST"
SETTINGS = "[vehicle]\nready_delay = 0\nsoc = 20\n"
WRONG = (Verdict.SCHEMA_ERROR, Verdict.CALL_ERROR, Verdict.TIMEOUT)


class SelfTestFailed(Exception):
    """The sentence that says what does not work."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.id)
        self.text = text


def run_self_test() -> int:
    """Run it and tell what was done. Returns the exit code."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    catalogue = Catalogue.load()
    app = make_application()

    def tell(text: Text) -> None:
        sys.stdout.write(catalogue.render(text) + "\n")
        sys.stdout.flush()

    good = run_in_loop(app, lambda _: _all(app, catalogue, tell))
    tell(Text("self_test.good" if good else "self_test.bad"))
    return int(Exit.OK if good else Exit.SELF_TEST)


async def _all(app: QApplication, catalogue: Catalogue, tell: Callable[[Text], None]) -> bool:
    good = True
    for version in VERSIONS:
        try:
            with tempfile.TemporaryDirectory(prefix="forecourt-") as folder:
                tell(await Rehearsal(app, catalogue, version, Path(folder)).run())
        except SelfTestFailed as failed:
            tell(failed.text)
            good = False
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what this test looks for
            params = {"version": version, "error": f"{type(error).__name__}: {error}"}
            tell(Text("self_test.broken", params))
            good = False
    return good


class Rehearsal:
    """One session in one version, from an empty state to an orderly end."""

    def __init__(self, app: QApplication, catalogue: Catalogue, version: str, folder: Path) -> None:
        self._app, self._catalogue = app, catalogue
        self._version, self._folder = version, folder
        self._training = TrainingCsmsThread()

    async def run(self) -> Text:
        """Returns what was done. Raises SelfTestFailed."""
        began = time.monotonic()
        url = self._training.start()
        try:
            energy = await self._with_window(url)
        finally:
            self._training.stop()
        seconds = f"{time.monotonic() - began:.1f}"
        params = {"version": self._version, "energy": f"{energy:.0f}", "seconds": seconds}
        return Text("self_test.session", params)

    async def _with_window(self, url: str) -> float:
        config = self._folder / "station.toml"
        config.write_text(SETTINGS, "utf-8")
        station = StationOptions(id=STATION, version=self._version, config=config)
        session = make_session(WindowOptions(station), self._folder, url, self._catalogue)
        preferences = Preferences.load(self._folder)
        switch = ThemeSwitch(self._app, preferences.theme)
        bridge = Bridge(session)
        room = Room(session, bridge, switch, self._training, url, preferences, self._folder)
        await room.open()
        try:
            return await self._session(room)
        finally:
            await room.close()
            await session.stop()
            room.window.finish()
            room.window.deleteLater()

    async def _session(self, room: Room) -> float:
        """Plug, card, power, stop, unplug; returns the energy that the back office counts, Wh."""
        window, machine = room.window, room.session.station
        await self._until("boot", lambda: room.session.snapshot().boot is BootState.ACCEPTED)
        press(window.canvas.hotspot(Act.PLUG, 1))
        await self._until("plug", self._knows_plug)
        press(window.wallet.buttons()[0])
        await self._until("charge", lambda: machine.snapshot().evse(1).flow is Flow.CHARGING)
        await self._until("energy", lambda: machine.snapshot().evse(1).session_energy > ENOUGH_WH)
        press(window.canvas.hotspot(Act.STOP, 1))
        await self._until("stop", lambda: self._ended() is not None)
        press(window.canvas.hotspot(Act.PLUG, 1))
        await self._until("unplug", lambda: machine.snapshot().evse(1).flow is Flow.IDLE)
        exchanges, table = room.session.exchanges, window.messages.model
        await self._until("messages", lambda: table.rowCount() == len(exchanges) > 0)
        if wrong := [row for row in exchanges.rows() if row.verdict in WRONG]:
            params = {"version": self._version, "count": len(wrong), "action": wrong[0].action}
            raise SelfTestFailed(Text("self_test.wrong", params))
        ended = self._ended()
        return ended.energy_wh or 0.0 if ended else 0.0

    def _knows_plug(self) -> bool:
        record = self._training.snapshot().station(STATION)
        return record is not None and any(
            one.status in ("Preparing", "Occupied") for one in record.connectors
        )

    def _ended(self) -> TransactionRecord | None:
        found = self._training.snapshot().transactions_of(STATION)
        return next((one for one in found if not one.active), None)

    async def _until(self, step: str, condition: Callable[[], object]) -> None:
        """The window lives on while it is waited for."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not condition():  # noqa: ASYNC110 - part of it happens in another thread
                    await asyncio.sleep(0.05)
        except TimeoutError:
            params = {
                "version": self._version,
                "seconds": f"{PATIENCE_S:.0f}",
                "what": Text(f"self_test.step_{step}"),
            }
            raise SelfTestFailed(Text("self_test.late", params)) from None


def press(widget: QWidget) -> None:
    """A click of the left button, by the events that a mouse makes."""
    at = QPointF(widget.rect().center())
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    for kind, held in (
        (QEvent.Type.MouseButtonPress, left),
        (QEvent.Type.MouseButtonRelease, none),
    ):
        there = QPointF(widget.mapToGlobal(at.toPoint()))
        event = QMouseEvent(kind, at, there, left, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(widget, event)
