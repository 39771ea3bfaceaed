"""An EVSE as transactions see it, and the transaction that runs there.

A bay is rebuilt from the machine after each boot; a transaction is a row of `v201.transactions`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from app.kernel.clock import Timer
from app.ocpp.context import Payload
from app.ocpp.v201.facts import Facts, charging_state
from app.ocpp.v201.tokens import IdToken
from app.station.kinds import Flow

TABLE = "v201.transactions"


@dataclass(slots=True)
class Permission:
    """An authorization that holds. `announce`: the trigger that the next event must have."""

    token: IdToken
    group: str | None = None
    by: str = "backoffice"
    announce: str | None = None
    remote_start_id: int | None = None
    capped: bool = True


@dataclass(slots=True)
class Transaction:
    """What has to survive a power cut of a running transaction. Energy in Wh, times as stamps."""

    id: str
    evse: int | None
    connector: int | None
    started: str
    next_seq: int = 0
    token: Payload | None = None
    """Who authorized it first; kept when the authorization has ended (C01.FR.23)."""
    group: str | None = None
    meter_start: float | None = None
    meter_last: float | None = None
    state_told: str | None = None
    evse_told: bool = False
    token_told: bool = False
    begin_told: bool = False
    phases_told: int | None = None
    remote_start_id: int | None = None
    """Waits for the next event."""
    reason: str | None = None
    """Why its authorization ended, for the event that ends it later."""
    refused: bool = False
    """The back office did not accept the token, and energy may flow only up to a limit."""
    capped: bool = True
    cost: str | None = None
    cut: str | None = None
    """When the power cycle ended in the middle of it."""
    seen: str | None = None
    """When its last event was: after a kill nobody knows more of its end."""
    begin: Payload | None = None
    """The meter value at its start, for the event that ends it."""
    samples: int = 0
    """So many MeterValues were there to be kept for the event that ends it."""
    stride: int = 1
    """Every so manieth of them is kept."""

    def row(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def id_token(self) -> IdToken | None:
        return IdToken.of(self.token) if self.token else None


@dataclass(slots=True)
class Bay:
    """An EVSE (`evse` 0: the one that is not known yet, because the card came first)."""

    evse: int
    connector: int | None = None
    occupied: bool = False
    flow: Flow = Flow.IDLE
    phases: int | None = None
    facts: Facts = field(default_factory=Facts)
    permission: Permission | None = None
    transaction: Transaction | None = None
    timeout: Timer | None = None
    asking: bool = False
    """A token is being judged for it."""
    silent: bool = False
    """Changes of flow are ours and told with the event that caused them."""
    kept_for: IdToken | None = None
    """The cable stays locked until this token is shown (E05.FR.11)."""
    kept_group: str | None = None
    candidates: tuple[int, ...] = ()
    """evse 0: where the cable may go."""
    paid: str = ""
    """What the transaction that ended last came to, if the back office told; nothing for the next cable."""

    def now(self) -> Facts:
        """The facts of this instant."""
        return Facts(
            self.occupied,
            self.connector is not None,
            self.permission is not None,
            self.flow is Flow.CHARGING,
        )

    @property
    def state(self) -> str:
        """ChargingStateEnumType."""
        return charging_state(self.now(), self.flow)

    @property
    def free(self) -> bool:
        """Nobody has it: no permission, none asked for, no transaction that somebody authorized."""
        tx = self.transaction
        return self.permission is None and not self.asking and (tx is None or tx.token is None)

    def cancel_timeout(self) -> None:
        if self.timeout is not None:
            self.timeout.cancel()
            self.timeout = None
