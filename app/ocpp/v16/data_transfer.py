"""DataTransfer with vendors we know (1.6 part 4.3 and 5.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.ocpp.context import Context, Handler, Payload, Reply
from app.ocpp.personality import Block

Answer = Callable[[str | None], tuple[str, str | None]]
"""From the data to the status word and the data of the answer."""


def _echo(data: str | None) -> tuple[str, str | None]:
    return "Accepted", data


class DataTransfer(Block):
    """Knows our own vendor with the message `Echo`; more can be registered."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.vendors: dict[str, dict[str, Answer]] = {ctx.settings.identity.vendor: {"Echo": _echo}}

    def handlers(self) -> Mapping[str, Handler]:
        return {"DataTransfer": self._transfer}

    def _transfer(self, request: Payload) -> Reply:
        messages = self._of_vendor(str(request["vendorId"]))
        if messages is None:
            return Reply({"status": "UnknownVendorId"})
        answer = messages.get(str(request.get("messageId", "")))
        if answer is None:
            return Reply({"status": "UnknownMessageId"})
        word, data = answer(request.get("data"))
        payload: Payload = {"status": word}
        if data is not None:
            payload["data"] = data
        return Reply(payload)

    def _of_vendor(self, vendor: str) -> dict[str, Answer] | None:
        """Identifiers compare without case (CiString)."""
        for name, messages in self.vendors.items():
            if name.casefold() == vendor.casefold():
                return messages
        return None
