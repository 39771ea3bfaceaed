"""The graph of an EVSE as pyqtgraph draws it: an area, a step line, a dashed line, marks and a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QBrush,
    QLinearGradient,
    QPainter,
    QPainterPath,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QGraphicsItem

from ui.graphs.axes import Curve
from ui.graphs.kit import Area, Box, Edges, Legend, Plot, Values, pen_of
from ui.theme import Theme
from ui.widgets.scribe import PaintedLabel

TRIANGLE = QPolygonF([QPointF(-4, 4), QPointF(0, -4), QPointF(4, 4)])
UPSIDE_DOWN = QPolygonF([QPointF(-4, -4), QPointF(0, 4), QPointF(4, -4)])
Place = tuple[bool, QPointF]
"""Was it sent by the station, and where its mark is, px."""
LINE = 1.5
Ticks = Sequence[tuple[float, str]]


@dataclass(frozen=True, slots=True)
class Scales:
    """What of the axes is seen. Times are seconds since `start`; `low` is the view's lower edge."""

    span: float
    low: float
    top: float
    percent_top: float
    unit: str
    values: Ticks
    percents: Ticks
    times: Ticks


class Marks(QGraphicsItem):
    """Triangles: those that point up for what was sent, those that point down for what came."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._sent, self._came = QPainterPath(), QPainterPath()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def show_at(self, places: Sequence[Place]) -> None:
        self.prepareGeometryChange()
        self._sent, self._came = QPainterPath(), QPainterPath()
        for sent, at in places:
            if sent:
                self._sent.addPolygon(TRIANGLE.translated(at))
            else:
                self._came.addPolygon(UPSIDE_DOWN.translated(at))

    def boundingRect(self) -> QRectF:
        return self._sent.boundingRect().united(self._came.boundingRect())

    def paint(self, painter: QPainter, *_: object) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(self._sent, self._theme.colour("out"))
        painter.fillPath(self._came, self._theme.colour("inn"))


class PowerPlot(Plot):
    """Power as an area, its limit as steps, the battery in percent of a second axis."""

    def __init__(self, theme: Theme, edges: Edges, strip: int) -> None:
        """`strip`: px between the plot and the words of the time axis, for the marks."""
        self._legend, self._marks, self._box = Legend(theme, edges.left), Marks(theme), Box(theme)
        super().__init__(theme, edges, ("left", "right", "bottom"))
        self._theme, self._strip = theme, strip
        self._actual = Area()
        self._limit = pg.PlotCurveItem(stepMode="right", skipFiniteCheck=True, antialias=False)
        self._soc = pg.PlotCurveItem(connect="finite", skipFiniteCheck=True, antialias=True)
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        self._cursor.hide()
        for item in (self._actual, self._limit, self._soc, self._cursor):
            self.add(item)
        self._box.hide()
        for extra in (self._legend, self._marks, self._box):
            self.scene().addItem(extra)
        self._range: tuple[float, float, float] | None = None
        self._per_percent = 1.0
        self._dress()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._legend.set_whole(QRectF(self.rect()))

    def labels(self) -> list[PaintedLabel]:
        """Every text with its place."""
        painted = [*self._legend.labels, *(one for a in self.axes.values() for one in a.labels)]
        return painted + (self._box.labels if self._box.isVisible() else [])

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._theme = theme
        self._legend.set_theme(theme)
        self._marks.set_theme(theme)
        self._box.set_theme(theme)
        self._dress()

    def show_legend(self, pairs: tuple[tuple[str, str], ...]) -> None:
        self._legend.show_pairs(pairs)

    def show_nothing(self) -> None:
        """Only the line that the plot stands on."""
        for item in (self._actual, self._limit, self._soc, self._marks):
            item.hide()
        for side, axis in self.axes.items():
            axis.set_marks([(0.0, "")] if side == "left" else (), strong=0.0)

    def show_scales(self, scales: Scales) -> None:
        seen = (scales.span, scales.low, scales.top)
        if seen != self._range:
            self._range = seen
            self.set_range(*seen)
            self._per_percent = scales.top / scales.percent_top
            self.axes["right"].set_range(scales.low / self._per_percent, scales.percent_top)
            self._fill()
        left, right, bottom = (self.axes[side] for side in ("left", "right", "bottom"))
        left.set_marks(scales.values, strong=0.0, title=scales.unit)
        right.set_marks(scales.percents, lines=False, title="%")
        bottom.set_marks(scales.times, base=self._strip)

    def show_lines(self, actual: Curve, limit: Curve, soc: Curve, start: float) -> None:
        """Times in epoch seconds, the battery in percent, all else in units of the left axis."""
        self._actual.show_points(*_columns(actual, start))
        self._limit.setData(*_columns(limit, start))
        moments, percents = _columns(soc, start)
        self._soc.setData(moments, percents * self._per_percent)
        for item in (self._actual, self._limit, self._soc):
            item.show()

    def show_marks(self, places: Sequence[Place]) -> None:
        self._marks.show_at(places)
        self._marks.show()

    def show_cursor(self, at: float | None, lines: tuple[str, ...], x: float) -> None:
        """`at`: seconds since the start, None for none; `x` the same in px, where the box stands beside."""
        self._cursor.setVisible(at is not None and bool(lines))
        self._box.show_lines(lines if at is not None else ())
        if at is None or not lines:
            return
        self._cursor.setPos(at)
        width = self._box.size[0]
        left = x + 8 if x + 8 + width < self.width() else x - 8 - width
        self._box.setPos(left, self.edges.top + 2)

    # ------------------------------------------------------------------ looks

    def _dress(self) -> None:
        theme = self._theme
        self._actual.set_line(pen_of(theme.colour("charge"), LINE))
        self._limit.setPen(pen_of(theme.colour("warn"), LINE))
        self._soc.setPen(pen_of(theme.colour("avail"), LINE, Qt.PenStyle.DashLine))
        self._cursor.setPen(pen_of(theme.colour("text3"), 1))
        self._fill()

    def _fill(self) -> None:
        """The area fades from the upper edge of the plot to its lower one."""
        top = self._range[2] if self._range else 1.0
        gradient = QLinearGradient(0.0, top, 0.0, 0.0)
        gradient.setColorAt(0, self._theme.colour("charge", 0.42))
        gradient.setColorAt(1, self._theme.colour("charge", 0.04))
        self._actual.setBrush(QBrush(gradient))


def _columns(curve: Curve, start: float) -> tuple[Values, Values]:
    times, values = curve
    return np.asarray(times, dtype=np.float64) - start, np.asarray(values, dtype=np.float64)
