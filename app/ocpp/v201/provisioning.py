"""Boot, heartbeat and clock. Part 2, B01 to B03 and G02.

Nothing but BootNotification leaves before the back office accepted us, unless it asked for it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from app.kernel.bus import Entry
from app.kernel.clock import Timer, showable
from app.kernel.units import parse_stamp
from app.ocpp.context import (
    BootState,
    CallFailed,
    Context,
    HandlerError,
    NotConnected,
    Payload,
)
from app.ocpp.events import BootStateChanged, ClockSet, Direction, FramePassed, HeartbeatAnswered
from app.ocpp.personality import Block
from app.ocpp.shared.boot_delay import not_accepted, without_answer
from app.ocpp.shared.jobs.job import installed_version
from app.ocpp.v201.device_model import DeviceModel
from app.ocpp.v201.variables import LARGEST

OWN_WAIT = 60.0
"""Seconds until the next try where the back office names none (B02.FR.07)."""

DAY = 86_400.0
"""At least one heartbeat in so many seconds, to keep the clock right (G02.FR.07)."""

HEARTBEAT_INTERVAL = "OCPPCommCtrlr.HeartbeatInterval"

EXACT = 1.0
"""Seconds within which the clock counts as right: answers may be told in whole seconds, and travel."""

SLEW = 0.1
"""Share of the drift that a slowly adjusted clock takes over at a time."""


class Provisioning(Block):
    """Asks until it is accepted, then beats."""

    def __init__(self, ctx: Context, model: DeviceModel) -> None:
        super().__init__(ctx)
        self._model = model
        self.state = BootState.OFF
        self.accepted_hooks: list[Callable[[], None]] = []
        self._asking = False
        self._retry: Timer | None = None
        self._beat: Timer | None = None
        self._last_sent = 0.0
        self._last_heartbeat = 0.0
        self._offline_since: float | None = None
        self._moved = False
        self._reboots = ctx.points.ahead("both-boot-on-reconnect")
        self._baseline = ctx.points.ahead("ocpp201-baseline")

    # ---- life

    def start(self) -> None:
        self._set(BootState.BOOTING)
        self.on(self._frame_passed, FramePassed)
        self._model.watch(HEARTBEAT_INTERVAL, self._arm_heartbeat)
        self._offline_since = self.ctx.clock.elapsed()

    def stop(self) -> None:
        super().stop()
        self._cancel_timers()

    async def before_link(self, *, may_move: bool) -> None:
        """The first CALL of the next link depends on it, and on whether that uses another profile."""
        if self.accepted:
            if may_move:
                await self._baseline.ask()
            await self._reboots.ask()

    def link_up(self, *, first: bool) -> None:
        offline = self.ctx.clock.elapsed() - (self._offline_since or 0.0)
        self._offline_since = None
        moved, self._moved = self._moved, False
        if moved and self.accepted and self._introduces_itself():
            self._set(BootState.BOOTING)
            self.ask("Unknown")
        elif self.state is not BootState.ACCEPTED:
            if self._retry is None or moved:
                self.ask(self._boot_reason())
        elif self._boots_again(offline):
            self.ask("Unknown")
        else:
            self._arm_heartbeat()

    def link_down(self) -> None:
        self._offline_since = self.ctx.clock.elapsed()
        if self._beat is not None:
            self._beat.cancel()

    def _boots_again(self, offline: float) -> bool:
        """201, errata B10.FR.10: a mere loss of link is no reason for another BootNotification."""
        chosen = self._reboots.choose()
        if chosen == "always":
            return True
        threshold = self._model.integer("OCPPCommCtrlr.OfflineThreshold")
        return chosen == "after-threshold" and offline > threshold

    def _introduces_itself(self) -> bool:
        """Errata B10.FR.10: who answers now may never have heard of us."""
        return self._baseline.choose() != "edition-3"

    # ---- what others ask

    def moved(self) -> None:
        """The next link is with another network profile than the last one."""
        self._moved = True

    @property
    def accepted(self) -> bool:
        return self.state is BootState.ACCEPTED

    def may_charge(self) -> bool:
        """Part 2, B 1.1: transactions before we are accepted only where that is turned on."""
        return self.accepted or self._model.flag("TxCtrlr.TxBeforeAcceptedEnabled")

    def admit(self, action: str) -> None:
        """B03.FR.08: a rejected station answers SecurityError."""
        if self.state is BootState.REJECTED:
            raise HandlerError("SecurityError", f"{action}: the station has been rejected")

    @property
    def listened_to(self) -> bool:
        """May what the back office asks for be sent to it."""
        return self.state in (BootState.ACCEPTED, BootState.PENDING)

    async def say(self, action: str, payload: Payload, *, asked: bool = False) -> Payload | None:
        """A CALL that is not queued: the answer, or None where there is none.

        Before we are accepted only what the back office `asked` for is sent (B02.FR.02).
        """
        if not (self.accepted or (asked and self.listened_to)):
            return None
        try:
            return await self.ctx.calls.call(action, payload)
        except CallFailed:
            return None  # the journal has it; what matters is told anew on the next occasion

    # ---- boot

    def ask(self, reason: str) -> None:
        """Send a BootNotification, unless one is on its way."""
        if self._asking:
            return
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        self._asking = True
        self.ctx.spawn(self._boot(reason), "boot")

    async def _boot(self, reason: str) -> None:
        try:
            answer = await self.ctx.calls.call("BootNotification", self.payload(reason))
        except NotConnected:
            self._asking = False  # link_up() asks again
            return
        except CallFailed as error:
            self._asking = False
            self.ctx.bus.publish(without_answer(error, OWN_WAIT))
            self._wait(OWN_WAIT)
            return
        try:
            await self._answered(answer)
        finally:
            self._asking = False

    def payload(self, reason: str) -> Payload:
        """A BootNotificationRequest."""
        identity = self.ctx.settings.identity
        station: Payload = {"model": identity.model[:20], "vendorName": identity.vendor[:50]}
        serial = identity.serial_number or identity.box_serial_number
        if serial:
            station["serialNumber"] = serial[:25]
        version = installed_version(self.ctx.store) or identity.firmware_version
        if version:
            station["firmwareVersion"] = version[:50]
        modem = {
            key: value[:20]
            for key, value in (("iccid", identity.iccid), ("imsi", identity.imsi))
            if value
        }
        if modem:
            station["modem"] = modem
        return {"reason": reason, "chargingStation": station}

    def _boot_reason(self) -> str:
        return self.ctx.boot_reason.value

    async def _answered(self, answer: Payload) -> None:
        interval = min(int(answer["interval"]), LARGEST)
        # what is said from now on carries the time that was decided upon
        await self._follow(parse_stamp(answer["currentTime"]))
        status = answer["status"]
        if status == "Accepted":
            if interval > 0:
                variable = self._model.at(HEARTBEAT_INTERVAL)
                if self._model.value(variable) != str(interval):
                    self._model.put(variable, str(interval), "back office")
            self._set(BootState.ACCEPTED)
            self._last_heartbeat = self.ctx.clock.elapsed()
            self._arm_heartbeat()
            for hook in self.accepted_hooks:
                hook()
            return
        wait = float(interval) if interval > 0 else OWN_WAIT
        state = BootState.PENDING if status == "Pending" else BootState.REJECTED
        self._set(state, wait)
        self.ctx.bus.publish(not_accepted(state, wait))
        self._wait(wait)

    def _wait(self, seconds: float) -> None:
        def due() -> None:
            self._retry = None
            if self.ctx.calls.online:
                self.ask(self._boot_reason())

        if self._retry is not None:
            self._retry.cancel()
        self._retry = self.ctx.clock.call_in(seconds, due)

    def _set(self, state: BootState, retry_in: float | None = None) -> None:
        self.state = state
        self.ctx.bus.publish(BootStateChanged(state, retry_in))

    # ---- heartbeat

    def heartbeat(self, *, asked: bool = False) -> None:
        """Send one now."""
        self.ctx.spawn(self._send_heartbeat(asked), "heartbeat")

    async def _send_heartbeat(self, asked: bool) -> None:
        answer = await self.say("Heartbeat", {}, asked=asked)
        if answer is None:
            return
        self._last_heartbeat = self.ctx.clock.elapsed()
        server_time = parse_stamp(answer["currentTime"])
        drift = (server_time - self.ctx.clock.now()).total_seconds()
        self.ctx.bus.publish(HeartbeatAnswered(server_time, drift))
        await self._follow(server_time)

    def _frame_passed(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, FramePassed)
        if event.direction is Direction.OUT:
            self._last_sent = self.ctx.clock.elapsed()

    def _arm_heartbeat(self) -> None:
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
        if not (self.accepted and self.ctx.calls.online):
            return
        interval = float(self._model.integer(HEARTBEAT_INTERVAL))
        if interval <= 0:
            return
        now = self.ctx.clock.elapsed()
        due = min(self._last_sent + interval, self._last_heartbeat + DAY)
        if due <= now:
            self._beat_due()  # overdue, after a break of the link (E12)
        else:
            self._beat = self.ctx.clock.call_in(due - now, self._beat_due)

    def _beat_due(self) -> None:
        self._beat = None
        if not (self.accepted and self.ctx.calls.online):
            return
        now = self.ctx.clock.elapsed()
        interval = float(self._model.integer(HEARTBEAT_INTERVAL))
        quiet = now - self._last_sent >= interval - 1e-6
        stale = now - self._last_heartbeat >= DAY - 1e-6
        if quiet or stale:
            self._last_sent = self._last_heartbeat = now
            self.heartbeat()
        self._arm_heartbeat()

    # ---- clock

    async def _follow(self, server_time: datetime) -> None:
        """B01.FR.06: set the clock, where heartbeats are a source of time."""
        heard = self.ctx.clock.elapsed()
        if not self._is_off(server_time) or not showable(server_time):
            return
        chosen = await self.ctx.points.ask("both-clock-drift")
        # while a person thought time went on, and another answer may have set the clock
        server_time += timedelta(seconds=self.ctx.clock.elapsed() - heard)
        if not self._is_off(server_time):
            return
        now = self.ctx.clock.now()
        if chosen == "set-at-once":
            self._set_clock(server_time)
        elif chosen == "slew":
            self._set_clock(now + (server_time - now) * SLEW)

    def _is_off(self, server_time: datetime) -> bool:
        """Is the clock wrong, and does it follow the back office's."""
        if not self.ctx.clock.follow_server:
            return False  # people moved time: the difference is shown, the calendar stays theirs
        if "Heartbeat" not in self._model.members("ClockCtrlr.TimeSource"):
            return False
        return abs((server_time - self.ctx.clock.now()).total_seconds()) >= EXACT

    def _set_clock(self, to: datetime) -> None:
        change = self.ctx.clock.correct(to)
        self.ctx.bus.publish(ClockSet(change.total_seconds(), "the back office"))

    def _cancel_timers(self) -> None:
        for timer in (self._retry, self._beat):
            if timer is not None:
                timer.cancel()
