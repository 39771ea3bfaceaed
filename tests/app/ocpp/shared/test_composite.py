"""The limit that follows from installed profiles, case by case."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.kernel.units import parse_stamp
from app.ocpp.shared.charging.parse import parse_201
from app.ocpp.shared.charging_profiles import (
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
    PeriodEdge,
    Purpose,
    Rate,
    RatingRole,
    Recurrency,
    Rounding,
    Transaction,
    Unit,
    UnsupportedUnit,
    composite,
)
from tests.app.ocpp.shared.build import NOON, charging, later, limits, periods, put

DAILY, WEEKLY = Recurrency.DAILY, Recurrency.WEEKLY
RATED = charging(rating=Rate(32, Unit.A))


def curve(
    items: list[Installed],
    duration: int,
    outlet: Outlet | None = None,
    options: Options | None = None,
    unit: Unit = Unit.A,
    start: datetime = NOON,
) -> list[tuple[int, float | None]]:
    return limits(composite(items, outlet or charging(), start, duration, unit, options))


def only(
    items: list[Installed],
    outlet: Outlet | None = None,
    options: Options | None = None,
    unit: Unit = Unit.A,
) -> tuple[float | None, int | None, int | None]:
    """Limit, phases and phase to use of a schedule that must have a single piece."""
    (piece,) = composite(items, outlet or charging(), NOON, 60, unit, options).pieces
    return piece.limit, piece.phases, piece.phase_to_use


# ---------------------------------------------------------------- stacks and purposes


def test_sc_02_next_level_takes_over_where_the_highest_has_no_period() -> None:
    low = put(1, Purpose.TX_DEFAULT, 32)
    high = put(2, Purpose.TX_DEFAULT, 16, level=1, start=later(60), duration=60)
    assert curve([low, high], 300) == [(0, 32), (60, 16), (120, 32)]


def test_sc_02_level_that_is_not_valid_any_more_is_left_out() -> None:
    """K01.FR.37: validTo itself is outside."""
    low = put(1, Purpose.TX_DEFAULT, 32)
    high = put(2, Purpose.TX_DEFAULT, 16, level=1, valid=(later(10), later(20)))
    assert curve([low, high], 60) == [(0, 32), (10, 16), (20, 32)]


def test_three_levels_lie_over_each_other() -> None:
    base = put(1, Purpose.TX_DEFAULT, [(0, 32), (86_400 + 100, 30)])
    middle = put(2, Purpose.TX_DEFAULT, 20, level=1, start=later(50), duration=200)
    top = put(3, Purpose.TX_DEFAULT, 10, level=2, start=later(100), duration=50)
    found = curve([base, middle, top], 400)
    assert found == [(0, 32), (50, 20), (100, 10), (150, 20), (250, 30)]


def test_sc_03_default_counts_again_after_the_profile_of_the_transaction_ends() -> None:
    """K02.FR.08."""
    default = put(1, Purpose.TX_DEFAULT, 10)
    own = put(2, Purpose.TX, 20, start=NOON, duration=60, transaction="T")
    most = put(3, Purpose.MAX, 16, place=0)
    assert curve([default, own, most], 120) == [(0, 16), (60, 10)]


def test_sc_05_own_default_replaces_that_of_all_connectors_on_its_level_even_in_its_gaps() -> None:
    everywhere = put(1, Purpose.TX_DEFAULT, 10, place=0)
    here = put(2, Purpose.TX_DEFAULT, 20, place=1, start=NOON, duration=60)
    assert curve([everywhere, here], 120, RATED) == [(0, 20), (60, 32)]
    there = charging(2, rating=Rate(32, Unit.A))
    assert curve([everywhere, here], 120, there) == [(0, 10)]


def test_sc_05_defaults_on_different_levels_stack_across_places() -> None:
    holiday = put(1, Purpose.TX_DEFAULT, 8, place=0, level=3, start=later(30), duration=30)
    here = put(2, Purpose.TX_DEFAULT, 20, place=1)
    assert curve([holiday, here], 90) == [(0, 20), (30, 8), (60, 20)]


def test_sc_06_profile_of_another_transaction_does_not_count() -> None:
    own = put(1, Purpose.TX, 10, transaction="T")
    other = put(2, Purpose.TX, 6, transaction="U", level=5)
    assert curve([own, other], 60) == [(0, 10)]


def test_sc_06_profile_of_a_remote_start_counts_before_the_id_is_known() -> None:
    waiting = Outlet(1, transaction=Transaction(None, NOON))
    assert curve([put(1, Purpose.TX, 10)], 60, waiting) == [(0, 10)]


def test_sc_06_profile_for_a_transaction_never_counts_on_an_idle_outlet_or_on_the_station() -> None:
    items = [put(1, Purpose.TX, 10, transaction="T"), put(2, Purpose.TX, 8, place=0)]
    idle = Outlet(1, rating=Rate(32, Unit.A))
    assert curve(items, 60, idle) == [(0, 32)]
    assert curve([items[1]], 60, RATED) == [(0, 32)]


def test_equal_limits_of_purposes_name_the_station_first() -> None:
    own, most = put(1, Purpose.TX_DEFAULT, 16), put(2, Purpose.MAX, 16, place=0)
    (piece,) = composite([own, most], charging(), NOON, 60, Unit.A).pieces
    assert piece.leading is most


# ---------------------------------------------------------------- kinds, durations, cycles


def test_sc_08_absolute_without_a_start_counts_from_its_validity_else_from_receipt() -> None:
    def absolute(number: int, valid: datetime | None) -> Installed:
        item = put(number, Purpose.TX_DEFAULT, [(0, 10), (60, 20)], valid=(valid, None))
        schedule = item.profile.schedule
        bare = type(schedule)(schedule.unit, schedule.periods)
        profile = ChargingProfile(
            number, 0, Purpose.TX_DEFAULT, Kind.ABSOLUTE, (bare,), valid_from=valid
        )
        return Installed(1, profile, later(-30))

    assert curve([absolute(1, None)], 120) == [(0, 10), (30, 20)]
    assert curve([absolute(2, later(-20))], 120) == [(0, 10), (40, 20)]


def test_sc_08_weekly_profile_recurs_on_the_weekday_and_time_of_its_start() -> None:
    start = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)  # a Monday
    item = put(1, Purpose.TX_DEFAULT, 6, start=start, duration=3600, every=WEEKLY)
    found = curve([item], 7 * 86_400, RATED, start=datetime(2026, 2, 11, tzinfo=UTC))
    monday = 5 * 86_400 + 8 * 3600
    assert found == [(0, 32), (monday, 6), (monday + 3600, 32)]


def test_sc_08_recurring_without_a_start_is_bound_to_the_day_or_to_the_week() -> None:
    def floating(every: Recurrency) -> Installed:
        payload = {
            "id": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Recurring",
            "recurrencyKind": every.value,
            "chargingSchedule": [
                {
                    "id": 1,
                    "chargingRateUnit": "A",
                    "duration": 3600,
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}],
                }
            ],
        }
        return Installed(1, parse_201(payload), NOON)

    midnight = datetime(2026, 2, 11, tzinfo=UTC)
    daily = curve([floating(DAILY)], 2 * 86_400, RATED, start=midnight)
    assert daily == [(0, 6), (3600, 32), (86_400, 6), (90_000, 32)]
    weekly = curve([floating(WEEKLY)], 7 * 86_400, RATED, start=midnight)
    monday = 5 * 86_400
    assert weekly == [(0, 32), (monday, 6), (monday + 3600, 32)]


def test_sc_08_recurring_profile_does_not_begin_before_its_first_cycle() -> None:
    """K01.FR.30."""
    item = put(1, Purpose.TX_DEFAULT, 6, start=later(3600), every=DAILY)
    assert curve([item], 7200, RATED) == [(0, 32), (3600, 6)]


def test_daily_recurrence_is_24_hours_also_when_clocks_change() -> None:
    """In Berlin 08:00 is 07:00 UTC until the 28th of March, and 06:00 UTC from the 29th on."""
    start = parse_stamp("2026-03-27T08:00:00+01:00")
    item = put(1, Purpose.TX_DEFAULT, 6, start=start, duration=3600, every=DAILY)
    midnight = datetime(2026, 3, 28, tzinfo=UTC)
    on, off = 7 * 3600, 8 * 3600
    found = curve([item], 2 * 86_400, RATED, start=midnight)
    assert found == [(0, 32), (on, 6), (off, 32), (86_400 + on, 6), (86_400 + off, 32)]


def test_sc_08_relative_schedule_counts_from_the_transaction_not_from_receipt() -> None:
    steps = [(0, 32), (1800, 16)]
    item = put(1, Purpose.TX_DEFAULT, steps, kind=Kind.RELATIVE, received=later(-9999))
    started = charging(transaction=Transaction("T", later(-1200)))
    assert curve([item], 3600, started) == [(0, 32), (600, 16)]


def test_sc_08_relative_schedule_is_shown_from_now_while_nothing_flows() -> None:
    item = put(1, Purpose.TX_DEFAULT, [(0, 32), (1800, 16)], kind=Kind.RELATIVE)
    for outlet in (Outlet(1), Outlet(1, transaction=Transaction("T"))):
        assert curve([item], 3600, outlet) == [(0, 32), (1800, 16)]


def test_relative_external_limit_counts_from_receipt() -> None:
    item = put(
        -1,
        Purpose.EXTERNAL,
        [(0, 6), (60, 10)],
        place=0,
        kind=Kind.RELATIVE,
        received=later(-20),
    )
    assert curve([item], 60, RATED) == [(0, 6), (40, 10)]


def test_sc_09_schedule_longer_than_its_cycle_is_cut() -> None:
    """1.6 errata 3.44."""
    steps = [(0, 10), (43_200, 20), (90_000, 30)]
    item = put(1, Purpose.TX_DEFAULT, steps, start=later(-86_400), duration=100_000, every=DAILY)
    assert curve([item], 86_400) == [(0, 10), (43_200, 20)]


def test_sc_09_rest_of_a_short_cycle_falls_back() -> None:
    """K01.FR.13, 1.6 errata 3.43."""
    low = put(1, Purpose.TX_DEFAULT, 25)
    item = put(2, Purpose.TX_DEFAULT, 10, level=1, start=NOON, duration=600, every=DAILY)
    assert curve([low, item], 86_400 + 900) == [
        (0, 10),
        (600, 25),
        (86_400, 10),
        (87_000, 25),
    ]


def test_sc_09_period_at_or_after_the_duration_is_not_executed() -> None:
    """K01.FR.11."""
    steps = [(0, 10), (60, 12), (120, 14)]
    item = put(1, Purpose.TX_DEFAULT, steps, start=NOON, duration=120)
    assert curve([item], 300, RATED) == [(0, 10), (60, 12), (120, 32)]


def test_schedule_of_no_duration_at_all_demands_nothing() -> None:
    item = put(1, Purpose.TX_DEFAULT, 10, duration=0)
    assert curve([item], 60, RATED) == [(0, 32)]


def test_fractions_of_a_second_leave_no_hole_between_receipt_and_question() -> None:
    item = put(1, Purpose.TX_DEFAULT, 10, start=later(0.7))
    schedule = composite([item], RATED, later(0.9), 60, Unit.A)
    assert limits(schedule) == [(0, 10)]
    assert schedule.start == NOON


# ---------------------------------------------------------------- units


@pytest.mark.parametrize(
    ("limit", "unit", "phases", "asked", "expected"),
    [
        (16, Unit.A, None, Unit.W, 11_040.0),
        (16, Unit.A, 1, Unit.W, 3_680.0),
        (11_040, Unit.W, None, Unit.A, 16.0),
        (3_680, Unit.W, 1, Unit.A, 16.0),
        (22_080, Unit.W, 3, Unit.A, 32.0),
        (10_000, Unit.W, 3, Unit.A, 14.4),
        (10_000, Unit.W, 2, Unit.A, 21.7),
    ],
)
def test_sc_10_conversion_takes_the_phases_of_the_period(
    limit: float, unit: Unit, phases: int | None, asked: Unit, expected: float
) -> None:
    """K01.FR.49-51, 1.6 errata 3.69: 3 phases where none is named."""
    steps = [(0, limit)] if phases is None else [(0, limit, phases)]
    item = put(1, Purpose.TX_DEFAULT, steps, unit=unit)
    assert only([item], unit=asked)[0] == expected


def test_sc_10_direct_current_is_converted_without_phases() -> None:
    item = put(1, Purpose.TX_DEFAULT, [(0, 125, 3)])
    outlet = charging(dc=True, voltage=400)
    assert only([item], outlet, unit=Unit.W) == (50_000, None, None)


def test_sc_11_more_phases_than_there_are_leave_the_current_as_it_is() -> None:
    """1.6 errata 3.34."""
    item = put(1, Purpose.TX_DEFAULT, [(0, 16, 3)])
    single = charging(phases=1)
    assert only([item], single) == (16, 1, None)
    assert only([item], single, unit=Unit.W) == (3_680, 1, None)


def test_profiles_in_both_units_are_compared_in_the_asked_one() -> None:
    items = [
        put(1, Purpose.TX_DEFAULT, 16),
        put(2, Purpose.MAX, 10_000, place=0, unit=Unit.W),
    ]
    assert only(items)[0] == 14.4
    assert only(items, unit=Unit.W)[0] == 10_000


def test_conversion_with_the_measured_voltage_is_a_choice() -> None:
    """Errata 2.40: K01.FR.50 with the set voltage, so the other one is a fault to test with."""
    item = put(1, Purpose.TX_DEFAULT, 10_000, unit=Unit.W)
    outlet = charging(measured_voltage=250.0)
    assert only([item], outlet)[0] == 14.4
    for options in (
        Options(conversion=Conversion.MEASURED),
        Options(mixed_units=MixedUnits.CONVERT_MEASURED),
    ):
        assert only([item], outlet, options)[0] == 13.3
    assert only([item], charging(), Options(conversion=Conversion.MEASURED))[0] == 14.4


def test_profiles_in_the_foreign_unit_can_be_ignored() -> None:
    items = [put(1, Purpose.TX_DEFAULT, 16), put(2, Purpose.MAX, 3000, place=0, unit=Unit.W)]
    ignoring = Options(mixed_units=MixedUnits.IGNORE_FOREIGN)
    assert only(items, options=ignoring)[0] == 16
    assert only(items, charging(dc=True), ignoring, Unit.W)[0] == 3000


def test_sc_13_unlisted_unit_can_be_accepted_and_never_applied() -> None:
    item = put(1, Purpose.TX_DEFAULT, 3000, unit=Unit.W)
    amps = frozenset({Unit.A})
    bug = Options(units=amps, unsupported_unit=UnsupportedUnit.ACCEPT_IGNORE)
    assert only([item], RATED, bug)[0] == 32
    good = Options(units=amps, unsupported_unit=UnsupportedUnit.CONVERT)
    assert only([item], RATED, good)[0] == 4.3


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [(Rounding.DOWN, 14.4), (Rounding.NEAREST, 14.5), (Rounding.RAW, 10_000 / 690)],
)
def test_converted_limits_are_rounded_as_chosen(rounding: Rounding, expected: float) -> None:
    item = put(1, Purpose.TX_DEFAULT, 10_000, unit=Unit.W)
    assert only([item], options=Options(rounding=rounding))[0] == pytest.approx(expected)


@pytest.mark.parametrize("tenths", range(0, 400, 7))
def test_limits_with_one_decimal_survive_rounding(tenths: int) -> None:
    limit = tenths / 10
    assert only([put(1, Purpose.TX_DEFAULT, limit)])[0] == limit


# ---------------------------------------------------------------- phases


def test_errata_21_fewest_phases_of_all_that_apply_count_whoever_limits() -> None:
    """2.0.1 errata 2.36."""
    most, own = put(1, Purpose.MAX, [(0, 32, 3)], place=0), put(2, Purpose.TX, [(0, 16, 1)])
    assert only([most, own]) == (16, 1, None)
    most, own = put(1, Purpose.MAX, [(0, 32, 1)], place=0), put(2, Purpose.TX, [(0, 16, 3)])
    assert only([most, own]) == (16, 1, None)
    assert only([most, own], unit=Unit.W) == (3_680, 1, None)


def test_edition_3_as_printed_takes_the_phases_of_the_lowest_limit() -> None:
    items = [put(1, Purpose.MAX, [(0, 32, 1)], place=0), put(2, Purpose.TX, [(0, 16, 3)])]
    printed = Options(baseline=Baseline.EDITION_3)
    assert only(items, options=printed) == (16, 3, None)


def test_default_that_is_replaced_has_no_say_in_the_phases() -> None:
    items = [put(1, Purpose.TX_DEFAULT, [(0, 10, 1)]), put(2, Purpose.TX, [(0, 16, 3)])]
    assert only(items) == (16, 3, None)


def test_change_of_phases_alone_begins_a_new_piece() -> None:
    item = put(1, Purpose.TX_DEFAULT, [(0, 16, 3), (60, 16, 1)], start=NOON)
    pieces = composite([item], charging(), NOON, 120, Unit.A).pieces
    assert [(piece.start, piece.phases) for piece in pieces] == [(0, 3), (60, 1)]


def test_phase_to_use_is_told_only_on_one_phase() -> None:
    """K01.FR.46."""
    own = put(1, Purpose.TX, [(0, 16, 1, 2)])
    assert only([own]) == (16, 1, 2)
    assert only([own], charging(dc=True)) == (16, None, None)


def test_phases_in_conflict_are_marked() -> None:
    items = [
        put(1, Purpose.MAX, [(0, 32, 1, 1)], place=0),
        put(2, Purpose.TX, [(0, 16, 1, 3)]),
    ]
    (piece,) = composite(items, charging(), NOON, 60, Unit.A).pieces
    assert piece.conflict
    assert piece.phase_to_use == 1


# ---------------------------------------------------------------- no profile, rating, options


def test_sc_19_without_a_profile_the_hardware_is_the_limit() -> None:
    assert only([], RATED) == (32, 3, None)
    assert only([], RATED, unit=Unit.W)[0] == 22_080
    assert only([], charging())[0] is None


def test_sc_19_a_site_may_have_a_default_or_block() -> None:
    site = Options(no_profile=NoProfile.SITE_DEFAULT, site_default=Rate(13, Unit.A))
    assert only([], RATED, site)[0] == 13
    assert only([], charging(), site)[0] == 13
    small = charging(rating=Rate(10, Unit.A))
    assert only([], small, site)[0] == 10
    assert only([], RATED, Options(no_profile=NoProfile.SITE_DEFAULT))[0] == 32
    assert only([], RATED, Options(no_profile=NoProfile("deny")))[0] == 0
    assert only([put(1, Purpose.TX_DEFAULT, 20)], RATED, site)[0] == 20


def test_rating_caps_limits_only_if_asked_to() -> None:
    item = put(1, Purpose.TX_DEFAULT, 999_999, unit=Unit.W)
    assert only([item], RATED, unit=Unit.W)[0] == 999_999
    assert only([item], RATED, Options(rating=RatingRole.CAP), Unit.W)[0] == 22_080
    assert only([item], charging(), Options(rating=RatingRole.CAP), Unit.W)[0] == 999_999


def test_equal_neighbours_are_joined_or_kept() -> None:
    item = put(1, Purpose.TX_DEFAULT, [(0, 16), (60, 16), (120, 10)], start=NOON)
    assert curve([item], 180) == [(0, 16), (120, 10)]
    kept = curve([item], 180, options=Options(coalesce=Coalesce.KEEP))
    assert kept == [(0, 16), (60, 16), (120, 10)]


def test_period_at_the_end_of_the_window_is_listed_if_chosen() -> None:
    item = put(1, Purpose.TX_DEFAULT, [(0, 16), (60, 10), (61, 6)], start=NOON)
    assert curve([item], 60) == [(0, 16)]
    inclusive = Options(period_edge=PeriodEdge.INCLUSIVE)
    assert curve([item], 60, options=inclusive) == [(0, 16), (60, 10)]


def test_window_of_no_length_says_what_holds_now() -> None:
    schedule = composite([put(1, Purpose.TX_DEFAULT, 16)], charging(), NOON, 0, Unit.A)
    assert (schedule.duration, limits(schedule)) == (0, [(0, 16)])


def test_one_of_several_schedules_is_combined_with_its_like() -> None:
    """K15.FR.22: first with first, second with second; others give the one that they have."""

    def choice(number: int, level: int, *given: float) -> Installed:
        item = put(number, Purpose.TX, given[0], level=level, transaction="T", duration=60)
        laid = tuple(
            type(item.profile.schedule)(Unit.A, periods(limit), 60 * (level or 2), NOON, id=number)
            for number, limit in enumerate(given)
        )
        profile = ChargingProfile(
            number, level, Purpose.TX, Kind.ABSOLUTE, laid, transaction_id="T"
        )
        return Installed(1, profile, NOON)

    items = [choice(1, 0, 20, 21, 22), choice(2, 1, 10, 11), put(3, Purpose.MAX, 30, place=0)]
    found = [
        limits(composite(items, charging(), NOON, 180, Unit.A, index=index)) for index in range(3)
    ]
    assert found == [
        [(0, 10), (60, 20), (120, 30)],
        [(0, 11), (60, 21), (120, 30)],
        [(0, 22), (120, 30)],
    ]


def test_schedule_tells_what_holds_at_an_offset() -> None:
    item = put(1, Purpose.TX_DEFAULT, [(0, 16), (60, 10)], start=NOON)
    schedule = composite([item], charging(), NOON, 120, Unit.A)
    assert [schedule.at(offset).limit for offset in (0, 59.9, 60, 500)] == [16, 16, 10, 10]
