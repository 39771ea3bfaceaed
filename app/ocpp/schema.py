"""The schemas of a version: a quick verdict on a payload, and a precise explanation where it is bad.

The verdict comes from jsonschema-rs, compiled at first use. Only when it is negative the slow jsonschema
says where and why; it reads numbers as Decimal, since binary floats make it refuse good limits
(`multipleOf: 0.1`), and both judge date-times by the same function.
"""

from __future__ import annotations

import copy
import importlib.util
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Literal

import jsonschema
import jsonschema_rs
from jsonschema.validators import extend

from app.kernel.units import parse_stamp
from app.ocpp.events import Violation
from app.ocpp.version import Version

Kind = Literal["request", "response"]
Schema = dict[str, Any]

_FOLDERS = {Version.V16: ("v16", "", "Response"), Version.V201: ("v201", "Request", "Response")}
_RFC3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S*")
_SHOWN_VALUE = 80


class Schemas:
    """All schemas of one version. Use `Schemas.of(version)`: they are shared and compiled once."""

    def __init__(self, version: Version) -> None:
        self.version = version
        folder, request, response = _FOLDERS[version]
        self._folder = _package_folder() / folder / "schemas"
        self._endings: dict[Kind, str] = {"request": request, "response": response}
        answers = {path.stem for path in self._folder.glob("*Response.json")}
        self.actions = frozenset(stem.removesuffix("Response") for stem in answers)
        self._documents: dict[tuple[str, Kind], Schema] = {}
        self._judges: dict[tuple[str, Kind, bool], Callable[[Any], bool]] = {}
        self._explainers: dict[tuple[str, Kind, bool], Any] = {}

    @staticmethod
    def of(version: Version) -> Schemas:
        return _schemas(version)

    def document(self, action: str, kind: Kind) -> Schema:
        """The JSON schema as published in the `ocpp` package. Raises KeyError for an unknown action."""
        known = self._documents.get((action, kind))
        if known is None:
            if action not in self.actions:
                raise KeyError(action)
            path = self._folder / f"{action}{self._endings[kind]}.json"
            known = json.loads(path.read_text("utf-8-sig"))
            self._documents[action, kind] = known
        return known

    def check(
        self, action: str, kind: Kind, payload: Any, *, own: bool = False
    ) -> tuple[Violation, ...]:
        """Where a payload breaks its schema; empty if nowhere. Raises KeyError for an unknown action.

        `own`: what we send ourselves is held to the stricter rules of OCA's own files, and to complete
        date-times.
        """
        try:
            if self.verdict(action, kind, payload, own=own):
                return ()
        except (ValueError, RecursionError) as error:
            return (Violation("", "json", str(error)[:200]),)
        return self.explain(action, kind, payload, own=own) or (
            Violation("", "schema", "breaks the schema"),
        )

    def verdict(self, action: str, kind: Kind, payload: Any, *, own: bool = False) -> bool:
        """The quick judgement. Raises KeyError, and ValueError for what is no JSON at all."""
        judge = self._judges.get((action, kind, own))
        if judge is None:
            judge = self._compile(action, kind, own)
        return judge(payload)

    def explain(
        self, action: str, kind: Kind, payload: Any, *, own: bool = False
    ) -> tuple[Violation, ...]:
        """The slow judgement on its own: every place, rule and value that breaks the schema."""
        explainer = self._explainers.get((action, kind, own))
        if explainer is None:
            explainer = self._explainers[action, kind, own] = self._make_explainer(
                action, kind, own
            )
        errors = explainer.iter_errors(_with_decimals(payload))
        found = [violation for error in errors for violation in _violations(error)]
        mistyped = {violation.path for violation in found if violation.rule == "type"}
        # what has the wrong type is in no list of values either: said once is enough
        found = [item for item in found if item.rule != "enum" or item.path not in mistyped]
        return tuple(sorted(found, key=lambda violation: (violation.path, violation.rule)))

    def _compile(self, action: str, kind: Kind, own: bool) -> Callable[[Any], bool]:
        document = self._strict(action, kind, own)
        draft = jsonschema_rs.Draft4Validator if _is_draft4(document) else _Draft6Judge
        judge: Callable[[Any], bool] = draft(
            document, validate_formats=True, formats=_formats(own)
        ).is_valid
        self._judges[action, kind, own] = judge
        return judge

    def _make_explainer(self, action: str, kind: Kind, own: bool) -> Any:
        document = self._strict(action, kind, own)
        draft = _Draft4Explainer if _is_draft4(document) else _Draft6Explainer
        checker = jsonschema.FormatChecker(formats=())
        for name, check in _formats(own).items():
            checker.checks(name)(check)
        return draft(document, format_checker=checker)

    def _strict(self, action: str, kind: Kind, own: bool) -> Schema:
        document = self.document(action, kind)
        if own and self.version is Version.V16 and (action, kind) == ("MeterValues", "request"):
            # the package allows a unit here that OCA's own file lacks
            document = copy.deepcopy(document)
            for part in _parts(document):
                if "enum" in part and "Hertz" in part["enum"]:
                    part["enum"].remove("Hertz")
        return document


@cache
def _schemas(version: Version) -> Schemas:
    return Schemas(version)


def _package_folder() -> Path:
    spec = importlib.util.find_spec("ocpp")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the package `ocpp`, which holds the schemas, is not installed")
    return Path(spec.submodule_search_locations[0])


def _parts(document: Any) -> Iterator[Schema]:
    if isinstance(document, dict):
        yield document
        for value in document.values():
            yield from _parts(value)
    elif isinstance(document, list):
        for value in document:
            yield from _parts(value)


def _is_draft4(document: Schema) -> bool:
    return "draft-04" in document.get("$schema", "")


# ---------------------------------------------------------------- formats: one judge for both


def _is_date_time(text: Any) -> bool:
    """Any form that we can read: with an offset, with a fraction of any length, with neither."""
    if not isinstance(text, str):
        return True
    try:
        parse_stamp(text)
    except (ValueError, OverflowError):
        return False
    return True


def _is_complete_date_time(text: Any) -> bool:
    """RFC 3339 to the letter: what we send ourselves."""
    if not isinstance(text, str):
        return True
    if _RFC3339.fullmatch(text) is None:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return _is_date_time(text)  # a leap second, a fraction of odd length
    return True


def _is_uri(text: Any) -> bool:
    return not isinstance(text, str) or _URI.fullmatch(text) is not None


_LENIENT: dict[str, Callable[[Any], bool]] = {"date-time": _is_date_time, "uri": _is_uri}
_STRICT: dict[str, Callable[[Any], bool]] = {"date-time": _is_complete_date_time, "uri": _is_uri}


def _formats(own: bool) -> dict[str, Callable[[Any], bool]]:
    return _STRICT if own else _LENIENT


# ---------------------------------------------------------------- the explaining validators

_Draft6Judge = jsonschema_rs.Draft6Validator


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
