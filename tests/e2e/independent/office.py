"""A back office in a program of its own that is not ours, led and listened to over its pipes."""

from __future__ import annotations

import itertools
import json
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
Event = dict[str, Any]


class Refusal(Exception):
    """The station answered with a CALLERROR; the text is its code."""


class IndependentOffice:
    """Tests look at it from their own thread; every wait says what was seen when it fails."""

    def __init__(
        self, command: list[str], environment: dict[str, str], *, scheme: str = "ws"
    ) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            encoding="utf-8",
        )
        self._events: list[Event] = []
        self._errors: list[str] = []
        self._news = threading.Condition()
        self._ids = itertools.count(1)
        self._readers = [
            threading.Thread(target=self._read, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        port = self.wait("the port", lambda: self._first("listening"), 30.0)["port"]
        self.url = f"{scheme}://127.0.0.1:{port}"

    def close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        for reader in self._readers:
            reader.join(5.0)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    # ------------------------------------------------------------ what it heard

    def events(self, kind: str) -> list[Event]:
        """What it told of one kind, oldest first."""
        with self._news:
            return [event for event in self._events if event["event"] == kind]

    @property
    def faults(self) -> list[str]:
        """What its validation found."""
        return [event["text"] for event in self.events("fault")]

    def frames(self) -> list[tuple[bool, str]]:
        """All that passed: whether the station sent it, and the text."""
        return [(event["from_station"], event["text"]) for event in self.events("frame")]

    def mark(self) -> int:
        """A place in the order of frames, for `after=`."""
        return len(self.events("frame"))

    def heard(self, action: str, after: int = 0) -> list[dict[str, Any]]:
        """The payloads of the CALLs of the station."""
        messages = [json.loads(text) for ours, text in self.frames()[after:] if ours]
        return [one[3] for one in messages if one[0] == 2 and one[2] == action]

    def wait(self, what: str, find: Callable[[], T | None], timeout: float = 15.0) -> T:
        """The first result of `find`, asked again whenever something happened."""
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                if (found := find()) is not None:
                    return found
                left = deadline - time.monotonic()
                if left <= 0 or not self._news.wait(left):
                    raise AssertionError(f"not within {timeout:g} s: {what}; {self.seen()}")

    def wait_heard(
        self,
        action: str,
        where: Callable[[dict[str, Any]], bool] = lambda payload: True,
        *,
        after: int = 0,
        timeout: float = 15.0,
    ) -> dict[str, Any]:
        """The first CALL of this kind behind `after`, also one that came before this question."""

        def find() -> dict[str, Any] | None:
            return next((one for one in self.heard(action, after) if where(one)), None)

        return self.wait(action, find, timeout)

    def seen(self) -> str:
        lines = [json.dumps(event)[:200] for event in self._events[-40:]]
        return "\n".join(["seen:", *lines, *self._errors[-10:]])

    # ------------------------------------------------------------ what it says

    def call(self, station: str, action: str, payload: dict[str, Any] | None = None) -> Any:
        """Ask the station and wait for the answer's payload. Raises Refusal."""
        return self._order(action, station=station, action=action, payload=payload or {})

    def raw(self, station: str, text: str) -> None:
        """Send any text to the station."""
        self._order("raw text", station=station, raw=text)

    def _order(self, what: str, **order: Any) -> Any:
        ident = next(self._ids)
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": ident, **order}) + "\n")
        self._process.stdin.flush()
        answer = self.wait(f"the answer to {what}", lambda: self._answer(ident), 30.0)
        if "error" in answer:
            raise Refusal(answer["error"])
        return answer["payload"]

    def status(self, station: str, action: str, **payload: Any) -> str:
        """The status in the answer."""
        return str(self.call(station, action, payload)["status"])

    # ------------------------------------------------------------ its pipes

    def _first(self, kind: str) -> Event | None:
        return next((event for event in self._events if event["event"] == kind), None)

    def _answer(self, ident: int) -> Event | None:
        return next((event for event in self.events("answer") if event["id"] == ident), None)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                self._events.append(json.loads(line))
                self._news.notify_all()

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._errors.append(line.rstrip())
