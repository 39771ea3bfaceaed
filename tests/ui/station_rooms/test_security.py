"""The security room and its lab: a walk through the profiles by buttons, over real sockets and real TLS."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from app.runtime.views import LinkState
from app.station.intents import CutMains
from tests.ui.station_rooms.conftest import column, opened_room, until

PATIENCE = 30.0


def opened(room):
    return opened_room(room, "security")


async def press(room, button):
    """Press a button of the lab and wait until its step is over; what the newest result says."""
    security = room.rooms.room("security")
    before = len(room.lab.results())
    await until(button.isEnabled, PATIENCE)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    await until(lambda: len(room.lab.results()) > before and not room.lab.busy, PATIENCE)
    security.refresh()
    return security.lab.notice.text()


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_from_profile_0_to_3_and_back_by_buttons(play, version):
    async def story(room):
        lab = opened(room).lab
        for number, words in ((1, "by a password"), (2, "encrypted"), (3, "both showed")):
            told = await press(room, lab.profiles[number])
            assert told.startswith(f"Connected with profile {number}"), told
            assert words in told
            snapshot = room.session.snapshot()
            assert snapshot.security_profile == number
            assert snapshot.link.state is LinkState.ONLINE
        assert snapshot.csms_url.startswith("wss://")
        assert room.window.focusWidget() is lab.profiles[3]  # the button kept the keyboard
        security = room.rooms.room("security")
        assert [word.split(",")[0] for word in column(security.table, 0)] == ["Own", "Root"]
        assert column(security.table, 1) == ["In use", "Ready"]
        assert "3" in security._profile.text()
        room.controller.commands.run("use_training")  # the way out, whatever the lab did
        await until(lambda: room.session.snapshot().security_profile == 0, PATIENCE)
        await until(lambda: room.session.snapshot().link.state is LinkState.ONLINE, PATIENCE)
        assert room.session.snapshot().csms_url == room._training_url

    play(story, version=version)


def test_a_button_keeps_the_keyboard_though_the_room_is_read_before_its_step_has_begun(play):
    async def story(room):
        security = opened(room)
        lab = security.lab
        await until(lambda: security.isAncestorOf(room.window.focusWidget()))
        QTest.mouseClick(lab.profiles[1], Qt.MouseButton.LeftButton)
        security.refresh()  # something else has happened in the same instant
        assert not room.lab.busy
        await until(lambda: room.lab.results() and not room.lab.busy, PATIENCE)
        security.refresh()
        assert room.window.focusWidget() is lab.profiles[1]

    play(story, version="1.6")


def test_a_bad_certificate_of_the_back_office_is_told_in_words_and_logged(play):
    async def story(room):
        security = opened(room)
        lab = security.lab
        for flaw, words in (
            ("expired", "expired"),
            ("wrong_name", "does not belong to 127.0.0.1"),
            ("revoked", "has been revoked"),
            ("old_tls", "no TLS version in common"),
            ("weak_cipher", "no cipher suite in common"),
        ):
            lab.server_flaw.choose(flaw)
            told = await press(room, lab.serve)
            assert "Not connected with profile 2" in told
            assert words in told
        for event in (
            "InvalidCentralSystemCertificate",
            "InvalidTLSVersion",
            "InvalidTLSCipherSuite",
        ):
            await until(lambda wanted=event: wanted in column(security.events, 1))
        lab.server_flaw.choose("none")
        assert "Connected with profile 2" in await press(room, lab.serve)
        security.search.setText("invalidcentral")
        assert set(column(security.events, 1)) == {"InvalidCentralSystemCertificate"}
        assert column(security.table, 0) == []

    play(story, version="1.6")


def test_a_certificate_for_another_station_is_not_taken(play):
    async def story(room):
        lab = opened(room).lab
        lab.station_flaw.choose("wrong_name")
        told = await press(room, lab.ask)
        assert "did not take it (wrong name): Rejected" in told
        lab.station_flaw.choose("none")
        assert "took it (good)" in await press(room, lab.ask)
        before = room.lab.authority
        assert "authority was made" in await press(room, lab.renew)
        assert room.lab.authority is not before

    play(story, version="1.6")


@pytest.mark.parametrize(
    ("version", "told", "state"),
    [("1.6", "took it (not valid yet)", "Not valid yet"), ("2.0.1", "did not take it", None)],
)
def test_A02_FR_06_a_certificate_that_is_not_valid_yet_is_judged_by_the_version(
    play, version, told, state
):
    """2.0.1 refuses it (errata 2.9), 1.6 keeps it until its day comes."""

    async def story(room):
        security = opened(room)
        security.lab.station_flaw.choose("not_yet_valid")
        assert told in await press(room, security.lab.ask)
        own = [word.split(",")[0] == "Own" for word in column(security.table, 0)]
        assert any(own) == (state is not None)
        if state is not None:
            assert column(security.table, 1)[own.index(True)] == state

    play(story, version=version)


def choose(owner, words):
    """Open the menu of a button and choose the entry that begins so."""
    QTest.mouseClick(owner, Qt.MouseButton.LeftButton)
    menu = owner.findChildren(QMenu)[-1]
    entries = [action for action in menu.actions() if action.text().startswith(words)]
    assert entries, [action.text() for action in menu.actions()]
    entries[0].trigger()
    menu.close()


@pytest.mark.qt_log_ignore("This plugin does not support")  # of every popup
def test_a_person_asks_for_certificates_and_sees_what_becomes_of_it(play):
    async def story(room):
        security = opened(room)
        acts = security.acts
        room.training.settings.answer_requests = False
        await until(acts.ask.isEnabled)
        choose(acts.ask, "A new certificate of the station")
        await until(lambda: "A certificate was asked for (ChargingStation" in acts.requests.text())
        assert "asked again in" in acts.requests.text()
        assert acts.notice.text() == ""  # one line is enough
        choose(acts.ask, "The OCSP status")
        assert acts.notice.text().endswith("No certificate for cars names a responder.")
        choose(acts.ask, "A newer contract certificate")
        await until(lambda: "answered the car (Update): Failed" in acts.notice.text())
        room.session.intend(CutMains())
        await until(lambda: not acts.ask.isEnabled())
        assert acts.requests.text() == ""

    play(story, version="2.0.1")


@pytest.mark.qt_log_ignore("This plugin does not support")  # of every popup
def test_without_an_operator_a_charge_point_asks_for_nothing(play):
    async def story(room):
        security = opened(room)
        await until(security.acts.ask.isEnabled)
        room.session.set_setting("CpoName", "")
        choose(security.acts.ask, "A new certificate of the station")
        assert "Cannot be asked for now" in security.acts.notice.text()
        QTest.mouseClick(security.acts.ask, Qt.MouseButton.LeftButton)
        menu = security.acts.ask.findChildren(QMenu)[-1]
        assert len(menu.actions()) == 1  # 1.6 knows nothing of cars
        menu.close()

    play(story, version="1.6")


@pytest.mark.qt_log_ignore("This plugin does not support")  # of every popup
@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_person_lets_security_events_happen_and_clears_the_log(play, version):
    """CE-10: failed login and cleared log by their real causes, any other of the list by hand."""

    async def story(room):
        security = opened(room)
        acts = security.acts
        await until(acts.happen.isEnabled)
        choose(acts.happen, "Somebody fails to log in")
        choose(acts.happen, "InvalidFirmwareSignature")
        await until(lambda: "InvalidFirmwareSignature" in column(security.events, 1))
        assert "MaintenanceLoginFailed" in column(security.events, 1)
        QTest.mouseClick(acts.clear, Qt.MouseButton.LeftButton)
        await until(lambda: column(security.events, 1) == ["SecurityLogWasCleared"])

    play(story, version=version)


def test_the_address_of_the_lab_is_not_remembered(play, tmp_path):
    async def walk(room):
        assert "Connected" in await press(room, opened(room).lab.profiles[1])

    async def again(room):
        assert room.session.snapshot().security_profile == 0
        await until(lambda: room.session.snapshot().link.state is LinkState.ONLINE)

    folder = tmp_path / "state"
    play(walk, folder, version="1.6")
    play(again, folder, version="1.6")
