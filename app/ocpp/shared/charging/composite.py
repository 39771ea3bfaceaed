"""The limit that follows from all installed profiles: over a window, for one outlet.

SC-02, SC-03 and the algorithm of section 7: per purpose the highest stackLevel with a period for the
instant leads; a TxProfile replaces the TxDefaultProfile where it has a period; of what is left the lowest
limit counts, in the asked unit; numberPhases is the lowest of all that apply (2.0.1 errata 2.36).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple

from app.ocpp.shared.charging.model import (
    STATION,
    Installed,
    Outlet,
    Purpose,
    Rate,
    Unit,
    moment_of,
    second,
)
from app.ocpp.shared.charging.options import (
    Algorithm,
    Baseline,
    Coalesce,
    MixedUnits,
    NoProfile,
    Options,
    PeriodEdge,
    RatingRole,
    StackFallback,
    UnsupportedUnit,
)
from app.ocpp.shared.charging.timeline import Free, Segment, Term, Track, track
from app.ocpp.shared.charging.units import convert, rate_in, rounded, voltage

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


class Piece(NamedTuple):
    """From second `start` of the window on, `value` is in force."""

    start: int
    value: Value

    @property
    def limit(self) -> float | None:
        return self.value.limit

    @property
    def phases(self) -> int | None:
        return self.value.phases

    @property
    def phase_to_use(self) -> int | None:
        return self.value.phase_to_use

    @property
    def leading(self) -> Installed | None:
        return self.value.leading

    @property
    def conflict(self) -> bool:
        return self.value.conflict


@dataclass(frozen=True, slots=True)
class Composite:
    """A composite schedule: `duration` seconds from `start` on. The first piece starts at 0."""

    start: datetime
    duration: int
    unit: Unit
    pieces: tuple[Piece, ...]

    def at(self, offset: float) -> Piece:
        """The piece in force `offset` seconds after the start."""
        found = self.pieces[0]
        for piece in self.pieces:
            if piece.start > offset:
                break
            found = piece
        return found


Stacks = dict[Purpose, list[Installed]]
Lay = Callable[[Installed], Track | None]
State = tuple[Term | None, ...]
Windows = list[tuple[int, int]]
Demand = tuple[int, State]
"""From this second on these terms lead their purposes."""

_ORDER = itemgetter(0)


def composite(
    installed: Iterable[Installed],
    outlet: Outlet,
    start: datetime,
    duration: int,
    unit: Unit,
    options: Options | None = None,
    index: int = 0,
) -> Composite:
    """The composite schedule of an outlet for [start, start + duration seconds).

    `start` is cut to the second. `index` picks among the schedules of an ISO 15118 session.
    """
    options = options or Options()
    begin = second(start)
    window = max(duration, 1)
    if options.period_edge is PeriodEdge.INCLUSIVE:
        window = max(duration + 1, 1)
    found = stacks(installed, outlet, options, index)
    demands = demanded(
        found, begin, window, options, lambda item: track(item, outlet, begin, index)
    )
    pieces = _pieces(demands, begin, Resolver(outlet, unit, options))
    return Composite(moment_of(begin), duration, unit, pieces)


def applies(item: Installed, outlet: Outlet) -> bool:
    """Whether a profile is meant for this outlet and for the transaction that runs there, if any."""
    if item.place not in (STATION, outlet.id):
        return False
    profile = item.profile
    if profile.purpose is not Purpose.TX:
        return True
    running = outlet.transaction
    if item.place != outlet.id or running is None:
        return False
    return profile.transaction_id is None or profile.transaction_id == running.id


def counts(item: Installed, outlet: Outlet, options: Options, index: int = 0) -> bool:
    """False for a profile in a unit that the station passes over (a field bug to test with)."""
    schedules = item.profile.schedules
    unit = schedules[index if index < len(schedules) else 0].unit
    if options.unsupported_unit is UnsupportedUnit.ACCEPT_IGNORE and unit not in options.units:
        return False
    return options.mixed_units is not MixedUnits.IGNORE_FOREIGN or unit is outlet.native_unit


def own_default_levels(installed: Iterable[Installed], outlet: Outlet) -> frozenset[int]:
    """Levels on which the outlet's own default replaces that of all outlets (SC-05)."""
    return frozenset(
        item.profile.stack_level
        for item in installed
        if item.place == outlet.id and item.profile.purpose is Purpose.TX_DEFAULT
    )


def masked(item: Installed, own_levels: frozenset[int]) -> bool:
    """A default of all outlets that the outlet's own default on that level replaces (SC-05)."""
    profile = item.profile
    return (
        item.place == STATION
        and profile.purpose is Purpose.TX_DEFAULT
        and profile.stack_level in own_levels
    )


def rank(item: Installed) -> tuple[int, bool, float, int]:
    """Sorts a stack: highest level first; the outlet's own before the station's; newest first."""
    profile = item.profile
    return (
        -profile.stack_level,
        item.place == STATION,
        -item.received.timestamp(),
        profile.id,
    )


def stacks(
    installed: Iterable[Installed], outlet: Outlet, options: Options, index: int = 0
) -> Stacks:
    """The profiles of each purpose for an outlet, the one to ask first in front."""
    items = [item for item in installed if applies(item, outlet)]
    own_levels = own_default_levels(items, outlet)
    found: Stacks = {}
    for item in sorted(items, key=rank):
        if masked(item, own_levels) or not counts(item, outlet, options, index):
            continue
        found.setdefault(item.profile.purpose, []).append(item)
    return found


def demanded(
    found: Stacks, begin: int, window: int, options: Options, lay: Lay
) -> Iterator[Demand]:
    """Which terms lead, whenever that changes. The first is of `begin`."""
    end = begin + window
    whole = [(begin, end)]
    layers = [
        _lead(found[purpose], whole, options, lay)
        for purpose in (Purpose.EXTERNAL, Purpose.MAX)
        if purpose in found
    ]
    transaction = _lead(found.get(Purpose.TX, ()), whole, options, lay)
    if options.algorithm is Algorithm.MIN_OF_ALL:
        layers += [transaction, _lead(found.get(Purpose.TX_DEFAULT, ()), whole, options, lay)]
    else:
        rest = _gaps(transaction, begin, end)
        default = _lead(found.get(Purpose.TX_DEFAULT, ()), rest, options, lay)
        layers.append(sorted([*transaction, *default], key=_ORDER))
    return _merged(layers, begin, end)


def _lead(
    items: Sequence[Installed], windows: Windows, options: Options, lay: Lay
) -> list[Segment]:
    """What one stack demands within the windows, in order; seconds without a demand are left out."""
    out: list[Segment] = []
    free = Free(windows)
    for item in items:
        if not free:
            break
        laid = lay(item)
        if laid is not None:
            _claim(laid, windows[0][0], windows[-1][1], free, options, out)
    out.sort(key=_ORDER)
    return out


def _claim(
    item: Track, begin: int, end: int, free: Free, options: Options, out: list[Segment]
) -> None:
    """Let a track take its part of what higher levels left.

    By the book that is where it has a period. With `gap` it keeps all of its validity to itself, and
    with `highest-stack-only` everything, so that nothing below it ever counts.
    """
    if options.algorithm is Algorithm.HIGHEST_ONLY:
        taken = free.take(begin, end)
    elif options.stack_fallback is StackFallback.GAP:
        taken = free.take(max(begin, item.valid_from), min(end, item.valid_to))
    else:
        for on, off in item.blocks(begin, end):
            for low, high in free.take(on, off):
                item.lay(low, high, out)
        return
    for low, high in taken:
        for on, off in item.blocks(low, high):
            item.lay(on, off, out)


def _gaps(segments: list[Segment], begin: int, end: int) -> Windows:
    gaps = []
    reached = begin
    for on, off, _ in segments:
        if on > reached:
            gaps.append((reached, on))
        reached = off
    if reached < end:
        gaps.append((reached, end))
    return gaps


def _merged(layers: list[list[Segment]], begin: int, end: int) -> Iterator[Demand]:
    """Lay the stacks over each other."""
    layers = [layer for layer in layers if layer]
    changes: list[tuple[int, int, Term | None]] = []
    for number, segments in enumerate(layers):
        reached = begin
        for on, off, term in segments:
            if on > reached:
                changes.append((reached, number, None))
            changes.append((on, number, term))
            reached = off
        if reached < end:
            changes.append((reached, number, None))
    if len(layers) == 1:
        return ((moment, (term,) if term else ()) for moment, _, term in changes)
    changes.sort(key=_ORDER)
    return _states(changes, len(layers), begin)


def _states(
    changes: list[tuple[int, int, Term | None]], layers: int, begin: int
) -> Iterator[Demand]:
    state: list[Term | None] = [None] * layers
    reached = begin
    for moment, number, term in changes:
        if moment > reached:
            yield reached, tuple(state)
            reached = moment
        state[number] = term
    yield reached, tuple(state)


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
        if self._outlet.dc:
            used = 1
        return convert(term.limit, term.unit, self._unit, self._volts, used)

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


def _pieces(demands: Iterator[Demand], begin: int, resolver: Resolver) -> tuple[Piece, ...]:
    """Pieces by the second of the window; equal neighbours are joined, unless they shall be kept."""
    join = resolver.joins
    known = resolver.known
    last: object = None
    pieces: list[tuple[int, Value]] = []
    for moment, state in demands:
        value = known.get(state) or resolver.resolve(state)
        if value.same is not last or not join:
            last = value.same
            pieces.append((moment - begin, value))
    return tuple(map(Piece._make, pieces))
