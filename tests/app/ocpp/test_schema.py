"""Validation (RPC-10, RPC-11): the quick verdict, the slow explanation, and that both agree."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from app.ocpp.events import Violation
from app.ocpp.rpc import ErrorCode, code_of
from app.ocpp.schema import Schemas
from app.ocpp.usable import usable_part
from app.ocpp.version import Version
from tests.support.schema_frames import GOOD_DATES, Maker
from tests.support.slow_explainer import SlowJudge

S16, S201 = Schemas.of(Version.V16), Schemas.of(Version.V201)
KINDS = ("request", "response")
FRAMES_EACH = 100


def profile(limit: float, **more: Any) -> dict[str, Any]:
    return {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
                **more,
            },
        },
    }


def test_all_actions_of_both_versions_are_known() -> None:
    assert len(S16.actions) == 39  # 28, and 11 of the security extension
    assert len(S201.actions) == 64
    assert {"SignedUpdateFirmware", "ExtendedTriggerMessage"} <= S16.actions


def test_a_version_is_compiled_once() -> None:
    assert Schemas.of(Version.V16) is S16


def test_an_unknown_action_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        S16.check("TransactionEvent", "request", {})


@pytest.mark.parametrize("version", list(Version))
def test_RPC_11_verdict_and_explanation_agree_over_every_schema(version: Version) -> None:
    """100 frames for each of the 206 schemas, half of them with something wrong: 20,600 in all."""
    schemas = Schemas.of(version)
    slow = SlowJudge(schemas)
    tally: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    for action in sorted(schemas.actions):
        for kind in KINDS:
            maker = Maker(schemas.document(action, kind), Random(f"{version} {action} {kind}"))
            for number in range(FRAMES_EACH):
                valid = number % 2 == 0
                payload = maker.valid() if valid else maker.mutated()
                own = number % 4 > 1
                verdict = schemas.verdict(action, kind, payload, own=own)
                found = schemas.explain(action, kind, payload, own=own)
                assert verdict == (not found), (action, kind, own, payload, found)
                expected = slow.explain(action, kind, payload, own=own)
                assert bool(expected) == bool(found), (action, kind, own, payload, expected)
                assert {(v.path, v.rule, v.message) for v in expected[:50]} == {
                    (v.path, v.rule, v.message) for v in found
                }, (action, kind, own, payload)
                if valid and not own:
                    assert verdict, (action, kind, payload, found)
                tally["good" if verdict else "bad"] += 1
                rules.update(violation.rule for violation in found)
    assert sum(tally.values()) == len(schemas.actions) * 2 * FRAMES_EACH
    assert min(tally.values()) > sum(tally.values()) / 5, tally
    common = {"type", "required", "additionalProperties", "enum", "maxLength", "format"}
    assert common <= set(rules)


def test_RPC_11_each_limit_with_one_decimal_is_accepted() -> None:
    """multipleOf 0.1 on binary floats: plain jsonschema refuses a third of these."""
    for tenths in range(1, 1000):
        assert S16.check("SetChargingProfile", "request", profile(tenths / 10)) == ()
        assert S16.explain("SetChargingProfile", "request", profile(tenths / 10)) == ()


@pytest.mark.parametrize("limit", [16.15, 0.1 + 0.2, 1e-9, 32.000001])
def test_RPC_11_a_second_decimal_is_refused_with_place_rule_and_value(limit: float) -> None:
    (violation,) = S16.check("SetChargingProfile", "request", profile(limit))
    place = "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit"
    assert (violation.path, violation.rule) == (place, "multipleOf")
    assert float(violation.value) == limit
    assert violation.message == "is no multiple of 0.1"


@pytest.mark.parametrize("date", [*GOOD_DATES, "2026-01-15T08:00:00", "2026-01-15T08:00:00.5"])
def test_RPC_18_any_legal_time_stamp_is_accepted(date: str) -> None:
    assert S16.check("Heartbeat", "response", {"currentTime": date}) == ()
    assert S201.check("Heartbeat", "response", {"currentTime": date}) == ()


@pytest.mark.parametrize("date", ["2026-02-30T00:00:00Z", "yesterday", "2026-01-15", ""])
def test_RPC_18_what_is_no_time_stamp_is_refused(date: str) -> None:
    for schemas in (S16, S201):
        (violation,) = schemas.check("Heartbeat", "response", {"currentTime": date})
        assert (violation.path, violation.rule) == ("currentTime", "format")
        assert violation.message == "is no date-time"


def test_RPC_18_our_own_time_stamps_must_be_complete() -> None:
    def status(date: str) -> dict[str, Any]:
        return {"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": date}

    action = ("StatusNotification", "request")
    assert S16.check(*action, status("2026-01-15T08:00:00Z"), own=True) == ()
    assert S16.check(*action, status("2026-01-15T08:00:00"), own=True) != ()
    assert S16.check(*action, status("2026-01-15T08:00:00")) == ()


def test_a_unit_that_only_the_package_knows_is_not_sent_by_us() -> None:
    value = {"value": "50", "measurand": "Frequency", "unit": "Hertz"}
    payload = {
        "connectorId": 1,
        "meterValue": [{"timestamp": "2026-01-15T08:00:00Z", "sampledValue": [value]}],
    }
    assert S16.check("MeterValues", "request", payload) == ()
    (violation,) = S16.check("MeterValues", "request", payload, own=True)
    assert violation.path == "meterValue[0].sampledValue[0].unit"
    del value["unit"]
    assert S16.check("MeterValues", "request", payload, own=True) == ()


@pytest.mark.parametrize(
    ("payload", "path", "rule", "message"),
    [
        ({"type": 5}, "type", "type", "is number, not string"),
        ({}, "type", "required", "is missing"),
        ({"type": "Warm"}, "type", "enum", "is none of Hard, Soft"),
        ({"type": "Soft", "why": 1}, "why", "additionalProperties", "unknown field"),
        ([], "", "type", "is array, not object"),
        (None, "", "type", "is null, not object"),
        ("Soft", "", "type", "is string, not object"),
    ],
)
def test_an_explanation_says_where_and_why(
    payload: Any, path: str, rule: str, message: str
) -> None:
    (violation,) = S16.check("Reset", "request", payload)
    assert (violation.path, violation.rule, violation.message) == (path, rule, message)


def test_an_explanation_names_each_missing_and_each_unknown_field() -> None:
    found = S16.check("StatusNotification", "request", {"a": 1, "b": 2, "connectorId": 1})
    assert [(item.path, item.rule) for item in found] == [
        ("a", "additionalProperties"),
        ("b", "additionalProperties"),
        ("errorCode", "required"),
        ("status", "required"),
    ]


def test_an_explanation_counts_and_measures() -> None:
    long = {"idTag": "x" * 21}
    (violation,) = S16.check("Authorize", "request", long)
    assert violation.message == "has 21 characters, at most 20"
    assert violation.value == '"' + "x" * 21 + '"'
    (violation,) = S201.check("SetVariables", "request", {"setVariableData": []})
    assert violation.message == "has 0 items, at least 1"


def test_a_long_value_is_shortened() -> None:
    (violation,) = S16.check("Authorize", "request", {"idTag": "x" * 1000})
    assert len(violation.value) == 80
    assert violation.value.endswith("…")


@pytest.mark.parametrize("value", [object(), b"bytes"])
def test_what_is_no_json_is_a_violation_and_no_exception(value: Any) -> None:
    (violation,) = S16.check("Authorize", "request", {"idTag": value})
    assert violation.rule == "json"


@pytest.mark.parametrize("decimals", [0, 1, 2, 3, 9])
def test_RPC_11_both_judges_agree_on_multiples(decimals: int) -> None:
    random = Random(decimals)
    for size in [1, 100, 10**4, 10**9, 10**15, 10**300] * 20:
        limit = round(random.uniform(-size, size), decimals)
        payload = profile(limit, minChargingRate=round(random.uniform(0, size), 1))
        verdict = S16.verdict("SetChargingProfile", "request", payload)
        found = S16.explain("SetChargingProfile", "request", payload)
        assert verdict == (not found), payload


@pytest.mark.parametrize(
    ("violations", "code"),
    [
        ([("a", "type")], ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ([("a", "required")], ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION),
        ([("a", "minItems")], ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION),
        ([("a", "maxItems")], ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION),
        ([("a", "enum")], ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ([("a", "maxLength")], ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ([("a", "minimum")], ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ([("a", "format")], ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ([("a", "multipleOf")], ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ([("a", "additionalProperties")], ErrorCode.FORMAT_VIOLATION),
        ([("", "type")], ErrorCode.FORMAT_VIOLATION),
        ([("b", "enum"), ("a", "type")], ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ([("b", "enum"), ("a", "required")], ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION),
        ([("b", "type"), ("a", "additionalProperties")], ErrorCode.FORMAT_VIOLATION),
    ],
)
def test_RPC_10_schema_faults_map_to_error_codes(
    violations: list[tuple[str, str]], code: ErrorCode
) -> None:
    assert code_of([Violation(path, rule, "") for path, rule in violations])[0] is code


@pytest.mark.parametrize(
    ("payload", "usable"),
    [
        (
            {"currentTime": "2026-01-15T08:00:00Z", "vendor": 1},
            {"currentTime": "2026-01-15T08:00:00Z"},
        ),
        ({"currentTime": "yesterday"}, None),
        ({}, None),
        ([], None),
    ],
)
def test_the_usable_part_of_an_answer_is_valid_or_nothing(payload: Any, usable: Any) -> None:
    assert usable_part(S16, "Heartbeat", payload) == usable


def test_the_usable_part_loses_broken_optional_fields_wherever_they_are() -> None:
    info = {"status": "Accepted", "expiryDate": "never", "parentIdTag": "P", "x": 1}
    answer = {"idTagInfo": info}
    wanted = {"idTagInfo": {"status": "Accepted", "parentIdTag": "P"}}
    assert usable_part(S16, "Authorize", answer) == wanted
    answer = {"idTokenInfo": {"status": "Accepted", "evseId": ["1"], "language1": "en"}}
    wanted = {"idTokenInfo": {"status": "Accepted", "language1": "en"}}
    assert usable_part(S201, "Authorize", answer) == wanted
    assert usable_part(S201, "NoSuchAction", {}) is None
