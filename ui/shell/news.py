"""What happens and is worth a toast: the link, refusals, faults of the program."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject

from app.kernel.bus import Entry, SubscriberFailed
from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.ocpp.context import BootState
from app.ocpp.events import (
    AuthorizationDecided,
    BootDelayed,
    BootStateChanged,
    Direction,
    FramePassed,
    LinkClosed,
    LinkFailed,
    LinkOpened,
    MessageDropped,
    TaskFailed,
)
from app.ocpp.frames import CALLRESULT
from app.runtime.events import StateTold
from app.runtime.store import StoreFailed
from ui.shell.toasts import Toasts, Tone

LINK = "link"
"""What toasts about the connection are about."""
GOODBYE = "runtime.link.stopped"
SHORT_LIFE = 30.0
"""Seconds: a link that ends sooner was none."""
PATIENCE = 2
"""So many short lives are told; what comes and goes all the time is for the bar above to show."""


class News(QObject):
    """Tells each matter once, however often it is tried again."""

    def __init__(self, toasts: Toasts, catalogue: Catalogue, parent: QObject) -> None:
        super().__init__(parent)
        self._toasts, self._catalogue = toasts, catalogue
        self._last_failure: str | None = None
        self._last_boot = ""
        self._opened_at = 0.0
        self._short_lives = 0
        """Links in a row that the other side, or the network, soon ended."""
        self._last_end = ""

    def tell(self, text: str, tone: Tone = Tone.NOTE, about: str = "") -> None:
        self._toasts.show_text(text, tone, about)

    def on_event(self, entry: Entry) -> None:
        event = entry.event
        if isinstance(event, LinkFailed | LinkOpened | LinkClosed):
            self._tell_link(event, entry.real)
        elif isinstance(event, BootDelayed):
            self._tell_boot(event.why)
        elif isinstance(event, BootStateChanged) and event.state is BootState.ACCEPTED:
            self._last_boot = ""
        elif isinstance(event, AuthorizationDecided) and not event.accepted:
            params = {"token": event.token, "status": event.status}
            self.tell(self._say("refused_card", **params), Tone.WARNING)
        elif isinstance(event, FramePassed):
            self._tell_refusal(event)
        elif isinstance(event, MessageDropped):
            self.tell(self._say("dropped", action=event.action, why=event.why), Tone.ERROR)
        elif isinstance(event, StateTold):
            self.tell(self._catalogue.render(event.what), Tone.WARNING)
        elif isinstance(event, SubscriberFailed | TaskFailed):
            if StoreFailed.is_meant_by(event.error):
                return
            self.tell(self._say("program_fault", error=event.error), Tone.ERROR)

    def _tell_link(self, event: LinkFailed | LinkOpened | LinkClosed, now: float) -> None:
        if isinstance(event, LinkOpened):
            self._last_failure, self._opened_at = None, now
            if self._short_lives < PATIENCE:
                self.tell(self._say("link_opened", version=event.version.value), Tone.GOOD, LINK)
            return
        why = self._catalogue.render(event.why)
        if isinstance(event, LinkClosed):
            short = now - self._opened_at < SHORT_LIFE and not event.own
            self._short_lives = self._short_lives + 1 if short else 0
            if self._short_lives <= PATIENCE or event.why.id != self._last_end:
                tone = Tone.NOTE if event.why.id == GOODBYE else Tone.WARNING
                self.tell(why, tone, LINK)
            self._last_end = event.why.id
            return
        if why != self._last_failure:  # each wait would tell the same again
            self.tell(self._say("link_failed", why=why), Tone.ERROR, LINK)
        self._last_failure = why

    def _tell_boot(self, why: Text) -> None:
        if why.id != self._last_boot:  # it is asked again and again
            self.tell(self._catalogue.render(why), Tone.WARNING, LINK)
        self._last_boot = why.id

    def _tell_refusal(self, frame: FramePassed) -> None:
        """The station turned down what the back office wanted: the wire often does not say why."""
        ours = (frame.direction, frame.kind) == (Direction.OUT, CALLRESULT)
        if ours and frame.note is not None:
            why = self._catalogue.render(frame.note)
            self.tell(self._say("turned_down", action=frame.action, why=why), Tone.WARNING)

    def _say(self, name: str, **params: Any) -> str:
        return self._catalogue.render(Text(f"toast.{name}", params))
