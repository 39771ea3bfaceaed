"""What the station knows of tokens by itself: the local authorization list and the cache."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.ocpp.views import ListedToken, TokenBook
from ui.rooms.empty import EmptyState
from ui.rooms.form import add_stack, bar, button, label
from ui.rooms.search import SearchField
from ui.rooms.split import TurningSplitter
from ui.rooms.table import Column, Mark, RecordModel, RecordTable
from ui.station_rooms.room import LiveRoom, clock
from ui.theme import Theme
from ui.widgets.turns import Work

TURN_AT = 900
_MARKS = {
    "Accepted": Mark("available", "avail"),
    "ConcurrentTx": Mark("occupied", "charge"),
    "Expired": Mark("unavailable", "unavail"),
    "Blocked": Mark("faulted", "fault"),
    "Invalid": Mark("faulted", "fault"),
}


class TokensRoom(LiveRoom):
    """Two tables side by side; the cache can be emptied here, as a person at the station can."""

    actions = ("SendLocalList", "ClearCache")

    def build(self) -> Work:
        say = self._say
        self.search = SearchField(say("tokens.search"))
        self.search.textChanged.connect(self._filter)
        self.clear = button(say("tokens.clear"), "quiet")
        self.clear.setToolTip(say("tokens.clear_hint"))
        self.clear.clicked.connect(self._clear)
        yield
        self.listed = TokenPane("list", self)
        yield from self.listed.build()
        yield
        self.cached = TokenPane("cache", self, self.clear)
        yield from self.cached.build()
        yield
        body = TurningSplitter(TURN_AT, [1, 1], [1, 1], self.listed, self.cached, low=10_000)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(bar(self.search))
        box.addWidget(self.notice)
        box.addWidget(body, 1)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for part in (self.listed, self.cached):
            part.set_theme(theme)

    def refresh(self) -> None:
        self.tell_refusal()
        views = self._feed.rooms.views
        self.listed.show_book(views.local_list())
        cache = views.cache()
        self.cached.show_book(cache)
        self.clear.setEnabled(cache is not None and bool(cache.entries))

    def tick(self) -> None:
        """Tokens expire while nothing else happens."""
        for pane in (self.listed, self.cached):
            pane.table.viewport().update()

    def _filter(self) -> None:
        for pane in (self.listed, self.cached):
            pane.fill(quiet=True)

    def _clear(self) -> None:
        count = len(self.cached.entries)
        if self._feed.rooms.views.clear_cache():
            self.notice.tell(self._say("tokens.cleared", count=count), good=True)
        else:
            self.notice.tell(self._say("tokens.not_cleared"))
        self.refresh()


class TokenPane(QWidget):
    """One list of tokens: its head, its table, or why there is none."""

    def __init__(self, kind: str, room: TokensRoom, *buttons: QWidget) -> None:
        super().__init__()
        self._kind, self._room, self._buttons = kind, room, buttons
        self._say, self._feed = room._say, room._feed
        self._book: TokenBook | None = None

    def build(self) -> Work:
        """Make it in steps."""
        theme, kind = self._room._theme, self._kind
        self._title = label("", "strong")
        self._empty = EmptyState("card", "", "", theme)
        columns = [
            Column[ListedToken](self._say("tokens.token"), lambda t: t.token, 148, mono=True),
            Column[ListedToken](
                self._say("tokens.status"), self._status, 124, strong=True, mark=self._mark
            ),
            Column[ListedToken](self._say("tokens.group"), lambda t: t.group or ""),
            Column[ListedToken](
                self._say("tokens.expires"), lambda t: clock(t.expires), 132, mono=True
            ),
        ]
        if kind == "cache":
            columns.append(
                Column[ListedToken](
                    self._say("tokens.since"), lambda t: clock(t.since), 92, mono=True
                )
            )
        self._model = RecordModel[ListedToken](
            columns, lambda t: t.token.casefold(), theme, self, lambda t: t
        )
        name = self._say("tokens.list") if kind == "list" else self._say("tokens.cache")
        self.table = RecordTable[ListedToken](self._model, columns, name)
        yield
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(bar(self._title, *self._buttons))
        self._stack = add_stack(box, self._empty, self.table)

    @property
    def entries(self) -> tuple[ListedToken, ...]:
        """All of them, whatever is searched for."""
        return () if self._book is None else self._book.entries

    def title(self) -> str:
        return self._title.text()

    def set_theme(self, theme: Theme) -> None:
        self._empty.set_theme(theme)
        self._model.set_theme(theme)

    def show_book(self, book: TokenBook | None) -> None:
        self._book = book
        self.fill(quiet=False)
        self._title.setText(self._words())
        state = "none" if book is None else "empty" if book.enabled else "off"
        self._empty.say(
            self._say(f"tokens.{self._kind}.{state}"),
            self._room.missing()
            if book is None
            else self._say(f"tokens.{self._kind}.{state}_hint"),
        )
        self._stack.setCurrentIndex(1 if book is not None and book.entries else 0)

    def fill(self, *, quiet: bool) -> None:
        shown = [one for one in self.entries if self._wanted(one)]
        self._model.show(shown, quiet=quiet)

    def _wanted(self, one: ListedToken) -> bool:
        return self._room.search.finds(one.token, self._status(one), one.group)

    def _words(self) -> str:
        book = self._book
        name = self._say("tokens.list") if self._kind == "list" else self._say("tokens.cache")
        if book is None:
            return name
        parts = [name]
        if book.version is not None and book.enabled:
            parts.append(self._say("tokens.version", version=book.version))
        params = {"count": len(book.entries), "capacity": book.capacity}
        key = "tokens.count" if book.capacity is not None else "tokens.count.bare"
        parts.append(self._say(key, **params))
        if not book.enabled:
            parts.append(self._say("tokens.switched_off"))
        return ", ".join(parts)

    def _expired(self, one: ListedToken) -> bool:
        return one.status == "Accepted" and one.expired(self._feed.rooms.now())

    def _status(self, one: ListedToken) -> str:
        return "Expired" if self._expired(one) else one.status

    def _mark(self, one: ListedToken) -> Mark:
        return _MARKS.get(self._status(one), Mark("waiting", "text2"))
