"""The painted chart: power as an area, the limit as steps, the battery dashed, messages on the time axis.

It is painted by us: a frame costs a fifth of what a plotting library takes, and the window opens without one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.graphs.axes import Points, round_steps, runs, time_steps
from ui.graphs.history import Marker
from ui.theme import Theme
from ui.widgets.scribe import CENTRE, RIGHT, PaintedLabel, Scribe, text_width

LEFT_EDGE, RIGHT_EDGE = 36, 36
HEAD, MARKS, FOOT = 22, 14, 18
"""px above the plot for units and legend, below it for message marks, and for times."""
MOST_LINES = 8
REACH = 9.0
"""px around a mark that belong to it."""
SMALL = 11.0
SOC_TOP = 106.0
"""Percent at the upper edge: a full battery stays off it."""


@dataclass(frozen=True, slots=True)
class ChartData:
    """What is drawn. Times in epoch seconds; `actual` and `limit` up to `top`, `soc` in percent."""

    start: float
    end: float
    top: float
    unit: str
    actual: Points = field(default_factory=list)
    limit: Points = field(default_factory=list)
    soc: Points = field(default_factory=list)
    marks: tuple[Marker, ...] = ()


class Chart(QWidget):
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
        self._labels: list[PaintedLabel] = []
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setMinimumHeight(112)
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
        return max(1, round(self._plot().width()))

    def painted_labels(self) -> list[PaintedLabel]:
        """Every text with its place, for tests of fit and contrast."""
        return list(self._labels)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def set_legend(self, legend: tuple[tuple[str, str], ...]) -> None:
        """What the lines are: pairs of colour and word."""
        self._legend = legend
        self.update()

    def show_data(self, data: ChartData | None) -> None:
        self._data = data
        self.update()

    def show_reading(self, lines: tuple[str, ...]) -> None:
        """What stood at the cursor."""
        self._reading = lines
        self.update()

    def mark_place(self, number: int) -> QPointF:
        """The middle of a message's mark. Raises KeyError where it is not shown."""
        for mark in self._data.marks if self._data else ():
            if mark.number == number:
                return self._mark_point(mark)
        raise KeyError(number)

    # ------------------------------------------------------------------ places

    def _plot(self) -> QRectF:
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
        plot = self._plot()
        return QPointF(self._x(plot, mark.time), plot.bottom() + MARKS / 2 + 1)

    def _mark_at(self, place: QPointF) -> Marker | None:
        if self._data is None:
            return None
        near = [
            (abs(point.x() - place.x()), -mark.number, mark)
            for mark in self._data.marks
            if (point := self._mark_point(mark)) and abs(point.y() - place.y()) <= REACH + 2
        ]
        distance, _, mark = min(near, default=(REACH + 1, 0, None))
        return mark if distance <= REACH else None

    # ------------------------------------------------------------------ painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), self._theme.colour("panel"))
        self._labels = []
        scribe = Scribe(painter, self._labels, "graph")
        plot = self._plot()
        data = self._data
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_legend(scribe, data)
        if data is None:
            self._paint_frame(painter, plot)
        else:
            self._paint_axes(painter, scribe, plot, data)
            painter.save()
            painter.setClipRect(plot.adjusted(-1, -2, 1, 1))
            self._paint_lines(painter, plot, data)
            painter.restore()
            self._paint_marks(painter, plot, data)
            self._paint_cursor(painter, scribe, plot, data)
        painter.end()

    def _paint_frame(self, painter: QPainter, plot: QRectF) -> None:
        painter.setPen(QPen(self._theme.colour("line2"), 1))
        base = round(plot.bottom()) + 0.5
        painter.drawLine(QPointF(plot.left(), base), QPointF(plot.right(), base))

    def _paint_legend(self, scribe: Scribe, data: ChartData | None) -> None:
        quiet = self._theme.colour("text3")
        if data is not None:
            scribe.write(LEFT_EDGE - 7, 12, data.unit, SMALL, 400, quiet, align=RIGHT)
            scribe.write(self.width() - RIGHT_EDGE + 7, 12, "%", SMALL, 400, quiet)
        x, painter = float(LEFT_EDGE), scribe.painter
        for token, word in self._legend:
            painter.setPen(QPen(self._theme.colour(token), 2))
            painter.drawLine(QPointF(x, 8), QPointF(x + 12, 8))
            width = scribe.write(x + 17, 12, word, SMALL, 400, self._theme.colour("text2"))
            x += 17 + width + 14

    def _paint_axes(self, painter: QPainter, scribe: Scribe, plot: QRectF, data: ChartData) -> None:
        quiet, line = self._theme.colour("text3"), self._theme.colour("line")
        lines = min(MOST_LINES, max(2, int(plot.height() / 30)))
        for value in round_steps(data.top, lines):
            y = round(plot.bottom() - plot.height() * value / data.top) + 0.5
            painter.setPen(QPen(line if value else self._theme.colour("line2"), 1))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            scribe.write(plot.left() - 7, y + 4, f"{value:g}", SMALL, 400, quiet, align=RIGHT)
        for percent in (0, 50, 100) if plot.height() < 260 else (0, 20, 40, 60, 80, 100):
            y = round(plot.bottom() - plot.height() * percent / SOC_TOP) + 0.5
            scribe.write(plot.right() + 7, y + 4, str(percent), SMALL, 400, quiet)
        self._paint_times(painter, scribe, plot, data)

    def _paint_times(
        self, painter: QPainter, scribe: Scribe, plot: QRectF, data: ChartData
    ) -> None:
        quiet, line = self._theme.colour("text3"), self._theme.colour("line")
        baseline = self.height() - 5.0
        half = text_width("00:00", SMALL) / 2
        for at, word in time_steps(data.start, data.end, int(plot.width() / 72)):
            x = round(self._x(plot, at)) + 0.5
            painter.setPen(QPen(line, 1))
            painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
            if half < x < self.width() - half:
                scribe.write(x, baseline, word, SMALL, 400, quiet, align=CENTRE)

    def _paint_lines(self, painter: QPainter, plot: QRectF, data: ChartData) -> None:
        for run in runs(data.actual):
            line = self._polygon(plot, run, data.top)
            area = QPolygonF(line)
            area.append(QPointF(line.last().x(), plot.bottom()))
            area.append(QPointF(line.first().x(), plot.bottom()))
            gradient = QLinearGradient(plot.topLeft(), plot.bottomLeft())
            gradient.setColorAt(0, self._theme.colour("charge", 0.42))
            gradient.setColorAt(1, self._theme.colour("charge", 0.04))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(gradient)
            painter.drawPolygon(area)
            self._draw(painter, line, QPen(self._theme.colour("charge"), 1.5))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for run in runs(data.limit):
            steps = self._polygon(plot, _stepped(run), data.top)
            self._draw(painter, steps, QPen(self._theme.colour("warn"), 1.5))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        dashed = QPen(self._theme.colour("avail"), 1.5, Qt.PenStyle.DashLine)
        for run in runs(data.soc):
            self._draw(painter, self._polygon(plot, run, SOC_TOP), dashed)

    def _draw(self, painter: QPainter, line: QPolygonF, pen: QPen) -> None:
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(line)

    def _polygon(self, plot: QRectF, points: Points, top: float) -> QPolygonF:
        assert self._data is not None
        across = plot.width() / max(1e-6, self._data.end - self._data.start)
        left, start = plot.left(), self._data.start
        base, up = plot.bottom(), plot.height() / top
        return QPolygonF(
            [QPointF(left + (at - start) * across, base - value * up) for at, value in points]
        )

    def _paint_marks(self, painter: QPainter, plot: QRectF, data: ChartData) -> None:
        """A triangle a message, up for one that was sent; those under another are left out."""
        painter.setPen(Qt.PenStyle.NoPen)
        for outgoing, token in ((True, "out"), (False, "inn")):
            path, last = QPainterPath(), -99.0
            for mark in data.marks:
                x = self._x(plot, mark.time)
                if mark.outgoing is outgoing and abs(x - last) >= 3:
                    tip = -4.0 if outgoing else 4.0
                    middle = plot.bottom() + MARKS / 2 + 1
                    path.moveTo(x, middle + tip)
                    path.lineTo(x + 4, middle - tip)
                    path.lineTo(x - 4, middle - tip)
                    path.closeSubpath()
                    last = x
            painter.fillPath(path, self._theme.colour(token))

    def _paint_cursor(
        self, painter: QPainter, scribe: Scribe, plot: QRectF, data: ChartData
    ) -> None:
        if self._cursor is None or not self._reading:
            return
        x = min(max(self._x(plot, self._cursor), plot.left()), plot.right())
        painter.setPen(QPen(self._theme.colour("text3"), 1))
        painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
        width = max(text_width(line, SMALL, 500) for line in self._reading) + 20
        height = 12 + 16 * len(self._reading)
        left = x + 8 if x + 8 + width < self.width() else x - 8 - width
        box = QRectF(left, plot.top() + 2, width, height)
        painter.setPen(QPen(self._theme.colour("line2"), 1))
        painter.setBrush(self._theme.colour("raised"))
        painter.drawRoundedRect(box, 6, 6)
        for number, line in enumerate(self._reading):
            ink: QColor = self._theme.colour("text2" if number else "text")
            scribe.write(box.left() + 10, box.top() + 18 + 16 * number, line, SMALL, 500, ink)

    # ------------------------------------------------------------------ the pointer

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place, plot = event.position(), self._plot()
        on_mark = self._mark_at(place) is not None
        shape = Qt.CursorShape.PointingHandCursor if on_mark else Qt.CursorShape.ArrowCursor
        self.setCursor(shape)
        if self._data is None or not plot.contains(place):
            self._leave()
            return
        share = (place.x() - plot.left()) / plot.width()
        self._cursor = self._data.start + share * (self._data.end - self._data.start)
        self.pointed.emit(self._cursor)
        self.update()

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
            self.update()


def _stepped(run: Points) -> Points:
    """A limit holds until the next one: only its corners are drawn."""
    steps: Points = []
    for at, value in run:
        if not steps:
            steps.append((at, value))
        elif value != steps[-1][1]:
            steps += [(at, steps[-1][1]), (at, value)]
    if run:
        steps.append((run[-1][0], steps[-1][1]))
    return steps
