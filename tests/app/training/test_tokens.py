"""The token list and the answers about tokens."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.training.tokens import Token, TokenList, TokenStatus, load_tokens
from tests.app.training.client import V16, V201, Bench, bench
from tests.support.csms import CsmsProbe, running_csms

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WALLET = {
    "04A29F1C": ("Accepted", "Accepted"),
    "04a29f1c": ("Accepted", "Accepted"),
    "0477B0E3": ("Accepted", "Accepted"),
    "045D2088": ("Accepted", "Accepted"),
    "0419C642": ("Expired", "Expired"),
    "04E8037A": ("Blocked", "Blocked"),
    "04BAD001": ("Invalid", "Invalid"),
    "08FF126B": ("Invalid", "Unknown"),
}


@pytest.mark.parametrize("card", WALLET)
async def test_the_wallet_gets_the_status_of_the_list(csms: CsmsProbe, card: str) -> None:
    """16-AU-01: 1.6 has no word for unknown; identifiers compare without case."""
    async with bench(csms.url, "CS-1", V16) as station:
        answer = await station.result("Authorize", {"idTag": card})
        assert answer["idTagInfo"]["status"] == WALLET[card][0]
    async with bench(csms.url, "CS-2", V201) as station:
        assert (await _authorize(station, card))["status"] == WALLET[card][1]


async def test_a_group_is_told_as_parent_or_group_token(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V16) as station:
        answer = await station.result("Authorize", {"idTag": "04F1EE12"})
        assert answer == {"idTagInfo": {"status": "Accepted", "parentIdTag": "FLEET A"}}
    async with bench(csms.url, "CS-2", V201) as station:
        info = await _authorize(station, "04C0FFEE")
        assert info["groupIdToken"] == {"idToken": "MASTER", "type": "Central"}


async def test_a_message_and_an_expiry_reach_the_station() -> None:
    token = Token("AA", message="Hello", expiry=datetime(2027, 1, 1, tzinfo=UTC))
    async with running_csms(tokens=TokenList([token]), now=lambda: NOW) as csms:
        async with bench(csms.url, "CS-1", V201) as station:
            info = await _authorize(station, "aa")
            assert info["cacheExpiryDateTime"] == "2027-01-01T00:00:00.000Z"
            assert info["personalMessage"]["content"] == "Hello"
        async with bench(csms.url, "CS-1", V16) as station:
            info = (await station.result("Authorize", {"idTag": "AA"}))["idTagInfo"]
            assert info["expiryDate"] == "2027-01-01T00:00:00.000Z"


async def test_the_type_of_a_token_must_match(csms: CsmsProbe) -> None:
    """201-AU-06 with errata 11: equal means identifier and type."""
    async with bench(csms.url, "CS-1", V201) as station:
        assert (await _authorize(station, "DE-FOR-C00000001-X", "eMAID"))["status"] == "Accepted"
        assert (await _authorize(station, "DE-FOR-C00000001-X"))["status"] == "Unknown"
        assert (await _authorize(station, "", "NoAuthorization"))["status"] == "Accepted"


async def test_a_certificate_is_not_accepted_unchecked(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V201) as station:
        payload = {
            "idToken": {"idToken": "DE-FOR-C00000001-X", "type": "eMAID"},
            "certificate": "-",
        }
        answer = await station.result("Authorize", payload)
        assert answer["certificateStatus"] == "NoCertificateAvailable"


async def test_a_token_can_be_changed_while_it_runs(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V16) as station:
        csms.csms.put_token(Token("08ff126b", status=TokenStatus.BLOCKED))
        info = (await station.result("Authorize", {"idTag": "08FF126B"}))["idTagInfo"]
        assert info["status"] == "Blocked"
        assert csms.csms.remove_token("08FF126B")
        assert not csms.csms.remove_token("08FF126B")
        info = (await station.result("Authorize", {"idTag": "08FF126B"}))["idTagInfo"]
        assert info["status"] == "Invalid"


def test_an_accepted_token_expires_at_its_moment() -> None:
    tokens = TokenList([Token("AA", expiry=NOW)])
    assert tokens.judge("aa", NOW).status is TokenStatus.EXPIRED
    assert tokens.judge("aa", NOW.replace(hour=11)).status is TokenStatus.ACCEPTED
    assert (len(tokens), next(iter(tokens)).id) == (1, "AA")


def test_the_stranger_is_not_in_the_shipped_list() -> None:
    tokens = TokenList.shipped()
    assert tokens.find("08FF126B") is None
    names = {token.name for token in tokens}
    assert names >= {"Anna Berg", "Road Trip", "Fleet 12", "Guest", "Old contract", "Lost card"}


def test_a_local_expiry_counts_as_utc(tmp_path: Path) -> None:
    path = tmp_path / "tokens.toml"
    path.write_text('[[token]]\nid = "A"\nexpiry = 2026-03-01T12:00:00\n', "utf-8")
    assert load_tokens(path)[0].expiry == NOW


@pytest.mark.parametrize(
    "text",
    [
        "[[token",
        '[[token]]\nname = "x"',
        '[[token]]\nid = "x"\nstatus = "Good"',
        "token = 5",
        '[[token]]\nid = "x"\nexpiry = "soon"',
    ],
)
def test_a_broken_token_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"mine\.toml"):
        load_tokens(path)


async def _authorize(station: Bench, id_: str, type_: str = "ISO14443") -> dict[str, object]:
    answer = await station.result("Authorize", {"idToken": {"idToken": id_, "type": type_}})
    info: dict[str, object] = answer["idTokenInfo"]
    return info
