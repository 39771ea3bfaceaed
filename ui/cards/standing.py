"""What each card is known to be good for: from the tokens of the training CSMS and the running sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from app.kernel.catalogue import Catalogue
from app.training.tokens import Token, TokenList, TokenStatus
from ui.rooms.form import Words
from ui.wallet import Card, CardState

_STATES = {
    TokenStatus.ACCEPTED: CardState.ACCEPTED,
    TokenStatus.EXPIRED: CardState.EXPIRED,
    TokenStatus.BLOCKED: CardState.BLOCKED,
    TokenStatus.INVALID: CardState.BLOCKED,
    TokenStatus.CONCURRENT_TX: CardState.BLOCKED,
    TokenStatus.UNKNOWN: CardState.UNKNOWN,
}


def dressed(
    cards: Sequence[Card],
    catalogue: Catalogue,
    tokens: Sequence[Token] | None = None,
    in_use: Mapping[str, int] | None = None,
    now: datetime | None = None,
) -> list[Card]:
    """The cards with state, word and note.

    `tokens` are those of the training CSMS, None while the station is elsewhere: then nobody can tell
    before a card was shown. `in_use` has the EVSE of each running session by its identifier.
    """
    say = Words(catalogue, "cards")
    known = None if tokens is None else TokenList(tokens)
    running = {uid.casefold(): evse for uid, evse in (in_use or {}).items()}
    moment = now or datetime.now(UTC)
    return [_dressed(card, say, known, running, moment) for card in cards]


def _dressed(
    card: Card, say: Words, known: TokenList | None, running: Mapping[str, int], now: datetime
) -> Card:
    token = None if known is None else known.find(card.uid, card.kind)
    note = say("standing.group", group=token.group) if token is not None and token.group else ""
    evse = running.get(card.uid.casefold())
    if evse is not None:
        status = say("standing.in_use", evse=evse)
        return replace(card, state=CardState.IN_USE, status=status, note=note)
    if known is None:
        return replace(card, state=CardState.PLAIN, status=say(f"kind.{card.kind}"), note="")
    opinion = known.judge(card.uid, now, card.kind).status
    words = say(f"standing.{opinion.value}")
    return replace(card, state=_STATES[opinion], status=words, note=note)
