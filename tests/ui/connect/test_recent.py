"""The list of former connections on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ui.connect.recent import FILE, MOST, RecentConnections
from ui.connect.request import ConnectRequest

ONE = ConnectRequest(
    "wss://csms.example.com/ocpp",
    "CS-1",
    "auto",
    2,
    "hush",
    "/ca.pem",
    subprotocols=("ocpp1.6", "ocpp2.0.1"),
)


def test_connections_come_back_newest_first_without_their_passwords(tmp_path: Path) -> None:
    recent = RecentConnections(tmp_path)
    recent.remember(ONE)
    recent.remember(ConnectRequest("ws://10.0.0.7", "CS-2"))
    recent.remember(ONE)
    again = RecentConnections(tmp_path).all()
    assert [one.station_id for one in again] == ["CS-1", "CS-2"]
    assert again[0].password is None
    assert (again[0].version, again[0].security_profile, again[0].ca) == ("auto", 2, "/ca.pem")
    assert again[0].subprotocols == ("ocpp1.6", "ocpp2.0.1")
    assert "hush" not in (tmp_path / FILE).read_text("utf-8")


def test_secrets_in_an_address_are_not_written(tmp_path: Path) -> None:
    RecentConnections(tmp_path).remember(
        ConnectRequest("wss://u:hush@csms.example.com/ocpp?access_token=quiet", "CS-1")
    )
    text = (tmp_path / FILE).read_text("utf-8")
    assert "hush" not in text
    assert "quiet" not in text
    assert "csms.example.com/ocpp" in text


def test_the_list_has_an_end_and_entries_can_be_forgotten(tmp_path: Path) -> None:
    recent = RecentConnections(tmp_path)
    for number in range(MOST + 5):
        recent.remember(ConnectRequest("ws://10.0.0.7", f"CS-{number}"))
    assert len(recent.all()) == MOST
    recent.forget(recent.all()[0])
    assert len(RecentConnections(tmp_path).all()) == MOST - 1


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"connections": 4}',
        '{"connections": [{"url": 5}]}',
        '{"connections": [{"url": "ws://h", "security_profile": 9}]}',
        '{"connections": [{"url": "ws://h", "version": "9"}]}',
        '{"connections": [{"url": "ws://h", "subprotocols": "ocpp1.6"}]}',
    ],
)
def test_a_damaged_list_is_kept_aside_and_told(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, "utf-8")
    recent = RecentConnections(tmp_path)
    assert recent.all() == ()
    assert recent.told is not None
    aside = tmp_path / str(recent.told.params["file"])
    assert aside.read_text("utf-8") == text
    recent.remember(ONE)
    assert json.loads((tmp_path / FILE).read_text("utf-8"))["connections"]


def test_a_folder_that_cannot_be_written_is_told_and_not_fatal(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", "utf-8")
    recent = RecentConnections(tmp_path / "file")
    recent.remember(ONE)
    assert recent.all()
    assert recent.told is not None
