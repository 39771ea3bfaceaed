"""Ids that are never used twice, from a source that tests can seed."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Callable

IdSource = Callable[[], str]


def random_ids() -> IdSource:
    """Fresh UUIDs (36 characters), unique over all connections and restarts."""
    return _random_id


def _random_id() -> str:
    # a UUID of version 4 without the class of that name, which takes five times as long
    text = os.urandom(16).hex()
    variant = _VARIANT[text[16]]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"


_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""The digit of a UUID whose two upper bits say how to read it: the lower two stay random."""


def seeded_ids(seed: int) -> IdSource:
    """UUIDs that are the same in each run with the same seed: for tests and replays."""
    source = random.Random(seed)
    return lambda: str(uuid.UUID(int=source.getrandbits(128), version=4))
