"""Messages of vendors' own, as data: what a station answers to a DataTransfer and what it tells by itself.

Both versions speak them (1.6 part 4.3 and 5.6; 2.0.1 part 2, block P); 1.6 carries text, 2.0.1 any JSON. In
texts of a script `{data}` stands for what came, `{evse}`, `{connector}`, `{id_token}`, `{transaction_id}`,
`{energy}` and `{reason}` for what happened; a gap that nothing fills stays as it is written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from app.kernel.bus import Event
from app.kernel.text import Text
from app.ocpp.context import BootState, OcppSettings, Payload, StationPort
from app.ocpp.events import BootStateChanged, TransactionEnded, TransactionStarted
from app.station.commands import ShowText
from app.station.events import CablePlugged, CableUnplugged, CardPresented, FaultRaised

_GAP = re.compile(r"\{([a-z_]+)\}")


class Occasion(Enum):
    """What makes a station tell a vendor's message by itself."""

    BOOT_ACCEPTED = "boot_accepted"
    PLUGGED = "plugged"
    UNPLUGGED = "unplugged"
    CARD = "card"
    STARTED = "transaction_started"
    ENDED = "transaction_ended"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class VendorAnswer:
    """What is answered to one message of a vendor; `message_id` None: to any that has no answer of its own.

    `show`: what the station's screen says then; "" gives it back its usual text, None leaves it alone.
    """

    message_id: str | None = None
    status: str = "Accepted"
    data: Any = None
    show: str | None = None


@dataclass(frozen=True, slots=True)
class VendorReport:
    """What the station tells of itself on an occasion."""

    on: Occasion
    message_id: str | None = None
    data: Any = None


@dataclass(frozen=True, slots=True)
class Vendor:
    """A dialect: a vendorId and its messages both ways."""

    vendor_id: str
    answers: tuple[VendorAnswer, ...] = ()
    reports: tuple[VendorReport, ...] = ()


ECHO = VendorAnswer("Echo", data="{data}")
SHOW = VendorAnswer("Show", show="{data}")


class Vendors:
    """The dialects of a station: our own vendor's, and those of the configuration."""

    def __init__(self, settings: OcppSettings) -> None:
        own = Vendor(settings.identity.vendor, (ECHO, SHOW))
        self._all = (*settings.vendors, own)

    def answer(
        self, station: StationPort, vendor_id: str, message_id: str | None, data: Any
    ) -> Payload:
        """The response, and its effect on the screen (DT-03). Identifiers compare without case."""
        spoken = [one for one in self._all if _same(one.vendor_id, vendor_id)]
        if not spoken:
            return {"status": "UnknownVendorId"}
        found = _of_message([answer for one in spoken for answer in one.answers], message_id)
        if found is None:
            return {"status": "UnknownMessageId"}
        if found.show is not None:
            shown = _text(_filled(found.show, {"data": data}))
            station.handle(
                ShowText(0, Text("ocpp.vendor_text", {"text": shown}) if shown else None)
            )
        payload: Payload = {"status": found.status}
        told = _filled(found.data, {"data": data})
        if told is not None:
            payload["data"] = told
        return payload

    def reports(self, event: Event) -> Iterator[Payload]:
        """The requests that this event makes the station send."""
        occasion, facts = _occasion(event)
        if occasion is None:
            return
        for vendor in self._all:
            for report in vendor.reports:
                if report.on is occasion:
                    yield _request(vendor.vendor_id, report, facts)

    @property
    def talks(self) -> bool:
        """Does the station tell anything by itself?"""
        return any(vendor.reports for vendor in self._all)


EVENTS: tuple[type[Event], ...] = (
    BootStateChanged,
    CablePlugged,
    CableUnplugged,
    CardPresented,
    TransactionStarted,
    TransactionEnded,
    FaultRaised,
)
"""What `Vendors.reports` understands."""


def as_text(payload: Payload) -> Payload:
    """With its data as 1.6 carries it: text, JSON where it was more."""
    if "data" not in payload:
        return payload
    return {**payload, "data": _text(payload["data"])}


def _text(data: Any) -> str:
    return data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _of_message(answers: list[VendorAnswer], message_id: str | None) -> VendorAnswer | None:
    named = (
        answer
        for answer in answers
        if answer.message_id is not None and _same(answer.message_id, message_id or "")
    )
    return next(named, None) or next((one for one in answers if one.message_id is None), None)


def _request(vendor_id: str, report: VendorReport, facts: Mapping[str, Any]) -> Payload:
    payload: Payload = {"vendorId": vendor_id}
    if report.message_id is not None:
        payload["messageId"] = report.message_id
    if report.data is not None:
        payload["data"] = _filled(report.data, facts)
    return payload


def _filled(pattern: Any, facts: Mapping[str, Any]) -> Any:
    """The pattern with its gaps filled, at any depth. What is nothing but a gap becomes the thing itself."""
    if isinstance(pattern, Mapping):
        return {key: _filled(value, facts) for key, value in pattern.items()}
    if isinstance(pattern, list | tuple):
        return [_filled(item, facts) for item in pattern]
    if not isinstance(pattern, str):
        return pattern
    whole = _GAP.fullmatch(pattern)
    if whole is not None and whole[1] in facts:
        return facts[whole[1]]
    return _GAP.sub(lambda gap: _text(facts[gap[1]]) if gap[1] in facts else gap[0], pattern)


def _occasion(event: Event) -> tuple[Occasion | None, dict[str, Any]]:
    match event:
        case BootStateChanged(state=BootState.ACCEPTED):
            return Occasion.BOOT_ACCEPTED, {}
        case CablePlugged(evse=evse, connector=connector):
            return Occasion.PLUGGED, {"evse": evse, "connector": connector}
        case CableUnplugged(evse=evse, connector=connector):
            return Occasion.UNPLUGGED, {"evse": evse, "connector": connector}
        case CardPresented(uid=uid, evse=evse):
            return Occasion.CARD, {"id_token": uid, "evse": evse or 0}
        case TransactionStarted(evse=evse, connector=connector, transaction_id=known, token=token):
            facts = {"evse": evse, "connector": connector, "id_token": token or ""}
            return Occasion.STARTED, facts | ({} if known is None else {"transaction_id": known})
        case TransactionEnded(evse=evse, transaction_id=known, reason=reason, energy=energy):
            ended = {"evse": evse, "reason": reason, "energy": round(energy, 1)}
            return Occasion.ENDED, ended | ({} if known is None else {"transaction_id": known})
        case FaultRaised(evse=evse, connector=connector, fault=fault):
            return Occasion.FAULT, {"evse": evse, "connector": connector, "reason": fault.value}
        case _:
            return None, {}
