"""Frames as readable lines, each knowing its field."""

from __future__ import annotations

import json

import pytest

from ui.messages.pretty import Line, join, payload_of, pretty


@pytest.mark.parametrize("levels", [600, 980, 1_300, 5_000, 20_000])
def test_a_frame_that_is_nested_too_deeply_is_shown_as_it_is(levels: int) -> None:
    """How deep a text is read depends on the Python: none may end in a fault of ours."""
    text = '[2, "id", "Reset", ' + '{"a":' * levels + "1" + "}" * levels + "]"
    lines = pretty(text)
    assert lines == [Line(text, None)] or len(lines) == 2 * levels + 3


def test_each_line_knows_its_field() -> None:
    text = json.dumps([2, "id", "Reset", {"a": {"b": [1, {"c": "x"}]}, "e": {}}])
    assert pretty(text) == [
        Line('[2, "id", "Reset",', None),
        Line("  {", ""),
        Line('    "a": {', "a"),
        Line('      "b": [', "a.b"),
        Line("        1,", "a.b[0]"),
        Line("        {", "a.b[1]"),
        Line('          "c": "x"', "a.b[1].c"),
        Line("        }", "a.b[1]"),
        Line("      ]", "a.b"),
        Line("    },", "a"),
        Line('    "e": {}', "e"),
        Line("  }", ""),
        Line("]", None),
    ]


@pytest.mark.parametrize(
    "frame",
    [
        [2, "id", "Reset", {"type": "Immediate"}],
        [3, "id", {"status": "Accepted"}],
        [4, "id", "InternalError", "words", {"why": [1, 2]}],
        [2, "id", "Odd"],
        [3, "id", {}, "more", 5],
        [[1], 2],
        {"no": "frame"},
        [1, 2, 3],
        "word",
        [],
    ],
)
def test_the_lines_are_the_same_json(frame: object) -> None:
    lines = pretty(json.dumps(frame))
    assert json.loads("\n".join(line.text for line in lines)) == frame


@pytest.mark.parametrize("text", ["", "no json", "[2,", "[" * 100_000])
def test_what_is_no_json_is_shown_as_it_is(text: str) -> None:
    assert "\n".join(line.text for line in pretty(text)) == text
    assert payload_of(text) is None


def test_payloads_of_all_kinds_of_frames() -> None:
    assert payload_of(None) is None
    assert payload_of('[2,"i","A",{"a":1}]') == {"a": 1}
    assert payload_of('[3,"i",{"a":2}]') == {"a": 2}
    assert payload_of('[4,"i","C","d",{"a":3}]') == {
        "errorCode": "C",
        "errorDescription": "d",
        "errorDetails": {"a": 3},
    }
    assert payload_of('[4,"i","C"]') == {"errorCode": "C"}
    assert payload_of('["2","i","A",{}]') is None
    assert payload_of('[2,"i"]') is None
    assert payload_of("{}") is None


def test_paths() -> None:
    assert join(join(join("", "a"), 3), "b") == "a[3].b"
