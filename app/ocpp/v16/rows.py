"""What 1.6 writes down: the rows of the store and the tables they lie in."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

ACCEPTED = "Accepted"

KEYS = "v16.keys"
"""Changed configuration keys: name -> {"value"}."""
CONNECTORS = "v16.connectors"
"""Availability and use by connector number: {"inoperative", "scheduled", "done", "keeper"}."""
TRANSACTIONS = "v16.transactions"
"""Transactions until their StopTransaction is answered or given up."""
SAMPLES = "v16.samples"
"""Meter values kept for transactionData: "<ref>:<n>" -> MeterValue."""
CACHE = "v16.cache"
"""The authorization cache: idTag in lower case -> idTagInfo and when it came."""
LIST = "v16.local_list"
"""The local authorization list: idTag in lower case -> its idTagInfo and how the idTag was spelt."""
LIST_VERSION = "v16.local_list_version"
"""One row: {"version"}."""
RESERVATIONS = "v16.reservations"
"""Reservations by their id: {"id", "number", "token", "parent", "expiry"}."""
PROFILES = "v16.charging_profiles"
"""Installed charging profiles by their id, in the order they came."""
POWER = "v16.power"
"""Why and when the last power cycle ended, where that could be written down."""


@dataclass(slots=True, eq=False)
class Transaction:
    """A transaction, from authorization with the cable in to the answer of its StopTransaction.

    `ref` is ours and names it in the outbox; the back office's `transaction_id` is learnt later, and is -1
    when StartTransaction could not be delivered (errata 3.18). Energy in Wh, times as on the wire.
    """

    ref: str
    number: int
    evse: int
    connector: int
    token: str
    parent: str | None
    by: str
    started: str
    meter_start: int
    transaction_id: int | None = None
    ended: bool = False
    refused: str | None = None
    """The status of StartTransaction.conf, where it was not Accepted."""
    uncapped: bool = False
    """Accepted offline without a cap of energy after a later refusal."""
    energy_limit: float | None = None
    """Register at which energy ends: the grace for a refused token."""
    alive: str = ""
    """The last time this row was written while it ran."""
    meter_last: int = 0
    samples: int = 0
    """So many MeterValues were there to be kept for StopTransaction."""
    stride: int = 1
    """Every so manieth of them is kept."""
    key_told: bool = False
    """A signed value of it has carried the meter's public key."""

    def row(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, row: dict[str, Any]) -> Transaction:
        """From its row; what a newer program added is left out."""
        known = {item.name for item in fields(cls)}
        return cls(**{key: value for key, value in row.items() if key in known})


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a token. `by` is backoffice, list, cache, offline, free or remote."""

    token: str
    status: str
    by: str
    parent: str | None = None
    uncapped: bool = False
    """Let in unknown while offline, without a cap of energy."""
    profile: dict[str, Any] | None = None
    """The charging profile that came with a remote start."""

    @property
    def accepted(self) -> bool:
        return self.status == ACCEPTED


def same_token(one: str | None, other: str | None) -> bool:
    """Identifiers compare without case (RPC-19)."""
    return one is not None and other is not None and one.casefold() == other.casefold()
