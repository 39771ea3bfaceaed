"""Boot, heartbeat and status of both versions over real sockets."""

from __future__ import annotations

from datetime import UTC, datetime

from app.training.settings import BootAnswer, BootStatus, CsmsSettings
from tests.app.training.client import BOOT_16, BOOT_201, V16, V201, bench
from tests.support.csms import CsmsProbe, running_csms

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


async def test_a_16_station_boots_and_is_remembered(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V16) as station:
        answer = await station.result("BootNotification", BOOT_16)
        assert (answer["status"], answer["interval"]) == ("Accepted", 300)
        record = csms.snapshot().station("CS-1")
        assert record is not None
        assert record.boot is not None
        assert (record.version, record.connected) == ("1.6", True)
        assert (record.boot.vendor, record.boot.model) == ("Forecourt", "Bench")


async def test_a_201_station_boots_and_is_remembered(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-2", V201) as station:
        assert (await station.result("BootNotification", BOOT_201))["status"] == "Accepted"
        record = csms.snapshot().station("CS-2")
        assert record is not None
        assert record.boot is not None
        assert (record.version, record.boot.reason, record.boot.firmware) == (
            "2.0.1",
            "PowerUp",
            "1.0",
        )
    await csms.wait_disconnected("CS-2")
    gone = csms.snapshot().station("CS-2")
    assert gone is not None
    assert not gone.connected


async def test_the_boot_answer_is_chosen_by_station() -> None:
    settings = CsmsSettings(
        boot=BootAnswer(BootStatus.PENDING, 7),
        boot_by_station={"CS-2": BootAnswer(BootStatus.REJECTED, 9)},
    )
    async with running_csms(settings) as csms:
        for id_, status, interval in (("CS-1", "Pending", 7), ("CS-2", "Rejected", 9)):
            async with bench(csms.url, id_, V16) as station:
                answer = await station.result("BootNotification", BOOT_16)
                assert (answer["status"], answer["interval"]) == (status, interval)


async def test_time_comes_from_the_injected_clock_with_z_and_milliseconds() -> None:
    async with running_csms(now=lambda: NOON) as csms:
        for protocol in (V16, V201):
            async with bench(csms.url, protocol, protocol) as station:
                answer = await station.result("Heartbeat")
                assert answer == {"currentTime": "2026-03-01T12:00:00.250Z"}
        assert {frame.at for frame in csms.frames()} == {NOON}


async def test_the_status_of_connectors_is_kept(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V16) as station:
        for connector, status in ((0, "Available"), (1, "Preparing"), (1, "Charging")):
            payload = {"connectorId": connector, "status": status, "errorCode": "NoError"}
            assert await station.result("StatusNotification", payload) == {}
    async with bench(csms.url, "CS-2", V201) as station:
        payload = {
            "timestamp": "2026-03-01T12:00:00Z",
            "connectorStatus": "Occupied",
            "evseId": 2,
            "connectorId": 1,
        }
        assert await station.result("StatusNotification", payload) == {}
    one, two = csms.snapshot().stations
    assert [(c.evse, c.connector, c.status) for c in one.connectors] == [
        (0, 0, "Available"),
        (1, 1, "Charging"),
    ]
    assert [(c.evse, c.connector, c.status) for c in two.connectors] == [(2, 1, "Occupied")]
    assert two.connectors[0].at == datetime(2026, 3, 1, 12, tzinfo=UTC)
