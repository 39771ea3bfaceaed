"""The graph of one EVSE: power or current, the limit as steps, state of charge, messages on the time axis.

pyqtgraph is imported when the first graph is made: it costs half a second.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QBrush, QColor, QLinearGradient
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from ui.graphs import history as h
from ui.graphs.history import History
from ui.theme import Theme, ui_font

FIVE_MINUTES = 300.0
SPANS = ("five", "session", "all")
LOWEST_TOP = {"kw": 4.0, "a": 10.0}
"""The axis reaches at least this far, so that noise does not look like power."""


class PowerGraph(QWidget):
    """`marker_clicked` tells the number of the exchange whose mark was clicked."""

    marker_clicked = Signal(int)

    def __init__(self, theme: Theme, catalogue: Catalogue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        import pyqtgraph

        self._pg: Any = pyqtgraph
        self._theme = theme
        self._catalogue = catalogue
        self._history: History | None = None
        self._span = "five"
        self._unit = "kw"
        self._paused = False
        self._now = 0.0
        self._build()
        self.set_theme(theme)

    def set_history(self, history: History | None) -> None:
        """Show another EVSE's past."""
        self._history = history
        self.refresh(self._now)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        pg = self._pg
        self._plot.setBackground(theme.colour("panel"))
        for name in ("left", "bottom", "right"):
            axis = self._plot.getAxis(name)
            axis.setPen(pg.mkPen(theme.colour("line2")))
            axis.setTextPen(pg.mkPen(theme.colour("text3")))
            axis.setStyle(tickFont=ui_font(11))
        gradient = QLinearGradient(0, 0, 0, 1)
        gradient.setCoordinateMode(QLinearGradient.CoordinateMode.ObjectMode)
        gradient.setColorAt(0, theme.colour("charge", 0.42))
        gradient.setColorAt(1, theme.colour("charge", 0.04))
        self._actual.setPen(pg.mkPen(theme.colour("charge"), width=1))
        self._actual.setBrush(QBrush(gradient))
        self._limit.setPen(pg.mkPen(theme.colour("warn"), width=1))
        self._soc.setPen(pg.mkPen(theme.colour("avail"), width=1, style=Qt.PenStyle.DashLine))
        self._cursor.setPen(pg.mkPen(theme.colour("text3"), width=1))
        self._readout.setColor(theme.colour("text"))
        self._readout.fill = pg.mkBrush(theme.colour("raised"))
        self._paint_legend()
        self.refresh(self._now)

    def refresh(self, now: float) -> None:
        """Draw up to `now` (epoch seconds of station time). Costs nothing while hidden or paused."""
        self._now = now
        if self._paused or not self.isVisible():
            return
        history = self._history
        if history is None or not len(history):
            for curve in (self._actual, self._limit, self._soc):
                curve.setData([], [])
            self._marks.setData([])
            return
        first = self._first(history, now)
        data = history.since(first)
        times = np.append(data[h.TIME], now)
        amps = self._unit == "a"
        actual = data[h.CURRENT if amps else h.POWER]
        limit = data[h.LIMIT_CURRENT if amps else h.LIMIT]
        self._actual.setData(times, np.append(actual, actual[-1]))
        self._limit.setData(times, np.append(limit, limit[-1]))
        self._soc.setData(times, np.append(data[h.SOC], data[h.SOC][-1]))
        top = max(float(np.nanmax(actual)), float(np.nanmax(limit)), LOWEST_TOP[self._unit]) * 1.12
        start = first if first is not None else float(data[h.TIME][0])
        width = max(10.0, now - start)
        self._plot.setXRange(start, start + width * 1.02, padding=0)
        self._plot.setYRange(-top * 0.07, top, padding=0)
        self._soc_view.setYRange(-7, 100 * 1.06, padding=0)
        self._draw_marks(history, start, top)

    # ------------------------------------------------------------------ building

    def _build(self) -> None:
        pg = self._pg
        self._plot = pg.PlotWidget(axisItems={"bottom": pg.DateAxisItem()})
        self._plot.setMenuEnabled(False)
        self._plot.setMouseEnabled(x=False, y=False)
        self._plot.hideButtons()
        self._plot.setMinimumHeight(96)
        self._plot.setAccessibleName(self._say("graph.name"))
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.viewport().setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.getAxis("left").setWidth(34)
        self._plot.showAxis("right")
        self._plot.getAxis("right").setWidth(34)
        self._actual = pg.PlotDataItem(
            fillLevel=0, antialias=True, skipFiniteCheck=True, clipToView=True, autoDownsample=True
        )
        self._limit = pg.PlotDataItem(stepMode="right", antialias=False, skipFiniteCheck=True)
        self._soc = pg.PlotDataItem(antialias=True, connect="finite")
        self._marks = pg.ScatterPlotItem(size=8, pen=None, hoverable=False)
        self._marks.sigClicked.connect(self._on_mark)
        self._plot.addItem(self._actual)
        self._plot.addItem(self._limit)
        self._plot.addItem(self._marks)
        self._soc_view = pg.ViewBox(enableMenu=False)
        self._soc_view.setMouseEnabled(x=False, y=False)
        self._plot.scene().addItem(self._soc_view)
        self._plot.getAxis("right").linkToView(self._soc_view)
        self._soc_view.setXLink(self._plot.getPlotItem())
        self._soc_view.addItem(self._soc)
        self._plot.getViewBox().sigResized.connect(self._on_resized)
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        self._cursor.setVisible(False)
        self._readout = pg.TextItem(anchor=(0, 0))
        self._readout.setVisible(False)
        self._plot.addItem(self._cursor, ignoreBounds=True)
        self._plot.addItem(self._readout, ignoreBounds=True)
        self._plot.scene().sigMouseMoved.connect(self._on_moved)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(6)
        box.addLayout(self._head())
        self._legend = QLabel()
        self._legend.setProperty("role", "hint")
        box.addWidget(self._legend)
        box.addWidget(self._plot, 1)

    def _head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(2)
        units = QButtonGroup(self)
        for unit in ("kw", "a"):
            row.addWidget(self._segment(units, f"graph.unit.{unit}", unit == "kw"))
        units.buttonClicked.connect(self._on_unit)
        self._units = units
        row.addStretch(1)
        self._pause = QPushButton(self._say("graph.pause"))
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
        button = QPushButton(self._say(text_id))
        button.setObjectName(text_id)
        button.setCheckable(True)
        button.setChecked(on)
        button.setProperty("kind", "segment")
        group.addButton(button)
        return button

    # ------------------------------------------------------------------ drawing

    def _first(self, history: History, now: float) -> float | None:
        if self._span == "five":
            return now - FIVE_MINUTES
        return history.session_start if self._span == "session" else None

    def _draw_marks(self, history: History, start: float, top: float) -> None:
        out, inn = self._theme.colour("out"), self._theme.colour("inn")
        spots = [
            {
                "pos": (marker.time, -top * 0.035),
                "symbol": "t1" if marker.outgoing else "t",
                "brush": out if marker.outgoing else inn,
                "data": marker.number,
            }
            for marker in history.markers
            if marker.time >= start
        ]
        self._marks.setData(spots[-200:])

    def _paint_legend(self) -> None:
        def dash(token: str, text_id: str) -> str:
            colour: QColor = self._theme.colour(token)
            return f'<span style="color:{colour.name()}">━</span> {self._say(text_id)}'

        actual = "graph.current" if self._unit == "a" else "graph.power"
        parts = [dash("charge", actual), dash("warn", "graph.limit"), dash("avail", "graph.soc")]
        self._legend.setText("&nbsp;&nbsp;&nbsp;".join(parts))

    # ------------------------------------------------------------------ events

    def _on_resized(self) -> None:
        self._soc_view.setGeometry(self._plot.getViewBox().sceneBoundingRect())

    def _on_unit(self, button: QPushButton) -> None:
        self._unit = button.objectName().rsplit(".", 1)[1]
        self._paint_legend()
        self.refresh(self._now)

    def _on_span(self, button: QPushButton) -> None:
        self._span = button.objectName().rsplit(".", 1)[1]
        self.refresh(self._now)

    def _on_pause(self, paused: bool) -> None:
        self._paused = paused
        self.refresh(self._now)

    def _on_mark(self, _: object, points: list[Any]) -> None:
        if points:
            self.marker_clicked.emit(int(points[0].data()))

    def _on_moved(self, place: Any) -> None:
        view = self._plot.getViewBox()
        inside = view.sceneBoundingRect().contains(place)
        history = self._history
        shown = bool(inside and history is not None and len(history))
        self._cursor.setVisible(shown)
        self._readout.setVisible(shown)
        if not shown or history is None:
            return
        when = view.mapSceneToView(place).x()
        data = history.since(None)
        index = int(np.clip(np.searchsorted(data[h.TIME], when) - 1, 0, data.shape[1] - 1))
        self._cursor.setPos(when)
        self._readout.setText(self._reading(data[:, index]))
        right = place.x() > view.sceneBoundingRect().center().x()
        self._readout.setAnchor((1.05 if right else -0.05, 0))
        self._readout.setPos(when, view.viewRange()[1][1])

    def _reading(self, sample: Any) -> str:
        from datetime import datetime

        clock = datetime.fromtimestamp(float(sample[h.TIME])).astimezone().strftime("%H:%M:%S")
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
            soc="–" if np.isnan(soc) else f"{soc:.0f}",
        )

    def _say(self, text_id: str, **params: object) -> str:
        return self._catalogue.render(Text(text_id, params))
