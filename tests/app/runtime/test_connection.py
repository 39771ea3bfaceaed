"""The link to a back office: how it is opened, refused, tried again and watched by pings."""

from __future__ import annotations

import asyncio
import base64
import logging
from http import HTTPStatus
from random import Random

import pytest

from app.kernel.catalogue import Catalogue
from app.ocpp.events import LinkClosed, LinkFailed, LinkOpened, TaskFailed
from app.ocpp.personality import LinkPolicy
from app.ocpp.version import Version
from app.runtime.views import LinkState
from tests.app.runtime.connection_bench import (
    Make,
    exchange,
    failing_for,
    make,
    rest,
)
from tests.app.runtime.office import Hears, Office

__all__ = ["make"]


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
