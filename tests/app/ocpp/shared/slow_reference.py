"""A second, slow and obvious reading of the rules of composite schedules: it looks at every second alone.

It shares the data classes with the program, and no code that computes anything.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from app.ocpp.shared.charging_profiles import (
    Algorithm,
    Baseline,
    ChargingProfile,
    Installed,
    Kind,
    MixedUnits,
    NoProfile,
    Options,
    Outlet,
    Period,
    Purpose,
    RatingRole,
    Recurrency,
    Rounding,
    Schedule,
    StackFallback,
    Unit,
    UnsupportedUnit,
)

Reading = tuple[float | None, int | None, int | None]
"""Limit, number of phases, phase to use."""

Demand = tuple[Installed, Schedule, Period]


def whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def reading(
    installed: Sequence[Installed],
    outlet: Outlet,
    began: datetime,
    now: datetime,
    unit: Unit,
    options: Options,
) -> Reading:
    """What holds in the second `now`, asked for a window that began at `began`."""
    demands = leading(installed, outlet, whole(began), now, options)
    rating = None if outlet.rating is None else _rate(outlet, outlet.rating, unit, options)
    phases = outlet.phases
    phase_to_use = None
    limit: float | None
    if demands:
        limit, phases, phase_to_use = _lowest(demands, outlet, unit, options)
        if options.rating is RatingRole.CAP and rating is not None:
            limit = min(limit, rating)
    elif options.no_profile is NoProfile.BLOCK:
        limit = 0.0
    elif options.no_profile is NoProfile.SITE_DEFAULT and options.site_default is not None:
        limit = _rate(outlet, options.site_default, unit, options)
        if rating is not None:
            limit = min(limit, rating)
    else:
        limit = rating
    if limit is not None:
        limit = _round(limit, options)
    if outlet.dc:
        return limit, None, None
    return limit, phases, phase_to_use if phases == 1 else None


def leading(
    installed: Sequence[Installed],
    outlet: Outlet,
    began: datetime,
    now: datetime,
    options: Options,
) -> list[Demand]:
    """What each purpose that has a say demands, in the order that decides between equals."""
    found: dict[Purpose, Demand] = {}
    for purpose in Purpose:
        stack = [
            item
            for item in installed
            if item.profile.purpose is purpose and _meant(item, installed, outlet, options)
        ]
        stack.sort(
            key=lambda item: (
                -item.profile.stack_level,
                item.place == 0,
                -item.received.timestamp(),
                item.profile.id,
            )
        )
        demand = _of_stack(stack, outlet, began, now, options)
        if demand is not None:
            found[purpose] = demand
    if Purpose.TX in found and options.algorithm is not Algorithm.MIN_OF_ALL:
        found.pop(Purpose.TX_DEFAULT, None)
    order = (Purpose.EXTERNAL, Purpose.MAX, Purpose.TX, Purpose.TX_DEFAULT)
    return [found[purpose] for purpose in order if purpose in found]


def _meant(
    item: Installed, installed: Sequence[Installed], outlet: Outlet, options: Options
) -> bool:
    profile = item.profile
    if item.place not in (0, outlet.id):
        return False
    if profile.purpose is Purpose.TX:
        if item.place == 0 or outlet.transaction is None:
            return False
        if profile.transaction_id not in (None, outlet.transaction.id):
            return False
    if profile.purpose is Purpose.TX_DEFAULT and item.place == 0:
        for other in installed:
            own = other.place == outlet.id and other.profile.purpose is Purpose.TX_DEFAULT
            if own and other.profile.stack_level == profile.stack_level:
                return False
    unit = profile.schedules[0].unit
    if options.unsupported_unit is UnsupportedUnit.ACCEPT_IGNORE and unit not in options.units:
        return False
    native = Unit.W if outlet.dc else Unit.A
    return options.mixed_units is not MixedUnits.IGNORE_FOREIGN or unit is native


def _of_stack(
    stack: list[Installed], outlet: Outlet, began: datetime, now: datetime, options: Options
) -> Demand | None:
    for item in stack:
        valid = _valid(item.profile, now)
        period = _period(item, outlet, began, now) if valid else None
        if period is not None:
            return item, item.profile.schedules[0], period
        if options.algorithm is Algorithm.HIGHEST_ONLY:
            return None
        if options.stack_fallback is StackFallback.GAP and valid:
            return None
    return None


def _valid(profile: ChargingProfile, now: datetime) -> bool:
    if profile.valid_from is not None and now < whole(profile.valid_from):
        return False
    return profile.valid_to is None or now < whole(profile.valid_to)


def _period(item: Installed, outlet: Outlet, began: datetime, now: datetime) -> Period | None:
    profile, schedule = item.profile, item.profile.schedules[0]
    cycle = None
    if profile.kind is Kind.RELATIVE:
        start = began
        if profile.purpose in (Purpose.EXTERNAL, Purpose.MAX):
            start = item.received
        elif outlet.transaction is not None and outlet.transaction.started is not None:
            start = outlet.transaction.started
    elif profile.kind is Kind.ABSOLUTE:
        start = schedule.start or profile.valid_from or item.received
    else:
        cycle = 86_400 if profile.recurrency is Recurrency.DAILY else 7 * 86_400
        long_ago = datetime(2001, 1, 1, tzinfo=now.tzinfo)  # a Monday
        start = schedule.start or long_ago
    elapsed = int((now - whole(start)).total_seconds())
    if elapsed < 0:
        return None
    if cycle is not None:
        elapsed %= cycle
    if schedule.duration is not None and elapsed >= schedule.duration:
        return None
    found = None
    for period in schedule.periods:
        if period.start <= elapsed:
            found = period
    return found


def _volts(outlet: Outlet, options: Options) -> float:
    wrong = (
        options.conversion.value == "measured" or options.mixed_units.value == "convert-measured"
    )
    if wrong and outlet.measured_voltage is not None:
        return outlet.measured_voltage
    return outlet.voltage


def _rate(outlet: Outlet, rate: object, unit: Unit, options: Options) -> float:
    value, own = rate.limit, rate.unit  # type: ignore[attr-defined]
    phases = 1 if outlet.dc else outlet.phases
    return _convert(value, own, unit, _volts(outlet, options) * phases)


def _convert(value: float, own: Unit, unit: Unit, volts: float) -> float:
    if own is unit:
        return value
    return value * volts if unit is Unit.W else value / volts


def _lowest(
    demands: list[Demand], outlet: Outlet, unit: Unit, options: Options
) -> tuple[float, int, int | None]:
    counts = [min(outlet.phases, period.phases or 3) for _, _, period in demands]
    if options.baseline is Baseline.ERRATA:
        counts = [min(counts)] * len(counts)
    best: tuple[float, int] | None = None
    for (_, schedule, period), count in zip(demands, counts, strict=True):
        if outlet.dc:
            factor = 1
        elif schedule.unit is Unit.W:
            factor = period.phases or 3
        else:
            factor = count
        volts = _volts(outlet, options) * factor
        value = _convert(period.limit, schedule.unit, unit, volts)
        if best is None or value < best[0]:
            best = (value, count)
    assert best is not None
    wanted = [p.phase_to_use for _, _, p in demands if p.phase_to_use is not None]
    return best[0], best[1], wanted[0] if wanted else None


def _round(limit: float, options: Options) -> float:
    if options.rounding is Rounding.RAW:
        return limit
    half = 0.5 if options.rounding is Rounding.NEAREST else 0.0
    return math.floor(limit * 10 + half + 1e-6) / 10


def sampled(
    installed: Sequence[Installed],
    outlet: Outlet,
    start: datetime,
    duration: int,
    unit: Unit,
    options: Options,
    step: int = 1,
) -> list[Reading]:
    """The reading of each second (or of each `step` seconds) of a window."""
    begin = whole(start)
    return [
        reading(installed, outlet, begin, begin + timedelta(seconds=offset), unit, options)
        for offset in range(0, duration, step)
    ]
