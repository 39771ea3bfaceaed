"""What our own schema check says of a text before it is sent; it holds nothing back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.ocpp.schema import Schemas
from app.ocpp.version import Version
from ui.rooms.json_edit import Reading
from ui.rooms.table import Mark

GOOD = Mark("tick", "avail")
BAD = Mark("warning", "warn")


@dataclass(frozen=True, slots=True)
class Check:
    """A verdict: the key of its sentence and the shape beside it."""

    key: str
    mark: Mark
    params: Mapping[str, Any] = field(default_factory=dict)


def check_payload(version: str, action: str, text: str, reading: Reading) -> Check:
    """Is it JSON, and does it follow the schema of the request?"""
    if not text.strip():
        return Check("nothing", GOOD)
    if reading.mistake is not None:
        return _no_json(reading)
    return _against_schema(version, action, reading.value)


def check_frame(version: str, text: str, reading: Reading) -> Check:
    """Is it JSON, a CALL, and does its payload follow the schema?"""
    if not text.strip():
        return Check("nothing", GOOD)
    if reading.mistake is not None:
        return _no_json(reading)
    frame = reading.value
    is_call = isinstance(frame, list) and len(frame) == 4 and frame[0] == 2
    if not is_call or not isinstance(frame[2], str):
        return Check("no_call", BAD)
    return _against_schema(version, frame[2], frame[3])


def _no_json(reading: Reading) -> Check:
    assert reading.mistake is not None
    return Check("no_json", BAD, {"line": reading.mistake.line, "column": reading.mistake.column})


def _against_schema(version: str, action: str, payload: Any) -> Check:
    try:
        violations = Schemas.of(Version(version)).check(action, "request", payload)
    except (KeyError, ValueError):
        return Check("unknown_action", BAD, {"action": action})
    if not violations:
        return Check("valid", GOOD)
    first = violations[0]
    params = {"path": first.path or action, "message": first.message, "count": len(violations)}
    return Check("breaks_schema" if len(violations) == 1 else "breaks_schema_more", BAD, params)
