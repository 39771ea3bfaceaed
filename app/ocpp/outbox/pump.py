"""The queue itself, and the pump that sends its rows one after the other."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

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
from app.ocpp.outbox.changes import Changes
from app.ocpp.outbox.room import POINT, Room
from app.ocpp.outbox.rows import TABLE, OutboxRow, Rows
from app.ocpp.outbox.rules import OutboxRules, Refusal, Unsendable
from app.ocpp.redaction import redact

OVERTAKEN = 20
"""How many rows are looked at for one that may go before one that waits for its next attempt."""
NO_ROOM = "NoRoom"
"""Why a message was given up: the queue was full."""

_NEXT = Text("queue.state.next")


class Outbox:
    """The queue and its pump. One a power cycle, over the same rows."""

    def __init__(self, ctx: Context, rules: OutboxRules) -> None:
        self._ctx = ctx
        self._rules = rules
        self._changes = Changes(ctx)
        self._halted = False
        self._told: int | None = None
        self._news = False
        """Something is going to be announced at the next turn of the loop."""
        self._kick_soon = False
        self._rows = Rows(ctx.store)
        # not waited for: a message becomes durable in the step of what it tells
        self._room = Room(lambda: ctx.points.choose(POINT))
        self._left_out: list[MessageDropped] = []
        self._due: tuple[str, float] | None = None
        self._pause_until = 0.0
        self._sending: str | None = None
        """Its row must stay: it is on its way, or a person decides about it."""
        self._on_its_way = False
        self._sent_once: str | None = None

    # ------------------------------------------------------------ the queue

    def put(self, action: str, payload: Payload, *, ref: str) -> str:
        """Queue a message; call it inside the step of what it tells of. Returns the row's key.

        The payload is the queue's from now on: it must not be changed any more.
        """
        if len(self._rows) >= self._ctx.settings.queue_capacity:
            self._make_room()
        key, created = self._rows.new_key(), stamp(self._ctx.clock.now())
        spare = int(self._rules.spare(action, payload))
        self._rows.add(OutboxRow(key, action, payload, ref, created, self._ctx.ids(), spare=spare))
        self._soon(kick=True)
        return key

    def rows(self) -> list[OutboxRow]:
        """All that wait, oldest first."""
        return self._rows.all()

    def count(self) -> int:
        return self._ctx.store.count(TABLE)

    def waiting_for(self, ref: str) -> int:
        """How many messages of one transaction wait."""
        return sum(1 for head in self._rows.heads().values() if head.ref == ref)

    def holds(self, action: str) -> bool:
        """Does a message of this action wait."""
        return any(head.action == action for head in self._rows.heads().values())

    @property
    def refuses_sessions(self) -> bool:
        """It is full, and the open point says that nothing new may begin then."""
        full = len(self._rows) >= self._ctx.settings.queue_capacity
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
            return Text("queue.state.sent" if self._on_its_way else "queue.state.asked")
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
        if self._rows.unread:
            self._ctx.spawn(self._learn_all(), "outbox index")

    def kick(self) -> None:
        """Something changed: the link, the boot state, a setting, a new row."""
        self._changes.kick()

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
            self._rows.keep_up()
            self._tell()
            if kick:
                self.kick()
        finally:
            self._ctx.activity.end()

    def _tell(self) -> None:
        waiting = len(self._rows)
        if waiting != self._told:
            self._told = waiting
            self._ctx.bus.publish(QueueChanged(waiting))

    def _make_room(self) -> None:
        """The queue is full: the open point says what goes. Inside the step of what is put."""
        key = self._room.victim(self._rows.heads(), self._sending)
        if key is None:
            return
        row = self._rows.read(key)
        with self._ctx.store.step():
            self._ctx.store.delete(TABLE, key)
            self._rules.gave_up(row, NO_ROOM)
        self._rows.forget(key)
        self._left_out.append(_dropped(row, NO_ROOM))

    async def _learn_all(self) -> None:
        """Thousands of rows from before a power cut: between other work, so that none holds up the loop."""
        for _ in iter(self._rows.learn, False):
            await asyncio.sleep(0)

    # ------------------------------------------------------------ the pump

    async def _run(self) -> None:
        self._tell()
        while True:
            self._changes.look()
            self._rows.keep_up()
            key = self._rows.first()
            if key is None or self._halted or not self._rules.may_send():
                await self._changes.wait()
                continue
            row = self._rows.read(key)
            wait = self._wait_of(row)
            if wait > 0 and self._rules.may_be_overtaken(row.action):
                row, wait = self._overtaking(row, wait)
            wait = max(wait, self._pause_until - self._ctx.clock.elapsed())
            if wait > 0:
                await self._changes.wait(wait)
                continue
            if not await self._deliver(row):
                await self._changes.wait()

    def _overtaking(self, row: OutboxRow, wait: float) -> tuple[OutboxRow, float]:
        """The oldest row that may go now, before one that belongs to no transaction and has to wait."""
        now = self._ctx.clock.now()
        for key, action, retry_at in self._ctx.store.heads(
            TABLE, "action", "retry_at", limit=OVERTAKEN
        ):
            if retry_at is None or parse_stamp(retry_at) <= now:
                return self._rows.read(str(key)), 0.0
            if not self._rules.may_be_overtaken(action):
                break  # a transaction keeps its order
        return row, wait

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
        self._sending = row.key
        try:
            row = await self._freeze(row)
            if not self._rules.may_send():
                return True  # not any more: a person thought about its id
            answer = await self._call(row)
        except Unsendable as reason:
            self._drop(row, str(reason))
            return True
        except NotConnected:
            return False
        except InvalidOwnFrame:
            self._drop(row, "InvalidOwnFrame")
            return True
        except CallFailed as failure:
            await self._failed(row, failure)
            return True
        finally:
            self._sending = None
        with self._ctx.store.step():
            self._ctx.store.delete(TABLE, row.key)
            self._rules.answered(row, answer)
        self._rows.forget(row.key)
        if len(self._rows) and self._ctx.settings.queue_pause > 0:
            self._pause_until = self._ctx.clock.elapsed() + self._ctx.settings.queue_pause
        self._soon()
        return True

    async def _call(self, row: OutboxRow) -> Payload:
        self._on_its_way = True
        try:
            return await self._ctx.calls.call(row.action, row.payload, message_id=row.message_id)
        finally:
            self._on_its_way = False

    async def _freeze(self, row: OutboxRow) -> OutboxRow:
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
        if repeat and await self._ctx.points.ask("both-retry-message-id") == "new-id":
            frozen = replace(frozen, message_id=self._ctx.ids())
        if frozen is not row:
            self._rows.write(frozen)
        return frozen

    async def _failed(self, row: OutboxRow, failure: CallFailed) -> None:
        refused = isinstance(failure, CallRefused)
        code = failure.code if isinstance(failure, CallRefused) else type(failure).__name__
        counts = True
        if isinstance(failure, CallTimedOut):
            counts = await self._ctx.points.ask("both-timeout-counts-as-failure") == "counts"
        row = replace(row, tries=row.tries + 1, failures=row.failures + counts)
        verdict = await self._rules.after_refusal(row, code) if refused else Refusal.RETRY
        if verdict is Refusal.HALT:
            self._halted = True
            self._rows.write(row)
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
                row = self._rows.to_tail(row)
            self._rows.write(row)
        self._due = (row.key, self._ctx.clock.elapsed() + wait)

    def _drop(self, row: OutboxRow, why: str) -> None:
        with self._ctx.store.step():
            self._ctx.store.delete(TABLE, row.key)
            self._rules.gave_up(row, why)
        self._rows.forget(row.key)
        self._ctx.bus.publish(_dropped(row, why))
        self._tell()


def _dropped(row: OutboxRow, why: str) -> MessageDropped:
    text = json.dumps(row.payload, ensure_ascii=False)
    return MessageDropped(row.action, why, redact(None, None, text))


def _stamp_of(seconds: float) -> str:
    return stamp(datetime.fromtimestamp(seconds, UTC))
