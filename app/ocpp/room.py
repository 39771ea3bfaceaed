"""What leaves a full queue: the open point both-offline-queue-capacity.

2.0.1 E04.FR.07, E04.FR.08 and QueueAllMessages name the order: what belongs to no transaction first, then
every second of the intermediate values (the first, the third, the fifth), never a start or an end. 1.6 is
held to the same: its MeterValues go, its StartTransaction and StopTransaction stay.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from enum import IntEnum

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


class Room:
    """Finds what to leave out when one more message comes than there is room for.

    `choose` gives the option of the open point in force. Each call names at most one message, so a
    full queue costs each new message one deletion and never a long pause.
    """

    def __init__(self, choose: Callable[[], str]) -> None:
        self._choose = choose
        self._doomed: deque[str] = deque()

    def victim(self, waiting: Mapping[str, Spare], sending: str | None) -> str | None:
        """The key that makes room; None where nothing may be left out.

        `waiting` holds all keys, oldest first; what is being sent at this moment always stays.
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
        self._doomed = self._every_second(waiting, sending)
        return self._doomed.popleft() if self._doomed else None

    def _every_second(self, waiting: Mapping[str, Spare], sending: str | None) -> deque[str]:
        spared = [(kind, key) for key, kind in waiting.items() if kind and key != sending]
        if not spared:
            return deque()
        first = min(kind for kind, _ in spared)
        return deque([key for kind, key in spared if kind == first][::2])
