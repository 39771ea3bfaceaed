"""Each action that the back office of 1.6 can send has an example that works on the running station."""

import asyncio

from app.training import composer
from tests.ui.station_rooms.conftest import until
from tests.ui.station_rooms.test_queue import charge

ANSWERS = (
    ("InstallCertificate", "Accepted"),
    ("GetInstalledCertificateIds", "Accepted"),
    ("DeleteCertificate", "Accepted"),
    ("InstallCertificate", "Accepted"),  # signed firmware needs it
    ("CertificateSigned", "Accepted"),
    ("SetChargingProfile", "Accepted"),
    ("GetCompositeSchedule", "Accepted"),
    ("ClearChargingProfile", "Accepted"),
    ("ReserveNow", "Accepted"),
    ("CancelReservation", "Accepted"),
    ("ChangeConfiguration", "Accepted"),
    ("GetConfiguration", ""),
    ("ClearCache", "Accepted"),
    ("SendLocalList", "Accepted"),
    ("GetLocalListVersion", ""),
    ("DataTransfer", "Accepted"),
    ("TriggerMessage", "Accepted"),
    ("ExtendedTriggerMessage", "Accepted"),
    ("GetDiagnostics", ""),
    ("GetLog", "Accepted"),
    ("RemoteStartTransaction", "Accepted"),
    ("RemoteStopTransaction", "Accepted"),
    ("UnlockConnector", "Unlocked"),
    ("ChangeAvailability", "Scheduled"),
    ("UpdateFirmware", ""),
    ("SignedUpdateFirmware", "AcceptedCanceled"),
    ("Reset", "Accepted"),
)
"""In an order that makes sense while a car charges at EVSE 1."""


def test_every_example_of_16_works_on_the_running_station(play):
    answers = []

    async def send(room, action):
        station = room.session.snapshot().station_id
        payload = await asyncio.to_thread(room.training.example, station, action)
        outcome = await asyncio.wrap_future(room.training.call(station, action, payload))
        assert outcome.payload is not None, (action, outcome)
        answers.append((action, outcome.status))

    async def story(room):
        assert await room.lab.ask_for_certificate("none")  # so that there is one to be sent again
        await charge(room)
        await until(lambda: room.training.snapshot().transactions)
        for action, _ in ANSWERS:
            await send(room, action)
            if action == "RemoteStopTransaction":
                running = room.training.snapshot
                await until(lambda now=running: not any(t.active for t in now().transactions))

    play(story, version="1.6")
    assert answers == list(ANSWERS)
    assert {action for action, _ in answers} == set(composer.actions("1.6"))
