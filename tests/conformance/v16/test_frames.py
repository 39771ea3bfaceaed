"""The rules of the frames and of the link, seen at a whole station of 1.6.

The parts that hold them have tests of their own (tests/app/ocpp); here they meet everything else.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.ocpp.context import CallRefused
from app.station.intents import PlugIn, PresentCard
from app.training.certificates import make_authority
from tests.conformance.v16.conftest import Make
from tests.support.harness import Bench

CODES = {
    "NotImplemented",
    "NotSupported",
    "InternalError",
    "ProtocolError",
    "SecurityError",
    "FormationViolation",
    "PropertyConstraintViolation",
    "OccurenceConstraintViolation",
    "TypeConstraintViolation",
    "GenericError",
}
"""RPC-08, letter for letter as OCPP-J 1.6 has them."""

PROFILE: dict[str, Any] = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": {
        "chargingRateUnit": "A",
        "minChargingRate": 6.0,
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 5.0}],
    },
}


async def booted(bench16: Make, **options: Any) -> Bench:
    bench: Bench = bench16(**options)
    await bench.boot()
    bench.skip()
    return bench


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("NoSuchAction", {}, "NotImplemented"),
        ("Heartbeat", {}, "NotSupported"),
        ("Reset", [], "FormationViolation"),
        ("Reset", {"type": "Soft", "x": 1}, "FormationViolation"),
        ("Reset", {}, "OccurenceConstraintViolation"),
        ("Reset", {"type": 1}, "TypeConstraintViolation"),
        ("Reset", {"type": "Soft" * 200}, "PropertyConstraintViolation"),
        (
            "SetChargingProfile",
            {"connectorId": 9, "csChargingProfiles": PROFILE},
            "PropertyConstraintViolation",
        ),
    ],
)
async def test_RPC_02_RPC_08_an_error_has_five_parts_in_the_words_of_1_6(
    bench16: Make, action: str, payload: Any, code: str
) -> None:
    bench = await booted(bench16)
    frame = await bench.ask(action, payload, check=False)
    kind, ident, found, description, details = frame
    assert (kind, found) == (4, code)
    assert found in CODES
    assert ident.startswith("ask-")
    assert isinstance(details, dict)
    assert len(description) <= 255


async def test_RPC_03_one_own_call_is_open_while_those_of_the_other_side_are_answered(
    bench16: Make,
) -> None:
    bench = await booted(bench16)
    hold = bench.csms.hold("Heartbeat")
    asked = [bench.start_request("TriggerMessage", {"requestedMessage": "Heartbeat"})]
    await hold.arrived()
    asked.append(bench.start_request("TriggerMessage", {"requestedMessage": "StatusNotification"}))
    asked.append(bench.start_request("GetLocalListVersion", {}))
    await asyncio.gather(*asked)
    assert [line.action for line in bench.lines if line.mark == ">"] == ["Heartbeat"]
    hold.answer({"currentTime": "2026-01-15T08:00:00Z"})
    await bench.rest()
    own = [line.action for line in bench.lines if line.mark == ">"]
    assert own == ["Heartbeat", *["StatusNotification"] * 3]


async def test_RPC_18_dates_of_any_zone_are_understood_and_ours_are_utc(bench16: Make) -> None:
    bench = await booted(bench16)
    reservation = {"connectorId": 1, "idTag": "A", "reservationId": 1}
    for date in ("2026-01-15T13:31:00.123456+05:30", "2026-01-15t03:01:00-05:00"):
        answer = await bench.request("ReserveNow", {**reservation, "expiryDate": date})
        assert answer == {"status": "Accepted"}
        await bench.advance(50)  # both end at 08:01
    told = [one for one in bench.sent("StatusNotification") if one["connectorId"] == 1]
    assert [one["status"] for one in told] == ["Available", "Reserved", "Available"]
    assert told[-1]["timestamp"] == "2026-01-15T08:01:00Z"


async def test_RPC_19_a_token_in_other_letters_is_the_same_token(bench16: Make) -> None:
    bench = await booted(bench16)
    await bench.do(PlugIn(1), PresentCard("04a29f1c", evse=1), PresentCard("04A29F1C", evse=1))
    (stop,) = bench.sent("StopTransaction")
    assert stop.get("reason", "Local") == "Local"
    assert len(bench.sent("Authorize")) == 1


async def test_RPC_17_a_security_profile_is_refused_downward_and_without_what_it_needs(
    bench16: Make,
) -> None:
    """RPC-15, RPC-16; A05.FR.01 to .04 (errata 7): lower or equal, no password, no root, no certificate."""
    bench = await booted(bench16)

    async def change(key: str, value: str) -> str:
        answer = await bench.request("ChangeConfiguration", {"key": key, "value": value})
        return str(answer["status"])

    wanted = [await change("SecurityProfile", value) for value in ("0", "1", "2", "3", "4", "-1")]
    assert wanted == ["Rejected"] * 6
    assert await change("AuthorizationKey", "0123456789abcdef" * 2) == "Accepted"
    before = bench.csms.connection
    assert await change("SecurityProfile", "2") == "Rejected"
    assert bench.csms.connection == before
    assert await change("SecurityProfile", "1") == "Accepted"
    assert bench.csms.connection > before  # it came back at once, with the password
    assert bench.personality.basic_auth_password() == bytes.fromhex("0123456789abcdef" * 2)
    assert [await change("SecurityProfile", value) for value in ("0", "1")] == ["Rejected"] * 2
    root = make_authority("CPO root", now=bench.now).certificate_pem
    install = {"certificateType": "CentralSystemRootCertificate", "certificate": root}
    assert await bench.request("InstallCertificate", install) == {"status": "Accepted"}
    assert await change("SecurityProfile", "3") == "Rejected"  # the last one to be had is not there
    assert await change("SecurityProfile", "2") == "Accepted"


async def test_SC_14_a_least_rate_above_the_limit_is_no_reason_to_refuse(bench16: Make) -> None:
    bench = await booted(bench16)
    request = {"connectorId": 1, "csChargingProfiles": PROFILE}
    assert await bench.request("SetChargingProfile", request) == {"status": "Accepted"}
    with pytest.raises(CallRefused, match="PropertyConstraintViolation"):
        await bench.request("SetChargingProfile", {**request, "connectorId": 9})
