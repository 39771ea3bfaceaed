"""What becomes of an order whose answer could not leave, because the link broke before: see `Reply`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from app.ocpp.context import BootReason, KeySetting, OcppSettings
from app.ocpp.version import Version
from app.station.intents import PlugIn, PresentCard, SetVehicle
from tests.conformance.v201.conftest import setting
from tests.support.harness import Bench, make_bench

__all__ = ["make_bench"]

V16, V201 = Version.V16, Version.V201
Make = Callable[..., Bench]
A1 = PresentCard("A", evse=1)

RESET = {V16: ("Reset", {"type": "Soft"}), V201: ("Reset", {"type": "Immediate"})}
OUT_OF_SERVICE = {
    V16: ("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}),
    V201: ("ChangeAvailability", {"evse": {"id": 1}, "operationalStatus": "Inoperative"}),
}
START = {
    V16: ("RemoteStartTransaction", {"idTag": "APP", "connectorId": 1}),
    V201: (
        "RequestStartTransaction",
        {"idToken": {"idToken": "APP", "type": "Central"}, "remoteStartId": 42, "evseId": 1},
    ),
}


@pytest.fixture(params=[V16, V201], ids=["1.6", "2.0.1"])
async def bench(request: pytest.FixtureRequest, make_bench: Make) -> Bench:
    settings = OcppSettings(
        keys=(KeySetting("AllowOfflineTxForUnknownId", "true"),),
        variables=(setting("AuthCtrlr.OfflineTxForUnknownIdEnabled", "true"),),
    )
    bench = make_bench(request.param, settings=settings)
    await bench.boot()
    return bench


async def order_unheard(bench: Bench, orders: dict[Version, tuple[str, dict[str, Any]]]) -> None:
    """The answer is held back, and the link breaks before it could leave."""
    action, payload = orders[bench.version]
    bench.overrides.add(action, "in", delay=5.0)
    bench.start_request(action, payload)
    for _ in range(10):  # until the answer is held back
        await asyncio.sleep(0)
    bench.dialogue.detach()
    bench.personality.link_down()
    bench.link.advance(6)
    await bench.rest()


def stop(bench: Bench) -> dict[Version, tuple[str, dict[str, Any]]]:
    (session,) = bench.personality.sessions()
    known = session.transaction_id or ""
    if bench.version is V16:
        return {V16: ("RemoteStopTransaction", {"transactionId": int(known)})}
    return {V201: ("RequestStopTransaction", {"transactionId": known})}


async def test_a_remote_start_is_not_acted_upon(bench: Bench) -> None:
    """Who asked takes it for refused, and the place is free for the next one."""
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1))
    await order_unheard(bench, START)
    assert bench.personality.sessions() == ()
    await bench.online()
    await bench.do(A1)
    (session,) = bench.personality.sessions()
    assert session.id_token == "A"


async def test_a_remote_stop_ends_the_session(bench: Bench) -> None:
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), A1)
    await order_unheard(bench, stop(bench))
    assert bench.personality.sessions() == ()


async def test_a_reset_is_done_and_the_boot_tells_of_it(bench: Bench) -> None:
    await order_unheard(bench, RESET)
    await bench.advance(60)
    assert bench.personality.ctx.boot_reason is BootReason.REMOTE_RESET


async def test_what_was_ordered_out_of_service_is_so_and_told_with_the_next_link(
    bench: Bench,
) -> None:
    await order_unheard(bench, OUT_OF_SERVICE)
    await bench.online()
    told = bench.sent("StatusNotification")[-1]
    assert "Unavailable" in told.values()
