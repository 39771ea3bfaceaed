"""Starts a headless station as a sub-process and speaks to it over stdio."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ENDED = -32008
"""The error of a request that the end of the program cut short."""

NOT_IN_TIME = -32007
"""The error of a wait for something that did not happen."""

CHECKOUT = Path(__file__).resolve().parents[2]


class StationError(Exception):
    """The station answered a request with an error, or is gone. `code` is the one of the table."""

    def __init__(self, code: int | None, message: str, data: Any = None) -> None:
        super().__init__(message if code is None else f"{message} ({code})")
        self.code, self.data = code, data


class Refused(StationError):
    """The machine refused an intent; the message is its reason."""


def interpreter(checkout: Path = CHECKOUT) -> str:
    """The Python that has Forecourt's libraries: that of the checkout's environment where there is one."""
    for place in ("bin/python", "Scripts/python.exe"):
        python = checkout / ".venv" / place
        if python.is_file():
            return str(python)
    return sys.executable


class Station:
    """A headless station. Arguments are those of `forecourt headless`, without --control."""

    def __init__(
        self, *arguments: str, command: list[str] | None = None, start_timeout: float = 30.0
    ) -> None:
        # -P: a folder named `ui` where the caller works must not be taken for the program
        program = command or [interpreter(), "-P", "-m", "ui"]
        environment = dict(os.environ)
        paths = [str(CHECKOUT), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
        self._process = subprocess.Popen(  # noqa: S603 - the caller names the program
            [*program, "headless", *arguments, "--control", "stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            encoding="utf-8",
        )
        self._answers: dict[int, queue.SimpleQueue[dict[str, Any] | None]] = {}
        self._lock = threading.Lock()
        self._next = 0
        self._ready: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self.notifications: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        """`journal.event` and other notifications, in order."""
        self._errors: deque[str] = deque(maxlen=200)
        self._readers = [
            threading.Thread(target=self._read, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self.ready = self._await_ready(start_timeout)
        """The parameters of the `ready` notification."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        """The newest lines of stderr."""
        return "\n".join(self._errors)

    def call(self, method: str, *, answer_timeout: float = 60.0, **params: Any) -> Any:
        """Ask and wait for the result. Raises StationError."""
        return self.result(self.begin(method, **params), answer_timeout)

    def begin(self, method: str, **params: Any) -> int:
        """Ask without waiting; `result()` takes the number that this returns."""
        with self._lock:
            self._next += 1
            ident = self._next
            self._answers[ident] = queue.SimpleQueue()
        request = {"jsonrpc": "2.0", "id": ident, "method": method, "params": params}
        self._write(json.dumps(request))
        return ident

    def result(self, ident: int, answer_timeout: float = 60.0) -> Any:
        """Wait for the result of `begin()`. Raises StationError."""
        try:
            message = self._answers[ident].get(timeout=answer_timeout)
        except queue.Empty:
            raise StationError(None, f"no answer within {answer_timeout:g} s") from None
        finally:
            del self._answers[ident]
        error = None if message is None else message.get("error")
        if message is None or (error is not None and error["code"] == ENDED):
            for reader in self._readers:
                reader.join(5.0)  # its last words
            raise StationError(ENDED, f"the station has ended: {self.log}")
        if error is not None:
            raise StationError(error["code"], error["message"], error.get("data"))
        return message["result"]

    def do(self, method: str, **params: Any) -> None:
        """Send an intent that must be accepted. Raises Refused."""
        answer = self.call(method, **params)
        if not answer["accepted"]:
            raise Refused(None, answer["reason"], answer.get("code"))

    def wait(
        self, wanted: dict[str, Any], timeout: float = 30.0, after: int | None = None
    ) -> dict[str, Any]:
        """Wait for a journal record with these fields. Raises StationError when none comes."""
        params: dict[str, Any] = {"filter": wanted, "timeout": timeout}
        if after is not None:
            params["after"] = after
        answer = self.call("journal.wait", answer_timeout=timeout + 10, **params)
        record: dict[str, Any] = answer["record"]
        return record

    def wait_accepted(self, timeout: float = 30.0) -> None:
        """Wait until the back office has accepted the station: before that it takes no card."""
        if self.call("station.snapshot")["boot"] == "accepted":
            return
        try:
            self.wait({"event": "BootStateChanged", "data.state": "accepted"}, timeout)
        except StationError as error:
            if error.code != NOT_IN_TIME:
                raise
            raise StationError(
                error.code, f"not accepted within {timeout:g} s: {self.log}"
            ) from None

    def kill(self) -> None:
        """End it as a power cut of the computer would."""
        self._process.kill()
        self._process.wait(10)

    def close(self, timeout: float = 20.0) -> int:
        """End it in order. Returns its exit code."""
        if self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise StationError(None, f"the station did not end: {self.log}") from None
        finally:
            self._release()

    def _release(self) -> None:
        """Let go of threads and pipes of a program that has ended."""
        for reader in self._readers:
            reader.join(5.0)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            raise StationError(None, f"the station has ended: {self.log}") from None

    def _await_ready(self, timeout: float) -> dict[str, Any]:
        try:
            message = self._ready.get(timeout=timeout)
        except queue.Empty:
            self.kill()
            self._release()
            raise StationError(None, f"not ready within {timeout:g} s: {self.log}") from None
        if message is None:
            code = self._process.wait(10)
            self._release()
            raise StationError(code, f"it ended before it was ready: {self.log}")
        params: dict[str, Any] = message["params"]
        return params

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = json.loads(line)
            if message.get("method") == "ready":
                self._ready.put(message)
            elif "method" in message:
                self.notifications.put(message)
            elif (waiting := self._answers.get(message.get("id"))) is not None:
                waiting.put(message)
        self._ready.put(None)
        for waiting in list(self._answers.values()):
            waiting.put(None)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._errors.append(line.rstrip())
