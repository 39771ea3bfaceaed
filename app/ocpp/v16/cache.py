"""The authorization cache: the last word of the back office on each token (1.6 part 3.5.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.kernel.clock import Clock
from app.kernel.units import parse_stamp, stamp
from app.ocpp.context import Payload, StorePort
from app.ocpp.v16.rows import CACHE


class Cache:
    """Rows of idTagInfo by token, oldest first. Refused tokens are kept, too.

    `capacity` is how many there may be, asked for each time.
    """

    def __init__(self, store: StorePort, clock: Clock, capacity: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock
        self._capacity = capacity

    def find(self, token: str) -> Mapping[str, Any] | None:
        """The idTagInfo of a token; past its expiry date it reads Expired from then on."""
        key = token.casefold()
        row = self._store.get(CACHE, key)
        if row is None:
            return None
        if self._valid(row):
            return row
        if row["status"] == "Accepted":
            row["status"] = "Expired"
            self._store.put(CACHE, key, row)
        return row

    def put(self, token: str, info: Mapping[str, Any]) -> None:
        """Keep the newest word on a token, making room if there is none (16-AU-06)."""
        key = token.casefold()
        with self._store.step():
            # taken out first, so that it comes last in the order of age
            self._store.delete(CACHE, key)
            self._keep(self._capacity() - 1)
            row: Payload = {"status": str(info["status"]), "since": stamp(self._clock.now())}
            for name in ("expiryDate", "parentIdTag"):
                if info.get(name):
                    row[name] = info[name]
            self._store.put(CACHE, key, row)

    def clear(self) -> None:
        self._store.clear(CACHE)

    def __len__(self) -> int:
        return self._store.count(CACHE)

    def trim(self) -> None:
        """Drop what is too much: the capacity has changed."""
        with self._store.step():
            self._keep(self._capacity())

    def _keep(self, most: int) -> None:
        """Drop until there are so many: what is not valid first, then the oldest (16-AU-06)."""
        if self._store.count(CACHE) <= most:
            return
        for key, row in self._store.rows(CACHE):
            if not self._valid(row):
                self._store.delete(CACHE, key)
        while self._store.count(CACHE) > most and (oldest := self._store.first(CACHE)) is not None:
            self._store.delete(CACHE, oldest[0])

    def _valid(self, row: Mapping[str, Any]) -> bool:
        if row["status"] != "Accepted":
            return False
        expiry = row.get("expiryDate")
        return not expiry or parse_stamp(str(expiry)) > self._clock.now()
