"""One WebSocket: how it is opened, and the narrow protocol behind which faults can be put in its way."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import socket
import ssl
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
    NegotiationError,
    ProxyError,
    SecurityError,
)
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from app.kernel.text import Text
from app.runtime.address import Address
from app.runtime.tls import TlsFiles, TlsFilesBad, explain, tls_context, verified_chain

USER_AGENT = "Forecourt"

_log = logging.getLogger("forecourt.wire")
# at DEBUG the library prints handshake headers, the password among them
_log.setLevel(logging.INFO)


TOO_LARGE = 1009


class WireClosed(Exception):
    """The socket is closed. `own`: we closed it; `mute`: no pong came within so many seconds."""

    def __init__(
        self,
        code: int | None,
        reason: str,
        *,
        own: bool,
        mute: float | None = None,
    ) -> None:
        super().__init__(f"{code} {reason}")
        self.code, self.reason, self.own = code, reason, own
        self.mute = mute

    @property
    def too_large(self) -> bool:
        """One side sent more than the other takes (RFC 6455, 7.4.1)."""
        return self.code == TOO_LARGE


class Wire(Protocol):
    """An open WebSocket. All but `close` and `abort` raise WireClosed when it is not open any more."""

    @property
    def subprotocol(self) -> str | None: ...

    @property
    def server_chain(self) -> tuple[bytes, ...]:
        """The verified certificates of the other side, DER, leaf first; none without TLS."""
        ...

    async def send(self, text: str) -> None: ...

    def send_now(self, text: str) -> bool:
        """Send without waiting, if that can be done; False: nothing was sent, use `send`."""
        ...

    async def receive(self) -> str | bytes: ...

    async def ping(self) -> Awaitable[object]:
        """Send a ping; the result is done when its pong arrives."""
        ...

    async def close(self, code: int, reason: str) -> None: ...

    def abort(self) -> None:
        """Cut it off at once, without a word."""
        ...


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """All that one handshake needs. `user` and `password` go into HTTP Basic, when there is a password."""

    where: Address
    subprotocols: tuple[str, ...]
    user: str | None = None
    password: bytes | None = field(default=None, repr=False)
    tls: TlsFiles = field(default_factory=TlsFiles)
    proxy: str | None = None
    timeout: float = 15.0
    max_size: int = 8 * 1024 * 1024
    """Bytes a message may have at most."""
    compression: bool = False
    """Offer permessage-deflate (RFC 7692); the server may do without."""


class OpenFailed(Exception):
    """The WebSocket could not be opened; `step` says how far it came, `why` says it in words."""

    def __init__(self, step: str, why: Text, status: int | None = None) -> None:
        super().__init__(f"{step}: {why.id} {dict(why.params)}")
        self.step, self.why, self.status = step, why, status


class Opener(Protocol):
    """Opens a WebSocket, or raises OpenFailed."""

    async def __call__(self, request: OpenRequest) -> Wire: ...


READ_AT_ONCE = 64 * 1024
"""Bytes. asyncio's own 256 KiB are so many that the system gives and takes the memory anew for each text:
a tenth of the work of a round trip. Longer messages come in several pieces."""


class WebSocketWire:
    """A Wire on a real socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        if hasattr(socket.transport, "max_size"):  # asyncio's own, undocumented
            socket.transport.max_size = READ_AT_ONCE

    @property
    def subprotocol(self) -> str | None:
        return self._socket.subprotocol

    @property
    def server_chain(self) -> tuple[bytes, ...]:
        found = self._socket.transport.get_extra_info("ssl_object")
        return verified_chain(found) if isinstance(found, ssl.SSLObject) else ()

    async def send(self, text: str) -> None:
        with self._telling():
            await self._socket.send(text)

    def send_now(self, text: str) -> bool:
        # what `send` does when there is nothing to wait for, without a coroutine: a fifth of a round trip
        socket = self._socket
        if socket.protocol.state is not State.OPEN or socket.paused:
            return False
        socket.protocol.send_text(text.encode())
        socket.send_data()
        return True

    async def receive(self) -> str | bytes:
        with self._telling():
            return await self._socket.recv()

    async def ping(self) -> Awaitable[object]:
        with self._telling():
            return await self._socket.ping()

    async def close(self, code: int, reason: str) -> None:
        with contextlib.suppress(WireClosed), self._telling():
            await self._socket.close(code, reason)

    def abort(self) -> None:
        with contextlib.suppress(WireClosed), self._telling():
            self._socket.transport.abort()

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """Whatever the library raises about a closed socket is WireClosed."""
        try:
            yield
        except ConnectionClosed as error:
            raise _closed(error) from error
        except AttributeError as error:
            # a transport that was closed with megabytes left to send has no loop any more to abort it in
            if self._socket.protocol.state is not State.CLOSED:
                raise
            raise _closed(self._socket.protocol.close_exc) from error


def _closed(error: ConnectionClosed) -> WireClosed:
    received, sent = error.rcvd, error.sent
    if sent is not None and (received is None or error.rcvd_then_sent is False):
        return WireClosed(sent.code, sent.reason, own=True)
    if received is None:
        return WireClosed(None, "", own=False)
    return WireClosed(received.code, received.reason, own=False)


async def open_websocket(request: OpenRequest) -> Wire:
    """Connect, check the server, shake hands. Raises OpenFailed with the step that failed."""
    where = request.where
    try:
        # the roots of the computer alone take tens of milliseconds to read
        context = await asyncio.to_thread(tls_context, request.tls) if where.secure else None
    except TlsFilesBad as error:
        raise OpenFailed("tls", error.text) from error
    seen = _Progress()
    try:
        opened = await _Connect(
            where.url,
            subprotocols=[Subprotocol(name) for name in request.subprotocols],
            additional_headers=_headers(request),
            user_agent_header=USER_AGENT,
            compression="deflate" if request.compression else None,
            proxy=request.proxy,
            open_timeout=request.timeout,
            ping_interval=None,
            close_timeout=3.0,
            max_size=request.max_size,
            logger=_log,
            create_connection=seen.connection,
            ssl=context,
        )
    except (OSError, InvalidHandshake, InvalidProxy, ImportError, EOFError, ValueError) as error:
        raise _explain(seen.alert or error, request, seen.connected) from error
    return WebSocketWire(opened)


class _Connect(connect):
    """Follows a redirection from one WebSocket to another, with or without TLS as before; where else a
    server sends us is for a person to know."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        try:
            found = super().process_redirect(exc)
            followed = isinstance(found, str) and parse_uri(found).secure == self.ws_uri.secure
        except (InvalidURI, ValueError):
            return exc
        return found if followed else exc


class _Progress:
    """Notes that the socket stood before the handshake began: tells a mute host from a mute server."""

    def __init__(self) -> None:
        self.connected = False
        self.alert: ssl.SSLError | None = None
        """In TLS 1.3 a server judges our certificate when the handshake is over for us."""
        progress = self

        class Noting(ClientConnection):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                progress.connected = True
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                if isinstance(exc, ssl.SSLError):
                    progress.alert = exc
                super().connection_lost(exc)

        self.connection = Noting


def _headers(request: OpenRequest) -> dict[str, str]:
    if request.password is None:
        return {}
    secret = (request.user or "").encode() + b":" + request.password
    return {"Authorization": "Basic " + base64.b64encode(secret).decode("ascii")}


def _explain(error: Exception, request: OpenRequest, connected: bool) -> OpenFailed:
    where = request.where
    place = {"host": where.host, "port": where.port}
    if isinstance(error, InvalidProxy | ProxyError | ImportError):
        return _explain_proxy(error, request.proxy or "")
    if isinstance(error, ssl.SSLError):
        return OpenFailed("tls", explain(error, where.host, request.tls))
    if isinstance(error, socket.gaierror):
        return OpenFailed("dns", Text("runtime.link.dns", {"host": where.host}))
    if isinstance(error, TimeoutError):
        step = "http" if connected else "tcp"
        params = {**place, "seconds": f"{request.timeout:g}"}
        return OpenFailed(step, Text(f"runtime.link.{step}_timeout", params))
    if isinstance(error, InvalidStatus):
        return _explain_status(error.response, request)
    if isinstance(error, SecurityError):
        return OpenFailed("http", Text("runtime.link.http_circle", place))
    if isinstance(error, NegotiationError):
        return _explain_negotiation(error, request)
    if isinstance(error, InvalidMessage | EOFError) or (connected and isinstance(error, OSError)):
        name = "runtime.link.no_answer_tls" if where.secure else "runtime.link.no_answer"
        return OpenFailed("http", Text(name, place))
    if isinstance(error, InvalidHandshake | ValueError):
        return OpenFailed("http", Text("runtime.link.no_websocket", {**place, "why": str(error)}))
    if where.secure and isinstance(error, ConnectionResetError | ConnectionAbortedError):
        return OpenFailed("tls", Text("runtime.tls.hung_up", place))
    if isinstance(error, ConnectionRefusedError):
        return OpenFailed("tcp", Text("runtime.link.refused", place))
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return OpenFailed("tcp", Text("runtime.link.tcp", {**place, "why": why}))


def _explain_negotiation(error: NegotiationError, request: OpenRequest) -> OpenFailed:
    why = str(error)
    if "subprotocol" not in why:
        return OpenFailed("http", Text("runtime.link.extension", {"why": why}))
    params = {"offered": ", ".join(request.subprotocols), "why": why}
    return OpenFailed("subprotocol", Text("runtime.link.subprotocol_wrong", params))


def _explain_proxy(error: Exception, proxy: str) -> OpenFailed:
    shown = proxy.rsplit("@", 1)[-1]
    if isinstance(error, ImportError):
        return OpenFailed("tcp", Text("runtime.link.proxy_socks", {"proxy": shown}))
    if isinstance(error, InvalidProxyStatus):
        params = {"proxy": shown, "status": error.response.status_code}
        return OpenFailed("tcp", Text("runtime.link.proxy_refused", params))
    if isinstance(error, InvalidProxy):
        return OpenFailed("tcp", Text("runtime.link.proxy_bad", {"proxy": shown, "why": error.msg}))
    return OpenFailed("tcp", Text("runtime.link.proxy_mute", {"proxy": shown, "why": str(error)}))


_STATUS = {401, 403, 404, 409, 426, 429}


def _explain_status(response: Response, request: OpenRequest) -> OpenFailed:
    """Why a server answered the handshake with something else than 101."""
    status, where = response.status_code, request.where
    said = (response.body or b"")[:200].decode("utf-8", "replace")
    said = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    key = str(status) if status in _STATUS else ("5xx" if status >= 500 else "other")
    place = response.headers.get("Location", "")
    if 300 <= status < 400 and place:
        key = "3xx"
    elif status == 401 and request.password is None:
        key = "401_none"
    params = {
        "status": status,
        "url": where.url,
        "host": where.host,
        "said": said.rstrip(".") or "-",
    }
    return OpenFailed("http", Text(f"runtime.link.http_{key}", {**params, "place": place}), status)
