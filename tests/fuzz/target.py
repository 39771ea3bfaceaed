"""A whole station to shoot at: the real session with its store and journal, and a back office beside it.

The wire lies in memory and carries whatever it is given. What counts as a hit: a task or a subscriber that
fails, a frame of ours that breaks a schema or the rules of the link, a callback that holds the loop, a
CALL that is not answered, a station that no longer does its work.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import os
import re
import sys
import tempfile
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from app.kernel.bus import Entry, SubscriberFailed
from app.kernel.units import stamp
from app.ocpp.context import BootState, CallFailed
from app.ocpp.events import OwnFrameRefused, TaskFailed, TransactionEnded, TransactionStarted
from app.ocpp.schema import Schemas
from app.ocpp.version import Version
from app.runtime.session import Parts, Session
from app.runtime.settings import resolve
from app.runtime.wire import OpenRequest, WireClosed
from app.station.intents import ClearFault, LeaveCar, PlugIn, PresentCard, Unplug
from tests.fuzz.shots import Shot
from tests.support.loop_watch import LoopWatch

RING = 500
"""Events and exchanges kept in memory here: full after the first shots, so that growth is a leak."""

PATIENCE = 10.0
"""Real seconds anything may take here before it counts as lost."""

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Options of glibc's `mallopt`."""

CONFIG = """
blueprint = "public-ac-2x22"
[vehicle]
ready_delay = 0
[csms]
url = "ws://127.0.0.1:9/ocpp"
id = "CS-1"
"""


class Hit(AssertionError):
    """The station did what it must not do."""


class Pipe:
    """A Wire in memory. What is put into `coming` arrives; a turn of the loop lies between two frames."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self.coming: deque[str | bytes] = deque()
        self._more = asyncio.Event()
        self._closed = asyncio.Event()
        self.subprotocol: str | None = office.version.subprotocol
        self.server_chain: tuple[bytes, ...] = ()
        self.hungry = asyncio.Event()

    def put(self, text: str | bytes) -> None:
        self.hungry.clear()
        self.coming.append(text)
        self._more.set()

    def send_now(self, text: str) -> bool:
        if self._closed.is_set():
            return False
        self._office.hear(self, text)
        return True

    async def send(self, text: str) -> None:
        if not self.send_now(text):
            raise WireClosed(None, "", own=True)

    async def receive(self) -> str | bytes:
        await asyncio.sleep(0)
        while not self.coming:
            self.hungry.set()
            if self._closed.is_set():
                raise WireClosed(None, "", own=True)
            self._more.clear()
            await self._more.wait()
        return self.coming.popleft()

    async def ping(self) -> Awaitable[object]:
        pong = asyncio.get_running_loop().create_future()
        pong.set_result(None)
        return pong

    async def close(self, code: int, reason: str) -> None:
        self.abort()

    def abort(self) -> None:
        self._closed.set()
        self._more.set()
        self.hungry.set()


@dataclass(slots=True)
class Office:
    """Answers what the station says, and judges each of its frames."""

    version: Version
    pipe: Pipe | None = None
    wrong_answer: str | None = None
    """Said to the next Heartbeat before the right answer."""
    answered: set[str] = field(default_factory=set)
    """Ids of CALLs to the station that it has answered."""
    faults: list[str] = field(default_factory=list)
    ids: Any = field(default_factory=lambda: count(1))

    async def open(self, request: OpenRequest) -> Pipe:
        if self.pipe is not None:
            self.pipe.abort()
        self.pipe = Pipe(self)
        return self.pipe

    def hear(self, pipe: Pipe, text: str) -> None:
        try:
            text.encode()
            frame = json.loads(text)
            assert isinstance(frame, list)
            assert frame[0] in (2, 3, 4)
        except (ValueError, AssertionError) as error:
            self.faults.append(f"the station sent {text[:200]!r}: {error}")
            return
        if frame[0] == 2:
            self._answer(pipe, frame)
        else:
            self.answered.add(str(frame[1]))
            if frame[0] == 4 and (len(frame) != 5 or len(frame[3]) > 255):
                self.faults.append(f"a CALLERROR of the station: {text[:300]}")

    def _answer(self, pipe: Pipe, frame: list[Any]) -> None:
        action, payload = frame[2], frame[3]
        for violation in Schemas.of(self.version).check(action, "request", payload, own=True):
            self.faults.append(f"{action} of the station: {violation}")
        if action == "Heartbeat" and self.wrong_answer is not None:
            pipe.put(self.wrong_answer.replace("{id}", frame[1]))
            self.wrong_answer = None
        pipe.put(json.dumps([3, frame[1], self.usual(action, payload)]))

    def usual(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        now = stamp(_now())
        if action == "BootNotification":
            return {"status": "Accepted", "currentTime": now, "interval": 3600}
        if action == "Heartbeat":
            return {"currentTime": now}
        if action in ("DataTransfer", "SignCertificate", "Get15118EVCertificate"):
            return {"status": "Accepted"}
        accepted = {"status": "Accepted"}
        if self.version is Version.V16:
            if action == "StartTransaction":
                return {"transactionId": next(self.ids), "idTagInfo": accepted}
            return {"idTagInfo": accepted} if action == "Authorize" else {}
        with_token = action == "Authorize" or "idToken" in payload
        return {"idTokenInfo": accepted} if with_token else {}


class Target:
    """One station under fire."""

    def __init__(self, version: Version, folder: Path, watch: LoopWatch) -> None:
        self.version = version
        self.office = Office(version)
        self.watch = watch
        self._threads = _threads()
        config = folder / "config.toml"
        folder.mkdir(parents=True, exist_ok=True)
        config.write_text(CONFIG)
        self.session = Session(
            resolve(config, flags={"csms.version": version.value}).config,
            state_dir=folder / "state",
            parts=Parts(opener=self.office.open),
        )
        # small rings: what still grows then is a leak
        self.session.journal._limit = RING
        self.session.exchanges._limit = RING
        self._troubles: list[str] = []
        self._ended = 0
        self._probes = count(1)
        bus = self.session.bus
        bus.subscribe(self._trouble, TaskFailed, SubscriberFailed, OwnFrameRefused)
        bus.subscribe(self._note, TransactionStarted, TransactionEnded)

    async def start(self) -> None:
        await self.session.start()
        await self.until(lambda: self.session.snapshot().boot is BootState.ACCEPTED, "the boot")

    async def stop(self) -> None:
        await self.session.stop()

    # ------------------------------------------------------------ fire

    async def take(self, shot: Shot) -> None:
        """Shoot, wait until it has been dealt with, and look. Raises Hit."""
        await asyncio.sleep(0)  # making the shot was the test's own work
        slow = len(self.watch.slow)
        if shot.answer:
            await self._take_answer(shot)
        else:
            await self._pipe_open()
            assert self.office.pipe is not None
            self.office.pipe.put(shot.text)
        await self.fed()
        self._look(slow)
        await asyncio.sleep(0)

    async def _take_answer(self, shot: Shot) -> None:
        assert isinstance(shot.text, str)
        self.office.wrong_answer = shot.text
        try:
            async with asyncio.timeout(PATIENCE):
                await self.session.call("Heartbeat", {})
        except CallFailed:
            pass  # what a wrong answer deserves
        except TimeoutError:
            raise Hit("a CALL of the station never ended") from None
        finally:
            self.office.wrong_answer = None

    async def fed(self) -> None:
        """Until all that was put into the wire has been taken out and dealt with."""
        pipe = self.office.pipe
        assert pipe is not None
        try:
            async with asyncio.timeout(PATIENCE):
                await pipe.hungry.wait()
                for _ in range(3):
                    await asyncio.sleep(0)
        except TimeoutError:
            raise Hit("the station stopped reading") from None

    def _look(self, slow: int) -> None:
        # work, not waiting: threads and other programs of a busy computer take turns with the loop
        held = [item for item in self.watch.slow[slow:] if item.work >= self.watch.fail_over]
        found = [*self._troubles, *self.office.faults, *map(str, held)]
        self._troubles.clear()
        self.office.faults.clear()
        if found:
            raise Hit("; ".join(found))

    async def flood(self, count: int) -> None:
        """So many CALLs at once, answers and rubbish among them. Raises Hit if one is not answered."""
        pipe, slow = self.office.pipe, len(self.watch.slow)
        assert pipe is not None
        self.office.answered.clear()
        action, payload = self._question()
        for number in range(count):
            pipe.put(json.dumps([2, f"flood-{number}", action, payload]))
            pipe.put(("[3,'x'", '[3,"x",{}]', "[]")[number % 3])
        await self.until(lambda: len(self.office.answered) >= count, "the answers to a flood", 60.0)
        self.office.answered.clear()
        self._look(slow)

    # ------------------------------------------------------------ signs of life

    async def probe(self) -> None:
        """It still answers, and still speaks of its own. Raises Hit.

        A right Reset among the shots may take the link away in between: then it is asked once more.
        """
        try:
            await self._probe()
        except (Hit, CallFailed):
            await self._probe()

    async def _probe(self) -> None:
        await self._pipe_open()
        assert self.office.pipe is not None
        ident = f"probe-{next(self._probes)}"
        action, payload = self._question()
        self.office.pipe.put(json.dumps([2, ident, action, payload]))
        await self.until(lambda: ident in self.office.answered, "the answer to a CALL")
        self.office.answered.clear()
        async with asyncio.timeout(PATIENCE):
            await self.session.call("Heartbeat", {})
        await asyncio.sleep(0)

    def _question(self) -> tuple[str, dict[str, Any]]:
        """A CALL that is always answered."""
        if self.version is Version.V16:
            return "GetConfiguration", {"key": ["HeartbeatInterval"]}
        asked = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "MessageTimeout"}}
        return "GetVariables", {"getVariableData": [asked]}

    async def session_completes(self) -> None:
        """A car comes, charges and goes, and all of it is told. Raises Hit.

        What shots that were in order have changed on purpose (limits, lists, availability) is taken
        back first; that it lives without that is what `probe` has shown.
        """
        await self.probe()
        await self.session.factory_reset()
        for evse in (1, 2):
            self.session.intend(Unplug(evse, 1, force=True))
            self.session.intend(LeaveCar(evse))
        self.session.intend(ClearFault())
        await self.until(lambda: self.session.snapshot().boot is BootState.ACCEPTED, "the boot")
        await self.until(lambda: not self.session.snapshot().queue, "an empty queue")
        before = self._ended
        self.session.intend(PlugIn(1, 1))
        self.session.intend(PresentCard("04A29F1C", evse=1))
        await self.until(lambda: bool(self.session.snapshot().sessions), "a session")
        self.session.intend(PresentCard("04A29F1C", evse=1))
        await self.until(lambda: self._ended > before, "the end of the session")
        self.session.intend(Unplug(1, 1))
        await self.until(lambda: not self.session.snapshot().queue, "an empty queue")
        self._look(len(self.watch.slow))

    async def resident(self) -> int:
        """Bytes of memory in use, while the rings are empty, the journal is written and no thread works.

        A ring has a bounded number of places, but a frame of a hundred thousand characters may lie in
        each or in none: that chance is no leak.
        """
        before, self._threads = self._threads, _threads()
        before.shutdown()
        for _ in range(3):
            await asyncio.sleep(0)  # who waited for a thread lets go of what it was given
        self.session.exchanges.clear()
        journal = self.session.journal
        journal.flush()
        journal._ring, journal._text = deque(journal.tail(1)), 0
        return resident()

    async def until(
        self, condition: Callable[[], bool], what: str, patience: float = PATIENCE
    ) -> None:
        try:
            async with asyncio.timeout(patience):
                while not condition():
                    await asyncio.sleep(0.002)
        except TimeoutError:
            troubles = "; ".join([*self._troubles, *self.office.faults])
            raise Hit(f"waited in vain for {what}; {troubles}") from None

    async def _pipe_open(self) -> None:
        def is_open() -> bool:
            return self.session.snapshot().boot is BootState.ACCEPTED

        await self.until(is_open, "a connection")

    # ------------------------------------------------------------ notes

    def _trouble(self, entry: Entry) -> None:
        self._troubles.append(str(entry.event)[:600])

    def _note(self, entry: Entry) -> None:
        self._ended += isinstance(entry.event, TransactionEnded)


def _now() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)


def _threads() -> ThreadPoolExecutor:
    """What `to_thread` uses from now on."""
    threads = ThreadPoolExecutor(4)
    asyncio.get_running_loop().set_default_executor(threads)
    return threads


def resident() -> int:
    """Bytes of memory that this process holds, without what is free and only not given back."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    ctypes.CDLL(None).malloc_trim(0)
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * 4096 - _free_blocks()


def _free_blocks() -> int:
    """Bytes of Python's arenas that nothing lies in: one is given back only when all of it is free.

    A frame of 20,000 parts needs a few more arenas for a moment, and in each some small thing stays behind.
    """
    kept = os.dup(2)
    with tempfile.TemporaryFile("w+") as file:
        os.dup2(file.fileno(), 2)
        try:
            sys._debugmallocstats()  # only tells it to stderr
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        file.seek(0)
        told = file.read()
    free = re.search(r"# bytes in available blocks *= *([\d,]+)", told)
    pools = re.search(r"(\d+) unused pools \* (\d+) bytes", told)
    assert free is not None
    assert pools is not None
    return int(free[1].replace(",", "")) + int(pools[1]) * int(pools[2])


def give_back_what_is_free() -> None:
    """Tell the C library to, for the rest of this process: what is held is to be measured, not hoarded.

    By itself glibc learns from the largest block that was freed to keep twice as much at the top of each
    heap, and gives each thread a heap of its own whose top `malloc_trim` does not touch. After frames
    of megabytes the few threads that pack logs sit on tens of megabytes that nobody uses.
    """
    threshold = 128 * 1024
    libc = ctypes.CDLL(None)
    for option, value in (
        (M_TRIM_THRESHOLD, threshold),
        (M_MMAP_THRESHOLD, threshold),
        (M_ARENA_MAX, 1),
    ):
        libc.mallopt(option, value)
