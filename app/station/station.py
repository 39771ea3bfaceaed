"""The charging station: people, scripts and the controller give it orders, time passes, events tell of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from app.kernel.bus import Bus, Origin, because
from app.kernel.clock import Clock, Timer
from app.station import acts, commands, intents, orders, trouble
from app.station.blueprint import Blueprint
from app.station.commands import Command
from app.station.intents import Intent, Outcome
from app.station.machine import Machine, refused
from app.station.snapshot import MeterReading, StationSnapshot
from app.station.state import check_state, export_state, take_state
from app.station.vehicle import VehicleLibrary
from app.station.view import main_meter_reading, meter_reading, station_snapshot

_Do = Callable[[Machine, Any], Outcome]

ACTS: dict[type, _Do] = {
    intents.ArriveCar: acts.arrive,
    intents.LeaveCar: acts.leave,
    intents.SetVehicle: acts.set_vehicle,
    intents.PauseVehicle: acts.pause,
    intents.ResumeVehicle: acts.resume,
    intents.PlugIn: acts.plug_in,
    intents.Unplug: acts.unplug,
    intents.PresentCard: acts.present_card,
    intents.PressStart: acts.press_start,
    intents.PressStop: acts.press_stop,
    intents.CutMains: acts.cut_mains,
    intents.RestoreMains: acts.restore_mains,
    intents.CutNetwork: acts.cut_network,
    intents.RestoreNetwork: acts.restore_network,
    intents.OpenDoor: acts.open_door,
    intents.CloseDoor: acts.close_door,
    intents.RaiseFault: trouble.raise_fault,
    intents.ClearFault: trouble.clear_fault,
    commands.Permit: orders.permit,
    commands.Withdraw: orders.withdraw,
    commands.Suspend: orders.suspend,
    commands.OfferLimit: orders.offer_limit,
    commands.Lock: orders.lock,
    commands.Unlock: orders.unlock,
    commands.SetOperative: orders.set_operative,
    commands.MarkReserved: orders.mark_reserved,
    commands.ShowText: orders.show_text,
    commands.SetReaderLamp: orders.set_reader_lamp,
    commands.SetLight: orders.set_light,
    commands.Restart: orders.restart,
}

WITHOUT_MAINS = (
    intents.RestoreMains,
    intents.PlugIn,
    intents.Unplug,
    intents.ArriveCar,
    intents.LeaveCar,
    intents.SetVehicle,
    intents.PauseVehicle,
    intents.ResumeVehicle,
    intents.CutNetwork,
    intents.RestoreNetwork,
    intents.OpenDoor,
    intents.CloseDoor,
)
"""What can be done to a dark station: the world around it goes on."""

SAME_MOMENT = 0.005
"""Seconds within which registers and voltages have not moved on for a view."""


class Station:
    """The aggregate root: `handle()` is the only way to change anything.

    Time runs on the clock's elapsed seconds. The state changes only at instants that do not depend on who
    looks when: whole seconds while power flows, orders, and what follows from them (a delay ends, a target
    is reached). Between them power is constant, and readings are drawn on from the last instant.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        clock: Clock,
        bus: Bus,
        *,
        seed: int = 0,
        library: VehicleLibrary | None = None,
    ) -> None:
        self.blueprint = blueprint
        self._clock, self._bus = clock, bus
        cars = library if library is not None else VehicleLibrary.standard()
        self._machine = Machine(blueprint, cars, seed, clock.elapsed(), clock.now())
        self._timer: Timer | None = None
        self._seen: tuple[float, StationSnapshot] | None = None
        """The last snapshot and its elapsed time, while nothing has happened since."""

    def handle(self, order: Intent | Command) -> Outcome:
        """Do it now, or say why not."""
        do = ACTS.get(type(order))
        if do is None:
            raise TypeError(f"not an order: {order!r}")
        machine = self._machine
        machine.pass_to(*self._advance())
        if not machine.mains and not isinstance(order, WITHOUT_MAINS):
            return refused("no_power")
        outcome = do(machine, order)
        machine.settle()
        machine.tell()
        self._publish()
        return outcome

    def advance(self) -> None:
        """Let come to pass what lies between the last instant and now."""
        self._advance()

    def _advance(self) -> tuple[float, datetime]:
        """Returns what the clock read: real time runs on, and one act has one moment."""
        machine, now, calendar = self._machine, self._clock.elapsed(), self._clock.now()
        moved = False
        while (instant := machine.next_instant()) is not None and instant <= now:
            machine.pass_to(instant, _calendar_at(calendar, now, instant))
            machine.settle_if_due()
            moved = True
        if moved:
            # screens and lamps follow from what was told; power alone changes in silence
            machine.tell() if machine.events else machine.tell_power()
            with because(Origin.PHYSICS):
                self._publish()
        return now, calendar

    def next_instant(self) -> float | None:
        """Elapsed seconds of the next thing that will happen by itself."""
        return self._machine.next_instant()

    def snapshot(self) -> StationSnapshot:
        """All there is to see. One event is looked at by a dozen blocks and views: they share it."""
        elapsed, at = self._advance()
        if self._seen is not None:
            seen_at, seen = self._seen
            if abs(elapsed - seen_at) < SAME_MOMENT > abs((at - seen.at).total_seconds()):
                return seen
        made = station_snapshot(self._machine, elapsed, at)
        self._seen = elapsed, made
        return made

    def meter(self, evse: int) -> MeterReading:
        """What the EVSE's meter tells now. Raises KeyError when there is no such EVSE."""
        part = self._machine.evse(evse)
        if part is None:
            raise KeyError(evse)
        return meter_reading(self._machine, part, *self._advance())

    def main_meter(self) -> MeterReading | None:
        """The meter of the grid connection, where there is one."""
        now, calendar = self._advance()
        if not self.blueprint.supply.main_meter:
            return None
        return main_meter_reading(self._machine, now, calendar)

    def export_state(self) -> dict[str, Any]:
        """What the physical world looks like, as JSON: it outlives the program. Changes nothing."""
        return export_state(self._machine, self._clock.elapsed())

    def import_state(self, state: Mapping[str, Any]) -> None:
        """Go on from `export_state`; registers never fall. Raises StateError, with nothing changed.

        Nothing is published: whoever comes later looks at a snapshot.
        """
        stored = check_state(self._machine, state)
        self._machine.pass_to(*self._advance())
        take_state(self._machine, stored)
        self._machine.settle()
        self._machine.forget_told()
        self._seen = None
        self._arm()

    def _publish(self) -> None:
        self._seen = None
        self._arm()
        happened, self._machine.events = self._machine.events, []
        self._bus.publish_all(happened)

    def _arm(self) -> None:
        """Have the clock wake the station when the next thing happens by itself."""
        instant = self._machine.next_instant()
        if self._timer is not None:
            if self._timer.due == instant and not self._timer.cancelled:
                return
            self._timer.cancel()
            self._timer = None
        if instant is not None:
            self._timer = self._clock.call_when(instant, self.advance)


def _calendar_at(now: datetime, elapsed: float, instant: float) -> datetime:
    return now - timedelta(seconds=elapsed - instant)
