"""What our charts are made of: pyqtgraph without its mouse and menus, axes with our words, boxes of text.

Importing this reads pyqtgraph and numpy: only `ui.graphs.reading` does it, in a thread.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QGraphicsItem

from ui.theme import Theme
from ui.widgets.scribe import CENTRE, LEFT, RIGHT, PaintedLabel, Scribe, text_width

SMALL = 11.0
BEHIND, AHEAD = -1000, 1000
Line = tuple[QPen, QPointF, QPointF]


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


class Axis(pg.AxisItem):
    """An axis with given marks; its lines go through the whole plot, behind what is drawn there."""

    def __init__(self, orientation: str, theme: Theme) -> None:
        self._whole = QRectF()
        self.picture: tuple[None, list[Line], list[Word]] | None = None
        super().__init__(orientation)
        self._theme = theme
        self._look = _Look()
        self.labels: list[PaintedLabel] = []
        self.setZValue(BEHIND)

    def set_whole(self, whole: QRectF) -> None:
        """The chart's place in the scene."""
        self.prepareGeometryChange()
        self._whole = whole
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
        self.picture = None
        self.update()

    def boundingRect(self) -> QRectF:
        """All of the chart: the lines go through the plot, the title stands above it."""
        return QRectF(self.mapRectFromScene(self._whole))

    def generateDrawSpecs(self, painter: QPainter) -> tuple[None, list[Line], list[Word]]:
        """Lines and words in the item's coordinates."""
        view = self.linkedView()
        plot = self.mapRectFromItem(view, view.boundingRect())
        if self.orientation == "bottom":
            return None, *self._along(plot)
        return None, *self._upright(plot)

    def _along(self, plot: QRectF) -> tuple[list[Line], list[Word]]:
        """Of a time axis."""
        look, whole = self._look, self.boundingRect()
        bottom = plot.bottom() - look.base
        begin, end = (plot.top(), bottom) if look.lines else (bottom, bottom + 3)
        pen = QPen(self._theme.colour("line" if look.lines else "text3"), 1)
        scale = plot.width() / ((self.range[1] - self.range[0]) or 1.0)
        lines, words = [], []
        for value, text in look.marks:
            x = round(plot.left() + (value - self.range[0]) * scale) + 0.5
            half = text_width(text, SMALL) / 2
            if whole.left() + half < x < whole.right() - half:
                words.append(Word(QPointF(x, whole.bottom() - look.below), text, CENTRE))
            if look.lines or x <= plot.right() + 1:
                lines.append((pen, QPointF(x, begin), QPointF(x, end)))
        return lines, words

    def _upright(self, plot: QRectF) -> tuple[list[Line], list[Word]]:
        """Of an axis of values."""
        look, whole = self._look, self.boundingRect()
        left = self.orientation == "left"
        side, align = (plot.left() - 7, RIGHT) if left else (plot.right() + 7, LEFT)
        scale = plot.height() / ((self.range[1] - self.range[0]) or 1.0)
        lines, words = [], []
        if look.title:
            words.append(Word(QPointF(side, whole.top() + 12), look.title, align))
        for value, text in look.marks:
            y = round(plot.bottom() - (value / self.scale - self.range[0]) * scale) + 0.5
            words.append(Word(QPointF(side, y + 4), text, align))
            if look.lines:
                pen = QPen(self._theme.colour("line2" if value == look.strong else "line"), 1)
                lines.append((pen, QPointF(plot.left(), y), QPointF(plot.right(), y)))
        return lines, words

    def paint(self, painter: QPainter, *_: object) -> None:
        """Straight to the screen: text out of a recorded picture takes four times as long."""
        if self.picture is None:  # something of it is new, says pyqtgraph too
            self.picture = self.generateDrawSpecs(painter)
        lines, words = self.picture[1:]
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


@dataclass(frozen=True, slots=True)
class Bones:
    """What a plot is built on: pyqtgraph's share, which takes the most time."""

    view: pg.ViewBox
    axes: dict[str, Axis]
    item: pg.PlotItem

    @classmethod
    def make(cls, theme: Theme, sides: Sequence[str]) -> Generator[None, None, Bones]:
        """In steps for a turn of the loop each."""
        view = pg.ViewBox(enableMouse=False, enableMenu=False, defaultPadding=0)
        axes = {side: Axis(side, theme) for side in sides}
        yield
        return cls(view, axes, pg.PlotItem(viewBox=view, axisItems=dict(axes), enableMenu=False))


class Plot(pg.PlotWidget):
    """A plot with edges of given width, which nothing but our own code moves."""

    def __init__(self, theme: Theme, edges: Edges, bones: Bones) -> None:
        view, item, sides = bones.view, bones.item, bones.axes
        self.axes = bones.axes
        super().__init__(plotItem=item)
        self.edges = edges
        self.view, self.item = view, item
        item.hideButtons()
        item.layout.setContentsMargins(
            0 if "left" in sides else edges.left,
            edges.top,
            0 if "right" in sides else edges.right,
            0,
        )
        item.layout.setSpacing(0)
        for side in ("left", "right", "top", "bottom"):
            item.showAxis(side, side in sides)
        for side, axis in self.axes.items():
            if side == "bottom":
                axis.setHeight(edges.bottom)
            else:
                axis.setWidth(edges.left if side == "left" else edges.right)
        view.disableAutoRange()
        self.setFrameShape(QFrame.Shape.NoFrame)
        for layer in (self, self.viewport()):
            layer.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            layer.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setBackground(theme.colour("panel"))

    def set_range(self, right: float, low: float, high: float) -> None:
        """The view from zero to `right` and from `low` to `high`."""
        self.view.setRange(
            xRange=(0.0, right), yRange=(low, high), padding=0, disableAutoRange=True
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for axis in getattr(self, "axes", {}).values():  # pyqtgraph resizes it while it is made
            axis.set_whole(QRectF(self.rect()))
