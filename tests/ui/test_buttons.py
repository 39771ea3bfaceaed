"""Buttons under the keyboard: what is framed is what Enter presses."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication, QDialog
from pytestqt.qtbot import QtBot

from app.kernel.catalogue import Catalogue
from ui.connect.dialog import ConnectDialog
from ui.shell.confirm import Confirmation
from ui.theme import Theme
from ui.widgets.buttons import PushButton, ToolButton

UI = Path(__file__).parents[2] / "ui"
ENTER = [Qt.Key.Key_Return, Qt.Key.Key_Enter]


@pytest.fixture
def answered(qtbot: QtBot) -> Callable[..., int]:
    """How a question ends when `press` goes to what has the focus after `tabs` tabs."""

    def run(tabs: int, press: Qt.Key) -> int:
        dialog = Confirmation("factory_reset", Catalogue.load())
        qtbot.addWidget(dialog)
        dialog.open()
        for _ in range(tabs):
            QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
        QTest.keyClick(dialog.focusWidget(), press)
        assert not dialog.isVisible()
        return dialog.result()

    return run


@pytest.mark.qt_log_ignore("propagateSizeHints")
@pytest.mark.parametrize("key", ENTER)
def test_enter_presses_the_button_that_was_gone_to_and_not_the_default_one(
    answered: Callable[..., int], key: Qt.Key
) -> None:
    assert answered(0, key) == QDialog.DialogCode.Rejected
    assert answered(1, key) == QDialog.DialogCode.Accepted
    assert answered(2, key) == QDialog.DialogCode.Rejected


@pytest.mark.qt_log_ignore("propagateSizeHints")
def test_enter_on_cancel_does_not_connect(qtbot: QtBot) -> None:
    dialog = ConnectDialog(Theme.load("dark"), Catalogue.load()).made()
    qtbot.addWidget(dialog)
    dialog.open()
    dialog.form.url_field.setText("ws://csms.example.com/ocpp")
    dialog.form.id_field.setText("CS-1")
    assert dialog.connect_button.isEnabled()
    ended = QSignalSpy(dialog.finished)
    dialog.cancel_button.setFocus()
    QTest.keyClick(dialog.cancel_button, Qt.Key.Key_Return)
    assert ended.at(0) == [QDialog.DialogCode.Rejected.value]


@pytest.mark.parametrize("key", [*ENTER, Qt.Key.Key_Space])
def test_enter_presses_a_button_of_the_window_once_however_long_it_is_held(
    qtbot: QtBot, key: Qt.Key
) -> None:
    for made in (PushButton("Plug in"), ToolButton()):
        qtbot.addWidget(made)
        made.show()
        pressed = QSignalSpy(made.clicked)
        QTest.keyPress(made, key)
        assert made.isDown()
        held = QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier, "", True)
        QApplication.sendEvent(made, held)
        QTest.keyRelease(made, key)
        assert pressed.count() == 1


def test_every_button_of_the_window_is_one_of_these() -> None:
    plain = re.compile(r"\bQ(?:Push|Tool)Button\(\)|\bQ(?:Push|Tool)Button\([^)]")
    made = [
        path.name
        for path in sorted(UI.rglob("*.py"))
        if path.name != "buttons.py" and plain.search(path.read_text(encoding="utf-8"))
    ]
    assert made == []


def test_a_click_is_painted_with_the_next_frame_and_not_by_itself(qtbot: QtBot) -> None:
    """Else all of a window that waits to be painted would be, before the click goes on."""
    painted = []

    class Seen(PushButton):
        def paintEvent(self, event: QPaintEvent) -> None:
            painted.append(self.isDown())
            super().paintEvent(event)

    button = Seen("Press")
    qtbot.addWidget(button)
    button.show()
    qtbot.waitUntil(lambda: bool(painted))
    QTest.qWait(20)
    painted.clear()
    middle = button.rect().center()
    for kind, down in (
        (QEvent.Type.MouseButtonPress, True),
        (QEvent.Type.MouseButtonRelease, False),
    ):
        send(button, kind, QPointF(middle))
        assert not painted
        qtbot.waitUntil(lambda: bool(painted))
        assert painted[-1] is down
        QTest.qWait(20)
        painted.clear()


def send(button: PushButton, kind: QEvent.Type, point: QPointF) -> None:
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(button, QMouseEvent(kind, point, point, left, left, none))
