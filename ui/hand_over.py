"""The station in a file: asks where it shall go, writes it, and says how it went."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QFileDialog, QWidget

from app.runtime.archive import ArchiveError
from app.runtime.session import Session
from app.runtime.store import StoreError
from ui.ask import ask
from ui.shell.toasts import Tone

Say = Callable[..., str]
Tell = Callable[[str, Tone], Any]


async def hand_over(parent: QWidget, session: Session, say: Say, tell: Tell) -> None:
    """Configuration, state and journal in one archive, without passwords and keys."""
    name = re.sub(r"[^\w.-]+", "-", session.snapshot().station_id) + ".zip"
    dialog = QFileDialog(parent, say("hand_over.title"), name)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    dialog.setDefaultSuffix("zip")
    dialog.selectFile(name)
    if not await ask(dialog):
        return
    target = Path(dialog.selectedFiles()[0])
    try:
        found = await session.export_station(target)
    except (ArchiveError, StoreError) as error:
        tell(session.catalogue.render(error.text), Tone.ERROR)
    else:
        params = {"file": target.name, "rows": found.rows, "events": found.events}
        tell(say("archive.exported", station=session.snapshot().station_id, **params), Tone.GOOD)
