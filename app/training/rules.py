"""Faults on demand: what the CSMS does instead of its normal answer, by action and count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar

ANY = "*"
T = TypeVar("T")


class Effect(Enum):
    """What happens to the answer of a station's CALL."""

    NORMAL = "normal"  # as always; only the delay of the rule acts
    MUTE = "mute"  # no answer, ever
    ANSWER = "answer"  # the payload of the rule instead of the normal one
    ERROR = "error"  # a CALLERROR
    RAW = "raw"  # the text of the rule, whatever it is; "{id}" becomes the message id
    CLOSE = "close"  # the connection is closed instead


@dataclass(frozen=True, slots=True)
class Rule:
    """One deviation. `count` None means for ever; `processed` False keeps the message out of the memory.

    `processed` None follows the effect: a muted or replaced answer was processed, an error or a closed
    connection was not.
    """

    action: str = ANY
    effect: Effect = Effect.NORMAL
    station: str | None = None
    count: int | None = 1
    delay_s: float = 0.0
    payload: Any = None
    code: str = "InternalError"
    description: str = ""
    text: str = ""
    close_code: int = 1011
    processed: bool | None = None

    @property
    def is_processed(self) -> bool:
        """Whether the normal handler runs, so that the memory knows the message."""
        if self.processed is not None:
            return self.processed
        return self.effect not in {Effect.ERROR, Effect.CLOSE}

    def fits(self, station: str, action: str) -> bool:
        """Whether the rule speaks about this message."""
        return self.action in {ANY, action} and self.station in {None, station}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A handshake that is answered with an HTTP status instead of a connection."""

    status: int = 401
    station: str | None = None
    count: int | None = 1


class Rules:
    """The rules in force; the oldest that fits acts first and is used up."""

    def __init__(self) -> None:
        self._rules: list[_Counted[Rule]] = []
        self._refusals: list[_Counted[Refusal]] = []

    def add(self, rule: Rule) -> Callable[[], None]:
        """Put a rule in force; returns what removes it."""
        counted = _Counted(rule, rule.count)
        self._rules.append(counted)
        return lambda: _discard(self._rules, counted)

    def refuse(self, refusal: Refusal) -> Callable[[], None]:
        """Refuse handshakes; returns what ends it."""
        counted = _Counted(refusal, refusal.count)
        self._refusals.append(counted)
        return lambda: _discard(self._refusals, counted)

    def clear(self) -> None:
        """Back to normal behaviour."""
        self._rules.clear()
        self._refusals.clear()

    def active(self) -> tuple[Rule, ...]:
        """The rules that still wait for a message."""
        return tuple(counted.item for counted in self._rules)

    def take(self, station: str, action: str) -> Rule | None:
        """The rule for this message, counted as used; None: behave normally."""
        for counted in self._rules:
            if counted.item.fits(station, action):
                return _use(self._rules, counted)
        return None

    def take_refusal(self, station: str) -> Refusal | None:
        """The refusal for this handshake, counted as used."""
        for counted in self._refusals:
            if counted.item.station in {None, station}:
                return _use(self._refusals, counted)
        return None


@dataclass(slots=True, eq=False)
class _Counted(Generic[T]):
    """A rule and how often it will still act."""

    item: T
    left: int | None


def _use(entries: list[_Counted[T]], counted: _Counted[T]) -> T:
    if counted.left is not None:
        counted.left -= 1
        if counted.left <= 0:
            entries.remove(counted)
    return counted.item


def _discard(entries: list[_Counted[T]], counted: _Counted[T]) -> None:
    if counted in entries:
        entries.remove(counted)
