"""A station as a whole: the composition root under window and headless.

It owns what outlives the controller (the machine, its memory, the clocks, the journal) and switches
power cycles on and off, one order after the other.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextvars import Context as EmptyContext
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from app.kernel.bus import Bus, Entry, Origin, Remover, because
from app.kernel.catalogue import Catalogue
from app.kernel.clock import Clock, LinkClock, RealLinkClock, Timer
from app.kernel.ids import random_ids
from app.kernel.text import Text
from app.ocpp.context import BootReason, BootState, NotConnected, Payload
from app.ocpp.dialogue import Dialogue
from app.ocpp.events import RebootOrdered, SettingChanged
from app.ocpp.overrides import Overrides
from app.ocpp.personality import Personality
from app.ocpp.points import Asker, Point
from app.ocpp.version import Version
from app.runtime import build
from app.runtime.address import address
from app.runtime.config import Config
from app.runtime.connection import Target
from app.runtime.diagnosis import Step, diagnose
from app.runtime.events import (
    PowerCycleBegan,
    PowerCycleEnded,
    StateReset,
    StateTold,
    VersionSettled,
)
from app.runtime.power_cycle import Board, MakePersonality, PowerCycle
from app.runtime.store import MEMORY, Store, StoreError, StoreFailed
from app.runtime.views import LinkState, LinkView, PowerState, SessionSnapshot
from app.runtime.wire import Opener, open_websocket
from app.runtime.wishes import IDENTITY, LinkSettings, LinkWish, Wishes
from app.runtime.world import TABLE as WORLD
from app.runtime.world import StateUnfit, WorldKeeper, check_hardware
from app.station.commands import Restart, SetOperative
from app.station.events import MainsCut, MainsRestored, NetworkCut, NetworkRestored
from app.station.intents import ClearFault, CutMains, Intent, Outcome, RaiseFault, RestoreMains
from app.station.kinds import Fault, RestartKind
from app.station.state import StateError
from app.station.station import Station
from app.trace.exchange import Exchanges
from app.trace.journal import Journal

__all__ = ["Parts", "Session", "StateUnfit"]

STATE_FILE = "state.sqlite3"


@dataclass(slots=True)
class Parts:
    """What tests put in the place of the real thing."""

    make_personality: MakePersonality = build.make_personality
    opener: Opener = open_websocket
    random: Random | None = None


@dataclass(frozen=True, slots=True)
class _Order:
    """For the supervisor: end the running cycle (None: none), then begin one for `reason` (None: none)."""

    end: PowerCycle | None
    orderly: bool = False
    reason: BootReason | None = None
    between: Callable[[], None] | None = field(default=None)


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
        self._default_url = default_url
        self.clock: Clock = clock or build.make_clock(config)
        self.activity = self.clock.activity
        self.link: LinkClock = link or RealLinkClock()
        self.catalogue = catalogue or Catalogue.load()
        self._parts = parts or Parts()
        self.store = Store(
            state_dir / STATE_FILE if state_dir else MEMORY,
            full_sync=config.full_sync,
            on_failure=self._store_failed,
        )
        try:
            if reset_state:
                self.store.reset()
            self._assemble(asker, on_undecided)
        except BaseException:
            self.store.close()
            raise

    def _assemble(self, asker: Asker | None, on_undecided: Callable[[Point], None] | None) -> None:
        config = self.config
        check_hardware(self.store, config.hardware, str(self.state_dir or "-"))
        self._wishes = Wishes(config, self.store)
        self._check_version()
        self.bus = Bus(self.clock.now, first_seq=build.next_seq(self.state_dir))
        self.journal = Journal(self.bus, self.state_dir)
        self.exchanges = Exchanges(self.bus)
        self.overrides = Overrides()
        self.station: Station = build.make_station(config, self.clock, self.bus)
        self.points = build.make_points(
            config,
            self._wishes.points(),
            bus=self.bus,
            link=self.link,
            timeout=self._message_timeout,
            asker=asker,
            on_undecided=on_undecided,
        )
        self._board = Board(
            bus=self.bus,
            clock=self.clock,
            link=self.link,
            activity=self.activity,
            station=self.station,
            store=self.store,
            points=self.points,
            overrides=self.overrides,
            settings=config.ocpp(),
            ids=random_ids(),
            make_personality=self._parts.make_personality,
            target=self._target,
            settled=self._handshake_chose,
            reboot=self._reboot,
            opener=self._parts.opener,
            random=self._parts.random,
        )
        self._cycle: PowerCycle | None = None
        self._cycles = 0
        self._stopping = False
        self._failure: Text | None = None
        self._boot_timer: Timer | None = None
        self._orders: asyncio.Queue[_Order] = asyncio.Queue()
        self._supervisor: asyncio.Task[None] | None = None
        self._keeper: WorldKeeper | None = None
        self._removers: list[Remover] = []

    def _check_version(self) -> None:
        """An outbox of one version cannot be sent in the other. Raises StateUnfit."""
        before, wish = self._wishes.chosen_version, self._wishes.link().fixed_version
        waiting = self.store.count("outbox")
        if waiting and before is not None and wish is not None and wish is not before:
            params = {"count": waiting, "before": before.value, "after": wish.value}
            raise StateUnfit(Text("runtime.state.other_version", params))

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """Switch the station on. Its world is as the state has it; the mains are on."""
        self._tell_of_state()
        known = self.store.get(WORLD, "station")
        if known is not None:
            self._import(known)
        self._keeper = WorldKeeper(self.bus, self.clock, self.store, self.station)
        self._listen()
        self._supervisor = asyncio.get_running_loop().create_task(
            self._supervise(), name="supervisor", context=EmptyContext()
        )
        if not self.station.snapshot().mains:
            self.intend(RestoreMains(), Origin.STATION)  # a started program is a powered station
        else:
            self._power_up()
        await self.settled()

    def _import(self, known: Payload) -> None:
        try:
            self.station.import_state(known)
        except StateError as error:
            raise StateUnfit(error.text) from error

    async def stop(self) -> None:
        """Switch off in good order: goodbye to the back office, state written, files closed."""
        if self._stopping:
            return
        self._stopping = True
        if self._supervisor is not None:
            self._give(_Order(self._cycle, orderly=True))
            await self._orders.join()
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
        for remove in self._removers:
            remove()
        if self._keeper is not None:
            self._keeper.close()
            with contextlib.suppress(StoreError):  # told by the store
                self._keeper.write()
        close = getattr(self.clock, "close", None)
        if close is not None:
            close()
        self.store.close()
        self.journal.close()

    async def settled(self) -> None:
        """Wait until what was ordered of the power has happened and the state is written."""
        await self._orders.join()

    def _tell_of_state(self) -> None:
        if self.store.kept_aside is not None:
            params = {"kept": str(self.store.kept_aside)}
            self.bus.publish(StateTold(Text("runtime.store.kept_aside", params)))
        if self.store.migrated_from is not None:
            params = {"before": str(self.store.migrated_from)}
            self.bus.publish(StateTold(Text("runtime.store.migrated", params)))

    def _listen(self) -> None:
        subscribe = self.bus.subscribe
        self._removers += [
            subscribe(self._on_mains_cut, MainsCut),
            subscribe(self._on_mains_restored, MainsRestored),
            subscribe(self._on_network, NetworkCut, NetworkRestored),
            subscribe(self._on_setting, SettingChanged),
        ]

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
    ) -> None:
        """Go to another back office and stay there over restarts. Raises AddressBad, StateUnfit."""
        address(url, station_id or self._wishes.link().station_id)
        self._check_change(version)
        self._wishes.ask(
            LinkWish(url, station_id, version, security_profile, password, ca, certificate, key)
        )
        await self._connect_anew()

    async def connect_to_default(self) -> None:
        """Forget the back office that people chose: back to the configured one, or to the default."""
        self._check_change(self.config.csms.version)
        self._wishes.forget_link()
        await self._connect_anew()

    async def speak(self, version: str) -> None:
        """Speak 1.6, 2.0.1 or whichever is picked (auto), over restarts. Raises StateUnfit."""
        self._check_change(version)
        self._wishes.ask(LinkWish(version=version))
        await self._connect_anew()

    async def _connect_anew(self) -> None:
        self._restart(BootReason.POWER_UP)
        await self.settled()

    def _check_change(self, version: str | None) -> None:
        """Rows and sessions of one version cannot go on in the other. Raises StateUnfit."""
        before = self._wishes.chosen_version
        if before is None or version in (None, "auto", before.value):
            return
        waiting = self.store.count("outbox")
        if waiting:
            params = {"count": waiting, "before": before.value, "after": version}
            raise StateUnfit(Text("runtime.state.other_version", params))
        if self.personality and self.personality.sessions():
            params = {"before": before.value, "after": version}
            raise StateUnfit(Text("runtime.state.session_open", params))

    async def diagnose(
        self, wish: LinkWish | None = None, *, boot: bool = False
    ) -> AsyncIterator[Step]:
        """Try an address step by step; None: the present one. `boot`: send a BootNotification too."""
        target = self._target_of(self._wishes.link(wish))
        if target is None:
            yield Step("url", False, Text("runtime.address.unset"))
            return
        identity = self._board.settings.identity if boot else None
        async for step in diagnose(target, boot=identity):
            yield step

    def retry_now(self) -> None:
        """Connect at once instead of waiting."""
        if self._cycle is not None:
            self._cycle.connection.retry_now()

    async def repower(self, origin: Origin = Origin.PERSON) -> None:
        """Cut the mains and restore them."""
        self.intend(CutMains(), origin)
        self.intend(RestoreMains(), origin)
        await self.settled()

    async def factory_reset(self) -> None:
        """Forget all that the protocol and people changed. The machine, its cars and registers stay."""
        self._give(
            _Order(self._cycle, orderly=True, reason=BootReason.LOCAL_RESET, between=self._forget)
        )
        await self.settled()

    def _forget(self) -> None:
        self.store.reset(keep=(WORLD, IDENTITY))
        self._wishes = Wishes(self.config, self.store)
        for point in self.points.chosen:
            self.points.set(point, self.config.open_points.get(point))
        for evse in self.station.snapshot().evses:
            for connector in evse.connectors:
                if not connector.operative:
                    self.station.handle(SetOperative(evse.id, connector.id, True))
            if not evse.operative:
                self.station.handle(SetOperative(evse.id, 0, True))
        if not self.station.snapshot().operative:
            self.station.handle(SetOperative(0, 0, True))
        self.bus.publish(StateReset())

    # ------------------------------------------------------------------ OCPP by hand

    @property
    def personality(self) -> Personality | None:
        """The blocks of the version in force; None without power, or before `auto` is decided."""
        return self._cycle.personality if self._cycle else None

    async def call(self, action: str, payload: Payload | str, validate: bool = True) -> Payload:
        """Send a CALL by hand. Raises CallFailed."""
        dialogue = self._dialogue()
        if validate and isinstance(payload, dict):
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
        if self._cycle is None or self._cycle.dialogue is None:
            raise NotConnected("the station has no power or no version yet")
        return self._cycle.dialogue

    # ------------------------------------------------------------------ what it looks like

    def snapshot(self) -> SessionSnapshot:
        """All that a view shows, at this instant."""
        settings = self._wishes.link()
        cycle, personality = self._cycle, self.personality
        return SessionSnapshot(
            name=self.config.hardware.name,
            station_id=settings.station_id,
            csms_url=settings.url or self._default_url,
            version=personality.version if personality else self._version(settings),
            version_wish=settings.version,
            security_profile=settings.security_profile,
            strict=self.config.strict,
            power=self._power(),
            link=cycle.connection.view if cycle else LinkView(LinkState.OFF),
            boot=cycle.boot_state if cycle else BootState.OFF,
            sessions=personality.sessions() if personality else (),
            queue=self.store.count("outbox"),
            station=self.station.snapshot(),
            reboots=max(0, self._cycles - 1),
            clock_rate=getattr(self.clock, "rate", None),
            problems=(self._failure,) if self._failure else (),
        )

    def _power(self) -> PowerState:
        if self._failure is not None:
            return PowerState.FAILED
        if self._cycle is not None and not self._cycle.over:
            return PowerState.ON
        return PowerState.STARTING if self.station.snapshot().mains else PowerState.DARK

    # ------------------------------------------------------------------ power

    def _give(self, order: _Order) -> None:
        self.activity.begin()  # virtual time waits until it is carried out
        self._orders.put_nowait(order)

    async def _supervise(self) -> None:
        while True:
            order = await self._orders.get()
            try:
                await self._carry_out(order)
            except StoreError:
                pass  # told by the store; the station is faulted
            finally:
                self._orders.task_done()
                self.activity.end()

    async def _carry_out(self, order: _Order) -> None:
        cycle = order.end
        if cycle is not None and cycle is self._cycle:
            await cycle.end(orderly=order.orderly)
            self._cycle = None
            self.bus.publish(PowerCycleEnded(cycle.number))
        elif cycle is not None:
            return  # it is gone already: two reasons for one restart
        if self._keeper is not None:
            self._keeper.write()
        if order.between is not None:
            order.between()
        if order.reason is not None and self.station.snapshot().mains and self._cycle is None:
            self._begin(order.reason)

    def _begin(self, reason: BootReason) -> None:
        if self._stopping:
            return
        if any(evse.permitted for evse in self.station.snapshot().evses):
            self.station.handle(Restart(RestartKind.HARD))
        self._cycles += 1
        settings = self._wishes.link()
        version = self._version(settings)
        self._cycle = PowerCycle(self._board, self._cycles, reason)
        self.bus.publish(PowerCycleBegan(self._cycles, reason, version))
        if version is not None:
            self._wishes.choose(version)
        self._cycle.start(version)

    def _version(self, settings: LinkSettings) -> Version | None:
        return settings.fixed_version or self._wishes.chosen_version

    def _power_up(self) -> None:
        """The controller boots, and is up after its boot seconds."""
        self._mend()
        seconds = self.config.clock.boot_seconds
        if seconds <= 0:
            self._give(_Order(None, reason=BootReason.POWER_UP))
            return

        def up() -> None:
            self._boot_timer = None
            self._give(_Order(None, reason=BootReason.POWER_UP))

        self._boot_timer = self.clock.call_in(seconds, up)

    def _restart(self, reason: BootReason) -> None:
        self._give(_Order(self._cycle, orderly=True, reason=reason))

    def _reboot(self, reason: BootReason) -> None:
        self.bus.publish(RebootOrdered(reason.value))
        self._restart(reason)

    def _on_mains_cut(self, _: Entry) -> None:
        if self._boot_timer is not None:
            self._boot_timer.cancel()
            self._boot_timer = None
        if self._cycle is not None:
            self._cycle.gate()
            self._give(_Order(self._cycle))

    def _on_mains_restored(self, _: Entry) -> None:
        self._power_up()

    def _on_network(self, entry: Entry) -> None:
        if self._cycle is not None:
            self._cycle.connection.set_network(isinstance(entry.event, NetworkRestored))

    def _on_setting(self, _: Entry) -> None:
        if self._cycle is not None:
            self._cycle.connection.policy_changed()

    # ------------------------------------------------------------------ the link

    def _target(self) -> Target | None:
        settings, personality = self._wishes.link(), self.personality
        if personality is None:
            return self._target_of(settings)
        url = personality.connection_url() or settings.url
        password = personality.basic_auth_password()
        if password is None:
            password = settings.password
        elif isinstance(password, str):
            password = password.encode()
        return self._target_of(replace(settings, url=url, password=password))

    def _target_of(self, settings: LinkSettings) -> Target | None:
        url = settings.url or self._default_url
        if url is None:
            return None
        csms = self.config.csms
        return Target(
            url,
            settings.station_id,
            self._offered(settings),
            settings.password,
            settings.security_profile,
            settings.tls,
            csms.proxy,
            csms.connect_timeout,
            csms.max_message_size,
        )

    def _offered(self, settings: LinkSettings) -> tuple[Version, ...]:
        """Decision 12: both where it is open, only the present one while its rows or sessions last."""
        if settings.fixed_version is not None:
            return (settings.fixed_version,)
        present = self._wishes.chosen_version
        if present is None:
            return (Version.V201, Version.V16)
        busy = self.store.count("outbox") > 0 or bool(
            self.personality and self.personality.sessions()
        )
        others = () if busy else tuple(v for v in Version if v is not present)
        return (present, *others)

    def _handshake_chose(self, version: Version) -> bool:
        before = self._wishes.chosen_version
        self._wishes.choose(version)
        if version is not before:
            self.bus.publish(VersionSettled(version))
        personality = self.personality
        if personality is None or personality.version is version:
            return True
        self._restart(BootReason.POWER_UP)
        return False

    def _message_timeout(self) -> float:
        return self._cycle.policy().message_timeout if self._cycle else 30.0

    # ------------------------------------------------------------------ failures

    def _store_failed(self, failure: StoreFailed) -> None:
        """Rather stand still than charge unrecorded. Called in the middle of a step: act after it."""
        self._failure = failure.text
        with contextlib.suppress(RuntimeError):  # no loop: the store failed while it was opened
            asyncio.get_running_loop().call_soon(self._fault, failure.text)

    def _fault(self, why: Text) -> None:
        with because(Origin.HARDWARE):
            self.bus.publish(StateTold(why))
            self.station.handle(RaiseFault(Fault.INTERNAL, info=self.catalogue.render(why)))

    def _mend(self) -> None:
        """Power-up: try the store again."""
        self.store.failed = None
        if self._failure is not None:
            self._failure = None
            self.station.handle(ClearFault(fault=Fault.INTERNAL))
