"""A ring that shows where the keyboard is."""

from __future__ import annotations

from PySide6.QtGui import QColor, QFocusEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QTableView

from ui.theme import Theme

RING = 2
"""px."""


class Ringed:
    """Shows the keyboard by a ring over its rows: a border of the style sheet would lie below them.

    Mixed into a view of Qt, which is named behind it and has the property `ring` at "own".
    """

    _ring = QColor()

    def set_theme(self, theme: Theme) -> None:
        self._ring = theme.colour("focus")
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self.viewport())
            painter.setPen(QPen(self._ring, RING))
            painter.drawRect(self.viewport().rect().adjusted(1, 1, -1, -1))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        self.viewport().update()  # Qt moves what is painted, the ring as well


class RingTable(Ringed, QTableView):
    """A table with such a ring."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("ring", "own")
        self.set_theme(theme)
