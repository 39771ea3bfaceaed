"""Everything of one open window: its parts, what connects them, and their end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMenu

from app.kernel.text import Text
from app.runtime.address import AddressBad
from app.runtime.diagnosis import Step
from app.runtime.lab import Lab
from app.runtime.session import Session, StateUnfit
from app.runtime.views import SessionSnapshot
from app.runtime.wishes import LinkWish
from app.station.vehicle import VehicleLibrary
from app.training.records import CsmsChange, Topic
from app.training.thread import TrainingCsmsThread
from ui.ask import Spawner, ask
from ui.bridge import Bridge
from ui.cards.standing import dressed
from ui.cards.store import CardStore
from ui.commands import Command
from ui.connect.request import ConnectRequest
from ui.graphs.reading import PlotPlace, read_charts
from ui.hand_over import hand_over, take_in
from ui.preferences import Preferences
from ui.shell.below import BELOW
from ui.shell.controller import Controller
from ui.shell.toasts import Tone
from ui.shell.window import MainWindow
from ui.station_rooms.docks import StationRooms
from ui.theme import Theme, ThemeSwitch
from ui.training.panel import TrainingPanel
from ui.wallet import Card
from ui.widgets.turns import Work, in_turns

log = logging.getLogger(__name__)

TRAINING_KEYS = "Ctrl+T"
VERSIONS = ("auto", "1.6", "2.0.1")


class Room(QObject):
    """The window with its controller, dialogs and the training panel."""

    _tokens_changed = Signal()

    def __init__(
        self,
        session: Session,
        bridge: Bridge,
        switch: ThemeSwitch,
        training: TrainingCsmsThread,
        training_url: str,
        preferences: Preferences,
        folder: Path,
        window: MainWindow | None = None,
    ) -> None:
        """`window`: one that is on the screen already, still without its parts."""
        super().__init__()
        self.session, self.bridge, self.switch = session, bridge, switch
        self.training, self._training_url = training, training_url
        self._preferences, self._folder = preferences, folder
        self.spawner = Spawner(self.report)
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.window = window or MainWindow(switch.theme, session.catalogue)
        self.cards = CardStore(folder)
        self._cards = self.cards.load()
        self._worn: object = None
        self._tokens = training.snapshot().tokens
        self._remove_tokens = training.subscribe(self._on_training)
        self._tokens_changed.connect(self._on_tokens, Qt.ConnectionType.QueuedConnection)
        self.lab = Lab(session, training)

    async def open(self) -> None:
        """Make what the window holds, start the station, and show both; the loop turns meanwhile.

        Raises what `Session.start()` raises.
        """
        await in_turns(self._furnish())
        try:
            await self.session.start()
        except BaseException:
            self.bridge.stop()
            raise
        await in_turns(self._show())

    def _furnish(self) -> Work:
        """All is connected before the station starts: what happens then is told."""
        session, window, switch = self.session, self.window, self.switch
        catalogue, theme = session.catalogue, switch.theme
        vehicles = [(car.id, car.name) for car in VehicleLibrary.standard().specs()]
        yield from window.furnish(session.exchanges, vehicles)
        yield
        self.controller = Controller(window, self.bridge, switch, self.spawner, catalogue)
        yield
        self.training_panel = TrainingPanel(self.training, theme, catalogue)
        self.training_dock = window.add_room("training", self.training_panel, BELOW, TRAINING_KEYS)
        window.tabifyDockWidget(window.messages_dock, self.training_dock)
        yield
        self._add_commands()
        self.rooms = StationRooms(
            window,
            self.bridge,
            self.controller.commands,
            theme,
            catalogue,
            self.lab,
            self.spawner,
        )
        yield
        yield from self.rooms.furnish(self.controller.menu, self._file.menuAction())
        self._remove_theme = switch.worn_by(self._wear)
        self.training_panel.use_training_requested.connect(self._use_training)
        self.controller.connect_wanted.connect(self._connect)
        self.controller.training_wanted.connect(self._use_training)
        self.controller.card_add_wanted.connect(self._add_card)
        window.closing.connect(self.ask_to_close)
        self.bridge.snapshot_changed.connect(self._on_snapshot)

    def _show(self) -> Work:
        self.bridge.start()
        yield
        self.controller.select(1)
        yield
        yield from self.window.reveal(self._preferences.layout)
        if self.cards.problem is not None:
            self.controller.tell(self.session.catalogue.render(self.cards.problem), Tone.WARNING)
        self.spawner.spawn(self._read_charts(), "charts")
        self.window.canvas.setFocus()  # the way by Tab begins at the machine

    async def _read_charts(self) -> None:
        """Half a second of library, read in a thread once the window is there; then the charts appear."""
        await asyncio.to_thread(read_charts)
        for place in self.window.findChildren(PlotPlace):
            place.furnish()  # those that are not seen yet do it when they are

    async def closed(self) -> None:
        """Wait until a person closes the window."""
        await self._closed

    async def close(self) -> None:
        """Remember how it looked, and let go of the session."""
        self._preferences.theme = self.switch.theme.name
        self._preferences.layout = self.window.layout_text()
        self._preferences.save()
        self.cards.save(self._cards)
        self._remove_tokens()
        self._remove_theme()
        self.training_panel.close_feed()
        self.rooms.close()
        await self.lab.leave()
        self.controller.close()
        self.bridge.stop()
        await self.spawner.close()

    # ------------------------------------------------------------------ commands

    def _add_commands(self) -> None:
        commands = self.controller.commands
        action = commands.add(Command("training", self._toggle_training, TRAINING_KEYS))
        self.window.addAction(action)
        self.window.top.add_button(action, first=True)
        edit = commands.add(Command("edit_card", self._edit_card))
        self.window.addAction(edit)
        menu = self.controller.menu
        first = menu.actions()[0]
        for version in VERSIONS:
            ident = f"speak_{version.replace('.', '')}"
            action = commands.add(Command(ident, self._speakers()[version]))
            action.setCheckable(True)
            action.setData(version)
            self.window.addAction(action)
            menu.insertAction(first, action)
        menu.insertSeparator(first)
        menu.aboutToShow.connect(self._tick_version)
        restart = self.controller.restart.menuAction()
        menu.insertAction(restart, edit)
        file = self._file = QMenu(self.session.catalogue.render(Text("top.file")), self.window)
        for ident, run in (("hand_over", self._hand_over), ("take_in", self._take_in)):
            action = commands.add(Command(ident, run))
            self.window.addAction(action)
            file.addAction(action)
        menu.insertMenu(restart, file)

    def _tick_version(self) -> None:
        """Each time the menu opens: a wish that was turned down leaves the old one ticked."""
        wish = self.bridge.snapshot().version_wish
        for action in self.controller.menu.actions():
            if action.data() in VERSIONS:
                action.setChecked(action.data() == wish)

    def _hand_over(self) -> None:
        say, tell = self.controller.say, self.controller.tell
        self.spawner.once(hand_over(self.window, self.session, say, tell), "hand over")

    def _take_in(self) -> None:
        say, tell = self.controller.say, self.controller.tell
        home = self._folder.absolute().parent
        self.spawner.once(take_in(self.window, self.session, home, say, tell), "take in")

    def _speakers(self) -> dict[str, Callable[[], object]]:
        return {"auto": self._speak_auto, "1.6": self._speak_16, "2.0.1": self._speak_201}

    def _speak_auto(self) -> None:
        self.spawner.spawn(self._speak("auto"), "version")

    def _speak_16(self) -> None:
        self.spawner.spawn(self._speak("1.6"), "version")

    def _speak_201(self) -> None:
        self.spawner.spawn(self._speak("2.0.1"), "version")

    async def _speak(self, version: str) -> None:
        try:
            await self.session.speak(version)
        except StateUnfit as error:
            self.controller.tell_error(self.session.catalogue.render(error.text))

    def _toggle_training(self) -> None:
        dock = self.training_dock
        if dock.isVisible() and not dock.visibleRegion().isEmpty():
            self.window.below.close(dock)
        else:
            self.window.below.open(dock)

    def _use_training(self) -> None:
        self.spawner.spawn(self._go_training(), "training CSMS")

    async def _go_training(self) -> None:
        if self.lab.protected:  # as the certificate lab left it
            await self.lab.go(0)
            return
        try:
            if self.session.config.csms.url is None:
                await self.session.connect_to_default()
            else:  # what is configured is another one
                await self.session.connect_to(self.lab.url, security_profile=0)
        except StateUnfit as error:
            self.controller.tell_error(self.session.catalogue.render(error.text))

    # ------------------------------------------------------------------ dialogs

    def _connect(self) -> None:
        self.spawner.once(self._ask_connect(), "connect")

    async def _ask_connect(self) -> None:
        from ui.connect.dialog import ConnectDialog

        dialog = ConnectDialog(
            self.switch.theme,
            self.session.catalogue,
            self._current(),
            self._folder,
            self.window,
            spawner=self.spawner,
            diagnose=self._diagnose,
        )
        if await ask(dialog):
            await self._go(dialog.result())

    def _current(self) -> ConnectRequest:
        """Where it connects now; while that is the training CSMS only who the station is."""
        snapshot = self.bridge.snapshot()
        if snapshot.csms_url in {None, self._training_url, self.lab.url}:
            return ConnectRequest("", snapshot.station_id, snapshot.version_wish)
        return ConnectRequest(
            str(snapshot.csms_url),
            snapshot.station_id,
            snapshot.version_wish,
            snapshot.security_profile,
            subprotocols=self.session.subprotocols,
        )

    def _diagnose(self, request: ConnectRequest) -> AsyncIterator[Step]:
        """The test of the dialog, with the station's own proxy, roots and identity."""
        wish = LinkWish(request.url, request.station_id, request.version, **request.options())
        return self.session.diagnose(wish, boot=True)

    async def _go(self, request: ConnectRequest) -> None:
        try:
            await self.session.connect_to(
                request.url, request.station_id, request.version, **request.options()
            )
        except (AddressBad, StateUnfit) as error:
            why = self.session.catalogue.render(error.text)
            self.controller.tell_error(self.controller.say("toast.connect_failed", why=why))

    def _add_card(self) -> None:
        self.spawner.once(self._ask_card(None), "card")

    def _edit_card(self) -> None:
        uid = self.window.wallet.chosen_uid
        card = next((card for card in self._cards if card.uid == uid), None)
        if card is None:
            self.controller.tell(self.controller.say("toast.choose_card"))
            return
        self.spawner.once(self._ask_card(card), "card")

    async def _ask_card(self, card: Card | None) -> None:
        from ui.cards.dialog import CardDialog

        taken = [other.uid for other in self._cards if other != card]
        dialog = CardDialog(
            self.switch.theme, self.session.catalogue, card, self.window, taken=taken
        )
        if not await ask(dialog):
            return
        kept = [other for other in self._cards if other != card]
        if not dialog.removed:
            place = len(kept) if card is None else self._cards.index(card)
            kept.insert(place, dialog.card())
        self._cards = kept
        self.cards.save(kept)
        self._dress_cards(self.bridge.snapshot())

    # ------------------------------------------------------------------ events

    def _on_snapshot(self, snapshot: SessionSnapshot) -> None:
        here = snapshot.csms_url in {self._training_url, self.lab.url}
        self.training_panel.set_elsewhere(None if here else snapshot.csms_url)
        self._dress_cards(snapshot)

    def _dress_cards(self, snapshot: SessionSnapshot) -> None:
        """Each card says what it is good for; nothing is done while nothing changed."""
        here = snapshot.csms_url in {self._training_url, self.lab.url}
        in_use = {view.id_token: view.evse for view in snapshot.sessions if view.id_token}
        wears = (tuple(self._cards), self._tokens if here else None, tuple(in_use.items()))
        if wears != self._worn:
            self._worn = wears
            tokens = self._tokens if here else None
            cards = dressed(self._cards, self.session.catalogue, tokens, in_use)
            self.window.wallet.set_cards(cards)

    def _on_training(self, change: CsmsChange) -> None:
        """In the thread of the training CSMS."""
        if change.topic is Topic.TOKENS:
            self._tokens_changed.emit()

    def _on_tokens(self) -> None:
        self._tokens = self.training.snapshot().tokens

    def _wear(self, theme: Theme) -> Work:
        self.training_panel.set_theme(theme)
        yield
        yield from self.rooms.wear(theme)

    def ask_to_close(self) -> None:
        """Let `closed()` return; whoever awaits it ends the session and then the window."""
        if not self._closed.done():
            self._closed.set_result(None)

    def report(self, error: BaseException) -> None:
        """A task failed: tell it where people look."""
        log.error("a task of the window failed", exc_info=error)
        self.controller.tell_error(
            self.session.catalogue.render(
                Text("toast.program_fault", {"error": f"{type(error).__name__}: {error}"})
            )
        )
