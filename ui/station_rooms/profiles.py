"""The charging profiles: what is installed, what limits now and why, the schedule ahead, what was refused."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from app.ocpp.views import ChargingView, ProfileView
from app.runtime.rooms import RefusedProfile
from ui.messages.tree import KIND, PayloadTree
from ui.rooms.empty import EmptyState
from ui.rooms.form import QuietCombo, bar, column, label
from ui.rooms.search import SearchField
from ui.rooms.split import TurningSplitter
from ui.rooms.table import Column, Mark, RecordModel, RecordTable
from ui.station_rooms.curve import LANE_TOKENS, StepCurve, figure
from ui.station_rooms.room import LiveRoom, Modest, clock
from ui.theme import Theme
from ui.widgets.buttons import PushButton
from ui.widgets.turns import Work

TURN_AT = 1000
SPANS = {"hour": 3_600, "day": 86_400, "week": 604_800}
RESOLUTION = 200
"""The schedule is worked out anew after this part of its window has passed."""
_STANDINGS = {
    "wins": Mark("charging", "charge"),
    "higher": Mark("occupied", "text2"),
    "waiting": Mark("waiting", "text2"),
    "over": Mark("unavailable", "text3"),
    "passed_over": Mark("warning", "warn"),
}


class ProfilesRoom(LiveRoom):
    """For one connector at a time, or the station as a whole; in A or kW; an hour, a day, a week ahead."""

    actions = ("ClearChargingProfile", "GetCompositeSchedule")

    def build(self) -> Work:
        say = self._say
        self._view: ChargingView | None = None
        self._drawn: object = None
        self._shown_fields: object = None
        self._told = 0
        self.search = SearchField(say("profiles.search"), 200)
        self.search.textChanged.connect(self._filter)
        self.place = QuietCombo(say("profiles.place"))
        self.place.setMinimumContentsLength(12)
        self.place.currentIndexChanged.connect(self._on_choice)
        self._now = label("", "strong")
        self._unit, units = self._segments(("A", "W"), "unit", say("profiles.unit"))
        self._span, spans = self._segments(tuple(SPANS), "span", say("profiles.span"))
        yield
        yield from self._make_tables()
        yield
        self.curve = StepCurve(self._theme, say)
        self.tree = PayloadTree(self._theme, self._catalogue)
        self.tree.setAccessibleName(say("profiles.fields"))
        self.tree.setColumnHidden(KIND, True)  # the schema says it in the reference
        self.tree.setIndentation(12)  # leaves the values their place in a narrow window
        yield
        self._none = EmptyState("unavailable", say("profiles.none"), "", self._theme)
        self._no_profile = EmptyState(
            "bolt", say("profiles.empty"), say("profiles.empty_hint"), self._theme
        )
        yield
        head = bar(self.place, units, spans, self._now, self.search, stretch_after=3)
        yield
        yield from self._arrange(head)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for part in (
            self._none,
            self._no_profile,
            self._model,
            self._refused_model,
            self.curve,
            self.tree,
            self.notice,
        ):
            part.set_theme(theme)
        self._drawn = None  # the legend has its colours in its words
        self.refresh()

    def refresh(self) -> None:
        views = self._feed.rooms.views
        self._fill_places(views.places())
        self._view = views.charging(self._number(), self._chosen_unit())
        self._stack.setCurrentIndex(0 if self._view is None else 1)
        if self._view is None:
            self._none.say(self._say("profiles.none"), self.missing())
            return
        self._fill(quiet=False)
        self.tell_refusal()
        self._show_refused()
        self._draw()
        self._now.setText(self._sentence(self._view))
        self._now.setToolTip(self._now.text())

    def tick(self) -> None:
        """The present moves on; steps come and go."""
        self.refresh()

    # ------------------------------------------------------------------ building

    def _segments(
        self, names: tuple[str, ...], group: str, title: str
    ) -> tuple[QButtonGroup, QWidget]:
        host = QFrame()
        host.setAccessibleName(title)
        row = QHBoxLayout(host)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        buttons = QButtonGroup(self)
        for name in names:
            button = PushButton(self._say(f"{group}.{name}"))
            button.setObjectName(name)
            button.setCheckable(True)
            button.setProperty("kind", "segment")
            button.setAccessibleName(f"{title}: {button.text()}")
            button.setChecked(name == names[0])
            buttons.addButton(button)
            row.addWidget(button)
        buttons.buttonClicked.connect(self._on_choice)
        return buttons, host

    def _make_tables(self) -> Work:
        say = self._say
        columns = (
            Column[ProfileView](
                say("profiles.purpose"), lambda p: p.purpose, 186, strong=True, mark=self._mark
            ),
            Column[ProfileView](say("profiles.level"), lambda p: str(p.level), 48, right=True),
            Column[ProfileView](
                say("profiles.id"), lambda p: str(p.id), 48, right=True, from_width=460
            ),
            Column[ProfileView](
                say("profiles.where"), lambda p: self._place_name(p.place), 96, from_width=520
            ),
            Column[ProfileView](say("profiles.limit"), self._limit, 64, right=True),
            Column[ProfileView](say("profiles.why"), self._why),
        )
        self._model = RecordModel[ProfileView](
            columns,
            lambda p: p.id,
            self._theme,
            self,
            lambda p: (p.received, p.standing),
        )
        self.table = RecordTable[ProfileView](self._model, columns, say("room.profiles"))
        self.table.selectionModel().selectionChanged.connect(self._show_fields)
        yield
        refused = (
            Column[RefusedProfile](
                say("profiles.refused.at"),
                lambda r: clock(r.at),
                110,
                mono=True,
                mark=lambda _: Mark("warning", "warn"),
            ),
            Column[RefusedProfile](say("profiles.id"), lambda r: str(r.profile), 56, right=True),
            Column[RefusedProfile](
                say("profiles.where"), lambda r: self._place_name(r.place), 96, from_width=520
            ),
            Column[RefusedProfile](
                say("profiles.refused.rule"), lambda r: r.rule, 110, mono=True, from_width=400
            ),
            Column[RefusedProfile](
                say("profiles.refused.why"), lambda r: self._catalogue.render(r.why)
            ),
        )
        self._refused_model = RecordModel[RefusedProfile](
            refused, lambda r: r.number, self._theme, self, lambda r: r.number
        )
        self.refused = RecordTable[RefusedProfile](
            self._refused_model, refused, say("profiles.refused")
        )

    def _arrange(self, head: QFrame) -> Work:
        installed = QWidget()
        self._pages = QStackedLayout(installed)
        self._pages.addWidget(self._no_profile)
        self._pages.addWidget(self.table)
        self._refused_pane = column(
            bar(label(self._say("profiles.refused"), "strong")), self.refused
        )
        left = TurningSplitter(10_000, [1, 1], [6, 5], installed, self._refused_pane)
        yield
        self._legend = label("", "hint")
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        self._legend.setContentsMargins(16, 6, 8, 0)
        chart = column(self._legend, self.curve)
        body = TurningSplitter(TURN_AT, [43, 31, 26], [4, 4, 3], left, chart, self.tree, low=10_000)
        yield
        whole = Modest()
        box = QVBoxLayout(whole)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(head)
        box.addWidget(self.notice)
        box.addWidget(body, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._none)
        self._stack.addWidget(whole)

    # ------------------------------------------------------------------ choices

    def _number(self) -> int:
        number = self.place.currentData()
        return 1 if number is None else int(number)

    def _chosen_unit(self) -> str:
        return _chosen(self._unit)

    def _seconds(self) -> int:
        return SPANS[_chosen(self._span)]

    def _fill_places(self, places: tuple[int, ...]) -> None:
        wanted = [*places, 0]
        if [self.place.itemData(n) for n in range(self.place.count())] == wanted:
            return
        before = self.place.currentData()
        self.place.blockSignals(True)
        self.place.clear()
        for number in wanted:
            self.place.addItem(self._place_name(number), number)
        self.place.choose(before)
        self.place.blockSignals(False)

    def _on_choice(self) -> None:
        self._drawn = None
        self.refresh()

    # ------------------------------------------------------------------ what is shown

    def _filter(self) -> None:
        self._fill(quiet=True)

    def _fill(self, *, quiet: bool) -> None:
        if self._view is None:
            return
        shown = [one for one in self._view.profiles if self._wanted(one)]
        self._model.show(shown, quiet=quiet)
        self._pages.setCurrentIndex(1 if self._view.profiles else 0)
        if self.table.chosen() is None and shown:
            self.table.choose(shown[0].id)
        self._show_fields()

    def _wanted(self, one: ProfileView) -> bool:
        if not self.search.text():
            return True
        words = (one.purpose, one.kind, str(one.id), self._place_name(one.place), self._why(one))
        return self.search.finds(*words)

    def _show_refused(self) -> None:
        refused = self._feed.rooms.refused_profiles()
        self._refused_model.show(refused)
        self._refused_pane.setVisible(bool(refused))
        newest = refused[0] if refused else None
        if newest is not None and newest.number != self._told:
            self._told = newest.number
            why = self._catalogue.render(newest.why)
            params = {"id": newest.profile, "place": self._place_name(newest.place)}
            self.notice.tell(
                self._say("profiles.refused.told", why=why, rule=newest.rule, **params)
            )

    def _show_fields(self) -> None:
        one = self.table.chosen()
        shown = None if one is None else (one.id, one.received)
        if shown == self._shown_fields:
            return
        self._shown_fields = shown
        if one is None:
            self.tree.show_payload("", None, ())
        else:
            self.tree.show_payload("csChargingProfiles", dict(one.fields), ())

    def _draw(self) -> None:
        """Work the schedule out anew when something of it changed, or a little of it has passed."""
        view, seconds = self._view, self._seconds()
        assert view is not None
        now = view.at
        standing = tuple((one.id, one.place, one.received, one.standing) for one in view.profiles)
        key = (
            view.place,
            view.unit,
            seconds,
            standing,
            int(now.timestamp() * RESOLUTION / seconds),
        )
        if key != self._drawn:
            self._drawn = key
            schedule = self._feed.rooms.views.schedule(view.place, view.unit, seconds)
            self.curve.show_schedule(schedule)
            lanes = () if schedule is None else tuple(lane.purpose for lane in schedule.lanes)
            self._legend.setText(self._legend_words(lanes))
        self.curve.set_now(now)

    def _legend_words(self, lanes: tuple[str, ...]) -> str:
        def dash(token: str, sign: str, words: str) -> str:
            return f'<span style="color:{self._theme.css(token)}">{sign}</span> {words}'

        parts = [dash("warn", "━━", self._say("profiles.composite"))]
        parts += [dash(LANE_TOKENS.get(lane, "text2"), "╌╌", lane) for lane in lanes]
        return "&nbsp;&nbsp;&nbsp;".join(parts)

    # ------------------------------------------------------------------ words

    def _place_name(self, number: int) -> str:
        if number == 0:
            return self._say("profiles.station")
        return self._say("profiles.connector", number=number)

    def _sentence(self, view: ChargingView) -> str:
        limit = figure(view.limit, view.unit, self._say)
        until = "" if view.until is None else self._say("profiles.until", time=clock(view.until))
        leading = next((one for one in view.profiles if one.id == view.leading), None)
        if view.place == 0:
            return self._say("profiles.now.station")
        if leading is None:
            return self._say("profiles.now.free")
        params = {"purpose": leading.purpose, "level": leading.level, "id": leading.id}
        return self._say("profiles.now", limit=limit, until=until, **params)

    def _mark(self, one: ProfileView) -> Mark:
        return _STANDINGS.get(one.standing or "", Mark("available", "text3"))

    def _limit(self, one: ProfileView) -> str:
        if one.limit is None or self._view is None:
            return "–"
        return figure(one.limit, self._view.unit, self._say)

    def _why(self, one: ProfileView) -> str:
        if one.why is not None:
            return self._catalogue.render(one.why)
        return self._say("profiles.elsewhere")


def _chosen(group: QButtonGroup) -> str:
    button = group.checkedButton()
    assert button is not None, "one of an exclusive group is always checked"
    return button.objectName()
