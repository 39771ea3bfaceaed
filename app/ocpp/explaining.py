"""Where and why a payload breaks its schema, in words.

jsonschema-rs finds the places. It is asked about a trimmed copy of what is very large: an explanation of the
first thousands of values is as good as one of a million, and does not hold up the loop.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import jsonschema_rs

from app.ocpp.events import Violation

_SHOWN_VALUE = 80
_LOOKED_AT = 1_000
"""Values of a payload that are looked at."""
_TOLD = 50
"""Violations that are told; nobody reads more of one message."""


class Explainer:
    """Explains payloads by one schema."""

    def __init__(
        self,
        document: Mapping[str, Any],
        formats: Mapping[str, Callable[[Any], bool]],
        *,
        draft4: bool,
    ) -> None:
        draft = jsonschema_rs.Draft4Validator if draft4 else jsonschema_rs.Draft6Validator
        self._validator = draft(dict(document), validate_formats=True, formats=dict(formats))

    def explain(self, payload: Any) -> tuple[Violation, ...]:
        """The first places, with rule and value, that break the schema."""
        errors = islice(self._validator.iter_errors(_trimmed(payload, [_LOOKED_AT])), _TOLD)
        found = [violation for error in errors for violation in _violations(error, payload)]
        mistyped = {violation.path for violation in found if violation.rule == "type"}
        # what has the wrong type is in no list of values either: said once is enough
        found = [item for item in found if item.rule != "enum" or item.path not in mistyped]
        return tuple(sorted(found, key=lambda violation: (violation.path, violation.rule))[:_TOLD])


def _trimmed(value: Any, left: list[int]) -> Any:
    """A copy of at most so many values, counted down in `left`."""
    if isinstance(value, dict):
        left[0] -= len(value)
        part = value if left[0] >= 0 else dict(islice(value.items(), max(1, left[0] + len(value))))
        return {key: _trimmed(item, left) for key, item in part.items()}
    if isinstance(value, list | tuple):
        left[0] -= len(value)
        some = value if left[0] >= 0 else value[: max(1, left[0] + len(value))]
        return [_trimmed(item, left) for item in some]
    return value


def _violations(error: Any, payload: Any) -> Iterator[Violation]:
    where = error.instance_path
    path, value = _path(where), _value_at(payload, where)
    rule, limit = error.kind.name, error.kind.value
    if rule in ("additionalProperties", "falseSchema"):
        # the second is the first where no field at all is known
        unexpected = value if rule == "falseSchema" else error.kind.unexpected
        for name in islice(unexpected, _TOLD):
            found = _shown(value[name])
            yield Violation(_join(path, name), "additionalProperties", "unknown field", found)
    elif rule == "required":
        yield Violation(_join(path, error.kind.property), rule, "is missing")
    else:
        yield Violation(path, rule, _reason(rule, limit, value), _shown(value))


def _value_at(payload: Any, where: Sequence[str | int]) -> Any:
    for step in where:
        payload = payload[step]
    return payload


def _reason(rule: str, limit: Any, value: Any) -> str:
    if rule == "type":
        return f"is {_type_name(value)}, not {limit[0] if len(limit) == 1 else limit}"
    if rule == "enum":
        return "is none of " + ", ".join(str(item) for item in limit)
    if rule in ("maxLength", "minLength"):
        return f"has {len(value)} characters, {_bound(rule)} {limit}"
    if rule in ("maxItems", "minItems"):
        return f"has {len(value)} items, {_bound(rule)} {limit}"
    if rule in ("maximum", "minimum"):
        return f"is out of range, {_bound(rule)} {limit}"
    if rule == "multipleOf":
        return f"is no multiple of {limit}"
    if rule == "format":
        return f"is no {limit}"
    return f"breaks {rule}"


def _bound(rule: str) -> str:
    return "at most" if rule.startswith("max") else "at least"


def _type_name(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


def _path(parts: Any) -> str:
    path = ""
    for part in parts:
        path = f"{path}[{part}]" if isinstance(part, int) else _join(path, str(part))
    return path


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _shown(value: Any) -> str:
    """The beginning of a value as JSON; of a large one only the beginning is made."""
    if isinstance(value, str):
        value = value[: _SHOWN_VALUE + 1]
    elif isinstance(value, dict | list):
        value = _trimmed(value, [_SHOWN_VALUE])
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_VALUE else text[: _SHOWN_VALUE - 1] + "…"
