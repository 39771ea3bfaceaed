"""Events as JSON: the form of the journal file, of the control API and of exports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from app.kernel.bus import Entry
from app.kernel.text import Text
from app.kernel.units import stamp

Record = dict[str, Any]


def to_json(value: Any) -> Any:
    """Plain JSON for anything that an event, snapshot or row may hold."""
    if isinstance(value, Text):
        found: Record = {"text": value.id}
        if value.params:
            found["params"] = {key: to_json(item) for key, item in value.params.items()}
        return found
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return stamp(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_json(item) for item in value]
    return value


def to_record(entry: Entry) -> Record:
    """One line of the journal."""
    return {
        "seq": entry.seq,
        "at": stamp(entry.at),
        "real": round(entry.real, 6),
        "origin": entry.origin.value,
        "cause": entry.cause,
        "event": type(entry.event).__name__,
        "data": to_json(entry.event),
    }
