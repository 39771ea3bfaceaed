"""What the training CSMS sees of a TLS handshake that fails: asyncio itself tells nobody."""

from __future__ import annotations

import asyncio
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


PATIENCE = 5.0
"""Seconds after which a handshake that has not ended counts as broken off."""


def watch_handshakes(context: ssl.SSLContext, failed: Callable[[str, str], None]) -> None:
    """Tell of each handshake that fails: a key of `WHY`, "hung_up" or "other", and OpenSSL's own words.

    Within a running loop. A station that closes in mid-handshake, as asyncio itself does when it does not
    like the server's certificate, leaves nothing to see: it is told after `PATIENCE`.
    """

    class Watched(ssl.SSLObject):
        _ended: bool | None = None
        """None: not begun."""

        def do_handshake(self) -> None:
            if self._ended is None:
                self._ended = False
                asyncio.get_running_loop().call_later(PATIENCE, self._look)
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as error:
                self._ended = True
                failed(*explained(error))
                raise
            self._ended = True

        def _look(self) -> None:
            if not self._ended:
                failed("hung_up", "")

    context.sslobject_class = Watched


def explained(error: ssl.SSLError) -> tuple[str, str]:
    """Why a handshake ended, seen from the server."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return WHY["CERTIFICATE_VERIFY_FAILED"], error.verify_message
    return WHY.get(error.reason or "", "other"), error.reason or str(error)
