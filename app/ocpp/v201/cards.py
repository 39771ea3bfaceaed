"""What drivers do at the station: cards, start and stop buttons. Part 2, C01, C02, C09, C16, E07.

A shared reader without a chosen EVSE serves, in this order: the session the card already has, the EVSE
that is plugged in and waits, the only one that is free, and otherwise the next one that is plugged in (E03).
"""

from __future__ import annotations

from app.kernel.bus import Entry
from app.kernel.text import Text
from app.ocpp.context import Context
from app.ocpp.events import AuthorizationDecided
from app.ocpp.personality import Block
from app.ocpp.v201.authorization import Authorization, Decision
from app.ocpp.v201.bay import Bay, Permission
from app.ocpp.v201.provisioning import Provisioning
from app.ocpp.v201.screen import show_for_a_while
from app.ocpp.v201.tokens import ANONYMOUS, NO_AUTHORIZATION, IdToken
from app.ocpp.v201.transactions import Transactions
from app.ocpp.v201.watch import Watch
from app.station.commands import SetReaderLamp, ShowText
from app.station.events import CablePlugged, CardPresented, StartPressed, StopPressed
from app.station.kinds import ReaderLamp

POINT = "ocpp201-event-merging"


class Cards(Block):
    """Drivers and their wishes."""

    def __init__(
        self,
        ctx: Context,
        office: Provisioning,
        auth: Authorization,
        transactions: Transactions,
        watch: Watch,
    ) -> None:
        super().__init__(ctx)
        self._office = office
        self._auth = auth
        self._tx = transactions
        self._watch = watch
        self._asking: set[int] = set()
        self._last_plugged: list[int] = []
        self._merging = ctx.points.ahead(POINT)

    def start(self) -> None:
        self.on(self._presented, CardPresented)
        self.on(self._stop_pressed, StopPressed)
        self.on(self._start_pressed, StartPressed)
        self.on(self._plugged, CablePlugged)
        self._watch.before_plug = self._merge
        self._foresee()

    # ---- buttons and free charging

    def _plugged(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, CablePlugged)
        if event.evse in self._last_plugged:
            self._last_plugged.remove(event.evse)
        self._last_plugged.append(event.evse)
        bay = self._tx.bays[event.evse]
        if not self._auth.required and bay.free:
            self._start_free(bay)

    def _merge(self, bay: Bay) -> None:
        """Open point ocpp201-event-merging: a free station tells cable and authorization in one event.

        Not waited for: the cable is in, and what the car does next would be told before it.
        """
        if self._auth.required or not bay.free or not self._may_start(bay):
            return
        if self._merging.choose() == "one-event":
            self._auth.tell(Decision(ANONYMOUS, True, "Accepted", "free"), bay.evse)
            bay.permission = Permission(ANONYMOUS, by="free")
        self._foresee()

    def _foresee(self) -> None:
        """The next cable that goes into a free station will do: a person can say before it comes."""
        if not self._auth.required and self.ctx.points.asks(POINT):
            self.ctx.spawn(self._merging.ask(), "open point of the next cable")

    def _start_pressed(self, entry: Entry) -> None:
        """C02: a button starts where nobody is asked, or where there is no reader."""
        event = entry.event
        assert isinstance(event, StartPressed)
        bay = self._tx.bays[event.evse]
        no_reader = self.ctx.station.snapshot().evse(event.evse).reader is None
        if bay.free and (no_reader or not self._auth.required):
            self._start_free(bay)

    def _start_free(self, bay: Bay) -> None:
        if not self._may_start(bay):
            return
        decision = Decision(ANONYMOUS, True, "Accepted", "free")
        self._auth.tell(decision, bay.evse)
        self._tx.permit(bay, Permission(ANONYMOUS, by="free"))

    def _stop_pressed(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, StopPressed)
        bay = self._tx.bays[event.evse]
        if bay.permission is not None:
            self._tx.end_permission(bay, "StopAuthorized", "Local")
            self.ctx.station.handle(ShowText(bay.evse, Text("v201.screen.stopped")))

    def _may_start(self, bay: Bay) -> bool:
        if not self._office.may_charge():
            show_for_a_while(self.ctx, bay.evse, Text("v201.screen.not_accepted"))
            return False
        if self._tx.full:
            show_for_a_while(self.ctx, bay.evse, Text("v201.screen.full"))
            return False
        if bay.evse and not self._tx.usable(bay.evse):
            show_for_a_while(self.ctx, bay.evse, Text("v201.screen.out_of_service"))
            return False
        return True

    # ---- cards

    def _presented(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, CardPresented)
        if event.reader in self._asking:
            return
        token = IdToken.shown(event.uid, event.kind)
        places = self._places(event)
        if not token.fits:
            self._answer(event.reader, places, ReaderLamp.REFUSED, "v201.screen.unreadable")
            return
        if self._served_here(event.reader, token, places):
            return
        if not self._office.may_charge():
            self._answer(event.reader, places, ReaderLamp.REFUSED, "v201.screen.not_accepted")
            return
        if self._tx.full:
            self._answer(event.reader, places, ReaderLamp.REFUSED, "v201.screen.full")
            return
        self._asking.add(event.reader)
        self.ctx.spawn(self._judge(event.reader, token, places), "card")

    def _places(self, event: CardPresented) -> tuple[int, ...]:
        if event.evse is not None:
            return (event.evse,)
        snapshot = self.ctx.station.snapshot()
        for reader in snapshot.readers:
            if reader.id == event.reader:
                return reader.evses
        return tuple(evse.id for evse in snapshot.evses)

    def _served_here(self, reader: int, token: IdToken, places: tuple[int, ...]) -> bool:
        """C01.FR.03: what needs no back office: the end of one's own session, and one's own cable."""
        for bay in self._bays(places):
            if bay.permission is not None and self._may_stop(bay, token):
                self._stop(reader, bay, token, "Local")
                return True
            kept = bay.kept_for
            if kept is not None and bay.permission is None and self._owns(bay, token):
                self._tx.unlock(bay)
                self._answer(reader, (bay.evse,), ReaderLamp.ACCEPTED, "v201.screen.unlocked")
                return True
        return False

    def _may_stop(self, bay: Bay, token: IdToken) -> bool:
        permission = bay.permission
        assert permission is not None
        if permission.token.key == token.key:
            return True
        if permission.token.kind == NO_AUTHORIZATION and bay.transaction is not None:
            return True  # F01: what nobody authorized anybody may stop
        group = self._auth.local_group(token)
        return group is not None and group == permission.group

    def _owns(self, bay: Bay, token: IdToken) -> bool:
        if bay.kept_for is not None and bay.kept_for.key == token.key:
            return True
        group = self._auth.local_group(token)
        return group is not None and group == bay.kept_group

    async def _judge(self, reader: int, token: IdToken, places: tuple[int, ...]) -> None:
        try:
            self._answer(reader, places, ReaderLamp.ASKING, "v201.screen.asking")
            decision = await self._auth.decide(token, places[0] if len(places) == 1 else None)
            self._act(reader, decision, places)
        finally:
            self._asking.discard(reader)

    def _act(self, reader: int, decision: Decision, places: tuple[int, ...]) -> None:
        if self._auth.is_master(decision.group):
            self._stop_all(reader, decision.token)
            return
        if not decision.accepted:
            text = Text("v201.screen.refused", {"why": decision.status})
            self._answer(reader, places, ReaderLamp.REFUSED, text)
            return
        target = self._target(decision, places)
        if target is None or target.connector is None:
            shared = self._of_group(decision, places)
            if shared is not None:
                self._stop(reader, shared, decision.token, "Local")
                return
        if target is None:
            self._answer(reader, places, ReaderLamp.REFUSED, "v201.screen.nothing_free")
            return
        self._start(reader, target, decision, places)

    def _start(self, reader: int, target: Bay, decision: Decision, places: tuple[int, ...]) -> None:
        key = "v201.screen.accepted" if target.connector else "v201.screen.plug_in"
        shown = decision.info.get("personalMessage")
        text = Text("v201.screen.message", {"text": shown["content"]}) if shown else Text(key)
        self._answer(reader, (target.evse,) if target.evse else (), ReaderLamp.ACCEPTED, text)
        permission = Permission(decision.token, decision.group, decision.by, capped=decision.capped)
        if target.evse == 0:
            target.candidates = tuple(bay.evse for bay in self._usable(decision, places))
        self._tx.permit(target, permission)
        if decision.recheck:
            self.ctx.spawn(self._recheck(permission), "parallel authorize")

    async def _recheck(self, permission: Permission) -> None:
        """Open point both-local-preauthorize-request: the back office is asked while energy flows."""
        decision = await self._auth.ask(permission.token)
        if decision is None or decision.accepted:
            return
        for bay in self._tx.all_bays():  # its cable may have gone in meanwhile, wherever that was
            if bay.permission is permission:
                self._watch.refuse(bay, decision.status)

    def _target(self, decision: Decision, places: tuple[int, ...]) -> Bay | None:
        usable = self._usable(decision, places)
        plugged = [bay for bay in usable if bay.connector is not None]
        if plugged:
            return max(plugged, key=lambda bay: self._plug_order(bay.evse))
        if len(usable) == 1:
            return usable[0]
        if not usable or self._tx.waiting.permission is not None:
            return None
        return self._tx.waiting

    def _usable(self, decision: Decision, places: tuple[int, ...]) -> list[Bay]:
        """Bays where this token may start."""
        found = []
        for bay in self._bays(places):
            tx = bay.transaction
            owner = tx.id_token if tx is not None else None
            if bay.permission is not None or bay.asking or bay.kept_for is not None:
                continue
            if owner is not None and owner.key != decision.token.key:
                continue  # C01.FR.23: one transaction, one token
            if bay.evse and decision.allows(bay.evse) and self._tx.usable(bay.evse):
                found.append(bay)
        return found

    def _plug_order(self, evse: int) -> int:
        return self._last_plugged.index(evse) if evse in self._last_plugged else -1

    def _of_group(self, decision: Decision, places: tuple[int, ...]) -> Bay | None:
        """C09.FR.03: a session of the same group."""
        if decision.group is None:
            return None
        for bay in self._bays(places):
            if bay.permission is not None and bay.permission.group == decision.group:
                return bay
        return None

    def _bays(self, places: tuple[int, ...]) -> list[Bay]:
        found = [self._tx.bays[evse] for evse in places if evse in self._tx.bays]
        waiting = self._tx.waiting
        if set(waiting.candidates) & set(places):
            found.append(waiting)
        return found

    # ---- stopping

    def _stop(self, reader: int, bay: Bay, token: IdToken, reason: str) -> None:
        self._answer(
            reader, (bay.evse,) if bay.evse else (), ReaderLamp.ACCEPTED, "v201.screen.stopped"
        )
        self.ctx.bus.publish(
            AuthorizationDecided(token.text, True, "Accepted", "cache", bay.evse or None)
        )
        self._tx.end_permission(bay, "StopAuthorized", reason, token=token)

    def _stop_all(self, reader: int, token: IdToken) -> None:
        """C16.FR.02: without a screen to choose on, a master pass stops every session."""
        for bay in self._tx.all_bays():
            if bay.permission is not None:
                self._tx.end_permission(bay, "StopAuthorized", "MasterPass", token=token)
        self.ctx.station.handle(SetReaderLamp(reader, ReaderLamp.ACCEPTED))
        show_for_a_while(self.ctx, 0, Text("v201.screen.all_stopped"))

    # ---- what the driver sees

    def _answer(
        self, reader: int, places: tuple[int, ...], lamp: ReaderLamp, text: Text | str
    ) -> None:
        self.ctx.station.handle(SetReaderLamp(reader, lamp))
        shown = Text(text) if isinstance(text, str) else text
        evse = places[0] if len(places) == 1 else 0
        if lamp is ReaderLamp.REFUSED:
            show_for_a_while(self.ctx, evse, shown)
        else:
            self.ctx.station.handle(ShowText(evse, shown))
