"""The memory of the training CSMS: it grows with what stations say and is read as a snapshot."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app.kernel.text import Text
from app.training.ledger import Transaction
from app.training.package import LOGGER
from app.training.records import (
    BootData,
    ConnectorRecord,
    CsmsChange,
    CsmsSnapshot,
    Direction,
    FrameRecord,
    Level,
    LogEntry,
    Sample,
    StationRecord,
    Topic,
    TransactionRecord,
    UploadRecord,
)
from app.training.settings import CsmsSettings
from app.training.tokens import TokenList

LOG_LIMIT = 1_000
SAMPLE_LIMIT = 5_000


@dataclass(slots=True)
class _Station:
    record: StationRecord
    connectors: dict[tuple[int, int], ConnectorRecord] = field(default_factory=dict)
    samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=SAMPLE_LIMIT))


class Memory:
    """Stations, transactions, samples, frames and the log. One thread only."""

    def __init__(
        self, settings: CsmsSettings, tokens: TokenList, now: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._now = now
        self._stations: dict[str, _Station] = {}
        self._transactions: dict[str, Transaction] = {}
        self._starts: dict[tuple[Any, ...], str] = {}
        self._frames: deque[FrameRecord] = deque(maxlen=settings.frame_limit)
        self._log: deque[LogEntry] = deque(maxlen=LOG_LIMIT)
        self._subscribers: list[Callable[[CsmsChange], None]] = []
        self._frame_seq = 0
        self._next_id = settings.first_transaction_id
        self.url = ""

    # reading

    def snapshot(self) -> CsmsSnapshot:
        """Everything but the frames."""
        return CsmsSnapshot(
            url=self.url,
            stations=tuple(
                replace(one.record, connectors=tuple(one.connectors.values()))
                for one in self._stations.values()
            ),
            transactions=tuple(one.record() for one in self._transactions.values()),
            tokens=self._tokens.all(),
            log=tuple(self._log),
        )

    def frames(self, station_id: str | None = None, after: int = 0) -> tuple[FrameRecord, ...]:
        """The kept frames with a sequence number above `after`, oldest first."""
        return tuple(
            one for one in self._frames if one.seq > after and station_id in {None, one.station_id}
        )

    def samples(self, station_id: str) -> tuple[Sample, ...]:
        """The samples a station sent outside of transactions."""
        station = self._stations.get(station_id)
        return tuple(station.samples) if station else ()

    def transaction(self, station_id: str, transaction_id: str) -> Transaction | None:
        """A transaction by the id used on the wire."""
        return self._transactions.get(key_of(station_id, transaction_id))

    def active_with(self, token_id: str, except_key: str = "") -> TransactionRecord | None:
        """A running transaction of this token, other than `except_key`."""
        wanted = token_id.casefold()
        for key, one in self._transactions.items():
            in_use = one.active and one.token_accepted and key != except_key
            if in_use and one.id_token.casefold() == wanted:
                return one.record()
        return None

    def busy_tokens(self) -> frozenset[str]:
        """Tokens of running transactions."""
        return frozenset(one.id_token for one in self._transactions.values() if one.active)

    def latest_transaction(self, station_id: str) -> TransactionRecord | None:
        """The newest running transaction of a station, else its newest."""
        mine = [one for one in self._transactions.values() if one.station_id == station_id]
        running = [one for one in mine if one.active]
        chosen = (running or mine)[-1:]
        return chosen[0].record() if chosen else None

    def subscribe(self, callback: Callable[[CsmsChange], None]) -> Callable[[], None]:
        """Be told of every change; returns what ends it."""
        self._subscribers.append(callback)

        def remove() -> None:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

        return remove

    # writing

    def connected(self, station_id: str, version: str, address: str) -> None:
        """A station opened a connection."""
        now = self._now()
        known = self._stations.get(station_id)
        if known is None:
            record = StationRecord(station_id, version, True, now, address, now)
            self._stations[station_id] = _Station(record)
        else:
            if known.record.version != version:
                known.connectors.clear()
            known.record = replace(
                known.record, version=version, connected=True, since=now, address=address
            )
        self._tell(Topic.STATION, station_id)

    def disconnected(self, station_id: str) -> None:
        """The last connection of a station is gone."""
        self._update(station_id, connected=False)

    def booted(self, station_id: str, boot: BootData) -> None:
        """A station sent a BootNotification."""
        self._update(station_id, boot=boot)

    def firmware_status(self, station_id: str, status: str) -> None:
        """A station reported on a firmware update."""
        self._update(station_id, firmware_status=status)

    def log_status(self, station_id: str, status: str) -> None:
        """A station reported on an upload of its log."""
        self._update(station_id, log_status=status)

    def status(self, station_id: str, connector: ConnectorRecord) -> None:
        """A connector changed its status."""
        self._stations[station_id].connectors[connector.evse, connector.connector] = connector
        self._tell(Topic.STATION, station_id)

    def sampled(self, station_id: str, samples: list[Sample]) -> None:
        """Samples outside of a transaction."""
        self._stations[station_id].samples.extend(samples)
        self._tell(Topic.STATION, station_id)

    def next_transaction_id(self, start: tuple[Any, ...]) -> tuple[str, bool]:
        """The 1.6 id for a start, and whether this very start was told before."""
        known = self._starts.get(start)
        if known is not None:
            return known, True
        self._starts[start] = str(self._next_id)
        self._next_id += 1
        return self._starts[start], False

    def open_transaction(self, station_id: str, transaction_id: str, version: str) -> Transaction:
        """The transaction with this id, made if it is new."""
        key = key_of(station_id, transaction_id)
        if key not in self._transactions:
            self._transactions[key] = Transaction(
                key, transaction_id, station_id, version, self._settings.tariff
            )
        return self._transactions[key]

    def transaction_changed(self, transaction: Transaction) -> None:
        """Called after every change of a transaction."""
        transaction.touch()
        self._tell(Topic.TRANSACTION, transaction.station_id, transaction.key)

    def uploaded(self, record: UploadRecord) -> None:
        """A station has sent a file."""
        params = {"name": record.name, "size": record.size, "protocol": record.protocol}
        self.note(Level.INFO, record.station_id, Text("training.uploaded", params))
        self._tell(Topic.FILES, record.station_id)

    def tokens_changed(self) -> None:
        """Tell the subscribers."""
        self._tell(Topic.TOKENS)

    def frame(
        self, station_id: str, version: str, link: int, direction: Direction, text: str
    ) -> FrameRecord:
        """Keep one text that went over the wire."""
        self._frame_seq += 1
        record = FrameRecord(
            self._frame_seq, self._now(), station_id, version, link, direction, text
        )
        self._frames.append(record)
        station = self._stations.get(station_id)
        if station is not None and direction is Direction.FROM_STATION:
            station.record = replace(station.record, last_seen=record.at)
        self._publish(CsmsChange(Topic.FRAME, station_id, frame=record))
        return record

    def note(self, level: Level, station_id: str, text: Text) -> None:
        """Keep something that is not a message."""
        entry = LogEntry(self._now(), level, station_id, text)
        self._log.append(entry)
        self._publish(CsmsChange(Topic.LOG, station_id, entry=entry))

    def _update(self, station_id: str, **changes: Any) -> None:
        station = self._stations[station_id]
        station.record = replace(station.record, **changes)
        self._tell(Topic.STATION, station_id)

    def _tell(self, topic: Topic, station_id: str = "", key: str = "") -> None:
        self._publish(CsmsChange(topic, station_id, key))

    def _publish(self, change: CsmsChange) -> None:
        for callback in tuple(self._subscribers):
            try:
                callback(change)
            except Exception:  # noqa: BLE001 - a broken listener must not stop the CSMS
                LOGGER.exception("a subscriber failed")


def key_of(station_id: str, transaction_id: str) -> str:
    """The key of a transaction over all stations."""
    return f"{station_id}/{transaction_id}"
