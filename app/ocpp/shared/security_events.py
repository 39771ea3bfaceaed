"""Security events: written down, told to the views, and the critical ones delivered at any price.

1.6 whitepaper part 8 and A04; 2.0.1 part 2, A04 and appendix 1. Critical events wait in a queue of their
own, apart from the messages of transactions: no order between the two is asked for, and a back office
that does not know SecurityEventNotification must not hold up what is paid for. A row goes away only with
its answer. Where the back office says that it does not know the message, the queue rests until the link is
opened anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar

from app.kernel.text import Text
from app.kernel.units import parse_stamp, stamp
from app.ocpp.context import (
    CallFailed,
    CallRefused,
    Context,
    InvalidOwnFrame,
    NotConnected,
    Payload,
    QueuedMessage,
    StorePort,
    TooLarge,
)
from app.ocpp.events import SecurityEventRaised
from app.ocpp.outbox import Changes, OutboxRow
from app.ocpp.personality import Block
from app.ocpp.shared.security_log import SecurityLog

TABLE = "security_outbox"
ACTION = "SecurityEventNotification"
REF = "security"
MARK = "s"
"""Before the key of a row where people see it among other queued messages."""

LONGEST_TYPE, LONGEST_INFO = 50, 255

RETRY = 60.0
"""Station seconds after the first failed try; doubled up to `LONGEST_RETRY`."""
LONGEST_RETRY = 3600.0

_NEXT = Text("queue.state.next")

UNKNOWN_TO_THEM = frozenset({"NotImplemented", "NotSupported"})

TOLD_ONCE = frozenset(
    {
        "InvalidTLSVersion",
        "InvalidTLSCipherSuite",
        "InvalidCsmsCertificate",
        "InvalidCentralSystemCertificate",
        "MemoryExhaustion",
    }
)
"""Not queued again while one with the same info waits: attempts to connect repeat (A00.FR.316)."""


class SecurityEvents(Block):
    """Raises, keeps and delivers. Each version subclasses it with its list and its causes."""

    critical: ClassVar[frozenset[str]] = frozenset()
    """The events of the version's list that are pushed."""
    spelling: ClassVar[Mapping[str, str]] = {}
    """Names of the other version's list -> the name in this one."""

    def __init__(self, ctx: Context, may_send: Callable[[], bool]) -> None:
        super().__init__(ctx)
        self.log = SecurityLog(ctx.store)
        self._may_send = may_send
        self.hindrance: Callable[[], Text | None] = lambda: None
        """Why nothing may be sent, in words; None while it may."""
        self._changes = Changes(ctx)
        self._resting = False
        self._next_key = 1 + max((int(head[0]) for head in ctx.store.heads(TABLE)), default=0)
        self._due = 0.0
        """Elapsed station time before which nothing is tried again after a failure."""
        self._ended_link = False
        """The last try ended the link, and would end the next one as soon as it is open."""

    # ------------------------------------------------------------------ what others call

    def raise_event(
        self,
        kind: str,
        tech_info: str = "",
        critical: bool | None = None,
        at: datetime | None = None,
    ) -> None:
        """A security event happened: log it, and push it where it is critical (by the list, if None).

        `kind` in the spelling of either version. `tech_info` goes on the wire: no secret, no sentence of
        the catalogue; cut at 255 characters. `at` None: now.
        """
        kind = self.spelling.get(kind, kind)[:LONGEST_TYPE]
        tech_info = tech_info[:LONGEST_INFO]
        when = at or self.ctx.clock.now()
        pushed = (kind in self.critical if critical is None else critical) and self.pushes()
        with self.ctx.store.step():
            self.log.add(kind, tech_info, when, critical=pushed)
            if pushed and not self._waits_already(kind, tech_info):
                self._put(kind, tech_info, when)
        self.ctx.bus.publish(SecurityEventRaised(kind, tech_info, pushed))
        if pushed:
            self.kick()

    def pushes(self) -> bool:
        """Are events pushed at all."""
        return True

    def clear_log(self) -> int:
        """A person clears the log, which is an event itself. Returns how many entries went."""
        gone = self.log.clear()
        self.raise_event("SecurityLogWasCleared", f"{gone} entries")
        return gone

    def queue(self) -> list[OutboxRow]:
        """The events that wait for their answer, oldest first."""
        return queued(self.ctx.store)

    def view(self) -> list[QueuedMessage]:
        """The same as people see them."""
        now = self.ctx.clock.now()
        found = []
        for position, row in enumerate(self.queue()):
            at = parse_stamp(row.created)
            age = max(0.0, (now - at).total_seconds())
            state = self._state(position, row.tries)
            found.append(QueuedMessage(MARK + row.key, ACTION, REF, at, age, row.tries, state))
        return found

    def _state(self, position: int, tries: int) -> Text:
        hindrance = self.hindrance()
        if hindrance is not None:
            return hindrance
        if self._resting:
            return Text("security.state.resting")
        left = self._due - self.ctx.clock.elapsed()
        if tries and left > 0:
            return Text("security.state.retry", {"tries": tries, "seconds": round(left)})
        return Text("queue.state.behind", {"count": position}) if position else _NEXT

    def kick(self) -> None:
        """Something changed: a new event, the link, the boot state."""
        self._changes.kick()

    # ------------------------------------------------------------------ block

    def start(self) -> None:
        self.ctx.spawn(self._run(), "security events")

    def link_up(self, *, first: bool) -> None:
        self._resting = False
        if not self._ended_link:
            self._due = 0.0
        self.kick()

    def link_down(self) -> None:
        self.kick()

    # ------------------------------------------------------------------ the queue

    def _waits_already(self, kind: str, tech_info: str) -> bool:
        if kind not in TOLD_ONCE:
            return False
        waiting = (row.payload for row in self.queue())
        return any(
            payload["type"] == kind and payload.get("techInfo", "") == tech_info
            for payload in waiting
        )

    def _put(self, kind: str, tech_info: str, when: datetime) -> None:
        payload: Payload = {"type": kind, "timestamp": stamp(when)}
        if tech_info:
            payload["techInfo"] = tech_info
        row = {"payload": payload, "created": stamp(when), "id": self.ctx.ids(), "tries": 0}
        self.ctx.store.put(TABLE, f"{self._next_key:010d}", row)
        self._next_key += 1

    async def _run(self) -> None:
        while True:
            self._changes.look()
            first = self.ctx.store.first(TABLE)
            if first is None or self._resting or not self._may_send():
                await self._changes.wait()
                continue
            left = self._due - self.ctx.clock.elapsed()
            if left > 0:
                await self._changes.wait(left)
            elif not await self._deliver(*first):
                await self._changes.wait()

    async def _deliver(self, key: str, row: Payload) -> bool:
        """One attempt. False if it is useless to go on before something changes."""
        if row["tries"] and await self.ctx.points.ask("both-retry-message-id") == "new-id":
            row = {**row, "id": self.ctx.ids()}
            self.ctx.store.put(TABLE, key, row)
        if not self._may_send():
            return True  # not any more: a person thought about its id
        try:
            await self.ctx.calls.call(ACTION, row["payload"], message_id=row["id"])
        except NotConnected:
            return False
        except InvalidOwnFrame:
            self.ctx.store.delete(TABLE, key)  # a fault of ours, which the journal has
        except CallFailed as failure:
            self._failed(key, row, failure)
        else:
            self.ctx.store.delete(TABLE, key)
        return True

    def _failed(self, key: str, row: Payload, failure: CallFailed) -> None:
        tries = int(row["tries"]) + 1
        self.ctx.store.put(TABLE, key, {**row, "tries": tries})
        if isinstance(failure, CallRefused) and failure.code in UNKNOWN_TO_THEM:
            self._resting = True
        self._ended_link = isinstance(failure, TooLarge)
        wait = min(RETRY * 2.0 ** min(tries - 1, 10), LONGEST_RETRY)
        self._due = self.ctx.clock.elapsed() + wait


def queued(store: StorePort) -> list[OutboxRow]:
    """The security events that wait, in the form of other queued messages."""
    return [
        OutboxRow(
            key,
            ACTION,
            row["payload"],
            REF,
            row["created"],
            row["id"],
            bound=True,
            tries=int(row["tries"]),
        )
        for key, row in store.rows(TABLE)
    ]
