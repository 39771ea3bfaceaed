"""What the back office orders shows on the picture: out of service soon, out of service, updating."""

import asyncio

import pytest

from app.ocpp.context import JobView
from tests.ui.station_rooms.conftest import ask, later, until
from tests.ui.station_rooms.test_queue import charge
from ui.shell.controller import update_step


def painted(room):
    return [label.full for label in room.window.canvas.painted_labels()]


@pytest.mark.parametrize(
    ("version", "request_"),
    [
        ("1.6", {"connectorId": 1, "type": "Inoperative"}),
        ("1.6", {"connectorId": 0, "type": "Inoperative"}),
        ("2.0.1", {"evse": {"id": 1}, "operationalStatus": "Inoperative"}),
        ("2.0.1", {"operationalStatus": "Inoperative"}),
    ],
)
def test_a_scheduled_change_of_availability_shows_while_it_charges_and_then_happens(
    play, version, request_
):
    async def story(room):
        await charge(room)
        assert "Closes after this session" not in painted(room)
        answer = await ask(room, "ChangeAvailability", request_)
        assert answer["status"] == "Scheduled"
        await until(lambda: "Closes after this session" in painted(room))
        room.controller.commands.run("stop")
        room.controller.commands.run("plug")
        await until(lambda: "Closes after this session" not in painted(room))
        await until(
            lambda: any("navailable" in text or "service" in text for text in painted(room))
        )

    play(story, version=version)


def test_a_firmware_update_shows_on_the_picture(play):
    come, gone = asyncio.Event(), asyncio.Event()

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        come.set()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + bytes(10_000))
        await writer.drain()
        await reader.read()
        writer.close()
        await writer.wait_closed()
        gone.set()

    async def story(room):
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        location = f"http://127.0.0.1:{port}/forecourt-9.bin"
        await ask(room, "UpdateFirmware", {"location": location, "retrieveDate": later(hours=1)})
        await until(lambda: "Firmware update is scheduled" in painted(room))
        await ask(room, "UpdateFirmware", {"location": location, "retrieveDate": later(hours=-1)})
        await until(lambda: "Downloading firmware" in painted(room))
        await until(come.is_set)
        room.controller.commands.run("mains")
        async with asyncio.timeout(10):
            await gone.wait()
        server.close()

    play(story, version="1.6")


@pytest.mark.parametrize(
    ("status", "running", "step"),
    [
        ("Installing", True, "installing"),
        ("DownloadPaused", True, "downloading"),
        ("InstallScheduled", True, "scheduled"),
        ("Installed", False, ""),
    ],
)
def test_the_step_of_an_update_is_one_of_three(status, running, step):
    job = JobView("firmware", status, running, "http://here/file")
    assert update_step([JobView("log", "Uploading", True, "x"), job]) == step
