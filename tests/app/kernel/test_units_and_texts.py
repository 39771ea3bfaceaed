"""Time stamps, ids, texts, catalogues and resources."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.catalogue import Catalogue
from app.kernel.ids import random_ids, seeded_ids
from app.kernel.resources import resource, resource_texts
from app.kernel.text import Text
from app.kernel.units import parse_stamp, stamp, with_zone

MOMENT = datetime(2024, 2, 29, 23, 59, 58, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (MOMENT, "2024-02-29T23:59:58Z"),
        (MOMENT.replace(microsecond=123_999), "2024-02-29T23:59:58.123Z"),
        (MOMENT.replace(microsecond=999), "2024-02-29T23:59:58Z"),
        (MOMENT.astimezone(timezone(timedelta(hours=5, minutes=30))), "2024-02-29T23:59:58Z"),
        (datetime(33, 4, 3, 15, tzinfo=UTC), "0033-04-03T15:00:00Z"),
    ],
)
def test_a_stamp_is_utc_with_z_and_at_most_milliseconds(moment: datetime, text: str) -> None:
    assert stamp(moment) == text


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-29T23:59:58Z",
        "2024-02-29t23:59:58z",
        "2024-02-29T23:59:58",
        " 2024-02-29 23:59:58Z ",
        "2024-03-01T05:29:58+05:30",
        "2024-03-01T05:29:58+0530",
        "2024-02-29T18:59:58-05:00",
        "2024-02-29T23:59:58.000000000Z",
    ],
)
def test_every_legal_form_of_a_stamp_is_read(text: str) -> None:
    assert parse_stamp(text) == MOMENT


@pytest.mark.parametrize(
    ("fraction", "micros"), [("5", 500_000), ("123456", 123_456), ("1234569", 123_456)]
)
def test_fractions_of_any_length_are_read_to_the_microsecond(fraction: str, micros: int) -> None:
    assert parse_stamp(f"2024-02-29T23:59:58.{fraction}Z") == MOMENT.replace(microsecond=micros)


def test_a_leap_second_is_the_next_second() -> None:
    assert parse_stamp("2016-12-31T23:59:60Z") == datetime(2017, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2024-02-30T00:00:00Z",
        "2024-02-29",
        "2024-02-29T24:30:00Z",
        "2024-02-29T23:59Z",
        "2024-02-29T23:59:58+24:00",
        "2024-02-29T23:59:58+01:60",
        "2024-02-29T23:59:58 CET",
        "２０２４-02-29T23:59:58Z",
        "0001-01-01T00:00:00+10:00",
    ],
)
def test_anything_else_is_no_stamp(text: str) -> None:
    with pytest.raises(ValueError, match=r"date-time|day|hour|month|second"):
        parse_stamp(text)


@given(st.integers(0, 9_000 * 365 * 86_400_000_000))
def test_a_stamp_read_back_is_the_same_to_the_millisecond(micros: int) -> None:
    moment = datetime(1, 1, 2, tzinfo=UTC) + timedelta(microseconds=micros)
    back = parse_stamp(stamp(moment))
    assert timedelta(0) <= moment - back < timedelta(milliseconds=1)


def test_a_moment_without_a_zone_is_of_this_computers() -> None:
    there = datetime(2024, 2, 29, 12, tzinfo=timezone(timedelta(hours=5)))
    assert with_zone(there) is there
    here = datetime(2024, 2, 29, 12)  # noqa: DTZ001 - it is what this is about
    assert with_zone(here).tzinfo is not None
    assert with_zone(here).replace(tzinfo=None) == here
    with pytest.raises(ValueError, match=r"year|no moment"):
        with_zone(datetime(1, 1, 1))  # noqa: DTZ001 - UTC may be out of the calendar


def test_ids_are_unique_and_the_seeded_ones_repeat() -> None:
    fresh = random_ids()
    made = [fresh() for _ in range(100)]
    assert len(set(made)) == 100
    assert {len(one) for one in made} == {36}
    one, other, third = seeded_ids(7), seeded_ids(7), seeded_ids(8)
    assert [one() for _ in range(5)] == [other() for _ in range(5)]
    assert one() != third()


def test_a_fresh_id_is_a_random_uuid_of_rfc_4122() -> None:
    made = [uuid.UUID(random_ids()()) for _ in range(200)]
    assert {(one.version, one.variant) for one in made} == {(4, uuid.RFC_4122)}
    # all four digits that say "RFC 4122" come up: no bit of chance is lost
    assert {str(one)[19] for one in made} == set("89ab")


def test_equal_texts_are_one_key() -> None:
    one = Text("a.b", {"x": 1, "y": Text("a.c")})
    other = Text("a.b", {"y": Text("a.c"), "x": 1})
    assert one == other
    assert len({one, other, Text("a.b")}) == 2


def test_a_catalogue_fills_gaps_also_with_further_texts() -> None:
    catalogue = Catalogue({"a.outer": "{name} is {state}", "a.state": "{kw:.1f} kW"})
    text = Text("a.outer", {"name": "EVSE 1", "state": Text("a.state", {"kw": 11.04})})
    assert catalogue.render(text) == "EVSE 1 is 11.0 kW"
    assert "a.outer" in catalogue
    assert "a.other" not in catalogue


def test_a_missing_sentence_shows_its_id_and_is_not_fatal() -> None:
    catalogue = Catalogue({})
    assert catalogue.render(Text("a.b")) == "a.b"
    assert catalogue.render(Text("a.b", {"x": 1})) == "a.b {'x': 1}"


@pytest.mark.parametrize(
    "sentence", ["{missing}", "{x:.1f}", "{x.nothing}", "{x[0][1][2]}", "{", "{0}", "{none:d}"]
)
def test_a_sentence_with_a_broken_gap_is_shown_with_its_values(sentence: str) -> None:
    text = Text("a.b", {"x": "word", "none": None})
    assert Catalogue({"a.b": sentence}).render(text).startswith(sentence)


def test_what_a_language_lacks_is_taken_from_english(tmp_path: Path) -> None:
    for language, lines in (("en", '"a.x" = "yes"\n"a.y" = "no"'), ("de", '"a.x" = "ja"')):
        (tmp_path / language).mkdir()
        (tmp_path / language / "a.toml").write_text(lines, "utf-8")
    catalogue = Catalogue.load("de", tmp_path)
    assert [catalogue.render(Text(key)) for key in ("a.x", "a.y")] == ["ja", "no"]
    assert catalogue.language == "de"


def test_a_broken_catalogue_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "area.toml").write_text("a = ", "utf-8")
    with pytest.raises(ValueError, match=r"^area\.toml: "):
        Catalogue.load("en", tmp_path)


def test_all_catalogues_of_the_program_load() -> None:
    assert "station.refused.no_power" in Catalogue.load()


def test_resources_lie_beside_the_program_and_in_a_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resource("translations", "en").is_dir()
    assert "home-ac-11" in resource_texts("blueprints")
    monkeypatch.setattr("sys._MEIPASS", str(tmp_path), raising=False)
    assert resource("x") == tmp_path / "resources" / "x"
    assert resource_texts("nothing") == {}
