"""A station without a window: it runs until somebody says quit, and its exit code says how it went."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.kernel.bus import Entry, Event, SubscriberFailed
from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.ocpp.events import (
    BootDelayed,
    LinkClosed,
    LinkFailed,
    LinkOpened,
    MessageDropped,
    OwnFrameRefused,
    TaskFailed,
)
from app.ocpp.redaction import without_url_password
from app.runtime.collector import Collector, Still
from app.runtime.control.channels import (
    ControlAddressError,
    StdioChannel,
    StdioClosed,
    parse_address,
)
from app.runtime.control.dispatch import Dispatcher, Send
from app.runtime.control.methods import Methods
from app.runtime.events import StateTold
from app.runtime.exit_codes import Exit
from app.runtime.opening import make_session, read_config
from app.runtime.options import HeadlessOptions
from app.runtime.session import Session, StateUnfit
from app.runtime.signals import polite_signals
from app.runtime.store import StoreError, StoreFailed, StoreLocked

if TYPE_CHECKING:
    from app.runtime.config import Config
    from app.runtime.control.websocket import WebSocketChannel

TOKEN_FILE = "control.token"

WORTH_TELLING = (
    StateTold,
    LinkFailed,
    LinkClosed,
    BootDelayed,
    MessageDropped,
    OwnFrameRefused,
    TaskFailed,
    SubscriberFailed,
)

LAST_ATTEMPT = 0.2
"""Seconds that an attempt of the length of `--connect-timeout` may end later: it began when we looked."""


class _End:
    """Why the program ends: the first reason counts."""

    def __init__(self) -> None:
        self.code: Exit | None = None
        self._event = asyncio.Event()

    def set(self, code: Exit) -> None:
        if self.code is None:
            self.code = code
        self._event.set()

    async def wait(self) -> Exit:
        await self._event.wait()
        assert self.code is not None
        return self.code


class _Teller:
    """Says on stderr what stands in the way, each new sentence once."""

    def __init__(self, tell: Callable[[Text], None]) -> None:
        self._tell = tell
        self._last: Text | None = None

    def __call__(self, entry: Entry) -> None:
        text = _sentence(entry.event)
        if text is None:
            return
        if text != self._last:
            self._tell(text)
        self._last = text


def _sentence(event: Event) -> Text | None:
    """What an event says to the one who started the program; None: nothing."""
    match event:
        case StateTold():
            return event.what
        case LinkFailed() | BootDelayed():
            return event.why
        case LinkClosed(own=False):
            return event.why
        case MessageDropped():
            return Text("control.dropped", {"action": event.action, "why": event.why})
        case OwnFrameRefused():
            broken = event.violations[0]
            why = f"{broken.path} {broken.message}".strip()
            return Text("control.own_frame", {"action": event.action, "why": why})
        case TaskFailed() | SubscriberFailed() if not StoreFailed.is_meant_by(event.error):
            return Text("control.program_fault", {"error": event.error})
    return None


async def run_headless(options: HeadlessOptions, catalogue: Catalogue) -> Exit:
    """Run the station. Returns how it ended; what went wrong is a sentence on stderr."""

    def tell(text: Text) -> None:
        if sys.stderr is not None:  # a service may be started without
            sys.stderr.write(catalogue.render(text) + "\n")

    try:
        address = parse_address(options.control)
        token = _token(options) if address else ""
    except ControlAddressError as error:
        tell(error.text)
        return Exit.USAGE
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        tell(Text("control.token_file", {"file": str(options.control_token_file), "why": why}))
        return Exit.CONTROL
    try:
        channel = StdioChannel.claim() if address is None else None
    except StdioClosed:
        tell(Text("control.no_stdio"))
        return Exit.CONTROL
    end = _End()
    try:
        session = make_session(
            options.station,
            _config(options),
            on_undecided=lambda point: end.set(Exit.UNDECIDED),
        )
    except StoreLocked as error:
        tell(error.text)
        return Exit.STATE_LOCKED
    except (StoreError, StateUnfit) as error:
        tell(error.text)
        return Exit.STATE
    session.bus.subscribe(_Teller(tell), *WORTH_TELLING)
    collector = Collector()
    collector.start()
    try:
        session.read_ahead()
        collector.settle(quiet=Still(lambda: session.bus.last_seq))
        await session.start()
        return await _serve(session, options, address, token, channel, end, tell)
    except (StoreError, StateUnfit) as error:
        tell(error.text)
        return Exit.STATE
    finally:
        try:
            await session.stop()
        finally:
            collector.stop()
            if channel:
                channel.close()


def _config(options: HeadlessOptions) -> Config:
    """An attempt takes no longer than a connection is waited for, so it has told by then what it waited for.

    Raises ConfigError.
    """
    config = read_config(options.station)
    within = options.connect_timeout
    if within is None or within >= config.csms.connect_timeout:
        return config
    return replace(config, csms=replace(config.csms, connect_timeout=within))


async def _serve(
    session: Session,
    options: HeadlessOptions,
    address: tuple[str, int] | None,
    token: str,
    stdio: StdioChannel | None,
    end: _End,
    tell: Callable[[Text], None],
) -> Exit:
    make = _maker(session, end)
    server: WebSocketChannel | None = None
    reading: asyncio.Task[None] | None = None
    with _signals(end):
        try:
            if stdio is not None:
                stdio.start()
                dispatcher, gone = make(stdio.send)
                _ready(dispatcher, session, None)
                reading = asyncio.create_task(_read(stdio, dispatcher, end))
            else:
                from app.runtime.control.websocket import WebSocketChannel

                assert address is not None
                server = WebSocketChannel(*address, token, make)
                try:
                    await server.start()
                except OSError as error:
                    params = {"host": address[0], "port": address[1], "why": str(error)}
                    tell(Text("control.port_taken", params))
                    return Exit.CONTROL
                _announce(session, server)
            if session.snapshot().csms_url is None:
                tell(Text("control.no_csms"))
            watching = asyncio.create_task(
                _watch_connection(session, options.connect_timeout, end, tell)
            )
            try:
                code = await end.wait()
            finally:
                watching.cancel()
            if code is Exit.UNDECIDED:
                tell(Text("control.undecided", {"points": ", ".join(session.points.undecided)}))
            return code
        finally:
            if reading is not None:
                reading.cancel()
                await session.settled()  # what was ordered of the power has its answer
                await asyncio.sleep(0)
                gone()
                await dispatcher.close()
            if server is not None:
                await server.close()


def _maker(session: Session, end: _End) -> Callable[[Send], tuple[Dispatcher, Callable[[], None]]]:
    def make(send: Send) -> tuple[Dispatcher, Callable[[], None]]:
        def notify(method: str, params: dict[str, Any]) -> None:
            dispatcher.notify(method, params)

        methods = Methods(session, notify, lambda: end.set(Exit.OK))
        dispatcher = Dispatcher(methods.table(), send, session.catalogue)
        return dispatcher, methods.close

    return make


def _ready(dispatcher: Dispatcher, session: Session, port: int | None) -> None:
    dispatcher.ready(**ready_params(session, port))


def ready_params(session: Session, port: int | None) -> dict[str, Any]:
    """What the first line tells: where to ask, and which stations answer."""
    snapshot = session.snapshot()
    station = {
        "id": snapshot.station_id,
        "name": snapshot.name,
        "version": snapshot.version_wish,
        "csms": without_url_password(snapshot.csms_url) if snapshot.csms_url else None,
        "evses": len(snapshot.station.evses),
    }
    return {"port": port, "stations": [station]}


def _announce(session: Session, server: WebSocketChannel) -> None:
    """With a WebSocket stdout has one line, so that a script learns the port."""

    def write(line: str) -> None:
        if sys.stdout is None:
            return
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    Dispatcher({}, write).ready(**ready_params(session, server.port))


async def _read(stdio: StdioChannel, dispatcher: Dispatcher, end: _End) -> None:
    await stdio.run(dispatcher)
    end.set(Exit.OK)  # the end of stdin is an orderly quit


async def _watch_connection(
    session: Session, within: float | None, end: _End, tell: Callable[[Text], None]
) -> None:
    if within is None:
        return
    opened, failures = asyncio.Event(), list[Text]()

    def look(entry: Entry) -> None:
        if isinstance(entry.event, LinkFailed):
            failures.append(entry.event.why)
        else:
            opened.set()

    remove = session.bus.subscribe(look, LinkOpened, LinkFailed)
    try:
        if session.snapshot().link.version is not None:
            return
        async with asyncio.timeout(within + LAST_ATTEMPT):
            await opened.wait()
    except TimeoutError:
        view = session.snapshot()
        unknown = Text("control.no_reason" if view.csms_url else "control.no_csms")
        problem = view.link.problem or (failures or [unknown])[-1]
        tell(Text("control.not_connected", {"seconds": f"{within:g}", "why": problem}))
        end.set(Exit.NOT_CONNECTED)
    finally:
        remove()


@contextlib.contextmanager
def _signals(end: _End) -> Any:
    loop = asyncio.get_running_loop()
    names = polite_signals()
    try:
        for name in names:
            loop.add_signal_handler(name, end.set, Exit.INTERRUPTED)
    except NotImplementedError:  # Windows: Ctrl+C raises KeyboardInterrupt instead
        names = []
    try:
        yield
    finally:
        for name in names:
            loop.remove_signal_handler(name)


def _token(options: HeadlessOptions) -> str:
    """The token of the control API: from its file, which is made (0600) when it is not there."""
    path = options.control_token_file
    if path is None:
        folder = options.station.state_dir
        if folder is None:
            raise ControlAddressError(Text("control.no_token"))
        path = folder / TOKEN_FILE
    if path.exists():
        token = path.read_text("utf-8").strip()
        if token:
            return token
    return _new_token(path)


def _new_token(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    token = secrets.token_urlsafe(32)
    path.write_text(token + "\n", "utf-8")
    return token
