"""What a transaction that lost its power tells afterwards (1.6)."""

from __future__ import annotations

from app.kernel.units import stamp
from app.station.intents import CutMains, PlugIn, PresentCard, RestoreMains, SetVehicle
from tests.conformance.v16.conftest import Make


async def test_closing_values_have_the_time_of_the_end_and_not_of_the_boot(bench16: Make) -> None:
    """MV-12: StopTransaction and its last value speak of the same moment, when power went."""
    bench = bench16(keys={"StopTxnSampledData": "Energy.Active.Import.Register"})
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), PresentCard("A", evse=1))
    await bench.advance(130)
    cut = stamp(bench.clock.now())
    await bench.do(CutMains())
    await bench.advance(600)
    await bench.do(RestoreMains())
    await bench.advance(5)
    stop = bench.sent("StopTransaction")[0]
    assert stop["timestamp"] == cut
    assert stop["transactionData"][-1]["timestamp"] == cut
