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
        "wrong_name",
        "wrong_full_name",
        "not_trusted",
    )
)
_NOBODY = frozenset({"url", "dns", "tcp"})


def setback(error: OpenFailed, *, password: bool) -> Setback:
    """Sort a failure. `password`: one was sent."""
    if error.step in _NOBODY:
        return Setback.UNREACHABLE
    if error.why.id in _CERTIFICATE:
        return Setback.SERVER_CERTIFICATE
    if error.status in REFUSED and password:
        return Setback.CREDENTIALS
    return Setback.OTHER
