"""Counting what is in motion."""

from __future__ import annotations

import asyncio

import pytest

from app.kernel.activity import Activity, Wakeup


async def parked(activity: Activity) -> tuple[Wakeup, asyncio.Task[None]]:
    wakeup = activity.wakeup()
    activity.begin()
    task = asyncio.create_task(wakeup.wait())
    task.add_done_callback(lambda _: activity.end())
    await activity.idle()
    return wakeup, task


async def test_idle_waits_until_the_last_one_has_ended() -> None:
    activity, order = Activity(), list[str]()

    async def wait() -> None:
        await activity.idle()
        order.append("idle")

    activity.begin()
    activity.begin()
    waiter = asyncio.create_task(wait())
    await asyncio.sleep(0)
    activity.end()
    await asyncio.sleep(0)
    order.append("one left")
    activity.end()
    await waiter
    assert order == ["one left", "idle"]


async def test_idle_looks_again_when_something_began_between_the_end_and_its_turn() -> None:
    activity = Activity()
    activity.begin()
    waiter = asyncio.create_task(activity.idle())
    await asyncio.sleep(0)
    activity.end()
    activity.begin()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not waiter.done()
    activity.end()
    await waiter


async def test_a_cancelled_waiter_for_rest_disturbs_nobody() -> None:
    activity = Activity()
    activity.begin()
    waiter = asyncio.create_task(activity.idle())
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.sleep(0)
    activity.end()
    assert activity.count == 0


def test_busy_counts_a_stretch_also_when_it_fails() -> None:
    activity = Activity()
    counts = []

    def work() -> None:
        with activity.busy():
            counts.append(activity.count)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        work()
    assert (counts, activity.count) == ([1], 0)


async def test_a_parked_coroutine_is_counted_in_before_it_runs() -> None:
    activity = Activity()
    wakeup, task = await parked(activity)
    assert activity.count == 0
    wakeup.set()
    assert activity.count == 1
    assert not task.done()
    wakeup.set()
    assert activity.count == 1
    await task
    await activity.idle()
    assert activity.count == 0


async def test_a_wakeup_set_before_does_not_park() -> None:
    activity = Activity()
    wakeup = activity.wakeup()
    wakeup.set()
    assert wakeup.is_set
    await wakeup.wait()
    assert activity.count == 0


async def test_a_coroutine_cancelled_while_parked_is_counted_in_at_once_and_out_at_its_end() -> (
    None
):
    activity = Activity()
    _, task = await parked(activity)
    task.cancel()
    assert activity.count == 1  # its clean-up still has to run: time must not move
    await activity.idle()
    assert task.cancelled()
    assert activity.count == 0


async def test_a_coroutine_woken_and_then_cancelled_is_counted_once() -> None:
    activity = Activity()
    wakeup, task = await parked(activity)
    wakeup.set()
    task.cancel()
    assert activity.count == 1
    await activity.idle()
    assert task.cancelled()
    assert activity.count == 0


async def test_a_coroutine_cancelled_and_then_woken_is_counted_once() -> None:
    activity = Activity()
    wakeup, task = await parked(activity)
    task.cancel()
    wakeup.set()
    assert activity.count == 1
    await activity.idle()
    assert activity.count == 0
