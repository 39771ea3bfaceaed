"""A real training CSMS in its thread and a panel that shows it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.kernel.catalogue import Catalogue
from app.training.thread import TrainingCsmsThread
from ui.theme import Theme
from ui.training.panel import TrainingPanel


@pytest.fixture
def csms() -> Iterator[TrainingCsmsThread]:
    """A CSMS that runs."""
    thread = TrainingCsmsThread()
    thread.start()
    yield thread
    thread.stop()


@pytest.fixture
def panel(csms: TrainingCsmsThread, qtbot: QtBot, qapp: QApplication) -> Iterator[TrainingPanel]:
    theme = Theme.load("dark")
    if qapp.property("look") != "dark":  # a change of the style sheet is slow
        theme.apply(qapp)
        qapp.setProperty("look", "dark")
    made = TrainingPanel(csms, theme, Catalogue.load())
    qtbot.addWidget(made)
    made.resize(1120, 460)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    qtbot.waitUntil(lambda: made.feed.view.running)
    yield made
    made.close_feed()


@pytest.fixture
def url(csms: TrainingCsmsThread) -> str:
    return csms.snapshot().url
