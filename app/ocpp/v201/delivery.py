"""How queued messages of 2.0.1 are delivered. Part 2, E13, and MessageAttempts[TransactionEvent]."""

from __future__ import annotations

from collections.abc import Callable

from app.ocpp.context import Context, Payload
from app.ocpp.outbox import OutboxRow, OutboxRules, Refusal
from app.ocpp.v201.device_model import DeviceModel
from app.ocpp.v201.provisioning import Provisioning


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

    def attempts(self) -> int:
        return self._model.integer("OCPPCommCtrlr.MessageAttempts[TransactionEvent]")

    def interval(self) -> float:
        return float(self._model.integer("OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]"))

    def bind(self, row: OutboxRow) -> Payload:
        return row.payload

    def answered(self, row: OutboxRow, answer: Payload) -> None:
        if row.action == "TransactionEvent":
            self.answer_taken(row.payload, answer)
        self.gone()

    def gave_up(self, row: OutboxRow, why: str) -> None:
        self.gone()

    def after_refusal(self, row: OutboxRow, code: str) -> Refusal:
        """Open point ocpp201-replay-rejected."""
        self.failed()
        return {
            "drop-and-continue": Refusal.DROP,
            "halt-and-alert": Refusal.HALT,
            "requeue-tail": Refusal.TO_TAIL,
        }.get(self._ctx.points.choose("ocpp201-replay-rejected"), Refusal.RETRY)
