"""Reservations (1.6 part 3.11, 5.1, 5.13; behaviours 9)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.kernel.units import stamp
from app.ocpp.context import CallRefused
from app.ocpp.events import ReservationEnded
from app.ocpp.v16 import Personality16
from app.station.intents import (
    ClearFault,
    PlugIn,
    PresentCard,
    PressStop,
    RaiseFault,
    SetVehicle,
    Unplug,
)
from app.station.kinds import BayStatus, Fault, ReaderLamp
from tests.conformance.v16.conftest import Make
from tests.conformance.v16.test_authorization import lamps
from tests.conformance.v16.test_remote import READERLESS
from tests.support.harness import Bench

HOUR = 3600


async def reserve(
    bench: Bench,
    number: int,
    token: str = "HOLDER",
    *,
    ident: int = 1,
    seconds: float = HOUR,
    parent: str | None = None,
) -> str:
    payload: dict[str, Any] = {
        "connectorId": number,
        "expiryDate": stamp(bench.now + timedelta(seconds=seconds)),
        "idTag": token,
        "reservationId": ident,
    }
    if parent is not None:
        payload["parentIdTag"] = parent
    answer: dict[str, Any] = await bench.request("ReserveNow", payload)
    return str(answer["status"])


async def cancel(bench: Bench, ident: int = 1) -> str:
    answer = await bench.request("CancelReservation", {"reservationId": ident})
    return str(answer["status"])


def told(bench: Bench, number: int) -> str:
    """The status that the back office heard last of a connector."""
    heard = [item for item in bench.sent("StatusNotification") if item["connectorId"] == number]
    return str(heard[-1]["status"])


def ends(bench: Bench) -> list[tuple[int, str]]:
    return [(event.reservation_id, event.why) for event in bench.happened(ReservationEnded)]


async def test_RS_01_RS_03_free_connector_is_reserved(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    bench.skip()
    assert await reserve(bench, 1) == "Accepted"
    bench.expect(
        """
        < ReserveNow
        = ReserveNow status=Accepted
        > StatusNotification connectorId=1 status=Reserved errorCode=NoError
        """
    )
    evse = bench.station.snapshot().evse(1)
    assert evse.status is BayStatus.RESERVED
    assert evse.reservation is not None
    assert evse.reservation.holder == "HOLDER"
    assert evse.reservation.until == bench.now + timedelta(hours=1)
    assert bench.station.snapshot().evse(2).reservation is None


@pytest.mark.parametrize(
    ("trouble", "answer"),
    [
        ("fault", "Faulted"),
        ("station fault", "Faulted"),
        ("out of service", "Unavailable"),
        ("station out of service", "Unavailable"),
        ("cable", "Occupied"),
        ("driver waiting", "Occupied"),
        ("charging", "Occupied"),
        ("finished", "Occupied"),
        ("reserved", "Occupied"),
        ("reserved for the same", "Occupied"),
        ("unknown", "Rejected"),
        ("past", "Rejected"),
        ("switched off", "Rejected"),
    ],
)
async def test_RS_01_answer_follows_the_state(bench16: Make, trouble: str, answer: str) -> None:
    """RS-02 too; part 5.13."""
    bench = bench16(keys={"ReservationEnabled": "false"} if trouble == "switched off" else None)
    await bench.boot()
    if "fault" in trouble:
        evse = 0 if "station" in trouble else 1
        await bench.do(RaiseFault(Fault.RCD if evse else Fault.EMERGENCY_STOP, evse=evse))
    elif "out of service" in trouble:
        payload = {"connectorId": 0 if "station" in trouble else 1, "type": "Inoperative"}
        await bench.request("ChangeAvailability", payload)
    elif trouble in ("cable", "charging", "finished"):
        await bench.do(PlugIn(1))
    elif "reserved" in trouble:
        assert await reserve(bench, 1, "HOLDER" if "same" in trouble else "OTHER") == "Accepted"
    if trouble in ("driver waiting", "charging", "finished"):
        await bench.do(PresentCard("A", evse=1))
    if trouble == "finished":
        await bench.do(PressStop(1))
    number = 9 if trouble == "unknown" else 1
    seconds = -1 if trouble == "past" else HOUR
    assert await reserve(bench, number, ident=2, seconds=seconds) == answer
    assert await reserve(bench, -1, ident=3) == "Rejected"


async def test_RS_02_same_id_replaces(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    await reserve(bench, 1, seconds=60)
    bench.skip()
    assert await reserve(bench, 1, "NEW", seconds=600) == "Accepted"
    bench.expect("< ReserveNow\n= ReserveNow status=Accepted")  # Reserved as before
    snapshot = bench.station.snapshot().evse(1).reservation
    assert snapshot is not None
    assert snapshot.holder == "NEW"
    await bench.advance(61)  # the old expiry counts no more
    assert told(bench, 1) == "Reserved"
    assert await reserve(bench, 2, "NEW") == "Accepted"
    assert (told(bench, 1), told(bench, 2)) == ("Available", "Reserved")
    assert ends(bench) == [(1, "replaced"), (1, "replaced")]
    assert bench.station.snapshot().evse(1).reservation is None


async def test_RS_02_one_that_cannot_be_replaced_stays(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    await reserve(bench, 1)
    await bench.do(PlugIn(2))
    assert await reserve(bench, 2) == "Occupied"
    assert told(bench, 1) == "Reserved"
    assert await cancel(bench) == "Accepted"


async def test_RS_05_16_TX_03_reserved_card_uses_it_up(bench16: Make) -> None:
    """G2: Reserved, Preparing, Charging; reservationId in StartTransaction."""
    bench = bench16()
    await bench.boot()
    await reserve(bench, 1, ident=42)
    await bench.do(SetVehicle(1, ready_delay=0.0))
    bench.skip()
    await bench.do(PresentCard("holder", evse=1), PlugIn(1))
    bench.expect(
        """
        > Authorize idTag=holder
        > StatusNotification connectorId=1 status=Preparing
        > StartTransaction connectorId=1 idTag=holder reservationId=42
        > StatusNotification connectorId=1 status=Charging
        """
    )
    assert ends(bench) == [(42, "used")]
    assert await cancel(bench, 42) == "Rejected"
    assert bench.station.snapshot().evse(1).reservation is None
    await bench.do(PressStop(1), Unplug(1))
    assert told(bench, 1) == "Available"


async def test_RS_05_cable_first(bench16: Make) -> None:
    """A cable alone does not end Reserved; the card does (G2)."""
    bench = bench16()
    await bench.boot()
    await reserve(bench, 1, ident=42)
    await bench.do(SetVehicle(1, ready_delay=0.0))
    bench.skip()
    await bench.do(PlugIn(1))
    await bench.advance(120)  # ConnectionTimeOut does not end it either
    bench.expect("")
    await bench.do(PresentCard("HOLDER", evse=1))
    bench.expect(
        """
        > Authorize
        > StatusNotification connectorId=1 status=Preparing
        > StartTransaction reservationId=42
        > StatusNotification connectorId=1 status=Charging
        """
    )


async def test_RS_05_strangers_are_refused(bench16: Make) -> None:
    """Without a parent in the reservation nobody has to be asked."""
    bench = bench16()
    await bench.boot()
    await reserve(bench, 1)
    bench.skip()
    await bench.do(PlugIn(1), PresentCard("STRANGER", evse=1))
    bench.expect("")
    assert lamps(bench) == [ReaderLamp.REFUSED]
    screen = bench.station.snapshot().evse(1).screen
    assert screen is not None
    assert screen.id == "v16.screen.reserved"
    payload = {"idTag": "STRANGER", "connectorId": 1}
    assert await bench.request("RemoteStartTransaction", payload) == {"status": "Rejected"}
    await bench.do(PlugIn(2), PresentCard("STRANGER", evse=2))  # elsewhere they may charge
    assert "reservationId" not in bench.sent("StartTransaction")[0]


async def test_RS_05_group_of_the_reservation(bench16: Make) -> None:
    """parentIdTag: learnt from Authorize."""
    bench = bench16()
    bench.csms.on(
        "Authorize",
        lambda request: {
            "idTagInfo": {"status": "Accepted"}
            | ({"parentIdTag": "FAMILY"} if request["idTag"] == "COUSIN" else {})
        },
    )
    await bench.boot()
    await reserve(bench, 1, ident=7, parent="family")
    await bench.do(PlugIn(1), PresentCard("STRANGER", evse=1))
    assert len(bench.sent("Authorize")) == 1
    assert bench.sent("StartTransaction") == []
    assert lamps(bench)[-1] is ReaderLamp.REFUSED
    await bench.do(PresentCard("COUSIN", evse=1))
    assert bench.sent("StartTransaction")[0]["reservationId"] == 7


async def test_RS_05_group_of_a_listed_token_offline(bench16: Make) -> None:
    """Part 5.13: the parent may be looked up in the local list."""
    bench = bench16()
    await bench.boot()
    listed = {"idTag": "COUSIN", "idTagInfo": {"status": "Accepted", "parentIdTag": "FAMILY"}}
    payload = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": [listed]}
    await bench.request("SendLocalList", payload)
    await reserve(bench, 1, ident=7, parent="FAMILY")
    await bench.offline()
    await bench.do(PlugIn(1), PresentCard("COUSIN", evse=1))
    await bench.online()
    assert bench.sent("StartTransaction")[0]["reservationId"] == 7


async def test_RS_05_remote_start_asks_for_the_group_where_it_has_to(bench16: Make) -> None:
    """Part 5.13: also with AuthorizeRemoteTxRequests=false."""
    bench = bench16(keys={"AuthorizeRemoteTxRequests": "false"})
    bench.csms.on("Authorize", {"idTagInfo": {"status": "Accepted", "parentIdTag": "FAMILY"}})
    await bench.boot()
    await reserve(bench, 1, ident=7, parent="FAMILY")
    await bench.do(PlugIn(1))
    payload = {"idTag": "COUSIN", "connectorId": 1}
    assert await bench.request("RemoteStartTransaction", payload) == {"status": "Accepted"}
    assert len(bench.sent("Authorize")) == 1
    assert bench.sent("StartTransaction")[0]["reservationId"] == 7


async def test_RS_05_remote_start_of_the_holder(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    await reserve(bench, 2, ident=7)
    bench.skip()
    payload = {"idTag": "HOLDER", "connectorId": 2}
    assert await bench.request("RemoteStartTransaction", payload) == {"status": "Accepted"}
    await bench.do(PlugIn(2))
    assert bench.sent("StartTransaction")[0]["reservationId"] == 7


async def test_holder_at_a_reader_of_two_evses_is_sent_to_the_reserved_one(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    await reserve(bench, 2, ident=7)
    await bench.do(PresentCard("HOLDER"), PlugIn(1))
    assert bench.sent("StartTransaction") == []
    await bench.do(PlugIn(2))
    assert bench.sent("StartTransaction")[0]["reservationId"] == 7
    await bench.do(PresentCard("STRANGER"))
    assert bench.sent("StartTransaction")[1]["connectorId"] == 1


async def test_finished_cable_of_another_is_no_way_around_a_reservation(bench16: Make) -> None:
    """Errata 3.20: also where the other connector of the reader is reserved."""
    bench = bench16()
    await bench.boot()
    await reserve(bench, 2)
    await bench.do(PlugIn(1), PresentCard("FIRST", evse=1), PressStop(1), PresentCard("STRANGER"))
    assert len(bench.sent("StartTransaction")) == 1


async def test_16_ST_09_holder_who_does_not_plug_in_keeps_the_reservation(bench16: Make) -> None:
    """There is no way from Preparing to Reserved but over Available."""
    bench = bench16(keys={"ConnectionTimeOut": "30"})
    await bench.boot()
    await reserve(bench, 1)
    bench.skip()
    await bench.do(PresentCard("HOLDER", evse=1))
    await bench.advance(31)
    bench.expect(
        """
        > Authorize
        > StatusNotification connectorId=1 status=Preparing
        > StatusNotification connectorId=1 status=Available
        > StatusNotification connectorId=1 status=Reserved
        """
    )
    await bench.do(PlugIn(1), PresentCard("HOLDER", evse=1))
    assert bench.sent("StartTransaction")[0]["reservationId"] == 1


async def test_RS_06_expiry_on_the_clock_of_the_station(bench16: Make) -> None:
    """1.6 has no message of its own for it: Available (G1)."""
    bench = bench16()
    await bench.boot()
    await reserve(bench, 1, seconds=90)
    await bench.advance(89)
    assert told(bench, 1) == "Reserved"
    bench.skip()
    await bench.advance(2)
    bench.expect("> StatusNotification connectorId=1 status=Available")
    assert ends(bench) == [(1, "expired")]
    assert bench.station.snapshot().evse(1).reservation is None
    assert await cancel(bench) == "Rejected"


async def test_RS_06_expiry_follows_a_corrected_clock(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    await reserve(bench, 1, seconds=HOUR)
    bench.clock.correct(bench.now + timedelta(hours=2))
    await bench.advance(1)
    assert told(bench, 1) == "Available"


async def test_expiry_over_a_foreign_cable_gives_its_driver_time(bench16: Make) -> None:
    """Then Preparing, with a ConnectionTimeOut of its own."""
    bench = bench16(keys={"ConnectionTimeOut": "30"})
    await bench.boot()
    await reserve(bench, 1, seconds=90)
    await bench.do(PlugIn(1))
    await bench.advance(91)
    assert told(bench, 1) == "Preparing"
    await bench.advance(31)
    assert told(bench, 1) == "Finishing"


async def test_RS_08_cancel(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    await reserve(bench, 1, ident=5)
    assert await cancel(bench, 6) == "Rejected"
    bench.skip()
    assert await cancel(bench, 5) == "Accepted"
    bench.expect(
        """
        < CancelReservation
        = CancelReservation status=Accepted
        > StatusNotification connectorId=1 status=Available
        """
    )
    assert await cancel(bench, 5) == "Rejected"
    await bench.do(PlugIn(1), PresentCard("ANYBODY", evse=1))
    assert len(bench.personality.sessions()) == 1


@pytest.mark.parametrize("how", ["fault", "station fault", "out of service"])
async def test_RS_07_ends_with_the_connector(bench16: Make, how: str) -> None:
    """G8, G9; part 5.13: terminated when set to Faulted or Unavailable."""
    bench = bench16()
    await bench.boot()
    await reserve(bench, 1)
    if how == "out of service":
        payload = {"connectorId": 1, "type": "Inoperative"}
        assert await bench.request("ChangeAvailability", payload) == {"status": "Accepted"}
        assert told(bench, 1) == "Unavailable"
        await bench.request("ChangeAvailability", payload | {"type": "Operative"})
    else:
        evse = 0 if how == "station fault" else 1
        fault = Fault.EMERGENCY_STOP if evse == 0 else Fault.RCD
        await bench.do(RaiseFault(fault, evse=evse))
        assert told(bench, 1) == "Faulted"
        await bench.do(ClearFault(evse))
    assert told(bench, 1) == "Available"
    assert ends(bench) == [(1, "removed")]
    await bench.kill_and_restart()
    assert told(bench, 1) == "Available"


async def test_RS_09_survives_kill_and_restart(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    await reserve(bench, 1, ident=7, parent="FAMILY", seconds=600)
    bench.skip()
    await bench.kill_and_restart()
    assert bench.saw("> StatusNotification connectorId=1 status=Reserved")
    assert bench.station.snapshot().evse(1).status is BayStatus.RESERVED
    assert isinstance(bench.personality, Personality16)
    kept = bench.personality.reservations.all()[0]
    assert (kept.id, kept.token, kept.parent) == (7, "HOLDER", "FAMILY")
    await bench.do(PlugIn(1), PresentCard("HOLDER", evse=1))
    assert bench.sent("StartTransaction")[0]["reservationId"] == 7
    await bench.kill_and_restart()
    assert told(bench, 1) == "Finishing"


async def test_RS_09_expired_while_the_station_was_down(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    await reserve(bench, 1, seconds=60)
    bench.clock.correct(bench.now + timedelta(seconds=59.9))
    await bench.kill_and_restart(connect=False)
    await bench.advance(1)
    await bench.kill_and_restart(connect=False)
    await bench.boot()
    assert told(bench, 1) == "Available"
    assert ends(bench) == [(1, "expired")]


async def test_RE_07_survives_a_reset(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    await reserve(bench, 1, seconds=60)
    assert await bench.request("Reset", {"type": "Hard"}) == {"status": "Accepted"}
    assert told(bench, 1) == "Reserved"
    assert bench.station.snapshot().evse(1).reservation is not None
    await bench.advance(61)
    assert told(bench, 1) == "Available"


# ---------------------------------------------------------------- connector 0


async def test_RS_04_any_connector_shows_reserved_only_when_all_free_are_needed(
    bench16: Make,
) -> None:
    bench = bench16()
    await bench.boot()
    bench.skip()
    assert await reserve(bench, 0, ident=9) == "Accepted"
    bench.expect("< ReserveNow\n= ReserveNow status=Accepted")
    await bench.do(PlugIn(1), PresentCard("STRANGER", evse=1))
    assert told(bench, 2) == "Reserved"
    mark = bench.station.snapshot().evse(2).reservation
    assert mark is not None
    assert mark.holder == "HOLDER"
    await bench.do(PresentCard("OTHER", evse=2))
    assert lamps(bench)[-1] is ReaderLamp.REFUSED
    await bench.do(PressStop(1), Unplug(1))
    assert told(bench, 2) == "Available"
    assert bench.station.snapshot().evse(2).reservation is None
    await bench.do(PlugIn(2), PresentCard("HOLDER", evse=2))
    assert bench.sent("StartTransaction")[-1]["reservationId"] == 9
    assert ends(bench) == [(9, "used")]


async def test_RS_04_one_stays_kept_with_a_foreign_cable_in_it(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    await reserve(bench, 0, ident=9)
    await bench.do(PlugIn(1), PresentCard("STRANGER", evse=1), PlugIn(2))
    assert told(bench, 2) == "Reserved"
    await bench.kill_and_restart()
    assert told(bench, 2) == "Reserved"
    await bench.do(PresentCard("OTHER", evse=2))
    assert len(bench.sent("StartTransaction")) == 1
    await bench.do(Unplug(1))  # now another one is free for the holder
    assert (told(bench, 1), told(bench, 2)) == ("Reserved", "Preparing")
    await bench.do(PresentCard("OTHER", evse=2))
    assert len(bench.sent("StartTransaction")) == 2


async def test_RS_04_two_of_any_need_all(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    assert await reserve(bench, 0, "ONE", ident=1) == "Accepted"
    assert await reserve(bench, 0, "TWO", ident=2, seconds=60) == "Accepted"
    assert (told(bench, 1), told(bench, 2)) == ("Reserved", "Reserved")
    assert await reserve(bench, 0, "THREE", ident=3) == "Occupied"
    assert await reserve(bench, 1, "THREE", ident=3) == "Occupied"
    assert await reserve(bench, 0, "TWO", ident=2, seconds=90) == "Accepted"
    holders = {
        evse.reservation.holder for evse in bench.station.snapshot().evses if evse.reservation
    }
    assert holders == {"ONE", "TWO"}
    await bench.advance(91)
    assert (told(bench, 1), told(bench, 2)) == ("Available", "Available")


async def test_RS_04_one_of_a_kind_and_one_of_any(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    assert await reserve(bench, 1, "ONE", ident=1) == "Accepted"
    assert await reserve(bench, 0, "ANY", ident=2) == "Accepted"
    assert (told(bench, 1), told(bench, 2)) == ("Reserved", "Reserved")
    await bench.do(PlugIn(2), PresentCard("ANY", evse=2))
    await bench.do(PlugIn(1), PresentCard("ONE", evse=1))
    used = [item["reservationId"] for item in bench.sent("StartTransaction")]
    assert used == [2, 1]


@pytest.mark.parametrize(
    ("trouble", "answer"),
    [
        ("charging", "Occupied"),
        ("fault", "Faulted"),
        ("fault of all", "Faulted"),
        ("out of service", "Unavailable"),
        ("one of each", "Faulted"),
        ("out of service one by one", "Unavailable"),
    ],
)
async def test_RS_01_answer_for_any_connector(bench16: Make, trouble: str, answer: str) -> None:
    bench = bench16()
    await bench.boot()
    if trouble == "charging":
        for evse in (1, 2):
            await bench.do(PlugIn(evse), PresentCard(f"T{evse}", evse=evse))
    elif trouble == "fault":
        await bench.do(RaiseFault(Fault.EMERGENCY_STOP))
    elif trouble == "fault of all":
        await bench.do(RaiseFault(Fault.RCD, evse=1), RaiseFault(Fault.RCD, evse=2))
    elif trouble == "one of each":
        await bench.do(RaiseFault(Fault.RCD, evse=1))
        await bench.request("ChangeAvailability", {"connectorId": 2, "type": "Inoperative"})
    else:
        numbers = [0] if trouble == "out of service" else [1, 2]
        for number in numbers:
            payload = {"connectorId": number, "type": "Inoperative"}
            await bench.request("ChangeAvailability", payload)
    assert await reserve(bench, 0) == answer


async def test_RS_04_connector_0_has_to_be_supported(bench16: Make) -> None:
    bench = bench16(keys={"ReserveConnectorZeroSupported": "false"})
    await bench.boot()
    assert await reserve(bench, 0) == "Rejected"
    assert await reserve(bench, 1) == "Accepted"


async def test_RS_07_any_ends_when_no_connector_is_left(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    await reserve(bench, 0)
    await bench.do(RaiseFault(Fault.RCD, evse=1))
    assert told(bench, 2) == "Reserved"
    await bench.do(RaiseFault(Fault.RCD, evse=2))
    assert ends(bench) == [(1, "removed")]


# ---------------------------------------------------------------- others


async def test_free_vend_leaves_a_reserved_connector_alone(bench16: Make) -> None:
    bench = bench16("home-ac-11", settings={"free_vend": True})
    await bench.boot()
    await reserve(bench, 1)
    await bench.do(PlugIn(1))
    assert bench.sent("StartTransaction") == []
    assert told(bench, 1) == "Reserved"


async def test_warning_of_the_car_does_not_come_with_reserved(bench16: Make) -> None:
    """16-ST-06."""
    bench = bench16()
    await bench.boot()
    await reserve(bench, 1)
    await bench.do(PlugIn(1), RaiseFault(Fault.PILOT, evse=1, connector=1))
    assert told(bench, 1) == "Reserved"
    assert bench.sent("StatusNotification")[-1]["errorCode"] == "NoError"


async def test_other_plug_of_the_same_evse_is_kept_too(bench16: Make) -> None:
    """Only one of them can charge at a time."""
    bench = bench16(TWO_PLUGS)
    await bench.boot()
    assert await reserve(bench, 1) == "Accepted"
    assert await reserve(bench, 2, ident=2) == "Occupied"
    await bench.do(PlugIn(1, 2), PresentCard("STRANGER", evse=1))
    assert bench.sent("StartTransaction") == []


async def test_profile_that_is_off_is_not_supported(bench16: Make) -> None:
    """RPC-07."""
    bench = bench16(settings={"features": frozenset({"Core"})})
    await bench.boot()
    with pytest.raises(CallRefused, match="NotSupported"):
        await reserve(bench, 1)
    with pytest.raises(CallRefused, match="NotSupported"):
        await cancel(bench)


TWO_PLUGS = (
    READERLESS
    + """
[[evses.connectors]]
plug = "type2"
tethered = true
lock = false
max_current = 16

[[readers]]
evses = [1]
"""
)
