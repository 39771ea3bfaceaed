"""The three frames of OCPP-J as text: read without trust, written without surprise.

A CALL is `[2, id, action, payload]`, its answer `[3, id, payload]` or `[4, id, code, description, details]`.
Whatever else comes in is `NotOcpp` with the reason; nothing here raises on foreign text.
"""

from __future__ import annotations

import json
import re
import reprlib
from dataclasses import dataclass
from enum import Enum
from typing import Any

from app.kernel.jsontext import dump

MAX_ID = 36
"""Characters a message id may have."""

MAX_ECHO = 255
"""Characters of an id that is too long, but still given back; of a longer one nobody has any use."""

MAX_DESCRIPTION = 255
"""Characters an errorDescription may have."""

MAX_FRAME = 256 * 1024
"""Characters an incoming frame may have; longer ones are not even parsed, so that none holds up the loop.

Twice the longest that makes sense: a local list of a thousand entries has 100,000. To read and judge
as many takes 10 ms.
"""

MAX_PARTS = 20_000
"""Lists and objects a frame may hold: each costs more time than its few characters tell."""

MAX_DEPTH = 48
"""How deep lists and objects of a frame may be nested; the messages of OCPP need 9."""

CALL, CALLRESULT, CALLERROR = 2, 3, 4


class Fault(Enum):
    """Why a text is no frame of OCPP-J."""

    BINARY = "binary"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    TOO_DEEP = "too_deep"
    NOT_JSON = "not_json"
    NOT_A_FRAME = "not_a_frame"
    MESSAGE_TYPE = "message_type"
    MESSAGE_ID = "message_id"
    STRUCTURE = "structure"


@dataclass(frozen=True, slots=True)
class Call:
    message_id: str
    action: str
    payload: Any


@dataclass(frozen=True, slots=True)
class CallResult:
    """`broken` names what is wrong with the frame around the payload, if anything."""

    message_id: str
    payload: Any
    broken: str | None = None


@dataclass(frozen=True, slots=True)
class CallError:
    """`message_id` is None where the sender could not tell which frame it means (null, "", "-1")."""

    message_id: str | None
    code: str
    description: str
    details: Any
    broken: str | None = None


@dataclass(frozen=True, slots=True)
class NotOcpp:
    """A text that is no frame. `message_id` and `kind` are given where they could be read all the same."""

    fault: Fault
    message_id: str | None = None
    kind: int | None = None
    action: str | None = None
    detail: str = ""
    limit: int | None = None
    """What it goes beyond, if it is too long, too many or too deep."""

    @property
    def is_answer(self) -> bool:
        """It was meant as an answer, so it must not be answered itself."""
        return self.kind in (CALLRESULT, CALLERROR)


Frame = Call | CallResult | CallError

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_ROUND = bytes.maketrans(b"[]{}", b"()()")
_NO_BRACKETS = bytes(code for code in range(256) if code not in b"[]{}")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_ANSWER_HEAD = re.compile(rf'\s*\[\s*([34])\b(?:\s*,\s*"([^"\\]{{1,{MAX_ECHO}}})"\s*[,\]])?')
_CALL_HEAD = re.compile(
    rf'\s*\[\s*{CALL}\s*,\s*"([^"\\]{{1,{MAX_ID}}})"\s*,\s*"([^"\\]{{1,{MAX_ECHO}}})"\s*[,\]]'
)


class _NotJson(ValueError):
    """A constant that JSON does not have."""


def _no_constant(name: str) -> Any:
    raise _NotJson(f"{name} is no JSON")


_decoder = json.JSONDecoder(parse_constant=_no_constant)


def parse(text: str | bytes, max_chars: int = MAX_FRAME) -> Frame | NotOcpp:
    """Read one frame. Never raises."""
    if isinstance(text, bytes):
        return NotOcpp(Fault.BINARY, detail=f"{len(text)} bytes")
    if len(text) > max_chars:
        return _beyond(Fault.TOO_LONG, text, max_chars, len(text))
    parts = text.count("[") + text.count("{")
    if parts > MAX_PARTS:
        return _beyond(Fault.TOO_MANY, text, MAX_PARTS, parts)
    try:
        data = _decoder.decode(text)
        if not text.isascii():
            text.encode()
        if "\\u" in text and _SURROGATE.search(text):
            json.dumps(data, ensure_ascii=False).encode()  # a lone surrogate cannot be passed on
    except ValueError as error:
        if parts > MAX_DEPTH and _is_too_deep(
            text
        ):  # how deep a text is read before depends on Python
            return _beyond(Fault.TOO_DEEP, text, MAX_DEPTH)
        return NotOcpp(Fault.NOT_JSON, kind=_answer_kind(text), detail=str(error)[:200])
    except RecursionError:
        return _beyond(Fault.TOO_DEEP, text, MAX_DEPTH)
    frame = _frame(data)
    if parts > MAX_DEPTH and _is_too_deep(text):
        return _too_deep(frame)
    return frame


def _too_deep(frame: Frame | NotOcpp) -> NotOcpp:
    if isinstance(frame, Call):
        return NotOcpp(Fault.TOO_DEEP, frame.message_id, CALL, frame.action, limit=MAX_DEPTH)
    if isinstance(frame, NotOcpp):
        return frame
    kind = CALLRESULT if isinstance(frame, CallResult) else CALLERROR
    return NotOcpp(Fault.TOO_DEEP, frame.message_id, kind, limit=MAX_DEPTH)


def _is_too_deep(text: str) -> bool:
    """Brackets in strings count only where there seems to be a doubt: looking for strings takes longer."""
    plain = text.encode("ascii", "replace")
    return _nests_deeply(plain) and _nests_deeply(_STRING.sub(b"", plain))


def _nests_deeply(text: bytes) -> bool:
    """Takes the innermost brackets away, level by level."""
    brackets = text.translate(_ROUND, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"()", b"")
        if not brackets:
            return False
    return True


def _beyond(fault: Fault, text: str, limit: int, size: int | None = None) -> NotOcpp:
    """Too much to be parsed; but which CALL it is or answers can be told, for its head is short."""
    detail = "" if size is None else str(size)
    if head := _CALL_HEAD.match(text):
        return NotOcpp(fault, head[1], CALL, head[2], detail, limit)
    if head := _ANSWER_HEAD.match(text):
        return NotOcpp(fault, head[2], int(head[1]), None, detail, limit)
    return NotOcpp(fault, detail=detail, limit=limit)


def _answer_kind(text: str) -> int | None:
    match = _ANSWER_HEAD.match(text)
    return int(match[1]) if match else None


def _frame(data: Any) -> Frame | NotOcpp:
    if not isinstance(data, list) or not data:
        return NotOcpp(Fault.NOT_A_FRAME, detail=type(data).__name__)
    kind = data[0]
    message_id = data[1] if len(data) > 1 and isinstance(data[1], str) else None
    if message_id is not None and len(message_id) > MAX_ECHO:
        message_id = None
    if isinstance(kind, bool) or not isinstance(kind, int):
        return NotOcpp(Fault.NOT_A_FRAME, message_id or None, detail=repr(kind)[:40])
    if kind == CALL:
        return _call(data, message_id)
    if kind == CALLRESULT:
        return _result(data, message_id)
    if kind == CALLERROR:
        return _error(data, message_id)
    return NotOcpp(Fault.MESSAGE_TYPE, message_id or None, kind, detail=str(kind)[:40])


def _call(data: list[Any], message_id: str | None) -> Frame | NotOcpp:
    action = data[2] if len(data) > 2 and isinstance(data[2], str) else None
    if action is not None and len(action) > MAX_ECHO:
        words = f"an action of {len(action)} characters"
        return NotOcpp(Fault.STRUCTURE, message_id or None, CALL, None, words)
    if not message_id:
        return NotOcpp(Fault.MESSAGE_ID, None, CALL, action, "unreadable")
    if len(message_id) > MAX_ID:
        return NotOcpp(Fault.MESSAGE_ID, message_id, CALL, action, f"{len(message_id)} characters")
    if action is None:
        return NotOcpp(Fault.STRUCTURE, message_id, CALL, None, "no action")
    if len(data) != 4:
        return NotOcpp(Fault.STRUCTURE, message_id, CALL, action, f"{len(data)} elements, not 4")
    # null is a legal way to write "no payload" (OCPP-J 1.6 4.2.1, 2.0.1 part 4, 4.1.5)
    return Call(message_id, action, {} if data[3] is None else data[3])


def _result(data: list[Any], message_id: str | None) -> Frame | NotOcpp:
    if not message_id:
        return NotOcpp(Fault.MESSAGE_ID, None, CALLRESULT, None, "unreadable")
    broken = None if len(data) == 3 else f"{len(data)} elements, not 3"
    payload = data[2] if len(data) > 2 else None
    return CallResult(message_id, {} if payload is None else payload, broken)


def _error(data: list[Any], message_id: str | None) -> Frame | NotOcpp:
    if message_id is None and len(data) > 1 and data[1] is not None:
        return NotOcpp(Fault.MESSAGE_ID, None, CALLERROR, None, "unreadable")
    broken = None if len(data) == 5 else f"{len(data)} elements, not 5"
    code, description, details = ([*data[2:5], None, None, None])[:3]
    if isinstance(code, str):
        code = code[:MAX_ECHO]
    else:
        broken, code = broken or "the error code is no text", _as_text(code)
    if description is not None and not isinstance(description, str):
        broken, description = broken or "the description is no text", _as_text(description)
    known_id = None if message_id in (None, "", "-1") else message_id
    return CallError(known_id, code, description or "", {} if details is None else details, broken)


def _as_text(value: Any) -> str:
    """The beginning, without making a text of all of it: it may be a list of a hundred thousand."""
    return "" if value is None else reprlib.repr(value)[:MAX_DESCRIPTION]


def _encode(value: Any) -> str:
    text = dump(value)
    if not text.isascii():
        text.encode()  # raises for a lone surrogate, which no wire can carry
    return text


def build_call(message_id: str, action: str, payload: Any) -> str:
    """Raises ValueError or TypeError for a payload that is no JSON."""
    return _encode([CALL, message_id, action, payload])


def build_call_around(message_id: str, action: str, payload_text: str) -> str:
    """A CALL around a payload that is already text, whatever it holds.

    Raises ValueError for half a character, which no frame can carry.
    """
    payload_text.encode()
    return f"[{CALL},{_encode(message_id)},{_encode(action)},{payload_text}]"


def build_result(message_id: str, payload: Any) -> str:
    """Raises ValueError or TypeError for a payload that is no JSON."""
    return _encode([CALLRESULT, message_id, payload])


def build_error(message_id: str, code: str, description: str, details: Any) -> str:
    """The description is cut to what the specification allows."""
    return _encode([CALLERROR, message_id, code, description[:MAX_DESCRIPTION], details])
