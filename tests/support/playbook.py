"""A conversation as lines that read like the specification's sequence diagrams.

    > StatusNotification connectorId=1 status=Preparing     a CALL of the station
    < RemoteStartTransaction idTag=A                        a CALL of the back office
    = RemoteStartTransaction status=Accepted                the station's answer to it
    ! SetChargingProfile NotSupported                       the station's CALLERROR to it
    ...                                                     any lines in between

Words after the action are checks on the payload: `path=value` (lists by index: `meterValue.0.timestamp`),
`path` alone for "is there", `!path` for "is not there", `path~part` for "contains". What is not named is
not looked at. `#` begins a comment.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Line:
    """What was said: `mark` is one of > < = !, `payload` the error code for !."""

    mark: str
    action: str
    payload: Any

    def __str__(self) -> str:
        said = self.payload if isinstance(self.payload, str) else json.dumps(self.payload)
        return f"{self.mark} {self.action} {said}"


def pattern_lines(script: str | Sequence[str]) -> list[str]:
    """The lines of a script without comments and empty ones."""
    lines = script.splitlines() if isinstance(script, str) else list(script)
    bare = (line.split(" #")[0].strip() for line in lines)
    return [line for line in bare if line and not line.startswith("#")]


def fits(pattern: str, line: Line) -> bool:
    """Does one line say what the pattern wants?"""
    words = shlex.split(pattern)
    if len(words) < 2 or words[0] not in "><=!":
        raise ValueError(f"not a line of a playbook: {pattern!r}")
    if (words[0], words[1]) != (line.mark, line.action):
        return False
    if line.mark == "!":
        return len(words) < 3 or words[2] == line.payload
    return all(_holds(check, line.payload) for check in words[2:])


def compare(script: str | Sequence[str], lines: Sequence[Line]) -> str | None:
    """None if the lines are what the script says, else both, side by side, as text."""
    patterns = pattern_lines(script)
    if _match(patterns, list(lines)):
        return None
    wanted = "\n".join(f"    {pattern}" for pattern in patterns)
    said = "\n".join(f"    {line}" for line in lines)
    return f"the conversation differs\n  expected\n{wanted}\n  was\n{said or '    (nothing)'}"


def _match(patterns: list[str], lines: list[Line]) -> bool:
    if not patterns:
        return not lines
    if patterns[0] == "...":
        return any(_match(patterns[1:], lines[skip:]) for skip in range(len(lines) + 1))
    return bool(lines) and fits(patterns[0], lines[0]) and _match(patterns[1:], lines[1:])


def _holds(check: str, payload: Any) -> bool:
    if check.startswith("!"):
        return value_at(payload, check[1:], _ABSENT) is _ABSENT
    if "=" in check:
        path, _, wanted = check.partition("=")
        found = value_at(payload, path, _ABSENT)
        return found is not _ABSENT and _spelt(found) == wanted
    if "~" in check:
        path, _, part = check.partition("~")
        return part in _spelt(value_at(payload, path, ""))
    return value_at(payload, check, _ABSENT) is not _ABSENT


def value_at(payload: Any, path: str, default: Any = None) -> Any:
    """The value at a path as `a.0.b`."""
    for step in path.split("."):
        if isinstance(payload, dict) and step in payload:
            payload = payload[step]
        elif isinstance(payload, list) and step.isdigit() and int(step) < len(payload):
            payload = payload[int(step)]
        else:
            return default
    return payload


def _spelt(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"))
