"""All parts of the station together, at one instant. `Station` gives it time and carries its events out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.kernel.bus import Event
from app.kernel.text import Text
from app.station.blueprint import Blueprint, BlueprintError
from app.station.display import Scene, station_text, usual_text
from app.station.events import (
    CarArrived,
    PowerChanged,
    ReaderLampChanged,
    ReservationMarked,
    ScreenChanged,
)
from app.station.evse import Conditions, Evse, Permission
from app.station.faults import FaultBook, Lying
from app.station.intents import Refused
from app.station.kinds import Effect, Fault, ReaderLamp
from app.station.reader import Reader
from app.station.snapshot import Phases
from app.station.supply import Want, shares
from app.station.vehicle import Vehicle, VehicleLibrary

POWER_STEP = 1.0
"""W: smaller changes of power or limit are not told."""
CURRENT_STEP = 0.05
"""A."""


def refused(why: str, **params: Any) -> Refused:
    """No, because `station.refused.<why>`."""
    key = f"station.refused.{why}"
    return Refused(Text(key, params) if params else Text(key))


class Machine:
    """The parts and how they act on each other, carried to the instant `at` (elapsed s).

    Orders change a part, then `settle()` derives the rest; what came to pass gathers in `events`.
    """

    def __init__(
        self, blueprint: Blueprint, library: VehicleLibrary, seed: int, at: float, today: datetime
    ) -> None:
        self.blueprint, self.library, self.at, self.today = blueprint, library, at, today
        self.events: list[Event] = []
        self.faults = FaultBook()
        self.mains = True
        self.network = True
        self.door_open = False
        self.operative = True
        self.ordered_text: Text | None = None
        self.light = 100
        """How bright the lights are, in percent."""
        self.evses: list[Evse] = []
        for number, spec in enumerate(blueprint.evses, 1):
            check_usual_car(blueprint, number, library)
            self.evses.append(Evse(number, spec, blueprint.supply.voltage, seed))
        everyone = tuple(range(1, len(self.evses) + 1))
        self.readers = [
            Reader(number, spec.evses or everyone)
            for number, spec in enumerate(blueprint.readers, 1)
        ]
        self._reader_of = {n: reader for reader in self.readers for n in reader.evses}
        self._turn = 0
        self._hits_known: tuple[int, dict[int, dict[int, tuple[Lying, ...]]]] = (-1, {})
        self._demands: list[object] = []
        self._told_power: dict[int, tuple[float, float, Phases]] = {}
        self._told_texts: dict[int, Text | str | None] = {}
        self._told_lamps: dict[int, ReaderLamp] = {}
        self.settle()
        self.forget_told()

    # ---- finding parts

    def evse(self, number: int) -> Evse | None:
        return self.evses[number - 1] if 1 <= number <= len(self.evses) else None

    def reader_of(self, evse: int) -> Reader | None:
        return self._reader_of.get(evse)

    def needs_card(self, evse: int) -> bool:
        """A charge here is begun and ended at a reader."""
        return not self.blueprint.free_vend and self.reader_of(evse) is not None

    def has_button(self, evse: int) -> bool:
        """There is a start button: charging is free here, or there is no reader."""
        return self.blueprint.free_vend or self.reader_of(evse) is None

    def in_service(self, evse: Evse, connector: int = 0) -> bool:
        """The part and all above it are operative."""
        own = connector == 0 or evse.connectors[connector - 1].operative
        return self.operative and evse.operative and own

    def conditions(self, evse: Evse) -> Conditions:
        return Conditions(self.at, self.mains, self._hits(evse))

    def _hits(self, evse: Evse) -> dict[int, tuple[Lying, ...]]:
        """The faults that count, by connector; they are sorted out anew only when one came or went."""
        version, known = self._hits_known
        if version != self.faults.version:
            known = {one.number: self._look_up_hits(one) for one in self.evses}
            self._hits_known = self.faults.version, known
        return known[evse.number]

    def _look_up_hits(self, evse: Evse) -> dict[int, tuple[Lying, ...]]:
        card = self.needs_card(evse.number)
        return {
            place: tuple(
                lying
                for lying in self.faults.hitting(evse.number, place)
                if card or lying.fault is not Fault.READER_LOST
            )
            for place in range(len(evse.connectors) + 1)
        }

    # ---- changing parts

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def permission(self, connector: int | None) -> Permission:
        self._turn += 1
        return Permission(connector, self._turn)

    def bring_car(self, evse: Evse, vehicle: str | None = None) -> Vehicle:
        """A car of the library drives in; None: the bay's usual one."""
        car = Vehicle(self.library[vehicle or evse.spec.vehicle])
        evse.vehicle = car
        self.emit(CarArrived(evse.number, car.spec.id))
        return car

    def forget_orders(self, evse: Evse) -> None:
        """What the controller ordered is gone: it lives in its memory only."""
        evse.end_session()
        evse.suspended = False
        evse.clear_offer()
        evse.ordered_text = None
        if evse.reservation is not None:
            self.emit(ReservationMarked(evse.number, evse.reservation.connector, None))
            evse.reservation = None

    def forget_all_orders(self) -> None:
        for evse in self.evses:
            self.forget_orders(evse)
        for reader in self.readers:
            reader.rest()
        self.ordered_text = None

    # ---- time

    def next_instant(self) -> float | None:
        """Elapsed seconds of the next thing that will happen by itself."""
        instants = [evse.next_instant(self.at) for evse in self.evses]
        instants += [reader.until for reader in self.readers]
        return min((instant for instant in instants if instant is not None), default=None)

    def pass_to(self, instant: float, today: datetime) -> None:
        """Let time pass with everything as it is."""
        seconds = instant - self.at
        if seconds > 0:
            for evse in self.evses:
                evse.pass_time(seconds)
            self.at = instant
        self.today = today
        for reader in self.readers:
            if reader.until is not None and reader.until <= instant:
                reader.rest()
                self._tell_lamps()

    # ---- settling

    def settle_if_due(self) -> None:
        """As `settle`, after time has passed and nothing else: most seconds change no power."""
        if self._demands != [evse.demand(self.at) for evse in self.evses]:
            self.settle()

    def settle(self) -> None:
        """Derive what follows from the state of all parts; events tell what is different."""
        conditions = {evse.number: self.conditions(evse) for evse in self.evses}
        prospects = {evse.number: evse.prospect(conditions[evse.number]) for evse in self.evses}
        wanting: dict[int, Want] = {}
        for number, prospect in prospects.items():
            want = self.evses[number - 1].want(prospect, conditions[number])
            if want is not None:
                wanting[number] = want
        order = sorted(wanting, key=self._turn_of)
        parts = shares(self.blueprint.supply.current, wanting, order, list(prospects))
        for evse in self.evses:
            number = evse.number
            evse.settle(prospects[number], parts[number], conditions[number], self.emit)
        self._demands = [evse.demand(self.at) for evse in self.evses]

    def _turn_of(self, number: int) -> int:
        permission = self.evses[number - 1].permission
        return permission.turn if permission is not None else 0

    def tell(self) -> None:
        """Tell of power, screens and lamps, once a step."""
        self.tell_power()
        self._tell_lamps()
        self._tell_text(0, self.station_screen(), self.ordered_text)
        for evse in self.evses:
            self._tell_text(evse.number, self.screen(evse), evse.ordered_text)

    def tell_power(self) -> None:
        for evse in self.evses:
            self._tell_power(evse)

    def forget_told(self) -> None:
        """Take the present look for known: nobody has to be told."""
        self.tell()
        self.events.clear()

    def _tell_power(self, evse: Evse) -> None:
        limit = self.limit_watts(evse)
        now = (evse.power, limit, evse.currents)
        before = self._told_power.get(evse.number)
        if before is not None:
            same_state = (before[0] == 0.0) == (now[0] == 0.0)
            near = abs(before[0] - now[0]) < POWER_STEP and abs(before[1] - limit) < POWER_STEP
            # the same power on fewer phases is another current
            if same_state and near and abs(before[2][0] - now[2][0]) < CURRENT_STEP:
                return
        self._told_power[evse.number] = now
        self.emit(PowerChanged(evse.number, evse.power, evse.currents, limit))

    def _tell_lamps(self) -> None:
        for reader in self.readers:
            reader.powered = self.mains
            reader.faulty = any(
                self.faults.any(Fault.READER_LOST, evse, 0) for evse in reader.evses
            )
            if self._told_lamps.get(reader.number) is not reader.lamp:
                self._told_lamps[reader.number] = reader.lamp
                self.emit(ReaderLampChanged(reader.number, reader.lamp))

    def _tell_text(self, evse: int, text: Text | None, ordered: Text | None) -> None:
        # the figures in a usual sentence run on; only another sentence is an event
        told = text.id if text is not None and ordered is None else text
        if evse not in self._told_texts or self._told_texts[evse] != told:
            self._told_texts[evse] = told
            self.emit(ScreenChanged(evse, text))

    # ---- what it looks like

    def limit_watts(self, evse: Evse) -> float:
        """W that the station side allows now; 0 while it can give nothing at all."""
        if not self.mains or self._worst(evse, Effect.TRIP) is not None:
            return 0.0
        return evse.line().watts(evse.limit)

    def screen(self, evse: Evse, energy: float | None = None) -> Text | None:
        """What the driver reads; `energy` of this stay in Wh, as of `at` where None."""
        if not self.mains:
            return None
        if evse.ordered_text is not None:
            return evse.ordered_text
        worst = self.worst(evse)
        reservation = evse.reservation
        stay = evse.meter.energy - evse.session_start if energy is None else energy
        return usual_text(
            Scene(
                fault=worst.fault if worst else None,
                operative=self.in_service(evse, evse.focus),
                reserved_for=reservation.holder if reservation else None,
                flow=evse.flow,
                permitted=evse.permission is not None,
                had_energy=evse.was_permitted and stay > 0,
                needs_card=self.needs_card(evse.number),
                has_button=self.has_button(evse.number),
                car_full=evse.vehicle is not None and evse.vehicle.full,
                power=evse.power,
                energy=stay,
            )
        )

    def station_screen(self) -> Text | None:
        if not self.mains:
            return None
        if self.ordered_text is not None:
            return self.ordered_text
        return station_text(
            emergency=self.faults.get(Fault.EMERGENCY_STOP, 0, 0) is not None,
            operative=self.operative,
            name=self.blueprint.name,
        )

    def _worst(self, evse: Evse, effect: Effect) -> Lying | None:
        hits = self._hits(evse)[evse.focus]
        return next((lying for lying in hits if lying.effect is effect), None)

    def worst(self, evse: Evse) -> Lying | None:
        """The fault the picture shows: one that trips, or derates while nothing runs."""
        tripping = self._worst(evse, Effect.TRIP)
        if tripping is not None or evse.running:
            return tripping
        return self._worst(evse, Effect.DERATE)


def check_usual_car(blueprint: Blueprint, number: int, library: VehicleLibrary) -> None:
    """The car that usually comes to this EVSE is known and fits. Raises BlueprintError."""
    spec = blueprint.evses[number - 1]
    params = {"where": blueprint.name, "evse": number, "id": spec.vehicle}
    if spec.vehicle not in library:
        raise BlueprintError(Text("station.spec.no_vehicle", params))
    if not Vehicle(library[spec.vehicle]).fits(spec.current):
        raise BlueprintError(Text("station.spec.vehicle_no_inlet", params))
