"""One place to charge: its connectors, its meter, the car in its bay, and whether energy flows.

`settle()` is the heart: from all that holds now it derives pilot, contactor, phases and flow, and tells
what is different from before. No order changes those directly, so they cannot come to disagree.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.kernel.bus import Event
from app.kernel.text import Text
from app.kernel.units import MIN_AC_CURRENT
from app.station import pilot
from app.station.blueprint import EvseSpec
from app.station.commands import OfferLimit
from app.station.connector import Connector
from app.station.events import (
    ContactorChanged,
    FlowChanged,
    LockChanged,
    PhasesChanged,
    PilotChanged,
)
from app.station.faults import Lying, fault_name
from app.station.kinds import Effect, Fault, Flow
from app.station.limits import Caps, Prospect
from app.station.meter import ZERO, Meter
from app.station.power import Limit, Line
from app.station.snapshot import Phases, ReservationSnapshot
from app.station.supply import Want
from app.station.vehicle import Vehicle

Emit = Callable[[Event], None]

RUNNING = (Flow.CHARGING, Flow.SUSPENDED_EV, Flow.SUSPENDED_EVSE)

AMBIENT = 22.0
FULL_LOAD_RISE = 28.0
THERMAL_SECONDS = 420.0
"""Degrees Celsius, and the time constant of the housing."""


@dataclass(frozen=True, slots=True)
class Permission:
    """The controller's leave to give energy. `turn`: who came first."""

    connector: int | None
    turn: int


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the rest of the station means for an EVSE: mains, and the faults that hit each connector."""

    elapsed: float
    powered: bool
    hits: dict[int, tuple[Lying, ...]]
    """By connector; 0: what hits the EVSE as a whole. Only faults that count here."""

    def tripping(self, connector: int) -> Lying | None:
        return next((lying for lying in self.hits[connector] if lying.effect is Effect.TRIP), None)

    def blocking(self, connector: int) -> Lying | None:
        """What keeps a new charge from being started."""
        return next(
            (lying for lying in self.hits[connector] if lying.effect is not Effect.WARN), None
        )


class Evse:
    """State of one EVSE. Powers in W, currents in A per phase, times in elapsed seconds."""

    def __init__(self, number: int, spec: EvseSpec, grid_voltage: float, seed: int) -> None:
        self.number, self.spec = number, spec
        self.connectors = [Connector(n, one) for n, one in enumerate(spec.connectors, 1)]
        self.caps = Caps(spec, grid_voltage)
        self.meter = Meter(seed, f"evse{number}")
        self.plugged: Connector | None = None
        """Where the car hangs."""
        self.vehicle: Vehicle | None = None
        """The car in the bay, plugged or not."""
        self.operative = True
        self.permission: Permission | None = None
        self.suspended = False
        self.offer = OfferLimit(number)
        self.reservation: ReservationSnapshot | None = None
        self.ordered_text: Text | None = None
        self.flow = Flow.IDLE
        self.contactor_closed = False
        self.currents: Phases = ZERO
        self.powers: Phases = ZERO
        self.phases_used = 0
        self.limit = 0.0
        """A per phase that the station side allows now."""
        self.share = 0.0
        """A per phase of the grid connection that may be drawn here."""
        self.plugged_at = 0.0
        self.ready_at = 0.0
        self.session_since: datetime | None = None
        self.session_start = 0.0
        self.session_over = False
        """The controller has ended a session of this visit: the next one has figures of its own."""
        self.was_permitted = False
        """There has been a permission since the cable went in."""
        self._phases_told: int | None = None
        self._heat = (0.0, AMBIENT, AMBIENT)

    # ---- what is the case

    @property
    def focus(self) -> int:
        """The connector that faults are looked up for: the plugged one, the only one, else 0."""
        if self.plugged is not None:
            return self.plugged.number
        return 1 if len(self.connectors) == 1 else 0

    @property
    def power(self) -> float:
        return sum(self.powers)

    @property
    def permitted_here(self) -> bool:
        """A car is plugged where the permission counts."""
        plugged = self.plugged
        return (
            plugged is not None
            and self.permission is not None
            and self.permission.connector in (None, plugged.number)
        )

    @property
    def running(self) -> bool:
        return self.flow in RUNNING

    @property
    def plugged_car(self) -> Vehicle | None:
        return self.vehicle if self.plugged is not None else None

    def line(self) -> Line:
        return self.caps.line(self.plugged_car, self.offer)

    def prospect(self, conditions: Conditions) -> Prospect:
        """What could flow here now, before the grid connection is shared."""
        hits = conditions.hits[self.focus]
        derating = [lying.fault for lying in hits if lying.effect is Effect.DERATE]
        return self.caps.prospect(self.focus, self.plugged_car, self.offer, derating)

    def want(self, prospect: Prospect, conditions: Conditions) -> Want | None:
        """What it would draw from the grid if it were alone; None: nothing now."""
        if not self._may_flow(conditions) or not prospect.line.carries(prospect.allowed):
            return None
        car = self.vehicle
        if car is None or car.spec.ventilation or self._car_rests(conditions) is not None:
            return None
        amps = self.caps.on_grid(prospect)
        if self.caps.dc:
            return Want(amps)
        # no less than 6 A can be offered, even to a car that takes less
        return Want(max(amps, MIN_AC_CURRENT), least=MIN_AC_CURRENT)

    def demand(self, at: float) -> object:
        """All that decides the power here and changes with time alone: while it stays, so does the power."""
        car = self.vehicle
        if car is None or not self.running:
            return None
        return at >= self.ready_at, car.full, car.soc if self.caps.dc else car.ac_share()

    # ---- changes

    def connect(self, connector: Connector | None) -> None:
        """Hang the car on this connector, or on none."""
        if self.plugged is not None:
            self.plugged.plugged = False
        self.plugged = connector
        if connector is not None:
            connector.plugged = True

    def clear_offer(self) -> None:
        self.offer = OfferLimit(self.number)

    def begin_stay(self, now: datetime) -> None:
        """Figures of a visit count from the permission or the plug, whichever comes first.

        Those of a second session in the same visit count from its permission.
        """
        if self.session_since is None or self.session_over:
            self.session_since, self.session_start = now, self.meter.energy
            self.session_over = False

    def end_stay(self) -> None:
        self.session_since, self.session_start = None, self.meter.energy
        self.was_permitted = self.session_over = False

    def end_session(self) -> None:
        """The controller takes the permission back; figures stand until the next one or the plug goes."""
        if self.permission is not None:
            self.session_over = True
            self.lose_permission()

    def lose_permission(self) -> None:
        self.permission = None
        if self.plugged is None:
            self.end_stay()

    # ---- settling

    def lock_up(self, emit: Emit) -> None:
        """Hold the plug once a permitted car hangs on it."""
        plugged = self.plugged
        if plugged is None or not self.permitted_here or not plugged.spec.lock:
            return
        if not plugged.bolt_out and not plugged.jammed:
            plugged.bolt_out = True
            emit(LockChanged(self.number, plugged.number, plugged.lock))

    def settle(self, prospect: Prospect, share: float, conditions: Conditions, emit: Emit) -> None:
        """Bring pilot, contactor, phases, power and flow in line with what holds now."""
        self._drop_permission(conditions)
        line, limit = prospect.line, self.caps.share(share)
        self.share, self.limit = share, max(0.0, min(prospect.allowed, limit.on(line)))
        flow, why = self._decide(line, [*prospect.limits, limit], conditions)
        charging = flow is Flow.CHARGING
        amps = min(self.limit, prospect.takes) if charging else 0.0
        self.currents, self.powers = line.spread(amps) if amps > 0 else (ZERO, ZERO)
        self.phases_used = line.phases if charging and not self.caps.dc else 0
        self._warm(conditions.elapsed)
        self._move_pilots(flow, conditions, emit)
        self._move_contactor(charging, conditions, emit)
        self._tell_phases(charging, emit)
        if flow is not self.flow:
            before, self.flow = self.flow, flow
            emit(FlowChanged(self.number, before, flow, why))

    def temperature(self, elapsed: float) -> float:
        """Degrees Celsius of the housing."""
        since, base, goal = self._heat
        return goal + (base - goal) * math.exp(-(elapsed - since) / THERMAL_SECONDS)

    def _drop_permission(self, conditions: Conditions) -> None:
        """A tripped charge needs a new permission; one that has not begun does not begin over a fault."""
        if self.permission is None:
            return
        lost = conditions.tripping(self.focus) or (
            conditions.blocking(self.focus) if not self.permitted_here else None
        )
        if lost is not None or not conditions.powered:
            self.lose_permission()

    def _may_flow(self, conditions: Conditions) -> bool:
        return (
            conditions.powered
            and self.permitted_here
            and not self.suspended
            and conditions.tripping(self.focus) is None
        )

    def _decide(
        self, line: Line, limits: list[Limit], conditions: Conditions
    ) -> tuple[Flow, Text | None]:
        if self.plugged is None:
            return Flow.IDLE, None
        if not conditions.powered:
            return Flow.CONNECTED, Text("station.why.no_power")
        tripping = conditions.tripping(self.focus)
        if tripping is not None:
            return Flow.CONNECTED, Text("station.why.fault", {"fault": fault_name(tripping.fault)})
        if not self.permitted_here:
            return Flow.CONNECTED, Text("station.why.no_permission")
        if self.suspended:
            return Flow.SUSPENDED_EVSE, Text("station.why.suspended")
        if not line.carries(self.limit):
            lowest = min(limits, key=lambda limit: limit.on(line))
            return Flow.SUSPENDED_EVSE, Text("station.why.limit", {"cap": lowest.name})
        rests = self._car_rests(conditions)
        if rests is not None or self.vehicle is None:
            return Flow.SUSPENDED_EV, rests
        if self.vehicle.spec.ventilation:
            return Flow.SUSPENDED_EVSE, Text("station.why.ventilation")
        return Flow.CHARGING, Text("station.why.charging", {"name": self.vehicle.spec.name})

    def _car_rests(self, conditions: Conditions) -> Text | None:
        """Why the car asks for nothing."""
        car = self.vehicle
        if car is None:
            return Text("station.why.no_car")
        if car.paused:
            why = "car_paused"
        elif car.full:
            why = "car_full"
        elif conditions.elapsed < self.ready_at:
            why = "car_not_ready"
        elif not car.fits(self.spec.current):
            why = "car_takes_none"
        else:
            return None
        return Text(f"station.why.{why}", {"name": car.spec.name})

    def _move_pilots(self, flow: Flow, conditions: Conditions, emit: Emit) -> None:
        asks = flow is Flow.CHARGING
        vents = self.vehicle is not None and self.vehicle.spec.ventilation
        if vents and self._may_flow(conditions) and self._car_rests(conditions) is None:
            asks = True
        for connector in self.connectors:
            happened = pilot.signals(
                connector.pilot,
                powered=conditions.powered,
                sound=conditions.tripping(connector.number) is None,
                connected=connector.plugged,
                asks=asks and connector.plugged,
                vents=vents,
            )
            for signal in happened:
                before = connector.pilot
                connector.pilot = pilot.after(before, signal)
                if connector.pilot is not before:
                    emit(PilotChanged(self.number, connector.number, before, connector.pilot))

    def _move_contactor(self, closed: bool, conditions: Conditions, emit: Emit) -> None:
        everything = (lying for hits in conditions.hits.values() for lying in hits)
        welded = any(lying.fault is Fault.CONTACTOR_WELD for lying in everything)
        closed = closed or (welded and self.contactor_closed)
        if closed is not self.contactor_closed:
            self.contactor_closed = closed
            emit(ContactorChanged(self.number, closed))

    def _tell_phases(self, charging: bool, emit: Emit) -> None:
        told = self.phases_used if charging else None
        if told is not None and told != self._phases_told:
            emit(PhasesChanged(self.number, told))
        self._phases_told = told

    def _warm(self, elapsed: float) -> None:
        goal = AMBIENT + FULL_LOAD_RISE * min(1.0, self.power / self.spec.max_power)
        if goal != self._heat[2]:
            self._heat = (elapsed, self.temperature(elapsed), goal)

    # ---- time

    def pass_time(self, seconds: float) -> None:
        """Let the present power flow."""
        power = self.power
        if power <= 0.0:
            return
        self.meter.count(self.powers, seconds)
        if self.vehicle is not None:
            self.vehicle.charge(self.spec.current, power, seconds)

    def next_instant(self, at: float) -> float | None:
        """When something happens here by itself, after `at`."""
        if self.flow is Flow.SUSPENDED_EV and self.ready_at > at:
            return self.ready_at
        power = self.power
        if power <= 0.0 or self.vehicle is None:
            return None
        second = math.floor(at) + 1.0
        left = self.vehicle.seconds_to_target(self.spec.current, power)
        # an instant too near to be told from now would never pass
        return at + left if left is not None and at < at + left < second else second

    def soc_after(self, seconds: float) -> float | None:
        """State of charge when the present power has flowed for `seconds` more."""
        car = self.vehicle
        if car is None:
            return None
        if self.power <= 0.0:
            return car.soc
        return min(car.target_soc, car.soc + car.gain(self.spec.current, self.power, seconds))
