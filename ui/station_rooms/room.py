"""What all rooms of the station are: widgets that read while they are seen and rest while they are not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.kernel.catalogue import Catalogue
from ui.rooms.empty import Glyph
from ui.rooms.form import Words, label
from ui.station_rooms.feed import RoomFeed
from ui.theme import Theme

SMALLEST = (320, 160)


class LiveRoom(QWidget):
    """Subclasses build themselves in `build`, read in `refresh` and repaint countdowns in `tick`.

    `actions`: what a back office may want of this room's matter; a refusal is told in `notice`.
    """

    actions: tuple[str, ...] = ()

    def __init__(self, feed: RoomFeed, theme: Theme, catalogue: Catalogue) -> None:
        super().__init__()
        self._feed, self._theme = feed, theme
        self._catalogue = catalogue
        self._say = Words(catalogue, "rooms")
        self.notice = Notice(theme)
        self._refusal = 0
        self._live = False
        self.build()

    def build(self) -> None:
        raise NotImplementedError

    def refresh(self) -> None:
        """Read and show what is so now."""
        raise NotImplementedError

    def tick(self) -> None:
        """A second has passed while nothing else happened."""

    def set_theme(self, theme: Theme) -> None:
        """Colours that are painted by hand."""
        self._theme = theme
        self.notice.set_theme(theme)

    def tell_refusal(self) -> None:
        """Say why the station turned down what was wanted last; once, until something else is told."""
        refused = self._feed.rooms.turned_down(*self.actions)
        number = 0 if refused is None else refused.number
        if number == self._refusal:
            return
        self._refusal = number
        if refused is None:
            self.notice.quiet()
            return
        why = self._catalogue.render(refused.why)
        params = {"action": refused.action, "status": refused.status, "time": clock(refused.at)}
        key = "turned_down" if refused.status else "turned_down.bare"
        self.notice.tell(self._say(key, why=why, **params))

    def set_live(self, live: bool) -> None:
        """Somebody looks, or nobody does any more."""
        if live == self._live:
            return
        self._live = live
        if live:
            self._feed.changed.connect(self.refresh)
            self._feed.ticked.connect(self.tick)
            self.refresh()
        else:
            self._feed.changed.disconnect(self.refresh)
            self._feed.ticked.disconnect(self.tick)


class LazyRoom(QWidget):
    """A room that is made when it is seen first: a window that opens without it opens sooner.

    In a place that is too small for what it holds it scrolls; parts would lie over each other otherwise.
    """

    def __init__(self, make: Callable[[Theme], LiveRoom], theme: Theme) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)  # plain widgets paint no ground
        self._make, self._theme = make, theme
        self._room: LiveRoom | None = None
        self._live = self._keyboard = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._wake)
        inner = QWidget()
        self._box = QVBoxLayout(inner)
        self._box.setContentsMargins(0, 0, 0, 0)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inner)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(area)
        self.setMinimumSize(*SMALLEST)

    @property
    def room(self) -> LiveRoom:
        """The room, made if it is not there yet."""
        if self._room is None:
            self._room = self._make(self._theme)
        if not self._box.count():
            self._box.addWidget(self._room)
        return self._room

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        if self._room is not None:
            self._room.set_theme(theme)

    def set_live(self, live: bool) -> None:
        """By the dock: a room behind another tab is not seen, though Qt does not hide it."""
        self._live = live
        if live:
            self._soon.start()
        elif self._room is not None:
            self._room.set_live(False)

    def take_keyboard(self) -> None:
        """Give the room the keyboard, once it is there."""
        self._keyboard = True
        self._soon.start()

    def _wake(self) -> None:
        """Its place is shown, then it is made, put in, shown, and filled: a turn of the loop for each."""
        if not self._live:
            return
        if self._room is None:
            self._room = self._make(self._theme)
            self._soon.start()
            return
        if self._room.isHidden():
            if self._box.count():
                self._room.show()
            else:
                self._box.addWidget(self._room)
            self._soon.start()
            return
        self._room.set_live(True)
        focus = self.window().focusWidget()
        if self._keyboard and not (focus is not None and self._room.isAncestorOf(focus)):
            self._room.setFocus(Qt.FocusReason.OtherFocusReason)
        self._keyboard = False


class SearchField(QLineEdit):
    """Words to look for; Ctrl+F comes here from anywhere in the room, Escape empties it."""

    def __init__(self, hint: str, width: int = 260) -> None:
        super().__init__()
        self.setProperty("find", True)
        self.setPlaceholderText(hint)
        self.setAccessibleName(hint)
        self.setClearButtonEnabled(True)
        self.setFixedWidth(width)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            return
        super().keyPressEvent(event)

    def finds(self, *texts: str | None) -> bool:
        """Each of the words stands in one of the texts, small or large."""
        whole = "\n".join(text for text in texts if text).casefold()
        return all(word in whole for word in self.text().casefold().split())


class Notice(QFrame):
    """A line under a head that tells what became of something: a shape, a sentence."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "bar")
        self._glyph = Glyph("warning", "warn", theme)
        self._words = label("", "strong", wrap=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 12, 6)
        row.setSpacing(8)
        row.addWidget(self._glyph, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._words, 1)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        self._glyph.set_theme(theme)

    def text(self) -> str:
        """What it tells; empty while it is hidden."""
        return "" if self.isHidden() else self._words.text()

    def tell(self, text: str, *, good: bool = False) -> None:
        """Show a sentence."""
        self._glyph.show_glyph("tick" if good else "warning", "avail" if good else "warn")
        self._words.setText(text)
        self._words.setAccessibleName(text)
        self.show()

    def quiet(self) -> None:
        """Nothing to tell."""
        self._words.clear()
        self.hide()


def clock(moment: datetime | None) -> str:
    """The time of day here; with the date if that is another day. Empty for none."""
    if moment is None:
        return ""
    local = moment.astimezone()
    today = local.date() == datetime.now().astimezone().date()
    return local.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M")


def span(length: timedelta) -> str:
    """A length of time as 12 s, 3 min 05 s, 2 h 10 min, 5 d 3 h."""
    seconds = max(0, round(length.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3_600, seconds // 86_400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60:02} min"
    return f"{minutes} min {seconds % 60:02} s" if minutes else f"{seconds} s"
