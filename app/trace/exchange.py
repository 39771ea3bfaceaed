"""Frames paired into exchanges: one row for a request and its reply."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any

from app.kernel.bus import Bus, Entry, Remover
from app.kernel.text import Text
from app.ocpp.events import CallEnded, Direction, FramePassed, Violation
from app.ocpp.version import Version
from app.trace.journal import MOST_TEXT
from app.trace.summary import Subjects, summarize

SLOW_MS = 1000.0
"""A reply that takes longer is marked."""

CALL, RESULT, ERROR = 2, 3, 4


class Verdict(Enum):
    """What became of an exchange, worst last."""

    WAITING = "waiting"
    VALID = "valid"
    SLOW = "slow"
    FORCED = "forced"
    IGNORED = "ignored"
    DISCONNECTED = "disconnected"
    TIMEOUT = "timeout"
    CALL_ERROR = "call_error"
    SCHEMA_ERROR = "schema_error"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One row of the message table. `direction` is the one of the request.

    `real` is the computer's time of the request in epoch seconds; texts are redacted originals. An answer
    that belongs to nothing, and what is no frame at all, are rows without a request or reply.
    """

    number: int
    seq: int
    at: datetime
    real: float
    direction: Direction
    version: Version | None
    action: str | None
    message_id: str | None
    evse: int | None
    summary: Text
    verdict: Verdict
    request_text: str | None = None
    reply_text: str | None = None
    reply_seq: int | None = None
    reply_at: datetime | None = None
    latency_ms: float | None = None
    violations: tuple[Violation, ...] = ()
    reply_violations: tuple[Violation, ...] = ()
    forced: bool = False
    late: bool = False
    """The reply came after the CALL had been given up."""
    error_code: str | None = None
    note: Text | None = None


Listener = Callable[[Exchange, bool], None]
"""Called with a row and whether it is new (else it replaces the one of the same number)."""


class Exchanges:
    """All exchanges of a run, newest last; the oldest make room at `limit` rows or MOST_TEXT characters."""

    def __init__(self, bus: Bus, limit: int = 50_000) -> None:
        self._rows: list[Exchange] = []
        self._first = 1
        self._limit = limit
        self._text = 0
        self._open: dict[tuple[Direction, str], int] = {}
        self._given_up: dict[str, int] = {}
        self._unread: int | None = None
        """The row of the other side's last text that was no OCPP, until its error is told."""
        self._subjects = Subjects()
        self._listeners: list[Listener] = []
        self._removers: list[Remover] = [
            bus.subscribe(self._on_frame, FramePassed),
            bus.subscribe(self._on_ended, CallEnded),
        ]

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def first_number(self) -> int:
        return self._first

    def rows(self) -> list[Exchange]:
        return list(self._rows)

    def row(self, number: int) -> Exchange:
        """Raises KeyError for a row that never was or is gone."""
        index = number - self._first
        if not 0 <= index < len(self._rows):
            raise KeyError(number)
        return self._rows[index]

    def waiting(self) -> int:
        """How many requests still wait for their reply."""
        return len(self._open)

    def listen(self, listener: Listener) -> Remover:
        self._listeners.append(listener)

        def remove() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return remove

    def clear(self) -> None:
        """Forget all rows (the journal keeps its events)."""
        self._first += len(self._rows)
        self._rows.clear()
        self._text = 0
        self._open.clear()
        self._given_up.clear()
        self._unread = None

    def close(self) -> None:
        for remove in self._removers:
            remove()

    # ------------------------------------------------------------------ frames

    def _on_frame(self, entry: Entry) -> None:
        frame = entry.event
        assert isinstance(frame, FramePassed)
        if frame.kind == CALL and frame.message_id is not None:
            self._add_request(entry, frame)
        elif frame.kind in {RESULT, ERROR} and frame.message_id is not None:
            self._add_reply(entry, frame)
        else:
            self._add_stray(entry, frame)

    def _add_request(self, entry: Entry, frame: FramePassed) -> None:
        payload = _payload(frame.text, CALL)
        row = self._begun(
            entry,
            frame,
            evse=self._subjects.evse_of(frame.version, frame.action, payload),
            summary=summarize(frame.action, payload, None),
            verdict=Verdict.WAITING,
            request_text=frame.text,
        )
        assert frame.message_id is not None
        self._open[frame.direction, frame.message_id] = row.number
        self._append(row)

    def _add_reply(self, entry: Entry, frame: FramePassed) -> None:
        assert frame.message_id is not None
        asked = Direction.IN if frame.direction is Direction.OUT else Direction.OUT
        number = self._open.pop((asked, frame.message_id), None)
        late = False
        if number is None and asked is Direction.OUT:
            number = self._given_up.pop(frame.message_id, None)
            late = number is not None
        if number is None and asked is Direction.IN and frame.kind == ERROR:
            number, self._unread = self._unread, None
        if number is None or number < self._first:
            self._add_stray(entry, frame)
            return
        row = self._rows[number - self._first]
        self._replace(self._completed(row, entry, frame, late))

    def _completed(self, row: Exchange, entry: Entry, frame: FramePassed, late: bool) -> Exchange:
        latency = frame.latency_ms
        if latency is None:
            latency = (entry.real - row.real) * 1000
        request = _payload(row.request_text, CALL)
        reply = _payload(frame.text, frame.kind)
        self._subjects.learn(row, request, reply if frame.kind == RESULT else None)
        error = _error_code(frame.text) if frame.kind == ERROR else None
        if error and row.message_id is None and row.note is not None:
            summary = Text("trace.unread", {"why": row.note, "code": error})
        elif error:
            summary = Text("trace.call_error", {"action": row.action or "?", "code": error})
        else:
            summary = summarize(row.action, request, reply)
            if frame.direction is Direction.OUT and frame.note is not None:
                summary = Text("trace.because", {"about": summary, "why": frame.note})
        return replace(
            row,
            summary=summary,
            reply_text=frame.text,
            reply_seq=entry.seq,
            reply_at=entry.at,
            latency_ms=latency,
            reply_violations=frame.violations,
            forced=row.forced or frame.forced,
            late=late,
            error_code=error,
            evse=row.evse,
            verdict=self._judge(row, frame, latency, late),
            note=frame.note or row.note,
        )

    @staticmethod
    def _judge(row: Exchange, frame: FramePassed, latency: float, late: bool) -> Verdict:
        if row.violations or frame.violations:
            return Verdict.SCHEMA_ERROR
        if frame.kind == ERROR:
            return Verdict.CALL_ERROR
        if late:
            return Verdict.TIMEOUT
        if row.forced or frame.forced:
            return Verdict.FORCED
        return Verdict.SLOW if latency >= SLOW_MS else Verdict.VALID

    def _add_stray(self, entry: Entry, frame: FramePassed) -> None:
        answers = frame.kind in {RESULT, ERROR}
        row = self._begun(
            entry,
            frame,
            evse=None,
            summary=frame.note or Text("trace.stray"),
            verdict=Verdict.IGNORED,
            request_text=None if answers else frame.text,
            reply_text=frame.text if answers else None,
            error_code=_error_code(frame.text) if frame.kind == ERROR else None,
        )
        if not answers and frame.direction is Direction.IN:
            self._unread = row.number
        self._append(row)

    def _begun(
        self, entry: Entry, frame: FramePassed, *, verdict: Verdict, **more: Any
    ) -> Exchange:
        """The row that begins with this frame; `verdict` unless it breaks its schema."""
        return Exchange(
            number=self._first + len(self._rows),
            seq=entry.seq,
            at=entry.at,
            real=entry.real,
            direction=frame.direction,
            version=frame.version,
            action=frame.action,
            message_id=frame.message_id,
            verdict=Verdict.SCHEMA_ERROR if frame.violations else verdict,
            violations=frame.violations,
            forced=frame.forced,
            note=frame.note,
            **more,
        )

    def _on_ended(self, entry: Entry) -> None:
        ended = entry.event
        assert isinstance(ended, CallEnded)
        number = self._open.pop((Direction.OUT, ended.message_id), None)
        if number is None or number < self._first:
            return
        row = self._rows[number - self._first]
        timed_out = ended.how == "timeout"
        if timed_out:
            self._given_up[ended.message_id] = number
        if ended.how == "too_large":
            row = replace(row, note=Text("trace.too_large"))
        self._replace(replace(row, verdict=Verdict.TIMEOUT if timed_out else Verdict.DISCONNECTED))

    # ------------------------------------------------------------------ rows

    def _append(self, row: Exchange) -> None:
        if len(self._rows) >= self._limit or self._text > MOST_TEXT:
            drop = max(1, min(self._limit, len(self._rows)) // 10)
            self._text -= sum(map(_length, self._rows[:drop]))
            del self._rows[:drop]
            self._first += drop
            self._open = {key: row for key, row in self._open.items() if row >= self._first}
            self._given_up = {key: row for key, row in self._given_up.items() if row >= self._first}
        self._rows.append(row)
        self._text += _length(row)
        self._tell(row, True)

    def _replace(self, row: Exchange) -> None:
        self._text += _length(row) - _length(self._rows[row.number - self._first])
        self._rows[row.number - self._first] = row
        self._tell(row, False)

    def _tell(self, row: Exchange, new: bool) -> None:
        for listener in tuple(self._listeners):
            listener(row, new)


def _length(row: Exchange) -> int:
    return len(row.request_text or "") + len(row.reply_text or "")


def _frame(text: str | None) -> list[Any]:
    if text is None:
        return []
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return frame if isinstance(frame, list) else []


def _payload(text: str | None, kind: int) -> Any:
    frame = _frame(text)
    index = {CALL: 3, RESULT: 2, ERROR: 4}[kind]
    return frame[index] if len(frame) > index else None


def _error_code(text: str) -> str:
    frame = _frame(text)
    return str(frame[2]) if len(frame) > 2 else "?"
