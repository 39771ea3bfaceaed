"""The status bar: link, queue, waiting, findings, clock."""

from __future__ import annotations

from datetime import timedelta

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.runtime.views import LinkState, SessionSnapshot
from ui.inspector.words import duration
from ui.shell.top_bar import DOT, link_word
from ui.theme import Theme

HEIGHT = 26


class StatusBar(QFrame):
    """One line of facts."""

    def __init__(self, theme: Theme, catalogue: Catalogue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._catalogue = catalogue
        self.setProperty("role", "status")
        self.setFixedHeight(HEIGHT)
        self._labels = {
            name: QLabel() for name in ("link", "queue", "waiting", "errors", "clock", "mode")
        }
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(18)
        for name, label in self._labels.items():
            label.setProperty("role", "secondary")
            if name == "clock":
                row.addStretch(1)
            row.addWidget(label)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme

    def show_snapshot(
        self, snapshot: SessionSnapshot, link_now: float, waiting: int, errors: int
    ) -> None:
        """`link_now`: the link clock's reading; `waiting` and `errors` are rows of the message table."""
        word, token = link_word(snapshot)
        text = self._say(word)
        link = snapshot.link
        if link.state is LinkState.ONLINE and link.since is not None:
            text += " " + duration(timedelta(seconds=link_now - link.since))
        elif link.retry_at is not None:
            seconds = max(0, round(link.retry_at - link_now))
            text += ", " + self._say("status.retry", seconds=seconds)
        dot = f'<span style="color:{self._theme.css(token)}">{DOT}</span>&nbsp; '
        self._put("link", dot + text)
        held = snapshot.queue > 0 and link.state is not LinkState.ONLINE
        colour = self._theme.css("warn" if held else "text2")
        queue_text = self._say("status.queue", count=snapshot.queue)
        self._put("queue", f'<span style="color:{colour}">{queue_text}</span>')
        self._put("waiting", self._say("status.waiting", count=waiting))
        colour = self._theme.css("fault" if errors else "text2")
        errors_text = self._say("status.error" if errors == 1 else "status.errors", count=errors)
        self._put("errors", f'<span style="color:{colour}">{errors_text}</span>')
        rate = snapshot.clock_rate
        clock = snapshot.station.at.astimezone().strftime("%H:%M:%S")
        speed = f"× {rate:g}" if rate is not None else self._say("status.virtual")
        self._put("clock", f"{clock}  {speed}")
        mode = "strict" if snapshot.strict else "pragmatic"
        self._put("mode", self._say(f"status.mode.{mode}"))

    def text(self, name: str) -> str:
        return self._labels[name].text()

    def _put(self, name: str, text: str) -> None:
        label = self._labels[name]
        if label.text() != text:
            label.setText(text)

    def _say(self, text_id: str, **params: object) -> str:
        return self._catalogue.render(Text(text_id, params))
