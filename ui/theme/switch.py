"""Which theme is on, and who is told that it changed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from ui.theme.polish import Polisher
from ui.theme.theme import Theme
from ui.widgets.turns import Work

Wearer = Callable[[Theme], Work | None]
"""Puts a theme on what paints by itself; in steps if that takes longer."""


class ThemeSwitch(QObject):
    """Applies a theme to the running application and tells who paints by itself.

    All of it is done in the next turns of the loop, while windows go on showing the old picture.
    """

    def __init__(
        self, app: QApplication, name: str = "dark", parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._app = app
        self._theme = Theme.load(name)
        self._theme.apply(app)
        self._polisher = Polisher(app, self)
        self._wearers: list[Wearer] = []

    @property
    def theme(self) -> Theme:
        return self._theme

    @property
    def settled(self) -> bool:
        """Everything wears the theme."""
        return self._polisher.done

    def worn_by(self, wearer: Wearer) -> Callable[[], None]:
        """Tell it when palette and style sheet are those of another theme. Returns what ends that."""
        self._wearers.append(wearer)

        def take_off() -> None:
            self._wearers.remove(wearer)

        return take_off

    def use(self, name: str) -> None:
        """Switch to the shipped theme `name`; nothing happens if it is on already."""
        if name != self._theme.name:
            self._theme = Theme.load(name)
            self._polisher.start(self._put_on(self._theme))

    def toggle(self) -> None:
        """From dark to light and back."""
        self.use("light" if self._theme.dark else "dark")

    def _put_on(self, theme: Theme) -> Work:
        yield from theme.lay_on(self._app)
        for wearer in tuple(self._wearers):
            yield
            yield from wearer(theme) or ()
