"""What a window shows of a personality beside its sessions: read models, the same for all versions.

A personality has `rooms`, a `RoomViews`; what a version does not have answers None, so that a room can say
so. Times are moments in UTC, limits A per phase or W.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.kernel.text import Text


@dataclass(frozen=True, slots=True)
class ListedToken:
    """A token that the station knows a word about. `since`: when the back office said it (cache)."""

    token: str
    status: str
    expires: datetime | None = None
    group: str | None = None
    since: datetime | None = None

    def expired(self, now: datetime) -> bool:
        """Accepted once, but its time is over."""
        return self.expires is not None and self.expires <= now


@dataclass(frozen=True, slots=True)
class TokenBook:
    """A list of tokens: the local authorization list (with its version) or the cache.

    `capacity`: most entries it takes; None where it has no limit.
    """

    enabled: bool
    entries: tuple[ListedToken, ...]
    version: int | None = None
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class ReservationView:
    """A reservation in force. `place`: 1.6 connector or 2.0.1 EVSE, 0 for any of them."""

    id: int
    place: int
    token: str
    group: str | None
    until: datetime


@dataclass(frozen=True, slots=True)
class ProfileView:
    """An installed charging profile and how it stands at one place at one instant.

    `fields` are those of the message it came with; `standing` is a word of the ladder, `why` its sentence;
    `limit` what it allows at the instant in the asked unit, None where it says nothing.
    """

    id: int
    place: int
    purpose: str
    level: int
    kind: str
    received: datetime
    fields: Mapping[str, Any]
    standing: str | None
    why: Text | None
    limit: float | None

    @property
    def wins(self) -> bool:
        """Its limit is in force."""
        return self.standing == "wins"


@dataclass(frozen=True, slots=True)
class ChargingView:
    """The installed profiles, and what limits a place at an instant. `limit` None: nothing does."""

    at: datetime
    place: int
    unit: str
    limit: float | None
    until: datetime | None
    leading: int | None
    """The id of the profile that makes the limit."""
    profiles: tuple[ProfileView, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """From `start` on there is this limit; `profile` is the one that makes it."""

    start: datetime
    limit: float | None
    profile: int | None = None
    purpose: str | None = None
    level: int | None = None
    phases: int | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """What the profiles of one purpose alone would allow."""

    purpose: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """The composite schedule of a place over a window of time, and each purpose alone."""

    place: int
    unit: str
    start: datetime
    end: datetime
    steps: tuple[Step, ...]
    lanes: tuple[Lane, ...] = ()

    def at(self, moment: datetime) -> Step | None:
        """The step that holds at a moment of the window."""
        found = None
        for step in self.steps:
            if step.start > moment:
                break
            found = step
        return found


class RoomViews:
    """What the rooms of a window ask of a version. This one has nothing: no power, or not yet known."""

    def places(self) -> tuple[int, ...]:
        """The connectors (1.6) or EVSEs (2.0.1), from 1."""
        return ()

    def closing(self) -> frozenset[int]:
        """EVSEs that go out of service as soon as their session is over."""
        return frozenset()

    def resume_queue(self) -> None:
        """A person lets a queue go on that stands still after a refusal."""

    def local_list(self) -> TokenBook | None:
        return None

    def cache(self) -> TokenBook | None:
        return None

    def clear_cache(self) -> bool:
        """A person at the station empties the cache. False where that cannot be done."""
        return False

    def reservations(self) -> tuple[ReservationView, ...] | None:
        return None

    def charging(self, place: int, unit: str) -> ChargingView | None:
        """The profiles as they stand at a place now; 0 is the station as a whole. `unit` is A or W."""
        return None

    def schedule(self, place: int, unit: str, seconds: int) -> ScheduleView | None:
        """The composite schedule of a place from now on."""
        return None
