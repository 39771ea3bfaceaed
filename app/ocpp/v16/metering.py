"""Meter values: sampled from the start of a transaction, aligned to the clock, and for its end
(1.6 part 3.16 and 4.7)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from app.kernel.bus import Entry
from app.kernel.clock import Missed, Timer
from app.kernel.units import stamp
from app.ocpp.context import CallFailed, Context, Payload
from app.ocpp.events import SettingChanged
from app.ocpp.personality import Block
from app.ocpp.v16.book import Book
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.connectors import Connector, Connectors
from app.ocpp.v16.delivery import METER, Delivery
from app.ocpp.v16.measurands import Wish, meter_value
from app.ocpp.v16.rotation import on_grid, rotations
from app.ocpp.v16.rows import Transaction
from app.ocpp.v16.signing import Signing
from app.station.kinds import Current
from app.station.snapshot import MeterReading

SAMPLED = "MeterValuesSampledData"
ALIGNED = "MeterValuesAlignedData"
STOP_SAMPLED = "StopTxnSampledData"
STOP_ALIGNED = "StopTxnAlignedData"
START_SAMPLED = "StartTxnSampledData"
MAIN_METER = "SampleMainMeter"

BEGIN, END = "Transaction.Begin", "Transaction.End"
PERIODIC, CLOCK, TRIGGER = "Sample.Periodic", "Sample.Clock", "Trigger"


POINT = "ocpp16-metervalues-begin-context"


class Metering(Block):
    """The meter values of all connectors."""

    def __init__(
        self,
        ctx: Context,
        config: Configuration,
        connectors: Connectors,
        book: Book,
        delivery: Delivery,
        signing: Signing,
    ) -> None:
        super().__init__(ctx)
        self._signing = signing
        self._config = config
        self._context = ctx.points.ahead(POINT)
        self._connectors = connectors
        self._book = book
        self._delivery = delivery
        self._timers: dict[str, Timer] = {}
        self._clock_timer: Timer | None = None
        self._marks: dict[tuple[int, str], int] = {}
        """The register in Wh where an interval began, by connector and by what it lasts between: samples of
        a transaction, or beats of the clock."""

    # ------------------------------------------------------------------ block

    def start(self) -> None:
        self.on(self._on_setting, SettingChanged)
        self._arm_clock()

    def stop(self) -> None:
        super().stop()
        for ref in list(self._timers):
            self._disarm(ref)
        if self._clock_timer is not None:
            self._clock_timer.cancel()

    def _on_setting(self, entry: Entry) -> None:
        event = entry.event
        if not isinstance(event, SettingChanged):
            return
        if event.name == "MeterValueSampleInterval":
            for item in self._connectors.running():
                self._arm(item)
        elif event.name == "ClockAlignedDataInterval":
            self._arm_clock()

    # ------------------------------------------------------------------ of a transaction

    def begin(self, item: Connector, reading: MeterReading) -> None:
        """A transaction has been written down: queue and keep its opening values, start sampling.

        Inside the store step of the transaction.
        """
        transaction = item.transaction
        if transaction is None:
            return
        self._marks[item.number, PERIODIC] = int(reading.energy_import)
        choice = self._context.choose()
        first = self._config.wishes(START_SAMPLED)
        if choice == "begin-in-first" and not first:
            first = self._config.wishes(SAMPLED)
        self._queue(transaction, reading, first, BEGIN)
        if self._signing.kept():
            wishes = self._signing.kept_wishes(self._stop_wishes())
            self._keep(transaction, reading, wishes, BEGIN, signed=True)
        elif choice in ("begin-end-in-stop-data", "periodic-only"):
            context = BEGIN if choice == "begin-end-in-stop-data" else PERIODIC
            self._keep(transaction, reading, self._stop_wishes(), context)
        self._book.save(transaction)

    def started(self, item: Connector) -> None:
        """Sample from now on."""
        self._arm(item)
        if self.ctx.points.asks(POINT):
            self.ctx.spawn(self.foresee(), "open point of the end of a transaction")

    def end(self, item: Connector, reading: MeterReading) -> list[Payload]:
        """Queue the closing values; returns transactionData, empty where there is none (MV-03).

        Inside the store step of the transaction's end.
        """
        transaction = item.transaction
        if transaction is None:
            return []
        self._disarm(transaction.ref)
        return self.close(transaction, reading)

    def close(self, transaction: Transaction, reading: MeterReading) -> list[Payload]:
        """As `end`, also for a transaction of an earlier power cycle."""
        choice = self._context.choose()
        if choice == "begin-in-first":
            self._queue(transaction, reading, self._config.wishes(SAMPLED), END)
        values = self._book.samples.all(transaction.ref, transaction)
        signed, wishes, context = self._signing.kept(), self._stop_wishes(), END
        if signed:
            wishes = self._signing.kept_wishes(wishes)
        elif choice == "periodic-only":
            context = PERIODIC
        if signed or choice in ("begin-end-in-stop-data", "periodic-only"):
            closing = self._of(transaction, reading, wishes, context, signed=signed)
            values += [closing] if closing is not None else []
        self._book.samples.drop(transaction.ref, transaction)
        if not wishes:
            return []
        return thinned(values, self._config.number("StopTransactionMaxMeterValues"))

    async def foresee(self) -> None:
        """Awaited before a transaction begins, where there is time.

        The values are read and kept in the step in which it begins or ends: then it is too late to ask.
        """
        await self._context.ask()

    def _stop_wishes(self) -> list[Wish]:
        wishes = self._config.wishes(STOP_SAMPLED) + self._config.wishes(STOP_ALIGNED)
        return list(dict.fromkeys(wishes))

    def _arm(self, item: Connector) -> None:
        if item.transaction is None:
            return
        self._disarm(item.transaction.ref)
        interval = self._config.number("MeterValueSampleInterval")
        if interval > 0:
            self._timers[item.transaction.ref] = self.ctx.clock.every(
                interval, lambda: self._sample(item), missed=Missed.ALL
            )

    def _disarm(self, ref: str) -> None:
        timer = self._timers.pop(ref, None)
        if timer is not None:
            timer.cancel()

    def _sample(self, item: Connector) -> None:
        transaction = item.transaction
        if transaction is None:
            return
        reading = self.ctx.station.meter(item.evse)
        with self.ctx.store.step():
            self._queue(transaction, reading, self._config.wishes(SAMPLED), PERIODIC)
            self._keep(transaction, reading, self._config.wishes(STOP_SAMPLED), PERIODIC)
            self._marks[item.number, PERIODIC] = int(reading.energy_import)
            self._note(transaction, reading)
        self._delivery.kick()
        first = min(other.number for other in self._connectors.running())
        if item.number == first and self._config.flag(MAIN_METER):
            self._tell_main(SAMPLED, PERIODIC)

    def _queue(
        self, transaction: Transaction, reading: MeterReading, wishes: list[Wish], context: str
    ) -> None:
        signed = self._signing.sent(context)
        value = self._of(transaction, reading, wishes, context, signed=signed)
        if value is not None:
            payload = {"connectorId": transaction.number, "meterValue": [value]}
            self._delivery.put(METER, payload, transaction)

    def _keep(
        self,
        transaction: Transaction,
        reading: MeterReading,
        wishes: list[Wish],
        context: str,
        *,
        signed: bool = False,
    ) -> None:
        value = self._of(transaction, reading, wishes, context, signed=signed)
        if value is not None:
            most = self._config.number("StopTransactionMaxMeterValues")
            self._book.samples.keep(transaction.ref, transaction, value, max(2, most) * 2)

    def _of(
        self,
        transaction: Transaction,
        reading: MeterReading,
        wishes: list[Wish],
        context: str,
        *,
        signed: bool,
    ) -> Payload | None:
        """A MeterValue of a transaction."""
        since = self._since(transaction.number, context, transaction.meter_last)
        value = self._value(transaction.evse, reading, wishes, context, since)
        if value is None or not signed:
            return value
        return self._signing.signed(value, transaction, reading, context)

    def _value(
        self,
        evse: int,
        reading: MeterReading,
        wishes: list[Wish],
        context: str,
        since: float | None = None,
    ) -> Payload | None:
        direct = self.ctx.station.snapshot().evse(evse).current is Current.DC
        return meter_value(reading, wishes, context, direct=direct, since=since)

    def _since(self, number: int, context: str, other: int | None = None) -> int | None:
        """Where the interval began that ends with such a value: `Interval` measurands tell what came in since
        the last sample, or since the last beat of the clock."""
        return self._marks.get((number, CLOCK if context == CLOCK else PERIODIC), other)

    def _note(self, transaction: Transaction, reading: MeterReading) -> None:
        """Write down that the transaction lived, and how much it had taken."""
        transaction.alive = stamp(reading.at)
        transaction.meter_last = int(reading.energy_import)
        self._book.save(transaction)

    # ------------------------------------------------------------------ aligned to the clock

    def _arm_clock(self) -> None:
        if self._clock_timer is not None:
            self._clock_timer.cancel()
            self._clock_timer = None
        interval = self._config.number("ClockAlignedDataInterval")
        if interval > 0:
            self._mark_beat()
            due = next_beat(self.ctx.clock.now(), interval)
            self._clock_timer = self.ctx.clock.call_at(due, self._beat)

    def _mark_beat(self) -> None:
        """From now on the next interval of the clock counts."""
        for item in self._connectors:
            reading = self.ctx.station.meter(item.evse)
            self._marks[item.number, CLOCK] = int(reading.energy_import)
        main = self.ctx.station.main_meter()
        if main is not None:
            self._marks[0, CLOCK] = int(main.energy_import)

    def _beat(self) -> None:
        for item in self._connectors:
            self._align(item)
        self._tell_main(ALIGNED, CLOCK)
        self._delivery.kick()
        self._arm_clock()

    def _align(self, item: Connector) -> None:
        reading = self.ctx.station.meter(item.evse)
        wishes = self._config.wishes(ALIGNED)
        transaction = item.transaction
        if transaction is None:
            since = self._since(item.number, CLOCK)
            value = self._value(item.evse, reading, wishes, CLOCK, since)
            if value is not None and self._delivery.talking:
                self._send(item.number, value, None)
            return
        with self.ctx.store.step():
            self._queue(transaction, reading, wishes, CLOCK)
            self._keep(transaction, reading, self._config.wishes(STOP_ALIGNED), CLOCK)
            self._note(transaction, reading)

    def _main(self) -> MeterReading | None:
        """The main meter, where there is one, with each connector on the phases it is wired to."""
        main = self.ctx.station.main_meter()
        rotated = rotations(self._config.text("ConnectorPhaseRotation"))
        if main is None or not rotated:
            return main
        outlets: dict[str, list[MeterReading]] = {}
        for item in self._connectors:
            evse, part = self._connectors.hardware(item)
            if item.number in rotated and part.plugged and evse.current is Current.AC:
                reading = self.ctx.station.meter(item.evse)
                outlets.setdefault(rotated[item.number], []).append(reading)
        return on_grid(main, outlets)

    def _tell_main(self, name: str, context: str) -> None:
        """What a list wants of the main meter: each location is told that has a meter (errata 3.14.3)."""
        reading = self._main()
        if reading is None or not self._delivery.talking:
            return
        since = self._since(0, context)
        wishes = self._config.wishes(name)
        value = meter_value(reading, wishes, context, since=since, location="Inlet")
        if value is not None:
            self._send(0, value, None)
        self._marks[0, CLOCK if context == CLOCK else PERIODIC] = int(reading.energy_import)

    # ------------------------------------------------------------------ on demand

    def can_trigger(self) -> bool:
        return bool(self._config.wishes(SAMPLED))

    def trigger(self, number: int) -> None:
        """Send the present values of all MeterValuesSampledData (errata 3.46)."""
        item = self._connectors.get(number)
        wishes = self._config.wishes(SAMPLED)
        if item is None:
            reading = self._main()
            if reading is not None:
                value = meter_value(reading, wishes, TRIGGER, location="Inlet")
                if value is not None:
                    self._send(0, value, None)
            return
        since = self._since(number, TRIGGER) if item.transaction is not None else None
        value = self._value(item.evse, self.ctx.station.meter(item.evse), wishes, TRIGGER, since)
        if value is not None:
            self._send(number, value, item.transaction)

    def _send(self, number: int, value: Payload, transaction: Transaction | None) -> None:
        """Tell values that belong to no queue: now, or never."""
        if not self.ctx.calls.online:
            return
        payload: Payload = {"connectorId": number, "meterValue": [value]}
        if transaction is not None and transaction.transaction_id is not None:
            payload["transactionId"] = transaction.transaction_id
        self.ctx.spawn(self._call(payload), "meter values")

    async def _call(self, payload: Payload) -> None:
        try:
            await self.ctx.calls.call(METER, payload)
        except CallFailed:
            return


def next_beat(now: datetime, interval: int) -> datetime:
    """The next multiple of `interval` seconds since midnight, UTC (MV-02)."""
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    passed = int((now - midnight).total_seconds() // interval) + 1
    return min(midnight + timedelta(seconds=passed * interval), midnight + timedelta(days=1))


def thinned(values: list[Payload], limit: int) -> list[Payload]:
    """At most `limit` values: every second one between the first and the last goes (MV-05)."""
    limit = max(2, limit)
    while len(values) > limit:
        values = [values[0], *values[2:-1:2], values[-1]]
    return values
