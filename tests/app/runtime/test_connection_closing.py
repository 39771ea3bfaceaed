"""The link to a back office: how it ends, by either side or by the network plug."""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.ocpp.events import LinkClosed, LinkFailed, LinkOpened
from app.runtime import wire
from app.runtime.address import address
from app.runtime.views import LinkState
from tests.app.runtime.connection_bench import (
    Make,
    exchange,
    make,
    rest,
)
from tests.app.runtime.office import Hears, Office, our_tasks

__all__ = ["make"]


# ---------------------------------------------------------------- closing


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (1000, "closed_normal"),
        (1001, "closed_going_away"),
        (1008, "closed_policy"),
        (1011, "closed_server_error"),
        (1012, "closed_restart"),
        (4123, "closed_private"),
    ],
)
async def test_each_close_code_gets_its_sentence(
    make: Make, office: Office, hears: Hears, catalogue: Catalogue, code: int, name: str
) -> None:
    office.close_with = (code, "because")
    make(office.url).connection.start()
    closed = await hears.next(LinkClosed)
    assert (closed.why.id, closed.code) == (f"runtime.link.{name}", code)
    assert "because" in catalogue.render(closed.why)


async def test_a_link_that_breaks_without_goodbye_is_told(
    make: Make, office: Office, hears: Hears
) -> None:
    bench = make(office.url)
    bench.connection.start()
    await hears.next(LinkOpened)
    await asyncio.wait_for(office.came.wait(), 5)
    office.guests[0].transport.abort()
    closed = await hears.next(LinkClosed)
    assert (closed.why.id, closed.code) == ("runtime.link.lost", None)


async def test_another_station_with_the_same_id_is_recognised_by_what_the_server_says(
    make: Make, office: Office, hears: Hears, catalogue: Catalogue
) -> None:
    office.close_with = (1000, "Replaced by a new connection")
    make(office.url).connection.start()
    closed = await hears.next(LinkClosed)
    assert closed.why.id == "runtime.link.id_taken"
    assert "CS-1" in catalogue.render(closed.why)


async def test_another_station_with_the_same_id_is_suspected_after_three_short_lives(
    make: Make, office: Office, hears: Hears, catalogue: Catalogue
) -> None:
    office.close_with = (1008, "")
    bench = make(office.url)
    bench.connection.start()
    names = []
    for _ in range(3):
        closed = await hears.next(LinkClosed)
        names.append(closed.why.id)
        assert closed.retry_in is not None
        bench.link.advance(closed.retry_in)
    assert names == ["runtime.link.closed_policy"] * 2 + ["runtime.link.id_perhaps_taken"]
    assert "CS-1" in catalogue.render(closed.why)


async def test_a_message_that_is_too_big_closes_the_link_with_a_sentence(
    make: Make, office: Office, hears: Hears, catalogue: Catalogue
) -> None:
    bench = make(office.url)
    bench.aim(max_size=1024 * 1024)
    bench.connection.start()
    await hears.next(LinkOpened)
    await asyncio.wait_for(office.came.wait(), 5)
    with contextlib.suppress(Exception):
        await office.guests[0].send("x" * (1024 * 1024 + 1))
    closed = await hears.next(LinkClosed)
    assert closed.why.id == "runtime.link.too_big"
    assert "1 MiB" in catalogue.render(closed.why)
    assert bench.user.heard.empty()
    assert bench.user.log[:2] == ["opened 2.0.1", "closed, too large"]


async def test_a_message_longer_than_what_is_read_at_once_arrives_whole(
    make: Make, office: Office, hears: Hears
) -> None:
    bench = make(office.url)
    bench.connection.start()
    await hears.next(LinkOpened)
    await asyncio.wait_for(office.came.wait(), 5)
    text = "".join(f"{number:07} " for number in range(3 * wire.READ_AT_ONCE // 8))
    await office.guests[0].send(text)
    assert await asyncio.wait_for(bench.user.heard.get(), 5) == text


@pytest.mark.parametrize("first", ["send", "ping", "close", "abort"])
async def test_a_link_that_closes_under_megabytes_of_ours_is_closed_and_nothing_else(
    first: str,
) -> None:
    few = {"max_size": 1_000, "compression": None, "subprotocols": ["ocpp1.6"]}
    async with serve(_listen, "127.0.0.1", 0, **few) as server:
        port = server.sockets[0].getsockname()[1]
        where = address(f"ws://127.0.0.1:{port}", "CS-1")
        link = await wire.open_websocket(wire.OpenRequest(where, ("ocpp1.6",)))
        await link.send("x" * 8_000_000)
        with pytest.raises(wire.WireClosed, match="1009"):
            await link.receive()
        if first == "close":
            await link.close(1000, "")
        elif first == "abort":
            link.abort()
        else:
            with pytest.raises(wire.WireClosed, match="1009"):
                await (link.ping() if first == "ping" else link.send("x"))


async def _listen(socket: ServerConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        async for _ in socket:
            pass


async def test_an_extension_that_was_not_offered_is_told_as_that() -> None:
    def extended(_: ServerConnection, __: Request, response: Response) -> None:
        response.headers["Sec-WebSocket-Extensions"] = "permessage-deflate"

    plain = {"process_response": extended, "compression": None, "subprotocols": ["ocpp1.6"]}
    async with serve(_listen, "127.0.0.1", 0, **plain) as server:
        where = address(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", "CS-1")
        with pytest.raises(wire.OpenFailed) as failed:
            await wire.open_websocket(wire.OpenRequest(where, ("ocpp1.6",)))
    assert failed.value.why.id == "runtime.link.extension"


async def test_our_own_close_delivers_what_was_handed_over_and_comes_back_at_once(
    make: Make, office: Office, hears: Hears
) -> None:
    bench = make(office.url)
    bench.connection.start()
    await hears.next(LinkOpened)
    for n in range(50):
        bench.connection.send(f"last {n}")
    bench.connection.close_link(Text("runtime.link.own", {"why": "new password"}))
    closed = await hears.next(LinkClosed)
    assert (closed.why.id, closed.retry_in) == ("runtime.link.own", 0)
    await hears.next(LinkOpened)
    assert office.texts == [f"last {n}" for n in range(50)]
    await asyncio.sleep(0)
    assert bench.user.log == ["opened 2.0.1", "closed", "opened 2.0.1"]


async def test_an_orderly_stop_says_goodbye_after_the_last_text(
    make: Make, office: Office, hears: Hears
) -> None:
    bench = make(office.url)
    bench.connection.start()
    await hears.next(LinkOpened)
    bench.connection.send("the last word")
    await bench.connection.stop()
    guest = await asyncio.wait_for(office.left.get(), 5)
    assert (guest.close_code, office.texts) == (1001, ["the last word"])
    assert bench.connection.view.state is LinkState.OFF


async def test_a_shut_gate_sends_nothing_more_and_says_no_goodbye(
    make: Make, office: Office, hears: Hears
) -> None:
    bench = make(office.url)
    bench.connection.start()
    await hears.next(LinkOpened)
    await exchange(bench, office)
    bench.connection.shut_gate()
    bench.connection.send("too late")
    assert not bench.connection.online
    guest = await asyncio.wait_for(office.left.get(), 5)
    assert guest.close_code == 1006
    assert "too late" not in office.texts
    await bench.connection.stop()
    assert bench.user.log == ["opened 2.0.1"]
    assert hears.all(LinkClosed)[-1].why.id == "runtime.link.powered_off"


# ---------------------------------------------------------------- the network plug


async def test_a_pulled_network_plug_cuts_the_link_until_it_is_back(
    make: Make, office: Office, hears: Hears
) -> None:
    bench = make(office.url)
    bench.connection.start()
    await hears.next(LinkOpened)
    bench.connection.set_network(False)
    bench.connection.send("into the void")
    closed = await hears.next(LinkClosed)
    assert (closed.why.id, closed.retry_in) == ("runtime.link.network_cut", None)
    await rest()
    assert bench.connection.view.state is LinkState.OFFLINE
    bench.connection.retry_now()
    await rest()
    assert bench.connection.view.state is LinkState.OFFLINE
    bench.connection.set_network(True)
    await hears.next(LinkOpened)
    assert office.texts == []


async def test_a_network_plug_pulled_while_connecting_ends_the_attempt(
    make: Make, office: Office, hears: Hears
) -> None:
    bench = make(office.url)
    bench.connection.start()
    await rest(3)
    assert bench.connection.view.state is LinkState.CONNECTING
    bench.connection.set_network(False)
    await rest()
    assert bench.connection.view.state is LinkState.OFFLINE
    assert hears.all(LinkFailed) == []
    bench.connection.set_network(True)
    await hears.next(LinkOpened)


async def test_stopping_in_the_middle_of_an_attempt_or_a_wait_leaves_no_task(
    make: Make, office: Office, hears: Hears
) -> None:
    connecting = make(office.url)
    connecting.connection.start()
    await rest(3)
    assert our_tasks() == {"connection", "link open"}
    await connecting.connection.stop()
    assert our_tasks() == set()
    office.refuse = (HTTPStatus.FORBIDDEN, "")
    waiting = make(office.url)
    waiting.connection.start()
    await hears.next(LinkFailed)
    assert our_tasks() == {"connection"}
    await waiting.connection.stop()
    assert our_tasks() == set()
