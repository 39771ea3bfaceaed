"""Who wins at an instant, and why each of the others does not."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from app.kernel.catalogue import Catalogue
from app.ocpp.shared.charging_profiles import (
    Algorithm,
    Coalesce,
    Installed,
    Kind,
    MixedUnits,
    Options,
    Outlet,
    Purpose,
    Rate,
    Recurrency,
    Standing,
    Unit,
    limit_at,
)
from tests.app.ocpp.shared.build import NOON, charging, later, put

RATED = charging(rating=Rate(32, Unit.A))


@cache
def sentences() -> Catalogue:
    return Catalogue.load()


def standings(
    items: list[Installed], outlet: Outlet = RATED, options: Options | None = None, at: float = 0
) -> dict[int, tuple[Standing, float | None]]:
    ladder = limit_at(items, outlet, later(at), Unit.A, options)
    for rung in ladder.rungs:
        assert rung.text.id in sentences()
    return {rung.installed.profile.id: (rung.standing, rung.limit) for rung in ladder.rungs}


def test_each_purpose_has_its_leader_and_the_lowest_wins() -> None:
    items = [
        put(1, Purpose.TX_DEFAULT, 20),
        put(2, Purpose.TX_DEFAULT, 25, level=1),
        put(3, Purpose.MAX, 16, place=0),
        put(4, Purpose.EXTERNAL, 30, place=0),
    ]
    assert standings(items) == {
        4: (Standing.HIGHER, 30),
        3: (Standing.WINS, 16),
        2: (Standing.HIGHER, 25),
        1: (Standing.OVERRULED, 20),
    }
    assert list(standings(items)) == [4, 3, 2, 1]


def test_profile_of_the_transaction_replaces_the_default() -> None:
    items = [put(1, Purpose.TX_DEFAULT, 6), put(2, Purpose.TX, 20, transaction="T")]
    assert standings(items)[1] == (Standing.REPLACED, 6)
    together = Options(algorithm=Algorithm.MIN_OF_ALL)
    assert standings(items, options=together)[1] == (Standing.WINS, 6)


def test_reasons_of_those_that_say_nothing_now() -> None:
    items = [
        put(1, Purpose.TX_DEFAULT, 6, level=1, valid=(later(1), None)),
        put(2, Purpose.TX_DEFAULT, 6, level=2, valid=(None, NOON)),
        put(3, Purpose.TX_DEFAULT, 6, level=3, start=later(60)),
        put(4, Purpose.TX_DEFAULT, 6, level=4, start=later(-60), duration=60),
        put(
            5,
            Purpose.TX_DEFAULT,
            6,
            level=5,
            start=later(-86_400 - 60),
            duration=60,
            every=Recurrency.DAILY,
        ),
        put(6, Purpose.TX_DEFAULT, 6, level=6, start=later(60), every=Recurrency.DAILY),
        put(7, Purpose.TX, 6, transaction="U"),
        put(8, Purpose.TX_DEFAULT, 8, place=0, level=5),
        put(9, Purpose.TX_DEFAULT, 9, place=2),
    ]
    assert {number: standing for number, (standing, _) in standings(items).items()} == {
        1: Standing.WAITING,
        2: Standing.OVER,
        3: Standing.WAITING,
        4: Standing.OVER,
        5: Standing.SILENT,
        6: Standing.WAITING,
        7: Standing.OTHER_TRANSACTION,
        8: Standing.MASKED,
    }


def test_unit_that_the_station_passes_over_is_said() -> None:
    items = [put(1, Purpose.TX_DEFAULT, 3000, unit=Unit.W)]
    options = Options(mixed_units=MixedUnits.IGNORE_FOREIGN)
    assert standings(items, options=options)[1] == (Standing.PASSED_OVER, 4.3)


def test_ladder_says_until_when_the_limit_holds() -> None:
    item = put(1, Purpose.TX_DEFAULT, [(0, 16), (60, 16), (120, 10)], start=NOON)
    ladder = limit_at([item], RATED, later(30.5), Unit.A)
    assert (ladder.limit, ladder.leading, ladder.at) == (16, item, later(30))
    assert ladder.until == later(120)
    kept = Options(coalesce=Coalesce.KEEP)
    assert limit_at([item], RATED, later(30.5), Unit.A, kept).until == later(120)
    assert limit_at([item], RATED, later(120), Unit.A).until is None
    assert limit_at([item], RATED, NOON, Unit.A, horizon=0).until is None


def test_ladder_without_profiles_shows_the_hardware() -> None:
    ladder = limit_at([], RATED, NOON, Unit.W)
    assert (ladder.limit, ladder.leading, ladder.rungs) == (22_080, None, ())


def test_relative_default_begins_with_the_charging() -> None:
    item = put(1, Purpose.TX_DEFAULT, [(0, 16), (60, 10)], kind=Kind.RELATIVE)
    assert standings([item], at=61)[1] == (Standing.WINS, 10)
    idle = replace(RATED, transaction=None)
    assert standings([item], idle, at=61)[1] == (Standing.WINS, 16)
