"""EVSEs that a firmware update keeps out of service, whatever was ordered of them. Part 2, L01.FR.07.

The machine remembers over a power cut what is out of service, so which of it is due to the update is a row.
"""

from __future__ import annotations

from collections.abc import Callable

from app.ocpp.context import Context
from app.station.commands import SetOperative

TABLE = "v201.withheld"


class Withheld:
    """`in_service`: has the back office left this EVSE in service."""

    def __init__(self, ctx: Context, in_service: Callable[[int], bool]) -> None:
        self._ctx, self._in_service = ctx, in_service

    def __contains__(self, evse: int) -> bool:
        return self._ctx.store.get(TABLE, str(evse)) is not None

    def take(self, evse: int) -> None:
        """Out of service until all are given back."""
        if evse not in self:
            self._ctx.store.put(TABLE, str(evse), {})
            self._ctx.station.handle(SetOperative(evse, 0, operative=False))

    def give_back(self) -> None:
        """Each EVSE goes back to what is ordered of it."""
        evses = [int(key) for key, _ in self._ctx.store.rows(TABLE)]
        with self._ctx.store.step():
            for evse in evses:
                self._ctx.store.delete(TABLE, str(evse))
        for evse in evses:
            if self._in_service(evse):
                self._ctx.station.handle(SetOperative(evse, 0, operative=True))
