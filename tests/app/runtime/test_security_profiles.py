"""Security profiles 0 to 3 over real TLS: raised by the back office, and back where that does not work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.ocpp.events import LinkFailed
from app.ocpp.link_rows import TABLE
from app.ocpp.shared.certificates.book import CertificateBook
from app.runtime.session import STATE_FILE
from app.runtime.store import Store
from tests.app.runtime.conftest import Certificates
from tests.app.runtime.link_bench import Station, StrictOffice, office, station

KEY = "ab" * 16
PASSWORD = bytes.fromhex(KEY)
TEXT = "a long enough password"
ACTIVE = "OCPPCommCtrlr.ActiveNetworkProfile"


async def raise_to(csms: StrictOffice, profile: int) -> str:
    answer = await csms.ask(
        "ChangeConfiguration", {"key": "SecurityProfile", "value": str(profile)}
    )
    return str(answer["status"])


async def give_key(there: Station, csms: StrictOffice) -> None:
    answer = await csms.ask("ChangeConfiguration", {"key": "AuthorizationKey", "value": KEY})
    assert answer == {"status": "Accepted"}
    await there.until(lambda: there.online and csms.shown[-1] == PASSWORD)


def profile_data(url: str, profile: int, **more: Any) -> dict[str, Any]:
    return {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": url,
        "messageTimeout": 20,
        "securityProfile": profile,
        "ocppInterface": "Wired0",
        **more,
    }


async def set_profile(csms: StrictOffice, slot: int, data: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = await csms.ask(
        "SetNetworkProfile", {"configurationSlot": slot, "connectionData": data}
    )
    return answer


async def set_variable(csms: StrictOffice, name: str, value: str) -> tuple[str, str | None]:
    component, variable = name.split(".")
    entry = {
        "component": {"name": component},
        "variable": {"name": variable},
        "attributeValue": value,
    }
    answer = await csms.ask("SetVariables", {"setVariableData": [entry]})
    [result] = answer["setVariableResult"]
    return result["attributeStatus"], result.get("attributeStatusInfo", {}).get("reasonCode")


async def set_priority(csms: StrictOffice, value: str) -> tuple[str, str | None]:
    return await set_variable(csms, "OCPPCommCtrlr.NetworkConfigurationPriority", value)


async def reset(csms: StrictOffice) -> None:
    assert (await csms.ask("Reset", {"type": "Immediate"}))["status"] == "Accepted"


# ---------------------------------------------------------------- 1.6: the key SecurityProfile


async def test_A05_16_a_higher_profile_reconnects_over_tls_and_is_kept(
    tmp_path: Path, certificates: Certificates
) -> None:
    """A05.FR.05 to .07, from 0 over 1 to 2; the URL becomes wss."""
    async with office() as plain, office(certificates.serve()) as safe:
        flags: dict[str, Any] = {
            "security__ca": certificates.authority.root,
            "csms__secure_url": safe.url,
        }
        async with station(plain.url, "1.6", tmp_path, **flags) as there:
            await there.accepted()
            await give_key(there, plain)
            assert await raise_to(plain, 1) == "Accepted"
            await there.until(lambda: there.online and len(plain.guests) == 3)
            assert await raise_to(plain, 2) == "Accepted"
            await there.until(lambda: there.online and safe.guests)
            assert safe.shown == [PASSWORD]
            assert there.setting("SecurityProfile") == "2"
            assert there.session.snapshot().security_profile == 2
            assert there.session.store.get(TABLE, "profile") is None
            for lower in (0, 1, 2):
                assert await raise_to(safe, lower) == "Rejected"  # A05.FR.01, "or equal"
        async with station(plain.url, "1.6", tmp_path, **flags) as there:
            await there.accepted()
            assert len(safe.guests) == 2  # after a restart too


async def test_A05_FR_08_16_without_a_link_the_profile_before_comes_back(
    tmp_path: Path, certificates: Certificates
) -> None:
    async with office() as plain, office(certificates.serve()) as safe:
        dead = safe.url
        flags: dict[str, Any] = {
            "security__ca": certificates.stranger.root,
            "csms__secure_url": dead,
        }
        async with station(plain.url, "1.6", tmp_path, **flags) as there:
            await there.accepted()
            await give_key(there, plain)
            assert await raise_to(plain, 2) == "Accepted"
            assert there.setting("SecurityProfile") == "2"
            before = len(plain.guests)
            await there.until(lambda: there.online and len(plain.guests) > before)
            assert safe.guests == []
            failed = there.hears.all(LinkFailed)
            assert [event.url.startswith("wss:") for event in failed] == [True] * 3
            assert there.setting("SecurityProfile") == "0"
            assert there.session.snapshot().security_profile == 0
            assert there.session.store.get(TABLE, "profile") is None


async def test_A05_16_profile_3_shows_the_certificate_and_no_password(
    tmp_path: Path, certificates: Certificates
) -> None:
    async with office() as plain, office(certificates.serve(ask=True)) as safe:
        flags: dict[str, Any] = {
            "security__ca": certificates.authority.root,
            "security__certificate": certificates.client.certificate,
            "security__key": certificates.client.key,
            "csms__secure_url": safe.url,
        }
        async with station(plain.url, "1.6", tmp_path, **flags) as there:
            await there.accepted()
            assert await raise_to(plain, 3) == "Accepted"
            await there.until(lambda: there.online and safe.guests)
            assert safe.shown == [None]
            assert there.session.snapshot().security_profile == 3


async def test_A05_16_what_a_profile_needs_must_be_there(
    tmp_path: Path, certificates: Certificates
) -> None:
    """A05.FR.02 password, .03 root, .04 certificate of the charge point."""
    async with office() as csms, station(csms.url, "1.6", tmp_path) as there:
        await there.accepted()
        assert [await raise_to(csms, n) for n in (1, 2, 3)] == ["Rejected"] * 3
        await give_key(there, csms)
        assert [await raise_to(csms, n) for n in (2, 3)] == ["Rejected"] * 2
        CertificateBook(there.session.store).install_root(
            "CSMS", certificates.authority.root.read_text("ascii")
        )
        assert await raise_to(csms, 3) == "Rejected"
        assert await raise_to(csms, 4) == "Rejected"
        assert there.setting("SecurityProfile") == "0"


async def test_A05_16_a_configured_password_counts_if_it_is_long_enough(tmp_path: Path) -> None:
    for password, status in (("short", "Rejected"), ("sixteen bytes it", "Accepted")):
        async with office() as csms:
            flags = {"security__password": password}
            async with station(csms.url, "1.6", tmp_path / password, **flags) as there:
                await there.accepted()
                assert await raise_to(csms, 1) == status


async def test_a_person_may_lower_the_profile_which_the_back_office_may_not(
    tmp_path: Path,
) -> None:
    async with office() as csms:
        flags = {"security__profile": 1, "security__password": "sixteen bytes it"}
        async with station(csms.url, "1.6", tmp_path, **flags) as there:
            await there.accepted()
            assert await raise_to(csms, 0) == "Rejected"
            assert there.session.set_setting("SecurityProfile", "0") == "Accepted"
            await there.until(lambda: there.online and len(csms.guests) == 2)
            assert there.session.snapshot().security_profile == 0


async def test_a_root_that_ocpp_installed_is_trusted_at_the_next_connect(
    tmp_path: Path, certificates: Certificates
) -> None:
    store = Store(tmp_path / STATE_FILE)
    CertificateBook(store).install_root("CSMS", certificates.authority.root.read_text("ascii"))
    store.close()
    async with office(certificates.serve()) as safe, station(safe.url, "1.6", tmp_path) as there:
        await there.accepted()


# ---------------------------------------------------------------- 2.0.1: network profiles


async def test_A05_B10_201_a_safer_network_profile_is_used_after_the_boot_and_the_other_goes(
    tmp_path: Path, certificates: Certificates
) -> None:
    """A05.FR.04 to .06, B10.FR.01, .04."""
    async with office() as plain, office(certificates.serve()) as safe:
        flags: dict[str, Any] = {
            "security__ca": certificates.authority.root,
            "security__profile": 1,
            "security__password": TEXT,
        }
        async with station(plain.url, "2.0.1", tmp_path, **flags) as there:
            await there.accepted()
            assert there.setting("OCPPCommCtrlr.ActiveNetworkProfile") == "1"
            assert await set_profile(plain, 2, profile_data(safe.url, 2)) == {"status": "Accepted"}
            assert await set_priority(plain, "2,1") == ("RebootRequired", None)
            assert there.online  # nothing happens before the boot
            await reset(plain)
            await there.until(lambda: safe.calls("BootNotification"))
            await there.accepted()
            assert safe.shown == [TEXT.encode()]
            assert there.setting("OCPPCommCtrlr.ActiveNetworkProfile") == "2"
            assert there.setting("SecurityCtrlr.SecurityProfile") == "2"
            assert there.setting("OCPPCommCtrlr.NetworkConfigurationPriority") == "2"
            assert there.session.snapshot().security_profile == 2
            assert there.session.personality is not None
            assert there.session.personality.link_policy().message_timeout == 20
            assert await set_priority(safe, "2,1") == ("Rejected", "InvalidNetworkConf")
            lower = await set_profile(safe, 3, profile_data(plain.url, 1))
            assert lower["statusInfo"]["reasonCode"] == "NoSecurityDowngrade"
        async with station(plain.url, "2.0.1", tmp_path, **flags) as there:
            await there.accepted()
            assert len(safe.guests) == 2


async def test_B10_FR_03_201_the_next_profile_is_tried_after_so_many_attempts(
    tmp_path: Path,
) -> None:
    async with (
        office() as first,
        office() as second,
        station(first.url, "2.0.1", tmp_path) as there,
    ):
        await there.accepted()
        await set_variable(first, "OCPPCommCtrlr.NetworkProfileConnectionAttempts", "2")
        await set_profile(first, 2, profile_data(second.url, 0))
        await set_priority(first, "2,1")
        second.passwords = set()
        await reset(first)
        await there.until(lambda: len(first.guests) == 2)
        await there.accepted()
        assert len(second.shown) == 2
        assert there.setting("OCPPCommCtrlr.ActiveNetworkProfile") == "1"
        assert [boot["reason"] for boot in first.calls("BootNotification")] == [
            "PowerUp",
            "RemoteReset",
        ]


@pytest.mark.parametrize(
    ("baseline", "boots"), [("errata-2025-09", ["Unknown"]), ("edition-3", [])]
)
async def test_B10_FR_10_201_a_switch_after_a_loss_sends_a_boot_though_nothing_rebooted(
    tmp_path: Path, baseline: str, boots: list[str]
) -> None:
    """Errata 5; and RPC-14: none as long as the profile stays the same."""
    async with (
        office() as first,
        office() as second,
        station(first.url, "2.0.1", tmp_path) as there,
    ):
        there.session.choose_point("ocpp201-baseline", baseline)
        await there.accepted()
        await set_profile(first, 2, profile_data(second.url, 0))
        await set_priority(first, "1,2")
        await reset(first)
        await there.until(lambda: len(first.guests) == 2)
        await there.accepted()
        await first.guests[-1].close(1001)
        await there.until(lambda: len(first.guests) == 3 and there.online)
        assert len(first.calls("BootNotification")) == 2  # a mere loss: none
        first.passwords = set()
        tried = len(first.shown)
        await first.guests[-1].close(1001)
        await there.until(lambda: second.guests)
        await there.until(lambda: len(second.calls("BootNotification")) == len(boots))
        await there.accepted()
        assert len(first.shown) - tried == 3
        assert [boot["reason"] for boot in second.calls("BootNotification")] == boots
        assert there.setting("OCPPCommCtrlr.ActiveNetworkProfile") == "2"


async def test_B10_FR_07_201_when_all_fail_it_goes_back_to_the_last_good_one_and_never_gives_up(
    tmp_path: Path,
) -> None:
    async with (
        office() as first,
        office() as second,
        station(first.url, "2.0.1", tmp_path) as there,
    ):
        await there.accepted()
        await set_profile(first, 2, profile_data(second.url, 0))
        await set_priority(first, "2")  # the last good one is not even named
        first.passwords, second.passwords = set(), set()
        await reset(first)
        await there.until(lambda: len(second.shown) >= 6 and len(first.shown) >= 7)
        second.passwords = {None}
        await there.accepted()
        assert there.setting("OCPPCommCtrlr.ActiveNetworkProfile") == "2"


async def test_B10_FR_07_201_what_a_slot_held_when_it_worked_comes_back_though_it_was_overwritten(
    tmp_path: Path,
) -> None:
    """The last successful connection was made with what the slot in use held before."""
    async with office() as csms, office() as dead:
        dead.passwords = set()
        for first in (1, 2):  # what people have set up, then a profile of the back office
            async with station(csms.url, "2.0.1", tmp_path) as there:
                await there.accepted()
                if first == 2:
                    await set_profile(csms, 2, profile_data(csms.url, 0))
                    await set_priority(csms, "2")
                    await reset(csms)
                    await there.until(lambda: there.setting(ACTIVE) == "2")
                    await there.accepted()
                seen, refused = len(csms.guests), len(dead.shown)
                bad = profile_data(dead.url, 0, messageTimeout=7)
                assert await set_profile(csms, first, bad) == {"status": "Accepted"}
                await reset(csms)
                await there.until(lambda n=seen: len(csms.guests) > n)
                await there.accepted()
                assert len(dead.shown) - refused == 3  # attempts with the new one
                assert there.setting(ACTIVE) == str(first)
                assert there.session.personality is not None
                assert there.session.personality.link_policy().message_timeout != 7
                # the way back in: the slot is put right over the old link
                good = profile_data(csms.url, 0, messageTimeout=9)
                assert await set_profile(csms, first, good) == {"status": "Accepted"}
                seen = len(csms.guests)
                await reset(csms)
                await there.until(lambda n=seen: len(csms.guests) > n)
                await there.accepted()
                assert there.session.personality.link_policy().message_timeout == 9


async def test_A05_FR_06_201_a_slot_that_is_made_safer_in_place_takes_the_others_along(
    tmp_path: Path, certificates: Certificates
) -> None:
    async with office() as plain, office(certificates.serve()) as safe:
        flags: dict[str, Any] = {
            "security__ca": certificates.authority.root,
            "security__profile": 1,
            "security__password": TEXT,
        }
        async with station(plain.url, "2.0.1", tmp_path, **flags) as there:
            await there.accepted()
            await set_profile(plain, 2, profile_data(plain.url, 1))
            assert await set_profile(plain, 1, profile_data(safe.url, 2)) == {"status": "Accepted"}
            assert await set_priority(plain, "1,2") == ("RebootRequired", None)
            assert there.setting("SecurityCtrlr.SecurityProfile") == "1"
            await reset(plain)
            await there.until(lambda: safe.calls("BootNotification"))
            await there.accepted()
            assert there.setting("SecurityCtrlr.SecurityProfile") == "2"
            assert there.setting("OCPPCommCtrlr.NetworkConfigurationPriority") == "1"


async def test_B09_201_each_reason_to_refuse_a_profile(tmp_path: Path) -> None:
    """B09.FR.02, .04, .05, .31."""
    async with office() as csms:
        flags = {"security__profile": 1, "security__password": TEXT}
        async with station(csms.url, "2.0.1", tmp_path, **flags) as there:
            await there.accepted()
            good = profile_data("ws://h/ocpp", 1)
            vpn = {"server": "s", "user": "u", "password": "p", "key": "k", "type": "IPSec"}
            apn = {"apn": "internet", "apnAuthentication": "AUTO"}
            cases: list[tuple[int, dict[str, Any], str]] = [
                (0, good, "InvalidConfSlot"),
                (9, good, "InvalidConfSlot"),
                (2, {**good, "ocppVersion": "OCPP16"}, "InvalidNetworkConf"),
                (2, {**good, "ocppTransport": "SOAP"}, "InvalidNetworkConf"),
                (2, {**good, "securityProfile": 4}, "InvalidNetworkConf"),
                (2, {**good, "messageTimeout": 0}, "InvalidNetworkConf"),
                (2, {**good, "messageTimeout": 2**31}, "InvalidNetworkConf"),
                (2, {**good, "messageTimeout": 10**400}, "InvalidNetworkConf"),
                (2, {**good, "ocppCsmsUrl": "https://h/ocpp"}, "InvalidNetworkConf"),
                (2, {**good, "ocppCsmsUrl": "ws:///ocpp"}, "InvalidNetworkConf"),
                (2, {**good, "ocppCsmsUrl": "ws://h:x/ocpp"}, "InvalidNetworkConf"),
                (2, {**good, "securityProfile": 2}, "InvalidNetworkConf"),
                (2, {**good, "vpn": vpn}, "InvalidNetworkConf"),
                (2, {**good, "apn": apn}, "InvalidNetworkConf"),
                (2, {**good, "securityProfile": 0}, "NoSecurityDowngrade"),
                # its slot is in use by priority, so what the profile needs has to be there
                (1, profile_data("wss://h/ocpp", 2), "InvalidNetworkConf"),
            ]
            for slot, data, reason in cases:
                answer = await set_profile(csms, slot, data)
                assert answer["status"] == "Rejected", (slot, data)
                assert answer["statusInfo"]["reasonCode"] == reason, (slot, data)
            for data in (good, {**good, "apn": apn, "ocppInterface": "Wireless0"}):
                assert await set_profile(csms, 4, data) == {"status": "Accepted"}


async def test_B09_FR_03_201_a_profile_that_cannot_be_kept_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office() as csms, station(csms.url, "2.0.1", tmp_path) as there:
        await there.accepted()
        put = there.session.store.put

        def full(table: str, key: str, row: Any) -> None:
            if table == TABLE:
                raise OSError(28, "No space left on device")
            put(table, key, row)

        monkeypatch.setattr(there.session.store, "put", full)
        answer = await set_profile(csms, 2, profile_data("ws://h/ocpp", 0))
        assert answer["status"] == "Failed"


async def test_A05_201_priorities_are_judged_by_what_their_slots_need(
    tmp_path: Path, certificates: Certificates
) -> None:
    """A05.FR.02, .03, .08 to .10, B10.FR.02."""
    async with office() as csms, station(csms.url, "2.0.1", tmp_path) as there:
        await there.accepted()
        await set_profile(csms, 2, profile_data("wss://h/ocpp", 2))
        await set_profile(csms, 3, profile_data("wss://h/ocpp", 3))
        refused = ("Rejected", "InvalidNetworkConf")
        assert await set_priority(csms, "4") == refused  # empty
        assert await set_priority(csms, "2,1") == refused  # neither password nor root
        assert await set_priority(csms, "3,1") == refused
        assert (await set_priority(csms, ""))[0] == "Rejected"
        there.session.set_setting("SecurityCtrlr.BasicAuthPassword", TEXT)
        await there.until(lambda: there.online and len(csms.guests) == 2)
        assert await set_priority(csms, "2,1") == refused  # no root yet
        CertificateBook(there.session.store).install_root(
            "CSMS", certificates.authority.root.read_text("ascii")
        )
        assert await set_priority(csms, "2,1") == ("RebootRequired", None)
        assert await set_priority(csms, "3,1") == refused  # no certificate of the station


@pytest.mark.parametrize(
    ("allowed", "lower", "status"),
    [("true", 2, "Accepted"), ("true", 1, "Rejected"), ("false", 2, "Rejected")],
)
async def test_A00_FR_005_201_downward_from_3_to_2_only_and_only_where_it_is_allowed(
    tmp_path: Path, certificates: Certificates, allowed: str, lower: int, status: str
) -> None:
    async with office(certificates.serve(ask=True)) as safe:
        flags: dict[str, Any] = {
            "security__profile": 3,
            "security__password": TEXT,
            "security__ca": certificates.authority.root,
            "security__certificate": certificates.client.certificate,
            "security__key": certificates.client.key,
        }
        async with station(safe.url, "2.0.1", tmp_path, **flags) as there:
            await there.accepted()
            await set_variable(safe, "SecurityCtrlr.AllowSecurityProfileDowngrade", allowed)
            url = "wss://h/ocpp" if lower == 2 else "ws://h/ocpp"
            answer = await set_profile(safe, 2, profile_data(url, lower))
            assert answer["status"] == status
            if status == "Accepted":
                assert await set_priority(safe, "2,1") == ("RebootRequired", None)
            else:
                assert answer["statusInfo"]["reasonCode"] == "NoSecurityDowngrade"


async def test_who_goes_elsewhere_leaves_the_network_profiles_behind(tmp_path: Path) -> None:
    async with (
        office() as first,
        office() as second,
        office() as third,
        station(first.url, "2.0.1", tmp_path) as there,
    ):
        await there.accepted()
        await set_profile(first, 2, profile_data(second.url, 0))
        await set_priority(first, "2,1")
        await reset(first)
        await there.until(lambda: second.guests)
        await there.accepted()
        await there.session.connect_to(third.url)
        await there.until(lambda: third.guests)
        await there.accepted()
        assert there.setting("OCPPCommCtrlr.ActiveNetworkProfile") == "1"
        assert there.setting("OCPPCommCtrlr.NetworkConfigurationPriority") == "1"
