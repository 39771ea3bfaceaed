"""Limits between A per phase and W in total, their rounding, and when a change matters."""

from __future__ import annotations

import math

from app.ocpp.shared.charging.model import Outlet, Rate, Unit
from app.ocpp.shared.charging.options import Options, Rounding

_HAIR = 1e-6
"""Tenths that binary fractions may be short of: 22080 / 690 must not become 31.9."""


def voltage(outlet: Outlet, options: Options) -> float:
    """The voltage to convert with: the set one, unless the station converts wrongly on purpose."""
    if options.measured and outlet.measured_voltage:
        return outlet.measured_voltage
    return outlet.voltage


def convert(limit: float, unit: Unit, to: Unit, volts: float, phases: int) -> float:
    """W = A x V x phases. Give 1 phase for DC."""
    if unit is to:
        return limit
    return limit * volts * phases if to is Unit.W else limit / (volts * phases)


def rate_in(rate: Rate, unit: Unit, outlet: Outlet, options: Options) -> float:
    """A rate of this outlet, on all its phases, in the asked unit."""
    phases = 1 if outlet.dc else outlet.phases
    return convert(rate.limit, rate.unit, unit, voltage(outlet, options), phases)


def rounded(limit: float, rounding: Rounding) -> float:
    """At most one decimal, which is what a limit may have."""
    if rounding is Rounding.RAW:
        return limit
    if rounding is Rounding.NEAREST:
        return math.floor(limit * 10 + 0.5 + _HAIR) / 10
    return math.floor(limit * 10 + _HAIR) / 10


def significant(old: float | None, new: float | None, percent: float) -> bool:
    """Whether a limit changed by more than `percent` of what it was (LimitChangeSignificance).

    None is no limit. A limit that comes, goes, or rises from 0 always matters (2.0.1 SC.03, K11.FR.02).
    """
    if old == new:
        return False
    if old is None or new is None or old == 0:
        return True
    return abs(new - old) / old * 100 > percent + 1e-9
