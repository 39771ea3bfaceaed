"""What is wrong with a station as a program: its disk, its journal, a fault of ours. People are told."""

from __future__ import annotations

import asyncio

from app.kernel.bus import Bus, Origin, because
from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.ocpp.events import TaskFailed
from app.runtime.events import StateTold
from app.runtime.store import Store, StoreFailed
from app.station.intents import ClearFault, RaiseFault
from app.station.kinds import Fault
from app.station.station import Station
from app.trace.journal import Journal


class Troubles:
    """Listens to store and journal. A failing store faults the machine: better than to charge unrecorded."""

    def __init__(
        self,
        bus: Bus,
        station: Station,
        store: Store,
        journal: Journal,
        catalogue: Catalogue,
        folder: str,
    ) -> None:
        self._bus, self._station, self._store = bus, station, store
        self._journal, self._catalogue, self._folder = journal, catalogue, folder
        self.failure: Text | None = None
        """Why the state cannot be written, None while it can."""
        store.on_failure = self._store_failed
        journal.on_broken = self._journal_broken

    def all(self) -> tuple[Text, ...]:
        """Those of this moment, the worst first."""
        broken = self._journal.broken
        journal = None if broken is None else self._about_journal(broken)
        return tuple(text for text in (self.failure, journal) if text is not None)

    def mend(self) -> None:
        """Power-up: try the store again."""
        self._store.failed = None
        if self.failure is not None:
            self.failure = None
            self._station.handle(ClearFault(fault=Fault.INTERNAL))

    def timer_failed(self, error: Exception) -> None:
        """What came due raised: told like any other fault of ours, and time goes on."""
        self._bus.publish(TaskFailed("timer", f"{type(error).__name__}: {error}"))

    def _store_failed(self, failure: StoreFailed) -> None:
        """Called in the middle of a step: act after it."""
        self.failure = failure.text
        asyncio.get_running_loop().call_soon(self._fault, failure.text)

    def _fault(self, why: Text) -> None:
        with because(Origin.HARDWARE):
            self._bus.publish(StateTold(why))
            info = self._catalogue.render(why)
            self._station.handle(RaiseFault(Fault.INTERNAL, info=info))

    def _journal_broken(self, why: str) -> None:
        """The journal is no memory of the station: it goes on without."""
        self._bus.publish(StateTold(self._about_journal(why)))

    def _about_journal(self, why: str) -> Text:
        return Text("runtime.journal.broken", {"folder": self._folder, "why": why})
