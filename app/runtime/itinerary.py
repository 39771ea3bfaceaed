"""Which way the next attempt to connect takes, with which password, certificate and roots. Pure.

A power cycle begins with the first way (2.0.1: B10.FR.04) and gives each so many attempts (B10.FR.03).
When all have failed it goes back to the one that worked last and from there round again: it never gives up
(B10.FR.07 to .09). After a mere loss it goes on with the one it was on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from app.ocpp.personality import LinkPlan, Setback, Way

AWAY = frozenset({Setback.UNREACHABLE})
"""Where nobody was there nothing was refused: no reason to doubt the own certificate."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One attempt. `password` and `own` are places in the lists of passwords and own certificates."""

    way: Way = field(default_factory=Way)
    password: int = 0
    own: int = 0
    old_root: bool = False
    """Trust the root before the newest one instead of it."""


class Itinerary:
    """The order of attempts of one power cycle."""

    def __init__(self) -> None:
        self._plan = LinkPlan()
        self._order: tuple[Way, ...] = ()
        self._place = self._tries = self._switches = 0
        self._password = self._own = 0
        self._old_root = self._refused = False

    @property
    def own(self) -> int:
        """Which of the station's certificates is next."""
        return self._own

    def leg(self, plan: LinkPlan) -> Leg:
        """The next attempt. The plan may have changed since the last one."""
        self._follow(plan)
        return Leg(self._order[self._place], self._password, self._own, self._old_root)

    def worked(self) -> None:
        """The last attempt succeeded: what it used is what is used from now on."""
        self._tries = self._switches = 0
        self._refused = False

    def failed(self, setback: Setback, *, own: int = 1, old_root: bool = False) -> bool:
        """The last attempt did not succeed. True: try again at once, with the root before.

        `own` is how many certificates the station has; `old_root`: there is a root before the newest.
        """
        if setback is Setback.SERVER_CERTIFICATE and old_root and self._may_look_back():
            self._old_root = not self._old_root
            if self._old_root:
                return True  # M05.FR.14
        if setback is Setback.CREDENTIALS and len(self._plan.passwords) > 1:
            self._password = (self._password + 1) % len(self._plan.passwords)
        self._refused = self._refused or setback not in AWAY
        self._tries += 1
        if self._tries >= max(1, self._plan.attempts):
            self._switch(own)
        return False

    def _may_look_back(self) -> bool:
        """M05.FR.14 and .15: not on the way to another back office."""
        return self._plan.home in (None, self._order[self._place])

    def _switch(self, own: int) -> None:
        self._tries = 0
        self._old_root = False
        self._place = (self._place + 1) % len(self._order)
        self._switches += 1
        if self._switches < len(self._order):
            return
        self._switches = 0
        if self._refused and own > 1:
            self._own = (self._own + 1) % own  # A02.FR.28
        self._refused = False

    def _follow(self, plan: LinkPlan) -> None:
        if plan.passwords != self._plan.passwords:
            self._password = 0
        order = plan.ways
        if plan.home is not None and plan.home not in order:
            order = (*order, plan.home)
        self._plan = plan
        if order == self._order:
            return
        here = self._order[self._place] if self._order else None
        wanted_now = order[0] not in self._order  # a change that counts at once comes first
        self._order = order
        self._place = order.index(here) if here in order and not wanted_now else 0
        self._tries = self._switches = 0

    def own_changed(self) -> None:
        """There is another newest certificate: begin with it."""
        self._own = 0
