"""The session tab: figures, what limits, and the graph."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from PySide6.QtWidgets import QFrame, QGridLayout, QVBoxLayout, QWidget

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
            name: Figure(catalogue.render(Text(f"inspector.figure.{name}")), big=number < 3)
            for number, name in enumerate(
                ("power", "energy", "cost", "duration", "current", "battery")
            )
        }
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        for number, figure in enumerate(self._figures.values()):
            grid.addWidget(figure, number // 3, number % 3)
            grid.setColumnStretch(number % 3, 1)
        self._ladder = LadderCard(theme, catalogue)
        self._graph = PowerGraph(theme, catalogue)
        line = QFrame()
        line.setProperty("role", "line")
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 12, 16, 8)
        box.setSpacing(10)
        box.addLayout(grid)
        box.addWidget(self._ladder)
        box.addWidget(self._graph, 1)

    @property
    def graph(self) -> PowerGraph:
        return self._graph

    def figure(self, name: str) -> str:
        """What a figure shows, number and unit."""
        return self._figures[name].text

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
        ended = self._remember(evse, session, whole.station.at)
        figures["cost"].show_value(*(ended.cost.split(" ", 1) if ended.cost else [DASH]))
        span = ended.span
        figures["duration"].show_value(DASH if span is None else words.duration(span))
        figures["current"].show_value(words.current(evse))
        figures["battery"].show_value(*self._battery(evse))
        self._ladder.show_caps(evse, whole.station.faults)
        self._graph.follow(whole.station.at.timestamp())

    def _remember(self, evse: EvseSnapshot, session: SessionView | None, now: datetime) -> Account:
        """How long it took and what it cost; after the end that stands still until the plug is out."""
        if session is not None:
            account = Account(now - session.started, session.cost or "")
        elif evse.permitted and evse.session_since is not None:
            account = Account(now - evse.session_since)
        elif any(connector.plugged for connector in evse.connectors):
            account = self._accounts.get(evse.id, Account())
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
