"""The back office of the end-to-end tests: a training CSMS in a thread, and waiting for what stations say."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from app.training.records import (
    CsmsChange,
    CsmsSnapshot,
    Direction,
    StationRecord,
    TransactionEventRecord,
    TransactionRecord,
)
from app.training.settings import CsmsSettings
from app.training.thread import TrainingCsmsThread

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """A CALL that a station sent."""

    seq: int
    action: str
    payload: dict[str, Any]


class Office:
    """Tests look at it from their own thread; every wait says what was seen when it fails."""

    def __init__(self, settings: CsmsSettings | None = None) -> None:
        self.thread = TrainingCsmsThread(settings)
        self._news = threading.Event()
        self._remove = self.thread.subscribe(self._on_change)
        self.url = self.thread.start()

    def close(self) -> None:
        self._remove()
        self.thread.stop()

    def snapshot(self) -> CsmsSnapshot:
        return self.thread.snapshot()

    def calls(self, station: str, action: str | None = None, after: int = 0) -> list[Call]:
        """The CALLs of a station, oldest first."""
        found = []
        for frame in self.thread.frames(station, after):
            if frame.direction is not Direction.FROM_STATION:
                continue
            message = json.loads(frame.text)
            if message[0] == 2 and action in (None, message[2]):
                found.append(Call(frame.seq, message[2], message[3]))
        return found

    def mark(self) -> int:
        """A place in the order of frames, for `after=`."""
        frames = self.thread.frames()
        return frames[-1].seq if frames else 0

    def wait(self, what: str, find: Callable[[], T | None], timeout: float = 10.0) -> T:
        """The first result of `find`, asked again whenever something happened."""
        deadline = time.monotonic() + timeout
        while True:
            self._news.clear()
            if (found := find()) is not None:
                return found
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"not within {timeout:g} s: {what}; {self.seen()}")
            self._news.wait(left)

    def wait_call(
        self,
        station: str,
        action: str,
        where: Callable[[dict[str, Any]], bool] = lambda payload: True,
        *,
        after: int = 0,
        timeout: float = 10.0,
    ) -> Call:
        """The first CALL of this kind behind `after`, also one that came before this question."""

        def find() -> Call | None:
            calls = self.calls(station, action, after)
            return next((call for call in calls if where(call.payload)), None)

        return self.wait(f"{action} of {station}", find, timeout)

    def wait_accepted(self, station: str, timeout: float = 15.0) -> StationRecord:
        """Until the station is connected and its boot accepted."""

        def find() -> StationRecord | None:
            record = self.snapshot().station(station)
            boot = record.boot if record and record.connected else None
            return record if boot and boot.status == "Accepted" else None

        return self.wait(f"boot of {station}", find, timeout)

    def wait_gone(self, station: str, timeout: float = 10.0) -> None:
        def find() -> bool | None:
            record = self.snapshot().station(station)
            return True if record is None or not record.connected else None

        self.wait(f"{station} gone", find, timeout)

    def wait_transaction(
        self,
        station: str,
        where: Callable[[TransactionRecord], bool] = lambda one: True,
        timeout: float = 10.0,
    ) -> TransactionRecord:
        """The newest transaction of a station for which `where` holds."""

        def find() -> TransactionRecord | None:
            found = [one for one in self.snapshot().transactions_of(station) if where(one)]
            return found[-1] if found else None

        return self.wait(f"transaction of {station}", find, timeout)

    def seen(self) -> str:
        """Everything that came, for the message of a failed test."""
        lines = [
            f"{frame.station_id} {frame.direction.value} {frame.text[:160]}"
            for frame in self.thread.frames()[-40:]
        ]
        return "seen:\n" + "\n".join(lines or ["nothing"])

    def _on_change(self, change: CsmsChange) -> None:
        self._news.set()


def kinds(transaction: TransactionRecord) -> list[str]:
    """Started, Updated, Ended in the order they came."""
    return [event.kind for event in transaction.events]


def last(transaction: TransactionRecord) -> TransactionEventRecord:
    return transaction.events[-1]
