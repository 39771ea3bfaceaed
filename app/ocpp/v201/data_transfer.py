"""Messages of vendors, both ways. Part 2, block P: any JSON, known by vendorId and messageId."""

from __future__ import annotations

from collections.abc import Mapping

from app.kernel.bus import Entry
from app.ocpp.context import Context, Handler, Payload, Reply
from app.ocpp.personality import Block
from app.ocpp.shared.vendors import EVENTS, Vendors
from app.ocpp.v201.provisioning import Provisioning


class DataTransfer(Block):
    """Answers for vendors, and tells what their scripts want told."""

    def __init__(self, ctx: Context, office: Provisioning) -> None:
        super().__init__(ctx)
        self._office = office
        self.vendors = Vendors(ctx.settings)

    def handlers(self) -> Mapping[str, Handler]:
        return {"DataTransfer": self._received}

    def start(self) -> None:
        if self.vendors.talks:
            self.on(self._on_event, *EVENTS)

    def _received(self, request: Payload) -> Reply:
        vendor, message = request["vendorId"], request.get("messageId")
        return Reply(self.vendors.answer(self.ctx.station, vendor, message, request.get("data")))

    def _on_event(self, entry: Entry) -> None:
        for request in self.vendors.reports(entry.event):
            self.ctx.spawn(self._send(request), "vendor message")

    async def _send(self, request: Payload) -> None:
        await self._office.say("DataTransfer", request)
