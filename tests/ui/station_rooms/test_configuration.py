"""The configuration room: live, searched, set in place, refusals with their reason."""

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLineEdit

from tests.ui.station_rooms.conftest import ask, column, opened_room, until
from ui.station_rooms.setting_table import VALUE

KEY = "MeterValueSampleInterval"


def value_of(configuration, name):
    row = configuration._model.row_of(name)
    return configuration._model.index(row, VALUE).data()


def changed_of(configuration, name):
    row = configuration._model.row_of(name)
    return configuration._model.index(row, 2).data()


def opened(room):
    return opened_room(room, "configuration")


def test_a_key_that_the_back_office_changes_shows_at_once_and_says_who_did_it(play):
    async def story(room):
        configuration = opened(room)
        await until(lambda: configuration.table.model().rowCount() > 50)
        assert changed_of(configuration, KEY) == ""
        await ask(room, "ChangeConfiguration", {"key": KEY, "value": "17"})
        await until(lambda: value_of(configuration, KEY) == "17")
        assert changed_of(configuration, KEY).startswith("Back office")
        row = configuration._model.row_of(KEY)
        assert configuration._model.flashes(row)
        await until(lambda: not configuration._model.flashes(row))
        configuration.which.choose("changed")
        assert column(configuration.table, 0) == [KEY]

    play(story, version="1.6")


def test_a_value_is_written_into_its_cell_and_told(play):
    async def story(room):
        configuration = opened(room)
        await until(lambda: configuration.table.choose(KEY))
        QTest.keyClick(configuration.table, Qt.Key.Key_F2)
        line = configuration.table.findChild(QLineEdit)
        assert line.text() == "60"
        line.setText("25")
        QTest.keyClick(line, Qt.Key.Key_Return)
        await until(lambda: room.session.get_setting(KEY) == "25")
        assert value_of(configuration, KEY) == "25"
        assert configuration.notice.text() == f"{KEY} is 25 now."
        assert changed_of(configuration, KEY).startswith("Person here")

    play(story, version="1.6")


def test_what_the_station_tells_meanwhile_does_not_overwrite_what_is_typed(play):
    async def story(room):
        configuration = opened(room)
        await until(lambda: configuration.table.choose(KEY))
        QTest.keyClick(configuration.table, Qt.Key.Key_Return)
        line = configuration.table.findChild(QLineEdit)
        line.setText("9")
        await ask(room, "ChangeConfiguration", {"key": KEY, "value": "44"})
        await until(lambda: room.session.get_setting(KEY) == "44")
        configuration.refresh()
        assert line.text() == "9"
        QTest.keyClick(line, Qt.Key.Key_Escape)
        assert value_of(configuration, KEY) == "44"

    play(story, version="1.6")


def test_yes_and_no_is_a_choice(play):
    async def story(room):
        configuration = opened(room)
        await until(lambda: configuration.table.choose("LocalPreAuthorize"))
        QTest.mouseClick(configuration.edit, Qt.MouseButton.LeftButton)
        combo = configuration.table.findChild(QComboBox)
        assert [combo.itemText(n) for n in range(combo.count())] == ["true", "false"]
        combo.setCurrentText("true")
        combo.activated.emit(0)
        await until(lambda: room.session.get_setting("LocalPreAuthorize") == "true")

    play(story, version="1.6")


def test_one_of_a_few_words_is_a_choice(play):
    async def story(room):
        configuration = opened(room)
        await until(lambda: configuration.table.choose("PublicKeyWithSignedMeterValue"))
        QTest.keyClick(configuration.table, Qt.Key.Key_F2)
        combo = configuration.table.findChild(QComboBox)
        assert [combo.itemText(n) for n in range(combo.count())] == [
            "Never",
            "OncePerTransaction",
            "EveryMeterValue",
        ]

    play(story, version="1.6")


def test_a_refusal_says_why_and_leaves_the_value(play):
    async def story(room):
        configuration = opened(room)
        await until(lambda: configuration.table.model().rowCount() > 0)
        for name, value, why in (
            (KEY, "often", "It takes a whole number from 0 on."),
            ("LightIntensity", "101", "It takes a whole number from 0 to 100."),
            ("MeterValuesSampledData", "Colour", "measurands that the meter has"),
            ("NumberOfConnectors", "9", "It can only be read."),
            ("ConnectorPhaseRotation", "1.XYZ", "1.RST"),
            ("AuthorizationKey", "short", "32 to 40 hexadecimal digits"),
        ):
            before = room.session.get_setting(name)
            outcome = configuration.set_value(name, value)
            assert not outcome.accepted
            assert why in configuration.notice.text(), configuration.notice.text()
            assert room.session.get_setting(name) == before
        assert "short" not in configuration.notice.text()

    play(story, version="1.6")


def test_secrets_are_never_shown_and_read_only_keys_cannot_be_edited(play):
    async def story(room):
        configuration = opened(room)
        await until(lambda: configuration.table.choose("AuthorizationKey"))
        secret = "0123456789abcdef0123456789abcdef"
        assert configuration.set_value("AuthorizationKey", secret).accepted
        shown = "\n".join(
            str(configuration._model.index(row, number).data())
            for row in range(configuration._model.rowCount())
            for number in range(configuration._model.columnCount())
        )
        assert secret not in shown + configuration.notice.text() + configuration._change.text()
        configuration.table.choose("NumberOfConnectors")
        QTest.keyClick(configuration.table, Qt.Key.Key_Return)
        assert configuration.table.findChild(QLineEdit) is None
        assert not configuration.edit.isEnabled()

    play(story, version="1.6")


def test_who_tries_to_set_what_can_only_be_read_is_told(play):
    async def story(room):
        configuration = opened(room)
        await until(lambda: configuration.table.choose("NumberOfConnectors"))
        QTest.keyClick(configuration.table, Qt.Key.Key_Return)
        assert configuration.table.findChild(QLineEdit) is None
        assert configuration.notice.text() == "NumberOfConnectors can only be read."

    play(story, version="1.6")


def test_search_finds_by_name_value_and_meaning_and_counts(play):
    async def story(room):
        configuration = opened(room)
        await until(lambda: configuration.table.model().rowCount() > 0)
        configuration.search.setText("heartbeat")
        assert column(configuration.table, 0) == ["HeartbeatInterval"]
        configuration.search.setText("rst notthere")
        assert column(configuration.table, 0) == []
        configuration.search.setText("0.RST")
        assert column(configuration.table, 0) == ["ConnectorPhaseRotation"]
        QTest.keyClick(configuration.search, Qt.Key.Key_Escape)
        assert configuration.search.text() == ""

    play(story, version="1.6")


def test_the_same_table_shows_the_variables_of_201(play):
    async def story(room):
        configuration = opened(room)
        await until(lambda: configuration.table.model().rowCount() > 50)
        name = "OCPPCommCtrlr.HeartbeatInterval"
        outcome = configuration.set_value(name, "77")
        assert outcome.accepted
        await until(lambda: value_of(configuration, name) == "77")
        assert not configuration.set_value(name, "soon").accepted
        assert "whole number" in configuration.notice.text()

    play(story, version="2.0.1")


def test_without_power_the_room_says_so(play):
    async def story(room):
        configuration = opened(room)
        await until(lambda: configuration.table.model().rowCount() > 0)
        room.controller.commands.run("mains")
        await until(lambda: configuration._stack.currentWidget() is configuration._empty)
        assert not configuration.set_value(KEY, "5").accepted
        room.controller.commands.run("mains")
        await until(lambda: configuration._stack.currentWidget() is not configuration._empty)

    play(story, version="1.6")


def test_a_key_that_waits_for_the_next_boot_says_so(play, tmp_path):
    config = tmp_path / "station.toml"
    config.write_text('[keys]\nHeartbeatInterval = {value = "60", reboot = true}\n')

    async def story(room):
        configuration = opened(room)
        await until(lambda: configuration.table.model().rowCount() > 0)
        assert configuration.set_value("HeartbeatInterval", "90").status == "RebootRequired"
        assert "from the next boot on" in configuration.notice.text()
        row = configuration._model.row_of("HeartbeatInterval")
        assert configuration._model.index(row, 5).data() == "Waits for boot"

    play(story, version="1.6", config=config)
