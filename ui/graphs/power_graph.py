"""The graph of one EVSE: what is shown of its past, in which unit, and the buttons that choose it."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from math import isnan

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from ui.graphs import history as h
from ui.graphs.axes import thinned
from ui.graphs.chart import Chart, ChartData
from ui.graphs.history import History
from ui.theme import Theme
from ui.widgets.buttons import PushButton

FIVE_MINUTES = 300.0
SPANS = ("five", "session", "all")
LOWEST_TOP = {"kw": 4.0, "a": 10.0}
"""The axis reaches at least this far, so that noise does not look like power."""
MOST_MARKS = 200
LATER_MS = 16
"""The picture has had its frame by then, and the next one is still to come."""


class PowerGraph(QWidget):
    """`marker_clicked` tells the number of the exchange whose mark was clicked."""

    marker_clicked = Signal(int)

    def __init__(self, theme: Theme, catalogue: Catalogue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._catalogue = catalogue
        self._history: History | None = None
        self._span = "five"
        self._unit = "kw"
        self._paused = False
        self._now = 0.0
        self._drawn: object = None
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(LATER_MS)
        self._later.timeout.connect(self._catch_up)
        self.chart = Chart(theme)
        self.chart.setAccessibleName(self._say("graph.name"))
        self.chart.mark_clicked.connect(self.marker_clicked)
        self.chart.pointed.connect(self._on_pointed)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addLayout(self._head())
        box.addWidget(self.chart, 1)
        self._name_lines()

    def set_history(self, history: History | None) -> None:
        """Show another EVSE's past."""
        self._history = history
        self.refresh(self._now)

    def set_theme(self, theme: Theme) -> None:
        self.chart.set_theme(theme)

    def follow(self, now: float) -> None:
        """Draw up to `now` a little later: what tells everybody of the moment has enough to do."""
        self._now = now
        if not self._later.isActive():
            self._later.start()

    def refresh(self, now: float) -> None:
        """Draw up to `now` (epoch seconds of station time), when that would look any different.

        Costs nothing while hidden or paused.
        """
        self._now = now
        if self._paused or not self.isVisible():
            return
        history = self._history
        if history is None or not len(history):
            self._drawn = None
            self.chart.show_data(None)
            return
        first = self._first(history, now)
        start = first if first is not None else history.time_at(0)
        span = max(10.0, now - start) * 1.02
        columns = self.chart.columns
        pixel = int(now / (span / columns))
        drawn = (id(history), history.version, self._unit, self._span, columns, pixel)
        if drawn != self._drawn:
            self._drawn = drawn
            self.chart.show_data(self._data(history, start, span, now))

    def _catch_up(self) -> None:
        self.refresh(self._now)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.refresh(self._now)

    # ------------------------------------------------------------------ building

    def _head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(2)
        units = QButtonGroup(self)
        for unit in ("kw", "a"):
            row.addWidget(self._segment(units, f"graph.unit.{unit}", unit == "kw"))
        units.buttonClicked.connect(self._on_unit)
        self._units = units
        row.addStretch(1)
        self._pause = PushButton(self._say("graph.pause"))
        self._pause.setCheckable(True)
        self._pause.setProperty("kind", "segment")
        self._pause.toggled.connect(self._on_pause)
        row.addWidget(self._pause)
        spans = QButtonGroup(self)
        for span in SPANS:
            row.addWidget(self._segment(spans, f"graph.span.{span}", span == "five"))
        spans.buttonClicked.connect(self._on_span)
        self._spans = spans
        return row

    def _segment(self, group: QButtonGroup, text_id: str, on: bool) -> QPushButton:
        button = PushButton(self._say(text_id))
        button.setObjectName(text_id)
        button.setCheckable(True)
        button.setChecked(on)
        button.setProperty("kind", "segment")
        group.addButton(button)
        return button

    # ------------------------------------------------------------------ what is drawn

    def _first(self, history: History, now: float) -> float | None:
        if self._span == "five":
            return now - FIVE_MINUTES
        return history.session_start if self._span == "session" else None

    def _data(self, history: History, start: float, span: float, now: float) -> ChartData:
        past = history.since(start)
        amps = self._unit == "a"
        actual, limit = (
            (past[h.CURRENT], past[h.LIMIT_CURRENT]) if amps else (past[h.POWER], past[h.LIMIT])
        )
        times = past[h.TIME]
        for column in (actual, limit, past[h.SOC]):
            column.append(column[-1])  # it still stands as it stood
        times.append(now)
        columns = self.chart.columns
        peaks = max(actual), max(limit)
        marks = [marker for marker in history.markers if marker.time >= start]
        return ChartData(
            start=start,
            end=start + span,
            top=max((*peaks, LOWEST_TOP[self._unit])) * 1.12,
            unit=self._say(f"graph.unit.{self._unit}"),
            actual=thinned(times, actual, columns),
            limit=thinned(times, limit, columns),
            soc=thinned(times, past[h.SOC], columns),
            marks=tuple(marks[-MOST_MARKS:]),
        )

    def _name_lines(self) -> None:
        actual = "graph.current" if self._unit == "a" else "graph.power"
        lines = (("charge", actual), ("warn", "graph.limit"), ("avail", "graph.soc"))
        self.chart.set_legend(tuple((token, self._say(word)) for token, word in lines))

    # ------------------------------------------------------------------ events

    def _on_unit(self, button: QPushButton) -> None:
        self._unit = button.objectName().rsplit(".", 1)[1]
        self._name_lines()
        self.refresh(self._now)

    def _on_span(self, button: QPushButton) -> None:
        self._span = button.objectName().rsplit(".", 1)[1]
        self.refresh(self._now)

    def _on_pause(self, paused: bool) -> None:
        self._paused = paused
        self.refresh(self._now)

    def _on_pointed(self, when: float | None) -> None:
        history = self._history
        if when is None or history is None or not len(history):
            self.chart.show_reading(())
            return
        past = history.since(when)
        place = max(0, bisect_right(past[h.TIME], when) - 1)
        sample = [column[place] for column in past]
        self.chart.show_reading(tuple(self._reading(sample).splitlines()))

    def _reading(self, sample: list[float]) -> str:
        clock = datetime.fromtimestamp(sample[h.TIME]).astimezone().strftime("%H:%M:%S")
        amps = self._unit == "a"
        value = sample[h.CURRENT if amps else h.POWER]
        limit = sample[h.LIMIT_CURRENT if amps else h.LIMIT]
        soc = sample[h.SOC]
        return self._say(
            "graph.reading",
            clock=clock,
            value=f"{value:.1f}",
            limit=f"{limit:.1f}",
            unit=self._say(f"graph.unit.{self._unit}"),
            soc="–" if isnan(soc) else f"{soc:.0f}",
        )

    def _say(self, text_id: str, **params: object) -> str:
        return self._catalogue.render(Text(text_id, params))
