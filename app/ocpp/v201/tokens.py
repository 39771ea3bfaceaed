"""Tokens as 2.0.1 has them: a text and a type; additionalInfo does not count (C01.FR.25, errata 2.18)."""

from __future__ import annotations

from dataclasses import dataclass

from app.ocpp.context import Payload
from app.ocpp.token_types import TOKEN_TYPES

NO_AUTHORIZATION = "NoAuthorization"
CENTRAL = "Central"
LONGEST = 36
"""Characters of an idToken."""


@dataclass(frozen=True, slots=True)
class IdToken:
    """What identifies a driver."""

    text: str
    kind: str = "ISO14443"

    @property
    def fits(self) -> bool:
        """Whether a message can carry it (201-AU-01). Cut short it would be somebody else's."""
        return 0 < len(self.text) <= LONGEST

    @property
    def key(self) -> str:
        """Two tokens are the same when their keys are (compared without case, RPC-19)."""
        return f"{self.kind.lower()}:{self.text.lower()}"

    def payload(self) -> Payload:
        """As IdTokenType."""
        return {"idToken": self.text, "type": self.kind}

    @classmethod
    def of(cls, payload: Payload) -> IdToken:
        return cls(payload["idToken"], payload["type"])

    @classmethod
    def shown(cls, uid: str, kind: str) -> IdToken:
        """What a reader read; the machine's name of the kind is that of the type, else ISO 14443."""
        known = {name.lower(): name for name in TOKEN_TYPES}
        return cls(uid, known.get(kind.lower(), "ISO14443"))

    @property
    def stored(self) -> bool:
        """May it be kept in cache (C02.FR.03, C05.FR.02)."""
        return self.kind not in (NO_AUTHORIZATION, CENTRAL)


ANONYMOUS = IdToken("", NO_AUTHORIZATION)
"""The start button and stations that ask nobody (C02.FR.01)."""
