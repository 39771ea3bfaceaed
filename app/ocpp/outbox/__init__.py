"""The queue of what must not be lost: durable rows, sent one at a time, oldest first.

A row is written in the same step as what it tells of, so it exists if and only if that happened. It goes
away in the same step in which its answer takes effect. What it says is frozen at the first attempt: each
repeat carries the very same payload, over any break of the link and any power cut. So a message arrives at
least once, and never out of order.

Only a failure to process counts against a row (1.6 3.7.1, 2.0.1 E13): a CALLERROR, or an answer that
cannot be used, be it because it is so large that the link was closed for it. A lost link never does
otherwise. Whether a time-out on a live link does is an open point.

rows.py has the rows, pump.py the queue and who sends them, changes.py what that waits for, rules.py what a
version says about it, and room.py what leaves a full queue.
"""

from app.ocpp.outbox.changes import Changes
from app.ocpp.outbox.pump import NO_ROOM, Outbox
from app.ocpp.outbox.room import Spare
from app.ocpp.outbox.rows import TABLE, OutboxRow
from app.ocpp.outbox.rules import OutboxRules, Refusal, Unsendable

__all__ = [
    "NO_ROOM",
    "TABLE",
    "Changes",
    "Outbox",
    "OutboxRow",
    "OutboxRules",
    "Refusal",
    "Spare",
    "Unsendable",
]
