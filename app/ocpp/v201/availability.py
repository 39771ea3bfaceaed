"""The five states of a connector, and what is in service. Part 2, block G.

What the back office ordered is a row of `v201.availability` by place ("0/0" the station, "1/0" an EVSE,
"1/2" a connector). An order that waits for a transaction is a row too: free EVSEs go out of service at once
(`held`), the rest when the last transaction there has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from app.kernel.bus import Entry
from app.kernel.units import stamp
from app.ocpp.context import CallFailed, Context, Handler, Payload, Reply, TooLarge
from app.ocpp.events import ConnectorStatusChanged
from app.ocpp.outbox import Outbox
from app.ocpp.personality import Block
from app.ocpp.v201.device_model import DeviceModel
from app.ocpp.v201.provisioning import Provisioning
from app.ocpp.v201.variables import Place
from app.ocpp.v201.withheld import Withheld
from app.station.commands import SetOperative
from app.station.events import (
    CablePlugged,
    CableUnplugged,
    FaultCleared,
    FaultRaised,
    FlowChanged,
    OperativeChanged,
    ReservationMarked,
)
from app.station.faults import effect_of
from app.station.kinds import Effect, Fault
from app.station.snapshot import ConnectorSnapshot, EvseSnapshot, FaultSnapshot, StationSnapshot

TABLE = "v201.availability"
SCHEDULED = "v201.scheduled"

STATUS, NOTIFY = "StatusNotification", "NotifyEvent"
_MESSAGES = {"notify-event": (NOTIFY,), "both": (STATUS, NOTIFY)}
"""By the open point; else STATUS alone."""
_WORST = ("Faulted", "Unavailable", "Reserved", "Occupied", "Available")

Spot = tuple[int, int]


def _key(evse: int, connector: int) -> str:
    return f"{evse}/{connector}"


class Availability(Block):
    """Tells the state of connectors and takes parts in and out of service."""

    def __init__(
        self, ctx: Context, model: DeviceModel, office: Provisioning, outbox: Outbox
    ) -> None:
        super().__init__(ctx)
        self._model = model
        self._office = office
        self._outbox = outbox
        self._now: dict[Spot, str] = {}
        self._untold: set[Spot] = set()
        self._event_id = 0
        self.telling = False
        """States are on their way; the queue waits for them (OFF-08)."""
        self.told: Callable[[], None] = lambda: None
        """Called when all states have been told."""
        self._offline_since: float | None = None
        self.busy: Callable[[int], bool] = lambda evse: False
        """Does a transaction run on this EVSE."""
        self._withheld = Withheld(ctx, self._in_service)
        office.accepted_hooks.append(self.tell_all)
        model.source("availability.connector", self._connector_source)
        model.source("availability.evse", self._evse_source)
        model.source("availability.station", lambda _: self._station_status())
        model.source("problem.connector", self._problem)
        model.source("problem.evse", self._problem)
        model.source("problem.station", lambda _: _flag(_hinders(self._snapshot().faults)))

    # ---- life

    def handlers(self) -> Mapping[str, Handler]:
        return {"ChangeAvailability": self._change}

    def start(self) -> None:
        for key, row in self.ctx.store.rows(TABLE):
            evse, connector = (int(part) for part in key.split("/"))
            if not row["operative"]:
                self.ctx.station.handle(SetOperative(evse, connector, operative=False))
        self._withheld.give_back()  # an update that still needs them takes them again
        self._now = self._statuses()
        self._offline_since = self.ctx.clock.elapsed()
        self.on(
            self._something,
            CablePlugged,
            CableUnplugged,
            FaultRaised,
            FaultCleared,
            FlowChanged,
            OperativeChanged,
            ReservationMarked,
        )
        for key, _ in self.ctx.store.rows(SCHEDULED):
            self._apply_if_idle(key)

    def link_up(self, *, first: bool) -> None:
        offline = self.ctx.clock.elapsed() - (self._offline_since or 0.0)
        self._offline_since = None
        if not self._office.accepted:
            return  # the next accepted boot tells all
        if offline > self._model.integer("OCPPCommCtrlr.OfflineThreshold"):
            self.tell_all()  # 201-ST-04, B04.FR.01
        else:
            self._tell()

    def link_down(self) -> None:
        self._offline_since = self.ctx.clock.elapsed()

    # ---- states

    def status(self, evse: int, connector: int) -> str:
        """ConnectorStatusEnumType of a connector, as it was last found."""
        return self._now[evse, connector]

    def usable(self, evse: int) -> bool:
        """Can a new session start on this EVSE."""
        snapshot = self._snapshot()
        found = snapshot.evse(evse)
        statuses = [self._status_of(snapshot, found, one) for one in found.connectors]
        return any(status not in ("Faulted", "Unavailable") for status in statuses)

    def _statuses(self) -> dict[Spot, str]:
        snapshot = self._snapshot()
        return {
            (evse.id, connector.id): self._status_of(snapshot, evse, connector)
            for evse in snapshot.evses
            for connector in evse.connectors
        }

    def _status_of(
        self, snapshot: StationSnapshot, evse: EvseSnapshot, connector: ConnectorSnapshot
    ) -> str:
        here = [fault for fault in evse.faults if fault.connector in (0, connector.id)]
        faults = [*snapshot.faults, *here]
        if _trips(faults) or (_derates(faults, snapshot) and not self.busy(evse.id)):
            return "Faulted"  # what goes on with less goes on, but nothing begins
        if not (snapshot.operative and evse.operative and connector.operative):
            return "Unavailable"
        if not connector.plugged and self._scheduled(evse.id, connector.id):
            return "Unavailable"  # G01.FR.05: it becomes so when the car leaves
        reserved = evse.reservation
        if reserved is not None and reserved.connector in (0, connector.id):
            return "Reserved"  # G03.FR.09: plugging in changes nothing
        return "Occupied" if connector.plugged else "Available"

    def _something(self, entry: Entry) -> None:
        if not self._snapshot().mains:
            return
        self._something_changed()

    def tell_all(self) -> None:
        """B01.FR.05: the state of every connector."""
        self._untold |= set(self._now)
        self._tell()

    def _tell(self) -> None:
        if not self._untold:
            return
        if not self.ctx.calls.online:
            if self._model.flag("OCPPCommCtrlr.QueueAllMessages"):
                self._queue()
            return
        if self._office.accepted and not self.telling:
            self.telling = True
            self.ctx.spawn(self._tell_untold(), "status notifications")

    async def _tell_untold(self) -> None:
        """One after the other, each with the state it has when its turn comes."""
        try:
            while self._untold:
                spot = min(self._untold)
                self._untold.discard(spot)
                if not await self._say(spot):
                    self._untold.add(spot)
                    return
        finally:
            self.telling = False
            self.told()

    async def _say(self, spot: Spot) -> bool:
        """Open point ocpp201-status-vs-notifyevent: in which message. False: nobody took it."""
        chosen = await self.ctx.points.ask("ocpp201-status-vs-notifyevent")
        for action in _MESSAGES.get(chosen, (STATUS,)):
            if not self._office.accepted:
                return False
            payload = self._payload(spot) if action == STATUS else self._event(spot)
            try:
                await self.ctx.calls.call(action, payload)
            except TooLarge:
                return True  # on the next link again it would end that one, too
            except CallFailed:
                return False
        return True

    def _event(self, spot: Spot) -> Payload:
        """G01.FR.03: the same as a change of the variable AvailabilityState."""
        now = stamp(self.ctx.clock.now())
        self._event_id += 1
        event: Payload = {
            "eventId": self._event_id,
            "timestamp": now,
            "trigger": "Delta",
            "actualValue": self._now[spot],
            "eventNotificationType": "HardWiredNotification",
            "component": Place("Connector", None, *spot).payload(),
            "variable": {"name": "AvailabilityState"},
        }
        return {"generatedAt": now, "seqNo": 0, "eventData": [event]}

    def _queue(self) -> None:
        for spot in sorted(self._untold):
            self._outbox.put(STATUS, self._payload(spot), ref="status")
        self._untold.clear()

    def _payload(self, spot: Spot) -> Payload:
        return {
            "timestamp": stamp(self.ctx.clock.now()),
            "connectorStatus": self._now[spot],
            "evseId": spot[0],
            "connectorId": spot[1],
        }

    def trigger(self, evse: int, connector: int) -> None:
        """F06: the state of one connector, because the back office asked."""
        payload = self._payload((evse, connector))
        self.ctx.spawn(self._say_asked(payload), "triggered status notification")

    async def _say_asked(self, payload: Payload) -> None:
        await self._office.say(STATUS, payload, asked=True)

    def knows(self, evse: int, connector: int) -> bool:
        return (evse, connector) in self._now

    # ---- the device model's view

    def _connector_source(self, place: Place) -> str:
        return self._now.get((place.evse or 0, place.connector or 0), "Unavailable")

    def _evse_source(self, place: Place) -> str:
        return _worst(status for (evse, _), status in self._now.items() if evse == place.evse)

    def _station_status(self) -> str:
        """The station is as good as its best EVSE, unless it is out of service or broken as a whole."""
        snapshot = self._snapshot()
        if _trips(snapshot.faults):
            return "Faulted"
        if not snapshot.operative:
            return "Unavailable"
        found = {self._evse_source(Place("EVSE", evse=evse.id)) for evse in snapshot.evses}
        return next((status for status in reversed(_WORST) if status in found), "Available")

    def _problem(self, place: Place) -> str:
        faults = self._snapshot().evse(place.evse or 1).faults
        hit = [f for f in faults if place.connector is None or f.connector in (0, place.connector)]
        return _flag(_hinders(hit))

    def _snapshot(self) -> StationSnapshot:
        return self.ctx.station.snapshot()

    # ---- ChangeAvailability

    def _change(self, request: Payload) -> Reply:
        place = request.get("evse") or {}
        evse, connector = place.get("id", 0), place.get("connectorId", 0)
        operative = request["operationalStatus"] == "Operative"
        if not self._exists(evse, connector):
            reason = "UnknownConnectorId" if connector else "UnknownEvse"
            return Reply({"status": "Rejected", "statusInfo": {"reasonCode": reason}})
        key = _key(evse, connector)
        if operative:
            return Reply({"status": "Accepted"}, then=lambda: self._put_into_service(key))
        if not self._is_operative(evse, connector):
            return Reply({"status": "Accepted"})  # G03.FR.03
        if self._busy(evse):
            self._schedule(key, evse)
            return Reply({"status": "Scheduled"}, then=lambda: self._hold(key))
        return Reply({"status": "Accepted"}, then=lambda: self._take_out(key))

    def _exists(self, evse: int, connector: int) -> bool:
        if evse == 0:
            return connector == 0
        return any(known == evse and (connector in (0, number)) for known, number in self._now)

    def _is_operative(self, evse: int, connector: int) -> bool:
        """The part's own state: what it lies in may be out of service all the same (201-AV-03)."""
        row = self.ctx.store.get(TABLE, _key(evse, connector))
        return row is None or bool(row["operative"])

    def _busy(self, evse: int) -> bool:
        evses = [found.id for found in self._snapshot().evses] if evse == 0 else [evse]
        return any(self.busy(number) for number in evses)

    def _set(self, key: str, operative: bool) -> None:
        evse, connector = (int(part) for part in key.split("/"))
        if connector or evse not in self._withheld:
            self.ctx.station.handle(SetOperative(evse, connector, operative))

    def _take_out(self, key: str) -> None:
        with self.ctx.store.step():
            self.ctx.store.put(TABLE, key, {"operative": False})
            self.ctx.store.delete(SCHEDULED, key)
        self._set(key, operative=False)

    def _put_into_service(self, key: str) -> None:
        row = self.ctx.store.get(SCHEDULED, key)
        with self.ctx.store.step():
            self.ctx.store.put(TABLE, key, {"operative": True})
            self.ctx.store.delete(SCHEDULED, key)
        self._set(key, operative=True)
        self._release(row)
        self._something_changed()

    # ---- firmware updates

    def withhold(self) -> None:
        """Until `give_back`, what is not in use is Unavailable (L01.FR.07)."""
        for evse in self._snapshot().evses:
            if not self.busy(evse.id):
                self._withheld.take(evse.id)

    def give_back(self) -> None:
        """Back to normal service."""
        self._withheld.give_back()

    def _in_service(self, evse: int) -> bool:
        """Neither it nor, for its part, the station as a whole was ordered out of service."""
        waits = self.ctx.store.get(SCHEDULED, _key(0, 0)) or {}
        return self._is_operative(evse, 0) and evse not in waits.get("held", ())

    # ---- what waits for a transaction

    def _schedule(self, key: str, evse: int) -> None:
        """G03.FR.05: written down at once, so that it outlives a power cut."""
        free = []
        if evse == 0:
            free = [
                found.id
                for found in self._snapshot().evses
                if not self.busy(found.id) and self._is_operative(found.id, 0)
            ]
        self.ctx.store.put(SCHEDULED, key, {"held": free})

    def _hold(self, key: str) -> None:
        row = self.ctx.store.get(SCHEDULED, key) or {}
        for evse in row.get("held", ()):
            self.ctx.station.handle(SetOperative(evse, 0, operative=False))
        self._apply_if_idle(key)
        self._something_changed()

    def _release(self, row: Mapping[str, list[int]] | None) -> None:
        """EVSEs that were held for the station as a whole go back to what they were."""
        for evse in (row or {}).get("held", ()):
            if self._is_operative(evse, 0):
                self._set(_key(evse, 0), operative=True)

    def _scheduled(self, evse: int, connector: int) -> bool:
        keys = (_key(0, 0), _key(evse, 0), _key(evse, connector))
        return any(self.ctx.store.get(SCHEDULED, key) is not None for key in keys)

    def became_idle(self, _evse: int) -> None:
        """A transaction has ended: apply what waited for it."""
        for key, _ in self.ctx.store.rows(SCHEDULED):
            self._apply_if_idle(key)
        self._something_changed()  # over a fault that it was going on with

    def _apply_if_idle(self, key: str) -> None:
        row = self.ctx.store.get(SCHEDULED, key)
        if row is None or self._busy(int(key.split("/", maxsplit=1)[0])):
            return
        self._take_out(key)
        self._release(row)

    def _something_changed(self) -> None:
        for spot, status in self._statuses().items():
            if status != self._now[spot]:
                self._now[spot] = status
                self._untold.add(spot)
                self.ctx.bus.publish(ConnectorStatusChanged(*spot, status))
        self._tell()


def _trips(faults: tuple[FaultSnapshot, ...] | list[FaultSnapshot]) -> list[FaultSnapshot]:
    """Those that let nothing charge."""
    return [fault for fault in faults if effect_of(fault.fault, fault.info) is Effect.TRIP]


def _hinders(faults: Iterable[FaultSnapshot]) -> bool:
    """Is there one that is more than a warning?"""
    return any(effect_of(fault.fault, fault.info) is not Effect.WARN for fault in faults)


def _derates(faults: list[FaultSnapshot], station: StationSnapshot) -> bool:
    """Is there one that lets nothing begin? Where nobody needs a card, a lost reader is none."""
    return any(
        effect_of(fault.fault, fault.info) is Effect.DERATE
        and not (fault.fault is Fault.READER_LOST and station.free_vend)
        for fault in faults
    )


def _worst(statuses: Iterable[str]) -> str:
    found = set(statuses)
    return next((status for status in _WORST if status in found), "Available")


def _flag(value: bool) -> str:
    return "true" if value else "false"
