"""The station's log packed for a back office: journal, exchanges, a snapshot and the security log.

Everything was redacted before it was written down; the snapshot is redacted here. Packed in a thread, from
what was gathered on the loop; the journal is read from its file, where there is one.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from app.kernel.bus import Entry
from app.kernel.catalogue import Catalogue
from app.kernel.units import stamp
from app.ocpp.redaction import redact
from app.ocpp.shared.jobs.upload import SECURITY
from app.ocpp.shared.security_log import SecurityEntry, SecurityLog
from app.runtime.store import Store
from app.trace.codec import to_json, to_record
from app.trace.exchange import Exchange, Exchanges
from app.trace.journal import FILE_NAME, Journal

PREFIX = "log-"
MOST = 128 * 1024 * 1024
"""Bytes of the journal that go into an archive at most, the newest."""
ALL = 1_000_000_000
_HEAD = 200
"""Bytes of a line of the journal in which its moment stands."""
_MOMENT = re.compile(rb'\{"seq":\d+,"at":"([0-9T:.Z+-]+)"')

Period = tuple[datetime | None, datetime | None]


class StationLogs:
    """Implements LogPort. `folder` holds the journal, None: it is in memory only."""

    def __init__(
        self,
        journal: Journal,
        exchanges: Exchanges,
        store: Store,
        catalogue: Catalogue,
        snapshot: Callable[[], Any],
        into: Path,
        folder: Path | None,
    ) -> None:
        self._journal, self._exchanges, self._store = journal, exchanges, store
        self._catalogue, self._snapshot = catalogue, snapshot
        self._into, self._folder = into, folder
        self._packing = asyncio.Lock()
        """One archive at a time: orders that follow each other fast must not take all threads."""

    def holds(self, kind: str, since: datetime | None, until: datetime | None) -> bool:
        """As LogPort."""
        if since is not None and until is not None and since > until:
            return False
        if kind == SECURITY:
            return bool(SecurityLog(self._store).entries(since, until))
        newest = self._journal.tail(1)
        if not newest or (since is not None and newest[0].at < since):
            return False
        oldest = self._oldest()
        return until is None or oldest is None or _within(oldest, (None, until))

    async def archive(self, kind: str, since: datetime | None, until: datetime | None) -> Path:
        """As LogPort: a tar.gz. Raises OSError."""
        path = self._into / f"{PREFIX}{uuid4().hex}.tar.gz"
        period = (since, until)
        security = SecurityLog(self._store).entries(since, until)
        if kind == SECURITY:
            await asyncio.to_thread(_pack, path, {"security.jsonl": _security(security)})
            return path
        async with self._packing:
            exchanges = self._exchanges.rows()
            snapshot = self._snapshot()
            entries = [] if self._folder else self._journal.tail(ALL)
            try:
                await asyncio.to_thread(
                    self._pack_all, path, period, security, exchanges, snapshot, entries
                )
            finally:
                # the traceback of an order that is cancelled must not hold them; its thread ends early
                exchanges.clear()
                entries.clear()
        return path

    def _pack_all(
        self,
        path: Path,
        period: Period,
        security: list[SecurityEntry],
        exchanges: list[Exchange],
        snapshot: Any,
        entries: list[Entry],
    ) -> None:
        if self._folder is not None:
            self._journal.flush()
            journal = _of_file(self._folder / FILE_NAME, period)
        else:
            journal = _of_entries(entries, period)
        text = json.dumps(to_json(snapshot), ensure_ascii=False, indent=1)
        parts: dict[str, Iterable[bytes]] = {
            "journal.jsonl": journal,
            "exchanges.jsonl": self._told(exchanges, period),
            "security.jsonl": _security(security),
            "snapshot.json": [redact(None, None, text).encode()],
        }
        _pack(path, parts)

    def _told(self, exchanges: list[Exchange], period: Period) -> Iterator[bytes]:
        for row in exchanges:
            if not _within(stamp(row.at), period):
                continue
            line = to_json(row) | {"summary": self._catalogue.render(row.summary)}
            yield _line(line)

    def _oldest(self) -> str | None:
        """When the oldest record is of, None where that cannot be told at once."""
        if self._folder is not None:
            try:
                with (self._folder / FILE_NAME).open("rb") as file:
                    return str(json.loads(file.readline())["at"])
            except (OSError, ValueError, KeyError):
                return None  # not written yet, or cut short by a kill
        entries = self._journal.tail(ALL)
        return stamp(entries[0].at) if entries else None


def _of_file(path: Path, period: Period) -> Iterator[bytes]:
    """The lines as they are: a frame in it may be long, and needs no reading to be copied."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - MOST))
        if size > MOST:
            file.readline()  # the rest of a line
        for line in file:
            if line.endswith(b"\n") and (period == (None, None) or _within(_at(line), period)):
                yield line


def _at(line: bytes) -> str:
    """When a line of the journal is of; "" where it does not say."""
    found = _MOMENT.match(line[:_HEAD])
    return found[1].decode() if found else ""


def _of_entries(entries: list[Entry], period: Period) -> Iterator[bytes]:
    for entry in entries:
        if _within(stamp(entry.at), period):
            yield _line(to_record(entry))


def _line(record: Any) -> bytes:
    # what UTF-8 lacks, a lone surrogate, is written as JSON writes it: with a backslash
    text = json.dumps(record, separators=(",", ":"), ensure_ascii=False) + "\n"
    return text.encode("utf-8", "backslashreplace")


def _security(entries: list[SecurityEntry]) -> Iterator[bytes]:
    for entry in entries:
        yield _line(to_json(entry))


def _within(at: str, period: Period) -> bool:
    since, until = period
    moment = _sortable(at)
    return (since is None or moment >= _sortable(stamp(since))) and (
        until is None or moment <= _sortable(stamp(until))
    )


def _sortable(at: str) -> str:
    """A whole second has no fraction, and "Z" would come after the "." of those that have one."""
    return at.removesuffix("Z")


def _pack(path: Path, parts: dict[str, Iterable[bytes]]) -> None:
    """Write the archive; each part a file of lines. Nothing is left where it fails.

    A part goes through a file of its own, since its size stands before it: a journal of a hundred
    megabytes must not need several times that in memory, which the threads here would keep.
    """
    import tarfile  # a station that is never asked for its log does without

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)  # made here, so that it never exists with other rights than these
    try:
        with tarfile.open(path, "w:gz") as archive:
            for name, lines in parts.items():
                with tempfile.TemporaryFile(dir=path.parent) as part:
                    for line in lines:
                        part.write(line)
                    info = tarfile.TarInfo(name)
                    info.size, info.mode, info.mtime = part.tell(), 0o600, int(time.time())
                    part.seek(0)
                    archive.addfile(info, part)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
