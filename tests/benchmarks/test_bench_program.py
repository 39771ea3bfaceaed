"""The figures of the whole program are measured and stay within twice their targets."""

from __future__ import annotations

import pytest

from tests.benchmarks.bench_program import first_paint, frames, table


@pytest.mark.full
def test_frames_and_first_paint_are_measured() -> None:
    figures = [*frames(), *first_paint()]
    print(table(figures))
    one, eight, slow_one, slow_eight, share, share_eight, ours, picture, bare, ratio, *_ = figures
    assert 0 < one.value < 40
    assert 0 < eight.value < 60
    assert slow_one.value > one.value
    assert slow_eight.value > eight.value
    assert 0 < share.value < share_eight.value < 100
    assert picture.value > ours.value > 0
    assert ratio.value == pytest.approx(ours.value / bare.value)
