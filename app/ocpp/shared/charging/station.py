"""The composite schedule of a whole station: what it expects to draw from the grid.

SC-18 for place 0: the composites of all outlets added up, capped by the station's own profiles. An idle
outlet counts as if a transaction under its default profile ran there (2.0.1 K08.FR.06).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from app.ocpp.shared.charging.composite import Composite, Piece, composite
from app.ocpp.shared.charging.model import STATION, Installed, Outlet, Purpose, Rate, Unit
from app.ocpp.shared.charging.options import (
    Coalesce,
    MixedPhases,
    NoProfile,
    Options,
    RatingRole,
    Rounding,
    StationComposite,
)
from app.ocpp.shared.charging.resolve import Value
from app.ocpp.shared.charging.units import convert, rounded

_CAPS = (Purpose.EXTERNAL, Purpose.MAX)


@dataclass(frozen=True, slots=True)
class Site:
    """A station as charging profiles see it: its outlets and its connection to the grid.

    `grid` stands for place 0: its id is 0, its rating (None: only the outlets limit it) and its voltage are
    those of the connection.
    """

    outlets: tuple[Outlet, ...]
    grid: Outlet

    def outlet(self, place: int) -> Outlet | None:
        """The outlet of that number; None for 0 and for one that does not exist."""
        for outlet in self.outlets:
            if outlet.id == place:
                return outlet
        return None

    @property
    def alike(self) -> bool:
        """All outlets give AC on the same number of phases, so that their A add up."""
        return len({outlet.phases for outlet in self.outlets}) <= 1 and not any(
            outlet.dc for outlet in self.outlets
        )


def make_site(
    outlets: Iterable[Outlet], *, voltage: float, phases: int = 3, rating: Rate | None = None
) -> Site:
    """A site on a connection of `voltage` V line to neutral and `phases` phases."""
    grid = Outlet(STATION, phases=phases, voltage=voltage, rating=rating)
    return Site(tuple(outlets), grid)


def natural_unit(site: Site, place: int, options: Options) -> Unit:
    """The unit to answer in where none is asked for."""
    outlet = site.outlet(place)
    if outlet is not None:
        unit = outlet.native_unit
    elif site.alike or options.mixed_phases is MixedPhases.WORST_PHASE:
        unit = Unit.A
    else:
        unit = Unit.W
    if unit not in options.units and options.units:
        unit = next(iter(options.units))
    return unit


def station_composite(
    installed: Iterable[Installed],
    site: Site,
    start: datetime,
    duration: int,
    unit: Unit,
    options: Options | None = None,
) -> Composite:
    """The composite schedule of the station for [start, start + duration seconds)."""
    options = options or Options()
    items = list(installed)
    caps = [item for item in items if item.place == STATION and item.profile.purpose in _CAPS]
    if not site.outlets or options.station_composite is StationComposite.STATION_ONLY:
        return composite(caps, site.grid, start, duration, unit, options)
    raw = replace(options, rounding=Rounding.RAW, coalesce=Coalesce.KEEP)
    cap = composite(
        caps, site.grid, start, duration, unit, replace(raw, no_profile=NoProfile.HARDWARE_MAX)
    )
    if raw.rating is RatingRole.FALLBACK:
        raw = replace(raw, rating=RatingRole.WITHOUT_OWN)
    adder = _Adder(site, unit, options)
    parts = [
        composite(items, outlet, start, duration, adder.unit_of(outlet), raw)
        for outlet in site.outlets
    ]
    pieces = _pieces([cap, *parts], adder, options)
    return Composite(cap.start, duration, unit, tuple(pieces))


@dataclass(frozen=True, slots=True)
class _Adder:
    """Adds up what the outlets may draw at one instant, in the asked unit."""

    site: Site
    unit: Unit
    options: Options

    @property
    def by_phase(self) -> bool:
        """A is asked, and the most loaded phase is to be found."""
        worst = self.options.mixed_phases is MixedPhases.WORST_PHASE
        return self.unit is Unit.A and (self.site.alike or worst)

    def unit_of(self, outlet: Outlet) -> Unit:
        """The unit to know the limit of an outlet in."""
        return Unit.A if self.by_phase and not outlet.dc else Unit.W

    def total(self, values: list[Value]) -> float | None:
        """The sum; None if an outlet has no limit."""
        limits = [value.limit for value in values]
        if any(limit is None for limit in limits):
            return None
        if not self.by_phase:
            watts = sum(limit for limit in limits if limit is not None)
            grid = self.site.grid
            return convert(watts, Unit.W, self.unit, grid.voltage, grid.phases)
        loads = [0.0, 0.0, 0.0]
        for outlet, value in zip(self.site.outlets, values, strict=True):
            self._load(outlet, value, loads)
        return max(loads)

    def _load(self, outlet: Outlet, value: Value, loads: list[float]) -> None:
        """Put the current of an outlet on the phases it may use; on all where it may be any of them."""
        amps = value.limit or 0.0
        if outlet.dc:
            amps = convert(amps, Unit.W, Unit.A, self.site.grid.voltage, outlet.phases)
        phase = value.phase_to_use or outlet.wired_phase
        only = phase if value.phases == 1 and not self.site.alike else None
        for number in (1, 2, 3):
            if only in (None, number):
                loads[number - 1] += amps

    def value(self, cap: Value, values: list[Value]) -> Value:
        """The sum under the cap."""
        limit, leading = self.total(values), None
        if cap.limit is not None and (limit is None or cap.limit <= limit):
            limit, leading = cap.limit, cap.leading
        grid = self.site.grid
        most = max(grid.phases if value.phases is None else value.phases for value in values)
        phases = min(most, grid.phases if cap.phases is None else cap.phases)
        if limit is not None:
            limit = rounded(limit, self.options.rounding)
        conflict = any(value.conflict for value in values)
        return Value(limit, phases, None, leading, conflict, (limit, phases, None))


def _pieces(schedules: list[Composite], adder: _Adder, options: Options) -> list[Piece]:
    """Lay the cap and the outlets' composites over each other."""
    changes = sorted(
        (
            (piece.start, number, piece.value)
            for number, schedule in enumerate(schedules)
            for piece in schedule.pieces
        ),
        key=lambda change: change[:2],
    )
    state: list[Value] = [schedule.pieces[0].value for schedule in schedules]
    pieces: list[Piece] = []
    join = options.coalesce is Coalesce.JOIN
    for place, (moment, number, value) in enumerate(changes):
        state[number] = value
        if place + 1 < len(changes) and changes[place + 1][0] == moment:
            continue
        found = adder.value(state[0], state[1:])
        if not join or not pieces or found.same != pieces[-1].value.same:
            pieces.append(Piece(moment, found))
    return pieces
