"""Looks at a server's TLS from several sides: what it speaks, who signed it, for whom, until when, and what
it wants from us. The WebSocket client only says yes or no; this says why.

Blocking: run it in a thread. Each question is a handshake of its own, with one check switched on, so that one
fault does not hide another one.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from app.kernel.text import Text
from app.runtime.tls import TlsFiles, explain, harden, refuse_wildcards, show_own, tls_context

SERVER_HELLO, CERTIFICATE_REQUEST = 2, 13
"""Handshake messages: what the server has picked, and that it asks for a certificate (RFC 8446, 4)."""

TLS_1_2 = 0x0303
"""As a ServerHello writes it; one of TLS 1.3 writes the same."""

REFUSAL_WAIT = 1.0
"""Seconds that a server has to refuse the certificate it was shown."""

NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, for which the module has no name."""

TOO_EARLY, TOO_LATE = 9, 10
"""OpenSSL's verify results about dates."""

WRONG_NAME = (62, 64)

Dial = Callable[[], socket.socket]


@dataclass(frozen=True, slots=True)
class Finding:
    """One side of the server's TLS. `name`: tls, chain, date, name, client_certificate."""

    name: str
    ok: bool
    text: Text


@dataclass(frozen=True, slots=True)
class _Server:
    """Whom is asked, and with which files."""

    dial: Dial
    host: str
    files: TlsFiles

    def shake(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        plain = self.dial()
        try:
            return context.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise

    def why(self, error: OSError) -> Text:
        if isinstance(error, ssl.SSLError):
            return explain(error, self.host, self.files)
        if isinstance(error, ConnectionError):
            return self.text("runtime.tls.hung_up")
        if isinstance(error, TimeoutError):
            return self.text("runtime.tls.mute")
        return self.text(
            "runtime.tls.other", why=error.strerror or str(error) or type(error).__name__
        )

    def text(self, key: str, **more: str) -> Text:
        return Text(key, {"host": self.host, **more})


def probe(dial: Dial, host: str, files: TlsFiles) -> Iterator[Finding]:
    """Ask one thing after the other; ends with the first that cannot be answered. Raises TlsFilesBad."""
    tls_context(files)  # files that cannot be used are no fault of the server
    server = _Server(dial, host, files)
    hello, seen = _blind(files), dict[int, bytes]()
    _watch(hello, seen)
    try:
        with contextlib.closing(server.shake(hello)) as link:
            version, cipher = link.version() or "?", (link.cipher() or ("?",))[0]
            leaf = link.getpeercert(binary_form=True) or b""
    except (ssl.SSLError, OSError) as error:
        yield from _no_hello(server, error, asked=CERTIFICATE_REQUEST in seen)
        return
    yield Finding("tls", True, Text("runtime.probe.tls", {"version": version, "cipher": cipher}))
    date = _date(server, leaf)
    chain = _chain(server, date_is_good=date.ok)
    yield chain
    yield date
    name = _name(server, leaf)
    yield name
    if chain.ok and date.ok and name.ok:
        yield _own(server, asked=CERTIFICATE_REQUEST in seen)


def _no_hello(server: _Server, error: OSError, *, asked: bool) -> Iterator[Finding]:
    """Even who believes everything got no link."""
    text = server.why(error)
    if asked:
        # up to TLS 1.2 a client certificate is judged within the handshake
        yield Finding("tls", True, server.text("runtime.probe.tls_asks"))
        yield Finding("client_certificate", False, _refusal(server, text))
        return
    if text.id in ("runtime.tls.handshake_failure", "runtime.tls.hung_up"):
        text = _what_it_would_take(server) or text
    yield Finding("tls", False, text)


def _refusal(server: _Server, said: Text) -> Text:
    """What a server has against our certificate, where its alert may have got lost."""
    if said.id.startswith("runtime.tls.own_"):
        return said
    shown = server.files.shows_own
    return server.text("runtime.probe.own_refused" if shown else "runtime.tls.certificate_required")


def _what_it_would_take(server: _Server) -> Text | None:
    """Ask again with all that this computer has, however weak: is it the version, or the cipher?"""
    context = _blind(server.files)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    seen = dict[int, bytes]()
    _watch(context, seen)
    alert = False
    try:
        server.shake(context).close()
    except (ssl.SSLError, OSError) as error:
        alert = getattr(error, "reason", "") == "SSLV3_ALERT_HANDSHAKE_FAILURE"
    picked = _picked(seen.get(SERVER_HELLO, b""))
    if picked is None:
        return server.text("runtime.tls.cipher", cipher="?") if alert else None
    version, cipher = picked
    if version < TLS_1_2:
        return server.text("runtime.tls.version")
    names = {suite["id"] & 0xFFFF: suite["name"] for suite in context.get_ciphers()}
    return server.text("runtime.tls.cipher", cipher=names.get(cipher, "?"))


def _picked(hello: bytes) -> tuple[int, int] | None:
    """Version and cipher suite of a ServerHello, whatever became of the handshake after it."""
    session = 4 + 2 + 32  # behind head, version and random
    if len(hello) <= session or len(hello) < session + 1 + hello[session] + 2:
        return None
    suite = session + 1 + hello[session]
    return int.from_bytes(hello[4:6]), int.from_bytes(hello[suite : suite + 2])


def _blind(files: TlsFiles) -> ssl.SSLContext:
    """Believes everything: only to see what the server is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    harden(context)
    show_own(context, files)
    return context


def _watch(context: ssl.SSLContext, seen: dict[int, bytes]) -> None:
    """Note the handshake messages that come in, where this Python can show them."""

    def note(_: object, direction: str, __: object, ___: object, kind: object, data: bytes) -> None:
        if direction == "read" and isinstance(kind, int):
            seen.setdefault(int(kind), bytes(data))

    if hasattr(context, "_msg_callback"):
        context._msg_callback = note


def _chain(server: _Server, *, date_is_good: bool) -> Finding:
    """Does it lead to somebody who is trusted? Name and date of the server's own are asked apart."""
    context = tls_context(server.files)
    context.check_hostname = False
    if not date_is_good:
        context.verify_flags = ssl.VerifyFlags(int(context.verify_flags) | NO_CHECK_TIME)
    try:
        server.shake(context).close()
    except ssl.SSLCertVerificationError as error:
        late = {TOO_EARLY: "runtime.tls.chain_early", TOO_LATE: "runtime.tls.chain_expired"}
        if error.verify_code in late:
            return Finding("chain", False, server.text(late[error.verify_code]))
        return Finding("chain", False, server.why(error))
    except (ssl.SSLError, OSError) as error:
        return Finding("chain", False, server.why(error))
    return Finding("chain", True, Text("runtime.probe.chain"))


def _date(server: _Server, leaf: bytes) -> Finding:
    """Is the certificate in force now? That is asked of it alone."""
    from cryptography import x509

    now = datetime.now(UTC)
    try:
        found = x509.load_der_x509_certificate(leaf)
        begins, ends = found.not_valid_before_utc, found.not_valid_after_utc
    except (ValueError, x509.InvalidVersion):
        return Finding(
            "date", False, server.text("runtime.tls.other", why="unreadable certificate")
        )
    if now > ends:
        return Finding("date", False, server.text("runtime.tls.expired"))
    if now < begins:
        return Finding("date", False, server.text("runtime.tls.not_yet_valid"))
    return Finding("date", True, Text("runtime.probe.date"))


def _name(server: _Server, leaf: bytes) -> Finding:
    """Is it made out to this host? It is trusted for the purpose of asking, whatever its date."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=leaf)
    flags = int(context.verify_flags) | ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags = ssl.VerifyFlags(flags | NO_CHECK_TIME)
    context.set_ciphers("ALL:@SECLEVEL=0")
    if not server.files.wildcards:
        refuse_wildcards(context)
    show_own(context, server.files)
    try:
        server.shake(context).close()
    except (ssl.SSLError, OSError) as error:
        # what OpenSSL looks at before the name is told with the chain
        wrong = isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in WRONG_NAME
        said = server.why(error) if wrong else server.text("runtime.probe.name_unknown")
        return Finding("name", False, said)
    return Finding("name", True, server.text("runtime.probe.name"))


def _own(server: _Server, *, asked: bool) -> Finding:
    """Is the server content with us?"""
    found = "client_certificate"
    try:
        with contextlib.closing(server.shake(tls_context(server.files))) as link:
            refused = asked and _hangs_up(link)
    except (ssl.SSLError, OSError) as error:
        return Finding(found, False, _refusal(server, server.why(error)))
    if refused:
        # a server that loses its alert on the way just hangs up
        return Finding(found, False, _refusal(server, server.text("runtime.tls.hung_up")))
    if not asked:
        return Finding(found, True, server.text("runtime.probe.not_asked"))
    key = "runtime.probe.accepted" if server.files.shows_own else "runtime.probe.asked"
    return Finding(found, True, server.text(key))


def _hangs_up(link: ssl.SSLSocket) -> bool:
    """In TLS 1.3 a refusal comes behind the handshake: as an alert (raised), or as the end."""
    link.settimeout(REFUSAL_WAIT)
    try:
        return link.recv(1) == b""
    except TimeoutError:
        return False
