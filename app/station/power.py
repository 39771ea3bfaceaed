"""From limits to current: pure. The tightest limit wins, and the ladder of all of them says why.

On AC a limit counts in A per phase over the phases in use, on DC in W; `Line` converts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.kernel.text import Text
from app.kernel.units import MIN_AC_CURRENT
from app.station.kinds import Current
from app.station.snapshot import Cap, Phases

UNLIMITED = float("inf")
ROUNDING = 1e-6
"""A."""


@dataclass(frozen=True, slots=True)
class Line:
    """What the current flows through: AC (voltage to neutral, phases) or DC (the pack's voltage)."""

    kind: Current
    voltage: float
    phases: int

    def watts(self, amps: float) -> float:
        return amps * self.voltage * (self.phases if self.kind is Current.AC else 1)

    def amps(self, watts: float) -> float:
        return watts / (self.voltage * (self.phases if self.kind is Current.AC else 1))

    def carries(self, amps: float) -> bool:
        """So much can be offered at all; a limit in W may miss 6 A by a rounding only."""
        return amps > MIN_AC_CURRENT - ROUNDING if self.kind is Current.AC else amps > 0

    def spread(self, amps: float) -> tuple[Phases, Phases]:
        """Current and power of each phase, in A and W. DC lies in the first."""
        count = self.phases if self.kind is Current.AC else 1
        currents = (amps, amps if count > 1 else 0.0, amps if count > 2 else 0.0)
        powers = (
            currents[0] * self.voltage,
            currents[1] * self.voltage,
            currents[2] * self.voltage,
        )
        return currents, powers


@dataclass(frozen=True, slots=True)
class Limit:
    """One thing that caps the power, in A per phase or W or both."""

    name: Text
    amps: float = UNLIMITED
    watts: float = UNLIMITED

    def on(self, line: Line) -> float:
        """A per phase on this line."""
        return min(self.amps, line.amps(self.watts))


def tightest(line: Line, limits: Iterable[Limit]) -> float:
    """A per phase that all limits allow, never below 0."""
    return max(0.0, min((limit.on(line) for limit in limits), default=UNLIMITED))


def ladder(line: Line, limits: Iterable[Limit], *, in_force: bool) -> tuple[Cap, ...]:
    """All limits as rungs, tightest first; the first binds while `in_force`."""
    rungs = sorted(((limit.on(line), place, limit) for place, limit in enumerate(limits)))
    return tuple(
        Cap(limit.name, line.watts(amps), amps, binding=in_force and number == 0)
        for number, (amps, _, limit) in enumerate(rungs)
    )
