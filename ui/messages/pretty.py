"""A frame as readable JSON: lines of text, each knowing which field it shows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

INDENT = "  "


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `path` as `a.b[0].c` within the payload, "" for the payload itself, None outside it."""

    text: str
    path: str | None


def pretty(text: str | None) -> list[Line]:
    """The lines of a frame; a text that is no JSON, or nested too deeply, is shown as it is."""
    if text is None:
        return []
    try:
        return _lines(json.loads(text))
    except (ValueError, RecursionError):
        return [Line(line, None) for line in text.splitlines() or [""]]


def _lines(frame: Any) -> list[Line]:
    lines: list[Line] = []
    if isinstance(frame, list) and frame and type(frame[0]) is int and frame[0] in {2, 3, 4}:
        _frame(frame, lines)
    else:
        _value(frame, "", "", 0, lines, "")
    return lines


def payload_of(text: str | None) -> Any:
    """The payload of a frame, None where there is none; of a CALLERROR all that it says."""
    if text is None:
        return None
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(frame, list) or not frame:
        return None
    if frame[0] == 4:
        names = ("errorCode", "errorDescription", "errorDetails")
        return dict(zip(names, frame[2:], strict=False))
    index = {2: 3, 3: 2}.get(frame[0]) if isinstance(frame[0], int) else None
    return frame[index] if index is not None and len(frame) > index else None


def join(path: str, key: str | int) -> str:
    """The path of a member or item."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def _frame(frame: list[Any], lines: list[Line]) -> None:
    index = {2: 3, 3: 2, 4: 4}[frame[0]]
    head = ", ".join(json.dumps(item, ensure_ascii=False) for item in frame[:index])
    if len(frame) <= index:
        lines.append(Line(f"[{head}]", None))
        return
    lines.append(Line(f"[{head},", None))
    more = frame[index + 1 :]
    _value(frame[index], "", INDENT, 1, lines, "," if more else "")
    for left, item in zip(range(len(more) - 1, -1, -1), more, strict=True):
        comma = "," if left else ""
        lines.append(Line(f"{INDENT}{json.dumps(item, ensure_ascii=False)}{comma}", None))
    lines.append(Line("]", None))


def _value(value: Any, path: str, lead: str, depth: int, lines: list[Line], end: str) -> None:
    if isinstance(value, dict) and value:
        lines.append(Line(f"{lead}{{", path))
        members = list(value.items())
        for number, (key, item) in enumerate(members):
            comma = "," if number < len(members) - 1 else ""
            name = f"{INDENT * (depth + 1)}{json.dumps(key, ensure_ascii=False)}: "
            _value(item, join(path, key), name, depth + 1, lines, comma)
        lines.append(Line(f"{INDENT * depth}}}{end}", path))
    elif isinstance(value, list) and value:
        lines.append(Line(f"{lead}[", path))
        for number, item in enumerate(value):
            comma = "," if number < len(value) - 1 else ""
            _value(item, join(path, number), INDENT * (depth + 1), depth + 1, lines, comma)
        lines.append(Line(f"{INDENT * depth}]{end}", path))
    else:
        lines.append(Line(f"{lead}{json.dumps(value, ensure_ascii=False)}{end}", path))
