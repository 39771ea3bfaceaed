"""The room of the open points: looked at, searched, and another choice that acts at the next occurrence."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.ocpp.version import Version
from tests.ui.station_rooms.conftest import ask, column, opened_room, until

START = "ocpp16-remote-start-no-connector"


def opened(room):
    return opened_room(room, "points")


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_only_points_that_this_version_meets_are_there(play, version):
    async def story(room):
        points = opened(room)
        rows = points._rows
        assert len(rows) > 5
        assert {row.point.version for row in rows} <= {None, Version(version)}
        assert all(row.point.awaits is None for row in rows)

    play(story, version=version)


def test_a_choice_made_here_acts_the_next_time_the_point_is_met(play):
    async def story(room):
        points = opened(room)
        points.search.setText(START)
        assert len(column(points.table, 0)) == 1
        request = {"idTag": "04A29F1C"}
        assert (await ask(room, "RemoteStartTransaction", request))["status"] == "Accepted"
        await until(lambda: column(points.table, 3) == ["1"])
        reject = next(one for one in points.options.buttons() if one.text().startswith("reject"))
        QTest.mouseClick(reject, Qt.MouseButton.LeftButton)
        assert column(points.table, 1) == ["reject"]
        assert column(points.table, 2) == ["A choice"]
        assert points.notice.text() == "reject from the next time on."
        assert (await ask(room, "RemoteStartTransaction", request))["status"] == "Rejected"
        await until(lambda: column(points.table, 3) == ["2"])
        points.which.choose("chosen")
        assert len(column(points.table, 0)) == 1
        QTest.mouseClick(points.lift, Qt.MouseButton.LeftButton)
        assert room.session.points.chosen == {}
        assert column(points.table, 0) == []  # nothing is chosen any more

    play(story, version="1.6")


def test_a_choice_that_breaks_the_specification_says_so(play):
    async def story(room):
        points = opened(room)
        row, option = next(
            (row, option)
            for row in points._rows
            for option in row.point.options
            if not option.conformant
        )
        points.table.choose(row.point.id)
        button = points.options.buttons()[row.point.options.index(option)]
        assert "(breaks the specification)" in button.text()
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert "on purpose" in points.notice.text()

    play(story, version="1.6")
