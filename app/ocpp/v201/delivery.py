"""How queued messages of 2.0.1 are delivered. Part 2, E13, and MessageAttempts[TransactionEvent]."""

from __future__ import annotations

from collections.abc import Callable

from app.kernel.text import Text
from app.ocpp.context import Context, Payload
from app.ocpp.outbox import OutboxRow, OutboxRules, Refusal, Spare
from app.ocpp.v201.device_model import DeviceModel
from app.ocpp.v201.provisioning import Provisioning

EVENT, SECURITY = "TransactionEvent", "SecurityEventNotification"
_SAMPLES = frozenset({"MeterValuePeriodic", "MeterValueClock"})
"""Triggers of events that tell meter values alone."""


class Delivery(OutboxRules):
    """The rules of the outbox."""

    def __init__(self, ctx: Context, model: DeviceModel, office: Provisioning) -> None:
        self._ctx = ctx
        self._model = model
        self._office = office
        self.answer_taken: Callable[[Payload, Payload], None] = lambda payload, answer: None
        """Called with a TransactionEvent and its answer."""
        self.held: Callable[[], bool] = lambda: False
        """Are states of connectors being told, which come first (OFF-08)."""
        self.gone: Callable[[], None] = lambda: None
        """Called when a row leaves the queue."""
        self.failed: Callable[[], None] = lambda: None
        """Called when the back office did not take a row."""

    def may_send(self) -> bool:
        if not (self._office.accepted and self._ctx.calls.online):
            return False
        return not self.held()

    def hindrance(self) -> Text | None:
        if not self._ctx.calls.online:
            return Text("queue.state.offline")
        if not self._office.accepted:
            return Text("queue.state.not_accepted")
        return Text("queue.state.status_first") if self.held() else None

    def spare(self, action: str, payload: Payload) -> Spare:
        """E04.FR.08, QueueAllMessages: events of transactions go last, and their ends never."""
        if action == SECURITY:
            return Spare.KEEP
        if action != EVENT:
            return Spare.LOOSE
        if payload["eventType"] != "Updated":
            return Spare.KEEP
        return Spare.SAMPLE if payload["triggerReason"] in _SAMPLES else Spare.UPDATE

    def may_give_up(self, row: OutboxRow) -> bool:
        """A04.FR.02: delivery of critical security events is guaranteed."""
        return row.action != SECURITY

    def may_be_overtaken(self, action: str) -> bool:
        return action == SECURITY

    def attempts(self) -> int:
        return self._model.integer("OCPPCommCtrlr.MessageAttempts[TransactionEvent]")

    def interval(self) -> float:
        return float(self._model.integer("OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]"))

    def bind(self, row: OutboxRow) -> Payload:
        return row.payload

    def answered(self, row: OutboxRow, answer: Payload) -> None:
        if row.action == EVENT:
            self.answer_taken(row.payload, answer)
        self.gone()

    def gave_up(self, row: OutboxRow, why: str) -> None:
        self.gone()

    async def after_refusal(self, row: OutboxRow, code: str) -> Refusal:
        """Open point ocpp201-replay-rejected; a security event lets the others go first."""
        self.failed()
        if row.action == SECURITY:
            return Refusal.TO_TAIL
        return {
            "drop-and-continue": Refusal.DROP,
            "halt-and-alert": Refusal.HALT,
            "requeue-tail": Refusal.TO_TAIL,
        }.get(await self._ctx.points.ask("ocpp201-replay-rejected"), Refusal.RETRY)
