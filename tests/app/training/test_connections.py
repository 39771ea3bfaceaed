"""Handshakes, passwords, second connections."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from http import HTTPStatus
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from app.training.rules import Refusal
from app.training.settings import CsmsSettings
from tests.app.training.client import V16, V201, bench
from tests.support.csms import CsmsProbe, running_csms


def _basic(user: str, password: bytes) -> dict[str, str]:
    token = base64.b64encode(user.encode() + b":" + password).decode()
    return {"Authorization": f"Basic {token}"}


async def _status(url: str, id_: str, headers: dict[str, str] | None = None) -> int:
    """The HTTP status of a handshake; 101 when it works."""
    try:
        async with bench(url, id_, V16, additional_headers=headers or {}):
            return HTTPStatus.SWITCHING_PROTOCOLS
    except InvalidStatus as refused:
        return refused.response.status_code


@pytest.mark.parametrize(
    ("path", "id_"),
    [
        ("/CS-1", "CS-1"),
        ("/ocpp/CS-1", "CS-1"),
        ("/a/b/c/CS-1?x=/y", "CS-1"),
        ("/ocpp/RDAM%7C123", "RDAM|123"),
        ("/ocpp/a%2Fb", "a/b"),
        ("//CS-1", "CS-1"),
    ],
)
async def test_the_last_part_of_the_path_is_the_station(
    csms: CsmsProbe, path: str, id_: str
) -> None:
    """RPC-01: the identity is percent-encoded in the URL."""
    root = csms.url.removesuffix("/ocpp")
    async with connect(root + path, subprotocols=[V16], proxy=None):  # type: ignore[list-item]
        await csms.wait_connected(id_)


@pytest.mark.parametrize("asked", ["deflate", None])
async def test_messages_are_compressed_for_a_station_that_asks(
    csms: CsmsProbe, asked: str | None
) -> None:
    """2.0.1 part 4, 3.3: required of a CSMS."""
    async with connect(
        f"{csms.url}/CS-1",
        subprotocols=[V201],  # type: ignore[list-item]
        compression=asked,
        proxy=None,
    ) as socket:
        assert socket.response is not None
        assert ("Sec-WebSocket-Extensions" in socket.response.headers) is (asked is not None)
        await socket.send(json.dumps([2, "1", "Heartbeat", {}]))
        assert "currentTime" in await socket.recv()


async def test_a_path_without_an_id_is_not_found(csms: CsmsProbe) -> None:
    assert await _status(csms.url, "") == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    ("spoken", "offered", "picked"),
    [
        ((V201, V16), (V16, V201), V201),
        ((V16, V201), (V201, V16), V16),
        ((V16,), (V201, V16), V16),
        ((V201, V16), (V16,), V16),
        ((V201, "mqtt"), ("mqtt", V201), V201),
    ],
)
async def test_the_server_picks_the_version(
    spoken: tuple[str, ...], offered: tuple[str, ...], picked: str
) -> None:
    async with (
        running_csms(CsmsSettings(subprotocols=spoken)) as csms,
        bench(csms.url, "CS-1", *offered) as station,
    ):
        assert station.socket.subprotocol == picked


@pytest.mark.parametrize("offered", ["ocpp1.5", V201, None])
async def test_no_common_subprotocol_ends_right_after_the_handshake(offered: str | None) -> None:
    """RPC-02: the handshake is finished without a subprotocol, then the connection is closed."""
    async with running_csms(CsmsSettings(subprotocols=(V16,))) as csms:
        options = {"subprotocols": [offered]} if offered else {}
        async with connect(f"{csms.url}/CS-1", proxy=None, **options) as socket:  # type: ignore[arg-type]
            assert socket.subprotocol is None
            with pytest.raises(ConnectionClosedError):
                await socket.recv()
            assert socket.close_code == 1002
        (entry,) = csms.snapshot().log
        assert entry.text.id == "training.no_subprotocol"
        assert entry.text.params == {"offered": offered or "-"}
        assert csms.snapshot().station("CS-1") is None


async def test_passwords_are_asked_by_station_or_from_all() -> None:
    settings = CsmsSettings(password="for all", passwords={"CS-2": "0a0bff"})
    async with running_csms(settings) as csms:
        url = csms.url
        assert await _status(url, "CS-1", _basic("CS-1", b"for all")) == 101
        assert await _status(url, "CS-1", _basic("CS-1", b"wrong")) == 401
        assert await _status(url, "CS-1", _basic("CS-9", b"for all")) == 401
        assert await _status(url, "CS-2", _basic("CS-2", b"for all")) == 401
        assert await _status(url, "CS-2", _basic("CS-2", b"0a0bff")) == 101
        assert await _status(url, "CS-2", _basic("CS-2", b"\x0a\x0b\xff")) == 101
        assert await _status(url, "CS-1") == 401
        assert await _status(url, "CS-1", {"Authorization": "Bearer x"}) == 401
        assert await _status(url, "CS-1", {"Authorization": "Basic !!"}) == 401
        assert [e.text.id for e in csms.snapshot().log].count("training.wrong_password") == 6


async def test_a_refused_handshake_says_how_to_log_in() -> None:
    async with running_csms(CsmsSettings(password="x")) as csms:
        with pytest.raises(InvalidStatus) as refused:
            async with bench(csms.url):
                pass
        assert refused.value.response.headers["WWW-Authenticate"].startswith("Basic ")


async def test_strangers_are_turned_away_when_there_is_a_list() -> None:
    async with running_csms(CsmsSettings(stations=frozenset({"CS-1"}))) as csms:
        assert await _status(csms.url, "CS-1") == 101
        assert await _status(csms.url, "CS-2") == 404


async def test_a_rule_refuses_so_many_handshakes(csms: CsmsProbe) -> None:
    csms.rules.refuse(Refusal(503, station="CS-1", count=2))
    assert await _status(csms.url, "CS-2") == 101
    assert [await _status(csms.url, "CS-1") for _ in range(3)] == [503, 503, 101]


async def test_a_second_connection_replaces_the_first(csms: CsmsProbe) -> None:
    """RPC-14: "another station uses this id" is seen by the older one."""
    async with bench(csms.url, "CS-1", V16) as first:
        await first.result("Heartbeat")
        async with bench(csms.url, "CS-1", V201) as second:
            with pytest.raises(ConnectionClosedError):
                await first.next()
            assert first.socket.close_code == 1008
            assert (await second.ask("Heartbeat"))[0] == 3
            record = csms.snapshot().station("CS-1")
            assert record is not None
            assert (record.connected, record.version) == (True, "2.0.1")
        await csms.wait_disconnected("CS-1")
    ids = [entry.text.id for entry in csms.snapshot().log]
    assert (ids.count("training.replaced"), ids.count("training.disconnected")) == (1, 1)
    assert {frame.link for frame in csms.frames("CS-1")} == {1, 2}


async def test_the_status_of_another_version_is_forgotten(csms: CsmsProbe) -> None:
    status = {"connectorId": 1, "status": "Available", "errorCode": "NoError"}
    async with bench(csms.url, "CS-1", V16) as station:
        await station.result("StatusNotification", status)
    await csms.wait_disconnected("CS-1")
    async with bench(csms.url, "CS-1", V16) as station:
        await station.result("Heartbeat")
        assert csms.snapshot().stations[0].connectors
    await csms.wait_disconnected("CS-1")
    async with bench(csms.url, "CS-1", V201) as station:
        await station.result("Heartbeat")
        assert not csms.snapshot().stations[0].connectors


async def test_the_csms_can_hang_up(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V16) as station:
        await csms.wait_connected("CS-1")
        assert await csms.csms.disconnect("CS-1", 1012, "restart")
        with pytest.raises(ConnectionClosedError):
            await station.next()
        assert (station.socket.close_code, station.socket.close_reason) == (1012, "restart")
    await csms.wait_disconnected("CS-1")
    assert not await csms.csms.disconnect("CS-1")


async def test_the_stop_closes_connections_and_frees_the_port(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V16) as station:
        await csms.wait_connected("CS-1")
        pending = asyncio.create_task(csms.call("CS-1", "ClearCache"))
        await station.next()
        await csms.csms.stop()
        assert (await pending).kind.value == "disconnected"
        await station.socket.wait_closed()
        assert station.socket.close_code == 1001
    with pytest.raises(ConnectionRefusedError):
        async with bench(csms.url):
            pass
    await csms.csms.stop()


async def test_ipv6_loopback_has_brackets_in_its_url() -> None:
    from app.training.server import TrainingCsms

    csms = TrainingCsms()
    try:
        url = await csms.start("::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    assert url.startswith("ws://[::1]:")
    async with bench(url, "CS-1", V16) as station:
        assert (await station.ask("Heartbeat"))[0] == 3
        assert csms.snapshot().stations[0].address
    await csms.stop()


async def test_it_serves_as_a_context() -> None:
    from app.training.server import TrainingCsms

    async with TrainingCsms() as csms, bench(csms.url, "CS-1", V16) as station:
        assert (await station.ask("Heartbeat"))[0] == 3


async def test_it_speaks_tls_when_it_is_given_a_context() -> None:
    pem = Path(__file__).with_name("loopback.pem")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    client = ssl.create_default_context(cafile=pem)
    async with running_csms(CsmsSettings(tls=server)) as csms:
        assert csms.url.startswith("wss://127.0.0.1:")
        async with bench(csms.url, "CS-1", V16, ssl=client) as station:
            assert (await station.ask("Heartbeat"))[0] == 3
