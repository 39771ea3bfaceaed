"""Why a charging profile is refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.kernel.text import Text


class Reason(StrEnum):
    """reasonCode of a refused profile (2.0.1 appendix 5)."""

    DUPLICATE_PROFILE = "DuplicateProfile"
    INVALID_MESSAGE_SEQ = "InvalidMessageSeq"
    INVALID_PROFILE = "InvalidProfile"
    INVALID_SCHEDULE = "InvalidSchedule"
    INVALID_STACK_LEVEL = "InvalidStackLevel"
    INVALID_VALUE = "InvalidValue"
    MISSING_PARAM = "MissingParam"
    TOO_MANY_ELEMENTS = "TooManyElements"
    TX_NOT_FOUND = "TxNotFound"
    UNKNOWN_EVSE = "UnknownEvse"
    UNSUPPORTED_PARAM = "UnsupportedParam"
    UNSUPPORTED_RATE_UNIT = "UnsupportedRateUnit"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A profile that is not taken: the rule it breaks, and the sentence that says so.

    `call_error`: the error code to answer with instead of Rejected.
    """

    rule: str
    reason: Reason
    text: Text
    call_error: str | None = None


def refuse(
    rule: str, reason: Reason, key: str, *, call_error: str | None = None, **params: str | float
) -> Refusal:
    """A refusal with the sentence `smart.refused.<key>`."""
    return Refusal(rule, reason, Text(f"smart.refused.{key}", params), call_error)
