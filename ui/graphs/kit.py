"""What our charts are made of: pyqtgraph's views and curves, axes with our words, boxes of text.

A `PlotItem` would bring a hundred widgets of a menu that nobody opens, and takes three times as long to make
as all that is needed of it here.

Importing this reads pyqtgraph and numpy: only `ui.graphs.reading` does it, in a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QResizeEvent
from PySide6.QtWidgets import QGraphicsItem

from ui.theme import Theme
from ui.widgets.scribe import CENTRE, LEFT, RIGHT, PaintedLabel, Scribe, text_width

SMALL = 11.0
BEHIND, AHEAD = -1000, 1000
PIECE = 16
"""Points of a line that are drawn at once."""
Line = tuple[QPen, QPointF, QPointF]
Values = NDArray[np.float64]


def pen_of(colour: QColor, width: float, strokes: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    """`width`: px, whatever the units of the axes are."""
    pen = QPen(colour, width, strokes)
    pen.setCosmetic(True)
    return pen


@dataclass(frozen=True, slots=True)
class Word:
    """A text at a place of the widget, px; `align` says what of it lies there."""

    at: QPointF
    text: str
    align: int


@dataclass(frozen=True, slots=True)
class Edges:
    """px around the plot."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class _Look:
    """What an axis shows."""

    marks: tuple[tuple[float, str], ...] = ()
    lines: bool = True
    base: float = 0.0
    strong: float | None = None
    title: str = ""
    below: float = 5.0


class Axis(QGraphicsItem):
    """An axis with given marks; its lines go through the whole plot, behind what is drawn there."""

    def __init__(self, side: str, theme: Theme) -> None:
        super().__init__()
        self.side = side
        self._theme = theme
        self._look = _Look()
        self._whole, self._plot = QRectF(), QRectF()
        self._range = (0.0, 1.0)
        self._drawing: tuple[list[Line], list[Word]] | None = None
        self.labels: list[PaintedLabel] = []
        self.setZValue(BEHIND)

    def set_places(self, whole: QRectF, plot: QRectF) -> None:
        """Where the chart lies, and the plot in it, px."""
        self.prepareGeometryChange()
        self._whole, self._plot = whole, plot
        self.renew()

    def set_range(self, low: float, high: float) -> None:
        """What its two ends stand for."""
        if (low, high) != self._range:
            self._range = (low, high)
            self.renew()

    def set_marks(
        self,
        marks: Sequence[tuple[float, str]],
        *,
        lines: bool = True,
        base: float = 0.0,
        strong: float | None = None,
        title: str = "",
        below: float = 5.0,
    ) -> None:
        """What it shows: marks with their words, and a title above.

        `base`: px of the view below the plot. `below`: px under the words of a time axis. `strong`: the mark
        whose line is stronger. Without `lines` a time axis has short strokes.
        """
        news = _Look(tuple(marks), lines, base, strong, title, below)
        if news != self._look:
            self._look = news
            self.renew()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.renew()

    def renew(self) -> None:
        """Paint anew with the next frame."""
        self._drawing = None
        self.update()

    def boundingRect(self) -> QRectF:
        """All of the chart: the lines go through the plot, the title stands above it."""
        return self._whole

    def _along(self) -> tuple[list[Line], list[Word]]:
        """Of a time axis."""
        look, whole, plot = self._look, self._whole, self._plot
        bottom = plot.bottom() - look.base
        begin, end = (plot.top(), bottom) if look.lines else (bottom, bottom + 3)
        pen = QPen(self._theme.colour("line" if look.lines else "text3"), 1)
        lines, words = [], []
        for value, text in look.marks:
            x = round(plot.left() + self._part(value) * plot.width()) + 0.5
            half = text_width(text, SMALL) / 2
            if whole.left() + half < x < whole.right() - half:
                words.append(Word(QPointF(x, whole.bottom() - look.below), text, CENTRE))
            if look.lines or x <= plot.right() + 1:
                lines.append((pen, QPointF(x, begin), QPointF(x, end)))
        return lines, words

    def _upright(self) -> tuple[list[Line], list[Word]]:
        """Of an axis of values."""
        look, whole, plot = self._look, self._whole, self._plot
        left = self.side == "left"
        side, align = (plot.left() - 7, RIGHT) if left else (plot.right() + 7, LEFT)
        lines, words = [], []
        if look.title:
            words.append(Word(QPointF(side, whole.top() + 12), look.title, align))
        for value, text in look.marks:
            y = round(plot.bottom() - self._part(value) * plot.height()) + 0.5
            words.append(Word(QPointF(side, y + 4), text, align))
            if look.lines:
                pen = QPen(self._theme.colour("line2" if value == look.strong else "line"), 1)
                lines.append((pen, QPointF(plot.left(), y), QPointF(plot.right(), y)))
        return lines, words

    def _part(self, value: float) -> float:
        """How far along the axis a value stands."""
        low, high = self._range
        return (value - low) / ((high - low) or 1.0)

    def paint(self, painter: QPainter, *_: object) -> None:
        if self._drawing is None:
            self._drawing = self._along() if self.side == "bottom" else self._upright()
        lines, words = self._drawing
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for pen, begin, end in lines:
            painter.setPen(pen)
            painter.drawLine(begin, end)
        there: list[PaintedLabel] = []
        scribe = Scribe(painter, there, "graph")
        ink = self._theme.colour("text3")
        for word in words:
            at = word.at
            scribe.write(at.x(), at.y(), word.text, SMALL, 400, ink, align=word.align)
        self.labels = there


class Box(pg.GraphicsObject):
    """Lines of text in a frame, at a place of the widget."""

    def __init__(self, theme: Theme, weight: int = 500, size: float = SMALL) -> None:
        super().__init__()
        self._theme, self._weight, self._size = theme, weight, size
        self._lines: tuple[str, ...] = ()
        self.labels: list[PaintedLabel] = []
        self.setZValue(AHEAD)
        self.setCacheMode(QGraphicsItem.CacheMode.NoCache)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, px."""
        widths = [text_width(line, self._size, self._weight) for line in self._lines]
        return max(widths, default=0.0) + 20, 12 + 16.0 * len(self._lines)

    def show_lines(self, lines: tuple[str, ...]) -> None:
        if lines != self._lines:
            self.prepareGeometryChange()
            self._lines = lines
            self.labels = []
        self.setVisible(bool(lines))

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def boundingRect(self) -> QRectF:
        width, height = self.size
        return QRectF(-1, -1, width + 2, height + 2)

    def paint(self, painter: QPainter, *_: object) -> None:
        width, height = self.size
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.colour("line2"), 1))
        painter.setBrush(self._theme.colour("raised"))
        painter.drawRoundedRect(QRectF(0, 0, width, height), 6, 6)
        self.labels = []
        there: list[PaintedLabel] = []
        scribe = Scribe(painter, there, "graph")
        for number, line in enumerate(self._lines):
            ink: QColor = self._theme.colour("text2" if number else "text")
            scribe.write(10, 18 + 16 * number, line, self._size, self._weight, ink)
        self.labels = there


class Legend(pg.GraphicsObject):
    """What the lines are, in one row above the plot: pairs of a colour's token and a word."""

    def __init__(self, theme: Theme, left: float) -> None:
        super().__init__()
        self._theme, self._left, self._width = theme, left, 0.0
        self._pairs: tuple[tuple[str, str], ...] = ()
        self.labels: list[PaintedLabel] = []
        self.setZValue(BEHIND)

    def show_pairs(self, pairs: tuple[tuple[str, str], ...]) -> None:
        self._pairs = pairs
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def boundingRect(self) -> QRectF:
        return QRectF(0, 0, self._width, 20)

    def set_whole(self, whole: QRectF) -> None:
        """The chart's place in the scene."""
        self.prepareGeometryChange()
        self._width = whole.width()

    def paint(self, painter: QPainter, *_: object) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        there: list[PaintedLabel] = []
        scribe, x = Scribe(painter, there, "graph"), self._left
        for token, word in self._pairs:
            painter.setPen(QPen(self._theme.colour(token), 2))
            painter.drawLine(QPointF(x, 8), QPointF(x + 12, 8))
            width = scribe.write(x + 17, 12, word, SMALL, 400, self._theme.colour("text2"))
            x += 17 + width + 14
        self.labels = there


class Area(pg.PlotCurveItem):
    """A line over the area down to zero.

    The line is drawn in short pieces: in one, Qt takes ten times as long where it zigzags. The edge of the
    area lies under the line and need not be soft, which halves its time.
    """

    def __init__(self) -> None:
        super().__init__(pen=None, fillLevel=0.0, skipFiniteCheck=True, antialias=False)
        self._line = QPen()
        self._pieces: list[QPainterPath] = []

    def set_line(self, pen: QPen) -> None:
        self._line = pen
        self.update()

    def show_points(self, x: Values, y: Values) -> None:
        """Of values that stay the same for long only the ends are taken."""
        ends = np.ones(len(y), dtype=bool)
        ends[1:-1] = (y[1:-1] != y[:-2]) | (y[1:-1] != y[2:])
        x, y = x[ends], y[ends]
        self.setData(x, y)
        self._pieces = [
            self.generatePath(x[first : first + PIECE + 1], y[first : first + PIECE + 1])
            for first in range(0, len(x) - 1, PIECE)
        ]

    def paint(self, painter: QPainter, *args: object) -> None:
        super().paint(painter, *args)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self._line)
        for piece in self._pieces:
            painter.drawPath(piece)


class Plot(pg.GraphicsView):
    """A plot with edges of given width, which nothing but our own code moves."""

    def __init__(self, theme: Theme, edges: Edges, sides: Sequence[str]) -> None:
        """`sides`: where it has axes."""
        self.view = pg.ViewBox(enableMouse=False, enableMenu=False, defaultPadding=0)
        self.axes = {side: Axis(side, theme) for side in sides}
        self.edges = edges
        super().__init__(background=theme.colour("panel"))
        for part in (self.view, *self.axes.values()):
            self.scene().addItem(part)
        self.view.disableAutoRange()
        for layer in (self, self.viewport()):
            layer.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            layer.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def add(self, item: QGraphicsItem) -> None:
        """Something that is placed in the units of the axes."""
        self.view.addItem(item, ignoreBounds=True)

    def set_theme(self, theme: Theme) -> None:
        self.setBackground(theme.colour("panel"))
        for axis in self.axes.values():
            axis.set_theme(theme)

    def set_range(self, right: float, low: float, high: float) -> None:
        """The view from zero to `right` and from `low` to `high`."""
        self.view.setRange(
            xRange=(0.0, right), yRange=(low, high), padding=0, disableAutoRange=True
        )
        for side, axis in self.axes.items():
            axis.set_range(*((0.0, right) if side == "bottom" else (low, high)))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        whole, edges = QRectF(self.rect()), self.edges
        plot = whole.adjusted(edges.left, edges.top, -edges.right, -edges.bottom)
        self.view.setGeometry(plot)
        for axis in self.axes.values():
            axis.set_places(whole, plot)
