"""The training CSMS on its own: what protects its links, and requests typed line by line."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import ssl
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidHandshake

from app.kernel.text import Text
from app.training.certificates import certificate_of
from app.training.console import Console
from app.training.main import serve, standalone
from app.training.protection import protected
from tests.app.training.client import BOOT_16, V16, V201, Bench, bench
from tests.support.csms import CsmsProbe, running_csms

PASSWORD = "ab" * 16
BASIC = {"Authorization": "Basic Q1MtMTphYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYg=="}


def trusting(folder: Path, *, own: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=folder / "root.pem")
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT  # as by itself from Python 3.13 on
    if own:
        context.load_cert_chain(folder / "station.pem", folder / "station.key")
    return context


@pytest.mark.parametrize("profile", [0, 1, 2, 3])
async def test_RPC_15_each_security_profile_with_what_it_needs(
    profile: int, tmp_path: Path
) -> None:
    folder = tmp_path / "certificates"
    settings = await asyncio.to_thread(
        protected,
        standalone(datetime.now(UTC)),
        profile,
        password=PASSWORD,
        folder=folder if profile >= 2 else None,
        station="CS-1",
    )
    options: dict[str, Any] = {}
    if profile in (1, 2):
        options["additional_headers"] = BASIC
    if profile >= 2:
        options["ssl"] = trusting(folder, own=profile == 3)
    async with running_csms(settings) as csms:
        url = csms.url
        assert url.startswith("wss:" if profile >= 2 else "ws:")
        async with bench(url, "CS-1", V201, **options) as station:
            assert "currentTime" in await station.result("Heartbeat")
        if profile:
            lacking = {name: value for name, value in options.items() if name == "ssl"}
            if profile == 3:
                lacking["ssl"] = trusting(folder)
            with pytest.raises((InvalidHandshake, OSError)):
                async with bench(url, "CS-1", V201, **lacking) as station:
                    await station.result("Heartbeat")


def test_what_is_in_the_folder_is_used_and_flaws_have_names_of_their_own(tmp_path: Path) -> None:
    def made() -> dict[str, str]:
        return {path.name: path.read_text("ascii") for path in sorted(tmp_path.iterdir())}

    first = protected(standalone(datetime.now(UTC)), 3, folder=tmp_path)
    before = made()
    assert set(before) == {
        f"{n}.{e}" for n in ("root", "server", "station") for e in ("pem", "key")
    }
    for path in tmp_path.glob("*.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = protected(standalone(datetime.now(UTC)), 2, folder=tmp_path)
    assert made() == before
    assert first.authority is not None
    assert again.authority is not None
    assert first.authority.certificate_pem == again.authority.certificate_pem
    protected(standalone(datetime.now(UTC)), 2, folder=tmp_path, flaw="expired")
    assert made().items() > before.items()
    late = certificate_of((tmp_path / "server-expired.pem").read_text("ascii"))
    assert late.not_valid_after_utc < datetime.now(UTC)


@pytest.mark.parametrize("host", ["csms.example.com", "::1"])
def test_the_address_that_is_told_has_the_name_that_the_certificate_has(
    host: str, tmp_path: Path
) -> None:
    """Stations check the name: with another one each of them would be turned away."""

    def told(profile: int, **more: str) -> str:
        settings = protected(standalone(datetime.now(UTC)), profile, folder=tmp_path, **more)
        return settings.url("127.0.0.1", 9000)

    shown = f"[{host}]" if ":" in host else host
    assert told(2, host=host) == f"wss://{shown}:9000/ocpp"
    assert told(3) == f"wss://{shown}:9000/ocpp", "of the certificate that was there"
    assert told(2, flaw="wrong_name") == "wss://localhost:9000/ocpp", "where the station has to go"
    assert told(1) == "ws://127.0.0.1:9000/ocpp"


def test_what_a_CSMS_knows_of_its_stations_outlives_it(tmp_path: Path) -> None:
    """From profile 2 to 3 it is started again, and has to know then whose certificate is shown."""
    first = protected(standalone(datetime.now(UTC)), 2, folder=tmp_path)
    first.owners.learn("CS-1", "SN-1", anew=True)
    first.owners.trust("CPÖ \ud800")  # a station may say anything
    again = protected(standalone(datetime.now(UTC)), 3, folder=tmp_path)
    assert again.owners == first.owners
    (tmp_path / "stations.json").write_text('{"operators": ["CPO"]}')
    with pytest.raises(ValueError, match=r"stations\.json"):
        protected(standalone(datetime.now(UTC)), 3, folder=tmp_path)


async def test_a_serial_number_that_cannot_be_written_down_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    settings = await asyncio.to_thread(
        protected, standalone(datetime.now(UTC)), 1, password=PASSWORD, folder=folder
    )
    (folder / "stations.json").mkdir()
    serial = BOOT_16 | {"chargePointSerialNumber": "SN-1"}
    async with running_csms(settings) as csms:
        async with bench(csms.url, "CS-1", V16, additional_headers=BASIC) as station:
            assert (await station.result("BootNotification", serial))["status"] == "Accepted"
        said = [entry.text for entry in csms.snapshot().log]
        assert "training.not_written" in [text.id for text in said]
    assert settings.owners.serials == {"CS-1": "SN-1"}


def test_a_folder_with_something_else_in_it_is_told(tmp_path: Path) -> None:
    for name in ("root.pem", "root.key"):
        (tmp_path / name).write_text("no PEM")
    with pytest.raises(ValueError, match="PEM"):
        protected(standalone(datetime.now(UTC)), 2, folder=tmp_path)


# ---------------------------------------------------------------- the console


async def answers(station: Bench, status: str = "Accepted") -> list[Any]:
    """The next CALL, which is accepted."""
    frame = await station.next()
    await station.send(json.dumps([3, frame[1], {"status": status}]))
    return frame


class Desk:
    """A console over a running CSMS, and what it said."""

    def __init__(self, csms: CsmsProbe) -> None:
        self.said: list[Text] = []
        self.console = Console(csms.csms, self.said.append)

    async def do(self, line: str, station: Bench) -> list[Any]:
        work = asyncio.ensure_future(self.console.do(line))
        frame = await answers(station)
        await work
        return frame

    @property
    def ids(self) -> list[str]:
        return [text.id for text in self.said]


async def test_a_line_is_a_request_to_the_only_station_or_to_the_one_it_names(
    csms: CsmsProbe,
) -> None:
    desk = Desk(csms)
    async with bench(csms.url, "CS-1", V201) as one:
        await csms.wait_connected("CS-1")
        frame = await desk.do('TriggerMessage {"requestedMessage": "Heartbeat"}\n', one)
        assert frame[2:] == ["TriggerMessage", {"requestedMessage": "Heartbeat"}]
        assert desk.said[-1].params["what"].params["answer"] == '{"status": "Accepted"}'
        async with bench(csms.url, "CS-2", V201) as two:
            await csms.wait_connected("CS-2")
            await desk.console.do("ClearCache {}")
            assert desk.said[-1].id == "training.console.which"
            assert desk.said[-1].params["stations"] == "CS-1, CS-2"
            frame = await desk.do("CS-2 ClearCache", two)
            assert frame[2:] == ["ClearCache", {}]  # the example
    await csms.wait_disconnected("CS-1")
    await desk.console.do("")
    await desk.console.do("ClearCache")
    assert desk.ids[-1] == "training.console.which"


async def test_the_root_is_put_in_where_a_payload_says_so(tmp_path: Path) -> None:
    settings = await asyncio.to_thread(protected, standalone(datetime.now(UTC)), 0, folder=tmp_path)
    assert settings.authority is not None
    async with running_csms(settings) as csms, bench(csms.url, "CS-1", V201) as station:
        await csms.wait_connected("CS-1")
        desk = Desk(csms)
        line = 'InstallCertificate {"certificateType":"CSMSRootCertificate","certificate":"{root}"}'
        frame = await desk.do(line, station)
        assert frame[3]["certificate"] == settings.authority.certificate_pem


async def test_what_has_no_example_and_what_fails_is_told(csms: CsmsProbe) -> None:
    desk = Desk(csms)
    async with bench(csms.url, "CS-1", V201) as station:
        await csms.wait_connected("CS-1")
        await desk.console.do("Nonsense")
        assert desk.said[-1].id == "training.console.unknown"
        assert desk.said[-1].params["action"] == "Nonsense"
        assert "ClearCache, " in str(desk.said[-1].params["known"])
        work = asyncio.ensure_future(desk.console.do("Nonsense {}"))
        frame = await station.next()
        await station.send(json.dumps([4, frame[1], "NotImplemented", "what?", {}]))
        await work
        said = desk.said[-1].params["what"].params["answer"]
        assert said == "error NotImplemented what?"


async def test_a_station_that_is_not_there_is_no_action_of_the_one_that_is(csms: CsmsProbe) -> None:
    desk = Desk(csms)
    async with bench(csms.url, "CS-1", V201):
        await csms.wait_connected("CS-1")
        await desk.console.do("CS-9 ClearCache")
        said = {"station": "CS-9", "stations": "CS-1"}
        assert desk.said == [Text("training.console.no_station", said)]


async def test_a_whole_frame_goes_out_as_it_was_typed(csms: CsmsProbe) -> None:
    desk = Desk(csms)
    async with bench(csms.url, "CS-1", V201) as station:
        await csms.wait_connected("CS-1")
        frame = await desk.do('CS-1 [2, "mine", "ClearCache", {}]', station)
        assert frame == [2, "mine", "ClearCache", {}]
        await desk.console.do('[3,"nothing",{}]')
        assert await station.next() == [3, "nothing", {}]
        assert desk.said[-1].params["what"].params["answer"] == "sent"


async def test_what_a_station_never_answers_holds_up_no_other_line(csms: CsmsProbe) -> None:
    """A payload that is no JSON is answered by no station of 1.6."""
    desk = Desk(csms)
    read, write = os.pipe()
    async with bench(csms.url, "CS-1", V16) as station:
        await csms.wait_connected("CS-1")
        with os.fdopen(read, encoding="utf-8") as lines:
            running = asyncio.ensure_future(desk.console.run(lines))
            os.write(write, b"ClearCache {\nClearCache\n")
            assert (await station.next_text()).endswith(',"ClearCache",{]')
            assert (await answers(station))[2:] == ["ClearCache", {}]
            while not desk.said:
                await asyncio.sleep(0.01)
            os.close(write)
            await running


@pytest.mark.parametrize("typed", [b"ClearCache\n\n", b"\xff\nClearCache\n"])
async def test_lines_come_from_a_file_and_the_end_of_it_is_not_the_end(typed: bytes) -> None:
    """Nor is a letter that is none."""
    said: list[Text] = []
    lines = io.TextIOWrapper(io.BytesIO(typed), "utf-8")
    serving = asyncio.ensure_future(serve(port=0, report=said.append, lines=lines))
    async with asyncio.timeout(10):
        while sum(text.id == "training.console.which" for text in said) < len(typed.split()):
            await asyncio.sleep(0.01)
    await asyncio.sleep(0)
    assert not serving.done()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert said[-1].id == "training.stopped"


@pytest.mark.skipif(sys.platform == "win32", reason="knows no such signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.usefixtures("terminal")
def test_a_signal_ends_it_in_order(checkout: Path, name: str) -> None:
    command = [sys.executable, "-P", "-m", "ui", "training-csms", "--port", "0"]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(checkout)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Training CSMS at ws://127.0.0.1:")
        process.send_signal(getattr(signal, name))
        assert process.wait(10) == 0
        assert process.stdout.read().endswith("Training CSMS stopped.\n")
