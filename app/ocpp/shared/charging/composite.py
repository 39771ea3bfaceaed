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
    Unit,
    moment_of,
    second,
)
from app.ocpp.shared.charging.options import (
    Algorithm,
    MixedUnits,
    Options,
    PeriodEdge,
    StackFallback,
    UnsupportedUnit,
)
from app.ocpp.shared.charging.resolve import Resolver, State, Value
from app.ocpp.shared.charging.timeline import Free, Segment, Term, Track, track


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
    if len(layers) == 1:
        return _alone(layers[0], begin, end)
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
    changes.sort(key=_ORDER)
    return _states(changes, len(layers), begin)


def _alone(segments: list[Segment], begin: int, end: int) -> Iterator[Demand]:
    reached = begin
    for on, off, term in segments:
        if on > reached:
            yield reached, ()
        yield on, (term,)
        reached = off
    if reached < end:
        yield reached, ()


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
