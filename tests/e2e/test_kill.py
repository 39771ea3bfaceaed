"""A station that is killed at any moment loses nothing and invents nothing (issue text: power cut and kill).

A normal run kills 40 times, `--full` 300 times. FORECOURT_KILL_SEED repeats a run: it stands at the
end of the run and in the message of a failure. The same seed gives the same orders; what exactly a kill
interrupts is up to the computer.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from tests.e2e.office import Office
from tests.support import suite_clock
from tests.support.evidence import Evidence
from tests.support.kill import QUEUED, SAMPLE_EVERY, Trial
from tests.support.nursery import Nursery

LIVES = 5
"""Kills of one station, before it may deliver what is left."""

SEED = int(os.environ.get("FORECOURT_KILL_SEED") or Random().randrange(1_000_000))


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


def test_kills_lose_no_message_of_a_transaction(
    nursery: Nursery, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """OFF-04, errata 1, 2: 40 kills, at least a fifth of them between a send and its reply."""
    suite_clock.tell_seed(request, _kill(nursery, tmp_path, stations=8))


@pytest.mark.full
@pytest.mark.timeout(900)
def test_300_kills_lose_no_message_of_a_transaction(
    nursery: Nursery, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """OFF-04, errata 1, 2."""
    suite_clock.tell_seed(request, _kill(nursery, tmp_path, stations=60))


def _kill(nursery: Nursery, folder: Path, stations: int) -> str:
    """Returns the seed and what was met, in words."""
    seeds = [SEED + number for number in range(stations)]
    with ThreadPoolExecutor(4) as pool:
        works = [
            pool.submit(_try, nursery, folder, "1.6" if number % 2 else "2.0.1", seed)
            for number, seed in enumerate(seeds)
        ]
    failed = [str(error) for work in works if (error := work.exception())]
    assert not failed, "\n".join(failed)
    trials = [work.result() for work in works]
    kills = [kill for trial, _ in trials for kill in trial.kills]
    unanswered = Counter(kill.unanswered for kill in kills if kill.unanswered in QUEUED)
    waiting = sum(bool(kill.waiting) for kill in kills)
    events = sum(len(evidence.once) for _, evidence in trials)
    repeats = sum(evidence.repeats for _, evidence in trials)
    met = (
        f"FORECOURT_KILL_SEED={SEED}: {len(kills)} kills, {sum(unanswered.values())} between a send"
        f" and its reply {dict(unanswered)}, {waiting} with messages waiting;"
        f" {events} messages of transactions, {repeats} repeats"
    )
    assert len(kills) == stations * LIVES
    assert sum(unanswered.values()) >= len(kills) / 5, f"FORECOURT_KILL_SEED={SEED}"
    assert repeats, f"nothing was repeated: FORECOURT_KILL_SEED={SEED}"
    return met


def _try(nursery: Nursery, folder: Path, version: str, seed: int) -> tuple[Trial, Evidence]:
    """One station: its lives, and the judgement of what its CSMS saw."""
    office = Office()
    trial = Trial(office, nursery, version, seed, folder / str(seed))
    try:
        trial.run(LIVES)
        evidence = Evidence(trial.frames, version, new_ids=trial.new_ids)
        evidence.sample_every = SAMPLE_EVERY
        evidence.judge()
        _nothing_told_is_missing(trial, evidence)
    except Exception as error:
        raise AssertionError(
            f"FORECOURT_KILL_SEED={SEED}, {version}, station {seed}: {error}"
        ) from error
    finally:
        office.close()
    return trial, evidence


def _nothing_told_is_missing(trial: Trial, evidence: Evidence) -> None:
    """What lay on the disk at a kill, or was shown before it, has reached the CSMS."""
    for kill in trial.kills:
        assert not evidence.unseen(kill.waiting), f"of kill {kill.life} ({kill.moment})"
    known = evidence.transactions()
    told = [*trial.told.started, *trial.told.ended]
    for event in told:
        assert event["transaction_id"] is None or event["transaction_id"] in known, event
    for evse, count in Counter(event["evse"] for event in trial.told.started).items():
        assert evidence.starts_at(evse) >= count, f"{count} starts at EVSE {evse} were shown"
