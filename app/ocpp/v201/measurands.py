"""A meter reading in the words of 2.0.1: measurands, phases, units. Pure. Part 2, block J.

All values of one MeterValue share one timestamp (J01.FR.17). Which phases there are is the meter's point
of view (J02.FR.07): a DC meter has none, a single-phase one only L1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import Enum

from app.kernel.units import stamp
from app.ocpp.context import Payload
from app.station.snapshot import MeterReading, Phases


class ReadingContext(Enum):
    """ReadingContextEnumType: why a value was read."""

    BEGIN = "Transaction.Begin"
    END = "Transaction.End"
    PERIODIC = "Sample.Periodic"
    CLOCK = "Sample.Clock"
    TRIGGER = "Trigger"


SUPPORTED = (
    "Current.Import",
    "Current.Offered",
    "Energy.Active.Import.Register",
    "Frequency",
    "Power.Active.Import",
    "Power.Factor",
    "Power.Offered",
    "SoC",
    "Voltage",
)
"""What the meters of the machine can give."""

_PLAIN: dict[str, tuple[Callable[[MeterReading], float], str, int]] = {
    "Current.Offered": (lambda reading: reading.offered_current, "A", 1),
    "Frequency": (lambda reading: reading.frequency, "Hz", 2),
    "Power.Factor": (lambda reading: reading.power_factor, "", 2),
    "Power.Offered": (lambda reading: reading.offered_power, "W", 0),
}


def meter_value(
    reading: MeterReading,
    measurands: Iterable[str],
    context: ReadingContext,
    *,
    phases: int,
    register_by_phase: bool,
    main_meter: bool = False,
    at: datetime | None = None,
) -> Payload | None:
    """A MeterValueType, or None when the meter has none of the measurands. `phases` 0: DC."""
    samples: list[Payload] = []
    for measurand in measurands:
        if main_meter and measurand in ("Current.Offered", "Power.Offered", "SoC"):
            continue  # J01.FR.14: a grid meter knows neither offers nor batteries
        named = {"measurand": measurand, "context": context.value}
        found = _samples(reading, measurand, phases, register_by_phase)
        samples.extend({**sample, **named} for sample in found)
    if not samples:
        return None
    return {"timestamp": stamp(at or reading.at), "sampledValue": samples}


def _samples(
    reading: MeterReading, measurand: str, phases: int, register_by_phase: bool
) -> list[Payload]:
    if measurand == "Energy.Active.Import.Register":
        total = _sample(reading.energy_import, "Wh", 1)
        if not register_by_phase or phases < 2:
            return [total]
        return [total, *_by_phase(reading.energy_import_phases, phases, "Wh", 1)]
    if measurand == "Power.Active.Import":
        total = _sample(reading.power, "W", 1)
        return [total] + (_by_phase(reading.power_phases, phases, "W", 1) if phases > 1 else [])
    if measurand == "Current.Import":
        return _by_phase(reading.currents, phases, "A", 2)
    if measurand == "Voltage":
        return _by_phase(reading.voltages, phases, "V", 1, to_neutral=True)
    if measurand == "SoC":
        if reading.soc is None:
            return []
        return [{**_sample(reading.soc, "Percent", 1), "location": "EV"}]
    if measurand in _PLAIN:
        read, unit, digits = _PLAIN[measurand]
        return [_sample(read(reading), unit, digits)]
    return []


def _by_phase(
    values: Phases, phases: int, unit: str, digits: int, *, to_neutral: bool = False
) -> list[Payload]:
    if phases < 1:
        return [_sample(values[0], unit, digits)]
    suffix = "-N" if to_neutral else ""
    return [
        {**_sample(value, unit, digits), "phase": f"L{number}{suffix}"}
        for number, value in enumerate(values[:phases], start=1)
    ]


def _sample(value: float, unit: str, digits: int) -> Payload:
    sample: Payload = {"value": round(value, digits)}
    if unit:
        sample["unitOfMeasure"] = {"unit": unit}
    return sample
