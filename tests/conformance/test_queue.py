"""The offline queue of both versions: what it keeps when it is full, and that it is in nobody's way.

OFF-02 to OFF-09, 2.0.1 part 2 E04.FR.07, E04.FR.08, QueueAllMessages, A04.FR.02; both-offline-queue-capacity.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.kernel.units import parse_stamp
from app.ocpp.context import KeySetting, OcppSettings
from app.ocpp.events import MessageDropped, OpenPointMet
from app.ocpp.version import Version
from app.station.intents import OpenDoor, PlugIn, PresentCard, SetVehicle, Unplug
from tests.conformance.v201.conftest import setting
from tests.support.harness import FLOOD, USUAL, Bench, Refuse, make_bench

__all__ = ["make_bench"]

V16, V201 = Version.V16, Version.V201
SECURITY = "SecurityEventNotification"
BOTH = pytest.mark.parametrize("version", [V16, V201], ids=["1.6", "2.0.1"])
Make = Callable[..., Bench]
A1, B2 = PresentCard("A", evse=1), PresentCard("B", evse=2)
POINT = "both-offline-queue-capacity"


def make(
    make_bench: Make,
    version: Version,
    *,
    option: str = "drop-intermediate",
    capacity: int = 10_000,
    variables: dict[str, str] | None = None,
) -> Bench:
    settings = OcppSettings(
        keys=(
            KeySetting("MeterValueSampleInterval", "10"),
            KeySetting("AllowOfflineTxForUnknownId", "true"),
        ),
        variables=(
            setting("SampledDataCtrlr.TxUpdatedInterval", "10"),
            setting("AuthCtrlr.OfflineTxForUnknownIdEnabled", "true"),
            *(setting(name, value) for name, value in (variables or {}).items()),
        ),
        queue_capacity=capacity,
    )
    return make_bench(version, settings=settings, points={POINT: option})


async def session_offline(bench: Bench, seconds: float) -> None:
    """A whole session without the link, a sample each ten seconds."""
    await bench.boot()
    await bench.offline()
    bench.skip()
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), A1)
    await bench.advance(seconds)
    await bench.do(A1, Unplug(1))


def samples(bench: Bench) -> list[int]:
    """Seconds after the start at which the samples that came through were taken."""
    found = []
    for payload in [*bench.sent("MeterValues"), *bench.sent("TransactionEvent")]:
        periodic = payload.get("triggerReason", "MeterValuePeriodic") == "MeterValuePeriodic"
        if periodic and "meterValue" in payload:
            at = parse_stamp(payload["meterValue"][0]["timestamp"])
            found.append(round((at - bench.csms.heard[0].at).total_seconds()))
    return found


def frame(bench: Bench) -> list[str]:
    """The messages that begin and end sessions."""
    if bench.version is V16:
        return [h.action for h in bench.csms.heard if h.action.endswith("Transaction")]
    return [
        event["eventType"]
        for event in bench.sent("TransactionEvent")
        if event["eventType"] != "Updated"
    ]


@BOTH
async def test_OFF_07_a_full_queue_loses_values_from_the_middle_and_no_start_or_end(
    make_bench: Make, version: Version
) -> None:
    bench = make(make_bench, version, capacity=12)
    await session_offline(bench, 300)
    # that its memory is exhausted is told, too, and what is critical comes on top
    waiting = [row for row in bench.personality.queue() if row.action != SECURITY]
    assert len(waiting) == 12
    await bench.online()
    assert len(frame(bench)) == 2
    came = samples(bench)
    assert len(came) < 30
    assert came == sorted(came)
    assert came[0] <= 100, "not from the beginning"
    assert came[-1] >= 290, "and not from the end"
    dropped = bench.happened(MessageDropped)
    assert {event.why for event in dropped} == {"NoRoom"}
    assert {event.action for event in dropped} == {
        "MeterValues" if version is V16 else "TransactionEvent"
    }
    met = [event for event in bench.happened(OpenPointMet) if event.point == POINT]
    assert met[0].option == "drop-intermediate"


@BOTH
async def test_OFF_07_without_a_limit_everything_comes(make_bench: Make, version: Version) -> None:
    bench = make(make_bench, version, option="unbounded", capacity=5)
    await session_offline(bench, 300)
    await bench.online()
    assert samples(bench) == list(range(10, 301, 10))
    assert len(frame(bench)) == 2
    assert bench.happened(MessageDropped) == []


@BOTH
async def test_a_ring_buffer_loses_the_start_as_a_fault_to_test_with(
    make_bench: Make, version: Version
) -> None:
    """Not conformant: 1.6 then tells the id -1, 2.0.1 leaves a gap before the first seqNo."""
    bench = make(make_bench, version, option="drop-oldest", capacity=5)
    await session_offline(bench, 300)
    await bench.online()
    assert len(frame(bench)) == 1
    if version is V16:
        assert bench.sent("StopTransaction")[0]["transactionId"] == -1
    else:
        assert bench.sent("TransactionEvent")[0]["seqNo"] > 0


@BOTH
async def test_a_station_without_room_refuses_new_sessions_and_goes_on_with_the_old(
    make_bench: Make, version: Version
) -> None:
    bench = make(make_bench, version, option="stop-accepting", capacity=5)
    await bench.boot()
    await bench.offline()
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), A1)
    await bench.advance(60)
    await bench.do(PlugIn(2))
    bench.intend(B2)
    await bench.rest()
    assert [view.evse for view in bench.personality.sessions()] == [1]
    await bench.do(A1, Unplug(1))
    await bench.online()
    assert len(frame(bench)) == 2
    assert len(samples(bench)) == 6
    await bench.do(B2)
    assert [view.evse for view in bench.personality.sessions()] == [2]


@BOTH
async def test_a_remote_start_is_refused_while_there_is_no_room(
    make_bench: Make, version: Version
) -> None:
    bench = make(make_bench, version, option="stop-accepting", capacity=1)
    await bench.boot()
    action = "MeterValues" if version is V16 else "TransactionEvent"
    bench.csms.on(action, Refuse())
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), A1)
    await bench.advance(20)
    assert len(bench.personality.queue()) >= 1
    if version is V16:
        answer = await bench.request("RemoteStartTransaction", {"idTag": "B", "connectorId": 2})
        assert answer == {"status": "Rejected"}
    else:
        request = {
            "idToken": {"idToken": "B", "type": "ISO14443"},
            "remoteStartId": 1,
            "evseId": 2,
        }
        answer = await bench.request("RequestStartTransaction", request)
        assert answer["status"] == "Rejected"
        assert answer["statusInfo"]["reasonCode"] == "OutOfMemory"


async def test_QueueAllMessages_what_belongs_to_no_transaction_goes_first(
    make_bench: Make,
) -> None:
    """2.0.1 2.1.9: events of transactions are left out last."""
    variables = {"OCPPCommCtrlr.QueueAllMessages": "true"}
    bench = make(make_bench, V201, capacity=4, variables=variables)
    await bench.boot()
    bench.skip()
    await bench.offline()
    await bench.do(PlugIn(2), Unplug(2), PlugIn(2), Unplug(2))
    loose = [row.action for row in bench.personality.queue()]
    assert loose == ["StatusNotification"] * 4
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), A1)
    await bench.advance(20)
    left_over = {row.action for row in bench.personality.queue()}
    assert left_over == {"TransactionEvent", SECURITY}
    # two samples, at 10 s and at 20 s: by now the one in the middle had to go
    left = [row["seqNo"] for row in _events(bench)]
    assert left[0] == 0


def _events(bench: Bench) -> list[dict[str, Any]]:
    rows = [row for _, row in bench.store.rows("outbox")]
    return [row["payload"] for row in rows if row["action"] == "TransactionEvent"]


@BOTH
async def test_OFF_04_the_replay_holds_up_neither_answers_nor_other_calls(
    make_bench: Make, version: Version
) -> None:
    """While a queued message waits for its answer, CALLs of the back office are answered; what the
    station says of its own goes before the next queued one."""
    bench = make(make_bench, version)
    await session_offline(bench, 100)
    action = "StartTransaction" if version is V16 else "TransactionEvent"
    hold = bench.csms.hold(action)
    bench.network = True
    bench._link_up()
    heard = await hold.arrived()
    ask = ("GetConfiguration", {}) if version is V16 else ("GetTransactionStatus", {})
    answer = bench.start_request(*ask)
    beat = bench.dialogue.call("Heartbeat", {})
    bench.spawn(beat, "a heartbeat")
    frame_of_answer = await answer
    assert frame_of_answer[0] == 3
    bench.skip()
    usual = {"transactionId": 5, "idTagInfo": {"status": "Accepted"}} if version is V16 else {}
    hold.answer(usual)
    await bench.rest()
    said = [str(line).split()[1] for line in bench.lines if line.mark == ">"]
    assert said[0] == "Heartbeat"
    assert len(said) > 5
    assert heard.action == action


async def test_OFF_09_values_and_stop_of_an_offline_session_survive_a_kill_with_their_start(
    make_bench: Make,
) -> None:
    """The id is learnt after a power cut, and put into what was queued before it."""
    bench = make(make_bench, V16)
    await session_offline(bench, 30)
    bench.csms.on("StartTransaction", {"transactionId": 77, "idTagInfo": {"status": "Accepted"}})
    await bench.kill_and_restart()
    ids = [payload["transactionId"] for payload in bench.sent("MeterValues")]
    assert ids == [77, 77, 77]
    assert bench.sent("StopTransaction")[0]["transactionId"] == 77


async def test_OFF_09_two_offline_sessions_learn_their_own_ids(make_bench: Make) -> None:
    bench = make(make_bench, V16)
    await session_offline(bench, 10)
    await bench.do(PlugIn(2), B2)
    await bench.advance(10)
    await bench.do(B2, Unplug(2))
    answers = [{"transactionId": n, "idTagInfo": {"status": "Accepted"}} for n in (41, 42)]
    bench.csms.on("StartTransaction", answers)
    await bench.online()
    told = [(h.action, h.payload.get("transactionId")) for h in bench.csms.heard][-6:]
    assert told == [
        ("StartTransaction", None),
        ("MeterValues", 41),
        ("StopTransaction", 41),
        ("StartTransaction", None),
        ("MeterValues", 42),
        ("StopTransaction", 42),
    ]


async def test_201_TX_04_only_what_happened_offline_is_offline_and_seqNo_has_no_gap(
    make_bench: Make,
) -> None:
    bench = make(make_bench, V201)
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), A1)
    await bench.advance(20)
    await bench.offline()
    await bench.advance(20)
    await bench.online()
    await bench.advance(20)
    told = bench.sent("TransactionEvent")
    assert [event["seqNo"] for event in told] == list(range(len(told)))
    offline = [event["timestamp"][17:19] for event in told if event.get("offline")]
    assert offline == ["30", "40"]


@BOTH
async def test_the_queue_says_why_each_message_waits(make_bench: Make, version: Version) -> None:
    bench = make(make_bench, version)
    await session_offline(bench, 30)
    rows = bench.personality.queue()
    assert {row.state.id for row in rows} == {"queue.state.offline"}
    assert rows[0].age == 30
    assert [row.attempts for row in rows] == [0] * len(rows)
    assert len({row.ref for row in rows}) == 1
    bench.csms.boot_status = "Pending"
    await bench.kill_and_restart()
    assert {row.state.id for row in bench.personality.queue()} == {"queue.state.not_accepted"}


@BOTH
async def test_OFF_05_an_answer_too_large_for_the_link_is_no_reason_to_lose_or_repeat_for_ever(
    make_bench: Make, version: Version
) -> None:
    """Each answer to the start ends the link: the start is given up in the end, the rest comes through."""
    bench = make(make_bench, version)
    await bench.boot()
    first = "StartTransaction" if version is V16 else "TransactionEvent"
    bench.csms.on(first, [FLOOD, FLOOD, FLOOD, USUAL])
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), A1)
    await bench.advance(600)
    await bench.do(A1, Unplug(1))
    await bench.advance(600)
    ends = ["StartTransaction"] * 3 + ["StopTransaction"]
    if version is V201:
        ends = ["Started"] * 3 + ["Ended"]
    assert frame(bench) == ends
    assert bench.personality.queue() == []
    (dropped,) = bench.happened(MessageDropped)
    assert dropped.why == "TooLarge"


@BOTH
async def test_A04_FR_02_a_security_event_whose_answer_is_too_large_waits_over_the_links_it_ends(
    make_bench: Make, version: Version
) -> None:
    bench = make(make_bench, version)
    await bench.boot()
    bench.csms.on(SECURITY, [FLOOD, FLOOD, USUAL])
    before = len(bench.sent(SECURITY))
    await bench.do(OpenDoor())
    assert len(bench.sent(SECURITY)) == before + 1
    await bench.advance(60)
    assert len(bench.sent(SECURITY)) == before + 2
    await bench.advance(3600)
    assert len(bench.sent(SECURITY)) == before + 3
    assert bench.personality.queue() == []


@BOTH
async def test_a_state_of_a_connector_whose_answer_is_too_large_is_not_told_again_on_each_link(
    make_bench: Make, version: Version
) -> None:
    bench = make(make_bench, version)
    await bench.boot()
    bench.csms.on("StatusNotification", [FLOOD, FLOOD, USUAL])
    told = len(bench.sent("StatusNotification"))
    for times in (1, 2, 3):
        await bench.do(Unplug(1) if times == 2 else PlugIn(1))
        assert len(bench.sent("StatusNotification")) == told + times
