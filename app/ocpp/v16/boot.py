"""BootNotification until the back office accepts, and what may be said before (1.6 part 4.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from app.kernel.activity import Wakeup
from app.ocpp.context import (
    BootState,
    CallFailed,
    Context,
    HandlerError,
    NotConnected,
    Payload,
)
from app.ocpp.events import BootStateChanged
from app.ocpp.personality import Block, Silence
from app.ocpp.shared.boot_delay import not_accepted, without_answer
from app.ocpp.shared.jobs.job import installed_version
from app.ocpp.v16.configuration import BACK_OFFICE, Configuration
from app.ocpp.v16.heartbeat import Heartbeat

OWN_WAIT = 60.0
"""Seconds between tries where the back office names none (16-BOOT-09)."""

LONGEST_WAIT = 10**9 - 1
"""Seconds, 31 years: an interval beyond that could not even be counted."""

OFFLINE_THRESHOLD = 300.0
"""Real seconds after which `both-boot-on-reconnect: after-threshold` boots again."""


class Boot(Block):
    """The dialogue that makes us known, once a power cycle."""

    def __init__(self, ctx: Context, config: Configuration, heartbeat: Heartbeat) -> None:
        super().__init__(ctx)
        self._config = config
        self._heartbeat = heartbeat
        self._state = BootState.OFF
        self._running = False
        self._earlier: Wakeup | None = None
        self._online: Wakeup | None = None
        self._lost_at: float | None = None
        self._reboots = ctx.points.ahead("both-boot-on-reconnect")
        self.ever_accepted = False
        """In this power cycle."""
        self.followers: list[Callable[[], None]] = []
        """Called at each Accepted."""
        self.on_pending: list[Callable[[], None]] = []
        """Called at each Pending."""

    @property
    def state(self) -> BootState:
        return self._state

    @property
    def accepted(self) -> bool:
        return self._state is BootState.ACCEPTED

    @property
    def talking(self) -> bool:
        """Accepted, and the link is open: we may send what we like."""
        return self.accepted and self.ctx.calls.online

    def admit(self, action: str) -> Awaitable[None] | None:
        """Where a CALL gets no ordinary answer now: what raises Silence or HandlerError (16-BOOT-08)."""
        return self._turn_away(action) if self._state is BootState.REJECTED else None

    async def _turn_away(self, action: str) -> None:
        choice = await self.ctx.points.ask("ocpp16-rejected-answering")
        if self._state is not BootState.REJECTED:
            return  # accepted while a person thought: it gets its ordinary answer
        if choice == "callerror":
            raise HandlerError("SecurityError", "the charge point was rejected")
        raise Silence(action)

    # ------------------------------------------------------------------ block

    def start(self) -> None:
        self._begin()

    async def before_link(self) -> None:
        """The first CALL of the next link depends on it."""
        if self.accepted:
            await self._reboots.ask()

    def link_up(self, *, first: bool) -> None:
        if self._online is not None:
            self._online.set()
        if not first and self.accepted and self._must_boot_again():
            self._begin()
        self._lost_at = None

    def link_down(self) -> None:
        if self._lost_at is None:
            self._lost_at = self.ctx.link.monotonic()

    def again(self) -> bool:
        """Send BootNotification now instead of after the wait; False once accepted (RC-04)."""
        if self.accepted:
            return False
        if self._earlier is not None:
            self._earlier.set()
        return True

    def _must_boot_again(self) -> bool:
        choice = self._reboots.choose()
        if choice == "after-threshold":
            lost = self._lost_at if self._lost_at is not None else self.ctx.link.monotonic()
            return self.ctx.link.monotonic() - lost >= OFFLINE_THRESHOLD
        return choice == "always"

    def _begin(self) -> None:
        if self._running:
            return
        self._running = True
        self._enter(BootState.BOOTING)
        self.ctx.spawn(self._until_accepted(), "boot")

    # ------------------------------------------------------------------ the dialogue

    async def _until_accepted(self) -> None:
        try:
            while not self.accepted:
                await self._wait_for_link()
                wait = await self._ask()
                if wait is not None:
                    await self._pause(wait)
        finally:
            self._running = False

    async def _ask(self) -> float | None:
        """One BootNotification. Returns the seconds until the next one, None for none or at once."""
        try:
            answer = await self.ctx.calls.call("BootNotification", self._request())
        except NotConnected:
            return None
        except CallFailed as error:
            self.ctx.bus.publish(without_answer(error, OWN_WAIT))
            return OWN_WAIT
        return await self._answered(answer)

    async def _answered(self, answer: Payload) -> float | None:
        status, interval = answer["status"], min(int(answer["interval"]), LONGEST_WAIT)
        if status == "Accepted":
            self._config.put("HeartbeatInterval", str(max(0, interval)), BACK_OFFICE)
            # what is said from now on carries the time that was decided upon
            await self._heartbeat.take_time(answer["currentTime"])
            self.ever_accepted = True
            self._enter(BootState.ACCEPTED)
            for follower in self.followers:
                follower()
            return None
        wait = float(interval) if interval > 0 else OWN_WAIT
        state = BootState.PENDING if status == "Pending" else BootState.REJECTED
        self._enter(state, wait)
        self.ctx.bus.publish(not_accepted(state, wait))
        if state is BootState.REJECTED:
            self.ctx.decide("ocpp16-rejected-answering", self._perhaps_close)
        else:
            self.ctx.spawn(self._heartbeat.take_time(answer["currentTime"]), "time while pending")
            for listener in self.on_pending:
                listener()
        return wait

    def _perhaps_close(self, choice: str) -> None:
        if choice == "closed" and self._state is BootState.REJECTED:
            self.ctx.calls.close_link("the back office rejected this charge point")

    async def _wait_for_link(self) -> None:
        while not self.ctx.calls.online:
            self._online = self.ctx.activity.wakeup()
            await self._online.wait()
            self._online = None

    async def _pause(self, seconds: float) -> None:
        self._earlier = self.ctx.activity.wakeup()
        timer = self.ctx.clock.call_in(seconds, self._earlier.set)
        try:
            await self._earlier.wait()
        finally:
            timer.cancel()
            self._earlier = None

    def _enter(self, state: BootState, retry_in: float | None = None) -> None:
        self._state = state
        self.ctx.bus.publish(BootStateChanged(state, retry_in))

    def _request(self) -> Payload:
        me = self.ctx.settings.identity
        fields = {
            "chargePointVendor": (me.vendor, 20),
            "chargePointModel": (me.model, 20),
            "chargePointSerialNumber": (me.serial_number, 25),
            "chargeBoxSerialNumber": (me.box_serial_number, 25),
            "firmwareVersion": (installed_version(self.ctx.store) or me.firmware_version, 50),
            "iccid": (me.iccid, 20),
            "imsi": (me.imsi, 20),
            "meterType": (me.meter_type, 25),
            "meterSerialNumber": (me.meter_serial_number, 25),
        }
        return {name: text[:size] for name, (text, size) in fields.items() if text}
