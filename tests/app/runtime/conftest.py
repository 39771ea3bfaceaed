"""Certificates once a run, a back office and a link clock for each test."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.kernel.bus import Bus
from app.kernel.catalogue import Catalogue
from tests.app.runtime.certificates import Authority, Pair
from tests.app.runtime.office import Hears, Office


class Certificates:
    """What TLS tests need."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder, "trusted")
        self.stranger = Authority(folder, "stranger")
        self.server = self.authority.sign("server")
        self.client = self.authority.sign("CS-1", "DNS:CS-1")
        self.strange_client = self.stranger.sign("CS-1", "DNS:CS-1")

    def serve(self, pair: Pair | None = None, *, ask: bool = False) -> ssl.SSLContext:
        """A server's context; `ask` for a client certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        pair = pair or self.server
        context.load_cert_chain(pair.certificate, pair.key)
        if ask:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.authority.root)
        return context


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.load()


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with Office().open() as office:
        yield office


@pytest.fixture
def bus() -> Bus:
    return Bus(lambda: datetime.now(UTC))


@pytest.fixture
async def hears(bus: Bus) -> Hears:
    return Hears(bus)
