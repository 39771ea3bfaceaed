"""Frames that nobody should send do a station no harm.

A normal run shoots 5,000 times, `--full` 100,000 times; FORECOURT_FUZZ_SEED repeats a run. What once did
harm lies in `corpus/` and is shot first. After each 500 shots the station completes a normal session; its
memory grows by less than 5 MiB, and no callback holds the loop for 50 ms.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from app.ocpp.version import Version
from tests.fuzz.shots import Shot, Shots
from tests.fuzz.target import Hit, Target, give_back_what_is_free
from tests.support.loop_watch import LoopWatch

CORPUS = Path(__file__).parent / "corpus"
SEED = int(os.environ.get("FORECOURT_FUZZ_SEED") or Random().randrange(1_000_000))
NORMAL, FULL = 5_000, 100_000
SESSION_EVERY, PROBE_EVERY = 500, 50
WARM_UP = 2 * SESSION_EVERY
MEASURED = sys.platform.startswith("linux")
"""Memory in use can be told apart from memory that is free and only not given back."""
MAY_GROW = 5 * 1024 * 1024
"""Bytes."""
BOTH = pytest.mark.parametrize("version", list(Version), ids=lambda version: version.value)


def corpus(version: Version) -> Iterator[Shot]:
    """What once did harm, oldest name first."""
    for file in sorted(CORPUS.glob("*.json")):
        row = json.loads(file.read_text("utf-8"))
        if row["version"] == version.value:
            yield Shot.of_row(row)


def keep(shot: Shot, version: Version, why: str) -> Path:
    """Put a shot that did harm into the corpus."""
    row = shot.row(version, why[:500])
    text = json.dumps(row, indent=1, ensure_ascii=True)
    name = hashlib.blake2s(text.encode(), digest_size=6).hexdigest()
    file = CORPUS / f"{version.value}-{shot.kind.replace(' ', '-')}-{name}.json"
    file.write_text(text + "\n", "utf-8")
    return file


def largest(version: Version) -> Iterator[Shot]:
    """Shots of the largest sizes, so that the memory they need is there before it is measured."""
    shots = Shots(version, Random(1))
    for _ in range(30):
        yield shots._long()


async def fire(version: Version, folder: Path, count: int, seed: int) -> Counter[str]:
    """Shoot the corpus and then `count` new shots. Returns how many of each kind."""
    fired: Counter[str] = Counter()
    if MEASURED:
        give_back_what_is_free()
    gc.collect()
    gc.freeze()  # the objects of the test run are no part of the station's time
    with LoopWatch() as watch:
        target = Target(version, folder, watch)
        await target.start()
        try:
            for shot in corpus(version):
                await _take(target, shot, seed, "the corpus")
            await target.session_completes()
            for shot in largest(version):
                await _take(target, shot, seed, "one of the largest")
            before = 0
            for number, shot in enumerate(islice(Shots(version, Random(seed)), count), 1):
                await _take(target, shot, seed, f"shot {number}")
                fired[shot.kind] += 1
                if number % PROBE_EVERY == 0:
                    await target.probe()
                if number % SESSION_EVERY == 0:
                    await target.session_completes()
                if number == WARM_UP and MEASURED:
                    before = await target.resident()  # all is loaded, and each cache has its size
            grown = await target.resident() - before if MEASURED else 0
        finally:
            gc.unfreeze()
            await target.stop()
    words = ", ".join(f"{kind} {times}" for kind, times in sorted(fired.items()))
    print(f"FORECOURT_FUZZ_SEED={seed}, {version.value}: {count} shots ({words}), ", end="")
    print(f"memory grew by {grown / 1024 / 1024:.1f} MiB")
    assert grown < MAY_GROW, f"{grown} bytes: FORECOURT_FUZZ_SEED={seed}"
    return fired


async def _take(target: Target, shot: Shot, seed: int, which: str) -> None:
    try:
        await target.take(shot)
    except Hit as hit:
        kept = keep(shot, target.version, str(hit)) if which != "the corpus" else "the corpus"
        text = repr(shot.text[:300])
        raise AssertionError(
            f"FORECOURT_FUZZ_SEED={seed}, {target.version.value}, {which} ({shot.kind}): {hit}\n"
            f"{text}\nkept as {kept}"
        ) from hit


@BOTH
@pytest.mark.timeout(180)
async def test_thousands_of_wrong_frames_do_a_station_no_harm(
    version: Version, tmp_path: Path
) -> None:
    """RPC-06, RPC-07, RPC-10, RPC-11."""
    fired = await fire(version, tmp_path, NORMAL // 2, SEED)
    assert len(fired) == 11


@pytest.mark.full
@BOTH
@pytest.mark.timeout(3600)
async def test_a_hundred_thousand_wrong_frames_do_a_station_no_harm(
    version: Version, tmp_path: Path
) -> None:
    await fire(version, tmp_path, FULL // 2, SEED)
