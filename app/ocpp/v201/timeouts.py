"""EVConnectionTimeOut: who waits for a cable, or for a card, and for how long. Part 2, C01.FR.26, E03.FR.05.

By the specification an authorization waits for a cable; that a cable waits for an authorization is what the
docs read into it, and an open point. The points are met when the time is up. While a person thinks about
them the waiting goes on: who comes before the answer is served.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.kernel.text import Text
from app.ocpp.v201.bay import Bay
from app.ocpp.v201.facts import PARKING
from app.ocpp.v201.screen import show_for_a_while

if TYPE_CHECKING:
    from app.ocpp.v201.transactions import Transactions

POINT = "ocpp201-ev-connection-timeout"


class Timeouts:
    """Ends waiting."""

    def __init__(self, transactions: Transactions) -> None:
        self._tx = transactions
        self._ctx = transactions.ctx

    def arm(self, bay: Bay) -> None:
        """Half of what a charge needs is there: wait for the other half only so long."""
        bay.cancel_timeout()
        plugged, permitted = bay.connector is not None, bay.permission is not None
        if plugged is permitted:
            return
        seconds = self._tx.model.integer("TxCtrlr.EVConnectionTimeOut")
        bay.timeout = self._ctx.clock.call_in(
            seconds, lambda: self._ctx.spawn(self._late(bay, plugged), "connection time-out")
        )

    async def _late(self, bay: Bay, plugged: bool) -> None:
        waiting = bay.timeout
        guarded = await self._ctx.points.ask(f"{POINT}.applies-to")
        if guarded not in ("both", "cable-first" if plugged else "token-first"):
            return
        if bay.timeout is waiting:
            chosen = await self._ctx.points.ask(f"{POINT}.unlock-cable" if plugged else POINT)
            if bay.timeout is waiting:
                late = self._no_card if plugged else self._no_cable
                late(bay, chosen)

    def _no_card(self, bay: Bay, chosen: str) -> None:
        bay.timeout = None
        keep_locked = chosen == "keep-locked"
        if bay.transaction is not None:
            self._tx.finish(bay, "EVConnectTimeout", "Timeout", keep_locked=keep_locked)
        elif not keep_locked:
            self._tx.unlock(bay)

    def _no_cable(self, bay: Bay, chosen: str) -> None:
        bay.timeout = None
        if chosen == "ignore":
            return
        show_for_a_while(self._ctx, bay.evse, Text("v201.screen.too_late"))
        silent = chosen == "end-silently"
        trigger = "ChargingStateChanged" if silent else "EVConnectTimeout"
        reason = "Other" if silent else "Timeout"
        stays = chosen == "deauthorize-keep" or PARKING in self._tx.stop_points
        if stays and bay.transaction is not None:
            self._tx.lapse(bay, trigger, reason)  # E03.FR.15
        else:
            self._tx.end_permission(bay, trigger, reason, force=True)
