"""Installs programs of others for tests, each in a folder of its own that later runs find again."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
PATIENCE = 180.0
"""Seconds an installation may take."""

LEDGER = "ocpp-csms==0.1.0"
"""A central system of its own, under the AGPL: it is only run beside the tests, never shipped."""


def cache_folder(config: pytest.Config, factory: pytest.TempPathFactory) -> Path:
    """Where installations are kept: pytest's cache, or a folder of this run where that is off."""
    cache = getattr(config, "cache", None)
    return Path(cache.mkdir("independent")) if cache is not None else factory.mktemp("independent")


def installed(place: Path, install: Callable[[Path], None]) -> Path:
    """The folder, made if it is not there. Whoever is first wins; a half-made one is never seen."""
    if place.exists():
        return place
    draft = place.with_name(f"{place.name}.{os.getpid()}")
    try:
        install(draft)
        draft.rename(place)
    except OSError:
        if not place.exists():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return place


def run(command: list[str], folder: Path) -> None:
    """A step of an installation; a failure skips the test, visibly, with what was said."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"{' '.join(command[:3])} took longer than {PATIENCE:g} s")
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        pytest.skip(f"{' '.join(command[:3])} failed, perhaps without a network: {last}")


def node_modules(cache: Path) -> Path:
    """The folder with ocpp-rpc, exactly as its lock says."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node and npm are not on this computer, and ocpp-rpc is a program for them")
    source = HERE / "ocpp_rpc"
    lock = (source / "package-lock.json").read_bytes()

    def install(draft: Path) -> None:
        draft.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, draft)
        run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], draft)

    place = cache / f"ocpp-rpc-{hashlib.sha256(lock).hexdigest()[:12]}"
    return installed(place, install) / "node_modules"


def ledger_python(cache: Path) -> Path:
    """The interpreter of an environment with the central system that keeps transactions."""

    def python(place: Path) -> Path:
        return place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def install(draft: Path) -> None:
        venv.create(draft, with_pip=True)
        run([str(python(draft)), "-m", "pip", "install", "-q", LEDGER], draft)

    minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return python(installed(cache / f"{LEDGER.replace('==', '-')}-py{minor}", install))
