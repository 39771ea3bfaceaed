"""The actions a CSMS can send, each with an example that is ready to be edited."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.training import examples_v16, examples_v201, placeholders
from app.training.files import Signed, TrainingFiles
from app.training.records import ConnectorRecord, TransactionRecord
from app.training.settings import V16, V201
from app.training.tokens import Token, TokenStatus


@dataclass(frozen=True, slots=True)
class ExampleContext:
    """What an example is filled with. `number` is used where an id never given before is wanted."""

    now: datetime
    number: int = 1
    csms_url: str = "ws://127.0.0.1:9000/ocpp"
    tokens: tuple[Token, ...] = ()
    transaction: TransactionRecord | None = None
    evse: int = 1
    connector: int = 1
    station_id: str = "CS-1"
    vendor: str = "org.example.training"
    """Whose messages the station speaks, by its boot."""
    connectors: tuple[ConnectorRecord, ...] = ()
    busy: frozenset[str] = frozenset()
    """Tokens that charge."""
    taken: Mapping[str, Any] = field(default_factory=dict)
    """What the station accepted last, by action: an example undoes what another did."""
    files: TrainingFiles | None = None
    """The file servers; None: examples name some that are not there."""

    @property
    def firmware_url(self) -> str:
        """Where firmware can be fetched."""
        return self.files.firmware_url() if self.files else placeholders.FIRMWARE_URL

    @property
    def upload_url(self) -> str:
        """Where logs can be sent."""
        return self.files.upload_url(self.station_id) if self.files else placeholders.UPLOAD_URL

    @property
    def signed(self) -> Signed:
        """What goes with signed firmware."""
        if self.files is not None:
            return self.files.signed()
        return Signed(placeholders.CERTIFICATE, placeholders.SIGNATURE, placeholders.CERTIFICATE)

    @property
    def root_hash(self) -> dict[str, str]:
        """How OCPP names the root of signed firmware: what the example of InstallCertificate installs."""
        if self.files is None:
            return dict(placeholders.CERTIFICATE_HASH)
        from app.training.revocation import root_hash

        return root_hash(self.signed.root)

    @property
    def token(self) -> Token:
        """The first accepted card of the list, one that does not charge if there is any."""
        accepted = [
            one
            for one in self.tokens
            if one.status is TokenStatus.ACCEPTED and one.type == "ISO14443"
        ]
        free = (one for one in accepted if one.id not in self.busy)
        return next(free, accepted[0] if accepted else Token("04A29F1C"))

    @property
    def place(self) -> int:
        """The EVSE of the running transaction, else the chosen one."""
        return (self.transaction.evse if self.transaction else None) or self.evse

    @property
    def start(self) -> int:
        """The EVSE where a session can begin: with a cable in, else a free one, else the chosen one."""
        running = self.transaction.evse if self.transaction and self.transaction.active else None
        plugged = [one for one in self.connectors if one.status in {"Preparing", "Occupied"}]
        return next((one.evse for one in plugged if one.evse != running), self.free)

    @property
    def free(self) -> int:
        """The first EVSE that is available, else the chosen one."""
        free = (one.evse for one in self.connectors if one.evse and one.status == "Available")
        return next(free, self.evse)

    @property
    def locked(self) -> int:
        """The EVSE that charges, else the last one: stations with one socket have it there."""
        if self.transaction is not None and self.transaction.active:
            return self.place
        return max((one.evse for one in self.connectors), default=0) or self.evse

    def last(self, action: str, *path: str) -> Any:
        """What the station accepted last by this action, or a part of it; None where there is none."""
        found: Any = self.taken.get(action)
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    def status_of(self, evse: int) -> str:
        """What the station said of an EVSE last; empty if it has not."""
        return next((one.status for one in self.connectors if one.evse == evse), "")

    def after(self, **delta: float) -> datetime:
        """A moment that lies so far in the future."""
        return (self.now + timedelta(**delta)).replace(microsecond=0)


_EXAMPLES: Mapping[str, Mapping[str, Callable[[ExampleContext], dict[str, Any]]]] = {
    V16: examples_v16.EXAMPLES,
    V201: examples_v201.EXAMPLES,
}


def actions(version: str) -> list[str]:
    """Every action a CSMS may send in this version, by name."""
    return sorted(_EXAMPLES[version])


def example_payload(version: str, action: str, context: ExampleContext) -> dict[str, Any]:
    """A payload that fits the schema and makes sense now. Raises KeyError for another action."""
    return _EXAMPLES[version][action](context)
