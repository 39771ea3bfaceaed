"""Messages of vendors, both ways. Part 2, block P: any JSON, known by vendorId and messageId."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.ocpp.context import Context, Handler, Payload, Reply
from app.ocpp.personality import Block
from app.ocpp.v201.provisioning import Provisioning

Answer = Callable[[Any], Payload]


class DataTransfer(Block):
    """Answers for the vendors it knows."""

    def __init__(self, ctx: Context, office: Provisioning) -> None:
        super().__init__(ctx)
        self._office = office
        self._vendors: dict[str, dict[str | None, Answer]] = {}

    def register(self, vendor: str, message: str | None, answer: Answer) -> None:
        """Let `answer` make the response to the data of a vendor's message."""
        self._vendors.setdefault(vendor.lower(), {})[message] = answer

    def handlers(self) -> Mapping[str, Handler]:
        return {"DataTransfer": self._received}

    async def send(
        self, vendor: str, message: str | None = None, data: Any = None
    ) -> Payload | None:
        """Tell the back office something of a vendor's own; its answer, or None."""
        payload: Payload = {"vendorId": vendor}
        if message is not None:
            payload["messageId"] = message
        if data is not None:
            payload["data"] = data
        return await self._office.say("DataTransfer", payload)

    def _received(self, request: Payload) -> Reply:
        messages = self._vendors.get(request["vendorId"].lower())
        if messages is None:
            return Reply({"status": "UnknownVendorId"})  # DT-03
        answer = messages.get(request.get("messageId"))
        if answer is None:
            return Reply({"status": "UnknownMessageId"})
        return Reply(answer(request.get("data")))
