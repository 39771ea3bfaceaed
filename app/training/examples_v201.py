"""Example payloads of the 40 actions a CSMS sends in OCPP 2.0.1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.training.office import wire_time
from app.training.placeholders import (
    CERTIFICATE,
)
from app.training.tokens import Token, TokenStatus

if TYPE_CHECKING:
    from app.training.composer import ExampleContext

FIRMWARE_ROOT = "ManufacturerRootCertificate"
CHECKSUM = "d41d8cd98f00b204e9800998ecf8427e"
HEARTBEAT = {
    "component": {"name": "OCPPCommCtrlr"},
    "variable": {"name": "HeartbeatInterval"},
}


def _transaction_id(c: ExampleContext) -> str:
    return c.transaction.id if c.transaction else "replace-by-the-transaction-id"


def _id_token(token: Token) -> dict[str, Any]:
    return {"idToken": token.id, "type": token.type}


def _profile(c: ExampleContext, purpose: str) -> dict[str, Any]:
    """A limit of 16 A from now on."""
    schedule: dict[str, Any] = {
        "id": c.number,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}],
    }
    if purpose != "TxProfile":
        schedule["startSchedule"] = wire_time(c.now.replace(microsecond=0))
    return {
        "id": c.number,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative" if purpose == "TxProfile" else "Absolute",
        "chargingSchedule": [schedule],
    }


def _set_charging_profile(c: ExampleContext) -> dict[str, Any]:
    if c.transaction is None or not c.transaction.active:
        profile = _profile(c, "TxDefaultProfile")
    else:
        profile = {**_profile(c, "TxProfile"), "transactionId": c.transaction.id}
    return {"evseId": c.place, "chargingProfile": profile}


def _list_entry(token: Token, now: datetime) -> dict[str, Any]:
    is_expired = token.expiry is not None and token.expiry <= now
    status = TokenStatus.EXPIRED if is_expired else token.status
    info: dict[str, Any] = {"status": status.value}
    if token.group:
        info["groupIdToken"] = {"idToken": token.group, "type": "Central"}
    if token.expiry is not None:
        info["cacheExpiryDateTime"] = wire_time(token.expiry)
    return {"idToken": _id_token(token), "idTokenInfo": info}


def _send_local_list(c: ExampleContext) -> dict[str, Any]:
    payload: dict[str, Any] = {"versionNumber": c.number, "updateType": "Full"}
    # An empty list may not be sent: without the field a full update clears the list.
    if c.tokens:
        payload["localAuthorizationList"] = [_list_entry(token, c.now) for token in c.tokens]
    return payload


def _change_availability(c: ExampleContext) -> dict[str, Any]:
    closed = c.status_of(c.evse) == "Unavailable"
    return {
        "operationalStatus": "Operative" if closed else "Inoperative",
        "evse": {"id": c.evse},
    }


def _certificate_signed(c: ExampleContext) -> dict[str, Any]:
    """The chain that the station took last: another one only its own request can bring about."""
    return {
        "certificateChain": c.last("CertificateSigned", "certificateChain") or CERTIFICATE,
        "certificateType": c.last("CertificateSigned", "certificateType")
        or "ChargingStationCertificate",
    }


def _network_profile(c: ExampleContext) -> dict[str, Any]:
    return {
        "configurationSlot": 1,
        "connectionData": {
            "ocppVersion": "OCPP20",
            "ocppTransport": "JSON",
            "ocppCsmsUrl": c.csms_url,
            "messageTimeout": 30,
            "securityProfile": 2 if c.csms_url.startswith("wss") else 1,
            "ocppInterface": "Wired0",
        },
    }


def _monitor(c: ExampleContext) -> dict[str, Any]:
    return {
        "setMonitoringData": [
            {
                "value": 20000,
                "type": "UpperThreshold",
                "severity": 5,
                "component": {"name": "EVSE", "evse": {"id": c.evse}},
                "variable": {"name": "Power"},
            }
        ]
    }


def _update_firmware(c: ExampleContext) -> dict[str, Any]:
    """Signed once the station has the root for it: it would turn it down before."""
    firmware = {
        "location": c.firmware_url,
        "retrieveDateTime": wire_time(c.after(seconds=10)),
    }
    if c.last("InstallCertificate", "certificateType") == FIRMWARE_ROOT:
        firmware["signingCertificate"] = c.signed.certificate
        firmware["signature"] = c.signed.signature
    return {"requestId": c.number, "firmware": firmware}


def _display_message(c: ExampleContext) -> dict[str, Any]:
    return {
        "message": {
            "id": c.number,
            "priority": "NormalCycle",
            "message": {"format": "UTF8", "language": "en", "content": "Happy charging!"},
        }
    }


_PROVISIONING: Mapping[str, Callable[[ExampleContext], dict[str, Any]]] = {
    "GetBaseReport": lambda c: {"requestId": c.number, "reportBase": "FullInventory"},
    "GetReport": lambda c: {"requestId": c.number, "componentCriteria": ["Problem"]},
    "GetVariables": lambda c: {"getVariableData": [dict(HEARTBEAT)]},
    "SetVariables": lambda c: {"setVariableData": [{"attributeValue": "60", **HEARTBEAT}]},
    "SetNetworkProfile": _network_profile,
    "Reset": lambda c: {"type": "OnIdle"},
    "TriggerMessage": lambda c: {
        "requestedMessage": "StatusNotification",
        "evse": {"id": c.evse, "connectorId": c.connector},
    },
    "ChangeAvailability": _change_availability,
    "UnlockConnector": lambda c: {"evseId": c.locked, "connectorId": c.connector},
    "DataTransfer": lambda c: {
        "vendorId": c.vendor,
        "messageId": "Show",
        "data": "Good day.",
    },
}

_CHARGING: Mapping[str, Callable[[ExampleContext], dict[str, Any]]] = {
    "ClearCache": lambda c: {},
    "GetLocalListVersion": lambda c: {},
    "SendLocalList": _send_local_list,
    "RequestStartTransaction": lambda c: {
        "idToken": _id_token(c.token),
        "remoteStartId": c.number,
        "evseId": c.start,
    },
    "RequestStopTransaction": lambda c: {"transactionId": _transaction_id(c)},
    "GetTransactionStatus": lambda c: {"transactionId": c.transaction.id} if c.transaction else {},
    "CostUpdated": lambda c: {
        "totalCost": (c.transaction.cost if c.transaction else None) or 1.25,
        "transactionId": _transaction_id(c),
    },
    "ReserveNow": lambda c: {
        "id": c.number,
        "expiryDateTime": wire_time(c.after(minutes=30)),
        "idToken": _id_token(c.token),
        "evseId": c.free,
    },
    "CancelReservation": lambda c: {"reservationId": c.last("ReserveNow", "id") or 1},
    "SetChargingProfile": _set_charging_profile,
    "ClearChargingProfile": lambda c: {
        "chargingProfileCriteria": {"chargingProfilePurpose": "TxDefaultProfile"}
    },
    "GetChargingProfiles": lambda c: {
        "requestId": c.number,
        "evseId": c.place,
        "chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"},
    },
    "GetCompositeSchedule": lambda c: {
        "duration": 3600,
        "evseId": c.place,
        "chargingRateUnit": "A",
    },
}

_OPERATION: Mapping[str, Callable[[ExampleContext], dict[str, Any]]] = {
    "UpdateFirmware": _update_firmware,
    "PublishFirmware": lambda c: {
        "location": c.firmware_url,
        "checksum": CHECKSUM,
        "requestId": c.number,
    },
    "UnpublishFirmware": lambda c: {"checksum": CHECKSUM},
    "GetLog": lambda c: {
        "log": {"remoteLocation": c.upload_url},
        "logType": "DiagnosticsLog",
        "requestId": c.number,
    },
    "SetMonitoringBase": lambda c: {"monitoringBase": "All"},
    "SetMonitoringLevel": lambda c: {"severity": 5},
    "SetVariableMonitoring": _monitor,
    "ClearVariableMonitoring": lambda c: {"id": [1]},
    "GetMonitoringReport": lambda c: {
        "requestId": c.number,
        "monitoringCriteria": ["ThresholdMonitoring"],
    },
    "CustomerInformation": lambda c: {
        "requestId": c.number,
        "report": True,
        "clear": False,
        "idToken": _id_token(c.token),
    },
    "SetDisplayMessage": _display_message,
    "GetDisplayMessages": lambda c: {"requestId": c.number},
    "ClearDisplayMessage": lambda c: {"id": 1},
    "CertificateSigned": _certificate_signed,
    # the root that a signed UpdateFirmware needs
    "InstallCertificate": lambda c: {
        "certificateType": FIRMWARE_ROOT,
        "certificate": c.signed.root,
    },
    "DeleteCertificate": lambda c: {"certificateHashData": c.root_hash},
    "GetInstalledCertificateIds": lambda c: {"certificateType": [FIRMWARE_ROOT]},
}

EXAMPLES: Mapping[str, Callable[[ExampleContext], dict[str, Any]]] = {
    **_PROVISIONING,
    **_CHARGING,
    **_OPERATION,
}
