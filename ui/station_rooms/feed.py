"""Tells the rooms when to read anew: soon after something happened; once a second for countdowns."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from app.kernel.bus import Entry
from app.ocpp.events import FramePassed
from app.runtime.lab import Lab
from app.runtime.point_rows import PointRows
from app.runtime.rooms import Rooms
from ui.ask import Spawner
from ui.bridge import Bridge

SOON_MS = 120
SECOND_MS = 1_000


class RoomFeed(QObject):
    """`changed`: something that a room shows may be different; `ticked`: a second has passed.

    Rooms that nobody sees do not listen (`ui.station_rooms.room`), so that they cost nothing.
    """

    changed = Signal()
    ticked = Signal()

    def __init__(
        self,
        bridge: Bridge,
        rooms: Rooms,
        points: PointRows,
        lab: Lab,
        spawner: Spawner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.rooms, self.points, self.lab, self.spawner = rooms, points, lab, spawner
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON_MS)
        self._soon.timeout.connect(self.changed)
        self._second = QTimer(self)
        self._second.setInterval(SECOND_MS)
        self._second.timeout.connect(self.ticked)
        self._second.start()
        bridge.happened.connect(self._on_happened)

    def poke(self) -> None:
        """Something was done here: read soon."""
        if not self._soon.isActive():
            self._soon.start()

    def close(self) -> None:
        """The session is about to end."""
        self._soon.stop()
        self._second.stop()
        self.rooms.close()
        self.points.close()

    def _on_happened(self, entry: Entry) -> None:
        event = entry.event
        if not isinstance(event, FramePassed) or event.note:  # what it does is an event of its own
            self.poke()
