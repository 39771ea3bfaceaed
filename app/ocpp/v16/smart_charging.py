"""Charging profiles over the wire: set, cleared, reported, and bound to transactions (1.6 part 3.13, 5.5,
5.7, 5.16).

`Accepted` says that a profile is stored (SC-32); what follows from all of them is ordered in offers.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from app.kernel.bus import Entry
from app.ocpp.context import Context, Handler, HandlerError, Payload, Reply
from app.ocpp.events import ChargingProfileRefused, ClockSet, OpenPointAnswered, SettingChanged
from app.ocpp.features import SMART_CHARGING
from app.ocpp.personality import Block
from app.ocpp.shared.charging.answers import Question, answer_16
from app.ocpp.shared.charging.book import Change
from app.ocpp.shared.charging.ladder import Ladder, limit_at
from app.ocpp.shared.charging.model import ChargingProfile, Installed, Unit
from app.ocpp.shared.charging.options import POINTS_16, Options, decide
from app.ocpp.shared.charging.parse import MalformedProfile, parse_16, purpose_16
from app.ocpp.shared.charging.refusal import Refusal
from app.ocpp.shared.charging.rules import Offer
from app.ocpp.shared.charging.rules16 import check_16
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.connectors import Connector, Connectors
from app.ocpp.v16.offers import Offers
from app.ocpp.v16.profiles import Profiles
from app.ocpp.v16.rows import Transaction
from app.ocpp.v16.timers import Timers
from app.ocpp.v16.turned_down import REJECTED, turned_down
from app.ocpp.version import Version
from app.station.events import FlowChanged

ACCEPTED = "Accepted"

_EFFECTIVE = frozenset(
    {
        "SiteDefaultCurrent",
        "ConnectorPriority",
        "ConnectorSwitch3to1PhaseSupported",
        "ChargingScheduleAllowedChargingRateUnit",
    }
)
"""Keys whose change may change an offer."""


class SmartCharging(Block):
    """The profiles of this station and what is asked about them."""

    def __init__(
        self,
        ctx: Context,
        config: Configuration,
        connectors: Connectors,
        timers: Timers,
    ) -> None:
        super().__init__(ctx)
        self._config = config
        self._connectors = connectors
        self._touched = False
        """A transaction brought or took profiles: not told yet."""
        self.profiles = Profiles(ctx, config, connectors)
        self._offers = Offers(
            ctx, connectors, self.profiles, timers, self._for_offers, self._priorities
        )

    @property
    def enabled(self) -> bool:
        return SMART_CHARGING in self._config.profiles

    # ------------------------------------------------------------------ block

    def handlers(self) -> Mapping[str, Handler]:
        if not self.enabled:
            return {}
        return {
            "SetChargingProfile": self._set,
            "ClearChargingProfile": self._clear,
            "GetCompositeSchedule": self._composite,
        }

    def restore(self) -> None:
        self.profiles.restore()

    def start(self) -> None:
        if not self.enabled:
            return
        # no transaction outlives a power cycle, and no profile its transaction
        self.profiles.write(self.profiles.book.orphans(()).book)
        self.on(lambda _: self._offers.refresh(), ClockSet)
        self.on(self._on_flow, FlowChanged)
        self.on(self._on_setting, SettingChanged)
        self.on(self._on_answer, OpenPointAnswered)

    def link_up(self, *, first: bool) -> None:
        self._refresh()

    def link_down(self) -> None:
        self._refresh()

    def _on_flow(self, entry: Entry) -> None:
        self._offers.flow_changed()

    def _on_setting(self, entry: Entry) -> None:
        if isinstance(entry.event, SettingChanged) and entry.event.name in _EFFECTIVE:
            self._refresh()

    def _on_answer(self, entry: Entry) -> None:
        """The default acted while a person thought (`_for_offers`): the next time is now."""
        event = entry.event
        if isinstance(event, OpenPointAnswered) and event.point in POINTS_16.values():
            self._refresh()

    def _refresh(self) -> None:
        if self.enabled:
            self._offers.refresh()

    def _changed(self) -> None:
        self.profiles.announce()
        self._offers.refresh()

    # ------------------------------------------------------------------ views

    def installed(self) -> list[Installed]:
        """All profiles, in the order they came."""
        return list(self.profiles.book)

    def ladder(self, number: int, unit: Unit, at: datetime | None = None) -> Ladder | None:
        """Which profile wins at a connector, and why the others do not; None for connector 0."""
        outlet = self.profiles.site().outlet(number)
        if outlet is None:
            return None
        moment = at or self.ctx.clock.now()
        return limit_at(self.profiles.book, outlet, moment, unit, self.profiles.options())

    # ------------------------------------------------------------------ transactions

    async def check_start(self, payload: Payload, number: int) -> bool:
        """May this profile come with a remote start at that connector (16-TX-05)?"""
        if not self.enabled:
            return True  # part 5.11: ignored
        try:
            offer = await self._offer(payload, number, starting=True)
        except MalformedProfile:
            return False
        refusal = check_16(offer)
        if refusal is not None:
            self._tell_refusal(offer.new, refusal)
        return refusal is None

    def adopt(self, item: Connector, payload: Payload | None) -> None:
        """Install the profile that came with the remote start. Inside the step of the new transaction."""
        if payload is None or not self.enabled:
            return
        new = self._installed(item.number, parse_16(payload))
        self._touched |= self.profiles.write(self.profiles.book.install_16(new).book)

    def opened(self) -> None:
        """A transaction is about to get its permission."""
        self._settle()

    def learnt(self, transaction: Transaction) -> None:
        """The back office told the id of a transaction: its profiles get it, too."""
        known = transaction.transaction_id
        if known is not None and not transaction.ended:
            self.profiles.write(self.profiles.book.bind(transaction.number, known))

    def drop(self, transaction: Transaction) -> None:
        """A transaction ends: so do its profiles (SC-06). Inside the step of the end."""
        known = transaction.transaction_id
        book = self.profiles.book.ended(transaction.number, known).book
        self._touched |= self.profiles.write(book)

    def closed(self) -> None:
        """The transaction is over."""
        self._settle()

    def _settle(self) -> None:
        if self._touched:
            self._touched = False
            self.profiles.announce()
        self._refresh()

    # ------------------------------------------------------------------ messages

    async def _set(self, request: Payload) -> Reply:
        try:
            offer = await self._offer(request["csChargingProfiles"], int(request["connectorId"]))
        except MalformedProfile as error:
            raise HandlerError("PropertyConstraintViolation", str(error)) from error
        refusal = check_16(offer)
        if refusal is None:
            self.profiles.write(self.profiles.book.install_16(offer.new).book)
            return Reply({"status": ACCEPTED}, then=self._changed)
        self._tell_refusal(offer.new, refusal)
        if refusal.call_error is not None:
            raise HandlerError(refusal.call_error, refusal.rule)
        return Reply({"status": REJECTED}, why=refusal.text)

    def _clear(self, request: Payload) -> Reply:
        purpose = request.get("chargingProfilePurpose")
        change: Change = self.profiles.book.clear(
            profile_id=request.get("id"),
            place=request.get("connectorId"),
            purpose=None if purpose is None else purpose_16(purpose),
            level=request.get("stackLevel"),
        )
        if not change.cleared:
            return turned_down("Unknown", "no_profile")
        self.profiles.write(change.book)
        return Reply({"status": ACCEPTED}, then=self._changed)

    async def _composite(self, request: Payload) -> Reply:
        asked = request.get("chargingRateUnit")
        points = ["variance", "period_edge", "no_profile"]
        options = await self._decided(self.profiles.options(), *points)
        question = Question(
            place=int(request["connectorId"]),
            duration=int(request["duration"]),
            at=self.ctx.clock.now(),
            unit=None if asked is None else Unit(asked),
        )
        answer = answer_16(question, self.profiles.book, self.profiles.site(), options)
        why = None if answer.refusal is None else answer.refusal.text
        return Reply(answer.payload, why=why)

    # ------------------------------------------------------------------ offers of the back office

    async def _offer(self, payload: Payload, number: int, *, starting: bool = False) -> Offer:
        """The profile and what it would meet. Raises MalformedProfile."""
        new = self._installed(number, parse_16(payload))
        options = self.profiles.options()
        if new.profile.schedule.unit not in options.units:
            options = await self._decided(options, "unsupported_unit")
        return Offer(
            new=new,
            book=self.profiles.book,
            site=self.profiles.site(),
            limits=self.profiles.limits(),
            options=options,
            starting=starting,
        )

    def _installed(self, number: int, profile: ChargingProfile) -> Installed:
        return Installed(number, profile, received=self.ctx.clock.now())

    def _tell_refusal(self, new: Installed, refusal: Refusal) -> None:
        self.ctx.bus.publish(
            ChargingProfileRefused(new.place, new.profile.id, refusal.rule, refusal.text)
        )

    # ------------------------------------------------------------------ open points

    async def _decided(self, base: Options, *names: str) -> Options:
        """`base` with what is chosen for these open points and for those that the book raises."""
        if self.profiles.foreign_unit(base) and "unsupported_unit" not in names:
            names = (*names, "unsupported_unit")
        points = [POINTS_16[name] for name in names]
        return decide(Version.V16, await self.ctx.points.ask_all(*points), base)

    def _for_offers(self, bare: bool, shared: bool) -> Options:
        """The options that offers are worked out with. `bare`: some transaction has no profile at all;
        `shared`: several share the maximum of the station.

        Not waited for: a car would go on drawing what it may not draw any more. A person's answer changes
        the offers when it comes.
        """
        base = self.profiles.options()
        names = {
            "no_profile": bare,
            "sharing": shared,
            "unsupported_unit": self.profiles.foreign_unit(base),
        }
        points = [POINTS_16[name] for name, matters in names.items() if matters]
        return decide(Version.V16, {point: self.ctx.points.choose(point) for point in points}, base)

    def _priorities(self) -> dict[int, int]:
        """What people set for `priority` of the sharing: a number for each connector, in order."""
        found: dict[int, int] = {}
        for number, word in enumerate(self._config.text("ConnectorPriority").split(","), 1):
            if word.strip().lstrip("-").isdigit():
                found[number] = int(word)
        return found
