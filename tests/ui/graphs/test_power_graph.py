"""The graph draws what the ring holds, in the unit and span that was chosen."""

import dataclasses
import time

import pytest
from PySide6.QtCore import QPoint, Qt

from app.kernel.catalogue import Catalogue
from tests.ui.station.scenes import charging, make_evse
from ui.graphs.chart import Chart
from ui.graphs.history import History, Marker
from ui.graphs.power_graph import PowerGraph
from ui.graphs.reading import read_charts
from ui.theme import Theme

NOW = 1_768_464_000.0


@pytest.fixture
def graph(qtbot, qapp):
    read_charts()
    made = PowerGraph(Theme.load("dark"), Catalogue.load())
    qtbot.addWidget(made)
    made.resize(380, 260)
    with qtbot.waitExposed(made):
        made.show()
    qtbot.waitUntil(lambda: made.chart.furnished)
    ring = History()
    evse = charging(make_evse(1))
    for second in range(600):
        ring.add(NOW - 600 + second, dataclasses.replace(evse, power=second * 10.0))
    ring.session_start = NOW - 400
    ring.mark(Marker(NOW - 100, 7, outgoing=True))
    ring.mark(Marker(NOW - 50, 8, outgoing=False))
    made.set_history(ring)
    made.refresh(NOW)
    return made


def times(graph):
    return graph.chart.data.actual[0]


def click(graph, group, ident):
    button = next(b for b in group.buttons() if b.objectName() == ident)
    button.click()


def colours(graph):
    image = graph.chart.grab().toImage()
    return {
        image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())
    }


def test_five_minutes_are_shown_at_first(graph):
    assert NOW - 302 <= times(graph)[0] <= NOW - 300
    assert times(graph)[-1] == NOW
    assert graph.chart.data.actual[1][-1] == pytest.approx(5.99)


def test_session_and_all_show_more(graph):
    click(graph, graph._spans, "graph.span.session")
    assert times(graph)[0] == pytest.approx(NOW - 401, abs=2)
    click(graph, graph._spans, "graph.span.all")
    assert times(graph)[0] == NOW - 600


def test_amperes_instead_of_kilowatts(graph):
    click(graph, graph._units, "graph.unit.a")
    evse = charging(make_evse(1))
    assert graph.chart.data.actual[1][-1] == pytest.approx(max(evse.currents))
    assert graph.chart.data.limit[1][-1] == pytest.approx(evse.limit_current)
    assert graph.chart.data.unit == "A"


def test_both_axes_begin_at_zero_and_say_their_unit(graph):
    graph.chart.grab()
    words = [label.text for label in graph.chart.painted_labels()]
    assert {"kW", "%", "0", "100", "Power", "Limit", "Battery"} <= set(words)
    assert not [word for word in words if word.startswith("-")]


def test_a_theme_that_comes_while_the_chart_is_made_is_the_one_it_wears(qtbot, graph):
    chart = Chart(Theme.load("dark"))
    qtbot.addWidget(chart)
    chart.resize(graph.chart.size())
    with qtbot.waitExposed(chart):
        chart.show()
    fresh = Chart(Theme.load("dark"))
    qtbot.addWidget(fresh)
    fresh.resize(graph.chart.size())
    fresh.show()
    fresh._turns._step(fresh._turns._work)  # it is made, and not yet in its place
    assert not fresh.furnished
    fresh.set_theme(Theme.load("light"))
    qtbot.waitUntil(lambda: fresh.furnished and chart.furnished)
    assert fresh.grab().toImage() != chart.grab().toImage()
    chart.set_theme(Theme.load("light"))
    assert fresh.grab().toImage() == chart.grab().toImage()


def test_frozen_it_stands_still(graph):
    graph._pause.click()
    graph.refresh(NOW + 100)
    assert times(graph)[-1] == NOW


def test_nothing_is_drawn_again_while_nothing_would_look_different(graph):
    before = graph.chart.data
    graph.refresh(NOW + 0.01)
    assert graph.chart.data is before
    graph.refresh(NOW + 5)
    assert graph.chart.data is not before


def test_a_click_on_a_mark_names_its_message(graph, qtbot):
    for number in (7, 8):
        place = graph.chart.mark_place(number).toPoint()
        with qtbot.waitSignal(graph.marker_clicked) as clicked:
            qtbot.mouseClick(graph.chart, Qt.MouseButton.LeftButton, pos=place)
        assert clicked.args == [number]
    with pytest.raises(KeyError):
        graph.chart.mark_place(9)


def test_a_click_beside_the_marks_means_nothing(graph, qtbot):
    with qtbot.assertNotEmitted(graph.marker_clicked, wait=10):
        qtbot.mouseClick(graph.chart, Qt.MouseButton.LeftButton, pos=QPoint(60, 60))


def green(graph):
    """Pixels of the battery's line: in no other colour of the chart is green so far before red."""
    image = graph.chart.grab().toImage()
    dots = (image.pixelColor(x, y) for x in range(image.width()) for y in range(24, image.height()))
    return sum(dot.green() > dot.red() + 60 and dot.green() > dot.blue() + 20 for dot in dots)


def test_an_unknown_state_of_charge_leaves_a_gap(graph):
    graph._history.markers.clear()
    assert green(graph) > 50
    ring = History()
    for second in range(100):
        ring.add(NOW - 100 + second, dataclasses.replace(charging(make_evse(1)), vehicle=None))
    graph.set_history(ring)
    graph.refresh(NOW)
    assert green(graph) == 0


def test_a_limit_is_drawn_as_steps(graph):
    ring = History()
    for second in range(60):
        limit = 11_000.0 if second < 30 else 6_000.0
        ring.add(NOW - 60 + second, dataclasses.replace(charging(make_evse(1)), limit_power=limit))
    graph.set_history(ring)
    click(graph, graph._spans, "graph.span.all")
    image = graph.chart.grab().toImage()
    wanted = Theme.load("dark").colour("warn").name()
    rows = {
        y
        for y in range(24, image.height())
        for x in range(image.width())
        if image.pixelColor(x, y).name() == wanted
    }
    assert max(rows) - min(rows) > 40
    columns = [
        x
        for x in range(image.width())
        if sum(image.pixelColor(x, y).name() == wanted for y in rows) > 30
    ]
    assert len(columns) in {1, 2}, "the fall from one limit to the other is upright"


def test_without_a_past_nothing_is_drawn(graph):
    graph.set_history(None)
    assert graph.chart.data is None
    assert Theme.load("dark").colour("out").name() not in colours(graph)


def test_the_pointer_reads_the_sample_under_it(graph, qtbot):
    qtbot.mouseMove(graph.chart, graph.chart.rect().center())
    assert "of" in graph.chart.reading[1]
    assert "kW" in graph.chart.reading[1]
    graph.chart.grab()
    assert graph.chart.reading[1] in {label.text for label in graph.chart.painted_labels()}
    qtbot.mouseMove(graph.chart, QPoint(2, 2))
    assert graph.chart.reading == ()


@pytest.mark.parametrize("span", ["five", "session", "all"])
def test_the_line_under_the_pointer_is_as_thin_in_every_span(graph, qtbot, span):
    click(graph, graph._spans, f"graph.span.{span}")
    row = graph.chart.height() - 60
    qtbot.mouseMove(graph.chart, QPoint(2, 2))
    before = graph.chart.grab().toImage()
    qtbot.mouseMove(graph.chart, QPoint(120, 60))
    after = graph.chart.grab().toImage()
    changed = [x for x in range(after.width()) if before.pixel(x, row) != after.pixel(x, row)]
    assert 1 <= len(changed) <= 2
    assert abs(changed[0] - 120) <= 1


def test_it_wears_both_themes(graph):
    dark = colours(graph)
    graph.set_theme(Theme.load("light"))
    light = colours(graph)
    assert Theme.load("light").colour("panel").name() in light - dark


def test_eight_hours_are_drawn_within_a_frame(graph):
    """PERF: 57,600 samples, thinned to what the pixels can show."""
    ring = History()
    evse = charging(make_evse(1))
    for half in range(57_600):
        ring.add(NOW - 28_800 + half / 2, evse)
    graph.set_history(ring)
    click(graph, graph._spans, "graph.span.all")
    costs = []
    for step in range(5):
        ring.mark(Marker(NOW, step, outgoing=True))
        began = time.process_time()
        graph.refresh(NOW + step)
        graph.chart.grab()
        costs.append((time.process_time() - began) * 1000)
    assert len(times(graph)) <= 2 * graph.chart.columns + 1
    assert min(costs) < 50
