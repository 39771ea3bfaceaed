"""How busy outlets share one limit of the station (SC-21)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.ocpp.shared.charging.options import Sharing

_HAIR = 1e-6


@dataclass(frozen=True, slots=True)
class Demand:
    """What a busy outlet could use, in the unit of the limit. Demands stand in the order of their start.

    `minimum`: below it charging makes no sense (minChargingRate, or 6 A on AC); it is paused instead
    under `priority`. A higher `priority` is served first (chargingPriority: -9..9).
    """

    place: int
    limit: float
    minimum: float = 0.0
    priority: int = 0


def allocate(limit: float, demands: Sequence[Demand], sharing: Sharing) -> dict[int, float]:
    """The share of each outlet, cut to one decimal: never above its demand, in sum never above `limit`."""
    if not demands:
        return {}
    limit = max(limit, 0.0)
    match sharing:
        case Sharing.EQUAL_SHARE:
            share = limit / len(demands)
            shares = {demand.place: min(demand.limit, share) for demand in demands}
        case Sharing.PROPORTIONAL:
            total = sum(demand.limit for demand in demands)
            factor = min(1.0, limit / total) if total > 0 else 0.0
            shares = {demand.place: demand.limit * factor for demand in demands}
        case Sharing.FIRST_COME:
            shares = _served(limit, demands)
        case Sharing.PRIORITY:
            # Of equals, the one that needs the most to go on is paused first.
            order = sorted(demands, key=lambda demand: (-demand.priority, demand.minimum))
            shares = _served(limit, order, pausing=True)
    return {demand.place: _tenths(shares[demand.place]) for demand in demands}


def _served(limit: float, demands: Sequence[Demand], *, pausing: bool = False) -> dict[int, float]:
    """One after the other takes what it can use of what is left."""
    shares = {}
    rest = limit
    for demand in demands:
        share = min(demand.limit, rest)
        if pausing and share < demand.minimum:
            share = 0.0
        shares[demand.place] = share
        rest -= share
    return shares


def _tenths(value: float) -> float:
    return math.floor(value * 10 + _HAIR) / 10
