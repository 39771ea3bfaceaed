"""How far the station's calendar is from the computer's, kept over restarts and kills.

Time travel, a rate other than 1 and the back office move the calendar; a station that forgot it would
stamp its next messages before its last ones. What the configuration says anew wins.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from app.kernel.bus import Bus
from app.kernel.clock import Clock, SystemClock
from app.kernel.link_clock import LinkClock, LinkTimer
from app.ocpp.events import ClockSet
from app.runtime.config import Config
from app.runtime.store import Store, StoreError

TABLE = "runtime.calendar"
KEY = "offset"
EVERY = 10.0
"""Real seconds between two looks."""

SMALL = 1.0
"""Seconds that the offset may move without being written: the two clocks of a computer drift too."""


def real_now() -> datetime:
    return datetime.now(UTC)


class CalendarKeeper:
    """Writes the offset down when it has moved: at each look, and when it is asked to."""

    def __init__(
        self,
        config: Config,
        store: Store,
        clock: Clock,
        link: LinkClock,
        now: Callable[[], datetime] = real_now,
    ) -> None:
        self._store, self._clock, self._link, self._now = store, clock, link, now
        self._over = _configured(config)
        self._written: dict[str, Any] | None = store.get(TABLE, KEY)
        self._timer: LinkTimer | None = None

    def start(self) -> None:
        self.write()
        self._timer = self._link.call_later(EVERY, self._look)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with contextlib.suppress(StoreError):  # told by the store
            self.write()

    def write(self) -> None:
        """Write the offset, if it has moved. Raises StoreFailed."""
        if not isinstance(self._clock, SystemClock):
            return  # a virtual one has no business with the computer's
        row = {
            "offset": round((self._clock.now() - self._now()).total_seconds(), 3),
            "follows": self._clock.follow_server,
            "over": self._over,
        }
        if self._written is None or _differs(self._written, row):
            self._store.put(TABLE, KEY, row)
            self._written = row

    def _look(self) -> None:
        with contextlib.suppress(StoreError):  # told by the store
            if self._store.failed is None:
                self.write()
        self._timer = self._link.call_later(EVERY, self._look)


def set_calendar(clock: Clock, bus: Bus, to: datetime) -> float:
    """A person sets the station's clock: no time passes, and the back office may set it right again.

    Returns by how many seconds it changed.
    """
    change = clock.correct(to).total_seconds()
    bus.publish(ClockSet(change, "a person"))
    return change


def bring_back(
    config: Config, store: Store, clock: Clock, now: Callable[[], datetime] = real_now
) -> None:
    """Set a fresh clock as far from the computer's as the last one was."""
    row = store.get(TABLE, KEY)
    if row is None or row["over"] != _configured(config) or not isinstance(clock, SystemClock):
        return
    there = now() + timedelta(seconds=float(row["offset"]))
    if abs((there - clock.now()).total_seconds()) > SMALL:
        clock.correct(there)
    clock.follow_server = clock.follow_server and bool(row["follows"])


def _configured(config: Config) -> list[Any]:
    start = config.clock.start
    return [start.isoformat() if start else None, config.clock.rate]


def _differs(before: dict[str, Any], now: dict[str, Any]) -> bool:
    moved = abs(float(before["offset"]) - float(now["offset"])) > SMALL
    return moved or before["follows"] != now["follows"] or before["over"] != now["over"]
