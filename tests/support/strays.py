"""Finds widgets that flash up as a window of their own, since they were shown before they had a place."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget


class Strays(QObject):
    """While it is entered, `shown` names every widget without a parent that is shown, but for `known`."""

    def __init__(self, app: QApplication, *known: QWidget) -> None:
        super().__init__()
        self._app, self._known = app, known
        self.shown: list[str] = []

    def __enter__(self) -> Strays:
        self._app.installEventFilter(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._app.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        shown = event.type() is QEvent.Type.Show and isinstance(watched, QWidget)
        if shown and watched.parent() is None and watched not in self._known:
            self.shown.append(type(watched).__name__)
        return False
