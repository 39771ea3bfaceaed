"""One life of an open WebSocket: a task reads, one writes in order, one pings; the first to end ends all."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import Context

from app.kernel.bus import Bus, Origin, because
from app.kernel.link_clock import LinkClock
from app.ocpp.events import TaskFailed
from app.ocpp.personality import LinkPolicy
from app.runtime.wire import Wire, WireClosed

PONG_WAIT_LEAST = 5.0
"""Seconds a pong is waited for at least, however short the ping interval is."""

CLOSE_WAIT = 3.0
"""Seconds the other side has to answer our close."""

FLUSH_WAIT = 1.0
"""Seconds that what is already queued may take to leave before we close."""


async def at_once() -> None:
    """Nothing has to be waited for."""


class LiveLink:
    """Carries texts over one Wire until it closes.

    `caught_up` is waited for before the next text is read, so that a flood waits in the socket, and with
    whoever sends it, and not in our memory.
    """

    def __init__(
        self,
        wire: Wire,
        *,
        bus: Bus,
        link: LinkClock,
        policy: Callable[[], LinkPolicy],
        received: Callable[[str | bytes], None],
        caught_up: Callable[[], Awaitable[None]] = at_once,
    ) -> None:
        self._wire, self._bus, self._link = wire, bus, link
        self._policy, self._received, self._caught_up = policy, received, caught_up
        self._outgoing: deque[str] = deque()
        self._wanted = asyncio.Event()
        self._flushed = asyncio.Event()
        self._flushed.set()
        self._policy_changed = asyncio.Event()
        self._cut = False

    def send(self, text: str) -> None:
        """Send a text, at once where possible; they leave in order."""
        if self._cut or (self._flushed.is_set() and self._wire.send_now(text)):
            return
        self._outgoing.append(text)
        self._flushed.clear()
        self._wanted.set()

    def cut(self) -> None:
        """Nothing is sent or heard any more, from this instant; the other side gets no word."""
        self._cut = True
        self._outgoing.clear()
        self._wire.abort()

    def policy_changed(self) -> None:
        """The ping interval may be another one."""
        self._policy_changed.set()

    async def close(self, code: int, reason: str) -> None:
        """Let leave what is queued, say goodbye, and wait a little for the answer."""
        if self._cut:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_WAIT):
                await self._flushed.wait()
        with contextlib.suppress(TimeoutError, WireClosed):
            async with asyncio.timeout(CLOSE_WAIT):
                await self._wire.close(code, reason)

    async def run(self) -> WireClosed:
        """Live until the socket closes. Returns how it ended; the socket is gone then."""
        loop = asyncio.get_running_loop()
        # an empty context: what arrives is not put down to whoever switched the station on
        tasks = [
            loop.create_task(part(), name=f"link {part.__name__.strip('_')}", context=Context())
            for part in (self._read, self._write, self._ping)
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            self.cut()
            await asyncio.wait(tasks)
        for task in tasks:
            end = None if task.cancelled() else task.exception()
            if isinstance(end, WireClosed):
                return end
            if end is not None:
                self._bus.publish(TaskFailed(task.get_name(), f"{type(end).__name__}: {end}"))
        return WireClosed(None, "", own=False)

    async def _read(self) -> None:
        while True:
            await self._caught_up()
            text = await self._wire.receive()
            if self._cut:
                return
            try:
                with because(Origin.BACK_OFFICE):
                    self._received(text)
            except Exception as error:  # noqa: BLE001 - one text must not end the link
                self._bus.publish(TaskFailed("received", f"{type(error).__name__}: {error}"))

    async def _write(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while self._outgoing:
                await self._wire.send(self._outgoing.popleft())
            self._flushed.set()

    async def _ping(self) -> None:
        """RPC-12: a ping each interval, 0 none; a pong that does not come means the link is lost."""
        while True:
            interval = self._policy().ping_interval
            self._policy_changed.clear()
            if await self._within(self._policy_changed.wait(), interval or None):
                continue
            pong = await self._wire.ping()
            limit = min(self._policy().message_timeout, max(interval, PONG_WAIT_LEAST))
            if not await self._within(pong, limit):
                raise WireClosed(None, "", own=False, mute=limit)

    async def _within(self, what: Awaitable[object], seconds: float | None) -> bool:
        """Did it happen within so many seconds of link time? None: wait for ever."""
        waiting = asyncio.ensure_future(what)

        def give_up() -> None:
            waiting.cancel()

        timer = None if seconds is None else self._link.call_later(seconds, give_up)
        try:
            await asyncio.wait([waiting])
        finally:
            if timer is not None:
                timer.cancel()
            waiting.cancel()
        if waiting.cancelled():
            return False
        # a pong whose socket closed holds that error: the reader tells it better
        return waiting.exception() is None
