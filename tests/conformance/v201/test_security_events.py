"""Security events of 2.0.1: part 2, A04, and appendix 1 with the errata of 2025-09."""

from __future__ import annotations

import csv
import shutil
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.kernel.units import stamp
from app.ocpp.events import MessageDropped, SecurityEventRaised
from app.ocpp.outbox import NO_ROOM
from app.ocpp.personality import LinkTrial, Setback, Way
from app.ocpp.v201.personality import Personality201
from app.ocpp.v201.security import LIST
from app.station.intents import CutMains, OpenDoor, PlugIn, PresentCard, RestoreMains
from tests.conformance.v201.conftest import Make, set_variable
from tests.support.harness import Bench, Refuse

APPENDIX = """\
FirmwareUpdated;Yes
FailedToAuthenticateAtCsms;No
CsmsFailedToAuthenticate;No
SettingSystemTime;Yes
StartupOfTheDevice;Yes
ResetOrReboot;Yes
SecurityLogWasCleared;Yes
ReconfigurationOfSecurityParameters;No
MemoryExhaustion;Yes
InvalidMessages;No
AttemptedReplayAttacks;No
TamperDetectionActivated;Yes
InvalidFirmwareSignature;Yes
InvalidFirmwareSigningCertificate;Yes
InvalidCsmsCertificate;Yes
InvalidChargingStationCertificate;Yes
InvalidTLSVersion;Yes
InvalidTLSCipherSuite;Yes
MaintenanceLoginAccepted;Yes
MaintenanceLoginFailed;Yes
"""


def blocks(bench: Bench) -> Personality201:
    assert isinstance(bench.personality, Personality201)
    return bench.personality


async def booted(bench201: Make, **variables: str) -> Bench:
    named = {name.replace("__", "."): value for name, value in variables.items()}
    bench: Bench = bench201(variables=named)
    await bench.boot()
    return bench


def told(bench: Bench) -> list[str]:
    return [event["type"] for event in bench.sent("SecurityEventNotification")]


def log(bench: Bench) -> list[str]:
    return [entry.type for entry in blocks(bench).security.log.entries()]


async def set_clock(bench: Bench, seconds: float) -> None:
    later = stamp(bench.now + timedelta(seconds=seconds))
    bench.csms.on("Heartbeat", {"currentTime": later})
    await bench.request("TriggerMessage", {"requestedMessage": "Heartbeat"})


async def test_list_is_that_of_the_appendix(bench201: Make) -> None:
    """CE-10; errata 2.9 adds one more, which a station SHOULD send."""
    rows = dict(csv.reader(APPENDIX.splitlines(), delimiter=";"))
    expected = {name: word == "Yes" for name, word in rows.items()}
    assert dict(LIST) == expected | {"DiscardedRenewedClientCertificate": True}


async def test_A04_FR_01_and_04_each_event_is_logged_and_critical_ones_are_pushed(
    bench201: Make,
) -> None:
    bench = await booted(bench201)
    before = len(told(bench))
    for kind in LIST:
        blocks(bench).security.raise_event(kind)
    await bench.rest()
    assert told(bench)[before:] == [kind for kind, pushed in LIST.items() if pushed]
    assert log(bench)[-len(LIST) :] == list(LIST)
    raised = bench.happened(SecurityEventRaised)[-len(LIST) :]
    assert [event.critical for event in raised] == list(LIST.values())


async def test_start_and_reset_are_told(bench201: Make) -> None:
    bench = await booted(bench201)
    assert told(bench) == ["StartupOfTheDevice"]
    await bench.request("Reset", {"type": "Immediate"})
    assert told(bench)[1:] == ["ResetOrReboot", "StartupOfTheDevice"]
    await bench.do(CutMains(), RestoreMains())
    assert told(bench)[3:] == ["StartupOfTheDevice"]


async def test_errata_32_clock_is_told_beyond_the_threshold_only(bench201: Make) -> None:
    bench = await booted(bench201, ClockCtrlr__TimeAdjustmentReportingThreshold="30")
    await set_clock(bench, 29)
    assert "SettingSystemTime" not in told(bench)
    await set_clock(bench, -31)
    assert told(bench)[-1] == "SettingSystemTime"
    assert await set_variable(bench, "ClockCtrlr", "TimeAdjustmentReportingThreshold", "3600") == (
        "Accepted"
    )
    await set_clock(bench, 600)
    assert told(bench).count("SettingSystemTime") == 1


async def test_door_is_tampering_and_is_told_at_once(bench201: Make) -> None:
    bench = await booted(bench201)
    await bench.do(OpenDoor())
    assert told(bench)[-1] == "TamperDetectionActivated"


async def test_A01_FR_11_and_12_new_password_is_logged_without_itself(bench201: Make) -> None:
    bench = await booted(bench201)
    secret = "a-very-secret-password"
    assert await set_variable(bench, "SecurityCtrlr", "BasicAuthPassword", secret) == "Accepted"
    entries = blocks(bench).security.log.entries()
    (entry,) = [one for one in entries if one.type == "ReconfigurationOfSecurityParameters"]
    assert entry.tech_info == "SecurityCtrlr.BasicAuthPassword by back office"
    assert secret not in repr(entries)
    assert "ReconfigurationOfSecurityParameters" not in told(bench)


async def test_A04_FR_02_events_of_the_time_offline_come_in_order(bench201: Make) -> None:
    bench = await booted(bench201)
    await bench.offline()
    await bench.do(OpenDoor())
    blocks(bench).security.maintenance_login("anna", "panel", accepted=True)
    await bench.kill_and_restart(connect=False)
    await bench.online()
    assert told(bench)[1:] == [
        "TamperDetectionActivated",
        "MaintenanceLoginAccepted",
        "StartupOfTheDevice",
    ]
    login = bench.sent("SecurityEventNotification")[2]
    assert login["techInfo"] == "{'user': 'anna', 'origin': 'panel'}"


async def test_events_do_not_hold_up_transactions(bench201: Make) -> None:
    """Errata #14: kept at any price, and yet the session is told."""
    bench = await booted(bench201)
    bench.csms.on("SecurityEventNotification", Refuse("InternalError"))
    await bench.do(OpenDoor(), PlugIn(1), PresentCard("A", evse=1))
    assert bench.sent("TransactionEvent")
    waiting = bench.personality.queue()
    assert [row.action for row in waiting] == ["SecurityEventNotification"]
    assert (waiting[0].attempts, waiting[0].state.id) == (1, "security.state.retry")
    await bench.advance(7200)
    assert len(blocks(bench).security.queue()) == 1
    bench.csms.default("SecurityEventNotification")
    await bench.advance(3601)
    assert blocks(bench).security.queue() == []


async def test_pending_station_keeps_its_events(bench201: Make) -> None:
    """B02.FR.02: nothing leaves that was not asked for."""
    bench = bench201()
    bench.csms.boot_status = "Pending"
    await bench.online()
    assert told(bench) == []
    assert bench.personality.queue()[0].state.id == "queue.state.not_accepted"


@pytest.mark.parametrize(
    ("setback", "kinds"),
    [
        (Setback.CREDENTIALS, ["FailedToAuthenticateAtCsms"]),
        (Setback.SERVER_CERTIFICATE, ["CsmsFailedToAuthenticate", "InvalidCsmsCertificate"]),
        (Setback.TLS_VERSION, ["InvalidTLSVersion"]),
        (Setback.TLS_CIPHERS, ["InvalidTLSCipherSuite"]),
        (Setback.UNREACHABLE, []),
        (Setback.OTHER, []),
    ],
)
async def test_A00_setbacks_of_the_link(bench201: Make, setback: Setback, kinds: list[str]) -> None:
    """A00.FR.310, .316 with its note, .323: once for repeated attempts, again after a link."""
    bench = await booted(bench201)
    for times in (1, 2):
        await bench.offline()
        for _ in range(3):
            bench.personality.link_tried(LinkTrial(Way(), 0, setback, "told"))
        bench.personality.link_tried(LinkTrial(Way(), 0, None))
        await bench.online()
        assert log(bench)[1:] == kinds * times
    pushed = [kind for kind in kinds if LIST[kind]]
    assert told(bench)[1:] == pushed * 2


async def test_the_same_refusal_waits_once(bench201: Make) -> None:
    """A00.FR.316, note: no overflow of the offline queue; over restarts too."""
    bench = await booted(bench201)
    await bench.offline()
    for _ in range(3):
        trial = LinkTrial(Way(), 0, Setback.TLS_VERSION, "told")
        bench.personality.link_tried(trial)
        await bench.kill_and_restart(connect=False)
    waiting = [row.payload["type"] for row in blocks(bench).security.queue()]
    assert waiting.count("InvalidTLSVersion") == 1
    assert log(bench).count("InvalidTLSVersion") == 3


async def test_full_queue_and_full_disk_exhaust_the_memory(
    bench201: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MemoryExhaustion: told once, and again when there was room between."""
    bench = await booted(bench201)
    for _ in range(5):
        bench.bus.publish(MessageDropped("TransactionEvent", NO_ROOM, ""))
    await bench.rest()
    assert told(bench)[1:] == ["MemoryExhaustion"]
    bench.ctx.files = tmp_path / "not made yet"
    security = blocks(bench).security
    for free, count in ((10**6, 2), (10**6, 2), (10**12, 2), (10**6, 3)):
        usage = SimpleNamespace(total=10**13, used=0, free=free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, found=usage: found)
        security._look_at_disk()
        await bench.rest()
        assert told(bench).count("MemoryExhaustion") == count


async def test_disk_is_looked_at_each_hour_before_there_is_a_file(
    bench201: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = bench201(ports={"files": tmp_path / "not made yet"})
    await bench.boot()
    usage = SimpleNamespace(total=10**13, used=0, free=10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    await bench.advance(3601)
    assert told(bench)[1:] == ["MemoryExhaustion"]


async def test_bad_and_replayed_messages_are_logged(bench201: Make) -> None:
    bench = await booted(bench201)
    await bench.inject("{")
    await bench.inject('[2,"twice","GetBaseReport",{"requestId":"x"}]')
    for _ in range(2):
        await bench.inject('[2,"again","ClearCache",{}]')
    assert {"InvalidMessages", "AttemptedReplayAttacks"} <= set(log(bench))
    assert set(told(bench)) == {"StartupOfTheDevice"}
