"""What a configuration says about OCPP, held against what the station and the versions know.

A value that no key or variable takes would show much later, as a station that does nothing, so it is told
before anything starts.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.kernel.text import Text
from app.ocpp import personalities
from app.ocpp.features import FEATURES
from app.ocpp.points import registry
from app.ocpp.redaction import is_secret_name
from app.ocpp.version import Version
from app.runtime.build import vehicles, with_usual_car
from app.runtime.config import Config
from app.runtime.problems import shortened
from app.runtime.setting_rows import setting_row
from app.station.blueprint import BlueprintError
from app.station.machine import check_usual_car


def problems(config: Config, file: str) -> Iterator[Text]:
    """Each thing that cannot be meant, as a sentence."""
    yield from _points(config, file)
    yield from _features(config, file)
    yield from _cars(config, file)
    for version in Version if config.version is None else (config.version,):
        yield from _values(config, version, file)


def _points(config: Config, file: str) -> Iterator[Text]:
    known = registry()
    for name, option in config.open_points.items():
        params = {"file": file, "name": name}
        point = known.get(name)
        if point is None:
            yield _unknown_point(name, file)
        elif point.awaits is not None:
            yield Text("runtime.config.point_awaits", {**params, "part": point.awaits})
        elif option not in (keys := [item.key for item in point.options]):
            more = {"found": shortened(option), "known": ", ".join(keys)}
            yield Text("runtime.config.no_option", {**params, **more})


def _unknown_point(name: str, file: str) -> Text:
    import difflib  # for the one who mistyped only

    close = difflib.get_close_matches(name, list(registry()), 1)
    if close:
        params = {"file": file, "path": f"open_points.{name}", "near": close[0]}
        return Text("runtime.config.unknown_near", params)
    return Text("runtime.config.no_point", {"file": file, "name": name})


def _features(config: Config, file: str) -> Iterator[Text]:
    known = [name for names in FEATURES.values() for name in names]
    for name in config.features or ():
        if name not in known:
            params = {"file": file, "found": shortened(name), "known": ", ".join(known)}
            yield Text("runtime.config.no_feature", params)


def _cars(config: Config, file: str) -> Iterator[Text]:
    library, wish = vehicles(config), config.vehicle.id
    if wish is not None and wish not in library:
        known = ", ".join(spec.id for spec in library.specs())
        yield Text("runtime.config.no_vehicle", {"file": file, "name": wish, "known": known})
        return
    blueprint = with_usual_car(config)
    for number in range(1, len(blueprint.evses) + 1):
        try:
            check_usual_car(blueprint, number, library)
        except BlueprintError as error:
            yield error.text


def _values(config: Config, version: Version, file: str) -> Iterator[Text]:
    settings = config.ocpp()
    given = len(settings.variables) - len(config.variables)
    connectors = [len(evse.connectors) for evse in config.hardware.evses]
    for where, takes in personalities.misfits(version, settings, connectors):
        if isinstance(where, str) and where in config.keys:
            path, value = f"keys.{where}", config.keys[where].value
        elif isinstance(where, str) or where < given:
            path, value = "connection_timeout", str(config.connection_timeout)
        else:
            path, value = f"variables[{where - given + 1}]", settings.variables[where].value
        params = {"file": file, "path": path, "found": shortened(value)}
        if takes is None:
            yield Text("runtime.config.no_place", params)
        else:
            row = setting_row(takes)
            more: dict[str, Text | str] = {
                "name": row.name,
                "takes": row.takes or Text("rooms.takes.other"),
            }
            if is_secret_name(row.name):
                more["found"] = "…"
            yield Text("runtime.config.not_taken", {**params, **more})
