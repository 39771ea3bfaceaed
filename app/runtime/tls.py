"""Trust and own certificate of the link: the files, the context made of them, and why TLS said no."""

from __future__ import annotations

import contextlib
import os
import re
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from app.kernel.resources import is_folder
from app.kernel.text import Text

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)
CERTIFICATE_ENDINGS = (".pem", ".crt", ".cer")


SUITES = (
    "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:AES128-GCM-SHA256:AES256-GCM-SHA384"
    ":!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM"
)
"""Python's own choice, with the two suites of OCPP (2.0.1: A00.FR.319) that it leaves out. Named here, since
Debian and Fedora build a Python that leaves the choice to the system."""


@dataclass(frozen=True, slots=True)
class PemPair:
    """A certificate of the station with its chain, and its key: PEM texts from its memory."""

    chain: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """`ca` and `ca_folder`: a file, or a folder of them; neither: what the computer trusts.

    `key` None: in the same file as the certificate. `roots` are trusted besides, as PEM texts. `own` is
    shown instead of `certificate`. `crl` is a file of revoked certificates. `wildcards` False: the
    server's certificate must name it in full.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    ca_folder: Path | None = None
    roots: tuple[str, ...] = ()
    own: PemPair | None = None
    crl: Path | None = None
    wildcards: bool = True

    @property
    def shows_own(self) -> bool:
        """The station has a certificate to show."""
        return self.own is not None or self.certificate is not None


class TlsFilesBad(Exception):
    """A certificate or key file cannot be used; `text` says which and why."""

    def __init__(self, text: Text) -> None:
        super().__init__(f"{text.id} {dict(text.params)}")
        self.text = text


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """A client context that checks chain, name and date, TLS 1.2 or later. Raises TlsFilesBad."""
    given = [path for path in (files.ca, files.ca_folder) if path is not None]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if given else computer_context()
    for place in given:
        for path in _authorities(place):
            _trust(context, path)
    for root in files.roots:
        _trust_text(context, root)
        # one that has replaced another is signed by it, not by itself (M05.FR.10)
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    if files.crl is not None:
        _trust(context, files.crl)
        context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
    if not files.wildcards:
        refuse_wildcards(context)
    harden(context)
    show_own(context, files)
    return context


def computer_context() -> ssl.SSLContext:
    """A client context with the roots of the computer, alike in every Python.

    Since 3.13 Python's own is strict about what RFC 5280 wants of a certificate, which roots of back offices
    often lack: a station in the field takes them.
    """
    context = ssl.create_default_context()
    flags = ssl.VerifyFlags.VERIFY_X509_STRICT | ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~flags
    return context


def harden(context: ssl.SSLContext) -> None:
    """TLS 1.2 or later, no compression, and the suites that OCPP names."""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION
    context.set_ciphers(SUITES)


def refuse_wildcards(context: ssl.SSLContext) -> None:
    """Have the context take no certificate for `*.example.com` (2.0.1: AllowCSMSTLSWildcards)."""
    # X509_CHECK_FLAG_NO_WILDCARDS of OpenSSL, for which the module has no public name
    flags = getattr(context, "_host_flags", None)
    if flags is not None:
        setattr(context, "_host_flags", flags | 0x2)  # noqa: B010 - it is private on purpose


def show_own(context: ssl.SSLContext, files: TlsFiles) -> None:
    """Have the context show the station's certificate, if it has one. Raises TlsFilesBad."""
    if files.own is not None:
        with _as_file(files.own) as path:
            _show(context, path, None)
    elif files.certificate is not None:
        _show(context, files.certificate, files.key)


@contextlib.contextmanager
def _as_file(pair: PemPair) -> Iterator[Path]:
    """OpenSSL takes a key from a file only: one that nobody else may read, for as long as that takes."""
    handle, name = tempfile.mkstemp(suffix=".pem")  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{pair.key.strip()}\n{pair.chain.strip()}\n")
        yield Path(name)
    finally:
        Path(name).unlink()


def root_texts(files: TlsFiles) -> tuple[str, ...]:
    """The certificates in the files of roots, as PEM texts; none of files that cannot be read."""
    found: list[str] = []
    for place in (files.ca, files.ca_folder):
        with contextlib.suppress(OSError, UnicodeDecodeError, TlsFilesBad):  # told at the connect
            for path in _authorities(place) if place is not None else ():
                found += _PEM.findall(path.read_text("ascii"))
    return tuple(found)


def verified_chain(link: ssl.SSLObject) -> tuple[bytes, ...]:
    """The certificates of the other side up to the root that is trusted, in DER, leaf first."""
    ask = getattr(link, "get_verified_chain", None)  # from Python 3.13 on
    if ask is not None:
        return tuple(ask())
    inner = getattr(getattr(link, "_sslobj", None), "get_verified_chain", None)
    if inner is not None:
        return tuple(ssl.PEM_cert_to_DER_cert(item.public_bytes()) for item in inner())
    leaf = link.getpeercert(binary_form=True)
    return () if leaf is None else (leaf,)


def own_pairs(folder: Path) -> list[tuple[Path, Path | None]]:
    """All certificates in a folder with their keys, by name. Raises TlsFilesBad where there is none."""
    found = list(_pairs(folder))
    if not found:
        raise TlsFilesBad(Text("runtime.tls.no_pair", {"folder": str(folder)}))
    return found


def _pairs(folder: Path) -> Iterator[tuple[Path, Path | None]]:
    for path in sorted(folder.iterdir()) if is_folder(folder) else ():
        key = path.with_suffix(".key")
        if path.suffix not in CERTIFICATE_ENDINGS:
            continue
        if key.is_file():
            yield path, key
        elif b"PRIVATE KEY-----" in path.read_bytes():
            yield path, None


def _authorities(path: Path) -> list[Path]:
    if not is_folder(path):
        return [path]
    found = sorted(entry for entry in path.iterdir() if entry.suffix in CERTIFICATE_ENDINGS)
    if not found:
        raise TlsFilesBad(Text("runtime.tls.no_ca", {"folder": str(path)}))
    return found


def _trust(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_verify_locations(cafile=path)
    except OSError as error:
        raise TlsFilesBad(_bad("runtime.tls.bad_ca", path, error)) from error


def _trust_text(context: ssl.SSLContext, root: str) -> None:
    try:
        context.load_verify_locations(cadata=root)
    except (OSError, ValueError) as error:
        why = error.reason if isinstance(error, ssl.SSLError) else str(error)
        raise TlsFilesBad(Text("runtime.tls.bad_root", {"why": why or "no PEM text"})) from error


def _show(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    # refuses a key with a passphrase instead of asking on the terminal
    try:
        context.load_cert_chain(certificate, key, password=b"")
    except OSError as error:
        raise TlsFilesBad(_why_not(certificate, key or certificate, error)) from error


def _why_not(certificate: Path, key: Path, error: OSError) -> Text:
    """Which of the two files is to blame; OpenSSL does not say."""
    texts: list[bytes] = []
    for path in (certificate, key):
        try:
            texts.append(path.read_bytes())
        except OSError as unread:
            return _bad("runtime.tls.bad_certificate", path, unread)
    if b"-----BEGIN CERTIFICATE-----" not in texts[0]:
        return Text("runtime.tls.no_certificate", {"file": str(certificate)})
    if b"PRIVATE KEY-----" not in texts[1]:
        return Text("runtime.tls.no_key", {"file": str(key)})
    if b"ENCRYPTED" in texts[1]:
        return Text("runtime.tls.locked_key", {"file": str(key)})
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return Text("runtime.tls.key_mismatch", {"file": str(certificate), "key": str(key)})
    return _bad("runtime.tls.bad_certificate", certificate, error)


def _bad(name: str, path: Path, error: OSError) -> Text:
    why = error.strerror or str(error)
    if isinstance(error, ssl.SSLError):
        why = error.reason or "no PEM text"
    return Text(name, {"file": str(path), "why": why})


_VERIFY = {
    9: "runtime.tls.not_yet_valid",
    10: "runtime.tls.expired",
    18: "runtime.tls.self_signed",
    19: "runtime.tls.unknown_root",
    20: "runtime.tls.unknown_issuer",
    21: "runtime.tls.unknown_issuer",
    23: "runtime.tls.revoked",
    24: "runtime.tls.bad_issuer",
    79: "runtime.tls.bad_issuer",
    66: "runtime.tls.weak_key",
    67: "runtime.tls.weak_key",
    68: "runtime.tls.weak_key",
    62: "runtime.tls.wrong_name",
    64: "runtime.tls.wrong_name",
}
"""OpenSSL's verify results that people meet."""

_REASONS = {
    "WRONG_VERSION_NUMBER": "runtime.tls.plain",
    "HTTP_REQUEST": "runtime.tls.plain",
    "RECORD_LAYER_FAILURE": "runtime.tls.plain",
    "UNSUPPORTED_PROTOCOL": "runtime.tls.version",
    "TLSV1_ALERT_PROTOCOL_VERSION": "runtime.tls.version",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "runtime.tls.handshake_failure",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "runtime.tls.certificate_required",
    "TLSV1_ALERT_UNKNOWN_CA": "runtime.tls.own_unknown",
    "SSLV3_ALERT_BAD_CERTIFICATE": "runtime.tls.own_bad",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "runtime.tls.own_bad",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "runtime.tls.own_expired",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "runtime.tls.own_bad",
    "TLSV1_ALERT_ACCESS_DENIED": "runtime.tls.own_bad",
    "UNEXPECTED_EOF_WHILE_READING": "runtime.tls.hung_up",
    "TLSV1_UNRECOGNIZED_NAME": "runtime.tls.wrong_name",
}
"""OpenSSL's reasons (alerts of the other side among them) that people meet."""


def explain(error: ssl.SSLError, host: str, files: TlsFiles | None = None) -> Text:
    """Why the TLS handshake with `host` failed, and what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        params = {"host": host, "why": error.verify_message.rstrip(".")}
        key = _VERIFY.get(error.verify_code, "runtime.tls.not_trusted")
        if key == "runtime.tls.wrong_name" and files is not None and not files.wildcards:
            key = "runtime.tls.wrong_full_name"
        return Text(key, params)
    reason = error.reason or str(error)
    return Text(_REASONS.get(reason, "runtime.tls.other"), {"host": host, "why": reason})
