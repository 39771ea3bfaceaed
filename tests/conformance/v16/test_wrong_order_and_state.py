"""What comes at the wrong time, in the wrong direction, or for what is not there (RPC-07, 16-BOOT, 13.1).

Each action of the back office in each state of the boot, each message that only a station sends, each
action of a feature profile that is off, and each writable key with a value that it cannot have.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.kernel.units import stamp
from app.ocpp.schema import Schemas
from app.ocpp.v16 import Personality16
from app.ocpp.v16.keys import KEYS, Access, Key, Kind
from app.ocpp.version import Version
from app.station.intents import PlugIn, PresentCard, RaiseFault, SetVehicle, Unplug
from app.station.kinds import Fault
from tests.conformance.v16.conftest import Make
from tests.conformance.v16.test_bad_input import VALID
from tests.support.coverage_page import ACTIONS, ARROWS, PROFILES
from tests.support.coverage_record import OFFICE
from tests.support.harness import Bench
from tests.support.schema_frames import Maker

Payload = dict[str, Any]

STATIONS_OWN = [action for action, arrow in ACTIONS.items() if OFFICE not in ARROWS[arrow]]
SWITCHED = {
    "Firmware Management": "FirmwareManagement",
    "Local Auth List Management": "LocalAuthListManagement",
    "Reservation": "Reservation",
    "Smart Charging": "SmartCharging",
    "Remote Trigger": "RemoteTrigger",
}
OF_PROFILES = [
    (name, action)
    for title, name in SWITCHED.items()
    for action, arrow in PROFILES[title].items()
    if OFFICE in ARROWS[arrow]
]


async def booted(bench16: Make, **options: Any) -> Bench:
    bench: Bench = bench16(**options)
    await bench.boot()
    bench.skip()
    return bench


# ---------------------------------------------------------------- before it is accepted


@pytest.mark.parametrize("action", sorted(VALID))
async def test_pending_station_answers_each_action_and_says_nothing_by_itself(
    bench16: Make, action: str
) -> None:
    """16-BOOT-04, 16-BOOT-06: only what it is asked for, and no remote start or stop."""
    bench = bench16(judge=False)
    bench.csms.boot_status = "Pending"
    await bench.online()
    bench.skip()
    answer = await bench.request(action, VALID[action])
    if action in ("RemoteStartTransaction", "RemoteStopTransaction"):
        assert answer == {"status": "Rejected"}
    await bench.advance(5)
    own = {line.action for line in bench.lines if line.mark == ">"}
    allowed = {
        "TriggerMessage": {"Heartbeat"},
        "ExtendedTriggerMessage": {"Heartbeat"},
        "Reset": {"BootNotification"},
    }
    assert own <= allowed.get(action, set())


@pytest.mark.parametrize("action", sorted(VALID))
async def test_rejected_station_is_silent_whatever_is_asked(bench16: Make, action: str) -> None:
    """16-BOOT-07, 16-BOOT-08."""
    bench = bench16(judge=False)
    bench.csms.boot_status = "Rejected"
    await bench.online()
    bench.skip()
    asked = bench.start_request(action, VALID[action])
    await bench.advance(5)
    assert not asked.done()
    assert [line.mark for line in bench.lines] == ["<"]


# ---------------------------------------------------------------- the wrong direction, the wrong profile


@pytest.mark.parametrize("action", STATIONS_OWN)
async def test_messages_of_a_station_are_not_supported_by_it(bench16: Make, action: str) -> None:
    """RPC-07: known, but nothing that a back office may send."""
    from random import Random

    bench = await booted(bench16)
    payload = Maker(Schemas.of(Version.V16).document(action, "request"), Random(1)).valid()
    frame = await bench.ask(action, payload)
    assert (frame[0], frame[2]) == (4, "NotSupported")
    assert [line.mark for line in bench.lines] == ["<", "!"]


@pytest.mark.parametrize(("profile", "action"), OF_PROFILES)
async def test_actions_of_a_profile_that_is_off_are_not_supported(
    bench16: Make, profile: str, action: str
) -> None:
    """RPC-07; 16-LL-02 and 16-LL-04 have words of their own for the local list."""
    everything = {"Core", *SWITCHED.values()}
    bench = await booted(bench16, settings={"features": frozenset(everything - {profile})})
    supported = bench.personality.get_setting("SupportedFeatureProfiles") or ""
    assert set(supported.split(",")) == everything - {profile}
    frame = await bench.ask(action, VALID[action])
    own_word = {
        "SendLocalList": {"status": "NotSupported"},
        "GetLocalListVersion": {"listVersion": -1},
    }
    assert frame[2] == own_word.get(action, "NotSupported")


# ---------------------------------------------------------------- the wrong state


async def test_transaction_that_is_over_cannot_be_stopped(bench16: Make) -> None:
    """16-TX-07."""
    bench = await booted(bench16)
    await bench.do(PlugIn(1), PresentCard("A", evse=1), PresentCard("A", evse=1), Unplug(1))
    answer = await bench.request("RemoteStopTransaction", {"transactionId": 1})
    assert answer == {"status": "Rejected"}
    assert len(bench.sent("StopTransaction")) == 1


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_profile_of_a_transaction_that_does_not_run(bench16: Make, number: int) -> None:
    """SC-06: none at all, none at connector 0, and that of another connector."""
    bench = await booted(bench16)
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    profile = VALID["SetChargingProfile"]["csChargingProfiles"] | {
        "chargingProfilePurpose": "TxProfile",
        "transactionId": 1 if number == 2 else 77,
    }
    request = {"connectorId": number, "csChargingProfiles": profile}
    assert (await bench.request("SetChargingProfile", request))["status"] == "Rejected"


async def test_reservation_that_is_over_when_it_comes(bench16: Make) -> None:
    """RS-01: nothing is reserved, so there is nothing to cancel."""
    bench = await booted(bench16)
    request = VALID["ReserveNow"] | {"expiryDate": stamp(bench.now - timedelta(seconds=1))}
    assert (await bench.request("ReserveNow", request))["status"] == "Rejected"
    answer = await bench.request("CancelReservation", {"reservationId": 1})
    assert answer["status"] == "Rejected"
    assert not bench.saw("> StatusNotification status=Reserved")


async def test_remote_start_and_unlock_of_a_broken_place(bench16: Make) -> None:
    """16-TX-05, RC-07: nothing starts over a fault, but the cable can be had."""
    bench = await booted(bench16)
    await bench.do(PlugIn(2), RaiseFault(Fault.RCD, evse=2))
    start = {"idTag": "A", "connectorId": 2}
    assert (await bench.request("RemoteStartTransaction", start))["status"] == "Rejected"
    assert (await bench.request("UnlockConnector", {"connectorId": 2}))["status"] == "Unlocked"


async def test_the_same_message_id_twice_is_answered_twice_at_most(bench16: Make) -> None:
    """RPC-04: an id used twice does not confuse the station."""
    bench = await booted(bench16)
    for _ in range(2):
        asked = bench.csms.ask("GetLocalListVersion", {}, message_id="same")
        await bench.rest()
        assert asked.done()
    assert await bench.request("GetLocalListVersion") == {"listVersion": 0}


async def test_answer_to_nothing_is_ignored(bench16: Make) -> None:
    """RPC-06: results and errors of CALLs that nobody made."""
    bench = await booted(bench16)
    await bench.inject('[3, "nobody", {"status": "Accepted"}]')
    await bench.inject('[4, "nobody", "InternalError", "", {}]')
    await bench.inject('[7, "nobody", {}]')
    await bench.inject("no JSON")
    assert bench.lines == []
    assert (await bench.request("ClearCache"))["status"] == "Accepted"


@pytest.mark.parametrize("kind", ["Soft", "Hard"])
async def test_nothing_begins_while_a_reset_is_under_way(bench16: Make, kind: str) -> None:
    """RE-01: the answer to the stop is held back, so that the reset has not happened yet."""
    bench = await booted(bench16)
    await bench.do(SetVehicle(2, ready_delay=0.0), PlugIn(2), PresentCard("A", evse=2))
    hold = bench.csms.hold("StopTransaction")
    reset = bench.start_request("Reset", {"type": kind})
    await hold.arrived()
    answers = {}
    for action, payload in (
        ("RemoteStartTransaction", {"idTag": "B", "connectorId": 1}),
        ("Reset", {"type": "Soft"}),
    ):
        asked = bench.start_request(action, payload)
        for _ in range(20):
            if not asked.done():
                await _turn()
        answers[action] = asked.result()[2]["status"]
    assert answers == {"RemoteStartTransaction": "Rejected", "Reset": "Rejected"}
    hold.answer({})
    await bench.rest()
    assert reset.result()[2] == {"status": "Accepted"}
    assert len(bench.reboots) == 1


async def _turn() -> None:
    """One turn of the loop."""
    import asyncio

    await asyncio.sleep(0)


# ---------------------------------------------------------------- keys

WRONG = {Kind.BOOL: ["maybe", "", "1"], Kind.INT: ["soon", "", "1.5", "0x10", "99999999999"]}
WRITABLE = [key for key in KEYS if key.access is not Access.READ and key.offered]
MISFITS = [(key, value) for key in WRITABLE for value in WRONG.get(key.kind, ())]


@pytest.mark.parametrize(
    ("key", "value"), MISFITS, ids=[f"{key.name}-{value or 'empty'}" for key, value in MISFITS]
)
async def test_value_that_a_key_cannot_have_is_rejected(
    bench16: Make, key: Key, value: str
) -> None:
    """CF-02: and the old value stays."""
    bench = await booted(bench16)
    assert isinstance(bench.personality, Personality16)
    before = bench.personality.configuration.value(key.name)
    answer = await bench.request("ChangeConfiguration", {"key": key.name, "value": value})
    assert answer == {"status": "Rejected"}
    assert bench.personality.configuration.value(key.name) == before


@pytest.mark.parametrize("key", [key for key in KEYS if key.offered], ids=lambda key: key.name)
async def test_each_key_by_its_name_in_other_letters(bench16: Make, key: Key) -> None:
    """CF-01, CF-02: names compare without case; what may not be written is Rejected."""
    bench = await booted(bench16)
    answer = await bench.request("GetConfiguration", {"key": [key.name.swapcase()]})
    if key.access is Access.WRITE:
        assert "value" not in str(answer.get("configurationKey", ""))
        return
    (entry,) = answer["configurationKey"]
    assert entry["key"] == key.name
    if entry["readonly"]:
        change = {"key": key.name.swapcase(), "value": entry.get("value", "")}
        assert await bench.request("ChangeConfiguration", change) == {"status": "Rejected"}
