"""One transaction while it grows: events, seqNo check, energy and cost."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from app.training.records import Sample, TransactionEventRecord, TransactionRecord
from app.training.settings import Tariff

EVENT_LIMIT = 5_000
SAMPLE_LIMIT = 5_000
SEQ_NO_LIMIT = 100_000  # a wrong frame may carry any number
IMPORT_REGISTER = "Energy.Active.Import.Register"


class Transaction:
    """What one station told about one transaction. Energy in Wh."""

    def __init__(
        self, key: str, id_: str, station_id: str, version: str, tariff: Tariff | None
    ) -> None:
        self.key = key
        self.id = id_
        self.station_id = station_id
        self.version = version
        self.active = True
        self.evse: int | None = None
        self.connector: int | None = None
        self.id_token = ""
        self.token_accepted = False
        self.started_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.meter_start_wh: float | None = None
        self.meter_last_wh: float | None = None
        self.stop_reason = ""
        self.charging_state = ""
        self._tariff = tariff
        self._resent = 0
        self._seen: dict[Any, Mapping[str, Any]] = {}
        self._seq_nos: set[int] = set()
        self._events: deque[TransactionEventRecord] = deque(maxlen=EVENT_LIMIT)
        self._samples: deque[Sample] = deque(maxlen=SAMPLE_LIMIT)
        self._record: TransactionRecord | None = None

    @property
    def energy_wh(self) -> float | None:
        """Energy delivered so far, None while the meter was not told twice."""
        if self.meter_start_wh is None or self.meter_last_wh is None:
            return None
        return self.meter_last_wh - self.meter_start_wh

    @property
    def cost(self) -> float | None:
        """What it costs so far; None without a tariff or without meter values."""
        energy = self.energy_wh
        return None if self._tariff is None or energy is None else self._tariff.cost(energy)

    def is_resent(self, identity: object, payload: Mapping[str, Any]) -> bool:
        """Whether this very message was told before; remembers it."""
        if self._seen.get(identity) == payload:
            return True
        self._seen[identity] = payload
        return False

    def add(self, event: TransactionEventRecord) -> None:
        """Keep an event, resent ones too."""
        self._events.append(event)
        if event.resent:
            self._resent += 1
        if event.seq_no is not None:
            self._seq_nos.add(event.seq_no)

    def measure(self, samples: Iterable[Sample]) -> None:
        """Keep samples and read the energy register out of them."""
        for sample in samples:
            self._samples.append(sample)
            if sample.measurand == IMPORT_REGISTER and not sample.phase:
                self._read_register(sample)

    def register(self, value_wh: float) -> None:
        """A reading of the energy register; the first is the start, the highest the end."""
        if self.meter_start_wh is None:
            self.meter_start_wh = value_wh
        self.meter_last_wh = max(value_wh, self.meter_last_wh or value_wh)

    def touch(self) -> None:
        """Something changed: the next record is made anew."""
        self._record = None

    def missing_seq_nos(self) -> tuple[int, ...]:
        """The gaps in the sequence numbers, counted from 0."""
        if not self._seq_nos:
            return ()
        upto = min(max(self._seq_nos), SEQ_NO_LIMIT)
        return tuple(sorted(set(range(upto)) - self._seq_nos))

    def record(self) -> TransactionRecord:
        """The state now, immutable."""
        if self._record is None:
            self._record = self._build()
        return self._record

    def _build(self) -> TransactionRecord:
        return TransactionRecord(
            key=self.key,
            id=self.id,
            station_id=self.station_id,
            version=self.version,
            active=self.active,
            evse=self.evse,
            connector=self.connector,
            id_token=self.id_token,
            started_at=self.started_at,
            ended_at=self.ended_at,
            meter_start_wh=self.meter_start_wh,
            meter_last_wh=self.meter_last_wh,
            energy_wh=self.energy_wh,
            cost=self.cost,
            stop_reason=self.stop_reason,
            charging_state=self.charging_state,
            events=tuple(self._events),
            samples=tuple(self._samples),
            missing_seq_nos=self.missing_seq_nos(),
            resent=self._resent,
        )

    def _read_register(self, sample: Sample) -> None:
        if isinstance(sample.value, float) and sample.location in {"", "Outlet"}:
            factor = 1000 if sample.unit.casefold() == "kwh" else 1
            self.register(sample.value * factor)
