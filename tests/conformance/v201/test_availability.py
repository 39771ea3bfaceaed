"""Connector states and what is in service: part 2, G01, G03, G04, B04."""

from __future__ import annotations

from typing import Any

import pytest

from app.ocpp.events import ConnectorStatusChanged
from app.station.commands import MarkReserved
from app.station.intents import ClearFault, PlugIn, PresentCard, RaiseFault, Unplug
from app.station.kinds import Fault
from tests.conformance.v201.conftest import Make, events, get_variable
from tests.support.harness import MUTE, Bench

A1 = PresentCard("A", evse=1)


async def booted(bench201: Make, **options: Any) -> Bench:
    bench: Bench = bench201(**options)
    await bench.boot()
    bench.skip()
    return bench


async def change(
    bench: Bench, status: str, evse: int | None = None, connector: int | None = None
) -> str:
    request: dict[str, Any] = {"operationalStatus": status}
    if evse is not None:
        request["evse"] = {"id": evse}
        if connector is not None:
            request["evse"]["connectorId"] = connector
    answer = await bench.request("ChangeAvailability", request)
    status_word: str = answer["status"]
    return status_word


def statuses(bench: Bench) -> list[str]:
    return [
        f"{line.payload['evseId']}.{line.payload['connectorId']} {line.payload['connectorStatus']}"
        for line in bench.lines
        if line.action == "StatusNotification" and line.mark == ">"
    ]


async def test_plug_and_unplug_are_told(bench201: Make) -> None:
    """201-ST-01, 201-ST-02, G01.FR.03, G01.FR.04."""
    bench = await booted(bench201)
    await bench.do(PlugIn(2), Unplug(2))
    assert statuses(bench) == ["2.1 Occupied", "2.1 Available"]
    assert [e.status for e in bench.happened(ConnectorStatusChanged)] == ["Occupied", "Available"]


async def test_fault_is_told_and_taken_back(bench201: Make) -> None:
    """201-ST-01: Faulted, then what it was."""
    bench = await booted(bench201)
    await bench.do(PlugIn(1), RaiseFault(Fault.RCD, 1), ClearFault(1))
    assert statuses(bench) == ["1.1 Occupied", "1.1 Faulted", "1.1 Occupied"]


async def test_warning_is_no_fault(bench201: Make) -> None:
    """201-ST-01."""
    bench = await booted(bench201)
    await bench.do(RaiseFault(Fault.WEAK_SIGNAL, 1))
    assert statuses(bench) == []


async def test_fault_of_the_station_hits_every_connector(bench201: Make) -> None:
    """201-ST-01."""
    bench = await booted(bench201)
    await bench.do(RaiseFault(Fault.EMERGENCY_STOP))
    assert statuses(bench) == ["1.1 Faulted", "2.1 Faulted"]
    assert (await get_variable(bench, "ChargingStation", "AvailabilityState"))[
        "attributeValue"
    ] == "Faulted"
    assert (await get_variable(bench, "ChargingStation", "Problem"))["attributeValue"] == "true"


async def test_what_goes_on_with_less_is_faulted_once_it_has_ended(bench201: Make) -> None:
    """201-ST-01: over a fault that derates nothing begins; that there is a problem is told at once."""
    bench = await booted(bench201)
    await bench.do(PlugIn(1), PresentCard("A1", evse=1), RaiseFault(Fault.OVER_TEMPERATURE, 1))
    assert statuses(bench) == ["1.1 Occupied"]
    assert (await get_variable(bench, "EVSE", "Problem", evse=1))["attributeValue"] == "true"
    await bench.do(PresentCard("A1", evse=1))
    assert statuses(bench) == ["1.1 Occupied", "1.1 Faulted"]
    await bench.do(ClearFault(1, 0, Fault.OVER_TEMPERATURE))
    assert statuses(bench)[2:] == ["1.1 Occupied"]
    assert (await get_variable(bench, "EVSE", "Problem", evse=1))["attributeValue"] == "false"


async def test_reserved_connector_stays_reserved_when_a_cable_goes_in(bench201: Make) -> None:
    """201-ST-02, G03.FR.09, G01.FR.09 (errata 2.28)."""
    bench = await booted(bench201)
    await bench.do(MarkReserved(1, holder="A"), PlugIn(1))
    assert statuses(bench) == ["1.1 Reserved"]


@pytest.mark.parametrize(
    ("seconds", "told"), [(59, ["1.1 Occupied"]), (61, ["1.1 Occupied", "2.1 Available"])]
)
async def test_after_a_break_the_changes_or_all_are_told(
    bench201: Make, seconds: float, told: list[str]
) -> None:
    """201-ST-04, B04.FR.01, B04.FR.02: OfflineThreshold."""
    bench = await booted(bench201)
    await bench.offline()
    await bench.do(PlugIn(1), Unplug(1), PlugIn(1))
    await bench.advance(seconds)
    await bench.online()
    assert statuses(bench) == told


async def test_status_that_was_not_answered_is_told_on_the_next_occasion(bench201: Make) -> None:
    """201-ST-04: not lost."""
    bench = await booted(bench201)
    bench.csms.on("StatusNotification", [MUTE, {}])
    await bench.do(PlugIn(1))
    await bench.offline()
    await bench.online()
    assert statuses(bench) == ["1.1 Occupied", "1.1 Occupied"]


async def test_queue_all_messages_keeps_every_status(bench201: Make) -> None:
    """OFF-02: QueueAllMessages."""
    bench = await booted(bench201, variables={"OCPPCommCtrlr.QueueAllMessages": "true"})
    await bench.offline()
    await bench.do(PlugIn(1), Unplug(1))
    await bench.online()
    assert statuses(bench) == ["1.1 Occupied", "1.1 Available"]


# ---- ChangeAvailability


async def test_connector_out_of_service_and_back(bench201: Make) -> None:
    """201-AV-01, 201-AV-02, G03.FR.04: answered first, told then."""
    bench = await booted(bench201)
    assert await change(bench, "Inoperative", 1, 1) == "Accepted"
    bench.expect(
        """
        < ChangeAvailability
        = ChangeAvailability status=Accepted
        > StatusNotification evseId=1 connectorStatus=Unavailable
        """
    )
    assert await change(bench, "Inoperative", 1, 1) == "Accepted"
    assert await change(bench, "Operative", 1, 1) == "Accepted"
    assert statuses(bench) == ["1.1 Available"]


async def test_station_out_of_service_covers_all(bench201: Make) -> None:
    """G04.FR.01, G04.FR.05, G04.FR.07, G04.FR.08."""
    bench = await booted(bench201)
    assert await change(bench, "Inoperative") == "Accepted"
    assert statuses(bench) == ["1.1 Unavailable", "2.1 Unavailable"]
    bench.skip()
    assert await change(bench, "Operative") == "Accepted"
    assert statuses(bench) == ["1.1 Available", "2.1 Available"]


async def test_each_part_keeps_its_own_state(bench201: Make) -> None:
    """201-AV-03: a connector that was set by itself stays out when the station comes back."""
    bench = await booted(bench201)
    await change(bench, "Inoperative", 1, 1)
    await change(bench, "Inoperative")
    bench.skip()
    await change(bench, "Operative")
    assert statuses(bench) == ["2.1 Available"]


async def test_part_of_a_station_out_of_service_keeps_what_it_is_told(bench201: Make) -> None:
    """201-AV-03, G04.FR.08: an order to a part below one that is out of service is its own."""
    bench = await booted(bench201)
    await change(bench, "Inoperative")
    await change(bench, "Inoperative", 1, 1)
    bench.skip()
    await change(bench, "Operative")
    assert statuses(bench) == ["2.1 Available"]


@pytest.mark.parametrize(
    ("choice", "actions"),
    [
        ("status-notification", ["StatusNotification"]),
        ("notify-event", ["NotifyEvent"]),
        ("both", ["StatusNotification", "NotifyEvent"]),
    ],
)
async def test_message_that_tells_a_state_is_a_choice(
    bench201: Make, choice: str, actions: list[str]
) -> None:
    """G01.FR.03, open point ocpp201-status-vs-notifyevent."""
    bench = await booted(bench201, points={"ocpp201-status-vs-notifyevent": choice})
    await bench.do(PlugIn(1))
    assert [line.action for line in bench.lines] == actions
    if choice == "notify-event":
        [event] = bench.sent("NotifyEvent")[-1]["eventData"]
        assert event["actualValue"] == "Occupied"
        assert event["trigger"] == "Delta"
        assert event["component"] == {"name": "Connector", "evse": {"id": 1, "connectorId": 1}}


async def test_faulted_connector_stays_faulted(bench201: Make) -> None:
    """201-AV-03."""
    bench = await booted(bench201)
    await bench.do(RaiseFault(Fault.RCD, 1))
    await change(bench, "Inoperative", 1)
    await change(bench, "Operative", 1)
    assert statuses(bench) == ["1.1 Faulted"]


@pytest.mark.parametrize(("evse", "connector"), [(3, None), (1, 2), (0, 1)])
async def test_unknown_place_is_rejected(bench201: Make, evse: int, connector: int | None) -> None:
    """201-AV-01."""
    bench = await booted(bench201)
    assert await change(bench, "Inoperative", evse, connector) == "Rejected"


async def test_busy_evse_goes_out_of_service_when_the_session_ends(bench201: Make) -> None:
    """201-AV-02, G03.FR.05, G01.FR.05: Occupied, then Unavailable, never Available between."""
    bench = await booted(bench201)
    await bench.do(PlugIn(1), A1)
    bench.skip()
    assert await change(bench, "Inoperative", 1) == "Scheduled"
    assert statuses(bench) == []
    await bench.do(Unplug(1))
    assert statuses(bench) == ["1.1 Unavailable"]
    await bench.do(PlugIn(1))
    await bench.do(A1)
    assert len([line for line in events(bench) if line.startswith("Started")]) == 1


async def test_scheduled_order_is_applied_when_the_driver_stops(bench201: Make) -> None:
    """G03.FR.05."""
    bench = await booted(bench201)
    await bench.do(PlugIn(1), A1)
    await change(bench, "Inoperative", 1)
    bench.skip()
    await bench.do(A1)
    assert statuses(bench) == ["1.1 Unavailable"]


async def test_busy_station_frees_what_it_can_at_once(bench201: Make) -> None:
    """G04.FR.06: the free EVSE now, the busy one later; all come back to what they were."""
    bench = await booted(bench201)
    await bench.do(PlugIn(1), A1)
    bench.skip()
    assert await change(bench, "Inoperative") == "Scheduled"
    assert statuses(bench) == ["2.1 Unavailable"]
    await bench.do(Unplug(1))
    assert statuses(bench) == ["2.1 Unavailable", "1.1 Unavailable"]
    bench.skip()
    await change(bench, "Operative")
    assert statuses(bench) == ["1.1 Available", "2.1 Available"]


async def test_operative_takes_a_scheduled_order_back(bench201: Make) -> None:
    """201-AV-02."""
    bench = await booted(bench201)
    await bench.do(PlugIn(1), A1)
    await change(bench, "Inoperative")
    assert await change(bench, "Operative") == "Accepted"
    bench.skip()
    await bench.do(Unplug(1))
    assert statuses(bench) == ["1.1 Available"]


async def test_order_survives_a_power_cut(bench201: Make) -> None:
    """201-AV-04, 201-BOOT-09, RE-07, G03.FR.08."""
    bench = await booted(bench201)
    await change(bench, "Inoperative", 2)
    bench.skip()
    await bench.kill_and_restart()
    assert statuses(bench) == ["1.1 Available", "2.1 Unavailable"]


async def test_scheduled_order_survives_a_power_cut(bench201: Make) -> None:
    """201-AV-04: the session is over with the power, so the order is applied."""
    bench = await booted(bench201)
    await bench.do(PlugIn(1), A1)
    await change(bench, "Inoperative", 1)
    bench.skip()
    await bench.kill_and_restart()
    assert statuses(bench) == ["1.1 Unavailable", "2.1 Available"]


async def test_out_of_service_evse_takes_no_card(bench201: Make) -> None:
    """G03: no new session."""
    bench = await booted(bench201)
    await change(bench, "Inoperative", 1)
    await bench.do(PlugIn(1), A1)
    assert events(bench) == []


async def test_cable_in_an_evse_out_of_service_counts_when_it_is_back(bench201: Make) -> None:
    """E01.FR.02: nothing starts out of service, and nothing is forgotten."""
    bench = await booted(
        bench201,
        variables={"TxCtrlr.TxStartPoint": "EVConnected", "TxCtrlr.TxStopPoint": "EVConnected"},
    )
    await change(bench, "Inoperative", 1)
    await bench.do(PlugIn(1))
    assert events(bench) == []
    await change(bench, "Operative", 1)
    assert events(bench) == ["Started CablePluggedIn EVConnected"]


async def test_device_model_shows_the_states(bench201: Make) -> None:
    """13.2, errata 2.66: AvailabilityState of station, EVSE and connector."""
    bench = await booted(bench201)
    await bench.do(PlugIn(1))
    read = {
        "ChargingStation": await get_variable(bench, "ChargingStation", "AvailabilityState"),
        "EVSE": await get_variable(bench, "EVSE", "AvailabilityState", evse=1),
        "Connector": await get_variable(
            bench, "Connector", "AvailabilityState", evse=1, connector=1
        ),
    }
    assert {name: result["attributeValue"] for name, result in read.items()} == {
        "ChargingStation": "Available",
        "EVSE": "Occupied",
        "Connector": "Occupied",
    }
