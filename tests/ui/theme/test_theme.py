"""The two themes: complete, readable, switched live; fonts of our own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.kernel.resources import resource
from ui.theme import Theme, ThemeError, ThemeSwitch, load_fonts, mono_font, ui_font
from ui.theme.palette import make_palette
from ui.theme.qss import repolish, style_sheet
from ui.theme.theme import THEMES

TEXT = ("text", "text2", "text3")
STATES = ("avail", "charge", "reserve", "unavail", "fault", "warn")
SURFACES = ("panel", "panel2", "raised", "win", "sel", "wall1", "card1")


def luminance(colour: QColor) -> float:
    parts = [colour.redF(), colour.greenF(), colour.blueF()]
    line = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * line[0] + 0.7152 * line[1] + 0.0722 * line[2]


def contrast(one: QColor, other: QColor) -> float:
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("token", TEXT + STATES)
def test_text_and_states_can_be_read_on_every_surface(name: str, surface: str, token: str) -> None:
    theme = Theme.load(name)
    assert contrast(theme.colour(token), theme.colour(surface)) >= 4.5


@pytest.mark.parametrize("name", THEMES)
def test_text_on_ink_and_syntax_colours_can_be_read(name: str) -> None:
    theme = Theme.load(name)
    assert contrast(theme.colour("onink"), theme.colour("ink")) >= 7
    for token in ("key", "str", "num", "out", "inn"):
        assert contrast(theme.colour(token), theme.colour("panel")) >= 4.5
    assert contrast(theme.colour("focus"), theme.colour("panel")) >= 3


def test_both_themes_have_the_same_tokens() -> None:
    dark, light = Theme.load("dark"), Theme.load("light")
    assert set(dark.tokens) == set(light.tokens)
    assert dark.paints == light.paints
    assert dark.dark
    assert not light.dark


def test_an_unknown_token_is_an_error_and_an_unknown_card_is_grey() -> None:
    theme = Theme.load("dark")
    with pytest.raises(KeyError):
        theme.colour("chrage")
    assert theme.card("nothing") == theme.card("grey")


def test_an_alpha_makes_a_colour_faint() -> None:
    assert Theme.load("dark").colour("charge", 0.5).alphaF() == pytest.approx(0.5, abs=0.01)


def test_screens_are_lit_in_both_themes() -> None:
    dark, light = Theme.load("dark"), Theme.load("light")
    assert light.lit == dark
    assert dark.lit is dark


@pytest.mark.parametrize(
    "text", ["", "name = 'x'", "name = 'x'\n[colour]\nwin = 'no colour'\n", "name = ["]
)
def test_a_broken_theme_file_says_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ThemeError):
        Theme.read(path)


@pytest.mark.parametrize("name", THEMES)
def test_the_palette_sets_every_role_of_every_group(qapp: QApplication, name: str) -> None:
    theme = Theme.load(name)
    palette = make_palette(theme)
    groups = (
        QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive, QPalette.ColorGroup.Disabled
    )  # fmt: skip
    for group in groups:
        for role in QPalette.ColorRole:
            if role not in (QPalette.ColorRole.NoRole, QPalette.ColorRole.NColorRoles):
                assert palette.isBrushSet(group, role), (group, role)
    muted = palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text)
    assert muted != palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Text)


@pytest.mark.parametrize("name", THEMES)
def test_the_style_sheet_has_no_gap_and_its_icons_exist(name: str) -> None:
    sheet = style_sheet(Theme.load(name))
    assert "$" not in sheet
    paths = re.findall(r"url\(([^)]+)\)", sheet)
    assert paths
    assert all(Path(path).is_file() for path in paths)


@pytest.fixture
def switch(qapp: QApplication) -> ThemeSwitch:
    return ThemeSwitch(qapp, "dark")


def test_the_switch_changes_running_widgets_and_tells(
    qtbot: QtBot, qapp: QApplication, switch: ThemeSwitch
) -> None:
    label = QLabel("Power")
    qtbot.addWidget(label)
    label.show()
    told: list[object] = []
    take_off = switch.worn_by(told.append)
    switch.use("dark")
    assert switch.settled
    switch.toggle()
    qtbot.waitUntil(lambda: switch.settled)
    assert told == [Theme.load("light")]
    assert label.palette().color(QPalette.ColorRole.WindowText) == Theme.load("light").colour(
        "text"
    )
    assert qapp.palette().color(QPalette.ColorRole.Window) == Theme.load("light").colour("panel")
    take_off()
    switch.toggle()
    qtbot.waitUntil(lambda: switch.settled)
    assert switch.theme.name == "dark"
    assert told == [Theme.load("light")]


def test_a_changed_property_takes_effect_after_repolish(qtbot: QtBot, switch: ThemeSwitch) -> None:
    label = QLabel("Power")
    qtbot.addWidget(label)
    label.show()
    label.setProperty("role", "title")
    repolish(label)
    assert label.fontInfo().pixelSize() == 17


def test_the_shipped_fonts_are_used(qapp: QApplication) -> None:
    assert {"Inter", "JetBrains Mono"} <= set(load_fonts())
    assert QFontInfo(ui_font(12, 600)).family() == "Inter"
    assert QFontInfo(mono_font(11)).family() == "JetBrains Mono"


def test_fonts_come_with_their_licences() -> None:
    for name in ("Inter", "JetBrainsMono"):
        text = resource("fonts", f"{name}-LICENSE.txt").read_text("utf-8")
        assert "SIL OPEN FONT LICENSE" in text
        assert "Copyright" in text
