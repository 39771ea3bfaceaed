"""What breaks has consequences: each fault ends or derates the session it hits, and none begins over it.

A warning does nothing, and a lost pilot only pauses a session of 1.6 (16-ST-06: EVCommunicationError is
SuspendedEVSE).
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.ocpp.version import Version
from app.station.faults import RULES, Place
from app.station.intents import (
    ClearFault,
    PlugIn,
    PresentCard,
    PressStop,
    RaiseFault,
    SetVehicle,
    Unplug,
)
from app.station.kinds import Effect, Fault, UnplugSide
from tests.support.harness import Bench, make_bench

__all__ = ["make_bench"]

WHERE = {Place.STATION: (0, 0), Place.EVSE: (2, 0), Place.CONNECTOR: (2, 1)}
CASES = [
    pytest.param(fault, place, id=f"{fault.value}-{place.value}")
    for fault, rule in RULES.items()
    for place in rule.places
    if rule.effect is not Effect.WARN
]


def power(bench: Bench) -> float:
    return float(bench.station.snapshot().evse(2).power)


async def remote_start(bench: Bench) -> str:
    """The word the back office hears."""
    if bench.version is Version.V16:
        answer = await bench.request("RemoteStartTransaction", {"idTag": "R", "connectorId": 2})
    else:
        token = {"idToken": "R", "type": "ISO14443"}
        wish = {"idToken": token, "remoteStartId": 1, "evseId": 2}
        answer = await bench.request("RequestStartTransaction", wish)
    return str(answer["status"])


async def leave_and_come_back(bench: Bench) -> None:
    for order in (Unplug(2, side=UnplugSide.STATION), Unplug(2), PlugIn(2)):
        bench.intend(order)
        await bench.rest()
    await bench.advance(5)


async def charging(make: Callable[..., Bench], version: Version) -> Bench:
    bench = make(version)
    await bench.boot()
    await bench.do(SetVehicle(2, ready_delay=0.0, soc=10.0), PlugIn(2))
    await bench.do(PresentCard("A", evse=2))
    await bench.advance(5)
    assert power(bench) > 3000
    return bench


@pytest.mark.parametrize("version", Version, ids=lambda version: version.value)
@pytest.mark.parametrize(("fault", "place"), CASES)
async def test_a_fault_ends_or_derates_the_session_and_none_begins_over_it(
    make_bench: Callable[..., Bench], version: Version, fault: Fault, place: Place
) -> None:
    bench = await charging(make_bench, version)
    before = power(bench)
    await bench.do(RaiseFault(fault, *WHERE[place]))
    await bench.advance(5)
    goes_on = RULES[fault].effect is Effect.DERATE
    if goes_on:
        assert 0 < power(bench) < before
    else:
        assert power(bench) == 0
    paused = fault is Fault.PILOT and version is Version.V16
    assert bool(bench.personality.sessions()) is (goes_on or paused)
    if bench.personality.sessions():
        await bench.do(PressStop(2))

    # by card, by the back office, and from the plug on
    for _ in range(2):
        bench.intend(PresentCard("B", evse=2))
        await bench.rest()
        assert await remote_start(bench) == "Rejected"
        await leave_and_come_back(bench)
        assert not bench.personality.sessions()
        assert power(bench) == 0
    told = bench.sent("StatusNotification")[-1]
    if not paused:
        assert told.get("status", told.get("connectorStatus")) == "Faulted"

    await bench.do(ClearFault(*WHERE[place], fault))
    await leave_and_come_back(bench)
    assert await remote_start(bench) == "Accepted"
    await bench.advance(5)
    assert power(bench) == before


@pytest.mark.parametrize("version", Version, ids=lambda version: version.value)
async def test_who_pressed_the_emergency_stop_is_in_the_reason(
    make_bench: Callable[..., Bench], version: Version
) -> None:
    """16 part 7.36, 2.0.1 ReasonEnumType."""
    bench = await charging(make_bench, version)
    await bench.do(RaiseFault(Fault.EMERGENCY_STOP))
    if version is Version.V16:
        assert bench.sent("StopTransaction")[-1]["reason"] == "EmergencyStop"
    else:
        info = bench.sent("TransactionEvent")[-1]["transactionInfo"]
        assert info["stoppedReason"] == "EmergencyStop"
