"""Which theme is on, and the news that it changed."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

from ui.theme.polish import Polisher
from ui.theme.theme import Theme


class ThemeSwitch(QObject):
    """Applies a theme to the running application and tells who paints by itself.

    `changed` carries the new `Theme`; it comes after palette and style sheet are in place. Widgets that were
    there before follow in the next turns of the loop.
    """

    changed = Signal(object)

    def __init__(
        self, app: QApplication, name: str = "dark", parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._app = app
        self._theme = Theme.load(name)
        self._theme.apply(app)
        self._polisher = Polisher(app, self)

    @property
    def theme(self) -> Theme:
        return self._theme

    @property
    def settled(self) -> bool:
        """Every widget wears the theme."""
        return self._polisher.done

    def use(self, name: str) -> None:
        """Switch to the shipped theme `name`; nothing happens if it is on already."""
        if name == self._theme.name:
            return
        self._theme = Theme.load(name)
        if self._theme.lay_on(self._app):
            self._polisher.start()
        self.changed.emit(self._theme)

    def toggle(self) -> None:
        """From dark to light and back."""
        self.use("light" if self._theme.dark else "dark")
