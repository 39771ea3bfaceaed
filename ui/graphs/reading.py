"""Reads the charts' library, which takes half a second, after the window is there: in a thread of its own."""

from __future__ import annotations

import importlib
from threading import Event

from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from ui.widgets.turns import Turns, Work

MODULES = ("ui.graphs.power_plot", "ui.graphs.step_plot")
"""All that imports pyqtgraph, and with it numpy."""
_read = Event()


def read_charts() -> None:
    """Import what draws charts. For any thread; widgets are made in the window's own, by `furnish()`."""
    for name in MODULES:
        importlib.import_module(name)
    _read.set()


class PlotPlace(QWidget):
    """Where a chart stands: empty until its library is read, then filled in turns of the loop.

    The pointer and the keys are the place's own: what draws lies on it and lets all through.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drawing: QWidget | None = None
        self._turns = Turns(self)

    @property
    def furnished(self) -> bool:
        """Whether there is something that draws."""
        return self._drawing is not None

    def furnish(self) -> None:
        """Make what draws, once, when its library has been read and somebody looks."""
        if (
            self._drawing is None
            and not self._turns.running
            and _read.is_set()
            and self.isVisible()
        ):
            self._turns.start(self._steps())

    def start_over(self) -> None:
        """What is being made is made of something old."""
        if self._turns.running:
            self._turns.start(self._steps())

    def make_drawing(self) -> QWidget:
        """Make the widget that draws, still empty."""
        raise NotImplementedError

    def fill_drawing(self) -> None:
        """Tell it all that is to be seen."""
        raise NotImplementedError

    def _steps(self) -> Work:
        drawing = self.make_drawing()
        yield
        drawing.setParent(self)
        drawing.setGeometry(self.rect())
        yield
        self._drawing = drawing
        self.fill_drawing()
        drawing.setGeometry(self.rect())  # it may have become another size in between
        drawing.show()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.furnish()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._drawing is not None:
            self._drawing.setGeometry(self.rect())
            self.fill_drawing()
