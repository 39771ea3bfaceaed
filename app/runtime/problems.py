"""What is wrong with a file of settings, as sentences: which file, where in it, what, what was expected."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from app.kernel.text import Text

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class ConfigError(ValueError):
    """A configuration cannot be used; `problems` are sentences."""

    def __init__(self, problems: Iterable[Text]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{text.id} {dict(text.params)}" for text in self.problems))

    @property
    def text(self) -> Text:
        """The first problem, and how many more there are."""
        first, more = self.problems[0], len(self.problems) - 1
        return Text("runtime.config.more", {"first": first, "more": more}) if more else first


_EXPECTED = {
    "string_type": "string",
    "int_type": "int",
    "int_parsing": "int",
    "int_from_float": "int",
    "float_type": "float",
    "float_parsing": "float",
    "finite_number": "float",
    "bool_type": "bool",
    "bool_parsing": "bool",
    "list_type": "list",
    "tuple_type": "list",
    "set_type": "list",
    "frozen_set_type": "list",
    "dict_type": "table",
    "model_type": "table",
    "model_attributes_type": "table",
    "dataclass_type": "table",
    "datetime_type": "moment",
    "datetime_parsing": "moment",
    "datetime_from_date_parsing": "moment",
    "path_type": "string",
    "scalar": "scalar",
}
_LIMITS = {
    "greater_than_equal": "ge",
    "greater_than": "gt",
    "less_than_equal": "le",
    "less_than": "lt",
    "string_too_short": "min_length",
    "string_too_long": "max_length",
    "too_short": "min_length",
    "too_long": "max_length",
}


RULES = {
    name: Text(f"runtime.config.rule_{name}")
    for name in ("two_passwords", "key_alone", "connector_alone")
}
"""What must fit together: the names of our own checks in the model."""


def problem(error: ErrorDetails, file: str, known: Iterable[str] = ()) -> Text:
    """One finding of the checker as a sentence. `known`: names that would be right at that place."""
    from app.station.specs import path as path_of  # the command line knows ConfigError without it

    kind = error["type"]
    where = path_of(error["loc"])
    if kind == "missing":
        return Text("runtime.config.missing", {"file": file, "path": where})
    if kind == "extra_forbidden":
        return _unknown(file, where, str(error["loc"][-1]), known)
    if kind in RULES:
        return Text("runtime.config.rule", {"file": file, "path": where, "rule": RULES[kind]})
    found = "…" if where.endswith("password") else shortened(error["input"])
    params = {"file": file, "path": where, "found": found}
    return Text("runtime.config.wrong", {**params, "expected": _expected(error)})


def shortened(value: Any) -> str:
    """A value as it would stand in the file, at most 60 characters of it."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:59] + "…"


def _unknown(file: str, where: str, name: str, known: Iterable[str]) -> Text:
    import difflib  # for the one who mistyped only

    close = difflib.get_close_matches(name, list(known), 1)
    params = {"file": file, "path": where}
    if close:
        return Text("runtime.config.unknown_near", {**params, "near": close[0]})
    return Text("runtime.config.unknown", params)


def _expected(error: ErrorDetails) -> Text:
    kind = error["type"]
    ctx: Mapping[str, Any] = error.get("ctx", {})
    if kind in _EXPECTED:
        return Text(f"runtime.config.expected_{_EXPECTED[kind]}")
    if kind in _LIMITS:
        limit = _LIMITS[kind]
        return Text(f"runtime.config.expected_{limit}", {"limit": ctx[limit]})
    if kind in ("literal_error", "enum"):
        return Text("runtime.config.expected_one_of", {"choices": ctx["expected"]})
    return Text("runtime.config.expected_other", {"said": error["msg"]})
