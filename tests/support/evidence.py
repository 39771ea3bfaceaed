"""Whether the messages that a CSMS received are whole: nothing missing, repeats only where they must be.

Judged from the recorded frames of one station over all its connections (OFF-*, errata 1, 2 and 13).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from app.training.records import Direction, FrameRecord

START, STOP, METER, EVENT = (
    "StartTransaction",
    "StopTransaction",
    "MeterValues",
    "TransactionEvent",
)
HOUR = timedelta(hours=1)
START_KEY = ("connectorId", "idTag", "timestamp", "meterStart")
REGISTER = "Energy.Active.Import.Register"


@dataclass(frozen=True, slots=True)
class Sent:
    """A CALL of the station as it came."""

    link: int
    id: str
    action: str
    text: str
    """The payload, byte for byte."""
    payload: dict[str, Any]
    answer: dict[str, Any] | None
    """The answer that the CSMS gave to this very frame."""
    last_on_link: bool
    """The station sent no other CALL after it on its connection."""

    @property
    def is_queued(self) -> bool:
        """Whether it is one of those that must not be lost."""
        if self.action == METER:
            return "transactionId" in self.payload and not self.is_asked_for
        return self.action in (START, STOP, EVENT)

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells it apart from all other messages of transactions: two with one key are repeats."""
        payload = self.payload
        if self.action == EVENT:
            transaction = payload["transactionInfo"]["transactionId"]
            return (transaction, payload["seqNo"], payload["eventType"])
        if self.action == START:
            return (START, *(payload[name] for name in START_KEY))
        if self.action == STOP:
            return (STOP, payload["transactionId"])
        return (self.action, self.text)

    @property
    def is_asked_for(self) -> bool:
        """Meter values that the CSMS triggered: told now or never."""
        return self.action == METER and any(
            sample.get("context") == "Trigger"
            for value in self.payload["meterValue"]
            for sample in value["sampledValue"]
        )


class Evidence:
    """What came, sorted. `judge()` raises AssertionError with what is wrong."""

    def __init__(
        self, frames: Iterable[FrameRecord], version: str, *, new_ids: bool = False
    ) -> None:
        self.version = version
        self.new_ids = new_ids
        """Repeats may carry an id of their own (open point both-retry-message-id)."""
        self.sent = _sent(list(frames))
        self.queued = [one for one in self.sent if one.is_queued]
        self.once = list({one.key: one for one in reversed(self.queued)}.values())[::-1]
        """Without repeats, in the order of their first arrival."""
        self.repeats = len(self.queued) - len(self.once)

    def judge(self) -> None:
        """All that holds for both versions, then for this one."""
        self._ids()
        self._repeats()
        self._answered()
        if self.version == "1.6":
            self._transactions16()
        else:
            self._transactions201()
        self._asked_for()

    # ------------------------------------------------------------------ messages

    def _ids(self) -> None:
        known: dict[str, tuple[str, str]] = {}
        for one in self.sent:
            said = (one.action, one.text)
            assert known.setdefault(one.id, said) == said, (
                f"two different messages have the id {one.id}: {known[one.id]} and {said}"
            )

    def _repeats(self) -> None:
        """The same message again only if it was the one without an answer, and byte for byte."""
        before: dict[tuple[Any, ...], Sent] = {}
        for one in self.queued:
            if one.key in before:
                earlier = before[one.key]
                assert earlier.text == one.text, f"not the same again: {earlier} and {one}"
                assert (earlier.id == one.id) or self.new_ids, f"under a new id: {one}"
                assert earlier.link != one.link, f"repeated on the same connection: {one}"
                assert earlier.last_on_link, f"repeated although the station went on: {one}"
            before[one.key] = one

    def _answered(self) -> None:
        answered = {one.key for one in self.queued if one.answer is not None}
        for one in self.once:
            assert one.key in answered, f"never came again after it got no answer: {one}"

    def unseen(self, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows of an outbox that never arrived."""
        came = [(one.action, _bare(one.payload)) for one in self.once]
        return [row for row in rows if (row["action"], _bare(row["payload"])) not in came]

    def _asked_for(self) -> None:
        """No register that was told on demand lies above one that was told in a later life."""
        for one in self.sent:
            if not one.is_asked_for:
                continue
            evse = one.payload.get("connectorId") or one.payload["evseId"]
            for at, value in _registers(one.payload["meterValue"]):
                hour = _time(at).replace(minute=0, second=0, microsecond=0)
                later = [
                    low for when, low in self._registers_of(evse) if _time(when) >= hour + HOUR
                ]
                assert not later or int(min(later)) >= int(value), (
                    f"EVSE {evse} told {value} at {at}, and {min(later)} in a later life"
                )

    def _registers_of(self, evse: int) -> list[tuple[str, float]]:
        found = []
        for one in self.sent:
            payload = one.payload
            if one.action == START and payload["connectorId"] == evse:
                found.append((payload["timestamp"], float(payload["meterStart"])))
            elif one.action == METER and evse in (
                payload.get("connectorId"),
                payload.get("evseId"),
            ):
                found += _registers(payload["meterValue"])
            elif (
                payload.get("eventType") == "Started" and payload.get("evse", {}).get("id") == evse
            ):
                found += _registers(payload.get("meterValue", []))
        return found

    # ------------------------------------------------------------------ 1.6

    def _transactions16(self) -> None:
        starts = [one for one in self.once if one.action == START]
        registers: dict[int, float] = defaultdict(float)
        parts = self._by_transaction16(starts)
        for start in starts:
            number = self._number(start)
            self._transaction16(start, parts.pop(number), registers)
        assert not parts, f"messages of transactions that nobody started: {sorted(parts)}"

    def _number(self, start: Sent) -> int:
        numbers = {
            one.answer["transactionId"]
            for one in self.queued
            if one.key == start.key and one.answer
        }
        assert len(numbers) == 1, f"{numbers} for one start"
        return int(numbers.pop())

    def _by_transaction16(self, starts: Sequence[Sent]) -> dict[int, list[Sent]]:
        parts: dict[int, list[Sent]] = {self._number(start): [] for start in starts}
        for one in self.once:
            if one.action != START:
                parts.setdefault(one.payload["transactionId"], []).append(one)
        return parts

    def _transaction16(self, start: Sent, parts: list[Sent], registers: dict[int, float]) -> None:
        """Start, samples, one stop, in this order; no sample is missing; the register never falls."""
        assert [one.action for one in parts].count(STOP) == 1, f"stops of {start}: {parts}"
        assert parts[-1].action == STOP, f"told after the end: {parts[-1]}"
        order = self.once.index
        assert order(start) < min(map(order, parts)), f"told before its start: {parts[0]}"
        texts = [one.text for one in parts]
        assert len(set(texts)) == len(texts), f"a message came twice: {texts}"
        stop = parts[-1].payload
        connector = start.payload["connectorId"]
        values = [(start.payload["timestamp"], float(start.payload["meterStart"]))]
        for one in parts[:-1]:
            values += _registers(one.payload["meterValue"])
        values.append((stop["timestamp"], float(stop["meterStop"])))
        assert int(values[0][1]) >= int(registers[connector]), f"the register fell before {start}"
        # meterStart and meterStop are whole Wh, rounded down
        _rises([(at, float(int(value))) for at, value in values], start.id)
        kept = _registers(stop.get("transactionData", []))
        _rises([*kept, (stop["timestamp"], kept[-1][1])] if kept else [], start.id)
        assert not kept or int(kept[-1][1]) <= stop["meterStop"], (
            f"told more than meterStop: {stop}"
        )
        registers[connector] = max(values[-1][1], kept[-1][1] if kept else 0.0)
        self._samples16(start, parts)

    def _samples16(self, start: Sent, parts: list[Sent]) -> None:
        begin, end = _time(start.payload["timestamp"]), _time(parts[-1].payload["timestamp"])
        came = sum(
            sample.get("context", "Sample.Periodic") == "Sample.Periodic"
            for one in parts[:-1]
            for value in one.payload["meterValue"]
            for sample in value["sampledValue"][:1]
        )
        # a loaded computer may not have come to the last beats when the end came
        due = int((end - begin).total_seconds() // self.sample_every) - 2
        assert came >= due, f"{came} samples of {start.id}, {due} were due"

    sample_every = 5.0
    """Seconds between two samples."""

    # ------------------------------------------------------------------ 2.0.1

    def _transactions201(self) -> None:
        parts: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for one in self.once:
            parts[one.payload["transactionInfo"]["transactionId"]].append(one.payload)
        registers: dict[int, float] = defaultdict(float)
        for key, events in parts.items():
            self._transaction201(key, events, registers)

    def _transaction201(
        self, key: str, events: list[dict[str, Any]], registers: dict[int, float]
    ) -> None:
        numbers = [event["seqNo"] for event in events]
        assert numbers == list(range(len(events))), f"seqNo of {key}: {numbers}"
        kinds = [event["eventType"] for event in events]
        assert kinds == ["Started", *["Updated"] * (len(kinds) - 2), "Ended"], f"{key}: {kinds}"
        times = [_time(event["timestamp"]) for event in events]
        assert times == sorted(times), f"timestamps of {key}: {times}"
        told = [
            pair
            for event in events
            if event["eventType"] != "Ended"
            for pair in _registers(event.get("meterValue", []))
        ]
        final = _registers(events[-1].get("meterValue", []))
        _rises(told, key)
        _rises(final, key)
        if told and final:
            assert final[-1][1] >= told[-1][1], f"{key}: {final[-1]} after {told[-1]}"
        evse = next((event["evse"]["id"] for event in events if "evse" in event), 0)
        values = [value for _, value in (*told, *final)]
        if values:
            assert min(values) >= registers[evse], f"the register of EVSE {evse} fell before {key}"
            registers[evse] = max(values)

    # ------------------------------------------------------------------ what was told elsewhere

    def transactions(self) -> set[str]:
        """The ids of all transactions."""
        if self.version == "1.6":
            return {str(self._number(one)) for one in self.once if one.action == START}
        return {one.payload["transactionInfo"]["transactionId"] for one in self.once}

    def starts_at(self, evse: int) -> int:
        """How many transactions began there."""
        if self.version == "1.6":
            return sum(
                one.action == START and one.payload["connectorId"] == evse for one in self.once
            )
        return len(
            {
                one.payload["transactionInfo"]["transactionId"]
                for one in self.once
                if one.payload.get("evse", {}).get("id") == evse
            }
        )


def _sent(frames: list[FrameRecord]) -> list[Sent]:
    answers: dict[tuple[int, str], dict[str, Any]] = {}
    calls: list[tuple[int, str, str, str, dict[str, Any]]] = []
    last: dict[int, str] = {}
    for frame in frames:
        message = json.loads(frame.text)
        if frame.direction is Direction.TO_STATION:
            assert message[0] != 4, f"the CSMS did not understand: {frame.text}"
            if message[0] == 3:
                answers[frame.link, message[1]] = message[2]
        elif message[0] == 2:
            _, id_, action, payload = message
            before = f"[2,{json.dumps(id_)},{json.dumps(action)},"
            assert frame.text.startswith(before), frame.text
            calls.append((frame.link, id_, action, frame.text[len(before) : -1], payload))
            last[frame.link] = id_
    return [
        Sent(link, id_, action, text, payload, answers.get((link, id_)), last[link] == id_)
        for link, id_, action, text, payload in calls
    ]


def _registers(values: list[dict[str, Any]]) -> list[tuple[str, float]]:
    """Time and total energy register, Wh, of meter values."""
    return [
        (value["timestamp"], float(sample["value"]))
        for value in values
        for sample in value["sampledValue"]
        if sample.get("measurand", REGISTER) == REGISTER and "phase" not in sample
    ]


def _rises(values: list[tuple[str, float]], name: str) -> None:
    for (before, lower), (after, higher) in pairwise(values):
        assert higher >= lower, f"{name}: the register fell from {lower} to {higher} Wh: {values}"
        assert _time(after) >= _time(before), f"{name}: time ran backwards: {values}"


def _bare(payload: dict[str, Any]) -> dict[str, Any]:
    """Without what 1.6 learns late."""
    return {key: value for key, value in payload.items() if key != "transactionId"}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
