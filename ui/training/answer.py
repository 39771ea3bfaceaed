"""What was sent by hand and what came back, as records for a history and as words."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime

from app.training.outcome import CallOutcome, OutcomeKind
from ui.rooms.form import Words
from ui.rooms.table import Mark


@dataclass(frozen=True, slots=True)
class Sent:
    """One text that was sent; `outcome` None while nothing has come back."""

    number: int
    at: datetime
    station: str
    version: str
    action: str
    text: str
    raw: bool
    outcome: CallOutcome | None = None

    def with_outcome(self, outcome: CallOutcome) -> Sent:
        return replace(self, outcome=outcome)


def outcome_mark(sent: Sent) -> Mark:
    """The shape of what became of it."""
    if sent.outcome is None:
        return Mark("waiting", "text2")
    match sent.outcome.kind:
        case OutcomeKind.RESULT if sent.outcome.turned_down:
            return Mark("close", "warn")
        case OutcomeKind.RESULT | OutcomeKind.SENT:
            return Mark("tick", "avail")
        case OutcomeKind.ERROR:
            return Mark("faulted", "fault")
        case OutcomeKind.TIMEOUT | OutcomeKind.DISCONNECTED:
            return Mark("warning", "warn")


def outcome_words(sent: Sent, say: Words) -> str:
    """In one short phrase: "Accepted", "Error NotSupported", "No answer"."""
    outcome = sent.outcome
    if outcome is None:
        return say("answer.waiting")
    match outcome.kind:
        case OutcomeKind.RESULT:
            return outcome.status or say("answer.result")
        case OutcomeKind.ERROR:
            return say("answer.error", code=outcome.code or "?")
        case OutcomeKind.TIMEOUT:
            return say("answer.timeout")
        case OutcomeKind.DISCONNECTED:
            return say("answer.disconnected")
        case OutcomeKind.SENT:
            return say("answer.sent")


def latency_words(sent: Sent, say: Words) -> str:
    """ "12 ms"; empty where nothing came back."""
    outcome = sent.outcome
    if outcome is None or outcome.kind not in {OutcomeKind.RESULT, OutcomeKind.ERROR}:
        return ""
    return say("ms", value="<1" if outcome.latency_ms < 1 else f"{outcome.latency_ms:,.0f}")


def unframed(text: str) -> tuple[str, str] | None:
    """Action and payload text of a whole CALL; None if it is none, or nested too deeply to write it anew."""
    try:
        frame = json.loads(text)
        is_call = isinstance(frame, list) and len(frame) == 4 and frame[0] == 2
        if not is_call or not isinstance(frame[2], str):
            return None
        return frame[2], json.dumps(frame[3], indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None
