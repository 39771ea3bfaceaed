"""What a person chose while the station ran, and the version the back office chose: it lives in the state.

It wins over the configuration it was chosen over; a configuration that says something new since then wins.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.kernel.text import Text
from app.ocpp.version import Version
from app.runtime.config import Config
from app.runtime.settings import secret_of
from app.runtime.store import StateUnfit, Store
from app.runtime.tls import TlsFiles

TABLE = "runtime.wishes"
IDENTITY = "runtime.identity"
"""Survives a factory reset: a made-up id stays the station's."""
LINK = "runtime.link"


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Where the station connects to, as whom, and how it proves it."""

    url: str | None
    station_id: str
    version: str
    """1.6, 2.0.1 or auto."""
    security_profile: int
    password: bytes | None
    tls: TlsFiles
    secure_url: str | None = None
    """Where to go once the protocol raised the profile to TLS; None: the same place over wss."""
    subprotocols: tuple[str, ...] = ()
    """Offered in this order as far as the version allows; none: those that the program knows."""
    spare: tuple[tuple[Path, Path | None], ...] = ()
    """Further certificates of the station with their keys, used when the first is not accepted."""
    after: str | None = None
    """The newest certificate of the protocol when a person chose another one: that one goes before it."""

    @property
    def fixed_version(self) -> Version | None:
        return None if self.version == "auto" else Version(self.version)


@dataclass(frozen=True, slots=True)
class LinkWish:
    """What a person asked for; None leaves a thing as the configuration has it."""

    url: str | None = None
    station_id: str | None = None
    version: str | None = None
    security_profile: int | None = None
    password: str | None = None
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    secure_url: str | None = None
    subprotocols: tuple[str, ...] | None = None
    crl: str | None = None
    """A file of revoked certificates; empty: none, whatever was asked for before."""


class Wishes:
    """The station's link settings: configuration, with what a person changed over it."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config, self._store = config, store
        self._secret = secret_of(config)
        self.reread()
        if self._row and self._configured() != self._row["over"]:
            self.forget_link()

    def reread(self) -> None:
        """Take over what the store has."""
        # kept in memory too: a view asks often, and must go on when the store cannot be read
        self._row = self._store.get(TABLE, "link")
        row = self._store.get(LINK, "version")
        self._chosen = Version(row["version"]) if row else None
        row = self._store.get(IDENTITY, "id")
        self._id = str(row["id"]) if row else None

    def link(self, trial: LinkWish | None = None) -> LinkSettings:
        """The settings in force; with `trial`, as they would be if it was asked for."""
        config, wish = self._config, LinkWish(**self._wished(trial))
        files, profile, secret = config.tls_files(), config.security.profile, self._secret
        spare, secure_url = config.spare_pairs(), config.csms.secure_url
        if self._row and self._row["anew"]:
            # another host than the configuration's: it is shown nothing that was meant for that one
            files, profile, secret = TlsFiles(files.ca, ca_folder=files.ca_folder), 0, None
            spare, secure_url = (), None
        return LinkSettings(
            wish.url or config.csms.url,
            wish.station_id or config.csms.id or self._own_id(),
            wish.version or config.csms.version,
            profile if wish.security_profile is None else wish.security_profile,
            secret if wish.password is None else wish.password.encode(),
            TlsFiles(
                _path(wish.ca) or files.ca,
                _path(wish.certificate) or files.certificate,
                _path(wish.key) or (None if wish.certificate else files.key),
                files.ca_folder,
                crl=files.crl if wish.crl is None else _path(wish.crl),
            ),
            wish.secure_url or secure_url,
            tuple(wish.subprotocols or config.csms.subprotocols),
            () if wish.certificate else spare,
            self._row.get("after") if self._row and wish.certificate else None,
        )

    def ask(self, wish: LinkWish, *, anew: bool = False, after: str | None = None) -> None:
        """Keep what a person asked for, over what was asked for before.

        `anew`: on another host, where earlier proofs of who we are do not count. `after`: the newest
        certificate that the protocol has installed so far.
        """
        wished = self._wished()
        if anew:
            wished = {name: wished[name] for name in ("station_id", "version") if name in wished}
        wished |= _given(wish)
        anew = anew or bool(self._row and self._row["anew"])
        row = {"wish": wished, "over": self._configured(), "anew": anew}
        before = None if self._row is None else self._row.get("after")
        row["after"] = before if wish.certificate is None else after
        self._store.put(TABLE, "link", row)
        self._row = row

    def forget_link(self) -> None:
        """Only the configuration counts again."""
        self._store.delete(TABLE, "link")
        self._row = None

    def points(self) -> Mapping[str, str]:
        """What a person fixed for open points."""
        chosen: Mapping[str, str] = self._store.get(TABLE, "points") or {}
        return chosen

    def choose_point(self, point: str, option: str | None) -> None:
        """Keep a choice; None forgets it."""
        chosen = {**self.points(), point: option}
        self._store.put(TABLE, "points", {k: v for k, v in chosen.items() if v is not None})

    @property
    def chosen_version(self) -> Version | None:
        """What the last personality spoke; None in a fresh state."""
        return self._chosen

    def check_change(self, version: str | None, *, sessions: bool = False) -> None:
        """Messages that wait, and sessions, cannot go on in another version. Raises StateUnfit."""
        before = self.chosen_version
        if before is None or version in (None, "auto", before.value):
            return
        params: dict[str, str | int] = {"before": before.value, "after": version}
        waiting = self._store.count("outbox")
        if waiting:
            raise StateUnfit(Text("runtime.state.other_version", {**params, "count": waiting}))
        if sessions:
            raise StateUnfit(Text("runtime.state.session_open", params))

    def choose(self, version: Version) -> None:
        """Remember the version that this state is written in."""
        if version is not self.chosen_version:
            self._store.put(LINK, "version", {"version": version.value})
            self._chosen = version

    def speak(self, version: Version) -> bool:
        """A controller comes up in this version. True where the last one spoke another."""
        row = self._store.get(LINK, "spoken")
        if row is not None and row["version"] == version.value:
            return False
        self._store.put(LINK, "spoken", {"version": version.value})
        return row is not None

    def _wished(self, more: LinkWish | None = None) -> dict[str, Any]:
        wish: dict[str, Any] = dict(self._row["wish"]) if self._row else {}
        return wish | (_given(more) if more else {})

    def _configured(self) -> dict[str, Any]:
        csms = self._config.csms
        return {"url": csms.url, "id": csms.id, "version": csms.version}

    def _own_id(self) -> str:
        if self._id is None:
            made = f"FC-{secrets.token_hex(3).upper()}"
            self._store.put(IDENTITY, "id", {"id": made})
            self._id = made
        return self._id


def _given(wish: LinkWish) -> dict[str, Any]:
    return {name: value for name, value in asdict(wish).items() if value is not None}


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
