"""Starting anew on order. Part 2, B11 and B12.

Immediate: transactions end, their last messages get the chance to be delivered, then the station goes down.
OnIdle: when nothing runs, no log is sent, no firmware fetched or installed, nobody is authorized and no cable
is locked (errata 2.14); as printed, when no transaction runs (open point ocpp201-baseline). What is
scheduled is no row: a power cut on the way does what it was for, all of the station boots and nothing is left
to restart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.kernel.activity import Wakeup
from app.ocpp.context import BootReason, Context, Handler, Payload, Reply
from app.ocpp.events import FirmwareProgress, LogProgress
from app.ocpp.outbox import Outbox
from app.ocpp.personality import Block
from app.ocpp.v201.device_model import DeviceModel
from app.ocpp.v201.remote import rejected
from app.ocpp.v201.transactions import Transactions
from app.station.commands import Restart
from app.station.events import CableUnplugged, LockChanged
from app.station.kinds import LockState, RestartKind

PAUSE = 1.0
"""Seconds between two tries to go down."""


class Reset(Block):
    """Goes down and comes up again."""

    def __init__(
        self, ctx: Context, model: DeviceModel, outbox: Outbox, transactions: Transactions
    ) -> None:
        super().__init__(ctx)
        self._model = model
        self._outbox = outbox
        self._tx = transactions
        self._scheduled: dict[int, bool] = {}
        """EVSEs (0: the station) that restart when they are idle, and whether by the errata."""
        self._delivered: Wakeup | None = None
        self._going_down = False
        self._patient = True
        self.busy: list[Callable[[], bool]] = []
        """Does the station do something else that a reset on idle waits for?"""
        self.hindered: Callable[[], bool] = lambda: False
        """Something is being done that must not be interrupted."""

    def handlers(self) -> Mapping[str, Handler]:
        return {"Reset": self._reset}

    def start(self) -> None:
        self._tx.idle_hooks.append(lambda _: self._look())
        self.on(lambda _: self._look(), LockChanged, CableUnplugged, LogProgress, FirmwareProgress)

    def link_down(self) -> None:
        self.something_delivered()

    def something_delivered(self) -> None:
        """A queued message is gone: whoever waits for that looks again."""
        if self._delivered is not None:
            self._delivered.set()

    def delivery_failed(self) -> None:
        """B12.FR.05: what is not taken now is sent again after the boot."""
        self._patient = False
        self.something_delivered()

    # ---- the request

    async def _reset(self, request: Payload) -> Reply:
        evse, on_idle = request.get("evseId", 0), request["type"] == "OnIdle"
        by_errata = True
        if on_idle and not self._going_down and not self._idle(evse):
            by_errata = await self.ctx.points.ask("ocpp201-baseline") != "edition-3"
        if self._going_down:
            return rejected("InternalError")
        if evse and evse not in self._tx.bays:
            return rejected("UnknownEvse")
        if evse and not self._model.flag(f"EVSE@{evse}.AllowReset"):
            return rejected("UnsupportedParam")  # B11.FR.09
        if on_idle and not self._idle(evse, by_errata=by_errata):
            self._scheduled[evse] = by_errata
            return Reply({"status": "Scheduled"}, then=self._look)
        if self.hindered():
            return rejected("FwUpdateInProgress")  # B11.FR.06
        if not evse:
            self._going_down = True
        return Reply({"status": "Accepted"}, then=lambda: self._now(evse))

    def _idle(self, evse: int, *, by_errata: bool = True) -> bool:
        bays = [bay for bay in self._tx.all_bays() if evse in (0, bay.evse)]
        if not by_errata:
            return not self.hindered() and all(bay.transaction is None for bay in bays)
        if self.hindered() or (not evse and any(busy() for busy in self.busy)):
            return False
        if any(bay.transaction is not None or not bay.free for bay in bays):
            return False
        found = self.ctx.station.snapshot().evses
        return not any(
            connector.lock is LockState.LOCKED
            for part in found
            if evse in (0, part.id)
            for connector in part.connectors
        )

    def _look(self) -> None:
        """Has an EVSE whose reset is scheduled become idle?"""
        for evse, by_errata in sorted(self._scheduled.items()):
            if self._idle(evse, by_errata=by_errata) and not self._going_down:
                del self._scheduled[evse]
                if evse == 0:
                    self._going_down = True
                self.ctx.spawn(self._down(evse, BootReason.SCHEDULED_RESET), "scheduled reset")

    # ---- going down

    async def _now(self, evse: int) -> None:
        self._tx.end_all("ResetCommand", "ImmediateReset", evse or None)
        await self._down(evse, BootReason.REMOTE_RESET)

    async def _down(self, evse: int, reason: BootReason) -> None:
        if evse:
            self.ctx.station.handle(Restart(RestartKind.SOFT, evse))
            return
        await self._deliver()
        kind = RestartKind.HARD if reason is BootReason.REMOTE_RESET else RestartKind.SOFT
        for _ in range(self._model.integer("OCPPCommCtrlr.ResetRetries") + 1):
            if self.ctx.station.handle(Restart(kind)).accepted:
                self.ctx.reboot(reason)
                return
            await self.ctx.clock.sleep(PAUSE)
        self._going_down = False  # in vain: it goes on

    async def _deliver(self) -> None:
        """B12.FR.05: wait for the answers, but not longer than a message may take."""
        self._patient = True
        seconds = float(self._model.integer("OCPPCommCtrlr.MessageTimeout[Default]"))
        timer = self.ctx.link.call_later(seconds, self.delivery_failed)
        try:
            while self._outbox.count() and self.ctx.calls.online and self._patient:
                self._delivered = self.ctx.activity.wakeup()
                await self._delivered.wait()
        finally:
            self._delivered = None
            timer.cancel()
