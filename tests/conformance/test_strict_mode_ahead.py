"""Strict mode: what a person is asked before it is met, because nobody could be waited for then."""

from __future__ import annotations

import asyncio

from app.ocpp.context import KeySetting, OcppSettings
from app.ocpp.version import Version
from app.station.intents import PlugIn, Unplug
from tests.conformance.thoughtful import (
    BOTH,
    V16,
    V201,
    MakeBench,
    how,
    moment,
    plug_and_card,
    strict_bench,
)
from tests.conformance.v201.conftest import setting
from tests.support.harness import make_bench

__all__ = ["make_bench"]


async def test_a_point_that_is_asked_about_ahead_counts_as_met_when_it_is_met(
    make_bench: MakeBench,
) -> None:
    point = "ocpp201-aligned-during-tx"
    every_minute = (setting("AlignedDataCtrlr.Interval", "60"),)
    settings = OcppSettings(variables=every_minute)
    bench, person = strict_bench(make_bench, V201, point, settings=settings)
    await bench.boot()
    await plug_and_card(bench)
    assert (person.asked, how(bench)) == ([point], [])
    await person.says("metervalues")
    before = len(bench.sent("MeterValues"))
    bench.clock.advance_now(60)
    await moment()
    assert how(bench) == ["person"]
    assert 1 in [each["evseId"] for each in bench.sent("MeterValues")[before:]]
    assert person.asked == [point] * 2, "the next beat is foreseen"
    bench.clock.advance_now(60)
    await moment()
    assert how(bench) == ["person", "unasked"]
    await person.says(None)


async def test_a_driver_who_unplugs_while_a_person_thinks_about_the_session_starts_none(
    make_bench: MakeBench,
) -> None:
    point = "ocpp16-metervalues-begin-context"
    bench, person = strict_bench(make_bench, V16, point)
    await bench.boot()
    await plug_and_card(bench)
    assert (person.asked, bench.sent("StartTransaction")) == ([point], [])
    bench.intend(Unplug(1))
    await moment()
    await person.says("begin-in-first")
    assert bench.personality.sessions() == ()
    bench.intend(PlugIn(1))
    await moment()
    assert len(bench.personality.sessions()) == 1, "the driver was told to plug in"
    assert how(bench) == ["person"]
    await person.says(None)


@BOTH
async def test_whether_to_boot_again_is_asked_once_a_loss_however_often_it_tries_to_connect(
    make_bench: MakeBench, version: Version
) -> None:
    bench, person = strict_bench(make_bench, version, "both-boot-on-reconnect")
    await bench.boot()
    assert person.asked == [], "the first BootNotification is no open point"
    for answer, boots in (("always", 2), ("only-if-changed", 2), ("always", 3)):
        await bench.offline()
        trying = asyncio.ensure_future(bench.personality.before_link())
        await moment()
        await person.says(answer)
        await trying
        await bench.personality.before_link()  # the first attempt failed
        await bench.online()
        assert len(bench.sent("BootNotification")) == boots
    assert person.asked == ["both-boot-on-reconnect"] * 3


async def test_what_is_fixed_while_the_link_is_down_wins_over_what_was_said(
    make_bench: MakeBench,
) -> None:
    bench, person = strict_bench(make_bench, V16, "both-boot-on-reconnect")
    await bench.boot()
    await bench.offline()
    trying = asyncio.ensure_future(bench.personality.before_link())
    await moment()
    await person.says("always")
    await trying
    bench.points.set("both-boot-on-reconnect", "only-if-changed")
    await bench.online()
    assert len(bench.sent("BootNotification")) == 1


async def test_how_the_password_is_spelled_is_asked_before_each_handshake(
    make_bench: MakeBench,
) -> None:
    point = "ocpp16-authorization-key-encoding"
    keys = (KeySetting("AuthorizationKey", "00" * 16),)
    bench, person = strict_bench(make_bench, V16, point, settings=OcppSettings(keys=keys))
    for answer, password in (("decoded-bytes", bytes(16)), ("text-as-is", b"00" * 16)):
        opening = asyncio.ensure_future(bench.online())
        await moment()
        assert len(bench.logins) == len(person.asked) - 1, "not without an answer"
        await person.says(answer)
        await opening
        assert bench.logins[-1] == (password,)
        await bench.offline()


async def test_another_network_profile_is_reason_to_ask_which_text_is_followed(
    make_bench: MakeBench,
) -> None:
    """Errata B10.FR.10: only where the next link may lead to another profile than the last one."""
    bench, person = strict_bench(make_bench, V201, "ocpp201-baseline")
    await bench.boot()
    await bench.offline()
    await bench.online()
    assert person.asked == []
