"""Small parts of a session on their own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path

import pytest

from app.kernel.bus import Bus
from app.kernel.catalogue import Catalogue
from app.kernel.link_clock import ManualLinkClock
from app.ocpp.events import TaskFailed
from app.ocpp.personality import LinkPolicy
from app.runtime.address import AddressBad, address, is_loopback, plain_address, proxy_for
from app.runtime.build import make_clock, next_seq
from app.runtime.live_link import LiveLink
from app.runtime.settings import resolve
from app.runtime.tls import TlsFiles, TlsFilesBad, tls_context
from app.runtime.wire import WireClosed
from app.trace.journal import FILE_NAME
from tests.app.runtime.conftest import Certificates
from tests.app.runtime.office import Hears


class OddWire:
    """Receives nothing; sending breaks in a way nobody thought of."""

    subprotocol = "ocpp1.6"

    def __init__(self) -> None:
        self.aborted = False

    async def send(self, text: str) -> None:
        raise ZeroDivisionError

    def send_now(self, text: str) -> bool:
        return False

    async def receive(self) -> str | bytes:
        await asyncio.Event().wait()
        return ""

    async def ping(self) -> Awaitable[object]:
        raise WireClosed(None, "", own=False)

    async def close(self, code: int, reason: str) -> None:
        raise WireClosed(None, "", own=False)

    def abort(self) -> None:
        self.aborted = True


def live_link(bus: Bus, wire: OddWire, link: ManualLinkClock) -> LiveLink:
    return LiveLink(
        wire,
        bus=bus,
        link=link,
        policy=lambda: LinkPolicy(ping_interval=10),
        received=lambda _: None,
    )


async def test_a_wire_that_breaks_in_an_unknown_way_is_told_and_the_link_ends(
    bus: Bus, hears: Hears
) -> None:
    wire = OddWire()
    live = live_link(bus, wire, ManualLinkClock())
    live.send("x")
    closed = await live.run()
    assert (closed.code, closed.own) == (None, False)
    assert "ZeroDivisionError" in hears.all(TaskFailed)[0].error
    assert wire.aborted
    live.send("after the end")
    await live.close(1000, "")


class Pouring(OddWire):
    """There is always one more text."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0

    async def receive(self) -> str | bytes:
        await asyncio.sleep(0)
        self.read += 1
        return "x"


async def test_nothing_more_is_read_until_the_journal_has_caught_up(bus: Bus) -> None:
    """A flood waits in the socket, not in memory."""
    wire, goes_on, heard = Pouring(), asyncio.Event(), []

    async def caught_up() -> None:
        if len(heard) == 3:
            await goes_on.wait()

    live = LiveLink(
        wire,
        bus=bus,
        link=ManualLinkClock(),
        policy=lambda: LinkPolicy(ping_interval=0),
        received=heard.append,
        caught_up=caught_up,
    )
    running = asyncio.create_task(live.run())
    for _ in range(50):
        await asyncio.sleep(0)
    assert wire.read == len(heard) == 3
    goes_on.set()
    for _ in range(50):
        await asyncio.sleep(0)
    assert wire.read > 3
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_ping_that_meets_a_closed_socket_ends_the_link(bus: Bus, hears: Hears) -> None:
    link = ManualLinkClock()
    live = live_link(bus, OddWire(), link)
    running = asyncio.create_task(live.run())
    for _ in range(10):
        await asyncio.sleep(0)
    link.advance(10)
    closed = await asyncio.wait_for(running, 5)
    assert closed.mute is None
    assert hears.all(TaskFailed) == []


def test_numbers_go_on_behind_a_journal_whose_last_line_was_cut_short(tmp_path: Path) -> None:
    assert next_seq(None) == 1
    assert next_seq(tmp_path) == 1
    journal = tmp_path / FILE_NAME
    journal.write_text("")
    assert next_seq(tmp_path) == 1
    journal.write_text('{"seq": 7}\n{"seq": 8}\n{"se')
    assert next_seq(tmp_path) == 9
    journal.write_text('{"seq": 1}\n' + '{"seq": 2, "text": "' + "x" * 400_000)
    assert next_seq(tmp_path) == 1  # no whole line within reach


@pytest.mark.parametrize(
    ("flags", "follows"),
    [({}, True), ({"clock.start": "2026-01-01T00:00:00Z"}, False), ({"clock.rate": 10}, False)],
)
async def test_a_clock_that_was_set_on_purpose_does_not_follow_the_back_office(
    flags: dict[str, object], follows: bool
) -> None:
    assert make_clock(resolve(flags=flags).config).follow_server is follows


def test_addresses_name_host_port_and_path() -> None:
    with pytest.raises(AddressBad):
        address("ws://host", "")
    place = address("wss://user:p%40ss@[::1]:8443/a/?x=1", "id")
    assert place.url == "wss://[::1]:8443/a/id?x=1"
    assert (place.host, place.port, place.secure) == ("::1", 8443, True)
    assert (place.user, place.password) == ("user", "p@ss")
    assert plain_address("ws://host").port == 80


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("localhost.example", False),
    ],
)
def test_this_computer_is_known_by_its_names(host: str, near: bool) -> None:
    assert is_loopback(host) is near


def test_the_systems_list_of_exceptions_from_its_proxy_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy:8080")
    monkeypatch.setenv("no_proxy", "inside.example")
    assert proxy_for(plain_address("ws://outside.example"), None) == "http://proxy:8080"
    assert proxy_for(plain_address("ws://inside.example"), None) is None
    assert proxy_for(plain_address("ws://outside.example"), "none") is None
    assert proxy_for(plain_address("ws://inside.example"), "http://own") == "http://own"


def test_a_key_with_a_passphrase_is_told_and_nobody_is_asked(
    certificates: Certificates, tmp_path: Path, catalogue: Catalogue
) -> None:
    from tests.app.runtime.certificates import run

    locked = tmp_path / "locked.key"
    key = certificates.client.key
    run("pkcs8", "-topk8", "-in", key, "-out", locked, "-passout", "pass:secret")
    files = TlsFiles(certificate=certificates.client.certificate, key=locked)
    with pytest.raises(TlsFilesBad) as caught:
        tls_context(files)
    assert "is protected by a passphrase" in catalogue.render(caught.value.text)


def test_RPC_16_a_bad_address_is_told_without_its_password() -> None:
    with pytest.raises(AddressBad) as caught:
        address("http://CS-1:s3cr3t@host/ocpp", "CS-1")
    assert caught.value.text.params["url"] == "http://CS-1@host/ocpp"
