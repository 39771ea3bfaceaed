"""Charging profiles of any kind, for property tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from app.ocpp.shared.charging_profiles import (
    Algorithm,
    Baseline,
    ChargingProfile,
    Coalesce,
    Conversion,
    Installed,
    Kind,
    MixedUnits,
    NoProfile,
    Options,
    Outlet,
    Period,
    Purpose,
    Rate,
    RatingRole,
    Recurrency,
    Rounding,
    Schedule,
    StackFallback,
    Transaction,
    Unit,
    UnsupportedUnit,
)

ZERO = datetime(2026, 3, 28, 23, 58, tzinfo=UTC)
"""Two minutes before midnight UTC, and shortly before clocks change in Europe."""


def moments(step: int, low: int, high: int) -> st.SearchStrategy[datetime]:
    """Multiples of `step` around the zero of the tests, some with a fraction of a second."""
    fraction = st.sampled_from([0, 0, 0, 400_000])
    return st.builds(
        lambda count, micro: ZERO + timedelta(seconds=count * step, microseconds=micro),
        st.integers(low, high),
        fraction,
    )


@st.composite
def schedules(draw: st.DrawFn, step: int, kind: Kind) -> Schedule:
    starts = sorted({0, *draw(st.lists(st.integers(1, 60), max_size=4))})
    built = []
    for number in starts:
        phases = draw(st.sampled_from([None, None, 1, 2, 3]))
        phase = draw(st.sampled_from([None, 1, 2])) if phases == 1 else None
        limit = draw(st.sampled_from([0.0, 6.0, 7.5, 10.0, 16.0, 32.0, 3680.0, 11_040.0]))
        built.append(Period(number * step, limit, phases, phase))
    start = None
    if kind is not Kind.RELATIVE:
        start = draw(st.none() | moments(step, -130, 40))
    duration = draw(st.none() | st.integers(0, 90).map(lambda count: count * step))
    return Schedule(draw(st.sampled_from(Unit)), tuple(built), duration, start)


@st.composite
def installed(draw: st.DrawFn, step: int) -> list[Installed]:
    """Up to seven profiles, as a careful back office would have set them or not."""
    items = []
    for number in range(draw(st.integers(0, 7))):
        kind = draw(st.sampled_from(Kind))
        profile = ChargingProfile(
            id=number,
            stack_level=draw(st.integers(0, 2)),
            purpose=draw(st.sampled_from(Purpose)),
            kind=kind,
            schedules=(draw(schedules(step, kind)),),
            recurrency=draw(st.sampled_from(Recurrency)) if kind is Kind.RECURRING else None,
            valid_from=draw(st.none() | moments(step, -60, 60)),
            valid_to=draw(st.none() | moments(step, 0, 120)),
            transaction_id=draw(st.sampled_from([None, "T", "T", "other"])),
        )
        place = draw(st.sampled_from([0, 1, 1, 2]))
        items.append(Installed(place, profile, draw(moments(step, -90, 0))))
    return items


@st.composite
def outlets(draw: st.DrawFn, step: int) -> Outlet:
    started = draw(st.none() | moments(step, -90, 20))
    transaction = draw(st.sampled_from([None, Transaction("T", started)]))
    return Outlet(
        1,
        phases=draw(st.sampled_from([3, 3, 1, 2])),
        voltage=draw(st.sampled_from([230.0, 120.0])),
        measured_voltage=draw(st.sampled_from([None, 236.4])),
        dc=draw(st.sampled_from([False, False, True])),
        rating=draw(st.sampled_from([None, Rate(32.0, Unit.A), Rate(22_000.0, Unit.W)])),
        transaction=transaction,
    )


def options() -> st.SearchStrategy[Options]:
    """The defaults, or any choice of the points that change a composite schedule."""
    return st.just(Options()) | st.builds(
        Options,
        stack_fallback=st.sampled_from(StackFallback),
        algorithm=st.sampled_from(Algorithm),
        rounding=st.sampled_from(Rounding),
        coalesce=st.sampled_from(Coalesce),
        conversion=st.sampled_from(Conversion),
        mixed_units=st.sampled_from(MixedUnits),
        unsupported_unit=st.sampled_from(UnsupportedUnit),
        no_profile=st.sampled_from(NoProfile),
        baseline=st.sampled_from(Baseline),
        site_default=st.sampled_from([None, Rate(13.0, Unit.A)]),
        units=st.sampled_from([frozenset(Unit), frozenset({Unit.A})]),
        rating=st.sampled_from([RatingRole.FALLBACK, RatingRole.CAP]),
    )
