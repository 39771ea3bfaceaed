"""Whatever drivers, cars, links and back offices do: the rules of all transactions hold."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import pytest

from app.station.intents import (
    ArriveCar,
    ClearFault,
    CutMains,
    Intent,
    LeaveCar,
    PauseVehicle,
    PlugIn,
    PresentCard,
    PressStop,
    RaiseFault,
    RestoreMains,
    ResumeVehicle,
    Unplug,
)
from app.station.kinds import Fault
from tests.conformance.v201.conftest import Make
from tests.support.harness import Bench, Refuse

MEMBERS = ("ParkingBayOccupancy", "EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer")
CARDS = ("A", "B", "C")


def some_points(source: random.Random) -> str:
    return ",".join(source.sample(MEMBERS, source.randint(1, 3)))


def intents(source: random.Random) -> list[Intent]:
    evse = source.choice((1, 2))
    card = source.choice(CARDS)
    return [
        ArriveCar(evse),
        LeaveCar(evse),
        PlugIn(evse),
        PlugIn(evse),
        Unplug(evse),
        Unplug(evse, force=True),
        PresentCard(card, evse=evse),
        PresentCard(card, evse=evse),
        PresentCard(card),
        PressStop(evse),
        PauseVehicle(evse),
        ResumeVehicle(evse),
        RaiseFault(source.choice((Fault.RCD, Fault.WEAK_SIGNAL)), evse),
        ClearFault(evse),
    ]


async def remote(bench: Bench, source: random.Random) -> None:
    sessions = bench.personality.sessions()
    if sessions and source.random() < 0.5:
        transaction = source.choice(sessions).transaction_id
        await bench.request("RequestStopTransaction", {"transactionId": transaction})
        return
    request = {
        "idToken": {"idToken": source.choice(CARDS), "type": "ISO14443"},
        "remoteStartId": source.randint(1, 99),
    }
    if source.random() < 0.7:
        request["evseId"] = source.choice((1, 2))
    await bench.request("RequestStartTransaction", request)


async def availability(bench: Bench, source: random.Random) -> None:
    request = {"operationalStatus": source.choice(("Operative", "Operative", "Inoperative"))}
    if source.random() < 0.7:
        request["evse"] = {"id": source.choice((1, 2))}  # type: ignore[assignment]
    await bench.request("ChangeAvailability", request)


async def moods(bench: Bench, source: random.Random) -> None:
    """The back office changes its mind about cards and messages."""
    card = source.choice(CARDS)
    bench.csms.token_status[card] = source.choice(("Accepted", "Accepted", "Blocked"))
    if source.random() < 0.2:
        bench.csms.on("TransactionEvent", [Refuse(), {}])
    else:
        bench.csms.default("TransactionEvent")


async def lights_out(bench: Bench) -> None:
    """The power cycle ends and the next one begins from the store."""
    bench.intend(CutMains())
    await bench.rest()
    await bench.advance(5)
    bench.intend(RestoreMains())
    await bench.rest()


async def a_day(bench: Bench, source: random.Random, steps: int) -> None:
    acts: list[Callable[[Bench, random.Random], Awaitable[None]]] = [remote, availability, moods]
    for _ in range(steps):
        dice = source.random()
        if dice < 0.7:
            bench.intend(source.choice(intents(source)))  # may be refused
            await bench.rest()
        elif dice < 0.85 and bench.network:
            await source.choice(acts)(bench, source)
        elif dice < 0.88:
            await (bench.offline() if bench.network else bench.online())
        elif dice < 0.895:
            await lights_out(bench)
        else:
            await bench.advance(source.choice((1, 7, 61, 200)))
        permitted_only_by_somebody(bench)


def permitted_only_by_somebody(bench: Bench) -> None:
    """C01.FR.01: energy is offered after authorization only."""
    bays = bench.personality.transactions.bays  # type: ignore[attr-defined]
    for evse in bench.station.snapshot().evses:
        assert not evse.permitted or bays[evse.id].permission is not None
        assert bays[evse.id].connector == next((c.id for c in evse.connectors if c.plugged), None)
        assert bays[evse.id].flow is evse.flow


async def charges_again(bench: Bench) -> None:
    """Whatever the day was like: once all is put right, somebody new can charge."""
    for place in ({}, {"evse": {"id": 1}}):
        await bench.request("ChangeAvailability", {"operationalStatus": "Operative", **place})
    station = bench.station.snapshot()
    broken = [*station.faults, *(fault for evse in station.evses for fault in evse.faults)]
    for order in (
        *(ClearFault(each.evse, each.connector, each.fault) for each in broken),
        PressStop(1),
        Unplug(1, force=True),
        LeaveCar(1),
        ArriveCar(1),
    ):
        bench.intend(order)  # refused where that was so already
        await bench.rest()
    # a cable may be kept for whoever left it there
    await bench.request("UnlockConnector", {"evseId": 1, "connectorId": 1})
    await bench.do(PlugIn(1))
    if not bench.station.snapshot().evse(1).permitted:
        await bench.do(PresentCard("NEW", evse=1))  # else somebody has waited for a plug
    assert bench.station.snapshot().evse(1).permitted


@pytest.mark.parametrize("seed", range(12))
async def test_a_random_day_breaks_no_rule(bench201: Make, seed: int) -> None:
    """201-TX-01 to 201-TX-08, OFF-02, C01.FR.01: with any start and stop points (see conftest)."""
    source = random.Random(seed)
    bench = bench201(
        variables={
            "TxCtrlr.TxStartPoint": some_points(source),
            "TxCtrlr.TxStopPoint": some_points(source),
            "TxCtrlr.StopTxOnEVSideDisconnect": source.choice(("true", "false")),
            "TxCtrlr.StopTxOnInvalidId": source.choice(("true", "false")),
            "AuthCtrlr.LocalPreAuthorize": source.choice(("true", "false")),
        }
    )
    await bench.boot()
    await a_day(bench, source, 150)
    bench.csms.default("TransactionEvent")
    await bench.online()
    await bench.advance(700)
    assert bench.personality.queue() == []
    running = {view.transaction_id for view in bench.personality.sessions()}
    assert {key for key, _ in bench.store.rows("v201.transactions")} == running
    told = {}
    for event in bench.sent("TransactionEvent"):
        told[event["transactionInfo"]["transactionId"]] = event["eventType"]
    assert {key for key, kind in told.items() if kind != "Ended"} == running
    await charges_again(bench)
