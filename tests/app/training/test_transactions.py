"""What the CSMS remembers of transactions in both versions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.training.ledger import Transaction
from app.training.records import TransactionEventRecord
from app.training.settings import CsmsSettings
from tests.app.training.client import V16, V201, Bench, bench
from tests.support.csms import CsmsProbe, running_csms

START = {
    "connectorId": 1,
    "idTag": "0477B0E3",
    "meterStart": 1000,
    "timestamp": "2026-03-01T12:00:00Z",
}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _meter(value: str, **more: str) -> dict[str, Any]:
    return {"timestamp": "2026-03-01T12:10:00Z", "sampledValue": [{"value": value, **more}]}


async def test_16_a_session_is_remembered_with_energy_and_cost(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V16) as station:
        started = await station.result("StartTransaction", START)
        number = started["transactionId"]
        assert started["idTagInfo"]["status"] == "Accepted"
        values = {
            "connectorId": 1,
            "transactionId": number,
            "meterValue": [
                _meter("3.5", unit="kWh"),
                _meter("11000", measurand="Power.Active.Import"),
            ],
        }
        assert await station.result("MeterValues", values) == {}
        (running,) = csms.transactions("CS-1")
        assert (running.active, running.energy_wh) == (True, 2500.0)
        stop = {
            "transactionId": number,
            "meterStop": 5210,
            "timestamp": "2026-03-01T13:00:00Z",
            "idTag": "0477b0e3",
            "reason": "EVDisconnected",
            "transactionData": [_meter("5210", context="Transaction.End")],
        }
        answer = await station.result("StopTransaction", stop)
        assert answer == {"idTagInfo": {"status": "Accepted"}}
    (record,) = csms.transactions("CS-1")
    assert not record.active
    assert (record.started_at, record.evse, record.stop_reason) == (NOON, 1, "EVDisconnected")
    assert (record.energy_wh, record.cost) == (4210.0, 2.19)
    assert [event.kind for event in record.events] == ["Started", "Updated", "Ended"]
    assert record.samples[1].measurand == "Power.Active.Import"
    assert record.samples[2].context == "Transaction.End"


async def test_16_a_start_told_twice_gets_the_same_id(csms: CsmsProbe) -> None:
    """16-TX-02, RPC-04 with errata 2: at least once on the wire, once in the books."""
    async with bench(csms.url, "CS-1", V16) as station:
        first = await station.result("StartTransaction", START)
        again = await station.result("StartTransaction", START)
        other = await station.result("StartTransaction", {**START, "connectorId": 2})
    async with bench(csms.url, "CS-2", V16) as station:
        elsewhere = await station.result("StartTransaction", START)
    ids = [one["transactionId"] for one in (first, again, other, elsewhere)]
    assert ids == [1, 1, 2, 3]
    one, _two = csms.transactions("CS-1")
    assert (one.resent, [event.resent for event in one.events]) == (1, [False, True])


async def test_16_a_stop_told_twice_counts_once(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V16) as station:
        await station.result("StartTransaction", START)
        stop = {"transactionId": 1, "meterStop": 2000, "timestamp": "2026-03-01T13:00:00Z"}
        assert await station.result("StopTransaction", stop) == {}
        assert await station.result("StopTransaction", stop) == {}
    (record,) = csms.transactions("CS-1")
    assert (record.resent, record.energy_wh, record.stop_reason) == (1, 1000.0, "Local")


async def test_16_an_unknown_transaction_is_taken_and_noted(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V16) as station:
        stop = {"transactionId": -1, "meterStop": 5, "timestamp": "2026-03-01T13:00:00Z"}
        assert await station.result("StopTransaction", stop) == {}
        values = {"connectorId": 1, "transactionId": 77, "meterValue": [_meter("7")]}
        assert await station.result("MeterValues", values) == {}
    noted = [
        e.text.params for e in csms.snapshot().log if e.text.id.endswith("unknown_transaction")
    ]
    assert noted == [{"transaction": -1}, {"transaction": 77}]
    assert [one.value for one in csms.csms.samples("CS-1")] == [7.0]
    assert csms.csms.samples("nobody") == ()


async def test_16_a_single_session_token_is_concurrent_elsewhere(csms: CsmsProbe) -> None:
    """16-AU-01: ConcurrentTx is an answer to the start, not to Authorize."""
    mine = {**START, "idTag": "04A29F1C"}
    async with bench(csms.url, "CS-1", V16) as one, bench(csms.url, "CS-2", V16) as two:
        assert (await one.result("StartTransaction", mine))["idTagInfo"]["status"] == "Accepted"
        info = (await two.result("StartTransaction", {**mine, "idTag": "04a29f1c"}))["idTagInfo"]
        assert info["status"] == "ConcurrentTx"
        info = (await two.result("Authorize", {"idTag": "04A29F1C"}))["idTagInfo"]
        assert info["status"] == "Accepted"
        again = await one.result("StartTransaction", mine)
        assert again["idTagInfo"]["status"] == "Accepted", "its own start told again"
        stop = {"transactionId": 1, "meterStop": 2000, "timestamp": "2026-03-01T13:00:00Z"}
        await one.result("StopTransaction", stop)
        later = {**mine, "timestamp": "2026-03-01T14:00:00Z"}
        assert (await two.result("StartTransaction", later))["idTagInfo"]["status"] == "Accepted"


def _event(kind: str, seq_no: int, **more: Any) -> dict[str, Any]:
    info = {"transactionId": "tx-1", **more.pop("info", {})}
    return {
        "eventType": kind,
        "timestamp": f"2026-03-01T12:{seq_no:02}:00Z",
        "triggerReason": "ChargingStateChanged",
        "seqNo": seq_no,
        "transactionInfo": info,
        **more,
    }


def _energy(value: float, **unit: Any) -> list[dict[str, Any]]:
    sampled: dict[str, Any] = {"value": value}
    if unit:
        sampled["unitOfMeasure"] = unit
    return [{"timestamp": "2026-03-01T12:00:00Z", "sampledValue": [sampled]}]


CARD = {"idToken": "0477B0E3", "type": "ISO14443"}


async def test_201_a_session_is_remembered_and_its_end_tells_the_cost(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V201) as station:
        start = _event(
            "Started", 0, idToken=CARD, evse={"id": 2, "connectorId": 1}, meterValue=_energy(1000)
        )
        answer = await station.result("TransactionEvent", start)
        assert answer == {"idTokenInfo": {"status": "Accepted"}}
        update = _event(
            "Updated",
            1,
            offline=True,
            info={"chargingState": "Charging"},
            meterValue=_energy(2, unit="kWh"),
        )
        assert await station.result("TransactionEvent", update) == {}
        (running,) = csms.transactions("CS-1")
        assert (running.evse, running.connector, running.id_token) == (2, 1, "0477B0E3")
        assert (running.charging_state, running.energy_wh) == ("Charging", 1000.0)
        assert [event.offline for event in running.events] == [False, True]
        end = _event(
            "Ended",
            2,
            info={"stoppedReason": "EVDisconnected"},
            meterValue=_energy(521, unit="Wh", multiplier=1),
        )
        assert await station.result("TransactionEvent", end) == {"totalCost": 2.19}
    (record,) = csms.transactions("CS-1")
    assert (record.active, record.stop_reason, record.missing_seq_nos) == (
        False,
        "EVDisconnected",
        (),
    )
    assert record.energy_wh == pytest.approx(4210.0)


async def test_201_gaps_in_the_sequence_show_until_they_are_filled(csms: CsmsProbe) -> None:
    """201-TX-02: seqNo counts from 0 without gaps; queued events may come later."""
    async with bench(csms.url, "CS-1", V201) as station:
        for seq_no, missing in ((1, (0,)), (4, (0, 2, 3)), (0, (2, 3)), (3, (2,)), (2, ())):
            kind = "Started" if seq_no == 0 else "Updated"
            await station.result("TransactionEvent", _event(kind, seq_no))
            assert csms.transactions("CS-1")[0].missing_seq_nos == missing


async def test_201_an_event_told_twice_counts_once(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V201) as station:
        for _ in range(2):
            await station.result("TransactionEvent", _event("Started", 0, meterValue=_energy(5)))
    (record,) = csms.transactions("CS-1")
    assert (record.resent, len(record.events), len(record.samples)) == (1, 2, 1)


async def test_201_a_late_event_does_not_reopen_a_transaction(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V201) as station:
        await station.result("TransactionEvent", _event("Started", 0))
        await station.result("TransactionEvent", _event("Ended", 2))
        await station.result("TransactionEvent", _event("Updated", 1))
    (record,) = csms.transactions("CS-1")
    assert not record.active


async def test_201_a_single_session_token_is_concurrent_elsewhere(csms: CsmsProbe) -> None:
    """201-AU-06: ConcurrentTx, also when the card comes after the cable."""
    anna = {"idToken": "04A29F1C", "type": "ISO14443"}
    async with bench(csms.url, "CS-1", V201) as one, bench(csms.url, "CS-2", V201) as two:
        assert await _status(one, _event("Started", 0, idToken=anna)) == "Accepted"
        assert await _status(one, _event("Updated", 1, idToken=anna)) == "Accepted"
        await two.result("TransactionEvent", _event("Started", 0))
        assert await _status(two, _event("Updated", 1, idToken=anna)) == "ConcurrentTx"
        assert await _status(one, _event("Ended", 2, idToken=anna)) == "Accepted"
        again = _event("Started", 0, idToken=anna, info={"transactionId": "tx-2"})
        assert await _status(two, again) == "Accepted"


async def test_201_without_a_tariff_no_cost_is_told() -> None:
    async with running_csms(CsmsSettings(tariff=None)) as csms:
        async with bench(csms.url, "CS-1", V201) as station:
            await station.result("TransactionEvent", _event("Started", 0, meterValue=_energy(0)))
            end = _event("Ended", 1, meterValue=_energy(9000))
            assert await station.result("TransactionEvent", end) == {}
        assert csms.transactions("CS-1")[0].cost is None


async def test_201_samples_outside_of_transactions_are_kept_with_text_values(
    csms: CsmsProbe,
) -> None:
    values = [{"timestamp": "no time", "sampledValue": [{"value": "signed", "phase": "L1"}]}]
    async with bench(csms.url, "CS-1", V201) as station:
        assert await station.result("MeterValues", {"evseId": 0, "meterValue": values}) == {}
    (sample,) = csms.csms.samples("CS-1")
    assert (sample.at, sample.value, sample.evse, sample.phase) == (None, "signed", 0, "L1")


def test_a_phase_or_the_grid_side_is_not_the_energy_of_the_session() -> None:
    from app.training.records import Sample

    transaction = Transaction("k", "1", "CS-1", "1.6", None)
    register = "Energy.Active.Import.Register"
    transaction.measure(
        [
            Sample(NOON, 1, register, 5.0, "Wh", "Sample.Periodic", phase="L1"),
            Sample(NOON, 1, register, 6.0, "Wh", "Sample.Periodic", location="Inlet"),
            Sample(NOON, 1, register, "signed", "Wh", "Sample.Periodic"),
        ]
    )
    assert transaction.energy_wh is None
    transaction.register(0.0)
    transaction.register(7.0)
    assert transaction.energy_wh == 7.0


def test_a_huge_sequence_number_costs_no_memory() -> None:
    transaction = Transaction("k", "1", "CS-1", "2.0.1", None)
    transaction.add(TransactionEventRecord("Updated", NOON, NOON, seq_no=2**31 - 1))
    assert len(transaction.missing_seq_nos()) <= 100_000


async def _status(station: Bench, event: dict[str, Any]) -> str:
    answer = await station.result("TransactionEvent", event)
    status: str = answer["idTokenInfo"]["status"]
    return status
