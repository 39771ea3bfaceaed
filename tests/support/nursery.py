"""Headless stations without the wait for their imports: a process that has them forks one on request.

Each is a process of its own that runs the program's `main` with its arguments; what is saved is only
what an interpreter does before that.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


class Nursery:
    """Starts stations, from any thread; `close()` when they are gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(60)
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.nursery", str(theirs.fileno())],
                env=environment,
                pass_fds=[theirs.fileno()],
                cwd=CHECKOUT,
            )

    def start(self, arguments: list[str], channel: socket.socket, errors: int) -> int:
        """`forecourt headless` with these arguments, stdio on `channel`. Returns its process id."""
        request = json.dumps(arguments).encode()
        with self._lock:
            socket.send_fds(self._socket, [request], [channel.fileno(), errors])
            return int(self._socket.recv(64))

    def close(self) -> None:
        self._socket.close()
        self._process.wait(10)


def _serve(requests: socket.socket) -> None:
    from app.ocpp import v16, v201  # noqa: F401 - loaded once, for all
    from app.ocpp.schema import Schemas
    from app.ocpp.version import Version
    from app.runtime import headless  # noqa: F401 - loaded once, for all

    for version in Version:
        assert Schemas.of(version).actions
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    while True:
        request, descriptors, _, _ = socket.recv_fds(requests, 65536, 2)
        if not request:
            return
        child = os.fork()
        if child == 0:
            requests.close()
            _become(json.loads(request), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        requests.send(str(child).encode())


def _become(arguments: list[str], descriptors: list[int]) -> None:
    channel, errors = descriptors
    for number, source in enumerate((channel, channel, errors)):
        os.dup2(source, number)
    for descriptor in descriptors:
        os.close(descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sys.argv = ["forecourt", "headless", *arguments]
    import runpy

    code: int | str | None = 1
    try:
        runpy.run_module("ui", run_name="__main__")
    except SystemExit as ended:
        code = ended.code
    finally:
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
