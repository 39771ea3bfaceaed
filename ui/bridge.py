"""Between the session and the window: events in, intents out. The only file that knows both.

Views get an event or a snapshot, never an object of the machine. Whatever changes faster than a frame is
coalesced: the newest snapshot is handed round at most 20 times a second, and only when something happened
or energy flows.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from app.kernel.bus import Entry, Origin
from app.runtime.session import Session
from app.runtime.views import SessionSnapshot
from app.station.events import PowerChanged
from app.station.intents import Intent, Outcome, Refused

FRAME_MS = 50
LIVE_MS = 100
"""How often the machine is asked to move on while energy flows."""
IDLE_MS = 1000
"""And while nothing moves: countdowns and clocks still tick."""


class Bridge(QObject):
    """Qt signals of what happens in a session; all carry Python objects.

    `snapshot_changed` a SessionSnapshot, `happened` an Entry (all but power), `refused` the sentence of an
    intent that the machine did not take.
    """

    snapshot_changed = Signal(object)
    happened = Signal(object)
    refused = Signal(str)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._latest: SessionSnapshot | None = None
        self._remove = session.bus.subscribe(self._on_entry)
        self._frame = QTimer(self)
        self._frame.setSingleShot(True)
        self._frame.setInterval(FRAME_MS)
        self._frame.timeout.connect(self._publish)
        self._tick = QTimer(self)
        self._tick.setInterval(IDLE_MS)
        self._tick.timeout.connect(self._on_tick)

    @property
    def session(self) -> Session:
        return self._session

    def start(self) -> None:
        """Begin to hand round snapshots."""
        self._tick.start()
        self._publish()

    def stop(self) -> None:
        """Hear and say nothing more; the session is about to end."""
        self._remove()
        self._frame.stop()
        self._tick.stop()

    def snapshot(self) -> SessionSnapshot:
        """The newest snapshot that was handed round."""
        if self._latest is None:
            self._latest = self._session.snapshot()
        return self._latest

    def intend(self, order: Intent) -> Outcome:
        """Do what a person did on the picture or with a command."""
        outcome = self._session.intend(order, Origin.PERSON)
        if isinstance(outcome, Refused):
            self.refused.emit(self._session.catalogue.render(outcome.reason))
        return outcome

    def _on_entry(self, entry: Entry) -> None:
        if not self._frame.isActive():
            self._frame.start()
        if not isinstance(entry.event, PowerChanged):
            self.happened.emit(entry)

    def _on_tick(self) -> None:
        self._session.station.advance()
        self._publish()

    def _publish(self) -> None:
        snapshot = self._session.snapshot()
        self._latest = snapshot
        live = any(evse.power > 0 for evse in snapshot.station.evses)
        wanted = LIVE_MS if live else IDLE_MS
        if self._tick.interval() != wanted:
            self._tick.setInterval(wanted)
        self.snapshot_changed.emit(snapshot)
