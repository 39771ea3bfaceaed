"""Where this program connected before, without secrets, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from app.kernel.text import Text
from ui.connect.derive import derive
from ui.connect.request import TLS_CERTIFICATE, VERSIONS, ConnectRequest
from ui.rooms import keep

FILE = "connections.json"
MOST = 12
_SECRET_WORDS = ("token", "key", "secret", "pass", "pwd", "auth", "sig", "code")


class RecentConnections:
    """The list in a file of `folder`; without a folder it is forgotten at the end.

    `told` is what a person must know about the file: that it was damaged or cannot be used.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / FILE
        self._entries: list[ConnectRequest] = []
        self.told: Text | None = None
        if self._path is not None:
            self._load(self._path)

    def all(self) -> tuple[ConnectRequest, ...]:
        return tuple(self._entries)

    def remember(self, request: ConnectRequest) -> None:
        """Put a connection first. Raises nothing: a list that cannot be written is told."""
        entry = _harmless(request)
        same = [
            one
            for one in self._entries
            if (one.url, one.station_id) != (entry.url, entry.station_id)
        ]
        self._entries = [entry, *same][:MOST]
        self._save()

    def forget(self, request: ConnectRequest) -> None:
        """Take a connection off the list."""
        self._entries = [one for one in self._entries if one != request]
        self._save()

    def _load(self, path: Path) -> None:
        try:
            kept = keep.read(path)
            aside = kept.aside
            if aside is None and kept.data is not None:
                try:
                    self._entries = [_entry(one) for one in kept.data["connections"]][:MOST]
                except (KeyError, TypeError, ValueError):
                    aside = keep.put_aside(path)
        except OSError as error:
            self._tell_unusable(error)
            return
        if aside is not None:
            self.told = Text("connect.recent.damaged", {"file": aside.name})

    def _save(self) -> None:
        if self._path is None:
            return
        entries = [_as_data(one) for one in self._entries]
        try:
            keep.write(self._path, {"format": 1, "connections": entries})
        except OSError as error:
            self._tell_unusable(error)

    def _tell_unusable(self, error: OSError) -> None:
        params = {"file": str(self._path), "why": error.strerror or str(error)}
        self.told = Text("connect.recent.unusable", params)


def _harmless(request: ConnectRequest) -> ConnectRequest:
    """A request without secrets: no password, no credentials, no query that looks like one."""
    url = derive(request.url).kept_url
    parts = urlsplit(url)
    names = [name.casefold() for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    if any(word in name for name in names for word in _SECRET_WORDS):
        url = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
    return replace(request, url=url, password=None)


def _as_data(request: ConnectRequest) -> dict[str, Any]:
    data = asdict(request)
    del data["password"]
    return data


def _entry(data: Mapping[str, Any]) -> ConnectRequest:
    version, profile = data.get("version", "auto"), data.get("security_profile", 0)
    if version not in VERSIONS or type(profile) is not int or not 0 <= profile <= TLS_CERTIFICATE:
        raise ValueError("no connection")
    url = _text(data, "url")
    if not url:
        raise ValueError("no connection")
    return _harmless(
        ConnectRequest(
            url,
            _text(data, "station_id"),
            version,
            profile,
            ca=_text(data, "ca") or None,
            certificate=_text(data, "certificate") or None,
            key=_text(data, "key") or None,
            subprotocols=_texts(data, "subprotocols"),
        )
    )


def _text(data: Mapping[str, Any], name: str) -> str:
    """A text of an entry; empty where there is none. Raises ValueError for anything else."""
    value = data.get(name) or ""
    if not isinstance(value, str):
        raise ValueError("no connection")
    return value


def _texts(data: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of texts; none where there is none. Raises ValueError for anything else."""
    values = data.get(name) or []
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise ValueError("no connection")
    return tuple(values)
