"""The machine's own memory: registers, cars, plugs and faults, written down often enough for a kill."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from app.kernel.bus import Bus, Entry, Remover
from app.kernel.clock import Clock, Missed, Timer
from app.kernel.text import Text
from app.ocpp.events import Direction, FramePassed
from app.ocpp.frames import CALL
from app.runtime.problems import ConfigError
from app.runtime.store import StateUnfit, Store, StoreError
from app.station.blueprint import Blueprint
from app.station.commands import SetOperative
from app.station.events import PowerChanged
from app.station.station import Station

TABLE = "runtime.world"
KEY = "station"
HARDWARE = "hardware"
METER_VALUES = "MeterValues"
EVERY = 10.0
"""Seconds of station time between two writings while energy flows."""


@contextlib.contextmanager
def understood(folder: str) -> Iterator[None]:
    """Rows that say something else than they should are told as such. Raises StateUnfit."""
    try:
        yield
    except (StoreError, ConfigError):
        raise
    except (LookupError, TypeError, ValueError) as error:
        params = {"folder": folder, "what": f"{type(error).__name__}: {error}"}
        raise StateUnfit(Text("runtime.state.not_understood", params)) from error


class WorldPort(Protocol):
    def export_state(self) -> dict[str, Any]: ...


class WorldKeeper:
    """Writes the machine's state every 10 s and after each change (PowerChanged is none).

    Several changes in one turn of the loop are written once. Registers also go into the same step as each
    message or kept sample that may report them, and before meter values leave that no queue holds, so
    that after a kill none is below what is told. A failure of the store is told by the store. `also`
    writes what belongs to the same instant.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        store: Store,
        station: WorldPort,
        also: Callable[[], None] | None = None,
    ) -> None:
        self._store, self._station, self._activity = store, station, clock.activity
        self._also = also
        self._pending = False
        self._closed = False
        store.before_commit = self._join
        self._removers: list[Remover] = [
            bus.subscribe(self._on_event),
            bus.subscribe(self._on_frame, FramePassed),
        ]
        self._timer: Timer = clock.every(EVERY, self._soon, missed=Missed.LAST)

    def write(self) -> None:
        """Write now. Raises StoreFailed."""
        self._store.put(TABLE, KEY, self._station.export_state())
        if self._also is not None:
            self._also()

    def _join(self, written: frozenset[str]) -> None:
        if not written <= {TABLE}:
            self.write()

    def close(self) -> None:
        self._closed = True
        self._store.before_commit = None
        for remove in self._removers:
            remove()
        self._timer.cancel()

    def _on_event(self, entry: Entry) -> None:
        event = type(entry.event)
        if event.__module__ == "app.station.events" and event is not PowerChanged:
            self._soon()

    def _on_frame(self, entry: Entry) -> None:
        """A frame is about to leave: it is sent after this."""
        frame = entry.event
        if not isinstance(frame, FramePassed) or frame.direction is not Direction.OUT:
            return
        if frame.action == METER_VALUES and frame.kind == CALL:
            self._try()

    def _soon(self) -> None:
        if not self._pending and not self._closed:
            self._pending = True
            self._activity.begin()  # virtual time waits until it is written
            asyncio.get_running_loop().call_soon(self._write_pending)

    def _write_pending(self) -> None:
        self._pending = False
        try:
            self._try()
        finally:
            self._activity.end()

    def _try(self) -> None:
        # a failure was told by the store to its owner, who faults the station
        with contextlib.suppress(StoreError):
            if not self._closed and self._store.failed is None:
                self.write()


def check_hardware(store: Store, blueprint: Blueprint, folder: str) -> None:
    """Refuse a state whose EVSEs and connectors are others than those of the blueprint.

    Ratings may change, places and plugs may not: rows name them. Raises StateUnfit.
    """
    now = _shape(blueprint)
    known = store.get(TABLE, HARDWARE)
    if known is None:
        store.put(TABLE, HARDWARE, {"evses": now})
        return
    before = known["evses"]
    if before == now:
        return
    params = {"folder": folder, "before": _words(before), "after": _words(now)}
    raise StateUnfit(Text("runtime.state.other_hardware", params))


def put_into_service(station: Station) -> None:
    """Lift every order that took a part out of service."""
    view = station.snapshot()
    parts = [(0, 0, view.operative)]
    for evse in view.evses:
        parts.append((evse.id, 0, evse.operative))
        parts += [(evse.id, connector.id, connector.operative) for connector in evse.connectors]
    for evse_id, connector_id, operative in parts:
        if not operative:
            station.handle(SetOperative(evse_id, connector_id, True))


def _shape(blueprint: Blueprint) -> list[list[str]]:
    return [
        [
            f"{connector.plug.value} {'cable' if connector.tethered else 'socket'}"
            for connector in evse.connectors
        ]
        for evse in blueprint.evses
    ]


def _words(shape: list[list[str]]) -> str:
    return "; ".join(f"EVSE {n}: {', '.join(plugs)}" for n, plugs in enumerate(shape, 1))
