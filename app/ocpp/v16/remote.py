"""RemoteStartTransaction, RemoteStopTransaction and UnlockConnector (1.6 part 5.11, 5.12, 5.18)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from app.ocpp.context import Context, Handler, Payload, Reply, not_begun
from app.ocpp.personality import Block
from app.ocpp.v16.authorization import Authorization
from app.ocpp.v16.boot import Boot
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.connectors import Connector, Connectors
from app.ocpp.v16.drivers import Drivers
from app.ocpp.v16.places import anybody
from app.ocpp.v16.reservation import Guest
from app.ocpp.v16.rows import Decision
from app.ocpp.v16.smart_charging import SmartCharging
from app.ocpp.v16.transactions import Transactions
from app.ocpp.v16.turned_down import REJECTED, turned_down
from app.station.commands import Unlock

ACCEPTED = "Accepted"


class Remote(Block):
    """What the back office does in the driver's place."""

    def __init__(
        self,
        ctx: Context,
        config: Configuration,
        connectors: Connectors,
        boot: Boot,
        authorization: Authorization,
        transactions: Transactions,
        drivers: Drivers,
        charging: SmartCharging,
    ) -> None:
        super().__init__(ctx)
        self._config = config
        self._connectors = connectors
        self._boot = boot
        self._authorization = authorization
        self._transactions = transactions
        self._drivers = drivers
        self._charging = charging

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "RemoteStartTransaction": self._start,
            "RemoteStopTransaction": self._stop,
            "UnlockConnector": self._unlock,
        }

    # ------------------------------------------------------------------ start

    async def _start(self, request: Payload) -> Reply:
        token = str(request["idTag"])
        items = await self._candidates(request.get("connectorId"), token)
        if not self._boot.accepted or not self._drivers.serving():
            return turned_down(REJECTED, "not_ready")
        if not items:
            return self._nowhere(request.get("connectorId"))
        if self._drivers.places.find(items, anybody(token)) is None:
            kept = self._drivers.places.why_none(items) == "reserved"
            return turned_down(REJECTED, "start_reserved" if kept else "start_taken")
        profile = request.get("chargingProfile")
        if profile is not None and not await self._charging.check_start(profile, items[0].number):
            return turned_down(REJECTED, "start_profile")
        return Reply(
            {"status": ACCEPTED},
            then=lambda: self._begin(token, items, profile),
            unheard=not_begun,
        )

    def _nowhere(self, number: int | None) -> Reply:
        if number is None:
            return turned_down(REJECTED, "start_without_connector")
        return turned_down(REJECTED, "connector", number=number)

    async def _candidates(self, number: int | None, token: str) -> list[Connector]:
        if number is not None:
            item = self._connectors.get(number)
            return [item] if item is not None else []
        choice = await self.ctx.points.ask("ocpp16-remote-start-no-connector")
        if choice == "reject":
            return []
        everyone = list(self._connectors)
        place = self._drivers.places.find(everyone, anybody(token))
        if choice == "wait-plug" or place is None:
            return everyone
        first = place.now or self._connectors.get(place.later[0])
        return [first] if first is not None else []

    async def _begin(self, token: str, items: list[Connector], profile: Payload | None) -> None:
        evse = items[0].evse if len(items) == 1 else None
        if self._config.flag("AuthorizeRemoteTxRequests"):
            decision = await self._authorization.decide(token, evse)
        else:
            decision = self._authorization.vouch(token, "remote", evse)
            if self._needs_group(decision, items):
                decision = await self._authorization.decide(token, evse)
        if decision.accepted:
            await self._drivers.admit_in_time(replace(decision, profile=profile), items)

    def _needs_group(self, decision: Decision, items: list[Connector]) -> bool:
        """Only the parent of the token can open what is reserved: it has to be asked for (part 5.13)."""
        if decision.parent is not None:
            return False
        return self._drivers.places.find(items, Guest.of(decision)) is None

    # ------------------------------------------------------------------ stop

    def _stop(self, request: Payload) -> Reply:
        wanted = int(request["transactionId"])
        for item in self._connectors.running():
            running = item.transaction
            if self._boot.accepted and running is not None and running.transaction_id == wanted:
                return Reply(
                    {"status": ACCEPTED},
                    then=lambda item=item: self._transactions.end(item, "Remote"),  # type: ignore[misc]
                )
        return turned_down(REJECTED, "transaction", id=wanted)

    # ------------------------------------------------------------------ unlock

    async def _unlock(self, request: Payload) -> Reply:
        number = int(request["connectorId"])
        item = self._connectors.get(number)
        if item is None:
            return turned_down("NotSupported", "connector", number=number)
        if not item.lockable:
            return turned_down("NotSupported", "no_lock", number=number)  # errata 3.87
        if item.transaction is not None:
            choice = await self.ctx.points.ask("ocpp16-connector-unlock-during-tx")
            # what runs here now, if anything does: a person may have thought for a while
            if choice == "unlock-failed" and item.transaction is not None:
                return turned_down("UnlockFailed", "unlock_charging", number=number)
            self._transactions.end(item, "UnlockCommand")
        outcome = self.ctx.station.handle(Unlock(item.evse, item.id))
        if not outcome.accepted:
            return turned_down("UnlockFailed", "lock_stuck", number=number)
        if item.keeper is not None:
            item.keeper = None
            self._connectors.save(item)
            self._connectors.changed(item.number)
        return Reply({"status": "Unlocked"})
