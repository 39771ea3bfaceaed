"""Which profiles a station refuses, by which rule, and for which reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app.kernel.catalogue import Catalogue
from app.ocpp.shared.charging_profiles import (
    Baseline,
    Book,
    Conversion,
    Installed,
    Kind,
    Limits,
    MixedUnits,
    Offer,
    Options,
    Outlet,
    Period,
    Purpose,
    Rate,
    Reason,
    Recurrency,
    Refusal,
    Schedule,
    Source,
    Transaction,
    Unit,
    UnitsAcross,
    UnsupportedUnit,
    check_16,
    check_201,
    make_site,
)
from tests.app.ocpp.shared.build import NOON, later, put

LIMITS = Limits(stack_level=3, periods=4, profiles=5)
IDLE = Outlet(1, rating=Rate(32, Unit.A))
BUSY = Outlet(1, transaction=Transaction("T", NOON))
DC = Outlet(2, dc=True)
DEFAULT = put(10, Purpose.TX_DEFAULT, 16, place=1)
AMPS = Options(units=frozenset({Unit.A}))


def offer(
    new: Installed,
    *,
    book: Book | None = None,
    outlets: tuple[Outlet, ...] = (IDLE, DC),
    options: Options | None = None,
    starting: bool = False,
) -> Offer:
    site = make_site(outlets, voltage=230)
    return Offer(new, book or Book(), site, LIMITS, options or Options(), starting)


def changed(item: Installed, **fields: Any) -> Installed:
    """The installed profile with other values in the profile, or in its only schedule."""
    inner = {name: fields.pop(name) for name in list(fields) if name in Schedule.__slots__}
    schedule = replace(item.profile.schedule, **inner)
    return replace(item, profile=replace(item.profile, schedules=(schedule,), **fields))


@cache
def catalogue() -> Catalogue:
    return Catalogue.load()


def told(refusal: Refusal | None) -> str:
    """The sentence of a refusal, with nothing left out."""
    assert refusal is not None
    sentences = catalogue()
    assert refusal.text.id in sentences
    sentence = sentences.render(refusal.text)
    assert "{" not in sentence
    return sentence


BOTH_REFUSE = [
    pytest.param(put(1, Purpose.TX_DEFAULT, 6, level=4), "InvalidStackLevel", id="SC-12-level"),
    pytest.param(put(1, Purpose.TX_DEFAULT, 6, level=-1), "InvalidStackLevel", id="SC-12-below"),
    pytest.param(
        put(1, Purpose.TX_DEFAULT, [(n, 6) for n in range(5)]),
        "TooManyElements",
        id="SC-12-periods",
    ),
    pytest.param(put(1, Purpose.TX_DEFAULT, []), "InvalidSchedule", id="no-period"),
    pytest.param(put(1, Purpose.TX_DEFAULT, [(1, 6)]), "InvalidSchedule", id="SC-09-first"),
    pytest.param(
        put(1, Purpose.TX_DEFAULT, [(0, 6), (9, 7), (9, 8)]), "InvalidSchedule", id="SC-09-order"
    ),
    pytest.param(put(1, Purpose.TX_DEFAULT, -0.1), "InvalidSchedule", id="negative-limit"),
    pytest.param(put(1, Purpose.TX_DEFAULT, [(0, 6, 4)]), "InvalidSchedule", id="four-phases"),
    pytest.param(put(1, Purpose.TX_DEFAULT, [(0, 6, 0)]), "InvalidSchedule", id="no-phases"),
    pytest.param(put(1, Purpose.TX_DEFAULT, 6, duration=-1), "InvalidSchedule", id="duration"),
    pytest.param(
        put(1, Purpose.TX_DEFAULT, 6, valid=(NOON, NOON)), "InvalidProfile", id="validity"
    ),
    pytest.param(
        put(1, Purpose.TX_DEFAULT, 6, kind=Kind.RECURRING), "InvalidProfile", id="recurrency"
    ),
    pytest.param(put(1, Purpose.MAX, 6, place=1), "InvalidProfile", id="SC-04"),
    pytest.param(
        put(1, Purpose.TX, 6, place=0, transaction="T"), "InvalidProfile", id="SC-06-zero"
    ),
    pytest.param(put(1, Purpose.TX, 6, transaction="T"), "TxNotFound", id="SC-06-idle"),
    pytest.param(put(1, Purpose.TX_DEFAULT, 6, place=7), "UnknownEvse", id="unknown-place"),
]


@pytest.mark.parametrize(("new", "reason"), BOTH_REFUSE)
def test_both_versions_refuse(new: Installed, reason: str) -> None:
    for check in (check_16, check_201):
        refusal = check(offer(new))
        assert told(refusal)
        assert refusal is not None
        assert refusal.reason == reason


BOTH_TAKE = [
    DEFAULT,
    put(1, Purpose.TX_DEFAULT, 6, place=0, level=3, valid=(NOON, later(1))),
    put(1, Purpose.MAX, 0, place=0, unit=Unit.W),
    put(1, Purpose.TX_DEFAULT, [(0, 6, 1), (9, 7, 3)], every=Recurrency.DAILY, duration=0),
    put(1, Purpose.TX_DEFAULT, 6, kind=Kind.RELATIVE, min_rate=8.0),
]


@pytest.mark.parametrize("new", BOTH_TAKE)
def test_both_versions_take(new: Installed) -> None:
    """SC-14 too: minChargingRate is a hint, and no reason to refuse."""
    assert check_16(offer(new)) is None
    assert check_201(offer(new)) is None


def test_sc_06_profile_for_the_running_transaction_is_taken() -> None:
    new = put(1, Purpose.TX, 6, transaction="T")
    for check in (check_16, check_201):
        assert check(offer(new, outlets=(BUSY,))) is None
        wrong = check(offer(put(1, Purpose.TX, 6, transaction="U"), outlets=(BUSY,)))
        assert "U" in told(wrong)


def test_sc_06_16_may_leave_the_transaction_out() -> None:
    new = put(1, Purpose.TX, 6)
    assert check_16(offer(new, outlets=(BUSY,))) is None
    refusal = check_201(offer(new, outlets=(BUSY,)))
    assert refusal is not None
    assert (refusal.rule, refusal.reason) == ("K01.FR.03", Reason.MISSING_PARAM)
    assert told(refusal)


def test_16_unknown_connector_is_a_call_error() -> None:
    """1.6 errata 3.39."""
    refusal = check_16(offer(put(1, Purpose.TX_DEFAULT, 6, place=3)))
    assert refusal is not None
    assert refusal.call_error == "PropertyConstraintViolation"
    other = check_201(offer(put(1, Purpose.TX_DEFAULT, 6, place=3)))
    assert other is not None
    assert (other.rule, other.call_error) == ("K01.FR.28", None)


def full() -> Book:
    return Book(tuple(put(n, Purpose.TX_DEFAULT, 6, place=2, level=n % 4) for n in range(20, 25)))


def test_sc_12_one_profile_more_than_fits_is_refused_but_a_replacement_is_not() -> None:
    fresh = put(1, Purpose.TX_DEFAULT, 6)
    known = put(22, Purpose.TX_DEFAULT, 9, place=1, level=2)
    for check in (check_16, check_201):
        refusal = check(offer(fresh, book=full()))
        assert refusal is not None
        assert refusal.reason is Reason.TOO_MANY_ELEMENTS
        assert told(refusal)
        assert check(offer(known, book=full())) is None
    same_rung = put(1, Purpose.TX_DEFAULT, 6, place=2, level=3)
    assert check_16(offer(same_rung, book=full())) is None


def test_sc_12_book_that_is_too_full_already_takes_replacements() -> None:
    small = replace(
        offer(put(22, Purpose.TX_DEFAULT, 9, level=2), book=full()), limits=Limits(3, 4, 2)
    )
    assert check_16(small) is None


# ---------------------------------------------------------------- units


@pytest.mark.parametrize(
    ("choice", "taken"),
    [
        (UnsupportedUnit.REJECT, False),
        (UnsupportedUnit.CONVERT, True),
        (UnsupportedUnit.ACCEPT_IGNORE, True),
    ],
)
def test_sc_13_16_unlisted_unit_is_as_chosen(choice: UnsupportedUnit, taken: bool) -> None:
    new = put(1, Purpose.TX_DEFAULT, 6000, unit=Unit.W)
    refusal = check_16(offer(new, options=replace(AMPS, unsupported_unit=choice)))
    assert (refusal is None) == taken
    if refusal is not None:
        assert "W" in told(refusal)


def test_sc_13_201_unlisted_unit_is_always_refused() -> None:
    """K01.FR.26."""
    new = put(1, Purpose.TX_DEFAULT, 6000, unit=Unit.W)
    options = replace(AMPS, unsupported_unit=UnsupportedUnit.CONVERT)
    refusal = check_201(offer(new, options=options))
    assert refusal is not None
    assert (refusal.rule, refusal.reason) == ("K01.FR.26", Reason.UNSUPPORTED_RATE_UNIT)
    assert told(refusal)


@pytest.mark.parametrize(
    "options",
    [Options(mixed_units=MixedUnits.REJECT_SECOND), Options(units_across=UnitsAcross.REJECT)],
)
def test_station_may_refuse_a_second_unit(options: Options) -> None:
    new = put(1, Purpose.MAX, 6000, place=0, unit=Unit.W)
    refusal = check_201(offer(new, book=Book((DEFAULT,)), options=options))
    assert told(refusal)
    assert check_201(offer(new, options=options)) is None
    assert check_201(offer(new, book=Book((DEFAULT,)))) is None
    same = put(10, Purpose.MAX, 6000, place=0, unit=Unit.W)
    assert check_201(offer(same, book=Book((DEFAULT,)), options=options)) is None


def test_station_that_does_not_convert_takes_its_own_unit_only() -> None:
    options = Options(conversion=Conversion.NONE)
    watts = put(1, Purpose.TX_DEFAULT, 6000, unit=Unit.W)
    assert "A" in told(check_201(offer(watts, options=options)))
    assert check_201(offer(replace(watts, place=2), options=options)) is None
    assert check_201(offer(DEFAULT, options=options)) is None


# ---------------------------------------------------------------- 2.0.1


def test_201_external_limits_are_not_for_the_back_office() -> None:
    """K01.FR.22 and K01.FR.05."""
    refusal = check_201(offer(put(1, Purpose.EXTERNAL, 6, place=0)))
    assert refusal is not None
    assert refusal.rule == "K01.FR.22"
    assert told(refusal)
    local = Book((put(-1, Purpose.EXTERNAL, 6, place=0, source=Source.EMS),))
    clash = check_201(offer(put(-1, Purpose.TX_DEFAULT, 6), book=local))
    assert clash is not None
    assert clash.rule == "K01.FR.05"
    assert told(clash)


def test_201_only_profiles_for_a_transaction_name_one() -> None:
    refusal = check_201(offer(put(1, Purpose.TX_DEFAULT, 6, transaction="T")))
    assert told(refusal)
    assert check_16(offer(put(1, Purpose.TX_DEFAULT, 6, transaction=5))) is None


def test_sc_08_201_kinds_and_their_starts() -> None:
    relative = put(1, Purpose.TX_DEFAULT, 6, kind=Kind.RELATIVE)
    cases = {
        "K01.FR.38": put(1, Purpose.MAX, 6, place=0, kind=Kind.RELATIVE),
        "K01.FR.40": changed(DEFAULT, start=None),
        "K01.FR.41": changed(relative, start=NOON),
    }
    for rule, new in cases.items():
        refusal = check_201(offer(new))
        assert refusal is not None
        assert refusal.rule == rule
        assert told(refusal)
        assert check_16(offer(new)) is None


def with_schedules(count: int, purpose: Purpose = Purpose.TX) -> Installed:
    item = put(1, purpose, 6, transaction="T" if purpose is Purpose.TX else None)
    laid = tuple(replace(item.profile.schedule, id=number) for number in range(count))
    return replace(item, profile=replace(item.profile, schedules=laid))


def test_sc_26_several_schedules_only_for_a_car_that_told_its_needs() -> None:
    """K01.FR.34."""
    talking = replace(BUSY, high_level=True)
    assert check_201(offer(with_schedules(3), outlets=(talking,))) is None
    refusal = check_201(offer(with_schedules(2), outlets=(BUSY,)))
    assert refusal is not None
    assert refusal.rule == "K01.FR.34"
    assert told(refusal)
    default = with_schedules(2, Purpose.TX_DEFAULT)
    assert told(check_201(offer(default, outlets=(talking,))))


def test_errata_25_profile_before_the_needs_comes_too_early() -> None:
    """K15.FR.17."""
    waiting = replace(BUSY, needs_awaited=True)
    refusal = check_201(offer(with_schedules(1), outlets=(waiting,)))
    assert refusal is not None
    assert refusal.reason is Reason.INVALID_MESSAGE_SEQ
    assert told(refusal)
    assert check_201(offer(DEFAULT, outlets=(waiting,))) is None


DUPLICATES = [
    ("K01.FR.06", DEFAULT, put(1, Purpose.TX_DEFAULT, 6, place=1)),
    (
        "K01.FR.06",
        put(10, Purpose.MAX, 6, place=0, valid=(None, later(60))),
        put(1, Purpose.MAX, 6, place=0, valid=(later(59), None)),
    ),
    ("K01.FR.52", DEFAULT, put(1, Purpose.TX_DEFAULT, 6, place=0)),
    ("K01.FR.53", put(10, Purpose.TX_DEFAULT, 6, place=0), put(1, Purpose.TX_DEFAULT, 6, place=1)),
    ("K01.FR.39", put(10, Purpose.TX, 6, transaction="T"), put(1, Purpose.TX, 8, transaction="T")),
]


@pytest.mark.parametrize(("rule", "old", "new"), DUPLICATES)
def test_201_two_profiles_on_one_rung_are_refused(
    rule: str, old: Installed, new: Installed
) -> None:
    refusal = check_201(offer(new, book=Book((old,)), outlets=(BUSY, DC)))
    assert refusal is not None
    assert (refusal.rule, refusal.reason) == (rule, Reason.DUPLICATE_PROFILE)
    assert told(refusal)
    assert check_16(offer(new, book=Book((old,)), outlets=(BUSY, DC))) is None
    same_id = replace(new, profile=replace(new.profile, id=old.profile.id))
    assert check_201(offer(same_id, book=Book((old,)), outlets=(BUSY, DC))) is None


NO_DUPLICATES = [
    (DEFAULT, put(1, Purpose.TX_DEFAULT, 6, place=1, level=1)),
    (DEFAULT, put(1, Purpose.TX_DEFAULT, 6, place=2)),
    (
        put(10, Purpose.MAX, 6, place=0, valid=(None, later(60))),
        put(1, Purpose.MAX, 6, place=0, valid=(later(60), None)),
    ),
    (
        put(-1, Purpose.EXTERNAL, 6, place=0, source=Source.EMS),
        put(1, Purpose.MAX, 6, place=0),
    ),
    (put(10, Purpose.TX, 6, transaction="U"), put(1, Purpose.TX, 8, transaction="T")),
]


@pytest.mark.parametrize(("old", "new"), NO_DUPLICATES)
def test_201_profiles_that_never_lead_at_once_are_no_duplicates(
    old: Installed, new: Installed
) -> None:
    assert check_201(offer(new, book=Book((old,)), outlets=(BUSY, DC))) is None


# ---------------------------------------------------------------- phases (errata #20)


def test_errata_20_phase_to_use_where_it_cannot_be_chosen() -> None:
    """K01.FR.46 and K01.FR.48."""
    new = put(1, Purpose.TX_DEFAULT, [(0, 16, 1, 2)])
    refusal = check_201(offer(new))
    assert refusal is not None
    assert refusal.rule == "K01.FR.48"
    assert told(refusal)
    assert check_201(offer(new, outlets=(replace(IDLE, switches_phase=True),))) is None
    assert check_201(offer(new, outlets=(replace(IDLE, wired_phase=2),))) is None
    assert check_201(offer(new, outlets=(replace(IDLE, wired_phase=3),))) is not None


def test_phase_to_use_needs_one_phase_and_a_phase_that_exists() -> None:
    """K01.FR.19."""
    able = replace(IDLE, switches_phase=True)
    for phases in (None, 3):
        period = Period(0, 16, phases, 2)
        refusal = check_201(offer(changed(DEFAULT, periods=(period,)), outlets=(able,)))
        assert refusal is not None
        assert refusal.rule == "K01.FR.19"
        assert told(refusal)
    stranger = put(1, Purpose.TX_DEFAULT, [(0, 16, 1, 4)])
    assert "4" in told(check_201(offer(stranger, outlets=(able,))))


def test_errata_20_direct_current_ignores_phases() -> None:
    """K01.FR.44."""
    assert check_201(offer(put(1, Purpose.TX_DEFAULT, [(0, 16, 1, 2)], place=2))) is None


def test_errata_20_fewer_phases_than_the_outlet_can_keep_to_are_refused() -> None:
    """K01.FR.43; K01.FR.45: more than it has are taken."""
    rigid = replace(IDLE, limits_phases=False)
    one = put(1, Purpose.TX_DEFAULT, [(0, 16, 1)])
    refusal = check_201(offer(one, outlets=(rigid,)))
    assert refusal is not None
    assert refusal.rule == "K01.FR.43"
    assert told(refusal)
    assert check_201(offer(one)) is None
    single = replace(rigid, phases=1)
    assert check_201(offer(put(1, Purpose.TX_DEFAULT, [(0, 16, 3)]), outlets=(single,))) is None
    assert check_201(offer(DEFAULT, outlets=(rigid,))) is None


def test_profile_for_the_station_must_suit_every_outlet() -> None:
    new = put(1, Purpose.TX_DEFAULT, [(0, 16, 1)], place=0)
    outlets = (IDLE, replace(IDLE, id=3, limits_phases=False))
    assert check_201(offer(new, outlets=outlets)) is not None


ABLE = replace(BUSY, switches_phase=True)


def phase(
    purpose: Purpose, steps: Any, place: int = 1, start: datetime | None = None, **more: Any
) -> Installed:
    transaction = "T" if purpose is Purpose.TX else None
    return put(1, purpose, steps, place=place, start=start, transaction=transaction, **more)


def clash(new: Installed, old: Installed, outlet: Outlet = ABLE, **options: Any) -> Refusal | None:
    old = replace(old, profile=replace(old.profile, id=10))
    found = check_201(offer(new, book=Book((old,)), outlets=(outlet,), options=Options(**options)))
    if found is not None:
        assert found.rule.startswith("3.7")
        assert told(found)
    return found


def test_errata_21_profiles_that_want_different_phases_at_one_time_conflict() -> None:
    """2.0.1 errata 2.36."""
    most = phase(Purpose.MAX, [(0, 32, 1, 1)], place=0)
    own = phase(Purpose.TX, [(0, 16, 1, 3)])
    assert clash(own, most) is not None
    assert clash(most, own) is not None
    assert clash(own, most, baseline=Baseline.EDITION_3) is None
    assert clash(phase(Purpose.TX, [(0, 16, 1, 1)]), most) is None
    assert clash(phase(Purpose.TX, [(0, 16, 1)]), most) is None


def test_errata_21_different_phases_at_different_times_do_not_conflict() -> None:
    most = phase(Purpose.MAX, [(0, 32, 1, 1)], place=0, start=NOON, duration=3600)
    after = phase(Purpose.TX, [(0, 16, 1, 3)], start=later(3600))
    during = phase(Purpose.TX, [(0, 16, 1, 3)], start=later(3599))
    assert clash(after, most) is None
    assert clash(during, most) is not None


def test_errata_21_recurring_profiles_meet_at_some_time_of_the_week() -> None:
    morning = phase(
        Purpose.MAX, [(0, 32, 1, 1)], place=0, duration=3600, every=Recurrency.DAILY, start=NOON
    )
    friday = phase(
        Purpose.TX_DEFAULT,
        [(0, 16, 1, 2)],
        duration=3600,
        every=Recurrency.WEEKLY,
        start=later(2 * 86_400 - 1800),
    )
    apart = changed(friday, start=later(2 * 86_400 + 3600))
    assert clash(friday, morning) is not None
    assert clash(apart, morning) is None


def test_errata_21_what_cannot_be_known_counts_as_a_conflict() -> None:
    """A relative schedule whose start lies ahead, or an end too far away to look at."""
    most = phase(Purpose.MAX, [(0, 32, 1, 1)], place=0, start=NOON, duration=60)
    relative = phase(Purpose.TX, [(0, 16), (600, 16, 1, 3)], kind=Kind.RELATIVE)
    waiting = replace(ABLE, transaction=Transaction("T"))
    assert clash(relative, most, waiting) is not None
    assert clash(relative, most) is None
    default = phase(Purpose.TX_DEFAULT, [(0, 16, 1, 3)], kind=Kind.RELATIVE)
    assert clash(default, most) is not None
    far = phase(Purpose.TX, [(0, 16, 1, 3)], start=later(500 * 86_400))
    assert clash(far, most) is not None


def test_errata_21_default_and_profile_of_the_transaction_never_lead_together() -> None:
    default = phase(Purpose.TX_DEFAULT, [(0, 16, 1, 3)])
    own = phase(Purpose.TX, [(0, 16, 1, 2)])
    assert clash(own, default) is None
    assert clash(own, replace(phase(Purpose.MAX, [(0, 16, 1, 3)]), place=2)) is None


# ---------------------------------------------------------------- remote start


def test_remote_start_takes_a_profile_for_its_transaction() -> None:
    """K05.FR.02 and F01.FR.11; 1.6 errata 3.41."""
    for check in (check_16, check_201):
        assert check(offer(put(1, Purpose.TX, 6), starting=True)) is None
        assert check(offer(put(1, Purpose.TX, 6, place=0), starting=True)) is None
        assert told(check(offer(DEFAULT, starting=True)))
        named = check(offer(put(1, Purpose.TX, 6, transaction="T"), starting=True))
        assert told(named)
        assert told(check(offer(put(1, Purpose.TX, -6), starting=True)))


def test_station_can_take_its_maximum_on_an_outlet_against_the_specification() -> None:
    """SC-04: K04.FR.03 forbids it."""
    new = put(1, Purpose.MAX, 6, place=1)
    assert check_201(offer(new, options=Options(max_on_outlet=True))) is None


def test_every_refusal_has_a_sentence_and_every_sentence_a_refusal() -> None:
    root = Path(__file__).parents[4]
    source = "".join(
        path.read_text("utf-8") for path in sorted((root / "app/ocpp/shared/charging").glob("*.py"))
    )
    toml = (root / "resources/translations/en/smart.toml").read_text("utf-8")
    named = {line.split('"')[1] for line in toml.splitlines() if line.startswith('"')}
    refused = {name.split(".")[-1] for name in named if name.startswith("smart.refused.")}
    assert all(f'"{key}"' in source for key in refused)
