"""Puts another style sheet on widgets that are there already.

Qt would polish each widget once for each of its ancestors, all in one go: a window with its rooms open stands
still for more than a second. Here Qt forgets the old rules first, so that it finds nobody to polish; then
each widget is polished once, a few in each turn of the loop.
"""

from __future__ import annotations

from collections.abc import Generator

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from ui.widgets.turns import ALONE, Turns, Work


def exchange_sheet(app: QApplication, sheet: str) -> Generator[str | None, None, bool]:
    """Paint by this style sheet from now on. True when the widgets there are have to be polished, too."""
    before = app.styleSheet()
    if sheet == before:
        return False
    if before:
        for one in all_widgets(app):
            if isValid(one) and not one.isVisible():  # nobody sees it lose its colours
                one.style().unpolish(one)
                yield
        yield ALONE
        app.style().unpolish(app)  # some microseconds for each widget that is left
        yield
        app.style().unpolish(app)  # what was asked for meanwhile
    app.setStyleSheet(sheet)  # the first sheet polishes by itself, and each widget once
    return bool(before)


def polish(widget: QWidget) -> None:
    """Give a widget the colours and icons of the style sheet; one that was never shown gets them then."""
    if isValid(widget) and widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
        widget.style().polish(widget)
        QCoreApplication.sendEvent(widget, QEvent(QEvent.Type.StyleChange))


def leave_unpolished() -> None:
    """Do not style what was made just now: it would be styled once more for each place that it finds.

    Qt would begin with it in the next turn of the loop; what is shown gets its style in any case.
    """
    QCoreApplication.removePostedEvents(None, QEvent.Type.PolishRequest)


def polished(widget: QWidget) -> Work:
    """Find the style of something that is hidden still, and of all that it holds, in steps.

    When it is shown Qt would do that in one go. What holds others comes after them, for Qt styles with each
    widget those that it holds.
    """
    for one in reversed((widget, *widget.findChildren(QWidget))):
        if isValid(one):
            one.ensurePolished()
            yield


def all_widgets(app: QApplication) -> list[QWidget]:
    """Every widget, each behind its parent."""
    tops = app.topLevelWidgets()
    return list(dict.fromkeys(one for top in tops for one in (top, *top.findChildren(QWidget))))


class Polisher(QObject):
    """Polishes all widgets, what is seen first; windows show the old picture until that is done."""

    def __init__(self, app: QApplication, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app = app
        self._still: list[QWidget] = []
        self._turns = Turns(self)

    @property
    def done(self) -> bool:
        """Every widget is polished."""
        return not self._turns.running

    def start(self, exchange: Work) -> None:
        """Change the sheet and polish every widget there is, all in turns of the loop.

        What is not done of a change before is left.
        """
        self._turns.stop()
        for window in self._app.topLevelWidgets():
            if window.isVisible() and window.updatesEnabled():
                window.setUpdatesEnabled(False)
                self._still.append(window)
        self._turns.start(self._work(exchange))

    def _work(self, exchange: Work) -> Work:
        try:
            yield from exchange
            yield
            widgets = all_widgets(self._app)
            yield
            seen = [one for one in widgets if isValid(one) and one.isVisible()]
            for one in seen:
                polish(one)
                yield
        finally:
            self._go_on()
        yield
        known = set(seen)
        for one in widgets:
            if one not in known:
                polish(one)
                yield

    def _go_on(self) -> None:
        """Let the windows show what is so now; after a fault in the middle of the work, too."""
        for window in self._still:
            if isValid(window):
                window.setUpdatesEnabled(True)
        self._still.clear()
