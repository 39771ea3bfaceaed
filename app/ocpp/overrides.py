"""Answers and CALLs that are forced to be something else, as a person or a script ordered.

Direction IN means a CALL of the back office: it gets the forced answer and is not carried out (only `delay`
leaves the real answer and its consequences). Direction OUT means a CALL of ours: it is changed, held up or
kept back.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.ocpp import frames
from app.ocpp.events import Direction
from app.ocpp.schema import Schemas
from app.ocpp.version import Version

ANY_ACTION = "*"


@dataclass(slots=True)
class Override:
    """What is forced. Exactly one of answer, status, error, drop, raw; `delay` (s) alone or with one.

    `answer` is the payload; `status` its status field alone (OUT: laid over the real payload); `error` a
    CALLERROR code; `raw` a text in which {id} stands for the message id. `count` None: until removed.
    """

    key: int
    action: str
    direction: Direction
    answer: Any = None
    status: str | None = None
    error: str | None = None
    delay: float = 0.0
    drop: bool = False
    raw: str | None = None
    count: int | None = 1

    @property
    def replaces(self) -> bool:
        """Something else than the real thing goes out, or nothing."""
        return (
            self.drop
            or self.answer is not None
            or self.status is not None
            or self.error is not None
            or self.raw is not None
        )

    def raw_text(self, message_id: str) -> str:
        return (self.raw or "").replace("{id}", message_id)


class Overrides:
    """The overrides in force, the oldest that fits first."""

    def __init__(self, on_change: Callable[[], None] | None = None) -> None:
        self._rows: list[Override] = []
        self._keys = itertools.count(1)
        self._on_change = on_change

    def add(
        self,
        action: str,
        direction: Direction | str,
        *,
        answer: Any = None,
        status: str | None = None,
        error: str | None = None,
        delay: float = 0.0,
        drop: bool = False,
        raw: str | None = None,
        count: int | None = 1,
    ) -> int:
        """Force the next `count` of them. Returns a key for `remove`. Raises ValueError for nonsense."""
        direction = Direction(direction)
        _check_action(action)
        row = Override(
            next(self._keys), action, direction, answer, status, error, delay, drop, raw, count
        )
        chosen = [answer is not None, status is not None, error is not None, drop, raw is not None]
        if sum(chosen) > 1:
            raise ValueError("only one of answer, status, error, drop and raw can be forced")
        if not row.replaces and delay <= 0:
            raise ValueError("nothing is forced: give an answer, status, error, delay, drop or raw")
        if delay < 0:
            raise ValueError(f"a delay is a number of seconds, not {delay}")
        if count is not None and count < 1:
            raise ValueError(f"count is at least 1, or none for always, not {count}")
        if direction is Direction.OUT and error is not None:
            raise ValueError("a CALL of the station cannot be turned into an error")
        frames.build_result("", answer)  # raises ValueError for what could not be sent
        self._rows.append(row)
        self._changed()
        return row.key

    def remove(self, key: int) -> bool:
        """Lift one; False if it was no longer there."""
        before = len(self._rows)
        self._rows = [row for row in self._rows if row.key != key]
        self._changed()
        return len(self._rows) < before

    def clear(self) -> None:
        self._rows.clear()
        self._changed()

    def rows(self) -> tuple[Override, ...]:
        return tuple(self._rows)

    def take(self, action: str, direction: Direction) -> Override | None:
        """The override for this frame, counted down; None almost always."""
        if not self._rows:
            return None
        for row in self._rows:
            if row.direction is direction and row.action in (action, ANY_ACTION):
                if row.count is not None:
                    row.count -= 1
                    if row.count == 0:
                        self._rows.remove(row)
                self._changed()
                return row
        return None

    def _changed(self) -> None:
        if self._on_change:
            self._on_change()


def _check_action(action: str) -> None:
    """A slip of the pen would never come to pass, and nobody would know why."""
    known = [name for version in Version for name in sorted(Schemas.of(version).actions)]
    if action == ANY_ACTION or action in known:
        return
    import difflib  # for the one who mistyped only

    near = difflib.get_close_matches(action, known, 1)
    hint = f": did you mean {near[0]}?" if near else f"; {ANY_ACTION} stands for any"
    raise ValueError(f"{action} is no action of OCPP 1.6 or 2.0.1{hint}")
