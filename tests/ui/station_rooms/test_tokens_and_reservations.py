"""Local list, cache and reservations as a person at the station sees them."""

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.ocpp.events import AuthorizationDecided
from app.station.intents import PresentCard
from tests.ui.station_rooms.conftest import ask, column, later, opened_room, until


def listed(token, status="Accepted", **info):
    return {"idTag": token, "idTagInfo": {"status": status, **info}}


def opened(room, ident):
    return opened_room(room, ident)


def test_the_local_list_shows_what_the_back_office_sends(play):
    async def story(room):
        tokens = opened(room, "tokens")
        entries = [
            listed("GOOD", expiryDate=later(days=3), parentIdTag="FLEET"),
            listed("OLD", expiryDate=later(days=-3)),
            listed("BAD", "Blocked"),
        ]
        request = {"listVersion": 5, "updateType": "Full", "localAuthorizationList": entries}
        assert (await ask(room, "SendLocalList", request))["status"] == "Accepted"
        await until(lambda: len(column(tokens.listed.table, 0)) == 3)
        words = dict(
            zip(column(tokens.listed.table, 0), column(tokens.listed.table, 1), strict=True)
        )
        assert words == {"GOOD": "Accepted", "OLD": "Expired", "BAD": "Blocked"}
        assert tokens.listed.title() == "Local list, version 5, 3 of 1000"
        tokens.search.setText("fleet")
        assert column(tokens.listed.table, 0) == ["GOOD"]
        tokens.search.clear()
        request = {"key": "LocalAuthListEnabled", "value": "false"}
        await ask(room, "ChangeConfiguration", request)
        await until(lambda: "switched off" in tokens.listed.title())

    play(story, version="1.6")


def test_the_cache_learns_from_cards_and_is_cleared_by_a_button(play):
    async def story(room):
        tokens = opened(room, "tokens")
        decided = []
        room.session.bus.subscribe(decided.append, AuthorizationDecided)
        assert not tokens.clear.isEnabled()
        room.bridge.intend(PresentCard("045D2088", evse=1))
        await until(lambda: column(tokens.cached.table, 0) == ["045d2088"])
        assert column(tokens.cached.table, 4)[0]
        QTest.mouseClick(tokens.clear, Qt.MouseButton.LeftButton)
        assert column(tokens.cached.table, 0) == []
        assert tokens.notice.text() == "The cache is empty now. Forgotten tokens: 1."
        assert len(room.session.personality.authorization.cache) == 0
        assert decided

    play(story, version="1.6")


def test_a_reservation_counts_down_and_its_end_is_remembered(play):
    async def story(room):
        reservations = opened(room, "reservations")
        body = {
            "connectorId": 1,
            "expiryDate": later(minutes=30),
            "idTag": "04A29F1C",
            "parentIdTag": "FLEET",
            "reservationId": 41,
        }
        assert (await ask(room, "ReserveNow", body))["status"] == "Accepted"
        await until(lambda: column(reservations.table, 5) == ["41"])
        assert column(reservations.table, 0) == ["Connector 1"]
        assert column(reservations.table, 3) == ["FLEET"]
        assert column(reservations.table, 1)[0].startswith(("29 min", "30 min 00 s"))
        before = column(reservations.table, 1)[0]
        await until(lambda: column(reservations.table, 1)[0] != before)
        reservations.search.setText("elsewhere")
        assert column(reservations.table, 5) == []
        reservations.search.clear()
        await ask(room, "CancelReservation", {"reservationId": 41})
        await until(lambda: column(reservations.ended, 0) == ["Cancelled"])
        assert column(reservations.ended, 2) == ["04A29F1C"]
        assert column(reservations.table, 0) == []

    play(story, version="1.6")


def test_the_cache_of_201_is_shown_and_cleared_too(play):
    async def story(room):
        tokens = opened(room, "tokens")
        await until(lambda: tokens.cached.title() == "Authorisation cache, 0")
        room.bridge.intend(PresentCard("04F1EE12", evse=1))
        await until(lambda: column(tokens.cached.table, 0) == ["04F1EE12"])
        assert column(tokens.cached.table, 1) == ["Accepted"]
        assert column(tokens.cached.table, 2) == ["FLEET A"]
        assert tokens.cached.title() == "Authorisation cache, 1"
        QTest.mouseClick(tokens.clear, Qt.MouseButton.LeftButton)
        assert column(tokens.cached.table, 0) == []
        assert room.session.store.rows("v201.cache") == []

    play(story, version="2.0.1")


def test_201_has_no_list_and_no_reservations_yet_and_says_so(play):
    async def story(room):
        tokens = opened(room, "tokens")
        assert tokens.listed._stack.currentWidget() is tokens.listed._empty
        assert not tokens.clear.isEnabled()
        reservations = opened(room, "reservations")
        assert reservations._now.currentWidget() is reservations._empty

    play(story, version="2.0.1")


def test_without_power_there_is_no_cache_to_clear(play):
    async def story(room):
        tokens = opened(room, "tokens")
        room.controller.commands.run("mains")
        await until(lambda: tokens.cached.title() == "Authorisation cache")
        tokens._clear()
        assert "no cache to clear" in tokens.notice.text()

    play(story, version="1.6")
