"""The queue room: it fills while the network is cut, says why, and drains when it is back."""

from datetime import UTC, datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.ocpp.events import MessageDropped
from app.station.intents import PlugIn, PresentCard
from tests.ui.station_rooms.conftest import column, opened_room, until


async def charge(room):
    room.bridge.intend(PlugIn(1, 1))
    room.bridge.intend(PresentCard("04A29F1C", evse=1))
    await until(lambda: room.session.snapshot().sessions)
    await until(lambda: room.session.snapshot().station.evse(1).flow.value == "charging")


def opened(room):
    return opened_room(room, "queue")


def test_the_queue_fills_while_the_network_is_cut_and_drains_when_it_is_back(play):
    async def story(room):
        queue = opened(room)
        await until(lambda: queue._stack.currentWidget() is queue._empty)
        await charge(room)
        await until(lambda: room.session.snapshot().queue == 0)
        room.controller.commands.run("network")
        await until(lambda: room.session.snapshot().link.state.value == "offline")
        room.controller.commands.run("stop")
        await until(lambda: "StopTransaction" in column(queue.table, 1))
        assert column(queue.table, 0) == [str(n + 1) for n in range(len(queue._view.rows))]
        assert set(column(queue.table, 4)) == {"There is no link to the back office."}
        assert column(queue.table, 3)[0] == "0"
        assert "the oldest for" in queue._count.text()
        assert (
            "transactionId" in queue._raw.toPlainText() or "meterStop" in queue._raw.toPlainText()
        )
        queue.search.setText("nothing like that")
        assert column(queue.table, 1) == []
        queue.search.clear()
        room.controller.commands.run("network")
        await until(lambda: queue._view.waiting == 0)
        await until(lambda: queue._stack.currentWidget() is queue._empty)

    play(story, version="1.6")


def test_without_power_what_waits_is_still_shown(play):
    async def story(room):
        queue = opened(room)
        await charge(room)
        room.controller.commands.run("network")
        room.controller.commands.run("stop")
        await until(lambda: queue._view.rows)
        room.controller.commands.run("mains")
        await until(lambda: set(column(queue.table, 4)) == {"The station has no power."})
        assert room.session.personality is None

    play(story, version="1.6")


def test_what_was_given_up_is_listed_with_its_reason_and_text(play):
    async def story(room):
        queue = opened(room)
        text = '{"connectorId": 1, "meterStop": 7}'
        room.session.bus.publish(MessageDropped("StopTransaction", "FormationViolation", text))
        await until(lambda: column(queue.lost, 2) == ["FormationViolation"])
        queue.lost.choose(queue._lost_model.rows[0].number)
        assert '"meterStop": 7' in queue._raw.toPlainText()
        assert queue._lost_model.rows[0].at <= datetime.now(UTC)

    play(story, version="1.6")


def test_201_has_the_same_queue(play):
    async def story(room):
        queue = opened(room)
        await charge(room)
        room.controller.commands.run("network")
        room.controller.commands.run("stop")
        await until(lambda: "TransactionEvent" in column(queue.table, 1))

    play(story, version="2.0.1")


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_queue_that_stands_still_after_a_refusal_is_let_go_on_by_a_button(play, version):
    async def story(room):
        queue = opened(room)
        await charge(room)
        room.controller.commands.run("network")
        room.controller.commands.run("stop")
        await until(lambda: queue._view.rows)
        assert not queue.resume.isVisible()
        personality = room.session.personality
        outbox = personality.delivery.outbox if version == "1.6" else personality.outbox
        outbox._halted = True
        queue.refresh()
        assert "The replay stands still after a refusal." in column(queue.table, 4)
        assert queue.resume.isVisible()
        QTest.mouseClick(queue.resume, Qt.MouseButton.LeftButton)
        assert not outbox.halted
        await until(lambda: not queue.resume.isVisible())

    play(story, version=version)
