"""Example payloads of the 19 + 7 actions a central system sends in OCPP 1.6."""

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

ID_TAG_LENGTH = 20


def _transaction_id(c: ExampleContext) -> int:
    running = c.transaction
    return int(running.id) if running and running.id.lstrip("-").isdigit() else 1


def _profile(c: ExampleContext, purpose: str) -> dict[str, Any]:
    """A limit of 16 A from now on."""
    profile: dict[str, Any] = {
        "chargingProfileId": c.number,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative" if purpose == "TxProfile" else "Absolute",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}],
        },
    }
    if purpose != "TxProfile":
        profile["chargingSchedule"]["startSchedule"] = wire_time(c.now.replace(microsecond=0))
    return profile


def _set_charging_profile(c: ExampleContext) -> dict[str, Any]:
    if c.transaction is None or not c.transaction.active:
        profile = _profile(c, "TxDefaultProfile")
    else:
        profile = {"transactionId": _transaction_id(c), **_profile(c, "TxProfile")}
    return {"connectorId": c.place, "csChargingProfiles": profile}


def _list_entry(token: Token, now: datetime) -> dict[str, Any]:
    is_expired = token.expiry is not None and token.expiry <= now
    status = TokenStatus.EXPIRED if is_expired else token.status
    info: dict[str, Any] = {"status": status.value}
    if token.group:
        info["parentIdTag"] = token.group
    if token.expiry is not None:
        info["expiryDate"] = wire_time(token.expiry)
    return {"idTag": token.id, "idTagInfo": info}


def _change_availability(c: ExampleContext) -> dict[str, Any]:
    closed = c.status_of(c.evse) == "Unavailable"
    return {"connectorId": c.evse, "type": "Operative" if closed else "Inoperative"}


def _clear_charging_profile(c: ExampleContext) -> dict[str, Any]:
    """The profile that was set last, else all of a purpose."""
    last = c.last("SetChargingProfile", "csChargingProfiles", "chargingProfileId")
    return {"chargingProfilePurpose": "TxDefaultProfile"} if last is None else {"id": last}


def _cancel_reservation(c: ExampleContext) -> dict[str, Any]:
    return {"reservationId": c.last("ReserveNow", "reservationId") or 1}


def _certificate_signed(c: ExampleContext) -> dict[str, Any]:
    """The chain that the station took last: another one only its own request can bring about."""
    return {"certificateChain": c.last("CertificateSigned", "certificateChain") or CERTIFICATE}


def _send_local_list(c: ExampleContext) -> dict[str, Any]:
    cards = [token for token in c.tokens if len(token.id) <= ID_TAG_LENGTH]
    return {
        "listVersion": c.number,
        "updateType": "Full",
        "localAuthorizationList": [_list_entry(token, c.now) for token in cards],
    }


def _signed_update(c: ExampleContext) -> dict[str, Any]:
    return {
        "requestId": c.number,
        "firmware": {
            "location": c.firmware_url,
            "retrieveDateTime": wire_time(c.after(seconds=10)),
            "signingCertificate": c.signed.certificate,
            "signature": c.signed.signature,
        },
    }


EXAMPLES: Mapping[str, Callable[[ExampleContext], dict[str, Any]]] = {
    "CancelReservation": _cancel_reservation,
    "ChangeAvailability": _change_availability,
    "ChangeConfiguration": lambda c: {"key": "MeterValueSampleInterval", "value": "30"},
    "ClearCache": lambda c: {},
    "ClearChargingProfile": _clear_charging_profile,
    "DataTransfer": lambda c: {
        "vendorId": c.vendor,
        "messageId": "Show",
        "data": "Good day.",
    },
    "GetCompositeSchedule": lambda c: {
        "connectorId": c.place,
        "duration": 3600,
        "chargingRateUnit": "A",
    },
    "GetConfiguration": lambda c: {"key": ["HeartbeatInterval", "MeterValueSampleInterval"]},
    "GetDiagnostics": lambda c: {"location": c.upload_url},
    "GetLocalListVersion": lambda c: {},
    "RemoteStartTransaction": lambda c: {"idTag": c.token.id, "connectorId": c.start},
    "RemoteStopTransaction": lambda c: {"transactionId": _transaction_id(c)},
    "ReserveNow": lambda c: {
        "connectorId": c.free,
        "expiryDate": wire_time(c.after(minutes=30)),
        "idTag": c.token.id,
        "reservationId": c.number,
    },
    "Reset": lambda c: {"type": "Soft"},
    "SendLocalList": _send_local_list,
    "SetChargingProfile": _set_charging_profile,
    "TriggerMessage": lambda c: {"requestedMessage": "StatusNotification", "connectorId": c.evse},
    "UnlockConnector": lambda c: {"connectorId": c.locked},
    "UpdateFirmware": lambda c: {
        "location": c.firmware_url,
        "retrieveDate": wire_time(c.after(seconds=10)),
    },
    # the security extension
    "CertificateSigned": _certificate_signed,
    "DeleteCertificate": lambda c: {"certificateHashData": c.root_hash},
    "ExtendedTriggerMessage": lambda c: {"requestedMessage": "SignChargePointCertificate"},
    "GetInstalledCertificateIds": lambda c: {"certificateType": "ManufacturerRootCertificate"},
    "GetLog": lambda c: {
        "log": {"remoteLocation": c.upload_url},
        "logType": "SecurityLog",
        "requestId": c.number,
    },
    # the root that SignedUpdateFirmware needs
    "InstallCertificate": lambda c: {
        "certificateType": "ManufacturerRootCertificate",
        "certificate": c.signed.root,
    },
    "SignedUpdateFirmware": _signed_update,
}
