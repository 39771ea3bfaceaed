"""What waits in the queue, over breaks of the link, of power and of patience (1.6 part 3.7, 4.8)."""

from __future__ import annotations

import pytest

from app.ocpp.context import BootReason
from app.ocpp.events import MessageDropped, TransactionEnded
from app.station.intents import (
    CutMains,
    PlugIn,
    PresentCard,
    PressStop,
    RestoreMains,
    SetVehicle,
    Unplug,
)
from tests.conformance.v16.conftest import Make
from tests.support.harness import MUTE, Bench, Refuse


async def charging(bench: Bench, evse: int = 1) -> None:
    await bench.boot()
    await bench.do(SetVehicle(evse, ready_delay=0.0), PlugIn(evse), PresentCard("A", evse=evse))


async def test_session_held_offline_is_replayed_with_the_learnt_id(bench16: Make) -> None:
    """OFF-01, OFF-02, OFF-09, 16-TX-01."""
    bench = bench16(keys={"AllowOfflineTxForUnknownId": "true"})
    await bench.boot()
    await bench.offline()
    bench.skip()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    await bench.advance(120)
    await bench.do(PresentCard("A", evse=1), Unplug(1))
    await bench.advance(60)
    bench.csms.on("StartTransaction", {"transactionId": 77, "idTagInfo": {"status": "Accepted"}})
    await bench.online()
    bench.expect(
        """
        > StartTransaction connectorId=1 timestamp=2026-01-15T08:00:00Z
        > MeterValues transactionId=77 meterValue.0.timestamp=2026-01-15T08:01:00Z
        > MeterValues transactionId=77 meterValue.0.timestamp=2026-01-15T08:02:00Z
        > StopTransaction transactionId=77 timestamp=2026-01-15T08:02:00Z
        """
    )
    assert bench.personality.queue() == []


async def test_states_come_before_the_queue_after_a_break(bench16: Make) -> None:
    """OFF-08."""
    bench = bench16()
    await charging(bench)
    await bench.offline()
    bench.skip()
    await bench.advance(60)
    await bench.do(PresentCard("A", evse=1))
    await bench.online()
    bench.expect(
        """
        > StatusNotification connectorId=1 status=Finishing
        > MeterValues
        > StopTransaction
        """
    )


async def test_authorize_overtakes_the_queue(bench16: Make) -> None:
    """OFF-03: customers are not kept waiting."""
    bench = bench16()
    await charging(bench)
    bench.csms.on("MeterValues", Refuse("InternalError"))
    await bench.advance(60)
    assert len(bench.personality.queue()) == 1
    bench.skip()
    await bench.do(PlugIn(2), PresentCard("B", evse=2))
    assert bench.saw("> Authorize idTag=B")
    assert not bench.saw("> StartTransaction")


async def test_message_is_repeated_and_then_dropped(bench16: Make) -> None:
    """OFF-05: after 60 s, after 120 s more, then dropped."""
    bench = bench16(keys={"MeterValueSampleInterval": "0"})
    await charging(bench)
    bench.csms.on("StopTransaction", Refuse("InternalError"))
    await bench.do(PressStop(1))
    counts = []
    for seconds in (59, 1, 119, 1, 600):
        await bench.advance(seconds)
        counts.append(len(bench.sent("StopTransaction")))
    assert counts == [1, 2, 2, 3, 3]
    assert bench.happened(MessageDropped)[0].action == "StopTransaction"
    assert bench.personality.queue() == []


async def test_undelivered_start_makes_the_id_minus_one(bench16: Make) -> None:
    """16-TX-02, errata 3.18."""
    keys = {"TransactionMessageAttempts": "1", "MeterValueSampleInterval": "30"}
    bench = bench16(keys=keys)
    bench.csms.on("StartTransaction", Refuse("InternalError"))
    await charging(bench)
    await bench.advance(30)
    await bench.do(PressStop(1))
    assert bench.sent("MeterValues")[0]["transactionId"] == -1
    assert bench.sent("StopTransaction")[0]["transactionId"] == -1


async def test_power_cut_ends_the_transaction_with_power_loss(bench16: Make) -> None:
    """16-TX-09: sent after the boot, with the register and the time of the cut."""
    bench = bench16()
    await charging(bench)
    await bench.advance(100)
    bench.skip()
    await bench.do(CutMains())
    await bench.advance(500)
    bench.expect("")
    await bench.do(RestoreMains())
    bench.expect(
        """
        > BootNotification
        > StatusNotification connectorId=0
        > StatusNotification connectorId=1 status=Finishing
        > StatusNotification connectorId=2
        > SecurityEventNotification type=StartupOfTheDevice
        > StopTransaction reason=PowerLoss transactionId=1 timestamp=2026-01-15T08:01:40Z
        """
    )
    stop = bench.sent("StopTransaction")[0]
    assert stop["meterStop"] == int(bench.station.meter(1).energy_import)
    assert bench.happened(TransactionEnded)[-1].reason == "PowerLoss"
    await bench.do(Unplug(1))
    assert bench.saw("> StatusNotification connectorId=1 status=Available")


async def test_killed_program_ends_the_transaction_with_power_loss(bench16: Make) -> None:
    """16-TX-09, MV-11."""
    bench = bench16()
    await charging(bench)
    await bench.advance(100)
    await bench.kill_and_restart()
    stop = bench.sent("StopTransaction")[0]
    assert stop["reason"] == "PowerLoss"
    assert stop["meterStop"] >= 150


@pytest.mark.parametrize("cause", [BootReason.WATCHDOG, BootReason.LOCAL_RESET])
async def test_restart_by_ourselves_ends_the_transaction_with_reboot(
    bench16: Make, cause: BootReason
) -> None:
    """16-TX-09: the watchdog, or the button at the station."""
    bench = bench16()
    await charging(bench)
    bench.ctx.reboot(cause)
    await bench.rest()
    assert bench.sent("StopTransaction")[0]["reason"] == "Reboot"


async def test_power_cut_while_the_start_was_under_way(bench16: Make) -> None:
    """16-TX-01, OFF-04: the id is learnt by the repeated StartTransaction."""
    bench = bench16()
    await bench.boot()
    hold = bench.csms.hold("StartTransaction")
    bench.intend(PlugIn(1))
    bench.intend(PresentCard("A", evse=1))
    await hold.arrived()
    await bench.kill_and_restart()
    starts = bench.sent("StartTransaction")
    assert len(starts) == 2
    assert starts[0] == starts[1]
    assert bench.sent("StopTransaction")[0]["transactionId"] == 1


async def test_queue_survives_a_power_cut(bench16: Make) -> None:
    """OFF-04."""
    bench = bench16()
    await charging(bench)
    await bench.offline()
    await bench.advance(120)
    await bench.kill_and_restart()
    assert len(bench.sent("MeterValues")) == 2
    assert len(bench.sent("StopTransaction")) == 1


async def test_silence_does_not_lose_a_message(bench16: Make) -> None:
    """OFF-05, both-timeout-counts-as-failure: does-not-count."""
    bench = bench16(keys={"MeterValueSampleInterval": "0"})
    await charging(bench)
    bench.csms.on("StopTransaction", MUTE)
    await bench.do(PressStop(1))
    await bench.advance(3600)
    bench.csms.default("StopTransaction")
    await bench.advance(600)
    assert bench.personality.queue() == []
    assert bench.happened(MessageDropped) == []


@pytest.mark.parametrize("kind", ["Soft", "Hard"])
async def test_reset_and_kill_leave_the_same_station(bench16: Make, kind: str) -> None:
    """RE-01: what comes after a Reset is what comes after kill and restart."""

    async def prepared() -> Bench:
        bench = bench16()
        await bench.boot()
        change = {"key": "HeartbeatInterval", "value": "123"}
        await bench.request("ChangeConfiguration", change)
        await bench.request("ChangeAvailability", {"connectorId": 2, "type": "Inoperative"})
        await bench.do(PlugIn(1), PresentCard("A", evse=1), PressStop(1))
        bench.skip()
        return bench

    reset, killed = await prepared(), await prepared()
    await reset.request("Reset", {"type": kind})
    await killed.kill_and_restart()
    event = "SecurityEventNotification"  # ResetOrReboot is told of the one only
    said = [str(line) for line in reset.lines if line.mark == ">" and line.action != event]
    assert said == [str(line) for line in killed.lines if line.action != event]
    assert said
    assert reset.personality.settings() == killed.personality.settings()
    assert reset.station.snapshot().evses == killed.station.snapshot().evses
