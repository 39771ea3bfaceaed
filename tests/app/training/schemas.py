"""The schemas of the `ocpp` package: verdicts on payloads, and the smallest payload that fits."""

from __future__ import annotations

import functools
import json
from decimal import Decimal
from importlib.resources import files
from typing import Any

from jsonschema import Draft6Validator, FormatChecker

FOLDERS = {"1.6": "v16", "2.0.1": "v201"}
_FORMATS = FormatChecker()


@_FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    from datetime import datetime

    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@functools.cache
def schema(version: str, action: str, *, answer: bool) -> dict[str, Any]:
    suffix = "Response" if answer else "Request" if version == "2.0.1" else ""
    path = files("ocpp") / FOLDERS[version] / "schemas" / f"{action}{suffix}.json"
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8-sig"), parse_float=Decimal)
    return loaded


def verdict(version: str, action: str, payload: Any, *, answer: bool = False) -> list[str]:
    """What is wrong with a payload; empty when it fits."""
    exact = json.loads(json.dumps(payload), parse_float=Decimal)
    validator = Draft6Validator(schema(version, action, answer=answer), format_checker=_FORMATS)
    return [error.message for error in validator.iter_errors(exact)]


def smallest(version: str, action: str) -> dict[str, Any]:
    """A request with nothing but what must be there."""
    root = schema(version, action, answer=False)
    made = _make(root, root)
    assert isinstance(made, dict)
    return made


def _make(node: dict[str, Any], root: dict[str, Any]) -> Any:
    if "$ref" in node:
        return _make(root["definitions"][node["$ref"].rpartition("/")[2]], root)
    if "enum" in node:
        return node["enum"][0]
    match node.get("type"):
        case "object":
            return {
                name: _make(node["properties"][name], root) for name in node.get("required", [])
            }
        case "array":
            return [_make(node["items"], root)]
        case "string":
            return "2026-03-01T12:00:00Z" if node.get("format") == "date-time" else "1"
        case "integer" | "number":
            return 1
        case "boolean":
            return False
    return "1"
