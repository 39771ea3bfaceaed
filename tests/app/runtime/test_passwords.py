"""Passwords that the back office sets: used at once, and the one before it where the new one is refused."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from app.ocpp.events import SecurityEventRaised
from app.ocpp.link_rows import PASSWORDS, TABLE
from app.ocpp.v16.rows import KEYS
from app.ocpp.v201.device_model import TABLE as VARIABLES
from app.runtime.tls import TlsFiles
from tests.app.runtime.link_bench import Station, StrictOffice, office, station

OLD, NEW = b"\x11" * 16, b"\x22" * 20
PLAIN, FRESH = "old-pass-word-1234", "new pass wörd 5678"
HAS = {"security__profile": 1}


async def set_password(version: str, csms: StrictOffice, password: bytes | str) -> str:
    if version == "1.6":
        assert isinstance(password, bytes)
        request: Any = {"key": "AuthorizationKey", "value": password.hex()}
        return str((await csms.ask("ChangeConfiguration", request))["status"])
    entry = {
        "component": {"name": "SecurityCtrlr"},
        "variable": {"name": "BasicAuthPassword"},
        "attributeValue": password,
    }
    answer = await csms.ask("SetVariables", {"setVariableData": [entry]})
    return str(answer["setVariableResult"][0]["attributeStatus"])


def events(there: Station) -> list[str]:
    return [event.type for event in there.hears.all(SecurityEventRaised)]


NAMES = {"1.6": "AuthorizationKey", "2.0.1": "SecurityCtrlr.BasicAuthPassword"}
CASES = [
    pytest.param("1.6", NEW, NEW, id="1.6"),
    pytest.param("2.0.1", FRESH, FRESH.encode(), id="2.0.1"),
]


@pytest.mark.parametrize(("version", "new", "sent"), CASES)
async def test_RPC_16_a_new_password_is_used_at_once_and_after_a_kill(
    version: str, new: Any, sent: bytes, tmp_path: Path
) -> None:
    """A01.FR.02 of both versions; errata 6: as bytes in 1.6, as UTF-8 text in 2.0.1."""
    async with office() as csms:
        csms.passwords = {PLAIN.encode()}
        flags = {**HAS, "security__password": PLAIN}
        async with station(csms.url, version, tmp_path, **flags) as there:
            await there.accepted()
            assert await set_password(version, csms, new) == "Accepted"
            csms.passwords = {sent}
            await there.until(lambda: there.online and csms.shown[-1] == sent)
            assert there.session.store.get(TABLE, NAMES[version]) is None
            assert len(csms.calls("BootNotification")) == 1  # RPC-14: a new password is no boot
            assert "ReconfigurationOfSecurityParameters" in events(there)
        async with station(csms.url, version, tmp_path, **flags) as there:
            await there.accepted()
            assert csms.shown[-1] == sent


@pytest.mark.parametrize(("version", "new", "sent"), CASES)
async def test_a_new_password_that_is_refused_gives_way_to_the_one_before(
    version: str, new: Any, sent: bytes, tmp_path: Path
) -> None:
    async with office() as csms:
        csms.passwords = {PLAIN.encode()}
        flags = {**HAS, "security__password": PLAIN}
        async with station(csms.url, version, tmp_path, **flags) as there:
            await there.accepted()
            assert await set_password(version, csms, new) == "Accepted"
            await there.until(lambda: there.online and csms.shown[-2:] == [sent, PLAIN.encode()])
            denied = "FailedToAuthenticat"
            assert sum(kind.startswith(denied) for kind in events(there)) == 1
            assert there.session.store.get(TABLE, NAMES[version]) is None
            # and from now on it does not come back with the refused one
            await csms.guests[-1].close(1012)
            await there.until(lambda: len(csms.guests) == 3 and there.online)
            assert csms.shown[-1] == PLAIN.encode()


async def test_a_second_new_password_falls_back_to_the_one_that_worked(tmp_path: Path) -> None:
    async with office() as csms:
        csms.passwords = {OLD}
        async with station(csms.url, "1.6", tmp_path, security__password="x" * 16) as there:
            csms.passwords = {None}
            await there.accepted()
            await set_password("1.6", csms, OLD)
            csms.passwords = {OLD}
            await there.until(lambda: there.online and csms.shown[-1] == OLD)
            await set_password("1.6", csms, NEW)
            await there.until(lambda: there.online and csms.shown[-2:] == [NEW, OLD])
            assert there.session.store.get(KEYS, "authorizationkey") == {"value": OLD.hex()}


async def test_while_nobody_is_there_the_new_password_stays(tmp_path: Path) -> None:
    """Only who refused it can make the station doubt it."""
    async with office() as csms:
        csms.passwords = {None}
        async with station(csms.url, "1.6", tmp_path) as there:
            await there.accepted()
            await set_password("1.6", csms, NEW)
            await there.until(lambda: csms.shown[-1] == NEW and there.online)
            csms.refuse = (HTTPStatus.SERVICE_UNAVAILABLE, "later")
            tried = len(csms.shown)
            await set_password("1.6", csms, OLD)
            await there.until(lambda: len(csms.shown) > tried + 7)
            assert set(csms.shown[tried:]) == {OLD}
            csms.refuse = None
            await there.until(lambda: there.online)
            assert csms.shown[-1] == OLD


async def test_a_password_of_one_version_that_has_not_worked_yet_is_no_business_of_the_other(
    tmp_path: Path,
) -> None:
    async with office() as csms, station(csms.url, "1.6", tmp_path) as there:
        await there.accepted()
        await set_password("1.6", csms, OLD)
        await there.until(lambda: csms.shown[-1] == OLD and there.online)
        csms.refuse = (HTTPStatus.SERVICE_UNAVAILABLE, "later")
        await set_password("1.6", csms, NEW)
        await there.until(lambda: csms.shown[-1] == NEW)
        for version, expected in (("2.0.1", (None,)), ("1.6", (NEW, OLD))):
            await there.session.speak(version)
            assert there.session.personality is not None
            assert there.session.personality.link_plan().passwords == expected


async def test_the_text_of_the_key_is_sent_where_that_was_chosen(tmp_path: Path) -> None:
    """ocpp16-authorization-key-encoding."""
    async with office() as csms, station(csms.url, "1.6", tmp_path) as there:
        there.session.choose_point("ocpp16-authorization-key-encoding", "text-as-is")
        await there.accepted()
        await set_password("1.6", csms, NEW)
        await there.until(lambda: csms.shown[-1] is not None and there.online)
        assert csms.shown[-1] == NEW.hex().encode()


async def test_a_password_from_a_person_wins_over_what_the_back_office_had_set(
    tmp_path: Path,
) -> None:
    async with office() as csms, station(csms.url, "1.6", tmp_path) as there:
        await there.accepted()
        await set_password("1.6", csms, NEW)
        await there.until(lambda: csms.shown[-1] == NEW and there.online)
        await there.session.connect_to(csms.url, password="typed", security_profile=1)
        await there.accepted()
        assert csms.shown[-1] == b"typed"


async def test_another_host_is_not_shown_a_password_that_the_first_one_set(tmp_path: Path) -> None:
    async with office() as csms, office() as other, station(csms.url, "1.6", tmp_path) as there:
        await there.accepted()
        await set_password("1.6", csms, NEW)
        await there.until(lambda: csms.shown[-1] == NEW and there.online)
        await there.session.connect_to(other.url)
        await there.accepted()
        assert other.shown == [None]


def test_the_rows_that_are_forgotten_are_those_of_the_versions() -> None:
    assert [table for table, _ in PASSWORDS] == [KEYS, VARIABLES]


def test_no_secret_is_in_what_is_printed() -> None:
    from app.ocpp.context import LinkFacts
    from app.ocpp.personality import LinkPlan
    from app.runtime.tls import PemPair

    secret = "s3cr3t"
    assert secret not in repr(LinkPlan(passwords=(secret.encode(),)))
    assert secret not in repr(LinkFacts(password=secret.encode()))
    assert secret not in repr(TlsFiles(own=PemPair("chain", secret)))


async def test_a_key_that_waits_for_the_boot_is_used_and_proven_after_it(tmp_path: Path) -> None:
    """`reboot` in the configuration file: RebootRequired, and the present link stays as it is."""
    file = tmp_path / "config.toml"
    file.write_text("[keys]\nAuthorizationKey = { reboot = true }\n")
    async with (
        office() as csms,
        station(csms.url, "1.6", tmp_path / "s", config_file=file) as there,
    ):
        await there.accepted()
        assert await set_password("1.6", csms, NEW) == "RebootRequired"
        await csms.guests[-1].close(1012)
        await there.until(lambda: there.online and len(csms.guests) == 2)
        assert csms.shown == [None, None]
        assert there.session.store.get(TABLE, NAMES["1.6"]) is not None
        await there.session.repower()
        await there.accepted()
        assert csms.shown[-1] == NEW
        assert there.session.store.get(TABLE, NAMES["1.6"]) is None
