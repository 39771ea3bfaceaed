"""Odd turns of a 1.6 station that no rule names but that happen."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.ocpp.context import BootReason, KeySetting, OcppSettings
from app.ocpp.points import Point
from app.ocpp.v16 import Personality16
from app.ocpp.v16.rows import TRANSACTIONS
from app.ocpp.version import Version
from app.station.intents import (
    ClearFault,
    LeaveCar,
    PlugIn,
    PresentCard,
    PressStart,
    PressStop,
    RaiseFault,
    SetVehicle,
    Unplug,
)
from app.station.kinds import Fault
from tests.support.harness import MUTE, Bench, Refuse


def bench_with(make_bench: Any, keys: dict[str, str] | None = None, **options: Any) -> Bench:
    preset = tuple(KeySetting(name, value) for name, value in (keys or {}).items())
    bench: Bench = make_bench(Version.V16, settings=OcppSettings(keys=preset), **options)
    return bench


async def test_cable_pulled_while_the_card_is_judged(make_bench: Any) -> None:
    """The accepted driver then waits for the plug."""
    bench = bench_with(make_bench)
    await bench.boot()
    await bench.do(PlugIn(1))
    hold = bench.csms.hold("Authorize")
    bench.intend(PresentCard("A", evse=1))
    await hold.arrived()
    bench.intend(Unplug(1))
    hold.answer({"idTagInfo": {"status": "Accepted"}})
    await bench.rest()
    assert bench.sent("StartTransaction") == []
    await bench.do(PlugIn(1))
    assert len(bench.sent("StartTransaction")) == 1


async def test_fault_while_the_card_is_judged(make_bench: Any) -> None:
    bench = bench_with(make_bench)
    await bench.boot()
    await bench.do(PlugIn(1))
    hold = bench.csms.hold("Authorize")
    bench.intend(PresentCard("A", evse=1))
    await hold.arrived()
    bench.intend(RaiseFault(Fault.RCD, evse=1))
    hold.answer({"idTagInfo": {"status": "Accepted"}})
    await bench.rest()
    assert bench.sent("StartTransaction") == []


async def test_time_to_show_a_card_ends_only_after_it_was_judged(make_bench: Any) -> None:
    bench = bench_with(make_bench, {"ConnectionTimeOut": "10"})
    bench.csms.token_status["BAD"] = "Blocked"
    await bench.boot()
    await bench.do(PlugIn(1))
    await bench.advance(9)
    await bench.do(PresentCard("BAD", evse=1))
    await bench.advance(30)
    last = [item for item in bench.sent("StatusNotification") if item["connectorId"] == 1][-1]
    assert last["status"] == "Finishing"


async def test_two_cards_at_once_start_one_transaction(make_bench: Any) -> None:
    bench = bench_with(make_bench, blueprint="home-ac-11")
    await bench.boot()
    bench.intend(PlugIn(1))
    bench.intend(PresentCard("A"))
    bench.intend(PresentCard("B"))
    await bench.rest()
    assert [item["idTag"] for item in bench.sent("StartTransaction")] == ["A"]


async def test_two_drivers_wait_for_two_connectors(make_bench: Any) -> None:
    bench = bench_with(make_bench)
    await bench.boot()
    await bench.do(PresentCard("A"), PresentCard("B"))
    await bench.do(PlugIn(2), PlugIn(1))
    starts = [(item["connectorId"], item["idTag"]) for item in bench.sent("StartTransaction")]
    assert starts == [(2, "A"), (1, "B")]


async def test_plug_into_a_faulted_connector_keeps_the_driver_waiting(make_bench: Any) -> None:
    bench = bench_with(make_bench)
    await bench.boot()
    await bench.do(PresentCard("A", evse=1), RaiseFault(Fault.RCD, evse=1), PlugIn(1))
    assert bench.sent("StartTransaction") == []
    await bench.do(Unplug(1), ClearFault(1), PlugIn(1))
    assert len(bench.sent("StartTransaction")) == 1


async def test_second_reset_of_the_link_in_mid_status(make_bench: Any) -> None:
    """What was under way when the link broke is told again afterwards, as it is then."""
    bench = bench_with(make_bench)
    await bench.boot()
    hold = bench.csms.hold("StatusNotification")
    bench.intend(PlugIn(1))
    await hold.arrived()
    bench.intend(RaiseFault(Fault.RCD, evse=1))
    await bench.offline()
    bench.skip()
    await bench.online()
    bench.expect("> StatusNotification connectorId=1 status=Faulted")


async def test_refused_status_is_not_repeated(make_bench: Any) -> None:
    bench = bench_with(make_bench)
    await bench.boot()
    bench.csms.on("StatusNotification", Refuse("InternalError"))
    bench.skip()
    await bench.do(PlugIn(1))
    await bench.advance(30)
    bench.expect("> StatusNotification connectorId=1 status=Preparing")


async def test_triggered_status_and_values_may_fail(make_bench: Any) -> None:
    bench = bench_with(make_bench)
    await bench.boot()
    bench.csms.on("StatusNotification", MUTE)
    bench.csms.on("MeterValues", Refuse("InternalError"))
    for name in ("StatusNotification", "MeterValues"):
        payload = {"requestedMessage": name, "connectorId": 0}
        assert await bench.request("TriggerMessage", payload) == {"status": "Accepted"}


async def test_minimum_duration_and_a_broken_link(make_bench: Any) -> None:
    bench = bench_with(make_bench, {"MinimumStatusDuration": "10"})
    await bench.boot()
    await bench.do(PlugIn(1))
    await bench.offline()
    await bench.advance(20)
    bench.skip()
    await bench.online()
    bench.expect("> StatusNotification connectorId=1 status=Preparing")


async def test_car_that_came_back_after_a_fault_charges_on(make_bench: Any) -> None:
    """A lost pilot that is cleared gives the permission anew."""
    bench = bench_with(make_bench)
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), PresentCard("A", evse=1))
    await bench.advance(10)
    await bench.do(RaiseFault(Fault.PILOT, evse=1, connector=1))
    before = bench.station.meter(1).energy_import
    await bench.advance(60)
    assert bench.station.meter(1).energy_import - before < 1
    await bench.do(ClearFault(1, 1))
    await bench.advance(60)
    assert bench.station.meter(1).energy_import - before > 20


async def test_refused_grace_ends_with_the_transaction(make_bench: Any) -> None:
    keys = {"StopTransactionOnInvalidId": "false", "MaxEnergyOnInvalidId": "5000"}
    bench = bench_with(make_bench, keys)
    bench.csms.on("StartTransaction", {"transactionId": 1, "idTagInfo": {"status": "Invalid"}})
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    await bench.advance(10)
    await bench.do(PressStop(1), Unplug(1), LeaveCar(1))
    await bench.advance(3600)
    assert bench.personality.sessions() == ()


async def test_start_answer_after_the_end_teaches_the_id_only(make_bench: Any) -> None:
    """16-AU-10 concerns running transactions."""
    bench = bench_with(make_bench)
    await bench.boot()
    await bench.do(PlugIn(1))
    hold = bench.csms.hold("StartTransaction")
    bench.intend(PresentCard("A", evse=1))
    await hold.arrived()
    bench.intend(PressStop(1))
    hold.answer({"transactionId": 42, "idTagInfo": {"status": "Blocked"}})
    await bench.rest()
    stops = bench.sent("StopTransaction")
    assert [(item["transactionId"], item["reason"]) for item in stops] == [(42, "Local")]


async def test_given_up_stop_is_forgotten(make_bench: Any) -> None:
    bench = bench_with(make_bench, {"TransactionMessageAttempts": "1"})
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    bench.csms.on("StopTransaction", Refuse("InternalError"))
    await bench.do(PressStop(1))
    await bench.kill_and_restart()
    assert len(bench.sent("StopTransaction")) == 1


async def test_nothing_flows_that_could_not_be_written_down(
    make_bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails: no transaction, no permission, no message."""
    bench = bench_with(make_bench)
    await bench.boot()
    await bench.do(PlugIn(1))
    usual = bench.store.put

    def full(table: str, key: str, row: Any) -> None:
        if table == TRANSACTIONS:
            raise OSError("no space left")
        usual(table, key, row)

    monkeypatch.setattr(bench.store, "put", full)
    bench.intend(PresentCard("A", evse=1))
    await bench.rest()
    assert [fault for fault in bench.faults if "no space left" in fault]
    bench.faults.clear()
    assert bench.personality.sessions() == ()
    assert not bench.station.snapshot().evse(1).permitted
    assert bench.sent("StartTransaction") == []
    monkeypatch.undo()
    await bench.do(PresentCard("A", evse=1))
    assert len(bench.personality.sessions()) == 1


async def test_time_of_the_last_sample_counts_when_the_end_could_not_be_written(
    make_bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = bench_with(make_bench)
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    await bench.advance(100)

    def full(table: str, key: str, row: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(bench.store, "put", full)
    await bench._power_down()
    monkeypatch.undo()
    bench._power_up(BootReason.POWER_UP)
    await bench.online()
    assert bench.sent("StopTransaction")[0]["timestamp"] == "2026-01-15T08:01:00Z"


async def test_start_button_needs_a_cable(make_bench: Any) -> None:
    bench = bench_with(make_bench, blueprint=READERLESS)
    await bench.boot()
    await bench.do(PressStart(1))
    assert bench.sent("StartTransaction") == []


async def test_connector_of_one_evse_waits_for_the_other(make_bench: Any) -> None:
    """Two outlets of one EVSE: only one transaction at a time."""
    bench = bench_with(make_bench, blueprint=TWO_OUTLETS)
    await bench.boot()
    await bench.do(PlugIn(1, 2), PresentCard("A", evse=1))
    assert bench.sent("StartTransaction")[0]["connectorId"] == 2
    payload = {"idTag": "B", "connectorId": 1}
    assert await bench.request("RemoteStartTransaction", payload) == {"status": "Rejected"}


async def test_waiting_driver_may_use_either_outlet(make_bench: Any) -> None:
    bench = bench_with(make_bench, blueprint=TWO_OUTLETS)
    await bench.boot()
    await bench.do(PresentCard("A", evse=1), PlugIn(1, 2))
    assert bench.sent("StartTransaction")[0]["connectorId"] == 2


async def test_lost_reader_does_not_matter_for_free_vend(make_bench: Any) -> None:
    settings = OcppSettings(free_vend=True)
    bench: Bench = make_bench(Version.V16, blueprint=FREE_WITH_READER, settings=settings)
    await bench.boot()
    bench.skip()
    await bench.do(RaiseFault(Fault.READER_LOST))
    bench.expect("> StatusNotification connectorId=0 status=Available errorCode=ReaderFailure")
    await bench.do(PlugIn(1))
    assert len(bench.sent("StartTransaction")) == 1


async def test_free_vend_begins_when_the_fault_is_gone(make_bench: Any) -> None:
    settings = OcppSettings(free_vend=True)
    bench: Bench = make_bench(Version.V16, blueprint=FREE_WITH_READER, settings=settings)
    await bench.boot()
    await bench.do(RaiseFault(Fault.RCD, evse=1), PlugIn(1))
    assert bench.sent("StartTransaction") == []
    await bench.advance(600)
    await bench.do(ClearFault(1))
    assert len(bench.sent("StartTransaction")) == 1


async def test_message_time_out_preset_with_nonsense_is_the_usual_one(make_bench: Any) -> None:
    bench = bench_with(make_bench, {"MessageTimeout": "soon"})
    assert bench.personality.link_policy().message_timeout == 30.0


async def test_no_deadline_outlives_the_power_cycle(make_bench: Any) -> None:
    bench = bench_with(make_bench, {"ClockAlignedDataInterval": "900"})
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("B", evse=2))
    await bench.close()
    timer = bench.clock.next_due()
    # only the machine itself may still want something
    assert timer is None or timer == bench.station.next_instant()  # type: ignore[attr-defined]


async def test_views_of_the_personality(make_bench: Any) -> None:
    bench = bench_with(make_bench)
    await bench.boot()
    await bench.do(PlugIn(1))
    await bench.offline()
    bench.csms.token_status = {}
    assert bench.personality.queue() == []
    await bench.online()
    await bench.do(PresentCard("A", evse=1))
    (session,) = bench.personality.sessions()
    assert (session.evse, session.connector, session.transaction_id) == (1, 1, "1")
    assert session.id_token == "A"
    assert isinstance(bench.personality, Personality16)


class Person:
    """Answers every open point in strict mode with what the test says."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def ask(self, point: Point) -> str | None:
        self.asked.append(point.id)
        await asyncio.sleep(0)
        return self.answers.get(point.id.replace("-", "_"))


async def test_strict_mode_asks_a_person(make_bench: Any) -> None:
    person = Person(ocpp16_remote_start_no_connector="reject")
    bench = bench_with(make_bench, strict=True, asker=person)
    await bench.boot()
    answer = await bench.request("RemoteStartTransaction", {"idTag": "R"})
    assert answer == {"status": "Rejected"}
    assert person.asked == ["ocpp16-remote-start-no-connector"]


HARDWARE = """
name = "Post"
vendor = "Forecourt"
model = "Post"
{extra}
[supply]
current = 40
voltage = 230
{reader}
[[evses]]
current = "ac"
max_power = 11040
phases = 3
vehicle = "city-52"
{outlets}
"""

OUTLET = """
[[evses.connectors]]
plug = "type2"
tethered = true
lock = false
max_current = 16
"""

READER = """
[[readers]]
evses = [1]
"""

READERLESS = HARDWARE.format(extra="", reader="", outlets=OUTLET)
TWO_OUTLETS = HARDWARE.format(extra="", reader=READER, outlets=OUTLET * 2)
FREE_WITH_READER = HARDWARE.format(extra="free_vend = true", reader=READER, outlets=OUTLET)
