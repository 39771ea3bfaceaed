"""The chart: power as an area, the limit as steps, the battery dashed, messages on the time axis.

What is drawn, where it lies and what the pointer does is told here; `ui.graphs.power_plot` draws it with
pyqtgraph as soon as that has been read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.graphs.axes import Curve, round_steps, time_steps
from ui.graphs.history import Marker
from ui.graphs.reading import PlotPlace
from ui.theme import Theme
from ui.widgets.scribe import PaintedLabel

if TYPE_CHECKING:
    from ui.graphs.power_plot import PowerPlot, Scales

LEFT_EDGE, RIGHT_EDGE = 36, 36
HEAD, MARKS, FOOT = 22, 14, 18
"""px above the plot for units and legend, below it for message marks, and for times."""
LOWEST = 130
MOST_LINES = 8
REACH = 9.0
"""px around a mark that belong to it."""
SOC_TOP = 106.0
"""Percent at the upper edge: a full battery stays off it."""


@dataclass(frozen=True, slots=True)
class ChartData:
    """What is drawn. Times in epoch seconds; `actual` and `limit` up to `top`, `soc` in percent."""

    start: float
    end: float
    top: float
    unit: str
    actual: Curve = ((), ())
    limit: Curve = ((), ())
    soc: Curve = ((), ())
    marks: tuple[Marker, ...] = ()


class Chart(PlotPlace):
    """`mark_clicked` the number of the exchange; `pointed` a time (epoch s) or None when the pointer left."""

    mark_clicked = Signal(int)
    pointed = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._data: ChartData | None = None
        self._legend: tuple[tuple[str, str], ...] = ()
        self._cursor: float | None = None
        self._reading: tuple[str, ...] = ()
        self._plot: PowerPlot | None = None
        self.setMouseTracking(True)
        self.setMinimumHeight(LOWEST)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    @property
    def data(self) -> ChartData | None:
        """What is drawn now."""
        return self._data

    @property
    def reading(self) -> tuple[str, ...]:
        """The lines of the read-out at the cursor; none without one."""
        return self._reading if self._cursor is not None else ()

    @property
    def columns(self) -> int:
        """How many px the plot is wide."""
        return max(1, round(self._area().width()))

    def painted_labels(self) -> list[PaintedLabel]:
        """Every text with its place, for tests of fit and contrast."""
        return self._plot.labels() if self._plot is not None else []

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        if self._plot is not None:
            self._plot.set_theme(theme)
            self._draw()
        else:
            self.start_over()

    def set_legend(self, legend: tuple[tuple[str, str], ...]) -> None:
        """What the lines are: pairs of colour and word."""
        self._legend = legend
        if self._plot is not None:
            self._plot.show_legend(legend)

    def show_data(self, data: ChartData | None) -> None:
        self._data = data
        self._draw()

    def show_reading(self, lines: tuple[str, ...]) -> None:
        """What stood at the cursor."""
        self._reading = lines
        self._draw_cursor()

    def mark_place(self, number: int) -> QPointF:
        """The middle of a message's mark. Raises KeyError where it is not shown."""
        for mark in self._data.marks if self._data else ():
            if mark.number == number:
                return self._mark_point(mark)
        raise KeyError(number)

    # ------------------------------------------------------------------ places

    def _area(self) -> QRectF:
        return QRectF(
            LEFT_EDGE,
            HEAD,
            max(1, self.width() - LEFT_EDGE - RIGHT_EDGE),
            max(1, self.height() - HEAD - MARKS - FOOT),
        )

    def _x(self, plot: QRectF, when: float) -> float:
        assert self._data is not None
        span = max(1e-6, self._data.end - self._data.start)
        return plot.left() + plot.width() * (when - self._data.start) / span

    def _mark_point(self, mark: Marker) -> QPointF:
        plot = self._area()
        return QPointF(self._x(plot, mark.time), plot.bottom() + MARKS / 2 + 1)

    def _mark_at(self, place: QPointF) -> Marker | None:
        if self._data is None:
            return None
        near = [
            (abs(point.x() - place.x()), -mark.number, mark)
            for mark in self._data.marks
            if abs((point := self._mark_point(mark)).y() - place.y()) <= REACH + 2
        ]
        distance, _, mark = min(near, default=(REACH + 1, 0, None))
        return mark if distance <= REACH else None

    # ------------------------------------------------------------------ drawing

    def make_drawing(self) -> QWidget:
        from ui.graphs.kit import Edges
        from ui.graphs.power_plot import PowerPlot

        edges = Edges(LEFT_EDGE, HEAD, RIGHT_EDGE, FOOT)
        self._plot = PowerPlot(self._theme, edges, MARKS)
        self._plot.setAccessibleName(self.accessibleName())
        self._plot.show_legend(self._legend)
        return self._plot

    def fill_drawing(self) -> None:
        self._draw()

    def _draw(self) -> None:
        plot, data = self._plot, self._data
        if plot is None:
            return
        if data is None:
            plot.show_nothing()
            return
        area = self._area()
        plot.show_scales(self._scales(area, data))
        plot.show_lines(data.actual, data.limit, data.soc, data.start)
        plot.show_marks([(mark.outgoing, self._mark_point(mark)) for mark in self._apart(data)])
        self._draw_cursor()

    def _scales(self, area: QRectF, data: ChartData) -> Scales:
        from ui.graphs.power_plot import Scales

        most = min(MOST_LINES, max(2, int(area.height() / 30)))
        percents = (0, 50, 100) if area.height() < 260 else (0, 20, 40, 60, 80, 100)
        times = time_steps(data.start, data.end, int(area.width() / 72))
        return Scales(
            span=max(1e-6, data.end - data.start),
            low=-data.top * MARKS / area.height(),
            top=data.top,
            percent_top=SOC_TOP,
            unit=data.unit,
            values=[(value, f"{value:g}") for value in round_steps(data.top, most)],
            percents=[(float(percent), str(percent)) for percent in percents],
            times=[(at - data.start, word) for at, word in times],
        )

    def _apart(self, data: ChartData) -> list[Marker]:
        """The marks, without those that would lie under another of their kind."""
        area, shown = self._area(), []
        last = {True: -99.0, False: -99.0}
        for mark in data.marks:
            x = self._x(area, mark.time)
            if abs(x - last[mark.outgoing]) >= 3:
                last[mark.outgoing] = x
                shown.append(mark)
        return shown

    def _draw_cursor(self) -> None:
        plot, data = self._plot, self._data
        if plot is None or data is None:
            return
        if self._cursor is None:
            plot.show_cursor(None, (), 0.0)
            return
        area = self._area()
        x = min(max(self._x(area, self._cursor), area.left()), area.right())
        plot.show_cursor(self._cursor - data.start, self._reading, x)

    # ------------------------------------------------------------------ the pointer

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place, plot = event.position(), self._area()
        on_mark = self._mark_at(place) is not None
        shape = Qt.CursorShape.PointingHandCursor if on_mark else Qt.CursorShape.ArrowCursor
        self.setCursor(shape)
        if self._data is None or not plot.contains(place):
            self._leave()
            return
        share = (place.x() - plot.left()) / plot.width()
        self._cursor = self._data.start + share * (self._data.end - self._data.start)
        self.pointed.emit(self._cursor)
        self._draw_cursor()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        mark = self._mark_at(event.position())
        if mark is not None and event.button() is Qt.MouseButton.LeftButton:
            self.mark_clicked.emit(mark.number)

    def leaveEvent(self, event: QEvent) -> None:
        self._leave()

    def _leave(self) -> None:
        if self._cursor is not None:
            self._cursor = None
            self.pointed.emit(None)
            self._draw_cursor()
