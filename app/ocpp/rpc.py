"""The endpoint of OCPP-J without sockets: text comes in and becomes an arrival, calls become text.

It keeps the rules of the RPC framework: one own CALL open at a time, each answer paired with its CALL,
every frame judged against the schemas where it enters and where it leaves, and a CALLERROR of the right
kind for what cannot be taken. It knows nothing of time-outs but how to be told of one, and of no tasks.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from app.kernel.ids import IdSource
from app.kernel.text import Text
from app.ocpp import frames
from app.ocpp.events import Violation
from app.ocpp.frames import Call, CallError, CallResult, Fault, NotOcpp
from app.ocpp.schema import Kind, Schemas
from app.ocpp.version import Version

_REMEMBERED = 512
"""How many message ids that are over are still recognised."""

NO_ID = "-1"
"""The id of a CALLERROR whose cause had no readable one (2.0.1 part 4, 4.2.3)."""


class ErrorCode(Enum):
    """What a CALLERROR says; the value is the spelling of 2.0.1."""

    FORMAT_VIOLATION = "FormatViolation"
    GENERIC_ERROR = "GenericError"
    INTERNAL_ERROR = "InternalError"
    MESSAGE_TYPE_NOT_SUPPORTED = "MessageTypeNotSupported"
    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    OCCURRENCE_CONSTRAINT_VIOLATION = "OccurrenceConstraintViolation"
    PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
    PROTOCOL_ERROR = "ProtocolError"
    RPC_FRAMEWORK_ERROR = "RpcFrameworkError"
    SECURITY_ERROR = "SecurityError"
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"

    def spelt(self, version: Version) -> str:
        """As this version writes it; codes that 1.6 lacks become its nearest."""
        return _SPELLING_16.get(self, self.value) if version is Version.V16 else self.value

    @classmethod
    def read(cls, text: str) -> ErrorCode | None:
        """Understand any spelling of either version; None for a code that neither has."""
        try:
            return _OTHER_SPELLINGS.get(text) or cls(text)
        except ValueError:
            return None


_SPELLING_16 = {
    # both names are printed like this in 1.6, and stay so (OCPP-J 1.6 errata 5.1, 5.2)
    ErrorCode.FORMAT_VIOLATION: "FormationViolation",
    ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION: "OccurenceConstraintViolation",
    ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED: "GenericError",
    ErrorCode.RPC_FRAMEWORK_ERROR: "FormationViolation",
}
_OTHER_SPELLINGS = {
    "FormationViolation": ErrorCode.FORMAT_VIOLATION,
    "OccurenceConstraintViolation": ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
}

_CODE_OF_RULE = {
    "type": ErrorCode.TYPE_CONSTRAINT_VIOLATION,
    "required": ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
    "minItems": ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
    "maxItems": ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
    "additionalProperties": ErrorCode.FORMAT_VIOLATION,
    "json": ErrorCode.FORMAT_VIOLATION,
}
_WEIGHT = (
    ErrorCode.FORMAT_VIOLATION,
    ErrorCode.TYPE_CONSTRAINT_VIOLATION,
    ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
    ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
)


def code_of(violations: Sequence[Violation]) -> tuple[ErrorCode, Violation]:
    """The error code for a broken payload, and the violation that decides: the coarsest one."""

    def code(violation: Violation) -> ErrorCode:
        if not violation.path:
            return ErrorCode.FORMAT_VIOLATION  # the payload as a whole is no object
        return _CODE_OF_RULE.get(violation.rule, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION)

    decisive = min(violations, key=lambda violation: _WEIGHT.index(code(violation)))
    return code(decisive), decisive


@dataclass(slots=True)
class Outgoing:
    """A frame of ours, ready to be sent."""

    kind: int
    message_id: str | None
    action: str | None
    text: str
    violations: tuple[Violation, ...] = ()
    forced: bool = False


@dataclass(slots=True)
class OpenCall:
    """Our CALL that waits for its answer. `sent_at` in link seconds."""

    message_id: str
    action: str
    sent_at: float
    forced: bool = False
    answered_meanwhile: bool = False
    """We have answered a CALL of the other side since, so an error without id may mean that answer."""


@dataclass(slots=True)
class Request:
    """A CALL of the other side that has to be answered exactly once. `at` in link seconds."""

    message_id: str
    action: str
    payload: Any
    violations: tuple[Violation, ...]
    at: float


@dataclass(slots=True)
class Answer:
    """The end of our open CALL: a payload (perhaps a broken one) or an error."""

    call: OpenCall
    payload: Any = None
    error: CallError | None = None
    violations: tuple[Violation, ...] = ()


@dataclass(slots=True)
class Arrival:
    """What became of a text that came in: at most one of a request, an answer, or a text to send back."""

    kind: int
    message_id: str | None
    action: str | None
    violations: tuple[Violation, ...] = ()
    note: Text | None = None
    latency: float | None = None
    """Seconds since our CALL, for its answer."""
    request: Request | None = None
    answer: Answer | None = None
    reply: Outgoing | None = None


class Endpoint:
    """One side of one link. `reset()` when the link is gone; ids go on being unique."""

    def __init__(
        self,
        version: Version,
        ids: IdSource,
        now: Callable[[], float],
        *,
        max_chars: int = frames.MAX_FRAME,
    ) -> None:
        self.version = version
        self.schemas = Schemas.of(version)
        self.open: OpenCall | None = None
        self._ids = ids
        self._now = now
        self._max_chars = max_chars
        self._over: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._handling: set[str] = set()
        self._seen: OrderedDict[str, None] = OrderedDict()

    # ------------------------------------------------------------ our own CALLs

    def new_id(self) -> str:
        return self._ids()

    def judge_own(self, action: str, kind: Kind, payload: Any) -> tuple[Violation, ...]:
        """The verdict on a payload of ours; an action that the version lacks is a violation too."""
        if action not in self.schemas.actions:
            return (Violation("", "action", f"{action} is unknown in {self.version.value}"),)
        return self.schemas.check(action, kind, payload, own=True)

    def judge_text(self, text: str, action: str | None = None) -> tuple[Violation, ...]:
        """The verdict on a whole frame of ours that is sent as it is; `action` is that of an answer."""
        frame = frames.parse(text, self._max_chars)
        if isinstance(frame, Call):
            return self.judge_own(frame.action, "request", frame.payload)
        if isinstance(frame, NotOcpp):
            return (Violation("", "frame", "no frame of OCPP"),)
        found = [Violation("", "frame", frame.broken)] if frame.broken else []
        if isinstance(frame, CallResult) and action is not None:
            found += self.judge_own(action, "response", frame.payload)
        return tuple(found)

    def start_call(self, action: str, message_id: str, *, forced: bool = False) -> OpenCall:
        """Note that this CALL goes out now. Raises RuntimeError while another is open."""
        if self.open is not None:
            raise RuntimeError(f"{self.open.action} is still open")
        self._over.pop(message_id, None)  # a retry may carry the id of its first try
        self.open = OpenCall(message_id, action, self._now(), forced)
        return self.open

    def close_call(self, how: str) -> OpenCall | None:
        """Our open CALL is over; its id is remembered, for an answer that comes too late."""
        call, self.open = self.open, None
        if call is not None:
            self._remember(call.message_id, call.action, how)
        return call

    def remember_raw(self, message_id: str, action: str) -> None:
        """A CALL was sent past this endpoint: its answer is not a surprise, but nobody waits for it."""
        self._remember(message_id, action, "raw")

    def reset(self) -> None:
        """The link is gone: answers can no longer come, nor be given."""
        self.close_call("disconnected")
        self._handling.clear()

    def _remember(self, message_id: str, action: str, how: str) -> None:
        self._over[message_id] = (action, how)
        if len(self._over) > _REMEMBERED:
            self._over.popitem(last=False)

    # ------------------------------------------------------------ our own answers

    def is_waiting(self, request: Request) -> bool:
        """The other side still waits for the answer to this CALL."""
        return request.message_id in self._handling

    def result(self, request: Request, payload: Any, *, forced: bool = False) -> Outgoing:
        """The CALLRESULT; its violations are empty if it may be sent."""
        violations = self.judge_own(request.action, "response", payload)
        try:
            text = frames.build_result(request.message_id, payload)
        except (TypeError, ValueError) as error:
            violations, text = (Violation("", "json", str(error)[:200]),), ""
        return Outgoing(
            frames.CALLRESULT, request.message_id, request.action, text, violations, forced
        )

    def error(
        self,
        request: Request,
        code: str | ErrorCode,
        description: str = "",
        details: Any = None,
        *,
        forced: bool = False,
    ) -> Outgoing:
        """The CALLERROR in the spelling of this version; a code that nobody knows stays as it is."""
        text = frames.build_error(
            request.message_id, self._spell(code), description, {} if details is None else details
        )
        return Outgoing(frames.CALLERROR, request.message_id, request.action, text, (), forced)

    def finish(self, request: Request) -> None:
        """The CALL has been answered, or never will be."""
        self._handling.discard(request.message_id)
        if self.open is not None:
            self.open.answered_meanwhile = True

    def _spell(self, code: str | ErrorCode) -> str:
        if isinstance(code, ErrorCode):
            return code.spelt(self.version)
        known = ErrorCode.read(code)
        return known.spelt(self.version) if known else code

    # ------------------------------------------------------------ what comes in

    def receive(self, text: str | bytes) -> Arrival:
        """Judge and route one text. Never raises on foreign text."""
        frame = frames.parse(text, self._max_chars)
        if isinstance(frame, Call):
            return self._on_call(frame)
        if isinstance(frame, CallResult):
            return self._on_result(frame)
        if isinstance(frame, CallError):
            return self._on_error(frame)
        return self._on_foreign(frame)

    def _on_call(self, frame: Call) -> Arrival:
        known = frame.action in self.schemas.actions
        violations = self._judge(frame.action, "request", frame.payload) if known else ()
        head = (frames.CALL, frame.message_id, frame.action, violations)
        if frame.message_id in self._handling:
            code = ErrorCode.RPC_FRAMEWORK_ERROR
            reply = self._complaint(
                frame.message_id, code, "This message id is being handled already", frame.action
            )
            return Arrival(*head, note=Text("ocpp.note.id_in_use"), reply=reply)
        note = Text("ocpp.note.id_used_before") if frame.message_id in self._seen else None
        self._seen[frame.message_id] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        self._handling.add(frame.message_id)
        request = Request(frame.message_id, frame.action, frame.payload, violations, self._now())
        if not known:
            note = Text("ocpp.note.unknown_action", {"action": frame.action})
        return Arrival(*head, note=note, request=request)

    def _on_result(self, frame: CallResult) -> Arrival:
        call = self._paired(frame.message_id)
        if call is None:
            return self._unexpected(frames.CALLRESULT, frame.message_id, frame.payload)
        violations = self._judge_answer(call, frame.payload)
        if frame.broken:
            violations = (Violation("", "frame", frame.broken), *violations)
        return Arrival(
            frames.CALLRESULT,
            frame.message_id,
            call.action,
            violations,
            latency=self._now() - call.sent_at,
            answer=Answer(call, payload=frame.payload, violations=violations),
        )

    def _on_error(self, frame: CallError) -> Arrival:
        broken = (Violation("", "frame", frame.broken),) if frame.broken else ()
        call = self._paired(frame.message_id)
        if frame.message_id is None and self.open and not self.open.answered_meanwhile:
            # they could not read the id; the only frame of ours that they may mean is the open CALL
            call = self.open
        if call is None:
            return self._unexpected(frames.CALLERROR, frame.message_id, None)
        known = ErrorCode.read(frame.code)
        code = known.spelt(self.version) if known else frame.code
        error = CallError(frame.message_id, code, frame.description, frame.details, frame.broken)
        return Arrival(
            frames.CALLERROR,
            frame.message_id,
            call.action,
            broken,
            note=None if frame.message_id else Text("ocpp.note.error_without_id"),
            latency=self._now() - call.sent_at,
            answer=Answer(call, error=error, violations=broken),
        )

    def _paired(self, message_id: str | None) -> OpenCall | None:
        call = self.open
        return call if call is not None and call.message_id == message_id else None

    def _judge_answer(self, call: OpenCall, payload: Any) -> tuple[Violation, ...]:
        if call.action not in self.schemas.actions:
            return ()
        return self._judge(call.action, "response", payload)

    def _judge(self, action: str, kind: Kind, payload: Any) -> tuple[Violation, ...]:
        """The verdict on what came; in what is right, integers are integers afterwards."""
        violations = self.schemas.check(action, kind, payload)
        if not violations:
            self.schemas.read_whole_numbers(action, kind, payload)
        return violations

    def _unexpected(self, kind: int, message_id: str | None, payload: Any) -> Arrival:
        """An answer that nobody waits for: too late, a second one, or to nothing at all."""
        action, how = self._over.get(message_id or "", (None, "never"))
        violations: tuple[Violation, ...] = ()
        if kind == frames.CALLRESULT and action in self.schemas.actions and action:
            violations = self.schemas.check(action, "response", payload)
        return Arrival(kind, message_id, action, violations, Text(f"ocpp.note.answer_{how}"))

    def _on_foreign(self, frame: NotOcpp) -> Arrival:
        params: dict[str, str | int] = {"detail": frame.detail}
        if frame.limit is not None:
            params["limit"] = frame.limit
        note = Text(f"ocpp.note.{frame.fault.value}", params)
        kind = frame.kind if frame.kind in (2, 3, 4) else 0
        if not frame.is_answer:
            reply = self._objection(frame)
            return Arrival(kind, frame.message_id, frame.action, (), note, reply=reply)
        call = self._paired(frame.message_id)
        if call is None:
            return Arrival(kind, frame.message_id, None, (), note)
        # its head tells which CALL it answers: there is no sense in waiting until the time is up
        violations = (Violation("", "frame", _words(frame)),)
        answer = Answer(call, violations=violations)
        latency = self._now() - call.sent_at
        return Arrival(
            kind, frame.message_id, call.action, violations, note, latency, answer=answer
        )

    def _objection(self, frame: NotOcpp) -> Outgoing | None:
        """The CALLERROR for what is no frame. 1.6 has one only for a CALL whose id can be read."""
        if self.version is Version.V16 and (frame.kind != frames.CALL or not frame.message_id):
            return None
        code = _CODE_OF_FAULT.get(frame.fault, ErrorCode.RPC_FRAMEWORK_ERROR)
        return self._complaint(frame.message_id or NO_ID, code, _words(frame), frame.action)

    def _complaint(
        self, message_id: str, code: ErrorCode, words: str, action: str | None
    ) -> Outgoing:
        text = frames.build_error(message_id, code.spelt(self.version), words, {})
        return Outgoing(frames.CALLERROR, message_id, action, text)


def _words(frame: NotOcpp) -> str:
    return _WORDS_OF_FAULT[frame.fault].format(frame.limit)


_CODE_OF_FAULT = {
    Fault.MESSAGE_TYPE: ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED,
    Fault.STRUCTURE: ErrorCode.PROTOCOL_ERROR,
    # nothing is wrong with its form: it is this station that takes no more
    Fault.TOO_LONG: ErrorCode.GENERIC_ERROR,
    Fault.TOO_MANY: ErrorCode.GENERIC_ERROR,
    Fault.TOO_DEEP: ErrorCode.GENERIC_ERROR,
}
# what goes over the wire is English, whatever language the window speaks
_WORDS_OF_FAULT = {
    Fault.BINARY: "Binary frames are not part of OCPP-J",
    Fault.TOO_LONG: "The message is too long: at most {} characters are read",
    Fault.TOO_MANY: "The message holds more than {} lists and objects",
    Fault.TOO_DEEP: "The message is nested more than {} levels deep",
    Fault.NOT_JSON: "The message is not valid JSON",
    Fault.NOT_A_FRAME: "The message is not an OCPP-J frame",
    Fault.MESSAGE_TYPE: "Unknown message type",
    Fault.MESSAGE_ID: "The message id cannot be used",
    Fault.STRUCTURE: "A CALL is [2, id, action, payload]",
}
