"""A week of fifty profiles is computed while nobody notices."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable

import pytest

from app.ocpp.shared.charging_profiles import (
    Installed,
    Purpose,
    Rate,
    Recurrency,
    Unit,
    composite,
)
from tests.app.ocpp.shared.build import NOON, charging, later, put

WEEK = 7 * 86_400
OUTLET = charging(rating=Rate(32, Unit.A))


def days_in_hours() -> list[Installed]:
    """Fifty days of 24 hours, in all four purposes, each with its own beginning."""
    return [_profile(n, list(Purpose)[n % 4], n // 4, 3600) for n in range(50)]


def scattered() -> list[Installed]:
    """Fifty profiles that leave gaps to each other."""
    return [_profile(n, list(Purpose)[n % 4], n // 4, 200) for n in range(50)]


def nothing_hidden() -> list[Installed]:
    """The worst there is: hardly any of 8400 steps lies below another."""
    return [_profile(n, Purpose.TX_DEFAULT, n, 60) for n in range(50)]


def _profile(number: int, purpose: Purpose, level: int, step: int) -> Installed:
    steps = [(hour * step, 6 + (number * 7 + hour * 3) % 26) for hour in range(24)]
    return put(
        number,
        purpose,
        steps,
        place=1 if purpose is Purpose.TX else number % 2,
        level=level,
        start=later(1700 * number - 10 * 86_400),
        duration=24 * step,
        every=Recurrency.DAILY,
        transaction="T" if purpose is Purpose.TX else None,
    )


@pytest.mark.parametrize("make", [days_in_hours, scattered, nothing_hidden])
def test_seven_days_of_fifty_profiles_with_24_periods_take_20_milliseconds(
    make: Callable[[], list[Installed]],
) -> None:
    """Wanted: below 20 ms. Asserted: below 60 ms of processor time, as machines that test are busy."""
    items = make()
    assert sum(len(item.profile.schedule.periods) for item in items) == 1200
    taken = []
    tracing = sys.gettrace()
    sys.settrace(None)  # what measures coverage would be measured too
    try:
        for _ in range(7):
            gc.collect()
            begin = time.process_time()
            schedule = composite(items, OUTLET, NOON, WEEK, Unit.W)
            taken.append((time.process_time() - begin) * 1000)
    finally:
        sys.settrace(tracing)
    print(f"{make.__name__}: {len(schedule.pieces)} pieces in {min(taken):.1f} ms")
    assert min(taken) < 60
