"""Meter readings in the words of 1.6: sampledValue elements from one reading."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.kernel.units import stamp
from app.ocpp.v16.keys import REGISTER
from app.station.snapshot import MeterReading, Phases

INTERVAL = "Energy.Active.Import.Interval"

_LINES = ("L1", "L2", "L3")
_NEUTRAL = ("L1-N", "L2-N", "L3-N")

UNITS: dict[str, str | None] = {
    REGISTER: "Wh",
    INTERVAL: "Wh",
    "Energy.Active.Export.Register": "Wh",
    "Energy.Active.Export.Interval": "Wh",
    "Energy.Reactive.Import.Register": "varh",
    "Energy.Reactive.Import.Interval": "varh",
    "Energy.Reactive.Export.Register": "varh",
    "Energy.Reactive.Export.Interval": "varh",
    "Power.Active.Import": "W",
    "Power.Active.Export": "W",
    "Power.Reactive.Import": "var",
    "Power.Reactive.Export": "var",
    "Power.Offered": "W",
    "Power.Factor": None,
    "Current.Import": "A",
    "Current.Export": "A",
    "Current.Offered": "A",
    "Voltage": "V",
    # errata 3.86: 1.6 has no word for Hertz
    "Frequency": None,
    "Temperature": "Celsius",
    "SoC": "Percent",
    "RPM": None,
}
"""What the meter can tell, and in which unit: all measurands of 1.6."""

PHASED: dict[str, tuple[str, ...]] = {
    REGISTER: _LINES,
    "Energy.Active.Export.Register": _LINES,
    "Energy.Reactive.Import.Register": _LINES,
    "Energy.Reactive.Export.Register": _LINES,
    "Power.Active.Import": _LINES,
    "Power.Active.Export": _LINES,
    "Power.Reactive.Import": _LINES,
    "Power.Reactive.Export": _LINES,
    "Power.Factor": _LINES,
    "Current.Import": _LINES,
    "Current.Export": _LINES,
    "Voltage": _NEUTRAL,
}

ALTERNATING = frozenset(
    ["Power.Factor", "Frequency", *(name for name in UNITS if ".Reactive." in name)]
)
"""What direct current has not got."""

_PLACES = {"SoC": "EV", "Temperature": "Body", "RPM": "Body"}


@dataclass(frozen=True, slots=True)
class Wish:
    """One item of a measurand list: the measurand and, if named, the one phase that is wanted."""

    measurand: str
    phase: str | None = None


def parse(item: str) -> Wish | None:
    """An item such as `Voltage` or `Voltage.L1`; None when the meter cannot measure it (MV-04)."""
    if item in UNITS:
        return Wish(item)
    measurand, _, phase = item.rpartition(".")
    if measurand in PHASED and phase in (*_LINES, *PHASED[measurand]):
        return Wish(measurand, phase)
    return None


def meter_value(
    reading: MeterReading,
    wishes: list[Wish],
    context: str,
    *,
    direct: bool = False,
    since: float | None = None,
    location: str = "Outlet",
) -> dict[str, Any] | None:
    """A MeterValue of all that was wished for, None if the meter has none of it.

    `direct`: the meter sits in a DC outlet and knows no phases. `since` is the register in Wh at the
    sample before, for the interval measurand.
    """
    values: list[dict[str, Any]] = []
    for wish in wishes:
        for measurand, phase, value in _values(reading, wish, direct, since):
            item = _value(measurand, value, context, location)
            values.append(item | {"phase": phase} if phase else item)
    if not values:
        return None
    return {"timestamp": stamp(reading.at), "sampledValue": values}


def _values(
    reading: MeterReading, wish: Wish, direct: bool, since: float | None
) -> Iterator[tuple[str, str | None, float]]:
    """Measurand, phase and value: the total first, then each phase that the meter has (MV-15)."""
    total = _total(reading, wish.measurand, direct, since)
    if wish.phase is None and total is not None:
        yield wish.measurand, None, total
    if direct:
        return
    columns = _columns(reading).get(wish.measurand, (0.0, 0.0, 0.0))
    for index, phase in enumerate(PHASED.get(wish.measurand, ())):
        wanted = wish.phase in (None, phase, _LINES[index])
        # a phase without voltage is one that the outlet has not got
        if wanted and reading.voltages[index] > 0:
            yield wish.measurand, wish.phase or phase, columns[index]


def _total(
    reading: MeterReading, measurand: str, direct: bool, since: float | None
) -> float | None:
    if direct and measurand in ALTERNATING:
        return None
    interval = max(0.0, reading.energy_import - since) if since is not None else 0.0
    values: dict[str, float | None] = {
        REGISTER: reading.energy_import,
        INTERVAL: interval,
        "Energy.Reactive.Import.Register": reading.energy_import * _reactive_share(reading),
        "Energy.Reactive.Import.Interval": interval * _reactive_share(reading),
        "Power.Active.Import": reading.power,
        "Power.Reactive.Import": reading.power * _reactive_share(reading),
        "Power.Offered": reading.offered_power,
        "Power.Factor": reading.power_factor,
        # on AC the phases tell it
        "Current.Import": reading.currents[0] if direct else None,
        "Current.Export": 0.0 if direct else None,
        "Current.Offered": reading.offered_current,
        "Voltage": reading.voltages[0] if direct else None,
        "Frequency": reading.frequency,
        "Temperature": reading.temperature,
        "SoC": reading.soc,
        "RPM": reading.fan_speed,
    }
    # no car of ours feeds back
    return values.get(measurand, 0.0)


def _columns(reading: MeterReading) -> dict[str, Phases]:
    share = _reactive_share(reading)
    one, two, three = reading.energy_import_phases
    a, b, c = reading.power_phases
    factor = reading.power_factor
    return {
        REGISTER: reading.energy_import_phases,
        "Energy.Reactive.Import.Register": (one * share, two * share, three * share),
        "Power.Active.Import": reading.power_phases,
        "Power.Reactive.Import": (a * share, b * share, c * share),
        "Power.Factor": (factor, factor, factor),
        "Current.Import": reading.currents,
        "Voltage": reading.voltages,
    }


def _reactive_share(reading: MeterReading) -> float:
    """Reactive for active: the tangent of the angle whose cosine is the power factor."""
    factor = min(1.0, max(0.01, reading.power_factor))
    return math.sqrt(1.0 - factor * factor) / factor


def _value(measurand: str, value: float, context: str, location: str) -> dict[str, Any]:
    item: dict[str, Any] = {
        "value": _number(measurand, value),
        "context": context,
        "measurand": measurand,
        "location": _PLACES.get(measurand, location),
    }
    unit = UNITS[measurand]
    if unit:
        item["unit"] = unit
    return item


def _number(measurand: str, value: float) -> str:
    """The register in whole Wh, cut and not rounded: meterStop and samples then never disagree."""
    if measurand.startswith("Energy.") or measurand in ("SoC", "RPM"):
        return str(int(value))
    fine = measurand.startswith("Current.") or measurand in ("Frequency", "Power.Factor")
    return f"{value:.{2 if fine else 1}f}"
