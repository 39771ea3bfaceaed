"""Frames as far as the CSMS must read them itself: what is a CALL, what answers one of ours."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any

from app.training.settings import V16

LONGEST = 255
"""Characters of an id, an action or a description that go back at most; more serves nobody."""

DEEPEST = 500
"""Levels of lists and objects in a payload that the `ocpp` package, which goes down them itself, manages."""


NAMELESS = ("-1", "")
"""Ids of a CALLERROR that answers what could not be read; `null` is read as the empty one."""


class FrameKind(Enum):
    """What a text turned out to be."""

    CALL = "call"
    RESULT = "result"
    ERROR = "error"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Frame:
    """A text taken apart. `code` and `description` are those of a CALLERROR or say what is wrong."""

    kind: FrameKind
    id: str = ""
    action: str = ""
    payload: Any = None
    code: str = ""
    description: str = ""
    details: Any = None


def read(text: str, version: str) -> Frame:
    """Take a text apart; never raises."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return _wrong(version, "", "no JSON")
    if not isinstance(data, list) or not data:
        return _wrong(version, "", "no JSON array with a message type")
    id_ = data[1] if len(data) > 1 and _is_short(data[1]) else ""
    match data[0]:
        case 2 if type(data[0]) is int:
            return _call(data, id_, version)
        case 3 if type(data[0]) is int:
            payload = data[2] if len(data) > 2 else None
            return Frame(FrameKind.RESULT, id_, payload=payload)
        case 4 if type(data[0]) is int:
            rest = [*data[2:5], None, None, None]
            return Frame(
                FrameKind.ERROR,
                id_,
                code=_text(rest[0]),
                description=_text(rest[1]),
                details=rest[2],
            )
    if version == V16:
        return _wrong(version, "", "unknown message type")
    return Frame(
        FrameKind.WRONG, id_ or "-1", code="MessageTypeNotSupported", description="message type"
    )


def is_answerable(frame: Frame) -> bool:
    """Whether a wrong frame can be answered at all: 1.6 knows no answer without the id of a CALL."""
    return bool(frame.id)


def call_text(id_: str, action: str, payload: str) -> str:
    """A CALL whose payload part is `payload`, byte for byte."""
    return f"[2,{json.dumps(id_)},{json.dumps(action)},{payload}]"


def error_text(id_: str, code: str, description: str) -> str:
    """A CALLERROR."""
    return json.dumps([4, id_, code, description[:LONGEST], {}], separators=(",", ":"))


def result_text(id_: str, payload: Any) -> str:
    """A CALLRESULT."""
    return json.dumps([3, id_, payload], separators=(",", ":"))


def _call(data: list[Any], id_: str, version: str) -> Frame:
    if len(data) != 4 or not id_ or not _is_short(data[2]) or not isinstance(data[3], dict):
        return _wrong(version, id_, "no CALL: id, action and payload object")
    if _is_deep(data[3]):
        return _wrong(version, id_, f"nested more than {DEEPEST} levels deep")
    return Frame(FrameKind.CALL, id_, data[2], data[3])


def _is_deep(payload: Any) -> bool:
    level = [payload]
    for _ in range(DEEPEST):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        if not inner:
            return False
        level = inner
    return True


def _is_short(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST


def _wrong(version: str, id_: str, why: str) -> Frame:
    if version == V16:
        return Frame(FrameKind.WRONG, id_, code="FormationViolation", description=why)
    code = "FormatViolation" if id_ else "RpcFrameworkError"
    return Frame(FrameKind.WRONG, id_ or "-1", code=code, description=why)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
