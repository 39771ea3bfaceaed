"""The journal: every event in order, appended to a file, the newest also in memory.

A thread writes in batches, so that no disk holds up the loop; an index of offsets finds any line again.
Nothing secret is redacted here: frames arrive redacted, since only their redacted text is published.
"""

from __future__ import annotations

import asyncio
import json
import queue
import threading
from array import array
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.kernel.bus import Bus, Entry, Remover
from app.ocpp.events import FramePassed
from app.trace.codec import Record, to_record

FILE_NAME = "journal.jsonl"
MOST_TEXT = 64 * 1024 * 1024
"""Characters of frames that are kept in memory at most: a flood of long ones must not fill it."""

MOST_BEHIND = 2_000
"""Events that the file may lack before `caught_up` waits."""

PATIENCE = 1.0
"""Seconds that `caught_up` waits at most: a disk that hangs must not stop the station."""

LOOK_AGAIN = 0.005
"""Seconds."""


class Journal:
    """Subscribes to everything first, so that its order is the order."""

    def __init__(self, bus: Bus, folder: Path | None = None, ring: int = 50_000) -> None:
        self._ring: deque[Entry] = deque()
        self._limit = ring
        self._text = 0
        self._writer = _Writer(folder / FILE_NAME) if folder else None
        self._watchers: list[Callable[[Entry], None]] = []
        self.on_broken: Callable[[str], None] | None = None
        """Told once, with the next event, that the file can no longer be written, and why."""
        self._remove: Remover = bus.subscribe(self._on_entry)

    @property
    def last_seq(self) -> int:
        """Seq of the newest event, 0 when there is none."""
        return self._ring[-1].seq if self._ring else 0

    @property
    def first_seq(self) -> int:
        """Seq of the oldest event that can still be read, 0 when there is none."""
        if self._writer and self._writer.first_seq:
            return self._writer.first_seq
        return self._ring[0].seq if self._ring else 0

    @property
    def broken(self) -> str | None:
        """Why the file can no longer be written, None while it can."""
        return self._writer.error if self._writer else None

    def tail(self, count: int) -> list[Entry]:
        """The newest `count` events, oldest first."""
        start = max(0, len(self._ring) - count)
        return [self._ring[index] for index in range(start, len(self._ring))]

    def range(self, first: int, last: int) -> list[Record]:
        """The records from seq `first` to `last`, both included, from memory or from the file."""
        if not self._ring:
            return []
        oldest = self._ring[0].seq
        found: list[Record] = []
        if first < oldest and self._writer:
            found = self._writer.read(first, min(last, oldest - 1))
        start = max(0, first - oldest)
        stop = min(len(self._ring), last - oldest + 1)
        found += [to_record(self._ring[index]) for index in range(start, stop)]
        return found

    def watch(self, watcher: Callable[[Entry], None]) -> Remover:
        """Call `watcher` for each new event, after it was written down here."""
        self._watchers.append(watcher)

        def remove() -> None:
            if watcher in self._watchers:
                self._watchers.remove(watcher)

        return remove

    def flush(self) -> None:
        """Wait until all so far is in the file."""
        if self._writer:
            self._writer.flush()

    async def caught_up(self) -> None:
        """Wait while the file is far behind: who makes events by the thousand is to make no more yet."""
        waited = 0.0
        while self._writer and self._writer.behind > MOST_BEHIND and waited < PATIENCE:
            await asyncio.sleep(LOOK_AGAIN)
            waited += LOOK_AGAIN

    def close(self) -> None:
        """Stop listening, write the rest and end the thread."""
        self._remove()
        if self._writer:
            self._writer.close()

    def _on_entry(self, entry: Entry) -> None:
        self._keep(entry)
        if self._writer:
            self._writer.put(entry)
        for watcher in tuple(self._watchers):
            watcher(entry)
        if self.broken is not None and self.on_broken is not None:
            tell, self.on_broken = self.on_broken, None
            tell(self.broken)

    def _keep(self, entry: Entry) -> None:
        self._ring.append(entry)
        self._text += _length(entry)
        while len(self._ring) > self._limit or (self._text > MOST_TEXT and len(self._ring) > 1):
            self._text -= _length(self._ring.popleft())


def _length(entry: Entry) -> int:
    """Characters of the frame that an event tells of; all else is short."""
    return len(entry.event.text) if isinstance(entry.event, FramePassed) else 0


class _Writer:
    """The thread that owns the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.SimpleQueue[Entry | threading.Event | None] = queue.SimpleQueue()
        self._offsets: array[int] = array("Q")
        self._lock = threading.Lock()
        self.first_seq = 0
        self.error: str | None = None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def behind(self) -> int:
        """Events that wait to be written."""
        return self._queue.qsize()

    def put(self, entry: Entry) -> None:
        self._queue.put(entry)

    def flush(self) -> None:
        done = threading.Event()
        self._queue.put(done)
        done.wait(5.0)

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join(5.0)

    def read(self, first: int, last: int) -> list[Record]:
        """The records of these seqs that this run has written."""
        self.flush()
        with self._lock:
            if not self.first_seq or self.error:
                return []
            start = max(0, first - self.first_seq)
            stop = min(len(self._offsets), last - self.first_seq + 1)
            if start >= stop:
                return []
            begin = self._offsets[start]
            count = stop - start
        with self._path.open("rb") as file:
            file.seek(begin)
            return [json.loads(file.readline()) for _ in range(count)]

    def _run(self) -> None:
        try:
            descriptor = _open_private(self._path)
            with descriptor as file:
                offset = file.seek(0, 2)
                while (batch := self._next_batch()) is not None:
                    offset = self._write(file, offset, batch)
        except OSError as error:
            self.error = str(error)
            self._drain()

    def _next_batch(self) -> list[Entry | threading.Event] | None:
        item = self._queue.get()
        if item is None:
            return None
        batch = [item]
        while len(batch) < 1000:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if item is None:
                self._queue.put(None)
                break
            batch.append(item)
        return batch

    def _write(self, file: Any, offset: int, batch: list[Entry | threading.Event]) -> int:
        for item in batch:
            if isinstance(item, threading.Event):
                file.flush()
                item.set()
                continue
            line = json.dumps(to_record(item), separators=(",", ":")).encode() + b"\n"
            with self._lock:
                self.first_seq = self.first_seq or item.seq
                self._offsets.append(offset)
            file.write(line)
            offset += len(line)
        file.flush()
        return offset

    def _drain(self) -> None:
        """After an error: keep nobody waiting."""
        while (item := self._queue.get()) is not None:
            if isinstance(item, threading.Event):
                item.set()


def _open_private(path: Path) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600, exist_ok=True)
    return path.open("ab")
