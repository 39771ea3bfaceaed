"""The graph draws what the ring holds, in the unit and span that was chosen."""

import dataclasses

import numpy as np
import pytest

from app.kernel.catalogue import Catalogue
from tests.ui.station.scenes import charging, make_evse
from ui.graphs.history import History, Marker
from ui.graphs.power_graph import PowerGraph
from ui.theme import Theme

NOW = 1_768_464_000.0


@pytest.fixture
def graph(qtbot, qapp):
    made = PowerGraph(Theme.load("dark"), Catalogue.load())
    qtbot.addWidget(made)
    made.resize(380, 260)
    with qtbot.waitExposed(made):
        made.show()
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


def shown(curve):
    x, y = curve.getOriginalDataset()
    return np.asarray(x), np.asarray(y)


def click(graph, group, ident):
    button = next(b for b in group.buttons() if b.objectName() == ident)
    button.click()


def test_five_minutes_are_shown_at_first(graph):
    times, values = shown(graph._actual)
    assert NOW - 302 <= times[0] <= NOW - 300
    assert times[-1] == NOW
    assert values[-1] == pytest.approx(5.99)


def test_session_and_all_show_more(graph):
    click(graph, graph._spans, "graph.span.session")
    assert shown(graph._actual)[0][0] == pytest.approx(NOW - 401, abs=2)
    click(graph, graph._spans, "graph.span.all")
    assert shown(graph._actual)[0][0] == NOW - 600


def test_amperes_instead_of_kilowatts(graph):
    click(graph, graph._units, "graph.unit.a")
    evse = charging(make_evse(1))
    assert shown(graph._actual)[1][-1] == pytest.approx(max(evse.currents))
    assert shown(graph._limit)[1][-1] == pytest.approx(evse.limit_current)


def test_frozen_it_stands_still(graph):
    graph._pause.click()
    graph.refresh(NOW + 100)
    assert shown(graph._actual)[0][-1] == NOW


def test_a_click_on_a_mark_names_its_message(graph, qtbot):
    points = graph._marks.points()
    assert len(points) == 2
    with qtbot.waitSignal(graph.marker_clicked) as clicked:
        graph._marks.sigClicked.emit(graph._marks, [points[0]], None)
    assert clicked.args == [7]


def test_an_unknown_state_of_charge_leaves_a_gap(graph):
    ring = History()
    ring.add(NOW - 5, dataclasses.replace(charging(make_evse(1)), vehicle=None))
    graph.set_history(ring)
    graph.refresh(NOW)
    assert np.isnan(shown(graph._soc)[1]).all()


def test_without_a_past_nothing_is_drawn(graph):
    graph.set_history(None)
    assert graph._actual.getData()[0] is None


def test_the_cursor_reads_the_sample_under_it(graph):
    view = graph._plot.getViewBox()
    place = view.mapViewToScene(view.viewRect().center())
    graph._on_moved(place)
    assert graph._readout.isVisible()
    assert "kW" in graph._readout.toPlainText()
    graph._on_moved(view.mapViewToScene(view.viewRect().topLeft() * 2))


def test_it_wears_both_themes(graph):
    for name in ("light", "dark"):
        graph.set_theme(Theme.load(name))
        assert not graph.grab().isNull()
