"""URLs taken apart, and shown without what is secret about them."""

from __future__ import annotations

import pytest

from app.ocpp.context import TransferFailed, TransferTrouble
from app.transfer.places import file_name, place, shown


def test_user_and_password_come_out_of_the_url_decoded() -> None:
    where = place("ftp://station:p%40ss@files.example:2121/a/b.bin")
    assert (where.user, where.password) == ("station", "p@ss")
    assert where.url == "ftp://files.example:2121/a/b.bin"
    assert (where.host, where.port, where.server) == ("files.example", 2121, "files.example:2121")
    assert "p@ss" not in repr(where)


def test_a_password_with_an_at_sign_is_hidden_as_a_whole() -> None:
    assert place("ftp://u:p@ss@h/x").password == "p@ss"
    assert shown("ftp://u:p@ss@h/x") == "ftp://h/x"


@pytest.mark.parametrize(
    ("url", "port"),
    [("http://h/x", 80), ("https://h/x", 443), ("ftp://h/x", 21), ("ftps://h/x", 990)],
)
def test_each_scheme_has_its_usual_port(url: str, port: int) -> None:
    where = place(url)
    assert where.port == port
    assert where.server == "h"


def test_the_address_of_a_newer_kind_keeps_its_brackets() -> None:
    where = place("http://[::1]:8080/x")
    assert (where.host, where.server, where.url) == ("::1", "[::1]:8080", "http://[::1]:8080/x")


@pytest.mark.parametrize("url", ["http://", "http://h:99999/x", "ftp:///x", "http://[1/x"])
def test_what_is_no_url_is_a_bad_message(url: str) -> None:
    with pytest.raises(TransferFailed) as failed:
        place(url)
    assert failed.value.trouble is TransferTrouble.BAD_MESSAGE
    assert failed.value.text.id == "transfer.bad_url"


@pytest.mark.parametrize("url", ["sftp://u:secret@h/x", "file:///etc/passwd", "nothing", ""])
def test_other_schemes_are_not_supported_and_told_without_secrets(url: str) -> None:
    with pytest.raises(TransferFailed) as failed:
        place(url)
    assert failed.value.trouble is TransferTrouble.NOT_SUPPORTED
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize(
    ("url", "goal"),
    [
        ("http://h/up", "http://h/up/log.tar.gz"),
        ("http://h/up/", "http://h/up/log.tar.gz"),
        ("http://h", "http://h/log.tar.gz"),
        ("http://h/up/mine.tgz", "http://h/up/mine.tgz"),
        ("https://h/bucket/key?signature=1", "https://h/bucket/key?signature=1"),
    ],
)
def test_DG_06_an_upload_goes_into_the_folder_or_to_the_file_that_the_url_means(
    url: str, goal: str
) -> None:
    assert place(url).file_url("log.tar.gz") == goal


@pytest.mark.parametrize(
    ("url", "goal"),
    [
        ("ftp://h/up", "up/log.tgz"),
        ("ftp://h/up/", "up/log.tgz"),
        ("ftp://h", "log.tgz"),
        ("ftp://h/", "log.tgz"),
        ("ftp://h//abs/", "/abs/log.tgz"),
        ("ftp://h/up/my%20log.tgz", "up/my log.tgz"),
    ],
)
def test_an_ftp_path_begins_where_the_login_leads_to(url: str, goal: str) -> None:
    assert place(url).file_path("log.tgz") == goal


def test_values_of_a_query_are_not_shown() -> None:
    assert shown("https://u:p@h/x?key=abc&sig=def") == "https://h/x?key=…&sig=…"


def test_a_file_has_the_name_of_the_last_part() -> None:
    assert file_name("http://h/a/fw%201.bin?x=1") == "fw 1.bin"
    assert file_name("http://[1/x") == ""
