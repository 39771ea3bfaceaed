"""The link to a back office under TLS and through proxies."""

from __future__ import annotations

import ssl
import threading
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.kernel.catalogue import Catalogue
from app.ocpp.events import LinkFailed, LinkOpened
from app.runtime import wire
from app.runtime.tls import TlsFiles, tls_context
from tests.app.runtime.conftest import Certificates
from tests.app.runtime.connection_bench import (
    Make,
    make,
)
from tests.app.runtime.office import Hears, Office, Proxy

__all__ = ["make"]


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
        assert proxy.asked == [f"csms.example:{office.port}"]
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
