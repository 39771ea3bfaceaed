"""Transfers by the scheme of the URL: the port that the functional blocks use."""

from __future__ import annotations

import asyncio
import importlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from app.ocpp.context import Progress
from app.transfer.places import Place, place

MAX_SIZE = 1024 * 1024 * 1024

ProxyFor = Callable[[Place], str | None]
MakeContext = Callable[[], ssl.SSLContext]
"""Reads files and parses roots, which takes tens of milliseconds: called in a thread."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How patient we are, in real seconds, and how much we take, in bytes."""

    connect: float = 15.0
    silence: float = 60.0
    """How long the other side may say nothing."""
    max_size: int = MAX_SIZE


class Transfers:
    """Implements TransferPort over the network.

    `trust` is asked for each transfer, since roots come and go; what it returns makes the TLS context, in
    a thread. `proxy` names the HTTP proxy on the way, None for none.
    """

    def __init__(
        self,
        trust: Callable[[], MakeContext] = lambda: ssl.create_default_context,
        *,
        terms: Terms | None = None,
        proxy: ProxyFor = lambda where: None,
    ) -> None:
        self._trust, self._proxy = trust, proxy
        self._terms = terms or Terms()

    async def download(self, url: str, into: Path, *, progress: Progress) -> None:
        """As TransferPort."""
        where = place(url)
        if where.scheme in ("http", "https"):
            http = await _module("app.transfer.http")
            await http.download(where, into, await self._way(where), self._terms, progress)
        else:
            ftp = await _module("app.transfer.ftp")
            await ftp.download(where, into, await self._tls(where), self._terms, progress)

    async def upload(self, url: str, source: Path, name: str, *, progress: Progress) -> None:
        """As TransferPort."""
        where = place(url)
        if where.scheme in ("http", "https"):
            http = await _module("app.transfer.http")
            way = await self._way(where)
            await http.upload(where, source, name, way, self._terms, progress)
        else:
            ftp = await _module("app.transfer.ftp")
            tls = await self._tls(where)
            await ftp.upload(where, source, name, tls, self._terms, progress)

    async def _way(self, where: Place) -> Way:
        # a redirection may lead from http to https
        return Way(await asyncio.to_thread(self._trust()), self._proxy(where))

    async def _tls(self, where: Place) -> ssl.SSLContext | None:
        return await asyncio.to_thread(self._trust()) if where.scheme == "ftps" else None


@dataclass(frozen=True, slots=True)
class Way:
    """How HTTP gets there."""

    tls: ssl.SSLContext
    proxy: str | None = None


async def _module(name: str) -> ModuleType:
    """Import in a thread what takes long to import: the picture goes on moving."""
    return await asyncio.to_thread(importlib.import_module, name)
