"""A splitter that lies or stands as its room allows: docks are wide at the bottom and tall at the side."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget

from ui.widgets.turns import Work


def put_in_panes(whole: QWidget) -> Work:
    """Give the panes of all splitters in something their places, in steps."""
    for splitter in whole.findChildren(TurningSplitter):
        splitter.put_in()
        yield
        yield from put_in_panes(splitter)


class TurningSplitter(QSplitter):
    """Side by side where there is room for it, else below each other.

    Room: at least `turn_at` px of width; with `low` also less than `low` px of height.

    The panes are put in when the splitter has its own place, and shown when it is styled. A splitter measures
    what is shown, which styles all that it holds, and each place found afterwards would style it once more.
    """

    def __init__(
        self, turn_at: int, wide: list[int], tall: list[int], *panes: QWidget, low: int = 0
    ) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self._turn_at, self._low = turn_at, low
        self._shares = {Qt.Orientation.Horizontal: wide, Qt.Orientation.Vertical: tall}
        self.setChildrenCollapsible(False)
        self._panes = panes
        self._styled = False

    def event(self, event: QEvent) -> bool:
        """Polished is what is about to be measured or shown."""
        done = super().event(event)
        if event.type() is QEvent.Type.Polish and not self._styled:
            self.put_in()
            self._styled = True
            for pane in self._panes:
                if not pane.testAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide):
                    pane.show()
            self.setSizes(self._scaled(Qt.Orientation.Vertical, 1000))
        return done

    def put_in(self) -> None:
        """Give the panes their places, still unseen; what their owners have hidden stays hidden."""
        if self.count():
            return
        explicit = Qt.WidgetAttribute.WA_WState_ExplicitShowHide
        for number, pane in enumerate(self._panes):
            hidden_by_owner = pane.testAttribute(explicit)
            pane.hide()
            self.addWidget(pane)
            self.setStretchFactor(number, 1)
            pane.setAttribute(explicit, hidden_by_owner)

    def minimumSizeHint(self) -> QSize:
        """So small that it can still turn: a hint of the present orientation would hold it there."""
        self.ensurePolished()
        if self._low:
            panes = [pane.minimumSizeHint() for pane in self._panes]
            return QSize(max(one.width() for one in panes), max(one.height() for one in panes))
        return super().minimumSizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        room = event.size()
        wide = room.width() >= self._turn_at and (not self._low or room.height() < self._low)
        wanted = Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical
        if wanted is not self.orientation():
            self.setOrientation(wanted)
            self.setSizes(self._scaled(wanted, room.width() if wide else room.height()))
        super().resizeEvent(event)

    def _scaled(self, orientation: Qt.Orientation, room: int) -> list[int]:
        shares = self._shares[orientation]
        return [room * share // sum(shares) for share in shares]
