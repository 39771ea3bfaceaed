"""Who may charge: Authorize, cache, offline, groups (1.6 part 3.5, 4.1, 4.8)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from app.kernel.units import stamp
from app.ocpp.events import AuthorizationDecided
from app.ocpp.v16 import Personality16
from app.ocpp.v16.rows import CACHE
from app.station.events import ReaderLampChanged
from app.station.intents import PlugIn, PresentCard, PressStop, SetVehicle, Unplug
from app.station.kinds import ReaderLamp
from tests.conformance.v16.conftest import Make
from tests.support.harness import MUTE, Bench, Refuse


def lamps(bench: Bench) -> list[ReaderLamp]:
    return [event.lamp for event in bench.happened(ReaderLampChanged)]


def personality(bench: Bench) -> Personality16:
    assert isinstance(bench.personality, Personality16)
    return bench.personality


class ListOf:
    """A local list for the seam that later holds the real one."""

    def __init__(self, **entries: Mapping[str, Any]) -> None:
        self.entries = entries

    def find(self, token: str) -> Mapping[str, Any] | None:
        return self.entries.get(token)


@pytest.mark.parametrize("status", ["Blocked", "Expired", "Invalid", "ConcurrentTx"])
async def test_only_accepted_starts(bench16: Make, status: str) -> None:
    """16-AU-01."""
    bench = bench16()
    bench.csms.token_status["A"] = status
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    assert bench.personality.sessions() == ()
    decided = bench.happened(AuthorizationDecided)[-1]
    assert (decided.accepted, decided.status, decided.by) == (False, status, "backoffice")
    assert lamps(bench) == [ReaderLamp.ASKING, ReaderLamp.REFUSED]


async def test_reader_shows_asking_then_accepted(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    assert lamps(bench) == [ReaderLamp.ASKING, ReaderLamp.ACCEPTED]


async def test_token_longer_than_the_field_is_refused_without_asking(bench16: Make) -> None:
    """16-AU-01: idTag is CiString20."""
    bench = bench16()
    await bench.boot()
    bench.skip()
    await bench.do(PresentCard("X" * 21, evse=1))
    bench.expect("")
    assert lamps(bench) == [ReaderLamp.REFUSED]


async def test_local_pre_authorize_starts_without_authorize(bench16: Make) -> None:
    """16-AU-02, both-local-preauthorize-request: no-request."""
    bench = bench16(keys={"LocalPreAuthorize": "true"})
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1), PressStop(1))
    assert len(bench.sent("Authorize")) == 1
    await bench.do(PresentCard("A", evse=1))
    assert len(bench.sent("Authorize")) == 1
    assert len(bench.sent("StartTransaction")) == 2
    assert bench.happened(AuthorizationDecided)[-1].by == "cache"


async def test_authorize_goes_along_and_may_end_the_transaction(bench16: Make) -> None:
    """16-AU-02, both-local-preauthorize-request: parallel-request."""
    bench = bench16(
        keys={"LocalPreAuthorize": "true"},
        points={"both-local-preauthorize-request": "parallel-request"},
    )
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1), PressStop(1))
    bench.csms.on("Authorize", {"idTagInfo": {"status": "Blocked"}})
    await bench.do(PresentCard("A", evse=1))
    assert len(bench.sent("Authorize")) == 2
    assert bench.sent("StopTransaction")[-1]["reason"] == "DeAuthorized"


async def test_token_cached_as_refused_is_asked_about_again(bench16: Make) -> None:
    """16-AU-07: also with LocalPreAuthorize."""
    bench = bench16(keys={"LocalPreAuthorize": "true"})
    bench.csms.token_status["A"] = "Blocked"
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    bench.csms.token_status["A"] = "Accepted"
    await bench.do(PresentCard("A", evse=1))
    assert len(bench.sent("Authorize")) == 2
    assert len(bench.personality.sessions()) == 1


async def test_offline_the_cache_decides(bench16: Make) -> None:
    """16-AU-03, 16-AU-06."""
    bench = bench16()
    bench.csms.token_status["BAD"] = "Blocked"
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("BAD", evse=1), PresentCard("GOOD", evse=1))
    await bench.do(PressStop(1))
    await bench.offline()
    await bench.do(PresentCard("BAD", evse=1))
    assert bench.personality.sessions() == ()
    await bench.do(PresentCard("good", evse=1))
    assert len(bench.personality.sessions()) == 1


async def test_a_smaller_cache_forgets_at_once_what_is_not_valid_and_then_the_oldest(
    bench16: Make,
) -> None:
    """16-AU-06: AuthorizationCacheMaxEntries, also when a person changes it."""
    bench = bench16()
    bench.csms.token_status["BAD"] = "Blocked"
    await bench.boot()
    await bench.do(PlugIn(1), *(PresentCard(token, evse=1) for token in ("A", "A", "BAD")))
    await bench.do(*(PresentCard(token, evse=1) for token in "BBCC"))
    assert [key for key, _ in bench.store.rows(CACHE)] == ["a", "bad", "b", "c"]
    change = {"key": "AuthorizationCacheMaxEntries", "value": "3"}
    assert await bench.request("ChangeConfiguration", change) == {"status": "Accepted"}
    assert [key for key, _ in bench.store.rows(CACHE)] == ["a", "b", "c"]
    assert bench.personality.set_setting("AuthorizationCacheMaxEntries", "2") == "Accepted"
    assert [key for key, _ in bench.store.rows(CACHE)] == ["b", "c"]
    assert bench.personality.set_setting("AuthorizationCacheMaxEntries", "0") == "Rejected"


async def test_offline_unknown_token_is_refused_by_default(bench16: Make) -> None:
    """16-AU-03, ocpp16-offline-unknown-id: reject."""
    bench = bench16()
    await bench.boot()
    await bench.offline()
    await bench.do(PlugIn(1), PresentCard("NEW", evse=1))
    assert bench.personality.sessions() == ()
    assert bench.happened(AuthorizationDecided)[-1].by == "offline"


@pytest.mark.parametrize(
    ("keys", "points"),
    [
        ({"AllowOfflineTxForUnknownId": "true"}, {}),
        ({}, {"ocpp16-offline-unknown-id": "accept-capped"}),
    ],
)
async def test_offline_unknown_token_may_be_let_in(
    bench16: Make, keys: dict[str, str], points: dict[str, str]
) -> None:
    """16-AU-03: the key, or the open point."""
    bench = bench16(keys=keys, points=points)
    await bench.boot()
    await bench.offline()
    await bench.do(PlugIn(1), PresentCard("NEW", evse=1))
    assert len(bench.personality.sessions()) == 1
    await bench.online()
    assert bench.saw("> StartTransaction idTag=NEW")


async def test_cache_is_not_asked_offline_where_local_authorize_offline_is_off(
    bench16: Make,
) -> None:
    """16-AU-03: LocalAuthorizeOffline covers list and cache."""
    bench = bench16(keys={"LocalAuthorizeOffline": "false"})
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1), PressStop(1))
    await bench.offline()
    await bench.do(PresentCard("A", evse=1))
    assert bench.personality.sessions() == ()


async def test_listed_as_blocked_is_refused_offline_whatever_the_switch_says(
    bench16: Make,
) -> None:
    """16-AU-04, 16-AU-05: the list beats the cache."""
    bench = bench16(keys={"AllowOfflineTxForUnknownId": "true"})
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1), PressStop(1))
    past = stamp(bench.now - timedelta(days=1))
    personality(bench).authorization.local_list = ListOf(
        A={"status": "Blocked"}, B={"status": "Accepted", "expiryDate": past}
    )
    await bench.offline()
    await bench.do(PresentCard("A", evse=1), PresentCard("B", evse=1))
    assert bench.personality.sessions() == ()
    statuses = [event.status for event in bench.happened(AuthorizationDecided)[-2:]]
    assert statuses == ["Blocked", "Expired"]


async def test_listed_token_is_not_cached(bench16: Make) -> None:
    """16-AU-05."""
    bench = bench16()
    await bench.boot()
    personality(bench).authorization.local_list = ListOf(A={"status": "Accepted"})
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    assert bench.store.count(CACHE) == 0


async def test_conflict_with_the_local_list_is_told(bench16: Make) -> None:
    """16-ST-11: StatusNotification of connector 0 with LocalListConflict."""
    bench = bench16(keys={"LocalPreAuthorize": "true"})
    await bench.boot()
    personality(bench).authorization.local_list = ListOf(A={"status": "Accepted"})
    bench.csms.token_status["A"] = "Blocked"
    bench.skip()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    assert bench.saw("> StatusNotification connectorId=0 errorCode=LocalListConflict")
    assert bench.sent("StopTransaction")[0]["reason"] == "DeAuthorized"


async def test_cached_token_expires(bench16: Make) -> None:
    """16-AU-06: past expiryDate the entry becomes Expired."""
    bench = bench16()
    until = stamp(bench.now + timedelta(minutes=5))
    bench.csms.on("Authorize", {"idTagInfo": {"status": "Accepted", "expiryDate": until}})
    info = {"status": "Accepted", "expiryDate": until}
    bench.csms.on("StartTransaction", {"transactionId": 5, "idTagInfo": info})
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1), PressStop(1))
    await bench.advance(301)
    await bench.offline()
    await bench.do(PresentCard("A", evse=1))
    assert bench.personality.sessions() == ()
    assert bench.happened(AuthorizationDecided)[-1].status == "Expired"
    assert bench.store.get(CACHE, "a") == bench.store.get(CACHE, "a") | {"status": "Expired"}


async def test_cache_is_fed_by_start_and_stop_answers_and_survives(bench16: Make) -> None:
    """16-AU-06."""
    bench = bench16()
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    info = {"status": "Blocked", "parentIdTag": "P"}
    bench.csms.on("StopTransaction", {"idTagInfo": info})
    await bench.do(PresentCard("A", evse=1))
    await bench.kill_and_restart()
    row = bench.store.get(CACHE, "a")
    assert row is not None
    assert (row["status"], row["parentIdTag"]) == ("Blocked", "P")


async def test_clear_cache(bench16: Make) -> None:
    """16-AU-06, 16-AU-08 (errata 3.23)."""
    bench = bench16()
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    assert bench.store.count(CACHE) == 1
    assert await bench.request("ClearCache", {}) == {"status": "Accepted"}
    assert bench.store.count(CACHE) == 0
    change = {"key": "AuthorizationCacheEnabled", "value": "false"}
    assert await bench.request("ChangeConfiguration", change) == {"status": "Accepted"}
    assert await bench.request("ClearCache", {}) == {"status": "Rejected"}
    await bench.do(PresentCard("A", evse=1), PresentCard("A", evse=1))
    assert bench.store.count(CACHE) == 0


async def test_silent_back_office_counts_as_offline(bench16: Make) -> None:
    """16-AU-03: known tokens are let in by the cache."""
    bench = bench16()
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1), PressStop(1))
    bench.csms.on("Authorize", MUTE)
    await bench.do(PresentCard("A", evse=1))
    assert len(bench.personality.sessions()) == 1


async def test_refusing_back_office_lets_nobody_in(bench16: Make) -> None:
    """16-AU-01: a CALLERROR is no permission."""
    bench = bench16()
    await bench.boot()
    bench.csms.on("Authorize", Refuse("InternalError"))
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    assert bench.personality.sessions() == ()


async def test_card_of_the_same_group_stops(bench16: Make) -> None:
    """16-AU-09: same parentIdTag."""
    bench = bench16()
    bench.csms.on("Authorize", {"idTagInfo": {"status": "Accepted", "parentIdTag": "FAMILY"}})
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    bench.skip()
    await bench.do(PresentCard("B", evse=1))
    assert bench.saw("> Authorize idTag=B")
    assert bench.saw("> StopTransaction idTag=B reason=Local")


async def test_parent_from_the_start_answer_counts(bench16: Make) -> None:
    """16-AU-09."""
    bench = bench16()
    info = {"status": "Accepted", "parentIdTag": "FAMILY"}
    bench.csms.on("StartTransaction", {"transactionId": 3, "idTagInfo": info})
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    bench.csms.on("Authorize", {"idTagInfo": info})
    await bench.do(PresentCard("B", evse=1))
    assert bench.sent("StopTransaction")[0]["idTag"] == "B"


async def test_stranger_does_not_stop_and_the_parent_tag_is_no_card(bench16: Make) -> None:
    """16-AU-09: parentIdTag itself is not matched against presented tags."""
    bench = bench16()
    bench.csms.on(
        "Authorize",
        lambda request: {
            "idTagInfo": {"status": "Accepted"}
            if request["idTag"] != "A"
            else {"status": "Accepted", "parentIdTag": "FAMILY"}
        },
    )
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    await bench.do(PresentCard("STRANGER", evse=1), PresentCard("FAMILY", evse=1))
    assert bench.sent("StopTransaction") == []
    assert lamps(bench)[-1] is ReaderLamp.REFUSED


async def test_invalid_id_stops_and_keeps_the_cable(bench16: Make) -> None:
    """16-AU-10: StopTransactionOnInvalidId=true, errata 3.5: the same tag frees the cable."""
    bench = bench16(keys={"LocalPreAuthorize": "true"})
    await bench.boot()
    await bench.do(PlugIn(2), PresentCard("A", evse=2), PressStop(2))
    bench.csms.token_status["A"] = "Invalid"
    bench.skip()
    await bench.do(PresentCard("A", evse=2))
    assert bench.saw("> StopTransaction reason=DeAuthorized")
    assert bench.saw("> StatusNotification connectorId=2 status=Finishing")
    socket = bench.station.snapshot().evse(2).connectors[0]
    assert socket.lock.value == "locked"
    await bench.do(PresentCard("a", evse=2))
    assert bench.station.snapshot().evse(2).connectors[0].lock.value == "open"
    await bench.do(Unplug(2))


@pytest.mark.parametrize("told", ["Authorize", "StartTransaction"])
async def test_cable_is_freed_by_the_group(bench16: Make, told: str) -> None:
    """16-AU-10, errata 3.5: same ParentIdTag, though the parent is first told with the refusal."""
    bench = bench16()
    group = {"status": "Accepted", "parentIdTag": "P"}
    refusal = {"status": "Blocked"} | ({"parentIdTag": "P"} if told == "StartTransaction" else {})
    bench.csms.on("StartTransaction", {"transactionId": 1, "idTagInfo": refusal})
    bench.csms.on(
        "Authorize",
        [
            {"idTagInfo": group if told == "Authorize" else {"status": "Accepted"}},
            {"idTagInfo": group},
        ],
    )
    await bench.boot()
    await bench.do(PlugIn(2), PresentCard("A", evse=2))
    assert bench.station.snapshot().evse(2).connectors[0].lock.value == "locked"
    await bench.do(PresentCard("B", evse=2))
    assert bench.station.snapshot().evse(2).connectors[0].lock.value == "open"


async def test_kept_cable_is_nobody_elses(bench16: Make) -> None:
    """16-AU-10: until its owner comes, no other card and no remote start charges with that cable."""
    bench = bench16()
    bench.csms.on("StartTransaction", {"transactionId": 1, "idTagInfo": {"status": "Invalid"}})
    await bench.boot()
    await bench.do(PlugIn(2), PresentCard("A", evse=2), PresentCard("B", evse=2))
    assert lamps(bench)[-1] is ReaderLamp.REFUSED
    order = {"idTag": "B", "connectorId": 2}
    assert await bench.request("RemoteStartTransaction", order) == {"status": "Rejected"}
    assert len(bench.sent("StartTransaction")) == 1
    assert bench.station.snapshot().evse(2).connectors[0].lock.value == "locked"


async def test_kept_cable_may_be_used_by_a_remote_start_for_the_group(bench16: Make) -> None:
    """16-AU-10, errata 3.5: of whose group a token is shows only when the back office is asked."""
    bench = bench16(keys={"AuthorizeRemoteTxRequests": "true"})
    refusal = {"status": "Invalid", "parentIdTag": "P"}
    bench.csms.on("StartTransaction", {"transactionId": 1, "idTagInfo": refusal})
    group = {"idTagInfo": {"status": "Accepted", "parentIdTag": "P"}}
    bench.csms.on("Authorize", group)
    await bench.boot()
    await bench.do(PlugIn(2), PresentCard("A", evse=2))
    assert bench.personality.sessions() == ()
    bench.csms.default("StartTransaction")
    order = {"idTag": "B", "connectorId": 2}
    assert await bench.request("RemoteStartTransaction", order) == {"status": "Accepted"}
    assert bench.sent("StartTransaction")[-1]["idTag"] == "B"


async def test_remote_start_for_the_owner_of_a_kept_cable_prepares_first(bench16: Make) -> None:
    """16-ST-03, F2: there is no way from Finishing to Charging."""
    bench = bench16()
    bench.csms.on("StartTransaction", {"transactionId": 1, "idTagInfo": {"status": "Invalid"}})
    await bench.boot()
    await bench.do(PlugIn(2), PresentCard("A", evse=2))
    bench.csms.default("StartTransaction")
    bench.skip()
    order = {"idTag": "a", "connectorId": 2}
    assert await bench.request("RemoteStartTransaction", order) == {"status": "Accepted"}
    assert bench.saw("> StatusNotification connectorId=2 status=Preparing")
    assert len(bench.personality.sessions()) == 1


async def test_cable_without_a_lock_is_kept_for_nobody(bench16: Make) -> None:
    """16-AU-10 is about the lock: where there is none, the next card begins anew."""
    bench = bench16("home-ac-11")
    bench.csms.on("StartTransaction", {"transactionId": 1, "idTagInfo": {"status": "Invalid"}})
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    bench.csms.default("StartTransaction")
    await bench.do(PresentCard("A", evse=1))
    assert len(bench.personality.sessions()) == 1


async def test_invalid_id_only_stops_the_energy(bench16: Make) -> None:
    """16-AU-10: StopTransactionOnInvalidId=false -> SuspendedEVSE (C5), the session stays."""
    bench = bench16(keys={"StopTransactionOnInvalidId": "false"})
    bench.csms.on("StartTransaction", {"transactionId": 1, "idTagInfo": {"status": "Invalid"}})
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1))
    bench.skip()
    await bench.do(PresentCard("A", evse=1))
    await bench.advance(1)
    assert bench.saw("> StatusNotification connectorId=1 status=SuspendedEVSE")
    await bench.advance(600)
    assert len(bench.personality.sessions()) == 1
    assert bench.station.meter(1).energy_import < 5
    await bench.do(PressStop(1))
    # the next driver is served as ever
    bench.csms.default("StartTransaction")
    await bench.do(Unplug(1), PlugIn(1), PresentCard("B", evse=1))
    await bench.advance(60)
    assert bench.station.meter(1).energy_import > 20


async def test_invalid_id_gets_a_last_grace(bench16: Make) -> None:
    """16-AU-10: MaxEnergyOnInvalidId."""
    keys = {"StopTransactionOnInvalidId": "false", "MaxEnergyOnInvalidId": "1000"}
    bench = bench16(keys=keys)
    bench.csms.on("StartTransaction", {"transactionId": 1, "idTagInfo": {"status": "Invalid"}})
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), PresentCard("A", evse=1))
    await bench.advance(3600)
    assert 995 <= bench.station.meter(1).energy_import <= 1005
    assert bench.saw("> StatusNotification connectorId=1 status=SuspendedEVSE")
    await bench.do(PressStop(1))


async def test_uncapped_offline_token_gets_no_grace_once_refused(bench16: Make) -> None:
    """ocpp16-offline-unknown-id: accept-uncapped runs until the back office answers."""
    keys = {"StopTransactionOnInvalidId": "false", "MaxEnergyOnInvalidId": "1000"}
    bench = bench16(keys=keys, points={"ocpp16-offline-unknown-id": "accept-uncapped"})
    bench.csms.on("StartTransaction", {"transactionId": 1, "idTagInfo": {"status": "Invalid"}})
    await bench.boot()
    await bench.offline()
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), PresentCard("A", evse=1))
    await bench.advance(3600)
    delivered = bench.station.meter(1).energy_import
    assert delivered > 5000
    await bench.online()
    await bench.advance(600)
    assert bench.station.meter(1).energy_import < delivered + 5


async def test_unknown_card_where_no_place_is_left_is_refused_without_asking(bench16: Make) -> None:
    """A place to charge is looked for first."""
    bench = bench16("home-ac-11")
    await bench.boot()
    await bench.request("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    bench.skip()
    await bench.do(PresentCard("A"))
    bench.expect("")
    assert lamps(bench) == [ReaderLamp.REFUSED]


@pytest.mark.parametrize(
    ("choice", "shown"),
    [("none", []), ("all-free", [1, 2]), ("last-used", [2]), ("chosen-on-screen", [1])],
)
async def test_card_first_at_one_reader_for_two(
    bench16: Make, choice: str, shown: list[int]
) -> None:
    """ocpp16-card-first-connector: which connector shows Preparing."""
    bench = bench16(points={"ocpp16-card-first-connector": choice})
    await bench.boot()
    await bench.do(PlugIn(2), PresentCard("A"), PressStop(2), Unplug(2))
    bench.skip()
    await bench.do(PresentCard("A"))
    told = [
        line.payload["connectorId"]
        for line in bench.lines
        if line.action == "StatusNotification" and line.payload["status"] == "Preparing"
    ]
    assert told == shown
    await bench.do(PlugIn(1))
    assert bench.sent("StartTransaction")[-1]["connectorId"] == 1
    states = {item["connectorId"]: item["status"] for item in bench.sent("StatusNotification")}
    assert states[2] == "Available"


async def test_timed_out_cable_is_not_taken_by_the_next_card(bench16: Make) -> None:
    """Errata 3.20: at one reader for two, a cable in Finishing is somebody else's."""
    bench = bench16(keys={"ConnectionTimeOut": "30"})
    await bench.boot()
    await bench.do(PlugIn(1))
    await bench.advance(31)
    await bench.do(PresentCard("NEXT"))
    assert bench.sent("StartTransaction") == []
    await bench.do(PlugIn(2))
    assert bench.sent("StartTransaction")[0]["connectorId"] == 2


async def test_newest_cable_is_taken_where_two_are_in(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    await bench.do(PlugIn(2))
    await bench.advance(5)
    await bench.do(PlugIn(1))
    await bench.do(PresentCard("A"))
    assert bench.sent("StartTransaction")[0]["connectorId"] == 1
