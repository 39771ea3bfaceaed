"""Which values a configuration key takes, and in which spelling they are kept. Pure."""

from __future__ import annotations

import re

from app.kernel.text import Text
from app.ocpp.v16.keys import ROTATIONS, Check, Key, Kind
from app.ocpp.v16.measurands import parse

_NUMBER = re.compile(r"[+-]?[0-9]{1,9}")
_PLACE = re.compile(r"[0-9]{1,9}")
HEX_KEY = re.compile(r"(?:[0-9A-Fa-f]{2}){16,20}")


class BadValue(ValueError):
    """A value that the key does not take. `why`: where its type and range do not tell it already."""

    def __init__(self, why: Text | None = None) -> None:
        super().__init__()
        self.why = why


def items(value: str) -> list[str]:
    """The members of a list, without empty ones."""
    return [item.strip() for item in value.split(",") if item.strip()]


def checked(key: Key, value: str, *, connectors: int, most: int | None = None) -> str:
    """The value as it is kept. `most`: how many items a list may have. Raises BadValue."""
    value = value.strip() if key.kind is not Kind.TEXT else value
    if key.kind is Kind.BOOL:
        if value.casefold() not in ("true", "false"):
            raise BadValue
        return value.casefold()
    if key.kind is Kind.INT:
        return _number(key, value)
    if key.kind is Kind.CSL:
        return _list(key, value, connectors, most)
    if key.choices and value not in key.choices:
        raise BadValue
    if key.check is Check.PASSWORD and not HEX_KEY.fullmatch(value):
        raise BadValue  # whitepaper A00.FR.205
    return value


def _number(key: Key, value: str) -> str:
    if not _NUMBER.fullmatch(value):
        raise BadValue
    number = int(value)
    if key.minimum is not None and number < key.minimum:
        raise BadValue
    if key.maximum is not None and number > key.maximum:
        raise BadValue
    return str(number)


def _list(key: Key, value: str, connectors: int, most: int | None) -> str:
    found = items(value)
    if most is not None and len(found) > most:
        raise BadValue
    if key.check is Check.MEASURANDS and any(parse(item) is None for item in found):
        raise BadValue
    if key.check is Check.ROTATION and not all(_is_rotation(item, connectors) for item in found):
        raise BadValue
    if key.check is Check.NUMBERS and not all(_NUMBER.fullmatch(item) for item in found):
        raise BadValue
    return ",".join(found)


def _is_rotation(item: str, connectors: int) -> bool:
    number, _, rotation = item.partition(".")
    known = _PLACE.fullmatch(number) is not None and int(number) <= connectors
    return known and rotation in ROTATIONS
