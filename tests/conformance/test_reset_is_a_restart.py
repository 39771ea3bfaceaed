"""A reset in the middle of a day's work leaves nothing behind but rows: the station that reset itself goes
on exactly as one whose program was killed in that instant and started again on the same store (B11, B12;
1.6 part 5.14). What a task, a timer or an object of the former power cycle remembered would show.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from app.kernel.resources import resource
from app.ocpp.context import BootReason
from app.ocpp.version import Version
from app.station.blueprint import Blueprint
from app.station.intents import PlugIn, PresentCard, PressStop, Unplug
from app.station.snapshot import StationSnapshot
from app.station.station import Station
from tests.conformance.v16.file_bench import Servers, ports
from tests.conformance.v16.file_bench import trouble as failure
from tests.support.harness import MUTE, Bench, make_bench
from tests.support.memory_store import MemoryStore

__all__ = ["make_bench"]

V16, V201 = Version.V16, Version.V201
HOUR = 3600.0
AT_NOON = "2026-01-15T12:00:00Z"
A, B = "04A29F1C", "04B1C2D3"
MACHINE = "meter_noise = false\n" + resource("blueprints", "public-ac-2x22.toml").read_text("utf-8")
"""Noise is counted from the start of the program, which here is not the same."""

Story = Callable[[Bench], Awaitable[Any]]


class Dying(Bench):
    """A station whose program is killed in the instant in which it would go down to reset."""

    died: BootReason | None = None

    def _reboot(self, reason: BootReason) -> None:
        if self.died is None:
            self.died = reason
            self._fall_silent()


async def started_again(dead: Dying) -> Bench:
    """A new program over what the dead one left: its store and the physical world."""
    assert dead.died is not None
    left = dead._export_station()
    await dead.close()

    def same_machine(bench: Bench) -> Any:
        station = Station(Blueprint.parse(MACHINE, "-"), bench.clock, bench.bus, seed=dead.seed)
        station.import_state(left)
        return station

    store = MemoryStore()
    store.tables = copy.deepcopy(dead.store.tables)  # type: ignore[attr-defined]
    bench = Bench(
        dead.version,
        blueprint=MACHINE,
        store=store,
        start=dead.now,
        station=same_machine,
        boot_reason=dead.died,
        points=dict(dead.points.chosen),
        ports=dead.ports,
        seed=dead.seed + 1,  # of message ids, which are random in a program
    )
    bench.csms.transaction_ids = dead.csms.transaction_ids  # it is the same back office
    await bench.online()
    return bench


async def day_16(bench: Bench) -> None:
    """Something in each block: a key, a list, a profile, a reservation, two sessions, one plug."""
    await bench.boot()
    ask = bench.request
    assert await ask("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "40"}) == {
        "status": "Accepted"
    }
    listed = {"idTag": B, "idTagInfo": {"status": "Accepted", "parentIdTag": "FAMILY"}}
    update = {"listVersion": 3, "updateType": "Full", "localAuthorizationList": [listed]}
    assert await ask("SendLocalList", update) == {"status": "Accepted"}
    periods = [{"startPeriod": 0, "limit": 16.0}, {"startPeriod": 1800, "limit": 10.0}]
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": periods}
    profile = {
        "chargingProfileId": 7,
        "stackLevel": 1,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": schedule,
    }
    install = {"connectorId": 0, "csChargingProfiles": profile}
    assert await ask("SetChargingProfile", install) == {"status": "Accepted"}
    await bench.do(PlugIn(1), PresentCard(A, evse=1))
    await bench.advance(700)
    until = "2026-01-15T11:00:00Z"
    reservation = {"connectorId": 2, "expiryDate": until, "idTag": B, "reservationId": 5}
    assert await ask("ReserveNow", reservation) == {"status": "Accepted"}
    scheduled = {"connectorId": 1, "type": "Inoperative"}
    assert await ask("ChangeAvailability", scheduled) == {"status": "Scheduled"}
    await bench.advance(55)


async def evening(bench: Bench) -> None:
    """What shows whether anything of the former power cycle is still there, or anything is lost."""
    await bench.advance(200)
    for connector in bench.station.snapshot().evses:
        bench.intend(PressStop(connector.id))
        await bench.rest()
        bench.intend(Unplug(connector.id))
        await bench.rest()
    await bench.advance(100)
    for number in (1, 2):
        bench.intend(PlugIn(number))
        await bench.rest()
        bench.intend(PresentCard(B, evse=number))
        await bench.rest()
    await bench.advance(HOUR)
    for number in (1, 2):
        bench.intend(PressStop(number))
        await bench.rest()
        bench.intend(Unplug(number))
        await bench.rest()
    await bench.advance(2 * HOUR)


async def day_201(bench: Bench) -> None:
    await bench.boot()
    value = {
        "component": {"name": "SampledDataCtrlr"},
        "variable": {"name": "TxUpdatedInterval"},
        "attributeValue": "40",
    }
    answer = await bench.request("SetVariables", {"setVariableData": [value]})
    assert answer["setVariableResult"][0]["attributeStatus"] == "Accepted"
    await bench.do(PlugIn(1), PresentCard(A, evse=1))
    await bench.advance(700)
    await bench.do(PlugIn(2))
    later = {"operationalStatus": "Inoperative", "evse": {"id": 1}}
    assert (await bench.request("ChangeAvailability", later))["status"] == "Scheduled"
    await bench.advance(55)


async def night(bench: Bench) -> None:
    """Nothing runs and nobody waits."""
    await bench.boot()
    await bench.advance(400)


async def trouble_16(bench: Bench) -> None:
    """Nobody takes the end of a session; a card waits for its cable, and firmware for its hour."""
    await day_16(bench)
    update = {"location": "http://files.example/fw-2.1.0.bin", "retrieveDate": AT_NOON}
    assert await bench.request("UpdateFirmware", update) == {}
    await bench.offline()
    await bench.do(PressStop(1))
    await bench.advance(70)
    bench.csms.on("StopTransaction", MUTE)
    await bench.online()
    await bench.do(PresentCard(B, evse=2))
    assert bench.store.count("outbox") == bench.store.count("firmware") == 1


async def trouble_201(bench: Bench) -> None:
    """Nobody takes the events; a card waits for its cable, a log for its next try, a key for the boot."""
    await day_201(bench)
    log = {"remoteLocation": "ftp://files.example/up/"}
    wish = {"logType": "SecurityLog", "requestId": 4, "log": log, "retries": 3}
    assert (await bench.request("GetLog", wish))["status"] == "Accepted"
    await bench.offline()
    await bench.do(PressStop(1), Unplug(2))
    await bench.advance(70)
    bench.csms.on("TransactionEvent", MUTE)
    await bench.online()
    await bench.do(PresentCard(B, evse=2))
    assert bench.store.count("outbox") == bench.store.count("log_uploads") == 1


async def no_more(bench: Bench) -> None:
    """What the reset was waiting for."""
    await bench.do(PressStop(1))


async def no_answer(bench: Bench) -> None:
    """B12.FR.05: the last messages get their time, and no more."""
    bench.link.advance(31)
    await bench.rest()


@dataclass(frozen=True, slots=True)
class Case:
    """A day, the Reset at its end, and what the station does then: `status` and `after`."""

    version: Version
    day: Story
    reset: dict[str, str]
    points: dict[str, str] = field(default_factory=dict)
    status: str = "Accepted"
    after: Story | None = None


HARD, SOFT = {"type": "Hard"}, {"type": "Soft"}
NOW, ON_IDLE = {"type": "Immediate"}, {"type": "OnIdle"}
AFTER_BOOT = {"ocpp16-hard-reset-stop": "after-boot"}

CASES = {
    "1.6 hard": Case(V16, day_16, HARD),
    "1.6 hard, sessions closed after the boot": Case(V16, day_16, HARD, AFTER_BOOT),
    "1.6 soft": Case(V16, day_16, SOFT),
    "1.6 hard, idle": Case(V16, night, HARD),
    "1.6 soft, idle": Case(V16, night, SOFT),
    "1.6 hard, with things pending": Case(V16, trouble_16, HARD),
    "1.6 soft, with things pending": Case(V16, trouble_16, SOFT),
    "2.0.1 immediate": Case(V201, day_201, NOW),
    "2.0.1 immediate, idle": Case(V201, night, NOW),
    "2.0.1 immediate, with things pending": Case(V201, trouble_201, NOW, after=no_answer),
    "2.0.1 on idle, idle": Case(V201, night, ON_IDLE),
    "2.0.1 on idle, in mid-session": Case(
        V201, day_201, ON_IDLE, status="Scheduled", after=no_more
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_station_that_reset_itself_goes_on_like_one_that_was_killed(
    name: str, tmp_path: Path
) -> None:
    """201-B11, B12 / 1.6 part 5.14: the same words, rows and world for the hours after, byte by byte."""
    case = CASES[name]

    def make(kind: type[Bench]) -> Any:
        files = ports(tmp_path, Servers([failure()]))
        return kind(
            case.version, blueprint=MACHINE, store=MemoryStore(), points=case.points, ports=files
        )

    alive, dying = make(Bench), make(Dying)
    for bench in (alive, dying):
        await case.day(bench)
        if case.day is not night:
            assert bench.personality.sessions() or bench.personality.queue(), "nothing was on"
        assert (await bench.request("Reset", case.reset))["status"] == case.status
        await bench.rest()
        if case.after is not None:
            assert not bench.reboots, "it did not wait"
            await case.after(bench)
    assert alive.reboots, "it did not reset itself"
    before = len(dying.csms.lines)
    risen = await started_again(dying)
    assert alive.now == risen.now
    for bench in (alive, risen):
        for action in ("StopTransaction", "TransactionEvent"):
            bench.csms.default(action)
        await evening(bench)

    assert plain(alive.csms.lines[before:]) == plain(risen.csms.lines)
    assert plain(rows(alive)) == plain(rows(risen))
    assert world(alive) == world(risen)
    assert alive.personality.settings() == risen.personality.settings()
    assert len(risen.csms.lines) > 30, "too little was said to compare"
    for bench in (alive, risen):
        await bench.close()


async def test_a_power_cut_does_what_a_scheduled_reset_was_for(
    make_bench: Callable[..., Bench],
) -> None:
    """201-B12: it waits for an idle station; one that has booted meanwhile has nothing left to do."""
    bench = make_bench(V201, blueprint=MACHINE)
    await day_201(bench)
    assert (await bench.request("Reset", ON_IDLE))["status"] == "Scheduled"
    await bench.kill_and_restart()
    assert bench.sent("BootNotification")[-1]["reason"] == "PowerUp"
    await evening(bench)
    assert not bench.personality.sessions()
    assert len(bench.sent("BootNotification")) == 2


def rows(bench: Bench) -> dict[str, Any]:
    return bench.store.tables  # type: ignore[attr-defined,no-any-return]


def world(bench: Bench) -> StationSnapshot:
    """All that is seen from outside; the last millionth of a degree cools away with the program."""
    snapshot = bench.station.snapshot()
    evses = tuple(replace(e, temperature=round(e.temperature, 3)) for e in snapshot.evses)
    return replace(snapshot, evses=evses)


UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def plain(what: Any) -> list[str]:
    """As lines to compare: made-up ids by the order in which they came."""
    known: dict[str, str] = {}
    items = list(what.items()) if isinstance(what, dict) else what
    text = "\n".join(item if isinstance(item, str) else _text(item) for item in items)
    return UUID.sub(lambda m: known.setdefault(m[0], f"id{len(known)}"), text).splitlines()


def _text(item: Any) -> str:
    return str(item) if not isinstance(item, tuple) else json.dumps(item, sort_keys=True)
