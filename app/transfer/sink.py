"""The near end of a transfer: a file of ours that grows, or that is read in pieces."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from app.kernel.text import Text
from app.ocpp.context import Progress, TransferFailed, TransferTrouble
from app.transfer.places import Place

PIECE = 64 * 1024
"""Bytes handed over at a time."""


class Sink:
    """Takes the bytes of a download. The file appears under its name only when all of it is there."""

    def __init__(self, into: Path, limit: int, progress: Progress) -> None:
        self._into, self._limit, self._progress = into, limit, progress
        self._part = into.with_name(into.name + ".part")
        self._file: BinaryIO | None = None
        self._total: int | None = None
        self.count = 0

    def __enter__(self) -> Sink:
        with _own_side(self._part):
            self._part.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._part.touch(mode=0o600)
            self._file = self._part.open("wb")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._file is not None
        if kind is not None:
            with contextlib.suppress(OSError):  # what went wrong first is what is told
                self._file.close()
            self._part.unlink(missing_ok=True)
            return
        try:
            with _own_side(self._part):
                self._file.close()
                self._part.replace(self._into)
        except TransferFailed:
            self._part.unlink(missing_ok=True)
            raise

    def expect(self, total: int | None) -> None:
        """The other side says how much it is. Raises TransferFailed where that is too much."""
        self._total = total
        self._check(total or 0)
        self._progress(0, total)

    def take(self, data: bytes) -> None:
        """The next piece. Raises TransferFailed."""
        assert self._file is not None
        self._check(self.count + len(data))
        with _own_side(self._part):
            self._file.write(data)
        self.count += len(data)
        self._progress(self.count, self._total)

    def complete(self, where: Place) -> None:
        """All has come. Raises TransferFailed where it is less than was promised."""
        if self._total is not None and self.count != self._total:
            params = {"server": where.server, "done": self.count, "total": self._total}
            raise TransferFailed(Text("transfer.truncated", params), TransferTrouble.CUT_OFF)

    def _check(self, size: int) -> None:
        if size > self._limit:
            params = {"limit": self._limit // (1024 * 1024)}
            raise TransferFailed(Text("transfer.too_large", params), TransferTrouble.LOCAL)


def size_of(source: Path) -> int:
    """Bytes of a file of ours. Raises TransferFailed."""
    with _own_side(source):
        return source.stat().st_size


def pieces(source: Path, progress: Progress) -> Iterator[bytes]:
    """A file of ours, piece by piece; tells how far it came when the next piece is asked for."""
    total, done = size_of(source), 0
    with _own_side(source), source.open("rb") as file:
        progress(0, total)
        while data := file.read(PIECE):
            yield data
            done += len(data)
            progress(done, total)


@contextlib.contextmanager
def _own_side(path: Path) -> Iterator[None]:
    """What goes wrong here is our own disk."""
    try:
        yield
    except OSError as error:
        params = {"file": path.name, "why": error.strerror or str(error)}
        raise TransferFailed(Text("transfer.own_disk", params), TransferTrouble.LOCAL) from error
