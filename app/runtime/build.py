"""Makes the parts of a session from its configuration: the machine, its cars, the open points."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from app.kernel.activity import Activity
from app.kernel.bus import Bus
from app.kernel.clock import Clock, SystemClock
from app.kernel.forms import values
from app.kernel.link_clock import LinkClock
from app.ocpp.context import Context
from app.ocpp.personality import Personality
from app.ocpp.points import Asker, OpenPoints, Point, registry
from app.ocpp.version import Version
from app.runtime.config import Config
from app.station.blueprint import Blueprint
from app.station.station import Station
from app.station.vehicle import VehicleLibrary
from app.trace.journal import FILE_NAME as JOURNAL

LAST_LINE = 256 * 1024
"""Bytes at the end of a journal that are searched for its last entry."""


def make_clock(config: Config) -> SystemClock:
    """Station time; one that was set on purpose does not follow the back office's."""
    clock = SystemClock(Activity(), rate=config.clock.rate, start=config.clock.start)
    if config.clock.start is not None or config.clock.rate != 1.0:
        clock.follow_server = False
    return clock


def next_seq(folder: Path | None) -> int:
    """Where the numbers of events go on: behind the journal that an earlier run left."""
    if folder is None:
        return 1
    try:
        with (folder / JOURNAL).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - LAST_LINE))
            lines = file.read().splitlines()
    except OSError:
        return 1  # there is none yet; one that cannot be read is told by the journal
    for line in reversed(lines):
        try:
            return int(json.loads(line)["seq"]) + 1
        except (ValueError, KeyError, TypeError):
            continue  # a line that a kill cut short
    return 1


def make_points(
    config: Config,
    wished: Mapping[str, str],
    *,
    bus: Bus,
    link: LinkClock,
    timeout: Callable[[], float],
    asker: Asker | None,
    on_undecided: Callable[[Point], None] | None,
) -> OpenPoints:
    """The open points with what the configuration and a person chose.

    A person's choice that this program no longer offers counts as none.
    """
    known = registry()
    offered = {
        point: option
        for point, option in wished.items()
        if point in known and option in {each.key for each in known[point].options}
    }
    return OpenPoints(
        bus,
        {**config.open_points, **offered},
        strict=config.strict,
        asker=asker,
        timeout=timeout,
        link=link,
        on_undecided=on_undecided,
    )


def make_station(config: Config, clock: Clock, bus: Bus) -> Station:
    """The machine of this configuration. Raises BlueprintError for a car that is unknown or does not fit."""
    library = vehicles(config)
    blueprint = with_usual_car(config)
    return Station(blueprint, clock, bus, seed=config.seed, library=library)


def vehicles(config: Config) -> VehicleLibrary:
    """The cars that can come here, each with the defaults of the configuration laid over it."""
    library = VehicleLibrary.standard()
    given = {
        name: value
        for name, value in values(config.vehicle).items()
        if name != "id" and value is not None
    }
    if not given:
        return library
    return VehicleLibrary(replace(spec, **given) for spec in library.specs())


def with_usual_car(config: Config) -> Blueprint:
    """The hardware, with the car of the configuration at each EVSE if it names one."""
    wish = config.vehicle.id
    if wish is None:
        return config.hardware
    evses = tuple(replace(evse, vehicle=wish) for evse in config.hardware.evses)
    return replace(config.hardware, evses=evses)


def make_personality(version: Version, ctx: Context) -> Personality:
    """Imported when it is needed: the other version stays out of memory."""
    from app.ocpp.personalities import make

    return make(version, ctx)
