"""Reset: sessions closed, then down and up again from what was written down (1.6 part 5.14)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.ocpp.context import BootReason, Context, Handler, Payload, Reply
from app.ocpp.personality import Block
from app.ocpp.v16.availability import Availability
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.connectors import Connectors
from app.ocpp.v16.delivery import Delivery
from app.ocpp.v16.drivers import Drivers
from app.ocpp.v16.transactions import Transactions
from app.ocpp.v16.turned_down import REJECTED, turned_down
from app.station.commands import Restart
from app.station.kinds import RestartKind

PAUSE = 1.0
"""Seconds between two tries to go down."""


class Reset(Block):
    """Takes the station down in order."""

    def __init__(
        self,
        ctx: Context,
        config: Configuration,
        connectors: Connectors,
        availability: Availability,
        delivery: Delivery,
        transactions: Transactions,
        drivers: Drivers,
    ) -> None:
        super().__init__(ctx)
        self._config = config
        self._connectors = connectors
        self._availability = availability
        self._delivery = delivery
        self._transactions = transactions
        self._drivers = drivers
        self._under_way = False
        self.hindered: Callable[[], bool] = lambda: False
        """Something is being done that must not be interrupted."""

    def handlers(self) -> Mapping[str, Handler]:
        return {"Reset": self._reset}

    def _reset(self, request: Payload) -> Reply:
        if self._under_way:
            return turned_down(REJECTED, "resetting")
        if self.hindered():  # RE-06
            return turned_down(REJECTED, "reset_installing")
        self._under_way = True
        hard = request["type"] == "Hard"
        return Reply({"status": "Accepted"}, then=lambda: self._go_down(hard))

    async def _go_down(self, hard: bool) -> None:
        self._drivers.closed = True
        if not hard:
            await self._close_all("SoftReset")
        elif self._connectors.running():
            if await self.ctx.points.ask("ocpp16-hard-reset-stop") != "after-boot":
                await self._close_all("HardReset")
            else:
                # found running after the boot, and closed then
                self._transactions.remember_end("HardReset")
        await self._restart(RestartKind.HARD if hard else RestartKind.SOFT)

    async def _close_all(self, reason: str) -> None:
        """Stop every transaction and wait for the answers, but not longer than a time-out."""
        running = self._connectors.running()
        refs = [item.transaction.ref for item in running if item.transaction is not None]
        for item in running:
            self._transactions.end(item, reason)
        await self._delivery.settled(refs)

    async def _restart(self, kind: RestartKind) -> None:
        for item in self._connectors:
            item.settling = True  # what goes out now is no news
        for _ in range(self._config.number("ResetRetries") + 1):
            if self.ctx.station.handle(Restart(kind)).accepted:
                self.ctx.reboot(BootReason.REMOTE_RESET)
                return
            await self.ctx.clock.sleep(PAUSE)
        self._failed()

    def _failed(self) -> None:
        self._under_way = self._drivers.closed = False
        for item in self._connectors:
            item.settling = False
        self._transactions.forget_end()
        self._availability.reset_failed()
