"""When transactions start and end: TxStartPoint, TxStopPoint, trigger reasons. Part 2, E01, E02, E03, E06."""

from __future__ import annotations

import pytest

from app.kernel.resources import resource
from app.ocpp.events import TransactionEnded, TransactionStarted
from app.station.events import ReaderLampChanged
from app.station.intents import (
    ArriveCar,
    LeaveCar,
    PauseVehicle,
    PlugIn,
    PresentCard,
    PressStart,
    PressStop,
    ResumeVehicle,
    SetVehicle,
    Unplug,
)
from app.station.kinds import LockState, ReaderLamp
from tests.conformance.v201.conftest import Make, events, set_variable
from tests.support.harness import Bench

A1 = PresentCard("A", evse=1)

FREE = (
    resource("blueprints", "home-ac-11.toml")
    .read_text("utf-8")
    .replace("[supply]", "free_vend = true\n\n[supply]", 1)
)


def points(start: str, stop: str) -> dict[str, str]:
    return {"TxCtrlr.TxStartPoint": start, "TxCtrlr.TxStopPoint": stop}


async def booted(bench201: Make, **options: object) -> Bench:
    bench: Bench = bench201(**options)
    await bench.boot()
    bench.skip()
    return bench


async def test_cable_first_session_reads_like_the_specification(bench201: Make) -> None:
    """201-TX-06, E02, E07, MV-09: from plug to plug with the default points."""
    bench = await booted(bench201)
    await bench.do(PlugIn(1))
    bench.expect("> StatusNotification evseId=1 connectorId=1 connectorStatus=Occupied")
    await bench.do(A1)
    bench.expect(
        """
        > Authorize idToken.idToken=A idToken.type=ISO14443
        > TransactionEvent eventType=Started triggerReason=Authorized seqNo=0 evse.id=1 \
 evse.connectorId=1 idToken.idToken=A transactionInfo.chargingState=EVConnected \
 cableMaxCurrent=32 meterValue.0.sampledValue.0.context=Transaction.Begin !offline
        > TransactionEvent eventType=Updated triggerReason=ChargingStateChanged seqNo=1 \
 transactionInfo.chargingState=SuspendedEV !evse !idToken
        """.replace("\\\n", "")
    )
    await bench.advance(61)
    bench.expect(
        """
        > TransactionEvent triggerReason=ChargingStateChanged seqNo=2 \
 transactionInfo.chargingState=Charging numberOfPhasesUsed=3
        > TransactionEvent triggerReason=MeterValuePeriodic seqNo=3 \
 meterValue.0.sampledValue.0.measurand=Energy.Active.Import.Register !numberOfPhasesUsed
        """.replace("\\\n", "")
    )
    await bench.do(A1)
    bench.expect(
        """
        > TransactionEvent eventType=Ended triggerReason=StopAuthorized seqNo=4 \
 transactionInfo.stoppedReason=Local idToken.idToken=A transactionInfo.chargingState=EVConnected \
 meterValue.0.sampledValue.0.context=Transaction.Begin \
 meterValue.1.sampledValue.0.context=Transaction.End
        """.replace("\\\n", "")
    )
    await bench.do(Unplug(1))
    bench.expect("> StatusNotification evseId=1 connectorStatus=Available")
    [started], [ended] = bench.happened(TransactionStarted), bench.happened(TransactionEnded)
    assert started.token == "A"
    assert ended.reason == "Local"
    assert ended.energy == pytest.approx(180, abs=10)


async def test_card_first_session_starts_with_the_cable(bench201: Make) -> None:
    """201-TX-06, E03, E01.FR.05: authorized before, started by the cable, the token told once."""
    bench = await booted(bench201)
    await bench.do(SetVehicle(1, ready_delay=0.0), A1)
    bench.expect("> Authorize")
    await bench.do(PlugIn(1))
    bench.expect(
        """
        > StatusNotification evseId=1 connectorStatus=Occupied
        > TransactionEvent eventType=Started triggerReason=CablePluggedIn idToken.idToken=A \
 evse.id=1 transactionInfo.chargingState=EVConnected
        > TransactionEvent triggerReason=ChargingStateChanged \
 transactionInfo.chargingState=Charging !idToken !evse
        """.replace("\\\n", "")
    )


@pytest.mark.parametrize(
    ("start", "told"),
    [
        ("ParkingBayOccupancy", ["EVDetected Idle", "CablePluggedIn EVConnected", "Authorized -"]),
        ("EVConnected", ["CablePluggedIn EVConnected", "Authorized EVConnected"]),
        ("Authorized", ["Authorized EVConnected"]),
        ("PowerPathClosed", ["Authorized EVConnected"]),
        ("EnergyTransfer", ["ChargingStateChanged Charging"]),
        ("EVConnected,Authorized", ["CablePluggedIn EVConnected", "Authorized EVConnected"]),
    ],
)
async def test_each_start_point_starts_at_its_moment(
    bench201: Make, start: str, told: list[str]
) -> None:
    """201-TX-05, E01.FR.01 to E01.FR.06, E01.FR.10, E01.FR.16."""
    bench = await booted(bench201, variables=points(start, "EVConnected,Authorized"))
    await bench.do(ArriveCar(1), SetVehicle(1, ready_delay=3.0), PlugIn(1), A1)
    await bench.advance(4)
    assert events(bench)[0].startswith("Started")
    words = [line.split(" ", 1)[1] for line in events(bench)]
    for wanted, word in zip(told, words, strict=False):
        assert word.startswith(wanted.removesuffix(" -"))
    assert words[-1] == "ChargingStateChanged Charging"
    sent = bench.sent("TransactionEvent")
    assert [event.get("idToken", {}).get("idToken") for event in sent].count("A") == 1
    assert [event["evse"] for event in sent if "evse" in event] == [{"id": 1, "connectorId": 1}]


@pytest.mark.parametrize(
    ("start", "first"),
    [
        ("Authorized", "Started Authorized Idle"),
        ("EVConnected", "Started CablePluggedIn EVConnected"),
        ("PowerPathClosed", "Started CablePluggedIn EVConnected"),
        ("EnergyTransfer", "Started ChargingStateChanged Charging"),
    ],
)
async def test_card_first_with_each_start_point(bench201: Make, start: str, first: str) -> None:
    """E03, E01: the same session from the other end."""
    bench = await booted(bench201, variables=points(start, "EVConnected"))
    await bench.do(A1, PlugIn(1))
    await bench.advance(5)
    assert events(bench)[0] == first
    assert events(bench)[-1] == "Updated ChargingStateChanged Charging" or first.endswith(
        "Charging"
    )
    told = bench.sent("TransactionEvent")
    assert told[0]["idToken"] == {"idToken": "A", "type": "ISO14443"}
    assert sum("idToken" in event for event in told) == 1
    begin = [e["seqNo"] for e in told if "meterValue" in e]
    assert begin[0] == 0


async def test_authorized_start_without_a_car_tells_the_evse_when_the_cable_is_in(
    bench201: Make,
) -> None:
    """201-TX-07, E01.FR.16."""
    bench = await booted(bench201, variables=points("Authorized", "Authorized"))
    await bench.do(A1)
    assert "evse" not in bench.sent("TransactionEvent")[0]
    await bench.do(PlugIn(1))
    assert bench.sent("TransactionEvent")[1]["evse"] == {"id": 1, "connectorId": 1}


# ---- the end


@pytest.mark.parametrize(
    ("stop", "told"),
    [
        ("Authorized", ["Ended StopAuthorized EVConnected Local"]),
        ("PowerPathClosed", ["Ended StopAuthorized EVConnected Local"]),
        (
            "EVConnected",
            [
                "Updated StopAuthorized -",
                "Updated ChargingStateChanged EVConnected",
                "Ended EVCommunicationLost Idle Local",
            ],
        ),
        (
            "EnergyTransfer",
            ["Updated StopAuthorized -", "Ended ChargingStateChanged EVConnected Local"],
        ),
        (
            "ParkingBayOccupancy",
            [
                "Updated StopAuthorized -",
                "Updated ChargingStateChanged EVConnected",
                "Updated EVCommunicationLost Idle",
                "Ended EVDeparted Idle Local",
            ],
        ),
    ],
)
async def test_stop_by_card_ends_at_each_stop_point(
    bench201: Make, stop: str, told: list[str]
) -> None:
    """201-TX-05, 201-TX-17, E06.FR.01 to E06.FR.07, E07.FR.02: figure 55 for each stop point."""
    bench = await booted(bench201, variables=points("PowerPathClosed", stop))
    await bench.do(PlugIn(1), A1)
    await bench.advance(10)
    before = len(events(bench))
    await bench.do(A1, Unplug(1), LeaveCar(1))
    assert events(bench)[before:] == told
    assert bench.sent("TransactionEvent")[before]["idToken"]["idToken"] == "A"


@pytest.mark.parametrize(
    ("stop", "told"),
    [
        ("EVConnected", ["Ended EVCommunicationLost Idle EVDisconnected"]),
        ("Authorized", ["Ended EVCommunicationLost Idle EVDisconnected"]),
        ("PowerPathClosed", ["Ended EVCommunicationLost Idle EVDisconnected"]),
        ("EnergyTransfer", ["Ended EVCommunicationLost Idle EVDisconnected"]),
        (
            "ParkingBayOccupancy",
            ["Updated EVCommunicationLost Idle", "Ended EVDeparted Idle EVDisconnected"],
        ),
    ],
)
async def test_unplugging_a_running_session_ends_it(
    bench201: Make, stop: str, told: list[str]
) -> None:
    """201-TX-18, E09.FR.01, E06.FR.02: StopTxOnEVSideDisconnect deauthorizes."""
    bench = await booted(bench201, variables=points("PowerPathClosed", stop))
    await bench.do(PlugIn(1), A1)
    await bench.advance(10)
    before = len(events(bench))
    await bench.do(Unplug(1), LeaveCar(1))
    assert events(bench)[before:] == told


async def test_energy_transfer_stop_point_ends_when_the_car_pauses(bench201: Make) -> None:
    """E06.FR.07, 201-TX-23."""
    bench = await booted(bench201, variables=points("EnergyTransfer", "EnergyTransfer"))
    await bench.do(PlugIn(1), A1)
    await bench.advance(10)
    await bench.do(PauseVehicle(1))
    assert events(bench)[-1] == "Ended ChargingStateChanged SuspendedEV StoppedByEV"


async def test_charging_states_follow_the_energy(bench201: Make) -> None:
    """201-TX-08, E01.FR.18, E01.FR.19."""
    bench = await booted(bench201)
    await bench.do(PlugIn(1), A1)
    await bench.advance(10)
    await bench.do(PauseVehicle(1), ResumeVehicle(1))
    await bench.advance(5)
    assert events(bench)[-2:] == [
        "Updated ChargingStateChanged SuspendedEV",
        "Updated ChargingStateChanged Charging",
    ]


async def test_cable_that_stays_starts_no_second_transaction(bench201: Make) -> None:
    """201-TX-01: EVConnected has to become true again."""
    bench = await booted(bench201, variables=points("EVConnected", "Authorized"))
    await bench.do(PlugIn(1), A1)
    await bench.advance(10)
    await bench.do(A1)
    await bench.advance(600)
    assert [line.split()[0] for line in events(bench)].count("Started") == 1


async def test_second_session_with_the_cable_still_in(bench201: Make) -> None:
    """E02, 201-TX-01: a new id and seqNo from 0."""
    bench = await booted(bench201)
    await bench.do(PlugIn(1), A1)
    await bench.advance(10)
    await bench.do(A1, A1)
    started = [e for e in bench.sent("TransactionEvent") if e["eventType"] == "Started"]
    assert [event["seqNo"] for event in started] == [0, 0]
    ids = {event["transactionInfo"]["transactionId"] for event in started}
    assert len(ids) == 2
    assert all(len(found) <= 36 for found in ids)


async def test_evconnected_stop_point_lets_the_same_card_go_on(bench201: Make) -> None:
    """C01.FR.23: one transaction, one token; the token is told again with the new authorization."""
    bench = await booted(bench201, variables=points("EVConnected", "EVConnected"))
    await bench.do(PlugIn(1), A1)
    await bench.advance(5)
    await bench.do(A1)
    await bench.do(PresentCard("B", evse=1))
    assert bench.happened(ReaderLampChanged)[-1].lamp is ReaderLamp.REFUSED
    assert not bench.station.snapshot().evse(1).permitted
    await bench.do(A1)
    await bench.advance(5)
    assert events(bench)[-1] == "Updated ChargingStateChanged Charging"
    told = [e["idToken"]["idToken"] for e in bench.sent("TransactionEvent") if "idToken" in e]
    assert told == ["A", "A", "A"]
    await bench.do(Unplug(1))
    assert events(bench)[-1].startswith("Ended EVCommunicationLost")


async def test_stop_button_ends_as_the_driver(bench201: Make) -> None:
    """201-TX-17, E07.FR.05."""
    bench = await booted(bench201)
    await bench.do(PlugIn(2), PresentCard("A", evse=2))
    await bench.advance(10)
    assert bench.station.snapshot().evse(2).connectors[0].lock is LockState.LOCKED
    await bench.do(PressStop(2))
    assert events(bench)[-1] == "Ended StopAuthorized EVConnected Local"
    assert "idToken" not in bench.sent("TransactionEvent")[-1]
    assert bench.station.snapshot().evse(2).connectors[0].lock is LockState.OPEN


async def test_stop_button_without_a_session_does_nothing(bench201: Make) -> None:
    """201-TX-17."""
    bench = await booted(bench201)
    await bench.do(PlugIn(1), PressStop(1))
    assert events(bench) == []


# ---- the cable does not come


@pytest.mark.parametrize(
    ("start", "stop", "told"),
    [
        ("PowerPathClosed", "Authorized", []),
        ("Authorized", "Authorized", ["Ended EVConnectTimeout Idle Timeout"]),
        ("Authorized", "EVConnected", ["Ended EVConnectTimeout Idle Timeout"]),
        ("Authorized", "ParkingBayOccupancy", ["Updated EVConnectTimeout Idle"]),
    ],
)
async def test_no_cable_in_time_ends_the_authorization(
    bench201: Make, start: str, stop: str, told: list[str]
) -> None:
    """201-TX-12, E03.FR.05, E03.FR.15, C01.FR.26."""
    timeout = {"TxCtrlr.EVConnectionTimeOut": "50"}
    bench = await booted(bench201, variables=points(start, stop) | timeout)
    await bench.do(A1)
    await bench.advance(49)
    before = len(events(bench))
    await bench.advance(1)
    assert events(bench)[before:] == told
    assert not bench.station.snapshot().evse(1).permitted
    await bench.do(PlugIn(1))
    await bench.advance(5)
    assert not bench.station.snapshot().evse(1).contactor_closed


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ("end-with-event", "Ended EVConnectTimeout Idle Timeout"),
        ("end-silently", "Ended ChargingStateChanged Idle Other"),
        ("deauthorize-keep", "Updated EVConnectTimeout Idle"),
        ("ignore", "Started Authorized Idle"),
    ],
)
async def test_what_the_connection_timeout_does_is_a_choice(
    bench201: Make, choice: str, told: str
) -> None:
    """Open point ocpp201-ev-connection-timeout."""
    bench = await booted(
        bench201,
        variables=points("Authorized", "Authorized"),
        points={"ocpp201-ev-connection-timeout": choice},
    )
    await set_variable(bench, "SampledDataCtrlr", "TxUpdatedInterval", "0")
    await bench.do(A1)
    await bench.advance(100)
    assert events(bench)[-1] == told


async def test_cable_in_time_stops_the_timeout(bench201: Make) -> None:
    """201-TX-12."""
    bench = await booted(bench201, variables={"TxCtrlr.EVConnectionTimeOut": "30"})
    await bench.do(A1)
    await bench.advance(29)
    await bench.do(PlugIn(1))
    await bench.advance(60)
    assert bench.station.snapshot().evse(1).contactor_closed


@pytest.mark.parametrize(
    ("choice", "start", "told"),
    [
        ("token-first", "EVConnected", "Started CablePluggedIn EVConnected"),
        ("cable-first", "EVConnected", "Ended EVConnectTimeout EVConnected Timeout"),
        ("both", "EVConnected", "Ended EVConnectTimeout EVConnected Timeout"),
    ],
)
async def test_cable_without_a_card_may_have_a_timeout_too(
    bench201: Make, choice: str, start: str, told: str
) -> None:
    """201-TX-12, open point ocpp201-ev-connection-timeout.applies-to."""
    bench = await booted(
        bench201,
        variables=points(start, "EVConnected") | {"SampledDataCtrlr.TxUpdatedInterval": "0"},
        points={"ocpp201-ev-connection-timeout.applies-to": choice},
    )
    await bench.do(PlugIn(1))
    await bench.advance(61)
    assert events(bench)[-1] == told


async def test_card_without_a_cable_has_no_timeout_where_only_cables_are_guarded(
    bench201: Make,
) -> None:
    """Open point ocpp201-ev-connection-timeout.applies-to: cable-first."""
    bench = await booted(
        bench201, points={"ocpp201-ev-connection-timeout.applies-to": "cable-first"}
    )
    await bench.do(A1)
    await bench.advance(600)
    await bench.do(PlugIn(1))
    assert events(bench)[0].startswith("Started")


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (
            "two-events",
            ["Started CablePluggedIn EVConnected", "Updated Authorized EVConnected"],
        ),
        ("one-event", ["Started CablePluggedIn EVConnected"]),
    ],
)
async def test_cable_and_authorization_at_once_are_two_events(
    bench201: Make, choice: str, told: list[str]
) -> None:
    """E03.FR.12, note; open point ocpp201-event-merging."""
    bench = await booted(
        bench201,
        variables=points("EVConnected", "EVConnected"),
        settings={"free_vend": True},
        points={"ocpp201-event-merging": choice},
    )
    await bench.do(PlugIn(1))
    assert events(bench)[: len(told)] == told
    assert "idToken" in bench.sent("TransactionEvent")[len(told) - 1]
    await bench.advance(5)
    assert events(bench)[-1] == "Updated ChargingStateChanged Charging"


# ---- points by choice and by setting


@pytest.mark.parametrize(
    ("choice", "first"),
    [
        ("power-path", "Started Authorized EVConnected"),
        ("ev-connected", "Started CablePluggedIn EVConnected"),
        ("authorized", "Started Authorized EVConnected"),
        ("parking-bay", "Started EVDetected Idle"),
    ],
)
async def test_default_points_follow_the_open_point(
    bench201: Make, choice: str, first: str
) -> None:
    """Open point ocpp201-tx-start-stop-point."""
    bench = await booted(bench201, points={"ocpp201-tx-start-stop-point": choice})
    await bench.do(PlugIn(1), A1)
    assert events(bench)[0] == first


async def test_points_set_over_ocpp_win_and_count_at_once(bench201: Make) -> None:
    """201-TX-05."""
    bench = await booted(bench201)
    assert await set_variable(bench, "TxCtrlr", "TxStartPoint", "EVConnected") == "Accepted"
    assert await set_variable(bench, "TxCtrlr", "TxStopPoint", "EVConnected") == "Accepted"
    assert await set_variable(bench, "TxCtrlr", "TxStartPoint", "DataSigned") == "Rejected"
    await bench.do(PlugIn(1), Unplug(1))
    assert events(bench) == [
        "Started CablePluggedIn EVConnected",
        "Ended EVCommunicationLost Idle EVDisconnected",
    ]


# ---- free charging


async def test_free_vend_starts_with_the_cable_and_an_empty_token(bench201: Make) -> None:
    """201-AU-10, 201-AU-11, C02.FR.01."""
    bench = await booted(bench201, blueprint=FREE, settings={"free_vend": True})
    await bench.do(PlugIn(1))
    await bench.advance(5)
    first = bench.sent("TransactionEvent")[0]
    assert first["idToken"] == {"idToken": "", "type": "NoAuthorization"}
    assert events(bench)[-1] == "Updated ChargingStateChanged Charging"
    assert bench.sent("Authorize") == []
    await bench.do(PressStop(1))
    await bench.advance(60)
    assert events(bench)[-1] == "Ended StopAuthorized EVConnected Local"
    await bench.do(PressStart(1))
    assert events(bench)[-2].startswith("Started")


async def test_free_station_takes_a_card_that_is_shown(bench201: Make) -> None:
    """201-AU-11: AuthCtrlr.Enabled false; a token that was shown is told."""
    bench = await booted(bench201, variables={"AuthCtrlr.Enabled": "false"})
    await bench.do(A1, PlugIn(1))
    assert bench.sent("Authorize") == []
    assert bench.sent("TransactionEvent")[0]["idToken"]["idToken"] == "A"
    await bench.do(A1)
    assert events(bench)[-1] == "Ended StopAuthorized EVConnected Local"


async def test_anybody_may_stop_what_nobody_authorized(bench201: Make) -> None:
    """F01, remark on NoAuthorization."""
    bench = await booted(bench201, settings={"free_vend": True})
    await bench.do(PlugIn(1))
    await bench.do(PresentCard("ANY", evse=1))
    assert events(bench)[-1] == "Ended StopAuthorized EVConnected Local"


# ---- several EVSEs, one reader


async def test_card_first_at_a_shared_reader_waits_for_the_next_cable(bench201: Make) -> None:
    """E03.FR.11, E01.FR.17, MV-09: started without an EVSE, begin values when charging starts."""
    bench = await booted(bench201, variables=points("Authorized", "Authorized"))
    await bench.do(PresentCard("A"))
    first = bench.sent("TransactionEvent")[0]
    assert first["triggerReason"] == "Authorized"
    assert "meterValue" not in first
    assert "evse" not in first
    await bench.do(PlugIn(2))
    await bench.advance(5)
    told = bench.sent("TransactionEvent")
    assert told[1]["evse"] == {"id": 2, "connectorId": 1}
    charging = next(e for e in told if e["transactionInfo"].get("chargingState") == "Charging")
    contexts = [s["context"] for v in charging["meterValue"] for s in v["sampledValue"]]
    assert contexts == ["Transaction.Begin"]
    assert len({event["transactionInfo"]["transactionId"] for event in told}) == 1
    await bench.do(PresentCard("A"))
    assert events(bench)[-1] == "Ended StopAuthorized EVConnected Local"


async def test_shared_reader_serves_the_car_that_waits(bench201: Make) -> None:
    """201-AU-08: the plugged one, the last that was plugged in where there are several."""
    bench = await booted(bench201)
    await bench.do(PlugIn(2), PlugIn(1), PresentCard("A"))
    assert bench.sent("TransactionEvent")[0]["evse"]["id"] == 1
    await bench.do(PresentCard("B"))
    started = [e for e in bench.sent("TransactionEvent") if e["eventType"] == "Started"]
    assert [event["evse"]["id"] for event in started] == [1, 2]
    await bench.do(PresentCard("C"))
    assert bench.happened(ReaderLampChanged)[-1].lamp is ReaderLamp.REFUSED


async def test_shared_reader_knows_the_evse_when_only_one_is_free(bench201: Make) -> None:
    """E03: EVSE known at the start."""
    bench = await booted(bench201, variables=points("Authorized", "Authorized"))
    await bench.do(PlugIn(1), PresentCard("A"))
    await bench.do(PresentCard("B"))
    started = [e for e in bench.sent("TransactionEvent") if e["eventType"] == "Started"]
    assert len(started) == 2
    assert "meterValue" in started[1]


async def test_waiting_card_shown_again_takes_its_authorization_back(bench201: Make) -> None:
    """C01, errata 2.17: authorization ends when the same token is shown again."""
    bench = await booted(bench201)
    await bench.do(PresentCard("A"), PresentCard("A"), PlugIn(1))
    await bench.advance(5)
    assert events(bench) == []
    assert not bench.station.snapshot().evse(1).permitted


async def test_waiting_authorization_times_out_for_all(bench201: Make) -> None:
    """201-TX-12 with an EVSE that is not known."""
    bench = await booted(bench201, variables=points("Authorized", "Authorized"))
    await bench.do(PresentCard("A"))
    await bench.advance(60)
    assert events(bench)[-1] == "Ended EVConnectTimeout Idle Timeout"
    await bench.do(PlugIn(1))
    assert len(events(bench)) == 2


async def test_second_card_does_not_join_the_one_that_waits(bench201: Make) -> None:
    """201-TX-22: one waiting authorization at a time."""
    bench = await booted(bench201)
    await bench.do(PresentCard("A"), PresentCard("B"))
    assert bench.happened(ReaderLampChanged)[-1].lamp is ReaderLamp.REFUSED


# ---- phases and currents


async def test_single_phase_car_is_told_as_such(bench201: Make) -> None:
    """201-TX-11, E02.FR.18."""
    bench = await booted(bench201)
    await bench.do(PlugIn(2), PresentCard("A", evse=2))
    await bench.advance(10)
    told = [
        e["numberOfPhasesUsed"] for e in bench.sent("TransactionEvent") if "numberOfPhasesUsed" in e
    ]
    assert told == [1]


async def test_direct_current_has_no_phases(bench201: Make) -> None:
    """201-TX-11: nothing to report for DC."""
    bench = await booted(bench201, blueprint="dc-2x150")
    await bench.do(PlugIn(1), A1)
    await bench.advance(30)
    assert "Charging" in events(bench)[-1]
    assert all("numberOfPhasesUsed" not in event for event in bench.sent("TransactionEvent"))


async def test_the_screen_no_longer_asks_for_the_cable_once_it_is_in(bench201: Make) -> None:
    """E03: card first; what was asked has its answer."""
    bench = await booted(bench201)

    def ordered() -> str:
        screen = bench.station.snapshot().evse(1).screen
        return screen.id if screen is not None else ""

    await bench.do(A1)
    assert ordered() == "v201.screen.plug_in"
    await bench.do(PlugIn(1))
    assert ordered() != "v201.screen.plug_in"
    assert bench.personality.sessions()


@pytest.mark.parametrize(
    ("start", "stop"),
    [("Authorized", "PowerPathClosed"), ("Authorized,EVConnected", "EnergyTransfer")],
)
async def test_driver_who_goes_away_before_the_cable_is_in_leaves_no_transaction_behind(
    bench201: Make, start: str, stop: str
) -> None:
    """201-TX-05: what stops was never there, and so could never cease: nobody else could charge here."""
    bench = await booted(bench201, variables=points(start, stop))
    await bench.do(A1, PressStop(1))
    assert [event["eventType"] for event in bench.sent("TransactionEvent")] == ["Started", "Ended"]
    assert bench.sent("TransactionEvent")[-1]["transactionInfo"]["stoppedReason"] == "Local"
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), PresentCard("B", evse=1))
    (session,) = bench.personality.sessions()
    assert session.id_token == "B"
    assert bench.station.snapshot().evse(1).power > 0


async def test_car_that_leaves_before_energy_flows_leaves_no_transaction_behind(
    bench201: Make,
) -> None:
    """201-TX-05: as above, with the cable."""
    bench = await booted(bench201, variables=points("PowerPathClosed", "EnergyTransfer"))
    await bench.do(PlugIn(1), A1, Unplug(1))
    assert [event["eventType"] for event in bench.sent("TransactionEvent")][-1] == "Ended"
    assert bench.personality.sessions() == ()
