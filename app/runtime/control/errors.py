"""The published table of errors of the control API."""

from __future__ import annotations

from enum import IntEnum
from typing import Any


class Code(IntEnum):
    """JSON-RPC's own codes, and ours from -32000 down."""

    PARSE = -32700
    INVALID_REQUEST = -32600
    METHOD_NOT_FOUND = -32601
    INVALID_PARAMS = -32602
    INTERNAL = -32603
    NOT_CONNECTED = -32001
    CALL_TIMED_OUT = -32002
    CALL_REFUSED = -32003
    INVALID_OWN_FRAME = -32004
    INVALID_ANSWER = -32005
    UNKNOWN_NAME = -32006
    WAIT_TIMED_OUT = -32007
    ENDED = -32008
    CLOCK = -32009


MEANING: dict[Code, str] = {
    Code.PARSE: "The line or message is not JSON.",
    Code.INVALID_REQUEST: "It is JSON but not a JSON-RPC 2.0 request.",
    Code.METHOD_NOT_FOUND: "There is no such method.",
    Code.INVALID_PARAMS: "A parameter is missing, unknown, or of the wrong type or range.",
    Code.INTERNAL: "A fault of Forecourt; the message names it.",
    Code.NOT_CONNECTED: "There is no link to the back office, or it broke while the CALL was open.",
    Code.CALL_TIMED_OUT: "The back office did not answer the CALL in time.",
    Code.CALL_REFUSED: "The back office answered with a CALLERROR; data has code, description, details.",
    Code.INVALID_OWN_FRAME: "The payload breaks the schema and validate is on; nothing was sent.",
    Code.INVALID_ANSWER: "The answer of the back office breaks the schema; data has it.",
    Code.UNKNOWN_NAME: "There is no such setting or subscription.",
    Code.WAIT_TIMED_OUT: "What was waited for did not happen in time.",
    Code.ENDED: "The program ends; what the request waited for was given up.",
    Code.CLOCK: "The clock cannot do this: time travel goes forward only, and at most 366 days at once.",
}


class ControlError(Exception):
    """Answer a request with an error."""

    def __init__(self, code: Code, message: str = "", data: Any = None) -> None:
        super().__init__(message or MEANING[code])
        self.code, self.message, self.data = code, message or MEANING[code], data

    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = {"code": int(self.code), "message": self.message}
        if self.data is not None:
            found["data"] = self.data
        return found
