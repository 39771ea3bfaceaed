"""Open points are read when they are met, and two options of one give two different conversations."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable

import pytest

from app.ocpp.events import OpenPointMet
from app.ocpp.version import Version
from app.station.intents import PlugIn, PresentCard, SetVehicle, Unplug
from tests.support.harness import MUTE, USUAL, Bench, Refuse, make_bench

__all__ = ["make_bench"]

V16, V201 = Version.V16, Version.V201
Story = Callable[[Bench], Awaitable[None]]
A1 = PresentCard("A", evse=1)


async def _reconnect(bench: Bench) -> None:
    await bench.offline()
    await bench.online()


async def _plug_and_card(bench: Bench) -> None:
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), A1, A1, Unplug(1))


async def _card_only(bench: Bench) -> None:
    await bench.do(PresentCard("A"))
    await bench.advance(90)


async def _unanswered(bench: Bench) -> None:
    action = "StartTransaction" if bench.version is V16 else "TransactionEvent"
    bench.csms.on(action, [MUTE] * 4 + [USUAL])
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), A1)
    await bench.advance(2000)


async def _refused(bench: Bench) -> None:
    bench.csms.on("TransactionEvent", [Refuse("InternalError")] * 2 + [USUAL])
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), A1)
    await bench.advance(400)


POINTS: list[tuple[str, Version, str, str, Story]] = [
    ("both-boot-on-reconnect", V16, "only-if-changed", "always", _reconnect),
    ("both-boot-on-reconnect", V201, "only-if-changed", "always", _reconnect),
    ("ocpp16-status-order", V16, "transaction-first", "status-first", _plug_and_card),
    ("ocpp16-card-first-connector", V16, "none", "all-free", _card_only),
    ("both-timeout-counts-as-failure", V16, "does-not-count", "counts", _unanswered),
    ("both-timeout-counts-as-failure", V201, "does-not-count", "counts", _unanswered),
    ("both-retry-message-id", V16, "same-id", "new-id", _unanswered),
    ("ocpp201-status-vs-notifyevent", V201, "status-notification", "both", _plug_and_card),
    ("ocpp201-tx-start-stop-point", V201, "power-path", "ev-connected", _plug_and_card),
    ("ocpp201-replay-rejected", V201, "drop-and-continue", "requeue-tail", _refused),
]


NUMBERS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\"eventId\": \d+")


def _trace(bench: Bench) -> list[str]:
    """What was said; ids that are drawn or counted stand as numbers in the order of their first use."""
    ids: dict[str, str] = {}

    def number(match: re.Match[str]) -> str:
        return ids.setdefault(match[0], f"#{len(ids)}")

    return [
        NUMBERS.sub(number, f"{one.message_id} {one.action} {json.dumps(one.payload)}")
        for one in bench.csms.heard
    ]


@pytest.mark.parametrize(
    ("point", "version", "one", "other", "story"),
    POINTS,
    ids=[f"{point}-{version.value}" for point, version, *_ in POINTS],
)
async def test_two_options_give_two_conversations_and_the_choice_may_change_while_it_runs(
    make_bench: Callable[..., Bench],
    point: str,
    version: Version,
    one: str,
    other: str,
    story: Story,
) -> None:
    """Decision: each open point is read at the moment of use, so a change needs no restart."""

    async def told(before_boot: str, after_boot: str) -> list[str]:
        bench = make_bench(version, points={point: before_boot})
        await bench.boot()
        bench.csms.heard.clear()
        bench.points.set(point, after_boot)
        await story(bench)
        met = [event for event in bench.happened(OpenPointMet) if event.point == point]
        assert met[-1].option == after_boot, met
        return _trace(bench)

    first, second = await told(one, one), await told(other, other)
    assert first != second
    assert await told(one, other) == second
    assert await told(other, one) == first
