"""The rows of the message table: told in batches, found by words, true to the exchanges."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester, QSignalSpy
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.kernel.catalogue import Catalogue
from app.ocpp.events import Direction, Violation
from tests.ui.messages.conftest import Wire
from ui.messages import model as m
from ui.messages.model import ExchangeModel, latency_text


def actions(model: ExchangeModel) -> list[str]:
    return [model.index(row, m.ACTION).data() for row in range(model.rowCount())]


def test_many_new_rows_are_told_in_one_batch(
    wire: Wire, model: ExchangeModel, qtbot: QtBot
) -> None:
    inserted = QSignalSpy(model.rowsInserted)
    changed = QSignalSpy(model.dataChanged)
    wire.beat(200)
    assert model.rowCount() == 0
    qtbot.waitUntil(lambda: model.rowCount() == 200)
    assert inserted.count() == 1
    assert changed.count() <= 200
    wire.beat(3)
    qtbot.waitUntil(lambda: model.rowCount() == 203)
    assert inserted.count() == 2


def test_what_was_there_before_is_shown_at_once(wire: Wire, qapp: QApplication) -> None:
    wire.beat(5)
    assert ExchangeModel(wire.exchanges, Catalogue.load()).rowCount() == 5


def test_a_reply_changes_its_row_and_no_other(wire: Wire, model: ExchangeModel) -> None:
    first = wire.ask("Authorize", {"idToken": {"idToken": "04A2", "type": "ISO14443"}})
    wire.beat()
    model.flush()
    verdict = model.index(0, m.VERDICT)
    assert verdict.data() == "Waiting"
    changed = QSignalSpy(model.dataChanged)
    wire.answer(first, "Authorize", {"idTokenInfo": {"status": "Accepted"}}, latency=1912.0)
    model.flush()
    assert [changed.at(n)[0].row() for n in range(changed.count())] == [0]
    assert verdict.data() == "Slow reply"
    assert model.index(0, m.LATENCY).data() == "1,912 ms"


@pytest.mark.parametrize(("how", "word"), [("timeout", "No reply"), ("disconnected", "Link lost")])
def test_a_request_that_ends_without_a_reply_says_how(
    wire: Wire, model: ExchangeModel, how: str, word: str
) -> None:
    wire.end(wire.ask("Heartbeat"), "Heartbeat", how)
    model.flush()
    assert model.index(0, m.VERDICT).data() == word


def test_errors_violations_and_forced_frames_have_their_words(
    wire: Wire, model: ExchangeModel
) -> None:
    wire.error(wire.ask("Heartbeat"), "Heartbeat", "InternalError")
    wire.ask("Heartbeat", violations=(Violation("x", "type", "wrong"),))
    wire.answer(wire.ask("Heartbeat", forced=True), "Heartbeat")
    wire.answer("nobody", "Heartbeat")
    model.flush()
    words = [model.index(row, m.VERDICT).data() for row in range(4)]
    assert words == ["Error reply", "Schema error", "Forced", "Ignored"]


def test_words_are_found_in_actions_sentences_and_texts_without_case(
    wire: Wire, model: ExchangeModel
) -> None:
    wire.beat(3)
    wire.ask("Authorize", {"idToken": {"idToken": "DEADBEEF", "type": "ISO14443"}})
    wire.ask("Reset", {"type": "OnIdle"}, direction=Direction.IN)
    model.flush()
    model.search("deadbeef")
    assert actions(model) == ["Authorize"]
    model.search("reset onidle")
    assert actions(model) == ["Reset"]
    model.search("reset deadbeef")
    assert actions(model) == []
    model.search("")
    assert len(actions(model)) == 5
    assert model.total == 5


def test_new_rows_go_through_the_search(wire: Wire, model: ExchangeModel) -> None:
    model.search("reset")
    wire.beat(2)
    wire.ask("Reset", {"type": "Immediate"})
    model.flush()
    assert actions(model) == ["Reset"]
    assert model.total == 3


def test_a_row_that_comes_to_fit_the_search_by_its_reply_appears_in_its_place(
    wire: Wire, model: ExchangeModel
) -> None:
    model.search("blocked")
    first = wire.ask("Authorize", {"idToken": {"idToken": "A", "type": "ISO14443"}})
    second = wire.ask("Authorize", {"idToken": {"idToken": "B", "type": "ISO14443"}})
    model.flush()
    assert model.rowCount() == 0
    wire.answer(second, "Authorize", {"idTokenInfo": {"status": "Blocked"}})
    model.flush()
    wire.answer(first, "Authorize", {"idTokenInfo": {"status": "Blocked"}})
    model.flush()
    assert [model.index(row, m.NUMBER).data() for row in range(2)] == ["1", "2"]


def test_the_oldest_rows_make_room(qapp: QApplication) -> None:
    wire = Wire(limit=100)
    model = ExchangeModel(wire.exchanges, Catalogue.load())
    wire.beat(95)
    model.flush()
    removed = QSignalSpy(model.rowsRemoved)
    wire.beat(20)
    model.flush()
    assert removed.count() == 1
    assert model.rowCount() == len(wire.exchanges)
    assert model.index(0, m.NUMBER).data() == str(wire.exchanges.first_number)
    last = wire.exchanges.rows()[-1].number
    assert model.row_of(last) == model.rowCount() - 1


def test_clearing_forgets_all_and_goes_on_counting(wire: Wire, model: ExchangeModel) -> None:
    wire.beat(3)
    open_one = wire.ask("Heartbeat")
    model.flush()
    model.clear()
    assert model.rowCount() == 0
    wire.answer(open_one, "Heartbeat")
    wire.beat()
    model.flush()
    assert [model.index(row, m.NUMBER).data() for row in range(model.rowCount())] == ["5", "6"]


def test_a_closed_model_hears_nothing_more(wire: Wire, model: ExchangeModel, qtbot: QtBot) -> None:
    model.close()
    wire.beat(2)
    qtbot.wait(80)
    assert model.rowCount() == 0


def test_arrows_are_words_for_a_screen_reader(wire: Wire, model: ExchangeModel) -> None:
    wire.ask("Heartbeat")
    wire.ask("Reset", {"type": "Immediate"}, direction=Direction.IN)
    model.flush()
    role = Qt.ItemDataRole.AccessibleTextRole
    said = [model.data(model.index(row, m.DIRECTION), role) for row in range(2)]
    assert said == ["to the back office", "from the back office"]


def test_it_keeps_the_rules_of_qt_models(wire: Wire, model: ExchangeModel, qtbot: QtBot) -> None:
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    wire.beat(5)
    model.flush()
    model.search("heart")
    wire.beat(5)
    model.flush()
    model.clear()
    wire.beat(1)
    model.flush()
    assert tester.model() is model
    assert model.rowCount(model.index(0, 0)) == 0
    assert model.data(QModelIndex()) is None
    assert model.headerData(0, Qt.Orientation.Vertical) is None


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(None, ""), (0.2, "<1 ms"), (31.4, "31 ms"), (1912.0, "1,912 ms")]
)
def test_latencies_as_people_read_them(milliseconds: float | None, text: str) -> None:
    assert latency_text(milliseconds) == text
