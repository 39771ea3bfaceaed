"""What the station turns down is told with its reason: in the room it belongs to, in a toast, in its row."""

import pytest

from tests.ui.station_rooms.conftest import ask, later, until

CARD = {"idTag": "ANNA", "idTagInfo": {"status": "Accepted"}}
RESERVE = {"connectorId": 9, "expiryDate": later(hours=1), "idTag": "ANNA", "reservationId": 7}


@pytest.mark.parametrize(
    ("room_id", "action", "bad", "words", "good"),
    [
        (
            "configuration",
            "ChangeConfiguration",
            {"key": "HeartbeatInterval", "value": "soon"},
            'does not take the value "soon"',
            {"key": "HeartbeatInterval", "value": "60"},
        ),
        (
            "tokens",
            "SendLocalList",
            {"listVersion": 1, "updateType": "Full", "localAuthorizationList": [CARD, CARD]},
            "ANNA is in the update twice",
            {"listVersion": 1, "updateType": "Full", "localAuthorizationList": [CARD]},
        ),
        (
            "reservations",
            "ReserveNow",
            RESERVE,
            "There is no connector 9.",
            RESERVE | {"connectorId": 2},
        ),
    ],
)
def test_a_refusal_is_told_until_the_same_is_taken(play, room_id, action, bad, words, good):
    async def story(room):
        room.controller.commands.run(f"room_{room_id}")
        live = room.rooms.room(room_id)
        answer = await ask(room, action, bad)
        await until(lambda: words in live.notice.text())
        assert live.notice.text().startswith(f"{action} was answered with {answer['status']} at ")
        assert any(words in text for text in room.window.toasts.texts())
        row = next(row for row in room.session.exchanges.rows() if row.action == action)
        assert words in room.session.catalogue.render(row.summary)
        await ask(room, action, good)
        await until(lambda: live.notice.text() == "")

    play(story, version="1.6")


def test_the_reason_that_2_0_1_states_on_the_wire_is_told_as_well(play):
    wrong = {
        "component": {"name": "OCPPCommCtrlr"},
        "variable": {"name": "HeartbeatInterval"},
        "attributeValue": "soon",
    }

    async def story(room):
        room.controller.commands.run("room_configuration")
        live = room.rooms.room("configuration")
        answer = await ask(room, "SetVariables", {"setVariableData": [wrong]})
        info = answer["setVariableResult"][0]["attributeStatusInfo"]
        await until(lambda: info["reasonCode"] in live.notice.text())
        assert info["additionalInfo"] in live.notice.text()
        await ask(room, "SetVariables", {"setVariableData": [wrong | {"attributeValue": "60"}]})
        await until(lambda: live.notice.text() == "")

    play(story, version="2.0.1")


def test_a_room_that_is_opened_later_tells_it_too_and_only_once(play):
    async def story(room):
        await ask(room, "CancelReservation", {"reservationId": 9})
        room.controller.commands.run("room_reservations")
        live = room.rooms.room("reservations")
        await until(lambda: "There is no reservation 9." in live.notice.text())
        live.notice.quiet()
        live.refresh()
        assert live.notice.text() == ""

    play(story, version="1.6")


def test_a_person_hears_why_a_security_profile_cannot_be_set(play):
    async def story(room):
        room.controller.commands.run("room_configuration")
        live = room.rooms.room("configuration")
        live.set_value("SecurityProfile", "3")
        assert "(Rejected)" in live.notice.text()
        assert "No root certificate of the central system" in live.notice.text()

    play(story, version="1.6")
