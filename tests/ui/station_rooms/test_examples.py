"""Each action that the back office of 1.6 can send has an example that the station answers in earnest."""

import asyncio

from app.training import composer
from tests.ui.station_rooms.conftest import until
from tests.ui.station_rooms.test_queue import charge

ORDERED = (
    "InstallCertificate",
    "GetInstalledCertificateIds",
    "DeleteCertificate",
    "SetChargingProfile",
    "GetCompositeSchedule",
    "ClearChargingProfile",
)
LAST = ("RemoteStopTransaction", "UnlockConnector", "ChangeAvailability", "Reset")
GOOD = {
    "InstallCertificate": "Accepted",
    "GetInstalledCertificateIds": "Accepted",
    "DeleteCertificate": "Accepted",
    "SetChargingProfile": "Accepted",
    "GetCompositeSchedule": "Accepted",
    "ChangeConfiguration": "Accepted",
    "SendLocalList": "Accepted",
    "TriggerMessage": "Accepted",
    "ExtendedTriggerMessage": "Accepted",
    "GetLog": "Accepted",
    "SignedUpdateFirmware": "Accepted",
    "RemoteStopTransaction": "Accepted",
    "Reset": "Accepted",
}


def test_every_example_of_16_is_answered_and_none_with_an_error(play):
    answers = {}

    async def story(room):
        await charge(room)
        station = room.session.snapshot().station_id
        await until(lambda: room.training.snapshot().transactions)
        # signed firmware needs its root: it is installed again behind the delete
        first = (*ORDERED, "InstallCertificate", "SignedUpdateFirmware")
        others = [one for one in composer.actions("1.6") if one not in (*first, *LAST)]
        for action in (*first, *others, *LAST):
            payload = await asyncio.to_thread(room.training.example, station, action)
            outcome = await asyncio.wrap_future(room.training.call(station, action, payload))
            assert outcome.payload is not None, (action, outcome)
            answers.setdefault(action, outcome.payload.get("status", ""))

    play(story, version="1.6")
    assert set(answers) == set(composer.actions("1.6"))
    assert {action: answers[action] for action in GOOD} == GOOD
