"""What caps the power of an EVSE: rating, cable, the controller's offer, faults, the car, the grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.kernel.text import Text
from app.kernel.units import MIN_AC_CURRENT
from app.station.blueprint import EvseSpec
from app.station.commands import OfferLimit
from app.station.faults import HOT_SHARE, READERLESS_DC_SHARE, fault_name
from app.station.kinds import Current, Fault
from app.station.power import UNLIMITED, Limit, Line, tightest
from app.station.supply import CONVERTER_EFFICIENCY
from app.station.vehicle import Vehicle

EMPTY_PACK = 400.0
"""V: what DC limits in A are shown for while no car is plugged."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What could flow at an EVSE now, before the grid connection is shared. Currents in A per phase."""

    line: Line
    limits: tuple[Limit, ...]
    """Of the station side, without the share of the grid."""
    allowed: float
    """The tightest of them."""
    takes: float
    """What the car would draw of that, 0 without a car."""


class Caps:
    """The limits that an EVSE has by its build; those of the moment come as arguments."""

    def __init__(self, spec: EvseSpec, grid_voltage: float) -> None:
        self.spec, self.grid_voltage = spec, grid_voltage
        self.dc = spec.current is Current.DC
        self._cables = [
            Limit(Text("station.cap.cable", {"amps": one.max_current}), amps=one.max_current)
            for one in spec.connectors
        ]
        name = Text("station.cap.rating", {"kw": round(spec.max_power / 1000.0, 1)})
        if self.dc:
            self._rating = Limit(name, watts=spec.max_power)
        else:  # each phase carries its part and no more, also for a car of one phase
            self._rating = Limit(name, amps=spec.max_power / grid_voltage / spec.phases)

    def line(self, car: Vehicle | None, offer: OfferLimit) -> Line:
        """What current flows through: the phases or the battery of the plugged car."""
        if self.dc:
            return Line(Current.DC, car.pack_voltage() if car is not None else EMPTY_PACK, 1)
        phases = min(self.spec.phases, offer.phases or 3, car.ac_phases if car is not None else 3)
        return Line(Current.AC, self.grid_voltage, max(1, phases))

    def prospect(
        self, connector: int, car: Vehicle | None, offer: OfferLimit, derating: Sequence[Fault]
    ) -> Prospect:
        """`connector` 0: none is chosen yet; `car`: the plugged one; `derating`: faults that do so."""
        line = self.line(car, offer)
        limits = [self._rating]
        if connector:
            limits.append(self._cables[connector - 1])
        if offer.amps is not None or offer.watts is not None:
            limits.append(_offered(offer))
        for fault in derating:
            limits.append(self._derated(fault, line, limits, car))
        allowed = tightest(line, limits)
        takes = min(allowed, car.takes(line)) if car is not None else 0.0
        return Prospect(line, tuple(limits), allowed, takes)

    def share(self, amps: float) -> Limit:
        """A part of the grid connection (A per phase) as a limit on this side of the converter."""
        name = Text("station.cap.supply")
        if self.dc:
            return Limit(name, watts=amps * self._grid_watts_per_amp())
        return Limit(name, amps=amps)

    def on_grid(self, prospect: Prospect) -> float:
        """A per phase of the grid that the car would draw."""
        if self.dc:
            return prospect.line.watts(prospect.takes) / self._grid_watts_per_amp()
        return prospect.takes

    def _derated(self, fault: Fault, line: Line, others: list[Limit], car: Vehicle | None) -> Limit:
        name = fault_name(fault)
        if fault is Fault.READER_LOST:
            least = READERLESS_DC_SHARE * self.spec.max_power
            return Limit(name, watts=least) if self.dc else Limit(name, amps=MIN_AC_CURRENT)
        takes = car.takes(line) if car is not None else UNLIMITED
        half = HOT_SHARE * min(takes, tightest(line, others))
        return Limit(name, amps=half if self.dc else max(half, MIN_AC_CURRENT))

    def _grid_watts_per_amp(self) -> float:
        """W on the DC side that 1 A per phase of the grid gives."""
        return self.grid_voltage * self.spec.phases * CONVERTER_EFFICIENCY


def _offered(offer: OfferLimit) -> Limit:
    return Limit(
        offer.source or Text("station.cap.offer"),
        UNLIMITED if offer.amps is None else offer.amps,
        UNLIMITED if offer.watts is None else offer.watts,
    )
