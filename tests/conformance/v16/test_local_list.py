"""The local authorization list (1.6 part 3.5.2, 5.10, 5.15, 6.41; errata 3.52)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.kernel.units import stamp
from app.ocpp.events import AuthorizationDecided, LocalListChanged
from app.ocpp.v16 import Personality16
from app.ocpp.v16.rows import CACHE
from app.station.intents import PlugIn, PresentCard, PressStop
from tests.conformance.v16.conftest import Make
from tests.support.harness import Bench

OFF = {"features": frozenset({"Core", "RemoteTrigger"})}


def entry(token: str, status: str | None = "Accepted", **info: str) -> dict[str, Any]:
    """An AuthorizationData; status None leaves idTagInfo out."""
    if status is None:
        return {"idTag": token}
    return {"idTag": token, "idTagInfo": {"status": status, **info}}


async def send(bench: Bench, kind: str, version: int, *entries: dict[str, Any]) -> str:
    payload: dict[str, Any] = {"listVersion": version, "updateType": kind}
    if entries:
        payload["localAuthorizationList"] = list(entries)
    answer: dict[str, Any] = await bench.request("SendLocalList", payload)
    return str(answer["status"])


async def version(bench: Bench) -> int:
    answer: dict[str, Any] = await bench.request("GetLocalListVersion", {})
    return int(answer["listVersion"])


async def set_key(bench: Bench, key: str, value: str) -> None:
    answer = await bench.request("ChangeConfiguration", {"key": key, "value": value})
    assert answer == {"status": "Accepted"}


def listed(bench: Bench) -> dict[str, str]:
    assert isinstance(bench.personality, Personality16)
    return {row["idTag"]: row["status"] for row in bench.personality.local_list.entries()}


async def test_16_LL_01_full_replaces_the_list(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    assert await version(bench) == 0
    assert await send(bench, "Full", 7, entry("A"), entry("B", "Blocked")) == "Accepted"
    assert await version(bench) == 7
    assert await send(bench, "Full", 3, entry("C")) == "Accepted"
    assert await version(bench) == 3
    assert listed(bench) == {"C": "Accepted"}
    assert bench.happened(LocalListChanged) == [LocalListChanged(7, 2), LocalListChanged(3, 1)]


async def test_16_LL_01_differential_adds_updates_and_deletes(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    await send(bench, "Full", 1, entry("A"), entry("B"), entry("C"))
    changes = (entry("b", "Blocked"), entry("C", None), entry("D"), entry("NEVER-THERE", None))
    assert await send(bench, "Differential", 2, *changes) == "Accepted"
    assert await version(bench) == 2
    assert listed(bench) == {"A": "Accepted", "b": "Blocked", "D": "Accepted"}


async def test_differential_without_entries_changes_the_version_only(bench16: Make) -> None:
    """Part 6.41."""
    bench = bench16()
    await bench.boot()
    await send(bench, "Full", 1, entry("A"))
    assert await send(bench, "Differential", 2) == "Accepted"
    assert await version(bench) == 2
    assert listed(bench) == {"A": "Accepted"}


@pytest.mark.parametrize("number", [5, 4, 0, -1])
async def test_16_LL_03_differential_must_have_a_higher_version(bench16: Make, number: int) -> None:
    bench = bench16()
    await bench.boot()
    await send(bench, "Full", 5, entry("A"))
    assert await send(bench, "Differential", number, entry("B")) == "VersionMismatch"
    assert await version(bench) == 5
    assert listed(bench) == {"A": "Accepted"}


@pytest.mark.parametrize("number", [0, -1, -7])
async def test_16_LL_03_versions_with_a_meaning_of_their_own_are_not_taken(
    bench16: Make, number: int
) -> None:
    """Errata 3.52."""
    bench = bench16()
    await bench.boot()
    assert await send(bench, "Full", number, entry("A")) == "Failed"
    assert await version(bench) == 0


async def test_16_LL_05_full_without_a_list_empties_it(bench16: Make) -> None:
    """16-LL-04: 0 is the version of an empty list."""
    bench = bench16()
    await bench.boot()
    await send(bench, "Full", 5, entry("A"))
    assert await send(bench, "Full", 6) == "Accepted"
    assert await version(bench) == 0
    assert listed(bench) == {}
    assert await send(bench, "Differential", 1, entry("B")) == "Accepted"
    assert await version(bench) == 1


@pytest.mark.parametrize(
    ("kind", "entries"),
    [
        ("Full", [entry("NEW"), entry("OTHER", None)]),  # 7.1: complete in a full list
        ("Full", [entry("NEW"), entry("new")]),  # 6.41: unique, compared without case
        ("Differential", [entry("NEW"), entry("NEW", None)]),
        ("Full", [entry(f"T{n}") for n in range(4)]),  # SendLocalListMaxLength
        ("Differential", [entry(f"T{n}") for n in range(4)]),
    ],
)
async def test_16_LL_05_an_update_is_taken_as_a_whole_or_not_at_all(
    bench16: Make, kind: str, entries: list[dict[str, Any]]
) -> None:
    bench = bench16(keys={"SendLocalListMaxLength": "3"})
    await bench.boot()
    await send(bench, "Full", 1, entry("A"))
    assert await send(bench, kind, 2, *entries) == "Failed"
    assert await version(bench) == 1
    assert listed(bench) == {"A": "Accepted"}


async def test_16_LL_05_list_has_a_largest_size(bench16: Make) -> None:
    """LocalAuthListMaxLength counts what is there afterwards."""
    bench = bench16(keys={"LocalAuthListMaxLength": "3"})
    await bench.boot()
    assert await send(bench, "Full", 1, *(entry(f"T{n}") for n in range(4))) == "Failed"
    assert await send(bench, "Full", 1, *(entry(f"T{n}") for n in range(3))) == "Accepted"
    assert await send(bench, "Differential", 2, entry("MORE")) == "Failed"
    one_for_another = (entry("T0", None), entry("T1", "Blocked"), entry("MORE"))
    assert await send(bench, "Differential", 2, *one_for_another) == "Accepted"
    assert listed(bench) == {"T1": "Blocked", "T2": "Accepted", "MORE": "Accepted"}


async def test_list_survives_kill_and_restart(bench16: Make) -> None:
    """Part 3.5.2: kept over reboots and power cuts."""
    bench = bench16()
    await bench.boot()
    await send(bench, "Full", 4, entry("A", parentIdTag="P"), entry("B", "Blocked"))
    await bench.kill_and_restart()
    assert await version(bench) == 4
    assert listed(bench) == {"A": "Accepted", "B": "Blocked"}
    await bench.offline()
    await bench.do(PlugIn(1), PresentCard("B", evse=1), PresentCard("a", evse=1))
    assert [view.id_token for view in bench.personality.sessions()] == ["a"]


async def test_16_LL_04_a_list_that_is_switched_off(bench16: Make) -> None:
    """LocalAuthListEnabled: not consulted, not changed, but kept."""
    bench = bench16()
    await bench.boot()
    await send(bench, "Full", 4, entry("A"))
    await set_key(bench, "LocalAuthListEnabled", "false")
    assert await version(bench) == -1
    assert await send(bench, "Full", 5, entry("B")) == "NotSupported"
    await bench.offline()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    assert bench.personality.sessions() == ()
    await bench.online()
    await set_key(bench, "LocalAuthListEnabled", "true")
    assert await version(bench) == 4
    await bench.offline()
    await bench.do(PresentCard("A", evse=1))
    assert len(bench.personality.sessions()) == 1


async def test_16_LL_02_station_without_the_profile(bench16: Make) -> None:
    """16-LL-04: both messages have a word for it, so there is no CALLERROR."""
    bench = bench16(settings=OFF)
    await bench.boot()
    assert await version(bench) == -1
    assert await send(bench, "Full", 1, entry("A")) == "NotSupported"
    answer = await bench.request(
        "ChangeConfiguration", {"key": "LocalAuthListEnabled", "value": "true"}
    )
    assert answer == {"status": "Rejected"}
    profiles = bench.personality.get_setting("SupportedFeatureProfiles")
    assert profiles == "Core,RemoteTrigger"


async def test_16_AU_03_offline_the_list_lets_in(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    await send(bench, "Full", 1, entry("A", parentIdTag="P"))
    await bench.offline()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    decided = bench.happened(AuthorizationDecided)[-1]
    assert (decided.accepted, decided.by) == (True, "list")
    await bench.online()
    assert bench.saw("> StartTransaction idTag=A")


async def test_16_AU_03_local_authorize_offline_covers_the_list(bench16: Make) -> None:
    bench = bench16(keys={"LocalAuthorizeOffline": "false"})
    await bench.boot()
    await send(bench, "Full", 1, entry("A"))
    await bench.offline()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    assert bench.personality.sessions() == ()


@pytest.mark.parametrize("status", ["Blocked", "Expired", "Invalid", "ConcurrentTx"])
async def test_16_AU_04_listed_as_not_accepted_is_refused_offline(
    bench16: Make, status: str
) -> None:
    """Whatever AllowOfflineTxForUnknownId says."""
    bench = bench16(keys={"AllowOfflineTxForUnknownId": "true"})
    await bench.boot()
    await send(bench, "Full", 1, entry("A", status))
    await bench.offline()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    assert bench.personality.sessions() == ()
    decided = bench.happened(AuthorizationDecided)[-1]
    assert (decided.status, decided.by) == (status, "list")


async def test_16_AU_04_entry_expires_with_time(bench16: Make) -> None:
    bench = bench16(keys={"AllowOfflineTxForUnknownId": "true"})
    await bench.boot()
    until = stamp(bench.now + timedelta(minutes=10))
    await send(bench, "Full", 1, entry("A", expiryDate=until))
    await bench.offline()
    await bench.do(PlugIn(1), PresentCard("A", evse=1), PressStop(1))
    assert len(bench.happened(AuthorizationDecided)) == 1
    await bench.advance(601)
    await bench.do(PresentCard("A", evse=1))
    decided = bench.happened(AuthorizationDecided)[-1]
    assert (decided.accepted, decided.status) == (False, "Expired")


async def test_16_AU_05_list_beats_cache(bench16: Make) -> None:
    """And what is listed is not cached."""
    bench = bench16()
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1), PressStop(1))
    assert bench.store.count(CACHE) == 1
    await send(bench, "Full", 1, entry("A", "Blocked"), entry("B"))
    await bench.offline()
    await bench.do(PresentCard("A", evse=1))
    assert bench.personality.sessions() == ()
    await bench.online()
    await bench.do(PresentCard("B", evse=1))
    assert [view.id_token for view in bench.personality.sessions()] == ["B"]
    assert bench.store.count(CACHE) == 1


async def test_16_AU_02_listed_token_starts_without_authorize(bench16: Make) -> None:
    """LocalPreAuthorize."""
    bench = bench16(keys={"LocalPreAuthorize": "true"})
    await bench.boot()
    await send(bench, "Full", 1, entry("A"))
    bench.skip()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    assert not bench.saw("> Authorize")
    assert bench.saw("> StartTransaction idTag=A")


async def test_16_AU_09_group_of_the_list_stops(bench16: Make) -> None:
    """parentIdTag from the list, offline."""
    bench = bench16()
    await bench.boot()
    group = {"parentIdTag": "FAMILY"}
    await send(bench, "Full", 1, entry("A", **group), entry("B", **group), entry("C"))
    await bench.offline()
    await bench.do(PlugIn(1), PresentCard("A", evse=1), PresentCard("C", evse=1))
    assert len(bench.personality.sessions()) == 1
    await bench.do(PresentCard("B", evse=1))
    assert bench.personality.sessions() == ()


@pytest.mark.parametrize("by", ["Authorize", "StartTransaction", "StopTransaction"])
async def test_16_ST_11_conflict_with_the_back_office_is_told(bench16: Make, by: str) -> None:
    bench = bench16()
    await bench.boot()
    await send(bench, "Full", 1, entry("A"))
    blocked = {"idTagInfo": {"status": "Blocked"}}
    bench.csms.on(by, blocked | ({"transactionId": 1} if by == "StartTransaction" else {}))
    bench.skip()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    if by == "StopTransaction":
        assert not bench.saw("> StatusNotification errorCode=LocalListConflict")
        await bench.do(PresentCard("A", evse=1))
    conflict = "> StatusNotification connectorId=0 errorCode=LocalListConflict status=Available"
    assert bench.saw(conflict)


async def test_16_ST_11_no_conflict_where_both_refuse_or_it_is_only_busy(bench16: Make) -> None:
    """Part 3.5.2: ConcurrentTx is a valid token."""
    bench = bench16()
    await bench.boot()
    await send(bench, "Full", 1, entry("A", "Invalid"), entry("B"))
    bench.csms.token_status |= {"A": "Blocked", "B": "ConcurrentTx"}
    bench.skip()
    await bench.do(PlugIn(1), PresentCard("A", evse=1), PresentCard("B", evse=1))
    assert len(bench.sent("Authorize")) == 2
    assert not bench.saw("> StatusNotification errorCode=LocalListConflict")
