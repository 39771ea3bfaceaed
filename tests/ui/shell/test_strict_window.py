"""Strict mode in the window: questions come when points are met, and the station goes by the answers."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel

from app.ocpp.context import BootState
from app.ocpp.events import OpenPointMet
from app.station.intents import PlugIn, PresentCard
from tests.ui.shell.conftest import until
from ui.points import PointDialog


def questions(room):
    return [each for each in room.window.findChildren(PointDialog) if each.isVisible()]


def words(dialog):
    return " ".join(label.text() for label in dialog.findChildren(QLabel))


def test_a_session_starts_by_the_answers_of_the_person_at_the_window(play):
    async def story(room):
        met = []
        room.session.bus.subscribe(lambda entry: met.append(entry.event), OpenPointMet)
        await until(lambda: room.session.snapshot().boot is BootState.ACCEPTED)
        room.session.intend(PlugIn(1))
        room.session.intend(PresentCard("04A29F1C", evse=1))
        for point, option in [
            ("ocpp16-metervalues-begin-context", "periodic-only"),
            ("ocpp16-status-order", "status-first"),
        ]:
            await until(
                lambda point=point: [each for each in questions(room) if point in words(each)]
            )
            dialog = next(each for each in questions(room) if point in words(each))
            dialog.choose(option)
            dialog.accept()
            chosen = OpenPointMet(point, option, "person", True)
            await until(lambda chosen=chosen: chosen in met)
        assert len(room.session.snapshot().sessions) == 1

    play(story, version="1.6", strict=True)


def test_two_questions_at_once_are_two_dialogs_and_each_has_its_answer(play):
    async def story(room):
        wanted = {"both-clock-drift": "slew", "ocpp16-remote-start-no-connector": "reject"}
        asking = {point: room.spawner.spawn(room.session.points.ask(point)) for point in wanted}
        await until(lambda: len(questions(room)) == 2)
        for dialog in questions(room):
            dialog.choose(
                next(option for point, option in wanted.items() if point in words(dialog))
            )
            dialog.accept()
        assert {point: await task for point, task in asking.items()} == wanted

    play(story, version="1.6", strict=True)
