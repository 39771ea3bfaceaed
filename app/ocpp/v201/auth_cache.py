"""The authorization cache: what the back office last said of each token. Part 2, C10 with errata 2.21.

Rows of `v201.cache` by token key: {token, info, updated, used}. An entry counts until its
cacheExpiryDateTime, or else for LifeTime seconds since it was last *updated* (as printed: since it was last
*used*); one whose expiry has passed is not stored.
"""

from __future__ import annotations

import json
from datetime import datetime

from app.kernel.units import parse_stamp, stamp
from app.ocpp.context import Payload, StorePort
from app.ocpp.v201.tokens import IdToken

TABLE = "v201.cache"

CAPACITY = 65_536
"""Bytes that the entries may take."""


class AuthCache:
    """Entries that survive a power cut."""

    def __init__(self, store: StorePort) -> None:
        self._store = store

    def find(
        self, token: IdToken, now: datetime, life_time: int, *, since_use: bool = False
    ) -> Payload | None:
        """The IdTokenInfo of a token, removed and None when it has expired."""
        row = self._store.get(TABLE, token.key)
        if row is None:
            return None
        if _expired(row, now, life_time, "used" if since_use else "updated"):
            self._store.delete(TABLE, token.key)
            return None
        info: Payload = row["info"]
        return info

    def hangs_on_use(self, token: IdToken, now: datetime, life_time: int) -> bool:
        """Has it been updated too long ago, but used since then?"""
        row = self._store.get(TABLE, token.key)
        if row is None or not _expired(row, now, life_time, "updated"):
            return False
        return not _expired(row, now, life_time, "used")

    def use(self, token: IdToken, now: datetime) -> None:
        """Somebody has shown it, and what is known of it was looked up."""
        row = self._store.get(TABLE, token.key)
        if row is not None:
            self._store.put(TABLE, token.key, {**row, "used": stamp(now)})

    def learn(self, token: IdToken, info: Payload, now: datetime) -> None:
        """Keep the latest word on a token, whatever its status (C10.FR.01)."""
        if not token.stored:
            return
        expiry = info.get("cacheExpiryDateTime")
        if expiry is not None and parse_stamp(expiry) <= now:
            self._store.delete(TABLE, token.key)
            return
        # the tariff or message of one visit is not kept (C10.FR.09)
        kept = {key: value for key, value in info.items() if key != "personalMessage"}
        with self._store.step():
            self._store.delete(TABLE, token.key)
            self._make_room()
            row = {
                "token": token.payload(),
                "info": kept,
                "updated": stamp(now),
                "used": stamp(now),
            }
            self._store.put(TABLE, token.key, row)

    def clear(self) -> None:
        self._store.clear(TABLE)

    def bytes(self) -> int:
        """What the entries take."""
        return sum(_size(row) for _, row in self._store.rows(TABLE))

    def _make_room(self) -> None:
        """C10.FR.07: those that were refused go first, then the oldest."""
        rows = self._store.rows(TABLE)
        used = sum(_size(row) for _, row in rows)
        rows.sort(key=lambda item: (item[1]["info"]["status"] == "Accepted", item[1]["updated"]))
        for key, row in rows:
            if used < CAPACITY - 1024:
                return
            used -= _size(row)
            self._store.delete(TABLE, key)


def _size(row: Payload) -> int:
    return len(json.dumps(row, separators=(",", ":")).encode())


def _expired(row: Payload, now: datetime, life_time: int, since: str) -> bool:
    expiry = row["info"].get("cacheExpiryDateTime")
    if expiry is not None:
        return parse_stamp(expiry) <= now
    if life_time <= 0:
        return False
    begin: str = row.get(since) or row["updated"]
    return (now - parse_stamp(begin)).total_seconds() > life_time
