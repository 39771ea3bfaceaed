"""The car: battery, state of charge, charging curve with taper, own limits and moods."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from functools import cache
from typing import Annotated, Literal

from app.kernel.forms import Limits, form
from app.kernel.resources import resource_texts
from app.kernel.text import Text
from app.station.kinds import Current
from app.station.power import Limit, Line
from app.station.snapshot import VehicleSnapshot
from app.station.specs import SpecError, mistake, parse_spec

Percent = Annotated[float, Limits(ge=0, le=100)]
Share = Annotated[float, Limits(gt=0, le=1)]
Knots = tuple[tuple[Percent, Share], ...]

FLAT_UNTIL_NEARLY_FULL: Knots = ((0, 1.0), (93, 1.0), (97, 0.6), (100, 0.15))


@form
class VehicleSpec:
    """A kind of car. capacity in Wh, currents in A (AC: per phase), powers in W, voltages in V, delay in s.

    Curves are knots (state of charge in %, share of the greatest power), straight lines between.
    """

    id: Annotated[str, Limits(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=40)]
    name: Annotated[str, Limits(min_length=1, max_length=40)]
    capacity: Annotated[float, Limits(gt=0, le=2_000_000)]
    ac_phases: Literal[1, 2, 3] = 3
    max_ac_current: Annotated[float, Limits(ge=0, le=80)] = 16
    max_dc_power: Annotated[float, Limits(ge=0, le=2_000_000)] = 0
    """0: the car has no DC inlet."""
    max_dc_current: Annotated[float, Limits(gt=0, le=2000)] = 500
    pack_voltage: tuple[float, float] = (330.0, 400.0)
    """Empty and full."""
    soc: Percent = 30
    target_soc: Percent = 100
    ready_delay: Annotated[float, Limits(ge=0, le=86400)] = 2
    """From the plug to the moment the car asks for energy."""
    efficiency: Annotated[float, Limits(gt=0, le=1)] = 0.92
    """Energy into the battery over energy through the plug, on AC; DC is converted outside."""
    ventilation: bool = False
    ac_curve: Knots = FLAT_UNTIL_NEARLY_FULL
    dc_curve: Knots = FLAT_UNTIL_NEARLY_FULL

    def __post_init__(self) -> None:
        for name, curve in (("ac_curve", self.ac_curve), ("dc_curve", self.dc_curve)):
            socs = [knot[0] for knot in curve]
            if socs != sorted(set(socs)) or socs[0] != 0 or socs[-1] != 100:
                raise mistake("curve", curve=name)
        if not 0 < self.pack_voltage[0] <= self.pack_voltage[1] <= 1500:
            raise mistake("pack_voltage")


@form
class VehicleState:
    """What is kept of a car: how full it is and what it was set to, in the units of `VehicleSpec`."""

    id: str
    soc: Percent
    target_soc: Percent
    capacity: Annotated[float, Limits(gt=0)]
    max_ac_current: Annotated[float, Limits(ge=0)]
    ac_phases: Annotated[int, Limits(ge=1, le=3)]
    max_dc_power: Annotated[float, Limits(ge=0)]
    ready_delay: Annotated[float, Limits(ge=0)]
    paused: bool


@form
class _VehicleFile:
    vehicles: tuple[VehicleSpec, ...]


class VehicleLibrary:
    """The cars that can come, by id."""

    def __init__(self, specs: Iterable[VehicleSpec]) -> None:
        self._specs = {spec.id: spec for spec in specs}

    @classmethod
    def parse(cls, text: str, where: str) -> VehicleLibrary:
        """Read a TOML text with a list `vehicles`. Raises SpecError."""
        specs = parse_spec(_VehicleFile, text, where).vehicles
        ids = [spec.id for spec in specs]
        twice = next((one for one in ids if ids.count(one) > 1), None)
        if twice is not None:
            params = {"where": where, "id": twice}
            raise SpecError(Text("station.spec.vehicle_twice", params))
        return cls(specs)

    @classmethod
    def standard(cls) -> VehicleLibrary:
        """The cars that come with the program."""
        return _standard()

    def __or__(self, other: VehicleLibrary) -> VehicleLibrary:
        """Both; what is in both is taken from `other`."""
        return VehicleLibrary((self._specs | other._specs).values())

    def __contains__(self, vehicle: object) -> bool:
        return vehicle in self._specs

    def __getitem__(self, vehicle: str) -> VehicleSpec:
        return self._specs[vehicle]

    def specs(self) -> tuple[VehicleSpec, ...]:
        return tuple(self._specs.values())


@cache
def _standard() -> VehicleLibrary:
    library = VehicleLibrary(())
    for name, text in resource_texts("vehicles").items():
        library |= VehicleLibrary.parse(text, f"{name}.toml")
    return library


def share_at(curve: Knots, soc: float) -> float:
    """The share of the greatest power that the curve allows at this state of charge (%)."""
    place = bisect_right(curve, soc, key=lambda knot: knot[0])
    if place == 0:
        return curve[0][1]
    if place == len(curve):
        return curve[-1][1]
    (low, first), (high, second) = curve[place - 1], curve[place]
    return first + (second - first) * (soc - low) / (high - low)


class Vehicle:
    """One car: what it is, how full it is, and what it wants. It keeps no time of its own."""

    def __init__(self, spec: VehicleSpec) -> None:
        self.spec = spec
        self.soc = spec.soc
        self.target_soc = spec.target_soc
        self.capacity = spec.capacity
        self.max_ac_current = spec.max_ac_current
        self.ac_phases: int = spec.ac_phases
        self.max_dc_power = spec.max_dc_power
        self.ready_delay = spec.ready_delay
        self.paused = False

    @property
    def full(self) -> bool:
        return self.soc >= self.target_soc

    def fits(self, kind: Current) -> bool:
        """It has an inlet for this kind of current."""
        return self.max_dc_power > 0 if kind is Current.DC else self.max_ac_current > 0

    def pack_voltage(self) -> float:
        low, high = self.spec.pack_voltage
        return low + (high - low) * self.soc / 100.0

    def ac_share(self) -> float:
        """The share of its greatest power that the car takes on AC, as full as it is."""
        return share_at(self.spec.ac_curve, self.soc)

    def _rated_and_share(self, line: Line) -> tuple[float, float]:
        """W, and the share of it that the curve leaves."""
        spec = self.spec
        if line.kind is Current.AC:
            return line.watts(self.max_ac_current), self.ac_share()
        rated = min(self.max_dc_power, spec.max_dc_current * line.voltage)
        return rated, share_at(spec.dc_curve, self.soc)

    def takes(self, line: Line) -> float:
        """A per phase that the car draws at most right now."""
        rated, share = self._rated_and_share(line)
        return line.amps(rated * share)

    def limits(self, line: Line) -> list[Limit]:
        """Why it draws no more: its own rating, and its curve where that is below."""
        rated, share = self._rated_and_share(line)
        name = {"name": self.spec.name}
        limits = [Limit(Text("station.cap.vehicle", name), watts=rated)]
        if share < 1.0:
            soc = {"name": self.spec.name, "soc": round(self.soc)}
            limits.append(Limit(Text("station.cap.curve", soc), watts=rated * share))
        return limits

    def gain(self, kind: Current, watts: float, seconds: float) -> float:
        """Percent that this much energy through the plug adds."""
        return 100.0 * self._stored(kind, watts) * seconds / 3600.0 / self.capacity

    def seconds_to_target(self, kind: Current, watts: float) -> float | None:
        """At this power; None when it will never get there."""
        stored = self._stored(kind, watts)
        if stored <= 0:
            return None
        return max(0.0, self.target_soc - self.soc) / 100.0 * self.capacity * 3600.0 / stored

    def charge(self, kind: Current, watts: float, seconds: float) -> None:
        """Take energy in. The target is met exactly."""
        soc = self.soc + self.gain(kind, watts, seconds)
        self.soc = self.target_soc if soc > self.target_soc - 1e-9 and watts > 0 else soc

    def _stored(self, kind: Current, watts: float) -> float:
        return watts * (self.spec.efficiency if kind is Current.AC else 1.0)

    def snapshot(self, *, ready: bool, soc: float, seconds_left: float | None) -> VehicleSnapshot:
        return VehicleSnapshot(
            id=self.spec.id,
            name=self.spec.name,
            soc=soc,
            target_soc=self.target_soc,
            capacity=self.capacity,
            ac_phases=self.ac_phases,
            max_ac_current=self.max_ac_current,
            max_dc_power=self.max_dc_power,
            paused=self.paused,
            ready=ready,
            seconds_left=seconds_left,
        )

    def export(self, soc: float) -> VehicleState:
        """What is kept of it; `soc` as of now."""
        return VehicleState(
            id=self.spec.id,
            soc=soc,
            target_soc=self.target_soc,
            capacity=self.capacity,
            max_ac_current=self.max_ac_current,
            ac_phases=self.ac_phases,
            max_dc_power=self.max_dc_power,
            ready_delay=self.ready_delay,
            paused=self.paused,
        )

    def restore(self, state: VehicleState) -> None:
        """Take over what `export` gave."""
        self.soc, self.target_soc = state.soc, state.target_soc
        self.capacity = state.capacity
        self.max_ac_current, self.ac_phases = state.max_ac_current, state.ac_phases
        self.max_dc_power = state.max_dc_power
        self.ready_delay, self.paused = state.ready_delay, state.paused
