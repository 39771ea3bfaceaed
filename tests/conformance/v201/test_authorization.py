"""Who may charge: part 2, C01 to C16, and E05."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.kernel.units import stamp
from app.ocpp.events import AuthorizationDecided
from app.station.events import ReaderLampChanged, ScreenChanged
from app.station.intents import PlugIn, PresentCard, SetVehicle, Unplug
from app.station.kinds import LockState, ReaderLamp
from tests.conformance.v201.conftest import Make, events, get_variable, set_variable
from tests.support.harness import MUTE, Bench, Hold, Refuse

A1 = PresentCard("A", evse=1)
CENTRAL = {"idToken": "FLEET", "type": "Central"}


def lamps(bench: Bench) -> list[ReaderLamp]:
    return [event.lamp for event in bench.happened(ReaderLampChanged)]


def decided(bench: Bench) -> list[tuple[str, str]]:
    return [(event.status, event.by) for event in bench.happened(AuthorizationDecided)]


def info(status: str = "Accepted", **more: Any) -> dict[str, Any]:
    return {"idTokenInfo": {"status": status, **more}}


async def booted(bench201: Make, **options: Any) -> Bench:
    bench: Bench = bench201(**options)
    await bench.boot()
    bench.skip()
    return bench


async def test_201_AU_01_a_card_too_long_for_a_message_is_refused_and_not_cut(
    bench201: Make,
) -> None:
    """201-AU-01: cut short, two different cards would be one token."""
    bench = await booted(bench201)
    await bench.do(PlugIn(1), PresentCard("X" * 37, evse=1))
    assert lamps(bench)[-1] is ReaderLamp.REFUSED
    assert not bench.sent("Authorize")
    await bench.do(PresentCard("X" * 36, evse=1))
    assert bench.sent("Authorize")[-1]["idToken"]["idToken"] == "X" * 36


async def charged_once(bench201: Make, **options: Any) -> Bench:
    """A station that knows card A from an earlier session."""
    bench = await booted(bench201, **options)
    await bench.do(PlugIn(1), A1, A1, Unplug(1))
    bench.skip()
    return bench


async def test_reader_asks_and_shows_the_answer(bench201: Make) -> None:
    """201-AU-01, C01.FR.02: lamp and screen follow."""
    bench = await booted(bench201)
    await bench.do(PlugIn(1), A1)
    assert lamps(bench)[:2] == [ReaderLamp.ASKING, ReaderLamp.ACCEPTED]
    assert decided(bench) == [("Accepted", "backoffice")]


@pytest.mark.parametrize(
    "status",
    [
        "Blocked",
        "ConcurrentTx",
        "Expired",
        "Invalid",
        "NoCredit",
        "NotAllowedTypeEVSE",
        "NotAtThisLocation",
        "NotAtThisTime",
        "Unknown",
    ],
)
async def test_token_that_is_not_accepted_starts_nothing(bench201: Make, status: str) -> None:
    """201-AU-01, C01.FR.07."""
    bench = await booted(bench201)
    bench.csms.token_status["A"] = status
    await bench.do(PlugIn(1), A1)
    assert ReaderLamp.REFUSED in lamps(bench)
    assert decided(bench) == [(status, "backoffice")]
    assert events(bench) == []


async def test_kind_of_the_card_is_told(bench201: Make) -> None:
    """201-AU-01: token types."""
    bench = await booted(bench201)
    await bench.do(PresentCard("0815", kind="KeyCode", evse=1))
    assert bench.sent("Authorize")[0]["idToken"] == {"idToken": "0815", "type": "KeyCode"}


async def test_card_shown_twice_while_asking_is_asked_about_once(bench201: Make) -> None:
    """C01: one decision at a time and reader."""
    bench = await booted(bench201)
    hold = bench.csms.hold("Authorize")
    bench.intend(A1)
    await hold.arrived()
    bench.intend(A1)
    hold.answer(info())
    await bench.rest()
    assert len(bench.sent("Authorize")) == 1


async def test_token_for_another_evse_is_refused_here(bench201: Make) -> None:
    """201-AU-08, C01.FR.21."""
    bench = await booted(bench201)
    bench.csms.on("Authorize", info(evseId=[2]))
    await bench.do(PlugIn(1), A1)
    assert decided(bench) == [("NotAllowedTypeEVSE", "backoffice")]
    await bench.do(PlugIn(2), PresentCard("A"))
    assert bench.sent("TransactionEvent")[0]["evse"]["id"] == 2


async def test_personal_message_is_shown(bench201: Make) -> None:
    """201-AU-08."""
    bench = await booted(bench201)
    bench.csms.on("Authorize", info(personalMessage={"format": "UTF8", "content": "Good morning"}))
    await bench.do(PlugIn(1), A1)
    texts = [event.text.params for event in bench.happened(ScreenChanged) if event.text]
    assert {"text": "Good morning"} in texts


async def test_why_a_card_was_refused_is_on_the_screen_for_a_while_only(bench201: Make) -> None:
    bench = await booted(bench201)
    bench.csms.token_status["A"] = "Blocked"

    def shown() -> str:
        return bench.station.snapshot().evse(1).screen.id

    await bench.do(PlugIn(1))
    usual = shown()
    await bench.do(A1)
    assert shown() == "v201.screen.refused"
    await bench.advance(4)
    await bench.do(A1)  # once more: it stays as long as the first time
    await bench.advance(4)
    assert shown() == "v201.screen.refused"
    await bench.advance(2)
    assert shown() == usual
    await bench.do(A1)
    bench.csms.token_status["B"] = "Accepted"
    await bench.do(PresentCard("B", evse=1))
    await bench.advance(10)
    assert shown() == "v201.screen.accepted"  # what came after it is left alone


# ---- groups and master pass


async def test_second_card_of_same_group_stops_the_transaction(bench201: Make) -> None:
    """201-AU-06, C09.FR.03, C09.FR.05: asked for, because it is not known here."""
    bench = await booted(bench201)
    bench.csms.on("Authorize", info(groupIdToken=CENTRAL))
    await bench.do(PlugIn(1), A1)
    await bench.do(PresentCard("B", evse=1))
    assert len(bench.sent("Authorize")) == 2
    assert events(bench)[-1] == "Ended StopAuthorized EVConnected Local"
    assert bench.sent("TransactionEvent")[-1]["idToken"]["idToken"] == "B"


async def test_known_card_of_same_group_stops_without_asking(bench201: Make) -> None:
    """201-AU-06, C09.FR.07, C01.FR.03 b."""
    bench = await booted(bench201)
    bench.csms.on("Authorize", info(groupIdToken=CENTRAL))
    bench.csms.on(
        "TransactionEvent", lambda r: info(groupIdToken=CENTRAL) if "idToken" in r else {}
    )
    await bench.do(PresentCard("B", evse=2), PresentCard("B", evse=2))
    await bench.do(PlugIn(1), A1)
    asked = len(bench.sent("Authorize"))
    await bench.do(PresentCard("B", evse=1))
    assert len(bench.sent("Authorize")) == asked
    assert events(bench)[-1] == "Ended StopAuthorized EVConnected Local"


async def test_card_of_the_group_that_is_not_accepted_stops_nothing(bench201: Make) -> None:
    """C09.FR.11."""
    bench = await booted(bench201)
    bench.csms.on("Authorize", [info(groupIdToken=CENTRAL), info("Blocked", groupIdToken=CENTRAL)])
    await bench.do(PlugIn(1), A1)
    await bench.do(PresentCard("B", evse=1))
    assert bench.personality.sessions()[0].id_token == "A"


async def test_group_told_with_the_transaction_event_counts(bench201: Make) -> None:
    """C09.FR.12."""
    bench = await booted(bench201)
    bench.csms.on(
        "TransactionEvent", lambda r: info(groupIdToken=CENTRAL) if "idToken" in r else {}
    )
    bench.csms.on("Authorize", [info(), info(groupIdToken=CENTRAL)])
    await bench.do(PlugIn(1), A1)
    await bench.do(PresentCard("B", evse=1))
    assert events(bench)[-1] == "Ended StopAuthorized EVConnected Local"


async def test_stranger_does_not_stop(bench201: Make) -> None:
    """201-AU-06."""
    bench = await booted(bench201)
    await bench.do(PlugIn(1), A1)
    await bench.do(PresentCard("B", evse=1))
    assert len(bench.personality.sessions()) == 1
    assert lamps(bench)[-1] is ReaderLamp.REFUSED


async def test_token_equality_knows_case_and_type(bench201: Make) -> None:
    """RPC-19, C01.FR.25 (errata 2.18): the same text in another type is another token."""
    bench = await booted(bench201)
    await bench.do(PlugIn(1), PresentCard("abc", evse=1))
    await bench.do(PresentCard("ABC", kind="KeyCode", evse=1))
    assert len(bench.personality.sessions()) == 1
    await bench.do(PresentCard("ABC", evse=1))
    assert bench.personality.sessions() == ()


async def test_master_pass_stops_every_session_and_starts_none(bench201: Make) -> None:
    """201-AU-07, C16.FR.02, C16.FR.03, C16.FR.07."""
    bench = await booted(bench201, variables={"AuthCtrlr.MasterPassGroupId": "POLICE"})
    master = info(groupIdToken={"idToken": "POLICE", "type": "Central"})
    await bench.do(PlugIn(1), A1, PlugIn(2), PresentCard("B", evse=2))
    bench.csms.on("Authorize", master)
    await bench.do(PresentCard("M", evse=1))
    assert events(bench)[-2:] == ["Ended StopAuthorized EVConnected MasterPass"] * 2
    before = len(events(bench))
    await bench.do(PresentCard("M", evse=1))
    assert len(events(bench)) == before


# ---- cache


async def test_cached_token_starts_without_asking_where_that_is_on(bench201: Make) -> None:
    """201-AU-03, C12.FR.02, C12.FR.04, C10.FR.04."""
    bench = await charged_once(bench201, variables={"AuthCtrlr.LocalPreAuthorize": "true"})
    await bench.do(PlugIn(1), A1)
    bench.expect("> StatusNotification\n> TransactionEvent idToken.idToken=A\n> TransactionEvent")
    assert decided(bench)[-1] == ("Accepted", "cache")


async def test_cached_token_is_asked_about_where_preauthorize_is_off(bench201: Make) -> None:
    """201-AU-03."""
    bench = await charged_once(bench201)
    await bench.do(PlugIn(1), A1)
    bench.expect("> StatusNotification\n> Authorize\n> TransactionEvent\n> TransactionEvent")


async def test_parallel_request_takes_the_energy_back_when_it_is_refused(bench201: Make) -> None:
    """Open point both-local-preauthorize-request."""
    bench = await charged_once(
        bench201,
        variables={"AuthCtrlr.LocalPreAuthorize": "true"},
        points={"both-local-preauthorize-request": "parallel-request"},
    )
    bench.csms.on("Authorize", info("Blocked"))
    await bench.do(PlugIn(1), A1)
    assert events(bench)[-1] == "Ended Deauthorized EVConnected DeAuthorized"


async def test_parallel_request_finds_the_session_where_its_cable_went_in(bench201: Make) -> None:
    """Open point both-local-preauthorize-request: at a shared reader the EVSE may not be known yet."""
    bench = await charged_once(
        bench201,
        variables={"AuthCtrlr.LocalPreAuthorize": "true"},
        points={"both-local-preauthorize-request": "parallel-request"},
    )
    answer = Hold(bench.csms)
    bench.csms.on("Authorize", answer)
    bench.intend(PresentCard("A"))
    await answer.arrived()
    bench.intend(PlugIn(2))
    answer.answer(info("Blocked"))
    await bench.rest()
    assert events(bench)[-1] == "Ended Deauthorized EVConnected DeAuthorized"
    assert bench.personality.sessions() == ()
    assert not bench.station.snapshot().evse(2).permitted


@pytest.mark.parametrize("disabled", [False, True])
async def test_cached_refusal_is_asked_about_again(bench201: Make, disabled: bool) -> None:
    """C10.FR.03, C12.FR.05; not with DisablePostAuthorize."""
    bench = await booted(
        bench201,
        variables={"AuthCacheCtrlr.DisablePostAuthorize": "true" if disabled else "false"},
    )
    bench.csms.token_status["A"] = "Blocked"
    await bench.do(A1)
    bench.csms.token_status["A"] = "Accepted"
    await bench.do(A1)
    assert len(bench.sent("Authorize")) == (1 if disabled else 2)
    assert decided(bench)[-1][0] == ("Blocked" if disabled else "Accepted")


async def test_transaction_event_feeds_the_cache(bench201: Make) -> None:
    """201-AU-04, C10.FR.05."""
    bench = await booted(bench201)
    bench.csms.on("TransactionEvent", lambda r: info("Blocked") if "idToken" in r else {})
    await bench.do(PlugIn(1), A1)
    await bench.offline()
    await bench.do(Unplug(1), PlugIn(1), A1)
    assert decided(bench)[-1] == ("Blocked", "cache")


@pytest.mark.parametrize(("seconds", "known"), [(59, True), (61, False)])
async def test_cache_entry_lives_from_its_last_update(
    bench201: Make, seconds: float, known: bool
) -> None:
    """201-AU-04, C10.FR.10 (errata 2.21): LifeTime."""
    bench = await charged_once(bench201, variables={"AuthCacheCtrlr.LifeTime": "60"})
    await bench.offline()
    await bench.advance(seconds)
    await bench.do(PlugIn(1), A1)
    assert bool(bench.personality.sessions()) is known


@pytest.mark.parametrize(("seconds", "known"), [(500, True), (601, False)])
async def test_cache_expiry_date_wins_over_the_life_time(
    bench201: Make, seconds: float, known: bool
) -> None:
    """201-AU-04, C10.FR.13."""
    bench = await booted(bench201, variables={"AuthCacheCtrlr.LifeTime": "1"})
    expiry = stamp(bench.now + timedelta(seconds=600))
    bench.csms.on("Authorize", info(cacheExpiryDateTime=expiry))
    bench.csms.on("TransactionEvent", {})
    await bench.do(PlugIn(1), A1, A1, Unplug(1))
    await bench.offline()
    await bench.advance(seconds)
    await bench.do(PlugIn(1), A1)
    assert bool(bench.personality.sessions()) is known


async def test_expiry_in_the_past_takes_the_entry_out(bench201: Make) -> None:
    """C10.FR.10, note (errata 2.21): prepaid accounts."""
    bench = await charged_once(bench201)
    bench.csms.on("Authorize", info(cacheExpiryDateTime="2020-01-01T00:00:00Z"))
    bench.csms.on("TransactionEvent", {})
    await bench.do(PlugIn(1), A1, A1, Unplug(1))
    await bench.offline()
    await bench.do(PlugIn(1), A1)
    assert bench.personality.sessions() == ()


async def test_cache_survives_a_power_cut(bench201: Make) -> None:
    """C10.FR.02."""
    bench = await charged_once(bench201, variables={"TxCtrlr.TxBeforeAcceptedEnabled": "true"})
    await bench.kill_and_restart(connect=False)
    await bench.do(PlugIn(1), A1)
    assert decided(bench)[-1] == ("Accepted", "cache")


async def test_clear_cache_forgets_everybody(bench201: Make) -> None:
    """201-AU-04, C11.FR.01, C11.FR.03."""
    bench = await charged_once(bench201)
    assert await bench.request("ClearCache") == {"status": "Accepted"}
    await bench.offline()
    await bench.do(PlugIn(1), A1)
    assert bench.personality.sessions() == ()


async def test_clear_cache_is_rejected_where_it_is_off(bench201: Make) -> None:
    """C11.FR.04; the content stays as it is when the cache is switched off and on."""
    bench = await charged_once(bench201)
    await set_variable(bench, "AuthCacheCtrlr", "Enabled", "false")
    answer = await bench.request("ClearCache")
    assert answer["status"] == "Rejected"
    await set_variable(bench, "AuthCacheCtrlr", "Enabled", "true")
    await bench.offline()
    await bench.do(PlugIn(1), A1)
    assert len(bench.personality.sessions()) == 1


async def test_station_without_a_cache_has_no_variables_of_it(bench201: Make) -> None:
    """13.2: only what is built and on."""
    bench = await booted(bench201, settings={"features": frozenset()})
    assert (await get_variable(bench, "AuthCacheCtrlr", "Available"))["attributeValue"] == "false"
    result = await get_variable(bench, "AuthCacheCtrlr", "LifeTime")
    assert result["attributeStatus"] == "UnknownVariable"
    assert (await bench.request("ClearCache"))["status"] == "Rejected"


# ---- offline


async def test_offline_known_token_charges(bench201: Make) -> None:
    """201-AU-02, C13, E04."""
    bench = await charged_once(bench201)
    await bench.offline()
    await bench.do(PlugIn(1), A1)
    assert decided(bench)[-1] == ("Accepted", "cache")
    assert len(bench.personality.sessions()) == 1


async def test_offline_known_token_is_refused_where_that_is_off(bench201: Make) -> None:
    """AuthCtrlr.LocalAuthorizeOffline false."""
    bench = await charged_once(bench201, variables={"AuthCtrlr.LocalAuthorizeOffline": "false"})
    await bench.offline()
    await bench.do(PlugIn(1), A1)
    assert bench.personality.sessions() == ()


async def test_offline_unknown_token_is_refused(bench201: Make) -> None:
    """C13.FR.02, open point ocpp201-offline-unknown-token: reject is the default."""
    bench = await booted(bench201)
    await bench.offline()
    await bench.do(PlugIn(1), A1)
    assert decided(bench)[-1] == ("Unknown", "offline")


@pytest.mark.parametrize("how", ["variable", "accept-capped", "accept-uncapped"])
async def test_offline_unknown_token_may_be_accepted_and_is_not_cached(
    bench201: Make, how: str
) -> None:
    """201-AU-05, C15.FR.01, C15.FR.08."""
    flag = {"AuthCtrlr.OfflineTxForUnknownIdEnabled": "true"} if how == "variable" else {}
    points = {} if how == "variable" else {"ocpp201-offline-unknown-token": how}
    bench = await booted(bench201, variables=flag, points=points)
    await bench.offline()
    await bench.do(PlugIn(1), A1)
    assert decided(bench)[-1] == ("Accepted", "offline")
    assert bench.store.rows("v201.cache") == []


async def test_silent_back_office_counts_as_offline(bench201: Make) -> None:
    """201-AU-02: a time-out leaves what is known here."""
    bench = await charged_once(bench201)
    bench.csms.on("Authorize", MUTE)
    await bench.do(PlugIn(1), A1)
    assert decided(bench)[-1] == ("Accepted", "cache")


async def test_error_of_the_back_office_is_a_refusal(bench201: Make) -> None:
    """201-AU-01."""
    bench = await booted(bench201)
    bench.csms.on("Authorize", Refuse("InternalError"))
    await bench.do(PlugIn(1), A1)
    assert decided(bench)[-1] == ("Invalid", "backoffice")


async def test_remote_authorization_may_be_off(bench201: Make) -> None:
    """AuthCtrlr.DisableRemoteAuthorization: list and cache only."""
    bench = await charged_once(bench201)
    await set_variable(bench, "AuthCtrlr", "DisableRemoteAuthorization", "true")
    asked = len(bench.sent("Authorize"))
    await bench.do(PlugIn(1), PresentCard("STRANGER", evse=1))
    assert decided(bench)[-1][0] == "Unknown"
    await bench.do(A1)
    assert decided(bench)[-1] == ("Accepted", "cache")
    assert len(bench.sent("Authorize")) == asked


class OneCard:
    """A local authorization list with one entry."""

    def __init__(self, status: str) -> None:
        self.status = status

    def find(self, token: Any) -> dict[str, Any] | None:
        return {"status": self.status} if token.text == "A" else None


async def test_local_list_comes_before_the_cache(bench201: Make) -> None:
    """201-AU-02, C13.FR.01: the seam for the local authorization list."""
    bench = await charged_once(bench201, variables={"LocalAuthListCtrlr.Enabled": "true"})
    bench.personality.authorization.local_list = OneCard("Blocked")  # type: ignore[attr-defined]
    await bench.offline()
    await bench.do(PlugIn(1), A1)
    assert decided(bench)[-1] == ("Blocked", "list")


# ---- the answer to a transaction event


def stopping(*stop: str) -> dict[str, str]:
    return {"TxCtrlr.TxStopPoint": ",".join(stop)}


async def refused_later(
    bench201: Make, variables: dict[str, str], evse: int = 1, **options: Any
) -> Bench:
    """A session whose token is not accepted when the back office hears of it."""
    bench = await booted(bench201, variables=variables, **options)
    bench.csms.on("TransactionEvent", lambda r: info("Blocked") if "idToken" in r else {})
    await bench.do(SetVehicle(evse, ready_delay=0.0), PlugIn(evse), PresentCard("A", evse=evse))
    return bench


@pytest.mark.parametrize("stop", ["Authorized", "PowerPathClosed", "EnergyTransfer"])
async def test_refused_answer_ends_the_transaction(bench201: Make, stop: str) -> None:
    """201-TX-20, E05.FR.10."""
    bench = await refused_later(bench201, stopping(stop))
    assert events(bench)[-1] == "Ended Deauthorized EVConnected DeAuthorized"
    assert not bench.station.snapshot().evse(1).contactor_closed


@pytest.mark.parametrize("stop", ["EVConnected", "ParkingBayOccupancy"])
async def test_refused_answer_only_takes_the_energy_with_other_stop_points(
    bench201: Make, stop: str
) -> None:
    """201-TX-20, E05.FR.09."""
    bench = await refused_later(bench201, stopping(stop))
    assert events(bench)[-2:] == [
        "Updated Deauthorized -",
        "Updated ChargingStateChanged EVConnected",
    ]
    await bench.do(Unplug(1))
    if stop == "EVConnected":
        assert events(bench)[-1] == "Ended EVCommunicationLost Idle DeAuthorized"


async def test_cable_of_a_refused_driver_stays_locked_until_the_card_is_shown(
    bench201: Make,
) -> None:
    """E05.FR.11."""
    bench = await refused_later(bench201, {}, evse=2)
    assert bench.station.snapshot().evse(2).connectors[0].lock is LockState.LOCKED
    await bench.do(PresentCard("B", evse=2))
    assert bench.personality.sessions() == ()
    before = len(bench.sent("Authorize"))
    await bench.do(PresentCard("A", evse=2))
    assert len(bench.sent("Authorize")) == before
    assert bench.station.snapshot().evse(2).connectors[0].lock is LockState.OPEN


@pytest.mark.parametrize(("guarded", "lock"), [("both", "OPEN"), ("token-first", "LOCKED")])
async def test_cable_of_a_refused_driver_waits_no_longer_than_any_cable(
    bench201: Make, guarded: str, lock: str
) -> None:
    """E05.FR.11 with the open point ocpp201-ev-connection-timeout.applies-to."""
    points = {"ocpp201-ev-connection-timeout.applies-to": guarded}
    bench = await refused_later(bench201, {}, evse=2, points=points)
    await bench.advance(59)
    assert bench.station.snapshot().evse(2).connectors[0].lock is LockState.LOCKED
    await bench.advance(2)
    assert bench.station.snapshot().evse(2).connectors[0].lock is LockState[lock]


async def test_refused_answer_without_stopping_suspends_at_once(bench201: Make) -> None:
    """201-TX-20, E05.FR.02: no MaxEnergyOnInvalidId."""
    bench = await refused_later(bench201, {"TxCtrlr.StopTxOnInvalidId": "false"})
    assert events(bench)[-1] == "Updated ChargingStateChanged SuspendedEVSE"
    assert len(bench.personality.sessions()) == 1
    await bench.do(A1)
    assert events(bench)[-1] == "Ended StopAuthorized EVConnected Local"


async def test_refused_answer_lets_so_much_energy_flow(bench201: Make) -> None:
    """201-TX-20, E05.FR.03: MaxEnergyOnInvalidId in Wh."""
    bench = await refused_later(
        bench201,
        {"TxCtrlr.StopTxOnInvalidId": "false", "TxCtrlr.MaxEnergyOnInvalidId": "100"},
    )
    await bench.advance(20)
    assert events(bench)[-1] == "Updated ChargingStateChanged Charging"
    await bench.advance(60)
    assert "Updated ChargingStateChanged SuspendedEVSE" in events(bench)
    register = bench.station.meter(1).energy_import
    assert register == pytest.approx(100, abs=5)


async def test_uncapped_offline_session_goes_on_after_a_refusal(bench201: Make) -> None:
    """Open point ocpp201-offline-unknown-token: accept-uncapped."""
    bench = await booted(
        bench201,
        variables={"TxCtrlr.StopTxOnInvalidId": "false"},
        points={"ocpp201-offline-unknown-token": "accept-uncapped"},
    )
    bench.csms.on("TransactionEvent", lambda r: info("Blocked") if "idToken" in r else {})
    await bench.offline()
    await bench.do(PlugIn(1), A1)
    await bench.advance(10)
    await bench.online()
    await bench.advance(10)
    assert bench.station.snapshot().evse(1).contactor_closed


async def test_answer_to_the_stopping_card_changes_nothing(bench201: Make) -> None:
    """E05: only the token that started counts."""
    bench = await booted(bench201, variables=stopping("EVConnected"))
    await bench.do(PlugIn(1), A1)
    bench.csms.on("TransactionEvent", lambda r: info("Blocked") if "idToken" in r else {})
    await bench.do(A1)
    assert not [line for line in events(bench) if "Deauthorized" in line]


# ---- cost


@pytest.mark.parametrize(
    ("answer", "choice", "shown"),
    [
        ({"totalCost": 4.5}, "fallback-text", "v201.screen.cost"),
        ({"totalCost": 0}, "fallback-text", "v201.screen.free"),
        ({}, "fallback-text", "v201.screen.message"),
        ({}, "treat-as-free", "v201.screen.free"),
        ({}, "hide", "v201.screen.stopped"),
    ],
)
@pytest.mark.parametrize("charged_again", [True, False])
async def test_price_at_the_end(
    bench201: Make, answer: dict[str, Any], choice: str, shown: str, charged_again: bool
) -> None:
    """201-TX-19, open point ocpp201-totalcost-omitted."""
    bench = await booted(bench201, points={"ocpp201-totalcost-omitted": choice})
    bench.csms.on("TransactionEvent", lambda r: answer if r["eventType"] == "Ended" else {})
    await bench.do(PlugIn(1), A1, A1)
    last = [event for event in bench.happened(ScreenChanged) if event.text is not None][-1]
    assert last.text.id == shown
    assert last.evse == 1
    told = {1: f"{answer['totalCost']:.2f} EUR"} if answer else {}
    assert bench.personality.paid() == told
    again = [A1] if charged_again else [Unplug(1), PlugIn(1)]
    await bench.do(*again)
    assert bench.personality.paid() == {}  # the next one has not paid anything yet


async def test_running_cost_and_message_are_shown(bench201: Make) -> None:
    """201-TX-19, I02: totalCost of an Updated; updatedPersonalMessage."""
    bench = await booted(bench201)
    bench.csms.on(
        "TransactionEvent",
        {"totalCost": 1.25, "updatedPersonalMessage": {"format": "UTF8", "content": "Hello"}},
    )
    await bench.do(PlugIn(1), A1)
    assert bench.personality.sessions()[0].cost == "1.25 EUR"
    texts = [event.text.params for event in bench.happened(ScreenChanged) if event.text]
    assert {"text": "Hello"} in texts
