"""How far a transfer is, told often enough for the eye and seldom enough for the journal."""

from __future__ import annotations

from collections.abc import Callable

STEPS = 20
"""Reports over the whole of a file."""
BLIND_STEP = 1024 * 1024
"""Bytes between two reports where nobody knows the whole."""


class Ticks:
    """Takes each piece, tells only some: the first, each twentieth part, and the last."""

    def __init__(self, tell: Callable[[int, int | None], None]) -> None:
        self._tell = tell
        self._next = 0
        self.done: int | None = None
        self.total: int | None = None

    def __call__(self, done: int, total: int | None) -> None:
        self.done, self.total = done, total
        if done >= self._next or done == total:
            step = max(1, total // STEPS) if total else BLIND_STEP
            self._next = done + step
            self._tell(done, total)
