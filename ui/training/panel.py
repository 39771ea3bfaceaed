"""The panel of the built-in training CSMS, for a dock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.kernel.catalogue import Catalogue
from app.training.thread import TrainingCsmsThread
from ui.theme import Theme
from ui.training.feed import TrainingFeed

if TYPE_CHECKING:
    from ui.training.tabs import TrainingRooms

SMALLEST = (320, 200)


class TrainingPanel(QWidget):
    """What it holds is made a turn of the loop after it is shown first: without it a window opens sooner.

    `use_training_requested`: the station of the window shall come here.
    """

    use_training_requested = Signal()

    def __init__(
        self,
        csms: TrainingCsmsThread,
        theme: Theme,
        catalogue: Catalogue,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)  # plain widgets paint no ground
        self._theme, self._catalogue = theme, catalogue
        self._elsewhere: str | None = None
        self._rooms: TrainingRooms | None = None
        self._feed = TrainingFeed(csms, self)
        self._feed.set_active(False)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._wake)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self.setMinimumSize(*SMALLEST)

    @property
    def feed(self) -> TrainingFeed:
        return self._feed

    @property
    def rooms(self) -> TrainingRooms:
        """The tabs, made if they are not there yet."""
        if self._rooms is None:
            from ui.training.tabs import TrainingRooms

            rooms = TrainingRooms(self._feed, self._theme, self._catalogue)
            rooms.set_elsewhere(self._elsewhere)
            rooms.use_training_requested.connect(self.use_training_requested)
            self._box.addWidget(rooms)
            self._rooms = rooms
        return self._rooms

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        if self._rooms is not None:
            self._rooms.set_theme(theme)

    def set_elsewhere(self, url: str | None) -> None:
        """Where the station of the window connects instead; None: it connects here."""
        self._elsewhere = url
        if self._rooms is not None:
            self._rooms.set_elsewhere(url)

    def open_composer(self, station_id: str = "", action: str = "") -> None:
        """Show the composer, ready to write this to that station."""
        self.rooms.open_composer(station_id, action)

    def close_feed(self) -> None:
        """The window is about to go; call it before the CSMS is stopped."""
        self._feed.close()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._soon.start()

    def _wake(self) -> None:
        """Its place is there: make what it holds, and read what happens."""
        if self.isVisible():
            assert self.rooms is not None
            self._feed.set_active(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._feed.set_active(False)
