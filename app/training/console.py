"""A training CSMS by hand, without a window: each line of the standard input is a request to a station.

    [STATION] ACTION [PAYLOAD]
    [STATION] [2,"id","ACTION",{}]

The station may be left out while only one is connected, and the payload where the example will do; what it
writes as "{root}" becomes the root certificate of the CSMS. What begins with a bracket is a whole frame, sent
as it is.
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
from app.training.composer import actions
from app.training.outcome import CallOutcome, OutcomeKind
from app.training.server import TrainingCsms
from app.training.settings import V16, V201

ROOT = '"{root}"'
ACTIONS = frozenset(actions(V16)) | frozenset(actions(V201))


class Console:
    """Carries out lines; those to one station one after the other.

    `report` gets what stations answer, and what is wrong.
    """

    def __init__(self, csms: TrainingCsms, report: Callable[[Text], None]) -> None:
        self._csms, self._report = csms, report
        self._open: set[asyncio.Task[None]] = set()

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
            # a station that does not answer holds up nobody else
            task = loop.create_task(self.do(line))
            self._open.add(task)
            task.add_done_callback(self._open.discard)

    async def do(self, line: str) -> None:
        """Carry out one line."""
        words = line.split(maxsplit=2)
        if not words:
            return
        connected = self._csms.connected()
        names = ", ".join(connected) or "-"
        if words[0] in connected:
            station, rest = words[0], line.strip().removeprefix(words[0]).strip()
        elif len(words) > 1 and words[1] in ACTIONS:
            gone = {"station": words[0], "stations": names}
            self._report(Text("training.console.no_station", gone))
            return
        elif len(connected) == 1:
            station, rest = connected[0], line.strip()
        else:
            self._report(Text("training.console.which", {"stations": names}))
            return
        action, _, payload = rest.partition(" ")
        if rest.startswith("["):
            self._told(station, "", await self._csms.send_raw(station, rest))
        else:
            await self._call(station, action, payload.strip())

    async def _call(self, station: str, action: str, payload: str) -> None:
        try:
            text = self._filled(payload) if payload else self._example(station, action)
        except KeyError:
            record = self._csms.snapshot().station(station)
            known = ", ".join(actions(record.version)) if record else "-"
            params = {"action": action or "-", "known": known}
            self._report(Text("training.console.unknown", params))
            return
        # nobody may ever answer what is no JSON: what follows does not wait for that
        outcome = await self._csms.call(station, action, text, overlap=not _is_json(text))
        self._told(station, action, outcome)

    def _told(self, station: str, action: str, outcome: CallOutcome) -> None:
        params = {"action": action or "-", "answer": _in_words(outcome)}
        said = Text("training.console.answer", params)
        self._report(Text("training.line", {"station": station, "what": said}))

    def _example(self, station: str, action: str) -> str:
        return json.dumps(self._csms.example(station, action))

    def _filled(self, payload: str) -> str:
        authority = self._csms.settings.authority
        if authority is None:
            return payload
        return payload.replace(ROOT, json.dumps(authority.root.certificate_pem))


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _in_words(outcome: CallOutcome) -> str:
    if outcome.kind is OutcomeKind.RESULT:
        return json.dumps(outcome.payload, ensure_ascii=False)
    parts = (outcome.kind.value, outcome.code, outcome.description)
    return " ".join(part for part in parts if part)
