"""Where a station connects to: the URL of a back office with the station's id, and the proxy on the way."""

from __future__ import annotations

import ipaddress
import urllib.request
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from app.kernel.text import Text
from app.ocpp.redaction import without_url_password

PORTS = {"ws": 80, "wss": 443}


class AddressBad(ValueError):
    """The URL or the id cannot be used; `text` says why and what to write."""

    def __init__(self, text: Text) -> None:
        super().__init__(f"{text.id} {dict(text.params)}")
        self.text = text


@dataclass(frozen=True, slots=True)
class Address:
    """A checked URL. `url` has the id at its end and no secret in it."""

    url: str
    secure: bool
    host: str
    port: int
    user: str | None = None
    password: str | None = None
    """Of the URL itself (`ws://user:password@host`)."""


def address(base: str, station_id: str) -> Address:
    """RPC-01: base + `/` + percent-encoded id. Raises AddressBad."""
    parts = split(base)
    if not station_id:
        raise AddressBad(Text("runtime.address.no_id"))
    path = parts.path.rstrip("/") + "/" + quote(station_id, safe="")
    return _address(parts, path)


def plain_address(url: str) -> Address:
    """The address of a URL as it stands, no id added. Raises AddressBad."""
    parts = split(url)
    return _address(parts, parts.path)


def split(base: str) -> SplitResult:
    """The parts of a ws or wss URL. Raises AddressBad with what is wrong about it."""
    text = base.strip()
    shown = without_url_password(text)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise AddressBad(Text("runtime.address.bad", {"url": shown, "why": str(error)})) from error
    if parts.scheme not in PORTS:
        raise AddressBad(Text("runtime.address.scheme", {"url": shown}))
    if not parts.hostname:
        raise AddressBad(Text("runtime.address.no_host", {"url": shown}))
    if port == 0:
        raise AddressBad(Text("runtime.address.bad", {"url": shown, "why": "port 0"}))
    if parts.fragment:
        raise AddressBad(Text("runtime.address.fragment", {"url": shown}))
    return parts


def _address(parts: SplitResult, path: str) -> Address:
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    place = shown if parts.port is None else f"{shown}:{parts.port}"
    url = urlunsplit((parts.scheme, place, path, parts.query, ""))
    return Address(
        url,
        parts.scheme == "wss",
        host,
        parts.port or PORTS[parts.scheme],
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
    )


def for_profile(base: str, profile: int, secure: str | None) -> str:
    """Where to go with TLS (profiles 2 and 3): `secure` if it is given, else the same place over wss."""
    if profile < 2 or not base.strip().lower().startswith("ws:"):
        return base
    return secure or "wss" + base.strip()[2:]


def is_loopback(host: str) -> bool:
    """This very computer."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def proxy_for(where: Address, explicit: str | None) -> str | None:
    """The proxy on the way: none to this computer, else the given one ("none": none), else the system's."""
    if explicit == "none" or is_loopback(where.host):
        return None
    if explicit:
        return explicit
    if urllib.request.proxy_bypass(f"{where.host}:{where.port}"):
        return None
    known = urllib.request.getproxies()
    names = ("wss", "https") if where.secure else ("ws", "https", "http")
    return next((known[name] for name in names if name in known), None)
