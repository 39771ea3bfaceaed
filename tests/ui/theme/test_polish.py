"""A theme that comes over a living window: nothing of the old one stays, and each widget is asked once."""

from __future__ import annotations

from collections import Counter

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDockWidget,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QProgressBar,
    QRadioButton,
    QSlider,
    QSpinBox,
    QSplitter,
    QStatusBar,
    QTableWidget,
    QTabWidget,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from ui.rooms.form import bar, button, label
from ui.theme import ThemeSwitch
from ui.theme.theme import THEMES

ROLES = ("title", "strong", "secondary", "hint", "unit", "mono", "error", "warning", "good")
KINDS = ("", "primary", "danger", "quiet", "segment")


@pytest.fixture
def switch(qapp: QApplication) -> ThemeSwitch:
    return ThemeSwitch(qapp, "dark")


def form() -> QWidget:
    """One of everything that the style sheet has a rule for."""
    host = QWidget()
    box = QVBoxLayout(host)
    box.addWidget(bar(*(label(role, role) for role in ROLES)))
    box.addWidget(bar(*(button(kind or "plain", kind) for kind in KINDS)))
    off, search, choice, number = button("off"), QLineEdit("words"), QComboBox(), QSpinBox()
    off.setEnabled(False)
    search.setClearButtonEnabled(True)
    choice.addItems(["one", "two"])
    tick, dot, small, bar_, slide = (
        QCheckBox("tick"), QRadioButton("dot"), QToolButton(), QProgressBar(), QSlider()
    )  # fmt: skip
    tick.setChecked(True)
    dot.setChecked(True)
    bar_.setValue(40)
    box.addWidget(bar(off, search, choice, number, tick, dot, small, bar_, slide))
    return host


def tables() -> QWidget:
    table, tree, split, tabs = QTableWidget(2, 2), QTreeWidget(), QSplitter(), QTabWidget()
    table.selectRow(0)
    tree.addTopLevelItem(QTreeWidgetItem(["whole"]))
    tree.topLevelItem(0).addChild(QTreeWidgetItem(["part"]))
    for part in (table, tree, QPlainTextEdit("text")):
        split.addWidget(part)
    tabs.addTab(split, "first")
    tabs.addTab(QWidget(), "second")
    return tabs


@pytest.fixture
def window(qtbot: QtBot, switch: ThemeSwitch) -> QMainWindow:
    made = QMainWindow()
    made.resize(1000, 600)
    made.setCentralWidget(form())
    made.setStatusBar(QStatusBar())
    made.statusBar().showMessage("message")
    dock = QDockWidget("Room")
    dock.setWidget(tables())
    made.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
    qtbot.addWidget(made)
    made.show()
    return made


def picture(window: QMainWindow) -> QImage:
    QApplication.processEvents()
    return window.grab().toImage()


def test_a_theme_that_comes_later_looks_as_one_that_was_there_from_the_start(
    qtbot: QtBot, qapp: QApplication, switch: ThemeSwitch, window: QMainWindow
) -> None:
    """Compared with Qt's own way: no style sheet at all, and then the new one."""
    pictures = {}
    for name in reversed(THEMES):
        switch.use(name)
        qtbot.waitUntil(lambda: switch.settled)
        pictures[name] = picture(window)
    for name in THEMES:
        for each in ("light" if name == "dark" else "dark", name):
            qapp.setStyleSheet("")
            switch.use(each)
            qtbot.waitUntil(lambda: switch.settled)
        assert picture(window) == pictures[name], name
    assert pictures["dark"] != pictures["light"]


def test_each_widget_is_styled_once_however_deep_it_lies(
    qtbot: QtBot, qapp: QApplication, switch: ThemeSwitch, window: QMainWindow
) -> None:
    heard: Counter[QObject] = Counter()

    class Counting(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() is QEvent.Type.StyleChange:
                heard[watched] += 1
            return False

    counting = Counting()
    qapp.installEventFilter(counting)
    try:
        switch.toggle()
        qtbot.waitUntil(lambda: switch.settled)
    finally:
        qapp.removeEventFilter(counting)
    widgets = [one for one in window.findChildren(QWidget) if one.isVisible()]
    assert {heard[one] for one in widgets} == {1}


def test_the_window_shows_nothing_half_done(
    qtbot: QtBot, switch: ThemeSwitch, window: QMainWindow
) -> None:
    switch.toggle()
    assert not window.updatesEnabled()
    switch.toggle()  # before the first change was done
    qtbot.waitUntil(lambda: switch.settled)
    assert window.updatesEnabled()


def test_a_widget_that_goes_meanwhile_is_passed_over(
    qtbot: QtBot, switch: ThemeSwitch, window: QMainWindow
) -> None:
    dock = window.findChild(QDockWidget)
    switch.toggle()
    dock.setParent(None)
    dock.deleteLater()
    qtbot.waitUntil(lambda: switch.settled)
    assert window.updatesEnabled()
