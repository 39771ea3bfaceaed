"""What each EVSE offers its car because of charging profiles, from one edge of a schedule to the next."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from app.kernel.clock import Timer
from app.kernel.text import Text
from app.kernel.units import MIN_AC_CURRENT
from app.ocpp.context import Context
from app.ocpp.shared.charging.allocation import Demand, allocate
from app.ocpp.shared.charging.composite import Composite, composite
from app.ocpp.shared.charging.model import (
    STATION,
    Installed,
    Outlet,
    Purpose,
    Unit,
    moment_of,
    second,
)
from app.ocpp.shared.charging.options import Coalesce, NoProfile, Options
from app.ocpp.shared.charging.parse import purpose_name_16
from app.ocpp.shared.charging.resolve import Value
from app.ocpp.shared.charging.station import Site, natural_unit
from app.ocpp.v16.connectors import Connector, Connectors
from app.ocpp.v16.profiles import Profiles
from app.ocpp.v16.timers import Timers
from app.station.commands import OfferLimit
from app.station.kinds import Flow

HORIZON = 86_400
"""Seconds ahead that the next edge is looked for; then it is looked again."""

_RESTING = frozenset({Flow.SUSPENDED_EV, Flow.IDLE})
"""The car takes nothing, whatever it is offered: it needs no share."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one connector's profiles, apart from the station's maximum, say now."""

    item: Connector
    outlet: Outlet
    value: Value


class Offers:
    """Keeps the offers of all EVSEs at what the profiles allow."""

    def __init__(
        self,
        ctx: Context,
        connectors: Connectors,
        profiles: Profiles,
        timers: Timers,
        options: Callable[[bool, bool], Options],
        priorities: Callable[[], dict[int, int]],
    ) -> None:
        self._ctx = ctx
        self._connectors = connectors
        self._profiles = profiles
        self._deadlines = timers
        self._choose = options
        self._priorities = priorities
        self._options = Options()
        self._timer: Timer | None = None
        self._offered: dict[int, OfferLimit] = {}

    def refresh(self, *, anew: bool = True) -> None:
        """Work out and order what is offered now. `anew`: read the open points again, too."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        running = self._connectors.running()
        if not running:
            self._order({})
            return
        site = self._profiles.site()
        if anew:
            self._options = self._chosen(running, site)
        now = self._ctx.clock.now()
        plans, composites = [], []
        for item in running:
            outlet = site.outlet(item.number)
            if outlet is not None:
                found = self._composite(self._own(), outlet, outlet.native_unit)
                plans.append(Plan(item, outlet, found.pieces[0].value))
                composites.append(found)
        wanted = {plan.item.evse: self._offer(plan) for plan in plans}
        cap = self._cap(site)
        if cap is not None:
            composites.append(cap)
            self._share(cap, plans, site, wanted)
        self._order(wanted)
        edges = [piece.start for each in composites for piece in each.pieces[1:2]]
        due = moment_of(second(now) + min([*edges, HORIZON]))
        self._timer = self._deadlines.call_at(due, self.refresh)

    def flow_changed(self) -> None:
        """A car began or ceased to draw: what is shared is shared out again."""
        if self._caps() and self._connectors.running():
            self.refresh(anew=False)

    # ------------------------------------------------------------------ one connector

    def _own(self) -> list[Installed]:
        return [item for item in self._profiles.book if item.profile.purpose is not Purpose.MAX]

    def _caps(self) -> list[Installed]:
        return [item for item in self._profiles.book if item.profile.purpose is Purpose.MAX]

    def _composite(self, items: list[Installed], outlet: Outlet, unit: Unit) -> Composite:
        options = replace(self._options, coalesce=Coalesce.KEEP)
        return composite(items, outlet, self._ctx.clock.now(), HORIZON, unit, options)

    def _chosen(self, running: list[Connector], site: Site) -> Options:
        """The options that matter now (SC-19, SC-30: the choice without a profile is one of online)."""
        self._options = self._profiles.options()
        bare = False
        for item in running:
            outlet = site.outlet(item.number)
            if outlet is not None:
                value = self._composite(list(self._profiles.book), outlet, outlet.native_unit)
                bare = bare or value.pieces[0].leading is None
        shared = bool(self._caps()) and len(running) > 1
        return self._choose(bare and self._ctx.calls.online, shared)

    def _offer(self, plan: Plan) -> OfferLimit:
        """The offer by the connector's own profiles, or by the lack of any."""
        value, evse = plan.value, plan.item.evse
        if value.leading is not None:
            return self._limited(plan, value, _source(value.leading))
        if self._options.no_profile is NoProfile.HARDWARE_MAX:
            return OfferLimit(evse)
        blocked = self._options.no_profile is NoProfile.BLOCK
        return self._limited(plan, value, Text("v16.limit.deny" if blocked else "v16.limit.site"))

    def _limited(self, plan: Plan, value: Value, source: Text) -> OfferLimit:
        limit, leading = value.limit, value.leading
        if plan.outlet.dc:
            if limit is not None and leading is not None and _unit(leading) is Unit.A:
                # those of the cable, though the battery's voltage rises
                amps = round(limit / plan.outlet.voltage, 1)
                return OfferLimit(plan.item.evse, amps=amps, source=source)
            return OfferLimit(plan.item.evse, watts=limit, source=source)
        phases = self._phases(plan, value)
        return OfferLimit(plan.item.evse, amps=limit, phases=phases, source=source)

    def _phases(self, plan: Plan, value: Value) -> int | None:
        """How many phases may be used, where the station can see to that."""
        outlet = plan.outlet
        if value.phases is None or not outlet.limits_phases or value.phases >= outlet.phases:
            return None
        return value.phases

    # ------------------------------------------------------------------ the maximum of the station

    def _cap(self, site: Site) -> Composite | None:
        caps = self._caps()
        if not caps:
            return None
        return self._composite(caps, replace(site.grid, rating=None), natural_unit_of(site))

    def _share(
        self, cap: Composite, plans: list[Plan], site: Site, wanted: dict[int, OfferLimit]
    ) -> None:
        """Put each connector under its part of the maximum (SC-21)."""
        value = cap.pieces[0].value
        if value.limit is None or value.leading is None:
            return
        plans = sorted(plans, key=lambda plan: _began(plan.item))
        busy = [plan for plan in plans if self._takes(plan)]
        own = {plan.item.number: self._own_limit(plan, cap.unit) for plan in plans}
        demands = [self._demand(plan, cap.unit, own[plan.item.number]) for plan in busy]
        shares = allocate(value.limit, demands, self._options.sharing)
        source = _source(value.leading)
        if len(busy) > 1:
            source = Text("v16.limit.shared", {**source.params, "count": len(busy)})
        for plan in plans:
            number = plan.item.number
            share = shares.get(number, value.limit)
            offer = wanted[plan.item.evse]
            most = self._most(plan)
            if (
                plan.value.leading is None
                or share < own[number]
                or most < (plan.value.limit or 0.0)
            ):
                offer = self._part(plan, cap.unit, share, most)
                offer = replace(offer, source=source)
            phases = min(plan.value.phases or 3, value.phases or 3)
            reduced = replace(plan.value, phases=phases)
            limit = None if plan.outlet.dc else self._phases(plan, reduced)
            wanted[plan.item.evse] = replace(offer, phases=limit)

    def _most(self, plan: Plan) -> float:
        """What the connector may draw though it were alone under the maximum, in its own unit."""
        outlet = plan.outlet
        found = self._composite(list(self._profiles.book), outlet, outlet.native_unit).pieces[0]
        return math.inf if found.limit is None else found.limit

    def _part(self, plan: Plan, unit: Unit, share: float, most: float) -> OfferLimit:
        """A share in `unit`. A per phase of the maximum hold also where the shares are counted in W: an
        outlet on one phase does not get the W of three."""
        evse = plan.item.evse
        if plan.outlet.dc:
            return OfferLimit(evse, watts=min(share, most))
        if unit is Unit.A:
            return OfferLimit(evse, amps=min(share, most))
        return OfferLimit(evse, watts=share, amps=most)

    def _takes(self, plan: Plan) -> bool:
        flow = self._connectors.hardware(plan.item)[0].flow
        return not plan.item.ev_unplugged and not plan.item.suspended and flow not in _RESTING

    def _own_limit(self, plan: Plan, unit: Unit) -> float:
        """What the connector may draw apart from the maximum, in the unit of that."""
        found = self._composite(self._own(), plan.outlet, unit).pieces[0]
        rating = self._composite([], plan.outlet, unit).pieces[0].limit or 0.0
        return rating if found.limit is None else min(found.limit, rating)

    def _demand(self, plan: Plan, unit: Unit, limit: float) -> Demand:
        outlet, leading = plan.outlet, plan.value.leading
        minimum = 0.0
        if not outlet.dc:
            minimum = MIN_AC_CURRENT
            if unit is Unit.W:
                minimum *= outlet.voltage * outlet.phases
        if leading is not None and _unit(leading) is unit:
            minimum = leading.profile.schedule.min_rate or minimum
        priority = self._priorities().get(plan.item.number, 0)
        return Demand(plan.item.number, limit, minimum, priority)

    # ------------------------------------------------------------------ orders

    def _order(self, wanted: dict[int, OfferLimit]) -> None:
        for evse in self._offered.keys() - wanted.keys():
            wanted[evse] = OfferLimit(evse)
        for evse, offer in sorted(wanted.items()):
            if self._offered.get(evse, OfferLimit(evse)) != offer:
                self._offered[evse] = offer
                self._ctx.station.handle(offer)


def natural_unit_of(site: Site) -> Unit:
    """The unit that the outlets' shares are counted in."""
    return natural_unit(site, STATION, Options())


def _unit(item: Installed) -> Unit:
    return item.profile.schedule.unit


def _source(item: Installed) -> Text:
    profile = item.profile
    params = {
        "purpose": purpose_name_16(profile.purpose),
        "id": profile.id,
        "level": profile.stack_level,
    }
    return Text("v16.limit.profile", params)


def _began(item: Connector) -> str:
    return item.transaction.started if item.transaction is not None else ""
