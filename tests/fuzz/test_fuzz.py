"""Frames that nobody should send do a station no harm.

A normal run shoots 5,000 times, `--full` 100,000 times; FORECOURT_FUZZ_SEED repeats a run. What once did
harm lies in `corpus/` and is shot first. After each 500 shots the station completes a normal session; its
memory grows by less than 5 MiB, and no callback holds the loop for 50 ms.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from app.ocpp.context import CallFailed
from app.ocpp.version import Version
from app.runtime.collector import Collector
from tests.fuzz.corpus import keep, kept
from tests.fuzz.shots import Shot, Shots
from tests.fuzz.target import Hit, Target, give_back_what_is_free
from tests.support import suite_clock
from tests.support.loop_watch import LoopWatch

SEED = int(os.environ.get("FORECOURT_FUZZ_SEED") or Random().randrange(1_000_000))
NORMAL, FULL = 5_000, 100_000
FLOOD = 10_000
SESSION_EVERY, PROBE_EVERY = 500, 50
WARM_UP = 2 * SESSION_EVERY
"""Shots before memory is measured, and a tenth of them all at least: all is loaded then, and each cache
(of SQLite, of regular expressions) has the size that it keeps."""
MEASURED = sys.platform.startswith("linux")
"""Memory in use can be told apart from memory that is free and only not given back."""
MAY_GROW = 5 * 1024 * 1024
"""Bytes."""
BOTH = pytest.mark.parametrize("version", list(Version), ids=lambda version: version.value)


def largest(version: Version) -> Iterator[Shot]:
    """Shots of the largest sizes, so that the memory they need is there before it is measured."""
    shots = Shots(version, Random(1))
    for _ in range(30):
        yield shots._long()


class Range:
    """Where one station is shot at; whatever did it harm goes into the corpus."""

    def __init__(self, target: Target, seed: int) -> None:
        self.target, self.seed = target, seed
        self._known = frozenset(kept(target.version))
        self._since: list[Shot] = []
        """What was shot since it last showed that it lives."""

    async def shoot(self, shot: Shot) -> None:
        """Raises AssertionError with the seed and where the shot is kept."""
        self._since.append(shot)
        try:
            await self.target.take(shot)
        except Hit as hit:
            raise self._failure([shot], hit) from hit

    async def lives(self, sign: Callable[[], Awaitable[None]]) -> None:
        """It answers, or completes a session. Raises AssertionError as `shoot` does."""
        try:
            await sign()
        except (Hit, CallFailed, TimeoutError) as failure:
            raise self._failure(self._since, failure) from failure

    async def completes_a_session(self) -> None:
        await self.lives(self.target.session_completes)
        self._since.clear()
        self.target.watch.slow.clear()  # has been looked at

    def _failure(self, shots: list[Shot], failure: Exception) -> AssertionError:
        new = [shot for shot in shots if shot not in self._known]
        file = keep(new, self.target.version, str(failure)) if new else "it was"
        return AssertionError(
            f"FORECOURT_FUZZ_SEED={self.seed}, {self.target.version.value}: {failure}\n"
            f"{shots[-1:]!r:.400}\nkept as {file}"
        )


@contextmanager
def collected() -> Iterator[None]:
    """As in the program; the objects of the test run are no part of the station's time."""
    collector = Collector()
    collector.start()
    collector.settle(quiet=lambda: False)  # under fire there is no quiet minute
    try:
        yield
    finally:
        collector.stop()


async def fire(version: Version, folder: Path, many: int, seed: int) -> str:
    """Shoot the corpus and then `many` new shots. Returns in words what was shot."""
    fired: Counter[str] = Counter()
    if MEASURED:
        give_back_what_is_free()
    with LoopWatch() as watch, collected():
        target = Target(version, folder, watch)
        await target.start()
        try:
            stand = Range(target, seed)
            for shot in (*kept(version), *largest(version)):
                await stand.shoot(shot)
            await stand.completes_a_session()
            before = 0
            shots = Shots(version, Random(seed))
            for number, shot in enumerate(islice(shots, many), 1):
                await stand.shoot(shot)
                fired[shot.kind] += 1
                if number % PROBE_EVERY == 0:
                    await stand.lives(target.probe)
                if number % SESSION_EVERY == 0:
                    await stand.completes_a_session()
                if number == max(WARM_UP, many // 10) and MEASURED:
                    shots.forget()
                    before = await target.resident()
            shots.forget()
            grown = await target.resident() - before if MEASURED else 0
        finally:
            await target.stop()
    assert len(fired) == 11, fired
    kinds = ", ".join(f"{kind} {times}" for kind, times in sorted(fired.items()))
    words = f"FORECOURT_FUZZ_SEED={seed}, {version.value}: {many} shots ({kinds})"
    words += f", memory grew by {grown / 1024 / 1024:.1f} MiB"
    assert grown < MAY_GROW, words
    return words


@BOTH
@pytest.mark.timeout(180)
async def test_thousands_of_wrong_frames_do_a_station_no_harm(
    version: Version, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """RPC-06, RPC-07, RPC-10, RPC-11."""
    suite_clock.tell_seed(request, await fire(version, tmp_path, NORMAL // 2, SEED))


@pytest.mark.full
@BOTH
@pytest.mark.timeout(3600)
async def test_a_hundred_thousand_wrong_frames_do_a_station_no_harm(
    version: Version, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    suite_clock.tell_seed(request, await fire(version, tmp_path, FULL // 2, SEED))


@BOTH
async def test_a_flood_of_ten_thousand_frames_is_answered_to_the_last(
    version: Version, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """All at once; what waits is in the wire, the loop goes on, and the memory is as before."""
    if MEASURED:
        give_back_what_is_free()
    with LoopWatch() as watch, collected():
        target = Target(version, tmp_path, watch)
        await target.start()
        try:
            await target.session_completes()
            before = await target.resident() if MEASURED else 0
            await target.flood(FLOOD)
            await target.session_completes()
            grown = await target.resident() - before if MEASURED else 0
        finally:
            await target.stop()
    words = f"{version.value}: a flood of {FLOOD}, memory grew by {grown / 1024 / 1024:.1f} MiB"
    suite_clock.tell_seed(request, words)
    assert grown < MAY_GROW, words


@BOTH
def test_what_did_harm_is_shot_again(version: Version, tmp_path: Path) -> None:
    shots = list(islice(Shots(version, Random(5)), 60))
    assert keep(shots, version, "stood still", tmp_path).suffix == ".gz"
    assert keep(shots[:1], version, "at once", tmp_path).suffix == ".json"
    again = list(kept(version, tmp_path))
    assert sorted(map(repr, again)) == sorted(map(repr, [*shots, shots[0]]))
