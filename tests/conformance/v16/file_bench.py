"""Benches of 1.6 with a way to file servers: one that a test speaks for, or the real one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from app.kernel.text import Text
from app.ocpp.context import Progress, TransferFailed, TransferTrouble
from app.ocpp.shared.jobs.faults import FileFaults
from app.ocpp.shared.jobs.image import build_image
from tests.support.harness import Bench

URL = "http://user:secret@files.example/fw-2.1.0.bin"
UP = "ftp://user:secret@files.example/up/"
IMAGE = build_image("2.1.0", bytes(1000))

Answer = bytes | TransferFailed | asyncio.Event


def trouble(kind: TransferTrouble = TransferTrouble.CUT_OFF) -> TransferFailed:
    return TransferFailed(Text("transfer.cut_off", {"server": "files.example"}), kind)


@dataclass
class Servers:
    """File servers as the test wants them: what the next transfers come to; the last one stays.

    An Event is waited for before the transfer goes on to the next answer.
    """

    answers: list[Answer] = field(default_factory=lambda: [IMAGE])
    asked: list[str] = field(default_factory=list)
    uploads: list[tuple[str, str, bytes]] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def download(self, url: str, into: Path, *, progress: Progress) -> None:
        self.asked.append(url)
        data = await self._next()
        progress(0, len(data))
        into.parent.mkdir(parents=True, exist_ok=True)
        into.write_bytes(data)
        progress(len(data), len(data))

    async def upload(self, url: str, source: Path, name: str, *, progress: Progress) -> None:
        self.asked.append(url)
        await self._next()
        data = source.read_bytes()
        progress(0, len(data))
        self.uploads.append((url, name, data))
        progress(len(data), len(data))

    async def _next(self) -> bytes:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, asyncio.Event):
            self.begun.set()
            await answer.wait()
            return await self._next()
        if isinstance(answer, TransferFailed):
            raise answer
        return answer


@dataclass
class Shelf:
    """A log that holds what the test says."""

    folder: Path
    content: bytes = b"the log"
    empty: bool = False
    asked: list[tuple[str, datetime | None, datetime | None]] = field(default_factory=list)

    def holds(self, kind: str, since: datetime | None, until: datetime | None) -> bool:
        self.asked.append((kind, since, until))
        return not self.empty

    async def archive(self, kind: str, since: datetime | None, until: datetime | None) -> Path:
        path = self.folder / "log-1.tar.gz"
        path.write_bytes(self.content)
        return path


def ports(tmp_path: Path, servers: Any = None) -> dict[str, Any]:
    """The ports that a bench with files has."""
    return {
        "transfer": servers or Servers(),
        "logs": Shelf(tmp_path),
        "files": tmp_path,
        "faults": FileFaults(),
    }


def words(bench: Bench, action: str) -> list[str]:
    """The statuses told by this message, oldest first."""
    return [str(item["status"]) for item in bench.sent(action)]


def at(bench: Bench, action: str, status: str) -> list[datetime]:
    """When the back office heard this status."""
    heard = [item for item in bench.csms.heard if item.action == action]
    return [item.at for item in heard if item.payload["status"] == status]
