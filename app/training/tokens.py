"""The cards and keys the training CSMS knows."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from app.kernel.resources import resource


class TokenStatus(Enum):
    """What the CSMS thinks of a token. `UNKNOWN` is never stored: it stands for "not in the list"."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    CONCURRENT_TX = "ConcurrentTx"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Token:
    """A card, key or app that may start a session.

    `type` is the 2.0.1 type of the identifier. `single_session` tokens may be in one transaction at a
    time only. `group` is the parentIdTag of 1.6 and the groupIdToken of 2.0.1.
    """

    id: str
    name: str = ""
    type: str = "ISO14443"
    status: TokenStatus = TokenStatus.ACCEPTED
    group: str = ""
    expiry: datetime | None = None
    single_session: bool = False
    message: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer to "may this token charge?"."""

    status: TokenStatus
    token: Token | None = None


class TokenList:
    """All known tokens; identifiers compare without case."""

    def __init__(self, tokens: Iterable[Token] = ()) -> None:
        self._tokens: dict[str, Token] = {}
        for token in tokens:
            self.put(token)

    @classmethod
    def shipped(cls) -> TokenList:
        """The list that comes with the program."""
        return cls(load_tokens(resource("training", "tokens.toml")))

    def __iter__(self) -> Iterator[Token]:
        return iter(self._tokens.values())

    def __len__(self) -> int:
        return len(self._tokens)

    def all(self) -> tuple[Token, ...]:
        """Every token in the order in which it was added."""
        return tuple(self._tokens.values())

    def put(self, token: Token) -> None:
        """Add a token or replace the one with the same identifier."""
        self._tokens[token.id.casefold()] = token

    def remove(self, token_id: str) -> bool:
        """Forget a token; False if there was none."""
        return self._tokens.pop(token_id.casefold(), None) is not None

    def find(self, token_id: str, type_: str | None = None) -> Token | None:
        """The token with this identifier; a 2.0.1 type must match too (errata C01.FR.25)."""
        token = self._tokens.get(token_id.casefold())
        if token is None or (type_ is not None and type_ != token.type):
            return None
        return token

    def judge(self, token_id: str, now: datetime, type_: str | None = None) -> Judgement:
        """What to answer for an identifier at `now`, transactions left aside."""
        token = self.find(token_id, type_)
        if token is None:
            return Judgement(TokenStatus.UNKNOWN)
        if token.status is TokenStatus.ACCEPTED and token.expiry and token.expiry <= now:
            return Judgement(TokenStatus.EXPIRED, token)
        return Judgement(token.status, token)


def load_tokens(path: Path) -> tuple[Token, ...]:
    """Read a token file. Raises ValueError that names the file and the entry for a broken one."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        return tuple(_token(entry) for entry in data.get("token", []))
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path.name}: {error}") from error


def _token(entry: Mapping[str, Any]) -> Token:
    expiry = entry.get("expiry")
    if expiry is not None and not isinstance(expiry, datetime):
        raise ValueError(f"expiry of token {entry['id']} is no date-time")
    if expiry is not None and expiry.tzinfo is None:
        expiry = expiry.replace(tzinfo=UTC)
    return Token(
        id=entry["id"],
        name=entry.get("name", ""),
        type=entry.get("type", "ISO14443"),
        status=TokenStatus(entry.get("status", "Accepted")),
        group=entry.get("group", ""),
        expiry=expiry,
        single_session=entry.get("single_session", False),
        message=entry.get("message", ""),
    )
