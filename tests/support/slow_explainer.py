"""The slow judge: jsonschema with exact decimals, to hold the quick one against."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import jsonschema
from jsonschema.validators import extend

from app.ocpp import schema
from app.ocpp.events import Violation
from app.ocpp.schema import Kind, Schemas

_SHOWN_VALUE = 80


class Explainer:
    """Explains payloads by one schema."""

    def __init__(
        self,
        document: Mapping[str, Any],
        formats: Mapping[str, Callable[[Any], bool]],
        *,
        draft4: bool,
    ) -> None:
        checker = jsonschema.FormatChecker(formats=())
        for name, check in formats.items():
            checker.checks(name)(check)
        draft = _Draft4Explainer if draft4 else _Draft6Explainer
        self._validator = draft(document, format_checker=checker)

    def explain(self, payload: Any) -> tuple[Violation, ...]:
        """Every place, rule and value that breaks the schema."""
        errors = self._validator.iter_errors(_with_decimals(payload))
        found = [violation for error in errors for violation in _violations(error)]
        mistyped = {violation.path for violation in found if violation.rule == "type"}
        # what has the wrong type is in no list of values either: said once is enough
        found = [item for item in found if item.rule != "enum" or item.path not in mistyped]
        return tuple(sorted(found, key=lambda violation: (violation.path, violation.rule)))


def _is_number(_: Any, value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_integer4(_: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_integer6(_: Any, value: Any) -> bool:
    if isinstance(value, Decimal):
        return value == value.to_integral_value()
    return _is_integer4(_, value)


def _multiple_of(_: Any, factor: Any, value: Any, __: Any) -> Iterator[jsonschema.ValidationError]:
    """Exact: the factor as it is written, the value in its shortest decimal form."""
    if _is_number(_, value) and Fraction(str(value)) % Fraction(str(factor)):
        yield jsonschema.ValidationError("")


def _explainer(base: Any, integer: Callable[[Any, Any], bool]) -> Any:
    types = base.TYPE_CHECKER.redefine_many({"number": _is_number, "integer": integer})
    make: Any = extend
    return make(base, validators={"multipleOf": _multiple_of}, type_checker=types)


_Draft4Explainer = _explainer(jsonschema.Draft4Validator, _is_integer4)
_Draft6Explainer = _explainer(jsonschema.Draft6Validator, _is_integer6)


def _with_decimals(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {key: _with_decimals(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_decimals(item) for item in value]
    return value


def _violations(error: Any) -> Iterator[Violation]:
    path = _path(error.absolute_path)
    rule = str(error.validator)
    if rule == "additionalProperties":
        known = error.schema.get("properties", {})
        for name in (name for name in error.instance if name not in known):
            yield Violation(_join(path, name), rule, "unknown field", _shown(error.instance[name]))
    elif rule == "required":
        # draft 4 reports each missing field by itself, with its name first in the message
        missing = [name for name in error.validator_value if name not in error.instance]
        named = [name for name in missing if error.message.startswith(f"{name!r} ")]
        for name in named or missing:
            yield Violation(_join(path, name), rule, "is missing")
    else:
        yield Violation(path, rule, _reason(rule, error), _shown(error.instance))


def _reason(rule: str, error: Any) -> str:
    limit, value = error.validator_value, error.instance
    if rule == "type":
        return f"is {_type_name(value)}, not {limit}"
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
    if isinstance(value, Decimal):
        return str(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_VALUE else text[: _SHOWN_VALUE - 1] + "…"


class SlowJudge:
    """Explainers for all schemas of a version."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._known: dict[tuple[str, Kind, bool], Explainer] = {}

    def explain(self, action: str, kind: Kind, payload: Any, *, own: bool) -> tuple[Violation, ...]:
        key = (action, kind, own)
        if key not in self._known:
            document = self._schemas._strict(action, kind, own)
            draft4 = schema._is_draft4(document)
            self._known[key] = Explainer(document, schema._formats(own), draft4=draft4)
        return self._known[key].explain(payload)
