"""What the window remembers from one start to the next: theme, layout. Never a secret."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from ui.rooms import keep

FILE = "window.json"
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Preferences:
    """A broken file counts as none: it holds nothing that would be missed."""

    theme: str = "dark"
    layout: str = ""
    folder: Path | None = None

    @classmethod
    def load(cls, folder: Path) -> Preferences:
        found = cls(folder=folder)
        try:
            data = json.loads((folder / FILE).read_text("utf-8"))
            if data["theme"] in {"dark", "light"}:
                found.theme = data["theme"]
            found.layout = str(data["layout"])
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("%s is not used: %s", folder / FILE, error)
        return found

    def save(self) -> None:
        if self.folder is None:
            return
        data = {key: value for key, value in asdict(self).items() if key != "folder"}
        try:
            keep.write(self.folder / FILE, data)  # for its owner only, like all in that folder
        except OSError as error:
            log.warning("%s cannot be written: %s", self.folder / FILE, error)
