"""The session tab: figures, what limits, and the graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum

from PySide6.QtWidgets import QGridLayout, QWidget

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.ocpp.context import SessionView
from app.runtime.views import SessionSnapshot
from app.station.snapshot import EvseSnapshot
from ui.graphs.power_graph import PowerGraph
from ui.inspector import words
from ui.inspector.figures import Figure
from ui.inspector.ladder import LadderCard
from ui.theme import Theme

DASH = "–"
BIG, SECOND = ("power", "energy", "cost"), ("duration", "current", "battery")
COLUMNS = 3


class Space(Enum):
    """How much the inspector has from top to bottom: px from which on it is so much.

    For all as it is best; for all close together; for that without the rail of the limits; for the graph and
    the figures above it, while the rest lies below.
    """

    AMPLE = 615
    SCARCE = 460
    TIGHT = 420
    LITTLE = 0

    @classmethod
    def of(cls, height: int) -> Space:
        return next(space for space in cls if height >= space.value)


@dataclass(frozen=True, slots=True)
class Account:
    """What a session came to; `span` None before there was one."""

    span: timedelta | None = None
    cost: str = ""


class SessionTab(QWidget):
    """Figures of the running session of one EVSE."""

    def __init__(self, theme: Theme, catalogue: Catalogue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._catalogue = catalogue
        self._accounts: dict[int, Account] = {}
        self._figures = {
            name: Figure(catalogue.render(Text(f"inspector.figure.{name}")), big=name in BIG)
            for name in (*BIG, *SECOND)
        }
        self._ladder = LadderCard(theme, catalogue)
        self._graph = PowerGraph(theme, catalogue)
        self._grid = QGridLayout(self)
        self._grid.setHorizontalSpacing(12)
        for column in range(COLUMNS):
            self._grid.setColumnStretch(column, 1)
        self._space: Space | None = None
        self.set_space(Space.AMPLE)

    def set_space(self, space: Space) -> None:
        """Lie as it is best in this."""
        if space is self._space:
            return
        if Space.AMPLE in {space, self._space}:
            self._crowd(space is not Space.AMPLE)
        self._space = space
        self._ladder.show_rail(space is not Space.TIGHT)
        first, second = ([self._figures[name] for name in names] for names in (BIG, SECOND))
        if space is Space.LITTLE:
            self._lay(first, [self._graph], second, [self._ladder])
        else:
            self._lay(first, second, [self._ladder], [self._graph])

    def _crowd(self, close: bool) -> None:
        """Close together, or not."""
        self._grid.setContentsMargins(*((16, 8, 16, 4) if close else (16, 12, 16, 8)))
        self._grid.setVerticalSpacing(6 if close else 8)
        for name in BIG:
            self._figures[name].set_small(close)
        self._ladder.set_low(close)

    def _lay(self, *rows: Sequence[QWidget]) -> None:
        """From top to bottom. What is alone in its row is as wide as all; the graph takes what is left."""
        for number, row in enumerate(rows):
            for column, widget in enumerate(row):
                self._grid.removeWidget(widget)
                self._grid.addWidget(widget, number, column, 1, COLUMNS if len(row) == 1 else 1)
            self._grid.setRowStretch(number, 1 if self._graph in row else 0)

    @property
    def graph(self) -> PowerGraph:
        return self._graph

    def figure(self, name: str) -> str:
        """What a figure shows, number and unit."""
        return self._figures[name].text

    def part(self, name: str) -> QWidget:
        """What shows a figure, or `limits`. Raises KeyError."""
        return self._ladder if name == "limits" else self._figures[name]

    def set_theme(self, theme: Theme) -> None:
        self._ladder.set_theme(theme)
        self._graph.set_theme(theme)

    def show_evse(
        self, evse: EvseSnapshot, session: SessionView | None, whole: SessionSnapshot
    ) -> None:
        figures = self._figures
        figures["power"].show_value(*words.power(evse.power))
        delivered = evse.energy - session.meter_start if session else evse.session_energy
        figures["energy"].show_value(*words.energy(max(0.0, delivered)))
        account = self._remember(evse, session, whole)
        figures["cost"].show_value(*(account.cost.split(" ", 1) if account.cost else [DASH]))
        span = account.span
        figures["duration"].show_value(DASH if span is None else words.duration(span))
        figures["current"].show_value(words.current(evse))
        figures["battery"].show_value(*self._battery(evse))
        self._ladder.show_caps(evse, whole.station.faults)
        self._graph.follow(whole.station.at.timestamp())

    def _remember(
        self, evse: EvseSnapshot, session: SessionView | None, whole: SessionSnapshot
    ) -> Account:
        """How long it took and what it cost; after the end that stands still until the plug is out."""
        now = whole.station.at
        if session is not None:
            account = Account(now - session.started, session.cost or "")
        elif evse.permitted and evse.session_since is not None:
            account = Account(now - evse.session_since)
        elif any(connector.plugged for connector in evse.connectors):
            account = self._accounts.get(evse.id, Account())
            paid = whole.paid.get(evse.id)
            account = replace(account, cost=paid) if paid else account
        else:
            account = Account()
        self._accounts[evse.id] = account
        return account

    def _battery(self, evse: EvseSnapshot) -> tuple[str, str]:
        car = evse.vehicle
        if car is None:
            return DASH, ""
        params = {"soc": f"{car.soc:.0f}", "target": f"{car.target_soc:.0f}"}
        return self._catalogue.render(Text("inspector.battery", params)), ""
