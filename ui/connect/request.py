"""Where a person wants the station to connect, as whom, and how it proves it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.kernel.text import Text
from app.runtime.address import AddressBad, address
from app.runtime.connection import KNOWN

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What a header may hold as a name (RFC 9110, 5.6.2)."""
VERSIONS = ("auto", "1.6", "2.0.1")
OPEN, PASSWORD, TLS_PASSWORD, TLS_CERTIFICATE = range(4)
"""The security profiles of OCPP; 0 stands for none."""


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """A whole choice. `url` is without the id and without secrets, paths are None where not given."""

    url: str
    station_id: str
    version: str = "auto"
    security_profile: int = OPEN
    password: str | None = field(default=None, repr=False)
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    subprotocols: tuple[str, ...] = ()
    """Offered in this order; none: what the version says."""

    @property
    def secure(self) -> bool:
        return self.url.casefold().startswith("wss:")

    def full_url(self) -> str:
        """The address as it is called, with the id at its end. Raises AddressBad."""
        return address(self.url, self.station_id).url

    def options(self) -> dict[str, Any]:
        """The security settings as keywords of `Session.connect_to`."""
        return {
            "security_profile": self.security_profile,
            "password": self.password,
            "ca": self.ca,
            "certificate": self.certificate,
            "key": self.key,
            "subprotocols": self.subprotocols,
        }


def subprotocols_of(text: str) -> tuple[str, ...]:
    """What a person wrote, each once."""
    return tuple(dict.fromkeys(text.replace(",", " ").split()))


def problem_of(request: ConnectRequest) -> Text | None:
    """What keeps this from being tried, in words; None: nothing does."""
    try:
        where = address(request.url, request.station_id)
    except AddressBad as error:
        return error.text
    profile = request.security_profile
    if profile >= TLS_PASSWORD and not where.secure:
        return Text("connect.bad.needs_tls", {"profile": profile})
    if profile == PASSWORD and where.secure:
        return Text("connect.bad.profile_1_tls")
    if profile in {PASSWORD, TLS_PASSWORD} and not request.password:
        return Text("connect.bad.needs_password", {"profile": profile})
    if profile == TLS_CERTIFICATE and not request.certificate:
        return Text("connect.bad.needs_certificate")
    return _bad_offer(request.subprotocols) or _missing_file(request)


def _bad_offer(offered: tuple[str, ...]) -> Text | None:
    for name in offered:
        if not _TOKEN.fullmatch(name):
            return Text("connect.bad.subprotocol", {"name": name})
    if offered and not set(offered) & KNOWN:
        return Text("connect.bad.subprotocols", {"known": ", ".join(sorted(KNOWN))})
    return None


def _missing_file(request: ConnectRequest) -> Text | None:
    for name in (request.ca, request.certificate, request.key):
        if name and not Path(name).exists():
            return Text("connect.bad.no_file", {"path": name})
    return None
