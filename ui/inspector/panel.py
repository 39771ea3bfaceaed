"""The inspector: the chosen EVSE, its session, car, meter and faults, and what one can do."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
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
from app.station.intents import (
    ClearFault,
    PauseVehicle,
    PlugIn,
    PressStart,
    PressStop,
    ResumeVehicle,
    Unplug,
)
from app.station.kinds import BayStatus
from app.station.snapshot import EvseSnapshot, FaultSnapshot, MeterReading
from ui.graphs.history import History, Marker
from ui.inspector.chip import StateChip
from ui.inspector.faults_tab import FaultsTab
from ui.inspector.meter_tab import MeterTab
from ui.inspector.session_tab import SessionTab, Space
from ui.inspector.vehicle_tab import VehicleTab
from ui.station.views import rating, starts_by_button
from ui.theme import Theme
from ui.theme.polish import polished
from ui.widgets.buttons import PushButton
from ui.widgets.turns import Turns, Work, at_once

SESSION, VEHICLE, METER, FAULTS = range(4)

Page = SessionTab | VehicleTab | MeterTab | FaultsTab


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
        self._theme, self._catalogue = theme, catalogue
        self._number = 1
        self._evse: EvseSnapshot | None = None
        self._shown: tuple[SessionSnapshot, MeterReading | None] | None = None
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
        self._stack = QStackedWidget()
        self._places: list[QScrollArea] = []
        for name in ("session", "vehicle", "meter", "faults"):
            self._tabs.addTab(self._say(f"inspector.tab.{name}"))
            self._places.append(_scrolling())
            self._stack.addWidget(self._places[-1])
        self._vehicles = vehicles
        self._pages: dict[int, Page] = {}
        self._turns = Turns(self)
        self._space: Space | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._share_out)
        self._tabs.currentChanged.connect(self._on_tab)
        self._main = PushButton()
        self._main.setProperty("kind", "primary")
        self._unplug = PushButton(self._say("inspector.act.unplug"))
        self._pause = PushButton()
        self._main.clicked.connect(self._on_main)
        self._unplug.clicked.connect(self._on_unplug)
        self._pause.clicked.connect(self._on_pause)
        self._build()

    def furnish(self) -> Work:
        """Make the first page, in steps; the others are made when they are looked at."""
        self._session = SessionTab(self._theme, self._catalogue)
        self._session.graph.marker_clicked.connect(self.marker_clicked)
        yield
        yield from self._put(SESSION, self._session)

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

    def page(self, index: int) -> Page:
        """What lies under a tab, made if it is not there yet."""
        if index not in self._pages:
            at_once(self._add(index))
        return self._pages[index]

    @property
    def main_button(self) -> QPushButton:
        return self._main

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
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
        self._shown = snapshot, reading
        when = snapshot.station.at.timestamp()
        for item in snapshot.station.evses:
            self._history(item.id).add(when, item)
        try:
            evse = snapshot.station.evse(self._number)
        except KeyError:
            return
        self._evse = evse
        self._show_head(evse)
        self._show_page()
        self._lying = (*evse.faults, *snapshot.station.faults)
        free = starts_by_button(evse, snapshot.station)
        self._show_buttons(evse, _session_at(evse, snapshot), free=free)

    def _show_page(self) -> None:
        """What is looked at, if it is made."""
        page, evse = self._pages.get(self._tabs.currentIndex()), self._evse
        if evse is None or self._shown is None:
            return
        snapshot, reading = self._shown
        if isinstance(page, SessionTab):
            page.show_evse(evse, _session_at(evse, snapshot), snapshot)
        elif isinstance(page, VehicleTab):
            page.show_evse(evse)
        elif isinstance(page, MeterTab) and reading is not None:
            page.show_reading(evse, reading)
        elif isinstance(page, FaultsTab):
            page.show_evse(evse, snapshot.station)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if Space.of(self.height()) is not self._space:
            self._soon.start()  # a window that changes its size has enough to do in this turn

    def _share_out(self) -> None:
        """In a low window all lies close together, so that the graph is still high enough to be read."""
        self._space = space = Space.of(self.height())
        ample = space is Space.AMPLE
        self._head.setContentsMargins(16, 12 if ample else 8, 16, 8 if ample else 4)
        edge = 10 if ample else 6
        self._foot.setContentsMargins(16, edge, 16, edge)
        way = QBoxLayout.Direction
        self._names.setDirection(way.TopToBottom if ample else way.LeftToRight)
        self._names.setSpacing(0 if ample else 10)
        beside = Qt.AlignmentFlag.AlignBaseline
        for name in (self._title, self._sub):
            self._names.setAlignment(name, Qt.AlignmentFlag(0) if ample else beside)
        self._session.set_space(space)

    # ------------------------------------------------------------------ building

    def _build(self) -> None:
        """From the outside in: what is given a place is styled anew with all that it holds."""
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        head = QHBoxLayout()
        head.setContentsMargins(16, 12, 16, 8)
        box.addLayout(head)
        self._names = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        head.addLayout(self._names, 1)
        self._names.addWidget(self._title)
        self._names.addWidget(self._sub, 1)
        head.addWidget(self._chip)
        self._head = head
        tab_row = QHBoxLayout()
        tab_row.setContentsMargins(6, 0, 6, 0)
        box.addLayout(tab_row)
        tab_row.addWidget(self._tabs)
        box.addWidget(_line())
        box.addWidget(self._stack, 1)
        box.addWidget(_line())
        foot = QFrame()
        foot.setProperty("role", "foot")
        box.addWidget(foot)
        row = QHBoxLayout(foot)
        row.setSpacing(8)
        self._foot = row
        row.addWidget(self._main, 1)
        row.addWidget(self._unplug)
        row.addWidget(self._pause)

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

    def _show_buttons(self, evse: EvseSnapshot, session: SessionView | None, *, free: bool) -> None:
        plugged = any(connector.plugged for connector in evse.connectors)
        running = evse.permitted or session is not None
        begin = "start" if free else "card"
        idle = begin if plugged else "plug_in"
        if evse.status is BayStatus.FAULTED and self._lying:
            idle = "clear"  # nothing starts over a fault
        act = "stop" if running else idle
        self._main.setText(self._say(f"inspector.act.{act}"))
        self._main.setObjectName(act)
        self._unplug.setEnabled(plugged)
        paused = evse.vehicle is not None and evse.vehicle.paused
        self._pause.setText(self._say("inspector.act.resume" if paused else "inspector.act.pause"))
        self._pause.setEnabled(evse.vehicle is not None)

    def _make_page(self, index: int) -> Page:
        if index == METER:
            return MeterTab(self._catalogue)
        page = (
            VehicleTab(self._catalogue, self._vehicles)
            if index == VEHICLE
            else FaultsTab(self._catalogue)
        )
        page.intent.connect(self.intent)
        return page

    def _add(self, index: int) -> Work:
        """Make what lies under a tab, put it there, and show it when it has its style."""
        page = self._make_page(index)
        yield
        yield from self._put(index, page)
        if index == self._tabs.currentIndex():
            self._on_tab(index)

    def _put(self, index: int, page: Page) -> Work:
        self._places[index].setWidget(page)
        yield
        yield from polished(page)
        self._pages[index] = page

    # ------------------------------------------------------------------ events

    def _on_tab(self, index: int) -> None:
        if index in self._pages:
            self._show_page()
            self._stack.setCurrentIndex(index)
        else:
            self._turns.start(self._add(index))

    def _on_main(self) -> None:
        act = self._main.objectName()
        if act == "stop":
            self.intent.emit(PressStop(self._number))
        elif act == "start":
            self.intent.emit(PressStart(self._number))
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


def _session_at(evse: EvseSnapshot, snapshot: SessionSnapshot) -> SessionView | None:
    return next((one for one in snapshot.sessions if one.evse == evse.id), None)


def _line() -> QFrame:
    line = QFrame()
    line.setProperty("role", "line")
    return line


def _scrolling() -> QScrollArea:
    """In a low window a page scrolls, so that the buttons below it stay in sight."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area
