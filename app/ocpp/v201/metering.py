"""Meter values: with transactions at an interval, and for the whole station by the clock. Part 2, block J.

Samples that only the end of a transaction tells are rows of `v201.samples`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from app.kernel.clock import Missed, Timer
from app.ocpp.context import Context, Payload
from app.ocpp.outbox import Outbox
from app.ocpp.personality import Block
from app.ocpp.shared.kept_samples import KeptSamples
from app.ocpp.v201.bay import TABLE, Bay
from app.ocpp.v201.device_model import DeviceModel
from app.ocpp.v201.measurands import ReadingContext, meter_value
from app.ocpp.v201.provisioning import Provisioning
from app.station.kinds import Current

SAMPLES = "v201.samples"
ENDED_MOST = 2000
"""Sampled values that the end of a transaction tells at most, apart from those of its begin and its end: some
300 kB, which back offices take."""

UPDATED = "SampledDataCtrlr.TxUpdatedMeasurands"
ENDED = "SampledDataCtrlr.TxEndedMeasurands"
STARTED = "SampledDataCtrlr.TxStartedMeasurands"
ALIGNED = "AlignedDataCtrlr.Measurands"
ALIGNED_ENDED = "AlignedDataCtrlr.TxEndedMeasurands"

POINT = "ocpp201-aligned-during-tx"

Sampled = Callable[[Bay, str, Payload], None]


class Metering(Block):
    """Reads the meters when it is time, and knows how to say what they showed."""

    def __init__(
        self, ctx: Context, model: DeviceModel, office: Provisioning, outbox: Outbox
    ) -> None:
        super().__init__(ctx)
        self._model = model
        self._office = office
        self._outbox = outbox
        self._running: dict[int, Bay] = {}
        self._updated: dict[int, Timer] = {}
        self._ended: dict[int, Timer] = {}
        self._clock_timers: list[Timer] = []
        self.samples = KeptSamples(ctx.store, SAMPLES)
        """What the end of each transaction will tell."""
        self._kind = ctx.points.ahead(POINT)
        self.sampled: Sampled | None = None
        """Tells the running transaction of a bay: trigger reason and meter value."""

    # ---- life

    def start(self) -> None:
        for path in ("SampledDataCtrlr.TxUpdatedInterval", "SampledDataCtrlr.TxEndedInterval"):
            self._model.watch(path, self._rearm_sampling)
        self._model.watch("SampledDataCtrlr.Enabled", self._rearm_sampling)
        for name in ("Interval", "TxEndedInterval", "Enabled"):
            self._model.watch(f"AlignedDataCtrlr.{name}", self._rearm_clock)
        self._rearm_clock()

    def stop(self) -> None:
        super().stop()
        for timer in (*self._updated.values(), *self._ended.values(), *self._clock_timers):
            timer.cancel()

    # ---- what transactions ask

    def value(
        self, evse: int, path: str, context: ReadingContext, at: datetime | None = None
    ) -> Payload | None:
        """What the measurands of a variable read now at an EVSE (0: the main meter)."""
        measurands = self._model.members(path)
        if not measurands:
            return None
        by_phase = not self._model.flag("SampledDataCtrlr.RegisterValuesWithoutPhases")
        if evse == 0:
            reading = self.ctx.station.main_meter()
            if reading is None:
                return None
            return meter_value(
                reading,
                measurands,
                context,
                phases=3,
                register_by_phase=by_phase,
                main_meter=True,
                at=at,
            )
        found = self.ctx.station.snapshot().evse(evse)
        phases = 0 if found.current is Current.DC else found.phases
        reading = self.ctx.station.meter(evse)
        return meter_value(
            reading, measurands, context, phases=phases, register_by_phase=by_phase, at=at
        )

    def register(self, evse: int) -> float:
        """The energy register of an EVSE, Wh."""
        return self.ctx.station.meter(evse).energy_import

    def begin(self, bay: Bay) -> None:
        """A transaction runs at this bay: sample from now on."""
        self._running[bay.evse] = bay
        self._arm(bay.evse)
        self._foresee()

    def end(self, bay: Bay) -> None:
        self._running.pop(bay.evse, None)
        for timers in (self._updated, self._ended):
            timer = timers.pop(bay.evse, None)
            if timer is not None:
                timer.cancel()

    # ---- at an interval from the start of the transaction

    def _rearm_sampling(self) -> None:
        for evse in self._running:
            self._arm(evse)

    def _arm(self, evse: int) -> None:
        for timers in (self._updated, self._ended):
            timer = timers.pop(evse, None)
            if timer is not None:
                timer.cancel()
        if not self._model.flag("SampledDataCtrlr.Enabled", default=True):
            return
        for name, timers, due in (
            ("TxUpdatedInterval", self._updated, self._sample_updated),
            ("TxEndedInterval", self._ended, self._sample_ended),
        ):
            interval = self._model.integer(f"SampledDataCtrlr.{name}")
            if interval > 0:
                timers[evse] = self.ctx.clock.every(
                    interval, partial(due, evse), missed=Missed.LAST
                )

    def _sample_updated(self, evse: int) -> None:
        bay = self._running.get(evse)
        value = self.value(evse, UPDATED, ReadingContext.PERIODIC)
        if bay is not None and value is not None and self.sampled is not None:
            self.sampled(bay, "MeterValuePeriodic", value)

    def _sample_ended(self, evse: int) -> None:
        self._keep(evse, self.value(evse, ENDED, ReadingContext.PERIODIC))

    def _keep(self, evse: int, value: Payload | None) -> None:
        bay = self._running.get(evse)
        if bay is None or bay.transaction is None or value is None:
            return
        transaction = bay.transaction
        transaction.seen = value["timestamp"]
        most = max(2, ENDED_MOST // len(value["sampledValue"]))
        with self.ctx.store.step():  # with the register that was read: it must not fall below
            self.samples.keep(transaction.id, transaction, value, most)
            self.ctx.store.put(TABLE, transaction.id, transaction.row())

    # ---- by the clock

    def _rearm_clock(self) -> None:
        for timer in self._clock_timers:
            timer.cancel()
        self._clock_timers.clear()
        if not self._model.flag("AlignedDataCtrlr.Enabled", default=True):
            return
        for name, due in (("Interval", self._tick), ("TxEndedInterval", self._tick_ended)):
            interval = self._model.integer(f"AlignedDataCtrlr.{name}")
            if interval > 0:
                first = next_aligned(self.ctx.clock.now(), interval)
                self._clock_timers.append(
                    self.ctx.clock.every(interval, due, first=first, missed=Missed.LAST)
                )

    def _tick(self) -> None:
        """J01.FR.14 and .22: every EVSE, and the main meter."""
        at = self.ctx.clock.now()
        busy = [evse for evse, bay in self._running.items() if bay.transaction is not None]
        if busy and self._model.flag("AlignedDataCtrlr.SendDuringIdle"):
            return  # J01.FR.20
        for evse in (0, *(found.id for found in self.ctx.station.snapshot().evses)):
            if evse in busy:
                self._tick_busy(evse, at)
            else:
                self._send(evse, self.value(evse, ALIGNED, ReadingContext.CLOCK, at))

    def _tick_busy(self, evse: int, at: datetime) -> None:
        if self._model.flag(f"AlignedDataCtrlr@{evse}.SendDuringIdle"):
            return  # J01.FR.19
        value = self.value(evse, ALIGNED, ReadingContext.CLOCK, at)
        if value is None:
            return
        # not waited for: what happens next in the transaction would be told before it
        if self._kind.choose() == "metervalues":
            self._send(evse, value)
        elif self.sampled is not None:
            self.sampled(self._running[evse], "MeterValueClock", value)
        self._foresee()

    def _foresee(self) -> None:
        """A beat is foreseen long before it comes: a person who is to be asked can say until then."""
        beats = self._model.flag("AlignedDataCtrlr.Enabled", default=True)
        if (
            beats
            and self._model.integer("AlignedDataCtrlr.Interval")
            and self.ctx.points.asks(POINT)
        ):
            self.ctx.spawn(self._kind.ask(), "open point of the next beat")

    def _tick_ended(self) -> None:
        at = self.ctx.clock.now()
        for evse in tuple(self._running):
            self._keep(evse, self.value(evse, ALIGNED_ENDED, ReadingContext.CLOCK, at))

    def _send(self, evse: int, value: Payload | None, *, asked: bool = False) -> None:
        if value is None:
            return
        payload = {"evseId": evse, "meterValue": [value]}
        self.ctx.spawn(self._say(payload, asked), "meter values")

    async def _say(self, payload: Payload, asked: bool) -> None:
        if not self.ctx.calls.online and self._model.flag("OCPPCommCtrlr.QueueAllMessages"):
            self._outbox.put("MeterValues", payload, ref="meter values")
            return
        await self._office.say("MeterValues", payload, asked=asked)

    def can_tell(self, evse: int | None) -> bool:
        """Is there anything that `trigger()` would send."""
        return bool(self._triggered(evse))

    def trigger(self, evse: int | None) -> None:
        """F06.FR.06: the aligned measurands of one EVSE, or of all."""
        for number, value in self._triggered(evse):
            self._send(number, value, asked=True)

    def _triggered(self, evse: int | None) -> list[tuple[int, Payload]]:
        evses = [found.id for found in self.ctx.station.snapshot().evses]
        wanted = [0, *evses] if evse is None else [evse]
        values = [
            (number, self.value(number, ALIGNED, ReadingContext.TRIGGER)) for number in wanted
        ]
        return [(number, value) for number, value in values if value is not None]


def next_aligned(now: datetime, interval: int) -> datetime:
    """The next instant that lies a whole number of intervals after midnight (UTC)."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    passed = (now - midnight).total_seconds()
    number = int(passed // interval) + 1
    following = midnight + timedelta(seconds=number * interval)
    return min(following, midnight + timedelta(days=1))
