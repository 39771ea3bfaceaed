"""Which profile wins at an instant, and why each of the others does not: the inspector's ladder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.kernel.text import Text
from app.ocpp.shared.charging.composite import (
    Lay,
    applies,
    composite,
    counts,
    demanded,
    masked,
    own_default_levels,
    rank,
    stacks,
)
from app.ocpp.shared.charging.model import (
    STATION,
    Installed,
    Outlet,
    Purpose,
    Unit,
    moment_of,
    second,
)
from app.ocpp.shared.charging.options import Options
from app.ocpp.shared.charging.resolve import Resolver, Value
from app.ocpp.shared.charging.timeline import Segment, Term, Track, track

_PURPOSES = list(Purpose)


class Standing(StrEnum):
    """How a profile takes part at an instant."""

    WINS = "wins"
    """Its limit is in force."""
    HIGHER = "higher"
    """It leads its purpose, but another purpose demands less."""
    REPLACED = "replaced"
    """A default that the profile of the transaction replaces."""
    OVERRULED = "overruled"
    """A higher level of its purpose leads."""
    MASKED = "masked"
    """A default of all outlets; this one has its own on that level."""
    WAITING = "waiting"
    """Its validity or its schedule begins later."""
    OVER = "over"
    """Its validity has ended."""
    SILENT = "silent"
    """It has no period for this instant."""
    OTHER_TRANSACTION = "other_transaction"
    """It belongs to a transaction that does not run here."""
    PASSED_OVER = "passed_over"
    """The station does not regard its unit."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One installed profile. `limit` in the asked unit if it has a period for the instant."""

    installed: Installed
    standing: Standing
    limit: float | None = None

    @property
    def text(self) -> Text:
        """Why it stands there."""
        profile = self.installed.profile
        return Text(
            f"smart.rung.{self.standing.value}",
            {"id": profile.id, "level": profile.stack_level, "purpose": profile.purpose.value},
        )


@dataclass(frozen=True, slots=True)
class Ladder:
    """What is in force at `at`, until when, and all profiles of the outlet: strongest purpose first."""

    at: datetime
    unit: Unit
    value: Value
    until: datetime | None
    rungs: tuple[Rung, ...]

    @property
    def limit(self) -> float | None:
        """A per phase, or W; None for no limit."""
        return self.value.limit

    @property
    def leading(self) -> Installed | None:
        """The profile that wins; None where none applies."""
        return self.value.leading


def limit_at(
    installed: Iterable[Installed],
    outlet: Outlet,
    at: datetime,
    unit: Unit,
    options: Options | None = None,
    *,
    horizon: int = 7 * 86_400,
) -> Ladder:
    """The limit in force at an instant, and who makes it.

    `until`: when it changes next, if that is within `horizon` seconds; give 0 to leave that out.
    """
    options = options or Options()
    here = [item for item in installed if item.place in (STATION, outlet.id)]
    begin = second(at)

    def lay(item: Installed) -> Track | None:
        return track(item, outlet, begin)

    resolver = Resolver(outlet, unit, options)
    _, state = next(demanded(stacks(here, outlet, options), begin, 1, options, lay))
    value = resolver.resolve(state)
    leaders = [term.installed for term in state if term is not None]
    judge = _Judge(outlet, options, begin, lay, value, leaders, own_default_levels(here, outlet))
    here.sort(key=lambda item: (_PURPOSES.index(item.profile.purpose), rank(item)))
    rungs = tuple(judge.rung(item, resolver) for item in here)
    until = _until(here, outlet, begin, unit, options, horizon)
    return Ladder(moment_of(begin), unit, value, until, rungs)


def _until(
    installed: list[Installed],
    outlet: Outlet,
    begin: int,
    unit: Unit,
    options: Options,
    horizon: int,
) -> datetime | None:
    if horizon <= 0:
        return None
    pieces = composite(installed, outlet, moment_of(begin), horizon, unit, options).pieces
    first = pieces[0].value.same
    later = (piece.start for piece in pieces if piece.value.same is not first)
    change = next(later, None)
    return None if change is None else moment_of(begin + change)


def _term(laid: Track, now: int) -> Term | None:
    """What a track demands at an instant, whoever else does."""
    found: list[Segment] = []
    for on, off in laid.blocks(now, now + 1):
        laid.lay(on, off, found)
    return found[0][2] if found else None


@dataclass(frozen=True, slots=True)
class _Judge:
    outlet: Outlet
    options: Options
    now: int
    lay: Lay
    value: Value
    leaders: list[Installed]
    own_levels: frozenset[int]

    def rung(self, item: Installed, resolver: Resolver) -> Rung:
        laid = self.lay(item)
        if not applies(item, self.outlet) or laid is None:
            return Rung(item, Standing.OTHER_TRANSACTION)
        term = _term(laid, self.now)
        limit = None
        if term is not None:
            limit = resolver.resolve((term,)).limit
        return Rung(item, self._standing(item, laid, term), limit)

    def _standing(self, item: Installed, laid: Track, term: Term | None) -> Standing:
        if not counts(item, self.outlet, self.options):
            return Standing.PASSED_OVER
        if masked(item, self.own_levels):
            return Standing.MASKED
        if item is self.value.leading:
            return Standing.WINS
        if any(item is leader for leader in self.leaders):
            return Standing.HIGHER
        if term is None:
            return self._absence(laid)
        if item.profile.purpose is Purpose.TX_DEFAULT and self._transaction_leads():
            return Standing.REPLACED
        return Standing.OVERRULED

    def _absence(self, laid: Track) -> Standing:
        if self.now >= laid.valid_to:
            return Standing.OVER
        if self.now < max(laid.valid_from, laid.since if laid.cycle else laid.base):
            return Standing.WAITING
        if laid.cycle is None and self.now >= laid.base + laid.span:
            return Standing.OVER
        return Standing.SILENT

    def _transaction_leads(self) -> bool:
        return any(leader.profile.purpose is Purpose.TX for leader in self.leaders)
