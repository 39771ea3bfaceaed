"""Whatever drivers, cars, links and back offices do: the rules of 1.6 hold."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.kernel.units import stamp
from app.ocpp.v16 import Personality16
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
from app.station.kinds import Fault, UnplugSide
from tests.conformance.v16.conftest import MIXED, Make
from tests.conformance.v16.file_bench import IMAGE, UP, URL, Servers, ports, trouble
from tests.conformance.v16.test_reservation import cancel, reserve
from tests.conformance.v16.test_smart_charging import clear, maximum, profile, put
from tests.support.harness import MUTE, Bench, Refuse

Payload = dict[str, Any]

BLUEPRINTS = ("public-ac-2x22", "public-ac-2x22", "dc-2x150", "home-ac-11", MIXED, MIXED)
CARDS = ("A", "B", "C", "D")
FAULTS = tuple(fault for fault in Fault if fault is not Fault.LOCK_JAM)
START, STOP, METER = "StartTransaction", "StopTransaction", "MeterValues"

KEYS: dict[str, tuple[str, ...]] = {
    "StopTransactionOnEVSideDisconnect": ("true", "false"),
    "UnlockConnectorOnEVSideDisconnect": ("true", "false"),
    "StopTransactionOnInvalidId": ("true", "false"),
    "MaxEnergyOnInvalidId": ("0", "300"),
    "LocalPreAuthorize": ("true", "false"),
    "AllowOfflineTxForUnknownId": ("true", "false"),
    "AuthorizeRemoteTxRequests": ("true", "false"),
    "ConnectionTimeOut": ("60", "15", "0"),
    "MeterValueSampleInterval": ("60", "0", "7"),
    "ClockAlignedDataInterval": ("0", "900", "120"),
    "StopTxnSampledData": ("", "Energy.Active.Import.Register"),
    "StopTxnAlignedData": ("", "Energy.Active.Import.Register,SoC"),
    "SampledDataSignReadings": ("false", "true"),
}


POINTS: dict[str, tuple[str, ...]] = {
    "ocpp16-status-order": ("transaction-first", "status-first"),
    "ocpp16-hard-reset-stop": ("before", "after-boot"),
    "ocpp16-card-first-connector": ("none", "all-free", "last-used", "chosen-on-screen"),
    "ocpp16-inoperative-in-preparing": ("scheduled", "via-available"),
    "ocpp16-connector-unlock-during-tx": ("stop-then-unlock", "unlock-failed"),
    "ocpp16-remote-start-no-connector": ("pick-free", "reject", "wait-plug"),
    "ocpp16-max-profile-allocation": ("equal-share", "first-come", "proportional", "priority"),
    "ocpp16-no-profile-online": ("hardware-max", "site-default", "deny"),
    "both-local-preauthorize-request": ("no-request", "parallel-request"),
}


class Ledger:
    """The transactions as a back office keeps them: it judges what it is told, and answers at its mood."""

    def __init__(self, bench: Bench) -> None:
        self.info: dict[str, Any] = {"status": "Accepted"}
        self.trouble = 0
        """So many messages get `kind` for an answer."""
        self.kind: Any = MUTE
        self.running: dict[int, int] = {}
        """Transaction by connector."""
        self._bench = bench
        self._starts: dict[int, Payload] = {}
        self._stops: dict[int, Payload] = {}
        self._told: dict[str, int] = {}
        self._register: dict[int, int] = {}
        for action, listen in ((START, self._start), (STOP, self._stop), (METER, self._values)):
            bench.csms.on(action, partial(self._answer, listen))

    def _answer(self, listen: Callable[[Payload], Payload], payload: Payload) -> Any:
        trouble = self.kind if self.trouble > 0 else None
        self.trouble -= 1
        if isinstance(trouble, Refuse):
            return trouble
        answer = listen(payload)  # taken, though the answer may be lost
        return trouble or answer

    def _start(self, payload: Payload) -> Payload:
        said = self._bench.csms.heard[-1].message_id
        if said not in self._told:
            number, known = payload["connectorId"], len(self._starts) + 1
            assert number not in self.running, f"two at once at {number}"
            assert payload["meterStart"] >= self._register.get(number, 0)
            self._told[said] = self.running[number] = known
            self._starts[known] = payload
        return {"transactionId": self._told[said], "idTagInfo": self.info}

    def _stop(self, payload: Payload) -> Payload:
        known = payload["transactionId"]
        if known in self._stops:
            assert self._stops[known] == payload, f"two ends of {known}"
            return {}
        begun = self._starts[known]
        assert self.running.pop(begun["connectorId"]) == known
        self._stops[known] = payload
        assert payload["meterStop"] >= begun["meterStart"]
        self._register[begun["connectorId"]] = payload["meterStop"]
        times = [value["timestamp"] for value in payload.get("transactionData", ())]
        times = [begun["timestamp"], *times, payload["timestamp"]]
        assert times == sorted(times)
        return {}

    def _values(self, payload: Payload) -> Payload:
        known = payload.get("transactionId")
        if known is not None:
            assert self._starts[known]["connectorId"] == payload["connectorId"]
            assert known not in self._stops
        return {}


def intents(source: random.Random) -> list[Intent]:
    evse = source.choice((1, 2))
    card = source.choice(CARDS)
    fault = source.choice(FAULTS)
    return [
        ArriveCar(evse),
        LeaveCar(evse),
        PlugIn(evse),
        PlugIn(evse),
        PlugIn(evse, source.choice((1, 2))),
        Unplug(evse),
        Unplug(evse, 2),
        Unplug(evse, side=UnplugSide.STATION),
        Unplug(evse, force=True),
        PresentCard(card, evse=evse),
        PresentCard(card, evse=evse),
        PresentCard(card),
        PressStop(evse),
        PauseVehicle(evse),
        ResumeVehicle(evse),
        RaiseFault(fault, 0 if fault is Fault.EMERGENCY_STOP else evse),
        RaiseFault(Fault.LOCK_JAM, evse, 1),
        ClearFault(evse),
        ClearFault(evse, 1),
        ClearFault(0),
    ]


def places(bench: Bench) -> list[int]:
    """The numbers of the connectors."""
    assert isinstance(bench.personality, Personality16)
    return [item.number for item in bench.personality.connectors]


async def remote(bench: Bench, source: random.Random) -> None:
    sessions = bench.personality.sessions()
    if sessions and source.random() < 0.4:
        known = source.choice(sessions).transaction_id
        await bench.request("RemoteStopTransaction", {"transactionId": int(known or 0)})
        return
    request: dict[str, Any] = {"idTag": source.choice(CARDS)}
    if source.random() < 0.7:
        request["connectorId"] = source.choice(places(bench))
    if source.random() < 0.3:
        request["chargingProfile"] = profile(50, "TxProfile", periods=((0, 12.0), (90, 0.0)))
    await bench.request("RemoteStartTransaction", request)


async def availability(bench: Bench, source: random.Random) -> None:
    kind = source.choice(("Operative", "Operative", "Inoperative"))
    number = source.choice((0, *places(bench)))
    await bench.request("ChangeAvailability", {"connectorId": number, "type": kind})


async def reservations(bench: Bench, source: random.Random) -> None:
    if source.random() < 0.3:
        await cancel(bench, source.randint(1, 3))
        return
    await reserve(
        bench,
        source.choice((0, *places(bench))),
        source.choice(CARDS),
        ident=source.randint(1, 3),
        seconds=source.choice((30, 600)),
        parent=source.choice((None, "FAMILY")),
    )


async def profiles(bench: Bench, source: random.Random) -> None:
    ident, level = source.randint(1, 4), source.randint(0, 2)
    periods = ((0, source.choice((0.0, 8.0, 16.0))), (60, source.choice((6.0, 32.0))))
    dice = source.random()
    if dice < 0.3:
        await clear(bench, **source.choice(({}, {"id": ident}, {"stackLevel": level})))
    elif dice < 0.5:
        await put(bench, 0, maximum(source.choice((10.0, 20.0, 0.0)), ident, level=level))
    else:
        purpose = source.choice(("TxProfile", "TxDefaultProfile"))
        what = profile(ident, purpose, level=level, periods=periods)
        await put(bench, source.choice(places(bench)), what)


async def settings(bench: Bench, source: random.Random) -> None:
    key = source.choice(sorted(KEYS))
    request = {"key": key, "value": source.choice(KEYS[key])}
    await bench.request("ChangeConfiguration", request)


async def small_orders(bench: Bench, source: random.Random) -> None:
    dice = source.random()
    if dice < 0.5:
        await bench.request("UnlockConnector", {"connectorId": source.choice(places(bench))})
    elif dice < 0.8:
        word = source.choice(("MeterValues", "Heartbeat", "StatusNotification"))
        await bench.request("TriggerMessage", {"requestedMessage": word})
    elif dice < 0.9:
        await bench.request("ClearCache", {})
    else:
        await bench.request("Reset", {"type": source.choice(("Soft", "Hard"))})


async def files(bench: Bench, source: random.Random) -> None:
    later = stamp(bench.now + timedelta(seconds=source.choice((-5, 20, 300))))
    log = {"logType": "SecurityLog", "requestId": 1, "log": {"remoteLocation": UP}}
    firmware = {"location": URL, "retrieveDate": later, "retries": 1}
    orders = (
        ("UpdateFirmware", firmware),
        ("GetDiagnostics", {"location": UP, "retries": 0}),
        ("GetLog", log),
        ("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"}),
    )
    await bench.request(*source.choice(orders))


def moods(bench: Bench, ledger: Ledger, source: random.Random) -> None:
    """The back office changes its mind about cards and messages."""
    info: dict[str, Any] = {"status": source.choice(("Accepted", "Accepted", "Blocked"))}
    if source.random() < 0.4:
        info["parentIdTag"] = "FAMILY"
    bench.csms.on("Authorize", {"idTagInfo": info})
    ledger.info = {"status": source.choice(("Accepted", "Accepted", "Invalid"))}
    ledger.trouble = source.choice((0, 0, 1, 2))
    ledger.kind = source.choice((MUTE, Refuse()))


async def visit(bench: Bench, ledger: Ledger, source: random.Random) -> None:
    """Somebody repairs what is broken and charges for a while, if the station lets them."""
    evse = source.choice((1, 2))
    for step in (
        ClearFault(0),
        ClearFault(evse),
        ClearFault(evse, 1),
        ArriveCar(evse),
        PlugIn(evse),
        PresentCard(source.choice(CARDS), evse=evse),
    ):
        bench.intend(step)  # may be refused
        await bench.rest()
        what_is_now(bench)
    await bench.advance(source.choice((10, 61, 130)))
    if source.random() < 0.3:
        moods(bench, ledger, source)
    if source.random() < 0.5:
        bench.intend(PressStop(evse))
        await bench.rest()


async def lights_out(bench: Bench) -> None:
    """The power cycle ends and the next one begins from the store."""
    bench.intend(CutMains())
    await bench.rest()
    await bench.advance(5)
    bench.intend(RestoreMains())
    await bench.rest()


ACTS: tuple[Callable[[Bench, random.Random], Awaitable[None]], ...] = (
    remote,
    remote,
    availability,
    reservations,
    profiles,
    settings,
    small_orders,
    files,
)


async def a_day(bench: Bench, ledger: Ledger, source: random.Random, steps: int) -> None:
    for _ in range(steps):
        dice = source.random()
        if dice < 0.54:
            bench.intend(source.choice(intents(source)))  # may be refused
            await bench.rest()
        elif dice < 0.6:
            await visit(bench, ledger, source)
        elif dice < 0.83 and bench.network:
            await source.choice(ACTS)(bench, source)
        elif dice < 0.85:
            moods(bench, ledger, source)
        elif dice < 0.88:
            await (bench.offline() if bench.network else bench.online())
        elif dice < 0.895:
            await lights_out(bench)
        else:
            await bench.advance(source.choice((1, 7, 61, 200)))
        what_is_now(bench)


def what_is_now(bench: Bench) -> None:
    """What holds whenever the station has come to rest."""
    assert isinstance(bench.personality, Personality16)
    station = bench.station.snapshot()
    connectors, charging = bench.personality.connectors, bench.personality.charging
    for item in connectors:
        outlet = charging.profiles.site().outlet(item.number)
        assert outlet is not None
        evse = station.evse(item.evse)
        running = item.transaction
        assert not evse.permitted or connectors.evse_busy(item)
        assert running is None or not item.inoperative
        own = [each for each in charging.installed() if each.place == item.number]
        for each in own:
            if each.profile.purpose.value == "TxProfile":
                assert running is not None
        ladder = charging.ladder(item.number, outlet.native_unit)
        assert ladder is not None
        if running is not None and ladder.leading is not None and ladder.limit is not None:
            reading = bench.station.meter(item.evse)
            offered = reading.offered_power if outlet.dc else reading.offered_current
            assert offered <= ladder.limit + 0.11, ladder  # told in tenths, rounded down
    if bench.personality.boot.talking and bench.personality.queue() == []:
        # else a state may wait for what tells of its transaction
        told = {one["connectorId"]: one["status"] for one in bench.sent("StatusNotification")}
        states = bench.personality.availability
        numbers = range(len(connectors) + 1)
        assert told == {number: states.condition(number).status for number in numbers}


async def charges_again(bench: Bench, ledger: Ledger) -> None:
    """Whatever the day was like: once all is put right, somebody new can charge."""
    ledger.info = {"status": "Accepted"}
    bench.csms.on("Authorize", {"idTagInfo": ledger.info})
    for ident in (1, 2, 3):
        await bench.request("CancelReservation", {"reservationId": ident})
    await bench.request("ChangeAvailability", {"connectorId": 0, "type": "Operative"})
    for number in places(bench):
        await bench.request("ChangeAvailability", {"connectorId": number, "type": "Operative"})
    station = bench.station.snapshot()
    broken = [*station.faults, *(fault for evse in station.evses for fault in evse.faults)]
    for order in (
        *(ClearFault(each.evse, each.connector, each.fault) for each in broken),
        PressStop(1),
        Unplug(1, force=True),
        Unplug(1, 2, force=True),
        ArriveCar(1),
    ):
        bench.intend(order)  # refused where that was so already
        await bench.rest()
    for number in places(bench):  # a cable may be kept for whoever left it there
        await bench.request("UnlockConnector", {"connectorId": number})
    before = len(bench.sent(START))
    await bench.do(PlugIn(1))
    if not any(session.evse == 1 for session in bench.personality.sessions()):
        await bench.do(PresentCard("NEW", evse=1))  # else somebody has waited for a plug
    assert len(bench.sent(START)) == before + 1


@pytest.mark.parametrize("seed", range(12))
async def test_a_random_day_breaks_no_rule(bench16: Make, tmp_path: Path, seed: int) -> None:
    """16-ST-03 (see conftest), 16-TX-01 to 16-TX-10, OFF-04, MV-03, MV-11, SC-06: with any choice of the
    open points."""
    source = random.Random(seed)
    servers = Servers([source.choice((IMAGE, trouble())) for _ in range(100)])
    bench = bench16(
        source.choice(BLUEPRINTS),
        ports=ports(tmp_path, servers),
        keys={"TransactionMessageAttempts": "50"},
        points={point: source.choice(options) for point, options in POINTS.items()},
    )
    ledger = Ledger(bench)
    await bench.boot()
    await a_day(bench, ledger, source, 150)
    ledger.trouble = 0
    await bench.online()
    await bench.advance(700)
    assert bench.personality.queue() == []
    assert isinstance(bench.personality, Personality16)
    connectors, availability = bench.personality.connectors, bench.personality.availability
    assert ledger.running == {
        item.number: item.transaction.transaction_id for item in connectors if item.transaction
    }
    for number in range(len(connectors) + 1):
        assert availability.notifier.told.get(number) == availability.condition(number)
    await charges_again(bench, ledger)
