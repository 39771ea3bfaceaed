"""A station on a virtual clock, with its events at hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from app.kernel.bus import Bus, Entry, Event
from app.kernel.clock import VirtualClock
from app.station.blueprint import Blueprint
from app.station.commands import Command, Permit
from app.station.intents import Done, Intent, PlugIn, Refused
from app.station.snapshot import EvseSnapshot
from app.station.station import Station

START = datetime(2025, 3, 1, 12, tzinfo=UTC)

E = TypeVar("E", bound=Event)

# One EVSE with two cables; plugs of both kinds of service meet rarely, but a station may have it.
TWO_CABLES = """
name = "Twin"
model = "Twin"
[supply]
current = 32
[[readers]]
[[evses]]
current = "ac"
max_power = 22080
[[evses.connectors]]
plug = "type2"
max_current = 32
[[evses.connectors]]
plug = "type2"
tethered = false
lock = true
max_current = 20
"""

SOCKET = """
name = "Socket"
model = "Socket"
free_vend = {free_vend}
[supply]
current = 32
[[readers]]
[[evses]]
current = "ac"
max_power = 22080
[[evses.connectors]]
plug = "type2"
tethered = false
lock = true
max_current = 20
"""


class Bench:
    """Give it orders, move the time, look at what was told."""

    def __init__(self, blueprint: str | Blueprint = "home-ac-11", **options: Any) -> None:
        if isinstance(blueprint, str):
            text = "\n" in blueprint
            blueprint = Blueprint.parse(blueprint, "test") if text else Blueprint.builtin(blueprint)
        self.clock = VirtualClock(START)
        self.bus = Bus(self.clock.now)
        self.entries: list[Entry] = []
        self.bus.subscribe(self.entries.append)
        self.station = Station(blueprint, self.clock, self.bus, **options)

    def do(self, *orders: Intent | Command) -> list[Event]:
        """Give orders that must be done; what they led to at once."""
        before = len(self.entries)
        for order in orders:
            outcome = self.station.handle(order)
            assert isinstance(outcome, Done), (order, outcome)
        return [entry.event for entry in self.entries[before:]]

    def refused(self, order: Intent | Command) -> str:
        """Give an order that must be refused without any event; why, without the area."""
        before = len(self.entries)
        outcome = self.station.handle(order)
        assert isinstance(outcome, Refused), (order, outcome)
        assert len(self.entries) == before
        return outcome.reason.id.removeprefix("station.refused.")

    def wait(self, seconds: float) -> list[Event]:
        """Let time pass; what came to pass."""
        before = len(self.entries)
        self.clock.advance_now(seconds)
        return [entry.event for entry in self.entries[before:]]

    def charge(self, evse: int = 1, connector: int = 1) -> EvseSnapshot:
        """Plug in, permit, and wait until power flows."""
        self.do(PlugIn(evse, connector), Permit(evse))
        self.wait(10)
        return self.evse(evse)

    def evse(self, number: int = 1) -> EvseSnapshot:
        return self.station.snapshot().evse(number)

    def told(self, kind: type[E], check: Callable[[E], bool] = lambda _: True) -> list[E]:
        """All events of a kind so far."""
        return [e.event for e in self.entries if isinstance(e.event, kind) and check(e.event)]


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]
