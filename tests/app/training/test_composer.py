"""What the CSMS sends: every action, byte for byte, with a good example to begin with."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.training import composer
from app.training.outcome import CallOutcome, OutcomeKind
from app.training.records import ConnectorRecord, Direction, TransactionRecord
from app.training.tokens import TokenList
from tests.app.training.client import BOOT_16, V16, V201, Bench, bench
from tests.app.training.schemas import verdict
from tests.support.csms import CsmsProbe

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
RUNNING = TransactionRecord("CS-1/7", "7", "CS-1", "1.6", active=True, evse=2, cost=3.5)
ENDED = TransactionRecord("CS-1/x", "x", "CS-1", "2.0.1", active=False)
CONTEXTS = {
    "bare": composer.ExampleContext(NOW),
    "idle": composer.ExampleContext(NOW, 3, tokens=TokenList.shipped().all()),
    "charging": composer.ExampleContext(
        NOW, 4, "wss://127.0.0.1:1/ocpp", TokenList.shipped().all(), RUNNING
    ),
    "after": composer.ExampleContext(NOW, 5, transaction=ENDED),
}
EVERY = [(version, one) for version in ("1.6", "2.0.1") for one in composer.actions(version)]


def test_every_action_of_a_csms_is_there() -> None:
    assert len(composer.actions("1.6")) == 19 + 7
    assert len(composer.actions("2.0.1")) == 40


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize(("version", "action"), EVERY)
def test_every_example_fits_its_schema(version: str, action: str, context: str) -> None:
    payload = composer.example_payload(version, action, CONTEXTS[context])
    assert verdict(version, action, payload) == []


def test_examples_are_about_what_is_there() -> None:
    charging = CONTEXTS["charging"]
    profile = composer.example_payload("1.6", "SetChargingProfile", charging)
    assert (profile["connectorId"], profile["csChargingProfiles"]["transactionId"]) == (2, 7)
    periods = profile["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"]
    assert periods == [{"startPeriod": 0, "limit": 16.0}]
    start = composer.example_payload("2.0.1", "RequestStartTransaction", charging)
    assert start["idToken"] == {"idToken": "04A29F1C", "type": "ISO14443"}
    entries = composer.example_payload("1.6", "SendLocalList", charging)["localAuthorizationList"]
    by_id = {entry["idTag"]: entry["idTagInfo"]["status"] for entry in entries}
    assert (by_id["0419C642"], by_id["04E8037A"]) == ("Expired", "Blocked")


def test_an_example_undoes_what_the_station_took_last() -> None:
    taken = {
        "ReserveNow": {"reservationId": 41, "id": 42},
        "SetChargingProfile": {"csChargingProfiles": {"chargingProfileId": 43}},
        "CertificateSigned": "a lax station took this",
    }
    context = composer.ExampleContext(NOW, taken=taken)

    def example(version: str, action: str) -> dict[str, Any]:
        return composer.example_payload(version, action, context)

    assert example("1.6", "CancelReservation") == {"reservationId": 41}
    assert example("2.0.1", "CancelReservation") == {"reservationId": 42}
    assert example("1.6", "ClearChargingProfile") == {"id": 43}
    assert "BEGIN CERTIFICATE" in example("1.6", "CertificateSigned")["certificateChain"]


def test_firmware_is_signed_in_the_example_once_the_station_has_the_root_for_it() -> None:
    def firmware(**taken: str) -> dict[str, Any]:
        context = composer.ExampleContext(NOW, taken={"InstallCertificate": taken})
        return dict(composer.example_payload("2.0.1", "UpdateFirmware", context)["firmware"])

    assert "signature" not in firmware()
    assert "signature" not in firmware(certificateType="V2GRootCertificate")
    signed = firmware(certificateType="ManufacturerRootCertificate")
    assert {"signature", "signingCertificate"} <= signed.keys()


def test_examples_are_sent_where_they_can_work() -> None:
    def at(number: int, status: str) -> ConnectorRecord:
        return ConnectorRecord(number, 1, status, NOW)

    places = (at(0, "Available"), at(1, "Charging"), at(2, "Unavailable"), at(3, "Available"))
    running = replace(RUNNING, evse=1)
    tokens = TokenList.shipped().all()
    context = composer.ExampleContext(
        NOW, tokens=tokens, transaction=running, connectors=places, busy=frozenset({"04A29F1C"})
    )

    def example(action: str) -> dict[str, Any]:
        return composer.example_payload("1.6", action, context)

    assert example("ReserveNow")["connectorId"] == 3
    started = example("RemoteStartTransaction")
    assert (started["connectorId"], started["idTag"]) == (3, "0477B0E3")
    assert example("UnlockConnector") == {"connectorId": 1}
    plugged = replace(context, connectors=(*places, at(4, "Preparing")), transaction=None)
    started = composer.example_payload("1.6", "RemoteStartTransaction", plugged)
    assert started["connectorId"] == 4
    closed = replace(context, evse=2)
    reopened = composer.example_payload("1.6", "ChangeAvailability", closed)
    assert reopened == {"connectorId": 2, "type": "Operative"}


async def _play(station: Bench, action: str, answer: list[Any]) -> list[Any]:
    """Answer the next CALL with `answer`, its id put in."""
    call = await station.next()
    assert call[2] == action
    await station.send(json.dumps([answer[0], call[1], *answer[1:]]))
    return call


async def test_a_call_is_answered_with_a_result(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V16) as station:
        await csms.wait_connected("CS-1")
        pending = asyncio.create_task(csms.call("CS-1", "Reset", {"type": "Soft"}))
        call = await _play(station, "Reset", [3, {"status": "Accepted"}])
        outcome = await pending
    assert call[3] == {"type": "Soft"}
    assert (outcome.kind, outcome.payload) == (OutcomeKind.RESULT, {"status": "Accepted"})
    assert outcome.latency_ms > 0
    assert json.loads(outcome.raw) == [3, call[1], {"status": "Accepted"}]
    assert outcome.sent == csms.frames("CS-1")[0].text


async def test_a_call_is_answered_with_an_error(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V201) as station:
        await csms.wait_connected("CS-1")
        pending = asyncio.create_task(csms.call("CS-1", "Reset"))
        await _play(station, "Reset", [4, "NotSupported", "Sorry", {"a": 1}])
        outcome = await pending
    assert (outcome.kind, outcome.code, outcome.description, outcome.details) == (
        OutcomeKind.ERROR,
        "NotSupported",
        "Sorry",
        {"a": 1},
    )


@pytest.mark.parametrize(
    "typed",
    [
        '{ "type" : "Soft",\n "extra": null, "snake_case": 1.10 }',
        '{"type":"Soft"',
        "",
        "[1, 2]",
        '{"a": "\\u00e4ä", "a": 2}',
    ],
)
async def test_a_typed_payload_goes_out_byte_for_byte(csms: CsmsProbe, typed: str) -> None:
    async with bench(csms.url, "CS-1", V16) as station:
        await csms.wait_connected("CS-1")
        pending = asyncio.create_task(csms.call("CS-1", "Any Thing", typed, timeout=5))
        text = await station.next_text()
        head, _, id_ = text.partition('"')[0], "", text.split('"')[1]
        assert text == f'{head}"{id_}","Any Thing",{typed}]'
        await station.send(f'[3,"{id_}",{{}}]')
        assert (await pending).kind is OutcomeKind.RESULT


async def test_a_whole_text_goes_out_byte_for_byte(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V16) as station:
        await csms.wait_connected("CS-1")
        outcome = await csms.send_raw("CS-1", " no JSON at all ä")
        assert outcome == CallOutcome(OutcomeKind.SENT, sent=" no JSON at all ä")
        assert await station.next_text() == " no JSON at all ä"
        text = '[2, "my-id", "ClearCache", {}]'
        pending = asyncio.create_task(csms.send_raw("CS-1", text))
        assert await station.next_text() == text
        await station.send('[3,"my-id",{"status":"Rejected"}]')
        assert (await pending).payload == {"status": "Rejected"}


@pytest.mark.parametrize("id_", ['"-1"', '""', "null"])
async def test_an_error_for_what_could_not_be_read_answers_the_garbled_call(
    csms: CsmsProbe, id_: str
) -> None:
    """Who composes what no station can read sees its answer at once, not after a time-out."""
    async with bench(csms.url, "CS-1", V201) as station:
        await csms.wait_connected("CS-1")
        whole = asyncio.create_task(csms.call("CS-1", "ClearCache", overlap=True))
        sound = (await station.next())[1]
        garbled = asyncio.create_task(csms.call("CS-1", "Reset", '{"type":', overlap=True))
        await station.next_text()
        await station.send(f'[4,{id_},"RpcFrameworkError","no JSON",{{}}]')
        outcome = await garbled
        assert (outcome.kind, outcome.code) == (OutcomeKind.ERROR, "RpcFrameworkError")
        assert not whole.done()
        await station.send(f'[3,"{sound}",{{"status":"Accepted"}}]')
        assert (await whole).kind is OutcomeKind.RESULT
    assert not [e for e in csms.snapshot().log if e.text.id == "training.unexpected_answer"]


async def test_silence_is_a_time_out_and_a_late_answer_is_noted(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V16) as station:
        await csms.wait_connected("CS-1")
        outcome = await csms.call("CS-1", "ClearCache", timeout=0.02)
        assert (outcome.kind, outcome.raw) == (OutcomeKind.TIMEOUT, "")
        id_ = (await station.next())[1]
        await station.send(f'[3,"{id_}",{{"status":"Accepted"}}]')
        await station.result("Heartbeat")
    (entry,) = [e for e in csms.snapshot().log if e.text.id == "training.unexpected_answer"]
    assert entry.text.params == {"id": id_}


async def test_an_incomplete_answer_is_shown_as_it_came(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V16) as station:
        await csms.wait_connected("CS-1")
        pending = asyncio.create_task(csms.call("CS-1", "ClearCache"))
        id_ = (await station.next())[1]
        await station.send(f'[3,"{id_}"]')
        outcome = await pending
    assert (outcome.kind, outcome.payload) == (OutcomeKind.RESULT, None)
    assert outcome.raw == f'[3,"{id_}"]'


async def test_a_lost_connection_ends_the_call(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V16) as station:
        await csms.wait_connected("CS-1")
        calls = [asyncio.create_task(csms.call("CS-1", "ClearCache")) for _ in range(2)]
        await station.next()
    outcomes = await asyncio.gather(*calls)
    assert {one.kind for one in outcomes} == {OutcomeKind.DISCONNECTED}
    assert (await csms.call("CS-1", "ClearCache")).kind is OutcomeKind.DISCONNECTED
    assert (await csms.send_raw("CS-1", "x")).kind is OutcomeKind.DISCONNECTED


async def test_calls_take_turns_unless_they_may_overlap(csms: CsmsProbe) -> None:
    """RPC-03: one open CALL in each direction; a tester may break that on purpose."""
    async with bench(csms.url, "CS-1", V16) as station:
        await csms.wait_connected("CS-1")
        first = asyncio.create_task(csms.call("CS-1", "ClearCache"))
        call = await station.next()
        second = asyncio.create_task(csms.call("CS-1", "GetLocalListVersion"))
        pushy = asyncio.create_task(csms.call("CS-1", "Reset", overlap=True))
        await _play(station, "Reset", [3, {}])
        assert (await pushy).kind is OutcomeKind.RESULT
        assert not second.done()
        await station.send(json.dumps([3, call[1], {}]))
        await _play(station, "GetLocalListVersion", [3, {"listVersion": 0}])
        await asyncio.gather(first, second)


async def test_answers_arrive_while_the_station_asks(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V16) as station:
        await csms.wait_connected("CS-1")
        pending = asyncio.create_task(csms.call("CS-1", "ClearCache"))
        id_ = (await station.next())[1]
        assert (await station.result("BootNotification", BOOT_16))["status"] == "Accepted"
        await station.send(json.dumps([3, id_, {"status": "Accepted"}]))
        assert (await pending).payload == {"status": "Accepted"}
        kinds = [frame.direction for frame in csms.frames("CS-1")]
    out, into = Direction.TO_STATION, Direction.FROM_STATION
    assert kinds == [out, into, out, into]


async def test_an_example_is_made_for_the_station_as_it_is(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V16) as station:
        start = {
            "connectorId": 2,
            "idTag": "0477B0E3",
            "meterStart": 0,
            "timestamp": "2026-03-01T12:00:00Z",
        }
        number = (await station.result("StartTransaction", start))["transactionId"]
        example = csms.csms.example("CS-1", "RemoteStopTransaction")
        assert example == {"transactionId": number}
        one = csms.csms.example("CS-1", "ReserveNow")["reservationId"]
        assert csms.csms.example("CS-1", "ReserveNow")["reservationId"] > one
    with pytest.raises(KeyError):
        csms.csms.example("CS-1", "NoSuchAction")
    with pytest.raises(KeyError):
        csms.csms.example("nobody", "Reset")
