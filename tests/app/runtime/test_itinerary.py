"""The order of attempts: ways, passwords, certificates and roots."""

from __future__ import annotations

from app.ocpp.personality import LinkPlan, Setback, Way
from app.runtime.itinerary import Itinerary, Leg

ONE, TWO, THREE = Way(1), Way(2), Way(3)


def slots(itinerary: Itinerary, plan: LinkPlan, times: int) -> list[int]:
    """The ways of the next attempts, all of which fail."""
    found = []
    for _ in range(times):
        found.append(itinerary.leg(plan).way.slot)
        itinerary.failed(Setback.UNREACHABLE)
    return found


def test_B10_FR_03_each_way_has_its_attempts_and_then_it_begins_anew() -> None:
    plan = LinkPlan((ONE, TWO), ONE, attempts=2)
    assert slots(Itinerary(), plan, 9) == [1, 1, 2, 2, 1, 1, 2, 2, 1]


def test_B10_FR_07_the_last_good_one_comes_behind_those_that_are_named() -> None:
    plan = LinkPlan((TWO, THREE), ONE, attempts=1)
    assert slots(Itinerary(), plan, 7) == [2, 3, 1, 2, 3, 1, 2]


def test_attempts_of_0_count_as_one() -> None:
    assert slots(Itinerary(), LinkPlan((ONE, TWO), attempts=0), 3) == [1, 2, 1]


def test_after_a_success_a_loss_begins_with_the_way_that_worked() -> None:
    itinerary, plan = Itinerary(), LinkPlan((ONE, TWO), attempts=1)
    assert slots(itinerary, plan, 1) == [1]
    assert itinerary.leg(plan).way == TWO
    itinerary.worked()
    assert slots(itinerary, plan, 3) == [2, 1, 2]


def test_a_change_that_counts_at_once_is_tried_first() -> None:
    itinerary = Itinerary()
    itinerary.leg(LinkPlan((ONE,)))
    itinerary.worked()
    assert slots(itinerary, LinkPlan((TWO, ONE), ONE, attempts=1), 3) == [2, 1, 2]


def test_ways_that_are_gone_leave_it_on_the_one_it_is_on() -> None:
    itinerary, plan = Itinerary(), LinkPlan((ONE, TWO, THREE), attempts=1)
    slots(itinerary, plan, 2)
    itinerary.leg(plan)
    itinerary.worked()
    assert itinerary.leg(LinkPlan((TWO, THREE))).way == THREE


def test_only_a_refusal_brings_the_former_password_back() -> None:
    itinerary, plan = Itinerary(), LinkPlan(passwords=(b"new", b"old"))
    for setback in (Setback.UNREACHABLE, Setback.OTHER, Setback.SERVER_CERTIFICATE):
        itinerary.leg(plan)
        itinerary.failed(setback)
        assert itinerary.leg(plan).password == 0
    itinerary.failed(Setback.CREDENTIALS)
    assert itinerary.leg(plan).password == 1
    itinerary.failed(Setback.CREDENTIALS)
    assert itinerary.leg(plan).password == 0
    itinerary.failed(Setback.CREDENTIALS)
    assert itinerary.leg(LinkPlan(passwords=(b"newest", b"old"))).password == 0


def test_A02_FR_28_the_other_certificate_is_shown_after_a_round_in_which_somebody_refused() -> None:
    itinerary, plan = Itinerary(), LinkPlan((ONE, TWO), attempts=2)
    seen = []
    for _ in range(9):
        seen.append(itinerary.leg(plan).own)
        itinerary.failed(Setback.OTHER, own=2)
    assert seen == [0] * 4 + [1] * 4 + [0]


def test_a_round_in_which_nobody_was_there_is_no_reason_to_change_the_certificate() -> None:
    itinerary, plan = Itinerary(), LinkPlan(attempts=1)
    for _ in range(3):
        itinerary.leg(plan)
        itinerary.failed(Setback.UNREACHABLE, own=2)
    assert itinerary.own == 0


def test_a_newer_certificate_is_shown_next() -> None:
    itinerary, plan = Itinerary(), LinkPlan(attempts=1)
    itinerary.leg(plan)
    itinerary.failed(Setback.OTHER, own=2)
    assert itinerary.own == 1
    itinerary.own_changed()
    assert itinerary.leg(plan).own == 0


def test_M05_FR_14_the_root_before_is_tried_at_once_and_only_for_that() -> None:
    itinerary, plan = Itinerary(), LinkPlan((ONE,), ONE)
    itinerary.leg(plan)
    assert itinerary.failed(Setback.SERVER_CERTIFICATE, old_root=True)
    assert itinerary.leg(plan) == Leg(ONE, old_root=True)
    assert not itinerary.failed(Setback.SERVER_CERTIFICATE, old_root=True)
    assert not itinerary.leg(plan).old_root
    assert not itinerary.failed(Setback.OTHER, old_root=True)
    assert not itinerary.failed(Setback.SERVER_CERTIFICATE, old_root=False)


def test_M05_FR_15_on_the_way_to_another_back_office_the_root_before_does_not_count() -> None:
    itinerary, plan = Itinerary(), LinkPlan((TWO, ONE), ONE, attempts=1)
    itinerary.leg(plan)
    assert not itinerary.failed(Setback.SERVER_CERTIFICATE, old_root=True)
    assert itinerary.leg(plan).way == ONE
    assert itinerary.failed(Setback.SERVER_CERTIFICATE, old_root=True)  # M05.FR.16
    assert itinerary.leg(plan).old_root
