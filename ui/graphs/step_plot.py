"""A schedule of limits as pyqtgraph draws it: thin step lines, a bold one over them, now, and a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QPen, QResizeEvent
from PySide6.QtWidgets import QGraphicsItem, QGraphicsRectItem

from ui.graphs.kit import AHEAD, Box, Edges, Plot, pen_of
from ui.theme import Theme

WHOLE = 2.4
LANE = 1.4
FILLED = 0.10
"""How much of its colour lies under the bold line."""
Steps = Sequence[tuple[float, float | None]]
"""Seconds since the start, and the limit from there on; None: there is none."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One line: the token of its colour, its strokes, and its steps; the bold one is filled."""

    token: str
    strokes: Qt.PenStyle
    steps: Steps
    bold: bool = False


class StepPlot(Plot):
    """Places are seconds since the start of the schedule and limits in its unit."""

    def __init__(self, theme: Theme, edges: Edges) -> None:
        self._ring = QGraphicsRectItem()
        super().__init__(theme, edges, ("left", "bottom"))
        # Nothing lies outside but half of the present's line and its knob, and they are to be seen whole.
        self.view.setFlag(QGraphicsItem.GraphicsItemFlag.ItemClipsChildrenToShape, False)
        self._theme = theme
        self._curves: list[pg.PlotCurveItem] = []
        self._now = pg.InfiniteLine(angle=90, movable=False)
        self._knob = pg.ScatterPlotItem(pxMode=True, size=6, symbol="o", pen=None, antialias=True)
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        for item in (self._now, self._knob, self._cursor):
            item.setZValue(10)
            item.hide()
            self.add(item)
        self._box = Box(theme, 400, 12.0)
        self._ring.setZValue(AHEAD)
        for extra in (self._box, self._ring):
            extra.hide()
            self.scene().addItem(extra)
        self._dress()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._theme = theme
        self._box.set_theme(theme)
        self._dress()

    def show_lanes(self, lanes: Sequence[Lane], seconds: float, top: float) -> None:
        """Draw these and nothing else, each to the end after `seconds`."""
        for curve in self._curves:
            self.view.removeItem(curve)
        self._curves = []
        for lane in lanes:
            for run in _runs(lane.steps, seconds):
                if lane.bold:
                    under = self._theme.colour(lane.token, FILLED)
                    self._add(run, fillLevel=0.0, brush=QBrush(under))
                self._add(run, pen=self._pen(lane), antialias=True)
        self.set_range(max(1.0, seconds), 0.0, top)

    def show_axes(
        self,
        levels: Sequence[tuple[float, str]],
        moments: Sequence[tuple[float, str]],
        unit: str,
    ) -> None:
        self.axes["left"].set_marks(levels, title=unit)
        self.axes["bottom"].set_marks(moments, lines=False, below=8.0)

    def show_nothing(self) -> None:
        """Not even axes."""
        self.show_lanes((), 1.0, 1.0)
        self.show_axes((), (), "")
        self.show_now(None)
        self.show_cursor(None, (), 0.0)

    def show_focus(self, on: bool) -> None:
        """A ring around all of it."""
        self._ring.setVisible(on)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._ring.setRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))

    def show_now(self, at: float | None) -> None:
        """The present, with a knob at its upper end."""
        for item in (self._now, self._knob):
            item.setVisible(at is not None)
        if at is not None:
            self._now.setPos(at)
            self._knob.setData([at], [self.view.viewRange()[1][1]])

    def show_cursor(self, at: float | None, lines: tuple[str, ...], x: float) -> None:
        """A line at a time, and what stands there beside it; `x` is the same place in px."""
        self._cursor.setVisible(at is not None)
        self._box.show_lines(lines if at is not None else ())
        if at is not None:
            self._cursor.setPos(at)
            most = self.width() - self._box.size[0] - 4
            self._box.setPos(min(max(self.edges.left, x + 8), most), self.edges.top + 2)

    # ------------------------------------------------------------------ looks

    def _add(self, run: list[tuple[float, float]], **looks: object) -> None:
        table = np.array(run, dtype=np.float64)
        curve = pg.PlotCurveItem(
            table[:, 0],
            table[:, 1],
            **{"pen": None, "stepMode": "right", "skipFiniteCheck": True, **looks},
        )
        self.add(curve)
        self._curves.append(curve)

    def _pen(self, lane: Lane) -> QPen:
        pen = pen_of(self._theme.colour(lane.token), WHOLE if lane.bold else LANE, lane.strokes)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        return pen

    def _dress(self) -> None:
        theme = self._theme
        self._now.setPen(pen_of(theme.colour("text"), LANE))
        self._knob.setBrush(QBrush(theme.colour("text")))
        self._cursor.setPen(pen_of(theme.colour("text3"), 1, Qt.PenStyle.DashLine))
        self._ring.setPen(QPen(theme.colour("focus"), 2))


def _runs(steps: Steps, seconds: float) -> list[list[tuple[float, float]]]:
    """The unbroken parts of a step line, each with the place where it ends."""
    runs: list[list[tuple[float, float]]] = []
    open_run: list[tuple[float, float]] = []
    for at, limit in (*steps, (seconds, None)):
        if limit is not None:
            open_run.append((at, limit))
        elif open_run:
            runs.append([*open_run, (at, open_run[-1][1])])
            open_run = []
    return runs
