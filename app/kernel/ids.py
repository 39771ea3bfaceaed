"""Ids that are never used twice, from a source that tests can seed."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable

IdSource = Callable[[], str]


def random_ids() -> IdSource:
    """Fresh UUIDs (36 characters), unique over all connections and restarts."""
    return lambda: str(uuid.uuid4())


def seeded_ids(seed: int) -> IdSource:
    """UUIDs that are the same in each run with the same seed: for tests and replays."""
    source = random.Random(seed)
    return lambda: str(uuid.UUID(int=source.getrandbits(128), version=4))
