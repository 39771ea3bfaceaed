"""What stands in the middle of the window: the picture of the station, and the cards below it."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from ui.station.canvas import StationCanvas
from ui.wallet import Wallet

LOW = 440
"""px from top to bottom below which the picture needs what the cards can do without."""


class Centre(QWidget):
    """The picture gets what the cards leave.

    They are placed by hand: a layout would give the picture two sizes where the cards change theirs, and each
    is painted anew.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parts: tuple[StationCanvas, Wallet] | None = None

    def hold(self, canvas: StationCanvas, wallet: Wallet) -> None:
        self._parts = canvas, wallet
        canvas.setParent(self)
        wallet.setParent(self)
        self._place()

    def minimumSizeHint(self) -> QSize:
        if self._parts is None:
            return super().minimumSizeHint()
        sizes = [one.minimumSizeHint().expandedTo(one.minimumSize()) for one in self._parts]
        return QSize(max(one.width() for one in sizes), sum(one.height() for one in sizes))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        if self._parts is None:
            return
        canvas, wallet = self._parts
        wide, high = self.width(), self.height()
        wallet.set_low(high < LOW)
        edge = high - wallet.height()
        canvas.setGeometry(0, 0, wide, edge)
        wallet.setGeometry(0, edge, wide, wallet.height())
