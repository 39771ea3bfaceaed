"""The link to the back office: opened again and again, and cut at once when it must be.

A loop over attempts that never gives up; between them it waits its back-off on the link clock. Tasks
begin in an empty context, so that what they publish is not put down to whoever happened to switch the
station on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

from app.kernel.bus import Bus
from app.kernel.link_clock import LinkClock
from app.kernel.text import Text
from app.ocpp import personalities
from app.ocpp.events import LinkClosed, LinkFailed, LinkOpened, TaskFailed
from app.ocpp.personality import LinkPolicy
from app.ocpp.version import Version
from app.runtime.address import Address, AddressBad, address, proxy_for
from app.runtime.backoff import Backoff
from app.runtime.closing import CloseWatch, explain_close
from app.runtime.itinerary import Leg
from app.runtime.live_link import CLOSE_WAIT, LiveLink, at_once
from app.runtime.refusal import Inquiry
from app.runtime.tls import TlsFiles
from app.runtime.views import LinkState, LinkView
from app.runtime.wire import Opener, OpenFailed, OpenRequest, Wire, WireClosed, open_websocket


@dataclass(frozen=True, slots=True)
class Target:
    """Where to and as whom: read anew before each attempt."""

    url: str
    station_id: str
    versions: tuple[Version, ...]
    """Offered, the preferred one first."""
    password: bytes | None = field(default=None, repr=False)
    security_profile: int = 0
    tls: TlsFiles = field(default_factory=TlsFiles)
    proxy: str | None = None
    """None: the system's; "none": no proxy."""
    timeout: float = 15.0
    """Seconds an attempt may take."""
    max_size: int = 8 * 1024 * 1024
    """Bytes a message may have."""
    compression: bool = False
    offer: tuple[str, ...] = ()
    """The subprotocols as they are offered, in this order; none given: those of `versions`."""
    leg: Leg = field(default_factory=Leg)
    """Where this attempt stands among those that the protocol wants."""

    @property
    def subprotocols(self) -> tuple[str, ...]:
        return self.offer or tuple(version.subprotocol for version in self.versions)


KNOWN = frozenset(version.subprotocol for version in Version)


class Tried(Protocol):
    """Told of each attempt before anybody else: True for one more at once."""

    def __call__(
        self, target: Target, error: OpenFailed | None, server: Sequence[bytes] = ()
    ) -> bool: ...


def take_no_note(target: Target, error: OpenFailed | None, server: Sequence[bytes] = ()) -> bool:
    """Nobody wants to know."""
    return False


class LinkUser(Protocol):
    """Who lives on the link: told when it opens and closes, and given each text."""

    def link_opened(self, version: Version) -> None: ...

    def link_closed(self, *, too_large: bool) -> None:
        """`too_large`: because one side sent more than the other takes."""
        ...

    def received(self, text: str | bytes) -> None: ...


class Connection:
    """Keeps one WebSocket to one back office, for the length of a power cycle."""

    def __init__(
        self,
        *,
        bus: Bus,
        link: LinkClock,
        target: Callable[[], Target | None],
        policy: Callable[[], LinkPolicy],
        user: LinkUser,
        network: bool = True,
        opener: Opener = open_websocket,
        random: Random | None = None,
        tried: Tried = take_no_note,
        caught_up: Callable[[], Awaitable[None]] = at_once,
        before: Callable[[], Awaitable[None]] = at_once,
    ) -> None:
        self._bus, self._link, self._target, self._policy = bus, link, target, policy
        self._user, self._opener, self._tried = user, opener, tried
        self._caught_up, self._before = caught_up, before
        self._backoff = Backoff(policy, random or Random())
        self._watch, self._inquiry = CloseWatch(link), Inquiry(link)
        self._network = network
        self._gate_open = True
        self._live: LiveLink | None = None
        self._opening: asyncio.Task[Wire] | None = None
        self._poke = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._own_close: Text | None = None
        self._attempt = 0
        self.view = LinkView(state=LinkState.OFF)

    # ------------------------------------------------------------------ orders

    def start(self) -> None:
        """Begin to connect."""
        self._go(self._run(), "connection")

    @property
    def online(self) -> bool:
        """The WebSocket is open."""
        return self._live is not None and self._gate_open

    def send(self, text: str) -> None:
        """Queue a text; they leave in order. Dropped when there is no link."""
        if self._live is not None and self._gate_open:
            self._live.send(text)

    def shut_gate(self) -> None:
        """From this instant nothing is sent any more, and the socket is cut off without a word."""
        if self._gate_open and self._live is not None:
            self._gate_open = False
            self._live.cut()
            why = self._own_close or Text("runtime.link.powered_off")
            self._bus.publish(LinkClosed(why, own=True))
        self._gate_open = False
        for task in self._tasks:
            task.cancel()

    async def stop(self, code: int = 1001, reason: str = "going away") -> None:
        """An orderly end: goodbye if the gate still stands open, then all tasks end."""
        if self._gate_open and self._live is not None:
            self._own_close = Text("runtime.link.stopped")
            await self._live.close(code, reason)
        self.shut_gate()
        while self._tasks:
            await asyncio.wait(self._tasks)
        self._show(LinkState.OFF)

    def retry_now(self) -> None:
        """Do not wait any longer for the next attempt."""
        self._poke.set()

    def policy_changed(self) -> None:
        """The ping interval may be another one."""
        if self._live is not None:
            self._live.policy_changed()

    def set_network(self, up: bool) -> None:
        """The network plug: without it nothing passes, in either direction."""
        self._network = up
        if not up:
            if self._opening is not None:
                self._opening.cancel()
            if self._live is not None:
                self._own_close = Text("runtime.link.network_cut")
                self._live.cut()
        self._poke.set()

    def reopen(self, why: Text) -> None:
        """Do not trust what stands: cut it without a word and connect anew, without back-off."""
        if self._live is not None and self._gate_open:
            self._own_close = why
            self._live.cut()
        self._poke.set()

    def close_link(self, why: Text) -> None:
        """Close from our side; it comes back at once, without back-off."""
        if self._live is not None and self._gate_open:
            self._own_close = why
            self._go(self._live.close(1000, "closed by the station"), "close")

    # ------------------------------------------------------------------ the loop

    async def _run(self) -> None:
        while True:
            self._poke.clear()
            if self._network:
                await self._before()
            target = self._target() if self._network else None
            if target is None:
                self._show(LinkState.UNSET if self._network else LinkState.OFFLINE)
                await self._poke.wait()
            elif not await self._attempt_once(target):
                await self._wait()

    async def _attempt_once(self, target: Target) -> bool:
        """One attempt, which a fault of ours ends, but not those that follow. True: no need to wait."""
        self._attempt += 1
        try:
            return await self._connect(target)
        except Exception as error:  # noqa: BLE001 - a link that is given up would never come back
            fault = f"{type(error).__name__}: {error}"
            self._bus.publish(TaskFailed("connection", fault))
            self._plan(self.view.url or "", Text("control.program_fault", {"error": fault}))
            return False

    async def _connect(self, target: Target) -> bool:
        """Try and, if it succeeds, live one life of the link. True: go on without waiting."""
        url = target.url
        try:
            where = address(target.url, target.station_id)
            url = where.url
            self._show(LinkState.CONNECTING, url=url, attempt=self._attempt)
            wire, version = await self._open(target, where)
        except AddressBad as error:
            return self._failed(url, target, OpenFailed("url", error.text))
        except OpenFailed as error:
            return self._failed(url, target, error)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return True  # only the attempt was cancelled: the network plug was pulled meanwhile
        self._attempt = 0
        self._backoff.reset()
        try:
            self._tried(target, None, wire.server_chain)
            return await self._use(wire, version, url, target)
        finally:
            wire.abort()  # whatever happened: nobody else knows of it

    async def _open(self, target: Target, where: Address) -> tuple[Wire, Version]:
        request = open_request(target, where)
        self._opening = asyncio.get_running_loop().create_task(
            self._opened(request), name="link open"
        )
        try:
            wire = await self._opening
        finally:
            self._opening = None
        try:
            return wire, chosen_version(wire.subprotocol, request.subprotocols)
        except OpenFailed:
            with contextlib.suppress(WireClosed, TimeoutError):
                async with asyncio.timeout(CLOSE_WAIT):
                    await wire.close(1002, "no common subprotocol")
            wire.abort()
            raise

    async def _opened(self, request: OpenRequest) -> Wire:
        try:
            wire = await self._opener(request)
        except OpenFailed as error:
            raise await self._inquiry.reason(request, error) from error
        try:
            if wire.subprotocol in KNOWN:
                await personalities.read(Version.of_subprotocol(wire.subprotocol))
        except BaseException:
            wire.abort()
            raise
        return wire

    def _failed(self, url: str, target: Target, error: OpenFailed) -> bool:
        at_once = self._tried(target, error)
        wait = 0.0 if at_once else self._plan(url, error.why, error.step)
        self._bus.publish(LinkFailed(url, error.step, error.why, self._attempt, wait))
        return at_once

    def _plan(self, url: str, problem: Text, step: str | None = None) -> float:
        """Settle when the next attempt is due; returns in how many seconds."""
        wait = self._backoff.next()
        self._show(
            LinkState.WAITING,
            url=url,
            attempt=self._attempt,
            problem=problem,
            step=step,
            retry_at=self._link.monotonic() + wait,
        )
        return wait

    async def _wait(self) -> None:
        retry_at = self.view.retry_at
        if retry_at is None:
            return
        left = max(0.0, retry_at - self._link.monotonic())
        timer = self._link.call_later(left, self._poke.set)
        try:
            await self._poke.wait()
        finally:
            timer.cancel()

    async def _use(self, wire: Wire, version: Version, url: str, target: Target) -> bool:
        self._own_close = None
        self._live = LiveLink(
            wire,
            bus=self._bus,
            link=self._link,
            policy=self._policy,
            received=self._user.received,
            caught_up=self._caught_up,
        )
        opened_at = self._link.monotonic()
        self._show(LinkState.ONLINE, url=url, version=version, since=opened_at)
        self._bus.publish(LinkOpened(url, version))
        too_large = False
        try:
            await asyncio.sleep(0)  # who was told had this turn; what follows takes most of one
            self._user.link_opened(version)
            closed = await self._live.run()
            too_large = closed.too_large
        finally:
            self._live = None
            if self._gate_open:
                self._user.link_closed(too_large=too_large)
        return self._ended(closed, url, target, opened_at)

    def _ended(self, closed: WireClosed, url: str, target: Target, opened_at: float) -> bool:
        if self._own_close is not None:
            self._bus.publish(
                LinkClosed(self._own_close, closed.code, 0.0 if self._network else None, own=True)
            )
            return True
        why = self._watch.judge(closed, opened_at, target.station_id) or explain_close(
            closed, target.max_size
        )
        wait = self._plan(url, why)
        self._bus.publish(LinkClosed(why, closed.code, wait))
        return False

    # ------------------------------------------------------------------ small parts

    def _go(self, coroutine: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(coroutine, name=name, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            failed = TaskFailed(task.get_name(), f"{type(error).__name__}: {error}")
            self._bus.publish(failed)

    def _show(self, state: LinkState, **more: Any) -> None:
        self.view = LinkView(state=state, **more)


def open_request(target: Target, where: Address) -> OpenRequest:
    """The handshake that this target means. Raises OpenFailed where its profile lacks something.

    RPC-15: profiles 2 and 3 want TLS, 1 and 2 a password, 3 a certificate and no password.
    """
    user, password, profile = target.station_id, target.password, target.security_profile
    if profile >= 2 and not where.secure:
        params = {"profile": profile, "url": where.url}
        raise OpenFailed("tls", Text("runtime.link.profile_needs_tls", params))
    if profile == 3:
        password = None
        if not target.tls.shows_own:
            raise OpenFailed("tls", Text("runtime.link.profile_needs_certificate"))
    elif password is None and where.password is not None:
        user, password = where.user or "", where.password.encode()
    if profile in (1, 2) and password is None:
        raise OpenFailed("http", Text("runtime.link.profile_needs_password", {"profile": profile}))
    if password is not None and ":" in user:
        # A00.FR.204: the back office could not tell where the name ends
        raise OpenFailed("http", Text("runtime.link.colon", {"id": user}))
    return OpenRequest(
        where,
        target.subprotocols,
        user,
        password,
        target.tls,
        proxy_for(where, target.proxy),
        target.timeout,
        target.max_size,
        target.compression,
    )


def chosen_version(subprotocol: str | None, offered: tuple[str, ...]) -> Version:
    """RPC-01: what the server selected. Raises OpenFailed where it chose none, or none of ours."""
    params = {"offered": ", ".join(offered)}
    if subprotocol is None:
        raise OpenFailed("subprotocol", Text("runtime.link.subprotocol_missing", params))
    if subprotocol not in offered or subprotocol not in KNOWN:
        params["why"] = subprotocol
        raise OpenFailed("subprotocol", Text("runtime.link.subprotocol_wrong", params))
    return Version.of_subprotocol(subprotocol)
