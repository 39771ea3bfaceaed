"""Which first values of variables no variable would take, and which are of no place here. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from app.ocpp.context import Payload, VariableSetting
from app.ocpp.v201 import inventory
from app.ocpp.v201.variables import BadValue, Variable, normalise


def misfits(
    settings: Iterable[VariableSetting], connectors: Sequence[int]
) -> Iterator[tuple[int, Payload | None]]:
    """The place of each setting that does not fit, and what its variable takes.

    None: the EVSE or connector is not there. `connectors`: how many each EVSE has.
    """
    for number, setting in enumerate(settings):
        if not _is_here(setting, connectors):
            yield number, None
            continue
        variable = inventory.standard(setting)
        if variable is None or not setting.value:
            continue  # of somebody's own, or without a value
        try:
            normalise(variable, setting.value)
        except BadValue:
            yield number, described(variable)


def described(variable: Variable) -> Payload:
    """What is fixed about a variable, for those who show it."""
    return {
        "name": variable.path,
        "type": variable.data_type.value,
        "unit": variable.unit,
        "minimum": variable.minimum,
        "maximum": variable.maximum,
        "values": list(variable.values),
    }


def _is_here(setting: VariableSetting, connectors: Sequence[int]) -> bool:
    if not setting.evse:
        return not setting.connector
    if setting.evse > len(connectors):
        return False
    return not setting.connector or setting.connector <= connectors[setting.evse - 1]
