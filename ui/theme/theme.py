"""One theme: colours by role, strengths of light and shadow, and how it is put on an application."""

from __future__ import annotations

import tomllib
from collections.abc import Generator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from app.kernel.resources import resource

THEMES = ("dark", "light")
_STYLED = "forecourt_style"
Paint = tuple[QColor, QColor, QColor]


class ThemeError(ValueError):
    """A theme file is missing, broken or lacks a colour."""


class Theme:
    """The colours and strengths of one theme file (`resources/themes/<name>.toml`).

    `colour("charge")` gives a role's colour; unknown roles raise KeyError, so that a typing error is
    found by the first test that paints. Two themes are equal when they have the same name.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        try:
            self.name = str(data["name"])
            self._colours = {key: _colour(value) for key, value in data["colour"].items()}
            self._light = {key: float(value) for key, value in data["light"].items()}
            self._cards = {key: _colour(value) for key, value in data["card"].items()}
            self._paints: dict[str, Paint] = {
                key: (_colour(value[0]), _colour(value[1]), _colour(value[2]))
                for key, value in data["paint"].items()
            }
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise ThemeError(f"theme: {error}") from error

    @classmethod
    def load(cls, name: str = "dark") -> Theme:
        """The shipped theme of this name. Raises ThemeError."""
        return _shipped(name)

    @classmethod
    def read(cls, path: Path) -> Theme:
        """A theme from a file. Raises ThemeError."""
        try:
            return cls(tomllib.loads(path.read_text("utf-8")))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise ThemeError(f"{path.name}: {error}") from error

    @property
    def dark(self) -> bool:
        return self.colour("win").lightnessF() < 0.5

    @property
    def lit(self) -> Theme:
        """The colours of lit glass: the station's screens and readers are dark in both themes."""
        return self if self.dark else Theme.load("dark")

    def colour(self, token: str, alpha: float = 1.0) -> QColor:
        """The colour of a role; `alpha` 0 to 1. Raises KeyError for an unknown role."""
        colour = QColor(self._colours[token])
        if alpha < 1.0:
            colour.setAlphaF(alpha)
        return colour

    color = colour

    def css(self, token: str) -> str:
        """The colour as `#rrggbb`, for style sheets and rich text."""
        return self._colours[token].name()

    def light(self, name: str) -> float:
        """A strength of light or shadow, 0 to 1."""
        return self._light[name]

    def paint(self, name: str) -> Paint:
        """A car's body: lit, middle, shaded."""
        return self._paints[name]

    @property
    def paints(self) -> tuple[str, ...]:
        return tuple(self._paints)

    def card(self, name: str) -> QColor:
        """The edge colour of a wallet card; grey for a name that is not known."""
        return QColor(self._cards.get(name, self._cards["grey"]))

    @property
    def tokens(self) -> tuple[str, ...]:
        return tuple(self._colours)

    def apply(self, app: QApplication) -> None:
        """Put style, palette, font and style sheet on the application and on all widgets, at once."""
        from ui.theme.polish import all_widgets, polish
        from ui.widgets.turns import at_once

        if at_once(self.lay_on(app)):
            for widget in all_widgets(app):
                polish(widget)

    def lay_on(self, app: QApplication) -> Generator[str | None, None, bool]:
        """Paint with this theme from now on. True when the widgets there are have to be polished, too."""
        from ui.theme.fonts import ui_font
        from ui.theme.palette import make_palette
        from ui.theme.polish import exchange_sheet
        from ui.theme.qss import style_sheet

        put_on_style(app)
        app.setPalette(make_palette(self))
        app.setFont(ui_font(12))
        yield
        return (yield from exchange_sheet(app, style_sheet(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Theme) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


def put_on_style(app: QApplication) -> None:
    """The style of Qt's that all themes begin with, once.

    Under a style sheet an application does not tell the name of its style: it is noted at the application.
    """
    if app.property(_STYLED) is None:
        app.setStyle("Fusion")
        app.setProperty(_STYLED, True)


@cache
def _shipped(name: str) -> Theme:
    return Theme.read(resource("themes", f"{name}.toml"))


def _colour(text: str) -> QColor:
    colour = QColor(text)
    if not colour.isValid():
        raise ValueError(f"{text!r} is no colour")
    return colour
