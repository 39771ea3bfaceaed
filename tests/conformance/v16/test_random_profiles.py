"""Whatever profiles lie in the station: what GetCompositeSchedule promises is offered, at each moment.

The promise is asked for once and then lived through, past the edges of periods, durations, validities and
days (SC-02, SC-03, SC-05 to SC-11, SC-15, SC-18, SC-21).
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from app.kernel.units import stamp
from app.station.power import MIN_AC_CURRENT
from tests.conformance.v16.conftest import Make
from tests.conformance.v16.test_smart_charging import charging, composite, profile, put
from tests.support.harness import Bench

PURPOSES = ("TxDefaultProfile", "TxDefaultProfile", "TxProfile", "ChargePointMaxProfile")
AMPS = (0.0, 7.3, 10.0, 16.5, 20.0, 32.0, 63.0)
LENGTH = 7200


def some_profile(source: random.Random, bench: Bench, ident: int) -> tuple[int, dict[str, Any]]:
    """A place and a profile that may be installed there."""
    unit = source.choice(("A", "A", "W"))
    periods: list[tuple[int, ...] | tuple[int, float]] = []
    start = 0
    for _ in range(source.randint(1, 4)):
        limit = source.choice(AMPS)
        period: Any = (start, limit if unit == "A" else round(limit * 690, 1))
        periods.append(period if source.random() < 0.6 else (*period, source.randint(1, 3)))
        start += source.choice((60, 300, 777, 1800))
    what: dict[str, Any] = {"kind": source.choice(("Absolute", "Recurring", "Relative"))}

    def maybe(chance: float, name: str, *seconds: int) -> None:
        if source.random() < chance:
            what[name] = stamp(bench.now + timedelta(seconds=source.choice(seconds)))

    if what["kind"] != "Relative":
        chance = 0.7 if what["kind"] == "Absolute" else 1.0
        maybe(chance, "start", -100_000, -4000, -600, 0, 500, 3000)
    if what["kind"] == "Recurring":
        what["recurrencyKind"] = source.choice(("Daily", "Weekly"))
    if source.random() < 0.5:
        what["duration"] = source.choice((30, 600, 2000, 90_000))
    maybe(0.3, "validFrom", -500, 400, 1500)
    maybe(0.3, "validTo", 1700, 2500, 5000)
    purpose = source.choice(PURPOSES)
    place = {"ChargePointMaxProfile": 0, "TxProfile": 1}.get(purpose, source.randint(0, 1))
    level = source.randint(0, 3)
    return place, profile(ident, purpose, level=level, periods=periods, unit=unit, **what)


async def promise(bench: Bench, number: int, unit: str) -> list[dict[str, Any]]:
    answer = await composite(bench, number, LENGTH, chargingRateUnit=unit)
    periods: list[dict[str, Any]] = answer["chargingSchedule"]["chargingSchedulePeriod"]
    return periods


def in_force(periods: list[dict[str, Any]], offset: float) -> dict[str, Any]:
    return [period for period in periods if period["startPeriod"] <= offset][-1]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("blueprint", "unit", "rating"),
    [("public-ac-2x22", "A", 32.0), ("home-ac-11", "A", 16.0), ("dc-2x150", "W", 150_000.0)],
)
async def test_what_is_promised_is_what_is_offered(
    bench16: Make, blueprint: str, unit: str, rating: float, seed: int
) -> None:
    source = random.Random(seed)
    bench = bench16(blueprint)
    await charging(bench)
    for ident in range(1, source.randint(3, 9)):
        assert await put(bench, *some_profile(source, bench, ident)) == "Accepted"
        await bench.advance(source.choice((0, 0, 1, 50, 333)))
    promised = await promise(bench, 1, unit)
    begin = bench.now.replace(microsecond=0)
    while True:
        await bench.advance(source.choice((1, 59, 60, 61, 120, 299, 300)))
        offset = (bench.now - begin).total_seconds()
        if offset >= LENGTH:
            return
        now = in_force(promised, offset)
        if unit == "W":  # A of a DC cable are worth more W as the battery's voltage rises
            now = (await promise(bench, 1, unit))[0]
        expected = min(now["limit"], rating)
        if unit == "A" and expected < MIN_AC_CURRENT:
            expected = 0.0  # SC-15
        reading = bench.station.meter(1)
        offered = reading.offered_current if unit == "A" else reading.offered_power
        assert offered == pytest.approx(expected, abs=0.06, rel=1e-3), (offset, promised)
        used = bench.station.snapshot().evse(1).phases_used
        assert unit == "W" or used <= now.get("numberPhases", 3), (offset, promised)


@pytest.mark.parametrize("seed", range(4))
async def test_two_cars_get_no_more_than_their_own_and_the_whole(bench16: Make, seed: int) -> None:
    source = random.Random(seed)
    sharing = source.choice(("equal-share", "first-come", "proportional", "priority"))
    bench = bench16("public-ac-2x22", points={"ocpp16-max-profile-allocation": sharing})
    await charging(bench, 1, 2)
    for ident in range(1, source.randint(3, 9)):
        assert await put(bench, *some_profile(source, bench, ident)) == "Accepted"
        await bench.advance(source.choice((0, 0, 1, 50, 333)))
    promises = [await promise(bench, number, "A") for number in (0, 1, 2)]
    begin = bench.now.replace(microsecond=0)
    while True:
        await bench.advance(source.choice((1, 59, 60, 61, 120, 299, 300)))
        offset = (bench.now - begin).total_seconds()
        if offset >= LENGTH:
            return
        whole, *own = (in_force(periods, offset)["limit"] for periods in promises)
        offered = [bench.station.meter(evse).offered_current for evse in (1, 2)]
        assert sum(offered) <= whole + 0.06, (offset, offered, promises)
        for given, most in zip(offered, own, strict=True):
            assert given <= most + 0.06, (offset, offered, promises)
