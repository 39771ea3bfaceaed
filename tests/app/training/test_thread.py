"""The CSMS in its own thread, and on its own for the command line."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from websockets.sync.client import ClientConnection, connect

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.training.main import serve
from app.training.outcome import OutcomeKind
from app.training.records import CsmsChange, Topic
from app.training.rules import Effect, Rule
from app.training.settings import CsmsSettings
from app.training.thread import TrainingCsmsThread
from app.training.tokens import Token
from tests.app.training.client import V16, bench


@pytest.fixture
def thread() -> Iterator[TrainingCsmsThread]:
    csms = TrainingCsmsThread()
    csms.start()
    yield csms
    csms.stop()


def _names() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name == "training-csms"]


def _connect(csms: TrainingCsmsThread, id_: str = "CS-1") -> ClientConnection:
    url = f"{csms.snapshot().url}/{id_}"
    return connect(url, subprotocols=[V16], proxy=None)  # type: ignore[list-item]


def _ask(client: ClientConnection, action: str) -> list[object]:
    client.send(json.dumps([2, "i", action, {}]))
    answer: list[object] = json.loads(client.recv(timeout=5))
    return answer


def test_start_and_stop_leave_nothing_running() -> None:
    before = _names()
    csms = TrainingCsmsThread()
    for _ in range(2):
        url = csms.start()
        assert csms.is_running
        with _connect(csms) as client:
            assert _ask(client, "Heartbeat")[0] == 3
        csms.stop()
        assert not csms.is_running
        assert _names() == before
        port = urlsplit(url).port
        assert port is not None
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 1)
    csms.stop()


def test_a_station_that_comes_before_the_start_waits_at_the_door() -> None:
    csms = TrainingCsmsThread()
    url = csms.reserve()
    assert csms.snapshot().url == url
    served: list[object] = []

    def come() -> None:
        with connect(f"{url}/CS-1", subprotocols=[V16], proxy=None) as client:  # type: ignore[list-item]
            served.append(_ask(client, "Heartbeat")[0])

    station = threading.Thread(target=come)
    station.start()
    assert csms.start() == url
    station.join(5)
    csms.stop()
    assert served == [3]


def test_a_reserved_port_that_is_never_used_is_given_back() -> None:
    csms = TrainingCsmsThread()
    port = urlsplit(csms.reserve()).port
    assert port is not None
    csms.stop()
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_the_stop_ends_open_connections_and_calls() -> None:
    csms = TrainingCsmsThread()
    csms.start()
    with _connect(csms) as client:
        assert _ask(client, "Heartbeat")[0] == 3
        pending = csms.call("CS-1", "ClearCache")
        client.recv(timeout=5)
        # The client only reads on demand: the stop may not wait for its closing handshake for ever.
        csms.stop()
        assert pending.result(5).kind is OutcomeKind.DISCONNECTED
    assert csms.snapshot().stations[0].id == "CS-1", "the last state can still be read"
    assert not csms.snapshot().stations[0].connected


def test_its_loop_does_not_come_from_the_policy(
    thread: TrainingCsmsThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The window installs a policy whose loops belong to the window."""
    kind = thread.perform(lambda _: type(asyncio.get_running_loop())).result(5)
    assert kind is asyncio.SelectorEventLoop

    def refuse() -> None:
        raise AssertionError("asked the policy for a loop")

    monkeypatch.setattr(asyncio, "new_event_loop", refuse)
    monkeypatch.setattr(asyncio.events, "new_event_loop", refuse)
    other = TrainingCsmsThread()
    other.start()
    other.stop()


def test_calls_and_answers_cross_the_threads(thread: TrainingCsmsThread) -> None:
    with _connect(thread) as client:
        assert _ask(client, "Heartbeat")[0] == 3
        pending = thread.call("CS-1", "Reset", '{"type":  "Soft"}')
        text = client.recv(timeout=5)
        assert isinstance(text, str)
        assert text.endswith('"Reset",{"type":  "Soft"}]')
        client.send(json.dumps([3, json.loads(text)[1], {"status": "Accepted"}]))
        assert pending.result(5).payload == {"status": "Accepted"}
        raw = thread.send_raw("CS-1", "odd")
        assert client.recv(timeout=5) == "odd"
        assert raw.result(5).kind is OutcomeKind.SENT
        assert thread.example("CS-1", "Reset") == {"type": "Soft"}
        assert len(thread.frames("CS-1")) == 5
        assert len(thread.frames("CS-1", after=thread.frames()[-2].seq)) == 1
        thread.disconnect("CS-1", 1012)
        with pytest.raises(Exception, match="1012"):
            client.recv(timeout=5)


def test_changes_are_told_in_the_thread_of_the_csms(thread: TrainingCsmsThread) -> None:
    seen: list[tuple[str, CsmsChange]] = []
    asked: list[int] = []

    def changed(change: CsmsChange) -> None:
        seen.append((threading.current_thread().name, change))
        asked.append(len(thread.snapshot().stations))

    remove = thread.subscribe(changed)
    with _connect(thread) as client:
        _ask(client, "Heartbeat")
    remove()
    remove()
    assert {name for name, _ in seen} == {"training-csms"}
    assert {change.topic for _, change in seen} >= {Topic.STATION, Topic.FRAME, Topic.LOG}
    assert asked[-1] == 1


def test_a_subscriber_cannot_stop_it_and_does_no_harm(thread: TrainingCsmsThread) -> None:
    errors: list[Exception] = []

    def changed(_change: CsmsChange) -> None:
        try:
            thread.stop()
        except RuntimeError as error:
            errors.append(error)
            raise

    thread.subscribe(changed)
    with _connect(thread) as client:
        assert _ask(client, "Heartbeat")[0] == 3
    assert errors


def test_tokens_and_rules_can_be_changed_from_outside(thread: TrainingCsmsThread) -> None:
    thread.put_token(Token("AA"))
    assert thread.snapshot().tokens[-1] == Token("AA")
    assert thread.remove_token("aa")
    thread.add_rule(Rule("Heartbeat", Effect.ERROR))
    thread.add_rule(Rule("Heartbeat", Effect.ERROR))
    with _connect(thread) as client:
        assert _ask(client, "Heartbeat")[0] == 4
        thread.clear_rules()
        assert _ask(client, "Heartbeat")[0] == 3


def test_rules_outlast_a_restart_and_may_come_before_the_start() -> None:
    csms = TrainingCsmsThread()
    csms.add_rule(Rule("Heartbeat", Effect.ERROR, count=None))
    csms.start()
    try:
        csms.restart(None)
        with _connect(csms) as client:
            assert _ask(client, "Heartbeat")[0] == 4
    finally:
        csms.stop()
    csms.clear_rules()
    csms.start()
    try:
        with _connect(csms) as client:
            assert _ask(client, "Heartbeat")[0] == 3
    finally:
        csms.stop()


def test_before_the_start_it_answers_without_a_csms() -> None:
    csms = TrainingCsmsThread()
    assert csms.snapshot().stations == ()
    assert csms.frames() == ()
    csms.put_token(Token("AA"))
    assert csms.remove_token("aa")
    csms.disconnect("CS-1")
    assert csms.call("CS-1", "Reset").result(1).kind is OutcomeKind.DISCONNECTED
    assert csms.perform(lambda one: one).cancelled()


def test_an_error_in_the_thread_reaches_who_asked(thread: TrainingCsmsThread) -> None:
    with pytest.raises(KeyError):
        thread.example("nobody", "Reset")
    with pytest.raises(RuntimeError):
        thread.start()


def test_a_taken_port_is_an_error_and_leaves_no_thread(thread: TrainingCsmsThread) -> None:
    port = urlsplit(thread.snapshot().url).port
    assert port is not None
    before = _names()
    other = TrainingCsmsThread(port=port)
    with pytest.raises(OSError, match="address"):
        other.start()
    assert not other.is_running
    assert _names() == before


async def test_on_its_own_it_reports_until_it_is_cancelled() -> None:
    lines: list[Text] = []
    news = asyncio.Event()

    def report(text: Text) -> None:
        lines.append(text)
        news.set()

    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    task = asyncio.create_task(serve(port=0, report=report, now=lambda: noon))
    await news.wait()
    start = {
        "connectorId": 1,
        "idTag": "0477B0E3",
        "meterStart": 0,
        "timestamp": "2026-03-01T12:00:00Z",
    }
    async with bench(lines[0].params["url"], "CS-1", V16) as station:
        answer = await station.result("StartTransaction", start)
        assert answer["transactionId"] == int(noon.timestamp()) - 1_577_836_800
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    catalogue = Catalogue.load()
    said = [catalogue.render(line) for line in lines]
    assert said[0].startswith("Training CSMS at ws://127.0.0.1:")
    assert "CS-1: Connected with OCPP 1.6." in said
    assert said[-1] == "Training CSMS stopped."


async def test_on_its_own_a_taken_port_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="address"):
            await serve(port=port, report=lambda text: None, settings=CsmsSettings())
