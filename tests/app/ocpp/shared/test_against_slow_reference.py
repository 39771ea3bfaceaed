"""The composite schedule agrees with a reading of the rules that looks at every second alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.ocpp.shared.charging_profiles import (
    Coalesce,
    Composite,
    Installed,
    Options,
    Outlet,
    Standing,
    Unit,
    composite,
    limit_at,
)
from tests.app.ocpp.shared import strategies
from tests.app.ocpp.shared.slow_reference import Reading, sampled


def tries(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )


FEW = tries(30)
MANY = tries(600)

WINDOWS = [
    pytest.param(1, 150, id="each-second-around-midnight"),
    pytest.param(7200, 8 * 12, id="each-second-hour-of-eight-days"),
]


def expanded(schedule: Composite, step: int) -> list[Reading]:
    found = []
    for offset in range(0, schedule.duration, step):
        piece = schedule.at(offset)
        found.append((piece.limit, piece.phases, piece.phase_to_use))
    return found


@pytest.mark.parametrize(("step", "count"), WINDOWS)
@FEW
@given(data=st.data())
def test_composite_schedule_says_the_same_as_each_instant_alone(
    step: int, count: int, data: st.DataObject
) -> None:
    """SC-02, SC-03, SC-05, SC-06, SC-08, SC-09, SC-10, SC-11, SC-19, in any mix of options."""
    compare(step, count, data)


@pytest.mark.full
@pytest.mark.parametrize(("step", "count"), WINDOWS)
@MANY
@given(data=st.data())
def test_composite_schedule_of_very_many_mixes_says_the_same(
    step: int, count: int, data: st.DataObject
) -> None:
    compare(step, count, data)


def compare(step: int, count: int, data: st.DataObject) -> None:
    items = data.draw(strategies.installed(step))
    outlet = data.draw(strategies.outlets(step))
    options = data.draw(strategies.options())
    unit = data.draw(st.sampled_from(Unit))
    start = data.draw(strategies.moments(step, -5, 5))
    schedule = composite(items, outlet, start, count * step, unit, options)
    expected = sampled(items, outlet, start, count * step, unit, options, step)
    assert expanded(schedule, step) == expected


@FEW
@given(items=strategies.installed(1), outlet=strategies.outlets(1), options=strategies.options())
def test_pieces_start_at_zero_ascend_and_differ_from_their_neighbours(
    items: list[Installed], outlet: Outlet, options: Options
) -> None:
    schedule = composite(items, outlet, strategies.ZERO, 300, Unit.A, options)
    starts = [piece.start for piece in schedule.pieces]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert starts[-1] < 300
    if options.coalesce is Coalesce.JOIN:
        for before, after in zip(schedule.pieces, schedule.pieces[1:], strict=False):
            assert before.value.same != after.value.same


@FEW
@given(
    items=strategies.installed(1),
    outlet=strategies.outlets(1),
    options=strategies.options(),
    offset=st.integers(0, 250),
)
def test_ladder_shows_the_limit_of_the_schedule_and_one_winner(
    items: list[Installed], outlet: Outlet, options: Options, offset: int
) -> None:
    at = strategies.ZERO + timedelta(seconds=offset)
    ladder = limit_at(items, outlet, at, Unit.A, options, horizon=120)
    (expected,) = sampled(items, outlet, at, 1, Unit.A, options)
    assert (ladder.limit, ladder.value.phases, ladder.value.phase_to_use) == expected
    winners = [rung.installed for rung in ladder.rungs if rung.standing is Standing.WINS]
    assert winners == ([] if ladder.leading is None else [ladder.leading])
    assert len(ladder.rungs) == sum(item.place in (0, 1) for item in items)
    ahead = composite(items, outlet, at, 120, Unit.A, options)
    changes = [p.start for p in ahead.pieces if p.value.same != ahead.pieces[0].value.same]
    expected_until = at + timedelta(seconds=changes[0]) if changes else None
    assert ladder.until == expected_until
