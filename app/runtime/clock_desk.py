"""The clock of a station in the hand of a person: what it reads, what set it, ways to put it off or right."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.kernel.bus import Entry
from app.kernel.clock import showable
from app.kernel.units import with_zone
from app.ocpp.events import ClockSet, HeartbeatAnswered
from app.runtime.calendar import set_calendar
from app.runtime.session import Session

MOST_STEPS = 200
PIECE = 300.0
"""Seconds that pass before it is asked whether time shall go on passing."""
BACK_OFFICE = "the back office"


@dataclass(frozen=True, slots=True)
class ClockView:
    """What the clock reads now. `ahead`: seconds before the computer's."""

    at: datetime
    ahead: float
    follows: bool
    """The back office may set it."""
    told: float | None
    """Seconds that the back office was ahead when it last told the time; None: it has not yet."""


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The clock was set, by so many seconds. `at`: what it read then; `own`: not by the back office."""

    number: int
    at: datetime
    change: float
    own: bool


class ClockDesk:
    """The clock of one session; remembers what set it while it lives."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._told: float | None = None
        self._steps: deque[ClockStep] = deque(maxlen=MOST_STEPS)
        bus = session.bus
        self._removers = [
            bus.subscribe(self._on_set, ClockSet),
            bus.subscribe(self._on_told, HeartbeatAnswered),
        ]

    def close(self) -> None:
        for remove in self._removers:
            remove()
        self._removers.clear()

    def view(self) -> ClockView:
        clock = self._session.clock
        now = clock.now()
        ahead = (now - datetime.now(UTC)).total_seconds()
        return ClockView(now, ahead, clock.follow_server, self._told)

    def steps(self) -> tuple[ClockStep, ...]:
        """Newest first."""
        return tuple(reversed(self._steps))

    def set_to(self, to: datetime) -> bool:
        """As a person at the station would: no time passes. False: no clock can read that.

        A moment without a zone is of this computer's.
        """
        try:
            to = with_zone(to)
        except ValueError:
            return False
        if not showable(to):
            return False
        set_calendar(self._session.clock, self._session.bus, to)
        return True

    def move(self, seconds: float) -> bool:
        """Put it off by so much."""
        return self.set_to(self._session.clock.now() + timedelta(seconds=seconds))

    async def let_pass(self, seconds: float, goes_on: Callable[[float], bool]) -> float | None:
        """Time passes as fast as it can: each deadline on the way comes in order.

        `goes_on` is told how much has passed, and may end it. Returns how much that was; None: no clock
        can read that.
        """
        clock = self._session.clock
        if not showable(clock.now() + timedelta(seconds=seconds)):
            return None
        gone = 0.0
        while gone < seconds and goes_on(gone):
            piece = min(PIECE, seconds - gone)
            await clock.travel(piece)
            gone += piece
        return gone

    def follow(self, *, follows: bool) -> None:
        """Let the back office set it, or not: a clock that was sped up or moved on has its own time."""
        self._session.clock.follow_server = follows

    def ask(self) -> bool:
        """Ask the back office for the time. False where it is not spoken to now."""
        personality = self._session.personality
        return personality is not None and personality.ask_time()

    def _on_set(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, ClockSet)
        own = event.by != BACK_OFFICE
        self._steps.append(ClockStep(entry.seq, entry.at, event.change, own))

    def _on_told(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, HeartbeatAnswered)
        self._told = event.drift
