"""Firmware and log jobs while they run, and the page of coverage."""

import asyncio

import pytest

from app.kernel.catalogue import Catalogue
from app.ocpp.shared.jobs.faults import LogFault
from tests.ui.station_rooms.conftest import ask, column, later, opened_room, until
from ui.station_rooms.coverage_page import read_page
from ui.station_rooms.room import span


def opened(room, ident):
    return opened_room(room, ident)


def get_log(number, **more):
    log = {"remoteLocation": "http://user:secret@127.0.0.1:1/logs"}
    return {"log": log, "logType": "SecurityLog", "requestId": number, **more}


def test_an_upload_that_fails_says_why_and_shows_no_password(play):
    async def story(room):
        jobs = opened(room, "jobs")
        assert jobs._stack.currentWidget() is jobs._empty
        assert (await ask(room, "GetLog", get_log(5, retries=0)))["status"] == "Accepted"
        await until(lambda: column(jobs.table, 1) == ["UploadFailure"])
        assert "127.0.0.1:1 cannot be reached" in jobs._detail.text()
        assert "request 5" in jobs._detail.text()
        assert "secret" not in jobs._detail.text() + "".join(column(jobs.course, 3))
        assert column(jobs.course, 2)[0] == "UploadFailure"
        jobs.search.setText("firmware")
        assert column(jobs.table, 0) == []

    play(story, version="1.6")


def test_a_person_chooses_what_goes_wrong_next(play):
    async def story(room):
        jobs = opened(room, "jobs")
        jobs.log_fault.choose("denied")
        jobs.log_fault.activated.emit(0)
        assert room.session.files.faults.log.fault is LogFault.DENIED
        await ask(room, "GetLog", get_log(6, retries=0))
        await until(lambda: column(jobs.table, 1) == ["PermissionDenied"])
        assert jobs._detail.text().endswith("Somebody at the station wanted this to fail.")
        await until(lambda: jobs.log_fault.currentData() == "")
        jobs.firmware_fault.choose("download")
        jobs.firmware_fault.activated.emit(0)
        await asyncio.sleep(0.3)
        jobs.refresh()
        assert jobs.firmware_fault.currentData() == "download"

    play(story, version="1.6")


def test_a_download_shows_how_much_of_the_file_is_through(play):
    gone = asyncio.Event()

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + bytes(250_000))
        await writer.drain()
        await reader.read()
        writer.close()
        await writer.wait_closed()
        gone.set()

    async def story(room):
        jobs = opened(room, "jobs")
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        location = f"http://127.0.0.1:{port}/forecourt-9.bin"
        await ask(room, "UpdateFirmware", {"location": location, "retrieveDate": later(hours=-1)})
        await until(lambda: column(jobs.table, 2) == ["25 %"])
        assert column(jobs.table, 3) == ["forecourt-9.bin"]
        assert column(jobs.table, 1) == ["Downloading"]
        room.controller.commands.run("mains")
        await until(lambda: not room.session.snapshot().station.mains)
        async with asyncio.timeout(10):
            await gone.wait()
        server.close()

    play(story, version="1.6")


def test_every_choice_of_a_failure_has_its_words():
    from app.runtime.rooms import FIRMWARE_FAULTS, LOG_FAULTS

    catalogue = Catalogue.load()
    for kind, names in (("firmware", FIRMWARE_FAULTS), ("log", LOG_FAULTS)):
        for name in (*names, "none"):
            assert f"rooms.jobs.fault.{kind}.{name}" in catalogue


def test_the_page_of_coverage_is_searched_and_read_row_by_row(play):
    async def story(room):
        coverage = opened(room, "coverage")
        assert coverage.table.model().rowCount() == 39
        assert "39 messages" in coverage._summary.text()
        assert "recorded" in coverage._words.text()
        coverage.search.setText("reservenow")
        assert column(coverage.table, 0) == ["ReserveNow"]
        assert column(coverage.table, 1) == ["Back office"]
        coverage.table.selectRow(0)
        assert coverage._title.text() == "23  ReserveNow"
        assert "Rules:" in coverage._words.text()

    play(story, version="1.6")


def test_without_a_page_the_room_says_so(play, tmp_path):
    async def story(room):
        coverage = opened(room, "coverage")
        coverage.read(tmp_path / "nowhere.md")
        assert coverage._stack.currentWidget() is coverage._empty
        broken = tmp_path / "broken.md"
        broken.write_text("# Nothing here\n\nno table")
        coverage.read(broken)
        assert coverage._stack.currentWidget() is coverage._empty

    play(story, version="1.6")


def test_a_page_is_read_with_its_chapters_marks_and_fields(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# Title\n\n*Statuses* are\nthose.\n\n**1 of 2.**\n\n## Fields\n\n"
        "| # | Message | | Statuses | Not seen |\n| --: | --- | :-: | --- | --- |\n"
        "| | **Core** | | | |\n| 1 | Reset | ← | Accepted | Rejected |\n"
        "| 2 | Authorize | → | never seen | |\n\n"
        "| Message | Field | Seen | Not seen |\n| --- | --- | --- | --- |\n"
        "| Reset | type | Hard | Soft |\n\n## Rules that no test names\n\nRPC-01,\nRPC-02\n"
    )
    found = read_page(page)
    assert found.summary == "1 of 2."
    assert found.notes == "Statuses are those.\n\nRules that no test names: RPC-01, RPC-02"
    first, second = found.messages
    assert (first.name, first.chapter, first.seen) == ("Reset", "Core", True)
    assert first.fields == (("type", "Hard", "Soft"),)
    assert (second.seen, second.fields) == (False, ())


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 s"),
        (59, "59 s"),
        (65, "1 min 05 s"),
        (7_260, "2 h 01 min"),
        (180_000, "2 d 2 h"),
    ],
)
def test_a_length_of_time_is_told_in_two_units(seconds, words):
    from datetime import timedelta

    assert span(timedelta(seconds=seconds)) == words
