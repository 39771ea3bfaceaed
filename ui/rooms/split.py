"""A splitter that lies or stands as its room allows: docks are wide at the bottom and tall at the side."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget


class TurningSplitter(QSplitter):
    """Side by side from `turn_at` px of width on, below each other under it."""

    def __init__(self, turn_at: int, wide: list[int], tall: list[int], *panes: QWidget) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self._turn_at = turn_at
        self._shares = {Qt.Orientation.Horizontal: wide, Qt.Orientation.Vertical: tall}
        self.setChildrenCollapsible(False)
        for number, pane in enumerate(panes):
            self.addWidget(pane)
            self.setStretchFactor(number, 1)
        self.setSizes(tall)

    def resizeEvent(self, event: QResizeEvent) -> None:
        wide = event.size().width() >= self._turn_at
        wanted = Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical
        if wanted is not self.orientation():
            self.setOrientation(wanted)
            self.setSizes(
                self._scaled(wanted, event.size().width() if wide else event.size().height())
            )
        super().resizeEvent(event)

    def _scaled(self, orientation: Qt.Orientation, room: int) -> list[int]:
        shares = self._shares[orientation]
        return [room * share // sum(shares) for share in shares]
