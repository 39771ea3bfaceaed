"""What leaves a full queue: the open point both-offline-queue-capacity.

2.0.1 E04.FR.07, E04.FR.08 and QueueAllMessages name the order: what belongs to no transaction first, then
every second of the intermediate values (the first, the third, the fifth), never a start or an end. 1.6 is
held to the same: its MeterValues go, its StartTransaction and StopTransaction stay.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

POINT = "both-offline-queue-capacity"


class Spare(IntEnum):
    """How easily a message can be spared; the lowest above KEEP go first."""

    KEEP = 0
    """Never left out: starts, ends, critical security events."""
    LOOSE = 1
    """Belongs to no transaction."""
    SAMPLE = 2
    """Intermediate meter values of a transaction."""
    UPDATE = 3
    """An event in the middle of a transaction that tells more than meter values."""


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a waiting message without reading it."""

    action: str
    ref: str
    spare: Spare


class Room:
    """Finds what to leave out when one more message comes than there is room for.

    `choose` gives the option of the open point in force. Each call names at most one message, so a
    full queue costs each new message one deletion and never a long pause.

    Where values are thinned again and again, always leaving out the first of what is left would empty
    the beginning: the one goes whose neighbours in its transaction are nearest to each other, the
    oldest of several. With values at an even pace these are the first, the third, the fifth.
    """

    def __init__(self, choose: Callable[[], str]) -> None:
        self._choose = choose
        self._doomed: deque[str] = deque()

    def victim(self, waiting: Mapping[str, Head], sending: str | None) -> str | None:
        """The key that makes room; None where nothing may be left out.

        `waiting` holds all keys (numbers that grow with time), oldest first; what is being sent at
        this moment always stays.
        """
        option = self._choose()
        if option == "drop-oldest":
            return next((key for key in waiting if key != sending), None)
        if option != "drop-intermediate":
            return None
        while self._doomed:
            key = self._doomed.popleft()
            if key in waiting and key != sending:
                return key
        self._doomed = _thinned(waiting, sending)
        return self._doomed.popleft() if self._doomed else None


AT_ONCE = 64
"""A round of thinning takes at least the n-th part of what can be spared, so that rounds are rare."""


def _thinned(waiting: Mapping[str, Head], sending: str | None) -> deque[str]:
    """The keys that go in the next round, oldest first."""
    kinds = {head.spare for key, head in waiting.items() if head.spare and key != sending}
    if not kinds:
        return deque()
    first = min(kinds)
    by_ref: dict[str, list[tuple[int, str, bool]]] = {}
    for key, head in waiting.items():
        spared = head.spare is first and key != sending
        by_ref.setdefault(head.ref, []).append((int(key), key, spared))
    gaps = sorted(gap for line in by_ref.values() for gap in _gaps(line))
    widest = gaps[len(gaps) // AT_ONCE] if gaps else 0
    doomed = sorted(item for line in by_ref.values() for item in _nearest(line, widest))
    if not doomed:  # each stands alone in its transaction
        return deque([key for line in by_ref.values() for _, key, spared in line if spared][:1])
    return deque(key for _, key in doomed)


def _before(line: list[tuple[int, str, bool]]) -> int:
    """Where the message before the first of a line lay, as far as one can tell."""
    return 2 * line[0][0] - line[1][0]


def _gaps(line: list[tuple[int, str, bool]]) -> Iterator[int]:
    """How far the neighbours of each message that can be spared are from each other.

    The newest of a transaction has none after it and stays.
    """
    if len(line) < 2:
        return
    before = _before(line)
    for (at, _, spared), (after, _, _) in pairwise(line):
        if spared:
            yield after - before
        before = at


def _nearest(line: list[tuple[int, str, bool]], widest: int) -> Iterator[tuple[int, str]]:
    """Those that can go without making a gap wider than this, never two neighbours."""
    if len(line) < 2:
        return
    before = _before(line)
    for (at, key, spared), (after, _, _) in pairwise(line):
        if spared and after - before <= widest:
            yield at, key
        else:
            before = at
