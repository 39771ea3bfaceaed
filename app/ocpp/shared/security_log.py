"""The security log of a station: each security event, critical or not (A04.FR.04 of both versions).

A rolling log of rows: the oldest go when it is full. What is written here may leave the station with
GetLog, so no secret is ever put in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.kernel.units import parse_stamp, stamp
from app.ocpp.context import StorePort

TABLE = "security_log"
STATE = "security_log_state"
CURRENT = "current"

ROOM = 1000
"""Entries that are kept."""


@dataclass(frozen=True, slots=True)
class SecurityEntry:
    """A line of the log. `number` counts on for the life of the station, also over a clearing."""

    number: int
    at: datetime
    type: str
    tech_info: str
    critical: bool


class SecurityLog:
    """The log over its rows. Can be made anywhere, any number of times, over the same store."""

    def __init__(self, store: StorePort, room: int = ROOM) -> None:
        self._store = store
        self._room = room

    def add(
        self, kind: str, tech_info: str, at: datetime, *, critical: bool = False
    ) -> SecurityEntry:
        """Write an event down, and forget the oldest where there is no room."""
        store = self._store
        with store.step():
            number = int((store.get(STATE, CURRENT) or {}).get("next", 1))
            store.put(STATE, CURRENT, {"next": number + 1})
            row = {"at": stamp(at), "type": kind, "info": tech_info, "critical": critical}
            store.put(TABLE, f"{number:010d}", row)
            while store.count(TABLE) > self._room:
                oldest = store.first(TABLE)
                assert oldest is not None
                store.delete(TABLE, oldest[0])
        return SecurityEntry(number, at, kind, tech_info, critical)

    def entries(
        self, since: datetime | None = None, until: datetime | None = None
    ) -> list[SecurityEntry]:
        """The events of a period (both ends included), oldest first."""
        found = []
        for key, row in self._store.rows(TABLE):
            at = parse_stamp(row["at"])
            if (since is None or at >= since) and (until is None or at <= until):
                found.append(
                    SecurityEntry(int(key), at, row["type"], row["info"], bool(row["critical"]))
                )
        return found

    def clear(self) -> int:
        """Forget all; returns how many there were. Who clears raises SecurityLogWasCleared."""
        with self._store.step():
            count = self._store.count(TABLE)
            self._store.clear(TABLE)
        return count
