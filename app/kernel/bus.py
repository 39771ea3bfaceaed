"""One ordered stream of events: what happened, when, because of whom and because of what.

`publish()` appends to a queue and the outermost publish drains it: each subscriber sees all events in
the same order, also those that other subscribers publish meanwhile. What is published while an event is
being handled (also later, in a task started then) carries its origin and names it as the cause.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple


class Origin(Enum):
    """Who is behind an event."""

    PERSON = "person"
    SCRIPT = "script"
    CONTROL = "control"
    BACK_OFFICE = "back office"
    PHYSICS = "physics"
    HARDWARE = "hardware"
    STATION = "station"


class Event:
    """Base of all events: frozen, slotted dataclasses in the past tense."""

    __slots__ = ()


class Entry(NamedTuple):
    """An event with its place in the order of things.

    `at` is station time (UTC), `real` the computer's time in epoch seconds, `cause` the seq of the event
    that led to this one. A tuple, since one is made of every event: that is four times as quick.
    """

    seq: int
    at: datetime
    real: float
    origin: Origin
    cause: int | None
    event: Event


@dataclass(frozen=True, slots=True)
class SubscriberFailed(Event):
    """A subscriber raised: a fault of the program, told and survived."""

    subscriber: str
    event: str
    error: str


Handler = Callable[[Entry], None]
Remover = Callable[[], None]


@dataclass(slots=True, eq=False)
class _Subscription:
    handler: Handler
    kinds: tuple[type[Event], ...]
    active: bool = True

    def wants(self, event: Event) -> bool:
        return not self.kinds or isinstance(event, self.kinds)


_because: ContextVar[tuple[Origin, int | None]] = ContextVar(
    "because", default=(Origin.STATION, None)
)


class because:  # noqa: N801 - reads as a word: `with because(origin):`
    """All that is published inside comes from `origin` (and from the event numbered `cause`).

    A class and not a generator, since each event that is handed round enters one.
    """

    __slots__ = ("_reason", "_token")

    def __init__(self, origin: Origin, cause: int | None = None) -> None:
        self._reason = (origin, cause)

    def __enter__(self) -> None:
        self._token = _because.set(self._reason)

    def __exit__(self, *_: object) -> None:
        _because.reset(self._token)


def current_origin() -> Origin:
    """Who is behind what is going on right now."""
    return _because.get()[0]


class Bus:
    """Publish and subscribe, in one order for all."""

    def __init__(
        self, now: Callable[[], datetime], real: Callable[[], float] = time.time, first_seq: int = 1
    ) -> None:
        self._now = now
        self._real = real
        self._next = first_seq
        self._queue: deque[Entry] = deque()
        self._draining = False
        self._subscriptions: list[_Subscription] = []
        self._wanting: dict[type[Event], tuple[_Subscription, ...]] = {}
        """Who wants to hear of a kind of event, in order; found out once for each kind."""

    def subscribe(self, handler: Handler, *kinds: type[Event]) -> Remover:
        """Call `handler` for each event (of `kinds`, if given). Returns what ends it."""
        subscription = _Subscription(handler, kinds)
        self._subscriptions.append(subscription)
        self._wanting.clear()

        def remove() -> None:
            if subscription.active:
                subscription.active = False
                self._subscriptions.remove(subscription)
                self._wanting.clear()

        return remove

    @property
    def last_seq(self) -> int:
        """Of the event that was published last."""
        return self._next - 1

    def publish(self, event: Event, *, origin: Origin | None = None) -> int:
        """Append an event to the order and hand it round. Returns its seq."""
        entry = self._append(event, origin)
        self._drain()
        return entry.seq

    def publish_all(self, events: Iterable[Event], *, origin: Origin | None = None) -> None:
        """Give several events their places side by side before any is handed round.

        What subscribers publish in answer to the first comes after the last: the events of one step
        of the machine stay together.
        """
        for event in events:
            self._append(event, origin)
        self._drain()

    def _append(self, event: Event, origin: Origin | None) -> Entry:
        known, cause = _because.get()
        entry = Entry(self._next, self._now(), self._real(), origin or known, cause, event)
        self._next += 1
        self._queue.append(entry)
        return entry

    def _drain(self) -> None:
        if self._draining:
            return
        self._draining = True
        try:
            while self._queue:
                self._hand_round(self._queue.popleft())
        finally:
            self._draining = False

    def _hand_round(self, entry: Entry) -> None:
        kind = type(entry.event)
        wanting = self._wanting.get(kind)
        if wanting is None:
            wanting = tuple(each for each in self._subscriptions if each.wants(entry.event))
            self._wanting[kind] = wanting
        if not wanting:
            return
        with because(entry.origin, entry.seq):
            for subscription in wanting:
                # one that was removed a moment ago, by an earlier subscriber, hears nothing any more
                if not subscription.active:
                    continue
                try:
                    subscription.handler(entry)
                except Exception as error:  # noqa: BLE001 - one subscriber must not stop the others
                    self._record_failure(subscription.handler, entry, error)

    def _record_failure(self, handler: Handler, entry: Entry, error: Exception) -> None:
        if isinstance(entry.event, SubscriberFailed):
            return  # a subscriber that fails on failures would never end
        name = getattr(handler, "__qualname__", repr(handler))
        event = type(entry.event).__name__
        self.publish(SubscriberFailed(name, event, f"{type(error).__name__}: {error}"))
