"""What a pasted URL tells: scheme, host, the station's id, user and password."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from app.kernel.text import Text
from app.runtime.address import is_loopback
from ui.connect.request import OPEN, PASSWORD, TLS_CERTIFICATE, TLS_PASSWORD

SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://")
_WORDS = re.compile(
    r"(?i)^(ocpp[-_.]?(j|json|ws)?|wss?|websockets?|csms|cpms|cs|api|gateway|services?|json|steve"
    r"|central[-_]?system(service)?|backend|station|stations|chargers?|charge[-_]?points?"
    r"|(ocpp[-_.]?)?v?(\d{1,2}|[12][._-]?\d([._-]?\d)?)j?)$"
)
"""Parts of a path that name a service or a version, not a station."""
_PLACEHOLDER = re.compile(r"^(\{.*\}|<.*>|\[.*\]|:[a-z]\w*|\$\{?\w+\}?)$", re.IGNORECASE)
_UPPER = re.compile(r"^[A-Z][A-Z_*:.-]*[A-Z]$")
_AROUND = " \t\r\n\"'`,;"


@dataclass(frozen=True, slots=True)
class Derived:
    """The parts of a URL. `url` is without secrets and without the id that was found in it.

    `kept_url` is the same with that id still in it; `notes` say what was changed.
    """

    url: str
    kept_url: str
    station_id: str = ""
    user: str = ""
    password: str | None = field(default=None, repr=False)
    notes: tuple[Text, ...] = ()

    @property
    def secure(self) -> bool:
        return self.url.startswith("wss:")


def derive(text: str) -> Derived:
    """Take a pasted URL apart; never raises. What is no URL comes back as it is."""
    text = text.strip(_AROUND)
    if text.startswith("<"):
        text = text[1:].removesuffix(">")
    if not text:
        return Derived("", "")
    notes: list[Text] = []
    text = _with_scheme(text, notes)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return Derived(_without_secrets(text), _without_secrets(text))
    if not host:
        return Derived(text, text)
    shown = f"[{host}]" if ":" in host else host
    place = shown if port is None else f"{shown}:{port}"
    whole = _without_placeholder(parts.path, notes)
    path, id_ = _without_id(whole, notes)
    return Derived(
        url=_joined(parts, place, path),
        kept_url=_joined(parts, place, whole),
        station_id=id_,
        user=unquote(parts.username or ""),
        password=None if parts.password is None else unquote(parts.password),
        notes=tuple(notes),
    )


def profile_for(*, secure: bool, password: bool, certificate: bool) -> int:
    """The security profile that fits what is known."""
    if not secure:
        return PASSWORD if password else OPEN
    if certificate:
        return TLS_CERTIFICATE
    return TLS_PASSWORD if password else OPEN


def looks_like_id(part: str) -> bool:
    """Is the last part of a path the id of a station rather than the name of a service?"""
    if not part or _WORDS.match(part):
        return False
    return any(letter.isdigit() for letter in part) or bool(_UPPER.match(part))


def _with_scheme(text: str, notes: list[Text]) -> str:
    match = _SCHEME.match(text)
    if match is None:
        host = text.split("/", 1)[0].rsplit("@", 1)[-1]
        scheme = "ws" if _is_near(host.rsplit(":", 1)[0].strip("[]")) else "wss"
        notes.append(Text("connect.note.scheme", {"scheme": scheme}))
        return f"{scheme}://{text}"
    given = match[1].casefold()
    scheme = SCHEMES.get(given, given)
    if scheme != given:
        notes.append(Text("connect.note.http", {"given": given, "scheme": scheme}))
    return f"{scheme}://{text[match.end() :]}"


def _is_near(host: str) -> bool:
    """In this computer or this house: TLS is rare there."""
    if is_loopback(host):
        return True
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".lan", ".home.arpa"))


def _without_placeholder(path: str, notes: list[Text]) -> str:
    head, _, last = path.rstrip("/").rpartition("/")
    part = unquote(last)
    if not _PLACEHOLDER.match(part):
        return path
    notes.append(Text("connect.note.placeholder", {"part": part}))
    return head


def _without_id(path: str, notes: list[Text]) -> tuple[str, str]:
    head, _, last = path.rstrip("/").rpartition("/")
    part = unquote(last)
    if not looks_like_id(part):
        return path, ""
    notes.append(Text("connect.note.id", {"id": part}))
    return head, part


def _joined(parts: SplitResult, place: str, path: str) -> str:
    return urlunsplit((parts.scheme, place, path.rstrip("/"), parts.query, parts.fragment))


def _without_secrets(text: str) -> str:
    """A URL that cannot be read, at least without what stands before its @."""
    return re.sub(r"//[^/@]*@", "//", text)
