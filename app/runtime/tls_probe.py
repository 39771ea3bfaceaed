"""Looks at a server's TLS from several sides: what it speaks, who signed it, for whom, until when, and what
it wants from us. The WebSocket client only says yes or no; this says why.

Blocking: run it in a thread. Each question is a handshake of its own, with one check switched on.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.kernel.text import Text
from app.runtime.tls import TlsFiles, explain, show_own, tls_context

CERTIFICATE_REQUEST = 13
"""The handshake message in which a server asks for a client certificate (RFC 8446, 4.3.2)."""

REFUSAL_WAIT = 1.0
"""Seconds that a server has to refuse the certificate it was shown."""

Dial = Callable[[], socket.socket]


@dataclass(frozen=True, slots=True)
class Finding:
    """One side of the server's TLS. `name`: tls, chain, date, name, client_certificate."""

    name: str
    ok: bool
    text: Text


def probe(dial: Dial, host: str, files: TlsFiles) -> Iterator[Finding]:
    """Ask one thing after the other; ends with the first that cannot be answered. Raises TlsFilesBad."""
    trusting = tls_context(files)
    hello = _blind(files)
    seen: list[int] = []
    _watch(hello, seen)
    try:
        with contextlib.closing(_shake(hello, dial, host)) as link:
            version, cipher = link.version() or "?", (link.cipher() or ("?",))[0]
            leaf = link.getpeercert(binary_form=True) or b""
    except (ssl.SSLError, OSError) as error:
        yield Finding("tls", False, _why(error, host))
        return
    yield Finding("tls", True, Text("runtime.probe.tls", {"version": version, "cipher": cipher}))
    chain = _chain(trusting, dial, host)
    yield chain
    date, name = _date_and_name(leaf, dial, host)
    yield date
    yield name
    if chain.ok and date.ok and name.ok:
        yield _own(trusting, dial, host, asked=CERTIFICATE_REQUEST in seen, files=files)


def _blind(files: TlsFiles) -> ssl.SSLContext:
    """Believes everything: only to see what the server is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    show_own(context, files)
    return context


def _watch(context: ssl.SSLContext, seen: list[int]) -> None:
    """Note the handshake messages that come in, where this Python can show them."""

    def note(
        _: object, direction: str, __: object, ___: object, kind: object, ____: object
    ) -> None:
        if direction == "read" and isinstance(kind, int):
            seen.append(int(kind))

    if hasattr(context, "_msg_callback"):
        context._msg_callback = note


def _chain(context: ssl.SSLContext, dial: Dial, host: str) -> Finding:
    """Does it lead to somebody who is trusted? Name and date are asked apart."""
    context.check_hostname = False
    try:
        _shake(context, dial, host).close()
    except ssl.SSLCertVerificationError as error:
        if error.verify_code not in (9, 10):
            return Finding("chain", False, _why(error, host))
    except (ssl.SSLError, OSError) as error:
        return Finding("chain", False, _why(error, host))
    finally:
        context.check_hostname = True
    return Finding("chain", True, Text("runtime.probe.chain"))


def _date_and_name(leaf: bytes, dial: Dial, host: str) -> tuple[Finding, Finding]:
    """Both are asked of the certificate alone, trusted for the purpose of asking."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=leaf)
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    params = {"host": host}
    context.check_hostname = False
    date = _ask("date", context, dial, host) or Finding("date", True, Text("runtime.probe.date"))
    context.check_hostname = True
    # OpenSSL looks at the date first: a name that was not looked at is not told as good
    name = _ask("name", context, dial, host) if date.ok else None
    if not date.ok:
        return date, Finding("name", False, Text("runtime.probe.name_unknown", params))
    return date, name or Finding("name", True, Text("runtime.probe.name", params))


def _ask(name: str, context: ssl.SSLContext, dial: Dial, host: str) -> Finding | None:
    try:
        _shake(context, dial, host).close()
    except (ssl.SSLError, OSError) as error:
        return Finding(name, False, _why(error, host))
    return None


def _own(
    context: ssl.SSLContext, dial: Dial, host: str, *, asked: bool, files: TlsFiles
) -> Finding:
    """Is the server content with us?"""
    found = "client_certificate"
    try:
        with contextlib.closing(_shake(context, dial, host)) as link:
            refused = asked and _hangs_up(link)
    except (ssl.SSLError, OSError) as error:
        return Finding(found, False, _why(error, host))
    if refused:
        # a server that loses its alert on the way just hangs up
        key = (
            "runtime.probe.own_refused" if files.certificate else "runtime.tls.certificate_required"
        )
        return Finding(found, False, Text(key, {"host": host}))
    if not asked:
        return Finding(found, True, Text("runtime.probe.not_asked", {"host": host}))
    key = "runtime.probe.accepted" if files.certificate else "runtime.probe.asked"
    return Finding(found, True, Text(key, {"host": host}))


def _hangs_up(link: ssl.SSLSocket) -> bool:
    """In TLS 1.3 a refusal comes behind the handshake: as an alert (raised), or as the end."""
    link.settimeout(REFUSAL_WAIT)
    try:
        return link.recv(1) == b""
    except TimeoutError:
        return False


def _shake(context: ssl.SSLContext, dial: Dial, host: str) -> ssl.SSLSocket:
    plain = dial()
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise


def _why(error: OSError, host: str) -> Text:
    if isinstance(error, ssl.SSLError):
        return explain(error, host)
    if isinstance(error, ConnectionError):
        return Text("runtime.tls.hung_up", {"host": host})
    why = error.strerror or str(error) or type(error).__name__
    return Text("runtime.tls.other", {"host": host, "why": why})
