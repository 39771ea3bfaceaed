"""Reads the charts' library, which takes half a second, after the window is there: in a thread of its own."""

from __future__ import annotations

import importlib
from threading import Event

from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QWidget

MODULES = ("ui.graphs.power_plot", "ui.graphs.step_plot")
"""All that imports pyqtgraph, and with it numpy."""
_read = Event()


def read_charts() -> None:
    """Import what draws charts. For any thread; widgets are made in the window's own, by `furnish()`."""
    for name in MODULES:
        importlib.import_module(name)
    _read.set()


class PlotPlace(QWidget):
    """Where a chart stands: empty until its library is read, then filled by `furnish()`.

    The pointer and the keys are the place's own: what draws lies on it and lets all through.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drawing: QWidget | None = None
        self._made: QWidget | None = None

    @property
    def furnished(self) -> bool:
        """Whether there is something that draws."""
        return self._drawing is not None

    def prepare(self) -> None:
        """The long half of `furnish`, for a turn of the loop of its own."""
        if self._drawing is None and self._made is None and _read.is_set():
            self._made = self.make_drawing()

    def furnish(self) -> None:
        """Make what draws, once, when its library has been read."""
        self.prepare()
        if self._made is not None:
            self._drawing, self._made = self._made, None
            self._drawing.setParent(self)
            self._drawing.setGeometry(self.rect())
            self.fill_drawing()
            self._drawing.show()

    def make_drawing(self) -> QWidget:
        """The widget that draws, still empty."""
        raise NotImplementedError

    def fill_drawing(self) -> None:
        """Tell it all that is to be seen."""
        raise NotImplementedError

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.furnish()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._drawing is not None:
            self._drawing.setGeometry(self.rect())
            self.fill_drawing()
