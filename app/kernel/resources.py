"""Where the data files lie: in a checkout beside `app`, in a frozen program in its bundle."""

from __future__ import annotations

import sys
from pathlib import Path


def resource(*parts: str) -> Path:
    """The path of a file or folder below `resources`."""
    bundle = getattr(sys, "_MEIPASS", None)
    root = Path(bundle) if bundle else Path(__file__).resolve().parents[2]
    return root.joinpath("resources", *parts)


def resource_texts(folder: str, suffix: str = ".toml") -> dict[str, str]:
    """The files of a folder below `resources`: name without suffix -> text, in the order of names."""
    paths = sorted(resource(folder).glob(f"*{suffix}"))
    return {path.name.removesuffix(suffix): path.read_text("utf-8") for path in paths}


def is_file(path: Path) -> bool:
    """Is there such a file; what no file can be named is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Is there such a folder; what none can be named is none."""
    try:
        return path.is_dir()
    except OSError:
        return False
