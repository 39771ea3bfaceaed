"""The reservations: those in force with what is left of them, and how former ones ended."""

from __future__ import annotations

from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from app.ocpp.views import ReservationView
from app.runtime.rooms import EndedReservation
from ui.rooms.empty import EmptyState
from ui.rooms.form import bar, column, label
from ui.rooms.search import SearchField
from ui.rooms.split import TurningSplitter
from ui.rooms.table import Column, Mark, RecordModel, RecordTable
from ui.station_rooms.room import LiveRoom, clock, span
from ui.theme import Theme
from ui.widgets.turns import Work

TURN_AT = 900
_ENDS = {
    "used": Mark("tick", "avail"),
    "expired": Mark("waiting", "text2"),
    "cancelled": Mark("close", "text2"),
    "replaced": Mark("copy", "text2"),
    "removed": Mark("warning", "warn"),
}


class ReservationsRoom(LiveRoom):
    """Both are searched by the one field."""

    actions = ("ReserveNow", "CancelReservation")

    def build(self) -> Work:
        say = self._say
        self.search = SearchField(say("reservations.search"))
        self.search.textChanged.connect(self._filter)
        self._count = label("", "secondary")
        yield
        yield from self._make_tables()
        yield
        self._empty = EmptyState("reserved", "", "", self._theme)
        self._no_past = EmptyState(
            "tick", say("reservations.no_past"), say("reservations.no_past_hint"), self._theme
        )
        yield
        now, past = QWidget(), QWidget()
        self._now = QStackedLayout(now)
        self._now.addWidget(self._empty)
        self._now.addWidget(self.table)
        yield
        self._past = QStackedLayout(past)
        self._past.addWidget(self._no_past)
        self._past.addWidget(self.ended)
        yield
        ended = column(bar(label(say("reservations.ended"), "strong")), past)
        body = TurningSplitter(TURN_AT, [58, 42], [1, 1], now, ended, low=10_000)
        yield
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(bar(self.search, self._count, stretch_after=1))
        box.addWidget(self.notice)
        box.addWidget(body, 1)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for part in (self._empty, self._no_past, self._model, self._ended_model):
            part.set_theme(theme)

    def refresh(self) -> None:
        self.tell_refusal()
        found = self._feed.rooms.views.reservations()
        if found is None:
            self._empty.say(self._say("reservations.none"), self.missing())
        else:
            self._empty.say(self._say("reservations.empty"), self._say("reservations.empty_hint"))
        self._now.setCurrentIndex(1 if found else 0)
        self._past.setCurrentIndex(1 if self._feed.rooms.ended_reservations() else 0)
        self._count.setText(self._say("reservations.count", count=len(found or ())))
        self._fill(quiet=False)

    def tick(self) -> None:
        self.table.viewport().update()

    def _make_tables(self) -> Work:
        say = self._say
        columns = (
            Column[ReservationView](
                say("reservations.where"),
                lambda r: self._where(r.place),
                152,
                strong=True,
                mark=lambda _: Mark("reserved", "reserve"),
            ),
            Column[ReservationView](say("reservations.left"), self._left, 104, right=True),
            Column[ReservationView](say("reservations.token"), lambda r: r.token, 148, mono=True),
            Column[ReservationView](say("reservations.group"), lambda r: r.group or ""),
            Column[ReservationView](
                say("reservations.until"), lambda r: clock(r.until), 132, mono=True
            ),
            Column[ReservationView](say("reservations.id"), lambda r: str(r.id), 96, right=True),
        )
        self._model = RecordModel[ReservationView](
            columns, lambda r: r.id, self._theme, self, lambda r: r
        )
        self.table = RecordTable[ReservationView](self._model, columns, say("room.reservations"))
        yield
        ended = (
            Column[EndedReservation](
                say("reservations.how"),
                lambda r: say.maybe(f"reservations.end.{r.why}", r.why),
                140,
                strong=True,
                mark=lambda r: _ENDS.get(r.why),
            ),
            Column[EndedReservation](
                say("reservations.where"), lambda r: self._where(r.place), 124
            ),
            Column[EndedReservation](say("reservations.token"), lambda r: r.token or "", mono=True),
            Column[EndedReservation](say("reservations.at"), lambda r: clock(r.at), 84, mono=True),
            Column[EndedReservation](
                say("reservations.id"), lambda r: str(r.id), 72, right=True, from_width=500
            ),
        )
        self._ended_model = RecordModel[EndedReservation](
            ended, lambda r: r.number, self._theme, self, lambda r: r.number
        )
        self.ended = RecordTable[EndedReservation](
            self._ended_model, ended, say("reservations.ended")
        )

    def _filter(self) -> None:
        self._fill(quiet=True)

    def _fill(self, *, quiet: bool) -> None:
        finds, rooms = self.search.finds, self._feed.rooms
        now = [
            one
            for one in rooms.views.reservations() or ()
            if finds(one.token, one.group, self._where(one.place), str(one.id))
        ]
        past = [
            one
            for one in rooms.ended_reservations()
            if finds(one.token, self._where(one.place), str(one.id), one.why)
        ]
        self._model.show(now, quiet=quiet)
        self._ended_model.show(past, quiet=quiet)

    def _where(self, place: int) -> str:
        if place == 0:
            return self._say("reservations.any")
        return self._say("profiles.connector", number=place)

    def _left(self, one: ReservationView) -> str:
        return span(one.until - self._feed.rooms.now())
