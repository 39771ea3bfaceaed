"""How everything looks: colours by role from `resources/themes`, fonts, palette and style sheet.

`Theme.load("dark")` reads a theme, `ThemeSwitch` applies one to the application and tells the widgets
that paint themselves. No other module names a colour.
"""

from ui.theme.fonts import load_fonts, mono_font, ui_font
from ui.theme.switch import ThemeSwitch
from ui.theme.theme import Theme, ThemeError, put_on_style

__all__ = [
    "Theme",
    "ThemeError",
    "ThemeSwitch",
    "load_fonts",
    "mono_font",
    "put_on_style",
    "ui_font",
]
