"""The station's calendar: set by the back office, kept over kills, and deaf to time zones."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.kernel.clock import SystemClock, VirtualClock
from app.kernel.link_clock import ManualLinkClock
from app.kernel.units import parse_stamp, stamp
from app.ocpp.events import ClockSet, HeartbeatAnswered
from app.runtime.calendar import CalendarKeeper, bring_back, set_calendar
from app.runtime.config import Config
from app.runtime.settings import resolve
from app.runtime.store import MEMORY, Store
from app.station.intents import PlugIn
from tests.app.runtime.link_bench import Station, StrictOffice, office, station

VERSIONS = ["1.6", "2.0.1"]
RIGHT = "2026-06-01T12:00:00Z"


def tell_time(csms: StrictOffice, now: str) -> None:
    """Let the back office stamp its answers with this."""

    def answer(text: str) -> str | None:
        frame = json.loads(text)
        if frame[0] != 2:
            return None
        payload: dict[str, Any] = {}
        if frame[2] in ("BootNotification", "Heartbeat"):
            payload = {"currentTime": now}
        if frame[2] == "BootNotification":
            payload |= {"status": "Accepted", "interval": 3600}
        return json.dumps([3, frame[1], payload])

    csms.answer = answer


async def beat(there: Station, csms: StrictOffice) -> None:
    """Have it ask for the time."""
    before = len(there.hears.all(HeartbeatAnswered))
    await csms.ask("TriggerMessage", {"requestedMessage": "Heartbeat"})
    await there.until(lambda: len(there.hears.all(HeartbeatAnswered)) > before)
    await there.session.activity.idle()


# ---------------------------------------------------------------- far off, and drift


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("year", [1970, 2000, 2099])
async def test_BOOT_a_clock_far_off_is_right_after_the_boot_and_that_is_told_once(
    version: str, year: int
) -> None:
    """16-BOOT-02, 201-BOOT-03; CE-10 SettingSystemTime, errata 32."""
    clock = VirtualClock(datetime(year, 1, 1, tzinfo=UTC))
    async with office() as csms:
        tell_time(csms, RIGHT)
        async with station(csms.url, version, clock=clock) as there:
            await there.accepted()
            assert clock.now() == parse_stamp(RIGHT)
            await there.until(
                lambda: any(
                    event["type"] == "SettingSystemTime"
                    for event in csms.calls("SecurityEventNotification")
                )
            )
            there.session.intend(PlugIn(1))
            await there.session.activity.idle()
            told = csms.calls("StatusNotification")[-1]["timestamp"]
            assert told == RIGHT
            await beat(there, csms)
            events = [event["type"] for event in csms.calls("SecurityEventNotification")]
            assert events.count("SettingSystemTime") == 1
            assert len(there.hears.all(ClockSet)) == 1


@pytest.mark.parametrize("version", VERSIONS)
async def test_errata_32_a_small_drift_is_set_and_is_no_security_event(version: str) -> None:
    clock = VirtualClock(parse_stamp(RIGHT) - timedelta(seconds=5))
    async with office() as csms:
        tell_time(csms, RIGHT)
        async with station(csms.url, version, clock=clock) as there:
            await there.accepted()
            assert clock.now() == parse_stamp(RIGHT)
            assert [round(e.change) for e in there.hears.all(ClockSet)] == [5]
            await there.session.activity.idle()
            events = [event["type"] for event in csms.calls("SecurityEventNotification")]
            assert "SettingSystemTime" not in events


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("option", "moved"), [("set-at-once", 60), ("slew", 1), ("ignore", 0)])
async def test_both_clock_drift_decides_how_the_clock_follows(
    version: str, option: str, moved: int
) -> None:
    start = parse_stamp(RIGHT) - timedelta(seconds=60)
    clock = VirtualClock(start)
    async with office() as csms:
        tell_time(csms, RIGHT)
        async with station(csms.url, version, clock=clock) as there:
            there.session.choose_point("both-clock-drift", option)
            await there.accepted()
            change = (clock.now() - start).total_seconds()
            assert change == moved if option != "slew" else 0 < change < 60
            assert len(there.hears.all(ClockSet)) == (0 if option == "ignore" else 1)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("seconds", "told"), [(10, False), (-7200, True), (7200, True)])
async def test_CE_10_a_person_who_sets_the_clock_is_told_of_beyond_the_threshold(
    version: str, seconds: int, told: bool
) -> None:
    """No time passes; the next answer of the back office sets it right again."""
    clock = VirtualClock(parse_stamp(RIGHT))
    async with office() as csms:
        tell_time(csms, RIGHT)
        async with station(csms.url, version, clock=clock) as there:
            await there.accepted()
            elapsed = clock.elapsed()
            later = clock.now() + timedelta(seconds=seconds)
            assert set_calendar(clock, there.session.bus, later) == seconds
            assert clock.elapsed() == elapsed
            await there.session.activity.idle()
            events = csms.calls("SecurityEventNotification")
            kinds = [one["type"] for one in events]
            assert ("SettingSystemTime" in kinds) == told
            if told:
                assert events[-1]["techInfo"] == f"{seconds:+} s by a person"
                assert events[-1]["timestamp"] == stamp(later)
            await beat(there, csms)
            assert clock.now() == parse_stamp(RIGHT)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_correction_fires_no_interval_early_and_none_twice(version: str) -> None:
    """The calendar jumps by years; intervals keep what is left of them."""
    clock = VirtualClock(datetime(1970, 1, 1, tzinfo=UTC))
    async with office() as csms:
        tell_time(csms, RIGHT)
        async with station(csms.url, version, clock=clock) as there:
            await there.accepted()
            await there.session.activity.idle()
            assert csms.calls("Heartbeat") == []
            tell_time(csms, "2026-06-01T13:00:00Z")
            await clock.advance(3600)
            await there.until(lambda: len(csms.calls("Heartbeat")) == 1)
            await there.session.activity.idle()
            assert len(csms.calls("Heartbeat")) == 1


# ---------------------------------------------------------------- time zones


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The computer lives in Berlin."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.usefixtures("berlin")
async def test_RPC_18_neither_the_computers_zone_nor_a_dst_jump_moves_the_station(
    version: str,
) -> None:
    """2026-10-25: at 01:00 UTC Berlin goes from +02:00 to +01:00, and its back office with it."""
    start = datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC)
    clock = VirtualClock(start)
    async with office() as csms:
        tell_time(csms, "2026-10-25T02:59:59+02:00")
        async with station(csms.url, version, clock=clock) as there:
            await there.accepted()
            await clock.advance(2)
            tell_time(csms, "2026-10-25T02:00:01+01:00")
            await beat(there, csms)
            assert there.hears.all(ClockSet) == []
            assert clock.now() == start + timedelta(seconds=2)
            there.session.intend(PlugIn(1))
            await there.session.activity.idle()
            assert csms.calls("StatusNotification")[-1]["timestamp"] == "2026-10-25T01:00:01Z"


# ---------------------------------------------------------------- over kills


class Rtc:
    """The computer's time, which goes on while nobody looks."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.link = ManualLinkClock()

    def clock(self, config: Config) -> SystemClock:
        made = SystemClock(
            rate=config.clock.rate,
            start=config.clock.start or self.now,
            monotonic=self.link.monotonic,
        )
        made.follow_server = config.clock.start is None and config.clock.rate == 1.0
        return made

    def passes(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.now += timedelta(seconds=1)
            self.link.advance(1)


def config(**flags: Any) -> Config:
    named = {name.replace("__", "."): value for name, value in flags.items()}
    return resolve(flags=named).config


def lives(rtc: Rtc, store: Store, settings: Config) -> tuple[SystemClock, CalendarKeeper]:
    """One start of the program."""
    clock = rtc.clock(settings)
    bring_back(settings, store, clock, lambda: rtc.now)
    keeper = CalendarKeeper(settings, store, clock, rtc.link, lambda: rtc.now)
    return clock, keeper


async def test_a_clock_that_was_moved_does_not_fall_back_after_a_kill() -> None:
    rtc, store, settings = Rtc(), Store(MEMORY), config()
    clock, keeper = lives(rtc, store, settings)
    keeper.start()
    clock.jump(86_400)
    keeper.write()  # with the first row that is committed after the jump
    before = clock.now()
    rtc.passes(60)
    again, _ = lives(rtc, store, settings)
    assert again.now() == before + timedelta(seconds=60)
    assert not again.follow_server  # people moved time: it stays theirs
    store.close()


async def test_what_the_back_office_set_is_kept_like_in_a_battery_clock() -> None:
    rtc, store, settings = Rtc(), Store(MEMORY), config()
    clock, keeper = lives(rtc, store, settings)
    keeper.start()
    clock.correct(rtc.now + timedelta(hours=2))
    rtc.passes(11)  # the keeper looks
    again, _ = lives(rtc, store, settings)
    assert again.now() == rtc.now + timedelta(hours=2)
    assert again.follow_server
    keeper.stop()
    store.close()


async def test_a_faster_clock_goes_on_from_where_it_was() -> None:
    rtc, store, settings = Rtc(), Store(MEMORY), config(clock__rate=60.0)
    clock, keeper = lives(rtc, store, settings)
    keeper.start()
    rtc.passes(600)
    keeper.stop()
    before = clock.now()
    assert before == datetime(2026, 1, 1, 10, tzinfo=UTC)
    again, _ = lives(rtc, store, settings)
    assert again.now() == before
    store.close()


async def test_what_the_configuration_says_anew_wins_and_what_it_said_before_does_not() -> None:
    rtc, store = Rtc(), Store(MEMORY)
    start = datetime(2030, 1, 1, tzinfo=UTC)
    settings = config(clock__start=start)
    clock, keeper = lives(rtc, store, settings)
    keeper.start()
    clock.jump(3600)
    keeper.stop()
    again, _ = lives(rtc, store, settings)
    assert again.now() == start + timedelta(hours=1)
    other = datetime(2031, 1, 1, tzinfo=UTC)
    anew, _ = lives(rtc, store, config(clock__start=other))
    assert anew.now() == other
    store.close()


async def test_drift_of_the_computer_writes_nothing() -> None:
    rtc, store, settings = Rtc(), Store(MEMORY), config()
    _, keeper = lives(rtc, store, settings)
    keeper.start()
    written = store.get("runtime.calendar", "offset")
    rtc.now += timedelta(milliseconds=400)
    rtc.passes(100)
    assert store.get("runtime.calendar", "offset") == written
    keeper.stop()
    store.close()


async def test_a_killed_session_comes_back_at_its_own_time(tmp_path: Path) -> None:
    """The whole station: jump, kill, start: no message is stamped before the last one."""
    async with office() as csms:
        clock = SystemClock()
        async with station(csms.url, "1.6", tmp_path / "a", clock=clock) as there:
            await there.accepted()
            clock.jump(100_000)
            there.session.intend(PlugIn(1))
            await there.session.settled()
            await there.session.activity.idle()
            last = clock.now()
            shutil.copytree(tmp_path / "a", tmp_path / "b")  # what a kill leaves
            (tmp_path / "b" / "state.sqlite3.lock").unlink(missing_ok=True)
        async with station(csms.url, "1.6", tmp_path / "b", clock=SystemClock()) as there:
            await there.accepted()
            assert there.session.clock.now() >= last
            assert not there.session.clock.follow_server
