"""The training CSMS in a thread of its own, so that a window's loop and it never wait for each other."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from datetime import UTC, datetime
from errno import ENOENT
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from app.training.outcome import CallOutcome, OutcomeKind
from app.training.records import CsmsChange, CsmsSnapshot, FrameRecord, UploadRecord
from app.training.rules import Rule, Rules
from app.training.settings import CALL_TIMEOUT_S, LOOPBACK, CsmsSettings
from app.training.tokens import Token, TokenList

if TYPE_CHECKING:
    from app.training.server import TrainingCsms

PATIENCE_S = 5.0
START_PATIENCE_S = 30.0
"""The first start reads the `ocpp` package; on a busy computer that takes its time."""
GOODBYE_S = 3.0
"""Seconds that guests have to say goodbye."""
T = TypeVar("T")


class TrainingCsmsThread:
    """A thread-safe door to one CSMS; it can be started and stopped again and again.

    What stations did is forgotten at the next start; tokens, settings and rules stay. Subscribers are
    called in the CSMS's thread.
    """

    def __init__(
        self,
        settings: CsmsSettings | None = None,
        tokens: TokenList | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        host: str = LOOPBACK,
        port: int = 0,
    ) -> None:
        self._settings = settings or CsmsSettings()
        self._tokens = TokenList.shipped() if tokens is None else tokens
        self._rules = Rules()
        self._now = now
        self._host, self._port = host, port
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._csms: TrainingCsms | None = None
        self._stopping: asyncio.Event | None = None
        self._door: socket.socket | None = None
        self._subscribers: list[Callable[[CsmsChange], None]] = []
        self._last = CsmsSnapshot(tokens=self._tokens.all())

    @property
    def is_running(self) -> bool:
        """Whether stations can connect."""
        return self._thread is not None

    def reserve(self) -> str:
        """Take the port and return the URL at once; `start()` follows. Raises OSError if it is taken.

        Stations that come meanwhile wait at the door, so that a window need not wait for its CSMS.
        """
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._door = socket.create_server((self._host, self._port), family=family)
        url = self._settings.url(self._host, self._door.getsockname()[1])
        self._last = replace(self._last, url=url)  # who asks before the start learns it, too
        return url

    def start(self) -> str:
        """Listen and return the URL. Raises OSError if the port is taken, RuntimeError if it runs."""
        if self._thread is not None:
            raise RuntimeError("the training CSMS runs already")
        started: Future[str] = Future()
        thread = threading.Thread(
            target=self._run, args=(started,), name="training-csms", daemon=True
        )
        thread.start()
        try:
            url = started.result(START_PATIENCE_S)
        except Exception:
            thread.join(PATIENCE_S)
            raise
        self._thread = thread
        return url

    def stop(self) -> None:
        """Close all connections, end the thread and wait for it. Does nothing when it does not run."""
        if self._door is not None:
            self._door.close()
            self._door = None
        thread, loop, stopping = self._thread, self._loop, self._stopping
        if thread is None or loop is None or stopping is None:
            return
        if threading.current_thread() is thread:
            raise RuntimeError("a subscriber cannot stop the CSMS from its own thread")
        self._thread = None
        loop.call_soon_threadsafe(stopping.set)
        thread.join(PATIENCE_S * 2)
        if thread.is_alive():
            raise TimeoutError("the training CSMS did not stop")

    @property
    def settings(self) -> CsmsSettings:
        """How it behaves; see there when a change acts."""
        return self._settings

    def restart(self, tls: ssl.SSLContext | None) -> str:
        """Serve with this TLS from now on, on the port there is; starts it if it did not run.

        Returns the URL. Raises OSError if the port was taken meanwhile.
        """
        if self.is_running:
            self._port = urlsplit(self.snapshot().url).port or self._port
            self.stop()
        self._settings.tls = tls
        return self.start()

    def snapshot(self) -> CsmsSnapshot:
        """The state now; after the stop, the last one; before the start the reserved URL and the tokens."""
        return self._ask(lambda csms: csms.snapshot(), lambda: self._last)

    def frames(self, station_id: str | None = None, after: int = 0) -> tuple[FrameRecord, ...]:
        """The kept frames above a sequence number; none when it does not run."""
        return self._ask(lambda csms: csms.frames(station_id, after), tuple)

    def example(self, station_id: str, action: str) -> dict[str, Any]:
        """An example payload. Raises KeyError for an unknown station or action."""
        return self._ask(lambda csms: csms.example(station_id, action), dict)

    def subscribe(self, callback: Callable[[CsmsChange], None]) -> Callable[[], None]:
        """Be told of changes, in the thread of the CSMS; returns what ends it."""
        self._subscribers.append(callback)

        def remove() -> None:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

        return remove

    def call(
        self,
        station_id: str,
        action: str,
        payload: str | Mapping[str, Any] | None = None,
        *,
        timeout: float = CALL_TIMEOUT_S,
        overlap: bool = False,
    ) -> Future[CallOutcome]:
        """Send a CALL to a station: see `TrainingCsms.call`."""
        return self._send(
            lambda csms: csms.call(station_id, action, payload, timeout=timeout, overlap=overlap)
        )

    def send_raw(
        self, station_id: str, text: str, *, timeout: float = CALL_TIMEOUT_S
    ) -> Future[CallOutcome]:
        """Send a whole text to a station: see `TrainingCsms.send_raw`."""
        return self._send(lambda csms: csms.send_raw(station_id, text, timeout=timeout))

    def disconnect(self, station_id: str, code: int = 1000) -> None:
        """Close the connection of a station."""
        loop, csms = self._loop, self._csms
        if loop is not None and csms is not None:
            asyncio.run_coroutine_threadsafe(csms.disconnect(station_id, code), loop)

    def put_token(self, token: Token) -> None:
        """Add or replace a token."""
        self._ask(lambda csms: csms.put_token(token), lambda: self._tokens.put(token))

    def remove_token(self, token_id: str) -> bool:
        """Forget a token; False if it is not in the list."""
        return self._ask(
            lambda csms: csms.remove_token(token_id), lambda: self._tokens.remove(token_id)
        )

    def add_rule(self, rule: Rule) -> None:
        """Put a fault in force."""
        self._ask(lambda csms: csms.rules.add(rule), lambda: self._rules.add(rule))

    def clear_rules(self) -> None:
        """Back to normal behaviour."""
        self._ask(lambda csms: csms.rules.clear(), self._rules.clear)

    def save_upload(self, record: UploadRecord, target: Path) -> Future[Path]:
        """Copy a file that a station has sent; the result is `target`, or an OSError."""
        loop = self._loop
        if loop is None:
            future: Future[Path] = Future()
            future.set_exception(FileNotFoundError(ENOENT, os.strerror(ENOENT), record.path))
            return future
        copying = asyncio.to_thread(shutil.copyfile, record.path, target)
        return asyncio.run_coroutine_threadsafe(copying, loop)

    def perform(self, work: Callable[[TrainingCsms], T]) -> Future[T]:
        """Run a function of the CSMS in its thread; a stopped CSMS cancels the future."""
        future: Future[T] = Future()
        loop, csms = self._loop, self._csms

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                assert csms is not None
                future.set_result(work(csms))
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever asked
                future.set_exception(error)

        if loop is None or csms is None:
            future.cancel()
        elif threading.current_thread() is self._thread:
            run()
        else:
            try:
                loop.call_soon_threadsafe(run)
            except RuntimeError:
                future.cancel()
        return future

    def _ask(self, work: Callable[[TrainingCsms], T], otherwise: Callable[[], T]) -> T:
        try:
            return self.perform(work).result(PATIENCE_S)
        except (CancelledError, TimeoutError):
            if self.is_running and self._loop is not None:
                raise
            return otherwise()  # it ended between the question and the answer

    def _send(
        self, work: Callable[[TrainingCsms], Coroutine[Any, Any, CallOutcome]]
    ) -> Future[CallOutcome]:
        loop, csms = self._loop, self._csms
        if loop is None or csms is None:
            future: Future[CallOutcome] = Future()
            future.set_result(CallOutcome(OutcomeKind.DISCONNECTED))
            return future
        return asyncio.run_coroutine_threadsafe(work(csms), loop)

    # in the thread

    def _run(self, started: Future[str]) -> None:
        # Explicit: the policy of the process may make loops of a window.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(self._serve(started))

    async def _serve(self, started: Future[str]) -> None:
        try:
            from app.training.server import TrainingCsms  # with the `ocpp` package: half a second

            csms = TrainingCsms(self._settings, self._tokens, self._now, self._rules)
            csms.subscribe(self._tell)
            door, self._door = self._door, None
            url = await csms.start(self._host, self._port, door)
        except Exception as error:  # noqa: BLE001 - it belongs to whoever waits for the start
            started.set_exception(error)
            return
        self._csms, self._loop = csms, asyncio.get_running_loop()
        self._stopping = stopping = asyncio.Event()
        started.set_result(url)
        try:
            await stopping.wait()
        finally:
            end = asyncio.ensure_future(csms.stop())
            await asyncio.wait([end], timeout=GOODBYE_S)
            await _hang_up()
            await end
            self._last = csms.snapshot()
            self._csms = self._loop = self._stopping = None

    def _tell(self, change: CsmsChange) -> None:
        for callback in tuple(self._subscribers):
            callback(change)


async def _hang_up() -> None:
    """Break off what is in the middle of a hello or goodbye: a silent guest would hold up the end."""
    loop: Any = asyncio.get_running_loop()
    for transport in list(getattr(loop, "_transports", {}).values()):
        transport.abort()
    for _ in range(2):  # the transports tell their protocols in the next turns
        await asyncio.sleep(0)
