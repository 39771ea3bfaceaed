"""Meter values with transactions and by the clock: part 2, J01, J02; MV-06 to MV-15."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from app.kernel.units import parse_stamp
from app.ocpp.v201 import metering
from app.station.intents import PlugIn, PresentCard, Unplug
from tests.conformance.v201.conftest import Make, events, set_variable
from tests.support.harness import Bench

A1 = PresentCard("A", evse=1)
ENERGY = "Energy.Active.Import.Register"


async def booted(bench201: Make, variables: dict[str, str] | None = None, **options: Any) -> Bench:
    bench: Bench = bench201(variables=variables, **options)
    await bench.boot()
    bench.skip()
    return bench


def samples(event: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (sample["context"], sample["measurand"], sample.get("phase", ""))
        for value in event.get("meterValue", [])
        for sample in value["sampledValue"]
    ]


async def test_samples_follow_the_interval_from_the_start(bench201: Make) -> None:
    """MV-09, J02.FR.11: TxUpdatedInterval and TxUpdatedMeasurands."""
    bench = await booted(bench201, {"SampledDataCtrlr.TxUpdatedInterval": "30"})
    await bench.advance(7)
    await bench.do(PlugIn(1), A1)
    await bench.advance(65)
    told = [e for e in bench.sent("TransactionEvent") if e["triggerReason"] == "MeterValuePeriodic"]
    assert [event["timestamp"][-9:] for event in told] == ["08:00:37Z"[-9:], "08:01:07Z"[-9:]]
    contexts = {context for context, _, _ in samples(told[0])}
    assert contexts == {"Sample.Periodic"}


async def test_interval_zero_sends_no_samples(bench201: Make) -> None:
    """J02, 2.7.8."""
    bench = await booted(bench201, {"SampledDataCtrlr.TxUpdatedInterval": "0"})
    await bench.do(PlugIn(1), A1)
    await bench.advance(600)
    assert not [line for line in events(bench) if "MeterValue" in line]


async def test_interval_changed_in_a_session_counts_from_then(bench201: Make) -> None:
    """J02.FR.11, DM-02: no reboot wanted."""
    bench = await booted(bench201)
    await bench.do(PlugIn(1), A1)
    await bench.advance(5)
    await set_variable(bench, "SampledDataCtrlr", "TxUpdatedInterval", "10")
    await set_variable(bench, "SampledDataCtrlr", "TxUpdatedMeasurands", "SoC,Frequency")
    await bench.advance(21)
    told = [e for e in bench.sent("TransactionEvent") if e["triggerReason"] == "MeterValuePeriodic"]
    assert len(told) == 2
    assert samples(told[0]) == [
        ("Sample.Periodic", "SoC", ""),
        ("Sample.Periodic", "Frequency", ""),
    ]
    await set_variable(bench, "SampledDataCtrlr", "Enabled", "false")
    await bench.advance(100)
    assert len([line for line in events(bench) if "MeterValuePeriodic" in line]) == 2


async def test_every_measurand_and_phase_the_meter_has(bench201: Make) -> None:
    """MV-08, MV-12, MV-15, J01.FR.11."""
    every = (
        "Current.Import,Current.Offered,Energy.Active.Import.Register,Frequency,"
        "Power.Active.Import,Power.Factor,Power.Offered,SoC,Voltage"
    )
    bench = await booted(
        bench201,
        {
            "SampledDataCtrlr.TxUpdatedMeasurands": every,
            "SampledDataCtrlr.RegisterValuesWithoutPhases": "false",
        },
    )
    await bench.do(PlugIn(1), A1)
    await bench.advance(61)
    value = bench.sent("TransactionEvent")[-1]["meterValue"]
    assert len(value) == 1
    found: dict[str, list[str]] = {}
    for _, measurand, phase in samples(bench.sent("TransactionEvent")[-1]):
        found.setdefault(measurand, []).append(phase)
    assert found == {
        "Current.Import": ["L1", "L2", "L3"],
        "Current.Offered": [""],
        ENERGY: ["", "L1", "L2", "L3"],
        "Frequency": [""],
        "Power.Active.Import": ["", "L1", "L2", "L3"],
        "Power.Factor": [""],
        "Power.Offered": [""],
        "SoC": [""],
        "Voltage": ["L1-N", "L2-N", "L3-N"],
    }
    units = {s["measurand"]: s.get("unitOfMeasure") for s in value[0]["sampledValue"]}
    assert units[ENERGY] == {"unit": "Wh"}
    assert units["Power.Factor"] is None
    soc = next(s for s in value[0]["sampledValue"] if s["measurand"] == "SoC")
    assert soc["location"] == "EV"


async def test_direct_current_meter_has_no_phases(bench201: Make) -> None:
    """MV-15."""
    bench = await booted(
        bench201,
        {"SampledDataCtrlr.TxUpdatedMeasurands": "Current.Import,Voltage,Power.Active.Import"},
        blueprint="dc-2x150",
    )
    await bench.do(PlugIn(1), A1)
    await bench.advance(60)
    found = samples(bench.sent("TransactionEvent")[-1])
    assert [(m, p) for _, m, p in found] == [
        ("Current.Import", ""),
        ("Voltage", ""),
        ("Power.Active.Import", ""),
    ]


async def test_end_has_the_values_of_begin_and_end_only(bench201: Make) -> None:
    """MV-09, 2.7.5: TxEndedInterval 0."""
    bench = await booted(bench201)
    await bench.do(PlugIn(1), A1)
    await bench.advance(200)
    await bench.do(A1)
    assert samples(bench.sent("TransactionEvent")[-1]) == [
        ("Transaction.Begin", ENERGY, ""),
        ("Transaction.End", ENERGY, ""),
    ]


async def test_end_has_what_was_collected(bench201: Make) -> None:
    """MV-09, MV-10: sampled and aligned series, Transaction.End last; they survive in rows."""
    bench = await booted(
        bench201,
        {
            "SampledDataCtrlr.TxEndedInterval": "40",
            "AlignedDataCtrlr.TxEndedInterval": "60",
            "AlignedDataCtrlr.TxEndedMeasurands": "Power.Active.Import",
        },
    )
    await bench.do(PlugIn(2), PresentCard("A", evse=2))
    await bench.advance(90)
    assert len(bench.store.rows("v201.samples")) == 3
    await bench.do(PresentCard("A", evse=2))
    told = bench.sent("TransactionEvent")[-1]
    assert [value["sampledValue"][0]["context"] for value in told["meterValue"]] == [
        "Transaction.Begin",
        "Sample.Periodic",
        "Sample.Clock",
        "Sample.Periodic",
        "Transaction.End",
    ]
    assert bench.store.rows("v201.samples") == []


async def test_J02_FR_20_a_long_session_leaves_out_every_second_value_of_its_end(
    bench201: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E06.FR.13; evenly over the whole session, also over a power cut, and never more rows than that."""
    monkeypatch.setattr(metering, "ENDED_MOST", 20)
    bench = await booted(bench201, {"SampledDataCtrlr.TxEndedInterval": "10"})
    await bench.do(PlugIn(1), A1)
    for _ in range(6):
        await bench.advance(1000)
        assert bench.store.count("v201.samples") <= 20
    await bench.kill_and_restart()
    assert bench.store.count("v201.samples") == 0
    first, *kept, last = bench.sent("TransactionEvent")[-1]["meterValue"]
    contexts = [value["sampledValue"][0]["context"] for value in (first, last)]
    assert contexts == ["Transaction.Begin", "Transaction.End"]
    assert 10 <= len(kept) <= 20
    times = [parse_stamp(value["timestamp"]) for value in kept]
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(seconds=320)}


async def test_J02_FR_20_what_is_too_much_depends_on_how_much_each_value_tells(
    bench201: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metering, "ENDED_MOST", 20)
    bench = await booted(
        bench201,
        {
            "SampledDataCtrlr.TxEndedInterval": "10",
            "SampledDataCtrlr.TxEndedMeasurands": "Energy.Active.Import.Register,Frequency",
        },
    )
    await bench.do(PlugIn(1), A1)
    await bench.advance(1000)
    assert 5 <= bench.store.count("v201.samples") <= 10


async def test_no_ended_measurands_no_values_at_the_end(bench201: Make) -> None:
    """2.7.4: left empty."""
    bench = await booted(
        bench201,
        {
            "SampledDataCtrlr.TxEndedMeasurands": "",
            "SampledDataCtrlr.TxStartedMeasurands": "",
        },
    )
    await bench.do(PlugIn(1), A1, A1)
    told = bench.sent("TransactionEvent")
    assert "meterValue" not in told[0]
    assert "meterValue" not in told[-1]


async def test_register_never_falls_and_is_not_reset(bench201: Make) -> None:
    """MV-11, J02.FR.16, J02.FR.17."""
    bench = await booted(bench201)
    for _ in range(2):
        await bench.do(PlugIn(1), A1)
        await bench.advance(130)
        await bench.do(A1, Unplug(1))
    readings = [
        sample["value"]
        for event in bench.sent("TransactionEvent")
        for value in event.get("meterValue", [])
        if event["eventType"] != "Ended"
        for sample in value["sampledValue"]
        if sample["measurand"] == ENERGY
    ]
    assert readings == sorted(readings)
    assert readings[-1] > 700


# ---- by the clock


async def test_clock_aligned_values_of_idle_evses_and_main_meter(bench201: Make) -> None:
    """MV-10, J01.FR.14, J01.FR.03: from midnight, every EVSE and the main meter."""
    bench = await booted(bench201)
    await bench.advance(100)
    await set_variable(bench, "AlignedDataCtrlr", "Interval", "900")
    bench.skip()
    await bench.advance(800)
    bench.expect(
        """
        ...
        > MeterValues evseId=0 meterValue.0.timestamp=2026-01-15T08:15:00Z \
 meterValue.0.sampledValue.0.context=Sample.Clock
        > MeterValues evseId=1
        > MeterValues evseId=2
        """.replace("\\\n", "")
    )
    await bench.advance(900)
    assert len(bench.sent("MeterValues")) == 6


async def test_main_meter_knows_no_offers(bench201: Make) -> None:
    """J01.FR.14, note."""
    bench = await booted(
        bench201,
        {
            "AlignedDataCtrlr.Interval": "60",
            "AlignedDataCtrlr.Measurands": "Current.Offered,SoC,Voltage",
        },
    )
    await bench.advance(60)
    first = bench.sent("MeterValues")[0]
    assert first["evseId"] == 0
    assert {m for _, m, _ in samples(first)} == {"Voltage"}


async def test_station_without_main_meter(bench201: Make) -> None:
    """J01.FR.04."""
    bench = await booted(bench201, {"AlignedDataCtrlr.Interval": "60"}, blueprint="home-ac-11")
    await bench.advance(60)
    assert [event["evseId"] for event in bench.sent("MeterValues")] == [1]


@pytest.mark.parametrize("choice", ["transaction-event", "metervalues"])
async def test_clock_aligned_values_in_a_transaction_are_a_choice(
    bench201: Make, choice: str
) -> None:
    """MV-10, J01.FR.22, open point ocpp201-aligned-during-tx."""
    bench = await booted(
        bench201,
        {"AlignedDataCtrlr.Interval": "300", "SampledDataCtrlr.TxUpdatedInterval": "0"},
        points={"ocpp201-aligned-during-tx": choice},
    )
    await bench.do(PlugIn(1), A1)
    await bench.advance(300)
    sources = [event["evseId"] for event in bench.sent("MeterValues")]
    clocked = [line for line in events(bench) if "MeterValueClock" in line]
    assert sources == ([0, 2] if choice == "transaction-event" else [0, 1, 2])
    assert len(clocked) == (1 if choice == "transaction-event" else 0)


async def test_send_during_idle_stops_the_station(bench201: Make) -> None:
    """MV-10, J01.FR.20."""
    bench = await booted(
        bench201, {"AlignedDataCtrlr.Interval": "60", "AlignedDataCtrlr.SendDuringIdle": "true"}
    )
    await bench.do(PlugIn(1), A1)
    await bench.advance(120)
    assert bench.sent("MeterValues") == []
    await bench.do(A1)
    await bench.advance(60)
    assert len(bench.sent("MeterValues")) == 3


async def test_send_during_idle_of_one_evse_stops_that_one(bench201: Make) -> None:
    """J01.FR.19."""
    bench = await booted(
        bench201, {"AlignedDataCtrlr.Interval": "60", "AlignedDataCtrlr@1.SendDuringIdle": "true"}
    )
    await bench.do(PlugIn(1), A1)
    await bench.advance(60)
    assert [event["evseId"] for event in bench.sent("MeterValues")] == [0, 2]
    assert not [line for line in events(bench) if "MeterValueClock" in line]


async def test_clock_aligned_values_are_lost_offline_unless_all_is_queued(bench201: Make) -> None:
    """OFF-02."""
    bench = await booted(bench201, {"AlignedDataCtrlr.Interval": "60"})
    await bench.offline()
    await bench.advance(60)
    await bench.online()
    assert bench.sent("MeterValues") == []
    await set_variable(bench, "OCPPCommCtrlr", "QueueAllMessages", "true")
    await bench.offline()
    await bench.advance(60)
    await bench.online()
    assert [event["evseId"] for event in bench.sent("MeterValues")] == [0, 1, 2]


async def test_aligned_data_may_be_off(bench201: Make) -> None:
    """2.7.9."""
    bench = await booted(
        bench201, {"AlignedDataCtrlr.Interval": "60", "AlignedDataCtrlr.Enabled": "false"}
    )
    await bench.advance(120)
    assert bench.sent("MeterValues") == []
