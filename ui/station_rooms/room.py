"""What all rooms of the station are: widgets that read while they are seen and rest while they are not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.kernel.catalogue import Catalogue
from ui.rooms.empty import Glyph
from ui.rooms.form import Words, label
from ui.rooms.making import make_in
from ui.station_rooms.feed import RoomFeed
from ui.theme import Theme
from ui.widgets.turns import ALONE, Turns, Work

SMALLEST = (320, 160)


class Modest(QWidget):
    """Wants no more height than it needs.

    Where a text of several lines is in it Qt would give it all that it would like to have, so that it scrolls
    without need. What lies between such a text and what scrolls has to be modest, each for itself.
    """

    def heightForWidth(self, width: int) -> int:
        layout = self.layout()
        return -1 if layout is None else layout.totalMinimumHeightForWidth(width)


class LiveRoom(Modest):
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

    @property
    def theme(self) -> Theme:
        return self._theme

    def build(self) -> Work:
        """Make all there is to see, in steps of a few milliseconds. Nothing else is called before its end."""
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

    def missing(self) -> str:
        """Why the station has nothing of this room's kind."""
        version = self._feed.rooms.version
        if version is None:
            return self._say("missing.dark")
        return self._say("missing.version", version=version.value)

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

    It is made, styled and filled in turns of the loop, and then shown as a whole. In a place that is too
    small for what it holds it scrolls; parts would lie over each other otherwise.
    """

    def __init__(self, make: Callable[[Theme], LiveRoom], theme: Theme) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)  # plain widgets paint no ground
        self._make, self._theme = make, theme
        self._room: LiveRoom | None = None
        self._live = self._keyboard = False
        self._turns = Turns(self)
        inner = Modest()
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
        """The room; what of it is not there yet is made now."""
        if self._room is None:
            self._go_on()
            self._turns.finish()
        assert self._room is not None, "the turns have made it"
        return self._room

    def set_theme(self, theme: Theme) -> None:
        """A room that nobody sees takes it in a turn of the loop of its own."""
        self._theme = theme
        if self._room is None:
            return
        if self._live or self._turns.running:  # these may have asked already
            self._room.set_theme(theme)
        else:
            self._go_on()

    def set_live(self, live: bool) -> None:
        """By the dock: a room behind another tab is not seen, though Qt does not hide it."""
        self._live = live
        if live:
            self._go_on()
        elif self._room is not None:
            self._room.set_live(False)

    def take_keyboard(self) -> None:
        """Give the room the keyboard, once it is there."""
        self._keyboard = True
        self._go_on()

    def leave(self) -> None:
        """The session is about to end: nothing more is made or read."""
        self._turns.stop()
        self.set_live(False)

    def _go_on(self) -> None:
        if not self._turns.running:
            self._turns.start(self._steps())

    def _steps(self) -> Work:
        """What is begun goes on where nobody looks any more: they will look again."""
        if self._room is None:
            room = self._make(self._theme)
            yield from make_in(self._box, room, room.build())
            self._room = room
        room = self._room
        if room.theme != self._theme:
            room.set_theme(self._theme)
            yield
        if self._live:
            yield ALONE
            room.set_live(True)
        if room.isHidden():
            yield ALONE
            room.show()
        room.set_live(self._live)  # they may have looked away and back meanwhile
        self._give_keyboard(room)

    def _give_keyboard(self, room: LiveRoom) -> None:
        if not self._live:
            return
        focus = self.window().focusWidget()
        if self._keyboard and not (focus is not None and room.isAncestorOf(focus)):
            room.setFocus(Qt.FocusReason.OtherFocusReason)
        self._keyboard = False


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
