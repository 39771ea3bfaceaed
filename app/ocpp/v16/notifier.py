"""Sends StatusNotifications in the order of what they tell, and remembers what was told.

Nothing is queued over a loss of the link: afterwards only the present state of what changed is told
(16-ST-08).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from app.kernel.clock import Timer
from app.kernel.units import stamp
from app.ocpp.context import CallFailed, Context, NotConnected, Payload
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.status import CHARGING, PREPARING, SUSPENDED_EV, SUSPENDED_EVSE, Condition
from app.ocpp.v16.timers import Timers

_STARTED = frozenset({CHARGING, SUSPENDED_EV, SUSPENDED_EVSE})


@dataclass(frozen=True, slots=True)
class Notice:
    """One StatusNotification to be sent."""

    number: int
    condition: Condition
    at: datetime


@dataclass(slots=True, eq=False)
class Held:
    """What is kept back of a connector until something else has been said."""

    number: int
    notices: list[Notice] = field(default_factory=list)


class Notifier:
    """The stream of StatusNotifications of one power cycle."""

    def __init__(
        self,
        ctx: Context,
        config: Configuration,
        timers: Timers,
        may_speak: Callable[[], bool],
    ) -> None:
        self._ctx = ctx
        self._deadlines = timers
        self._config = config
        self._may_speak = may_speak
        self.told: dict[int, Condition] = {}
        self._queue: deque[Notice] = deque()
        self._held: dict[int, list[Held]] = {}
        self._timers: dict[int, Timer] = {}
        self._delayed: list[Timer] = []
        self._undecided: list[Notice] = []
        """States of which a person still says how MinimumStatusDuration is meant."""
        self._running = False
        self.on_quiet: list[Callable[[], None]] = []
        """Called when all that waited has been sent."""

    @property
    def busy(self) -> bool:
        return self._running

    def changed(self, number: int, condition: Condition) -> None:
        """A state began: tell it now, or after MinimumStatusDuration (open point)."""
        if not self._may_speak():
            return
        notice = Notice(number, condition, self._ctx.clock.now())
        if self._config.number("MinimumStatusDuration") <= 0 and not self._undecided:
            self.send(notice)
            return
        self._undecided.append(notice)
        if len(self._undecided) == 1:
            self._ctx.decide("ocpp16-minimum-status-duration", self._decided)

    def _decided(self, choice: str) -> None:
        """One answer for all that happened until it came; what the link took with it is not among them."""
        notices, self._undecided = self._undecided, []
        for notice in notices:
            self._time(notice, choice)

    def _time(self, notice: Notice, choice: str) -> None:
        number = notice.number
        passed = (self._ctx.clock.now() - notice.at).total_seconds()
        left = max(0.0, self._config.number("MinimumStatusDuration") - max(0.0, passed))
        if choice == "delay-all":
            self._delay(notice, left)
        elif choice == "selected-transitions" and not self._selected(notice):
            self._drop_timer(number)
            self.send(notice)
        else:
            self._drop_timer(number)
            self._timers[number] = self._deadlines.call_in(left, lambda: self._stable(notice))

    def send(self, notice: Notice) -> None:
        """Put a notice at the end of the stream, or keep it while its connector is held."""
        held = self._held.get(notice.number)
        if held:
            held[-1].notices.append(notice)
        else:
            self._put(notice)

    def hold(self, number: int) -> Held:
        """Keep what is to be told of a connector from now on, until this is released."""
        held = Held(number)
        self._held.setdefault(number, []).append(held)
        return held

    def release(self, held: Held) -> None:
        """Tell what was kept, and what was kept before it. Nothing if that is done already."""
        line = self._held.get(held.number, [])
        if held not in line:
            return
        count = line.index(held) + 1
        due, line[:count] = line[:count], []
        if not line:
            del self._held[held.number]
        for notice in (notice for each in due for notice in each.notices):
            if self._may_speak():
                self._put(notice)

    def _put(self, notice: Notice) -> None:
        self.told[notice.number] = notice.condition
        self._queue.append(notice)
        if not self._running:
            self._running = True
            self._ctx.spawn(self._pump(), "status")

    def lost(self) -> None:
        """The link is gone: what waits is history."""
        for notice in self._queue:
            self.told.pop(notice.number, None)
        self._queue.clear()
        self._undecided.clear()
        self._held.clear()
        for number in list(self._timers):
            self._drop_timer(number)
        for timer in self._delayed:
            timer.cancel()
        self._delayed.clear()

    def tell(self, notice: Notice) -> None:
        """Send one because the back office asked for it: after what was kept back, which is older."""
        for held in self._held.get(notice.number, ()):
            for older in held.notices:
                self._put(older)
            held.notices.clear()
        self._put(notice)

    async def _pump(self) -> None:
        try:
            while self._queue:
                notice = self._queue.popleft()
                try:
                    await self._ctx.calls.call("StatusNotification", self._payload(notice))
                except NotConnected:
                    self.told.pop(notice.number, None)
                    self.lost()
                except CallFailed:
                    # refused or unanswered: it was sent, the next state will be told anyway
                    continue
        finally:
            self._running = False
        for listener in self.on_quiet:
            listener()

    def _delay(self, notice: Notice, seconds: float) -> None:
        def due() -> None:
            self._delayed.remove(timer)
            self.send(notice)

        timer = self._deadlines.call_in(seconds, due)
        self._delayed.append(timer)

    def _stable(self, notice: Notice) -> None:
        self._timers.pop(notice.number, None)
        if self._may_speak() and self.told.get(notice.number) != notice.condition:
            self.send(notice)

    def _selected(self, notice: Notice) -> bool:
        before = self.told.get(notice.number)
        return (
            before is not None
            and before.status == PREPARING
            and (notice.condition.status in _STARTED)
        )

    def _drop_timer(self, number: int) -> None:
        timer = self._timers.pop(number, None)
        if timer is not None:
            timer.cancel()

    def _payload(self, notice: Notice) -> Payload:
        condition = notice.condition
        payload: Payload = {
            "connectorId": notice.number,
            "errorCode": condition.error_code,
            "status": condition.status,
            "timestamp": stamp(notice.at),
        }
        if condition.info:
            payload["info"] = condition.info
        if condition.vendor_error_code:
            payload["vendorId"] = self._ctx.settings.identity.vendor[:255]
            payload["vendorErrorCode"] = condition.vendor_error_code
        return payload
