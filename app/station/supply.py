"""The shared grid connection: who may draw how much of it. Pure.

Shares are fair from below: nobody gets less than an equal part unless it wants less, and what one does
not want goes to the others. Where the equal part would fall below an EVSE's minimum, the last to come waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.station.power import ROUNDING

CONVERTER_EFFICIENCY = 0.95
"""Power out of a DC converter over power into it."""


@dataclass(frozen=True, slots=True)
class Want:
    """What an EVSE would draw if nobody else were there, in A per phase of the grid; and its least."""

    amps: float
    least: float = 0.0


def allocate(total: float, wants: Mapping[int, Want], order: Sequence[int]) -> dict[int, float]:
    """A per phase for each EVSE that wants something; `order` says who came first."""
    serving = [number for number in order if number in wants]
    while serving:
        parts = _level(total, {number: wants[number].amps for number in serving})
        short = [n for n in serving if parts[n] < wants[n].least - ROUNDING]
        if not short:
            return {number: parts.get(number, 0.0) for number in wants}
        serving.remove(short[-1])
    return dict.fromkeys(wants, 0.0)


def shares(
    total: float, wants: Mapping[int, Want], order: Sequence[int], everyone: Sequence[int]
) -> dict[int, float]:
    """The greatest current each EVSE may draw, A per phase: its part, and what the others leave.

    One that draws nothing now is shown what it would get if it began.
    """
    parts = allocate(total, wants, order)
    used = sum(parts.values())
    out: dict[int, float] = {}
    for number in everyone:
        if number not in parts:
            out[number] = max(total - used, total / (len(wants) + 1))
        elif parts[number] < wants[number].amps:
            out[number] = parts[number]
        else:
            out[number] = max(parts[number], total - (used - parts[number]))
    return out


def _level(total: float, wants: Mapping[int, float]) -> dict[int, float]:
    """Fill from below until all have what they want or nothing is left."""
    parts: dict[int, float] = {}
    left = total
    waiting = sorted(wants, key=lambda number: (wants[number], number))
    while waiting:
        number = waiting.pop(0)
        parts[number] = min(wants[number], left / (len(waiting) + 1))
        left -= parts[number]
    return parts
