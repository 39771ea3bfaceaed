"""Starting, stopping and unlocking from afar. Part 2, F01 to F03, F05."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.kernel.text import Text
from app.ocpp.context import Context, Handler, Payload, Reply
from app.ocpp.personality import Block
from app.ocpp.v201.authorization import Authorization, Decision, group_of
from app.ocpp.v201.availability import Availability
from app.ocpp.v201.bay import Bay, Permission
from app.ocpp.v201.device_model import DeviceModel
from app.ocpp.v201.provisioning import Provisioning
from app.ocpp.v201.screen import show_for_a_while
from app.ocpp.v201.tokens import IdToken
from app.ocpp.v201.transactions import Transactions
from app.station.commands import ShowText, Unlock
from app.station.intents import Refused


def rejected(reason: str) -> Reply:
    return Reply({"status": "Rejected", "statusInfo": {"reasonCode": reason}})


class Remote(Block):
    """What the back office does in the driver's place."""

    def __init__(
        self,
        ctx: Context,
        model: DeviceModel,
        office: Provisioning,
        auth: Authorization,
        availability: Availability,
        transactions: Transactions,
    ) -> None:
        super().__init__(ctx)
        self._model = model
        self._office = office
        self._auth = auth
        self._availability = availability
        self._tx = transactions

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "RequestStartTransaction": self._start,
            "RequestStopTransaction": self._stop,
            "UnlockConnector": self._unlock,
        }

    # ---- start

    async def _start(self, request: Payload) -> Reply:
        if not self._office.accepted:
            return rejected("CSNotAccepted")  # B02.FR.05
        if self._tx.full:
            return rejected("OutOfMemory")
        token = IdToken.of(request["idToken"])
        bay = await self._bay(request.get("evseId"))
        if not isinstance(bay, Bay):
            return rejected(bay)
        if bay.evse == 0:
            bay.candidates = tuple(
                evse for evse in self._tx.bays if self._availability.usable(evse)
            )
        bay.asking = True
        answer: Payload = {"status": "Accepted"}
        if bay.transaction is not None:
            answer["transactionId"] = bay.transaction.id  # F01.FR.13
        info: Payload = {}
        if "groupIdToken" in request:
            info["groupIdToken"] = request["groupIdToken"]
        start_id = request["remoteStartId"]

        def unheard() -> None:
            bay.asking = False

        return Reply(
            answer, then=lambda: self._authorize(bay, token, start_id, info), unheard=unheard
        )

    async def _bay(self, evse: int | None) -> Bay | str:
        """Where to start, or the reason code of the refusal."""
        if evse is not None:
            return self._given(evse)
        chosen = await self.ctx.points.ask("ocpp201-remote-start-no-evse")
        if self._tx.full:
            return "OutOfMemory"  # since a person began to think
        if chosen == "reject":
            return "MissingParam"  # F01.FR.07
        if chosen == "wait-plug":
            waiting = self._tx.waiting
            return waiting if waiting.free else "TxInProgress"
        usable = [bay for bay in self._tx.bays.values() if isinstance(self._given(bay.evse), Bay)]
        usable.sort(key=lambda bay: (bay.connector is None, bay.evse))
        return usable[0] if usable else "TxInProgress"

    def _given(self, evse: int) -> Bay | str:
        bay = self._tx.bays.get(evse)
        if bay is None:
            return "UnknownEvse"
        if not self._availability.usable(evse):
            return "NotEnabled"  # F01.FR.23
        return bay if bay.free else "TxInProgress"  # F01.FR.24

    async def _authorize(
        self, bay: Bay, token: IdToken, start_id: int, info: Mapping[str, Any]
    ) -> None:
        try:
            decision = await self._decide(bay, token, info)
        finally:
            bay.asking = False
        if not decision.accepted:
            text = Text("v201.screen.refused", {"why": decision.status})
            show_for_a_while(self.ctx, bay.evse, text)
            return
        key = "v201.screen.accepted" if bay.connector is not None else "v201.screen.plug_in"
        self.ctx.station.handle(ShowText(bay.evse, Text(key)))
        permission = Permission(
            token,
            decision.group or group_of(info),
            decision.by,
            announce="RemoteStart",
            remote_start_id=start_id,
            capped=decision.capped,
        )
        self._tx.permit(bay, permission, "RemoteStart")

    async def _decide(self, bay: Bay, token: IdToken, info: Mapping[str, Any]) -> Decision:
        """201-TX-15: as at the reader, or as it was ordered."""
        if self._model.flag("AuthCtrlr.AuthorizeRemoteStart"):
            return await self._auth.decide(token, bay.evse or None)
        decision = Decision(token, True, "Accepted", "backoffice", info)
        self._auth.tell(decision, bay.evse or None)
        return decision

    # ---- stop

    def _stop(self, request: Payload) -> Reply:
        if not self._office.accepted:
            return rejected("CSNotAccepted")
        bay = self._tx.by_id(request["transactionId"])
        if bay is None:
            return rejected("TxNotFound")  # F03.FR.08
        transaction_id = request["transactionId"]
        return Reply({"status": "Accepted"}, then=lambda: self._end(transaction_id))

    def _end(self, transaction_id: str) -> None:
        bay = self._tx.by_id(transaction_id)
        if bay is None:
            return
        self.ctx.station.handle(ShowText(bay.evse, Text("v201.screen.stopped")))
        self._tx.end_permission(bay, "RemoteStop", "Remote")

    # ---- unlock

    def _unlock(self, request: Payload) -> Reply:
        evse, connector = request["evseId"], request["connectorId"]
        if not self._availability.knows(evse, connector):
            return Reply({"status": "UnknownConnector"})
        bay = self._tx.bays[evse]
        here = bay.connector in (None, connector)
        if here and bay.transaction is not None and bay.permission is not None:
            return Reply({"status": "OngoingAuthorizedTransaction"})  # F05.FR.02
        outcome = self.ctx.station.handle(Unlock(evse, connector))
        if isinstance(outcome, Refused):
            fixed = outcome.reason.id.endswith("no_lock")
            info = {"reasonCode": "FixedCable" if fixed else "InternalError"}
            return Reply({"status": "UnlockFailed", "statusInfo": info})
        bay.kept_for = bay.kept_group = None
        if here and bay.transaction is not None:
            return Reply({"status": "Unlocked"}, then=lambda: self._tx.tell(bay, "UnlockCommand"))
        return Reply({"status": "Unlocked"})
