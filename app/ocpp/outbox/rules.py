"""What a personality says about its queue: when it may be sent, how often, and what a refusal means."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from app.kernel.text import Text
from app.ocpp.context import Payload
from app.ocpp.outbox.room import Spare
from app.ocpp.outbox.rows import OutboxRow


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

    async def after_refusal(self, row: OutboxRow, code: str) -> Refusal:
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
