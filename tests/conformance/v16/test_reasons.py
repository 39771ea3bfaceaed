"""What the station turns down says why, to people: the wire of 1.6 has no room for it.

Every bench of 1.6 fails when a refusal comes without its reason; here are the sentences themselves.
"""

from __future__ import annotations

from typing import Any

import pytest

from app.kernel.catalogue import Catalogue
from app.ocpp.events import Direction, FramePassed
from app.ocpp.frames import CALLRESULT
from tests.conformance.v16.conftest import Make
from tests.conformance.v16.test_reservation import reserve
from tests.support.harness import turns_down_in_silence

PAST, FUTURE = "2020-01-01T00:00:00Z", "2026-01-15T20:00:00Z"


def reserving(number: int, until: str = FUTURE) -> dict[str, Any]:
    return {"connectorId": number, "expiryDate": until, "idTag": "ANNA", "reservationId": 2}


CARD = {"idTag": "ANNA", "idTagInfo": {"status": "Accepted"}}
TURNED_DOWN: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("ReserveNow", reserving(1), "Connector 1 is reserved already."),
    ("ReserveNow", reserving(9), "There is no connector 9."),
    ("ReserveNow", reserving(2, PAST), "The expiry date 2020-01-01T00:00:00Z has passed."),
    ("CancelReservation", {"reservationId": 9}, "There is no reservation 9."),
    ("ChangeConfiguration", {"key": "Colour", "value": "blue"}, "There is no key Colour."),
    (
        "ChangeConfiguration",
        {"key": "NumberOfConnectors", "value": "9"},
        "The key NumberOfConnectors is read-only.",
    ),
    (
        "ChangeConfiguration",
        {"key": "HeartbeatInterval", "value": "soon"},
        'The key HeartbeatInterval does not take the value "soon".',
    ),
    (
        "ChangeConfiguration",
        {"key": "SecurityProfile", "value": "0"},
        "The security profile is 0 and goes only upward over OCPP.",
    ),
    (
        "SendLocalList",
        {"listVersion": 1, "updateType": "Full", "localAuthorizationList": [CARD, CARD]},
        "Card ANNA is in the update twice.",
    ),
    ("RemoteStopTransaction", {"transactionId": 9}, "No transaction 9 runs."),
    ("UnlockConnector", {"connectorId": 1}, "Connector 1 has no lock."),
    ("TriggerMessage", {"requestedMessage": "BootNotification"}, "accepted already"),
    ("ClearChargingProfile", {"id": 9}, "No installed profile fits."),
    ("GetCompositeSchedule", {"connectorId": 9, "duration": 60}, "There is no connector 9."),
    ("DataTransfer", {"vendorId": "acme"}, "The station knows no messages of acme."),
)


def reason(frame: FramePassed) -> str:
    assert frame.note is not None
    return Catalogue.load().render(frame.note)


@pytest.mark.parametrize(
    ("action", "payload", "words"), TURNED_DOWN, ids=[each[2] for each in TURNED_DOWN]
)
async def test_a_refusal_says_why(
    bench16: Make, action: str, payload: dict[str, Any], words: str
) -> None:
    bench = bench16()
    await bench.boot()
    assert await reserve(bench, 1, "SOMEBODY") == "Accepted"
    await bench.request(action, payload)
    assert words in reason(_answers(bench)[-1])


async def test_a_secret_that_is_refused_is_not_told_in_the_reason(bench16: Make) -> None:
    """What was to be the password is nobody's business."""
    bench = bench16()
    await bench.boot()
    wrong = "not-hexadecimal-but-secret"
    await bench.request("ChangeConfiguration", {"key": "AuthorizationKey", "value": wrong})
    told = reason(_answers(bench)[-1])
    assert "AuthorizationKey" in told
    assert wrong not in told


async def test_a_bench_notices_a_refusal_without_a_reason(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    await bench.request("CancelReservation", {"reservationId": 9})
    frame = _answers(bench)[-1]
    assert not turns_down_in_silence(frame)
    silent = FramePassed(
        frame.direction, frame.version, frame.kind, frame.message_id, frame.action, frame.text
    )
    assert turns_down_in_silence(silent)


def _answers(bench: Any) -> list[FramePassed]:
    passed: list[FramePassed] = bench.happened(FramePassed)
    return [one for one in passed if (one.direction, one.kind) == (Direction.OUT, CALLRESULT)]
