"""The two typefaces that ship with the program: Inter for words, JetBrains Mono for ids and code."""

from __future__ import annotations

from functools import cache

from PySide6.QtGui import QFont, QFontDatabase

from app.kernel.resources import resource

UI_FAMILIES = ("Inter", "Segoe UI", "Noto Sans", "Helvetica Neue", "sans-serif")
MONO_FAMILIES = ("JetBrains Mono", "Cascadia Mono", "DejaVu Sans Mono", "Menlo", "monospace")


def load_fonts() -> list[str]:
    """Register the shipped font files once; returns the families found. Needs a QGuiApplication."""
    return list(_load())


@cache
def _load() -> tuple[str, ...]:
    families: list[str] = []
    for path in sorted(resource("fonts").iterdir()):
        if path.suffix in {".otf", ".ttf"}:
            number = QFontDatabase.addApplicationFont(str(path))
            if number >= 0:
                families += QFontDatabase.applicationFontFamilies(number)
    return tuple(dict.fromkeys(families))


def ui_font(pixels: int = 12, weight: int = QFont.Weight.Normal) -> QFont:
    """A font for words with figures of equal width; `weight` as in CSS (400, 500, 600, 700)."""
    return _font(UI_FAMILIES, pixels, int(weight), "tnum", 1)


def mono_font(pixels: int = 11, weight: int = QFont.Weight.Normal) -> QFont:
    """A font for ids, time stamps and code; without ligatures, so that `>=` reads as typed."""
    return _font(MONO_FAMILIES, pixels, int(weight), "calt", 0)


@cache
def _font(families: tuple[str, ...], pixels: int, weight: int, feature: str, value: int) -> QFont:
    load_fonts()
    font = QFont()
    font.setFamilies(list(families))
    font.setPixelSize(pixels)
    font.setWeight(QFont.Weight(weight))
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    if hasattr(font, "setFeature"):
        font.setFeature(QFont.Tag(feature), value)
    return font
