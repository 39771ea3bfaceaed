"""The headless station in the test's own loop: its two channels, its exit codes, its sentences."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from app.kernel.bus import Bus
from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.ocpp.events import (
    LinkClosed,
    LinkFailed,
    MessageDropped,
    OwnFrameRefused,
    TaskFailed,
    Violation,
)
from app.ocpp.version import Version
from app.runtime.control import websocket as control_websocket
from app.runtime.control.channels import ControlAddressError, StdioChannel, parse_address
from app.runtime.control.errors import Code
from app.runtime.exit_codes import Exit
from app.runtime.headless import WORTH_TELLING, _Teller, run_headless
from app.runtime.options import HeadlessOptions, StationOptions
from app.runtime.problems import ConfigError
from app.runtime.store import Store
from tests.support.csms import CsmsProbe, csms  # noqa: F401 - a fixture

UPGRADE = (
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Pipes:
    """Stands where stdin and stdout of the process would be."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        read, self._write = os.pipe()
        self._read, write = os.pipe()
        stdin, stdout = os.fdopen(read, encoding="utf-8"), os.fdopen(write, "w", encoding="utf-8")
        self._mine = [stdin, stdout]
        self.stdout = stdout
        channel = StdioChannel(stdin, stdout)
        monkeypatch.setattr(StdioChannel, "claim", lambda: channel)
        self._stdin = os.fdopen(self._write, "w", encoding="utf-8")
        self._lines = asyncio.StreamReader(limit=2**20)
        self._next = 0

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._lines), os.fdopen(self._read, "rb")
        )

    async def line(self) -> dict[str, Any]:
        return json.loads(await asyncio.wait_for(self._lines.readline(), 10))

    def write(self, text: str) -> None:
        self._stdin.write(text + "\n")
        self._stdin.flush()

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._next += 1
        request = {"jsonrpc": "2.0", "id": self._next, "method": method, "params": params}
        self.write(json.dumps(request))
        while True:
            answer = await self.line()
            if answer.get("id") == self._next:
                return answer

    def end(self) -> None:
        self._stdin.close()

    def close(self) -> None:
        self._stdin.close()
        for thread in threading.enumerate():
            if thread.name == "control-in":  # reads until now; its file must outlive it
                thread.join(5)
        for file in self._mine:
            file.close()
        self._transport.close()


@pytest.fixture
async def pipes(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pipes]:
    pipes = Pipes(monkeypatch)
    await pipes.open()
    yield pipes
    pipes.close()


@asynccontextmanager
async def running(options: HeadlessOptions) -> AsyncIterator[asyncio.Task[Exit]]:
    """A headless station; its task gives the exit code and never outlives the test."""
    task = asyncio.create_task(run_headless(options, Catalogue.load()))
    try:
        yield task
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def ended(task: asyncio.Task[Exit]) -> Exit:
    return await asyncio.wait_for(asyncio.shield(task), 10)


def station(url: str = "ws://127.0.0.1:9/", **more: Any) -> StationOptions:
    return StationOptions(csms=url, id="CP-1", **{"version": "1.6", **more})


# ------------------------------------------------------------------ stdio


async def test_the_first_line_tells_who_answers_and_the_end_of_stdin_ends_it(
    pipes: Pipes,
    csms: CsmsProbe,  # noqa: F811
) -> None:
    async with running(HeadlessOptions(station(csms.url))) as task:
        ready = await pipes.line()
        assert ready["method"] == "ready"
        assert ready["params"]["port"] is None
        (told,) = ready["params"]["stations"]
        assert (told["id"], told["version"], told["evses"]) == ("CP-1", "1.6", 2)
        await csms.wait_connected("CP-1")
        assert (await pipes.ask("station.plug_in"))["result"] == {"accepted": True}
        pipes.end()
        assert await ended(task) is Exit.OK
    await csms.wait_disconnected("CP-1")


async def test_the_end_of_stdin_leaves_no_request_without_an_answer(pipes: Pipes) -> None:
    """What only takes a moment is done, and what is waited for is told to be given up."""
    async with running(HeadlessOptions(station())) as task:
        await pipes.line()
        for number, method in enumerate(("station.cut_mains", "journal.wait"), 1):
            request = {"jsonrpc": "2.0", "id": number, "method": method}
            if method == "journal.wait":
                request["params"] = {"filter": {"event": "Never"}}
            pipes.write(json.dumps(request))
        pipes.end()
        cut, waiting = await pipes.line(), await pipes.line()
        assert cut == {"jsonrpc": "2.0", "id": 1, "result": {"accepted": True}}
        assert (waiting["id"], waiting["error"]["code"]) == (2, Code.ENDED)
        assert await ended(task) is Exit.OK


async def test_rubbish_on_stdin_gets_an_answer_and_harms_nobody(pipes: Pipes) -> None:
    async with running(HeadlessOptions(station())) as task:
        await pipes.line()
        pipes.write("")
        pipes.write("{nonsense")
        assert (await pipes.line())["error"]["code"] == -32700
        pipes.write("[]")
        assert (await pipes.line())["error"]["code"] == -32600
        assert (await pipes.ask("station.fly"))["error"]["code"] == -32601
        assert (await pipes.ask("station.plug_in", evse=0))["error"]["code"] == -32602
        assert (await pipes.ask("app.quit"))["result"] == {"accepted": True}
        assert await ended(task) is Exit.OK


PRINTER = """
import sys
from app.runtime.control.channels import StdioChannel

channel = StdioChannel.claim()
channel.start()
print("a careless print")
channel.send("{}")
channel.close()
"""


def test_prints_of_anybody_else_never_reach_the_json_on_stdout(checkout: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRINTER],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        cwd=checkout,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("{}\n", "a careless print\n")


def test_a_byte_order_mark_before_the_first_line_is_no_part_of_it(checkout: Path) -> None:
    """As shells of Windows write one."""
    code = (
        "import asyncio\n"
        "from app.runtime.control.channels import StdioChannel\n"
        "class Told:\n"
        "    async def receive(self, line):\n"
        "        channel.send(ascii(line))\n"
        "channel = StdioChannel.claim()\n"
        "channel.start()\n"
        "asyncio.run(channel.run(Told()))\n"
        "channel.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=b"\xef\xbb\xbf{}\n\xef\xbb\xbf{}\n",
        capture_output=True,
        cwd=checkout,
        check=True,
    )
    assert done.stdout.decode().split() == ["'{}\\n'", "'\\ufeff{}\\n'"]


@pytest.mark.parametrize(
    "name",
    [
        signal.SIGINT,
        signal.SIGTERM,
        pytest.param(
            getattr(signal, "SIGHUP", None),
            marks=pytest.mark.skipif(sys.platform == "win32", reason="knows no SIGHUP"),
        ),
    ],
)
@pytest.mark.usefixtures("terminal")
async def test_a_signal_ends_it_in_order(
    pipes: Pipes,
    csms: CsmsProbe,  # noqa: F811
    name: signal.Signals,
    tmp_path: Path,
) -> None:
    options = HeadlessOptions(station(csms.url, state_dir=tmp_path))
    async with running(options) as task:
        await pipes.line()
        await csms.wait_connected("CP-1")
        os.kill(os.getpid(), name)
        assert await ended(task) is Exit.INTERRUPTED
    Store(tmp_path / "state.sqlite3").close()  # let go of
    await csms.wait_disconnected("CP-1")


@pytest.mark.skipif(sys.platform == "win32", reason="knows no SIGHUP")
async def test_under_nohup_a_closed_terminal_ends_nothing(pipes: Pipes) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        async with running(HeadlessOptions(station())) as task:
            await pipes.line()
            os.kill(os.getpid(), signal.SIGHUP)
            assert "result" in await pipes.ask("clock.now")
            assert not task.done()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_reader_that_has_gone_does_not_hold_up_the_station() -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    channel = StdioChannel(io.StringIO(), Broken())
    channel.start()
    channel.send("{}")
    channel.send("{}")
    channel.close()
    assert not channel._writer.is_alive()


# ------------------------------------------------------------------ exit codes and sentences


async def test_no_connection_in_time_has_a_code_and_a_reason(
    pipes: Pipes, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"ws://127.0.0.1:{server.getsockname()[1]}/"
    async with running(HeadlessOptions(station(url), connect_timeout=0.3)) as task:
        await pipes.line()
        assert await ended(task) is Exit.NOT_CONNECTED
    assert "No connection within 0.3 s. 127.0.0.1 is there, but" in capfd.readouterr().err


async def test_a_server_that_says_nothing_is_told_apart_from_one_that_is_slow_to_try(
    pipes: Pipes, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also where an attempt could take longer than a connection is waited for."""
    with socket.create_server(("127.0.0.1", 0)) as mute:  # the system accepts for it
        port = mute.getsockname()[1]
        options = HeadlessOptions(station(f"ws://127.0.0.1:{port}/"), connect_timeout=0.5)
        async with running(options) as task:
            await pipes.line()
            assert await ended(task) is Exit.NOT_CONNECTED
    said = f"within 0.5 s. 127.0.0.1, port {port}, accepted the connection but did not answer"
    assert f"No connection {said}" in capfd.readouterr().err


async def test_a_station_without_a_back_office_says_so_and_can_be_given_one(
    pipes: Pipes, capfd: pytest.CaptureFixture[str]
) -> None:
    options = HeadlessOptions(StationOptions(id="CP-1"), connect_timeout=0.3)
    async with running(options) as task:
        await pipes.line()
        assert await ended(task) is Exit.NOT_CONNECTED
    said = capfd.readouterr().err.splitlines()
    assert said[0].startswith("The station has no back office. Give its address with --csms")
    assert said[1].startswith("No connection within 0.3 s. The station has no back office.")


async def test_a_connection_in_time_lifts_the_limit(
    pipes: Pipes,
    csms: CsmsProbe,  # noqa: F811
) -> None:
    async with running(HeadlessOptions(station(csms.url), connect_timeout=5)) as task:
        await pipes.line()
        await csms.wait_connected("CP-1")
        assert "result" in await pipes.ask("clock.now")
        assert not task.done()
        pipes.end()
        assert await ended(task) is Exit.OK


async def test_strict_mode_ends_at_what_nobody_decided(
    pipes: Pipes,
    csms: CsmsProbe,  # noqa: F811
    capfd: pytest.CaptureFixture[str],
) -> None:
    options = HeadlessOptions(station(csms.url, version="2.0.1", strict=True))
    async with running(options) as task:
        assert await ended(task) is Exit.UNDECIDED
    assert "ocpp201-tx-start-stop-point" in capfd.readouterr().err


async def test_a_state_in_use_is_told(
    pipes: Pipes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store = Store(tmp_path / "state.sqlite3")
    async with running(HeadlessOptions(station(state_dir=tmp_path))) as task:
        assert await ended(task) is Exit.STATE_LOCKED
    store.close()
    assert str(os.getpid()) in capfd.readouterr().err


async def test_a_state_of_a_newer_program_is_left_alone(
    pipes: Pipes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Store(tmp_path / "state.sqlite3").close()
    connection = sqlite3.connect(tmp_path / "state.sqlite3")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    async with running(HeadlessOptions(station(state_dir=tmp_path))) as task:
        assert await ended(task) is Exit.STATE
    assert "newer Forecourt" in capfd.readouterr().err


async def test_other_hardware_than_the_state_knows_is_refused(
    pipes: Pipes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    options = HeadlessOptions(station(state_dir=tmp_path, blueprint="home-ac-11"))
    async with running(options) as task:
        await pipes.line()
        pipes.end()
        assert await ended(task) is Exit.OK
    other = HeadlessOptions(station(state_dir=tmp_path, blueprint="dc-2x150"))
    async with running(other) as task:
        assert await ended(task) is Exit.STATE
    assert "--reset-state" in capfd.readouterr().err


async def test_a_configuration_that_is_none_is_told_before_anything_starts(
    pipes: Pipes, tmp_path: Path
) -> None:
    file = tmp_path / "bad.json"
    file.write_text('{"mode": 5}', "utf-8")
    with pytest.raises(ConfigError) as caught:
        await run_headless(HeadlessOptions(station(config=file)), Catalogue.load())
    assert "mode" in Catalogue.load().render(caught.value.text)


# ------------------------------------------------------------------ WebSocket


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("tcp", "names no channel"),
        ("ws://", "names no channel"),
        ("ws://127.0.0.1", "names no channel"),
        ("ws://127.0.0.1:99999", "names no channel"),
        ("wss://127.0.0.1:1", "names no channel"),
        ("ws://192.0.2.1:80", "not on this machine"),
    ],
)
async def test_an_address_that_is_no_channel_is_a_wrong_option(
    address: str, why: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ControlAddressError):
        parse_address(address)
    options = HeadlessOptions(station(), control=address)
    assert await run_headless(options, Catalogue.load()) is Exit.USAGE
    assert why in capfd.readouterr().err


async def test_a_websocket_wants_a_place_for_its_token(capfd: pytest.CaptureFixture[str]) -> None:
    options = HeadlessOptions(station(), control="ws://127.0.0.1:0")
    assert await run_headless(options, Catalogue.load()) is Exit.USAGE
    assert "--control-token-file" in capfd.readouterr().err


@pytest.mark.parametrize("closed", ["stdin", "stdout"])
async def test_a_program_without_stdin_or_stdout_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], closed: str
) -> None:
    """As with `<&-` or `>&-` in a shell."""
    monkeypatch.setattr(sys, closed, None)
    assert await run_headless(HeadlessOptions(station()), Catalogue.load()) is Exit.CONTROL
    assert "--control ws://127.0.0.1:PORT" in capfd.readouterr().err


@pytest.mark.parametrize("name", ["no-folder/token", "no-text"])
async def test_a_token_file_that_cannot_be_made_or_read_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "no-folder").write_text("", "utf-8")
    (tmp_path / "no-text").write_bytes(b"\xff\xfe\xff")
    path = tmp_path / name
    options = HeadlessOptions(station(), control="ws://127.0.0.1:0", control_token_file=path)
    assert await run_headless(options, Catalogue.load()) is Exit.CONTROL
    assert str(path) in capfd.readouterr().err


async def test_a_taken_control_port_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        control = f"ws://127.0.0.1:{port}"
        options = HeadlessOptions(station(state_dir=tmp_path), control=control)
        assert await run_headless(options, Catalogue.load()) is Exit.CONTROL
    assert f"Port {port}" in capfd.readouterr().err


async def test_two_scripts_drive_one_station_by_websocket(
    pipes: Pipes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is made in the state folder and read again by the next start."""
    monkeypatch.setattr(sys, "stdout", pipes.stdout)  # the port is told there
    options = HeadlessOptions(station(state_dir=tmp_path), control="ws://127.0.0.1:0")
    async with running(options) as task:
        port = (await pipes.line())["params"]["port"]
        token = (tmp_path / "control.token").read_text("utf-8").strip()
        assert len(token) > 30
        url = f"ws://127.0.0.1:{port}"
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            connect(url, additional_headers=headers, proxy=None) as one,
            connect(url, additional_headers=headers, proxy=None) as two,
        ):
            await one.send(
                '{"jsonrpc":"2.0","id":1,"method":"journal.subscribe",'
                '"params":{"filter":{"event":"CablePlugged"}}}'
            )
            assert json.loads(await one.recv())["result"] == {"subscription": 1}
            await two.send(b'{"jsonrpc":"2.0","id":1,"method":"station.plug_in"}')
            assert json.loads(await two.recv())["result"] == {"accepted": True}
            heard = json.loads(await one.recv())
            assert heard["method"] == "journal.event"
            assert heard["params"]["record"]["data"] == {"evse": 1, "connector": 1}
            await two.send('{"jsonrpc":"2.0","method":"app.quit"}')
            assert await ended(task) is Exit.OK
    again = HeadlessOptions(station(state_dir=tmp_path), control="ws://127.0.0.1:0")
    async with running(again):
        await pipes.line()
        assert (tmp_path / "control.token").read_text("utf-8").strip() == token


@pytest.mark.parametrize("said", ["nothing", "half a request", "no goodbye"])
async def test_a_guest_who_does_not_answer_holds_up_the_end_for_a_moment_only(
    said: str, pipes: Pipes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who stops services waits ten seconds before they are killed."""
    monkeypatch.setattr(sys, "stdout", pipes.stdout)
    monkeypatch.setattr(control_websocket, "PATIENCE", 0.1)
    options = HeadlessOptions(station(state_dir=tmp_path), control="ws://127.0.0.1:0")
    async with running(options) as task:
        port = (await pipes.line())["params"]["port"]
        token = (tmp_path / "control.token").read_text("utf-8").strip()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        if said != "nothing":
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        if said == "no goodbye":
            writer.write(f"Authorization: Bearer {token}\r\n".encode() + UPGRADE)
            assert b" 101 " in await reader.readline()
        async with asyncio.timeout(5):
            os.kill(os.getpid(), signal.SIGTERM)
            assert await task is Exit.INTERRUPTED
        writer.close()


def test_a_fault_of_the_program_is_told_once() -> None:
    catalogue = Catalogue.load()
    told: list[str] = []
    bus = Bus(lambda: datetime(2026, 1, 15, tzinfo=UTC))
    bus.subscribe(_Teller(lambda text: told.append(catalogue.render(text))), TaskFailed)
    bus.publish(TaskFailed("boot", "NameError: x"))
    bus.publish(TaskFailed("boot", "NameError: x"))
    assert len(told) == 1
    assert "NameError: x" in told[0]


def test_what_the_back_office_will_not_hear_of_is_told() -> None:
    catalogue = Catalogue.load()
    told: list[str] = []
    bus = Bus(lambda: datetime(2026, 1, 15, tzinfo=UTC))
    bus.subscribe(_Teller(lambda text: told.append(catalogue.render(text))), *WORTH_TELLING)
    bus.publish(MessageDropped("StopTransaction", "InternalError", "{}"))
    broken = Violation("vendorName", "maxLength", "is too long")
    bus.publish(OwnFrameRefused(Version.V201, "BootNotification", "request", (broken,)))
    bus.publish(LinkFailed("ws://x", "tcp", Text("runtime.link.dns", {"host": "x"}), 1, 5.0))
    assert "StopTransaction (InternalError)" in told[0]
    assert "vendorName is too long" in told[1]
    assert told[2].startswith("The name x cannot be resolved")


def test_why_the_back_office_ended_the_link_is_told_once_and_what_was_wanted_is_not() -> None:
    catalogue = Catalogue.load()
    told: list[str] = []
    bus = Bus(lambda: datetime(2026, 1, 15, tzinfo=UTC))
    bus.subscribe(_Teller(lambda text: told.append(catalogue.render(text))), LinkClosed)
    taken = Text("runtime.link.id_taken", {"id": "CP-1", "code": 1008, "said": "replaced"})
    for _ in range(2):
        bus.publish(LinkClosed(taken, 1008, 5.0))
        bus.publish(LinkClosed(Text("runtime.link.network_cut"), own=True))
    assert told == [catalogue.render(taken)]
    assert "Another station uses the id CP-1" in told[0]


@pytest.fixture
async def by_websocket(
    pipes: Pipes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[asyncio.Task[Exit], str]]:
    """A station, the address of its control channel; the token is `secret`."""
    monkeypatch.setattr(sys, "stdout", pipes.stdout)
    (tmp_path / "token").write_text("secret\n", "utf-8")
    options = HeadlessOptions(
        station(), control="ws://127.0.0.1:0", control_token_file=tmp_path / "token"
    )
    async with running(options) as task:
        port = (await pipes.line())["params"]["port"]
        yield task, f"ws://127.0.0.1:{port}"


async def test_the_end_of_the_program_leaves_no_request_of_a_websocket_without_an_answer(
    by_websocket: tuple[asyncio.Task[Exit], str],
) -> None:
    task, url = by_websocket
    headers = {"Authorization": "bearer secret"}  # the scheme's name in any case
    async with (
        connect(url, additional_headers=headers, proxy=None) as waiting,
        connect(url, additional_headers=headers, proxy=None) as quitting,
    ):
        wait = {"filter": {"event": "Never"}}
        await waiting.send(
            json.dumps({"jsonrpc": "2.0", "id": 1, "method": "journal.wait", "params": wait})
        )
        await quitting.send('{"jsonrpc":"2.0","id":2,"method":"app.quit"}')
        assert json.loads(await quitting.recv())["result"] == {"accepted": True}
        assert json.loads(await waiting.recv())["error"]["code"] == Code.ENDED
        assert await ended(task) is Exit.OK


@pytest.mark.parametrize(
    "shown",
    [(), ("Bearer wrong",), ("Basic secret",), ("secret",), ("Bearer secret", "Bearer wrong")],
)
async def test_a_websocket_without_the_token_is_refused(
    by_websocket: tuple[asyncio.Task[Exit], str], shown: tuple[str, ...]
) -> None:
    _, url = by_websocket
    headers = [("Authorization", value) for value in shown]
    with pytest.raises(InvalidStatus) as refused:
        await connect(url, additional_headers=headers, proxy=None)
    assert refused.value.response.status_code == 401
