"""Builds the variables of one station: the data file, spread over its EVSEs and connectors, and what the
configuration file adds or overrides.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from app.kernel.resources import resource
from app.ocpp.context import VariableSetting
from app.ocpp.features import FEATURES
from app.ocpp.v201.measurands import SUPPORTED
from app.ocpp.v201.variables import (
    ACTUAL,
    Attribute,
    DataType,
    Mutability,
    Place,
    Variable,
    split,
)
from app.ocpp.version import Version
from app.station.snapshot import StationSnapshot

BLOCKS = frozenset(FEATURES[Version.V201])
"""The optional blocks that are built."""

_ACCESS = {
    "R": Mutability.READ_ONLY,
    "W": Mutability.WRITE_ONLY,
    "RW": Mutability.READ_WRITE,
}
_NAME = re.compile(r"^(?P<name>[^\[]+)(\[(?P<instance>[^\]]+)\])?$")


def _read() -> dict[str, Any]:
    text = resource("device_model", "v201.toml").read_text("utf-8")
    components: dict[str, Any] = tomllib.loads(text)["component"]
    return components


_COMPONENTS = _read()
"""Part of the program of 2.0.1, and read with it: beside the loop."""


def build(snapshot: StationSnapshot, features: frozenset[str] | None) -> list[Variable]:
    """All variables of this station with their defaults. `features` None: all that are built."""
    on = BLOCKS if features is None else BLOCKS & features
    found: list[Variable] = []
    for name, component in _COMPONENTS.items():
        feature = component.get("feature")
        if feature is not None and feature not in on:
            found.append(_absent(name))
            continue
        for place in _places(name, component["at"], snapshot):
            found += [_variable(place, title, row) for title, row in component["variables"].items()]
    return found


def override(variables: dict[Any, Variable], settings: Iterable[VariableSetting]) -> None:
    """Put in what the configuration file says: values, mutability, own variables."""
    for setting in settings:
        place = Place(
            setting.component, setting.component_instance, setting.evse, setting.connector
        )
        key = (place.key, (setting.variable.lower(), (setting.variable_instance or "").lower()))
        variable = variables.get(key)
        if variable is None:
            variable = Variable(place, setting.variable, setting.variable_instance)
            variables[key] = variable
        attribute = variable.attributes.setdefault(
            setting.attribute, Attribute(mutability=Mutability.READ_WRITE)
        )
        if setting.mutability is not None:
            attribute.mutability = Mutability(setting.mutability)
        if setting.value is not None:
            attribute.value = setting.value
            if setting.attribute == ACTUAL:
                variable.source = None


def standard(setting: VariableSetting) -> Variable | None:
    """What the data file knows of a variable, wherever it is; None for one of somebody's own."""
    if setting.component_instance is not None:
        return None
    title = setting.variable
    if setting.variable_instance is not None:
        title += f"[{setting.variable_instance}]"
    for name, component in _COMPONENTS.items():
        if name.lower() == setting.component.lower():
            for known, row in component["variables"].items():
                if known.lower() == title.lower():
                    return _variable(Place(name), known, row)
    return None


def _places(name: str, at: str, snapshot: StationSnapshot) -> list[Place]:
    if at == "station":
        return [Place(name)]
    if at == "evse":
        return [Place(name, evse=evse.id) for evse in snapshot.evses]
    return [
        Place(name, evse=evse.id, connector=connector.id)
        for evse in snapshot.evses
        for connector in evse.connectors
    ]


def _absent(component: str) -> Variable:
    return Variable(
        Place(component),
        "Available",
        data_type=DataType.BOOLEAN,
        attributes={ACTUAL: Attribute("false")},
    )


def _variable(place: Place, title: str, row: Mapping[str, Any]) -> Variable:
    match = _NAME.match(title)
    assert match is not None
    mutability = _ACCESS[row.get("access", "R")]
    constant = bool(row.get("constant", False))
    attributes = {ACTUAL: Attribute(row.get("value"), mutability, constant)}
    if row.get("max_set"):
        attributes["MaxSet"] = Attribute(None, Mutability.READ_ONLY, constant=True)
    return Variable(
        place,
        match["name"],
        match["instance"],
        DataType(row["type"]),
        row.get("unit"),
        row.get("min"),
        row.get("max"),
        SUPPORTED if row.get("measurands") else split(row.get("values", "")),
        row.get("source"),
        row.get("max_source"),
        bool(row.get("reboot", False)),
        attributes,
    )
