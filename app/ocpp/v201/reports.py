"""The device model in pages. Part 2, B07 and B08.

Every page of NotifyReport carries the requestId, a seqNo from 0 and, but for the last, tbc (PG-01). Values
of write-only variables stay here (errata 2.10).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from app.kernel.units import stamp
from app.ocpp.context import Context, Handler, Payload, Reply
from app.ocpp.personality import Block
from app.ocpp.v201.configuration import check_size
from app.ocpp.v201.device_model import DeviceModel
from app.ocpp.v201.provisioning import Provisioning
from app.ocpp.v201.variables import ACTUAL, DataType, Mutability, Variable

PAGE = 40
"""Variables on a page."""

_SUMMARY = ("availabilitystate", "problem", "active", "tripped", "overload", "fallback")


class Reports(Block):
    """Answers GetBaseReport and GetReport."""

    def __init__(self, ctx: Context, model: DeviceModel, office: Provisioning) -> None:
        super().__init__(ctx)
        self._model = model
        self._office = office
        self._sending = 0

    def handlers(self) -> Mapping[str, Handler]:
        return {"GetBaseReport": self._base, "GetReport": self._custom}

    # ---- which variables

    def _base(self, request: Payload) -> Reply:
        wanted: dict[str, Callable[[Variable], bool]] = {
            "FullInventory": lambda _: True,
            "ConfigurationInventory": _can_be_set,
            "SummaryInventory": self._in_summary,
        }
        keep = wanted.get(request["reportBase"])
        if keep is None:
            return Reply({"status": "NotSupported"})
        found = [variable for variable in self._model.variables() if keep(variable)]
        return self._report(request["requestId"], found)

    def _in_summary(self, variable: Variable) -> bool:
        """B07.FR.09: what can be used, and what is wrong."""
        name = variable.name.lower()
        if name not in _SUMMARY:
            return False
        return name == "availabilitystate" or self._model.value(variable) == "true"

    def _custom(self, request: Payload) -> Reply:
        wanted = request.get("componentVariable", [])
        check_size(self._model, "GetReport", wanted, request)
        criteria = request.get("componentCriteria", [])
        found = [
            variable
            for variable in self._model.variables()
            if _asked_for(variable, wanted) and self._meets(variable, criteria)
        ]
        return self._report(request["requestId"], found)

    def _meets(self, variable: Variable, criteria: Iterable[str]) -> bool:
        """B08.FR.07 to .13: at least one criterion; a lacking variable is true, but for Problem."""
        criteria = tuple(criteria)
        if not criteria:
            return True
        for name in criteria:
            own = self._model.find(variable.place, name, None)
            if own is None:
                if name != "Problem":
                    return True
            elif self._model.value(own) == "true":
                return True
        return False

    # ---- pages

    def _report(self, request_id: int, found: list[Variable]) -> Reply:
        if not found:
            return Reply({"status": "EmptyResultSet"})
        if self._sending or not self._office.listened_to:
            info = {"reasonCode": "Unspecified", "additionalInfo": "not now"}
            return Reply({"status": "Rejected", "statusInfo": info})  # B07.FR.13
        pages = [found[start : start + PAGE] for start in range(0, len(found), PAGE)]
        return Reply({"status": "Accepted"}, then=lambda: self._send(request_id, pages))

    async def _send(self, request_id: int, pages: list[list[Variable]]) -> None:
        self._sending += 1
        try:
            generated = stamp(self.ctx.clock.now())
            for number, page in enumerate(pages):
                payload: Payload = {
                    "requestId": request_id,
                    "generatedAt": generated,
                    "seqNo": number,
                    "reportData": [self._entry(variable) for variable in page],
                }
                if number < len(pages) - 1:
                    payload["tbc"] = True
                if await self._office.say("NotifyReport", payload, asked=True) is None:
                    return
        finally:
            self._sending -= 1

    def _entry(self, variable: Variable) -> Payload:
        return {
            "component": variable.place.payload(),
            "variable": variable.variable_payload(),
            "variableAttribute": [self._attribute(variable, name) for name in variable.attributes],
            "variableCharacteristics": self._characteristics(variable),
        }

    def _attribute(self, variable: Variable, name: str) -> Payload:
        attribute = variable.attributes[name]
        found: Payload = {
            "type": name,
            "mutability": attribute.mutability.value,
            "persistent": attribute.persistent,
            "constant": attribute.constant,
        }
        if attribute.mutability is not Mutability.WRITE_ONLY:
            found["value"] = self._model.value(variable, name)[:2500]
        return found

    def _characteristics(self, variable: Variable) -> Payload:
        found: Payload = {"dataType": variable.data_type.value, "supportsMonitoring": False}
        if variable.unit:
            found["unit"] = variable.unit
        if variable.minimum is not None and _is_number(variable):
            found["minLimit"] = variable.minimum
        maximum = self._model.maximum(variable)
        if maximum is not None:
            found["maxLimit"] = maximum
        if variable.values:
            found["valuesList"] = ",".join(variable.values)[:1000]
        return found


def _is_number(variable: Variable) -> bool:
    return variable.data_type in (DataType.INTEGER, DataType.DECIMAL, DataType.STRING)


def _can_be_set(variable: Variable) -> bool:
    """B07.FR.07: what an operator can set."""
    return any(
        attribute.mutability is not Mutability.READ_ONLY
        for name, attribute in variable.attributes.items()
        if name == ACTUAL or attribute.value is not None
    )


def _asked_for(variable: Variable, wanted: list[Payload]) -> bool:
    """B08.FR.20 to .25: what is left out stands for all."""
    return not wanted or any(_fits(variable, entry) for entry in wanted)


def _fits(variable: Variable, entry: Payload) -> bool:
    component, name = entry["component"], entry.get("variable")
    place = variable.place
    if component["name"].lower() != place.name.lower():
        return False
    instance = component.get("instance")
    if instance and instance.lower() != (place.instance or "").lower():
        return False
    evse = component.get("evse")
    if evse is not None:
        if evse["id"] != place.evse:
            return False
        if "connectorId" in evse and evse["connectorId"] != place.connector:
            return False
    if name is None:
        return True
    if name["name"].lower() != variable.name.lower():
        return False
    part = name.get("instance")
    return not part or part.lower() == (variable.instance or "").lower()
