"""The actions a CSMS can send, each with an example that is ready to be edited."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.training import examples_v16, examples_v201, placeholders
from app.training.files import Signed, TrainingFiles
from app.training.records import TransactionRecord
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
        from app.training.certificates import root_hash

        return root_hash(self.signed.root)

    @property
    def token(self) -> Token:
        """The first accepted card of the list."""
        accepted = (
            one
            for one in self.tokens
            if one.status is TokenStatus.ACCEPTED and one.type == "ISO14443"
        )
        return next(accepted, Token("04A29F1C"))

    @property
    def place(self) -> int:
        """The EVSE of the running transaction, else the chosen one."""
        return (self.transaction.evse if self.transaction else None) or self.evse

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
