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
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Protocol

from app.kernel.activity import Wakeup
from app.kernel.units import parse_stamp, stamp
from app.ocpp.context import (
    CallFailed,
    CallRefused,
    CallTimedOut,
    Context,
    InvalidOwnFrame,
    NotConnected,
    Payload,
)
from app.ocpp.events import MessageDropped, QueueChanged
from app.ocpp.redaction import redact

TABLE = "outbox"


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


_COLUMNS = tuple(field.name for field in fields(OutboxRow) if field.name != "key")


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


class Outbox:
    """The queue and its pump. One a power cycle, over the same rows."""

    def __init__(self, ctx: Context, rules: OutboxRules) -> None:
        self._ctx = ctx
        self._rules = rules
        self._wakeup: Wakeup | None = None
        self._kicked = False
        self._halted = False
        self._told: int | None = None
        self._waiting = ctx.store.count(TABLE)
        """Kept here since counting rows takes the longer the more there are."""
        self._due: tuple[str, float] | None = None
        self._sent_once: str | None = None
        self._next_key = 1 + max((int(key) for key, _ in ctx.store.rows(TABLE)), default=0)

    # ------------------------------------------------------------ the queue

    def put(self, action: str, payload: Payload, *, ref: str) -> str:
        """Queue a message; call it inside the step of what it tells of. Returns the row's key."""
        key = f"{self._next_key:010d}"
        self._next_key += 1
        created = stamp(self._ctx.clock.now())
        self._write(OutboxRow(key, action, payload, ref, created, self._ctx.ids()))
        self._waiting += 1
        self._soon()
        return key

    def rows(self) -> list[OutboxRow]:
        """All that wait, oldest first."""
        return [_row(key, data) for key, data in self._ctx.store.rows(TABLE)]

    def count(self) -> int:
        return self._ctx.store.count(TABLE)

    def waiting_for(self, ref: str) -> int:
        """How many messages of one transaction wait."""
        return sum(1 for row in self.rows() if row.ref == ref)

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

    def kick(self) -> None:
        """Something changed: the link, the boot state, a setting, a new row."""
        self._kicked = True
        if self._wakeup is not None:
            self._wakeup.set()

    def _soon(self) -> None:
        """Tell and wake after the step that is under way: nothing is announced before it is durable."""
        self._ctx.activity.begin()
        asyncio.get_running_loop().call_soon(self._after_put)

    def _after_put(self) -> None:
        try:
            self._tell()
            self.kick()
        finally:
            self._ctx.activity.end()

    def _tell(self) -> None:
        if self._waiting != self._told:
            self._told = self._waiting
            self._ctx.bus.publish(QueueChanged(self._waiting))

    def _write(self, row: OutboxRow) -> None:
        # not `asdict`: it would copy the whole payload
        data = {name: getattr(row, name) for name in _COLUMNS}
        self._ctx.store.put(TABLE, row.key, data)

    # ------------------------------------------------------------ the pump

    async def _run(self) -> None:
        self._tell()
        while True:
            self._kicked = False
            first = self._ctx.store.first(TABLE)
            if first is None and self._waiting:
                self._waiting = 0  # a step that had put a row was undone
                self._tell()
            if first is None or self._halted or not self._rules.may_send():
                await self._park(None)
                continue
            row = _row(*first)
            wait = self._wait_of(row)
            if wait > 0:
                await self._park(wait)
                continue
            if not await self._deliver(row):
                await self._park(None)

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
        with self._ctx.store.step():
            self._ctx.store.delete(TABLE, row.key)
            self._rules.answered(row, answer)
        self._waiting -= 1
        self._tell()
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
            if payload != row.payload:
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
        self._postpone(row, to_tail=verdict is Refusal.TO_TAIL)

    def _postpone(self, row: OutboxRow, *, to_tail: bool) -> None:
        """Again later: after the interval times the tries so far, at most times the attempts."""
        times = min(row.tries, max(1, self._rules.attempts()))
        wait = self._rules.interval() * times
        due = self._ctx.clock.now().timestamp() + wait
        row = replace(row, retry_at=_stamp_of(due))
        with self._ctx.store.step():
            if to_tail:
                self._ctx.store.delete(TABLE, row.key)
                row = replace(row, key=f"{self._next_key:010d}")
                self._next_key += 1
            self._write(row)
        self._due = (row.key, self._ctx.clock.elapsed() + wait)

    def _drop(self, row: OutboxRow, why: str) -> None:
        with self._ctx.store.step():
            self._ctx.store.delete(TABLE, row.key)
            self._rules.gave_up(row, why)
        self._waiting -= 1
        text = json.dumps(row.payload, ensure_ascii=False)
        self._ctx.bus.publish(MessageDropped(row.action, why, redact(None, None, text)))
        self._tell()


def _row(key: str, data: dict[str, Any]) -> OutboxRow:
    return OutboxRow(key=key, **data)


def _stamp_of(seconds: float) -> str:
    return stamp(datetime.fromtimestamp(seconds, UTC))
