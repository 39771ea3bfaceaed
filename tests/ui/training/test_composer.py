"""The composer of the panel, over a real CSMS and stations that connect over real sockets."""

from __future__ import annotations

import json
import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from pytestqt.qtbot import QtBot

from tests.ui.training.hands import click, open_tab
from tests.ui.training.stations import V16, tiny_station
from ui.training.panel import TrainingPanel
from ui.training.tabs import COMPOSER

# The offscreen platform says so of every top-level window with a smallest size.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


def ready_to_send(panel: TrainingPanel, qtbot: QtBot, action: str) -> None:
    open_tab(qtbot, panel, COMPOSER)
    qtbot.waitUntil(lambda: panel.rooms.composer.station.count() > 0)
    panel.rooms.composer.choose_action(action)
    qtbot.waitUntil(panel.rooms.composer.send_button.isEnabled)


def test_an_example_is_edited_sent_and_answered(
    panel: TrainingPanel, url: str, qtbot: QtBot
) -> None:
    tab = panel.rooms.composer
    with tiny_station(url, "CS-7") as station:
        ready_to_send(panel, qtbot, "Reset")
        assert json.loads(tab.text.toPlainText()) == {"type": "Immediate"} or json.loads(
            tab.text.toPlainText()
        )
        tab.text.selectAll()
        qtbot.keyClicks(tab.text, '{"type": "OnIdle"}')
        calls: list[list[object]] = []
        answering = threading.Thread(
            target=lambda: calls.append(station.answer({"status": "Scheduled"}))
        )
        answering.start()
        click(qtbot, tab.send_button)
        qtbot.waitUntil(lambda: tab.sent.outcome.text() == "Scheduled")
        answering.join(5)
        assert calls[0][2:] == ["Reset", {"type": "OnIdle"}]
        assert tab.sent.latency.text().endswith(" ms")
        assert '"status": "Scheduled"' in tab.sent.raw.toPlainText()


def test_what_is_no_json_is_told_and_sent_byte_for_byte(
    panel: TrainingPanel, url: str, qtbot: QtBot
) -> None:
    tab = panel.rooms.composer
    with tiny_station(url, "CS-7") as station:
        ready_to_send(panel, qtbot, "Reset")
        tab.text.selectAll()
        qtbot.keyClicks(tab.text, "{oops")
        qtbot.waitUntil(lambda: tab.verdict.text().startswith("No JSON from line 1, column 2"))
        assert tab.send_button.isEnabled()
        tab.text.setFocus()
        other = QShortcut(QKeySequence("Ctrl+Return"), panel)  # the window has one for the reader
        other.activated.connect(pytest.fail)
        qtbot.keyClick(tab.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        text = station.socket.recv(5)
        assert isinstance(text, str)
        assert text.endswith('"Reset",{oops]')
    qtbot.waitUntil(lambda: tab.sent.outcome.text() == "Not connected")


def test_a_payload_that_breaks_the_schema_is_told_at_its_field(
    panel: TrainingPanel, url: str, qtbot: QtBot
) -> None:
    tab = panel.rooms.composer
    with tiny_station(url, "CS-7"):
        ready_to_send(panel, qtbot, "TriggerMessage")
        assert tab.verdict.text() == "Follows the schema."
        tab.text.selectAll()
        qtbot.keyClicks(tab.text, '{"requestedMessage": "Heartbeat", "evse": {"id": "x"}}')
        qtbot.waitUntil(lambda: tab.verdict.text().startswith("evse.id"))
        assert tab.send_button.isEnabled()


def test_a_whole_frame_goes_out_as_typed_with_its_own_id(
    panel: TrainingPanel, url: str, qtbot: QtBot
) -> None:
    tab = panel.rooms.composer
    with tiny_station(url, "CS-7") as station:
        ready_to_send(panel, qtbot, "Reset")
        payload = tab.text.toPlainText()
        tab.whole.click()
        assert tab.text.toPlainText().startswith("[2, ")
        tab.whole.click()
        assert json.loads(tab.text.toPlainText()) == json.loads(payload)
        tab.whole.click()
        frame = '[2,"my-id","Reset",{"type":"Immediate"}]'
        tab.text.selectAll()
        qtbot.keyClicks(tab.text, frame)
        click(qtbot, tab.send_button)
        assert station.socket.recv(5) == frame
        station.socket.send('[4,"my-id","NotSupported","no",{}]')
        qtbot.waitUntil(lambda: tab.sent.outcome.text() == "Error NotSupported")


def test_a_raw_text_that_is_no_call_is_sent_and_waits_for_nothing(
    panel: TrainingPanel, url: str, qtbot: QtBot
) -> None:
    tab = panel.rooms.composer
    with tiny_station(url, "CS-7") as station:
        ready_to_send(panel, qtbot, "Reset")
        tab.whole.click()
        tab.text.selectAll()
        qtbot.keyClicks(tab.text, "hello")
        click(qtbot, tab.send_button)
        assert station.socket.recv(5) == "hello"
        qtbot.waitUntil(lambda: tab.sent.outcome.text() == "Sent")
        assert tab.sent.history.chosen().action == "Raw frame"


def test_the_actions_are_those_of_the_stations_version_and_are_found_by_words(
    panel: TrainingPanel, url: str, qtbot: QtBot
) -> None:
    tab = panel.rooms.composer

    def shown() -> list[str]:
        items = (tab.action_list.item(row) for row in range(tab.action_list.count()))
        return [item.text() for item in items if not item.isHidden()]

    with tiny_station(url, "OLD", V16), tiny_station(url, "NEW"):
        open_tab(qtbot, panel, COMPOSER)
        qtbot.waitUntil(lambda: tab.station.count() == 2)
        tab.choose_station("OLD")
        assert "RemoteStartTransaction" in shown()
        assert "SetVariables" not in shown()
        qtbot.keyClicks(tab.search, "charging prof")
        assert shown() == ["ClearChargingProfile", "SetChargingProfile"]
        assert tab.action_list.currentItem().text() == "ClearChargingProfile"
        tab.search.clear()
        qtbot.keyClicks(tab.search, "triggermessage")
        assert shown() == ["ExtendedTriggerMessage", "TriggerMessage"]
        assert tab.action_list.currentItem().text() == "TriggerMessage"
        tab.search.clear()
        tab.choose_station("NEW")
        assert "GetChargingProfiles" in shown()
        tab.search.clear()
        assert "SetVariables" in shown()


def test_a_draft_survives_a_look_at_another_action_and_the_example_can_be_had_again(
    panel: TrainingPanel, url: str, qtbot: QtBot
) -> None:
    tab = panel.rooms.composer
    with tiny_station(url, "CS-7"):
        ready_to_send(panel, qtbot, "Reset")
        tab.text.selectAll()
        qtbot.keyClicks(tab.text, '{"type": "mine"}')
        panel.rooms.composer.choose_action("ClearCache")
        qtbot.waitUntil(tab.send_button.isEnabled)
        assert "mine" not in tab.text.toPlainText()
        panel.rooms.composer.choose_action("Reset")
        assert "mine" in tab.text.toPlainText()
        click(qtbot, tab.reset)
        qtbot.waitUntil(lambda: "mine" not in tab.text.toPlainText())


def test_what_was_sent_can_be_taken_back_into_the_editor(
    panel: TrainingPanel, url: str, qtbot: QtBot
) -> None:
    tab = panel.rooms.composer
    with tiny_station(url, "CS-7") as station:
        ready_to_send(panel, qtbot, "Reset")
        tab.text.selectAll()
        qtbot.keyClicks(tab.text, '{"type": "first"}')
        click(qtbot, tab.send_button)
        station.answer({"status": "Rejected"})
        qtbot.waitUntil(lambda: tab.sent.outcome.text() == "Rejected")
        tab.choose_action("ClearCache")
        click(qtbot, tab.sent.again)
        assert tab.text.toPlainText() == '{"type": "first"}'
        assert tab._title.text() == "Reset"
