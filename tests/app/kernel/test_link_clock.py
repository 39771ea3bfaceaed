"""Link time."""

from __future__ import annotations

import asyncio

from app.kernel.link_clock import ManualLinkClock, RealLinkClock


def test_manual_link_time_fires_in_order_and_only_what_is_due() -> None:
    link, seen = ManualLinkClock(), list[tuple[str, float]]()
    link.call_later(2, lambda: seen.append(("b", link.monotonic())))
    link.call_later(1, lambda: seen.append(("a", link.monotonic())))
    link.call_later(1.5, lambda: seen.append(("gone", 0.0))).cancel()
    link.call_later(9, lambda: seen.append(("late", 0.0)))
    link.advance(3)
    assert seen == [("a", 1.0), ("b", 2.0)]
    assert link.monotonic() == 3.0


async def test_manual_link_sleep_wakes_when_moved_and_survives_being_cancelled() -> None:
    link = ManualLinkClock()
    sleeper = asyncio.create_task(link.sleep(5))
    cancelled = asyncio.create_task(link.sleep(5))
    await asyncio.sleep(0)
    cancelled.cancel()
    link.advance(4.9)
    await asyncio.sleep(0)
    assert not sleeper.done()
    link.advance(0.2)
    await sleeper
    assert cancelled.cancelled()


async def test_the_real_link_clock_is_the_loops_own_time() -> None:
    link, fired = RealLinkClock(), asyncio.Event()
    before = link.monotonic()
    link.call_later(0.001, fired.set)
    await fired.wait()
    await link.sleep(0)
    assert link.monotonic() >= before


async def test_the_real_link_clock_asks_no_loop_for_more_than_it_can_count() -> None:
    """A Qt loop counts its timers in milliseconds of 32 bits, a back office may want a ping a century."""
    timer = RealLinkClock().call_later(3e9, lambda: None)
    assert isinstance(timer, asyncio.TimerHandle)
    left = timer.when() - asyncio.get_running_loop().time()
    assert 86_400 < left < 2**31 / 1000
    timer.cancel()
