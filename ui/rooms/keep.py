"""Small JSON files of the window: written at once, read with care, a damaged one kept aside."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Kept:
    """What was read: None when there is no file. `aside` is where a damaged one was put."""

    data: Any = None
    aside: Path | None = None


def read(path: Path) -> Kept:
    """Read a file; one that is no JSON is moved aside. Raises OSError if it cannot be read at all."""
    try:
        return Kept(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return Kept()
    except (ValueError, RecursionError):
        return Kept(aside=put_aside(path))


def put_aside(path: Path) -> Path:
    """Give a damaged file a name nobody reads, and return it."""
    for number in range(1, 1000):
        aside = path.with_suffix(f".damaged-{number}{path.suffix}")
        if not aside.exists():
            path.replace(aside)
            return aside
    raise OSError(f"too many damaged files beside {path}")


def write(path: Path, data: Any) -> None:
    """Replace the file as a whole, so that a kill leaves the old or the new one. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=path.name, dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(data, file, ensure_ascii=False, indent=2)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
