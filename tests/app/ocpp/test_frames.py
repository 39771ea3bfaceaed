"""Frames as text (RPC-02, RPC-04, RPC-06)."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from app.ocpp import frames
from app.ocpp.frames import MAX_DEPTH, MAX_FRAME, Call, CallError, CallResult, Fault, NotOcpp, parse


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ('[2,"a","Heartbeat",{}]', Call("a", "Heartbeat", {})),
        (' [ 2 , "a" , "Heartbeat" , {} ] ', Call("a", "Heartbeat", {})),
        ('[2,"a","Heartbeat",null]', Call("a", "Heartbeat", {})),
        ('[2,"a","Heartbeat",[1]]', Call("a", "Heartbeat", [1])),
        ('[3,"a",{"x":1}]', CallResult("a", {"x": 1})),
        ('[3,"a",null]', CallResult("a", {})),
        ('[4,"a","GenericError","why",{"x":1}]', CallError("a", "GenericError", "why", {"x": 1})),
    ],
)
def test_RPC_02_the_three_frames_are_read(text: str, frame: Any) -> None:
    assert parse(text) == frame


@pytest.mark.parametrize("odd", ["null", '""', '"-1"'])
def test_an_error_without_a_usable_id_is_still_an_error(odd: str) -> None:
    assert parse(f'[4,{odd},"GenericError","",{{}}]') == CallError(None, "GenericError", "", {})


@pytest.mark.parametrize(
    ("text", "code", "description", "details"),
    [
        ('[4,"a"]', "", "", {}),
        ('[4,"a","GenericError"]', "GenericError", "", {}),
        ('[4,"a","GenericError","why"]', "GenericError", "why", {}),
        ('[4,"a","GenericError",null,null]', "GenericError", "", {}),
        ('[4,"a",500,"why",{}]', "500", "why", {}),
        ('[4,"a","GenericError",{"a":1},{}]', "GenericError", "{'a': 1}", {}),
        ('[4,"a","GenericError","why",{},1]', "GenericError", "why", {}),
    ],
)
def test_a_sloppy_error_is_read_as_far_as_it_goes(
    text: str, code: str, description: str, details: Any
) -> None:
    frame = parse(text)
    assert isinstance(frame, CallError)
    assert (frame.code, frame.description, frame.details) == (code, description, details)


def test_a_sloppy_answer_keeps_its_id_and_says_what_is_wrong() -> None:
    assert parse('[3,"a"]') == CallResult("a", {}, "2 elements, not 3")
    assert parse('[3,"a",{},1]') == CallResult("a", {}, "4 elements, not 3")


@pytest.mark.parametrize(
    ("text", "fault", "message_id", "kind"),
    [
        (b"\x02\x00", Fault.BINARY, None, None),
        ("", Fault.NOT_JSON, None, None),
        ("hello", Fault.NOT_JSON, None, None),
        ('[2,"a","Heartbeat",{}', Fault.NOT_JSON, None, None),
        ('[2,"a","Heartbeat",{"x":NaN}]', Fault.NOT_JSON, None, None),
        ('[2,"a","Heartbeat",{"x":Infinity}]', Fault.NOT_JSON, None, None),
        ('[2,"a","Heartbeat",{"x":"\\ud800"}]', Fault.NOT_JSON, None, None),
        ("[" * 5_000, Fault.TOO_DEEP, None, None),
        ("[" * 100_000, Fault.TOO_MANY, None, None),
        ("[3," + "[]," * 30_000 + "1]", Fault.TOO_MANY, None, 3),
        ('[3,"a",{', Fault.NOT_JSON, None, 3),
        (' [ 4, "a"', Fault.NOT_JSON, None, 4),
        ("{}", Fault.NOT_A_FRAME, None, None),
        ("[]", Fault.NOT_A_FRAME, None, None),
        ("5", Fault.NOT_A_FRAME, None, None),
        ("null", Fault.NOT_A_FRAME, None, None),
        ('["2","a","Heartbeat",{}]', Fault.NOT_A_FRAME, "a", None),
        ('[true,"a"]', Fault.NOT_A_FRAME, "a", None),
        ('[2.0,"a","Heartbeat",{}]', Fault.NOT_A_FRAME, "a", None),
        ('[5,"a",{}]', Fault.MESSAGE_TYPE, "a", 5),
        ("[0]", Fault.MESSAGE_TYPE, None, 0),
        ('[99,7,"x"]', Fault.MESSAGE_TYPE, None, 99),
        ("[2]", Fault.MESSAGE_ID, None, 2),
        ('[2,7,"Heartbeat",{}]', Fault.MESSAGE_ID, None, 2),
        ('[2,"","Heartbeat",{}]', Fault.MESSAGE_ID, None, 2),
        (f'[2,"{"x" * 37}","Heartbeat",{{}}]', Fault.MESSAGE_ID, "x" * 37, 2),
        ('[2,"a"]', Fault.STRUCTURE, "a", 2),
        ('[2,"a",5,{}]', Fault.STRUCTURE, "a", 2),
        ('[2,"a","Heartbeat"]', Fault.STRUCTURE, "a", 2),
        ('[2,"a","Heartbeat",{},{}]', Fault.STRUCTURE, "a", 2),
        ("[3]", Fault.MESSAGE_ID, None, 3),
        ("[3,null,{}]", Fault.MESSAGE_ID, None, 3),
        ('[4,7,"GenericError","",{}]', Fault.MESSAGE_ID, None, 4),
    ],
)
def test_RPC_06_what_is_no_frame_is_named(
    text: str | bytes, fault: Fault, message_id: str | None, kind: int | None
) -> None:
    frame = parse(text)
    assert isinstance(frame, NotOcpp)
    assert (frame.fault, frame.message_id, frame.kind) == (fault, message_id, kind)
    assert frame.is_answer == (kind in (3, 4))


@pytest.mark.parametrize(
    ("head", "message_id", "kind"),
    [('[2,"a","DataTransfer",', "a", 2), ('[3,"a",', "a", 3), ('[4,"a","","",', "a", 4)],
)
def test_what_is_nested_too_deeply_is_refused_with_its_id(
    head: str, message_id: str, kind: int
) -> None:
    def nested(depth: int) -> str:
        odd = '"]}[{",' * 5
        return head + '{"a":[' + odd + '{"a":' * (depth - 2) + "1" + "}" * (depth - 2) + "]}]"

    assert not isinstance(parse(nested(MAX_DEPTH - 2)), NotOcpp)
    frame = parse(nested(MAX_DEPTH + 1))
    assert isinstance(frame, NotOcpp)
    assert (frame.fault, frame.message_id, frame.kind) == (Fault.TOO_DEEP, message_id, kind)


def test_RPC_04_an_id_of_36_characters_is_the_longest() -> None:
    assert isinstance(parse(f'[2,"{"x" * 36}","Heartbeat",{{}}]'), Call)


def test_a_frame_that_is_too_long_is_not_parsed_but_a_call_is_known_by_its_head() -> None:
    frame = parse('[2,"a","DataTransfer",{"vendorId":"v"}]', max_chars=20)
    assert frame == NotOcpp(Fault.TOO_LONG, "a", 2, "DataTransfer", "39", 20)
    assert parse('[2,7,"DataTransfer",{"vendorId":"v"}]', max_chars=20) == NotOcpp(
        Fault.TOO_LONG, detail="37", limit=20
    )
    assert parse('[3,"a",{"currentTime":"x"}]', max_chars=20) == NotOcpp(
        Fault.TOO_LONG, "a", 3, detail="27", limit=20
    )
    assert parse('[4,7,"GenericError","",{}]', max_chars=20) == NotOcpp(
        Fault.TOO_LONG, kind=4, detail="26", limit=20
    )


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        ('"' + "x" * MAX_FRAME + '"', Fault.TOO_LONG),
        ("[" + "[]," * 30_000 + "1]", Fault.TOO_MANY),
        ('{"a":' * 1_500 + "1" + "}" * 1_500, Fault.TOO_DEEP),
    ],
)
def test_a_call_beyond_a_limit_keeps_its_id(payload: str, fault: Fault) -> None:
    frame = parse(f' [2, "a" ,"DataTransfer" , {payload}]')
    assert isinstance(frame, NotOcpp)
    assert (frame.fault, frame.message_id, frame.action) == (fault, "a", "DataTransfer")


def test_parse_survives_any_text() -> None:
    """Nothing that comes in may raise: 20,000 mangled frames."""
    random = Random(7)
    seeds = [
        '[2,"id-1","StatusNotification",{"connectorId":1,"status":"Available"}]',
        '[3,"id-1",{"currentTime":"2026-01-15T08:00:00Z","interval":300}]',
        '[4,"id-1","GenericError","why",{"a":[1,2,{"b":null}]}]',
    ]
    alphabet = '[]{},:"0123456789.eE+-truefalsn\\u\ud800\x00é '
    for _ in range(20_000):
        text = list(random.choice(seeds))
        for _ in range(random.randint(1, 6)):
            place = random.randrange(len(text))
            text[place : place + random.randint(0, 3)] = random.choice(alphabet)
        parse("".join(text))


def test_frames_are_written_as_they_are_read() -> None:
    assert parse(frames.build_call("a", "Reset", {"type": "Soft"})) == Call(
        "a", "Reset", {"type": "Soft"}
    )
    assert parse(frames.build_result("a", {"status": "ä"})) == CallResult("a", {"status": "ä"})
    assert parse(frames.build_error("a", "GenericError", "w", {"x": 1})) == CallError(
        "a", "GenericError", "w", {"x": 1}
    )
    assert frames.build_call_around("a", "Reset", '{"x": [}') == '[2,"a","Reset",{"x": [}]'


def test_frames_are_compact_and_keep_national_letters() -> None:
    assert frames.build_call("a", "X", {"b": 1, "c": "ü"}) == '[2,"a","X",{"b":1,"c":"ü"}]'


def test_RPC_06_a_description_is_cut_at_255_characters() -> None:
    text = frames.build_error("a", "GenericError", "x" * 300, {})
    assert len(json.loads(text)[3]) == 255


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), b"x", "\ud800"])
def test_what_is_no_json_cannot_be_written(value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        frames.build_result("a", {"x": value})
