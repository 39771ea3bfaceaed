"""TriggerMessage and ExtendedTriggerMessage: the back office asks for a message of ours (1.6 part 5.17,
whitepaper 5.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from app.ocpp.context import CallFailed, Context, Handler, Payload, Reply
from app.ocpp.features import REMOTE_TRIGGER
from app.ocpp.personality import Block
from app.ocpp.v16.availability import Availability
from app.ocpp.v16.boot import Boot
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.connectors import Connectors
from app.ocpp.v16.heartbeat import Heartbeat
from app.ocpp.v16.metering import Metering
from app.ocpp.v16.turned_down import REJECTED, turned_down

Trigger = Callable[[], Reply]
"""Answers a trigger, and sends the message once it has answered."""

ACCEPTED = Reply({"status": "Accepted"})


def told_once(ctx: Context, action: str, payload: Payload) -> Reply:
    """Accepted, and then this message: it was asked for, so nobody waits for another try."""

    async def send() -> None:
        with suppress(CallFailed):  # the journal has it
            await ctx.calls.call(action, payload)

    return Reply(ACCEPTED.payload, then=send)


class Triggers(Block):
    """Answers first, then sends. Present state only, never history."""

    def __init__(
        self,
        ctx: Context,
        config: Configuration,
        connectors: Connectors,
        boot: Boot,
        heartbeat: Heartbeat,
        availability: Availability,
        metering: Metering,
    ) -> None:
        super().__init__(ctx)
        self._config = config
        self._connectors = connectors
        self._boot = boot
        self._heartbeat = heartbeat
        self._availability = availability
        self._metering = metering
        self.others: dict[str, Trigger] = {}
        """What other blocks send when TriggerMessage asks for it, by requestedMessage."""
        self.extended: dict[str, Trigger] = {}
        """The same for ExtendedTriggerMessage, which means the messages of the whitepaper."""

    def handlers(self) -> Mapping[str, Handler]:
        if REMOTE_TRIGGER not in self._config.profiles:
            return {}
        return {
            "TriggerMessage": lambda request: self._trigger(request, self.others),
            "ExtendedTriggerMessage": lambda request: self._trigger(request, self.extended),
        }

    def _trigger(self, request: Payload, others: Mapping[str, Trigger]) -> Reply:
        number = request.get("connectorId")
        match request["requestedMessage"]:
            case "BootNotification":
                return self._trigger_boot()
            case "Heartbeat":
                return Reply(ACCEPTED.payload, then=self._heartbeat.beat)
            case "StatusNotification":
                return self._trigger_status(number)
            case "MeterValues":
                return self._trigger_meter(number)
        wanted = str(request["requestedMessage"])
        if wanted in others:
            return others[wanted]()
        return turned_down("NotImplemented", "no_trigger", message=wanted)

    def _trigger_boot(self) -> Reply:
        if self._boot.accepted:
            return turned_down(REJECTED, "booted")  # errata 3.35

        def again() -> None:
            self._boot.again()

        return Reply(ACCEPTED.payload, then=again)

    def _trigger_status(self, number: int | None) -> Reply:
        numbers = self._numbers(number, station=True)
        if not numbers:
            return turned_down(REJECTED, "connector", number=number or 0)

        def send() -> None:
            for each in numbers:
                self._availability.notifier.tell(self._availability.notice(each))

        return Reply(ACCEPTED.payload, then=send)

    def _trigger_meter(self, number: int | None) -> Reply:
        main = self.ctx.station.main_meter() is not None
        numbers = self._numbers(number, station=main)
        if not numbers:
            return turned_down(REJECTED, "no_meter", number=number or 0)
        if not self._metering.can_trigger():
            return turned_down(REJECTED, "no_measurands")

        def send() -> None:
            for each in numbers:
                self._metering.trigger(each)

        return Reply(ACCEPTED.payload, then=send)

    def _numbers(self, number: int | None, *, station: bool) -> list[int]:
        """The connectors that are meant; left out means all (RC-03)."""
        everyone = list(range(0 if station else 1, len(self._connectors) + 1))
        if number is None:
            return everyone
        return [number] if number in everyone else []
