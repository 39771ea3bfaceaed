"""The ring keeps the recent past of an EVSE, in order, without growing."""

import dataclasses
from datetime import UTC, datetime
from math import isnan

from tests.ui.station.scenes import charging, make_evse
from ui.graphs import history as h
from ui.graphs.history import History, Marker


def evse(**changes):
    return dataclasses.replace(charging(make_evse(1)), **changes)


def test_samples_come_back_in_order_and_units_of_people():
    ring = History(capacity=10)
    ring.add(100.0, evse(power=11_040.0, limit_power=22_080.0))
    ring.add(101.0, evse(power=7_000.0))
    data = ring.since(None)
    assert list(data[h.TIME]) == [100.0, 101.0]
    assert list(data[h.POWER]) == [11.04, 7.0]
    assert data[h.LIMIT][0] == 22.08


def test_a_full_ring_drops_the_oldest():
    ring = History(capacity=4)
    for second in range(7):
        ring.add(float(second), evse(power=second * 1000.0))
    assert list(ring.since(None)[h.TIME]) == [3, 4, 5, 6]
    assert len(ring) == 4


def test_samples_closer_than_half_a_second_are_left_out_unless_power_leaps():
    ring = History()
    assert ring.add(10.0, evse(power=5_000.0))
    assert not ring.add(10.2, evse(power=5_100.0))
    assert ring.add(10.3, evse(power=9_000.0))


def test_since_gives_one_sample_before_so_that_the_line_begins_at_the_edge():
    ring = History()
    for second in range(10):
        ring.add(float(second), evse())
    assert list(ring.since(5.5)[h.TIME]) == [5, 6, 7, 8, 9]


def test_since_finds_its_place_when_the_ring_has_gone_round():
    ring = History(capacity=5)
    for second in range(8):
        ring.add(float(second), evse(power=second * 1000.0))
    assert list(ring.since(4.5)[h.TIME]) == [4, 5, 6, 7]
    assert list(ring.since(6.5)[h.POWER]) == [6, 7]
    assert list(ring.since(0.0)[h.TIME]) == [3, 4, 5, 6, 7]


def test_a_view_can_tell_whether_something_is_new():
    ring = History()
    seen = [ring.version]
    for step in (
        lambda: ring.add(1.0, evse()),
        lambda: ring.mark(Marker(1.0, 1, True)),
        ring.clear,
    ):
        step()
        seen.append(ring.version)
    assert len(set(seen)) == 4
    ring.add(2.0, evse())
    before = ring.version
    ring.add(2.1, evse())
    assert ring.version == before


def test_a_calendar_set_back_begins_anew():
    ring = History()
    ring.add(1000.0, evse())
    ring.add(10.0, evse())
    assert list(ring.since(None)[h.TIME]) == [10.0]


def test_the_session_start_is_remembered():
    ring = History()
    start = datetime(2026, 1, 15, 8, tzinfo=UTC)
    ring.add(start.timestamp() + 5, evse(session_since=start))
    assert ring.session_start == start.timestamp()


def test_marks_do_not_grow_without_end():
    ring = History()
    for number in range(2500):
        ring.mark(Marker(float(number), number, outgoing=True))
    assert len(ring.markers) <= 2000
    assert ring.markers[-1].number == 2499


def test_without_a_car_the_state_of_charge_is_unknown():
    ring = History()
    ring.add(1.0, evse(vehicle=None))
    assert isnan(ring.since(None)[h.SOC][0])
