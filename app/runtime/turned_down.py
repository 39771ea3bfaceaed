"""Certificate files of the station that the back office turned down while it took another certificate.

They are shown last from then on, over power cuts too, as it is with what the protocol installed (there the
book remembers it: A02.FR.28). A file is known by its content: what is written anew gets a new chance.
"""

from __future__ import annotations

import hashlib

from app.ocpp.context import StorePort
from app.runtime.tls import TlsFiles

TABLE = "runtime.turned_down"


class TurnedDown:
    """Remembers the files as rows; what was refused since the last link is known until then only."""

    def __init__(self, store: StorePort) -> None:
        self._store = store
        self._refused: set[str] = set()

    def holds(self, files: TlsFiles) -> bool:
        """Was this certificate turned down, and another one taken."""
        return self._store.get(TABLE, name_of(files)) is not None

    def refused(self, files: TlsFiles) -> None:
        """No link came about with it, because of it as far as can be told."""
        self._refused.add(name_of(files))

    def taken(self, files: TlsFiles) -> None:
        """A link came about with this certificate: what was refused before it has been turned down."""
        own, refused, self._refused = name_of(files), self._refused, set()
        for name in refused - {own}:
            self._store.put(TABLE, name, {})
        if self._store.get(TABLE, own) is not None:
            self._store.delete(TABLE, own)

    def forget(self) -> None:
        """A person chose where to go and what to show: all have a chance again."""
        self._refused.clear()
        self._store.clear(TABLE)


def name_of(files: TlsFiles) -> str:
    """What tells the certificate that is shown from others; empty where none is."""
    if files.own is not None:
        return hashlib.sha256(files.own.chain.encode()).hexdigest()
    if files.certificate is None:
        return ""
    try:
        return hashlib.sha256(files.certificate.read_bytes()).hexdigest()
    except OSError:
        return str(files.certificate)  # that it cannot be read the attempt tells
