"""DataTransfer with the vendors that the configuration knows, both ways (1.6 part 4.3 and 5.6)."""

from __future__ import annotations

from collections.abc import Mapping

from app.kernel.bus import Entry
from app.ocpp.context import CallFailed, Context, Handler, Payload, Reply
from app.ocpp.personality import Block
from app.ocpp.shared.vendors import EVENTS, Vendors, as_text
from app.ocpp.v16.boot import Boot
from app.ocpp.v16.turned_down import reason


class DataTransfer(Block):
    """Answers for vendors, and tells what their scripts want told."""

    def __init__(self, ctx: Context, boot: Boot) -> None:
        super().__init__(ctx)
        self._boot = boot
        self.vendors = Vendors(ctx.settings)

    def handlers(self) -> Mapping[str, Handler]:
        return {"DataTransfer": self._transfer}

    def start(self) -> None:
        if self.vendors.talks:
            self.on(self._on_event, *EVENTS)

    def _transfer(self, request: Payload) -> Reply:
        vendor, message = request["vendorId"], request.get("messageId")
        answer = self.vendors.answer(self.ctx.station, vendor, message, request.get("data"))
        why = None
        if answer["status"] == "UnknownVendorId":
            why = reason("vendor", vendor=str(vendor))
        elif answer["status"] == "UnknownMessageId":
            why = reason("vendor_message", vendor=str(vendor), message=str(message or "–"))
        elif answer["status"] != "Accepted":
            why = reason("vendor_answer", vendor=str(vendor))
        return Reply(as_text(answer), why=why)

    def _on_event(self, entry: Entry) -> None:
        """What cannot be told now is not told later: nobody is owed these messages."""
        for request in self.vendors.reports(entry.event):
            if self._boot.talking:
                self.ctx.spawn(self._send(as_text(request)), "vendor message")

    async def _send(self, request: Payload) -> None:
        try:
            await self.ctx.calls.call("DataTransfer", request)
        except CallFailed:
            return  # the journal has it
