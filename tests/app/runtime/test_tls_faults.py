"""Decision 15: whatever is wrong about TLS is told plainly, by the probe and by the link itself.

Each fault is shown by two implementations: asyncio, which loses alerts on the way, and openssl's own server.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from app.kernel.catalogue import Catalogue
from app.ocpp.version import Version
from app.runtime.address import address
from app.runtime.connection import Target, open_request
from app.runtime.diagnosis import Step, diagnose
from app.runtime.tls import PemPair, TlsFiles
from app.runtime.wire import OpenFailed, open_websocket
from tests.app.runtime.minting import DAY, NOW, Minted, mint, revocations
from tests.app.runtime.tls_servers import Setup, asyncio_server, openssl_server

OLD = "ECDHE-ECDSA-AES128-SHA"
"""A suite of TLS 1.2 that the station does not offer."""


class World:
    """Authorities, servers and clients, good and bad, as files in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = mint("root", authority=True)
        self.stranger = mint("stranger", authority=True)
        self.between = mint("between", self.root, authority=True)
        past = {"begin": NOW - 9 * DAY, "end": NOW - DAY}
        self.stale_between = mint("stale", self.root, authority=True, **past)
        self.good = mint("server", self.root)
        self.client = mint("CS-1", self.root, names=())
        self.ca = self.file("ca", self.root.pem)
        self.strangers = self.file("strangers", self.stranger.pem)
        self.crl = self.file("crl", revocations(self.root, self.good))

    def file(self, name: str, text: str) -> Path:
        path = self.folder / f"{name}.pem"
        path.write_text(text)
        return path

    def server(self, minted: Minted, *, chain: bool = True, **more: Any) -> Setup:
        certificate, key = minted.write(self.folder, f"s{id(minted)}{chain}", chain=chain)
        return Setup(certificate, key, **more)

    def trusting(self, **more: Any) -> TlsFiles:
        return TlsFiles(ca=self.ca, **more)

    def showing(self, minted: Minted) -> TlsFiles:
        return self.trusting(own=PemPair(minted.chain_pem, minted.key_pem))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("tls"))


@dataclass(frozen=True)
class Fault:
    """What is set up, and what has to be said: by the probe (step: text) and by the link."""

    server: Callable[[World], Setup]
    probe: dict[str, str]
    link: str
    files: Callable[[World], TlsFiles] = field(default=lambda world: world.trusting())
    lost: dict[str, str] | None = None
    """What the probe says where the server loses its alert on the way."""


def _client(**bad: Any) -> Callable[[World], TlsFiles]:
    def files(world: World) -> TlsFiles:
        return world.showing(mint("CS-1", bad.get("by", world.root), names=(), **_dates(bad)))

    return files


def _dates(bad: dict[str, Any]) -> dict[str, Any]:
    return {name: bad[name] for name in ("begin", "end") if name in bad}


FAULTS: dict[str, Fault] = {
    "expired": Fault(
        lambda w: w.server(mint("old", w.root, begin=NOW - 9 * DAY, end=NOW - DAY)),
        {"date": "tls.expired"},
        "tls.expired",
    ),
    "not yet valid": Fault(
        lambda w: w.server(mint("early", w.root, begin=NOW + DAY)),
        {"date": "tls.not_yet_valid"},
        "tls.not_yet_valid",
    ),
    "wrong name": Fault(
        lambda w: w.server(mint("other", w.root, names=("elsewhere.example",))),
        {"name": "tls.wrong_name"},
        "tls.wrong_name",
    ),
    "unknown root": Fault(
        lambda w: w.server(mint("server", w.stranger)),
        {"chain": "tls.unknown_issuer"},
        "tls.unknown_issuer",
    ),
    "unknown root that is sent along": Fault(
        lambda w: w.server(replace(mint("server", w.stranger), chain=(w.stranger.certificate,))),
        {"chain": "tls.unknown_root"},
        "tls.unknown_root",
    ),
    "self-signed": Fault(
        lambda w: w.server(mint("localhost")),
        {"chain": "tls.self_signed"},
        "tls.self_signed",
    ),
    "incomplete chain": Fault(
        lambda w: w.server(mint("server", w.between), chain=False),
        {"chain": "tls.unknown_issuer"},
        "tls.unknown_issuer",
    ),
    "expired certificate in between": Fault(
        lambda w: w.server(mint("server", w.stale_between)),
        {"chain": "tls.chain_expired"},
        "tls.expired",
    ),
    "signed by what may not sign": Fault(
        lambda w: w.server(mint("server", mint("no authority", w.root))),
        {"chain": "tls.bad_issuer", "name": "probe.name_unknown"},
        "tls.bad_issuer",
    ),
    "key too short": Fault(
        lambda w: w.server(mint("server", w.root, kind="rsa1024")),
        {"chain": "tls.weak_key"},
        "tls.weak_key",
    ),
    "revoked": Fault(
        lambda w: w.server(w.good),
        {"chain": "tls.revoked"},
        "tls.revoked",
        files=lambda w: w.trusting(crl=w.crl),
    ),
    "TLS 1.1 only": Fault(
        lambda w: w.server(w.good, version=ssl.TLSVersion.TLSv1_1),
        {"tls": "tls.version"},
        "tls.version",
    ),
    "no common cipher": Fault(
        lambda w: w.server(w.good, version=ssl.TLSVersion.TLSv1_2, ciphers=OLD),
        {"tls": "tls.cipher"},
        "tls.handshake_failure",
    ),
    "no client certificate": Fault(
        lambda w: w.server(w.good, clients=w.ca),
        {"client_certificate": "tls.certificate_required"},
        "tls.certificate_required",
    ),
    "no client certificate, TLS 1.2": Fault(
        lambda w: w.server(w.good, clients=w.ca, version=ssl.TLSVersion.TLSv1_2),
        {"client_certificate": "tls.certificate_required"},
        "tls.handshake_failure",
    ),
    "client certificate of a stranger": Fault(
        lambda w: w.server(w.good, clients=w.strangers),
        {"client_certificate": "tls.own_unknown"},
        "tls.own_unknown",
        lost={"client_certificate": "probe.own_refused"},
        files=lambda w: w.showing(w.client),
    ),
    "client certificate expired": Fault(
        lambda w: w.server(w.good, clients=w.ca),
        {"client_certificate": "tls.own_expired"},
        "tls.own_expired",
        lost={"client_certificate": "probe.own_refused"},
        files=_client(begin=NOW - 9 * DAY, end=NOW - DAY),
    ),
    "client certificate not yet valid": Fault(
        lambda w: w.server(w.good, clients=w.ca),
        {"client_certificate": "tls.own_bad"},
        "tls.own_bad",
        lost={"client_certificate": "probe.own_refused"},
        files=_client(begin=NOW + DAY),
    ),
}


async def probe(port: int, files: TlsFiles, host: str = "localhost") -> dict[str, str]:
    """The steps of TLS that found something wrong."""
    target = Target(f"wss://{host}:{port}/x", "CS-1", tuple(Version), tls=files, timeout=3.0)
    found: list[Step] = [step async for step in diagnose(target)]
    assert [step.name for step in found[:3]] == ["dns", "tcp", "tls"]
    return {
        step.name: step.text.id.removeprefix("runtime.")
        for step in found
        if not step.ok and step.name not in ("http", "subprotocol")
    }


async def link(port: int, files: TlsFiles, host: str = "localhost") -> str:
    """Why the link did not come about."""
    target = Target(f"wss://{host}:{port}/x", "CS-1", tuple(Version), tls=files, timeout=3.0)
    request = open_request(target, address(target.url, target.station_id))
    with pytest.raises(OpenFailed) as raised:
        await open_websocket(request)
    return raised.value.why.id.removeprefix("runtime.")


@pytest.mark.parametrize("server", [asyncio_server, openssl_server])
@pytest.mark.parametrize("name", FAULTS)
async def test_each_fault_is_told_plainly(
    world: World, catalogue: Catalogue, name: str, server: Any
) -> None:
    fault = FAULTS[name]
    files = fault.files(world)
    async with server(fault.server(world)) as port:
        loses_alerts = server is asyncio_server
        told = fault.lost if fault.lost and loses_alerts else fault.probe
        assert await probe(port, files) == told
        said = await link(port, files)
        assert said == fault.link or (
            loses_alerts and said in ("link.no_answer_tls", "tls.hung_up")
        )


@pytest.mark.parametrize("server", [asyncio_server, openssl_server])
@pytest.mark.parametrize("kind", ["ec", "rsa"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_RPC_15_mutual_tls_with_rsa_and_ecdsa_in_1_2_and_1_3(
    world: World, kind: str, version: ssl.TLSVersion, server: Any
) -> None:
    setup = world.server(mint("server", world.root, kind=kind), clients=world.ca, version=version)
    files = world.showing(mint("CS-1", world.root, names=(), kind=kind))
    async with server(setup) as port:
        assert await probe(port, files) == {}


@pytest.mark.parametrize("suite", ["AES128-GCM-SHA256", "AES256-GCM-SHA384"])
async def test_A00_FR_319_the_suites_without_forward_secrecy_are_spoken_too(
    world: World, suite: str
) -> None:
    setup = world.server(mint("server", world.root, kind="rsa"), ciphers=suite)
    setup = setup.but(version=ssl.TLSVersion.TLSv1_2)
    async with openssl_server(setup) as port:
        assert await probe(port, world.trusting()) == {}


@pytest.mark.parametrize("strict", [True, False])
async def test_A00_FR_510_a_common_name_without_further_names_is_enough(
    world: World, strict: bool
) -> None:
    """OCPP wants the host's name in the CN and advises against subjectAltName."""
    async with asyncio_server(world.server(mint("localhost", world.root, names=()))) as port:
        assert await probe(port, world.trusting(wildcards=not strict)) == {}
    async with asyncio_server(world.server(mint("elsewhere", world.root, names=()))) as port:
        assert set(await probe(port, world.trusting())) == {"name"}


@pytest.mark.parametrize("strict", [True, False])
async def test_a_certificate_for_a_wildcard_is_taken_only_where_that_is_allowed(
    world: World, monkeypatch: pytest.MonkeyPatch, strict: bool
) -> None:
    """2.0.1 errata 2.62, AllowCSMSTLSWildcards."""
    real = socket.getaddrinfo

    def resolve(host: str, *rest: Any, **more: Any) -> Any:
        return real("127.0.0.1" if host == "csms.example.test" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    files = world.trusting(wildcards=not strict)
    async with openssl_server(
        world.server(mint("w", world.root, names=("*.example.test",)))
    ) as port:
        found = await probe(port, files, "csms.example.test")
        assert found == ({"name": "tls.wrong_full_name"} if strict else {})
        if strict:
            assert await link(port, files, "csms.example.test") == "tls.wrong_full_name"


async def test_a_chain_with_a_certificate_in_between_is_good(world: World) -> None:
    async with openssl_server(world.server(mint("server", world.between))) as port:
        assert await probe(port, world.trusting()) == {}


# ---------------------------------------------------------------- what is no TLS server


@contextlib.asynccontextmanager
async def raw(answer: bytes | None, *, read: int) -> AsyncIterator[int]:
    """Reads so many bytes, says something (None: nothing, and stays), hangs up."""
    held = asyncio.Event()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readexactly(read)
            if answer is None:
                await held.wait()
            else:
                writer.write(answer)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        held.set()
        server.close()


@pytest.mark.parametrize(
    ("answer", "read", "said"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", 5, "tls.plain"),
        (b"220 mail.example ESMTP\r\n", 0, "tls.plain"),
        (b"", 0, "tls.hung_up"),
        (b"", 100, "tls.hung_up"),
        (b"\x15\x03\x01\x00\x02\x02\x28", 100, "tls.cipher"),
    ],
)
async def test_what_is_no_tls_server_is_told(
    world: World, answer: bytes, read: int, said: str
) -> None:
    async with raw(answer, read=read) as port:
        assert await probe(port, world.trusting()) == {"tls": said}


async def test_a_mute_server_is_told(world: World) -> None:
    async with raw(None, read=0) as port:
        files = world.trusting()
        target = Target(f"wss://localhost:{port}/x", "CS-1", tuple(Version), tls=files, timeout=0.3)
        steps = [step async for step in diagnose(target)]
        assert [step.name for step in steps if not step.ok] == ["tls"]
        assert steps[-1].text.id == "runtime.tls.mute"


def test_each_sentence_is_there(catalogue: Catalogue) -> None:
    from app.kernel.text import Text

    said = {key for fault in FAULTS.values() for key in (*fault.probe.values(), fault.link)}
    for key in said | {"tls.mute", "tls.plain", "tls.hung_up", "tls.cipher"}:
        params = {"host": "h", "why": "w", "cipher": "c"}
        assert "runtime." not in catalogue.render(Text(f"runtime.{key}", params))
