"""Kills a headless station again and again in the middle of its work, and keeps what its CSMS saw.

A trial is one station with one state folder. It lives several short lives, each a process of its own that
goes through a random session and is killed by SIGKILL at a random moment; the last one is left alone until
it has delivered all. What the CSMS recorded then has to be whole: see `evidence.py`.

Everything random comes from the trial's seed.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import sqlite3
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from random import Random
from typing import Any

from app.training.records import CsmsChange, Direction, FrameRecord
from app.training.rules import Effect, Rule
from tests.e2e.office import Office
from tests.support.nursery import Nursery

RATE = 20
"""Seconds of station time a real one: sessions of minutes pass in seconds."""

SAMPLE_EVERY = 5
"""Seconds of station time between two samples of a transaction."""

TOKENS = ("04A29F1C", "04B7D35E")
PATIENCE = 30.0
"""Seconds within which a message of a transaction comes, also on a busy computer."""

QUEUED = {"StartTransaction", "StopTransaction", "MeterValues", "TransactionEvent"}

CONFIG = f"""
blueprint = "dc-2x150"
[open_points]
both-retry-message-id = "{{ids}}"
[vehicle]
ready_delay = 0
soc = 5
[clock]
rate = {RATE}
[keys]
MeterValueSampleInterval = {SAMPLE_EVERY}
StopTxnSampledData = "Energy.Active.Import.Register"
LocalAuthorizeOffline = true
AllowOfflineTxForUnknownId = true
[[variables]]
component = "SampledDataCtrlr"
variable = "TxUpdatedInterval"
value = {SAMPLE_EVERY}
[[variables]]
component = "SampledDataCtrlr"
variable = "TxEndedInterval"
value = {SAMPLE_EVERY}
[[variables]]
component = "AuthCtrlr"
variable = "OfflineTxForUnknownIdEnabled"
value = true
"""


class Moment(Enum):
    """When a life ends."""

    FRAME = "a message of a transaction has arrived and is not answered yet"
    REPLY = "its answer is on the way"
    MUTE = "the CSMS has fallen silent"
    ORDER = "something was just ordered"
    TIME = "any time"


def moments(random: Random, lives: int) -> list[Moment]:
    """When each of these lives ends: two in five for certain between a send and its reply."""
    certain = round(lives * 0.4)
    others = random.choices(list(Moment), (1, 3, 3, 3, 4), k=lives - certain)
    found = [Moment.FRAME] * certain + others
    random.shuffle(found)
    return found


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill: when it was meant to come, and what the CSMS had not answered then."""

    life: int
    moment: Moment
    unanswered: str | None
    waiting: tuple[dict[str, Any], ...]
    """The rows of the outbox on disk."""


@dataclass(slots=True)
class Told:
    """What lives have told the script: whatever was told must reach the CSMS."""

    started: list[dict[str, Any]] = field(default_factory=list)
    ended: list[dict[str, Any]] = field(default_factory=list)

    def take(self, message: dict[str, Any]) -> None:
        record = message["params"]["record"]
        if record["event"] == "TransactionStarted":
            self.started.append(record["data"])
        elif record["event"] == "TransactionEnded":
            self.ended.append(record["data"])


class Gone(Exception):
    """The station was killed while it was spoken to."""


class Life:
    """A running headless station, spoken to over its stdio."""

    def __init__(self, nursery: Nursery, arguments: list[str], log: Path, told: Told) -> None:
        self._told = told
        self._buffer = b""
        self._next = 0
        self._lock = threading.Lock()
        self._dead = False
        self._channel, theirs = socket.socketpair()
        with theirs, log.open("ab") as errors:
            self.pid = nursery.start([*arguments, "--control", "stdio"], theirs, errors.fileno())
        self._log = log

    def kill(self) -> bool:
        """SIGKILL, from any thread. False if it was killed before."""
        with self._lock:
            if self._dead:
                return False
            self._dead = True
            os.kill(self.pid, signal.SIGKILL)
            return True

    @property
    def dead(self) -> bool:
        return self._dead

    def ready(self) -> None:
        """Wait until it is up, and ask to be told of transactions."""
        self._until(lambda message: message.get("method") == "ready")
        for event in ("TransactionStarted", "TransactionEnded"):
            self.ask("journal.subscribe", filter={"event": event})

    def send(self, method: str, **params: Any) -> int:
        """Ask without waiting. Raises Gone."""
        self._next += 1
        request = {"jsonrpc": "2.0", "id": self._next, "method": method, "params": params}
        try:
            self._channel.sendall(json.dumps(request).encode() + b"\n")
        except OSError:
            raise Gone from None
        return self._next

    def ask(self, method: str, **params: Any) -> Any:
        """Ask and wait. Raises Gone."""
        ident = self.send(method, **params)
        answer = self._until(lambda message: message.get("id") == ident)
        assert "error" not in answer, f"{method} {params}: {answer}"
        return answer["result"]

    def errors(self) -> str:
        """The end of what it wrote to stderr."""
        return self._log.read_text("utf-8")[-2000:]

    def end(self) -> None:
        """Read what it still has said, and let go."""
        with contextlib.suppress(Gone):
            self._until(lambda message: False)
        self._channel.close()

    def close(self) -> None:
        """An orderly end."""
        self.send("app.quit")
        self.end()
        self._dead = True

    def _until(self, wanted: Any) -> dict[str, Any]:
        deadline = time.monotonic() + 30
        while True:
            line, found, rest = self._buffer.partition(b"\n")
            if not found:
                self._fill(deadline)
                continue
            self._buffer = rest
            message: dict[str, Any] = json.loads(line)
            if message.get("method") == "journal.event":
                self._told.take(message)
            if wanted(message):
                return message

    def _fill(self, deadline: float) -> None:
        left = max(0.0, deadline - time.monotonic())
        if not select.select([self._channel], [], [], left)[0]:
            raise AssertionError(f"no answer from the station: {self.errors()}")
        try:
            data = self._channel.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Gone
        self._buffer += data


class Trial:
    """One station, several lives."""

    def __init__(
        self, office: Office, nursery: Nursery, version: str, seed: int, folder: Path
    ) -> None:
        self.version, self.seed = version, seed
        self.name = f"CP-{version}-{seed}"
        self.frames: list[FrameRecord] = []
        self.kills: list[Kill] = []
        self.told = Told()
        self._office, self._nursery = office, nursery
        self._random = Random(f"{version} {seed}")
        self._folder = folder
        self._clock = datetime(2026, 3, 1, tzinfo=UTC)
        self._life: Life | None = None
        self._moment = Moment.TIME
        self._countdown = 0
        self._pause = 0.0
        self._cut_off: str | None = None
        self._remove = office.thread.subscribe(self._on_change)
        folder.mkdir(parents=True)
        self.new_ids = self._random.random() < 0.3
        config = CONFIG.format(ids="new-id" if self.new_ids else "same-id")
        (folder / "config.toml").write_text(config, "utf-8")

    def run(self, kills: int) -> None:
        """Live and die so often, then live on until all is delivered."""
        try:
            for number, moment in enumerate(moments(self._random, kills), 1):
                self._die(number, moment)
            self._deliver()
        finally:
            self._remove()
            if self._life is not None and self._life.kill():
                self._life.end()

    # ------------------------------------------------------------------ a life

    def _begin(self) -> Life:
        # station time goes on where no earlier life can have come
        self._clock += timedelta(hours=1)
        arguments = ["--csms", self._office.url, "--id", self.name, "--version", self.version]
        arguments += ["--config", str(self._folder / "config.toml")]
        arguments += ["--state-dir", str(self._folder / "state")]
        arguments += ["--clock", self._clock.isoformat().replace("+00:00", "Z")]
        life = Life(self._nursery, arguments, self._folder / "stderr.txt", self.told)
        self._life = life
        return life

    def _die(self, number: int, moment: Moment) -> None:
        self._moment = moment
        self._countdown = self._random.randint(1, 6)
        self._pause = self._random.uniform(0, 0.003)
        self._cut_off = None
        seconds = self._random.uniform(0.05, 2.5)
        if self._moment in (Moment.FRAME, Moment.REPLY):
            seconds = PATIENCE
        life = self._begin()
        timer = threading.Timer(0.3 + seconds, life.kill)
        if self._moment is Moment.TIME:
            timer.start()
        try:
            life.ready()
            self._play(life, seconds)
        except Gone:
            assert life.dead, f"it ended by itself: {life.errors()}"
        finally:
            timer.cancel()
            life.kill()
        life.end()
        self._office.wait_gone(self.name)
        self._office.thread.clear_rules()
        self.kills.append(Kill(number, self._moment, self._unanswered(), self._outbox()))

    def _play(self, life: Life, seconds: float) -> None:
        """A random session; ends with the kill."""
        end = time.monotonic() + seconds
        if self._moment is Moment.FRAME and self._random.random() < 0.8:
            life.ask("network.restore")
        while time.monotonic() < end and not life.dead:
            method, params = self._step(life.ask("station.snapshot"))
            if self._random.random() < 0.15:
                self._trigger()
            if self._moment is Moment.ORDER and self._random.random() < 0.12:
                life.send(method, **params)
                time.sleep(self._random.choice([0, 0, 0.001, 0.003, 0.01]))
                break
            if method == "clock.jump":
                life.send(method, **params)  # time waits for an answer that may never come
            else:
                life.ask(method, **params)
            time.sleep(self._random.choice([0, 0.01, 0.05, 0.2]))
        life.kill()

    def _trigger(self) -> None:
        """The CSMS asks for the meter; what comes is told once, by no queue."""
        evse = self._random.choice([1, 2])
        where = {"connectorId": evse} if self.version == "1.6" else {"evse": {"id": evse}}
        payload = {"requestedMessage": "MeterValues", **where}
        self._office.thread.call(self.name, "TriggerMessage", payload)

    def _step(self, view: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """What a driver, or fate, does next."""
        random, station = self._random, view["station"]
        if not station["mains"]:
            return "station.restore_mains", {}
        fate = random.random()
        if fate < 0.04:
            return "station.cut_mains", {}
        if fate < 0.09 or (not station["network"] and fate < 0.35):
            return ("network.cut" if station["network"] else "network.restore"), {}
        evse = random.choice(station["evses"])
        at = {"evse": evse["id"]}
        plugged = evse["connectors"][0]["plugged"]
        running = any(session["evse"] == evse["id"] for session in view["sessions"])
        if not plugged:
            return "station.plug_in", at
        if not running and not evse["permitted"]:
            if random.random() < 0.2:
                return "station.unplug", {**at, "force": True}
            return "station.present_card", {**at, "id_token": random.choice(TOKENS)}
        if random.random() < 0.12:
            return "station.press_stop", at
        if random.random() < 0.08:
            return "station.unplug", {**at, "force": True}
        if random.random() < 0.1:
            return "clock.jump", {"seconds": random.choice([3, 12, 40])}
        return "clock.now", {}

    # ------------------------------------------------------------------ the CSMS's side

    def _on_change(self, change: CsmsChange) -> None:
        """In the CSMS's thread, before it does anything about a frame."""
        frame = change.frame
        if frame is None or frame.station_id != self.name:
            return
        self.frames.append(frame)
        life, moment = self._life, self._moment
        if life is None or life.dead or moment not in (Moment.FRAME, Moment.REPLY, Moment.MUTE):
            return
        if not self._is_time(frame):
            return
        if moment is Moment.FRAME:
            if life.kill():  # the answer that is kept next goes nowhere
                self._cut_off = json.loads(frame.text)[2]
        elif moment is Moment.REPLY:
            threading.Timer(self._pause, life.kill).start()
        else:
            self._office.thread.add_rule(Rule(effect=Effect.MUTE, station=self.name, count=None))

    def _is_time(self, frame: FrameRecord) -> bool:
        if frame.direction is not Direction.FROM_STATION:
            return False
        message = json.loads(frame.text)
        if message[0] != 2 or message[2] not in QUEUED:
            return False
        self._countdown -= 1
        return self._countdown == 0

    def _unanswered(self) -> str | None:
        """The action of the station's last CALL, if it got no answer."""
        if self._cut_off is not None:
            return self._cut_off
        calls: dict[str, str] = {}
        for frame in self.frames:
            message = json.loads(frame.text)
            if frame.direction is Direction.FROM_STATION and message[0] == 2:
                calls = {message[1]: message[2]}  # one CALL at a time
            elif frame.direction is Direction.TO_STATION and message[0] in (3, 4):
                calls.pop(message[1], None)
        return next(iter(calls.values()), None)

    # ------------------------------------------------------------------ what the disk says

    def _outbox(self) -> tuple[dict[str, Any], ...]:
        """The rows that the kill left, read from a copy: the recovery is the station's own."""
        state, copy = self._folder / "state", self._folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for name in ("state.sqlite3", "state.sqlite3-wal"):
            if (state / name).exists():
                shutil.copy(state / name, copy / name)
        if not (copy / "state.sqlite3").exists():
            return ()
        with contextlib.closing(sqlite3.connect(copy / "state.sqlite3")) as connection:
            try:
                rows = connection.execute(
                    "SELECT json FROM doc WHERE tbl = 'outbox' ORDER BY position"
                ).fetchall()
            except sqlite3.OperationalError:
                return ()  # killed before the tables were made
        return tuple(json.loads(text) for (text,) in rows)

    # ------------------------------------------------------------------ the last life

    def _deliver(self) -> None:
        """Left alone, it tells everything."""
        self._moment = Moment.TIME
        life = self._begin()
        life.ready()
        if not life.ask("station.snapshot")["station"]["network"]:
            life.ask("network.restore")
        self._office.wait_accepted(self.name)
        for evse in life.ask("station.snapshot")["station"]["evses"]:
            if evse["connectors"][0]["plugged"]:
                life.ask("station.unplug", evse=evse["id"], force=True)
        deadline = time.monotonic() + 30
        while (view := life.ask("station.snapshot"))["queue"] or view["sessions"]:
            assert time.monotonic() < deadline, f"seed {self.seed}: not delivered: {view['queue']}"
            time.sleep(0.05)
        life.close()
        self._office.wait_gone(self.name)
