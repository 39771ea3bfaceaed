"""What the terms that lead at one instant come to: one limit in the asked unit, and one number of phases."""

from __future__ import annotations

from dataclasses import dataclass

from app.ocpp.shared.charging.model import STATION, Installed, Outlet, Purpose, Rate, Unit
from app.ocpp.shared.charging.options import Baseline, Coalesce, NoProfile, Options, RatingRole
from app.ocpp.shared.charging.timeline import Term
from app.ocpp.shared.charging.units import convert, rate_in, rounded, voltage

State = tuple[Term | None, ...]
"""The term that leads each purpose, if one does."""

Reading = tuple[float | None, int | None, int | None]
"""Limit, phases, phase to use."""


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """What is in force: the limit in the asked unit, None if there is none; A per phase, or W.

    `leading` is the profile whose limit it is, None where no profile applies. `conflict`: profiles that
    apply together want different phases. `same` is one object for all values that read alike on the wire.
    """

    limit: float | None
    phases: int | None
    phase_to_use: int | None
    leading: Installed | None
    conflict: bool
    same: Reading


def _of_station(item: Installed) -> bool:
    """It limits what the whole station draws, rather than what an outlet gives."""
    whole = item.profile.purpose in (Purpose.MAX, Purpose.EXTERNAL)
    return whole and item.place == STATION


class Resolver:
    """Makes a limit in the asked unit of the terms that lead at one instant."""

    def __init__(self, outlet: Outlet, unit: Unit, options: Options) -> None:
        self._outlet = outlet
        self._unit = unit
        self._options = options
        self.joins = options.coalesce is Coalesce.JOIN
        self._volts = voltage(outlet, options)
        self.known: dict[State, Value] = {}
        self._alike: dict[Reading, Reading] = {}
        rating = outlet.rating
        self._rating = None if rating is None else rate_in(rating, unit, outlet, options)
        self._errata = options.baseline is Baseline.ERRATA

    def resolve(self, state: State) -> Value:
        """What these terms come to."""
        value = self.known.get(state)
        if value is None:
            terms = [term for term in state if term is not None]
            value = self.known[state] = self._lowest(terms) if terms else self._unlimited()
        return value

    def limit_of(self, term: Term, phases: int) -> float:
        """The limit of a term in the asked unit, if `phases` phases are used.

        From W the period's own numberPhases counts (2.0.1 K01.FR.50); an A limit holds for each phase that
        is used, however many the period names (1.6 errata 3.34).
        """
        if term.unit is self._unit:
            return term.limit
        used = term.phases if term.unit is Unit.W else phases
        volts, outlet = self._volts, self._outlet
        if outlet.dc:
            # A of the station flow in from the grid, A of the outlet flow out to the car
            grid = outlet.grid_voltage if _of_station(term.installed) else None
            used, volts = (1, volts) if grid is None else (min(outlet.phases, term.phases), grid)
        return convert(term.limit, term.unit, self._unit, volts, used)

    def _lowest(self, terms: list[Term]) -> Value:
        """The lowest limit, and the lowest number of phases whoever demands it."""
        built = self._outlet.phases
        fewest = built
        for term in terms:
            fewest = min(fewest, term.phases)
        limit, leading, phases = None, terms[0], fewest
        for term in terms:
            used = fewest if self._errata else min(built, term.phases)
            value = self.limit_of(term, used)
            if limit is None or value < limit:
                limit, leading, phases = value, term, used
        if limit is not None and self._rating is not None and self._rated(terms):
            limit = min(limit, self._rating)
        wanted = [term.phase_to_use for term in terms if term.phase_to_use is not None]
        conflict = bool(wanted) and len(set(wanted)) > 1
        return self._value(
            limit, phases, wanted[0] if wanted else None, leading.installed, conflict
        )

    def _rated(self, terms: list[Term]) -> bool:
        """Whether the rating caps what these terms demand."""
        role = self._options.rating
        if role is RatingRole.WITHOUT_OWN:
            return all(
                term.installed.place == STATION
                and term.installed.profile.purpose is not Purpose.TX_DEFAULT
                for term in terms
            )
        return role is RatingRole.CAP

    def _value(
        self,
        limit: float | None,
        phases: int,
        phase_to_use: int | None,
        leading: Installed | None,
        conflict: bool,
    ) -> Value:
        if limit is not None:
            limit = rounded(limit, self._options.rounding)
        if phases != 1 or self._outlet.dc:
            phase_to_use = None
        same = (limit, None if self._outlet.dc else phases, phase_to_use)
        same = self._alike.setdefault(same, same)
        return Value(limit, same[1], phase_to_use, leading, conflict, same)

    def _unlimited(self) -> Value:
        """Where no profile applies (SC-19)."""
        limit = self._rating
        if self._options.no_profile is NoProfile.BLOCK:
            limit = 0.0
        elif self._options.no_profile is NoProfile.SITE_DEFAULT:
            limit = self._site_default(self._options.site_default)
        return self._value(limit, self._outlet.phases, None, None, False)

    def _site_default(self, cap: Rate | None) -> float | None:
        if cap is None:
            return self._rating
        limit = rate_in(cap, self._unit, self._outlet, self._options)
        return limit if self._rating is None else min(limit, self._rating)
