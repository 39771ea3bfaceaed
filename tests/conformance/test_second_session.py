"""Two sessions while the cable stays in: what is told and what is shown is of the second one alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.ocpp.context import OcppSettings
from app.ocpp.events import TransactionEnded
from app.ocpp.version import Version
from app.station.intents import PlugIn, PresentCard, SetVehicle
from tests.conformance.v201.conftest import setting
from tests.support.harness import Bench, make_bench

__all__ = ["make_bench"]

V16, V201 = Version.V16, Version.V201
A1 = PresentCard("A", evse=1)


def energies(bench: Bench) -> list[int]:
    """Wh of each session as the back office reckons them."""
    if bench.version is V16:
        begins = [payload["meterStart"] for payload in bench.sent("StartTransaction")]
        ends = [payload["meterStop"] for payload in bench.sent("StopTransaction")]
        return [end - begin for begin, end in zip(begins, ends, strict=True)]
    told = [event for event in bench.sent("TransactionEvent") if event["eventType"] == "Ended"]
    return [round(register(event, -1) - register(event, 0)) for event in told]


def register(event: dict[str, Any], place: int) -> float:
    (value,) = event["meterValue"][place]["sampledValue"]
    return float(value["value"])


@pytest.mark.parametrize("version", [V16, V201], ids=["1.6", "2.0.1"])
async def test_the_second_session_of_a_visit_has_its_own_energy(
    make_bench: Callable[..., Bench], version: Version
) -> None:
    settings = OcppSettings(
        variables=(
            setting("TxCtrlr.TxStartPoint", "Authorized"),
            setting("TxCtrlr.TxStopPoint", "Authorized"),
        )
    )
    bench = make_bench(version, settings=settings)
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1))
    for minutes in (60, 10):
        await bench.do(A1)
        await bench.advance(60 * minutes)
        await bench.do(A1)
        await bench.advance(60)
        now = bench.station.snapshot().evse(1)
        ended = bench.happened(TransactionEnded)[-1]
        assert now.session_energy == pytest.approx(ended.energy, abs=1)
        assert now.session_energy == pytest.approx(energies(bench)[-1], abs=1)
    first, second = energies(bench)
    assert second < first / 4
