"""The smallest personality: it answers what a test gives it, and queues what a test puts in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.ocpp.context import BootState, Context, Handler, Payload
from app.ocpp.outbox import Outbox, OutboxRow, OutboxRules, Refusal
from app.ocpp.personality import LinkPolicy, Personality
from app.ocpp.version import Version
from tests.support.harness import Bench


class TinyRules(OutboxRules):
    """Rules of the queue that a test can turn."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.ready = True
        self.tries, self.pause = 3, 60.0
        self.answers: list[tuple[str, Payload]] = []
        self.dropped: list[tuple[str, str]] = []
        self.refusal = Refusal.RETRY
        self.droppable = True
        self.binder: Any = None

    def may_send(self) -> bool:
        return self.ready and self.ctx.calls.online

    def attempts(self) -> int:
        return self.tries

    def interval(self) -> float:
        return self.pause

    def bind(self, row: OutboxRow) -> Payload:
        return self.binder(row) if self.binder else row.payload

    def answered(self, row: OutboxRow, answer: Payload) -> None:
        self.answers.append((row.ref, answer))

    def gave_up(self, row: OutboxRow, why: str) -> None:
        self.dropped.append((row.ref, why))

    async def after_refusal(self, row: OutboxRow, code: str) -> Refusal:
        return self.refusal

    def may_give_up(self, row: OutboxRow) -> bool:
        return self.droppable


class TinyPersonality(Personality):
    """Accepted from the start; handlers and admission are what the test sets."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.rules = TinyRules(ctx)
        self.outbox = Outbox(ctx, self.rules)
        self.served: dict[str, Handler] = {}
        self.gate: Any = None

    def start(self) -> None:
        self.outbox.start()

    def link_up(self, *, first: bool) -> None:
        self.outbox.kick()

    def link_down(self) -> None:
        self.outbox.kick()

    def handlers(self) -> dict[str, Handler]:
        return self.served

    def admit(self, action: str) -> None:
        if self.gate is not None:
            self.gate(action)

    @property
    def boot_state(self) -> BootState:
        return BootState.ACCEPTED

    def link_policy(self) -> LinkPolicy:
        return LinkPolicy(message_timeout=30.0)


class NoStation:
    """Hardware that is not there: for tests of the conversation alone."""


def tiny_options(**options: Any) -> Mapping[str, Any]:
    """What `make_bench` needs for a bench without hardware."""
    return {
        "personality": lambda version, ctx: TinyPersonality(ctx),
        "station": lambda bench: NoStation(),
        **options,
    }


def tiny(bench: Bench) -> TinyPersonality:
    """The personality of such a bench."""
    assert isinstance(bench.personality, TinyPersonality)
    return bench.personality


BOTH = (Version.V16, Version.V201)
