"""Transactions: opened with StartTransaction, closed with StopTransaction (1.6 part 4.8 and 4.10).

A transaction is a row from its first moment. One that is found running when the power cycle begins ended
with the power: it is closed then.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from app.kernel.bus import Entry
from app.kernel.units import parse_stamp, stamp
from app.ocpp.context import BootReason, Context, Payload
from app.ocpp.events import TransactionEnded, TransactionIdLearnt, TransactionStarted
from app.ocpp.personality import Block
from app.ocpp.v16 import status
from app.ocpp.v16.authorization import Authorization
from app.ocpp.v16.availability import Availability
from app.ocpp.v16.book import Book
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.connectors import Connector, Connectors
from app.ocpp.v16.delivery import START, STOP, Delivery
from app.ocpp.v16.metering import Metering
from app.ocpp.v16.refused import Refusals
from app.ocpp.v16.reservation import Guest, Reservations
from app.ocpp.v16.rows import ACCEPTED, POWER, Decision, Transaction
from app.ocpp.v16.smart_charging import SmartCharging
from app.ocpp.v16.status import EV_DISCONNECTED, FINISHING, Condition
from app.ocpp.v16.timers import Timers
from app.station.commands import Permit, Suspend, Unlock, Withdraw
from app.station.events import CableUnplugged, FaultCleared, FaultRaised, MainsCut, StopPressed
from app.station.kinds import Fault

POWER_KEY = "last"

_REASONS = {
    BootReason.POWER_UP: "PowerLoss",
    BootReason.REMOTE_RESET: "HardReset",
    BootReason.LOCAL_RESET: "Reboot",
    BootReason.SCHEDULED_RESET: "Reboot",
    BootReason.FIRMWARE_UPDATE: "Reboot",
    BootReason.WATCHDOG: "Reboot",
    BootReason.UNKNOWN: "Other",
}


class Transactions(Block):
    """Opens and closes transactions, and reacts to what happens to them."""

    def __init__(
        self,
        ctx: Context,
        config: Configuration,
        connectors: Connectors,
        availability: Availability,
        authorization: Authorization,
        book: Book,
        delivery: Delivery,
        metering: Metering,
        reservations: Reservations,
        charging: SmartCharging,
        timers: Timers,
    ) -> None:
        super().__init__(ctx)
        self._config = config
        self._connectors = connectors
        self._availability = availability
        self._authorization = authorization
        self._book = book
        self._delivery = delivery
        self._metering = metering
        self._reservations = reservations
        self._charging = charging
        self._refusals = Refusals(ctx, config, connectors, book, timers, self.end)

    # ------------------------------------------------------------------ block

    def restore(self) -> None:
        self._book.restore()

    def start(self) -> None:
        self._delivery.on_started.append(self._on_start_answer)
        self._authorization.on_conflict.append(self._tell_conflict)
        self.on(self._on_unplugged, CableUnplugged)
        self.on(self._on_fault, FaultRaised)
        self.on(self._on_fault_gone, FaultCleared)
        self.on(self._on_stop_button, StopPressed)
        self.on(self._on_mains_cut, MainsCut)
        self._close_unfinished()

    def stop(self) -> None:
        super().stop()
        # a disk that fails was told already; the last sample then tells when the power went
        with suppress(OSError):
            known = self.ctx.store.get(POWER, POWER_KEY) is not None
            if self._connectors.running() and not known:
                self.remember_end(None)

    # ------------------------------------------------------------------ open

    @property
    def full(self) -> bool:
        """The queue is full, and nothing new may begin (both-offline-queue-capacity)."""
        return self._delivery.outbox.refuses_sessions

    async def foresee(self) -> None:
        """Awaited before one begins, where there is time: a person may have to be asked."""
        await self._metering.foresee()

    def can_begin(self, item: Connector) -> bool:
        """A cable is in, the connector is in service and free, and no fault forbids it."""
        if self.full:
            return False
        if (
            item.transaction is not None
            or item.updating
            or item.inoperative
            or self._connectors.evse_busy(item)
        ):
            return False
        if not self._connectors.plugged(item):
            return False
        snapshot = self.ctx.station.snapshot()
        return not status.forbidden(item, snapshot.evse(item.evse), snapshot)

    def begin(self, item: Connector, decision: Decision) -> bool:
        """Open a transaction for an accepted token; False when the machine cannot."""
        if not self.can_begin(item):
            return False
        reading = self.ctx.station.meter(item.evse)
        transaction = Transaction(
            ref=self.ctx.ids(),
            number=item.number,
            evse=item.evse,
            connector=item.id,
            token=decision.token,
            parent=decision.parent,
            by=decision.by,
            started=stamp(reading.at),
            meter_start=int(reading.energy_import),
            uncapped=decision.uncapped,
            alive=stamp(reading.at),
            meter_last=int(reading.energy_import),
        )
        request: Payload = {
            "connectorId": item.number,
            "idTag": decision.token,
            "meterStart": transaction.meter_start,
            "timestamp": transaction.started,
        }
        reservation = self._reservations.match(item.number, Guest.of(decision))
        if reservation is not None:
            request["reservationId"] = reservation.id
        item.settling = True
        try:
            with self.ctx.store.step():
                if reservation is not None:
                    self._reservations.write_off(reservation)
                item.done, item.keeper = False, None
                self._connectors.save(item)
                self._book.save(transaction)
                self._delivery.put(START, request, transaction)
                item.transaction = transaction
                self._metering.begin(item, reading)
                self._charging.adopt(item, decision.profile)
            if reservation is not None:
                self._reservations.used(reservation)
        except BaseException:
            item.transaction = None
            raise
        finally:
            item.settling = False
        self._opened(item, transaction)
        return item.transaction is not None

    def _opened(self, item: Connector, transaction: Transaction) -> None:
        self._connectors.last_used = item.number
        self.ctx.bus.publish(
            TransactionStarted(item.evse, item.id, None, transaction.token or None)
        )
        self._metering.started(item)
        self._charging.opened()
        outcome = self.ctx.station.handle(Permit(item.evse, item.id))
        self._connectors.changed(item.number)
        self._delivery.kick()
        if not outcome.accepted:
            self.end(item, "Other")

    # ------------------------------------------------------------------ close

    def end(
        self, item: Connector, reason: str, token: str | None = None, *, keep_locked: bool = False
    ) -> None:
        """Close the transaction of a connector. `token` is the one shown to stop it."""
        transaction = item.transaction
        if transaction is None:
            return
        item.settling = True
        try:
            self.ctx.station.handle(Withdraw(item.evse))
            energy = self._close(item, transaction, reason, token, keep_locked)
        finally:
            item.settling = False
        self._after(item, transaction, reason, energy)

    def _close(
        self,
        item: Connector,
        transaction: Transaction,
        reason: str,
        token: str | None,
        keep_locked: bool,
    ) -> float:
        reading = self.ctx.station.meter(item.evse)
        stopped = max(int(reading.energy_import), transaction.meter_last)
        request: Payload = {"meterStop": stopped, "timestamp": stamp(reading.at), "reason": reason}
        if token is not None:
            request["idTag"] = token
        with self.ctx.store.step():
            values = self._metering.end(item, reading)
            if values:
                request["transactionData"] = values
            self._record_end(transaction, request)
            self._charging.drop(transaction)
            item.done = self._connectors.plugged(item)
            kept = keep_locked and item.lockable
            item.keeper = (transaction.token, transaction.parent) if kept else None
            self._connectors.save(item)
        item.transaction = None
        item.ev_unplugged = False
        return float(stopped - transaction.meter_start)

    def _record_end(self, transaction: Transaction, request: Payload) -> None:
        transaction.ended = True
        self._book.save(transaction)
        # the id is put in when it is sent; the schema wants it there from the start
        known = transaction.transaction_id
        request["transactionId"] = known if known is not None else -1
        self._delivery.put(STOP, request, transaction)

    def _after(self, item: Connector, transaction: Transaction, reason: str, energy: float) -> None:
        if item.suspended:
            item.suspended = False
            self.ctx.station.handle(Suspend(item.evse, suspended=False))
        if item.keeper is None:
            self.ctx.station.handle(Unlock(item.evse, item.id))
        known = transaction.transaction_id
        self.ctx.bus.publish(
            TransactionEnded(item.evse, None if known is None else str(known), reason, energy)
        )
        self._refusals.forget(transaction)
        self._charging.closed()
        self._availability.free(item)
        self._connectors.changed(item.number)
        self._delivery.kick()

    # ------------------------------------------------------------------ a power cycle ended

    def _close_unfinished(self) -> None:
        """Close what ran when the power went, the machine reset or the program was killed."""
        row = self.ctx.store.get(POWER, POWER_KEY) or {}
        reason = str(row.get("reason") or _REASONS[self.ctx.boot_reason])
        for transaction in self._book.unfinished():
            self._close_old(transaction, reason, row.get("at"))
        self.ctx.store.delete(POWER, POWER_KEY)

    def _close_old(self, transaction: Transaction, reason: str, at: str | None) -> None:
        reading = self.ctx.station.meter(transaction.evse)
        # the register is the station's own and did not move without power
        stopped = max(int(reading.energy_import), transaction.meter_last, transaction.meter_start)
        ended = at or transaction.alive or transaction.started
        request: Payload = {"meterStop": stopped, "timestamp": ended, "reason": reason}
        reading = replace(reading, at=parse_stamp(ended))  # its values are those of the end
        item = self._connectors.get(transaction.number)
        with self.ctx.store.step():
            values = self._metering.close(transaction, reading)
            if values:
                request["transactionData"] = values
            self._record_end(transaction, request)
            if item is not None:
                item.done = self._connectors.plugged(item)
                self._connectors.save(item)
        if item is not None:
            self.ctx.station.handle(Unlock(item.evse, item.id))
        known = transaction.transaction_id
        energy = float(stopped - transaction.meter_start)
        self.ctx.bus.publish(
            TransactionEnded(
                transaction.evse, None if known is None else str(known), reason, energy
            )
        )

    def remember_end(self, reason: str | None) -> None:
        """Write down, while there is still power, when and why it ends."""
        row: dict[str, Any] = {"at": stamp(self.ctx.clock.now())}
        if reason is not None:
            row["reason"] = reason
        self.ctx.store.put(POWER, POWER_KEY, row)

    def forget_end(self) -> None:
        """It goes on after all."""
        self.ctx.store.delete(POWER, POWER_KEY)

    def _on_mains_cut(self, entry: Entry) -> None:
        self.remember_end("PowerLoss")
        for item in self._connectors:
            item.settling = True  # dark: nothing is told any more

    # ------------------------------------------------------------------ what happens to them

    def _on_start_answer(self, transaction: Transaction, info: Mapping[str, Any]) -> None:
        self.ctx.bus.publish(TransactionIdLearnt(transaction.evse, str(transaction.transaction_id)))
        self._charging.learnt(transaction)
        parent = info.get("parentIdTag")
        if parent and not transaction.ended:
            transaction.parent = str(parent)
            self._book.save(transaction)
        word = str(info.get("status", ACCEPTED))
        if word != ACCEPTED:
            self.refuse(transaction, word)

    def _tell_conflict(self) -> None:
        """List and back office disagree about a token (16-ST-11)."""
        now = self._availability.condition(0).status
        self._availability.remark(0, Condition(now, "LocalListConflict"))

    def refuse(self, transaction: Transaction, word: str) -> None:
        """The back office does not accept the token of a running transaction (16-AU-10)."""
        item = self._connectors.get(transaction.number)
        if item is not None and item.transaction is transaction:
            self._refusals.refuse(item, transaction, word)

    def _on_unplugged(self, entry: Entry) -> None:
        event = entry.event
        if not isinstance(event, CableUnplugged):
            return
        item = self._connectors.of(event.evse, event.connector)
        if item.transaction is None:
            return
        if not self._config.flag("StopTransactionOnEVSideDisconnect"):
            item.ev_unplugged = True
            self._connectors.changed(item.number)
            return
        locked = self._connectors.hardware(item)[1].lock.value == "locked"
        keep = locked and not self._config.flag("UnlockConnectorOnEVSideDisconnect")
        token_needed = keep and not event.forced
        self._availability.remark(item.number, Condition(FINISHING, info=EV_DISCONNECTED))
        self.end(item, "EVDisconnected", keep_locked=token_needed)

    def replugged(self, item: Connector) -> None:
        """The car came back during its transaction: energy may flow again (part 4.10)."""
        item.ev_unplugged = False
        if not self._connectors.hardware(item)[0].permitted:
            self.ctx.station.handle(Permit(item.evse, item.id))
        self._connectors.changed(item.number)

    def _on_fault(self, entry: Entry) -> None:
        event = entry.event
        if not isinstance(event, FaultRaised):
            return
        if not status.ends(event.fault, event.info):
            return
        reason = "EmergencyStop" if event.fault is Fault.EMERGENCY_STOP else "Other"
        for item in self._connectors.at(event.evse):
            if event.connector in (0, item.id):
                self.end(item, reason)

    def _on_fault_gone(self, entry: Entry) -> None:
        """A fault that only paused a transaction is gone: the permission is given anew."""
        for item in self._connectors.running():
            if not item.ev_unplugged and not self._connectors.hardware(item)[0].permitted:
                self.ctx.station.handle(Permit(item.evse, item.id))

    def _on_stop_button(self, entry: Entry) -> None:
        if isinstance(entry.event, StopPressed):
            for item in self._connectors.at(entry.event.evse):
                self.end(item, "Local")
