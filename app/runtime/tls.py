"""Trust and own certificate of the link: the files, the context made of them, and why TLS said no."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from app.kernel.text import Text

CERTIFICATE_ENDINGS = (".pem", ".crt", ".cer")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """`ca` and `ca_folder`: a file, or a folder of them; neither: what the computer trusts.

    `key` None: in the same file as the certificate.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    ca_folder: Path | None = None


class TlsFilesBad(Exception):
    """A certificate or key file cannot be used; `text` says which and why."""

    def __init__(self, text: Text) -> None:
        super().__init__(f"{text.id} {dict(text.params)}")
        self.text = text


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """A client context that checks chain, name and date, TLS 1.2 or later. Raises TlsFilesBad."""
    given = [path for path in (files.ca, files.ca_folder) if path is not None]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if given else ssl.create_default_context()
    for place in given:
        for path in _authorities(place):
            _trust(context, path)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    show_own(context, files)
    return context


def show_own(context: ssl.SSLContext, files: TlsFiles) -> None:
    """Have the context show the station's certificate, if it has one. Raises TlsFilesBad."""
    if files.certificate is not None:
        _show(context, files.certificate, files.key)


def own_pair(folder: Path) -> tuple[Path, Path | None]:
    """The first certificate in a folder, by name, and its key: `<name>.key`, or in the same file.

    Raises TlsFilesBad where there is none.
    """
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        key = path.with_suffix(".key")
        if path.suffix not in CERTIFICATE_ENDINGS:
            continue
        if key.is_file():
            return path, key
        if b"PRIVATE KEY-----" in path.read_bytes():
            return path, None
    raise TlsFilesBad(Text("runtime.tls.no_pair", {"folder": str(folder)}))


def _authorities(path: Path) -> list[Path]:
    if not path.is_dir():
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


def _show(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    # refuses a key with a passphrase instead of asking on the terminal
    try:
        context.load_cert_chain(certificate, key, password=b"")
    except OSError as error:
        name = "runtime.tls.bad_certificate"
        for path in (certificate, key):
            if path is not None and not path.is_file():
                raise TlsFilesBad(_bad(name, path, error)) from error
        if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
            params = {"file": str(certificate), "key": str(key or certificate)}
            raise TlsFilesBad(Text("runtime.tls.key_mismatch", params)) from error
        raise TlsFilesBad(_bad(name, certificate, error)) from error


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


def explain(error: ssl.SSLError, host: str) -> Text:
    """Why the TLS handshake with `host` failed, and what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        params = {"host": host, "why": error.verify_message}
        return Text(_VERIFY.get(error.verify_code, "runtime.tls.not_trusted"), params)
    reason = error.reason or str(error)
    return Text(_REASONS.get(reason, "runtime.tls.other"), {"host": host, "why": reason})
