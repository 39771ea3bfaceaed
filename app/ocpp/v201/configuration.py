"""Reading and setting variables from afar. Part 2, B05 and B06: one result an entry, in the same words."""

from __future__ import annotations

import json
from collections.abc import Mapping

from app.ocpp.context import Context, Handler, HandlerError, Payload, Reply
from app.ocpp.personality import Block
from app.ocpp.v201.device_model import DeviceModel, Verdict
from app.ocpp.v201.variables import ACTUAL, Mutability, Place, Variable

PASSWORD = "SecurityCtrlr.BasicAuthPassword"


class Configuration(Block):
    """Answers GetVariables and SetVariables."""

    def __init__(self, ctx: Context, model: DeviceModel) -> None:
        super().__init__(ctx)
        self._model = model

    def handlers(self) -> Mapping[str, Handler]:
        return {"GetVariables": self._get, "SetVariables": self._set}

    # ---- reading

    def _get(self, request: Payload) -> Reply:
        entries = request["getVariableData"]
        check_size(self._model, "GetVariables", entries, request)
        return Reply({"getVariableResult": [self._read(entry) for entry in entries]})

    def _read(self, entry: Payload) -> Payload:
        attribute = entry.get("attributeType", ACTUAL)
        result = _named(entry, attribute)
        found = self._find(entry, attribute)
        if isinstance(found, str):
            return {"attributeStatus": found, **result}
        if found.attributes[attribute].mutability is Mutability.WRITE_ONLY:
            info = {"reasonCode": "WriteOnly"}
            return {"attributeStatus": "Rejected", "attributeStatusInfo": info, **result}
        value = self._model.value(found, attribute)[:2500]
        return {"attributeStatus": "Accepted", "attributeValue": value, **result}

    # ---- setting

    async def _set(self, request: Payload) -> Reply:
        entries = request["setVariableData"]
        check_size(self._model, "SetVariables", entries, request)
        for entry in entries:
            found = self._find(entry, ACTUAL)
            if isinstance(found, Variable):
                await self._model.look_ahead(found, entry["attributeValue"])
        results = []
        new_password = False
        with self.ctx.store.step():
            for entry in entries:
                results.append(self._write(entry))
                accepted = results[-1]["attributeStatus"] == "Accepted"
                found = self._find(entry, entry.get("attributeType", ACTUAL))
                if accepted and isinstance(found, Variable) and found.path == PASSWORD:
                    new_password = True
        then = self._reconnect if new_password else None
        return Reply({"setVariableResult": results}, then=then)

    def _write(self, entry: Payload) -> Payload:
        attribute = entry.get("attributeType", ACTUAL)
        result = _named(entry, attribute)
        found = self._find(entry, attribute)
        if isinstance(found, str):
            return {"attributeStatus": found, **result}
        verdict = self._model.set(found, attribute, entry["attributeValue"], "back office")
        return {"attributeStatus": verdict.status, **_info(verdict), **result}

    def _find(self, entry: Payload, attribute: str) -> Variable | str:
        """The variable, or the status that says why there is none."""
        place = Place.of(entry["component"])
        name = entry["variable"]
        variable = self._model.find(place, name["name"], name.get("instance"))
        if variable is None:
            known = self._model.has_component(place)
            return "UnknownVariable" if known else "UnknownComponent"
        if attribute not in variable.attributes:
            return "NotSupportedAttributeType"
        return variable

    def _reconnect(self) -> None:
        """A01: the new password counts from now on."""
        self.ctx.calls.close_link("the password has changed")


def _named(entry: Payload, attribute: str) -> Payload:
    """What an entry of a request is about, as its result repeats it."""
    return {
        "attributeType": attribute,
        "component": entry["component"],
        "variable": entry["variable"],
    }


def _info(verdict: Verdict) -> Payload:
    if verdict.reason is None:
        return {}
    info: Payload = {"reasonCode": verdict.reason}
    if verdict.info:
        info["additionalInfo"] = verdict.info[:512]
    return {"attributeStatusInfo": info}


def check_size(model: DeviceModel, action: str, entries: list[Payload], request: Payload) -> None:
    """DM-03: more entries or bytes than we said we take."""
    most = model.integer(f"DeviceDataCtrlr.ItemsPerMessage[{action}]")
    if len(entries) > most:
        raise HandlerError("OccurrenceConstraintViolation", f"more than {most} entries")
    size = model.integer(f"DeviceDataCtrlr.BytesPerMessage[{action}]")
    if len(json.dumps(request, separators=(",", ":")).encode()) > size:
        raise HandlerError("FormatViolation", f"more than {size} bytes")
