"""Which profiles stay, go, and are found."""

from __future__ import annotations

from app.ocpp.shared.charging_profiles import (
    Book,
    Change,
    Installed,
    Purpose,
    Source,
    Transaction,
    reports,
)
from tests.app.ocpp.shared.build import later, put

MAX = put(1, Purpose.MAX, 32, place=0)
EVERYWHERE = put(2, Purpose.TX_DEFAULT, 16, place=0)
HERE = put(3, Purpose.TX_DEFAULT, 10, place=1)
RUNNING = put(4, Purpose.TX, 20, place=1, transaction="T")
LOCAL = put(-1, Purpose.EXTERNAL, 6, place=0, source=Source.EMS)
BOOK = Book((MAX, EVERYWHERE, HERE, RUNNING, LOCAL))


def ids(items: tuple[Installed, ...] | Book | list[Installed]) -> list[int]:
    return [item.profile.id for item in items]


def gone(change: Change) -> list[int]:
    assert {*ids(change.book), *ids(change.removed)} >= set(ids(BOOK)) - {99}
    return ids(change.removed)


def test_sc_07_same_id_replaces_wherever_it_stood() -> None:
    new = put(3, Purpose.MAX, 8, place=0, level=4)
    for change in (BOOK.install_16(new), BOOK.install_201(new)):
        assert ids(change.removed) == [3]
        assert ids(change.book) == [1, 2, 4, -1, 3]


def test_sc_07_16_same_level_and_purpose_on_that_connector_is_replaced_at_once() -> None:
    """Even if the new one is not valid yet: that gap is what the specification asks for."""
    new = put(9, Purpose.TX_DEFAULT, 8, place=1, valid=(later(1000), None))
    assert ids(BOOK.install_16(new).removed) == [3]
    assert ids(BOOK.install_201(new).removed) == []
    assert ids(BOOK.install_16(put(9, Purpose.TX_DEFAULT, 8, place=2)).removed) == []
    assert ids(BOOK.install_16(put(9, Purpose.TX_DEFAULT, 8, place=1, level=1)).removed) == []


def test_limits_of_others_are_not_replaced_by_the_back_office() -> None:
    """K01.FR.05."""
    assert ids(BOOK.install_201(put(-1, Purpose.TX_DEFAULT, 8, level=1)).removed) == []
    assert ids(BOOK.install_16(put(-1, Purpose.TX_DEFAULT, 8, level=1)).removed) == []


def test_back_office_replaces_external_limit_of_its_own_where_that_is_allowed() -> None:
    own = put(50, Purpose.EXTERNAL, 8, place=0)
    book = Book((own,))
    assert ids(book.install_201(put(50, Purpose.EXTERNAL, 6, place=0)).removed) == [50]


def test_new_limit_of_an_energy_manager_replaces_its_old_one_only() -> None:
    new = put(-1, Purpose.EXTERNAL, 8, place=0, source=Source.EMS)
    assert ids(BOOK.install_local(new).removed) == [-1]
    other = put(-1, Purpose.EXTERNAL, 8, place=0, source=Source.SO)
    assert ids(BOOK.install_local(other).removed) == []


def test_sc_17_all_given_filters_must_match() -> None:
    assert gone(BOOK.clear(purpose=Purpose.TX_DEFAULT)) == [2, 3]
    assert gone(BOOK.clear(purpose=Purpose.TX_DEFAULT, place=0)) == [2]
    assert gone(BOOK.clear(place=1)) == [3, 4]
    assert gone(BOOK.clear(level=0, place=1, purpose=Purpose.TX)) == [4]
    assert gone(BOOK.clear(level=1)) == []
    assert gone(BOOK.clear()) == [1, 2, 3, 4]


def test_sc_17_external_limits_are_never_cleared_by_the_back_office() -> None:
    """K10.FR.08 and K10.FR.09: Unknown."""
    assert not BOOK.clear(profile_id=-1).cleared
    assert not BOOK.clear(purpose=Purpose.EXTERNAL).cleared


def test_sc_22_external_limit_is_lifted_by_who_set_it() -> None:
    assert gone(BOOK.clear_local(Source.SO)) == []
    assert gone(BOOK.clear_local(Source.EMS, place=1)) == []
    assert gone(BOOK.clear_local(Source.EMS)) == [-1]
    assert gone(BOOK.clear_local(Source.EMS, place=0)) == [-1]


def test_sc_06_profiles_of_a_transaction_go_when_it_ends() -> None:
    """K02.FR.05."""
    assert gone(BOOK.ended(1, "T")) == [4]
    assert gone(BOOK.ended(1, "U")) == []
    assert gone(BOOK.ended(2, "T")) == []
    remote = BOOK.install_201(put(5, Purpose.TX, 8, place=1, level=1)).book
    assert ids(remote.ended(1, None).removed) == [5]


def test_profile_of_a_remote_start_learns_the_id_of_its_transaction() -> None:
    book = BOOK.install_16(put(5, Purpose.TX, 8, place=1, level=1)).book
    assert [i.profile.transaction_id for i in book.bind(1, 77)] == [None, None, None, "T", None, 77]
    assert book.bind(2, 77) == book


def test_profiles_of_transactions_that_run_no_more_are_dropped() -> None:
    assert gone(BOOK.orphans([(1, Transaction("T"))])) == []
    assert gone(BOOK.orphans([(1, Transaction("U")), (2, Transaction("T"))])) == [4]
    assert gone(BOOK.orphans([])) == [4]


def test_sc_25_place_0_means_the_station_itself() -> None:
    assert ids(BOOK.matching()) == [1, 2, 3, 4, -1]
    assert ids(BOOK.matching(place=0)) == [1, 2, -1]
    assert ids(BOOK.matching(place=1)) == [3, 4]


def test_sc_24_profiles_are_found_by_id_purpose_level_and_source() -> None:
    assert ids(BOOK.matching(ids=[4, 1])) == [1, 4]
    assert ids(BOOK.matching(purpose=Purpose.MAX)) == [1]
    assert ids(BOOK.matching(level=3)) == []
    assert ids(BOOK.matching(sources=[Source.EMS, Source.SO])) == [-1]


def test_sc_24_one_report_for_each_place_and_source() -> None:
    found = [(place, source, ids(items)) for place, source, items in reports(BOOK)]
    assert found == [
        (0, Source.CSO, [1, 2]),
        (1, Source.CSO, [3, 4]),
        (0, Source.EMS, [-1]),
    ]
    assert reports([]) == []


def test_profile_is_found_by_its_id() -> None:
    assert BOOK.find(3) is HERE
    assert BOOK.find(12) is None
    assert len(BOOK) == 5
