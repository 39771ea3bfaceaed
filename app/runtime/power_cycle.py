"""One life of the controller, from power-up to the next restart: a link, a personality, and their tasks.

It is made from the store only. Cutting the mains shuts the gate of the connection at once, so that nothing
leaves any more; then all tasks are cancelled; then their end is awaited. What had to survive is a row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any

from app.kernel.activity import Activity
from app.kernel.bus import Bus
from app.kernel.clock import Clock
from app.kernel.ids import IdSource
from app.kernel.link_clock import LinkClock
from app.kernel.text import Text
from app.ocpp.context import (
    BootReason,
    BootState,
    Context,
    OcppSettings,
    StationPort,
)
from app.ocpp.dialogue import Dialogue
from app.ocpp.events import TaskFailed
from app.ocpp.overrides import Overrides
from app.ocpp.personality import LinkPolicy, Personality
from app.ocpp.points_port import OpenPointsPort
from app.ocpp.version import Version
from app.runtime.connection import Connection, Target, Tried, take_no_note
from app.runtime.files import FilePorts
from app.runtime.live_link import at_once
from app.runtime.store import Store
from app.runtime.wire import Opener, open_websocket

MakePersonality = Callable[[Version, Context], Personality]


@dataclass(slots=True)
class Board:
    """What outlives the controller: the machine, its memory, the clocks, and who is told."""

    bus: Bus
    clock: Clock
    link: LinkClock
    activity: Activity
    station: StationPort
    store: Store
    points: OpenPointsPort
    overrides: Overrides
    settings: OcppSettings
    ids: IdSource
    make_personality: MakePersonality
    target: Callable[[], Target | None]
    """Where to connect; asked before each attempt."""
    settled: Callable[[Version], bool]
    """A handshake chose this version. False: another one lives here, and a restart is on its way."""
    opener: Opener = open_websocket
    random: Random | None = None
    tried: Tried = take_no_note
    """Told how each attempt to connect went."""
    caught_up: Callable[[], Awaitable[None]] = at_once
    """Waited for before the next text of the back office is read."""
    file_ports: FilePorts = field(default_factory=FilePorts)


class PowerCycle:
    """The controller while it has power."""

    def __init__(
        self,
        board: Board,
        number: int,
        reason: BootReason,
        reboot: Callable[[BootReason], None],
    ) -> None:
        self._board, self._end_and_begin = board, reboot
        self.number = number
        self.reason = reason
        self.personality: Personality | None = None
        self.dialogue: Dialogue | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._over = False
        self._was_linked = False
        self.connection = Connection(
            bus=board.bus,
            link=board.link,
            target=board.target,
            policy=self.policy,
            user=self,
            network=board.station.snapshot().network,
            opener=board.opener,
            random=board.random,
            tried=board.tried,
            caught_up=board.caught_up,
            before=self._before_link,
        )

    @property
    def over(self) -> bool:
        """The end has begun."""
        return self._over

    def start(self, version: Version | None) -> None:
        """Come up: as `version` if it is known, else as what the back office will choose."""
        if version is not None:
            self._speak(version)
        self.connection.start()

    def policy(self) -> LinkPolicy:
        """How the link is to be kept, right now."""
        return self.personality.link_policy() if self.personality else LinkPolicy()

    @property
    def boot_state(self) -> BootState:
        return self.personality.boot_state if self.personality else BootState.BOOTING

    # ------------------------------------------------------------------ the end

    def gate(self) -> None:
        """Power is gone: from this instant nothing leaves and nothing runs on."""
        self._fall_silent()
        self.connection.shut_gate()

    async def end(self, *, orderly: bool) -> None:
        """Wait until no task is left; an orderly end first delivers what was handed over, and closes."""
        self._fall_silent()
        if not orderly:
            self.connection.shut_gate()
        await self.connection.stop()
        if self.dialogue is not None:
            await self.dialogue.ended()
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _fall_silent(self) -> None:
        if self._over:
            return
        self._over = True
        try:
            if self.personality is not None:
                self.personality.stop()
        except Exception as error:  # noqa: BLE001 - the power is gone, whatever a block says to that
            self._board.bus.publish(TaskFailed("power down", f"{type(error).__name__}: {error}"))
        for task in self._tasks:
            task.cancel()
        if self.dialogue is not None:
            self.dialogue.stop()

    # ------------------------------------------------------------------ the link

    async def _before_link(self) -> None:
        try:
            if self.personality is not None:
                await self.personality.before_link()
        except Exception as error:  # noqa: BLE001 - whatever it is, the station connects
            self._board.bus.publish(
                TaskFailed("before the link", f"{type(error).__name__}: {error}")
            )

    def link_opened(self, version: Version) -> None:
        if self._over or not self._board.settled(version):
            return
        if self.personality is None:
            self._speak(version)
        assert self.dialogue is not None
        assert self.personality is not None
        self.dialogue.attach(self.connection.send, self._close_link)
        first, self._was_linked = not self._was_linked, True
        self.personality.link_up(first=first)

    def link_closed(self, *, too_large: bool) -> None:
        if self._over or self.dialogue is None or self.personality is None:
            return
        if self.dialogue.online:
            self.dialogue.detach(too_large=too_large)
            self.personality.link_down()

    def received(self, text: str | bytes) -> None:
        if self.dialogue is not None and not self._over:
            self.dialogue.receive(text)

    def _close_link(self, why: str) -> None:
        self.connection.close_link(Text("runtime.link.own", {"why": why}))

    # ------------------------------------------------------------------ the personality

    def _speak(self, version: Version) -> None:
        board = self._board
        dialogue = Dialogue(
            version=version,
            bus=board.bus,
            link=board.link,
            activity=board.activity,
            ids=board.ids,
            policy=self.policy,
            overrides=board.overrides,
            points=board.points,
        )
        context = Context(
            bus=board.bus,
            clock=board.clock,
            link=board.link,
            activity=board.activity,
            station=board.station,
            store=board.store,
            calls=dialogue,
            points=board.points,
            settings=board.settings,
            ids=board.ids,
            spawn=self.spawn,
            reboot=self._reboot,
            boot_reason=self.reason,
            transfer=board.file_ports.transfer,
            logs=board.file_ports.logs,
            files=board.file_ports.files,
            faults=board.file_ports.faults,
        )
        personality = board.make_personality(version, context)
        self.dialogue, self.personality = dialogue, personality
        personality.restore()
        dialogue.serve(personality.handlers(), personality.admit)
        personality.start()

    def _reboot(self, reason: BootReason) -> None:
        if not self._over:
            self._end_and_begin(reason)

    def spawn(self, coroutine: Coroutine[Any, Any, Any], name: str) -> None:
        """A task of this power cycle, counted in; an error in it is journaled."""
        if self._over:
            coroutine.close()
            return
        self._board.activity.begin()
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            failed = TaskFailed(task.get_name(), f"{type(error).__name__}: {error}")
            self._board.bus.publish(failed)
        self._board.activity.end()
