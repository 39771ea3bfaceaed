"""The inspector: the chosen EVSE, its session, car, meter and faults, and what one can do."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.ocpp.context import SessionView
from app.runtime.views import SessionSnapshot
from app.station.intents import ClearFault, PauseVehicle, PlugIn, PressStop, ResumeVehicle, Unplug
from app.station.kinds import BayStatus
from app.station.snapshot import EvseSnapshot, FaultSnapshot, MeterReading
from ui.graphs.history import History, Marker
from ui.inspector.chip import StateChip
from ui.inspector.faults_tab import FaultsTab
from ui.inspector.meter_tab import MeterTab
from ui.inspector.session_tab import SessionTab
from ui.inspector.vehicle_tab import VehicleTab
from ui.station.views import rating
from ui.theme import Theme

SESSION, VEHICLE, METER, FAULTS = range(4)


class Inspector(QWidget):
    """`intent` an Intent, `card_wanted` the EVSE that waits for a card, `marker_clicked` a row number."""

    intent = Signal(object)
    card_wanted = Signal(int)
    marker_clicked = Signal(int)

    def __init__(
        self,
        theme: Theme,
        catalogue: Catalogue,
        vehicles: list[tuple[str, str]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)  # plain widgets paint no ground
        self._catalogue = catalogue
        self._number = 1
        self._evse: EvseSnapshot | None = None
        self._lying: tuple[FaultSnapshot, ...] = ()
        self._histories: dict[int, History] = {}
        self._title, self._sub = QLabel(), QLabel()
        self._title.setProperty("role", "title")
        self._sub.setProperty("role", "secondary")
        self._chip = StateChip(theme)
        self._tabs = QTabBar()
        self._tabs.setExpanding(False)
        self._tabs.setDrawBase(False)
        self._tabs.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a frame of focus only for the keyboard
        self._tabs.setAccessibleName(self._say("inspector.tabs"))
        for name in ("session", "vehicle", "meter", "faults"):
            self._tabs.addTab(self._say(f"inspector.tab.{name}"))
        self._session = SessionTab(theme, catalogue)
        self._vehicle = VehicleTab(catalogue, vehicles)
        self._meter = MeterTab(catalogue)
        self._faults = FaultsTab(catalogue)
        self._stack = QStackedWidget()
        for page in (
            _scrolling(self._session),
            _scrolling(self._vehicle),
            self._meter,
            self._faults,
        ):
            self._stack.addWidget(page)
        self._tabs.currentChanged.connect(self._stack.setCurrentIndex)
        self._vehicle.intent.connect(self.intent)
        self._faults.intent.connect(self.intent)
        self._session.graph.marker_clicked.connect(self.marker_clicked)
        self._main = QPushButton()
        self._main.setProperty("kind", "primary")
        self._unplug = QPushButton(self._say("inspector.act.unplug"))
        self._pause = QPushButton()
        self._main.clicked.connect(self._on_main)
        self._unplug.clicked.connect(self._on_unplug)
        self._pause.clicked.connect(self._on_pause)
        self._build()

    @property
    def evse(self) -> int:
        """The EVSE that is looked at."""
        return self._number

    @property
    def tabs(self) -> QTabBar:
        return self._tabs

    @property
    def session_tab(self) -> SessionTab:
        return self._session

    @property
    def main_button(self) -> QPushButton:
        return self._main

    def set_theme(self, theme: Theme) -> None:
        self._chip.set_theme(theme)
        self._session.set_theme(theme)

    def select(self, evse: int) -> None:
        """Look at another EVSE; the next snapshot fills it in."""
        self._number = evse
        self._session.graph.set_history(self._history(evse))

    def mark(self, evse: int, marker: Marker) -> None:
        """An exchange about this EVSE."""
        self._history(evse).mark(marker)

    def show_snapshot(self, snapshot: SessionSnapshot, reading: MeterReading | None) -> None:
        """`reading` of the chosen EVSE's meter, while the mains are on."""
        when = snapshot.station.at.timestamp()
        for item in snapshot.station.evses:
            self._history(item.id).add(when, item)
        try:
            evse = snapshot.station.evse(self._number)
        except KeyError:
            return
        self._evse = evse
        self._show_head(evse)
        session = next((s for s in snapshot.sessions if s.evse == evse.id), None)
        page = self._stack.currentIndex()
        if page == SESSION:
            self._session.show_evse(evse, session, snapshot)
        elif page == VEHICLE:
            self._vehicle.show_evse(evse)
        elif page == METER and reading is not None:
            self._meter.show_reading(evse, reading)
        elif page == FAULTS:
            self._faults.show_evse(evse, snapshot.station)
        self._lying = (*evse.faults, *snapshot.station.faults)
        self._show_buttons(evse, session)

    # ------------------------------------------------------------------ building

    def _build(self) -> None:
        names = QVBoxLayout()
        names.setSpacing(0)
        names.addWidget(self._title)
        names.addWidget(self._sub)
        head = QHBoxLayout()
        head.setContentsMargins(16, 12, 16, 8)
        head.addLayout(names, 1)
        head.addWidget(self._chip)
        foot = QFrame()
        foot.setProperty("role", "foot")
        row = QHBoxLayout(foot)
        row.setContentsMargins(16, 10, 16, 10)
        row.setSpacing(8)
        row.addWidget(self._main, 1)
        row.addWidget(self._unplug)
        row.addWidget(self._pause)
        tab_row = QHBoxLayout()
        tab_row.setContentsMargins(6, 0, 6, 0)
        tab_row.addWidget(self._tabs)
        line, line2 = QFrame(), QFrame()
        for item in (line, line2):
            item.setProperty("role", "line")
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addLayout(head)
        box.addLayout(tab_row)
        box.addWidget(line)
        box.addWidget(self._stack, 1)
        box.addWidget(line2)
        box.addWidget(foot)

    def _history(self, evse: int) -> History:
        if evse not in self._histories:
            self._histories[evse] = History()
            if evse == self._number:
                self._session.graph.set_history(self._histories[evse])
        return self._histories[evse]

    def _show_head(self, evse: EvseSnapshot) -> None:
        self._title.setText(self._say("inspector.title", number=evse.id))
        connector = evse.connectors[0]
        kind = "tethered" if connector.tethered else "socket"
        plug = self._say(f"picture.plug.{connector.plug.value}")
        power = f"{rating(evse.max_power)} kW"
        self._sub.setText(self._say(f"inspector.sub.{kind}", plug=plug, power=power))
        self._chip.show_state(evse.status, self._say(f"picture.state.{evse.status.value}"))

    def _show_buttons(self, evse: EvseSnapshot, session: SessionView | None) -> None:
        plugged = any(connector.plugged for connector in evse.connectors)
        running = evse.permitted or session is not None
        idle = "card" if plugged else "plug_in"
        if evse.status is BayStatus.FAULTED and self._lying:
            idle = "clear"  # nothing starts over a fault
        act = "stop" if running else idle
        self._main.setText(self._say(f"inspector.act.{act}"))
        self._main.setObjectName(act)
        self._unplug.setEnabled(plugged)
        paused = evse.vehicle is not None and evse.vehicle.paused
        self._pause.setText(self._say("inspector.act.resume" if paused else "inspector.act.pause"))
        self._pause.setEnabled(evse.vehicle is not None)

    # ------------------------------------------------------------------ events

    def _on_main(self) -> None:
        act = self._main.objectName()
        if act == "stop":
            self.intent.emit(PressStop(self._number))
        elif act == "card":
            self.card_wanted.emit(self._number)
        elif act == "clear":
            for lying in self._lying:
                self.intent.emit(ClearFault(lying.evse, lying.connector, lying.fault))
        else:
            self.intent.emit(PlugIn(self._number, 1))

    def _on_unplug(self) -> None:
        if self._evse is None:
            return
        for connector in self._evse.connectors:
            if connector.plugged:
                self.intent.emit(Unplug(self._number, connector.id))
                return

    def _on_pause(self) -> None:
        car = self._evse.vehicle if self._evse else None
        if car is not None:
            paused = car.paused
            self.intent.emit(ResumeVehicle(self._number) if paused else PauseVehicle(self._number))

    def _say(self, text_id: str, **params: object) -> str:
        return self._catalogue.render(Text(text_id, params))


def _scrolling(page: QWidget) -> QScrollArea:
    """In a low window a page scrolls, so that the buttons below it stay in sight."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(page)
    return area
