"""Somebody is at the window while it is in front and the pointer moves now and then."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QCursor, QGuiApplication

from app.runtime.collector import LONG
from ui.away import Away

FRONT = Qt.ApplicationState.ApplicationActive
BACK = Qt.ApplicationState.ApplicationInactive


class Desk:
    """The pointer, the program in front, and the time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.state, self.place, self.time = FRONT, QPoint(1, 1), 0.0
        monkeypatch.setattr(QGuiApplication, "applicationState", lambda: self.state)
        monkeypatch.setattr(QCursor, "pos", lambda: self.place)
        self.away = Away(lambda: self.time)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


def test_a_pointer_that_stands_still_for_long_means_away(desk: Desk) -> None:
    assert not desk.away()
    desk.time = LONG - 1
    assert not desk.away()
    desk.time = LONG
    assert desk.away()


def test_a_move_means_that_somebody_is_there(desk: Desk) -> None:
    assert not desk.away()
    desk.time, desk.place = LONG, QPoint(2, 1)
    assert not desk.away()
    desk.time = 2 * LONG
    assert desk.away()


def test_another_program_in_front_means_away_at_once(desk: Desk) -> None:
    desk.state = BACK
    assert desk.away()
    desk.state = FRONT
    assert not desk.away()
