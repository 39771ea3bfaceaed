"""Short ways to write charging profiles in tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from app.ocpp.shared.charging_profiles import (
    ChargingProfile,
    Composite,
    Installed,
    Kind,
    Outlet,
    Period,
    Purpose,
    Recurrency,
    Schedule,
    Source,
    Transaction,
    Unit,
)

NOON = datetime(2026, 2, 11, 12, 0, tzinfo=UTC)
"""A Wednesday."""

Steps = Sequence[tuple[float, ...]] | float


def later(seconds: float, base: datetime = NOON) -> datetime:
    return base + timedelta(seconds=seconds)


def periods(steps: Steps) -> tuple[Period, ...]:
    """A single limit, or (start, limit[, phases[, phase to use]]) for each period."""
    if isinstance(steps, int | float):
        return (Period(0, steps),)
    built = []
    for start, limit, *rest in steps:
        phases = int(rest[0]) if rest else None
        phase = int(rest[1]) if len(rest) > 1 else None
        built.append(Period(int(start), limit, phases, phase))
    return tuple(built)


def put(
    number: int,
    purpose: Purpose,
    steps: Steps,
    *,
    place: int = 1,
    level: int = 0,
    unit: Unit = Unit.A,
    kind: Kind | None = None,
    start: datetime | None = None,
    duration: int | None = None,
    every: Recurrency | None = None,
    valid: tuple[datetime | None, datetime | None] = (None, None),
    transaction: str | int | None = None,
    received: datetime = NOON,
    source: Source = Source.CSO,
    **schedule: Any,
) -> Installed:
    """An installed profile; absolute unless something tells otherwise."""
    if kind is None:
        kind = Kind.RECURRING if every else Kind.ABSOLUTE
    if kind is not Kind.RELATIVE and start is None:
        start = later(-86_400)
    laid = Schedule(unit, periods(steps), duration, start, **schedule)
    profile = ChargingProfile(
        number, level, purpose, kind, (laid,), every, valid[0], valid[1], transaction
    )
    return Installed(place, profile, received, source)


def charging(number: int = 1, **fields: Any) -> Outlet:
    """An outlet on which transaction "T" has been charging since noon."""
    fields.setdefault("transaction", Transaction("T", NOON))
    return Outlet(number, **fields)


def limits(schedule: Composite) -> list[tuple[int, float | None]]:
    return [(piece.start, piece.limit) for piece in schedule.pieces]
