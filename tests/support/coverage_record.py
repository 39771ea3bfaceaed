"""Writes down what the tests of OCPP 1.6 saw on the wire: the only source of the page about coverage.

Benches tell each frame that passes (`RECORDER.frame`), harnesses over sockets the whole conversation
(`RECORDER.conversation`). Kept per action and sender: was it answered, which values of each enumeration
passed, which CALLERRORs came back, which tests saw it and which rules they name. Only what a bench saw is
compared with the page, since its time is virtual and each run sees the same; of sockets it is kept that an
action has been over one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from app.ocpp.events import Direction, FramePassed
from app.ocpp.schema import Kind, Schemas
from app.ocpp.version import Version

STATION, OFFICE = "station", "back office"
"""Who sent the CALL."""

CALL, RESULT, ERROR = 2, 3, 4

Key = tuple[str, str]
"""The action and who sent it."""

_RULE = re.compile(
    r"(?<![A-Za-z0-9])(16[-_](?:BOOT|HB|ST|AV|AU|LL|TX)"
    r"|RPC|SC|RC|RS|FW|DG|CE|CF|MV|OFF|RE|DT)[-_](\d\d)(?!\d)"
)


def rules_in(text: str) -> set[str]:
    """The rules that a name or a docstring of a test names: 16-TX-07, SC-18."""
    return {f"{group.replace('_', '-')}-{number}" for group, number in _RULE.findall(text)}


@cache
def enumerations(action: str, kind: Kind) -> Mapping[str, tuple[str, ...]]:
    """The enumerations in a message of 1.6 by the path of their field; lists show as `[]`."""
    document = Schemas.of(Version.V16).document(action, kind)
    found: dict[str, tuple[str, ...]] = {}
    _collect(document, document, "", found)
    return found


def _collect(
    document: dict[str, Any], schema: dict[str, Any], path: str, found: dict[str, tuple[str, ...]]
) -> None:
    while "$ref" in schema:
        target: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        schema = target
    if "enum" in schema:
        found[path] = tuple(schema["enum"])
    for name, part in schema.get("properties", {}).items():
        _collect(document, part, f"{path}.{name}".lstrip("."), found)
    if "items" in schema:
        _collect(document, schema["items"], f"{path}[]", found)


def values_at(payload: Any, path: str) -> Iterable[str]:
    """The values at a path of `enumerations` in a payload."""
    holders = [payload]
    for step in path.split("."):
        name = step.removesuffix("[]")
        holders = [one[name] for one in holders if isinstance(one, dict) and name in one]
        if step.endswith("[]"):
            holders = [item for one in holders if isinstance(one, list) for item in one]
    return (one for one in holders if isinstance(one, str))


@dataclass(slots=True)
class Seen:
    """What was seen of one action from one side."""

    sent: bool = False
    answered: bool = False
    values: dict[str, set[str]] = field(default_factory=dict)
    """By "request path" or "response path"."""
    errors: set[str] = field(default_factory=set)
    rules: set[str] = field(default_factory=set)
    tests: dict[str, int] = field(default_factory=dict)
    """How many tests of each file looked at it."""

    def add(self, other: Seen) -> None:
        self.sent |= other.sent
        self.answered |= other.answered
        self.errors |= other.errors
        self.rules |= other.rules
        for path, values in other.values.items():
            self.values.setdefault(path, set()).update(values)
        for file, count in other.tests.items():
            self.tests[file] = self.tests.get(file, 0) + count

    def as_json(self) -> dict[str, Any]:
        return {
            "sent": self.sent,
            "answered": self.answered,
            "values": {path: sorted(values) for path, values in sorted(self.values.items())},
            "errors": sorted(self.errors),
            "rules": sorted(self.rules),
            "tests": dict(sorted(self.tests.items())),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Seen:
        return Seen(
            data["sent"],
            data["answered"],
            {path: set(values) for path, values in data["values"].items()},
            set(data["errors"]),
            set(data["rules"]),
            dict(data["tests"]),
        )


@dataclass(slots=True)
class Recording:
    """What a run saw; adds up over the processes of a run."""

    seen: dict[Key, Seen] = field(default_factory=dict)
    over_sockets: set[Key] = field(default_factory=set)
    rules: set[str] = field(default_factory=set)
    """All rules that the tests name, whatever they looked at."""

    def of(self, key: Key) -> Seen:
        return self.seen.setdefault(key, Seen())

    def add(self, other: Recording) -> None:
        for key, seen in other.seen.items():
            self.of(key).add(seen)
        self.over_sockets |= other.over_sockets
        self.rules |= other.rules

    def as_json(self) -> dict[str, Any]:
        return {
            "seen": {
                f"{action} of the {sender}": self.seen[action, sender].as_json()
                for action, sender in sorted(self.seen)
            },
            "over_sockets": sorted(
                f"{action} of the {sender}" for action, sender in self.over_sockets
            ),
            "rules": sorted(self.rules),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Recording:
        return Recording(
            {_key(name): Seen.from_json(seen) for name, seen in data["seen"].items()},
            {_key(name) for name in data["over_sockets"]},
            set(data["rules"]),
        )


def _key(name: str) -> Key:
    action, _, sender = name.partition(" of the ")
    return action, sender


class Recorder:
    """Hears all frames of a process, and knows which test is running."""

    def __init__(self) -> None:
        self.recording = Recording()
        self._file: str | None = None
        self._rules: set[str] = set()
        self._touched: set[Key] = set()

    def begin(self, file: str, rules: set[str]) -> None:
        """A test begins whose frames count."""
        self._file, self._rules, self._touched = file, rules, set()

    def end(self) -> None:
        """The test is over."""
        file, self._file = self._file, None
        if file is None:
            return
        for key in self._touched:
            seen = self.recording.of(key)
            seen.rules |= self._rules
            seen.tests[file] = seen.tests.get(file, 0) + 1
        self.recording.rules |= self._rules

    def frame(self, event: FramePassed, *, greeting: bool = False) -> None:
        """A frame passed a bench. `greeting`: only to bring the station up, not looked at by the test."""
        if self._file is None or event.version is not Version.V16 or event.forced:
            return
        action = event.action
        if action is None or event.note is not None:
            return
        from_station = event.direction is Direction.OUT
        if event.kind != CALL:
            from_station = not from_station
        key = (action, STATION if from_station else OFFICE)
        seen = self.recording.of(key)
        if not greeting:
            self._touched.add(key)
        self._note(seen, action, event)

    def conversation(self, frames: Iterable[tuple[bool, str]]) -> None:
        """What passed a socket, in order: whether the station sent it, and the text."""
        open_calls: dict[tuple[bool, str], str] = {}
        for from_station, text in frames:
            try:
                frame = json.loads(text)
            except ValueError:
                continue
            if not isinstance(frame, list) or len(frame) < 3:
                continue
            if frame[0] == CALL:
                open_calls[from_station, str(frame[1])] = str(frame[2])
            elif frame[0] == RESULT:
                action = open_calls.pop((not from_station, str(frame[1])), None)
                if action is not None:
                    key = (action, OFFICE if from_station else STATION)
                    self.recording.over_sockets.add(key)

    def _note(self, seen: Seen, action: str, event: FramePassed) -> None:
        if event.kind == ERROR:
            seen.errors.add(str(json.loads(event.text)[2]))
            return
        if event.violations or action not in Schemas.of(Version.V16).actions:
            return
        kind: Kind = "request" if event.kind == CALL else "response"
        if kind == "request":
            seen.sent = True
        else:
            seen.answered = True
        paths = enumerations(action, kind)
        if not paths:
            return
        payload = json.loads(event.text)[3 if kind == "request" else 2]
        for path in paths:
            values = set(values_at(payload, path))
            if values:
                seen.values.setdefault(f"{kind} {path}", set()).update(values)


RECORDER = Recorder()
