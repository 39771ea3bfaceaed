"""Which first values of configuration keys no key would take. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.ocpp.context import KeySetting, Payload
from app.ocpp.v16.keys import KEYS, OWN_KEYS, SIGNED_KEYS, Key
from app.ocpp.v16.values import BadValue, checked


def misfits(
    settings: Iterable[KeySetting], connectors: int
) -> Iterator[tuple[KeySetting, Payload]]:
    """Each setting whose value its key does not take, and what the key does take."""
    known = {key.name.casefold(): key for key in (*KEYS, *SIGNED_KEYS, *OWN_KEYS)}
    for setting in settings:
        key = known.get(setting.key.casefold())
        if key is None or not setting.value:
            continue  # of somebody's own, or without a value
        try:
            checked(key, setting.value, connectors=connectors)
        except BadValue:
            limit = known.get(key.limited_by.casefold())
            yield setting, {**described(key), "most": limit.default if limit else None}


def described(key: Key) -> Payload:
    """What is fixed about a key, for those who show it."""
    return {
        "name": key.name,
        "type": key.kind.value,
        "unit": key.unit,
        "profile": key.profile,
        "minimum": key.minimum,
        "maximum": key.maximum,
        "values": list(key.choices),
        "reboot": key.reboot,
        "check": key.check.value,
    }
