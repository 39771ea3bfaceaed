"""What became of a CALL the CSMS sent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any


class OutcomeKind(Enum):
    """How a CALL to a station ended."""

    RESULT = "result"
    ERROR = "error"
    TIMEOUT = "timeout"
    DISCONNECTED = "disconnected"
    SENT = "sent"  # a raw text that is no CALL: nothing answers it


GRANTED = frozenset(
    {"", "Accepted", "AcceptedCanceled", "Scheduled", "RebootRequired", "Unlocked", "Unpublished"}
)
"""Words, and none, that say yes; all others say no."""


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """The answer to a composed CALL. `sent` and `raw` are the texts as they went over the wire."""

    kind: OutcomeKind
    payload: Any = None
    code: str = ""
    description: str = ""
    details: Any = None
    latency_ms: float = 0.0
    raw: str = ""
    sent: str = ""

    @property
    def status(self) -> str:
        """The word of the answer; empty where it has none."""
        status = self.payload.get("status") if isinstance(self.payload, dict) else None
        return status if isinstance(status, str) else ""

    @property
    def turned_down(self) -> bool:
        """It was answered, but not granted."""
        return self.kind is OutcomeKind.RESULT and self.status not in GRANTED
