"""Which theme is on, and the news that it changed."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

from ui.theme.theme import Theme


class ThemeSwitch(QObject):
    """Applies a theme to the running application and tells who paints by itself.

    `changed` carries the new `Theme`; it comes after palette and style sheet are in place.
    """

    changed = Signal(object)

    def __init__(
        self, app: QApplication, name: str = "dark", parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._app = app
        self._theme = Theme.load(name)
        self._theme.apply(app)

    @property
    def theme(self) -> Theme:
        return self._theme

    def use(self, name: str) -> None:
        """Switch to the shipped theme `name`; nothing happens if it is on already."""
        if name == self._theme.name:
            return
        self._theme = Theme.load(name)
        self._theme.apply(self._app)
        self.changed.emit(self._theme)

    def toggle(self) -> None:
        """From dark to light and back."""
        self.use("light" if self._theme.dark else "dark")
