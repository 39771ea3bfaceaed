"""The JSON schema of a form (draft 2020-12): what editors know of a file before the program reads it."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from app.kernel.forms import Limits, Spelling, as_data, places

Schema = dict[str, Any]

_PLAIN: dict[Any, Schema] = {
    Any: {},
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    datetime: {"format": "date-time", "type": "string"},
    Path: {"format": "path", "type": "string"},
}
_NUMBER = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_TEXT = {"min_length": "minLength", "max_length": "maxLength", "pattern": "pattern"}
_LIST = {"min_length": "minItems", "max_length": "maxItems"}


def schema_of(kind: Any) -> Schema:
    """The schema of a form, with `$defs` of all that it is made of."""
    defs: dict[str, Schema] = {}
    schema = _form(kind, defs)
    return {**schema, "$defs": dict(sorted(defs.items()))} if defs else schema


def _form(kind: Any, defs: dict[str, Schema]) -> Schema:
    entries = {entry.name: entry for entry in fields(kind)}
    properties = {
        place.name: _field(entries[place.name], place.hint, defs) for place in places(kind)
    }
    own: Any = "object"
    shorthand = getattr(kind, "shorthand", None)
    if shorthand is not None:
        own = ["object", *properties[shorthand]["type"]]
    schema = {
        "additionalProperties": False,
        "description": inspect.getdoc(kind),
        "properties": properties,
        "required": [place.name for place in places(kind) if place.required],
        "title": kind.__name__,
        "type": own,
    }
    return {name: value for name, value in schema.items() if value not in (None, [])}


def _field(entry: Field[Any], hint: Any, defs: dict[str, Schema]) -> Schema:
    schema = dict(_hint(hint, defs))
    schema.update(entry.metadata)
    if entry.default is not MISSING:
        schema["default"] = as_data(entry.default)
    if "$ref" not in schema:
        schema["title"] = entry.name.replace("_", " ").title()
    return dict(sorted(schema.items()))


def _hint(hint: Any, defs: dict[str, Schema]) -> Mapping[str, Any]:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _annotated(args[0], args[1:], defs)
    if origin in (Union, types.UnionType):
        return {"anyOf": [_hint(arg, defs) for arg in args]}
    if hint is types.NoneType:
        return {"type": "null"}
    if origin is Literal:
        kinds = {type(choice) for choice in args}
        (kind,) = kinds
        return {"enum": list(args), **_PLAIN[kind]}
    if origin is tuple:
        return _tuple(args, defs)
    if origin is dict:
        names, items = (_hint(arg, defs) for arg in args)
        limits = {name: limit for name, limit in names.items() if name != "type"}
        return {
            "additionalProperties": items,
            **({"propertyNames": limits} if limits else {}),
            "type": "object",
        }
    if hint in _PLAIN:
        return _PLAIN[hint]
    return _ref(hint, defs)


def _annotated(hint: Any, notes: tuple[Any, ...], defs: dict[str, Schema]) -> Schema:
    for note in notes:
        if isinstance(note, Spelling):
            return {"type": list(note.types)}
    schema = dict(_hint(hint, defs))
    words = _NUMBER | (_LIST if schema["type"] == "array" else _TEXT)
    for note in notes:
        assert isinstance(note, Limits)
        limits = ((word, getattr(note, name)) for name, word in words.items())
        schema.update((word, limit) for word, limit in limits if limit is not None)
    return dict(sorted(schema.items()))


def _tuple(args: tuple[Any, ...], defs: dict[str, Schema]) -> Schema:
    if args[-1] is Ellipsis:
        return {"items": _hint(args[0], defs), "type": "array"}
    each = [_hint(arg, defs) for arg in args]
    return {"maxItems": len(each), "minItems": len(each), "prefixItems": each, "type": "array"}


def _ref(kind: Any, defs: dict[str, Schema]) -> Schema:
    name = kind.__name__
    if name not in defs:
        defs[name] = {}  # it may lead to itself
        if is_dataclass(kind):
            defs[name] = _form(kind, defs)
        elif issubclass(kind, Enum):
            choices = [item.value for item in kind]
            defs[name] = {
                "description": inspect.getdoc(kind),
                "enum": choices,
                "title": name,
                **_PLAIN[type(choices[0])],
            }
    return {"$ref": f"#/$defs/{name}"}
