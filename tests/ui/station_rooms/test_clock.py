"""The room of the clock: set by hand, put off, let run on, and put right by the back office."""

from datetime import UTC, datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.kernel.text import Text
from app.ocpp.shared.security_log import SecurityLog
from tests.ui.station_rooms.conftest import column, opened_room, until

LEFT = Qt.MouseButton.LeftButton


def off(room):
    """Whole seconds that the station is ahead of the computer."""
    return round((room.session.clock.now() - datetime.now(UTC)).total_seconds())


def press(button):
    QTest.mouseClick(button, LEFT)


def the(buttons, seconds):
    return next(one for one in buttons if one.property("seconds") == seconds)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_person_puts_the_clock_off_and_the_back_office_puts_it_right(play, version):
    """CE-10 by its real cause; the open point both-clock-drift takes its default."""

    async def story(room):
        clock = opened_room(room, "clock")
        assert clock.difference.text() == "Both agree."
        press(the(clock.moves, 3600))
        assert off(room) == 3600
        assert clock.difference.text() == "The station is 1 h 00 min ahead of this computer."
        assert column(clock.steps, 1) == ["+1 h 00 min"]
        assert column(clock.steps, 2) == ["A person"]
        log = [entry.type for entry in SecurityLog(room.session.store).entries()]
        assert log[-1] == "SettingSystemTime"
        press(clock.ask)
        assert "was asked for the time" in clock.notice.text()
        await until(lambda: column(clock.steps, 2) == ["The back office", "A person"])
        assert abs(off(room)) <= 2  # as long as the answer may take on a busy computer
        assert "1 h" not in clock.difference.text()
        assert "behind the station" in clock.told.text()

    play(story, version=version)


def test_the_clock_is_set_to_what_is_written_and_back_to_the_computers(play):
    async def story(room):
        clock = opened_room(room, "clock")
        clock.wanted.setText("1999-12-31 23:59:30")
        press(clock.set)
        local = room.session.clock.now().astimezone()
        assert local.strftime("%Y-%m-%d %H:%M") == "1999-12-31 23:59"
        assert " behind this computer." in clock.difference.text()
        for text in ("", "noon", "2026-13-01 00:00:00"):
            clock.wanted.setText(text)
            press(clock.set)
            assert "is no time. Write it like" in clock.notice.text()
        for edge in ("0001-01-01 00:00:00", "9999-12-31 00:00:00"):
            clock.wanted.setText(edge)
            press(clock.set)
            told = room.session.catalogue.render(Text("rooms.clock.impossible"))
            assert clock.notice.text() == told
        press(clock.right)
        assert off(room) == 0

    play(story, version="1.6")


def test_what_was_let_pass_is_not_taken_back_until_a_person_lets_the_back_office_set_it(play):
    """Decision 2: a clock that was moved on has its own time."""

    async def story(room):
        clock = opened_room(room, "clock")
        assert clock.follow.isChecked()
        press(the(clock.passes, 3600))
        await until(lambda: "have passed" in clock.notice.text())
        assert off(room) == pytest.approx(3600, abs=60)  # the computer's time has passed too
        assert column(clock.steps, 0) == []  # nobody has set it: the hour was lived
        assert not clock.follow.isChecked()
        press(clock.ask)
        await until(lambda: "behind the station" in clock.told.text())
        assert off(room) == pytest.approx(3600, abs=60)  # the computer's time has passed too
        QTest.keyClick(clock.follow, Qt.Key.Key_Space)
        press(clock.ask)
        await until(lambda: abs(off(room)) <= 2)

    play(story, version="1.6")


def test_a_person_stops_time_that_passes(play):
    async def story(room):
        clock = opened_room(room, "clock")
        await until(clock.wanted.hasFocus)  # the room is there
        assert not clock.halt.isEnabled()
        press(the(clock.passes, 86_400))
        await until(lambda: clock.halt.isEnabled() and " of 1 d 0 h" in clock.notice.text())
        assert not the(clock.passes, 60).isEnabled()
        assert clock.halt.hasFocus()
        QTest.keyClick(clock.halt, Qt.Key.Key_Space)
        await until(lambda: "have passed" in clock.notice.text())
        assert off(room) < 86_000
        assert the(clock.passes, 60).isEnabled()
        assert the(clock.passes, 86_400).hasFocus()

    play(story, version="1.6")


def test_without_a_link_nobody_can_be_asked_for_the_time(play):
    async def story(room):
        clock = opened_room(room, "clock")
        room.controller.commands.run("network")
        await until(lambda: room.session.snapshot().link.state.value == "offline")
        press(clock.ask)
        assert "cannot be asked" in clock.notice.text()
        room.controller.commands.run("mains")
        await until(lambda: room.session.personality is None)
        clock.notice.quiet()
        press(clock.ask)
        assert "cannot be asked" in clock.notice.text()

    play(story, version="2.0.1")
