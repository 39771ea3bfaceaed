"""The program of a version is read in a thread: the loop, and the window in it, cannot spare the time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

STORY = """
import asyncio, sys, threading
from pathlib import Path

from app.ocpp.context import BootState
from app.runtime.session import Session
from app.runtime.settings import resolve
from app.training.thread import TrainingCsmsThread

OTHER = {"app.ocpp.v16": "app.ocpp.v201", "app.ocpp.v201": "app.ocpp.v16"}
threads = {}

class Finder:
    def find_spec(name, *_):
        if name in OTHER:
            threads[name] = threading.current_thread() is threading.main_thread()

sys.meta_path.insert(0, Finder)

async def main(folder, url, version, module):
    flags = {"csms.url": url, "csms.id": "CS-1", "csms.version": version}
    session = Session(resolve(None, flags=flags).config, state_dir=Path(folder))
    await session.start()
    while session.snapshot().boot is not BootState.ACCEPTED:
        await asyncio.sleep(0.01)
    assert threads == {module: False}, threads
    if version == "auto":
        await session.speak("1.6")
        assert threads == {module: False, OTHER[module]: False}, threads
    await session.stop()

training = TrainingCsmsThread()
try:
    asyncio.run(asyncio.wait_for(main(sys.argv[1], training.start(), *sys.argv[2:]), 30))
finally:
    training.stop()
print("read")
"""


@pytest.mark.parametrize(
    ("version", "module"),
    [("1.6", "app.ocpp.v16"), ("2.0.1", "app.ocpp.v201"), ("auto", "app.ocpp.v201")],
)
def test_only_the_version_that_is_spoken_is_read_and_not_in_the_loop(
    version: str, module: str, tmp_path: Path, checkout: Path
) -> None:
    """In a program of its own: this one has read both long ago."""
    done = subprocess.run(
        [sys.executable, "-c", STORY, str(tmp_path), version, module],
        capture_output=True,
        encoding="utf-8",
        cwd=checkout,
        timeout=60,
        check=False,
    )
    assert done.stdout.strip() == "read", done.stderr[-2000:]
