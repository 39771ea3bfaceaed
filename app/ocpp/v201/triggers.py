"""Messages on request. Part 2, F06: answered first, sent then. Other blocks register what they can send."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.ocpp.context import Context, Handler, Payload, Reply
from app.ocpp.personality import Block
from app.ocpp.v201.availability import Availability
from app.ocpp.v201.metering import Metering
from app.ocpp.v201.provisioning import Provisioning
from app.ocpp.v201.transactions import Transactions


@dataclass(frozen=True, slots=True)
class Where:
    """The EVSE and connector of a TriggerMessage, None where it names none."""

    evse: int | None = None
    connector: int | None = None


Send = Callable[[], None]
Sender = Callable[[Where], "Send | None"]
"""What sends the message after the answer, or None: it will not be sent."""


class Triggers(Block):
    """Answers TriggerMessage."""

    def __init__(
        self,
        ctx: Context,
        office: Provisioning,
        availability: Availability,
        metering: Metering,
        transactions: Transactions,
    ) -> None:
        super().__init__(ctx)
        self._office = office
        self._availability = availability
        self._metering = metering
        self._tx = transactions
        self._senders: dict[str, Sender] = {}
        self.register("BootNotification", self._boot)
        self.register("Heartbeat", lambda _: lambda: office.heartbeat(asked=True))
        self.register("MeterValues", self._meter_values)
        self.register("StatusNotification", self._status)
        self.register("TransactionEvent", self._transaction)

    def register(self, message: str, sender: Sender) -> None:
        """Let a block send this message on request."""
        self._senders[message] = sender

    def handlers(self) -> Mapping[str, Handler]:
        return {"TriggerMessage": self._trigger}

    def _trigger(self, request: Payload) -> Reply:
        sender = self._senders.get(request["requestedMessage"])
        if sender is None:
            return Reply({"status": "NotImplemented"})  # F06.FR.08
        if not self._office.listened_to:
            return Reply({"status": "Rejected"})  # B01.FR.08: nothing may be sent yet
        place = request.get("evse") or {}
        send = sender(Where(place.get("id"), place.get("connectorId")))
        if send is None:
            return Reply({"status": "Rejected"})
        return Reply({"status": "Accepted"}, then=send)

    def _boot(self, _where: Where) -> Send | None:
        """F06.FR.17: only while it has not been accepted."""
        if self._office.accepted:
            return None
        return lambda: self._office.ask("Triggered")

    def _meter_values(self, where: Where) -> Send | None:
        if where.evse is not None and where.evse != 0 and where.evse not in self._tx.bays:
            return None
        if not self._metering.can_tell(where.evse):
            return None
        return lambda: self._metering.trigger(where.evse)

    def _status(self, where: Where) -> Send | None:
        """F06.FR.12: a status is asked for by connector."""
        if where.evse is None or where.connector is None:
            return None
        evse, connector = where.evse, where.connector
        if not self._availability.knows(evse, connector):
            return None
        return lambda: self._availability.trigger(evse, connector)

    def _transaction(self, where: Where) -> Send | None:
        bays = self._tx.running(where.evse)
        if not bays:
            return None

        def send() -> None:
            for bay in bays:
                if bay.transaction is not None:
                    self._tx.tell_now(bay)

        return send
