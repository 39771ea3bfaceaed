"""From the thread of the training CSMS to the window: its state, at most ten times a second."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from shiboken6 import isValid

from app.training.files import PROTOCOLS
from app.training.records import CsmsChange, CsmsSnapshot
from app.training.settings import BootAnswer, Tariff
from app.training.thread import TrainingCsmsThread

if TYPE_CHECKING:
    from app.training.server import TrainingCsms

FRAME_MS = 100
"""How long changes are collected before the state is read again."""
WATCH_MS = 1000
"""How often it is looked whether the CSMS was started or stopped."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Offer:
    """A URL that stations may use: firmware of a version to fetch or, without one, a place for logs."""

    url: str
    protocol: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class TrainingView:
    """What the panel shows, read in one go."""

    running: bool = False
    snapshot: CsmsSnapshot = field(default_factory=CsmsSnapshot)
    boot: BootAnswer = field(default_factory=BootAnswer)
    tariff: Tariff | None = None
    offers: tuple[Offer, ...] = ()


class TrainingFeed(QObject):
    """`changed` carries a TrainingView; `started` comes when the CSMS has begun to run."""

    changed = Signal(object)
    started = Signal()
    _poked = Signal()
    _arrived = Signal(object)
    _answered = Signal(object, object, object)

    def __init__(self, csms: TrainingCsmsThread, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._csms = csms
        self._view = TrainingView()
        self._dirty = True
        self._active = True
        self._closed = False
        self._was_running = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self.refresh)
        self._watch = QTimer(self)
        self._watch.setInterval(WATCH_MS)
        self._watch.timeout.connect(self._look)
        self._watch.start()
        queued = Qt.ConnectionType.QueuedConnection
        self._poked.connect(self._on_poked, queued)
        self._arrived.connect(self._on_arrived, queued)
        self._answered.connect(self._on_answered, queued)
        self._remove = csms.subscribe(self._on_change)
        QTimer.singleShot(0, self, self._look)

    @property
    def csms(self) -> TrainingCsmsThread:
        return self._csms

    @property
    def view(self) -> TrainingView:
        """The newest state that was read."""
        return self._view

    def close(self) -> None:
        """Hear of nothing any more."""
        self._closed = True
        self._remove()
        self._timer.stop()
        self._watch.stop()

    def set_active(self, active: bool) -> None:
        """Read the state only while somebody looks."""
        self._active = active
        if active and self._dirty:
            self.refresh()

    def refresh(self) -> None:
        """Read the state; `changed` brings it."""
        if self._closed:
            return
        if not self._active:
            self._dirty = True
            return
        self._dirty = False
        if not self._csms.is_running:
            self._show(TrainingView(False, self._csms.snapshot(), self._view.boot))
            return
        self._csms.perform(_read).add_done_callback(self._deliver)

    def ask(
        self,
        work: Callable[[TrainingCsms], T],
        then: Callable[[Any], None] | None = None,
    ) -> None:
        """Do something in the CSMS's thread; `then` gets the result here. Nothing if it does not run."""
        self.await_future(self._csms.perform(work), then)

    def await_future(
        self, future: Future[Any], then: Callable[[Any], None] | None, failed: Any = None
    ) -> None:
        """Hand the result of a future to `then` in the window's thread; `failed` stands for an error."""

        def done(finished: Future[Any]) -> None:
            try:
                result = finished.result()
            except CancelledError:
                return
            except Exception as error:  # noqa: BLE001 - told to whoever asked
                result = error if failed is None else failed
            if not self._closed and isValid(self):
                self._answered.emit(then, result, None)

        future.add_done_callback(done)

    # in the thread of the CSMS

    def _on_change(self, change: CsmsChange) -> None:
        if not self._dirty and not self._closed and isValid(self):
            self._dirty = True
            self._poked.emit()

    def _deliver(self, future: Future[TrainingView]) -> None:
        if future.cancelled() or self._closed or not isValid(self):
            return
        self._arrived.emit(future.result())

    # in the thread of the window

    def _on_poked(self) -> None:
        if not self._closed and not self._timer.isActive():
            self._timer.start()

    def _on_arrived(self, view: TrainingView) -> None:
        if not self._closed:
            self._show(view)

    def _on_answered(self, then: Callable[[Any], None] | None, result: Any, _: object) -> None:
        if self._closed or then is None:
            return
        then(result)

    def _show(self, view: TrainingView) -> None:
        self._view = view
        self.changed.emit(view)

    def _look(self) -> None:
        running = self._csms.is_running
        if running != self._was_running:
            self._was_running = running
            if running:
                self.started.emit()
            self.refresh()


def _read(csms: TrainingCsms) -> TrainingView:
    files = csms.files
    offers = [Offer(files.firmware_url(kind), kind, files.version) for kind in PROTOCOLS]
    offers += [Offer(files.uploads_url(kind), kind) for kind in PROTOCOLS]
    settings = csms.settings
    return TrainingView(True, csms.snapshot(), settings.boot, settings.tariff, tuple(offers))
