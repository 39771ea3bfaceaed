"""Heartbeat after silence, and the clock that it sets (1.6 part 4.6)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from app.kernel.bus import Entry
from app.kernel.clock import Timer, showable
from app.kernel.units import parse_stamp
from app.ocpp.context import CallFailed, Context
from app.ocpp.events import ClockSet, Direction, FramePassed, HeartbeatAnswered, SettingChanged
from app.ocpp.personality import Block
from app.ocpp.v16.configuration import Configuration

DAY = 86_400.0
TOLERANCE = 1.0
"""Seconds: a back office that stamps whole seconds is not off by less than this."""
SLEW = 10.0
"""Seconds that one answer moves the clock by at most when it is slewed."""
RETRY = 60.0
"""Seconds until the daily Heartbeat is tried again when there was no link."""
EARLY = 0.001
"""Seconds by which a deadline may come early through rounding."""


class Heartbeat(Block):
    """Beats after HeartbeatInterval seconds without another message, and at least once a day."""

    def __init__(self, ctx: Context, config: Configuration) -> None:
        super().__init__(ctx)
        self._config = config
        self._timer: Timer | None = None
        self._spoke = ctx.clock.elapsed()
        self._asked = ctx.clock.elapsed()
        self.may_speak: Callable[[], bool] = lambda: False

    def start(self) -> None:
        self.on(self._on_frame, FramePassed)
        self.on(self._on_setting, SettingChanged)

    def stop(self) -> None:
        super().stop()
        self._cancel()

    def begin(self) -> None:
        """The back office has accepted us."""
        self._spoke = self.ctx.clock.elapsed()
        self._arm()

    async def beat(self) -> None:
        """Send one Heartbeat and take the time of its answer."""
        try:
            answer = await self.ctx.calls.call("Heartbeat", {})
        except CallFailed:
            return
        await self.take_time(answer["currentTime"])

    async def take_time(self, text: str) -> None:
        """Compare our clock with the back office's, and follow it (open point both-clock-drift)."""
        clock = self.ctx.clock
        server = parse_stamp(text)
        drift = (server - clock.now()).total_seconds()
        self._asked = heard = clock.elapsed()
        self.ctx.bus.publish(HeartbeatAnswered(server, drift))
        if not self._follows(drift) or not showable(server):
            return
        choice = await self.ctx.points.ask("both-clock-drift")
        # while a person thought time went on, and another answer may have set the clock
        server += timedelta(seconds=clock.elapsed() - heard)
        drift = (server - clock.now()).total_seconds()
        if choice == "ignore" or not self._follows(drift):
            return
        change = drift if choice == "set-at-once" else max(-SLEW, min(SLEW, drift))
        clock.correct(clock.now() + timedelta(seconds=change))
        self.ctx.bus.publish(ClockSet(change, "the back office"))

    def _follows(self, drift: float) -> bool:
        """Is it worth setting; a clock that people sped up or moved has no business with real time."""
        return self.ctx.clock.follow_server and abs(drift) >= TOLERANCE

    # ------------------------------------------------------------------ the timer

    def _on_frame(self, entry: Entry) -> None:
        event = entry.event
        if isinstance(event, FramePassed) and event.direction is Direction.OUT:
            self._spoke = self.ctx.clock.elapsed()

    def _on_setting(self, entry: Entry) -> None:
        event = entry.event
        if isinstance(event, SettingChanged) and event.name == "HeartbeatInterval":
            self._arm()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        self._cancel()
        interval = self._config.number("HeartbeatInterval")
        due = self._asked + DAY
        if interval > 0:
            due = min(due, self._spoke + interval)
        self._timer = self.ctx.clock.call_in(due - self.ctx.clock.elapsed(), self._due)

    def _due(self) -> None:
        now = self.ctx.clock.elapsed()
        interval = self._config.number("HeartbeatInterval")
        silent = interval > 0 and now - self._spoke >= interval - EARLY
        if silent or now - self._asked >= DAY - EARLY:
            if self.may_speak():
                self._asked = now
                self.ctx.spawn(self.beat(), "heartbeat")
            else:
                self._asked = max(self._asked, now - DAY + RETRY)
            self._spoke = now
        self._arm()
