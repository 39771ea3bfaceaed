"""The message panel as a person uses it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QTreeWidgetItem
from pytestqt.qtbot import QtBot

from app.ocpp.events import Violation
from tests.ui.choosing import choose, choosing
from tests.ui.messages.conftest import Wire
from ui.messages import model as m
from ui.messages.detail import FINDINGS, RAW, REPLY, REQUEST
from ui.messages.panel import MessagePanel
from ui.theme import Theme

# The offscreen platform says so of every top-level window with a smallest size.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

LEFT = Qt.MouseButton.LeftButton
BATCH_LIMIT_S = 0.050


def click_row(qtbot: QtBot, panel: MessagePanel, row: int) -> None:
    rect = panel.table.visualRect(panel.model.index(row, m.SUMMARY))
    qtbot.mouseClick(panel.table.viewport(), LEFT, pos=rect.center())


def selected(panel: MessagePanel) -> list[int]:
    rows = panel.table.selectionModel().selectedRows()
    return [exchange.number for one in rows if (exchange := panel.model.exchange(one.row()))]


def items(panel: MessagePanel) -> list[QTreeWidgetItem]:
    found: list[QTreeWidgetItem] = []
    tree = panel.detail.tree
    pending = [tree.topLevelItem(number) for number in range(tree.topLevelItemCount())]
    while pending:
        item = pending.pop(0)
        found.append(item)
        pending = [item.child(number) for number in range(item.childCount())] + pending
    return found


def choose_tab(qtbot: QtBot, panel: MessagePanel, tab: int) -> None:
    tabs = panel.detail.tabs
    qtbot.mouseClick(tabs, LEFT, pos=tabs.tabRect(tab).center())


# ---------------------------------------------------------------- table


def test_the_ring_of_the_keyboard_lies_over_the_rows(
    panel: MessagePanel, wire: Wire, qtbot: QtBot
) -> None:
    for _ in range(40):
        wire.ask("Heartbeat", {})
    panel.model.flush()

    def edges() -> set[str]:
        image = panel.table.viewport().grab().toImage()
        w, h = image.width(), image.height()
        places = ((0, h // 2), (w - 1, h // 2), (w // 2, 0), (w // 2, h - 1))
        return {image.pixelColor(*place).name() for place in places}

    panel.activateWindow()
    panel.table.setFocus()
    qtbot.waitUntil(panel.table.hasFocus)
    for name in ("dark", "light"):
        theme = Theme.load(name)
        panel.set_theme(theme)
        assert edges() == {theme.colour("focus").name()}


def test_a_click_on_a_row_shows_request_reply_and_raw_text(
    panel: MessagePanel, wire: Wire, qtbot: QtBot
) -> None:
    card = {"idToken": {"idToken": "04A2", "type": "ISO14443"}}
    wire.answer(wire.ask("Authorize", card), "Authorize", {"idTokenInfo": {"status": "Accepted"}})
    panel.model.flush()
    with qtbot.waitSignal(panel.chosen) as chosen:
        click_row(qtbot, panel, 0)
    assert chosen.args[0].action == "Authorize"
    assert [item.text(0) for item in items(panel)] == [
        "AuthorizeRequest",
        "idToken",
        "idToken",
        "type",
    ]
    assert '"idToken": "04A2"' in panel.detail.raw.toPlainText()
    choose_tab(qtbot, panel, REPLY)
    assert items(panel)[0].text(0) == "AuthorizeResponse"
    assert '"status": "Accepted"' in panel.detail.raw.toPlainText()


def test_the_selection_survives_rows_that_come_and_go(
    open_panel: Callable[[Wire], MessagePanel], qtbot: QtBot
) -> None:
    wire = Wire(limit=100)
    panel = open_panel(wire)
    wire.beat(90)
    panel.model.flush()
    panel.select(80)
    assert selected(panel) == [80]
    wire.beat(5)
    panel.model.flush()
    assert selected(panel) == [80]
    wire.beat(15)
    panel.model.flush()
    assert wire.exchanges.first_number > 1
    assert selected(panel) == [80]
    assert panel.table.currentIndex().row() == panel.model.row_of(80)


def test_the_detail_follows_the_reply_of_the_chosen_row(
    panel: MessagePanel, wire: Wire, qtbot: QtBot
) -> None:
    ident = wire.ask("Heartbeat")
    panel.model.flush()
    panel.select(1)
    choose_tab(qtbot, panel, REPLY)
    assert panel.detail._empty.text() == "The reply has not come yet."
    wire.answer(ident, "Heartbeat", {"currentTime": "2026-01-15T12:00:00Z"})
    panel.model.flush()
    assert panel.detail.tabs.currentIndex() == REPLY
    assert [item.text(2) for item in items(panel)] == ["object", "date-time"]


def test_the_table_follows_its_tail_until_a_person_scrolls_up(
    panel: MessagePanel, wire: Wire, qtbot: QtBot
) -> None:
    bar = panel.table.verticalScrollBar()
    wire.beat(100)
    panel.model.flush()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    panel.table.scrollToBottom()
    wire.beat(10)
    panel.model.flush()
    assert bar.value() == bar.maximum()
    for height in (200, 700, 300):
        panel.resize(1200, height)
        qtbot.waitUntil(lambda height=height: panel.table.height() < height)
        assert bar.value() == bar.maximum()
    bar.setValue(20)
    panel.resize(1200, 320)
    wire.beat(10)
    panel.model.flush()
    assert bar.value() == 20


def test_search_finds_words_and_counts(panel: MessagePanel, wire: Wire, qtbot: QtBot) -> None:
    wire.beat(10)
    wire.ask("Authorize", {"idToken": {"idToken": "DEADBEEF", "type": "ISO14443"}})
    panel.model.flush()
    assert panel._count.text() == "11 in all"
    qtbot.keyClicks(panel.search_field, "deadbeef")
    qtbot.waitUntil(lambda: panel.model.rowCount() == 1)
    assert panel._count.text() == "1 of 11"
    panel.search_field.clear()
    qtbot.waitUntil(lambda: panel.model.rowCount() == 11)


def test_a_search_that_finds_nothing_says_so_and_escape_ends_it(
    panel: MessagePanel, wire: Wire, qtbot: QtBot
) -> None:
    nothing = panel.table._nothing
    assert not nothing.isVisible()  # nothing was looked for
    wire.beat(3)
    panel.model.flush()
    qtbot.keyClicks(panel.search_field, "nosuchword")
    qtbot.waitUntil(lambda: panel.model.rowCount() == 0)
    assert nothing.isVisible()
    assert nothing.text() == "No message has these words."
    qtbot.keyClick(panel.search_field, Qt.Key.Key_Escape)
    assert panel.search_field.text() == ""
    qtbot.waitUntil(lambda: panel.model.rowCount() == 3)
    assert not nothing.isVisible()


def test_the_chosen_row_stays_chosen_when_the_search_still_shows_it(
    panel: MessagePanel, wire: Wire, qtbot: QtBot
) -> None:
    wire.beat(10)
    wire.ask("Reset", {"type": "Immediate"})
    panel.model.flush()
    panel.select(11)
    qtbot.keyClicks(panel.search_field, "reset")
    qtbot.waitUntil(lambda: panel.model.rowCount() == 1)
    assert selected(panel) == [11]
    panel.search_field.clear()
    qtbot.waitUntil(lambda: panel.model.rowCount() == 11)
    assert selected(panel) == [11]


def test_keys_texts_and_numbers_have_their_colours(
    panel: MessagePanel, wire: Wire, qtbot: QtBot
) -> None:
    wire.ask("Reset", {"type": "Immediate", "evseId": 1})
    panel.model.flush()
    click_row(qtbot, panel, 0)
    document = panel.detail.raw.document()
    found = {}
    for number in range(document.blockCount()):
        block = document.findBlockByNumber(number)
        for form in block.layout().formats():
            word = block.text()[form.start : form.start + form.length]
            found[word] = form.format.foreground().color()
    theme = Theme.load("dark")
    assert found['"type"'] == theme.colour("key")
    assert found['"Immediate"'] == theme.colour("str")
    assert found["1"] == theme.colour("num")


def test_clear_empties_the_table(panel: MessagePanel, wire: Wire, qtbot: QtBot) -> None:
    wire.beat(10)
    panel.model.flush()
    qtbot.mouseClick(panel._clear, LEFT)
    assert panel.model.rowCount() == 0
    assert panel._count.text() == "0 in all"


def test_rows_are_chosen_by_keyboard(panel: MessagePanel, wire: Wire, qtbot: QtBot) -> None:
    wire.beat(5)
    panel.model.flush()
    panel.select(2)
    panel.table.setFocus()
    qtbot.keyClick(panel.table, Qt.Key.Key_Down)
    assert selected(panel) == [3]


# ---------------------------------------------------------------- detail


def test_a_violation_is_pinned_to_its_field(panel: MessagePanel, wire: Wire, qtbot: QtBot) -> None:
    payload = {"evse": {"id": "one"}, "list": [{"a": 1}, {"a": "x"}]}
    violations = (
        Violation("evse.id", "type", "is string, not integer"),
        Violation("list[1].a", "type", "is string, not integer"),
        Violation("requestedMessage", "required", "is missing"),
    )
    wire.ask("TriggerMessage", payload, violations=violations)
    panel.model.flush()
    click_row(qtbot, panel, 0)
    pinned = {item.text(1): item.parent().text(0) for item in items(panel) if item.text(0) == "⚠"}
    assert pinned == {
        "evse.id: is string, not integer": "id",
        "list[1].a: is string, not integer": "a",
        "requestedMessage: is missing": "TriggerMessageRequest",
    }
    choose_tab(qtbot, panel, FINDINGS)
    said = panel.detail._findings.toPlainText()
    assert "evse.id breaks the rule “type”: is string, not integer" in said
    assert "requestedMessage" in said


def test_a_field_of_the_tree_lights_its_line_and_a_line_its_field(
    panel: MessagePanel, wire: Wire, qtbot: QtBot
) -> None:
    wire.ask("Authorize", {"idToken": {"idToken": "04A2", "type": "ISO14443"}})
    panel.model.flush()
    click_row(qtbot, panel, 0)
    field = next(item for item in items(panel) if item.text(0) == "type")
    panel.detail.tree.setCurrentItem(field)
    (lit,) = panel.detail.raw.extraSelections()
    assert lit.cursor.block().text().strip() == '"type": "ISO14443"'
    raw = panel.detail.raw
    block = raw.document().find('"04A2"').block()
    rect = raw.blockBoundingGeometry(block).translated(raw.contentOffset())
    at = rect.topLeft().toPoint() + QPoint(60, round(rect.height() / 2))
    qtbot.mouseClick(raw.viewport(), LEFT, pos=at)
    assert panel.detail.tree.currentItem().text(1) == "04A2"


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("forced", "on purpose"),
        ("late", "after the message time-out"),
        ("slow", "longer than a second"),
        ("lost", "The link broke"),
        ("none", "Nothing to remark"),
    ],
)
def test_findings_say_in_words_what_was_odd(
    panel: MessagePanel, wire: Wire, qtbot: QtBot, how: str, sentence: str
) -> None:
    ident = wire.ask("Heartbeat", forced=how == "forced")
    if how == "late":
        wire.end(ident, "Heartbeat", "timeout")
    if how == "lost":
        wire.end(ident, "Heartbeat", "disconnected")
    else:
        wire.answer(ident, "Heartbeat", latency=1500.0 if how == "slow" else 10.0)
    panel.model.flush()
    click_row(qtbot, panel, 0)
    choose_tab(qtbot, panel, FINDINGS)
    assert sentence in panel.detail._findings.toPlainText()


def test_an_error_reply_shows_its_code(panel: MessagePanel, wire: Wire, qtbot: QtBot) -> None:
    wire.error(wire.ask("Heartbeat"), "Heartbeat", "GenericError")
    panel.model.flush()
    click_row(qtbot, panel, 0)
    choose_tab(qtbot, panel, REPLY)
    assert items(panel)[0].text(0) == "CALLERROR GenericError"
    said = {items(panel)[0].child(n).text(0): items(panel)[0].child(n).text(1) for n in range(2)}
    assert said == {"errorCode": "GenericError", "errorDescription": "The disk is full"}


def test_what_is_no_message_is_told_as_such_and_not_as_one_without_content(
    panel: MessagePanel, wire: Wire, qtbot: QtBot
) -> None:
    wire.say("hello")
    panel.model.flush()
    click_row(qtbot, panel, 0)
    choose_tab(qtbot, panel, REQUEST)
    assert panel.detail._stack.currentWidget() is panel.detail._empty
    assert "no OCPP message" in panel.detail._empty.text()


def test_the_raw_text_is_copied(panel: MessagePanel, wire: Wire, qtbot: QtBot) -> None:
    wire.ask("Heartbeat")
    panel.model.flush()
    click_row(qtbot, panel, 0)
    qtbot.mouseClick(panel.detail._copy, LEFT)
    assert json.loads(QGuiApplication.clipboard().text())[2] == "Heartbeat"


def test_in_a_narrow_window_the_raw_text_is_a_tab(
    panel: MessagePanel, wire: Wire, qtbot: QtBot
) -> None:
    wire.answer(wire.ask("Heartbeat"), "Heartbeat", {"currentTime": "2026-01-15T12:00:00Z"})
    panel.model.flush()
    click_row(qtbot, panel, 0)
    detail = panel.detail
    detail.setParent(None)
    qtbot.addWidget(detail)
    detail.resize(900, 300)
    detail.show()
    assert not detail.tabs.isTabVisible(RAW)
    detail.resize(480, 300)
    qtbot.waitUntil(lambda: detail.tabs.isTabVisible(RAW))
    detail.tabs.setCurrentIndex(RAW)
    assert detail.raw.isVisible()
    assert "currentTime" in detail.raw.toPlainText()
    detail.tabs.setCurrentIndex(REQUEST)
    detail.resize(900, 300)
    qtbot.waitUntil(lambda: not detail.tabs.isTabVisible(RAW))
    assert detail.raw.isVisible()


# ---------------------------------------------------------------- export


def test_export_writes_the_shown_rows_as_jsonl(
    panel: MessagePanel, wire: Wire, qtbot: QtBot, tmp_path: Path
) -> None:
    wire.beat(3)
    wire.ask("Reset", {"type": "Immediate"})
    panel.model.flush()
    path = tmp_path / "messages.jsonl"
    with qtbot.waitSignal(panel.exported) as exported:
        panel.export_to(path)
    assert exported.args == ["4 messages written to messages.jsonl."]
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [line["action"] for line in lines] == ["Heartbeat"] * 3 + ["Reset"]
    assert json.loads(lines[0]["request_text"])[2] == "Heartbeat"
    panel.model.search("reset")
    panel.export_to(path)
    assert len(path.read_text("utf-8").splitlines()) == 1


def test_an_export_that_fails_says_why(
    panel: MessagePanel, wire: Wire, qtbot: QtBot, tmp_path: Path
) -> None:
    wire.beat()
    panel.model.flush()
    with qtbot.waitSignal(panel.export_failed) as failed:
        panel.export_to(tmp_path)
    assert str(tmp_path) in failed.args[0]
    assert "Choose another folder" in failed.args[0]


def test_the_button_asks_for_a_file_without_a_loop_of_its_own(
    panel: MessagePanel, wire: Wire, qtbot: QtBot, tmp_path: Path
) -> None:
    wire.beat()
    panel.model.flush()
    qtbot.mouseClick(panel._export, LEFT)
    with qtbot.waitSignal(panel.exported), choosing(qtbot, panel) as dialog:
        assert dialog.selectedFiles()[0].endswith("messages.jsonl")
        choose(dialog, tmp_path / "out")
    assert (tmp_path / "out.jsonl").exists()


# ---------------------------------------------------------------- speed and looks


def test_ten_thousand_rows_while_tailing_take_less_than_50_ms_a_batch(
    panel: MessagePanel, wire: Wire, qtbot: QtBot
) -> None:
    """Told and painted, 100 rows a batch; by the processor's time, since others may be busy."""
    spent = []
    for _ in range(100):
        wire.beat(100)
        began = time.process_time()
        panel.model.flush()
        panel.table.viewport().repaint()
        spent.append(time.process_time() - began)
    assert panel.model.rowCount() == 10_000
    bar = panel.table.verticalScrollBar()
    assert bar.value() == bar.maximum()
    spent.sort()
    assert spent[94] < BATCH_LIMIT_S, f"95 % of the batches took up to {spent[94] * 1000:.1f} ms"


def test_every_verdict_is_painted_in_both_themes(
    panel: MessagePanel, wire: Wire, qtbot: QtBot, qapp: QApplication
) -> None:
    wire.ask("Heartbeat")
    wire.beat()
    wire.answer(wire.ask("Heartbeat"), "Heartbeat", latency=2000.0)
    wire.error(wire.ask("Heartbeat"), "Heartbeat", "InternalError")
    wire.end(wire.ask("Heartbeat"), "Heartbeat", "timeout")
    wire.ask("Heartbeat", violations=(Violation("x", "type", "wrong"),))
    panel.model.flush()
    panel.select(2)
    pictures = []
    for name in ("dark", "light"):
        theme = Theme.load(name)
        theme.apply(qapp)
        panel.set_theme(theme)
        pictures.append(panel.grab().toImage())
    assert pictures[0] != pictures[1]
