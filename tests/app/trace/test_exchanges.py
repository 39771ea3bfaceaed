"""Frames become rows that people can read."""

import json
from datetime import UTC, datetime
from functools import cache

import pytest

from app.kernel.bus import Bus
from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.ocpp.events import CallEnded, Direction, FramePassed, Violation
from app.ocpp.version import Version
from app.trace import summary
from app.trace.exchange import Exchanges, Verdict
from tests.support.coverage_page import ACTIONS

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.fixture
def bus():
    return Bus(lambda: NOON, real=lambda: 1000.0)


@pytest.fixture
def exchanges(bus):
    return Exchanges(bus)


def frame(direction, kind, message_id, action, body, *, version=Version.V16, **more):
    if kind == 2:
        content = [2, message_id, action, body]
    elif kind == 3:
        content = [3, message_id, body]
    else:
        content = [4, message_id, body, "", {}]
    return FramePassed(direction, version, kind, message_id, action, json.dumps(content), **more)


words_of = cache(Catalogue.load)


def say(exchange):
    return words_of().render(exchange.summary)


def test_a_request_waits_and_its_reply_completes_the_same_row(bus, exchanges):
    seen = []
    exchanges.listen(lambda row, new: seen.append((row.number, new)))
    bus.publish(frame(Direction.OUT, 2, "a", "Authorize", {"idTag": "04A2"}))
    assert exchanges.row(1).verdict is Verdict.WAITING
    assert exchanges.waiting() == 1
    answer = {"idTagInfo": {"status": "Accepted"}}
    bus.publish(frame(Direction.IN, 3, "a", "Authorize", answer, latency_ms=12.0))
    row = exchanges.row(1)
    assert (row.verdict, row.latency_ms, len(exchanges)) == (Verdict.VALID, 12.0, 1)
    assert say(row) == "May card 04A2 charge? · Accepted"
    assert seen == [(1, True), (1, False)]
    assert exchanges.waiting() == 0


def test_the_same_id_in_both_directions_is_two_exchanges(bus, exchanges):
    bus.publish(frame(Direction.OUT, 2, "x", "Heartbeat", {}))
    bus.publish(frame(Direction.IN, 2, "x", "Reset", {"type": "Soft"}))
    bus.publish(frame(Direction.OUT, 3, "x", "Reset", {"status": "Accepted"}))
    assert [row.verdict for row in exchanges.rows()] == [Verdict.WAITING, Verdict.VALID]


def test_a_slow_reply_is_marked(bus, exchanges):
    bus.publish(frame(Direction.OUT, 2, "a", "Heartbeat", {}))
    bus.publish(frame(Direction.IN, 3, "a", "Heartbeat", {}, latency_ms=1912.0))
    assert exchanges.row(1).verdict is Verdict.SLOW


def test_a_reply_after_the_timeout_is_marked_late(bus, exchanges):
    bus.publish(frame(Direction.OUT, 2, "a", "Heartbeat", {}))
    bus.publish(CallEnded("a", "Heartbeat", "timeout"))
    assert exchanges.row(1).verdict is Verdict.TIMEOUT
    bus.publish(frame(Direction.IN, 3, "a", "Heartbeat", {}))
    assert exchanges.row(1).late
    assert len(exchanges) == 1


def test_a_broken_link_ends_the_open_row(bus, exchanges):
    bus.publish(frame(Direction.OUT, 2, "a", "Heartbeat", {}))
    bus.publish(CallEnded("a", "Heartbeat", "disconnected"))
    assert exchanges.row(1).verdict is Verdict.DISCONNECTED


def test_a_link_that_ended_for_the_size_of_a_message_says_so_at_the_open_row(bus, exchanges):
    bus.publish(frame(Direction.OUT, 2, "a", "Heartbeat", {}))
    bus.publish(CallEnded("a", "Heartbeat", "too_large"))
    assert exchanges.row(1).verdict is Verdict.DISCONNECTED
    assert exchanges.row(1).note == Text("trace.too_large")


def test_a_callerror_names_its_code(bus, exchanges):
    bus.publish(frame(Direction.IN, 2, "a", "GetLog", {}))
    bus.publish(frame(Direction.OUT, 4, "a", "GetLog", "NotSupported"))
    row = exchanges.row(1)
    assert (row.verdict, row.error_code) == (Verdict.CALL_ERROR, "NotSupported")
    assert "NotSupported" in say(row)


def test_a_violation_in_the_reply_makes_the_row_a_schema_error(bus, exchanges):
    bus.publish(frame(Direction.OUT, 2, "a", "Heartbeat", {}))
    broken = Violation("currentTime", "required", "is missing")
    bus.publish(frame(Direction.IN, 3, "a", "Heartbeat", {}, violations=(broken,)))
    row = exchanges.row(1)
    assert row.verdict is Verdict.SCHEMA_ERROR
    assert row.reply_violations == (broken,)


def test_an_answer_to_nothing_and_garbage_are_rows_of_their_own(bus, exchanges):
    bus.publish(frame(Direction.IN, 3, "nobody", None, {}))
    bus.publish(FramePassed(Direction.IN, Version.V16, 0, None, None, "hello"))
    assert [row.verdict for row in exchanges.rows()] == [Verdict.IGNORED, Verdict.IGNORED]
    assert exchanges.row(2).request_text == "hello"


def test_the_error_that_answers_garbage_stands_in_the_row_of_the_garbage(bus, exchanges):
    why = Text("runtime.link.lost")
    garbage = FramePassed(Direction.IN, Version.V201, 0, None, None, "[2,", note=why)
    error = frame(Direction.OUT, 4, "-1", None, "RpcFrameworkError", version=Version.V201)
    bus.publish(garbage)
    assert exchanges.row(1).verdict is Verdict.IGNORED
    bus.publish(error)
    row = exchanges.row(1)
    assert (len(exchanges), row.verdict, row.error_code) == (
        1,
        Verdict.CALL_ERROR,
        "RpcFrameworkError",
    )
    assert json.loads(row.reply_text)[1] == "-1"
    assert say(row) == f"Answered with RpcFrameworkError: {words_of().render(why)}"
    bus.publish(error)  # that one answers nothing we know of
    assert exchanges.row(2).verdict is Verdict.IGNORED


def test_a_call_whose_id_cannot_be_read_does_not_wait_for_what_cannot_come(bus, exchanges):
    why = Text("runtime.link.lost")
    text = '[2,5,"Reset",{"type":"Soft"}]'
    for version in (Version.V16, Version.V201):
        bus.publish(FramePassed(Direction.IN, version, 2, None, "Reset", text, note=why))
    assert [row.verdict for row in exchanges.rows()] == [Verdict.IGNORED, Verdict.IGNORED]
    assert exchanges.waiting() == 0
    assert [row.action for row in exchanges.rows()] == ["Reset", "Reset"]
    bus.publish(frame(Direction.OUT, 4, "-1", "Reset", "RpcFrameworkError", version=Version.V201))
    rows = exchanges.rows()
    assert [row.verdict for row in rows] == [Verdict.IGNORED, Verdict.CALL_ERROR]
    assert say(rows[1]) == f"Answered with RpcFrameworkError: {words_of().render(why)}"


def test_rows_about_a_transaction_name_its_connector(bus, exchanges):
    start = {"connectorId": 2, "idTag": "A", "meterStart": 10, "timestamp": "x"}
    bus.publish(frame(Direction.OUT, 2, "a", "StartTransaction", start))
    bus.publish(frame(Direction.IN, 3, "a", "StartTransaction", {"transactionId": 17}))
    stop = {"transactionId": 17, "meterStop": 20, "timestamp": "x"}
    bus.publish(frame(Direction.OUT, 2, "b", "StopTransaction", stop))
    assert [row.evse for row in exchanges.rows()] == [2, 2]


def test_201_transaction_events_tell_power_and_energy(bus, exchanges):
    samples = [
        {"value": 11040.0, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "W"}},
        {"value": 4210.0, "measurand": "Energy.Active.Import.Register"},
        {"value": 3680.0, "measurand": "Power.Active.Import", "phase": "L1"},
    ]
    event = {
        "eventType": "Updated",
        "triggerReason": "MeterValuePeriodic",
        "seqNo": 3,
        "evse": {"id": 1},
        "transactionInfo": {"transactionId": "t"},
        "meterValue": [{"sampledValue": samples}],
    }
    bus.publish(frame(Direction.OUT, 2, "a", "TransactionEvent", event, version=Version.V201))
    assert "11.0 kW, 4.21 kWh" in say(exchanges.row(1))
    assert exchanges.row(1).evse == 1


def test_every_message_of_16_says_a_sentence(bus, exchanges):
    for action in ACTIONS:
        bus.publish(frame(Direction.IN, 2, action, action, {}))
    assert len(exchanges) == 39
    assert [row.action for row in exchanges.rows() if not say(row)] == []


@pytest.mark.parametrize(
    ("action", "body", "words"),
    [
        ("GetDiagnostics", {"location": "ftp://u:secret@h.example/up"}, "to h.example"),
        ("UpdateFirmware", {"location": "https://h/a/fw-2.bin?key=secret"}, "Install fw-2.bin"),
        ("UpdateFirmware", {"location": "http://[broken"}, "Install –"),
        ("GetLog", {"logType": "SecurityLog", "log": {"remoteLocation": 7}}, "SecurityLog to –"),
        ("ClearChargingProfile", {}, "profiles: *"),
        ("ClearChargingProfile", {"id": 7}, "profiles: 7"),
        ("SendLocalList", {"listVersion": 3, "updateType": "Full"}, "Full list, version 3"),
        ("FirmwareStatusNotification", {"status": "Installing"}, "Firmware: Installing"),
    ],
)
def test_a_sentence_names_what_matters_and_nothing_secret(bus, exchanges, action, body, words):
    bus.publish(frame(Direction.IN, 2, "a", action, body))
    assert words in say(exchanges.row(1))
    assert "secret" not in say(exchanges.row(1))


@pytest.mark.parametrize("body", [None, [], "text", 5, {"meterValue": [None]}, {"evse": []}])
def test_payloads_of_any_shape_are_told_without_failing(bus, exchanges, body):
    for action in summary._FILLS:
        bus.publish(frame(Direction.IN, 2, action, action, body, version=Version.V201))
    assert len(exchanges) == len(summary._FILLS)
    assert all(say(row) is not None for row in exchanges.rows())


def test_the_oldest_rows_make_room(bus):
    exchanges = Exchanges(bus, limit=10)
    for number in range(12):
        bus.publish(frame(Direction.OUT, 2, str(number), "Heartbeat", {}))
    bus.publish(frame(Direction.IN, 3, "0", "Heartbeat", {}))  # its row is gone
    assert exchanges.first_number == 4
    with pytest.raises(KeyError):
        exchanges.row(1)
    assert exchanges.rows()[-1].verdict is Verdict.IGNORED


def test_long_rows_make_room_early(bus, exchanges, monkeypatch):
    monkeypatch.setattr("app.trace.exchange.MOST_TEXT", 1_000)
    for number in range(20):
        bus.publish(frame(Direction.IN, 2, str(number), "DataTransfer", {"data": "x" * 100}))
        bus.publish(frame(Direction.OUT, 3, str(number), "DataTransfer", {"data": "y" * 100}))
    assert 3 <= len(exchanges) <= 5
    assert exchanges.rows()[-1].message_id == "19"
    exchanges.clear()
    for number in range(3):
        bus.publish(frame(Direction.IN, 2, str(number), "DataTransfer", {"data": "x" * 100}))
    assert len(exchanges) == 3


def test_clear_and_close_leave_nothing_behind(bus, exchanges):
    bus.publish(frame(Direction.OUT, 2, "a", "Heartbeat", {}))
    exchanges.clear()
    assert (len(exchanges), exchanges.waiting(), exchanges.first_number) == (0, 0, 2)
    exchanges.close()
    bus.publish(frame(Direction.OUT, 2, "b", "Heartbeat", {}))
    assert len(exchanges) == 0
