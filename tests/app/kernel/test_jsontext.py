"""Quick JSON that never passes off what is no JSON."""

import json
import math

import pytest

from app.kernel.jsontext import dump, dump_row


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, 2.5, None, True, "x"], "b": {}},
        {"big": 10**30, "small": -(2**63)},
        {1: "a key that is a number"},
        "Grüße ⚡",
        [0.1, 1e-9, 16.1, 1e22],
    ],
)
def test_reads_back_as_it_was(value):
    assert json.loads(dump(value)) == json.loads(json.dumps(value))


def test_is_compact():
    assert dump([2, "x", {"a": 1}]) == '[2,"x",{"a":1}]'


@pytest.mark.parametrize("value", [math.nan, [math.inf], {"a": -math.inf}])
def test_not_a_number_is_refused_and_not_written_as_null(value):
    with pytest.raises(ValueError, match="JSON"):
        dump(value)


def test_what_json_does_not_know_is_refused():
    with pytest.raises(TypeError):
        dump({"a": object()})


def test_a_row_with_nulls_and_odd_numbers_reads_back():
    row = {"a": None, "big": 10**30, "b": [1, None]}
    assert json.loads(dump_row(row)) == row
    assert json.loads(dump_row({"a": None, "b": [1, None]})) == {"a": None, "b": [1, None]}
    assert json.loads(dump_row({"a": math.nan})) == {"a": None}
