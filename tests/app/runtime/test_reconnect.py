"""Loss and return: close codes, addresses that change, computers that sleep, and what is said afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import serve

from app.kernel.catalogue import Catalogue
from app.kernel.clock import VirtualClock
from app.kernel.link_clock import ManualLinkClock
from app.kernel.text import Text
from app.ocpp.context import CallTimedOut
from app.ocpp.events import LinkClosed, LinkOpened
from app.runtime.events import ComputerWoke
from app.runtime.sleep_watch import EVERY, SleepWatch, time_with_sleep
from app.runtime.store import StoreFailed
from app.runtime.views import LinkState
from app.station.intents import PlugIn, PresentCard
from tests.app.runtime.link_bench import START, Station, StrictOffice, office, says, station

VERSIONS = ["1.6", "2.0.1"]

# ---------------------------------------------------------------- close codes

CODES = {
    1000: "closed_normal",
    1001: "closed_going_away",
    1002: "closed_protocol_error",
    1003: "closed_refused_data",
    1007: "closed_refused_data",
    1008: "closed_policy",
    1009: "closed_too_big_theirs",
    1010: "closed_extension",
    1011: "closed_server_error",
    1012: "closed_restart",
    1013: "closed_try_later",
    1014: "closed_gateway",
    3000: "closed_unauthorized",
    3003: "closed_forbidden",
    3008: "closed_timeout",
    3999: "closed_code",
    4000: "closed_private",
    4999: "closed_private",
    # an empty close frame
    None: "closed_silent",
    # not allowed on the wire (RFC 6455, 7.4.1 and 7.4.2)
    999: "closed_broken_data",
    1004: "closed_broken_data",
    1005: "closed_broken_data",
    1006: "closed_broken_data",
    1015: "closed_broken_data",
    1016: "closed_broken_data",
    2999: "closed_broken_data",
    5000: "closed_broken_data",
}


def close_frame(code: int | None) -> bytes:
    """A close frame as a server writes it, allowed or not."""
    body = b"" if code is None else code.to_bytes(2, "big")
    return bytes([0x88, len(body)]) + body


@pytest.mark.parametrize("code", CODES)
async def test_each_close_code_is_understood_and_the_station_comes_back(
    code: int | None, catalogue: Catalogue
) -> None:
    async with office() as csms, station(csms.url, "1.6") as there:
        await there.accepted()
        csms.guests[-1].transport.write(close_frame(code))
        closed = await there.hears.next(LinkClosed)
        assert closed.why.id == f"runtime.link.{CODES[code]}"
        assert "runtime." not in catalogue.render(closed.why)
        assert closed.retry_in is not None
        assert 3.0 <= closed.retry_in <= 5.0  # RPC-13: the first wait
        await there.until(lambda: there.online and len(csms.guests) == 2)


# ---------------------------------------------------------------- what is said after a loss


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("option", "boots"), [("only-if-changed", 1), ("always", 2)])
async def test_RPC_14_a_mere_loss_is_no_boot(version: str, option: str, boots: int) -> None:
    async with office() as csms, station(csms.url, version) as there:
        there.session.choose_point("both-boot-on-reconnect", option)
        await there.accepted()
        csms.guests[-1].transport.abort()
        await there.until(lambda: there.online and len(csms.guests) == 2)
        await there.until(lambda: len(csms.calls("BootNotification")) == boots)
        await there.session.activity.idle()
        assert len(csms.calls("BootNotification")) == boots


@pytest.mark.parametrize("version", VERSIONS)
async def test_RPC_12_a_half_open_link_is_found_by_its_ping(version: str) -> None:
    link = ManualLinkClock()
    async with office() as csms, station(csms.url, version, link=link) as there:
        await there.accepted()
        csms.guests[-1].deaf = True

        def gone() -> bool:
            link.advance(5)
            return bool(there.hears.all(LinkClosed))

        await there.until(gone)
        [closed] = there.hears.all(LinkClosed)
        assert closed.why.id == "runtime.link.mute"
        await there.until(lambda: there.online and len(csms.guests) == 2)


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_answer_that_comes_too_late_belongs_to_nothing(version: str) -> None:
    """The CALL has timed out; the late answer is noted and the station goes on."""
    link = ManualLinkClock()
    async with office() as csms, station(csms.url, version, link=link) as there:
        await there.accepted()
        usual = csms.answer
        csms.answer = lambda text: None if "Heartbeat" in text else usual(text)
        call = asyncio.ensure_future(there.session.call("Heartbeat", {}))
        await there.until(lambda: csms.calls("Heartbeat"))
        link.advance(31)
        with pytest.raises(CallTimedOut):
            await call
        [frame] = [json.loads(t) for t in csms.texts if '"Heartbeat"' in str(t)]
        late = json.dumps([3, frame[1], {"currentTime": "2026-01-01T00:00:00Z"}])
        await csms.guests[-1].send(late)
        csms.answer = usual
        assert await there.session.call("Heartbeat", {})
        assert there.online


ANSWERS: dict[str, Any] = {
    "Authorize": {"idTagInfo": {"status": "Accepted"}, "idTokenInfo": {"status": "Accepted"}},
    "StartTransaction": {"transactionId": 1, "idTagInfo": {"status": "Accepted"}},
}


@pytest.mark.parametrize("whose", ["theirs", "ours"])
@pytest.mark.parametrize("version", VERSIONS)
async def test_OFF_05_a_message_that_is_too_large_or_whose_answer_is_does_not_end_link_after_link(
    version: str, whose: str
) -> None:
    """It waits for its next attempt, and the links until then are for others."""
    start = "StartTransaction" if version == "1.6" else "TransactionEvent"
    bad = [True]

    async with (
        office() as csms,
        station(csms.url, version, csms__max_message_size=10_000) as there,
    ):

        def answer(text: str) -> str | None:
            _, message_id, action, *_ = json.loads(text)
            if action != start or not bad:
                found = ANSWERS.get(action)
                return json.dumps([3, message_id, found]) if found else says(text)
            bad.clear()
            if whose == "theirs":
                return json.dumps([3, message_id, {"x": "x" * 10_000}])
            csms.guests[-1].transport.write(close_frame(1009))
            return None

        csms.answer = answer
        await there.accepted()
        for order in (PlugIn(1), PresentCard("A", evse=1)):
            assert there.session.intend(order).accepted
        await there.until(lambda: there.online and len(csms.guests) == 2)
        await there.session.activity.idle()
        assert [row.attempts for row in there.session.queue()][:1] == [1]
        assert await there.session.call("Heartbeat", {})
        assert len(csms.calls(start)) == 1
        await there.session.clock.travel(60)
        await there.session.activity.idle()
        assert not there.session.queue()
        first, again, *_ = csms.calls(start)
        assert first == again
        assert len(csms.guests) == 2


# ---------------------------------------------------------------- addresses that change


class Names:
    """A resolver whose answers a test can change."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.addresses = ["127.0.0.1"]
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._resolve)

    def _resolve(self, host: Any, *rest: Any, **more: Any) -> Any:
        if host != "csms.example.test":
            return self._real(host, *rest, **more)
        return [entry for where in self.addresses for entry in self._real(where, *rest, **more)]


@contextlib.asynccontextmanager
async def on(address: str, port: int) -> AsyncIterator[StrictOffice]:
    """An office on this very address."""
    made = StrictOffice()
    async with serve(
        made._meet, address, port, select_subprotocol=made._select, compression=None,
        process_request=made._judge, close_timeout=0.2,
    ) as server:  # fmt: skip
        made.port = next(iter(server.sockets)).getsockname()[1]
        yield made


async def test_a_name_that_moved_to_another_address_is_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = Names(monkeypatch)
    async with on("127.0.0.1", 0) as first:
        url = f"ws://csms.example.test:{first.port}/ocpp"
        async with (
            on("127.0.0.2", first.port) as second,
            station(url, "1.6", csms__proxy="none") as there,
        ):
            await there.accepted()
            names.addresses = ["127.0.0.2"]
            await first.guests[-1].close(1001)
            await there.until(lambda: second.guests and there.online)


async def test_a_dead_address_among_several_does_not_keep_it_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = Names(monkeypatch)
    names.addresses = ["127.0.0.3", "127.0.0.1"]
    async with on("127.0.0.1", 0) as csms:
        url = f"ws://csms.example.test:{csms.port}/ocpp"
        async with station(url, "1.6", csms__proxy="none") as there:
            await there.accepted()


# ---------------------------------------------------------------- the computer sleeps


class Bed:
    """Link time and whole time of a computer that can sleep."""

    def __init__(self) -> None:
        self.link, self.asleep, self.missed = ManualLinkClock(), 0.0, list[float]()
        self.watch = SleepWatch(
            self.link, self.missed.append, whole=lambda: self.link.monotonic() + self.asleep
        )
        self.watch.start()


def test_time_that_only_the_wall_has_seen_was_sleep() -> None:
    bed = Bed()
    bed.link.advance(60)
    assert bed.missed == []
    bed.asleep += 3600
    bed.link.advance(EVERY)
    assert bed.missed == [pytest.approx(3600)]
    bed.link.advance(60)
    assert len(bed.missed) == 1


def test_a_nap_or_a_clock_set_back_is_no_sleep() -> None:
    bed = Bed()
    for change in (9.0, -3600.0):
        bed.asleep += change
        bed.link.advance(EVERY)
    assert bed.missed == []


def test_a_beat_that_comes_far_too_late_tells_the_same() -> None:
    """Where monotonic time goes on during sleep."""

    class Late(ManualLinkClock):
        def monotonic(self) -> float:
            return super().monotonic() + self.skipped

        skipped = 0.0

    link, missed = Late(), list[float]()
    watch = SleepWatch(link, missed.append, whole=lambda: link.monotonic())
    watch.start()
    link.skipped += 3600
    link.advance(EVERY)
    assert missed == [0.0]
    watch.stop()
    link.skipped += 3600
    link.advance(60)
    assert missed == [0.0]


def test_whole_time_runs() -> None:
    assert time_with_sleep() <= time_with_sleep()


def wake(there: Station, seconds: float) -> None:
    there.session._woke(seconds)


@pytest.mark.parametrize("version", VERSIONS)
async def test_after_sleep_the_link_is_opened_anew_at_once_and_the_calendar_is_right(
    version: str, tmp_path: Path
) -> None:
    clock = VirtualClock(START)
    async with office() as csms, station(csms.url, version, tmp_path, clock=clock) as there:
        await there.accepted()
        before, elapsed = clock.now(), clock.elapsed()
        csms.guests[-1].deaf = True  # the router has forgotten us
        wake(there, 7200.0)
        async with asyncio.timeout(5):  # nobody moves the link clock: no ping, no back-off
            while len(there.hears.all(LinkOpened)) < 2:
                await asyncio.sleep(0.005)
        assert [e.seconds for e in there.hears.all(ComputerWoke)] == [7200.0]
        [closed] = there.hears.all(LinkClosed)
        assert closed.why.id == "runtime.link.woke"
        assert (clock.now() - before).total_seconds() == pytest.approx(7200)
        assert clock.elapsed() == elapsed  # no energy is made up
        await there.session.activity.idle()
        assert len(csms.calls("BootNotification")) == 1


async def test_after_sleep_it_does_not_wait_for_its_back_off() -> None:
    async with office() as csms:
        csms.passwords = set()
        async with station(csms.url, "1.6") as there:
            async with asyncio.timeout(5):
                while there.session.snapshot().link.state is not LinkState.WAITING:
                    await asyncio.sleep(0.002)
            csms.passwords = {None}
            wake(there, 0.0)
            async with asyncio.timeout(5):
                while not there.online:
                    await asyncio.sleep(0.002)


# ---------------------------------------------------------------- subprotocols


async def test_offered_subprotocols_and_their_order_are_as_people_set_them(tmp_path: Path) -> None:
    async with office() as csms:
        offered = ["ocpp1.6", "ocpp2.1", "ocpp2.0.1"]
        flags = {"csms__subprotocols": offered}
        async with station(csms.url, "auto", tmp_path, **flags) as there:
            await there.accepted()
            said = csms.requests[-1].headers["Sec-WebSocket-Protocol"]
            assert said == "ocpp1.6, ocpp2.1, ocpp2.0.1"
            await there.session.connect_to(csms.url, subprotocols=("ocpp2.0.1", "ocpp1.6"))
            await there.accepted()
            said = csms.requests[-1].headers["Sec-WebSocket-Protocol"]
            assert said == "ocpp2.0.1, ocpp1.6"
        async with station(csms.url, "auto", tmp_path, **flags) as there:
            await there.accepted()
            said = csms.requests[-1].headers["Sec-WebSocket-Protocol"]
            assert said == "ocpp2.0.1, ocpp1.6"


async def test_a_subprotocol_that_nobody_speaks_is_told_when_it_is_chosen() -> None:
    async with office() as csms:
        csms.subprotocols = ["ocpp2.1"]
        flags = {"csms__subprotocols": ["ocpp2.1", "ocpp1.6"]}
        async with station(csms.url, "auto", **flags) as there:
            await there.until(lambda: there.session.snapshot().link.problem is not None)
            problem = there.session.snapshot().link.problem
            assert problem is not None
            assert problem.id == "runtime.link.subprotocol_wrong"


async def test_a_fixed_version_keeps_the_other_one_out_of_the_offer() -> None:
    async with office() as csms:
        flags = {"csms__subprotocols": ["ocpp2.0.1", "ocpp1.6", "ocpp1.5"]}
        async with station(csms.url, "1.6", **flags) as there:
            await there.accepted()
            said = csms.requests[-1].headers["Sec-WebSocket-Protocol"]
            assert said == "ocpp1.6, ocpp1.5"


async def test_a_disk_that_is_full_does_not_keep_the_station_off_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What an attempt has shown cannot be written down; the link stands nevertheless."""
    async with office() as csms, station(csms.url, "2.0.1") as there:
        await there.accepted()

        def full(*_: Any) -> None:
            raise StoreFailed(Text("runtime.store.failed", {"file": "f", "why": "full"}))

        assert there.session.personality is not None
        monkeypatch.setattr(there.session.personality, "link_tried", full)
        await csms.guests[-1].close(1012)
        await there.until(lambda: there.online and len(csms.guests) == 2)
