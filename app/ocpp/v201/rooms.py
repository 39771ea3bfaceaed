"""What a window shows of 2.0.1 beside its sessions, as far as this version has it."""

from __future__ import annotations

from app.ocpp.context import Context
from app.ocpp.outbox import Outbox
from app.ocpp.v201.availability import SCHEDULED
from app.ocpp.views import RoomViews


class Rooms201(RoomViews):
    """The rooms of a charging station of 2.0.1."""

    def __init__(self, ctx: Context, outbox: Outbox) -> None:
        self._ctx, self._outbox = ctx, outbox

    def closing(self) -> frozenset[int]:
        found = {int(key.partition("/")[0]) for key, _ in self._ctx.store.rows(SCHEDULED)}
        if 0 in found:  # the station as a whole
            found = {evse.id for evse in self._ctx.station.snapshot().evses}
        return frozenset(found)

    def resume_queue(self) -> None:
        self._outbox.resume()
