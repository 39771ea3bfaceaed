"""Round numbers on the axes, and lines no denser than the pixels."""

import pytest

from ui.graphs.axes import round_steps, thinned, time_steps


@pytest.mark.parametrize(
    ("top", "most", "steps"),
    [
        (12.3, 4, [0, 5, 10]),
        (4.48, 5, [0, 1, 2, 3, 4]),
        (168.0, 6, [0, 50, 100, 150]),
        (0.5, 5, [0, 0.1, 0.2, 0.3, 0.4, 0.5]),
    ],
)
def test_steps_are_round_begin_at_zero_and_stay_below_the_top(top, most, steps):
    assert round_steps(top, most) == pytest.approx(steps)


def test_times_are_round_and_name_seconds_only_when_they_matter():
    start = 1_768_464_007.0
    minutes = time_steps(start, start + 300, 5)
    assert [at - minutes[0][0] for at, _ in minutes] == [60.0 * n for n in range(len(minutes))]
    assert all(len(word) == 5 for _, word in minutes)
    seconds = time_steps(start, start + 20, 4)
    assert all(len(word) == 8 for _, word in seconds)
    assert all(start <= at <= start + 20 for at, _ in seconds)


def test_a_span_of_days_still_has_marks():
    assert time_steps(0.0, 10 * 86_400.0, 4)


def test_few_points_stay_as_they_are():
    assert thinned([1.0, 2.0], [3.0, 4.0], 10) == ([1.0, 2.0], [3.0, 4.0])


def test_peaks_and_dips_survive_thinning():
    times = [float(n) for n in range(1000)]
    values = [5.0] * 1000
    values[333], values[666] = 99.0, 0.0
    moments, points = thinned(times, values, 50)
    assert len(moments) == len(points) <= 101
    assert {99.0, 0.0} <= set(points)
    assert (moments[-1], points[-1]) == (999.0, 5.0)
    assert moments == sorted(moments)
