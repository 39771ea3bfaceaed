"""What the training CSMS sees of a TLS handshake that fails: asyncio itself tells nobody."""

from __future__ import annotations

import ssl
from collections.abc import Callable

WHY = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "no_certificate",
    "CERTIFICATE_VERIFY_FAILED": "not_trusted",
    "NO_SHARED_CIPHER": "no_cipher",
    "UNSUPPORTED_PROTOCOL": "version",
    "HTTP_REQUEST": "plain",
    "WRONG_VERSION_NUMBER": "plain",
    "TLSV1_ALERT_UNKNOWN_CA": "they_do_not_know_us",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "they_say_expired",
    "SSLV3_ALERT_BAD_CERTIFICATE": "they_say_bad",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "they_say_bad",
    "TLSV1_ALERT_PROTOCOL_VERSION": "version",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "they_gave_up",
}
"""OpenSSL's reasons on the side of the server -> the last part of the id of a sentence."""


def watch_handshakes(context: ssl.SSLContext, failed: Callable[[str, str], None]) -> None:
    """Tell of each handshake that fails: a key of `WHY` (or "other"), and OpenSSL's own words."""

    class Watched(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as error:
                failed(*explained(error))
                raise

    context.sslobject_class = Watched


def explained(error: ssl.SSLError) -> tuple[str, str]:
    """Why a handshake ended, seen from the server."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return WHY["CERTIFICATE_VERIFY_FAILED"], error.verify_message
    return WHY.get(error.reason or "", "other"), error.reason or str(error)
