"""The link to a back office, over real sockets; the waits between attempts on a clock that we move."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from http import HTTPStatus
from random import Random

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from app.kernel.bus import Bus
from app.kernel.catalogue import Catalogue
from app.kernel.link_clock import ManualLinkClock
from app.kernel.text import Text
from app.ocpp.events import LinkClosed, LinkFailed, LinkOpened, TaskFailed
from app.ocpp.personality import LinkPolicy
from app.ocpp.version import Version
from app.runtime import wire
from app.runtime.address import address
from app.runtime.connection import Connection, Target
from app.runtime.tls import TlsFiles, tls_context
from app.runtime.views import LinkState
from tests.app.runtime.conftest import Certificates
from tests.app.runtime.office import Hears, Office, Proxy, our_tasks

BOTH = (Version.V201, Version.V16)


class User:
    """Who lives on the link: notes what it is told."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.heard: asyncio.Queue[str | bytes] = asyncio.Queue()

    def link_opened(self, version: Version) -> None:
        self.log.append(f"opened {version.value}")

    def link_closed(self, *, too_large: bool) -> None:
        self.log.append("closed, too large" if too_large else "closed")

    def received(self, text: str | bytes) -> None:
        self.heard.put_nowait(text)


class Bench:
    """A connection with all that it needs."""

    def __init__(self, bus: Bus, url: str) -> None:
        self.bus = bus
        self.link = ManualLinkClock()
        self.user = User()
        self.policy = LinkPolicy(ping_interval=0)
        self.target: Target | None = Target(url, "CS-1", BOTH)
        self.connection = Connection(
            bus=bus,
            link=self.link,
            target=lambda: self.target,
            policy=lambda: self.policy,
            user=self.user,
            random=Random(1),
        )

    def aim(self, **changes: object) -> None:
        assert self.target is not None
        self.target = replace(self.target, **changes)  # type: ignore[arg-type]


def failing_for(*faults: Exception) -> Callable[[Version], None]:
    """What is told of each link: the first ones are answered with these faults."""
    left = list(faults)

    def link_opened(_: Version) -> None:
        if left:
            raise left.pop(0)

    return link_opened


Make = Callable[[str], Bench]


@pytest.fixture
async def make(bus: Bus) -> AsyncIterator[Make]:
    benches: list[Bench] = []

    def make(url: str) -> Bench:
        benches.append(Bench(bus, url))
        return benches[-1]

    yield make
    for bench in benches:
        await bench.connection.stop()
        assert not bench.connection._tasks
    left = [t for t in asyncio.all_tasks() if t.get_name().startswith(("link", "connection"))]
    assert left == []


# ---------------------------------------------------------------- opening


async def test_RPC_01_both_subprotocols_are_offered_newest_first_and_the_servers_choice_counts(
    make: Make, office: Office, hears: Hears
) -> None:
    office.subprotocols = ["ocpp1.6"]
    bench = make(office.url)
    bench.connection.start()
    opened = await hears.next(LinkOpened)
    assert opened == LinkOpened(f"{office.url}/CS-1", Version.V16)
    assert office.requests[0].headers["Sec-WebSocket-Protocol"] == "ocpp2.0.1, ocpp1.6"
    await asyncio.sleep(0)  # its user is told in a turn of its own
    assert bench.user.log == ["opened 1.6"]
    assert bench.connection.view.state is LinkState.ONLINE
    assert bench.connection.online


async def test_RPC_01_the_id_is_percent_encoded_behind_the_path(
    make: Make, office: Office, hears: Hears
) -> None:
    bench = make(office.url + "/?tenant=a%20b")
    bench.aim(station_id="RDAM/1 2%ü")
    bench.connection.start()
    await hears.next(LinkOpened)
    assert office.requests[0].path == "/ocpp/RDAM%2F1%202%25%C3%BC?tenant=a%20b"


async def test_compression_is_not_offered(make: Make, office: Office, hears: Hears) -> None:
    make(office.url).connection.start()
    await hears.next(LinkOpened)
    assert "Sec-WebSocket-Extensions" not in office.requests[0].headers


async def test_RPC_16_basic_auth_carries_id_and_password_bytes_and_is_never_logged(
    make: Make, office: Office, hears: Hears, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bench = make(office.url)
    bench.aim(password=b"s3cr\xe9t:x", security_profile=1)
    bench.connection.start()
    opened = await hears.next(LinkOpened)
    header = office.requests[0].headers["Authorization"]
    assert base64.b64decode(header.removeprefix("Basic ")) == b"CS-1:s3cr\xe9t:x"
    secrets = (header.removeprefix("Basic "), "s3cr")
    client_lines = [r.getMessage() for r in caplog.records if "server" not in r.name]
    assert not any(secret in line for secret in secrets for line in client_lines)
    assert not any(secret in repr(bench.target) + repr(opened) for secret in secrets)


async def test_user_and_password_of_the_address_are_used_and_not_shown(
    make: Make, office: Office, hears: Hears
) -> None:
    bench = make(office.url.replace("://", "://anna:p%40ss@"))
    bench.connection.start()
    opened = await hears.next(LinkOpened)
    header = office.requests[0].headers["Authorization"]
    assert base64.b64decode(header.removeprefix("Basic ")) == b"anna:p@ss"
    assert opened.url == f"{office.url}/CS-1"


async def test_texts_leave_in_order_and_arrive_in_order(
    make: Make, office: Office, hears: Hears
) -> None:
    bench = make(office.url)
    bench.connection.send("nobody hears this")
    bench.connection.start()
    await hears.next(LinkOpened)
    texts = [f"text {n} " + "x" * n * 50 for n in range(200)]
    for text in texts:
        bench.connection.send(text)
    assert [await office.said.get() for _ in texts] == texts
    for text in texts:
        await office.guests[0].send(text)
    await office.guests[0].send(b"bytes too")
    assert [await bench.user.heard.get() for _ in range(201)] == [*texts, b"bytes too"]


async def test_a_receiver_that_raises_does_not_end_the_link(
    make: Make, office: Office, hears: Hears
) -> None:
    bench = make(office.url)
    bench.user.received = lambda text: 1 / 0  # type: ignore[method-assign, assignment]
    bench.connection.start()
    await hears.next(LinkOpened)
    await office.guests[0].send("boom")
    failed = await hears.next(TaskFailed)
    assert "ZeroDivisionError" in failed.error
    assert bench.connection.online


async def test_a_fault_of_ours_costs_one_link_and_not_those_that_follow(
    make: Make, office: Office, hears: Hears
) -> None:
    bench = make(office.url)
    bench.policy = LinkPolicy(ping_interval=0, backoff_random=0)
    bench.user.link_opened = failing_for(ZeroDivisionError("oops"))  # type: ignore[method-assign]
    bench.connection.start()
    failed = await hears.next(TaskFailed)
    assert failed.error == "ZeroDivisionError: oops"
    await asyncio.wait_for(office.left.get(), 5)
    assert not bench.connection.online
    assert bench.connection.view.state is LinkState.WAITING
    assert bench.user.log == ["closed"]
    bench.link.advance(3)
    await hears.next(LinkOpened)
    assert bench.connection.online


# ---------------------------------------------------------------- refusals


async def test_RPC_01_a_server_that_selects_no_subprotocol_is_left_and_told(
    make: Make, office: Office, hears: Hears, catalogue: Catalogue
) -> None:
    office.subprotocols = None
    bench = make(office.url)
    bench.connection.start()
    failed = await hears.next(LinkFailed)
    assert failed.step == "subprotocol"
    assert "ocpp2.0.1, ocpp1.6" in catalogue.render(failed.why)
    guest = await asyncio.wait_for(office.left.get(), 5)
    assert guest.close_code == 1002
    assert bench.user.log == []
    assert bench.connection.view.state is LinkState.WAITING


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 409, 426, 429, 500, 503])
async def test_each_refusal_of_the_handshake_gets_its_sentence(
    make: Make, office: Office, hears: Hears, catalogue: Catalogue, status: int
) -> None:
    office.refuse = (HTTPStatus(status), "no\x1b[31m entry\n")
    make(office.url).connection.start()
    failed = await hears.next(LinkFailed)
    assert failed.step == "http"
    sentence = catalogue.render(failed.why)
    assert str(status) in sentence
    assert "{" not in sentence
    assert "\x1b" not in sentence


async def test_a_name_that_does_not_resolve_fails_at_dns(
    make: Make, hears: Hears, catalogue: Catalogue
) -> None:
    bench = make("ws://no-such-host.invalid/ocpp")
    bench.aim(proxy="none")
    bench.connection.start()
    failed = await hears.next(LinkFailed)
    assert failed.step == "dns"
    assert "no-such-host.invalid" in catalogue.render(failed.why)


async def test_a_port_where_nobody_listens_fails_at_tcp(
    make: Make, hears: Hears, catalogue: Catalogue, unused_tcp_port: int
) -> None:
    make(f"ws://127.0.0.1:{unused_tcp_port}/x").connection.start()
    failed = await hears.next(LinkFailed)
    assert (failed.step, failed.why.id) == ("tcp", "runtime.link.refused")
    assert str(unused_tcp_port) in catalogue.render(failed.why)


async def test_a_server_that_never_answers_is_told_as_mute(make: Make, hears: Hears) -> None:
    quiet = asyncio.Event()

    async def stay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await quiet.wait()
        writer.close()

    server = await asyncio.start_server(stay, "127.0.0.1", 0)
    bench = make(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/x")
    bench.aim(timeout=0.1)
    bench.connection.start()
    failed = await hears.next(LinkFailed)
    assert (failed.step, failed.why.id) == ("http", "runtime.link.http_timeout")
    quiet.set()
    server.close()


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (b"", "runtime.link.no_answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "runtime.link.no_answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "runtime.link.http_other"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "runtime.link.no_websocket"),
    ],
    ids=["hang up", "ssh", "web page", "no upgrade"],
)
async def test_what_is_no_websocket_server_is_told(
    make: Make, hears: Hears, answer: bytes, name: str
) -> None:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    make(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/x").connection.start()
    failed = await hears.next(LinkFailed)
    assert (failed.step, failed.why.id) == ("http", name)
    server.close()


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://host/x", "scheme"),
        ("host:8080", "scheme"),
        ("ws://", "no_host"),
        ("ws://host:99999/", "bad"),
        ("ws://host:0/", "bad"),
        ("ws://host/#part", "fragment"),
    ],
)
async def test_an_address_that_cannot_be_is_told(
    make: Make, hears: Hears, catalogue: Catalogue, url: str, name: str
) -> None:
    make(url).connection.start()
    failed = await hears.next(LinkFailed)
    assert (failed.step, failed.why.id) == ("url", f"runtime.address.{name}")
    assert "{" not in catalogue.render(failed.why)


async def test_without_a_back_office_it_waits_until_one_is_set(
    make: Make, office: Office, hears: Hears
) -> None:
    bench = make(office.url)
    target, bench.target = bench.target, None
    bench.connection.start()
    await asyncio.sleep(0)
    assert bench.connection.view.state is LinkState.UNSET
    bench.target = target
    bench.connection.retry_now()
    await hears.next(LinkOpened)


# ---------------------------------------------------------------- back-off


async def test_RPC_13_waits_double_then_stay_and_it_never_gives_up(
    make: Make, hears: Hears, unused_tcp_port: int
) -> None:
    bench = make(f"ws://127.0.0.1:{unused_tcp_port}/x")
    bench.policy = LinkPolicy(backoff_minimum=3, backoff_random=2, backoff_repeats=3)
    bench.connection.start()
    waits = []
    for attempt in range(1, 9):
        failed = await hears.next(LinkFailed)
        assert failed.attempt == attempt
        assert failed.retry_in is not None
        waits.append(failed.retry_in)
        bench.link.advance(failed.retry_in)
    expected = Random(1)
    last = 3 + expected.uniform(0, 2)
    wanted = [last]
    for _ in range(3):
        last = last * 2 + expected.uniform(0, 2)
        wanted.append(last)
    assert waits[:4] == wanted
    assert waits[4:] == [wanted[-1]] * 4
    assert 3 <= waits[0] <= 5


async def test_RPC_13_errata_4_a_success_begins_the_waits_anew(
    make: Make, office: Office, hears: Hears
) -> None:
    office.refuse = (HTTPStatus.SERVICE_UNAVAILABLE, "later")
    bench = make(office.url)
    bench.policy = LinkPolicy(ping_interval=0, backoff_random=0)
    bench.connection.start()
    waits = []
    for _ in range(3):
        failed = await hears.next(LinkFailed)
        waits.append(failed.retry_in)
        assert failed.retry_in is not None
        if len(waits) == 3:
            office.refuse = None
        bench.link.advance(failed.retry_in)
    assert waits == [3, 6, 12]
    await hears.next(LinkOpened)
    await asyncio.wait_for(office.came.wait(), 5)
    await office.guests[-1].close()
    closed = await hears.next(LinkClosed)
    assert closed.retry_in == 3


async def test_a_person_need_not_wait_for_the_next_attempt(
    make: Make, office: Office, hears: Hears
) -> None:
    office.refuse = (HTTPStatus.SERVICE_UNAVAILABLE, "later")
    bench = make(office.url)
    bench.connection.start()
    await hears.next(LinkFailed)
    office.refuse = None
    bench.connection.retry_now()
    await hears.next(LinkOpened)


# ---------------------------------------------------------------- pings


async def test_RPC_12_a_ping_each_interval_and_no_loss_while_pongs_come(
    make: Make, office: Office, hears: Hears
) -> None:
    bench = make(office.url)
    bench.policy = LinkPolicy(ping_interval=10)
    bench.connection.start()
    await hears.next(LinkOpened)
    for _ in range(3):
        await rest()
        bench.link.advance(10)
        await exchange(bench, office)  # the pong has come before this text came back
    bench.link.advance(9)
    await exchange(bench, office)
    assert bench.connection.online
    assert hears.all(LinkClosed) == []


async def test_RPC_12_a_pong_that_does_not_come_means_the_link_is_lost(
    make: Make, office: Office, hears: Hears, catalogue: Catalogue
) -> None:
    bench = make(office.url)
    bench.policy = LinkPolicy(ping_interval=20, message_timeout=30)
    bench.connection.start()
    await hears.next(LinkOpened)
    await asyncio.wait_for(office.came.wait(), 5)
    office.guests[0].deaf = True
    await rest()
    bench.link.advance(20)
    await rest()
    bench.link.advance(19)
    await rest()
    assert bench.connection.online
    bench.link.advance(1)
    closed = await hears.next(LinkClosed)
    assert closed.why.id == "runtime.link.mute"
    assert "20 s" in catalogue.render(closed.why)
    assert bench.user.log == ["opened 2.0.1", "closed"]
    assert closed.retry_in is not None
    bench.link.advance(closed.retry_in)
    await hears.next(LinkOpened)


async def test_RPC_12_an_interval_of_0_sends_no_ping_and_a_new_interval_counts_at_once(
    make: Make, office: Office, hears: Hears
) -> None:
    bench = make(office.url)
    bench.policy = LinkPolicy(ping_interval=0)
    bench.connection.start()
    await hears.next(LinkOpened)
    await asyncio.wait_for(office.came.wait(), 5)
    office.guests[0].deaf = True
    await rest()
    bench.link.advance(100_000)
    await rest()
    assert bench.connection.online
    bench.policy = LinkPolicy(ping_interval=5)
    bench.connection.policy_changed()
    await rest()
    bench.link.advance(5)
    await rest()
    bench.link.advance(5)
    assert (await hears.next(LinkClosed)).why.id == "runtime.link.mute"


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


# ---------------------------------------------------------------- TLS


@pytest.fixture
async def secure(certificates: Certificates) -> AsyncIterator[Office]:
    async with Office().open(certificates.serve()) as office:
        yield office


async def test_RPC_15_profile_2_trusts_the_given_root(
    make: Make, secure: Office, hears: Hears, certificates: Certificates
) -> None:
    bench = make(secure.url)
    bench.aim(security_profile=2, password=b"x", tls=TlsFiles(ca=certificates.authority.root))
    bench.connection.start()
    assert (await hears.next(LinkOpened)).url.startswith("wss://")
    assert "Authorization" in secure.requests[0].headers


async def test_roots_are_read_beside_the_loop(
    make: Make,
    secure: Office,
    hears: Hears,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: list[int] = []

    def read(files: TlsFiles) -> ssl.SSLContext:
        threads.append(threading.get_ident())
        return tls_context(files)

    monkeypatch.setattr(wire, "tls_context", read)
    bench = make(secure.url)
    bench.aim(tls=TlsFiles(ca=certificates.authority.root))
    bench.connection.start()
    await hears.next(LinkOpened)
    assert threads
    assert threading.get_ident() not in threads


async def test_a_folder_of_roots_can_be_given(
    make: Make, secure: Office, hears: Hears, certificates: Certificates
) -> None:
    bench = make(secure.url)
    folder = certificates.authority.root.parent
    bench.aim(tls=TlsFiles(ca=certificates.stranger.root, ca_folder=folder))
    bench.connection.start()
    await hears.next(LinkOpened)


@pytest.mark.parametrize(
    ("names", "dates", "own_root", "reason"),
    [
        ("DNS:localhost", {}, False, "unknown_issuer"),
        ("DNS:elsewhere.example", {}, True, "wrong_name"),
        ("DNS:localhost", {"end": "20210101000000Z"}, True, "expired"),
        ("DNS:localhost", {"begin": "20480101000000Z"}, True, "not_yet_valid"),
    ],
    ids=["stranger", "name", "expired", "future"],
)
async def test_a_certificate_that_cannot_be_trusted_is_told_with_its_reason(
    make: Make,
    hears: Hears,
    certificates: Certificates,
    catalogue: Catalogue,
    names: str,
    dates: dict[str, str],
    own_root: bool,
    reason: str,
) -> None:
    signer = certificates.authority if own_root else certificates.stranger
    pair = signer.sign(f"server-{reason}", names, **dates)
    async with Office().open(certificates.serve(pair)) as office:
        bench = make(office.url)
        bench.aim(tls=TlsFiles(ca=certificates.authority.root))
        bench.connection.start()
        failed = await hears.next(LinkFailed)
        assert (failed.step, failed.why.id) == ("tls", f"runtime.tls.{reason}")
        assert "localhost" in catalogue.render(failed.why)
        await bench.connection.stop()


async def test_the_systems_roots_do_not_trust_our_own(
    make: Make, secure: Office, hears: Hears
) -> None:
    make(secure.url).connection.start()
    failed = await hears.next(LinkFailed)
    assert failed.step == "tls"


async def test_RPC_15_profile_3_shows_its_certificate_and_no_password(
    make: Make, hears: Hears, certificates: Certificates
) -> None:
    async with Office().open(certificates.serve(ask=True)) as office:
        bench = make(office.url)
        client = certificates.client
        files = TlsFiles(certificates.authority.root, client.certificate, client.key)
        bench.aim(security_profile=3, password=b"never sent", tls=files)
        bench.connection.start()
        await hears.next(LinkOpened)
        assert "Authorization" not in office.requests[0].headers
        await bench.connection.stop()


@pytest.mark.parametrize("who", ["nobody", "stranger"])
async def test_a_server_that_refuses_our_certificate_is_told(
    make: Make, hears: Hears, certificates: Certificates, who: str
) -> None:
    async with Office().open(certificates.serve(ask=True)) as office:
        bench = make(office.url)
        files = TlsFiles(ca=certificates.authority.root)
        if who == "stranger":
            client = certificates.strange_client
            files = replace(files, certificate=client.certificate, key=client.key)
        bench.aim(tls=files)
        bench.connection.start()
        failed = await hears.next(LinkFailed)
        told = {
            "nobody": {"runtime.tls.certificate_required"},
            "stranger": {"runtime.tls.own_unknown", "runtime.probe.own_refused"},
        }[who]
        assert failed.step == "tls"
        assert failed.why.id in told
        await bench.connection.stop()


async def test_profiles_2_and_3_want_wss_and_what_they_prove_themselves_with(
    make: Make, office: Office, secure: Office, hears: Hears, catalogue: Catalogue
) -> None:
    cases = [
        (office.url, 2, "runtime.link.profile_needs_tls"),
        (secure.url, 2, "runtime.link.profile_needs_password"),
        (office.url, 1, "runtime.link.profile_needs_password"),
        (secure.url, 3, "runtime.link.profile_needs_certificate"),
    ]
    for url, profile, name in cases:
        bench = make(url)
        bench.aim(security_profile=profile)
        bench.connection.start()
        failed = await hears.next(LinkFailed)
        assert failed.why.id == name
        assert "{" not in catalogue.render(failed.why)
        await bench.connection.stop()
    assert office.requests == []


async def test_A00_FR_204_an_id_with_a_colon_and_a_password_do_not_go_together(
    make: Make, office: Office, hears: Hears
) -> None:
    bench = make(office.url)
    bench.aim(station_id="CS:1", password=b"sixteen bytes it", security_profile=1)
    bench.connection.start()
    failed = await hears.next(LinkFailed)
    assert failed.why.id == "runtime.link.colon"
    assert office.requests == []
    await bench.connection.stop()
    bench = make(office.url)
    bench.aim(station_id="CS:1")  # without a password nobody minds
    bench.connection.start()
    await hears.next(LinkOpened)


async def test_tls_on_a_plain_port_and_plain_on_a_tls_port_are_told(
    make: Make, office: Office, secure: Office, hears: Hears, certificates: Certificates
) -> None:
    bench = make(office.url.replace("ws://", "wss://"))
    bench.aim(tls=TlsFiles(ca=certificates.authority.root))
    bench.connection.start()
    failed = await hears.next(LinkFailed)
    assert (failed.step, failed.why.id) == ("tls", "runtime.tls.hung_up")
    await bench.connection.stop()
    make(secure.url.replace("wss://", "ws://")).connection.start()
    failed = await hears.next(LinkFailed)
    assert (failed.step, failed.why.id) == ("http", "runtime.link.no_answer")


# ---------------------------------------------------------------- proxies


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    async with Proxy().open() as proxy:
        yield proxy


def away(url: str) -> str:
    """A host that is not this computer, as far as names tell: only the proxy finds it."""
    return url.replace("localhost", "csms.example")


async def test_an_explicit_proxy_is_asked_to_connect(
    make: Make, office: Office, proxy: Proxy, hears: Hears
) -> None:
    bench = make(away(office.url))
    bench.aim(proxy=f"http://me:pw@127.0.0.1:{proxy.port}")
    bench.connection.start()
    await hears.next(LinkOpened)
    assert proxy.asked == [f"csms.example:{office.port}"]
    assert "Proxy-Authorization: Basic" in proxy.headers[0]


async def test_the_systems_proxy_is_used_but_never_for_this_computer(
    make: Make, office: Office, proxy: Proxy, hears: Hears, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    near = make(office.url)
    near.connection.start()
    await hears.next(LinkOpened)
    assert proxy.asked == []
    await near.connection.stop()
    far = make(away(office.url))
    far.connection.start()
    await hears.next(LinkOpened)
    assert proxy.asked == [f"csms.example:{office.port}"]


async def test_tls_goes_through_a_proxy(
    make: Make, proxy: Proxy, hears: Hears, certificates: Certificates
) -> None:
    pair = certificates.authority.sign("far", "DNS:csms.example")
    async with Office().open(certificates.serve(pair)) as office:
        bench = make(away(office.url))
        files = TlsFiles(ca=certificates.authority.root)
        bench.aim(proxy=f"http://127.0.0.1:{proxy.port}", tls=files)
        bench.connection.start()
        await hears.next(LinkOpened)
        await bench.connection.stop()


@pytest.mark.parametrize(
    ("how", "name"),
    [
        ("407 Proxy Authentication Required", "proxy_refused"),
        ("socks", "proxy_socks"),
        ("nonsense", "proxy_bad"),
        ("closed", "refused"),
    ],
)
async def test_a_proxy_that_does_not_help_is_told(
    make: Make,
    office: Office,
    proxy: Proxy,
    hears: Hears,
    catalogue: Catalogue,
    unused_tcp_port: int,
    how: str,
    name: str,
) -> None:
    where = {
        "socks": f"socks5://127.0.0.1:{proxy.port}",
        "nonsense": "gopher://user:pw@x",
        "closed": f"http://127.0.0.1:{unused_tcp_port}",
    }.get(how, f"http://me:pw@127.0.0.1:{proxy.port}")
    proxy.refuse = how
    bench = make(away(office.url))
    bench.aim(proxy=where)
    bench.connection.start()
    failed = await hears.next(LinkFailed)
    assert (failed.step, failed.why.id) == ("tcp", f"runtime.link.{name}")
    assert "pw" not in catalogue.render(failed.why)


# ---------------------------------------------------------------- helpers


async def rest(turns: int = 20) -> None:
    """Let the tasks of the link run as far as they come without the network."""
    for _ in range(turns):
        await asyncio.sleep(0)


async def exchange(bench: Bench, office: Office) -> None:
    """A text there and one back: all that was sent before has arrived."""
    bench.connection.send("there")
    await asyncio.wait_for(office.said.get(), 5)
    await office.guests[-1].send("back")
    await asyncio.wait_for(bench.user.heard.get(), 5)
    await rest()
