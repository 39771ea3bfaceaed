"""Which way in is meant, and the one over stdio; `websocket` has the other.

stdout carries JSON only: whatever else the program prints goes to stderr. Reading and writing have threads
of their own, so that a script that does not read does not hold up the station.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import sys
import threading
from typing import TextIO
from urllib.parse import urlsplit

from app.kernel.text import Text
from app.runtime.control.dispatch import Dispatcher

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class ControlAddressError(ValueError):
    """`--control` does not name a channel; `text` says what does."""

    def __init__(self, text: Text) -> None:
        super().__init__(f"{text.id} {dict(text.params)}")
        self.text = text


class StdioClosed(Exception):
    """The program has no standard input or output."""


def parse_address(address: str) -> tuple[str, int] | None:
    """Host and port of a WebSocket channel, None for stdio. Raises ControlAddressError."""
    if address == "stdio":
        return None
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme != "ws" or not parts.hostname or port is None:
        raise ControlAddressError(Text("control.no_channel", {"address": address}))
    if parts.hostname not in LOOPBACK:
        raise ControlAddressError(Text("control.not_here", {"address": address}))
    return parts.hostname, port


class StdioChannel:
    """Requests from stdin, one a line; answers and notifications to stdout."""

    def __init__(self, stdin: TextIO, stdout: TextIO) -> None:
        self._stdin, self._stdout = stdin, stdout
        self._out: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._writer = threading.Thread(target=self._write, name="control-out", daemon=True)

    @classmethod
    def claim(cls) -> StdioChannel:
        """Take stdout for JSON; prints of anybody else go to stderr from now on.

        Raises StdioClosed where the program was started without one of them.
        """
        if sys.stdin is None or sys.stdout is None:
            raise StdioClosed
        stdout = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", newline="\n")
        sys.stdout = sys.stderr
        # -sig: shells of Windows begin what they pipe with a byte order mark
        stdin = os.fdopen(os.dup(sys.stdin.fileno()), "r", encoding="utf-8-sig", errors="replace")
        return cls(stdin, stdout)

    def send(self, line: str) -> None:
        self._out.put(line)

    def start(self) -> None:
        self._writer.start()

    async def run(self, dispatcher: Dispatcher) -> None:
        """Serve until stdin ends."""
        loop = asyncio.get_running_loop()
        reader = threading.Thread(target=self._read, args=(loop,), name="control-in", daemon=True)
        reader.start()
        while (line := await self._lines.get()) is not None:
            if line.strip():
                await dispatcher.receive(line)

    def close(self) -> None:
        """Write what is left."""
        self._out.put(None)
        if self._writer.ident is not None:  # it may not have come to be started
            self._writer.join(5.0)

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        line: str | None
        with contextlib.suppress(RuntimeError):  # the loop has closed meanwhile
            try:
                for line in self._stdin:
                    loop.call_soon_threadsafe(self._lines.put_nowait, line)
            except (OSError, ValueError):
                pass  # the other end is gone: the same as its end
            loop.call_soon_threadsafe(self._lines.put_nowait, None)

    def _write(self) -> None:
        while (line := self._out.get()) is not None:
            try:
                self._stdout.write(line + "\n")
                if self._out.empty():
                    self._stdout.flush()
            except (OSError, ValueError):
                return  # nobody reads any more; stdin will end too
        with contextlib.suppress(OSError, ValueError):
            self._stdout.flush()
