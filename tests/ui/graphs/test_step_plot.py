"""A schedule of limits as it is drawn."""

import pytest
from PySide6.QtCore import Qt

from ui.graphs.kit import Edges
from ui.graphs.step_plot import Lane, StepPlot
from ui.theme import Theme

HOUR = 3600.0


@pytest.mark.parametrize("seconds", [60.0, HOUR, 24 * HOUR])
def test_the_present_is_a_line_of_the_same_width_in_every_span(qtbot, seconds):
    theme = Theme.load("dark")
    plot = StepPlot(theme, Edges(30, 10, 10, 20))
    qtbot.addWidget(plot)
    plot.resize(340, 200)
    plot.show_lanes([Lane("warn", Qt.PenStyle.SolidLine, [(0.0, 8.0)], bold=True)], seconds, 12.0)
    before = plot.grab().toImage()
    plot.show_now(seconds / 2)
    after = plot.grab().toImage()
    changed = [x for x in range(340) if before.pixel(x, 90) != after.pixel(x, 90)]
    assert 1 <= len(changed) <= 3
    assert abs(changed[0] - 180) <= 2
