"""A station as a whole: the composition root under window and headless.

It owns what outlives the controller: the machine, its memory, the clocks, the journal. `Power` switches
the controller on and off over them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from app.kernel.bus import Bus, Entry, Origin, Remover, because
from app.kernel.catalogue import Catalogue
from app.kernel.clock import Clock, SystemClock
from app.kernel.ids import random_ids
from app.kernel.link_clock import LinkClock, RealLinkClock
from app.kernel.text import Text
from app.ocpp import personalities
from app.ocpp.context import BootReason, BootState, NotConnected, Payload, QueuedMessage
from app.ocpp.dialogue import Dialogue
from app.ocpp.events import SettingChanged
from app.ocpp.overrides import Overrides
from app.ocpp.personality import LinkPolicy, Personality
from app.ocpp.points import Asker, Point
from app.ocpp.shared.jobs.handover import end_jobs
from app.ocpp.shared.signed_meter import TABLE as METER_KEYS
from app.ocpp.version import Version
from app.runtime import build
from app.runtime.address import address
from app.runtime.calendar import CalendarKeeper, bring_back
from app.runtime.config import Config
from app.runtime.diagnosis import Step, diagnose
from app.runtime.dialing import Dialing
from app.runtime.documents import documents, documents_beside
from app.runtime.events import ComputerWoke, StateReset, StateTold, VersionSettled
from app.runtime.files import FileDesk, transfers
from app.runtime.logs import StationLogs
from app.runtime.power import Power
from app.runtime.power_cycle import Board, MakePersonality
from app.runtime.sleep_watch import SleepWatch
from app.runtime.store import MEMORY, StateUnfit, Store, StoreError
from app.runtime.troubles import Troubles
from app.runtime.views import LinkState, LinkView, PowerState, SessionSnapshot
from app.runtime.wire import Opener, open_websocket
from app.runtime.wishes import IDENTITY, LinkWish, Wishes
from app.runtime.world import TABLE as WORLD
from app.runtime.world import WorldKeeper, check_hardware, put_into_service, understood
from app.station.commands import Restart
from app.station.events import MainsRestored
from app.station.intents import CutMains, Intent, Outcome, RestoreMains
from app.station.kinds import RestartKind
from app.station.state import StateError
from app.station.station import Station
from app.trace.exchange import Exchanges
from app.trace.journal import Journal

if TYPE_CHECKING:
    from app.runtime.archive import Contents

__all__ = ["Parts", "Session", "StateUnfit"]

STATE_FILE = "state.sqlite3"


@dataclass(slots=True)
class Parts:
    """What tests put in the place of the real thing."""

    make_personality: MakePersonality = build.make_personality
    opener: Opener = open_websocket
    random: Random | None = None


class Session:
    """One station. Made and used within a running loop; `start()` switches it on.

    `default_url` is where it connects while neither configuration nor people name a back office: the
    training CSMS of a window, whose port is another at each start and must not be remembered.

    Raises StoreError for a state that cannot be used and ConfigError for settings that cannot.
    """

    def __init__(
        self,
        config: Config,
        *,
        state_dir: Path | None = None,
        clock: Clock | None = None,
        link: LinkClock | None = None,
        catalogue: Catalogue | None = None,
        reset_state: bool = False,
        default_url: str | None = None,
        asker: Asker | None = None,
        on_undecided: Callable[[Point], None] | None = None,
        parts: Parts | None = None,
    ) -> None:
        self.config = config
        self.state_dir = state_dir
        self.clock: Clock = clock or build.make_clock(config)
        self.activity = self.clock.activity
        self.link: LinkClock = link or RealLinkClock()
        self.catalogue = catalogue or Catalogue.load()
        self._parts = parts or Parts()
        self._stopping = False
        self._known_waiting = 0
        self.store = Store(
            state_dir / STATE_FILE if state_dir else MEMORY,
            full_sync=config.full_sync,
        )
        try:
            if reset_state:
                self.store.reset()
            self._assemble(default_url, asker, on_undecided)
        except BaseException:
            self.store.close()
            raise

    def _assemble(
        self,
        default_url: str | None,
        asker: Asker | None,
        on_undecided: Callable[[Point], None] | None,
    ) -> None:
        config, folder = self.config, str(self.state_dir or "-")
        with understood(folder):
            check_hardware(self.store, config.hardware, folder)
            self._wishes = Wishes(config, self.store)
            self._wishes.check_change(self._wishes.link().version)
            bring_back(config, self.store, self.clock)
        self.bus = Bus(self.clock.now, first_seq=build.next_seq(self.state_dir))
        self.journal = Journal(self.bus, self.state_dir)
        self.exchanges = Exchanges(self.bus)
        self.overrides = Overrides()
        self.station: Station = build.make_station(config, self.clock, self.bus)
        self._troubles = Troubles(
            self.bus, self.station, self.store, self.journal, self.catalogue, folder
        )
        if isinstance(self.clock, SystemClock):
            self.clock.on_failure = self._troubles.timer_failed
        self.points = build.make_points(
            config,
            self._wishes.points(),
            bus=self.bus,
            link=self.link,
            timeout=self._message_timeout,
            asker=asker,
            on_undecided=on_undecided,
        )
        self._dialing = Dialing(
            config, self._wishes, self.store, lambda: self.personality, default_url
        )
        self._calendar = CalendarKeeper(config, self.store, self.clock, self.link)
        self._sleep = SleepWatch(self.link, self._woke)
        self.files = self._make_desk()
        self._board = self._make_board()
        self._keeper: WorldKeeper | None = None
        self._power = Power(
            self._board,
            prepare=self._prepare,
            write=self._write_world,
            boot_seconds=config.clock.boot_seconds,
        )
        self._removers: list[Remover] = []

    def _make_desk(self) -> FileDesk:
        """What is needed to move files."""
        network = transfers(
            self.bus,
            lambda: self.station.snapshot().network,
            lambda: self._wishes.link().tls,
            self.store,
            self.config.csms.proxy,
        )

        def logs(into: Path) -> StationLogs:
            told = (self.journal, self.exchanges, self.store, self.catalogue)
            return StationLogs(*told, self.snapshot, into, self.state_dir)

        return FileDesk(self.bus, network, logs, self.state_dir)

    def _make_board(self) -> Board:
        return Board(
            bus=self.bus,
            clock=self.clock,
            link=self.link,
            activity=self.activity,
            station=self.station,
            store=self.store,
            points=self.points,
            overrides=self.overrides,
            settings=self.config.ocpp(),
            ids=random_ids(),
            make_personality=self._parts.make_personality,
            target=self._dialing.target,
            settled=self._handshake_chose,
            opener=self._parts.opener,
            random=self._parts.random,
            tried=self._dialing.tried,
            caught_up=self.journal.caught_up,
            file_ports=self.files.ports,
        )

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """Switch the station on. Its world is as the state has it; the mains are on."""
        self._tell_of_state()
        known = self.store.get(WORLD, "station")
        if known is not None:
            self._import(known)
        self._keeper = WorldKeeper(
            self.bus, self.clock, self.store, self.station, self._calendar.write
        )
        self._calendar.start()
        self._sleep.start()
        self._removers += [
            self.bus.subscribe(self._on_mains_restored, MainsRestored),
            self.bus.subscribe(self._on_setting, SettingChanged),
        ]
        await self._read_program()
        self._power.start()
        if self.station.snapshot().mains:
            self._power.up()
        else:
            self.intend(RestoreMains(), Origin.STATION)  # a started program is a powered station
        await self.settled()

    def _import(self, known: Payload) -> None:
        try:
            self.station.import_state(known)
        except StateError as error:
            params = {"folder": str(self.state_dir or "-"), "what": error.text}
            raise StateUnfit(Text("runtime.state.not_understood", params)) from error

    async def stop(self) -> None:
        """Switch off in good order: goodbye to the back office, state written, files closed."""
        if self._stopping:
            return
        self._stopping = True
        try:
            await self._power.stop()
        finally:  # also when nobody waits for the end any more
            self._let_go()

    def _let_go(self) -> None:
        """Write the machine's state and close what is open."""
        for remove in self._removers:
            remove()
        self.points.close()
        self._sleep.stop()
        self._calendar.stop()
        if self._keeper is not None:
            self._keeper.close()
            with contextlib.suppress(StoreError):  # told by the store
                self._keeper.write()
        close = getattr(self.clock, "close", None)
        if close is not None:
            close()
        self.store.close()
        self.journal.close()
        self.files.close()

    async def settled(self) -> None:
        """Wait until what was ordered of the power has happened and the state is written."""
        await self._power.settled()

    def _tell_of_state(self) -> None:
        if self.store.kept_aside is not None:
            params = {"kept": str(self.store.kept_aside)}
            self.bus.publish(StateTold(Text("runtime.store.kept_aside", params)))
        if self.store.migrated_from is not None:
            params = {"before": str(self.store.migrated_from)}
            self.bus.publish(StateTold(Text("runtime.store.migrated", params)))

    # ------------------------------------------------------------------ what people do

    def intend(self, order: Intent, origin: Origin = Origin.PERSON) -> Outcome:
        """Do something to the machine, as somebody."""
        with because(origin):
            return self.station.handle(order)

    async def connect_to(
        self,
        url: str,
        station_id: str | None = None,
        version: str | None = None,
        *,
        security_profile: int | None = None,
        password: str | None = None,
        ca: str | None = None,
        certificate: str | None = None,
        key: str | None = None,
        secure_url: str | None = None,
        subprotocols: Sequence[str] | None = None,
        crl: str | None = None,
    ) -> None:
        """Go to another back office and stay there over restarts. Raises AddressBad, StateUnfit.

        What is left out stays as it is; but on another host nothing is shown that was meant for this one.
        What the back office had set for the link is forgotten. `secure_url` is where to go once it
        raises the security profile to TLS; `subprotocols` are offered in this order.
        """
        there = address(url, station_id or self._wishes.link().station_id)
        self._check_change(version)
        wish = LinkWish(url, station_id, version, security_profile, password, ca, certificate, key)
        offered = None if subprotocols is None else tuple(subprotocols)
        wish = replace(wish, secure_url=secure_url, subprotocols=offered, crl=crl)
        self._dialing.go_to(there, wish)
        await self._connect_anew()

    @property
    def subprotocols(self) -> tuple[str, ...]:
        """What people have set to be offered, in this order; none: what the version says."""
        return self._wishes.link().subprotocols

    async def connect_to_default(self) -> None:
        """Forget the back office that people chose: back to the configured one, or to the default."""
        self._check_change(self.config.csms.version)
        self._dialing.go_back()
        await self._connect_anew()

    async def speak(self, version: str) -> None:
        """Speak 1.6, 2.0.1 or whichever is picked (auto), over restarts. Raises StateUnfit."""
        self._check_change(version)
        self._wishes.ask(LinkWish(version=version))
        await self._connect_anew()

    def read_ahead(self) -> None:
        """The program of the version it will speak, if that is known: at a start where nobody waits yet."""
        version = self._dialing.version()
        if version is not None:
            personalities.read_here(version)

    async def _read_program(self) -> None:
        """Of what it will speak; where the back office picks, that is read when it has picked."""
        version = self._dialing.version()
        if version is not None:
            await personalities.read(version)

    async def _connect_anew(self) -> None:
        await self._read_program()
        self._power.restart(BootReason.POWER_UP)
        await self.settled()

    def _check_change(self, version: str | None) -> None:
        """Rows and sessions of one version cannot go on in the other. Raises StateUnfit."""
        sessions = bool(self.personality and self.personality.sessions())
        self._wishes.check_change(version, sessions=sessions)

    async def diagnose(
        self, wish: LinkWish | None = None, *, boot: bool = False
    ) -> AsyncIterator[Step]:
        """Try an address step by step; None: the present one. `boot`: send a BootNotification too."""
        target = self._dialing.trial(wish) if wish else self._dialing.target()
        if target is None:
            yield Step("url", False, Text("runtime.address.unset"))
            return
        identity = self._board.settings.identity if boot else None
        async for step in diagnose(target, boot=identity):
            yield step

    def _woke(self, missed: float) -> None:
        """The computer slept: the calendar goes on where it should be, and the link is opened anew."""
        self.bus.publish(ComputerWoke(missed))
        if missed and self.clock.follow_server:
            self.clock.correct(self.clock.now() + timedelta(seconds=missed))
        if self._power.cycle is not None:
            self._power.cycle.connection.reopen(Text("runtime.link.woke"))

    def retry_now(self) -> None:
        """Connect at once instead of waiting."""
        if self._power.cycle is not None:
            self._power.cycle.connection.retry_now()

    async def repower(self, origin: Origin = Origin.PERSON) -> None:
        """Cut the mains and restore them."""
        self.intend(CutMains(), origin)
        self.intend(RestoreMains(), origin)
        await self.settled()

    async def restart(self, *, watchdog: bool = False) -> None:
        """The button for that was pressed at the station, or its watchdog bit: down and up again."""
        self._power.reboot(BootReason.WATCHDOG if watchdog else BootReason.LOCAL_RESET)
        await self.settled()

    async def factory_reset(self) -> None:
        """Forget all that the protocol and people changed. The machine, its cars and registers stay."""
        self._power.restart(BootReason.LOCAL_RESET, between=self._forget)
        await self.settled()

    def _forget(self) -> None:
        self.store.reset(keep=(WORLD, IDENTITY, METER_KEYS))
        self._wishes.reread()
        for point in self.points.chosen:
            self.points.set(point, self.config.open_points.get(point))
        put_into_service(self.station)
        self.bus.publish(StateReset())

    async def export_station(self, target: Path) -> Contents:
        """Put configuration, state and journal into a file, without secrets.

        Raises ArchiveError, StoreFailed.
        """
        self._write_world()
        path = self.store.path
        in_memory = None if path else list(documents(self.store))

        def work() -> Contents:
            from app.runtime.archive import write_archive

            self.journal.flush()
            state = documents_beside(path) if path else in_memory or ()
            return write_archive(target, self.config, state, self.state_dir)

        return await asyncio.to_thread(work)

    # ------------------------------------------------------------------ OCPP by hand

    @property
    def began(self) -> int:
        """The place in the journal where the last power cycle began."""
        return self._power.began

    @property
    def personality(self) -> Personality | None:
        """The blocks of the version in force; None without power, or before `auto` is decided."""
        return self._power.cycle.personality if self._power.cycle else None

    async def call(self, action: str, payload: Any, validate: bool = True) -> Payload:
        """Send a CALL by hand: a payload, or any JSON or text unless it is to be valid. Raises CallFailed."""
        dialogue = self._dialogue()
        if validate:
            return await dialogue.call(action, payload)
        return await dialogue.call_unchecked(action, payload)

    def send_raw(self, text: str) -> None:
        """Send any text. Raises NotConnected."""
        self._dialogue().send_raw(text)

    def override(self, action: str, direction: str, **what: Any) -> int:
        """Force what is answered or sent; returns a key to lift it. Raises ValueError."""
        return self.overrides.add(action, direction, **what)

    def settings(self) -> list[Payload]:
        """All configuration keys or variables; none without power."""
        return self.personality.settings() if self.personality else []

    def get_setting(self, name: str) -> str | None:
        """The value of one. Raises KeyError."""
        if self.personality is None:
            raise KeyError(name)
        return self.personality.get_setting(name)

    def set_setting(self, name: str, value: str, origin: Origin = Origin.PERSON) -> str:
        """Set one as a person at the station would. Returns the status word. Raises KeyError."""
        if self.personality is None:
            raise KeyError(name)
        with because(origin):
            return self.personality.set_setting(name, value)

    def choose_point(self, point: str, option: str | None) -> None:
        """Fix what is done at an open point, over restarts; None lifts it. Raises KeyError."""
        self.points.set(point, option)
        self._wishes.choose_point(point, option)

    def _dialogue(self) -> Dialogue:
        cycle = self._power.cycle
        if cycle is None or cycle.dialogue is None:
            raise NotConnected("the station has no power or no version yet")
        return cycle.dialogue

    # ------------------------------------------------------------------ what it looks like

    def snapshot(self) -> SessionSnapshot:
        """All that a view shows, at this instant."""
        settings = self._wishes.link()
        cycle, personality = self._power.cycle, self.personality
        return SessionSnapshot(
            name=self.config.hardware.name,
            station_id=settings.station_id,
            csms_url=self._dialing.url,
            version=personality.version if personality else self._dialing.version(),
            version_wish=settings.version,
            security_profile=self._dialing.security_profile,
            strict=self.config.strict,
            power=self._power_state(),
            link=cycle.connection.view if cycle else LinkView(LinkState.OFF),
            boot=cycle.boot_state if cycle else BootState.OFF,
            sessions=personality.sessions() if personality else (),
            paid=personality.paid() if personality else {},
            queue=self._waiting(),
            station=self.station.snapshot(),
            reboots=max(0, self._power.cycles - 1),
            clock_rate=getattr(self.clock, "rate", None),
            jobs=personality.jobs() if personality else (),
            closing=personality.rooms.closing() if personality else frozenset(),
            problems=self._troubles.all(),
        )

    def queue(self, limit: int | None = None) -> list[QueuedMessage]:
        """The oldest messages of the outbox, each with why it waits; none without power."""
        with contextlib.suppress(StoreError):  # told by the store
            return self.personality.queue(limit) if self.personality else []
        return []

    def _power_state(self) -> PowerState:
        if self._troubles.failure is not None:
            return PowerState.FAILED
        if self._power.cycle is not None and not self._power.cycle.over:
            return PowerState.ON
        return PowerState.STARTING if self.station.snapshot().mains else PowerState.DARK

    def _waiting(self) -> int:
        """Messages in the outbox; as last known, if the store cannot tell."""
        with contextlib.suppress(StoreError):  # told by the store; a view goes on showing
            self._known_waiting = self.store.count("outbox")
        return self._known_waiting

    # ------------------------------------------------------------------ power and version

    def _prepare(self) -> Version | None:
        """A power cycle begins: what it speaks, and with which settings."""
        self._dialing.begin()
        profile = self._wishes.link().security_profile
        self._board.settings = replace(
            self.config.ocpp(), security_profile=profile, link=self._dialing.facts()
        )
        version = self._dialing.version()
        if version is not None:
            self._wishes.choose(version)
            self._take_up(version)
        return version

    def _take_up(self, version: Version) -> None:
        """Nobody lives yet: what was ordered in another version this one could not take back."""
        if self._wishes.speak(version):
            end_jobs(self.store)
            self.station.handle(Restart(RestartKind.HARD, inevitable=True))
            put_into_service(self.station)

    def _write_world(self) -> None:
        if self._keeper is not None:
            self._keeper.write()

    def _on_mains_restored(self, _: Entry) -> None:
        self._troubles.mend()
        self._power.up()

    def _on_setting(self, _: Entry) -> None:
        if self._power.cycle is not None:
            self._power.cycle.connection.policy_changed()

    def _handshake_chose(self, version: Version) -> bool:
        before = self._wishes.chosen_version
        self._wishes.choose(version)
        if version is not before:
            self.bus.publish(VersionSettled(version))
        personality = self.personality
        if personality is None:
            self._take_up(version)
        if personality is None or personality.version is version:
            return True
        self._power.restart(BootReason.POWER_UP)
        return False

    def _message_timeout(self) -> float:
        cycle = self._power.cycle
        return cycle.policy().message_timeout if cycle else LinkPolicy().message_timeout
