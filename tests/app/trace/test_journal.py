"""The journal keeps every event in order, in memory and in its file."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from app.kernel.bus import Bus, Origin
from app.kernel.catalogue import Catalogue
from app.ocpp.events import Direction, FramePassed
from app.ocpp.version import Version
from app.station.events import CablePlugged, FlowChanged, StopPressed
from app.station.kinds import Flow
from app.trace.codec import to_json
from app.trace.exchange import Exchanges
from app.trace.export import export_exchanges, export_journal
from app.trace.journal import FILE_NAME, MOST_BEHIND, Journal
from app.trace.query import contains_words, field_of, matches

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.fixture
def bus():
    return Bus(lambda: NOON, real=lambda: 1.5)


@pytest.fixture
def journal(bus, tmp_path):
    journal = Journal(bus, tmp_path, ring=5)
    yield journal
    journal.close()


def test_a_record_tells_who_when_and_why(bus, journal):
    bus.subscribe(lambda entry: bus.publish(StopPressed(2)), CablePlugged)
    bus.publish(CablePlugged(1, 1), origin=Origin.PERSON)
    first, second = journal.range(1, 2)
    assert first == {
        "seq": 1,
        "at": "2026-01-15T12:00:00Z",
        "real": 1.5,
        "origin": "person",
        "cause": None,
        "event": "CablePlugged",
        "data": {"evse": 1, "connector": 1},
    }
    assert (second["event"], second["cause"], second["origin"]) == ("StopPressed", 1, "person")


def test_what_left_the_memory_is_read_from_the_file(bus, journal):
    for number in range(1, 21):
        bus.publish(StopPressed(number))
    assert [record["data"]["evse"] for record in journal.range(3, 18)] == list(range(3, 19))
    assert (journal.first_seq, journal.last_seq) == (1, 20)
    assert [entry.seq for entry in journal.tail(2)] == [19, 20]


async def test_who_makes_events_by_the_thousand_waits_for_the_file(bus, journal):
    await asyncio.wait_for(journal.caught_up(), 0.5)
    with journal._writer._lock:  # the disk is slow
        for number in range(MOST_BEHIND + 1_500):
            bus.publish(StopPressed(number))
        waiting = asyncio.create_task(journal.caught_up())
        await asyncio.sleep(0.05)
        assert not waiting.done()
    await waiting
    assert journal._writer.behind <= MOST_BEHIND


async def test_a_disk_that_hangs_stops_nobody(bus, journal, monkeypatch):
    monkeypatch.setattr("app.trace.journal.PATIENCE", 0.05)
    with journal._writer._lock:
        for number in range(MOST_BEHIND + 1_500):
            bus.publish(StopPressed(number))
        await asyncio.wait_for(journal.caught_up(), 5)
        assert journal._writer.behind > MOST_BEHIND


def test_long_frames_leave_the_memory_early_and_are_read_from_the_file(bus, journal, monkeypatch):
    monkeypatch.setattr("app.trace.journal.MOST_TEXT", 250)
    for number in range(1, 5):
        bus.publish(frame(f'[2,"{number}","Reset",{{"x":"{"x" * 80}"}}]'))
    assert [entry.seq for entry in journal.tail(5)] == [3, 4]
    assert [record["seq"] for record in journal.range(1, 4)] == [1, 2, 3, 4]
    bus.publish(frame('[2,"long","Reset",{"x":"' + "x" * 400 + '"}]'))
    assert journal.last_seq == 5


def test_the_file_is_private_and_a_line_a_record(bus, journal, tmp_path):
    bus.publish(FlowChanged(1, Flow.IDLE, Flow.CHARGING))
    journal.flush()
    path = tmp_path / FILE_NAME
    assert path.stat().st_mode & 0o077 == 0
    assert json.loads(path.read_text())["data"]["after"] == "charging"


def test_a_second_run_appends_and_reads_only_its_own(bus, journal, tmp_path):
    bus.publish(StopPressed(1))
    journal.close()
    again = Bus(lambda: NOON, first_seq=100)
    second = Journal(again, tmp_path, ring=2)
    for number in range(5):
        again.publish(StopPressed(number))
    assert [record["seq"] for record in second.range(1, 200)] == [100, 101, 102, 103, 104]
    second.close()
    assert len((tmp_path / FILE_NAME).read_text().splitlines()) == 6


def test_an_unwritable_folder_is_told_and_memory_goes_on(bus, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    journal = Journal(bus, blocked / "below")
    bus.publish(StopPressed(1))
    journal.flush()
    assert journal.broken
    assert journal.range(1, 1)[0]["event"] == "StopPressed"
    told = []
    journal.on_broken = told.append
    bus.publish(StopPressed(2))
    bus.publish(StopPressed(3))
    assert told == [journal.broken]
    journal.close()


def test_watchers_see_events_after_they_are_kept(bus, journal):
    seen = []
    remove = journal.watch(lambda entry: seen.append(journal.last_seq))
    bus.publish(StopPressed(1))
    remove()
    bus.publish(StopPressed(2))
    assert seen == [1]


def frame(text, kind=2, action="Reset"):
    return FramePassed(Direction.IN, Version.V16, kind, "a", action, text)


def test_a_filter_finds_fields_lists_and_payloads(bus, journal):
    bus.publish(frame('[2,"a","Reset",{"type":"Soft","list":[{"x":1}]}]'))
    (record,) = journal.range(1, 1)
    assert matches(record, {"event": "FramePassed", "data.action": ["Reset", "Other"]})
    assert matches(record, {"payload.type": "Soft", "payload.list.0.x": 1})
    assert not matches(record, {"payload.type": "Hard"})
    assert not matches(record, {"payload.list.9.x": 1, "data.text.deeper": 1})
    assert field_of(record, "payload.type.deeper") is None


@pytest.mark.parametrize("text", ["[2", "{}", "[2]"])
def test_a_filter_on_an_unreadable_payload_finds_nothing(bus, journal, text):
    bus.publish(frame(text))
    assert not matches(journal.range(1, 1)[0], {"payload.type": "Soft"})


def test_words_search_sentence_and_texts_in_any_case(bus):
    exchanges = Exchanges(bus)
    bus.publish(frame('[2,"a","Reset",{"type":"Soft"}]'))
    catalogue = Catalogue.load()
    row = exchanges.row(1)
    assert contains_words(row, "soft RESET", catalogue)
    assert contains_words(row, "", catalogue)
    assert not contains_words(row, "soft hard", catalogue)


def test_exports_lose_nothing(bus, journal, tmp_path):
    exchanges = Exchanges(bus)
    bus.publish(frame('[2,"a","Reset",{"type":"Soft"}]'))
    for number in range(10):
        bus.publish(StopPressed(number))
    journal.flush()
    assert export_journal(journal, tmp_path / "j.jsonl") == 11
    assert len((tmp_path / "j.jsonl").read_text().splitlines()) == 11
    assert export_exchanges(exchanges.rows(), tmp_path / "x.jsonl", Catalogue.load()) == 1
    line = json.loads((tmp_path / "x.jsonl").read_text())
    assert line["request_text"] == '[2,"a","Reset",{"type":"Soft"}]'
    assert "Soft" in line["summary"]


def test_codec_turns_everything_into_json():
    value = {"a": (Flow.IDLE, NOON), "b": frozenset({1})}
    assert to_json(value) == {"a": ["idle", "2026-01-15T12:00:00Z"], "b": [1]}
