"""How long to wait before the next attempt to connect (RPC-13: 2.0.1 part 4, section 5.3, errata 4.12)."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from app.ocpp.personality import LinkPolicy


class Backoff:
    """The waits between attempts: doubled so many times, then the last one again and again."""

    def __init__(self, policy: Callable[[], LinkPolicy], random: Random) -> None:
        self._policy = policy
        self._random = random
        self._doublings = 0
        self._last: float | None = None

    def reset(self) -> None:
        """A connection succeeded: the next wait is a first one."""
        self._doublings = 0
        self._last = None

    def next(self) -> float:
        """Seconds to wait now. The policy is read anew each time."""
        policy = self._policy()
        if self._last is None:
            self._last = policy.backoff_minimum + self._part(policy)
        elif self._doublings < policy.backoff_repeats:
            self._doublings += 1
            self._last = self._last * 2 + self._part(policy)
        return self._last

    def _part(self, policy: LinkPolicy) -> float:
        return self._random.uniform(0.0, policy.backoff_random)
