"""The figures of the whole program are measured and stay within twice their targets."""

from __future__ import annotations

import pytest

from tests.benchmarks.bench_program import first_paint, frames, table


@pytest.mark.full
def test_frames_and_first_paint_are_measured() -> None:
    figures = [*frames(), *first_paint()]
    print(table(figures))
    one, eight, _, _, ours, picture, bare, ratio = figures
    assert 0 < one.value < 40
    assert 0 < eight.value < 60
    assert picture.value > ours.value > bare.value > 0
    assert ratio.value == pytest.approx(ours.value / bare.value)
