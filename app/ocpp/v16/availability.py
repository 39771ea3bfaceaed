"""Which state each connector is in, who is told of it, and ChangeAvailability (1.6 part 4.9 and 5.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from app.kernel.bus import Entry
from app.ocpp.context import BootState, Context, Handler, Payload, Reply
from app.ocpp.events import ConnectorStatusChanged
from app.ocpp.personality import Block
from app.ocpp.v16 import status
from app.ocpp.v16.boot import Boot
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.connectors import Connector, Connectors
from app.ocpp.v16.notifier import Notice, Notifier
from app.ocpp.v16.rows import CONNECTORS
from app.ocpp.v16.status import Condition
from app.ocpp.v16.timers import Timers
from app.ocpp.v16.turned_down import REJECTED, turned_down
from app.station.commands import SetOperative
from app.station.events import FaultCleared, FaultRaised, FlowChanged, OperativeChanged
from app.station.kinds import Fault

STATION = "0"
"""Key of the charge point's own row."""


class Availability(Block):
    """States of the connectors and of the charge point."""

    def __init__(
        self,
        ctx: Context,
        config: Configuration,
        connectors: Connectors,
        boot: Boot,
        timers: Timers,
    ) -> None:
        super().__init__(ctx)
        self._connectors = connectors
        self._boot = boot
        self.notifier = Notifier(ctx, config, timers, lambda: boot.talking)
        self.reserved: Callable[[int], bool] = lambda number: False
        """Whether a reservation keeps a connector."""
        self.on_refresh: list[Callable[[], None]] = []
        """Called before a state is looked at anew."""
        self._current: dict[int, Condition] = {}
        self._station_inoperative = False
        self._station_scheduled: bool | None = None
        self._updating = False
        self._reset_failed = False

    # ------------------------------------------------------------------ block

    def handlers(self) -> Mapping[str, Handler]:
        return {"ChangeAvailability": self._change_availability}

    def restore(self) -> None:
        self._connectors.restore()
        row = self.ctx.store.get(CONNECTORS, STATION) or {}
        self._station_inoperative = bool(row.get("inoperative"))
        self._station_scheduled = row.get("scheduled")

    def start(self) -> None:
        for item in self._connectors:
            if item.done and not self._connectors.plugged(item):
                item.done = False
            self._order(item)
        self._connectors.on_change(self.refresh)
        self._boot.followers.append(self.announce)
        self._boot.on_pending.append(self._pending)
        self.on(self._on_flow, FlowChanged)
        self.on(self._on_part, FaultRaised, FaultCleared, OperativeChanged)
        for item in self._connectors:
            self._apply_scheduled(item)
        self._refresh_all()

    def link_up(self, *, first: bool) -> None:
        if self._boot.accepted:
            for number, condition in sorted(self._current.items()):
                if self.notifier.told.get(number) != condition:
                    self._tell(number, condition)

    def link_down(self) -> None:
        self.notifier.lost()

    # ------------------------------------------------------------------ states

    def condition(self, number: int) -> Condition:
        """The present state of a connector, or of the charge point (0)."""
        bare, item = self.bare(number), self._connectors.get(number)
        if item is None or item.welcome or bare.status not in status.KEEPABLE:
            return bare
        if not self.reserved(number) or self._connectors.claim_on(number) is not None:
            return bare
        if bare.error_code == status.EV_ERROR:
            return Condition(status.RESERVED)  # 16-ST-06
        return replace(bare, status=status.RESERVED)

    def bare(self, number: int) -> Condition:
        """As `condition`, but as if nothing was reserved."""
        snapshot = self.ctx.station.snapshot()
        item = self._connectors.get(number)
        if item is None:
            out = self._station_inoperative or self._updating
            return status.of_station(snapshot, out, reset_failed=self._reset_failed)
        claim = self._connectors.claim_on(number)
        return status.of_connector(item, claim, snapshot.evse(item.evse), snapshot)

    def refresh(self, number: int) -> None:
        """See whether the state of a connector changed, and tell it if so."""
        for listener in self.on_refresh:
            listener()
        item = self._connectors.get(number)
        if item is not None and item.settling:
            return
        condition = self.condition(number)
        before = self._current.get(number)
        if before == condition:
            return
        self._current[number] = condition
        self._publish(number, condition)
        between = (
            None if before is None or item is None else _between(before.status, condition.status)
        )
        if between is not None:
            self.remark(number, Condition(between))
        self.notifier.changed(number, condition)

    def announce(self) -> None:
        """Tell the state of everything: the back office has just accepted us (16-BOOT-03)."""
        for number in range(len(self._connectors) + 1):
            condition = self.condition(number)
            if self._current.get(number) != condition:
                self._current[number] = condition
                self._publish(number, condition)
            self._tell(number, condition)

    def remark(self, number: int, condition: Condition) -> None:
        """Tell something that is no lasting state (EV side disconnected, LocalListConflict)."""
        if self._boot.talking:
            self._tell(number, condition)

    def notice(self, number: int) -> Notice:
        """The present state as a StatusNotification."""
        return Notice(number, self.condition(number), self.ctx.clock.now())

    def _tell(self, number: int, condition: Condition) -> None:
        self.notifier.send(Notice(number, condition, self.ctx.clock.now()))

    def _refresh_all(self) -> None:
        for number in range(len(self._connectors) + 1):
            self.refresh(number)

    def _publish(self, number: int, condition: Condition) -> None:
        item = self._connectors.get(number)
        evse, connector = (item.evse, item.id) if item else (0, 0)
        self.ctx.bus.publish(
            ConnectorStatusChanged(evse, connector, condition.status, condition.error_code)
        )

    def _on_flow(self, entry: Entry) -> None:
        if isinstance(entry.event, FlowChanged):
            for item in self._connectors.at(entry.event.evse):
                self.refresh(item.number)

    def _on_part(self, entry: Entry) -> None:
        if isinstance(entry.event, FaultCleared) and entry.event.fault is Fault.RESTART:
            self._reset_failed = False
        self._refresh_all()

    def reset_failed(self) -> None:
        """The station was told to restart and cannot: errorCode ResetFailure from now on (RE-02)."""
        self._reset_failed = True
        self._refresh_all()

    def _pending(self) -> None:
        self.ctx.spawn(self._tell_while_pending(), "status while pending")

    async def _tell_while_pending(self) -> None:
        if await self.ctx.points.ask("ocpp16-pending-status-notification") != "send":
            return
        if self._boot.state is not BootState.PENDING:
            return  # accepted while a person thought, and all was told then
        for number in range(len(self._connectors) + 1):
            self.notifier.tell(self.notice(number))

    # ------------------------------------------------------------------ ChangeAvailability

    async def _change_availability(self, request: Payload) -> Reply:
        number, operative = int(request["connectorId"]), request["type"] == "Operative"
        item = self._connectors.get(number)
        if number != 0 and item is None:
            return turned_down(REJECTED, "connector", number=number)
        targets = [item] if item is not None else list(self._connectors)
        choice = ""
        if not operative and any(self._halfway(target) for target in targets):
            choice = await self.ctx.points.ask("ocpp16-inoperative-in-preparing")
        plans = [(target, self._plan(target, operative, choice)) for target in targets]
        later = any(plan == "scheduled" for _, plan in plans)

        def act() -> None:
            with self.ctx.store.step():
                for target, plan in plans:
                    self._carry_out(target, operative, plan)
                if number == 0:
                    self._set_station(operative, later)
            self._show([target for target, _ in plans])

        return Reply({"status": "Scheduled" if later else "Accepted"}, then=act)

    def _halfway(self, item: Connector) -> bool:
        """In use, but without a transaction: Preparing or Finishing."""
        now = self.condition(item.number).status
        return item.transaction is None and now in (status.PREPARING, status.FINISHING)

    def _plan(self, item: Connector, operative: bool, choice: str) -> str:
        """How a connector gets there: keep, now, scheduled, or via Available."""
        if item.inoperative is not operative:
            return "keep"
        if item.transaction is not None:
            return "scheduled"
        if operative or not self._halfway(item):
            return "now"
        return {"accepted-at-once": "now", "via-available": "via"}.get(choice, "scheduled")

    def _carry_out(self, item: Connector, operative: bool, plan: str) -> None:
        if plan == "scheduled":
            item.scheduled = operative
        else:
            item.scheduled = None
            if plan == "via":
                self.remark(item.number, Condition(status.AVAILABLE))
            if plan in ("now", "via"):
                self._set(item, operative)
        self._connectors.save(item)

    def _set(self, item: Connector, operative: bool) -> None:
        item.inoperative = not operative
        item.scheduled = None
        item.done = False

    def _set_station(self, operative: bool, later: bool) -> None:
        if later:
            self._station_scheduled = operative
        else:
            self._station_inoperative, self._station_scheduled = not operative, None
        self._save_station()

    def _save_station(self) -> None:
        self.ctx.store.put(
            CONNECTORS,
            STATION,
            {"inoperative": self._station_inoperative, "scheduled": self._station_scheduled},
        )

    def _show(self, items: list[Connector]) -> None:
        """Let the machine and the back office see what was written down."""
        for item in items:
            self._order(item)
        self.refresh(0)
        self._connectors.changed(*(item.number for item in items))

    def _order(self, item: Connector) -> None:
        operative = not item.out_of_service
        if self._connectors.hardware(item)[1].operative is not operative:
            self.ctx.station.handle(SetOperative(item.evse, item.id, operative))

    # ------------------------------------------------------------------ firmware updates

    def withhold(self, *, station: bool) -> None:
        """Until `give_back`, what is in no transaction is Unavailable, and the `station` too (FW-02).

        Lives as long as the power: whoever needs it orders it again after the next boot.
        """
        for item in self._connectors:
            if item.updating or item.transaction is not None:
                continue
            told = self._current.get(item.number)
            if told is not None and told.status == status.PREPARING:
                # there is no way from Preparing to Unavailable (no B8)
                self.remark(item.number, Condition(status.AVAILABLE))
            item.updating = True
            self._order(item)
        self._updating = station
        self._refresh_all()

    def give_back(self) -> None:
        """Back to normal service."""
        self._updating = False
        items = [item for item in self._connectors if item.updating]
        with self.ctx.store.step():
            for item in items:
                item.updating = False
                if item.keeper is None and item.transaction is None:
                    item.done = False  # there is no way from Unavailable to Finishing
                    self._connectors.save(item)
        self._show(items)

    # ------------------------------------------------------------------ scheduled changes

    def free(self, item: Connector) -> None:
        """A transaction or a usage ended here: what was put off may be due."""
        told = self._current.get(item.number)
        if self._apply_scheduled(item):
            if told is not None and told.status == status.PREPARING:
                # there is no way from Preparing to Unavailable (no B8)
                self.remark(item.number, Condition(status.AVAILABLE))
            self._show([item])

    def _apply_scheduled(self, item: Connector) -> bool:
        if item.scheduled is None or item.transaction is not None:
            return False
        with self.ctx.store.step():
            self._set(item, item.scheduled)
            self._connectors.save(item)
            waiting = any(other.scheduled is not None for other in self._connectors)
            if self._station_scheduled is not None and not waiting:
                self._set_station(self._station_scheduled, later=False)
        return True


def _between(before: str, after: str) -> str | None:
    """What has to be told in between where no way leads from one state to the other (16-ST-03).

    From Preparing to Unavailable there is none, either (no B8), but that is an open point of its own.
    """
    if after in (before, status.UNAVAILABLE) or after in status.NEXT[before]:
        return None
    ways = (status.PREPARING, status.AVAILABLE)
    return next(
        (way for way in ways if way in status.NEXT[before] and after in status.NEXT[way]), None
    )
