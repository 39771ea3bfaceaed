"""What a failed attempt to connect means to the protocol: who did not believe whom."""

from __future__ import annotations

from app.ocpp.personality import Setback
from app.runtime.wire import OpenFailed

REFUSED = (401, 403)
"""HTTP statuses with which back offices answer a wrong password."""

_CERTIFICATE = frozenset(
    f"runtime.tls.{name}"
    for name in (
        "not_yet_valid",
        "expired",
        "self_signed",
        "unknown_root",
        "unknown_issuer",
        "revoked",
        "bad_issuer",
        "weak_key",
        "wrong_name",
        "wrong_full_name",
        "not_trusted",
    )
)
_NOBODY = frozenset({"url", "dns", "tcp"})


_TLS = {
    "runtime.tls.version": Setback.TLS_VERSION,
    "runtime.tls.handshake_failure": Setback.TLS_CIPHERS,
    "runtime.tls.cipher": Setback.TLS_CIPHERS,
}
_OWN = frozenset(
    f"runtime.tls.{name}"
    for name in ("certificate_required", "own_unknown", "own_bad", "own_expired")
)


def setback(error: OpenFailed, *, shows_own: bool) -> Setback:
    """Sort a failure. `shows_own`: the station has a certificate to show."""
    key = error.why.id
    if error.step in _NOBODY:
        return Setback.UNREACHABLE
    if key in _CERTIFICATE:
        return Setback.SERVER_CERTIFICATE
    if key in _TLS:
        found = _TLS[key]
        # the same alert also says that the server does not like our own certificate
        return Setback.OTHER if found is Setback.TLS_CIPHERS and shows_own else found
    if key in _OWN or error.status in REFUSED:
        return Setback.CREDENTIALS
    return Setback.OTHER


def in_a_word(error: OpenFailed) -> str:
    """What a log says of it."""
    if error.status is not None:
        return f"HTTP {error.status}"
    return error.why.id.rpartition(".")[2]
