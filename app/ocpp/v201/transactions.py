"""Transactions: when they start and end, and what the back office hears of them. Part 2, block E.

Each EVSE is a bay with five facts (`facts.py`). Whatever happens changes facts; `moved()` compares them
with TxStartPoint and TxStopPoint and tells. `watch.py` turns what the machine does into such moves, and
`cards.py` what drivers do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from app.kernel.units import parse_stamp, stamp
from app.ocpp.context import BootReason, Context, Handler, Payload, Reply, SessionView
from app.ocpp.events import TransactionEnded, TransactionStarted
from app.ocpp.outbox import Outbox
from app.ocpp.personality import Block
from app.ocpp.v201.bay import TABLE, Bay, Permission, Transaction
from app.ocpp.v201.device_model import DeviceModel
from app.ocpp.v201.facts import ENERGY, OPTIONS, PARKING, Facts, ends, starts
from app.ocpp.v201.metering import Metering
from app.ocpp.v201.telling import Teller
from app.ocpp.v201.timeouts import Timeouts
from app.ocpp.v201.tokens import IdToken
from app.station.commands import Permit, ShowText, Suspend, Unlock, Withdraw
from app.station.intents import Refused
from app.station.kinds import LockState

START_POINT = "TxCtrlr.TxStartPoint"
STOP_POINT = "TxCtrlr.TxStopPoint"

_AFTER_BOOT: dict[BootReason, tuple[str, str]] = {
    BootReason.REMOTE_RESET: ("ResetCommand", "ImmediateReset"),
    BootReason.SCHEDULED_RESET: ("ResetCommand", "ImmediateReset"),
    BootReason.POWER_UP: ("AbnormalCondition", "PowerLoss"),
}


class Transactions(Block):
    """The bays of the station and what runs in them."""

    def __init__(
        self, ctx: Context, model: DeviceModel, metering: Metering, outbox: Outbox
    ) -> None:
        super().__init__(ctx)
        self.model = model
        self._metering = metering
        self._outbox = outbox
        self._teller = Teller(ctx, metering, outbox)
        self._points = OPTIONS["power-path"]
        self._left: list[Transaction] = []
        self.bays: dict[int, Bay] = {}
        self.timeouts = Timeouts(self)
        self.waiting = Bay(0)
        """A permission (and perhaps its transaction) whose EVSE is not known yet."""
        self.ended: dict[str, int] = {}
        """EVSEs of the transactions that ended last."""
        self.usable: Callable[[int], bool] = lambda evse: True
        """Is this EVSE in service and without a fault."""
        self.idle_hooks: list[Callable[[int], None]] = []
        """Called with the EVSE whose transaction or permission has ended."""
        metering.sampled = self._sampled
        model.source("tx.start_point", lambda _: self._points[0])
        model.source("tx.stop_point", lambda _: self._points[1])

    # ---- life

    def handlers(self) -> Mapping[str, Handler]:
        return {"GetTransactionStatus": self._status}

    def restore(self) -> None:
        for evse in self.ctx.station.snapshot().evses:
            plugged = next((c.id for c in evse.connectors if c.plugged), None)
            bay = Bay(evse.id, plugged, evse.vehicle is not None, evse.flow)
            self.bays[evse.id] = bay
        self._left = [Transaction(**row) for _, row in self.ctx.store.rows(TABLE)]
        self._read_points()

    def start(self) -> None:
        for tx in self._left:
            self._close_after_boot(tx)
        self._left.clear()
        for bay in self.bays.values():
            bay.facts = Facts()  # what is there after a boot counts as having come
            self.moved(bay, "CablePluggedIn" if bay.connector is not None else "EVDetected")

    def stop(self) -> None:
        """The last breath: when it was, so that what is left open ends then and not at the next boot."""
        super().stop()
        for bay in self.all_bays():
            bay.cancel_timeout()
        for bay in self.all_bays():
            if bay.transaction is not None:
                bay.transaction.cut = stamp(self.ctx.clock.now())
                self.save(bay)

    def _close_after_boot(self, tx: Transaction) -> None:
        """A transaction that the last power cycle left open ends now; nobody is authorized any more."""
        # killed without a last breath: it lasted at least until its last event, and the clock of this
        # boot may be days later, or earlier than its start
        tx.cut = tx.cut or tx.seen
        trigger, reason = _AFTER_BOOT.get(self.ctx.boot_reason, ("AbnormalCondition", "Reboot"))
        bay = self.bays.get(tx.evse or 0, self.waiting)
        bay.transaction = tx
        self.finish(bay, trigger, reason)

    @property
    def full(self) -> bool:
        """The queue is full, and nothing new may begin (both-offline-queue-capacity)."""
        return self._outbox.refuses_sessions

    # ---- start and stop points

    def read_points(self, bay: Bay) -> None:
        """A new session may begin here: the points are those of this moment."""
        if bay.transaction is None and not (bay.facts.connected or bay.facts.authorized):
            self._read_points()

    def _read_points(self) -> None:
        """Where nobody has set them, the points follow the open point, at the moment of use.

        Not waited for: what begins a session is told with the time and the register of that instant.
        """
        if self.model.at(START_POINT).source or self.model.at(STOP_POINT).source:
            chosen = self.ctx.points.choose("ocpp201-tx-start-stop-point")
            self._points = OPTIONS.get(chosen, OPTIONS["power-path"])

    @property
    def start_points(self) -> tuple[str, ...]:
        return self.model.members(START_POINT)

    @property
    def stop_points(self) -> tuple[str, ...]:
        return self.model.members(STOP_POINT)

    @property
    def sees_cars(self) -> bool:
        """Is a bay detector of any use."""
        return PARKING in self.start_points or PARKING in self.stop_points

    # ---- the heart

    def moved(
        self,
        bay: Bay,
        trigger: str,
        *,
        reason: str | None = None,
        token: IdToken | None = None,
        state: bool = True,
    ) -> None:
        """Facts of a bay may have changed: start, tell or end what runs there."""
        before, after = bay.facts, bay.now()
        tx = bay.transaction
        if tx is None:
            self._perhaps_begin(bay, before, after, trigger)
            return
        bay.facts = after
        if ends(self.stop_points, before, after) or self._is_stranded(bay):
            self.finish(bay, trigger, tx.reason or reason, token)
            return
        if trigger == "ChargingStateChanged" and bay.state == tx.state_told:
            return
        self._teller.tell(bay, "Updated", trigger, token=token, state=state)

    def _perhaps_begin(self, bay: Bay, before: Facts, after: Facts, trigger: str) -> None:
        if after != before:
            self.read_points(bay)
        starting = starts(self.start_points, before, after)
        if starting and (self.full or (bay.evse and not self.usable(bay.evse))):
            return  # out of service: what came counts as coming when it is in service again
        bay.facts = after
        if starting:
            self._begin(bay, trigger)

    def _begin(self, bay: Bay, trigger: str) -> None:
        tx = Transaction(
            self.ctx.ids(), bay.evse or None, bay.connector, stamp(self.ctx.clock.now())
        )
        bay.transaction, bay.paid = tx, ""
        self._own(bay)
        self._teller.tell(bay, "Started", trigger)
        if bay.evse:
            self._metering.begin(bay)
        token = tx.id_token
        self.ctx.bus.publish(
            TransactionStarted(bay.evse, bay.connector, tx.id, token.text if token else None)
        )

    def _own(self, bay: Bay) -> None:
        """Write the permission of a bay into its transaction."""
        tx, permission = bay.transaction, bay.permission
        if tx is None or permission is None:
            return
        tx.token = permission.token.payload()
        tx.group, tx.capped = permission.group, permission.capped
        tx.token_told = False
        tx.reason = None
        if permission.remote_start_id is not None:
            tx.remote_start_id, permission.remote_start_id = permission.remote_start_id, None

    def finish(
        self,
        bay: Bay,
        trigger: str,
        reason: str | None,
        token: IdToken | None = None,
        *,
        keep_locked: bool = False,
    ) -> None:
        """End the transaction of a bay whatever TxStopPoint says, and the permission with it."""
        tx = bay.transaction
        assert tx is not None
        last_state = bay.state if trigger == "ChargingStateChanged" else None
        self.silence(bay)
        bay.facts = bay.now()
        self._teller.tell(
            bay, "Ended", trigger, reason=reason or "Other", token=token, last_state=last_state
        )
        bay.transaction = None
        energy = (tx.meter_last or 0.0) - (tx.meter_start or 0.0)
        if bay.evse:
            self._metering.end(bay)
            if tx.refused:
                self.ctx.station.handle(Suspend(bay.evse, suspended=False))
        self.ended = {**dict(list(self.ended.items())[-20:]), tx.id: bay.evse}
        if reason == "DeAuthorized" and self.locked(bay):
            self._hold_cable(bay, tx.id_token, tx.group)
        elif not keep_locked:
            self.unlock(bay)
        self.ctx.bus.publish(TransactionEnded(bay.evse, tx.id, reason or "Other", max(0.0, energy)))
        self._idle(bay)

    def _idle(self, bay: Bay) -> None:
        for hook in self.idle_hooks:
            hook(bay.evse)

    # ---- permissions

    def permit(self, bay: Bay, permission: Permission, trigger: str = "Authorized") -> None:
        """A driver is authorized for this bay (evse 0: for the one where the cable goes in)."""
        bay.permission = permission
        bay.kept_for = bay.kept_group = None
        self._own(bay)
        self.moved(bay, permission.announce or trigger)
        if bay.permission is permission:
            self.let_flow(bay)
        self.timeouts.arm(bay)

    def let_flow(self, bay: Bay) -> None:
        """Tell the machine that energy may flow."""
        if not bay.evse:
            return
        outcome = self.ctx.station.handle(Permit(bay.evse, bay.connector))
        if isinstance(outcome, Refused):
            self.ctx.station.handle(ShowText(bay.evse, outcome.reason))
            self.end_permission(bay, "AbnormalCondition", "Other")

    def end_permission(
        self,
        bay: Bay,
        trigger: str,
        reason: str,
        *,
        token: IdToken | None = None,
        force: bool = False,
        keep_locked: bool = False,
    ) -> None:
        """Somebody ends the authorization; whether the transaction ends is up to TxStopPoint.

        `force` ends it in any case.
        """
        tx = bay.transaction
        had = bay.permission
        bay.permission = None
        bay.cancel_timeout()
        if tx is not None:
            tx.reason = reason
        over = force or ends(self.stop_points, bay.facts, bay.now()) or self._is_stranded(bay)
        if tx is not None and over:
            self.finish(bay, trigger, reason, token)
            return
        bay.facts = bay.now()
        if tx is not None:
            self._teller.tell(bay, "Updated", trigger, token=token, state=False)
        if bay.evse:
            self.ctx.station.handle(Withdraw(bay.evse))
        if keep_locked and had is not None and self.locked(bay):
            self._hold_cable(bay, had.token, had.group)
        else:
            self.unlock(bay)
        self._idle(bay)

    def _is_stranded(self, bay: Bay) -> bool:
        """Nobody charges, nothing is left of what began a transaction, and nothing could end it by ceasing.

        A card was shown, no cable came, and the driver went away where PowerPathClosed stops: it would stay,
        and keep its place from everybody else, for ever.
        """
        now, points = bay.now(), (*self.start_points, *self.stop_points)
        return bay.permission is None and not any(now.holds(point) for point in points)

    def drop_permission(self, bay: Bay, reason: str) -> None:
        """The authorization ends with what happens next, which is told by its own event."""
        bay.permission = None
        bay.cancel_timeout()
        if bay.transaction is not None:
            bay.transaction.reason = bay.transaction.reason or reason
        self.silence(bay)

    def silence(self, bay: Bay) -> None:
        """Take the energy away without an event of its own."""
        bay.permission = None
        bay.cancel_timeout()
        if bay.evse:
            with self.quiet(bay):
                self.ctx.station.handle(Withdraw(bay.evse))

    @contextmanager
    def quiet(self, bay: Bay) -> Iterator[None]:
        """Changes of flow are told with the event that caused them."""
        bay.silent = True
        try:
            yield
        finally:
            bay.silent = False

    def locked(self, bay: Bay) -> bool:
        """Is a cable held fast at this bay."""
        if not bay.evse:
            return False
        connectors = self.ctx.station.snapshot().evse(bay.evse).connectors
        return any(connector.lock is LockState.LOCKED for connector in connectors)

    def _hold_cable(self, bay: Bay, token: IdToken | None, group: str | None) -> None:
        """E05: only the card that brought it gets it, unless a cable may wait for a card only so long."""
        bay.kept_for, bay.kept_group = token, group
        self.timeouts.arm(bay)

    def unlock(self, bay: Bay) -> None:
        """Let the driver have the cable."""
        bay.kept_for = bay.kept_group = None
        if not bay.evse:
            return
        for connector in self.ctx.station.snapshot().evse(bay.evse).connectors:
            if connector.lock is LockState.LOCKED:
                self.ctx.station.handle(Unlock(bay.evse, connector.id))

    # ---- an EVSE that was not known

    def adopt(self, bay: Bay) -> None:
        """The cable went in here: the authorization that waited for it, and its transaction, move in."""
        waiting = self.waiting
        waiting.cancel_timeout()
        bay.permission, bay.transaction = waiting.permission, waiting.transaction
        bay.facts = Facts(bay.facts.occupied, False, waiting.permission is not None, False)
        self.waiting = Bay(0)
        tx = bay.transaction
        if tx is not None:
            tx.evse, tx.connector = bay.evse, bay.connector
            self._metering.begin(bay)

    # ---- what others ask

    def lapse(self, bay: Bay, trigger: str, reason: str) -> None:
        """The authorization is over, the transaction stays: told in one event."""
        assert bay.transaction is not None
        self.silence(bay)
        bay.transaction.reason = reason
        bay.facts = bay.now()
        self._teller.tell(bay, "Updated", trigger)
        self._idle(bay)

    def tell(self, bay: Bay, trigger: str, meter: Payload | None = None) -> None:
        """An Updated that no fact explains."""
        if bay.transaction is not None:
            self._teller.tell(bay, "Updated", trigger, meter=meter)

    def tell_now(self, bay: Bay) -> None:
        """F06.FR.07: the state and the values of this instant."""
        self.tell(bay, "Trigger", self._teller.current(bay))

    def save(self, bay: Bay) -> None:
        if bay.transaction is not None:
            self._teller.save(bay.transaction)

    def by_id(self, transaction_id: str) -> Bay | None:
        """The bay in which this transaction runs."""
        for bay in self.all_bays():
            if bay.transaction is not None and bay.transaction.id == transaction_id:
                return bay
        return None

    def all_bays(self) -> tuple[Bay, ...]:
        return (*self.bays.values(), self.waiting)

    def running(self, evse: int | None = None) -> list[Bay]:
        """Bays with a transaction, of the station or of one EVSE."""
        return [
            bay
            for bay in self.all_bays()
            if bay.transaction is not None and evse in (None, bay.evse)
        ]

    def end_all(self, trigger: str, reason: str, evse: int | None = None) -> None:
        """End every transaction and every authorization, of the station or of one EVSE."""
        for bay in self.all_bays():
            if evse in (None, bay.evse):
                if bay.transaction is not None:
                    self.finish(bay, trigger, reason)
                elif bay.permission is not None:
                    self.end_permission(bay, trigger, reason)

    def sessions(self) -> tuple[SessionView, ...]:
        found = []
        for bay in self.running():
            tx = bay.transaction
            assert tx is not None
            token = tx.id_token
            found.append(
                SessionView(
                    bay.evse,
                    bay.connector,
                    tx.id,
                    token.text if token else None,
                    parse_stamp(tx.started),
                    tx.meter_start or 0.0,
                    bay.state,
                    tx.cost,
                )
            )
        return tuple(found)

    def stops_with_energy(self) -> bool:
        return ENERGY in self.stop_points

    def _sampled(self, bay: Bay, trigger: str, value: Payload) -> None:
        self.tell(bay, trigger, value)

    def _status(self, request: Payload) -> Reply:
        """E14: does it run, do messages of it wait."""
        transaction_id = request.get("transactionId")
        if transaction_id is None:
            waiting = self._outbox.holds("TransactionEvent")
            return Reply({"messagesInQueue": waiting})
        ongoing = self.by_id(transaction_id) is not None
        waiting = self._outbox.waiting_for(transaction_id) > 0
        return Reply({"ongoingIndicator": ongoing, "messagesInQueue": waiting})
