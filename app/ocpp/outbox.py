"""The queue of what must not be lost: durable rows, sent one at a time, oldest first.

A row is written in the same step as what it tells of, so it exists if and only if that happened. It goes
away in the same step in which its answer takes effect. What it says is frozen at the first attempt: each
repeat carries the very same payload, over any break of the link and any power cut. So a message arrives at
least once, and never out of order.

Only a failure to process counts against a row (1.6 3.7.1, 2.0.1 E13): a CALLERROR, or an answer that
cannot be used. A lost link never does. Whether a time-out on a live link does is an open point.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from enum import Enum
from operator import attrgetter
from typing import Any, Protocol, cast

from app.kernel.activity import Wakeup
from app.kernel.text import Text
from app.kernel.units import parse_stamp, stamp
from app.ocpp.context import (
    CallFailed,
    CallRefused,
    CallTimedOut,
    Context,
    InvalidOwnFrame,
    NotConnected,
    Payload,
    QueuedMessage,
)
from app.ocpp.events import MessageDropped, QueueChanged
from app.ocpp.redaction import redact
from app.ocpp.room import POINT, Head, Room, Spare

TABLE = "outbox"
OVERTAKEN = 20
"""How many rows are looked at for one that may go before one that waits for its next attempt."""
AT_ONCE = 200
"""How many rows of an earlier power cycle are looked at in one turn of the loop."""
RECENT = 16
"""How many rows are kept in memory besides the store: enough for a queue that is not jammed."""


class Refusal(Enum):
    """What becomes of a row after a failure to process it."""

    RETRY = "retry"
    """Again after the wait, until the attempts are used up."""
    DROP = "drop"
    """Give it up and go on."""
    TO_TAIL = "to tail"
    """Let the others go first, then again after the wait, without end."""
    HALT = "halt"
    """Stop the queue until `resume()`."""


class Unsendable(Exception):
    """Raised by `bind`: this row has lost its sense and is given up, with the reason."""


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


class OutboxRules(Protocol):
    """How a personality wants its queue to be run. Subclass it: the last two have defaults."""

    def may_send(self) -> bool:
        """The boot was accepted and the link is open."""
        ...

    def attempts(self) -> int:
        """How many failures to process end a row; less than 1 counts as 1."""
        ...

    def interval(self) -> float:
        """Station seconds to wait after a failure, times the number of failures so far."""
        ...

    def bind(self, row: OutboxRow) -> Payload:
        """The payload for the first attempt (1.6 puts the transactionId in). May raise Unsendable.

        Must depend on durable things only: what it leaves unchanged may be asked again after a power cut.
        """
        ...

    def answered(self, row: OutboxRow, answer: Payload) -> None:
        """Let the answer take effect; runs in the same step as the row's end."""
        ...

    def gave_up(self, row: OutboxRow, why: str) -> None:
        """The row is dropped; runs in the same step. `why` is an error code, or one of our words."""
        ...

    def after_refusal(self, row: OutboxRow, code: str) -> Refusal:
        """What a CALLERROR means for this row."""
        return Refusal.RETRY

    def may_give_up(self, row: OutboxRow) -> bool:
        """False for what is delivered at any price (critical security events)."""
        return True

    def may_be_overtaken(self, action: str) -> bool:
        """Others need not wait for it: it belongs to no transaction."""
        return False

    def spare(self, action: str, payload: Payload) -> Spare:
        """How easily a message can be left out when the queue is full."""
        return Spare.KEEP

    def hindrance(self) -> Text | None:
        """Why nothing may be sent at all, in words; None while it may."""
        return None if self.may_send() else Text("queue.state.waiting")


class Outbox:
    """The queue and its pump. One a power cycle, over the same rows."""

    def __init__(self, ctx: Context, rules: OutboxRules) -> None:
        self._ctx = ctx
        self._rules = rules
        self._wakeup: Wakeup | None = None
        self._kicked = False
        self._halted = False
        self._told: int | None = None
        self._news = False
        """Something is going to be announced at the next turn of the loop."""
        self._kick_soon = False
        self._index: dict[str, Head | None] = {}
        """All keys, oldest first, with what is said of the rows; None: not looked at yet."""
        self._unknown: deque[str] = deque()
        """Keys that were not looked at when they were found; some may be gone since."""
        self._recent: dict[str, OutboxRow] = {}
        """Some rows as they are in the store: what was just written need not be read back."""
        self._undone = -1
        self._keep_up()
        self._room = Room(lambda: ctx.points.choose(POINT))
        self._left_out: list[MessageDropped] = []
        self._due: tuple[str, float] | None = None
        self._pause_until = 0.0
        self._sending: str | None = None
        self._sent_once: str | None = None
        self._next_key = 1 + max(map(int, self._index), default=0)

    # ------------------------------------------------------------ the queue

    def put(self, action: str, payload: Payload, *, ref: str) -> str:
        """Queue a message; call it inside the step of what it tells of. Returns the row's key.

        The payload is the queue's from now on: it must not be changed any more.
        """
        if len(self._index) >= self._ctx.settings.queue_capacity:
            self._make_room()
        key = f"{self._next_key:010d}"
        self._next_key += 1
        created = stamp(self._ctx.clock.now())
        spare = self._rules.spare(action, payload)
        row = OutboxRow(key, action, payload, ref, created, self._ctx.ids(), spare=int(spare))
        self._keep_up()
        self._write(row)
        self._index[key] = Head(action, ref, spare)
        self._soon(kick=True)
        return key

    def rows(self) -> list[OutboxRow]:
        """All that wait, oldest first."""
        return [_row(key, data) for key, data in self._ctx.store.rows(TABLE)]

    def count(self) -> int:
        return self._ctx.store.count(TABLE)

    def waiting_for(self, ref: str) -> int:
        """How many messages of one transaction wait."""
        return sum(1 for head in self._heads().values() if head.ref == ref)

    def holds(self, action: str) -> bool:
        """Does a message of this action wait."""
        return any(head.action == action for head in self._heads().values())

    @property
    def refuses_sessions(self) -> bool:
        """It is full, and the open point says that nothing new may begin then."""
        full = len(self._index) >= self._ctx.settings.queue_capacity
        return full and self._ctx.points.choose(POINT) == "stop-accepting"

    def view(self, limit: int | None = None) -> list[QueuedMessage]:
        """The oldest messages as people see them, each with why it waits."""
        fields = ("action", "ref", "created", "tries", "failures", "retry_at")
        found = self._ctx.store.heads(TABLE, *fields, limit=limit)
        now = self._ctx.clock.now()
        rows = []
        for position, (key, action, ref, created, tries, failures, retry_at) in enumerate(found):
            at = parse_stamp(created)
            state = self._state(position, str(key), tries or 0, failures or 0, retry_at)
            age = max(0.0, (now - at).total_seconds())
            rows.append(QueuedMessage(str(key), action, ref, at, age, tries or 0, state))
        return rows

    def _state(
        self, position: int, key: str, tries: int, failures: int, retry_at: str | None
    ) -> Text:
        if key == self._sending:
            return Text("queue.state.sent")
        hindrance = Text("queue.state.halted") if self._halted else self._rules.hindrance()
        if hindrance is not None:
            return hindrance
        if retry_at is not None and parse_stamp(retry_at) > self._ctx.clock.now():
            left = (parse_stamp(retry_at) - self._ctx.clock.now()).total_seconds()
            params = {
                "tries": tries,
                "failures": failures,
                "attempts": max(1, self._rules.attempts()),
                "seconds": round(left),
            }
            return Text("queue.state.retry", params)
        return Text("queue.state.behind", {"count": position}) if position else _NEXT

    @property
    def halted(self) -> bool:
        """The queue stands still after a refusal, until `resume()`."""
        return self._halted

    def resume(self) -> None:
        """A person lets the halted queue go on."""
        self._halted = False
        self.kick()

    def start(self) -> None:
        """Spawn the pump."""
        self._ctx.spawn(self._run(), "outbox")
        if self._unknown:
            self._ctx.spawn(self._learn_all(), "outbox index")

    def kick(self) -> None:
        """Something changed: the link, the boot state, a setting, a new row."""
        self._kicked = True
        if self._wakeup is not None:
            self._wakeup.set()

    def _soon(self, *, kick: bool = False) -> None:
        """Tell, and wake the pump, when the step that is under way is over.

        Nothing is announced before it is durable, and a burst is announced once.
        """
        self._kick_soon = self._kick_soon or kick
        if self._news:
            return
        self._news = True
        self._ctx.activity.begin()
        asyncio.get_running_loop().call_soon(self._announce)

    def _announce(self) -> None:
        kick, self._news, self._kick_soon = self._kick_soon, False, False
        try:
            lost, self._left_out = self._left_out, []
            for event in lost:
                self._ctx.bus.publish(event)
            self._keep_up()
            self._tell()
            if kick:
                self.kick()
        finally:
            self._ctx.activity.end()

    def _tell(self) -> None:
        waiting = len(self._index)
        if waiting != self._told:
            self._told = waiting
            self._ctx.bus.publish(QueueChanged(waiting))

    def _make_room(self) -> None:
        """The queue is full: the open point says what goes. Inside the step of what is put."""
        key = self._room.victim(self._heads(), self._sending)
        if key is None:
            return
        row = self._read(key)
        with self._ctx.store.step():
            self._ctx.store.delete(TABLE, key)
            self._rules.gave_up(row, NO_ROOM)
        self._forget(key)
        self._left_out.append(_dropped(row, NO_ROOM))

    def _write(self, row: OutboxRow) -> None:
        # not `asdict`: it would copy the whole payload
        self._ctx.store.put(TABLE, row.key, dict(zip(_COLUMNS, _values(row), strict=True)))
        if row.key in self._recent or len(self._recent) < RECENT:
            self._recent[row.key] = row

    def _keep_up(self) -> None:
        """What is known of the rows is what was written, unless a step was undone: then look again."""
        if self._undone == self._ctx.store.undone:
            return
        self._undone = self._ctx.store.undone
        self._recent.clear()
        known = self._index
        self._index = {key: known.get(key) for (key,) in self._ctx.store.heads(TABLE)}
        self._unknown = deque(key for key, head in self._index.items() if head is None)

    def _learn(self) -> bool:
        """Look at some of the rows that nobody has looked at. False when none is left."""
        few = [self._unknown.popleft() for _ in range(min(AT_ONCE, len(self._unknown)))]
        wanted = [key for key in few if key in self._index]
        if wanted:
            found = self._ctx.store.heads_of(TABLE, wanted, "action", "ref", "spare")
            heads = {key: Head(action, ref, Spare(spare or 0)) for key, action, ref, spare in found}
            self._index.update(heads)
            for key in wanted:
                if key not in heads:
                    self._forget(key)
        return bool(self._unknown)

    def _heads(self) -> dict[str, Head]:
        """What is said of all rows."""
        while self._unknown:
            self._learn()
        return cast("dict[str, Head]", self._index)

    async def _learn_all(self) -> None:
        """Thousands of rows from before a power cut: between other work, so that none holds up the loop."""
        for _ in iter(self._learn, False):
            await asyncio.sleep(0)

    def _read(self, key: str) -> OutboxRow:
        recent = self._recent.get(key)
        if recent is not None:
            return recent
        data = self._ctx.store.get(TABLE, key)
        if data is None:
            raise LookupError(f"row {key} is gone from the store")
        return _row(key, data)

    def _forget(self, key: str) -> None:
        """The row is gone from the store."""
        self._index.pop(key, None)
        self._recent.pop(key, None)

    # ------------------------------------------------------------ the pump

    async def _run(self) -> None:
        self._tell()
        while True:
            self._kicked = False
            self._keep_up()
            key = next(iter(self._index), None)
            if key is None or self._halted or not self._rules.may_send():
                await self._park(None)
                continue
            row = self._read(key)
            wait = self._wait_of(row)
            if wait > 0 and self._rules.may_be_overtaken(row.action):
                row, wait = self._overtaking(row, wait)
            wait = max(wait, self._pause_until - self._ctx.clock.elapsed())
            if wait > 0:
                await self._park(wait)
                continue
            if not await self._deliver(row):
                await self._park(None)

    def _overtaking(self, row: OutboxRow, wait: float) -> tuple[OutboxRow, float]:
        """The oldest row that may go now, before one that belongs to no transaction and has to wait."""
        now = self._ctx.clock.now()
        for key, action, retry_at in self._ctx.store.heads(
            TABLE, "action", "retry_at", limit=OVERTAKEN
        ):
            if retry_at is None or parse_stamp(retry_at) <= now:
                return self._read(str(key)), 0.0
            if not self._rules.may_be_overtaken(action):
                break  # a transaction keeps its order
        return row, wait

    async def _park(self, seconds: float | None) -> None:
        """Rest until something changes, or for so many seconds of station time."""
        if self._kicked:
            return
        wakeup = self._wakeup = self._ctx.activity.wakeup()
        timer = self._ctx.clock.call_in(seconds, wakeup.set) if seconds is not None else None
        try:
            await wakeup.wait()
        finally:
            self._wakeup = None
            if timer is not None:
                timer.cancel()

    def _wait_of(self, row: OutboxRow) -> float:
        """Station seconds that are left of the wait after a failure."""
        if row.retry_at is None:
            return 0.0
        if self._due is None or self._due[0] != row.key:
            # after a power cut only the calendar knows; it may have been set meanwhile
            left = (parse_stamp(row.retry_at) - self._ctx.clock.now()).total_seconds()
            longest = self._rules.interval() * max(1, row.tries)
            self._due = (row.key, self._ctx.clock.elapsed() + min(max(0.0, left), longest))
        return self._due[1] - self._ctx.clock.elapsed()

    async def _deliver(self, row: OutboxRow) -> bool:
        """One attempt. False if it is useless to go on before something changes."""
        try:
            row = self._freeze(row)
        except Unsendable as reason:
            self._drop(row, str(reason))
            return True
        self._sending = row.key
        try:
            answer = await self._ctx.calls.call(row.action, row.payload, message_id=row.message_id)
        except NotConnected:
            return False
        except InvalidOwnFrame:
            self._drop(row, "InvalidOwnFrame")
            return True
        except CallFailed as failure:
            self._failed(row, failure)
            return True
        finally:
            self._sending = None
        with self._ctx.store.step():
            self._ctx.store.delete(TABLE, row.key)
            self._rules.answered(row, answer)
        self._forget(row.key)
        if self._index and self._ctx.settings.queue_pause > 0:
            self._pause_until = self._ctx.clock.elapsed() + self._ctx.settings.queue_pause
        self._soon()
        return True

    def _freeze(self, row: OutboxRow) -> OutboxRow:
        """Write down what is sent before it is sent, so that each repeat is the same.

        A payload that `bind` leaves as it is needs no second write: its row already holds it.
        """
        repeat = row.tries > 0 or self._sent_once == row.key
        self._sent_once = row.key
        frozen = row
        if not row.bound and not repeat:
            payload = self._rules.bind(row)
            if payload is not row.payload and payload != row.payload:
                frozen = replace(row, payload=payload, bound=True)
        if repeat and self._ctx.points.choose("both-retry-message-id") == "new-id":
            frozen = replace(frozen, message_id=self._ctx.ids())
        if frozen is not row:
            self._write(frozen)
        return frozen

    def _failed(self, row: OutboxRow, failure: CallFailed) -> None:
        refused = isinstance(failure, CallRefused)
        code = failure.code if isinstance(failure, CallRefused) else type(failure).__name__
        counts = True
        if isinstance(failure, CallTimedOut):
            counts = self._ctx.points.choose("both-timeout-counts-as-failure") == "counts"
        row = replace(row, tries=row.tries + 1, failures=row.failures + counts)
        verdict = self._rules.after_refusal(row, code) if refused else Refusal.RETRY
        if verdict is Refusal.HALT:
            self._halted = True
            self._write(row)
            return
        spent = row.failures >= max(1, self._rules.attempts())
        over = verdict is Refusal.DROP or (verdict is Refusal.RETRY and spent and counts)
        if over and self._rules.may_give_up(row):
            self._drop(row, code)
            return
        # what is kept at any price lets the others go first from now on
        self._postpone(row, to_tail=over or verdict is Refusal.TO_TAIL)

    def _postpone(self, row: OutboxRow, *, to_tail: bool) -> None:
        """Again later: after the interval times the tries so far, at most times the attempts."""
        times = min(row.tries, max(1, self._rules.attempts()))
        wait = self._rules.interval() * times
        due = self._ctx.clock.now().timestamp() + wait
        row = replace(row, retry_at=_stamp_of(due))
        with self._ctx.store.step():
            if to_tail:
                self._ctx.store.delete(TABLE, row.key)
                waits = row.key in self._index
                self._forget(row.key)
                row = replace(row, key=f"{self._next_key:010d}")
                self._next_key += 1
                if waits:
                    self._index[row.key] = Head(row.action, row.ref, Spare(row.spare))
            self._write(row)
        self._due = (row.key, self._ctx.clock.elapsed() + wait)

    def _drop(self, row: OutboxRow, why: str) -> None:
        with self._ctx.store.step():
            self._ctx.store.delete(TABLE, row.key)
            self._rules.gave_up(row, why)
        self._forget(row.key)
        self._ctx.bus.publish(_dropped(row, why))
        self._tell()


NO_ROOM = "NoRoom"
"""Why a message was given up: the queue was full."""

_NEXT = Text("queue.state.next")


def _dropped(row: OutboxRow, why: str) -> MessageDropped:
    text = json.dumps(row.payload, ensure_ascii=False)
    return MessageDropped(row.action, why, redact(None, None, text))


def _row(key: str, data: dict[str, Any]) -> OutboxRow:
    return OutboxRow(key=key, **data)


def _stamp_of(seconds: float) -> str:
    return stamp(datetime.fromtimestamp(seconds, UTC))
