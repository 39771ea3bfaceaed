"""How transaction messages reach the back office: in order, as often as needed (1.6 part 3.7).

The transactionId is put in when a message is first sent: StartTransaction lies before it in the queue, so
by then it is known, or is -1 because StartTransaction was given up (errata 3.18).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.kernel.activity import Wakeup
from app.kernel.text import Text
from app.ocpp.context import Context, Payload
from app.ocpp.outbox import Outbox, OutboxRow, OutboxRules, Refusal, Spare
from app.ocpp.personality import Block
from app.ocpp.v16.authorization import Authorization
from app.ocpp.v16.book import Book
from app.ocpp.v16.boot import Boot
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.notifier import Held, Notifier
from app.ocpp.v16.rows import Transaction
from app.ocpp.v16.timers import Timers

START, STOP, METER = "StartTransaction", "StopTransaction", "MeterValues"
SECURITY = "SecurityEventNotification"
UNDELIVERED = -1

StartListener = Callable[[Transaction, Mapping[str, Any]], None]


class Delivery(Block, OutboxRules):
    """The outbox of 1.6 and its rules."""

    def __init__(
        self,
        ctx: Context,
        config: Configuration,
        boot: Boot,
        book: Book,
        notifier: Notifier,
        authorization: Authorization,
        timers: Timers,
    ) -> None:
        super().__init__(ctx)
        self._config = config
        self._timers = timers
        self._boot = boot
        self._book = book
        self._notifier = notifier
        self._authorization = authorization
        self.outbox = Outbox(ctx, self)
        self.on_started: list[StartListener] = []
        """Called, after the step, with each answered StartTransaction and its idTagInfo."""
        self._waiters: list[tuple[frozenset[str], Wakeup]] = []
        self._held: dict[tuple[str, str], Held] = {}
        self._undecided: set[tuple[str, str]] = set()
        """Messages of which a person still says whether the status comes first."""

    # ------------------------------------------------------------------ block

    def start(self) -> None:
        self._boot.followers.append(self.outbox.kick)
        self._notifier.on_quiet.append(self.outbox.kick)
        self.outbox.start()

    def link_up(self, *, first: bool) -> None:
        self.outbox.kick()

    def link_down(self) -> None:
        self.outbox.kick()
        self._look()

    def put(self, action: str, payload: Payload, item: Transaction) -> None:
        """Queue a message of a transaction. Inside the store step of what it tells."""
        self.outbox.put(action, payload, ref=item.ref)
        if action in (START, STOP) and self._boot.talking:
            self._order(item, action)

    def kick(self) -> None:
        self.outbox.kick()

    def waiting(self, item: Transaction) -> int:
        return self.outbox.waiting_for(item.ref)

    @property
    def talking(self) -> bool:
        """Accepted, and the link is open."""
        return self._boot.talking

    async def settled(self, refs: list[str]) -> None:
        """Wait until nothing of these transactions is queued, but no longer than a time-out."""
        limit = float(self._config.number("MessageTimeout"))
        wakeup = self.ctx.activity.wakeup()
        timer = self.ctx.clock.call_in(limit, wakeup.set)
        waiter = (frozenset(refs), wakeup)
        self._waiters.append(waiter)
        self._look()
        try:
            await wakeup.wait()
        finally:
            timer.cancel()
            self._waiters.remove(waiter)

    def _look(self) -> None:
        """Wake those whose messages are all gone, or cannot go."""
        for refs, wakeup in list(self._waiters):
            if not self._boot.talking or not any(self.outbox.waiting_for(ref) for ref in refs):
                wakeup.set()

    # ------------------------------------------------------------------ order of status and messages

    def _order(self, item: Transaction, action: str) -> None:
        """Keep back Charging or Finishing, and the message too until the open point is decided."""
        self._held[item.ref, action] = self._notifier.hold(item.number)
        self._undecided.add((item.ref, action))
        self.ctx.decide("ocpp16-status-order", lambda choice: self._ordered(item, action, choice))

    def _ordered(self, item: Transaction, action: str, choice: str) -> None:
        """Tell the status now, or after the message, but wait for that no longer than a time-out."""
        self._undecided.discard((item.ref, action))
        held = self._held.get((item.ref, action))
        if choice == "status-first":
            self._tell(item, action)
        elif held is not None:
            limit = float(self._config.number("MessageTimeout"))
            self._timers.call_in(limit, lambda: self._notifier.release(held))
        self.outbox.kick()

    # ------------------------------------------------------------------ rules of the outbox

    def may_send(self) -> bool:
        return self._boot.talking and not self._notifier.busy and not self._undecided

    def attempts(self) -> int:
        return max(1, self._config.number("TransactionMessageAttempts"))

    def interval(self) -> float:
        return float(self._config.number("TransactionMessageRetryInterval"))

    def hindrance(self) -> Text | None:
        if not self.ctx.calls.online:
            return Text("queue.state.offline")
        if not self._boot.talking:
            return Text("queue.state.not_accepted")
        if self._undecided:
            return Text("queue.state.asked")
        return Text("queue.state.status_first") if self._notifier.busy else None

    def spare(self, action: str, payload: Payload) -> Spare:
        return Spare.SAMPLE if action == METER else Spare.KEEP

    def may_give_up(self, row: OutboxRow) -> bool:
        """A04.FR.02: delivery of critical security events is guaranteed."""
        return row.action != SECURITY

    def may_be_overtaken(self, action: str) -> bool:
        return action == SECURITY

    async def after_refusal(self, row: OutboxRow, code: str) -> Refusal:
        """A CALLERROR counts as an attempt; a security event lets the others go first then."""
        return Refusal.TO_TAIL if row.action == SECURITY else Refusal.RETRY

    def bind(self, row: OutboxRow) -> Payload:
        payload = dict(row.payload)
        item = self._book.get(row.ref)
        if row.action not in (STOP, METER) or item is None:
            return payload
        known = item.transaction_id
        payload["transactionId"] = UNDELIVERED if known is None else known
        return payload

    def answered(self, row: OutboxRow, answer: Payload) -> None:
        item = self._book.get(row.ref)
        if row.action == METER or item is None:
            return
        info = answer.get("idTagInfo")
        self._authorization.learn(str(row.payload.get("idTag", item.token)), info)
        if row.action == START:
            item.transaction_id = int(answer["transactionId"])
            self._book.save(item)
            self.ctx.spawn(self._started(item, info or {}), "start answered")
        else:
            self._book.forget(item.ref)
            self.ctx.spawn(self._release(item, STOP), "stop answered")

    def gave_up(self, row: OutboxRow, why: str) -> None:
        item = self._book.get(row.ref)
        if row.action == METER or item is None:
            return
        if row.action == START:
            item.transaction_id = UNDELIVERED
            self._book.save(item)
        else:
            self._book.forget(item.ref)
        self.ctx.spawn(self._release(item, row.action), "given up")

    async def _started(self, item: Transaction, info: Mapping[str, Any]) -> None:
        for listener in self.on_started:
            listener(item, info)
        self._tell(item, START)

    async def _release(self, item: Transaction, action: str) -> None:
        self._tell(item, action)
        self._look()

    def _tell(self, item: Transaction, action: str) -> None:
        """The message is over: its connector's states may be told."""
        held = self._held.pop((item.ref, action), None)
        if held is not None:
            self._notifier.release(held)
