"""What the training CSMS remembers, as immutable records for any view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import Any

from app.kernel.text import Text
from app.training.tokens import Token

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Direction(Enum):
    """Which way a frame went."""

    FROM_STATION = "from_station"
    TO_STATION = "to_station"


class Topic(Enum):
    """What a change is about."""

    STATION = "station"
    TRANSACTION = "transaction"
    FRAME = "frame"
    LOG = "log"
    TOKENS = "tokens"
    FILES = "files"


class Level(Enum):
    """How much a log entry matters."""

    INFO = "info"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class CsmsChange:
    """Something in the memory changed; the snapshot holds the new state."""

    topic: Topic
    station_id: str = ""
    transaction_key: str = ""
    frame: FrameRecord | None = None
    entry: LogEntry | None = None


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """One text as it went over the wire. `link` counts the connections since the start."""

    seq: int
    at: datetime
    station_id: str
    version: str
    link: int
    direction: Direction
    text: str


@dataclass(frozen=True, slots=True)
class LogEntry:
    """Something the CSMS noticed that is not a message."""

    at: datetime
    level: Level
    station_id: str
    text: Text


@dataclass(frozen=True, slots=True)
class BootData:
    """What a station said about itself when it booted, and what it was told."""

    at: datetime
    status: str
    vendor: str
    model: str
    serial: str = ""
    firmware: str = ""
    reason: str = ""
    payload: Mapping[str, Any] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class ConnectorRecord:
    """The last status of a connector.

    In 1.6 `evse` is the connectorId (0: the whole station) and `connector` is 1, or 0 for the station.
    """

    evse: int
    connector: int
    status: str
    at: datetime
    error_code: str = ""
    vendor_error_code: str = ""
    info: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """One sampled value. `value` is a number, or text for signed data; energy is not converted."""

    at: datetime | None
    evse: int | None
    measurand: str
    value: float | str
    unit: str
    context: str
    phase: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class TransactionEventRecord:
    """One message of a transaction: `kind` is Started, Updated or Ended in both versions."""

    kind: str
    at: datetime | None
    received_at: datetime
    trigger: str = ""
    seq_no: int | None = None
    offline: bool = False
    resent: bool = False
    payload: Mapping[str, Any] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class TransactionRecord:
    """A transaction as far as the CSMS knows it. Energy in Wh, cost in the currency of the tariff."""

    key: str
    id: str
    station_id: str
    version: str
    active: bool
    evse: int | None = None
    connector: int | None = None
    id_token: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    meter_start_wh: float | None = None
    meter_last_wh: float | None = None
    energy_wh: float | None = None
    cost: float | None = None
    stop_reason: str = ""
    charging_state: str = ""
    events: tuple[TransactionEventRecord, ...] = ()
    samples: tuple[Sample, ...] = ()
    missing_seq_nos: tuple[int, ...] = ()
    resent: int = 0


@dataclass(frozen=True, slots=True)
class StationRecord:
    """A station that is, or was, connected."""

    id: str
    version: str
    connected: bool
    since: datetime
    address: str = ""
    last_seen: datetime | None = None
    boot: BootData | None = None
    connectors: tuple[ConnectorRecord, ...] = ()
    firmware_status: str = ""
    log_status: str = ""


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """A file that a station has sent. `size` in bytes, `protocol` http or ftp, `path` where it lies."""

    at: datetime
    station_id: str
    name: str
    size: int
    protocol: str
    path: str


@dataclass(frozen=True, slots=True)
class CsmsSnapshot:
    """Everything but the frames, at one instant."""

    url: str = ""
    stations: tuple[StationRecord, ...] = ()
    transactions: tuple[TransactionRecord, ...] = ()
    tokens: tuple[Token, ...] = ()
    log: tuple[LogEntry, ...] = ()
    uploads: tuple[UploadRecord, ...] = ()
    """Logs that stations have sent, oldest first."""

    def station(self, station_id: str) -> StationRecord | None:
        """The record of a station, if it ever connected."""
        return next((one for one in self.stations if one.id == station_id), None)

    def transactions_of(self, station_id: str) -> tuple[TransactionRecord, ...]:
        """The transactions of one station, oldest first."""
        return tuple(one for one in self.transactions if one.station_id == station_id)
