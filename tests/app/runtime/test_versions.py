"""A station that is made to speak the other version: what the old one left behind must not be in the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.kernel.clock import VirtualClock
from app.kernel.units import stamp
from app.ocpp.events import OwnFrameRefused
from app.ocpp.version import Version
from tests.app.runtime.link_bench import START, Station, StrictOffice, office, station

HOUR = timedelta(hours=1)
BOTH_WAYS = [pytest.param("1.6", "2.0.1", id="1.6-201"), pytest.param("2.0.1", "1.6", id="201-1.6")]


async def speak(there: Station, version: str) -> None:
    await there.session.speak(version)
    await there.accepted()
    assert there.session.snapshot().version is Version(version)


async def set_service(csms: StrictOffice, version: str, number: int, word: str) -> str:
    payload: dict[str, Any] = {"connectorId": number, "type": word}
    if version == "2.0.1":
        payload = {"operationalStatus": word, "evse": {"id": number}}
    return str((await csms.ask("ChangeAvailability", payload))["status"])


def in_service(there: Station) -> list[bool]:
    evses = there.session.snapshot().station.evses
    return [evse.operative and evse.connectors[0].operative for evse in evses]


@pytest.mark.parametrize(("before", "after"), BOTH_WAYS)
async def test_what_one_version_took_out_of_service_is_so_only_while_it_is_spoken(
    before: str, after: str
) -> None:
    """The other one knows nothing of it, tells it as Available and could not bring it back."""
    async with office() as csms, station(csms.url, before) as there:
        await there.accepted()
        assert await set_service(csms, before, 1, "Inoperative") == "Accepted"
        await there.until(lambda: in_service(there) == [False, True])
        await speak(there, after)
        assert in_service(there) == [True, True]
        await there.session.repower()
        await there.accepted()
        assert in_service(there) == [True, True]
        await speak(there, before)
        assert in_service(there) == [False, True]
        assert await set_service(csms, before, 1, "Operative") == "Accepted"
        await there.until(lambda: in_service(there) == [True, True])


@pytest.mark.parametrize(("before", "after"), BOTH_WAYS)
async def test_a_job_that_one_version_was_given_ends_with_it(before: str, after: str) -> None:
    """Told of in the other version it would break the schema: 2.0.1 has ids of requests, 1.6 has not."""
    clock, date = VirtualClock(START), stamp(START + HOUR)
    request: dict[str, Any] = {"location": "http://127.0.0.1:1/f.bin", "retrieveDate": date}
    if before == "2.0.1":
        firmware = {"location": "http://127.0.0.1:1/f.bin", "retrieveDateTime": date}
        request = {"requestId": 7, "firmware": firmware}
    async with office() as csms, station(csms.url, before, clock=clock) as there:
        await there.accepted()
        await csms.ask("UpdateFirmware", request)
        await there.until(lambda: [job.running for job in there.session.snapshot().jobs] == [True])
        await speak(there, after)
        assert there.session.snapshot().jobs == ()
        await clock.advance(2 * HOUR.total_seconds())
        assert there.hears.all(OwnFrameRefused) == []
        await speak(there, before)
        assert there.session.snapshot().jobs == ()


async def test_what_is_reserved_in_1_6_is_free_in_201_which_keeps_no_reservations() -> None:
    reserve = {
        "connectorId": 1,
        "expiryDate": stamp(START + HOUR),
        "idTag": "HOLDER",
        "reservationId": 5,
    }
    async with office() as csms, station(csms.url, "1.6") as there:
        await there.accepted()
        assert await csms.ask("ReserveNow", reserve) == {"status": "Accepted"}

        def reserved() -> bool:
            return there.session.snapshot().station.evse(1).reservation is not None

        await there.until(reserved)
        await speak(there, "2.0.1")
        assert not reserved()
        await speak(there, "1.6")
        await there.until(reserved)


async def test_a_back_office_that_picks_the_other_version_finds_the_station_as_free() -> None:
    async with office() as csms, station(csms.url, "auto") as there:
        csms.subprotocols = ["ocpp1.6"]
        await there.accepted()
        assert await set_service(csms, "1.6", 2, "Inoperative") == "Accepted"
        await there.until(lambda: in_service(there) == [True, False])
        csms.subprotocols = ["ocpp2.0.1"]
        await csms.guests[-1].close(1001)
        await there.until(lambda: there.session.snapshot().version is Version.V201)
        await there.accepted()
        assert in_service(there) == [True, True]
