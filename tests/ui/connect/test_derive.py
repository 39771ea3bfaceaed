"""What a pasted URL tells."""

from __future__ import annotations

import pytest

from ui.connect.derive import derive, looks_like_id, profile_for


@pytest.mark.parametrize(
    ("text", "url", "id_"),
    [
        ("wss://csms.example.com/ocpp/CS-1", "wss://csms.example.com/ocpp", "CS-1"),
        ("ws://localhost:9000/CP001/", "ws://localhost:9000", "CP001"),
        ("wss://host/ocpp", "wss://host/ocpp", ""),
        ("wss://host/ocpp/1.6", "wss://host/ocpp/1.6", ""),
        ("wss://host/ocpp2.0.1/", "wss://host/ocpp2.0.1", ""),
        ("wss://host/ocpp16j", "wss://host/ocpp16j", ""),
        (
            "ws://h:8180/steve/websocket/CentralSystemService/DE*A1",
            "ws://h:8180/steve/websocket/CentralSystemService",
            "DE*A1",
        ),
        (
            "ws://h:8180/steve/websocket/CentralSystemService",
            "ws://h:8180/steve/websocket/CentralSystemService",
            "",
        ),
        ("wss://host/ocpp/Depot%207", "wss://host/ocpp", "Depot 7"),
        ("wss://host/ocpp/4711?tenant=a", "wss://host/ocpp?tenant=a", "4711"),
        ("wss://host/ocpp/{chargePointId}", "wss://host/ocpp", ""),
        ("wss://host/ocpp/<station>", "wss://host/ocpp", ""),
        ("wss://[::1]:9000/ocpp/CS-1", "wss://[::1]:9000/ocpp", "CS-1"),
        ('  "wss://host/CS-1", ', "wss://host", "CS-1"),
        ("<wss://host/CS-1>", "wss://host", "CS-1"),
    ],
)
def test_the_id_is_found_where_the_last_part_looks_like_one(text: str, url: str, id_: str) -> None:
    derived = derive(text)
    assert (derived.url, derived.station_id) == (url, id_)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://csms.example.com/ocpp", "wss://csms.example.com/ocpp"),
        ("http://csms.example.com/ocpp", "ws://csms.example.com/ocpp"),
        ("WSS://csms.example.com/ocpp", "wss://csms.example.com/ocpp"),
        ("csms.example.com/ocpp", "wss://csms.example.com/ocpp"),
        ("localhost:9000/ocpp", "ws://localhost:9000/ocpp"),
        ("192.168.1.20:9000/ocpp", "ws://192.168.1.20:9000/ocpp"),
        ("box.local/ocpp", "ws://box.local/ocpp"),
        ("8.8.8.8/ocpp", "wss://8.8.8.8/ocpp"),
    ],
)
def test_a_missing_or_other_scheme_becomes_a_websocket_one(text: str, url: str) -> None:
    assert derive(text).url == url


def test_user_and_password_are_taken_out() -> None:
    derived = derive("wss://CS-1:s%3Acret@csms.example.com/ocpp/CS-1")
    assert derived.url == "wss://csms.example.com/ocpp"
    assert derived.kept_url == "wss://csms.example.com/ocpp/CS-1"
    assert (derived.user, derived.password) == ("CS-1", "s:cret")
    assert "cret" not in repr(derived)


@pytest.mark.parametrize("text", ["ws://u:secret@h:notaport/x", "ws://u:secret@[broken/x"])
def test_even_what_is_no_url_shows_no_password(text: str) -> None:
    assert "secret" not in derive(text).kept_url


@pytest.mark.parametrize("text", ["", "   ", "://", "ws://", "wss:///x", "\x00", "ws://[x/CS-1"])
def test_nonsense_stays_as_it_was_typed_and_never_raises(text: str) -> None:
    derived = derive(text)
    assert derived.url.removeprefix("ws://") == text.strip().removeprefix("ws://")
    assert (derived.kept_url, derived.station_id) == (derived.url, "")


def test_what_was_changed_is_told() -> None:
    assert [note.id for note in derive("https://host/CS-1").notes] == [
        "connect.note.http",
        "connect.note.id",
    ]
    assert [note.id for note in derive("host.example.com/{id}").notes] == [
        "connect.note.scheme",
        "connect.note.placeholder",
    ]


@pytest.mark.parametrize("part", ["CS-1", "4711", "CP001", "DE*ABC*E1", "station_7", "DEPOT-A"])
def test_ids(part: str) -> None:
    assert looks_like_id(part)


@pytest.mark.parametrize(
    "part", ["", "ocpp", "OCPP", "v1", "1.6", "2.0.1", "201", "16J", "ws", "tenant"]
)
def test_no_ids(part: str) -> None:
    assert not looks_like_id(part)


@pytest.mark.parametrize(
    ("secure", "password", "certificate", "profile"),
    [
        (False, False, False, 0),
        (False, True, True, 1),
        (True, False, False, 0),
        (True, True, False, 2),
        (True, True, True, 3),
    ],
)
def test_the_security_profile_follows(
    secure: bool, password: bool, certificate: bool, profile: int
) -> None:
    assert profile_for(secure=secure, password=password, certificate=certificate) == profile
