"""Writes TransactionEvents: what goes in once, what goes in each time, and the row that must survive.

The transaction with its next seqNo, and the message, become durable in one step. Part 2, E 1.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any

from app.kernel.units import parse_stamp, stamp
from app.ocpp.context import Context, Payload
from app.ocpp.outbox import Outbox
from app.ocpp.v201.bay import TABLE, Bay, Transaction
from app.ocpp.v201.measurands import ReadingContext
from app.ocpp.v201.metering import ENDED, STARTED, UPDATED, Metering
from app.ocpp.v201.tokens import IdToken

_QUIET = frozenset({"MeterValuePeriodic", "MeterValueClock", "StopAuthorized", "RemoteStop"})
"""Triggers whose event repeats no charging state that is known already."""


@contextmanager
def _all_or_nothing(tx: Transaction) -> Iterator[None]:
    """What the store did not take was never told: its seqNo, and what is told once, are the next event's."""
    before = replace(tx)
    try:
        yield
    except BaseException:
        for field in fields(tx):
            setattr(tx, field.name, getattr(before, field.name))
        raise


class Teller:
    """Queues the events of transactions."""

    def __init__(self, ctx: Context, metering: Metering, outbox: Outbox) -> None:
        self._ctx = ctx
        self._metering = metering
        self._outbox = outbox

    def tell(
        self,
        bay: Bay,
        kind: str,
        trigger: str,
        *,
        reason: str | None = None,
        token: IdToken | None = None,
        meter: Payload | None = None,
        state: bool = True,
        last_state: str | None = None,
    ) -> None:
        """Queue an event of the transaction of a bay, durable together with the transaction.

        `kind` Started, Updated or Ended; `token` the one that stopped it; `state` False leaves the
        charging state to the event that follows; `last_state` is the one that ended it.
        """
        tx = bay.transaction
        assert tx is not None
        with _all_or_nothing(tx):
            trigger = self._announced(bay, trigger)
            info: Payload = {"transactionId": tx.id}
            payload: Payload = {
                "eventType": kind,
                "timestamp": tx.cut or stamp(self._ctx.clock.now()),
                "triggerReason": trigger,
                "seqNo": tx.next_seq,
                "transactionInfo": info,
            }
            if not self._ctx.calls.online:
                payload["offline"] = (
                    True  # E04.FR.03: it happened while offline (errata: only then)
                )
            if state:
                self._state(bay, tx, kind, payload, last_state)
            if reason is not None:
                info["stoppedReason"] = reason
            self._once(bay, tx, payload)
            if token is not None:
                payload["idToken"] = token.payload()
            values = self._values(bay, tx, kind, meter, payload)
            if values:
                payload["meterValue"] = values
            self._store(bay, tx, kind, payload)

    def _announced(self, bay: Bay, trigger: str) -> str:
        """F02.FR.21: the event after a RequestStartTransaction says RemoteStart."""
        if bay.permission is not None and bay.permission.announce is not None:
            trigger, bay.permission.announce = bay.permission.announce, None
        return trigger

    def _state(
        self, bay: Bay, tx: Transaction, kind: str, payload: Payload, last_state: str | None
    ) -> None:
        state = last_state or bay.state
        quiet = payload["triggerReason"] in _QUIET
        if not (state == tx.state_told and kind == "Updated" and quiet):
            payload["transactionInfo"]["chargingState"] = tx.state_told = state
        if state == "Charging" and bay.phases and bay.phases != tx.phases_told:
            payload["numberOfPhasesUsed"] = tx.phases_told = bay.phases

    def _once(self, bay: Bay, tx: Transaction, payload: Payload) -> None:
        """What is told once: EVSE, token, remote start id."""
        if not tx.evse_told and bay.evse and bay.connector is not None:
            payload["evse"] = {"id": bay.evse, "connectorId": bay.connector}
            tx.evse_told = True
            amps = self._cable(bay)
            if amps:
                payload["cableMaxCurrent"] = amps
        if not tx.token_told and bay.permission is not None:
            payload["idToken"] = bay.permission.token.payload()
            tx.token_told = True
        if tx.remote_start_id is not None:
            payload["transactionInfo"]["remoteStartId"] = tx.remote_start_id
            tx.remote_start_id = None

    def _cable(self, bay: Bay) -> int:
        for connector in self._ctx.station.snapshot().evse(bay.evse).connectors:
            if connector.id == bay.connector:
                return round(connector.max_current)
        return 0

    def _values(
        self, bay: Bay, tx: Transaction, kind: str, meter: Payload | None, payload: Payload
    ) -> list[Payload]:
        values = [meter] if meter is not None else []
        if bay.evse == 0:
            return values
        # read for this event, so of its instant: the end after a kill may be no later than its start
        at = parse_stamp(payload["timestamp"])
        if tx.begin is None:
            tx.meter_start = self._metering.register(bay.evse)
            tx.begin = self._metering.value(bay.evse, ENDED, ReadingContext.BEGIN, at) or {}
        charging = payload["transactionInfo"].get("chargingState") == "Charging"
        if not tx.begin_told and (kind == "Started" or charging):
            # E03.FR.11: where the EVSE was not known at the start, when charging starts
            tx.begin_told = True
            first = self._metering.value(bay.evse, STARTED, ReadingContext.BEGIN, at)
            values += [first] if first is not None else []
        if kind == "Ended":
            last = self._metering.value(bay.evse, ENDED, ReadingContext.END, at)
            collected = self._metering.samples.all(tx.id, tx)
            values += [tx.begin] if tx.begin and last is not None else []
            values += collected
            values += [last] if last is not None else []
        tx.meter_last = self._metering.register(bay.evse)
        return values

    def _store(self, bay: Bay, tx: Transaction, kind: str, payload: dict[str, Any]) -> None:
        tx.next_seq += 1
        tx.seen = payload["timestamp"]
        with self._ctx.store.step():
            self._outbox.put("TransactionEvent", payload, ref=tx.id)
            if kind == "Ended":
                self._ctx.store.delete(TABLE, tx.id)
                self._metering.samples.drop(tx.id, tx)
            else:
                self._ctx.store.put(TABLE, tx.id, tx.row())

    def save(self, tx: Transaction) -> None:
        """Write down what changed without an event."""
        self._ctx.store.put(TABLE, tx.id, tx.row())

    def current(self, bay: Bay) -> Payload | None:
        """The measurands of Updated, read now for a trigger."""
        if bay.evse == 0:
            return None
        return self._metering.value(bay.evse, UPDATED, ReadingContext.TRIGGER)
