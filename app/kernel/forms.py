"""Forms: what people and programs write down, read into frozen dataclasses with each place checked.

A form is a class under `@form`. Its annotations say what may stand at each place: str, int, float, bool, Any,
a Literal, an Enum, datetime and Path (written as text), tuples, dicts with names, another form, or
`X | None`; `Annotated` adds `Limits`. `fill` gives the form, or all places that are not as they should be.
Only a number is converted, where its value stays the same. What fields must keep together is checked in
`__post_init__`, which raises `RuleBroken`.
"""

from __future__ import annotations

import math
import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Literal,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from app.kernel.text import Text

FormT = TypeVar("FormT")
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a number, a text or a list may be; None: anything."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    """Of the whole text, yet with ^ and $: JSON schema wants them."""

    def broken(self, value: Any) -> tuple[str, Any] | None:
        """The first limit that a value is beyond: its name and the limit itself."""
        for name, within in _WITHIN.items():
            limit = getattr(self, name)
            if limit is not None and not within(value, limit):
                return name, limit
        return None


_WITHIN: dict[str, Callable[[Any, Any], object]] = {
    "ge": lambda value, limit: value >= limit,
    "gt": lambda value, limit: value > limit,
    "le": lambda value, limit: value <= limit,
    "lt": lambda value, limit: value < limit,
    "min_length": lambda value, limit: len(value) >= limit,
    "max_length": lambda value, limit: len(value) <= limit,
    "pattern": lambda value, limit: re.fullmatch(limit, value),
}


@dataclass(frozen=True, slots=True)
class Spelling:
    """A place with a way of reading of its own, which raises ValueError.

    `expected` is what was expected then (`form.<expected>`), `types` what JSON schema calls it.
    """

    read: Callable[[Any], Any]
    expected: str
    types: tuple[str, ...]


def about(description: str, *, default: Any = MISSING, default_factory: Any = MISSING) -> Any:
    """A field with a description, which goes into the JSON schema."""
    metadata = {"description": description}
    if default_factory is not MISSING:
        return field(default_factory=default_factory, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field, about))
def form(kind: type[FormT]) -> type[FormT]:
    """Makes a form of a class. A class attribute `shorthand` names the field that a lone value stands for."""
    return dataclass(frozen=True, slots=True, kw_only=True)(kind)


class RuleBroken(ValueError):
    """Fields that do not go together; `text` says why."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.id)
        self.text = text


@dataclass(frozen=True, slots=True)
class Slip:
    """One place that is not as the form has it.

    `kind` is "missing", "unknown", "rule" (then `rule` is its sentence) or else what was expected there, with
    the limit or the choices in `limit`.
    """

    path: Place
    kind: str
    found: Any = None
    limit: Any = None
    rule: Text | None = None

    @property
    def place(self) -> str:
        """Lists counted from 1 as EVSEs are: `evses[2].connectors[1].plug`; "/" for the whole."""
        out = ""
        for step in self.path:
            out += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if out else str(step)
        return out or "/"

    @property
    def expected(self) -> Text:
        """What should stand there, to go on a sentence with."""
        return Text(f"form.{self.kind}", {} if self.limit is None else {"limit": self.limit})


class Unfilled(ValueError):
    """Data does not fill a form; `slips` are all the places why, at least one."""

    def __init__(self, slips: Sequence[Slip]) -> None:
        super().__init__("; ".join(f"{slip.place}: {slip.kind}" for slip in slips))
        self.slips = tuple(slips)


def fill(kind: type[FormT], data: Any) -> FormT:
    """The form, from data as JSON and TOML have it. Raises Unfilled."""
    slips: list[Slip] = []
    found = _read_form(kind, data, (), slips)
    if slips:
        raise Unfilled(slips)
    assert isinstance(found, kind)
    return found


def values(filled: Any) -> dict[str, Any]:
    """The fields of a form by name."""
    kind: Any = type(filled)
    return {name: getattr(filled, name) for name in names(kind)}


@cache
def names(kind: Any) -> tuple[str, ...]:
    return tuple(entry.name for entry in fields(kind))


def required(kind: Any) -> tuple[str, ...]:
    """The fields that have no default."""
    return tuple(place.name for place in places(kind) if place.required)


_AS_IT_IS = frozenset({type(None), bool, int, float, str})


def as_data(value: Any, *, without_none: bool = False) -> Any:
    """A form, or a value of one, as JSON has it: `fill` makes the same of it again.

    `without_none`: fields of forms that are None are left out.
    """
    if type(value) in _AS_IT_IS:  # first, since most are: a state is written after each change
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value):
        given = values(value)
        value = {name: given[name] for name in given if not (without_none and given[name] is None)}
    if isinstance(value, Mapping):
        return {name: as_data(item, without_none=without_none) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_data(item, without_none=without_none) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class FormPlace:
    """A field of a form as it was written: its annotation, and what stands there if nothing is given."""

    name: str
    hint: Any
    required: bool


@cache
def places(kind: Any) -> tuple[FormPlace, ...]:
    hints = get_type_hints(kind, include_extras=True)
    return tuple(
        FormPlace(
            entry.name,
            hints[entry.name],
            entry.default is MISSING and entry.default_factory is MISSING,
        )
        for entry in fields(kind)
    )


# ---------------------------------------------------------------- reading


def _read(hint: Any, value: Any, at: Place, slips: list[Slip]) -> Any:
    """The value of one place. What is wrong there goes into `slips`; then the result is of no use."""
    if hint is Any:
        return value
    origin = get_origin(hint)
    if origin in _COMPOSED:
        return _COMPOSED[origin](get_args(hint), value, at, slips)
    if hint in _PLAIN:
        return _read_plain(hint, value, at, slips)
    if issubclass(hint, Enum):
        try:
            return hint(value)
        except ValueError:
            slips.append(_one_of([item.value for item in hint], value, at))
            return None
    return _read_form(hint, value, at, slips)


def _read_form(kind: Any, value: Any, at: Place, slips: list[Slip]) -> Any:
    shorthand = getattr(kind, "shorthand", None)
    if not isinstance(value, Mapping):
        if shorthand is None:
            slips.append(Slip(at, "table", value))
            return None
        value = {shorthand: value}
    before, found = len(slips), {}
    known = places(kind)
    for place in known:
        if place.name in value:
            here = (*at, place.name)
            found[place.name] = _read(place.hint, value[place.name], here, slips)
        elif place.required:
            slips.append(Slip((*at, place.name), "missing"))
    expected = {place.name for place in known}
    slips += [Slip((*at, name), "unknown", value[name]) for name in value if name not in expected]
    if len(slips) > before:
        return None
    try:
        return kind(**found)
    except RuleBroken as error:
        slips.append(Slip(at, "rule", value, rule=error.text))
        return None


def _read_annotated(args: tuple[Any, ...], value: Any, at: Place, slips: list[Slip]) -> Any:
    hint, *notes = args
    for note in notes:
        if isinstance(note, Spelling):
            try:
                return note.read(value)
            except ValueError:
                slips.append(Slip(at, note.expected, value))
                return None
    before = len(slips)
    found = _read(hint, value, at, slips)
    for note in notes:
        if isinstance(note, Limits) and len(slips) == before and (broken := note.broken(found)):
            slips.append(Slip(at, broken[0], value, broken[1]))
    return found


def _read_optional(args: tuple[Any, ...], value: Any, at: Place, slips: list[Slip]) -> Any:
    (hint,) = (arg for arg in args if arg is not types.NoneType)
    return None if value is None else _read(hint, value, at, slips)


def _read_literal(args: tuple[Any, ...], value: Any, at: Place, slips: list[Slip]) -> Any:
    if not any(value == choice and type(value) is type(choice) for choice in args):
        slips.append(_one_of(args, value, at))
    return value


def _read_tuple(args: tuple[Any, ...], value: Any, at: Place, slips: list[Slip]) -> Any:
    if not isinstance(value, list | tuple):
        slips.append(Slip(at, "list", value))
        return None
    if args[-1] is Ellipsis:
        hints = (args[0],) * len(value)
    elif len(args) == len(value):
        hints = args
    else:
        kind = "min_length" if len(value) < len(args) else "max_length"
        slips.append(Slip(at, kind, value, len(args)))
        return None
    pairs = enumerate(zip(hints, value, strict=True))
    return tuple(_read(hint, item, (*at, number), slips) for number, (hint, item) in pairs)


def _read_dict(args: tuple[Any, ...], value: Any, at: Place, slips: list[Slip]) -> Any:
    if not isinstance(value, Mapping):
        slips.append(Slip(at, "table", value))
        return None
    of_name, of_item = args
    return {
        _read(of_name, name, (*at, name), slips): _read(of_item, item, (*at, name), slips)
        for name, item in value.items()
    }


_COMPOSED: dict[Any, Callable[[tuple[Any, ...], Any, Place, list[Slip]], Any]] = {
    Annotated: _read_annotated,
    Union: _read_optional,
    types.UnionType: _read_optional,
    Literal: _read_literal,
    tuple: _read_tuple,
    dict: _read_dict,
}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read_plain(kind: Any, value: Any, at: Place, slips: list[Slip]) -> Any:
    expected, read = _PLAIN[kind]
    try:
        return read(value)
    except (ValueError, OverflowError):
        slips.append(Slip(at, expected, value))
        return None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    value.encode()  # raises for half a character, which could be written down nowhere
    return value


def _whole(value: Any) -> int:
    if not _is_number(value) or value != int(value):
        raise ValueError
    return int(value)


def _number(value: Any) -> float:
    if not _is_number(value) or not math.isfinite(value):
        raise ValueError
    return float(value)


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


_PLAIN: dict[Any, tuple[str, Callable[[Any], Any]]] = {
    str: ("string", _text),
    int: ("int", _whole),
    float: ("float", _number),
    bool: ("bool", _yes_or_no),
    datetime: ("moment", lambda value: datetime.fromisoformat(_text(value))),
    Path: ("string", lambda value: Path(_text(value))),
}
"""What was expected there, and how it is read."""


def _one_of(choices: Sequence[Any], value: Any, at: Place) -> Slip:
    *some, last = (repr(choice) for choice in choices)
    listed = Text("form.or", {"some": ", ".join(some), "last": last}) if some else last
    return Slip(at, "one_of", value, listed)
