"""Each action of the back office with each way to break its schema (RPC-10, RPC-11).

The payloads are made from the published schemas: every field is left out, given another JSON type, a
value outside of its enumeration, more text than it may hold, a date that is none, a number too fine, or
joined by a field that does not exist. What comes back is the CALLERROR for that kind of fault, and nothing
else happens.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from app.ocpp.schema import Schemas
from app.ocpp.v16 import rows
from app.ocpp.version import Version
from tests.conformance.v16.conftest import Make

Payload = dict[str, Any]
Case = tuple[str, Any]
"""Where the payload is wrong, and the payload."""

PROFILE: Payload = {
    "chargingProfileId": 1,
    "transactionId": 5,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Recurring",
    "recurrencyKind": "Daily",
    "validFrom": "2026-01-01T00:00:00Z",
    "validTo": "2026-02-01T00:00:00Z",
    "chargingSchedule": {
        "duration": 600,
        "startSchedule": "2026-01-01T00:00:00Z",
        "chargingRateUnit": "A",
        "minChargingRate": 6.5,
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.1, "numberPhases": 3}],
    },
}

HASH: Payload = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "00",
    "issuerKeyHash": "00",
    "serialNumber": "1",
}

VALID: dict[str, Payload] = {
    "CancelReservation": {"reservationId": 1},
    "CertificateSigned": {"certificateChain": "none"},
    "ChangeAvailability": {"connectorId": 1, "type": "Inoperative"},
    "ChangeConfiguration": {"key": "ConnectionTimeOut", "value": "90"},
    "ClearCache": {},
    "ClearChargingProfile": {
        "id": 1,
        "connectorId": 1,
        "chargingProfilePurpose": "TxProfile",
        "stackLevel": 0,
    },
    "DataTransfer": {"vendorId": "Forecourt", "messageId": "Echo", "data": "x"},
    "DeleteCertificate": {"certificateHashData": HASH},
    "ExtendedTriggerMessage": {"requestedMessage": "Heartbeat", "connectorId": 1},
    "GetCompositeSchedule": {"connectorId": 1, "duration": 60, "chargingRateUnit": "A"},
    "GetConfiguration": {"key": ["HeartbeatInterval"]},
    "GetDiagnostics": {
        "location": "ftp://files.example/up",
        "retries": 1,
        "retryInterval": 5,
        "startTime": "2026-01-01T00:00:00Z",
        "stopTime": "2026-02-01T00:00:00Z",
    },
    "GetInstalledCertificateIds": {"certificateType": "ManufacturerRootCertificate"},
    "GetLocalListVersion": {},
    "GetLog": {
        "logType": "SecurityLog",
        "requestId": 1,
        "retries": 1,
        "retryInterval": 5,
        "log": {
            "remoteLocation": "ftp://files.example/up",
            "oldestTimestamp": "2026-01-01T00:00:00Z",
            "latestTimestamp": "2026-02-01T00:00:00Z",
        },
    },
    "InstallCertificate": {
        "certificateType": "ManufacturerRootCertificate",
        "certificate": "none",
    },
    "RemoteStartTransaction": {"connectorId": 1, "idTag": "A", "chargingProfile": PROFILE},
    "RemoteStopTransaction": {"transactionId": 1},
    "ReserveNow": {
        "connectorId": 1,
        "expiryDate": "2026-02-01T00:00:00Z",
        "idTag": "A",
        "parentIdTag": "P",
        "reservationId": 1,
    },
    "Reset": {"type": "Soft"},
    "SendLocalList": {
        "listVersion": 1,
        "updateType": "Full",
        "localAuthorizationList": [
            {
                "idTag": "A",
                "idTagInfo": {
                    "status": "Accepted",
                    "expiryDate": "2026-02-01T00:00:00Z",
                    "parentIdTag": "P",
                },
            }
        ],
    },
    "SetChargingProfile": {"connectorId": 1, "csChargingProfiles": PROFILE},
    "SignedUpdateFirmware": {
        "requestId": 1,
        "retries": 1,
        "retryInterval": 5,
        "firmware": {
            "location": "ftp://files.example/fw.bin",
            "retrieveDateTime": "2026-01-01T00:00:00Z",
            "installDateTime": "2026-02-01T00:00:00Z",
            "signingCertificate": "none",
            "signature": "none",
        },
    },
    "TriggerMessage": {"requestedMessage": "Heartbeat", "connectorId": 1},
    "UnlockConnector": {"connectorId": 1},
    "UpdateFirmware": {
        "location": "ftp://files.example/fw.bin",
        "retries": 1,
        "retryInterval": 5,
        "retrieveDate": "2026-01-01T00:00:00Z",
    },
}
"""For each action of a back office, a payload with every field that it has."""

CODES = {
    "missing": "OccurenceConstraintViolation",
    "type": "TypeConstraintViolation",
    "enum": "PropertyConstraintViolation",
    "length": "PropertyConstraintViolation",
    "date": "PropertyConstraintViolation",
    "precision": "PropertyConstraintViolation",
    "extra": "FormationViolation",
    "no object": "FormationViolation",
}
"""RPC-10, in the spelling of 1.6 (RPC-08)."""

TABLES = [value for name, value in vars(rows).items() if name.isupper() and "v16." in str(value)]


def walk(schema: Payload, value: Any, document: Payload, path: str = "") -> Iterator[tuple]:
    """Each object and each leaf of a payload with the schema of it: (path, schema, holder, key)."""
    while "$ref" in schema:
        found: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    yield path, schema, value
    if isinstance(value, dict):
        for name, part in schema["properties"].items():
            if name in value:
                yield from walk(part, value[name], document, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list) and value:
        yield from walk(schema["items"], value[0], document, f"{path}.0")


def changed(payload: Payload, path: str, change: Any) -> Any:
    """A copy of the payload in which `change(holder, key)` was done at that path."""
    top = {"": copy.deepcopy(payload)}
    holder: Any = top
    key: Any = ""
    for step in path.split(".") if path else []:
        holder, key = holder[key], int(step) if step.isdigit() else step
    change(holder, key)
    return top[""]


def replaced(payload: Payload, path: str, value: Any) -> Any:
    return changed(payload, path, lambda holder, key: holder.__setitem__(key, value))


def cases(action: str, fault: str) -> list[Case]:
    """All payloads of this action with one fault of this kind."""
    document, payload = Schemas.of(Version.V16).document(action, "request"), VALID[action]
    if fault == "no object":
        # null is how OCPP-J lets one write an empty payload
        return [(repr(wrong), wrong) for wrong in ([], "text", 5, True)]
    found: list[Case] = []
    for path, schema, value in walk(document, payload, document):
        if fault == "missing":
            for name in schema.get("required", ()):
                gone = changed(payload, path, lambda holder, key, name=name: holder[key].pop(name))
                found.append((f"{path}.{name}", gone))
        elif fault == "extra" and isinstance(value, dict):
            extra = changed(payload, path, lambda holder, key: holder[key].update(vendorExtra=1))
            found.append((path, extra))
        else:
            wrong = wrong_values(fault, schema, value) if path else []
            found += [(path, replaced(payload, path, each)) for each in wrong]
    return found


def wrong_values(fault: str, schema: Payload, value: Any) -> list[Any]:
    """What has this fault in the place of a value."""
    if fault == "type":
        return [5 if isinstance(value, str | dict | list) else "5", None]
    if fault == "enum" and "enum" in schema:
        return ["Nonsense", "", value.swapcase()]
    if fault == "length" and "maxLength" in schema:
        return ["x" * (schema["maxLength"] + 1)]
    if fault == "date" and schema.get("format") == "date-time":
        return ["yesterday", "2026-02-30T00:00:00Z", ""]
    if fault == "precision" and "multipleOf" in schema:
        return [16.15]
    return []


BROKEN = [(action, fault) for action in VALID for fault in CODES if cases(action, fault)]


async def test_every_action_that_is_answered_is_looked_at(bench16: Make) -> None:
    """Also each field of each schema appears in the valid payload."""
    assert set(bench16().personality.handlers()) == set(VALID)
    schemas = Schemas.of(Version.V16)
    for action, payload in VALID.items():
        document = schemas.document(action, "request")
        assert schemas.check(action, "request", payload) == ()
        for path, schema, value in walk(document, payload, document):
            if isinstance(value, dict):
                assert value.keys() == schema["properties"].keys(), (action, path)


@pytest.mark.parametrize(("action", "fault"), BROKEN)
async def test_broken_payload_gets_the_right_callerror(
    bench16: Make, action: str, fault: str
) -> None:
    bench = bench16()
    await bench.boot()
    before = {table: bench.store.rows(table) for table in TABLES}
    bench.skip()
    for path, payload in cases(action, fault):
        frame = await bench.ask(action, payload, check=False)
        assert frame[0] == 4, f"{action} with a wrong {path} was taken: {payload}"
        assert frame[2] == CODES[fault], f"{path}: {frame}"
    assert {line.mark for line in bench.lines} == {"<", "!"}
    assert {table: bench.store.rows(table) for table in TABLES} == before


@pytest.mark.parametrize("action", ["NoSuchAction", "changeAvailability", ""])
async def test_unknown_action_is_not_implemented(bench16: Make, action: str) -> None:
    """RPC-07."""
    bench = bench16()
    await bench.boot()
    frame = await bench.ask(action, {}, check=False)
    assert (frame[0], frame[2]) == (4, "NotImplemented")


@pytest.mark.parametrize(
    ("action", "payload", "status"),
    [
        ("ChangeAvailability", {"connectorId": 9, "type": "Operative"}, "Rejected"),
        ("ChangeAvailability", {"connectorId": -1, "type": "Operative"}, "Rejected"),
        ("ChangeConfiguration", {"key": "NoSuchKey", "value": "1"}, "NotSupported"),
        ("RemoteStartTransaction", {"idTag": "A", "connectorId": 9}, "Rejected"),
        ("RemoteStartTransaction", {"idTag": "A", "connectorId": -1}, "Rejected"),
        ("RemoteStopTransaction", {"transactionId": 12345}, "Rejected"),
        ("RemoteStopTransaction", {"transactionId": -1}, "Rejected"),
        ("UnlockConnector", {"connectorId": 9}, "NotSupported"),
        ("UnlockConnector", {"connectorId": 0}, "NotSupported"),
        ("UnlockConnector", {"connectorId": -1}, "NotSupported"),
        ("ReserveNow", VALID["ReserveNow"] | {"connectorId": 9}, "Rejected"),
        ("ReserveNow", VALID["ReserveNow"] | {"connectorId": -1}, "Rejected"),
        ("CancelReservation", {"reservationId": 9}, "Rejected"),
        ("ClearChargingProfile", {"connectorId": 9}, "Unknown"),
        ("GetCompositeSchedule", {"connectorId": 9, "duration": 60}, "Rejected"),
        ("GetCompositeSchedule", {"connectorId": 1, "duration": -60}, "Rejected"),
        ("DataTransfer", {"vendorId": "NoSuchVendor"}, "UnknownVendorId"),
        ("DataTransfer", {"vendorId": "Forecourt", "messageId": "None"}, "UnknownMessageId"),
        ("CertificateSigned", VALID["CertificateSigned"], "Rejected"),
        ("DeleteCertificate", VALID["DeleteCertificate"], "NotFound"),
        ("GetInstalledCertificateIds", VALID["GetInstalledCertificateIds"], "NotFound"),
        ("InstallCertificate", VALID["InstallCertificate"], "Rejected"),
        ("SignedUpdateFirmware", VALID["SignedUpdateFirmware"], "InvalidCertificate"),
        (
            "TriggerMessage",
            {"requestedMessage": "StatusNotification", "connectorId": -1},
            "Rejected",
        ),
        ("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 9}, "Rejected"),
        (
            "ExtendedTriggerMessage",
            {"requestedMessage": "MeterValues", "connectorId": 9},
            "Rejected",
        ),
    ],
)
async def test_what_is_not_there_gets_the_right_status(
    bench16: Make, action: str, payload: Payload, status: str
) -> None:
    """16-TX-11 and the rules of each action: connectors, transactions, keys, vendors, certificates."""
    bench = bench16()
    await bench.boot()
    answer = await bench.request(action, payload)
    assert answer["status"] == status


@pytest.mark.parametrize(
    ("status", "answer"), [("Pending", "Rejected"), ("Rejected", None), ("Accepted", "Accepted")]
)
async def test_wrong_order_remote_start_before_accepted(
    bench16: Make, status: str, answer: str | None
) -> None:
    """16-BOOT-06, 16-BOOT-08."""
    bench = bench16(judge=False)
    bench.csms.boot_status = status
    await bench.online()
    future = bench.start_request("RemoteStartTransaction", {"idTag": "A", "connectorId": 1})
    await bench.rest()
    assert (future.result()[2]["status"] if future.done() else None) == answer
