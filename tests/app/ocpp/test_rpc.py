"""The endpoint on its own: pairing, codes, ids, and races as tables (RPC-02 to RPC-11)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.ids import seeded_ids
from app.kernel.text import Text
from app.ocpp.frames import CALL, CALLERROR, CALLRESULT, MAX_FRAME
from app.ocpp.rpc import Arrival, Endpoint, ErrorCode
from app.ocpp.version import Version

BOTH = pytest.mark.parametrize("version", list(Version))
NOW = "2026-01-15T08:00:00Z"


class Desk:
    """An endpoint and a hand on its clock."""

    def __init__(self, version: Version, **options: Any) -> None:
        self.time = 0.0
        self.endpoint = Endpoint(version, seeded_ids(1), lambda: self.time, **options)

    def take(self, frame: Any) -> Arrival:
        text = frame if isinstance(frame, str | bytes) else json.dumps(frame)
        return self.endpoint.receive(text)

    def reply(self, frame: Any) -> Any:
        """The frame that is sent back at once, or None."""
        out = self.take(frame).reply
        return None if out is None else json.loads(out.text)


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("written", "read"), [("1.0", 1), ("-0.0", 0), ("1e2", 100), ("1.5", 1.5), ("2", 2)]
)
def test_in_201_a_whole_number_is_an_integer_however_it_is_written(
    written: str, read: float
) -> None:
    """JSON schema from draft 6 on; what it tells apart is told apart here, too."""
    desk = Desk(Version.V201)
    text = f'[2,"1","ChangeAvailability",{{"operationalStatus":"Operative","evse":{{"id":{written}}}}}]'
    request = desk.take(text).request
    assert request is not None
    told = request.payload["evse"]["id"]
    assert (told, type(told)) == (read, type(read))
    assert bool(request.violations) is (read == 1.5)


def test_in_16_a_number_with_a_fraction_of_nothing_is_no_integer() -> None:
    """JSON schema, draft 4."""
    text = '[2,"1","ChangeAvailability",{"type":"Operative","connectorId":1.0}]'
    request = Desk(Version.V16).take(text).request
    assert request is not None
    assert [found.rule for found in request.violations] == ["type"]


def test_the_security_extension_of_16_takes_whole_numbers_as_201_does() -> None:
    """Its schemas are of draft 6; the StatusNotification that answers it is of draft 4."""
    text = (
        '[2,"1","ExtendedTriggerMessage",'
        '{"requestedMessage":"StatusNotification","connectorId":1.0}]'
    )
    request = Desk(Version.V16).take(text).request
    assert request is not None
    assert not request.violations
    assert type(request.payload["connectorId"]) is int


def test_whole_numbers_in_an_answer_are_integers_too() -> None:
    desk = Desk(Version.V201)
    desk.endpoint.start_call("BootNotification", "1")
    answer = desk.take(
        f'[3,"1",{{"status":"Accepted","currentTime":"{NOW}","interval":3e2}}]'
    ).answer
    assert answer is not None
    assert type(answer.payload["interval"]) is int


def test_what_is_beyond_any_number_stays_what_it_is() -> None:
    text = '[2,"1","ChangeAvailability",{"operationalStatus":"Operative","evse":{"id":1e999}}]'
    request = Desk(Version.V201).take(text).request
    assert request is not None
    assert request.violations


# ---------------------------------------------------------------- codes


def test_RPC_08_the_codes_of_16_have_their_own_spelling() -> None:
    spelt = {code.spelt(Version.V16) for code in ErrorCode}
    assert spelt == {
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


def test_RPC_09_the_codes_of_201_are_those_of_edition_3() -> None:
    spelt = {code.spelt(Version.V201) for code in ErrorCode}
    assert spelt == {
        "FormatViolation",
        "GenericError",
        "InternalError",
        "MessageTypeNotSupported",
        "NotImplemented",
        "NotSupported",
        "OccurrenceConstraintViolation",
        "PropertyConstraintViolation",
        "ProtocolError",
        "RpcFrameworkError",
        "SecurityError",
        "TypeConstraintViolation",
    }


@BOTH
@pytest.mark.parametrize(
    ("received", "code"),
    [
        ("OccurenceConstraintViolation", ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION),
        ("OccurrenceConstraintViolation", ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION),
        ("FormationViolation", ErrorCode.FORMAT_VIOLATION),
        ("FormatViolation", ErrorCode.FORMAT_VIOLATION),
        ("GenericError", ErrorCode.GENERIC_ERROR),
    ],
)
def test_RPC_09_either_spelling_is_understood(
    version: Version, received: str, code: ErrorCode
) -> None:
    desk = Desk(version)
    call = desk.endpoint.start_call("Heartbeat", "id")
    answer = desk.take([4, call.message_id, received, "", {}]).answer
    assert answer is not None
    assert answer.error is not None
    assert answer.error.code == code.spelt(version)


def test_a_code_that_nobody_knows_stays_as_it_is() -> None:
    assert ErrorCode.read("TeapotError") is None
    desk = Desk(Version.V16)
    desk.endpoint.start_call("Heartbeat", "id")
    answer = desk.take([4, "id", "TeapotError", "", {}]).answer
    assert answer is not None
    assert answer.error is not None
    assert answer.error.code == "TeapotError"
    request = desk.take([2, "a", "Reset", {"type": "Soft"}]).request
    assert request is not None
    assert json.loads(desk.endpoint.error(request, "TeapotError").text)[2] == "TeapotError"
    assert json.loads(desk.endpoint.error(request, "FormatViolation").text)[2] == (
        "FormationViolation"
    )


# ---------------------------------------------------------------- what is no frame


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        ("{not json", ["-1", "RpcFrameworkError"]),
        ('[2,"a","Heartbeat",{}', ["-1", "RpcFrameworkError"]),
        (b"\x00\x01", ["-1", "RpcFrameworkError"]),
        ("[]", ["-1", "RpcFrameworkError"]),
        ('{"a":1}', ["-1", "RpcFrameworkError"]),
        ([2, 5, "Reset", {}], ["-1", "RpcFrameworkError"]),
        ([2, "", "Reset", {}], ["-1", "RpcFrameworkError"]),
        ([2, "x" * 37, "Reset", {}], ["x" * 37, "RpcFrameworkError"]),
        (["2", "a", "Reset", {}], ["a", "RpcFrameworkError"]),
        ([2, "a", "Reset"], ["a", "ProtocolError"]),
        ([2, "a", "Reset", {}, {}], ["a", "ProtocolError"]),
        ([2, "a", 5, {}], ["a", "ProtocolError"]),
        ([5, "a", {}], ["a", "MessageTypeNotSupported"]),
        ([6, "a", "NotifyPeriodicEventStream", {}], ["a", "MessageTypeNotSupported"]),
        ([7], ["-1", "MessageTypeNotSupported"]),
        ([3], None),
        ([3, 5, {}], None),
        ([4, 5, "x"], None),
        ('[3,"a",{', None),
        ('[4,"a",', None),
    ],
)
def test_RPC_06_201_answers_what_is_no_frame(frame: Any, answer: Any) -> None:
    """Errata 3: the id of the frame if it can be read, else "-1"; an answer is never answered."""
    desk = Desk(Version.V201)
    reply = desk.reply(frame)
    if answer is None:
        assert reply is None
    else:
        assert [reply[0], reply[1], reply[2], reply[4]] == [4, *answer, {}]
        assert 0 < len(reply[3]) <= 255


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        ("{not json", None),
        ('[2,"a","Heartbeat",{}', None),
        (b"\x00\x01", None),
        ("[]", None),
        ([5, "a", {}], None),
        ([2, 5, "Reset", {}], None),
        (["2", "a", "Reset", {}], None),
        ([2, "x" * 37, "Reset", {}], ["x" * 37, "FormationViolation"]),
        ([2, "a", "Reset"], ["a", "ProtocolError"]),
        ([2, "a", 5, {}], ["a", "ProtocolError"]),
        ([3], None),
    ],
)
def test_RPC_06_16_ignores_what_is_no_frame_unless_it_is_a_call_with_an_id(
    frame: Any, answer: Any
) -> None:
    reply = Desk(Version.V16).reply(frame)
    assert (reply and reply[1:3]) == answer


@BOTH
def test_a_call_that_is_too_long_is_refused_unread_by_its_id(version: Version) -> None:
    """The other side need not wait for its time-out to learn of it."""
    desk = Desk(version, max_chars=50)
    arrival = desk.take([2, "a", "DataTransfer", {"vendorId": "v", "data": "x" * 100}])
    assert arrival.note == Text("ocpp.note.too_long", {"detail": "155", "limit": 50})
    assert arrival.request is None
    assert arrival.reply is not None
    assert json.loads(arrival.reply.text) == [
        *(4, "a", "GenericError"),
        *("The message is too long: at most 50 characters are read", {}),
    ]


@BOTH
def test_an_answer_that_is_too_long_is_not_answered(version: Version) -> None:
    assert Desk(version, max_chars=50).reply([3, "a", {"data": "x" * 100}]) is None


@BOTH
@pytest.mark.parametrize("kind", [3, 4])
@pytest.mark.parametrize(
    ("payload", "note", "words"),
    [
        ("x" * MAX_FRAME, "too_long", "at most 262144 characters are read"),
        ([[]] * 30_000, "too_many", "more than 20000 lists and objects"),
        (json.loads("[" * 60 + "]" * 60), "too_deep", "more than 48 levels deep"),
    ],
)
def test_an_answer_beyond_a_limit_ends_its_call_at_once(
    version: Version, kind: int, payload: Any, note: str, words: str
) -> None:
    """Its head tells which CALL it answers; waiting for the time-out would not make it shorter."""
    desk = Desk(version)
    call = desk.endpoint.start_call("Heartbeat", "a")
    arrival = desk.take([kind, "a", payload])
    assert arrival.note is not None
    assert (arrival.note.id, arrival.action) == (f"ocpp.note.{note}", "Heartbeat")
    assert arrival.answer is not None
    assert arrival.answer.call is call
    [violation] = arrival.answer.violations
    assert words in violation.message
    assert desk.take([kind, "b", payload]).answer is None


@BOTH
def test_every_arrival_that_is_no_frame_says_why(version: Version) -> None:
    for frame in ("x", b"x", "[]", [9, "a"], [2, 1, "Reset", {}], [2, "a", "Reset"]):
        note = Desk(version).take(frame).note
        assert note is not None
        assert note.id.startswith("ocpp.note.")


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
)
_ALMOST = st.tuples(
    st.sampled_from([2, 3, 4, 5, -1, 2.0, "2", True, None]) | _ANYTHING,
    st.sampled_from(["a", "", "-1", "x" * 36, "x" * 37, "x" * 300, 7, None]) | _ANYTHING,
    st.sampled_from(["Reset", "Heartbeat", "Nonsense", "", "x" * 300, 5]) | _ANYTHING,
).flatmap(lambda head: st.lists(_ANYTHING, max_size=3).map(lambda rest: [*head, *rest]))


@BOTH
@given(st.text() | st.binary() | _ANYTHING.map(json.dumps) | _ALMOST.map(json.dumps))
def test_RPC_06_whatever_comes_is_routed_once_and_at_most_answered_with_an_error(
    version: Version, text: str | bytes
) -> None:
    desk = Desk(version)
    desk.endpoint.start_call("Heartbeat", "a")
    arrival = desk.endpoint.receive(text)
    assert sum(way is not None for way in (arrival.request, arrival.answer, arrival.reply)) <= 1
    if arrival.reply is None:
        return
    kind, message_id, code, description, _ = json.loads(arrival.reply.text)
    assert kind == CALLERROR
    assert 1 <= len(message_id) <= 255
    assert version is Version.V201 or message_id == json.loads(text)[1]
    assert ErrorCode.read(code) is not None
    assert len(description) <= 255
    assert arrival.kind not in (CALLRESULT, CALLERROR), "an answer is not answered"


# ---------------------------------------------------------------- own CALLs and their answers


@BOTH
def test_RPC_02_an_answer_is_paired_with_its_call(version: Version) -> None:
    desk = Desk(version)
    desk.endpoint.start_call("Heartbeat", "id")
    desk.time = 0.25
    arrival = desk.take([3, "id", {"currentTime": NOW}])
    assert (arrival.kind, arrival.action, arrival.latency) == (CALLRESULT, "Heartbeat", 0.25)
    assert arrival.answer is not None
    assert arrival.answer.payload == {"currentTime": NOW}
    assert arrival.violations == ()


@BOTH
def test_RPC_03_only_one_own_call_is_open(version: Version) -> None:
    desk = Desk(version)
    desk.endpoint.start_call("Heartbeat", "id")
    with pytest.raises(RuntimeError):
        desk.endpoint.start_call("Heartbeat", "id2")


@BOTH
def test_RPC_04_ids_are_short_and_never_repeat(version: Version) -> None:
    endpoint = Desk(version).endpoint
    ids = {endpoint.new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert max(len(item) for item in ids) <= 36


@BOTH
@pytest.mark.parametrize(
    ("end", "frame", "note"),
    [
        ("timeout", [3, "id", {"currentTime": NOW}], "answer_timeout"),
        ("answered", [3, "id", {"currentTime": NOW}], "answer_answered"),
        ("answered", [4, "id", "GenericError", "", {}], "answer_answered"),
        ("disconnected", [3, "id", {"currentTime": NOW}], "answer_disconnected"),
        ("timeout", [3, "other", {}], "answer_never"),
        ("timeout", [4, None, "GenericError", "", {}], "answer_never"),
    ],
)
def test_answers_that_nobody_waits_for_are_ignored_with_their_reason(
    version: Version, end: str, frame: Any, note: str
) -> None:
    """Races: a late reply, a second one, one to nothing, one after the link broke."""
    desk = Desk(version)
    desk.endpoint.start_call("Heartbeat", "id")
    desk.endpoint.close_call(end)
    arrival = desk.take(frame)
    assert arrival.answer is None
    assert arrival.reply is None
    assert arrival.note is not None
    assert arrival.note.id == f"ocpp.note.{note}"
    assert arrival.action == ("Heartbeat" if frame[1] == "id" else None)


@BOTH
def test_a_late_answer_does_not_end_the_next_call(version: Version) -> None:
    desk = Desk(version)
    desk.endpoint.start_call("Heartbeat", "first")
    desk.endpoint.close_call("timeout")
    second = desk.endpoint.start_call("Heartbeat", "second")
    assert desk.take([3, "first", {"currentTime": NOW}]).answer is None
    assert desk.endpoint.open is second


@BOTH
def test_a_late_answer_that_is_broken_is_judged_too(version: Version) -> None:
    desk = Desk(version)
    desk.endpoint.start_call("Heartbeat", "id")
    desk.endpoint.close_call("timeout")
    assert desk.take([3, "id", {}]).violations[0].rule == "required"


@BOTH
def test_a_repeat_with_the_id_of_its_first_try_gets_the_late_answer(version: Version) -> None:
    desk = Desk(version)
    desk.endpoint.start_call("Heartbeat", "id")
    desk.endpoint.close_call("timeout")
    desk.endpoint.start_call("Heartbeat", "id")
    assert desk.take([3, "id", {"currentTime": NOW}]).answer is not None


@BOTH
@pytest.mark.parametrize("odd", [None, "", "-1"])
def test_an_error_without_id_means_the_open_call(version: Version, odd: str | None) -> None:
    desk = Desk(version)
    desk.endpoint.start_call("Heartbeat", "id")
    arrival = desk.take([4, odd, "GenericError", "unreadable", {}])
    assert arrival.answer is not None
    assert arrival.answer.call.message_id == "id"
    assert arrival.note is not None
    assert arrival.note.id == "ocpp.note.error_without_id"


@BOTH
def test_an_error_without_id_is_ignored_if_it_may_mean_an_answer_of_ours(version: Version) -> None:
    desk = Desk(version)
    desk.endpoint.start_call("Heartbeat", "id")
    request = desk.take([2, "a", "Reset", {"type": "Soft"}]).request
    assert request is not None
    desk.endpoint.finish(request)
    assert desk.take([4, "-1", "GenericError", "", {}]).answer is None
    assert desk.endpoint.open is not None


@BOTH
def test_a_broken_answer_is_paired_and_shows_its_violations(version: Version) -> None:
    desk = Desk(version)
    desk.endpoint.start_call("Heartbeat", "id")
    arrival = desk.take([3, "id", {"currentTime": 5}, "more"])
    assert arrival.answer is not None
    assert [item.rule for item in arrival.violations] == ["frame", "type"]


@BOTH
def test_the_answer_to_an_unknown_action_is_taken_unjudged(version: Version) -> None:
    desk = Desk(version)
    desk.endpoint.start_call("NoSuchAction", "id", forced=True)
    arrival = desk.take([3, "id", {"what": "ever"}])
    assert arrival.answer is not None
    assert arrival.violations == ()


def test_the_memory_of_ids_is_bounded() -> None:
    desk = Desk(Version.V16)
    for number in range(2000):
        desk.endpoint.start_call("Heartbeat", f"out-{number}")
        desk.endpoint.close_call("timeout")
        request = desk.take([2, f"in-{number}", "ClearCache", {}]).request
        assert request is not None
        desk.endpoint.finish(request)
    late = desk.take([3, "out-0", {}])
    assert late.note is not None
    assert late.note.id == "ocpp.note.answer_never"
    assert desk.take([2, "in-0", "ClearCache", {}]).note is None


# ---------------------------------------------------------------- CALLs of the other side


@BOTH
def test_RPC_03_a_call_of_the_other_side_may_cross_our_own(version: Version) -> None:
    desk = Desk(version)
    desk.endpoint.start_call("Heartbeat", "id")
    request = desk.take([2, "a", "Reset", {"type": "Hard"}]).request
    assert request is not None
    assert desk.endpoint.open is not None


@BOTH
def test_a_call_whose_id_is_being_handled_is_refused(version: Version) -> None:
    desk = Desk(version)
    request = desk.take([2, "a", "ClearCache", {}]).request
    reply = desk.reply([2, "a", "ClearCache", {}])
    code = "RpcFrameworkError" if version is Version.V201 else "FormationViolation"
    assert reply[:3] == [4, "a", code]
    assert request is not None
    assert desk.endpoint.is_waiting(request)


@BOTH
def test_a_call_whose_id_was_used_before_is_taken_and_marked(version: Version) -> None:
    """Some back offices count from 1 after each connection."""
    desk = Desk(version)
    request = desk.take([2, "1", "ClearCache", {}]).request
    assert request is not None
    desk.endpoint.finish(request)
    again = desk.take([2, "1", "ClearCache", {}])
    assert again.request is not None
    assert again.note is not None
    assert again.note.id == "ocpp.note.id_used_before"


@BOTH
def test_after_a_break_of_the_link_nothing_is_being_handled(version: Version) -> None:
    desk = Desk(version)
    request = desk.take([2, "a", "ClearCache", {}]).request
    desk.endpoint.start_call("Heartbeat", "id")
    desk.endpoint.reset()
    assert request is not None
    assert not desk.endpoint.is_waiting(request)
    assert desk.endpoint.open is None
    assert desk.take([2, "a", "ClearCache", {}]).request is not None


@BOTH
def test_an_unknown_action_is_a_request_with_a_note(version: Version) -> None:
    arrival = Desk(version).take([2, "a", "MakeCoffee", {"sugar": 2}])
    assert arrival.request is not None
    assert arrival.violations == ()
    assert arrival.note is not None
    assert arrival.note.params == {"action": "MakeCoffee"}


@BOTH
def test_RPC_11_our_own_answers_are_judged(version: Version) -> None:
    desk = Desk(version)
    request = desk.take([2, "a", "ClearCache", {}]).request
    assert request is not None
    good = desk.endpoint.result(request, {"status": "Accepted"})
    assert (good.kind, good.violations) == (CALLRESULT, ())
    assert json.loads(good.text) == [3, "a", {"status": "Accepted"}]
    bad = desk.endpoint.result(request, {"status": "Perhaps"})
    assert bad.violations[0].rule == "enum"
    worse = desk.endpoint.result(request, {"status": float("nan")})
    assert worse.violations[0].rule == "json"
    assert worse.text == ""


@BOTH
def test_RPC_11_our_own_calls_are_judged(version: Version) -> None:
    endpoint = Desk(version).endpoint
    assert endpoint.judge_own("Heartbeat", "request", {}) == ()
    assert endpoint.judge_own("Heartbeat", "request", {"x": 1})[0].rule == "additionalProperties"
    assert endpoint.judge_own("MakeCoffee", "request", {})[0].rule == "action"


@BOTH
def test_errors_carry_code_description_and_details(version: Version) -> None:
    desk = Desk(version)
    request = desk.take([2, "a", "ClearCache", {}]).request
    assert request is not None
    out = desk.endpoint.error(request, ErrorCode.SECURITY_ERROR, "not now", {"state": "Rejected"})
    assert out.kind == CALLERROR
    assert json.loads(out.text) == [4, "a", "SecurityError", "not now", {"state": "Rejected"}]
    assert json.loads(desk.endpoint.error(request, "GenericError").text)[3:] == ["", {}]


@BOTH
def test_the_kind_of_an_arrival_is_that_of_its_frame(version: Version) -> None:
    desk = Desk(version)
    assert desk.take([2, "a", "ClearCache", {}]).kind == CALL
    assert desk.take([9, "a"]).kind == 0
    assert desk.take("x").kind == 0
