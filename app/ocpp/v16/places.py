"""Where a token can be used: at a cable that is in, or at a free connector, as reservations leave it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.ocpp.v16 import status
from app.ocpp.v16.availability import Availability
from app.ocpp.v16.connectors import Connector, Connectors
from app.ocpp.v16.reservation import Guest, Reservations
from app.ocpp.v16.rows import same_token
from app.ocpp.v16.transactions import Transactions


@dataclass(frozen=True, slots=True)
class Place:
    """Where a token can be used: at a cable that is in, or at whichever of these is plugged next."""

    now: Connector | None
    later: tuple[int, ...] = ()


def anybody(token: str) -> Guest:
    """Who shows a token that nobody was asked about yet."""
    return Guest(token, may_be_of_a_group=True)


class Places:
    """Finds a place among some connectors."""

    def __init__(
        self,
        connectors: Connectors,
        availability: Availability,
        transactions: Transactions,
        reservations: Reservations,
    ) -> None:
        self._connectors = connectors
        self._availability = availability
        self._transactions = transactions
        self._reservations = reservations

    def find(self, items: Sequence[Connector], guest: Guest) -> Place | None:
        """Where an accepted token would be used now; None: nowhere.

        What is reserved for the guest comes first, what is reserved for others is left out. A cable
        that is in and unused comes before a free connector, the newest of several. Where there is but
        one EVSE in question its finished cable may be used again (F2); otherwise that would be somebody
        else's (errata 3.20).
        """
        alone = len({item.evse for item in items}) == 1
        items = self._open_to(guest, items)
        plugged = [item for item in items if self._may_begin(item, guest)]
        ready = [item for item in plugged if not item.done]
        if not ready and alone:
            ready = plugged
        if ready:
            return Place(max(ready, key=lambda item: item.plugged_at))
        free = tuple(item.number for item in items if self._free(item))
        return Place(None, free) if free else None

    def kept_from(self, item: Connector, guest: Guest) -> bool:
        """The cable is locked here until somebody else, or one of their group, comes (16-AU-10)."""
        if item.keeper is None:
            return False
        token, parent = item.keeper
        if same_token(token, guest.token) or same_token(parent, guest.parent):
            return False
        return parent is None or not guest.may_be_of_a_group

    def _may_begin(self, item: Connector, guest: Guest) -> bool:
        return self._transactions.can_begin(item) and not self.kept_from(item, guest)

    def why_none(self, items: Sequence[Connector]) -> str:
        """Why an accepted token has no place: the sentence on the screen."""
        kept = any(self._reservations.keeps(item.number) for item in items)
        return "reserved" if kept else "no_connector"

    def _open_to(self, guest: Guest, items: Sequence[Connector]) -> Sequence[Connector]:
        found = [item for item in items if self._reservations.may_use(item.number, guest)]
        if guest.may_be_of_a_group:
            return found
        own = [item for item in found if self._reservations.expects(item.number, guest)]
        return own or found

    def _free(self, item: Connector) -> bool:
        if item.keeper is not None or self._connectors.evse_busy(item):
            return False
        if any(claim.numbers == (item.number,) for claim in self._connectors.claims):
            return False
        now = self._availability.condition(item.number).status
        if now in (status.PREPARING, status.RESERVED):
            return not self._connectors.plugged(item)
        return now == status.AVAILABLE
