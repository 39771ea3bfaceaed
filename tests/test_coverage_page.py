"""The page about coverage of 1.6: what goes into it, when it is out of date, and what it must not lack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.kernel.text import Text
from app.ocpp.events import Direction, FramePassed, Violation
from app.ocpp.schema import Schemas
from app.ocpp.version import Version
from tests.support.coverage_page import ACTIONS, ARROWS, Files, Page, in_ranges, load, rule_ids
from tests.support.coverage_record import (
    OFFICE,
    STATION,
    Recorder,
    Recording,
    enumerations,
    rules_in,
    values_at,
)
from tests.support.harness import Bench
from tests.support.mutation import least_answer


def frame(
    kind: int, action: str, payload: object, direction: Direction, **more: object
) -> FramePassed:
    head: list[object] = [kind, "1", action] if kind == 2 else [kind, "1"]
    text = json.dumps([*head, payload] if kind != 4 else [*head, payload, "", {}])
    return FramePassed(direction, Version.V16, kind, "1", action, text, **more)  # type: ignore[arg-type]


def a_session(recorder: Recorder, status: str = "Accepted") -> None:
    recorder.begin("tests/a.py", {"RE-01"})
    recorder.frame(frame(2, "Reset", {"type": "Soft"}, Direction.IN))
    recorder.frame(frame(3, "Reset", {"status": status}, Direction.OUT))
    recorder.end()


def test_the_39_messages_are_those_of_the_schemas() -> None:
    assert len(ACTIONS) == 39
    assert set(ACTIONS) == Schemas.of(Version.V16).actions


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("test_RS_05_16_TX_03_reserved_card_uses_it_up", {"RS-05", "16-TX-03"}),
        ("16-TX-11 and the rules, SC-18.", {"16-TX-11", "SC-18"}),
        ("test_201_TX_06_cable_first", set()),
        ("whitepaper 5.5 of RFC-18", set()),
    ],
)
def test_rules_are_read_from_names_and_docstrings(text: str, rules: set[str]) -> None:
    assert rules_in(text) == rules


def test_ranges_of_rules_are_short() -> None:
    assert in_ranges({"SC-02", "SC-01", "SC-03", "SC-07", "16-ST-11"}) == "16-ST-11; SC-01..03, 07"
    assert len(set(rule_ids())) == len(list(rule_ids()))


def test_values_are_found_in_lists() -> None:
    path = "meterValue[].sampledValue[].context"
    assert path in enumerations("MeterValues", "request")
    payload = {"meterValue": [{"sampledValue": [{"context": "Trigger"}, {"value": "1"}]}, {}, 3]}
    assert list(values_at(payload, path)) == ["Trigger"]


def test_what_counts_as_seen() -> None:
    recorder = Recorder()
    a_session(recorder)
    recorder.begin("tests/b.py", {"RE-02"})
    broken = (Violation("type", "enum", "no"),)
    recorder.frame(frame(2, "Reset", {"type": "?"}, Direction.IN, violations=broken))
    recorder.frame(frame(4, "Reset", "PropertyConstraintViolation", Direction.OUT))
    recorder.frame(frame(3, "Reset", {"status": "Rejected"}, Direction.OUT, forced=True))
    recorder.frame(frame(2, "BootNotification", {}, Direction.OUT), greeting=True)
    recorder.end()
    recorder.frame(frame(2, "ClearCache", {}, Direction.IN))  # no test runs
    reset = recorder.recording.seen["Reset", OFFICE]
    assert reset.values == {"request type": {"Soft"}, "response status": {"Accepted"}}
    assert reset.errors == {"PropertyConstraintViolation"}
    assert reset.branches == {"type=Soft": {"Accepted"}}  # a broken payload belongs to no value
    assert reset.rules == {"RE-01", "RE-02"}
    assert reset.tests == {"tests/a.py": 1, "tests/b.py": 1}
    boot = recorder.recording.seen["BootNotification", STATION]
    assert boot.sent
    assert not boot.tests
    assert ("ClearCache", OFFICE) not in recorder.recording.seen


def test_a_conversation_over_a_socket_counts_what_was_answered() -> None:
    recorder = Recorder()
    recorder.conversation(
        [
            (True, '[2,"1","Heartbeat",{}]'),
            (False, '[2,"1","Reset",{"type":"Soft"}]'),
            (True, '[3,"1",{"status":"Accepted"}]'),
            (False, '[2,"2","ClearCache",{}]'),
            (True, '[4,"2","NotSupported","",{}]'),
            (False, "no frame"),
            (False, "[3]"),
        ]
    )
    assert recorder.recording.over_sockets == {("Reset", OFFICE)}


def test_recordings_of_several_processes_add_up() -> None:
    one, other = Recorder(), Recorder()
    a_session(one)
    a_session(other, "Rejected")
    one.recording.add(Recording.from_json(json.loads(json.dumps(other.recording.as_json()))))
    reset = one.recording.seen["Reset", OFFICE]
    assert reset.values["response status"] == {"Accepted", "Rejected"}
    assert reset.tests == {"tests/a.py": 2}


def test_a_page_is_out_of_date_when_a_run_sees_more_or_less(tmp_path: Path) -> None:
    files = Files(tmp_path)
    recorder = Recorder()
    a_session(recorder)
    page = Page(recorder.recording)
    assert page.differences(files)[0].startswith("there is no page yet")
    files.recording.parent.mkdir(parents=True)
    page.write(files)
    assert page.differences(files) == []
    a_session(recorder)
    assert page.differences(files) == []  # only the number of tests differs
    a_session(recorder, "Rejected")
    name = "Reset of the back office: response status"
    branch = "Reset of the back office: answers to type=Soft"
    assert page.differences(files) == [
        f"{name} not on the page: Rejected",
        f"{branch} not on the page: Rejected",
    ]
    assert Page(Recording()).differences(files) == [
        "Reset of the back office: rules on the page, but not seen: RE-01",
        "Reset of the back office: request type on the page, but not seen: Soft",
        f"{name} on the page, but not seen: Accepted",
        f"{branch} on the page, but not seen: Accepted",
        "Reset of the back office: it is no longer answered",
        "no longer named: RE-01",
    ]
    files.page.write_text("by hand", "utf-8")
    assert "is not what" in page.differences(files)[0]


def test_why_something_was_turned_down_is_on_the_page(tmp_path: Path) -> None:
    """The note of an answer is its reason; what was not understood, or never left, is not seen at all."""
    recorder = Recorder()
    recorder.begin("tests/a.py", set())
    recorder.frame(frame(2, "Reset", {"type": "Soft"}, Direction.IN))
    why = {"note": Text("v16.no.resetting")}
    recorder.frame(frame(3, "Reset", {"status": "Rejected"}, Direction.OUT, **why))
    recorder.frame(frame(3, "GetDiagnostics", {}, Direction.OUT, note=Text("v16.no.empty_log")))
    held = {"note": Text("ocpp.note.held_back")}
    recorder.frame(frame(2, "Heartbeat", {}, Direction.OUT, **held))
    recorder.frame(frame(2, "ClearCache", {}, Direction.IN, note=Text("ocpp.note.duplicate")))
    recorder.end()
    assert set(recorder.recording.seen) == {("Reset", OFFICE), ("GetDiagnostics", OFFICE)}
    page = Page(recorder.recording)
    text = page.render()
    assert "| Reset | (why it was turned down) | Rejected: resetting | |" in text
    assert "| GetDiagnostics | (why it was turned down) | answered: empty_log | |" in text
    ungiven = text.partition("## Reasons that the station gave in no test")[2]
    assert "reset_installing, " in ungiven
    assert "resetting, " not in ungiven
    files = Files(tmp_path)
    files.recording.parent.mkdir(parents=True)
    page.write(files)
    told = Page(Recording()).differences(files)
    assert "Reset of the back office: reasons for Rejected on the page, but not seen: " in str(told)


def test_a_rule_counts_where_a_station_spoke_1_6() -> None:
    """Many rules are of both versions: a test of the other one says nothing about this one."""
    recorder = Recorder()
    recorder.begin("tests/other.py", {"RE-06"})
    recorder.end()
    recorder.begin("tests/greeting.py", {"RPC-14"})
    recorder.frame(frame(2, "BootNotification", {}, Direction.OUT), greeting=True)
    recorder.end()
    assert recorder.recording.rules == {"RPC-14"}


def test_sessions_over_sockets_are_compared_where_they_were_held(tmp_path: Path) -> None:
    """They may show more than the page says, but not less."""
    files = Files(tmp_path)
    files.recording.parent.mkdir(parents=True)
    recording, more = Recording(), Recording()
    recording.over_sockets = {("Reset", OFFICE)}
    more.over_sockets = {("Reset", OFFICE), ("Heartbeat", STATION)}
    Page(recording).write(files)
    assert Page(Recording()).differences(files) == []
    assert Page(more).differences(files, sockets=True) == []
    gone = "Reset of the back office: no longer over a socket"
    assert Page(Recording()).differences(files, sockets=True) == [gone]


def test_rows_name_what_was_never_seen() -> None:
    recorder = Recorder()
    a_session(recorder)
    text = Page(recorder.recording).render()
    assert "| 12 | Reset | ← | Accepted | Rejected |  | RE-01 | 1 |  |" in text
    assert "**1 of 39 messages" in text
    assert "| Reset | type | Soft → Accepted | Hard |" in text
    assert "| 18 | DiagnosticsStatusNotification | → | never seen | Idle, Uploaded," in text


def test_no_message_of_1_6_is_without_a_test(checkout: Path) -> None:
    """Each row: sent by whom it may be sent, answered as a message that works, looked at by tests."""
    page = Page(load(Files(checkout)))
    assert [action for action in ACTIONS if page.empty(action)] == []
    assert [action for action in ACTIONS if not page.seen(action).tests] == []


async def test_each_message_of_the_back_office_is_answered() -> None:
    bench = Bench(Version.V16)
    handled = set(bench.personality.handlers())
    await bench.close()
    bench.let_go()
    assert handled == {action for action, arrow in ACTIONS.items() if OFFICE in ARROWS[arrow]}


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_the_least_answer_is_a_legal_one(action: str) -> None:
    """So that a mutant is noticed for what it does not do, and not for what it says."""
    assert Schemas.of(Version.V16).check(action, "response", least_answer(action)) == ()
