"""What the machine does, turned into moves of transactions: cables, cars, energy, faults, and answers.

Part 2, E09, E10 (cable out on the EV side), E05 (token not accepted), E06.FR.16 (faults).
"""

from __future__ import annotations

from collections.abc import Callable

from app.kernel.bus import Entry
from app.kernel.clock import Timer
from app.kernel.text import Text
from app.ocpp.context import Context, Payload
from app.ocpp.personality import Block
from app.ocpp.v201.authorization import Authorization, group_of
from app.ocpp.v201.bay import Bay
from app.ocpp.v201.device_model import DeviceModel
from app.ocpp.v201.tokens import IdToken
from app.ocpp.v201.transactions import Transactions
from app.station.commands import ShowText, Suspend
from app.station.events import (
    CablePlugged,
    CableUnplugged,
    CarArrived,
    CarLeft,
    FaultCleared,
    FaultRaised,
    FlowChanged,
    OperativeChanged,
    PhasesChanged,
)
from app.station.kinds import Fault, Flow, UnplugSide

_FAULT_REASONS = {
    Fault.EMERGENCY_STOP: "EmergencyStop",
    Fault.RCD: "GroundFault",
    Fault.OVERCURRENT: "OvercurrentFault",
    Fault.OVERVOLTAGE: "PowerQuality",
    Fault.UNDERVOLTAGE: "PowerQuality",
}

_STOPS = frozenset({"StopAuthorized", "RemoteStop", "Deauthorized", "EVConnectTimeout"})


class Watch(Block):
    """Follows the machine and the answers of the back office."""

    def __init__(
        self, ctx: Context, model: DeviceModel, auth: Authorization, transactions: Transactions
    ) -> None:
        super().__init__(ctx)
        self._model = model
        self._auth = auth
        self._tx = transactions
        self._timers: dict[int, Timer] = {}
        self.before_plug: Callable[[Bay], None] = lambda bay: None
        """Called when a cable is in and nothing has been told of it yet."""

    def stop(self) -> None:
        super().stop()
        for timer in self._timers.values():
            timer.cancel()

    def start(self) -> None:
        self.on(self._arrived, CarArrived)
        self.on(self._left, CarLeft)
        self.on(self._plugged, CablePlugged)
        self.on(self._unplugged, CableUnplugged)
        self.on(self._phases, PhasesChanged)
        self.on(self._flow, FlowChanged)
        self.on(self._fault, FaultRaised)
        self.on(self._usable_again, FaultCleared, OperativeChanged)

    # ---- cars and cables

    def _arrived(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, CarArrived)
        bay = self._tx.bays[event.evse]
        self._tx.read_points(bay)
        bay.occupied = True
        if self._tx.sees_cars:
            self._tx.moved(bay, "EVDetected")
        else:
            bay.facts = bay.now()

    def _left(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, CarLeft)
        bay = self._tx.bays[event.evse]
        bay.occupied = False
        if self._tx.sees_cars:
            self._tx.moved(bay, "EVDeparted", reason="Local")
        else:
            bay.facts = bay.now()

    def _plugged(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, CablePlugged)
        bay = self._tx.bays[event.evse]
        bay.connector, bay.paid = event.connector, ""
        bay.kept_for = bay.kept_group = None
        bay.cancel_timeout()
        if self._takes_over(bay):
            self._tx.adopt(bay)
        if bay.transaction is not None:
            bay.transaction.connector = event.connector
        self.before_plug(bay)
        self.ctx.station.handle(ShowText(bay.evse, None))  # what asked for the cable has its answer
        self._tx.moved(bay, "CablePluggedIn")
        if bay.permission is not None:
            self._tx.let_flow(bay)
        else:
            self._tx.timeouts.arm(bay)

    def _takes_over(self, bay: Bay) -> bool:
        """Does the authorization that waits for a cable belong here."""
        waiting = self._tx.waiting
        if waiting.permission is None and waiting.transaction is None:
            return False
        return (
            bay.evse in waiting.candidates
            and bay.free
            and bay.transaction is None
            and self._tx.usable(bay.evse)
        )

    def _unplugged(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, CableUnplugged)
        bay = self._tx.bays[event.evse]
        had = bay.permission
        bay.connector = None
        bay.flow = Flow.IDLE
        bay.cancel_timeout()
        stops = self._model.flag("TxCtrlr.StopTxOnEVSideDisconnect")
        if bay.transaction is None or event.side is UnplugSide.STATION:
            stops = True
        if had is not None and stops:
            self._tx.drop_permission(bay, "EVDisconnected")
        self._tx.moved(bay, "EVCommunicationLost", reason="EVDisconnected")
        if bay.permission is not None and bay.transaction is not None:
            self._suspended(bay, event.connector)
        elif had is not None:
            self._release(bay, had.token, had.group, event)
        self.ctx.station.handle(ShowText(bay.evse, None))

    def _suspended(self, bay: Bay, connector: int) -> None:
        """E10: the transaction waits for the cable to come back; a fixed one only so long (FR.02)."""
        if self._tethered(bay.evse, connector):
            self._tx.timeouts.arm(bay)

    def _release(self, bay: Bay, token: IdToken, group: str | None, event: CableUnplugged) -> None:
        """E09.FR.02/.03: who gets the cable that still hangs in the socket."""
        attached = self._tethered(bay.evse, event.connector)
        freely = self._model.flag("OCPPCommCtrlr.UnlockOnEVSideDisconnect")
        if event.side is UnplugSide.STATION or attached or freely:
            self._tx.unlock(bay)
        else:
            bay.kept_for, bay.kept_group = token, group

    def _tethered(self, evse: int, connector: int) -> bool:
        connectors = self.ctx.station.snapshot().evse(evse).connectors
        return any(found.tethered for found in connectors if found.id == connector)

    # ---- energy

    def _phases(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, PhasesChanged)
        bay = self._tx.bays[event.evse]
        bay.phases = event.phases
        tx = bay.transaction
        if tx is None or tx.phases_told is None or bay.flow is not Flow.CHARGING:
            return
        if event.phases and event.phases != tx.phases_told:
            self._tx.tell(bay, "ChargingRateChanged")  # E02.FR.19

    def _flow(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, FlowChanged)
        if not self.ctx.station.snapshot().mains:
            return  # the lights are out: what this leads to is told after the next boot
        bay = self._tx.bays[event.evse]
        bay.flow = event.after
        if bay.silent:
            bay.facts = bay.now()
            return
        self._tx.moved(bay, "ChargingStateChanged", reason=_stop_reason(event.after))

    # ---- faults

    def _fault(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, FaultRaised)
        hit = self._tx.bays.values() if event.evse == 0 else (self._tx.bays[event.evse],)
        reason = _FAULT_REASONS.get(event.fault, "Other")
        for bay in hit:
            if bay.permission is None or not self._cut_off(bay, event):
                continue
            self._tx.end_permission(bay, "AbnormalCondition", reason, force=True)

    def _usable_again(self, entry: Entry) -> None:
        """A cable that went into an EVSE out of service counts from now on."""
        for bay in self._tx.bays.values():
            if bay.transaction is None and self._tx.usable(bay.evse):
                plugged = bay.connector is not None
                self._tx.moved(bay, "CablePluggedIn" if plugged else "EVDetected")

    def _cut_off(self, bay: Bay, event: FaultRaised) -> bool:
        """Did the fault take this bay's permission to deliver energy away."""
        if event.connector not in (0, bay.connector) and bay.connector is not None:
            return False
        return not self.ctx.station.snapshot().evse(bay.evse).permitted

    # ---- answers of the back office

    def answered(self, payload: Payload, answer: Payload) -> None:
        """A TransactionEvent was answered; runs in the step in which its row goes away."""
        info = answer.get("idTokenInfo")
        if info is not None and "idToken" in payload:
            self._auth.learn(IdToken.of(payload["idToken"]), info)
        self.ctx.spawn(self._take(payload, answer), "answer to a transaction event")

    async def _take(self, payload: Payload, answer: Payload) -> None:
        await self._show(payload, answer)
        bay = self._tx.by_id(payload["transactionInfo"]["transactionId"])
        info = answer.get("idTokenInfo")
        if bay is None or info is None or "idToken" not in payload:
            return
        if payload["eventType"] == "Ended" or payload["triggerReason"] in _STOPS:
            return
        permission = bay.permission
        if permission is None or permission.token.key != IdToken.of(payload["idToken"]).key:
            return
        if info["status"] == "Accepted":
            if bay.transaction is not None and group_of(info) is not None:
                permission.group = bay.transaction.group = group_of(info)
                self._tx.save(bay)
            return
        self.refuse(bay, info["status"])

    def refuse(self, bay: Bay, status: str) -> None:
        """E05: the token of a running transaction is not accepted after all."""
        tx = bay.transaction
        self.ctx.station.handle(ShowText(bay.evse, Text("v201.screen.refused", {"why": status})))
        if tx is None or self._model.flag("TxCtrlr.StopTxOnInvalidId"):
            force = self._tx.stops_with_energy()  # E05.FR.10
            self._tx.end_permission(
                bay, "Deauthorized", "DeAuthorized", force=force, keep_locked=True
            )
            return
        tx.refused = True
        self._tx.save(bay)
        self._limit_refused(bay)

    def _limit_refused(self, bay: Bay) -> None:
        """E05.FR.02/.03: so much energy a refused token may still have."""
        tx = bay.transaction
        if tx is None or not tx.refused or not tx.capped or not bay.evse:
            return
        if bay.flow is Flow.SUSPENDED_EVSE:
            return
        most = self._model.integer("TxCtrlr.MaxEnergyOnInvalidId")
        register = self.ctx.station.meter(bay.evse).energy_import
        if register - (tx.meter_start or 0.0) >= most:
            self.ctx.station.handle(Suspend(bay.evse))
        else:
            self._timers[bay.evse] = self.ctx.clock.call_in(1.0, lambda: self._limit_refused(bay))

    # ---- what the driver sees

    async def _show(self, payload: Payload, answer: Payload) -> None:
        transaction = payload["transactionInfo"]["transactionId"]
        bay = self._tx.by_id(transaction)
        evse = bay.evse if bay is not None else 0
        message = answer.get("updatedPersonalMessage")
        if message is not None:
            text = Text("v201.screen.message", {"text": message["content"]})
            self.ctx.station.handle(ShowText(evse, text))
        if payload["eventType"] == "Ended":
            total, evse = answer.get("totalCost"), self._tx.ended.get(transaction, 0)
            if total is not None and evse and self._tx.bays[evse].transaction is None:
                self._tx.bays[evse].paid = self._money(total)
            cost = await self._cost(total)
            # not to the next one, who may have come while a person thought
            if cost is not None and (not evse or self._tx.bays[evse].permission is None):
                self.ctx.station.handle(ShowText(evse, cost))
        elif bay is not None and bay.transaction is not None and "totalCost" in answer:
            bay.transaction.cost = self._money(answer["totalCost"])
            self._tx.save(bay)

    def _money(self, amount: float) -> str:
        return f"{amount:.2f} {self._model.text('TariffCostCtrlr.Currency')}"

    async def _cost(self, total: float | None) -> Text | None:
        """201-TX-19: 0 is free, a number is the price, nothing is an open point."""
        currency = self._model.text("TariffCostCtrlr.Currency")
        if total is not None and total > 0:
            return Text("v201.screen.cost", {"amount": f"{total:.2f}", "currency": currency})
        if total is not None:
            return Text("v201.screen.free")
        chosen = await self.ctx.points.ask("ocpp201-totalcost-omitted")
        if chosen == "treat-as-free":
            return Text("v201.screen.free")
        if chosen == "hide":
            return None
        fallback = self._model.text("TariffCostCtrlr.TotalCostFallbackMessage")
        return Text("v201.screen.message", {"text": fallback})


def _stop_reason(after: Flow) -> str:
    """Why energy stopped, where that ends a transaction."""
    return "StoppedByEV" if after is Flow.SUSPENDED_EV else "Other"
