"""Where things stand: the plan of a station and its fit into a widget."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

from app.station.kinds import BayStatus, Current
from tests.ui.station import scenes
from ui.station.geometry import Build, frame, plan_station
from ui.station.header import BubbleView, bubble_centres, text_sides


def test_two_ac_evses_share_a_post_and_two_dc_evses_a_tower() -> None:
    plan = plan_station(scenes.mixed())
    assert [c.build for c in plan.cabinets] == [Build.POST, Build.TOWER]
    assert [c.evses for c in plan.cabinets] == [(1, 2), (3, 4)]
    assert [bay.side for bay in plan.bays] == [-1, 1, -1, 1]


def test_an_evse_of_another_current_gets_a_cabinet_of_its_own() -> None:
    plan = plan_station(
        scenes.station(scenes.make_evse(1, Current.AC), scenes.make_evse(2, Current.DC))
    )
    assert [c.evses for c in plan.cabinets] == [(1,), (2,)]


def test_an_evse_without_a_reader_gets_a_cabinet_with_a_start_button() -> None:
    served, free = scenes.make_evse(1), replace(scenes.make_evse(2), reader=None)
    plan = plan_station(scenes.station(served, free))
    assert [(c.evses, c.reader) for c in plan.cabinets] == [((1,), served.reader), ((2,), None)]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 8])
def test_bays_and_cabinets_do_not_overlap(count: int) -> None:
    plan = plan_station(scenes.row(count, lambda evse, i: evse))
    spans = [(b.left, b.right) for b in plan.bays]
    spans += [(c.rect.left(), c.rect.right()) for c in plan.cabinets]
    spans.sort()
    for (_, end), (start, _) in pairwise(spans):
        assert end < start
    assert spans[-1][1] <= plan.width


@pytest.mark.parametrize("size", [(620, 360), (900, 420), (1200, 560), (2000, 1200)])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_up_to_four_evses_fit_without_scrolling(count: int, size: tuple[int, int]) -> None:
    plan = plan_station(scenes.row(count, lambda evse, i: evse))
    fit = frame(plan, *size, 104)
    assert fit.overflow == 0
    assert fit.overflow_down == pytest.approx(0, abs=0.5)
    foot = fit.transform(QPointF(0, 0)).map(QPointF(0, fit.floor_end)).y()
    assert foot == pytest.approx(size[1], abs=1)


def test_more_than_four_evses_scroll_at_the_scale_of_four() -> None:
    eight = plan_station(scenes.row(8, lambda evse, i: evse))
    fit = frame(eight, 1200, 560, 104)
    assert fit.overflow > 600
    assert fit.scale == pytest.approx(frame(eight, 1200, 560, 104).scale)
    assert fit.scale > 0.9


def test_buttons_of_a_cabinet_do_not_cover_each_other() -> None:
    for scene in (scenes.home(), scenes.mixed()):
        for cabinet in plan_station(scene).cabinets:
            marks = [cabinet.ring, cabinet.emergency, *(cabinet.stop(e) for e in cabinet.evses)]
            for one, other in combinations(marks, 2):
                assert (one - other).manhattanLength() > 30


def test_in_a_row_of_many_the_last_bubble_has_no_more_room_for_words_than_the_others(
    qapp: QApplication,
) -> None:
    bubble = BubbleView(1, BayStatus.AVAILABLE, "Available", "22 kW, Type 2")
    centres = bubble_centres([0.0] * 8, 1024, 90, fixed=True)
    rooms = [room for _, room in text_sides([bubble] * 8, centres, 1024)]
    assert rooms == pytest.approx([rooms[0]] * 8)


def test_words_between_two_bubbles_belong_to_the_one_before_them(qapp: QApplication) -> None:
    """Pressed between two bubbles, the words of the second would read as those of the first."""
    bubble = BubbleView(1, BayStatus.RESERVED, "Reserved", "Fleet 12 until 13:30")
    near = [QPointF(224, 50), QPointF(345, 50), QPointF(420, 50)]
    assert [side for side, _ in text_sides([bubble] * 3, near, 780)] == [-1, 1, 1]
    far = [QPointF(224, 50), QPointF(640, 50), QPointF(700, 50)]
    assert text_sides([bubble] * 3, far, 900)[1][0] == -1
