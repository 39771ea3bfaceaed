"""The training CSMS: one port, both versions, any number of stations."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hmac
import json
import socket
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from app.kernel.text import Text
from app.training import composer
from app.training.files import TrainingFiles
from app.training.handshakes import watch_handshakes
from app.training.office import BackOffice, Signing
from app.training.outcome import CallOutcome, OutcomeKind
from app.training.package import LOGGER
from app.training.records import CsmsChange, CsmsSnapshot, FrameRecord, Level, Sample
from app.training.rules import Rules
from app.training.session import Session
from app.training.settings import CALL_TIMEOUT_S, LOOPBACK, SUBPROTOCOLS, CsmsSettings
from app.training.tokens import Token, TokenList

if TYPE_CHECKING:
    from app.training.certificates import Authority

POLICY_VIOLATION = 1008
CLOSE_TIMEOUT_S = 2.0


class TrainingCsms:
    """A back office for trying stations. One event loop only; `thread.py` has the door from outside.

    `now` is its calendar: messages and records use it, time-outs and delays are real seconds.
    """

    def __init__(
        self,
        settings: CsmsSettings | None = None,
        tokens: TokenList | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        rules: Rules | None = None,
    ) -> None:
        self.settings = settings or CsmsSettings()
        self.tokens = TokenList.shipped() if tokens is None else tokens
        self.rules = Rules() if rules is None else rules
        self._office = BackOffice(self.settings, self.tokens, now)
        self._office.wanted = self._sign_later
        self._memory = self._office.memory
        # TLS looks at the computer's calendar, and so has to who signs for it
        shown = partial(_authority, self.settings)
        self.files = TrainingFiles(now, self._memory.uploaded, shown)
        self._server: Server | None = None
        self._sessions: dict[str, Session] = {}
        self._taken: dict[str, dict[str, Any]] = {}
        """What each station accepted last, by action."""
        self._closing: set[asyncio.Task[None]] = set()
        self._links = 0
        self._open_calls = 0
        self._no_call_open = asyncio.Event()
        self._no_call_open.set()

    # life

    async def start(
        self, host: str = LOOPBACK, port: int = 0, door: socket.socket | None = None
    ) -> str:
        """Listen; port 0 takes a free one. Returns the URL stations append their id to.

        `door`: a socket that listens already and is taken over.
        """
        if self.settings.tls is not None:
            watch_handshakes(self.settings.tls, self._handshake_failed)
        self._server = await serve(
            self._serve_station,
            host if door is None else None,
            port if door is None else None,
            sock=door,
            process_request=self._process_request,
            select_subprotocol=self._select_subprotocol,
            compression="deflate",  # 2.0.1 part 4, 3.3: required of a CSMS, used if a station asks
            ssl=self.settings.tls,
            ping_interval=self.settings.ping_interval_s,
            close_timeout=CLOSE_TIMEOUT_S,
            max_size=self.settings.max_frame_bytes,
            logger=LOGGER.getChild("websockets"),
        )
        bound = next(iter(self._server.sockets)).getsockname()[1]
        try:
            await self.files.open(host)
        except OSError:
            self._server.close()
            raise
        self._memory.url = self.settings.url(host, bound)
        return self._memory.url

    async def stop(self) -> None:
        """Close every connection (1001) and the port."""
        if self._server is None:
            return
        self._server.close()
        await self._server.wait_closed()
        await self.files.close()
        await asyncio.gather(*self._closing, return_exceptions=True)
        await self._no_call_open.wait()
        self._server = None

    async def __aenter__(self) -> TrainingCsms:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Where stations connect, without their id."""
        return self._memory.url

    # what is known

    def snapshot(self) -> CsmsSnapshot:
        """Stations, transactions, tokens and log at this instant."""
        return replace(self._memory.snapshot(), uploads=self.files.uploads())

    def frames(self, station_id: str | None = None, after: int = 0) -> tuple[FrameRecord, ...]:
        """The raw frames kept, oldest first, above the sequence number `after`."""
        return self._memory.frames(station_id, after)

    def samples(self, station_id: str) -> tuple[Sample, ...]:
        """Meter samples a station sent outside of transactions."""
        return self._memory.samples(station_id)

    def connected(self) -> tuple[str, ...]:
        """The ids of the stations that are connected now."""
        return tuple(self._sessions)

    def subscribe(self, callback: Callable[[CsmsChange], None]) -> Callable[[], None]:
        """Be told of every change; returns what ends it."""
        return self._memory.subscribe(callback)

    # tokens

    def put_token(self, token: Token) -> None:
        """Add or replace a token."""
        self.tokens.put(token)
        self._memory.tokens_changed()

    def remove_token(self, token_id: str) -> bool:
        """Forget a token; False if it is not in the list."""
        removed = self.tokens.remove(token_id)
        self._memory.tokens_changed()
        return removed

    # composer

    def example(self, station_id: str, action: str) -> dict[str, Any]:
        """An example payload for this station as it is now."""
        station = self.snapshot().station(station_id)
        if station is None:
            raise KeyError(station_id)
        context = composer.ExampleContext(
            now=self._office.now(),
            number=self._office.number(),
            csms_url=self.url,
            tokens=self.tokens.all(),
            transaction=self._memory.latest_transaction(station_id),
            station_id=station_id,
            vendor=station.boot.vendor if station.boot else "org.example.training",
            connectors=station.connectors,
            busy=self._memory.busy_tokens(),
            taken=self._taken.get(station_id, {}),
            files=self.files,
        )
        return composer.example_payload(station.version, action, context)

    async def call(
        self,
        station_id: str,
        action: str,
        payload: str | Mapping[str, Any] | None = None,
        *,
        timeout: float = CALL_TIMEOUT_S,  # noqa: ASYNC109 - seconds are part of the request
        overlap: bool = False,
    ) -> CallOutcome:
        """Send a CALL. A text goes out byte for byte as the payload part, also a wrong one.

        Waits for its turn behind another open CALL to the same station unless `overlap`.
        """
        session = self._sessions.get(station_id)
        if session is None:
            return CallOutcome(OutcomeKind.DISCONNECTED)
        text = payload if isinstance(payload, str) else json.dumps(payload or {})
        with self._call_open():
            outcome = await session.call(action, text, timeout, overlap=overlap)
        if outcome.kind is OutcomeKind.RESULT and outcome.status == "Accepted":
            with contextlib.suppress(
                ValueError, RecursionError
            ):  # a lax station takes what is no JSON
                self._taken.setdefault(station_id, {})[action] = json.loads(text)
        return outcome

    async def send_raw(
        self,
        station_id: str,
        text: str,
        *,
        timeout: float = CALL_TIMEOUT_S,  # noqa: ASYNC109 - seconds are part of the request
    ) -> CallOutcome:
        """Send a whole text byte for byte; waits for the answer if it can be read as a CALL."""
        session = self._sessions.get(station_id)
        if session is None:
            return CallOutcome(OutcomeKind.DISCONNECTED)
        with self._call_open():
            return await session.send_raw(text, timeout)

    async def disconnect(self, station_id: str, code: int = 1000, reason: str = "") -> bool:
        """Close the connection of a station; False if it has none."""
        session = self._sessions.get(station_id)
        if session is None:
            return False
        await session.close(code, reason)
        return True

    @contextlib.contextmanager
    def _call_open(self) -> Iterator[None]:
        # So that a stop lets every caller have its outcome first.
        self._open_calls += 1
        self._no_call_open.clear()
        try:
            yield
        finally:
            self._open_calls -= 1
            if not self._open_calls:
                self._no_call_open.set()

    # certificates

    def _sign_later(self, station_id: str, signing: Signing) -> None:
        self._keep(self._sign(station_id, signing))

    async def _sign(self, station_id: str, signing: Signing) -> None:
        """Sign a CSR beside the loop and send the certificate."""
        try:
            chain, (name, operator) = await asyncio.to_thread(
                _signed, self.settings, signing.csr, self._office.now()
            )
        except ValueError as error:
            self._warn(station_id, "bad_request", why=str(error))
            return
        self._office.learn(station_id, name, operator)
        payload = {"certificateChain": chain}
        if signing.kind is not None:
            payload["certificateType"] = signing.kind
        outcome = await self.call(station_id, "CertificateSigned", payload)
        status = (outcome.payload or {}).get("status") if outcome.kind is OutcomeKind.RESULT else ""
        text = Text("training.certificate_sent", {"status": status or outcome.kind.value})
        self._memory.note(Level.INFO, station_id, text)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _handshake_failed(self, key: str, words: str) -> None:
        why = Text(f"training.tls.{key}", {"why": words})
        self._memory.note(Level.WARNING, "", Text("training.handshake_failed", {"why": why}))

    # handshake

    def _process_request(self, connection: ServerConnection, request: Request) -> Response | None:
        station_id = station_of(request.path)
        if not station_id:
            return connection.respond(HTTPStatus.NOT_FOUND, "The path ends with the station id.\n")
        refusal = self.rules.take_refusal(station_id)
        if refusal is not None:
            self._warn(station_id, "refused", status=refusal.status)
            return connection.respond(HTTPStatus(refusal.status), "Refused by a rule.\n")
        if self.settings.stations is not None and station_id not in self.settings.stations:
            self._warn(station_id, "unknown_station")
            return connection.respond(HTTPStatus.NOT_FOUND, "Unknown station.\n")
        objection = self._objection(connection, station_id)
        if objection is not None:
            self._memory.note(Level.WARNING, station_id, objection)
            return connection.respond(HTTPStatus.FORBIDDEN, "This certificate is not taken.\n")
        password = self.settings.password_of(station_id)
        if password is None or _is_authorized(request, station_id, password):
            return None
        self._warn(station_id, "wrong_password")
        response = connection.respond(HTTPStatus.UNAUTHORIZED, "Wrong id or password.\n")
        response.headers["WWW-Authenticate"] = 'Basic realm="training"'
        return response

    def _objection(self, connection: ServerConnection, station_id: str) -> Text | None:
        """What is wrong with the certificate that is shown, though TLS has taken who signed it.

        Of what was revoked TLS knows only what was so when it began to serve.
        """
        settings = self.settings
        if not settings.asks_certificates:
            return None
        shown = connection.transport.get_extra_info("peercert") or {}
        revoked = settings.authority.revoked if settings.authority else {}
        if int(shown.get("serialNumber", "0"), 16) in revoked:
            return Text("training.revoked")
        if settings.any_certificate:
            return None
        return settings.owners.objection(station_id, shown)

    def _select_subprotocol(
        self, _connection: ServerConnection, offered: Sequence[Subprotocol]
    ) -> Subprotocol | None:
        return next((Subprotocol(one) for one in self._spoken() if one in offered), None)

    def _spoken(self) -> tuple[str, ...]:
        return tuple(one for one in self.settings.subprotocols if one in SUBPROTOCOLS)

    async def _serve_station(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        station_id = station_of(socket.request.path)
        if socket.subprotocol is None:
            # OCPP-J: finish the handshake without a subprotocol, then close at once.
            offered = ", ".join(socket.request.headers.get_all("Sec-WebSocket-Protocol"))
            self._warn(station_id, "no_subprotocol", offered=offered or "-")
            await socket.close(1002, "no OCPP subprotocol in common")
            return
        self._links += 1
        version = SUBPROTOCOLS[socket.subprotocol]
        session = Session(station_id, version, self._links, socket, self._office, self.rules)
        older = self._sessions.get(station_id)
        self._sessions[station_id] = session
        if older is not None:
            self._replace(older)
        address = "{}:{}".format(*socket.remote_address[:2])
        self._memory.connected(station_id, version, address)
        self._memory.note(Level.INFO, station_id, Text("training.connected", {"version": version}))
        try:
            await session.run()
        finally:
            self._gone(session)

    def _replace(self, older: Session) -> None:
        self._warn(older.station_id, "replaced")
        self._keep(older.close(POLICY_VIOLATION, "replaced by a newer connection"))

    def _gone(self, session: Session) -> None:
        if self._sessions.get(session.station_id) is not session:
            return
        del self._sessions[session.station_id]
        self._memory.disconnected(session.station_id)
        self._memory.note(Level.INFO, session.station_id, Text("training.disconnected"))

    def _warn(self, station_id: str, key: str, **params: object) -> None:
        self._office.warn(station_id, key, **params)


def _signed(settings: CsmsSettings, csr: str, now: datetime) -> tuple[str, tuple[str, str]]:
    """The chain for a CSR, by the authority of the settings, and CN and O of who asks. Slow."""
    from app.training.certificates import Flaw, asker, sign_request

    flaw = settings.flaw or Flaw.NONE
    pair = sign_request(_authority(settings, now), csr, flaw=flaw, now=now)
    return pair.chain_pem, asker(csr)


def _authority(settings: CsmsSettings, now: datetime | None = None) -> Authority:
    """The authority of the settings; the first who needs it makes one. Slow then."""
    from app.training.certificates import make_authority

    if settings.authority is None:
        settings.authority = make_authority(now=now)
    return settings.authority


def station_of(path: str) -> str:
    """The station id: the last part of the path, percent-decoded after it was cut out."""
    return unquote(path.partition("?")[0].rpartition("/")[2])


def _is_authorized(request: Request, station_id: str, password: str) -> bool:
    """HTTP Basic with the station id as user. The secret is text, or the bytes that its hex stands for."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.casefold() != "basic":
        return False
    try:
        user, separator, secret = base64.b64decode(encoded, validate=True).partition(b":")
    except binascii.Error:
        return False
    wanted = [password.encode()]
    with contextlib.suppress(ValueError):
        wanted.append(bytes.fromhex(password))
    matches = any(hmac.compare_digest(secret, one) for one in wanted)
    return bool(separator) and user == station_id.encode() and matches
