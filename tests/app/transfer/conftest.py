"""Certificates for file servers, and a look at progress."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable
from pathlib import Path

import pytest

from app.kernel.catalogue import Catalogue
from app.ocpp.context import TransferFailed
from tests.app.runtime.certificates import Authority

CATALOGUE = Catalogue.load()


async def failure(work: Awaitable[None]) -> TransferFailed:
    """What a transfer failed with: a sentence of the catalogue with all its gaps filled, and no secret."""
    with pytest.raises(TransferFailed) as failed:
        await work
    sentence = CATALOGUE.render(failed.value.text)
    assert not sentence.startswith("transfer.")
    assert "{" not in sentence
    assert "secret" not in sentence + str(failed.value)
    return failed.value


class Watched:
    """Collects what a transfer tells of its progress."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int | None]] = []

    def __call__(self, done: int, total: int | None) -> None:
        self.told.append((done, total))


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "files")


@pytest.fixture
def server_tls(authority: Authority) -> ssl.SSLContext:
    path = authority.folder / "server.pem"
    if not path.exists():
        authority.sign("server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, path.with_suffix(".key"))
    return context


@pytest.fixture
def trust(authority: Authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority.root)
    return context


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """The folder that servers serve."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    return folder
