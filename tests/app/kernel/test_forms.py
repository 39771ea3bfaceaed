"""Forms: what fills them, every place where something does not, and their JSON schema."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, field, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import jsonschema
import pytest

from app.kernel.catalogue import Catalogue
from app.kernel.form_schema import schema_of
from app.kernel.forms import (
    Limits,
    RuleBroken,
    Spelling,
    Unfilled,
    about,
    as_data,
    fill,
    form,
    names,
    required,
    values,
)
from app.kernel.text import Text

CATALOGUE = Catalogue.load()


def shout(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value.upper()


class Colour(Enum):
    """What it is painted with."""

    RED = "red"
    BLUE = "blue"


@form
class Wheel:
    """One of the wheels."""

    size: Annotated[float, Limits(gt=0, le=30)]
    spare: bool = False


@form
class Note:
    """A word on the side, or more about it."""

    shorthand: ClassVar[str] = "text"

    text: Annotated[str, Spelling(shout, "string", ("string",))]
    loud: bool = False


@form
class Cart:
    """A thing on wheels."""

    name: Annotated[str, Limits(min_length=1, max_length=10, pattern="^[a-z]+$")]
    wheels: Annotated[tuple[Wheel, ...], Limits(min_length=1, max_length=4)]
    colour: Colour = Colour.RED
    gears: Literal[1, 3, 7] = 3
    seats: Annotated[int, Limits(ge=1, lt=9)] | None = None
    built: datetime | None = None
    manual: Path | None = about("Where it is explained.", default=None)
    load: tuple[float, float] = (0.0, 1.0)
    notes: dict[Annotated[str, Limits(max_length=3)], Note] = field(default_factory=dict)
    extra: Any = None

    def __post_init__(self) -> None:
        if self.gears == 7 and len(self.wheels) < 2:
            raise RuleBroken(Text("form.bool"))


SOUND: dict[str, Any] = {"name": "van", "wheels": [{"size": 20}, {"size": 20.5, "spare": True}]}


def slips(data: Any) -> dict[str, str]:
    """What is wrong with a cart: the kind by place."""
    with pytest.raises(Unfilled) as caught:
        fill(Cart, data)
    return {slip.place: slip.kind for slip in caught.value.slips}


def test_what_is_left_out_has_its_default_and_nothing_changes_later() -> None:
    cart = fill(Cart, SOUND)
    assert cart.wheels == (Wheel(size=20.0), Wheel(size=20.5, spare=True))
    assert (cart.colour, cart.gears, cart.seats, cart.load) == (Colour.RED, 3, None, (0.0, 1.0))
    with pytest.raises(FrozenInstanceError):
        cart.name = "other"  # type: ignore[misc]
    assert replace(cart, name="other") != cart


def test_every_kind_of_place_is_read_from_what_json_has() -> None:
    cart = fill(
        Cart,
        SOUND
        | {
            "colour": "blue",
            "gears": 7,
            "seats": 2.0,
            "built": "2026-05-01T08:00:00Z",
            "manual": "a/b.txt",
            "load": [1, 2.5],
            "notes": {"a": {"text": "x", "loud": True}},
            "extra": [{"any": None}],
        },
    )
    assert (cart.colour, cart.gears, cart.seats) == (Colour.BLUE, 7, 2)
    assert isinstance(cart.seats, int)
    assert cart.built == datetime(2026, 5, 1, 8, tzinfo=UTC)
    assert (cart.manual, cart.load) == (Path("a/b.txt"), (1.0, 2.5))
    assert cart.notes == {"a": Note(text="X", loud=True)}
    assert cart.extra == [{"any": None}]


def test_a_lone_value_stands_for_the_field_that_the_form_names() -> None:
    assert fill(Cart, SOUND | {"notes": {"a": "x"}}).notes == {"a": Note(text="X")}
    assert slips(SOUND | {"notes": {"a": 5}}) == {"notes.a.text": "string"}


@pytest.mark.parametrize(
    ("change", "place", "kind"),
    [
        ({"name": 5}, "name", "string"),
        ({"name": "\ud800"}, "name", "string"),
        ({"name": ""}, "name", "min_length"),
        ({"name": "a" * 11}, "name", "max_length"),
        ({"name": "van\n"}, "name", "pattern"),
        ({"wheels": []}, "wheels", "min_length"),
        ({"wheels": {}}, "wheels", "list"),
        ({"wheels": [{"size": 1}, 5]}, "wheels[2]", "table"),
        ({"wheels": [{"size": 1}, {}]}, "wheels[2].size", "missing"),
        ({"wheels": [{"size": 1, "tyre": 2}]}, "wheels[1].tyre", "unknown"),
        ({"wheels": [{"size": 0}]}, "wheels[1].size", "gt"),
        ({"wheels": [{"size": 31}]}, "wheels[1].size", "le"),
        ({"wheels": [{"size": "20"}]}, "wheels[1].size", "float"),
        ({"wheels": [{"size": True}]}, "wheels[1].size", "float"),
        ({"wheels": [{"size": float("nan")}]}, "wheels[1].size", "float"),
        ({"wheels": [{"size": 10**400}]}, "wheels[1].size", "float"),
        ({"wheels": [{"size": 1, "spare": 1}]}, "wheels[1].spare", "bool"),
        ({"colour": "green"}, "colour", "one_of"),
        ({"colour": ["red"]}, "colour", "one_of"),
        ({"gears": 2}, "gears", "one_of"),
        ({"gears": True}, "gears", "one_of"),
        ({"seats": 0}, "seats", "ge"),
        ({"seats": 9}, "seats", "lt"),
        ({"seats": 1.5}, "seats", "int"),
        ({"seats": "1"}, "seats", "int"),
        ({"seats": float("inf")}, "seats", "int"),
        ({"built": "soon"}, "built", "moment"),
        ({"built": 5}, "built", "moment"),
        ({"manual": 5}, "manual", "string"),
        ({"load": [1]}, "load", "min_length"),
        ({"load": [1, 2, 3]}, "load", "max_length"),
        ({"load": [1, "2"]}, "load[2]", "float"),
        ({"notes": []}, "notes", "table"),
        ({"notes": {"long": "x"}}, "notes.long", "max_length"),
    ],
)
def test_a_place_that_is_not_as_it_should_be_is_told_with_what_was_expected(
    change: dict[str, Any], place: str, kind: str
) -> None:
    assert slips(SOUND | change) == {place: kind}
    with pytest.raises(Unfilled) as caught:
        fill(Cart, SOUND | change)
    (slip,) = caught.value.slips
    if kind not in ("missing", "unknown"):
        assert slip.expected.id in CATALOGUE
        assert "{" not in CATALOGUE.render(slip.expected)


def test_all_slips_are_told_in_the_order_of_the_form_and_what_nobody_knows_last() -> None:
    wrong = {"zzz": 1, "aaa": 1, "wheels": 5, "gears": 2}
    assert list(slips(wrong)) == ["name", "wheels", "gears", "zzz", "aaa"]


def test_the_choices_are_told() -> None:
    with pytest.raises(Unfilled) as caught:
        fill(Cart, SOUND | {"colour": "green", "gears": 2})
    said = [CATALOGUE.render(slip.expected) for slip in caught.value.slips]
    assert said == ["one of 'red' or 'blue'", "one of 1, 3 or 7"]


def test_a_rule_is_asked_only_where_each_field_alone_is_sound() -> None:
    with pytest.raises(Unfilled) as caught:
        fill(Cart, {"name": "van", "wheels": [{"size": 1}], "gears": 7})
    (slip,) = caught.value.slips
    assert (slip.place, slip.rule) == ("/", Text("form.bool"))
    assert slips({"name": 5, "wheels": [{"size": 1}], "gears": 7}) == {"name": "string"}
    with pytest.raises(RuleBroken):
        Cart(name="van", wheels=(Wheel(size=1),), gears=7)


@pytest.mark.parametrize("data", [None, [], "x", 5])
def test_what_is_no_table_fills_no_form(data: Any) -> None:
    assert slips(data) == {"/": "table"}


def test_a_form_as_data_fills_the_same_form_again() -> None:
    cart = fill(
        Cart,
        SOUND
        | {
            "built": "2026-05-01T08:00:00.000123+02:00",
            "manual": "m",
            "notes": {"a": "x"},
            "extra": {"a": None},
        },
    )
    data = as_data(cart)
    assert fill(Cart, json.loads(json.dumps(data))) == cart
    assert data["seats"] is None
    assert "seats" not in as_data(cart, without_none=True)
    assert as_data(cart, without_none=True)["extra"] == {"a": None}, "that is no field of a form"
    assert values(cart).keys() == set(names(Cart))
    assert required(Cart) == ("name", "wheels")


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"name": ""},
        {"name": "UPPER"},
        {"wheels": []},
        {"wheels": [{"size": 0}]},
        {"wheels": [{"size": 1, "tyre": 2}]},
        {"colour": "green"},
        {"gears": 2},
        {"gears": 7},
        {"seats": None},
        {"seats": 9},
        {"seats": 2.0},
        {"seats": 1.5},
        {"load": [1]},
        {"load": [1, 2]},
        {"notes": {"a": "x"}},
        {"notes": {"a": {"text": "x", "loud": True}}},
        {"notes": {"a": 5}},
        {"notes": {"long": "x"}},
        {"extra": {"any": []}},
        {"manual": 5},
    ],
)
def test_the_json_schema_takes_what_fills_the_form_and_nothing_else(change: dict[str, Any]) -> None:
    data = SOUND | change
    try:
        fill(Cart, data)
    except Unfilled:
        good = False
    else:
        good = True
    assert jsonschema.Draft202012Validator(schema_of(Cart)).is_valid(data) is good


def test_the_json_schema_has_the_words_of_the_form() -> None:
    schema = schema_of(Cart)
    assert schema["description"] == "A thing on wheels."
    assert schema["required"] == ["name", "wheels"]
    assert schema["properties"]["manual"]["description"] == "Where it is explained."
    assert schema["properties"]["gears"]["default"] == 3
    assert schema["$defs"]["Colour"]["enum"] == ["red", "blue"]
    assert schema["$defs"]["Note"]["type"] == ["object", "string"]
