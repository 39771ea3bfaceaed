"""Power for the controller: one order after the other, power cycles are ended and begun.

Cutting the mains acts in the instant of its event, since nothing may leave after it; what takes time (the
end of tasks, a goodbye) is left to a supervisor, which works off orders in the order they came.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from contextvars import Context as EmptyContext
from dataclasses import dataclass

from app.kernel.bus import Entry, Remover
from app.kernel.clock import Timer
from app.ocpp.context import BootReason
from app.ocpp.events import RebootOrdered, TaskFailed
from app.ocpp.version import Version
from app.runtime.events import PowerCycleBegan, PowerCycleEnded
from app.runtime.power_cycle import Board, PowerCycle
from app.runtime.store import StoreError
from app.station.commands import Restart
from app.station.events import MainsCut, NetworkCut, NetworkRestored
from app.station.kinds import RestartKind


@dataclass(frozen=True, slots=True)
class _Order:
    """End this cycle (None: none), then begin one for `reason` (None: none).

    With something to be done `between`, whichever cycle lives by then is ended.
    """

    end: PowerCycle | None
    orderly: bool = False
    reason: BootReason | None = None
    between: Callable[[], None] | None = None


class Power:
    """Owns the power cycle.

    `prepare` is asked before each for the version to speak (None: the back office decides); `write`
    stores the machine's state; `boot_seconds` is what the controller takes to come up.
    """

    def __init__(
        self,
        board: Board,
        *,
        prepare: Callable[[], Version | None],
        write: Callable[[], None],
        boot_seconds: float = 0.0,
    ) -> None:
        self._board, self._prepare, self._write = board, prepare, write
        self._boot_seconds = boot_seconds
        self.cycle: PowerCycle | None = None
        self.cycles = 0
        self.began = 0
        """The place in the journal where the last one began."""
        self._boot_timer: Timer | None = None
        self._stopping = False
        self._orders: asyncio.Queue[_Order] = asyncio.Queue()
        self._supervisor: asyncio.Task[None] | None = None
        self._removers: list[Remover] = []

    def start(self) -> None:
        """Listen to the mains and the network, and work off orders."""
        subscribe = self._board.bus.subscribe
        self._removers += [
            subscribe(self._on_mains_cut, MainsCut),
            subscribe(self._on_network, NetworkCut, NetworkRestored),
        ]
        self._supervisor = asyncio.get_running_loop().create_task(
            self._supervise(), name="supervisor", context=EmptyContext()
        )

    async def stop(self) -> None:
        """End the cycle in good order; none begins any more."""
        self._stopping = True
        self._cancel_boot()
        try:
            if self._supervisor is not None:
                await self._stop_supervisor(self._supervisor)
        finally:
            for remove in self._removers:
                remove()

    async def _stop_supervisor(self, supervisor: asyncio.Task[None]) -> None:
        self._give(_Order(self.cycle, orderly=True))
        await self.settled()
        supervisor.cancel()
        await asyncio.wait([supervisor])
        if self.cycle is not None:
            # the loop is being torn down and has cancelled the supervisor before us
            with contextlib.suppress(StoreError):  # told by the store
                await self._carry_out(_Order(self.cycle))

    async def settled(self) -> None:
        """Wait until all orders are carried out and the machine's state is written.

        Orders that nobody is left to carry out are not waited for.
        """
        if self._supervisor is None:
            return
        joined = asyncio.ensure_future(self._orders.join())
        try:
            await asyncio.wait([joined, self._supervisor], return_when=asyncio.FIRST_COMPLETED)
        finally:
            joined.cancel()

    def up(self) -> None:
        """There is power: boot."""
        self._give(_Order(None, reason=BootReason.POWER_UP))

    def restart(self, reason: BootReason, between: Callable[[], None] | None = None) -> None:
        """End the cycle in good order and begin the next; `between` is done while none lives."""
        self._give(_Order(self.cycle, orderly=True, reason=reason, between=between))

    def reboot(self, reason: BootReason) -> None:
        """The controller restarts itself."""
        self._board.bus.publish(RebootOrdered(reason.value))
        self.restart(reason)

    # ------------------------------------------------------------------ orders

    def _give(self, order: _Order) -> None:
        self._board.activity.begin()  # virtual time waits until it is carried out
        self._orders.put_nowait(order)

    async def _supervise(self) -> None:
        while True:
            order = await self._orders.get()
            try:
                await self._carry_out(order)
            except StoreError:
                pass  # told by the store; the station is faulted
            except Exception as error:  # noqa: BLE001 - the next order must still be carried out
                failed = TaskFailed("supervisor", f"{type(error).__name__}: {error}")
                self._board.bus.publish(failed)
            finally:
                self._orders.task_done()
                self._board.activity.end()

    async def _carry_out(self, order: _Order) -> None:
        cycle = order.end if order.between is None else self.cycle
        if cycle is not None:
            if cycle is not self.cycle:
                return  # it is gone already: two reasons for one restart
            await cycle.end(orderly=order.orderly)
            self.cycle = None
            self._board.bus.publish(PowerCycleEnded(cycle.number))
        self._write()
        if order.between is not None:
            order.between()
        if order.reason is not None:
            await asyncio.sleep(0)  # an end and a beginning are two steps of the loop
            self._come_up(order.reason)

    def _come_up(self, reason: BootReason) -> None:
        if self.cycle is not None or self._boot_timer is not None:
            return  # it is up, or on its way
        if self._boot_seconds <= 0:
            self._begin(reason)
            return

        def begin() -> None:
            self._boot_timer = None
            self._begin(reason)

        self._boot_timer = self._board.clock.call_in(self._boot_seconds, begin)

    def _begin(self, reason: BootReason) -> None:
        station = self._board.station
        view = station.snapshot()
        if self._stopping or not view.mains:
            return
        if any(evse.permitted for evse in view.evses):
            station.handle(Restart(RestartKind.HARD, inevitable=True))
        version = self._prepare()
        self.cycles += 1
        self.cycle = PowerCycle(self._board, self.cycles, reason, self.reboot)
        self.began = self._board.bus.publish(PowerCycleBegan(self.cycles, reason, version))
        self.cycle.start(version)

    def _cancel_boot(self) -> None:
        if self._boot_timer is not None:
            self._boot_timer.cancel()
            self._boot_timer = None

    # ------------------------------------------------------------------ what happens to the machine

    def _on_mains_cut(self, _: Entry) -> None:
        self._cancel_boot()
        if self.cycle is not None:
            self.cycle.gate()
        self._give(_Order(self.cycle))

    def _on_network(self, entry: Entry) -> None:
        if self.cycle is not None:
            self.cycle.connection.set_network(isinstance(entry.event, NetworkRestored))
