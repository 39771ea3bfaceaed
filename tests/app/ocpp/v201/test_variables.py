"""Values of variables, paths, places (2.0.1 part 2, B05.FR.07, B05.FR.08)."""

from __future__ import annotations

import pytest

from app.ocpp.v201.variables import BadValue, DataType, Path, Place, Variable, normalise, split

LIST = ("One", "Two", "Three")


def made(kind: DataType, **more: object) -> Variable:
    return Variable(Place("X"), "Y", data_type=kind, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "more", "text", "stored"),
    [
        (DataType.BOOLEAN, {}, " TRUE ", "true"),
        (DataType.INTEGER, {}, "007", "7"),
        (DataType.INTEGER, {}, "+3", "3"),
        (DataType.INTEGER, {"minimum": -5}, "-5", "-5"),
        (DataType.DECIMAL, {"maximum": 2.5}, "2.50", "2.50"),
        (DataType.DECIMAL, {}, "+1.0", "1.0"),
        (DataType.STRING, {"maximum": 3}, "abc", "abc"),
        (DataType.DATE_TIME, {}, "2026-01-01T00:00:00+01:00 ", "2026-01-01T00:00:00+01:00"),
        (DataType.OPTION, {"values": LIST}, "two", "Two"),
        (DataType.MEMBERS, {"values": LIST}, "three , ONE", "Three,One"),
        (DataType.MEMBERS, {"values": LIST}, "", ""),
        (DataType.SEQUENCE, {}, "b,a", "b,a"),
    ],
)
def test_good_value_is_stored_in_one_spelling(
    kind: DataType, more: dict[str, object], text: str, stored: str
) -> None:
    """DM-02."""
    assert normalise(made(kind, **more), text) == stored


@pytest.mark.parametrize(
    ("kind", "more", "text", "reason"),
    [
        (DataType.BOOLEAN, {}, "1", "InvalidValue"),
        (DataType.INTEGER, {}, "1e3", "InvalidValue"),
        (DataType.INTEGER, {}, "", "InvalidValue"),
        (DataType.INTEGER, {"minimum": 1}, "0", "ValueTooLow"),
        (DataType.INTEGER, {"minimum": 0}, "2147483648", "ValueTooHigh"),
        (DataType.INTEGER, {}, "9" * 400, "ValueTooHigh"),
        (DataType.INTEGER, {}, "-2147483649", "ValueTooLow"),
        (DataType.INTEGER, {}, "١٢", "InvalidValue"),
        (DataType.DECIMAL, {"maximum": 2.5}, "2.51", "ValueTooHigh"),
        (DataType.DECIMAL, {}, "1.٥", "InvalidValue"),
        (DataType.DECIMAL, {}, "nan", "InvalidValue"),
        (DataType.STRING, {"maximum": 3}, "abcd", "InvalidValue"),
        (DataType.STRING, {"minimum": 3}, "ab", "InvalidValue"),
        (DataType.DATE_TIME, {}, "yesterday", "InvalidValue"),
        (DataType.OPTION, {"values": LIST}, "One,Two", "InvalidValue"),
        (DataType.OPTION, {"values": LIST}, "", "InvalidValue"),
        (DataType.MEMBERS, {"values": LIST}, "Four", "InvalidValue"),
        (DataType.MEMBERS, {"values": LIST}, "One,one", "InvalidValue"),
        (DataType.MEMBERS, {"maximum": 4}, "One,Two", "InvalidValue"),
    ],
)
def test_bad_value_is_refused_with_a_reason_code(
    kind: DataType, more: dict[str, object], text: str, reason: str
) -> None:
    """DM-02, appendix 5."""
    with pytest.raises(BadValue) as error:
        normalise(made(kind, **more), text)
    assert error.value.reason == reason


@pytest.mark.parametrize(
    "text",
    [
        "TxCtrlr.TxStartPoint",
        "OCPPCommCtrlr.MessageTimeout[Default]",
        "EVSE@2.Power",
        "Connector@2/1.ConnectorType",
        "VendorCtrlr[Left]@1.Colour[Door]",
    ],
)
def test_path_and_variable_say_the_same(text: str) -> None:
    path = Path.parse(text)
    variable = Variable(path.place, path.name, path.instance)
    assert variable.path == text
    assert path.attribute == "Actual"
    assert Path.parse(text + ":Target").attribute == "Target"


@pytest.mark.parametrize("text", ["", "OnlyAComponent", ".x", "a.", "a@x.b"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(KeyError):
        Path.parse(text)


def test_place_reads_and_writes_its_payload() -> None:
    payload = {"name": "Connector", "instance": "A", "evse": {"id": 1, "connectorId": 2}}
    assert Place.of(payload).payload() == payload
    assert (
        Place.of({"name": "connector", "instance": "a", "evse": {"id": 1, "connectorId": 2}}).key
        == Place.of(payload).key
    )


def test_members_of_a_list() -> None:
    assert split(" a, b ") == ("a", "b")
    assert split("  ") == ()
