"""A server that refuses without a word is asked for its reason, and the right security event follows.

asyncio loses its alerts, so the link itself only sees an end. The table holds for openssl's server too.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.kernel.link_clock import ManualLinkClock
from app.kernel.text import Text
from app.ocpp.events import LinkFailed
from app.ocpp.shared.security_log import SecurityLog
from app.runtime import refusal
from app.runtime.address import address
from app.runtime.wire import OpenFailed, OpenRequest
from tests.app.runtime.link_bench import station
from tests.app.runtime.minting import DAY, NOW, mint
from tests.app.runtime.test_tls_faults import OLD, World
from tests.app.runtime.tls_servers import Setup, asyncio_server, openssl_server


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("refusals"))


@dataclass(frozen=True)
class Refusal:
    """A server, whether the station shows a certificate, what is told, and the events in the log."""

    server: Callable[[World], Setup]
    own: bool
    told: tuple[str, ...]
    events: tuple[str, ...]
    """In the spelling of 2.0.1."""


REFUSALS = {
    "TLS 1.1": Refusal(
        lambda w: w.server(w.good, version=ssl.TLSVersion.TLSv1_1),
        False,
        ("tls.version",),
        ("InvalidTLSVersion",),
    ),
    "no common cipher": Refusal(
        lambda w: w.server(w.good, version=ssl.TLSVersion.TLSv1_2, ciphers=OLD),
        False,
        ("tls.cipher",),
        ("InvalidTLSCipherSuite",),
    ),
    "no common cipher, with a certificate to show": Refusal(
        lambda w: w.server(w.good, version=ssl.TLSVersion.TLSv1_2, ciphers=OLD),
        True,
        ("tls.cipher",),
        ("InvalidTLSCipherSuite",),
    ),
    "a certificate is wanted": Refusal(
        lambda w: w.server(w.good, clients=w.ca),
        False,
        ("tls.certificate_required",),
        ("FailedToAuthenticateAtCsms",),
    ),
    "a certificate is wanted, TLS 1.2": Refusal(
        lambda w: w.server(w.good, clients=w.ca, version=ssl.TLSVersion.TLSv1_2),
        False,
        ("tls.certificate_required",),
        ("FailedToAuthenticateAtCsms",),
    ),
    "another certificate is wanted": Refusal(
        lambda w: w.server(w.good, clients=w.strangers),
        True,
        ("tls.own_unknown", "probe.own_refused"),
        ("FailedToAuthenticateAtCsms",),
    ),
    "the server's is expired": Refusal(
        lambda w: w.server(mint("old", w.root, begin=NOW - 9 * DAY, end=NOW - DAY)),
        False,
        ("tls.expired",),
        ("CsmsFailedToAuthenticate", "InvalidCsmsCertificate"),
    ),
}
SPELLED_16 = {
    "FailedToAuthenticateAtCsms": "FailedToAuthenticationAtCentralSystem",
    "CsmsFailedToAuthenticate": "CentralSystemFailedToAuthentication",
    "InvalidCsmsCertificate": "InvalidCentralSystemCertificate",
}


def flags(world: World, case: Refusal) -> dict[str, Any]:
    found: dict[str, Any] = {"security__ca": world.ca}
    if case.own:
        certificate, key = world.client.write(world.folder, "own", chain=True)
        found |= {"security__certificate": certificate, "security__key": key}
    return found


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
@pytest.mark.parametrize("server", [asyncio_server, openssl_server])
@pytest.mark.parametrize("name", REFUSALS)
async def test_A00_why_TLS_was_refused_is_told_and_logged(
    world: World, tmp_path: Path, name: str, server: Any, version: str
) -> None:
    """A00.FR.309 to .323 by their real causes: told once, however often it is tried."""
    case = REFUSALS[name]
    async with (
        server(case.server(world)) as port,
        station(f"wss://localhost:{port}/x", version, tmp_path, **flags(world, case)) as there,
    ):
        await there.until(lambda: len(there.hears.all(LinkFailed)) >= 2)
        told = {failed.why.id.removeprefix("runtime.") for failed in there.hears.all(LinkFailed)}
        assert told <= set(case.told)
        log = [entry.type for entry in SecurityLog(there.session.store).entries()]
        expected = case.events
        if version == "1.6":
            expected = tuple(SPELLED_16.get(event, event) for event in expected)
        assert tuple(log[1:]) == expected


async def test_a_row_of_the_same_refusals_is_looked_into_once_in_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each question is a handshake there, too."""
    asked: list[str] = []
    monkeypatch.setattr(refusal, "_first_fault", lambda request: asked.append(request.where.url))
    link = ManualLinkClock()
    inquiry = refusal.Inquiry(link)

    async def refused(host: str, key: str) -> int:
        """How often it was asked when this had been refused once more."""
        error = OpenFailed("tls", Text(f"runtime.{key}"))
        request = OpenRequest(address(f"wss://{host}/ocpp", "CS-1"), ("ocpp1.6",))
        assert await inquiry.reason(request, error) is error
        return len(asked)

    assert [await refused("one.example", "tls.hung_up") for _ in range(3)] == [1, 1, 1]
    link.advance(refusal.AGAIN)
    assert [await refused("one.example", "tls.hung_up") for _ in range(2)] == [2, 2]
    assert await refused("two.example", "tls.hung_up") == 3
    assert await refused("two.example", "tls.expired") == 3, "it says itself what it has against us"
    assert await refused("two.example", "tls.hung_up") == 4
