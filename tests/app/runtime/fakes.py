"""A personality of few words, for tests of what lies around it."""

from __future__ import annotations

import json
from typing import Any

from app.ocpp.context import BootState, CallFailed, Context, Handler, Payload, Reply, SessionView
from app.ocpp.events import SettingChanged
from app.ocpp.outbox import Outbox, OutboxRow, OutboxRules
from app.ocpp.personality import LinkPlan, LinkPolicy, Personality
from app.ocpp.version import Version

BOOT = {
    Version.V16: {"chargePointVendor": "F", "chargePointModel": "M"},
    Version.V201: {"reason": "PowerUp", "chargingStation": {"vendorName": "F", "model": "M"}},
}


class Rules(OutboxRules):
    def __init__(self, owner: Fake) -> None:
        self._owner = owner

    def may_send(self) -> bool:
        return self._owner.boot_state is BootState.ACCEPTED and self._owner.ctx.calls.online

    def attempts(self) -> int:
        return 3

    def interval(self) -> float:
        return 10.0

    def bind(self, row: OutboxRow) -> Payload:
        return row.payload

    def answered(self, row: OutboxRow, answer: Payload) -> None:
        return None

    def gave_up(self, row: OutboxRow, why: str) -> None:
        return None


class Fake(Personality):
    """Boots, beats once, queues what it is told to; every instance is kept for the test to look at."""

    made: list[Fake]

    def __init__(self, version: Version, ctx: Context) -> None:
        super().__init__(ctx)
        self.version = version  # type: ignore[misc]
        self.log: list[str] = []
        self.running: tuple[SessionView, ...] = ()
        self.password: str | bytes | None = None
        self.policy = LinkPolicy(ping_interval=0)
        self._state = BootState.BOOTING
        self.outbox = Outbox(ctx, Rules(self))

    def restore(self) -> None:
        self.log.append("restore")
        self.seen = [row for _, row in self.ctx.store.rows("fake.rows")]

    def start(self) -> None:
        self.log.append("start")
        self.outbox.start()
        self.ctx.spawn(self._wait_for_ever(), "waits for ever")

    def stop(self) -> None:
        self.log.append("stop")

    def link_up(self, *, first: bool) -> None:
        self.log.append(f"up {first}")
        self.ctx.spawn(self._boot(), "boot")

    def link_down(self) -> None:
        self.log.append("down")

    async def _boot(self) -> None:
        try:
            await self.ctx.calls.call("BootNotification", BOOT[self.version])
        except CallFailed:
            return
        self._state = BootState.ACCEPTED
        self.outbox.kick()

    async def _wait_for_ever(self) -> None:
        await self.ctx.clock.sleep(1e9)

    def handlers(self) -> dict[str, Handler]:
        return {"Reset": self._reset}

    def _reset(self, payload: Payload) -> Reply:
        from app.ocpp.context import BootReason

        return Reply({"status": "Accepted"}, then=lambda: self.ctx.reboot(BootReason.REMOTE_RESET))

    @property
    def alive_and_accepted(self) -> bool:
        return self._state is BootState.ACCEPTED and "stop" not in self.log

    @property
    def boot_state(self) -> BootState:
        return self._state

    def sessions(self) -> tuple[SessionView, ...]:
        return self.running

    def link_policy(self) -> LinkPolicy:
        return self.policy

    def basic_auth_password(self) -> str | bytes | None:
        return self.password

    def link_plan(self) -> LinkPlan:
        password = self.password.encode() if isinstance(self.password, str) else self.password
        return LinkPlan(passwords=(password,))

    def settings(self) -> list[Payload]:
        return [{"name": "Colour", "value": self._colour()}]

    def get_setting(self, name: str) -> str | None:
        if name != "Colour":
            raise KeyError(name)
        return self._colour()

    def set_setting(self, name: str, value: str) -> str:
        before = self.get_setting(name)
        self.ctx.store.put("fake.settings", name, {"value": value})
        self.ctx.bus.publish(SettingChanged(name, before, value, "person"))
        return "Accepted"

    def _colour(self) -> str:
        row = self.ctx.store.get("fake.settings", "Colour")
        return str(row["value"]) if row else "grey"


def answers(text: str) -> str | None:
    """An office that accepts everything a fake says."""
    frame: list[Any] = json.loads(text) if text.startswith("[2") else [0]
    if frame[0] != 2:
        return None
    payload: Payload = {}
    now = "2026-01-01T00:00:00Z"
    if frame[2] == "Heartbeat":
        payload = {"currentTime": now}
    if frame[2] == "BootNotification":
        payload = {"status": "Accepted", "currentTime": now, "interval": 300}
    return json.dumps([3, frame[1], payload])
