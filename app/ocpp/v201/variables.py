"""What a variable of the device model is: its place, its characteristics and what it may be set to.

2.0.1 part 1, section 4, and part 2, VariableCharacteristicsType. Names compare without case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

from app.kernel.units import parse_stamp
from app.ocpp.context import Payload

_PATH = re.compile(
    r"^(?P<name>[^.\[\]@:]+)(\[(?P<instance>[^\]]*)\])?(@(?P<evse>\d+)(/(?P<connector>\d+))?)?"
    r"\.(?P<variable>[^\[\]:]+)(\[(?P<part>[^\]]*)\])?(:(?P<attribute>\w+))?$"
)
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
LARGEST, SMALLEST = 2**31 - 1, -(2**31)
"""An integer has 32 bits (part 2, primitive data types)."""


class DataType(Enum):
    """DataEnumType."""

    STRING = "string"
    DECIMAL = "decimal"
    INTEGER = "integer"
    DATE_TIME = "dateTime"
    BOOLEAN = "boolean"
    OPTION = "OptionList"
    SEQUENCE = "SequenceList"
    MEMBERS = "MemberList"


class Mutability(Enum):
    """MutabilityEnumType."""

    READ_ONLY = "ReadOnly"
    WRITE_ONLY = "WriteOnly"
    READ_WRITE = "ReadWrite"


ACTUAL = "Actual"
ATTRIBUTES = ("Actual", "Target", "MinSet", "MaxSet")


@dataclass(frozen=True, slots=True)
class Place:
    """A component of the station, of an EVSE or of a connector."""

    name: str
    instance: str | None = None
    evse: int | None = None
    connector: int | None = None

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What it is looked up by."""
        return self.name.lower(), (self.instance or "").lower(), self.evse or 0, self.connector or 0

    def payload(self) -> Payload:
        """As ComponentType."""
        found: Payload = {"name": self.name}
        if self.instance:
            found["instance"] = self.instance
        if self.evse:
            found["evse"] = {"id": self.evse}
            if self.connector:
                found["evse"]["connectorId"] = self.connector
        return found

    @classmethod
    def of(cls, payload: Payload) -> Place:
        """Read a ComponentType."""
        evse = payload.get("evse") or {}
        instance = payload.get("instance") or None
        return cls(payload["name"], instance, evse.get("id"), evse.get("connectorId"))


@dataclass(slots=True)
class Attribute:
    """One of the up to four values of a variable."""

    value: str | None = None
    mutability: Mutability = Mutability.READ_ONLY
    constant: bool = False
    persistent: bool = True


@dataclass(slots=True)
class Variable:
    """A variable with its characteristics and attributes. `values` are the allowed ones of a list."""

    place: Place
    name: str
    instance: str | None = None
    data_type: DataType = DataType.STRING
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()
    source: str | None = None
    maximum_source: str | None = None
    reboot: bool = False
    attributes: dict[str, Attribute] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """What it is looked up by inside its component."""
        return self.name.lower(), (self.instance or "").lower()

    @property
    def path(self) -> str:
        """What people write: Component[instance]@evse/connector.Variable[instance]."""
        place = self.place
        text = place.name + (f"[{place.instance}]" if place.instance else "")
        if place.evse:
            text += f"@{place.evse}" + (f"/{place.connector}" if place.connector else "")
        return f"{text}.{self.name}" + (f"[{self.instance}]" if self.instance else "")

    @property
    def secret(self) -> bool:
        """Its value is never told, not to people either."""
        actual = self.attributes.get(ACTUAL)
        return actual is not None and actual.mutability is Mutability.WRITE_ONLY

    def variable_payload(self) -> Payload:
        """As VariableType."""
        return {"name": self.name} | ({"instance": self.instance} if self.instance else {})


@dataclass(frozen=True, slots=True)
class Path:
    """A path that people wrote, taken apart."""

    place: Place
    name: str
    instance: str | None
    attribute: str

    @classmethod
    def parse(cls, text: str) -> Path:
        """Raises KeyError for what is no path."""
        match = _PATH.match(text.strip())
        if match is None:
            raise KeyError(text)
        evse, connector = match["evse"], match["connector"]
        place = Place(
            match["name"],
            match["instance"] or None,
            int(evse) if evse else None,
            int(connector) if connector else None,
        )
        return cls(place, match["variable"], match["part"] or None, match["attribute"] or ACTUAL)


class BadValue(Exception):
    """A value that the variable cannot take. `reason` is a reason code of appendix 5."""

    def __init__(self, reason: str, info: str) -> None:
        super().__init__(info)
        self.reason, self.info = reason, info


def split(text: str) -> tuple[str, ...]:
    """The members of a list; an empty text has none."""
    return tuple(part.strip() for part in text.split(",")) if text.strip() else ()


def normalise(variable: Variable, text: str, maximum: float | None = None) -> str:
    """The value in the spelling that is stored. Raises BadValue."""
    kind = variable.data_type
    maximum = variable.maximum if maximum is None else maximum
    if kind is DataType.BOOLEAN:
        if text.strip().lower() not in ("true", "false"):
            raise BadValue("InvalidValue", "true or false is wanted")
        return text.strip().lower()
    if kind in (DataType.INTEGER, DataType.DECIMAL):
        return _number(variable, text.strip(), maximum)
    if kind is DataType.DATE_TIME:
        return _moment(text)
    if kind is DataType.STRING:
        return _string(variable, text, maximum)
    return _choice(variable, text, maximum)


def _number(variable: Variable, text: str, maximum: float | None) -> str:
    whole = variable.data_type is DataType.INTEGER
    if not (_INTEGER if whole else _DECIMAL).fullmatch(text):
        raise BadValue("InvalidValue", f"{variable.data_type.value} is wanted")
    number, minimum = float(text), variable.minimum
    if whole:
        minimum = SMALLEST if minimum is None else minimum
        maximum = LARGEST if maximum is None else maximum
    if minimum is not None and number < minimum:
        raise BadValue("ValueTooLow", f"at least {minimum:.15g}")
    if maximum is not None and number > maximum:
        raise BadValue("ValueTooHigh", f"at most {maximum:.15g}")
    return str(int(text)) if whole else text.lstrip("+")


def _moment(text: str) -> str:
    try:
        parse_stamp(text)
    except ValueError as error:
        raise BadValue("InvalidValue", "a date and time of RFC 3339 is wanted") from error
    return text.strip()


def _string(variable: Variable, text: str, maximum: float | None) -> str:
    if variable.minimum is not None and len(text) < variable.minimum:
        raise BadValue("InvalidValue", f"at least {variable.minimum:g} characters")
    if maximum is not None and len(text) > maximum:
        raise BadValue("InvalidValue", f"at most {maximum:g} characters")
    return text


def _choice(variable: Variable, text: str, maximum: float | None) -> str:
    members = split(text)
    if maximum is not None and len(text) > maximum:
        raise BadValue("InvalidValue", f"at most {maximum:g} characters")
    if variable.data_type is DataType.OPTION and len(members) != 1:
        raise BadValue("InvalidValue", "exactly one of the list is wanted")
    known = {value.lower(): value for value in variable.values}
    found = []
    for member in members:
        if known and member.lower() not in known:
            raise BadValue("InvalidValue", f"{member[:40]} is not one of the list")
        found.append(known.get(member.lower(), member))
    if len({member.lower() for member in found}) != len(found):
        raise BadValue("InvalidValue", "a member is named twice")
    return ",".join(found)
