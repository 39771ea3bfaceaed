"""How busy outlets share one limit (SC-21)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ocpp.shared.charging_profiles import Demand, Sharing, allocate, significant


def shares(limit: float, sharing: Sharing, *demands: Demand) -> list[float]:
    return list(allocate(limit, demands, sharing).values())


def test_first_come_serves_in_the_order_of_the_starts() -> None:
    found = allocate(32, [Demand(2, 20), Demand(1, 32), Demand(3, 10)], Sharing.FIRST_COME)
    assert found == {2: 20, 1: 12, 3: 0}


def test_equal_share_never_gives_more_than_can_be_used() -> None:
    assert shares(32, Sharing.EQUAL_SHARE, Demand(1, 6), Demand(2, 32)) == [6, 16]
    assert shares(100, Sharing.EQUAL_SHARE, *(Demand(n, 50) for n in (1, 2, 3))) == [33.3] * 3


def test_proportional_scales_all_by_one_factor_and_never_up() -> None:
    assert shares(32, Sharing.PROPORTIONAL, Demand(1, 20), Demand(2, 32)) == [12.3, 19.6]
    assert shares(64, Sharing.PROPORTIONAL, Demand(1, 20), Demand(2, 32)) == [20, 32]
    assert shares(32, Sharing.PROPORTIONAL, Demand(1, 0), Demand(2, 0)) == [0, 0]


def test_priority_pauses_the_least_important_first() -> None:
    """K03.FR.04; 1.6: minChargingRate decides who is paused."""
    low, high = Demand(1, 16, minimum=6, priority=0), Demand(2, 16, minimum=6, priority=3)
    assert shares(20, Sharing.PRIORITY, low, high) == [0, 16]
    assert shares(22, Sharing.PRIORITY, low, high) == [6, 16]


def test_of_equal_priority_the_one_that_needs_more_to_go_on_is_paused() -> None:
    greedy, modest = Demand(1, 16, minimum=10), Demand(2, 16, minimum=6)
    assert shares(20, Sharing.PRIORITY, greedy, modest) == [0, 16]


def test_what_a_paused_outlet_leaves_goes_to_the_next() -> None:
    demands = [Demand(1, 16, 6, 2), Demand(2, 16, 14, 1), Demand(3, 16, 6, 0)]
    assert shares(28, Sharing.PRIORITY, *demands) == [16, 0, 12]


@pytest.mark.parametrize("sharing", Sharing)
def test_nothing_to_share_among_nobody_or_of_nothing(sharing: Sharing) -> None:
    assert allocate(32, [], sharing) == {}
    assert shares(-1, sharing, Demand(1, 10)) == [0]


@given(
    limit=st.floats(0, 500),
    wanted=st.lists(st.tuples(st.floats(0, 100), st.floats(0, 20), st.integers(-9, 9)), max_size=8),
    sharing=st.sampled_from(Sharing),
)
def test_shares_never_exceed_the_limit_nor_a_demand(
    limit: float, wanted: list[tuple[float, float, int]], sharing: Sharing
) -> None:
    demands = [Demand(place, *rest) for place, rest in enumerate(wanted, 1)]
    found = allocate(limit, demands, sharing)
    assert sum(found.values()) <= limit + 1e-5
    for demand in demands:
        assert 0 <= found[demand.place] <= demand.limit + 1e-6


@pytest.mark.parametrize(
    ("old", "new", "percent", "expected"),
    [
        (16, 16, 0, False),
        (None, None, 0, False),
        (None, 16, 50, True),
        (16, None, 50, True),
        (0, 0.1, 50, True),
        (16, 0, 99, True),
        (100, 101, 1, False),
        (100, 101.1, 1, True),
        (100, 98.9, 1, True),
        (100, 99, 1, False),
    ],
)
def test_errata_24_change_matters_above_its_percentage(
    old: float | None, new: float | None, percent: float, expected: bool
) -> None:
    """LimitChangeSignificance (K11.FR.02, SC.03)."""
    assert significant(old, new, percent) is expected
