"""What a whole station expects to draw: place 0 of GetCompositeSchedule (SC-18)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.ocpp.shared.charging_profiles import (
    Coalesce,
    Installed,
    MixedPhases,
    NoProfile,
    Options,
    Outlet,
    Purpose,
    Rate,
    Rounding,
    Site,
    StationComposite,
    Transaction,
    Unit,
    composite,
    make_site,
    natural_unit,
    station_composite,
)
from tests.app.ocpp.shared import strategies
from tests.app.ocpp.shared.build import NOON, limits, put

AMPS32 = Rate(32, Unit.A)
TWO = make_site([Outlet(1, rating=AMPS32), Outlet(2, rating=AMPS32)], voltage=230)
WORST = Options(mixed_phases=MixedPhases.WORST_PHASE)


def total(
    items: list[Installed],
    site: Site = TWO,
    unit: Unit = Unit.A,
    options: Options | None = None,
    duration: int = 60,
) -> list[tuple[int, float | None]]:
    return limits(station_composite(items, site, NOON, duration, unit, options))


def test_201_default_for_all_counts_once_for_each_evse() -> None:
    """TC_K_22: for EVSE 0 the limit is multiplied by the number of EVSEs (K08.FR.03, K08.FR.06)."""
    default = put(1, Purpose.TX_DEFAULT, 6, place=0)
    assert total([default]) == [(0, 12)]
    assert total([default], unit=Unit.W) == [(0, 8280)]


def test_sum_of_the_outlets_is_capped_by_the_station() -> None:
    default = put(1, Purpose.TX_DEFAULT, 20, place=0)
    most = put(2, Purpose.MAX, [(0, 32), (30, 64)], place=0, start=NOON)
    schedule = station_composite([default, most], TWO, NOON, 60, Unit.A)
    assert limits(schedule) == [(0, 32), (30, 40)]
    assert schedule.pieces[0].leading is most
    assert schedule.pieces[1].leading is None
    external = put(-1, Purpose.EXTERNAL, 10_000, place=0, unit=Unit.W)
    assert total([default, most, external], unit=Unit.W) == [(0, 10_000)]


def test_outlets_that_change_at_different_times_make_a_piece_each() -> None:
    one = put(1, Purpose.TX_DEFAULT, [(0, 10), (10, 16)], place=1, start=NOON)
    two = put(2, Purpose.TX_DEFAULT, [(0, 10), (20, 4), (30, 10)], place=2, start=NOON)
    assert total([one, two]) == [(0, 20), (10, 26), (20, 20), (30, 26)]
    both = put(2, Purpose.TX_DEFAULT, [(0, 10), (10, 4)], place=2, start=NOON)
    assert total([one, both]) == [(0, 20)]
    kept = total([one, both], options=Options(coalesce=Coalesce.KEEP))
    assert kept == [(0, 20), (10, 20)]


def test_outlets_without_profiles_count_with_their_rating_also_under_a_large_maximum() -> None:
    """What the station expects to draw is not what it might."""
    assert total([]) == [(0, 64)]
    most = put(1, Purpose.MAX, 200_000, place=0, unit=Unit.W)
    assert total([most], unit=Unit.W) == [(0, 44_160)]


def test_profile_of_a_transaction_counts_for_its_outlet() -> None:
    busy = Outlet(1, rating=AMPS32, transaction=Transaction("T", NOON))
    site = make_site([busy, Outlet(2, rating=AMPS32)], voltage=230)
    items = [
        put(1, Purpose.TX_DEFAULT, 10, place=0),
        put(2, Purpose.TX, 25, place=1, transaction="T"),
    ]
    assert total(items, site) == [(0, 35)]


def test_connection_to_the_grid_caps_and_stands_in_where_an_outlet_has_no_limit() -> None:
    small = make_site(TWO.outlets, voltage=230, rating=Rate(40, Unit.A))
    assert total([], small) == [(0, 40)]
    unrated = make_site([Outlet(1)], voltage=230, rating=Rate(40, Unit.A))
    assert total([], unrated) == [(0, 40)]
    assert total([], make_site([Outlet(1)], voltage=230)) == [(0, None)]
    assert total([], make_site([], voltage=230, rating=Rate(40, Unit.A))) == [(0, 40)]


def test_block_without_profiles_takes_nothing_from_the_grid() -> None:
    options = Options(no_profile=NoProfile.BLOCK)
    assert total([], options=options) == [(0, 0)]
    assert total([put(1, Purpose.TX_DEFAULT, 10, place=1)], options=options) == [(0, 10)]


def test_station_can_tell_its_own_profile_only() -> None:
    items = [put(1, Purpose.TX_DEFAULT, 6, place=0), put(2, Purpose.MAX, 32, place=0)]
    only = Options(station_composite=StationComposite.STATION_ONLY)
    assert total(items, options=only) == [(0, 32)]
    assert total(items[:1], options=only) == [(0, None)]


def test_phases_of_the_station_are_the_most_that_an_outlet_uses() -> None:
    single = put(1, Purpose.TX_DEFAULT, [(0, 16, 1)], place=1)
    capped = put(2, Purpose.MAX, [(0, 32, 1)], place=0)
    for items, phases in (([], 3), ([single], 3), ([single, capped], 1)):
        (piece,) = station_composite(items, TWO, NOON, 60, Unit.A).pieces
        assert piece.phases == phases


MIXED = make_site(
    [
        Outlet(1, phases=3, rating=Rate(16, Unit.A)),
        Outlet(2, phases=1, rating=Rate(32, Unit.A), wired_phase=1),
        Outlet(3, phases=1, rating=Rate(20, Unit.A), wired_phase=2),
    ],
    voltage=230,
)


def test_mixed_phases_are_added_in_watts_or_by_the_most_loaded_phase() -> None:
    watts = 16 * 690 + 32 * 230 + 20 * 230
    assert total([], MIXED, Unit.W) == [(0, watts)]
    assert total([], MIXED, Unit.W, WORST) == [(0, watts)]
    assert total([], MIXED) == [(0, 33.3)]
    assert total([], MIXED, options=WORST) == [(0, 48)]


def test_outlet_on_an_unknown_phase_may_load_any_of_them() -> None:
    unknown = make_site(
        [MIXED.outlets[0], replace(MIXED.outlets[1], wired_phase=None), MIXED.outlets[2]],
        voltage=230,
    )
    assert total([], unknown, options=WORST) == [(0, 68)]


def test_direct_current_loads_the_grid_with_its_power() -> None:
    fast = Outlet(2, dc=True, voltage=400, rating=Rate(69_000, Unit.W))
    site = make_site([Outlet(1, rating=AMPS32), fast], voltage=230)
    assert total([], site, Unit.W) == [(0, 22_080 + 69_000)]
    assert total([], site) == [(0, 132)]
    assert total([], site, options=WORST) == [(0, 132)]
    alone = make_site([fast], voltage=230)
    assert total([], alone) == [(0, 100)]


def test_sum_is_rounded_once() -> None:
    default = put(1, Purpose.TX_DEFAULT, 10_000, place=0, unit=Unit.W)
    assert total([default]) == [(0, 28.9)]
    (start, limit), *_ = total([default], options=Options(rounding=Rounding.RAW))
    assert start == 0
    assert limit == pytest.approx(20_000 / 690)


def test_unit_where_none_is_asked() -> None:
    amps, watts = Options(units=frozenset({Unit.A})), Options(units=frozenset({Unit.W}))
    assert natural_unit(TWO, 1, Options()) is Unit.A
    assert natural_unit(TWO, 0, Options()) is Unit.A
    assert natural_unit(MIXED, 0, Options()) is Unit.W
    assert natural_unit(MIXED, 0, WORST) is Unit.A
    assert natural_unit(make_site([Outlet(1, dc=True)], voltage=230), 1, Options()) is Unit.W
    assert natural_unit(MIXED, 0, amps) is Unit.A
    assert natural_unit(TWO, 1, watts) is Unit.W


@settings(max_examples=40, deadline=None, derandomize=True)
@given(items=strategies.installed(1), unit=st.sampled_from(Unit))
def test_total_is_the_sum_of_the_outlets_and_never_above_the_station(
    items: list[Installed], unit: Unit
) -> None:
    """K08.FR.04: not above any of the merged schedules."""
    raw = Options(rounding=Rounding.RAW)
    caps = [
        i for i in items if i.place == 0 and i.profile.purpose in (Purpose.MAX, Purpose.EXTERNAL)
    ]
    start = strategies.ZERO
    whole = station_composite(items, TWO, start, 200, unit, raw)
    free = station_composite([i for i in items if i not in caps], TWO, start, 200, unit, raw)
    own = [i for i in items if i not in caps]
    parts = [composite(own, outlet, start, 200, unit, raw) for outlet in TWO.outlets]
    cap = composite(caps, TWO.grid, start, 200, unit, raw)
    for second in range(200):
        limits = [part.at(second).limit for part in parts]
        assert free.at(second).limit == pytest.approx(sum(limit or 0 for limit in limits))
        found, most = whole.at(second).limit, cap.at(second).limit
        assert found is not None
        assert most is None or found <= most + 1e-9
