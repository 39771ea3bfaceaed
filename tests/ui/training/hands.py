"""What a person does to the panel of the training CSMS, and what they read of it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from ui.training.panel import TrainingPanel

LEFT = Qt.MouseButton.LeftButton


def click(qtbot: QtBot, button: QPushButton) -> None:
    qtbot.mouseClick(button, LEFT)


def open_tab(qtbot: QtBot, panel: TrainingPanel, number: int) -> None:
    """Click on a tab; what it holds is made after a turn of the loop, and has its place after another."""
    qtbot.mouseClick(panel.rooms.tabs, LEFT, pos=panel.rooms.tabs.tabRect(number).center())
    assert panel.rooms.tabs.currentIndex() == number
    qtbot.waitUntil(lambda: number in panel.rooms._rooms)
    QApplication.processEvents()


def cells(panel_table: object, row: int) -> list[str]:
    model = panel_table.model()  # type: ignore[attr-defined]
    return [model.index(row, column).data() for column in range(model.columnCount())]
