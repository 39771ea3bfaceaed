"""Help: what tests saw of each message of OCPP 1.6 on the wire."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea, QStackedLayout, QVBoxLayout, QWidget

from app.kernel.resources import resource
from ui.rooms.empty import EmptyState
from ui.rooms.form import bar, column, label
from ui.rooms.search import SearchField
from ui.rooms.split import TurningSplitter
from ui.rooms.table import Column, Mark, RecordModel, RecordTable
from ui.station_rooms.coverage_page import CoveragePage, CoveredMessage, read_page
from ui.station_rooms.room import LiveRoom
from ui.theme import Theme
from ui.widgets.turns import Work

TURN_AT = 900
ARROWS = {"→": "out", "←": "in"}
STATUSES, MISSING, ERRORS, RULES, TESTS = "Statuses", "Not seen", "Errors", "Rules", "Tests"


class CoverageRoom(LiveRoom):
    """The page is made from recorded test runs; here it is searched and read row by row."""

    source = resource("help", "coverage-1.6.md")

    def build(self) -> Work:
        say = self._say
        self._page: CoveragePage | None = None
        self.search = SearchField(say("coverage.search"))
        self.search.textChanged.connect(self._fill)
        self._summary = label("", "strong")
        yield
        columns = (
            Column[CoveredMessage](
                say("coverage.message"), lambda m: m.name, 252, strong=True, mark=_mark
            ),
            Column[CoveredMessage](say("coverage.way"), self._way, 132, from_width=600),
            Column[CoveredMessage](say("coverage.statuses"), lambda m: m.cells.get(STATUSES, "")),
            Column[CoveredMessage](
                say("coverage.missing"),
                lambda m: m.cells.get(MISSING, ""),
                160,
                from_width=900,
            ),
            Column[CoveredMessage](
                say("coverage.tests"), lambda m: m.cells.get(TESTS, ""), 60, right=True
            ),
        )
        self._model = RecordModel[CoveredMessage](columns, lambda m: m.number, self._theme, self)
        self.table = RecordTable[CoveredMessage](self._model, columns, say("room.coverage"))
        self.table.selectionModel().selectionChanged.connect(self._show_chosen)
        yield
        self._title = label("", "strong")
        self._words = label("", wrap=True)
        self._words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._words.setContentsMargins(16, 10, 12, 10)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(self._words)
        area.setAccessibleName(say("coverage.detail"))
        self._empty = EmptyState(
            "search", say("coverage.none"), say("coverage.none_hint"), self._theme
        )
        yield
        detail = column(bar(self._title), area)
        body = TurningSplitter(TURN_AT, [64, 36], [6, 4], self.table, detail, low=10_000)
        whole = QWidget()
        box = QVBoxLayout(whole)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(bar(self.search, self._summary, stretch_after=1))
        box.addWidget(body, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(whole)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._empty.set_theme(theme)
        self._model.set_theme(theme)

    def refresh(self) -> None:
        if self._page is None:
            self.read(self.source)

    def read(self, path: Path) -> None:
        """Show a page; what is missing or no page is told."""
        self._page = read_page(path)
        self._stack.setCurrentIndex(0 if self._page is None else 1)
        if self._page is not None:
            self._summary.setText(self._page.summary)
            self._fill()

    def _fill(self) -> None:
        if self._page is None:
            return
        finds = self.search.finds
        shown = [one for one in self._page.messages if finds(one.chapter, *one.cells.values())]
        self._model.show(shown)
        self._show_chosen()

    def _show_chosen(self) -> None:
        chosen, page = self.table.chosen(), self._page
        if page is None:
            return
        if chosen is None:
            self._title.setText(self._say("coverage.how"))
            self._words.setText(page.notes)
            return
        self._title.setText(f"{chosen.number}  {chosen.name}")
        parts = [chosen.chapter]
        for title in (STATUSES, MISSING, ERRORS, RULES, "Socket"):
            text = chosen.cells.get(title, "")
            if text:
                parts.append(f"{title}: {text}")
        for path, seen, missing in chosen.fields:
            words = self._say("coverage.field", path=path, seen=seen or "–")
            if missing:
                words += self._say("coverage.field.missing", missing=missing)
            parts.append(words)
        self._words.setText("\n\n".join(parts))

    def _way(self, message: CoveredMessage) -> str:
        arrow = next((cell for cell in message.cells.values() if cell in {"→", "←", "↔"}), "")
        return self._say.maybe(f"coverage.way.{ARROWS.get(arrow, 'both')}", arrow)


def _mark(message: CoveredMessage) -> Mark:
    if not message.seen:
        return Mark("waiting", "warn")
    return Mark("occupied" if message.cells.get(MISSING) else "available", "avail")
