"""Meter values: sampled, aligned, in transactionData, on demand (1.6 part 3.16, 4.7)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from app.kernel.units import parse_stamp
from app.ocpp.v16.measurands import UNITS
from app.ocpp.v16.rows import SAMPLES
from app.station.intents import PlugIn, PresentCard, PressStop, SetVehicle
from tests.conformance.v16.conftest import Make
from tests.support.harness import Bench

EVERYTHING = ",".join(UNITS)
EXPORTED = ("Energy.Active.Export", "Energy.Reactive.Export")
NO_FEED_IN = (
    "Energy.Active.Export.Register",
    "Energy.Reactive.Import.Register",
    "Energy.Reactive.Export.Register",
    "Power.Active.Export",
    "Power.Reactive.Import",
    "Power.Reactive.Export",
    "Power.Factor",
)


async def charge(bench: Bench, evse: int = 1) -> None:
    await bench.boot()
    await bench.do(SetVehicle(evse, ready_delay=0.0), PlugIn(evse), PresentCard("A", evse=evse))


def contexts(values: list[dict[str, Any]]) -> list[str]:
    return [value["sampledValue"][0]["context"] for value in values]


async def test_interval_counts_from_the_start_of_the_session(bench16: Make) -> None:
    """MV-01."""
    bench = bench16(keys={"MeterValueSampleInterval": "90"})
    await bench.boot()
    await bench.advance(7)
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    await bench.advance(200)
    times = [item["meterValue"][0]["timestamp"] for item in bench.sent("MeterValues")]
    assert times == ["2026-01-15T08:01:37Z", "2026-01-15T08:03:07Z"]


async def test_interval_zero_sends_nothing(bench16: Make) -> None:
    """MV-01."""
    bench = bench16(keys={"MeterValueSampleInterval": "0"})
    await charge(bench)
    await bench.advance(3600)
    assert bench.sent("MeterValues") == []


async def test_empty_list_sends_nothing(bench16: Make) -> None:
    """MV-01; MV-14, RC-01: also not when it is asked for."""
    bench = bench16(keys={"MeterValuesSampledData": ""})
    await charge(bench)
    await bench.advance(3600)
    for action in ("TriggerMessage", "ExtendedTriggerMessage"):
        answer = await bench.request(action, {"requestedMessage": "MeterValues"})
        assert answer == {"status": "Rejected"}
    assert bench.sent("MeterValues") == []


async def test_changed_interval_acts_at_once(bench16: Make) -> None:
    """MV-01, CF-02."""
    bench = bench16(keys={"MeterValueSampleInterval": "3600"})
    await charge(bench)
    change = {"key": "MeterValueSampleInterval", "value": "10"}
    await bench.request("ChangeConfiguration", change)
    await bench.advance(30)
    assert len(bench.sent("MeterValues")) == 3


async def test_every_measurand_and_phase_the_meter_has(bench16: Make) -> None:
    """MV-06, MV-07, MV-12, MV-15."""
    bench = bench16(keys={"MeterValuesSampledData": EVERYTHING})
    await charge(bench)
    await bench.advance(60)
    value = bench.sent("MeterValues")[0]["meterValue"][0]
    found = {(item["measurand"], item.get("phase")): item for item in value["sampledValue"]}
    assert set(found) == {
        *(("Energy.Active.Import.Register", phase) for phase in (None, "L1", "L2", "L3")),
        ("Energy.Active.Import.Interval", None),
        *(("Power.Active.Import", phase) for phase in (None, "L1", "L2", "L3")),
        ("Power.Offered", None),
        *((measurand, phase) for measurand in NO_FEED_IN for phase in (None, "L1", "L2", "L3")),
        *((f"{energy}.Interval", None) for energy in EXPORTED),
        ("Energy.Reactive.Import.Interval", None),
        *(("Current.Import", phase) for phase in ("L1", "L2", "L3")),
        *(("Current.Export", phase) for phase in ("L1", "L2", "L3")),
        ("RPM", None),
        ("Current.Offered", None),
        *(("Voltage", phase) for phase in ("L1-N", "L2-N", "L3-N")),
        ("Frequency", None),
        ("Temperature", None),
        ("SoC", None),
    }
    assert all(isinstance(item["value"], str) for item in value["sampledValue"])
    assert found["Frequency", None] == {
        "value": found["Frequency", None]["value"],
        "context": "Sample.Periodic",
        "measurand": "Frequency",
        "location": "Outlet",
    }
    assert found["Temperature", None]["unit"] == "Celsius"
    assert found["SoC", None]["location"] == "EV"
    total = int(found["Energy.Active.Import.Register", None]["value"])
    assert total == int(found["Energy.Active.Import.Interval", None]["value"])
    assert total > 100


async def test_interval_measurand_counts_from_sample_to_sample(bench16: Make) -> None:
    """MV-07, errata 3.78."""
    bench = bench16(keys={"MeterValuesSampledData": "Energy.Active.Import.Interval"})
    await charge(bench)
    await bench.advance(180)
    values = [
        int(item["meterValue"][0]["sampledValue"][0]["value"]) for item in bench.sent("MeterValues")
    ]
    assert len(values) == 3
    assert max(values) - min(values) <= 2


async def test_intervals_of_samples_and_of_the_clock_are_two_things(bench16: Make) -> None:
    """Part 7.31: an interval is that of MeterValueSampleInterval or of ClockAlignedDataInterval, by context;
    the main meter has those of the clock."""
    interval = "Energy.Active.Import.Interval"
    keys = {
        "MeterValuesSampledData": interval,
        "MeterValuesAlignedData": f"{interval},Energy.Active.Import.Register",
        "MeterValueSampleInterval": "60",
        "ClockAlignedDataInterval": "90",
    }
    bench = bench16(keys=keys)
    await charge(bench)
    await bench.advance(360)
    told: dict[tuple[int, str, str], list[int]] = {}
    for item in bench.sent("MeterValues"):
        for sample in item["meterValue"][0]["sampledValue"]:
            if "phase" not in sample:
                key = (item["connectorId"], sample["context"], sample["measurand"])
                told.setdefault(key, []).append(int(sample["value"]))
    samples = told[1, "Sample.Periodic", interval]
    assert len(samples) == 6
    assert max(samples) - min(samples) <= 2
    for number in (0, 1):
        beats = told[number, "Sample.Clock", interval]
        registers = told[number, "Sample.Clock", "Energy.Active.Import.Register"]
        assert len(beats) == 4
        assert sum(beats) == registers[-1] > 0
    assert set(told[2, "Sample.Clock", interval]) == {0}


async def test_one_phase_can_be_asked_for(bench16: Make) -> None:
    """MV-04: the suffix as in Voltage.L1."""
    bench = bench16(keys={"MeterValuesSampledData": "Voltage.L1,Current.Import.L2"})
    await charge(bench)
    await bench.advance(60)
    values = bench.sent("MeterValues")[0]["meterValue"][0]["sampledValue"]
    assert [(item["measurand"], item["phase"]) for item in values] == [
        ("Voltage", "L1"),
        ("Current.Import", "L2"),
    ]


async def test_dc_outlet_knows_no_phases(bench16: Make) -> None:
    """MV-15."""
    bench = bench16("dc-2x150", keys={"MeterValuesSampledData": EVERYTHING})
    await charge(bench)
    await bench.advance(60)
    values = bench.sent("MeterValues")[0]["meterValue"][0]["sampledValue"]
    assert all("phase" not in item for item in values)
    names = [item["measurand"] for item in values]
    assert {"Current.Import", "Voltage"} < set(names)
    assert "Frequency" not in names


async def test_clock_aligned_values_also_without_a_session(bench16: Make) -> None:
    """MV-02: every multiple since midnight; connector 0 is the main meter."""
    bench = bench16(keys={"ClockAlignedDataInterval": "900"})
    await bench.boot()
    await bench.advance(100)
    bench.skip()
    await bench.advance(800)
    bench.expect(
        """
        ...
        > MeterValues connectorId=1 !transactionId meterValue.0.sampledValue.0.context=Sample.Clock
        > MeterValues connectorId=2 !transactionId meterValue.0.timestamp=2026-01-15T08:15:00Z
        > MeterValues connectorId=0 !transactionId meterValue.0.sampledValue.0.location=Inlet
        """
    )


async def test_clock_aligned_values_of_a_session_carry_its_id_and_are_queued(
    bench16: Make,
) -> None:
    """MV-02, OFF-02, errata 3.16."""
    bench = bench16(keys={"ClockAlignedDataInterval": "900", "MeterValueSampleInterval": "0"})
    await charge(bench)
    await bench.offline()
    await bench.advance(900)
    bench.skip()
    await bench.online()
    bench.expect("> MeterValues connectorId=1 transactionId=1")


async def test_intervals_that_do_not_fit_into_the_day_begin_again_at_midnight(
    bench16: Make,
) -> None:
    """MV-02."""
    bench = bench16(keys={"ClockAlignedDataInterval": "50000"})
    await bench.boot()
    await bench.advance(2 * 86_400)
    times = [
        item["meterValue"][0]["timestamp"]
        for item in bench.sent("MeterValues")
        if item["connectorId"] == 1
    ]
    assert times == [
        "2026-01-15T13:53:20Z",
        "2026-01-16T00:00:00Z",
        "2026-01-16T13:53:20Z",
        "2026-01-17T00:00:00Z",
    ]


async def test_clock_alignment_can_be_turned_on_and_off(bench16: Make) -> None:
    """MV-02, CF-02."""
    bench = bench16()
    await bench.boot()
    for value in ("60", "0"):
        change = {"key": "ClockAlignedDataInterval", "value": value}
        await bench.request("ChangeConfiguration", change)
        await bench.advance(61)
    assert len(bench.sent("MeterValues")) == 3


@pytest.mark.parametrize(
    ("choice", "on_the_wire", "in_the_stop"),
    [
        (
            "begin-end-in-stop-data",
            ["Sample.Periodic"],
            ["Transaction.Begin", "Sample.Periodic", "Transaction.End"],
        ),
        (
            "periodic-only",
            ["Sample.Periodic"],
            ["Sample.Periodic", "Sample.Periodic", "Sample.Periodic"],
        ),
        (
            "begin-in-first",
            ["Transaction.Begin", "Sample.Periodic", "Transaction.End"],
            ["Sample.Periodic"],
        ),
        ("none-meterstart-only", ["Sample.Periodic"], ["Sample.Periodic"]),
    ],
)
async def test_opening_and_closing_values(
    bench16: Make, choice: str, on_the_wire: list[str], in_the_stop: list[str]
) -> None:
    """MV-03, ocpp16-metervalues-begin-context."""
    bench = bench16(
        keys={"StopTxnSampledData": "Energy.Active.Import.Register"},
        points={"ocpp16-metervalues-begin-context": choice},
    )
    await charge(bench)
    await bench.advance(90)
    await bench.do(PressStop(1))
    sent = [item["meterValue"][0] for item in bench.sent("MeterValues")]
    assert contexts(sent) == on_the_wire
    stop = bench.sent("StopTransaction")[0]
    assert contexts(stop["transactionData"]) == in_the_stop
    if choice == "begin-end-in-stop-data":
        last = stop["transactionData"][-1]["sampledValue"][0]["value"]
        assert int(last) == stop["meterStop"]


async def test_aligned_values_in_the_stop(bench16: Make) -> None:
    """MV-03."""
    keys = {
        "ClockAlignedDataInterval": "60",
        "MeterValuesAlignedData": "",
        "MeterValueSampleInterval": "0",
        "StopTxnAlignedData": "Power.Active.Import",
    }
    bench = bench16(keys=keys)
    await charge(bench)
    await bench.advance(130)
    await bench.do(PressStop(1))
    data = bench.sent("StopTransaction")[0]["transactionData"]
    assert contexts(data) == [
        "Transaction.Begin",
        "Sample.Clock",
        "Sample.Clock",
        "Transaction.End",
    ]
    assert bench.sent("MeterValues") == []


async def test_no_data_in_the_stop_where_both_lists_are_empty(bench16: Make) -> None:
    """MV-03, part 3.16.5."""
    bench = bench16()
    await charge(bench)
    await bench.advance(120)
    await bench.do(PressStop(1))
    assert "transactionData" not in bench.sent("StopTransaction")[0]


async def test_too_many_values_lose_every_second_one_in_between(bench16: Make) -> None:
    """MV-05: Begin and End stay."""
    keys = {
        "StopTxnSampledData": "Energy.Active.Import.Register",
        "MeterValueSampleInterval": "10",
        "StopTransactionMaxMeterValues": "20",
    }
    bench = bench16(keys=keys)
    await charge(bench)
    await bench.advance(1000)
    await bench.do(PressStop(1))
    data = bench.sent("StopTransaction")[0]["transactionData"]
    assert 10 <= len(data) <= 20
    names = contexts(data)
    assert (names[0], names[-1]) == ("Transaction.Begin", "Transaction.End")


async def test_a_long_session_does_not_fill_the_disk_with_values_for_its_end(bench16: Make) -> None:
    """MV-05, errata 3.91: what is left lies evenly over the whole session, also after a power cut."""
    keys = {
        "StopTxnSampledData": "Energy.Active.Import.Register",
        "MeterValuesSampledData": "",
        "MeterValueSampleInterval": "10",
        "StopTransactionMaxMeterValues": "20",
    }
    bench = bench16(keys=keys)
    await charge(bench)
    for _ in range(6):
        await bench.advance(1000)
        assert bench.store.count(SAMPLES) <= 40
    await bench.kill_and_restart()
    assert bench.store.count(SAMPLES) == 0
    data = bench.sent("StopTransaction")[0]["transactionData"]
    assert 10 <= len(data) <= 20
    times = [parse_stamp(value["timestamp"]) for value in data[:-1]]
    gaps = {(after - before).total_seconds() for before, after in pairwise(times)}
    assert len(gaps) == 1
    assert (times[-1] - times[0]).total_seconds() > 5000


async def test_kept_values_survive_a_power_cut(bench16: Make) -> None:
    """MV-03, OFF-04."""
    bench = bench16(keys={"StopTxnSampledData": "Energy.Active.Import.Register"})
    await charge(bench)
    await bench.advance(130)
    await bench.kill_and_restart()
    data = bench.sent("StopTransaction")[0]["transactionData"]
    assert contexts(data) == [
        "Transaction.Begin",
        "Sample.Periodic",
        "Sample.Periodic",
        "Transaction.End",
    ]


async def test_triggered_values_are_of_now(bench16: Make) -> None:
    """MV-14, errata 3.46."""
    bench = bench16(keys={"MeterValuesSampledData": "Voltage,SoC"})
    await charge(bench)
    await bench.advance(10)
    bench.skip()
    trigger = {"requestedMessage": "MeterValues"}
    assert await bench.request("TriggerMessage", trigger) == {"status": "Accepted"}
    bench.expect(
        """
        < TriggerMessage
        = TriggerMessage status=Accepted
        > MeterValues connectorId=0
        > MeterValues connectorId=1 transactionId=1 meterValue.0.sampledValue.3.context=Trigger
        > MeterValues connectorId=2 !transactionId
        """
    )
