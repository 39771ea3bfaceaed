"""Layers, texts, and the probe other tests stand on."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from app.kernel.catalogue import Catalogue
from app.training import records
from app.training.settings import CsmsSettings
from tests.app.training.client import V16, bench
from tests.support.csms import CsmsProbe, running_csms

SOURCES = sorted(Path(records.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_it_stands_on_the_kernel_alone(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        modules += [one.name for one in node.names] if isinstance(node, ast.Import) else []
        for module in modules:
            if module.startswith("app"):
                assert module.startswith(("app.kernel", "app.training")), f"{path.name}: {module}"
            if module.startswith("ocpp"):
                assert path.name == "package.py"


def test_every_text_has_a_sentence() -> None:
    catalogue = Catalogue.load()
    source = "".join(path.read_text("utf-8") for path in SOURCES)
    used = set(re.findall(r'Text\(\s*"(training\.\w+)"', source))
    used |= {f"training.{key}" for key in re.findall(r'warn\(\s*[\w.]+,\s*"(\w+)"', source)}
    assert len(used) >= 12
    assert {key for key in used if key not in catalogue} == set()


async def test_old_frames_leave_the_ring() -> None:
    async with running_csms(CsmsSettings(frame_limit=3)) as csms:
        async with bench(csms.url, "CS-1", V16) as station:
            for _ in range(4):
                await station.result("Heartbeat")
        assert [frame.seq for frame in csms.frames()] == [6, 7, 8]


async def test_a_broken_subscriber_stops_nobody(
    csms: CsmsProbe, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_change: object) -> None:
        raise ValueError("oh")

    remove = csms.csms.subscribe(broken)
    async with bench(csms.url, "CS-1", V16) as station:
        assert (await station.ask("Heartbeat"))[0] == 3
    remove()
    remove()
    assert "a subscriber failed" in caplog.text


async def test_the_probe_waits_for_what_comes_after(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V16) as station:
        await station.result("Authorize", {"idTag": "A"})
        first = await csms.wait_for("Authorize")
        mark = csms.mark()
        await station.tell("Authorize", {"idTag": "B"})
        second = await csms.wait_for("Authorize", "CS-1", after=first)
        assert second.payload == {"idTag": "B"}
        assert await csms.wait_for("Authorize", where=lambda one: one["idTag"] == "A") == first
        assert csms.received("Authorize", after=mark) == [second]
        answer = csms.answer_to(first)
        assert answer is not None
        assert answer[:2] == [3, first.id]


async def test_the_probe_fails_with_what_came_instead(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V16) as station:
        await station.result("Heartbeat")
        with pytest.raises(pytest.fail.Exception, match=r"came: .*CS-1 Heartbeat"):
            await csms.wait_for("BootNotification", timeout=0.02)
        with pytest.raises(pytest.fail.Exception, match="not within"):
            await csms.wait_until(lambda snapshot: False, timeout=0.02)
