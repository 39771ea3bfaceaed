"""Secrets never reach the journal in clear (RPC-16, decision 9)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.ocpp.context import HandlerError, Payload, Reply
from app.ocpp.events import FramePassed, Violation
from app.ocpp.redaction import conceal, may_hold_secret, redact, redact_violations
from app.ocpp.version import Version
from tests.support.harness import Bench
from tests.support.tiny import tiny, tiny_options

V16, V201 = Version.V16, Version.V201
SECRET = "correct-horse-battery-staple"


def variable(component: str, name: str, **more: Any) -> dict[str, Any]:
    return {"component": {"name": component}, "variable": {"name": name}, **more}


PROFILE = {
    "configurationSlot": 1,
    "connectionData": {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "wss://x",
        "messageTimeout": 30,
        "securityProfile": 2,
        "ocppInterface": "Wired0",
        "apn": {
            "apn": "a",
            "apnUserName": "u",
            "apnPassword": SECRET,
            "simPin": 98765,
            "apnAuthentication": "PAP",
        },
        "vpn": {"server": "s", "user": "u", "password": SECRET, "key": SECRET, "type": "IKEv2"},
    },
}


@pytest.mark.parametrize(
    ("version", "action", "payload"),
    [
        (V16, "ChangeConfiguration", {"key": "AuthorizationKey", "value": SECRET}),
        (V16, "ChangeConfiguration", {"key": "authorizationkey", "value": SECRET}),
        (V16, "ChangeConfiguration", {"key": "WifiPassword", "value": SECRET}),
        (
            V16,
            "GetConfiguration",
            {"configurationKey": [{"key": "AuthorizationKey", "readonly": False, "value": SECRET}]},
        ),
        (V16, "GetDiagnostics", {"location": f"ftp://user:{SECRET}@host/path"}),
        (V16, "GetLog", {"log": {"remoteLocation": f"https://h/x?a=b&X-Amz-Signature={SECRET}"}}),
        (V16, "SignedUpdateFirmware", {"firmware": {"location": f"https://h/x?token={SECRET}"}}),
        (
            V16,
            "UpdateFirmware",
            {"location": f"http://u:{SECRET}@h/f", "retrieveDate": "2026-01-15T08:00:00Z"},
        ),
        (
            V201,
            "SetVariables",
            {
                "setVariableData": [
                    variable("SecurityCtrlr", "BasicAuthPassword", attributeValue=SECRET)
                ]
            },
        ),
        (
            V201,
            "GetVariables",
            {
                "getVariableResult": [
                    variable(
                        "SecurityCtrlr",
                        "BasicAuthPassword",
                        attributeStatus="Accepted",
                        attributeValue=SECRET,
                    )
                ]
            },
        ),
        (
            V201,
            "NotifyReport",
            {
                "reportData": [
                    variable(
                        "SecurityCtrlr", "BasicAuthPassword", variableAttribute=[{"value": SECRET}]
                    )
                ]
            },
        ),
        (
            V201,
            "NotifyEvent",
            {"eventData": [variable("X", "VpnPassword", actualValue=SECRET)]},
        ),
        (V201, "SetNetworkProfile", PROFILE),
        (V201, "GetLog", {"log": {"remoteLocation": f"sftp://u:{SECRET}@h"}}),
        (V201, "DataTransfer", {"vendorId": "v", "data": {"password": SECRET}}),
        (None, None, {"key": "AuthorizationKey", "value": SECRET}),
    ],
)
def test_RPC_16_secrets_are_taken_out_wherever_they_stand(
    version: Version | None, action: str | None, payload: Any
) -> None:
    text = json.dumps([2, "id", action, payload])
    clean = redact(version, action, text)
    assert SECRET not in clean
    assert "98765" not in clean
    assert conceal(SECRET) in clean
    assert json.loads(clean)[:3] == [2, "id", action]


def test_a_secret_keeps_length_and_a_hash_of_this_run() -> None:
    assert conceal(SECRET).startswith(f"•••{len(SECRET)}:")
    assert conceal(SECRET) == conceal(SECRET)
    assert conceal(SECRET) != conceal(SECRET[:-1] + "x")


@pytest.mark.parametrize(
    ("version", "action", "payload"),
    [
        (V16, "ChangeConfiguration", {"key": "HeartbeatInterval", "value": "300"}),
        (V16, "GetDiagnostics", {"location": "ftp://host/path"}),
        (V201, "GetVariables", {"getVariableData": [variable("SecurityCtrlr", "Identity")]}),
        (V201, "DataTransfer", {"vendorId": "v", "data": [1, None, "x"]}),
        (None, None, {"currentTime": "x"}),
    ],
)
def test_what_holds_no_secret_stays_byte_by_byte(version: Any, action: Any, payload: Any) -> None:
    text = json.dumps([2, "id", action, payload], indent=1)
    assert redact(version, action, text) is text


def test_most_messages_are_not_even_looked_at() -> None:
    assert not may_hold_secret(V16, "MeterValues")
    assert not may_hold_secret(V201, "TransactionEvent")
    assert may_hold_secret(V201, None)
    text = json.dumps([2, "id", "MeterValues", {"password": SECRET}])
    assert redact(V16, "MeterValues", text) is text


def test_a_secret_in_text_that_is_no_json_is_hidden_too() -> None:
    text = f'[2,"id","ChangeConfiguration",{{"key":"AuthorizationKey","value":"{SECRET}"}}'
    clean = redact(V16, "ChangeConfiguration", text)
    assert SECRET not in clean
    assert '"key":"•••' in clean
    assert redact(V16, None, "hello") == "hello"
    assert SECRET not in redact(V16, None, f"go to https://me:{SECRET}@host/")


def test_values_of_violations_are_left_out_where_they_may_be_secret() -> None:
    found = (Violation("value", "maxLength", "has 501 characters, at most 500", SECRET),)
    clean = redact_violations(V16, "ChangeConfiguration", found)
    assert clean == (Violation("value", "maxLength", "has 501 characters, at most 500"),)
    assert redact_violations(V16, "Authorize", found) is found


@pytest.mark.parametrize("broken", [False, True])
async def test_RPC_16_no_event_of_the_conversation_holds_the_password(
    make_bench: Callable[..., Bench], broken: bool
) -> None:
    bench = make_bench(V16, **tiny_options())
    await bench.online()

    def set_key(payload: Payload) -> Reply:
        if broken:
            raise HandlerError("InternalError")
        return Reply({"status": "Accepted"})

    bench.dialogue.serve({"ChangeConfiguration": set_key}, tiny(bench).admit)
    payload = {"key": "AuthorizationKey", "value": SECRET * (100 if broken else 1)}
    await bench.ask("ChangeConfiguration", payload, check=False)
    assert len(bench.happened(FramePassed)) == 2
    assert SECRET not in repr(bench.events)


def test_a_password_with_an_at_sign_in_an_address_is_hidden_as_a_whole() -> None:
    frame = json.dumps([2, "id", "GetDiagnostics", {"location": f"ftp://me:a@{SECRET}@host/p"}])
    clean = redact(V16, "GetDiagnostics", frame)
    assert SECRET not in clean
    assert clean.endswith('@host/p"}]')
    assert "user@example" in redact(None, None, 'see "http://a:80", user@example')
