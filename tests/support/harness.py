"""The bench: a whole station of one version, a scripted back office and virtual time in one test.

    async def test_something(make_bench):
        bench = make_bench(Version.V16, blueprint="public-ac-2x22")
        await bench.boot()
        await bench.do(PlugIn(1))
        await bench.advance(60)
        assert bench.sent("StatusNotification")[-1]["status"] == "Preparing"
        assert await bench.request("Reset", {"type": "Soft"}) == {"status": "Accepted"}
        bench.expect('''
            > BootNotification chargePointVendor=Forecourt
            ...
            < Reset type=Soft
            = Reset status=Accepted
        ''')

Time stands still between the lines of a test; `advance` moves it and lets the station come to rest. A mute
back office lets link time pass until the CALL times out. A test fails at its end if the station sent
anything that breaks a schema or the rules of the link, if one of its tasks failed, or if a subscriber did.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from app.kernel.activity import Activity
from app.kernel.bus import Bus, Entry, Event, Origin, SubscriberFailed, because
from app.kernel.clock import VirtualClock
from app.kernel.ids import seeded_ids
from app.kernel.link_clock import ManualLinkClock
from app.kernel.resources import resource
from app.kernel.text import Text
from app.ocpp import personalities
from app.ocpp.context import (
    BootReason,
    BootState,
    CallRefused,
    Context,
    OcppSettings,
    StationPort,
    StorePort,
)
from app.ocpp.dialogue import Dialogue
from app.ocpp.events import (
    CallEnded,
    Direction,
    FramePassed,
    LinkClosed,
    LinkOpened,
    OwnFrameRefused,
    RebootOrdered,
    TaskFailed,
)
from app.ocpp.frames import CALLRESULT
from app.ocpp.overrides import Overrides
from app.ocpp.personality import LinkPolicy, Personality
from app.ocpp.points import Asker, OpenPoints
from app.ocpp.refusals import GRANTED
from app.ocpp.version import Version
from app.station.commands import Command
from app.station.events import MainsCut, MainsRestored
from app.station.intents import Intent, Outcome
from tests.support.back_office import (
    FLOOD,
    MUTE,
    USUAL,
    BackOffice,
    Hold,
    RawAnswer,
    Refuse,
)
from tests.support.coverage_record import RECORDER
from tests.support.playbook import Line, compare, fits

__all__ = [
    "FLOOD",
    "MUTE",
    "USUAL",
    "Bench",
    "Hold",
    "NoAnswer",
    "RawAnswer",
    "Refuse",
    "make_bench",
]

START = datetime(2026, 1, 15, 8, 0, tzinfo=UTC)
URL = "ws://bench/ocpp/CS-1"

MakePersonality = Callable[[Version, Context], Personality]


def turns_down_in_silence(frame: FramePassed) -> bool:
    """An answer of ours that grants nothing and does not say why."""
    if (frame.direction, frame.kind) != (Direction.OUT, CALLRESULT) or frame.forced or frame.note:
        return False
    status = json.loads(frame.text)[2].get("status")
    return status is not None and status not in GRANTED


class NoAnswer(Exception):
    """The station gave no answer to a CALL of the back office."""


class Bench:
    """One station of one version on a bench. Make it inside a running loop; `close()` it at the end."""

    def __init__(
        self,
        version: Version,
        *,
        blueprint: Any = "public-ac-2x22",
        settings: OcppSettings | None = None,
        store: StorePort | None = None,
        points: Mapping[str, str] | None = None,
        strict: bool = False,
        asker: Asker | None = None,
        seed: int = 1,
        start: datetime = START,
        personality: MakePersonality | None = None,
        station: Callable[[Bench], Any] | None = None,
        boot_reason: BootReason = BootReason.POWER_UP,
        ports: Mapping[str, Any] | None = None,
    ) -> None:
        self.version = version
        self.blueprint = blueprint
        self.settings = settings or OcppSettings()
        self.seed = seed
        self.ports = dict(ports or {})
        """Further ports of the context, by name: they outlive the power, as a disk does."""
        self.activity = Activity()
        self.clock = VirtualClock(start, self.activity)
        self.link = ManualLinkClock()
        self.bus = Bus(self.clock.now, real=self.link.monotonic)
        self.ids = seeded_ids(seed)
        self.events: list[Entry] = []
        self.bus.subscribe(self._note)
        self._own_store = _memory_store() if store is None else None
        self.store: StorePort = store or self._own_store
        self.overrides = Overrides()
        self.points = OpenPoints(
            self.bus,
            points,
            strict=strict,
            asker=asker,
            link=self.link,
            timeout=lambda: self.policy().message_timeout,
        )
        self.csms = BackOffice(version, self)
        self.faults: list[str] = []
        self.reboots: list[BootReason] = []
        self._make_personality = personality or personalities.make
        self._make_station = station or _make_station
        self._tasks: set[asyncio.Task[Any]] = set()
        self._restarting = False
        self._cursor = 0
        self._was_linked = False
        self._greeting = False
        self.logins: list[tuple[bytes | None, ...]] = []
        """The passwords that each link could have been opened with."""
        self.network = False
        """The wire between station and back office is whole."""
        self.station: StationPort = self._make_station(self)
        self.dialogue: Dialogue
        self.ctx: Context
        self.personality: Personality
        self.powered = False
        self._power_up(boot_reason)

    # ------------------------------------------------------------ what tests do

    async def boot(self) -> None:
        """Connect and come to rest; the back office has accepted the station then."""
        self._greeting = True
        await self.online()
        self._greeting = False
        state = self.personality.boot_state
        assert state is BootState.ACCEPTED, f"the boot ended in {state}"

    async def online(self) -> None:
        """Open the link and come to rest."""
        self.network = True
        await self._connect()
        await self.rest()

    async def offline(self) -> None:
        """Break the link and come to rest; open CALLs get no answer."""
        self.network = False
        self._link_down()
        await self.rest()

    async def rest(self) -> None:
        """Wait until nothing is in motion. Hangs while the answer to a CALL is held back."""
        await self.activity.idle()

    async def advance(self, seconds: float) -> None:
        """Let station time pass, everything on the way happens."""
        await self.clock.advance(seconds)

    def intend(self, order: Intent | Command, origin: Origin = Origin.PERSON) -> Outcome:
        """Give an intent to the machine. What follows in coroutines has not happened yet."""
        with because(origin):
            return self.station.handle(order)

    async def do(self, *orders: Intent | Command) -> None:
        """Give intents, each of which must be accepted, and come to rest after each."""
        for order in orders:
            outcome = self.intend(order)
            assert outcome.accepted, f"{order} was refused: {outcome}"
            await self.rest()

    async def request(self, action: str, payload: Any = None, *, check: bool = True) -> Any:
        """A CALL of the back office: the answer's payload, once its consequences have come to rest.

        Raises CallRefused for a CALLERROR, and NoAnswer. `check=False` for a payload that is wrong.
        """
        frame = await self.ask(action, {} if payload is None else payload, check=check)
        if frame[0] == 4:
            raise CallRefused(*frame[2:5])
        return frame[2]

    async def ask(self, action: str, payload: Any, *, check: bool = True) -> list[Any]:
        """As `request`, but the whole frame, error or not."""
        answer = self.csms.ask(action, payload, check=check)
        await self.rest()
        if not answer.done():
            raise NoAnswer(f"no answer to {action}")
        frame: list[Any] = answer.result()
        return frame

    def start_request(self, action: str, payload: Any) -> asyncio.Future[Any]:
        """A CALL of the back office whose answer may come later."""
        return self.csms.ask(action, payload)

    async def inject(self, text: str | bytes) -> None:
        """Any text, as if the back office had sent it, and come to rest."""
        self.dialogue.receive(text)
        await self.rest()

    async def kill_and_restart(self, *, connect: bool = True) -> None:
        """The program dies without a word and is started again on the same store and hardware."""
        state = self._export_station()
        await self._power_down()
        self.station = self._make_station(self)
        self._import_station(state)
        self._power_up(BootReason.POWER_UP)
        if connect:
            await self.online()

    async def close(self) -> None:
        """End everything; fails if the station did anything it must not do."""
        await self._power_down()
        faults = self.faults + self.csms.faults
        assert not faults, "the station did what it must not do:\n  " + "\n  ".join(faults)

    def let_go(self) -> None:
        """Close the state that was made for this bench; nothing can be done with it afterwards."""
        if self._own_store is not None:
            self._own_store.close()

    def forgive(self, part: str) -> str:
        """A fault that the test caused on purpose does not count; fails if there was none like it."""
        for faults in (self.faults, self.csms.faults):
            for fault in faults:
                if part in fault:
                    faults.remove(fault)
                    return fault
        raise AssertionError(f"no fault with {part!r} in {self.faults + self.csms.faults}")

    # ------------------------------------------------------------ what tests look at

    def sent(self, action: str | None = None) -> list[dict[str, Any]]:
        """The payloads of all CALLs of the station (of one action), oldest first."""
        return self.csms.payloads(action)

    def happened(self, *kinds: type[Event]) -> list[Any]:
        """All events of these kinds, oldest first."""
        return [entry.event for entry in self.events if isinstance(entry.event, kinds)]

    @property
    def lines(self) -> list[Line]:
        """What was said since the last `expect` or `skip`."""
        return self.csms.lines[self._cursor :]

    def skip(self) -> None:
        """What was said so far is not looked at by the next `expect`."""
        self._cursor = len(self.csms.lines)

    def expect(self, script: str | Sequence[str]) -> None:
        """All that was said since the last `expect`, line by line (see playbook.py)."""
        difference = compare(script, self.lines)
        self.skip()
        assert difference is None, difference

    def saw(self, pattern: str) -> bool:
        """Was this said since the last `expect`?"""
        return any(fits(pattern, line) for line in self.lines)

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def policy(self) -> LinkPolicy:
        return self.personality.link_policy()

    # ------------------------------------------------------------ the wire

    def into_station(self, text: str, connection: int) -> None:
        """A text of the back office reaches the station, if the link it was sent over is still there."""
        if connection == self.csms.connection and self.dialogue.online:
            self.dialogue.receive(text)

    def expire(self) -> None:
        """Nobody answers: link time passes until the open CALL has timed out."""
        self.activity.begin()

        def pass_time() -> None:
            self.link.advance(self.policy().message_timeout + 0.001)
            self.activity.end()

        asyncio.get_running_loop().call_soon(pass_time)

    async def _connect(self) -> None:
        """What an attempt to connect does before it and when it succeeds."""
        if self.powered:
            await self.personality.before_link()
        if self.network:
            self._link_up()

    def _link_up(self) -> None:
        if not self.powered or self.dialogue.online:
            return
        self.logins.append(self.personality.link_plan().passwords)
        self.csms.connection += 1
        self.csms.call_ended()
        with because(Origin.BACK_OFFICE):
            self.bus.publish(LinkOpened(URL, self.version))
            self.dialogue.attach(self.csms.take, self._close_link)
            first, self._was_linked = not self._was_linked, True
            self.personality.link_up(first=first)

    def _link_down(self, *, too_large: bool = False) -> None:
        if not self.dialogue.online:
            return
        self.csms.connection += 1
        self.dialogue.detach(too_large=too_large)
        if self.powered:
            self.personality.link_down()
        self.bus.publish(LinkClosed(Text("runtime.link.closed")))

    def _close_link(self, why: str) -> None:
        """The station closes the link from its side: it comes back at once."""
        self._reopen()

    def flood(self) -> None:
        """Something was too large for the link: it closes, and comes back at once."""
        self._reopen(too_large=True)

    def _reopen(self, *, too_large: bool = False) -> None:
        self.activity.begin()

        def again() -> None:
            self._link_down(too_large=too_large)
            self._keep(back())

        async def back() -> None:
            try:
                await self._connect()
            finally:
                self.activity.end()

        asyncio.get_running_loop().call_soon(again)

    # ------------------------------------------------------------ power

    def _power_up(self, reason: BootReason) -> None:
        self.powered = True
        self._was_linked = False
        self.dialogue = Dialogue(
            version=self.version,
            bus=self.bus,
            link=self.link,
            activity=self.activity,
            ids=self.ids,
            policy=self.policy,
            overrides=self.overrides,
            points=self.points,
        )
        self.ctx = Context(
            bus=self.bus,
            clock=self.clock,
            link=self.link,
            activity=self.activity,
            station=self.station,
            store=self.store,
            calls=self.dialogue,
            points=self.points,
            settings=self.settings,
            ids=self.ids,
            spawn=self.spawn,
            reboot=self._reboot,
            boot_reason=reason,
            **self.ports,
        )
        self.personality = self._make_personality(self.version, self.ctx)
        self.personality.restore()
        self.dialogue.serve(self.personality.handlers(), self.personality.admit)
        self.personality.start()

    def _fall_silent(self) -> None:
        """From this instant nothing leaves and nothing runs on."""
        if not self.powered:
            return
        self.powered = False
        self.personality.stop()
        for task in self._tasks:
            task.cancel()
        self._link_down()
        self.dialogue.stop()

    async def _power_down(self) -> None:
        self._fall_silent()
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self.dialogue.ended()

    def spawn(self, coroutine: Coroutine[Any, Any, Any], name: str) -> None:
        """A task of this power cycle, counted in."""
        if not self.powered:
            coroutine.close()
            return
        self.activity.begin()
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.faults.append(f"task {task.get_name()}: {error!r}")
        self.activity.end()

    def _reboot(self, reason: BootReason) -> None:
        """Ends this power cycle after the current step; the next one boots from the store only."""
        if self._restarting or not self.powered:
            return
        self._restarting = True
        self.reboots.append(reason)
        self.bus.publish(RebootOrdered(reason.value))
        self.activity.begin()
        asyncio.get_running_loop().call_soon(self._fall_silent)
        self._keep(self._restart(reason))

    async def _restart(self, reason: BootReason) -> None:
        try:
            await asyncio.sleep(0)
            await self._power_down()
            self._restarting = False
            self._power_up(reason)
            await self._connect()
        finally:
            self.activity.end()

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._restart_task = task
        task.add_done_callback(
            lambda done: self.faults.append(repr(done.exception())) if done.exception() else None
        )

    # ------------------------------------------------------------ what goes wrong

    def _note(self, entry: Entry) -> None:
        self.events.append(entry)
        event = entry.event
        if isinstance(event, FramePassed) and self._make_personality is personalities.make:
            RECORDER.frame(event, greeting=self._greeting)
            if event.version is Version.V16 and turns_down_in_silence(event):
                self.faults.append(f"no reason for people: {event.text}")
        if isinstance(event, TaskFailed | SubscriberFailed | OwnFrameRefused):
            self.faults.append(str(event))
        elif isinstance(event, CallEnded):
            self.csms.call_ended()
        elif isinstance(event, MainsCut):
            self._fall_silent()
        elif isinstance(event, MainsRestored):
            self._on_mains_restored()

    def _on_mains_restored(self) -> None:
        self.activity.begin()
        self._keep(self._restart(BootReason.POWER_UP))

    def _export_station(self) -> Any:
        export = getattr(self.station, "export_state", None)
        return json.loads(json.dumps(export())) if export else None

    def _import_station(self, state: Any) -> None:
        if state is not None:
            self.station.import_state(state)  # type: ignore[attr-defined]


def _memory_store() -> Any:
    from app.runtime.store import MEMORY, Store

    return Store(MEMORY)


def _make_station(bench: Bench) -> StationPort:
    """The real machine from a blueprint: its name, its text, or the blueprint itself."""
    from app.station.blueprint import Blueprint
    from app.station.station import Station

    blueprint = bench.blueprint
    if isinstance(blueprint, str):
        if "\n" not in blueprint:
            name = f"{blueprint}.toml"
            blueprint = resource("blueprints", name).read_text("utf-8")
        blueprint = Blueprint.parse(blueprint, "the test's blueprint")
    return Station(blueprint, bench.clock, bench.bus, seed=bench.seed)


@pytest.fixture
async def make_bench() -> AsyncIterator[Callable[..., Bench]]:
    """Makes benches, and closes them at the end of the test: `make_bench(Version.V16, ...)`."""
    benches: list[Bench] = []

    def make(version: Version, **options: Any) -> Bench:
        bench = Bench(version, **options)
        benches.append(bench)
        return bench

    yield make
    try:
        for bench in benches:
            await bench.close()
    finally:
        for bench in benches:  # another bench may have gone on with its state
            bench.let_go()
