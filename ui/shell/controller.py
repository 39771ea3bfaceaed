"""Connects the window with the session: commands, selections, news worth a toast."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMenu

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.ocpp.context import JobView
from app.runtime.views import SessionSnapshot
from app.station.faults import consequence
from app.station.intents import (
    ArriveCar,
    ClearFault,
    CutMains,
    CutNetwork,
    Intent,
    PlugIn,
    PresentCard,
    PressStop,
    RaiseFault,
    RestoreMains,
    RestoreNetwork,
    SetVehicle,
    Unplug,
)
from app.station.kinds import Fault
from app.station.snapshot import EvseSnapshot, StationSnapshot
from app.station.vehicle import VehicleLibrary
from app.trace.exchange import Exchange, Verdict
from ui.ask import Spawner, ask
from ui.bridge import Bridge
from ui.commands import Command, Commands
from ui.graphs.history import Marker
from ui.inspector.faults_tab import fault_word, toggle
from ui.shell.confirm import Confirmation
from ui.shell.news import News
from ui.shell.toasts import Tone
from ui.shell.top_bar import CornerMenu
from ui.shell.window import MainWindow
from ui.station.naming import HeldCard
from ui.station.views import EvseExtra, PictureExtra
from ui.theme import Theme, ThemeSwitch
from ui.wallet import Card
from ui.widgets.turns import Work

AGAIN = 0.5
"""Seconds in which the same card once more is a double click."""
SAME_GESTURE = 2.5
"""Seconds in which a click on the reader belongs to the click on the card before it."""
BAD = {Verdict.SCHEMA_ERROR, Verdict.CALL_ERROR, Verdict.TIMEOUT}


class Controller(QObject):
    """`connect_wanted`: a person wants another back office; `training_wanted`: the training CSMS."""

    connect_wanted = Signal()
    training_wanted = Signal()
    card_add_wanted = Signal()

    def __init__(
        self,
        window: MainWindow,
        bridge: Bridge,
        switch: ThemeSwitch,
        spawner: Spawner,
        catalogue: Catalogue,
    ) -> None:
        super().__init__(window)
        self._window, self._bridge, self._switch = window, bridge, switch
        self._spawner, self._catalogue = spawner, catalogue
        self._selected = 1
        self._errors = 0
        self._shown: PresentCard | None = None
        self._shown_at = 0.0
        self._by_wallet = False
        self._news = News(window.toasts, catalogue, self)
        self.commands = Commands(catalogue, self)
        self._add_commands()
        self._connect()
        self._fill_top_bar()

    @property
    def selected(self) -> int:
        """The EVSE that commands mean."""
        return self._selected

    def say(self, text_id: str, **params: Any) -> str:
        return self._catalogue.render(Text(text_id, params))

    # ------------------------------------------------------------------ wiring

    def _connect(self) -> None:
        window, bridge = self._window, self._bridge
        bridge.snapshot_changed.connect(self._on_snapshot)
        bridge.happened.connect(self._news.on_event)
        bridge.refused.connect(self._on_refused)
        window.canvas.intent.connect(self._on_touched)
        window.canvas.evse_selected.connect(self.select)
        window.canvas.fault_menu_requested.connect(self._fault_menu)
        window.canvas.card_wanted.connect(self._on_card_wanted)
        window.canvas.vehicle_menu_requested.connect(self._vehicle_menu)
        window.wallet.set_drop_target(window.canvas.reader_at, window.canvas.hover_card)
        window.wallet.card_offered.connect(self._on_card)
        window.wallet.card_chosen.connect(self._on_card_chosen)
        window.wallet.add_requested.connect(self.card_add_wanted)
        window.inspector.intent.connect(bridge.intend)
        window.inspector.card_wanted.connect(self._on_card_wanted)
        window.inspector.marker_clicked.connect(window.messages.select)
        window.messages.exported.connect(self._on_exported)
        window.messages.export_failed.connect(self.tell_error)
        self._remove_theme = self._switch.worn_by(self._wear)
        self._remove_rows = bridge.session.exchanges.listen(self._on_exchange)

    def close(self) -> None:
        """The session is about to end."""
        self._remove_rows()
        self._remove_theme()

    def _add_commands(self) -> None:
        table: tuple[tuple[str, Callable[[], object], str], ...] = (
            ("connect", self.connect_wanted.emit, "Ctrl+L"),
            ("use_training", self.training_wanted.emit, ""),
            ("theme", self._switch.toggle, "Ctrl+D"),
            ("plug", self._toggle_plug, "Ctrl+P"),
            ("card", self._offer_card, "Ctrl+Return"),
            ("stop", self._press_stop, "Ctrl+."),
            ("emergency", self._toggle_emergency, "Ctrl+E"),
            ("mains", self._toggle_mains, "Ctrl+M"),
            ("network", self._toggle_network, "Ctrl+N"),
            ("retry", self._retry, "Ctrl+R"),
            ("repower", self._repower, ""),
            ("restart", self._restart, ""),
            ("watchdog", self._watchdog, ""),
            ("factory_reset", self._factory_reset, ""),
            ("messages", self._toggle_messages, "Ctrl+1"),
            ("inspector", self._toggle_inspector, "Ctrl+2"),
            ("reset_layout", self._window.reset_layout, ""),
            ("quit", self._window.close, "Ctrl+Q"),
        )
        for ident, run, keys in table:
            self._window.addAction(self.commands.add(Command(ident, run, keys)))

    def _fill_top_bar(self) -> None:
        top, actions = self._window.top, self.commands
        top.add_button(actions["connect"], primary=True)
        top.add_icon(actions["theme"], "sun")
        menu = CornerMenu(self._window)
        for group in (
            ("plug", "card", "stop", "emergency"),
            ("mains", "network", "retry", "use_training"),
        ):
            for ident in group:
                menu.addAction(actions[ident])
            menu.addSeparator()
        self.restart = menu.addMenu(self.say("top.restart"))
        for ident in ("repower", "restart", "watchdog", "factory_reset"):
            self.restart.addAction(actions[ident])
        menu.addSeparator()
        menu.addAction(actions["quit"])
        self.menu = menu
        top.add_menu(menu, "more", self.say("top.menu"))

    # ------------------------------------------------------------------ what is shown

    def select(self, evse: int) -> None:
        """Look at another EVSE."""
        self._selected = evse
        self._window.canvas.set_selected(evse)
        self._window.inspector.select(evse)
        self._on_snapshot(self._bridge.snapshot())

    def _wear(self, theme: Theme) -> Work:
        """Colours that stand in texts change with the rest, not with the next news."""
        yield from self._window.wear(theme)
        self._on_snapshot(self._bridge.snapshot())

    def _on_snapshot(self, snapshot: SessionSnapshot) -> None:
        window, session = self._window, self._bridge.session
        window.canvas.set_snapshot(snapshot.station, self._extra(snapshot))
        reading = None
        if snapshot.station.mains:
            reading = session.station.meter(self._selected)
        window.inspector.show_snapshot(snapshot, reading)
        window.top.show_snapshot(snapshot)
        window.status.show_snapshot(
            snapshot, session.link.monotonic(), session.exchanges.waiting(), self._errors
        )

    def _extra(self, snapshot: SessionSnapshot) -> PictureExtra:
        from app.runtime.views import LinkState

        evses = {number: EvseExtra(closing=True) for number in snapshot.closing}
        for view in snapshot.sessions:
            evses[view.evse] = EvseExtra(
                card=view.id_token or "",
                cost=view.cost or "",
                closing=view.evse in snapshot.closing,
                meter_start=view.meter_start,
            )
        return PictureExtra(
            station_id=snapshot.station_id,
            boot=snapshot.boot,
            online=snapshot.link.state is LinkState.ONLINE,
            queue=snapshot.queue,
            update=update_step(snapshot.jobs),
            evses=evses,
        )

    def _on_exchange(self, row: Exchange, new: bool) -> None:
        if not new and row.verdict in BAD:
            self._errors += 1
        if new and row.evse:
            outgoing = row.direction.value == "out"
            marker = Marker(row.at.timestamp(), row.number, outgoing)
            self._window.inspector.mark(row.evse, marker)

    # ------------------------------------------------------------------ news

    def tell(self, text: str, tone: Tone = Tone.NOTE, about: str = "") -> None:
        self._news.tell(text, tone, about)

    def tell_error(self, text: str) -> None:
        self.tell(text, Tone.ERROR)

    def _on_refused(self, reason: str) -> None:
        self.tell(reason, Tone.WARNING)

    def _on_exported(self, text: str) -> None:
        self.tell(text, Tone.GOOD)

    # ------------------------------------------------------------------ commands

    def _station(self) -> StationSnapshot:
        """As it stands now: the newest picture may be a frame behind."""
        return self._bridge.session.station.snapshot()

    def _evse(self) -> EvseSnapshot:
        return self._station().evse(self._selected)

    def _toggle_plug(self) -> None:
        evse = self._evse()
        plugged = next((c.id for c in evse.connectors if c.plugged), None)
        if plugged is None:
            self._bridge.intend(PlugIn(self._selected, evse.connectors[0].id))
        else:
            self._bridge.intend(Unplug(self._selected, plugged))

    def _offer_card(self) -> None:
        """By a key: each press is meant, so none is taken for a double click."""
        card = self._chosen_card()
        if card is not None:
            self._offer(PresentCard(card.uid, card.kind, self._selected), 0.0)

    def _on_card_wanted(self, evse: int) -> None:
        card = self._chosen_card()
        if card is not None:
            self._on_card(card, evse)

    def _chosen_card(self) -> Card | None:
        """The card in the hand; a toast asks for one when there is none."""
        wallet = self._window.wallet
        card = next((card for card in wallet.cards() if card.uid == wallet.chosen_uid), None)
        if card is None:
            self.tell(self.say("toast.choose_card"))
        return card

    def _on_card_chosen(self, card: Card) -> None:
        self._window.canvas.set_card(HeldCard(card.uid, card.kind, card.name))

    def _on_card(self, card: Card, evse: int | None) -> None:
        self._offer(PresentCard(card.uid, card.kind, evse or self._selected), AGAIN)

    def _on_touched(self, intent: Intent) -> None:
        """An act on the picture. Who clicked a card and then the reader has shown it once, not twice."""
        if isinstance(intent, PresentCard):
            self._offer(intent, SAME_GESTURE if self._by_wallet else AGAIN, wallet=False)
        else:
            self._bridge.intend(intent)

    def _offer(self, shown: PresentCard, pause: float, *, wallet: bool = True) -> None:
        """Show a card, unless that very card was shown there less than `pause` seconds ago."""
        now = time.monotonic()
        if shown == self._shown and now - self._shown_at < pause:
            return
        self._shown, self._shown_at, self._by_wallet = shown, now, wallet
        self._bridge.intend(shown)

    def _press_stop(self) -> None:
        self._bridge.intend(PressStop(self._selected))

    def _toggle_emergency(self) -> None:
        pressed = self._station().emergency_stop
        fault = Fault.EMERGENCY_STOP
        self._bridge.intend(ClearFault(0, 0, fault) if pressed else RaiseFault(fault))

    def _toggle_mains(self) -> None:
        mains = self._station().mains
        self._bridge.intend(CutMains() if mains else RestoreMains())

    def _toggle_network(self) -> None:
        network = self._station().network
        self._bridge.intend(CutNetwork() if network else RestoreNetwork())

    def _retry(self) -> None:
        self._bridge.session.retry_now()

    def _repower(self) -> None:
        self._spawner.spawn(self._bridge.session.repower(), "repower")

    def _restart(self) -> None:
        self._spawner.spawn(self._bridge.session.restart(), "restart")

    def _watchdog(self) -> None:
        self._spawner.spawn(self._bridge.session.restart(watchdog=True), "watchdog")

    def _factory_reset(self) -> None:
        self._spawner.once(self._ask_factory_reset(), "factory reset")

    async def _ask_factory_reset(self) -> None:
        if await ask(Confirmation("factory_reset", self._catalogue, self._window)):
            await self._bridge.session.factory_reset()
            self.tell(self.say("toast.factory_reset"), Tone.GOOD)

    def _toggle_messages(self) -> None:
        self._window.toggle(self._window.messages_dock)

    def _toggle_inspector(self) -> None:
        self._window.toggle(self._window.inspector_dock)

    def _vehicle_menu(self, evse: int, place: Any) -> None:
        """A menu of the cars that can stand in that bay."""
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        standing = self._station().evse(evse).vehicle
        for car in VehicleLibrary.standard().specs():
            action = menu.addAction(car.name)
            action.setCheckable(True)
            action.setChecked(standing is not None and standing.id == car.id)
            action.setData((evse, car.id, standing is not None))
        menu.triggered.connect(self._on_vehicle_chosen)
        menu.popup(place)

    def _on_vehicle_chosen(self, action: Any) -> None:
        evse, car, standing = action.data()
        self._bridge.intend(SetVehicle(evse, vehicle=car) if standing else ArriveCar(evse, car))

    def _fault_menu(self, evse: int, place: Any) -> None:
        """A menu of what can break there, or at the EVSE that is looked at; what lies is ticked."""
        evse = evse or self._selected
        snapshot = self._station()
        faults = (*snapshot.faults, *snapshot.evse(evse).faults)
        lying = {item.fault: item for item in faults}
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        where = menu.addAction(self.say("top.faults_of", evse=evse))
        where.setEnabled(False)
        menu.addSeparator()
        for fault in Fault:
            action = menu.addAction(fault_word(self._catalogue, fault))
            action.setCheckable(True)
            action.setChecked(fault in lying)
            action.setToolTip(self._catalogue.render(consequence(fault)))
            action.setData((fault, evse, lying.get(fault)))
        menu.triggered.connect(self._on_fault_chosen)
        menu.popup(place)

    def _on_fault_chosen(self, action: Any) -> None:
        fault, evse, lying = action.data()
        self._bridge.intend(toggle(fault, evse, lying))


def update_step(jobs: Sequence[JobView]) -> str:
    """How far a firmware update is: scheduled, downloading or installing; empty while there is none."""
    running = next((job for job in jobs if job.kind == "firmware" and job.running), None)
    if running is None:
        return ""
    if running.status in {"Installing", "InstallRebooting"}:
        return "installing"
    return "downloading" if running.status in {"Downloading", "DownloadPaused"} else "scheduled"
