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
        "chain_early",
        "chain_expired",
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

_ALERT = "runtime.tls.handshake_failure"
_TLS = {
    "runtime.tls.version": Setback.TLS_VERSION,
    _ALERT: Setback.TLS_CIPHERS,
    "runtime.tls.cipher": Setback.TLS_CIPHERS,
}
_OWN = frozenset(
    f"runtime.{name}"
    for name in (
        "tls.certificate_required",
        "tls.own_unknown",
        "tls.own_bad",
        "tls.own_expired",
        "probe.own_refused",
    )
)


def setback(error: OpenFailed, *, shows_own: bool) -> Setback:
    """Sort a failure. `shows_own`: the station has a certificate to show."""
    key = error.why.id
    if error.step in _NOBODY:
        return Setback.UNREACHABLE
    if key in _CERTIFICATE:
        return Setback.SERVER_CERTIFICATE
    if key in _TLS:
        # that alert alone may also say that the server does not like our own certificate
        return Setback.OTHER if key == _ALERT and shows_own else _TLS[key]
    if key in _OWN or error.status in REFUSED:
        return Setback.CREDENTIALS
    return Setback.OTHER


def in_a_word(error: OpenFailed) -> str:
    """What a log says of it."""
    if error.status is not None:
        return f"HTTP {error.status}"
    return error.why.id.rpartition(".")[2]
