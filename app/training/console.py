"""A training CSMS by hand, without a window: each line of the standard input is a request to a station.

    [STATION] ACTION [PAYLOAD]

The station may be left out while only one is connected, and the payload where the example will do; what it
writes as "{root}" becomes the root certificate of the CSMS.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import sys
import threading
from collections.abc import Callable
from typing import TextIO

from app.kernel.text import Text
from app.training.outcome import CallOutcome, OutcomeKind
from app.training.server import TrainingCsms

ROOT = '"{root}"'


class Console:
    """Carries out lines one after the other. `report` gets what stations answer, and what is wrong."""

    def __init__(self, csms: TrainingCsms, report: Callable[[Text], None]) -> None:
        self._csms, self._report = csms, report

    async def run(self, lines: TextIO | None = None) -> None:
        """Read until the end; the CSMS serves on. A thread waits for the lines: it ends with the program."""
        source = sys.stdin if lines is None else lines
        loop, queue = asyncio.get_running_loop(), asyncio.Queue[str | None]()

        def read() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody listens any more
                for line in source:
                    loop.call_soon_threadsafe(queue.put_nowait, line)
                loop.call_soon_threadsafe(queue.put_nowait, None)

        if isinstance(source, io.TextIOWrapper):
            source.reconfigure(errors="replace")  # a letter that is none does not end it
        threading.Thread(target=read, name="console", daemon=True).start()
        while (line := await queue.get()) is not None:
            await self.do(line)

    async def do(self, line: str) -> None:
        """Carry out one line."""
        words = line.split(maxsplit=1)
        if not words:
            return
        connected = self._csms.connected()
        if words[0] in connected:
            station, rest = words[0], words[1] if len(words) > 1 else ""
        elif len(connected) == 1:
            station, rest = connected[0], line
        else:
            names = ", ".join(connected) or "-"
            self._report(Text("training.console.which", {"stations": names}))
            return
        action, _, payload = rest.strip().partition(" ")
        await self._call(station, action, payload.strip())

    async def _call(self, station: str, action: str, payload: str) -> None:
        try:
            text = self._filled(payload) if payload else self._example(station, action)
        except KeyError:
            self._report(Text("training.console.unknown", {"action": action or "-"}))
            return
        outcome = await self._csms.call(station, action, text)
        said = Text("training.console.answer", {"action": action, "answer": _in_words(outcome)})
        self._report(Text("training.line", {"station": station, "what": said}))

    def _example(self, station: str, action: str) -> str:
        return json.dumps(self._csms.example(station, action))

    def _filled(self, payload: str) -> str:
        authority = self._csms.settings.authority
        if authority is None:
            return payload
        return payload.replace(ROOT, json.dumps(authority.root.certificate_pem))


def _in_words(outcome: CallOutcome) -> str:
    if outcome.kind is OutcomeKind.RESULT:
        return json.dumps(outcome.payload, ensure_ascii=False)
    parts = (outcome.kind.value, outcome.code, outcome.description)
    return " ".join(part for part in parts if part)
