"""The room of charging profiles: installed ones, who limits when, refusals."""

from datetime import timedelta

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from tests.ui.station_rooms.conftest import ask, column, opened_room, profile, until
from tests.ui.station_rooms.test_queue import charge


def opened(room):
    return opened_room(room, "profiles")


def test_a_profile_shows_as_soon_as_it_is_installed_with_its_fields_and_its_schedule(play):
    async def story(room):
        profiles = opened(room)
        assert profiles._pages.currentWidget() is profiles._no_profile
        await ask(
            room, "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile(7, 12.0)}
        )
        await until(lambda: column(profiles.table, 2) == ["7"])
        assert column(profiles.table, 0) == ["TxDefaultProfile"]
        assert column(profiles.table, 4) == ["12 A"]
        assert column(profiles.table, 5) == ["Makes the limit."]
        assert profiles._now.text().startswith("12 A by TxDefaultProfile 7, level 0, until")
        schedule = profiles.curve._schedule
        assert [(step.limit, step.profile) for step in schedule.steps] == [(12.0, 7), (6.0, 7)]
        assert [lane.purpose for lane in schedule.lanes] == ["TxDefaultProfile"]
        assert profiles.tree.topLevelItem(0).text(0) == "csChargingProfiles"
        answer = await ask(room, "ClearChargingProfile", {"id": 7})
        assert answer["status"] == "Accepted"
        await until(lambda: profiles._pages.currentWidget() is profiles._no_profile)

    play(story, version="1.6")


def test_a_room_of_what_a_version_does_not_do_yet_says_so_and_not_that_there_is_no_power(play):
    async def story(room):
        profiles = opened(room)
        reservations = opened_room(room, "reservations")
        tokens = opened_room(room, "tokens")
        parts = (profiles._none, reservations._empty, tokens.listed._empty)
        for each in (profiles, reservations, tokens):
            each.refresh()
        for part in parts:
            assert "does not do this in OCPP 2.0.1 yet" in part.sentence.text()
        room.controller.commands.run("mains")
        await until(lambda: room.session.personality is None)
        for each in (profiles, reservations, tokens):
            each.refresh()
        for part in parts:
            assert "no power" in part.sentence.text()

    play(story, version="2.0.1")


def test_which_profile_limits_when_is_read_at_any_place_and_by_keys(play):
    async def story(room):
        profiles = opened(room)
        for body in (
            {"connectorId": 0, "csChargingProfiles": profile(1, 10.0, "ChargePointMaxProfile")},
            {"connectorId": 1, "csChargingProfiles": profile(2, 8.0)},
        ):
            assert (await ask(room, "SetChargingProfile", body))["status"] == "Accepted"
        await until(lambda: len(column(profiles.table, 0)) == 2)
        curve = profiles.curve
        start = curve._schedule.start
        assert "8 A, TxDefaultProfile 2 of level 0" in curve.reading(start)
        assert "4 A" in curve.reading(start + timedelta(minutes=31))
        assert curve.accessibleDescription() == curve.reading(start)
        QTest.keyClick(curve, Qt.Key.Key_Right)
        assert "4 A" in curve.accessibleDescription()
        QTest.keyClick(curve, Qt.Key.Key_Left)
        assert "8 A" in curve.accessibleDescription()
        standings = dict(zip(column(profiles.table, 0), column(profiles.table, 5), strict=True))
        assert standings["TxDefaultProfile"] == "Makes the limit."
        profiles._unit.buttons()[1].click()
        await until(lambda: "kW" in profiles._now.text())
        profiles._span.buttons()[1].click()
        await until(lambda: curve._schedule.end - curve._schedule.start == timedelta(days=1))
        profiles.place.choose(0)
        await until(lambda: profiles._view.place == 0)
        profiles.search.setText("pointmax")
        assert column(profiles.table, 0) == ["ChargePointMaxProfile"]

    play(story, version="1.6")


def test_the_curve_paints_steps_now_and_what_the_pointer_reads(play):
    async def story(room):
        profiles = opened(room)
        body = {"connectorId": 1, "csChargingProfiles": profile(2, 8.0)}
        await ask(room, "SetChargingProfile", body)
        await until(lambda: profiles.curve._schedule and profiles.curve._schedule.lanes)
        curve = profiles.curve
        curve.resize(500, 200)

        def pixels():
            image = QImage(curve.size(), QImage.Format.Format_RGB32)
            curve.render(image)
            return image

        bare = pixels()
        colours = {bare.pixelColor(x, y).name() for x in range(500) for y in range(200)}
        assert room.switch.theme.css("warn") in colours
        QTest.mouseMove(curve, QPoint(250, 50))
        assert pixels() != bare
        assert curve._moment(1.0) is None

    play(story, version="1.6")


def test_a_refused_profile_is_told_with_its_rule_and_reason_and_stays_listed(play):
    async def story(room):
        profiles = opened(room)
        body = {"connectorId": 1, "csChargingProfiles": profile(9, 16.0, level=99)}
        assert (await ask(room, "SetChargingProfile", body))["status"] == "Rejected"
        await until(lambda: column(profiles.refused, 1) == ["9"])
        why = column(profiles.refused, 4)[0]
        assert "99" in why
        assert why in profiles.notice.text()
        assert column(profiles.refused, 3)[0] in profiles.notice.text()

    play(story, version="1.6")


def test_the_profile_of_a_transaction_takes_over_and_goes_with_it(play):
    async def story(room):
        profiles = opened(room)
        await charge(room)
        await until(lambda: room.session.snapshot().sessions[0].transaction_id is not None)
        body = profile(3, 9.0, "TxProfile")
        body["transactionId"] = int(room.session.snapshot().sessions[0].transaction_id)
        request = {"connectorId": 1, "csChargingProfiles": body}
        assert (await ask(room, "SetChargingProfile", request))["status"] == "Accepted"
        await until(lambda: profiles._now.text().startswith("9 A by TxProfile 3"))
        room.controller.commands.run("stop")
        await until(lambda: profiles._pages.currentWidget() is profiles._no_profile)

    play(story, version="1.6")


def test_a_version_without_profiles_says_so(play):
    async def story(room):
        profiles = opened(room)
        await until(profiles._none.isVisible)
        assert profiles._none.title.text() == "No charging profiles here"

    play(story, version="2.0.1")
