"""What a job with files has in its row, whichever kind it is: where to, how often, and how it stands."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Self

from app.kernel.text import Text
from app.kernel.units import stamp
from app.ocpp.context import TransferFailed, TransferTrouble

LONGEST_WAIT = 100 * 365 * 86_400.0
"""Seconds between two tries: who asks for more than a century gets that, which a calendar can still name."""


@dataclass(slots=True, eq=False, kw_only=True)
class Job:
    """A row of its own. Dates as on the wire; `retries` counts what follows the first try, seconds apart."""

    location: str
    retries: int
    interval: float
    request_id: int | None = None
    tries: int = 0
    """Transfers that failed."""
    retry_at: str | None = None
    status: str = ""
    """The last one that began."""
    why: str | None = None
    """Id of the sentence on what went wrong last."""
    why_params: dict[str, Any] | None = None

    def row(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """From its row; what a newer program added is left out."""
        known = {item.name for item in fields(cls)}
        return cls(**{key: value for key, value in row.items() if key in known})

    @property
    def detail(self) -> Text | None:
        return Text(self.why, self.why_params or {}) if self.why else None

    def failed_because(self, text: Text | None) -> None:
        self.why = text.id if text else None
        self.why_params = dict(text.params) if text else None

    def tries_again(self, failure: TransferFailed, now: datetime) -> bool:
        """A transfer failed: is there another one after the interval (FW-07, DG-02)?"""
        self.tries += 1
        self.failed_because(failure.text)
        if self.tries > self.retries or failure.trouble is TransferTrouble.NOT_SUPPORTED:
            return False
        wait = min(max(0.0, self.interval), LONGEST_WAIT)
        self.retry_at = stamp(now + timedelta(seconds=wait))
        return True
