"""Keeps figures: one line of JSON a run in `reports/`, so that runs can be compared."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "reports"


def keep(name: str, results: Iterable[Any], folder: Path = FOLDER) -> Path:
    """Append the figures of a run (dataclasses) to `<name>.jsonl`. Returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.jsonl"
    line = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "figures": [asdict(result) for result in results],
    }
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(line) + "\n")
    return file
