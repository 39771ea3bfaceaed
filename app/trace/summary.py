"""Says in a sentence what an exchange is about, from its payloads.

The sentences live in the catalogue (`trace.<Action>`); here is only what fills them. A payload may be
anything a back office sends: what is missing or of the wrong type shows as a dash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app.kernel.text import Text
from app.ocpp.version import Version

if TYPE_CHECKING:
    from app.trace.exchange import Exchange

DASH = "–"
_REMEMBERED, _LONGEST_ID = 1_000, 64
Fill = Callable[[Mapping[str, Any]], dict[str, Any]]


def summarize(action: str | None, request: Any, reply: Any) -> Text:
    """The sentence of an exchange; `reply` None while it is waited for."""
    if action is None:
        return Text("trace.stray")
    fill = _FILLS.get(action)
    about: Text | None = None
    if fill is not None and isinstance(request, Mapping):
        about = Text(f"trace.{action}", fill(request))
    status = _status(reply)
    if about is None:
        return Text("trace.plain_status", {"status": status}) if status else Text("trace.plain")
    if status:
        return Text("trace.with_status", {"about": about, "status": status})
    return about


def _status(reply: Any) -> str | None:
    if not isinstance(reply, Mapping):
        return None
    info = reply.get("idTagInfo") or reply.get("idTokenInfo")
    if isinstance(info, Mapping) and isinstance(info.get("status"), str):
        return str(info["status"])
    status = reply.get("status")
    return status if isinstance(status, str) else None


def _at(payload: Any, *path: str | int) -> Any:
    """What lies at this path, a dash where it leads nowhere."""
    for step in path:
        if not _has(payload, step):
            return DASH
        payload = payload[step]
    return payload


def _has(payload: Any, step: str | int) -> bool:
    if isinstance(payload, Mapping):
        return step in payload
    fits = isinstance(payload, list) and isinstance(step, int)
    return fits and -len(payload) <= int(step) < len(payload)


def _first_of(payload: Any, *paths: tuple[str | int, ...]) -> Any:
    for path in paths:
        found = _at(payload, *path)
        if found != DASH:
            return found
    return DASH


def _sample(sample: Any) -> tuple[str, float, str] | None:
    if not isinstance(sample, Mapping):
        return None
    try:
        value = float(sample.get("value", ""))
    except (TypeError, ValueError):
        return None
    unit = sample.get("unit") or _at(sample, "unitOfMeasure", "unit")
    if sample.get("phase"):
        return None
    return str(sample.get("measurand", "Energy.Active.Import.Register")), value, str(unit)


def _values(meter_value: Any) -> str:
    """Power, energy and state of charge of the newest sample, in plain figures."""
    samples = _at(meter_value, -1, "sampledValue")
    found: dict[str, str] = {}
    for raw in samples if isinstance(samples, list) else []:
        sample = _sample(raw)
        if sample is None:
            continue
        measurand, value, unit = sample
        if measurand == "Power.Active.Import":
            found["power"] = f"{value if unit == 'kW' else value / 1000:.1f} kW"
        elif measurand == "Energy.Active.Import.Register":
            found["energy"] = f"{value if unit == 'kWh' else value / 1000:.2f} kWh"
        elif measurand == "SoC":
            found["soc"] = f"{value:.0f} %"
    return ", ".join(found[key] for key in ("power", "energy", "soc") if key in found) or DASH


def _transaction_event(payload: Mapping[str, Any]) -> dict[str, Any]:
    info = payload.get("transactionInfo")
    detail = _first_of(info, ("stoppedReason",), ("chargingState",))
    values = _values(payload.get("meterValue"))
    return {
        "type": _at(payload, "eventType"),
        "trigger": _at(payload, "triggerReason"),
        "seq": _at(payload, "seqNo"),
        "detail": ", ".join(x for x in (str(detail), values) if x != DASH) or DASH,
    }


def _names(*names: str) -> Fill:
    return lambda payload: {name: _at(payload, name) for name in names}


def _token(payload: Any) -> Any:
    return _first_of(payload, ("idTag",), ("idToken", "idToken"))


def _variable(payload: Mapping[str, Any], key: str) -> dict[str, Any]:
    data = payload.get(key)
    count = len(data) if isinstance(data, list) else 0
    component, variable = _at(data, 0, "component", "name"), _at(data, 0, "variable", "name")
    return {
        "name": f"{component}.{variable}",
        "more": f" +{count - 1}" if count > 1 else "",
        "value": _at(data, 0, "attributeValue"),
    }


def _file(payload: Any, *paths: tuple[str | int, ...]) -> dict[str, Any]:
    """File and host of the first URL found there, without what may be secret in it."""
    try:
        parts = urlsplit(str(_first_of(payload, *paths)))
        host = parts.hostname or DASH
    except ValueError:
        return {"file": DASH, "host": DASH}
    return {"file": parts.path.rstrip("/").rpartition("/")[2] or DASH, "host": host}


def _only(payload: Any, *paths: tuple[str | int, ...]) -> dict[str, Any]:
    """What the request is limited to; a star where it means all."""
    found = _first_of(payload, *paths)
    if isinstance(found, list):
        found = ", ".join(map(str, found)) or DASH
    return {"only": "*" if found == DASH else found}


def _nothing(_: Mapping[str, Any]) -> dict[str, Any]:
    return {}


def _local_list(payload: Mapping[str, Any]) -> dict[str, Any]:
    cards = payload.get("localAuthorizationList")
    return {
        "type": _at(payload, "updateType"),
        "version": _first_of(payload, ("listVersion",), ("versionNumber",)),
        "count": len(cards) if isinstance(cards, list) else 0,
    }


_FILLS: dict[str, Fill] = {
    "Authorize": lambda p: {"token": _token(p)},
    "BootNotification": lambda p: {
        "vendor": _first_of(p, ("chargePointVendor",), ("chargingStation", "vendorName")),
        "model": _first_of(p, ("chargePointModel",), ("chargingStation", "model")),
        "reason": _at(p, "reason"),
    },
    "ChangeAvailability": lambda p: {
        "kind": _first_of(p, ("type",), ("operationalStatus",)),
    },
    "ChangeConfiguration": _names("key", "value"),
    "DataTransfer": lambda p: {"vendor": _at(p, "vendorId"), "message": _at(p, "messageId")},
    "GetBaseReport": _names("reportBase"),
    "GetConfiguration": lambda p: {
        "keys": ", ".join(map(str, p["key"])) if isinstance(p.get("key"), list) else "*"
    },
    "GetVariables": lambda p: _variable(p, "getVariableData"),
    "MeterValues": lambda p: {"values": _values(p.get("meterValue"))},
    "NotifyReport": lambda p: {
        "seq": _at(p, "seqNo"),
        "count": len(p["reportData"]) if isinstance(p.get("reportData"), list) else 0,
    },
    "NotifyEvent": lambda p: {
        "name": f"{_at(p, 'eventData', 0, 'component', 'name')}."
        f"{_at(p, 'eventData', 0, 'variable', 'name')}",
        "value": _at(p, "eventData", 0, "actualValue"),
    },
    "RemoteStartTransaction": lambda p: {"token": _token(p)},
    "RemoteStopTransaction": lambda p: {"transaction": _at(p, "transactionId")},
    "RequestStartTransaction": lambda p: {"token": _token(p)},
    "RequestStopTransaction": lambda p: {"transaction": _at(p, "transactionId")},
    "ReserveNow": lambda p: {"token": _token(p)},
    "Reset": _names("type"),
    "SecurityEventNotification": _names("type"),
    "SetChargingProfile": lambda p: {
        "purpose": _first_of(
            p,
            ("csChargingProfiles", "chargingProfilePurpose"),
            ("chargingProfile", "chargingProfilePurpose"),
        ),
        "level": _first_of(
            p, ("csChargingProfiles", "stackLevel"), ("chargingProfile", "stackLevel")
        ),
    },
    "SetVariables": lambda p: _variable(p, "setVariableData"),
    "StartTransaction": lambda p: {
        "token": _token(p),
        "meter": _at(p, "meterStart"),
    },
    "StatusNotification": lambda p: {
        "status": _first_of(p, ("status",), ("connectorStatus",)),
        "error": "" if p.get("errorCode") in (None, "NoError") else f", {p['errorCode']}",
    },
    "StopTransaction": lambda p: {
        "reason": p.get("reason", "Local"),
        "meter": _at(p, "meterStop"),
    },
    "TransactionEvent": _transaction_event,
    "CancelReservation": _names("reservationId"),
    "CertificateSigned": _nothing,
    "ClearCache": _nothing,
    "ClearChargingProfile": lambda p: _only(
        p,
        ("id",),
        ("chargingProfileId",),
        ("chargingProfilePurpose",),
        ("chargingProfileCriteria", "chargingProfilePurpose"),
    ),
    "ClearDisplayMessage": _names("id"),
    "CostUpdated": _names("totalCost"),
    "CustomerInformation": _nothing,
    "DeleteCertificate": lambda p: {"serial": _at(p, "certificateHashData", "serialNumber")},
    "DiagnosticsStatusNotification": _names("status"),
    "ExtendedTriggerMessage": _names("requestedMessage"),
    "FirmwareStatusNotification": _names("status"),
    "Get15118EVCertificate": _names("action"),
    "GetCertificateStatus": lambda p: {"serial": _at(p, "ocspRequestData", "serialNumber")},
    "GetCompositeSchedule": _names("duration"),
    "GetDiagnostics": lambda p: _file(p, ("location",)),
    "GetInstalledCertificateIds": lambda p: _only(p, ("certificateType",)),
    "GetLocalListVersion": _nothing,
    "GetLog": lambda p: {"type": _at(p, "logType"), **_file(p, ("log", "remoteLocation"))},
    "GetReport": _nothing,
    "GetTransactionStatus": lambda p: _only(p, ("transactionId",)),
    "Heartbeat": _nothing,
    "InstallCertificate": _names("certificateType"),
    "LogStatusNotification": _names("status"),
    "SendLocalList": _local_list,
    "SetDisplayMessage": lambda p: {"content": _at(p, "message", "message", "content")},
    "SetNetworkProfile": lambda p: {
        "slot": _at(p, "configurationSlot"),
        **_file(p, ("connectionData", "ocppCsmsUrl")),
    },
    "SignCertificate": _nothing,
    "SignedFirmwareStatusNotification": _names("status"),
    "SignedUpdateFirmware": lambda p: _file(p, ("firmware", "location")),
    "UnlockConnector": _nothing,
    "UpdateFirmware": lambda p: _file(p, ("location",), ("firmware", "location")),
    "TriggerMessage": _names("requestedMessage"),
}


class Subjects:
    """Remembers which EVSE a transaction runs on, so that a row about it can name the EVSE."""

    def __init__(self) -> None:
        self._by_transaction: dict[str, int] = {}

    def evse_of(self, version: Version | None, action: str | None, payload: Any) -> int | None:
        """The EVSE (2.0.1) or connector (1.6) a request is about; 0 is the station, None unknown."""
        if not isinstance(payload, Mapping):
            return None
        if version is Version.V16:
            found = payload.get("connectorId")
        else:
            found = _first_of(payload, ("evse", "id"), ("evseId",))
        transaction = _first_of(payload, ("transactionId",), ("transactionInfo", "transactionId"))
        if isinstance(found, int):
            if transaction != DASH:
                self._remember(str(transaction), found)
            return found
        return self._by_transaction.get(str(transaction)) if transaction != DASH else None

    def learn(self, row: Exchange, request: Any, reply: Any) -> None:
        """A StartTransaction was answered: its transaction id is known from now on."""
        transaction = _at(reply, "transactionId")
        if row.action == "StartTransaction" and transaction != DASH and row.evse is not None:
            self._remember(str(transaction), row.evse)

    def _remember(self, transaction: str, evse: int) -> None:
        if len(transaction) > _LONGEST_ID:
            return
        self._by_transaction[transaction] = evse
        if len(self._by_transaction) > _REMEMBERED:
            self._by_transaction.pop(next(iter(self._by_transaction)))
