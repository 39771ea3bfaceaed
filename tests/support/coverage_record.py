"""Writes down what the tests of OCPP 1.6 saw on the wire: the only source of the page about coverage.

Benches tell each frame that passes (`RECORDER.frame`), harnesses over sockets the whole conversation
(`RECORDER.conversation`). Kept per action and sender: was it answered, which values of each enumeration
passed, which answers each value of a request got, for which reasons the station turned it down, which
CALLERRORs came back, which tests saw it and which rules they name. Only what a bench saw is
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
ANSWERED = "answered"
"""Stands for the status of an answer that has none."""

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
    branches: dict[str, set[str]] = field(default_factory=dict)
    """By "path=value" of the request: the statuses and CALLERRORs that the station answered."""
    reasons: dict[str, set[str]] = field(default_factory=dict)
    """By status: the ids of the sentences with which the station turned something down."""
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
        for asked, answers in other.branches.items():
            self.branches.setdefault(asked, set()).update(answers)
        for status, ids in other.reasons.items():
            self.reasons.setdefault(status, set()).update(ids)
        for file, count in other.tests.items():
            self.tests[file] = self.tests.get(file, 0) + count

    def as_json(self) -> dict[str, Any]:
        return {
            "sent": self.sent,
            "answered": self.answered,
            "values": _sorted(self.values),
            "branches": _sorted(self.branches),
            "reasons": _sorted(self.reasons),
            "errors": sorted(self.errors),
            "rules": sorted(self.rules),
            "tests": dict(sorted(self.tests.items())),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Seen:
        return Seen(
            data["sent"],
            data["answered"],
            _sets(data["values"]),
            _sets(data["branches"]),
            _sets(data["reasons"]),
            set(data["errors"]),
            set(data["rules"]),
            dict(data["tests"]),
        )


def _sorted(found: Mapping[str, set[str]]) -> dict[str, list[str]]:
    return {name: sorted(values) for name, values in sorted(found.items())}


def _sets(found: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    return {name: set(values) for name, values in found.items()}


@dataclass(slots=True)
class Recording:
    """What a run saw; adds up over the processes of a run."""

    seen: dict[Key, Seen] = field(default_factory=dict)
    over_sockets: set[Key] = field(default_factory=set)
    rules: set[str] = field(default_factory=set)
    """The rules named by tests in which a station spoke 1.6, whatever they looked at."""

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
        self._spoke = False
        self._asked: dict[tuple[Key, str | None], list[str]] = {}
        """The "path=value" of CALLs without an answer yet."""

    def begin(self, file: str, rules: set[str]) -> None:
        """A test begins whose frames count."""
        self._file, self._rules, self._touched, self._spoke = file, rules, set(), False
        self._asked.clear()

    def end(self) -> None:
        """The test is over."""
        file, self._file = self._file, None
        if file is None:
            return
        for key in self._touched:
            seen = self.recording.of(key)
            seen.rules |= self._rules
            seen.tests[file] = seen.tests.get(file, 0) + 1
        if self._spoke:
            self.recording.rules |= self._rules

    def frame(self, event: FramePassed, *, greeting: bool = False) -> None:
        """A frame passed a bench. `greeting`: only to bring the station up, not looked at by the test."""
        if self._file is None or event.version is not Version.V16 or event.forced:
            return
        action = event.action
        if action is None or _is_ignored(event):
            return
        self._spoke = True
        from_station = event.direction is Direction.OUT
        if event.kind != CALL:
            from_station = not from_station
        key = (action, STATION if from_station else OFFICE)
        seen = self.recording.of(key)
        if not greeting:
            self._touched.add(key)
        self._note(seen, key, event)

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

    def _note(self, seen: Seen, key: Key, event: FramePassed) -> None:
        action, call = key[0], (key, event.message_id)
        if event.kind == ERROR:
            code = str(json.loads(event.text)[2])
            seen.errors.add(code)
            self._answered(seen, call, {code})
            return
        if event.violations or action not in Schemas.of(Version.V16).actions:
            return
        kind: Kind = "request" if event.kind == CALL else "response"
        found = _values(event, action, kind)
        for path, value in found:
            seen.values.setdefault(f"{kind} {path}", set()).add(value)
        if kind == "request":
            seen.sent = True
            self._asked[call] = [f"{path}={value}" for path, value in found]
        else:
            seen.answered = True
            statuses = {value for path, value in found if path.rpartition(".")[2] == "status"}
            self._answered(seen, call, statuses)
            if event.note is not None:
                for status in statuses or {ANSWERED}:
                    seen.reasons.setdefault(status, set()).add(event.note.id)

    def _answered(self, seen: Seen, call: tuple[Key, str | None], answers: set[str]) -> None:
        """What the values of a request were answered with."""
        asked, (_, sender) = self._asked.pop(call, []), call[0]
        if answers and sender == OFFICE:  # what the back office answers is the test's own choice
            for each in asked:
                seen.branches.setdefault(each, set()).update(answers)


def _is_ignored(event: FramePassed) -> bool:
    """It was not understood, or did not leave. Notes of our answers are reasons for people."""
    if event.note is None:
        return False
    return event.direction is Direction.IN or event.note.id.startswith("ocpp.note.")


def _values(event: FramePassed, action: str, kind: Kind) -> list[tuple[str, str]]:
    """The values of all enumerations in a frame, with their paths."""
    paths = enumerations(action, kind)
    payload = json.loads(event.text)[3 if kind == "request" else 2] if paths else None
    return [(path, value) for path in paths for value in values_at(payload, path)]


RECORDER = Recorder()
