"""Where a file lies or goes: a URL taken apart, and shown without its secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from app.kernel.text import Text
from app.ocpp.context import TransferFailed, TransferTrouble

PORTS = {"http": 80, "https": 443, "ftp": 21, "ftps": 990}
"""The schemes that are known, and their usual ports."""

_CREDENTIALS = re.compile(r"(?<=://)[^/\s]*@")
_VALUES = re.compile(r"(?<==)[^&\s]+")


@dataclass(frozen=True, slots=True)
class Place:
    """A checked URL. `url` holds no user and no password."""

    scheme: str
    host: str
    port: int
    path: str
    """As in the URL, percent-encoded."""
    url: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    names_a_file: bool = False
    """For an upload: the URL is the file's own, not that of a folder."""

    @property
    def server(self) -> str:
        """The server as people write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def file_url(self, name: str) -> str:
        """Where a file of this name goes."""
        if self.names_a_file:
            return self.url
        return f"{self.url.rstrip('/')}/{quote(name)}"

    def file_path(self, name: str | None = None) -> str:
        """The path on an FTP server, from the folder that the login leads to; `//` begins at the root."""
        path = unquote(self.path.removeprefix("/"))
        if name is None or self.names_a_file:
            return path
        return f"{path.rstrip('/')}/{name}" if path.strip("/") else f"{path}{name}"


def place(url: str) -> Place:
    """Take a URL apart. Raises TransferFailed with what is wrong about it."""
    text = url.strip()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _bad(text) from None
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        params = {"url": shown(text), "scheme": scheme or "-"}
        raise TransferFailed(Text("transfer.scheme", params), TransferTrouble.NOT_SUPPORTED)
    if not parts.hostname:
        raise _bad(text)
    host = parts.hostname
    netloc = f"[{host}]" if ":" in host else host
    netloc = netloc if port is None else f"{netloc}:{port}"
    last = parts.path.rpartition("/")[2]
    return Place(
        scheme,
        host,
        port or PORTS[scheme],
        parts.path,
        urlunsplit((scheme, netloc, parts.path, parts.query, "")),
        unquote(parts.username) if parts.username is not None else None,
        unquote(parts.password) if parts.password is not None else None,
        bool(parts.query) or "." in last.strip("."),
    )


def shown(url: str) -> str:
    """The URL without user, password and the values of its query (they may be keys)."""
    bare, mark, query = _CREDENTIALS.sub("", url).partition("?")
    return bare + mark + _VALUES.sub("…", query)


def file_name(url: str) -> str:
    """The name of the file that a URL means, "" where there is none."""
    try:
        return unquote(urlsplit(url).path.rpartition("/")[2])
    except ValueError:
        return ""


def _bad(url: str) -> TransferFailed:
    text = Text("transfer.bad_url", {"url": shown(url)})
    return TransferFailed(text, TransferTrouble.BAD_MESSAGE)
