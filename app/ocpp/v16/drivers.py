"""Drivers at the station: cards, plugs, start buttons, and the time they have (1.6 part 4.9, 5.11).

Card first or cable first: a transaction begins when an accepted token and a cable meet at a connector.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.kernel.bus import Entry
from app.ocpp.context import Context
from app.ocpp.personality import Block
from app.ocpp.v16.authorization import Authorization
from app.ocpp.v16.availability import Availability
from app.ocpp.v16.boot import Boot
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.connectors import Claim, Connector, Connectors
from app.ocpp.v16.places import Places, anybody
from app.ocpp.v16.reservation import Guest, Reservations
from app.ocpp.v16.rows import Decision, same_token
from app.ocpp.v16.signals import Signals
from app.ocpp.v16.timers import Timers
from app.ocpp.v16.transactions import Transactions
from app.station.commands import Unlock
from app.station.events import (
    CablePlugged,
    CableUnplugged,
    CardPresented,
    FaultCleared,
    OperativeChanged,
    StartPressed,
    StopPressed,
)
from app.station.kinds import LockState, ReaderLamp

LONGEST_TOKEN = 20


class Drivers(Block):
    """Brings tokens and cables together."""

    def __init__(
        self,
        ctx: Context,
        config: Configuration,
        connectors: Connectors,
        boot: Boot,
        availability: Availability,
        authorization: Authorization,
        transactions: Transactions,
        reservations: Reservations,
        signals: Signals,
        timers: Timers,
    ) -> None:
        super().__init__(ctx)
        self._config = config
        self._connectors = connectors
        self._boot = boot
        self._availability = availability
        self._authorization = authorization
        self._transactions = transactions
        self._reservations = reservations
        self._signals = signals
        self._timers = timers
        self.places = Places(connectors, availability, transactions, reservations)
        self.closed = False
        """The station is about to restart: nobody is served any more."""

    # ------------------------------------------------------------------ block

    def start(self) -> None:
        self.on(self._on_card, CardPresented)
        self.on(self._on_plugged, CablePlugged)
        self.on(self._on_unplugged, CableUnplugged)
        self.on(self._on_start_button, StartPressed)
        self.on(self._on_stop_button, StopPressed)
        self.on(self._on_part_back, FaultCleared, OperativeChanged)
        self._boot.followers.append(self._vend_all)
        self._reservations.on_released.append(self._on_released)
        self._reservations.look_around()
        for item in self._connectors:
            if self._connectors.plugged(item) and not item.done:
                self._await_token(item)

    def serving(self) -> bool:
        """Transactions may begin: accepted in this power cycle, or allowed without (16-BOOT-11)."""
        if self.closed or self._transactions.full:
            return False
        return self._boot.ever_accepted or self._config.flag("TxBeforeAcceptedEnabled")

    # ------------------------------------------------------------------ cards

    def _on_card(self, entry: Entry) -> None:
        event = entry.event
        if not isinstance(event, CardPresented):
            return
        evses = self._evses_of(event)
        items = [item for item in self._connectors if item.evse in evses]
        self.ctx.spawn(self._card(event.uid, items, event.evse, event.reader), "card")

    def _evses_of(self, event: CardPresented) -> tuple[int, ...]:
        if event.evse is not None:
            return (event.evse,)
        for reader in self.ctx.station.snapshot().readers:
            if reader.id == event.reader:
                return reader.evses
        return ()

    async def _card(
        self, token: str, items: list[Connector], evse: int | None, reader: int
    ) -> None:
        if not 0 < len(token) <= LONGEST_TOKEN:
            self._refuse(items, reader, "unreadable")
        elif self._by_same_token(token, items):
            self._signals.lamp(reader, ReaderLamp.ACCEPTED)
        elif not self.serving():
            why = "full" if self._transactions.full else "not_ready"
            self._refuse(items, reader, why)
        elif self.places.find(items, anybody(token)) is None and not self._others(items):
            self._refuse(items, reader, self.places.why_none(items))
        else:
            await self._judge(token, items, evse, reader)

    def _by_same_token(self, token: str, items: list[Connector]) -> bool:
        """What the same card does without anybody being asked: stop, free the cable, or cancel."""
        for item in items:
            if item.transaction is not None and same_token(item.transaction.token, token):
                self._stop(item, token)
                return True
        for item in items:
            if item.keeper is not None and same_token(item.keeper[0], token):
                self._free_cable(item)
                return True
        numbers = {item.number for item in items}
        for claim in self._connectors.claims:
            if same_token(claim.token, token) and numbers & set(claim.numbers):
                self._give_up(claim)
                self._signals.say((item.evse for item in items), "cancelled")
                return True
        return False

    def _others(self, items: list[Connector]) -> bool:
        """Somebody of the same group might be charging here, or have a cable locked here."""
        return any(item.transaction is not None or item.keeper is not None for item in items)

    async def _judge(
        self, token: str, items: list[Connector], evse: int | None, reader: int
    ) -> None:
        self._signals.lamp(reader, ReaderLamp.ASKING)
        self._signals.say((item.evse for item in items), "asking", seconds=None)
        try:
            decision = await self._decide(token, items, evse)
        finally:
            self._signals.clear(item.evse for item in items)
        if not decision.accepted:
            self._refuse(items, reader, "refused", status=decision.status)
        elif self.closed:  # while it was being judged
            self._refuse(items, reader, "not_ready")
        elif self._by_group(decision, items) or await self.admit_in_time(decision, items):
            self._signals.lamp(reader, ReaderLamp.ACCEPTED)
        else:
            self._refuse(items, reader, self.places.why_none(items))

    async def _decide(self, token: str, items: list[Connector], evse: int | None) -> Decision:
        for item in items:
            item.asking += 1
        try:
            return await self._authorization.decide(token, evse)
        finally:
            for item in items:
                item.asking -= 1
                if item.waiting is None and self._preparing(item):
                    self._await_token(item)

    def _by_group(self, decision: Decision, items: list[Connector]) -> bool:
        """A card with the same parent stops and frees like the card itself (16-AU-09)."""
        if decision.parent is None:
            return False
        for item in items:
            if item.transaction is not None and same_token(
                item.transaction.parent, decision.parent
            ):
                self._stop(item, decision.token)
                return True
        for item in items:
            if item.keeper is not None and same_token(item.keeper[1], decision.parent):
                self._free_cable(item)
                return True
        return False

    def _stop(self, item: Connector, token: str) -> None:
        self._transactions.end(item, "Local", token)
        self._signals.say((item.evse,), "stopped")

    def _free_cable(self, item: Connector) -> None:
        item.keeper = None
        self._connectors.save(item)
        self.ctx.station.handle(Unlock(item.evse, item.id))
        self._connectors.changed(item.number)

    def _refuse(
        self, items: Sequence[Connector], reader: int | None, key: str, **params: object
    ) -> None:
        self._signals.lamp(reader, ReaderLamp.REFUSED)
        self._signals.say((item.evse for item in items), key, params)

    # ------------------------------------------------------------------ use of a token

    def _preparing(self, item: Connector) -> bool:
        """A cable is in, and nobody has shown a token for it."""
        return (
            item.transaction is None
            and not item.done
            and not item.out_of_service
            and self._connectors.plugged(item)
        )

    async def admit_in_time(self, decision: Decision, items: Sequence[Connector]) -> bool:
        """As `admit`, when all is decided that a transaction needs to know from its first moment."""
        await self._transactions.foresee()
        return not self.closed and self.admit(decision, items)

    def admit(self, decision: Decision, items: Sequence[Connector]) -> bool:
        """Use an accepted token: begin at a cable that is in, or wait for one. False: nowhere."""
        place = self.places.find(items, Guest.of(decision))
        if place is None:
            return False
        if place.now is not None:
            return self._begin(place.now, decision)
        self._wait_for_plug(decision, place.later)
        return True

    def _begin(self, item: Connector, decision: Decision) -> bool:
        if item.done or item.keeper is not None:
            item.done, item.keeper = False, None  # F2: back to Preparing first
            self._connectors.changed(item.number)
        self._stop_waiting(item)
        item.welcome = True
        try:
            self._connectors.changed(item.number)  # G2: from Reserved to Preparing first
            begun = self._transactions.begin(item, decision)
        finally:
            item.welcome = False
        self._connectors.changed(item.number)
        if not begun:
            self._signals.say((item.evse,), "cannot_start")
            return False
        transaction = item.transaction
        if transaction is not None and decision.by in ("list", "cache"):
            self.ctx.spawn(self._ask_along(item, decision), "authorize along")
        return True

    async def _ask_along(self, item: Connector, decision: Decision) -> None:
        transaction = item.transaction
        answer = await self._authorization.ask_along(decision)
        if answer is not None and not answer.accepted and transaction is not None:
            self._transactions.refuse(transaction, answer.status)

    # ------------------------------------------------------------------ token first

    def _wait_for_plug(self, decision: Decision, numbers: tuple[int, ...]) -> None:
        claim = Claim(decision, numbers, numbers if len(numbers) == 1 else ())
        seconds = self._config.number("ConnectionTimeOut")
        if seconds > 0:
            claim.timer = self._timers.call_in(seconds, lambda: self._claim_over(claim))
        self._connectors.claims.append(claim)
        self._signals.say(self._evses(numbers), "plug_in", seconds=None)
        self._connectors.changed(*numbers)
        if len(numbers) > 1:
            point = "ocpp16-card-first-connector"
            self.ctx.decide(point, lambda choice: self._show_claim(claim, choice))

    def _show_claim(self, claim: Claim, choice: str) -> None:
        """Let connectors show Preparing for a driver who may take any of several, and still waits."""
        if claim in self._connectors.claims:
            claim.shown = self._shown(claim.numbers, choice)
            self._connectors.changed(*claim.numbers)

    def _shown(self, numbers: tuple[int, ...], choice: str) -> tuple[int, ...]:
        if choice == "none":
            return ()
        if choice == "last-used":
            last = self._connectors.last_used
            return (last,) if last in numbers else numbers[:1]
        return numbers[:1] if choice == "chosen-on-screen" else numbers

    def _claim_over(self, claim: Claim) -> None:
        """ConnectionTimeOut: back to the state before (16-ST-09)."""
        self._give_up(claim)
        self._signals.say(self._evses(claim.numbers), "too_late")

    def _give_up(self, claim: Claim) -> None:
        """The driver went away: what was put off because of them may be due."""
        self._drop_claim(claim)
        for number in claim.numbers:
            item = self._connectors.get(number)
            if item is not None and not self._connectors.plugged(item):
                self._availability.free(item)

    def _drop_claim(self, claim: Claim) -> None:
        if claim.timer is not None:
            claim.timer.cancel()
        if claim in self._connectors.claims:
            self._connectors.claims.remove(claim)
        self._signals.clear(self._evses(claim.numbers))
        self._connectors.changed(*claim.numbers)

    def _evses(self, numbers: tuple[int, ...]) -> set[int]:
        found = (self._connectors.get(number) for number in numbers)
        return {item.evse for item in found if item is not None}

    # ------------------------------------------------------------------ cable first

    def _on_plugged(self, entry: Entry) -> None:
        event = entry.event
        if not isinstance(event, CablePlugged):
            return
        item = self._connectors.of(event.evse, event.connector)
        item.plugged_at = self.ctx.clock.elapsed()
        if item.transaction is not None:
            self._transactions.replugged(item)
            return
        if item.done:
            item.done = False
            self._connectors.save(item)
        self._connectors.changed(item.number)
        self._await_token(item)
        claim = self._claim_for(item)
        if claim is not None and self._transactions.can_begin(item):
            item.welcome = True  # G2: not back to Reserved in between
            self._drop_claim(claim)
            self._begin(item, claim.decision)
        elif self.ctx.settings.free_vend:
            self._vend(item)

    def _claim_for(self, item: Connector) -> Claim | None:
        """The driver, first come first, who may use this connector now."""
        for claim in self._connectors.claims_for(item.number):
            guest = Guest.of(claim.decision)
            kept = self.places.kept_from(item, guest)
            if not kept and self._reservations.may_use(item.number, guest):
                return claim
        return None

    def _on_released(self, item: Connector) -> None:
        """A cable that lay in a reserved connector may be used by its driver now."""
        if self._preparing(item):
            self._await_token(item)

    def _await_token(self, item: Connector) -> None:
        """Give the driver ConnectionTimeOut seconds to show a token (B6)."""
        self._stop_waiting(item)
        seconds = self._config.number("ConnectionTimeOut")
        if seconds > 0 and not self.ctx.settings.free_vend:
            item.waiting = self._timers.call_in(seconds, lambda: self._no_token(item))

    def _stop_waiting(self, item: Connector) -> None:
        if item.waiting is not None:
            item.waiting.cancel()
            item.waiting = None

    def _no_token(self, item: Connector) -> None:
        item.waiting = None
        kept = self._reservations.keeps(item.number)
        if not self._preparing(item) or item.asking or kept:
            return
        item.done = True
        self._connectors.save(item)
        self._connectors.changed(item.number)

    def _on_unplugged(self, entry: Entry) -> None:
        event = entry.event
        if not isinstance(event, CableUnplugged):
            return
        item = self._connectors.of(event.evse, event.connector)
        self._stop_waiting(item)
        if item.transaction is not None:
            return
        if self._connectors.hardware(item)[1].lock is not LockState.LOCKED:
            item.keeper = None
        item.done = False
        self._connectors.save(item)
        self._availability.free(item)
        self._connectors.changed(item.number)

    # ------------------------------------------------------------------ buttons and free vend

    def _on_start_button(self, entry: Entry) -> None:
        event = entry.event
        if isinstance(event, StartPressed):
            for item in self._connectors.at(event.evse):
                self._vend(item)

    def _on_stop_button(self, entry: Entry) -> None:
        """Who waits for the plug may also change their mind by the button."""
        event = entry.event
        if isinstance(event, StopPressed):
            numbers = {item.number for item in self._connectors.at(event.evse)}
            for claim in list(self._connectors.claims):
                if set(claim.numbers) <= numbers:
                    self._give_up(claim)

    def _on_part_back(self, entry: Entry) -> None:
        self._vend_all()

    def _vend_all(self) -> None:
        for item in self._connectors:
            if self.ctx.settings.free_vend and not item.done:
                self._vend(item)

    def _vend(self, item: Connector) -> None:
        """Begin without a card: the token is the station's own."""
        token = self.ctx.settings.free_vend_token
        guest = Guest(token)
        if self.places.kept_from(item, guest) or not self._reservations.may_use(item.number, guest):
            return
        if self.serving() and self._transactions.can_begin(item):
            self._begin(item, self._authorization.vouch(token, "free", item.evse))
