"""The station in a file: out of this window, and out of a file into a window of its own."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QProcess
from PySide6.QtWidgets import QWidget

from app.kernel.text import Text
from app.runtime.archive import CONFIG, ArchiveError, import_station
from app.runtime.session import Session
from app.runtime.store import StoreError
from ui.ask import ask
from ui.files import file_to_open, file_to_save
from ui.shell.confirm import Confirmation
from ui.shell.toasts import Tone

Say = Callable[..., str]
Tell = Callable[[str, Tone], Any]

CHECKOUT = Path(__file__).parents[1]


async def hand_over(parent: QWidget, session: Session, say: Say, tell: Tell) -> None:
    """Configuration, state and journal in one archive, without passwords and keys."""
    name = _plain(session.snapshot().station_id) + ".zip"
    chosen = await file_to_save(parent, say("hand_over.title"), name, suffix="zip").ask()
    if not chosen:
        return
    target = Path(chosen)
    try:
        found = await session.export_station(target)
    except (ArchiveError, StoreError) as error:
        tell(session.catalogue.render(error.text), Tone.ERROR)
    else:
        params = {"file": target.name, "rows": found.rows, "events": found.events}
        tell(say("archive.exported", station=session.snapshot().station_id, **params), Tone.GOOD)


async def take_in(parent: QWidget, session: Session, home: Path, say: Say, tell: Tell) -> None:
    """Unpack an archive into a folder under `home`, named like the file, and open what was in it.

    The station of this window stays as it is: the other one gets a window, a process and a folder of its
    own.
    """
    chosen = await file_to_open(parent, say("take_in.title"), say("take_in.files")).ask()
    if not chosen:
        return
    source = Path(chosen)
    folder = home / _plain(source.stem)
    catalogue = session.catalogue
    try:
        found = await asyncio.to_thread(import_station, source, folder)
    except ArchiveError as error:
        there = error.text.id == "archive.folder_in_use"
        why = say("take_in.there", folder=str(folder)) if there else catalogue.render(error.text)
        tell(why, Tone.ERROR)
        return
    params = {"station": found.station, "folder": str(folder)}
    question = Confirmation("take_in", catalogue, parent, destroys=False, **params)
    if not await ask(question):
        params["config"] = str(folder / CONFIG)
        tell(catalogue.render(Text("archive.imported", params)), Tone.NOTE)
    elif not open_window(folder):
        tell(say("take_in.no_window"), Tone.ERROR)


def open_window(folder: Path) -> bool:
    """Another Forecourt with the station that was unpacked there. False if it cannot be started."""
    arguments = ["--config", str(folder / CONFIG), "--state-dir", str(folder)]
    if not getattr(sys, "frozen", False):
        arguments = ["-m", "ui", *arguments]  # found in the folder it is started in
    started: Any = QProcess.startDetached(sys.executable, arguments, str(CHECKOUT))
    return bool(started[0] if isinstance(started, tuple) else started)


def _plain(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name)
