"""The rows of the queue: what each says is in the store, which there are and what they are is in memory too.

Of a queue of tens of thousands from before a power cut only the keys are read at first; what the rows are is
learnt between other work, so that none of it holds up the loop.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any, cast

from app.ocpp.context import Payload, StorePort
from app.ocpp.outbox.room import Head, Spare

TABLE = "outbox"
AT_ONCE = 200
"""How many rows of an earlier power cycle are looked at in one turn of the loop."""
RECENT = 16
"""How many rows are kept in memory besides the store: enough for a queue that is not jammed."""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message that waits. `failures` count against it; `tries` are all that ended without an answer."""

    key: str
    action: str
    payload: Payload
    ref: str
    created: str
    message_id: str
    bound: bool = False
    """The payload is final: it was changed for its first attempt, or repeated."""
    failures: int = 0
    tries: int = 0
    retry_at: str | None = None
    """Calendar time before which it is not sent again."""
    spare: int = 0
    """How easily it can be spared when the queue is full (see room.py)."""


_COLUMNS = tuple(field.name for field in fields(OutboxRow) if field.name != "key")
_values = attrgetter(*_COLUMNS)


class Rows:
    """One a power cycle, over the same store. What changes rows belongs inside a step of the store."""

    def __init__(self, store: StorePort) -> None:
        self._store = store
        self._index: dict[str, Head | None] = {}
        """All keys, oldest first, with what is said of the rows; None: not looked at yet."""
        self._unknown: deque[str] = deque()
        """Keys that were not looked at when they were found; some may be gone since."""
        self._recent: dict[str, OutboxRow] = {}
        """Some rows as they are in the store: what was just written need not be read back."""
        self._undone = -1
        self.keep_up()
        self._next_key = 1 + max(map(int, self._index), default=0)

    def __len__(self) -> int:
        return len(self._index)

    # ------------------------------------------------------------ reading

    def first(self) -> str | None:
        """The key of the oldest."""
        return next(iter(self._index), None)

    def read(self, key: str) -> OutboxRow:
        """The row as it is in the store."""
        recent = self._recent.get(key)
        if recent is not None:
            return recent
        data = self._store.get(TABLE, key)
        if data is None:
            raise LookupError(f"row {key} is gone from the store")
        return _row(key, data)

    def all(self) -> list[OutboxRow]:
        """All that wait, oldest first."""
        return [_row(key, data) for key, data in self._store.rows(TABLE)]

    def heads(self) -> dict[str, Head]:
        """What is said of all rows, oldest first."""
        while self._unknown:
            self.learn()
        return cast("dict[str, Head]", self._index)

    @property
    def unread(self) -> bool:
        """There are rows that nobody has looked at."""
        return bool(self._unknown)

    def learn(self) -> bool:
        """Look at some of the rows that nobody has looked at. False when none is left."""
        few = [self._unknown.popleft() for _ in range(min(AT_ONCE, len(self._unknown)))]
        wanted = [key for key in few if key in self._index]
        if wanted:
            found = self._store.heads_of(TABLE, wanted, "action", "ref", "spare")
            heads = {key: Head(action, ref, Spare(spare or 0)) for key, action, ref, spare in found}
            self._index.update(heads)
            for key in wanted:
                if key not in heads:
                    self.forget(key)
        return bool(self._unknown)

    def keep_up(self) -> None:
        """What is known of the rows is what was written, unless a step was undone: then look again."""
        if self._undone == self._store.undone:
            return
        self._undone = self._store.undone
        self._recent.clear()
        known = self._index
        self._index = {key: known.get(key) for (key,) in self._store.heads(TABLE)}
        self._unknown = deque(key for key, head in self._index.items() if head is None)

    # ------------------------------------------------------------ writing

    def new_key(self) -> str:
        """Behind all that there were."""
        key = f"{self._next_key:010d}"
        self._next_key += 1
        return key

    def add(self, row: OutboxRow) -> None:
        """One more, with a new key."""
        self.keep_up()
        self.write(row)
        self._index[row.key] = _head(row)

    def write(self, row: OutboxRow) -> None:
        """What a row says now."""
        # not `asdict`: it would copy the whole payload
        self._store.put(TABLE, row.key, dict(zip(_COLUMNS, _values(row), strict=True)))
        if row.key in self._recent or len(self._recent) < RECENT:
            self._recent[row.key] = row

    def to_tail(self, row: OutboxRow) -> OutboxRow:
        """The same with a new key; to be written."""
        self._store.delete(TABLE, row.key)
        waits = row.key in self._index
        self.forget(row.key)
        row = replace(row, key=self.new_key())
        if waits:
            self._index[row.key] = _head(row)
        return row

    def forget(self, key: str) -> None:
        """The row is gone from the store."""
        self._index.pop(key, None)
        self._recent.pop(key, None)


def _row(key: str, data: dict[str, Any]) -> OutboxRow:
    return OutboxRow(key=key, **data)


def _head(row: OutboxRow) -> Head:
    return Head(row.action, row.ref, Spare(row.spare))
